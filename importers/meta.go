package importers

import (
	"strings"

	"github.com/refrain-archive/refrain/post"
)

// reactions are the columns of Facebook's reactions: name of the count, end of
// the column's name.
var reactions = []string{"love", "wow", "haha", "sad", "angry", "care"}

// crowdTangle reads a row of CrowdTangle's historical report, for Facebook or
// Instagram. It gives the reason where the row is not a post.
func (r *reading) crowdTangle(t *table) (post.Post, string) {
	p := post.Post{Kind: post.KindPost, URL: t.get("url")}
	if p.URL == "" {
		return p, "a row without the URL of its post"
	}
	lower := strings.ToLower(p.URL)
	switch {
	case strings.Contains(lower, "instagram.com/"):
		p.Platform = "instagram"
	case strings.Contains(lower, "facebook.com/"):
		p.Platform = "facebook"
	default:
		return p, "a row whose URL is neither of Facebook nor of Instagram"
	}
	if ref, ok := r.itemAt(p.URL); ok && ref.Platform == p.Platform {
		p.ID, p.URL = ref.ID, ref.URL
	} else if i := strings.LastIndex(strings.TrimRight(p.URL, "/"), "/"); i >= 0 { // …/PAGE/posts/ID
		p.ID = strings.TrimRight(p.URL, "/")[i+1:]
		if strings.Trim(p.ID, "0123456789") != "" && p.Platform == "facebook" {
			return p, "a row whose URL names no single post"
		}
	}
	p.Account = post.Account{ID: t.get("facebook id"), Handle: t.get("user name"), Name: t.get("page name", "group name", "account")}
	if p.Account.Handle != "" {
		p.Account.URL = "https://www." + p.Platform + ".com/" + p.Account.Handle
	}
	p.Account.Counts = t.counts(nil, "followers", "followers at posting", "likes", "likes at posting")
	p.Account.Created = t.moment("page created")
	p.Text, p.Title = t.raw("message", "description"), t.raw("link text", "title")
	if p.Text != t.raw("description") && t.raw("description") != "" && p.Title == "" {
		p.Title = t.raw("description")
	}
	if p.Created = t.moment("post created", "created"); p.Created.IsZero() {
		if day := t.get("post created date"); day != "" {
			p.Created = momentOf(day + " " + t.get("post created time"))
		}
	}
	p.Counts = t.counts(nil, "likes", "likes", "comments", "comments", "shares", "shares")
	for _, name := range reactions {
		p.Counts = t.counts(p.Counts, name, name)
	}
	p.Counts = t.counts(p.Counts, "views", "post views", "views_total", "total views", "views_crossposts", "total views for all crossposts", "interactions", "total interactions")
	switch kind := t.get("type"); strings.ToLower(kind) {
	case "":
	case "photo", "album":
		p.Tags = append(p.Tags, "type:"+kind)
	default:
		if strings.Contains(strings.ToLower(kind), "video") {
			p.Kind = post.KindVideo
		}
		p.Tags = append(p.Tags, "type:"+kind)
	}
	for _, link := range []string{t.get("link"), t.get("final link")} {
		p.Links = addLink(p.Links, link, p.URL)
	}
	if alt := t.raw("image text"); alt != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, Alt: alt})
	}
	if photo := t.get("photo"); webAddressRaw(photo) {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: photo})
	}
	return p, ""
}

// library reads a row of the Meta Content Library: a post of Facebook or
// Instagram, or a comment. Its ids are the library's own, not the platform's, so
// they stand as "mcl:ID".
func (r *reading) library(t *table) (post.Post, string) {
	id := t.get("id")
	if id == "" {
		return post.Post{}, "a row without an id"
	}
	p := post.Post{ID: "mcl:" + id, Kind: post.KindPost, Text: t.raw("text"), Lang: t.get("lang"), URL: t.get("mcl url")}
	switch {
	case r.o.Platform != "":
		p.Platform = r.o.Platform
	case strings.Contains(p.URL, "/instagram/"), !t.any("statistics.love count", "surface.id", "surface.type", "owner.id", "shared post id") && !strings.Contains(p.URL, "/facebook/"):
		p.Platform = "instagram"
	default:
		p.Platform = "facebook"
	}
	if strings.Contains(p.URL, "://") && !webAddressRaw(p.URL) {
		p.URL = ""
	}
	owner := "post owner."
	if t.any("owner.id") && !t.any("post owner.id") {
		owner, p.Kind = "owner.", post.KindComment
		if thread := t.get("post id", "parent post id"); thread != "" {
			p.Thread = "mcl:" + thread
			p.Refs = append(p.Refs, post.Ref{Role: post.RoleCommentOn, ID: p.Thread})
		}
		if parent := t.get("parent comment id"); parent != "" {
			p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: "mcl:" + parent})
		}
	}
	p.Account = post.Account{Handle: t.get(owner + "username"), Name: t.get(owner + "name")}
	if own := t.get(owner + "id"); own != "" {
		p.Account.ID = "mcl:" + own
	}
	if p.Account.Handle != "" {
		p.Account.URL = "https://www." + p.Platform + ".com/" + p.Account.Handle
	}
	p.Created, p.Edited = t.utc("creation time"), t.utc("modified time")
	for _, name := range []struct{ count, column string }{
		{"likes", "like count"}, {"comments", "comment count"}, {"shares", "share count"}, {"reactions", "reaction count"}, {"replies", "top level reply count"},
		{"love", "love count"}, {"wow", "wow count"}, {"haha", "haha count"}, {"sad", "sad count"}, {"angry", "angry count"}, {"care", "care count"},
	} {
		p.Counts = t.counts(p.Counts, name.count, "statistics."+name.column)
	}
	if n, ok := t.number("statistics.views", "statistics.view count"); ok {
		p.Counts = append(p.Counts, post.ExactCount("views", n))
	}
	for _, tag := range []struct{ name, column string }{{"type", "content type"}, {"media", "media type"}, {"surface", "surface.type"}, {"surface_name", "surface.name"}} {
		if v := t.get(tag.column); v != "" {
			p.Tags = append(p.Tags, tag.name+":"+v)
		}
	}
	if strings.EqualFold(t.get("is branded content"), "true") {
		p.Tags = append(p.Tags, "branded_content")
	}
	if strings.Contains(strings.ToLower(t.get("content type", "media type")), "video") || strings.Contains(strings.ToLower(t.get("content type", "media type")), "reel") {
		p.Kind = post.KindVideo
	}
	p.Links = addLink(p.Links, t.get("link attachment.link", "link url"), "")
	p.Title = t.raw("link attachment.name", "link title")
	p.Hashtags = words(t.get("hashtags"), "#")
	if shared := t.get("shared post id"); shared != "" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleRepostOf, ID: "mcl:" + shared})
	}
	if alt := t.raw("image text"); alt != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, Alt: alt})
	}
	return p, ""
}

// youTubeTools reads a row of YouTube Data Tools: a video of a list, or a
// comment.
func (r *reading) youTubeTools(t *table) (post.Post, string) {
	if id := t.get("videoid"); id != "" && t.any("videotitle", "channeltitle") {
		p := post.Post{
			Platform: "youtube", ID: id, Kind: post.KindVideo, URL: "https://www.youtube.com/watch?v=" + id,
			Title: t.raw("videotitle", "title"), Text: t.raw("videodescription", "description"), Lang: t.get("defaultlanguage"),
			Created: t.utc("publishedatsql", "publishedat"),
			Account: post.Account{ID: t.get("channelid"), Name: t.get("channeltitle")},
		}
		if !isVideoID(id) {
			return p, "a row whose videoId is none"
		}
		if p.Account.ID != "" {
			p.Account.URL = "https://www.youtube.com/channel/" + p.Account.ID
		}
		if at := t.moment("publishedat"); !at.Time.IsZero() {
			p.Created = at
		}
		p.Counts = t.counts(nil, "views", "viewcount", "likes", "likecount", "dislikes", "dislikecount", "comments", "commentcount")
		media := post.Media{Kind: post.MediaVideo, URL: p.URL}
		if s, ok := t.number("durationsec"); ok && s >= 0 {
			media.Duration = float64(s)
		}
		p.Media = []post.Media{media}
		if thumb := t.get("thumbnail maxres"); webAddressRaw(thumb) {
			p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: thumb})
		}
		for tag := range strings.SplitSeq(t.get("tags"), ",") {
			if tag = strings.TrimSpace(tag); tag != "" {
				p.Tags = append(p.Tags, tag)
			}
		}
		if label := t.get("videocategorylabel"); label != "" {
			p.Tags = append(p.Tags, "category:"+label)
		}
		return p, ""
	}
	id := t.get("id")
	if id == "" {
		return post.Post{}, "a row without an id"
	}
	p := post.Post{
		Platform: "youtube", ID: id, Kind: post.KindComment, Text: t.raw("text"), Created: t.utc("publishedat"), Thread: t.get("videoid"),
		Account: post.Account{ID: t.get("authorchannelid"), Name: t.get("authorname")},
	}
	if u := t.get("authorchannelurl"); webAddressRaw(u) {
		p.Account.URL = u
	}
	if len(id) == 40 && strings.Trim(id, "0123456789abcdef") == "" && p.Account.ID == "" {
		// Pseudonymised by the tool: ids and names are hashes.
		p.ID, p.Account = "sha1:"+id, post.Account{Name: p.Account.Name}
		p.Tags = append(p.Tags, "pseudonymised")
	}
	p.Counts = t.counts(nil, "likes", "likecount", "replies", "replycount")
	if p.Thread != "" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleCommentOn, ID: p.Thread, URL: "https://www.youtube.com/watch?v=" + p.Thread})
	}
	if parent := t.get("isreplytoid", "isreplyto"); parent != "" && parent != "0" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: parent})
	}
	return p, ""
}

func isVideoID(s string) bool {
	return len(s) == 11 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
