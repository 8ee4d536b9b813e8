package medium

import (
	"bytes"
	"encoding/json"
	"flag"
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

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A sample is one file of testdata as an answer.
type sample struct {
	name    string
	url     string
	status  int
	outcome post.Outcome
	posts   int
}

var samples = []sample{
	{"feed_user.xml", "https://medium.com/feed/@mira.okafor", 200, post.OK, 2},
	{"feed_custom.xml", "https://quay-notes.example/feed", 200, post.OK, 1},
	{"feed_tag.xml", "https://medium.com/feed/tag/harbour", 200, post.OK, 1},
	{"feed_empty.xml", "https://medium.com/feed/@nobody", 200, post.OK, 0},
	{"story_apollo.html", "https://medium.com/quay/boats-men-0a1b2c3d4e5f?source=x&sk=abc", 200, post.OK, 2},
	{"story_apollo_2019.html", "https://quay-notes.example/boats-men-0a1b2c3d4e5f", 200, post.OK, 1},
	{"story_locked.html", "https://medium.com/p/7a518e4da3", 200, post.OKPartial, 1},
	{"story_suspended.html", "https://medium.com/p/7a518e4da3", 0, post.Suspended, 1},
	{"response_apollo.html", "https://medium.com/@jonreyes/i-disagree-cccc1111dddd", 200, post.OK, 1},
	{"profile_apollo.html", "https://medium.com/@mira.okafor", 200, post.OK, 3},
	{"story_2015_obv.html", "https://medium.com/@mira/on-ropes-429fab868ca8", 0, post.OK, 1},
	{"story_2015_markup.html", "https://medium.com/@mira/on-ropes-429fab868ca8", 0, post.OK, 1},
	{"profile_format_json.txt", "https://medium.com/@mira?format=json", 200, post.OK, 4},
	{"story_format_json.txt", "https://medium.com/p/429fab868ca8?format=json", 200, post.OK, 1},
	{"error_format_json.txt", "https://medium.com/@nobody?format=json", 0, post.NotFound, 0},
	{"tag_day_obv.html", "https://medium.com/tag/ropes/archive/2019/07/24", 200, post.OK, 3},
	{"story_noscript.html", "https://medium.com/@JonReyes/flags-ac4ec8aee7d1", 0, post.OK, 1},
	{"story_head.html", "https://medium.com/@JonReyes/flags-ac4ec8aee7d1", 0, post.OKMetaOnly, 1},
	{"story_ld.html", "https://medium.com/@JonReyes/flags-ac4ec8aee7d1", 0, post.OK, 1},
	{"graphql.json", "https://medium.com/_/graphql", 200, post.OK, 1},
	{"suspended.html", "https://medium.com/@bad", 410, post.Suspended, 0},
	{"gone.html", "https://medium.com/p/0123456789ab", 410, post.Deleted, 0},
	{"not_found.html", "https://medium.com/p/0123456789ab", 404, post.NotFound, 0},
	{"challenge.html", "https://medium.com/p/0123456789ab", 403, post.Challenge, 0},
	{"blocked.html", "https://medium.com/p/0123456789ab", 403, post.Blocked, 0},
	{"changed.html", "https://medium.com/p/0123456789ab", 200, post.LayoutChanged, 0},
}

func (s sample) exchange(t testing.TB) crawlers.Exchange {
	return crawlers.Exchange{URL: s.url, Status: s.status, Body: file(t, s.name), FetchedAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
}

func redirect(from, to string) crawlers.Exchange {
	return crawlers.Exchange{URL: from, Status: 302, Header: crawlers.Header{"Location": {to}}}
}

var bodyless = []crawlertest.Case{
	{Name: "a story's full address", Exchange: redirect("https://medium.com/p/0a1b2c3d4e5f", "https://medium.com/@mira/boats-0a1b2c3d4e5f?source=x"), Outcome: post.OK},
	{Name: "a story on a custom domain", Exchange: redirect("https://medium.com/p/0a1b2c3d4e5f", "https://quay-notes.example/boats-0a1b2c3d4e5f?gi=1"), Outcome: post.OK},
	{Name: "a short link", Exchange: redirect("https://link.medium.com/AbCdEf", "https://medium.com/@mira/boats-0a1b2c3d4e5f?sk=secret"), Outcome: post.OK},
	{Name: "a short link to nothing", Exchange: redirect("https://link.medium.com/AbCdEf", "https://example.org/"), Outcome: post.NotFound},
	{Name: "an account by id", Exchange: redirect("https://medium.com/u/9aab01cd23ef", "https://medium.com/@mira"), Outcome: post.OK},
	{Name: "an empty day", Exchange: redirect("https://medium.com/tag/ropes/archive/2019/07/24", "https://medium.com/tag/ropes/archive/2019/07"), Outcome: post.OK},
	{Name: "a publication that moved", Exchange: redirect("https://medium.com/quay", "https://quay-notes.example/"), Outcome: post.OK},
	{Name: "login", Exchange: redirect("https://medium.com/p/0a1b2c3d4e5f", "https://medium.com/m/signin?redirect=x"), Outcome: post.LoginWall},
	{Name: "limit", Exchange: crawlers.Exchange{URL: "https://medium.com/feed/@mira", Status: 429, Body: []byte("Too Many Requests")}, Outcome: post.RateLimited},
	{Name: "cut feed", Exchange: crawlers.Exchange{URL: "https://medium.com/feed/@mira", Body: []byte(`<?xml version="1.0"?><rss version="2.0"><channel><generator>Medium</generator><item><title>a</title><guid>https://medium.com/p/0a1b2c3d4e5f</guid></item><item><tit`)}, Outcome: post.CutBody, Posts: 1},
	{Name: "another story than asked for", Exchange: crawlers.Exchange{URL: "https://medium.com/p/ffffffffffff?format=json", Body: []byte(`{"success":true,"payload":{"value":{"id":"429fab868ca8","title":"x"}}}`)}, Outcome: post.LayoutChanged},
}

func TestContract(t *testing.T) {
	cases := crawlertest.Cases{
		Aliases: [][]string{
			{"https://medium.com/p/A0b788c0ce77", "https://medium.com/@some.one/a-story-a0b788c0ce77?source=rss-1&sk=abc#top", "https://medium.com/pub/a-story-a0b788c0ce77", "https://someone.medium.com/a-story-a0b788c0ce77", "http://www.medium.com/@x/a0b788c0ce77", "https://medium.com/pub/%E8%88%B9-a0b788c0ce77"},
			{"https://medium.com/p/7a518e4da3", "https://medium.com/@u/x-7a518e4da3"},
			{"https://medium.com/@Some_One", "https://some_one.medium.com/", "https://medium.com/@some_one/latest", "https://medium.com/feed/@some_one", "https://some_one.medium.com/feed", "https://medium.com/@some_one?source=x"},
			{"https://medium.com/u/FABE5f8ed616", "https://medium.com/u/fabe5f8ed616"},
			{"https://medium.com/The-Startup", "https://medium.com/the-startup/", "https://medium.com/feed/the-startup", "https://medium.com/the-startup/latest", "https://medium.com/the-startup/archive"},
			{"https://medium.com/tag/Boats", "https://medium.com/tag/boats/latest", "https://medium.com/feed/tag/boats", "https://medium.com/tag/boats/archive"},
			{"https://medium.com/tag/%E8%88%B9", "https://medium.com/feed/tag/船"},
			{"https://medium.com/the-startup/tagged/boats", "https://medium.com/feed/the-startup/tagged/boats"},
			{"https://medium.com/@u/tagged/boats"},
			{"https://medium.com/tag/boats/archive/2020/01/31"}, {"https://medium.com/tag/boats/archive/2020/01"},
			{"https://link.medium.com/AbCdEfGh", "http://link.medium.com/AbCdEfGh/?x=1"},
		},
		ForeignURLs: []string{
			"https://example.org/@u", "https://medium.com/", "https://medium.com/search?q=x", "https://medium.com/m/signin", "https://medium.com/_/graphql", "https://notmedium.com/@u", "https://medium.com.example.org/@u",
			"https://api.medium.com/v1/me", "https://miro.medium.com/max/1/1*a.png", "https://help.medium.com/hc", "https://medium.com/p/nothex", "https://medium.com/@", "https://towardsdatascience.com/a-story-a0b788c0ce77",
		},
		Foreign: []crawlers.Exchange{
			{URL: "https://example.org/feed", Body: []byte(`<?xml version="1.0"?><rss version="2.0"><channel><generator>WordPress</generator><item><guid>https://medium.com/p/0a1b2c3d4e5f</guid></item></channel></rss>`)},
			{URL: "https://example.org/a-story-a0b788c0ce77", Body: []byte(`<html><head><meta property="og:type" content="article"></head><body><img src="https://miro.medium.com/max/1/1*a.png"></body></html>`)},
			{URL: "https://api.example/x", Body: []byte(`{"payload":{"value":{"id":"429fab868ca8"}}}`)},
			{Body: []byte(`{"kind":"Listing","data":{"children":[]}}`)}, {Body: []byte(`{"payload":{}}`)}, {Body: []byte(`[]`)}, {Body: []byte(`<rss><channel><item/></channel></rss>`)},
		},
		Exchanges: bodyless,
	}
	for _, s := range samples {
		k := crawlertest.Case{Name: s.name, Exchange: s.exchange(t), Outcome: s.outcome, Posts: s.posts}
		cases.Exchanges = append(cases.Exchanges, k)
	}
	crawlertest.Run(t, New(), cases)
}

// TestGolden compares what Read gives for every sample with its golden file,
// with its address and, where the content tells the story, without.
func TestGolden(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			ex := s.exchange(t)
			ref, ok := New().Identify(ex)
			if !ok {
				t.Fatal("Identify refuses it")
			}
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
			if err != nil {
				t.Fatal(err)
			}
			if page.Outcome != s.outcome || len(page.Posts) != s.posts {
				t.Errorf("outcome %s (%s) with %d posts, want %s with %d", page.Outcome, page.Reason, len(page.Posts), s.outcome, s.posts)
			}
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			steps := []string{}
			for _, n := range page.Next {
				steps = append(steps, n.Key())
			}
			if err := enc.Encode(map[string]any{"ref": ref.Key(), "outcome": page.Outcome, "reason": page.Reason, "posts": page.Posts, "next": steps, "identities": page.Identities, "coverage": page.Coverage, "assets": page.Assets}); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", s.name+".golden")
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s differs; run go test -update and look at the change\ngot:\n%s", path, b.Bytes())
			}
			if len(page.Posts) == 0 || s.name == "tag_day_obv.html" {
				return
			}
			bare := ex
			bare.URL = ""
			if again, ok := New().Identify(bare); !ok && s.name != "profile_apollo.html" {
				t.Error("without an address it is not known as Medium's")
			} else if p, err := crawlers.Read(New(), crawlers.Step{Ref: again}, bare); ok && (err != nil || len(p.Posts) != len(page.Posts)) {
				t.Errorf("without an address: %d posts, want %d (%v)", len(p.Posts), len(page.Posts), err)
			}
		})
	}
}

// TestRedirects checks where the redirects lead.
func TestRedirects(t *testing.T) {
	want := map[string]string{
		"a story's full address":     "https://medium.com/@mira/boats-0a1b2c3d4e5f?source=x",
		"a story on a custom domain": "https://quay-notes.example/boats-0a1b2c3d4e5f?gi=1",
		"a short link":               "https://medium.com/p/0a1b2c3d4e5f",
		"an account by id":           "https://medium.com/feed/@mira",
		"a publication that moved":   "https://quay-notes.example/feed",
	}
	for _, k := range bodyless {
		ref := k.Step.Ref
		if ref.Kind == "" {
			ref, _ = New().Identify(k.Exchange)
		}
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, k.Exchange)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(page.Next) > 0 && want[k.Name] != "" {
			req, err := New().Request(page.Next[0])
			if err != nil {
				t.Error(err)
			}
			got = req.URL
		}
		if got != want[k.Name] {
			t.Errorf("%s: next request %q, want %q", k.Name, got, want[k.Name])
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range samples {
		ex := s.exchange(f)
		f.Add(s.url, s.status, ex.Body)
	}
	f.Fuzz(func(t *testing.T, address string, status int, body []byte) {
		ex := crawlers.Exchange{URL: address, Status: status, Body: body}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = groupRef("a")
		}
		page, err := New().Read(crawlers.Step{Ref: ref}, ex)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Next {
			if _, err := New().Request(s); err != nil {
				t.Errorf("next step %s: %v", s.Key(), err)
			}
		}
		if _, err := json.Marshal(page); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkPage reads a story page of 2 MB, most of which is not the story's.
func BenchmarkPage(b *testing.B) {
	page := file(b, "story_apollo.html")
	filler := strings.Repeat(`<div class="ab cd"><p class="pw-post-body-paragraph">Some words of a page, &amp; more.</p></div>`, 20000)
	body := bytes.Replace(page, []byte(`<div id="root"></div>`), []byte(`<div id="root">`+filler+`</div>`), 1)
	ex := crawlers.Exchange{URL: "https://medium.com/p/0a1b2c3d4e5f", Status: 200, Body: body}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if page, err := crawlers.Read(New(), crawlers.Step{Ref: postRef("0a1b2c3d4e5f")}, ex); err != nil || len(page.Posts) != 2 {
			b.Fatal(err, len(page.Posts))
		}
	}
}
