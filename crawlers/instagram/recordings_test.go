package instagram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
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
// maps, each for one shape, or eyes where a line says so.
type expected struct {
	id, author, handle string
	created            time.Time // zero: must be an interval or nothing
	likes, comments    int64     // -1: not served; -2: hidden
	text               string    // whole; "*" is not compared
	media              int
}

func num(v any) string {
	switch x := v.(type) {
	case json.Number:
		return x.String()
	case string:
		return x
	}
	return ""
}

func asInt(v any) int64 {
	n, ok := v.(json.Number)
	if !ok {
		return -1
	}
	i, _ := n.Int64()
	return i
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

// dumbItem reads an item of API v1.
func dumbItem(m any) expected {
	e := expected{id: num(dig(m, "pk")), author: num(dig(m, "user", "pk")), handle: str(dig(m, "user", "username")), text: str(dig(m, "caption", "text")),
		created: time.Unix(asInt(dig(m, "taken_at")), 0).UTC(), likes: asInt(dig(m, "like_count")), comments: asInt(dig(m, "comment_count")), media: 1}
	if dig(m, "like_and_view_counts_disabled") == true {
		e.likes = -2
	}
	if parts, ok := dig(m, "carousel_media").([]any); ok {
		e.media = len(parts)
	}
	return e
}

// dumbNode reads a node of an edge list.
func dumbNode(m any) expected {
	e := expected{id: num(dig(m, "id")), author: num(dig(m, "owner", "id")), handle: str(dig(m, "owner", "username")), text: str(dig(m, "edge_media_to_caption", "edges", 0, "node", "text")),
		created: time.Unix(asInt(dig(m, "taken_at_timestamp")), 0).UTC(), likes: asInt(dig(m, "edge_media_preview_like", "count")), comments: asInt(dig(m, "edge_media_to_comment", "count")), media: 1}
	if parts, ok := dig(m, "edge_sidecar_to_children", "edges").([]any); ok {
		e.media = len(parts)
	}
	return e
}

// dumbMedium reads a medium of the Graph API. The number is worked out from the
// permalink digit by digit.
func dumbMedium(m any) expected {
	code := strings.Split(strings.TrimPrefix(str(dig(m, "permalink")), "https://www.instagram.com/p/"), "/")[0]
	var pk uint64
	for _, c := range code {
		pk = pk*64 + uint64(strings.IndexRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", c))
	}
	e := expected{id: fmt.Sprint(pk), text: str(dig(m, "caption")), likes: asInt(dig(m, "like_count")), comments: asInt(dig(m, "comments_count")), media: 1}
	if at, err := time.Parse("2006-01-02T15:04:05-0700", str(dig(m, "timestamp"))); err == nil {
		e.created = at.UTC()
	}
	if parts, ok := dig(m, "children", "data").([]any); ok {
		e.media = len(parts)
	}
	return e
}

func list(v any, keys ...any) []any { a, _ := dig(v, keys...).([]any); return a }

// wants gives what a recording must give: its address, its posts other than
// preview comments, and its outcome.
func wants(t testing.TB, name string, body []byte) (raw string, all []expected, outcome post.Outcome) {
	const gql = "https://www.instagram.com/graphql/query/?query_hash=x"
	outcome = post.OK
	v := any(nil)
	if strings.HasSuffix(name, ".json") {
		v = decode(t, body)
	}
	switch name {
	case "item_api_v1_carousel.json":
		return "https://www.instagram.com/p/Chm_-tPJqpd/?__a=1&__d=dis", []expected{dumbItem(dig(v, "items", 0))}, outcome
	case "iuf_medias.json":
		for _, e := range list(v, "data", "user", "edge_owner_to_timeline_media", "edges") {
			all = append(all, dumbNode(dig(e, "node")))
		}
		return gql, all, outcome
	case "iuf_hashtag-2.json":
		for _, e := range append(list(v, "data", "hashtag", "edge_hashtag_to_media", "edges"), list(v, "data", "hashtag", "edge_hashtag_to_top_posts", "edges")...) {
			all = append(all, dumbNode(dig(e, "node")))
		}
		return gql, all, outcome
	case "iuf_stories.json":
		for _, i := range list(v, "data", "reels_media", 0, "items") {
			e := dumbNode(i)
			e.comments, e.likes = -1, -1
			all = append(all, e)
		}
		return gql, all, outcome
	case "iuf_media-comments.json":
		for _, e := range list(v, "data", "shortcode_media", "edge_media_to_comment", "edges") {
			n := dig(e, "node")
			all = append(all, expected{id: num(dig(n, "id")), author: num(dig(n, "owner", "id")), handle: str(dig(n, "owner", "username")), text: str(dig(n, "text")), created: time.Unix(asInt(dig(n, "created_at")), 0).UTC(), likes: -1, comments: -1})
		}
		return gql, all, outcome
	case "iuf_profile.json": // by eye: 419 posts by its count, no edges
		return "https://www.instagram.com/api/v1/users/web_profile_info/?username=robertdowneyjr", []expected{{id: "1518284433", author: "1518284433", handle: "robertdowneyjr", text: "Get involved: @officialfootprintcoalition 🌎🙏", likes: -1, comments: -1}}, post.OKPartial
	case "iuf_profile-alternative.json": // by eye
		return "https://i.instagram.com/api/v1/users/1518284433/info/", []expected{{id: "1518284433", author: "1518284433", handle: "robertdowneyjr", text: "Get involved ▶️ @officialfootprintcoalition 🌎🙏", likes: -1, comments: -1}}, post.OK
	case "iuf_profile-id-invalid.json":
		return gql, nil, post.NotFound
	case "iuf_challenge.json":
		return "https://www.instagram.com/api/v1/users/1518284433/info/", nil, post.Challenge
	case "graph_user_fields.json": // by eye
		return "https://graph.facebook.com/v11.0/17841407673135339?fields=id,biography,name,username,profile_picture_url,followers_count,media_count", []expected{{id: "17841407673135339", author: "17841407673135339", handle: "facebookfordevelopers", text: str(dig(v, "biography")), likes: -1, comments: -1}}, post.OK
	case "graph_medias_p1.json", "graph_base_discovery_medias_p1.json":
		for _, m := range list(v, "business_discovery", "media", "data") {
			e := dumbMedium(m)
			e.author, e.handle = num(dig(v, "business_discovery", "id")), "facebookfordevelopers"
			if e.author == "id" { // the recording's own placeholder
				e.author = ""
			}
			all = append(all, e)
		}
		return "https://graph.facebook.com/v12.0/17841406338772941?fields=business_discovery.username(facebookfordevelopers){media{id,caption}}", all, outcome
	case "graph_medias_fields.json":
		for _, id := range []string{"17893085207160254", "17896129349106152"} {
			all = append(all, dumbMedium(dig(v, id)))
		}
		return "https://graph.facebook.com/v11.0/?ids=17893085207160254,17896129349106152&fields=id,media_type", all, outcome
	case "graph_hashtag_top_medias_p1.json":
		for _, m := range list(v, "data") {
			all = append(all, dumbMedium(m))
		}
		return "https://graph.facebook.com/v4.0/17843826142012701/top_media?user_id=17841406338772941&limit=25", all, outcome
	case "oembed_graph_v8.json": // by eye; the number by python
		return "https://graph.facebook.com/v8.0/instagram_oembed?access_token=A_FAKE_TOKEN_FOR_TESTS&format=json&url=https://www.instagram.com/p/B9bOM-6Ax_d/?igshid=1mn51zsvrhoiq", []expected{{id: "2259462102886588381", handle: "ruby_eloquent", likes: -1, comments: -1, media: 1}}, post.OKMetaOnly
	case "item_page_2022.html": // by eye
		return "https://www.instagram.com/p/Chm_-tPJqpd/", []expected{{id: "2911295595251935837", author: "52222405344", handle: "retrobayarea", text: "*", likes: -1, comments: -1, media: 1}}, post.OKMetaOnly
	case "post_photo_page.html": // by eye
		return "https://www.instagram.com/p/CPeC-Eenc8l/", []expected{{id: "2584516297666449189", author: "385669764", handle: "willyrex", text: "Una de mis nuevas sudaderas top!! Per ardua ad astra 🚀🚀🚀", likes: 298000, comments: 553, media: 1}}, post.OKMetaOnly
	}
	return "", nil, ""
}

// countIn gives a post's count: -1 for one that it has not, -2 for a hidden one.
func countIn(p *post.Post, name string) int64 {
	for _, c := range p.Counts {
		if c.Name == name {
			switch c.State {
			case post.StatePresent:
				return c.Value
			case post.StateHidden:
				return -2
			}
		}
	}
	return -1
}

func (e expected) compare(t *testing.T, p *post.Post) {
	t.Helper()
	if p.ID != e.id || p.Account.ID != e.author || p.Account.Handle != e.handle {
		t.Errorf("post %s by %s (%s), want %s by %s (%s)", p.ID, p.Account.Handle, p.Account.ID, e.id, e.handle, e.author)
	}
	if !p.Created.Time.Equal(e.created) {
		t.Errorf("post %s: created %v, want %v", e.id, p.Created.Time, e.created)
	}
	if e.created.IsZero() && p.Kind != post.KindAccount && (p.Created.From.IsZero() || p.Created.To.IsZero()) {
		t.Errorf("post %s: neither a time nor a bound: %+v", e.id, p.Created)
	}
	if e.text != "*" && p.Text != e.text {
		t.Errorf("post %s: text %q, want %q", e.id, p.Text, e.text)
	}
	if got := countIn(p, "likes"); got != e.likes {
		t.Errorf("post %s: %d likes, want %d", e.id, got, e.likes)
	}
	if got := countIn(p, "comments"); got != e.comments {
		t.Errorf("post %s: %d comments, want %d", e.id, got, e.comments)
	}
	if len(p.Media) != e.media {
		t.Errorf("post %s: %d media, want %d", e.id, len(p.Media), e.media)
	}
	for i, m := range p.Media {
		if m.URL == "" && m.Kind == post.MediaImage {
			t.Errorf("post %s: picture %d without address", e.id, i)
		}
	}
}

// TestRecordings reads every recording. A file that this test does not know must
// still end in posts, or in an outcome about the target or us. With -v it prints
// the table of files, posts, outcomes and what is left.
func TestRecordings(t *testing.T) {
	files, err := os.ReadDir(sharedtest.Path(t, "recordings/instagram"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := f.Name()
		if name == "PROVENANCE.md" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			body := sharedtest.Read(t, "recordings/instagram/"+name)
			if strings.HasSuffix(name, ".ndjson") {
				lines(t, body)
				return
			}
			raw, all, outcome := wants(t, name, body)
			if raw == "" {
				raw = "https://www.instagram.com/graphql/query/"
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
			t.Logf("%-40s %-50s %-12s %3d posts, total %d; not taken: %s", name, ref.Key(), page.Outcome, len(page.Posts), page.Coverage.Total, strings.Join(left(body), " "))
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
			for i := range page.Posts {
				if p := &page.Posts[i]; p.Kind != post.KindComment || name == "iuf_media-comments.json" {
					got = append(got, p)
				}
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

// lines reads a Zeeschuimer file: each line's data is one item.
func lines(t *testing.T, body []byte) {
	n := 0
	for line := range bytes.Lines(body) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		n++
		var wrapper struct {
			Item string          `json:"item_id"`
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(line, &wrapper); err != nil {
			t.Fatal(err)
		}
		p, ok := ReadItem(wrapper.Data)
		if !ok {
			t.Fatalf("line %d: not read", n)
		}
		v := decode(t, wrapper.Data)
		dumbItem(v).compare(t, &p)
		if want, _, _ := strings.Cut(wrapper.Item, "_"); want != p.ID || p.Platform != platform || p.Outcome != post.OK {
			t.Errorf("line %d: %s:%s %s, want item %s", n, p.Platform, p.ID, p.Outcome, want)
		}
		if PK(str(dig(v, "code"))) != p.ID || Code(p.ID) != str(dig(v, "code")) {
			t.Errorf("line %d: code %s and number %s do not give each other", n, str(dig(v, "code")), p.ID)
		}
		if b := bound(p.ID, time.Time{}); b.From.After(p.Created.Time) || b.To.Before(p.Created.Time) {
			t.Errorf("line %d: published %v, outside the bound %v to %v", n, p.Created.Time, b.From, b.To)
		}
		if n == 1 && countIn(&p, "likes") != -2 {
			t.Error("the first line's like_count 3 is friends among the likers, the number is hidden")
		}
	}
	t.Logf("%d lines, %d posts; not taken: %s", n, n, strings.Join(left(body), " "))
	if n == 0 {
		t.Error("no lines")
	}
}

// taken are keys whose values are read, or that only wrap others.
const taken = ` pk id code shortcode media_type taken_at taken_at_timestamp caption text user owner username full_name profile_pic_url profile_pic_url_hd hd_profile_pic_url_info like_count comment_count play_count view_count
 edge_media_preview_like edge_liked_by edge_media_to_comment edge_media_to_parent_comment edge_media_to_caption count edges node page_info has_next_page carousel_media image_versions2 candidates url width height video_versions video_duration
 accessibility_caption location name coauthor_producers usertags in sponsor_tags sponsor product_type is_paid_partnership caption_is_edited original_width original_height display_url display_resources src config_width config_height dimensions carousel_parent_id interop_messaging_user_fbid
 is_video video_url video_view_count __typename edge_sidecar_to_children edge_media_to_tagged_user edge_media_to_sponsor_user tappable_objects story_cta_url comments_disabled like_and_view_counts_disabled video_resources story_view_count
 biography external_url edge_followed_by edge_follow follower_count following_count media_count followers_count fbid is_private is_verified category_name category edge_owner_to_timeline_media bio_links created_at comment_like_count child_comment_count
 business_discovery media data paging cursors after next comments_count timestamp permalink media_url thumbnail_url children profile_picture_url items more_available hashtag reels_media edge_hashtag_to_media edge_hashtag_to_top_posts edge_threaded_comments
 status html version provider_name author_name thumbnail_width thumbnail_height message checkpoint_url fb_like_count media_repost_count preview_comments comments shortcode_media edge_media_preview_comment viewer `

// left lists keys with a value that the collector does not take.
func left(body []byte) []string {
	found := map[string]int{}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			for k, e := range x {
				empty := e == nil || e == false || e == "" || fmt.Sprint(e) == "[]" || fmt.Sprint(e) == "map[]"
				if !empty && !slices.Contains(strings.Fields(taken), k) && !strings.ContainsAny(k, "0123456789") {
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
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for {
		var v any
		if d.Decode(&v) != nil {
			break
		}
		walk(v)
	}
	var keys []string
	for k := range found {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		if found[keys[i]] != found[keys[j]] {
			return found[keys[i]] > found[keys[j]]
		}
		return keys[i] < keys[j]
	})
	return keys[:min(len(keys), 25)]
}
