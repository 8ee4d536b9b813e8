package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/frontier"
	"github.com/refrain-archive/refrain/crawlers/web"
	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

// ring is a site of n pages, each of which links to the next three and to the first.
type ring struct {
	n     int
	mu    sync.Mutex
	asked map[string]int
}

func (r *ring) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[req.URL.Path]++
	var at int
	fmt.Sscanf(req.URL.Path, "/p%d", &at)
	body := fmt.Sprintf("<!doctype html><title>Page %d</title><p>%s<a href=/p0>first</a>", at, strings.Repeat("A page of a ring. ", 20))
	for k := 1; k <= 3; k++ {
		body += fmt.Sprintf("<a href=/p%d>next</a>", (at+k)%r.n)
	}
	fetchctx.From(req.Context()).SetResult(fetchctx.Result{Capture: post.Capture{RecordID: "urn:uuid:" + req.URL.Path}})
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// A page that many pages link to, at many depths, is fetched once, and as early
// as the shortest way to it.
func TestFollowFetchesOnce(t *testing.T) {
	for _, test := range []struct{ depth, pages int }{{0, 1}, {1, 4}, {2, 7}, {3, 10}, {50, 30}} {
		site := &ring{n: 30, asked: map[string]int{}}
		d, err := crawlers.NewDriver(crawlers.Options{
			Collectors: []crawlers.Collector{web.Collector{}}, Transport: site, Frontier: frontier.Memory(), PerHost: 1,
			Save:       func(context.Context, crawlers.Fetched) error { return nil },
			FirstState: map[string][]byte{web.Platform: web.WithDepth(test.depth)},
		})
		if err != nil {
			t.Fatal(err)
		}
		seed, err := crawlers.ParseSeed("http://ring.example/p0")
		if err != nil {
			t.Fatal(err)
		}
		sum, err := d.Run(t.Context(), []crawlers.Seed{seed})
		if err != nil || sum.Left != 0 {
			t.Fatalf("depth %d: %d left, %v", test.depth, sum.Left, err)
		}
		if len(site.asked) != test.pages || sum.Stats.Requests != test.pages {
			t.Errorf("depth %d: %d pages in %d requests, want %d in as many", test.depth, len(site.asked), sum.Stats.Requests, test.pages)
		}
	}
}
