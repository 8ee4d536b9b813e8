package instagram

import (
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

// isNode reports whether o is a medium of GraphQL's edges, 2017 to 2024.
func isNode(o jsontree.Value) bool {
	if !isNumber(o.Get("id").String()) && PK(o.Get("shortcode").String()) == "" {
		return false
	}
	kind := strings.TrimPrefix(o.Get("__typename").String(), "XDT")
	switch kind {
	case "GraphImage", "GraphVideo", "GraphSidecar", "GraphStoryImage", "GraphStoryVideo":
		return o.Has("taken_at_timestamp") || o.Has("shortcode") || o.Has("edge_media_to_caption") || o.Has("owner")
	}
	return o.Has("shortcode") && (o.Has("taken_at_timestamp") || o.Has("edge_media_to_caption") || o.Has("display_url")) && !o.Has("permalink")
}

// readNode reads a medium of GraphQL's edges.
func readNode(o jsontree.Value, fetched time.Time) (*draft, bool) {
	id, code := o.Get("id").String(), o.Get("shortcode").String()
	if code != "" && PK(code) != "" {
		if isNumber(id) && PK(code) != id {
			return nil, false
		}
		id = PK(code)
	}
	if code == "" {
		code = Code(id)
	}
	if code == "" {
		return nil, false
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindPost, URL: postURL(code)}}
	d.Account = d.account(exists(o.Get("owner"), o.Get("user")))
	d.say(o.Get("edge_media_to_caption", "edges").At(0).Get("node", "text").String())
	if d.Created = at(exists(o.Get("taken_at_timestamp"), o.Get("taken_at"))); d.Created.IsZero() {
		d.Created = bound(id, fetched)
	}
	kind := o.Get("__typename").String()
	if strings.Contains(kind, "Story") {
		if d.Account.Handle != "" {
			d.URL = storyURL(d.Account.Handle, id)
		}
		d.count("views", o.Get("story_view_count"))
	}
	hidden := o.Get("like_and_view_counts_disabled").Bool()
	if hidden {
		d.Counts = append(d.Counts, post.HiddenCount("likes"))
	} else {
		d.count("likes", exists(o.Get("edge_media_preview_like", "count"), o.Get("edge_liked_by", "count")))
	}
	if comments := exists(o.Get("edge_media_to_parent_comment", "count"), o.Get("edge_media_to_comment", "count"), o.Get("edge_media_preview_comment", "count")); comments.Exists() && !o.Get("comments_disabled").Bool() {
		d.count("comments", comments)
	} else if o.Get("comments_disabled").Bool() {
		d.absent("comments")
	}
	if views := exists(o.Get("video_play_count"), o.Get("video_view_count")); views.Exists() {
		if hidden {
			d.Counts = append(d.Counts, post.HiddenCount("views"))
		} else {
			d.count("views", views)
		}
	}
	children := o.Get("edge_sidecar_to_children", "edges").Array()
	for _, c := range children {
		d.nodePart(c.Get("node"))
	}
	if len(children) == 0 {
		d.nodePart(o)
	}
	for _, e := range o.Get("edge_media_to_tagged_user", "edges").Array() {
		d.mention(e.Get("node", "user", "username").String())
	}
	for _, c := range o.Get("coauthor_producers").Array() {
		if name := c.Get("username").String(); name != "" {
			d.account(c)
			d.mention(name)
			d.tag("coauthor:" + name)
		}
	}
	for _, e := range o.Get("edge_media_to_sponsor_user", "edges").Array() {
		if name := e.Get("node", "sponsor", "username").String(); name != "" {
			d.account(e.Get("node", "sponsor"))
			d.mention(name)
			d.tag("sponsor:" + name)
		}
	}
	for _, t := range o.Get("tappable_objects").Array() {
		switch {
		case strings.HasSuffix(t.Get("__typename").String(), "Hashtag"):
			d.hashtag(t.Get("name").String())
		case strings.HasSuffix(t.Get("__typename").String(), "Mention"):
			d.mention(first(t.Get("username").String(), t.Get("full_name").String()))
		}
	}
	d.link(o.Get("story_cta_url").String())
	if name := o.Get("location", "name").String(); name != "" {
		d.tag("location:" + name)
	}
	if o.Get("is_ad").Bool() {
		d.tag("ad")
	}
	if o.Get("is_paid_partnership").Bool() {
		d.tag("paid partnership")
	}
	if o.Get("caption_is_edited").Bool() {
		d.tag("edited")
	}
	if (o.Get("is_video").Bool() || strings.HasSuffix(kind, "Video")) && len(children) == 0 {
		d.Kind = post.KindVideo
	}
	return d, true
}

func (d *draft) nodePart(o jsontree.Value) {
	cover := o.Get("display_url").String()
	m := post.Media{
		Kind: post.MediaImage, URL: cover, Alt: o.Get("accessibility_caption").String(),
		Width: integer(o.Get("dimensions", "width")), Height: integer(o.Get("dimensions", "height")),
	}
	largest := 0
	for _, r := range o.Get("display_resources").Array() {
		if w := integer(r.Get("config_width")); w > largest && r.Get("src").String() != "" {
			largest, m.URL = w, r.Get("src").String()
		}
	}
	if cover != "" {
		m.URL = cover // the original; the resources are made from it
	}
	if o.Get("is_video").Bool() || strings.HasSuffix(o.Get("__typename").String(), "Video") {
		cover = m.URL
		m.Kind, m.URL = post.MediaVideo, o.Get("video_url").String()
		largest = 0
		for _, r := range o.Get("video_resources").Array() {
			if w := integer(r.Get("config_width")); w > largest && r.Get("src").String() != "" {
				largest, m.URL = w, r.Get("src").String()
			}
		}
		m.Duration = seconds(o.Get("video_duration"))
	}
	d.media(m, cover)
}

// isUser reports whether o is an account with its profile, not the stub beside
// a post.
func isUser(o jsontree.Value) bool {
	if !nameForm.MatchString(o.Get("username").String()) || o.Has("permalink") {
		return false
	}
	for _, key := range []string{"edge_followed_by", "follower_count", "followers_count", "biography", "media_count", "edge_owner_to_timeline_media"} {
		if o.Get(key).Exists() {
			return isNumber(first(o.Get("pk").String(), o.Get("id").String(), o.Get("pk_id").String()))
		}
	}
	return false
}

// readUser reads an account's profile, of GraphQL, API v1 or the Graph API.
func readUser(o jsontree.Value) *draft {
	d := &draft{}
	d.Account = d.account(o)
	if name := o.Get("name").String(); d.Account.Name == "" {
		d.Account.Name = name
	}
	if pic := o.Get("profile_picture_url").String(); d.Account.Avatar == "" {
		d.Account.Avatar = pic
	}
	if pk := nativeID(o); pk != "" && pk != d.Account.ID {
		d.identities = nil
		d.identity(d.Account.Handle, pk)
		d.identity(d.Account.ID, pk)
		d.Account.ID = pk
	}
	d.ID, d.Kind, d.URL, d.Title = d.Account.ID, post.KindAccount, d.Account.URL, d.Account.Name
	d.say(o.Get("biography").String())
	d.Counts = nil
	d.count("followers", exists(o.Get("edge_followed_by", "count"), o.Get("follower_count"), o.Get("followers_count")))
	d.count("following", exists(o.Get("edge_follow", "count"), o.Get("following_count"), o.Get("follows_count")))
	d.count("posts", exists(o.Get("edge_owner_to_timeline_media", "count"), o.Get("media_count"), o.Get("all_media_count")))
	for _, l := range o.Get("bio_links").Array() {
		d.link(l.Get("url").String())
	}
	d.link(first(o.Get("external_url").String(), o.Get("website").String()))
	d.identity(first(o.Get("fbid").String(), o.Get("fbid_v2").String()), d.Account.ID)
	d.identity(o.Get("interop_messaging_user_fbid").String(), d.Account.ID)
	if o.Get("is_private").Bool() {
		d.tag("private")
		d.Outcome = post.Private
	}
	if o.Get("is_verified").Bool() {
		d.tag("verified")
	}
	if c := first(o.Get("category_name").String(), o.Get("category").String()); c != "" {
		d.tag("category:" + c)
	}
	return d
}

// nativeID is the site's number of an account in an answer of the Graph API,
// whose id is a number of its own.
func nativeID(o jsontree.Value) string {
	pk := first(o.Get("ig_id").String(), o.Get("legacy_instagram_user_id").String())
	if !isNumber(pk) {
		return ""
	}
	return pk
}
