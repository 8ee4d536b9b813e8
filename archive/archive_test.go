package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/archive/capture"
	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/internal/fsys/fsystest"
	"github.com/refrain-archive/refrain/post"
)

func folder(t testing.TB) *dir.Store {
	t.Helper()
	s, err := dir.New(filepath.Join(t.TempDir(), "archive"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func record(t testing.TB, a *archive.Archive, ex *capture.Exchange) post.Capture {
	t.Helper()
	c, err := a.Record(t.Context(), ex)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readBlock(t testing.TB, a *archive.Archive, c post.Capture) (*archive.Record, string) {
	t.Helper()
	r, err := a.ReadRecord(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return r, string(data)
}

// Every kind of exchange, through a segment, and back.
func TestRecords(t *testing.T) {
	store := folder(t)
	var finished []archive.Finished
	a := mustOpen(t, store, archive.Options{
		Worker: "Host One", Info: []archive.Field{{Name: "software", Value: "refrain/test"}}, LogKey: "key",
		Now: func() time.Time { return noon },
		Finished: func(_ context.Context, f archive.Finished) error {
			finished = append(finished, f)
			return nil
		},
	})
	page := strings.Repeat("the same words again. ", 100)
	plain := exchange("https://plaza.example/a", "text/html", page)
	again := exchange("https://plaza.example/b", "text/html", page)
	early := exchange("https://plaza.example/early", "text/html", "early hints came first")
	early.Response = message("HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nbody")
	cut := exchange("https://plaza.example/cut", "image/jpeg", "half of a picture")
	cut.Truncated, cut.Outcome, cut.Error = "disconnect", post.CutBody, "unexpected EOF"
	failed := &capture.Exchange{URL: "https://gone.example/", Method: "GET", Started: noon, Ended: noon, Outcome: post.DNSError, Error: "lookup gone.example:\nno such host",
		Request: capture.Block{ReaderAt: strings.NewReader("")}, Response: capture.Block{ReaderAt: strings.NewReader("")}}
	redacted := exchange("https://plaza.example/api?key=REDACTED", "application/json", `{"posts":[]}`)
	redacted.Redactions = []capture.Redaction{{Part: "url", Count: 1, Reason: "key plaza"}}
	redacted.Fields = append(redacted.Fields, fetchctx.Field{Name: "note", Value: "two\r\nlines"})
	odd := exchange("https://plaza.example/odd", "", "")
	odd.Status, odd.Response = 0, capture.Block{ReaderAt: strings.NewReader("not http"), Size: 8, Head: 8, SHA256: message("", "not http").SHA256, FinalSHA256: message("", "not http").FinalSHA256}

	at := map[string]post.Capture{}
	for _, ex := range []*capture.Exchange{plain, again, early, cut, failed, redacted, odd} {
		at[ex.URL] = record(t, a, ex)
	}
	if err := a.WritePosts(t.Context(), []post.Post{samplePost("1", at[plain.URL]), samplePost("späte nr <2>", at[plain.URL])}); err != nil {
		t.Fatal(err)
	}
	facts, err := a.WriteAssetFacts(t.Context(), strings.Repeat("0a", 32), map[string]int{"width": 640}, at[cut.URL])
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}

	look := func(when string) {
		t.Helper()
		for _, ex := range []*capture.Exchange{plain, early, cut, redacted, odd} {
			r, got := readBlock(t, a, at[ex.URL])
			if want := string(block(t, &ex.Response)[ex.Response.Interim:]); got != want || r.Header.TargetURI() != ex.URL || r.Capture != at[ex.URL] {
				t.Errorf("%s: %s: %q %v, want %q", when, ex.URL, got, r.Header, want)
			}
		}
		r, got := readBlock(t, a, at[again.URL])
		original, ok := r.Original()
		if r.Header.Type() != "revisit" || got != string(block(t, &again.Response)[:again.Response.Head]) || !ok || original != at[plain.URL] {
			t.Errorf("%s: revisit %v %q, original %+v; want the head only, and %+v", when, r.Header, got, original, at[plain.URL])
		}
		if _, got := readBlock(t, a, facts); got != `{"width":640}` {
			t.Errorf("%s: facts %s", when, got)
		}
		var urls []string
		for ex, err := range a.Captures(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			urls = append(urls, ex.URL)
			switch ex.URL {
			case plain.URL:
				if string(ex.Block) != string(block(t, &plain.Response)) || string(ex.Request) != string(block(t, &plain.Request)) ||
					ex.Metadata.Get("robots") != "allowed" || ex.Metadata.Get("fetchTimeMs") != "80" || !ex.Date.Equal(noon) || ex.Capture != at[plain.URL] {
					t.Errorf("%s: capture %+v", when, ex)
				}
			case failed.URL:
				if ex.Response != nil || ex.Metadata.Get("outcome") != "dns_error" || ex.Metadata.Get("error") != "lookup gone.example: no such host" {
					t.Errorf("%s: failed fetch %+v", when, ex)
				}
			case redacted.URL:
				if !strings.HasPrefix(ex.Metadata.Get("redacted"), "url sha256:00") || ex.Metadata.Get("note") != "two  lines" {
					t.Errorf("%s: redacted fetch %v", when, ex.Metadata)
				}
			case cut.URL:
				if ex.Response.Get("WARC-Truncated") != "disconnect" || ex.Metadata.Get("outcome") != "cut_body" {
					t.Errorf("%s: cut fetch %v", when, ex)
				}
			}
		}
		want := []string{plain.URL, again.URL, early.URL, cut.URL, failed.URL, redacted.URL, odd.URL}
		if !slices.Equal(urls, want) {
			t.Errorf("%s: captures %v, want %v", when, urls, want)
		}
		var keys []string
		for s, err := range a.Segments(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			for line, err := range a.Posts(t.Context(), s.Name) {
				if err != nil {
					t.Fatal(err)
				}
				keys = append(keys, line.Post.Key())
				if line.Post.Text != "Hello <b> & ünïcode" || line.Post.Capture != at[plain.URL] {
					t.Errorf("%s: post %+v", when, line.Post)
				}
				r, got := readBlock(t, a, post.Capture{RecordID: line.RecordID, File: at[plain.URL].File, Offset: line.Offset})
				if r.Header.Get("WARC-Concurrent-To") != "<"+at[plain.URL].RecordID+">" || !strings.Contains(got, `"Hello <b> & ünïcode"`) {
					t.Errorf("%s: the post's record: %v %s", when, r.Header, got)
				}
			}
		}
		if !slices.Equal(keys, []string{"plaza:1", "plaza:späte nr <2>"}) {
			t.Errorf("%s: posts %q", when, keys)
		}
	}
	look("open")
	if err := a.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	look("finished")

	// The names, and nothing else in the folder.
	base := "segments/2026/11/23/refrain-20261123120000123-00001-host-one"
	var keys []string
	for info, err := range store.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	if want := []string{"refrain.json", base + ".cdxj", base + ".posts.jsonl.gz", base + ".warc.gz"}; !slices.Equal(keys, want) {
		t.Errorf("files %v, want %v", keys, want)
	}
	if left, err := os.ReadDir(filepath.Join(store.Root(), ".work")); err != nil || len(left) != 0 {
		t.Errorf(".work holds %v, %v", left, err)
	}
	if len(finished) != 1 || len(finished[0].Files) != 3 || finished[0].Files[0].Key != base+".warc.gz" || len(finished[0].Files[0].SHA256) != 64 || finished[0].Recovered != nil {
		t.Errorf("finished: %+v", finished)
	}
	if err := checkArchive(t.Context(), a); err != nil {
		t.Error(err)
	}
	if m := a.Manifest(); m.Format != 1 || m.LogKey != "key" || !strings.HasPrefix(m.Archive, "urn:uuid:") {
		t.Errorf("manifest %+v", m)
	}

	// The order of the records of one exchange, and what ties them.
	var kinds []string
	for r, err := range a.Records(t.Context(), finished[0].Name) {
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, r.Header.Type())
		if r.Header.Type() != "warcinfo" && r.Header.Get("WARC-Date") != "2026-11-23T12:00:00.123456Z" {
			t.Errorf("%s has WARC-Date %s", r.Header.Type(), r.Header.Get("WARC-Date"))
		}
	}
	if got, want := strings.Join(kinds, " "), "warcinfo response request metadata revisit request metadata response request metadata resource response request metadata metadata response request metadata response request metadata resource resource resource"; got != want {
		t.Errorf("records\n%s, want\n%s", got, want)
	}
}

func TestBadRequests(t *testing.T) {
	a := mustOpen(t, folder(t), archive.Options{})
	c := record(t, a, exchange("https://plaza.example/a", "text/html", "x"))
	for _, test := range []struct {
		name string
		err  error
		says string
	}{
		{"a post without a capture", a.WritePosts(t.Context(), []post.Post{{Platform: "p", ID: "1"}}), "a post without its capture cannot exist"},
		{"a post without an id", a.WritePosts(t.Context(), []post.Post{{Platform: "p", Capture: c}}), "no id"},
		{"another record", second(a.ReadRecord(t.Context(), post.Capture{RecordID: "urn:uuid:0", File: c.File, Offset: c.Offset})), "there lies record " + c.RecordID},
		{"no record there", second(a.ReadRecord(t.Context(), post.Capture{RecordID: c.RecordID, File: c.File, Offset: c.Offset + 1})), c.File},
		{"behind the end", second(a.ReadRecord(t.Context(), post.Capture{File: c.File, Offset: 1 << 40})), "not within the file"},
		{"no such segment", second(a.ReadRecord(t.Context(), post.Capture{File: "refrain-20200101000000000-00001-x.warc.gz"})), "no such object"},
		{"a path", second(a.ReadRecord(t.Context(), post.Capture{File: "../" + c.File})), "not the name of a segment's WARC"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.says) {
			t.Errorf("%s: %v, want it to say %q", test.name, test.err, test.says)
		}
	}
	// A body that cannot be read is an error of that exchange alone.
	bad := exchange("https://plaza.example/bad", "text/html", strings.Repeat("x", 1<<20))
	bad.Response.ReaderAt = brokenAt{bad.Response.ReaderAt, 600 << 10}
	if _, err := a.Record(t.Context(), bad); !errors.Is(err, errBroken) {
		t.Errorf("a spool file that cannot be read: %v", err)
	}
	d := record(t, a, exchange("https://plaza.example/after", "text/html", "y"))
	if err := a.Sync(t.Context()); err != nil {
		t.Error(err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, got := readBlock(t, a, d); !strings.HasSuffix(got, "\r\n\r\ny") {
		t.Errorf("the exchange after it: %q", got)
	}
	if err := checkArchive(t.Context(), a); err != nil {
		t.Error(err)
	}
	if _, err := a.Record(t.Context(), exchange("https://plaza.example/late", "text/html", "z")); !errors.Is(err, archive.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

var errBroken = errors.New("the spool file is broken")

type brokenAt struct {
	io.ReaderAt
	at int64
}

func (b brokenAt) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.at {
		return 0, errBroken
	}
	return b.ReaderAt.ReadAt(p, off)
}

// A segment ends by size and by age; an archive opened and closed has none.
func TestRotation(t *testing.T) {
	store := folder(t)
	a := mustOpen(t, store, archive.Options{MaxSize: 4096})
	for i := range 20 {
		body := make([]byte, 1000)
		for j := range body {
			body[j] = byte('a' + (j*j*(i+7)+j/3)%26)
		}
		record(t, a, exchange(fmt.Sprintf("https://plaza.example/%d", i), "image/png", string(body)))
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := 0
	for s, err := range a.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; s.Open || s.Size > 8192 || s.Name.Serial() != n {
			t.Errorf("segment %+v", s)
		}
	}
	if n < 5 {
		t.Errorf("%d segments of 4 KiB for 20 exchanges of more than 1 KiB", n)
	}
	if err := checkArchive(t.Context(), a); err != nil {
		t.Error(err)
	}

	done := make(chan archive.Finished, 1)
	a = mustOpen(t, folder(t), archive.Options{MaxAge: time.Millisecond, Finished: func(_ context.Context, f archive.Finished) error { done <- f; return nil }})
	record(t, a, exchange("https://plaza.example/old", "text/html", "x"))
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("a segment is open 10 s after its millisecond was over")
	}

	store = folder(t)
	if err := mustOpen(t, store, archive.Options{}).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for info := range store.List(t.Context(), "segments", "") {
		t.Errorf("an archive without a record has %s", info.Key)
	}
}

// While one fsync runs, all who come wait for one other.
func TestGroupCommit(t *testing.T) {
	files := fsystest.New(1)
	store, err := dir.NewFS(files, "/archive")
	if err != nil {
		t.Fatal(err)
	}
	a := mustOpen(t, store, archive.Options{})
	started, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	files.OnSync(func() {
		once.Do(func() { close(started); <-release })
	})
	before := files.Syncs()
	record(t, a, exchange("https://plaza.example/first", "text/html", "x"))
	errs := make(chan error, 21)
	go func() { errs <- a.Sync(context.Background()) }()
	<-started
	for i := range 20 {
		record(t, a, exchange(fmt.Sprintf("https://plaza.example/%d", i), "text/html", "x"))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Sync(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiter whose context has ended: %v", err)
	}
	for range 20 {
		go func() { errs <- a.Sync(context.Background()) }()
	}
	close(release)
	for range 21 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := files.Syncs() - before; n != 2 {
		t.Errorf("%d fsyncs for 21 waiters of two groups, want 2", n)
	}
	files.OnSync(nil)
}

// Two archives open on one folder write segments of their own, and one that
// starts leaves a living one's alone.
func TestTwoWriters(t *testing.T) {
	store := folder(t)
	now := func() time.Time { return noon }
	a := mustOpen(t, store, archive.Options{Worker: "w", Now: now})
	ca := record(t, a, exchange("https://plaza.example/a", "text/html", "x"))
	b := mustOpen(t, store, archive.Options{Worker: "w", Now: now})
	if r := b.Recovered(); len(r) != 0 {
		t.Errorf("the living segment was recovered: %v", r)
	}
	cb := record(t, b, exchange("https://plaza.example/b", "text/html", "x"))
	if ca.File == cb.File {
		t.Errorf("both write %s", ca.File)
	}
	if a.Manifest() != b.Manifest() {
		t.Errorf("manifests differ: %+v %+v", a.Manifest(), b.Manifest())
	}
	var open int
	for s, err := range b.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Open {
			open++
		}
	}
	if err := a.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, got := readBlock(t, b, ca); !strings.HasSuffix(got, "\r\n\r\nx") {
		t.Errorf("a record of the other's open segment: %q", got)
	}
	if err := errors.Join(a.Close(t.Context()), b.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := checkArchive(t.Context(), b); err != nil {
		t.Error(err)
	}
}

func TestOpenErrors(t *testing.T) {
	for _, test := range []struct{ manifest, says string }{
		{`{"format":2,"archive":"urn:uuid:x"}`, "format 2, this program reads up to 1: use a newer one"},
		{`{}`, "names no format version"},
		{`hello`, "is not what refrain writes"},
	} {
		store := folder(t)
		if _, err := blob.PutBytes(t.Context(), store, "refrain.json", []byte(test.manifest), blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Open(t.Context(), store, archive.Options{}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want it to say %q", test.manifest, err, test.says)
		}
	}
	if _, err := archive.Open(t.Context(), folder(t), archive.Options{ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "there is no archive here") {
		t.Errorf("nothing there, for reading: %v", err)
	}
	store := folder(t)
	a := mustOpen(t, store, archive.Options{})
	c := record(t, a, exchange("https://plaza.example/a", "text/html", "x"))
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, store, archive.Options{ReadOnly: true})
	if _, got := readBlock(t, r, c); !strings.HasSuffix(got, "x") {
		t.Errorf("read only: %q", got)
	}
	if _, err := r.Record(t.Context(), exchange("https://plaza.example/b", "text/html", "x")); !errors.Is(err, archive.ErrReadOnly) {
		t.Errorf("record in an archive open for reading: %v", err)
	}
}

func TestName(t *testing.T) {
	for _, file := range []string{"refrain-20261123101112345-00001-host.warc.gz", "segments/2026/11/23/refrain-20261123101112345-123456-a-b.c.cdxj", "refrain-20261123101112345-00001-w.posts.jsonl.gz"} {
		if name, ending, ok := archive.ParseName(file); !ok || name.Folder() != "segments/2026/11/23" || !strings.HasSuffix(file, string(name)+ending) || name.Time().Nanosecond() != 345000000 {
			t.Errorf("ParseName(%q) = %q %q %v", file, name, ending, ok)
		}
	}
	for _, file := range []string{"", "refrain.json", "refrain-20261123101112345-00001-host.warc.gz.open", "refrain-20261323101112345-00001-host.warc.gz", "refrain-20261123101112345-1-host.warc.gz", "refrain-20261123101112345-00001-.warc.gz", "refrain-20261123101112345-00001-HOST.warc.gz", "x-20261123101112345-00001-host.warc.gz"} {
		if name, _, ok := archive.ParseName(file); ok {
			t.Errorf("ParseName(%q) = %q", file, name)
		}
	}
}
