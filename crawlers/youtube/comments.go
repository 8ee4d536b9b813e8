package youtube

import (
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/post"
)

// comments reads an answer with comments: the newer shape keeps them as
// entities beside the list that names their order, the older one in the list.
// It reports whether the answer is one.
func (r *reader) comments(v value) bool {
	header := v.Find("commentsHeaderRenderer")
	threads := v.Find("commentThreadRenderer").Exists() || v.Find("commentRenderer").Exists()
	entities := v.Find("commentEntityPayload").Exists()
	if !header.IsObject() && !threads && !entities {
		return false
	}
	video := r.videoOfComments(v)
	byKey := map[string]value{}
	for _, m := range v.Get("frameworkUpdates", "entityBatchUpdate", "mutations").Array() {
		if p := m.Get("payload", "commentEntityPayload"); p.IsObject() {
			byKey[firstOf(p.Get("key").String(), m.Get("entityKey").String())] = p
		}
	}
	token := ""
	var replies []crawlers.Step
	v.Walk(func(key string, x value) bool {
		switch key {
		case "frameworkUpdates", "commentsHeaderRenderer", "commentSimpleboxRenderer":
			return false
		case "commentThreadRenderer":
			model := x.Get("commentViewModel", "commentViewModel")
			pinned := x.Get("renderingPriority").String() == "RENDERING_PRIORITY_PINNED_COMMENT" || model.Get("pinnedText").Exists()
			if e, ok := byKey[model.Get("commentKey").String()]; ok {
				r.comment(e, video, pinned)
				delete(byKey, model.Get("commentKey").String())
			} else if old := x.Get("comment", "commentRenderer"); old.IsObject() {
				r.oldComment(old, video)
			}
			id := firstOf(model.Get("commentId").String(), x.Get("comment", "commentRenderer", "commentId").String())
			if t := x.Get("replies").Find("continuationCommand").Get("token").String(); t != "" && commentForm.MatchString(id) && video != "" && r.onInnertube() {
				replies = append(replies, crawlers.Step{Ref: commentRef(id, video), Route: routeInnertube, Role: crawlers.RoleComments, State: state{Token: t}.encode()})
			}
			return false
		case "commentViewModel":
			if e, ok := byKey[x.Get("commentKey").String()]; ok {
				r.comment(e, video, x.Get("pinnedText").Exists())
				delete(byKey, x.Get("commentKey").String())
				return false
			}
		case "commentRenderer":
			r.oldComment(x, video)
			return false
		case "continuationItemRenderer":
			if t := firstOf(x.Find("continuationCommand").Get("token").String()); t != "" {
				token = t
			}
			return false
		}
		return true
	})
	for _, m := range v.Get("frameworkUpdates", "entityBatchUpdate", "mutations").Array() {
		p := m.Get("payload", "commentEntityPayload")
		if _, left := byKey[firstOf(p.Get("key").String(), m.Get("entityKey").String())]; left && p.IsObject() {
			r.comment(p, video, false)
		}
	}
	c := &r.page.Coverage
	c.Served = len(r.page.Posts)
	if n, ok := phrase(text(header.Get("countText"))); ok && n.Precision == post.PrecisionExact {
		c.Total, c.Known = n.Value, true
	}
	if token != "" && r.onInnertube() {
		s := crawlers.Step{Ref: r.step.Ref, Route: routeInnertube, Role: crawlers.RoleComments, State: state{Token: token}.encode()}
		r.next(s)
	}
	for _, s := range replies {
		r.next(s)
	}
	c.End = "end of list"
	if token != "" {
		c.Window, c.End = true, "the rest needs keys.youtube or route innertube"
		if r.onInnertube() {
			c.End = "more by the next step"
		}
	}
	if c.Served == 0 && !header.IsObject() {
		r.fail(post.LayoutChanged, "a list of comments without any comment")
	}
	return true
}

// videoOfComments is the video that comments hang under, "" if nothing tells.
func (r *reader) videoOfComments(v value) string {
	switch r.step.Ref.Kind {
	case crawlers.RefPost:
		return r.step.Ref.ID
	case crawlers.RefComment:
		if r.step.Ref.Of != "" {
			return r.step.Ref.Of
		}
	}
	return commentedVideo(v)
}

// commentedVideo finds the video in the links that each comment's date carries.
func commentedVideo(v value) string {
	for _, name := range []string{"publishedTimeCommand", "publishedTimeText"} {
		if id := v.Find(name).Find("watchEndpoint").Get("videoId").String(); videoForm.MatchString(id) {
			return id
		}
	}
	return ""
}

// comment reads an entity.
func (r *reader) comment(e value, video string, pinned bool) {
	props, author, toolbar := e.Get("properties"), e.Get("author"), e.Get("toolbar")
	p := newComment(props.Get("commentId").String(), video)
	if p.ID == "" {
		return
	}
	name := author.Get("displayName").String()
	p.Account = r.account(author.Get("channelId").String(), "", author.Find("canonicalBaseUrl").String())
	r.named(&p.Account, name)
	p.Account.Avatar = absolute(author.Get("avatarThumbnailUrl").String())
	p.Text = text(props.Get("content"))
	p.Links = runLinks(props.Get("content"), p.Text)
	p.Hashtags, p.Mentions = hashtags.In(p.Text), mentions(p.Text)
	r.age(&p, props.Get("publishedTime").String())
	if likes, ok := shown("likes", toolbar, "likeCountNotliked"); ok {
		p.Counts = append(p.Counts, likes)
	}
	if replies, ok := shown("replies", toolbar, "replyCount"); ok && !strings.Contains(p.ID, ".") {
		p.Counts = append(p.Counts, replies)
	}
	if pinned {
		p.Tags = append(p.Tags, "pinned")
	}
	if author.Get("isCreator").Bool() {
		p.Tags = append(p.Tags, "by the channel")
	}
	if author.Get("isVerified").Bool() {
		p.Tags = append(p.Tags, "verified")
	}
	if state := e.Find("heartState").String(); state == "TOOLBAR_HEART_STATE_HEARTED" {
		p.Tags = append(p.Tags, "hearted")
	}
	r.add(p)
}

// shown is a count of a comment. A blank one is zero: nothing is shown then.
func shown(name string, toolbar value, key string) (post.Count, bool) {
	v := toolbar.Get(key)
	if !v.IsString() {
		return post.Count{}, false
	}
	if strings.TrimSpace(v.String()) == "" {
		return post.ExactCount(name, 0), true
	}
	return count(name, v.String())
}

func newComment(id, video string) post.Post {
	if !commentForm.MatchString(id) {
		return post.Post{}
	}
	p := post.Post{ID: id, Kind: post.KindComment, Thread: video, Outcome: post.OK}
	if video != "" {
		p.URL = commentRef(id, video).URL
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleCommentOn, ID: video, URL: videoURL(video)})
	}
	if parent, _, ok := strings.Cut(id, "."); ok {
		ref := post.Ref{Role: post.RoleReplyTo, ID: parent}
		if video != "" {
			ref.URL = commentRef(parent, video).URL
		}
		p.Refs = append(p.Refs, ref)
	}
	return p
}

// named gives an account the name that stands at a comment, which is a handle
// since 2023.
func (r *reader) named(a *post.Account, name string) {
	if handle, ok := strings.CutPrefix(name, "@"); ok {
		a.Handle = firstOf(a.Handle, handle)
		r.identity("@"+strings.ToLower(handle), a.ID, "")
		return
	}
	a.Name = name
}

// age reads "5 years ago (edited)".
func (r *reader) age(p *post.Post, words string) {
	t, edited, ok := relative(words, r.ex.FetchedAt)
	if !ok {
		if words != "" {
			p.Created = post.Between(t.From, r.ex.FetchedAt, words, post.SourceRelative)
		}
		return
	}
	p.Created = t
	if edited {
		p.Edited = post.Between(t.From, r.ex.FetchedAt, words, post.SourceRelative)
	}
}

// oldComment reads a commentRenderer of 2017-2024.
func (r *reader) oldComment(x value, video string) {
	p := newComment(x.Get("commentId").String(), video)
	if p.ID == "" {
		return
	}
	p.Account = r.account(x.Get("authorEndpoint", "browseEndpoint", "browseId").String(), "", x.Get("authorEndpoint", "browseEndpoint", "canonicalBaseUrl").String())
	r.named(&p.Account, text(x.Get("authorText")))
	if m, ok := largest(x.Get("authorThumbnail")); ok {
		p.Account.Avatar = m.URL
	}
	p.Text = text(x.Get("contentText"))
	p.Links = runLinks(x.Get("contentText"), p.Text)
	p.Hashtags, p.Mentions = hashtags.In(p.Text), mentions(p.Text)
	r.age(&p, text(x.Get("publishedTimeText")))
	if n, ok := exact("likes", x.Get("likeCount")); ok {
		p.Counts = append(p.Counts, n)
	} else if n, ok := count("likes", text(x.Get("voteCount"))); ok {
		p.Counts = append(p.Counts, n)
	} else if x.Has("voteStatus") && !x.Has("voteCount") {
		p.Counts = append(p.Counts, post.ExactCount("likes", 0))
	}
	if n, ok := exact("replies", x.Get("replyCount")); ok {
		p.Counts = append(p.Counts, n)
	}
	if x.Get("pinnedCommentBadge").Exists() {
		p.Tags = append(p.Tags, "pinned")
	}
	if x.Get("authorIsChannelOwner").Bool() {
		p.Tags = append(p.Tags, "by the channel")
	}
	if x.Find("creatorHeartRenderer").Exists() {
		p.Tags = append(p.Tags, "hearted")
	}
	r.add(p)
}
