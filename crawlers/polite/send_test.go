package polite

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/refrain-archive/refrain/post"
)

const page = "https://a.example/x"

// atOnce has no pace, so that what is slept is what an answer asked for.
func atOnce(s *site) Options {
	o := options(s)
	o.Every = map[string]time.Duration{"*": 0}
	return o
}

func TestWaitsAsTold(t *testing.T) {
	date := "Date: Sat, 01 Jan 2000 00:00:00 GMT\n" // the start of a bubble's time
	for _, test := range []struct {
		name   string
		first  answer
		wait   time.Duration // before the next request to the host
		again  bool          // and the same request is sent again
		reason string
	}{
		{"429, seconds", answer{status: 429, header: "Retry-After: 7"}, 7 * time.Second, true, "status 429, Retry-After: 7"},
		{"429, date", answer{status: 429, header: date + "Retry-After: Sat, 01 Jan 2000 00:01:30 GMT"}, 90 * time.Second, true, "status 429, Retry-After: Sat, 01 Jan 2000 00:01:30 GMT"},
		{"503, seconds", answer{status: 503, header: "Retry-After: 40"}, 40 * time.Second, true, "status 503, Retry-After: 40"},
		{"429 and a used-up budget", answer{status: 429, header: "X-Ratelimit-Perhour-Remaining: 0\nX-Ratelimit-Perhour-Reset: 600"}, 10 * time.Minute, true, "status 429, x-ratelimit-perhour-remaining: 0, x-ratelimit-perhour-reset: 600"},
		{"429 that does not say", answer{status: 429}, time.Minute, false, "status 429"},
		{"429 that cannot be read", answer{status: 429, header: "Retry-After: soon"}, time.Minute, false, "status 429"},
		{"200 with the last of a budget", answer{header: "X-Ratelimit-Remaining: 0.0\nX-Ratelimit-Reset: 57"}, 57 * time.Second, false, "status 200, x-ratelimit-remaining: 0.0, x-ratelimit-reset: 57"},
		{"200 with Retry-After", answer{header: "Retry-After: 7"}, 0, false, ""},
		{"403", answer{status: 403, header: "Retry-After: 7"}, 0, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite().on(page, test.first, answer{body: "ok"})
				tr := build(t, atOnce(s))
				start := time.Now()
				g := ask(tr, Meta{}, page)
				if g.err != nil {
					t.Fatal(g.err)
				}
				if state := tr.Hosts()[0]; state.Reason != test.reason || !state.RestUntil.Equal(start.Add(test.wait)) && test.wait > 0 {
					t.Errorf("host %+v", state)
				}
				if !test.again {
					if status := max(test.first.status, 200); g.status != status {
						t.Errorf("status %d, want the first answer's %d", g.status, status)
					}
					g = ask(tr, Meta{}, page)
				}
				times := s.times(page, start)
				if g.body != "ok" || len(times) != 2 || times[1] != test.wait {
					t.Errorf("%q, asked at %v; want again after %v", g.body, times, test.wait)
				}
				if test.again && g.fields["attempt"] != "2 ("+test.reason+" before)" {
					t.Errorf("attempt %q", g.fields["attempt"])
				}
			})
		})
	}
}

func TestLongWaitIsNotSlept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on(page, answer{status: 429, header: "Retry-After: 3600", body: "slow down"}, answer{body: "ok"})
		tr := build(t, atOnce(s))
		start := time.Now()
		if g := ask(tr, Meta{}, page); g.status != 429 || g.body != "slow down" {
			t.Errorf("%+v, want the answer itself: its content decides", g)
		}
		w := wantWait(t, ask(tr, Meta{}, "https://a.example/other").err)
		if time.Since(start) != 0 || w.Until.Sub(start) != time.Hour || w.Host != "a.example" || w.Reason != "status 429, Retry-After: 3600" {
			t.Errorf("after %v: %+v", time.Since(start), w)
		}
		if g := ask(tr, Meta{}, "https://b.example/"); g.err != nil {
			t.Errorf("another host must not wait: %v", g.err)
		}
		time.Sleep(50 * time.Minute) // now it is near enough to be slept
		if g := ask(tr, Meta{}, page); g.body != "ok" || time.Since(start) != time.Hour {
			t.Errorf("after %v: %+v", time.Since(start), g)
		}
	})
}

func TestRefusalsInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on(page, answer{status: 429, header: "Retry-After: 1"})
		o := atOnce(s)
		o.MaxTries = 1
		tr := build(t, o)
		for i, want := range []time.Duration{time.Second, time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
			before := time.Now()
			ask(tr, Meta{}, page)
			if rest := time.Until(tr.Hosts()[0].RestUntil); rest != want {
				t.Errorf("refusal %d: rest %v, want %v", i+1, rest, want)
			}
			time.Sleep(time.Until(tr.Hosts()[0].RestUntil))
			_ = before
		}
		for range 20 {
			ask(tr, Meta{}, page)
			time.Sleep(time.Until(tr.Hosts()[0].RestUntil))
		}
		ask(tr, Meta{}, page)
		if rest := time.Until(tr.Hosts()[0].RestUntil); rest != time.Hour {
			t.Errorf("after many refusals: rest %v, want 1h", rest)
		}
		time.Sleep(time.Hour)
		ask(tr, Meta{}, "https://a.example/fine")
		ask(tr, Meta{}, page)
		if rest := time.Until(tr.Hosts()[0].RestUntil); rest != time.Second {
			t.Errorf("after a good answer: rest %v, want 1s", rest)
		}
	})
}

func TestTriesAgain(t *testing.T) {
	broken := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	ok := answer{body: "ok"}
	for _, test := range []struct {
		name   string
		method string // empty is GET
		first  []answer
		tries  int
		status int // of what is returned; 0 is an error
	}{
		{"500", "", []answer{{status: 500}, ok}, 2, 200},
		{"502, 503, then fine", "", []answer{{status: 502}, {status: 503}, ok}, 3, 200},
		{"504 to the end", "", []answer{{status: 504}}, 3, 504},
		{"522 of a front", "", []answer{{status: 522}, ok}, 2, 200},
		{"HEAD", "HEAD", []answer{{status: 500}, ok}, 2, 200},
		{"501", "", []answer{{status: 501}, ok}, 1, 501},
		{"404", "", []answer{{status: 404}, ok}, 1, 404},
		{"403", "", []answer{{status: 403}, ok}, 1, 403},
		{"POST, 500", "POST", []answer{{status: 500}, ok}, 1, 500},
		{"POST, 429 with a time", "POST", []answer{{status: 429, header: "Retry-After: 1"}, ok}, 2, 200},
		{"connection reset", "", []answer{{err: broken}, ok}, 2, 200},
		{"connection closed", "", []answer{{err: io.ErrUnexpectedEOF}, {err: io.EOF}, ok}, 3, 200},
		{"connection refused to the end", "", []answer{{err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}}, 3, 0},
		{"POST, connection reset", "POST", []answer{{err: broken}, ok}, 1, 0},
		{"timeout that the recorder tells", "", []answer{{err: told(post.Timeout)}, ok}, 2, 200},
		{"too large, as the recorder tells", "", []answer{{err: told(post.TooLarge)}, ok}, 1, 0},
		{"no such name", "", []answer{{err: &net.DNSError{Err: "no such host", IsNotFound: true}}, ok}, 1, 0},
		{"name server is busy", "", []answer{{err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}, ok}, 2, 200},
		{"certificate", "", []answer{{err: x509.UnknownAuthorityError{}}, ok}, 1, 0},
		{"refused address", "", []answer{{err: &net.OpError{Op: "dial", Err: &Refused{Address: "10.0.0.1:80"}}}, ok}, 1, 0},
		{"disk full", "", []answer{{err: &fs.PathError{Op: "write", Path: "x.warc.gz", Err: syscall.ENOSPC}}, ok}, 1, 0},
		{"first answer was not recorded", "", []answer{{status: 500, lost: errors.New("disk full")}, ok}, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite().on(page, test.first...)
				tr := build(t, atOnce(s))
				body := ""
				if test.method == "POST" {
					body = "q=1"
				} else if test.method == "" {
					test.method = "GET"
				}
				start := time.Now()
				g := askWith(t.Context(), tr, Meta{}, test.method, page, body)
				times := s.times(page, start)
				if len(times) != test.tries || g.status != test.status || (g.err == nil) != (test.status != 0) {
					t.Fatalf("%d tries, status %d, error %v; want %d, %d", len(times), g.status, g.err, test.tries, test.status)
				}
				for i, want := range []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond}[:test.tries] {
					if times[i] != want && !strings.Contains(test.name, "429") {
						t.Errorf("try %d after %v, want %v", i+1, times[i], want)
					}
				}
				for _, h := range s.hits {
					if h.method == "POST" && h.body != body {
						t.Errorf("body %q, want %q in every attempt", h.body, body)
					}
				}
				if state := tr.Hosts()[0]; state.Active != 0 || state.Waiting != 0 {
					t.Errorf("%+v though nobody asks", state)
				}
			})
		})
	}
}

// told is an error that says its outcome, as the recorder's do.
type told post.Outcome

func (o told) Error() string         { return string(o) }
func (o told) Outcome() post.Outcome { return post.Outcome(o) }

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on(page, answer{status: 500})
		o := atOnce(s)
		o.MaxTries = 9
		o.Rand = func() float64 { return 0.5 } // the middle: exactly the step
		start := time.Now()
		ask(build(t, o), Meta{}, page)
		times := s.times(page, start)
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30} {
			if got := times[i+1] - times[i]; got != want*time.Second {
				t.Errorf("wait %d is %v, want %v s", i+1, got, int(want))
			}
		}
	})
}

func TestHeadersOfEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		o := atOnce(s)
		o.Version = "1.2.3"
		tr := build(t, o)
		req, _ := http.NewRequestWithContext(t.Context(), "GET", page, nil)
		req.Header.Set("User-Agent", "Mozilla/5.0")
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		req2 := req.Clone(t.Context())
		req2.Header.Set("Accept-Language", "de")
		resp2, err := tr.RoundTrip(req2)
		if err != nil {
			t.Fatal(err)
		}
		resp2.Body.Close()
		want := "refrain/1.2.3 (+https://github.com/refrain-archive/refrain; contact: desk@newsroom.example)"
		if len(s.hits) != 3 || tr.UserAgent() != want {
			t.Fatalf("%s by %s", s.urls(), tr.UserAgent())
		}
		for i, h := range s.hits {
			language := DefaultLanguage
			if i == 2 {
				language = "de"
			}
			if h.header.Get("User-Agent") != want || h.header.Get("Accept-Language") != language {
				t.Errorf("%s: header %v", h.url, h.header)
			}
		}
		if req.Header.Get("User-Agent") != "Mozilla/5.0" || req.Header.Get("Accept-Language") != "" {
			t.Error("the caller's request was changed")
		}
		if resp.Request != req {
			t.Error("the response's request is not the caller's")
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no next", func(o *Options) { o.Next = nil }, "Options.Next"},
		{"no contact", func(o *Options) { o.Contact = "" }, "REFRAIN_CONTACT"},
		{"contact that reaches nobody", func(o *Options) { o.Contact = "me" }, "neither an e-mail address nor a URL"},
		{"contact with a line break", func(o *Options) { o.Contact = "a@b.example\r\nX: y" }, "printable ASCII"},
		{"contact with a parenthesis", func(o *Options) { o.Contact = "a@b.example)" }, "printable ASCII"},
		{"override without a reason", func(o *Options) { o.RobotsOverride = &Override{Reason: " \n"} }, "--reason"},
		{"negative pace", func(o *Options) { o.Every = map[string]time.Duration{"a.example": -1} }, "a.example"},
		{"negative wait", func(o *Options) { o.MaxWait = -1 }, "MaxWait"},
	} {
		o := options(newSite())
		test.change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.name, err, test.want)
		}
	}
	o := options(newSite())
	o.Contact, o.Loopback = "", true
	if tr, err := New(o); err != nil || tr.UserAgent() != "refrain/dev (+https://github.com/refrain-archive/refrain)" {
		t.Errorf("loopback: error %v", err)
	}
}

func TestOnlyHTTP(t *testing.T) {
	tr := build(t, options(newSite()))
	for _, url := range []string{"ftp://a.example/", "file:///etc/passwd", "http:///x"} {
		if g := ask(tr, Meta{}, url); g.err == nil || !strings.Contains(g.err.Error(), "only http and https") {
			t.Errorf("%s: error %v", url, g.err)
		}
	}
}

// Once in real time, over real connections.
func TestOverLoopback(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/robots.txt":
			io.WriteString(w, forbidPrivate)
		default:
			fmt.Fprintf(w, "you are %s", r.UserAgent())
		}
	}))
	defer server.Close()
	next := &http.Transport{}
	defer next.CloseIdleConnections()
	tr, err := New(Options{Next: next, Loopback: true, Every: map[string]time.Duration{"127.0.0.1": 30 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: tr}
	start := time.Now()
	for range 3 {
		resp, err := client.Get(server.URL + "/x")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != "you are "+tr.UserAgent() {
			t.Errorf("%q, error %v", body, err)
		}
	}
	if took := time.Since(start); took < 90*time.Millisecond {
		t.Errorf("four requests in %v, want at least 90ms", took)
	}
	_, err = client.Get(server.URL + "/private")
	wantDenied(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", server.URL+"/x", nil)
	if _, err := client.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
}
