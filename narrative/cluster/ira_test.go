package cluster_test

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/cluster"
	"github.com/refrain-archive/refrain/narrative/text"
)

// A doc is one post of a stream; label names the story that it was made from,
// empty for those that nobody labelled.
type doc struct {
	account, text, label string
}

// short is how many posts of the month the ordinary run takes.
const short = 8000

func month(t *testing.T) []doc {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, filepath.Join("datasets", "ira-2017-08", "posts.csv.gz")))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var docs []doc
	for r := csv.NewReader(z); ; {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc{account: row[0], text: row[3]})
		if len(docs) > short && os.Getenv("REFRAIN_LONG") == "" {
			break
		}
	}
	return docs[1:]
}

// A stream is docs put through the text index and the clusters.
type stream struct {
	ix    *text.Index
	c     cluster.Clusters
	texts []uint32 // by doc; text.NoText for empty ones
	first []string // by text: the first doc's
	left  int      // members that left a narrative
}

func run(t *testing.T, docs []doc) *stream {
	t.Helper()
	s := &stream{}
	var err error
	if s.ix, err = text.Open(t.TempDir(), text.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.ix.Close() })
	for i, d := range docs {
		r, err := s.ix.Add(t.Context(), text.Doc{Key: fmt.Sprintf("x:%d", i), Text: d.text})
		if err != nil {
			t.Fatal(err)
		}
		s.texts = append(s.texts, r.Text)
		if r.Outcome != text.New {
			continue
		}
		var links []cluster.Link
		for _, m := range r.Matches {
			links = append(links, narrative.ClusterLink(int(m.Text), m))
		}
		if p := s.c.Add(links, cluster.None); p.Item != int(r.Text) {
			t.Fatalf("text %d is item %d", r.Text, p.Item)
		}
		s.first = append(s.first, d.text)
		if s.c.Due() {
			if err := narrative.Review(&s.c, s.ix, func(item int) uint32 { return uint32(item) }, func(item int) { s.left++ }); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d members left their narratives when they were looked at again", s.left)
	return s
}

// sizes gives the docs of each narrative, the largest first.
func (s *stream) sizes(v *cluster.View) (groups [][]int) {
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

var (
	links  = regexp.MustCompile(`(?i)https?://\S+|@\w+`)
	retwit = regexp.MustCompile(`(?i)^(rr\s+)?rt\s+@?\w+:?\s+`)
	nonraw = regexp.MustCompile(`[^\p{L}\p{N}\p{M}]+`)
)

// plainly is a normalisation that shares no code with the linker's: NFKC, lower
// case, links and @names dropped, everything but letters, marks and digits a space.
func plainly(s string) string {
	s = links.ReplaceAllString(s, " ")
	s = strings.ToLower(norm.NFKC.String(s))
	return strings.TrimSpace(nonraw.ReplaceAllString(s, " "))
}

// Every text that several accounts posted stands whole in one narrative.
func TestCopiesStandTogether(t *testing.T) {
	docs := month(t)
	s := run(t, docs)
	v := s.c.View(nil)
	for _, without := range []bool{false, true} {
		name := "with manual retweets"
		if without {
			name = "without manual retweets"
		}
		byText := map[string][]int{}
		for i, d := range docs {
			if key := plainly(d.text); key != "" && !(without && retwit.MatchString(d.text)) {
				byText[key] = append(byText[key], i)
			}
		}
		shared, posts, apart := 0, 0, 0
		for key, list := range byText {
			accounts, groups := map[string]bool{}, map[int]bool{}
			for _, i := range list {
				accounts[docs[i].account] = true
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
			posts += len(list)
			if len(groups) > 1 {
				apart++
				t.Errorf("%s: %q is in %d narratives", name, key, len(groups))
			}
		}
		t.Logf("%s: %d posts, %d texts of two accounts or more in %d posts, %d not whole", name, len(docs), shared, posts, apart)
		if shared < 50 {
			t.Errorf("%s: only %d texts of several accounts", name, shared)
		}
	}
}

// No narrative holds a member that shares less than half of the idf mass with a
// core. The mass is counted anew here, by the words that both have in whatever
// order, with the document frequencies at the end of the stream.
func TestHalfOfTheMass(t *testing.T) {
	docs := month(t)
	s := run(t, docs)
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
	mass := func(list []string) (sum float64) {
		for _, w := range list {
			sum += idf(df[w], len(s.first))
		}
		return sum
	}
	cores := map[int][]int{} // of each narrative
	for i := range s.c.Len() {
		if st := s.c.State(i); st.Role <= cluster.Core {
			cores[st.Narrative] = append(cores[st.Narrative], i)
		}
	}
	members, below, least := 0, 0, 1.0
	for i := range s.c.Len() {
		st := s.c.State(i)
		if st.Role == cluster.Founder {
			continue
		}
		members++
		best := 0.0
		for _, core := range append([]int{st.Via}, cores[st.Narrative]...) {
			if core == i {
				continue
			}
			shared := mass(common(words[i], words[core]))
			best = max(best, shared/min(mass(words[i]), mass(words[core])))
			if best >= .5 {
				break
			}
		}
		least = min(least, best)
		if best < .5 {
			below++
			t.Logf("%.3f (%s)\n  %s\n  %s", best, st.Role, s.first[i], s.first[st.Via])
		}
	}
	t.Logf("%d distinct texts, %d of them joined others; %d share less than half of the mass with a core, the least %.3f", s.c.Len(), members, below, least)
	if below > 0 {
		t.Errorf("%d members share less than half of the mass", below)
	}
}

// B-cubed precision and recall on stories planted into the month: originals of
// repost-bench with all their changed copies, at random places.
func TestPlanted(t *testing.T) {
	docs := plant(t, month(t))
	s := run(t, docs)
	for _, background := range []bool{false, true} {
		var precision, recall float64
		n := 0
		size := map[string]int{}
		for _, d := range docs {
			if d.label != "" {
				size[d.label]++
			}
		}
		worst := map[string]float64{}
		for _, group := range s.sizes(s.c.View(nil)) {
			labels, counted := map[string]int{}, 0
			for _, i := range group {
				if docs[i].label != "" {
					labels[docs[i].label]++
				}
				if docs[i].label != "" || background {
					counted++
				}
			}
			for label, k := range labels {
				precision += float64(k) * float64(k) / float64(counted)
				recall += float64(k) * float64(k) / float64(size[label])
				n += k
				worst[label] += float64(k) * float64(k) / float64(size[label]) / float64(size[label])
			}
		}
		for label, k := range size { // those without words are alone
			_ = k
			if _, ok := worst[label]; !ok {
				t.Errorf("story %s is nowhere", label)
			}
		}
		p, r := precision/float64(n), recall/float64(n)
		t.Logf("background counted as wrong: %v: %d planted posts of %d stories, B-cubed precision %.4f, recall %.4f, F1 %.4f", background, n, len(size), p, r, 2*p*r/(p+r))
		if !background && (p < .98 || r < .85) {
			t.Errorf("precision %.4f, recall %.4f", p, r)
		}
	}
	groups := s.sizes(s.c.View(nil))
	t.Logf("the largest have %d, %d, %d posts", len(groups[0]), len(groups[1]), len(groups[2]))
}

// plant puts the stories at random places, each original before its copies.
func plant(t *testing.T, docs []doc) []doc {
	t.Helper()
	lines := func(name string, each func([]byte)) {
		f, err := os.Open(sharedtest.Path(t, filepath.Join("datasets", "repost-bench", name)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(z)
		sc.Buffer(nil, 1<<24)
		for sc.Scan() {
			each(sc.Bytes())
		}
		if sc.Err() != nil {
			t.Fatal(sc.Err())
		}
	}
	stories := map[string][]doc{}
	var order []string
	lines("index.jsonl.gz", func(b []byte) {
		var d struct{ ID, Text string }
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(d.ID, "d") {
			order = append(order, d.ID)
			stories[d.ID] = []doc{{text: d.Text, label: d.ID}}
		}
	})
	lines("queries.jsonl.gz", func(b []byte) {
		var q struct{ Transform, Origin, Text string }
		if err := json.Unmarshal(b, &q); err != nil {
			t.Fatal(err)
		}
		if list := stories[q.Origin]; list != nil {
			stories[q.Origin] = append(list, doc{text: q.Text, label: q.Origin})
		}
	})
	r := rand.New(rand.NewPCG(7, 7))
	each := 40
	if os.Getenv("REFRAIN_LONG") != "" {
		each = 8
	}
	type placed struct {
		at int
		doc
	}
	var all []placed
	for i, d := range docs {
		all = append(all, placed{2*i + 1, d})
	}
	for i, id := range order {
		if i%each != 0 {
			continue
		}
		at := r.IntN(len(docs))
		for _, d := range stories[id] {
			d.account = fmt.Sprint("planted", r.IntN(50))
			all = append(all, placed{2 * at, d})
			at += r.IntN(1 + (len(docs)-at)/4)
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	mixed := make([]doc, len(all))
	for i, p := range all {
		mixed[i] = p.doc
	}
	return mixed
}
