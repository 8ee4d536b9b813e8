package vimeo

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

const (
	video  = "https://vimeo.com/900000001"
	oembed = "https://vimeo.com/api/oembed.json?url=https%3A%2F%2Fvimeo.com%2F900000001"
	api    = "https://api.vimeo.com/videos/900000001"
)

// cases are our own files, each of a real shape, and the walls of the platform.
func cases(t testing.TB) []crawlertest.Case {
	notice := func(title, body string) []byte {
		return []byte("<!DOCTYPE html><html><head><title>" + title + "</title></head><body>" + body + "</body></html>")
	}
	return []crawlertest.Case{
		{Name: "api_video.json", Exchange: exchange(api, 200, read(t, "api_video.json")), Outcome: post.OK, Posts: 1},
		{Name: "api_user.json", Step: crawlers.Step{Ref: userRef("fogdiary"), Route: routeAPI}, Exchange: exchange("https://api.vimeo.com/users/fogdiary", 200, read(t, "api_user.json")), Outcome: post.OK, Posts: 1},
		{Name: "api_list.json", Step: crawlers.Step{Ref: userID("700001"), Route: routeAPI}, Exchange: exchange("https://api.vimeo.com/users/700001/videos?per_page=100", 200, read(t, "api_list.json")), Outcome: post.OK, Posts: 4},
		{Name: "api_comments.json", Step: crawlers.Step{Ref: videoRef("900000001", ""), Route: routeAPI, Role: crawlers.RoleComments}, Exchange: exchange(api+"/comments?per_page=100", 200, read(t, "api_comments.json")), Outcome: post.OK, Posts: 2},
		{Name: "oembed.json", Exchange: exchange(oembed, 200, read(t, "oembed.json")), Outcome: post.OK, Posts: 1},
		{Name: "oembed_limited.json", Exchange: exchange("https://vimeo.com/api/oembed.json?url=https%3A%2F%2Fvimeo.com%2F900000002%2F0a1b2c3d4e", 200, read(t, "oembed_limited.json")), Outcome: post.EmbedRestricted, Posts: 1},
		{Name: "page.html", Exchange: exchange(video, 200, read(t, "page.html")), Outcome: post.OK, Posts: 1},
		{Name: "page_head.html", Exchange: exchange(video, 200, read(t, "page_head.html")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "page_user.html", Exchange: exchange("https://vimeo.com/fogdiary", 200, read(t, "page_user.html")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "page_old_list.html", Exchange: exchange("https://vimeo.com/fogdiary/videos", 200, read(t, "page_old_list.html")), Outcome: post.OK, Posts: 2},
		{Name: "player.html", Exchange: exchange("https://player.vimeo.com/video/900000001", 200, read(t, "player.html")), Outcome: post.OKPartial, Posts: 1},
		{Name: "simple_list.json", Exchange: exchange("https://vimeo.com/api/v2/fogdiary/videos.json", 200, read(t, "simple_list.json")), Outcome: post.OK, Posts: 2},
		{Name: "simple_user.json", Exchange: exchange("https://vimeo.com/api/v2/fogdiary/info.json", 200, read(t, "simple_user.json")), Outcome: post.OK, Posts: 1},
		{Name: "simple_channel.json", Exchange: exchange("https://vimeo.com/api/v2/channel/fogs/info.json", 200, read(t, "simple_channel.json")), Outcome: post.OK, Posts: 1},
		{Name: "advanced.json", Step: crawlers.Step{Ref: searchRef("fog")}, Exchange: exchange("http://vimeo.com/api/rest/v2?method=vimeo.videos.search&query=fog", 200, read(t, "advanced.json")), Outcome: post.OK, Posts: 1},
		{Name: "feed.xml", Exchange: exchange("https://vimeo.com/fogdiary/videos/rss", 200, read(t, "feed.xml")), Outcome: post.OK, Posts: 1},

		{Name: "JSONP", Exchange: exchange("https://vimeo.com/api/v2/video/900000001.json?callback=show", 200, append(append([]byte("show("), read(t, "simple_list.json")...), ')')), Outcome: post.OK, Posts: 2},
		{Name: "page of another video", Step: crawlers.Step{Ref: videoRef("900000009", "")}, Exchange: exchange("https://vimeo.com/900000009", 200, read(t, "page.html")), Outcome: post.LayoutChanged},
		{Name: "oEmbed of another video", Step: crawlers.Step{Ref: videoRef("900000009", "")}, Exchange: exchange(strings.Replace(oembed, "900000001", "900000009", 1), 200, read(t, "oembed.json")), Outcome: post.LayoutChanged},
		{Name: "password form", Exchange: exchange(video, 200, notice("Private video on Vimeo", `<form id="pw_form" action="/900000001/password" method="post"><input type="password"></form>`)), Outcome: post.Password},
		{Name: "gone", Exchange: exchange(video, 404, notice("VimeUhOh", "")), Outcome: post.NotFound},
		{Name: "legal", Exchange: exchange(video, 451, notice("VimeUhOh", "Sorry, this video is unavailable")), Outcome: post.Removed},
		{Name: "a saved VimeUhOh", Exchange: exchange(video, 0, notice("VimeUhOh", "")), Outcome: post.Unavailable},
		{Name: "challenge", Exchange: exchange(video, 403, notice("Just a moment...", "<script>window._cf_chl_opt={}</script>")), Outcome: post.Challenge},
		{Name: "bare 403", Exchange: exchange(video, 403, notice("Vimeo", "")), Outcome: post.Blocked},
		{Name: "player elsewhere", Exchange: exchange("https://player.vimeo.com/video/900000001", 403, notice("Sorry", "Because of its privacy settings, this video cannot be played here.")), Outcome: post.EmbedRestricted},
		{Name: "player config elsewhere", Exchange: exchange("https://player.vimeo.com/video/900000001/config", 403, []byte(`{"message":"Because of its privacy settings, this video cannot be played here.","title":"Sorry","view":4}`)), Outcome: post.EmbedRestricted},
		{Name: "oEmbed 404", Exchange: exchange(oembed, 404, []byte("404 Not Found")), Outcome: post.NotFound},
		{Name: "oEmbed 403", Exchange: exchange(oembed, 403, []byte("403 Forbidden")), Outcome: post.Private},
		{Name: "API without token", Exchange: exchange(api, 401, []byte(`{"error":"You must provide a valid authenticated access token."}`)), Outcome: post.NeedsKey},
		{Name: "API of no such video", Exchange: exchange(api, 404, []byte(`{"error":"The requested video couldn't be found.","error_code":5000}`)), Outcome: post.NotFound},
		{Name: "API of a video behind a password", Exchange: exchange(api, 403, []byte(`{"error":"Password required","error_code":2222}`)), Outcome: post.Password},
		{Name: "API of a private video", Exchange: exchange(api, 403, []byte(`{"error":"You don't have permission to view this video."}`)), Outcome: post.Private},
		{Name: "API limit", Exchange: exchange(api, 429, []byte(`{"error":"Too many API requests."}`), "X-Ratelimit-Reset", "2026-11-23T10:01:30+00:00"), Outcome: post.RateLimited},
		{Name: "API list without videos", Step: crawlers.Step{Ref: userID("700001"), Route: routeAPI}, Exchange: exchange("https://api.vimeo.com/users/700001/videos", 200, []byte(`{"total":0,"page":1,"paging":{"next":null},"data":[]}`)), Outcome: post.OK},
		{Name: "simple API is gone", Exchange: exchange("https://vimeo.com/api/v2/fogdiary/videos.json", 404, []byte("Not Found")), Outcome: post.ServerError},
		{Name: "advanced API error", Step: crawlers.Step{Ref: searchRef("fog")}, Exchange: exchange("http://vimeo.com/api/rest/v2?method=vimeo.videos.search", 200, []byte(`{"generated_in":"0.01","stat":"fail","err":{"code":"401","expl":"The consumer key passed was not valid.","msg":"Invalid signature"}}`)), Outcome: post.NeedsKey},
		{Name: "login", Exchange: exchange(video, 302, nil, "Location", "https://vimeo.com/log_in?redirect=%2F900000001"), Outcome: post.LoginWall},
		{Name: "to the unlisted address", Exchange: exchange(video, 302, nil, "Location", "https://vimeo.com/900000001/0a1b2c3d4e"), Outcome: post.OK},
		{Name: "a number that has a name", Step: crawlers.Step{Ref: userID("700001"), Route: routeHTML}, Exchange: exchange("https://vimeo.com/user700001", 301, nil, "Location", "https://vimeo.com/fogdiary"), Outcome: post.OK},
		{Name: "server error", Exchange: exchange(video, 503, []byte("down")), Outcome: post.ServerError},
		{Name: "HTML of another place", Exchange: exchange(video, 200, notice("Hotel WLAN", "Welcome")), Outcome: post.LayoutChanged},
	}
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{video, "http://www.vimeo.com/900000001?share=copy#t=5", "https://player.vimeo.com/video/900000001?title=0&byline=0", "https://vimeo.com/channels/staffpicks/900000001", "https://vimeo.com/groups/fogs/videos/900000001", "https://vimeo.com/album/123/video/900000001", "https://vimeo.com/showcase/123/video/900000001", "https://vimeo.com/ondemand/fogs/900000001", "http://vimeo.com/moogaloop.swf?clip_id=900000001&server=vimeo.com", "https://vimeo.com/m/900000001", "http://vimeo.com/m/#/900000001", "http://vimeo.com/#900000001", "https://vimeo.com/video/900000001", "https://api.vimeo.com/videos/900000001", "https://api.vimeo.com/videos/900000001/comments?page=2", oembed, "https://vimeo.com/api/v2/video/900000001.json", "https://vimeo.com/900000001/settings", "https://vimeo.com/fogdiary/videos/900000001", "https://player.vimeo.com/video/900000001/config"},
			{"https://vimeo.com/900000002/0a1b2c3d4e", "https://player.vimeo.com/video/900000002?h=0a1b2c3d4e", "https://vimeo.com/900000002?h=0A1B2C3D4E", "https://api.vimeo.com/videos/900000002:0a1b2c3d4e", "https://vimeo.com/fogdiary/review/900000002/0a1b2c3d4e", "https://vimeo.com/user/review/900000002/0a1b2c3d4e", "https://vimeo.com/showcase/123/video/900000002/0a1b2c3d4e"},
			{"https://vimeo.com/fogdiary", "http://vimeo.com/FogDiary/videos", "https://vimeo.com/fogdiary/about", "https://vimeo.com/fogdiary/videos/rss", "https://vimeo.com/api/v2/fogdiary/videos.json?page=2", "https://vimeo.com/api/v2/fogdiary/info.json", "https://api.vimeo.com/users/fogdiary/videos"},
			{"https://vimeo.com/user700001", "https://vimeo.com/user700001/videos", "https://api.vimeo.com/users/700001", "https://vimeo.com/USER700001"},
			{"https://vimeo.com/channels/fogs", "https://vimeo.com/channels/Fogs/videos/rss", "https://vimeo.com/api/v2/channel/fogs/videos.json", "https://api.vimeo.com/channels/fogs/videos?page=2"},
			{"https://vimeo.com/groups/fogs", "https://vimeo.com/groups/fogs/videos", "https://vimeo.com/api/v2/group/fogs/videos.json", "https://api.vimeo.com/groups/fogs/videos"},
			{"https://vimeo.com/showcase/1234567", "https://vimeo.com/album/1234567", "https://vimeo.com/albums/1234567", "https://api.vimeo.com/users/700001/albums/1234567/videos", "https://api.vimeo.com/albums/1234567/videos"},
			{"https://vimeo.com/ondemand/fogs", "https://api.vimeo.com/ondemand/pages/fogs/videos"},
			{"https://vimeo.com/event/123456", "https://vimeo.com/event/123456/embed"},
			{"https://vimeo.com/categories/travel", "https://vimeo.com/categories/Travel/videos", "https://api.vimeo.com/categories/travel/videos"},
			{"https://vimeo.com/tag:slow%20walk", "https://vimeo.com/tag:Slow%20Walk/sort:date", "https://api.vimeo.com/tags/slow%20walk/videos"},
			{"https://vimeo.com/search?q=fog+lake", "https://vimeo.com/search/page:2?q=fog%20lake", "https://api.vimeo.com/videos?query=fog+lake"},
		},
		ForeignURLs: []string{"https://vimeo.com/", "https://vimeo.com/log_in", "https://vimeo.com/upload", "https://vimeo.com/help/faq", "https://i.vimeocdn.com/video/1_640.jpg", "https://vimeo.example/900000001", "https://notvimeo.com/900000001", "https://player.vimeo.com/api/player.js", "https://developer.vimeo.com/apps", "https://vimeo.com/search", "https://vimeo.com/api/oembed.json?url=https%3A%2F%2Fana.example%2F"},
		Exchanges:   cases(t),
		Foreign: []crawlers.Exchange{
			exchange("https://ana.example/", 200, []byte(`<!DOCTYPE html><html><head><link rel="canonical" href="https://ana.example/"><meta property="og:video" content="https://player.vimeo.com/video/900000001"></head><body><iframe src="https://player.vimeo.com/video/900000001"></iframe></body></html>`)),
			exchange("", 200, []byte(`{"provider_name":"YouTube","author_name":"x","html":"vimeo"}`)),
			exchange("", 200, []byte(`{"kind":"youtube#video","id":"LakeFog0001"}`)),
			exchange("https://ana.example/feed", 200, []byte(`<?xml version="1.0"?><rss version="2.0"><channel><link>https://vimeo.com/fogdiary</link></channel></rss>`)),
		},
	})
}

func TestWait(t *testing.T) {
	for _, k := range cases(t) {
		if k.Name != "API limit" {
			continue
		}
		page, err := crawlers.Read(New(), crawlers.Step{Ref: videoRef("900000001", "")}, k.Exchange)
		if err != nil || page.Wait != 90*time.Second {
			t.Errorf("wait %v (%v), want 90 s", page.Wait, err)
		}
	}
}

// TestGolden shows what each of our files gives.
func TestGolden(t *testing.T) {
	for _, k := range cases(t) {
		if !strings.Contains(k.Name, ".") {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			step := k.Step
			if step.Ref == (crawlers.Ref{}) {
				step.Ref, _ = New().Identify(k.Exchange)
			}
			page, err := crawlers.Read(New(), step, k.Exchange)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			fmt.Fprintf(&b, "ref %s\noutcome %s %s\ncoverage %+v\n", step.Ref.Key(), page.Outcome, page.Reason, page.Coverage)
			for _, id := range page.Identities {
				fmt.Fprintf(&b, "identity %s %s = %s %s\n", id.Kind, id.Alias, id.ID, id.URL)
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

// TestNewYork holds the rule against the zone database, where there is one.
func TestNewYork(t *testing.T) {
	for _, test := range []struct{ raw, from, to string }{
		{"2015-08-21 17:37:43", "2015-08-21T21:37:43Z", ""}, // as the API states it
		{"2016-01-08 09:04:09", "2016-01-08T14:04:09Z", ""},
		{"2006-03-20 12:00:00", "2006-03-20T17:00:00Z", ""}, // before April: standard until 2006
		{"2007-03-20 12:00:00", "2007-03-20T16:00:00Z", ""},
		{"2011-11-06 01:30:00", "2011-11-06T05:30:00Z", "2011-11-06T06:30:00Z"}, // twice on that night
		{"2011-11-06 00:30:00", "2011-11-06T04:30:00Z", ""},
		{"2011-11-06 02:00:00", "2011-11-06T07:00:00Z", ""},
		{"2011-03-13 02:30:00", "2011-03-13T06:30:00Z", "2011-03-13T07:30:00Z"}, // left out on that night
	} {
		got := newYork(test.raw)
		to := test.to
		if to == "" {
			to = test.from
		}
		if got.Earliest().Format(time.RFC3339) != test.from || got.Latest().Format(time.RFC3339) != to || got.Raw != test.raw || (test.to == "") != !got.Time.IsZero() {
			t.Errorf("%s: %+v, want %s to %s", test.raw, got, test.from, to)
		}
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("no zone database: ", err)
	}
	for at := time.Date(2005, 1, 1, 0, 30, 0, 0, time.UTC); at.Year() < 2030; at = at.Add(7 * time.Hour) {
		raw := at.In(zone).Format("2006-01-02 15:04:05")
		got := newYork(raw)
		if got.Earliest().After(at) || got.Latest().Before(at) || got.Latest().Sub(got.Earliest()) > time.Hour {
			t.Fatalf("%s is %s, read as %+v", raw, at, got)
		}
	}
}

func TestReadItem(t *testing.T) {
	if p, ok := ReadItem(read(t, "api_video.json"), fetched); !ok || p.ID != "900000001" || p.Platform != platform || p.Account.Platform != platform {
		t.Errorf("%v %+v", ok, p)
	}
	for _, raw := range []string{"", "[]", `{"uri":"/folders/1"}`, "nonsense", `{"kind":"youtube#video"}`} {
		if p, ok := ReadItem([]byte(raw), fetched); ok {
			t.Errorf("%q is read as %+v", raw, p)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, k := range cases(f) {
		f.Add(k.Exchange.URL, k.Exchange.Status, k.Exchange.Body)
	}
	f.Fuzz(func(t *testing.T, raw string, status int, body []byte) {
		ex := crawlers.Exchange{URL: raw, Status: status, Body: body, FetchedAt: fetched}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = videoRef("900000001", "")
		}
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
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

func FuzzMatch(f *testing.F) {
	f.Add("https://vimeo.com/showcase/123/video/900000002/0a1b2c3d4e")
	f.Add("https://vimeo.com/tag:slow%20walk")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.Parse(raw)
		if err != nil {
			return
		}
		ref, ok := New().Match(u)
		if !ok {
			return
		}
		again, err := url.Parse(ref.URL)
		if err != nil {
			t.Fatalf("%s: Ref.URL %s: %v", raw, ref.URL, err)
		}
		if back, ok := New().Match(again); !ok || back.Key() != ref.Key() || back.URL != ref.URL {
			t.Fatalf("%s gives %+v, whose URL gives %+v", raw, ref, back)
		}
	})
}
