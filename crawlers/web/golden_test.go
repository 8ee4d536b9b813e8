package web_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/web"
	"github.com/refrain-archive/refrain/post"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var fetched = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// page gives a page of testdata.
func page(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func exchange(url, contentType, body string) crawlers.Exchange {
	return crawlers.Exchange{URL: url, Status: 200, Header: crawlers.Header{"Content-Type": {contentType}}, Body: []byte(body), FetchedAt: fetched}
}

// read reads an exchange as a bare target with the given state.
func read(t testing.TB, ex crawlers.Exchange, state []byte) crawlers.Page {
	t.Helper()
	u, err := url.Parse(ex.URL)
	if err != nil {
		t.Fatal(err)
	}
	ref, ok := web.Collector{}.Match(u)
	if !ok {
		t.Fatalf("Match refuses %s", ex.URL)
	}
	got, err := crawlers.Read(web.Collector{}, crawlers.Step{Ref: ref, State: state}, ex)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func golden(t *testing.T, name string, got any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(got); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs; go test -update rewrites it. Got:\n%s", file, b.Bytes())
	}
}

// Each page of testdata gives the page in its golden file.
func TestGolden(t *testing.T) {
	for _, test := range []struct {
		file, url string
		state     []byte
	}{
		{"article.html", "https://news.example/2024/05/bridge", nil},
		{"front.html", "https://news.example/", web.Options{Depth: 2, Feeds: true}.State()},
		{"shell.html", "https://app.example/", nil},
		{"microdata.html", "https://blog.example/posts/7", nil},
		{"pictures.html", "https://photos.example/album", nil},
		{"table.html", "http://old.example/essay.htm", nil},
	} {
		t.Run(test.file, func(t *testing.T) {
			golden(t, test.file, read(t, exchange(test.url, "text/html; charset=utf-8", page(t, test.file)), test.state))
		})
	}
}

func TestOutcomes(t *testing.T) {
	prose := "<p>The lighthouse keeper wrote down each ship that passed, its flag and its course, in a book that nobody was ever to read.</p>"
	long := prose + prose + prose + prose + prose
	for _, test := range []struct {
		name   string
		ex     crawlers.Exchange
		want   post.Outcome
		posts  int
		reason string
	}{
		{"ordinary", exchange("https://a.example/1", "text/html", "<title>Keeper</title>"+long), post.OK, 1, ""},
		{"gone", crawlers.Exchange{URL: "https://a.example/1", Status: 410, Body: []byte("<html><title>Gone</title>Gone")}, post.NotFound, 0, "status 410: Gone"},
		{"not found with status 200", exchange("https://a.example/1", "text/html", "<html><title>Page not found – A</title><body><h1>Oops</h1><p>Try the search.</p></body>"), post.NotFound, 0, `status 200, but the page says "Page not found – A"`},
		{"an essay about 404", exchange("https://a.example/1", "text/html", "<title>404 and other numbers</title><body>"+long+long), post.OK, 1, ""},
		{"shell without a word", exchange("https://a.example/1", "text/html", `<html><head><title>App</title><script src="/a.js"></script></head><body><div id="root"></div></body></html>`), post.LayoutChanged, 0, "only scripts would draw the text, and the head says nothing about it"},
		{"nothing at all", exchange("https://a.example/1", "text/html", "<html><body></body></html>"), post.LayoutChanged, 0, "the page shows no title, no text and no picture"},
		{"summary only", exchange("https://a.example/1", "text/html", `<html><title>Clip</title><meta name=description content="A film of ships."><body><video src="/s.mp4"></video></body></html>`), post.OKMetaOnly, 1, "the page shows no text of its own; its head's summary stands for it"},
		{"cut", crawlers.Exchange{URL: "https://a.example/1", Status: 200, Truncated: true, Body: []byte("<title>Keeper</title>" + long)}, post.OKPartial, 1, "the body was cut after 656 bytes"},
		{"binary called a page", exchange("https://a.example/1", "text/html", "%PDF-1.4\n\x00\x01"), post.OKMetaOnly, 1, "application/pdf, 11 bytes"},
		{"slow down", crawlers.Exchange{URL: "https://a.example/1", Status: 429, FetchedAt: fetched, Header: crawlers.Header{"Retry-After": {"7"}}}, post.RateLimited, 0, "status 429"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := read(t, test.ex, nil)
			if got.Outcome != test.want || len(got.Posts) != test.posts || got.Reason != test.reason {
				t.Errorf("outcome %s, %d posts, reason %q, want %s, %d, %q", got.Outcome, len(got.Posts), got.Reason, test.want, test.posts, test.reason)
			}
			if test.want == post.RateLimited && got.Wait != 7*time.Second {
				t.Errorf("Wait is %v", got.Wait)
			}
		})
	}
}

// A redirect is a step to its Location, up to ten in a row.
func TestRedirects(t *testing.T) {
	redirect := func(from, to string) crawlers.Exchange {
		return crawlers.Exchange{URL: from, Status: 301, Header: crawlers.Header{"Location": {to}}}
	}
	got := read(t, redirect("https://a.example/old", "../new?utm_source=x#part"), nil)
	if len(got.Next) != 1 || got.Next[0].Ref.URL != "https://a.example/new" || string(got.Next[0].State) != `{"hops":1}` || got.Outcome != post.OK {
		t.Errorf("redirect: %+v", got)
	}
	if len(got.Identities) != 1 || got.Identities[0] != (crawlers.Identity{Kind: crawlers.RefPage, Alias: "https://a.example/old", ID: "https://a.example/new", URL: "https://a.example/new"}) {
		t.Errorf("identities: %+v", got.Identities)
	}
	if got := read(t, redirect("https://a.example/old", "/new"), web.Options{Hops: 10}.State()); got.Outcome != post.RedirectLoop || len(got.Next) != 0 {
		t.Errorf("eleventh redirect: %+v", got)
	}
	if got := read(t, redirect("https://a.example/old", "https://A.example/old#x"), nil); got.Outcome != post.RedirectLoop {
		t.Errorf("redirect to itself: %+v", got)
	}
	if got := read(t, redirect("https://a.example/old", "mailto:a@b.example"), nil); got.Outcome != post.LayoutChanged {
		t.Errorf("redirect to a mail address: %+v", got)
	}
	// To another site: the driver knows whose address that is.
	if got := read(t, redirect("https://short.example/x", "https://elsewhere.example/y"), nil); got.Outcome != post.OK || got.Reason != "redirect to https://elsewhere.example/y" || len(got.Next) != 0 || len(got.Identities) != 0 {
		t.Errorf("redirect to another site: %+v", got)
	}
	refresh := exchange("https://a.example/old", "text/html", `<html><head><meta http-equiv="Refresh" content="0; URL='/new'"></head><body>Moved.</body></html>`)
	if got := read(t, refresh, nil); len(got.Next) != 1 || got.Next[0].Ref.URL != "https://a.example/new" || len(got.Posts) != 0 {
		t.Errorf("meta refresh: %+v", got)
	}
	reload := exchange("https://a.example/live", "text/html", `<html><head><title>Live</title><meta http-equiv="refresh" content="300"></head><body><p>The count goes on through the night.</p></body></html>`)
	if got := read(t, reload, nil); len(got.Next) != 0 || len(got.Posts) != 1 {
		t.Errorf("a page that reloads itself: %+v", got)
	}
}

// The links that are followed with and without reading text are the same.
func TestFollow(t *testing.T) {
	ex := exchange("https://news.example/", "text/html", page(t, "front.html"))
	want := []string{"https://news.example/base/?page=2", "https://news.example/2024/05/bridge", "https://www.news.example/region"}
	for _, state := range [][]byte{web.WithDepth(2), web.Options{Depth: 2, Links: true}.State()} {
		got := read(t, ex, state)
		if len(got.Next) != len(want) {
			t.Fatalf("state %s: %d steps: %+v", state, len(got.Next), got.Next)
		}
		for i, s := range got.Next {
			if s.Ref.URL != want[i] || s.Role != crawlers.RolePage {
				t.Errorf("state %s: step %d is %s %s, want %s", state, i, s.Role, s.Ref.URL, want[i])
			}
		}
		var o web.Options
		if err := json.Unmarshal(got.Next[0].State, &o); err != nil || o.Depth != 1 {
			t.Errorf("state %s: next state %s", state, got.Next[0].State)
		}
	}
	if got := read(t, ex, nil); len(got.Next) != 0 || got.Coverage.End == "" {
		t.Errorf("a seed alone: %+v", got.Next)
	}
	got := read(t, exchange("https://news.example/2024/05/bridge", "text/html", page(t, "article.html")), web.Options{Feeds: true}.State())
	if len(got.Next) != 1 || got.Next[0].Ref != (crawlers.Ref{Platform: "feed", Kind: crawlers.RefFeed, ID: "https://news.example/feed.xml", URL: "https://news.example/feed.xml"}) {
		t.Errorf("feeds: %+v", got.Next)
	}
}

func TestDescribe(t *testing.T) {
	d, err := web.Describe(exchange("https://news.example/2024/05/bridge", "text/html", page(t, "article.html")))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "describe", d)
	if _, err := web.Describe(crawlers.Exchange{URL: "https://news.example/x", Status: 404, Body: []byte("no")}); err == nil {
		t.Error("no error for a wall")
	}
}

// Pages are read in the charset that they are in, whoever says which it is.
func TestCharset(t *testing.T) {
	for _, test := range []struct{ name, contentType, body, want string }{
		{"header", "text/html; charset=big5", "<title>\xb4\xfa\xb8\xd5</title>", "測試"},
		{"meta", "text/html", "<meta charset=windows-1251><title>\xcf\xf0\xe8\xe2\xe5\xf2</title>", "Привет"},
		{"BOM", "text/html; charset=koi8-r", "\xef\xbb\xbf<title>Zwölf</title>", "Zwölf"},
	} {
		if got := read(t, exchange("https://a.example/", test.contentType, test.body+"<p>x</p>"), nil); len(got.Posts) != 1 || got.Posts[0].Title != test.want {
			t.Errorf("%s: %+v", test.name, got.Posts)
		}
	}
}
