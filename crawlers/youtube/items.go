package youtube

import (
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/post"
)

// A walker collects the items of a list, found by their names at any depth.
type walker struct {
	*reader
	owner   post.Account // of items that name no channel
	tabs    []string     // other tabs that the channel has and that hold posts
	hydrate []string     // videos that the list shows in part
	token   string       // continuation of the list
	lists   int          // playlists and channels among the items
	message string       // what the list says in place of items
	empty   bool         // the list says that it is empty
	known   bool         // the answer has the frame of a list
	ageGate bool
}

func (w *walker) root(v value) {
	if !v.Exists() {
		return
	}
	w.walk(v)
}

func (w *walker) walk(v value) {
	v.Walk(func(key string, x value) bool {
		switch key {
		case "secondaryResults", "playlistPanelVideoRenderer", "endScreenVideoRenderer", "menu", "thumbnailOverlays", "trackingParams", "header", "adSlotRenderer", "searchSubMenuRenderer", "chipBarViewModel", "feedFilterChipBarRenderer", "submenu", "subMenu":
			return false
		case "tabRenderer":
			w.tab(x)
			return x.Get("content").Exists()
		case "lockupViewModel":
			w.lockup(x)
		case "shortsLockupViewModel":
			w.short(x)
		case "videoRenderer", "gridVideoRenderer", "compactVideoRenderer", "playlistVideoRenderer", "videoWithContextRenderer", "channelVideoPlayerRenderer", "movieRenderer", "reelItemRenderer", "shortsVideoRenderer":
			w.video(x)
		case "backstagePostRenderer", "postRenderer", "sharedPostRenderer":
			w.note(x, key == "sharedPostRenderer")
		case "channelRenderer", "gridChannelRenderer", "compactChannelRenderer":
			w.channel(x)
		case "playlistRenderer", "gridPlaylistRenderer", "compactPlaylistRenderer", "radioRenderer", "showRenderer", "gridShowRenderer":
			w.lists++
		case "continuationItemRenderer":
			if t := x.Find("continuationCommand").Get("token").String(); t != "" {
				w.token = t
			}
		case "nextContinuationData", "reloadContinuationData":
			if t := x.Get("continuation").String(); t != "" && key == "nextContinuationData" {
				w.token = t
			}
		case "channelAgeGateRenderer":
			w.ageGate, w.message = true, strings.TrimSpace(text(x.Get("header"))+": "+text(x.Get("mainText")))
		case "messageRenderer":
			w.empty, w.message = true, firstOf(w.message, text(x.Get("text")))
		case "backgroundPromoRenderer":
			w.empty, w.message = true, firstOf(w.message, strings.TrimSpace(text(x.Get("title"))+" "+text(x.Get("bodyText"))))
		case "continuationItems", "sectionListRenderer", "richGridRenderer", "playlistVideoListRenderer", "gridRenderer":
			w.known = true
			return true
		default:
			return true
		}
		return false
	})
}

// tab notes the tabs of a channel that hold posts and are not shown here.
func (w *walker) tab(x value) {
	if x.Get("selected").Bool() {
		return
	}
	raw := x.Get("endpoint", "commandMetadata", "webCommandMetadata", "url").String()
	name := raw[strings.LastIndexByte(raw, '/')+1:]
	switch params := x.Get("endpoint", "browseEndpoint", "params").String(); {
	case name != "":
	case params == tabParams("shorts"):
		name = "shorts"
	case params == tabParams("streams"):
		name = "streams"
	case params == tabParams("posts"):
		name = "posts"
	}
	switch name {
	case "shorts", "streams", "posts", "community":
		w.tabs = append(w.tabs, name)
	}
}

// item finishes a video of a list.
func (w *walker) item(p post.Post) {
	if !videoForm.MatchString(p.ID) {
		return
	}
	p.Kind, p.URL = post.KindVideo, videoURL(p.ID)
	if p.Outcome == "" {
		p.Outcome = post.OKPartial // without description, exact time and counts
	}
	if p.Account.ID == "" && p.Account.Name == "" && p.Account.Handle == "" {
		p.Account = w.owner
		p.Account.Counts = nil
	}
	p.Hashtags = hashtags.In(p.Title)
	if !w.posts[p.ID] && p.Outcome.Scope() == post.ScopeServed {
		w.hydrate = append(w.hydrate, p.ID)
	}
	w.add(p)
}

// part reads one of the short texts beside a title: views, age, length, channel.
// It reports whether it knew what the text is.
func (r *reader) part(p *post.Post, s string) bool {
	s = strings.TrimSpace(s)
	if s == "" || s == "•" || s == "·" {
		return true
	}
	if t, _, ok := relative(s, r.ex.FetchedAt); ok {
		if p.Created.IsZero() {
			p.Created = t
		}
		return true
	}
	if c, ok := phrase(s); ok && (c.Name == "views" || c.Name == "viewers") {
		if c.Name == "viewers" && !strings.Contains(strings.ToLower(s), "waiting") && p.Outcome == "" {
			p.Outcome = post.Live
		}
		if !has(p.Counts, c.Name) {
			p.Counts = append(p.Counts, c)
		}
		return true
	}
	if rest, ok := strings.CutPrefix(s, "Scheduled for "); ok {
		p.Tags = append(p.Tags, "scheduled for "+rest)
		p.Outcome = post.Upcoming
		return true
	}
	if rest, ok := strings.CutPrefix(s, "Premieres "); ok {
		p.Tags = append(p.Tags, "scheduled for "+rest)
		p.Outcome = post.Upcoming
		return true
	}
	return false
}

// byline is the channel that a text names, by the address behind it.
// Of several channels it is the first that the dialog behind the text lists.
func (r *reader) byline(v value, more ...value) post.Account {
	name := text(v)
	end := value{}
	for _, x := range append([]value{v}, more...) {
		if e := x.Find("browseEndpoint"); e.IsObject() && channelForm.MatchString(e.Get("browseId").String()) {
			end = e
			break
		}
	}
	if items := v.Find("dialogViewModel").Find("listItems"); items.IsArray() {
		first := items.At(0).Get("listItemViewModel")
		name = text(first.Get("title"))
		if e := first.Find("browseEndpoint"); e.IsObject() {
			end = e
		}
	}
	return r.account(end.Get("browseId").String(), name, end.Get("canonicalBaseUrl").String())
}

// together lists the other channels of a video made by several, as mentions.
func together(p *post.Post, v value) {
	items := v.Find("dialogViewModel").Find("listItems").Array()
	for i, it := range items {
		if i == 0 || i > 20 {
			continue
		}
		sub := text(it.Get("listItemViewModel", "subtitle"))
		if at := strings.IndexByte(sub, '@'); at >= 0 {
			p.Mentions = append(p.Mentions, mentions(" "+sub[at:])...)
		}
	}
}

// lockup reads the newest of the shapes. It carries other things than videos
// too: contentType tells.
func (w *walker) lockup(x value) {
	kind := x.Get("contentType").String()
	if kind != "" && !strings.HasSuffix(kind, "_VIDEO") && !strings.HasSuffix(kind, "_SHORT") && !strings.HasSuffix(kind, "_SHORTS") && !strings.HasSuffix(kind, "_EPISODE") {
		w.lists++
		return
	}
	meta := x.Get("metadata", "lockupMetadataViewModel")
	p := post.Post{ID: x.Get("contentId").String(), Title: text(meta.Get("title"))}
	if strings.Contains(kind, "SHORT") {
		p.Tags = append(p.Tags, "short")
	}
	for _, row := range meta.Get("metadata", "contentMetadataViewModel", "metadataRows").Array() {
		for _, part := range row.Get("metadataParts").Array() {
			t := firstValue(part.Get("text"), part.Get("avatarStack", "avatarStackViewModel", "text"))
			if w.part(&p, text(t)) || p.Account.Name != "" {
				continue
			}
			if a := w.byline(t, part, meta.Get("image")); a.ID != "" || a.Handle != "" {
				p.Account = a
				together(&p, part)
			}
		}
		for _, b := range row.Get("badges").Array() {
			w.badge(&p, b.Get("badgeViewModel", "badgeText").String(), b.Get("badgeViewModel", "badgeStyle").String())
		}
	}
	if p.Account.Name != "" && p.Account.Avatar == "" {
		if m, ok := largest(meta.Get("image")); ok {
			p.Account.Avatar = m.URL
		}
	}
	thumb := x.Get("contentImage", "thumbnailViewModel")
	seconds := 0.0
	thumb.Get("overlays").Walk(func(key string, o value) bool {
		if key == "thumbnailBadgeViewModel" {
			if s, ok := clock(o.Get("text").String()); ok {
				seconds = s
			} else {
				w.badge(&p, o.Get("text").String(), o.Get("badgeStyle").String())
			}
			return false
		}
		return true
	})
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Duration: seconds})
	w.thumbnail(&p, thumb.Get("image"))
	w.item(p)
}

// badge reads a mark on a thumbnail or beside a title.
func (r *reader) badge(p *post.Post, words, style string) {
	lower, style := strings.ToLower(strings.TrimSpace(words)), strings.ToUpper(style)
	switch {
	case strings.HasSuffix(style, "_LIVE"), strings.HasSuffix(style, "LIVE_NOW"), lower == "live", style == "LIVE":
		p.Outcome = post.Live
	case lower == "upcoming", strings.HasSuffix(style, "UPCOMING"):
		p.Outcome = post.Upcoming
	case strings.Contains(style, "MEMBERS_ONLY"), lower == "members only", lower == "members first":
		p.Outcome = post.MembersOnly
	case strings.HasSuffix(style, "SHORTS"), lower == "shorts":
		p.Tags = append(p.Tags, "short")
	case words != "" && len(words) < 60 && !strings.Contains(style, "VERIFIED") && lower != "now playing" && lower != "new":
		p.Tags = append(p.Tags, words)
	}
}

// short reads an item of the Shorts tab, which carries no date.
func (w *walker) short(x value) {
	id := x.Get("onTap", "innertubeCommand", "reelWatchEndpoint", "videoId").String()
	if id == "" {
		id = strings.TrimPrefix(x.Get("entityId").String(), "shorts-shelf-item-")
	}
	p := post.Post{ID: id, Title: text(x.Get("overlayMetadata", "primaryText")), Tags: []string{"short"}}
	w.part(&p, text(x.Get("overlayMetadata", "secondaryText")))
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo})
	w.thumbnail(&p, x.Get("thumbnailViewModel"))
	w.item(p)
}

// video reads the renderers of 2017-2026. They share their field names.
func (w *walker) video(x value) {
	p := post.Post{ID: x.Get("videoId").String(), Title: text(firstValue(x.Get("title"), x.Get("headline")))}
	by := firstValue(x.Get("ownerText"), x.Get("longBylineText"), x.Get("shortBylineText"))
	avatar := x.Get("channelThumbnailSupportedRenderers", "channelThumbnailWithLinkRenderer")
	if by.Exists() {
		p.Account = w.byline(by, avatar.Get("navigationEndpoint"), x.Get("channelThumbnail"))
		together(&p, by)
	}
	if m, ok := largest(avatar.Get("thumbnail")); ok && p.Account.Name != "" {
		p.Account.Avatar = m.URL
	}
	for _, name := range []string{"publishedTimeText", "viewCountText", "shortViewCountText"} {
		w.part(&p, text(x.Get(name)))
	}
	for _, run := range x.Get("videoInfo", "runs").Array() {
		w.part(&p, text(run))
	}
	for _, b := range x.Get("badges").Array() {
		w.badge(&p, b.Get("metadataBadgeRenderer", "label").String(), b.Get("metadataBadgeRenderer", "style").String())
	}
	seconds, ok := clock(text(x.Get("lengthText")))
	if !ok {
		seconds = length(x.Get("lengthSeconds"))
	}
	for _, o := range x.Get("thumbnailOverlays").Array() {
		o = o.Get("thumbnailOverlayTimeStatusRenderer")
		if s, ok := clock(text(o.Get("text"))); ok && seconds == 0 {
			seconds = s
		}
		if style := o.Get("style").String(); style != "" && style != "DEFAULT" {
			w.badge(&p, "", style)
		}
	}
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Duration: seconds})
	w.thumbnail(&p, x.Get("thumbnail"))
	p.Text = text(x.Get("descriptionSnippet"))
	for _, s := range x.Get("detailedMetadataSnippets").Array() {
		p.Text = firstOf(p.Text, text(s.Get("snippetText")))
	}
	if start, ok := x.Get("upcomingEventData", "startTime").Int(); ok && start > 0 && start < 1<<36 {
		p.Outcome = post.Upcoming
		p.Tags = append(p.Tags, "scheduled for "+time.Unix(start, 0).UTC().Format(time.RFC3339))
	}
	if x.Get("navigationEndpoint", "reelWatchEndpoint").IsObject() || strings.HasPrefix(x.Get("navigationEndpoint", "commandMetadata", "webCommandMetadata", "url").String(), "/shorts/") {
		p.Tags = append(p.Tags, "short")
	}
	if x.Has("isPlayable") && !x.Get("isPlayable").Bool() {
		switch p.Title {
		case "[Private video]":
			p.Title, p.Outcome = "", post.Private
		case "[Deleted video]":
			p.Title, p.Outcome = "", post.Unavailable
		default:
			p.Outcome = post.Unavailable
		}
	}
	w.item(p)
}

// channel reads a channel of a list as a post of its own.
func (w *walker) channel(x value) {
	if w.step.Ref.Kind == crawlers.RefAccount {
		w.lists++ // a channel that another recommends
		return
	}
	id := x.Get("channelId").String()
	if !channelForm.MatchString(id) {
		return
	}
	a := w.account(id, text(firstValue(x.Get("title"), x.Get("displayName"))), x.Get("navigationEndpoint", "browseEndpoint", "canonicalBaseUrl").String())
	if m, ok := largest(x.Get("thumbnail")); ok {
		a.Avatar = m.URL
	}
	// The handle stands where the subscribers were, and they where the videos were.
	for _, name := range []string{"subscriberCountText", "videoCountText"} {
		words := text(x.Get(name))
		if handle, ok := strings.CutPrefix(words, "@"); ok {
			a.Handle = firstOf(a.Handle, handle)
		} else if c, ok := phrase(words); ok && (c.Name == "followers" || c.Name == "posts") && !has(a.Counts, c.Name) {
			a.Counts = append(a.Counts, c)
		}
	}
	p := post.Post{ID: id, Kind: post.KindAccount, URL: channelURL(id), Account: a, Title: a.Name, Text: text(x.Get("descriptionSnippet")), Outcome: post.OKPartial}
	if a.Avatar != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: a.Avatar})
	}
	if a.Handle != "" {
		w.identity("@"+strings.ToLower(a.Handle), id, "")
	}
	w.add(p)
}

// note reads a community post.
func (w *walker) note(x value, shared bool) {
	id := x.Get("postId").String()
	if !postForm.MatchString(id) {
		return
	}
	p := post.Post{ID: id, Kind: post.KindPost, URL: postRef(id).URL, Outcome: post.OK}
	by := firstValue(x.Get("authorText"), x.Get("displayName"))
	p.Account = w.byline(by, x.Get("authorEndpoint"), x.Get("endpoint"))
	if p.Account.ID == "" && p.Account.Name == "" {
		p.Account = w.owner
		p.Account.Counts = nil
	}
	if m, ok := largest(firstValue(x.Get("authorThumbnail"), x.Get("thumbnail"))); ok {
		p.Account.Avatar = m.URL
	}
	body := firstValue(x.Get("contentText"), x.Get("content"))
	p.Text = text(body)
	p.Links = runLinks(body, p.Text)
	p.Hashtags, p.Mentions = hashtags.In(p.Text), mentions(p.Text)
	words := text(x.Get("publishedTimeText"))
	if t, edited, ok := relative(words, w.ex.FetchedAt); ok {
		p.Created = t
		if edited {
			p.Edited = post.Between(t.From, w.ex.FetchedAt, words, post.SourceRelative)
		}
	}
	if c, ok := count("likes", text(x.Get("voteCount"))); ok {
		p.Counts = append(p.Counts, c)
	}
	reply := x.Get("actionButtons", "commentActionButtonsRenderer", "replyButton", "buttonRenderer")
	if c, ok := count("comments", text(reply.Get("text"))); ok {
		p.Counts = append(p.Counts, c)
	}
	attached := x.Get("backstageAttachment")
	attached.Walk(func(key string, a value) bool {
		switch key {
		case "backstageImageRenderer":
			if m, ok := largest(a.Get("image")); ok {
				p.Media = append(p.Media, m)
			}
			return false
		case "videoRenderer":
			if vid := a.Get("videoId").String(); videoForm.MatchString(vid) {
				p.Refs = append(p.Refs, post.Ref{Role: post.RoleQuoteOf, ID: vid, URL: videoURL(vid), Account: w.byline(a.Get("ownerText")).Handle})
			}
			return false
		case "pollRenderer", "quizRenderer":
			for _, c := range a.Get("choices").Array() {
				p.Text += "\n- " + text(c.Get("text"))
			}
			if c, ok := phrase(strings.Replace(text(a.Get("totalVotes")), "votes", "likes", 1)); ok {
				c.Name = "votes"
				p.Counts = append(p.Counts, c)
			}
			return false
		}
		return true
	})
	if x.Get("sponsorsOnlyBadge").Exists() {
		p.Outcome = post.MembersOnly
	}
	if orig := x.Get("originalPost"); shared && orig.IsObject() {
		if oid := firstOf(orig.Find("postId").String()); postForm.MatchString(oid) {
			p.Refs = append(p.Refs, post.Ref{Role: post.RoleRepostOf, ID: oid, URL: postRef(oid).URL})
		}
		w.add(p)
		w.walk(orig)
		return
	}
	w.add(p)
}

// runLinks lists the addresses behind the runs of a text, unwrapped, or, where
// there are none, those that stand in it.
func runLinks(v value, plain string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(raw string) {
		if raw != "" && !seen[raw] && len(out) < maxLinks {
			seen[raw] = true
			out = append(out, raw)
		}
	}
	v.Walk(func(key string, x value) bool {
		if key == "urlEndpoint" {
			add(external(x.Get("url").String()))
			return false
		}
		return true
	})
	if len(out) == 0 { // where there are any behind it, those in the text may be shortened
		for _, l := range links(plain) {
			add(l)
		}
	}
	return out
}
