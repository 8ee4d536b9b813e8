package capture

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
)

// splitAll runs a splitter over data in pieces of n bytes.
func splitAll(data []byte, method string, n int) (*splitter, []byte) {
	var payload []byte
	s := &splitter{method: method, payload: func(p []byte, at int64) {
		if !bytes.Equal(p, data[at:at+int64(len(p))]) {
			panic("payload is not at its offset")
		}
		payload = append(payload, p...)
	}}
	for rest := data; len(rest) > 0 && !s.ended() && !s.broken(); {
		m := min(n, len(rest))
		used := s.write(rest[:m])
		if used < m && !s.ended() && !s.broken() {
			panic("bytes left over inside a message")
		}
		rest = rest[m:]
	}
	s.eof()
	return s, payload
}

// readLikeNetHTTP reads one response as http.Transport does. used is how much
// of data that took.
func readLikeNetHTTP(data []byte, method string) (status int, payload []byte, used int, err error) {
	src := bytes.NewReader(data)
	br := bufio.NewReaderSize(src, 16<<10)
	for {
		r, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			return 0, nil, 0, err
		}
		if r.StatusCode >= 100 && r.StatusCode <= 199 && r.StatusCode != 101 {
			continue
		}
		payload, err = io.ReadAll(r.Body)
		return r.StatusCode, payload, len(data) - src.Len() - br.Buffered(), err
	}
}

func FuzzSplit(f *testing.F) {
	for _, c := range wireCases {
		f.Add([]byte(c.send), c.method == "HEAD", uint8(7))
	}
	f.Add([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc"), false, uint8(1))
	f.Add([]byte("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabcd"), false, uint8(3))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\nmore"), false, uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, head bool, piece uint8) {
		method := "GET"
		if head {
			method = "HEAD"
		}
		s, payload := splitAll(data, method, len(data)+1)
		in, inPayload := splitAll(data, method, int(piece)+1)
		if s.state != in.state || !s.broken() && (s.off != in.off || !bytes.Equal(payload, inPayload)) || s.interim != in.interim || s.head != in.head || s.status != in.status {
			t.Fatalf("in pieces of %d: %+v\nas a whole: %+v", int(piece)+1, in, s)
		}
		if s.off > int64(len(data)) || s.head > s.off && !s.broken() || s.interim > s.off {
			t.Fatalf("offsets out of order: %+v", s)
		}
		status, want, used, err := readLikeNetHTTP(data, method)
		if err != nil {
			return // the splitter may see further
		}
		if !s.ended() || s.status != status || !bytes.Equal(payload, want) {
			t.Fatalf("net/http reads status %d and %q, the splitter %d and %q (state %d)", status, want, s.status, payload, s.state)
		}
		if int64(used) != s.off {
			t.Fatalf("net/http ends at %d, the splitter at %d", used, s.off)
		}
	})
}

// FuzzRequestSplit checks that requests, which net/http writes for us, are
// followed without trouble whatever they look like.
func FuzzRequestSplit(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTrailer: b\r\n\r\nabc"), uint8(2))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		s := splitter{request: true}
		for rest := data; len(rest) > 0 && !s.ended() && !s.broken(); {
			m := min(int(piece)+1, len(rest))
			s.write(rest[:m])
			rest = rest[m:]
		}
		if s.off > int64(len(data)) {
			t.Fatal("more consumed than there is")
		}
	})
}
