package wacz

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/sharedtest"
)

type entry struct {
	name, content string
	method        uint16
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verdict(t *testing.T, data []byte) *Report {
	t.Helper()
	r, err := Verify(t.Context(), bytes.NewReader(data), int64(len(data)), "test.wacz")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Report) has(code string) bool {
	for _, f := range r.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

// Names that would leave the folder or that mean two things are never opened.
func TestNames(t *testing.T) {
	for _, name := range []string{"../x", "/etc/x", "archive/../../x", `archive\x`, "C:/x", "a//b", "./a"} {
		data := zipOf(t, entry{name: name, content: "x"})
		f, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if _, err := f.Open(name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q opens: %v", name, err)
		}
		if r := verdict(t, data); !r.has("name") || r.Verdict != warc.Damaged {
			t.Errorf("%q: %s %v", name, r.Verdict, r.Findings)
		}
	}
	data := zipOf(t, entry{name: "pages/pages.jsonl", content: "x"}, entry{name: "pages/pages.jsonl", content: "y"}, entry{name: "Pages/pages.jsonl", content: "z"})
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Names()) != 0 {
		t.Errorf("names that are there twice: %q", f.Names())
	}
}

func TestNoWACZ(t *testing.T) {
	for _, s := range []string{"", "WARC/1.1\r\n", "PK\x03\x04 cut", "{]"} {
		if _, err := Open(strings.NewReader(s), int64(len(s))); !errors.Is(err, ErrNotWACZ) {
			t.Errorf("%q: %v", s, err)
		}
		if r := verdict(t, []byte(s)); r.Verdict != warc.Damaged {
			t.Errorf("%q: %s", s, r.Verdict)
		}
	}
}

// A look-up finds the records of a URL in each form of index, and they can be read.
func TestFind(t *testing.T) {
	for _, name := range []string{"ok-cdxj", "ok-cdx", "idx", "gzonly", "nosurt"} {
		data := sharedtest.Read(t, "conformance/warc/matrix/"+name+".wacz")
		f, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for l, err := range f.Find("http://example.com/s.css") {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			rec, err := f.Record(l.Filename, l.Offset)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if rec.Header.TargetURI() != "http://example.com/s.css" {
				t.Errorf("%s: found %s", name, rec.Header.TargetURI())
			}
			found++
		}
		if found != 1 {
			t.Errorf("%s: %d lines found", name, found)
		}
		for p, err := range f.Pages() {
			if err != nil || p.URL != "http://example.com/" {
				t.Errorf("%s: page %v, %v", name, p, err)
			}
		}
	}
}

// One changed bit anywhere in the content of a signed WACZ is found.
func TestBitFlips(t *testing.T) {
	data := sharedtest.Read(t, "conformance/warc/matrix/signed-raw.wacz")
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range f.Names() {
		at, err := f.entries[name].DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		end := at + int64(f.entries[name].CompressedSize64)
		for ; at < end; at += 61 {
			flipped := bytes.Clone(data)
			flipped[at] ^= 4
			if r := verdict(t, flipped); r.Verdict != warc.Damaged {
				t.Errorf("%s, byte %d changed: %s", name, at, r.Verdict)
			}
		}
	}
	for n := 0; n < len(data); n += 97 {
		if r := verdict(t, data[:n]); r.Verdict != warc.Damaged {
			t.Errorf("cut at %d: %s", n, r.Verdict)
		}
	}
}

func TestMultiWACZ(t *testing.T) {
	inner := string(sharedtest.Read(t, "conformance/warc/matrix/idx.wacz"))
	manifest := fmt.Sprintf(`{"profile":"multi-wacz-package","wacz_version":"1.1.1","resources":[{"name":"a.wacz","path":"a.wacz","hash":%q,"bytes":%d}]}`, warc.SHA256([]byte(inner)), len(inner))
	data := zipOf(t, entry{name: "a.wacz", content: inner}, entry{name: manifestName, content: manifest, method: zip.Deflate},
		entry{name: digestName, content: fmt.Sprintf(`{"path":"datapackage.json","hash":%q}`, warc.SHA256([]byte(manifest)))})
	r := verdict(t, data)
	if r.Verdict != warc.Sound || len(r.Members) != 1 || r.Members[0].Resources != 4 {
		t.Errorf("%s %v", r.Verdict, r.Findings)
	}
	bare := []byte(`{"profile":"multi-wacz-package","resources":[{"name":"b","path":"https://example.com/b.wacz"}]}`)
	f, err := Open(bytes.NewReader(bare), int64(len(bare)))
	if err != nil || len(f.Members()) != 1 {
		t.Fatalf("%v", err)
	}
	if r := verdict(t, bare); r.Verdict != warc.SoundWithRemarks {
		t.Errorf("%s %v", r.Verdict, r.Findings)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(zipOf(f, entry{name: manifestName, content: `{"profile":"data-package","resources":[{"path":"archive/a.warc","hash":"sha256:00","bytes":1}]}`},
		entry{name: "archive/a.warc", content: "WARC/1.1\r\n"}, entry{name: PagesName, content: "{\"format\":\"json-pages-1.0\",\"id\":\"p\"}\n{\"url\":\"http://a/\"}\n"},
		entry{name: "indexes/index.cdxj", content: `com,example)/ 20260102030405 {"url":"http://example.com/","offset":"0","length":"1","filename":"a.warc"}`},
		entry{name: digestName, content: `{"path":"datapackage.json","hash":"x","signedData":{"signature":"AA==","publicKey":"AA=="}}`}))
	f.Add([]byte(`{"profile":"multi-wacz-package","resources":[{"path":"a.wacz"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Verify(t.Context(), bytes.NewReader(data), int64(len(data)), "fuzz"); err != nil {
			t.Fatal(err)
		}
		w, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for range w.Pages() {
		}
		for l, err := range w.Find("http://example.com/") {
			if err == nil && l.Offset >= 0 {
				w.Record(l.Filename, l.Offset) //nolint:errcheck // any outcome but a panic
			}
		}
	})
}
