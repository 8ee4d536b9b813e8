package web

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/urlform"
)

// A Description is what a page says of itself beyond the fields of its post.
type Description struct {
	Title, Text string // as in the post
	SiteName    string
	Summary     string // og:description or its kin
	Canonical   string // address that the page calls its own, absolute; may be of another site
	Lang        string
	Next        string // the next page of a listing or article
	Types       []string
	OpenGraph   []Field // og:, article:, twitter: and the like, in order
	Feeds       []Feed
	Links       []string // of the whole page, without fragments
}

// A Field is one named value of a page's head.
type Field struct{ Name, Value string }

// Describe reads a page's own account of itself. It gives an error for an
// exchange that is not an HTML page, and for a wall.
func Describe(ex crawlers.Exchange) (Description, error) {
	asked, err := url.Parse(ex.URL)
	if err != nil {
		return Description{}, fmt.Errorf("web: describe %s: %w", ex.URL, err)
	}
	id, ok := urlform.Canonical(asked)
	if !ok {
		return Description{}, fmt.Errorf("web: describe %q: not an http(s) address", ex.URL)
	}
	if outcome, reason := crawlers.Classify(ex); outcome != "" {
		return Description{}, fmt.Errorf("web: describe %s: %s: %s", ex.URL, outcome, reason)
	}
	if media := mediaType(ex); media != "text/html" && media != "application/xhtml+xml" {
		return Description{}, fmt.Errorf("web: describe %s: %s, not a page", ex.URL, media)
	}
	body, _ := bounded(ex.Body)
	p := parse(asked, id, body, ex.Header.Get("Content-Type"))
	f := p.facts
	d := Description{
		Title: f.title, Text: p.content.Text, SiteName: f.site, Summary: f.description, Canonical: p.doc.canonical,
		Lang: f.lang, Next: p.doc.next, Types: append(f.ld.types, p.doc.itemtypes...), Feeds: p.doc.feeds, Links: p.doc.links,
	}
	for _, m := range p.doc.meta {
		if strings.Contains(m.name, ":") {
			d.OpenGraph = append(d.OpenGraph, Field{m.name, m.value})
		}
	}
	return d, nil
}
