package engine

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/urlform"
	"github.com/refrain-archive/refrain/post"
)

// The kinds of objects that posts share.
const (
	URL     = "url"     // an address, in its canonical form
	Hashtag = "hashtag" // folded, without its sign
	Media   = "media"   // the address of a picture or clip, without its query
)

// An Object is something that posts share beside their words.
type Object struct {
	Kind string `json:"kind"`
	Key  string `json:"key"`
}

// String gives KIND:KEY.
func (o Object) String() string { return o.Kind + ":" + o.Key }

// Joins reports whether sharing the object can bring posts into one narrative.
// An address that names a whole site does not.
func (o Object) Joins() bool {
	switch o.Kind {
	case URL:
		_, rest, _ := strings.Cut(o.Key, "://")
		_, path, _ := strings.Cut(rest, "/")
		return path != ""
	case Media:
		return true
	}
	return false
}

// maxObjects bounds the objects that are taken of one post, and maxKey the bytes
// of one.
const (
	maxObjects = 200
	maxKey     = 2048
)

// Objects gives what a post carries beside its words, each once: media first,
// then addresses, then hashtags.
func Objects(p *post.Post) []Object {
	var list []Object
	seen := map[Object]bool{}
	add := func(kind, key string) {
		o := Object{kind, key}
		if key == "" || len(key) > maxKey || seen[o] || len(list) >= maxObjects {
			return
		}
		seen[o] = true
		list = append(list, o)
	}
	for _, m := range p.Media {
		add(Media, mediaKey(m.URL))
	}
	for _, raw := range p.Links {
		if u, ok := urlform.CanonicalString(raw); ok {
			add(URL, u)
		}
	}
	for _, u := range addresses(p.Title + "\n" + p.Text) {
		add(URL, u)
	}
	tags := p.Hashtags
	if len(tags) == 0 {
		tags = hashtags.In(p.Title + "\n" + p.Text)
	}
	for _, tag := range tags {
		add(Hashtag, strings.ToLower(norm.NFKC.String(strings.TrimLeft(tag, "#＃"))))
	}
	return list
}

// addresses gives the canonical forms of the addresses that stand in a text.
func addresses(text string) []string {
	var list []string
	for len(list) < maxObjects {
		at := strings.Index(text, "http")
		if at < 0 {
			return list
		}
		text = text[at:]
		if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
			text = text[len("http"):]
			continue
		}
		end := strings.IndexFunc(text, func(r rune) bool {
			return unicode.IsSpace(r) || strings.ContainsRune("<>\"“”«»{}|\\^`…", r)
		})
		if end < 0 {
			end = len(text)
		}
		raw := strings.TrimRight(text[:end], ".,;:!?'’)]")
		// A text that was cut off ends in the middle of its address.
		if cut := strings.HasPrefix(text[end:], "…"); !cut && len(raw) <= maxKey {
			if u, ok := urlform.CanonicalString(raw); ok && !slices.Contains(list, u) {
				list = append(list, u)
			}
		}
		text = text[end:]
	}
	return list
}

// TextOf is the text of a post as it is indexed: its title, an empty line, and
// its text; one of them alone where the other is empty or begins with it.
func TextOf(p *post.Post) string {
	title, body := strings.TrimSpace(p.Title), p.Text
	switch {
	case title == "" || strings.HasPrefix(strings.TrimSpace(body), title):
		return body
	case strings.TrimSpace(body) == "":
		return title
	}
	return title + "\n\n" + body
}
