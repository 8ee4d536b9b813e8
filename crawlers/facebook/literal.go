package facebook

import (
	"bytes"

	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/jsonx"
)

// scriptData gives the values in a script that hold one of keys: JSON or literals
// that are assigned, or handed to a function, in it.
func scriptData(script []byte, wanted func([]byte) bool) []jsontree.Value {
	const tries = 80 // braces of functions around the data
	var found []jsontree.Value
	rest := script
	for range tries {
		i := bytes.IndexAny(rest, "{[")
		if i < 0 {
			return found
		}
		rest = rest[i:]
		raw, ok := jsonx.Balanced(rest)
		if !ok {
			rest = rest[1:]
			continue
		}
		if !wanted(raw) {
			rest = rest[len(raw):]
			continue
		}
		if v, err := jsontree.Parse(raw); err == nil {
			found = append(found, v)
			rest = rest[len(raw):]
			continue
		}
		if isLiteral(raw) {
			if v, err := jsontree.Parse(relax(raw)); err == nil {
				found = append(found, v)
				rest = rest[len(raw):]
				continue
			}
		}
		rest = rest[1:]
	}
	return found
}

// isLiteral reports whether text may be an object or array of data whose keys
// stand without quotes, not the body of a function.
func isLiteral(text []byte) bool {
	if text[0] == '[' {
		return true
	}
	inside := bytes.TrimLeft(text[1:], " \t\r\n")
	n := 0
	for n < len(inside) && nameByte(inside[n]) {
		n++
	}
	if n == 0 {
		return len(inside) > 0 && inside[0] == '"'
	}
	after := bytes.TrimLeft(inside[n:], " \t\r\n")
	return len(after) > 0 && after[0] == ':'
}

func nameByte(c byte) bool {
	return c == '_' || c == '$' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// relax writes a literal of a script as JSON: keys get quotes, \x3C becomes <,
// !0 and !1 become true and false, undefined and void 0 become null. What it does not
// know it leaves, and the parser refuses.
func relax(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(text)/8)
	key := false // a key may stand here
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '"':
			end := i + 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			out = appendString(out, text[i:min(end+1, len(text))])
			i, key = end+1, false
		case c == '{' || c == ',':
			out = append(out, c)
			i++
			key = true
		case c == '!' && i+1 < len(text) && (text[i+1] == '0' || text[i+1] == '1'):
			if text[i+1] == '0' {
				out = append(out, "true"...)
			} else {
				out = append(out, "false"...)
			}
			i += 2
		case c == '_' || c == '$' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || key && c >= '0' && c <= '9':
			end := i
			for end < len(text) && nameByte(text[end]) {
				end++
			}
			word := text[i:end]
			after := bytes.TrimLeft(text[end:min(end+8, len(text))], " \t\r\n")
			switch {
			case key && len(after) > 0 && after[0] == ':':
				out = append(out, '"')
				out = append(out, word...)
				out = append(out, '"')
			case string(word) == "undefined":
				out = append(out, "null"...)
			case string(word) == "void":
				out = append(out, "null"...)
				for end < len(text) && (text[end] == ' ' || text[end] == '0') {
					end++
				}
			default:
				out = append(out, word...)
			}
			i, key = end, false
		default:
			if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				key = false
			}
			out = append(out, c)
			i++
		}
	}
	return out
}

// appendString copies a string of a script as JSON has it.
func appendString(out, s []byte) []byte {
	if bytes.IndexByte(s, '\\') < 0 {
		return append(out, s...)
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'x':
			out = append(out, '\\', 'u', '0', '0')
		case '\'':
			out = append(out, '\'')
		case 'v', '0':
			out = append(out, ' ')
		default:
			out = append(out, '\\', s[i])
		}
	}
	return out
}

// scripts calls f for each script of a page that wanted accepts.
func scripts(body []byte, wanted func([]byte) bool, f func(script []byte)) {
	for rest := body; ; {
		i := bytes.Index(rest, []byte("<script"))
		if i < 0 {
			return
		}
		rest = rest[i+len("<script"):]
		open := bytes.IndexByte(rest, '>')
		if open < 0 {
			return
		}
		script := rest[open+1:]
		if end := bytes.Index(script, []byte("</script")); end >= 0 {
			script, rest = script[:end], script[end:]
		} else {
			rest = nil
		}
		if wanted(script) {
			f(script)
		}
	}
}
