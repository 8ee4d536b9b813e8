package polite

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/fetchctx"
)

const forbidPrivate = "User-agent: *\nDisallow: /private\n"

func TestRobotsVerdicts(t *testing.T) {
	apiSheet := crawlers.About{Platform: "plaza", Keys: []crawlers.Key{{Name: "plaza", Scheme: crawlers.KeyBearer, Hosts: []string{"a.example"}}}}
	for _, test := range []struct {
		name     string
		meta     Meta
		override string
		url      string
		denied   bool
		fields   map[string]string
	}{
		{name: "no rule", url: "https://a.example/x",
			fields: map[string]string{"robots": "allowed", "robots-rule": "", "robots-record": "urn:uuid:1"}},
		{name: "allowed by a rule", url: "https://a.example/private/press",
			fields: map[string]string{"robots": "allowed", "robots-rule": "Allow: /private/press (line 3, group *)", "robots-record": "urn:uuid:1"}},
		{name: "denied", url: "https://a.example/private/x", denied: true,
			fields: map[string]string{"robots": "denied", "robots-rule": "Disallow: /private (line 2, group *)", "robots-record": "urn:uuid:1"}},
		{name: "overridden, would be denied", override: "court order\n7/26", url: "https://a.example/private/x",
			fields: map[string]string{"robots": "override (denied): court order 7/26", "robots-rule": "Disallow: /private (line 2, group *)", "robots-record": "urn:uuid:1"}},
		{name: "overridden, would be allowed", override: "court order", url: "https://a.example/x",
			fields: map[string]string{"robots": "override (allowed): court order", "robots-record": "urn:uuid:1"}},
		{name: "an API with a key", meta: Meta{Platform: "plaza", Key: "plaza"}, url: "https://a.example/private/x",
			fields: map[string]string{"robots": "not-applicable (key plaza, documented API)", "key": "plaza", "robots-record": ""}},
		{name: "a route that robots binds though it has a key", meta: Meta{Platform: "plaza", Key: "plaza", Robots: true}, url: "https://a.example/private/x", denied: true,
			fields: map[string]string{"robots": "denied"}},
		{name: "robots.txt itself", url: "https://a.example/robots.txt",
			fields: map[string]string{"robots": "allowed (robots.txt itself)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite().on("https://a.example/robots.txt", answer{body: forbidPrivate + "Allow: /private/press\n"})
				o := options(s)
				o.Platforms = []crawlers.About{apiSheet}
				o.Keys = map[string]Credential{"plaza": {Secret: "k"}}
				if test.override != "" {
					o.RobotsOverride = &Override{Reason: test.override}
				}
				g := ask(build(t, o), test.meta, test.url)
				if test.denied {
					d := wantDenied(t, g.err)
					if d.URL != test.url || d.Rule != "Disallow: /private" || d.Line != 2 || d.Group != "*" || d.Robots != "https://a.example/robots.txt" || d.Record != "urn:uuid:1" {
						t.Errorf("%+v", d)
					}
					if strings.Contains(s.urls(), "/private") {
						t.Error("a denied request was sent")
					}
				} else if g.err != nil {
					t.Fatal(g.err)
				}
				for name, want := range test.fields {
					if g.fields[name] != want {
						t.Errorf("%s: %q, want %q", name, g.fields[name], want)
					}
				}
			})
		})
	}
}

func TestRobotsAnswers(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, forbidPrivate)
	z.Close()
	const robots = "https://a.example/robots.txt"
	for _, test := range []struct {
		name  string
		site  func(*site)
		allow bool // of /private
		asks  int  // requests for a robots.txt or where it leads
	}{
		{"200", func(s *site) { s.on(robots, answer{body: forbidPrivate}) }, false, 1},
		{"empty", func(s *site) { s.on(robots, answer{body: ""}) }, true, 1},
		{"gzip that was left on", func(s *site) { s.on(robots, answer{header: "Content-Encoding: gzip", body: zipped.String()}) }, false, 1},
		{"401", func(s *site) { s.on(robots, answer{status: 401, body: forbidPrivate}) }, true, 1},
		{"403", func(s *site) { s.on(robots, answer{status: 403}) }, true, 1},
		{"404", func(s *site) { s.on(robots, answer{status: 404, body: forbidPrivate}) }, true, 1},
		{"410", func(s *site) { s.on(robots, answer{status: 410}) }, true, 1},
		{"500, tried again", func(s *site) { s.on(robots, answer{status: 500}) }, false, 3},
		{"500, then 200", func(s *site) { s.on(robots, answer{status: 500}, answer{body: "User-agent: *\nDisallow:"}) }, true, 2},
		{"501, not tried again", func(s *site) { s.on(robots, answer{status: 501}) }, false, 1},
		{"redirect to another host", func(s *site) {
			s.on(robots, answer{status: 301, header: "Location: https://b.example/r"}).on("https://b.example/r", answer{body: forbidPrivate})
		}, false, 2},
		{"five relative redirects", func(s *site) { redirects(s, robots, 5) }, false, 6},
		{"six redirects are too many", func(s *site) { redirects(s, robots, 6) }, true, 6},
		{"redirect to itself", func(s *site) { s.on(robots, answer{status: 302, header: "Location: /robots.txt"}) }, true, 6},
		{"redirect to nowhere", func(s *site) { s.on(robots, answer{status: 302}) }, true, 1},
		{"redirect to a file", func(s *site) { s.on(robots, answer{status: 302, header: "Location: file:///etc/passwd"}) }, true, 1},
		{"304 without being asked for", func(s *site) { s.on(robots, answer{status: 304}) }, true, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite()
				test.site(s)
				g := ask(build(t, options(s)), Meta{}, "https://a.example/private")
				asks := len(s.hits)
				if test.allow {
					asks--
					if g.err != nil {
						t.Fatalf("error %v, want none", g.err)
					}
				} else {
					wantDenied(t, g.err)
				}
				if asks != test.asks {
					t.Errorf("%d requests for robots.txt, want %d: %s", asks, test.asks, s.urls())
				}
			})
		})
	}
}

// redirects makes a chain of n relative redirects from robots.txt to a file.
func redirects(s *site, robots string, n int) {
	for i := range n {
		s.on(robots, answer{status: 307, header: fmt.Sprintf("Location: /r%d", i)})
		robots = fmt.Sprintf("https://a.example/r%d", i)
	}
	s.on(robots, answer{body: forbidPrivate})
}

func TestRobotsUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const robots, page = "https://a.example/robots.txt", "https://a.example/x"
		s := newSite().on(robots, answer{status: 503}, answer{status: 503}, answer{status: 503}, answer{body: forbidPrivate})
		tr := build(t, options(s))
		g := ask(tr, Meta{}, page)
		d := wantDenied(t, g.err)
		if d.Unreachable != "status 503" || g.fields["robots"] != "unreachable" {
			t.Errorf("%+v, fields %v", d, g.fields)
		}
		time.Sleep(9 * time.Minute)
		wantDenied(t, ask(tr, Meta{}, page).err)
		if len(s.hits) != 3 {
			t.Errorf("asked again too early: %s", s.urls())
		}
		time.Sleep(time.Until(d.RetryAt))
		if g := ask(tr, Meta{}, page); g.err != nil || g.fields["robots"] != "allowed" {
			t.Errorf("error %v, fields %v", g.err, g.fields)
		}

		o := options(newSite().on(robots, answer{status: 500}))
		o.RobotsOverride = &Override{Reason: "case 12"}
		if g := ask(build(t, o), Meta{}, page); g.err != nil || g.fields["robots"] != "override (unreachable): case 12" || g.fields["robots-rule"] != "none: status 500" {
			t.Errorf("error %v, fields %v", g.err, g.fields)
		}
	})
}

// A site that is not there is that, and not one that forbids: the driver sees
// the cause, but nothing else is asked.
func TestRobotsNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := &net.DNSError{Err: "no such host", Name: "a.example", IsNotFound: true}
		s := newSite().on("https://a.example/robots.txt", answer{err: gone})
		tr := build(t, options(s))
		for range 3 {
			var dns *net.DNSError
			if g := ask(tr, Meta{}, "https://a.example/x"); !errors.As(g.err, &dns) {
				t.Fatalf("error %v, want the DNS error", g.err)
			}
		}
		if len(s.hits) != 1 {
			t.Errorf("asked %s, want robots.txt once", s.urls())
		}
		cut := newSite().on("https://a.example/robots.txt", answer{body: "User-agent: *\nDis", bodyErr: io.ErrUnexpectedEOF})
		if g := ask(build(t, options(cut)), Meta{}, "https://a.example/x"); !errors.Is(g.err, io.ErrUnexpectedEOF) {
			t.Errorf("cut robots.txt: error %v", g.err)
		}
		lost := newSite().on("https://a.example/robots.txt", answer{lost: errors.New("disk full")})
		if g := ask(build(t, options(lost)), Meta{}, "https://a.example/x"); g.err == nil || !strings.Contains(g.err.Error(), "disk full") {
			t.Errorf("robots.txt that was not recorded: error %v", g.err)
		}
	})
}

func TestRobots429IsAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on("https://a.example/robots.txt", answer{status: 429, header: "Retry-After: 3600"}, answer{body: forbidPrivate})
		tr := build(t, options(s))
		w := wantWait(t, ask(tr, Meta{}, "https://a.example/x").err)
		if in := time.Until(w.Until); in != time.Hour {
			t.Errorf("wait %v, want 1h", in)
		}
		wantWait(t, ask(tr, Meta{}, "https://a.example/x").err)
		time.Sleep(time.Hour)
		if g := ask(tr, Meta{}, "https://a.example/x"); g.err != nil {
			t.Error(g.err)
		}
	})
}

func TestRobotsAskedOncePerOriginAndDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		tr := build(t, options(s))
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if g := ask(tr, Meta{}, fmt.Sprintf("https://A.example:443/%d", i)); g.err != nil {
					t.Error(g.err)
				}
			})
		}
		wg.Wait()
		for _, url := range []string{"http://a.example/x", "https://a.example:8443/x", "https://a.example./x"} {
			if g := ask(tr, Meta{}, url); g.err != nil {
				t.Error(g.err)
			}
		}
		for url, want := range map[string]int{"https://a.example/robots.txt": 1, "http://a.example/robots.txt": 1, "https://a.example:8443/robots.txt": 1} {
			if n := len(s.times(url, time.Now())); n != want {
				t.Errorf("%s was asked for %d times, want %d", url, n, want)
			}
		}
		time.Sleep(24 * time.Hour)
		ask(tr, Meta{}, "https://a.example/x")
		if n := len(s.times("https://a.example/robots.txt", time.Now())); n != 2 {
			t.Errorf("after a day robots.txt was asked for %d times, want 2", n)
		}
	})
}

// Whoever asks for robots.txt may give up; the others must not suffer.
func TestRobotsFirstAskerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on("https://a.example/robots.txt", answer{took: 10 * time.Second, body: forbidPrivate})
		tr := build(t, options(s))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if g := askWith(ctx, tr, Meta{}, "GET", "https://a.example/x", ""); !errors.Is(g.err, context.DeadlineExceeded) {
				t.Errorf("error %v, want the deadline", g.err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if g := ask(tr, Meta{}, "https://a.example/x"); g.err != nil {
				t.Error(g.err)
			}
		})
		wg.Wait()
	})
}

func TestRobotsJudgesTheExactURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on("https://a.example/robots.txt", answer{body: "User-agent: *\nDisallow: /a/../b"})
		ctx := fetchctx.WithURL(t.Context(), "https://a.example/a/../b")
		wantDenied(t, askWith(ctx, build(t, options(s)), Meta{}, "GET", "https://a.example/b", "").err)
	})
}

// What the driver marked a request with is not true of the request for
// robots.txt that comes before it.
func TestRobotsRequestBearsNoMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type mark struct{}
		marked := map[string]any{}
		s := newSite()
		o := options(roundTripper(func(req *http.Request) (*http.Response, error) {
			marked[req.URL.Path] = req.Context().Value(mark{})
			return s.RoundTrip(req)
		}))
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), mark{}, "page"))
		defer cancel()
		if g := askWith(ctx, build(t, o), Meta{}, "GET", "https://a.example/x", ""); g.err != nil {
			t.Fatal(g.err)
		}
		if marked["/robots.txt"] != nil || marked["/x"] != "page" {
			t.Errorf("marks %v", marked)
		}
	})
}

func TestCrawlDelayIsTheLeastPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on("https://a.example/robots.txt", answer{body: "User-agent: *\nCrawl-delay: 30"})
		o := options(s)
		o.Every = map[string]time.Duration{"*": 0}
		tr := build(t, o)
		start := time.Now()
		var g got
		for range 3 {
			g = ask(tr, Meta{}, "https://a.example/x")
		}
		times := s.times("https://a.example/x", start)
		if len(times) != 3 || times[0] < 30*time.Second || times[1]-times[0] < 30*time.Second || times[2]-times[1] < 30*time.Second {
			t.Errorf("asked at %v", times)
		}
		if want := "1 request per 30s (Crawl-delay of https://a.example/robots.txt)"; g.fields["pace"] != want {
			t.Errorf("pace %q, want %q", g.fields["pace"], want)
		}
	})
}

func TestRobotsCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		o := options(s)
		o.Every = map[string]time.Duration{"*": 0}
		tr := build(t, o)
		for i := range maxHosts + 200 {
			if g := ask(tr, Meta{}, fmt.Sprintf("https://h%d.example/", i)); g.err != nil {
				t.Fatal(g.err)
			}
			time.Sleep(time.Millisecond)
		}
		gate := tr.gate.(*MemGate)
		if len(tr.robots.entries) > maxHosts || len(tr.hosts) > maxHosts || len(gate.hosts) > maxHosts {
			t.Errorf("%d robots.txt, %d hosts, %d buckets are kept, want at most %d", len(tr.robots.entries), len(tr.hosts), len(gate.hosts), maxHosts)
		}
	})
}
