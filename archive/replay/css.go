package replay

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A cssWriter rewrites a stylesheet, or the value of a style attribute, token by
// token (CSS Syntax Level 3, section 4). Comments, @charset and the marks that
// hid styles from very old browsers are left out; URLs always come out as
// double-quoted strings.
//
// In markup, a style element, what comes out is safe however it is read: as the
// raw text of an HTML style element, or as the markup that it is within SVG. No
// "<" in it begins a tag, and no "&" a character reference.
type cssWriter struct {
	l      *linker
	dst    []byte
	markup bool

	fn       []bool // for each open "(": strings within are URLs
	at       atRule // that has begun and not come to its block or semicolon
	custom   bool   // within the value of a custom property (--x) or what becomes one
	nameSeen bool   // the last token but blanks was the name of something that var() can take up
}

type atRule int

const (
	noRule atRule = iota
	importRule
	namespaceRule
	charsetRule
	otherRule
)

// appendCSS appends src rewritten. src is UTF-8.
func (l *linker) appendCSS(dst, src []byte, markup bool) []byte {
	w := cssWriter{l: l, dst: dst, markup: markup}
	w.run(src)
	return w.dst
}

// plainCSS are the bytes that a run of uninteresting CSS is of.
var plainCSS = func() (t [256]bool) {
	for _, c := range []byte(" \t\n\r\f:,.>+~*=!%?|^$#0123456789") {
		t[c] = true
	}
	return t
}()

func (w *cssWriter) run(src []byte) {
	for i := 0; i < len(src); {
		c := src[i]
		// A name by itself ("color", "div") is passed on at once, with the
		// blanks and marks before it.
		if plainCSS[c] {
			j := i + 1
			for j < len(src) && plainCSS[src[j]] {
				j++
			}
			if w.nameSeen {
				if bytes.IndexByte(src[i:j], ':') >= 0 {
					w.custom = true
				}
				w.nameSeen = len(bytes.TrimSpace(src[i:j])) == 0
			}
			w.dst = append(w.dst, src[i:j]...)
			i = j
			continue
		}
		switch {
		case c == '/' && i+1 < len(src) && src[i+1] == '*':
			end := bytes.Index(src[i+2:], []byte("*/"))
			if end < 0 {
				w.close()
				return
			}
			w.dst = append(w.dst, "/**/"...)
			i += 2 + end + 2
			continue
		case c == '"' || c == '\'':
			i = w.str(src, i)
		case c == '@':
			i = w.rule(src, i)
		case isNameStart(src, i):
			i = w.name(src, i)
			continue
		case c == '<':
			if bytes.HasPrefix(src[i:], []byte("<!--")) {
				i += 4
				continue
			}
			w.dst = append(w.dst, '<')
			if w.markup {
				w.dst = append(w.dst, ' ')
			}
			i++
		case c == '-':
			if bytes.HasPrefix(src[i:], []byte("-->")) {
				i += 3
				continue
			}
			w.dst = append(w.dst, c)
			i++
		case c == '&':
			w.dst = append(w.dst, c)
			i++
			if w.markup && i < len(src) && isAlnum(src[i]) || w.markup && i+1 < len(src) && src[i] == '#' && isAlnum(src[i+1]) {
				w.dst = append(w.dst, ' ')
			}
		case c == 0:
			w.dst = append(w.dst, "\uFFFD"...)
			i++
		case c == '\\': // before a line end: no escape
			i++
		default:
			w.punctuation(c)
			w.dst = append(w.dst, c)
			i++
		}
		w.nameSeen = false
	}
	w.close()
}

// close ends what the stylesheet left open at its end, so that nothing can be
// hidden behind it.
func (w *cssWriter) close() { w.at = noRule }

func (w *cssWriter) punctuation(c byte) {
	switch c {
	case '(':
		w.fn = append(w.fn, len(w.fn) > 0 && w.fn[len(w.fn)-1])
	case ')':
		if len(w.fn) > 0 {
			w.fn = w.fn[:len(w.fn)-1]
		}
	case '{', '}', ';':
		w.at, w.custom = noRule, w.custom && c == '{'
		if c != ';' || len(w.fn) > 64 {
			w.fn = w.fn[:0]
		}
	}
}

// rule takes an at-keyword.
func (w *cssWriter) rule(src []byte, i int) int {
	if !isNameStart(src, i+1) {
		w.dst = append(w.dst, '@')
		return i + 1
	}
	name, end := readName(src, i+1)
	switch strings.ToLower(string(name)) {
	case "import":
		w.at = importRule
	case "namespace":
		w.at = namespaceRule
	case "charset":
		// Everything is UTF-8 now.
		stop := bytes.IndexAny(src[end:], ";{}")
		if stop < 0 {
			return len(src)
		}
		if src[end+stop] == ';' {
			stop++
		}
		return end + stop
	default:
		w.at = otherRule
	}
	w.dst = append(w.dst, '@')
	w.appendName(src[i+1:end], name)
	if end < len(src) && src[end] == '(' && urlFunctions[strings.ToLower(string(name))] {
		w.dst = append(w.dst, ' ') // no function: nobody shall take @url(…) for one
	}
	return end
}

// name takes a name, and the whole of a url( … ).
func (w *cssWriter) name(src []byte, i int) int {
	name, end := readName(src, i)
	if end >= len(src) || src[end] != '(' {
		w.nameSeen = bytes.HasPrefix(name, []byte("--")) || feedsVar(name)
		w.appendName(src[i:end], name)
		return end
	}
	w.nameSeen = false
	lower := strings.ToLower(string(name))
	if lower == "url" {
		arg := end + 1
		for arg < len(src) && isSpace(src[arg]) {
			arg++
		}
		if arg >= len(src) || src[arg] != '"' && src[arg] != '\'' {
			return w.unquoted(src, arg)
		}
	}
	within := len(w.fn) > 0 && w.fn[len(w.fn)-1] && lower != "type" && lower != "format"
	w.fn = append(w.fn, within || urlFunctions[lower])
	w.appendName(src[i:end], name)
	w.dst = append(w.dst, '(')
	return end + 1
}

// urlFunctions are the functions whose strings are URLs.
var urlFunctions = map[string]bool{
	"url": true, "src": true, "image": true, "image-set": true, "-webkit-image-set": true,
	"cross-fade": true, "-webkit-cross-fade": true,
}

// feedsVar reports whether a descriptor gives a value that var() or a custom
// function puts elsewhere: of @property and @function.
func feedsVar(name []byte) bool {
	return bytes.EqualFold(name, []byte("initial-value")) || bytes.EqualFold(name, []byte("result"))
}

// unquoted takes the argument of url( … ) without quotation marks, from its
// first byte on.
func (w *cssWriter) unquoted(src []byte, i int) int {
	var ref []byte
	bad := false
	for i < len(src) {
		c := src[i]
		switch {
		case c == ')':
			i++
			w.url(ref, bad)
			return i
		case isSpace(c):
			for i < len(src) && isSpace(src[i]) {
				i++
			}
			if i < len(src) && src[i] != ')' {
				bad = true
			}
			continue
		case c == '"' || c == '\'' || c == '(' || c < ' ' || c == 0x7f:
			bad = true
		case c == '\\':
			if i+1 < len(src) && src[i+1] != '\n' && src[i+1] != '\r' && src[i+1] != '\f' {
				var r rune
				r, i = readEscape(src, i+1)
				ref = utf8.AppendRune(ref, r)
				continue
			}
			bad = true
		}
		ref = append(ref, c)
		i++
	}
	w.url(ref, bad)
	return i
}

// url appends url("…") of a reference.
func (w *cssWriter) url(ref []byte, bad bool) {
	if w.at == namespaceRule {
		w.dst = append(w.dst, '"')
		w.appendString(ref)
		w.dst = append(w.dst, '"')
		return
	}
	w.dst = append(w.dst, `url("`...)
	if !bad {
		w.reference(ref)
	}
	w.dst = append(w.dst, `")`...)
}

// reference appends what a reference stands for, within quotation marks.
func (w *cssWriter) reference(ref []byte) {
	mod := Image
	if w.at == importRule {
		mod = Style
	}
	if len(bytes.TrimSpace(ref)) == 0 {
		return
	}
	start := len(w.dst)
	w.dst, _ = w.l.appendURL(w.dst, ref, mod, true)
	if w.markup && bytes.IndexByte(w.dst[start:], '&') >= 0 {
		out := bytes.Clone(w.dst[start:])
		w.dst = w.dst[:start]
		w.appendString(out)
	}
}

// str takes a string.
func (w *cssWriter) str(src []byte, i int) int {
	quote := src[i]
	i++
	begin := i
	value := src[i:i]
	simple := true // value is src[begin:i]
	for i < len(src) && src[i] != quote {
		switch c := src[i]; {
		case c == '\n' || c == '\r' || c == '\f':
			// A string that is not closed on its line counts for nothing, and
			// neither does the declaration that it stands in.
			w.dst = append(w.dst, quote)
			w.dst = append(w.dst, '\n')
			return i + 1
		case c == '\\':
			if simple {
				value, simple = bytes.Clone(src[begin:i]), false
			}
			if i+1 >= len(src) {
				i++
				continue
			}
			if n := lineEnd(src[i+1:]); n > 0 {
				i += 1 + n
				continue
			}
			var r rune
			r, i = readEscape(src, i+1)
			value = utf8.AppendRune(value, r)
		default:
			if !simple {
				value = append(value, c)
			}
			i++
		}
	}
	if simple {
		value = src[begin:i]
	}
	if i < len(src) {
		i++
	}
	w.dst = append(w.dst, '"')
	inURL := len(w.fn) > 0 && w.fn[len(w.fn)-1]
	switch {
	case w.at != namespaceRule && (inURL || w.at == importRule && len(w.fn) == 0 || w.custom && looksAbsolute(value)):
		w.reference(value)
	default:
		w.appendString(value)
	}
	w.dst = append(w.dst, '"')
	return i
}

// looksAbsolute reports whether a string would lead to another host if var()
// put it where a URL stands.
func looksAbsolute(value []byte) bool {
	value = bytes.TrimLeft(value, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	if hasSlash(value, 0) {
		return true
	}
	scheme, _ := splitScheme(bytes.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, value))
	return strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
}

// appendString appends the inside of a string.
func (w *cssWriter) appendString(s []byte) {
	for i, c := range s {
		next := byte(0)
		if i+1 < len(s) {
			next = s[i+1]
		}
		switch {
		case c == '"' || c == '\\' || c < ' ' || c == 0x7f,
			w.markup && c == '<',
			w.markup && c == '&' && (isAlnum(next) || next == '#'):
			w.hexEscape(rune(c))
		default:
			w.dst = append(w.dst, c)
		}
	}
}

func (w *cssWriter) hexEscape(r rune) {
	if r == 0 {
		r = utf8.RuneError
	}
	w.dst = append(w.dst, '\\')
	started := false
	for shift := 20; shift >= 0; shift -= 4 {
		d := byte(r>>shift) & 15
		if d != 0 || started || shift == 0 {
			w.dst, started = append(w.dst, hexDigits[d]|0x20), true
		}
	}
	w.dst = append(w.dst, ' ')
}

// appendName appends a name that stands as raw in the source. One with escapes
// is written anew.
func (w *cssWriter) appendName(raw, name []byte) {
	if bytes.IndexByte(raw, '\\') < 0 {
		w.dst = append(w.dst, raw...)
		return
	}
	for i, r := range string(name) {
		switch {
		case r >= utf8.RuneSelf, r == '_', 'a' <= r|0x20 && r|0x20 <= 'z', i > 0 && (r == '-' || '0' <= r && r <= '9'), i == 0 && r == '-' && len(name) > 1:
			w.dst = utf8.AppendRune(w.dst, r)
		default:
			w.hexEscape(r)
		}
	}
}

func isNameByte(c byte) bool {
	return isAlnum(c) || c == '_' || c == '-' || c >= utf8.RuneSelf
}

// isNameStart reports whether a name begins at i.
func isNameStart(src []byte, i int) bool {
	if i >= len(src) {
		return false
	}
	c := src[i]
	switch {
	case 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c >= utf8.RuneSelf:
		return true
	case c == '-':
		return i+1 < len(src) && (src[i+1] == '-' && !bytes.HasPrefix(src[i:], []byte("-->")) || isNameStart(src, i+1))
	}
	return c == '\\' && i+1 < len(src) && lineEnd(src[i+1:]) == 0
}

// readName gives the name at i, escapes decoded, and its end. It shares src's
// memory where there are no escapes.
func readName(src []byte, i int) ([]byte, int) {
	begin := i
	for i < len(src) && isNameByte(src[i]) {
		i++
	}
	if i >= len(src) || src[i] != '\\' {
		return src[begin:i], i
	}
	name := bytes.Clone(src[begin:i])
	for i < len(src) {
		switch {
		case isNameByte(src[i]):
			name = append(name, src[i])
			i++
		case src[i] == '\\' && i+1 < len(src) && lineEnd(src[i+1:]) == 0:
			var r rune
			r, i = readEscape(src, i+1)
			name = utf8.AppendRune(name, r)
		default:
			return name, i
		}
	}
	return name, i
}

// readEscape reads an escape from behind its backslash on.
func readEscape(src []byte, i int) (rune, int) {
	if i >= len(src) {
		return utf8.RuneError, i
	}
	r, n := rune(0), 0
	for n < 6 && i+n < len(src) {
		d := strings.IndexByte("0123456789abcdef", lower(src[i+n]))
		if d < 0 {
			break
		}
		r, n = r<<4|rune(d), n+1
	}
	if n == 0 {
		r, n = utf8.DecodeRune(src[i:])
		return r, i + n
	}
	i += n
	if k := lineEnd(src[i:]); k > 0 {
		i += k
	} else if i < len(src) && isSpace(src[i]) {
		i++
	}
	if r == 0 || r > utf8.MaxRune || 0xd800 <= r && r < 0xe000 {
		r = utf8.RuneError
	}
	return r, i
}

// lineEnd gives the length of the line end that b begins with, 0 if none.
func lineEnd(b []byte) int {
	switch {
	case len(b) == 0:
		return 0
	case b[0] == '\r' && len(b) > 1 && b[1] == '\n':
		return 2
	case b[0] == '\n' || b[0] == '\r' || b[0] == '\f':
		return 1
	}
	return 0
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
