package wacz

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
)

// A Page is a line of pages.jsonl.
type Page struct {
	ID    string `json:"id,omitempty"` // unique in its list
	URL   string `json:"url"`
	TS    string `json:"ts"` // RFC 3339: when the page was captured, as the WARC-Date says to the second
	Title string `json:"title,omitempty"`
	Text  string `json:"text,omitempty"` // of the page, for search
	Seed  bool   `json:"seed,omitempty"`

	// Of a page that stands for a post, which is a field of ours: the post's key
	// (PLATFORM:ID), and its own address where that is not URL, because the post
	// was read from another page.
	Post    string `json:"post,omitempty"`
	PostURL string `json:"postUrl,omitempty"`
}

// The lists of pages.
const (
	PagesName      = "pages/pages.jsonl"
	ExtraPagesName = "pages/extraPages.jsonl"
)

// Pages gives the pages of pages.jsonl, then those of extraPages.jsonl. A line
// that cannot be understood is an error, after which the next one follows.
func (f *File) Pages() iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for _, name := range []string{PagesName, ExtraPagesName} {
			rc, err := f.Open(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				if !yield(Page{}, err) {
					return
				}
				continue
			}
			_, ok := scanPages(rc, name, yield)
			rc.Close() //nolint:errcheck // only read
			if !ok {
				return
			}
		}
	}
}

// pagesHeader is the first line of a list.
type pagesHeader struct {
	Format  string `json:"format"`
	ID      string `json:"id"`
	Title   string `json:"title"`
	HasText bool   `json:"hasText,omitempty"`
}

// scanPages gives the header and the pages of a list. The first line is a page
// only if it says no format and has a url.
func scanPages(r io.Reader, name string, yield func(Page, error) bool) (head pagesHeader, ok bool) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 32<<10), MaxPage)
	for n := 1; sc.Scan(); n++ {
		b := bytes.TrimSpace(sc.Bytes())
		if len(b) == 0 {
			continue
		}
		if n == 1 && json.Unmarshal(b, &head) == nil && head.Format != "" {
			continue
		}
		var p Page
		err := json.Unmarshal(b, &p)
		if err == nil && p.URL == "" {
			err = errors.New("it has no url")
		}
		if err != nil {
			err = fmt.Errorf("wacz: %s line %d is no page: %w", name, n, err)
		}
		if !yield(p, err) {
			return head, false
		}
	}
	if err := sc.Err(); err != nil {
		return head, yield(Page{}, fmt.Errorf("wacz: read %s: %w", name, err))
	}
	return head, true
}
