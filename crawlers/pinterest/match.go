package pinterest

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
)

// siteHost reports whether host serves Pinterest's pages: pinterest.TLD alone,
// or with www, m or a country before it.
func siteHost(host string) bool {
	label, rest, ok := strings.Cut(host, "pinterest.")
	if !ok {
		return false
	}
	if label != "" {
		label, ok = strings.CutSuffix(label, ".")
		if !ok || label != "www" && label != "m" && (len(label) != 2 || !isName(label)) {
			return false
		}
	}
	for _, d := range domains() {
		if rest == d {
			return true
		}
	}
	return false
}

func hostOf(u *url.URL) string { return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")) }

func segments(path string) []string {
	var list []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "" {
			list = append(list, s)
		}
	}
	return list
}

// Match reports what u names on Pinterest.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return none, false
	}
	parts := segments(u.Path)
	host := hostOf(u)
	switch host {
	case "pin.it":
		if len(parts) == 1 && isCode(parts[0]) {
			return shortRef(parts[0]), true
		}
		return none, false
	case "assets.pinterest.com":
		if len(parts) == 2 && parts[0] == "ext" && isID(u.Query().Get("id")) {
			return pinRef(u.Query().Get("id")), true
		}
		return none, false
	case "api.pinterest.com", "widgets.pinterest.com":
		return matchService(u, parts)
	}
	if !siteHost(host) || len(parts) == 0 {
		return none, false
	}
	switch strings.ToLower(parts[0]) {
	case "pin":
		if len(parts) > 1 {
			if id := pinID(parts[1]); id != "" {
				return pinRef(id), true
			}
		}
		return none, false
	case "search":
		if len(parts) > 1 && parts[1] != "pins" {
			return none, false
		}
		return searchRef(u.Query().Get("q"))
	case "oembed.json", "oembed":
		return matchText(u.Query().Get("url"))
	case "resource":
		return matchResource(u, parts)
	}
	return matchUser(parts)
}

func matchText(raw string) (crawlers.Ref, bool) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" {
		return crawlers.Ref{}, false
	}
	if h := hostOf(u); h == "api.pinterest.com" || h == "widgets.pinterest.com" || strings.HasPrefix(strings.TrimPrefix(u.Path, "/"), "oembed") || strings.HasPrefix(u.Path, "/resource/") {
		return crawlers.Ref{}, false // an address within an address is a page's
	}
	return Collector{}.Match(u)
}

// matchService reads the addresses of the widget interface and the shortener.
func matchService(u *url.URL, parts []string) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if len(parts) >= 2 && parts[0] == "url_shortener" && isCode(parts[1]) {
		return shortRef(parts[1]), true
	}
	if len(parts) < 4 || parts[0] != "v3" || parts[1] != "pidgets" {
		return none, false
	}
	switch {
	case parts[2] == "pins":
		id, _, _ := strings.Cut(u.Query().Get("pin_ids"), ",")
		if id = strings.TrimSpace(id); isID(id) {
			return pinRef(id), true
		}
	case parts[2] == "users" && isUser(parts[3]):
		return accountRef(parts[3]), true
	case parts[2] == "boards" && len(parts) > 4 && isUser(parts[3]) && isSlug(parts[4]):
		return boardRef(parts[3], parts[4], ""), true
	}
	return none, false
}

// matchResource reads an address of the private interface: source_url is the
// page that it stands for, data holds the options.
func matchResource(u *url.URL, parts []string) (crawlers.Ref, bool) {
	q := u.Query()
	var o jsonx.Value
	if v, err := jsonx.Parse([]byte(q.Get("data"))); err == nil {
		o = v.Get("options")
	}
	name := ""
	if len(parts) > 1 {
		name = parts[1]
	}
	if ref, ok := resourceRef(name, o); ok {
		return ref, true
	}
	if src, err := url.Parse(q.Get("source_url")); err == nil && src.Host == "" && strings.HasPrefix(src.Path, "/") && !strings.HasPrefix(src.Path, "/resource") {
		src.Scheme, src.Host = "https", "www.pinterest.com"
		return Collector{}.Match(src)
	}
	return crawlers.Ref{}, false
}

// resourceRef tells from the options of a resource what it is about.
func resourceRef(name string, o jsonx.Value) (crawlers.Ref, bool) {
	user := o.Get("username").String()
	switch {
	case strings.HasPrefix(name, "Pin") && isID(o.Get("id").String()):
		return pinRef(o.Get("id").String()), true
	case strings.Contains(name, "Search"):
		return searchRef(o.Get("query").String())
	case o.Get("board_url").String() != "":
		if parts := segments(o.Get("board_url").String()); len(parts) == 2 && isUser(parts[0]) && isSlug(parts[1]) {
			return boardRef(parts[0], parts[1], ""), true
		}
	case isUser(user) && isSlug(o.Get("slug").String()):
		return boardRef(user, o.Get("slug").String(), o.Get("section_slug").String()), true
	case isUser(user):
		return accountRef(user), true
	}
	return crawlers.Ref{}, false
}

// matchUser reads /U/…: an account, its tabs, a board, a section, or a feed.
func matchUser(parts []string) (crawlers.Ref, bool) {
	user := parts[0]
	if !isUser(user) || isReserved(strings.ToLower(user)) {
		return crawlers.Ref{}, false
	}
	if len(parts) == 1 {
		return accountRef(user), true
	}
	board := strings.ToLower(parts[1])
	switch board {
	case "_created", "_saved", "_pins", "_shop", "_boards", "_profile", "_community", "_videos", "pins", "boards", "likes", "followers", "following", "feed.rss", "boards.rss", "tries", "topics":
		return accountRef(user), true
	}
	board = strings.TrimSuffix(board, ".rss")
	if !isSlug(board) {
		return crawlers.Ref{}, false
	}
	section := ""
	if len(parts) > 2 {
		switch section = strings.ToLower(parts[2]); section {
		case "followers", "_tools", "more_ideas", "_organize", "invite", "feed.rss":
			section = ""
		default:
			if !isSlug(section) {
				return crawlers.Ref{}, false
			}
		}
	}
	return boardRef(user, board, section), true
}

func newRef(kind crawlers.RefKind, id, address string) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, URL: address}
}

func pinURL(id string) string        { return site + "/pin/" + id + "/" }
func pinRef(id string) crawlers.Ref  { return newRef(crawlers.RefPost, id, pinURL(id)) }
func accountURL(name string) string  { return site + "/" + url.PathEscape(name) + "/" }
func shortRef(c string) crawlers.Ref { return alias(newRef(crawlers.RefShort, c, "https://pin.it/"+c)) }

func alias(r crawlers.Ref) crawlers.Ref { r.Alias = true; return r }

func accountRef(name string) crawlers.Ref {
	name = strings.ToLower(name)
	return alias(newRef(crawlers.RefAccount, name, accountURL(name)))
}

// boardRef names a board as "user/slug". A section is a tag "slug/section" of
// the account, since only the private interface lists it.
func boardRef(user, board, section string) crawlers.Ref {
	user, board, section = strings.ToLower(user), strings.ToLower(board), strings.ToLower(section)
	if section == "" {
		return alias(newRef(crawlers.RefBoard, user+"/"+board, site+"/"+escape(user, board)+"/"))
	}
	r := alias(newRef(crawlers.RefTag, board+"/"+section, site+"/"+escape(user, board, section)+"/"))
	r.Of = user
	return r
}

func searchRef(q string) (crawlers.Ref, bool) {
	q = strings.ToLower(strings.Join(strings.Fields(q), " "))
	if q == "" || len(q) > 500 {
		return crawlers.Ref{}, false
	}
	return newRef(crawlers.RefSearch, q, site+"/search/pins/?"+url.Values{"q": {q}}.Encode()), true
}

// pinID gives the id of "ID" or "some-words--ID", "" where there is none.
func pinID(s string) string {
	if i := strings.LastIndex(s, "--"); i >= 0 {
		s = s[i+2:]
	}
	if !isID(s) {
		return ""
	}
	return s
}

func isID(s string) bool {
	return len(s) >= 3 && len(s) <= 20 && strings.Trim(s, "0123456789") == "" && s[0] != '0'
}

func isName(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func isUser(s string) bool { return isName(s) && len(s) <= 64 }

func isCode(s string) bool { return isName(s) && len(s) >= 4 && len(s) <= 32 }

// isSlug accepts the words of a board's address in any script.
func isSlug(s string) bool {
	return s != "" && len(s) <= 250 && utf8.ValidString(s) && !strings.ContainsAny(s, "/\\?#%<>\"' \t\r\n\x00") && s != "." && s != ".."
}

// isReserved reports whether a first part of a path is Pinterest's own.
func isReserved(s string) bool {
	switch s {
	case "_", "about", "ads", "advertising", "amp", "api", "apps", "auth", "blog", "board", "business", "careers", "categories", "conversion",
		"convert_to_business", "create_pin", "csp", "discover", "email", "everything", "explore", "ext", "feed", "features", "following", "gifts", "help", "home", "ideas", "inbox",
		"invite", "invited", "join", "landing", "legal", "login", "logout", "nux", "news_hub", "notifications", "oauth", "offsite", "password", "pin", "pin_builder", "privacy", "private",
		"product", "register", "report", "resource", "search", "settings", "shop", "shopping", "signup", "sw", "terms", "today", "topics", "trends", "ui", "upload", "url_shortener", "v1", "v3", "v5",
		"verify", "video", "videos", "website", "welcome":
		return true
	}
	return false
}
