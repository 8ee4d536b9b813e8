package vimeo

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/internal/textenc"
	"github.com/refrain-archive/refrain/post"
)

// headBytes is where the metadata of a page ends: pages end it early, and carry
// hundreds of kilobytes of style and script behind it.
const headBytes = 96 << 10

// script finds JSON that a page assigns to a variable.
func script(page []byte, name string) (value, bool) {
	raw, ok := jsonx.After(page, name)
	if !ok {
		return value{}, false
	}
	v, err := jsontree.Parse(raw)
	return v, err == nil
}

var ldStart = []byte("application/ld+json")

// videoObject finds the ld+json object of a type.
func videoObject(page []byte, kinds ...string) (value, bool) {
	for rest := page; ; {
		i := bytes.Index(rest, ldStart)
		if i < 0 {
			return value{}, false
		}
		rest = rest[i+len(ldStart):]
		open := bytes.IndexByte(rest, '>')
		end := bytes.Index(rest, []byte("</script"))
		if open < 0 || end < open {
			return value{}, false
		}
		v, err := jsontree.Parse(bytes.TrimSpace(rest[open+1 : end]))
		rest = rest[end:]
		if err != nil {
			continue
		}
		list := append(v.Array(), v.Get("@graph").Array()...)
		if v.IsObject() {
			list = append(list, v)
		}
		for _, o := range list {
			for _, k := range kinds {
				if o.Get("@type").String() == k {
					return o, true
				}
			}
		}
	}
}

// html reads a page: of a video, of a player, of a user.
func (r *reader) html(body []byte) {
	for _, name := range []string{"window.playerConfig =", "window.playerConfig=", "var config = {\"", "var playerConfig ="} {
		marker := strings.TrimSuffix(name, `{"`)
		if v, ok := script(body, marker); ok && v.Get("video").IsObject() {
			r.player(v)
			return
		}
	}
	ld, hasLD := videoObject(body, "VideoObject")
	clip, hasClip := script(body, "clip_page_config =")
	if hasLD || hasClip {
		r.clip(ld, clip)
		return
	}
	head := pagescan.ReadHead(body[:min(len(body), headBytes)])
	r.meta(head, body)
}

// clip reads a video's page.
func (r *reader) clip(ld, config value) {
	c := config.Get("clip")
	id, hash := "", c.Get("unlisted_hash").String()
	if n := c.Get("id").String(); number.MatchString(n) {
		id = digits(n)
	}
	for _, raw := range []string{ld.Get("url").String(), ld.Get("embedUrl").String()} {
		u, err := url.Parse(raw)
		if err != nil || raw == "" {
			continue
		}
		if ref, ok := (Collector{}).Match(u); ok && ref.Kind == crawlers.RefPost {
			id = firstOf(id, ref.ID)
			if u.Hostname() != "player.vimeo.com" { // whose h= is no sign of an unlisted video
				hash = firstOf(hash, ref.Of)
			}
		}
	}
	if id == "" {
		r.fail(post.LayoutChanged, "the page's data names no video")
		return
	}
	p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id, hash), Outcome: post.OK}
	// ld+json has the title as it was written, escaped as HTML; the clip's is
	// set with curly quotes.
	p.Title = firstOf(unescape(ld.Get("name").String()), unescape(c.Get("title").String()))
	p.Text = unescape(ld.Get("description").String())
	cut := strings.HasSuffix(strings.TrimSpace(p.Text), "…")
	if full := c.Get("description").String(); full != "" && (cut || p.Text == "") {
		content := htmltext.Fragment(full, base)
		p.Text, p.Links, cut = content.Text, content.Links, strings.HasSuffix(content.Text, "…")
	}
	if len(p.Links) == 0 {
		p.Links = links(p.Text)
	}
	if cut {
		p.Outcome = post.OKPartial
		r.page.Reason = "the page cuts the description"
	}
	owner := config.Get("owner")
	p.Account = r.user(owner.Get("id").String(), firstOf(owner.Get("display_name").String(), unescape(ld.Get("author", "name").String())), firstOf(owner.Get("url").String(), ld.Get("author", "url").String()), absolute(owner.Get("portrait", "src_2x").String()))
	if p.Created = stated(ld.Get("uploadDate").String()); p.Created.IsZero() {
		p.Created = newYork(c.Get("uploaded_on").String())
	}
	for _, s := range ld.Get("interactionStatistic").Array() {
		kind := s.Get("interactionType").String()
		if t := s.Get("interactionType", "@type"); t.Exists() {
			kind = t.String()
		}
		name := map[string]string{"CommentAction": "comments", "LikeAction": "likes", "WatchAction": "views"}[kind[strings.LastIndexByte(kind, '/')+1:]]
		if n, ok := count(name, s.Get("userInteractionCount")); ok && name != "" {
			p.Counts = append(p.Counts, n)
		}
	}
	length, ok := isoDuration(ld.Get("duration").String())
	if !ok {
		length = seconds(c.Get("duration", "raw"))
	}
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Width: size(ld.Get("width")), Height: size(ld.Get("height")), Duration: length})
	thumb := ld.Get("thumbnail")
	if raw := absolute(firstOf(thumb.Get("url").String(), ld.Get("thumbnailUrl").String(), config.Get("thumbnail", "src_2x").String())); raw != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: raw, Width: size(thumb.Get("width")), Height: size(thumb.Get("height"))})
	}
	for _, cat := range config.Get("categories_config", "categories").Array() {
		if s := cat.Get("name").String(); s != "" && len(p.Tags) < 100 {
			p.Tags = append(p.Tags, s)
		}
	}
	if s := config.Get("cc_license", "name").String(); s != "" {
		p.Tags = append(p.Tags, "license "+s)
	}
	if hash != "" {
		p.Tags = append(p.Tags, "unlisted")
	}
	switch c.Get("privacy", "type").String() {
	case "password":
		p.Outcome = post.Password
	case "nobody":
		p.Outcome = post.Private
	case "contacts", "users":
		p.Outcome = post.Protected
	}
	switch {
	case c.Get("is_unavailable").Bool():
		p.Outcome = post.Unavailable
	case config.Get("copyright_status", "is_blocked").Bool():
		p.Outcome, r.page.Reason = post.Removed, "copyright_status.is_blocked"
	case config.Get("content_block_status", "is_blocked").Bool():
		p.Outcome, r.page.Reason = post.Withheld, firstOf(config.Get("content_block_status", "message").String(), "content_block_status.is_blocked")
	case c.Get("is_live").Bool():
		p.Outcome = post.Live
	}
	r.one(p)
}

// player reads the configuration of an embedded player.
func (r *reader) player(v value) {
	video := v.Get("video")
	id := video.Get("id").String()
	if !number.MatchString(id) {
		r.fail(post.LayoutChanged, "the player's configuration names no video")
		return
	}
	id = digits(id)
	hash := video.Get("unlisted_hash").String()
	if !hashForm.MatchString(hash) {
		hash = ""
	}
	p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id, hash), Title: video.Get("title").String(), Lang: video.Get("lang").String(), Outcome: post.OKPartial}
	owner := video.Get("owner")
	p.Account = r.user(owner.Get("id").String(), owner.Get("name").String(), owner.Get("url").String(), absolute(firstOf(owner.Get("img_2x").String(), owner.Get("img").String())))
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Width: size(video.Get("width")), Height: size(video.Get("height")), Duration: seconds(video.Get("duration"))})
	best, raw := 0, ""
	video.Get("thumbs").Members(func(key string, t value) bool {
		if n, err := strconv.Atoi(key); err == nil && n > best || raw == "" {
			best, raw = n, t.String()
		}
		return true
	})
	if raw = absolute(firstOf(raw, video.Get("thumbnail_url").String())); raw != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: raw})
	}
	for _, t := range v.Get("request", "text_tracks").Array() {
		if len(p.Media) < 200 {
			p.Media = append(p.Media, post.Media{Kind: post.MediaFile, URL: trackURL(t.Get("url").String()), Alt: strings.TrimSpace(firstOf(t.Get("kind").String(), "text track") + " " + t.Get("lang").String())})
		}
	}
	switch video.Get("privacy").String() {
	case "unlisted", "disable":
		p.Tags = append(p.Tags, "unlisted")
	}
	switch event := video.Get("live_event"); event.Get("status").String() {
	case "started", "streaming":
		p.Outcome = post.Live
	case "pending", "active":
		p.Outcome = post.Upcoming
		if t := stated(event.Get("schedule_start_time").String()); !t.Time.IsZero() {
			p.Tags = append(p.Tags, "scheduled for "+event.Get("schedule_start_time").String())
		}
	}
	if r.one(p) && p.Outcome == post.OKPartial {
		r.page.Reason = "the player carries neither description, time nor counts"
	}
}

// meta reads a page without data by its head.
func (r *reader) meta(h *pagescan.Head, body []byte) {
	var target crawlers.Ref
	ok := false
	for _, raw := range []string{h.Link("canonical"), h.Meta("og:url")} {
		u, err := base.Parse(raw)
		if err != nil || raw == "" {
			continue
		}
		if target, ok = (Collector{}).Match(u); ok {
			break
		}
	}
	title := firstOf(h.Meta("og:title"), strings.TrimSuffix(h.Title, " on Vimeo"))
	switch {
	case ok && target.Kind == crawlers.RefPost && h.Meta("og:title") != "":
		p := post.Post{ID: target.ID, Kind: post.KindVideo, URL: target.URL, Title: title, Text: h.Meta("og:description", "description"), Outcome: post.OKMetaOnly}
		p.Links = links(p.Text)
		p.Media = append(p.Media, post.Media{Kind: post.MediaVideo})
		if raw := absolute(h.Meta("og:image")); raw != "" {
			p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: raw})
		}
		if r.one(p) {
			r.page.Reason = "the page carries its head only"
		}
	case ok && target.Kind == crawlers.RefAccount && h.Meta("og:title") != "":
		a := r.user("", title, target.URL, absolute(h.Meta("og:image")))
		id := ""
		for _, name := range []string{"al:ios:url", "al:android:url"} {
			if m := userURI.FindStringSubmatch(h.Meta(name)); m != nil {
				id = digits(m[1])
			}
		}
		if id != "" {
			a = r.user(id, title, target.URL, a.Avatar)
		}
		want := r.step.Ref
		if want.Kind == crawlers.RefAccount && want.Key() != target.Key() && want.ID != a.ID {
			r.fail(post.LayoutChanged, "asked for "+want.ID+", the page is of "+target.ID)
			return
		}
		p := post.Post{ID: "user:" + firstOf(a.ID, target.ID), Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Text: h.Meta("og:description", "description"), Outcome: post.OKMetaOnly}
		p.Links = links(p.Text)
		if a.Avatar != "" {
			p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: a.Avatar})
		}
		r.add(p)
		r.page.Outcome, r.page.Reason = post.OKMetaOnly, "the page carries its head only: its videos need keys.vimeo"
		r.page.Coverage = crawlers.Coverage{Window: true, End: "the page carries no videos"}
	default:
		if !r.oldList(body) {
			r.fail(post.LayoutChanged, "a page without data and without a name, titled "+strconv.Quote(h.Title))
		}
	}
}

var clipID = regexp.MustCompile(`^clip_([0-9]{1,15})$`)

// oldList reads the lists of pages of 2009-2018: <li id="clip_ID"> with the
// title on its link.
func (r *reader) oldList(body []byte) bool {
	if !bytes.Contains(body, []byte(`id="clip_`)) {
		return false
	}
	for _, e := range pagescan.Find(body, func(tag string, a pagescan.Attrs) bool { return clipID.MatchString(a.Get("id")) }) {
		id := digits(clipID.FindStringSubmatch(e.Attrs.Get("id"))[1])
		p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id, ""), Outcome: post.OKPartial}
		if a, ok := pagescan.First(e.Inner, func(tag string, a pagescan.Attrs) bool {
			return tag == "a" && (a.Get("title") != "" || a.Get("data-title") != "")
		}); ok {
			p.Title = strings.TrimSpace(firstOf(a.Attrs.Get("title"), a.Attrs.Get("data-title")))
		} else if t, ok := pagescan.First(e.Inner, func(tag string, a pagescan.Attrs) bool { return a.HasClass("title") }); ok {
			p.Title = t.Text()
		}
		if t, ok := pagescan.First(e.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "time" }); ok {
			p.Created = stated(t.Attrs.Get("datetime"))
		}
		if img, ok := pagescan.First(e.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "img" }); ok {
			if raw := absolute(img.Attrs.Get("src")); raw != "" {
				p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: raw})
			}
		}
		if p.Title != "" {
			r.add(p)
		}
	}
	r.page.Coverage = crawlers.Coverage{Served: len(r.page.Posts), Oldest: r.page.Coverage.Oldest, Window: true, End: "the page carries its first videos"}
	return len(r.page.Posts) > 0
}

// rss reads the feed of a user's or channel's videos.
func (r *reader) rss(body []byte) {
	text, _ := textenc.XML(body, r.ex.Header.Get("Content-Type"))
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var path []string
	var p post.Post
	var field strings.Builder
	depth, seen := 0, false
	for len(r.page.Posts) < 1000 {
		token, err := d.Token()
		if err != nil {
			if err != io.EOF {
				if !seen {
					r.fail(post.UnexpectedType, "read the feed: "+err.Error())
					if r.ex.Truncated {
						r.page.Outcome = post.CutBody
					}
					return
				}
				r.page.Outcome, r.page.Reason = post.OKPartial, "the feed breaks off: "+err.Error()
			}
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			if depth > 64 {
				r.fail(post.UnexpectedType, "a feed nested deeper than 64 elements")
				return
			}
			path = append(path, t.Name.Local)
			field.Reset()
			switch t.Name.Local {
			case "channel", "rss":
				seen = true
			case "item":
				p = post.Post{Kind: post.KindVideo, Outcome: post.OK}
			case "thumbnail":
				for _, a := range t.Attr {
					if a.Name.Local == "url" && absolute(a.Value) != "" && len(p.Media) == 0 {
						p.Media = append(p.Media, post.Media{Kind: post.MediaVideo}, post.Media{Kind: post.MediaImage, URL: absolute(a.Value)})
					}
				}
			}
		case xml.CharData:
			if field.Len() < 1<<20 {
				field.Write(t)
			}
		case xml.EndElement:
			depth--
			if len(path) > 0 {
				path = path[:len(path)-1]
			}
			words := strings.TrimSpace(field.String())
			field.Reset()
			if inItem := len(path) > 0 && path[len(path)-1] == "item"; inItem {
				r.rssField(&p, t.Name, words)
			}
			if t.Name.Local == "item" {
				r.add(p)
			}
		}
	}
	if !seen {
		r.fail(post.UnexpectedType, "XML that is no RSS")
		return
	}
	r.page.Coverage.Served, r.page.Coverage.Window, r.page.Coverage.End = len(r.page.Posts), true, "the feed serves the newest videos"
}

func (r *reader) rssField(p *post.Post, name xml.Name, words string) {
	switch name.Local {
	case "link":
		if u, err := url.Parse(words); err == nil {
			if ref, ok := (Collector{}).Match(u); ok && ref.Kind == crawlers.RefPost {
				p.ID, p.URL = ref.ID, ref.URL
			}
		}
	case "title":
		if p.Title == "" {
			p.Title = words
		}
	case "description":
		if strings.Contains(name.Space, "mrss") {
			return
		}
		content := htmltext.Fragment(words, base)
		p.Text, p.Links = content.Text, content.Links
	case "pubDate":
		p.Created = stated(words)
	case "creator":
		p.Account = r.user("", words, "", "")
	}
}
