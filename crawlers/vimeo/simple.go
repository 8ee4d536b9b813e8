package vimeo

import (
	"fmt"
	"html"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/post"
)

// oembed reads what oEmbed tells of a video. A video whose embedding is limited
// is named by its id alone.
func (r *reader) oembed(v value) {
	if s := v.Get("provider_name").String(); s != "" && s != "Vimeo" {
		r.fail(post.UnexpectedType, fmt.Sprintf("an oEmbed answer of %q", s))
		return
	}
	id, hash := "", ""
	if m := videoURI.FindStringSubmatch(v.Get("uri").String()); m != nil {
		id, hash = digits(m[1]), m[2]
	}
	if n := v.Get("video_id").String(); id == "" && number.MatchString(n) {
		id = digits(n)
	}
	if id == "" {
		if _, rest, ok := strings.Cut(v.Get("html").String(), "player.vimeo.com/video/"); ok {
			end := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' })
			if end > 0 {
				id = digits(rest[:end])
			}
		}
	}
	if id == "" {
		r.fail(post.LayoutChanged, "an oEmbed answer that names no video")
		return
	}
	if hash == "" && r.step.Ref.ID == id {
		hash = r.step.Ref.Of
	}
	p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id, hash), Title: v.Get("title").String(), Text: v.Get("description").String(), Outcome: post.OK}
	p.Links = links(p.Text)
	p.Account = r.user("", v.Get("author_name").String(), v.Get("author_url").String(), "")
	p.Created = newYork(v.Get("upload_date").String())
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Width: size(v.Get("width")), Height: size(v.Get("height")), Duration: seconds(v.Get("duration"))})
	if raw := absolute(v.Get("thumbnail_url").String()); raw != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: raw, Width: size(v.Get("thumbnail_width")), Height: size(v.Get("thumbnail_height"))})
	}
	if p.Title == "" && p.Account.Name == "" {
		p.Outcome = post.EmbedRestricted
	}
	if hash != "" {
		p.Tags = append(p.Tags, "unlisted")
	}
	if r.one(p) && p.Outcome == post.EmbedRestricted {
		r.page.Reason = "oEmbed names the video, and neither title nor author: its embedding is limited"
	}
}

// simpleList reads a list of the simple API.
func (r *reader) simpleList(v value) {
	items := v.Array()
	for _, it := range items {
		r.simple(it)
	}
	if len(items) > 0 && len(r.page.Posts) == 0 {
		r.fail(post.LayoutChanged, "a JSON array without any video of the simple API")
		return
	}
	if len(items) == 0 && r.step.Ref.Kind == crawlers.RefPost {
		r.fail(post.NotFound, "the simple API has no such public video")
		return
	}
	if want := r.step.Ref; want.Kind == crawlers.RefPost && len(items) == 1 {
		if id := r.page.Posts[0].ID; id != want.ID {
			r.page = crawlers.Page{}
			r.fail(post.LayoutChanged, "asked for "+want.ID+", the answer is about "+id)
			return
		}
	}
	c := &r.page.Coverage
	c.Served = len(r.page.Posts)
	page := max(r.state.Page, 1)
	if p := r.url.Query().Get("page"); number.MatchString(p) && len(p) == 1 {
		page = max(page, int(p[0]-'0'))
	}
	if r.step.Ref.Kind == crawlers.RefPost {
		c.End = "one video"
		return
	}
	if len(items) >= 20 && page < 3 && (r.step.Route == routeSimple || r.step.Route == "" && strings.HasPrefix(r.url.Path, "/api/v2/")) {
		next := crawlers.Step{Ref: r.step.Ref, Route: routeSimple, State: state{Page: page + 1}.encode()}
		if _, err := (Collector{}).Request(next); err == nil {
			r.next(next)
			return
		}
	}
	c.Window = len(items) >= 20
	c.End = "end of list"
	if c.Window {
		c.End = "the simple API serves the newest 60"
	}
}

// simple reads a video, user or channel of the simple API.
func (r *reader) simple(v value) {
	id := v.Get("id").String()
	if !number.MatchString(id) {
		return
	}
	id = digits(id)
	switch {
	case v.Has("display_name"):
		a := r.user(id, v.Get("display_name").String(), v.Get("profile_url").String(), absolute(firstOf(v.Get("portrait_huge").String(), v.Get("portrait_large").String())))
		a.Created = newYork(v.Get("created_on").String())
		for _, row := range []struct{ key, name string }{{"total_contacts", "contacts"}, {"total_videos_uploaded", "posts"}} {
			if c, ok := count(row.name, v.Get(row.key)); ok {
				a.Counts = append(a.Counts, c)
			}
		}
		p := post.Post{ID: "user:" + id, Kind: post.KindAccount, URL: firstOf(a.URL, userID(id).URL), Account: a, Title: a.Name, Text: plain(v.Get("bio").String()), Created: a.Created}
		if s := v.Get("location").String(); s != "" {
			p.Tags = append(p.Tags, "location "+s)
		}
		if raw := v.Get("url").String(); absolute(raw) != "" {
			p.Links = append(p.Links, absolute(raw))
		}
		if a.Avatar != "" {
			p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: a.Avatar})
		}
		r.add(p)
	case v.Has("creator_id"), v.Has("total_subscribers"), v.Has("total_videos"):
		raw := absolute(v.Get("url").String())
		p := post.Post{ID: "channels/" + id, Kind: post.KindAccount, URL: raw, Title: v.Get("name").String(), Created: newYork(v.Get("created_on").String())}
		if strings.Contains(raw, "/groups/") {
			p.ID = "groups/" + id
		}
		if p.Title == "" {
			p.Title = v.Get("title").String()
		}
		content := htmltext.Fragment(v.Get("description").String(), base)
		p.Text, p.Links = content.Text, content.Links
		p.Account = post.Account{ID: p.ID, Name: p.Title, URL: raw, Created: p.Created}
		for _, row := range []struct{ key, name string }{{"total_subscribers", "followers"}, {"total_members", "followers"}, {"total_videos", "posts"}} {
			if c, ok := count(row.name, v.Get(row.key)); ok {
				p.Account.Counts = append(p.Account.Counts, c)
			}
		}
		if who := v.Get("creator_id").String(); who != "" {
			p.Tags = append(p.Tags, "by user "+who+" "+v.Get("creator_display_name").String())
			r.user(who, v.Get("creator_display_name").String(), v.Get("creator_url").String(), "")
		}
		if ref := r.step.Ref; raw != "" && (ref.Kind == crawlers.RefBoard || ref.Kind == crawlers.RefGroup) {
			r.identity(ref.Kind, ref.ID, p.ID, raw)
		}
		if logo := absolute(v.Get("logo").String()); logo != "" {
			p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: logo})
		}
		r.add(p)
	case v.Has("title"):
		p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id, ""), Title: v.Get("title").String()}
		content := htmltext.Fragment(v.Get("description").String(), base)
		p.Text, p.Links = content.Text, content.Links
		if len(p.Links) == 0 {
			p.Links = links(p.Text)
		}
		p.Account = r.user(v.Get("user_id").String(), v.Get("user_name").String(), v.Get("user_url").String(), absolute(firstOf(v.Get("user_portrait_huge").String(), v.Get("user_portrait_large").String())))
		p.Created = newYork(v.Get("upload_date").String())
		for _, row := range []struct{ key, name string }{{"stats_number_of_plays", "views"}, {"stats_number_of_likes", "likes"}, {"stats_number_of_comments", "comments"}} {
			if c, ok := count(row.name, v.Get(row.key)); ok {
				p.Counts = append(p.Counts, c)
			}
		}
		r.oldMedia(&p, v, firstOf(v.Get("thumbnail_large").String(), v.Get("thumbnail_medium").String()))
		for _, t := range strings.Split(v.Get("tags").String(), ",") {
			if t = strings.TrimSpace(t); t != "" && len(p.Tags) < 200 {
				p.Tags = append(p.Tags, t)
			}
		}
		r.add(p)
	}
}

func (r *reader) oldMedia(p *post.Post, v value, thumbnail string) {
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Width: size(v.Get("width")), Height: size(v.Get("height")), Duration: seconds(v.Get("duration"))})
	if raw := absolute(thumbnail); raw != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: raw})
	}
}

// plain turns markup into text, and leaves text without any as it is.
func plain(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	return htmltext.Fragment(s, base).Text
}

// advanced reads a list of the advanced API of 2008-2016.
func (r *reader) advanced(v value) {
	videos := v.Get("videos")
	if !videos.IsObject() {
		videos = v
	}
	items := videos.Get("video")
	list := items.Array()
	if items.IsObject() { // one video stands without a list
		list = []value{items}
	}
	for _, it := range list {
		id := it.Get("id").String()
		if !number.MatchString(id) {
			continue
		}
		id = digits(id)
		if it.Get("title").String() == "" && it.Get("upload_date").String() == "" && it.Get("owner", "id").String() == "" {
			// The index still holds it, the video is gone: what is filled in
			// (a user "user", default pictures, 0 comments) means nothing.
			r.add(post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id, ""), Outcome: post.Unavailable})
			continue
		}
		p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id, ""), Title: it.Get("title").String(), Text: it.Get("description").String(), Outcome: post.OK}
		p.Links = links(p.Text)
		owner := it.Get("owner")
		avatar := ""
		for _, x := range owner.Get("portraits", "portrait").Array() {
			avatar = firstOf(absolute(x.Get("_content").String()), avatar)
		}
		p.Account = r.user(owner.Get("id").String(), firstOf(owner.Get("display_name").String(), owner.Get("realname").String()), owner.Get("profileurl").String(), avatar)
		p.Created = newYork(it.Get("upload_date").String())
		for _, row := range []struct{ key, name string }{{"number_of_plays", "views"}, {"number_of_likes", "likes"}, {"number_of_comments", "comments"}} {
			if c, ok := count(row.name, it.Get(row.key)); ok {
				p.Counts = append(p.Counts, c)
			}
		}
		thumbnail := ""
		for _, x := range it.Get("thumbnails", "thumbnail").Array() {
			thumbnail = firstOf(x.Get("_content").String(), thumbnail)
		}
		r.oldMedia(&p, it, thumbnail)
		for _, t := range it.Get("tags", "tag").Array() {
			if s := t.Get("_content").String(); s != "" && len(p.Tags) < 200 {
				p.Tags = append(p.Tags, s)
			}
		}
		switch it.Get("privacy").String() {
		case "password":
			p.Outcome = post.Password
		case "nobody":
			p.Outcome = post.Private
		case "contacts", "users":
			p.Outcome = post.Protected
		}
		r.add(p)
	}
	if len(list) > 0 && len(r.page.Posts) == 0 {
		r.fail(post.LayoutChanged, "a list of the advanced API without any video")
		return
	}
	c := &r.page.Coverage
	c.Served, c.End = len(r.page.Posts), "the advanced API does not exist any more"
	if n, ok := videos.Get("total").Int(); ok && n >= 0 {
		c.Total, c.Known = n, true
	}
}

func unescape(s string) string { return html.UnescapeString(s) }
