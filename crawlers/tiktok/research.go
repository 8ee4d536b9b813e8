package tiktok

import (
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// isResearchVideo reports whether v is a video of the Research API: what is
// asked for by id answers with "id", in the documentation's sample "video_id".
func isResearchVideo(v jsonx.Value) bool {
	return number(v.Get("id"), v.Get("video_id")) != "" && !v.Has("desc") && !v.Has("text") &&
		(v.Has("video_description") || v.Has("region_code") || v.Has("voice_to_text") || v.Has("hashtag_names") || v.Has("username") && v.Has("create_time") || v.Has("view_count"))
}

// researchVideo reads a video of the Research API. Its counts are exact.
func researchVideo(v jsonx.Value) (found, bool) {
	id := number(v.Get("id"), v.Get("video_id"))
	f := found{post: post.Post{ID: id, Kind: post.KindVideo, Text: v.Get("video_description").String(), Created: created(id, v.Get("create_time")), Outcome: post.OK}}
	p := &f.post
	if handle := v.Get("username").String(); isHandle(handle) {
		p.Account = post.Account{Platform: platform, Handle: handle, URL: web + "/@" + handle}
	}
	for _, c := range []struct{ name, key string }{
		{"likes", "like_count"}, {"comments", "comment_count"}, {"shares", "share_count"}, {"views", "view_count"}, {"saves", "favorites_count"},
	} {
		p.Counts = count(p.Counts, c.name, true, v.Get(c.key))
	}
	f.captionTags() // first, for their spelling
	for _, h := range v.Get("hashtag_names").Array() {
		f.hashtag(h.String())
	}
	for _, h := range v.Get("hashtag_info_list").Array() {
		f.hashtag(h.Get("hashtag_name").String())
	}
	for _, m := range v.Get("video_mention_list").Array() {
		if s := strings.TrimPrefix(first(m, m.Get("username")), "@"); isHandle(s) {
			p.Mentions = add(p.Mentions, s)
		}
	}
	alt := v.Get("voice_to_text").String()
	for _, s := range v.Get("sticker_info_list").Array() {
		for _, t := range []jsonx.Value{s.Get("sticker_text"), s.Get("text"), s.Get("sticker_name")} {
			if w := t.String(); w != "" && !strings.Contains(alt, w) {
				alt = strings.TrimSpace(alt + "\n" + w)
			}
		}
	}
	if d := length(v.Get("video_duration")); d > 0 || alt != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Alt: alt, Duration: d})
	}
	p.Tags = add(p.Tags, region(v.Get("region_code")))
	if n := number(v.Get("music_id")); n != "" {
		p.Tags = add(p.Tags, "sound:"+n)
	}
	if n := number(v.Get("playlist_id")); n != "" {
		p.Tags = add(p.Tags, "playlist:"+n)
	}
	for _, e := range v.Get("effect_ids").Array() {
		if n := e.String(); n != "" && n != "0" {
			p.Tags = add(p.Tags, "effect:"+n)
		}
	}
	for _, l := range append(v.Get("video_label").Array(), v.Get("video_label")) {
		if s := first(l.Get("content"), l.Get("name"), l); s != "" {
			p.Tags = add(p.Tags, "label:"+s)
		}
	}
	if v.Get("is_stem_verified").Bool() {
		p.Tags = add(p.Tags, "label:STEM")
	}
	p.URL = postURL(id, p.Account.Handle, false)
	return f, true
}

func isResearchComment(v jsonx.Value) bool {
	return number(v.Get("id")) != "" && v.Get("text").IsString() && number(v.Get("video_id")) != "" && !v.Has("video_description")
}

// researchComment reads a comment of the Research API, which names no author.
func researchComment(v jsonx.Value) (found, bool) {
	id, on := number(v.Get("id")), number(v.Get("video_id"))
	f := found{post: post.Post{
		ID: id, Kind: post.KindComment, Text: v.Get("text").String(), Created: created(id, v.Get("create_time")), Thread: on, Outcome: post.OK,
		URL: postURL(on, "", false) + "?comment_id=" + id,
	}}
	p := &f.post
	p.Counts = count(p.Counts, "likes", true, v.Get("like_count"))
	p.Counts = count(p.Counts, "comments", true, v.Get("reply_count"))
	if n := number(v.Get("parent_comment_id")); n != "" && n != on {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: n})
	}
	p.Refs = append(p.Refs, post.Ref{Role: post.RoleCommentOn, ID: on, URL: postURL(on, "", false)})
	f.captionTags()
	return f, true
}

// isResearchUser reports whether v is a profile of the Research API.
func isResearchUser(v jsonx.Value) bool {
	return v.Get("display_name").IsString() && (v.Has("follower_count") || v.Has("bio_description") || v.Has("video_count"))
}

// researchUser reads a profile of the Research API. It names neither the account
// nor its number: handle is that of the request.
func researchUser(v jsonx.Value, handle string) (post.Post, bool) {
	if !isHandle(handle) {
		return post.Post{}, false
	}
	a := post.Account{Platform: platform, Handle: handle, Name: v.Get("display_name").String(), URL: web + "/@" + handle}
	a.Avatar, _ = link(v.Get("avatar_url").String())
	for _, c := range []struct{ name, key string }{{"followers", "follower_count"}, {"following", "following_count"}, {"posts", "video_count"}, {"likes", "likes_count"}} {
		a.Counts = count(a.Counts, c.name, true, v.Get(c.key))
	}
	p := post.Post{ID: accountID(a), Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Text: v.Get("bio_description").String(), Counts: a.Counts, Outcome: post.OK}
	if s, ok := link(v.Get("bio_url").String()); ok {
		p.Links = add(p.Links, s)
	}
	if v.Get("is_verified").Bool() {
		p.Tags = add(p.Tags, "verified")
	}
	return p, true
}

// isResearch reports whether v is an answer of the Research API.
func isResearch(v jsonx.Value) bool {
	data, e := v.Get("data"), v.Get("error")
	return data.IsObject() && e.IsObject() && e.Has("code") && (data.Has("videos") || data.Has("comments") || isResearchUser(data))
}

// research reads an answer of the Research API, and leads on. It is false for
// what is none.
func (r *reader) research(v jsonx.Value) bool {
	if !isResearch(v) {
		return false
	}
	r.known = true
	data := v.Get("data")
	if isResearchUser(data) {
		r.researchProfile(data)
		return true
	}
	r.list = true
	for _, x := range data.Get("videos").Array() {
		if f, ok := researchVideo(x); ok && isResearchVideo(x) {
			r.put(f)
		}
	}
	for _, x := range data.Get("comments").Array() {
		if isResearchComment(x) {
			if f, ok := researchComment(x); ok {
				r.put(f)
			}
		}
	}
	r.follow(data)
	if len(r.page.Posts) == 0 && len(data.Get("videos").Array())+len(data.Get("comments").Array()) > 0 {
		r.fail(post.LayoutChanged, "the answer's items are of an unknown form")
		r.page.Next = nil
		return true
	}
	r.finish("")
	return true
}

// researchProfile reads a profile, and leads to the account's newest videos.
func (r *reader) researchProfile(data jsonx.Value) {
	handle := ""
	if s := r.step.Ref; s.Kind == crawlers.RefAccount {
		handle = s.ID
	}
	p, ok := researchUser(data, handle)
	if !ok {
		r.fail(post.UnexpectedType, "a profile of the Research API does not say whose it is: the request does, which is not there")
		return
	}
	r.add(p)
	st := state{}
	if n, ok := data.Get("video_count").Int(); ok && n >= 0 {
		st.Left = n + 1
	}
	r.window(r.today(), st)
}

// today is the day of the answer: the collector's only clock.
func (r *reader) today() string {
	if r.ex.FetchedAt.IsZero() {
		return ""
	}
	return r.ex.FetchedAt.UTC().Format(dayForm)
}

// window gives the step to the videos of the 30 days that end on a day.
func (r *reader) window(end string, st state) {
	s := r.step
	if end == "" || s.Role == crawlers.RoleHydrate || s.Ref.Kind == crawlers.RefPost || s.Ref.Kind == crawlers.RefSite || s.Ref.Kind == crawlers.RefPage {
		return
	}
	st.End, st.Cursor, st.Search = end, 0, ""
	step := crawlers.Step{Ref: s.Ref, Route: routeAPI, Role: s.Role, State: st.encode()}
	if _, err := (Collector{}).Request(step); err == nil {
		r.page.Next = append(r.page.Next, step)
	}
}

// isProbe reads the answer to a query of before TikTok's time: whatever it says,
// unless that is about us, it tells the day.
func (r *reader) isProbe(v jsonx.Value) bool {
	s := r.step
	if s.Route != routeAPI || r.state.End != "" || s.Role == crawlers.RoleComments || s.Role == crawlers.RoleHydrate || r.ex.FetchedAt.IsZero() ||
		s.Ref.Kind != crawlers.RefTag && s.Ref.Kind != crawlers.RefBoard && s.Ref.Kind != crawlers.RefSearch {
		return false
	}
	if len(v.Get("data", "videos").Array()) > 0 {
		return false
	}
	o, _ := answerOutcome(r.ex, v)
	if !isResearch(v) && o != post.UnexpectedType || o != "" && o != post.UnexpectedType {
		return false
	}
	r.window(r.today(), state{})
	return len(r.page.Next) > 0
}

// follow leads to the next page of a window, to the window before, or to the
// next comments.
func (r *reader) follow(data jsonx.Value) {
	cov := &r.page.Coverage
	s := r.step
	cursor, ok := data.Get("cursor").Int()
	more := data.Get("has_more").Bool() && ok && cursor > r.state.Cursor && cursor < 1<<40
	if s.Ref.Kind == crawlers.RefPost && s.Role != crawlers.RoleComments {
		if data.Has("comments") {
			cov.End = "the step asked for one page of comments"
			if more {
				cov.Window = true
			}
		} else {
			r.list = false
			*cov = crawlers.Coverage{}
		}
		return
	}
	if s.Route != routeAPI && s.Route != "" || s.Ref.Kind == crawlers.RefSite || s.Ref.Kind == crawlers.RefPage {
		cov.End = "the answer stands alone"
		return
	}
	if s.Role == crawlers.RoleComments {
		switch {
		case more:
			r.page.Next = append(r.page.Next, crawlers.Step{Ref: s.Ref, Route: routeAPI, Role: s.Role, State: state{Cursor: cursor}.encode()})
			cov.End = "further comments are a step of their own"
		case cursor >= 1000:
			cov.End, cov.Window = "the Research API gives at most 1,000 comments of a video", true
		default:
			cov.End = "end of list"
		}
		return
	}
	if r.state.End == "" {
		cov.End = "the answer does not say of which days it is"
		if more {
			cov.Window = true
		}
		return
	}
	st := r.state
	if st.Left > 0 {
		st.Left = max(1, st.Left-int64(r.listed))
	}
	switch end := before(st.End); {
	case more:
		st.Cursor, st.Search = cursor, data.Get("search_id").String()
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: s.Ref, Route: routeAPI, Role: s.Role, State: st.encode()})
	case st.Left == 1:
		cov.End = "all posts that the profile counts were served"
	case end == "":
		cov.End = "end of list: TikTok has no older videos"
	default:
		r.window(end, st)
	}
}
