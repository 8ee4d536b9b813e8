package crawlers

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/gocolly/colly/v2"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

// errOurs marks a fetch that the driver itself ended: Run is to stop.
var errOurs = errors.New("the run was stopped")

// answer is what came of one request.
type answer struct {
	ex     Exchange
	err    error        // no response: the transport's error
	cut    error        // the body ended with it
	cutAs  post.Outcome // what that means, "" if the body is whole
	reason string
	result fetchctx.Result
}

// A visitor makes requests, one at a time, through a colly collector of its own.
//
// colly's defaults lose or change what an archive must have. Each is met here:
// it rewrites URLs by the WHATWG rules ("/a/../b", "'"), so the exact URL goes
// round it in the context and into the request that is sent; it follows
// redirects, treats statuses from 203 on as errors, reads bodies without end
// and without telling a cut one, unpacks gzip without a limit, converts
// character sets, drops a redirect whose Location it cannot parse, and keeps
// cookies from one request to the next. Its transport hook therefore does the
// exchange itself, and shows colly a plain 200 without header and body; the
// real ones are put into colly's response before anyone sees it. robots.txt,
// pace and retries are layers below (package polite), so colly's own are off,
// as are its cache, its visited set, its limits of size and its 10 s timeout.
type visitor struct {
	d     *Driver
	colly *colly.Collector

	// Of the visit that is under way. colly calls back on the same goroutine.
	ctx    context.Context
	req    Request
	called bool
	got    answer
}

func (d *Driver) newVisitor() *visitor {
	v := &visitor{d: d}
	c := colly.NewCollector(colly.AllowURLRevisit(), colly.ParseHTTPErrorResponse(), colly.IgnoreRobotsTxt(), colly.MaxBodySize(0))
	// COLLY_… environment variables change a collector behind our back.
	c.AllowedDomains, c.DisallowedDomains, c.URLFilters, c.DisallowedURLFilters = nil, nil, nil, nil
	c.CacheDir, c.DetectCharset, c.TraceHTTP, c.CheckHead, c.Async = "", false, false, false, false
	c.MaxDepth, c.MaxRequests, c.MaxBodySize = 0, 0, 0
	c.AllowURLRevisit, c.ParseHTTPErrorResponse, c.IgnoreRobotsTxt = true, true, true
	c.DisableCookies()
	c.SetRequestTimeout(0)
	c.SetRedirectHandler(func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse })
	c.WithTransport(v)
	c.OnResponse(func(r *colly.Response) {
		header := v.got.ex.Header
		r.StatusCode, r.Headers, r.Body = v.got.ex.Status, &header, v.got.ex.Body
	})
	v.colly = c
	return v
}

// visit makes one request. What came of it, an error too, is in the answer.
func (v *visitor) visit(ctx context.Context, req Request) answer {
	v.ctx, v.req, v.called, v.got = ctx, req, false, answer{}
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	// The header is a place holder: it keeps colly from adding its User-Agent.
	err := v.colly.Request(method, req.URL, nil, nil, http.Header{"User-Agent": nil})
	if !v.called {
		// colly could not parse what net/url can. Its own copy of the URL is
		// of no use to us, so it gets a plain one.
		err = v.colly.Request(method, "http://"+standIn(req.URL)+"/", nil, nil, http.Header{"User-Agent": nil})
	}
	if !v.called {
		v.got = answer{ex: Exchange{Method: method, URL: req.URL}, err: err}
	}
	got := v.got
	v.ctx, v.got = nil, answer{}
	return got
}

func standIn(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Hostname() != "" {
		if plain := strings.Trim(strings.ToLower(u.Hostname()), "abcdefghijklmnopqrstuvwxyz0123456789.-"); plain == "" {
			return u.Hostname()
		}
	}
	return "stand-in.invalid"
}

// skeleton is what colly gets to see.
func skeleton(req *http.Request) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Uncompressed: true, Request: req,
	}
}

// RoundTrip is colly's transport: it makes the exchange that visit wants,
// whatever colly made of it.
func (v *visitor) RoundTrip(req *http.Request) (*http.Response, error) {
	v.called = true
	v.got = v.d.exchange(v.ctx, v.req)
	return skeleton(req), nil
}

// exchange makes one request and reads its response to the end, within the
// limits. The bytes are with the recorder when it returns.
func (d *Driver) exchange(ctx context.Context, req Request) (got answer) {
	resp, fetch, done, got := d.open(ctx, req)
	defer done()
	if got.err != nil {
		return got
	}
	got.ex.Body, got.cut = d.body(resp)
	resp.Body.Close()
	d.close(&got, fetch)
	return got
}

// open makes a request and gives its response with the body still to be read.
// done must be called when all is over.
func (d *Driver) open(ctx context.Context, req Request) (resp *http.Response, fetch *fetchctx.Fetch, done func(), got answer) {
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	got.ex = Exchange{Method: method, URL: req.URL, RequestBody: req.Body}
	ctx, fetch = fetchctx.New(ctx)
	ctx, cancel, stop := d.patience(ctx)
	done = func() { stop(); cancel(nil) }

	// A body of nil interface means none; GetBody lets the layers try again.
	var body io.Reader
	if len(req.Body) > 0 {
		body = bytes.NewReader(req.Body)
	}
	out, err := http.NewRequestWithContext(ctx, method, req.URL, body)
	if err != nil {
		got.err = err
		got.ex.FetchedAt = d.now()
		return nil, fetch, done, got
	}
	if exact, _, _ := strings.Cut(req.URL, "#"); out.URL.Scheme+"://"+out.URL.Host+out.URL.RequestURI() != exact {
		// net/http would write other bytes ("|" as "%7C"). Only then: a layer
		// that asks something of its own with this context must not ask this.
		out = out.WithContext(fetchctx.WithURL(ctx, req.URL))
	}
	if req.Header != nil {
		out.Header = req.Header.Clone()
	}
	resp, err = d.opt.Transport.RoundTrip(out)
	if err != nil {
		got.err = d.cause(ctx, err)
		got.ex.FetchedAt = d.now()
		got.result = fetch.Result()
		got.ex.Capture = got.result.Capture // the record of the failure, where there is one
		return nil, fetch, done, got
	}
	got.ex.Status, got.ex.Header = resp.StatusCode, resp.Header
	if d.opt.BodyTime > 0 {
		// The limit begins here: what lies before is the layers' to bound, as
		// they may sleep for the host's pace.
		timer := time.AfterFunc(d.opt.BodyTime, func() { cancel(errBodyTime) })
		stopped := done
		done = func() { timer.Stop(); stopped() }
	}
	resp.Body = &causedBody{resp.Body, func(err error) error { return d.cause(ctx, err) }}
	return resp, fetch, done, got
}

// close completes the answer after the body was read and closed.
func (d *Driver) close(got *answer, fetch *fetchctx.Fetch) {
	got.ex.FetchedAt = d.now()
	got.result = fetch.Result()
	got.ex.Capture = got.result.Capture
	switch {
	case got.cut != nil:
		got.cutAs, got.reason = d.classifyCut(got.cut)
	case got.result.Truncated == "length":
		got.cutAs, got.reason = post.TooLarge, "the recorder's limit of size"
	case got.result.Truncated == "time":
		got.cutAs, got.reason = post.Timeout, "the recorder's limit of time"
	case got.result.Truncated != "":
		got.cutAs, got.reason = post.CutBody, "recorded as cut: "+got.result.Truncated
	}
	got.ex.Truncated = got.cutAs != ""
}

func (d *Driver) classifyCut(err error) (post.Outcome, string) {
	if d.opt.ErrorFacts != nil {
		if o, _, ok := d.opt.ErrorFacts(err); ok && o != "" {
			return o, err.Error()
		}
	}
	return classifyCut(err)
}

// cause tells a fetch that was cancelled by us from one that failed.
func (d *Driver) cause(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	switch c := context.Cause(ctx); {
	case errors.Is(c, errBodyTime):
		return errBodyTime
	case errors.Is(c, errOurs):
		return errOurs
	}
	return err
}

// bodyTimeError is the limit Options.BodyTime.
type bodyTimeError struct{}

func (bodyTimeError) Error() string         { return "the body took longer than the limit" }
func (bodyTimeError) Outcome() post.Outcome { return post.Timeout }

var errBodyTime error = bodyTimeError{}

type causedBody struct {
	io.ReadCloser
	cause func(error) error
}

func (b *causedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.cause(err)
	}
	return n, err
}

// Rest implements fetchctx.Rester.
func (b *causedBody) Rest() (int, bool) { return fetchctx.Rest(b.ReadCloser) }

// patience gives a context for one exchange that outlives ctx: what is on the
// wire when the user stops the run may be finished within Options.Grace. What
// still waits for its turn is cancelled at once.
func (d *Driver) patience(ctx context.Context) (context.Context, context.CancelCauseFunc, func()) {
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var onWire atomic.Bool
	inner = httptrace.WithClientTrace(inner, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		onWire.Store(true)
		if ctx.Err() != nil && d.opt.Grace < 0 {
			cancel(errOurs)
		}
	}})
	stop := context.AfterFunc(ctx, func() {
		if !onWire.Load() || d.opt.Grace < 0 {
			cancel(errOurs)
			return
		}
		timer := time.NewTimer(d.opt.Grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(errOurs)
		case <-inner.Done():
		}
	})
	return inner, cancel, func() { stop() }
}

// body reads a body to its end, content coding removed, up to Options.MaxBody.
func (d *Driver) body(resp *http.Response) ([]byte, error) {
	limit := d.opt.MaxBody
	size := int64(0)
	if resp.ContentLength > 0 {
		size = min(resp.ContentLength, limit)
	}
	r, err := decoded(resp)
	if err != nil {
		return nil, err
	}
	if c, ok := r.(*codedReader); ok {
		defer c.Close()
	}
	if rest, ok := fetchctx.Rest(r); ok && size == 0 {
		size = min(int64(rest), limit)
	}
	if size > 0 {
		// One byte more than announced, so that the end shows without growing.
		return readBody(r, make([]byte, 0, min(size, maxAnnounced)+1), limit)
	}
	// Of unknown length: it grows in memory that is used again, and is copied
	// once, so that no body costs twice its size and more.
	scratch := bodyPool.Get().(*[]byte)
	defer bodyPool.Put(scratch)
	buf, err := readBody(r, (*scratch)[:0], limit)
	if cap(buf) <= maxScratch {
		*scratch = buf
	}
	return bytes.Clone(buf), err
}

// maxAnnounced bounds the memory that is taken for a body before it is there, in
// bytes.
const maxAnnounced = 1 << 20

// maxScratch bounds what is kept of memory for bodies, in bytes.
const maxScratch = 512 << 10

var bodyPool = sync.Pool{New: func() any { b := make([]byte, 0, 64<<10); return &b }}

// readBody reads r to its end behind buf. More than limit bytes are an error.
func readBody(r io.Reader, buf []byte, limit int64) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(int64(cap(buf))*2, limit+1))
			copy(grown, buf)
			buf = grown
		}
		n, err := r.Read(buf[len(buf):min(int64(cap(buf)), limit+1)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return buf[:limit], &tooLargeError{limit}
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// tooLargeError is the limit Options.MaxBody.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the body is larger than the limit of %d bytes", e.limit)
}
func (e *tooLargeError) Outcome() post.Outcome { return post.TooLarge }

// codingError is a body whose content coding does not decode.
type codingError struct {
	coding string
	err    error
}

func (e *codingError) Error() string         { return "Content-Encoding " + e.coding + ": " + e.err.Error() }
func (e *codingError) Unwrap() error         { return e.err }
func (e *codingError) Outcome() post.Outcome { return post.UnexpectedType }

// decoded removes the content coding, where the layers below did not.
func decoded(resp *http.Response) (io.Reader, error) {
	if resp.Uncompressed {
		return resp.Body, nil
	}
	var r io.Reader = resp.Body
	codings := strings.Split(strings.Join(resp.Header.Values("Content-Encoding"), ","), ",")
	for i := len(codings) - 1; i >= 0; i-- {
		coding := strings.ToLower(strings.TrimSpace(codings[i]))
		var next io.Reader
		var err error
		switch coding {
		case "", "identity":
			continue
		case "gzip", "x-gzip":
			next, err = gzip.NewReader(r)
		case "deflate":
			next, err = inflate(r)
		case "br":
			next = brotli.NewReader(r)
		case "zstd":
			var z *zstd.Decoder
			if z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20)); err == nil {
				next = z.IOReadCloser()
			}
		default:
			return nil, &codingError{coding, errors.New("not known")}
		}
		if err == io.EOF {
			next, err = http.NoBody, nil // no body at all, as after HEAD and 204
		}
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, err
			}
			return nil, &codingError{coding, err}
		}
		r = &codedReader{next, coding}
	}
	return r, nil
}

// inflate reads deflate as it is meant (RFC 9110: with the zlib frame) and as
// some servers send it (without).
func inflate(r io.Reader) (io.Reader, error) {
	var start [2]byte
	n, err := io.ReadFull(r, start[:])
	if n == 0 {
		return nil, io.EOF
	}
	whole := io.MultiReader(bytes.NewReader(start[:n]), r)
	if err == nil && start[0]&0x0f == 8 && (int(start[0])<<8|int(start[1]))%31 == 0 {
		return zlib.NewReader(whole)
	}
	return flate.NewReader(whole), nil
}

// codedReader names the coding in the errors of its content; those of the
// connection, and a body that ends early, pass as they are.
type codedReader struct {
	io.Reader
	coding string
}

func (c *codedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) ||
		errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) ||
		strings.HasPrefix(err.Error(), "brotli: ") && !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, zstd.ErrMagicMismatch) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		err = &codingError{c.coding, err}
	}
	return n, err
}

func (c *codedReader) Close() error {
	if closer, ok := c.Reader.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}
