package instagram

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

// The post of most of our files, and the account that made it.
const (
	pk1   = "3822131481917715457"
	code1 = "DUK8FUQivQB"
	link1 = "https://www.instagram.com/p/" + code1 + "/"
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
	return []byte("<!DOCTYPE html><html><head><title>" + title + `</title><link rel="icon" href="https://static.cdninstagram.com/x.png"></head><body>` + inner + "</body></html>")
}

func cases(t testing.TB) []crawlertest.Case {
	const (
		api     = "https://www.instagram.com/api/v1/users/web_profile_info/?username=bridge.diary"
		account = "https://www.instagram.com/bridge.diary/"
		gql     = "https://www.instagram.com/graphql/query/?query_hash=x"
	)
	discovery := crawlers.Step{Ref: accountRef("bridge.diary"), Route: routeAPI, State: state{Me: "17841400000000099"}.encode()}
	discoveryURL := graph + "/17841400000000099?fields=" + url.QueryEscape("business_discovery.username(bridge.diary){id}")
	tag := crawlers.Step{Ref: tagRef("ponte"), Route: routeAPI, State: state{Me: "17841400000000099", Tag: "17843800000000001", List: "recent_media"}.encode()}
	mine := crawlers.Step{Ref: accountRef("bridge.diary"), Route: routeAPI}
	graphError := func(code, sub int, message string) []byte {
		return []byte(fmt.Sprintf(`{"error":{"message":%q,"type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"A"}}`, message, code, sub))
	}
	return []crawlertest.Case{
		{Name: "v1_feed.json", Exchange: exchange("https://i.instagram.com/api/v1/feed/user/bridge.diary/username/", 200, read(t, "v1_feed.json")), Outcome: post.OK, Posts: 6},
		{Name: "web_profile.json", Exchange: exchange(api, 200, read(t, "web_profile.json")), Outcome: post.OK, Posts: 4},
		{Name: "web_profile_private.json", Exchange: exchange(api, 200, read(t, "web_profile_private.json")), Outcome: post.Private, Posts: 1},
		{Name: "v1_comments.json", Exchange: exchange("https://www.instagram.com/api/v1/media/"+pk1+"/comments/", 200, read(t, "v1_comments.json")), Outcome: post.OK, Posts: 2},
		{Name: "stories.json", Exchange: exchange(gql, 200, read(t, "stories.json")), Outcome: post.OK, Posts: 1},
		{Name: "graph_discovery.json", Step: discovery, Exchange: exchange(discoveryURL, 200, read(t, "graph_discovery.json")), Outcome: post.OK, Posts: 4},
		{Name: "graph_tag.json", Step: tag, Exchange: exchange(graph+"/17843800000000001/recent_media?user_id=17841400000000099", 200, read(t, "graph_tag.json")), Outcome: post.OK, Posts: 1},
		{Name: "oembed.json", Exchange: exchange(graph+"/instagram_oembed?url="+url.QueryEscape(link1), 200, read(t, "oembed.json")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "post_meta.html", Exchange: exchange(link1, 200, read(t, "post_meta.html")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "post_data.html", Exchange: exchange(link1, 200, read(t, "post_data.html")), Outcome: post.OK, Posts: 2},
		{Name: "profile_meta.html", Exchange: exchange(account, 200, read(t, "profile_meta.html")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "embed_data.html", Exchange: exchange("https://www.instagram.com/p/DULsJfQixAI/embed/captioned/", 200, read(t, "embed_data.html")), Outcome: post.OK, Posts: 1},
		{Name: "embed_plain.html", Exchange: exchange(link1+"embed/captioned/", 200, read(t, "embed_plain.html")), Outcome: post.OKMetaOnly, Posts: 1},

		{Name: "post_ld.html", Exchange: exchange(link1, 200, bytes.Replace(read(t, "post_meta.html"), []byte("</head>"), []byte(`<script type="application/ld+json">{"@context":"http:\/\/schema.org","@type":"SocialMediaPosting","articleBody":"Fog over the #Tejo\n\nwhole","author":{"@type":"Person","identifier":{"@type":"http:\/\/schema.org\/PropertyValue","propertyID":"Username","value":"bridge.diary"},"name":"Bridge Diary","alternateName":"@bridge.diary"},"identifier":{"@type":"http:\/\/schema.org\/PropertyValue","propertyID":"Post Shortcode","value":"DUK8FUQivQB"},"dateCreated":"2026-01-31T02:00:00-0800","interactionStatistic":[{"@type":"InteractionCounter","interactionType":"http:\/\/schema.org\/LikeAction","userInteractionCount":12489}]}</script></head>`), 1)), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "title alone", Exchange: exchange(account, 200, shell("Bridge Diary (@bridge.diary) • Instagram photos and videos", "")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "empty page", Exchange: exchange(link1, 200, shell("Instagram", "")), Outcome: post.LoginWall},
		{Name: "gated", Exchange: exchange(link1, 200, shell("Instagram", `<script type="application/json">{"xig_polaris_media":{"code":"`+code1+`","gating_ruling":{"x":1},"if_not_gated_logged_out":null}}</script>`)), Outcome: post.LoginWall},
		{Name: "another post's data", Exchange: exchange("https://www.instagram.com/p/DULsJfQixAI/", 200, read(t, "post_meta.html")), Outcome: post.LayoutChanged},
		{Name: "another account", Exchange: exchange("https://www.instagram.com/rui_do_rio/", 200, read(t, "profile_meta.html")), Outcome: post.LayoutChanged},
		{Name: "another account's API", Exchange: exchange("https://www.instagram.com/api/v1/users/web_profile_info/?username=rui_do_rio", 200, read(t, "web_profile.json")), Outcome: post.LayoutChanged},
		{Name: "hashtag page", Exchange: exchange("https://www.instagram.com/explore/tags/ponte/", 200, shell("#ponte", "")), Outcome: post.LoginWall},
		{Name: "login redirect", Exchange: exchange(link1, 302, nil, "Location", "https://www.instagram.com/accounts/login/?next=/p/"+code1+"/"), Outcome: post.LoginWall},
		{Name: "redirect home", Exchange: exchange(link1, 302, nil, "Location", "https://www.instagram.com/"), Outcome: post.LoginWall},
		{Name: "login page", Exchange: exchange("https://www.instagram.com/accounts/login/?next=/p/"+code1+"/", 200, shell("Login • Instagram", `<input type="password">`)), Outcome: post.LoginWall},
		{Name: "challenge redirect", Exchange: exchange(link1, 302, nil, "Location", "/challenge/?next=/p/x/"), Outcome: post.Challenge},
		{Name: "consent redirect", Exchange: exchange(link1, 302, nil, "Location", "https://www.instagram.com/consent/?next=x"), Outcome: post.ConsentWall},
		{Name: "share link", Exchange: exchange("https://www.instagram.com/share/p/BAabc_1", 302, nil, "Location", link1+"?igsh=x"), Outcome: post.OK},
		{Name: "moved", Exchange: exchange("https://www.instagram.com/reel/"+code1+"/", 301, nil, "Location", link1), Outcome: post.OK},
		{Name: "not found", Exchange: exchange(link1, 404, shell("Page not found • Instagram", "")), Outcome: post.NotFound},
		{Name: "not found with status 200", Exchange: exchange(account, 200, shell("Instagram", `<script>{"canonicalRouteName":"comet.igweb.PolarisErrorRoute","page_logging":{"name":"httpErrorPage"}}</script>`)), Outcome: post.NotFound},
		{Name: "embed of nothing", Exchange: exchange(link1+"embed/captioned/", 200, shell("Instagram", `<div class="EmbedIsBroken"><div class="ebmMessage">The link to this photo or video may be broken, or the post may have been removed.</div></div>`)), Outcome: post.Unavailable},
		{Name: "restricted video", Exchange: exchange(link1, 200, shell("Restricted Video • Instagram", "")), Outcome: post.AgeGated},
		{Name: "401", Exchange: exchange(api, 401, []byte(`{"message":"Please wait a few minutes before you try again.","require_login":true,"igweb_rollout":true,"status":"fail"}`)), Outcome: post.RateLimited},
		{Name: "require login", Exchange: exchange(api, 403, []byte(`{"message":"","require_login":true,"status":"fail"}`)), Outcome: post.LoginWall},
		{Name: "login required", Exchange: exchange(gql, 400, []byte(`{"message":"login_required","error_title":"You've Been Logged Out","logout_reason":3,"status":"fail"}`)), Outcome: post.LoginWall},
		{Name: "checkpoint", Exchange: exchange(api, 400, []byte(`{"message":"checkpoint_required","checkpoint_url":"/challenge/1/","lock":false,"status":"fail"}`)), Outcome: post.Challenge},
		{Name: "feedback required", Exchange: exchange(api, 400, []byte(`{"message":"feedback_required","spam":true,"status":"fail"}`)), Outcome: post.Challenge},
		{Name: "ruling", Exchange: exchange("https://www.instagram.com/api/v1/media/"+pk1+"/info/", 200, []byte(`{"title":"Restricted Video","description":"You must be 18 years old or over to see this video","status":"ok"}`)), Outcome: post.AgeGated},
		{Name: "no such user", Exchange: exchange(api, 200, []byte(`{"data":{"user":null},"status":"ok"}`)), Outcome: post.NotFound},
		{Name: "no such media", Exchange: exchange("https://www.instagram.com/api/v1/media/"+pk1+"/info/", 400, []byte(`{"message":"Media not found or unavailable","status":"fail"}`)), Outcome: post.NotFound},
		{Name: "429", Exchange: exchange(link1, 429, shell("Instagram", "")), Outcome: post.RateLimited},
		{Name: "token", Step: mine, Exchange: exchange(graph+"/me/accounts?fields=x", 200, []byte(`{"data":[{"id":"1"},{"instagram_business_account":{"id":"17841400000000099","username":"desk"},"id":"2"}],"paging":{}}`)), Outcome: post.OK},
		{Name: "token of nobody", Step: mine, Exchange: exchange(graph+"/me/accounts?fields=x", 200, []byte(`{"data":[]}`)), Outcome: post.NeedsKey},
		{Name: "tag search", Step: crawlers.Step{Ref: tagRef("ponte"), Route: routeAPI, State: state{Me: "17841400000000099"}.encode()}, Exchange: exchange(graph+"/ig_hashtag_search?user_id=1&q=ponte", 200, []byte(`{"data":[{"id":"17843800000000001"}]}`)), Outcome: post.OK},
		{Name: "expired token", Step: discovery, Exchange: exchange(discoveryURL, 400, graphError(190, 463, "Error validating access token")), Outcome: post.NeedsKey},
		{Name: "not a business account", Step: discovery, Exchange: exchange(discoveryURL, 400, graphError(110, 2207013, "Invalid user id")), Outcome: post.NotFound},
		{Name: "too many calls", Step: discovery, Exchange: exchange(discoveryURL, 403, graphError(4, 0, "Application request limit reached")), Outcome: post.RateLimited},
		{Name: "JSON of another kind", Exchange: exchange(api, 200, []byte(`{"status":"ok","config":{"a":1}}`)), Outcome: post.LayoutChanged},
		{Name: "HTML of another site", Exchange: exchange(link1, 200, []byte("<!DOCTYPE html><html><head><title>Hotel WLAN</title></head></html>")), Outcome: post.UnexpectedType},
		{Name: "server error", Exchange: exchange(link1, 503, []byte("down")), Outcome: post.ServerError},
	}
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{link1, "https://instagram.com/p/" + code1, "http://m.instagram.com/reel/" + code1 + "/?igsh=x", "https://www.instagram.com/reels/" + code1 + "/", "https://www.instagram.com/tv/" + code1, "https://www.instagram.com/bridge.diary/p/" + code1 + "/?img_index=2", "https://www.instagram.com/bridge.diary/reel/" + code1 + "/", "https://instagr.am/p/" + code1, "https://ddinstagram.com/p/" + code1, "https://www.kkinstagram.com/reel/" + code1 + "/", link1 + "embed/captioned/?cr=1&v=14", link1 + "c/17900000000000001/", "instagram://media?id=" + pk1, "https://www.instagram.com/api/v1/media/" + pk1 + "/info/", "https://l.instagram.com/?u=https%3A%2F%2Fwww.instagram.com%2Fp%2F" + code1 + "%2F&e=AT", "https://www.instagram.com/accounts/login/?next=%2Fp%2F" + code1 + "%2F", graph + "/instagram_oembed?url=" + url.QueryEscape(link1), "https://www.instagram.com/p/" + code1 + "/?__a=1&__d=dis"},
			{"https://www.instagram.com/bridge.diary/", "http://instagram.com/Bridge.Diary", "https://www.instagram.com/bridge.diary/tagged/", "https://www.instagram.com/bridge.diary/reels/", "https://www.instagram.com/bridge.diary/channel/", "https://www.instagram.com/_u/bridge.diary", "https://www.instagram.com/bridge.diary/embed/", "instagram://user?username=bridge.diary", "https://www.instagram.com/stories/bridge.diary/", "https://i.instagram.com/api/v1/users/web_profile_info/?username=bridge.diary", "https://www.instagram.com/bridge.diary?igsh=x"},
			{"https://www.instagram.com/explore/tags/Ponte/", "https://www.instagram.com/explore/tags/ponte", "instagram://tag?name=ponte", graph + "/ig_hashtag_search?user_id=1&q=ponte"},
			{"https://www.instagram.com/explore/locations/212991559/lisbon/", "https://www.instagram.com/explore/locations/212991559/"},
			{"https://www.instagram.com/stories/bridge.diary/3822372000000000000/", "https://instagram.com/stories/Bridge.Diary/3822372000000000000?utm_source=x"},
			{"https://www.instagram.com/stories/highlights/17900000000000009/"},
			{"https://www.instagram.com/share/p/BAabc_1", "https://instagram.com/share/p/BAabc_1/"},
		},
		ForeignURLs: []string{"https://www.instagram.com/", "https://www.instagram.com/explore/", "https://www.instagram.com/accounts/login/", "https://www.instagram.com/direct/inbox/", "https://www.instagram.com/about/us/", "https://www.instagram.com/p/", "https://www.instagram.com/p/!!/", "https://instagram.example/p/" + code1, "https://scontent.cdninstagram.com/v/x.jpg", "https://notinstagram.com/p/" + code1, "instagram://media?id=x", "https://graph.facebook.com/v11.0/19292868552/feed", "https://l.instagram.com/?u=https%3A%2F%2Fexample.org%2F", "https://www.instagram.com/reels/audio/1234/"},
		Exchanges:   cases(t),
		Foreign: []crawlers.Exchange{
			exchange("https://graph.facebook.com/v11.0/19292868552/feed", 200, []byte(`{"data":[{"id":"1_2","message":"x","created_time":"2021-07-09T19:09:52+0000","permalink_url":"https://www.facebook.com/1/posts/2/"}]}`)),
			exchange("https://graph.facebook.com/v11.0/19292868552", 200, []byte(`{"fan_count":5,"username":"ana","id":"19292868552"}`)),
			exchange("https://graph.facebook.com/v8.0/oembed_post?url=x", 200, []byte(`{"provider_name":"Facebook","html":"<div></div>","version":"1.0"}`)),
			exchange("https://www.facebook.com/ana/posts/123", 200, []byte(`<!DOCTYPE html><html><head><title>x</title><meta property="og:title" content="Ana"></head></html>`)),
			exchange("https://ana.example/", 200, []byte(`<!DOCTYPE html><html><head><title>Ana</title></head><body><a href="https://www.instagram.com/bridge.diary/">me on Instagram</a></body></html>`)),
			exchange("https://ana.example/x.json", 200, read(t, "v1_feed.json")),
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

func TestPK(t *testing.T) {
	for code, want := range map[string]string{"Chm_-tPJqpd": "2911295595251935837", code1: pk1, "": "", "a b": "", "________________": ""} {
		if got := PK(code); got != want {
			t.Errorf("PK(%q) = %s, want %s", code, got, want)
		}
		if want != "" && Code(want) != code {
			t.Errorf("Code(%s) = %s, want %s", want, Code(want), code)
		}
	}
	if got := PK(code1 + strings.Repeat("x", 28)); got != pk1 {
		t.Errorf("a private account's code gives %s", got)
	}
	// 2026-02-01T… is what the posts of testdata state, an hour from each other.
	if at, _ := began(pk1); at.Format(time.RFC3339) != "2026-01-31T10:00:00Z" {
		t.Errorf("the upload of %s began %v", pk1, at)
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
			ref, _ = postRef(code1)
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

// BenchmarkItems reads answers of items as large as the site's.
func BenchmarkItems(b *testing.B) {
	item := read(b, "v1_feed.json")
	ex := exchange("https://i.instagram.com/api/v1/feed/user/bridge.diary/username/", 200, item)
	step := crawlers.Step{Ref: accountRef("bridge.diary")}
	posts := 0
	b.SetBytes(int64(len(item)))
	for b.Loop() {
		page, err := New().Read(step, ex)
		if err != nil {
			b.Fatal(err)
		}
		posts += len(page.Posts)
	}
	b.ReportMetric(float64(posts)/b.Elapsed().Seconds(), "posts/s")
}

// BenchmarkPage reads a page whose scripts are as large as the site's.
func BenchmarkPage(b *testing.B) {
	filler := `<script type="application/json" data-sjs>{"require":[` + strings.Repeat(`["Module","method",[],[{"props":{"a":1,"b":"text of some length"}}]],`, 12000) + `0]}</script></body>`
	body := bytes.Replace(read(b, "post_data.html"), []byte("</body>"), []byte(filler), 1)
	ex := exchange(link1, 200, body)
	r, _ := postRef(code1)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		page, err := New().Read(crawlers.Step{Ref: r}, ex)
		if err != nil || len(page.Posts) != 2 {
			b.Fatal(err, len(page.Posts), page.Outcome, page.Reason)
		}
	}
}
