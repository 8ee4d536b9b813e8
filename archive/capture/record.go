package capture

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/refrain-archive/refrain/internal/fetchctx"
)

// reason gives the cause behind err, which net/http wraps or hides; nil stays nil.
func (f *fetch) reason(a *attempt, err error) error {
	switch {
	case a != nil && a.keepErr != nil:
		return a.keepErr
	case a != nil && a.split.ended():
		return err
	case a != nil && a.cause != nil && a.cause != errCut:
		return a.cause
	case err == nil:
		return nil
	}
	// When we hang up, the server may be quicker to close: a cut is not its
	// doing then.
	switch ctx := f.req.Context(); {
	case ctx.Err() == context.Canceled && !errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", context.Canceled, context.Cause(ctx))
	case ctx.Err() != nil:
		return ctx.Err()
	case context.Cause(f.ctx) == errTotalTime:
		return errTotalTime
	case a != nil && a.cause != nil:
		return a.cause
	}
	return err
}

// record hands the exchange to the Recorder and frees its bytes. err is why
// the fetch failed, nil if it did not; a is nil if there was no connection.
// It gives err as the caller sees it, and the error if nothing was recorded.
func (f *fetch) record(a *attempt, err error) (shown, notKept *Error) {
	if a == nil {
		a = newAttempt(f.req.Method, &f.t.opt, f.off, f.began)
		a.last = f.t.opt.Now()
	}
	defer a.free()
	if err != nil {
		shown = f.newError(err, a.respSize > 0)
	}
	if f.off {
		return shown, nil
	}
	if a.keepErr == nil && a.req.size == 0 && a.respSize == 0 && errors.Is(err, context.Canceled) {
		return shown, nil // nobody was asked, and nothing was learnt
	}
	ex, keepErr := f.exchange(a, err, shown)
	result := fetchctx.Result{WireSize: a.respSize}
	if keepErr == nil {
		result.Truncated = ex.Truncated
		result.Capture, keepErr = f.t.opt.Recorder.Record(context.WithoutCancel(f.req.Context()), ex)
	}
	if keepErr != nil {
		text := ErrNotRecorded.Error() + ": " + f.secrets.hide(keepErr.Error())
		notKept = &Error{URL: f.shown, text: text, err: errors.Join(ErrNotRecorded, keepErr)}
		if f.secrets.in(keepErr.Error()) {
			notKept.err = ErrNotRecorded
		}
		result = fetchctx.Result{WireSize: a.respSize, Err: notKept}
	}
	f.layers.SetResult(result)
	return shown, notKept
}

// newError is err as the caller sees it.
func (f *fetch) newError(err error, answered bool) *Error {
	e := &Error{URL: f.shown, Outcome: outcomeOf(err, answered), text: err.Error(), err: err}
	if f.secrets.in(e.text) {
		e.text, e.err = f.secrets.hide(e.text), nil
	}
	return e
}

// exchange describes a for the Recorder.
func (f *fetch) exchange(a *attempt, err error, shown *Error) (*Exchange, error) {
	if a.keepErr != nil {
		return nil, a.keepErr
	}
	ex := &Exchange{
		URL:       f.shown,
		Method:    f.req.Method,
		Truncated: a.truncation(err),
		Started:   a.began.UTC().Truncate(time.Microsecond),
		Ended:     a.last.UTC().Truncate(time.Microsecond),
	}
	if ex.Method == "" {
		ex.Method = "GET"
	}
	if shown != nil {
		ex.Outcome, ex.Error = shown.Outcome, shown.text
	}
	if a.respSize == 0 {
		ex.Ended = f.t.opt.Now().UTC().Truncate(time.Microsecond)
	}
	if c := a.c; c != nil {
		ex.RemoteIP = c.remote
		version := a.split.proto
		if version == "" {
			version = "http/1.1"
		}
		ex.Protocols = []string{version}
		if c.tls != nil {
			ex.Protocols = append(ex.Protocols, tlsNames[c.tls.Version])
			ex.CipherSuite = tls.CipherSuiteName(c.tls.CipherSuite)
		}
	}
	if a.req.size > 0 {
		if !a.reqSplit.ended() {
			ex.RequestTruncated = "disconnect"
		}
	}
	var readErr error
	if ex.Request, readErr = describe(&a.req, true, f.req.Method); readErr != nil {
		return nil, readErr
	}
	ex.Response = a.response()
	ex.Status = a.split.status
	ex.ContentType, ex.ContentEncoding = a.split.contentType, a.split.contentEncoding
	if f.secrets != nil {
		if err := f.redact(ex, a); err != nil {
			return nil, fmt.Errorf("take the secrets out of the record: %w", err)
		}
	}
	ex.Fields = f.fields(a, ex)
	return ex, nil
}

var tlsNames = map[uint16]string{
	tls.VersionTLS10: "tls/1.0",
	tls.VersionTLS11: "tls/1.1",
	tls.VersionTLS12: "tls/1.2",
	tls.VersionTLS13: "tls/1.3",
}

// fields are the lines of the metadata record.
func (f *fetch) fields(a *attempt, ex *Exchange) []fetchctx.Field {
	fields := f.layers.Fields()
	for i := range fields {
		fields[i].Value = f.secrets.hide(fields[i].Value)
	}
	add := func(name, value string) { fields = append(fields, fetchctx.Field{Name: name, Value: value}) }
	add("fetchTimeMs", strconv.FormatInt(max(0, ex.Ended.Sub(ex.Started).Milliseconds()), 10))
	if f.route.proxy != nil {
		add("proxy", proxyName(f.route.proxy))
	}
	if f.t.opt.LocalAddr != nil && a.c != nil {
		add("source-address", a.c.local)
	}
	if f.route.origin != "" {
		add("origin", f.route.originName(f.scheme))
	}
	if f.silent > 0 {
		add("silent-attempts", strconv.Itoa(f.silent))
	}
	if a.excess > 0 {
		add("excess", strconv.FormatInt(a.excess, 10)+" bytes after the end of the response")
	}
	return fields
}

// truncation says why the bytes of a are not all that the server had to send.
func (a *attempt) truncation(err error) string {
	if a.wireErr != nil && a.cause == nil {
		err = a.wireErr
	}
	switch {
	case a.respSize == 0:
		return ""
	case a.split.ended() || a.split.broken() && !a.split.tooLong:
		return a.lingerCut
	case err == nil:
		return ""
	case errors.Is(err, ErrTooLarge), errors.Is(err, errLocalClose):
		return "length"
	case isTimeout(err), errors.Is(err, context.DeadlineExceeded):
		return "time"
	}
	return "disconnect"
}

// response describes the response with the digests that were computed while
// it arrived.
func (a *attempt) response() Block {
	b := Block{
		ReaderAt: &a.resp, Size: a.resp.size,
		Interim: a.split.interim, Head: a.resp.size, Excess: a.excess, PayloadSize: a.payloadSz,
	}
	if a.split.bodyKnown {
		b.Head = a.split.head
	}
	a.hash.Sum(b.SHA256[:0])
	a.payload.Sum(b.PayloadSHA256[:0])
	b.FinalSHA256 = b.SHA256
	if a.final != nil {
		a.final.Sum(b.FinalSHA256[:0])
	}
	return b
}

// describe reads buf, a request or response, and describes it.
func describe(buf *buffer, request bool, method string) (Block, error) {
	b := Block{ReaderAt: buf, Size: buf.size}
	whole, payload := sha256.New(), sha256.New()
	s := splitter{request: request, method: method, payload: func(p []byte, _ int64) {
		payload.Write(p)
		b.PayloadSize += int64(len(p))
	}}
	err := buf.pieces(0, buf.size, func(p []byte) {
		whole.Write(p)
		if n := s.write(p); s.ended() {
			b.Excess += int64(len(p) - n)
		}
	})
	if err != nil {
		return b, err
	}
	b.Interim, b.Head = s.interim, b.Size
	if s.bodyKnown {
		b.Head = s.head
	}
	whole.Sum(b.SHA256[:0])
	payload.Sum(b.PayloadSHA256[:0])
	b.FinalSHA256 = b.SHA256
	if b.Interim > 0 {
		final := sha256.New()
		if err := buf.pieces(b.Interim, b.Size, func(p []byte) { final.Write(p) }); err != nil {
			return b, err
		}
		final.Sum(b.FinalSHA256[:0])
	}
	return b, nil
}
