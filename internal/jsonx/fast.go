package jsonx

import (
	"encoding/json"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxFastDepth is how deep values may be nested for the quick way.
const maxFastDepth = 1000

// parseFast reads text in one pass, into what encoding/json with UseNumber gives.
// It is false for anything that is not plainly valid JSON in UTF-8: then
// encoding/json says what it is.
func parseFast(text []byte) (any, bool) {
	p := fast{text: text, keys: map[string]string{}}
	v, ok := p.value(0)
	p.space()
	return v, ok && p.at == len(text)
}

type fast struct {
	text []byte
	at   int
	keys map[string]string // equal keys share memory
}

func (p *fast) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next moves over c, behind white space.
func (p *fast) next(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *fast) word(w string) bool {
	if len(p.text)-p.at < len(w) || string(p.text[p.at:p.at+len(w)]) != w {
		return false
	}
	p.at += len(w)
	return true
}

func (p *fast) value(depth int) (any, bool) {
	p.space()
	if p.at >= len(p.text) || depth > maxFastDepth {
		return nil, false
	}
	switch c := p.text[p.at]; c {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		p.at++
		raw, escaped, ok := p.quoted()
		if !ok {
			return nil, false
		}
		if escaped {
			return unescape(raw)
		}
		return string(raw), true
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	}
	return p.number()
}

func (p *fast) object(depth int) (any, bool) {
	p.at++
	m := map[string]any{}
	if p.next('}') {
		return m, true
	}
	for {
		if !p.next('"') {
			return nil, false
		}
		raw, escaped, ok := p.quoted()
		if !ok {
			return nil, false
		}
		key, known := p.keys[string(raw)]
		switch {
		case escaped:
			if key, ok = unescape(raw); !ok {
				return nil, false
			}
		case !known:
			key = string(raw)
			p.keys[key] = key
		}
		if !p.next(':') {
			return nil, false
		}
		if m[key], ok = p.value(depth + 1); !ok {
			return nil, false
		}
		if p.next('}') {
			return m, true
		}
		if !p.next(',') {
			return nil, false
		}
	}
}

func (p *fast) array(depth int) (any, bool) {
	p.at++
	a := []any{}
	if p.next(']') {
		return a, true
	}
	for {
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		a = append(a, v)
		if p.next(']') {
			return a, true
		}
		if !p.next(',') {
			return nil, false
		}
	}
}

// quoted gives what stands up to the closing quote, which it moves over.
func (p *fast) quoted() (raw []byte, escaped, ok bool) {
	start, high := p.at, false
	for i := start; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.at = i + 1
			raw = p.text[start:i]
			return raw, escaped, !high || utf8.Valid(raw)
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return nil, false, false
		case c >= utf8.RuneSelf:
			high = true
		}
	}
	return nil, false, false
}

// unescape undoes the escapes of a string as encoding/json does: half of a
// surrogate pair becomes U+FFFD.
func unescape(raw []byte) (string, bool) {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			out = append(out, c)
			i++
			continue
		}
		if i+1 >= len(raw) {
			return "", false
		}
		switch e := raw[i+1]; e {
		case '"', '\\', '/':
			out = append(out, e)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(raw[i:])
			if !ok {
				return "", false
			}
			i += 6
			if utf16.IsSurrogate(r) {
				second, _ := hex4(raw[i:])
				if r = utf16.DecodeRune(r, second); r != unicode.ReplacementChar {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
			continue
		default:
			return "", false
		}
		i += 2
	}
	return string(out), true
}

// hex4 reads \uXXXX.
func hex4(raw []byte) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return -1, false
	}
	var r rune
	for _, c := range raw[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (p *fast) digits() bool {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}

func (p *fast) number() (any, bool) {
	start := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	if p.at < len(p.text) && p.text[p.at] == '0' {
		p.at++
	} else if !p.digits() {
		return nil, false
	}
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		if !p.digits() {
			return nil, false
		}
	}
	if p.at < len(p.text) && p.text[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return nil, false
		}
	}
	return json.Number(p.text[start:p.at]), true
}
