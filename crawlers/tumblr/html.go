package tumblr

import (
	"bytes"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// readHTML reads a page: of the site, which carries its data as JSON, or of a
// blog's own theme, of which only head data is the same everywhere.
func readHTML(s crawlers.Step, st state, ex crawlers.Exchange) crawlers.Page {
	for _, marker := range []string{`id="___INITIAL_STATE___">`, `['___INITIAL_STATE___']`, `["___INITIAL_STATE___"]`, `___INITIAL_STATE___`} {
		i := bytes.Index(ex.Body, []byte(marker))
		if i < 0 {
			continue
		}
		if raw, ok := jsonx.Balanced(bytes.TrimLeft(ex.Body[i+len(marker):], " \t\r\n=")); ok {
			if v, err := jsonx.Parse(raw); err == nil {
				return readState(s, v)
			}
		}
	}
	h := pagescan.ReadHead(ex.Body)
	name, id := strings.ToLower(appLink(h, "blogName")), appLink(h, "postID")
	self := first(h.Meta("og:url"), h.Link("canonical"))
	if u, err := url.Parse(first(h.Link("canonical"), self)); err == nil {
		if ref, ok := (Collector{}).Match(u); ok {
			if ref.Kind == crawlers.RefPost {
				id = first(id, ref.ID)
				name = first(name, ref.Of)
			} else {
				name = first(name, ref.ID)
			}
		} else if m := pathID.FindStringSubmatch(u.Path); m != nil && name != "" {
			id = first(id, m[1])
		}
	}
	if name == "" && id == "" {
		return crawlers.Page{Outcome: post.UnexpectedType, Reason: "HTML that is not a page of a blog of Tumblr: " + h.Title}
	}
	if id == "" {
		return listTheme(s, ex, h, name)
	}
	d := postTheme(ex, h, name, id, self)
	page := crawlers.Page{Posts: []post.Post{d.done()}, Assets: d.assets}
	if why, ok := asked(s, page.Posts); !ok {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
	}
	if page.Posts[0].Outcome != "" {
		page.Outcome, page.Reason = page.Posts[0].Outcome, "the theme marks no text that could be told from its surroundings"
	}
	page.Coverage = crawlers.Coverage{Served: 1, End: "one post"}
	if s.Ref.Kind != crawlers.RefPost { // a page of a single post, asked for as something else
		page.Coverage.End = "the page shows one post"
	}
	// API v1 has what themes lack: type, notes, reblog fields.
	if s.Role != crawlers.RoleHydrate && name != "" {
		page.Next = append(page.Next, crawlers.Step{Ref: postRef(name, id), Route: routeJSON, Role: crawlers.RoleHydrate})
	}
	return page
}

var notesWords = regexp.MustCompile(`(\d[\d.,\x{a0}\x{202f} ]*)`)

// postTheme reads one post from its theme's page.
func postTheme(ex crawlers.Exchange, h *pagescan.Head, name, id, self string) *draft {
	d := newDraft(id, canonical(name, id, self))
	d.base, _ = url.Parse(first(self, ex.URL))
	d.Account = post.Account{Handle: name, URL: blogURLOf(name)}
	var ld jsonx.Value
	for _, o := range h.LD {
		if u, err := url.Parse(o.Get("url").String()); err == nil && strings.Contains(u.Path, id) {
			ld = o
			break
		}
	}
	if ld.Exists() {
		d.Created = moment(ld.Get("datePublished").String())
		d.Title = ld.Get("headline").String()
		if who := first(ld.Get("author").String(), ld.Get("author", "name").String()); d.Account.Handle == "" {
			d.Account.Handle = who
		}
	}
	body, ok := themeBody(ex.Body, id)
	if ok {
		d.html(string(body))
		d.quoted(string(body))
		if d.Title != "" && len(d.text) > 0 {
			d.text[0] = strings.TrimSpace(strings.TrimPrefix(d.text[0], d.Title))
			if d.text[0] == "" {
				d.text = d.text[1:]
			}
		}
	}
	if len(d.text) == 0 {
		words := first(ld.Get("articleBody").String(), h.Meta("og:description"))
		d.say(words)
		cut := strings.HasSuffix(words, "...") || strings.HasSuffix(words, "…")
		if !ok && (cut || words == "") {
			d.Outcome = post.OKMetaOnly
		}
	}
	if len(d.Media) == 0 {
		images := []string{}
		for _, v := range append(ld.Get("image").Array(), ld.Get("image")) {
			images = append(images, first(v.String(), v.Get("url").String()))
		}
		images = append(images, h.All("og:image")...)
		for _, to := range images {
			if strings.Contains(to, "media.tumblr.com/") && !strings.Contains(to, "/avatar_") {
				d.media(post.Media{Kind: post.MediaImage, URL: to}, to)
			}
		}
		if to := h.Meta("og:video"); to != "" {
			d.media(post.Media{Kind: post.MediaVideo, URL: to}, to)
		}
	}
	if words := h.Meta("keywords"); words != "" {
		for t := range strings.SplitSeq(words, ",") {
			if t = strings.TrimSpace(t); t != "" {
				d.Tags = append(d.Tags, t)
				d.Hashtags = append(d.Hashtags, t)
			}
		}
	}
	if n, ok := notes(ex.Body, id); ok {
		d.Counts = append(d.Counts, post.ExactCount("notes", n))
	}
	return d
}

// notes reads the count in a link to the post's notes ("1,027 notes", in the
// theme's language).
func notes(page []byte, id string) (int64, bool) {
	for _, e := range pagescan.Find(page, func(tag string, a pagescan.Attrs) bool {
		href := a.Get("href")
		return tag == "a" && strings.HasSuffix(href, "#notes") && (strings.Contains(href, id) || href == "#notes")
	}) {
		m := notesWords.FindString(e.Text())
		digits := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, m)
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && !strings.ContainsAny(e.Text(), "kKmM") {
			return n, true
		}
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && strings.HasSuffix(strings.ToLower(e.Text()), "notes") && strings.IndexAny(e.Text(), "kKmM") > len(m)+1 {
			return n, true
		}
	}
	return 0, false
}

// themeBody finds the element that holds a post: the one whose id is the
// post's, or of the classes that themes give to a post.
func themeBody(page []byte, id string) ([]byte, bool) {
	inside := func(e pagescan.Element) []byte {
		b := e.Inner
		// What follows the post within its element is not the post's.
		for _, mark := range []string{`<ol class="notes"`, `<!-- START NOTES -->`, `class="notes"`, `id="notes"`} {
			if i := bytes.Index(b, []byte(mark)); i >= 0 {
				b = b[:max(bytes.LastIndexByte(b[:i+1], '<'), 0)]
			}
		}
		whole := b
		for _, skip := range pagescan.Find(whole, func(tag string, a pagescan.Attrs) bool {
			return tag == "a" && strings.HasSuffix(a.Get("href"), "#notes") || a.HasClass("meta") || a.HasClass("like_button") || a.HasClass("reblog_button") || a.HasClass("post-notes") || a.HasClass("permalink") || a.HasClass("post-footer") || a.HasClass("tags") || a.HasClass("postmeta") || a.HasClass("post-meta") || a.HasClass("post_meta")
		}) {
			part := whole[skip.Start:skip.End]
			if i := bytes.Index(b, part); i >= 0 && len(part) > 0 {
				b = append(append([]byte(nil), b[:i]...), b[i+len(part):]...)
			}
		}
		return b
	}
	if e, ok := pagescan.First(page, func(tag string, a pagescan.Attrs) bool {
		x := a.Get("id")
		return (tag == "div" || tag == "article" || tag == "section" || tag == "li") && (x == id || x == "post-"+id || x == "post_"+id || x == "p"+id || a.Get("data-post-id") == id && !a.HasClass("like_button") && !a.HasClass("reblog_button"))
	}); ok {
		return inside(e), true
	}
	for _, class := range []string{"post-content", "post_content", "body-text", "post"} {
		found := pagescan.Find(page, func(tag string, a pagescan.Attrs) bool {
			return (tag == "div" || tag == "article" || tag == "section") && a.HasClass(class)
		})
		if len(found) == 1 {
			return inside(found[0]), true
		}
	}
	return nil, false
}

// listTheme reads a list page of a theme: the addresses of its posts.
func listTheme(s crawlers.Step, ex crawlers.Exchange, h *pagescan.Head, name string) crawlers.Page {
	var page crawlers.Page
	base, _ := url.Parse(ex.URL)
	if base == nil {
		base = &url.URL{}
	}
	seen := map[string]bool{}
	older := ""
	pagescan.Find(ex.Body, func(tag string, a pagescan.Attrs) bool {
		if tag != "a" {
			return false
		}
		u, err := base.Parse(strings.TrimSpace(a.Get("href")))
		if err != nil || u.Host == "" {
			return false
		}
		ref, ok := (Collector{}).Match(u)
		if !ok && strings.EqualFold(u.Host, base.Host) {
			ref, ok = customRef(u)
		}
		if ok && ref.Kind == crawlers.RefPost && (ref.Of == name || strings.EqualFold(ref.Of, base.Hostname())) && !seen[ref.ID] {
			seen[ref.ID] = true
			d := newDraft(ref.ID, canonical(name, ref.ID, ref.URL))
			d.Account = post.Account{Handle: name, URL: blogURLOf(name)}
			d.Outcome = post.OKMetaOnly
			page.Posts = append(page.Posts, d.done())
			page.Next = append(page.Next, crawlers.Step{Ref: postRef(name, ref.ID), Route: routeJSON, Role: crawlers.RoleHydrate})
		}
		if (u.Scheme == "http" || u.Scheme == "https") && strings.HasPrefix(u.Path, "/page/") && strings.EqualFold(u.Host, base.Host) && older == "" && (a.Get("rel") == "next" || strings.Contains(strings.ToLower(a.Get("id")+a.Get("class")), "next") || strings.Contains(strings.ToLower(a.Get("id")+a.Get("class")), "older")) {
			older = u.String()
		}
		return false
	})
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Window: true, End: "the page shows the newest posts; API v1 has all"}
	page.Outcome, page.Reason = post.OKMetaOnly, "a theme's list page: only the addresses of its posts are read"
	if len(page.Posts) == 0 {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a theme's page that links to no post: " + h.Title}
	}
	if s.Ref.Kind == crawlers.RefPost {
		if why, ok := asked(s, nil); !ok {
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
		}
	}
	if older != "" && older != ex.URL {
		page.Coverage.End = ""
		page.Coverage.Window = false
		page.Next = append([]crawlers.Step{{Ref: s.Ref, Route: routeHTML, Role: s.Role, State: state{URL: older}.encode()}}, page.Next...)
	}
	return page
}

// readState reads the data of a page of the site. Its keys are those of API v2
// in camel case.
func readState(s crawlers.Step, v jsonx.Value) crawlers.Page {
	var page crawlers.Page
	seen := map[string]bool{}
	v.Walk(func(o jsonx.Value) bool {
		if !o.Has("postUrl") && !o.Has("post_url") || !o.Has("timestamp") {
			return true
		}
		d := postV2(snake(o), jsonx.Value{})
		if d == nil || seen[d.ID] {
			return false
		}
		seen[d.ID] = true
		addIdentity(&page, d.Account.Handle, d.Account.ID)
		page.Posts = append(page.Posts, d.done())
		page.Assets = append(page.Assets, d.assets...)
		return false
	})
	if s.Ref.Kind == crawlers.RefPost { // other posts on the page are recommendations
		for i := range page.Posts {
			if page.Posts[i].ID == s.Ref.ID {
				page.Posts = page.Posts[i : i+1]
				break
			}
		}
	}
	if len(page.Posts) == 0 {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a page of the site whose data holds no post"}
	}
	if why, ok := asked(s, page.Posts); !ok {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
	}
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Oldest: oldest(page.Posts), Window: s.Ref.Kind != crawlers.RefPost, End: "the page shows the newest posts; more need the API"}
	return page
}

// snake gives an object with its camel-case keys in API v2's spelling.
func snake(v jsonx.Value) jsonx.Value {
	return jsonx.Of(snakeAny(v))
}

func snakeAny(v jsonx.Value) any {
	switch {
	case v.IsObject():
		m := map[string]any{}
		for _, k := range v.Keys() {
			m[snakeKey(k)] = snakeAny(v.Get(k))
		}
		return m
	case v.IsArray():
		list := []any{}
		for _, e := range v.Array() {
			list = append(list, snakeAny(e))
		}
		return list
	case v.String() != "":
		return v.String()
	case v.IsString():
		return ""
	case v.Exists():
		return v.Bool()
	}
	return nil
}

func snakeKey(k string) string {
	var b strings.Builder
	for _, r := range k {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
