package wacz

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive/warc"
)

var day = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func response(n int) *warc.Record {
	body := fmt.Sprintf("<title>Page %d</title><p>Bread was sold out by ten.", n)
	c := warc.Capture{URL: fmt.Sprintf("https://Blog.example.org/posts/%d/?b=2&a=1", n), Date: day}
	return c.Response(warc.Bytes(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(body), body)))
}

// warcFile is a whole .warc.gz.
func warcFile(t *testing.T, from, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := warc.NewWriter(&b, warc.WriterOptions{})
	if _, err := w.Write(warc.NewWarcinfo("whole.warc.gz", day, nil)); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := w.Write(response(from + i)); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func write(t *testing.T, o WriterOptions, records int) string {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "out.wacz")
	o.Created, o.Software, o.TempDir = day, "refrain test", dir
	w, err := Create(name, o)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.AddWARC(t.Context(), "whole.warc.gz", bytes.NewReader(warcFile(t, 0, 3))))
	must(w.NewWARC("single.warc.gz"))
	must(w.Record(warc.NewWarcinfo("single.warc.gz", day, nil)))
	for i := range records {
		must(w.Record(response(100 + i)))
	}
	must(w.AddFile(t.Context(), "evidence/log.json", strings.NewReader("{}")))
	must(w.AddPage(Page{URL: "https://Blog.example.org/posts/1/?b=2&a=1", TS: "2026-03-04T05:06:07Z", Title: "Page <1>", Text: "Bread"}))
	must(w.AddExtraPage(Page{URL: "https://Blog.example.org/posts/2/?b=2&a=1", TS: "2026-03-04T05:06:07Z"}))
	must(w.Close(t.Context()))
	left, err := os.ReadDir(dir)
	must(err)
	if len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
	return name
}

// What is written is sound by our own verify, in both forms of the index,
// signed, and each record is found by its URL.
func TestWriter(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o       WriterOptions
		records int
		index   string
	}{
		{WriterOptions{Title: "Bread"}, 5, "indexes/index.cdxj"},
		{WriterOptions{Key: key, BlockLines: 16}, 400, "indexes/index.cdx.gz"},
	} {
		data, err := os.ReadFile(write(t, c.o, c.records))
		if err != nil {
			t.Fatal(err)
		}
		r := verdict(t, data)
		for _, f := range r.Findings {
			t.Errorf("%s %s: %s", f.Entry, f.Code, f.Detail)
		}
		if r.Verdict != warc.Sound || r.Lines != int64(c.records+3) || r.Pages != 2 {
			t.Errorf("%s, %d lines, %d pages", r.Verdict, r.Lines, r.Pages)
		}
		if (c.o.Key != nil) != (r.Signature != nil && r.Signature.Valid) {
			t.Errorf("signature %+v", r.Signature)
		}
		f, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if f.entries[c.index] == nil {
			t.Errorf("no %s in %q", c.index, f.Names())
		}
		for n := range c.records {
			url, found := fmt.Sprintf("https://Blog.example.org/posts/%d/?b=2&a=1", 100+n), 0
			for l, err := range f.Find(url) {
				if err != nil {
					t.Fatal(err)
				}
				rec, err := f.Record(l.Filename, l.Offset)
				if err != nil {
					t.Fatal(err)
				}
				if rec.Header.TargetURI() != url {
					t.Errorf("%s finds %s", url, rec.Header.TargetURI())
				}
				found++
			}
			if found != 1 {
				t.Fatalf("%s is found %d times", url, found)
			}
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.wacz")
	w, err := Create(name, WriterOptions{Created: day, Software: "t", TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(name, WriterOptions{Created: day, Software: "t"}); err == nil || !strings.Contains(err.Error(), "unfinished") {
		t.Errorf("two writers of one file: %v", err)
	}
	if err := w.AddFile(t.Context(), "archive/x.txt", strings.NewReader("")); err == nil {
		t.Error("a file in archive/ is taken")
	}
	if err := w.AddPage(Page{URL: "http://a/", TS: "yesterday"}); err == nil {
		t.Error("a page without a time is taken")
	}
	if err := w.NewWARC("../x.warc.gz"); err == nil {
		t.Error("a name that leads out is taken")
	}
	whole := warcFile(t, 0, 2)
	if err := w.AddWARC(t.Context(), "cut.warc.gz", bytes.NewReader(whole[:len(whole)-9])); err == nil {
		t.Error("a WARC that is cut is taken")
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("files left: %v", left)
	}
}

// A file that changes on disk before it is read back does not get its name.
func TestReadBack(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.wacz")
	w, err := Create(name, WriterOptions{Created: day, Software: "t", TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddWARC(t.Context(), "a.warc.gz", bytes.NewReader(warcFile(t, 0, 2))); err != nil {
		t.Fatal(err)
	}
	if err := w.buf.Flush(); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := w.out.ReadAt(b[:], 200); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := w.out.WriteAt(b[:], 200); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "read back") {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("files left: %v", left)
	}
}
