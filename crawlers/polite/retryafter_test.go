package polite

import (
	"net/http"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		value string
		sent  time.Time
		want  time.Duration
		ok    bool
	}{
		{"120", noon, 2 * time.Minute, true},
		{" 7 ", noon, 7 * time.Second, true},
		{"0", noon, 0, true},
		{"1.5", noon, 1500 * time.Millisecond, true},
		{"Sat, 31 Jan 2026 12:02:00 GMT", noon, 2 * time.Minute, true},
		{"Saturday, 31-Jan-26 12:02:00 GMT", noon, 2 * time.Minute, true},
		{"Sat Jan 31 12:02:00 2026", noon, 2 * time.Minute, true},
		{"Sat, 31 Jan 2026 12:02:00 GMT", noon.Add(-time.Minute), 3 * time.Minute, true}, // their clock is behind ours
		{"Sat, 31 Jan 2026 12:02:00 GMT", time.Time{}, 2 * time.Minute, true},
		{"Sat, 31 Jan 2026 11:00:00 GMT", noon, 0, true},
		{"Thu, 31 Dec 2099 00:00:00 GMT", noon, maxRest, true},
		{"99999999999999999999", noon, maxRest, true},
		{"+Inf", noon, maxRest, true},
		{"-5", noon, 0, false},
		{"NaN", noon, 0, false},
		{"soon", noon, 0, false},
		{"", noon, 0, false},
	} {
		got, ok := retryAfter(test.value, noon, test.sent)
		if got != test.want || ok != test.ok {
			t.Errorf("%q: %v %v, want %v %v", test.value, got, ok, test.want, test.ok)
		}
	}
}

func TestRateWait(t *testing.T) {
	for _, test := range []struct {
		name   string
		header map[string]string
		want   time.Duration
	}{
		{"Reddit, used up", map[string]string{"x-ratelimit-used": "100", "x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "57"}, 57 * time.Second},
		{"Reddit, one left", map[string]string{"x-ratelimit-used": "99", "x-ratelimit-remaining": "1.0", "x-ratelimit-reset": "57"}, 0},
		{"Reddit, plenty left", map[string]string{"x-ratelimit-remaining": "997.0", "x-ratelimit-reset": "300"}, 0},
		{"Tumblr, the longer of hour and day", map[string]string{
			"x-ratelimit-perhour-remaining": "0", "x-ratelimit-perhour-reset": "1800",
			"x-ratelimit-perday-remaining": "0", "x-ratelimit-perday-reset": "40000"}, 40000 * time.Second},
		{"Tumblr, only the hour", map[string]string{
			"x-ratelimit-perhour-remaining": "0", "x-ratelimit-perhour-reset": "1800",
			"x-ratelimit-perday-remaining": "4000", "x-ratelimit-perday-reset": "40000"}, 30 * time.Minute},
		{"Vimeo, a date", map[string]string{"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-01-31T12:10:00+00:00"}, 10 * time.Minute},
		{"X, Unix time", map[string]string{"x-rate-limit-limit": "900", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "1769861700"}, 15 * time.Minute},
		{"Unix time in milliseconds", map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1769861700000"}, 15 * time.Minute},
		{"IETF draft", map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": "9"}, 9 * time.Second},
		{"a reset that is past", map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1769860000"}, 0},
		{"a reset without end", map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999999999"}, maxRest},
		{"a reset that is none", map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "later"}, 0},
		{"remaining is missing", map[string]string{"X-RateLimit-Reset": "57"}, 0},
	} {
		h := http.Header{}
		for name, value := range test.header {
			h.Set(name, value)
		}
		got, why := rateWait(h, noon)
		if got != test.want || (got > 0) != (why != "") {
			t.Errorf("%s: %v (%s), want %v", test.name, got, why, test.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"120", "Sat, 31 Jan 2026 12:02:00 GMT", "1e400", "0x1p-2", "1769861700", "2026-01-31T12:10:00+00:00", "-0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if d, ok := retryAfter(value, noon, noon); d < 0 || d > maxRest || !ok && d != 0 {
			t.Fatalf("Retry-After %q: %v %v", value, d, ok)
		}
		h := http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {value}}
		if d, _ := rateWait(h, noon); d < 0 || d > maxRest {
			t.Fatalf("reset %q: %v", value, d)
		}
		h = http.Header{"X-Ratelimit-Remaining": {value}, "X-Ratelimit-Reset": {"5"}}
		if d, _ := rateWait(h, noon); d != 0 && d != 5*time.Second {
			t.Fatalf("remaining %q: %v", value, d)
		}
	})
}
