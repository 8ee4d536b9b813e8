package twitter

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// maxNesting bounds how deep originals, quotes and parents within a post are
// followed. X itself goes three deep: a repost of a post that quotes a post.
const maxNesting = 8

// A found post, with those that it carries: original, quoted post, parent.
type found struct {
	post   post.Post
	inside []post.Post
	users  []post.Account
}

// isTweet reports whether v is a post as GraphQL of the web client has it.
func isTweet(v jsonx.Value) bool {
	legacy := v.Get("legacy")
	return id(v, "rest_id") != "" && (legacy.Has("full_text") || legacy.Has("created_at") && legacy.Has("conversation_id_str"))
}

// isFlat reports whether v is a post with its fields at the top: v1.1, embed,
// an account's own archive.
func isFlat(v jsonx.Value) bool {
	if id(v, "id_str", "id") == "" || !v.Get("created_at").IsString() || v.Has("rest_id") {
		return false
	}
	if !v.Has("full_text") && !v.Has("text") {
		return false
	}
	return v.Has("favorite_count") || v.Has("full_text") || v.Get("user").IsObject() && (v.Has("id_str") || v.Has("retweet_count"))
}

// tweet reads a post of GraphQL.
func tweet(v jsonx.Value, depth int) (found, bool) {
	if t := v.Get("tweet"); t.IsObject() && !v.Get("legacy").IsObject() {
		v = t // TweetWithVisibilityResults
	}
	legacy := v.Get("legacy")
	number := id(v, "rest_id")
	if number == "" {
		number = id(legacy, "id_str", "id")
	}
	if number == "" || depth > maxNesting || !legacy.Has("full_text") && !legacy.Has("created_at") {
		return found{}, false // a bare id is no post
	}
	f := body(legacy, v, number)
	p := &f.post
	for _, u := range []jsonx.Value{v.Get("core", "user_results", "result"), v.Get("core", "user_result", "result"), v.Get("core", "user"), v.Get("author")} {
		if u.IsObject() {
			f.author(u)
			break
		}
	}
	if p.Account.ID == "" && p.Account.Handle == "" {
		if n := id(legacy, "user_id_str", "user_id"); n != "" {
			p.Account = post.Account{Platform: platform, ID: n, URL: web + "/i/user/" + n}
		}
	}
	note := v.Get("note_tweet", "note_tweet_results", "result")
	if s := text(note.Get("text")); s != "" {
		p.Text = s
		f.entities(note.Get("entity_set"))
	} else if v.Get("note_tweet").IsObject() {
		f.cut()
	}
	if article := v.Get("article", "article_results", "result"); article.IsObject() {
		f.article(article)
	}
	switch views := v.Get("views"); {
	case views.Get("count").Exists():
		p.Counts = count(p.Counts, "views", views.Get("count"))
	case views.Get("state").String() != "":
		p.Counts = append(p.Counts, post.Count{Name: "views", Precision: post.PrecisionUnknown, State: post.StateAbsent})
	}
	if s := source(v.Get("source")); s != "" {
		p.Tags = add(p.Tags, s)
	}
	if v.Get("has_birdwatch_notes").Bool() || v.Get("birdwatch_pivot").IsObject() {
		p.Tags = add(p.Tags, "community_note")
	}
	f.card(v.Get("card", "legacy"))
	f.edits(v.Get("edit_control"))
	for _, q := range []struct {
		key  string
		role post.Role
	}{{"quoted_status_result", post.RoleQuoteOf}, {"retweeted_status_result", post.RoleRepostOf}, {"quotedRefResult", post.RoleQuoteOf}} {
		for _, holder := range []jsonx.Value{v, legacy} {
			f.embed(holder.Get(q.key, "result"), q.role, depth, tweet)
		}
	}
	return f, true
}

// flat reads a post of v1.1, of the embed, or of an account's own archive.
func flat(v jsonx.Value, depth int) (found, bool) {
	number := id(v, "id_str", "id")
	if number == "" || depth > maxNesting {
		return found{}, false
	}
	source := v
	if x := v.Get("extended_tweet"); x.IsObject() { // v1.1 streams in compatibility mode
		source = x
	}
	f := body(source, v, number)
	p := &f.post
	for _, c := range []struct {
		name string
		v    jsonx.Value
	}{{"likes", v.Get("favorite_count")}, {"reposts", v.Get("retweet_count")}, {"quotes", v.Get("quote_count")},
		{"comments", v.Get("reply_count")}, {"comments", v.Get("conversation_count")}} {
		p.Counts = count(p.Counts, c.name, c.v)
	}
	if u := v.Get("user"); u.IsObject() {
		f.author(u)
	}
	if v.Get("note_tweet").IsObject() {
		f.cut()
	}
	if isEmbed(v) {
		p.Counts = notServed(p.Counts, "reposts", "quotes", "views")
	}
	if article := v.Get("article"); article.IsObject() {
		f.article(article)
	}
	f.card(v.Get("card"))
	f.edits(v.Get("edit_control"))
	if v.Get("isEdited").Bool() {
		p.Tags = add(p.Tags, "edited")
	}
	if v.Get("isStaleEdit").Bool() {
		p.Tags = add(p.Tags, "stale_edit")
	}
	for _, q := range []struct {
		key  string
		role post.Role
	}{{"quoted_tweet", post.RoleQuoteOf}, {"quoted_status", post.RoleQuoteOf}, {"retweeted_status", post.RoleRepostOf}, {"parent", post.RoleReplyTo}} {
		f.embed(v.Get(q.key), q.role, depth, flat)
	}
	return f, true
}

// isEmbed reports whether a flat post is one of tweet-result.
func isEmbed(v jsonx.Value) bool {
	return v.Has("news_action_type") || v.Has("isEdited") || v.Has("conversation_count") || v.Has("mediaDetails")
}

// body reads what GraphQL's "legacy" and flat posts have in common. outer holds
// what stands beside it.
func body(v, outer jsonx.Value, number string) found {
	f := found{post: post.Post{ID: number, Kind: post.KindPost, URL: postURL(number), Outcome: post.OK}}
	p := &f.post
	if p.Text = text(v.Get("full_text")); p.Text == "" {
		p.Text = text(v.Get("text"))
	}
	if outer.Get("truncated").Bool() && !v.Has("full_text") || v.Get("truncated").Bool() && !v.Has("full_text") {
		f.cut()
	}
	if p.Lang = first(v.Get("lang"), outer.Get("lang")); !isLang(p.Lang) {
		p.Lang = ""
	}
	for _, x := range []jsonx.Value{v.Get("created_at"), outer.Get("created_at")} {
		if p.Created = moment(x); !p.Created.IsZero() {
			break
		}
	}
	if p.Created.IsZero() {
		p.Created = IDTime(number)
	}
	for _, c := range []struct{ name, key string }{
		{"likes", "favorite_count"}, {"reposts", "retweet_count"}, {"comments", "reply_count"}, {"quotes", "quote_count"}, {"bookmarks", "bookmark_count"},
	} {
		p.Counts = count(p.Counts, c.name, v.Get(c.key))
	}
	f.media(v, outer)
	f.entities(v.Get("entities"))
	if outer.Get("extended_tweet").IsObject() {
		f.entities(outer.Get("entities"))
	}
	f.relations(outer)
	if v.Get("in_reply_to_status_id_str").Exists() || v.Get("conversation_id_str").Exists() {
		f.relations(v)
	}
	if outer.Get("possibly_sensitive").Bool() || v.Get("possibly_sensitive").Bool() {
		p.Tags = add(p.Tags, "sensitive")
	}
	if s := source(outer.Get("source")); s != "" {
		p.Tags = add(p.Tags, s)
	}
	if s := strings.ToLower(first(v.Get("conversation_control", "policy"), outer.Get("conversation_control", "policy"))); s != "" {
		p.Tags = add(p.Tags, "reply_settings:"+s)
	}
	f.place(v)
	if withheld(v) || withheld(outer) {
		f.withheld(v, outer)
	}
	return f
}

func (f *found) author(u jsonx.Value) {
	a, ok := userOf(u)
	if !ok {
		return
	}
	f.post.Account = a
	f.users = append(f.users, a)
}

// cut marks a text that ends early.
func (f *found) cut() {
	f.post.Tags = add(f.post.Tags, "cut")
	if f.post.Outcome == post.OK {
		f.post.Outcome = post.OKPartial
	}
}

// relations reads which post this one answers, quotes or repeats, where it
// states the ids itself.
func (f *found) relations(v jsonx.Value) {
	p := &f.post
	if n := id(v, "in_reply_to_status_id_str", "in_reply_to_status_id"); n != "" {
		f.refer(post.RoleReplyTo, n, v.Get("in_reply_to_screen_name").String())
	}
	if n := id(v, "quoted_status_id_str", "quoted_status_id"); n != "" {
		f.refer(post.RoleQuoteOf, n, "")
	}
	if n := id(v, "conversation_id_str", "conversation_id"); n != "" && n != p.ID {
		p.Thread = n
	}
}

func (f *found) refer(role post.Role, number, handle string) {
	if !isHandle(handle) {
		handle = ""
	}
	for i := range f.post.Refs {
		if r := &f.post.Refs[i]; r.Role == role && r.ID == number {
			if r.Account == "" {
				r.Account = handle
			}
			return
		}
	}
	f.post.Refs = append(f.post.Refs, post.Ref{Role: role, ID: number, URL: postURL(number), Account: handle})
}

// embed reads a post that this one carries.
func (f *found) embed(v jsonx.Value, role post.Role, depth int, read func(jsonx.Value, int) (found, bool)) {
	if !v.IsObject() {
		return
	}
	inner, ok := read(v, depth+1)
	if !ok {
		if n := id(v, "rest_id", "id_str"); n != "" && depth < maxNesting {
			f.refer(role, n, "")
		}
		return
	}
	f.refer(role, inner.post.ID, inner.post.Account.Handle)
	f.users = append(f.users, inner.users...)
	f.inside = append(f.inside, inner.inside...)
	f.inside = append(f.inside, inner.post)
	if role == post.RoleRepostOf {
		f.repeat(&inner.post)
	}
}

// repeat gives a repost the whole text of its original: its own is cut to 140
// characters behind "RT @name:".
func (f *found) repeat(original *post.Post) {
	p := &f.post
	if original.Text != "" {
		p.Text = original.Text
	}
	if p.Lang == "" {
		p.Lang = original.Lang
	}
	p.Links, p.Hashtags = original.Links, original.Hashtags
	p.Mentions = append([]string(nil), original.Mentions...)
	p.Mentions = add(p.Mentions, original.Account.Handle)
	if len(p.Media) == 0 {
		p.Media = original.Media
	}
	if original.Outcome == post.OKPartial {
		f.cut()
	} else if p.Outcome == post.OKPartial && original.Outcome == post.OK {
		p.Outcome = post.OK
		p.Tags = remove(p.Tags, "cut")
	}
}

func remove(list []string, s string) []string {
	var kept []string
	for _, x := range list {
		if x != s {
			kept = append(kept, x)
		}
	}
	return kept
}

// edits reads the versions of a post.
func (f *found) edits(v jsonx.Value) {
	p := &f.post
	versions := v.Get("edit_tweet_ids").Array()
	if initial := v.Get("edit_control_initial"); initial.IsObject() {
		versions = initial.Get("edit_tweet_ids").Array()
	}
	var list []string
	for _, x := range versions {
		if isID(x.String()) {
			list = append(list, x.String())
		}
	}
	if len(list) == 0 {
		if n := id(v, "initial_tweet_id"); n != "" && n != p.ID {
			list = []string{n, p.ID}
		}
	}
	f.versions(list)
}

// versions takes the ids of all versions of a post, oldest first.
func (f *found) versions(list []string) {
	p := &f.post
	if len(list) < 2 {
		return
	}
	if list[0] != p.ID {
		p.Tags = add(p.Tags, "edited")
		p.Tags = add(p.Tags, "version_of:"+list[0])
		p.Edited = IDTime(p.ID)
	}
	if last := list[len(list)-1]; last != p.ID {
		p.Tags = add(p.Tags, "stale_edit")
	}
}

// article reads a long article: its title, and its text as far as it is there.
func (f *found) article(v jsonx.Value) {
	p := &f.post
	p.Title = first(v.Get("title"))
	p.Kind = post.KindArticle
	var lines []string
	for _, b := range v.Get("content_state", "blocks").Array() {
		if s := b.Get("text").String(); strings.TrimSpace(s) != "" {
			lines = append(lines, s)
		}
	}
	whole := v.Get("plain_text").String()
	if whole == "" {
		whole = strings.Join(lines, "\n\n")
	}
	switch {
	case whole != "":
		p.Text = whole
	case v.Get("preview_text").String() != "":
		p.Text = v.Get("preview_text").String()
		f.cut()
	}
	if img := v.Get("cover_media", "media_info"); img.IsObject() {
		if s, ok := link(img.Get("original_img_url").String()); ok {
			p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: s, Width: size(img.Get("original_img_width")), Height: size(img.Get("original_img_height"))})
		}
	}
}

func (f *found) place(v jsonx.Value) {
	if s := first(v.Get("place", "full_name"), v.Get("place", "name")); s != "" {
		f.post.Tags = add(f.post.Tags, "place:"+s)
	}
	if c := v.Get("coordinates", "coordinates"); c.IsArray() { // GeoJSON: longitude first
		f.point(c.At(0), c.At(1))
	}
}

func (f *found) point(lon, lat jsonx.Value) {
	x, ok1 := lon.Float()
	y, ok2 := lat.Float()
	if ok1 && ok2 && x >= -180 && x <= 180 && y >= -90 && y <= 90 {
		f.post.Tags = add(f.post.Tags, fmt.Sprintf("geo:%g,%g", y, x))
	}
}

// withheld reports whether v says that X withholds it somewhere.
func withheld(v jsonx.Value) bool {
	return len(v.Get("withheld_in_countries").Array()) > 0 || v.Get("withheld_copyright").Bool() ||
		len(v.Get("withheld", "country_codes").Array()) > 0 || v.Get("withheld", "copyright").Bool()
}

func withheldTags(values ...jsonx.Value) []string {
	var tags []string
	for _, v := range values {
		for _, list := range []jsonx.Value{v.Get("withheld_in_countries"), v.Get("withheld", "country_codes")} {
			for _, c := range list.Array() {
				if s := c.String(); s != "" && len(s) <= 8 {
					tags = add(tags, "withheld_in:"+s)
				}
			}
		}
		if v.Get("withheld_copyright").Bool() || v.Get("withheld", "copyright").Bool() {
			tags = add(tags, "withheld:copyright")
		}
	}
	return tags
}

var withheldText = regexp.MustCompile(`(?i)^@?\w+'s (account|tweet|post) has been withheld|^this (tweet|post|account|media)[^.]{0,80} (has been|is) withheld|^(tweet|post|account) withheld`)

// withheld marks a post that X withholds. What X writes in its place is not its
// author's.
func (f *found) withheld(values ...jsonx.Value) {
	p := &f.post
	for _, t := range withheldTags(values...) {
		p.Tags = add(p.Tags, t)
	}
	if withheldText.MatchString(strings.TrimSpace(p.Text)) {
		p.Text, p.Outcome = "", post.Withheld
	}
}

// isLang keeps X's own marks for texts without a language (und, qme, zxx, …)
// out of a field of BCP 47 codes, and "in" and "iw" for what they are.
func isLang(s string) bool {
	if len(s) < 2 || len(s) > 12 || strings.HasPrefix(s, "q") && len(s) == 3 {
		return false
	}
	switch s {
	case "und", "zxx", "art":
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' && i > 1) {
			return false
		}
	}
	return true
}
