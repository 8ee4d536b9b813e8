package index

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob/s3"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/s3test"
	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// TestResolveOwn follows the revisits of our own segments.
func TestResolveOwn(t *testing.T) {
	a := folder(t, archive.Options{})
	text := strings.Repeat("a page that comes again ", 100)
	for i := range 3 {
		record(t, a, "http://example.com/", text, noon.AddDate(0, 0, i))
	}
	x := openIndex(t, a, t.TempDir()) // the segment is open still
	check := func() {
		t.Helper()
		revisits := 0
		for e, err := range x.Find(t.Context(), Query{URL: "example.com"}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Revisit() {
				revisits++
			}
			r, err := x.Resolve(t.Context(), e)
			if err == nil && r.Entry.Timestamp != "20261123120000" {
				t.Errorf("%s is resolved to %s", e.Timestamp, r.Entry.Timestamp)
			}
			if got := body(t, r, err); got != text {
				t.Errorf("%s: %q", e.Timestamp, got)
			}
		}
		if revisits != 2 {
			t.Errorf("%d revisits", revisits)
		}
	}
	check()
	rotate(t, a)
	refresh(t, x)
	check()
}

// TestResolveOthers follows the revisits of other tools' files, the original in
// another file than the revisit, or in none.
func TestResolveOthers(t *testing.T) {
	dir := sharedtest.Path(t, "conformance/warc")
	for _, test := range []struct {
		name, url string
		files     []string
		payload   bool // of the revisit is there
	}{
		{"by digest, in two files", "http://bl.uk/subjects/news-media/", []string{"iipc-specs/20141129-heritrix-original.warc.gz", "iipc-specs/20141129-heritrix-revisit-with-http-headers-and-new-warc-headers.warc.gz"}, true},
		{"the original is missing", "http://bl.uk/subjects/news-media/", []string{"iipc-specs/20141129-heritrix-revisit-with-http-headers-and-new-warc-headers.warc.gz"}, false},
		{"by digest, of the old profile", "http://www.bl.uk/", []string{"iipc-specs/20130729-heritrix-original.warc.gz", "iipc-specs/20130729-heritrix-revisit-with-http-headers.warc.gz"}, true},
		{"not modified, with the digest of nothing", "http://www.bl.uk/", []string{"iipc-specs/20130729-heritrix-original.warc.gz", "iipc-specs/20141124-heritrix-server-not-modified.warc.gz"}, true},
		{"not modified, by URL and date", "http://example.com/a", []string{"matrix/40-refers-to-on-revisit-warc-refers-to.warc.gz"}, true},
		{"of another URL, in one file", "http://example.com/b", []string{"matrix/20-revisit-hdrs-trunc.warc.gz"}, true},
		{"an empty revisit", "http://example.com/b", []string{"matrix/22-revisit-empty.warc.gz"}, true},
		{"of a file that is not there", "http://test@example.com/", []string{"warcio.js/example-url-agnostic-revisit.warc.gz"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := folder(t, archive.Options{})
			for _, f := range test.files {
				link(t, a, filepath.Join(dir, f))
			}
			rotate(t, a)
			x := openIndex(t, a, t.TempDir())
			revisits := 0
			for e, err := range x.Find(t.Context(), Query{URL: test.url, Filters: filters(t, "=mime:warc/revisit")}) {
				if err != nil {
					t.Fatal(err)
				}
				revisits++
				r, err := x.Resolve(t.Context(), e)
				if !test.payload {
					if err == nil || !strings.Contains(err.Error(), "no record that holds it is in the archive") {
						t.Errorf("%s: %v", e.URL, err)
					}
					continue
				}
				if err != nil {
					t.Error(err)
					continue
				}
				if r.Header.Type() == warc.TypeRevisit || !strings.HasPrefix(test.name, "not modified") && !sameDigest(e.Digest, r.Entry.Digest) {
					t.Errorf("%s is resolved to a %s of %s", e.URL, r.Header.Type(), r.Entry.URL)
				}
				if n, err := io.Copy(io.Discard, r); n == 0 || err != nil {
					t.Errorf("%d bytes, %v", n, err)
				}
				r.Close()
			}
			if revisits == 0 {
				t.Error("no revisit in the files")
			}
		})
	}
}

// TestS3 has the archive in a bucket of a real server: finished segments there,
// one open in the work folder.
func TestS3(t *testing.T) {
	server := s3test.Start(t)
	store, err := s3.New(t.Context(), s3.Options{Bucket: server.Bucket, Prefix: "case", Endpoint: server.Endpoint, Region: server.Region, PathStyle: true, AccessKey: server.AccessKey, SecretKey: server.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	a := openArchive(t, store, archive.Options{WorkDir: t.TempDir()})
	text := strings.Repeat("a page in a bucket ", 100)
	record(t, a, "http://example.com/", text, noon)
	rotate(t, a)
	record(t, a, "http://example.com/", text, noon.AddDate(0, 0, 1)) // a revisit, in a segment that is open
	record(t, a, "http://example.com/large", strings.Repeat("0123456789", 200_000), noon)
	x := openIndex(t, a, t.TempDir())
	check := func() {
		t.Helper()
		n := 0
		for e, err := range x.Find(t.Context(), Query{URL: "example.com"}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			r, err := x.Resolve(t.Context(), e)
			if got := body(t, r, err); got != text {
				t.Errorf("%s: %q", e.Timestamp, got)
			}
		}
		if n != 2 {
			t.Errorf("%d captures", n)
		}
		r, err := x.Record(t.Context(), one(t, x, Query{URL: "http://example.com/large"}))
		if got := body(t, r, err); len(got) != 2_000_000 {
			t.Errorf("the large page has %d bytes", len(got))
		}
	}
	check()
	rotate(t, a)
	refresh(t, x)
	check()
	server.Kill()
	if _, err := x.Record(t.Context(), one(t, x, Query{URL: "example.com"})); err == nil {
		t.Error("a record of a server that is gone was read")
	}
	if _, err := x.Update(t.Context()); err == nil {
		t.Error("an update without the server is no error")
	}
	if got := found(t, x, Query{URL: "example.com"}); len(got) != 2 {
		t.Errorf("without the server %v is found", got)
	}
	server.Restart()
	refresh(t, x)
	check()
}
