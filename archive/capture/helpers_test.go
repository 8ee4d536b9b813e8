package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kept is an Exchange with its bytes copied.
type kept struct {
	Exchange
	request, response []byte
}

func (k kept) field(name string) string {
	for _, f := range k.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// memory is a Recorder that keeps everything.
type memory struct {
	mu   sync.Mutex
	all  []kept
	fail error
}

func (m *memory) Record(ctx context.Context, ex *Exchange) (post.Capture, error) {
	if err := ctx.Err(); err != nil {
		return post.Capture{}, fmt.Errorf("the recorder's context ended: %w", err)
	}
	if m.fail != nil {
		return post.Capture{}, m.fail
	}
	k := kept{Exchange: *ex}
	var err error
	if k.request, err = io.ReadAll(ex.Request.Reader()); err != nil {
		return post.Capture{}, err
	}
	if k.response, err = io.ReadAll(ex.Response.Reader()); err != nil {
		return post.Capture{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, k)
	return post.Capture{RecordID: fmt.Sprint("urn:test:", len(m.all))}, nil
}

// take gives what was recorded since the last take.
func (m *memory) take() []kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.all
	m.all = nil
	return all
}

// one gives the only exchange recorded since the last take.
func (m *memory) one(t testing.TB) kept {
	t.Helper()
	all := m.take()
	if len(all) != 1 {
		t.Fatalf("%d exchanges recorded, want 1", len(all))
	}
	return all[0]
}

// setup gives a Transport with a memory recorder and a spool folder that must
// be empty at the end.
func setup(t testing.TB, o Options) (*Transport, *memory) {
	t.Helper()
	m := &memory{}
	if o.Recorder == nil {
		o.Recorder = m
	}
	o.SpoolDir = t.TempDir()
	o.TLS = &tls.Config{RootCAs: testCert(t).pool}
	tr := New(o)
	tr.lingerIdle = 20 * time.Millisecond
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		left, err := os.ReadDir(o.SpoolDir)
		if err != nil || len(left) > 0 {
			t.Errorf("the spool folder holds %d files at the end (%v)", len(left), err)
		}
	})
	return tr, m
}

// A script says what the server does with one request.
type script struct {
	send  string         // bytes of the answer
	close bool           // then close the connection
	reset bool           // then close it so that the client sees a reset
	split []int          // lengths of the first writes
	early bool           // answer without reading the request's body
	then  func(net.Conn) // instead of send
}

// A rawServer answers with given bytes and keeps those it was sent.
type rawServer struct {
	net.Listener
	t     testing.TB
	plan  func(r *http.Request) script
	mu    sync.Mutex
	conns int
	got   [][]byte // requests as they came
	open  map[net.Conn]bool
	wait  sync.WaitGroup
}

// serve starts a server; secure is TLS.
func serve(t testing.TB, secure bool, plan func(r *http.Request) script) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{testCert(t).cert}, NextProtos: []string{"http/1.1"}})
	}
	s := &rawServer{Listener: l, t: t, plan: plan, open: map[net.Conn]bool{}}
	s.wait.Go(s.accept)
	t.Cleanup(s.stop)
	return s
}

func (s *rawServer) stop() {
	s.Listener.Close()
	s.mu.Lock()
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.wait.Wait()
}

func (s *rawServer) accept() {
	for {
		c, err := s.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns++
		s.open[c] = true
		s.mu.Unlock()
		s.wait.Go(func() {
			s.talk(c)
			c.Close()
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
		})
	}
}

func (s *rawServer) talk(c net.Conn) {
	var raw bytes.Buffer
	br := bufio.NewReader(io.TeeReader(c, &raw))
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		do := s.plan(r)
		if !do.early {
			io.Copy(io.Discard, r.Body)
		}
		s.mu.Lock()
		s.got = append(s.got, bytes.Clone(raw.Bytes()))
		s.mu.Unlock()
		raw.Reset()
		if do.then != nil {
			do.then(c)
			return
		}
		send := do.send
		for _, n := range do.split {
			n = min(n, len(send))
			if _, err := io.WriteString(c, send[:n]); err != nil {
				return
			}
			send = send[n:]
		}
		if _, err := io.WriteString(c, send); err != nil {
			return
		}
		if do.reset {
			if tcp, ok := c.(*net.TCPConn); ok {
				tcp.SetLinger(0)
			}
			return
		}
		if do.close {
			return
		}
	}
}

// connections gives how many connections were made.
func (s *rawServer) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// sent gives the requests since the last call.
func (s *rawServer) sent() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// url of a path on the server.
func (s *rawServer) url(path string) string {
	scheme := "http://"
	if _, ok := s.Listener.(*net.TCPListener); !ok {
		scheme = "https://"
	}
	return scheme + s.Addr().String() + path
}

// answer is what a caller saw.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
	result fetchctx.Result
}

// get does a request and reads the answer to its end.
func get(t testing.TB, tr http.RoundTripper, req *http.Request) answer {
	t.Helper()
	ctx, f := fetchctx.New(req.Context())
	if old := fetchctx.From(req.Context()); old != nil {
		ctx, f = req.Context(), old
	}
	resp, err := tr.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return answer{err: err, result: f.Result()}
	}
	body, err := io.ReadAll(resp.Body)
	if e := resp.Body.Close(); e != nil && err == nil {
		err = e
	}
	return answer{resp.StatusCode, resp.Header, string(body), err, f.Result()}
}

func newRequest(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

// chunkedBody codes pieces as chunks.
func chunkedBody(pieces ...string) string {
	var b strings.Builder
	for _, p := range pieces {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(p), p)
	}
	return b.String() + "0\r\n\r\n"
}

func plain(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

type certificate struct {
	cert tls.Certificate
	pool *x509.CertPool
}

var theCert = sync.OnceValues(func() (c certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"plaza.example"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return c, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return c, err
	}
	c.pool = x509.NewCertPool()
	c.pool.AddCert(leaf)
	c.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return c, nil
})

func testCert(t testing.TB) certificate {
	c, err := theCert()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantOutcome(t testing.TB, err error, want post.Outcome) {
	t.Helper()
	got, ok := OutcomeOf(err)
	if got != want || ok != (want != "") {
		t.Errorf("outcome of %v: %q, want %q", err, got, want)
	}
	if err != nil && !errors.As(err, new(*Error)) {
		t.Errorf("error %v is not an *Error", err)
	}
}
