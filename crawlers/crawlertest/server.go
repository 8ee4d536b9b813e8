package crawlertest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A Server is a platform on loopback that misbehaves where the test says so. It
// answers for every host name: Transport sends all of them to it.
//
// A test maps paths to handlers; the faults below are handlers, and most of
// them take the handler that answers once the fault is over.
type Server struct {
	HTTP *httptest.Server

	mu    sync.Mutex
	log   []Hit
	paths map[string]http.Handler
}

// A Hit is one request that arrived, in order of arrival.
type Hit struct {
	Method string
	Host   string
	Target string // the request line's target, byte for byte
	Header http.Header
}

// NewServer serves handlers, by path, until the test ends. Every other path
// answers 404 with a short JSON body.
func NewServer(t testing.TB, handlers map[string]http.Handler) *Server {
	t.Helper()
	s := &Server{paths: map[string]http.Handler{}}
	for path, h := range handlers {
		s.paths[path] = h
	}
	s.HTTP = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.HTTP.CloseClientConnections()
		s.HTTP.Close()
	})
	return s
}

// Handle adds or replaces the handler of a path.
func (s *Server) Handle(path string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[path] = h
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.log = append(s.log, Hit{Method: r.Method, Host: r.Host, Target: r.RequestURI, Header: r.Header.Clone()})
	h := s.paths[r.URL.Path]
	s.mu.Unlock()
	if h == nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"error":"not found"}`)
		return
	}
	h.ServeHTTP(w, r)
}

// Hits gives the requests so far.
func (s *Server) Hits() []Hit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Hit(nil), s.log...)
}

// Transport sends requests for any host to s over plain HTTP/1.1.
func (s *Server) Transport() *http.Transport {
	addr := s.HTTP.Listener.Addr().String()
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
		DisableCompression: true,
	}
}

// JSON answers 200 with body as JSON.
func JSON(body string) http.Handler { return Content("application/json", body) }

// Content answers 200 with body of a type.
func Content(contentType, body string) http.Handler {
	return Status(http.StatusOK, http.Header{"Content-Type": {contentType}}, body)
}

// Status answers with a status, header and body.
func Status(status int, header http.Header, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

// times answers with fault n times, then with then.
func times(n int, fault, then http.Handler) http.Handler {
	var served atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) <= int64(n) {
			fault.ServeHTTP(w, r)
			return
		}
		then.ServeHTTP(w, r)
	})
}

// RateLimited answers 429 with Retry-After n times, then with then.
func RateLimited(n int, retryAfter time.Duration, then http.Handler) http.Handler {
	header := http.Header{"Content-Type": {"text/plain"}, "Retry-After": {strconv.Itoa(int(retryAfter.Seconds()))}}
	return times(n, Status(http.StatusTooManyRequests, header, "Too Many Requests\n"), then)
}

// Unavailable answers 503 n times, then with then.
func Unavailable(n int, then http.Handler) http.Handler {
	return times(n, Status(http.StatusServiceUnavailable, http.Header{"Content-Type": {"text/html"}},
		"<html><head><title>503 Backend fetch failed</title></head><body>Guru Meditation</body></html>"), then)
}

// BlockPage answers 403 with a page that says the address is blocked.
func BlockPage() http.Handler {
	return Status(http.StatusForbidden, http.Header{"Content-Type": {"text/html; charset=UTF-8"}},
		"<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1></body></html>")
}

// ChallengePage is a page that makes a browser prove itself before the answer.
const ChallengePage = `<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title><meta name="robots" content="noindex,nofollow"></head>` +
	`<body><noscript>Enable JavaScript and cookies to continue</noscript><script>window._cf_chl_opt = {cvId: '3', cType: 'managed'};</script></body></html>`

// Challenge answers 403 with ChallengePage and Cloudflare's header.
func Challenge() http.Handler {
	return Status(http.StatusForbidden, http.Header{"Content-Type": {"text/html; charset=UTF-8"}, "Cf-Mitigated": {"challenge"}, "Server": {"cloudflare"}}, ChallengePage)
}

// LoginRedirect answers 302 to a login form.
func LoginRedirect() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/login/?next="+r.URL.Path)
		w.WriteHeader(http.StatusFound)
	})
}

// ConsentRedirect answers 302 to a consent host.
func ConsentRedirect() http.Handler {
	return Status(http.StatusFound, http.Header{"Location": {"https://consent.plaza.example/m?continue=%2F"}}, "")
}

// EndlessRedirect answers 302 to itself with a counter that grows, for ever.
func EndlessRedirect() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("hop"))
		w.Header().Set("Location", fmt.Sprintf("%s?hop=%d", r.URL.Path, n+1))
		w.WriteHeader(http.StatusFound)
	})
}

// Redirect answers with a status and a Location as it stands, valid or not.
func Redirect(status int, location string) http.Handler {
	return raw(fmt.Sprintf("HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", status, location), false)
}

// CutBody promises all of body, sends half of it, and hangs up.
func CutBody(contentType, body string) http.Handler {
	return raw(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", contentType, len(body), body[:len(body)/2]), true)
}

// NoAnswer hangs up before the first byte, n times.
func NoAnswer(n int, then http.Handler) http.Handler { return times(n, raw("", true), then) }

// raw writes bytes to the connection.
func raw(answer string, hangUp bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		buf.WriteString(answer)
		buf.Flush()
		if !hangUp {
			// Leave the client the time to read before the connection ends.
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
		}
	})
}

// SlowBody sends the header and one byte, and the rest only when release is
// closed or the client gives up.
func SlowBody(body string, release <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		io.WriteString(w, body[:1])
		w.(http.Flusher).Flush()
		select {
		case <-release:
			io.WriteString(w, body[1:])
		case <-r.Context().Done():
		}
	})
}

// GzipBomb answers with a small gzip body that unpacks to size bytes of spaces.
func GzipBomb(size int64) http.Handler {
	const unit = 8 << 20
	var member bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&member, gzip.BestCompression)
	zw.Write(bytes.Repeat([]byte(" "), unit))
	zw.Close()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		for sent := int64(0); sent < size; sent += unit {
			if _, err := w.Write(member.Bytes()); err != nil {
				return
			}
		}
	})
}

// HugeBody answers with size bytes, without coding, as fast as the client takes
// them.
func HugeBody(size int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		chunk := bytes.Repeat([]byte("[[[[[[[[[[[[[[[["), 4096)
		for size > 0 {
			n, err := w.Write(chunk[:min(int64(len(chunk)), size)])
			if err != nil {
				return
			}
			size -= int64(n)
		}
	})
}

// HTMLInstead answers 200 with a page where JSON is due.
func HTMLInstead() http.Handler {
	return Content("application/json", "<!DOCTYPE html><html><head><title>Plaza</title></head><body>Something went wrong</body></html>")
}

// InvalidUTF8 answers 200 with JSON whose strings are not UTF-8.
func InvalidUTF8() http.Handler {
	return JSON("{\"posts\":[{\"id\":\"1\",\"text\":\"caf\xe9 \xff\"}]}")
}

// Empty answers 200 with nothing.
func Empty() http.Handler { return Content("application/json", "") }

// RobotsDeny is a robots.txt that forbids everything to everyone.
func RobotsDeny() http.Handler { return Content("text/plain", "User-agent: *\nDisallow: /\n") }

// RobotsBroken answers 500 for robots.txt.
func RobotsBroken() http.Handler {
	return Status(http.StatusInternalServerError, nil, "oops\n")
}
