package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A damaged WACZ gives a sound copy with what was whole, whatever was done to it,
// and stays as it was.
func TestRepairWACZ(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "")
	d.must(t, exitDone, collectArgs(world)...)
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.wacz")
	d.must(t, exitDone, "export", "--wacz", whole, "--all")
	data := read(t, whole)
	f := openWACZ(t, whole)
	section, err := f.Section(f.WARCs()[0])
	if err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 64)
	if _, err := section.ReadAt(one, section.Size()/2); err != nil {
		t.Fatal(err)
	}
	middle := bytes.Index(data, one)
	want := d.extracted(t, whole)
	flip := func(at ...int) []byte {
		b := bytes.Clone(data)
		for _, i := range at {
			b[i] ^= 0x10
		}
		return b
	}
	for _, test := range []struct {
		what  string
		data  []byte
		least int // posts that are still there, of 100
		words string
	}{
		{"a record changed", flip(middle), 50, "lost: "},
		{"many places changed", flip(middle-9000, middle-5000, middle, middle+4000), 30, "lost: "},
		{"cut in the middle", data[:len(data)*2/3], 20, "directory of the ZIP"},
		{"the manifest is gone", bytes.Replace(data, []byte("PK\x05\x06"), []byte("PK\x05\x07"), 1), 90, "directory of the ZIP"},
	} {
		name := filepath.Join(dir, strings.ReplaceAll(test.what, " ", "-")+".wacz")
		if err := os.WriteFile(name, test.data, 0o666); err != nil {
			t.Fatal(err)
		}
		out, _ := d.must(t, exitDone, "repair", name)
		if !strings.Contains(out, test.words) {
			t.Errorf("%s: the report does not say %q:\n%s", test.what, test.words, out)
		}
		if !bytes.Equal(read(t, name), test.data) {
			t.Errorf("%s: the original was changed", test.what)
		}
		copied := strings.TrimSuffix(name, ".wacz") + ".repaired.wacz"
		d.must(t, exitDone, "verify", copied)
		have := d.extracted(t, copied)
		if len(have)*100 < len(want)*test.least {
			t.Errorf("%s: %d posts of %d are left", test.what, len(have), len(want))
		}
		for key := range have { // its words may be fewer: a listing is left, the whole page is lost
			if _, ok := want[key]; !ok {
				t.Errorf("%s: post %s was not in the original", test.what, key)
			}
		}
		d.must(t, exitUsage, "repair", name) // the copy is there
	}
	nothing := filepath.Join(dir, "nothing.wacz")
	if err := os.WriteFile(nothing, []byte("PK\x03\x04 and nothing more"), 0o666); err != nil {
		t.Fatal(err)
	}
	d.must(t, exitFailed, "repair", nothing)
	if left, _ := filepath.Glob(filepath.Join(dir, "nothing.*")); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

// The repaired WARC of a segment has its index and its posts file beside it, and
// they are those that the segment had.
func TestRepairSegment(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "")
	d.must(t, exitDone, collectArgs(world)...)
	name := d.files(t, ".warc.gz")[0]
	dir := t.TempDir()
	copied := filepath.Join(dir, filepath.Base(name))
	if err := os.WriteFile(copied, read(t, name), 0o666); err != nil {
		t.Fatal(err)
	}
	d.must(t, exitDone, "repair", copied)
	stem := strings.TrimSuffix(copied, ".warc.gz")
	if !bytes.Equal(read(t, stem+".repaired.warc.gz"), read(t, name)) {
		t.Error("the copy of a sound WARC differs from it")
	}
	index := strings.ReplaceAll(string(read(t, stem+".repaired.cdxj")), ".repaired.warc.gz", ".warc.gz")
	if index != string(read(t, strings.TrimSuffix(name, ".warc.gz")+".cdxj")) {
		t.Error("the index differs from that of the segment")
	}
	if have, want := gunzip(t, stem+".repaired.posts.jsonl.gz"), gunzip(t, strings.TrimSuffix(name, ".warc.gz")+".posts.jsonl.gz"); have != want {
		t.Errorf("the posts file differs from that of the segment:\n%.300s\nwant\n%.300s", have, want)
	}
	d.must(t, exitDone, "verify", stem+".repaired.warc.gz", stem+".repaired.cdxj")
}
