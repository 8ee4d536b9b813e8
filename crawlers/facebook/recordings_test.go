package facebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// An expected post is what a second extraction finds: walks over encoding/json
// maps for API answers, regular expressions or eyes for pages.
type expected struct {
	id, author, handle          string
	created                     int64 // Unix seconds; 0: not exact
	reactions, comments, shares int64 // -1: not served
	text                        string
	media                       int
}

func decode(t testing.TB, body []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func dig(v any, keys ...any) any {
	for _, k := range keys {
		switch key := k.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				return nil
			}
			v = m[key]
		case int:
			a, ok := v.([]any)
			if !ok || key >= len(a) {
				return nil
			}
			v = a[key]
		}
	}
	return v
}

func str(v any) string { s, _ := v.(string); return s }

func num(v any) int64 {
	n, ok := v.(json.Number)
	if !ok {
		return -1
	}
	i, _ := n.Int64()
	return i
}

func unixOf(raw string) int64 {
	t, err := time.Parse("2006-01-02T15:04:05-0700", raw)
	if err != nil {
		return 0
	}
	return t.Unix()
}

// dumbGraph reads a post of the Graph API.
func dumbGraph(m any) expected {
	page, id, _ := strings.Cut(str(dig(m, "id")), "_")
	e := expected{id: id, author: page, created: unixOf(str(dig(m, "created_time"))), text: str(dig(m, "message")), reactions: num(dig(m, "reactions", "summary", "total_count")), comments: num(dig(m, "comments", "summary", "total_count")), shares: num(dig(m, "shares", "count"))}
	if str(dig(m, "full_picture")) != "" || dig(m, "attachments", "data", 0, "media") != nil {
		e.media = 1
	}
	if subs, ok := dig(m, "attachments", "data", 0, "subattachments", "data").([]any); ok {
		e.media = len(subs)
	}
	return e
}

// articles reads the posts of an m. page with regular expressions: the JSON in
// data-ft of each article, and the counts of the page's scripts.
func articles(t testing.TB, page string, scripts string) []expected {
	var all []expected
	for _, m := range regexp.MustCompile(`data-ft="([^"]*top_level_post_id[^"]*)"`).FindAllStringSubmatch(page, -1) {
		ft := decode(t, []byte(html.UnescapeString(m[1])))
		id := str(dig(ft, "top_level_post_id"))
		owner := str(dig(ft, "page_id"))
		e := expected{id: id, author: owner, handle: "Nintendo", created: num(dig(ft, "page_insights", owner, "post_context", "publish_time")), text: "*", media: -1}
		e.reactions, e.comments, e.shares = liveCounts(scripts, id)
		all = append(all, e)
	}
	return all
}

func liveCounts(scripts, id string) (int64, int64, int64) {
	var n [3]int64
	m := regexp.MustCompile(`ft_ent_identifier"?:` + id + `,"?comment_count"?:(\d+),"?share_count"?:(\d+),.*?like_count"?:(\d+),`).FindStringSubmatch(scripts)
	if m == nil {
		return -1, -1, -1
	}
	fmt.Sscan(m[3]+" "+m[1]+" "+m[2], &n[0], &n[1], &n[2])
	return n[0], n[1], n[2]
}

func wants(t testing.TB, name string, body []byte) (raw string, all []expected, comments int, outcome post.Outcome) {
	outcome = post.OK
	text := string(body)
	switch name {
	case "graph_feeds_default_fields_p1.json":
		data, _ := dig(decode(t, body), "data").([]any)
		for _, m := range data {
			all = append(all, dumbGraph(m))
		}
		return "https://graph.facebook.com/v11.0/19292868552/feed?limit=10", all, 0, outcome
	case "graph_single_post_data.json":
		return "https://graph.facebook.com/v11.0/175154750010052_424924701699721", []expected{dumbGraph(decode(t, body))}, 0, outcome
	case "graph_comments_p1.json":
		return "https://graph.facebook.com/v11.0/19292868552_10158407654328553/comments?filter=stream", nil, 10, outcome
	case "graph_single_default_page.json": // by eye
		return "https://graph.facebook.com/v11.0/20531316728", []expected{{id: "20531316728", author: "20531316728", handle: "facebookapp", reactions: -1, comments: -1, shares: -1, text: "*"}}, 0, outcome
	case "graph_error.json":
		return "https://graph.facebook.com/v11.0/me/feed", nil, 0, post.NeedsKey
	case "oembed_post.json": // by eye
		return "https://graph.facebook.com/v8.0/oembed_post?access_token=A_FAKE_TOKEN_FOR_TESTS&format=json&url=https://www.facebook.com/rubyonrailstogo/posts/3610333842332884", []expected{{id: "3610333842332884", author: "1284562961576662", reactions: -1, comments: -1, shares: -1, text: "Nice Article"}}, 0, post.OKMetaOnly
	case "oembed_video.json": // by eye
		return "https://graph.facebook.com/v8.0/oembed_video?access_token=A_FAKE_TOKEN_FOR_TESTS&format=json&url=https://www.facebook.com/381763475170840/videos/474308113397163/", []expected{{id: "474308113397163", author: "381763475170840", reactions: -1, comments: -1, shares: -1, text: "🔊 Find out how Finnish #ExpoLive grantee Hello Ruby is transforming the way educators teach kids how to code. #Expo2020 #Dubai", media: 1}}, 0, post.OKMetaOnly
	case "facebook-item-apify-response.json": // by eye
		return "https://api.apify.com/v2/acts/x/run-sync-get-dataset-items", []expected{{id: "1127489833985824", author: "123456789276277", handle: "TrentAricTV", created: 1475666130, reactions: 1737, comments: 51, shares: 70, text: str(dig(decode(t, body), 0, "text")), media: 1}}, 0, outcome
	case "facebook-item-page_ironmaiden.html": // by eye, and the ld+json with a regular expression
		m := regexp.MustCompile(`"articleBody":("(?:[^"\\]|\\.)*")`).FindStringSubmatch(text)
		var words string
		if err := json.Unmarshal([]byte(m[1]), &words); err != nil {
			t.Fatal(err)
		}
		n := strings.Count(text, `"@type":"Comment"`) + strings.Count(text, `"\u0040type":"Comment"`)
		return "https://www.facebook.com/ironmaiden/posts/10157024746512051", []expected{{id: "10157024746512051", author: "100044470688234", handle: "ironmaiden", created: 1588860078, reactions: 24108, comments: 4301, shares: 3958, text: words, media: 1}}, n, outcome
	case "facebook-profile-page_meedan.html": // by eye
		return "https://www.facebook.com/heymeedan", []expected{
			{id: "100067935271247", author: "100067935271247", handle: "heymeedan", reactions: -1, comments: -1, shares: -1, text: "Make sense of the global web."},
			{id: "1522700938072473", author: "100067935271247", handle: "heymeedan", created: 1620048721, reactions: 2, comments: 0, shares: 0, text: "", media: 1},
		}, 0, outcome
	case "facebook-profile-page_login.html":
		return "https://www.facebook.com/login/?next=https%3A%2F%2Fwww.facebook.com%2Fironmaiden%2F", nil, 0, post.LoginWall
	case "m_post_nintendo_wallpapers.html": // by eye
		all = slices.DeleteFunc(articles(t, text, text), func(e expected) bool { return e.id == "3065154550235644" }) // other posts below it
		return "https://m.facebook.com/story.php?story_fbid=3065154550235644&id=119240841493711", append(all, expected{id: "3065154550235644", author: "119240841493711", handle: "Nintendo", created: 1589331678, reactions: 1615, comments: 149, shares: 281, text: "Check out these themed wallpapers and many more at the link below for your personal use! We hope you enjoy them!\n\nhttps://www.nintendo.com/wallpapers/", media: 4}), strings.Count(text, `data-sigil="comment"`), outcome
	case "m_post_cover_photo.html": // by eye
		return "https://m.facebook.com/Nintendo/posts/4194934713924283", []expected{{id: "4194934713924283", handle: "Nintendo", created: 1622853212, reactions: 466, comments: 73, shares: 17, media: 1}}, strings.Count(text, `data-sigil="comment"`), outcome
	case "m_page_posts_list.html":
		all = append(articles(t, text, text), expected{id: "119240841493711", author: "119240841493711", handle: "Nintendo", reactions: -1, comments: -1, shares: -1, text: "*"})
		return "https://m.facebook.com/Nintendo/posts/", all, 0, outcome
	case "m_page_posts_more.txt":
		v := decode(t, bytes.TrimPrefix(body, []byte("for (;;);")))
		page, code := "", ""
		for i := range 3 {
			page += str(dig(v, "payload", "actions", i, "html"))
			code += str(dig(v, "payload", "actions", i, "code"))
		}
		return "https://m.facebook.com/page_content_list_view/more/?page_id=119240841493711&start_cursor=x", articles(t, page, code), 0, outcome
	}
	return "", nil, -1, ""
}

func countIn(p *post.Post, name string) int64 {
	for _, c := range p.Counts {
		if c.Name == name && c.State == post.StatePresent {
			return c.Value
		}
	}
	return -1
}

func (e expected) compare(t *testing.T, p *post.Post) {
	t.Helper()
	if p.ID != e.id || p.Account.ID != e.author || p.Account.Handle != e.handle {
		t.Errorf("post %s by %s (%s), want %s by %s (%s)", p.ID, p.Account.Handle, p.Account.ID, e.id, e.handle, e.author)
	}
	created := int64(0)
	if !p.Created.Time.IsZero() {
		created = p.Created.Time.Unix()
	}
	if created != e.created {
		t.Errorf("post %s: created %d (%+v), want %d", e.id, created, p.Created, e.created)
	}
	if e.text != "*" && p.Text != e.text {
		t.Errorf("post %s: text %q, want %q", e.id, p.Text, e.text)
	}
	for name, want := range map[string]int64{"reactions": e.reactions, "comments": e.comments, "shares": e.shares} {
		if got := countIn(p, name); got != want {
			t.Errorf("post %s: %d %s, want %d", e.id, got, name, want)
		}
	}
	if e.media >= 0 && len(p.Media) != e.media {
		t.Errorf("post %s: %d media, want %d: %+v", e.id, len(p.Media), e.media, p.Media)
	}
	if p.URL == "" {
		t.Errorf("post %s has no address", e.id)
	}
}

// TestRecordings reads every recording. A file that this test does not know must
// still end in posts, or in an outcome about the target or us. With -v it prints
// the table of files, posts, outcomes and what is left.
func TestRecordings(t *testing.T) {
	files, err := os.ReadDir(sharedtest.Path(t, "recordings/facebook"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := f.Name()
		if name == "PROVENANCE.md" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			body := sharedtest.Read(t, "recordings/facebook/"+name)
			raw, all, comments, outcome := wants(t, name, body)
			if raw == "" {
				raw = "https://www.facebook.com/"
			}
			ex := crawlers.Exchange{URL: raw, Body: body}
			ref, ok := New().Identify(ex)
			if !ok {
				t.Fatalf("Identify refuses %s", raw)
			}
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%-40s %-45s %-12s %3d posts, total %d; not taken: %s", name, ref.Key(), page.Outcome, len(page.Posts), page.Coverage.Total, strings.Join(left(body), " "))
			if scope := page.Outcome.Scope(); scope == post.ScopeReader || scope == post.ScopeServed && len(page.Posts) == 0 {
				t.Fatalf("outcome %s (%s) with %d posts", page.Outcome, page.Reason, len(page.Posts))
			}
			if outcome == "" {
				return
			}
			if page.Outcome != outcome {
				t.Errorf("outcome %s (%s), want %s", page.Outcome, page.Reason, outcome)
			}
			var got []*post.Post
			said := 0
			for i := range page.Posts {
				p := &page.Posts[i]
				if p.Kind != post.KindComment {
					got = append(got, p)
					continue
				}
				said++
				if p.Text == "" && len(p.Media) == 0 && name != "m_post_nintendo_wallpapers.html" && name != "m_post_cover_photo.html" || p.Thread == "" {
					t.Errorf("comment %+v", p)
				}
			}
			if said != comments {
				t.Errorf("%d comments, want %d", said, comments)
			}
			if len(got) != len(all) {
				t.Fatalf("%d posts, want %d", len(got), len(all))
			}
			sort.SliceStable(got, func(i, j int) bool { return got[i].ID < got[j].ID })
			sort.SliceStable(all, func(i, j int) bool { return all[i].id < all[j].id })
			for i := range all {
				all[i].compare(t, got[i])
			}
		})
	}
}

// TestCommentsOfRecording: ids and the comments that replies answer, from the
// permalinks, with a regular expression.
func TestCommentsOfRecording(t *testing.T) {
	body := sharedtest.Read(t, "recordings/facebook/graph_comments_p1.json")
	ex := crawlers.Exchange{URL: "https://graph.facebook.com/v11.0/19292868552_10158407654328553/comments", Body: body}
	ref, _ := New().Identify(ex)
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := dig(decode(t, body), "data").([]any)
	for i, m := range data {
		link := str(dig(m, "permalink_url"))
		ids := regexp.MustCompile(`comment_id=(\d+)`).FindAllStringSubmatch(link, -1)
		p := page.Posts[i]
		want, answers := ids[len(ids)-1][1], ""
		if len(ids) > 1 {
			answers = ids[0][1]
		}
		got := ""
		for _, r := range p.Refs {
			if r.Role == post.RoleReplyTo {
				got = r.ID
			}
		}
		if p.ID != want || got != answers || p.Thread != "10158407654328553" || p.Text != strings.TrimSpace(str(dig(m, "message"))) || p.Created.Time.Unix() != unixOf(str(dig(m, "created_time"))) || countIn(&p, "likes") != num(dig(m, "like_count")) {
			t.Errorf("comment %d: %+v, want %s, a reply to %q", i, p, want, answers)
		}
	}
	if page.Coverage.Total != 18 || len(page.Next) != 0 { // by eye; no key, no next page
		t.Errorf("coverage %+v, %d next steps", page.Coverage, len(page.Next))
	}
}

// TestIdentitiesOfRecordings: pfbid and the two numbers of a page, by eye.
func TestIdentitiesOfRecordings(t *testing.T) {
	for name, want := range map[string][]string{
		"facebook-item-page_ironmaiden.html": {"pfbid02XM9Uabh4DrExsfTo4zpJTUivryioKwBHzmX2VRAxyxY4khagzsdgt5oBqv4Keu6fl = 10157024746512051", "172685102050 = 100044470688234", "ironmaiden = 100044470688234"},
		"facebook-profile-page_meedan.html":  {"54421674438 = 100067935271247", "heymeedan = 100067935271247"},
		"m_page_posts_list.html":             {"4194935043924250 = 4194934713924283", "nintendo = 119240841493711"},
	} {
		body := sharedtest.Read(t, "recordings/facebook/"+name)
		raw, _, _, _ := wants(t, name, body)
		ex := crawlers.Exchange{URL: raw, Body: body}
		ref, _ := New().Identify(ex)
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range page.Identities {
			got = append(got, i.Alias+" = "+i.ID)
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: identities %q, want %s", name, got, w)
			}
		}
	}
}

// taken are keys whose values are read, or that only wrap others.
const taken = ` id message created_time permalink_url from parent_id full_picture place message_tags attachments type media_type url unshimmed_url media target subattachments image src width height data shares count
 reactions comments summary total_count like love wow haha sad angry care paging cursors after next name like_count comment_count attachment offset length
 fan_count followers_count about description general_info link website picture verification_status talking_about_count were_here_count checkins category username
 html version author_name author_url provider_name postId pageName user profileUrl profilePic text time timestamp likes facebookUrl facebookId feedbackId thumbnail photo_image uri ocrText
 reactionLikeCount reactionLoveCount reactionCareCount reactionWowCount reactionHahaCount reactionSadCount reactionAngryCount error code story status_type payload actions cmd `

// left lists keys of JSON with a value that the collector does not take.
func left(body []byte) []string {
	found := map[string]int{}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			for k, e := range x {
				empty := e == nil || e == false || e == "" || fmt.Sprint(e) == "[]" || fmt.Sprint(e) == "map[]"
				if !empty && !slices.Contains(strings.Fields(taken), k) {
					found[k]++
				}
				walk(e)
			}
		case []any:
			for _, e := range x {
				walk(e)
			}
		}
	}
	var v any
	if json.Unmarshal(bytes.TrimPrefix(body, []byte("for (;;);")), &v) == nil {
		walk(v)
	}
	var keys []string
	for k := range found {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys[:min(len(keys), 30)]
}
