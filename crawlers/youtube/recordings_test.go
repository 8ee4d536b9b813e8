package youtube

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// wanted is what a recording must give. All of it was read by eye, except ids
// and counts of lists, for which second stands.
type wanted struct {
	url     string // of files that do not carry their request
	ref     string
	outcome post.Outcome
	posts   int
	second  func(t *testing.T, body []byte) []fact // nil: eye is all
	eye     []fact                                 // of the first posts
}

// A fact is what is known of a post otherwise. Empty fields are not compared.
type fact struct {
	id, author, created, title, words string
	counts                            map[string]int64 // -1: hidden
}

const apiURL = "https://www.googleapis.com/youtube/v3/"

var recordings = map[string]wanted{
	"api3_activities_by_channel_p1.json":         {url: apiURL + "activities?part=snippet&channelId=UC_x5XG1OV2P6uZZ5FSM9Ttw", ref: "account:UC_x5XG1OV2P6uZZ5FSM9Ttw", outcome: post.OK, posts: 10, second: apiFacts},
	"api3_captions_by_video.json":                {url: apiURL + "captions?videoId=oHR3wURdJ94", ref: "post:oHR3wURdJ94", outcome: post.OK, posts: 1, eye: []fact{{id: "oHR3wURdJ94"}}},
	"api3_comment_threads_by_video_paged_1.json": {url: apiURL + "commentThreads?videoId=F1UP7wRCPH8", ref: "post:F1UP7wRCPH8", outcome: post.OK, posts: 5, second: apiFacts},
	"api3_error_permission_resp.json":            {url: apiURL + "captions?videoId=oHR3wURdJ94", ref: "post:oHR3wURdJ94", outcome: post.NeedsKey},
	"api3_info.json":                             {url: apiURL + "channels?id=UC_x5XG1OV2P6uZZ5FSM9Ttw", ref: "account:UC_x5XG1OV2P6uZZ5FSM9Ttw", outcome: post.OK, posts: 1, eye: []fact{{id: "UC_x5XG1OV2P6uZZ5FSM9Ttw", created: "2007-08-23T00:34:43Z", title: "Google Developers"}}},
	"api3_playlist_items_paged_1.json":           {url: apiURL + "playlistItems?playlistId=PLOU2XLYxmsIKpaV8h0AGE05so0fAwwfTw", ref: "board:PLOU2XLYxmsIKpaV8h0AGE05so0fAwwfTw", outcome: post.OK, posts: 10, second: apiFacts},
	"api3_search_by_keywords_p1.json":            {url: apiURL + "search?q=surfing&part=snippet", ref: "search:surfing", outcome: post.OK, posts: 25, second: apiFacts},
	"api3_videos_info_multi.json":                {url: apiURL + "videos?id=D-lhorsDlUQ,ovdbrdCIP7U", ref: "post:D-lhorsDlUQ", outcome: post.OK, posts: 2, second: apiFacts},
	"channel_page_meta_only.html":                {url: "https://www.youtube.com/channel/UCXOPfBqPphU15a6mpW7hwVw", ref: "account:UCXOPfBqPphU15a6mpW7hwVw", outcome: post.OKMetaOnly, posts: 1, eye: []fact{{id: "UCXOPfBqPphU15a6mpW7hwVw", title: "CoasterFan2105", words: "Welcome to CF2105!"}}},
	"feed_google_channel.xml":                    {url: "https://www.youtube.com/feeds/videos.xml?channel_id=UCK8sQmJBp8GCxrOtXWBpyEA", ref: "account:UCK8sQmJBp8GCxrOtXWBpyEA", outcome: post.OK, posts: 15, second: feedFacts},
	"iv_player_no_description.json":              {url: playerURL, ref: "post:iuevw6218F0", outcome: post.OK, posts: 1, eye: []fact{{id: "iuevw6218F0", author: "UC_5q6nWPbD30-y6oiWF_oNA", created: "2012-05-21T14:01:37Z", title: "Chris Rea - Auberge", counts: map[string]int64{"views": 14324584}}}},
	"iv_player_upcoming.json":                    {url: playerURL, ref: "post:N-yVic7BbY0", outcome: post.Upcoming, posts: 1, eye: []fact{{id: "N-yVic7BbY0", author: "UCGX7nGXpz-CmO_Arg-cgJ7A", title: "Home Team | PBD Podcast | Ep. 241"}}},
	"jd_consent_page.html":                       {url: "https://www.youtube.com/watch?v=Fx_N4GlwdEM", ref: "post:Fx_N4GlwdEM", outcome: post.ConsentWall},
	"jd_youtube_age_restricted.json":             {url: playerURL, ref: "post:Njp5uhTorCo", outcome: post.AgeGated, posts: 1, eye: []fact{{id: "Njp5uhTorCo", author: "UCJqyF-E8VW75fQz61ftchzg", counts: map[string]int64{"views": 179579}}}},
	"jd_youtube_request_blocked.json":            {url: playerURL, ref: "post:wuvwzJF4y7o", outcome: post.BotCheck},
	"jd_youtube_transcripts_disabled2.json":      {url: playerURL, ref: "post:Fjg5lYqvzUs", outcome: post.OK, posts: 1, eye: []fact{{id: "Fjg5lYqvzUs", author: "UCHd62-u_v4DvJ8TCFtpi4GA", counts: map[string]int64{"views": 170391}}}},
	"jd_youtube_ww1_nl_en.json":                  {url: playerURL, ref: "post:F1xioXWb8CY", outcome: post.OK, posts: 1, eye: []fact{{id: "F1xioXWb8CY", author: "UCUcyEsEjhPEDf69RRVhRh4A"}}},
	"np_browse_shorts_tab.json":                  {ref: "account:UCh8gHdtzO2tXd593_bjErWg", outcome: post.OK, posts: 49, second: shortFacts, eye: []fact{{id: "UCh8gHdtzO2tXd593_bjErWg", title: "Doobydobap"}}},
	"np_browse_videos_tab.json":                  {ref: "account:UCTwECeGqMZee77BjdoYtI2Q", outcome: post.OK, posts: 31, second: lockupFacts, eye: []fact{{id: "UCTwECeGqMZee77BjdoYtI2Q", title: "Creative Commons"}}},
	"np_browse_videos_tab_page2.json":            {ref: "account:UCTwECeGqMZee77BjdoYtI2Q", outcome: post.OK, posts: 30, second: lockupFacts},
	"np_channel_age_gate.json":                   {ref: "account:UCbfnHqxXs_K3kvaH-WlNlig", outcome: post.AgeGated},
	"np_channel_bad_id_400.json":                 {ref: "account:DOESNT-EXIST", outcome: post.NotFound},
	"np_channel_does_not_exist.json":             {ref: "account:UCAUc4iz6edWerIjlnL8OSSw", outcome: post.NotFound},
	"np_channel_removed_guidelines.json":         {ref: "account:UCoaO4U_p7G7AwalqSbGCZOA", outcome: post.Removed},
	"np_channel_terminated_copyright.json":       {ref: "account:UCI4i4RgFT5ilfMpna4Z_Y8w", outcome: post.Suspended},
	"np_channel_terminated_tos.json":             {ref: "account:UCTGjY2I-ZUGnwVoWAGRd7XQ", outcome: post.Suspended},
	"np_comment_replies.json":                    {ref: "post:xaQJbozY_Is", outcome: post.OK, posts: 10, second: commentFacts, eye: []fact{{id: "UgwSOM0QHBLysE3vZE54AaABAg.9TOrAAD78Z59TP5tOBhBXP", words: "First", counts: map[string]int64{"likes": 52}}}},
	"np_comments_pinned.json":                    {ref: "post:bjFtFMilb34", outcome: post.OK, posts: 20, second: commentFacts, eye: []fact{{id: "Ugyh_hTLZVme65Jqc954AaABAg", words: "Pour retrouver toutes nos vidéos", counts: map[string]int64{"likes": 67, "replies": 76}}}},
	"np_feed_404.json":                           {ref: "account:UCTGjY2I-ZUGnwVoWAGRd7XQ", outcome: post.ServerError},
	"np_feed_kurzgesagt.json":                    {ref: "account:user/kurzgesagt", outcome: post.OK, posts: 15, second: feedFacts},
	"np_next_live_now.json":                      {ref: "post:X4VbdwhkE10", outcome: post.Live, posts: 1, eye: []fact{{id: "X4VbdwhkE10", author: "UCSJ4gkVC6NrvII8umztf0Ow", counts: map[string]int64{"viewers": 10226, "likes": 5366}}}},
	"np_next_ratings_disabled.json":              {ref: "post:it3OtbTxQk0", outcome: post.OK, posts: 1, eye: []fact{{id: "it3OtbTxQk0", author: "UCdq61m8s_48EhJ5OM_MCeGw", counts: map[string]int64{"views": 46409, "likes": -1, "comments": -1}}}},
	"np_player_musicpremiumcontent.json":         {ref: "post:sMJ8bRN2dak", outcome: post.MembersOnly, posts: 1, eye: []fact{{id: "sMJ8bRN2dak", author: "UClYV6hHlupm_S_ObS1W-DYw", counts: map[string]int64{"views": 38656}}}},
	"np_player_nonexistent.json":                 {ref: "post:don-t-exist", outcome: post.NotFound},
	"np_player_paidcontent.json":                 {ref: "post:ayI2iBwGdxw", outcome: post.MembersOnly, posts: 1, eye: []fact{{id: "ayI2iBwGdxw", author: "UCciKycgzURdymx-GRSY2_dA"}}},
	"np_player_privatecontent.json":              {ref: "post:8VajtrESJzA", outcome: post.Private},
	"np_player_restricted.json":                  {ref: "post:_PL2HJKxnOM", outcome: post.GeoBlocked, posts: 1, eye: []fact{{id: "_PL2HJKxnOM", author: "UCkiP0kvvwqUWlttRLCq88gw", counts: map[string]int64{"views": 395969}}}},
	"np_player_web_controversial.json":           {ref: "post:T4XJQO3qol8", outcome: post.OK, posts: 1, eye: []fact{{id: "T4XJQO3qol8", author: "UCjNxszyFPasDdRoD9J6X-sw", created: "2010-09-09T15:40:44Z", counts: map[string]int64{"views": 299671, "likes": 13520}}}},
	"np_player_web_live_now.json":                {ref: "post:X4VbdwhkE10", outcome: post.Live, posts: 1, eye: []fact{{id: "X4VbdwhkE10", created: "2026-06-04T06:49:58Z", counts: map[string]int64{"views": 754262, "likes": 5366}}}},
	"np_player_web_ratings_disabled.json":        {ref: "post:it3OtbTxQk0", outcome: post.OK, posts: 1, eye: []fact{{id: "it3OtbTxQk0", created: "2023-01-13T21:53:57Z", counts: map[string]int64{"views": 46409, "likes": -1}}}},
	"np_player_web_unlisted_short.json":          {ref: "post:tjz2u2DiveM", outcome: post.OK, posts: 1, eye: []fact{{id: "tjz2u2DiveM", created: "2019-05-22T18:45:33Z", counts: map[string]int64{"views": 142650, "likes": 1697}}}},
	"np_playlist_course.json":                    {ref: "board:PLWxziGKTUvQFIsbbFcTZz7jOT4TMGnZBh", outcome: post.OK, posts: 14, second: playlistFacts},
	"np_playlist_unavailable.json":               {ref: "board:PL11111111111111111111111111111111", outcome: post.NotFound},
	"np_resolve_url_user.json":                   {ref: "account:user/creativecommons", outcome: post.OK}, // no posts: it gives the channel's id and a next step
	"np_search_by_id.json":                       {ref: "search:Nxk6aRHi664", outcome: post.OK, posts: 1, eye: []fact{{id: "Nxk6aRHi664", author: "UCZxLew-WXWm5dhRZBgEFl-Q", counts: map[string]int64{"views": 107504}}}},
	"np_search_channels.json":                    {ref: "search:test", outcome: post.OK, posts: 20, second: channelFacts, eye: []fact{{id: "UCZRcA_nO3Kt-SOml2mY8D9g", title: "test"}}},
	"oembed_forbidden.txt":                       {url: "https://www.youtube.com/oembed/?format=json&scheme=https&url=https://youtu.be/NHriYTkvd0g", ref: "post:NHriYTkvd0g", outcome: post.EmbedRestricted},
	"oembed_pender.json":                         {url: "https://www.youtube.com/oembed?format=json&url=https://www.youtube.com/watch?v%3DS49CN57Y58o", ref: "post:S49CN57Y58o", outcome: post.OKMetaOnly, posts: 1, eye: []fact{{id: "S49CN57Y58o", title: "Full Length Freight Trains! 1 Hour of Trains!"}}},
	"watch_page.html":                            {url: "https://www.youtube.com/watch?v=hwMkbaS_M_c", ref: "post:hwMkbaS_M_c", outcome: post.OK, posts: 1, eye: []fact{{id: "hwMkbaS_M_c", author: "UCzcRQ3vRNr6fJ1A9rqFn7QA", created: "2017-04-14T16:02:38Z", title: "Star Wars 8 THE LAST JEDI Official TRAILER (2017) Daisy Ridley, Disney Movie HD", counts: map[string]int64{"views": 1077715, "likes": 7373, "comments": 1000}}}},
}

const playerURL = "https://www.youtube.com/youtubei/v1/player"

// all gives the first groups of every match.
func all(body []byte, pattern string) [][]string {
	var out [][]string
	for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(body, -1) {
		var row []string
		for _, g := range m[1:] {
			row = append(row, string(g))
		}
		out = append(out, row)
	}
	return out
}

func idFacts(rows [][]string) []fact {
	var facts []fact
	for _, r := range rows {
		facts = append(facts, fact{id: r[0]})
	}
	return facts
}

func lockupFacts(t *testing.T, body []byte) []fact {
	facts := idFacts(all(body, `"contentId":\s*"([^"]{11})",\s*"contentType":\s*"LOCKUP_CONTENT_TYPE_VIDEO"`))
	views := all(body, `"content":\s*"([0-9]+) views"`)
	if len(views) == len(facts) { // all below 1,000: exact
		for i := range facts {
			n := int64(0)
			fmt.Sscan(views[i][0], &n)
			facts[i].counts = map[string]int64{"views": n}
		}
	}
	return facts
}

func shortFacts(t *testing.T, body []byte) []fact {
	return idFacts(all(body, `"entityId":\s*"shorts-shelf-item-([^"]{11})"`))
}

func playlistFacts(t *testing.T, body []byte) []fact {
	return idFacts(all(body, `"playlistVideoRenderer":\s*\{\s*"videoId":\s*"([^"]{11})"`))
}

func channelFacts(t *testing.T, body []byte) []fact {
	return idFacts(all(body, `"channelRenderer":\s*\{\s*"channelId":\s*"([^"]{24})"`))
}

// commentFacts takes the comments in the order of their entities, which in these
// two files is that of the list.
func commentFacts(t *testing.T, body []byte) []fact {
	var facts []fact
	for _, r := range all(body, `"properties":\s*\{\s*"commentId":\s*"([^"]+)"`) {
		facts = append(facts, fact{id: r[0]})
	}
	for i, r := range all(body, `"author":\s*\{\s*"channelId":\s*"(UC[^"]{22})"`) {
		facts[i].author = r[0]
	}
	for i, r := range all(body, `"likeCountNotliked":\s*"([0-9]*)"`) {
		n := int64(0)
		fmt.Sscan(r[0], &n)
		facts[i].counts = map[string]int64{"likes": n}
	}
	return facts
}

func feedFacts(t *testing.T, body []byte) []fact {
	var facts []fact
	_, entries, _ := strings.Cut(string(body), "<entry>")
	data := []byte(entries)
	published := all(data, `<published>([^<]+)</published>`)
	views := all(data, `<media:statistics views="(\d+)"`)
	likes := all(data, `<media:starRating count="(\d+)"`)
	for i, r := range all(data, `<yt:videoId>([^<]{11})</yt:videoId>`) {
		v, l := int64(0), int64(0)
		fmt.Sscan(views[i][0], &v)
		fmt.Sscan(likes[i][0], &l)
		at, err := time.Parse(time.RFC3339, published[i][0])
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, fact{id: r[0], created: at.UTC().Format(time.RFC3339), counts: map[string]int64{"views": v, "likes": l}})
	}
	return facts
}

// apiFacts walks maps of encoding/json.
func apiFacts(t *testing.T, body []byte) []fact {
	var doc struct {
		Kind  string
		Items []map[string]any
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	var facts []fact
	for _, it := range doc.Items {
		s := it["snippet"].(map[string]any)
		f := fact{}
		if title, ok := s["title"].(string); ok {
			f.title = strings.NewReplacer("&amp;", "&", "&#39;", "'", "&quot;", `"`).Replace(title)
		}
		switch it["kind"] {
		case "youtube#commentThread":
			s = s["topLevelComment"].(map[string]any)["snippet"].(map[string]any)
			f = fact{id: it["id"].(string), author: s["authorChannelId"].(map[string]any)["value"].(string), words: s["textOriginal"].(string), counts: map[string]int64{"likes": int64(s["likeCount"].(float64))}}
		case "youtube#searchResult":
			f.id, f.author = it["id"].(map[string]any)["videoId"].(string), s["channelId"].(string)
		case "youtube#video":
			f.id, f.author = it["id"].(string), s["channelId"].(string)
		case "youtube#activity":
			f.id = regexp.MustCompile(`/vi/([^/]{11})/`).FindStringSubmatch(s["thumbnails"].(map[string]any)["default"].(map[string]any)["url"].(string))[1]
		case "youtube#playlistItem":
			f.id = s["resourceId"].(map[string]any)["videoId"].(string)
		}
		if it["kind"] != "youtube#playlistItem" { // where publishedAt is the entry's
			at, err := time.Parse(time.RFC3339, s["publishedAt"].(string))
			if err != nil {
				t.Fatal(err)
			}
			f.created = at.Format(time.RFC3339)
		}
		facts = append(facts, f)
	}
	return facts
}

// recorded makes an exchange of a file. Wrappers of recorders are taken off.
func recorded(t testing.TB, name string, body []byte) crawlers.Exchange {
	t.Helper()
	var w struct {
		Request struct {
			HTTPMethod, URL string
			DataToSend      []int8
		}
		Response struct {
			ResponseCode    int
			ResponseHeaders map[string][]string
			ResponseBody    string
		}
	}
	if json.Unmarshal(body, &w) != nil || w.Response.ResponseCode == 0 {
		return crawlers.Exchange{URL: recordings[name].url, Body: body}
	}
	ex := crawlers.Exchange{Method: w.Request.HTTPMethod, URL: w.Request.URL, Status: w.Response.ResponseCode, Header: crawlers.Header{}, Body: []byte(w.Response.ResponseBody)}
	for _, b := range w.Request.DataToSend {
		ex.RequestBody = append(ex.RequestBody, byte(b))
	}
	for k, list := range w.Response.ResponseHeaders {
		for _, v := range list {
			ex.Header.Add(k, v)
		}
	}
	ex.FetchedAt, _ = time.Parse(time.RFC1123, ex.Header.Get("Date"))
	return ex
}

// TestRecordings reads every recording, as it was asked for and, where the
// answer tells whom it is about, without any address. A file that this test
// does not know must still end in posts or in an outcome about the target or us.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "recordings/youtube"), "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(files)
	table := []string{fmt.Sprintf("%-46s %5s %s", "file", "posts", "outcome")}
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
			ex := recorded(t, name, body)
			ref, ok := New().Identify(ex)
			if !ok {
				t.Fatalf("Identify refuses %s", ex.URL)
			}
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
			if err != nil {
				t.Fatal(err)
			}
			table = append(table, fmt.Sprintf("%-46s %5d %s %.60s", name, len(page.Posts), page.Outcome, page.Reason))
			if page.Outcome.Scope() == post.ScopeReader || page.Outcome.Scope() == post.ScopeServed && len(page.Posts)+len(page.Next) == 0 {
				t.Fatalf("outcome %s (%s) with %d posts", page.Outcome, page.Reason, len(page.Posts))
			}
			want, known := recordings[name]
			if !known {
				t.Logf("not known to this test: %s, outcome %s, %d posts", ref.Key(), page.Outcome, len(page.Posts))
				return
			}
			if ref.Key() != platform+":"+want.ref || page.Outcome != want.outcome || len(page.Posts) != want.posts {
				t.Fatalf("%s: outcome %s (%s), %d posts, want %s, %s, %d", ref.Key(), page.Outcome, page.Reason, len(page.Posts), want.ref, want.outcome, want.posts)
			}
			for i, f := range want.eye {
				compare(t, page.Posts[i], f)
			}
			if want.second != nil {
				compareAll(t, page.Posts, want.second(t, ex.Body))
			}
			if page.Outcome.Scope() == post.ScopeServed && page.Outcome != post.Live {
				unnamed(t, ex, page)
			}
		})
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

// unnamed reads the same bytes as a saved file, without address and request.
func unnamed(t *testing.T, ex crawlers.Exchange, page crawlers.Page) {
	t.Helper()
	bare := crawlers.Exchange{Body: ex.Body, FetchedAt: ex.FetchedAt}
	ref, ok := New().Identify(bare)
	if !ok {
		t.Error("as a saved file: Identify refuses it")
		return
	}
	again, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, bare)
	if err != nil || len(again.Posts) != len(page.Posts) {
		t.Errorf("as a saved file (%s): %d posts, %s (%v), with its address %d", ref.Key(), len(again.Posts), again.Reason, err, len(page.Posts))
	}
}

func compareAll(t *testing.T, posts []post.Post, facts []fact) {
	t.Helper()
	if n := len(posts) - len(facts); n == 1 && posts[0].Kind == post.KindAccount {
		posts = posts[1:]
	}
	if len(posts) != len(facts) || len(facts) == 0 {
		t.Fatalf("%d posts, the second extraction finds %d", len(posts), len(facts))
	}
	for i := range facts {
		compare(t, posts[i], facts[i])
	}
}

func compare(t *testing.T, p post.Post, f fact) {
	t.Helper()
	created := ""
	if !p.Created.Time.IsZero() {
		created = p.Created.Time.Format(time.RFC3339)
	}
	if p.ID != f.id || f.author != "" && p.Account.ID != f.author || f.created != "" && created != f.created || f.title != "" && p.Title != f.title || !strings.Contains(p.Text, f.words) {
		t.Errorf("post %s by %s at %s %q, want %+v\n%.200s", p.ID, p.Account.ID, created, p.Title, f, p.Text)
	}
	for name, n := range f.counts {
		found := false
		for _, c := range p.Counts {
			if c.Name != name {
				continue
			}
			found = true
			if n == -1 && c.State != post.StateHidden || n >= 0 && (c.State != post.StatePresent || c.Value != n) {
				t.Errorf("post %s: %+v, want %d", p.ID, c, n)
			}
		}
		if !found {
			t.Errorf("post %s: no count %s, want %d", p.ID, name, n)
		}
	}
}

// TestRecordedDetails were read by eye.
func TestRecordedDetails(t *testing.T) {
	get := func(name string) crawlers.Page {
		ex := recorded(t, name, sharedtest.Read(t, "recordings/youtube/"+name))
		ref, _ := New().Identify(ex)
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
		if err != nil || len(page.Posts) == 0 {
			t.Fatalf("%s: %v", name, err)
		}
		return page
	}
	pinned := get("np_comments_pinned.json")
	if p := pinned.Posts[0]; strings.Join(p.Tags, " ") != "pinned by the channel verified" || p.Account.Handle != "lemondefr" || p.Refs[0].ID != "bjFtFMilb34" {
		t.Errorf("the pinned comment: %v %+v %+v", p.Tags, p.Account, p.Refs)
	}
	if c := pinned.Coverage; c.Total != 5145 || !c.Known || c.Served != 20 {
		t.Errorf("comments: %+v, want 20 of 5145", c)
	}
	edited := 0
	for _, p := range pinned.Posts {
		if !p.Edited.IsZero() {
			edited++
		}
		if p.Created.From.IsZero() || p.Created.To.IsZero() || p.Created.Source != post.SourceRelative {
			t.Errorf("comment %s: created %+v", p.ID, p.Created)
		}
	}
	if edited != 2 {
		t.Errorf("%d comments are edited, want 2", edited)
	}
	reply := get("np_comment_replies.json").Posts[0]
	if len(reply.Refs) != 2 || reply.Refs[1].Role != post.RoleReplyTo || reply.Refs[1].ID != "UgwSOM0QHBLysE3vZE54AaABAg" || reply.Thread != "xaQJbozY_Is" {
		t.Errorf("reply: %+v", reply.Refs)
	}
	video := get("np_browse_videos_tab.json").Posts[1]
	fetched := time.Date(2026, 5, 21, 11, 22, 5, 0, time.UTC)
	if video.Created.Raw != "13 days ago" || !video.Created.To.Equal(fetched.AddDate(0, 0, -13)) || !video.Created.From.Equal(fetched.AddDate(0, 0, -14)) || video.Media[0].Duration != 4054 {
		t.Errorf("video of the tab: %+v", video)
	}
	if p := get("np_search_by_id.json").Posts[0]; p.Account.Name != "Le Vortex - ARTE" || len(p.Mentions) != 1 || p.Mentions[0] != "ThomasGauthier" {
		t.Errorf("video by two channels: %+v, mentions %v", p.Account, p.Mentions)
	}
	if p := get("np_search_channels.json").Posts[0]; p.Account.Handle != "tutorialismic" || p.Account.Counts[0] != post.RoundedCount("followers", 234000) {
		t.Errorf("channel of a search: %+v", p.Account)
	}
	if p := get("iv_player_upcoming.json").Posts[0]; !strings.Contains(strings.Join(p.Tags, "|"), "scheduled for 2023-02-28T14:00:00Z") || p.Created.Time != (time.Time{}) || p.Created.Raw != "2023-02-27" {
		t.Errorf("upcoming: %+v %v", p.Created, p.Tags)
	}
	captions := 0
	for _, m := range get("jd_youtube_ww1_nl_en.json").Posts[0].Media {
		if m.Kind == post.MediaFile {
			captions++
		}
	}
	if captions != 2 {
		t.Errorf("%d tracks of captions, want 2: en and en made by a machine", captions)
	}
	if p := get("api3_captions_by_video.json").Posts[0]; len(p.Media) != 2 {
		t.Errorf("captions by the API: %+v, want en and zh-Hans", p.Media)
	}
	list := get("np_playlist_course.json")
	if list.Coverage.Total != 14 || !list.Coverage.Known || list.Posts[0].Media[0].Duration != 1015 {
		t.Errorf("playlist: %+v", list.Coverage)
	}
	short := get("np_browse_shorts_tab.json").Posts[1]
	if !short.Created.IsZero() || short.Tags[0] != "short" || short.Counts[0] != post.RoundedCount("views", 895000) {
		t.Errorf("short: %+v", short)
	}
}

// BenchmarkRecordings measures reading of the largest recordings.
func BenchmarkRecordings(b *testing.B) {
	for _, name := range []string{"watch_page.html", "np_browse_videos_tab.json", "np_comments_pinned.json", "api3_search_by_keywords_p1.json", "np_feed_kurzgesagt.json", "jd_youtube_ww1_nl_en.json"} {
		b.Run(name, func(b *testing.B) {
			ex := recorded(b, name, sharedtest.Read(b, "recordings/youtube/"+name))
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
