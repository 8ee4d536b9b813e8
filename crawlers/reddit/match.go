package reddit

import (
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

// Match reports what u names on Reddit. It knows every host that serves the
// same site (old., np., m., new., www.old., sh., two-letter language hosts, no
// subdomain), redd.it, and the media hosts.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return crawlers.Ref{}, false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	segs := segments(u.Path)
	switch host {
	case "redd.it", "www.redd.it":
		if len(segs) > 0 && isID(segs[0]) {
			return postRef(segs[0]), true
		}
		return crawlers.Ref{}, false
	case "i.redd.it", "preview.redd.it":
		if len(segs) == 1 {
			if name := mediaName(segs[0]); name != "" {
				return ref(crawlers.RefMedia, name, "https://i.redd.it/"+url.PathEscape(name)), true
			}
		}
		return crawlers.Ref{}, false
	case "v.redd.it":
		if len(segs) > 0 && isWord(segs[0]) {
			return ref(crawlers.RefMedia, "v/"+segs[0], "https://v.redd.it/"+segs[0]), true
		}
		return crawlers.Ref{}, false
	}
	if !isSite(host) {
		return crawlers.Ref{}, false
	}
	return matchPath(segs, u.Query())
}

// isSite reports whether host serves the pages of reddit.com.
func isSite(host string) bool {
	sub, ok := strings.CutSuffix(host, "reddit.com")
	if !ok || sub != "" && !strings.HasSuffix(sub, ".") {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(sub, "."), ".") {
		switch label {
		case "", "www", "old", "new", "oauth", "amp", "ssl", "api", "pay", "m", "i":
		default:
			if len(label) != 2 { // np, sh, ud, and the languages: de, en, …
				return false
			}
		}
	}
	return true
}

// segments gives the parts of a path, without the suffix that asks for a
// machine-readable form.
func segments(path string) []string {
	var segs []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "" {
			segs = append(segs, s)
		}
	}
	if n := len(segs); n > 0 {
		for _, suffix := range []string{".json", ".rss", ".xml", ".compact", ".embed"} {
			if cut, ok := strings.CutSuffix(segs[n-1], suffix); ok {
				segs[n-1] = cut
				if cut == "" {
					segs = segs[:n-1]
				}
				break
			}
		}
	}
	return segs
}

func matchPath(segs []string, query url.Values) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if len(segs) == 0 {
		return ref(crawlers.RefSite, "front", web+"/"), true
	}
	rest := segs[1:]
	switch first := strings.ToLower(segs[0]); {
	case first == "r" && len(rest) > 0:
		return matchGroup(rest[0], rest[1:], query)
	case (first == "u" || first == "user") && len(rest) > 0:
		return matchUser(rest[0], rest[1:])
	case first == "comments":
		return matchThread(rest)
	case (first == "gallery" || first == "poll" || first == "tb") && len(rest) > 0 && isID(rest[0]):
		return postRef(rest[0]), true
	case first == "duplicates" && len(rest) > 0 && isID(rest[0]):
		return discussionRef(rest[0]), true
	case first == "search":
		return searchRef("", query)
	case first == "domain" && len(rest) > 0 && strings.Contains(rest[0], "."):
		host := strings.ToLower(rest[0])
		return ref(crawlers.RefDomain, host, web+"/domain/"+url.PathEscape(host)+"/"), true
	case first == "api" && len(rest) == 1 && rest[0] == "info":
		return matchInfo(query)
	case len(rest) == 0 && isSort(first):
		return ref(crawlers.RefSite, "front", web+"/"), true
	}
	return none, false
}

func matchGroup(name string, rest []string, query url.Values) (crawlers.Ref, bool) {
	if !isGroup(name) {
		return crawlers.Ref{}, false
	}
	lower := strings.ToLower(name)
	user, isProfile := strings.CutPrefix(lower, "u_")
	what := ""
	if len(rest) > 0 {
		what = strings.ToLower(rest[0])
	}
	switch {
	case what == "comments" && len(rest) > 1:
		return matchThread(rest[1:])
	case (what == "duplicates" || what == "gallery") && len(rest) > 1 && isID(rest[1]):
		if what == "gallery" {
			return postRef(rest[1]), true
		}
		return discussionRef(rest[1]), true
	case what == "s":
		return shortRef("r/"+lower, rest[1:])
	case what == "search":
		of := lower
		switch strings.ToLower(query.Get("restrict_sr")) {
		case "on", "1", "true", "yes":
		default:
			of = ""
		}
		if lower == "all" {
			of = ""
		}
		return searchRef(of, query)
	case what == "" || isSort(what) || what == "comments" || what == "about" && len(rest) == 1:
		if isProfile && user != "" {
			return accountRef(user), true
		}
		return groupRef(lower), true
	}
	return crawlers.Ref{}, false
}

func matchUser(name string, rest []string) (crawlers.Ref, bool) {
	if !isWord(name) {
		return crawlers.Ref{}, false
	}
	lower := strings.ToLower(name)
	what := ""
	if len(rest) > 0 {
		what = strings.ToLower(rest[0])
	}
	switch {
	case what == "comments" && len(rest) > 1:
		return matchThread(rest[1:])
	case what == "duplicates" && len(rest) > 1 && isID(rest[1]):
		return discussionRef(rest[1]), true
	case what == "s":
		return shortRef("u/"+lower, rest[1:])
	case what == "m" && len(rest) > 1 && isWord(rest[1]):
		board := strings.ToLower(rest[1])
		r := ref(crawlers.RefBoard, board, web+"/user/"+lower+"/m/"+board+"/")
		r.Alias, r.Of = true, lower
		return r, true
	case what == "", what == "overview", what == "submitted", what == "posts", what == "comments", what == "about", what == "trophies", what == "gilded", isSort(what):
		return accountRef(lower), true
	}
	return crawlers.Ref{}, false
}

// matchThread reads what follows "comments": ID[/slug[/CID]] or ID/comment/CID.
func matchThread(segs []string) (crawlers.Ref, bool) {
	if len(segs) == 0 || !isID(segs[0]) {
		return crawlers.Ref{}, false
	}
	if len(segs) > 2 && isID(segs[2]) {
		return commentRef(segs[2], segs[0]), true
	}
	return postRef(segs[0]), true
}

// matchInfo reads /api/info?id= and ?url=. Several ids at once name no one thing.
func matchInfo(query url.Values) (crawlers.Ref, bool) {
	if address := query.Get("url"); address != "" {
		return linkRef(address), true
	}
	id := strings.ToLower(query.Get("id"))
	if !isID(bare(id)) {
		return crawlers.Ref{}, false
	}
	switch {
	case strings.HasPrefix(id, "t3_"):
		return postRef(id), true
	case strings.HasPrefix(id, "t1_"):
		return commentRef(id, ""), true
	}
	return crawlers.Ref{}, false
}

func ref(kind crawlers.RefKind, id, address string) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, URL: address}
}

func postRef(id string) crawlers.Ref {
	id = strings.ToLower(strings.TrimPrefix(id, "t3_"))
	return ref(crawlers.RefPost, "t3_"+id, postURL(id))
}

// commentRef names comment id; link is the post it hangs under, "" if unknown.
func commentRef(id, link string) crawlers.Ref {
	id = strings.ToLower(strings.TrimPrefix(id, "t1_"))
	link = strings.ToLower(strings.TrimPrefix(link, "t3_"))
	if link == "" {
		return ref(crawlers.RefComment, "t1_"+id, web+"/api/info?id=t1_"+id)
	}
	r := ref(crawlers.RefComment, "t1_"+id, commentURL(id, link))
	r.Of = "t3_" + link
	return r
}

func postURL(id string) string { return web + "/comments/" + strings.TrimPrefix(id, "t3_") + "/" }
func commentURL(id, link string) string {
	return postURL(link) + "comment/" + strings.TrimPrefix(id, "t1_") + "/"
}
func userURL(name string) string { return web + "/user/" + url.PathEscape(name) + "/" }

func accountRef(name string) crawlers.Ref {
	name = strings.ToLower(name)
	r := ref(crawlers.RefAccount, name, userURL(name))
	r.Alias = true
	return r
}

func groupRef(name string) crawlers.Ref {
	name = strings.ToLower(name)
	r := ref(crawlers.RefGroup, name, web+"/r/"+name+"/")
	r.Alias = true
	return r
}

func discussionRef(id string) crawlers.Ref {
	id = strings.ToLower(strings.TrimPrefix(id, "t3_"))
	return ref(crawlers.RefDiscussion, "t3_"+id, web+"/duplicates/"+id+"/")
}

// linkRef names all submissions of one address.
func linkRef(address string) crawlers.Ref {
	return ref(crawlers.RefDiscussion, address, web+"/api/info?url="+url.QueryEscape(address))
}

// shortRef names a share link. One without a code exists (it redirects to
// itself), so it is told from its own code "-".
func shortRef(of string, rest []string) (crawlers.Ref, bool) {
	code := ""
	if len(rest) > 0 {
		code = rest[0]
	}
	if len(rest) > 1 || code != "" && !isWord(code) {
		return crawlers.Ref{}, false
	}
	prefix := of
	if user, ok := strings.CutPrefix(of, "u/"); ok {
		prefix = "user/" + user
	}
	r := ref(crawlers.RefShort, code, web+"/"+prefix+"/s/"+code)
	if code == "" {
		r.ID = "-"
	}
	r.Alias, r.Of = true, of
	return r, true
}

// searchRef names a search as given: the words, and order, time and type where
// they are set. of is the subreddit it is limited to, "" for none.
func searchRef(of string, query url.Values) (crawlers.Ref, bool) {
	q := strings.TrimSpace(query.Get("q"))
	if q == "" {
		return crawlers.Ref{}, false
	}
	kept := url.Values{}
	for _, k := range []string{"sort", "t", "type"} {
		if v := query.Get(k); v != "" {
			kept.Set(k, strings.ToLower(v))
		}
	}
	id := q
	if len(kept) > 0 {
		id += " [" + kept.Encode() + "]"
	}
	kept.Set("q", q)
	address := web + "/search/?"
	if of != "" {
		kept.Set("restrict_sr", "on")
		address = web + "/r/" + of + "/search/?"
	}
	r := ref(crawlers.RefSearch, id, address+kept.Encode())
	r.Of = of
	return r, true
}

// mediaName gives the name under which i.redd.it keeps an image. The share form
// of preview.redd.it puts words of the title before it: TITLE-v0-NAME.
func mediaName(s string) string {
	if i := strings.LastIndex(s, "-v0-"); i >= 0 {
		s = s[i+len("-v0-"):]
	}
	stem, _, _ := strings.Cut(s, ".")
	if !isWord(stem) {
		return ""
	}
	return s
}

func isSort(s string) bool {
	switch s {
	case "new", "top", "hot", "rising", "controversial", "best":
		return true
	}
	return false
}

// isID reports whether s is a base-36 id.
func isID(s string) bool {
	if len(s) == 0 || len(s) > 13 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// isWord reports whether s may be a user name, a share code or a media id.
func isWord(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// isGroup reports whether s may be a subreddit, or several joined by "+".
func isGroup(s string) bool {
	if len(s) > 1000 {
		return false
	}
	for name := range strings.SplitSeq(s, "+") {
		if !isWord(strings.TrimPrefix(strings.ReplaceAll(name, ".", "_"), "t:")) {
			return false
		}
	}
	return true
}
