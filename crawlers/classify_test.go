package crawlers_test

import (
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

func TestClassify(t *testing.T) {
	html := func(title, body string) string {
		return "<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>\n" + title + "</title></head><body>" + body + "</body></html>"
	}
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	for _, test := range []struct {
		name    string
		status  int
		header  http.Header
		body    string
		outcome post.Outcome
	}{
		{"a page", 200, nil, html("News", "text"), ""},
		{"a saved page", 0, nil, html("News", "text"), ""},
		{"JSON", 200, nil, `{"a":1}`, ""},
		{"a page with Cloudflare's script", 200, nil, html("News", `<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js">`), ""},
		{"a page with a captcha in its comment form", 200, nil, html("News", `<div class="g-recaptcha">`), ""},
		{"a page about a wall", 200, nil, html("How to pass Cloudflare", "Sorry, you have been blocked"), ""},
		{"a challenge, saved without status", 0, nil, crawlertest.ChallengePage, post.Challenge},
		{"a challenge", 503, nil, html("Just a moment...", "x"), post.Challenge},
		{"a challenge by its header", 403, header("cf-mitigated", "challenge"), "", post.Challenge},
		{"blocked", 403, nil, html("Attention Required! | Cloudflare", "x"), post.Blocked},
		{"blocked by network security", 403, nil, "<body><p>You've been blocked by network security.</p>", post.Blocked},
		{"a captcha", 403, nil, html("Verify", `<div class="h-captcha">`), post.BotCheck},
		{"WAF", 405, header("X-Amzn-Waf-Action", "captcha"), html("Human Verification", ""), post.BotCheck},
		{"consent", 200, nil, html("Before you continue", `<form action="https://consent.youtube.com/save">`), post.ConsentWall},
		{"login form", 200, nil, html("Log in to Plaza", `<input type="password">`), post.LoginWall},
		{"login redirect", 302, header("Location", "https://plaza.example/accounts/login/?next=x"), "", post.LoginWall},
		{"login host", 302, header("Location", "https://login.plaza.example/"), "", post.LoginWall},
		{"consent redirect", 302, header("Location", "https://consent.plaza.example/m"), "", post.ConsentWall},
		{"sorry redirect", 302, header("Location", "https://www.google.com/sorry/index"), "", post.RateLimited},
		{"an ordinary redirect", 301, header("Location", "/u/ana/blogin"), "", ""},
		{"a redirect to nowhere", 301, nil, "", post.ServerError},
		{"401 of an API", 401, nil, `{"error":"no token"}`, post.NeedsKey},
		{"401 of a page", 401, nil, html("Members", ""), post.LoginWall},
		{"404", 404, nil, html("Not here", ""), post.NotFound},
		{"410", 410, nil, "", post.NotFound},
		{"429", 429, nil, "slow down", post.RateLimited},
		{"451", 451, nil, "", post.Withheld},
		{"500", 500, nil, "", post.ServerError},
		{"522", 522, nil, html("Connection timed out", ""), post.ServerError},
		{"400", 400, nil, `{"error":"bad"}`, post.UnexpectedType},
		{"nothing", 200, nil, " \n", post.LayoutChanged},
	} {
		t.Run(test.name, func(t *testing.T) {
			ex := crawlers.Exchange{URL: "https://plaza.example/u/ana", Status: test.status, Header: test.header, Body: []byte(test.body)}
			outcome, reason := crawlers.Classify(ex)
			if outcome != test.outcome {
				t.Errorf("outcome %q (%s), want %q", outcome, reason, test.outcome)
			}
			if (outcome == "") != (reason == "") {
				t.Errorf("outcome %q with reason %q", outcome, reason)
			}
		})
	}
	ex := crawlers.Exchange{URL: "https://plaza.example/login", Status: 200, Body: []byte(html("Log in to Plaza", `<input type="password">`))}
	if o, _ := crawlers.Classify(ex); o != "" {
		t.Errorf("a login page that was asked for is told to be %s", o)
	}
	for body, want := range map[string]post.Outcome{`{"a":1}`: "", "\xef\xbb\xbf [1]": "", html("x", ""): post.UnexpectedType, "oops": post.UnexpectedType, "\x00\x01": post.UnexpectedType} {
		if o, reason := crawlers.ClassifyJSON(crawlers.Exchange{Status: 200, Body: []byte(body)}); o != want {
			t.Errorf("as JSON, %q is %q (%s)", body, o, reason)
		}
	}
	for body, want := range map[string]post.Outcome{`<?xml version="1.0"?><rss/>`: "", "<feed/>": "", html("x", ""): post.UnexpectedType, `<?xml version="1.0"?><!DOCTYPE html><html>`: post.UnexpectedType, "{}": post.UnexpectedType} {
		if o, reason := crawlers.ClassifyXML(crawlers.Exchange{Status: 200, Body: []byte(body)}); o != want {
			t.Errorf("as XML, %q is %q (%s)", body, o, reason)
		}
	}
}

// Walls as they were recorded.
func TestClassifyRecorded(t *testing.T) {
	for file, want := range map[string]post.Outcome{
		"quora/wall_cloudflare_challenge_2026.html":  post.Challenge,
		"reddit/wall_403_blocked_2026_head2000.html": post.Blocked,
		"youtube/jd_consent_page.html":               post.ConsentWall,
	} {
		body, err := os.ReadFile(filepath.Join(sharedtest.Path(t, "recordings"), file))
		if err != nil {
			t.Fatal(err)
		}
		status := 403
		if want == post.ConsentWall {
			status = 200
		}
		if o, reason := crawlers.Classify(crawlers.Exchange{URL: "https://www.example.com/x", Status: status, Body: body}); o != want {
			t.Errorf("%s is %q (%s), want %s", file, o, reason, want)
		}
	}
}

func TestClassifyError(t *testing.T) {
	for want, err := range map[post.Outcome]error{
		post.DNSError:     fmt.Errorf("get: %w", &net.DNSError{Err: "no such host"}),
		post.TLSError:     x509.UnknownAuthorityError{},
		post.Timeout:      os.ErrDeadlineExceeded,
		post.ConnectError: io.EOF,
		post.RobotsDenied: fmt.Errorf("get: %w", denied{}),
	} {
		if got, reason := crawlers.ClassifyError(err); got != want || reason == "" {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "1.5": 1500 * time.Millisecond, "-3": 0, "soon": 0, "1e99": 0,
		"Sat, 31 Jan 2026 12:01:00 GMT": time.Minute, "Sat, 31 Jan 2026 11:00:00 GMT": 0,
	} {
		if got := crawlers.RetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("Retry-After %q is %v, want %v", value, got, want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(200, "https://plaza.example/", "/login", crawlertest.ChallengePage)
	f.Add(302, "::", "http://[", "<title")
	f.Add(0, "", "", "<?xml ?><!-- --><html><TITLE >")
	f.Fuzz(func(t *testing.T, status int, address, location, body string) {
		ex := crawlers.Exchange{URL: address, Status: status, Header: http.Header{"Location": {location}, "Content-Type": {"text/html"}}, Body: []byte(body)}
		for _, classify := range []func(crawlers.Exchange) (post.Outcome, string){crawlers.Classify, crawlers.ClassifyJSON, crawlers.ClassifyXML} {
			if o, _ := classify(ex); o != "" && o.Scope() == "" {
				t.Errorf("outcome %q", o)
			}
		}
		if strings.ContainsAny(crawlers.FirstWords(ex), "\n\r") {
			t.Error("more than one line")
		}
	})
}
