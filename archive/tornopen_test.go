package archive_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/post"
)

// Whoever reads while another process writes, or before the segment of one that
// died is mended, sees whole records only, wherever the last write stopped.
func TestReadOfAHalfWrittenRecord(t *testing.T) {
	store := folder(t)
	a := mustOpen(t, store, archive.Options{})
	var ends []int64 // of the file, when so many exchanges were written
	var name archive.Name
	size := func() int64 {
		for s, err := range a.Segments(t.Context()) { // which flushes
			if err != nil {
				t.Fatal(err)
			}
			name = s.Name
			return s.Size
		}
		return 0
	}
	for i := range 3 {
		c := record(t, a, exchange(fmt.Sprintf("https://plaza.example/%d", i), "text/html", fmt.Sprintf("page %d", i)))
		if err := errors.Join(a.WritePosts(t.Context(), []post.Post{samplePost(fmt.Sprint(i), c)}), a.Sync(t.Context())); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, size())
	}
	whole, err := os.ReadFile(filepath.Join(store.Path(""), filepath.FromSlash(name.Key(archive.WARCEnding))+".open"))
	if err != nil {
		t.Fatal(err)
	}
	// Another archive's folder, as a reader finds it.
	other := folder(t)
	if err := mustOpen(t, other, archive.Options{}).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(other.Path(""), filepath.FromSlash(name.Key(archive.WARCEnding))+".open")
	lock := filepath.Join(other.Path(""), ".work", string(name)+".lock")
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.MkdirAll(filepath.Dir(lock), 0o777), os.WriteFile(lock, nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	for cut := int64(1); cut <= int64(len(whole)); cut++ {
		if cut > 400 && cut%11 != 0 && !slices.ContainsFunc(ends, func(end int64) bool { return cut-end > -10 && cut-end < 10 }) {
			continue // beside the ends a sample is enough
		}
		if err := os.WriteFile(path, whole[:cut], 0o666); err != nil {
			t.Fatal(err)
		}
		reader := mustOpen(t, other, archive.Options{ReadOnly: true})
		captures, posts := 0, 0
		for _, err := range reader.Captures(t.Context(), "") {
			if err != nil {
				t.Fatalf("the first %d of %d bytes: %v", cut, len(whole), err)
			}
			captures++
		}
		for line, err := range reader.Posts(t.Context(), name) {
			if err != nil {
				t.Fatalf("the first %d of %d bytes: %v", cut, len(whole), err)
			}
			if line.Page == nil {
				posts++
			}
		}
		least := 0
		for _, end := range ends {
			if end <= cut {
				least++
			}
		}
		if posts != least || captures < least || captures > least+1 {
			t.Fatalf("the first %d of %d bytes: %d captures and %d posts, want those of %d exchanges", cut, len(whole), captures, posts, least)
		}
	}
}
