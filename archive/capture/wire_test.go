package capture

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/refrain-archive/refrain/post"
)

// wireCases are answers as servers send them. The record must hold send.
var wireCases = []struct {
	name      string
	method    string // "" is GET
	post      string // request body
	send      string
	close     bool         // the server closes after it
	body      string       // as the caller reads it
	payload   string       // de-chunked, coded; body if empty and not bare
	bare      bool         // payload is empty
	truncated string       // WARC-Truncated
	outcome   post.Outcome // of the error
	interim   int
	excess    int
}{
	{name: "odd header case and double blanks", send: "HTTP/1.1 200  Fine\r\ncOnTeNt-LeNgTh:  2 \r\nX-odd:\t a  b \r\n\r\nok", body: "ok"},
	{name: "duplicate headers", send: "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
	{name: "duplicate equal lengths", send: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
	{name: "no reason phrase", send: "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
	{name: "header lines that end in LF", send: "HTTP/1.1 200 OK\nContent-Length: 2\nX: y\n\nok", body: "ok"},
	{name: "folded header", send: "HTTP/1.1 200 OK\r\nX-Long: a\r\n  b\r\n\tc\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
	{name: "bytes that are not UTF-8 in a header", send: "HTTP/1.1 200 OK\r\nX: \xff\xfe\xe9\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
	{name: "chunked", send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunkedBody("hel", "lo"), body: "hello"},
	{name: "chunk extensions and upper case sizes", send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n00B;name=\"v;\";x\r\nhello world\r\n0A;y \t\r\n0123456789\r\n000;last\r\n\r\n", body: "hello world0123456789"},
	{name: "trailers", send: "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-more:  2\r\n\r\n", body: "hello"},
	{name: "chunked with a length", send: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n" + chunkedBody("hello"), body: "hello"},
	{name: "chunked and empty", send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", bare: true},
	{name: "gzip", send: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + fmt.Sprint(len(gzipped("hello"))) + "\r\n\r\n" + gzipped("hello"), body: "hello", payload: gzipped("hello")},
	{name: "gzip in chunks", send: "HTTP/1.1 200 OK\r\ncontent-encoding: GZIP\r\nTransfer-Encoding: chunked\r\n\r\n" + chunkedBody(gzipped("hello")[:7], gzipped("hello")[7:]), body: "hello", payload: gzipped("hello")},
	{name: "gzip of two members and rubbish", send: plainCoded(gzipped("hel") + gzipped("lo") + "\x00\x00"), body: "hello", payload: gzipped("hel") + gzipped("lo") + "\x00\x00"},
	{name: "gzip that is none", send: plainCoded("hello, this is not gzip"), payload: "hello, this is not gzip", outcome: post.ServerError},
	{name: "gzip cut inside", send: plainCoded(gzipped("hello")[:15]), body: "hell", payload: gzipped("hello")[:15], outcome: post.CutBody},
	{name: "coding that is not known", send: "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
	{name: "early hints", send: "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok", interim: 44},
	{name: "several interim answers", send: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + plain("ok"), body: "ok", interim: 25 + 27 + 39},
	{name: "redirect", send: "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 4\r\n\r\nmove", body: "move"},
	{name: "204", send: "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", bare: true},
	{name: "204 with a body", send: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", bare: true, excess: 5},
	{name: "204 with a body that is not announced", send: "HTTP/1.1 204 No Content\r\n\r\nhello", bare: true, excess: 5},
	{name: "304 with a body", send: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", bare: true, excess: 5},
	{name: "304", send: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\n", bare: true},
	{name: "HEAD", method: "HEAD", send: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\n", bare: true},
	{name: "HEAD with a body", method: "HEAD", send: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", bare: true, excess: 5},
	{name: "bytes after the end", send: plain("ok") + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", body: "ok", excess: 42},
	{name: "bytes after the last chunk", send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunkedBody("ok") + "evil", body: "ok", excess: 4},
	{name: "HTTP/1.0 to the end of the connection", send: "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello", close: true, body: "hello"},
	{name: "HTTP/1.1 to the end of the connection", send: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", close: true, body: "hello"},
	{name: "empty body to the end of the connection", send: "HTTP/1.1 200 OK\r\n\r\n", close: true, bare: true},
	{name: "HTTP/1.0 with keep-alive", send: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
	{name: "body cut short", send: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", close: true, body: "hello", truncated: "disconnect", outcome: post.CutBody},
	{name: "chunk cut short", send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello", close: true, body: "hello", truncated: "disconnect", outcome: post.CutBody},
	{name: "last chunk missing", send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", close: true, body: "hello", truncated: "disconnect", outcome: post.CutBody},
	{name: "head cut short", send: "HTTP/1.1 200 OK\r\nContent-Len", close: true, bare: true, truncated: "disconnect", outcome: post.CutBody},
	{name: "only an interim answer", send: "HTTP/1.1 103 Early Hints\r\n\r\n", close: true, bare: true, interim: 28, truncated: "disconnect", outcome: post.CutBody},
	{name: "header line without colon", send: "HTTP/1.1 200 OK\r\nthis is no header\r\nContent-Length: 2\r\n\r\nok", close: true, bare: true, outcome: post.ServerError},
	{name: "lengths that differ", send: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokay", close: true, bare: true, outcome: post.ServerError},
	{name: "not HTTP", send: "SSH-2.0-OpenSSH_9.9\r\nwhatever\r\n\r\nand more", close: true, bare: true, outcome: post.ServerError},
	{name: "chunk size that is none", send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nworld\r\n0\r\n\r\n", close: true, body: "hello", outcome: post.ServerError},
	{name: "request body", method: "POST", post: "a=1&b=2", send: plain("ok"), body: "ok"},
	{name: "status 500 with a body", send: "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops", body: "oops"},
	{name: "status 999", send: "HTTP/1.1 999 Request denied\r\nContent-Length: 4\r\n\r\noops", body: "oops"},
}

func plainCoded(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// checkCase runs case i against s and compares what was sent with the record.
func checkCase(t testing.TB, tr *Transport, m *memory, s *rawServer, i int) {
	t.Helper()
	c := wireCases[i]
	fatal := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("%s: %s", c.name, fmt.Sprintf(format, args...))
	}
	method := c.method
	if method == "" {
		method = "GET"
	}
	var body io.Reader
	if c.post != "" {
		body = strings.NewReader(c.post)
	}
	got := get(t, tr, newRequest(t, method, s.url(fmt.Sprintf("/%d", i)), body))
	if o, _ := OutcomeOf(got.err); o != c.outcome || (got.err != nil) != (c.outcome != "") {
		fatal("error %v is %q, want %q", got.err, o, c.outcome)
	}
	if got.body != c.body {
		fatal("body %q, want %q", got.body, c.body)
	}
	ex := m.one(t)
	if string(ex.response) != c.send {
		fatal("recorded\n%q\nwant\n%q", ex.response, c.send)
	}
	sent := s.sent()
	if len(sent) != 1 || !bytes.Equal(ex.request, sent[0]) {
		fatal("recorded request\n%q\nthe server got\n%q", ex.request, sent)
	}
	payload := c.payload
	if payload == "" && !c.bare {
		payload = c.body
	}
	switch {
	case ex.URL != s.url(fmt.Sprintf("/%d", i)) || ex.Method != method:
		fatal("recorded as %s %s", ex.Method, ex.URL)
	case ex.Truncated != c.truncated || got.result.Truncated != c.truncated:
		fatal("truncated %q (result %q), want %q", ex.Truncated, got.result.Truncated, c.truncated)
	case ex.Outcome != c.outcome:
		fatal("recorded outcome %q, want %q", ex.Outcome, c.outcome)
	case ex.RequestTruncated != "":
		fatal("the request is truncated: %s", ex.RequestTruncated)
	case ex.Response.SHA256 != sha256.Sum256([]byte(c.send)):
		fatal("wrong block digest")
	case ex.Response.FinalSHA256 != sha256.Sum256([]byte(c.send[c.interim:])):
		fatal("wrong digest of the final response")
	case ex.Response.Interim != int64(c.interim), ex.Response.Excess != int64(c.excess):
		fatal("interim %d, excess %d", ex.Response.Interim, ex.Response.Excess)
	case ex.Response.PayloadSHA256 != sha256.Sum256([]byte(payload)) || ex.Response.PayloadSize != int64(len(payload)):
		fatal("payload of %d bytes, want %q", ex.Response.PayloadSize, payload)
	case ex.Request.SHA256 != sha256.Sum256(ex.request), ex.Request.PayloadSHA256 != sha256.Sum256([]byte(c.post)):
		fatal("wrong digests of the request")
	case got.result.WireSize != int64(len(c.send)) || got.result.Capture.RecordID == "" || got.result.Err != nil:
		fatal("result %+v", got.result)
	case ex.RemoteIP != "127.0.0.1":
		fatal("remote address %q", ex.RemoteIP)
	case ex.Started.After(ex.Ended) || ex.Started.IsZero():
		fatal("started %v, ended %v", ex.Started, ex.Ended)
	}
	secure := strings.HasPrefix(ex.URL, "https:")
	if secure != (ex.CipherSuite == "TLS_AES_128_GCM_SHA256") || secure != (len(ex.Protocols) == 2 && ex.Protocols[1] == "tls/1.3") {
		fatal("protocols %v, cipher suite %q", ex.Protocols, ex.CipherSuite)
	}
	if ex.Status != 0 && ex.Response.Head == int64(c.interim) {
		fatal("head ends at %d", ex.Response.Head)
	}
}

func wirePlan(split func(send string) []int) func(r *http.Request) script {
	return func(r *http.Request) script {
		var i int
		fmt.Sscanf(r.URL.Path, "/%d", &i)
		do := script{send: wireCases[i].send, close: wireCases[i].close}
		if split != nil && wireCases[i].excess == 0 {
			do.split = split(do.send)
		}
		return do
	}
}

func TestWire(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s := serve(t, secure, wirePlan(nil))
		for i := range wireCases {
			t.Run(fmt.Sprintf("tls=%v/%s", secure, wireCases[i].name), func(t *testing.T) {
				tr, m := setup(t, Options{})
				checkCase(t, tr, m, s, i)
			})
		}
	}
}

// TestKeepAlive runs all cases in random order over shared connections.
func TestKeepAlive(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			s := serve(t, secure, wirePlan(nil))
			tr, m := setup(t, Options{})
			r := rand.New(rand.NewSource(1))
			for range 4 {
				for _, i := range r.Perm(len(wireCases)) {
					checkCase(t, tr, m, s, i)
				}
			}
			clean := 0
			for _, c := range wireCases {
				if !c.close && c.excess == 0 && !strings.Contains(c.send, "Connection: close") {
					clean++
				}
			}
			if limit, n := 4*(len(wireCases)-clean+1), s.connections(); n > limit {
				t.Errorf("%d connections for %d requests, %d of them on connections to keep: want at most %d", n, 4*len(wireCases), 4*clean, limit)
			}
		})
	}
}

// TestChunkings sends the answers cut in random places.
func TestChunkings(t *testing.T) {
	var cuts []int
	s := serve(t, false, wirePlan(func(string) []int { return cuts }))
	tr, m := setup(t, Options{})
	rapid.Check(t, func(r *rapid.T) {
		i := rapid.IntRange(0, len(wireCases)-1).Draw(r, "case")
		cuts = rapid.SliceOfN(rapid.IntRange(1, 20), 0, 20).Draw(r, "cuts")
		checkCase(t, tr, m, s, i)
	})
}

// TestBig sends bodies around the size at which they are spooled.
func TestBig(t *testing.T) {
	sizes := []int{chunkSize - 1, chunkSize, SpoolAbove - 100, SpoolAbove, SpoolAbove + 1, 3*SpoolAbove + 12345}
	body := make([]byte, sizes[len(sizes)-1])
	rand.New(rand.NewSource(2)).Read(body)
	s := serve(t, true, func(r *http.Request) script {
		var i int
		fmt.Sscanf(r.URL.Path, "/%d", &i)
		b := string(body[:sizes[i]])
		if r.URL.RawQuery == "chunked" {
			return script{send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunkedBody(b[:1000], b[1000:])}
		}
		return script{send: plain(b)}
	})
	tr, m := setup(t, Options{})
	for i, size := range sizes {
		for _, query := range []string{"", "?chunked"} {
			got := get(t, tr, newRequest(t, "POST", s.url(fmt.Sprintf("/%d%s", i, query)), bytes.NewReader(body[:size])))
			ex := m.one(t)
			if got.err != nil || got.body != string(body[:size]) {
				t.Fatalf("%d bytes: got %d bytes, %v", size, len(got.body), got.err)
			}
			if ex.Response.PayloadSHA256 != sha256.Sum256(body[:size]) || ex.Response.SHA256 != sha256.Sum256(ex.response) {
				t.Errorf("%d bytes: wrong digests", size)
			}
			if !bytes.HasSuffix(ex.request, body[:size]) || ex.Request.PayloadSHA256 != sha256.Sum256(body[:size]) || !bytes.Equal(s.sent()[0], ex.request) {
				t.Errorf("%d bytes: wrong request", size)
			}
		}
	}
}
