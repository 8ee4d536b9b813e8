package importers

import (
	"bytes"
	"encoding/json"
)

// A shape is what the start of a JSON text looks like: the keys of its object,
// or of the first object in its array.
type shape struct {
	array bool
	keys  map[string]kind // of the object
	data  map[string]kind // of the object under "data", or of the first object in that array
	tweet map[string]kind // the same under "tweet"
}

// A kind is the kind of a JSON value.
type kind byte

const (
	kindObject kind = '{'
	kindArray  kind = '['
	kindScalar kind = 's'
	kindNull   kind = 'n'
)

func (s *shape) has(keys ...string) bool {
	for _, k := range keys {
		if s.keys[k] == 0 {
			return false
		}
	}
	return true
}

func (s *shape) any(keys ...string) bool {
	for _, k := range keys {
		if s.keys[k] != 0 {
			return true
		}
	}
	return false
}

// shapeOf reads the shape of the JSON text that head begins with. What head
// does not reach is not in it. ok is false if head begins with no object, and
// with no array of objects.
func shapeOf(head []byte) (s shape, ok bool) {
	d := json.NewDecoder(bytes.NewReader(head))
	t, err := d.Token()
	if err != nil {
		return s, false
	}
	if t == json.Delim('[') {
		s.array = true
		if t, err = d.Token(); err != nil {
			return s, false
		}
	}
	if t != json.Delim('{') {
		return s, false
	}
	s.keys = map[string]kind{}
	s.object(d, s.keys, 0)
	return s, true
}

// object reads the keys of an object whose brace was read.
func (s *shape) object(d *json.Decoder, keys map[string]kind, depth int) bool {
	for {
		t, err := d.Token()
		if err != nil {
			return false
		}
		key, isKey := t.(string)
		if !isKey {
			return true // the closing brace
		}
		t, err = d.Token()
		if err != nil {
			return false
		}
		keys[key] = kindOf(t)
		if t == json.Delim('{') || t == json.Delim('[') {
			var inner map[string]kind
			if depth == 0 && (key == "data" || key == "tweet") {
				inner = map[string]kind{}
				if key == "data" {
					s.data = inner
				} else {
					s.tweet = inner
				}
			}
			if !s.inside(d, t, inner) {
				return false
			}
		}
	}
}

// inside reads on to the end of an object or array whose opening t was read,
// and notes the keys of its first object in inner, if that is not nil.
func (s *shape) inside(d *json.Decoder, t json.Token, inner map[string]kind) bool {
	if inner != nil && t == json.Delim('{') {
		return s.object(d, inner, 1)
	}
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return false
		}
		switch t {
		case json.Delim('{'):
			if inner != nil && len(inner) == 0 && depth == 1 {
				if !s.object(d, inner, 1) {
					return false
				}
				continue
			}
			depth++
		case json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return true
}

func kindOf(t json.Token) kind {
	switch t {
	case json.Delim('{'):
		return kindObject
	case json.Delim('['):
		return kindArray
	case nil:
		return kindNull
	}
	return kindScalar
}
