package polite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

const (
	backoffBase = time.Second      // wait before the second attempt; it doubles from there
	backoffMax  = 30 * time.Second // and grows no further
	refusalBase = time.Minute      // rest after a 429 that does not say how long
	refusalMax  = time.Hour
	drainMax    = 1 << 20 // bytes of an answer that is tried again which are read, so that its record is whole
)

// exchange sends req when its host's turn comes, and again where that may help.
// The answer's body gives the turn back when it ends or is closed.
func (t *Transport) exchange(req *http.Request, meta Meta, p pool, fetch *fetchctx.Fetch) (*http.Response, error) {
	ctx := req.Context()
	t.slowerRoute(p, meta)
	before := "" // how the attempt before ended
	for try := 1; ; try++ {
		attempt, err := nextAttempt(req, try)
		if err != nil {
			return nil, err
		}
		tn, err := t.take(ctx, p, req.URL.Hostname())
		if err != nil {
			return nil, err
		}
		fetch.Set("pace", fmt.Sprintf("1 request per %v (%s)", tn.every, tn.why))
		fetch.Set("waited", tn.waited.Round(time.Millisecond).String())
		if before != "" {
			fetch.Set("attempt", fmt.Sprintf("%d (%s before)", try, before))
		}
		resp, err := t.next.RoundTrip(attempt)
		if err != nil {
			tn.done()
			if try >= t.maxTries || ctx.Err() != nil || !idempotent(req) || !replayable(req) || !passing(err) {
				return nil, err
			}
			before = "no answer"
			if restErr := t.backoff(ctx, p, try, before); restErr != nil {
				return nil, restErr
			}
			continue
		}
		wait, why, err := t.heed(ctx, p, resp)
		if err != nil {
			resp.Body.Close()
			tn.done()
			return nil, err
		}
		if resp.Body == http.NoBody {
			tn.done()
		} else {
			resp.Body = newTurnBody(ctx, resp.Body, tn)
		}
		if try >= t.maxTries || !t.again(req, resp, wait) || !t.inTime(ctx, wait) {
			return resp, nil
		}
		before = why
		if err := drain(req, resp, fetch); err != nil {
			return nil, err
		}
		if resp.StatusCode >= 500 {
			if err := t.backoff(ctx, p, try, before); err != nil {
				return nil, err
			}
		}
	}
}

// nextAttempt is req for its nth attempt, with a body of its own.
func nextAttempt(req *http.Request, try int) (*http.Request, error) {
	if try == 1 {
		return req, nil
	}
	again := req.Clone(req.Context())
	if req.Body != nil && req.Body != http.NoBody {
		body, err := req.GetBody()
		if err != nil {
			return nil, fmt.Errorf("polite: %s: body for another attempt: %w", displayURL(req), err)
		}
		again.Body = body
	}
	return again, nil
}

// replayable reports whether req can be sent more than once.
func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// idempotent reports whether doing req twice does no more than doing it once.
func idempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// again reports whether an answer is worth another attempt after wait.
func (t *Transport) again(req *http.Request, resp *http.Response, wait time.Duration) bool {
	if !replayable(req) {
		return false
	}
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests:
		return wait > 0 && saysWait(resp, t.now()) // nothing was done yet, so any method may be sent again
	case s == 500, s == 502, s == 503, s == 504, s >= 520 && s <= 524: // 52x: Cloudflare about the server behind it
		return idempotent(req)
	}
	return false
}

// inTime reports whether a wait ends before the request must.
func (t *Transport) inTime(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return wait <= t.maxWait && (!ok || t.now().Add(wait).Before(deadline))
}

// backoff closes a host for a moment after the nth attempt failed.
func (t *Transport) backoff(ctx context.Context, p pool, try int, why string) error {
	d := backoffMax
	if shift := try - 1; shift < 5 {
		d = min(backoffBase<<shift, backoffMax)
	}
	d = d/2 + time.Duration(t.rand()*float64(d)) // half to one and a half of it
	return t.restPool(ctx, p, t.now().Add(d), why)
}

// heed does as an answer asks: it closes the host where the answer says so. It
// gives how long, and the status with the fields that say it.
func (t *Transport) heed(ctx context.Context, p pool, resp *http.Response) (wait time.Duration, why string, err error) {
	now := t.now()
	status := resp.StatusCode
	why = "status " + strconv.Itoa(status)

	t.mu.Lock()
	h := t.host(p)
	h.status = status
	switch {
	case status == http.StatusTooManyRequests:
		h.refusals++
	case status < 400:
		h.refusals = 0
	}
	refusals := h.refusals
	t.mu.Unlock()

	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		if value := resp.Header.Get("Retry-After"); value != "" {
			if d, ok := retryAfter(value, now, sentAt(resp, now)); ok && d > 0 {
				wait, why = d, why+", Retry-After: "+oneLine(value)
			}
		}
	}
	if d, fields := rateWait(resp.Header, now); d > wait {
		wait, why = d, why+", "+oneLine(fields)
	}
	if status == http.StatusTooManyRequests {
		if wait == 0 {
			wait = refusalBase
		}
		if refusals >= 3 {
			if least := min(refusalBase<<min(refusals-3, 10), refusalMax); least > wait {
				wait, why = least, fmt.Sprintf("%s, for the %dth time in a row", why, refusals)
			}
		}
	}
	if wait > 0 {
		err = t.restPool(ctx, p, now.Add(wait), why)
	}
	return wait, why, err
}

// saysWait reports whether a 429 says itself how long to wait.
func saysWait(resp *http.Response, now time.Time) bool {
	if d, ok := retryAfter(resp.Header.Get("Retry-After"), now, sentAt(resp, now)); ok && d > 0 {
		return true
	}
	d, _ := rateWait(resp.Header, now)
	return d > 0
}

// sentAt is the answer's Date if it is within a day of our clock, else now.
func sentAt(resp *http.Response, now time.Time) time.Time {
	sent, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil || sent.Sub(now).Abs() > 24*time.Hour {
		return now
	}
	return sent
}

// drain ends an answer that is tried again, so that its record is whole. Its
// error says that the recorder could not keep it.
func drain(req *http.Request, resp *http.Response, fetch *fetchctx.Fetch) error {
	io.CopyN(io.Discard, resp.Body, drainMax) // a cut body is recorded as such; the status was the answer
	resp.Body.Close()
	if err := fetch.Result().Err; err != nil {
		return fmt.Errorf("polite: an answer of %s before another attempt was not recorded: %w", req.URL.Host, err)
	}
	return nil
}

// passing reports whether a failed attempt may go better the next time: the
// connection broke, was refused or timed out. A name that does not exist, a
// certificate that is wrong and an address that is refused stay so.
func passing(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	var refused *Refused
	if errors.As(err, &refused) {
		return false
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return !dns.IsNotFound && (dns.IsTemporary || dns.IsTimeout)
	}
	var told interface{ Outcome() post.Outcome }
	if errors.As(err, &told) {
		switch told.Outcome() {
		case post.ConnectError, post.Timeout:
			return true
		}
		return false
	}
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	case errors.As(err, &op):
		return op.Op == "dial" || op.Op == "read" || op.Op == "write"
	case errors.As(err, &timeout):
		return timeout.Timeout()
	}
	return false
}

// A turnBody gives its host's turn back when it ends, is closed, or its request's
// context ends.
type turnBody struct {
	io.ReadCloser
	once sync.Once
	tn   turn
	stop func() bool
}

func newTurnBody(ctx context.Context, body io.ReadCloser, tn turn) *turnBody {
	b := &turnBody{ReadCloser: body, tn: tn}
	b.stop = context.AfterFunc(ctx, b.done)
	return b
}

func (b *turnBody) done() { b.once.Do(b.tn.done) }

func (b *turnBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.stop()
		b.done()
	}
	return n, err
}

// Rest implements fetchctx.Rester.
func (b *turnBody) Rest() (int, bool) { return fetchctx.Rest(b.ReadCloser) }

func (b *turnBody) Close() error {
	err := b.ReadCloser.Close()
	b.stop()
	b.done()
	return err
}

// displayURL is the URL of a request as it may stand in an error.
func displayURL(req *http.Request) string {
	if req.URL == nil {
		return "request without a URL"
	}
	return cleanURL(req.URL)
}

// cleanURL is u without user information.
func cleanURL(u *url.URL) string {
	c := *u
	c.User = nil
	return c.String()
}

// A redacted error has the text of another one without secrets.
type redacted struct {
	text string
	err  error
}

func (e *redacted) Error() string { return e.text }
func (e *redacted) Unwrap() error { return e.err }

// redact hides the secrets of a fetch in the text of err.
func redact(err error, fetch *fetchctx.Fetch) error {
	text := err.Error()
	clean := text
	for _, secret := range fetch.Secrets() {
		clean = strings.ReplaceAll(clean, secret, "REDACTED")
	}
	if clean == text {
		return err
	}
	return &redacted{clean, err}
}
