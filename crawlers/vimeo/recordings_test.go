package vimeo

import (
	"encoding/json"
	"fmt"
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

// wanted is what a recording must give, by its provenance and by eye, except
// where second finds it in the bytes.
type wanted struct {
	url     string
	status  int
	ref     string
	outcome post.Outcome
	posts   int
	second  func(t *testing.T, body []byte) []fact // nil: eye is all
	eye     []fact                                 // of the first posts
}

// A fact is what is known of a post otherwise. Empty fields are not compared;
// created is in UTC, exact.
type fact struct {
	id, author, handle, created, title, words string
	gone                                      bool
	counts                                    map[string]int64
}

var recordings = map[string]wanted{
	"api_136971428.json":       {url: "https://api.vimeo.com/videos/136971428", status: 200, ref: "post:136971428", outcome: post.OK, posts: 1, eye: []fact{{id: "136971428", author: "814311", handle: "antirecords", created: "2015-08-21T21:37:43Z", title: "Deafheaven - 'New Bermuda' Trailer", words: "October 2nd", counts: map[string]int64{"views": 631, "likes": 3, "comments": 0}}}},
	"api_comments.json":        {url: "https://api.vimeo.com/videos/219689930/comments", status: 200, ref: "post:219689930", outcome: post.OK, posts: 2, eye: []fact{{id: "comment:15844022", author: "59525702", created: "2017-06-28T17:51:45Z", words: "comment 2"}, {id: "comment:15844021", created: "2017-06-28T17:51:42Z", words: "comment 1"}}},
	"api_error_401.json":       {url: "https://api.vimeo.com/videos/1234", status: 401, ref: "post:1234", outcome: post.NeedsKey},
	"api_user_staff.json":      {url: "https://api.vimeo.com/users/staff", status: 200, ref: "account:staff", outcome: post.OK, posts: 1, eye: []fact{{id: "user:152184", author: "152184", handle: "staff", created: "2007-01-18T16:40:11Z", title: "Vimeo Staff", words: "Big hugs"}}},
	"api_video_222928033.json": {url: "https://api.vimeo.com/videos/222928033", status: 200, ref: "post:222928033", outcome: post.OK, posts: 1, eye: []fact{{id: "222928033", created: "2017-06-24T04:50:07Z", title: "Al Mansour Production Reel 2016"}}},
	"oembed_169850570.json":    {url: "https://vimeo.com/api/oembed.json?url=https://vimeo.com/169850570", status: 200, ref: "post:169850570", outcome: post.OK, posts: 1, eye: []fact{{id: "169850570", handle: "richardclarkson", created: "2016-06-08T13:04:09Z", title: "Making Weather", words: "Levitating Cloud"}}},
	// The address that was asked for is of no platform, so Identify needs another.
	"oembed_404.txt":                  {url: "https://vimeo.com/api/oembed.json?url=https://vimeo.com/1", status: 404, ref: "post:1", outcome: post.NotFound},
	"page_136971428.html":             {url: "https://vimeo.com/136971428", status: 200, ref: "post:136971428", outcome: post.OK, posts: 1, eye: []fact{{id: "136971428", author: "814311", handle: "antirecords", created: "2015-08-21T21:37:43Z", title: "Deafheaven - 'New Bermuda' Trailer", words: "October 2nd", counts: map[string]int64{"views": 631, "likes": 3, "comments": 0}}}},
	"page_451.html":                   {url: "https://vimeo.com/59312311", status: 451, ref: "post:59312311", outcome: post.Removed},
	"page_password.html":              {url: "https://vimeo.com/74636562", status: 200, ref: "post:74636562", outcome: post.Password},
	"simple_feed.json":                {url: "http://vimeo.com/api/v2/jakob/videos.json", status: 200, ref: "account:jakob", outcome: post.OK, posts: 20, second: simpleFacts},
	"simple_info_channel.json":        {url: "http://vimeo.com/api/v2/channel/deutschekurze/info.json", status: 200, ref: "board:channels/deutschekurze", outcome: post.OK, posts: 1, eye: []fact{{id: "channels/126573", created: "2010-08-12T21:44:43Z", title: "Deutsche Kurzfilme", words: "neuemassenproduktion"}}},
	"simple_info_user.json":           {url: "http://vimeo.com/api/v2/jakob/info.json", status: 200, ref: "account:jakob", outcome: post.OK, posts: 1, eye: []fact{{id: "user:101", author: "101", handle: "jakob", created: "2005-01-23T21:59:15Z", title: "Jake Lødwick"}}},
	"simple_search_with_deleted.json": {url: "", ref: "search:(saved list)", outcome: post.OK, posts: 50, second: advancedFacts},
	"simple_simple.json":              {url: "http://vimeo.com/api/v2/video/2.json", status: 200, ref: "post:2", outcome: post.OK, posts: 1, second: simpleFacts},
	"simple_user_videos_2009.json":    {url: "http://vimeo.com/api/v2/blakewhitman/videos.json", status: 200, ref: "account:blakewhitman", outcome: post.OK, posts: 20, second: simpleFacts},
}

// text is a scalar of any JSON type.
func text(v any) string {
	if f, ok := v.(float64); ok {
		return strconv.FormatInt(int64(f), 10)
	}
	s, _ := v.(string)
	return s
}

func amount(t *testing.T, v any) int64 {
	n, err := strconv.ParseInt(text(v), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// utc reads a clock of New York with the zone database of the machine.
func utc(t *testing.T, raw string) string {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("no zone database: ", err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", raw, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC().Format(time.RFC3339)
}

// simpleFacts walks maps of encoding/json.
func simpleFacts(t *testing.T, body []byte) []fact {
	var items []map[string]any
	if err := json.Unmarshal(body, &items); err != nil {
		t.Fatal(err)
	}
	var facts []fact
	for _, it := range items {
		facts = append(facts, fact{id: text(it["id"]), handle: strings.TrimPrefix(text(it["user_url"]), "http://vimeo.com/"), created: utc(t, text(it["upload_date"])), title: text(it["title"]),
			counts: map[string]int64{"views": amount(t, it["stats_number_of_plays"]), "likes": amount(t, it["stats_number_of_likes"]), "comments": amount(t, it["stats_number_of_comments"])}})
	}
	return facts
}

// advancedFacts looks for the fields by their names in the text.
func advancedFacts(t *testing.T, body []byte) []fact {
	find := func(pattern string) [][][]byte { return regexp.MustCompile(pattern).FindAllSubmatch(body, -1) }
	dates, plays := find(`"upload_date":\s*"([^"]*)"`), find(`"number_of_plays":\s*"(\d*)"`)
	ids := find(`"id":\s*"(\d+)",\s*"is_hd"`)
	if len(ids) != len(dates) || len(ids) != len(plays) {
		t.Fatalf("%d ids, %d dates, %d counts", len(ids), len(dates), len(plays))
	}
	var facts []fact
	for i := range ids {
		if len(dates[i][1]) == 0 { // one of them is gone
			facts = append(facts, fact{id: string(ids[i][1]), gone: true})
			continue
		}
		facts = append(facts, fact{id: string(ids[i][1]), created: utc(t, string(dates[i][1])), counts: map[string]int64{"views": amount(t, string(plays[i][1]))}})
	}
	return facts
}

// TestRecordings reads every recording, as it was asked for and, where the
// answer tells whom it is about, without any address. A file that this test
// does not know must still end in posts or in an outcome about the target or us.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "recordings/vimeo"), "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(files)
	table := []string{fmt.Sprintf("%-34s %5s %s", "file", "posts", "outcome")}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasSuffix(name, ".md") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, known := recordings[name]
			ex := crawlers.Exchange{URL: want.url, Status: want.status, Body: body, FetchedAt: fetched}
			ref, ok := New().Identify(ex)
			if !ok {
				t.Fatalf("Identify refuses %q", ex.URL)
			}
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
			if err != nil {
				t.Fatal(err)
			}
			table = append(table, fmt.Sprintf("%-34s %5d %s %.70s", name, len(page.Posts), page.Outcome, page.Reason))
			if page.Outcome.Scope() == post.ScopeReader || page.Outcome.Scope() == post.ScopeServed && len(page.Posts)+len(page.Next) == 0 {
				t.Fatalf("outcome %s (%s) with %d posts", page.Outcome, page.Reason, len(page.Posts))
			}
			if !known {
				t.Logf("not known to this test: %s, outcome %s, %d posts", ref.Key(), page.Outcome, len(page.Posts))
				return
			}
			if ref.Key() != platform+":"+want.ref || page.Outcome != want.outcome || len(page.Posts) != want.posts {
				t.Fatalf("%s: outcome %s (%s), %d posts, want %s, %s, %d", ref.Key(), page.Outcome, page.Reason, len(page.Posts), want.ref, want.outcome, want.posts)
			}
			facts := want.eye
			if want.second != nil {
				if facts = want.second(t, body); len(facts) != len(page.Posts) {
					t.Fatalf("%d posts, the second extraction finds %d", len(page.Posts), len(facts))
				}
			}
			for i, f := range facts {
				compare(t, page.Posts[i], f)
			}
			if page.Outcome != post.OK {
				return
			}
			saved := crawlers.Exchange{Body: body, FetchedAt: fetched}
			ref, ok = New().Identify(saved)
			if !ok {
				t.Fatal("as a saved file: Identify refuses it")
			}
			again, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, saved)
			if err != nil || len(again.Posts) != len(page.Posts) {
				t.Errorf("as a saved file (%s): %d posts, %s (%v), with its address %d", ref.Key(), len(again.Posts), again.Reason, err, len(page.Posts))
			}
		})
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

func compare(t *testing.T, p post.Post, f fact) {
	t.Helper()
	created := ""
	if !p.Created.Time.IsZero() {
		created = p.Created.Time.Format(time.RFC3339)
	}
	if p.ID != f.id || f.author != "" && p.Account.ID != f.author || f.handle != "" && p.Account.Handle != f.handle || f.created != "" && created != f.created || f.title != "" && p.Title != f.title || !strings.Contains(p.Text, f.words) {
		t.Errorf("post %s by %+v at %s %q, want %+v\n%.200s", p.ID, p.Account, created, p.Title, f, p.Text)
	}
	if f.gone && (p.Outcome != post.Unavailable || len(p.Counts)+len(p.Media) > 0 || p.Account.Name != "") {
		t.Errorf("post %s is gone, it is read as %+v", p.ID, p)
	}
	for name, n := range f.counts {
		found := false
		for _, c := range p.Counts {
			if c.Name == name {
				found = c.State == post.StatePresent && c.Value == n
			}
		}
		if !found {
			t.Errorf("post %s: counts %+v, want %s %d", p.ID, p.Counts, name, n)
		}
	}
}

// BenchmarkRecordings measures reading of the largest recordings.
func BenchmarkRecordings(b *testing.B) {
	for _, name := range []string{"page_136971428.html", "page_password.html", "simple_search_with_deleted.json", "simple_feed.json", "api_136971428.json"} {
		b.Run(name, func(b *testing.B) {
			ex := crawlers.Exchange{URL: recordings[name].url, Status: 200, Body: sharedtest.Read(b, "recordings/vimeo/"+name)}
			ref, _ := New().Identify(ex)
			b.SetBytes(int64(len(ex.Body)))
			posts := 0
			for b.Loop() {
				page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
				if err != nil {
					b.Fatal(err)
				}
				posts += len(page.Posts)
			}
			b.ReportMetric(float64(posts)/b.Elapsed().Seconds(), "posts/s")
		})
	}
}
