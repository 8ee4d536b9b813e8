package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/narrative/translate"
)

// A parallel is a set of texts with their translations into English.
type parallel struct {
	name        string
	lang        string
	foreign     []string
	english     []string
	distractors bool
	tuned       bool // the weights of the score were fitted on half of it
	fromEnglish bool // the English text is the query
	neighbours  int  // texts so near in the file may tell the same story; 0: no others do
	openSet     bool
}

// neighbouring is how many lines of the WMT22 file on either side may be of the
// same document: the file does not say where documents end, and the longest of
// that year has some 40 segments.
const neighbouring = 40

// crosslingual asks for the English translation of texts in other languages, and
// how many texts get a link when theirs is not there.
func crosslingual(dir string, o options) ([]Table, error) {
	folder := filepath.Join(dir, "crosslingual")
	if _, err := os.Stat(folder); err != nil {
		return nil, err
	}
	dicts, from, err := findDictionaries()
	if err != nil {
		return nil, err
	}
	sets, err := parallels(folder)
	if err != nil {
		return nil, err
	}
	distractors, err := englishPosts(filepath.Join(dir, "ira-2017-08", "posts.csv.gz"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	found := Table{Part: "crosslingual", Title: "texts whose translation is in the index",
		Columns: []string{"set", "texts", "P@1", "hit@5", "best F1", "recall at P>=0.95", fmt.Sprintf("linked (%.2f)", translate.LinkThreshold), "precision of links"},
		Notes: []string{
			"best F1 and recall at P>=0.95 take the threshold that fits the set best, and are used nowhere; linked and its precision are at the product's thresholds",
			"+20,000: beside the translations the index holds 20,000 English posts of August 2017; unseen: the half, by a hash of the text, on which nothing was fitted",
			"dictionaries: " + from,
		}}
	open := Table{Part: "crosslingual", Title: "texts whose translation is not in the index: false links per 1,000",
		Columns: []string{"set", "texts", "index", "by words", "with numbers or names", "of those to posts", "possible"},
		Notes:   []string{"other texts: the English side of the same set without the translation and what stands within 40 lines of it (its document), and 20,000 posts; some of what is counted as false tells the same story"}}
	for _, s := range sets {
		if !slices.Contains(dicts.Languages(), s.lang) {
			found.Notes = append(found.Notes, fmt.Sprintf("left out: %s, as no dictionary of %q is there (refrain data fetch %s)", s.name, s.lang, s.lang))
			continue
		}
		if s.distractors && len(distractors) == 0 {
			found.Notes = append(found.Notes, "left out: "+s.name+", as ira-2017-08/posts.csv.gz is absent")
			continue
		}
		var beside []string
		if s.distractors {
			beside = distractors
		}
		rows, falses, err := s.measure(dicts, beside, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		found.Rows = append(found.Rows, rows...)
		open.Rows = append(open.Rows, falses...)
	}
	return []Table{found, open}, nil
}

// findDictionaries loads the dictionaries of REFRAIN_DICTIONARIES, or those that
// tools/setup.sh fetched for the tests.
func findDictionaries() (*translate.Dictionaries, string, error) {
	dir := os.Getenv("REFRAIN_DICTIONARIES")
	if dir == "" {
		at, err := os.Getwd()
		if err != nil {
			return nil, "", err
		}
		for {
			dir = filepath.Join(at, "tools", "dictionaries")
			if _, err := os.Stat(dir); err == nil {
				break
			}
			if filepath.Dir(at) == at {
				return nil, "", fmt.Errorf("dictionaries: set REFRAIN_DICTIONARIES to their folder, or run tools/setup.sh: %w", fs.ErrNotExist)
			}
			at = filepath.Dir(at)
		}
	}
	d, err := translate.Load(dir)
	if err != nil {
		return nil, "", err
	}
	var names []string
	for _, i := range d.Infos() {
		names = append(names, i.Name)
	}
	if len(names) == 0 {
		return nil, "", fmt.Errorf("dictionaries: none in %s: %w", dir, fs.ErrNotExist)
	}
	return d, strings.Join(names, ", "), nil
}

// freshText tells whether a text is in the half on which nothing was fitted.
func freshText(text string) bool {
	h := fnv.New32a()
	h.Write([]byte(text)) //nolint:errcheck // cannot fail
	return h.Sum32()>>7&1 == 1
}

type answered struct {
	score  float64
	right  bool // the best is the translation
	five   bool // it is among the best five
	linked bool // the best is linked
}

func (s parallel) measure(dicts *translate.Dictionaries, beside []string, o options) (found, open [][]string, err error) {
	ctx := context.Background()
	ix, err := translate.Open("", translate.Options{Dictionaries: dicts})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, ix.Close()) }()
	asked, there := s.foreign, s.english
	askLang, thereLang := s.lang, translate.English
	if s.fromEnglish {
		asked, there, askLang, thereLang = there, asked, thereLang, askLang
	}
	number := map[uint32][]int{} // text of the index → lines
	for i, text := range there {
		r, err := ix.Add(ctx, translate.Doc{Key: fmt.Sprint(i), Text: text, Lang: thereLang})
		if err != nil {
			return nil, nil, err
		}
		number[r.Text] = append(number[r.Text], i)
	}
	for i, text := range beside {
		if _, err := ix.Add(ctx, translate.Doc{Key: fmt.Sprint("beside ", i), Text: text, Lang: translate.English}); err != nil {
			return nil, nil, err
		}
	}
	var all, fresh []answered
	var falses, freshFalses falseLinks
	shown := 0
	for i, text := range asked {
		if i%o.each != 0 {
			continue
		}
		matches, err := ix.Nearest(translate.Doc{Text: text, Lang: askLang}, 20)
		if err != nil {
			return nil, nil, err
		}
		var a answered
		for n, m := range matches {
			right := slices.Contains(number[m.Text], i)
			if n == 0 {
				a.score, a.right, a.linked = m.Score, right, m.Linked()
			}
			a.five = a.five || n < 5 && right
		}
		if !a.right && shown < o.show {
			shown++
			fmt.Fprintf(os.Stderr, "%s: %s\n", s.name, text)
			if len(matches) > 0 {
				fmt.Fprintf(os.Stderr, "    answer %.2f: %s\n", a.score, ix.Copies(matches[0].Text)[0])
			}
			fmt.Fprintf(os.Stderr, "    wanted:      %s\n", there[i])
		}
		all = append(all, a)
		f := falses.of(matches, func(m translate.Match) (own, post bool) {
			own = slices.ContainsFunc(number[m.Text], func(j int) bool { return j >= i-s.neighbours && j <= i+s.neighbours })
			return own, number[m.Text] == nil
		})
		if s.tuned && freshText(asked[i]) {
			fresh = append(fresh, a)
			freshFalses.add(f)
		}
		falses.add(f)
	}
	found = append(found, figures(s.name, all))
	if s.tuned {
		found = append(found, figures(s.name+", unseen", fresh))
	}
	if s.openSet {
		open = append(open, falses.row(s.name))
		if s.tuned {
			open = append(open, freshFalses.row(s.name+", unseen"))
		}
	}
	return found, open, nil
}

// falseLinks counts texts that got a link although their translation is absent.
type falseLinks struct{ texts, words, other, posts, possible int }

// of counts the links of one text. own: the match is taken as absent; post: it is
// one of the posts beside the set.
func (*falseLinks) of(matches []translate.Match, is func(translate.Match) (own, post bool)) falseLinks {
	one := falseLinks{texts: 1}
	for _, m := range matches {
		own, post := is(m)
		if own {
			continue
		}
		if m.Score >= translate.LinkThreshold {
			one.words = 1
		}
		if m.Linked() {
			one.other = 1
			if post {
				one.posts = 1
			}
		}
		if m.Score >= translate.PossibleThreshold {
			one.possible = 1
		}
	}
	return one
}

func (f *falseLinks) add(x falseLinks) {
	f.texts += x.texts
	f.words += x.words
	f.other += x.other
	f.posts += x.posts
	f.possible += x.possible
}

func (f falseLinks) row(name string) []string {
	per := func(n int) string { return fmt.Sprintf("%.1f", 1000*float64(n)/float64(max(f.texts, 1))) }
	return []string{name, fmt.Sprint(f.texts), "other texts", per(f.words), per(f.other), per(f.posts), per(f.possible)}
}

func figures(name string, list []answered) []string {
	n := float64(max(len(list), 1))
	var one, five, linked, rightly float64
	for _, a := range list {
		if a.right {
			one++
		}
		if a.five {
			five++
		}
		if a.linked {
			linked++
			if a.right {
				rightly++
			}
		}
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(x, y answered) int {
		switch {
		case x.score > y.score:
			return -1
		case x.score < y.score:
			return 1
		}
		return 0
	})
	best, recall, right := 0.0, 0.0, 0.0
	for i, a := range sorted {
		if a.right {
			right++
		}
		best = max(best, 2*right/(n+float64(i+1)))
		if right/float64(i+1) >= 0.95 {
			recall = right / n
		}
	}
	return []string{name, fmt.Sprint(len(list)), f3(one / n), f3(five / n), f3(best), f3(recall), f3(rightly / n), f3(rightly / max(linked, 1))}
}

// parallels reads the sets that the folder has.
func parallels(folder string) ([]parallel, error) {
	var sets []parallel
	read := func(name string) []string {
		lines, err := textLines(filepath.Join(folder, name))
		if err != nil {
			return nil
		}
		return lines
	}
	for _, l := range []struct{ code, lang, name string }{{"cmn", "zh", "Chinese"}, {"rus", "ru", "Russian"}, {"spa", "es", "Spanish"}} {
		foreign, english := read(fmt.Sprintf("tatoeba.%s-eng.%s", l.code, l.code)), read(fmt.Sprintf("tatoeba.%s-eng.eng", l.code))
		if len(foreign) > 0 && len(foreign) == len(english) {
			sets = append(sets, parallel{name: "Tatoeba " + l.name, lang: l.lang, foreign: foreign, english: english})
		}
	}
	source := read("wmt22.zh-en.src.zh.gz")
	human, machine := read("wmt22.zh-en.refA.en.gz"), read("wmt22.zh-en.mt.Online-B.en.gz")
	if len(source) > 0 && len(source) == len(human) && len(source) == len(machine) {
		all := parallel{name: "WMT22 zh, human translation", lang: "zh", foreign: source, english: human, tuned: true}
		mt := parallel{name: "WMT22 zh, machine translation", lang: "zh", foreign: source, english: machine, tuned: true}
		sets = append(sets, all, mt)
		for _, s := range []parallel{mt, all} {
			s.name += ", >=20 characters"
			s.foreign, s.english = nil, nil
			from := machine
			if strings.Contains(s.name, "human") {
				from = human
			}
			for i, text := range source {
				if utf8.RuneCountInString(strings.TrimSpace(text)) >= 20 {
					s.foreign, s.english = append(s.foreign, text), append(s.english, from[i])
				}
			}
			sets = append(sets, s)
			s.name += ", +20,000"
			s.distractors, s.openSet, s.neighbours = true, true, neighbouring
			sets = append(sets, s)
			if strings.Contains(s.name, "human") {
				back := s
				back.name = "WMT22 zh, English asked, >=20 characters"
				back.fromEnglish, back.distractors, back.tuned = true, false, false
				sets = append(sets, back)
			}
		}
		all.name += ", +20,000"
		all.distractors, all.openSet, all.neighbours = true, true, neighbouring
		sets = append(sets, all)
	}
	for _, d := range []struct{ file, lang, name string }{{"wmt22.en-zh.all.xml.gz", "zh", "WMT22 en-zh"}, {"wmt22.ru-en.all.xml.gz", "ru", "WMT22 ru-en"}} {
		docs, err := wmtDocuments(filepath.Join(folder, d.file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		whole := parallel{name: d.name + ", documents", lang: d.lang, openSet: true}
		segments := parallel{name: d.name + ", segments", lang: d.lang, neighbours: neighbouring}
		for _, doc := range docs {
			foreign, english := doc.src, doc.ref
			if d.name == "WMT22 en-zh" {
				foreign, english = english, foreign
			}
			whole.foreign, whole.english = append(whole.foreign, strings.Join(foreign, "\n")), append(whole.english, strings.Join(english, "\n"))
			segments.foreign, segments.english = append(segments.foreign, foreign...), append(segments.english, english...)
		}
		sets = append(sets, segments)
		segments.name, segments.distractors, segments.openSet = segments.name+", +20,000", true, true
		sets = append(sets, segments, whole)
		whole.name, whole.distractors = whole.name+", +20,000", true
		sets = append(sets, whole)
	}
	return sets, nil
}

func textLines(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	var lines []string
	for sc.Scan() {
		lines = append(lines, sc.Text())
	}
	return lines, sc.Err()
}

type wmtDocument struct{ src, ref []string }

// wmtDocuments reads the source and the first reference of each document.
func wmtDocuments(name string) ([]wmtDocument, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	type segments struct {
		Seg []string `xml:"p>seg"`
	}
	var file struct {
		Docs []struct {
			Src segments   `xml:"src"`
			Ref []segments `xml:"ref"`
		} `xml:"collection>doc"`
	}
	if err := xml.NewDecoder(z).Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var docs []wmtDocument
	for _, d := range file.Docs {
		if len(d.Ref) > 0 && len(d.Ref[0].Seg) == len(d.Src.Seg) {
			docs = append(docs, wmtDocument{d.Src.Seg, d.Ref[0].Seg})
		}
	}
	return docs, nil
}

// manyPosts is how many English posts stand beside the translations.
const manyPosts = 20000

func englishPosts(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := csv.NewReader(z)
	var list []string
	for len(list) < manyPosts {
		row, err := c.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(row) > 3 && row[2] == "English" {
			list = append(list, row[3])
		}
	}
	return list, nil
}
