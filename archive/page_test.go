package archive_test

import (
	"testing"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/post"
)

// A page line stands before the posts of its exchange, in an open segment, in a
// finished one, and in one that was made again after a crash.
func TestPageLines(t *testing.T) {
	store, err := dir.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a := mustOpen(t, store, archive.Options{Worker: "one"})
	at := record(t, a, exchange("https://plaza.example/a", "text/html", "words"))
	if _, err := a.WritePage(t.Context(), map[string]string{"type": "page", "outcome": "ok"}, noon, at, []post.Post{samplePost("1", at), samplePost("2", at)}); err != nil {
		t.Fatal(err)
	}
	denied, err := a.WritePage(t.Context(), map[string]string{"type": "page", "outcome": "robots_denied"}, noon, post.Capture{}, nil)
	if err != nil || denied.RecordID == "" {
		t.Fatalf("%+v %v", denied, err)
	}
	if _, err := a.WritePage(t.Context(), struct{}{}, noon, at, []post.Post{{Platform: "plaza", ID: "3"}}); err == nil {
		t.Error("a post without capture was taken")
	}
	if err := a.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	look := func(when string) {
		t.Helper()
		var got string
		for s, err := range a.Segments(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			for line, err := range a.Posts(t.Context(), s.Name) {
				if err != nil {
					t.Fatal(err)
				}
				if line.Page != nil {
					got += string(line.Page) + "\n"
				} else {
					got += line.Post.Key() + "\n"
				}
			}
		}
		want := `{"outcome":"ok","type":"page"}` + "\nplaza:1\nplaza:2\n" + `{"outcome":"robots_denied","type":"page"}` + "\n"
		if got != want {
			t.Errorf("%s:\n%swant\n%s", when, got, want)
		}
	}
	look("while open")
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	look("when finished")
	if err := checkArchive(t.Context(), a); err != nil {
		t.Error(err)
	}
}
