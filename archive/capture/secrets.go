package capture

import (
	"bytes"
	"slices"
	"strings"
)

// minSecret is the least length of a secret, in bytes: a shorter one would
// black out ordinary text all over an answer.
const minSecret = 4

// placeholder is what a secret's bytes are replaced with, repeated or cut.
const placeholder = "REDACTED"

// secrets finds the values that must not be stored. Each byte of a value is
// recognised as it is and in the forms in which servers and clients repeat it:
//
//	%7C %7c %257C      URL-encoded, once or twice; "+" for a blank
//	\/ \" \u007c \x7c  JSON and JavaScript, up to four backslashes deep
//	&amp; &#124; &#x7c; HTML and XML
//
// mixed in any way, as long as the longest run of letters and digits in the
// value stands as it is. A nil *secrets holds none.
type secrets struct {
	list  []secret
	short bool // a value is shorter than minSecret
}

type secret struct {
	value  string
	anchor string // longest run of letters and digits; "" if there is none
	before int    // bytes of value before anchor
}

// maxForm is the most bytes that one byte of a secret takes ("\\\\u007c" four
// backslashes deep, "&#x0007c;").
const maxForm = 10

func newSecrets(values []string) *secrets {
	if len(values) == 0 {
		return nil
	}
	s := &secrets{}
	// The longest first: one value may be part of another.
	values = slices.Clone(values)
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, v := range slices.Compact(values) {
		s.short = s.short || len(v) < minSecret
		one := secret{value: v}
		for i := 0; i < len(v); i++ {
			j := i
			for j < len(v) && isAlnum(v[j]) {
				j++
			}
			if j-i > len(one.anchor) {
				one.anchor, one.before = v[i:j], i
			}
			i = max(i, j-1)
		}
		s.list = append(s.list, one)
	}
	return s
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// reach is the most bytes that a secret takes in any form.
func (s *secrets) reach() int {
	n := 0
	for _, one := range s.list {
		n = max(n, maxForm*len(one.value))
	}
	return n
}

// find gives the places of secrets in p as pairs of begin and end, in order
// and apart from each other.
func (s *secrets) find(p []byte) (places [][2]int) {
	if s == nil {
		return nil
	}
	for _, one := range s.list {
		for from := 0; from < len(p); {
			begin, end := one.next(p, from)
			if begin < 0 {
				break
			}
			places = append(places, [2]int{begin, end})
			from = end
		}
	}
	if len(s.list) == 1 || len(places) < 2 {
		return places
	}
	slices.SortFunc(places, func(a, b [2]int) int { return a[0] - b[0] })
	merged := places[:1]
	for _, place := range places[1:] {
		if last := &merged[len(merged)-1]; place[0] < last[1] {
			last[1] = max(last[1], place[1])
		} else {
			merged = append(merged, place)
		}
	}
	return merged
}

// next gives the first place at or after from, -1 if there is none.
func (s *secret) next(p []byte, from int) (begin, end int) {
	if s.anchor == "" {
		for i := from; i < len(p); i++ {
			if n := matchForms(p[i:], s.value); n > 0 {
				return i, i + n
			}
		}
		return -1, -1
	}
	for at := from; ; at++ {
		i := bytes.Index(p[at:], []byte(s.anchor))
		if i < 0 {
			return -1, -1
		}
		at += i
		rest := matchForms(p[at:], s.value[s.before:])
		if rest == 0 {
			continue
		}
		for begin := at - s.before; begin >= max(from, at-maxForm*s.before); begin-- {
			if matchForms(p[begin:at], s.value[:s.before]) == at-begin {
				return begin, at + rest
			}
		}
	}
}

// matchForms gives the length of the form of value with which p begins, 0 if
// it begins with none. An empty value has length 0.
func matchForms(p []byte, value string) int {
	n := 0
	for i := 0; i < len(value); i++ {
		forms := [5]int{}
		k := byteForms(p[n:], value[i], &forms)
		switch {
		case k == 0:
			return 0
		case k == 1 || i == len(value)-1:
			n += forms[0]
		default:
			// More than one reading: "%" may begin "%25".
			for _, size := range forms[:k] {
				if rest := matchForms(p[n+size:], value[i+1:]); rest > 0 {
					return n + size + rest
				}
			}
			return 0
		}
	}
	return n
}

// byteForms gives the lengths of the forms of b with which p begins, the
// longest first, and how many there are.
func byteForms(p []byte, b byte, forms *[5]int) (k int) {
	if len(p) == 0 {
		return 0
	}
	add := func(n int) {
		if k < len(forms) {
			forms[k] = n
			k++
		}
	}
	switch p[0] {
	case '%':
		if len(p) >= 5 && p[1] == '2' && p[2] == '5' && isHex(p[3:5], b) {
			add(5)
		}
		if len(p) >= 3 && isHex(p[1:3], b) {
			add(3)
		}
	case '\\':
		i := 0
		for i < len(p) && p[i] == '\\' && i < 4 {
			i++
		}
		rest := p[i:]
		switch {
		case len(rest) >= 5 && rest[0] == 'u' && rest[1] == '0' && rest[2] == '0' && isHex(rest[3:5], b):
			add(i + 5)
		case len(rest) >= 3 && rest[0] == 'x' && isHex(rest[1:3], b):
			add(i + 3)
		case len(rest) >= 1 && rest[0] == b && !isAlnum(b) && b != '\\':
			add(i + 1)
		case b == '\\':
			if i == 4 {
				add(4)
			}
			if i >= 2 {
				add(2)
			}
		}
	case '&':
		if i := bytes.IndexByte(p[:min(len(p), maxForm)], ';'); i > 0 && isEntity(string(p[1:i]), b) {
			add(i + 1)
		}
	case '+':
		if b == ' ' {
			add(1)
		}
	}
	if p[0] == b {
		add(1)
	}
	return k
}

func isHex(two []byte, b byte) bool {
	return hexValue(two[0])<<4|hexValue(two[1]) == int(b)
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1 << 20
}

func isEntity(name string, b byte) bool {
	switch name {
	case "amp":
		return b == '&'
	case "lt":
		return b == '<'
	case "gt":
		return b == '>'
	case "quot":
		return b == '"'
	case "apos":
		return b == '\''
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok || digits == "" {
		return false
	}
	base, n := 10, 0
	if digits[0] == 'x' || digits[0] == 'X' {
		base, digits = 16, digits[1:]
	}
	for i := 0; i < len(digits); i++ {
		v := hexValue(digits[i])
		if v < 0 || v >= base {
			return false
		}
		n = n*base + v
	}
	return digits != "" && n == int(b)
}

// redact replaces the secrets in p and says how many places that were.
func (s *secrets) redact(p []byte) int {
	places := s.find(p)
	for _, place := range places {
		for i := place[0]; i < place[1]; i++ {
			p[i] = placeholder[(i-place[0])%len(placeholder)]
		}
	}
	return len(places)
}

// hide gives text without secrets.
func (s *secrets) hide(text string) string {
	if s == nil {
		return text
	}
	p := []byte(text)
	if s.redact(p) == 0 {
		return text
	}
	return string(p)
}

// in reports whether text holds a secret.
func (s *secrets) in(text string) bool { return s != nil && len(s.find([]byte(text))) > 0 }
