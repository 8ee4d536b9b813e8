package instagram

import (
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

// ReadItem reads one post or comment as it stands alone in an export or
// capture: an item of API v1 or Polaris (Zeeschuimer's data member), a node of
// GraphQL's edges, or a medium of the Graph API. It gives false for anything
// else. Platform and Outcome are set; FetchedAt, Capture and Reader are the
// caller's. An item that says of itself that it is partial (Zeeschuimer's
// _zs_partial) has Outcome ok_partial and must not replace a whole one.
func ReadItem(raw []byte) (post.Post, bool) {
	v, err := jsontree.Parse(raw)
	if err != nil {
		return post.Post{}, false
	}
	d, ok := readObject(v, time.Time{})
	if !ok {
		return post.Post{}, false
	}
	d.Platform = platform
	if d.Account.ID != "" || d.Account.Handle != "" {
		d.Account.Platform = platform
	}
	if d.Outcome == "" {
		d.Outcome = post.OK
	}
	return d.Post, true
}

// readObject reads o if it is a post, comment or profile of any shape.
func readObject(o jsontree.Value, fetched time.Time) (*draft, bool) {
	switch {
	case isItem(o):
		return readItem(o, fetched)
	case isNode(o):
		return readNode(o, fetched)
	case isMedium(o):
		return readMedium(o, fetched)
	}
	return nil, false
}

// isItem reports whether o is an item of API v1 or Polaris. What a caption's own
// object or a user has is not enough.
func isItem(o jsontree.Value) bool {
	id := itemID(o)
	if len(id) < 8 || o.Has("username") || o.Has("text") {
		return false
	}
	n := 0
	for _, key := range []string{"code", "media_type", "taken_at", "caption", "image_versions2", "carousel_media", "video_versions", "product_type"} {
		if o.Has(key) {
			n++
		}
	}
	return n >= 2 && (o.Has("user") || o.Has("owner") || o.Has("code") && o.Get("code").Exists() || o.Get("taken_at").Exists())
}

// itemID is an item's number. id is PK_OWNER.
func itemID(o jsontree.Value) string {
	id := o.Get("pk").String()
	if id == "" {
		id, _, _ = strings.Cut(o.Get("id").String(), "_")
	}
	if !isNumber(id) {
		id = PK(o.Get("code").String())
	}
	return id
}

// readItem reads an item of API v1 or Polaris.
func readItem(o jsontree.Value, fetched time.Time) (*draft, bool) {
	id := itemID(o)
	code := o.Get("code").String()
	if code != "" && PK(code) != "" && PK(code) != id {
		return nil, false // two posts in one: nothing of it can be believed
	}
	if code == "" {
		code = Code(id)
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindPost, URL: postURL(code)}}
	user := exists(o.Get("user"), o.Get("owner"))
	d.Account = d.account(user)
	if owner := o.Get("owner"); d.Account.ID == "" && owner.Exists() {
		if _, of, ok := strings.Cut(o.Get("id").String(), "_"); ok && isNumber(of) {
			d.Account.ID = of
		} else {
			d.Account.ID = d.account(owner).ID
		}
	}
	if d.Account.ID == "" {
		if _, of, ok := strings.Cut(o.Get("id").String(), "_"); ok && isNumber(of) {
			d.Account.ID = of
			d.identity(d.Account.Handle, of)
		}
	}
	caption := o.Get("caption")
	d.say(first(caption.Get("text").String(), caption.String()))
	if d.Created = at(o.Get("taken_at")); d.Created.IsZero() {
		d.Created = bound(id, fetched)
	}
	story := o.Get("product_type").String() == "story" || o.Has("story_cta") && o.Get("expiring_at").Exists()
	if story && d.Account.Handle != "" {
		d.URL = storyURL(d.Account.Handle, id)
	}
	d.itemCounts(o)
	d.itemMedia(o)
	d.itemMarks(o)
	for _, c := range o.Get("story_cta").Array() {
		for _, l := range c.Get("links").Array() {
			d.link(first(l.Get("webUri").String(), l.Get("url").String()))
		}
	}
	for _, s := range o.Get("story_link_stickers").Array() {
		d.link(s.Get("story_link", "url").String())
	}
	for _, s := range o.Get("story_bloks_stickers").Array() {
		d.mention(s.Find("username").String())
	}
	d.link(first(o.Get("link").String(), o.Get("story_link").String()))
	if kind, _ := o.Get("media_type").Int(); kind == 2 {
		d.Kind = post.KindVideo
	}
	if partial := o.Get("_zs_partial"); partial.Bool() {
		d.Outcome = post.OKPartial
	}
	return d, true
}

func (d *draft) itemCounts(o jsontree.Value) {
	hidden := o.Get("like_and_view_counts_disabled").Bool()
	if hidden {
		d.Counts = append(d.Counts, post.HiddenCount("likes"))
	} else {
		d.count("likes", o.Get("like_count"))
	}
	if n := o.Get("comment_count"); n.Exists() {
		d.count("comments", n)
	} else if o.Get("comments_disabled").Bool() || o.Get("commenting_disabled_for_viewer").Bool() {
		d.absent("comments")
	}
	views := exists(o.Get("play_count"), o.Get("ig_play_count"), o.Get("view_count"), o.Get("video_view_count"))
	if hidden && views.Exists() {
		d.Counts = append(d.Counts, post.HiddenCount("views"))
	} else {
		d.count("views", views)
	}
	d.count("reposts", o.Get("media_repost_count"))
	d.count("shares", o.Get("reshare_count"))
	d.count("facebook_likes", o.Get("fb_like_count"))
}

// itemMedia takes the parts of a carousel, or the one picture or video.
func (d *draft) itemMedia(o jsontree.Value) {
	if parts := o.Get("carousel_media").Array(); len(parts) > 0 {
		for _, p := range parts {
			d.itemPart(p)
		}
		d.tagged(o)
		return
	}
	d.itemPart(o)
}

func (d *draft) itemPart(o jsontree.Value) {
	cover, w, h := widest(o.Get("image_versions2", "candidates"))
	if cover == "" {
		cover = first(o.Get("display_uri").String(), o.Get("display_url").String(), o.Get("thumbnail_url").String())
	}
	m := post.Media{Kind: post.MediaImage, URL: cover, Alt: o.Get("accessibility_caption").String(), Width: w, Height: h}
	kind, _ := o.Get("media_type").Int()
	video, vw, vh := widest(o.Get("video_versions"))
	if kind == 2 || video != "" {
		m.Kind, m.URL = post.MediaVideo, video
		m.Duration = seconds(o.Get("video_duration"))
		m.Width, m.Height = vw, vh
	}
	if m.Width == 0 {
		m.Width, m.Height = integer(o.Get("original_width")), integer(o.Get("original_height"))
	}
	d.media(m, cover)
	d.tagged(o)
}

// tagged takes the people that are marked in a picture.
func (d *draft) tagged(o jsontree.Value) {
	for _, t := range o.Get("usertags", "in").Array() {
		d.mention(t.Get("user", "username").String())
	}
}

// widest gives the largest of the sizes that a file is served in. Cropped
// previews may be listed with it: they are smaller.
func widest(list jsontree.Value) (to string, w, h int) {
	for _, c := range list.Array() {
		cw := integer(c.Get("width"))
		if u := c.Get("url").String(); u != "" && (to == "" || cw > w) {
			to, w, h = u, cw, integer(c.Get("height"))
		}
	}
	return to, w, h
}

func integer(v jsontree.Value) int {
	n, ok := v.Int()
	if !ok || n < 0 || n > 1<<20 {
		return 0
	}
	return int(n)
}

// itemMarks takes what a post is filed under and who stands beside its author.
func (d *draft) itemMarks(o jsontree.Value) {
	for _, c := range o.Get("coauthor_producers").Array() {
		if name := c.Get("username").String(); name != "" {
			a := d.account(c)
			d.mention(a.Handle)
			d.tag("coauthor:" + name)
		}
	}
	for _, s := range o.Get("sponsor_tags").Array() {
		if name := s.Get("sponsor", "username").String(); name != "" {
			d.account(s.Get("sponsor"))
			d.mention(name)
			d.tag("sponsor:" + name)
		}
	}
	if o.Get("product_type").String() == "ad" || o.Get("ad_id").Exists() {
		d.tag("ad")
	}
	if o.Get("is_paid_partnership").Bool() {
		d.tag("paid partnership")
	}
	if o.Get("caption_is_edited").Bool() {
		d.tag("edited")
	}
	if name := o.Get("location", "name").String(); name != "" {
		d.tag("location:" + name)
	}
	if reason, ok := o.Get("deleted_reason").Int(); ok && reason != 0 {
		d.tag("deleted reason " + o.Get("deleted_reason").String())
	}
}

// isComment reports whether o is a comment: words of a user on something, not
// a caption (which names no user of its own, or is under the key caption).
func isComment(o jsontree.Value) bool {
	return o.Get("text").IsString() && (o.Has("created_at") || o.Has("created_at_utc") || o.Has("timestamp")) &&
		(o.Get("user").IsObject() || o.Get("owner").IsObject() || o.Get("username").IsString() || o.Get("from").IsObject()) &&
		isNumber(first(o.Get("pk").String(), o.Get("id").String())) && !o.Has("taken_at") && !o.Has("shortcode") && !o.Has("permalink")
}

// readComment reads a comment of any shape under the post thread and, where it
// is a reply, the comment parent.
func readComment(o jsontree.Value, thread, parent string) *draft {
	d := &draft{Post: post.Post{ID: first(o.Get("pk").String(), o.Get("id").String()), Kind: post.KindComment, Thread: thread}}
	user := exists(o.Get("user"), o.Get("owner"), o.Get("from"))
	d.Account = d.account(user)
	if d.Account.Handle == "" {
		d.Account.Handle = o.Get("username").String()
		d.Account.URL = accountURL(d.Account.Handle)
	}
	d.say(o.Get("text").String())
	if d.Created = at(exists(o.Get("created_at"), o.Get("created_at_utc"))); d.Created.IsZero() {
		d.Created = graphTime(o.Get("timestamp").String())
	}
	d.count("likes", exists(o.Get("comment_like_count"), o.Get("edge_liked_by", "count"), o.Get("like_count")))
	d.count("replies", exists(o.Get("child_comment_count"), o.Get("edge_threaded_comments", "count")))
	parent = first(parent, o.Get("parent_comment_id").String(), o.Get("replied_to_comment_id").String())
	d.relate(post.RoleReplyTo, parent, "")
	if thread == "" {
		if media := o.Get("media_id").String(); isNumber(media) {
			thread = media
		} else if pk := o.Get("media", "pk").String(); isNumber(pk) {
			thread = pk
		}
		d.Thread = thread
	}
	if code := Code(thread); code != "" {
		d.relate(post.RoleCommentOn, thread, postURL(code))
		d.URL = postURL(code) + "c/" + d.ID + "/"
	}
	return d
}
