package instagram

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

var (
	codeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{5,50}$`)
	nameForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.]{0,29}$`)
	tokenFrm = regexp.MustCompile(`^[A-Za-z0-9_=-]{4,120}$`)
)

// reserved are first path parts that are not accounts.
func reserved(name string) bool {
	switch strings.ToLower(name) {
	case "p", "reel", "reels", "tv", "explore", "stories", "accounts", "login", "signup", "share", "direct", "about", "developer", "developers", "legal", "api", "graphql", "ajax", "web", "static", "challenge", "checkpoint", "emails", "privacy", "press", "help", "blog", "jobs", "directory", "oauth", "embed.js", "s", "_n", "_u", "ar", "create", "your_activity", "archive", "nametag", "session", "settings", "invites", "robots.txt", "favicon.ico", "logging", "consent", "cookie", "data", "topics", "topical-explore", "lite", "download", "security", "popular", "qr", "notifications", "threads", "meta", "fxcal", "hashtag", "tags", "c":
		return true
	}
	return false
}

// postRef is a post by its short code: the code of a private account's post
// keeps its tail in the address, as nothing opens without it.
func postRef(code string) (crawlers.Ref, bool) {
	pk := PK(code)
	if pk == "" || len(pk) < 8 {
		return crawlers.Ref{}, false
	}
	return newRef(crawlers.RefPost, pk, "", postURL(code), false), true
}

func postByPK(pk string) (crawlers.Ref, bool) {
	code := Code(pk)
	if code == "" || len(pk) < 8 {
		return crawlers.Ref{}, false
	}
	return newRef(crawlers.RefPost, strings.TrimLeft(pk, "0"), "", postURL(code), false), true
}

func postURL(code string) string { return site + "/p/" + code + "/" }

func accountRef(name string) crawlers.Ref {
	name = strings.ToLower(name)
	return newRef(crawlers.RefAccount, name, "", accountURL(name), true)
}

// accountByID is an account by its number, which no page is under.
func accountByID(id string) crawlers.Ref {
	return newRef(crawlers.RefAccount, id, "", "https://i.instagram.com/api/v1/users/"+id+"/info/", false)
}

func accountURL(name string) string {
	if name == "" {
		return ""
	}
	return site + "/" + strings.ToLower(name) + "/"
}

func tagRef(tag string) crawlers.Ref {
	tag = strings.ToLower(strings.TrimPrefix(tag, "#"))
	return newRef(crawlers.RefTag, tag, "", site+"/explore/tags/"+url.PathEscape(tag)+"/", false)
}

func storyRef(name, id string) crawlers.Ref {
	return newRef(crawlers.RefPost, id, strings.ToLower(name), storyURL(name, id), false)
}

func storyURL(name, id string) string {
	return site + "/stories/" + strings.ToLower(name) + "/" + id + "/"
}

// ourHost reports whether host shows Instagram's posts under its own paths: the
// site, and mirrors that people link to for their previews.
func ourHost(host string) bool {
	for _, prefix := range []string{"www.", "m.", "i.", "d.", "g."} {
		host = strings.TrimPrefix(host, prefix)
	}
	switch host {
	case "instagram.com", "instagr.am", "instagr.com", "ig.me", "ddinstagram.com", "kkinstagram.com", "vxinstagram.com", "eeinstagram.com", "rxddinstagram.com", "fxinstagram.com", "instagramez.com", "toinstagram.com", "uuinstagram.com", "zzinstagram.com", "instagram.com.":
		return true
	}
	return false
}

// Match reports what u names on Instagram.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	return match(u, 0)
}

func match(u *url.URL, depth int) (crawlers.Ref, bool) {
	if u == nil || depth > 3 {
		return crawlers.Ref{}, false
	}
	if u.Scheme == "instagram" {
		return matchApp(u)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return crawlers.Ref{}, false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	parts := strings.Split(strings.Trim(path.Clean("/"+u.Path), "/"), "/")
	switch host {
	case "l.instagram.com":
		return matchInner(u.Query().Get("u"), depth)
	case "graph.facebook.com", "graph.instagram.com":
		return matchGraph(u, parts, depth)
	}
	if !ourHost(host) {
		return crawlers.Ref{}, false
	}
	return matchPath(u, parts, depth)
}

func matchInner(raw string, depth int) (crawlers.Ref, bool) {
	if raw == "" {
		return crawlers.Ref{}, false
	}
	if strings.HasPrefix(raw, "/") {
		raw = site + raw
	}
	inner, err := url.Parse(raw)
	if err != nil {
		return crawlers.Ref{}, false
	}
	return match(inner, depth+1)
}

// matchApp reads the addresses that the app opens.
func matchApp(u *url.URL) (crawlers.Ref, bool) {
	q := u.Query()
	switch u.Host {
	case "media":
		id, _, _ := strings.Cut(q.Get("id"), "_")
		if isNumber(id) {
			return postByPK(id)
		}
	case "user":
		if name := q.Get("username"); nameForm.MatchString(name) {
			return accountRef(name), true
		}
	case "tag":
		if name := q.Get("name"); name != "" {
			return tagRef(name), true
		}
	}
	return crawlers.Ref{}, false
}

func matchPath(u *url.URL, parts []string, depth int) (crawlers.Ref, bool) {
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	first := strings.ToLower(get(0))
	switch first {
	case "_u":
		if len(parts) > 1 {
			return matchPath(u, parts[1:], depth)
		}
		return crawlers.Ref{}, false
	case "p", "reel", "reels", "tv":
		if get(1) == "audio" || !codeForm.MatchString(get(1)) {
			return crawlers.Ref{}, false
		}
		return postRef(get(1))
	case "share":
		for _, code := range parts[1:] {
			switch code {
			case "p", "reel", "reels", "tv":
				continue
			}
			if tokenFrm.MatchString(code) {
				return newRef(crawlers.RefShort, code, "", site+"/"+strings.Join(parts, "/"), true), true
			}
		}
		return crawlers.Ref{}, false
	case "s":
		if tokenFrm.MatchString(get(1)) {
			if id := u.Query().Get("story_media_id"); id != "" {
				if pk, _, _ := strings.Cut(id, "_"); isNumber(pk) {
					return newRef(crawlers.RefShort, get(1), "", site+"/s/"+get(1)+"?story_media_id="+url.QueryEscape(id), true), true
				}
			}
			return newRef(crawlers.RefShort, get(1), "", site+"/s/"+get(1), true), true
		}
		return crawlers.Ref{}, false
	case "explore":
		switch get(1) {
		case "tags":
			if get(2) != "" {
				return tagRef(get(2)), true
			}
		case "locations":
			if isNumber(get(2)) {
				return newRef(crawlers.RefBoard, "location:"+get(2), "", site+"/explore/locations/"+get(2)+"/", false), true
			}
		case "search":
			if q := strings.TrimPrefix(strings.TrimSpace(u.Query().Get("q")), "#"); q != "" && get(2) == "keyword" {
				return tagRef(q), true
			}
		}
		return crawlers.Ref{}, false
	case "stories":
		switch {
		case strings.EqualFold(get(1), "highlights") && isNumber(get(2)):
			return newRef(crawlers.RefBoard, "highlight:"+get(2), "", site+"/stories/highlights/"+get(2)+"/", false), true
		case nameForm.MatchString(get(1)) && isNumber(get(2)):
			return storyRef(get(1), get(2)), true
		case nameForm.MatchString(get(1)) && get(2) == "":
			return accountRef(get(1)), true
		}
		return crawlers.Ref{}, false
	case "accounts", "challenge", "consent":
		if next := u.Query().Get("next"); next != "" {
			return matchInner(next, depth)
		}
		return crawlers.Ref{}, false
	case "api":
		return matchV1(u, parts)
	case "oembed":
		return matchInner(u.Query().Get("url"), depth)
	}
	if first == "" || reserved(first) || !nameForm.MatchString(get(0)) {
		return crawlers.Ref{}, false
	}
	switch strings.ToLower(get(1)) {
	case "p", "reel", "tv":
		if codeForm.MatchString(get(2)) {
			return postRef(get(2))
		}
		return accountRef(get(0)), true
	case "", "tagged", "reels", "channel", "embed", "feed", "saved", "guides", "igtv", "reposts", "photos_of_you":
		return accountRef(get(0)), true
	}
	return crawlers.Ref{}, false
}

// matchV1 reads addresses of the site's private interface, which stand in
// archives of logged-in browsing.
func matchV1(u *url.URL, parts []string) (crawlers.Ref, bool) {
	if len(parts) < 4 || parts[1] != "v1" {
		return crawlers.Ref{}, false
	}
	switch parts[2] {
	case "media":
		pk, _, _ := strings.Cut(parts[3], "_")
		if isNumber(pk) {
			return postByPK(pk)
		}
		if parts[3] == "shortcode" && len(parts) > 4 && codeForm.MatchString(parts[4]) {
			return postRef(parts[4])
		}
	case "users":
		if parts[3] == "web_profile_info" {
			if name := u.Query().Get("username"); nameForm.MatchString(name) {
				return accountRef(name), true
			}
			return crawlers.Ref{}, false
		}
		if isNumber(parts[3]) {
			return accountByID(parts[3]), true
		}
		if nameForm.MatchString(parts[3]) && len(parts) > 4 && parts[4] == "usernameinfo" {
			return accountRef(parts[3]), true
		}
	case "feed":
		if len(parts) > 4 && parts[3] == "user" {
			if isNumber(parts[4]) {
				return accountByID(parts[4]), true
			}
			if nameForm.MatchString(parts[4]) {
				return accountRef(parts[4]), true
			}
		}
	case "tags":
		if parts[3] == "web_info" {
			if tag := u.Query().Get("tag_name"); tag != "" {
				return tagRef(tag), true
			}
		} else if parts[3] != "" {
			return tagRef(parts[3]), true
		}
	}
	return crawlers.Ref{}, false
}

var discovery = regexp.MustCompile(`business_discovery\.username\(([A-Za-z0-9_.]+)\)`)

// matchGraph reads addresses of the Graph API that name an account, a hashtag
// or a post of Instagram by themselves.
func matchGraph(u *url.URL, parts []string, depth int) (crawlers.Ref, bool) {
	q := u.Query()
	last := parts[len(parts)-1]
	switch last {
	case "instagram_oembed":
		return matchInner(q.Get("url"), depth)
	case "ig_hashtag_search":
		if tag := q.Get("q"); tag != "" {
			return tagRef(tag), true
		}
	}
	if m := discovery.FindStringSubmatch(q.Get("fields")); m != nil {
		return accountRef(m[1]), true
	}
	return crawlers.Ref{}, false
}
