package importers

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

var errBroken = errors.New("broken JSON")

// members calls f for each member of the JSON object in raw, its value as it
// stands. It reads no deeper than it must: a value is checked by whoever
// decodes it. It gives errBroken where raw is no object or ends early.
func members(raw []byte, f func(key string, value []byte)) error {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return errBroken
	}
	for i = space(raw, i+1); i < len(raw) && raw[i] != '}'; {
		if raw[i] != '"' {
			return errBroken
		}
		end, ok := skipString(raw, i)
		if !ok {
			return errBroken
		}
		key := unquote(raw[i:end])
		if i = space(raw, end); i >= len(raw) || raw[i] != ':' {
			return errBroken
		}
		i = space(raw, i+1)
		if end, ok = skipValue(raw, i); !ok || end == i {
			return errBroken
		}
		f(key, raw[i:end])
		if i = space(raw, end); i < len(raw) && raw[i] == ',' {
			i = space(raw, i+1)
		} else if i < len(raw) && raw[i] != '}' {
			return errBroken
		}
	}
	if i >= len(raw) {
		return errBroken
	}
	if space(raw, i+1) != len(raw) {
		return errors.New("broken JSON: text after the object")
	}
	return nil
}

func space(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r') {
		i++
	}
	return i
}

// skipString gives the place behind the string that begins at i.
func skipString(raw []byte, i int) (int, bool) {
	for at := i + 1; ; {
		n := bytes.IndexByte(raw[at:], '"')
		if n < 0 {
			return 0, false
		}
		at += n
		back := 0
		for raw[at-1-back] == '\\' && at-1-back > i {
			back++
		}
		at++
		if back%2 == 0 {
			return at, true
		}
	}
}

func skipValue(raw []byte, i int) (int, bool) {
	depth := 0
	for i < len(raw) {
		switch c := raw[i]; c {
		case '"':
			end, ok := skipString(raw, i)
			if !ok {
				return 0, false
			}
			i = end
		case '{', '[':
			depth++
			i++
		case '}', ']', ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i, true
			}
			if c == '}' || c == ']' {
				depth--
			}
			i++
		default:
			i++
			continue
		}
		if depth == 0 {
			return i, true
		}
	}
	return i, depth == 0
}

func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// text gives a JSON string, or the digits of a number.
func text(raw []byte) string {
	if len(raw) > 1 && raw[0] == '"' {
		return unquote(raw)
	}
	if _, err := strconv.ParseFloat(string(raw), 64); err == nil {
		return string(raw)
	}
	return ""
}
