package replay

import (
	"bytes"
	"html"
	"strings"
)

// open writes a start tag with its attributes.
func (w *htmlWriter) open(closed bool) {
	name := w.written()
	w.begin(name)
	anchor := w.element.anchor
	nav, target := w.nav(), ""
	if anchor {
		nav, target = w.target(nav)
	}
	lazy := w.element.lazy
	src, srcset := false, false
	if lazy {
		src, srcset = w.lazy("src", "data-src", "data-original", "data-lazy-src"), w.lazy("srcset", "data-srcset", "data-lazy-srcset")
	}
	for i := range w.attrs {
		a := &w.attrs[i]
		if len(a.value) == 0 && len(a.name) < 2 {
			continue
		}
		kind := attrKinds[string(a.name)]
		if kind == keepAttr {
			w.attr(a)
			continue
		}
		switch kind {
		case urlAttr:
			if src && string(a.name) == "src" {
				continue
			}
			w.value = unescapeAttr(w.value[:0], a.value)
			w.url(w.attrName(a), w.value, Image, true)
		case pageAttr:
			w.value = unescapeAttr(w.value[:0], a.value)
			if !anchor {
				w.url(w.attrName(a), w.value, Image, string(w.name) == "image" || string(w.name) == "feimage")
				continue
			}
			if w.url(w.attrName(a), w.value, nav, false) == refReplay && target != "" && w.get("target") == nil {
				w.dst = append(append(append(w.dst, ` target="`...), target...), '"')
			}
		case srcsetAttr:
			if !srcset {
				w.srcset(w.attrName(a), a.value)
			}
		case targetAttr:
			if target != "" {
				w.dst = append(append(append(w.dst, ` target="`...), target...), '"')
			}
		case cssAttr:
			w.css(a)
		case listAttr:
			w.css(a)
		case inertAttr:
			// For the reader of the source: where the form would have gone.
			w.dst = append(w.dst, " data-refrain-action=\""...)
			w.dst = append(w.quote(w.dst, a.value), '"')
		case citeAttr:
			w.value = unescapeAttr(w.value[:0], a.value)
			w.url(w.attrName(a), w.value, Frame, false)
		}
	}
	if w.kind == asXHTML && closed && w.foreign == 0 {
		w.dst = append(w.dst, '>')
		if !w.element.void {
			w.close()
		}
		return
	}
	w.finish(closed)
}

// target decides where a link of an anchor leads: the modifier and the target.
// In the main document every link leads to a page with a banner, which takes
// the place of the whole; within frames a link stays in its frame, or goes to
// the frame that it names.
func (w *htmlWriter) target(nav Mod) (Mod, string) {
	if nav == Frame {
		return Frame, "_top"
	}
	target := strings.ToLower(strings.TrimSpace(string(w.decoded("target"))))
	switch target {
	case "", "_self":
		return Inner, ""
	case "_top", "_parent", "_blank":
		return Frame, "_top"
	}
	for _, c := range []byte(target) {
		if !isAlnum(c) && c != '_' && c != '-' {
			return Inner, ""
		}
	}
	return Inner, string(bytes.TrimSpace(w.value)) // names differ by case
}

// lazy writes an attribute that scripts would have set from another: an image
// that loads when it is scrolled to. It reports whether it did.
func (w *htmlWriter) lazy(name string, from ...string) bool {
	if v := w.get(name); len(v) > 0 && !bytes.HasPrefix(v, []byte("data:")) && !bytes.HasPrefix(v, []byte("about:")) {
		return false
	}
	for _, other := range from {
		v := bytes.TrimSpace(w.get(other))
		if len(v) == 0 {
			continue
		}
		if name == "srcset" {
			w.srcset([]byte(name), v)
			return true
		}
		w.value = unescapeAttr(w.value[:0], v)
		return w.url([]byte(name), w.value, Image, false) == refReplay
	}
	return false
}

// attrName is an attribute's name as it is written.
func (w *htmlWriter) attrName(a *attr) []byte {
	if w.kind == asSVG {
		return a.as
	}
	return a.name
}

// attr writes an attribute that is kept. Event handlers and names that are none
// are not.
func (w *htmlWriter) attr(a *attr) {
	if len(a.name) > 1 && a.name[0] == 'o' && a.name[1] == 'n' || !plainName(a.name) {
		return
	}
	if i := bytes.IndexByte(a.name, ':'); i >= 0 && !w.keepPrefixed(a, i) {
		return
	}
	if string(a.name) == "attributename" && w.element.kind != animateTag {
		return
	}
	if attrKinds[string(a.name)] == cssAttr {
		w.css(a)
		return
	}
	w.dst = append(w.dst, ' ')
	w.dst = append(w.dst, w.attrName(a)...)
	if a.value == nil {
		if w.kind == asSVG {
			w.dst = append(w.dst, `=""`...)
		}
		return
	}
	w.dst = append(w.dst, `="`...)
	w.dst = append(w.quote(w.dst, a.value), '"')
}

// keepPrefixed reports whether an attribute whose name has a prefix is kept. In
// XML a prefix can be bound to any namespace, so links are told by what follows
// it, and only namespaces that draw may be bound.
func (w *htmlWriter) keepPrefixed(a *attr, colon int) bool {
	local := string(a.name[colon+1:])
	if string(a.name[:colon]) == "xmlns" || string(a.name[:colon]) == "xml" {
		return local != "base"
	}
	return attrKinds[local] == keepAttr && !strings.HasPrefix(local, "on")
}

// quote appends a value as written in the source so that it can stand between
// double quotation marks.
func (w *htmlWriter) quote(dst, value []byte) []byte {
	if w.kind == asSVG && bytes.IndexByte(value, '&') >= 0 {
		return appendEscaped(dst, []byte(html.UnescapeString(string(value))))
	}
	for {
		i := bytes.IndexAny(value, "\"<>\x00")
		if i < 0 {
			return append(dst, value...)
		}
		dst = append(dst, value[:i]...)
		switch value[i] {
		case '"':
			dst = append(dst, "&#34;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		}
		value = value[i+1:]
	}
}

// url writes an attribute whose decoded value is a reference. One that leads
// nowhere is left out; where it names something that a reader may want, it is
// kept as data-refrain-href.
func (w *htmlWriter) url(name, ref []byte, mod Mod, data bool) reference {
	start := len(w.dst)
	w.dst = append(w.dst, ' ')
	w.dst = append(w.dst, name...)
	w.dst = append(w.dst, `="`...)
	at := len(w.dst)
	dst, kind := w.l.appendURL(w.dst, ref, mod, data)
	w.dst = dst
	if kind == refNone {
		w.dst = w.dst[:start]
		if scheme, rest := splitScheme(bytes.TrimSpace(ref)); (strings.EqualFold(scheme, "mailto") || strings.EqualFold(scheme, "tel")) && string(name) == "href" && len(rest) < 1000 {
			w.dst = append(w.dst, ` data-refrain-href="`...)
			w.dst = appendEscaped(w.dst, bytes.TrimSpace(ref))
			w.dst = append(w.dst, '"')
		}
		return kind
	}
	if bytes.IndexByte(w.dst[at:], '&') >= 0 {
		w.set = append(w.set[:0], w.dst[at:]...)
		w.dst = appendEscaped(w.dst[:at], w.set)
	}
	w.dst = append(w.dst, '"')
	return kind
}

// srcset writes a srcset attribute.
func (w *htmlWriter) srcset(name, value []byte) {
	w.value = unescapeAttr(w.value[:0], value)
	w.set = w.l.appendSrcset(w.set[:0], w.value)
	set := w.set
	if len(set) == 0 {
		return
	}
	w.dst = append(append(append(w.dst, ' '), name...), `="`...)
	w.dst = append(appendEscaped(w.dst, set), '"')
}

// css writes an attribute whose value is CSS.
func (w *htmlWriter) css(a *attr) {
	value := a.value
	if bytes.IndexByte(value, '&') >= 0 {
		w.value = unescapeAttr(w.value[:0], value)
		value = w.value
	}
	w.dst = append(w.dst, ' ')
	w.dst = append(w.dst, w.attrName(a)...)
	w.dst = append(w.dst, `="`...)
	if bytes.ContainsAny(value, `(\`) || bytes.Contains(value, []byte("--")) {
		w.set = w.l.appendCSS(w.set[:0], value, false)
		value = w.set
	}
	w.dst = append(appendEscaped(w.dst, value), '"')
}
