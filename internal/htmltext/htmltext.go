// Package htmltext turns the HTML of a post into the text a reader sees, with
// its line breaks, and lists its links and media. Nothing is normalised beyond
// what a browser does: runs of white space become one space outside <pre>.
package htmltext

import (
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/refrain-archive/refrain/post"
)

// Content is what a piece of HTML shows.
type Content struct {
	Text  string       // paragraphs parted by an empty line, <br> and list items by one line feed
	Links []string     // absolute http(s) targets of <a href>, in order, each once
	Media []post.Media // <img>, <video>, <audio>, and frames whose address names a player, in order, each URL once
}

// Fragment reads HTML as it stands inside a post: not a whole document. Links
// are resolved against base; a nil base keeps absolute ones only. It does not
// fail: whatever the bytes, a browser shows something.
func Fragment(src string, base *url.URL) Content {
	if strings.IndexByte(src, '<') < 0 && strings.IndexByte(src, 0) < 0 {
		w := walker{}
		w.write(html.UnescapeString(src), false) // text only: no tree is needed
		return Content{Text: strings.TrimSpace(w.text.String())}
	}
	return parsed(src, base)
}

func parsed(src string, base *url.URL) Content {
	context := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(src), context)
	if err != nil { // only on nesting beyond the parser's limit
		return Content{Text: strings.TrimSpace(stripTags(src))}
	}
	return Nodes(nodes, base)
}

// Nodes reads parsed HTML.
func Nodes(nodes []*html.Node, base *url.URL) Content {
	w := walker{base: base, links: map[string]bool{}, media: map[string]bool{}}
	for _, n := range nodes {
		w.walk(n, false)
	}
	w.c.Text = strings.TrimSpace(w.text.String())
	return w.c
}

// Attr is the value of n's attribute name, "" if it has none.
func Attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

// Resolve makes href absolute against base and reports whether it is an
// http(s) address.
func Resolve(href string, base *url.URL) (string, bool) {
	href = strings.TrimSpace(href)
	if base != nil && plainPath(href) && plainBase(base) {
		return base.Scheme + "://" + base.Host + href, true
	}
	u, err := url.Parse(href)
	if err != nil {
		return "", false
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", false
	}
	return u.String(), true
}

// plainPath reports whether href is an absolute path, perhaps with a query, in
// which nothing is to be decoded, encoded or resolved: most links within a site.
func plainPath(href string) bool {
	if len(href) == 0 || href[0] != '/' || len(href) > 1 && href[1] == '/' {
		return false
	}
	query := false
	for i := 1; i < len(href); i++ {
		switch c := href[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == '.':
			if !query && href[i-1] == '/' {
				return false // a step up, it may be
			}
		case c == '/', c == '=' && query, c == '&' && query:
		case c == '?' && !query && i+1 < len(href):
			query = true
		default:
			return false
		}
	}
	return true
}

// plainBase reports whether base is an http(s) address whose host is written as
// it is.
func plainBase(base *url.URL) bool {
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.Opaque != "" {
		return false
	}
	for i := range len(base.Host) {
		if c := base.Host[i]; !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':') {
			return false
		}
	}
	return true
}

type walker struct {
	base         *url.URL
	text         strings.Builder
	newlines     int  // line feeds owed before the next word
	space        bool // a space is owed before the next word
	c            Content
	links, media map[string]bool
}

func (w *walker) walk(n *html.Node, pre bool) {
	switch n.Type {
	case html.TextNode:
		w.write(n.Data, pre)
		return
	case html.DocumentNode:
	case html.ElementNode:
		switch n.DataAtom {
		case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Head, atom.Object:
			return
		case atom.Br:
			w.newlines++
			return
		case atom.Pre, atom.Textarea:
			pre = true
		case atom.A:
			if to, ok := Resolve(Attr(n, "href"), w.base); ok && !w.links[to] {
				w.links[to] = true
				w.c.Links = append(w.c.Links, to)
			}
		case atom.Img:
			w.addMedia(n, post.MediaImage)
		case atom.Video:
			w.addMedia(n, post.MediaVideo)
		case atom.Audio:
			w.addMedia(n, post.MediaAudio)
		case atom.Iframe, atom.Embed:
			w.addMedia(n, post.MediaVideo)
			return
		}
	default:
		return
	}
	gap := gaps[n.DataAtom]
	if n.Type != html.ElementNode {
		gap = 0
	}
	w.owe(gap)
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		w.walk(child, pre)
	}
	w.owe(gap)
	if n.DataAtom == atom.Td || n.DataAtom == atom.Th {
		w.space = true
	}
}

// gaps is the number of line feeds around an element.
var gaps = map[atom.Atom]int{
	atom.P: 2, atom.Blockquote: 2, atom.H1: 2, atom.H2: 2, atom.H3: 2, atom.H4: 2, atom.H5: 2, atom.H6: 2,
	atom.Ul: 2, atom.Ol: 2, atom.Dl: 2, atom.Pre: 2, atom.Table: 2, atom.Figure: 2, atom.Hr: 2, atom.Section: 2, atom.Article: 2,
	atom.Div: 1, atom.Li: 1, atom.Dt: 1, atom.Dd: 1, atom.Tr: 1, atom.Figcaption: 1, atom.Header: 1, atom.Footer: 1, atom.Aside: 1, atom.Main: 1, atom.Nav: 1, atom.Form: 1, atom.Address: 1, atom.Center: 1, atom.Details: 1, atom.Summary: 1,
}

func (w *walker) owe(n int) { w.newlines = max(w.newlines, n) }

func (w *walker) write(s string, pre bool) {
	if pre {
		if strings.TrimSpace(s) != "" {
			w.flush()
			w.text.WriteString(s)
		}
		return
	}
	for len(s) > 0 {
		i := 0
		for i < len(s) && !isSpace(s[i]) {
			i++
		}
		if i > 0 {
			w.flush()
			w.text.WriteString(s[:i])
			s = s[i:]
			continue
		}
		w.space = true
		s = s[1:]
	}
}

// isSpace reports whether c is white space as HTML defines it.
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }

func (w *walker) flush() {
	switch {
	case w.text.Len() == 0:
	case w.newlines > 0:
		for range w.newlines {
			w.text.WriteByte('\n')
		}
	case w.space:
		w.text.WriteByte(' ')
	}
	w.newlines, w.space = 0, false
}

func (w *walker) addMedia(n *html.Node, kind string) {
	src := Attr(n, "src")
	if src == "" {
		src = Attr(n, "data-src")
	}
	if src == "" && (kind == post.MediaVideo || kind == post.MediaAudio) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.DataAtom == atom.Source && Attr(c, "src") != "" {
				src = Attr(c, "src")
				break
			}
		}
	}
	to, ok := Resolve(src, w.base)
	if src == "" || !ok || w.media[to] {
		return
	}
	width, height := size(Attr(n, "width")), size(Attr(n, "height"))
	if kind == post.MediaImage && width == 1 && height == 1 {
		return // a counting pixel, not a picture
	}
	w.media[to] = true
	alt := Attr(n, "alt")
	if alt == "" {
		alt = Attr(n, "title")
	}
	w.c.Media = append(w.c.Media, post.Media{Kind: kind, URL: to, Alt: alt, Width: width, Height: height})
}

func size(s string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(s), "px"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func stripTags(s string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.Write(z.Text())
			b.WriteByte(' ')
		}
	}
}
