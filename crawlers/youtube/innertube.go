package youtube

import (
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// innertube reads an answer of InnerTube, or what a page holds of one.
func (r *reader) innertube(v value) {
	some := false
	v.Members(func(string, value) bool { some = true; return false })
	if !some {
		if r.step.Ref.Kind == crawlers.RefPost {
			r.fail(post.NotFound, "the answer is an empty object: there is no such video")
			return
		}
		r.fail(post.LayoutChanged, "the answer is an empty object")
		return
	}
	if to := v.Get("endpoint"); to.IsObject() && !v.Has("contents") {
		r.resolved(to)
		return
	}
	contents := v.Get("contents")
	switch {
	case v.Has("playerResponse"), v.Has("videoDetails"), v.Has("playabilityStatus"), v.Get("microformat", "playerMicroformatRenderer").IsObject():
		if got, ok := r.player(v); ok {
			if r.one(got.post) {
				r.trackSteps(got)
				r.commentStep("")
			}
			return
		}
	case contents.Has("twoColumnWatchNextResults"), contents.Has("singleColumnWatchNextResults"):
		r.nextAnswer(v)
		return
	}
	if r.comments(v) {
		return
	}
	r.list(v)
}

// resolved reads what an address leads to.
func (r *reader) resolved(to value) {
	if id := to.Get("browseEndpoint", "browseId").String(); channelForm.MatchString(id) {
		r.alias(id)
		if r.step.Ref.Kind != crawlers.RefAccount || r.step.Ref.Alias {
			r.next(crawlers.Step{Ref: channelRef(id), Route: firstOf(r.step.Route, routeHTML)})
		}
		r.page.Reason = "the address is of channel " + id
		r.page.Coverage.End = ""
		return
	} else if id != "" && r.step.Route == routeInnertube {
		s := r.step
		s.State = state{Browse: id, Params: to.Get("browseEndpoint", "params").String()}.encode()
		r.next(s)
		return
	}
	raw := firstOf(to.Get("urlEndpoint", "url").String(), to.Get("commandMetadata", "webCommandMetadata", "url").String())
	if id := to.Get("watchEndpoint", "videoId").String(); videoForm.MatchString(id) {
		raw = videoURL(id)
	}
	if ref, ok := unwrap(raw, maxUnwrap); ok && ref.Key() != r.step.Ref.Key() {
		r.next(crawlers.Step{Ref: ref, Route: firstOf(r.step.Route, routeHTML)})
		return
	}
	r.fail(post.LayoutChanged, "the address is resolved to nothing that is known")
}

// alias notes that the alias that was asked for is channel id.
func (r *reader) alias(id string) {
	if ref := r.step.Ref; ref.Alias && (ref.Kind == crawlers.RefAccount || ref.Kind == crawlers.RefShort && !strings.HasPrefix(ref.ID, "clip/")) {
		r.identity(ref.ID, id, ref.URL)
	}
}

// onInnertube reports whether steps by InnerTube may be given: the user named
// the route, or nobody named any and the answer came from it.
func (r *reader) onInnertube() bool {
	return r.step.Route == routeInnertube || r.step.Route == "" && strings.HasPrefix(r.url.Path, "/youtubei/")
}

// commentStep asks for the comments of the video that the step is about.
func (r *reader) commentStep(token string) {
	if r.onInnertube() && r.step.Ref.Kind == crawlers.RefPost && r.step.Role != crawlers.RoleComments && r.page.Outcome.Scope() == post.ScopeServed {
		r.next(crawlers.Step{Ref: r.step.Ref, Route: routeInnertube, Role: crawlers.RoleComments, State: state{Token: token}.encode()})
	}
}

// alert gives what a page's alerts say about its target.
func alert(v value) (post.Outcome, string) {
	for _, a := range v.Get("alerts").Array() {
		for _, name := range []string{"alertRenderer", "alertWithButtonRenderer"} {
			box := a.Get(name)
			if box.Get("type").String() != "ERROR" {
				continue
			}
			words := text(box.Get("text"))
			if o := stateOf(words); o != "" {
				return o, words
			}
			return post.Unavailable, words
		}
	}
	return "", ""
}

// channel is what a page says of the channel that it belongs to.
type channel struct {
	account post.Account
	about   post.Post
	total   int64
	known   bool
}

// owner reads a channel's metadata and header, of all vintages.
func (r *reader) owner(v value) (channel, bool) {
	meta := v.Get("metadata", "channelMetadataRenderer")
	header := v.Get("header")
	c4 := firstValue(header.Get("c4TabbedHeaderRenderer"), header.Get("interactiveTabbedHeaderRenderer"), header.Get("carouselHeaderRenderer"))
	view := header.Get("pageHeaderRenderer", "content", "pageHeaderViewModel")
	id := firstOf(meta.Get("externalId").String(), c4.Get("channelId").String())
	if !channelForm.MatchString(id) {
		return channel{}, false
	}
	name := firstOf(meta.Get("title").String(), text(c4.Get("title")), text(view.Get("title", "dynamicTextViewModel", "text")))
	c := channel{account: r.account(id, name, firstOf(meta.Get("vanityChannelUrl").String(), meta.Get("ownerUrls").At(0).String()))}
	for _, u := range meta.Get("ownerUrls").Array() {
		r.account(id, "", u.String())
	}
	if handle := text(c4.Get("channelHandleText")); strings.HasPrefix(handle, "@") && c.account.Handle == "" {
		c.account.Handle = handle[1:]
	}
	if m, ok := largest(firstValue(meta.Get("avatar"), c4.Get("avatar"))); ok {
		c.account.Avatar = m.URL
	}
	counted := map[string]bool{}
	note := func(words string) {
		n, ok := phrase(words)
		if !ok || counted[n.Name] || n.Name != "followers" && n.Name != "posts" && n.Name != "views" {
			return
		}
		counted[n.Name] = true
		c.account.Counts = append(c.account.Counts, n)
		if n.Name == "posts" && n.Precision == post.PrecisionExact {
			c.total, c.known = n.Value, true
		}
	}
	note(text(c4.Get("subscriberCountText")))
	note(text(c4.Get("videosCountText")))
	for _, row := range view.Get("metadata", "contentMetadataViewModel", "metadataRows").Array() {
		for _, part := range row.Get("metadataParts").Array() {
			words := text(part.Get("text"))
			if strings.HasPrefix(words, "@") && c.account.Handle == "" {
				c.account.Handle = words[1:]
			}
			note(words)
		}
	}
	c.about = post.Post{ID: id, Kind: post.KindAccount, URL: channelURL(id), Account: c.account, Title: name, Text: meta.Get("description").String()}
	seen := map[string]bool{}
	addLink := func(raw string) {
		if raw != "" && !seen[raw] && len(c.about.Links) < maxLinks {
			seen[raw] = true
			c.about.Links = append(c.about.Links, raw)
		}
	}
	for _, l := range links(c.about.Text) {
		addLink(l)
	}
	for _, part := range []value{view.Get("attribution"), c4.Get("headerLinks")} {
		part.Walk(func(key string, x value) bool {
			if key == "urlEndpoint" {
				if raw := external(x.Get("url").String()); raw != "" {
					addLink(raw)
				}
			}
			return key != "showEngagementPanelEndpoint"
		})
	}
	c.about.Tags = append(c.about.Tags, splitKeywords(meta.Get("keywords").String())...)
	if c.account.Avatar != "" {
		c.about.Media = append(c.about.Media, post.Media{Kind: post.MediaImage, URL: c.account.Avatar})
	}
	c.about.Mentions = mentions(c.about.Text)
	return c, true
}

// splitKeywords parts a channel's keywords: words, or phrases in quotes.
func splitKeywords(s string) []string {
	var out []string
	for s = strings.TrimSpace(s); s != "" && len(out) < 200; s = strings.TrimSpace(s) {
		word := ""
		if s[0] == '"' {
			word, s, _ = strings.Cut(s[1:], `"`)
		} else {
			word, s, _ = strings.Cut(s, " ")
		}
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}

// external unwraps YouTube's own redirect, and gives other addresses as they are.
func external(raw string) string {
	u, err := baseURL.Parse(raw)
	if err != nil || raw == "" {
		return ""
	}
	if isSite(strings.ToLower(u.Hostname())) && u.Path == "/redirect" {
		return absolute(u.Query().Get("q"))
	}
	return absolute(u.String())
}

// list reads the page of a channel, playlist, tag or search, or what continues
// one.
func (r *reader) list(v value) {
	alerted, words := alert(v)
	own, hasOwner := r.owner(v)
	ref := r.step.Ref
	if hasOwner {
		if ref.Kind == crawlers.RefAccount && !ref.Alias && ref.ID != own.account.ID && alerted == "" {
			r.fail(post.LayoutChanged, "asked for "+ref.ID+", the answer is of "+own.account.ID)
			return
		}
		r.alias(own.account.ID)
	}
	if id, ok := listOf(v); ok && ref.Kind == crawlers.RefBoard && id != ref.ID && alerted == "" {
		r.fail(post.LayoutChanged, "asked for playlist "+ref.ID+", the answer is of "+id)
		return
	}
	by := own.account
	if !hasOwner && ref.Kind == crawlers.RefAccount && !ref.Alias {
		by = r.account(ref.ID, "", "")
	}
	w := walker{reader: r, owner: by}
	if hasOwner && alerted == "" && own.about.Title != "" {
		r.add(own.about)
	}
	for _, root := range []string{"contents", "onResponseReceivedActions", "onResponseReceivedEndpoints", "onResponseReceivedCommands", "continuationContents"} {
		w.root(v.Get(root))
	}
	n := r.items()
	switch {
	case n > 0:
	case w.ageGate:
		r.fail(post.AgeGated, w.message)
		return
	case alerted != "":
		r.fail(alerted, words)
		return
	case hasOwner || w.empty || w.lists > 0 || w.known:
		if o := stateOf(w.message); o != "" && o.Scope() == post.ScopeTarget && !hasOwner {
			r.fail(o, w.message)
			return
		}
	default:
		r.fail(post.LayoutChanged, "the answer holds no items, no alert and no channel")
		return
	}
	r.cover(v, own, w)
}

// listOf is the playlist that an answer is about.
func listOf(v value) (string, bool) {
	raw := firstOf(v.Get("microformat", "microformatDataRenderer", "urlCanonical").String(), v.Get("header", "playlistHeaderRenderer", "playlistId").String())
	if listForm.MatchString(raw) {
		return raw, true
	}
	if ref, ok := unwrap(raw, maxUnwrap); ok && ref.Kind == crawlers.RefBoard {
		return ref.ID, true
	}
	return "", false
}

// cover says how much a list served, and gives the steps that go on.
func (r *reader) cover(v value, own channel, w walker) {
	c := &r.page.Coverage
	c.Served = r.items()
	c.Total, c.Known = own.total, own.known
	if !c.Known {
		for _, stat := range append(v.Find("playlistSidebarPrimaryInfoRenderer").Get("stats").Array(), v.Get("header", "playlistHeaderRenderer", "numVideosText")) {
			if n, ok := phrase(text(stat)); ok && n.Name == "posts" && n.Precision == post.PrecisionExact {
				c.Total, c.Known = n.Value, true
			}
		}
		if n, ok := v.Get("estimatedResults").Int(); ok && n >= 0 && w.lists == 0 && c.Served > 0 && n <= int64(c.Served) {
			c.Total, c.Known = n, true
		}
	}
	if w.token != "" && r.onInnertube() {
		r.next(crawlers.Step{Ref: r.step.Ref, Route: routeInnertube, State: state{Token: w.token}.encode()})
	}
	if own.account.ID != "" && (r.state.Tab == "" || r.state.Tab == "videos") && (r.step.Role == "" || r.step.Role == crawlers.RolePage || r.step.Role == crawlers.RoleResolve) {
		for _, tab := range w.tabs {
			route := routeHTML
			if r.step.Route == routeInnertube {
				route = routeInnertube
			}
			r.next(crawlers.Step{Ref: channelRef(own.account.ID), Route: route, State: state{Tab: tab}.encode()})
		}
	}
	if r.step.Route == routeFeed && own.account.ID != "" && r.step.Ref.Alias {
		r.next(crawlers.Step{Ref: channelRef(own.account.ID), Route: routeFeed})
	}
	for _, id := range w.hydrate {
		r.next(crawlers.Step{Ref: videoRef(id), Route: routeHTML, Role: crawlers.RoleHydrate})
	}
	for _, n := range r.page.Next {
		if n.Role == crawlers.RolePage || n.Role == "" {
			return
		}
	}
	switch {
	case w.token != "":
		c.Window = true
		c.End = "the page carries the first " + strconv.Itoa(c.Served) + " only; the rest needs keys.youtube"
	case c.Served == 0:
		c.End = firstOf(w.message, "the list is empty")
	default:
		c.End = "end of list"
	}
}

// nextAnswer reads the data of a watch page that come without the player's.
func (r *reader) nextAnswer(v value) {
	id := v.Get("currentVideoEndpoint", "watchEndpoint", "videoId").String()
	if id == "" {
		id = v.Get("currentVideoEndpoint", "reelWatchEndpoint", "videoId").String()
	}
	p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id), Outcome: post.OK, Media: []post.Media{{Kind: post.MediaVideo}}}
	token, ok := r.around(&p, v)
	if !ok {
		if o, words := alert(v); o != "" {
			r.fail(o, words)
			return
		}
		if bg := v.Find("backgroundPromoRenderer"); bg.IsObject() {
			words := strings.TrimSpace(text(bg.Get("title")) + " " + text(bg.Get("bodyText")))
			if o := stateOf(words); o != "" {
				r.fail(o, words)
				return
			}
		}
		r.fail(post.LayoutChanged, "the answer describes no video")
		return
	}
	if !r.one(p) {
		return
	}
	if r.onInnertube() && token != "" {
		r.next(crawlers.Step{Ref: videoRef(p.ID), Route: routeInnertube, Role: crawlers.RoleComments, State: state{Token: token}.encode()})
	}
}

// around completes a video by what stands around the player: likes, comments,
// channel, and what the player's own data lack. It gives the continuation that
// leads to the comments, and whether the video is described at all.
func (r *reader) around(p *post.Post, v value) (string, bool) {
	results := firstValue(v.Get("contents", "twoColumnWatchNextResults", "results"), v.Get("contents", "singleColumnWatchNextResults", "results"))
	primary, secondary := results.Find("videoPrimaryInfoRenderer"), results.Find("videoSecondaryInfoRenderer")
	header := value{} // of the description's panel; also all that mobile pages have
	comments, token, off := value{}, "", false
	for _, panel := range v.Get("engagementPanels").Array() {
		panel = panel.Get("engagementPanelSectionListRenderer")
		if strings.Contains(panel.Get("panelIdentifier").String()+panel.Get("targetId").String(), "comments-section") {
			comments = panel.Get("header", "engagementPanelTitleHeaderRenderer", "contextualInfo")
			token = firstOf(token, panel.Get("content").Find("continuationCommand").Get("token").String())
		}
		if h := panel.Find("videoDescriptionHeaderRenderer"); h.IsObject() {
			header = h
		}
	}
	if !primary.IsObject() && !secondary.IsObject() && !header.IsObject() {
		return "", false
	}
	if id := v.Get("currentVideoEndpoint", "watchEndpoint", "videoId").String(); p.ID == "" && videoForm.MatchString(id) {
		p.ID, p.URL = id, videoURL(id)
	} else if id != "" && id != p.ID {
		return "", false // about another video
	}
	p.Title = firstOf(p.Title, text(primary.Get("title")), text(header.Get("title")))
	if p.Text == "" {
		description := firstValue(secondary.Get("attributedDescription"), secondary.Get("description"))
		p.Text = text(description) // in which links to other platforms are shortened
		p.Links = runLinks(description, p.Text)
		p.Mentions = mentions(p.Text)
	}
	if p.Created.IsZero() {
		p.Created = dated(firstOf(text(primary.Get("dateText")), text(header.Get("publishDate"))), r.ex.FetchedAt)
		if t, _, ok := relative(text(primary.Get("relativeDateText")), r.ex.FetchedAt); ok && p.Created.Source == post.SourceRelative {
			t.Raw = p.Created.Raw + "; " + t.Raw
			p.Created = t
		}
	}
	r.views(p, primary.Get("viewCount", "videoViewCountRenderer"))
	if !has(p.Counts, "likes") || hidden(p.Counts, "likes") {
		r.likes(p, primary)
	}
	if off = commentsOff(results); off {
		p.Counts = append(p.Counts, post.HiddenCount("comments"))
	} else {
		entry := results.Find("commentsEntryPointHeaderRenderer")
		for _, x := range []value{v.Find("commentsHeaderRenderer").Get("countText"), comments, entry.Get("commentCount")} {
			words := text(x)
			c, ok := phrase(words)
			if !ok {
				c, ok = count("comments", words)
			}
			if ok {
				c.Name = "comments"
				p.Counts = append(p.Counts, c)
				break
			}
		}
	}
	for _, section := range results.Find("contents").Array() {
		section = section.Get("itemSectionRenderer")
		if id := section.Get("sectionIdentifier").String() + section.Get("targetId").String(); strings.Contains(id, "comment") {
			token = firstOf(token, section.Find("continuationCommand").Get("token").String(), section.Find("nextContinuationData").Get("continuation").String())
		}
	}
	owner := secondary.Get("owner", "videoOwnerRenderer")
	by := firstValue(owner.Get("title"), owner.Get("attributedTitle"), header.Get("channel"))
	a := r.byline(by, owner.Get("navigationEndpoint"))
	p.Account = merge(p.Account, a)
	if m, ok := largest(firstValue(owner.Get("thumbnail"), header.Get("channelThumbnail"))); ok && p.Account.Avatar == "" {
		p.Account.Avatar = m.URL
	}
	if c, ok := phrase(text(owner.Get("subscriberCountText"))); ok && c.Name == "followers" {
		p.Account.Counts = append(p.Account.Counts, c)
	}
	if len(p.Hashtags) == 0 {
		for _, run := range primary.Get("superTitleLink", "runs").Array() {
			if tag, ok := strings.CutPrefix(text(run), "#"); ok && tag != "" {
				p.Hashtags = append(p.Hashtags, tag)
			}
		}
	}
	return token, true
}

// merge completes a by b, where both are of one channel or a has no id.
func merge(a, b post.Account) post.Account {
	if a.ID != "" && b.ID != "" && a.ID != b.ID {
		return a
	}
	a.ID, a.Handle, a.Name, a.Avatar = firstOf(a.ID, b.ID), firstOf(a.Handle, b.Handle), firstOf(a.Name, b.Name), firstOf(a.Avatar, b.Avatar)
	a.URL = firstOf(a.URL, b.URL)
	if a.ID != "" {
		a.URL = channelURL(a.ID)
	}
	a.Counts = append(a.Counts, b.Counts...)
	return a
}

func has(counts []post.Count, name string) bool {
	for _, c := range counts {
		if c.Name == name {
			return true
		}
	}
	return false
}

func hidden(counts []post.Count, name string) bool {
	for _, c := range counts {
		if c.Name == name && c.State != post.StatePresent {
			return true
		}
	}
	return false
}

// views reads the count under a video. Of a running stream it is its viewers.
func (r *reader) views(p *post.Post, v value) {
	if !v.IsObject() {
		return
	}
	words := text(v.Get("viewCount"))
	c, ok := phrase(words)
	if v.Get("isLive").Bool() {
		if p.Outcome == post.OK {
			p.Outcome = post.Live
		}
		if n, okN := exact("viewers", v.Get("originalViewCount")); okN && n.Value > 0 && !ok {
			c, ok = n, true
		}
		if ok && !has(p.Counts, "viewers") {
			c.Name = "viewers"
			p.Counts = append(p.Counts, c)
		}
		return
	}
	if ok && c.Name == "views" && !has(p.Counts, "views") {
		p.Counts = append(p.Counts, c)
	}
}

// likes reads the like button: the exact number stands in its text for screen
// readers, whatever the language. A button without any number belongs to a
// video whose likes are hidden.
func (r *reader) likes(p *post.Post, primary value) {
	button := primary.Find("likeButtonViewModel").Find("defaultButtonViewModel").Find("buttonViewModel")
	words, short := button.Get("accessibilityText").String(), button.Get("title").String()
	if !button.IsObject() {
		for _, b := range primary.Get("videoActions", "menuRenderer", "topLevelButtons").Array() {
			like := b.Get("toggleButtonRenderer")
			if s := b.Get("segmentedLikeDislikeButtonRenderer", "likeButton", "toggleButtonRenderer"); s.IsObject() {
				like = s
			}
			if like.Get("defaultIcon", "iconType").String() == "LIKE" {
				button = like
				words = firstOf(like.Get("defaultText", "accessibility", "accessibilityData", "label").String(), like.Get("accessibility", "label").String())
				short = text(like.Get("defaultText"))
				break
			}
		}
	}
	if !button.IsObject() {
		return
	}
	kept := p.Counts[:0:0]
	for _, c := range p.Counts {
		if c.Name != "likes" {
			kept = append(kept, c)
		}
	}
	if i := strings.IndexAny(words, "0123456789"); i >= 0 {
		if n, precision, _, ok := number(words[i:]); ok {
			p.Counts = append(kept, post.Count{Name: "likes", Value: n, Precision: precision, State: post.StatePresent})
			return
		}
	}
	if c, ok := count("likes", short); ok {
		p.Counts = append(kept, c)
		return
	}
	if strings.Contains(strings.ToLower(words), "no likes") {
		p.Counts = append(kept, post.ExactCount("likes", 0))
		return
	}
	p.Counts = append(kept, post.HiddenCount("likes"))
}

// commentsOff reports whether a page says that its video takes no comments.
func commentsOff(results value) bool {
	off := false
	results.Walk(func(key string, x value) bool {
		if key == "messageRenderer" {
			words := strings.ToLower(text(x.Get("text")))
			off = off || strings.Contains(words, "comments are turned off") || strings.Contains(words, "comments are disabled") || x.Find("urlEndpoint").Exists() && strings.Contains(x.Find("urlEndpoint").Get("url").String(), "/answer/9706180")
		}
		return key != "secondaryResults" && key != "videoPrimaryInfoRenderer" && key != "videoSecondaryInfoRenderer"
	})
	return off
}
