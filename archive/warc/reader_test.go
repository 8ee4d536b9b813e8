package warc

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// sample writes a file of n exchanges and gives the blocks by record id.
func sample(t testing.TB, o WriterOptions, n int) (file []byte, positions []Position, blocks []string) {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, o)
	add := func(r *Record) {
		pos, err := w.Write(r)
		if err != nil {
			t.Fatal(err)
		}
		block := make([]byte, r.Block.Size())
		if err := readBlock(r.Block, block, 0); err != nil && len(block) > 0 {
			t.Fatal(err)
		}
		positions, blocks = append(positions, pos), append(blocks, string(block))
	}
	add(NewWarcinfo("sample.warc.gz", testDate, Header{{"software", "test/1"}}))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		c := Capture{URL: fmt.Sprintf("http://plaza.example/%d", i), Date: testDate}
		kind, body := "text/html", fmt.Sprintf("<p>post %d</p>%s", i, strings.Repeat("word ", random.IntN(2000)))
		if i%3 == 2 {
			b := make([]byte, random.IntN(9000))
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			kind, body = "image/png", string(b)
		}
		response := c.Response(Bytes(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(body), body)))
		add(response)
		add(c.Request(Bytes(fmt.Appendf(nil, "GET /%d HTTP/1.1\r\nHost: plaza.example\r\n\r\n", i)), response))
	}
	return out.Bytes(), positions, blocks
}

// checkSample compares what is read with what was written.
func checkSample(t *testing.T, name string, file []byte, positions []Position, blocks []string) {
	t.Helper()
	for _, random := range []bool{false, true} {
		records, damages := readAll(t, name, file, random)
		if damages > 0 || len(records) != len(blocks) {
			t.Fatalf("%s: %d records, %d damages, want %d records", name, len(records), damages, len(blocks))
		}
		for i, r := range records {
			if string(r.block) != blocks[i] {
				t.Errorf("%s: block %d differs", name, i)
			}
			if positions != nil && r.pos != positions[i] {
				t.Errorf("%s: record %d is at %+v, want %+v", name, i, r.pos, positions[i])
			}
		}
	}
}

func TestReadWritten(t *testing.T) {
	for _, c := range []Compression{Auto, Stored, Plain} {
		file, positions, blocks := sample(t, WriterOptions{Compression: c}, 20)
		checkSample(t, fmt.Sprint(c), file, positions, blocks)
		for i, pos := range positions {
			rec, err := ReadAt(bytes.NewReader(file), int64(len(file)), pos.Offset)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(rec)
			if err != nil || string(got) != blocks[i] {
				t.Errorf("record at %d: %v", pos.Offset, err)
			}
		}
	}
}

// zstdFile packs each record of a plain file into frames.
func zstdFile(t *testing.T, plain []byte, positions []Position, dict []byte, packDict, two bool) (file []byte, at []Position) {
	t.Helper()
	options := []zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true)}
	if dict != nil {
		options = append(options, zstd.WithEncoderDict(dict))
		inside := dict
		if packDict {
			z, _ := zstd.NewWriter(nil)
			inside = z.EncodeAll(dict, nil)
		}
		file = binary.LittleEndian.AppendUint32(file, dictFrame)
		file = binary.LittleEndian.AppendUint32(file, uint32(len(inside)))
		file = append(file, inside...)
	}
	z, err := zstd.NewWriter(nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range positions {
		start := int64(len(file))
		record := plain[p.Offset:p.End()]
		if two {
			file = z.EncodeAll(record[:len(record)/2], file)
			record = record[len(record)/2:]
		}
		file = z.EncodeAll(record, file)
		at = append(at, Position{start, int64(len(file)) - start})
	}
	return file, at
}

func TestReadZstd(t *testing.T) {
	plain, positions, blocks := sample(t, WriterOptions{Compression: Plain}, 30)
	var contents [][]byte
	for _, p := range positions {
		contents = append(contents, plain[p.Offset:p.End()])
	}
	dict, err := zstd.BuildDict(zstd.BuildDictOptions{ID: 77, Contents: contents, History: plain[:8<<10], Offsets: [3]int{1, 4, 8}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dict      []byte
		pack, two bool
	}{
		"no dictionary":          {},
		"dictionary":             {dict: dict},
		"packed dictionary":      {dict: dict, pack: true},
		"two frames to a record": {two: true},
	} {
		file, at := zstdFile(t, plain, positions, c.dict, c.pack, c.two)
		checkSample(t, name, file, at, blocks)
		for i, p := range at {
			rec, err := ReadAt(bytes.NewReader(file), int64(len(file)), p.Offset)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got, err := io.ReadAll(rec); err != nil || string(got) != blocks[i] {
				t.Errorf("%s: record at %d: %v", name, p.Offset, err)
			}
		}
		// Cut in the middle of the last record, and one changed byte.
		_, damages := readAll(t, name, file[:len(file)-3], true)
		if want := map[bool]int{false: 1, true: 2}[c.two]; damages != want {
			t.Errorf("%s, cut: %d damages, want %d", name, damages, want)
		}
		broken := bytes.Clone(file)
		broken[at[5].Offset+at[5].Length/2] ^= 0x10
		records, damages := readAll(t, name, broken, true)
		if damages == 0 || len(records) < len(blocks)-2 {
			t.Errorf("%s, one byte changed: %d of %d records, %d damages", name, len(records), len(blocks), damages)
		}
	}
}

// TestReadDamaged changes or removes parts of files and asks which records are
// still found.
func TestReadDamaged(t *testing.T) {
	gz, gzAt, blocks := sample(t, WriterOptions{}, 10)
	plain, plainAt, _ := sample(t, WriterOptions{Compression: Plain}, 10)
	edit := func(file []byte, f func(b []byte) []byte) []byte { return f(bytes.Clone(file)) }
	for _, c := range []struct {
		name string
		file []byte
		lost int // records
		code Code
	}{
		{"gzip, header of a member overwritten", edit(gz, func(b []byte) []byte { copy(b[gzAt[3].Offset:], "xxxxxxxxxx"); return b }), 1, CodeJunk},
		{"gzip, body of a member overwritten", edit(gz, func(b []byte) []byte {
			for i := gzAt[3].Offset + 60; i < gzAt[3].End(); i++ {
				b[i] = 0xff
			}
			return b
		}), 1, CodeGzip},
		{"gzip, checksum changed", edit(gz, func(b []byte) []byte { b[gzAt[3].End()-8] ^= 1; return b }), 1, CodeGzipSum},
		{"gzip, half a member missing", edit(gz, func(b []byte) []byte {
			return append(b[:gzAt[3].Offset+gzAt[3].Length/2], b[gzAt[3].End():]...)
		}), 1, ""},
		{"gzip, bytes between members", edit(gz, func(b []byte) []byte {
			return append(b[:gzAt[3].Offset:gzAt[3].Offset], append([]byte("some junk\n"), b[gzAt[3].Offset:]...)...)
		}), 0, CodeJunk},
		{"gzip, zeros at the end", append(bytes.Clone(gz), make([]byte, 5000)...), 0, CodeJunk},
		{"gzip, cut within the last member", gz[:len(gz)-4], 1, CodeCut},
		{"gzip, cut within a member header", gz[:gzAt[20].Offset+5], 1, CodeCut},
		{"gzip, begins in the middle", gz[gzAt[2].Offset+7:], 3, ""},
		{"plain, cut within the last block", plain[:len(plain)-10], 1, CodeCut},
		{"plain, a header overwritten", edit(plain, func(b []byte) []byte { copy(b[plainAt[3].Offset:], "xxxxxx"); return b }), 1, CodeNotRecord},
		{"plain, a length too large", edit(plain, func(b []byte) []byte { return relength(b, plainAt[3], "9999") }), 1, ""},
		{"plain, a length beyond the file", edit(plain, func(b []byte) []byte { return relength(b, plainAt[3], "99999999999999") }), 1, CodeCut},
		{"plain, a length too small", edit(plain, func(b []byte) []byte { return relength(b, plainAt[3], "20") }), 1, CodeLength},
		{"plain, no length", edit(plain, func(b []byte) []byte { return relength(b, plainAt[3], "none") }), 1, CodeHeader},
	} {
		r, err := NewReaderAt(bytes.NewReader(c.file), int64(len(c.file)), 0)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		found, codes := 0, map[Code]bool{}
		for {
			rec, err := r.Next()
			if err == io.EOF {
				break
			}
			if err == nil {
				_, err = rec.Finish()
			}
			var d *Damage
			if errors.As(err, &d) {
				codes[d.Code] = true
				if d.Offset < 0 || d.Offset > int64(len(c.file)) {
					t.Errorf("%s: offset %d", c.name, d.Offset)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			found++
		}
		if lost := len(blocks) - found; lost != c.lost || len(codes) == 0 || c.code != "" && !codes[c.code] {
			t.Errorf("%s: %d records lost, %v; want %d, %s", c.name, lost, codes, c.lost, c.code)
		}
	}
}

// relength gives the record at pos another Content-Length.
func relength(b []byte, pos Position, length string) []byte {
	head, rest, _ := bytes.Cut(b[pos.Offset:], []byte("\r\nContent-Length: "))
	_, rest, _ = bytes.Cut(rest, []byte("\r\n"))
	changed := append(bytes.Clone(b[:pos.Offset]), head...)
	changed = append(changed, "\r\nContent-Length: "+length+"\r\n"...)
	return append(changed, rest...)
}

func TestReadARC(t *testing.T) {
	response := "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>hello</p>"
	version := "1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n"
	first := fmt.Sprintf("filedesc://test.arc 0.0.0.0 20140216050221 text/plain %d\n%s", len(version), version)
	second := fmt.Sprintf("http://plaza.example/a b 192.0.2.1 20140216050222 text/html; charset=utf-8 %d\n%s", len(response), response)
	third := "dns:plaza.example 192.0.2.53 20140216050223 text/dns 5\nhello"
	plain := first + "\n" + second + "\n" + third + "\n"
	var packed bytes.Buffer
	for _, part := range []string{first + "\n", second + "\n", third + "\n"} {
		z := gzip.NewWriter(&packed)
		io.WriteString(z, part)
		z.Close()
	}
	for name, file := range map[string][]byte{"test.arc": []byte(plain), "test.arc.gz": packed.Bytes()} {
		records, damages := readAll(t, name, file, true)
		if len(records) != 3 || damages != 0 {
			t.Fatalf("%s: %d records, %d damages", name, len(records), damages)
		}
		if h := records[0].header; h.Type() != TypeWarcinfo || h.Get("WARC-Filename") != "test.arc" || string(records[0].block) != version {
			t.Errorf("%s: first record %v, %q", name, h, records[0].block)
		}
		h := records[1].header
		if h.Type() != TypeResponse || h.TargetURI() != "http://plaza.example/a b" || h.Get("WARC-Date") != "2014-02-16T05:02:22Z" ||
			h.Get("WARC-IP-Address") != "192.0.2.1" || string(records[1].block) != response {
			t.Errorf("%s: second record %v, %q", name, h, records[1].block)
		}
		if h := records[2].header; h.Type() != TypeResource || h.Get("Content-Type") != "text/dns" {
			t.Errorf("%s: third record %v", name, h)
		}
		again, err := ReadAt(bytes.NewReader(file), int64(len(file)), records[1].pos.Offset)
		if err != nil || again.ID() != h.RecordID() {
			t.Errorf("%s: by offset: id %s, want %s, %v", name, again.ID(), h.RecordID(), err)
		}
	}
}

func TestReadHeaderOddities(t *testing.T) {
	for _, c := range []struct {
		name, file string
		codes      []Code
	}{
		{"LF alone", "WARC/1.0\nWARC-Type: metadata\nContent-Length: 1\n\nx\r\n\r\n", []Code{CodeLineEnd, CodeLineEnd}},
		{"folded", "WARC/1.0\r\nWARC-Type:\r\n metadata\r\nContent-Length: 1\r\n\r\nx\r\n\r\n", []Code{CodeFolded}},
		{"no colon", "WARC/1.0\r\nWARC-Type: metadata\r\nnonsense\r\nContent-Length: 1\r\n\r\nx\r\n\r\n", []Code{CodeNoColon}},
		{"old version", "WARC/0.18\r\nWARC-Type: metadata\r\nContent-Length: 1\r\n\r\nx\r\n\r\n", []Code{CodeVersion}},
		{"blank lines", "\r\n\r\nWARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 1\r\n\r\nx\r\n\r\n", []Code{CodeBlankLines}},
		{"no line ends", "WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 1\r\n\r\nx", []Code{CodeCut}},
		{"two lengths", "WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\nx\r\n\r\n", []Code{CodeDuplicateLen}},
		{"not UTF-8", "WARC/1.0\r\nWARC-Type: metadata\r\nX: \xff\r\nContent-Length: 1\r\n\r\nx\r\n\r\n", []Code{CodeUTF8}},
	} {
		r, err := NewReader(strings.NewReader(c.file))
		if err != nil {
			t.Fatal(err)
		}
		rec, err := r.Next()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if _, err := rec.Finish(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var got []Code
		for _, o := range rec.Oddities() {
			got = append(got, o.Code)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.codes) || rec.Header.Type() != TypeMetadata {
			t.Errorf("%s: %v, type %q; want %v", c.name, got, rec.Header.Type(), c.codes)
		}
	}
	for name, file := range map[string]string{
		"a header without end": "WARC/1.0\r\n" + strings.Repeat("X: y\r\n", MaxHeader/6+2),
		"a line without end":   "WARC/1.0\r\nX: " + strings.Repeat("y", MaxHeader+2),
		"HTML":                 "<!DOCTYPE html>\n<title>no archive</title>",
		"negative length":      "WARC/1.0\r\nContent-Length: -1\r\n\r\n",
	} {
		r, err := NewReader(strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		var d *Damage
		if _, err := r.Next(); !errors.As(err, &d) {
			t.Errorf("%s: error %v, want *Damage", name, err)
		}
	}
}

// endless is a gzip member of a record whose block goes on and on.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	e.left -= n
	return int(n), nil
}

func (e *endless) ReadAt(p []byte, off int64) (int, error) {
	n := min(int64(len(p)), e.left-off)
	if n < int64(len(p)) {
		return int(max(n, 0)), io.EOF
	}
	return int(n), nil
}

func (e *endless) Size() int64 { return e.left }

// TestBigBlock writes and reads a block of 300 MB and looks at the memory that
// this takes.
func TestBigBlock(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: writes and reads 300 MB")
	}
	const size = 300 << 20
	r, w := io.Pipe()
	go func() {
		wr := NewWriter(w, WriterOptions{Level: 1})
		c := Capture{URL: "http://plaza.example/big", Date: testDate}
		head := Bytes([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"))
		_, err := wr.Write(c.Response(Join(head, &endless{left: size})))
		w.CloseWithError(err)
	}()
	var before, during runtime.MemStats
	runtime.ReadMemStats(&before)
	rd, err := NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := rd.Next()
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, rec)
	if err != nil || n < size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if _, err := rec.Finish(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&during)
	if grown := int64(during.TotalAlloc - before.TotalAlloc); grown > 16<<20 {
		t.Errorf("%d MB were allocated for a block of %d MB", grown>>20, size>>20)
	}
}
