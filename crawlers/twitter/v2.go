package twitter

import (
	"strings"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// isV2 reports whether v is a post of API v2.
func isV2(v jsonx.Value) bool {
	return id(v, "id") != "" && v.Get("text").IsString() && !v.Has("id_str") &&
		(id(v, "author_id") != "" || v.Has("edit_history_tweet_ids") || v.Has("public_metrics") || v.Has("conversation_id"))
}

// isV2User reports whether v is a user of API v2.
func isV2User(v jsonx.Value) bool {
	return id(v, "id") != "" && isHandle(v.Get("username").String()) && v.Get("name").IsString() && !v.Has("text")
}

// A shelf holds what a v2 answer includes beside its data.
type shelf struct {
	users, media, tweets, polls, places map[string]jsonx.Value
}

func shelve(includes jsonx.Value) shelf {
	by := func(list, key string) map[string]jsonx.Value {
		m := map[string]jsonx.Value{}
		for _, v := range includes.Get(list).Array() {
			if k := v.Get(key).String(); k != "" {
				m[k] = v
			}
		}
		return m
	}
	return shelf{users: by("users", "id"), media: by("media", "media_key"), tweets: by("tweets", "id"), polls: by("polls", "id"), places: by("places", "id")}
}

// v2 reads a post of API v2 with what the answer includes.
func (s shelf) v2(v jsonx.Value, depth int) (found, bool) {
	number := id(v, "id")
	if number == "" || depth > maxNesting {
		return found{}, false
	}
	f := found{post: post.Post{ID: number, Kind: post.KindPost, URL: postURL(number), Outcome: post.OK}}
	p := &f.post
	if note := v.Get("note_tweet"); note.Get("text").String() != "" {
		p.Text = text(note.Get("text"))
		f.entities(note.Get("entities"))
	} else {
		p.Text = text(v.Get("text"))
	}
	f.entities(v.Get("entities"))
	if p.Lang = v.Get("lang").String(); !isLang(p.Lang) {
		p.Lang = ""
	}
	if p.Created = moment(v.Get("created_at")); p.Created.IsZero() {
		p.Created = IDTime(number)
	}
	s.author(&f, v)
	metrics := v.Get("public_metrics")
	for _, c := range []struct{ name, key string }{
		{"likes", "like_count"}, {"reposts", "retweet_count"}, {"comments", "reply_count"}, {"quotes", "quote_count"},
		{"bookmarks", "bookmark_count"}, {"views", "impression_count"},
	} {
		p.Counts = count(p.Counts, c.name, metrics.Get(c.key))
	}
	if a := v.Get("article"); a.IsObject() {
		f.article(a)
	}
	s.attachments(&f, v)
	s.geo(&f, v.Get("geo"))
	if v.Get("possibly_sensitive").Bool() {
		p.Tags = add(p.Tags, "sensitive")
	}
	if src := source(v.Get("source")); src != "" {
		p.Tags = add(p.Tags, src)
	}
	if w := v.Get("reply_settings").String(); w != "" && w != "everyone" {
		p.Tags = add(p.Tags, "reply_settings:"+strings.ToLower(w))
	}
	if n := id(v, "community_id"); n != "" {
		p.Tags = add(p.Tags, "community:"+n)
	}
	var versions []string
	for _, x := range v.Get("edit_history_tweet_ids").Array() {
		if isID(x.String()) {
			versions = append(versions, x.String())
		}
	}
	f.versions(versions)
	if withheld(v) {
		f.withheld(v)
	}
	if n := id(v, "conversation_id"); n != "" && n != number {
		p.Thread = n
	}
	s.references(&f, v, depth)
	return f, true
}

func (s shelf) author(f *found, v jsonx.Value) {
	number := id(v, "author_id")
	for _, u := range []jsonx.Value{s.users[number], v.Get("author"), v.Get("user")} {
		if u.IsObject() {
			f.author(u)
			return
		}
	}
	if number != "" {
		f.post.Account = post.Account{Platform: platform, ID: number, URL: web + "/i/user/" + number}
	}
}

// references reads what a post answers, quotes or repeats.
func (s shelf) references(f *found, v jsonx.Value, depth int) {
	cut := false
	for _, r := range v.Get("referenced_tweets").Array() {
		var role post.Role
		switch r.Get("type").String() {
		case "replied_to":
			role = post.RoleReplyTo
		case "quoted":
			role = post.RoleQuoteOf
		case "retweeted":
			role = post.RoleRepostOf
			cut = true
		default:
			continue
		}
		n := id(r, "id")
		if n == "" || n == f.post.ID {
			continue
		}
		f.refer(role, n, "")
		other := s.tweets[n]
		if !other.IsObject() && isV2(r) { // flattened: the post stands in the reference
			other = r
		}
		if other.IsObject() {
			before := len(f.inside)
			f.embed(other, role, depth, s.v2)
			cut = cut && len(f.inside) == before
		} else if role == post.RoleReplyTo {
			if u := s.users[id(v, "in_reply_to_user_id")]; u.IsObject() {
				f.refer(role, n, u.Get("username").String())
			}
		}
	}
	if len(v.Get("referenced_tweets").Array()) == 0 {
		cut = strings.HasPrefix(f.post.Text, "RT @") // fields were not asked for
	}
	if cut && strings.HasSuffix(f.post.Text, "…") {
		f.cut()
	}
}

// attachments reads media and polls.
func (s shelf) attachments(f *found, v jsonx.Value) {
	p := &f.post
	inline := map[string]jsonx.Value{} // flattened posts carry their media
	for _, m := range v.Get("attachments", "media").Array() {
		inline[m.Get("media_key").String()] = m
	}
	keys := v.Get("attachments", "media_keys").Array()
	for _, k := range keys {
		key := k.String()
		m := s.media[key]
		if !m.IsObject() {
			m = inline[key]
		}
		if k.IsObject() {
			m, key = k, k.Get("media_key").String()
		}
		f.v2media(m, key)
	}
	if len(keys) == 0 {
		for _, m := range v.Get("attachments", "media").Array() {
			f.v2media(m, m.Get("media_key").String())
		}
	}
	polls := v.Get("attachments", "poll_ids").Array()
	if inline := v.Get("attachments", "poll"); inline.IsObject() {
		s.poll(p, inline)
	}
	for _, k := range polls {
		s.poll(p, s.polls[k.String()])
	}
}

func (s shelf) poll(p *post.Post, v jsonx.Value) {
	if v.IsObject() {
		p.Tags = add(p.Tags, "poll")
	}
	for _, o := range v.Get("options").Array() {
		if label := o.Get("label").String(); label != "" {
			p.Counts = count(p.Counts, "poll_option:"+label, o.Get("votes"))
		}
	}
}

// v2media reads one medium; what the answer does not include is known by its
// key: the number before "_" is its kind.
func (f *found) v2media(m jsonx.Value, key string) {
	x := post.Media{Kind: post.MediaImage, Alt: m.Get("alt_text").String(), Width: size(m.Get("width")), Height: size(m.Get("height"))}
	kind := m.Get("type").String()
	if kind == "" {
		switch prefix, _, _ := strings.Cut(key, "_"); prefix {
		case "3":
			kind = "photo"
		case "7", "13":
			kind = "video"
		case "16":
			kind = "animated_gif"
		default:
			return
		}
	}
	address := m.Get("url").String()
	if kind != "photo" {
		x.Kind = post.MediaVideo
		if address = variant(m.Get("variants")); address == "" {
			if still := m.Get("preview_image_url").String(); still != "" {
				x.Kind, address = post.MediaImage, still // only its still is named
			}
		}
		if ms, ok := m.Get("duration_ms").Float(); ok && ms > 0 && ms < 1e12 {
			x.Duration = ms / 1000
		}
		f.post.Counts = count(f.post.Counts, "video_views", m.Get("public_metrics", "view_count"))
	}
	x.URL, _ = link(address)
	f.show(x)
}

func (s shelf) geo(f *found, v jsonx.Value) {
	place := s.places[v.Get("place_id").String()]
	if name := first(place.Get("full_name"), v.Get("full_name"), v.Get("name")); name != "" {
		f.post.Tags = add(f.post.Tags, "place:"+name)
	}
	if c := v.Get("coordinates", "coordinates"); c.IsArray() {
		f.point(c.At(0), c.At(1))
	}
}

// space reads an audio space of API v2.
func (s shelf) space(v jsonx.Value) (post.Post, bool) {
	code := v.Get("id").String()
	if !isCode(code) || !v.Get("state").IsString() {
		return post.Post{}, false
	}
	p := post.Post{
		ID: "space:" + code, Kind: post.KindPost, URL: web + "/i/spaces/" + code, Title: v.Get("title").String(),
		Tags: []string{"space"}, Outcome: post.OK,
	}
	switch v.Get("state").String() {
	case "live":
		p.Outcome = post.Live
	case "scheduled":
		p.Outcome = post.Upcoming
	}
	if lang := v.Get("lang").String(); isLang(lang) {
		p.Lang = lang
	}
	for _, key := range []string{"started_at", "created_at"} {
		if p.Created = moment(v.Get(key)); !p.Created.IsZero() {
			break
		}
	}
	if a, ok := userOf(s.users[id(v, "creator_id")]); ok {
		p.Account = a
	} else if n := id(v, "creator_id"); n != "" {
		p.Account = post.Account{Platform: platform, ID: n, URL: web + "/i/user/" + n}
	}
	p.Counts = count(p.Counts, "participants", v.Get("participant_count"))
	p.Counts = count(p.Counts, "subscribers", v.Get("subscriber_count"))
	return p, true
}

// community reads a community of API v2.
func community(v jsonx.Value) (post.Post, bool) {
	n := id(v, "id")
	if n == "" || !v.Get("name").IsString() || !v.Has("member_count") && !v.Has("join_policy") && !v.Has("access") {
		return post.Post{}, false
	}
	address := web + "/i/communities/" + n
	p := post.Post{
		ID: "community:" + n, Kind: post.KindAccount, URL: address, Title: v.Get("name").String(), Text: v.Get("description").String(),
		Account: post.Account{Platform: platform, Name: v.Get("name").String(), URL: address}, Created: moment(v.Get("created_at")), Outcome: post.OK,
	}
	p.Counts = count(p.Counts, "members", v.Get("member_count"))
	if w := v.Get("join_policy").String(); w != "" {
		p.Tags = append(p.Tags, "join_policy:"+strings.ToLower(w))
	}
	return p, true
}
