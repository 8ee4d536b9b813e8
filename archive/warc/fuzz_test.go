package warc

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"testing"
)

// fuzzSeeds are small files of each kind, whole and broken.
func fuzzSeeds(t testing.TB) [][]byte {
	gz, at, _ := sample(t, WriterOptions{}, 1)
	plain, _, _ := sample(t, WriterOptions{Compression: Plain}, 1)
	var whole bytes.Buffer
	z := gzip.NewWriter(&whole)
	z.Write(plain)
	z.Close()
	return [][]byte{
		gz, plain, whole.Bytes(), gz[:len(gz)-5], gz[at[1].Offset:], plain[:len(plain)-30],
		append(bytes.Clone(gz), "junk"...),
		[]byte("filedesc://a.arc 0.0.0.0 20140216050221 text/plain 3\n1 0\n\nhttp://a/ 192.0.2.1 20140216050222 text/html 4\nbody\n"),
		[]byte("\x28\xb5\x2f\xfd\x04\x00\x11\x00\x00ab\x00\x00\x00\x00"),
		[]byte("\x5d\x2a\x4d\x18\x04\x00\x00\x00dict\x28\xb5\x2f\xfd"),
		[]byte("WARC/1.0\r\nContent-Length: 5\r\n\r\nab\r\n\r\nWARC/1.0\r\nContent-Length: 0\r\n\r\n\r\n\r\n"),
		{},
	}
}

// FuzzReader reads any bytes as a file, in turn and at random, checks and
// repairs it. What it says about records that can be read must hold.
func FuzzReader(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, random := range []bool{false, true} {
			var r *Reader
			var err error
			if random {
				r, err = NewReaderAt(bytes.NewReader(data), int64(len(data)), 0)
			} else {
				r, err = NewReader(struct{ io.Reader }{bytes.NewReader(data)})
			}
			if err != nil {
				continue
			}
			steps := 0
			for {
				if steps++; steps > 10*len(data)+100 {
					t.Fatal("Next does not come to an end")
				}
				rec, err := r.Next()
				if err == io.EOF {
					break
				}
				var d *Damage
				if err != nil {
					if !errors.As(err, &d) {
						t.Fatal(err)
					}
					continue
				}
				rec.HTTPHead()
				n, err := io.Copy(io.Discard, rec)
				if err == nil && n != rec.Size() {
					t.Fatalf("the block has %d bytes, Size is %d", n, rec.Size())
				}
				pos, err := rec.Finish()
				if err == nil && pos.Length > 0 && (pos.Offset < 0 || pos.End() > int64(len(data))) {
					t.Fatalf("position %+v in a file of %d bytes", pos, len(data))
				}
			}
		}
		report, err := Verify(context.Background(), bytes.NewReader(data), int64(len(data)), "x", VerifyOptions{})
		if err != nil {
			return
		}
		var out bytes.Buffer
		if _, err := Repair(context.Background(), bytes.NewReader(data), int64(len(data)), "x", &out); err != nil {
			return
		}
		after, err := Verify(context.Background(), bytes.NewReader(out.Bytes()), int64(out.Len()), "x", VerifyOptions{})
		if err != nil || after.Verdict == Damaged {
			t.Fatalf("%s before, and the copy is %+v, %v", report.Verdict, after, err)
		}
	})
}

// FuzzHTTPBlock reads any bytes as an HTTP message. The digest that Writer
// makes and the payload that a reader gets must be of the same bytes.
func FuzzHTTPBlock(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08",
		"HTTP/2 200\n\nbody", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: br\r\n\r\nno chunks",
		"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\n\r\n\x28\xb5\x2f\xfd\x04\x00\x11\x00\x00ab",
		"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n\x78\x9c\x03\x00\x00\x00\x00\x01",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, block []byte) {
		m, err := ReadHTTP(bytes.NewReader(block))
		head, err2 := HeadOf(Bytes(block))
		if (err == nil) != (err2 == nil) {
			t.Fatalf("ReadHTTP says %v, HeadOf %v", err, err2)
		}
		if err != nil {
			return
		}
		if head.Size != m.Size || head.Size > int64(len(block)) {
			t.Fatalf("the head has %d and %d bytes, the block %d", m.Size, head.Size, len(block))
		}
		payload, err := io.ReadAll(m.Payload())
		if err != nil {
			t.Fatal(err)
		}
		c := Capture{URL: "http://plaza.example/", Date: testDate}
		r := c.Response(Bytes(block))
		if _, err := NewWriter(io.Discard, WriterOptions{Compression: Stored}).Write(r); err != nil {
			t.Fatal(err)
		}
		if got := r.Header.Get("WARC-Payload-Digest"); got != SHA256(payload) && !head.Cut {
			t.Fatalf("payload digest %s, the payload of %d bytes has %s", got, len(payload), SHA256(payload))
		}
		m, _ = ReadHTTP(bytes.NewReader(block))
		if d, err := m.Decoded(1 << 20); err == nil {
			n, _ := io.Copy(io.Discard, d)
			if n > 1<<20 {
				t.Fatalf("%d bytes beyond the limit", n)
			}
			d.Close()
		}
	})
}
