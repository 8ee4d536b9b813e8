package replay

import (
	"bytes"
	"strconv"
	"strings"
)

// frame takes an iframe or a frame.
func (w *htmlWriter) frame(src []byte, i int, closed bool) int {
	w.shows = true
	iframe := string(w.name) == "iframe"
	name := w.name
	w.begin(name)
	doc := w.get("srcdoc")
	for k := range w.attrs {
		a := &w.attrs[k]
		switch string(a.name) {
		case "src":
			if len(doc) > 0 {
				continue
			}
			w.value = unescapeAttr(w.value[:0], a.value)
			w.url([]byte("src"), w.value, Inner, false)
		case "id", "class", "name", "width", "height", "style", "title", "frameborder", "scrolling", "marginwidth", "marginheight", "noresize", "bordercolor", "align", "loading", "hidden", "aria-label":
			w.attr(a)
		}
	}
	if iframe && len(doc) > 0 && w.depth < maxSrcdoc {
		nested := htmlWriter{l: w.l, inner: true, depth: w.depth + 1, limit: maxWritten / 8}
		nested.run(unescapeAttr(nil, doc))
		w.cut = w.cut || nested.cut
		w.dst = append(w.dst, ` srcdoc="`...)
		w.dst = append(appendEscaped(w.dst, nested.dst), '"')
	}
	w.dst = append(w.dst, '>')
	if !iframe {
		return i
	}
	w.dst = append(w.dst, "</iframe>"...)
	if closed {
		return i
	}
	_, tag := rawEnd(src, i, "iframe")
	return w.skip(src, tag)
}

// decoded gives an attribute's value with character references decoded. It is
// valid until the next call.
func (w *htmlWriter) decoded(name string) []byte {
	w.value = unescapeAttr(w.value[:0], w.get(name))
	return w.value
}

// meta keeps what describes the page. A forward to another page is told to the
// reader instead of being followed.
func (w *htmlWriter) meta() {
	if w.has("http-equiv") {
		if strings.EqualFold(strings.TrimSpace(string(w.decoded("http-equiv"))), "refresh") {
			w.refresh(string(w.decoded("content")))
		}
		return
	}
	if !w.has("name") && !w.has("property") || bytes.EqualFold(bytes.TrimSpace(w.decoded("name")), []byte("referrer")) {
		return
	}
	w.open(w.slash)
}

// refresh notes that the page forwards: "5; url=/next".
func (w *htmlWriter) refresh(content string) {
	content = strings.TrimLeft(content, " \t\r\n\f")
	n := 0
	for n < len(content) && ('0' <= content[n] && content[n] <= '9' || content[n] == '.') {
		n++
	}
	seconds, _ := strconv.Atoi(content[:min(n, 6)])
	target := strings.TrimLeft(content[n:], " \t\r\n\f;,")
	if len(target) > 3 && strings.EqualFold(target[:3], "url") {
		if after, ok := strings.CutPrefix(strings.TrimLeft(target[3:], " \t\r\n\f"), "="); ok {
			target = strings.TrimLeft(after, " \t\r\n\f")
		}
	}
	if target != "" && (target[0] == '"' || target[0] == '\'') {
		quote := target[:1]
		target, _, _ = strings.Cut(target[1:], quote)
	}
	if target == "" {
		return // it only loads itself again
	}
	w.note("This page forwards, after "+strconv.Itoa(seconds)+" s, to ", []byte(target))
}

// note puts a remark of ours with a link at the start of the body.
func (w *htmlWriter) note(what string, target []byte) {
	link, kind := w.l.appendURL(nil, target, w.nav(), false)
	shown := appendEscaped(nil, bytes.ToValidUTF8(target[:min(len(target), 500)], nil))
	n := append([]byte(nil), `<p style="`+noteStyle+`">[Not followed here. `...)
	n = append(n, what...)
	if kind == refReplay {
		n = append(n, `<a href="`...)
		n = appendEscaped(n, link)
		n = append(n, `" target="_top">`...)
		n = append(append(n, shown...), "</a>"...)
	} else {
		n = append(n, shown...)
	}
	n = append(n, "]</p>"...)
	switch {
	case len(w.notes) > 64<<10:
	case w.body:
		w.dst = append(w.dst, n...)
	default:
		w.notes = append(w.notes, n...)
	}
}

// nav is the modifier of links to pages.
func (w *htmlWriter) nav() Mod {
	if w.inner {
		return Inner
	}
	return Frame
}

// link keeps stylesheets and icons.
func (w *htmlWriter) link() {
	mod := Mod("")
	for rel := range strings.FieldsSeq(strings.ToLower(string(w.decoded("rel")))) {
		switch {
		case !linkRels[rel]:
			return
		case rel == "stylesheet":
			mod = Style
		case rel != "alternate" && mod == "":
			mod = Image
		}
	}
	if mod == "" || !w.has("href") {
		return
	}
	w.begin([]byte("link"))
	for k := range w.attrs {
		a := &w.attrs[k]
		switch string(a.name) {
		case "href":
			w.value = unescapeAttr(w.value[:0], a.value)
			w.url([]byte("href"), w.value, mod, true)
		case "rel", "type", "media", "title", "sizes", "disabled", "id":
			w.attr(a)
		}
	}
	w.finish(w.kind != asHTML)
}

// setBase makes the first base element the one that later references are
// resolved against.
func (w *htmlWriter) setBase() {
	if w.based || !w.has("href") {
		return
	}
	w.based = true
	l := linker{base: w.l.base, query: w.l.query}
	resolved, kind := l.appendURL(nil, w.decoded("href"), Raw, false)
	if kind != refReplay {
		return
	}
	if b, ok := parseBase(strings.TrimPrefix(string(resolved), string(Raw)+"/")); ok {
		w.l.base = b
	}
}

// object names what is embedded. An image is shown as one.
func (w *htmlWriter) object() {
	which := "data"
	if string(w.name) == "embed" {
		which = "src"
	}
	if len(w.get(which)) == 0 {
		return
	}
	image := strings.HasPrefix(strings.ToLower(strings.TrimSpace(string(w.decoded("type")))), "image/")
	target := w.decoded(which)
	if image {
		w.begin([]byte("img"))
		w.url([]byte("src"), target, Image, true)
		for k := range w.attrs {
			if a := &w.attrs[k]; string(a.name) == "width" || string(a.name) == "height" || string(a.name) == "class" || string(a.name) == "style" {
				w.attr(a)
			}
		}
		w.dst = append(w.dst, '>')
		return
	}
	if w.noted == string(target) {
		return
	}
	w.noted = string(target)
	link, kind := w.l.appendURL(nil, target, Frame, false)
	w.dst = append(w.dst, `<span>[embedded object, not shown`...)
	if kind == refReplay {
		w.dst = append(w.dst, `: <a href="`...)
		w.dst = appendEscaped(w.dst, link)
		w.dst = append(w.dst, `" target="_top">`...)
		w.dst = appendEscaped(w.dst, bytes.ToValidUTF8(target[:min(len(target), 500)], nil))
		w.dst = append(w.dst, `</a>`...)
	}
	w.dst = append(w.dst, `]</span>`...)
}
