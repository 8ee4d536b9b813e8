package tumblr

import (
	"errors"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

func readV1(s crawlers.Step, st state, ex crawlers.Exchange, body []byte) crawlers.Page {
	raw, ok := unwrapV1(body)
	if !ok {
		return broken(ex, errors.New("API v1: no whole object after tumblr_api_read"))
	}
	v, err := jsonx.Parse(raw)
	if err != nil {
		return broken(ex, err)
	}
	return listV1(s, st, ex, v)
}

// listV1 reads the object of API v1.
func listV1(s crawlers.Step, st state, ex crawlers.Exchange, v jsonx.Value) crawlers.Page {
	blog := v.Get("tumblelog")
	if !v.Get("posts").IsArray() {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "API v1 without posts"}
	}
	var page crawlers.Page
	for _, p := range v.Get("posts").Array() {
		d := postV1(p, blog)
		if d == nil {
			continue
		}
		page.Posts = append(page.Posts, d.done())
		page.Assets = append(page.Assets, d.assets...)
	}
	served := len(v.Get("posts").Array())
	if served > 0 && len(page.Posts) == 0 {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "API v1: posts without id"}
	}
	if why, ok := asked(s, page.Posts); !ok {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
	}
	start, hasStart := v.Get("posts-start").Int()
	total, known := v.Get("posts-total").Int()
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Oldest: oldest(page.Posts), Total: max(total, 0), Known: known && total >= 0}
	if !hasStart || start < 0 || start > 1<<40 {
		start = int64(st.Start)
	}
	next := start + int64(served)
	if s.Ref.Kind != crawlers.RefPost && served > 0 && known && next < total && next > int64(st.Start) {
		page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: s.Route, Role: s.Role, State: state{Start: int(next)}.encode()})
	} else {
		page.Coverage.End = "end of list"
	}
	// A custom domain shows the blog's name.
	if name := strings.ToLower(blog.Get("name").String()); name != "" && page.Posts != nil {
		of := s.Ref.Of
		if s.Ref.Kind == crawlers.RefAccount {
			of = s.Ref.ID
		}
		if strings.Contains(of, ".") {
			page.Identities = append(page.Identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: of, ID: name, URL: blogURL(name)})
		}
	}
	return page
}

// postV1 reads one post of API v1. blog is the answer's tumblelog, for posts
// that do not carry their own.
func postV1(v, blog jsonx.Value) *draft {
	id := v.Get("id").String()
	if !postID.MatchString(id) {
		return nil
	}
	if own := v.Get("tumblelog"); own.IsObject() {
		blog = own
	}
	address := first(v.Get("url").String(), v.Get("url-with-slug").String())
	name := blog.Get("name").String()
	if u, err := url.Parse(address); err == nil && name == "" {
		if ref, ok := (Collector{}).Match(u); ok {
			name = ref.Of
		}
	}
	d := newDraft(id, canonical(name, id, address))
	d.Account = post.Account{Handle: name, Name: blog.Get("title").String(), URL: first(blogURLOf(name), blog.Get("url").String())}
	if d.Created = unix(v.Get("unix-timestamp")); d.Created.IsZero() {
		d.Created = moment(v.Get("date-gmt").String())
	}
	get := func(key string) string { return v.Get(key).String() }
	switch get("type") {
	case "regular":
		d.Title = htmltext1(get("regular-title"))
		d.html(get("regular-body"))
	case "photo":
		photos := v.Get("photos").Array()
		if len(photos) == 0 {
			d.photoV1(v, "")
		}
		for _, p := range photos {
			d.photoV1(p, p.Get("caption").String())
		}
		d.html(get("photo-caption"))
		d.linkOut(get("photo-link-url"))
	case "quote":
		d.html(get("quote-text"))
		d.html(get("quote-source"))
	case "link":
		d.Title = htmltext1(get("link-text"))
		d.linkOut(get("link-url"))
		d.html(get("link-description"))
	case "conversation":
		d.Title = htmltext1(get("conversation-title"))
		lines := v.Get("conversation").Array()
		if len(lines) == 0 {
			lines = v.Get("conversation-lines").Array()
		}
		var said []string
		for _, l := range lines {
			said = append(said, strings.TrimSpace(first(l.Get("label").String(), l.Get("name").String())+" "+l.Get("phrase").String()))
		}
		d.say(first(strings.Join(said, "\n"), get("conversation-text")))
	case "video":
		d.videoV1(v)
		d.html(get("video-caption"))
	case "audio":
		d.audio(first(get("audio-url"), audioIn(get("audio-player")), audioIn(get("audio-embed"))))
		d.say(strings.TrimSpace(strings.Join(nonEmpty(get("id3-artist"), get("id3-album"), get("id3-title")), " – ")))
		d.html(get("audio-caption"))
	case "answer":
		d.html(get("question"))
		d.html(get("answer"))
	default: // a type of later days: take what reads like text
		for _, k := range v.Keys() {
			if strings.HasSuffix(k, "-body") || strings.HasSuffix(k, "-caption") || strings.HasSuffix(k, "-text") {
				d.html(get(k))
			}
		}
	}
	d.tags(v.Get("tags"))
	d.count("notes", v.Get("note-count"))
	if from := first(get("reblogged-from-url"), get("reblogged_from_url")); from != "" || get("reblogged-from-name") != "" {
		d.relation(post.RoleRepostOf, "", from, first(get("reblogged-from-name"), get("reblogged_from_name")), 0)
		d.relation(post.RoleReblogRoot, "", first(get("reblogged-root-url"), get("reblogged_root_url")), first(get("reblogged-root-name"), get("reblogged_root_name")), 0)
		for _, k := range []string{"regular-body", "photo-caption", "link-description", "video-caption", "audio-caption", "answer", "quote-source"} {
			d.quoted(get(k))
		}
	}
	return d
}

func blogURLOf(name string) string {
	if name == "" {
		return ""
	}
	return blogURL(name)
}

// htmltext1 is a title: titles hold character references, seldom markup.
func htmltext1(src string) string {
	d := draft{}
	d.html(src)
	return strings.Join(strings.Fields(strings.Join(d.text, " ")), " ")
}

func nonEmpty(values ...string) []string {
	var all []string
	for _, v := range values {
		if v != "" {
			all = append(all, v)
		}
	}
	return all
}

func (d *draft) linkOut(to string) {
	if to != "" {
		d.link(to)
	}
}

// photoV1 takes the largest of photo-url-1280, -500, … of a photo post or of
// one picture of a set.
func (d *draft) photoV1(v jsonx.Value, caption string) {
	for _, size := range []string{"photo-url-1280", "photo-url-raw", "photo-url-500", "photo-url-400", "photo-url-250", "photo-url-100", "photo-url-75"} {
		to := v.Get(size).String()
		if to == "" {
			continue
		}
		w, _ := v.Get("width").Int()
		h, _ := v.Get("height").Int()
		d.media(post.Media{Kind: post.MediaImage, URL: to, Alt: caption, Width: bounded(w), Height: bounded(h)}, to)
		return
	}
}

func bounded(n int64) int {
	if n < 0 || n > 1<<20 {
		return 0
	}
	return int(n)
}

// videoV1 finds the file or the player of a video post.
func (d *draft) videoV1(v jsonx.Value) {
	for _, k := range []string{"video-source", "video-player", "video-player-500", "video-player-250"} {
		src := v.Get(k).String()
		if src == "" {
			if o := v.Get(k); o.IsObject() {
				continue
			}
			continue
		}
		if strings.HasPrefix(src, "http") && !strings.ContainsAny(src, "<> ") {
			if u, err := url.Parse(src); err == nil && (strings.HasSuffix(u.Hostname(), ".tumblr.com") || strings.Contains(u.Path, ".mp4")) {
				d.media(post.Media{Kind: post.MediaVideo, URL: src}, src)
			} else {
				d.link(src)
				d.media(post.Media{Kind: post.MediaVideo, URL: src}, "")
			}
			return
		}
		before := len(d.Media)
		text := d.text
		d.html(src)
		d.text = text // a player's fallback words are not the post's
		if len(d.Media) > before {
			return
		}
	}
}

func (d *draft) audio(to string) {
	if to != "" {
		d.media(post.Media{Kind: post.MediaAudio, URL: to}, to)
	}
}

// audioIn finds the file that a player's markup plays.
func audioIn(src string) string {
	for _, key := range []string{"audio_file=", "src=\""} {
		_, rest, ok := strings.Cut(src, key)
		if !ok {
			continue
		}
		end := strings.IndexAny(rest, "&\"' <>")
		if end < 0 {
			end = len(rest)
		}
		to, err := url.QueryUnescape(rest[:end])
		if err == nil && strings.HasPrefix(to, "http") {
			return to
		}
	}
	return ""
}
