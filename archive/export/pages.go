package export

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/post"
)

// captures are the copied captures of pages and posts, sorted in a temporary file:
// each under the key of its record id and under that of its address.
type captures struct {
	dir   string
	lines *cdx.Sorter
	out   *os.File
	file  *cdx.File
	buf   []byte
}

// capturesMemory is how many bytes of their lines are sorted in memory.
const capturesMemory = 1 << 20

// What the lines say beside the address: in the field mime that the capture is
// HTML that was served, in status that a post was read from it.
const (
	isPage     = "page"
	isSelected = "selected"
	isListed   = "listed"
)

func idKey(id string) string   { k := keyOf(id); return "i" + hex.EncodeToString(k[:]) }
func urlKey(url string) string { k := keyOf(url); return "u" + hex.EncodeToString(k[:]) }

// add notes a record. head is nil where it has none; shown is the address under
// which it stands in the package, which is another one where that was redacted.
func (c *captures) add(h warc.Header, head *warc.HTTPHead, shown string, selected bool) error {
	uri := h.TargetURI()
	kind := h.Type()
	isPost := kind == warc.TypeResource && strings.HasPrefix(uri, "urn:refrain:post:")
	if kind != warc.TypeResponse && kind != warc.TypeRevisit && !isPost {
		return nil
	}
	date, err := warc.ParseDate(h.Get("WARC-Date"))
	if err != nil {
		return nil // no page can be listed without its time
	}
	l := cdx.Line{Timestamp: cdx.Timestamp(date), URL: shown, Offset: -1, Digest: idKey(h.RecordID())}
	if head != nil && head.Status == http.StatusOK {
		if kind := head.MediaType(); kind == "text/html" || kind == "application/xhtml+xml" {
			l.MIME = isPage
		}
	}
	if selected && !isPost {
		l.Status = isSelected
	}
	keys := []string{l.Digest, urlKey(uri)}
	if isPost { // its own record is asked for by its address only
		keys = keys[1:]
	}
	for _, l.Key = range keys {
		if err := c.put(&l); err != nil {
			return err
		}
	}
	return nil
}

func (c *captures) put(l *cdx.Line) error {
	if c.lines == nil {
		c.lines = cdx.NewSorter(cdx.SortOptions{Memory: capturesMemory, Dir: c.dir})
	}
	c.buf = l.Append(c.buf[:0])
	return c.lines.AddBytes(c.buf)
}

// sort ends adding and begins finding.
func (c *captures) sort() error {
	if c.lines == nil {
		c.file = cdx.NewFile(strings.NewReader(""), 0)
		return nil
	}
	out, err := os.CreateTemp(c.dir, "refrain-export-*")
	if err != nil {
		return err
	}
	c.out = out
	n, err := c.lines.WriteTo(out)
	if err = errors.Join(err, c.lines.Close()); err != nil {
		return err
	}
	c.lines, c.file = nil, cdx.NewFile(out, n)
	return nil
}

// close removes what is temporary.
func (c *captures) close() error {
	var err error
	if c.lines != nil {
		err = c.lines.Close()
	}
	if c.out != nil {
		err = errors.Join(err, c.out.Close(), os.Remove(c.out.Name()))
	}
	c.lines, c.out = nil, nil
	return err
}

// find gives the newest capture with a key that is ok.
func (c *captures) find(key string, ok func(*cdx.Line) bool) (best cdx.Line, found bool, err error) {
	for l, err := range c.file.Find(key) {
		if err != nil {
			return best, false, err
		}
		if ok(&l) {
			best, found = l, true // they are in the order of time
		}
	}
	return best, found, nil
}

// pages writes the lists of pages.
func (e *exporter) pages(ctx context.Context) error {
	if err := e.pageOf.sort(); err != nil {
		return fmt.Errorf("sort the list of captures: %w", err)
	}
	listed := captures{dir: e.pageOf.dir} // captures that stand in the list of pages, and those that may be extra pages
	defer listed.close()                  //nolint:errcheck // temporary
	for p, err := range e.o.Posts(ctx) {
		if err != nil {
			return err
		}
		k := keyOf(p.Key())
		if _, ok := e.posts[k]; !ok {
			continue // selected in two ways: listed already
		}
		delete(e.posts, k)
		at, ok, err := e.pageFor(p)
		if err != nil {
			return err
		}
		if !ok {
			e.problem(Problem{Reason: "nothing of the post " + p.Key() + " could be taken in"})
			continue
		}
		page := wacz.Page{URL: at.URL, TS: at.Time().Format(time.RFC3339), Title: title(&p.Post), Text: text(&p.Post), Post: p.Key()}
		if page.URL != p.URL {
			page.PostURL = p.URL
		}
		for _, s := range []*string{&page.Title, &page.Text, &page.Post, &page.PostURL} {
			if *s, err = e.redactString(*s); err != nil {
				return fmt.Errorf("redact the page of a post: %w", err)
			}
		}
		if page.PostURL == page.URL {
			page.PostURL = ""
		}
		if err := e.w.AddPage(page); err != nil {
			return err
		}
		e.report.Pages++
		if err := listed.put(&cdx.Line{Key: at.Digest, Timestamp: at.Timestamp, Status: isListed, Offset: -1}); err != nil {
			return err
		}
	}
	return e.extraPages(ctx, &listed)
}

// pageFor gives the capture that stands for a post.
func (e *exporter) pageFor(p *Post) (at cdx.Line, ok bool, err error) {
	any := func(*cdx.Line) bool { return true }
	if address, _, _ := strings.Cut(p.URL, "#"); address != "" {
		at, ok, err = e.pageOf.find(urlKey(address), func(l *cdx.Line) bool { return l.MIME == isPage })
	}
	for i := len(p.Captures) - 1; i >= 0 && !ok && err == nil; i-- {
		if id := p.Captures[i].RecordID; id != "" {
			at, ok, err = e.pageOf.find(idKey(id), any)
		}
	}
	if !ok && err == nil { // an imported post: its own record stands for it
		at, ok, err = e.pageOf.find(urlKey(archive.PostURI(&p.Post)), any)
	}
	return at, ok, err
}

// extraPages lists captures of pages that no post stands for.
func (e *exporter) extraPages(ctx context.Context, listed *captures) error {
	for l, err := range e.pageOf.file.FindPrefix("i") {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && l.MIME == isPage && l.Status == isSelected {
			err = listed.put(&l)
		}
		if err != nil {
			return err
		}
	}
	if err := listed.sort(); err != nil {
		return err
	}
	done := "" // key of the last capture; what says that it is listed comes first
	for l, err := range listed.file.All() {
		if err != nil {
			return err
		}
		if l.Key != done && l.Status != isListed {
			if err := e.w.AddExtraPage(wacz.Page{URL: l.URL, TS: l.Time().Format(time.RFC3339)}); err != nil {
				return err
			}
			e.report.ExtraPages++
		}
		done = l.Key
	}
	return nil
}

// maxTitle and maxText bound the line of a page, in bytes.
const (
	maxTitle = 300
	maxText  = 4 << 20
)

// title is what a list of pages shows of a post.
func title(p *post.Post) string {
	t := strings.Join(strings.Fields(p.Title), " ")
	if t == "" {
		t = strings.Join(strings.Fields(cut(p.Text, 4*maxTitle)), " ")
	}
	for _, who := range []string{p.Account.Handle, p.Account.Name} {
		if who != "" {
			if t == "" {
				t = p.Key()
			}
			t = who + ": " + t
			break
		}
	}
	if t == "" {
		t = p.Key()
	}
	return cut(t, maxTitle)
}

func text(p *post.Post) string {
	t := p.Text
	if p.Title != "" && t != "" {
		t = p.Title + "\n" + t
	} else if t == "" {
		t = p.Title
	}
	return cut(t, maxText)
}

// cut cuts s to n bytes and does not split a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
