package tumblr

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
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

const v1URL = "https://bridge-diary.tumblr.com/api/read/json?num=50&start=0"

// cases are our own files, each of a real shape, with the outcome they stand for.
func cases(t testing.TB) []crawlertest.Case {
	const postURL = "https://bridge-diary.tumblr.com/post/700000000000000001/fog"
	notice := func(title, s string) []byte {
		return []byte("<!DOCTYPE html><html><head><title>" + title + "</title></head><body><p>" + s + "</p></body></html>")
	}
	refused := func(status int, detail string) []byte {
		return []byte(fmt.Sprintf(`{"meta":{"status":%d,"msg":"Refused"},"response":[],"errors":[{"title":"Refused","code":0,"detail":%q}]}`, status, detail))
	}
	const v2 = "https://api.tumblr.com/v2/blog/bridge-diary/posts?limit=50&npf=true"
	return []crawlertest.Case{
		{Name: "v1.js", Exchange: exchange(v1URL, 200, read(t, "v1.js")), Outcome: post.OK, Posts: 8},
		{Name: "v1.xml", Exchange: exchange("http://bridge-diary.tumblr.com/api/read", 200, read(t, "v1.xml")), Outcome: post.OK, Posts: 2},
		{Name: "rss.xml", Exchange: exchange("https://diary.bridge.example/rss", 200, read(t, "rss.xml")), Outcome: post.OK, Posts: 1},
		{Name: "v2_npf.json", Exchange: exchange(v2, 200, read(t, "v2_npf.json")), Outcome: post.OK, Posts: 3},
		{Name: "v2_notes.json", Step: crawlers.Step{Ref: postRef("bridge-diary", "700000000000000002"), Route: routeAPI, Role: crawlers.RoleComments}, Exchange: exchange("https://api.tumblr.com/v2/blog/bridge-diary/notes?id=700000000000000002&mode=conversation", 200, read(t, "v2_notes.json")), Outcome: post.OK, Posts: 2},
		{Name: "page_theme.html", Exchange: exchange("https://diary.bridge.example/post/700000000000000001/fog", 200, read(t, "page_theme.html")), Outcome: post.OK, Posts: 1},
		{Name: "page_list.html", Exchange: exchange("https://bridge-diary.tumblr.com/", 200, read(t, "page_list.html")), Outcome: post.OKMetaOnly, Posts: 2},
		{Name: "page_site.html", Exchange: exchange("https://www.tumblr.com/bridge-diary/700000000000000001/fog", 200, read(t, "page_site.html")), Outcome: post.OK, Posts: 1},
		{Name: "oembed.json", Exchange: exchange("https://www.tumblr.com/oembed/1.0?url=https%3A%2F%2Fbridge-diary.tumblr.com%2Fpost%2F700000000000000001", 200, read(t, "oembed.json")), Outcome: post.OKMetaOnly, Posts: 1},

		{Name: "v1 without posts", Exchange: exchange(v1URL, 200, []byte(`var tumblr_api_read = {"tumblelog":{"name":"bridge-diary"},"posts-start":0,"posts-total":0,"posts":[]};`)), Outcome: post.OK},
		{Name: "v1 of another post than asked", Step: crawlers.Step{Ref: postRef("bridge-diary", "99")}, Exchange: exchange("https://bridge-diary.tumblr.com/api/read/json?id=99", 200, read(t, "v1.js")), Outcome: post.LayoutChanged},
		{Name: "short link", Exchange: exchange("https://tmblr.co/ZAbCdEf", 301, nil, "Location", postURL), Outcome: post.OK},
		{Name: "short link to nothing", Exchange: exchange("https://tmblr.co/ZAbCdEf", 404, notice("Not found.", "There's nothing here.")), Outcome: post.NotFound},
		{Name: "custom domain", Exchange: exchange(v1URL, 302, nil, "Location", "https://diary.bridge.example/api/read/json?num=50&start=0"), Outcome: post.OK},
		{Name: "renamed post address", Exchange: exchange("https://www.tumblr.com/bridge-diary/700000000000000001", 301, nil, "Location", "https://www.tumblr.com/bridge-diary/700000000000000001/fog"), Outcome: post.OK},
		{Name: "login required", Exchange: exchange(v1URL, 302, nil, "Location", "https://www.tumblr.com/login_required/bridge-diary"), Outcome: post.LoginWall},
		{Name: "safe mode", Exchange: exchange(v1URL, 302, nil, "Location", "https://www.tumblr.com/safe-mode?url=x"), Outcome: post.AgeGated},
		{Name: "consent", Exchange: exchange("https://bridge-diary.tumblr.com/rss", 303, nil, "Location", "https://www.tumblr.com/privacy/consent?redirect=x"), Outcome: post.ConsentWall},
		{Name: "dashboard only", Exchange: exchange(v2, 404, refused(404, "This Tumblr is only viewable within the Tumblr dashboard")), Outcome: post.LoginWall},
		{Name: "no permission", Exchange: exchange(v2, 403, refused(403, "You do not have permission to view this blog")), Outcome: post.Private},
		{Name: "no such blog", Exchange: exchange(v2, 404, refused(404, "Tumblelog not found")), Outcome: post.NotFound},
		{Name: "no key", Exchange: exchange(v2, 401, refused(401, "Unauthorized")), Outcome: post.NeedsKey},
		{Name: "too many requests", Exchange: exchange(v2, 429, refused(429, "Limit Exceeded"), "X-Ratelimit-Perhour-Remaining", "0", "X-Ratelimit-Perhour-Reset", "120"), Outcome: post.RateLimited},
		{Name: "password", Exchange: exchange("https://bridge-diary.tumblr.com/", 200, notice("bridge-diary", "This Tumblr is password protected")), Outcome: post.Password},
		{Name: "not found", Exchange: exchange(postURL, 404, notice("Not found.", "There's nothing here.")), Outcome: post.NotFound},
		{Name: "HTML where JSON was due", Exchange: exchange(v1URL, 200, notice("Hotel WLAN", "Welcome")), Outcome: post.UnexpectedType},
		{Name: "server error", Exchange: exchange(v1URL, 503, []byte("down")), Outcome: post.ServerError},
	}
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{"https://www.tumblr.com/bridge-diary", "https://Bridge-Diary.tumblr.com/", "http://tumblr.com/bridge-diary", "https://www.tumblr.com/blog/bridge-diary", "https://www.tumblr.com/blog/view/bridge-diary", "https://bridge-diary.tumblr.com/archive", "https://bridge-diary.tumblr.com/rss", "https://bridge-diary.tumblr.com/page/3", "https://bridge-diary.tumblr.com/api/read/json?start=50", "https://api.tumblr.com/v2/blog/bridge-diary.tumblr.com/posts?limit=2", "https://www.tumblr.com/@bridge-diary"},
			{"https://www.tumblr.com/bridge-diary/700000000000000001", "https://bridge-diary.tumblr.com/post/700000000000000001", "http://bridge-diary.tumblr.com/post/700000000000000001/fog?source=share#notes", "https://bridge-diary.tumblr.com/image/700000000000000001", "https://www.tumblr.com/bridge-diary/700000000000000001/fog", "https://www.tumblr.com/blog/view/bridge-diary/700000000000000001", "https://www.tumblr.com/oembed/1.0?url=https%3A%2F%2Fbridge-diary.tumblr.com%2Fpost%2F700000000000000001", "https://bridge-diary.tumblr.com/api/read/json?id=700000000000000001", "https://at.tumblr.com/bridge-diary/700000000000000001/abc", "https://www.tumblr.com/reblog/bridge-diary/700000000000000001/KEY", "https://bridge-diary.tumblr.com/post/700000000000000001/fog/amp"},
			{"https://bridge-diary.tumblr.com/tagged/River%20Tejo", "https://bridge-diary.tumblr.com/tagged/river+tejo", "https://bridge-diary.tumblr.com/archive/tagged/river%20tejo", "https://www.tumblr.com/bridge-diary/tagged/river%20tejo", "https://bridge-diary.tumblr.com/tagged/river+tejo/rss"},
			{"https://www.tumblr.com/tagged/fog", "https://tumblr.com/tagged/Fog?sort=recent", "https://api.tumblr.com/v2/tagged?tag=fog"},
			{"https://bridge-diary.tumblr.com/day/2024/5/2", "https://bridge-diary.tumblr.com/day/2024/05/02"},
			{"https://www.tumblr.com/search/river%20fog", "https://www.tumblr.com/search/river+fog/recent", "https://www.tumblr.com/search/river%20fog/top/photo"},
			{"https://tmblr.co/ZAbCdEf", "http://tmblr.co/ZAbCdEf"},
			{"https://at.tumblr.com/bridge-diary/fog/x1y2z3"},
		},
		ForeignURLs: []string{"https://www.tumblr.com/", "https://www.tumblr.com/dashboard", "https://www.tumblr.com/login", "https://64.media.tumblr.com/0123/x.jpg", "https://assets.tumblr.com/x.js", "https://tumblr.example/bridge-diary", "https://www.tumblr.com/tagged/", "https://notumblr.com/x"},
		Exchanges:   cases(t),
		Foreign: []crawlers.Exchange{
			exchange("https://ana.example/post/123456", 200, []byte(`<!DOCTYPE html><html><head><meta property="og:url" content="https://ana.example/post/123456"></head><body><a href="https://x.tumblr.com/">tumblr</a></body></html>`)),
			exchange("https://ana.example/feed", 200, []byte(`<?xml version="1.0"?><rss version="2.0"><channel><generator>WordPress</generator></channel></rss>`)),
			exchange("https://ana.example/x.json", 200, []byte(`{"posts":[]}`)),
		},
	})
}

func TestWait(t *testing.T) {
	for _, k := range cases(t) {
		if k.Name == "too many requests" {
			ref, _ := New().Identify(k.Exchange)
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, k.Exchange)
			if err != nil || page.Wait != 120*time.Second {
				t.Errorf("wait %v (%v), want the hour's reset", page.Wait, err)
			}
		}
	}
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

func FuzzRead(f *testing.F) {
	for _, k := range cases(f) {
		f.Add(k.Exchange.URL, k.Exchange.Body)
	}
	f.Fuzz(func(t *testing.T, raw string, body []byte) {
		ex := crawlers.Exchange{URL: raw, Status: 200, Body: body}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = blogRef("bridge-diary")
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
