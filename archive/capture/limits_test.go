package capture

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

func TestGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	z, _ := gzip.NewWriterLevel(&bomb, gzip.BestCompression)
	z.Write(make([]byte, 64<<20))
	z.Close()
	s := serve(t, false, func(*http.Request) script { return script{send: plainCoded(bomb.String())} })
	tr, m := setup(t, Options{MaxDecoded: 1 << 20})
	for range 2 {
		got := get(t, tr, newRequest(t, "GET", s.url("/"), nil))
		wantOutcome(t, got.err, post.TooLarge)
		if len(got.body) != 1<<20 {
			t.Errorf("%d bytes decoded, want the limit", len(got.body))
		}
		ex := m.one(t)
		if string(ex.response) != plainCoded(bomb.String()) || ex.Truncated != "" || ex.Outcome != post.TooLarge {
			t.Errorf("recorded %d bytes, truncated %q, outcome %q", len(ex.response), ex.Truncated, ex.Outcome)
		}
	}
	if n := s.connections(); n != 1 {
		t.Errorf("%d connections: the rest of a bomb was not read", n)
	}
	tr, _ = setup(t, Options{MaxDecoded: 64 << 20})
	if got := get(t, tr, newRequest(t, "GET", s.url("/"), nil)); got.err != nil || len(got.body) != 64<<20 {
		t.Errorf("a body of the limit's size: %d bytes, %v", len(got.body), got.err)
	}
}

// TestEndless asks for 10 GB and keeps what the limit allows.
func TestEndless(t *testing.T) {
	piece := bytes.Repeat([]byte("x"), 64<<10)
	for _, head := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2540be400\r\n",
		"HTTP/1.1 200 OK\r\nX: ", // a head without end
	} {
		s := serve(t, false, func(*http.Request) script {
			return script{then: func(c net.Conn) {
				io.WriteString(c, head)
				for n := 0; n < 10e9; n += len(piece) {
					if _, err := c.Write(piece); err != nil {
						return
					}
				}
			}}
		})
		keep := &sizes{}
		tr, _ := setup(t, Options{Recorder: keep, MaxWire: 8 << 20})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ctx, f := fetchctx.New(context.Background())
		resp, err := tr.RoundTrip(newRequest(t, "GET", s.url("/"), nil).WithContext(ctx))
		var n int64
		if err == nil {
			n, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		runtime.ReadMemStats(&after)
		wantOutcome(t, err, post.TooLarge)
		want := int64(8 << 20)
		if strings.HasSuffix(head, "X: ") {
			if keep.size < maxHead || keep.size > maxHead+64<<10 {
				t.Errorf("recorded %d bytes of a head", keep.size)
			}
		} else if keep.size != want || n >= want || n < want-100 {
			t.Errorf("recorded %d bytes, read %d, want %d", keep.size, n, want)
		}
		if keep.truncated != "length" || f.Result().Truncated != "length" {
			t.Errorf("truncated %q", keep.truncated)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 12<<20 {
			t.Errorf("%d bytes allocated", grown)
		}
		s.stop()
	}
}

// sizes is a Recorder that keeps sizes only.
type sizes struct {
	size      int64
	truncated string
}

func (s *sizes) Record(_ context.Context, ex *Exchange) (post.Capture, error) {
	s.size, s.truncated = ex.Response.Size, ex.Truncated
	return post.Capture{}, nil
}

// TestMaxWireExact allows a response that is just as long as the limit.
func TestMaxWireExact(t *testing.T) {
	send := plain("hello")
	s := serve(t, false, func(*http.Request) script { return script{send: send} })
	tr, m := setup(t, Options{MaxWire: int64(len(send))})
	if got := get(t, tr, newRequest(t, "GET", s.url("/"), nil)); got.err != nil || got.body != "hello" || m.one(t).Truncated != "" {
		t.Errorf("body %q, %v", got.body, got.err)
	}
	more := serve(t, false, func(*http.Request) script { return script{send: send + "more"} })
	if got := get(t, tr, newRequest(t, "GET", more.url("/"), nil)); got.err != nil || got.body != "hello" {
		t.Errorf("body %q, %v", got.body, got.err)
	}
	if ex := m.one(t); string(ex.response) != send || ex.Truncated != "length" {
		t.Errorf("recorded %q, truncated %q", ex.response, ex.Truncated)
	}
	tr, m = setup(t, Options{MaxWire: int64(len(send)) - 1})
	got := get(t, tr, newRequest(t, "GET", s.url("/"), nil))
	wantOutcome(t, got.err, post.TooLarge)
	if ex := m.one(t); got.body != "hell" || string(ex.response) != send[:len(send)-1] || ex.Truncated != "length" {
		t.Errorf("body %q, recorded %q", got.body, ex.response)
	}
}

// hang sends text and then nothing, until the client goes away.
func hang(text string) script {
	return script{then: func(c net.Conn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	}}
}

func TestTimeLimits(t *testing.T) {
	const short = 60 * time.Millisecond
	for _, test := range []struct {
		name string
		o    Options
		send string
	}{
		{"header", Options{HeaderTimeout: short}, ""},
		{"header that drips", Options{HeaderTimeout: short}, "HTTP/1.1 200 OK\r\nX"},
		{"idle", Options{IdleTimeout: short}, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"},
		{"total, waiting", Options{TotalTimeout: short}, ""},
		{"total, in the body", Options{TotalTimeout: short}, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, false, func(*http.Request) script { return hang(test.send) })
			tr, m := setup(t, test.o)
			got := get(t, tr, newRequest(t, "GET", s.url("/"), nil))
			wantOutcome(t, got.err, post.Timeout)
			ex := m.one(t)
			want := "time"
			if test.send == "" {
				want = ""
			}
			if string(ex.response) != test.send || ex.Truncated != want || ex.Outcome != post.Timeout || len(ex.request) == 0 {
				t.Errorf("recorded %q, truncated %q, outcome %q", ex.response, ex.Truncated, ex.Outcome)
			}
		})
	}
	t.Run("handshake", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // nobody accepts: the connection is made, and silent
		tr, m := setup(t, Options{DialTimeout: short})
		got := get(t, tr, newRequest(t, "GET", "https://"+l.Addr().String()+"/", nil))
		wantOutcome(t, got.err, post.Timeout)
		if ex := m.one(t); ex.Outcome != post.Timeout || ex.Request.Size != 0 {
			t.Errorf("recorded %+v", ex.Exchange)
		}
	})
	t.Run("deadline of the caller", func(t *testing.T) {
		s := serve(t, false, func(*http.Request) script { return hang("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello") })
		tr, m := setup(t, Options{})
		ctx, cancel := context.WithTimeout(context.Background(), short)
		defer cancel()
		got := get(t, tr, newRequest(t, "GET", s.url("/"), nil).WithContext(ctx))
		wantOutcome(t, got.err, post.Timeout)
		if ex := m.one(t); ex.Truncated != "time" || !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("truncated %q, %v", ex.Truncated, got.err)
		}
	})
}

func TestCancel(t *testing.T) {
	const send = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
	s := serve(t, true, func(*http.Request) script { return hang(send) })
	tr, m := setup(t, Options{})

	ctx, cancel := context.WithCancel(context.Background())
	ctx, f := fetchctx.New(ctx)
	resp, err := tr.RoundTrip(newRequest(t, "GET", s.url("/"), nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	cancel()
	_, err = io.ReadAll(resp.Body)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was cancelled", err)
	}
	wantOutcome(t, err, "")
	ex := m.one(t)
	if string(ex.response) != send || ex.Truncated != "disconnect" || f.Result().Capture.RecordID == "" {
		t.Errorf("recorded %q, truncated %q, result %+v", ex.response, ex.Truncated, f.Result())
	}
	if err := resp.Body.Close(); err != nil || len(m.take()) > 0 {
		t.Errorf("Close after the end: %v", err)
	}

	// With a cause of the caller's own.
	ctx, cancelCause := context.WithCancelCause(context.Background())
	resp, err = tr.RoundTrip(newRequest(t, "GET", s.url("/"), nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	cancelCause(errors.New("the user pressed Ctrl-C"))
	if _, err = io.ReadAll(resp.Body); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "Ctrl-C") {
		t.Errorf("error %v", err)
	}
	m.one(t)

	// Cancelled while nobody reads: Close makes the record.
	ctx, cancel = context.WithCancel(context.Background())
	resp, err = tr.RoundTrip(newRequest(t, "GET", s.url("/"), nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	resp.Body.Close()
	if ex := m.one(t); !strings.HasPrefix(send, string(ex.response)) || ex.Truncated == "" {
		t.Errorf("recorded %q, truncated %q", ex.response, ex.Truncated)
	}

	// Cancelled before anything was sent.
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	got := get(t, tr, newRequest(t, "GET", s.url("/"), nil).WithContext(ctx))
	if !errors.Is(got.err, context.Canceled) || len(m.take()) > 0 {
		t.Errorf("error %v", got.err)
	}
}

func TestEarlyClose(t *testing.T) {
	long := plain(strings.Repeat("x", 1<<20))
	s := serve(t, false, func(r *http.Request) script {
		if r.URL.Path == "/short" {
			return script{send: plain("hello")}
		}
		return script{send: long}
	})
	tr, m := setup(t, Options{})
	resp, err := tr.RoundTrip(newRequest(t, "GET", s.url("/"), nil))
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, 10))
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	ex := m.one(t)
	if ex.Truncated != "length" || ex.Outcome != "" || len(ex.response) < 50 || !strings.HasPrefix(long, string(ex.response)) {
		t.Errorf("recorded %d bytes, truncated %q, outcome %q", len(ex.response), ex.Truncated, ex.Outcome)
	}
	if _, err := resp.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("Read after Close: %v", err)
	}

	// All had arrived: the record is whole, and the connection used again.
	for range 2 {
		resp, err := tr.RoundTrip(newRequest(t, "GET", s.url("/short"), nil))
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(resp.Body, make([]byte, 2))
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if ex := m.one(t); string(ex.response) != plain("hello") || ex.Truncated != "" {
			t.Errorf("recorded %q, truncated %q", ex.response, ex.Truncated)
		}
	}
	if n := s.connections(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}

	// Closed while another goroutine reads.
	hanging := serve(t, false, func(*http.Request) script { return hang("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello") })
	resp, err = tr.RoundTrip(newRequest(t, "GET", hanging.url("/"), nil))
	if err != nil {
		t.Fatal(err)
	}
	first, done := make(chan bool), make(chan error)
	go func() {
		_, err := io.ReadFull(resp.Body, make([]byte, 5))
		close(first)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
		}
		done <- err
	}()
	<-first
	resp.Body.Close()
	if err := <-done; err == nil {
		t.Error("Read ended well although the body was closed")
	}
	if ex := m.one(t); ex.Truncated == "" {
		t.Error("the record is not truncated")
	}
}

// TestStale lets the server close kept connections when the next request comes.
func TestStale(t *testing.T) {
	seen := map[string]int{}
	s := serve(t, false, func(r *http.Request) script {
		key := r.Method + r.URL.Path
		if seen[key]++; r.URL.Path == "/stale" && seen[key] == 1 || r.URL.Path == "/cut" && seen[key] == 1 {
			if r.URL.Path == "/cut" {
				return script{send: "HTTP/1.1 200 OK\r\nContent-Le", close: true}
			}
			return script{close: true}
		}
		return script{send: plain(r.URL.Path)}
	})
	tr, m := setup(t, Options{})
	warm := func() {
		t.Helper()
		if got := get(t, tr, newRequest(t, "GET", s.url("/warm"), nil)); got.err != nil {
			t.Fatal(got.err)
		}
		m.one(t)
	}

	warm()
	got := get(t, tr, newRequest(t, "GET", s.url("/stale"), nil))
	ex := m.one(t)
	if got.err != nil || got.body != "/stale" || string(ex.response) != plain("/stale") || ex.field("silent-attempts") != "1" {
		t.Errorf("body %q, %v; recorded %q, fields %v", got.body, got.err, ex.response, ex.Fields)
	}
	if !bytes.HasPrefix(ex.request, []byte("GET /stale ")) || bytes.Count(ex.request, []byte("GET ")) != 1 {
		t.Errorf("request %q", ex.request)
	}

	// A POST is not repeated; that it was sent is recorded.
	warm()
	s.sent()
	got = get(t, tr, newRequest(t, "POST", s.url("/stale"), strings.NewReader("a=1")))
	wantOutcome(t, got.err, post.ConnectError)
	ex = m.one(t)
	if ex.Response.Size != 0 || ex.Outcome != post.ConnectError || !bytes.Equal(ex.request, s.sent()[0]) {
		t.Errorf("recorded %q, outcome %q", ex.request, ex.Outcome)
	}

	// An attempt that got bytes is an exchange, and is not repeated.
	warm()
	got = get(t, tr, newRequest(t, "GET", s.url("/cut"), nil))
	wantOutcome(t, got.err, post.CutBody)
	if ex = m.one(t); string(ex.response) != "HTTP/1.1 200 OK\r\nContent-Le" || ex.Truncated != "disconnect" {
		t.Errorf("recorded %q", ex.response)
	}
}

// TestStray sends bytes on an idle connection: they must answer no request.
func TestStray(t *testing.T) {
	evil := make(chan bool)
	first := true
	s := serve(t, false, func(r *http.Request) script {
		if !first {
			return script{send: plain("good")}
		}
		first = false
		return script{then: func(c net.Conn) {
			io.WriteString(c, plain("first"))
			<-evil
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
			io.Copy(io.Discard, c)
		}}
	})
	strays := make(chan string, 1)
	tr, m := setup(t, Options{Stray: func(remote string, p []byte) { strays <- string(p) }})
	if got := get(t, tr, newRequest(t, "GET", s.url("/"), nil)); got.body != "first" {
		t.Fatal(got)
	}
	evil <- true
	if p := <-strays; !strings.HasSuffix(p, "evil") {
		t.Errorf("stray bytes %q", p)
	}
	got := get(t, tr, newRequest(t, "GET", s.url("/"), nil))
	if got.body != "good" || got.err != nil {
		t.Errorf("body %q, %v", got.body, got.err)
	}
	for _, ex := range m.take() {
		if bytes.Contains(ex.response, []byte("evil")) {
			t.Errorf("recorded %q", ex.response)
		}
	}
}

// TestEarlyAnswer answers before the request is sent whole.
func TestEarlyAnswer(t *testing.T) {
	got := make(chan int64, 1)
	s := serve(t, false, func(r *http.Request) script {
		return script{early: true, then: func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
			n, _ := io.Copy(io.Discard, c)
			got <- n
		}}
	})
	tr, m := setup(t, Options{})
	body := endless{}
	req := newRequest(t, "POST", s.url("/"), body)
	req.ContentLength = 1 << 40
	a := get(t, tr, req)
	if a.status != 413 || a.body != "big" || a.err != nil {
		t.Fatalf("answer %+v", a)
	}
	n := <-got
	ex := m.one(t)
	if string(ex.response) != "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig" || ex.Truncated != "" || ex.RequestTruncated != "disconnect" {
		t.Errorf("recorded %q, request truncated %q", ex.response, ex.RequestTruncated)
	}
	// The server's reader took up to a buffer of it as the head's reader.
	if ex.Request.Size < n {
		t.Errorf("recorded %d bytes of the request, the server got more than %d", ex.Request.Size, n)
	}
	if rest := bytes.TrimLeft(ex.request[ex.Request.Head:], "x"); len(rest) > 0 {
		t.Errorf("the recorded request has %d strange bytes", len(rest))
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestExpect(t *testing.T) {
	for _, test := range []struct {
		name, first, second string
		body                bool
	}{
		{"continue", "HTTP/1.1 100 Continue\r\n\r\n", plain("ok"), true},
		{"refused", "", "HTTP/1.1 417 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, false, func(r *http.Request) script {
				return script{early: true, then: func(c net.Conn) {
					io.WriteString(c, test.first)
					if test.body {
						io.ReadFull(c, make([]byte, 5))
					}
					io.WriteString(c, test.second)
				}}
			})
			tr, m := setup(t, Options{})
			req := newRequest(t, "POST", s.url("/"), strings.NewReader("hello"))
			req.Header.Set("Expect", "100-continue")
			got := get(t, tr, req)
			ex := m.one(t)
			if got.err != nil || string(ex.response) != test.first+test.second {
				t.Errorf("recorded %q, %v", ex.response, got.err)
			}
			if bytes.HasSuffix(ex.request, []byte("\r\n\r\nhello")) != test.body || (ex.RequestTruncated == "") != test.body {
				t.Errorf("request %q, truncated %q", ex.request, ex.RequestTruncated)
			}
		})
	}
}

func TestNotRecorded(t *testing.T) {
	s := serve(t, false, func(*http.Request) script { return script{send: plain("hello")} })
	full := errors.New("no space left on device")
	tr, _ := setup(t, Options{Recorder: &memory{fail: full}})
	got := get(t, tr, newRequest(t, "GET", s.url("/"), nil))
	if !errors.Is(got.err, ErrNotRecorded) || !errors.Is(got.err, full) || got.result.Err == nil || got.result.Capture.RecordID != "" {
		t.Errorf("error %v, result %+v", got.err, got.result)
	}
	wantOutcome(t, got.err, "")

	// Closed without reading.
	resp, err := tr.RoundTrip(newRequest(t, "GET", s.url("/"), nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); !errors.Is(err, full) {
		t.Errorf("Close: %v", err)
	}

	// Nothing listens, and nothing can be recorded.
	dead := serve(t, false, nil)
	dead.stop()
	got = get(t, tr, newRequest(t, "GET", dead.url("/"), nil))
	if !errors.Is(got.err, ErrNotRecorded) || !strings.Contains(got.err.Error(), "refused") {
		t.Errorf("error %v", got.err)
	}

	// The spool cannot be written.
	big := serve(t, false, func(*http.Request) script { return script{send: plain(strings.Repeat("x", 2*SpoolAbove))} })
	tr, m := setup(t, Options{})
	tr.opt.SpoolDir = filepath.Join(t.TempDir(), "missing")
	got = get(t, tr, newRequest(t, "GET", big.url("/"), nil))
	if !errors.Is(got.err, ErrNotRecorded) || !strings.Contains(got.err.Error(), "missing") || len(m.take()) > 0 || got.result.Err == nil {
		t.Errorf("error %v, result %+v", got.err, got.result)
	}
}

// TestConcurrent shares one Transport: no byte may end in a foreign record.
func TestConcurrent(t *testing.T) {
	s := serve(t, true, func(r *http.Request) script {
		body := strings.Repeat(r.URL.Path+" ", 2000)
		switch {
		case strings.HasSuffix(r.URL.Path, "3"):
			return script{send: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunkedBody(body[:99], body[99:]), split: []int{100, 1000}}
		case strings.HasSuffix(r.URL.Path, "5"):
			return script{send: plain(body)[:500], close: true}
		case strings.HasSuffix(r.URL.Path, "7"):
			return script{send: plain(body) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", close: true}
		}
		return script{send: plain(body)}
	})
	tr, m := setup(t, Options{})
	done := make(chan bool)
	for g := range 8 {
		go func() {
			defer func() { done <- true }()
			for i := range 50 {
				path := fmt.Sprintf("/%d-%d", g, i)
				resp, err := tr.RoundTrip(newRequest(t, "GET", s.url(path), nil))
				if err != nil {
					t.Errorf("%s: %v", path, err)
					continue
				}
				if i%10 == 9 {
					io.CopyN(io.Discard, resp.Body, 10)
				} else if body, err := io.ReadAll(resp.Body); (err != nil) != strings.HasSuffix(path, "5") || !strings.HasPrefix(strings.Repeat(path+" ", 2000), string(body)) {
					t.Errorf("%s: %d bytes, %v", path, len(body), err)
				}
				resp.Body.Close()
			}
		}()
	}
	for range 8 {
		<-done
	}
	all := m.take()
	if len(all) != 8*50 {
		t.Errorf("%d exchanges", len(all))
	}
	for _, ex := range all {
		path := ex.URL[strings.LastIndexByte(ex.URL, '/'):]
		if !bytes.HasPrefix(ex.request, []byte("GET "+path+" HTTP/1.1\r\n")) || bytes.Count(ex.request, []byte("\r\n\r\n")) != 1 {
			t.Fatalf("%s: request %q", path, ex.request)
		}
		if !bytes.HasPrefix(ex.response, []byte("HTTP/1.1 200 OK\r\n")) || !bytes.Contains(ex.response, []byte(path+" ")) {
			t.Fatalf("%s: response %.100q", path, ex.response)
		}
	}
}

func TestMissingRecorder(t *testing.T) {
	_, err := New(Options{}).RoundTrip(newRequest(t, "GET", "http://plaza.example/", nil))
	if err == nil || !strings.Contains(err.Error(), "Options.Recorder") {
		t.Errorf("error %v", err)
	}
}
