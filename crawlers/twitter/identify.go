package twitter

import (
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// Identify reports whom an exchange is about: by its address, and, where that
// does not tell, by the posts and accounts that the answer holds.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Ref{}, false
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case host == "" && u.Path == "" && u.Opaque == "":
		return identifyBody(ex)
	case host == "api.x.com" || host == "api.twitter.com":
		if r, ok := identifyAPI(u); ok {
			return r, true
		}
	case host == "cdn.syndication.twimg.com" || host == "syndication.twimg.com" || host == "syndication.twitter.com" || host == "syndication.x.com":
		if n := u.Query().Get("id"); isID(n) {
			return postRef(n, ""), true
		}
		segs := segments(u.Path)
		if n := len(segs); n > 1 && segs[n-2] == "screen-name" && isHandle(segs[n-1]) {
			return handleRef(segs[n-1]), true
		}
	case host == "publish.x.com" || host == "publish.twitter.com" || (isSite(host) || host == "api.twitter.com") && strings.Contains(u.Path, "/oembed"):
		if r, ok := c.matchRaw(u.Query().Get("url")); ok {
			return r, true
		}
		if n := u.Query().Get("id"); isID(n) {
			return postRef(n, ""), true
		}
	case isSite(host) && strings.HasPrefix(u.Path, "/i/api/"):
		if r, ok := identifyGraphQL(u); ok {
			return r, true
		}
	case isSite(host), host == "t.co", host == "pic.x.com", host == "pic.twitter.com", host == "platform.twitter.com", host == "platform.x.com":
		return c.Match(u)
	default:
		return crawlers.Ref{}, false
	}
	if r, ok := identifyBody(ex); ok {
		return r, true
	}
	// An answer of X whose kind is not known, a refusal for example.
	return ref(crawlers.RefPage, u.Path, "https://"+host+u.EscapedPath()), u.Path != "" && u.Path != "/"
}

// identifyAPI reads addresses of API v2 and v1.1.
func identifyAPI(u *url.URL) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	segs := segments(u.Path)
	q := u.Query()
	if len(segs) < 2 {
		return none, false
	}
	switch {
	case segs[0] == "2" && segs[1] == "tweets":
		if len(segs) == 2 {
			if n := q.Get("ids"); isID(n) {
				return postRef(n, ""), true
			}
			return none, false
		}
		switch segs[2] {
		case "search", "counts":
			return queryRef(q.Get("query"))
		}
		if isID(segs[2]) && len(segs) == 3 {
			return postRef(segs[2], ""), true
		}
	case segs[0] == "2" && segs[1] == "users" && len(segs) > 2:
		switch {
		case segs[2] == "by" && len(segs) > 4 && isHandle(segs[4]):
			return handleRef(segs[4]), true
		case isID(segs[2]):
			return userRef(segs[2]), true
		}
	case segs[0] == "2" && len(segs) > 2 && segs[1] == "lists" && isID(segs[2]):
		return ref(crawlers.RefBoard, segs[2], web+"/i/lists/"+segs[2]), true
	case segs[0] == "2" && len(segs) > 2 && segs[1] == "communities" && isID(segs[2]):
		return ref(crawlers.RefGroup, segs[2], web+"/i/communities/"+segs[2]), true
	case segs[0] == "2" && len(segs) > 2 && segs[1] == "spaces" && isCode(segs[2]) && segs[2] != "by" && segs[2] != "search":
		return ref(crawlers.RefMedia, "space/"+segs[2], web+"/i/spaces/"+segs[2]), true
	case segs[0] == "1.1":
		if n := q.Get("id"); strings.HasPrefix(u.Path, "/1.1/statuses/show") && isID(n) {
			return postRef(n, ""), true
		}
		if n := q.Get("user_id"); isID(n) {
			return userRef(n), true
		}
		if s := q.Get("screen_name"); isHandle(s) {
			return handleRef(s), true
		}
		if strings.Contains(u.Path, "/search/") {
			return queryRef(q.Get("q"))
		}
	}
	return none, false
}

// queryRef names a search: by its hashtag, conversation or words.
func queryRef(query string) (crawlers.Ref, bool) {
	query = strings.TrimSpace(query)
	if query == "" {
		return crawlers.Ref{}, false
	}
	if tag, ok := strings.CutPrefix(query, "#"); ok && tag != "" && !strings.ContainsAny(tag, " #@:\"()") {
		return tagRef(tag), true
	}
	return searchRef(query), true
}

// identifyGraphQL reads the variables of a request of the web client.
func identifyGraphQL(u *url.URL) (crawlers.Ref, bool) {
	raw := u.Query().Get("variables")
	if raw == "" || len(raw) > 1<<16 {
		return crawlers.Ref{}, false
	}
	v, err := jsonx.Parse([]byte(raw))
	if err != nil {
		return crawlers.Ref{}, false
	}
	if n := id(v, "focalTweetId", "tweetId", "tweet_id"); n != "" {
		return postRef(n, ""), true
	}
	if n := id(v, "userId", "rest_id"); n != "" {
		return userRef(n), true
	}
	if s := first(v.Get("screen_name"), v.Get("screenName")); isHandle(s) {
		return handleRef(s), true
	}
	if n := id(v, "listId"); n != "" {
		return ref(crawlers.RefBoard, n, web+"/i/lists/"+n), true
	}
	return queryRef(v.Get("rawQuery").String())
}

// identifyBody tells from the content alone: one post or account names itself, a
// listing what all its posts have in common.
func identifyBody(ex crawlers.Exchange) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if ex.Status >= 400 {
		return none, false
	}
	r := newReader()
	body := trim(ex.Body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' && body[0] != 'w' && body[0] != 'G' {
		return none, false
	}
	docs, _ := documents(ex.Body)
	for i, v := range docs {
		if i >= 20 {
			break // enough to know whose lines these are
		}
		if !plainUser(v) {
			r.value(v)
		}
	}
	if len(docs) > 1 {
		r.list = true
	}
	if len(r.page.Posts) == 0 {
		return oddBody(docs)
	}
	return commonRef(r)
}

// plainUser reports whether v is a user that could be of another platform too:
// id, name and username, and nothing that only X has.
func plainUser(v jsonx.Value) bool {
	if data := v.Get("data"); data.IsObject() {
		v = data
	}
	return isV2User(v) && !v.Has("public_metrics") && !v.Has("verified_type") && !v.Has("pinned_tweet_id") && !strings.Contains(v.Get("profile_image_url").String(), "twimg.com")
}

// oddBody knows answers of X without content by words that nobody else uses.
func oddBody(docs []jsonx.Value) (crawlers.Ref, bool) {
	for _, v := range docs {
		switch kind := v.Get("__typename").String(); {
		case kind == "TweetTombstone", kind == "TweetUnavailable":
			return ref(crawlers.RefPage, "tombstone", web+"/"), true
		case v.Get("data", "user", "result", "__typename").String() == "UserUnavailable":
			if n := id(v.Get("data", "user"), "rest_id"); n != "" {
				return userRef(n), true
			}
			return ref(crawlers.RefPage, "account", web+"/"), true
		case v.Get("data", "tweetResult").IsObject():
			return ref(crawlers.RefPage, "tweetResult", web+"/"), true
		case v.Get("meta").Has("result_count"):
			return ref(crawlers.RefPage, "listing", web+"/"), true
		}
		if e := v.Get("errors").At(0); isProblem(e.Get("type").String()) {
			return ref(crawlers.RefPage, "error", web+"/"), true
		}
		if isProblem(v.Get("type").String()) {
			return ref(crawlers.RefPage, "error", web+"/"), true
		}
	}
	return crawlers.Ref{}, false
}

func isProblem(address string) bool {
	return strings.Contains(address, "api.twitter.com/2/problems/") || strings.Contains(address, "api.x.com/2/problems/")
}

func commonRef(r *reader) (crawlers.Ref, bool) {
	posts := r.page.Posts
	if !r.list {
		return refOf(&posts[0])
	}
	if r.listed == 1 {
		return refOf(&posts[len(posts)-1])
	}
	author, handle := "", ""
	for i := range posts {
		p := &posts[i]
		if carried(posts, p) {
			continue
		}
		if author == "" && handle == "" {
			author, handle = p.Account.ID, p.Account.Handle
		}
		if p.Account.ID != author || author == "" {
			return ref(crawlers.RefSite, "posts", web+"/"), true
		}
	}
	if author != "" {
		return userRef(author), true
	}
	return ref(crawlers.RefSite, "posts", web+"/"), true
}

// carried reports whether another post on the page quotes or repeats p.
func carried(posts []post.Post, p *post.Post) bool {
	for i := range posts {
		for _, r := range posts[i].Refs {
			if r.ID == p.ID && posts[i].ID != p.ID && r.Role != post.RoleReplyTo {
				return true
			}
		}
	}
	return false
}

func refOf(p *post.Post) (crawlers.Ref, bool) {
	if n, ok := strings.CutPrefix(p.ID, "space:"); ok {
		return ref(crawlers.RefMedia, "space/"+n, p.URL), true
	}
	if n, ok := strings.CutPrefix(p.ID, "community:"); ok {
		return ref(crawlers.RefGroup, n, p.URL), true
	}
	if p.Kind == post.KindAccount {
		if p.Account.ID != "" {
			return userRef(p.Account.ID), true
		}
		return handleRef(p.Account.Handle), true
	}
	return postRef(p.ID, p.Account.Handle), true
}
