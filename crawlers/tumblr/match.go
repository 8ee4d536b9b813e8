package tumblr

import (
	"bytes"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/pagescan"
)

const site = "https://www.tumblr.com"

var (
	blogName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)
	postID   = regexp.MustCompile(`^\d{1,20}$`)
	uuidForm = regexp.MustCompile(`^t:[A-Za-z0-9_-]{10,40}$`)
	codeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{4,64}$`)
)

// siteHosts are hosts under tumblr.com that are not blogs.
func siteHost(name string) bool {
	switch name {
	case "www", "api", "assets", "static", "media", "embed", "at", "t", "m", "mobile", "safe", "px", "px.srvcs", "srvcs", "srvcs2", "srvcs3", "va", "vt", "vtt", "ve", "a", "href", "help", "cynosure", "secure", "platform", "data", "images", "sslstatic", "stat":
		return true
	}
	return strings.Contains(name, ".") || mediaHost.MatchString(name)
}

var mediaHost = regexp.MustCompile(`^\d{1,3}$`)

// sitePath are first path parts under www.tumblr.com that are not blogs.
func sitePath(name string) bool {
	switch name {
	case "", "dashboard", "explore", "login", "logout", "register", "settings", "inbox", "likes", "following", "followers", "oauth", "oembed", "about", "policy", "privacy", "docs", "developers", "new", "follow", "apps", "jobs", "press", "themes", "theme", "widgets", "login_required", "safe-mode", "communities", "tips", "svc", "api", "v2", "radar", "popular", "activity", "customize", "neue_web", "upload", "abuse", "share", "audio_file", "video_file", "embed", "help", "tv", "live", "changes", "search", "tagged", "blog", "reblog", "timeline", "rss", "robots.txt", "favicon.ico", "lookup", "logo", "buttons", "apps_gallery", "account", "premium", "business", "spotlight", "trending", "domains", "patio", "tumblrmart", "gifts", "privacy-center":
		return true
	}
	return false
}

func blogURL(name string) string { return site + "/" + name }

// blogRef is a blog by its name, its custom domain (with a dot) or its uuid.
func blogRef(name string) crawlers.Ref {
	if strings.Contains(name, ".") {
		return newRef(crawlers.RefAccount, name, "", "https://"+name+"/", true)
	}
	return newRef(crawlers.RefAccount, name, "", blogURL(name), !strings.HasPrefix(name, "t:"))
}

func postRef(name, id string) crawlers.Ref {
	if n, err := strconv.ParseUint(id, 10, 64); err == nil {
		id = strconv.FormatUint(n, 10)
	}
	if strings.Contains(name, ".") {
		return newRef(crawlers.RefPost, id, name, "https://"+name+"/post/"+id, false)
	}
	return newRef(crawlers.RefPost, id, name, blogURL(name)+"/"+id, false)
}

func tagRef(tag, of string) crawlers.Ref {
	tag = strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(tag, "+", " ")), " "))
	switch {
	case of == "":
		return newRef(crawlers.RefTag, tag, "", site+"/tagged/"+url.PathEscape(tag), false)
	case strings.Contains(of, "."):
		return newRef(crawlers.RefTag, tag, of, "https://"+of+"/tagged/"+url.PathEscape(tag), false)
	}
	return newRef(crawlers.RefTag, tag, of, blogURL(of)+"/tagged/"+url.PathEscape(tag), false)
}

func shortRef(raw, code string) crawlers.Ref {
	return newRef(crawlers.RefShort, code, "", raw, true)
}

// Match reports what u names on Tumblr.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return crawlers.Ref{}, false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	parts := strings.Split(strings.Trim(path.Clean("/"+u.Path), "/"), "/")
	switch host {
	case "tumblr.com", "www.tumblr.com", "m.tumblr.com":
		return matchSite(u, parts)
	case "tmblr.co":
		if codeForm.MatchString(parts[0]) {
			return shortRef("https://tmblr.co/"+parts[0], parts[0]), true
		}
		return crawlers.Ref{}, false
	case "at.tumblr.com":
		if len(parts) > 1 && blogName.MatchString(strings.ToLower(parts[0])) && postID.MatchString(parts[1]) {
			return postRef(strings.ToLower(parts[0]), parts[1]), true
		}
		if parts[0] != "" {
			p := strings.Join(parts, "/")
			return shortRef("https://at.tumblr.com"+(&url.URL{Path: "/" + p}).EscapedPath(), "at/"+p), true
		}
		return crawlers.Ref{}, false
	case "embed.tumblr.com":
		if len(parts) > 3 && parts[0] == "embed" && parts[1] == "post" && postID.MatchString(parts[3]) && uuidForm.MatchString(parts[2]) {
			return postRef(parts[2], parts[3]), true
		}
		return crawlers.Ref{}, false
	case "api.tumblr.com":
		return matchAPI(u, parts)
	}
	name, ok := strings.CutSuffix(host, ".tumblr.com")
	name = strings.TrimPrefix(name, "www.")
	if !ok || siteHost(name) || !blogName.MatchString(name) {
		return crawlers.Ref{}, false
	}
	return matchBlog(u, parts, name)
}

func matchSite(u *url.URL, parts []string) (crawlers.Ref, bool) {
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch parts[0] {
	case "tagged":
		if get(1) != "" {
			return tagRef(get(1), ""), true
		}
		return crawlers.Ref{}, false
	case "search":
		q := get(1)
		if q == "" {
			q = u.Query().Get("q")
		}
		q = strings.Join(strings.Fields(strings.ReplaceAll(q, "+", " ")), " ")
		if q == "" {
			return crawlers.Ref{}, false
		}
		return newRef(crawlers.RefSearch, q, "", site+"/search/"+url.PathEscape(q), false), true
	case "oembed":
		if to, err := url.Parse(u.Query().Get("url")); err == nil && to.Host != "" && !strings.HasPrefix(to.Path, "/oembed") {
			if ref, ok := (Collector{}).Match(to); ok {
				return ref, true
			}
			return customRef(to)
		}
		return crawlers.Ref{}, false
	case "login_required":
		if name := strings.ToLower(get(1)); blogName.MatchString(name) {
			return blogRef(name), true
		}
		return crawlers.Ref{}, false
	case "reblog":
		if name := strings.ToLower(get(1)); blogName.MatchString(name) && postID.MatchString(get(2)) {
			return postRef(name, get(2)), true
		}
		return crawlers.Ref{}, false
	case "blog":
		parts = parts[1:]
		if len(parts) > 0 && parts[0] == "view" {
			parts = parts[1:]
		}
		if len(parts) == 0 {
			return crawlers.Ref{}, false
		}
	default:
		if sitePath(strings.ToLower(parts[0])) {
			return crawlers.Ref{}, false
		}
	}
	name := strings.ToLower(strings.TrimPrefix(parts[0], "@"))
	if uuidForm.MatchString(parts[0]) {
		name = parts[0]
	} else if !blogName.MatchString(name) {
		return crawlers.Ref{}, false
	}
	return matchBlog(u, parts[1:], name)
}

// matchBlog tells a path below one blog.
func matchBlog(u *url.URL, parts []string, name string) (crawlers.Ref, bool) {
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch first := get(0); {
	case (first == "post" || first == "image" || first == "private" || first == "embed") && postID.MatchString(get(1)):
		return postRef(name, get(1)), true
	case postID.MatchString(first) && len(first) > 3:
		return postRef(name, first), true
	case first == "tagged" && get(1) != "":
		return tagRef(get(1), name), true
	case first == "archive" && get(1) == "tagged" && get(2) != "":
		return tagRef(get(2), name), true
	case first == "notes" && postID.MatchString(get(1)):
		return postRef(name, get(1)), true
	case first == "search" && get(1) != "":
		words := strings.Join(strings.Fields(strings.ReplaceAll(get(1), "+", " ")), " ")
		ref := blogRef(name)
		return newRef(crawlers.RefSearch, words, name, strings.TrimSuffix(ref.URL, "/")+"/search/"+url.PathEscape(words), false), true
	case first == "day":
		y, errY := strconv.Atoi(get(1))
		m, errM := strconv.Atoi(get(2))
		d, errD := strconv.Atoi(get(3))
		if errY == nil && errM == nil && errD == nil && y > 2006 && y < 10000 && m > 0 && m < 13 && d > 0 && d < 32 {
			id := strconv.Itoa(y) + "/" + strconv.Itoa(m) + "/" + strconv.Itoa(d)
			return newRef(crawlers.RefBoard, id, name, host(name)+"/day/"+id, false), true
		}
	case first == "api" && get(1) == "read":
		q := u.Query()
		if postID.MatchString(q.Get("id")) {
			return postRef(name, q.Get("id")), true
		}
		if q.Get("tagged") != "" {
			return tagRef(q.Get("tagged"), name), true
		}
	}
	return blogRef(name), true
}

// host is where a blog's own pages and its API v1 are.
func host(name string) string {
	if strings.Contains(name, ".") {
		return "https://" + name
	}
	return "https://" + name + ".tumblr.com"
}

func matchAPI(u *url.URL, parts []string) (crawlers.Ref, bool) {
	q := u.Query()
	if len(parts) > 1 && parts[0] == "v2" && parts[1] == "tagged" && q.Get("tag") != "" {
		return tagRef(q.Get("tag"), ""), true
	}
	if len(parts) < 3 || parts[0] != "v2" || parts[1] != "blog" {
		return crawlers.Ref{}, false
	}
	name := parts[2]
	if !uuidForm.MatchString(name) {
		name = strings.TrimSuffix(strings.ToLower(name), ".tumblr.com")
		if !blogName.MatchString(name) && !strings.Contains(name, ".") {
			return crawlers.Ref{}, false
		}
	}
	if id := q.Get("id"); postID.MatchString(id) {
		return postRef(name, id), true
	}
	if len(parts) > 4 && parts[3] == "posts" && postID.MatchString(parts[4]) {
		return postRef(name, parts[4]), true
	}
	if tag := q.Get("tag"); tag != "" {
		return tagRef(tag, name), true
	}
	return blogRef(name), true
}

// customRef is the Ref of an address on a custom domain that an answer has
// shown to be a blog of Tumblr.
func customRef(u *url.URL) (crawlers.Ref, bool) {
	h := strings.ToLower(u.Hostname())
	if u.Scheme != "http" && u.Scheme != "https" || !strings.Contains(h, ".") {
		return crawlers.Ref{}, false
	}
	return matchBlog(u, strings.Split(strings.Trim(path.Clean("/"+u.Path), "/"), "/"), h)
}

const sniff = 256 << 10 // how much of a body Identify looks at

// Identify reports whom an exchange is about. Custom domains are told by the
// words that Tumblr puts into each theme, feed and answer.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil || u.Hostname() == "" {
		return crawlers.Ref{}, false
	}
	if ref, ok := c.Match(u); ok {
		return ref, true
	}
	if h := strings.ToLower(u.Hostname()); h == "tumblr.com" || strings.HasSuffix(h, ".tumblr.com") {
		return crawlers.Ref{}, false
	}
	head := ex.Body[:min(len(ex.Body), sniff)]
	switch {
	case crawlers.LooksHTML(ex):
		h := pagescan.ReadHead(head)
		if appLink(h, "blogName") == "" && !strings.HasPrefix(h.Meta("og:type"), "tumblr-feed") {
			return crawlers.Ref{}, false
		}
	case bytes.Contains(head, []byte("<generator>Tumblr (")), bytes.Contains(head[:min(len(head), 200)], []byte("tumblr_api_read")):
	default:
		return crawlers.Ref{}, false
	}
	return customRef(u)
}

// appLink reads a parameter of the address that opens Tumblr's app, which every
// theme carries.
func appLink(h *pagescan.Head, param string) string {
	raw := h.Meta("al:android:url", "al:ios:url")
	if raw == "" {
		for _, l := range h.Links {
			if strings.HasPrefix(l.Href, "android-app://com.tumblr/") || strings.HasPrefix(l.Href, "ios-app://305343404/tumblr/") {
				raw = strings.ReplaceAll(l.Href, "%26", "&")
			}
		}
	}
	if !strings.Contains(raw, "tumblr") {
		return ""
	}
	_, query, _ := strings.Cut(raw, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return q.Get(param)
}
