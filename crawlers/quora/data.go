package quora

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/refrain-archive/refrain/internal/jsonx"
)

// maxData bounds the script data of a page that is parsed.
const maxData = 64 << 20

// pushes finds the data of a page: the string literals that scripts push to, or
// in older pages assign to, inlineQueryResults.results["HASH"].
func pushes(page []byte) (values []jsonx.Value, broken int) {
	marker := []byte(`inlineQueryResults.results[`)
	left := maxData
	for rest := page; ; {
		i := bytes.Index(rest, marker)
		if i < 0 {
			return values, broken
		}
		rest = rest[i+len(marker):]
		end := bytes.IndexByte(rest[:min(len(rest), 400)], ']')
		if end < 0 {
			continue
		}
		after := rest[end+1:]
		after = bytes.TrimLeft(after, " \t\r\n")
		switch {
		case bytes.HasPrefix(after, []byte(".push(")):
			after = after[len(".push("):]
		case bytes.HasPrefix(after, []byte("=")):
			after = after[1:]
		default:
			continue
		}
		after = bytes.TrimLeft(after, " \t\r\n")
		raw, size, ok := literal(after)
		if !ok {
			if len(after) > 0 && (after[0] == '"' || after[0] == '\'') {
				broken++
			}
			continue
		}
		rest = after[size:]
		if left -= len(raw); left < 0 {
			return values, broken + 1
		}
		if !bytes.Contains(raw, []byte(`id"`)) {
			continue // nothing in it has an id
		}
		v, err := jsonx.Parse(raw)
		if err != nil {
			broken++
			continue
		}
		if s := v.String(); v.IsString() && strings.HasPrefix(s, "{") { // encoded once more
			if in, err := jsonx.Parse([]byte(s)); err == nil {
				v = in
			}
		}
		values = append(values, v)
	}
}

// literal decodes the JavaScript string, or takes the object, that text starts
// with, and gives its length there.
func literal(text []byte) (value []byte, size int, ok bool) {
	if len(text) == 0 {
		return nil, 0, false
	}
	quote := text[0]
	if quote == '{' {
		raw, ok := jsonx.Balanced(text)
		return raw, len(raw), ok
	}
	if quote != '"' && quote != '\'' {
		return nil, 0, false
	}
	out := make([]byte, 0, 4096)
	for i := 1; i < len(text); i++ {
		from := i
		for i < len(text) && text[i] != quote && text[i] != '\n' && text[i] != '\\' {
			i++
		}
		out = append(out, text[from:i]...)
		if i >= len(text) {
			break
		}
		switch text[i] {
		case quote:
			return out, i + 1, true
		case '\n':
			return nil, 0, false
		}
		if i++; i >= len(text) {
			break
		}
		switch c := text[i]; c {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'v':
			out = append(out, '\v')
		case 'u', 'x':
			n := 4
			if c == 'x' {
				n = 2
			}
			if i+n >= len(text) || !isHex(text[i+1:i+1+n]) {
				return nil, 0, false
			}
			// A character of the string's own is kept as JSON writes it, so that
			// pairs of surrogates meet again where the JSON is parsed.
			r := hex(text[i+1 : i+1+n])
			if r < 0x80 {
				out = append(out, byte(r))
			} else {
				out = append(out, '\\', 'u')
				if n == 2 {
					out = append(out, '0', '0')
				}
				out = append(out, text[i+1:i+1+n]...)
			}
			i += n
		default:
			out = append(out, c)
		}
	}
	return nil, 0, false
}

func isHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

func hex(b []byte) int {
	n := 0
	for _, c := range b {
		n *= 16
		switch {
		case c >= 'a':
			n += int(c-'a') + 10
		case c >= 'A':
			n += int(c-'A') + 10
		default:
			n += int(c - '0')
		}
	}
	return n
}

// An object is one thing as all parts of a page state it. The first part that
// states a field wins.
type object []jsonx.Value

func (o object) get(names ...string) jsonx.Value {
	for _, v := range o {
		for _, n := range names {
			if x := v.Get(n); x.Exists() {
				return x
			}
		}
	}
	return jsonx.Value{}
}

func (o object) text(names ...string) string {
	for _, v := range o {
		for _, n := range names {
			if s := strings.TrimSpace(v.Get(n).String()); s != "" {
				return s
			}
		}
	}
	return ""
}

func (o object) sub(name string) object {
	var list object
	for _, v := range o {
		if x := v.Get(name); x.IsObject() {
			list = append(list, x)
		}
	}
	return list
}

// isTrue reports whether any part states true.
func (o object) isTrue(names ...string) bool {
	for _, v := range o {
		for _, n := range names {
			if v.Get(n).Bool() {
				return true
			}
		}
	}
	return false
}

// isFalse reports whether a part states false, and none true.
func (o object) isFalse(name string) bool {
	for _, v := range o {
		if v.Has(name) && v.Get(name).Exists() && !v.Get(name).Bool() {
			return !o.isTrue(name)
		}
	}
	return false
}

// kinds are the members that hold native ids.
func kinds() []string { return []string{"aid", "qid", "uid", "pid", "cid", "tid"} }

// identify tells what an object is: "aid" and the number, …
func identify(o jsonx.Value) (kind, id string) {
	typename := o.Get("__typename").String()
	for _, k := range kinds() {
		if id := o.Get(k).String(); isNumber(id) && id != "0" && fits(typename, k) {
			return k, id
		}
	}
	// "Question@0:1070353" in base64.
	s := o.Get("id").String()
	if len(s) < 8 || len(s) > 200 {
		return "", ""
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", ""
	}
	name, rest, ok := strings.Cut(string(raw), "@")
	_, id, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || !isNumber(id) || id == "0" {
		return "", ""
	}
	switch name {
	case "Answer":
		return "aid", id
	case "Question":
		return "qid", id
	case "User":
		return "uid", id
	case "Post":
		return "pid", id
	case "Comment":
		return "cid", id
	case "Topic":
		return "tid", id
	}
	return "", ""
}

// fits refuses ids of another thing that an object refers to.
func fits(typename, kind string) bool {
	switch typename {
	case "Answer":
		return kind == "aid"
	case "Question":
		return kind == "qid"
	case "User":
		return kind == "uid"
	case "Post":
		return kind == "pid"
	case "Comment":
		return kind == "cid"
	case "Topic":
		return kind == "tid"
	}
	return typename == ""
}

// A store holds the things of a page by kind and native id.
type store struct {
	things map[string]object
	order  []string // "aid 123", in order of appearance
	roots  []jsonx.Value
}

// gather walks the data of a page.
func gather(values []jsonx.Value) *store {
	s := &store{things: map[string]object{}}
	for _, v := range values {
		data := v
		if v.Has("data") {
			data = v.Get("data")
			if p := v.Get("path"); !p.Exists() || len(p.Array()) == 0 {
				s.roots = append(s.roots, data)
			}
		}
		data.Walk(func(o jsonx.Value) bool {
			if kind, id := identify(o); kind != "" {
				key := kind + " " + id
				if _, seen := s.things[key]; !seen {
					s.order = append(s.order, key)
				}
				s.things[key] = append(s.things[key], o)
			}
			return true
		})
	}
	return s
}

func (s *store) thing(kind, id string) object { return s.things[kind+" "+id] }

// ids gives the ids of a kind, in order of appearance.
func (s *store) ids(kind string) []string {
	var list []string
	for _, key := range s.order {
		if id, ok := strings.CutPrefix(key, kind+" "); ok {
			list = append(list, id)
		}
	}
	return list
}

// root gives the id of the thing that the page is about: the member name of the
// first part of a query.
func (s *store) root(name, kind string) string {
	for _, r := range s.roots {
		if k, id := identify(r.Get(name)); k == kind {
			return id
		}
	}
	return ""
}
