package twitter

import (
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

// ref makes a Ref of this platform.
func ref(kind crawlers.RefKind, id, address string) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, URL: address}
}

// postRef names a post. X ignores the handle in an address, so the canonical
// one has none; it is kept as Of.
func postRef(id, handle string) crawlers.Ref {
	r := ref(crawlers.RefPost, id, postURL(id))
	if isHandle(handle) {
		r.Of = strings.ToLower(handle)
	}
	return r
}

func postURL(id string) string { return web + "/i/status/" + id }

// handleRef names an account by its handle. A handle of digits only is told from
// a native id by its "@".
func handleRef(handle string) crawlers.Ref {
	handle = strings.ToLower(handle)
	r := ref(crawlers.RefAccount, handle, web+"/"+handle)
	if isID(handle) {
		r.ID = "@" + handle
	}
	r.Alias = true
	return r
}

func userRef(id string) crawlers.Ref { return ref(crawlers.RefAccount, id, web+"/i/user/"+id) }

func tagRef(tag string) crawlers.Ref {
	tag = strings.ToLower(strings.TrimPrefix(tag, "#"))
	return ref(crawlers.RefTag, tag, web+"/hashtag/"+url.PathEscape(tag))
}

func searchRef(q string) crawlers.Ref {
	q = strings.Join(strings.Fields(q), " ")
	return ref(crawlers.RefSearch, q, web+"/search?q="+url.QueryEscape(q))
}

// isID reports whether s is the number of a post, user or list.
func isID(s string) bool {
	return s != "" && len(s) <= 19 && strings.Trim(s, "0123456789") == "" && s[0] != '0'
}

// isHandle reports whether s can be the name of an account. New ones have at
// most 15 characters, a few old ones have 20.
func isHandle(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}

// isCode reports whether s can be the code of a short link or space.
func isCode(s string) bool {
	return isHandle(strings.ReplaceAll(s, "-", "_")) || s != "" && len(s) <= 32 && isHandle(s[:min(len(s), 20)]) && isHandle(s[min(len(s), 20):])
}

// reserved are first segments of paths that are not handles.
var reserved = map[string]bool{
	"i": true, "home": true, "search": true, "explore": true, "hashtag": true, "intent": true, "share": true, "settings": true,
	"messages": true, "notifications": true, "login": true, "logout": true, "signup": true, "account": true, "compose": true,
	"tos": true, "privacy": true, "about": true, "download": true, "jobs": true, "help": true, "statuses": true, "status": true,
	"who_to_follow": true, "widgets": true, "oembed": true, "oauth": true, "robots": true, "sessions": true, "similar_to": true,
	"search-advanced": true, "search-home": true, "personalization": true, "hashtags": true, "moments": true, "lists": true, "bookmarks": true,
}

// isSite reports whether host serves X's own pages.
func isSite(host string) bool {
	host = strings.TrimPrefix(host, "www.")
	switch host {
	case "x.com", "twitter.com", "mobile.x.com", "mobile.twitter.com", "m.twitter.com", "m.x.com":
		return true
	}
	return false
}

// isMirror reports whether host shows posts of X under the paths of X.
func isMirror(host string) bool {
	host = strings.TrimPrefix(host, "www.")
	for _, m := range []string{"fxtwitter.com", "vxtwitter.com", "fixupx.com", "fixvx.com", "twittpr.com", "girlcockx.com", "stupidpenisx.com", "xcancel.com", "nitter.net"} {
		if host == m || strings.HasSuffix(host, "."+m) {
			return true
		}
	}
	return strings.HasPrefix(host, "nitter.")
}

func segments(path string) []string {
	var list []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "" {
			list = append(list, s)
		}
	}
	return list
}

// Match reports what u names on X.
func (c Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return none, false
	}
	host := strings.ToLower(u.Hostname())
	segs := segments(u.Path)
	switch {
	case host == "t.co" || host == "www.t.co":
		if len(segs) == 1 && isCode(segs[0]) {
			return ref(crawlers.RefShort, segs[0], "https://t.co/"+segs[0]), true
		}
	case host == "pic.twitter.com" || host == "pic.x.com":
		if len(segs) == 1 && isCode(segs[0]) {
			return ref(crawlers.RefShort, "pic/"+segs[0], "https://pic.x.com/"+segs[0]), true
		}
	case host == "platform.twitter.com" || host == "platform.x.com":
		if id := u.Query().Get("id"); strings.HasPrefix(strings.ToLower(u.Path), "/embed/") && isID(id) {
			return postRef(id, ""), true
		}
	case isSite(host):
		return matchPath(u, segs)
	case isMirror(host):
		// Mirrors have pages of their own: only what has X's form counts.
		if r, ok := matchPath(&url.URL{Path: u.Path}, segs); ok && (r.Kind == crawlers.RefPost || r.Kind == crawlers.RefAccount) {
			return r, true
		}
	}
	return none, false
}

func matchPath(u *url.URL, segs []string) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	q := u.Query()
	if len(segs) == 0 {
		// https://twitter.com/#!/USER/status/ID, as addresses were in 2011
		if rest, ok := strings.CutPrefix(u.Fragment, "!/"); ok {
			if f, err := url.Parse("/" + rest); err == nil {
				return matchPath(&url.URL{Path: f.Path, RawQuery: f.RawQuery}, segments(f.Path))
			}
		}
		return none, false
	}
	first := strings.ToLower(strings.TrimPrefix(segs[0], "@"))
	switch first {
	case "i":
		return matchI(segs[1:])
	case "status", "statuses":
		if len(segs) > 1 && isID(segs[1]) {
			return postRef(segs[1], ""), true
		}
		return none, false
	case "hashtag":
		if len(segs) == 2 && strings.TrimPrefix(segs[1], "#") != "" {
			return tagRef(segs[1]), true
		}
		return none, false
	case "search":
		if s := strings.TrimSpace(q.Get("q")); s != "" && len(segs) == 1 {
			if tag, ok := strings.CutPrefix(s, "#"); ok && tag != "" && !strings.ContainsAny(tag, " #@:\"()") {
				return tagRef(tag), true
			}
			return searchRef(s), true
		}
		return none, false
	case "intent":
		if len(segs) == 2 && (segs[1] == "user" || segs[1] == "follow") {
			if id := q.Get("user_id"); isID(id) {
				return userRef(id), true
			}
			if name := strings.TrimPrefix(q.Get("screen_name"), "@"); isHandle(name) {
				return handleRef(name), true
			}
		}
		return none, false
	}
	if reserved[first] || !isHandle(first) {
		return none, false
	}
	if len(segs) == 1 {
		return handleRef(first), true
	}
	switch strings.ToLower(segs[1]) {
	case "status", "statuses":
		if len(segs) > 2 && isID(segs[2]) {
			return postRef(segs[2], first), true
		}
	case "with_replies", "media", "likes", "highlights", "articles", "followers", "following", "verified_followers", "photo", "header_photo", "lists", "about", "superfollows":
		if len(segs) == 2 {
			return handleRef(first), true
		}
	}
	return none, false
}

// matchI reads what stands behind /i/.
func matchI(segs []string) (crawlers.Ref, bool) {
	if len(segs) > 1 && strings.EqualFold(segs[0], "web") {
		segs = segs[1:]
	}
	if len(segs) < 2 {
		return crawlers.Ref{}, false
	}
	id := segs[1]
	switch strings.ToLower(segs[0]) {
	case "status", "statuses":
		if isID(id) {
			return postRef(id, ""), true
		}
	case "user":
		if isID(id) {
			return userRef(id), true
		}
	case "lists":
		if isID(id) {
			return ref(crawlers.RefBoard, id, web+"/i/lists/"+id), true
		}
	case "communities":
		if isID(id) {
			return ref(crawlers.RefGroup, id, web+"/i/communities/"+id), true
		}
	case "spaces":
		if isCode(id) {
			return ref(crawlers.RefMedia, "space/"+id, web+"/i/spaces/"+id), true
		}
	}
	return crawlers.Ref{}, false
}

func (c Collector) matchRaw(raw string) (crawlers.Ref, bool) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" {
		return crawlers.Ref{}, false
	}
	return c.Match(u)
}
