package warc

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

func TestParseHTTPHead(t *testing.T) {
	for _, c := range []struct {
		name, block   string
		status        int
		proto, reason string
		body          string
		interim       int
		cut           bool
	}{
		{"plain", "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", 200, "HTTP/1.1", "OK", "body", 0, false},
		{"no reason, no blank", "HTTP/1.1 404\r\n\r\nx", 404, "HTTP/1.1", "", "x", 0, false},
		{"HTTP/2", "HTTP/2 200\r\n\r\n", 200, "HTTP/2", "", "", 0, false},
		{"HTTP/2 with reason", "HTTP/2 200 OK\r\n\r\n", 200, "HTTP/2", "OK", "", 0, false},
		{"LF alone", "HTTP/1.0 200 OK\nA: b\n\nbody\n", 200, "HTTP/1.0", "OK", "body\n", 0, false},
		{"interim", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody", 200, "HTTP/1.1", "OK", "body", 1, false},
		{"interim alone", "HTTP/1.1 100 Continue\r\n\r\n", 100, "HTTP/1.1", "Continue", "", 0, false},
		{"switching protocols is final", "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05hello", 101, "HTTP/1.1", "Switching Protocols", "\x81\x05hello", 0, false},
		{"no empty line", "HTTP/1.1 200 OK\r\nA: b\r\n", 200, "HTTP/1.1", "OK", "", 0, true},
		{"no line end", "HTTP/1.1 200 OK", 200, "HTTP/1.1", "OK", "", 0, true},
	} {
		h, err := ParseHTTPHead([]byte(c.block))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if h.Status != c.status || h.Proto != c.proto || h.Reason != c.reason || c.block[h.Size:] != c.body || h.Interim != c.interim || h.Cut != c.cut {
			t.Errorf("%s: %+v, body %q", c.name, h, c.block[h.Size:])
		}
	}
	h, err := ParseHTTPHead([]byte("POST /a?b c HTTP/1.1\r\nHOST: x\r\nX-A:  1 \r\n 2\r\nx-a: 3\r\nbroken\r\n\r\n"))
	if err != nil || h.Method != "POST" || h.Target != "/a?b c" || h.Proto != "HTTP/1.1" {
		t.Fatalf("request: %+v, %v", h, err)
	}
	if got := h.Header.Values("X-A"); len(got) != 2 || got[0] != "1 2" || got[1] != "3" || h.Header[0].Name != "HOST" {
		t.Errorf("fields %q", h.Header)
	}
	for _, b := range []string{"", "<html>", "\r\n", "WARC/1.1\r\n", "software: x\r\n\r\n", "\x89PNG\r\n"} {
		if _, err := ParseHTTPHead([]byte(b)); !errors.Is(err, ErrNotHTTP) {
			t.Errorf("%q: error %v, want ErrNotHTTP", b, err)
		}
	}
}

func TestPayload(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
		framing          Framing
	}{
		{"whole", "5\r\nhello\r\n6;a=\"b;c\"\r\n world\r\n0\r\n\r\n", "hello world", FramingWhole},
		{"trailers", "5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", "hello", FramingWhole},
		{"blanks and leading zeros", "0005  \r\nhello\r\n000\r\n\r\n", "hello", FramingWhole},
		{"LF alone", "5\nhello\n0\n\n", "hello", FramingWhole},
		{"last line end missing", "5\r\nhello\r\n0\r\n", "hello", FramingWhole},
		{"framing removed", "hello world", "hello world", FramingRemoved},
		{"framing removed, begins like a size", "add more", "add more", FramingRemoved},
		{"framing removed, one short word of hex digits", "fade", "fade", FramingRemoved},
		{"cut within a chunk", "5\r\nhello\r\n9\r\n wor", "hello wor", FramingCut},
		{"cut after a chunk", "5\r\nhello\r\n", "hello", FramingCut},
		{"cut within a size", "5\r\nhello\r\n1", "hello", FramingCut},
		{"bad size", "5\r\nhello\r\nxyz\r\nmore\r\n0\r\n\r\n", "hello", FramingBad},
		{"chunk longer than its size", "5\r\nhello!\r\n0\r\n\r\n", "hello", FramingBad},
		{"huge size", "5\r\nhello\r\nffffffffffffffffff\r\nx", "hello", FramingBad},
		{"bytes after the end", "5\r\nhello\r\n0\r\n\r\nmore", "hello", FramingExcess},
		{"empty", "0\r\n\r\n", "", FramingWhole},
	} {
		for _, slow := range []bool{false, true} {
			var r io.Reader = strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" + c.body)
			if slow {
				r = iotest.OneByteReader(r)
			}
			m, err := ReadHTTP(r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(m.Payload())
			if err != nil || string(got) != c.want || m.Framing() != c.framing {
				t.Errorf("%s: %q, %q, %v; want %q, %q", c.name, got, m.Framing(), err, c.want, c.framing)
			}
		}
		// The writer's digest sees the same.
		var pushed bytes.Buffer
		d := newDechunker(&pushed)
		for _, b := range []byte(c.body) {
			d.Write([]byte{b})
		}
		if d.unframed() != (c.framing == FramingRemoved) {
			t.Errorf("%s: unframed is %v", c.name, d.unframed())
		}
		if !d.unframed() && pushed.String() != c.want {
			t.Errorf("%s: pushed %q, want %q", c.name, pushed.String(), c.want)
		}
	}
}

func TestDecoded(t *testing.T) {
	const text = "hello hello hello hello"
	pack := func(coding string) string {
		var b bytes.Buffer
		var w io.WriteCloser
		switch coding {
		case "gzip", "x-gzip":
			w = gzip.NewWriter(&b)
		case "br":
			w = brotli.NewWriter(&b)
		case "zstd":
			w, _ = zstd.NewWriter(&b)
		}
		io.WriteString(w, text)
		w.Close()
		return b.String()
	}
	for _, c := range []struct{ coding, body string }{
		{"gzip", pack("gzip")},
		{"x-gzip", pack("gzip")},
		{"br", pack("br")},
		{"zstd", pack("zstd")},
		{"deflate", "\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01\x68\x03\x08\xb1"}, // zlib of the text
		{"deflate", "\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01"},                         // the same, bare
		{"identity", text},
		{"gzip", text}, // named but not applied
		{"zstd", text},
	} {
		m, err := ReadHTTP(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Encoding: " + c.coding + "\r\n\r\n" + c.body))
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.Decoded(0)
		if err != nil {
			t.Errorf("%s: %v", c.coding, err)
			continue
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", c.coding, got, err)
		}
		r.Close()
	}
	for limit, want := range map[int64]error{int64(len(text)): nil, int64(len(text)) - 1: ErrTooLarge} {
		m, _ := ReadHTTP(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + pack("gzip")))
		r, err := m.Decoded(limit)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != want || int64(len(got)) != limit {
			t.Errorf("limit %d: %d bytes, %v; want %v", limit, len(got), err, want)
		}
	}
}

// What is unpacked in memory as a whole, and what is not because it is large,
// cut, of several members or damaged, gives the same bytes and failure.
func TestDecodedWholeOrStreamed(t *testing.T) {
	pack := func(b []byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		if _, err := z.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	text := bytes.Repeat([]byte("the ferry leaves at nine "), 4000)
	noise := make([]byte, wholePacked+1000)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	small := pack(text)
	flipped := bytes.Clone(small)
	flipped[len(flipped)-6] ^= 1
	for name, test := range map[string]struct {
		body, want []byte
		fails      bool
	}{
		"small":                        {small, text, false},
		"empty":                        {pack(nil), nil, false},
		"two members":                  {append(bytes.Clone(small), small...), append(bytes.Clone(text), text...), false},
		"large":                        {pack(noise), noise, false},
		"unpacks to more than is held": {pack(make([]byte, wholeDecoded+1)), make([]byte, wholeDecoded+1), false},
		"cut":                          {small[:len(small)/2], nil, true},
		"wrong sum":                    {flipped, nil, true},
	} {
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(test.body))
		m, err := ReadHTTP(io.MultiReader(strings.NewReader(head), bytes.NewReader(test.body)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d, err := m.Decoded(0)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := io.ReadAll(d)
		if (err != nil) != test.fails {
			t.Errorf("%s: %v", name, err)
		}
		if !test.fails && !bytes.Equal(got, test.want) {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(test.want))
		}
	}
}
