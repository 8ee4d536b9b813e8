package crawlers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// An Outcomer is an error that knows the outcome of the fetch it ended. The
// layers of the transport use it: robots_denied, refused_address, needs_key.
type Outcomer interface {
	error
	Outcome() post.Outcome
}

// A Waiter is an error that knows how long to wait before asking again.
type Waiter interface {
	error
	RetryAfter() time.Duration
}

// ClassifyError gives the outcome of a fetch that ended without a response, and
// the words for it.
func ClassifyError(err error) (post.Outcome, string) {
	reason := err.Error()
	var known Outcomer
	if errors.As(err, &known) && known.Outcome() != "" {
		return known.Outcome(), known.Error()
	}
	var dns *net.DNSError
	var (
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &dns):
		return post.DNSError, reason
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &alert),
		errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid):
		return post.TLSError, reason
	case isTimeout(err):
		return post.Timeout, reason
	case strings.Contains(reason, "tls: "):
		return post.TLSError, reason
	}
	return post.ConnectError, reason
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// classifyCut gives the outcome of a body that ended with err.
func classifyCut(err error) (post.Outcome, string) {
	var known Outcomer
	switch {
	case errors.As(err, &known) && known.Outcome() != "":
		return known.Outcome(), known.Error()
	case isTimeout(err):
		return post.Timeout, "the body: " + err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return post.CutBody, "the peer ended the body early"
	}
	return post.CutBody, "the body: " + err.Error()
}

// RetryAfter reads the field of that name (RFC 9110 §10.2.3): seconds, or a
// date. It gives 0 where it is missing, malformed or in the past.
func RetryAfter(h Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if s <= 0 || s > 1e8 {
			return 0
		}
		return time.Duration(s * float64(time.Second))
	}
	for _, layout := range []string{time.RFC1123, time.RFC850, time.ANSIC} {
		if at, err := time.Parse(layout, v); err == nil && at.After(now) {
			return at.Sub(now)
		}
	}
	return 0
}
