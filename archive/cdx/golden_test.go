package cdx

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// The independent indexers whose output golden/cdxj holds.
var indexers = []string{"cdxj-indexer", "warcio.js", "jwarc"}

// differs are the places where our line has a value that no indexer has, or
// where we and the indexers do not have the same lines, and why. The names are
// FILE@OFFSET FIELD; FIELD is "line" for a whole line.
var differs = map[string]string{
	"matrix_11-chunked-no-payload-digest.warc.gz@268 digest":   "none is declared: two leave it out, cdxj-indexer computes SHA-1, we compute SHA-256",
	"matrix_36-truncated-no-payload-digest.warc.gz@267 digest": "none is declared: two leave it out, cdxj-indexer computes SHA-1, we compute SHA-256",
	"gowarc-ia_test.warc.gz@711 digest":                        "none is declared: two leave it out, cdxj-indexer computes SHA-1, we compute SHA-256",
	"gowarc-ia_skip-non-open.warc.gz@0 line":                   "the records share one gzip member: no offset leads to any of them",
	"gowarc-ia_skip-non-open.warc.gz@1085 line":                "the records share one gzip member; 1085 is the end of the file",
	"warcio_example-bad-non-chunked.warc.gz@2113 line":         "the records share one gzip member; 2113 is the end of the file",
	"warcio.js_example-bad-length.warc@1197 line":              "the record does not end where it says",
	"warcio_example-trunc.warc@1197 line":                      "the record does not end where it says",
	"warcio_example-wrong-chunks.warc.gz@0 length":             "the record lies in two members; we give both",
	"warcio.js_example-url-agnostic-revisit.warc.gz@946 line":  "946 is the end of the file",
	"warcio_example-space-in-target-uri.warc.gz@241 key":       "file: is its own key, but for its blanks",
	"matrix_42-conversion.warc.gz@267 line":                    "conversion records are not indexed; warcio.js alone does",
	"warcio_example-space-in-target-uri.warc.gz@241 warcio.js": "its line has blanks in the key and cannot be read",
	"warcio.js_example-bad-length.warc@3370 length":            "one line end follows the block instead of two",
}

func TestIndexGolden(t *testing.T) {
	dir := sharedtest.Path(t, "conformance/warc")
	entries, err := os.ReadDir(filepath.Join(dir, "golden", "cdxj"))
	if err != nil {
		t.Fatal(err)
	}
	unused := map[string]bool{}
	for name := range differs {
		unused[name] = true
	}
	listed := func(name string) bool {
		delete(unused, name)
		_, ok := differs[name]
		return ok
	}
	golden := map[string]map[int64]map[string]Line{} // by file, offset, indexer
	for _, e := range entries {
		for _, indexer := range indexers {
			file, ok := strings.CutSuffix(e.Name(), "."+indexer+".cdxj")
			if !ok {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, "golden", "cdxj", e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if golden[file] == nil {
				golden[file] = map[int64]map[string]Line{}
			}
			for _, text := range strings.Split(strings.TrimSpace(string(data)), "\n") {
				l, err := ParseLine([]byte(text))
				if err != nil {
					if !listed(file + "@241 " + indexer) {
						t.Errorf("%s: %v", e.Name(), err)
					}
					continue
				}
				if golden[file][l.Offset] == nil {
					golden[file][l.Offset] = map[string]Line{}
				}
				golden[file][l.Offset][indexer] = l
			}
		}
	}
	if len(golden) < 60 {
		t.Errorf("golden/cdxj is about %d files, want some 60", len(golden))
	}
	agreed, compared := 0, 0
	for file, lines := range golden {
		path := filepath.Join(dir, filepath.FromSlash(strings.Replace(file, "_", "/", 1)))
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ours := map[int64]Line{}
		o := IndexOptions{Damaged: func(*warc.Damage) {}}
		if _, err := Index(context.Background(), bytes.NewReader(data), filepath.Base(path), o, func(l *Line) error {
			ours[l.Offset] = *l
			return nil
		}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for offset, theirs := range lines {
			place := fmt.Sprintf("%s@%d", file, offset)
			own, ok := ours[offset]
			if !ok {
				if !listed(place + " line") {
					t.Errorf("%s: we have no line, %d indexers have", place, len(theirs))
				}
				continue
			}
			for _, field := range goldenFields(file) {
				values := map[string]bool{}
				for indexer, l := range theirs {
					values[field.value(l, indexer)] = true
				}
				got := field.value(own, "")
				compared++
				if len(values) == 1 && len(theirs) == len(indexers) {
					agreed++
				}
				if !values[got] && !listed(place+" "+field.name) {
					t.Errorf("%s: %s is %q, the indexers have %v", place, field.name, got, values)
				}
			}
		}
		for offset, l := range ours {
			if lines[offset] == nil && !listed(fmt.Sprintf("%s@%d line", file, offset)) {
				t.Errorf("%s@%d: only we have a line: %s", file, offset, l.String())
			}
		}
	}
	for name := range unused {
		t.Errorf("differs lists %s, which does not differ", name)
	}
	t.Logf("%d values compared, all three indexers agree on %d of them", compared, agreed)
}

type goldenField struct {
	name  string
	value func(l Line, indexer string) string
}

// goldenFields are the fields that are compared. Digests are compared by their
// value, as warcio.js writes no label. The closing line ends of a plain record
// count in our length and jwarc's only.
func goldenFields(file string) []goldenField {
	plain := !strings.HasSuffix(file, ".gz")
	return []goldenField{
		{"key", func(l Line, indexer string) string {
			if indexer == "warcio.js" {
				// By its own rule; compared in TestWebrecorderKey.
				return SURT(l.URL)
			}
			return l.Key
		}},
		{"timestamp", func(l Line, _ string) string { return l.Timestamp }},
		{"url", func(l Line, _ string) string { return l.URL }},
		{"mime", func(l Line, _ string) string { return l.MIME }},
		{"status", func(l Line, _ string) string { return l.Status }},
		{"digest", func(l Line, _ string) string {
			if d, err := warc.ParseDigest(l.Digest); err == nil {
				return fmt.Sprintf("%x", d.Sum)
			}
			_, value, ok := strings.Cut(l.Digest, ":")
			if !ok {
				value = l.Digest
			}
			return strings.ToLower(value)
		}},
		{"length", func(l Line, indexer string) string {
			n := l.Length
			if plain && (indexer == "cdxj-indexer" || indexer == "warcio.js") {
				n += 4
			}
			return strconv.FormatInt(n, 10)
		}},
		{"filename", func(l Line, _ string) string { return l.Filename }},
	}
}

// TestWebrecorderGolden compares keys with those that warcio.js wrote, but for
// POST requests, whose body it puts into the key.
func TestWebrecorderGolden(t *testing.T) {
	dir := filepath.Join(sharedtest.Path(t, "conformance/warc"), "golden", "cdxj")
	files, err := filepath.Glob(filepath.Join(dir, "*.warcio.js.cdxj"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range strings.Split(strings.TrimSpace(string(data)), "\n") {
			l, err := ParseLine([]byte(text))
			if err != nil || slices.ContainsFunc(l.Extra, func(x Extra) bool { return x.Name == "method" }) {
				continue
			}
			if got := WebrecorderKey(l.URL); got != l.Key {
				t.Errorf("%s: key of %s is %q, want %q", filepath.Base(path), l.URL, got, l.Key)
			}
		}
	}
}
