package polite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"pgregory.net/rapid"
)

// sheets are data sheets with every way to state a pace.
func sheets() []crawlers.About {
	return []crawlers.About{
		{
			Platform: "plaza",
			Hosts:    []string{"plaza.example", "*.plaza.example", "media.plaza.example", "api.plaza.example"},
			Routes: []crawlers.Route{
				{Name: "feed", Hosts: []string{"plaza.example"}, Every: 65 * time.Second, Robots: true},
				{Name: "html", Hosts: []string{"plaza.example", "*.plaza.example"}, Every: 5 * time.Second, Robots: true},
				{Name: "api", Hosts: []string{"api.plaza.example"}, Every: 600 * time.Millisecond, Key: "plaza"},
				{Name: "deep", Hosts: []string{"*.plaza.example"}, Every: 20 * time.Second, OptIn: true, Robots: true},
			},
		},
		{
			Platform: "forum",
			Hosts:    []string{"forum.example"},
			Routes:   []crawlers.Route{{Name: "html", Every: 3 * time.Second}},
		},
	}
}

func TestPaceOfHosts(t *testing.T) {
	o := options(newSite())
	o.Platforms = sheets()
	o.Every = map[string]time.Duration{"mirror.example": 0, "*.slow.example": time.Minute, "FORUM.example": time.Second}
	tr := build(t, o)
	for _, test := range []struct {
		url, name string
		every     time.Duration
		why       string
	}{
		{"https://plaza.example/", "plaza.example", 65 * time.Second, "plaza feed"},
		{"https://PLAZA.example.:443/", "plaza.example", 65 * time.Second, "plaza feed"},
		{"https://ana.plaza.example/", "*.plaza.example", 5 * time.Second, "plaza html"},
		{"https://a.b.plaza.example/", "*.plaza.example", 5 * time.Second, "plaza html"},
		{"https://api.plaza.example/", "api.plaza.example", 600 * time.Millisecond, "plaza api"},
		{"https://media.plaza.example/", "media.plaza.example", DefaultEvery, "default"},
		{"https://notplaza.example/", "notplaza.example", DefaultEvery, "default"},
		{"https://forum.example/", "forum.example", time.Second, "configured"},
		{"http://127.0.0.1:8080/", "127.0.0.1:8080", DefaultEvery, "default"},
		{"https://mirror.example/", "mirror.example", 0, "configured"},
		{"https://x.slow.example/", "x.slow.example", time.Minute, "configured"},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if p := tr.pool(u); p.name != test.name || p.every != test.every || p.why != test.why {
			t.Errorf("%s: %+v, want %s %v (%s)", test.url, p, test.name, test.every, test.why)
		}
	}
}

func TestOptInRouteSlowsItsHostFromItsFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(newSite())
		o.Platforms = sheets()
		tr := build(t, o)
		if g := ask(tr, Meta{Platform: "plaza", Route: "html"}, "https://ana.plaza.example/"); g.fields["pace"] != "1 request per 5s (plaza html)" {
			t.Errorf("pace %q", g.fields["pace"])
		}
		if g := ask(tr, Meta{Platform: "plaza", Route: "deep"}, "https://ana.plaza.example/"); g.fields["pace"] != "1 request per 20s (plaza deep)" || g.fields["waited"] != "22s" {
			t.Errorf("fields %v", g.fields)
		}
	})
}

// Whatever arrives when, and however long answers take: two requests to a host
// never start closer than its pace, no more are under way than allowed, and none
// starts while the host asked for a rest.
func TestPaceIsNeverUndercut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		every := rapid.SampledFrom([]time.Duration{0, time.Millisecond, 700 * time.Millisecond, 3 * time.Second}).Draw(rt, "every")
		perHost := rapid.IntRange(1, 3).Draw(rt, "per host")
		delay := rapid.SampledFrom([]int{0, 0, 2}).Draw(rt, "crawl delay")
		type arrival struct {
			after time.Duration // the arrival before
			host  int
			took  time.Duration
			rest  int // seconds, told with a 429
			gives time.Duration
		}
		arrivals := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) arrival {
			return arrival{
				after: time.Duration(rapid.IntRange(0, 4000).Draw(rt, "after ms")) * time.Millisecond,
				host:  rapid.IntRange(0, 1).Draw(rt, "host"),
				took:  time.Duration(rapid.IntRange(0, 5000).Draw(rt, "took ms")) * time.Millisecond,
				rest:  rapid.SampledFrom([]int{0, 0, 0, 1, 11}).Draw(rt, "rest s"),
				gives: time.Duration(rapid.SampledFrom([]int{0, 0, 0, 5000}).Draw(rt, "gives up after ms")) * time.Millisecond,
			}
		}), 1, 25).Draw(rt, "arrivals")
		seed := rapid.Uint64().Draw(rt, "jitter")

		s := newSite()
		var failures []string
		synctest.Test(t, func(t *testing.T) {
			o := options(s)
			o.Every = map[string]time.Duration{"*": every}
			o.PerHost = perHost
			o.MaxWait = 20 * time.Second
			var mu sync.Mutex
			o.Rand = func() float64 {
				mu.Lock()
				defer mu.Unlock()
				seed = seed*6364136223846793005 + 1442695040888963407
				return float64(seed>>40) / (1 << 24)
			}
			tr := build(t, o)
			if delay > 0 {
				for h := range 2 {
					s.on(fmt.Sprintf("https://h%d.example/robots.txt", h), answer{body: fmt.Sprintf("User-agent: *\nCrawl-delay: %d", delay)})
				}
			}
			var wg sync.WaitGroup
			for i, a := range arrivals {
				time.Sleep(a.after)
				address := fmt.Sprintf("https://h%d.example/%d", a.host, i)
				first := answer{took: a.took}
				if a.rest > 0 {
					first.status, first.header = 429, fmt.Sprintf("Retry-After: %d", a.rest)
				}
				s.mu.Lock()
				s.on(address, first, answer{took: a.took})
				s.mu.Unlock()
				wg.Go(func() {
					ctx := context.Background()
					if a.gives > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, a.gives)
						defer cancel()
					}
					start := time.Now()
					g := askWith(ctx, tr, Meta{}, "GET", address, "")
					var w *Wait
					switch {
					case g.err == nil, errors.Is(g.err, context.DeadlineExceeded):
					case errors.As(g.err, &w):
						if !w.Until.After(start) {
							mu.Lock()
							failures = append(failures, fmt.Sprintf("%v is past", w))
							mu.Unlock()
						}
					default:
						mu.Lock()
						failures = append(failures, g.err.Error())
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			for _, h := range tr.Hosts() {
				if h.Waiting != 0 || h.Active != 0 {
					failures = append(failures, fmt.Sprintf("%+v though nobody asks", h))
				}
			}
		})
		for _, f := range failures {
			rt.Error(f)
		}
		last := map[string]hit{}
		for i, h := range s.hits {
			u, _ := url.Parse(h.url)
			least := every
			if u.Path != "/robots.txt" {
				least = max(every, time.Duration(delay)*time.Second)
			}
			if before, ok := last[u.Host]; ok && h.at.Sub(before.at) < least {
				rt.Errorf("request %d, %s, came %v after %s, pace is %v", i, h.url, h.at.Sub(before.at), before.url, least)
			}
			last[u.Host] = h
			for _, a := range s.hits[:i] {
				other, _ := url.Parse(a.url)
				var n int
				fmt.Sscanf(other.Path, "/%d", &n)
				if other.Path == "/robots.txt" || other.Host != u.Host || a.answered.IsZero() || !first(s.hits, a) {
					continue
				}
				rest := time.Duration(arrivals[n].rest) * time.Second
				if h.at.After(a.answered) && h.at.Before(a.answered.Add(rest)) {
					rt.Errorf("request %d, %s, came %v after %s asked for %v", i, h.url, h.at.Sub(a.answered), a.url, rest)
				}
			}
		}
		for host, crowd := range s.crowd {
			if crowd > perHost {
				rt.Errorf("%d requests under way to %s, want at most %d", crowd, host, perHost)
			}
		}
	})
}

// first reports whether h is the first request for its URL.
func first(hits []hit, h hit) bool {
	for _, other := range hits {
		if other.url == h.url {
			return other.at.Equal(h.at)
		}
	}
	return false
}

func TestOneAtATimeUntilTheBodyIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		tr := build(t, options(s))
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://a.example/1", nil)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		done := make(chan got)
		go func() { done <- ask(tr, Meta{}, "https://a.example/2") }()
		time.Sleep(time.Minute)
		if state := tr.Hosts()[0]; state.Active != 1 || state.Waiting != 1 {
			t.Errorf("%+v", state)
		}
		resp.Body.Close()
		resp.Body.Close() // twice does no harm
		if g := <-done; g.err != nil {
			t.Fatal(g.err)
		}
		if at := s.times("https://a.example/2", start)[0]; at != time.Minute {
			t.Errorf("second request after %v, want when the first body was closed", at)
		}

		// A body that is never closed gives its turn back with its context.
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := tr.RoundTrip(req.Clone(ctx)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if g := ask(tr, Meta{}, "https://a.example/3"); g.err != nil {
			t.Error(g.err)
		}
	})
}

func TestGivingUpWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(newSite())
		o.Every = map[string]time.Duration{"*": time.Minute}
		tr := build(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(90 * time.Second)
			cancel()
		}()
		ask(tr, Meta{}, "https://a.example/1")
		start := time.Now()
		if g := askWith(ctx, tr, Meta{}, "GET", "https://a.example/2", ""); !errors.Is(g.err, context.Canceled) {
			t.Errorf("error %v, want canceled", g.err)
		}
		if took := time.Since(start); took != 24*time.Second { // its slot was 66 s after the one before
			t.Errorf("gave up after %v", took)
		}
		if h := tr.Hosts()[0]; h.Waiting != 0 || h.Active != 0 {
			t.Errorf("%+v", h)
		}
	})
}

func TestWaitBeyondTheDeadlineIsNotSlept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(newSite())
		o.Every = map[string]time.Duration{"*": time.Minute}
		tr := build(t, o)
		ask(tr, Meta{}, "https://a.example/1")
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		w := wantWait(t, askWith(ctx, tr, Meta{}, "GET", "https://a.example/2", "").err)
		if time.Since(start) != 0 || w.Until.Sub(start) != 66*time.Second || w.Host != "a.example" || w.Reason != "pace: 1 request per 1m0s (configured), 1 waiting" {
			t.Errorf("after %v: %v", time.Since(start), w)
		}
		// The slot was not used up.
		if g := ask(tr, Meta{}, "https://a.example/3"); g.err != nil || time.Since(start) != 66*time.Second {
			t.Errorf("after %v: error %v", time.Since(start), g.err)
		}
	})
}

func TestRestAndHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := build(t, options(newSite()))
		u, _ := url.Parse("https://a.example/x")
		if next := tr.Next(u); !next.IsZero() {
			t.Errorf("next %v of a host that was not asked yet", next)
		}
		ask(tr, Meta{}, "https://b.example/x")
		until := time.Now().Add(time.Hour)
		if err := tr.Rest(t.Context(), u, until, "blocked\nby network policy"); err != nil {
			t.Fatal(err)
		}
		if err := tr.Rest(t.Context(), u, until.Add(-time.Minute), "less"); err != nil {
			t.Fatal(err)
		}
		w := wantWait(t, ask(tr, Meta{}, "https://a.example/x").err)
		if !w.Until.Equal(until) || w.Reason != "blocked by network policy" {
			t.Errorf("%+v", w)
		}
		hosts := tr.Hosts()
		if len(hosts) != 2 || hosts[0].Host != "a.example" || !hosts[0].RestUntil.Equal(until) || hosts[0].Reason != "blocked by network policy" || !hosts[0].Next.Equal(until) {
			t.Errorf("%+v", hosts)
		}
		if b := hosts[1]; b.Host != "b.example" || b.LastStatus != 200 || time.Until(b.Next) != 2*time.Second || b.Every != 2*time.Second {
			t.Errorf("%+v", b)
		}
		if next := tr.Next(u); !next.Equal(until) {
			t.Errorf("next %v, want %v", next, until)
		}
	})
}

// Workers that share a gate keep the pace together, and a host that one of them
// closed gives slots to none.
func TestSharedGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		gate := NewMemGate(nil)
		var workers []*Transport
		for i := range 3 {
			o := options(s)
			o.Gate = gate
			o.Rand = func() float64 { return float64(i*7%3) / 3 } // each another jitter
			workers = append(workers, build(t, o))
		}
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				if g := ask(workers[i%3], Meta{}, "https://a.example/x"); g.err != nil {
					t.Error(g.err)
				}
			})
		}
		wg.Wait()
		for i := range s.hits[1:] {
			if gap := s.hits[i+1].at.Sub(s.hits[i].at); gap < DefaultEvery {
				t.Errorf("request %d came %v after the one before", i+1, gap)
			}
		}
		u, _ := url.Parse("https://a.example/")
		until := time.Now().Add(time.Minute)
		if err := workers[0].Rest(t.Context(), u, until, "blocked"); err != nil {
			t.Fatal(err)
		}
		ask(workers[1], Meta{}, "https://a.example/y")
		if at := s.hits[len(s.hits)-1].at; at.Before(until) {
			t.Errorf("another worker asked %v before the host opens", until.Sub(at))
		}

		// Slots that were given out before the host was closed are void: their
		// holders queue up again, together with the other workers' requests.
		before := len(s.hits)
		for range 4 {
			wg.Go(func() { ask(workers[0], Meta{}, "https://a.example/z") })
		}
		synctest.Wait()
		if err := workers[0].Rest(t.Context(), u, time.Now().Add(time.Minute), "blocked"); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			wg.Go(func() { ask(workers[1], Meta{}, "https://a.example/z") })
		}
		wg.Wait()
		for i := before; i < len(s.hits); i++ {
			if gap := s.hits[i].at.Sub(s.hits[i-1].at); gap < DefaultEvery {
				t.Errorf("request %d came %v after the one before", i, gap)
			}
		}
	})
}

// A host that is closed while requests have their slots is not asked, and they
// queue up again behind its opening.
func TestClosedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		tr := build(t, options(s))
		u, _ := url.Parse("https://a.example/")
		ask(tr, Meta{}, "https://a.example/first")
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() { ask(tr, Meta{}, fmt.Sprintf("https://a.example/%d", i)) })
		}
		synctest.Wait()
		opens := time.Now().Add(time.Minute)
		if err := tr.Rest(t.Context(), u, opens, "blocked"); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if n := len(s.hits); n != 7 {
			t.Fatalf("%d requests", n)
		}
		for i, h := range s.hits[2:] {
			least := opens.Add(time.Duration(i) * DefaultEvery)
			if h.at.Before(least) || h.at.After(least.Add(time.Duration(i+1)*time.Second)) {
				t.Errorf("request %d came %v after the opening", i, h.at.Sub(opens))
			}
		}
	})
}

// A gate that fails (a database that is away) stops the crawl with its error.
func TestGateFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		o := options(s)
		o.Gate = brokenGate{}
		g := ask(build(t, o), Meta{}, "https://a.example/x")
		if !errors.Is(g.err, errGate) || len(s.hits) != 0 {
			t.Errorf("error %v, %d requests", g.err, len(s.hits))
		}
	})
}

var errGate = errors.New("no database")

type brokenGate struct{}

func (brokenGate) Reserve(context.Context, string, time.Duration, time.Time) (time.Time, bool, error) {
	return time.Time{}, false, errGate
}
func (brokenGate) Delay(context.Context, string, time.Time) error { return errGate }
