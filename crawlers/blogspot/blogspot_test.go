package blogspot

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/post"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var fetched = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exchange(url string, status int, body []byte, header ...string) crawlers.Exchange {
	h := crawlers.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return crawlers.Exchange{URL: url, Status: status, Header: h, Body: body, FetchedAt: fetched}
}

func match(t testing.TB, raw string) crawlers.Ref {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	ref, ok := New().Match(u)
	if !ok {
		t.Fatalf("Match refuses %s", raw)
	}
	return ref
}

const blogFeed = "https://lockkeeper.blogspot.com/feeds/posts/default?alt=json&max-results=150&start-index=1"

// cases are our own files, each of a real shape, with the outcome they stand for.
func cases(t testing.TB) []crawlertest.Case {
	notice := func(s string) []byte {
		return []byte("<!DOCTYPE html><html><head><title>Blogger</title></head><body><p>" + s + "</p></body></html>")
	}
	itemURL := "https://lockkeeper.blogspot.com/2024/05/high-water-low-gates.html"
	return []crawlertest.Case{
		{Name: "feed_posts.json", Exchange: exchange(blogFeed, 200, read(t, "feed_posts.json")), Outcome: post.OK, Posts: 2},
		{Name: "feed_comments.json", Exchange: exchange("https://lockkeeper.blogspot.com/feeds/5550000000000000002/comments/default?alt=json", 200, read(t, "feed_comments.json")), Outcome: post.OK, Posts: 3},
		{Name: "feed_summary.xml", Exchange: exchange("https://lockkeeper.blogspot.com/feeds/posts/default", 200, read(t, "feed_summary.xml")), Outcome: post.OKPartial, Posts: 1},
		{Name: "feed_posts.rss", Exchange: exchange("https://lockkeeper.blogspot.com/feeds/posts/default?alt=rss", 200, read(t, "feed_posts.rss")), Outcome: post.OK, Posts: 1},
		{Name: "page_item.html", Exchange: exchange("https://notes.lockkeeper.example/2024/05/high-water-low-gates.html", 200, read(t, "page_item.html")), Outcome: post.OK, Posts: 4},
		{Name: "page_old.html", Exchange: exchange("http://lockkeeper.blogspot.de/2009/03/first-ice.html", 200, read(t, "page_old.html")), Outcome: post.OK, Posts: 2},
		{Name: "v3_posts.json", Exchange: exchange("https://www.googleapis.com/blogger/v3/blogs/4711000000000000001/posts", 200, read(t, "v3_posts.json")), Outcome: post.OK, Posts: 1},
		{Name: "v3_comments.json", Exchange: exchange("https://www.googleapis.com/blogger/v3/blogs/4711000000000000001/posts/5550000000000000002/comments", 200, read(t, "v3_comments.json")), Outcome: post.OK, Posts: 1},
		{Name: "v3_blog.json", Exchange: exchange("https://www.googleapis.com/blogger/v3/blogs/byurl?url=https%3A%2F%2Flockkeeper.blogspot.com%2F", 200, read(t, "v3_blog.json")), Outcome: post.OK, Posts: 1},

		{Name: "feed without entries", Exchange: exchange(blogFeed, 200, []byte(`{"feed":{"id":{"$t":"tag:blogger.com,1999:blog-4711000000000000001"},"openSearch$totalResults":{"$t":"0"}}}`)), Outcome: post.OK},
		{Name: "dynamic view", Exchange: exchange("https://lockkeeper.blogspot.com/", 200, []byte("<!DOCTYPE html><html><head><meta content='blogger' name='generator'/><link rel='service.post' href='https://www.blogger.com/feeds/4711000000000000001/posts/default'/><title>The Lock Keeper's Notes</title></head><body class='dynamic'></body></html>")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "feed of another blog than asked", Step: crawlers.Step{Ref: match(t, "https://www.blogger.com/feeds/99/posts/default")}, Exchange: exchange("https://www.blogger.com/feeds/99/posts/default", 200, read(t, "feed_summary.xml")), Outcome: post.LayoutChanged},
		{Name: "page of another post than asked", Step: crawlers.Step{Ref: match(t, "https://lockkeeper.blogspot.com/2024/05/other.html")}, Exchange: exchange("https://lockkeeper.blogspot.com/2024/05/other.html", 200, read(t, "page_item.html")), Outcome: post.LayoutChanged},
		{Name: "not found", Exchange: exchange(itemURL, 404, notice("Sorry, the page you were looking for in this blog does not exist.")), Outcome: post.NotFound},
		{Name: "blog not found", Exchange: exchange("https://lockkeeper.blogspot.com/", 404, notice("Blog not found")), Outcome: post.NotFound},
		{Name: "removed", Exchange: exchange("https://lockkeeper.blogspot.com/", 404, notice("Sorry, the blog at lockkeeper.blogspot.com has been removed. This address is not available for new blogs.")), Outcome: post.Removed},
		{Name: "invited readers", Exchange: exchange("https://lockkeeper.blogspot.com/", 200, notice("This blog is open to invited readers only")), Outcome: post.Private},
		{Name: "login of invited readers", Exchange: exchange(blogFeed, 302, nil, "Location", "https://accounts.google.com/ServiceLogin?continue=x"), Outcome: post.Private},
		{Name: "adult notice", Exchange: exchange(itemURL, 302, nil, "Location", "https://www.blogger.com/blogin.g?blogspotURL=https://lockkeeper.blogspot.com/&type=content"), Outcome: post.AgeGated},
		{Name: "sorry", Exchange: exchange(blogFeed, 302, nil, "Location", "https://www.google.com/sorry/index?continue=x"), Outcome: post.RateLimited},
		{Name: "too many requests", Exchange: exchange(blogFeed, 429, []byte("slow down")), Outcome: post.RateLimited},
		{Name: "country redirect", Exchange: exchange("http://lockkeeper.blogspot.com/2024/05/high-water-low-gates.html", 302, nil, "Location", "http://lockkeeper.blogspot.de/2024/05/high-water-low-gates.html"), Outcome: post.OK},
		{Name: "custom domain redirect", Exchange: exchange(blogFeed, 301, nil, "Location", "https://notes.lockkeeper.example/feeds/posts/default?alt=json"), Outcome: post.OK},
		{Name: "HTML where a feed was due", Exchange: exchange(blogFeed, 200, []byte("<!DOCTYPE html><html><title>Hotel WLAN</title><body>Welcome</body></html>")), Outcome: post.UnexpectedType},
		{Name: "API key refused", Exchange: exchange("https://www.googleapis.com/blogger/v3/blogs/4711/posts", 400, []byte(`{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","errors":[{"reason":"badRequest"}]}}`)), Outcome: post.NeedsKey},
		{Name: "API quota", Exchange: exchange("https://www.googleapis.com/blogger/v3/blogs/4711/posts", 403, []byte(`{"error":{"code":403,"message":"Quota","errors":[{"reason":"rateLimitExceeded"}]}}`)), Outcome: post.RateLimited},
		{Name: "API private blog", Exchange: exchange("https://www.googleapis.com/blogger/v3/blogs/4711/posts", 403, []byte(`{"error":{"code":403,"message":"We're sorry, but you don't have permission to access this resource.","errors":[{"reason":"forbidden"}]}}`)), Outcome: post.Private},
		{Name: "API no such blog", Exchange: exchange("https://www.googleapis.com/blogger/v3/blogs/4711/posts", 404, []byte(`{"error":{"code":404,"message":"Not Found","errors":[{"reason":"notFound"}]}}`)), Outcome: post.NotFound},
		{Name: "server error", Exchange: exchange(blogFeed, 503, []byte("down")), Outcome: post.ServerError},
	}
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{"https://lockkeeper.blogspot.com/", "http://LockKeeper.blogspot.com", "https://lockkeeper.blogspot.de/?m=1", "https://lockkeeper.blogspot.co.uk/", "https://lockkeeper.blogspot.com.br/ncr", "http://www.lockkeeper.blogspot.com/", "https://lockkeeper.blogspot.com/feeds/posts/default?alt=rss", "https://lockkeeper.blogspot.com/atom.xml", "https://lockkeeper.blogspot.com/search?max-results=5"},
			{"https://lockkeeper.blogspot.com/2024/05/high-water.html", "http://lockkeeper.blogspot.ru/2024/05/high-water.html?m=1", "https://lockkeeper.blogspot.com/ncr/2024/05/high-water.html", "https://lockkeeper.blogspot.com/2024/05/high-water.html?showComment=1714672800500#c6660000000000000001"},
			{"https://lockkeeper.blogspot.com/p/about.html", "https://lockkeeper.blogspot.jp/p/about.html?m=0"},
			{"https://lockkeeper.blogspot.com/search/label/maps%20%26%20plans", "https://lockkeeper.blogspot.in/search/label/maps%20&%20plans?max-results=20", "https://lockkeeper.blogspot.com/feeds/posts/default/-/maps%20&%20plans"},
			{"https://lockkeeper.blogspot.com/search?q=high+water", "https://lockkeeper.blogspot.de/search?q=high%20water&m=1", "https://lockkeeper.blogspot.com/feeds/posts/default?q=high+water"},
			{"https://lockkeeper.blogspot.com/2024/05/", "https://lockkeeper.blogspot.com/2024_05_01_archive.html", "https://lockkeeper.blogspot.com/2024/05"},
			{"https://lockkeeper.blogspot.com/2024/", "https://lockkeeper.blogspot.com/2024?m=1"},
			{"https://lockkeeper.blogspot.com/feeds/5550000000000000002/comments/default", "https://lockkeeper.blogspot.com/feeds/posts/default/5550000000000000002?alt=json"},
			{"https://www.blogger.com/feeds/4711/posts/default", "http://blogger.com/feeds/4711/posts/default?start-index=26", "https://www.googleapis.com/blogger/v3/blogs/4711/posts"},
			{"https://www.blogger.com/comment.g?blogID=4711&postID=5550000000000000003", "https://www.blogger.com/feeds/4711/5550000000000000003/comments/default", "https://www.googleapis.com/blogger/v3/blogs/4711/posts/5550000000000000003"},
			{"https://www.blogger.com/profile/04711000000000000042", "http://www.blogger.com/profile/04711000000000000042"},
		},
		ForeignURLs: []string{"https://blogspot.com/", "https://www.blogspot.com/", "https://4.bp.blogspot.com/-x/s1600/a.png", "https://lockkeeper.wordpress.com/", "https://lockkeeper.blogspot.example/", "https://www.blogger.com/", "ftp://lockkeeper.blogspot.com/"},
		Exchanges:   cases(t),
		Foreign: []crawlers.Exchange{
			exchange("https://medium.com/@ana/story-7a518e4da3", 200, []byte(`<html><head><meta name="generator" content="Medium"></head><body>a blogger wrote tag:blogger.com,1999:blog-1.post-2</body></html>`)),
			exchange("https://ana.example/feed", 200, []byte(`<?xml version="1.0"?><rss version="2.0"><channel><generator>WordPress</generator><item><guid>https://ana.example/?p=1</guid></item></channel></rss>`)),
			exchange("https://ana.example/x.json", 200, []byte(`{"text":"see tag:blogger.com,1999: for more"}`)),
		},
	})
}

func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }

func TestGolden(t *testing.T) {
	for _, k := range cases(t) {
		if !strings.Contains(k.Name, ".") {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			step := k.Step
			if step.Ref.ID == "" {
				step.Ref, _ = New().Identify(k.Exchange)
			}
			page, err := crawlers.Read(New(), step, k.Exchange)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			fmt.Fprintf(&b, "ref %s\noutcome %s %s\ncoverage %+v\n", step.Ref.Key(), page.Outcome, page.Reason, page.Coverage)
			for _, id := range page.Identities {
				fmt.Fprintf(&b, "identity %s %s = %s\n", id.Kind, id.Alias, id.ID)
			}
			for _, n := range page.Next {
				req, err := New().Request(n)
				fmt.Fprintf(&b, "next %s\n     %s %v\n", n.Key(), req.URL, err)
			}
			for _, a := range page.Assets {
				fmt.Fprintf(&b, "asset %s %s of %s\n", a.Kind, a.URL, a.Post)
			}
			for _, p := range page.Posts {
				data, err := json.MarshalIndent(p, "", " ")
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "%s\n", data)
			}
			name := filepath.Join("testdata", k.Name+".golden")
			if *update {
				if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, b.Bytes()) {
				t.Errorf("differs from %s (go test -update rewrites it):\n%s", name, b.Bytes())
			}
		})
	}
}

// TestCustomDomain: a long feed of a custom domain is told by its head.
func TestCustomDomain(t *testing.T) {
	body := bytes.Replace(read(t, "feed_posts.json"), []byte("It rose"), bytes.Repeat([]byte("It rose. "), 40_000), 1)
	ex := exchange("https://notes.lockkeeper.example/feeds/posts/default?alt=json", 200, body)
	ref, ok := New().Identify(ex)
	if !ok || ref.ID != "notes.lockkeeper.example" || !ref.Alias {
		t.Fatalf("%+v, %v", ref, ok)
	}
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
	if err != nil || len(page.Posts) != 2 || len(page.Identities) == 0 || page.Identities[0].Alias != ref.ID || page.Identities[0].ID != "4711000000000000001" {
		t.Errorf("%d posts, identities %+v, %v", len(page.Posts), page.Identities, err)
	}
	req, err := New().Request(page.Next[0])
	if err != nil || !strings.HasPrefix(req.URL, "https://notes.lockkeeper.example/feeds/") {
		t.Errorf("next is %s (%v)", req.URL, err)
	}
}

func FuzzRead(f *testing.F) {
	for _, k := range cases(f) {
		f.Add(k.Exchange.URL, k.Exchange.Body)
	}
	f.Fuzz(func(t *testing.T, raw string, body []byte) {
		ex := crawlers.Exchange{URL: raw, Status: 200, Body: body}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = newRef(crawlers.RefAccount, "lockkeeper.blogspot.com", "", "https://lockkeeper.blogspot.com/", true)
		}
		page, err := New().Read(crawlers.Step{Ref: ref}, ex)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Posts {
			if _, err := json.Marshal(p); err != nil || p.ID == "" {
				t.Fatalf("post %q: %v", p.ID, err)
			}
		}
		for _, n := range page.Next {
			if _, err := New().Request(n); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkReadFeed(b *testing.B) {
	// 150 posts of about 4 kB, as a full page of a feed has.
	text := strings.Repeat("<p>The water rose by a hand before noon, and the <a href=\\\"https://levels.example/\\\">gauge</a> said so.</p>", 36)
	var entries []string
	for i := range 150 {
		entries = append(entries, fmt.Sprintf(`{"id":{"$t":"tag:blogger.com,1999:blog-1.post-%d"},"published":{"$t":"2024-05-02T18:30:00.001+02:00"},"updated":{"$t":"2024-05-03T09:12:44.120+02:00"},"category":[{"term":"a"},{"term":"b"}],"title":{"type":"text","$t":"High water"},"content":{"type":"html","$t":"%s"},"link":[{"rel":"alternate","type":"text/html","href":"https://a.blogspot.com/2024/05/p%d.html"}],"author":[{"name":{"$t":"Ilse"},"uri":{"$t":"https://www.blogger.com/profile/1"}}],"thr$total":{"$t":"3"}}`, i+1, text, i))
	}
	body := []byte(`{"feed":{"id":{"$t":"tag:blogger.com,1999:blog-1"},"openSearch$totalResults":{"$t":"1000"},"entry":[` + strings.Join(entries, ",") + `]}}`)
	ex := exchange("https://a.blogspot.com/feeds/posts/default?alt=json", 200, body)
	ref, _ := New().Identify(ex)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
		if err != nil || len(page.Posts) != 150 {
			b.Fatal(err, len(page.Posts))
		}
	}
	b.ReportMetric(float64(b.N)*150/b.Elapsed().Seconds(), "posts/s")
}
