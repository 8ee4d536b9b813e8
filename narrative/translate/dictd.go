package translate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A DictdForm says how the articles of a dictd dictionary are read.
type DictdForm struct {
	// Lang is the language that is not English.
	Lang string
	// FromEnglish: the headwords are English, and the articles are turned round.
	FromEnglish bool
	// Prose: articles are running text, as in Mueller's dictionary; otherwise each
	// line has translations.
	Prose bool
}

// ParseDictd reads a dictionary of the dict server: the .index file, and the text
// that it points into (.dict, or .dict.dz, which is gzip). An index line is a
// headword, the offset and the length of its article, in the digits of dictd:
// A–Z a–z 0–9 + /.
func ParseDictd(index, dict io.Reader, form DictdForm) ([]Entry, error) {
	data, err := readDict(dict)
	if err != nil {
		return nil, err
	}
	sc := bufio.NewScanner(io.LimitReader(index, maxDictBytes))
	sc.Buffer(nil, maxDictLine)
	b := dictdBuilder{form: form, at: map[string]int{}, done: map[int64]bool{}}
	for n := 1; sc.Scan(); n++ {
		c := strings.Split(sc.Text(), "\t")
		if len(c) < 3 {
			return nil, fmt.Errorf("%w: line %d of the index has %d columns, not 3", ErrDictionary, n, len(c))
		}
		if strings.HasPrefix(c[0], "00database") || strings.HasPrefix(c[0], "00-database") {
			continue
		}
		from, ok := dictdNumber(c[1])
		size, ok2 := dictdNumber(c[2])
		if !ok || !ok2 || from > int64(len(data)) || size > int64(len(data))-from {
			return nil, fmt.Errorf("%w: line %d of the index points outside the dictionary", ErrDictionary, n)
		}
		// Several index lines may lead to one article.
		if b.done[from] && form.FromEnglish {
			continue
		}
		b.done[from] = true
		if len(b.list) > maxDictEntries {
			return nil, fmt.Errorf("%w: more than %d entries", ErrDictionary, maxDictEntries)
		}
		b.article(data[from : from+min(size, maxArticle)])
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%w: the index: %v", ErrDictionary, err)
	}
	if len(b.list) == 0 {
		return nil, fmt.Errorf("%w: it has no entries", ErrDictionary)
	}
	return b.list, nil
}

// maxArticle is how much of one article is read, in bytes.
const maxArticle = 16 << 10

func readDict(r io.Reader) ([]byte, error) {
	br := bufio.NewReader(r)
	if head, err := br.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrDictionary, err)
		}
		defer z.Close()
		r = z
	} else {
		r = br
	}
	data, err := io.ReadAll(io.LimitReader(r, maxDictBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDictionary, err)
	}
	if len(data) > maxDictBytes {
		return nil, fmt.Errorf("%w: it unpacks to more than %d MiB", ErrDictionary, maxDictBytes>>20)
	}
	return data, nil
}

func dictdNumber(s string) (int64, bool) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	if s == "" || len(s) > 6 {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		d := strings.IndexByte(digits, s[i])
		if d < 0 {
			return 0, false
		}
		n = n<<6 | int64(d)
	}
	return n, true
}

type dictdBuilder struct {
	form DictdForm
	list []Entry
	at   map[string]int // headword → entry
	done map[int64]bool
}

var (
	numbering = regexp.MustCompile(`^\s*(?:\d+[.)]|[a-zа-я]\))\s*`)
	asides    = regexp.MustCompile(`<[^<>]*>|\[[^\[\]]*\]|\([^()]*\)|\{[^{}]*\}|/[^/]*/`)
	seeAlso   = regexp.MustCompile(`^\s*(?:see|see also|synonyms?|antonyms?|note|usage)\s*:|^\s+"`)
)

// article takes one article: its first line is the headword with its sound and
// kind, those that follow are what it means.
func (b *dictdBuilder) article(text []byte) {
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, nil)
	}
	head, body, _ := strings.Cut(string(text), "\n")
	head = strings.TrimSpace(asides.ReplaceAllString(head, " "))
	head, _, _ = strings.Cut(head, ";")
	head = oneLine(head)
	if head == "" || strings.Count(head, " ") >= maxHeadwords {
		return
	}
	var found []string
	if b.form.Prose {
		found = prosePhrases(body)
	} else {
		for _, line := range strings.Split(body, "\n") {
			if seeAlso.MatchString(strings.ToLower(line)) {
				continue
			}
			line = numbering.ReplaceAllString(line, "")
			line = asides.ReplaceAllString(line, " ")
			for _, p := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ';' || r == '|' }) {
				if p = strings.Trim(oneLine(p), " .:!?\"~"); p != "" && strings.Count(p, " ") < 6 {
					found = append(found, p)
				}
			}
		}
	}
	if len(found) > maxGlosses {
		found = found[:maxGlosses]
	}
	if !b.form.FromEnglish {
		b.add(head, found...)
		return
	}
	for _, p := range found {
		if strings.Count(p, " ") < maxHeadwords {
			b.add(p, head)
		}
	}
}

func (b *dictdBuilder) add(head string, glosses ...string) {
	if len(glosses) == 0 {
		return
	}
	i, ok := b.at[head]
	if !ok {
		i = len(b.list)
		b.at[head] = i
		b.list = append(b.list, Entry{Headword: head})
	}
	e := &b.list[i]
	if len(e.Glosses)+len(glosses) <= maxGlosses {
		e.Glosses = append(e.Glosses, glosses...)
	}
}

// prosePhrases gives the phrases of an English-Russian article that are in
// Russian and stand alone; examples, which start in English, are left out.
func prosePhrases(body string) []string {
	body = asides.ReplaceAllString(oneLine(body), ";")
	var list []string
	for _, p := range strings.FieldsFunc(body, func(r rune) bool { return strings.ContainsRune(",;:.)(>0123456789", r) }) {
		p = strings.TrimSpace(p)
		if n := strings.Count(p, " "); p == "" || n > 2 || utf8.RuneCountInString(p) < 3 {
			continue
		}
		cyrillic := true
		for _, r := range p {
			cyrillic = cyrillic && (r == ' ' || r == '-' || unicode.Is(unicode.Cyrillic, r) || r == 0x301)
		}
		if cyrillic {
			list = append(list, p)
		}
	}
	return list
}

// ParseTable reads a dictionary of the user's own: lines of a word, a tab, and its
// English translations separated by semicolons or slashes. Lines that start with
// # are remarks.
func ParseTable(r io.Reader) ([]Entry, error) {
	sc := bufio.NewScanner(io.LimitReader(r, maxDictBytes))
	sc.Buffer(nil, maxDictLine)
	var list []Entry
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimPrefix(sc.Text(), "\ufeff")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		if !utf8.ValidString(line) {
			return nil, fmt.Errorf("%w: line %d is not UTF-8", ErrDictionary, n)
		}
		head, rest, ok := strings.Cut(line, "\t")
		if !ok || strings.TrimSpace(head) == "" {
			return nil, fmt.Errorf("%w: line %d is not a word, a tab and translations", ErrDictionary, n)
		}
		if len(list) >= maxDictEntries {
			return nil, fmt.Errorf("%w: more than %d entries", ErrDictionary, maxDictEntries)
		}
		e := Entry{Headword: oneLine(head)}
		for _, g := range strings.FieldsFunc(rest, func(r rune) bool { return r == ';' || r == '/' || r == '\t' }) {
			if g = oneLine(g); g != "" && len(e.Glosses) < maxGlosses {
				e.Glosses = append(e.Glosses, g)
			}
		}
		if len(e.Glosses) > 0 {
			list = append(list, e)
		}
	}
	if err := sc.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("%w: a line has more than %d KiB", ErrDictionary, maxDictLine>>10)
	} else if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: it has no entries", ErrDictionary)
	}
	return list, nil
}
