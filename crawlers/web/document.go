package web

import (
	"bytes"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/refrain-archive/refrain/internal/htmltext"
)

// A pair is a named value of a page, the name in lower case.
type pair struct{ name, value string }

// A document is what one walk over a page gathers, in document order: all that
// its markup states outright. Which of it becomes a field of the post is
// decided in article.go.
type document struct {
	address *url.URL // that answered
	base    *url.URL // that relative links are resolved against

	lang, title, h1 string
	meta            []pair   // name, property or itemprop of <meta>
	prop            []pair   // microdata and microformats of the body: itemprop=X, rel=author, rel=tag, class dt-published …
	itemtypes       []string // schema.org types of microdata, without their prefix
	times           []timeMark
	ld              []string // JSON-LD scripts

	canonical, next string
	feeds           []Feed
	links           []string // absolute, each once, without fragment
	seen            map[string]bool

	refresh  string // content of <meta http-equiv=refresh>
	scripts  int    // bytes of script
	noscript string // beginning of the longest noscript text
	shell    bool   // an empty element that a script is to fill: id root, app, __next …
	body     *html.Node
}

type timeMark struct {
	value     string
	published bool // the markup says that this is when the page was published
	article   bool // stands within <article> or <main>
}

// A Feed is a feed that a page names.
type Feed struct {
	URL   string
	Type  string // media type as the page states it
	Title string
}

// maxLinks bounds the links kept of one page; maxValue the bytes of one value.
const (
	maxLinks = 5000
	maxValue = 4096
)

func newDocument(address *url.URL) *document {
	return &document{address: address, base: address, seen: map[string]bool{}}
}

// gather walks the page. The parser bounds the depth at 512 elements.
func (d *document) gather(root *html.Node) {
	d.walk(root, place{})
}

// place is where in the page the walk is.
type place struct {
	article, svg bool
}

func (d *document) walk(n *html.Node, in place) {
	if n.Type == html.ElementNode {
		if n.Namespace != "" {
			in.svg = true
		} else if !d.element(n, &in) {
			return
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			d.walk(c, in)
		}
	}
}

// element takes what n states, and says whether to go into it.
func (d *document) element(n *html.Node, in *place) bool {
	switch n.DataAtom {
	case atom.Html:
		d.lang = strings.TrimSpace(firstOf(htmltext.Attr(n, "lang"), attrNS(n, "xml:lang"), attrNS(n, "lang")))
	case atom.Body:
		d.body = n
	case atom.Base:
		d.setBase(htmltext.Attr(n, "href"))
	case atom.Title:
		if d.title == "" && !in.svg {
			d.title = squeeze(textOf(n, maxValue))
		}
		return false
	case atom.Meta:
		d.addMeta(n)
		return false
	case atom.Link:
		d.addLink(n)
		return false
	case atom.Script:
		d.addScript(n)
		return false
	case atom.Noscript:
		if text := squeeze(textOf(n, 1024)); len(text) > len(d.noscript) {
			d.noscript = text
		}
		return false
	case atom.Style, atom.Template:
		return false
	case atom.H1:
		if d.h1 == "" {
			d.h1 = squeeze(textOf(n, maxValue))
		}
	case atom.Article, atom.Main:
		in.article = true
	case atom.Time:
		d.addTime(n, in.article)
	case atom.A, atom.Area:
		d.addHref(htmltext.Attr(n, "href"))
	case atom.Div:
		if n.FirstChild == nil || n.FirstChild.NextSibling == nil && n.FirstChild.Type == html.TextNode && strings.TrimSpace(n.FirstChild.Data) == "" {
			switch htmltext.Attr(n, "id") {
			case "root", "app", "__next", "__nuxt", "react-root", "main-app", "q-app", "svelte", "ember", "gatsby", "___gatsby", "mount_0_0":
				d.shell = true
			}
		}
	}
	if len(n.Attr) > 0 {
		d.addProps(n)
	}
	return true
}

func (d *document) setBase(href string) {
	if d.base != d.address || href == "" {
		return
	}
	if u, err := url.Parse(strings.TrimSpace(href)); err == nil {
		if abs := d.address.ResolveReference(u); abs.Scheme == "http" || abs.Scheme == "https" {
			d.base = abs
		}
	}
}

func (d *document) addMeta(n *html.Node) {
	var name, content, equiv string
	for _, a := range n.Attr {
		switch a.Key {
		case "name", "property", "itemprop":
			if name == "" {
				name = a.Val
			}
		case "http-equiv":
			equiv = a.Val
		case "content":
			content = a.Val
		}
	}
	d.setMeta(name, equiv, content)
}

func (d *document) setMeta(name, equiv, content string) {
	content = strings.TrimSpace(content)
	if content == "" {
		return
	}
	switch strings.ToLower(equiv) {
	case "refresh":
		if d.refresh == "" {
			d.refresh = content
		}
	case "content-language":
		d.meta = append(d.meta, pair{"content-language", content})
	}
	if name = strings.ToLower(strings.TrimSpace(name)); name != "" && len(content) <= 16*maxValue {
		d.meta = append(d.meta, pair{name, content})
	}
}

func (d *document) addLink(n *html.Node) {
	var rel, href, kind, title string
	for _, a := range n.Attr {
		switch a.Key {
		case "rel":
			rel = strings.ToLower(a.Val)
		case "href":
			href = a.Val
		case "type":
			kind = strings.ToLower(a.Val)
		case "title":
			title = a.Val
		case "itemprop":
			if rel == "" {
				rel = "itemprop " + strings.ToLower(a.Val)
			}
		}
	}
	d.setLink(rel, href, kind, title)
}

func (d *document) setLink(rel, href, kind, title string) {
	if href == "" || rel == "" {
		return
	}
	for r := range strings.FieldsSeq(rel) {
		switch r {
		case "canonical":
			if to, ok := htmltext.Resolve(href, d.address); ok && d.canonical == "" {
				d.canonical = to
			}
		case "next":
			if to, ok := htmltext.Resolve(href, d.base); ok && d.next == "" {
				d.next = to
			}
		case "alternate":
			if isFeedType(kind) {
				if to, ok := htmltext.Resolve(href, d.base); ok && len(d.feeds) < 20 {
					d.feeds = append(d.feeds, Feed{URL: to, Type: kind, Title: title})
				}
			}
		}
	}
}

func isFeedType(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	switch strings.TrimSpace(kind) {
	case "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json":
		return true
	}
	return false
}

func (d *document) addScript(n *html.Node) {
	if n.FirstChild == nil {
		d.scripts += 1000 // fetched from elsewhere
		return
	}
	kind := strings.ToLower(strings.TrimSpace(htmltext.Attr(n, "type")))
	if strings.HasPrefix(kind, "application/ld+json") && len(d.ld) < 50 {
		d.ld = append(d.ld, n.FirstChild.Data)
		return
	}
	d.scripts += len(n.FirstChild.Data)
}

func (d *document) addTime(n *html.Node, article bool) {
	if len(d.times) >= 50 {
		return
	}
	value := strings.TrimSpace(htmltext.Attr(n, "datetime"))
	if value == "" {
		value = squeeze(textOf(n, 100))
	}
	if value == "" {
		return
	}
	mark := timeMark{value: value, article: article}
	for _, a := range n.Attr {
		v := strings.ToLower(a.Val)
		switch a.Key {
		case "pubdate":
			mark.published = true
		case "itemprop":
			mark.published = mark.published || v == "datepublished"
			if v == "datemodified" {
				d.prop = append(d.prop, pair{"datemodified", value})
				return
			}
		case "class":
			if hasWord(v, "updated", "dt-updated", "modified") && !hasWord(v, "published", "dt-published") {
				d.prop = append(d.prop, pair{"datemodified", value})
				return
			}
			mark.published = mark.published || hasWord(v, "published", "dt-published", "entry-date", "pubdate", "post-date", "article-date")
		}
	}
	d.times = append(d.times, mark)
}

// addProps takes microdata, microformats and link relations of an element.
func (d *document) addProps(n *html.Node) {
	for _, a := range n.Attr {
		switch a.Key {
		case "itemtype":
			if i := strings.LastIndexByte(a.Val, '/'); i >= 0 && strings.Contains(a.Val, "schema.org") && len(d.itemtypes) < 20 {
				d.itemtypes = append(d.itemtypes, a.Val[i+1:])
			}
		case "itemprop":
			d.addItemprop(n, strings.ToLower(a.Val))
		case "rel":
			if n.DataAtom != atom.A && n.DataAtom != atom.Area {
				continue
			}
			v := strings.ToLower(a.Val)
			switch {
			case hasWord(v, "author"):
				d.addProp("author", textOf(n, 200))
				if to, ok := htmltext.Resolve(htmltext.Attr(n, "href"), d.base); ok {
					d.addProp("author url", to)
				}
			case hasWord(v, "tag"):
				d.addProp("tag", textOf(n, 200))
			case hasWord(v, "next"):
				if to, ok := htmltext.Resolve(htmltext.Attr(n, "href"), d.base); ok && d.next == "" {
					d.next = to
				}
			}
		case "class":
			switch v := strings.ToLower(a.Val); {
			case n.DataAtom != atom.Time && len(v) < 200 && hasWord(v, "dt-published", "published"):
				if t := firstOf(htmltext.Attr(n, "datetime"), htmltext.Attr(n, "title")); t != "" {
					d.addProp("datepublished", t)
				}
			case len(v) < 200 && hasWord(v, "p-author"):
				d.addProp("author", textOf(n, 200))
			}
		}
	}
}

func (d *document) addItemprop(n *html.Node, name string) {
	switch name {
	case "datepublished", "datecreated", "datemodified":
		if n.DataAtom != atom.Time {
			d.addProp(name, firstOf(htmltext.Attr(n, "content"), htmltext.Attr(n, "datetime"), textOf(n, 100)))
		}
	case "author", "headline", "name":
		if name == "author" && hasAttr(n, "itemscope") {
			isName := func(c *html.Node) bool { return strings.EqualFold(htmltext.Attr(c, "itemprop"), "name") }
			if inner := find(n, isName); inner != nil {
				d.addProp(name, firstOf(htmltext.Attr(inner, "content"), textOf(inner, 200)))
				return
			}
		}
		d.addProp(name, firstOf(htmltext.Attr(n, "content"), textOf(n, 200)))
	}
}

func (d *document) addProp(name, value string) {
	if value = squeeze(value); value != "" && len(d.prop) < 200 {
		d.prop = append(d.prop, pair{name, value})
	}
}

// addHref keeps the absolute form of a link, without its fragment.
func (d *document) addHref(href string) {
	if len(d.links) >= maxLinks {
		return
	}
	href = strings.TrimSpace(href)
	if i := strings.IndexByte(href, '#'); i >= 0 {
		href = href[:i]
	}
	if href == "" {
		return
	}
	to, ok := htmltext.Resolve(href, d.base)
	if !ok || d.seen[to] {
		return
	}
	d.seen[to] = true
	d.links = append(d.links, to)
}

// first gives the value of the first of names that the head has.
func (d *document) first(names ...string) string {
	for _, name := range names {
		for _, m := range d.meta {
			if m.name == name {
				return m.value
			}
		}
	}
	return ""
}

func (d *document) firstProp(name string) string {
	for _, p := range d.prop {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// textOf is the text under n, at most limit bytes of it.
func textOf(n *html.Node, limit int) string {
	if c := n.FirstChild; c != nil && c.NextSibling == nil && c.Type == html.TextNode {
		return cut(c.Data, limit)
	}
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil && b.Len() < limit; c = c.NextSibling {
			switch c.Type {
			case html.TextNode:
				b.WriteString(c.Data)
			case html.ElementNode:
				switch c.DataAtom {
				case atom.Script, atom.Style:
				case atom.Br:
					b.WriteByte(' ')
				default:
					walk(c)
				}
			}
		}
	}
	walk(n)
	return cut(b.String(), limit)
}

// cut shortens s to at most limit bytes, at the end of a letter.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xc0 == 0x80 {
		limit--
	}
	return s[:limit]
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func firstOf(values ...string) string {
	for _, v := range values {
		if strings.TrimSpace(v) != "" {
			return v
		}
	}
	return ""
}

func attrNS(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

// hasWord reports whether one of the words of list, parted by white space, is
// one of words.
func hasWord(list string, words ...string) bool {
	for w := range strings.FieldsSeq(list) {
		for _, x := range words {
			if w == x {
				return true
			}
		}
	}
	return false
}

func find(n *html.Node, f func(*html.Node) bool) *html.Node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		if f(c) {
			return c
		}
		if found := find(c, f); found != nil {
			return found
		}
	}
	return nil
}

// scan gathers what following links needs with the tokenizer alone: no tree, no
// text. It also serves pages that are nested too deep to be parsed; then text
// is wanted, of all that is not script or style.
func (d *document) scan(body []byte, wantText bool) string {
	if !wantText && d.scanLinks(body) {
		return ""
	}
	var text strings.Builder
	z := html.NewTokenizer(bytes.NewReader(body))
	skip := 0 // inside script, style
	inTitle := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(text.String())
		case html.TextToken:
			switch {
			case inTitle && d.title == "":
				d.title = squeeze(cut(string(z.Text()), maxValue))
			case wantText && skip == 0 && !inTitle:
				text.WriteString(strings.TrimLeft(string(z.Text()), "\r\n\t"))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.Script, atom.Style:
				skip = 0
			case atom.Title:
				inTitle = false
			case atom.P, atom.Div, atom.Li, atom.H1, atom.H2, atom.H3, atom.Tr, atom.Blockquote:
				if wantText && text.Len() > 0 {
					text.WriteByte('\n')
				}
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			tag := atom.Lookup(name)
			switch tag {
			case atom.Script, atom.Style:
				skip = 1
				continue
			case atom.Title:
				inTitle = d.title == ""
				continue
			case atom.A, atom.Area, atom.Base, atom.Link, atom.Meta, atom.Html:
			case atom.Br:
				if wantText {
					text.WriteByte('\n')
				}
				continue
			default:
				continue
			}
			d.takeTag(tag, func(yield func(k, v []byte) bool) {
				for more {
					var k, v []byte
					if k, v, more = z.TagAttr(); !yield(k, v) {
						return
					}
				}
			})
		}
	}
}
