package medium

import (
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

// Match reports what u names on medium.com and its subdomains. Custom domains
// are told by Identify, from the content.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return crawlers.Ref{}, false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	segs := segments(u.Path)
	switch host {
	case "medium.com", "www.medium.com", "m.medium.com":
		return matchMain(segs)
	case "link.medium.com":
		if len(segs) == 1 && isWord(segs[0]) {
			r := ref(crawlers.RefShort, segs[0], "https://link.medium.com/"+segs[0])
			r.Alias = true
			return r, true
		}
		return crawlers.Ref{}, false
	}
	sub, ok := strings.CutSuffix(host, ".medium.com")
	if !ok || !isWord(sub) || isService(sub) {
		return crawlers.Ref{}, false
	}
	return matchHome(accountRef(sub), segs)
}

// matchMain reads a path of medium.com.
func matchMain(segs []string) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if len(segs) == 0 {
		return none, false
	}
	first, rest := segs[0], segs[1:]
	if name, ok := strings.CutPrefix(first, "@"); ok {
		if !isUser(name) {
			return none, false
		}
		return matchHome(accountRef(name), rest)
	}
	switch lower := strings.ToLower(first); {
	case lower == "feed" && len(rest) > 0:
		if name, ok := strings.CutPrefix(rest[0], "@"); ok && isUser(name) {
			return accountRef(name), true
		}
		if rest[0] == "tag" && len(rest) > 1 {
			return tagRef(rest[1], ""), true
		}
		return matchMain(rest)
	case lower == "p" && len(rest) > 0:
		if id := storyID(rest[0]); id != "" {
			return postRef(id), true
		}
		return none, false
	case lower == "u" && len(rest) > 0 && isHex(rest[0]):
		return ref(crawlers.RefAccount, strings.ToLower(rest[0]), base+"/u/"+strings.ToLower(rest[0])), true
	case (lower == "tag" || lower == "tagged" || lower == "topic") && len(rest) > 0:
		return matchTag(rest)
	case isReserved(lower) || !isSlug(first):
		return none, false
	}
	if len(rest) == 0 {
		if id := storyID(first); id != "" && strings.Contains(first, "-") && len(id) >= 11 {
			return postRef(id), true // /slug-HASH without a home
		}
	}
	return matchHome(groupRef(first), rest)
}

// matchHome reads what follows the address of an account or publication.
func matchHome(home crawlers.Ref, rest []string) (crawlers.Ref, bool) {
	if len(rest) > 0 && rest[0] == "feed" {
		rest = rest[1:]
	}
	switch {
	case len(rest) == 0:
		return home, true
	case rest[0] == "tagged" && len(rest) > 1:
		return tagRef(rest[1], homeName(home)), true
	case rest[0] == "p" && len(rest) > 1:
		rest = rest[1:]
	}
	switch rest[0] {
	case "latest", "archive", "about", "home", "stories", "trending", "featured", "has-recommended", "responses", "followers", "following", "subscribe", "membership":
		return home, true
	}
	if id := storyID(rest[0]); id != "" {
		return postRef(id), true
	}
	return crawlers.Ref{}, false
}

// homeName is how an account or publication stands in an address.
func homeName(home crawlers.Ref) string {
	if home.Kind == crawlers.RefAccount {
		return "@" + home.ID
	}
	return home.ID
}

// matchTag reads T, T/latest, T/archive and T/archive/YYYY[/MM[/DD]].
func matchTag(segs []string) (crawlers.Ref, bool) {
	if len(segs) < 3 || segs[1] != "archive" {
		return tagRef(segs[0], ""), true
	}
	for i, s := range segs[2:] {
		want := 2
		if i == 0 {
			want = 4
		}
		if i > 2 || len(s) != want || strings.Trim(s, "0123456789") != "" {
			return crawlers.Ref{}, false
		}
	}
	r := tagRef(segs[0], "")
	day := "/archive/" + strings.Join(segs[2:], "/")
	r.ID += day
	r.URL += day
	return r, true
}

// segments gives the parts of a path, decoded.
func segments(path string) []string {
	var segs []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "" {
			segs = append(segs, s)
		}
	}
	return segs
}

func ref(kind crawlers.RefKind, id, address string) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, URL: address}
}

func storyURL(id string) string { return base + "/p/" + id }

func postRef(id string) crawlers.Ref {
	id = strings.ToLower(id)
	return ref(crawlers.RefPost, id, storyURL(id))
}

func accountRef(name string) crawlers.Ref {
	name = strings.ToLower(name)
	r := ref(crawlers.RefAccount, name, base+"/@"+name)
	r.Alias = true
	return r
}

// groupRef names a publication by its slug, or by its custom domain.
func groupRef(name string) crawlers.Ref {
	name = strings.ToLower(name)
	address := base + "/" + url.PathEscape(name)
	if strings.Contains(name, ".") {
		address = "https://" + name + "/"
	}
	r := ref(crawlers.RefGroup, name, address)
	r.Alias = true
	return r
}

// tagRef names a tag of all Medium, or of the account or publication of. A slug
// may be of any script; it is escaped in the address only.
func tagRef(tag, of string) crawlers.Ref {
	tag = strings.ToLower(tag)
	r := ref(crawlers.RefTag, tag, base+"/tag/"+url.PathEscape(tag))
	if of != "" {
		r.Of = of
		r.URL = base + "/" + of + "/tagged/" + url.PathEscape(tag)
	}
	return r
}

// storyID gives the id at the end of a story's slug: 9 to 12 hexadecimal digits
// after the last "-", or alone. It is "" where there is none.
func storyID(slug string) string {
	id := slug[strings.LastIndexByte(slug, '-')+1:]
	if !isHex(id) {
		return ""
	}
	return strings.ToLower(id)
}

func isHex(s string) bool {
	if len(s) < 9 || len(s) > 12 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

func isWord(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isUser(s string) bool { return isWord(strings.ReplaceAll(s, ".", "_")) }
func isSlug(s string) bool { return isWord(s) }

// isService reports whether a subdomain of medium.com is not a blog.
func isService(sub string) bool {
	switch sub {
	case "api", "miro", "glyph", "link", "help", "status", "www", "cdn", "about", "rsci", "email":
		return true
	}
	return strings.HasPrefix(sub, "cdn-")
}

// isReserved reports whether a first part of a path is Medium's own.
func isReserved(s string) bool {
	switch s {
	case "_", "m", "me", "about", "search", "plans", "membership", "creators", "explore-topics", "topics", "tags", "browse", "collections",
		"business", "new-story", "policy", "jobs", "sitemap", "p", "u", "tag", "topic", "tagged", "feed", "partner-program", "earn", "gift", "robots.txt":
		return true
	}
	return false
}

// cleanURL drops what does not belong to an address: ?source=, the friend
// link's ?sk=, gi=, and the fragment.
func cleanURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	q := u.Query()
	for _, k := range []string{"source", "sk", "gi"} {
		q.Del(k)
	}
	u.RawQuery, u.Fragment, u.RawFragment = q.Encode(), "", ""
	return u.String()
}
