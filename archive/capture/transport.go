package capture

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/fetchctx"
)

// A Transport is an http.RoundTripper that records every exchange. It is safe
// for concurrent use.
type Transport struct {
	opt        Options
	base       *http.Transport
	sessions   tls.ClientSessionCache
	lingerIdle time.Duration
	envProxy   func(*url.URL) (*url.URL, error) // nil: the environment is not asked
}

// New gives a Transport with options o.
func New(o Options) *Transport {
	t := &Transport{opt: o.withDefaults(), sessions: tls.NewLRUClientSessionCache(0), lingerIdle: lingerIdle}
	if o.ProxyFromEnvironment && o.Proxy == nil {
		t.envProxy = envProxy()
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	t.base = &http.Transport{
		DialContext:            t.dialPlain,
		DialTLSContext:         t.dialTLS,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    t.opt.MaxIdlePerHost,
		IdleConnTimeout:        90 * time.Second,
		ResponseHeaderTimeout:  t.opt.HeaderTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 2 * maxHead, // the splitter is stricter, and names its error
		ReadBufferSize:         16 << 10,    // also the longest trailer
	}
	return t
}

// CloseIdleConnections closes the connections that no exchange uses.
func (t *Transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// A fetch is one call of RoundTrip.
type fetch struct {
	t       *Transport
	req     *http.Request // the caller's
	ctx     context.Context
	layers  *fetchctx.Fetch // nil if the caller did not start one
	cancel  context.CancelFunc
	url     string // exact
	shown   string // url with secrets replaced
	secrets *secrets
	route   route
	scheme  string
	off     bool // not recorded
	began   time.Time

	cur      *attempt // of the connection in use; nil before there is one
	attempts int
	silent   int    // attempts that got no answer, on connections that the server had closed
	keepErr  *Error // an earlier attempt could not be recorded
}

// RoundTrip implements http.RoundTripper. It follows no redirect. The body of
// the response is decoded (gzip, deflate) under Options.MaxDecoded; in that
// case Uncompressed is set, and Content-Encoding and Content-Length are gone
// from the header, as with net/http. The exchange is recorded when the body
// gives io.EOF or is closed, whichever comes first: the caller must do either,
// also where no body is expected.
//
// An error of RoundTrip or of the body is an *Error; errors.Is finds
// context.Canceled in it for a cancelled fetch.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	f := &fetch{t: t, req: req, layers: fetchctx.From(req.Context()), began: t.opt.Now()}
	out, err := f.prepare()
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		if f.cancel != nil {
			f.cancel()
		}
		if f.shown == "" {
			return nil, err
		}
		return nil, &Error{URL: f.shown, text: f.secrets.hide(err.Error())}
	}
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		err = f.fail(err)
		f.cancel()
		return nil, err
	}
	resp.Request = req
	resp.TLS = f.cur.c.tls
	f.wrapBody(resp)
	return resp, nil
}

// prepare makes the request that goes out.
func (f *fetch) prepare() (*http.Request, error) {
	req, opt := f.req, &f.t.opt
	if req.URL == nil || req.URL.Host == "" {
		return nil, errors.New("capture: the request has no host")
	}
	if req.Method == http.MethodConnect {
		return nil, errors.New("capture: CONNECT is not for callers; set Options.Proxy")
	}
	f.off = fetchctx.IsUnrecorded(req.Context())
	if opt.Recorder == nil && !f.off {
		return nil, errNoRecorder
	}

	// Secrets first: everything said afterwards goes through them.
	values := f.layers.Secrets()
	if u := req.URL.User; u != nil {
		if password, ok := u.Password(); ok {
			values = append(values, password, base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
		}
	}
	f.secrets = newSecrets(values)
	exact, u, err := exactURL(req)
	if err != nil {
		return nil, errors.New(f.secrets.hide(err.Error()))
	}
	f.url, f.shown, f.scheme = exact, f.secrets.hide(exact), u.Scheme
	if f.secrets != nil && f.secrets.short {
		return nil, errShortSecret
	}
	if f.route, err = f.t.routeOf(u); err != nil {
		return nil, err
	}
	if f.route.absolute(u.Scheme) {
		if u.Opaque == "" {
			u.Opaque = u.RequestURI()
		}
		u.Opaque = "//" + u.Host + u.Opaque // net/http puts the scheme before it
		u.RawQuery, u.ForceQuery = "", false
	}

	header := req.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	switch {
	case f.secrets != nil, header.Get("Range") != "":
		// A coded answer that repeats the secret could not be redacted in
		// place; part of a coded body cannot be decoded.
		header.Set("Accept-Encoding", "identity")
	case len(header["Accept-Encoding"]) == 0:
		header.Set("Accept-Encoding", "gzip")
	}

	ctx := context.WithValue(req.Context(), routeKey{}, f.route)
	if opt.TotalTimeout > 0 {
		ctx, f.cancel = context.WithTimeoutCause(ctx, opt.TotalTimeout, errTotalTime)
	} else {
		ctx, f.cancel = context.WithCancel(ctx)
	}
	f.ctx = ctx
	out := req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: f.gotConn}))
	out.URL, out.Header = u, header
	return out, nil
}

// exactURL gives the URL that is asked for, without fragment and user
// information, and the form of it from which net/http writes the same bytes.
func exactURL(req *http.Request) (string, *url.URL, error) {
	u := *req.URL
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	exact := fetchctx.URL(req.Context())
	if exact == "" {
		if u.Opaque != "" && !strings.HasPrefix(u.Opaque, "//") {
			return u.Scheme + "://" + u.Host + u.RequestURI(), &u, nil
		}
		return u.String(), &u, nil
	}
	exact, _, _ = strings.Cut(exact, "#")
	scheme, rest, ok := strings.Cut(exact, "://")
	if scheme = strings.ToLower(scheme); !ok || scheme != "http" && scheme != "https" {
		return "", nil, fmt.Errorf("capture: fetchctx.WithURL: %s is not an http or https URL", exact)
	}
	host, target := rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host, target = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		exact = exact[:len(scheme)+3] + rest[i+1:]
		host = host[i+1:]
	}
	if target[0] == '?' {
		target = "/" + target
	}
	for i := 0; i < len(target); i++ {
		if c := target[i]; c <= ' ' || c == 0x7f {
			return "", nil, fmt.Errorf("capture: fetchctx.WithURL: %q cannot stand in a request line: byte %#x", exact, c)
		}
	}
	if host == "" {
		return "", nil, fmt.Errorf("capture: fetchctx.WithURL: %s has no host", exact)
	}
	u = url.URL{Scheme: scheme, Host: host, Opaque: target}
	if strings.HasPrefix(target, "//") {
		// net/http would take such an Opaque for a host.
		path, query, has := strings.Cut(target, "?")
		plain, err := url.PathUnescape(path)
		u = url.URL{Scheme: scheme, Host: host, Path: plain, RawPath: path, RawQuery: query, ForceQuery: has && query == ""}
		if err != nil || u.RequestURI() != target {
			return "", nil, fmt.Errorf("capture: fetchctx.WithURL: %s begins with // and cannot be sent as it is", exact)
		}
	}
	return exact, &u, nil
}

// gotConn is called by net/http in RoundTrip's goroutine before each attempt.
func (f *fetch) gotConn(info httptrace.GotConnInfo) {
	c := info.Conn.(*conn)
	began := f.began
	if f.cur != nil {
		began = f.t.opt.Now()
		f.retire()
	}
	f.attempts++
	f.cur = newAttempt(f.req.Method, &f.t.opt, f.off, began)
	c.begin(f.cur)
}

// retire ends an attempt that net/http follows with another one.
func (f *fetch) retire() {
	a := f.cur
	a.c.end(a)
	if a.respSize == 0 {
		if a.reqSplit.off > 0 {
			f.silent++
		}
		a.free()
		return
	}
	if _, err := f.record(a, errRetried); err != nil && f.keepErr == nil {
		f.keepErr = err
	}
}

var errRetried = fmt.Errorf("the connection broke and the request was sent again: %w", io.ErrUnexpectedEOF)
