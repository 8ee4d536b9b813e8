// Package jsonx reads JSON by key and meaning where its shape is a platform's
// and not ours: numbers as they were written, numbers that come as strings, and
// keys that may be missing at any depth.
package jsonx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
)

// A Value is any JSON value. The zero Value is a missing one: all methods work
// on it and give zero values. It may share memory with the text that it was
// parsed from, which must not be changed while it is used; what String gives
// does not.
type Value struct {
	doc *doc  // of a parsed text; nil elsewhere
	at  int32 // of its node
	v   any   // where doc is nil: what encoding/json made
}

// Parse reads exactly one JSON value. Numbers keep their digits.
func Parse(data []byte) (Value, error) {
	if d, ok := parseFast(data); ok {
		return Value{doc: d}, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return Value{}, fmt.Errorf("parse JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Value{}, fmt.Errorf("parse JSON: text after the value at byte %d", d.InputOffset())
	}
	return Value{v: v}, nil
}

// Of wraps a value that encoding/json made.
func Of(v any) Value { return Value{v: v} }

// kind is that of the node of v; 0 where v is of no parsed text.
func (v Value) kind() byte {
	if v.doc == nil {
		return 0
	}
	return v.doc.nodes[v.at].kind
}

// Exists reports whether v is there and not null.
func (v Value) Exists() bool {
	if v.doc != nil {
		return v.kind() != kindNull
	}
	return v.v != nil
}

// member gives what stands under key.
func (v Value) member(key string) (Value, bool) {
	if v.doc != nil {
		at, ok := v.doc.member(v.at, key)
		if !ok {
			return Value{}, false
		}
		return Value{doc: v.doc, at: at}, true
	}
	m, ok := v.v.(map[string]any)
	if !ok {
		return Value{}, false
	}
	x, ok := m[key]
	return Value{v: x}, ok
}

// Get follows keys; a missing one gives a missing Value.
func (v Value) Get(keys ...string) Value {
	for _, k := range keys {
		var ok bool
		if v, ok = v.member(k); !ok {
			return Value{}
		}
	}
	return v
}

// Has reports whether v is an object with key, be its value null.
func (v Value) Has(key string) bool {
	_, ok := v.member(key)
	return ok
}

// IsObject reports whether v is an object.
func (v Value) IsObject() bool {
	_, ok := v.v.(map[string]any)
	return ok || v.kind() == kindObject
}

// IsArray reports whether v is an array.
func (v Value) IsArray() bool {
	_, ok := v.v.([]any)
	return ok || v.kind() == kindArray
}

// IsString reports whether v is a string.
func (v Value) IsString() bool {
	_, ok := v.v.(string)
	return ok || v.kind() == kindString || v.kind() == kindEscaped
}

// Array gives the elements of an array, nil of anything else.
func (v Value) Array() []Value {
	if v.kind() == kindArray {
		nodes := v.doc.nodes
		n := 0
		for at := v.at + 1; at < nodes[v.at].next; at = nodes[at].next {
			n++
		}
		values := make([]Value, 0, n)
		for at := v.at + 1; at < nodes[v.at].next; at = nodes[at].next {
			values = append(values, Value{doc: v.doc, at: at})
		}
		return values
	}
	a, ok := v.v.([]any)
	if !ok {
		return nil
	}
	values := make([]Value, len(a))
	for i := range a {
		values[i] = Value{v: a[i]}
	}
	return values
}

// At gives element i of an array. It goes through the elements before it: Array
// is the way to see all.
func (v Value) At(i int) Value {
	if v.kind() == kindArray && i >= 0 {
		nodes := v.doc.nodes
		for at := v.at + 1; at < nodes[v.at].next; at = nodes[at].next {
			if i == 0 {
				return Value{doc: v.doc, at: at}
			}
			i--
		}
		return Value{}
	}
	a, ok := v.v.([]any)
	if !ok || i < 0 || i >= len(a) {
		return Value{}
	}
	return Value{v: a[i]}
}

// Keys gives the keys of an object, sorted.
func (v Value) Keys() []string {
	if v.kind() == kindObject {
		return v.doc.keys(v.at)
	}
	m, ok := v.v.(map[string]any)
	if !ok {
		return nil
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// String gives a string, or the digits of a number; "" of anything else.
func (v Value) String() string {
	switch v.kind() {
	case kindString, kindEscaped, kindNumber:
		return v.doc.string(v.at)
	}
	switch x := v.v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	}
	return ""
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
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == float64(int64(f)) {
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
func (v Value) Bool() bool {
	b, _ := v.v.(bool)
	return b || v.kind() == kindTrue
}

// Walk calls f for v and every object below it, parents first, keys in sorted
// order. When f gives false, nothing below that object is visited.
func (v Value) Walk(f func(object Value) bool) {
	if v.doc != nil {
		v.doc.walk(v.at, f)
		return
	}
	switch {
	case v.IsObject():
		if !f(v) {
			return
		}
		for _, k := range v.Keys() {
			v.Get(k).Walk(f)
		}
	case v.IsArray():
		for _, e := range v.Array() {
			e.Walk(f)
		}
	}
}

// Find gives the first value under key at any depth, in the order of Walk.
func (v Value) Find(key string) Value {
	var found Value
	v.Walk(func(o Value) bool {
		if found.Exists() {
			return false
		}
		if x := o.Get(key); x.Exists() {
			found = x
			return false
		}
		return true
	})
	return found
}

// After finds marker in text (a script, a page) and gives the balanced JSON
// object or array that starts at the first brace or bracket after it, with only
// white space, '=', ':' or '(' between. It tries every occurrence of marker.
func After(text []byte, marker string) ([]byte, bool) {
	m := []byte(marker)
	for from := 0; ; {
		i := bytes.Index(text[from:], m)
		if i < 0 {
			return nil, false
		}
		from += i + len(m)
		rest := bytes.TrimLeft(text[from:], " \t\r\n=:(")
		if raw, ok := Balanced(rest); ok {
			return raw, true
		}
	}
}

// Balanced gives the JSON object or array that text starts with.
func Balanced(text []byte) ([]byte, bool) {
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return nil, false
	}
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if inString {
			switch c {
			case '\\':
				i++
			case '"':
				inString = false
			}
			continue
		}
		switch c {
		case '"':
			inString = true
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return text[:i+1], true
			}
		}
	}
	return nil, false
}
