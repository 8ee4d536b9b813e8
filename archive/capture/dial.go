package capture

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"golang.org/x/net/http/httpproxy"
	"golang.org/x/net/proxy"

	"github.com/refrain-archive/refrain/post"
)

// A route says how the requests to one scheme and host travel. It depends on
// nothing else, so that connections to them can be shared.
type route struct {
	origin string   // address instead of the host's own; "" is none
	plain  bool     // no TLS, although the URL says https
	proxy  *url.URL // nil is none
}

type routeKey struct{}

// routeOf decides on the route to u.
func (t *Transport) routeOf(u *url.URL) (r route, err error) {
	if t.opt.Origin != nil {
		if addr, plain, ok := t.opt.Origin(strings.ToLower(u.Hostname())); ok {
			return route{origin: addr, plain: plain}, nil
		}
	}
	r.proxy = t.opt.Proxy
	if r.proxy == nil && t.envProxy != nil {
		if r.proxy, err = t.envProxy(&url.URL{Scheme: u.Scheme, Host: u.Host}); err != nil {
			return r, fmt.Errorf("proxy from the environment: %w", err)
		}
	}
	if r.proxy == nil {
		return r, nil
	}
	switch r.proxy.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return r, fmt.Errorf("proxy %s: scheme %q is not http, https or socks5", proxyName(r.proxy), r.proxy.Scheme)
	}
	return r, nil
}

func envProxy() func(*url.URL) (*url.URL, error) { return httpproxy.FromEnvironment().ProxyFunc() }

// absolute says whether request lines carry the whole URL.
func (r route) absolute(scheme string) bool {
	return r.proxy != nil && scheme == "http" && strings.HasPrefix(r.proxy.Scheme, "http")
}

// originName is the value of the field "origin".
func (r route) originName(scheme string) string {
	if scheme == "https" && !r.plain {
		return "https://" + r.origin
	}
	return "http://" + r.origin
}

// proxyName is a proxy's URL without user information.
func proxyName(p *url.URL) string { return p.Scheme + "://" + p.Host }

func proxyAddr(p *url.URL) string {
	port := p.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[p.Scheme]
		if port == "" {
			port = "1080"
		}
	}
	return net.JoinHostPort(p.Hostname(), port)
}

func (t *Transport) dialPlain(ctx context.Context, _, addr string) (net.Conn, error) {
	return t.dial(ctx, addr, false)
}

func (t *Transport) dialTLS(ctx context.Context, _, addr string) (net.Conn, error) {
	return t.dial(ctx, addr, true)
}

// dial makes the connection for the requests to addr, HOST:PORT of the URL.
func (t *Transport) dial(ctx context.Context, addr string, secure bool) (_ net.Conn, err error) {
	r, _ := ctx.Value(routeKey{}).(route)
	if t.opt.DialTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.opt.DialTimeout, &timeoutError{"time limit of connecting exceeded"})
		defer cancel()
	}
	defer func() {
		if err != nil && context.Cause(ctx) != nil && !errors.As(err, new(*net.DNSError)) {
			err = &stageError{post.Timeout, err.Error(), context.Cause(ctx)}
		}
	}()
	c := &conn{t: t}
	c.wrote.L = &c.mu
	switch {
	case r.origin != "":
		c.Conn, err = t.dialer(false).DialContext(ctx, "tcp", r.origin)
		secure = secure && !r.plain
		if err != nil {
			return nil, dialError("connect to origin "+r.origin, err)
		}
	case r.proxy != nil:
		if err := t.guardLiteral(addr); err != nil {
			return nil, err
		}
		if c.Conn, err = t.dialProxy(ctx, r.proxy, addr, secure); err != nil {
			return nil, err
		}
		if auth := basicAuth(r.proxy.User); auth != "" && !secure && strings.HasPrefix(r.proxy.Scheme, "http") {
			c.inject = []byte("Proxy-Authorization: " + auth + "\r\n")
		}
	default:
		if c.Conn, err = t.dialer(true).DialContext(ctx, "tcp", addr); err != nil {
			return nil, dialError("connect to "+addr, err)
		}
	}
	if r.proxy == nil {
		c.remote = addrIP(c.Conn.RemoteAddr())
	}
	c.local = addrIP(c.Conn.LocalAddr())
	if secure {
		host, _, _ := net.SplitHostPort(addr)
		if c.Conn, c.tls, err = t.handshake(ctx, c.Conn, host); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// handshake does the TLS handshake for HTTP/1.1. It closes raw on error.
func (t *Transport) handshake(ctx context.Context, raw net.Conn, host string) (net.Conn, *tls.ConnectionState, error) {
	config := &tls.Config{}
	if t.opt.TLS != nil {
		config = t.opt.TLS.Clone()
	}
	config.NextProtos = []string{"http/1.1"}
	config.ServerName = host
	if config.ClientSessionCache == nil {
		config.ClientSessionCache = t.sessions
	}
	c := tls.Client(raw, config)
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, nil, &stageError{post.TLSError, "TLS handshake with " + host, err}
	}
	state := c.ConnectionState()
	return c, &state, nil
}

// dialer gives the dialer for direct connections, guarded or not.
func (t *Transport) dialer(guarded bool) *net.Dialer {
	d := &net.Dialer{Resolver: t.opt.Resolver}
	if t.opt.LocalAddr != nil {
		d.LocalAddr = &net.TCPAddr{IP: t.opt.LocalAddr}
	}
	if guarded && t.opt.Guard != nil {
		d.ControlContext = func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return t.refused(network, address)
		}
	}
	return d
}

func (t *Transport) refused(network, address string) error {
	if err := t.opt.Guard(network, address); err != nil {
		return &refusedError{address, err}
	}
	return nil
}

// guardLiteral asks Guard about an address that a proxy would connect to.
func (t *Transport) guardLiteral(addr string) error {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	if err != nil || t.opt.Guard == nil {
		return nil
	}
	network := "tcp4"
	if ip.Is6() {
		network = "tcp6"
	}
	return t.refused(network, addr)
}

func dialError(doing string, err error) error {
	return &stageError{post.ConnectError, doing, err}
}

// dialProxy gives a connection through p: to addr for TLS and over SOCKS, to
// the proxy itself for plain HTTP over an HTTP proxy.
func (t *Transport) dialProxy(ctx context.Context, p *url.URL, addr string, secure bool) (net.Conn, error) {
	name := proxyName(p)
	if strings.HasPrefix(p.Scheme, "socks5") {
		var auth *proxy.Auth
		if p.User != nil {
			auth = &proxy.Auth{User: p.User.Username()}
			auth.Password, _ = p.User.Password()
		}
		d, err := proxy.SOCKS5("tcp", proxyAddr(p), auth, t.dialer(false))
		if err != nil {
			return nil, dialError("proxy "+name, err)
		}
		c, err := d.(proxy.ContextDialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, dialError("connect to "+addr+" through proxy "+name, err)
		}
		return c, nil
	}
	c, err := t.dialer(false).DialContext(ctx, "tcp", proxyAddr(p))
	if err != nil {
		// A proxy whose name is not known says nothing about the host's.
		return nil, dialError("connect to proxy "+name, errors.New(err.Error()))
	}
	if p.Scheme == "https" {
		if c, _, err = t.handshake(ctx, c, p.Hostname()); err != nil {
			return nil, dialError("proxy "+name, errors.New(err.Error()))
		}
	}
	if !secure {
		return c, nil
	}
	if err := connectThrough(ctx, c, p, addr); err != nil {
		c.Close()
		return nil, dialError("connect to "+addr+" through proxy "+name, err)
	}
	return c, nil
}

// connectThrough asks the proxy at the other end of c for a tunnel to addr
// (RFC 9110 §9.3.6).
func connectThrough(ctx context.Context, c net.Conn, p *url.URL, addr string) error {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	if auth := basicAuth(p.User); auth != "" {
		req.Header.Set("Proxy-Authorization", auth)
	}
	if err := req.Write(c); err != nil {
		return err
	}
	// One byte at a time: what follows the answer belongs to the tunnel.
	r, err := http.ReadResponse(bufio.NewReaderSize(&oneByte{c: c, left: 64 << 10}, 16), req)
	if err != nil {
		return err
	}
	if r.StatusCode/100 != 2 {
		return fmt.Errorf("the proxy answered %s", r.Status)
	}
	if !stop() {
		return context.Cause(ctx)
	}
	return nil
}

// oneByte reads no byte that is not asked for.
type oneByte struct {
	c    net.Conn
	left int
}

func (o *oneByte) Read(p []byte) (int, error) {
	if o.left--; o.left < 0 {
		return 0, errors.New("the proxy's answer has too long a head")
	}
	return o.c.Read(p[:1])
}

func basicAuth(u *url.Userinfo) string {
	if u == nil {
		return ""
	}
	password, _ := u.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password))
}

// addrIP is the numeric address of a in the form of RFC 5952.
func addrIP(a net.Addr) string {
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return ""
	}
	return p.Addr().Unmap().WithZone("").String()
}
