// Package pagescan finds elements and head metadata in an HTML page without
// building its tree: one pass over its tags, which knows scripts, comments and
// character references. Pages of blog themes nest badly, so the end of an
// element is told by counting the tags of its own name only.
package pagescan

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/refrain-archive/refrain/internal/jsonx"
)

// An Element is a part of a page.
type Element struct {
	Tag   string
	Attrs Attrs
	Inner []byte // between its tags; shares the page's memory
	Start int    // of its start tag in the page
	End   int    // behind its end tag
}

// Text is the element's text, tags left out, references decoded, white space
// made single.
func (e Element) Text() string { return Text(e.Inner) }

// Text is the text of a piece of HTML on one line.
func Text(src []byte) string {
	var b []byte
	z := scanner{page: src}
	raw := false
	for {
		switch z.next() {
		case tokenEnd:
			return strings.Join(strings.Fields(string(b)), " ")
		case tokenText:
			if !raw {
				b = appendText(b, &z)
			}
		case tokenStart:
			raw = z.raw == "script" || z.raw == "style"
			if !raw && !inline(z.name) {
				b = append(b, ' ')
			}
		case tokenClose:
			raw = false
		}
	}
}

// inline reports whether an element of the name stands within words.
func inline(name []byte) bool {
	for _, s := range []string{"b", "i", "a", "span", "em", "strong", "u", "font", "abbr"} {
		if foldEqual(name, s) {
			return true
		}
	}
	return false
}

// appendText adds the text at hand, references decoded. What kind its white
// space is does not matter here.
func appendText(b []byte, z *scanner) []byte {
	text := z.page[z.start:z.at]
	if z.plain {
		text = bytes.ReplaceAll(text, []byte{0}, []byte("\ufffd"))
	}
	if bytes.IndexByte(text, '&') < 0 || z.plain && z.of != "textarea" && z.of != "title" {
		return append(b, text...)
	}
	return append(b, html.UnescapeString(string(text))...)
}

// Find gives the elements whose start tag match accepts, in order. Elements
// inside a found one are not looked at. The attributes that match is handed are
// there during the call only.
func Find(page []byte, match func(tag string, a Attrs) bool) []Element {
	return find(page, match, -1)
}

// First gives the first element whose start tag match accepts.
func First(page []byte, match func(tag string, a Attrs) bool) (Element, bool) {
	found := find(page, match, 1)
	if len(found) == 0 {
		return Element{}, false
	}
	return found[0], true
}

func find(page []byte, match func(tag string, a Attrs) bool, limit int) []Element {
	var found []Element
	z := scanner{page: page}
	var open *Element
	from, depth := 0, 0
	for {
		switch kind := z.next(); kind {
		case tokenEnd:
			if open != nil { // never closed: it reaches to the end
				open.Inner, open.End = page[from:], len(page)
				found = append(found, *open)
			}
			return found
		case tokenStart, tokenEmpty:
			if open != nil {
				if kind == tokenStart && z.is(open.Tag) {
					depth++
				}
				continue
			}
			tag := z.tag()
			if !match(tag, z.attrs) {
				continue
			}
			e := Element{Tag: tag, Attrs: slices.Clone(z.attrs), Start: z.start, End: z.at}
			if void(tag) {
				found = append(found, e)
				if limit > 0 && len(found) >= limit {
					return found
				}
				continue
			}
			open, from, depth = &e, z.at, 1
		case tokenClose:
			if open == nil || !z.is(open.Tag) {
				continue
			}
			if depth--; depth == 0 {
				open.Inner, open.End = page[from:z.start], z.at
				found = append(found, *open)
				open = nil
				if limit > 0 && len(found) >= limit {
					return found
				}
			}
		}
	}
}

func void(tag string) bool {
	switch tag {
	case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr":
		return true
	}
	return false
}

// A Link is a link element.
type Link struct{ Rel, Type, Href, Title string }

// A Meta is a meta element with content; Name is its name, property, itemprop
// or http-equiv, in lower case.
type Meta struct{ Name, Content string }

// Head is what the link, meta, title and ld+json elements of a page say,
// wherever they stand.
type Head struct {
	Lang  string
	Title string
	Metas []Meta
	Links []Link
	LD    []jsonx.Value // each object of each ld+json script
}

// Meta is the content of the first meta of one of names, tried in their order.
func (h *Head) Meta(names ...string) string {
	for _, n := range names {
		for _, m := range h.Metas {
			if m.Name == n && strings.TrimSpace(m.Content) != "" {
				return m.Content
			}
		}
	}
	return ""
}

// All gives every content under name.
func (h *Head) All(name string) []string {
	var all []string
	for _, m := range h.Metas {
		if m.Name == name {
			all = append(all, m.Content)
		}
	}
	return all
}

// Link is the target of the first link whose rel holds the word.
func (h *Head) Link(rel string) string {
	for _, l := range h.Links {
		for f := range strings.FieldsSeq(l.Rel) {
			if strings.EqualFold(f, rel) {
				return l.Href
			}
		}
	}
	return ""
}

// ReadHead reads a page's metadata.
func ReadHead(page []byte) *Head {
	h := &Head{}
	for _, e := range Find(page, func(tag string, a Attrs) bool {
		switch tag {
		case "html":
			if h.Lang == "" {
				h.Lang = a.Get("lang")
			}
		case "meta":
			if !a.Has("content") {
				return false
			}
			for _, key := range []string{"property", "name", "itemprop", "http-equiv"} {
				if n := a.Get(key); n != "" {
					h.Metas = append(h.Metas, Meta{strings.ToLower(n), a.Get("content")})
				}
			}
		case "link":
			if a.Get("href") != "" {
				h.Links = append(h.Links, Link{a.Get("rel"), a.Get("type"), a.Get("href"), a.Get("title")})
			}
		case "title":
			return true
		case "script":
			return strings.Contains(strings.ToLower(a.Get("type")), "ld+json")
		}
		return false
	}) {
		if e.Tag == "title" {
			if h.Title == "" {
				h.Title = strings.Join(strings.Fields(html.UnescapeString(string(e.Inner))), " ")
			}
			continue
		}
		v, err := jsonx.Parse(bytes.TrimSpace(e.Inner))
		if err != nil {
			continue
		}
		v.Walk(func(o jsonx.Value) bool {
			if o.Has("@type") || o.Has("@graph") {
				h.LD = append(h.LD, o)
			}
			return o.Has("@graph")
		})
	}
	return h
}
