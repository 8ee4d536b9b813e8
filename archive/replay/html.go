package replay

import (
	"bytes"
	"html"
	"strconv"
	"strings"
)

// Bounds of rewriting. What is larger is not shown but offered as a file.
const (
	MaxDocument = 32 << 20  // bytes of an HTML document, unpacked; no page on the web is near it
	maxWritten  = 128 << 20 // bytes of its rewritten form: a long base URL multiplies
	maxSrcdoc   = 2         // documents within srcdoc within documents
)

// A syntax is what a document is read and written as.
type syntax int

const (
	asHTML  syntax = iota
	asXHTML        // read as XML, written as HTML
	asSVG          // read and written as XML
)

// An htmlWriter rewrites a document. What it writes is made of three things
// only, and so means the same to every parser: tags with a plain name and
// quoted values, text in which no "<" stands, and style elements whose CSS is
// safe as markup too. Whatever in a document is read differently by different
// parsers is decided here, once, and no parser gets to see it.
type htmlWriter struct {
	scanner
	l     linker
	dst   []byte
	kind  syntax
	inner bool // the document stands in a frame
	depth int  // of srcdoc
	limit int  // of bytes written

	foreign int    // open svg and math elements
	begun   bool   // a tag was written: no doctype any more
	body    bool   // the body was begun
	notes   []byte // HTML that is to stand at the start of the body
	noted   string // the object that was named last
	based   bool   // there was a base element
	cut     bool   // it was too much
	shows   bool   // there is text, or a picture
	scripts int    // bytes of scripts that were left out
	value   []byte // scratch
	set     []byte // scratch
	element *element
}

// run rewrites src, which is UTF-8.
func (w *htmlWriter) run(src []byte) {
	for i := 0; i < len(src); {
		if len(w.dst) > w.limit {
			w.cut = true
			break
		}
		lt := bytes.IndexByte(src[i:], '<')
		if lt < 0 {
			w.sees(src[i:])
			w.text(src[i:])
			break
		}
		if lt > 0 {
			w.sees(src[i : i+lt])
			w.text(src[i : i+lt])
			i += lt
		}
		i = w.markup(src, i)
	}
	w.dst = append(w.dst, w.notes...)
	w.notes = nil
	if !w.shows && w.scripts > 0 && w.depth == 0 && w.kind != asSVG {
		w.dst = append(w.dst, `<p style="`+noteStyle+`">[Nothing is shown: this page is made by its scripts (`+strconv.Itoa((w.scripts+999)/1000)+` kB), which do not run here. ReplayWeb.page runs them; what refrain read from the page, refrain show tells.]</p>`...)
	}
	if w.cut {
		w.dst = append(w.dst, `<p>[The rest of this page is not shown: it is too large. Its bytes are in the archive.]</p>`...)
	}
}

// sees notes whether there is anything to be read.
func (w *htmlWriter) sees(text []byte) {
	if !w.shows {
		w.shows = len(bytes.TrimSpace(text)) > 0
	}
}

// noteStyle is how remarks of ours look in a page.
const noteStyle = "background:#fff8c4;color:#222;font:14px/1.4 sans-serif;border:1px solid #b59b00;padding:6px 10px;margin:4px"

// text writes a piece of text in which no "<" stands.
func (w *htmlWriter) text(b []byte) {
	if w.kind == asSVG && bytes.IndexByte(b, '&') >= 0 {
		w.dst = appendEscaped(w.dst, []byte(html.UnescapeString(string(b))))
		return
	}
	if bytes.IndexByte(b, 0) >= 0 {
		b = bytes.ReplaceAll(b, []byte{0}, nil)
	}
	w.dst = append(w.dst, b...)
}

// appendEscaped appends b as text or as an attribute's value.
func appendEscaped(dst, b []byte) []byte {
	for {
		i := bytes.IndexAny(b, "&<>\"\x00")
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		switch b[i] {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '"':
			dst = append(dst, "&#34;"...)
		}
		b = b[i+1:]
	}
}

// markup takes what begins with the "<" at i, and gives the offset behind it.
func (w *htmlWriter) markup(src []byte, i int) int {
	next := byte(0)
	if i+1 < len(src) {
		next = src[i+1]
	}
	switch {
	case 'a' <= next|0x20 && next|0x20 <= 'z' || next == '_' && w.kind != asHTML:
		return w.start(src, i+1)
	case next == '/':
		if i+2 < len(src) && ('a' <= src[i+2]|0x20 && src[i+2]|0x20 <= 'z' || src[i+2] == '_' && w.kind != asHTML) {
			end, ok := w.read(src, i+2)
			if ok {
				w.end()
			}
			return end
		}
		if i+2 >= len(src) {
			w.dst = append(w.dst, "&lt;/"...)
			return len(src)
		}
		return after(src, i, ">")
	case next == '!':
		return w.declaration(src, i)
	case next == '?':
		if w.kind != asHTML {
			return after(src, i, "?>")
		}
		return after(src, i, ">")
	}
	w.dst = append(w.dst, "&lt;"...)
	return i + 1
}

// after gives the offset behind the next mark from i on.
func after(src []byte, i int, mark string) int {
	if j := bytes.Index(src[i:], []byte(mark)); j >= 0 {
		return i + j + len(mark)
	}
	return len(src)
}

// declaration takes comments, doctypes and CDATA sections. Comments are left out.
func (w *htmlWriter) declaration(src []byte, i int) int {
	rest := src[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		return commentEnd(src, i+4)
	case bytes.HasPrefix(rest, []byte("<![CDATA[")) && (w.foreign > 0 || w.kind != asHTML):
		end := bytes.Index(rest, []byte("]]>"))
		if end < 0 {
			end = len(rest)
		}
		w.dst = appendEscaped(w.dst, rest[len("<![CDATA["):end])
		return min(len(src), i+end+3)
	case len(rest) > 9 && bytes.EqualFold(rest[:9], []byte("<!doctype")):
		end := after(src, i, ">")
		if w.kind == asSVG {
			// An internal subset has declarations of its own.
			if j := bytes.IndexByte(src[i:end], '['); j >= 0 {
				end = after(src, after(src, i+j, "]"), ">")
			}
			return end
		}
		if !w.begun {
			w.doctype(src[i:end])
		}
		return end
	}
	return after(src, i, ">")
}

// doctype writes a doctype, which decides by which rules browsers lay out the
// page: as it is where it is of plain characters.
func (w *htmlWriter) doctype(d []byte) {
	w.begun = true
	for _, c := range d[2 : len(d)-1] {
		if !isAlnum(c) && !isSpace(c) && bytes.IndexByte([]byte(`-/.:,+"'=_()`), c) < 0 {
			w.dst = append(w.dst, "<!DOCTYPE html>"...)
			return
		}
	}
	if d[len(d)-1] == '>' {
		w.dst = append(w.dst, d...)
	}
}

// end writes an end tag.
func (w *htmlWriter) end() {
	if !plainName(w.name) || w.name[0] == '_' { // no tag in HTML
		return
	}
	w.element = elementOf(w.name)
	if i := bytes.LastIndexByte(w.name, ':'); i >= 0 {
		if kind := elementOf(w.name[i+1:]).kind; kind != keepTag && kind != svgTag {
			return
		}
	}
	switch w.element.kind {
	case keepTag, formTag, bodyTag, htmlTag:
		if w.kind != asSVG && w.element.void && string(w.name) != "br" {
			return
		}
	case svgTag:
		w.foreign = max(0, w.foreign-1)
	default:
		return
	}
	w.dst = append(w.dst, "</"...)
	w.dst = append(w.dst, w.written()...)
	w.dst = append(w.dst, '>')
}

// written is the tag's name as it is written.
func (w *htmlWriter) written() []byte {
	if w.kind == asSVG {
		return w.as
	}
	return w.name
}

// start takes a start tag whose name begins at i.
func (w *htmlWriter) start(src []byte, i int) int {
	i, ok := w.read(src, i)
	if !ok {
		return i
	}
	if !plainName(w.name) || w.name[0] == '_' {
		return i
	}
	w.begun = true
	w.element = elementOf(w.name)
	kind := w.element.kind
	if kind == keepTag && bytes.IndexByte(w.name, ':') >= 0 {
		// A prefix makes another element of it only in XML: <svg:script>.
		local := w.name[bytes.LastIndexByte(w.name, ':')+1:]
		if k := elementOf(local).kind; k != keepTag && k != svgTag {
			if k == scriptTag && !w.slash {
				_, tag := rawEnd(src, i, string(w.name))
				return w.skip(src, tag)
			}
			return i
		}
	}
	closed := w.slash && (w.foreign > 0 || w.kind != asHTML) // and so without content
	switch kind {
	case keepTag, formTag:
		w.shows = w.shows || w.element.picture
		w.open(closed)
	case htmlTag:
		w.open(closed)
	case bodyTag:
		w.open(false)
		if !w.body {
			w.body = true
			w.dst = append(w.dst, w.notes...)
			w.notes = nil
		}
	case svgTag:
		w.shows = true
		if !closed {
			w.foreign++
		}
		w.open(closed)
	case scriptTag:
		w.scripts++ // one with a src has no bytes here
		if !closed {
			end, tag := scriptEnd(src, i)
			w.scripts += end - i
			return w.skip(src, tag)
		}
	case dropAll:
		if !closed {
			_, tag := rawEnd(src, i, string(w.name))
			return w.skip(src, tag)
		}
	case textTag:
		name := string(w.name)
		end, tag := rawEnd(src, i, name)
		if name == "plaintext" {
			end, tag = len(src), len(src)
		}
		w.dst = append(w.dst, "<pre>"...)
		w.dst = appendEscaped(w.dst, src[i:end])
		w.dst = append(w.dst, "</pre>"...)
		return w.skip(src, tag)
	case rcdataTag:
		return w.rcdata(src, i, closed)
	case styleTag:
		return w.style(src, i, closed)
	case metaTag:
		w.meta()
	case linkTag:
		w.link()
	case baseTag:
		w.setBase()
	case frameTag:
		return w.frame(src, i, closed)
	case objectTag:
		w.object()
	case animateTag:
		name := w.decoded("attributename")
		if name := strings.ToLower(string(bytes.TrimSpace(name))); !strings.Contains(name, "href") && !strings.HasPrefix(name, "on") && name != "src" && name != "style" {
			w.open(closed)
			if !closed {
				w.close()
			}
		}
	}
	return i
}

// skip gives the offset behind the end tag whose name stands at i.
func (w *htmlWriter) skip(src []byte, i int) int {
	if i >= len(src) {
		return len(src)
	}
	end, _ := w.read(src, i)
	return end
}

func (w *htmlWriter) close() {
	w.dst = append(append(append(w.dst, "</"...), w.written()...), '>')
}

// rcdata takes a title or textarea.
func (w *htmlWriter) rcdata(src []byte, i int, closed bool) int {
	if w.kind == asSVG {
		w.open(closed)
		if closed {
			return i
		}
	} else {
		w.open(false)
	}
	if closed {
		w.close()
		return i
	}
	name := string(w.written())
	end, tag := rawEnd(src, i, name)
	text := src[i:end]
	for {
		lt := bytes.IndexByte(text, '<')
		if lt < 0 {
			w.text(text)
			break
		}
		w.text(text[:lt])
		w.dst = append(w.dst, "&lt;"...)
		text = text[lt+1:]
	}
	w.dst = append(append(append(w.dst, "</"...), name...), '>')
	return w.skip(src, tag)
}

// style takes a style element.
func (w *htmlWriter) style(src []byte, i int, closed bool) int {
	if closed {
		return i
	}
	name := string(w.written())
	end, tag := rawEnd(src, i, name)
	css := src[i:end]
	if w.foreign > 0 || w.kind != asHTML {
		css = []byte(html.UnescapeString(string(css)))
		css = bytes.ReplaceAll(bytes.ReplaceAll(css, []byte("<![CDATA["), nil), []byte("]]>"), nil)
	}
	w.open(false)
	w.dst = w.l.appendCSS(w.dst, css, true)
	w.dst = append(append(append(w.dst, "</"...), name...), '>')
	return w.skip(src, tag)
}

// begin writes "<name".
func (w *htmlWriter) begin(name []byte) {
	w.dst = append(append(w.dst, '<'), name...)
}

// finish writes the end of a start tag.
func (w *htmlWriter) finish(slash bool) {
	if slash {
		w.dst = append(w.dst, '/')
	}
	w.dst = append(w.dst, '>')
}
