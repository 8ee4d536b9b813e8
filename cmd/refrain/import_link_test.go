package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// shownCaptures gives the captures that show finds of a URL.
func (d desk) shownCaptures(t testing.TB, url string) []capturedRow {
	t.Helper()
	code, out, errs := d.run(t, "--json", "show", url)
	if code != exitDone {
		t.Fatalf("show %s: exit code %d\n%s", url, code, errs)
	}
	var s shown
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	return s.Captures
}

// Files of other tools stay where they lie: they are found, known again, and
// missed when they go.
func TestImportLink(t *testing.T) {
	t.Parallel()
	d := importDesk(t)
	files := t.TempDir()
	for _, test := range []struct{ name, url string }{
		{"warcio/example.warc.gz", "http://example.com/"},
		{"warcio/example.arc.gz", "http://example.com/"},
		{"warcio/example-wget-bad-target-uri.warc.gz", "http://example.com/"},
		{"warcio.js/redirect.warc", "https://www.iana.org/domains/example"},
		{"jwarc/cc.warc.gz", ""},
		{"py-wacz/valid_signed_example_1.wacz", "http://example.com/"},
	} {
		path := filepath.Join(files, filepath.Base(test.name))
		if err := os.WriteFile(path, sharedtest.Read(t, "conformance/warc/"+test.name), 0o666); err != nil {
			t.Fatal(err)
		}
		code, out, errs := d.run(t, "--json", "import", "--link", path)
		var f importedFile
		if err := json.Unmarshal([]byte(out), &f); err != nil {
			t.Fatalf("%v: %s%s", err, out, errs)
		}
		if f.State != "linked" || f.Link != path || f.Object != "" || code != exitDone && code != exitPartly {
			t.Errorf("%s: exit code %d, %+v\n%s", test.name, code, f, errs)
		}
		if again := d.imports(t, exitDone, "--link", path); again.State != "known" {
			t.Errorf("%s again: %+v", test.name, again)
		}
		if test.url == "" {
			continue
		}
		found := false
		for _, c := range d.shownCaptures(t, test.url) {
			found = found || c.File == path && c.Kind == "link"
		}
		if !found {
			t.Errorf("%s: show %s gives %+v", test.name, test.url, d.shownCaptures(t, test.url))
		}
	}
	if copies, err := filepath.Glob(filepath.Join(d.archive, "imports", "*")); err != nil || len(copies) > 0 {
		t.Errorf("the archive has copies: %v, %v", copies, err)
	}
	d.sound(t)

	// One is moved, one is changed: each is named, with what to do.
	moved, changed := filepath.Join(files, "example.warc.gz"), filepath.Join(files, "redirect.warc")
	elsewhere := filepath.Join(t.TempDir(), "renamed.warc.gz")
	if err := os.Rename(moved, elsewhere); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(changed)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(changed, data, 0o666); err != nil {
		t.Fatal(err)
	}
	out, _ := d.must(t, exitVerify, "verify")
	for _, want := range []string{moved + ": the linked file is not there any more", changed + ": the linked file was changed", "refrain import --link", "2 damaged"} {
		if !strings.Contains(out, want) {
			t.Errorf("verify does not say %q:\n%s", want, out)
		}
	}
	if f := d.imports(t, exitDone, "--link", elsewhere); f.State != "linked" || f.Link != elsewhere {
		t.Errorf("linked at its new place: %+v", f)
	}
	if out, _ := d.must(t, exitVerify, "verify"); !strings.Contains(out, "1 damaged") {
		t.Errorf("after it was linked again:\n%s", out)
	}

	// What is no archive file is not linked.
	csv := filepath.Join(files, "posts.csv")
	if err := os.WriteFile(csv, []byte("platform,id,text\nx,1,hello\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := d.run(t, "import", "--link", csv); code != exitFailed || !strings.Contains(out, "without --link") {
		t.Errorf("a CSV: exit code %d, %s", code, out)
	}
}

// The posts in a linked WARC are those that importing it gives, and stay when the
// corpus is made anew.
func TestImportLinkPosts(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	source := newDesk(t, s, "")
	source.must(t, exitDone, collectArgs(world)...)
	files, err := filepath.Glob(filepath.Join(source.archive, "segments", "*", "*", "*", "*.warc.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	linked, copied := importDesk(t), importDesk(t)
	linked.must(t, exitDone, append([]string{"import", "--link"}, files...)...)
	copied.must(t, exitDone, append([]string{"import"}, files...)...)
	want := copied.posts(t)
	compare(t, "linked", linked.posts(t), want)
	linked.must(t, exitDone, "rebuild")
	compare(t, "linked, after a rebuild", linked.posts(t), want)
	linked.sound(t)
	if size(t, linked.archive) > size(t, copied.archive) {
		t.Errorf("the archive with links has %d bytes, the one with copies %d", size(t, linked.archive), size(t, copied.archive))
	}
	for _, d := range []desk{linked, copied} {
		if got := d.shownCaptures(t, "https://harbour-times.example/"); len(got) == 0 {
			t.Error("the captures of a site are not found")
		}
	}
}
