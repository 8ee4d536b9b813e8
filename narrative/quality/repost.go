package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/refrain-archive/refrain/narrative/text"
)

type document struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

type query struct {
	Transform string  `json:"transform"`
	Origin    *string `json:"origin"`
	Text      string  `json:"text"`
}

// lines reads a gzipped file of JSON lines.
func lines[T any](path string, yield func(T) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	d := json.NewDecoder(z)
	for n := 1; ; n++ {
		var x T
		if err := d.Decode(&x); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: record %d: %w", path, n, err)
		}
		if err := yield(x); err != nil {
			return err
		}
	}
}

// A bench is an index with its queries.
type bench struct {
	texts   map[string]string
	order   []string
	queries []query
	ix      *text.Index
	close   func()
	tokens  map[string][]string
}

func openBench(dir string) (*bench, error) {
	b := &bench{texts: map[string]string{}, tokens: map[string][]string{}}
	err := lines(filepath.Join(dir, "repost-bench", "index.jsonl.gz"), func(d document) error {
		b.texts[d.ID] = d.Text
		b.order = append(b.order, d.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = lines(filepath.Join(dir, "repost-bench", "queries.jsonl.gz"), func(q query) error {
		b.queries = append(b.queries, q)
		return nil
	})
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "quality-")
	if err != nil {
		return nil, err
	}
	b.close = func() { os.RemoveAll(tmp) }
	if b.ix, err = text.Open(tmp, text.Options{}); err != nil {
		b.close()
		return nil, err
	}
	b.close = func() { b.ix.Close(); os.RemoveAll(tmp) }
	for _, id := range b.order {
		if _, err := b.ix.Add(context.Background(), text.Doc{Key: id, Text: b.texts[id]}); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

// An answer is what one query found.
type answer struct {
	query
	origin  float64 // score of the origin; 0 when it was not found
	false_  []text.Match
	reuse   int // links that count neither way
	matches []text.Match
}

// ask runs the queries. For texts that were posted by several accounts the
// origin is any post with that text.
func (b *bench) ask(queries []query) ([]answer, error) {
	var answers []answer
	for _, q := range queries {
		matches, err := b.ix.Query(q.Text)
		if err != nil {
			return nil, err
		}
		a := answer{query: q, matches: matches}
		for _, m := range matches {
			keys, err := b.ix.Copies(m.Text)
			if err != nil {
				return nil, err
			}
			isOrigin := false
			for _, k := range keys {
				isOrigin = isOrigin || q.Origin != nil && k == *q.Origin
			}
			switch {
			case isOrigin:
				a.origin = m.Score
			case b.trueReuse(q, m.Key):
				a.reuse++
			default:
				a.false_ = append(a.false_, m)
			}
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// trueReuse: the found text shares at least 0.6 of the shorter text's words, and
// five, in order with the query or with its origin.
func (b *bench) trueReuse(q query, key string) bool {
	found := b.words(key, b.texts[key])
	if shares(plainWords(q.Text), found) {
		return true
	}
	return q.Origin != nil && shares(b.words(*q.Origin, b.texts[*q.Origin]), found)
}

func (b *bench) words(key, s string) []string {
	w, ok := b.tokens[key]
	if !ok {
		w = plainWords(s)
		b.tokens[key] = w
	}
	return w
}

func shares(a, b []string) bool {
	n := commonSubsequence(a, b)
	return n >= 5 && float64(n) >= 0.6*float64(min(len(a), len(b)))
}

// plainWords is the metric's own idea of words, which owes nothing to the index:
// NFKC, lower case, links dropped, single CJK characters, the first 400.
func plainWords(s string) []string {
	s = strings.ToLower(norm.NFKC.String(s))
	var list []string
	for _, f := range strings.Fields(s) {
		if strings.HasPrefix(f, "http://") || strings.HasPrefix(f, "https://") {
			continue
		}
		var w strings.Builder
		end := func() {
			if w.Len() > 0 {
				list = append(list, w.String())
				w.Reset()
			}
		}
		for _, r := range f {
			switch {
			case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
				end()
				list = append(list, string(r))
			case unicode.IsLetter(r), unicode.IsDigit(r):
				w.WriteRune(r)
			case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Mn, r):
			default:
				end()
			}
		}
		end()
		if len(list) >= 400 {
			return list[:400]
		}
	}
	return list
}

func commonSubsequence(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// A tally sums up answers at one threshold.
type tally struct {
	asked, found map[string]int
	false_       map[string]int
}

func count(answers []answer, threshold float64) tally {
	t := tally{asked: map[string]int{}, found: map[string]int{}, false_: map[string]int{}}
	for _, a := range answers {
		t.asked[a.Transform]++
		if a.Origin != nil && a.origin >= threshold {
			t.found[a.Transform]++
		}
		for _, m := range a.false_ {
			if m.Score >= threshold {
				t.false_[a.Transform]++
			}
		}
	}
	return t
}

// figures gives precision, recall, F1, the lowest recall of a transform with its
// name, and false links per 1,000 queries without an origin.
func (t tally) figures() (p, r, f1, lowest float64, worst string, perThousand float64) {
	tp, links, asked := 0, 0, 0
	lowest = 2
	for name, n := range t.asked {
		links += t.false_[name]
		if name == "neg" {
			perThousand = 1000 * float64(t.false_[name]) / float64(n)
			continue
		}
		asked += n
		tp += t.found[name]
		if q := float64(t.found[name]) / float64(n); q < lowest || q == lowest && name < worst {
			lowest, worst = q, name
		}
	}
	if tp == 0 {
		return 0, 0, 0, 0, worst, perThousand
	}
	p, r = float64(tp)/float64(tp+links), float64(tp)/float64(asked)
	return p, r, 2 * p * r / (p + r), lowest, worst, perThousand
}

// half tells in which half of the data a query is: constants were chosen on
// half 0. Queries of one origin are in one half.
func half(q query) int {
	h := fnv.New32a()
	if q.Origin != nil {
		io.WriteString(h, *q.Origin)
	} else {
		io.WriteString(h, q.Text)
	}
	return int(h.Sum32()>>7) & 1
}

func repostBench(dir string, o options) ([]Table, error) {
	b, err := openBench(dir)
	if err != nil {
		return nil, err
	}
	defer b.close()
	queries := b.queries
	if o.each > 1 {
		queries = nil
		for i, q := range b.queries {
			if i%o.each == 0 {
				queries = append(queries, q)
			}
		}
	}
	answers, err := b.ask(queries)
	if err != nil {
		return nil, err
	}
	return tabulate("repost-bench", answers, b, o), nil
}

func tabulate(part string, answers []answer, b *bench, o options) []Table {
	var halves [2][]answer
	for _, a := range answers {
		h := half(a.query)
		halves[h] = append(halves[h], a)
	}
	sum := Table{Part: part, Title: fmt.Sprintf("linking at score %.2f", text.LinkThreshold),
		Columns: []string{"queries", "F1", "precision", "recall", "lowest recall", "of", "false per 1,000 unlinked", "best F1", "at"}}
	row := func(name string, answers []answer) {
		p, r, f1, low, worst, neg := count(answers, text.LinkThreshold).figures()
		best, at := 0.0, 0.0
		for x := text.PossibleThreshold; x < 0.95; x += 0.01 {
			if _, _, f, _, _, _ := count(answers, x).figures(); f > best {
				best, at = f, x
			}
		}
		sum.Rows = append(sum.Rows, []string{name, f3(f1), f3(p), f3(r), f3(low), worst, fmt.Sprintf("%.1f", neg), f3(best), fmt.Sprintf("%.2f", at)})
	}
	row(fmt.Sprintf("all %d", len(answers)), answers)
	row("half the constants were chosen on", halves[0])
	row("other half", halves[1])
	each := Table{Part: part, Title: "recall of each change", Columns: []string{"change", "queries", "recall", "chosen-on half", "other half", "false links"}}
	t, t0, t1 := count(answers, text.LinkThreshold), count(halves[0], text.LinkThreshold), count(halves[1], text.LinkThreshold)
	names := make([]string, 0, len(t.asked))
	for name := range t.asked {
		names = append(names, name)
	}
	sort.Strings(names)
	share := func(t tally, name string) string {
		if name == "neg" || t.asked[name] == 0 {
			return "-"
		}
		return f3(float64(t.found[name]) / float64(t.asked[name]))
	}
	for _, name := range names {
		each.Rows = append(each.Rows, []string{name, fmt.Sprint(t.asked[name]), share(t, name), share(t0, name), share(t1, name), fmt.Sprint(t.false_[name])})
	}
	if o.show > 0 {
		shown := map[string]int{}
		for _, a := range answers {
			if half(a.query) != 0 {
				continue // the other half is not looked at
			}
			for _, m := range a.false_ {
				if m.Score >= text.LinkThreshold {
					if shown["false "+a.Transform]++; shown["false "+a.Transform] <= o.show {
						each.Notes = append(each.Notes, fmt.Sprintf("false %.2f %s %s (%s)\n      %s\n      %s", m.Score, a.Transform, m.Kind, m.Why(), brief(a.Text), brief(b.texts[m.Key])))
					}
				}
			}
			if a.Origin != nil && a.origin < text.LinkThreshold {
				if shown["missed "+a.Transform]++; shown["missed "+a.Transform] <= o.show {
					each.Notes = append(each.Notes, fmt.Sprintf("missed %.2f %s\n      %s\n      %s", a.origin, a.Transform, brief(a.Text), brief(b.texts[*a.Origin])))
				}
			}
		}
	}
	return []Table{sum, each}
}

func brief(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 260 {
		r = append(r[:260], '…')
	}
	return string(r)
}

func f3(x float64) string { return fmt.Sprintf("%.3f", x) }
