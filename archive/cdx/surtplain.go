package cdx

import (
	"bytes"
	"strings"
)

// The bytes that the parts of a plain URL are of.
const (
	plainHost  = 1 << iota // a-z 0-9 - .
	plainPath              // letters, digits, - _ ~ . /
	plainQuery             // the same, = and &
)

var plainBytes = func() (t [256]uint8) {
	for c := range 256 {
		b := byte(c)
		letter, digit := b >= 'a' && b <= 'z', b >= '0' && b <= '9'
		if letter || digit || b == '-' || b == '.' {
			t[c] |= plainHost
		}
		if letter || digit || b >= 'A' && b <= 'Z' || strings.IndexByte("-_~./", b) >= 0 {
			t[c] |= plainPath | plainQuery
		}
		if b == '=' || b == '&' {
			t[c] |= plainQuery
		}
	}
	return t
}()

// plainSURT is SURT for URLs of http and https in which nothing is to be
// escaped, unescaped or taken away, as most are: it takes a fifth of the time. It
// reports false for any other.
func plainSURT(url string) (string, bool) {
	rest, ok := strings.CutPrefix(url, "http")
	if !ok {
		return "", false
	}
	rest = strings.TrimPrefix(rest, "s")
	if rest, ok = strings.CutPrefix(rest, "://"); !ok {
		return "", false
	}
	end := 0
	for end < len(rest) && plainBytes[rest[end]]&plainHost != 0 {
		end++
	}
	host, rest := rest[:end], rest[end:]
	for {
		name, ok := cutWWW(host)
		if !ok || name == "" {
			break
		}
		host = name
	}
	if host == "" || rest != "" && rest[0] != '/' {
		return "", false
	}
	b := make([]byte, 0, len(url)+1)
	for at := len(host); ; {
		dot := strings.LastIndexByte(host[:at], '.')
		label := host[dot+1 : at]
		// Empty labels are taken away, and a last label of digits may be that of an address.
		if label == "" || at == len(host) && (label[0] < 'a' || label[0] > 'z') {
			return "", false
		}
		if b = append(b, label...); dot < 0 {
			break
		}
		b = append(b, ',')
		at = dot
	}
	b = append(b, ')')
	path, query, _ := strings.Cut(rest, "?")
	for i := 0; i < len(path); i++ {
		c := path[i]
		if plainBytes[c]&plainPath == 0 || (c == '/' || c == '.') && i > 0 && path[i-1] == '/' {
			return "", false // doubled slashes, dot segments
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	if path == "" {
		b = append(b, '/')
	} else if len(path) > 1 && path[len(path)-1] == '/' {
		b = b[:len(b)-1]
	}
	if query == "" {
		return string(b), true
	}
	b = append(b, '?')
	start := len(b)
	for i := 0; i < len(query); i++ {
		c := query[i]
		if plainBytes[c]&plainQuery == 0 {
			return "", false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	if q := b[start:]; bytes.Contains(q, []byte("sid=")) || bytes.Contains(q, []byte("sessionid")) || bytes.Contains(q, []byte("cfid=")) {
		return "", false
	}
	if bytes.IndexByte(b[start:], '&') >= 0 && !argumentsSorted(b[start:]) {
		sorted := sortArguments(string(b[start:]))
		b = append(b[:start], sorted...)
	}
	return string(b), true
}

// argumentsSorted reports whether each argument has another name than the one
// before, and a later one.
func argumentsSorted(query []byte) bool {
	var before []byte
	for first, more := true, true; more; first = false {
		var arg []byte
		arg, query, more = bytes.Cut(query, []byte("&"))
		name, _, _ := bytes.Cut(arg, []byte("="))
		if !first && bytes.Compare(before, name) >= 0 {
			return false
		}
		before = name
	}
	return true
}
