// Package jsontree reads large JSON of which little is wanted. Parse makes one
// pass over the bytes and keeps where each value starts and ends; strings are
// copied and numbers read only when asked for. It is several times faster than
// decoding into maps, and its Value has the methods of package jsonx.
//
// Parse is more lenient than RFC 8259 where that loses nothing: a number or word
// is not looked at before it is asked for, and bytes that are no UTF-8 or no
// valid escape become U+FFFD. Of equal keys in an object, the first counts. The
// order of keys and values is that of the text.
package jsontree

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep values may be nested. Deeper text is an error.
const MaxDepth = 2000

// A node is one key or value. The nodes of a container follow it; next is the
// index of the first node behind them.
type node struct {
	start, end int32
	next       int32
	kind       byte // '{', '[', '"' a string without escapes, '\\' one with, '0' any other scalar
}

type doc struct {
	text  []byte
	nodes []node
}

// A Value is any JSON value. The zero Value is a missing one: all methods work
// on it and give zero values. It shares memory with the parsed text.
type Value struct {
	doc *doc
	at  int32
}

var errEnd = errors.New("the text ends within a value")

// Parse reads exactly one JSON value of less than 1 GiB.
func Parse(text []byte) (Value, error) {
	if len(text) >= 1<<30 {
		return Value{}, errors.New("parse JSON: text of 1 GiB or more")
	}
	d := &doc{text: text, nodes: make([]node, 0, len(text)/16+8)}
	end, err := d.scan()
	if err != nil {
		return Value{}, fmt.Errorf("parse JSON: %w", err)
	}
	if rest := bytes.TrimLeft(text[end:], " \t\r\n"); len(rest) > 0 {
		return Value{}, fmt.Errorf("parse JSON: text after the value at byte %d", len(text)-len(rest))
	}
	return Value{d, 0}, nil
}

// What may come next within a container.
const (
	wantValue  = iota // a value; in an array also its end if it is empty
	wantKey           // a key; also the end of an empty object
	wantColon         // between key and value
	wantSep           // a comma or the end
	wantNoEnd         // a value behind a comma
	wantKeyNow        // a key behind a comma
)

// scan fills d.nodes and gives the offset behind the value.
func (d *doc) scan() (int, error) {
	text := d.text
	type open struct {
		node  int32
		array bool
	}
	var stack []open
	state := wantNoEnd
	for i := 0; i < len(text); {
		c := text[i]
		if c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		bad := func() (int, error) { return 0, fmt.Errorf("unexpected %q at byte %d", c, i) }
		switch state {
		case wantColon:
			if c != ':' {
				return bad()
			}
			i, state = i+1, wantNoEnd
			continue
		case wantSep:
			top := stack[len(stack)-1]
			switch {
			case c == ',':
				if i++; top.array {
					state = wantNoEnd
				} else {
					state = wantKeyNow
				}
				continue
			case c == ']' && top.array, c == '}' && !top.array:
			default:
				return bad()
			}
		case wantKey, wantKeyNow:
			if c != '"' && (c != '}' || state == wantKeyNow) {
				return bad()
			}
		}
		switch c {
		case '}', ']':
			if len(stack) == 0 || state == wantNoEnd {
				return bad()
			}
			top := stack[len(stack)-1]
			if top.array != (c == ']') {
				return bad()
			}
			i++
			d.nodes[top.node].end = int32(i)
			d.nodes[top.node].next = int32(len(d.nodes))
			stack = stack[:len(stack)-1]
			if len(stack) == 0 {
				return i, nil
			}
			state = wantSep
		case '{', '[':
			if len(stack) >= MaxDepth {
				return 0, fmt.Errorf("nested deeper than %d at byte %d", MaxDepth, i)
			}
			stack = append(stack, open{int32(len(d.nodes)), c == '['})
			d.nodes = append(d.nodes, node{start: int32(i), kind: c})
			i++
			if state = wantValue; c == '{' {
				state = wantKey
			}
		case '"':
			end, kind := quoted(text, i)
			if end < 0 {
				return 0, errEnd
			}
			key := state == wantKey || state == wantKeyNow
			d.add(i, end, kind)
			i = end
			switch {
			case key:
				state = wantColon
			case len(stack) == 0:
				return i, nil
			default:
				state = wantSep
			}
		default:
			end := i
			for end < len(text) && scalar(text[end]) {
				end++
			}
			if end == i {
				return bad()
			}
			d.add(i, end, '0')
			i = end
			if len(stack) == 0 {
				return i, nil
			}
			state = wantSep
		}
	}
	return 0, errEnd
}

func (d *doc) add(start, end int, kind byte) {
	d.nodes = append(d.nodes, node{start: int32(start), end: int32(end), next: int32(len(d.nodes) + 1), kind: kind})
}

// quoted gives the offset behind the string that starts at i, and whether it
// holds escapes. It gives -1 if the string does not end.
func quoted(text []byte, i int) (int, byte) {
	kind := byte('"')
	for i++; ; {
		q := bytes.IndexByte(text[i:], '"')
		if q < 0 {
			return -1, 0
		}
		e := bytes.IndexByte(text[i:i+q], '\\')
		if e < 0 {
			return i + q + 1, kind
		}
		kind = '\\'
		if i += e + 2; i > len(text) {
			return -1, 0
		}
	}
}

// scalar reports whether c may stand in a number or word.
func scalar(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '+' || c == '.'
}

func (v Value) node() *node {
	if v.doc == nil {
		return &node{}
	}
	return &v.doc.nodes[v.at]
}

// Raw gives the value's bytes as they stand in the text.
func (v Value) Raw() []byte {
	if v.doc == nil {
		return nil
	}
	n := v.node()
	return v.doc.text[n.start:n.end]
}

// Exists reports whether v is there and not null.
func (v Value) Exists() bool {
	return v.doc != nil && (v.node().kind != '0' || string(v.Raw()) != "null")
}

// member gives the value under key.
func (v Value) member(key string) (Value, bool) {
	n := v.node()
	if n.kind != '{' {
		return Value{}, false
	}
	nodes := v.doc.nodes
	for at := v.at + 1; at+1 < n.next; at = nodes[at+1].next {
		k := &nodes[at]
		if k.kind == '"' {
			if string(v.doc.text[k.start+1:k.end-1]) == key {
				return Value{v.doc, at + 1}, true
			}
		} else if (Value{v.doc, at}).String() == key {
			return Value{v.doc, at + 1}, true
		}
	}
	return Value{}, false
}

// Get follows keys; a missing one gives a missing Value.
func (v Value) Get(keys ...string) Value {
	for _, k := range keys {
		m, ok := v.member(k)
		if !ok {
			return Value{}
		}
		v = m
	}
	return v
}

// Has reports whether v is an object with key, be its value null.
func (v Value) Has(key string) bool { _, ok := v.member(key); return ok }

// IsObject reports whether v is an object.
func (v Value) IsObject() bool { return v.node().kind == '{' }

// IsArray reports whether v is an array.
func (v Value) IsArray() bool { return v.node().kind == '[' }

// IsString reports whether v is a string.
func (v Value) IsString() bool { k := v.node().kind; return k == '"' || k == '\\' }

// Array gives the elements of an array, nil of anything else.
func (v Value) Array() []Value {
	n := v.node()
	if n.kind != '[' {
		return nil
	}
	var values []Value
	for at := v.at + 1; at < n.next; at = v.doc.nodes[at].next {
		values = append(values, Value{v.doc, at})
	}
	return values
}

// At gives element i of an array.
func (v Value) At(i int) Value {
	n := v.node()
	if n.kind != '[' || i < 0 {
		return Value{}
	}
	for at := v.at + 1; at < n.next; at = v.doc.nodes[at].next {
		if i == 0 {
			return Value{v.doc, at}
		}
		i--
	}
	return Value{}
}

// Members calls f for each member of an object until f gives false.
func (v Value) Members(f func(key string, value Value) bool) {
	n := v.node()
	if n.kind != '{' {
		return
	}
	for at := v.at + 1; at+1 < n.next; at = v.doc.nodes[at+1].next {
		if !f((Value{v.doc, at}).String(), Value{v.doc, at + 1}) {
			return
		}
	}
}

// Walk calls f for every member of v at any depth, parents first, in the order
// of the text. When f gives false, nothing below that member is visited.
func (v Value) Walk(f func(key string, value Value) bool) {
	n := v.node()
	switch n.kind {
	case '{':
		v.Members(func(key string, value Value) bool {
			if f(key, value) {
				value.Walk(f)
			}
			return true
		})
	case '[':
		for at := v.at + 1; at < n.next; at = v.doc.nodes[at].next {
			Value{v.doc, at}.Walk(f)
		}
	}
}

// Find gives the first value under key at any depth, in the order of the text,
// that is not null.
func (v Value) Find(key string) Value {
	if v.doc == nil {
		return Value{}
	}
	quoted := `"` + key + `"`
	nodes, text := v.doc.nodes, v.doc.text
	// A key is a string whose next sibling is its value: within an object,
	// nodes alternate. Strings that are values are told by the colon.
	for at := v.at + 1; at < v.node().next; at++ {
		n := &nodes[at]
		if n.kind != '"' || int(n.end-n.start) != len(quoted) || string(text[n.start:n.end]) != quoted {
			continue
		}
		rest := bytes.TrimLeft(text[n.end:min(int(n.end)+64, len(text))], " \t\r\n")
		if len(rest) == 0 || rest[0] != ':' {
			continue
		}
		if found := (Value{v.doc, at + 1}); found.Exists() {
			return found
		}
	}
	return Value{}
}

// String gives a string, or the digits of a number; "" of anything else.
func (v Value) String() string {
	if v.doc == nil {
		return ""
	}
	n := v.node()
	raw := v.doc.text[n.start:n.end]
	switch n.kind {
	case '"':
		raw = raw[1 : len(raw)-1]
		if utf8.Valid(raw) {
			return string(raw)
		}
		return unquote(raw)
	case '\\':
		return unquote(raw[1 : len(raw)-1])
	case '0':
		if raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' {
			return string(raw)
		}
	}
	return ""
}

// unquote reads escapes.
func unquote(raw []byte) string {
	b := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			if c < utf8.RuneSelf {
				b = append(b, c)
				i++
				continue
			}
			r, size := utf8.DecodeRune(raw[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		if i++; i >= len(raw) {
			return string(utf8.AppendRune(b, utf8.RuneError))
		}
		c = raw[i]
		i++
		switch c {
		case '"', '\\', '/', '\'':
			b = append(b, c)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r := hex4(raw[i:])
			if r >= 0 {
				i += 4
			}
			if utf16.IsSurrogate(r) && i+1 < len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
				if pair := utf16.DecodeRune(r, hex4(raw[i+2:])); pair != utf8.RuneError {
					r = pair
					i += 6
				}
			}
			b = utf8.AppendRune(b, r) // a lone surrogate, or -1, becomes U+FFFD
		default:
			b = utf8.AppendRune(b, utf8.RuneError)
		}
	}
	return string(b)
}

func hex4(raw []byte) rune {
	if len(raw) < 4 {
		return -1
	}
	n, err := strconv.ParseUint(string(raw[:4]), 16, 32)
	if err != nil {
		return -1
	}
	return rune(n)
}

// Int gives an integer from a number or from a string of digits.
func (v Value) Int() (int64, bool) {
	s := strings.TrimSpace(v.String())
	if s == "" {
		return 0, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == float64(int64(f)) && f > -1<<62 && f < 1<<62 {
		return int64(f), true
	}
	return 0, false
}

// Float gives a number, or a string that holds one.
func (v Value) Float() (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(v.String()), 64)
	return f, err == nil
}

// Bool gives true for the JSON value true only.
func (v Value) Bool() bool { return v.doc != nil && v.node().kind == '0' && string(v.Raw()) == "true" }
