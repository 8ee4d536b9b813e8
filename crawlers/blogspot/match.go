package blogspot

import (
	"bytes"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/pagescan"
)

// Country addresses are NAME.blogspot. followed by a country, or by a second
// level and a country (co.uk, com.br); all of them are NAME.blogspot.com.
var blogHost = regexp.MustCompile(`^(?:www\.)?([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.blogspot\.(?:com|[a-z]{2}|com?\.[a-z]{2})$`)

var (
	datedPath   = regexp.MustCompile(`^/(\d{4})/(\d{2})/([^/]+)\.html?$`)
	pagePath    = regexp.MustCompile(`^/p/([^/]+)\.html?$`)
	archivePath = regexp.MustCompile(`^/(\d{4})(?:/(\d{2}))?/?$`)
	oldArchive  = regexp.MustCompile(`^/(\d{4})_(\d{2})_\d{2}_archive\.html$`)
	digits      = regexp.MustCompile(`^\d{1,25}$`)
)

// hostOf gives the one host of a blog for all its country and mobile
// addresses, or false where host is not of Blogger.
func hostOf(host string) (string, bool) {
	m := blogHost.FindStringSubmatch(strings.TrimSuffix(strings.ToLower(host), "."))
	if m == nil || m[1] == "www" || m[1] == "bp" {
		return "", false
	}
	return m[1] + ".blogspot.com", true
}

// Match reports what u names on Blogger.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return crawlers.Ref{}, false
	}
	host := strings.ToLower(u.Hostname())
	switch host {
	case "www.blogger.com", "blogger.com", "draft.blogger.com", "beta.blogger.com":
		return matchBlogger(u)
	case "www.googleapis.com", "blogger.googleapis.com":
		return matchAPI(u)
	}
	if blog, ok := hostOf(host); ok {
		return matchBlog(u, "https://"+blog, blog)
	}
	return crawlers.Ref{}, false
}

// matchBlog tells a path of one blog. base is scheme and host, without a slash.
func matchBlog(u *url.URL, base, host string) (crawlers.Ref, bool) {
	p := path.Clean("/" + u.Path)
	if p == "/ncr" || strings.HasPrefix(p, "/ncr/") { // "no country redirect"
		p = path.Clean("/" + strings.TrimPrefix(p, "/ncr"))
	}
	q := u.Query()
	blog := newRef(crawlers.RefAccount, host, "", base+"/", true)
	tag := func(label string) (crawlers.Ref, bool) {
		return newRef(crawlers.RefTag, label, host, base+"/search/label/"+url.PathEscape(label), false), true
	}
	search := func(words string) (crawlers.Ref, bool) {
		return newRef(crawlers.RefSearch, words, host, base+"/search?q="+url.QueryEscape(words), false), true
	}
	switch {
	case datedPath.MatchString(p), pagePath.MatchString(p):
		p = strings.TrimSuffix(strings.TrimSuffix(p, "l"), ".htm") + ".html"
		return newRef(crawlers.RefPost, host+p, host, base+(&url.URL{Path: p}).EscapedPath(), true), true
	case strings.HasPrefix(p, "/search/label/"):
		return tag(strings.TrimPrefix(p, "/search/label/"))
	case p == "/search" && q.Get("q") != "":
		words := q.Get("q")
		if label, ok := strings.CutPrefix(words, "label:"); ok && !strings.ContainsAny(label, " |") {
			return tag(label)
		}
		return search(words)
	case archivePath.MatchString(p), oldArchive.MatchString(p):
		m := archivePath.FindStringSubmatch(p)
		if m == nil {
			m = oldArchive.FindStringSubmatch(p)
		}
		id := m[1]
		if m[2] != "" {
			id += "/" + m[2]
		}
		return newRef(crawlers.RefBoard, id, host, base+"/"+id+"/", false), true
	case strings.HasPrefix(p, "/feeds/"):
		parts := strings.Split(strings.TrimPrefix(p, "/feeds/"), "/")
		if len(parts) > 1 && digits.MatchString(parts[0]) && parts[1] == "comments" {
			return newRef(crawlers.RefPost, parts[0], host, base+"/feeds/posts/default/"+parts[0], false), true
		}
		if parts[0] == "posts" && len(parts) > 2 {
			if parts[2] == "-" && len(parts) > 3 {
				return tag(parts[3])
			}
			if digits.MatchString(parts[2]) {
				return newRef(crawlers.RefPost, parts[2], host, base+"/feeds/posts/default/"+parts[2], false), true
			}
		}
		if words := q.Get("q"); words != "" && parts[0] == "posts" {
			return search(words)
		}
		return blog, true
	}
	return blog, true
}

// matchBlogger tells the addresses of www.blogger.com.
func matchBlogger(u *url.URL) (crawlers.Ref, bool) {
	const base = "https://www.blogger.com"
	parts := strings.Split(strings.Trim(path.Clean("/"+u.Path), "/"), "/")
	q := u.Query()
	switch {
	case parts[0] == "profile" && len(parts) > 1 && digits.MatchString(parts[1]):
		return newRef(crawlers.RefAccount, "profile/"+parts[1], "", base+"/profile/"+parts[1], false), true
	case parts[0] == "feeds" && len(parts) > 1 && digits.MatchString(parts[1]):
		feedURL := base + "/feeds/" + parts[1] + "/posts/default"
		if len(parts) > 3 && digits.MatchString(parts[2]) && parts[3] == "comments" {
			return newRef(crawlers.RefPost, parts[2], parts[1], feedURL+"/"+parts[2], false), true
		}
		if len(parts) > 4 && parts[2] == "posts" && digits.MatchString(parts[4]) {
			return newRef(crawlers.RefPost, parts[4], parts[1], feedURL+"/"+parts[4], false), true
		}
		if len(parts) > 5 && parts[2] == "posts" && parts[4] == "-" {
			return newRef(crawlers.RefTag, parts[5], parts[1], feedURL+"/-/"+url.PathEscape(parts[5]), false), true
		}
		return newRef(crawlers.RefAccount, parts[1], "", feedURL, false), true
	case digits.MatchString(q.Get("blogID")):
		blog, item := q.Get("blogID"), q.Get("postID")
		if digits.MatchString(item) {
			return newRef(crawlers.RefPost, item, blog, base+"/feeds/"+blog+"/posts/default/"+item, false), true
		}
		return newRef(crawlers.RefAccount, blog, "", base+"/feeds/"+blog+"/posts/default", false), true
	case parts[0] == "blogin.g", parts[0] == "age-verification.g":
		if to, err := url.Parse(q.Get("blogspotURL")); err == nil {
			if host, ok := hostOf(to.Hostname()); ok {
				return matchBlog(to, "https://"+host, host)
			}
		}
	}
	return crawlers.Ref{}, false
}

// matchAPI tells the addresses of API v3.
func matchAPI(u *url.URL) (crawlers.Ref, bool) {
	rest, ok := strings.CutPrefix(path.Clean("/"+u.Path), "/blogger/v3/")
	if !ok {
		return crawlers.Ref{}, false
	}
	parts := strings.Split(rest, "/")
	if parts[0] != "blogs" || len(parts) < 2 || parts[1] == "" {
		return crawlers.Ref{}, false
	}
	if parts[1] == "byurl" {
		to, err := url.Parse(u.Query().Get("url"))
		if err != nil || to.Hostname() == "" {
			return crawlers.Ref{}, false
		}
		if host, ok := hostOf(to.Hostname()); ok {
			return matchBlog(to, "https://"+host, host)
		}
		return customRef(to)
	}
	if len(parts) > 3 && (parts[2] == "posts" || parts[2] == "pages") && digits.MatchString(parts[3]) {
		return newRef(crawlers.RefPost, parts[3], parts[1], "https://www.blogger.com/feeds/"+parts[1]+"/posts/default/"+parts[3], false), true
	}
	return newRef(crawlers.RefAccount, parts[1], "", "https://www.blogger.com/feeds/"+parts[1]+"/posts/default", false), true
}

// customRef is the Ref of an address on a custom domain that an answer has
// shown to be a blog of Blogger.
func customRef(u *url.URL) (crawlers.Ref, bool) {
	host := strings.ToLower(u.Hostname())
	if u.Scheme != "http" && u.Scheme != "https" || host == "" {
		return crawlers.Ref{}, false
	}
	return matchBlog(u, u.Scheme+"://"+strings.ToLower(u.Host), host)
}

// feedHead is an id of Blogger's where a feed or an entry states its own.
var feedHead = regexp.MustCompile(`(?:<id>|<atom:id>|"\$t":\s*")tag:blogger\.com,1999:blog-\d+`)

// sniff is how much of a body Identify looks at.
const sniff = 128 << 10

// Identify reports whom an exchange is about. Custom domains are told by the
// generator that Blogger writes into pages and feeds, and by its entry ids.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil || u.Hostname() == "" {
		return crawlers.Ref{}, false
	}
	if ref, ok := c.Match(u); ok {
		return ref, true
	}
	head := ex.Body[:min(len(ex.Body), sniff)]
	if crawlers.LooksHTML(ex) {
		if !bytes.Contains(bytes.ToLower(head), []byte("blogger")) {
			return crawlers.Ref{}, false
		}
		if !isBloggerPage(pagescan.ReadHead(head)) {
			return crawlers.Ref{}, false
		}
		return customRef(u)
	}
	if !bytes.Contains(head, []byte("tag:blogger.com,1999:")) {
		return crawlers.Ref{}, false
	}
	text := bytes.TrimSpace(head)
	if strings.HasPrefix(u.Path, "/feeds/") && len(text) > 0 && (text[0] == '{' || text[0] == '<') && feedHead.Match(head[:min(len(head), 8<<10)]) {
		return customRef(u)
	}
	// FeedBurner and other mirrors: the feed names its blog.
	f, _ := parseFeed(ex.Body) // of a feed that breaks off, the head is enough
	if f == nil || f.BlogID == "" {
		return crawlers.Ref{}, false
	}
	if home, err := url.Parse(f.Home); err == nil && home.Hostname() != "" {
		if host, ok := hostOf(home.Hostname()); ok {
			return matchBlog(home, "https://"+host, host)
		}
		return customRef(home)
	}
	return newRef(crawlers.RefAccount, f.BlogID, "", "https://www.blogger.com/feeds/"+f.BlogID+"/posts/default", false), true
}

// isBloggerPage reports whether a page says that Blogger made it.
func isBloggerPage(h *pagescan.Head) bool {
	return strings.EqualFold(strings.TrimSpace(h.Meta("generator")), "blogger")
}
