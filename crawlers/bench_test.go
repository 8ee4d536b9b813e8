package crawlers_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/frontier"
	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

// instant answers at once with one more page, and records nothing: what is left
// is the driver's own cost.
type instant struct{ pages int }

func (s instant) RoundTrip(req *http.Request) (*http.Response, error) {
	var n int
	fmt.Sscanf(req.URL.Query().Get("before"), "%d", &n)
	next := ""
	if n+1 < s.pages {
		next = fmt.Sprint(n + 1)
	}
	body := page(next, fmt.Sprintf("%d-%s", n, req.URL.Path))
	fetchctx.From(req.Context()).SetResult(fetchctx.Result{Capture: post.Capture{RecordID: "urn:uuid:1"}})
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)), Request: req}, nil
}

// BenchmarkDriver is one step through driver and frontier: request, colly,
// reading a page of one post, commit. One target is a chain, where each step
// waits for the one before; 64 are independent of each other.
func BenchmarkDriver(b *testing.B) {
	for _, targets := range []int{1, 64} {
		for name, f := range map[string]func() crawlers.Frontier{"disk": func() crawlers.Frontier { return frontier.Dir(b.TempDir()) }} {
			b.Run(fmt.Sprintf("%s/targets=%d", name, targets), func(b *testing.B) {
				steps := 0
				d, err := crawlers.NewDriver(crawlers.Options{
					Collectors: []crawlers.Collector{plaza{}}, Frontier: f(), Transport: instant{max(b.N/targets, 1)}, PerHost: 16,
					Save: func(context.Context, crawlers.Fetched) error { return nil },
				})
				if err != nil {
					b.Fatal(err)
				}
				var seeds []crawlers.Seed
				for i := range targets {
					s, err := crawlers.ParseSeed(fmt.Sprintf("https://plaza.example/u/a%d", i))
					if err != nil {
						b.Fatal(err)
					}
					seeds = append(seeds, s)
				}
				before := cpu()
				sum, err := d.Run(b.Context(), seeds)
				if err != nil {
					b.Fatal(err)
				}
				steps = sum.Stats.Requests
				b.ReportMetric(float64((cpu()-before).Microseconds())/float64(steps), "CPU-µs/step")
			})
		}
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
