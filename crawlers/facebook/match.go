package facebook

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.]{2,75}$`)
	pfbidForm  = regexp.MustCompile(`^pfbid[A-Za-z0-9]{20,100}$`)
	codeForm   = regexp.MustCompile(`^[A-Za-z0-9_-]{3,60}$`)
	namedID    = regexp.MustCompile(`-(\d{6,20})$`)
	localeHost = regexp.MustCompile(`^(?:[a-z]{2,3}-[a-z0-9]{2,4}|www|m|touch|mbasic|mobile|web|business|free|0|l|lm|d|iphone|en|beta|upload|static|x|z-m|p|b-m|m2|h|developers)$`)
)

// onion addresses of the site.
const (
	onion    = "facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion"
	oldOnion = "facebookcorewwwi.onion"
)

// reserved are first path parts that are not pages.
func reserved(name string) bool {
	switch strings.ToLower(name) {
	case "login", "login.php", "recover", "help", "settings", "ads", "adsmanager", "business", "policies", "policy.php", "policy", "legal", "privacy", "terms", "terms.php", "about", "careers", "marketplace", "gaming", "games", "messages", "notifications", "friends", "home.php", "home", "bookmarks", "saved", "memories", "events", "groups", "pages", "watch", "reel", "reels", "video", "videos", "photo", "photo.php", "photos", "video.php", "story.php", "permalink.php", "profile.php", "people", "p", "pg", "share", "sharer", "sharer.php", "hashtag", "search", "plugins", "l.php", "dialog", "tr", "ajax", "api", "stories", "live", "checkpoint", "consent", "directory", "places", "r.php", "reg", "signup", "confirmemail.php", "lite", "messenger", "workplace", "meta", "fundraisers", "donate", "jobs", "lists", "notes", "pay", "payments", "browse", "comment", "ufi", "images", "rsrc.php", "robots.txt", "favicon.ico", "security", "safety", "support", "media", "composer", "create", "invite", "logout.php", "n", "nearby", "offers", "onthisday", "questions", "buddylist", "connect", "developers", "docs", "flx", "common", "a", "i", "local", "mobile", "oauth", "feeds", "findfriends", "crisisresponse", "salesgroups", "page_content_list_view", "index.php", "impressum", "ad_campaign", "business_ads", "oembed", "allactivity", "latest", "pages_reaction_units", "fantasy_games", "timeline", "v":
		return true
	}
	return false
}

// accountRef is a page or profile, by its number or by its name.
func accountRef(id string) crawlers.Ref {
	if isNumber(id) {
		return newRef(crawlers.RefAccount, id, "", site+"/"+id, false)
	}
	id = strings.ToLower(id)
	return newRef(crawlers.RefAccount, id, "", site+"/"+id, true)
}

// accountURL is the address of an account.
func accountURL(id string) string {
	if id == "" {
		return ""
	}
	return site + "/" + id
}

// postRef is a post by its number or pfbid, of an owner by name or number.
func postRef(owner, id string) crawlers.Ref {
	owner = strings.ToLower(owner)
	return newRef(crawlers.RefPost, id, owner, postURL(owner, id), !isNumber(id))
}

func postURL(owner, id string) string {
	if owner == "" {
		return site + "/photo.php?fbid=" + id
	}
	return site + "/" + owner + "/posts/" + id
}

func groupPost(group, id string) crawlers.Ref {
	group = strings.ToLower(group)
	return newRef(crawlers.RefPost, id, "groups/"+group, site+"/groups/"+group+"/posts/"+id, !isNumber(id))
}

func videoRef(id string) crawlers.Ref {
	return newRef(crawlers.RefPost, id, "", videoURL(id), false)
}

func videoURL(id string) string { return site + "/watch/?v=" + id }

func photoRef(id string) crawlers.Ref {
	return newRef(crawlers.RefPost, id, "", site+"/photo.php?fbid="+id, !isNumber(id))
}

func shortRef(address, code string) crawlers.Ref {
	return newRef(crawlers.RefShort, code, "", address, true)
}

func isPost(s string) bool { return isNumber(s) && len(s) >= 6 || pfbidForm.MatchString(s) }

// Match reports what u names on Facebook.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) { return match(u, 0) }

func match(u *url.URL, depth int) (crawlers.Ref, bool) {
	if u == nil || depth > 3 || u.Scheme != "http" && u.Scheme != "https" {
		return crawlers.Ref{}, false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	parts := strings.Split(strings.Trim(path.Clean("/"+u.Path), "/"), "/")
	switch host {
	case "fb.watch", "www.fb.watch":
		if codeForm.MatchString(parts[0]) {
			return shortRef("https://fb.watch/"+parts[0]+"/", parts[0]), true
		}
		return crawlers.Ref{}, false
	case "fb.me", "www.fb.me":
		p := strings.Join(parts, "/")
		if codeForm.MatchString(parts[len(parts)-1]) && len(parts) < 3 {
			return shortRef("https://fb.me/"+p, "fb.me/"+p), true
		}
		return crawlers.Ref{}, false
	case "graph.facebook.com":
		return matchGraph(u, parts, depth)
	}
	if !ourHost(host) {
		return crawlers.Ref{}, false
	}
	return matchPath(u, parts, depth)
}

// ourHost reports whether host serves the site's pages.
func ourHost(host string) bool {
	for _, base := range []string{"facebook.com", "fb.com", onion, oldOnion} {
		if host == base {
			return true
		}
		if sub, ok := strings.CutSuffix(host, "."+base); ok && localeHost.MatchString(sub) && sub != "developers" {
			return true
		}
	}
	return false
}

func inner(raw string, depth int) (crawlers.Ref, bool) {
	if raw == "" {
		return crawlers.Ref{}, false
	}
	if strings.HasPrefix(raw, "/") {
		raw = site + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return crawlers.Ref{}, false
	}
	return match(u, depth+1)
}

func matchPath(u *url.URL, parts []string, depth int) (crawlers.Ref, bool) {
	q := u.Query()
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	last := parts[len(parts)-1]
	none := crawlers.Ref{}
	switch first := strings.ToLower(get(0)); first {
	case "l.php":
		return inner(q.Get("u"), depth)
	case "login", "login.php", "checkpoint", "consent", "cookie":
		return inner(q.Get("next"), depth)
	case "flx":
		return inner(q.Get("u"), depth)
	case "plugins":
		return inner(q.Get("href"), depth)
	case "sharer", "sharer.php", "dialog":
		return none, false
	case "profile.php":
		if isNumber(q.Get("id")) {
			if id := q.Get("story_fbid"); isPost(id) {
				return postRef(q.Get("id"), id), true
			}
			return accountRef(q.Get("id")), true
		}
		return none, false
	case "permalink.php", "story.php":
		id, owner := q.Get("story_fbid"), q.Get("id")
		if !isPost(id) {
			return none, false
		}
		if isNumber(owner) || nameForm.MatchString(owner) {
			return postRef(owner, id), true
		}
		return photoRef(id), true
	case "photo.php", "photo", "photos":
		if id := q.Get("fbid"); isPost(id) {
			return photoRef(id), true
		}
		return none, false
	case "watch", "video.php", "video":
		if id := q.Get("v"); isPost(id) && isNumber(id) {
			return videoRef(id), true
		}
		if first == "watch" && nameForm.MatchString(get(1)) && !reserved(get(1)) {
			if isNumber(get(2)) && len(get(2)) >= 6 {
				return videoRef(get(2)), true
			}
			return accountRef(get(1)), true
		}
		return none, false
	case "reel", "reels":
		if isPost(get(1)) && isNumber(get(1)) {
			return videoRef(get(1)), true
		}
		return none, false
	case "events":
		if isNumber(get(1)) {
			return newRef(crawlers.RefPost, get(1), "", site+"/events/"+get(1)+"/", false), true
		}
		if isNumber(last) && len(last) >= 6 {
			return newRef(crawlers.RefPost, last, "", site+"/events/"+last+"/", false), true
		}
		return none, false
	case "groups":
		return matchGroup(q, parts)
	case "share":
		for _, code := range parts[1:] {
			if len(code) > 2 && codeForm.MatchString(code) {
				return shortRef(site+"/"+strings.Join(parts, "/")+"/", code), true
			}
		}
		return none, false
	case "hashtag":
		if get(1) != "" {
			tag := strings.ToLower(get(1))
			return newRef(crawlers.RefTag, tag, "", site+"/hashtag/"+url.PathEscape(tag), false), true
		}
		return none, false
	case "ads":
		if get(1) == "library" {
			if id := q.Get("id"); isNumber(id) {
				return newRef(crawlers.RefPost, "ad:"+id, "ads", site+"/ads/library/?id="+id, false), true
			}
			if id := q.Get("view_all_page_id"); isNumber(id) {
				return newRef(crawlers.RefBoard, "ads:"+id, "", site+"/ads/library/?view_all_page_id="+id, false), true
			}
		}
		return none, false
	case "page_content_list_view", "pages_reaction_units":
		if id := q.Get("page_id"); isNumber(id) {
			return accountRef(id), true
		}
		return none, false
	case "people":
		if isNumber(get(2)) {
			return accountRef(get(2)), true
		}
		return none, false
	case "pages", "p", "pg":
		if len(parts) == 2 && first == "pg" && nameForm.MatchString(get(1)) && !isNumber(get(1)) {
			return accountRef(get(1)), true
		}
		for i := 1; i < len(parts); i++ { // the number stands last, or before a tab
			if isNumber(parts[i]) && len(parts[i]) >= 6 {
				return accountRef(parts[i]), true
			}
			if m := namedID.FindStringSubmatch(parts[i]); m != nil {
				return accountRef(m[1]), true
			}
		}
		if first == "pg" && nameForm.MatchString(get(1)) {
			return accountRef(get(1)), true
		}
		if first == "pages" && get(1) == "category" && nameForm.MatchString(get(3)) {
			return accountRef(get(3)), true
		}
		return none, false
	case "comment", "browse", "ufi", "ajax", "api", "stories":
		if first == "stories" && isNumber(get(1)) {
			return accountRef(get(1)), true
		}
		return none, false
	}
	return matchOwner(q, parts, get)
}

func matchGroup(q url.Values, parts []string) (crawlers.Ref, bool) {
	if len(parts) < 2 || !nameForm.MatchString(parts[1]) && !isNumber(parts[1]) || strings.EqualFold(parts[1], "feed") || strings.EqualFold(parts[1], "discover") {
		return crawlers.Ref{}, false
	}
	for i := 2; i+1 < len(parts); i++ {
		switch parts[i] {
		case "permalink", "posts":
			for _, p := range parts[i+1:] {
				if isPost(p) {
					return groupPost(parts[1], p), true
				}
			}
		}
	}
	for _, name := range []string{"multi_permalinks", "multi_permalink", "story_fbid"} {
		id, _, _ := strings.Cut(q.Get(name), ",")
		if isPost(id) {
			return groupPost(parts[1], id), true
		}
	}
	id := strings.ToLower(parts[1])
	return newRef(crawlers.RefGroup, id, "", site+"/groups/"+id, !isNumber(id)), true
}

// matchOwner reads addresses that start with a page's name or number.
func matchOwner(q url.Values, parts []string, get func(int) string) (crawlers.Ref, bool) {
	owner := get(0)
	if m := namedID.FindStringSubmatch(owner); m != nil {
		owner = m[1]
	}
	if owner == "" || reserved(owner) || !nameForm.MatchString(owner) && !isNumber(owner) || strings.HasSuffix(owner, ".php") || strings.HasSuffix(owner, ".html") {
		return crawlers.Ref{}, false
	}
	last := parts[len(parts)-1]
	switch strings.ToLower(get(1)) {
	case "posts", "permalink":
		if isPost(last) && len(parts) > 2 {
			return postRef(owner, last), true
		}
		if m := namedID.FindStringSubmatch(last); m != nil && len(parts) > 2 { // slug-ID
			return postRef(owner, m[1]), true
		}
	case "photos":
		for i := len(parts) - 1; i > 1; i-- {
			if isNumber(parts[i]) && len(parts[i]) >= 6 {
				return photoRef(parts[i]), true
			}
		}
	case "videos", "reel", "reels", "live":
		for i := len(parts) - 1; i > 1; i-- {
			if isNumber(parts[i]) && len(parts[i]) >= 6 {
				return videoRef(parts[i]), true
			}
		}
	}
	if id := q.Get("story_fbid"); isPost(id) {
		return postRef(owner, id), true
	}
	switch strings.ToLower(get(1)) {
	case "", "posts", "photos", "photos_stream", "photos_albums", "photos_by", "videos", "about", "reels", "reel", "live", "events", "community", "reviews", "mentions", "followers", "following", "likes", "friends", "shop", "services", "info", "timeline", "featured", "about_details", "about_profile_transparency", "directory_intro", "video", "notes", "media_set", "friends_likes", "videos_by", "groups", "map", "sports", "music", "permalink", "albums", "media", "all_reels":
		return accountRef(owner), true
	}
	return crawlers.Ref{}, false
}

var pagePost = regexp.MustCompile(`^(\d{5,20})_(\d{5,20})$`)

// matchGraph reads addresses of the Graph API that tell by themselves whom they
// are about. It answers for Instagram too: what asks for that is refused.
func matchGraph(u *url.URL, parts []string, depth int) (crawlers.Ref, bool) {
	if len(parts) > 0 && strings.HasPrefix(parts[0], "v") && strings.Contains(parts[0], ".") {
		parts = parts[1:]
	}
	if len(parts) == 0 || asksInstagram(u) {
		return crawlers.Ref{}, false
	}
	switch parts[0] {
	case "oembed_post", "oembed_video", "oembed_page":
		return inner(u.Query().Get("url"), depth)
	case "me", "search", "pages", "oauth", "debug_token", "":
		return crawlers.Ref{}, false
	}
	if m := pagePost.FindStringSubmatch(parts[0]); m != nil {
		return postRef(m[1], m[2]), true
	}
	edge := ""
	if len(parts) > 1 {
		edge = parts[1]
	}
	switch edge {
	case "", "posts", "feed", "published_posts", "tagged", "visitor_posts", "photos", "videos":
	default:
		return crawlers.Ref{}, false
	}
	if edge == "" && isNumber(parts[0]) { // a page, a photo, a video, a post: the answer says
		return crawlers.Ref{}, false
	}
	if isNumber(parts[0]) || nameForm.MatchString(parts[0]) && !reserved(parts[0]) {
		return accountRef(parts[0]), true
	}
	return crawlers.Ref{}, false
}

// asksInstagram reports whether an address of the Graph API asks for things of
// Instagram.
func asksInstagram(u *url.URL) bool {
	switch path.Base(u.Path) {
	case "instagram_oembed", "ig_hashtag_search", "recent_media", "top_media", "recently_searched_hashtags", "mentioned_media":
		return true
	}
	fields := u.Query().Get("fields")
	for _, word := range []string{"business_discovery", "instagram_business_account", "ig_id", "followers_count,media_count", "mentioned_"} {
		if strings.Contains(fields, word) {
			return true
		}
	}
	// media_type is a field of Instagram's media; in Facebook's posts it stands within attachments.
	return strings.Contains(fields, "media_type") && !strings.Contains(fields, "attachments")
}
