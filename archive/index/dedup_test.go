package index

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/archive/blob/s3"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/s3test"
)

// secondRun opens an archive again, as the next run does, with an index that
// knows the runs before.
func secondRun(t *testing.T, store blob.Store, opts archive.Options, indexDir string) (*archive.Archive, *Index) {
	t.Helper()
	a := openArchive(t, store, opts)
	x, err := Open(t.Context(), Options{Dir: indexDir, Archive: a, SkipOpen: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	refresh(t, x)
	a.Deduplicate(func(ctx ctx, payload [32]byte) (archive.Earlier, bool) {
		o, ok, err := x.Original(ctx, payload)
		if err != nil {
			t.Error(err)
		}
		return o, ok
	})
	return a, x
}

func TestDedupAcrossRuns(t *testing.T) {
	server := s3test.Start(t)
	for _, test := range []struct {
		name  string
		store func() (blob.Store, error)
		work  bool
	}{
		{"in a folder", func() (blob.Store, error) { return dir.New(t.TempDir()) }, false},
		{"in a bucket", func() (blob.Store, error) {
			return s3.New(t.Context(), s3.Options{Bucket: server.Bucket, Prefix: "case", Endpoint: server.Endpoint, Region: server.Region, PathStyle: true, AccessKey: server.AccessKey, SecretKey: server.SecretKey})
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			store, err := test.store()
			if err != nil {
				t.Fatal(err)
			}
			options := func() (o archive.Options) {
				if test.work {
					o.WorkDir = t.TempDir()
				}
				return o
			}
			text := strings.Repeat("a picture that is shown on many pages ", 50)
			cut := strings.Repeat("an answer that was cut ", 50)
			first := openArchive(t, store, options())
			original := record(t, first, "http://example.com/a", text, noon)
			record(t, first, "http://example.com/small", "small", noon)
			record(t, first, "http://example.com/empty", "", noon)
			ex := exchange("http://example.com/cut", cut, noon)
			ex.Truncated = "length"
			if _, err := first.Record(t.Context(), ex); err != nil {
				t.Fatal(err)
			}
			if err := first.Close(t.Context()); err != nil {
				t.Fatal(err)
			}

			a, _ := secondRun(t, store, options(), t.TempDir())
			later := noon.Add(24 * time.Hour)
			is := func(url, body string, revisit bool) (h warc.Header) {
				t.Helper()
				c := record(t, a, url, body, later)
				r, err := a.ReadRecord(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if got := r.Header.Type() == warc.TypeRevisit; got != revisit {
					t.Errorf("%s is a %s", url, r.Header.Type())
				}
				return r.Header
			}
			h := is("http://example.com/b", text, true)
			for name, want := range map[string]string{
				"WARC-Refers-To": "<" + original.RecordID + ">", "WARC-Refers-To-Target-URI": "http://example.com/a", "WARC-Refers-To-Date": "2026-11-23T12:00:00.123456Z",
				"WARC-Refers-To-Filename": original.File, "WARC-Refers-To-File-Offset": fmt.Sprint(original.Offset), "WARC-Payload-Digest": original.PayloadDigest,
				"WARC-Profile": "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			is("http://example.com/c", text, true)
			is("http://example.com/small", "small", false)
			is("http://example.com/empty", "", false)
			is("http://example.com/cut", cut, false)
			is("http://example.com/new", text+"more", false)
			if err := a.Close(t.Context()); err != nil {
				t.Fatal(err)
			}

			// A third run, after which everything is found by an index made anew; the
			// revisits of the second run are no originals.
			a, x := secondRun(t, store, options(), t.TempDir())
			if h := is("http://example.com/d", text, true); h.Get("WARC-Refers-To-File-Offset") != fmt.Sprint(original.Offset) || h.Get("WARC-Refers-To-Filename") != original.File {
				t.Errorf("the third run refers to %v", h)
			}
			rotate(t, a)
			refresh(t, x)
			n := 0
			for e, err := range x.Find(t.Context(), Query{Digest: original.PayloadDigest}) {
				if err != nil {
					t.Fatal(err)
				}
				n++
				r, err := x.Resolve(t.Context(), e)
				if got := body(t, r, err); got != text {
					t.Errorf("%s: %q", e.URL, got)
				}
			}
			if n != 4 {
				t.Errorf("%d captures of the picture", n)
			}
		})
	}
}

// TestDedupOnlyOfStored offers records that may be lost, or are no longer there:
// everything is stored again then.
func TestDedupOnlyOfStored(t *testing.T) {
	root := t.TempDir()
	store, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("a page ", 200)
	writer := openArchive(t, store, archive.Options{Worker: "writer"})
	record(t, writer, "http://example.com/", text, noon)
	if err := writer.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The other process has not finished its segment.
	a := openArchive(t, store, archive.Options{Worker: "second"})
	x := openIndex(t, a, t.TempDir()) // with open segments
	payload := sha256.Sum256([]byte(text))
	if got := found(t, x, Query{URL: "example.com"}); len(got) != 1 {
		t.Fatalf("%v", got)
	}
	if o, ok, err := x.Original(t.Context(), payload); ok || err != nil {
		t.Errorf("an open segment: %+v, %v", o, err)
	}
	rotate(t, writer)
	refresh(t, x)
	o, ok, err := x.Original(t.Context(), payload)
	if !ok || err != nil {
		t.Fatalf("a finished segment: %v", err)
	}
	// What the index gives does not fit the payload, or is of no segment: not taken.
	for _, wrong := range []archive.Earlier{
		{Original: warc.Original{ID: o.ID, URL: o.URL, Date: o.Date, PayloadDigest: "sha256:00"}, File: o.File},
		{Original: o.Original, File: "other.warc.gz"}, {Original: warc.Original{ID: o.ID, PayloadDigest: o.PayloadDigest}, File: o.File}, {},
	} {
		b := openArchive(t, store, archive.Options{Worker: "third"})
		b.Deduplicate(func(ctx, [32]byte) (archive.Earlier, bool) { return wrong, true })
		r, err := b.ReadRecord(t.Context(), record(t, b, "http://example.com/x", text, noon))
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Type() != warc.TypeResponse {
			t.Errorf("%+v was taken", wrong)
		}
		r.Close()
	}
	// The file is gone, though the index has it still.
	for s, err := range a.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if !s.Open {
			removeSegment(t, root, s.Name)
		}
	}
	if o, ok, err := x.Original(t.Context(), payload); ok || err != nil {
		t.Errorf("a segment that is gone: %+v, %v", o, err)
	}
}

// BenchmarkOriginal is what dedup costs a capture: most payloads are new.
func BenchmarkOriginal(b *testing.B) {
	x := benchIndex(b, 1_000_000)
	start := cpuTime()
	for i := 0; b.Loop(); i++ {
		if _, ok, err := x.Original(b.Context(), sha256.Sum256(fmt.Append(nil, "new ", i))); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
	b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/float64(b.N), "cpu-ns/op")
}
