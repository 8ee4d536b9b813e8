package engine

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/translate"
	"github.com/refrain-archive/refrain/post"
)

// glossary is a dictionary of our own.
type glossary string

const harbour = glossary(`香港	Hong Kong
警察	police / police officer
昨天	yesterday
逮捕	to arrest / to apprehend
抗议者	protester
名	name / noun
张	~Zhang
伟	big / large / great
说	to speak / to say
政府	government
必须	to have to / must
道歉	to apologize
港口	port / harbor
爆炸	explosion / to explode
律师	lawyer / attorney
仓库	warehouse / depot
天气	weather
很	very / quite
好	good / well`)

func (g glossary) Fingerprint() (string, error) { return string(g), nil }

func (g glossary) Load() (*translate.Dictionaries, error) {
	var entries []translate.Entry
	for line := range strings.Lines(string(g)) {
		head, glosses, _ := strings.Cut(strings.TrimSpace(line), "\t")
		entries = append(entries, translate.Entry{Headword: head, Glosses: strings.Split(glosses, " / ")})
	}
	var b bytes.Buffer
	if err := translate.WriteDictionary(&b, &translate.Info{Name: "ours", From: translate.Chinese, To: translate.English}, entries); err != nil {
		return nil, err
	}
	d := new(translate.Dictionaries)
	return d, d.Read(&b)
}

const (
	protestZH = "香港警察昨天逮捕了320名抗议者，张伟说政府必须道歉。律师说港口仓库爆炸。"
	protestEN = "Yesterday Hong Kong police arrested 320 protesters: Zhang Wei says the government must apologise. The warehouse in the harbor exploded, lawyers say."
)

func told() list {
	l := sample()
	l.add("x:20", "ana", protestEN)
	l.add("x:21", "bea", "天气很好")
	l.add("weibo:22", "cay", protestZH)
	l.add("weibo:23", "dov", protestZH) // a copy
	l.add("x:24", "eva", "Hong Kong police arrested 320 protesters yesterday. The government must apologise, says Zhang Wei; lawyers say that the harbor warehouse exploded.")
	return l
}

// translating indexes with dictionaries, or with none for "".
func translating(t *testing.T, dir string, l list, g glossary) (s Stats, anew bool) {
	t.Helper()
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	if anew, err = e.Translate(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if s, err = e.Index(t.Context(), l, nil); err != nil {
		t.Fatal(err)
	}
	return s, anew
}

// linked gives all links and the narratives of all posts, in a form to compare.
func linked(t *testing.T, b *Book, l list) (list []string) {
	t.Helper()
	for x, err := range b.All(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, x.A+" "+x.B+" "+string(x.Kind)+" "+x.Why)
	}
	for _, s := range l {
		list = append(list, s.Post.Key()+" in "+strings.Join(b.NarrativesOf(s.Post.Key()), " "))
	}
	return list
}

func TestTranslations(t *testing.T) {
	l, dir := told(), t.TempDir()
	if s, anew := translating(t, dir, l, ""); s.Translations != 0 || anew {
		t.Fatalf("without dictionaries: %+v, %v", s, anew)
	}
	if b := book(t, dir, l); b.NarrativesOf("weibo:22")[0] == b.NarrativesOf("x:20")[0] {
		t.Fatal("linked without a dictionary")
	}
	// Dictionaries come: all is made anew with them.
	s, anew := translating(t, dir, l, harbour)
	if !anew || s.Observations != len(l) || s.Translations < 2 {
		t.Fatalf("with dictionaries: %+v, %v", s, anew)
	}
	if s, anew := translating(t, dir, l, harbour); anew || s.Observations != 0 {
		t.Fatalf("the same dictionaries: %+v, %v", s, anew)
	}
	b := book(t, dir, l)
	for key, together := range map[string]bool{"weibo:22": true, "weibo:23": true, "x:24": true, "x:21": false, "reddit:1": false} {
		if (b.NarrativesOf(key)[0] == b.NarrativesOf("x:20")[0]) != together {
			t.Errorf("%s with x:20: %v, want %v", key, !together, together)
		}
	}
	g, _ := b.Find("x:20")
	members, err := b.Members(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(members, func(m Member) bool { return m.Post == "weibo:22" })
	if m := members[at]; m.Signal != narrative.Translation || m.Kind != narrative.Translated || m.Through != "x:20" || m.Why == "" {
		t.Errorf("%+v", m)
	}
	// A link is the same from both sides, and its marks stand on the words, also in
	// the copy.
	for _, pair := range [][2]string{{"weibo:22", "x:20"}, {"x:20", "weibo:22"}, {"weibo:23", "x:20"}} {
		links, err := b.Between(t.Context(), pair[0], pair[1])
		if err != nil || len(links) != 1 || links[0].Strength != narrative.Linked {
			t.Fatalf("%v: %+v, %v", pair, links, err)
		}
		one, two, err := OpenLink(t.Context(), l, links[0])
		if err != nil {
			t.Fatal(err)
		}
		marked := func(s Side) (words []string) {
			for _, m := range s.Marks {
				words = append(words, s.Text[m.From:m.To])
			}
			return words
		}
		if one.Seen.Post.Key() != pair[0] {
			one, two = two, one
		}
		if pair[0] == "x:20" {
			one, two = two, one
		}
		if !slices.Contains(marked(one), "逮捕") || !slices.Contains(marked(two), "arrested") {
			t.Errorf("%v: %q, %q", pair, marked(one), marked(two))
		}
		if !slices.ContainsFunc(links[0].Spans, func(s narrative.Span) bool { return strings.Contains(s.Note, "逮捕: to arrest (ours)") }) {
			t.Errorf("%v: %+v", pair, links[0].Spans)
		}
	}
	// Dictionaries go: so do the links.
	if s, anew := translating(t, dir, l, ""); !anew || s.Translations != 0 {
		t.Errorf("without them again: %+v, %v", s, anew)
	}
}

// What is half done when a process ends is done again in the same way.
func TestTranslationsAfterACrash(t *testing.T) {
	l, whole := told(), t.TempDir()
	translating(t, whole, l, harbour)
	want := linked(t, book(t, whole, l), l)
	dir := t.TempDir()
	translating(t, dir, l[:len(l)-2], harbour)
	// The translations of the next batch are written, its rows are not.
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ix, err := e.Translations(harbour)
	if err != nil || ix == nil {
		t.Fatalf("%v, %v", ix, err)
	}
	_, before := ix.Size()
	if _, err := ix.Add(context.Background(), translate.Doc{Key: "999", Text: protestZH + protestZH}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if ix, err = e.Translations(harbour); err != nil {
		t.Fatal(err)
	}
	if _, after := ix.Size(); after != before {
		t.Errorf("%d texts after a crash, want %d", after, before)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	translating(t, dir, l, harbour)
	if got := linked(t, book(t, dir, l), l); !slices.Equal(got, want) {
		t.Errorf("after a crash:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A text that scores too little by its words alone is linked where it shares an
// address with its translation.
func TestTranslationsWithOtherEvidence(t *testing.T) {
	var l list
	with := func(url string) func(*post.Post) {
		return func(p *post.Post) { p.Links = []string{url}; p.Mentions = []string{"wei"} }
	}
	l.add("x:1", "ana", "Hong Kong police arrested protesters yesterday", with("https://news.example/arrests"))
	l.add("weibo:2", "bea", "香港警察昨天逮捕抗议者", with("https://news.example/arrests"))
	dir := t.TempDir()
	translating(t, dir, l, harbour)
	links, err := book(t, dir, l).Of(t.Context(), "weibo:2", Filter{Signal: "translation"})
	if err != nil || len(links) != 1 || !slices.Contains(links[0].Other, "url") || !slices.Contains(links[0].Other, "handle") {
		t.Fatalf("%+v, %v", links, err)
	}
}
