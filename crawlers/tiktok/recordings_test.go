package tiktok

import (
	"bytes"
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

// requests are those of recordings that do not say whose they are; the handle
// is made up, the recorded answer is a sample of the documentation.
var requests = map[string]struct{ url, body string }{
	"research_example_resp_q_user.json": {"https://open.tiktokapis.com/v2/research/user/info/", `{"username":"some.user"}`},
}

// A fact is what the dumb extraction knows of a post.
type fact struct {
	author, text string
	created      int64 // of a field; 0 is not stated
	counts       map[string]int64
}

func digits(v any) (int64, bool) {
	switch x := v.(type) {
	case json.Number:
		n, err := x.Int64()
		return n, err == nil
	case string:
		n, err := strconv.ParseInt(x, 10, 64)
		return n, err == nil
	}
	return 0, false
}

var names = map[string]string{
	"diggCount": "likes", "commentCount": "comments", "shareCount": "shares", "playCount": "views", "collectCount": "saves", "repostCount": "reposts",
	"like_count": "likes", "comment_count": "comments", "share_count": "shares", "view_count": "views", "favorites_count": "saves", "reply_count": "comments",
}

// facts takes every object that looks like a post or comment, anywhere. It
// shares nothing with the reader.
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
		f := fact{counts: map[string]int64{}}
		id := ""
		_, hasTime := x["createTime"]
		_, hasResearch := x["create_time"]
		switch {
		case x["desc"] != nil && hasTime && x["stats"] != nil:
			id, _ = x["id"].(string)
			f.text, _ = x["desc"].(string)
			f.created, _ = digits(x["createTime"])
			for k, e := range x["stats"].(map[string]any) {
				if n, ok := digits(e); ok {
					f.counts[names[k]] = n
				}
			}
			switch a := x["author"].(type) {
			case string:
				f.author = a
			case map[string]any:
				f.author, _ = a["uniqueId"].(string)
			}
		case hasResearch && (x["video_description"] != nil || x["text"] != nil):
			if id = fmt.Sprint(x["id"]); x["id"] == nil {
				id = fmt.Sprint(x["video_id"])
			}
			f.text = fmt.Sprint(x["video_description"])
			if x["text"] != nil {
				f.text = fmt.Sprint(x["text"])
			}
			f.created, _ = digits(x["create_time"])
			for k, e := range x {
				if n, ok := digits(e); ok && names[k] != "" {
					f.counts[names[k]] = n
				}
			}
		default:
			return
		}
		into[id] = f
	}
}

var scriptData = regexp.MustCompile(`(?s)<script id="(?:__UNIVERSAL_DATA_FOR_REHYDRATION__|SIGI_STATE)"[^>]*>(.*?)</script>`)

// factsOf finds the JSON of a recording, and what is in it.
func factsOf(t *testing.T, body []byte) map[string]fact {
	known := map[string]fact{}
	if m := scriptData.FindSubmatch(body); m != nil {
		body = m[1]
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	facts(v, known)
	if m, ok := v.(map[string]any); ok && m["provider_name"] == "TikTok" {
		id := regexp.MustCompile(`data-video-id="(\d+)"`).FindStringSubmatch(m["html"].(string))[1]
		author := m["author_url"].(string)
		known[id] = fact{author: author[strings.LastIndex(author, "@")+1:], text: m["title"].(string)}
	}
	return known
}

func exchanges(t testing.TB, path string) (list []crawlers.Exchange) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(path)
	if strings.HasSuffix(name, ".ndjson") {
		for _, line := range bytes.Split(data, []byte("\n")) {
			if len(bytes.TrimSpace(line)) > 0 {
				list = append(list, crawlers.Exchange{Body: line, FetchedAt: fetched})
			}
		}
		return list
	}
	r := requests[name]
	return []crawlers.Exchange{{URL: r.url, RequestBody: []byte(r.body), Body: data, FetchedAt: fetched}}
}

// TestRecordings reads every recording, every line of those that have lines, all
// but one without any address. Ids, authors, times, texts and counts are
// compared with the dumb extraction above.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "recordings/tiktok"), "*.*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	var table []string
	total, lost := 0, map[string]int{}
	for _, path := range files {
		name := filepath.Base(path)
		if name == "PROVENANCE.md" {
			continue
		}
		outcomes := map[post.Outcome]int{}
		posts := 0
		list := exchanges(t, path)
		for i, ex := range list {
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				ref, ok := New().Identify(ex)
				if !ok {
					t.Fatal("Identify refuses it")
				}
				page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
				if err != nil {
					t.Fatal(err)
				}
				if page.Outcome != post.OK || len(page.Posts) == 0 {
					t.Errorf("outcome %s (%s), %d posts", page.Outcome, page.Reason, len(page.Posts))
				}
				posts += len(page.Posts)
				outcomes[page.Outcome]++
				known := map[string]fact{}
				if name != "research_example_resp_q_user.json" {
					known = factsOf(t, ex.Body)
				}
				compare(t, known, page.Posts)
				untaken(ex.Body, lost)
			})
		}
		total += posts
		table = append(table, fmt.Sprintf("%-40s %3d answers %3d posts  %v", name, len(list), posts, outcomes))
	}
	var keys []string
	for k := range lost {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	t.Logf("%d posts\n%s\nfields that the files have and we do not take:\n%s", total, strings.Join(table, "\n"), strings.Join(keys, ", "))
	if total < 121 {
		t.Errorf("only %d posts in all recordings", total)
	}
}

func compare(t *testing.T, known map[string]fact, posts []post.Post) {
	t.Helper()
	got := map[string]*post.Post{}
	for i := range posts {
		got[posts[i].ID] = &posts[i]
		if _, ok := known[posts[i].ID]; !ok && posts[i].Kind != post.KindAccount {
			t.Errorf("%s is not in the answer", posts[i].ID)
		}
	}
	for id, f := range known {
		p := got[id]
		if p == nil {
			t.Errorf("post %s is missing", id)
			continue
		}
		if p.Account.Handle != f.author {
			t.Errorf("%s: author %q, want %q", id, p.Account.Handle, f.author)
		}
		if p.Text != f.text {
			t.Errorf("%s: text %q, want %q", id, p.Text, f.text)
		}
		if f.created > 0 && (p.Created.Time.Unix() != f.created || p.Created.Source != post.SourceField) {
			t.Errorf("%s: created %+v, want %v", id, p.Created, time.Unix(f.created, 0).UTC())
		}
		if n, _ := strconv.ParseInt(id, 10, 64); f.created == 0 && (p.Created.From.Unix() != n>>32 || !p.Created.To.IsZero() || !p.Created.Time.IsZero()) {
			t.Errorf("%s: created %+v, not what its id says", id, p.Created)
		}
		counts := map[string]int64{}
		for _, c := range p.Counts {
			counts[c.Name] = c.Value
			rounded := c.Value >= 10000 && strings.HasSuffix(strconv.FormatInt(c.Value, 10), "00")
			if (c.Precision == post.PrecisionRounded) != rounded || c.State != post.StatePresent {
				t.Errorf("%s: %+v", id, c)
			}
		}
		for name, n := range f.counts {
			if counts[name] != n {
				t.Errorf("%s: %s is %d, want %d", id, name, counts[name], n)
			}
		}
	}
}

// TestRecordedDetails checks what was read by eye in the recordings.
func TestRecordedDetails(t *testing.T) {
	read := func(name string) []post.Post {
		t.Helper()
		var all []post.Post
		for _, ex := range exchanges(t, sharedtest.Path(t, "recordings/tiktok/"+name)) {
			ref, _ := New().Identify(ex)
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, page.Posts...)
		}
		return all
	}
	v := read("video_page_2025.html")[0]
	if fmt.Sprint(v.Counts) != "[{likes 25500 rounded present} {comments 146 exact present} {shares 2156 exact present} {views 192100 rounded present} {saves 1311 exact present} {reposts 0 exact present}]" {
		t.Errorf("counts %v", v.Counts)
	}
	if v.Account.ID != "6781206617314018309" || v.Lang != "es" || strings.Join(v.Mentions, " ") != "burgerking_es esperanzagraciaoficial" || v.Media[0].Duration != 64 || len(v.Media) != 4 || v.Media[2].Alt != "captions eng-US MT webvtt" && v.Media[2].Alt != "captions spa-ES ASR webvtt" {
		t.Errorf("video %+v", v)
	}
	profile := read("profile_page_2022_sigi.html")
	if len(profile) != 19 || profile[0].Kind != post.KindAccount || profile[0].Account.ID != "19994247" || strings.Join(profile[0].Links, " ") != "https://beacons.ai/huxleythepandapuppy" {
		t.Errorf("profile: %d posts, %+v", len(profile), profile[0])
	}
	for i := 2; i < len(profile); i++ {
		if profile[i].Created.Time.After(profile[i-1].Created.Time) {
			t.Errorf("post %d is newer than the one before", i)
		}
	}
	quotes, early, late := 0, 0, 0
	for _, p := range append(read("zeeschuimer_search_2023.ndjson"), profile[1:]...) {
		for _, r := range p.Refs {
			if r.Role == post.RoleQuoteOf {
				quotes++
			}
		}
		made := IDTime(p.ID).From
		switch d := p.Created.Time.Sub(made); {
		case d < 0:
			early++
		case d > time.Minute:
			late++
		}
		for _, h := range p.Hashtags {
			if !strings.Contains(p.Text, "#"+h) {
				t.Errorf("%s: hashtag %q is not spelled as in %q", p.ID, h, p.Text)
			}
		}
	}
	if quotes == 0 || early > 0 {
		t.Errorf("%d duets and stitches; %d posts are older than their ids", quotes, early)
	}
	t.Logf("%d posts appeared more than a minute after the moment in their ids", late)
}

// taken are the keys that the reader takes, or forms of what it takes.
var taken = map[string]bool{}

func init() {
	for _, k := range strings.Fields(`id desc createTime uniqueId nickname avatarLarger avatarMedium avatarThumb signature verified secUid privateAccount secret author authorId authorSecId diggCount commentCount shareCount playCount collectCount repostCount
		followerCount followingCount heartCount heart videoCount friendCount hashtagName userUniqueId awemeId start end title playAddr downloadAddr UrlList width height duration cover originCover Url LanguageCodeName Source Format
		stickerText isAd IsAigc AIGCDescription locationCreated diversificationLabels textLanguage duetFromId name link region ttSeller roomId privateItem isReviewing takeDown statusCode statusMsg hasMore list
		video_id video_description create_time region_code like_count comment_count view_count reply_count hashtag_names music_id effect_ids text parent_comment_id display_name bio_description avatar_url is_verified follower_count following_count
		likes_count video_count cursor has_more search_id code message html author_name author_url thumbnail_url thumbnail_width thumbnail_height provider_name item_id isContentClassified url language captionFormat Width Height`) {
		taken[k] = true
	}
}

func untaken(body []byte, into map[string]int) {
	if m := scriptData.FindSubmatch(body); m != nil {
		body = m[1]
	}
	var v any
	if json.Unmarshal(body, &v) != nil {
		return
	}
	var walk func(v any, key string)
	walk = func(v any, key string) {
		switch x := v.(type) {
		case map[string]any:
			for k, e := range x {
				switch k {
				case "webapp.app-context", "webapp.biz-context", "webapp.i18n-translation", "seo.abtest", "webapp.a-b", "AppContext", "I18n", "SEO", "SharingMeta":
					continue // the site's own settings and words
				}
				if _, err := strconv.Atoi(k); err != nil {
					walk(e, k)
				}
			}
		case []any:
			for _, e := range x {
				walk(e, key)
			}
		default:
			if !taken[key] && v != nil {
				into[key]++
			}
		}
	}
	walk(v, "")
}

func BenchmarkVideoPage(b *testing.B)   { benchPage(b, "video_page_2025.html") }
func BenchmarkProfilePage(b *testing.B) { benchPage(b, "profile_page_2022_sigi.html") }

func benchPage(b *testing.B, name string) {
	ex := exchanges(b, sharedtest.Path(b, "recordings/tiktok/"+name))[0]
	ex.URL = "https://www.tiktok.com/@a/video/7571863205253778710"
	if strings.HasPrefix(name, "profile") {
		ex.URL = "https://www.tiktok.com/@huxleythepandapuppy"
	}
	ref, _ := New().Identify(ex)
	b.SetBytes(int64(len(ex.Body)))
	for b.Loop() {
		if page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex); err != nil || page.Outcome != post.OK {
			b.Fatal(page.Outcome, err)
		}
	}
}
