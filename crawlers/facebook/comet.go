package facebook

import (
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/words"
	"github.com/refrain-archive/refrain/post"
)

// cometKeys are keys that only data of posts, counts and profiles holds.
var cometKeys = words.New(`post_id":"`, "creation_time", "reaction_count", `delegate_page":{`, "profile_social_context",
	"legacy_fbid", "publish_time", `"userVanity"`)

func holdsComet(script []byte) bool { return cometKeys.Any(script) }

// read finds everything in v: stories, comments, videos, counts, profiles.
func (c *collection) read(v jsontree.Value) {
	c.feedback(v)
	objects(v, func(o jsontree.Value) bool {
		c.profile(o)
		if o.Get("edges").IsArray() {
			c.lists++
		}
		if o.Get("page_info", "has_next_page").Bool() {
			c.more = true
		}
		switch {
		case isStory(o):
			if d := c.story(o); d != nil {
				c.add(d)
			}
			for _, d := range c.shared {
				c.add(d)
			}
			c.shared = nil
			c.comments(o, "")
			return false
		case isComment(o):
			c.comment(o)
			return false
		case c.isMedia(o):
			c.add(c.mediaPost(o))
		case isGraphPost(o):
			c.graphPost(o)
			return false
		case isGraphPage(o):
			c.graphPage(o)
			return false
		case isScraped(o):
			if d, ok := readScraped(o); ok {
				c.add(d)
			}
			return false
		}
		return true
	})
}

// isStory reports whether o is a story of Comet.
func isStory(o jsontree.Value) bool {
	if !o.Get("comet_sections").IsObject() && !o.Get("creation_time").Exists() {
		return false
	}
	if isNumber(o.Get("post_id").String()) {
		return true
	}
	owner, id, _ := decodeID(o.Get("id").String())
	return owner != "" && id != "" && o.Get("comet_sections", "content").Exists()
}

// story reads a story. Most of its parts stand twice, at places that change from
// month to month, so they are looked for by key, outside of the story that it
// shares and of its comments.
func (c *collection) story(o jsontree.Value) *draft {
	owner, id, _ := decodeID(o.Get("id").String())
	if n := o.Get("post_id").String(); isNumber(n) {
		if _, fb, _ := decodeID(o.Get("feedback", "id").String()); fb != "" && fb != n && id != n {
			return nil // two posts in one
		}
		id = n
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindPost}}
	link := ""
	var shared, message jsontree.Value
	c.inStory(o, func(key string, x jsontree.Value) {
		switch key {
		case "attached_story":
			shared = exists(shared, x)
		case "actors":
			d.actor(x.At(0))
		case "message":
			if x.Get("text").String() != "" && !message.Exists() {
				message = x
			}
		case "title":
			if s := x.Get("text").String(); s != "" && x.Has("ranges") && d.Title == "" {
				d.Title = s
			}
		case "attachments":
			for _, a := range x.Array() {
				d.attachment(a)
			}
		case "wwwURL", "permalink_url":
			link = first(link, x.String())
		case "creation_time":
			if t := unix(x); d.Created.IsZero() {
				d.Created = t
			}
		case "associated_group", "target_group":
			if g := x.Get("id").String(); isNumber(g) {
				d.group(g, x.Get("name").String())
			}
		}
	})
	d.entities(message)
	d.say(message.Get("text").String())
	if d.Title == d.Account.Name {
		d.Title = ""
	}
	if d.URL == "" {
		d.address(first(owner, d.Account.ID))
	}
	d.alias(link)
	if o.Get("sponsored_data").Exists() {
		d.tag("ad")
	}
	if len(d.Media) == 1 && d.Media[0].Kind == post.MediaVideo {
		d.Kind = post.KindVideo
	}
	if shared.IsObject() {
		c.share(d, shared)
	}
	if owner != "" && d.Account.ID != "" && owner != d.Account.ID {
		d.same(crawlers.RefAccount, owner, d.Account.ID, d.Account.URL)
	}
	return d
}

// inStory calls f for members of a story at any depth, other than those of the
// story it shares, of its comments and of its media.
func (c *collection) inStory(o jsontree.Value, f func(key string, x jsontree.Value)) {
	o.Walk(func(key string, x jsontree.Value) bool {
		if !x.Exists() {
			return false
		}
		switch key {
		case "attached_story", "attachments":
			f(key, x)
			return false
		case "comments", "display_comments", "interesting_top_level_comments", "comment_rendering_instance", "comment_rendering_instance_for_feed_location", "aggregated_stories", "media", "owner":
			return false
		}
		f(key, x)
		return true
	})
}

// actor sets the author from the first of a story's actors, and fills in what
// another mention of it shows.
func (d *draft) actor(x jsontree.Value) {
	id, name := x.Get("id").String(), x.Get("name").String()
	if !isNumber(id) && name == "" {
		return
	}
	avatar := exists(x.Get("profile_picture"), x.Get("profile_picture_large"), x.Get("profilePicture")).Get("uri").String()
	if d.Account.ID == "" && d.Account.Name == "" {
		d.by(id, name, first(x.Get("url").String(), x.Get("profile_url").String()), avatar)
	}
	if d.Account.ID == id {
		if d.Account.Name == "" {
			d.Account.Name = name
		}
		if d.Account.Avatar == "" {
			d.Account.Avatar = absolute(avatar)
		}
		d.same(crawlers.RefAccount, x.Get("delegate_page", "id").String(), id, d.Account.URL)
	}
}

func (d *draft) group(id, name string) {
	d.URL = groupPost(id, d.ID).URL
	for _, t := range d.Tags {
		if strings.HasPrefix(t, "group:") {
			return
		}
	}
	d.tag("group:" + first(name, id))
}

// alias notes the pfbid in another address of the post.
func (d *draft) alias(link string) {
	i := strings.Index(link, "pfbid")
	if i < 0 {
		return
	}
	end := i
	for end < len(link) && nameByte(link[end]) {
		end++
	}
	if pfbidForm.MatchString(link[i:end]) {
		d.same(crawlers.RefPost, link[i:end], d.ID, d.URL)
	}
}

// entities takes the links and mentions that a message marks.
func (d *draft) entities(message jsontree.Value) {
	for _, r := range message.Get("ranges").Array() {
		e := r.Get("entity")
		to := first(e.Get("external_url").String(), e.Get("url").String())
		switch kind := e.Get("__typename").String(); kind {
		case "User", "Page", "Group", "Event":
			d.mention(first(handleOf(to), e.Get("short_name").String(), e.Get("name").String(), e.Get("id").String()))
		case "Hashtag":
		default:
			if e.Get("external_url").Exists() || kind == "ExternalUrl" {
				d.link(to)
			}
		}
	}
}

// attachment takes the pictures, videos and links of an attachment.
func (d *draft) attachment(a jsontree.Value) {
	objects(a, func(o jsontree.Value) bool {
		kind := first(o.Get("__isMedia").String(), o.Get("__typename").String())
		for _, key := range []string{"external_url", "web_link"} {
			if to := first(o.Get(key, "url").String(), o.Get(key).String()); to != "" {
				d.link(to)
			}
		}
		switch {
		case kind == "Photo" || kind == "ProfilePicAttachmentMedia" || o.Get("photo_image").IsObject():
			d.photo(o)
			return false
		case kind == "Video" || o.Get("playable_url").Exists() || o.Get("browser_native_hd_url").Exists():
			d.video(o)
			return false
		case kind == "GenericAttachmentMedia":
			d.photo(o)
			return false
		}
		return true
	})
}

func (d *draft) photo(o jsontree.Value) {
	m := post.Media{Kind: post.MediaImage, Alt: first(o.Get("accessibility_caption").String(), o.Get("ocrText").String())}
	for _, key := range []string{"viewer_image", "photo_image", "full_width_image", "image", "large_share_image", "flexible_height_share_image", "placeholder_image"} {
		i := o.Get(key)
		if w := integer(i.Get("width")); i.Get("uri").String() != "" && (m.URL == "" || w > m.Width) {
			m.URL, m.Width, m.Height = i.Get("uri").String(), w, integer(i.Get("height"))
		}
	}
	m.URL = first(m.URL, o.Get("thumbnail").String())
	d.media(m, "")
}

func (d *draft) video(o jsontree.Value) {
	m := post.Media{Kind: post.MediaVideo, Alt: o.Get("accessibility_caption").String(), Width: integer(exists(o.Get("original_width"), o.Get("width"))), Height: integer(exists(o.Get("original_height"), o.Get("height")))}
	for _, key := range []string{"browser_native_hd_url", "playable_url_quality_hd", "hd_src", "browser_native_sd_url", "playable_url", "sd_src"} {
		m.URL = first(m.URL, absolute(o.Get(key).String()))
	}
	if m.URL == "" {
		for _, p := range o.Find("progressive_urls").Array() {
			if to := absolute(p.Get("progressive_url").String()); to != "" {
				m.URL = to
				if p.Get("metadata", "quality").String() == "HD" {
					break
				}
			}
		}
	}
	if ms, ok := o.Get("playable_duration_in_ms").Float(); ok && ms > 0 && ms < 1e10 {
		m.Duration = ms / 1000
	} else if s, ok := exists(o.Get("length_in_second"), o.Get("playable_duration")).Float(); ok && s > 0 && s < 1e7 {
		m.Duration = s
	}
	cover := first(o.Get("preferred_thumbnail", "image", "uri").String(), o.Get("thumbnailImage", "uri").String(), o.Get("first_frame_thumbnail").String(), o.Get("image", "uri").String())
	for _, have := range d.Media {
		if have.Kind == post.MediaVideo && (have.URL == m.URL || have.URL == "" || m.URL == "") {
			return
		}
	}
	d.media(m, cover)
}

// share notes the story that a story shares, and takes it as a post of its own.
func (c *collection) share(d *draft, shared jsontree.Value) {
	var inside *draft
	objects(shared, func(o jsontree.Value) bool {
		if inside != nil {
			return false
		}
		_, id, _ := decodeID(o.Get("id").String())
		if isStory(o) || id != "" && (o.Get("message").IsObject() || o.Get("actors").IsArray() || o.Get("comet_sections").IsObject()) {
			inside = c.story(o)
			return false
		}
		return true
	})
	if inside == nil || inside.ID == "" || inside.ID == d.ID {
		return
	}
	role := post.RoleRepostOf
	if d.Text != "" {
		role = post.RoleQuoteOf
	}
	d.Refs = append(d.Refs, post.Ref{Role: role, ID: inside.ID, URL: inside.URL, Account: first(inside.Account.Handle, inside.Account.ID)})
	c.shared = append(c.shared, inside)
}

// isComment reports whether o is a comment of Comet.
func isComment(o jsontree.Value) bool {
	if !isNumber(o.Get("legacy_fbid").String()) && o.Get("__typename").String() != "Comment" {
		return false
	}
	_, _, id := decodeID(o.Get("id").String())
	return (id != "" || isNumber(o.Get("legacy_fbid").String())) && (o.Get("body").IsObject() || o.Get("author").IsObject() || o.Get("created_time").Exists())
}

// comments reads those that stand in a story.
func (c *collection) comments(o jsontree.Value, _ string) {
	objects(o, func(x jsontree.Value) bool {
		if isComment(x) {
			c.comment(x)
			return false
		}
		return true
	})
}

func (c *collection) comment(o jsontree.Value) {
	_, thread, id := decodeID(o.Get("id").String())
	if thread == "" {
		_, thread, _ = decodeID(o.Get("feedback", "id").String())
	}
	id = first(o.Get("legacy_fbid").String(), id)
	d := &draft{Post: post.Post{ID: id, Kind: post.KindComment, Thread: thread}}
	a := o.Get("author")
	d.by(a.Get("id").String(), a.Get("name").String(), first(a.Get("url").String(), a.Get("profile_url").String()), exists(a.Get("profile_picture_depth_0"), a.Get("profile_picture")).Get("uri").String())
	body := exists(o.Get("body"), o.Get("preferred_body"))
	d.entities(body)
	d.say(body.Get("text").String())
	d.Created = unix(o.Get("created_time"))
	for _, x := range o.Get("attachments").Array() {
		d.attachment(x)
	}
	f := o.Get("feedback")
	d.count("reactions", exists(f.Get("reactors", "count"), f.Get("unified_reactors", "count"), f.Get("reaction_count", "count")))
	d.count("replies", exists(f.Get("replies_fields", "total_count"), f.Get("total_reply_count"), f.Get("comment_count", "total_count")))
	d.URL = first(absolute(f.Get("url").String()), absolute(o.Get("url").String()))
	parent := exists(o.Get("comment_direct_parent"), o.Get("comment_parent"))
	if _, _, p := decodeID(parent.Get("id").String()); p != "" && p != id {
		d.Refs = append(d.Refs, post.Ref{Role: post.RoleReplyTo, ID: p})
	}
	if thread != "" {
		d.Refs = append(d.Refs, post.Ref{Role: post.RoleCommentOn, ID: thread})
	}
	c.add(d)
	// Replies stand within the feedback of their comment.
	c.comments(f, "")
}

// isMedia reports whether o is the photo or video that was asked for, on the
// page of its own.
func (c *collection) isMedia(o jsontree.Value) bool {
	id := first(o.Get("videoId").String(), o.Get("id").String())
	return id != "" && id == c.step.Ref.ID && c.step.Ref.Kind == crawlers.RefPost && (o.Get("publish_time").Exists() || o.Get("created_time").Exists()) && (o.Get("owner").IsObject() || o.Get("playable_url").Exists())
}

// mediaPost reads a photo or video on the page of its own.
func (c *collection) mediaPost(o jsontree.Value) *draft {
	d := &draft{Post: post.Post{ID: c.step.Ref.ID, Kind: post.KindPost, URL: c.step.Ref.URL}}
	owner := o.Get("owner")
	d.by(owner.Get("id").String(), owner.Get("name").String(), owner.Get("url").String(), owner.Find("uri").String())
	d.Created = unix(exists(o.Get("publish_time"), o.Get("created_time")))
	d.Title = first(o.Get("title", "text").String(), o.Get("name").String())
	d.say(first(o.Get("message", "text").String(), o.Get("creation_story", "message", "text").String(), o.Get("savable_description", "text").String(), o.Get("container_story", "message", "text").String()))
	if o.Has("playable_url") || o.Has("publish_time") || o.Get("__typename").String() == "Video" {
		d.Kind = post.KindVideo
		d.video(o)
	} else {
		d.photo(o)
	}
	d.count("views", exists(o.Get("play_count"), o.Get("video_view_count")))
	return d
}

// feedback notes the counts of every feedback object of v, by the post or
// comment that it names.
func (c *collection) feedback(v jsontree.Value) {
	objects(v, func(o jsontree.Value) bool {
		if !o.Has("reaction_count") && !o.Has("share_count") && !o.Has("comment_count") && !o.Has("comment_rendering_instance") && !o.Has("i18n_reaction_count") && !o.Has("total_comment_count") && !o.Has("top_reactions") && !o.Has("video_view_count") {
			return true
		}
		_, id, comment := decodeID(o.Get("id").String())
		if id == "" {
			id = first(o.Get("subscription_target_id").String(), o.Get("share_fbid").String())
		}
		if !isNumber(id) {
			return true
		}
		if owner := o.Get("owning_profile", "id").String(); isNumber(owner) && comment == "" {
			c.owners[id] = owner
		}
		if comment != "" {
			id += "_" + comment
		}
		c.counts[id] = merge(c.counts[id], counts(o))
		return true
	})
}

// counts reads the counts of a feedback object. toplevel_comment_count leaves
// out replies and is not taken.
func counts(o jsontree.Value) []post.Count {
	d := &draft{}
	d.count("reactions", exists(o.Get("reaction_count", "count"), o.Get("reactors", "count")))
	d.count("comments", exists(o.Get("comment_rendering_instance", "comments", "total_count"), o.Get("total_comment_count"), o.Get("comment_count", "total_count"), o.Get("comments", "total_count")))
	d.count("shares", o.Get("share_count", "count"))
	d.count("views", exists(o.Get("video_view_count"), o.Get("video_post_view_count")))
	d.words("reactions", o.Get("i18n_reaction_count").String())
	d.words("comments", o.Get("i18n_comment_count").String())
	d.words("shares", o.Get("i18n_share_count").String())
	for _, e := range o.Get("top_reactions", "edges").Array() {
		if name := reaction(e.Get("node")); name != "" {
			d.count("reactions_"+name, e.Get("reaction_count"))
		}
	}
	return d.Counts
}

// reaction names a kind of reaction in small letters.
func reaction(node jsontree.Value) string {
	switch node.Get("id").String() {
	case "1635855486666999":
		return "like"
	case "1678524932434102":
		return "love"
	case "613557422527858":
		return "care"
	case "115940658764963":
		return "haha"
	case "478547315650144":
		return "wow"
	case "908563459236466":
		return "sad"
	case "444813342392137":
		return "angry"
	}
	switch kind := node.Get("reaction_type").String(); kind {
	case "LIKE", "LOVE", "HAHA", "WOW":
		return strings.ToLower(kind)
	case "SORRY", "SAD":
		return "sad"
	case "ANGER", "ANGRY":
		return "angry"
	case "SUPPORT", "CARE":
		return "care"
	}
	return ""
}

// profile notes what an object says of the account that the page is of.
func (c *collection) profile(o jsontree.Value) {
	id := o.Get("id").String()
	if page := o.Get("delegate_page", "id").String(); isNumber(page) && isNumber(id) && page != id {
		c.identities = append(c.identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: page, ID: id, URL: accountURL(id)})
	}
	if name, user := o.Get("userVanity").String(), o.Get("userID").String(); name != "" && isNumber(user) {
		c.identities = append(c.identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: strings.ToLower(name), ID: user, URL: accountURL(name)})
	}
	social := o.Get("profile_social_context", "content")
	if !social.IsArray() || !isNumber(id) {
		return
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindAccount}}
	d.by(id, o.Get("name").String(), first(o.Get("url").String(), o.Get("profile_url").String()), exists(o.Get("profilePicLarge"), o.Get("profile_picture"), o.Get("profilePicMedium")).Get("uri").String())
	d.URL, d.Title = d.Account.URL, d.Account.Name
	for _, x := range social.Array() {
		words := x.Get("text", "text").String()
		for _, name := range []string{"likes", "followers", "following", "friends"} {
			if strings.HasSuffix(words, " "+name) || strings.HasSuffix(words, " "+strings.TrimSuffix(name, "s")) {
				d.words(name, words)
			}
		}
	}
	if o.Get("is_verified").Bool() {
		d.tag("verified")
	}
	c.add(d)
}
