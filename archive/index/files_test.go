package index

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// conformanceFiles are the WARC, ARC and WACZ files of the conformance folder.
func conformanceFiles(t testing.TB) (list []string) {
	t.Helper()
	dir := sharedtest.Path(t, "conformance/warc")
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if e.Name() == "golden" {
				return fs.SkipDir
			}
			return err
		}
		if name := e.Name(); strings.Contains(name, ".warc") || strings.Contains(name, ".arc") || strings.HasSuffix(name, ".wacz") {
			list = append(list, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 100 {
		t.Fatalf("%d files", len(list))
	}
	return list
}

// TestLinkedConformance links every file of the conformance folder, by wget,
// pywb, warcio, jwarc and others, and looks each of their records up by URL,
// prefix and digest.
func TestLinkedConformance(t *testing.T) {
	a := folder(t, archive.Options{})
	files := conformanceFiles(t)
	sums := map[string]string{}
	for _, path := range files {
		sums[link(t, a, path)] = path
	}
	rotate(t, a)
	x, err := Open(t.Context(), Options{Dir: t.TempDir(), Archive: a})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for _, p := range refresh(t, x).Problems {
		t.Logf("%s: %s", filepath.Base(p.Source.Name), p.Detail)
	}
	checked, linked := 0, map[string]int{}
	for e, err := range x.Find(t.Context(), Query{Match: All}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Source.Kind != KindLink {
			continue
		}
		if want := sums[e.Source.SHA256]; want == "" {
			t.Errorf("%+v is none of the files", e.Source)
		}
		linked[e.Source.SHA256]++
		checked++
		where := fmt.Sprintf("%s %s at %d: %s", e.Source.Name, e.Source.Member, e.Offset, e.URL)
		r, err := x.Record(t.Context(), e)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		block, readErr := io.ReadAll(r)
		var damage *warc.Damage
		if readErr != nil && !errors.As(readErr, &damage) {
			t.Errorf("%s: %v", where, readErr)
		}
		got := fmt.Sprintf("%s %s", r.ID(), warc.SHA256(block))
		c := r.Capture()
		r.Close()
		if want := plainRead(t, e); got != want {
			t.Errorf("%s: %s, want %s", where, got, want)
		}
		if r, err := x.Capture(t.Context(), c); err != nil {
			t.Errorf("%s: by its capture: %v", where, err)
		} else {
			r.Close()
		}
		queries := []Query{{URL: e.URL}, {URL: e.URL, Match: Prefix}}
		if e.Digest != "" {
			queries = append(queries, Query{Digest: e.Digest})
		}
		for _, q := range queries {
			ok := false
			for o, err := range x.Find(t.Context(), q) {
				if err != nil {
					t.Fatal(err)
				}
				ok = ok || o.Source == e.Source && o.Offset == e.Offset
			}
			if !ok {
				t.Errorf("%s: is not found by %+v", where, q)
			}
		}
	}
	var without []string
	for sum, path := range sums {
		if linked[sum] == 0 {
			without = append(without, filepath.Base(path))
		}
	}
	slices.Sort(without)
	if want := strings.Fields(`
		42-conversion.warc.gz N2-missing-date.warc.gz N6-response-no-uri.warc.gz N7-wholefile-gzip.warc.gz
		corrupted-mid-record.warc.gz.open corrupted-trailing-bytes.warc.gz.open empty.warc.gz.open
		example-bad-non-chunked.warc.gz example-bad.warc.gz.bad example-digest.warc example-space-in-url.arc example-trunc.warc
		good.warc.gz.open gzip_extra_sl.warc.gz hello-world.warc.cdx invalid_example_1.wacz skip-non-open.warc.gz`); !slices.Equal(without, want) {
		t.Errorf("no record is indexed of %v, want %v", without, want)
	}
	if checked < 150 {
		t.Errorf("%d records of %d files", checked, len(files))
	}
	t.Logf("%d records of %d files", checked, len(linked))
}

// plainRead reads the record of an entry of a linked file without an index: by
// reading the WARC from its start.
func plainRead(t *testing.T, e Entry) string {
	t.Helper()
	f, err := os.Open(e.Source.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	if e.Source.Member != "" {
		in = zipEntry(t, f, e.Source.Member)
	}
	r, err := warc.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return "nothing"
		}
		if err != nil {
			continue
		}
		if rec.Offset == e.Offset {
			block, _ := io.ReadAll(rec)
			return fmt.Sprintf("%s %s", rec.ID(), warc.SHA256(block))
		}
	}
}

// TestLinkChanged moves, changes and replaces a linked file: never are other
// bytes given than those that were linked, and the error says what to do.
func TestLinkChanged(t *testing.T) {
	source := folder(t, archive.Options{})
	record(t, source, "http://example.com/", "linked page", noon)
	rotate(t, source)
	var file []byte
	for s, err := range source.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if file, err = blob.ReadAll(t.Context(), source.Store(), s.Name.Key(archive.WARCEnding), 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	path := filepath.Join(home, "crawl.warc.gz")
	write := func(path string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(path, file)
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(path, past, past); err != nil {
		t.Fatal(err)
	}
	a := folder(t, archive.Options{})
	sum := link(t, a, path)
	rotate(t, a)
	dir := t.TempDir()
	x := openIndex(t, a, dir)
	e := one(t, x, Query{URL: "http://example.com/"})
	read := func() (string, error) {
		r, err := x.Record(t.Context(), e)
		if err != nil {
			return "", err
		}
		return body(t, r, nil), nil
	}
	wants := func(what string, words ...string) {
		t.Helper()
		got, err := read()
		if err == nil {
			t.Errorf("%s: %q", what, got)
			return
		}
		for _, w := range append(words, path, sum) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v\ndoes not say %q", what, err, w)
			}
		}
	}
	good := func(what string) {
		t.Helper()
		if got, err := read(); err != nil || got != "linked page" {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	good("as it was linked")
	if err := os.Chtimes(path, past, past.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	good("touched")
	write(path, append(bytes.Clone(file), "more"...))
	wants("longer", "bytes", "refrain import --link")
	changed := bytes.Clone(file)
	changed[len(changed)/2] ^= 1
	write(path, changed)
	wants("the same size", "was changed", "refrain import --link")
	if err := os.Chtimes(path, past, past); err != nil { // as whoever hides a change would
		t.Fatal(err)
	}
	if _, err := read(); err == nil || !strings.Contains(err.Error(), "not those that were indexed") || !strings.Contains(err.Error(), sum) {
		t.Errorf("the same size and time: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wants("removed", "not there any more", "refrain import --link")

	// An index that is made anew now says the same of it.
	x.Close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	x, err := Open(t.Context(), Options{Dir: dir, Archive: a})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if c := refresh(t, x); len(c.Problems) != 1 || !strings.Contains(c.Problems[0].Detail, path) {
		t.Errorf("problems: %+v", c.Problems)
	}
	if _, err := x.Capture(t.Context(), post.Capture{File: "crawl.warc.gz", Import: "sha256:" + sum, Offset: e.Offset}); err == nil || !strings.Contains(err.Error(), "not there any more") {
		t.Errorf("by its capture: %v", err)
	}

	// Linked again where it is now.
	moved := filepath.Join(home, "elsewhere", "crawl.warc.gz")
	if err := os.Mkdir(filepath.Dir(moved), 0o777); err != nil {
		t.Fatal(err)
	}
	write(moved, file)
	link(t, a, moved)
	rotate(t, a)
	refresh(t, x)
	e = one(t, x, Query{URL: "http://example.com/"})
	good("linked again")
	if e.Source.Name != moved {
		t.Errorf("it lies in %s", e.Source.Name)
	}
	write(path, []byte("another file in the old place"))
	good("with another file in the old place")
}

// TestImported finds the records of a WARC and of a WACZ that were imported.
func TestImported(t *testing.T) {
	a := folder(t, archive.Options{})
	var urls []string
	for _, name := range []string{"conformance/warc/warcio/example.warc.gz", "conformance/warc/py-wacz/valid_signed_example_1.wacz"} {
		data := sharedtest.Read(t, name)
		ext := name[strings.Index(name, "."):]
		if strings.HasSuffix(name, ".wacz") {
			ext = ".wacz"
		}
		sum := strings.TrimPrefix(warc.SHA256(data), "sha256:")
		if _, err := blob.PutBytes(t.Context(), a.Store(), "imports/"+sum+ext, data, blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	x := openIndex(t, a, t.TempDir())
	for e, err := range x.Find(t.Context(), Query{Match: All}) {
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, e.URL)
		r, err := x.Record(t.Context(), e)
		if err != nil {
			t.Error(err)
			continue
		}
		if e.Source.Kind != KindImport || r.Header.TargetURI() != e.URL {
			t.Errorf("%+v: %s", e, r.Header.TargetURI())
		}
		r.Close()
	}
	if len(urls) < 4 || !slices.Contains(urls, "http://example.com/") {
		t.Errorf("found %v", urls)
	}
}
