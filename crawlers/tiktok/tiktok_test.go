package tiktok

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

var fetched = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// The ids of the invented posts, by the letter that testdata gives them.
const (
	idA = "7476747788353536007"
	idB = "7477134335410176007"
	idC = "7477520882466816007"
	idE = "7129414161083138055"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const (
	videoPage = "https://www.tiktok.com/@mira.quay/video/"
	account   = "https://www.tiktok.com/@mira.quay"
	oembedURL = "https://www.tiktok.com/oembed?url=https%3A%2F%2Fwww.tiktok.com%2F%40mira.quay%2Fvideo%2F"
	api       = "https://open.tiktokapis.com/v2/research"
)

// A sample is one file of testdata as an answer.
type sample struct {
	name    string
	url     string
	status  int
	form    string // request body; makes it a POST
	outcome post.Outcome
	posts   int
}

const queryOfAccount = `{"query":{"and":[{"operation":"EQ","field_name":"username","field_values":["mira.quay"]}]},"start_date":"20250210","end_date":"20250311","max_count":100}`

var samples = []sample{
	{"video_2025.html", videoPage + idA, 200, "", post.OK, 1},
	{"photo_2025.html", "https://www.tiktok.com/@mira.quay/photo/" + idB, 200, "", post.OK, 1},
	{"age_gated.html", videoPage + idA, 200, "", post.AgeGated, 1},
	{"code_private.html", videoPage + idA, 200, "", post.Private, 1},
	{"code_private_account.html", videoPage + idA, 200, "", post.Private, 1},
	{"code_geo.html", videoPage + idA, 200, "", post.GeoBlocked, 1},
	{"code_unclear.html", videoPage + idA, 200, "", post.Unavailable, 1},
	{"code_missing.html", videoPage + idA, 200, "", post.NotFound, 0},
	{"code_reviewing.html", videoPage + idA, 200, "", post.Unavailable, 1},
	{"code_self_only.html", videoPage + idA, 200, "", post.Private, 1},
	{"private_flag_wrong.html", videoPage + idA, 200, "", post.OK, 1},
	{"profile_2025.html", account, 200, "", post.OK, 1},
	{"profile_private.html", account, 200, "", post.Private, 1},
	{"profile_none.html", "https://www.tiktok.com/@nobody", 200, "", post.NotFound, 0},
	{"profile_2022_sigi.html", account, 200, "", post.OK, 3},
	{"video_2021_sigi.html", videoPage + idE, 200, "", post.OK, 3},
	{"video_gone_sigi.html", videoPage + idE, 200, "", post.Unavailable, 1},
	{"profile_2020_next.html", account, 200, "", post.OK, 2},
	{"embed_account.html", "https://www.tiktok.com/embed/@mira.quay", 200, "", post.OK, 3},
	{"embed_account_empty.html", "https://www.tiktok.com/embed/@mira.quay", 200, "", post.OK, 1},
	{"embed_account_private.html", "https://www.tiktok.com/embed/@mira.quay", 200, "", post.Private, 1},
	{"embed_account_none.html", "https://www.tiktok.com/embed/@nobody", 404, "", post.NotFound, 0},
	{"embed_tag.html", "https://www.tiktok.com/embed/tag/quay", 200, "", post.OK, 2},
	{"embed_video.html", "https://www.tiktok.com/embed/v2/" + idA, 200, "", post.OK, 1},
	{"embed_photo.html", "https://www.tiktok.com/embed/v2/" + idA, 200, "", post.OK, 1},
	{"embed_gone.html", "https://www.tiktok.com/embed/v2/" + idA, 400, "", post.Unavailable, 1},
	{"embed_markup.html", "https://www.tiktok.com/embed/@mira.quay", 200, "", post.OK, 2},
	{"oembed.json", oembedURL + idA, 200, "", post.OK, 1},
	{"oembed_photo.json", oembedURL + idA, 200, "", post.OK, 1},
	{"oembed_2022.json", oembedURL + idA, 200, "", post.OK, 1},
	{"oembed_gone.json", oembedURL + idA, 400, "", post.Unavailable, 1},
	{"oembed_missing.json", oembedURL + idA, 404, "", post.NotFound, 0},
	{"research_videos.json", api + "/video/query/?fields=id", 200, queryOfAccount, post.OK, 2},
	{"research_videos_last.json", api + "/video/query/?fields=id", 200, `{"query":{"and":[{"operation":"EQ","field_name":"video_id","field_values":["` + idA + `"]}]}}`, post.OK, 1},
	{"research_videos_none.json", api + "/video/query/?fields=id", 200, `{"query":{"and":[{"operation":"EQ","field_name":"hashtag_name","field_values":["quay"]}]}}`, post.OK, 0},
	{"research_comments.json", api + "/video/comment/list/?fields=id", 200, `{"video_id":` + idA + `,"max_count":100}`, post.OK, 2},
	{"research_user.json", api + "/user/info/?fields=display_name", 200, `{"username":"mira.quay"}`, post.OK, 1},
	{"research_error_token.json", api + "/user/info/", 401, `{"username":"mira.quay"}`, post.NeedsKey, 0},
	{"research_error_quota.json", api + "/user/info/", 429, `{"username":"mira.quay"}`, post.RateLimited, 0},
	{"research_error_params.json", api + "/video/query/", 400, queryOfAccount, post.UnexpectedType, 0},
	{"research_error_no_user.json", api + "/user/info/", 400, `{"username":"nobody"}`, post.NotFound, 0},
	{"zeeschuimer.json", "", 0, "", post.OK, 1},
	{"interface_items.json", "https://www.tiktok.com/api/post/item_list/?secUid=MS4wLjABAAAAq1w2e3r4t5y6u7i8o9p0a-Quay&count=30", 200, "", post.OK, 2},
	{"interface_comments.json", "https://www.tiktok.com/api/comment/list/?aweme_id=" + idA, 200, "", post.OK, 2},
	{"aweme.json", "", 0, "", post.OK, 1},
	{"please_wait.html", videoPage + idA, 200, "", post.Challenge, 0},
	{"security_check.html", videoPage + idA, 200, "", post.BotCheck, 0},
	{"no_data.html", videoPage + idA, 200, "", post.LayoutChanged, 0},
	{"overload.txt", "https://www.tiktok.com/embed/v2/" + idA, 503, "", post.RateLimited, 0},
}

func (s sample) exchange(t testing.TB) crawlers.Exchange {
	ex := crawlers.Exchange{URL: s.url, Status: s.status, Body: file(t, s.name), FetchedAt: fetched}
	if s.form != "" {
		ex.Method, ex.RequestBody = "POST", []byte(s.form)
	}
	return ex
}

func redirect(from, to string) crawlers.Exchange {
	return crawlers.Exchange{URL: from, Status: 302, Header: crawlers.Header{"Location": {to}}}
}

var bodyless = []crawlertest.Case{
	{Name: "a short link", Exchange: redirect("https://vm.tiktok.com/ZMabcdefg/", "https://www.tiktok.com/@mira.quay/video/"+idA+"?_r=1&_t=8&sec_uid=x"), Outcome: post.OK},
	{Name: "a short link without an account", Exchange: redirect("https://www.tiktok.com/t/ZTabcdefg/", "https://www.tiktok.com/@/video/"+idA), Outcome: post.OK},
	{Name: "a short link to an account", Exchange: redirect("https://vt.tiktok.com/ZSabcdefg/", "https://www.tiktok.com/@mira.quay?_t=8"), Outcome: post.OK},
	{Name: "a short link to nothing", Exchange: redirect("https://vm.tiktok.com/ZMabcdefg/", "https://www.tiktok.com/?_r=1"), Outcome: post.NotFound},
	{Name: "a short link to another site", Exchange: redirect("https://vm.tiktok.com/ZMabcdefg/", "https://quay.example/a"), Outcome: post.OK},
	{Name: "login", Exchange: redirect("https://www.tiktok.com/@mira.quay/video/"+idA, "https://www.tiktok.com/login?redirect_url=x"), Outcome: post.LoginWall},
	{Name: "Hong Kong", Exchange: redirect("https://www.tiktok.com/@mira.quay", "https://www.tiktok.com/hk/notfound"), Outcome: post.GeoBlocked},
	{Name: "another post than asked for", Exchange: crawlers.Exchange{URL: "https://www.tiktok.com/embed/v2/" + idB, Status: 200, Body: []byte(`<html><script id="__FRONTITY_CONNECT_STATE__" type="application/json">{"source":{"data":{"/embed/v2/1":{"videoData":{"itemInfos":{"id":"` + idA + `","text":"x"}}}}}}</script></html>`)}, Outcome: post.LayoutChanged},
	{Name: "an empty answer of an unsigned request", Exchange: crawlers.Exchange{URL: "https://www.tiktok.com/api/comment/list/?aweme_id=" + idA, Status: 200}, Outcome: post.LayoutChanged},
	{Name: "a cut answer", Exchange: crawlers.Exchange{URL: oembedURL + idA, Status: 200, Truncated: true, Body: []byte(`{"version":"1.0","ti`)}, Outcome: post.CutBody},
}

func TestContract(t *testing.T) {
	cases := crawlertest.Cases{
		Aliases: [][]string{
			{
				videoPage + idA, "https://www.tiktok.com/@Someone.Else/video/" + idA + "?is_from_webapp=1&sender_device=pc", "https://www.tiktok.com/@/video/" + idA, "https://tiktok.com/@mira.quay/photo/" + idA, "https://m.tiktok.com/v/" + idA + ".html?u_code=0",
				"https://www.tiktok.com/share/video/" + idA, "https://www.tiktokv.com/share/video/" + idA + "/", "https://www.tiktok.com/embed/" + idA, "https://www.tiktok.com/embed/v2/" + idA + "?lang=en", "https://www.tiktok.com/player/v1/" + idA,
				"https://www.tiktok.com/foryou?item_id=" + idA, "https://m.tiktok.com/h5/share/video/" + idA + ".html", "https://us.tiktok.com/@a/video/" + idA, "https://www.tiktok.com/@mira.quay?item_id=" + idA,
			},
			{videoPage + idB},
			{account, "https://www.tiktok.com/@Mira.Quay?lang=en", "http://m.tiktok.com/@mira.quay/", "https://www.tiktok.com/embed/@mira.quay", "https://www.tiktok.com/@mira.quay/live"},
			{"https://www.tiktok.com/@MS4wLjABAAAAVIlLAiK6H4ql_MNeXY30sFjwn1ikgGKasDbBF04-XbY", "https://m.tiktok.com/@MS4wLjABAAAAVIlLAiK6H4ql_MNeXY30sFjwn1ikgGKasDbBF04-XbY?x=1"},
			{"https://vm.tiktok.com/ZMabcdefg/", "http://vm.tiktok.com/ZMabcdefg?k=1"}, {"https://vt.tiktok.com/ZSabcdefg/"}, {"https://www.tiktok.com/t/ZTabcdefg/", "https://m.tiktok.com/t/ZTabcdefg"},
			{"https://www.tiktok.com/tag/Quay", "https://www.tiktok.com/tag/quay?lang=en", "https://www.tiktok.com/embed/tag/quay", "https://www.tiktok.com/search?q=%23quay"}, {"https://www.tiktok.com/tag/%E8%88%B9", "https://www.tiktok.com/tag/船"},
			{"https://www.tiktok.com/music/original-sound-7005293191817644806", "https://www.tiktok.com/music/7005293191817644806", "https://www.tiktok.com/embed/music/7005293191817644806", "https://m.tiktok.com/music/%E5%8E%9F%E5%A3%B0-7005293191817644806?x=1"},
			{"https://www.tiktok.com/search?q=low+water", "https://www.tiktok.com/search/video?q=low%20water&t=1697108650470"},
		},
		ForeignURLs: []string{
			"https://example.org/@mira.quay/video/" + idA, "https://www.tiktok.com/", "https://www.tiktok.com/foryou", "https://www.tiktok.com/explore", "https://www.tiktok.com/login", "https://www.tiktok.com/@", "https://nottiktok.com/@a", "https://tiktok.com.example.org/@a",
			"https://www.tiktok.com/@a/video/notanumber", "https://www.tiktok.com/@a/playlist/x-1", "https://vm.tiktok.com/", "https://ads.tiktok.com/business", "https://developers.tiktok.com/doc", "https://p16-sign.tiktokcdn.com/obj/a.jpeg", "ftp://www.tiktok.com/@a", "https://www.tiktok.com/legal/page/x",
		},
		Foreign: []crawlers.Exchange{
			{URL: "https://example.org/x", Body: file(t, "video_2025.html")},
			{Body: []byte(`{"data":{"tweetResult":{"result":{"__typename":"Tweet","rest_id":"20","legacy":{"full_text":"x"}}}}}`)},
			{Body: []byte(`{"data":[{"id":"1641895049427550208","text":"x","author_id":"1","edit_history_tweet_ids":["1"]}]}`)},
			{Body: []byte(`{"kind":"Listing","data":{"children":[]}}`)}, {Body: []byte(`{"provider_name":"Twitter","html":"<blockquote>","author_name":"x"}`)}, {Body: []byte(`{"error":{"message":"x","type":"OAuthException","code":190}}`)},
			{Body: []byte(`<html><head><title>x</title></head><body>tiktok<script id="__NEXT_DATA__">{"props":{"pageProps":{"items":[]}}}</script></body></html>`)}, {Body: []byte(`[]`)}, {Body: []byte(`{"items":[{"id":"17841400000000000","caption":"x"}]}`)},
		},
		Exchanges: bodyless,
	}
	for _, s := range samples {
		cases.Exchanges = append(cases.Exchanges, crawlertest.Case{Name: s.name, Exchange: s.exchange(t), Outcome: s.outcome, Posts: s.posts})
	}
	crawlertest.Run(t, New(), cases)
}

// TestPure checks that the collector has no I/O, no clock and no state.
func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }

// TestGolden compares what Read gives for every sample with its golden file.
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
			steps := []string{}
			for _, n := range page.Next {
				steps = append(steps, n.Key())
			}
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			if err := enc.Encode(map[string]any{"ref": ref.Key(), "outcome": page.Outcome, "reason": page.Reason, "posts": page.Posts, "next": steps, "identities": page.Identities, "coverage": page.Coverage, "assets": page.Assets, "wait": page.Wait.String()}); err != nil {
				t.Fatal(err)
			}
			golden(t, s.name+".golden", b.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run go test -update and look at the change\ngot:\n%s", path, got)
	}
}

// TestWindows follows a history through the Research API: from the profile to
// the newest window, through its pages, to the windows before, and to its end.
func TestWindows(t *testing.T) {
	step := crawlers.Step{Ref: accountRef("mira.quay"), Route: routeAPI}
	var asked []string
	answers := []string{"research_user.json", "research_videos.json", "research_videos_none.json", "research_videos_none.json"}
	for _, name := range answers {
		req, err := New().Request(step)
		if err != nil {
			t.Fatal(err)
		}
		asked = append(asked, strings.TrimPrefix(strings.Split(req.URL, "?")[0], api)+" "+string(req.Body))
		page, err := crawlers.Read(New(), step, crawlers.Exchange{Method: "POST", URL: req.URL, RequestBody: req.Body, Status: 200, Body: file(t, name), FetchedAt: fetched})
		if err != nil || page.Outcome != post.OK {
			t.Fatalf("%s: %+v, %v", name, page, err)
		}
		if len(page.Next) == 0 {
			asked = append(asked, page.Coverage.End)
			break
		}
		step = page.Next[0]
	}
	const base = `/video/query/ {"query":{"and":[{"operation":"EQ","field_name":"username","field_values":["mira.quay"]}]},`
	want := []string{
		`/user/info/ {"username":"mira.quay"}`,
		base + `"start_date":"20261025","end_date":"20261123","max_count":100}`,
		base + `"start_date":"20261025","end_date":"20261123","max_count":100,"cursor":100,"search_id":"7201388525814961198"}`,
		"all posts that the profile counts were served",
	}
	if strings.Join(asked, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked:\n%s\nwant:\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
	}
	// A hashtag has no profile: a query of before TikTok's time tells the day.
	step = crawlers.Step{Ref: tagRef("quay"), Route: routeAPI}
	for i, name := range []string{"research_videos_none.json", "research_error_params.json"} {
		req, err := New().Request(step)
		if err != nil || !strings.Contains(string(req.Body), `"start_date":"20130101","end_date":"20130102"`) {
			t.Fatalf("probe: %s, %v", req.Body, err)
		}
		page, err := crawlers.Read(New(), step, crawlers.Exchange{Method: "POST", URL: req.URL, RequestBody: req.Body, Status: 200 + 200*i, Body: file(t, name), FetchedAt: fetched})
		if err != nil || page.Outcome != post.OK || len(page.Next) != 1 {
			t.Fatalf("%s: %+v, %v", name, page, err)
		}
		if req, err = New().Request(page.Next[0]); err != nil || !strings.Contains(string(req.Body), `"end_date":"20261123"`) {
			t.Errorf("%s: first window %s, %v", name, req.Body, err)
		}
	}
	n := 0
	for end := "20261123"; end != ""; end = before(end) {
		n++
	}
	if n != 154 {
		t.Errorf("a whole history takes %d windows", n)
	}
}

// TestConfirm checks that what a page does not show for an unclear reason is
// asked of oEmbed, and that oEmbed's word is the last.
func TestConfirm(t *testing.T) {
	step := crawlers.Step{Ref: postRef(idA, "mira.quay"), Route: routeEmbed, Role: crawlers.RolePage}
	page, err := crawlers.Read(New(), step, crawlers.Exchange{URL: "https://www.tiktok.com/embed/v2/" + idA, Status: 400, Body: file(t, "embed_gone.html"), FetchedAt: fetched})
	if err != nil || page.Outcome != post.Unavailable || len(page.Next) != 1 || page.Next[0].Route != routeOEmbed {
		t.Fatalf("%+v, %v", page, err)
	}
	page, err = crawlers.Read(New(), page.Next[0], crawlers.Exchange{URL: oembedURL + idA, Status: 400, Body: file(t, "oembed_gone.json"), FetchedAt: fetched})
	if err != nil || page.Outcome != post.Unavailable || len(page.Next) != 0 {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestCounts(t *testing.T) {
	for n, want := range map[int64]bool{0: false, 9900: false, 10000: true, 25500: true, 25510: false, 783427: false, 3900000: true} {
		if isRounded(n) != want {
			t.Errorf("%d: rounded %v", n, !want)
		}
	}
	for s, want := range map[string]int64{"1050": 1050, "25.5K": 25500, "3M": 3000000, "1.2B": 1200000000, "x": -1, "1.5": -1, "1,050": -1} {
		got := int64(-1)
		if c := abbreviated(nil, "views", s); len(c) == 1 {
			got = c[0].Value
		}
		if got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range samples {
		ex := s.exchange(f)
		f.Add(s.url, s.status, []byte(s.form), ex.Body)
	}
	f.Fuzz(func(t *testing.T, address string, status int, form, body []byte) {
		ex := crawlers.Exchange{URL: address, Status: status, RequestBody: form, Body: body, FetchedAt: fetched}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = postRef(idA, "")
		}
		for _, route := range []string{"", routeAPI} {
			page, err := New().Read(crawlers.Step{Ref: ref, Route: route}, ex)
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
		}
		ReadItem(body)
	})
}

func BenchmarkItem(b *testing.B) {
	data := file(b, "zeeschuimer.json")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, ok := ReadItem(data); !ok {
			b.Fatal("not read")
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}
