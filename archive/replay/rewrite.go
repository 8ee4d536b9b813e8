package replay

import (
	"mime"
	"net/http"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"

	"github.com/refrain-archive/refrain/internal/textenc"
)

// A media says how a payload is shown.
type media int

const (
	mediaFile   media = iota // saved
	mediaHTML                // rewritten
	mediaXHTML               // rewritten
	mediaSVG                 // rewritten
	mediaCSS                 // rewritten
	mediaText                // as text
	mediaBinary              // an image, font, sound or moving image: as it is
)

// mediaOf tells what a payload is, from its declared type, from what it is
// wanted as, and, where nothing is declared, from its first bytes.
func mediaOf(contentType string, mod Mod, head []byte) (media, string) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(contentType, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	if kind == "" || kind == "unknown/unknown" || kind == "application/unknown" || kind == "*/*" {
		kind, _, _ = strings.Cut(http.DetectContentType(head), ";")
	}
	if mod == Style && (kind == "text/plain" || kind == "application/octet-stream" || kind == "application/x-css") {
		kind = "text/css"
	}
	switch {
	case kind == "text/html":
		return mediaHTML, kind
	case kind == "application/xhtml+xml" || kind == "application/vnd.wap.xhtml+xml":
		return mediaXHTML, kind
	case kind == "image/svg+xml":
		return mediaSVG, kind
	case kind == "text/css":
		return mediaCSS, kind
	case strings.HasPrefix(kind, "image/"), strings.HasPrefix(kind, "audio/"), strings.HasPrefix(kind, "video/"), strings.HasPrefix(kind, "font/"),
		strings.HasPrefix(kind, "application/font"), strings.HasPrefix(kind, "application/x-font"), kind == "application/vnd.ms-fontobject",
		kind == "application/ogg", kind == "application/vnd.apple.mpegurl", kind == "application/x-mpegurl":
		return mediaBinary, kind
	case strings.HasPrefix(kind, "text/"), strings.HasSuffix(kind, "+xml"), strings.HasSuffix(kind, "/xml"), strings.HasSuffix(kind, "json"),
		strings.HasSuffix(kind, "javascript"), strings.HasSuffix(kind, "ecmascript"), kind == "application/x-www-form-urlencoded", kind == "application/warc-fields",
		kind == "application/x-ndjson":
		return mediaText, kind
	}
	return mediaFile, kind
}

// A Target says where a document that is rewritten stands.
type Target struct {
	Prefix string // what stands before the modifier in a URL of the replay: "/archive/20260131120000"
	URL    string // of the document
	Mod    Mod    // Page; Inner within a frame

	// Asset, if not nil, is told of each file that the document itself names:
	// images, stylesheets, frames.
	Asset func(url string, mod Mod)
}

func (t *Target) linker(charsetName string) linker {
	l := linker{prefix: t.Prefix, asset: t.Asset}
	l.base, _ = parseBase(t.URL)
	if charsetName != "utf-8" && !strings.HasPrefix(charsetName, "utf-16") {
		if e, _ := charset.Lookup(charsetName); e != nil && e != encoding.Nop {
			l.query = e
		}
	}
	return l
}

// AppendHTML appends the HTML document src, of the given Content-Type, as it is
// shown. What it appends is UTF-8.
func AppendHTML(dst, src []byte, contentType string, t Target) []byte {
	return appendDocument(dst, src, contentType, asHTML, &t)
}

func appendDocument(dst, src []byte, contentType string, kind syntax, t *Target) []byte {
	var name string
	if kind == asHTML {
		src, name = textenc.HTML(src, contentType)
	} else {
		src, name = textenc.XML(src, contentType)
	}
	w := htmlWriter{l: t.linker(name), dst: dst, kind: kind, inner: t.Mod == Inner, limit: len(dst) + maxWritten}
	w.run(src)
	return w.dst
}

// AppendSVG is AppendHTML for an SVG image, which stays XML.
func AppendSVG(dst, src []byte, contentType string, t Target) []byte {
	return appendDocument(dst, src, contentType, asSVG, &t)
}

// AppendXHTML is AppendHTML for a document in XML syntax. What it appends is
// HTML.
func AppendXHTML(dst, src []byte, contentType string, t Target) []byte {
	return appendDocument(dst, src, contentType, asXHTML, &t)
}

// AppendCSS appends the stylesheet src as it is shown. What it appends is UTF-8.
func AppendCSS(dst, src []byte, contentType string, t Target) []byte {
	if name := cssCharset(src); name != "" && !strings.Contains(strings.ToLower(contentType), "charset") {
		contentType = "text/css; charset=" + name
	}
	src, name := textenc.Text(src, contentType)
	l := t.linker(name)
	l.query = nil // URLs in stylesheets are always UTF-8
	return l.appendCSS(dst, src, false)
}

// cssCharset gives the charset that an @charset rule declares. It counts only at
// the very start, in exactly this form.
func cssCharset(src []byte) string {
	rest, ok := strings.CutPrefix(string(src[:min(len(src), 120)]), `@charset "`)
	if !ok {
		return ""
	}
	name, _, ok := strings.Cut(rest, `";`)
	if !ok {
		return ""
	}
	return name
}

// appendText appends text as UTF-8.
func appendText(dst, src []byte, contentType string) []byte {
	src, _ = textenc.Text(src, contentType)
	return append(dst, src...)
}
