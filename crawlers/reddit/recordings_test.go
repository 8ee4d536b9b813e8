package reddit

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// A cassette is how one recorder wraps exchanges. The product does not know it.
type cassette struct {
	Interactions []struct {
		Request struct {
			Method string
			URI    string `json:"uri"`
			Body   any
		}
		Response struct {
			Body    struct{ String string }
			Headers map[string][]string
			Status  struct{ Code int }
		}
	}
}

func unwrap(data []byte) []crawlers.Exchange {
	var c cassette
	if json.Unmarshal(data, &c) != nil || len(c.Interactions) == 0 {
		return nil
	}
	var list []crawlers.Exchange
	for _, i := range c.Interactions {
		ex := crawlers.Exchange{Method: i.Request.Method, URL: i.Request.URI, Status: i.Response.Status.Code, Header: crawlers.Header{}, Body: []byte(i.Response.Body.String)}
		for k, values := range i.Response.Headers {
			for _, v := range values {
				ex.Header.Add(k, v)
			}
		}
		switch b := i.Request.Body.(type) {
		case string:
			ex.RequestBody = []byte(b)
		case map[string]any:
			s, _ := b["string"].(string)
			ex.RequestBody = []byte(s)
		}
		list = append(list, ex)
	}
	return list
}

// plainURLs are the addresses of the recordings that are bare bodies, as their
// provenance gives them; ids and names in them were read by eye in the files.
var plainURLs = map[string]string{
	"comments_json_2025_1i9by4t.json":      "https://www.reddit.com/comments/1i9by4t/.json",
	"goreddit_comment_more.json":           "https://oauth.reddit.com/api/morechildren?link_id=t3_123",
	"goreddit_post_more.json":              "https://oauth.reddit.com/api/morechildren?link_id=t3_123",
	"goreddit_post_duplicates.json":        "https://oauth.reddit.com/duplicates/i2gvs1",
	"goreddit_post_post.json":              "https://oauth.reddit.com/comments/testpost",
	"goreddit_subreddit_about.json":        "https://oauth.reddit.com/r/golang/about",
	"goreddit_subreddit_posts.json":        "https://oauth.reddit.com/r/test/hot",
	"goreddit_subreddit_search-posts.json": "https://oauth.reddit.com/search?q=test",
	"goreddit_user_get.json":               "https://oauth.reddit.com/user/Test_User/about",
	"goreddit_user_overview.json":          "https://oauth.reddit.com/user/v_95/overview",
	"oembed_7pfpeq_2021.json":              "https://www.reddit.com/oembed?url=https%3A%2F%2Fwww.reddit.com%2Fr%2Finvesting%2Fcomments%2F7pfpeq%2F",
	"rss_home_atom_2016.xml":               "https://www.reddit.com/.rss?limit=50",
	"rss_home_rss2_2015.xml":               "https://www.reddit.com/.rss",
	"rss_r_homelab_atom_2023.xml":          "https://ud.reddit.com/r/homelab/new/.rss",
	"wall_403_blocked_2026_head2000.html":  "https://www.reddit.com/r/x/new.json",
}

// special are the exchanges that give no post, or not "ok": the outcome was
// read by eye, the reason is given here.
var special = map[string]struct {
	outcome post.Outcome
	why     string
}{
	"POST /api/v1/access_token":                        {post.OK, "a token request: no public item"},
	"POST /api/submit/":                                {post.OK, "a write request: no public item"},
	"POST /api/submit_gallery_post.json":               {post.OK, "a write request: no public item"},
	"POST /api/submit_poll_post":                       {post.OK, "a write request: no public item"},
	"POST /api/media/asset.json":                       {post.OK, "a write request: no public item"},
	"POST /api/quarantine_optout":                      {post.OK, "a write request: no public item"},
	"GET /r/ferguson/hot":                              {post.Private, "403 Forbidden without a reason; only the recorder knew of the quarantine"},
	"GET /api/v1/user/thisusershouldnotexist/trophies": {post.NotFound, "USER_DOESNT_EXIST"},
	"GET /r/redditdev/s/WNauetbiNG":                    {post.OK, "a share link: a redirect, whose target is the next step"},
	"GET /r/space/s/":                                  {post.NotFound, "a share link without a code redirects to itself"},
	"GET /api/info/ t1_d7ltvl0":                        {post.Deleted, "the comment is [deleted]"},
	"GET /comments/52o2fl/_/d7ltvl0":                   {post.NotFound, "the thread does not list the comment any more"},
	"GET /r/x/new.json":                                {post.Blocked, "the head of the refusal page of 2026"},
	"GET /oembed":                                      {post.OKMetaOnly, "title and author only"},
}

func specialKey(ex crawlers.Exchange) string {
	method := ex.Method
	if method == "" {
		method = "GET"
	}
	rest, _, _ := strings.Cut(strings.TrimPrefix(ex.URL, "https://"), "?")
	_, path, _ := strings.Cut(rest, "/")
	key := method + " /" + path
	if strings.Contains(ex.URL, "id=t1_d7ltvl0") {
		key += " t1_d7ltvl0"
	}
	return key
}

// A fact is what the dumb extraction knows of a post; -1 is unknown.
type fact struct {
	id, author      string
	created         int64
	score, comments int64
}

// factsJSON walks any JSON and takes every object that has a title or body
// beside id and created_utc. It shares nothing with the reader.
func factsJSON(v any, kind string, into map[string]fact) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			factsJSON(e, "", into)
		}
	case map[string]any:
		if k, ok := x["kind"].(string); ok {
			factsJSON(x["data"], k, into)
			return
		}
		if list, ok := x["crosspost_parent_list"].([]any); ok {
			for _, e := range list {
				factsJSON(e, "t3", into)
			}
		}
		for k, e := range x {
			if k != "crosspost_parent_list" && k != "subreddit" {
				factsJSON(e, "", into)
			}
		}
		id, _ := x["id"].(string)
		if kind != "t1" && kind != "t3" && kind != "t2" && kind != "t5" || id == "" {
			return
		}
		f := fact{id: kind + "_" + id, created: -1, score: -1, comments: -1}
		f.author, _ = x["author"].(string)
		if f.author == "[deleted]" {
			f.author = ""
		}
		if n, ok := x["created_utc"].(float64); ok {
			f.created = int64(n)
		}
		hidden := x["score_hidden"] == true || x["hide_score"] == true
		if n, ok := x["score"].(float64); ok && !hidden {
			f.score = int64(n)
		}
		if n, ok := x["num_comments"].(float64); ok && kind == "t3" {
			f.comments = int64(n)
		}
		into[f.id] = f
	}
}

var (
	reEntry  = regexp.MustCompile(`(?s)<(?:entry|item)>.*?</(?:entry|item)>`)
	reID     = regexp.MustCompile(`<id>(t\d_\w+)</id>`)
	reLinkID = regexp.MustCompile(`<link>[^<]*/comments/(\w+)/`)
	reName   = regexp.MustCompile(`<name>/u/([^<]+)</name>`)
	reBy     = regexp.MustCompile(`submitted by &lt;a href=&#34;https://www.reddit.com/user/([^&]+)&#34;`)
	rePub    = regexp.MustCompile(`<(?:published|pubDate)>([^<]+)<`)
	reCount  = regexp.MustCompile(`\[(\d+) comments?\]`)
)

// factsFeed finds the same with regular expressions.
func factsFeed(t *testing.T, body string, into map[string]fact) {
	for _, e := range reEntry.FindAllString(body, -1) {
		f := fact{created: -1, score: -1, comments: -1}
		if m := reID.FindStringSubmatch(e); m != nil {
			f.id = m[1]
		} else if m := reLinkID.FindStringSubmatch(e); m != nil {
			f.id = "t3_" + m[1]
		}
		if m := reName.FindStringSubmatch(e); m != nil {
			f.author = m[1]
		} else if m := reBy.FindStringSubmatch(e); m != nil {
			f.author = m[1]
		}
		if m := rePub.FindStringSubmatch(e); m != nil {
			at, err := time.Parse(time.RFC3339, m[1])
			if err != nil {
				if at, err = time.Parse(time.RFC1123Z, m[1]); err != nil {
					t.Errorf("time %q", m[1])
				}
			}
			f.created = at.Unix()
		}
		if m := reCount.FindStringSubmatch(html.UnescapeString(e)); m != nil {
			f.comments, _ = strconv.ParseInt(m[1], 10, 64)
		}
		into[f.id] = f
	}
}

// TestRecordings reads every recording. Ids, authors, times, scores and
// comment counts are compared with the dumb extraction above; outcomes other
// than ok, and answers without posts, with the list read by eye.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "recordings/reddit"), "*.*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	total := 0
	for _, path := range files {
		name := filepath.Base(path)
		if name == "PROVENANCE.md" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		list := unwrap(data)
		if list == nil {
			address, ok := plainURLs[name]
			if !ok {
				t.Errorf("%s: no address known", name)
			}
			list = []crawlers.Exchange{{URL: address, Body: data}}
		}
		for i, ex := range list {
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				total += checkRecording(t, ex)
			})
		}
	}
	if total < 750 {
		t.Errorf("only %d posts in all recordings", total)
	}
}

func checkRecording(t *testing.T, ex crawlers.Exchange) int {
	ref, ok := New().Identify(ex)
	if strings.Contains(ex.URL, "amazonaws.com") {
		if ok {
			t.Errorf("an upload to another host is taken for %s", ref.Key())
		}
		return 0
	}
	if !ok {
		t.Fatalf("%s: Identify refuses it", ex.URL)
	}
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
	if err != nil {
		t.Fatal(err)
	}
	want, listed := special[specialKey(ex)]
	if !listed {
		want.outcome = post.OK
	}
	if page.Outcome != want.outcome {
		t.Errorf("%s: outcome %s (%s), want %s (%s)", ex.URL, page.Outcome, page.Reason, want.outcome, want.why)
	}
	if len(page.Posts) == 0 && !listed {
		t.Errorf("%s: no post, and no reason is listed", ex.URL)
	}
	facts := map[string]fact{}
	var v any
	if json.Unmarshal(ex.Body, &v) == nil {
		factsJSON(v, "", facts)
	} else {
		factsFeed(t, string(ex.Body), facts)
	}
	if strings.Contains(ex.URL, "/oembed") { // by eye
		facts["t3_7pfpeq"] = fact{id: "t3_7pfpeq", author: "dennisrieves", created: -1, score: -1, comments: -1}
	}
	compareFacts(t, facts, page.Posts)

	bare := ex // and without any address
	bare.URL, bare.RequestBody = "", nil
	if again, ok := New().Identify(bare); ok && !listed {
		p, err := crawlers.Read(New(), crawlers.Step{Ref: again}, bare)
		if err != nil || len(p.Posts) != len(page.Posts) {
			t.Errorf("without an address: %d posts, want %d (%v)", len(p.Posts), len(page.Posts), err)
		}
	} else if len(page.Posts) > 0 && !listed {
		t.Error("without an address it is not known as Reddit's")
	}
	return len(page.Posts)
}

func compareFacts(t *testing.T, facts map[string]fact, posts []post.Post) {
	t.Helper()
	got := map[string]bool{}
	for i := range posts {
		p := &posts[i]
		got[p.ID] = true
		f, ok := facts[p.ID]
		if !ok {
			t.Errorf("%s is not in the answer", p.ID)
			continue
		}
		if p.Kind == post.KindAccount {
			f.author = p.Account.Handle
		}
		if p.Account.Handle != f.author {
			t.Errorf("%s: author %q, want %q", p.ID, p.Account.Handle, f.author)
		}
		if f.created >= 0 && p.Created.Time.Unix() != f.created {
			t.Errorf("%s: created %v, want %v", p.ID, p.Created.Time, time.Unix(f.created, 0).UTC())
		}
		counts := map[string]int64{"score": -1, "comments": -1}
		for _, c := range p.Counts {
			if c.State == post.StatePresent {
				counts[c.Name] = c.Value
			}
		}
		if p.Kind != post.KindAccount && (counts["score"] != f.score || counts["comments"] != f.comments) {
			t.Errorf("%s: counts %v, want score %d and comments %d", p.ID, p.Counts, f.score, f.comments)
		}
	}
	var missing []string
	for id := range facts {
		if !got[id] {
			missing = append(missing, id)
		}
	}
	sort.Strings(missing)
	if len(missing) > 0 {
		t.Errorf("%d of %d are missing: %v", len(missing), len(facts), missing)
	}
}

// TestRecordedDetails checks what was read by eye in the recordings.
func TestRecordedDetails(t *testing.T) {
	last := func(name string) crawlers.Page {
		t.Helper()
		list := unwrap(sharedtest.Read(t, "recordings/reddit/"+name))
		ex := list[len(list)-1]
		for _, e := range list { // the thread, where there is one
			if strings.Contains(e.URL, "/comments/") {
				ex = e
			}
		}
		ref, _ := New().Identify(ex)
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	gallery := last("praw_TestSubreddit.test_submit_gallery.json").Posts[0]
	var shown []string
	for _, m := range gallery.Media {
		shown = append(shown, m.URL+" "+m.Alt)
	}
	if got := strings.Join(shown, "|"); got != "https://i.redd.it/pb7qsvi6i3c51.png |https://i.redd.it/14wmudl6i3c51.jpg test.jpg|https://i.redd.it/vkm62gm6i3c51.gif |https://i.redd.it/wka18en6i3c51.png test.png" {
		t.Errorf("gallery %s", got)
	}
	poll := last("praw_TestSubreddit.test_submit_poll.json").Posts[0]
	options := 0
	for _, c := range poll.Counts {
		if strings.HasPrefix(c.Name, "poll_option:") {
			options++
		}
	}
	if options != 6 {
		t.Errorf("%d options of the poll", options)
	}
	cross := last("praw_TestSubmission.test_crosspost.json").Posts
	if len(cross) != 2 || len(cross[0].Refs) != 1 || cross[0].Refs[0] != (post.Ref{Role: post.RoleCrosspostOf, ID: "t3_6vx01b", URL: "https://www.reddit.com/comments/6vx01b/", Account: "kwwxis2"}) || cross[1].ID != "t3_6vx01b" || len(cross[0].Links) != 0 {
		t.Errorf("crosspost %+v", cross)
	}
	if at := cross[0].Created.Time.Unix(); at != 1503650742 { // "created" says 1503679542
		t.Errorf("crosspost created %d", at)
	}
	more := last("praw_TestMore.test_comments.json")
	folded, deep := 0, 0
	for _, s := range more.Next {
		st, _ := decodeState(s.State)
		folded += len(st.Children)
		if s.Ref.Kind == crawlers.RefComment {
			deep++
		}
	}
	if folded != 24 || deep != 6 { // 12 "more" with 24 ids in all, and 6 "continue this thread"
		t.Errorf("%d folded comments and %d deeper threads", folded, deep)
	}
}
