package warc

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

var testDate = time.Date(2026, 1, 31, 10, 11, 12, 345678900, time.UTC)

// members unpacks a .warc.gz by the standard library, member by member.
func members(t *testing.T, file []byte) []string {
	t.Helper()
	var all []string
	r := bytes.NewReader(file)
	for r.Len() > 0 {
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatalf("member %d: %v", len(all), err)
		}
		z.Multistream(false)
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatalf("member %d: %v", len(all), err)
		}
		all = append(all, string(b))
	}
	return all
}

func TestWriteExchange(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, WriterOptions{})
	info := NewWarcinfo("x.warc.gz", testDate, Header{{"software", "refrain/1"}, {"format", "WARC File Format 1.1"}})
	c := Capture{URL: "http://plaza.example/a", Date: testDate, IP: netip.MustParseAddr("::ffff:192.0.2.1"), Protocols: []string{"http/1.1", "tls/1.3"}, CipherSuite: "TLS_AES_128_GCM_SHA256"}
	body := "<p>hello</p>"
	response := c.Response(Bytes([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n<p>he\r\n7\r\nllo</p>\r\n0\r\nTrailer: 1\r\n\r\n")))
	request := c.Request(Bytes([]byte("GET /a HTTP/1.1\r\nHost: plaza.example\r\n\r\n")), response)
	var positions []Position
	for _, r := range []*Record{info, response, request} {
		pos, err := w.Write(r)
		if err != nil {
			t.Fatal(err)
		}
		positions = append(positions, pos)
	}
	if end := positions[2].End(); end != int64(file.Len()) || end != w.Offset() {
		t.Errorf("the last record ends at %d, Offset is %d, the file has %d bytes", end, w.Offset(), file.Len())
	}
	all := members(t, file.Bytes())
	if len(all) != 3 {
		t.Fatalf("%d members, want 3", len(all))
	}
	block := "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n<p>he\r\n7\r\nllo</p>\r\n0\r\nTrailer: 1\r\n\r\n"
	want := "WARC/1.1\r\n" +
		"WARC-Type: response\r\n" +
		"WARC-Record-ID: <" + response.ID() + ">\r\n" +
		"WARC-Date: 2026-01-31T10:11:12.345678Z\r\n" +
		"WARC-Target-URI: http://plaza.example/a\r\n" +
		"WARC-Warcinfo-ID: <" + info.ID() + ">\r\n" +
		"WARC-IP-Address: 192.0.2.1\r\n" +
		"WARC-Protocol: http/1.1\r\n" +
		"WARC-Protocol: tls/1.3\r\n" +
		"WARC-Cipher-Suite: TLS_AES_128_GCM_SHA256\r\n" +
		fmt.Sprintf("WARC-Block-Digest: sha256:%x\r\n", sha256.Sum256([]byte(block))) +
		fmt.Sprintf("WARC-Payload-Digest: sha256:%x\r\n", sha256.Sum256([]byte(body))) +
		"Content-Type: application/http; msgtype=response\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n", len(block)) +
		"\r\n" + block + "\r\n\r\n"
	if all[1] != want {
		t.Errorf("response record:\n%s\nwant\n%s", all[1], want)
	}
	if !strings.Contains(all[2], "WARC-Concurrent-To: <"+response.ID()+">\r\n") {
		t.Errorf("the request does not name its response:\n%s", all[2])
	}
	if strings.Contains(all[2], "WARC-Payload-Digest") {
		t.Error("a request without a body has a payload digest")
	}
}

// TestWriteSizes writes text and coded bodies of sizes around those of the
// buffers and deflate blocks, and reads them with the standard library.
func TestWriteSizes(t *testing.T) {
	for _, kind := range []string{"text/html", "image/jpeg"} {
		for _, compression := range []Compression{Auto, Stored, Plain} {
			for _, size := range []int{0, 1, 0xffff - 1, 0xffff, 0xffff + 1, pieceSize - 60, pieceSize, pieceSize + 1, 3*pieceSize + 17} {
				body := bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size]
				block := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: "+kind+"\r\n\r\n"), body...)
				var file bytes.Buffer
				w := NewWriter(&file, WriterOptions{Compression: compression})
				c := Capture{URL: "http://plaza.example/a", Date: testDate}
				r := c.Response(Join(Bytes(block[:20]), Bytes(block[20:])))
				pos, err := w.Write(r)
				if err != nil {
					t.Fatal(err)
				}
				if pos.Length != int64(file.Len()) {
					t.Errorf("%s %d bytes: length %d, file %d", kind, size, pos.Length, file.Len())
				}
				got := file.String()
				if compression != Plain {
					got = members(t, file.Bytes())[0]
				}
				head, rest, _ := strings.Cut(got, "\r\n\r\n")
				if rest != string(block)+"\r\n\r\n" {
					t.Fatalf("%s %d bytes, compression %d: the block came back as %d bytes", kind, size, compression, len(rest)-4)
				}
				if want := fmt.Sprintf("WARC-Payload-Digest: sha256:%x\r\n", sha256.Sum256(body)); !strings.Contains(head, want) {
					t.Errorf("%s %d bytes: head lacks %s:\n%s", kind, size, want, head)
				}
				if want := fmt.Sprintf("WARC-Block-Digest: sha256:%x\r\n", sha256.Sum256(block)); !strings.Contains(head, want) {
					t.Errorf("%s %d bytes: head lacks %s:\n%s", kind, size, want, head)
				}
				if stored := file.Len() > size; compression == Auto && size > 1000 && stored != (kind == "image/jpeg") {
					t.Errorf("%s %d bytes: takes %d in the file", kind, size, file.Len())
				}
			}
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	c := Capture{URL: "http://plaza.example/a", Date: testDate}
	for name, r := range map[string]*Record{
		"WARC-Target-URI is missing":     Capture{Date: testDate}.Response(Bytes([]byte("HTTP/1.1 200 OK\r\n\r\n"))),
		"WARC-Payload-Digest is missing": c.Identical(Bytes([]byte("HTTP/1.1 200 OK\r\n\r\n")), Original{URL: "http://plaza.example/b", Date: testDate}),
		"WARC-Type is missing":           {Header: Header{{"WARC-Date", "2026-01-01T00:00:00Z"}}},
		"WARC-Date":                      {Header: Header{{"WARC-Type", "metadata"}, {"WARC-Date", "yesterday"}}},
		"line break":                     Capture{URL: "http://plaza.example/\r\nX: y", Date: testDate}.Response(nil),
		"Content-Type is missing":        {Header: Header{{"WARC-Type", "metadata"}, {"WARC-Date", "2026-01-01T00:00:00Z"}}, Block: Bytes([]byte("x"))},
		"read the block":                 c.Response(io.NewSectionReader(strings.NewReader("short"), 0, 100)),
	} {
		var file bytes.Buffer
		w := NewWriter(&file, WriterOptions{})
		_, err := w.Write(r)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one with %q", err, name)
		}
		if file.Len() != 0 || w.Offset() != 0 {
			t.Errorf("%s: %d bytes went out", name, file.Len())
		}
		if _, err := w.Write(c.Response(Bytes([]byte("HTTP/1.1 200 OK\r\n\r\n")))); err != nil {
			t.Errorf("%s: the next record is refused: %v", name, err)
		}
	}
}

type failing struct{ after int }

func (f *failing) Write(b []byte) (int, error) {
	if f.after -= len(b); f.after < 0 {
		return 0, fmt.Errorf("no space left")
	}
	return len(b), nil
}

func TestWriteAfterTornRecord(t *testing.T) {
	w := NewWriter(&failing{after: 10}, WriterOptions{})
	c := Capture{URL: "http://plaza.example/a", Date: testDate}
	for range 2 {
		if _, err := w.Write(c.Response(Bytes([]byte("HTTP/1.1 200 OK\r\n\r\nx")))); err == nil || !strings.Contains(err.Error(), "torn") {
			t.Errorf("error %v, want that the file is torn", err)
		}
	}
	if w.Offset() != 0 {
		t.Errorf("Offset is %d after a torn record, want 0", w.Offset())
	}
}

// A record whose block was packed by Pack is, unpacked, the record that Write
// packs itself, and what Pack gave can stand in another stream.
func TestPackedBlock(t *testing.T) {
	for _, size := range []int{0, 1, 5000, 70_000, 600_000} {
		block := []byte(strings.Repeat("{\"text\":\"a<b>\u00e4 and so on\"}", size/20+1))[:size]
		var file bytes.Buffer
		w := NewWriter(&file, WriterOptions{})
		packed, err := w.Pack(block)
		if err != nil {
			t.Fatal(err)
		}
		again := bytes.Clone(packed)
		r := Capture{Date: testDate}.Resource("urn:x:1", "application/json", Bytes(block), nil)
		own := &Record{Header: slices.Clone(r.Header), Block: Bytes(block)}
		r.Packed = packed
		for _, r := range []*Record{r, own} {
			if _, err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
		all := members(t, file.Bytes())
		if len(all) != 2 || all[0] != all[1] || !strings.HasSuffix(all[0], "\r\n\r\n"+string(block)+"\r\n\r\n") {
			t.Errorf("%d bytes: the records differ", size)
		}
		stream := append(append(bytes.Clone(again), again...), 1, 0, 0, 0xff, 0xff)
		if out, err := io.ReadAll(flate.NewReader(bytes.NewReader(stream))); err != nil || string(out) != string(block)+string(block) {
			t.Errorf("%d bytes twice: %d, %v", size, len(out), err)
		}
	}
}
