package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/s3test"
)

func seq(n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
	}
}

func TestInOrder(t *testing.T) {
	var at, most atomic.Int64
	next := 0
	err := inOrder(t.Context(), 3, seq(100), func(_ context.Context, i int) (int, error) {
		n := at.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		defer at.Add(-1)
		return i, nil
	}, func(i int) error {
		if i != next {
			t.Errorf("%d comes before %d", i, next)
		}
		next++
		return nil
	})
	if err != nil || next != 100 || most.Load() > 3 {
		t.Errorf("%v, %d results, %d at a time", err, next, most.Load())
	}
	broken := errors.New("broken")
	given := 0
	err = inOrder(t.Context(), 4, seq(1000), func(_ context.Context, i int) (int, error) {
		if i == 10 {
			return 0, broken
		}
		return i, nil
	}, func(int) error { given++; return nil })
	if err != broken || given != 10 {
		t.Errorf("%v after %d results", err, given)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = inOrder(ctx, 2, seq(1000), func(_ context.Context, i int) (int, error) { return i, nil }, func(i int) error {
		if i == 5 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// files gives the archive's files with an ending.
func (d desk) files(t testing.TB, ending string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(d.archive, "segments/*/*/*/*"+ending))
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %v, %v", ending, list, err)
	}
	return list
}

func overwrite(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.Chmod(name, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What no single file shows is found: a record that is in two segments, a record
// whose partner is in none, posts that say something else than their record, a
// posts file without a line.
func TestVerifyAcross(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "segment: {max_size: 60KB}\n")
	d.must(t, exitDone, collectArgs(world)...)
	d.sound(t)
	warcs, posts := d.files(t, ".warc.gz"), d.files(t, ".posts.jsonl.gz")
	if len(warcs) < 3 {
		t.Fatalf("%d segments", len(warcs))
	}
	damaged := func(what string, words ...string) {
		t.Helper()
		out, _ := d.must(t, exitVerify, "verify", "--summary")
		for _, w := range append(words, "damaged: a part cannot be read", "What this does not show") {
			if !strings.Contains(out, w) {
				t.Errorf("%s: no %q in\n%s", what, w, out)
			}
		}
	}

	// A record of the first segment is appended to the second one too.
	before := read(t, warcs[1])
	r, err := warc.NewReaderAt(bytes.NewReader(read(t, warcs[0])), int64(len(read(t, warcs[0]))), 0)
	if err != nil {
		t.Fatal(err)
	}
	var copied []byte
	var id string
	for {
		rec, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		id = rec.ID()
		kind := rec.Header.Type()
		pos, err := rec.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if kind == "response" {
			copied = read(t, warcs[0])[pos.Offset:pos.End()]
			break
		}
	}
	overwrite(t, warcs[1], append(bytes.Clone(before), copied...))
	damaged("a record in two segments", "the record id "+id+" is there twice", filepath.Base(warcs[0]), filepath.Base(warcs[1]))
	overwrite(t, warcs[1], before)

	// A post's words are changed in the posts file, and in another a line is lost.
	old := read(t, posts[0])
	gz, err := gzip.NewReader(bytes.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	repack := func(text []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	overwrite(t, posts[0], repack(bytes.Replace(text, []byte(`"kind":"`), []byte(`"kind":"x`), 1)))
	damaged("a post changed", "says something else than its record")
	i := bytes.IndexByte(text, '\n')
	overwrite(t, posts[0], repack(text[i+1:]))
	damaged("a line lost", "1 record of the WARC for posts and pages have no line")
	if err := os.Remove(posts[0]); err != nil {
		t.Fatal(err)
	}
	damaged("the posts file lost", "the posts file is missing")
	if err := os.WriteFile(posts[0], old, 0o444); err != nil {
		t.Fatal(err)
	}

	// A segment is lost: what belonged to its records is told, and what was read
	// from them.
	index := strings.TrimSuffix(warcs[0], ".warc.gz") + ".cdxj"
	oldIndex := read(t, index)
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	damaged("the index lost", "the index is missing")
	if err := os.WriteFile(index, oldIndex, 0o444); err != nil {
		t.Fatal(err)
	}
	d.sound(t)
}

// A check that was stopped goes on where it was, and does not take over what was
// found about files that are not the same any more.
func TestVerifyResumes(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "segment: {max_size: 60KB}\n")
	d.must(t, exitDone, collectArgs(world)...)
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs bytes.Buffer
	stop := writerFunc(func(p []byte) (int, error) {
		if bytes.Count(out.Bytes(), []byte(".warc.gz: sound")) == 2 {
			cancel()
		}
		return out.Write(p)
	})
	if code := run(ctx, []string{"--config", d.config, "verify", "--parallel", "1"}, streams{in: strings.NewReader(""), out: stop, err: &errs}); code == exitDone {
		t.Fatalf("it was not stopped:\n%s", out.String())
	}
	kept, err := filepath.Glob(filepath.Join(d.state, "verify", "*.json"))
	if err != nil || len(kept) < 2 || len(kept) >= len(d.files(t, ".warc.gz")) {
		t.Fatalf("kept: %v, %v", kept, err)
	}
	whole, _ := d.must(t, exitDone, "--json", "verify")
	if !strings.Contains(whole, "were checked by an earlier run that was stopped") {
		t.Errorf("it began anew:\n%s", whole)
	}
	again, _ := d.must(t, exitDone, "--json", "verify")
	lines := func(s string) (n int) {
		for line := range strings.Lines(s) {
			var r verifyReport
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if lines(whole) != lines(again) || strings.Contains(again, "by an earlier run") {
		t.Errorf("the run that went on says\n%s\na whole run\n%s", whole, again)
	}
	if left, _ := os.ReadDir(filepath.Join(d.state, "verify")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A bucket is checked as a folder is.
func TestVerifyBucket(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, s3Config(server, "s3://"+server.Bucket+"/verify", server.SecretKey, 0)+"segment: {max_size: 60KB}\n")
	d.must(t, exitDone, collectArgs(world)...)
	out := d.sound(t)
	if !strings.Contains(out, "all segments together: sound") {
		t.Errorf("%s", out)
	}
}

func gunzip(t testing.TB, name string) string {
	t.Helper()
	return gunzipped(t, bytes.NewReader(read(t, name)))
}

func gunzipped(t testing.TB, r io.Reader) string {
	t.Helper()
	gz, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
