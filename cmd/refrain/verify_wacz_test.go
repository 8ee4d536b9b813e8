package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
)

// A WACZ is told by its content, whatever it is called; one that was changed
// ends with code 4.
func TestVerifyWACZ(t *testing.T) {
	d := newDesk(t, serve(t, tinyWorld()), "")
	day := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	name := filepath.Join(t.TempDir(), "bread.zip")
	w, err := wacz.Create(name, wacz.WriterOptions{Created: day, Software: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []error{
		w.NewWARC("a.warc.gz"),
		w.Record(warc.NewWarcinfo("a.warc.gz", day, nil)),
		w.Record(warc.Capture{URL: "https://example.org/", Date: day}.Response(warc.Bytes([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nbread")))),
		w.Close(t.Context()),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	out, _ := d.must(t, 0, "verify", name)
	if !strings.Contains(out, "sound (3 files fit their hash, 0 pages, 1 index line, not signed)") {
		t.Errorf("%s", out)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("bread"))
	if at < 0 {
		at = 300
	}
	data[at] ^= 1
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	out, _ = d.must(t, 4, "verify", name)
	if !strings.Contains(out, "damage in archive/a.warc.gz") {
		t.Errorf("%s", out)
	}
	out, _ = d.must(t, 4, "--json", "verify", name)
	if !strings.Contains(out, `"verdict":"damaged"`) {
		t.Errorf("%s", out)
	}
}
