package capture

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

func TestFailedFetches(t *testing.T) {
	dead := serve(t, false, nil)
	dead.stop()
	strange := serve(t, true, func(*http.Request) script { return script{send: plain("ok")} })
	noResolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("there is no network")
	}}
	refuse := func(network, address string) error { return errors.New("loopback address") }
	for _, test := range []struct {
		name string
		url  string
		o    Options
		want post.Outcome
		ip   bool
	}{
		{"no such name", "http://no-such-name.example/", Options{Resolver: noResolver}, post.DNSError, false},
		{"nothing listens", dead.url("/"), Options{}, post.ConnectError, false},
		{"unknown authority", strange.url("/"), Options{TLS: &tls.Config{}}, post.TLSError, false},
		{"guard", strange.url("/"), Options{Guard: refuse}, post.RefusedAddress, false},
		{"guard over a proxy", "http://127.0.0.1:1/", Options{Guard: refuse, Proxy: &url.URL{Scheme: "http", Host: dead.Addr().String()}}, post.RefusedAddress, false},
		{"proxy is down", "http://plaza.example/", Options{Proxy: &url.URL{Scheme: "http", Host: dead.Addr().String()}}, post.ConnectError, false},
		{"socks proxy is down", "http://plaza.example/", Options{Proxy: &url.URL{Scheme: "socks5", Host: dead.Addr().String()}}, post.ConnectError, false},
		{"no TLS there", "https://" + serve(t, false, func(*http.Request) script { return script{send: "HTTP/1.0 400 Bad\r\n\r\n", close: true} }).Addr().String(), Options{}, post.TLSError, false},
		{"no answer", serve(t, false, func(*http.Request) script { return script{close: true} }).url("/"), Options{}, post.ConnectError, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			other := test.o.TLS
			tr, m := setup(t, test.o)
			if other != nil {
				tr.opt.TLS = other
			}
			got := get(t, tr, newRequest(t, "GET", test.url, nil))
			wantOutcome(t, got.err, test.want)
			ex := m.one(t)
			if ex.Outcome != test.want || ex.Error == "" || ex.Response.Size != 0 || ex.URL != test.url || ex.Truncated != "" {
				t.Errorf("recorded %+v", ex.Exchange)
			}
			if (ex.RemoteIP != "") != test.ip || (ex.Request.Size > 0) != test.ip || ex.field("fetchTimeMs") == "" {
				t.Errorf("remote %q, request of %d bytes, fields %v", ex.RemoteIP, ex.Request.Size, ex.Fields)
			}
			if got.result.Capture.RecordID == "" {
				t.Errorf("result %+v", got.result)
			}
			if !strings.Contains(got.err.Error(), test.url) {
				t.Errorf("error %q does not name the URL", got.err)
			}
		})
	}
}

func TestGuardSeesAddress(t *testing.T) {
	s := serve(t, false, func(*http.Request) script { return script{send: plain("ok")} })
	var asked []string
	tr, m := setup(t, Options{Guard: func(network, address string) error {
		asked = append(asked, network+" "+address)
		return nil
	}})
	if got := get(t, tr, newRequest(t, "GET", s.url("/"), nil)); got.err != nil || len(asked) != 1 || asked[0] != "tcp4 "+s.Addr().String() {
		t.Errorf("asked %v, %v", asked, got.err)
	}
	m.one(t)
}

func TestOrigin(t *testing.T) {
	open := serve(t, false, func(r *http.Request) script { return script{send: plain(r.Host)} })
	secure := serve(t, true, func(r *http.Request) script { return script{send: plain(r.Host)} })
	tr, m := setup(t, Options{
		Guard: func(string, string) error { return errors.New("loopback address") },
		Proxy: &url.URL{Scheme: "http", Host: "127.0.0.1:1"},
		Origin: func(host string) (string, bool, bool) {
			switch host {
			case "plaza.example":
				return secure.Addr().String(), false, true
			case "open.example":
				return open.Addr().String(), true, true
			}
			return "", false, false
		},
	})
	for _, test := range []struct{ url, host, origin string }{
		{"https://open.example/a", "open.example", "http://" + open.Addr().String()},
		{"http://OPEN.example:8080/a", "OPEN.example:8080", "http://" + open.Addr().String()},
		{"https://plaza.example/a", "plaza.example", "https://" + secure.Addr().String()},
	} {
		got := get(t, tr, newRequest(t, "GET", test.url, nil))
		if got.err != nil || got.body != test.host {
			t.Fatalf("%s: body %q, %v", test.url, got.body, got.err)
		}
		ex := m.one(t)
		if ex.URL != test.url || ex.field("origin") != test.origin || ex.field("proxy") != "" || ex.RemoteIP != "127.0.0.1" {
			t.Errorf("%s: recorded %+v", test.url, ex.Exchange)
		}
	}
}

func TestLocalAddr(t *testing.T) {
	s := serve(t, false, func(*http.Request) script { return script{send: plain("ok")} })
	tr, m := setup(t, Options{LocalAddr: net.IPv4(127, 0, 0, 1)})
	got := get(t, tr, newRequest(t, "GET", s.url("/"), nil))
	if ex := m.one(t); got.err != nil || ex.field("source-address") != "127.0.0.1" {
		t.Errorf("fields %v, %v", ex.Fields, got.err)
	}
}

// aProxy is an HTTP proxy that sends all to one address.
type aProxy struct {
	*rawServer
	mu    sync.Mutex
	lines []string // request line and Proxy-Authorization of each request
}

func newProxy(t *testing.T, secure bool, to string) *aProxy {
	p := &aProxy{}
	p.rawServer = serve(t, secure, func(r *http.Request) script {
		p.mu.Lock()
		p.lines = append(p.lines, r.Method+" "+r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
		p.mu.Unlock()
		if r.Method != http.MethodConnect {
			return script{send: plain("through the proxy: " + r.Host)}
		}
		return script{then: func(c net.Conn) {
			up, err := net.Dial("tcp", to)
			if err != nil {
				io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
				return
			}
			io.WriteString(c, "HTTP/1.1 200 Connected\r\nX: y\r\n\r\n")
			join(c, up)
		}}
	})
	return p
}

func join(a, b net.Conn) {
	var wait sync.WaitGroup
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		wait.Go(func() {
			io.Copy(pair[0], pair[1])
			pair[0].Close()
		})
	}
	wait.Wait()
}

func TestProxy(t *testing.T) {
	target := serve(t, true, func(r *http.Request) script { return script{send: plain("target: " + r.RequestURI)} })
	auth := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:secret"))
	for _, secure := range []bool{false, true} {
		p := newProxy(t, secure, target.Addr().String())
		proxyURL, err := url.Parse(p.url(""))
		if err != nil {
			t.Fatal(err)
		}
		name := proxyURL.String()
		proxyURL.User = url.UserPassword("me", "secret")
		tr, m := setup(t, Options{Proxy: proxyURL})
		check := func(address, wantBody, wantLine, wantRequest string) {
			t.Helper()
			p.lines = nil
			got := get(t, tr, newRequest(t, "GET", address, nil))
			if got.err != nil || got.body != wantBody {
				t.Fatalf("body %q, %v", got.body, got.err)
			}
			ex := m.one(t)
			if string(ex.response) != plain(wantBody) || !strings.HasPrefix(string(ex.request), wantRequest) {
				t.Errorf("recorded %q and %q", ex.request, ex.response)
			}
			if strings.Contains(string(ex.request), "Proxy-") || strings.Contains(fmt.Sprint(ex.Fields), "secret") {
				t.Errorf("recorded the proxy's key: %q, %v", ex.request, ex.Fields)
			}
			if ex.URL != address || ex.RemoteIP != "" || ex.field("proxy") != name {
				t.Errorf("URL %q, address %q, fields %v", ex.URL, ex.RemoteIP, ex.Fields)
			}
			if wantLine != "" && (len(p.lines) != 1 || p.lines[0] != wantLine) {
				t.Errorf("the proxy got %q, want %q", p.lines, wantLine)
			}
		}
		for range 2 { // the second on the same connection
			check("http://plaza.example/a?b=c", "through the proxy: plaza.example",
				"GET http://plaza.example/a?b=c "+auth, "GET http://plaza.example/a?b=c HTTP/1.1\r\nHost: plaza.example\r\n")
		}
		long := "http://plaza.example/" + strings.Repeat("long", 3000)
		check(long, "through the proxy: plaza.example", "GET "+long+" "+auth, "GET "+long+" HTTP/1.1\r\n")
		check("https://plaza.example/a", "target: /a", "CONNECT plaza.example:443 "+auth, "GET /a HTTP/1.1\r\nHost: plaza.example\r\n")
		check("https://plaza.example/b", "target: /b", "", "GET /b HTTP/1.1\r\n")
	}

	// A proxy that cannot reach the target.
	p := newProxy(t, false, "127.0.0.1:1")
	proxyURL, _ := url.Parse(p.url(""))
	tr, m := setup(t, Options{Proxy: proxyURL})
	got := get(t, tr, newRequest(t, "GET", "https://plaza.example/", nil))
	wantOutcome(t, got.err, post.ConnectError)
	if ex := m.one(t); !strings.Contains(got.err.Error(), "502") || ex.field("proxy") == "" {
		t.Errorf("error %v, fields %v", got.err, ex.Fields)
	}
}

func TestProxyFromEnvironment(t *testing.T) {
	s := serve(t, false, func(*http.Request) script { return script{send: plain("direct")} })
	p := newProxy(t, false, "")
	t.Setenv("HTTP_PROXY", p.url(""))
	t.Setenv("NO_PROXY", "127.0.0.1")
	for _, from := range []bool{false, true} {
		tr, m := setup(t, Options{ProxyFromEnvironment: from, Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("there is no network")
		}}})
		got := get(t, tr, newRequest(t, "GET", "http://plaza.example/", nil))
		if ex := m.one(t); (got.err == nil) != from || (ex.field("proxy") != "") != from {
			t.Errorf("from the environment %v: %v, fields %v", from, got.err, ex.Fields)
		}
		if got := get(t, tr, newRequest(t, "GET", s.url("/"), nil)); got.body != "direct" {
			t.Errorf("NO_PROXY: %+v", got)
		}
	}
}

// TestSOCKS runs over a SOCKS5 proxy (RFC 1928) with user and password (RFC 1929).
func TestSOCKS(t *testing.T) {
	open := serve(t, false, func(r *http.Request) script { return script{send: plain("plain")} })
	secure := serve(t, true, func(r *http.Request) script { return script{send: plain("secure")} })
	asked := make(chan string, 2)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer c.Close()
				r := bufio.NewReader(c)
				methods := make([]byte, 2)
				io.ReadFull(r, methods)
				io.CopyN(io.Discard, r, int64(methods[1]))
				c.Write([]byte{5, 2})
				field := func() string {
					n, _ := r.ReadByte()
					b := make([]byte, n)
					io.ReadFull(r, b)
					return string(b)
				}
				r.ReadByte()
				user, password := field(), field()
				c.Write([]byte{1, 0})
				io.CopyN(io.Discard, r, 4) // version, CONNECT, reserved, domain name
				host := field()
				port := make([]byte, 2)
				io.ReadFull(r, port)
				asked <- user + ":" + password + "@" + host
				to := open.Addr()
				if binary.BigEndian.Uint16(port) == 443 {
					to = secure.Addr()
				}
				up, err := net.Dial("tcp", to.String())
				if err != nil {
					return
				}
				c.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 0})
				join(c, up)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wait.Wait() })
	tr, m := setup(t, Options{Proxy: &url.URL{Scheme: "socks5", Host: l.Addr().String(), User: url.UserPassword("me", "pw")}})
	t.Cleanup(tr.CloseIdleConnections)
	for address, want := range map[string]string{"http://plaza.example/": "plain", "https://plaza.example/": "secure"} {
		got := get(t, tr, newRequest(t, "GET", address, nil))
		if got.err != nil || got.body != want {
			t.Fatalf("body %q, %v", got.body, got.err)
		}
		ex := m.one(t)
		if string(ex.response) != plain(want) || !strings.HasPrefix(string(ex.request), "GET / HTTP/1.1\r\n") || ex.RemoteIP != "" || ex.field("proxy") != "socks5://"+l.Addr().String() {
			t.Errorf("recorded %q, %q, %+v", ex.request, ex.response, ex.Exchange)
		}
		if got := <-asked; got != "me:pw@plaza.example" {
			t.Errorf("the proxy was asked for %q", got)
		}
	}
}

func TestWithURL(t *testing.T) {
	s := serve(t, false, func(r *http.Request) script { return script{send: plain(r.RequestURI)} })
	p := newProxy(t, false, "")
	proxyURL, _ := url.Parse(p.url(""))
	direct, m := setup(t, Options{})
	over, mOver := setup(t, Options{Proxy: proxyURL})
	for _, target := range []string{
		"/", "/a/../b", "/a'b?q='x'&sig=%2b%2B+", "/%7Euser/~user", "/a//b", "/?", "/a?b?c", "/\"<>|^`{}", "/a;b,c=d/./", "//double//", "//x/'?a=b", "/caf\xc3\xa9", "/a?x=http://y/",
	} {
		exact := s.url(target)
		rewritten := newRequest(t, "GET", s.url("/other"), nil)
		got := get(t, direct, rewritten.WithContext(fetchctx.WithURL(context.Background(), exact+"#part")))
		if got.err != nil {
			t.Errorf("%s: %v", target, got.err)
			continue
		}
		ex := m.one(t)
		if ex.URL != exact || !strings.HasPrefix(string(ex.request), "GET "+target+" HTTP/1.1\r\nHost: "+s.Addr().String()+"\r\n") {
			t.Errorf("%s: recorded %q as %s", target, ex.request, ex.URL)
		}
		got = get(t, over, rewritten.WithContext(fetchctx.WithURL(context.Background(), exact)))
		if ex := mOver.take(); len(ex) != 1 || !strings.HasPrefix(string(ex[0].request), "GET "+exact+" HTTP/1.1\r\n") {
			t.Errorf("%s: over a proxy: %v", target, ex)
		}
	}
	// Without it: the request's own URL, without user and fragment.
	got := get(t, direct, newRequest(t, "GET", strings.Replace(s.url("/x?y#z"), "//", "//me:password@", 1), nil))
	if ex := m.one(t); got.body != "/x?y" || ex.URL != s.url("/x?y") {
		t.Errorf("recorded as %s", ex.URL)
	}
	for _, bad := range []string{"/a b", "ftp://plaza.example/", "http:///a", "http://plaza.example/\x00", "http://plaza.example//a\"b"} {
		if got := get(t, direct, newRequest(t, "GET", s.url("/"), nil).WithContext(fetchctx.WithURL(context.Background(), bad))); got.err == nil || !strings.Contains(got.err.Error(), "WithURL") {
			t.Errorf("%s: error %v", bad, got.err)
		}
	}
	if len(m.take()) > 0 {
		t.Error("something was recorded of requests that cannot be sent")
	}
}

func TestWithoutRecord(t *testing.T) {
	s := serve(t, false, func(*http.Request) script { return script{send: plain(strings.Repeat("token", SpoolAbove/2))} })
	tr, m := setup(t, Options{})
	ctx, f := fetchctx.New(fetchctx.Unrecorded(context.Background()))
	got := get(t, tr, newRequest(t, "POST", s.url("/token"), strings.NewReader("secret")).WithContext(ctx))
	if got.err != nil || len(got.body) != 5*(SpoolAbove/2) || len(m.take()) > 0 || f.Result().Capture.RecordID != "" {
		t.Errorf("%d bytes, %v", len(got.body), got.err)
	}
	s.stop()
	tr.CloseIdleConnections()
	got = get(t, tr, newRequest(t, "POST", s.url("/token"), strings.NewReader("secret")).WithContext(ctx))
	wantOutcome(t, got.err, post.ConnectError)
	if len(m.take()) > 0 {
		t.Error("a failed token request was recorded")
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	s := serve(t, false, func(r *http.Request) script {
		if r.URL.Path == "/" {
			return script{send: "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n"}
		}
		return script{send: plain("next")}
	})
	tr, m := setup(t, Options{})
	if got := get(t, tr, newRequest(t, "GET", s.url("/"), nil)); got.status != 302 || got.header.Get("Location") != "/next" {
		t.Errorf("answer %+v", got)
	}
	if ex := m.one(t); ex.Status != 302 || len(s.sent()) != 1 {
		t.Errorf("recorded %+v", ex.Exchange)
	}
}

func TestFields(t *testing.T) {
	s := serve(t, false, func(*http.Request) script { return script{send: plain("ok")} })
	tr, m := setup(t, Options{})
	ctx, f := fetchctx.New(context.Background())
	f.Add("robots", "allowed")
	get(t, tr, newRequest(t, "GET", s.url("/"), nil).WithContext(ctx))
	if ex := m.one(t); ex.field("robots") != "allowed" || ex.field("fetchTimeMs") == "" || ex.field("proxy") != "" {
		t.Errorf("fields %v", ex.Fields)
	}
}
