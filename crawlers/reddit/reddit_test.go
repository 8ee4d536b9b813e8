package reddit

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
	form    string // request body; makes it a POST
	header  crawlers.Header
	outcome post.Outcome
	posts   int
}

var samples = []sample{
	{name: "listing_new.json", url: "https://oauth.reddit.com/r/harbourtown/new?raw_json=1&limit=100", outcome: post.OK, posts: 14},
	{name: "listing_escaped.json", url: "https://www.reddit.com/r/harbourtown/new.json", outcome: post.OK, posts: 3},
	{name: "overview.json", url: "https://oauth.reddit.com/user/mira_okafor/overview?raw_json=1", outcome: post.OK, posts: 2},
	{name: "thread.json", url: "https://oauth.reddit.com/comments/p1?limit=2048&raw_json=1", outcome: post.OK, posts: 8},
	{name: "thread_comment.json", url: "https://oauth.reddit.com/comments/p1/_/c6?raw_json=1", outcome: post.OK, posts: 2},
	{name: "thread_removed.json", url: "https://oauth.reddit.com/comments/p8?raw_json=1", outcome: post.Removed, posts: 1},
	{name: "thread_deleted_comment.json", url: "https://oauth.reddit.com/comments/p1/_/zzz?raw_json=1", outcome: post.NotFound, posts: 1},
	{name: "morechildren.json", url: "https://oauth.reddit.com/api/morechildren?raw_json=1", form: "api_type=json&link_id=t3_p1&children=m1%2Cm2", outcome: post.OK, posts: 2},
	{name: "morechildren_error.json", url: "https://oauth.reddit.com/api/morechildren?raw_json=1", form: "api_type=json&link_id=t3_p1&children=m1", outcome: post.RateLimited},
	{name: "duplicates.json", url: "https://oauth.reddit.com/duplicates/d0?raw_json=1", outcome: post.OK, posts: 3},
	{name: "info_deleted_comment.json", url: "https://oauth.reddit.com/api/info?id=t1_gone1&raw_json=1", outcome: post.Deleted, posts: 1},
	{name: "empty_listing.json", url: "https://oauth.reddit.com/api/info?id=t3_nothere&raw_json=1", outcome: post.NotFound},
	{name: "about_user.json", url: "https://oauth.reddit.com/user/mira_okafor/about?raw_json=1", outcome: post.OK, posts: 1},
	{name: "about_user_suspended.json", url: "https://oauth.reddit.com/user/Bad_Actor/about", outcome: post.Suspended, posts: 1},
	{name: "about_subreddit.json", url: "https://oauth.reddit.com/r/harbourtown/about?raw_json=1", outcome: post.OK, posts: 1},
	{name: "oembed.json", url: "https://www.reddit.com/oembed?url=https%3A%2F%2Fwww.reddit.com%2Fr%2Fharbourtown%2Fcomments%2Fp1%2Ffish%2F", outcome: post.OKMetaOnly, posts: 1},
	{name: "refusal_private.json", url: "https://oauth.reddit.com/r/secret/new", status: 403, outcome: post.Private},
	{name: "refusal_quarantined.json", url: "https://oauth.reddit.com/r/secret/new", status: 403, outcome: post.AgeGated},
	{name: "refusal_gated.json", url: "https://oauth.reddit.com/r/secret/new", status: 403, outcome: post.AgeGated},
	{name: "refusal_banned.json", url: "https://oauth.reddit.com/r/secret/new", status: 404, outcome: post.Suspended},
	{name: "refusal_no_user.json", url: "https://oauth.reddit.com/api/v1/user/nobody/trophies", status: 400, outcome: post.NotFound},
	{name: "refusal_forbidden.json", url: "https://oauth.reddit.com/r/secret/new", outcome: post.Private},
	{name: "refusal_not_found.json", url: "https://oauth.reddit.com/user/nobody/about", outcome: post.NotFound},
	{name: "refusal_too_many.json", url: "https://oauth.reddit.com/r/a/new", status: 429, header: crawlers.Header{"X-Ratelimit-Reset": {"31.0"}}, outcome: post.RateLimited},
	{name: "refusal_unauthorized.json", url: "https://oauth.reddit.com/r/a/new", status: 401, outcome: post.NeedsKey},
	{name: "refusal_broke.json", url: "https://oauth.reddit.com/r/a/new", status: 500, outcome: post.ServerError},
	{name: "atom_new.xml", url: "https://www.reddit.com/r/harbourtown/new/.rss?limit=100", outcome: post.OK, posts: 6},
	{name: "atom_thread.xml", url: "https://www.reddit.com/comments/f1/.rss", outcome: post.OK, posts: 3},
	{name: "atom_xhtml.xml", url: "https://www.reddit.com/.rss?limit=50", outcome: post.OK, posts: 1},
	{name: "rss2_2015.xml", url: "https://www.reddit.com/.rss", outcome: post.OK, posts: 1},
	{name: "blocked.html", url: "https://www.reddit.com/r/a/new/.rss", status: 403, outcome: post.Blocked},
	{name: "blocked_2026.html", url: "https://www.reddit.com/comments/p1/.json", outcome: post.Blocked},
	{name: "login.html", url: "https://old.reddit.com/r/a/", status: 200, outcome: post.LoginWall},
	{name: "page.html", url: "https://www.reddit.com/r/a/", status: 200, outcome: post.UnexpectedType},
}

func (s sample) exchange(t testing.TB) crawlers.Exchange {
	ex := crawlers.Exchange{URL: s.url, Status: s.status, Header: s.header, Body: file(t, s.name), FetchedAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	if s.form != "" {
		ex.Method, ex.RequestBody = "POST", []byte(s.form)
	}
	return ex
}

// bodyless are answers that consist of a status and headers.
var bodyless = []crawlertest.Case{
	{Name: "share link", Exchange: redirect("https://www.reddit.com/r/harbourtown/s/AbCdEfGhIj", "https://www.reddit.com/r/harbourtown/comments/p1/fish/?share_id=x&utm_source=share"), Outcome: post.OK},
	{Name: "share link without a code", Exchange: redirect("https://reddit.com/r/harbourtown/s/", "https://www.reddit.com/r/harbourtown/s/"), Outcome: post.NotFound},
	{Name: "v.redd.it", Exchange: redirect("https://v.redd.it/vid01", "https://www.reddit.com/video/vid01"), Outcome: post.NotFound},
	{Name: "v.redd.it of a post", Exchange: redirect("https://v.redd.it/vid02", "/r/harbourtown/comments/p5/a_video/"), Outcome: post.NotFound},
	{Name: "login", Exchange: redirect("https://old.reddit.com/r/harbourtown/", "https://www.reddit.com/login/?dest=%2Fr%2Fharbourtown"), Outcome: post.LoginWall},
	{Name: "over 18", Exchange: redirect("https://www.reddit.com/r/harbourtown/.rss", "https://www.reddit.com/over18?dest=x"), Outcome: post.AgeGated},
	{Name: "no such subreddit", Exchange: redirect("https://www.reddit.com/r/nosuch/.rss", "https://www.reddit.com/subreddits/search?q=nosuch"), Outcome: post.NotFound},
	{Name: "moved within the host", Exchange: redirect("https://www.reddit.com/r/HarbourTown/new/.rss", "https://www.reddit.com/r/harbourtown/new/.rss"), Outcome: post.OK},
	{Name: "empty OAuth answer", Exchange: crawlers.Exchange{URL: "https://oauth.reddit.com/r/harbourtown/new", Status: 200}, Outcome: post.RateLimited},
	{Name: "token", Exchange: crawlers.Exchange{Method: "POST", URL: "https://www.reddit.com/api/v1/access_token", Status: 200, Body: []byte(`{"token_type":"bearer","expires_in":3600}`)}, Outcome: post.OK},
	{Name: "things of other kinds", Exchange: crawlers.Exchange{URL: "https://oauth.reddit.com/r/harbourtown/new", Body: []byte(`{"kind":"Listing","data":{"children":[{"kind":"t4","data":{"id":"x"}}]}}`)}, Outcome: post.OKPartial},
	{Name: "no address", Exchange: crawlers.Exchange{Body: []byte(`{"kind":"Listing","data":{"children":[{"kind":"t3","data":{"id":"q1","subreddit":"a","author":"b","title":"c"}}]}}`)}, Outcome: post.OK, Posts: 1},
	{Name: "another thing than asked for", Exchange: crawlers.Exchange{URL: "https://oauth.reddit.com/comments/zzz", Body: []byte(`[{"kind":"Listing","data":{"children":[{"kind":"t3","data":{"id":"q1","name":"t3_q1"}}]}}]`)}, Outcome: post.LayoutChanged},
	{Name: "cut JSON", Exchange: crawlers.Exchange{URL: "https://oauth.reddit.com/r/a/new", Body: []byte(`{"kind":"Listing","data":{"children":[{"kind":"t3","da`)}, Outcome: post.CutBody},
	{Name: "cut feed", Exchange: crawlers.Exchange{URL: "https://www.reddit.com/r/a/new/.rss", Body: []byte(`<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><entry><id>t3_a</id><title>x</title></entry><entry><id>t3`)}, Outcome: post.CutBody, Posts: 1},
}

func redirect(from, to string) crawlers.Exchange {
	return crawlers.Exchange{URL: from, Status: 301, Header: crawlers.Header{"Location": {to}}}
}

func TestContract(t *testing.T) {
	cases := crawlertest.Cases{
		Aliases: [][]string{
			{"https://www.reddit.com/r/Sub/comments/1ABcde/slug/", "https://reddit.com/comments/1abcde", "https://old.reddit.com/r/Sub/comments/1abcde", "https://np.reddit.com/r/x/comments/1abcde/y", "https://m.reddit.com/comments/1abcde/",
				"https://www.old.reddit.com/comments/1abcde", "https://www.np.reddit.com/comments/1abcde", "https://www.m.reddit.com/comments/1abcde", "https://new.reddit.com/comments/1abcde", "https://ud.reddit.com/r/Sub/comments/1abcde/slug",
				"https://sh.reddit.com/comments/1abcde", "https://i.reddit.com/comments/1abcde", "http://redd.it/1abcde", "https://www.reddit.com/gallery/1abcde", "https://www.reddit.com/user/Some_One/comments/1abcde/slug/", "https://www.reddit.com/u/Some_One/comments/1abcde/slug/",
				"https://www.reddit.com/r/Sub/comments/1abcde/slug/?utm_source=share&context=3#x", "https://www.reddit.com/comments/1abcde/.rss", "https://www.reddit.com/comments/1abcde.json", "https://oauth.reddit.com/comments/1abcde?limit=2048"},
			{"https://www.reddit.com/r/Sub/comments/1abcde/slug/k2abcde/", "https://www.reddit.com/r/Sub/comments/1abcde/comment/k2abcde/", "https://old.reddit.com/comments/1abcde/_/K2abcde?context=100", "https://www.reddit.com/user/U/comments/1abcde/comment/k2abcde/"},
			{"https://www.reddit.com/r/GoLang", "https://old.reddit.com/r/golang/new/", "https://www.reddit.com/r/golang/top/?t=all", "https://reddit.com/r/golang.rss", "https://www.reddit.com/r/golang/new/.rss", "https://oauth.reddit.com/r/golang/about", "https://www.reddit.com/r/golang/comments/"},
			{"https://www.reddit.com/user/Some_One", "https://www.reddit.com/u/some_one/", "https://old.reddit.com/user/some_one/submitted/", "https://www.reddit.com/user/some_one/comments/", "https://www.reddit.com/user/some_one/overview", "https://www.reddit.com/r/u_some_one/", "https://www.reddit.com/user/some_one/.rss"},
			{"https://www.reddit.com/r/Sub/s/AbCdEfGhIj", "https://reddit.com/r/sub/s/AbCdEfGhIj/?x=1"},
			{"https://www.reddit.com/u/Some_One/s/AbCdEfGhIj", "https://www.reddit.com/user/some_one/s/AbCdEfGhIj"},
			{"https://www.reddit.com/search?q=two+words", "https://old.reddit.com/search/?q=two%20words", "https://www.reddit.com/search.json?q=two+words", "https://www.reddit.com/r/all/search/?q=two+words&restrict_sr=False"},
			{"https://www.reddit.com/r/sub/search?q=x&restrict_sr=on", "https://www.reddit.com/r/Sub/search/?restrict_sr=1&q=x"},
			{"https://www.reddit.com/search?q=x&sort=top&t=year"},
			{"https://www.reddit.com/domain/News.Example/", "https://old.reddit.com/domain/news.example/new/"},
			{"https://i.redd.it/abc123.jpg", "https://preview.redd.it/abc123.jpg?width=640&s=1", "https://preview.redd.it/some-title-v0-abc123.jpg?width=640&s=1"},
			{"https://v.redd.it/abc123", "https://v.redd.it/abc123/DASH_720.mp4?source=fallback"},
			{"https://www.reddit.com/duplicates/1abcde/", "https://old.reddit.com/r/sub/duplicates/1abcde/slug/"},
			{"https://www.reddit.com/user/Some_One/m/Boats/", "https://old.reddit.com/u/some_one/m/boats"},
			{"https://www.reddit.com/", "https://old.reddit.com/new/", "https://www.reddit.com/.rss"},
			{"https://www.reddit.com/r/a+b/", "https://www.reddit.com/r/A+B/new"},
		},
		ForeignURLs: []string{
			"https://example.org/r/golang/", "https://notreddit.com/r/golang", "https://reddit.com.example.org/r/golang", "https://www.redditinc.com/", "https://about.reddit.com/press",
			"https://www.reddit.com/login", "https://www.reddit.com/r/", "https://www.reddit.com/comments/", "https://www.reddit.com/comments/not-an-id!/", "https://redd.it/", "https://www.reddit.com/search", "https://support.reddithelp.com/hc", "ftp://www.reddit.com/r/a",
		},
		Foreign: []crawlers.Exchange{
			{URL: "https://example.org/feed", Body: []byte(`<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="https://example.org/feed"/><entry><id>t3_a</id></entry></feed>`)},
			{URL: "https://api.example/x", Body: []byte(`{"kind":"Listing","data":{"children":[{"kind":"t3","data":{"id":"q1"}}]}}`)},
			{Body: []byte(`{"kind":"youtube#videoListResponse","items":[]}`)},
			{Body: []byte(`{"response":{"posts":[]}}`)}, {Body: []byte(`[]`)}, {Body: []byte(`[1,2]`)}, {Body: []byte("<html><body>reddit.com</body></html>")},
			{Method: "POST", URL: "https://reddit-uploaded-media.s3-accelerate.amazonaws.com/", Status: 201, Body: []byte(`<?xml version="1.0"?><PostResponse/>`)},
		},
		Exchanges: bodyless,
	}
	for _, s := range samples {
		cases.Exchanges = append(cases.Exchanges, crawlertest.Case{Name: s.name, Exchange: s.exchange(t), Outcome: s.outcome, Posts: s.posts})
	}
	for i := range cases.Exchanges {
		if cases.Exchanges[i].Name == "v.redd.it of a post" {
			cases.Exchanges[i].Outcome = post.OK
		}
	}
	crawlertest.Run(t, New(), cases)
}

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
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			steps := []string{}
			for _, n := range page.Next {
				steps = append(steps, n.Key())
			}
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

// TestMoreSteps checks that folded comments are asked for a hundred at a time,
// with the body that the API documents.
func TestMoreSteps(t *testing.T) {
	ex := crawlers.Exchange{URL: "https://oauth.reddit.com/comments/p1?raw_json=1", Body: file(t, "thread.json")}
	page, err := crawlers.Read(New(), crawlers.Step{Ref: postRef("p1"), Route: routeAPI}, ex)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range page.Next {
		req, err := New().Request(s)
		if err != nil {
			t.Fatal(err)
		}
		body := string(req.Body)
		if i := strings.Index(body, "children="); i >= 0 {
			list, _, _ := strings.Cut(body[i+len("children="):], "&")
			body = body[:i] + "children:" + string(rune('0'+strings.Count(list, "%2C")/10)) + body[i+len("children=")+len(list):]
		}
		got = append(got, req.Method+" "+req.URL+" "+body)
	}
	want := []string{
		" https://oauth.reddit.com/comments/p1/_/c3?limit=2048&raw_json=1&sort=confidence ",
		"POST https://oauth.reddit.com/api/morechildren?raw_json=1 api_type=json&children:0&link_id=t3_p1&sort=confidence",
		"POST https://oauth.reddit.com/api/morechildren?raw_json=1 api_type=json&children:9&link_id=t3_p1&sort=confidence",
		"POST https://oauth.reddit.com/api/morechildren?raw_json=1 api_type=json&children:4&link_id=t3_p1&sort=confidence",
		" https://oauth.reddit.com/duplicates/p1?limit=100&raw_json=1 ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("steps:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestListingCap checks that the end of a listing at Reddit's limit is not
// taken for the end of the subreddit.
func TestListingCap(t *testing.T) {
	st := state{After: "t3_x", Count: 900}
	var things []string
	for i := range 100 {
		things = append(things, `{"kind":"t3","data":{"id":"a`+string(rune('a'+i/26))+string(rune('a'+i%26))+`","title":"x"}}`)
	}
	ex := crawlers.Exchange{URL: "https://oauth.reddit.com/r/a/new?raw_json=1", Body: []byte(`{"kind":"Listing","data":{"after":null,"children":[` + strings.Join(things, ",") + `]}}`)}
	page, err := crawlers.Read(New(), crawlers.Step{Ref: groupRef("a"), Route: routeAPI, State: st.encode()}, ex)
	if err != nil {
		t.Fatal(err)
	}
	if c := page.Coverage; c.Served != 100 || !c.Window || c.End != "Reddit serves at most 1000 items of a listing" {
		t.Errorf("coverage %+v", c)
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

func BenchmarkListing(b *testing.B) {
	data := file(b, "listing_new.json")
	var a struct {
		Data struct {
			Children []json.RawMessage `json:"children"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &a); err != nil {
		b.Fatal(err)
	}
	ex := crawlers.Exchange{URL: "https://oauth.reddit.com/r/harbourtown/new?raw_json=1", Body: data}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := crawlers.Read(New(), crawlers.Step{Ref: groupRef("harbourtown"), Route: routeAPI}, ex); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(a.Data.Children))/b.Elapsed().Seconds(), "posts/s")
}
