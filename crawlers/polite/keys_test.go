package polite

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

const (
	secret   = "s3cr3t/+=&key"
	token    = "t0ken-of-today"
	newToken = "t0ken-of-tomorrow"
	tokenURL = "https://auth.example/token"
)

// keySheets has a platform for each scheme, named after it.
func keySheets() []crawlers.About {
	hosts := []string{"api.example", "*.api.example", "localhost"}
	about := func(k crawlers.Key) crawlers.About {
		k.Name, k.Hosts, k.Help = string(k.Scheme), hosts, "ask api.example for one"
		return crawlers.About{Platform: string(k.Scheme), Keys: []crawlers.Key{k}}
	}
	return []crawlers.About{
		about(crawlers.Key{Scheme: crawlers.KeyBearer}),
		about(crawlers.Key{Scheme: crawlers.KeyHeader, Param: "X-Api-Key"}),
		about(crawlers.Key{Scheme: crawlers.KeyQuery, Param: "api_key"}),
		about(crawlers.Key{Scheme: crawlers.KeyClientCredentials, TokenURL: tokenURL + "?scope=public"}),
	}
}

func keyOptions(s *site) Options {
	o := atOnce(s)
	o.Platforms = keySheets()
	o.Keys = map[string]Credential{}
	for _, about := range o.Platforms {
		o.Keys[about.Platform] = Credential{ID: "client", Secret: secret}
	}
	return o
}

func withKey(scheme crawlers.KeyScheme) Meta {
	return Meta{Platform: string(scheme), Route: "api", Key: string(scheme)}
}

func TestKeySchemes(t *testing.T) {
	const query = "api_key=s3cr3t%2F%2B%3D%26key"
	for _, test := range []struct {
		scheme           crawlers.KeyScheme
		url              string
		wantURL          string // as asked
		header, wantText string
	}{
		{crawlers.KeyBearer, "https://api.example/v1?q=1", "https://api.example/v1?q=1", "Authorization", "Bearer " + secret},
		{crawlers.KeyBearer, "https://eu.api.example/v1", "https://eu.api.example/v1", "Authorization", "Bearer " + secret},
		{crawlers.KeyBearer, "http://localhost:8080/v1", "http://localhost:8080/v1", "Authorization", "Bearer " + secret},
		{crawlers.KeyHeader, "https://api.example/v1", "https://api.example/v1", "X-Api-Key", secret},
		{crawlers.KeyQuery, "https://api.example/v1", "https://api.example/v1?" + query, "Authorization", ""},
		{crawlers.KeyQuery, "https://api.example/v1?b=2&a=%7e", "https://api.example/v1?b=2&a=%7e&" + query, "Authorization", ""},
		{crawlers.KeyQuery, "https://api.example/v1?api_key=old&a=1", "https://api.example/v1?a=1&" + query, "Authorization", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite()
			g := ask(build(t, keyOptions(s)), withKey(test.scheme), test.url)
			if g.err != nil {
				t.Fatal(g.err)
			}
			if len(s.hits) != 1 || s.hits[0].url != test.wantURL || s.hits[0].header.Get(test.header) != test.wantText {
				t.Errorf("%s %s: asked %s with %v", test.scheme, test.url, s.urls(), s.hits[0].header)
			}
			if !slices.Contains(g.fetch.Secrets(), secret) || g.fields["key"] != string(test.scheme) {
				t.Errorf("secrets %q, fields %v", g.fetch.Secrets(), g.fields)
			}
			if got := g.resp.Request.URL.String(); got != test.url {
				t.Errorf("the response is of %s, want the URL without the key", got)
			}
		})
	}
}

// The recorder writes the exact URL into the request line, so the key must be
// in that too.
func TestKeyInTheExactURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		ctx := fetchctx.WithURL(t.Context(), "https://api.example/a/../v1?x='#f")
		g := askWith(ctx, build(t, keyOptions(s)), withKey(crawlers.KeyQuery), "GET", "https://api.example/v1?x=%27", "")
		if want := "https://api.example/a/../v1?x='&api_key=s3cr3t%2F%2B%3D%26key#f"; g.err != nil || s.urls() != want {
			t.Errorf("asked %s, error %v, want %s", s.urls(), g.err, want)
		}
	})
}

func TestKeyGoesNowhereElse(t *testing.T) {
	for _, scheme := range []crawlers.KeyScheme{crawlers.KeyBearer, crawlers.KeyHeader, crawlers.KeyQuery, crawlers.KeyClientCredentials} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite()
			tr := build(t, keyOptions(s))
			for _, url := range []string{"https://evil.example/", "https://api.example.evil.example/", "https://notapi.example/", "https://api.example@evil.example/"} {
				g := ask(tr, withKey(scheme), url)
				if g.err != nil {
					t.Errorf("%s: %v", url, g.err)
				}
				if !strings.HasPrefix(g.fields["key"], "none (") || g.fields["robots"] != "allowed" {
					t.Errorf("%s: fields %v, want no key, and robots asked", url, g.fields)
				}
			}
			for _, url := range []string{"http://api.example/", "http://192.0.2.1/"} {
				g := ask(tr, withKey(scheme), url)
				var k *KeyError
				if url == "http://api.example/" && (!errors.As(g.err, &k) || k.Outcome() != post.NeedsKey) {
					t.Errorf("%s: error %v, want *KeyError", url, g.err)
				}
			}
			for _, h := range s.hits {
				if strings.Contains(fmt.Sprint(h), "s3cr3t") || h.header.Get("Authorization") != "" {
					t.Errorf("%s was sent the key: %v", h.url, h)
				}
			}
		})
	}
}

func TestKeyIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite()
		o := keyOptions(s)
		delete(o.Keys, "bearer")
		o.Keys["header"] = Credential{}
		tr := build(t, o)
		for name, want := range map[string]string{
			"bearer":  "polite: https://api.example/: key bearer is not configured: set keys.bearer (ask api.example for one)",
			"header":  "polite: https://api.example/: key header is not configured: set keys.header (ask api.example for one)",
			"unknown": "polite: https://api.example/: key unknown is in no platform's data sheet",
		} {
			g := ask(tr, Meta{Platform: name, Key: name}, "https://user:pass@api.example/")
			if g.err == nil || g.err.Error() != want || len(s.hits) > 0 {
				t.Errorf("%s: error %v, want %s", name, g.err, want)
			}
		}
	})
}

func TestNewRefusesKeys(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"line break":    func(o *Options) { o.Keys["bearer"] = Credential{Secret: "s3cr3t\n"} },
		"no id":         func(o *Options) { o.Keys["client_credentials"] = Credential{Secret: "s3cr3t"} },
		"no param":      func(o *Options) { o.Platforms[1].Keys[0].Param = "" },
		"plain http":    func(o *Options) { o.Platforms[3].Keys[0].TokenURL = "http://auth.example/" },
		"strange":       func(o *Options) { o.Platforms[0].Keys[0].Scheme = "cookie" },
		"no token host": func(o *Options) { o.Platforms[3].Keys[0].TokenURL = "/token" },
	} {
		o := keyOptions(newSite())
		change(&o)
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func tokenAnswer(value string, seconds int) answer {
	return answer{body: fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":%d,"scope":"*"}`, value, seconds)}
}

func TestClientCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on(tokenURL, tokenAnswer(token, 3600), tokenAnswer(newToken, 3600))
		tr := build(t, keyOptions(s))
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				g := ask(tr, withKey(crawlers.KeyClientCredentials), "https://api.example/v1")
				if g.err != nil || !slices.Contains(g.fetch.Secrets(), token) || !slices.Contains(g.fetch.Secrets(), secret) {
					t.Errorf("error %v, secrets %q", g.err, g.fetch.Secrets())
				}
			})
		}
		wg.Wait()
		if len(s.hits) != 6 {
			t.Fatalf("asked %s, want one token for five requests", s.urls())
		}
		h := s.hits[0]
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("client:s3cr3t%2F%2B%3D%26key"))
		if h.method != "POST" || h.url != tokenURL || h.body != "grant_type=client_credentials&scope=public" || h.header.Get("Authorization") != basic ||
			h.header.Get("Content-Type") != "application/x-www-form-urlencoded" || h.header.Get("User-Agent") != tr.UserAgent() {
			t.Errorf("token request %+v", h)
		}
		for i, h := range s.hits {
			if h.unrecorded != (i == 0) {
				t.Errorf("%s: unrecorded is %v", h.url, h.unrecorded)
			}
			if i > 0 && h.header.Get("Authorization") != "Bearer "+token {
				t.Errorf("%s: %v", h.url, h.header)
			}
		}
		time.Sleep(time.Hour - 30*time.Second) // the margin
		ask(tr, withKey(crawlers.KeyClientCredentials), "https://api.example/v1")
		if last := s.hits[len(s.hits)-1]; len(s.hits) != 8 || last.header.Get("Authorization") != "Bearer "+newToken {
			t.Errorf("after its time: %s with %v", s.urls(), last.header)
		}
	})
}

// A platform that takes the client in the form gets no HTTP Basic.
func TestClientCredentialsInTheForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on(tokenURL, tokenAnswer(token, 3600))
		o := keyOptions(s)
		o.Platforms[3].Keys[0].Param = "client_key"
		g := ask(build(t, o), withKey(crawlers.KeyClientCredentials), "https://api.example/v1")
		if g.err != nil || len(s.hits) != 2 {
			t.Fatalf("%v, asked %s", g.err, s.urls())
		}
		h := s.hits[0]
		if h.body != "client_key=client&client_secret=s3cr3t%2F%2B%3D%26key&grant_type=client_credentials&scope=public" || h.header.Get("Authorization") != "" || !h.unrecorded {
			t.Errorf("token request %+v", h)
		}
	})
}

func TestTokenIsRefreshedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const api = "https://api.example/v1"
		s := newSite().on(tokenURL, tokenAnswer(token, 3600), tokenAnswer(newToken, 3600)).
			on(api, answer{status: 401}, answer{body: "ok"}, answer{status: 401}, answer{status: 401, body: "no"})
		tr := build(t, keyOptions(s))
		g := askWith(t.Context(), tr, withKey(crawlers.KeyClientCredentials), "POST", api, "ids=1")
		if g.err != nil || g.body != "ok" || g.fields["attempt"] != "2 (status 401 before, with another token)" || !slices.Contains(g.fetch.Secrets(), newToken) {
			t.Errorf("error %v, %q, fields %v", g.err, g.body, g.fields)
		}
		if want := strings.Join([]string{tokenURL, api, tokenURL, api}, " "); s.urls() != want {
			t.Fatalf("asked %s, want %s", s.urls(), want)
		}
		if h := s.hits[3]; h.header.Get("Authorization") != "Bearer "+newToken || h.body != "ids=1" {
			t.Errorf("second attempt %+v", h)
		}
		if g := ask(tr, withKey(crawlers.KeyClientCredentials), api); g.status != 401 || g.body != "no" || len(s.hits) != 7 {
			t.Errorf("status %d, asked %s; want the second 401 returned", g.status, s.urls())
		}
		if g := ask(tr, withKey(crawlers.KeyBearer), api); g.status != 401 || len(s.hits) != 8 {
			t.Errorf("a plain bearer key cannot be refreshed: %s", s.urls())
		}
	})
}

func TestTokenFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer answer
		want   string
		tries  int
	}{
		{"401", answer{status: 401, body: `{"message":"Unauthorized","error":401}`}, "status 401 (401): check keys.client_credentials.id and keys.client_credentials.secret", 1},
		{"400, repeats the secret", answer{status: 400, body: `{"error":"bad ` + secret + `"}`}, "status 400 (bad REDACTED)", 1},
		{"200 with an error", answer{body: `{"error":"invalid_grant"}`}, "no access_token (invalid_grant)", 1},
		{"200 without anything", answer{body: `{}`}, "no access_token:", 1},
		{"a page", answer{body: "<html>"}, "not a JSON object", 1},
		{"another kind of token", answer{body: `{"access_token":"t0ken","token_type":"mac"}`}, `token_type "mac"`, 1},
		{"a token with a line break", answer{body: `{"access_token":"t0ken\r\nX: y"}`}, "control characters", 1},
		{"no connection", answer{err: io.EOF}, "EOF", 1},
		{"cut", answer{body: `{"access_token":"t0`, bodyErr: io.ErrUnexpectedEOF}, "unexpected EOF", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite().on(tokenURL, test.answer)
				g := ask(build(t, keyOptions(s)), withKey(crawlers.KeyClientCredentials), "https://api.example/v1")
				var k *KeyError
				if !errors.As(g.err, &k) || k.Name != "client_credentials" || !strings.Contains(g.err.Error(), test.want) {
					t.Errorf("error %v, want a *KeyError with %q", g.err, test.want)
				}
				if strings.Contains(fmt.Sprint(g.err), "s3cr3t") || strings.Contains(fmt.Sprint(g.err), "t0ken") {
					t.Errorf("error %v holds a secret", g.err)
				}
				if len(s.hits) != test.tries {
					t.Errorf("asked %s", s.urls())
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSite().on(tokenURL, answer{status: 429, header: "Retry-After: 7200"})
		w := wantWait(t, ask(build(t, keyOptions(s)), withKey(crawlers.KeyClientCredentials), "https://api.example/v1").err)
		if w.Host != "auth.example" || time.Until(w.Until) != 2*time.Hour {
			t.Errorf("%+v", w)
		}
	})
}

// Everything that may be printed, logged or stored by whoever uses a Transport
// is searched for the key, the client secret, the token and their encodings.
func TestKeysNeverShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		log := slog.New(slog.NewJSONHandler(&out, nil))
		text := slog.New(slog.NewTextHandler(&out, nil))
		for _, scheme := range []crawlers.KeyScheme{crawlers.KeyBearer, crawlers.KeyHeader, crawlers.KeyQuery, crawlers.KeyClientCredentials} {
			const api = "https://api.example/v1"
			repeat := "no " + secret + " and no api_key=s3cr3t%2F%2B%3D%26key and no "
			if scheme == crawlers.KeyClientCredentials {
				repeat += token
			}
			for _, first := range []answer{
				{err: errors.New(repeat)},
				{status: 401}, {status: 403}, {status: 500},
				{status: 429, header: "Retry-After: 999999"},
				{body: "ok", bodyErr: io.ErrUnexpectedEOF},
			} {
				s := newSite().on(tokenURL, tokenAnswer(token, 3600)).
					on(api, first).on(api+"?api_key=s3cr3t%2F%2B%3D%26key", first).
					on("https://api.example/robots.txt", answer{body: "User-agent: *\nDisallow: /"})
				o := keyOptions(s)
				tr := build(t, o)
				m := withKey(scheme)
				for range 2 {
					g := ask(tr, m, api)
					fmt.Fprintf(&out, "%v %+v %#v\n", g.err, tr.Hosts(), g.fields)
					if g.resp != nil {
						fmt.Fprintf(&out, "%v %v\n", g.resp.Request.URL, g.resp.Request.Header)
					}
					log.Info("fetched", "err", g.err, "hosts", tr.Hosts(), "fields", g.fields, "key", o.Keys)
					text.Info("fetched", "err", g.err, "hosts", tr.Hosts(), "fields", g.fields, "key", o.Keys)
				}
				m.Robots = true
				g := ask(tr, m, api)
				var d *Denied
				if errors.As(g.err, &d) {
					fmt.Fprintf(&out, "%+v\n", *d)
				}
				fmt.Fprintf(&out, "%v %v %+v %#v\n", g.err, o.Keys, o.Keys, o.Keys)
				b, err := json.Marshal(o.Keys)
				if err != nil {
					t.Fatal(err)
				}
				out.Write(b)
			}
		}
		for _, bad := range []string{"s3cr3t", token, base64.StdEncoding.EncodeToString([]byte("client:"))[:8]} {
			if i := strings.Index(out.String(), bad); i >= 0 {
				t.Errorf("%q shows in …%s", bad, out.String()[max(0, i-200):i+len(bad)])
			}
		}
		if !strings.Contains(out.String(), "REDACTED") || !strings.Contains(out.String(), "Retry-After") {
			t.Error("the cases did not happen")
		}
	})
}
