package jsonx

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxFastDepth is how deep values may be nested for the quick way.
const maxFastDepth = 1000

// indexFrom is the number of members from which on an object has an index of
// its keys. Fewer are looked through.
const indexFrom = 48

// A doc is a text that was read in one pass into the places of its values:
// strings are copied and numbers read only when they are asked for. It is not
// changed after that.
type doc struct {
	text  []byte
	nodes []node
	index map[int32]map[string]int32 // of large objects: key → node of its value
}

// A node is one key or value. The nodes of an object or array follow it.
type node struct {
	start, end int32 // in the text; of strings without the quotes
	next       int32 // index of the first node behind the value
	kind       byte
}

// The kinds of nodes.
const (
	kindObject  = '{'
	kindArray   = '['
	kindString  = '"'
	kindEscaped = '\\' // a string with escapes
	kindNumber  = '0'
	kindTrue    = 't'
	kindFalse   = 'f'
	kindNull    = 'n'
)

// parseFast reads text in one pass, into what stands for the tree that
// encoding/json with UseNumber gives. It is false for anything that is not
// plainly valid JSON in UTF-8: then encoding/json says what it is.
func parseFast(text []byte) (*doc, bool) {
	if len(text) >= 1<<30 {
		return nil, false
	}
	p := fast{doc: doc{text: text, nodes: make([]node, 0, len(text)/20+4)}}
	ok := p.value(0)
	p.space()
	return &p.doc, ok && p.at == len(text)
}

type fast struct {
	doc
	at int
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
	if p.at < len(p.text) && p.text[p.at] > ' ' {
		if p.text[p.at] != c {
			return false
		}
		p.at++
		return true
	}
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *fast) word(w string, kind byte) bool {
	if len(p.text)-p.at < len(w) || string(p.text[p.at:p.at+len(w)]) != w {
		return false
	}
	p.add(p.at, p.at+len(w), kind)
	p.at += len(w)
	return true
}

// add appends a node that has nothing below it.
func (p *fast) add(start, end int, kind byte) {
	p.nodes = append(p.nodes, node{start: int32(start), end: int32(end), next: int32(len(p.nodes)) + 1, kind: kind})
}

func (p *fast) value(depth int) bool {
	p.space()
	if p.at >= len(p.text) || depth > maxFastDepth {
		return false
	}
	switch p.text[p.at] {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		p.at++
		return p.quoted()
	case 't':
		return p.word("true", kindTrue)
	case 'f':
		return p.word("false", kindFalse)
	case 'n':
		return p.word("null", kindNull)
	}
	return p.number()
}

func (p *fast) object(depth int) bool {
	at := len(p.nodes)
	p.add(p.at, 0, kindObject)
	p.at++
	members := 0
	for more := !p.next('}'); more; members++ {
		if !p.next('"') || !p.quoted() || !p.next(':') || !p.value(depth+1) {
			return false
		}
		if more = p.next(','); !more && !p.next('}') {
			return false
		}
	}
	p.nodes[at].end, p.nodes[at].next = int32(p.at), int32(len(p.nodes))
	if members >= indexFrom {
		p.makeIndex(int32(at), members)
	}
	return true
}

func (p *fast) makeIndex(at int32, members int) {
	keys := make(map[string]int32, members)
	for k := at + 1; k < p.nodes[at].next; k = p.nodes[k+1].next {
		keys[p.string(k)] = k + 1
	}
	if p.index == nil {
		p.index = map[int32]map[string]int32{}
	}
	p.index[at] = keys
}

func (p *fast) array(depth int) bool {
	at := len(p.nodes)
	p.add(p.at, 0, kindArray)
	p.at++
	for more := !p.next(']'); more; {
		if !p.value(depth + 1) {
			return false
		}
		if more = p.next(','); !more && !p.next(']') {
			return false
		}
	}
	p.nodes[at].end, p.nodes[at].next = int32(p.at), int32(len(p.nodes))
	return true
}

// string gives what the string at a node says.
func (d *doc) string(at int32) string {
	n := &d.nodes[at]
	raw := d.text[n.start:n.end]
	if n.kind == kindEscaped {
		s, _ := unescape(raw) // it was tried
		return s
	}
	return string(raw)
}

// member gives the node of the value under key in the object at a node: of
// equal keys the last, as encoding/json does.
func (d *doc) member(at int32, key string) (int32, bool) {
	nodes := d.nodes
	if nodes[at].kind != kindObject {
		return 0, false
	}
	if len(d.index) > 0 {
		if keys := d.index[at]; keys != nil {
			found, ok := keys[key]
			return found, ok
		}
	}
	found := int32(0)
	for k, end := at+1, nodes[at].next; k < end; k = nodes[k+1].next {
		n := &nodes[k]
		if n.kind == kindString {
			if int(n.end-n.start) == len(key) && string(d.text[n.start:n.end]) == key {
				found = k + 1
			}
		} else if d.string(k) == key {
			found = k + 1
		}
	}
	return found, found > 0
}

// keys gives the keys of the object at a node, sorted, each once.
func (d *doc) keys(at int32) []string {
	var keys []string
	for k, end := at+1, d.nodes[at].next; k < end; k = d.nodes[k+1].next {
		keys = append(keys, d.string(k))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// walk is Value.Walk from a node on. It looks at no values but objects and
// arrays.
func (d *doc) walk(at int32, f func(Value) bool) {
	end := d.nodes[at].next
	switch d.nodes[at].kind {
	case kindObject:
		if !f(Value{doc: d, at: at}) {
			return
		}
		var few [16]int32
		keys := few[:0] // of members to go into
		for k := at + 1; k < end; k = d.nodes[k+1].next {
			if kind := d.nodes[k+1].kind; kind == kindObject || kind == kindArray {
				keys = append(keys, k)
			}
		}
		if len(keys) > 1 {
			slices.SortFunc(keys, d.compareKeys)
		}
		for _, k := range keys {
			if d.isLast(at, k) {
				d.walk(k+1, f)
			}
		}
	case kindArray:
		for e := at + 1; e < end; e = d.nodes[e].next {
			if kind := d.nodes[e].kind; kind == kindObject || kind == kindArray {
				d.walk(e, f)
			}
		}
	}
}

// compareKeys puts the keys at two nodes in order.
func (d *doc) compareKeys(a, b int32) int {
	x, y := &d.nodes[a], &d.nodes[b]
	if x.kind == kindString && y.kind == kindString {
		return bytes.Compare(d.text[x.start:x.end], d.text[y.start:y.end])
	}
	return strings.Compare(d.string(a), d.string(b))
}

// isLast reports whether no member of the object at a node that stands behind
// key k has the same key.
func (d *doc) isLast(at, k int32) bool {
	if keys := d.index[at]; keys != nil {
		return keys[d.string(k)] == k+1
	}
	for next, end := d.nodes[k+1].next, d.nodes[at].next; next < end; next = d.nodes[next+1].next {
		if d.compareKeys(k, next) == 0 {
			return false
		}
	}
	return true
}

// plain holds which bytes may stand in a string for themselves, in ASCII.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// quoted adds the string that ends at the next closing quote, and moves over
// that.
func (p *fast) quoted() bool {
	start, text := p.at, p.text
	kind, high := byte(kindString), false
	for i := start; i < len(text); i++ {
		c := text[i]
		if plain[c] {
			continue
		}
		switch {
		case c == '"':
			p.at = i + 1
			raw := text[start:i]
			p.add(start, i, kind)
			return (!high || utf8.Valid(raw)) && (kind == kindString || escapesFit(raw))
		case c == '\\':
			kind = kindEscaped
			i++
		case c < ' ':
			return false
		default:
			high = true
		}
	}
	return false
}

// escapesFit reports whether all escapes in raw are ones of JSON.
func escapesFit(raw []byte) bool {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return true
		}
		if raw = raw[i:]; len(raw) < 2 {
			return false
		}
		switch raw[1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			raw = raw[2:]
		case 'u':
			if _, ok := hex4(raw); !ok {
				return false
			}
			raw = raw[6:]
		default:
			return false
		}
	}
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

func (p *fast) number() bool {
	start := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	if p.at < len(p.text) && p.text[p.at] == '0' {
		p.at++
	} else if !p.digits() {
		return false
	}
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		if !p.digits() {
			return false
		}
	}
	if p.at < len(p.text) && p.text[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return false
		}
	}
	p.add(start, p.at, kindNumber)
	return true
}
