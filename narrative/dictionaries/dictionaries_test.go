package dictionaries

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/refrain-archive/refrain/narrative/translate"
)

func tarOf(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// deb makes a Debian package whose data is compressed in one of the ways that
// Debian has used.
func deb(t testing.TB, ext string, files map[string]string) []byte {
	t.Helper()
	data := tarOf(t, files)
	var b bytes.Buffer
	switch ext {
	case ".xz":
		w, err := xz.NewWriter(&b)
		if err == nil {
			_, err = w.Write(data)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		data = b.Bytes()
	case ".zst":
		w, err := zstd.NewWriter(&b)
		if err == nil {
			_, err = w.Write(data)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		data = b.Bytes()
	case ".gz":
		data = gzipped(t, data)
	}
	out := []byte("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar" + ext, []byte("odd")}, {"data.tar" + ext, data}} {
		out = append(out, fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, 0, 0, 0, "100644", len(m.data))...)
		out = append(out, m.data...)
		if len(m.data)%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}

func TestUnpack(t *testing.T) {
	files := map[string]string{"./usr/share/a": "one", "./usr/share/b": "two"}
	for _, ext := range []string{".xz", ".zst", ".gz", ""} {
		got, err := unpack(bytes.NewReader(deb(t, ext, files)), []string{"usr/share/b"})
		if err != nil || len(got) != 1 || string(got["usr/share/b"]) != "two" {
			t.Errorf("data.tar%s: %v, %v", ext, got, err)
		}
		if _, err := unpack(bytes.NewReader(deb(t, ext, files)), []string{"usr/share/c"}); !errors.Is(err, errPackage) || !strings.Contains(err.Error(), "usr/share/c") {
			t.Errorf("data.tar%s: a file that is not there: %v", ext, err)
		}
	}
	got, err := unpack(bytes.NewReader(gzipped(t, tarOf(t, map[string]string{"package/x": "three"}))), []string{"package/x"})
	if err != nil || string(got["package/x"]) != "three" {
		t.Errorf("npm package: %v, %v", got, err)
	}
	whole := deb(t, ".xz", files)
	for n := 0; n < len(whole)-60; n += 7 {
		if _, err := unpack(bytes.NewReader(whole[:n]), []string{"usr/share/a", "usr/share/b"}); !errors.Is(err, errPackage) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
}

// Index and text of a dictd dictionary with one article.
const (
	article   = "Katze /kˈatsə/ <fem>\n1. cat\n2. pussy-cat, (informal) moggy\n see: {Katzen}\n"
	dictIndex = "00databaseinfo\tA\tB\nKatze\tA\tBL\n"
)

func testSource(licence string) Source {
	base := "usr/share/dictd/freedict-test"
	return Source{Name: "freedict-test", Lang: "de", Client: APT, Package: "dict-freedict-test", Version: "1", SHA256: strings.Repeat("0", 64), Licence: licence, Notice: "Whose it is.",
		members: []string{base + ".index", base + ".dict.dz", "usr/share/doc/dict-freedict-test/copyright"}, convert: dictd(base, translate.DictdForm{Lang: "de"})}
}

// The package client is a program of ours that leaves a package file, as apt-get
// does.
func TestFetch(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: the stand-in for apt-get is a shell script")
	}
	bin := t.TempDir()
	pkg := deb(t, ".xz", map[string]string{
		"./usr/share/dictd/freedict-test.index":            dictIndex,
		"./usr/share/dictd/freedict-test.dict.dz":          string(gzipped(t, []byte(article))),
		"./usr/share/doc/dict-freedict-test/copyright":     "The whole licence.",
		"./usr/share/doc/dict-freedict-test/../../../evil": "x",
	})
	if err := os.WriteFile(filepath.Join(bin, "it.deb"), pkg, 0o644); err != nil {
		t.Fatal(err)
	}
	client := func(script string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(bin, "apt-get"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	store := Store{Dir: filepath.Join(t.TempDir(), "dictionaries")}
	ctx := context.Background()
	src := testSource("GPL-2.0-or-later")

	client("echo 'E: Unable to locate package' >&2; exit 100")
	if _, err := store.Fetch(ctx, src, false); err == nil || !strings.Contains(err.Error(), "Unable to locate package") {
		t.Errorf("a client that fails: %v", err)
	}
	client("exit 0")
	if _, err := store.Fetch(ctx, src, false); err == nil || !strings.Contains(err.Error(), "0 package files") {
		t.Errorf("a client that leaves nothing: %v", err)
	}
	client("[ \"$1 $3\" = 'download dict-freedict-test' ] && cp " + filepath.Join(bin, "it.deb") + " dict-freedict-test_1_all.deb")
	if _, err := store.Fetch(ctx, src, false); !errors.Is(err, ErrUntested) {
		t.Errorf("another digest: %v", err)
	}
	if list, err := store.List(); err != nil || len(list) != 0 {
		t.Errorf("what was refused is there: %v, %v", list, err)
	}
	info, err := store.Fetch(ctx, src, true)
	if err != nil || info.Entries != 1 || info.From != "de" {
		t.Fatalf("%+v, %v", info, err)
	}
	list, err := store.List()
	if err != nil || len(list) != 1 || list[0] != info {
		t.Errorf("%+v, %v", list, err)
	}
	notice, err := store.Notice("freedict-test")
	if err != nil || !strings.Contains(notice, "Whose it is.") || !strings.Contains(notice, "The whole licence.") || !strings.Contains(notice, info.SHA256) {
		t.Errorf("%q, %v", notice, err)
	}
	dicts, err := translate.Load(store.Dir)
	if err != nil || fmt.Sprint(dicts.Languages()) != "[de]" {
		t.Errorf("%v, %v", dicts.Languages(), err)
	}
	if err := store.Remove("freedict-test"); err != nil {
		t.Error(err)
	}
	if err := store.Remove("freedict-test"); !errors.Is(err, ErrAbsent) {
		t.Errorf("removed twice: %v", err)
	}
	if err := store.Remove("../evil"); err == nil || errors.Is(err, ErrAbsent) {
		t.Errorf("a name that is a path: %v", err)
	}
	if left, err := os.ReadDir(store.Dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAdd(t *testing.T) {
	dir := t.TempDir()
	store := Store{Dir: filepath.Join(dir, "dictionaries")}
	write := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cedict := "# CC-CEDICT\n# Licence: CC BY-SA\n浙江 浙江 [Zhe4 jiang1] /Zhejiang province (浙江省)/abbr. to 浙[Zhe4]/\n警察 警察 [jing3 cha2] /police/police officer/\n"
	write("x.dict", []byte(article))
	for _, c := range []struct {
		file, lang string
		o          AddOptions
		entries    int
		problem    string
	}{
		{write("cedict_ts.u8", []byte(cedict)), "zh", AddOptions{}, 2, ""},
		{write("cedict_ts.u8.gz", gzipped(t, []byte(cedict))), "zh", AddOptions{Name: "mine"}, 2, ""},
		{write("words.tsv", []byte("# mine\nкошка\tcat; pussy-cat\nсобака\tdog\n")), "ru", AddOptions{Lang: "ru"}, 2, ""},
		{write("words2.tsv", []byte("кошка\tcat\n")), "", AddOptions{}, 0, "--lang"},
		{write("bad.tsv", []byte("кошка cat\n")), "", AddOptions{Lang: "ru"}, 0, "line 1"},
		{write("x.index", []byte(dictIndex)), "de", AddOptions{Lang: "de"}, 1, ""},
		{write("y.index", []byte(dictIndex)), "", AddOptions{Lang: "de"}, 0, "y.dict"},
		{write("z.deb", []byte("!<arch>\n")), "", AddOptions{}, 0, "none of the packages"},
		{write("empty.txt", nil), "", AddOptions{Lang: "ru"}, 0, "no entries"},
		{write("binary.txt", []byte("\xff\xfe\x00\t\x01")), "", AddOptions{Lang: "ru"}, 0, "UTF-8"},
		{filepath.Join(dir, "absent"), "", AddOptions{}, 0, "absent"},
	} {
		info, err := store.Add(c.file, c.o)
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v, want an error with %q", c.file, err, c.problem)
			}
			continue
		}
		if err != nil || info.From != c.lang || info.Entries != c.entries {
			t.Errorf("%s: %+v, %v", c.file, info, err)
		}
	}
	notice, err := store.Notice("cedict_ts")
	if err != nil || !strings.Contains(notice, "# Licence: CC BY-SA") {
		t.Errorf("%q, %v", notice, err)
	}
	list, err := store.List()
	if err != nil || len(list) != 4 {
		t.Errorf("%+v, %v", list, err)
	}
	// A dictionary in the compact form moves to another machine as it is.
	other := Store{Dir: filepath.Join(dir, "other")}
	info, err := other.Add(filepath.Join(store.Dir, "words"+translate.Extension), AddOptions{})
	if err != nil || info.Name != "words" || info.Entries != 2 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestSourcesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Sources() {
		if seen[s.Name] || checkName(s.Name) != nil || len(s.SHA256) != 64 || s.Licence == "" || s.Notice == "" || len(s.members) == 0 || s.convert == nil {
			t.Errorf("%+v", s)
		}
		seen[s.Name] = true
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(deb(f, ".xz", map[string]string{"./a": "one"}))
	f.Add(deb(f, ".zst", map[string]string{"./a": "one"}))
	f.Add(deb(f, ".gz", map[string]string{"./a": "one"}))
	f.Add(gzipped(f, tarOf(f, map[string]string{"a": "one"})))
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := unpack(bytes.NewReader(data), []string{"a"})
		if (err == nil) != (len(files) == 1) {
			t.Errorf("%v, %v", files, err)
		}
	})
}
