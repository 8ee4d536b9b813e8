package vimeo

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

const site = "https://vimeo.com"

var (
	number   = regexp.MustCompile(`^[0-9]{1,15}$`)
	hashForm = regexp.MustCompile(`^[0-9a-f]{8,16}$`)
	nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,79}$`)
	userForm = regexp.MustCompile(`^user([0-9]{1,15})$`)
)

func newRef(kind crawlers.RefKind, id, url string, alias bool) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, URL: url, Alias: alias}
}

// digits takes the zeros off that stand before a number.
func digits(id string) string {
	if t := strings.TrimLeft(id, "0"); t != "" {
		return t
	}
	return "0"
}

// videoRef is a video by its number and, if it is unlisted, its hash.
func videoRef(id, hash string) crawlers.Ref {
	id = digits(id)
	ref := newRef(crawlers.RefPost, id, videoURL(id, hash), false)
	ref.Of = hash
	return ref
}

func videoURL(id, hash string) string {
	if hash != "" {
		return site + "/" + id + "/" + hash
	}
	return site + "/" + id
}

// userRef is a user by name, or by number as in /userN.
func userRef(name string) crawlers.Ref {
	name = strings.ToLower(name)
	if m := userForm.FindStringSubmatch(name); m != nil {
		return userID(m[1])
	}
	return newRef(crawlers.RefAccount, name, site+"/"+name, true)
}

func userID(id string) crawlers.Ref {
	id = digits(id)
	return newRef(crawlers.RefAccount, id, site+"/user"+id, false)
}

// listRef is a channel, group, showcase, page on demand, event or category: ID
// is its path.
func listRef(kind crawlers.RefKind, class, name string) crawlers.Ref {
	id := class + "/" + strings.ToLower(name)
	return newRef(kind, id, site+"/"+id, false)
}

func tagRef(word string) crawlers.Ref {
	word = strings.ToLower(strings.Join(strings.Fields(word), " "))
	return newRef(crawlers.RefTag, "tag:"+word, site+"/tag:"+url.PathEscape(word), false)
}

func searchRef(words string) crawlers.Ref {
	words = strings.Join(strings.Fields(words), " ")
	return newRef(crawlers.RefSearch, words, site+"/search?q="+url.QueryEscape(words), false)
}

// Match reports what u names on Vimeo.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return crawlers.Ref{}, false
	}
	parts := strings.Split(strings.Trim(path.Clean("/"+u.Path), "/"), "/")
	q := u.Query()
	switch strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") {
	case "vimeo.com", "www.vimeo.com", "m.vimeo.com":
		return matchSite(u, parts, q)
	case "player.vimeo.com":
		return matchPlayer(parts, q)
	case "api.vimeo.com":
		return matchAPI(parts, q)
	}
	return crawlers.Ref{}, false
}

// withHash is a video with the hash that follows it in the path or stands in h=.
func withHash(id, next string, q url.Values) (crawlers.Ref, bool) {
	if !number.MatchString(id) {
		return crawlers.Ref{}, false
	}
	for _, h := range []string{strings.ToLower(next), strings.ToLower(q.Get("h"))} {
		if hashForm.MatchString(h) {
			return videoRef(id, h), true
		}
	}
	return videoRef(id, ""), true
}

func matchPlayer(parts []string, q url.Values) (crawlers.Ref, bool) {
	if len(parts) < 2 || parts[0] != "video" && parts[0] != "external" {
		return crawlers.Ref{}, false
	}
	id, _, _ := strings.Cut(parts[1], "&")
	return withHash(strings.TrimSuffix(id, ".json"), "", q)
}

func matchSite(u *url.URL, parts []string, q url.Values) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	first := strings.ToLower(get(0))
	switch first {
	case "":
		// #NUMBER, and the mobile pages' #/NUMBER
		return withHash(strings.Trim(u.Fragment, "/"), "", url.Values{})
	case "m":
		if get(1) == "" {
			return withHash(strings.Trim(u.Fragment, "/"), "", url.Values{})
		}
		return matchSite(u, parts[1:], q)
	case "moogaloop.swf", "hubnut", "moogaloop_local.swf":
		return withHash(q.Get("clip_id"), "", url.Values{})
	case "video", "videos", "clip":
		return withHash(get(1), get(2), q)
	case "channels", "groups", "album", "albums", "showcase", "ondemand":
		name := get(1)
		switch {
		case get(2) == "video" || get(2) == "videos":
			if number.MatchString(get(3)) {
				return withHash(get(3), get(4), q)
			}
		case number.MatchString(get(2)) && get(2) != "":
			return withHash(get(2), get(3), q)
		}
		name = strings.ToLower(name)
		if !nameForm.MatchString(name) {
			return none, false
		}
		switch first {
		case "groups":
			return listRef(crawlers.RefGroup, "groups", name), true
		case "album", "albums":
			first = "showcase"
		}
		return listRef(crawlers.RefBoard, first, name), true
	case "event":
		if number.MatchString(get(1)) {
			return listRef(crawlers.RefBoard, "event", digits(get(1))), true
		}
		return none, false
	case "categories":
		if name := strings.ToLower(get(1)); nameForm.MatchString(name) {
			return listRef(crawlers.RefTag, "categories", name), true
		}
		return none, false
	case "tag":
		if get(1) != "" {
			return tagRef(get(1)), true
		}
		return none, false
	case "search":
		words := q.Get("q")
		if strings.HasPrefix(get(1), "page:") {
			words = q.Get("q")
		}
		if words = strings.Join(strings.Fields(words), " "); words != "" {
			return searchRef(words), true
		}
		return none, false
	case "api":
		return matchSimple(parts[1:], q)
	}
	if word, ok := strings.CutPrefix(get(0), "tag:"); ok && strings.TrimSpace(word) != "" {
		return tagRef(word), true
	}
	if number.MatchString(first) {
		return withHash(first, get(1), q)
	}
	if get(1) == "review" && number.MatchString(get(2)) {
		return withHash(get(2), get(3), q)
	}
	if sitePath(first) || !nameForm.MatchString(first) || strings.Contains(first, ".") {
		return none, false
	}
	if get(1) == "videos" && number.MatchString(get(2)) {
		return withHash(get(2), get(3), q)
	}
	return userRef(first), true
}

// sitePath are first path parts that are not users.
func sitePath(name string) bool {
	switch name {
	case "about", "ads", "analytics", "api", "apps", "article", "articles", "blog", "business", "careers", "cookie_list", "cookie_policy", "create", "customers", "dashboard", "dcma", "developer", "developers", "discover", "dmca", "embed", "enterprise", "everywhere", "explore", "features", "forgot_password", "forums", "help", "home", "import", "integrations", "jobs", "join", "live", "log_in", "log_out", "login", "logout", "manage", "marketing", "me", "mobile", "music", "musicstore", "mystuff", "news", "oauth", "ott", "partners", "plans", "plus", "press", "pricing", "privacy", "pro", "professionals", "record", "redirect", "register", "robots", "screen-recorder", "send", "settings", "signup", "site_map", "solutions", "ssi", "staffpicks", "stats", "stock", "store", "styleguide", "terms", "tools", "tos", "tutorials", "tv", "upgrade", "upload", "users", "videoschool", "watch", "watchlater", "welcome", "work", "workshop", "_next", "_rv", "stories":
		return true
	}
	return false
}

// matchSimple tells addresses below /api: oEmbed, and the simple API.
func matchSimple(parts []string, q url.Values) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if len(parts) == 0 {
		return none, false
	}
	get := func(i int) string {
		if i < len(parts) {
			return strings.ToLower(parts[i])
		}
		return ""
	}
	bare := func(s string) string {
		for _, ext := range []string{".json", ".xml", ".php"} {
			s = strings.TrimSuffix(s, ext)
		}
		return s
	}
	if strings.HasPrefix(get(0), "oembed") {
		to, err := url.Parse(q.Get("url"))
		if err != nil || strings.HasPrefix(to.Path, "/api/oembed") {
			return none, false
		}
		return Collector{}.Match(to)
	}
	if get(0) == "v2" || get(0) == "v1" {
		parts = parts[1:]
	}
	switch get(0) {
	case "":
		return none, false
	case "video":
		return withHash(bare(get(1)), "", q)
	case "channel":
		if nameForm.MatchString(get(1)) {
			return listRef(crawlers.RefBoard, "channels", get(1)), true
		}
		return none, false
	case "group":
		if nameForm.MatchString(get(1)) {
			return listRef(crawlers.RefGroup, "groups", get(1)), true
		}
		return none, false
	case "album":
		if nameForm.MatchString(get(1)) {
			return listRef(crawlers.RefBoard, "showcase", get(1)), true
		}
		return none, false
	case "activity":
		return none, false
	}
	if len(parts) > 1 && nameForm.MatchString(get(0)) {
		if number.MatchString(get(0)) {
			return userID(get(0)), true
		}
		return userRef(get(0)), true
	}
	return none, false
}

// matchAPI tells addresses of the API.
func matchAPI(parts []string, q url.Values) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	name := strings.ToLower(get(1))
	switch get(0) {
	case "videos":
		if words := strings.TrimSpace(q.Get("query")); name == "" && words != "" {
			return searchRef(words), true
		}
		id, hash, _ := strings.Cut(name, ":")
		return withHash(id, hash, url.Values{})
	case "users":
		switch {
		case get(2) == "albums" && number.MatchString(get(3)):
			return listRef(crawlers.RefBoard, "showcase", get(3)), true
		case number.MatchString(name):
			return userID(name), true
		case nameForm.MatchString(name):
			return userRef(name), true
		}
	case "channels", "groups", "albums", "categories", "tags":
		if !nameForm.MatchString(name) && get(0) != "tags" || name == "" {
			return none, false
		}
		switch get(0) {
		case "groups":
			return listRef(crawlers.RefGroup, "groups", name), true
		case "albums":
			return listRef(crawlers.RefBoard, "showcase", name), true
		case "categories":
			return listRef(crawlers.RefTag, "categories", name), true
		case "tags":
			return tagRef(get(1)), true
		}
		return listRef(crawlers.RefBoard, "channels", name), true
	case "ondemand":
		if get(1) == "pages" && nameForm.MatchString(strings.ToLower(get(2))) {
			return listRef(crawlers.RefBoard, "ondemand", get(2)), true
		}
	case "live_events":
		if number.MatchString(name) {
			return listRef(crawlers.RefBoard, "event", digits(name)), true
		}
	}
	return none, false
}
