// Package pagescan finds elements and head metadata in an HTML page without
// building its tree: one pass of the tokenizer, which knows scripts, comments
// and character references. Pages of blog themes nest badly, so the end of an
// element is told by counting the tags of its own name only.
package pagescan

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"

	"github.com/refrain-archive/refrain/internal/jsonx"
)

// Attrs are the attributes of a start tag, values with references decoded.
type Attrs []html.Attribute

// Get is the value of an attribute, "" if there is none.
func (a Attrs) Get(name string) string {
	for _, x := range a {
		if x.Key == name {
			return x.Val
		}
	}
	return ""
}

// Has reports whether the attribute is there, with or without a value.
func (a Attrs) Has(name string) bool {
	for _, x := range a {
		if x.Key == name {
			return true
		}
	}
	return false
}

// HasClass reports whether one of the classes is name.
func (a Attrs) HasClass(name string) bool {
	for f := range strings.FieldsSeq(a.Get("class")) {
		if f == name {
			return true
		}
	}
	return false
}

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
	var b strings.Builder
	z := html.NewTokenizer(bytes.NewReader(src))
	raw := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.Join(strings.Fields(b.String()), " ")
		case html.TextToken:
			if !raw {
				b.Write(z.Text())
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			raw = string(name) == "script" || string(name) == "style"
			if !raw {
				switch string(name) {
				case "b", "i", "a", "span", "em", "strong", "u", "font", "abbr":
				default:
					b.WriteByte(' ')
				}
			}
		case html.EndTagToken:
			raw = false
		}
	}
}

// Find gives the elements whose start tag match accepts, in order. Elements
// inside a found one are not looked at.
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
	z := html.NewTokenizer(bytes.NewReader(page))
	at := 0
	var open *Element
	from, depth := 0, 0
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if open != nil { // never closed: it reaches to the end
				open.Inner, open.End = page[from:], len(page)
				found = append(found, *open)
			}
			return found
		}
		start := at
		at += len(z.Raw())
		if at > len(page) {
			at = len(page)
		}
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			if open != nil {
				if kind == html.StartTagToken && string(name) == open.Tag && !void(open.Tag) {
					depth++
				}
				continue
			}
			tag := string(name)
			var attrs Attrs
			for more {
				var k, v []byte
				k, v, more = z.TagAttr()
				attrs = append(attrs, html.Attribute{Key: string(k), Val: string(v)})
			}
			if !match(tag, attrs) {
				continue
			}
			e := Element{Tag: tag, Attrs: attrs, Start: start, End: at}
			if kind == html.SelfClosingTagToken && void(tag) || void(tag) {
				found = append(found, e)
				if limit > 0 && len(found) >= limit {
					return found
				}
				continue
			}
			open, from, depth = &e, at, 1
		case html.EndTagToken:
			if open == nil {
				continue
			}
			name, _ := z.TagName()
			if string(name) != open.Tag {
				continue
			}
			if depth--; depth == 0 {
				open.Inner, open.End = page[from:start], at
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
