package facebook

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

var fetched = time.Date(2026, 2, 20, 10, 0, 0, 0, time.UTC)

// The page and the posts of our files.
const (
	pageID = "54400000001"
	post1  = "1500000000000001"
	pfbid  = "pfbid0abcdefghijklmnopqrstuvwxyzl"
	page1  = "https://www.facebook.com/BridgeDiary"
	link1  = page1 + "/posts/" + post1
)

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

func shell(title, inner string) []byte {
	return []byte("<!DOCTYPE html><html><head><title>" + title + `</title><link rel="stylesheet" href="https://static.xx.fbcdn.net/rsrc.php/x.css"></head><body>` + inner + "</body></html>")
}

func cases(t testing.TB) []crawlertest.Case {
	posts := graph + "/bridgediary/posts?limit=25"
	account := crawlers.Step{Ref: accountRef("BridgeDiary"), Route: routeAPI}
	comments := crawlers.Step{Ref: postRef(pageID, post1), Route: routeAPI, Role: crawlers.RoleComments}
	single := graph + "/" + pageID + "_" + post1
	graphError := func(code, sub int, message string) []byte {
		return []byte(fmt.Sprintf(`{"error":{"message":%q,"type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"A"}}`, message, code, sub))
	}
	return []crawlertest.Case{
		{Name: "comet_page.html", Exchange: exchange(page1, 200, read(t, "comet_page.html")), Outcome: post.OK, Posts: 5},
		{Name: "comet_post.html", Exchange: exchange(page1+"/posts/"+pfbid, 200, read(t, "comet_post.html")), Outcome: post.OK, Posts: 3},
		{Name: "graphql.txt", Exchange: crawlers.Exchange{Method: "POST", URL: "https://www.facebook.com/api/graphql/", RequestBody: []byte("variables=" + url.QueryEscape(`{"storyID":"UzpfSTU0NDAwMDAwMDAxOjE1MDAwMDAwMDAwMDAwMDE6MTUwMDAwMDAwMDAwMDAwMQ=="}`)), Status: 200, Body: read(t, "graphql.txt"), FetchedAt: fetched}, Outcome: post.OK, Posts: 3},
		{Name: "desktop_2022.html", Exchange: exchange("https://www.facebook.com/bridgediary/posts/10150000000000001", 200, read(t, "desktop_2022.html")), Outcome: post.OK, Posts: 2},
		{Name: "plugin_post.html", Exchange: exchange("https://www.facebook.com/plugins/post.php?href="+url.QueryEscape("https://www.facebook.com/bridgediary/posts/10150000000000001")+"&show_text=true", 200, read(t, "plugin_post.html")), Outcome: post.OK, Posts: 1},
		{Name: "m_list.html", Exchange: exchange("https://m.facebook.com/BridgeDiary/posts/", 200, read(t, "m_list.html")), Outcome: post.OK, Posts: 3},
		{Name: "m_more.txt", Exchange: exchange("https://m.facebook.com/page_content_list_view/more/?page_id="+pageID, 200, read(t, "m_more.txt")), Outcome: post.OK, Posts: 1},
		{Name: "m_post.html", Exchange: exchange("https://m.facebook.com/story.php?story_fbid=4100000000000001&id="+pageID, 200, read(t, "m_post.html")), Outcome: post.OK, Posts: 3},
		{Name: "m_photo.html", Exchange: exchange("https://m.facebook.com/BridgeDiary/photos/a.1/4100000000000001/", 200, read(t, "m_photo.html")), Outcome: post.OK, Posts: 1},
		{Name: "graph_posts.json", Step: account, Exchange: exchange(posts, 200, read(t, "graph_posts.json")), Outcome: post.OK, Posts: 4},
		{Name: "graph_comments.json", Step: comments, Exchange: exchange(single+"/comments?filter=stream", 200, read(t, "graph_comments.json")), Outcome: post.OK, Posts: 2},
		{Name: "graph_page.json", Step: crawlers.Step{Ref: accountRef("BridgeDiary"), Route: routeAPI, Role: crawlers.RoleHydrate, State: state{Info: true}.encode()}, Exchange: exchange(graph+"/bridgediary?fields=id,name", 200, read(t, "graph_page.json")), Outcome: post.OK, Posts: 1},
		{Name: "oembed.json", Exchange: exchange(graph+"/oembed_post?url="+url.QueryEscape(page1+"/posts/"+pfbid), 200, read(t, "oembed.json")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "scraped.json", Exchange: exchange("https://scraper.example/items.json", 200, read(t, "scraped.json")), Outcome: post.OK, Posts: 1},

		{Name: "page of the post", Step: crawlers.Step{Ref: postRef("BridgeDiary", post1), Route: routeAPI}, Exchange: exchange(graph+"/bridgediary?fields=id,name", 200, []byte(`{"id":"`+pageID+`","name":"Bridge Diary","username":"BridgeDiary"}`)), Outcome: post.OK},
		{Name: "an empty list", Step: account, Exchange: exchange(posts, 200, []byte(`{"data":[]}`)), Outcome: post.OK},
		{Name: "head metadata alone", Exchange: exchange(link1, 200, shell(`x</title><meta property="og:title" content="Bridge Diary"><meta property="og:description" content="Fog"><meta property="og:url" content="`+link1+`"><title>`, "")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "another post", Exchange: exchange(page1+"/posts/1599999999999999", 200, read(t, "comet_post.html")), Outcome: post.LayoutChanged},
		{Name: "login page", Exchange: exchange("https://www.facebook.com/login/?next=https%3A%2F%2Fwww.facebook.com%2FBridgeDiary", 200, shell("Log into Facebook", `<form id="login_form"><input type="password"></form>You must log in to continue.`)), Outcome: post.LoginWall},
		{Name: "login page in place", Exchange: exchange(link1, 200, shell("Log in to Facebook", `<form id="login_form"><input type="password"></form>`)), Outcome: post.LoginWall},
		{Name: "login redirect", Exchange: exchange(link1, 302, nil, "Location", "https://www.facebook.com/login/?next=x"), Outcome: post.LoginWall},
		{Name: "redirect home", Exchange: exchange(link1, 302, nil, "Location", "https://www.facebook.com/"), Outcome: post.LoginWall},
		{Name: "empty page", Exchange: exchange(page1, 200, shell("Facebook", `<script>{"CurrentUserInitialData":{"USER_ID":"0"}}</script>`)), Outcome: post.LoginWall},
		{Name: "group", Exchange: exchange("https://www.facebook.com/groups/bridges/", 200, shell("Bridges", "")), Outcome: post.LoginWall},
		{Name: "checkpoint", Exchange: exchange(link1, 302, nil, "Location", "https://www.facebook.com/checkpoint/?next"), Outcome: post.Challenge},
		{Name: "unavailable", Exchange: exchange(link1, 200, shell("Facebook", `<script>{"props":{"title":"This content isn't available right now","body":"When this happens"}}</script>`)), Outcome: post.Unavailable},
		{Name: "plugin of nothing", Exchange: exchange("https://www.facebook.com/plugins/post.php?href="+url.QueryEscape(link1), 200, shell("Facebook", "This Facebook post is no longer available. It may have been removed or the privacy settings of the post may have changed.")), Outcome: post.Unavailable},
		{Name: "interstitial", Exchange: exchange(link1, 200, shell("Facebook", `<div class="uiInterstitialContent">Sorry, this Page is not available in your country</div>`)), Outcome: post.Unavailable},
		{Name: "not found", Exchange: exchange(link1, 404, shell("Page Not Found", "")), Outcome: post.NotFound},
		{Name: "blocked for a time", Exchange: exchange(link1, 200, shell("You're Temporarily Blocked", "You’re Temporarily Blocked")), Outcome: post.RateLimited},
		{Name: "429", Exchange: exchange(link1, 429, shell("Facebook", "")), Outcome: post.RateLimited},
		{Name: "share link", Exchange: exchange("https://www.facebook.com/share/p/1AbCdEf/", 302, nil, "Location", page1+"/posts/"+pfbid+"?rdid=x"), Outcome: post.OK},
		{Name: "share link to a wall", Exchange: exchange("https://fb.watch/aBcDe-f/", 302, nil, "Location", "https://www.facebook.com/login/?next="+url.QueryEscape("https://www.facebook.com/watch/?v=1500000000000003")), Outcome: post.LoginWall},
		{Name: "a page by its number", Exchange: exchange("https://www.facebook.com/"+pageID, 301, nil, "Location", page1), Outcome: post.OK},
		{Name: "GraphQL refuses", Exchange: exchange("https://www.facebook.com/api/graphql/", 200, []byte(`for (;;);{"error":1357001,"errorSummary":"Not Logged In","errorDescription":"Please log in to continue."}`)), Outcome: post.LoginWall},
		{Name: "GraphQL too often", Exchange: exchange("https://www.facebook.com/api/graphql/", 200, []byte(`{"data":null,"errors":[{"message":"Rate limit exceeded","code":1675004,"severity":"CRITICAL"}]}`)), Outcome: post.RateLimited},
		{Name: "expired token", Step: account, Exchange: exchange(posts, 400, graphError(190, 463, "Error validating access token")), Outcome: post.NeedsKey},
		{Name: "no permission", Step: account, Exchange: exchange(posts, 400, graphError(10, 0, "requires pages_read_engagement")), Outcome: post.NeedsKey},
		{Name: "no such object", Step: account, Exchange: exchange(posts, 400, graphError(100, 33, "Unsupported get request. Object with ID '1' does not exist")), Outcome: post.NotFound},
		{Name: "too many calls", Step: account, Exchange: exchange(posts, 403, graphError(32, 0, "Page request limit reached")), Outcome: post.RateLimited},
		{Name: "JSON of another kind", Step: account, Exchange: exchange(posts, 200, []byte(`{"a":1}`)), Outcome: post.LayoutChanged},
		{Name: "HTML of another site", Exchange: exchange(link1, 200, []byte("<!DOCTYPE html><html><head><title>Hotel WLAN</title></head></html>")), Outcome: post.UnexpectedType},
		{Name: "server error", Exchange: exchange(link1, 503, []byte("down")), Outcome: post.ServerError},
	}
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{page1, "https://facebook.com/bridgediary/", "http://m.facebook.com/BridgeDiary?ref=x", "https://touch.facebook.com/BridgeDiary/", "https://mbasic.facebook.com/BridgeDiary", "https://web.facebook.com/BridgeDiary/photos", "https://business.facebook.com/BridgeDiary", "https://de-de.facebook.com/BridgeDiary/about", "https://fb.com/BridgeDiary", "https://www.facebook.com/pg/BridgeDiary/posts/", "https://www.facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion/BridgeDiary", "https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.facebook.com%2FBridgeDiary&h=AT", "https://www.facebook.com/plugins/page.php?href=https%3A%2F%2Fwww.facebook.com%2FBridgeDiary&tabs=timeline", "https://www.facebook.com/login/?next=https%3A%2F%2Fwww.facebook.com%2FBridgeDiary", "https://www.facebook.com/pages/category/Photographer/BridgeDiary/posts/"},
			{"https://www.facebook.com/100060000000001", "https://www.facebook.com/profile.php?id=100060000000001", "https://www.facebook.com/people/Bridge-Diary/100060000000001/", "https://www.facebook.com/p/Bridge-Diary-100060000000001/", "https://www.facebook.com/Bridge-Diary-100060000000001/", "https://www.facebook.com/pages/Bridge-Diary/100060000000001", "https://www.facebook.com/pages/category/Photographer/Bridge-Diary-100060000000001/", "https://www.facebook.com/Bridge-Diary-100060000000001/posts/", "https://m.facebook.com/page_content_list_view/more/?page_id=100060000000001&start_cursor=x", graph + "/100060000000001/feed"},
			{link1, "https://m.facebook.com/bridgediary/posts/" + post1 + "/", page1 + "/posts/fog-over-the-tejo/" + post1, page1 + "/posts/fog-" + post1, page1 + "/posts/" + post1 + "?comment_id=1600000000000001", "https://www.facebook.com/plugins/post.php?href=" + url.QueryEscape(link1) + "&show_text=true", page1 + "/permalink/" + post1, graph + "/oembed_post?url=" + url.QueryEscape(link1)},
			{"https://www.facebook.com/permalink.php?story_fbid=1500000000000007&id=" + pageID, "https://m.facebook.com/story.php?story_fbid=1500000000000007&id=" + pageID + "&refid=52", "https://www.facebook.com/" + pageID + "/posts/1500000000000007", graph + "/" + pageID + "_1500000000000007", "https://www.facebook.com/Bridge-Diary-" + pageID + "/posts/1500000000000007"},
			{page1 + "/posts/" + pfbid, "https://m.facebook.com/BridgeDiary/posts/" + pfbid + "?locale=x"},
			{"https://www.facebook.com/groups/Bridges/posts/1500000000000008/", "https://www.facebook.com/groups/bridges/permalink/1500000000000008", "https://m.facebook.com/groups/bridges/?multi_permalinks=1500000000000008&ref=share"},
			{"https://www.facebook.com/groups/bridges", "https://www.facebook.com/groups/Bridges/about/"},
			{"https://www.facebook.com/photo.php?fbid=1500000000000009", "https://www.facebook.com/photo/?fbid=1500000000000009&set=a.1", page1 + "/photos/a.271203266297467/1500000000000009/?type=3", "https://m.facebook.com/photo.php?fbid=1500000000000009&id=1"},
			{"https://www.facebook.com/watch/?v=1500000000000003", page1 + "/videos/1500000000000003/", page1 + "/videos/fog-over/1500000000000003/", "https://www.facebook.com/video.php?v=1500000000000003", "https://www.facebook.com/reel/1500000000000003", "https://www.facebook.com/watch/live/?v=1500000000000003", "https://www.facebook.com/plugins/video.php?href=" + url.QueryEscape(page1+"/videos/1500000000000003/")},
			{"https://www.facebook.com/share/p/1AbCdEf/", "https://m.facebook.com/share/p/1AbCdEf"},
			{"https://fb.watch/aBcDe-f/", "http://fb.watch/aBcDe-f"},
			{"https://fb.me/x1y2z3"},
			{"https://www.facebook.com/events/1500000000000010/", "https://www.facebook.com/events/1500000000000010/?ref=x", "https://www.facebook.com/events/lisbon/fog-walk/1500000000000010/"},
			{"https://www.facebook.com/hashtag/tejo", "https://m.facebook.com/hashtag/Tejo?source=x"},
			{"https://www.facebook.com/ads/library/?id=1500000000000011"},
		},
		ForeignURLs: []string{"https://www.facebook.com/", "https://www.facebook.com/login/", "https://www.facebook.com/sharer/sharer.php?u=https%3A%2F%2Fa.example", "https://www.facebook.com/help/1234567", "https://www.facebook.com/marketplace/", "https://l.facebook.com/l.php?u=https%3A%2F%2Fa.example%2F", "https://scontent.xx.fbcdn.net/v/x.jpg", "https://static.xx.fbcdn.net/rsrc.php/x.js", "https://notfacebook.com/BridgeDiary", "https://facebook.example/BridgeDiary", "https://developers.facebook.com/docs", "https://graph.facebook.com/v23.0/17841400000000001?fields=business_discovery.username(x)", "https://graph.facebook.com/v8.0/instagram_oembed?url=https://www.instagram.com/p/B9bOM-6Ax_d/", "https://www.facebook.com/messages/t/1"},
		Exchanges:   cases(t),
		Foreign: []crawlers.Exchange{
			exchange("https://graph.facebook.com/v12.0/17841406338772941?fields=business_discovery.username(x){media}", 200, []byte(`{"business_discovery":{"media":{"data":[]},"id":"1"}}`)),
			exchange("https://graph.facebook.com/v12.0/17841406338772941", 200, []byte(`{"id":"17841406338772941","username":"ana","media_count":3,"followers_count":4}`)),
			exchange("https://graph.facebook.com/v4.0/17843826142012701/top_media", 200, []byte(`{"data":[{"id":"17900000000000001","media_type":"IMAGE","permalink":"https://www.instagram.com/p/B8goRvrnwod/"}]}`)),
			exchange("https://www.instagram.com/p/B8goRvrnwod/", 200, []byte(`<!DOCTYPE html><html><head><title>x</title><meta property="og:site_name" content="Instagram"></head></html>`)),
			exchange("https://ana.example/", 200, []byte(`<!DOCTYPE html><html><head><title>Ana</title><meta property="og:url" content="https://ana.example/"></head><body><a href="https://www.facebook.com/BridgeDiary">me</a></body></html>`)),
			exchange("https://ana.example/x.json", 200, read(t, "graph_posts.json")),
		},
	})
}

func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }

// TestToken: no step and no request of ours carries the token that the Graph
// API repeats in its answers.
func TestToken(t *testing.T) {
	seen := 0
	for _, k := range cases(t) {
		step := k.Step
		if step.Ref.ID == "" {
			step.Ref, _ = New().Identify(k.Exchange)
		}
		page, err := crawlers.Read(New(), step, k.Exchange)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.Next {
			req, err := New().Request(n)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			if strings.Contains(string(n.State)+req.URL, "access_token") || strings.Contains(string(n.State)+req.URL, "EAAB") {
				t.Errorf("%s: %s %s", k.Name, n.State, req.URL)
			}
		}
	}
	if seen < 4 {
		t.Errorf("only %d next steps were looked at", seen)
	}
}

func TestDecodeID(t *testing.T) {
	for _, test := range []struct{ in, owner, post, comment string }{
		{"UzpfSTU0NDIxNjc0NDM4OjE1MjI3MDA5MzgwNzI0NzM=", "54421674438", "1522700938072473", ""}, // measured
		{"UzpfSTU0NDIxNjc0NDM4OlZLOjE1MjI3MDA5MzgwNzI0NzM=", "54421674438", "1522700938072473", ""},
		{"UzpfSTEwMDA0NDYyMzE3MDQxODoxMDcyOTg0NDQ3NTMyMzE4OjEwNzI5ODQ0NDc1MzIzMTg=", "100044623170418", "1072984447532318", ""},
		{"ZmVlZGJhY2s6MTUyMjcwMDkzODA3MjQ3Mw==", "", "1522700938072473", ""},
		{"ZmVlZGJhY2s6MTAxNTcwMjQ3NDY1MTIwNTE%3D", "", "10157024746512051", ""},
		{"Y29tbWVudDoxMjNfNDU2", "", "123", "456"},
		{"bm90aGluZw==", "", "", ""},
		{"!!", "", "", ""},
	} {
		owner, id, comment := decodeID(test.in)
		if owner != test.owner || id != test.post || comment != test.comment {
			t.Errorf("%s: %q %q %q", test.in, owner, id, comment)
		}
	}
}

// TestReadItem: single items of exports.
func TestReadItem(t *testing.T) {
	var lines [][]byte
	for line := range bytes.Lines(read(t, "graphql.txt")) {
		lines = append(lines, line)
	}
	var doc struct {
		Data struct {
			Node json.RawMessage `json:"node"`
		} `json:"data"`
	}
	if err := json.Unmarshal(lines[0], &doc); err != nil {
		t.Fatal(err)
	}
	p, ok := ReadItem(doc.Data.Node)
	if !ok || p.ID != post1 || p.Platform != platform || p.Account.ID != "100060000000001" || countIn(&p, "comments") != 56 || len(p.Refs) != 1 || p.Created.Time.Unix() != 1769850000 {
		t.Errorf("%v %+v", ok, p)
	}
	if p, ok := ReadItem([]byte(`{"node":` + string(doc.Data.Node) + `,"cursor":"x"}`)); !ok || p.ID != post1 {
		t.Errorf("an edge: %v %+v", ok, p)
	}
	if p, ok := ReadItem([]byte(`{"id":"54400000001_1500000000000002","message":"x","created_time":"2026-01-31T09:00:00+0000"}`)); !ok || p.ID != "1500000000000002" || p.Account.ID != pageID {
		t.Errorf("a post of the Graph API: %v %+v", ok, p)
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"id":"1"}`, `{"text":"x","created_time":5}`} {
		if p, ok := ReadItem([]byte(bad)); ok {
			t.Errorf("%s: %+v", bad, p)
		}
	}
}

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
		ReadItem(body)
		ex := crawlers.Exchange{URL: raw, Status: 200, Body: body}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = postRef("bridgediary", post1)
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

// BenchmarkItems reads answers of the Graph API.
func BenchmarkItems(b *testing.B) {
	body := read(b, "graph_posts.json")
	ex := exchange(graph+"/bridgediary/posts", 200, body)
	posts := 0
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		page, err := New().Read(crawlers.Step{Ref: accountRef("bridgediary")}, ex)
		if err != nil {
			b.Fatal(err)
		}
		posts += len(page.Posts)
	}
	b.ReportMetric(float64(posts)/b.Elapsed().Seconds(), "posts/s")
}

// BenchmarkStories reads stories of Comet one by one, as an import does.
func BenchmarkStories(b *testing.B) {
	line, _, _ := bytes.Cut(read(b, "graphql.txt"), []byte("\n"))
	var doc struct {
		Data struct {
			Node json.RawMessage `json:"node"`
		} `json:"data"`
	}
	if err := json.Unmarshal(line, &doc); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc.Data.Node)))
	for b.Loop() {
		if _, ok := ReadItem(doc.Data.Node); !ok {
			b.Fatal("not read")
		}
	}
}

// BenchmarkPage reads a page whose scripts are as large as the site's.
func BenchmarkPage(b *testing.B) {
	filler := `<script>requireLazy(["HasteSupportData"],function(m){m.handle({"clpData":{` + strings.Repeat(`"1985308":{"r":1,"s":1,"text":"of some length"},`, 18000) + `"0":{}}})});</script></body>`
	body := bytes.Replace(read(b, "comet_page.html"), []byte("</body>"), []byte(filler), 1)
	ex := exchange(page1, 200, body)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		page, err := New().Read(crawlers.Step{Ref: accountRef("bridgediary")}, ex)
		if err != nil || len(page.Posts) < 4 {
			b.Fatal(err, len(page.Posts), page.Outcome, page.Reason)
		}
	}
}
