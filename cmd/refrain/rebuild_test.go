package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/corpus"
)

// answers gives what search and show say, as JSON, of everything.
func (d desk) answers(t *testing.T) map[string]string {
	t.Helper()
	out, _ := d.must(t, exitDone, "--json", "search", "-n", "0")
	found := map[string]string{"search": out}
	for line := range strings.Lines(out) {
		var h corpus.Hit
		if err := json.Unmarshal([]byte(line), &h); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{h.Post.Key(), h.Post.URL, h.Post.Platform + ":" + h.Post.Account.Handle} {
			if _, known := found[name]; !known && !strings.HasSuffix(name, ":") {
				found[name], _ = d.must(t, exitDone, "--json", "show", name)
			}
		}
	}
	for _, query := range []string{"bridge", "platform:tumblr", "-n 3 --oldest", "outcome:ok"} {
		found["search "+query], _ = d.must(t, exitDone, append([]string{"--json", "search"}, strings.Fields(query)...)...)
	}
	return found
}

// The corpus is derived: made anew from the archive, or from its WARC files
// alone, it gives the same answers.
func TestRebuildGivesTheSameAnswers(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "segment: {max_size: 150KB}\n")
	d.must(t, exitDone, collectArgs(world)...)
	d.must(t, exitDone, "index")
	world.Posts[3].Text += " And then the ferry came."
	d.must(t, exitDone, collectArgs(world)...)
	want := d.answers(t)
	if len(want) < 60 {
		t.Fatalf("only %d answers", len(want))
	}

	d.must(t, exitDone, "rebuild")
	compare(t, "rebuild", d.answers(t), want)

	if err := os.RemoveAll(d.state); err != nil {
		t.Fatal(err)
	}
	compare(t, "without a state folder", d.answers(t), want)

	if err := os.RemoveAll(d.state); err != nil {
		t.Fatal(err)
	}
	removed := 0
	err := filepath.WalkDir(d.archive, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(path, ".posts.jsonl.gz") || strings.HasSuffix(path, ".cdxj")) {
			removed++
			return os.Remove(path)
		}
		return err
	})
	if err != nil || removed < 4 {
		t.Fatalf("%d files removed: %v", removed, err)
	}
	d.must(t, exitDone, "rebuild")
	compare(t, "from the WARC files alone", d.answers(t), want)
}
