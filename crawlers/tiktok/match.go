package tiktok

import (
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

func ref(kind crawlers.RefKind, id, address string) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, URL: address}
}

// postRef names a video, photo post or story. TikTok goes by the number and
// ignores the handle, which may be missing or of another time; it is kept as Of.
func postRef(id, handle string) crawlers.Ref {
	r := ref(crawlers.RefPost, id, web+"/@/video/"+id)
	if isHandle(handle) {
		r.Of = strings.ToLower(handle)
	}
	return r
}

// postURL is the address of a post of a known account.
func postURL(id, handle string, photo bool) string {
	if !isHandle(handle) {
		handle = ""
	}
	kind := "video"
	if photo {
		kind = "photo"
	}
	return web + "/@" + handle + "/" + kind + "/" + id
}

// accountRef names an account by its handle, or by the secUid that TikTok also
// takes in its place.
func accountRef(handle string) crawlers.Ref {
	if !isSecUID(handle) {
		handle = strings.ToLower(handle)
	}
	r := ref(crawlers.RefAccount, handle, web+"/@"+handle)
	r.Alias = true
	return r
}

func tagRef(tag string) crawlers.Ref {
	tag = strings.ToLower(tag)
	return ref(crawlers.RefTag, tag, web+"/tag/"+url.PathEscape(tag))
}

func soundRef(id string) crawlers.Ref {
	return ref(crawlers.RefBoard, "music/"+id, web+"/music/x-"+id)
}

func searchRef(q string) crawlers.Ref {
	q = strings.Join(strings.Fields(q), " ")
	return ref(crawlers.RefSearch, q, web+"/search?q="+url.QueryEscape(q))
}

// isID reports whether s is the number of a post, comment, account or sound.
func isID(s string) bool {
	return len(s) >= 5 && len(s) <= 20 && strings.Trim(s, "0123456789") == "" && s[0] != '0'
}

// isHandle reports whether s can be an account's name.
func isHandle(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.') {
			return false
		}
	}
	return strings.Trim(s, "._") != "" || len(s) > 1
}

// isSecUID reports whether s is the opaque second id of an account.
func isSecUID(s string) bool {
	if !strings.HasPrefix(s, "MS4wLjABAAAA") || len(s) > 128 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

func isCode(s string) bool {
	return len(s) >= 5 && len(s) <= 32 && isHandle(s) && !strings.ContainsAny(s, "._")
}

// isSite reports whether host serves TikTok's own pages.
func isSite(host string) bool {
	switch strings.TrimPrefix(host, "www.") {
	case "tiktok.com", "m.tiktok.com", "us.tiktok.com", "t.tiktok.com", "tiktokv.com", "m.tiktokv.com", "musical.ly":
		return true
	}
	return false
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

// Match reports what u names on TikTok.
func (c Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return none, false
	}
	host := strings.ToLower(u.Hostname())
	segs := segments(u.Path)
	if host == "vm.tiktok.com" || host == "vt.tiktok.com" {
		if len(segs) == 1 && isCode(segs[0]) {
			return ref(crawlers.RefShort, host[:2]+"/"+segs[0], "https://"+host+"/"+segs[0]+"/"), true
		}
		return none, false
	}
	if !isSite(host) {
		return none, false
	}
	q := u.Query()
	for _, name := range []string{"item_id", "share_item_id"} {
		if id := q.Get(name); isID(id) {
			return postRef(id, ""), true
		}
	}
	if len(segs) == 0 {
		return none, false
	}
	if handle, ok := strings.CutPrefix(segs[0], "@"); ok {
		return matchAccount(handle, segs[1:])
	}
	last := strings.TrimSuffix(segs[len(segs)-1], ".html")
	switch strings.ToLower(segs[0]) {
	case "share", "i18n", "h5":
		if len(segs) > 2 && (segs[len(segs)-2] == "video" || segs[len(segs)-2] == "photo") && isID(last) {
			return postRef(last, ""), true
		}
	case "v", "video":
		if len(segs) == 2 && isID(last) {
			return postRef(last, ""), true
		}
	case "player":
		if len(segs) == 3 && isID(last) {
			return postRef(last, ""), true
		}
	case "embed":
		return matchEmbed(segs[1:])
	case "t":
		if len(segs) == 2 && isCode(segs[1]) {
			return ref(crawlers.RefShort, "t/"+segs[1], web+"/t/"+segs[1]+"/"), true
		}
	case "tag":
		if len(segs) == 2 {
			return tagRef(segs[1]), true
		}
	case "music":
		return matchSound(segs[1:])
	case "search":
		if s := strings.TrimSpace(q.Get("q")); s != "" {
			if tag, ok := strings.CutPrefix(s, "#"); ok && tag != "" && !strings.ContainsAny(tag, " #") {
				return tagRef(tag), true
			}
			return searchRef(s), true
		}
	}
	return none, false
}

func matchAccount(handle string, rest []string) (crawlers.Ref, bool) {
	if len(rest) >= 2 {
		switch strings.ToLower(rest[0]) {
		case "video", "photo", "story":
			if id := strings.TrimSuffix(rest[1], ".html"); isID(id) {
				return postRef(id, handle), true
			}
		}
		return crawlers.Ref{}, false
	}
	if len(rest) == 1 && rest[0] != "live" && rest[0] != "video" {
		return crawlers.Ref{}, false
	}
	if isHandle(handle) || isSecUID(handle) {
		return accountRef(handle), true
	}
	return crawlers.Ref{}, false
}

// matchEmbed reads what stands behind /embed/.
func matchEmbed(segs []string) (crawlers.Ref, bool) {
	if len(segs) == 0 {
		return crawlers.Ref{}, false
	}
	if handle, ok := strings.CutPrefix(segs[0], "@"); ok {
		return matchAccount(handle, segs[1:])
	}
	switch {
	case isID(segs[0]):
		return postRef(segs[0], ""), true
	case len(segs) < 2:
	case segs[0] == "v2" || segs[0] == "v3" || segs[0] == "video":
		if isID(segs[1]) {
			return postRef(segs[1], ""), true
		}
	case segs[0] == "tag":
		return tagRef(segs[1]), true
	case segs[0] == "music":
		return matchSound(segs[1:])
	}
	return crawlers.Ref{}, false
}

// matchSound reads TITLE-NUMBER or NUMBER.
func matchSound(segs []string) (crawlers.Ref, bool) {
	if len(segs) != 1 {
		return crawlers.Ref{}, false
	}
	id := segs[0][strings.LastIndexByte(segs[0], '-')+1:]
	if !isID(id) {
		return crawlers.Ref{}, false
	}
	return soundRef(id), true
}

func (c Collector) matchRaw(raw string) (crawlers.Ref, bool) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" {
		return crawlers.Ref{}, false
	}
	return c.Match(u)
}
