package polite

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/internal/fetchctx"
)

// BenchmarkRoundTrip is what the layers cost beside the request itself: no pace,
// a robots.txt of 100 rules, the data sheets of 20 platforms.
func BenchmarkRoundTrip(b *testing.B) {
	robots := "User-agent: *\n" + strings.Repeat("Disallow: /folder/*/private?x=\n", 100)
	o := options(roundTripper(func(req *http.Request) (*http.Response, error) {
		body := "ok"
		if req.URL.Path == "/robots.txt" {
			body = robots
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
	}))
	for range 10 {
		o.Platforms = append(o.Platforms, sheets()...)
	}
	o.Every = map[string]time.Duration{"*": 0}
	tr, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ctx, _ := fetchctx.New(WithRequest(b.Context(), Meta{Platform: "plaza", Route: "html"}))
		req, err := http.NewRequestWithContext(ctx, "GET", "https://ana.plaza.example/posts/2026/some-title?page=2", nil)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
