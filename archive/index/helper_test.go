package index

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/archive/capture"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/post"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

func message(raw string) capture.Block {
	head := strings.Index(raw, "\r\n\r\n") + 4
	return capture.Block{
		ReaderAt: strings.NewReader(raw), Size: int64(len(raw)), Head: int64(head),
		SHA256: sha256.Sum256([]byte(raw)), FinalSHA256: sha256.Sum256([]byte(raw)),
		PayloadSHA256: sha256.Sum256([]byte(raw[head:])), PayloadSize: int64(len(raw) - head),
	}
}

// exchange is a GET of url that was answered 200 with body.
func exchange(url, body string, at time.Time) *capture.Exchange {
	return &capture.Exchange{
		URL: url, Method: "GET", Status: 200, ContentType: "text/html",
		Request:  message("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
		Response: message("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n" + body),
		Started:  at, Ended: at.Add(80 * time.Millisecond), Protocols: []string{"http/1.1"},
	}
}

func openArchive(t testing.TB, store blob.Store, opts archive.Options) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	return a
}

// folder makes an empty archive in a folder.
func folder(t testing.TB, opts archive.Options) *archive.Archive {
	t.Helper()
	store, err := dir.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return openArchive(t, store, opts)
}

func record(t testing.TB, a *archive.Archive, url, body string, at time.Time) post.Capture {
	t.Helper()
	c, err := a.Record(t.Context(), exchange(url, body, at))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func rotate(t testing.TB, a *archive.Archive) {
	t.Helper()
	if err := a.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// openIndex opens an index of a and brings it up to date.
func openIndex(t testing.TB, a *archive.Archive, dir string) *Index {
	t.Helper()
	x, err := Open(t.Context(), Options{Dir: dir, Archive: a})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	refresh(t, x)
	return x
}

func refresh(t testing.TB, x *Index) Changes {
	t.Helper()
	c, err := x.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// found gives "TIMESTAMP URL" of each entry.
func found(t testing.TB, x *Index, q Query) []string {
	t.Helper()
	var list []string
	for e, err := range x.Find(t.Context(), q) {
		if err != nil {
			t.Fatalf("find %+v: %v", q, err)
		}
		list = append(list, e.Timestamp+" "+e.URL)
	}
	return list
}

func one(t testing.TB, x *Index, q Query) Entry {
	t.Helper()
	q.Limit = 1
	for e, err := range x.Find(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	t.Fatalf("nothing is found by %+v", q)
	return Entry{}
}

func body(t testing.TB, r *Record, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Header.Type() == warc.TypeResource {
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	m, err := warc.ReadHTTP(r)
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.Decoded(0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	b, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// link writes the record that links a file.
func link(t testing.TB, a *archive.Archive, path string) (sum string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if path, err = filepath.Abs(path); err != nil {
		t.Fatal(err)
	}
	sum = fmt.Sprintf("%x", sha256.Sum256(data))
	note, err := json.Marshal(Link{Type: TypeLink, Path: path, SHA256: sum, Size: int64(len(data))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.WriteResource(t.Context(), archive.Resource{URI: importPrefix + sum, ContentType: "application/json", Block: warc.Bytes(note)}); err != nil {
		t.Fatal(err)
	}
	return sum
}

// zipEntry reads an entry of a ZIP with the standard library alone.
func zipEntry(t testing.TB, f *os.File, name string) io.Reader {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range z.File {
		if e.Name == name {
			r, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			return r
		}
	}
	t.Fatalf("no entry %s", name)
	return nil
}

type ctx = context.Context

// removeSegment takes the files of a segment away.
func removeSegment(t testing.TB, root string, name archive.Name) {
	t.Helper()
	for _, ending := range []string{archive.WARCEnding, archive.IndexEnding} {
		if err := os.Remove(filepath.Join(root, filepath.FromSlash(name.Key(ending)))); err != nil {
			t.Fatal(err)
		}
	}
}
