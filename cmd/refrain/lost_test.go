package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/post"
)

// What was read of an open segment and then lost with the power is not believed
// any more, whether some of the segment's lines are left or the whole of it is
// gone; everything else gives the same answers.
func TestLinesThatAPowerCutTook(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	d := newDesk(t, serve(t, world), "")
	d.must(t, exitDone, collectArgs(world)...)
	want := d.answers(t)

	var name string
	for s, err := range d.open(t).Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		name = string(s.Name)
	}
	for what, segment := range map[string]string{"some lines": name, "the whole segment": "refrain-20261123101112345-99999-lost"} {
		store, err := corpus.Open(t.Context(), filepath.Join(d.state, "corpus.sqlite"))
		if err != nil {
			t.Fatal(err)
		}
		lines, _, err := store.Taken(t.Context(), segment)
		if err != nil || lines == 0 && segment == name {
			t.Fatalf("%s: %d lines of %s, %v", what, lines, segment, err)
		}
		lost := post.Post{
			Platform: "tumblr", ID: "990", Kind: post.KindPost, URL: "https://www.tumblr.com/nobody/990", Text: "words that were never durable, desk@lost.example",
			Account: post.Account{Platform: "tumblr", Handle: "nobody"}, FetchedAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Outcome: post.OK, Reader: "tumblr/1",
			Capture: post.Capture{RecordID: "urn:uuid:lost"},
		}
		err = store.Ingest(t.Context(), corpus.Batch{Segment: segment, Lines: lines + 2, Fetches: []corpus.Fetch{{
			Record: "urn:uuid:lost", URL: lost.URL, Platform: "tumblr", Outcome: post.OK, FetchedAt: lost.FetchedAt, Line: json.RawMessage("{}"), Posts: []post.Post{lost},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		out, errs := d.must(t, exitDone, "search", "durable")
		if !strings.HasPrefix(out, "0 posts") || !strings.Contains(errs, "made anew") || !strings.Contains(errs, segment) {
			t.Errorf("%s: a lost post is found, or nothing is said of it:\n%s%s", what, out, errs)
		}
		if out, _ := d.must(t, exitFailed, "show", "tumblr:nobody"); out != "" {
			t.Errorf("%s: a lost account is shown:\n%s", what, out)
		}
		compare(t, what, d.answers(t), want)
		if _, errs := d.must(t, exitDone, "search", "durable"); strings.Contains(errs, "anew") {
			t.Errorf("%s: the corpus is made anew again:\n%s", what, errs)
		}
	}
}
