package capture

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/refrain-archive/refrain/post"
)

// Error is a fetch that failed, from RoundTrip or from the response's body.
type Error struct {
	URL     string       // secrets replaced
	Outcome post.Outcome // "" if the fault is ours or the caller's: cancelled, not recorded
	text    string
	err     error
}

// Error is one line, without secrets.
func (e *Error) Error() string { return "fetch " + e.URL + ": " + e.text }

// Unwrap gives the cause. It is nil where the cause's words hold a secret.
func (e *Error) Unwrap() error { return e.err }

// Causes that a caller may look for with errors.Is.
var (
	ErrTooLarge    = errors.New("the response is larger than the limit")
	ErrNotRecorded = errors.New("the exchange could not be recorded, so nothing of it is believed")
)

// Causes inside the package.
var (
	errTotalTime   = &timeoutError{"time limit of the whole fetch exceeded"}
	errIdleTime    = &timeoutError{"no bytes within the idle time limit"}
	errCut         = fmt.Errorf("the connection ended before the response did: %w", io.ErrUnexpectedEOF)
	errStray       = errors.New("the server sent bytes that no request asked for")
	errDesync      = errors.New("the connection holds an earlier response that was not read to its end")
	errAfterEnd    = errors.New("the exchange on this connection is over")
	errLocalClose  = errors.New("the response's body was closed before its end")
	errNoRecorder  = errors.New("capture: Options.Recorder is missing")
	errShortSecret = fmt.Errorf("a secret of fewer than %d bytes cannot be told from other text: use a longer key", minSecret)
)

// timeoutError is a time limit of ours. It is a net.Error.
type timeoutError struct{ text string }

func (e *timeoutError) Error() string        { return e.text }
func (e *timeoutError) Timeout() bool        { return true }
func (e *timeoutError) Temporary() bool      { return true }
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// A stageError says at what a connection failed.
type stageError struct {
	outcome post.Outcome
	doing   string
	err     error
}

func (e *stageError) Error() string { return e.doing + ": " + e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

// A refusedError is Options.Guard's refusal.
type refusedError struct {
	address string
	err     error
}

func (e *refusedError) Error() string { return e.address + " is refused: " + e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// OutcomeOf says which outcome err is: dns_error, tls_error, connect_error,
// timeout, cut_body, too_large, refused_address, or server_error for an answer
// that is not HTTP or whose content coding is broken. It is false for nil, for
// a cancelled fetch, for one that could not be recorded, and for errors that
// are not of a fetch.
func OutcomeOf(err error) (post.Outcome, bool) {
	if err == nil || errors.Is(err, ErrNotRecorded) {
		return "", false
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Outcome, e.Outcome != ""
	}
	o := outcomeOf(err, false)
	return o, o != ""
}

// outcomeOf classifies what net/http and the dialer give. answered says
// whether bytes of a response arrived.
func outcomeOf(err error, answered bool) post.Outcome {
	var (
		stage   *stageError
		refused *refusedError
		dns     *net.DNSError
		net_    net.Error
	)
	switch {
	case errors.Is(err, ErrNotRecorded), errors.Is(err, errLocalClose):
		return ""
	case errors.Is(err, ErrTooLarge):
		return post.TooLarge
	case errors.Is(err, errStray):
		return post.ServerError
	case errors.As(err, &refused):
		return post.RefusedAddress
	case errors.As(err, &dns) && !errors.Is(err, context.Canceled):
		return post.DNSError
	case errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &net_) && net_.Timeout():
		return post.Timeout
	case errors.As(err, &stage):
		return stage.outcome
	case isTLS(err):
		return post.TLSError
	case answered:
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.As(err, new(*net.OpError)) {
			return post.CutBody
		}
		return post.ServerError
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, new(*net.OpError)):
		return post.ConnectError
	}
	return ""
}

func isTLS(err error) bool {
	return errors.As(err, new(tls.RecordHeaderError)) || errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.As(err, new(tls.AlertError))
}
