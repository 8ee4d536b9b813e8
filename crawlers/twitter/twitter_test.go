package twitter

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
	idA = "1763474251576246273"
	idC = "1763866838430646273"
	idD = "1764247140168630273"
	idE = "1764621813150646273"
	idH = "1609747326694326273"
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
	syn    = "https://cdn.syndication.twimg.com/tweet-result?lang=en&token=x&id="
	oembed = "https://publish.x.com/oembed?url=https%3A%2F%2Fx.com%2Fi%2Fstatus%2F"
	gql    = "https://x.com/i/api/graphql/q/Any?variables=%7B"
	v2     = "https://api.x.com/2"
)

// A sample is one file of testdata as an answer.
type sample struct {
	name    string
	url     string
	status  int
	outcome post.Outcome
	posts   int
}

var samples = []sample{
	{"syn_post.json", syn + idC, 200, post.OK, 3},
	{"syn_note.json", syn + idD, 200, post.OKPartial, 1},
	{"syn_poll.json", syn + idE, 200, post.OK, 1},
	{"syn_deleted.json", syn + idD, 200, post.Deleted, 1},
	{"syn_suspended.json", syn + idD, 200, post.Suspended, 1},
	{"syn_age.json", syn + idD, 200, post.AgeGated, 1},
	{"syn_protected.json", syn + idD, 200, post.Protected, 1},
	{"syn_account_gone.json", syn + idD, 200, post.Deleted, 1},
	{"syn_withheld.json", syn + idD, 200, post.Withheld, 1},
	{"syn_odd_words.json", syn + idD, 200, post.Unavailable, 1},
	{"syn_no_reason.json", syn + idD, 200, post.Unavailable, 1},
	{"syn_bad_token.json", syn + idD, 200, post.UnexpectedType, 0},
	{"not_found.html", syn + idD, 404, post.NotFound, 0},
	{"oembed.json", oembed + idC, 200, post.OK, 1},
	{"oembed_2008.json", oembed + "1234567890", 200, post.OK, 1},
	{"oembed_cut.json", oembed + idD, 200, post.OKPartial, 1},
	{"oembed_error.json", oembed + idD, 400, post.UnexpectedType, 0},
	{"oembed_limit.json", oembed + idD, 429, post.RateLimited, 0},
	{"oembed_protected.json", oembed + idD, 403, post.Protected, 1},
	{"gql_tweet.json", gql + `%22tweetId%22%3A%22` + idA + `%22%7D`, 200, post.OK, 1},
	{"gql_timeline.json", gql + `%22userId%22%3A%221500000000000000002%22%7D`, 200, post.OK, 8},
	{"gql_user.json", gql + `%22screen_name%22%3A%22JonReyes%22%7D`, 200, post.OK, 1},
	{"gql_user_suspended.json", "", 0, post.Suspended, 1},
	{"gql_unavailable.json", gql + `%22tweetId%22%3A%22` + idD + `%22%7D`, 200, post.AgeGated, 1},
	{"gql_none.json", gql + `%22tweetId%22%3A%22` + idD + `%22%7D`, 200, post.NotFound, 0},
	{"gql_deadline.json", gql + `%22userId%22%3A%22783214%22%7D`, 200, post.ServerError, 0},
	{"v2_timeline.json", v2 + "/users/1500000000000000001/tweets?max_results=100", 200, post.OK, 9},
	{"v2_last_page.json", v2 + "/users/1500000000000000001/tweets?pagination_token=7140w", 200, post.OK, 1},
	{"v2_no_more.json", v2 + "/tweets/search/recent?query=%23boats", 200, post.OK, 0},
	{"v2_user.json", v2 + "/users/by/username/mira_okafor", 200, post.OK, 1},
	{"v2_user_protected.json", v2 + "/users/by/username/jonreyes", 200, post.Protected, 1},
	{"v2_user_suspended.json", v2 + "/users/by/username/badboat", 200, post.Suspended, 0},
	{"v2_tweet_gone.json", v2 + "/tweets?ids=" + idD, 200, post.NotFound, 0},
	{"v2_tweet_protected.json", v2 + "/tweets?ids=" + idD, 200, post.Protected, 1},
	{"v2_unauthorized.json", v2 + "/tweets?ids=" + idD, 401, post.NeedsKey, 0},
	{"v2_credits.json", v2 + "/tweets?ids=" + idD, 402, post.NeedsKey, 0},
	{"v2_limit.json", v2 + "/tweets?ids=" + idD, 429, post.RateLimited, 0},
	{"v2_space.json", v2 + "/spaces/1YqKDqWQyAAxV", 200, post.OK, 1},
	{"v2_community.json", v2 + "/communities/1700000000000000009", 200, post.OK, 1},
	{"v2_lines.jsonl", "", 0, post.OKPartial, 2},
	{"v2_flattened.json", "", 0, post.OK, 2},
	{"v1_timeline.json", "https://api.twitter.com/1.1/statuses/user_timeline.json?screen_name=mira_okafor", 200, post.OK, 6},
	{"v1_error.json", "https://api.twitter.com/1.1/statuses/show.json?id=" + idD, 404, post.NotFound, 0},
	{"ytd_tweets.js", "", 0, post.OK, 2},
	{"ytd_account.js", "", 0, post.OK, 1},
	{"zeeschuimer.json", "", 0, post.OK, 1},
	{"compliance.jsonl", "", 0, post.OK, 3},
	{"embed_timeline.html", "https://syndication.twitter.com/srv/timeline-profile/screen-name/mira_okafor", 200, post.OK, 2},
	{"shell.html", "https://x.com/mira_okafor/status/" + idA, 200, post.UnexpectedType, 0},
	{"status_head.html", "https://x.com/mira_okafor/status/" + idA, 200, post.OKMetaOnly, 1},
	{"tco.html", "https://t.co/AbCdEfGhIj", 200, post.OK, 0},
}

func (s sample) exchange(t testing.TB) crawlers.Exchange {
	return crawlers.Exchange{URL: s.url, Status: s.status, Body: file(t, s.name), FetchedAt: fetched}
}

func redirect(from, to string) crawlers.Exchange {
	return crawlers.Exchange{URL: from, Status: 301, Header: crawlers.Header{"Location": {to}}}
}

var bodyless = []crawlertest.Case{
	{Name: "a short link to a post", Exchange: redirect("https://t.co/AbCdEfGhIj", "https://twitter.com/mira_okafor/status/"+idA+"/photo/1"), Outcome: post.OK},
	{Name: "a short link to an account", Exchange: redirect("https://t.co/AbCdEfGhIj", "https://x.com/mira_okafor"), Outcome: post.OK},
	{Name: "a short link to another site", Exchange: redirect("https://t.co/AbCdEfGhIj", "https://quay.example/a"), Outcome: post.OK},
	{Name: "a login wall", Exchange: redirect("https://x.com/mira_okafor", "https://x.com/i/flow/login?redirect_after_login=%2Fa"), Outcome: post.LoginWall},
	{Name: "a suspended account", Exchange: redirect("https://twitter.com/mira_okafor", "https://twitter.com/account/suspended"), Outcome: post.Suspended},
	{Name: "slow down", Exchange: crawlers.Exchange{URL: v2 + "/tweets?ids=" + idD, Status: 429, Header: crawlers.Header{"X-Rate-Limit-Reset": {"1795435500"}}, FetchedAt: fetched}, Outcome: post.RateLimited},
	{Name: "over capacity", Exchange: crawlers.Exchange{URL: v2 + "/tweets?ids=" + idD, Status: 503}, Outcome: post.ServerError},
	{Name: "another post than asked for", Exchange: crawlers.Exchange{URL: syn + idD, Status: 200, Body: []byte(`{"__typename":"Tweet","id_str":"` + idA + `","text":"x","created_at":"2024-03-01T08:00:00.000Z","favorite_count":1,"user":{"id_str":"1","screen_name":"a","name":"A"}}`)}, Outcome: post.LayoutChanged},
	{Name: "a cut answer", Exchange: crawlers.Exchange{URL: syn + idD, Status: 200, Truncated: true, Body: []byte(`{"__typename":"Tweet","id_str":"`)}, Outcome: post.CutBody},
}

func TestContract(t *testing.T) {
	cases := crawlertest.Cases{
		Aliases: [][]string{
			{
				"https://x.com/Mira_Okafor/status/" + idA, "https://twitter.com/mira_okafor/status/" + idA, "http://www.twitter.com/x/statuses/" + idA + "?s=20&t=abc",
				"https://mobile.twitter.com/a/status/" + idA + "/photo/1", "https://m.twitter.com/a/status/" + idA, "https://x.com/i/status/" + idA, "https://twitter.com/i/web/status/" + idA,
				"https://twitter.com/statuses/" + idA, "https://fxtwitter.com/a/status/" + idA, "https://vxtwitter.com/a/status/" + idA, "https://fixupx.com/a/status/" + idA, "https://nitter.net/a/status/" + idA + "#m",
				"https://nitter.poast.example/a/status/" + idA, "https://twitter.com/#!/a/status/" + idA, "https://x.com/a/status/" + idA + "/video/1", "https://platform.twitter.com/embed/Tweet.html?id=" + idA, "https://www.x.com/a/status/" + idA + "/analytics",
			},
			{"https://x.com/jack/status/20", "https://twitter.com/jack/status/20"},
			{"https://x.com/Mira_Okafor", "https://twitter.com/@mira_okafor", "https://twitter.com/mira_okafor/with_replies", "https://mobile.twitter.com/mira_okafor/media", "https://twitter.com/intent/user?screen_name=Mira_Okafor", "https://twitter.com/#!/mira_okafor", "https://x.com/mira_okafor?lang=en", "https://nitter.net/mira_okafor"},
			{"https://x.com/i/user/783214", "https://twitter.com/intent/user?user_id=783214", "https://twitter.com/intent/follow?user_id=783214"},
			{"https://x.com/783214"},
			{"https://x.com/hashtag/Boats", "https://twitter.com/hashtag/boats?src=hash", "https://twitter.com/search?q=%23boats&f=live"},
			{"https://x.com/hashtag/%E8%88%B9", "https://twitter.com/hashtag/船"},
			{"https://x.com/search?q=boats+men", "https://twitter.com/search?q=boats%20%20men&src=typed_query&f=top"},
			{"https://x.com/i/lists/1234567890", "https://twitter.com/i/lists/1234567890"},
			{"https://x.com/i/communities/1700000000000000009", "https://twitter.com/i/communities/1700000000000000009/about"},
			{"https://x.com/i/spaces/1YqKDqWQyAAxV", "https://twitter.com/i/spaces/1YqKDqWQyAAxV/peek"},
			{"https://t.co/AbCdEfGhIj", "http://t.co/AbCdEfGhIj?amp=1"}, {"https://t.co/abcdefghij"},
			{"https://pic.x.com/AbCdEf", "https://pic.twitter.com/AbCdEf"},
		},
		ForeignURLs: []string{
			"https://example.org/a/status/" + idA, "https://x.com/", "https://x.com/home", "https://x.com/explore", "https://x.com/i/flow/login", "https://x.com/login", "https://x.com/settings/account", "https://x.com/messages/1",
			"https://x.com/intent/tweet?text=x", "https://twitter.com/share?url=x", "https://x.com/search", "https://notx.com/a/status/" + idA, "https://x.com.example.org/a", "https://x.com/a/status/notanumber", "https://x.com/a_handle_that_is_far_too_long_for_one",
			"https://pbs.twimg.com/media/AbCdEf.jpg", "https://t.co/", "https://help.x.com/en", "https://x.com/a/lists/b", "ftp://x.com/a/status/" + idA, "https://nitter.net/search?q=x", "https://help.fixupx.com/",
		},
		Foreign: []crawlers.Exchange{
			{URL: "https://example.org/x", Body: file(t, "gql_tweet.json")},
			{URL: "https://oauth.reddit.com/r/a/new", Body: []byte(`{"kind":"Listing","data":{"children":[]}}`)},
			{Body: []byte(`{"kind":"Listing","data":{"after":null,"children":[{"kind":"t3","data":{"id":"q1","title":"x"}}]}}`)},
			{Body: []byte(`{"data":{"videos":[{"id":702874395068494965,"video_description":"x","create_time":1633823999}]},"error":{"code":"ok"}}`)},
			{Body: []byte(`{"data":[{"id":"17841400000000000","caption":"x"}],"paging":{}}`)},
			{Body: []byte(`{"items":[{"id":"abc","snippet":{"title":"x"}}],"kind":"youtube#videoListResponse"}`)},
			{Body: []byte(`{"errors":[{"code":1015,"title":"Not Found","message":"x"}]}`)}, {Body: []byte(`[]`)}, {Body: []byte(`[1,2]`)}, {Body: []byte(`{"id":"1","text":"hello"}`)},
			{Body: []byte(`{"id":"20531316728","name":"A page","username":"apage","fan_count":7}`)},
			{Body: []byte(`{"version":"1.0","type":"video","title":"x","author_name":"a","html":"<blockquote class=\"tiktok-embed\"></blockquote>","provider_name":"TikTok"}`)},
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

// TestRetryOfToken checks that {} is asked again once, with another token, and
// then given up.
func TestRetryOfToken(t *testing.T) {
	step := crawlers.Step{Ref: postRef(idD, ""), Route: routeSyndication}
	ex := crawlers.Exchange{URL: syn + idD, Status: 200, Body: []byte("{}"), FetchedAt: fetched}
	page, err := crawlers.Read(New(), step, ex)
	if err != nil || len(page.Next) != 1 || page.Outcome != post.UnexpectedType || len(page.Posts) != 0 {
		t.Fatalf("first answer: %+v, %v", page, err)
	}
	first, _ := New().Request(step)
	second, err := New().Request(page.Next[0])
	if err != nil || first.URL == second.URL {
		t.Errorf("second request %s, first %s (%v)", second.URL, first.URL, err)
	}
	if page, err = crawlers.Read(New(), page.Next[0], ex); err != nil || len(page.Next) != 0 || page.Outcome != post.UnexpectedType {
		t.Errorf("second answer: %+v, %v", page, err)
	}
}

// TestSteps checks what leads on: a profile to its posts, a page to the next.
func TestSteps(t *testing.T) {
	urls := func(step crawlers.Step, name string) []string {
		t.Helper()
		page, err := crawlers.Read(New(), step, crawlers.Exchange{Status: 200, Body: file(t, name), FetchedAt: fetched})
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, n := range page.Next {
			req, err := New().Request(n)
			if err != nil {
				t.Fatal(err)
			}
			u, _, _ := strings.Cut(req.URL, "?")
			if _, token, ok := strings.Cut(req.URL, "_token="); ok {
				token, _, _ = strings.Cut(token, "&")
				u += " " + token
			}
			list = append(list, u+" "+req.Key)
		}
		return list
	}
	account := handleRef("mira_okafor")
	for _, test := range []struct {
		step crawlers.Step
		name string
		want string
	}{
		{crawlers.Step{Ref: account, Route: routeAPI}, "v2_user.json", "https://api.x.com/2/users/1500000000000000001/tweets x"},
		{crawlers.Step{Ref: account, Route: routeAPI, State: state{User: "1500000000000000001"}.encode()}, "v2_timeline.json", "https://api.x.com/2/users/1500000000000000001/tweets 7140w x"},
		{crawlers.Step{Ref: account, Route: routeAPI, State: state{User: "1500000000000000001", Next: "7140w"}.encode()}, "v2_last_page.json", ""},
		{crawlers.Step{Ref: tagRef("boats"), Route: routeAPI}, "v2_timeline.json", "https://api.x.com/2/tweets/search/recent 7140w x"},
		{crawlers.Step{Ref: postRef(idH, ""), Route: routeAPI, Role: crawlers.RoleComments}, "v2_timeline.json", "https://api.x.com/2/tweets/search/recent 7140w x"},
	} {
		if got := strings.Join(urls(test.step, test.name), "|"); got != test.want {
			t.Errorf("%s of %s: %q, want %q", test.name, test.step.Key(), got, test.want)
		}
	}
}

func TestIDTime(t *testing.T) {
	if got := IDTime("1763474251576246273"); !got.Time.Equal(time.Date(2024, 3, 1, 8, 0, 0, 0, time.UTC)) || got.Source != post.SourceID {
		t.Errorf("%+v", got)
	}
	if got := IDTime("20"); !got.Time.IsZero() || got.From.IsZero() || got.To.Year() != 2010 {
		t.Errorf("an id without a time: %+v", got)
	}
	for _, s := range []string{"", "0", "-5", "abc", "99999999999999999999999"} {
		if got := IDTime(s); !got.IsZero() {
			t.Errorf("IDTime(%q) = %+v", s, got)
		}
	}
}

// TestReadItem reads single items as importers hand them over.
func TestReadItem(t *testing.T) {
	for name, want := range map[string]string{
		"zeeschuimer.json": idA, "v2_flattened.json": idC + " " + idH, "syn_post.json": idC + " " + idA + " 1763496963732406273", "gql_tweet.json": idA, "v2_user.json": "user:1500000000000000001",
	} {
		list, ok := ReadItem(file(t, name))
		var ids []string
		for _, p := range list {
			ids = append(ids, p.ID)
			if p.Platform != platform {
				t.Errorf("%s: platform %q", name, p.Platform)
			}
		}
		if !ok || strings.Join(ids, " ") != want {
			t.Errorf("%s: %v, want %s", name, ids, want)
		}
	}
	for _, s := range []string{"", "{", "{}", "[]", "null", `{"id":"1"}`} {
		if list, ok := ReadItem([]byte(s)); ok {
			t.Errorf("%q gives %+v", s, list)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range samples {
		ex := s.exchange(f)
		f.Add(s.url, s.status, ex.Body)
	}
	f.Fuzz(func(t *testing.T, address string, status int, body []byte) {
		ex := crawlers.Exchange{URL: address, Status: status, Body: body, FetchedAt: fetched}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = postRef(idA, "")
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
		ReadItem(body)
	})
}

func BenchmarkGraphQL(b *testing.B) {
	data := file(b, "gql_timeline.json")
	bench(b, data, "")
}

func BenchmarkV2(b *testing.B) {
	data := file(b, "v2_timeline.json")
	bench(b, data, v2+"/users/1500000000000000001/tweets")
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

func bench(b *testing.B, data []byte, address string) {
	ex := crawlers.Exchange{URL: address, Body: data, FetchedAt: fetched}
	posts := 0
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		page, err := crawlers.Read(New(), crawlers.Step{Ref: userRef("1500000000000000001")}, ex)
		if err != nil {
			b.Fatal(err)
		}
		posts += len(page.Posts)
	}
	b.ReportMetric(float64(posts)/b.Elapsed().Seconds(), "posts/s")
}
