package feed_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/crawlers/feed"
	"github.com/refrain-archive/refrain/post"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }

func file(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func exchange(url, contentType, body string) crawlers.Exchange {
	return crawlers.Exchange{URL: url, Status: 200, Header: crawlers.Header{"Content-Type": {contentType}}, Body: []byte(body), FetchedAt: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
}

func read(t testing.TB, ex crawlers.Exchange, state string) crawlers.Page {
	t.Helper()
	s := crawlers.Step{Ref: feed.RefTo(ex.URL)}
	if state != "" {
		s.State = []byte(state)
	}
	got, err := crawlers.Read(feed.Collector{}, s, ex)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// items are the posts of a page without the feed's own.
func items(p crawlers.Page) []post.Post {
	var list []post.Post
	for _, it := range p.Posts {
		if it.Kind != post.KindAccount {
			list = append(list, it)
		}
	}
	return list
}

func TestContract(t *testing.T) {
	html := "<!DOCTYPE html><html><head><title>Karla's notes</title></head><body><p>No feed here.</p></body></html>"
	crawlertest.Run(t, feed.Collector{}, crawlertest.Cases{
		Aliases: [][]string{
			{"https://karla.example/feed/", "https://KARLA.example:443/feed/?utm_source=x#top"},
			{"https://karla.example/?feed=rss2"},
			{"https://karla.example/comments/feed/atom/"},
			{"https://karla.example/index.xml"},
			{"https://karla.example/rss/news"},
			{"https://karla.example/feeds/posts/default?alt=rss"},
			{"https://karla.example/news.rdf"},
			{"https://karla.example/feed.json"},
		},
		ForeignURLs: []string{"https://karla.example/", "https://karla.example/about.html", "https://karla.example/sitemap.xml", "https://karla.example/news?format=print", "https://karla.example/feedback", "mailto:feed@karla.example"},
		Exchanges: []crawlertest.Case{
			{Name: "rss", Exchange: exchange("https://karla.example/feed/", "application/rss+xml", file(t, "wordpress.rss")), Outcome: post.OK, Posts: 2},
			{Name: "page 2", Step: crawlers.Step{Ref: feed.RefTo("https://karla.example/feed/"), State: []byte(`{"url":"https://karla.example/feed/?paged=2","page":2}`)},
				Exchange: exchange("https://karla.example/feed/?paged=2", "application/rss+xml", file(t, "wordpress.rss")), Outcome: post.OK, Posts: 2},
			{Name: "atom", Exchange: exchange("https://deichbote.example/atom.xml", "application/atom+xml", file(t, "atom.xml")), Outcome: post.OK, Posts: 3},
			{Name: "rdf", Exchange: exchange("http://old.example/index.rdf", "text/xml", file(t, "rdf.xml")), Outcome: post.OK, Posts: 1},
			{Name: "json", Exchange: exchange("https://harbour.example/feed.json", "application/feed+json", file(t, "feed.json")), Outcome: post.OK, Posts: 2},
			{Name: "html", Exchange: crawlers.Exchange{URL: "https://karla.example/feed/", Status: 404, Body: []byte(html)}, Outcome: post.NotFound},
		},
		Foreign: []crawlers.Exchange{
			exchange("https://karla.example/feed/", "text/html", html),
			exchange("https://karla.example/data.json", "application/json", `{"items":[]}`),
			exchange("https://karla.example/sitemap.xml", "application/xml", `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>`),
			{Method: "POST", URL: "https://karla.example/feed/", Status: 200, Body: []byte(file(t, "wordpress.rss"))},
		},
	})
}

// Each feed of testdata gives the page in its golden file.
func TestGolden(t *testing.T) {
	for _, test := range []struct{ file, url, contentType string }{
		{"wordpress.rss", "https://karla.example/feed/", "application/rss+xml; charset=UTF-8"},
		{"atom.xml", "https://deichbote.example/atom.xml", "application/atom+xml"},
		{"rdf.xml", "http://old.example/index.rdf", "text/xml"},
		{"feed.json", "https://harbour.example/feed.json", "application/feed+json"},
	} {
		t.Run(test.file, func(t *testing.T) {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			if err := e.Encode(read(t, exchange(test.url, test.contentType, file(t, test.file)), "")); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join("testdata", test.file+".golden")
			if *update {
				if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := file(t, test.file+".golden"); b.String() != want {
				t.Errorf("%s differs; go test -update rewrites it. Got:\n%s", name, b.Bytes())
			}
		})
	}
}

// Broken feeds give what is whole of them.
func TestBroken(t *testing.T) {
	rss := file(t, "wordpress.rss")
	atom := file(t, "atom.xml")
	js := file(t, "feed.json")
	rdf := file(t, "rdf.xml")
	second := strings.LastIndex(rss, "<item>")
	for _, test := range []struct {
		name, body string
		truncated  bool
		want       post.Outcome
		ids        string // of the items, by blanks
	}{
		{name: "cut in the second item", body: rss[:second+60], truncated: true, want: post.OKPartial, ids: "https://karla.example/?p=71"},
		{name: "cut after the first item", body: rss[:second], truncated: true, want: post.OKPartial, ids: "https://karla.example/?p=71"},
		{name: "cut within the head", body: rss[:300], truncated: true, want: post.CutBody},
		{name: "one item not well-formed", body: strings.Replace(rss, "<title>Seven", "<title>Seven <", 1), want: post.OKPartial, ids: "t.example#12"},
		{name: "channel not closed", body: strings.Replace(rss, "</channel>", "", 1), want: post.OK, ids: "https://karla.example/?p=71 t.example#12"},
		{name: "Atom cut", body: atom[:strings.LastIndex(atom, "<summary")], truncated: true, want: post.OKPartial, ids: "tag:deichbote.example,2024:1 tag:deichbote.example,2024:1.c7"},
		{name: "RDF cut", body: rdf[:strings.LastIndex(rdf, "</rdf:RDF>")], truncated: true, want: post.OKPartial, ids: "http://old.example/a1"},
		{name: "JSON cut", body: js[:strings.Index(js, `"content_text"`)], truncated: true, want: post.OKPartial, ids: "t.example#42"},
		{name: "undeclared entities", body: `<rss version="2.0"><channel><title>a&nbsp;b</title><item><guid>urn:x:1</guid><title>caf&eacute; &amp; bar &copy</title></item></channel></rss>`, want: post.OK, ids: "urn:x:1"},
		{name: "control characters", body: "<rss><channel><item><guid>urn:x:1</guid><title>a\x08b\x00</title></item></channel></rss>", want: post.OK, ids: "urn:x:1"},
		{name: "invalid UTF-8", body: "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss><channel><item><guid>urn:x:1</guid><title>a\xffb</title></item></channel></rss>", want: post.OK, ids: "urn:x:1"},
		{name: "declares another charset", body: `<?xml version="1.0" encoding="windows-1252"?><rss><channel><item><guid>urn:x:1</guid><title>Привет</title></item></channel></rss>`, want: post.OK, ids: "urn:x:1"},
		{name: "blank lines before the declaration", body: "\n\n  " + rss, want: post.OK, ids: "https://karla.example/?p=71 t.example#12"},
		{name: "no items", body: `<rss version="2.0"><channel><title>Quiet</title></channel></rss>`, want: post.OK},
		{name: "one entry as a document", body: `<entry xmlns="http://www.w3.org/2005/Atom"><id>urn:x:1</id><title>Alone</title><updated>2024-05-01T10:00:00Z</updated></entry>`, want: post.OK, ids: "urn:x:1"},
		{name: "HTML", body: "<!DOCTYPE html><html><head><title>Hello</title></head><body>Hello</body></html>", want: post.UnexpectedType},
		{name: "text", body: "Internal error", want: post.UnexpectedType},
		{name: "entity bomb", body: `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><rss><channel><item><guid>urn:x:1</guid><title>&b;</title></item></channel></rss>`, want: post.OK, ids: "urn:x:1"},
		{name: "nested without end", body: "<rss><channel>" + strings.Repeat("<item>", 100_000), want: post.LayoutChanged},
	} {
		t.Run(test.name, func(t *testing.T) {
			ex := exchange("https://t.example/feed", "application/xml", test.body)
			ex.Truncated = test.truncated
			got := read(t, ex, "")
			var ids []string
			for _, it := range items(got) {
				ids = append(ids, it.ID)
				if len(it.Title) > 100 {
					t.Errorf("title of %d bytes", len(it.Title))
				}
			}
			if got.Outcome != test.want || strings.Join(ids, " ") != test.ids {
				t.Errorf("outcome %s (%s), items %q, want %s, %q", got.Outcome, got.Reason, ids, test.want, test.ids)
			}
			if got.Outcome != post.OK && got.Reason == "" {
				t.Error("no reason")
			}
		})
	}
	if got := items(read(t, exchange("https://t.example/feed", "text/xml", `<rss><channel><item><guid>urn:x:1</guid><title>caf&eacute;&nbsp;&amp;amp; bar</title></item></channel></rss>`), ""))[0].Title; got != "café & bar" {
		t.Errorf("title %q", got)
	}
}

func TestPaging(t *testing.T) {
	wordpress := file(t, "wordpress.rss")
	first := read(t, exchange("https://karla.example/feed/", "application/rss+xml", wordpress), "")
	if len(first.Next) != 1 || first.Coverage.Window || first.Coverage.End != "" {
		t.Fatalf("first page: %+v", first)
	}
	request, err := feed.Collector{}.Request(first.Next[0])
	if err != nil || request.URL != "https://karla.example/feed/?paged=2" || first.Next[0].Ref.ID != "https://karla.example/feed/" {
		t.Errorf("second page: %+v, %v", request, err)
	}
	state := string(first.Next[0].State)
	again := read(t, exchange("https://karla.example/feed/?paged=2", "application/rss+xml", wordpress), state)
	if len(again.Next) != 0 || again.Coverage.End != "page 2 repeats the one before" {
		t.Errorf("a page that repeats: %+v", again.Coverage)
	}
	other := read(t, exchange("https://karla.example/feed/?paged=2", "application/rss+xml", strings.ReplaceAll(wordpress, "?p=71", "?p=61")), state)
	if len(other.Next) != 1 || !strings.Contains(string(other.Next[0].State), "paged=3") || !strings.Contains(string(other.Next[0].State), `"page":3`) {
		t.Errorf("third page: %+v", other.Next)
	}
	end := read(t, crawlers.Exchange{URL: "https://karla.example/feed/?paged=3", Status: 404, Body: []byte("<html><title>Nothing found</title>")}, `{"url":"https://karla.example/feed/?paged=3","page":3}`)
	if end.Outcome != post.OK || end.Coverage.End != "end of list: page 3 is not found" {
		t.Errorf("end: %+v", end)
	}
	if got := read(t, exchange("https://harbour.example/feed.json", "", file(t, "feed.json")), ""); len(got.Next) != 1 || !strings.Contains(string(got.Next[0].State), "before=40") {
		t.Errorf("JSON Feed: %+v", got.Next)
	}
	if got := read(t, exchange("http://old.example/index.rdf", "", file(t, "rdf.xml")), ""); len(got.Next) != 0 || !got.Coverage.Window || got.Coverage.End != "the feed serves 1 items" {
		t.Errorf("a window: %+v", got.Coverage)
	}
	moved := read(t, crawlers.Exchange{URL: "https://karla.example/feed", Status: 301, Header: crawlers.Header{"Location": {"/feed/"}}}, "")
	if len(moved.Next) != 1 || moved.Next[0].Ref.URL != "https://karla.example/feed/" || len(moved.Identities) != 1 {
		t.Errorf("redirect: %+v", moved)
	}
	away := read(t, crawlers.Exchange{URL: "https://karla.example/feed", Status: 302, Header: crawlers.Header{"Location": {"https://feeds.example/karla"}}}, "")
	if away.Outcome != post.OK || away.Reason != "redirect to https://feeds.example/karla" || len(away.Next) != 0 || len(away.Identities) != 0 {
		t.Errorf("redirect to another site: %+v", away)
	}
}

// A feed of 10 MB is read within its limits.
func TestLarge(t *testing.T) {
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>Large</title>`)
	n := 0
	for ; b.Len() < 10<<20; n++ {
		b.WriteString(`<item><guid>urn:x:` + strings.Repeat("1", n%7+1) + `</guid><title>T</title><description>` + strings.Repeat("All the ships in the harbour. ", 100) + `</description></item>`)
	}
	b.WriteString(`</channel></rss>`)
	u, _ := url.Parse("https://t.example/feed")
	ref, _ := feed.Collector{}.Match(u)
	got, err := crawlers.Read(feed.Collector{}, crawlers.Step{Ref: ref}, exchange("https://t.example/feed", "", b.String()))
	if err != nil || len(items(got)) != n {
		t.Errorf("%d items of %d, %v", len(items(got)), n, err)
	}
}

// No bytes make Read panic or give an unknown outcome.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"wordpress.rss", "atom.xml", "rdf.xml", "feed.json"} {
		f.Add([]byte(file(f, name)), "")
	}
	f.Add([]byte("<rss><channel><item><title>x</channel>"), "text/xml; charset=koi8-r")
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1","items":[{"id":1},null,3]`), "")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		got, err := feed.Collector{}.Read(crawlers.Step{Ref: feed.RefTo("https://fuzz.example/feed")}, exchange("https://fuzz.example/feed", contentType, string(body)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Outcome != "" && got.Outcome.Scope() == "" {
			t.Errorf("outcome %q", got.Outcome)
		}
		for _, p := range got.Posts {
			if p.ID == "" || p.Kind == "" {
				t.Errorf("post without id or kind: %+v", p)
			}
		}
	})
}
