package sensitive

import (
	"bufio"
	"bytes"
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The kinds of what a Redactor knows by itself, and that of lists.
const (
	RedactEmail = "email"
	RedactPhone = "phone"
	RedactList  = "name"
)

// minLiteral is the least number of characters of a string on a list: a shorter
// one would hit parts of other words on every page.
const minLiteral = 3

// maxRounds is how often a text is looked through until nothing is found. Each round
// takes one sign @ at least out of a chain like a@b.example@c.example.
const maxRounds = 64

// A Redactor takes strings out of texts: mail addresses, phone numbers, and what
// a list names. In their place stands "redacted-KIND-N", where N tells apart, in
// one Redactor, what was there; it is given in the order of finding and says
// nothing of it. That is safe in HTML, JSON, XML, CSS and addresses.
//
// It sees what is written as character references, percent-encoded, or with the
// escapes of JSON and JavaScript, also one in another, up to three levels. It does
// not see what is parted by markup, split over several texts, or encoded in any
// other way. The zero Redactor finds nothing; it is not safe for concurrent use.
type Redactor struct {
	rules   []rule
	numbers map[string]int // by kind and what was found, in lower case
	next    map[string]int
}

// A rule finds one thing. find gives its places in a text; lower is the text in
// lower case, whose bytes may stand elsewhere.
type rule struct {
	kind string
	find func(text, lower []byte) [][]int
}

// where runs a pattern where the text has one of some words, in lower case: that
// is quick to see, and most texts have none.
func where(re *regexp.Regexp, words ...string) func(text, lower []byte) [][]int {
	return func(text, lower []byte) [][]int {
		for _, w := range words {
			if bytes.Contains(lower, []byte(w)) {
				return re.FindAllIndex(text, -1)
			}
		}
		return nil
	}
}

const gap = `[ \-.()/\x{a0}\x{2009}\x{202f}\x{2010}-\x{2013}]{0,3}`

// The forms are those that package internal/traces reads, and somewhat wider: what
// looks like one goes.
var (
	mailDomain = regexp.MustCompile(`^(?i)[a-z0-9\x{a1}-\x{2e7f}\-]+(?:\.[a-z0-9\x{a1}-\x{2e7f}\-]+)+`)
	spelled    = regexp.MustCompile(`(?i)[a-z0-9._%+'\-]+ *[\[({]at[\])}] *[a-z0-9\-]+(?:(?:\.| *[\[({]dot[\])}] *)[a-z0-9\-]+)+`)
	phones     = regexp.MustCompile(`\+` + gap + `[0-9](?:` + gap + `[0-9]){7,14}`)
	phoneLinks = regexp.MustCompile(`(?i)(?:wa\.me/|[?&;]phone=|\btel:)\+?[0-9][0-9().\-]{5,18}[0-9]`)
)

// Kind adds what is known by itself: RedactEmail or RedactPhone.
func (r *Redactor) Kind(kind string) error {
	switch kind {
	case RedactEmail:
		r.rules = append(r.rules, rule{kind, mails}, rule{kind, where(spelled, "at]", "at)", "at}")})
	case RedactPhone:
		r.rules = append(r.rules, rule{kind, numbers}, rule{kind, where(phoneLinks, "wa.me/", "phone=", "tel:")})
	default:
		return fmt.Errorf("%.40q is not a kind: %s and %s are", kind, RedactEmail, RedactPhone)
	}
	return nil
}

// mails finds mail addresses.
func mails(text, _ []byte) (list [][]int) {
	for at := 0; ; at++ {
		i := bytes.IndexByte(text[at:], '@')
		if i < 0 {
			return list
		}
		at += i
		from := at
		for from > 0 && isLocal(text[from-1]) {
			from--
		}
		if n := len(list); n > 0 {
			from = max(from, list[n-1][1])
		}
		if from == at {
			continue
		}
		if m := mailDomain.FindIndex(text[at+1 : min(len(text), at+1+maxDomain)]); m != nil {
			list = append(list, []int{from, at + 1 + m[1]})
		}
	}
}

// maxDomain bounds, in bytes, what is looked at behind an @.
const maxDomain = 1 << 10

func isLocal(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("._%+'-", c) >= 0
}

// numbers finds phone numbers with their plus sign.
func numbers(text, _ []byte) (list [][]int) {
	for _, m := range phones.FindAllIndex(text, -1) {
		if phoneBegins(text, m[0]) {
			list = append(list, m)
		}
	}
	return list
}

// phoneBegins reports whether a plus sign begins a number, and is not within a
// word, an address or base64.
func phoneBegins(text []byte, from int) bool {
	if from == 0 {
		return true
	}
	c := text[from-1]
	return !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '+' || c == '=')
}

// Read adds a list: one string a line, or /regexp/ in the syntax of Go; blank
// lines and those that begin with # are passed over. Upper and lower case are the
// same, and so are the ways to write a blank. A string is found within words too.
func (r *Redactor) Read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	n, entries := 0, 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		var find func(text, lower []byte) [][]int
		pattern := literal(line)
		if len(line) > 2 && line[0] == '/' && line[len(line)-1] == '/' {
			pattern = line[1 : len(line)-1]
		} else if utf8.RuneCountInString(line) < minLiteral {
			return fmt.Errorf("line %d: %q has less than %d characters, and would be found in other words: write /\\b%s\\b/ for it as a word", n, line, minLiteral, regexp.QuoteMeta(line))
		}
		re, err := regexp.Compile("(?i:" + pattern + ")")
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if re.MatchString("") || re.MatchString("redacted-name-1234567890 redacted-email-1234567890 redacted-phone-1234567890") {
			return fmt.Errorf("line %d: %.80q finds an empty text or what stands in place of what was found", n, line)
		}
		if pattern == literal(line) {
			find = where(re, longestWords(line)...)
		} else {
			find = func(text, _ []byte) [][]int { return re.FindAllIndex(text, -1) }
		}
		r.rules = append(r.rules, rule{RedactList, find})
		entries++
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	if entries == 0 {
		return fmt.Errorf("it has no entry")
	}
	return nil
}

// literal is the pattern of a string.
func literal(s string) string {
	var forms []string
	for _, form := range []string{s, norm.NFC.String(s), norm.NFD.String(s)} {
		words := strings.Fields(form)
		for i, w := range words {
			words[i] = regexp.QuoteMeta(w)
		}
		if p := strings.Join(words, `(?:[\s\x{a0}_+]|%20)+`); !slices.Contains(forms, p) {
			forms = append(forms, p)
		}
	}
	return strings.Join(forms, "|")
}

// longestWords gives, for each form that literal takes, its longest word in lower
// case, and the letters that are equal to others but not by their lower case.
func longestWords(s string) []string {
	words := []string{"\u017f", "\u1e9e"}
	for _, form := range []string{s, norm.NFC.String(s), norm.NFD.String(s)} {
		longest := ""
		for _, w := range strings.Fields(form) {
			if len(w) > len(longest) {
				longest = w
			}
		}
		words = append(words, strings.ToLower(longest))
	}
	return words
}

// A hit is a piece of a text that goes.
type hit struct {
	from, to int
	kind     string
	what     string
}

// Redact gives a text without what goes, and how often each kind was found. The
// text is not changed; it is given back itself where nothing was found. An error
// says that the text does not come to rest.
func (r *Redactor) Redact(text []byte) ([]byte, map[string]int, error) {
	var found map[string]int
	for range maxRounds {
		hits := r.hits(text)
		if len(hits) == 0 {
			return text, found, nil
		}
		if found == nil {
			found = map[string]int{}
		}
		out := make([]byte, 0, len(text)+16*len(hits))
		at := 0
		for _, h := range hits {
			out = append(append(out, text[at:h.from]...), r.name(h.kind, h.what)...)
			at = h.to
			found[h.kind]++
		}
		text = append(out, text[at:]...)
	}
	return nil, nil, fmt.Errorf("after %d rounds there is still something to redact", maxRounds)
}

// String is Redact for a short text; what does not come to rest goes as a whole.
func (r *Redactor) String(s string) string {
	out, _, err := r.Redact([]byte(s))
	if err != nil {
		return "redacted"
	}
	return string(out)
}

func (r *Redactor) name(kind, what string) string {
	if r.numbers == nil {
		r.numbers, r.next = map[string]int{}, map[string]int{}
	}
	key := kind + "\x00" + strings.ToLower(what)
	n, ok := r.numbers[key]
	if !ok {
		r.next[kind]++
		n = r.next[kind]
		r.numbers[key] = n
	}
	return "redacted-" + kind + "-" + strconv.Itoa(n)
}

// maxLevels is how many times escapes may lie in one another.
const maxLevels = 3

// hits gives what goes, in order and without overlaps.
func (r *Redactor) hits(text []byte) []hit {
	list := r.levels(nil, text, true)
	if controls.Match(text) {
		// "\bridge" is a control sign and "ridge" in JSON, and a bridge elsewhere.
		list = r.levels(list, text, false)
	}
	if len(list) == 0 {
		return nil
	}
	_, first := unescape(text, nil, true)
	// What begins or ends within an escape takes all of it, so that no half of one
	// is left. Of several that overlap the first names what they make together.
	slices.SortStableFunc(list, func(a, b hit) int { return a.from - b.from })
	joined := list[:0]
	for _, h := range list {
		h.from, h.to = whole(first, h.from, h.to)
		if n := len(joined); n > 0 && h.from < joined[n-1].to {
			joined[n-1].to = max(joined[n-1].to, h.to)
			continue
		}
		joined = append(joined, h)
	}
	return joined
}

// controls are the escapes that may also be letters behind a backslash.
var controls = regexp.MustCompile(`\\[nrtbf]`)

// levels adds what goes, seen through up to maxLevels of escapes.
func (r *Redactor) levels(list []hit, text []byte, control bool) []hit {
	view, at := text, []int32(nil) // at: where each byte of the view comes from; nil: the same place
	for level := 0; ; level++ {
		lower := bytes.ToLower(view)
		for _, rule := range r.rules {
			for _, m := range rule.find(view, lower) {
				h := hit{m[0], m[1], rule.kind, string(view[m[0]:m[1]])}
				if at != nil {
					h.from, h.to = int(at[m[0]]), int(at[m[1]])
				}
				list = append(list, h)
			}
		}
		if level == maxLevels {
			break
		}
		var changed []int32
		if view, changed = unescape(view, at, control); changed == nil {
			break
		}
		at = changed
	}
	return list
}

// whole widens a range to the escapes that it cuts.
func whole(at []int32, from, to int) (int, int) {
	if at == nil {
		return from, to
	}
	i, exact := slices.BinarySearch(at, int32(from))
	if !exact && i > 0 {
		from = int(at[i-1])
	}
	// A piece of what one escape stands for takes the escape.
	if i, _ = slices.BinarySearch(at, int32(max(to, from+1))); i < len(at) {
		to = int(at[i])
	}
	return from, to
}

// unescape gives a text with its escapes undone, and for each byte of it, and its
// end, where that comes from in the text that from leads to. Where there is no
// escape it gives nil. control says whether those of control signs are undone.
func unescape(text []byte, from []int32, control bool) ([]byte, []int32) {
	if !bytes.ContainsAny(text, `\&%`) {
		return text, nil
	}
	out := make([]byte, 0, len(text))
	at := make([]int32, 0, len(text)+1)
	origin := func(i int) int32 {
		if from == nil {
			return int32(i)
		}
		return from[i]
	}
	changed := false
	for i := 0; i < len(text); {
		var plain []byte
		n := 0
		switch text[i] {
		case '\\':
			plain, n = backslash(text[i:], control)
		case '&':
			plain, n = reference(text[i:])
		case '%':
			if i+2 < len(text) {
				if v, err := strconv.ParseUint(string(text[i+1:i+3]), 16, 8); err == nil {
					plain, n = []byte{byte(v)}, 3
				}
			}
		}
		if n == 0 {
			out, at = append(out, text[i]), append(at, origin(i))
			i++
			continue
		}
		changed = true
		for _, c := range plain {
			out, at = append(out, c), append(at, origin(i))
		}
		i += n
	}
	if !changed {
		return text, nil
	}
	return out, append(at, origin(len(text)))
}

// backslash reads an escape of JSON or JavaScript.
func backslash(s []byte, control bool) ([]byte, int) {
	if len(s) < 2 {
		return nil, 0
	}
	hex := func(from, to int) rune {
		if len(s) < to {
			return -1
		}
		v, err := strconv.ParseUint(string(s[from:to]), 16, 32)
		if err != nil {
			return -1
		}
		return rune(v)
	}
	switch s[1] {
	case 'u':
		r := hex(2, 6)
		if r < 0 {
			return nil, 0
		}
		if utf16.IsSurrogate(r) && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
			if both := utf16.DecodeRune(r, hex(8, 12)); both != utf8.RuneError {
				return utf8.AppendRune(nil, both), 12
			}
		}
		return utf8.AppendRune(nil, r), 6
	case 'x':
		if r := hex(2, 4); r >= 0 {
			return utf8.AppendRune(nil, r), 4
		}
		return nil, 0
	case 'n', 'r', 't', 'b', 'f':
		if control {
			return []byte{' '}, 2
		}
	case '"', '\'', '/', '\\', '@':
		return s[1:2], 2
	}
	return nil, 0
}

// maxReference is the length of the longest character reference that is read.
const maxReference = 34

// reference reads a character reference.
func reference(s []byte) ([]byte, int) {
	end := bytes.IndexByte(s[:min(len(s), maxReference)], ';')
	if end < 2 {
		return nil, 0
	}
	for _, c := range s[1:end] {
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '#') {
			return nil, 0
		}
	}
	in := string(s[:end+1])
	out := html.UnescapeString(in)
	if out == in || strings.HasSuffix(out, ";") && out != ";" {
		return nil, 0 // none, or only a part of it is one
	}
	return []byte(out), end + 1
}
