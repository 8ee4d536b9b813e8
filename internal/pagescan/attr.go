package pagescan

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// An Attr is an attribute of a start tag. Its value is decoded when it is asked
// for, once.
type Attr struct {
	key []byte // as it is written
	raw []byte // as it is written, without quotation marks
	end int    // of raw in the page
	val string // decoded, if read
	did bool   // val is set
}

// Attrs are the attributes of a start tag.
type Attrs []Attr

// find gives the first attribute of a name, which is in lower case.
func (a Attrs) find(name string) *Attr {
	for i := range a {
		if len(a[i].key) == len(name) && foldEqual(a[i].key, name) {
			return &a[i]
		}
	}
	return nil
}

// Get is the value of an attribute, character references decoded; "" if there
// is none. The name is in lower case.
func (a Attrs) Get(name string) string {
	if x := a.find(name); x != nil {
		return x.value()
	}
	return ""
}

// Has reports whether the attribute is there, with or without a value.
func (a Attrs) Has(name string) bool { return a.find(name) != nil }

// HasClass reports whether one of the classes is name.
func (a Attrs) HasClass(name string) bool {
	x := a.find("class")
	if x == nil || bytes.IndexByte(x.raw, '&') < 0 && !bytes.Contains(x.raw, []byte(name)) {
		return false
	}
	for f := range strings.FieldsSeq(x.value()) {
		if f == name {
			return true
		}
	}
	return false
}

func (x *Attr) value() string {
	if !x.did {
		x.val, x.did = decode(x.raw), true
	}
	return x.val
}

// decode gives the value of an attribute as html.Tokenizer does. What is plain
// or holds the usual character references is decoded here, all else by it.
func decode(raw []byte) string {
	amp := bytes.IndexByte(raw, '&')
	if amp < 0 {
		if bytes.IndexByte(raw, '\r') < 0 && bytes.IndexByte(raw, 0) < 0 {
			return string(raw)
		}
		return decodeSlow(raw)
	}
	if bytes.IndexByte(raw, '\r') >= 0 || bytes.IndexByte(raw, 0) >= 0 {
		return decodeSlow(raw)
	}
	out := make([]byte, 0, len(raw))
	rest := raw
	for {
		out = append(out, rest[:amp]...)
		rest = rest[amp:]
		r, n := reference(rest)
		switch {
		case n == 0:
			return decodeSlow(raw)
		case r == 0:
			out = append(out, rest[:n]...)
		default:
			out = append(out, string(r)...)
		}
		rest = rest[n:]
		if amp = bytes.IndexByte(rest, '&'); amp < 0 {
			return string(append(out, rest...))
		}
	}
}

// reference reads what begins with "&" at the beginning of b: a character and
// the length of its reference; 0 and a length for text as it stands; a length
// of 0 for what it does not know.
func reference(b []byte) (rune, int) {
	i := 1
	for i < len(b) && (letter(b[i]) || b[i] >= '0' && b[i] <= '9') {
		i++
	}
	if i == 1 {
		if i < len(b) && b[i] == '#' {
			return numeric(b)
		}
		return 0, 1
	}
	if i >= len(b) {
		return 0, 0
	}
	if b[i] == '=' { // a query: &name=value
		return 0, i
	}
	if b[i] != ';' {
		return 0, 0
	}
	switch string(b[1:i]) {
	case "amp":
		return '&', i + 1
	case "quot":
		return '"', i + 1
	case "lt":
		return '<', i + 1
	case "gt":
		return '>', i + 1
	case "apos":
		return '\'', i + 1
	case "nbsp":
		return '\u00a0', i + 1
	}
	return 0, 0
}

// numeric reads a reference by number that ends in ";".
func numeric(b []byte) (rune, int) {
	i, base := len("&#"), rune(10)
	if i < len(b) && b[i]|0x20 == 'x' {
		i, base = i+1, 16
	}
	from, n := i, rune(0)
	for ; i < len(b) && i-from < 7; i++ {
		var digit rune
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			digit = rune(c - '0')
		case base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f':
			digit = rune(c|0x20-'a') + 10
		default:
			digit = -1
		}
		if digit < 0 {
			break
		}
		n = n*base + digit
	}
	if i == from || i >= len(b) || b[i] != ';' || n == 0 || n >= 0x80 && n <= 0x9f || n >= 0xd800 && n <= 0xdfff || n > 0x10ffff {
		return 0, 0
	}
	return n, i + 1
}

// decodeSlow lets the tokenizer decode a value.
func decodeSlow(raw []byte) string {
	var tag []byte
	switch {
	case bytes.IndexByte(raw, '"') < 0:
		tag = append(append([]byte(`<a x="`), raw...), `">`...)
	case bytes.IndexByte(raw, '\'') < 0:
		tag = append(append([]byte(`<a x='`), raw...), `'>`...)
	default: // it stood without quotation marks
		tag = append(append([]byte(`<a x=`), raw...), '>')
	}
	z := html.NewTokenizer(bytes.NewReader(tag))
	z.Next()
	z.TagName()
	_, val, _ := z.TagAttr()
	return string(val)
}
