package tiktok

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// Identify reports whom an exchange is about: by its address and the body of its
// request, and, where these do not tell, by what the answer holds.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Ref{}, false
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case host == "" && u.Path == "" && u.Opaque == "":
		return identifyBody(ex)
	case host == "open.tiktokapis.com":
		if r, ok := identifyRequest(ex.RequestBody); ok {
			return r, true
		}
	case isSite(host) || host == "vm.tiktok.com" || host == "vt.tiktok.com":
		if strings.TrimSuffix(u.Path, "/") == "/oembed" {
			if r, ok := c.matchRaw(u.Query().Get("url")); ok {
				return r, true
			}
			break
		}
		if strings.HasPrefix(u.Path, "/api/") {
			if r, ok := identifyInterface(u); ok {
				return r, true
			}
			break
		}
		if r, ok := c.Match(u); ok {
			return r, true
		}
	default:
		return crawlers.Ref{}, false
	}
	if r, ok := identifyBody(ex); ok {
		return r, true
	}
	return ref(crawlers.RefPage, u.Path, "https://"+host+u.EscapedPath()), u.Path != "" && u.Path != "/"
}

// identifyRequest reads a request of the Research API.
func identifyRequest(body []byte) (crawlers.Ref, bool) {
	if len(body) == 0 || len(body) > 1<<20 {
		return crawlers.Ref{}, false
	}
	v, err := jsonx.Parse(body)
	if err != nil {
		return crawlers.Ref{}, false
	}
	if id := number(v.Get("video_id")); id != "" {
		return postRef(id, ""), true
	}
	if h := v.Get("username").String(); isHandle(h) || isSecUID(h) {
		return accountRef(h), true
	}
	var found crawlers.Ref
	n := 0
	for _, key := range []string{"and", "or"} {
		for _, c := range v.Get("query", key).Array() {
			values := c.Get("field_values")
			value := values.At(0).String()
			if value == "" || len(values.Array()) != 1 {
				continue
			}
			switch c.Get("field_name").String() {
			case "video_id":
				if !isID(value) {
					continue
				}
				found = postRef(value, "")
			case "username":
				if !isHandle(value) && !isSecUID(value) {
					continue
				}
				found = accountRef(value)
			case "hashtag_name":
				found = tagRef(value)
			case "music_id":
				if !isID(value) {
					continue
				}
				found = soundRef(value)
			case "keyword":
				found = searchRef(value)
			default:
				continue
			}
			n++
		}
	}
	return found, n == 1
}

// identifyInterface reads addresses of the site's own interfaces.
func identifyInterface(u *url.URL) (crawlers.Ref, bool) {
	q := u.Query()
	for _, k := range []string{"itemId", "aweme_id", "item_id"} {
		if id := q.Get(k); isID(id) {
			return postRef(id, ""), true
		}
	}
	if h := q.Get("uniqueId"); isHandle(h) {
		return accountRef(h), true
	}
	if s := q.Get("secUid"); isSecUID(s) {
		return accountRef(s), true
	}
	if t := q.Get("challengeName"); t != "" {
		return tagRef(t), true
	}
	if n := q.Get("musicID"); isID(n) {
		return soundRef(n), true
	}
	if s := strings.TrimSpace(q.Get("keyword")); s != "" {
		return searchRef(s), true
	}
	return crawlers.Ref{}, false
}

// identifyBody tells from the content alone.
func identifyBody(ex crawlers.Exchange) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	body := trim(ex.Body)
	if len(body) == 0 || ex.Status >= 400 {
		return none, false
	}
	r := newReader()
	r.ex = ex
	switch {
	case body[0] == '{' || body[0] == '[':
		v, err := jsonx.Parse(body)
		if err != nil {
			return none, false
		}
		switch x := unwrap(v); {
		case isOEmbed(v):
			r.oembed(v)
		case isResearch(v):
			return identifyResearch(r, v)
		default:
			if f, ok := read(x); ok {
				r.put(f)
			} else if v.IsArray() || v.Has("itemList") || v.Has("item_list") || v.Has("aweme_list") || v.Has("comments") || v.Has("userInfo") || v.Has("item_id") || v.Has("data") {
				r.walk(v, 0)
			}
		}
	case body[0] == '<':
		if !bytes.Contains(body[:min(len(body), 1<<20)], []byte("tiktok")) {
			return none, false
		}
		s := findSources(body)
		if s.universal == nil && s.sigi == nil && s.embed == nil && (s.next == nil || !bytes.Contains(s.next, []byte("musical"))) {
			return none, false
		}
		if s.universal != nil && !bytes.Contains(s.universal, []byte(`"webapp.`)) {
			return none, false
		}
		r.html()
	}
	return commonRef(r)
}

// commonRef names what all posts of an answer have in common: one post, one
// account, or nothing but the site.
func commonRef(r *reader) (crawlers.Ref, bool) {
	posts := r.page.Posts
	if len(posts) == 0 {
		return crawlers.Ref{}, false
	}
	site := ref(crawlers.RefSite, "posts", web+"/")
	var account *post.Post
	var single *post.Post
	n, thread, handle := 0, "", ""
	same, comments := true, true
	for i := range posts {
		p := &posts[i]
		if p.Kind == post.KindAccount {
			if account == nil {
				account = p
			}
			continue
		}
		if n == 0 {
			single, thread, handle = p, p.Thread, p.Account.Handle
		}
		same = same && p.Account.Handle == handle
		comments = comments && p.Kind == post.KindComment && p.Thread == thread
		n++
	}
	switch {
	case n == 0:
		return refOf(account), true
	case comments && thread != "":
		return postRef(thread, ""), true
	case n == 1 && !r.list:
		return postRef(single.ID, single.Account.Handle), true
	case r.list && account != nil && (same && strings.EqualFold(account.Account.Handle, handle)):
		return refOf(account), true
	case n == 1:
		return postRef(single.ID, single.Account.Handle), true
	case same && handle != "":
		return accountRef(handle), true
	}
	return site, true
}

func refOf(p *post.Post) crawlers.Ref {
	if p.Account.Handle != "" {
		return accountRef(p.Account.Handle)
	}
	return ref(crawlers.RefAccount, p.Account.ID, web+"/")
}

// identifyResearch tells from an answer of the Research API, which says little.
func identifyResearch(r *reader, v jsonx.Value) (crawlers.Ref, bool) {
	data := v.Get("data")
	if isResearchUser(data) {
		return ref(crawlers.RefPage, "profile", web+"/"), true
	}
	for _, x := range data.Get("videos").Array() {
		if f, ok := researchVideo(x); ok && isResearchVideo(x) {
			r.put(f)
		}
	}
	for _, x := range data.Get("comments").Array() {
		if f, ok := researchComment(x); ok && isResearchComment(x) {
			r.put(f)
		}
	}
	r.list = true
	if found, ok := commonRef(r); ok {
		return found, true
	}
	return ref(crawlers.RefSite, "posts", web+"/"), true
}
