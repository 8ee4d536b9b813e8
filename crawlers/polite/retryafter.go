package polite

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRest is the longest time that an answer can close a host for. A longer
// demand only means that the host is asked once more after it.
const maxRest = 24 * time.Hour

// retryAfter reads a Retry-After field (RFC 9110 section 10.2.3): seconds, also
// with a fraction as some servers send, or an HTTP date, which is taken relative
// to the answer's Date where that is there (sent), for the server's clock may be
// off. The result is between 0 and maxRest. ok is false where the value is
// neither.
func retryAfter(value string, now, sent time.Time) (wait time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return secondsWait(seconds)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if sent.IsZero() {
		sent = now
	}
	return clampRest(at.Sub(sent)), true
}

// secondsWait turns a number of seconds into a wait; it refuses what is none.
func secondsWait(seconds float64) (time.Duration, bool) {
	switch {
	case math.IsNaN(seconds) || seconds < 0:
		return 0, false
	case seconds >= maxRest.Seconds():
		return maxRest, true
	}
	return time.Duration(seconds * float64(time.Second)), true
}

func clampRest(d time.Duration) time.Duration { return min(max(d, 0), maxRest) }

// rateFields are the families of fields by which platforms say how much of a
// budget is left and when it is whole again.
//
//	Reddit          x-ratelimit-remaining: 0.0, x-ratelimit-reset: 57 (seconds from now)
//	Tumblr          x-ratelimit-perhour-remaining|reset, x-ratelimit-perday-remaining|reset (seconds from now)
//	Vimeo, Mastodon X-RateLimit-Remaining, X-RateLimit-Reset: 2026-01-31T12:00:00+00:00
//	X               x-rate-limit-remaining, x-rate-limit-reset: 1769860800 (Unix time)
//	IETF drafts     RateLimit-Remaining, RateLimit-Reset (seconds from now)
var rateFields = [...][2]string{
	{"X-Ratelimit-Remaining", "X-Ratelimit-Reset"},
	{"X-Ratelimit-Perhour-Remaining", "X-Ratelimit-Perhour-Reset"},
	{"X-Ratelimit-Perday-Remaining", "X-Ratelimit-Perday-Reset"},
	{"X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"},
	{"Ratelimit-Remaining", "Ratelimit-Reset"},
}

// rateWait reads the platform's rate fields: how long to wait before the next
// request because a budget is used up (less than one request is left), and the
// fields that say so. 0 is no wait.
func rateWait(h http.Header, now time.Time) (wait time.Duration, why string) {
	for _, f := range rateFields {
		remaining, reset := h.Get(f[0]), h.Get(f[1])
		left, err := strconv.ParseFloat(strings.TrimSpace(remaining), 64)
		if err != nil || !(left < 1) {
			continue
		}
		d, ok := resetWait(reset, now)
		if ok && d > wait {
			wait, why = d, strings.ToLower(f[0])+": "+remaining+", "+strings.ToLower(f[1])+": "+reset
		}
	}
	return wait, why
}

// resetWait reads when a budget is whole again: seconds from now, Unix time (in
// seconds or milliseconds), an HTTP date or an RFC 3339 time.
func resetWait(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if n, err := strconv.ParseFloat(value, 64); err == nil {
		switch {
		case n >= 1e11 && n < 1e15:
			return clampRest(time.UnixMilli(int64(n)).Sub(now)), true
		case n >= 1e8 && n < 1e11:
			return clampRest(time.Unix(int64(n), 0).Sub(now)), true
		}
		return secondsWait(n)
	}
	if at, err := http.ParseTime(value); err == nil {
		return clampRest(at.Sub(now)), true
	}
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return clampRest(at.Sub(now)), true
	}
	return 0, false
}
