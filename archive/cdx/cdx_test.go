package cdx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive/warc"
)

var testDate = time.Date(2026, 1, 31, 10, 11, 12, 345678000, time.UTC)

// exchange writes one file with every type of record and gives it with the
// lines that FromRecord made on the way.
func exchange(t testing.TB, compression warc.Compression) (file []byte, lines []Line) {
	t.Helper()
	var out bytes.Buffer
	w := warc.NewWriter(&out, warc.WriterOptions{Compression: compression})
	add := func(r *warc.Record) *warc.Record {
		pos, err := w.Write(r)
		if err != nil {
			t.Fatal(err)
		}
		l, ok, err := FromRecord(r, pos, "x.warc.gz", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			lines = append(lines, l)
		}
		return r
	}
	add(warc.NewWarcinfo("x.warc.gz", testDate, warc.Header{{Name: "software", Value: "test/1"}}))
	c := warc.Capture{URL: "http://www.plaza.example/A?b=2&a=1", Date: testDate}
	head := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/HTML; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n")
	response := add(c.Response(warc.Bytes(append(bytes.Clone(head), "5\r\nhello\r\n0\r\n\r\n"...))))
	add(c.Request(warc.Bytes([]byte("GET /A?b=2&a=1 HTTP/1.1\r\nHost: www.plaza.example\r\n\r\n")), response))
	add(c.Metadata(warc.Header{{Name: "fetchTimeMs", Value: "12"}}, response))
	add(c.Resource("urn:refrain:post:plaza:1", "application/json", warc.Bytes([]byte(`{"id":"1"}`)), response))
	later := warc.Capture{URL: "http://plaza.example/b", Date: testDate.Add(time.Hour)}
	original := warc.Original{ID: response.ID(), URL: c.URL, Date: c.Date, PayloadDigest: response.PayloadDigest}
	add(later.Identical(warc.Bytes(head), original))
	later.URL = c.URL
	add(later.NotModified(warc.Bytes([]byte("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n")), original))
	add(later.Conversion("text/plain", warc.Bytes([]byte("hello")), response))
	return out.Bytes(), lines
}

func TestFromRecordAndIndex(t *testing.T) {
	for _, compression := range []warc.Compression{warc.Auto, warc.Plain} {
		file, made := exchange(t, compression)
		var read []Line
		stats, err := Index(context.Background(), bytes.NewReader(file), "x.warc.gz", IndexOptions{}, func(l *Line) error {
			read = append(read, *l)
			return nil
		})
		if err != nil || stats.Records != 8 || stats.Lines != 4 {
			t.Fatalf("%+v, %v", stats, err)
		}
		var got []string
		for i := range read {
			if read[i].String() != made[i].String() {
				t.Errorf("line from the file  %s\nwhen it was written %s", &read[i], &made[i])
			}
			l := read[i]
			got = append(got, strings.Join([]string{l.Key, l.Timestamp, l.URL, l.MIME, l.Status}, " "))
		}
		want := []string{
			"example,plaza)/a?a=1&b=2 20260131101112 http://www.plaza.example/A?b=2&a=1 text/html 200",
			"urn:refrain:post:plaza:1 20260131101112 urn:refrain:post:plaza:1 application/json ",
			"example,plaza)/b 20260131111112 http://plaza.example/b warc/revisit 200",
			"example,plaza)/a?a=1&b=2 20260131111112 http://www.plaza.example/A?b=2&a=1 warc/revisit 304",
		}
		if !slices.Equal(got, want) {
			t.Errorf("lines %q\nwant  %q", got, want)
		}
		if d := read[0].Digest; d != warc.SHA256([]byte("hello")) || read[2].Digest != d || read[3].Digest != "" {
			t.Errorf("digests %q, %q, %q", d, read[2].Digest, read[3].Digest)
		}
		for _, l := range read {
			rec, err := warc.ReadAt(bytes.NewReader(file), int64(len(file)), l.Offset)
			if err != nil || rec.Header.TargetURI() != l.URL {
				t.Errorf("%s: at its offset is %v, %v", l.URL, rec, err)
			}
		}
	}
}

func TestRecordDigest(t *testing.T) {
	file, _ := exchange(t, warc.Auto)
	n := 0
	_, err := Index(context.Background(), bytes.NewReader(file), "x.warc.gz", IndexOptions{RecordDigest: bytes.NewReader(file)}, func(l *Line) error {
		if want := warc.SHA256(file[l.Offset : l.Offset+l.Length]); l.RecordDigest != want {
			t.Errorf("recordDigest %s, want %s", l.RecordDigest, want)
		}
		n++
		return nil
	})
	if err != nil || n != 4 {
		t.Errorf("%d lines, %v", n, err)
	}
}

func TestLine(t *testing.T) {
	l := Line{Key: "com,example)/", Timestamp: "20260131101112", URL: "http://example.com/\"\\\u00e9\x01\xff", MIME: "text/html", Status: "200",
		Digest: "sha256:00", Length: 12, Offset: 0, Filename: "x.warc.gz", Extra: []Extra{{"method", []byte(`"POST"`)}, {"n", []byte(`{"a":[1, 2]}`)}}}
	const want = `com,example)/ 20260131101112 {"url": "http://example.com/\"\\é\u0001` + "\uFFFD" + `", "mime": "text/html", "status": "200", "digest": "sha256:00", "length": "12", "offset": "0", "filename": "x.warc.gz", "method": "POST", "n": {"a":[1, 2]}}`
	if got := l.String(); got != want {
		t.Fatalf("line  %s\nwant  %s", got, want)
	}
	back, err := ParseLine([]byte(want + "\r\n"))
	if err != nil || back.String() != want {
		t.Errorf("read back %s, %v", &back, err)
	}
	numbers, err := ParseLine([]byte(`com,example)/ 20260131101112345 {"status":200,"length":12,"offset":7,"digest":null,"mime":"-"}`))
	if err != nil || numbers.Status != "200" || numbers.Length != 12 || numbers.Offset != 7 || numbers.Digest != "" {
		t.Errorf("numbers: %+v, %v", numbers, err)
	}
	if got := numbers.Time(); !got.Equal(testDate.Truncate(time.Millisecond)) {
		t.Errorf("time %v", got)
	}
	// The quick way and the JSON library read the same.
	for _, object := range []string{`{"offset":7,"length":"12","x":5,"url":"u"}`, ` {"offset" : "7" , "length":12 ,"x": 5, "url": "u"}`} {
		quick, err := ParseLine([]byte("a 1 " + object))
		slow, err2 := ParseLine([]byte("a 1 " + strings.Replace(object, `"u"`, `"\u0075"`, 1)))
		if err != nil || err2 != nil || quick.String() != slow.String() || quick.Offset != 7 || quick.Length != 12 || quick.URL != "u" || string(quick.Extra[0].Value) != "5" {
			t.Errorf("%s: %s and %s, %v, %v", object, &quick, &slow, err, err2)
		}
	}
	none, err := ParseLine([]byte(`com,example)/ 20260131101112 {}`))
	if err != nil || none.Offset != -1 || none.Length != 0 {
		t.Errorf("no fields: %+v, %v", none, err)
	}
	for _, bad := range []string{"", "a", "a 1", "a b {}", " CDX N b a m s k r M S V g", "!meta 0 {}x", "a 20260131101112 []", "a 20260131101112 {", `a 20260131101112 {"offset":"x"}`,
		`a 20260131101112 {"length":-1}`, `a 20260131101112 {"url":[1]}`, `a 20260131101112 {} x`, `a 202601311011121234567 {}`, `a 20260131101112 {"url":"x"`} {
		if l, err := ParseLine([]byte(bad)); !errors.Is(err, ErrNotLine) {
			t.Errorf("%q is read as %+v, %v", bad, l, err)
		}
	}
}

// TestSort compares with the sort of the standard library, in memory and with
// many temporary files.
func TestSort(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var lines []string
	for range 20_000 {
		lines = append(lines, fmt.Sprintf("com,example)/%d 2026 {\"offset\": \"%d\"}", random.IntN(9000), random.IntN(3)))
	}
	want := slices.Clone(lines)
	sort.Strings(want)
	want = slices.Compact(want)
	in := strings.Join(lines, "\n") + "\n\n"
	for _, memory := range []int{0, 300 << 10, 9 << 10} {
		dir := t.TempDir()
		var out bytes.Buffer
		if err := Sort(context.Background(), strings.NewReader(in), &out, SortOptions{Memory: memory, Dir: dir}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"); !slices.Equal(got, want) {
			t.Errorf("memory %d: %d lines, want %d", memory, len(got), len(want))
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("memory %d: %d temporary files are left", memory, len(left))
		}
	}
	if err := Sort(context.Background(), strings.NewReader(strings.Repeat("x", MaxLine+10)), io.Discard, SortOptions{}); err == nil {
		t.Error("a line that is too long is taken")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Sort(ctx, strings.NewReader(in), io.Discard, SortOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestFind looks every key up, and keys that are not there, in files of
// different sizes and with lines longer than a page.
func TestFind(t *testing.T) {
	for _, n := range []int{0, 1, 2, 30, 500} {
		var lines []string
		for i := range n {
			for j := range i%3 + 1 {
				filler := ""
				if i%50 == 7 {
					filler = strings.Repeat("x", 3*pageSize)
				}
				lines = append(lines, fmt.Sprintf(`com,example)/%04d 2026013110111%d {"url": "%s", "offset": "%d"}`, i*2, j, filler, j))
			}
		}
		data := strings.Join(lines, "\n")
		if n%2 == 0 && n > 0 {
			data += "\n"
		}
		f := NewFile(strings.NewReader(data), int64(len(data)))
		collect := func(seq func(func(Line, error) bool)) (got []string) {
			for l, err := range seq {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprint(l.Key, l.Offset))
			}
			return got
		}
		for i := range n {
			var want []string
			for j := range i%3 + 1 {
				want = append(want, fmt.Sprintf("com,example)/%04d%d", i*2, j))
			}
			if got := collect(f.Find(fmt.Sprintf("com,example)/%04d", i*2))); !slices.Equal(got, want) {
				t.Errorf("%d keys: %d is found as %v, want %v", n, i*2, got, want)
			}
			if got := collect(f.Find(fmt.Sprintf("com,example)/%04d", i*2+1))); got != nil {
				t.Errorf("%d keys: %d is found as %v", n, i*2+1, got)
			}
		}
		if got := collect(f.FindPrefix("com,example)/00")); len(got) != len(collect(f.All())) && n <= 30 {
			t.Errorf("%d keys: %d lines by prefix", n, len(got))
		}
		if got := collect(f.All()); len(got) != len(lines) {
			t.Errorf("%d keys: %d lines in all, want %d", n, len(got), len(lines))
		}
		for _, key := range []string{"", "a", "z", "com,example)/"} {
			if got := collect(f.Find(key)); got != nil {
				t.Errorf("%q is found as %v", key, got)
			}
		}
	}
	broken := "a 20260131101112 {}\nb x\nc 20260131101112 {}\n"
	failed := false
	for _, err := range NewFile(strings.NewReader(broken), int64(len(broken))).All() {
		failed = failed || errors.Is(err, ErrNotLine)
	}
	if !failed {
		t.Error("a broken line is passed over")
	}
}

func TestVerifyCDXJ(t *testing.T) {
	file, lines := exchange(t, warc.Auto)
	var good []string
	for _, l := range lines {
		good = append(good, l.String())
	}
	sort.Strings(good)
	check := func(name string, lines []string, want string) {
		t.Helper()
		report, err := VerifyCDXJ(context.Background(), strings.NewReader(strings.Join(lines, "\n")+"\n"), bytes.NewReader(file), int64(len(file)), "x.warc.gz")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want == "" {
			if !report.Sound || len(report.Problems) > 0 || report.Lines != 4 || report.Records != 4 {
				t.Errorf("%s: %+v", name, report)
			}
			return
		}
		if !slices.ContainsFunc(report.Problems, func(p Problem) bool { return strings.Contains(p.String(), want) }) {
			t.Errorf("%s: %v, want a problem with %q", name, report.Problems, want)
		}
		if remark := strings.HasPrefix(want, "the key"); report.Sound != remark {
			t.Errorf("%s: sound is %v", name, report.Sound)
		}
	}
	edit := func(i int, old, new string) []string {
		changed := slices.Clone(good)
		if !strings.Contains(changed[i], old) {
			t.Fatalf("line %s has no %s", changed[i], old)
		}
		changed[i] = strings.Replace(changed[i], old, new, 1)
		return changed
	}
	check("as it is", good, "")
	check("another file's line too", append(slices.Clone(good), `z 20260131101112 {"offset": "5", "filename": "other.warc.gz"}`), "")
	check("one line missing", good[1:], "no line points at")
	check("one line twice", slices.Insert(slices.Clone(good), 1, good[0]), "there twice")
	check("not sorted", []string{good[1], good[0], good[2], good[3]}, "not sorted")
	check("broken line", append(slices.Clone(good), "zz"), "not a CDXJ line")
	check("offset off by one", edit(0, `"offset": "`, `"offset": "1`), "offset")
	check("offset of another record", edit(0, fmt.Sprintf(`"offset": "%d"`, lines[0].Offset), fmt.Sprintf(`"offset": "%d"`, lines[1].Offset)), "url is")
	check("offset of the warcinfo", edit(0, fmt.Sprintf(`"offset": "%d"`, lines[0].Offset), `"offset": "0"`), "is a warcinfo")
	check("length", edit(0, `"length": "`, `"length": "9`), "length is")
	check("status", edit(0, `"status": "200"`, `"status": "404"`), "status is")
	check("digest", edit(0, `"digest": "sha256:2`, `"digest": "sha256:3`), "digest is")
	check("time", edit(0, "20260131101112", "20260131101113"), "timestamp is")
	check("key", edit(3, "urn:refrain:post:plaza:1 ", "urn:refrain:post:plaza:2 "), "the key is not")
}

func TestIndexRefusesSharedMembers(t *testing.T) {
	plain, _ := exchange(t, warc.Plain)
	var packed bytes.Buffer
	z := newGzip(&packed)
	z.Write(plain)
	z.Close()
	_, err := Index(context.Background(), bytes.NewReader(packed.Bytes()), "x.warc.gz", IndexOptions{}, func(*Line) error { return nil })
	var d *warc.Damage
	if !errors.As(err, &d) || d.Code != warc.CodeShared {
		t.Errorf("error %v", err)
	}
	damages := 0
	stats, err := Index(context.Background(), bytes.NewReader(packed.Bytes()), "x.warc.gz", IndexOptions{Damaged: func(*warc.Damage) { damages++ }}, func(*Line) error { return nil })
	if err != nil || damages != 4 || stats.Lines != 0 {
		t.Errorf("%d damages, %+v, %v", damages, stats, err)
	}
}
