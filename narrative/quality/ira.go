package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/cluster"
	"github.com/refrain-archive/refrain/narrative/text"
)

// A storied is one post of a stream; story names what it was made from, empty
// for those that nobody labelled.
type storied struct{ account, text, story, time string }

// A clustered is a stream put through the text index and the clusters, one post
// after the other.
type clustered struct {
	posts []storied
	c     cluster.Clusters
	texts []uint32 // by post; text.NoText for empty ones
	first []string // by distinct text: the first post's
	left  int      // members that left a narrative when they were looked at again
}

func clusterStream(posts []storied) (*clustered, error) {
	tmp, err := os.MkdirTemp("", "quality-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	ix, err := text.Open(tmp, text.Options{})
	if err != nil {
		return nil, err
	}
	defer ix.Close()
	s := &clustered{posts: posts}
	for i, p := range posts {
		r, err := ix.Add(context.Background(), text.Doc{Key: fmt.Sprintf("x:%d", i), Text: p.text})
		if err != nil {
			return nil, err
		}
		s.texts = append(s.texts, r.Text)
		if r.Outcome != text.New {
			continue
		}
		var links []cluster.Link
		for _, m := range r.Matches {
			links = append(links, narrative.ClusterLink(int(m.Text), m))
		}
		s.c.Add(links, cluster.None)
		s.first = append(s.first, p.text)
		if s.c.Due() {
			if err := narrative.Review(&s.c, ix, func(item int) uint32 { return uint32(item) }, func(int) { s.left++ }); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// groups gives the posts of each narrative, the largest first.
func (s *clustered) groups() (groups [][]int) {
	v := s.c.View(nil)
	by := map[int][]int{}
	for i, t := range s.texts {
		if t != text.NoText {
			g := v.Group(int(t))
			by[g] = append(by[g], i)
		}
	}
	for _, list := range by {
		groups = append(groups, list)
	}
	slices.SortFunc(groups, func(a, b []int) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a[0], b[0])) })
	return groups
}

// iraMonth puts a month of an influence operation through links and narratives.
func iraMonth(dir string, o options) ([]Table, error) {
	list, err := tweets(dir)
	if err != nil {
		return nil, err
	}
	month := make([]storied, len(list))
	for i, t := range list {
		month[i] = storied{account: t.account, text: t.text, time: t.time}
	}
	s, err := clusterStream(month)
	if err != nil {
		return nil, err
	}
	tables := []Table{s.copies(), s.halves(o.show), s.largest(10, o.show)}
	mixed, err := plant(dir, month)
	if err != nil {
		return nil, err
	}
	if mixed == nil {
		tables[1].Notes = append(tables[1].Notes, "nothing was planted: repost-bench is absent")
		return tables, nil
	}
	if s, err = clusterStream(mixed); err != nil {
		return nil, err
	}
	return append(tables, s.planted()), nil
}

var (
	linkOrName   = regexp.MustCompile(`(?i)https?://\S+|@\w+`)
	manualRepost = regexp.MustCompile(`(?i)^(rr\s+)?rt\s+@?\w+:?\s+`)
	noWord       = regexp.MustCompile(`[^\p{L}\p{N}\p{M}]+`)
)

// plainly is a normalisation that shares no code with the linker's.
func plainly(s string) string {
	s = linkOrName.ReplaceAllString(s, " ")
	s = strings.ToLower(norm.NFKC.String(s))
	return strings.TrimSpace(noWord.ReplaceAllString(s, " "))
}

// copies counts the texts that several accounts posted, and those of them that
// stand in one narrative.
func (s *clustered) copies() Table {
	v := s.c.View(nil)
	t := Table{Part: "ira-2017-08", Title: "texts that two accounts or more posted: whole in one narrative?",
		Columns: []string{"manual retweets", "posts", "such texts", "their posts", "whole", "in several narratives"},
		Notes:   []string{"equal after NFKC, in lower case, without links and @names, all but letters, marks and digits a space; texts that are empty then are left out"}}
	for _, without := range []bool{false, true} {
		byText := map[string][]int{}
		posts := 0
		for i, p := range s.posts {
			if without && manualRepost.MatchString(p.text) {
				continue
			}
			posts++
			if key := plainly(p.text); key != "" {
				byText[key] = append(byText[key], i)
			}
		}
		shared, theirs, apart := 0, 0, 0
		for _, list := range byText {
			accounts, groups := map[string]bool{}, map[int]bool{}
			for _, i := range list {
				accounts[s.posts[i].account] = true
				if s.texts[i] == text.NoText {
					groups[-1] = true
				} else {
					groups[v.Group(int(s.texts[i]))] = true
				}
			}
			if len(accounts) < 2 {
				continue
			}
			shared++
			theirs += len(list)
			if len(groups) > 1 {
				apart++
			}
		}
		name := "counted"
		if without {
			name = "left out"
		}
		t.Rows = append(t.Rows, []string{name, fmt.Sprint(posts), fmt.Sprint(shared), fmt.Sprint(theirs), fmt.Sprint(shared - apart), fmt.Sprint(apart)})
	}
	return t
}

// halves counts the members that share less than half of the idf mass with every
// core of their narrative. The mass is counted anew, by the words that both have
// in whatever order, with the document frequencies at the end of the stream.
func (s *clustered) halves(show int) Table {
	df := map[string]int{}
	words := make([][]string, len(s.first))
	for i, raw := range s.first {
		n := text.Normalise(raw)
		seen := map[string]bool{}
		for k := range n.Words {
			w := strings.Clone(n.Folded(k))
			words[i] = append(words[i], w)
			if !seen[w] {
				df[w]++
				seen[w] = true
			}
		}
	}
	idf := func(w string) float64 { return math.Log(float64(len(s.first)+1) / float64(df[w]+1)) }
	mass := func(list []string) (sum float64) {
		for _, w := range list {
			sum += idf(w)
		}
		return sum
	}
	share := func(a, b []string) float64 {
		return mass(commonWords(a, b)) / max(min(mass(a), mass(b)), 1e-9)
	}
	cores := map[int][]int{}
	narratives := 0
	for i := range s.c.Len() {
		st := s.c.State(i)
		if st.Role <= cluster.Core {
			cores[st.Narrative] = append(cores[st.Narrative], i)
		}
		if st.Role == cluster.Founder {
			narratives++
		}
	}
	members, below, least := 0, 0, 1.0
	var shown []string
	for i := range s.c.Len() {
		st := s.c.State(i)
		if st.Role == cluster.Founder {
			continue
		}
		members++
		best := 0.0
		for _, core := range append([]int{st.Via}, cores[st.Narrative]...) {
			if core != i && best < 0.5 {
				best = max(best, share(words[i], words[core]))
			}
		}
		least = min(least, best)
		if best < 0.5 {
			if below++; below <= show {
				shown = append(shown, fmt.Sprintf("%.3f %s\n      %s\n      %s", best, st.Role, brief(s.first[i]), brief(s.first[st.Via])))
			}
		}
	}
	return Table{Part: "ira-2017-08", Title: "members that share less than half of the idf mass of the shorter text with every core",
		Columns: []string{"distinct texts", "narratives", "members", "left when looked at again", "below half", "share", "least"},
		Rows: [][]string{{fmt.Sprint(s.c.Len()), fmt.Sprint(narratives), fmt.Sprint(members), fmt.Sprint(s.left), fmt.Sprint(below),
			fmt.Sprintf("%.5f", float64(below)/float64(max(members, 1))), f3(least)}},
		Notes: append(shown, "a word of four letters and more counts as shared with one that differs by a letter, as it does for the linker")}
}

// commonWords gives the words that two lists have in common, in whatever order,
// each as often as both have it, and then those of the shorter that are one
// letter away from a word of the longer.
func commonWords(a, b []string) []string {
	if len(a) < len(b) {
		a, b = b, a
	}
	left := map[string]int{}
	for _, w := range a {
		left[w]++
	}
	var list, rest []string
	for _, w := range b {
		if left[w] > 0 {
			left[w]--
			list = append(list, w)
		} else if utf8.RuneCountInString(w) >= 4 {
			rest = append(rest, w)
		}
	}
	for _, w := range rest {
		for _, x := range a {
			if left[x] > 0 && oneLetterApart(w, x) {
				left[x]--
				list = append(list, w)
				break
			}
		}
	}
	return list
}

// oneLetterApart reports whether two words differ by one letter that is missing,
// added, another, or exchanged with its neighbour.
func oneLetterApart(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	for len(x) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return len(y) <= 1 || len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
}

// largest shows the largest narratives, and of each up to show more texts.
func (s *clustered) largest(n, show int) Table {
	t := Table{Part: "ira-2017-08", Title: "the largest narratives", Columns: []string{"", "posts", "distinct texts", "accounts", "first", "last", "first text"}}
	groups := s.groups()
	for k, g := range groups[:min(n, len(groups))] {
		accounts, texts := map[string]bool{}, map[uint32]bool{}
		for _, i := range g {
			accounts[s.posts[i].account] = true
			texts[s.texts[i]] = true
		}
		first := []rune(brief(s.posts[g[0]].text))
		t.Rows = append(t.Rows, []string{fmt.Sprint(k + 1), fmt.Sprint(len(g)), fmt.Sprint(len(texts)), fmt.Sprint(len(accounts)),
			s.posts[g[0]].time, s.posts[g[len(g)-1]].time, string(first[:min(80, len(first))])})
		for x := range show {
			t.Notes = append(t.Notes, fmt.Sprintf("%d: %s", k+1, brief(s.posts[g[(x+1)*len(g)/(show+1)]].text)))
		}
	}
	return t
}

// planted measures the stories planted into the stream.
func (s *clustered) planted() Table {
	t := Table{Part: "ira-2017-08", Title: "B-cubed precision and recall of stories planted into the month",
		Columns: []string{"background", "stories", "planted posts", "precision", "recall", "F1"},
		Notes: []string{"every eighth original of repost-bench with all its changed copies, at random places, each after its original",
			"posts of the month that stand in a planted story's narrative are passed over, or counted as wrong; some are true copies"}}
	size := map[string]int{}
	for _, p := range s.posts {
		if p.story != "" {
			size[p.story]++
		}
	}
	groups := s.groups()
	for _, background := range []bool{false, true} {
		var precision, recall float64
		n := 0
		for _, g := range groups {
			stories, counted := map[string]int{}, 0
			for _, i := range g {
				story := s.posts[i].story
				if story != "" {
					stories[story]++
				}
				if story != "" || background {
					counted++
				}
			}
			for story, k := range stories {
				precision += float64(k) * float64(k) / float64(counted)
				recall += float64(k) * float64(k) / float64(size[story])
				n += k
			}
		}
		p, r := precision/float64(max(n, 1)), recall/float64(max(n, 1))
		name := "passed over"
		if background {
			name = "counted as wrong"
		}
		t.Rows = append(t.Rows, []string{name, fmt.Sprint(len(size)), fmt.Sprint(n), f3(p), f3(r), f3(2 * p * r / max(p+r, 1e-9))})
	}
	return t
}

// plant puts stories at random places of a stream, each original before its
// copies; nil where there is no repost-bench.
func plant(dir string, posts []storied) ([]storied, error) {
	index := filepath.Join(dir, "repost-bench", "index.jsonl.gz")
	if _, err := os.Stat(index); err != nil {
		return nil, nil //nolint:nilerr // the caller says that it is absent
	}
	stories := map[string][]storied{}
	var order []string
	err := lines(index, func(d document) error {
		if !strings.HasPrefix(d.ID, "d") {
			order = append(order, d.ID)
			stories[d.ID] = []storied{{text: d.Text, story: d.ID}}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = lines(filepath.Join(dir, "repost-bench", "queries.jsonl.gz"), func(q query) error {
		if q.Origin != nil && stories[*q.Origin] != nil {
			stories[*q.Origin] = append(stories[*q.Origin], storied{text: q.Text, story: *q.Origin})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	const each = 8
	random := rand.New(rand.NewPCG(7, 7))
	type placed struct {
		at int
		storied
	}
	var all []placed
	for i, p := range posts {
		all = append(all, placed{2*i + 1, p})
	}
	for i, id := range order {
		if i%each != 0 {
			continue
		}
		at := random.IntN(len(posts))
		for _, p := range stories[id] {
			p.account = fmt.Sprint("planted", random.IntN(50))
			all = append(all, placed{2 * at, p})
			at += random.IntN(1 + (len(posts)-at)/4)
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	mixed := make([]storied, len(all))
	for i, p := range all {
		mixed[i] = p.storied
	}
	return mixed, nil
}
