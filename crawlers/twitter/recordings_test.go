package twitter

import (
	"bytes"
	"encoding/base64"
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

// addresses are the requests of recordings that hold no post of their own, as
// their provenance gives them. All others are read without any address.
var addresses = map[string]string{
	"gql_SearchTimeline_query_too_long_error.json": "https://x.com/i/api/graphql/q/SearchTimeline",
	"oembed_error_xml.json":                        "https://publish.twitter.com/oembed?format=xml&url=https://twitter.com/RailsGirlsSoC/status/702136612822634496",
	"oembed_rate_limit.json":                       "https://publish.twitter.com/oembed?url=https://twitter.com/a/status/702136612822634496",
	"syndication_2026_tombstone_deleted.json":      "https://cdn.syndication.twimg.com/tweet-result?id=2023357708301455483&token=x",
}

// special are the recordings that do not end in ok; read by eye.
var special = map[string]struct {
	outcome post.Outcome
	why     string
}{
	"gql_SearchTimeline_query_too_long_error.json": {post.UnexpectedType, "error 214 about our own query"},
	"gql_UserByScreenName_testsuspendeduser.json":  {post.Suspended, "UserUnavailable: Suspended"},
	"oembed_error_xml.json":                        {post.UnexpectedType, "error 356: xml not implemented, a fault of the request"},
	"oembed_rate_limit.json":                       {post.RateLimited, "error 429"},
	"syndication_2026_tombstone_deleted.json":      {post.Deleted, "This Post was deleted by the Post author"},
	"v2_streaming_output_with_error.jsonl/7":       {post.LayoutChanged, "a line that is no JSON: its importer reports the line and goes on"},
	"v2_tweepy_get_quote_tweets.json":              {post.OK, "reposts without their originals, each cut"},
}

// A fact is what the dumb extraction knows of a post; -1 is unknown.
type fact struct {
	author                          string // number, or handle in oEmbed
	created                         int64
	text                            string
	likes, reposts, replies, quotes int64
	media                           int
}

func str(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func num(m map[string]any, key string) int64 {
	switch n := m[key].(type) {
	case json.Number:
		v, _ := n.Int64()
		return v
	case string:
		v, err := strconv.ParseInt(n, 10, 64)
		if err == nil {
			return v
		}
	}
	return -1
}

func sub(m map[string]any, keys ...string) map[string]any {
	for _, k := range keys {
		m, _ = m[k].(map[string]any)
	}
	return m
}

func when(s string) int64 {
	for _, layout := range []string{time.RubyDate, "2006-01-02T15:04:05.000Z", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Unix()
		}
	}
	return -1
}

// facts takes everything that looks like a post, anywhere. It shares nothing
// with the reader.
func facts(v any, into map[string]fact) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			facts(e, into)
		}
	case map[string]any:
		for _, e := range x {
			facts(e, into)
		}
		if legacy := sub(x, "legacy"); str(x, "rest_id") != "" && legacy["full_text"] != nil {
			f := fact{author: str(legacy, "user_id_str"), created: when(str(legacy, "created_at")), text: str(legacy, "full_text"),
				likes: num(legacy, "favorite_count"), reposts: num(legacy, "retweet_count"), replies: num(legacy, "reply_count"), quotes: num(legacy, "quote_count")}
			if note := sub(x, "note_tweet", "note_tweet_results", "result"); note != nil {
				f.text = str(note, "text")
			}
			if list, ok := sub(legacy, "extended_entities")["media"].([]any); ok {
				f.media = len(list)
			}
			into[str(x, "rest_id")] = f
		}
		if user := sub(x, "user"); str(x, "id_str") != "" && str(user, "screen_name") != "" {
			f := fact{author: str(user, "id_str"), created: when(str(x, "created_at")), text: str(x, "full_text") + str(x, "text"),
				likes: num(x, "favorite_count"), reposts: num(x, "retweet_count"), replies: num(x, "conversation_count"), quotes: -1}
			if f.replies < 0 {
				f.replies = num(x, "reply_count")
			}
			for _, list := range []any{x["mediaDetails"], sub(x, "extended_entities")["media"]} {
				if l, ok := list.([]any); ok {
					f.media = len(l)
				}
			}
			into[str(x, "id_str")] = f
		}
		if text := str(x, "text"); str(x, "id") != "" && text != "" && (x["author_id"] != nil || x["edit_history_tweet_ids"] != nil) {
			m := sub(x, "public_metrics")
			f := fact{author: str(x, "author_id"), created: when(str(x, "created_at")), text: text,
				likes: num(m, "like_count"), reposts: num(m, "retweet_count"), replies: num(m, "reply_count"), quotes: num(m, "quote_count")}
			if list, ok := sub(x, "attachments")["media_keys"].([]any); ok {
				f.media = len(list)
			}
			into[str(x, "id")] = f
		}
	}
}

var (
	oembedID   = regexp.MustCompile(`/status/(\d+)`)
	oembedText = regexp.MustCompile(`(?s)<p[^>]*>(.*?)</p>`)
	tags       = regexp.MustCompile(`<[^>]*>`)
)

func exchanges(t testing.TB, path string) (list []crawlers.Exchange) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(path)
	if strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".ndjson") {
		for _, line := range bytes.Split(data, []byte("\n")) {
			if len(bytes.TrimSpace(line)) > 0 {
				list = append(list, crawlers.Exchange{Body: line, FetchedAt: fetched})
			}
		}
		return list
	}
	return []crawlers.Exchange{{URL: addresses[name], Body: data, FetchedAt: fetched}}
}

// TestRecordings reads every recording, every line of those that have lines.
// Ids, authors, times, texts, counts and number of media are compared with the
// dumb extraction above; outcomes other than ok with the list read by eye.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "recordings/x"), "*.json*"))
	more, _ := filepath.Glob(filepath.Join(sharedtest.Path(t, "recordings/x"), "*.ndjson"))
	files = append(files, more...)
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	sort.Strings(files)
	var table []string
	total, lost := 0, map[string]int{}
	for _, path := range files {
		name := filepath.Base(path)
		outcomes := map[post.Outcome]int{}
		posts := 0
		list := exchanges(t, path)
		for i, ex := range list {
			key := name
			if len(list) > 1 {
				key = fmt.Sprintf("%s/%d", name, i)
			}
			t.Run(key, func(t *testing.T) {
				page := checkRecording(t, key, ex)
				posts += len(page.Posts)
				outcomes[page.Outcome]++
				untaken(ex.Body, lost)
			})
		}
		total += posts
		table = append(table, fmt.Sprintf("%-48s %4d answers %4d posts  %v", name, len(list), posts, outcomes))
	}
	t.Logf("%d files, %d posts\n%s\nfields that the files have and we do not take:\n%s", len(files), total, strings.Join(table, "\n"), strings.Join(list(lost), ", "))
	if total < 440 {
		t.Errorf("only %d posts in all recordings", total)
	}
}

func checkRecording(t *testing.T, key string, ex crawlers.Exchange) crawlers.Page {
	want, listed := special[key]
	if !listed {
		want.outcome = post.OK
	}
	ref, ok := New().Identify(ex)
	if !ok {
		if want.outcome != post.LayoutChanged {
			t.Fatal("Identify refuses it")
		}
		ref = postRef("20", "")
	}
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
	if err != nil {
		t.Fatal(err)
	}
	if page.Outcome != want.outcome && !(page.Outcome == post.OKPartial && want.outcome == post.OK) {
		t.Errorf("outcome %s (%s), want %s (%s)", page.Outcome, page.Reason, want.outcome, want.why)
	}
	if len(page.Posts) == 0 && !listed {
		t.Error("no post, and no reason is listed")
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(ex.Body))
	d.UseNumber()
	known := map[string]fact{}
	if d.Decode(&v) == nil {
		facts(v, known)
		if m, ok := v.(map[string]any); ok && m["html"] != nil && m["author_name"] != nil {
			quote := str(m, "html")
			id := oembedID.FindStringSubmatch(quote)[1]
			known[id] = fact{author: strings.TrimPrefix(str(m, "author_url"), "https://twitter.com/"), created: -1, likes: -1, reposts: -1, replies: -1, quotes: -1,
				text: html.UnescapeString(tags.ReplaceAllString(oembedText.FindStringSubmatch(quote)[1], ""))}
		}
	}
	compare(t, known, page.Posts)
	return page
}

func compare(t *testing.T, known map[string]fact, posts []post.Post) {
	t.Helper()
	got := map[string]*post.Post{}
	for i := range posts {
		got[posts[i].ID] = &posts[i]
	}
	for id, f := range known {
		p := got[id]
		if p == nil {
			t.Errorf("post %s is missing", id)
			continue
		}
		if f.author != "" && p.Account.ID != f.author && p.Account.Handle != f.author {
			t.Errorf("%s: author %q, want %s", id, p.Account.ID, f.author)
		}
		if f.created >= 0 && (p.Created.Time.Unix() != f.created || p.Created.Source != post.SourceField) {
			t.Errorf("%s: created %v (%s), want %v", id, p.Created.Time, p.Created.Source, time.Unix(f.created, 0).UTC())
		}
		n, _ := strconv.ParseInt(id, 10, 64)
		if f.created < 0 && p.Created.Time.UnixMilli() != n>>22+1288834974657 {
			t.Errorf("%s: created %+v, not what its id says", id, p.Created)
		}
		repost := false
		for _, r := range p.Refs {
			if r.Role == post.RoleRepostOf {
				repost = true
				if original := known[r.ID]; original.text != "" {
					f.text = original.text
					f.media = max(f.media, original.media)
				}
			}
		}
		text := strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(f.text)
		if p.Text != text && p.Kind != post.KindArticle {
			t.Errorf("%s: text %q, want %q", id, p.Text, text)
		}
		counts := map[string]int64{"likes": -1, "reposts": -1, "comments": -1, "quotes": -1}
		for _, c := range p.Counts {
			if c.State == post.StatePresent {
				counts[c.Name] = c.Value
				if c.Precision != post.PrecisionExact {
					t.Errorf("%s: count %+v", id, c)
				}
			}
		}
		if counts["likes"] != f.likes || counts["reposts"] != f.reposts || counts["comments"] != f.replies || counts["quotes"] != f.quotes && f.quotes >= 0 {
			t.Errorf("%s: counts %v, want %+v", id, p.Counts, f)
		}
		if f.media > len(p.Media) && !repost {
			t.Errorf("%s: %d media, want %d", id, len(p.Media), f.media)
		}
	}
	for _, p := range posts {
		if _, ok := known[p.ID]; !ok && p.Kind != post.KindAccount && p.Text != "" {
			t.Errorf("%s is not in the answer", p.ID)
		}
	}
}

// TestRecordedDetails checks what was read by eye in the recordings.
func TestRecordedDetails(t *testing.T) {
	read := func(name string) map[string]post.Post {
		t.Helper()
		got := map[string]post.Post{}
		for _, ex := range exchanges(t, sharedtest.Path(t, "recordings/x/"+name)) {
			ref, _ := New().Identify(ex)
			if page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex); err == nil {
				for _, p := range page.Posts {
					got[p.ID] = p
				}
			}
		}
		return got
	}
	jack := read("gql_TweetResultByRestId_20.json")["20"]
	if jack.Account.Handle != "jack" || jack.Text != "just setting up my twttr" || jack.Created.Time.Format(time.RFC3339) != "2006-03-21T20:50:14Z" {
		t.Errorf("the first post: %+v", jack)
	}
	about := read("tws_raw_user_about.json")["user:2244994945"]
	if want := "blue_verified verified_type:business affiliation:X verified_since:2014-03-21 based_in:United States created_via:Web affiliate:X username_changes:1 username_changed:2023-07-26"; strings.Join(about.Tags, " ") != want {
		t.Errorf("about: %q", about.Tags)
	}
	login := read("tws_raw_user_by_login.json")["user:2244994945"]
	if fmt.Sprint(login.Counts) != "[{followers 695695 exact present} {following 762 exact present} {posts 4319 exact present} {media 829 exact present} {likes_given 2642 exact present}]" {
		t.Errorf("counts of a user of 2026: %v", login.Counts)
	}
	edited := read("v2_edited.jsonl")
	if e := edited["1576994789110992896"]; strings.Join(e.Tags, " ") != "source:Twitter Web App edited version_of:1576994746135764992" || !e.Edited.Time.Equal(IDTime("1576994789110992896").Time) {
		t.Errorf("edited: %+v", e)
	}
	if e := edited["1576994746135764992"]; strings.Join(e.Tags, " ") != "source:Twitter Web App stale_edit" {
		t.Errorf("the version before: %q", e.Tags)
	}
	if m := read("v2_media_tweet.jsonl")["1558553189766631429"].Media; len(m) != 1 || !strings.Contains(m[0].URL, "/1280x720/") || m[0].Duration != 71.292 {
		t.Errorf("video: %+v", m)
	}
	quote := read("syndication_tweet_with_quote_tweet.json")["1641895049427550208"]
	if len(quote.Refs) != 1 || quote.Refs[0].Account != "SamuelSusla" || strings.Join(quote.Hashtags, " ") != "ReactNative" {
		t.Errorf("quote: %+v", quote)
	}
	geo := read("v2_streaming_output_with_error.jsonl")
	found := ""
	for _, p := range geo {
		found += strings.Join(p.Tags, " ") + " "
	}
	if !strings.Contains(found, "geo:34.75192228,-86.58216981") || !strings.Contains(found, "place:Malawi") {
		t.Errorf("places: %s", found)
	}
	repost := read("v1_tweets.json")["1169246717864136705"]
	if len(repost.Refs) != 1 || repost.Refs[0].ID != "1169242008432644097" || strings.HasPrefix(repost.Text, "RT ") || len(repost.Links) != 1 {
		t.Errorf("repost: %+v", repost)
	}
	space := read("tws_card_audiospace.json")["1789054061729173804"]
	if strings.Join(space.Links, " ") == "" || !strings.Contains(strings.Join(space.Tags, " "), "space") {
		t.Errorf("space: %q %q", space.Links, space.Tags)
	}
}

// TestRecordedIDs checks the clock of ids on every line of the export.
func TestRecordedIDs(t *testing.T) {
	n := 0
	for _, ex := range exchanges(t, sharedtest.Path(t, "recordings/x/zeeschuimer_search_2023.ndjson")) {
		list, ok := ReadItem(ex.Body)
		if !ok {
			t.Fatalf("not read: %.80s", ex.Body)
		}
		for _, p := range list {
			if byID := IDTime(p.ID).Time.Truncate(time.Second); !byID.Equal(p.Created.Time) {
				t.Errorf("%s: created %v, by its id %v", p.ID, p.Created.Time, byID)
			}
			n++
		}
	}
	if n < 104 {
		t.Errorf("only %d posts", n)
	}
}

// taken are the keys that the reader takes, or that hold what it takes; the
// second line are forms of the same (sizes, positions, ids in base64).
var taken = map[string]bool{}

func init() {
	for _, k := range strings.Fields(`__typename about_profile account_based_in affiliate_username source username_changes count last_changed_at_msec screen_name name created_at description
		favourites_count followers_count friends_count listed_count media_count statuses_count location url expanded_url unwound_url rest_id id id_str user_id_str username profile_image_url profile_image_url_https image_url
		profile_banner_url verified is_blue_verified verified_type protected full_text text lang favorite_count retweet_count reply_count quote_count bookmark_count conversation_count state tag media_url_https media_url type bitrate bit_rate
		content_type duration_millis duration_ms height width ext_alt_text alt_text preview_image_url view_count media_key in_reply_to_status_id_str in_reply_to_screen_name quoted_status_id_str conversation_id_str conversation_id
		possibly_sensitive edit_tweet_ids edit_history_tweet_ids initial_tweet_id isEdited isStaleEdit has_birdwatch_notes policy reply_settings author_id place_id full_name truncated html author_name author_url
		tweet_count following_count like_count impression_count followers following tweets media_tweets favorites_count parody_commentary_fan_label string_value key code message reason action item_id cursorType entryId value src
		display_text_range indices start end display_url id_str source_status_id_str verified_since_msec venmo_handle bitcoin_handle bandcamp_handle cash_app_handle ethereum_handle gofundme_handle patreon_handle pay_pal_handle icon_name viewCount coordinates title h w resize rgb red green blue percentage x y focus_rects sizes hashtagName`) {
		taken[k] = true
	}
}

func untaken(body []byte, into map[string]int) {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return
	}
	var walk func(v any, key string)
	walk = func(v any, key string) {
		switch x := v.(type) {
		case map[string]any:
			for k, e := range x {
				walk(e, k)
			}
		case []any:
			for _, e := range x {
				walk(e, key)
			}
		default:
			if _, err := base64.StdEncoding.DecodeString(key); !taken[key] && (err != nil || len(key) < 40) && v != nil {
				into[key]++
			}
		}
	}
	walk(v, "")
}

func list(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
