package youtube

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

const site = "https://www.youtube.com"

var (
	videoForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{11}$`)
	videoStart   = regexp.MustCompile(`^[A-Za-z0-9_-]{11}(?:[^A-Za-z0-9_-]|$)`)
	channelForm  = regexp.MustCompile(`^UC[A-Za-z0-9_-]{22}$`)
	listForm     = regexp.MustCompile(`^(?:PL|UU|OL|RD|FL|LL|EC|TL|SP)[A-Za-z0-9_-]{8,80}$`)
	postForm     = regexp.MustCompile(`^Ug[A-Za-z0-9_-]{20,60}$`)
	commentForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{15,80}(?:\.[A-Za-z0-9_-]{10,80})?$`)
	vanityForm   = regexp.MustCompile(`^[A-Za-z0-9]{2,60}$`)
	countryHosts = regexp.MustCompile(`^(?:www\.|m\.)?youtube\.(?:[a-z]{2}|com?\.[a-z]{2})$`)
)

func newRef(kind crawlers.RefKind, id, url string, alias bool) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, URL: url, Alias: alias}
}

func videoURL(id string) string { return site + "/watch?v=" + id }

func channelURL(id string) string { return site + "/channel/" + id }

func videoRef(id string) crawlers.Ref { return newRef(crawlers.RefPost, id, videoURL(id), false) }

func channelRef(id string) crawlers.Ref {
	return newRef(crawlers.RefAccount, id, channelURL(id), false)
}

// postRef is a community post. It is a page of its own kind, since the Data API
// has none.
func postRef(id string) crawlers.Ref {
	return newRef(crawlers.RefPage, id, site+"/post/"+id, false)
}

// handleRef is a channel by its handle, without "@".
func handleRef(handle string) crawlers.Ref {
	handle = strings.ToLower(handle)
	return newRef(crawlers.RefAccount, "@"+handle, site+"/@"+url.PathEscape(handle), true)
}

// userRef is a channel by its user name of before 2014.
func userRef(name string) crawlers.Ref {
	name = strings.ToLower(name)
	return newRef(crawlers.RefAccount, "user/"+name, site+"/user/"+url.PathEscape(name), true)
}

// customRef is a channel by its custom address of before handles: /c/NAME or /NAME.
func customRef(p string) crawlers.Ref {
	p = strings.ToLower(p)
	return newRef(crawlers.RefShort, p, site+(&url.URL{Path: "/" + p}).EscapedPath(), true)
}

func listRef(id string) crawlers.Ref {
	return newRef(crawlers.RefBoard, id, site+"/playlist?list="+id, false)
}

func commentRef(id, video string) crawlers.Ref {
	ref := newRef(crawlers.RefComment, id, videoURL(video)+"&lc="+id, false)
	ref.Of = video
	return ref
}

func tagRef(tag string) crawlers.Ref {
	tag = strings.ToLower(strings.TrimPrefix(tag, "#"))
	return newRef(crawlers.RefTag, tag, site+"/hashtag/"+url.PathEscape(tag), false)
}

func searchRef(words string) crawlers.Ref {
	words = strings.Join(strings.Fields(words), " ")
	return newRef(crawlers.RefSearch, words, site+"/results?search_query="+url.QueryEscape(words), false)
}

// isSite reports whether host serves YouTube's own addresses.
func isSite(host string) bool {
	switch host {
	case "youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "gaming.youtube.com", "tv.youtube.com", "youtube-nocookie.com", "www.youtube-nocookie.com", "youtubekids.com", "www.youtubekids.com", "youtube.googleapis.com", "www.youtube.googleapis.com":
		return true
	}
	return countryHosts.MatchString(host)
}

const maxUnwrap = 4 // addresses within addresses

// Match reports what u names on YouTube.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	return match(u, maxUnwrap)
}

func match(u *url.URL, depth int) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if u == nil || u.Scheme != "http" && u.Scheme != "https" || depth == 0 {
		return none, false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	parts := strings.Split(strings.Trim(path.Clean("/"+u.Path), "/"), "/")
	q := u.Query()
	switch {
	case host == "youtu.be" || host == "www.youtu.be" || host == "y2u.be":
		if id, ok := videoID(parts[0]); ok {
			return withComment(id, q)
		}
		if len(parts) > 1 { // youtu.be/watch?v=, youtu.be/shorts/ID
			return matchSite(u, parts, q, depth)
		}
		if id, ok := videoID(q.Get("v")); ok {
			return withComment(id, q)
		}
		return none, false
	case host == "consent.youtube.com", host == "accounts.youtube.com", host == "consent.google.com":
		return unwrap(q.Get("continue"), depth)
	case host == "www.googleapis.com" || host == "googleapis.com" || host == "youtube.googleapis.com" || host == "content-youtube.googleapis.com" || host == "content.googleapis.com":
		if ref, ok := matchAPI(parts, q); ok {
			return ref, true
		}
		if host != "youtube.googleapis.com" {
			return none, false
		}
	}
	if !isSite(host) {
		return none, false
	}
	return matchSite(u, parts, q, depth)
}

// unwrap matches an address that stands in a parameter. It may lack its host.
func unwrap(raw string, depth int) (crawlers.Ref, bool) {
	if raw == "" {
		return crawlers.Ref{}, false
	}
	base := &url.URL{Scheme: "https", Host: "www.youtube.com", Path: "/"}
	to, err := base.Parse(raw)
	if err != nil {
		return crawlers.Ref{}, false
	}
	return match(to, depth-1)
}

// videoID takes an id, also where a player's parameters stick to it ("ID&hl=en",
// "ID?rel=0").
func videoID(s string) (string, bool) {
	if videoStart.MatchString(s) {
		return s[:11], true
	}
	return "", false
}

// withComment is a video, or the comment that its address points at.
func withComment(id string, q url.Values) (crawlers.Ref, bool) {
	if lc := q.Get("lc"); commentForm.MatchString(lc) {
		return commentRef(lc, id), true
	}
	return videoRef(id), true
}

func matchSite(u *url.URL, parts []string, q url.Values, depth int) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	// Old addresses behind a fragment: #!v=ID, #/watch?v=ID, #p/u/1/ID.
	if f := strings.TrimPrefix(u.Fragment, "!"); f != "" && (get(0) == "" || get(0) == "watch" || get(0) == "user") {
		if strings.HasPrefix(f, "/") {
			if ref, ok := unwrap(f, depth); ok {
				return ref, true
			}
		}
		if fq, err := url.ParseQuery(f); err == nil {
			if id, ok := videoID(fq.Get("v")); ok && q.Get("v") == "" {
				return videoRef(id), true
			}
		}
		if strings.HasPrefix(f, "p/") && videoForm.MatchString(path.Base(f)) {
			return videoRef(path.Base(f)), true
		}
	}
	first := get(0)
	switch strings.ToLower(first) {
	case "watch", "watch_popup", "ytscreeningroom", "movie", "details", "", "index":
		for _, name := range []string{"v", "vi", "video_id"} {
			if id, ok := videoID(q.Get(name)); ok {
				return withComment(id, q)
			}
		}
		if id, ok := videoID(get(1)); ok && first != "" {
			return withComment(id, q)
		}
		if ids := q.Get("video_ids"); first == "" && ids != "" {
			if id, ok := videoID(ids); ok {
				return videoRef(id), true
			}
		}
		if list := q.Get("list"); strings.EqualFold(first, "watch") && listForm.MatchString(list) {
			return listRef(list), true
		}
		return none, false
	case "watch_videos":
		return none, false
	case "shorts", "live", "v", "e", "vi", "embed", "source", "video":
		if get(1) == "videoseries" && listForm.MatchString(q.Get("list")) {
			return listRef(q.Get("list")), true
		}
		if get(1) == "live_stream" && channelForm.MatchString(q.Get("channel")) {
			return channelRef(q.Get("channel")), true
		}
		if id, ok := videoID(get(1)); ok {
			return withComment(id, q)
		}
		return none, false
	case "playlist", "view_play_list", "my_playlists", "p", "course":
		list := q.Get("list")
		if list == "" {
			list = q.Get("p")
		}
		if first == "p" {
			list, _, _ = strings.Cut(get(1), "&")
		}
		if listForm.MatchString(list) {
			return listRef(list), true
		}
		if len(list) == 16 && listForm.MatchString("PL"+list) { // of before 2013, without its prefix
			return listRef("PL" + list), true
		}
		return none, false
	case "channel":
		id := get(1)
		if len(id) == 22 {
			id = "UC" + id
		}
		if !channelForm.MatchString(id) {
			return none, false
		}
		if lb := q.Get("lb"); postForm.MatchString(lb) {
			return postRef(lb), true
		}
		return channelRef(id), true
	case "user", "profile":
		name := get(1)
		if strings.EqualFold(first, "profile") {
			name = q.Get("user")
		}
		if name == "" || strings.ContainsAny(name, " <>\"/") {
			return none, false
		}
		return userRef(name), true
	case "c":
		name := get(1)
		if name == "" || strings.ContainsAny(name, " <>\"/") {
			return none, false
		}
		return customRef("c/" + name), true
	case "hashtag":
		if tag := strings.TrimSpace(get(1)); strings.Trim(tag, "#") != "" {
			return tagRef(tag), true
		}
		return none, false
	case "results", "search":
		words := q.Get("search_query")
		if words == "" {
			words = q.Get("q")
		}
		if words = strings.Join(strings.Fields(words), " "); words == "" {
			return none, false
		}
		return searchRef(words), true
	case "post":
		if postForm.MatchString(get(1)) {
			return postRef(get(1)), true
		}
		return none, false
	case "clip":
		if postForm.MatchString(get(1)) {
			return newRef(crawlers.RefShort, "clip/"+get(1), site+"/clip/"+get(1), true), true
		}
		return none, false
	case "attribution_link":
		for _, name := range []string{"u", "url"} {
			if ref, ok := unwrap(q.Get(name), depth); ok {
				return ref, true
			}
		}
		return none, false
	case "redirect", "signin", "verify_age", "verify_controversy", "das_captcha", "supported_browsers", "oops":
		for _, name := range []string{"q", "next", "next_url", "url"} {
			if ref, ok := unwrap(q.Get(name), depth); ok {
				return ref, true
			}
		}
		return none, false
	case "oembed":
		return unwrap(q.Get("url"), depth)
	case "feeds":
		switch {
		case channelForm.MatchString(q.Get("channel_id")):
			return channelRef(q.Get("channel_id")), true
		case listForm.MatchString(q.Get("playlist_id")):
			return listRef(q.Get("playlist_id")), true
		case q.Get("user") != "" && !strings.ContainsAny(q.Get("user"), " <>\"/"):
			return userRef(q.Get("user")), true
		}
		return none, false
	case "api":
		if get(1) == "timedtext" && videoForm.MatchString(q.Get("v")) {
			return videoRef(q.Get("v")), true
		}
		return none, false
	case "get_video_info":
		if videoForm.MatchString(q.Get("video_id")) {
			return videoRef(q.Get("video_id")), true
		}
		return none, false
	}
	if handle, ok := strings.CutPrefix(first, "@"); ok {
		if handle == "" || strings.ContainsAny(handle, " <>\"/@") {
			return none, false
		}
		if lb := q.Get("lb"); postForm.MatchString(lb) {
			return postRef(lb), true
		}
		return handleRef(handle), true
	}
	if vanityForm.MatchString(first) && !sitePath(strings.ToLower(first)) && (len(parts) == 1 || tabName(get(1))) {
		return customRef(first), true
	}
	return none, false
}

func tabName(s string) bool {
	switch s {
	case "videos", "shorts", "streams", "live", "playlists", "community", "posts", "about", "featured", "podcasts", "releases", "channels", "discussion", "feed", "store", "courses", "join":
		return true
	}
	return false
}

// sitePath are first path parts that are not channels.
func sitePath(name string) bool {
	switch name {
	case "about", "account", "ads", "analytics", "api", "audiolibrary", "browse", "capabilities", "categories", "channels", "charts", "comment", "creators", "creatoracademy", "create", "copyright", "csi", "dashboard", "dev", "editor", "education", "embed", "error", "explore", "favicon", "features", "feed", "fashion", "gaming", "generate204", "groups", "help", "home", "howyoutubeworks", "html5", "iframeapi", "img", "impact", "index", "intl", "jobs", "kids", "learning", "library", "live", "login", "logout", "members", "mobile", "movies", "music", "musicpremium", "myvideos", "new", "news", "opensearch", "originals", "paidmemberships", "partners", "playables", "player", "playerapi", "podcasts", "premium", "press", "primetime", "privacy", "ptracking", "purchases", "red", "reporthistory", "robots", "rss", "s", "safety", "settings", "shopping", "show", "shows", "signin", "signup", "sitemap", "sites", "sports", "static", "store", "storefront", "studio", "subscriptionmanager", "subscriptions", "supportedbrowsers", "t", "terms", "testtube", "thumbnail", "topics", "trending", "trends", "tv", "upload", "viewcount", "videos", "watchlater", "watchqueue", "xl", "yt", "yts", "youtubei", "webmanifest", "manifest":
		return true
	}
	return false
}

// matchAPI tells an address of the Data API.
func matchAPI(parts []string, q url.Values) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if len(parts) != 3 || parts[0] != "youtube" || parts[1] != "v3" {
		return none, false
	}
	one := func(name string) string { id, _, _ := strings.Cut(q.Get(name), ","); return id }
	switch parts[2] {
	case "videos":
		if id := one("id"); videoForm.MatchString(id) {
			return videoRef(id), true
		}
	case "captions", "commentThreads":
		if id := q.Get("videoId"); videoForm.MatchString(id) {
			return videoRef(id), true
		}
		if id := q.Get("allThreadsRelatedToChannelId") + q.Get("channelId"); channelForm.MatchString(id) {
			return channelRef(id), true
		}
		if id := one("id"); commentForm.MatchString(id) {
			return newRef(crawlers.RefComment, id, "https://www.googleapis.com/youtube/v3/comments?id="+id, false), true
		}
	case "comments":
		for _, name := range []string{"id", "parentId"} {
			if id := one(name); commentForm.MatchString(id) {
				return newRef(crawlers.RefComment, id, "https://www.googleapis.com/youtube/v3/comments?id="+id, false), true
			}
		}
	case "channels":
		switch {
		case channelForm.MatchString(one("id")):
			return channelRef(one("id")), true
		case q.Get("forHandle") != "":
			return handleRef(strings.TrimPrefix(q.Get("forHandle"), "@")), true
		case q.Get("forUsername") != "":
			return userRef(q.Get("forUsername")), true
		}
	case "activities":
		if channelForm.MatchString(q.Get("channelId")) {
			return channelRef(q.Get("channelId")), true
		}
	case "playlistItems":
		if listForm.MatchString(q.Get("playlistId")) {
			return listRef(q.Get("playlistId")), true
		}
	case "playlists":
		if id := one("id"); listForm.MatchString(id) {
			return listRef(id), true
		}
		if channelForm.MatchString(q.Get("channelId")) {
			return channelRef(q.Get("channelId")), true
		}
	case "search":
		if words := strings.Join(strings.Fields(q.Get("q")), " "); words != "" {
			return searchRef(words), true
		}
		if channelForm.MatchString(q.Get("channelId")) {
			return channelRef(q.Get("channelId")), true
		}
	}
	return none, false
}
