package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/text"
	"github.com/refrain-archive/refrain/post"
)

// A list is a corpus in memory.
type list []Seen

func (l list) Since(_ context.Context, after int64, limit int) ([]Seen, error) {
	at, _ := slices.BinarySearchFunc(l, after+1, func(s Seen, id int64) int { return int(s.ID - id) })
	return slices.Clone(l[at:min(len(l), at+limit)]), nil
}

func (l list) Seen(_ context.Context, id int64) (Seen, bool, error) {
	for _, s := range l {
		if s.ID == id {
			return s, true, nil
		}
	}
	return Seen{}, false, nil
}

func (l list) Briefs(_ context.Context, _ []int64, f func(Brief) error) error {
	done := map[int64]bool{}
	for _, s := range l {
		if !done[s.Row] {
			done[s.Row] = true
			p := s.Post
			if err := f(Brief{Row: s.Row, Platform: p.Platform, ID: p.ID, Account: p.Platform + ":" + p.Account.Handle, Lang: p.Lang, Earliest: p.Created.Earliest(), Latest: p.Created.Latest(), FirstSeen: p.FetchedAt}); err != nil {
				return err
			}
		}
	}
	return nil
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// add appends an observation of a post.
func (l *list) add(key, account, words string, change ...func(*post.Post)) {
	platform, id, _ := strings.Cut(key, ":")
	p := post.Post{Platform: platform, ID: id, Kind: post.KindPost, Account: post.Account{Platform: platform, Handle: account}, Text: words,
		Created: post.Exact(noon.Add(time.Duration(len(*l))*time.Minute), ""), FetchedAt: noon.Add(48*time.Hour + time.Duration(len(*l))*time.Second)}
	for _, f := range change {
		f(&p)
	}
	n := int64(len(*l) + 1)
	s := Seen{ID: n, Row: n, Record: fmt.Sprint("urn:uuid:", n), Post: p}
	for _, e := range *l {
		if e.Post.Key() == p.Key() {
			s.Row, s.Again = e.Row, true
		}
	}
	*l = append(*l, s)
}

const (
	ferry   = "The ferry to Lindholm sank at its mooring on Sunday night. Nobody was hurt, the harbour master said, and divers will look at the hull when the storm has passed the islands."
	ferry2  = "Ferry to Lindholm sank at its mooring on Sunday night; nobody was hurt, says the harbour master, and divers will look at the hull once the storm has passed the islands"
	ferry3  = "BREAKING The ferry to Lindholm sank at the mooring on Sunday night. Nobody hurt, the harbour master said. Divers will look at its hull when the storm has passed the islands"
	mill    = "The paper mill at Osterby will close in spring, its owners wrote to the workers on Tuesday, because pulp has become too dear and nobody buys newsprint any more"
	mill2   = "The paper mill at Osterby will close in spring, the owners wrote to all workers Tuesday, because pulp has become too dear and nobody buys newsprint now"
	excerpt = "Nobody was hurt, the harbour master said, and divers will look at the hull when the storm has passed"
)

// sample is a small corpus with a bit of everything.
func sample() list {
	var l list
	l.add("reddit:1", "ana", ferry)
	l.add("x:2", "bea", ferry2)
	l.add("tumblr:3", "cay", strings.ToUpper(ferry)+" https://example.com/ferry")
	l.add("x:4", "dov", "The library opens at nine on weekdays")
	l.add("x:5", "eva", mill)
	l.add("reddit:6", "fay", ferry3)
	l.add("x:7", "gus", excerpt)
	l.add("x:8", "hal", mill2)
	l.add("x:9", "ivo", "RT @eva: "+mill, func(p *post.Post) { p.Refs = []post.Ref{{Role: post.RoleRepostOf, ID: "5"}} })
	l.add("x:10", "jon", "", func(p *post.Post) { p.Links = []string{"https://news.example/mill?utm_source=x"} })
	l.add("x:11", "kim", "look", func(p *post.Post) { p.Links = []string{"https://news.example/mill"} })
	l.add("x:12", "lea", "\u200b\u200d😀")
	l.add("web:13", "", "Osterby waits for spring and nobody knows what the workers will do when the mill stands still", func(p *post.Post) {
		p.Created = post.Between(noon.Add(-24*time.Hour), noon.Add(24*time.Hour), "yesterday", post.SourceRelative)
		p.Hashtags = []string{"Osterby"}
	})
	l.add("x:4", "dov", ferry2+" and that is all we know") // edited into something else
	return l
}

func index(t testing.TB, dir string, l list) Stats {
	t.Helper()
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Index(t.Context(), l, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

func book(t testing.TB, dir string, l list, acts ...Act) *Book {
	t.Helper()
	s, err := OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b, err := s.Book(t.Context(), l, acts)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shown is everything that can be asked, as text.
func shown(t testing.TB, b *Book) string {
	t.Helper()
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetIndent("", " ")
	put := func(v any, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range b.Narratives(1, 0) {
		put(s, nil)
		g, err := b.Find(s.ID)
		if err != nil {
			t.Fatal(err)
		}
		put(b.Members(t.Context(), g))
		put(b.Events(t.Context(), g))
	}
	for l, err := range b.All(t.Context(), Filter{}) {
		put(l, err)
	}
	for key := range b.rowOf {
		if _, err := b.Of(t.Context(), key, Filter{}); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestNarratives(t *testing.T) {
	dir, l := t.TempDir(), sample()
	s := index(t, dir, l)
	if s.Observations != len(l) || s.Copies != 2 || s.Wordless != 2 || s.TooLong != 0 {
		t.Errorf("%+v", s)
	}
	b := book(t, dir, l)
	in := func(key string) string { return strings.Join(b.NarrativesOf(key), " ") }
	story, works := in("reddit:1"), in("x:5")
	for key, want := range map[string]string{"x:2": story, "tumblr:3": story, "reddit:6": story, "x:7": story, "x:8": works, "x:9": works, "x:10": in("x:11"), "x:12": ""} {
		if got := in(key); got != want {
			t.Errorf("%s is in %q, want %q", key, got, want)
		}
	}
	if got := b.NarrativesOf("x:4"); len(got) != 2 || got[0] != story {
		t.Errorf("the edited post is in %v, and its newest text in %s", got, story)
	}
	g, err := b.Find(story[:4])
	if err != nil {
		t.Fatal(err)
	}
	sum := b.Summary(g)
	if sum.Posts != 6 || sum.Accounts != 6 || sum.First.Post != "reddit:1" || !sum.First.Exact || sum.First.Rivals != 0 || len(sum.Platforms) != 3 || sum.Platforms[0].Name != "reddit" || *sum.Platforms[1].LagTo != 60 {
		t.Errorf("%+v", sum)
	}
	members, err := b.Members(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]string{}
	for _, m := range members {
		roles[m.Post] = m.Role
		if m.Role != "founder" && (m.Why == "" || m.Through == "") {
			t.Errorf("nobody says why %s is a member: %+v", m.Post, m)
		}
	}
	if roles["reddit:1"] != "founder" || roles["tumblr:3"] != "copy" || roles["x:7"] != "attached" || roles["x:2"] != "core" && roles["x:2"] != "member" {
		t.Errorf("%v", roles)
	}
	g, _ = b.Find("x:5")
	if sum := b.Summary(g); sum.Reposts != 1 || sum.Posts != 3 {
		t.Errorf("%+v", sum)
	}
	if _, err := b.Find("nothing"); err == nil || !strings.Contains(err.Error(), "refrain narratives") {
		t.Errorf("%v", err)
	}
	list, skipped, err := b.Shares(t.Context(), ByNarrative, false)
	if err != nil || len(list) != 6+2+2 || skipped != 0 {
		t.Errorf("%d shares, %d skipped, %v", len(list), skipped, err)
	}
}

// Each link can be opened, and its marks hold the same words on both sides.
func TestOpenLink(t *testing.T) {
	dir, l := t.TempDir(), sample()
	index(t, dir, l)
	b := book(t, dir, l)
	opened := 0
	for key := range b.rowOf {
		links, err := b.Of(t.Context(), key, Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links {
			if link.A != key {
				t.Errorf("a link of %s is read from %s", key, link.A)
			}
			both, err := b.Between(t.Context(), link.A, link.B)
			if err != nil || len(both) == 0 {
				t.Fatalf("%s and %s: %v, %v", link.A, link.B, both, err)
			}
			if link.Signal != narrative.Text {
				continue
			}
			one, two, err := OpenLink(t.Context(), l, link)
			if err != nil {
				t.Fatal(err)
			}
			if one.Seen.Post.Key() != link.A || two.Seen.Post.Key() != link.B || one.Seen.Record == "" {
				t.Errorf("%s and %s opened as %s and %s", link.A, link.B, one.Seen.Post.Key(), two.Seen.Post.Key())
			}
			if len(one.Marks) == 0 || len(one.Marks) != len(two.Marks) {
				t.Fatalf("%s and %s: %d and %d marks", link.A, link.B, len(one.Marks), len(two.Marks))
			}
			words := 0
			for _, m := range one.Marks {
				words += len(text.Normalise(one.Text[m.From:m.To]).Words)
			}
			others := 0
			for _, m := range two.Marks {
				others += len(text.Normalise(two.Text[m.From:m.To]).Words)
			}
			if words != others || words < 5 {
				t.Errorf("%s and %s: %d and %d words are marked", link.A, link.B, words, others)
			}
			opened++
		}
	}
	if opened < 20 {
		t.Errorf("only %d links", opened)
	}
}

// However the posts come, in one run, in many, or with a process killed in
// between, and whatever analysts did: the same is shown.
func TestSame(t *testing.T) {
	l := sample()
	dir := t.TempDir()
	index(t, dir, l)
	id := book(t, dir, l).NarrativesOf("reddit:1")[0]
	other := book(t, dir, l).NarrativesOf("x:5")[0]
	acts := []Act{
		{Type: "act", URL: ActURL, Act: Name, Narrative: id, Text: "ferry"},
		{Type: "act", URL: ActURL, Act: Note, Narrative: "ferry", Text: "not known by its name: passed over"},
		{Type: "act", URL: ActURL, Act: Note, Narrative: id, Text: "seen first on Reddit", At: noon},
		{Type: "act", URL: ActURL, Act: "pin", Narrative: other, Posts: []string{"web:13"}},
		{Type: "act", URL: ActURL, Act: "split", Posts: []string{"x:2", "reddit:6"}},
		{Type: "act", URL: ActURL, Act: "pin", Narrative: "gone", Posts: []string{"x:2"}},
	}
	b := book(t, dir, l, acts...)
	want := shown(t, b)
	if n := b.NarrativesOf("x:2"); n[0] == id || n[0] != b.NarrativesOf("reddit:6")[0] {
		t.Errorf("split: %v", n)
	}
	if n := b.NarrativesOf("web:13"); n[0] != other {
		t.Errorf("pinned: %v", n)
	}
	if g, err := b.Find("Ferry"); err != nil || b.Summary(g).Name != "ferry" || len(b.Summary(g).Notes) != 1 {
		t.Errorf("named: %v", err)
	}
	byParts := t.TempDir()
	for n := 1; n <= len(l); n++ {
		index(t, byParts, l[:n])
	}
	if got := shown(t, book(t, byParts, l, acts...)); got != want {
		t.Errorf("taken one by one, other narratives:\n%s\n%s", got, want)
	}
}

// Another corpus under the same folder is taken from its start.
func TestOtherCorpus(t *testing.T) {
	dir, l := t.TempDir(), sample()
	index(t, dir, l)
	var other list
	for i, s := range l {
		if i != 4 {
			other.add(s.Post.Key(), s.Post.Account.Handle, s.Post.Text)
		}
	}
	if s := index(t, dir, other); s.Observations != len(other) {
		t.Errorf("%+v", s)
	}
	fresh := t.TempDir()
	index(t, fresh, other)
	if a, b := shown(t, book(t, dir, other)), shown(t, book(t, fresh, other)); a != b {
		t.Errorf("not as if made anew:\n%s\n%s", a, b)
	}
}

// A text index that lost what the store was made of is made anew with it.
func TestLostTexts(t *testing.T) {
	dir, l := t.TempDir(), sample()
	index(t, dir, l)
	want := shown(t, book(t, dir, l))
	if err := os.RemoveAll(filepath.Join(dir, "text")); err != nil {
		t.Fatal(err)
	}
	if s := index(t, dir, l); s.Observations != len(l) {
		t.Errorf("%+v", s)
	}
	if got := shown(t, book(t, dir, l)); got != want {
		t.Error("not as before")
	}
}

// childFolder tells the test program to index and be killed.
const childFolder = "REFRAIN_TEST_ENGINE"

// stories are many posts of a few stories, each changed a little.
func stories(n int) list {
	var l list
	texts := []string{ferry, mill, ferry2, mill2, ferry3, excerpt}
	for i := range n {
		words := strings.Fields(texts[i%len(texts)])
		words[i*7%len(words)] = fmt.Sprint("word", i%97)
		words = append(words, fmt.Sprint("from place ", i%13))
		if i%5 == 0 {
			words = words[:len(words)*2/3]
		}
		l.add(fmt.Sprintf("x:%d", i), fmt.Sprint("acc", i%31), strings.Join(words, " "), func(p *post.Post) {
			p.Hashtags = []string{fmt.Sprint("tag", i%17)}
		})
	}
	return l
}

// A process that indexes is killed at many moments. Each time, what it reported
// is there, and in the end the answers are those of a run that nobody killed.
func TestKill9(t *testing.T) {
	if dir := os.Getenv(childFolder); dir != "" {
		e, err := Open(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		l := stories(1200)
		small := slow{l, 100}
		if _, err := e.Index(context.Background(), small, func(n int64) { fmt.Println("taken", e.At()) }); err != nil {
			t.Fatal(err)
		}
		fmt.Println("done")
		return
	}
	t.Parallel()
	dir, l := t.TempDir(), stories(1200)
	done, killed := false, 0
	for life := 0; !done && life < 100; life++ {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill9$")
		cmd.Env = append(os.Environ(), childFolder+"="+dir)
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var reported int64
		lines, buf := 0, make([]byte, 1)
		line := ""
		for {
			if _, err := pipe.Read(buf); err != nil {
				break
			}
			if buf[0] != '\n' {
				line += string(buf)
				continue
			}
			if _, err := fmt.Sscanf(line, "taken %d", &reported); err == nil {
				lines++
			}
			done = done || line == "done"
			if line = ""; lines == 1+life%3 && !done {
				time.Sleep(time.Duration(life*1700%9000) * time.Microsecond)
				_ = cmd.Process.Kill()
				killed++
				break
			}
		}
		_ = cmd.Wait()
		s, err := OpenStore(t.Context(), dir)
		if err != nil {
			continue // killed before there was one
		}
		var at int64
		_ = s.db.QueryRow("SELECT observation FROM progress").Scan(&at)
		if at < reported {
			t.Errorf("life %d reported observation %d, and %d is there", life, reported, at)
		}
		_ = s.Close()
	}
	if !done || killed < 4 {
		t.Fatalf("done: %v, killed %d times", done, killed)
	}
	fresh := t.TempDir()
	index(t, fresh, l)
	if got, want := shown(t, book(t, dir, l)), shown(t, book(t, fresh, l)); got != want {
		t.Error("after the kills the narratives are others")
	}
}

// slow is a list that is given in small pieces, so that there are many batches.
type slow struct {
	list
	n int
}

func (s slow) Since(ctx context.Context, after int64, limit int) ([]Seen, error) {
	return s.list.Since(ctx, after, min(limit, s.n))
}

// What is hostile passes with a clear outcome.
func TestHostile(t *testing.T) {
	var l list
	l.add("x:1", "ana", strings.Repeat("the same words over and over ", 10<<20/29))
	l.add("x:2", "ana", strings.Repeat("word ", 1_000_000))
	l.add("x:3", "ana", strings.Repeat("\u200b\u200d", 1000))
	l.add("x:4", "ana", "caf\xe9 \xff\xfe the ferry \xc3 left the pier at nine and nobody was on board who knew the way")
	l.add("x:5", "ana", "שלום world مرحبا \u202eabc\u202c the ferry to Lindholm sank at its mooring on Sunday")
	l.add("x:6", "ana", strings.Repeat("x", text.MaxBytes+1))
	l.add("x:"+strings.Repeat("7", 5000), "ana", ferry)
	l.add("x:8", "bea", ferry, func(p *post.Post) {
		for i := range 5000 {
			p.Links = append(p.Links, fmt.Sprintf("https://example.com/%d", i))
		}
		p.Links = append(p.Links, "https://example.com/"+strings.Repeat("a", 1<<20))
	})
	dir := t.TempDir()
	s := index(t, dir, l)
	if s.Observations != len(l) || s.TooLong != 1 || s.Cut != 2 || s.Wordless != 1 {
		t.Errorf("%+v", s)
	}
	if got := book(t, dir, l).NarrativesOf("x:8"); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestObjects(t *testing.T) {
	p := post.Post{
		Text:  "see https://News.Example:443/a?utm_source=x&id=1#top, (http://b.example/c) and https://cut.example/abc… #Bridge #bridge",
		Links: []string{"https://news.example/a?id=1", "mailto:a@b.example", ""},
		Media: []post.Media{{URL: "https://cdn.example/p.jpg?sig=1"}, {URL: "https://cdn.example/p.jpg?sig=2"}},
	}
	var got []string
	for _, o := range Objects(&p) {
		got = append(got, o.String())
	}
	want := []string{"media:https://cdn.example/p.jpg", "url:https://news.example/a?id=1", "url:http://b.example/c", "hashtag:bridge"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if (Object{URL, "https://example.com/"}).Joins() || !(Object{URL, "https://example.com/a"}).Joins() {
		t.Error("which addresses join")
	}
}

func TestTextOf(t *testing.T) {
	for _, test := range []struct{ title, text, want string }{{"A", "b", "A\n\nb"}, {"", "b", "b"}, {"A", "", "A"}, {"A", "A b", "A b"}} {
		if got := TextOf(&post.Post{Title: test.title, Text: test.text}); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func FuzzSpans(f *testing.F) {
	f.Add(packSpans([]narrative.Span{{A: narrative.Range{From: 4, To: 9}, B: narrative.Range{From: 0, To: 5}, Words: 1}, {A: narrative.Range{From: 12, To: 30}, B: narrative.Range{From: 50, To: 70}, Words: 4}}))
	f.Add([]byte{0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := unpackSpans(b)
		if err != nil {
			return
		}
		again, err := unpackSpans(packSpans(list))
		if err != nil || !slices.Equal(again, list) {
			t.Errorf("%v became %v, %v", list, again, err)
		}
	})
}
