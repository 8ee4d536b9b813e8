package importers

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// page reads an HTML page that a browser or SingleFile saved. Its address
// stands in the comment that they write; a page without one is taken for what
// its own link rel=canonical or og:url names.
func (r *reading) page(text io.Reader) error {
	body, err := io.ReadAll(io.LimitReader(text, maxValue+1))
	if err != nil {
		return err
	}
	if len(body) > maxValue {
		return fmt.Errorf("the page is larger than %d MiB: is it an archive?", maxValue>>20)
	}
	if err := r.begin(1, int64(len(body))); err != nil {
		return err
	}
	if r.o.After >= 1 {
		return nil
	}
	saved := savedFrom(body)
	ex := crawlers.Exchange{Method: "GET", URL: saved.url, Header: crawlers.Header{"Content-Type": {"text/html"}}, Body: body, FetchedAt: saved.at, Capture: r.capture(1)}
	if ex.URL == "" {
		return fmt.Errorf("an HTML page that does not say where it was saved from (no comment of a browser or of SingleFile, no canonical address): `refrain extract --url` reads it: %w", ErrUnknown)
	}
	c, ref, ok := crawlers.Identify(r.o.Collectors, ex)
	if r.o.Platform != "" && (!ok || r.wrong(crawlers.Platform(c))) {
		if c = r.collector(r.o.Platform); c != nil {
			ref, ok = c.Identify(ex)
		}
	}
	if !ok {
		return fmt.Errorf("a page of %s, which no collector knows: %w", ex.URL, ErrUnknown)
	}
	step := crawlers.Step{Ref: ref}
	page, err := crawlers.Read(c, step, ex)
	if err != nil {
		page = crawlers.Page{Outcome: post.LayoutChanged, Reason: err.Error()}
	}
	page.Next, page.Assets = nil, nil
	return r.give(Entry{Number: 1, Collector: c, Step: step, Exchange: ex, Page: page, Exporter: saved.by})
}

// A saved is what a page says about its saving.
type saved struct {
	url, by string
	at      time.Time
}

var (
	savedByBrowser = regexp.MustCompile(`(?i)<!--\s*saved from url=\((\d{1,6})\)`)
	savedURLLine   = regexp.MustCompile(`(?mi)^\s*url:\s*(\S+)`)
	savedDateLine  = regexp.MustCompile(`(?mi)^\s*saved date:\s*([^\r\n]+?)\s*$`)
	canonicalLink  = regexp.MustCompile(`(?i)<link\b[^>]*\brel=["']?canonical["']?[^>]*>`)
	ogURL          = regexp.MustCompile(`(?i)<meta\b[^>]*\bproperty=["']?og:url["']?[^>]*>`)
	hrefValue      = regexp.MustCompile(`(?i)\bhref=["']?([^"'\s>]+)`)
	contentValue   = regexp.MustCompile(`(?i)\bcontent=["']?([^"'\s>]+)`)
)

// savedHead is how far into a page the comment about its saving is looked for,
// in bytes.
const savedHead = 16 << 10

func savedFrom(body []byte) saved {
	head := body[:min(len(body), savedHead)]
	if at := savedByBrowser.FindSubmatchIndex(head); at != nil {
		// (0023)https://www.example.org/ --> : the number is the length of the address.
		var n int
		for _, c := range head[at[2]:at[3]] {
			n = n*10 + int(c-'0')
		}
		address := head[at[1]:]
		if n < len(address) && (bytes.HasPrefix(bytes.TrimLeft(address[n:], " "), []byte("-->"))) {
			address = address[:n]
		} else {
			address, _, _ = bytes.Cut(address, []byte("-->"))
		}
		if u := webAddress(string(address)); u != "" {
			return saved{url: u, by: "a browser (save as)"}
		}
	}
	for _, mark := range []string{"Page saved with SingleFile", "Archive processed by SingleFile"} {
		_, after, found := bytes.Cut(head, []byte(mark))
		if !found {
			continue
		}
		comment, _, _ := bytes.Cut(after, []byte("-->"))
		s := saved{by: "SingleFile"}
		if m := savedURLLine.FindSubmatch(comment); m != nil {
			s.url = webAddress(string(m[1]))
		}
		if m := savedDateLine.FindSubmatch(comment); m != nil {
			s.at = jsDate(string(m[1]))
		}
		if s.url != "" {
			return s
		}
	}
	for _, tag := range []struct{ tag, value *regexp.Regexp }{{canonicalLink, hrefValue}, {ogURL, contentValue}} {
		if t := tag.tag.Find(body); t != nil {
			if m := tag.value.FindSubmatch(t); m != nil {
				if u := webAddress(html.UnescapeString(string(m[1]))); u != "" {
					return saved{url: u, by: "not known (the address is the page's own)"}
				}
			}
		}
	}
	return saved{}
}

func webAddress(s string) string {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return redactURL(s)
}

// jsDate reads a date as browsers write it: "Wed Sep 24 2026 10:00:00 GMT+0200
// (Central European Summer Time)". It is zero where that is not one.
func jsDate(s string) time.Time {
	s, _, _ = strings.Cut(s, " (")
	for _, form := range []string{"Mon Jan 02 2006 15:04:05 GMT-0700", "Mon Jan 2 2006 15:04:05 GMT-0700", time.RFC3339, time.RFC1123, time.RFC1123Z} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// answer reads one JSON answer of a platform that was saved without its
// address: the collector that knows its content reads it.
func (r *reading) answer(text io.Reader) error {
	found := false
	err := values(text, layoutTexts, 0, func(n int64, raw []byte, _ *broken) error {
		if err := r.begin(n, int64(len(raw))); err != nil {
			return err
		}
		if n <= r.o.After {
			found = true
			return nil
		}
		ex := crawlers.Exchange{Method: "GET", Status: 200, Header: crawlers.Header{"Content-Type": {"application/json"}}, Body: raw, Capture: r.capture(n)}
		for _, c := range r.o.Collectors {
			if r.wrong(crawlers.Platform(c)) {
				continue
			}
			if _, ok := c.Identify(ex); ok {
				found = true
				return r.answerOf(n, c, raw, origin{})
			}
		}
		r.report.problem(n, true, "JSON that no collector knows")
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("JSON whose content no tool or platform is known by: %w", ErrUnknown)
	}
	if err != nil && !found && !errors.Is(err, ErrUnknown) && r.ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return err
}
