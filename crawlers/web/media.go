package web

import (
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/post"
)

// maxMedia bounds the media kept of one page.
const maxMedia = 500

// A gallery lists media, each address once.
type gallery struct {
	base  *url.URL
	media []post.Media
	at    map[string]int
}

func newGallery(base *url.URL) *gallery { return &gallery{base: base, at: map[string]int{}} }

func (g *gallery) add(m post.Media) {
	to := absolute(strings.TrimSpace(m.URL), g.base)
	if to == "" || len(g.media) >= maxMedia {
		return
	}
	m.URL = to
	if i, ok := g.at[to]; ok { // og:image and the same picture in the text: what both say
		known := &g.media[i]
		known.Alt = firstOf(known.Alt, m.Alt)
		if known.Width == 0 {
			known.Width, known.Height = m.Width, m.Height
		}
		return
	}
	g.at[to] = len(g.media)
	g.media = append(g.media, m)
}

// head adds what the page's head shows: og:image and og:video with the fields
// that follow them, twitter:image, and images of JSON-LD where there is neither.
func (g *gallery) head(meta []pair, ld linkedData) {
	var open *post.Media
	flush := func() {
		if open != nil {
			g.add(*open)
			open = nil
		}
	}
	for _, m := range meta {
		field, ok := strings.CutPrefix(m.name, "og:")
		if !ok {
			continue
		}
		switch field {
		case "image", "image:url", "video", "video:url", "audio", "audio:url":
			kind, _, again := strings.Cut(field, ":")
			if again && open != nil && open.Kind == kind { // og:image:url says og:image once more
				continue
			}
			flush()
			open = &post.Media{Kind: kind, URL: m.value}
		case "image:alt", "video:alt":
			if open != nil {
				open.Alt = m.value
			}
		case "image:width", "video:width":
			if open != nil {
				open.Width = pixels(m.value)
			}
		case "image:height", "video:height":
			if open != nil {
				open.Height = pixels(m.value)
			}
		case "video:duration":
			if seconds, err := strconv.ParseFloat(m.value, 64); err == nil && open != nil && seconds > 0 && seconds < 1e7 {
				open.Duration = seconds
			}
		}
	}
	flush()
	if len(g.media) > 0 {
		return
	}
	for _, m := range meta {
		if m.name == "twitter:image" || m.name == "twitter:image:src" {
			g.add(post.Media{Kind: post.MediaImage, URL: m.value})
		}
	}
	for _, address := range ld.images {
		g.add(post.Media{Kind: post.MediaImage, URL: address})
	}
}

// content adds the pictures, sound, film and players under n.
func (g *gallery) content(n *html.Node) {
	if n.Type == html.ElementNode {
		switch n.DataAtom {
		case atom.Img:
			g.image(n)
			return
		case atom.Video, atom.Audio:
			g.film(n)
			return
		case atom.Nav, atom.Header, atom.Footer, atom.Aside, atom.Noscript, atom.Template:
			return
		case atom.Iframe:
			if src := firstOf(htmltext.Attr(n, "src"), htmltext.Attr(n, "data-src")); src != "" {
				g.add(post.Media{Kind: post.MediaVideo, URL: src, Alt: squeeze(htmltext.Attr(n, "title")), Width: pixels(htmltext.Attr(n, "width")), Height: pixels(htmltext.Attr(n, "height"))})
			}
			return
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			g.content(c)
		}
	}
}

// image adds an <img> by its biggest source: of its own srcset, of the <source>
// elements of a <picture> around it, of the attributes that lazy loading uses.
func (g *gallery) image(n *html.Node) {
	var best string
	var width int
	consider := func(srcset string) {
		if address, w := biggest(srcset); address != "" && w > width {
			best, width = address, w
		}
	}
	var src, lazy string
	m := post.Media{Kind: post.MediaImage}
	for _, a := range n.Attr {
		switch a.Key {
		case "src":
			src = a.Val
		case "data-src", "data-lazy-src", "data-original", "data-orig-file", "data-hi-res-src", "data-full-src", "data-url", "data-image":
			if lazy == "" && !strings.HasPrefix(a.Val, "data:") {
				lazy = a.Val
			}
		case "srcset", "data-srcset", "data-lazy-srcset":
			consider(a.Val)
		case "alt":
			m.Alt = squeeze(a.Val)
		case "width":
			m.Width = pixels(a.Val)
		case "height":
			m.Height = pixels(a.Val)
		}
	}
	if p := n.Parent; p != nil && p.DataAtom == atom.Picture {
		for c := p.FirstChild; c != nil; c = c.NextSibling {
			if c.DataAtom == atom.Source {
				consider(firstOf(htmltext.Attr(c, "srcset"), htmltext.Attr(c, "data-srcset")))
			}
		}
	}
	if m.Width == 1 && m.Height == 1 {
		return // a counting pixel
	}
	if m.Alt == "" {
		m.Alt = squeeze(htmltext.Attr(n, "title"))
	}
	m.URL = firstOf(best, lazy, src)
	if strings.HasPrefix(m.URL, "data:") || best != "" && strings.HasPrefix(best, "data:") {
		m.URL = firstOf(lazy)
	}
	if best != "" && m.URL == best && best != src { // width and height are of the box in the page
		m.Width, m.Height = 0, 0
		if width > 0 && width < 1<<20 {
			m.Width = width
		}
	}
	g.add(m)
}

func (g *gallery) film(n *html.Node) {
	kind := post.MediaVideo
	if n.DataAtom == atom.Audio {
		kind = post.MediaAudio
	}
	src := firstOf(htmltext.Attr(n, "src"), htmltext.Attr(n, "data-src"))
	for c := n.FirstChild; c != nil && src == ""; c = c.NextSibling {
		if c.DataAtom == atom.Source {
			src = htmltext.Attr(c, "src")
		}
	}
	if src != "" {
		g.add(post.Media{Kind: kind, URL: src, Width: pixels(htmltext.Attr(n, "width")), Height: pixels(htmltext.Attr(n, "height"))})
	}
	if poster := htmltext.Attr(n, "poster"); poster != "" {
		g.add(post.Media{Kind: post.MediaImage, URL: poster})
	}
}

// biggest gives the widest candidate of a srcset, and its width: as stated
// ("800w"), or by its density ("2x"), which ranks but is no width.
func biggest(srcset string) (address string, width int) {
	rest := srcset
	for rest = strings.TrimLeft(rest, " \t\r\n,"); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n,") {
		end := strings.IndexAny(rest, " \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		candidate := rest[:end]
		rest = rest[end:]
		descriptor := ""
		if trimmed := strings.TrimRight(candidate, ","); trimmed != candidate { // no descriptor
			candidate = trimmed
		} else if comma := strings.IndexByte(rest, ','); comma >= 0 {
			descriptor, rest = strings.TrimSpace(rest[:comma]), rest[comma+1:]
		} else {
			descriptor, rest = strings.TrimSpace(rest), ""
		}
		w := 1
		if n, ok := strings.CutSuffix(descriptor, "w"); ok {
			w = pixels(n)
		} else if n, ok := strings.CutSuffix(descriptor, "x"); ok {
			if x, err := strconv.ParseFloat(n, 64); err == nil && x > 0 && x < 100 {
				w = int(x * 10)
			}
		}
		if w > width && candidate != "" {
			address, width = candidate, w
		}
	}
	return address, width
}

func pixels(s string) int {
	s = strings.TrimSuffix(strings.TrimSpace(s), "px")
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1<<20 {
		return 0
	}
	return n
}
