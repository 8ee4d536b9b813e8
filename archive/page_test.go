package archive_test

import (
	"fmt"
	"math/rand/v2"
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

// Lines of any length, one behind the other, are in the posts file as they are in
// the records: those that are packed once for both files, and those that are not.
func TestPostsOfAnyLength(t *testing.T) {
	store, err := dir.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a := mustOpen(t, store, archive.Options{Worker: "one"})
	at := record(t, a, exchange("https://plaza.example/a", "text/html", "words"))
	rng := rand.New(rand.NewPCG(1, 1))
	var posts []post.Post
	for i, size := range []int{0, 9000, 10, 3000, 3900, 4000, 4100, 5000, 70_000, 20, 300_000, 300_000, 0} {
		p := samplePost(fmt.Sprint(i), at)
		for len(p.Text) < size {
			p.Text += fmt.Sprintf("word%d <b>\"ü\"\n", rng.IntN(1000))
		}
		posts = append(posts, p)
	}
	if _, err := a.WritePage(t.Context(), map[string]string{"long": posts[8].Text}, noon, at, posts); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := checkArchive(t.Context(), a); err != nil {
		t.Error(err)
	}
	for s, err := range a.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line, err := range a.Posts(t.Context(), s.Name) {
			if err != nil {
				t.Fatal(err)
			}
			if line.Page != nil {
				continue
			}
			if line.Post.Text != posts[n].Text || line.Post.ID != posts[n].ID {
				t.Errorf("post %d has %d bytes of text, want %d", n, len(line.Post.Text), len(posts[n].Text))
			}
			n++
		}
		if n != len(posts) {
			t.Errorf("%d posts, want %d", n, len(posts))
		}
	}
}
