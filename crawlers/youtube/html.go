package youtube

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// embedded gives the JSON that a page assigns to a variable: an object, or a
// string with \x escapes as mobile pages have it.
func embedded(page []byte, name string) ([]byte, bool) {
	marker := []byte(name)
	for from := 0; ; {
		i := bytes.Index(page[from:], marker)
		if i < 0 {
			return nil, false
		}
		from += i + len(marker)
		rest := bytes.TrimLeft(page[from:min(from+16, len(page))], `"'] `+"\t\r\n")
		if len(rest) == 0 || rest[0] != '=' && rest[0] != ':' {
			continue
		}
		at := from + bytes.IndexByte(page[from:], rest[0]) + 1
		value := bytes.TrimLeft(page[at:], " \t\r\n")
		switch {
		case len(value) == 0:
		case value[0] == '{':
			if raw, ok := jsonx.Balanced(value); ok {
				return raw, true
			}
		case value[0] == '\'' || bytes.HasPrefix(value, []byte("JSON.parse(")):
			if raw, ok := scriptString(bytes.TrimPrefix(value, []byte("JSON.parse("))); ok {
				return raw, true
			}
		}
	}
}

// scriptString reads the string of a script that value starts with.
func scriptString(value []byte) ([]byte, bool) {
	if len(value) == 0 || value[0] != '\'' && value[0] != '"' {
		return nil, false
	}
	quote := value[0]
	out := make([]byte, 0, len(value)/2)
	for i := 1; i < len(value); i++ {
		c := value[i]
		if c == quote {
			return out, true
		}
		if c != '\\' || i+1 >= len(value) {
			out = append(out, c)
			continue
		}
		i++
		switch value[i] {
		case 'x':
			if i+2 < len(value) {
				if n, err := strconv.ParseUint(string(value[i+1:i+3]), 16, 8); err == nil {
					out = append(out, byte(n))
					i += 2
					continue
				}
			}
			return nil, false
		case '\'', '/':
			out = append(out, value[i])
		case '\\':
			out = append(out, '\\')
		case '"':
			out = append(out, '"')
		case 'n':
			out = append(out, '\n')
		default: // \u0026 and the like stay for the JSON within
			out = append(out, '\\', value[i])
		}
	}
	return nil, false
}

// oldPlayer finds the player's answer within ytplayer.config of pages of
// 2014-2020, where it is JSON within a string.
func oldPlayer(page []byte) (value, bool) {
	raw, ok := jsonx.After(page, "ytplayer.config =")
	if !ok {
		return value{}, false
	}
	v, err := jsontree.Parse(raw)
	if err != nil {
		return value{}, false
	}
	args := v.Get("args")
	if s := firstOf(args.Get("player_response").String(), args.Get("raw_player_response").String()); s != "" {
		if p, err := jsontree.Parse([]byte(s)); err == nil {
			return p, true
		}
	}
	if p := args.Get("raw_player_response"); p.IsObject() {
		return p, true
	}
	if !videoForm.MatchString(args.Get("video_id").String()) {
		return value{}, false
	}
	// Before player_response: flat arguments.
	seconds := args.Get("length_seconds").String()
	flat := map[string]any{"videoDetails": map[string]any{"videoId": args.Get("video_id").String(), "title": args.Get("title").String(), "author": args.Get("author").String(), "channelId": args.Get("ucid").String(), "lengthSeconds": seconds, "viewCount": args.Get("view_count").String()}}
	data, err := json.Marshal(flat)
	if err != nil {
		return value{}, false
	}
	p, err := jsontree.Parse(data)
	return p, err == nil
}

// html reads a page of any vintage: its data, else its head, else its elements.
func (r *reader) html(body []byte) {
	var playerData, initial value
	var err error
	raw, hasPlayer := embedded(body, "ytInitialPlayerResponse")
	if hasPlayer {
		if playerData, err = jsontree.Parse(raw); err != nil {
			hasPlayer = false
		}
	}
	if !hasPlayer {
		playerData, hasPlayer = oldPlayer(body)
	}
	raw, hasInitial := embedded(body, "ytInitialData")
	if hasInitial {
		if initial, err = jsontree.Parse(raw); err != nil {
			hasInitial = false
		}
	}
	switch {
	case hasPlayer && (playerData.Has("videoDetails") || playerData.Has("playabilityStatus") || playerData.Has("microformat")):
		r.watch(playerData, initial, body)
	case hasInitial:
		r.innertube(initial)
	default:
		r.meta(body)
		return
	}
	if r.page.Outcome == post.LayoutChanged || len(r.page.Posts) == 0 && (r.page.Outcome == "" || r.page.Outcome == post.OK) && r.page.Coverage == (crawlers.Coverage{}) && len(r.page.Next) == 0 {
		held := r.page
		r.page = crawlers.Page{}
		r.posts = map[string]bool{}
		if r.meta(body); r.page.Outcome == post.LayoutChanged {
			r.page = held
			if r.page.Outcome == "" {
				r.fail(post.LayoutChanged, "the page's data holds nothing that is known")
			}
		}
	}
}

// watch reads the page of one video: what the player was told, and what stands
// around it.
func (r *reader) watch(playerData, initial value, body []byte) {
	v, ok := r.player(playerData)
	if !ok {
		r.fail(post.LayoutChanged, "the player's data names no video")
		return
	}
	if initial.IsObject() {
		r.around(&v.post, initial)
	}
	if v.post.Created.IsZero() && v.post.Title != "" {
		h := pagescan.ReadHead(body)
		v.post.Created = moment(h.Meta("datepublished", "uploaddate"))
	}
	if v.post.ID != "" && r.step.Ref.Kind == crawlers.RefShort {
		r.page.Reason = strings.TrimSpace(r.page.Reason)
		r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefPost, Alias: r.step.Ref.ID, ID: v.post.ID, URL: videoURL(v.post.ID)})
	}
	if !r.one(v.post) {
		return
	}
	r.trackSteps(v)
	if list := r.url.Query().Get("list"); listForm.MatchString(list) && r.step.Ref.Kind == crawlers.RefPost {
		r.next(crawlers.Step{Ref: listRef(list), Route: routeHTML, Role: crawlers.RoleRelated})
	}
	if r.step.Ref.Kind == crawlers.RefComment {
		r.fail(post.NeedsKey, "the page shows the video only: its comments need keys.youtube or an import")
	}
}

// trackSteps asks for the captions, where the user named their route.
func (r *reader) trackSteps(v video) {
	if r.step.Route != routeCaptions {
		return
	}
	for _, c := range v.captions {
		s := crawlers.Step{Ref: videoRef(v.post.ID), Route: routeCaptions, Role: crawlers.RoleHydrate, State: state{Tracks: c.url}.encode()}
		if _, err := (Collector{}).Request(s); err == nil {
			r.next(s)
		}
	}
}

// alertOf tells the notices of pages without data: of old pages, and of the
// frames in which players are embedded.
func alertOf(body []byte) (post.Outcome, string) {
	head := body[:min(len(body), 512<<10)]
	for _, marker := range []string{`id="unavailable-message"`, `class="yt-alert-message"`, `id="player-unavailable"`, `class="channel-empty-message`} {
		i := bytes.Index(head, []byte(marker))
		if i < 0 {
			continue
		}
		rest := head[i:]
		if end := bytes.IndexByte(rest, '>'); end >= 0 {
			rest = rest[end+1:]
		}
		words := pagescan.Text(rest[:min(len(rest), 600)])
		if o := stateOf(words); o != "" {
			return o, words[:min(len(words), 200)]
		}
	}
	return "", ""
}

var oldViews = regexp.MustCompile(`watch-view-count[^>]*>\s*(?:<[^>]*>\s*)*([0-9][0-9.,\s\x{a0}]*)`)

// meta reads a page by its head and microdata: pages for link previews, and
// those of before 2017.
func (r *reader) meta(body []byte) {
	h := pagescan.ReadHead(body)
	target, ok := r.canonical(h)
	kind := h.Meta("og:type")
	switch {
	case ok && target.Kind == crawlers.RefPost && (h.Meta("og:title", "name", "title") != "" || h.Title != ""):
		r.metaVideo(body, h, target.ID)
	case ok && target.Kind == crawlers.RefAccount && (h.Meta("og:title", "name") != "" || kind == "profile"):
		r.metaChannel(body, h, target)
	case ok && target.Kind == crawlers.RefBoard:
		r.oldItems(body, "")
		if len(r.page.Posts) == 0 {
			r.fail(post.LayoutChanged, "a playlist's page without its items")
		}
	default:
		r.oldItems(body, "")
		if len(r.page.Posts) > 0 {
			return
		}
		outcome, reason := titleState(h.Title, r.url.Path)
		r.fail(outcome, reason)
	}
}

// titleState is the last word on a page that holds no data.
func titleState(title, path string) (post.Outcome, string) {
	if o := stateOf(title); o != "" && o.Scope() == post.ScopeTarget {
		return o, title
	}
	if strings.HasPrefix(title, "404") {
		return post.NotFound, title
	}
	return post.LayoutChanged, "a page without data and without a name, titled " + strconv.Quote(title) + " at " + path
}

// canonical is what a page says it is about.
func (r *reader) canonical(h *pagescan.Head) (crawlers.Ref, bool) {
	for _, raw := range []string{h.Link("canonical"), h.Meta("og:url"), h.Meta("twitter:url")} {
		if u, err := url.Parse(raw); err == nil && raw != "" {
			if ref, ok := match(u, maxUnwrap); ok && ref.Kind != crawlers.RefShort {
				return ref, true
			}
		}
	}
	if id := h.Meta("videoid", "identifier"); videoForm.MatchString(id) {
		return videoRef(id), true
	}
	if id := h.Meta("channelid"); channelForm.MatchString(id) && h.Meta("videoid") == "" {
		return channelRef(id), true
	}
	return crawlers.Ref{}, false
}

func (r *reader) metaVideo(body []byte, h *pagescan.Head, id string) {
	p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id), Outcome: post.OKMetaOnly}
	p.Title = firstOf(h.Meta("og:title", "name"), strings.TrimSuffix(h.Title, " - YouTube"))
	p.Text = h.Meta("og:description", "description")
	if e, ok := pagescan.First(body, func(tag string, a pagescan.Attrs) bool { return a.Get("id") == "eow-description" }); ok {
		c := htmltext.Fragment(string(e.Inner), baseURL)
		p.Text, p.Links, p.Outcome = c.Text, c.Links, post.OK
	}
	owner, name := "", ""
	for _, e := range pagescan.Find(body, func(tag string, a pagescan.Attrs) bool {
		return tag == "link" && (a.Get("itemprop") == "url" || a.Get("itemprop") == "name")
	}) {
		switch e.Attrs.Get("itemprop") {
		case "url":
			if u, err := baseURL.Parse(e.Attrs.Get("href")); err == nil && owner == "" {
				if ref, ok := match(u, maxUnwrap); ok && (ref.Kind == crawlers.RefAccount || ref.Kind == crawlers.RefShort) {
					owner = u.String()
				}
			}
		case "name":
			name = firstOf(name, e.Attrs.Get("content"), e.Attrs.Get("href"))
		}
	}
	p.Account = r.account(h.Meta("channelid"), name, owner)
	p.Created = moment(firstOf(h.Meta("datepublished"), h.Meta("uploaddate")))
	if n, err := strconv.ParseInt(h.Meta("interactioncount"), 10, 64); err == nil && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("views", n))
	} else if m := oldViews.FindSubmatch(body); m != nil {
		if c, ok := count("views", string(m[1])); ok {
			p.Counts = append(p.Counts, c)
		}
	}
	seconds, _ := isoDuration(h.Meta("duration"))
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Duration: seconds})
	if raw := absolute(h.Meta("og:image", "twitter:image")); raw != "" {
		w, _ := strconv.Atoi(h.Meta("og:image:width"))
		height, _ := strconv.Atoi(h.Meta("og:image:height"))
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: raw, Width: max(w, 0), Height: max(height, 0)})
	}
	if g := h.Meta("genre"); g != "" {
		p.Tags = append(p.Tags, g)
	}
	if h.Meta("unlisted") == "True" {
		p.Tags = append(p.Tags, "unlisted")
	}
	p.Tags = append(p.Tags, h.All("og:video:tag")...)
	p.Hashtags = hashtags.In(p.Title + "\n" + p.Text)
	p.Mentions = mentions(p.Text)
	if len(p.Links) == 0 {
		p.Links = links(p.Text)
	}
	if r.one(p) && p.Outcome == post.OKMetaOnly {
		r.page.Reason = "the page carries its head only"
	}
}

func (r *reader) metaChannel(body []byte, h *pagescan.Head, target crawlers.Ref) {
	id := firstOf(h.Meta("channelid"), h.Meta("identifier"))
	if !target.Alias {
		id = target.ID
	}
	a := r.account(id, firstOf(h.Meta("og:title", "name"), strings.TrimSuffix(h.Title, " - YouTube")), target.URL)
	a.Avatar = absolute(h.Meta("og:image", "twitter:image"))
	if want := r.step.Ref; want.Kind == crawlers.RefAccount && !want.Alias && a.ID != "" && want.ID != a.ID {
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the page is of "+a.ID)
		return
	}
	r.alias(a.ID)
	for _, raw := range append(h.All("og:url"), r.ex.URL, firstLink(h, "handheld")) {
		if u, err := url.Parse(raw); err == nil {
			if ref, ok := match(u, maxUnwrap); ok && ref.Alias && (ref.Kind == crawlers.RefAccount || ref.Kind == crawlers.RefShort) && !strings.HasPrefix(ref.ID, "clip/") {
				r.identity(ref.ID, a.ID, "")
			}
		}
	}
	p := post.Post{ID: firstOf(a.ID, target.ID), Kind: post.KindAccount, URL: firstOf(a.URL, target.URL), Account: a, Title: a.Name, Text: h.Meta("og:description", "description"), Outcome: post.OKMetaOnly}
	p.Links = links(p.Text)
	p.Hashtags = hashtags.In(p.Text)
	if a.Avatar != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: a.Avatar})
	}
	p.Tags = append(p.Tags, h.All("og:video:tag")...)
	r.add(p)
	r.oldItems(body, a.ID)
	r.page.Outcome = post.OK
	if r.items() == 0 {
		r.page.Outcome, r.page.Reason = post.OKMetaOnly, "the page carries its head only"
	}
	r.page.Coverage.Served, r.page.Coverage.Window = r.items(), true
	r.page.Coverage.End = "the page carries no more"
}

func firstLink(h *pagescan.Head, kind string) string {
	for _, l := range h.Links {
		if l.Rel == "alternate" && strings.Contains(l.Href, "m.youtube.com/c") {
			return l.Href
		}
	}
	return ""
}

// oldItems reads the lists of pages of 2010-2019, which are elements: a title
// with a link, and beside it views and age.
func (r *reader) oldItems(body []byte, owner string) {
	if !bytes.Contains(body, []byte("yt-lockup")) && !bytes.Contains(body, []byte("pl-video ")) && !bytes.Contains(body, []byte("data-video-id")) {
		return
	}
	for _, e := range pagescan.Find(body, func(tag string, a pagescan.Attrs) bool {
		return tag == "div" && a.HasClass("yt-lockup") || tag == "tr" && a.HasClass("pl-video") || tag == "li" && a.HasClass("yt-shelf-grid-item")
	}) {
		r.oldItem(e, owner)
	}
	if n := r.items(); n > 0 {
		r.page.Coverage.Served, r.page.Coverage.Window, r.page.Coverage.End = n, true, "the page carries its first items"
	}
}

func (r *reader) oldItem(e pagescan.Element, owner string) {
	title, ok := pagescan.First(e.Inner, func(tag string, a pagescan.Attrs) bool {
		return tag == "a" && strings.Contains(a.Get("href"), "/watch?") && (a.HasClass("yt-uix-tile-link") || a.HasClass("pl-video-title-link") || a.Get("title") != "")
	})
	if !ok {
		return
	}
	u, err := baseURL.Parse(title.Attrs.Get("href"))
	if err != nil {
		return
	}
	ref, ok := match(u, maxUnwrap)
	if !ok || ref.Kind != crawlers.RefPost {
		return
	}
	p := post.Post{ID: ref.ID, Kind: post.KindVideo, URL: ref.URL, Title: strings.TrimSpace(firstOf(title.Attrs.Get("title"), title.Text())), Outcome: post.OKPartial}
	switch p.Title {
	case "[Deleted video]", "[Deleted Video]":
		p.Title, p.Outcome = "", post.Unavailable
	case "[Private video]", "[Private Video]":
		p.Title, p.Outcome = "", post.Private
	}
	p.Account = r.account(owner, "", "")
	for _, a := range pagescan.Find(e.Inner, func(tag string, a pagescan.Attrs) bool {
		return tag == "a" && (strings.HasPrefix(a.Get("href"), "/user/") || strings.HasPrefix(a.Get("href"), "/channel/") || strings.HasPrefix(a.Get("href"), "/c/"))
	}) {
		p.Account = r.account(firstOf(a.Attrs.Get("data-ytid"), owner), a.Text(), a.Attrs.Get("href"))
		break
	}
	for _, li := range pagescan.Find(e.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "li" }) {
		r.part(&p, li.Text())
	}
	if t, ok := pagescan.First(e.Inner, func(tag string, a pagescan.Attrs) bool {
		return tag == "span" && a.HasClass("video-time") || tag == "div" && a.HasClass("timestamp")
	}); ok {
		if s, ok := clock(t.Text()); ok {
			p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Duration: s})
		}
	}
	if d, ok := pagescan.First(e.Inner, func(tag string, a pagescan.Attrs) bool { return a.HasClass("yt-lockup-description") }); ok {
		p.Text = d.Text()
	}
	r.add(p)
}
