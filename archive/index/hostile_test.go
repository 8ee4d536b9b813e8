package index

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/archive/cdx"
)

// TestHostileCDXJ puts files in the place of a segment's CDXJ. What cannot be used
// is made good by the WARC, and said; what is only out of order, or double, is
// taken as it is.
func TestHostileCDXJ(t *testing.T) {
	root := t.TempDir()
	store, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	a := openArchive(t, store, archive.Options{})
	for i := range 20 {
		record(t, a, fmt.Sprintf("http://example.com/%d", i), fmt.Sprint("page ", i), noon)
	}
	rotate(t, a)
	var path string
	for s, err := range a.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		path = filepath.Join(root, filepath.FromSlash(s.Name.Key(archive.IndexEnding)))
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(good), "\n")
	lines = lines[:len(lines)-1]
	mixed := slices.Clone(lines)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	for _, test := range []struct {
		name, cdxj string
		bad        bool
	}{
		{"as it was", string(good), false},
		{"out of order", strings.Join(mixed, ""), false},
		{"each line twice", strings.Join(lines, "") + strings.Join(lines, ""), false},
		{"wrong keys", strings.ReplaceAll(string(good), "com,example)/", "org,other)/"), false},
		{"Windows line ends", strings.ReplaceAll(string(good), "\n", "\r\n"), false},
		{"a line of two megabytes", string(good) + strings.Repeat("x", 2<<20) + "\n", true},
		{"a line without an end", string(good) + strings.Repeat("x", 3<<20), true},
		{"a JSON of a megabyte", string(good) + `a 20260101000000 {"url":"` + strings.Repeat("x", 1<<20) + "\"}\n", true},
		{"binary", string(bytes.Repeat([]byte{0, 1, 2, 255, 10}, 1000)), true},
		{"cut", string(good[:len(good)/2]), true},
		{"an offset behind the end", strings.Replace(string(good), `"offset": "`, `"offset": "99999999`, 1), true},
		{"a negative offset", strings.Replace(string(good), `"offset": "`, `"offset": "-`, 1), true},
		{"no offset", strings.Replace(string(good), `"offset"`, `"offzet"`, 1), true},
		{"a number that overflows", strings.Replace(string(good), `"length": "`, `"length": "99999999999999999999`, 1), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(test.cdxj), 0o666); err != nil {
				t.Fatal(err)
			}
			x, err := Open(t.Context(), Options{Dir: t.TempDir(), Archive: a})
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			c := refresh(t, x)
			if said := len(c.Problems) == 1 && strings.Contains(c.Problems[0].Detail, "CDXJ"); said != test.bad {
				t.Errorf("problems: %+v", c.Problems)
			}
			if got := found(t, x, Query{URL: "example.com", Match: Host}); len(got) != 20 {
				t.Errorf("%d lines: %v", len(got), got)
			}
			for e, err := range x.Find(t.Context(), Query{Match: All}) {
				if err != nil {
					t.Fatal(err)
				}
				if r, err := x.Record(t.Context(), e); err != nil {
					t.Error(err)
				} else {
					r.Close()
				}
			}
		})
	}
	// A line that leads to another record gives an error, not that record.
	wrong := strings.Replace(string(good), `"url": "http://example.com/1"`, `"url": "http://bank.example/"`, 1)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(wrong), 0o666); err != nil {
		t.Fatal(err)
	}
	x := openIndex(t, a, t.TempDir())
	if r, err := x.Record(t.Context(), one(t, x, Query{URL: "http://bank.example/"})); err == nil || !strings.Contains(err.Error(), "lies one of http://example.com/1") {
		t.Errorf("%v, %v", r, err)
	}
}

// TestLongKeys has URLs of up to a megabyte: they are found, by prefix too, and
// the tables in memory stay small.
func TestLongKeys(t *testing.T) {
	a := folder(t, archive.Options{})
	x, err := Open(t.Context(), Options{Dir: t.TempDir(), Archive: a})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	u := &update{x: x, ctx: t.Context(), dead: map[uint32]bool{}}
	number := u.numbers(1)
	var urls []string
	for i := range 40 {
		urls = append(urls, "http://example.com/"+strings.Repeat("a", 900+i*i*600)+fmt.Sprint("/", i))
		l := cdx.Line{Timestamp: "20260101000000", URL: urls[i], Offset: int64(i), Length: 1}
		if err := u.add(&l, number); err != nil {
			t.Fatal(err)
		}
	}
	u.took(source{Kind: KindSegment, Name: "refrain-20260131101112345-00001-host", File: number})
	if err := u.flush(); err != nil {
		t.Fatal(err)
	}
	x.show(x.runs())
	for i, url := range urls {
		if got := found(t, x, Query{URL: url}); len(got) != 1 {
			t.Errorf("%d: %d lines", i, len(got))
		}
		if got := found(t, x, Query{URL: url[:len(url)-1], Match: Prefix}); len(got) != 1 {
			t.Errorf("%d: %d lines by prefix", i, len(got))
		}
	}
	if r := x.runs()[0]; r.seps.size() > 60_000 {
		t.Errorf("the table of blocks has %d bytes", r.seps.size())
	}
}

// FuzzRun opens any bytes as a run and reads all of it in every way.
func FuzzRun(f *testing.F) {
	x := benchIndex(f, 60)
	name := filepath.Join(x.opts.Dir, x.runs()[0].name)
	data, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte(runMagic))
	file := filepath.Join(f.TempDir(), "x.run")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		r, err := openRun(file, "x.run")
		if err != nil {
			return
		}
		defer r.close()
		c := newCursor(r)
		defer c.free()
		n := 0
		for c.seek(nil); c.at() != nil && n < 10000; c.next() {
			n++
			var l cdx.Line
			_, _ = parseLine(c.at(), &l)
		}
		c.seek([]byte("example"))
		c.seekBefore([]byte("example"))
		for c.last(); c.at() != nil && n < 20000; c.prev() {
			n++
		}
		d := newDigestCursor(r, 1<<63, false)
		d.next()
		d.free()
	})
}

// FuzzLine reads any bytes as a line of a run, and writes what can be read again
// as the same bytes.
func FuzzLine(f *testing.F) {
	l := cdx.Line{Key: "com,example)/", Timestamp: "20260101000000", URL: "http://example.com/", MIME: "text/html", Status: "200", Digest: "sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Offset: 7, Length: 8, Extra: []cdx.Extra{{Name: "a", Value: []byte(`"b"`)}}}
	f.Add(appendLine(nil, &l, 3))
	l.Digest, l.RecordDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "md5:x"
	f.Add(appendLine(nil, &l, 3))
	f.Fuzz(func(t *testing.T, line []byte) {
		var l, again cdx.Line
		number, err := parseLine(line, &l)
		if err != nil {
			return
		}
		text := appendLine(nil, &l, number)
		if n, err := parseLine(text, &again); err != nil || n != number || again.String() != l.String() {
			t.Fatalf("%q is read as %s, and again as %s, %v", line, l.String(), again.String(), err)
		}
		_, head, _ := fileOf(line)
		if number, ok := lineDigest(text, head); ok {
			if want, _ := digestNumber(l.Digest); want != number && len(l.Key) < maxKey {
				t.Fatalf("%q: its digest has the number %x, want %x", line, number, want)
			}
		}
	})
}
