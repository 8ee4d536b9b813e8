package twitter

import (
	"maps"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// value reads a JSON document in any shape of X.
func (r *reader) value(v jsonx.Value) {
	v = unwrap(v)
	switch {
	case v.IsArray():
		r.array(v)
	case v.Get("__typename").String() == "TweetTombstone" || v.Get("__typename").String() == "TweetUnavailable":
		r.gone(v, r.single())
	case isTweet(v) || v.Get("__typename").String() == "TweetWithVisibilityResults":
		if f, ok := tweet(v, 0); ok {
			r.put(f)
		}
	case isFlat(v):
		r.flat(v)
	case isOEmbed(v):
		r.oembed(v)
	case isV2(v):
		if f, ok := shelve(v.Get("includes")).v2(v, 0); ok {
			r.put(f)
		}
	case r.v2page(v):
	default:
		if kind := v.Get("__typename").String(); kind == "User" && v.Has("rest_id") || isV2User(v) {
			r.profile(v)
			return
		}
		if p, ok := ReadCompliance(v, r.complianceKind()); ok {
			r.list = true
			r.put(found{post: p})
			return
		}
		r.walk(v, "", 0)
	}
}

func (r *reader) complianceKind() string {
	switch {
	case strings.Contains(r.url.Path, "tweet"):
		return "tweet"
	case strings.Contains(r.url.Path, "user"):
		return "user"
	}
	return ""
}

// flat keeps a flat post. The quoted post of the embed is followed by nothing
// else, so the post that was asked for stands first.
func (r *reader) flat(v jsonx.Value) {
	if f, ok := flat(v, 0); ok {
		r.put(f)
	}
}

// array reads a list of posts or users.
func (r *reader) array(v jsonx.Value) {
	if len(v.Array()) == 0 {
		return
	}
	r.list = true
	for _, x := range v.Array() {
		x = unwrap(x)
		if account := x.Get("account"); account.IsObject() && isID(account.Get("accountId").String()) {
			r.owner(account)
			continue
		}
		if f, ok := item(x); ok {
			r.put(f)
		} else if x.IsObject() {
			r.walk(x, "", 0)
		}
	}
}

// owner reads account.js of an account's own archive.
func (r *reader) owner(v jsonx.Value) {
	a := post.Account{Platform: platform, ID: v.Get("accountId").String(), Handle: v.Get("username").String(), Name: v.Get("accountDisplayName").String(), Created: moment(v.Get("createdAt"))}
	if !isHandle(a.Handle) {
		a.Handle = ""
	}
	a.URL = accountURL(a)
	p := post.Post{ID: accountID(a), Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Created: a.Created, Outcome: post.OK}
	if via := v.Get("createdVia").String(); via != "" && len(via) < 64 {
		p.Tags = []string{"created_via:" + via}
	}
	r.put(found{post: p})
}

func (r *reader) profile(v jsonx.Value) {
	if p, ok := profile(v); ok {
		r.put(found{post: p})
	}
}

// single is the number of the post that was asked for, "" where it was none.
func (r *reader) single() string {
	if s := r.step.Ref; s.Kind == crawlers.RefPost {
		return s.ID
	}
	return ""
}

// gone keeps what stands in place of a post.
func (r *reader) gone(v jsonx.Value, number string) {
	o, reason := tombstone(v)
	if !isID(number) {
		if r.page.Outcome == "" && len(r.page.Posts) == 0 {
			r.fail(o, reason)
		}
		return
	}
	r.put(found{post: post.Post{ID: number, Kind: post.KindPost, URL: postURL(number), Created: IDTime(number), Outcome: o}})
	if r.step.Ref.Kind == crawlers.RefPost && number == r.step.Ref.ID {
		r.fail(o, reason)
	}
}

// v2page reads an answer of API v2. It is false for what is none.
func (r *reader) v2page(v jsonx.Value) bool {
	data, includes := v.Get("data"), v.Get("includes")
	if !v.Has("data") && !includes.IsObject() {
		includes = v // {users, tweets, media} as a tool stores what an answer includes
		if !isV2User(v.Get("users").At(0)) && !isV2(v.Get("tweets").At(0)) {
			return false
		}
	}
	s := shelve(includes)
	list := data.Array()
	if data.IsObject() {
		list = []jsonx.Value{data}
	}
	known := v.Get("meta").Has("result_count")
	if known || data.IsArray() && len(list) > 1 {
		r.list = true
	}
	if next := v.Get("meta", "next_token"); next.IsString() {
		r.next, r.list = next.String(), true
	}
	var posts []found
	for _, x := range list {
		switch {
		case isV2(x):
			if f, ok := s.v2(x, 0); ok {
				posts = append(posts, f)
				known = true
			}
		case isV2User(x):
			r.profile(x)
			r.listPosts(x)
			known = true
		default:
			if p, ok := s.space(x); ok {
				r.put(found{post: p})
				known = true
			} else if p, ok := community(x); ok {
				r.put(found{post: p})
				known = true
			}
		}
	}
	r.putAll(s, posts)
	if len(list) == 0 && !data.Exists() && (includes.Has("users") || includes.Has("tweets")) {
		r.list = true
		for _, x := range includes.Get("tweets").Array() {
			if f, ok := s.v2(x, 0); ok {
				r.put(f)
			}
		}
		for _, x := range includes.Get("users").Array() {
			r.profile(x)
		}
		known = true
	}
	return known
}

// putAll keeps the posts of a v2 answer, behind what it includes and none of
// them refers to: older versions of edited posts.
func (r *reader) putAll(s shelf, posts []found) {
	there := map[string]bool{}
	for i := range posts {
		there[posts[i].post.ID] = true
		for _, p := range posts[i].inside {
			there[p.ID] = true
		}
	}
	var others []found
	for _, number := range slices.Sorted(maps.Keys(s.tweets)) {
		if !there[number] {
			if f, ok := s.v2(s.tweets[number], 0); ok {
				others = append(others, f)
			}
		}
	}
	if r.list {
		for _, f := range others {
			r.carry(f)
		}
	}
	for _, f := range posts {
		r.put(f)
	}
	if !r.list {
		for _, f := range others {
			r.carry(f)
		}
	}
}

// carry keeps a post that is not of the listing itself.
func (r *reader) carry(f found) {
	for _, p := range f.inside {
		r.add(p)
	}
	r.add(f.post)
	for _, a := range f.users {
		r.identity(a)
	}
}

// listPosts leads from a profile that was asked for to the account's posts.
func (r *reader) listPosts(v jsonx.Value) {
	ref := r.step.Ref
	if ref.Kind != crawlers.RefAccount || r.state.User != "" || r.step.Role != "" && r.step.Role != crawlers.RolePage && r.step.Role != crawlers.RoleResolve {
		return
	}
	number, name := id(v, "id"), strings.ToLower(v.Get("username").String())
	if number != ref.ID && name != strings.TrimPrefix(ref.ID, "@") {
		r.fail(post.LayoutChanged, "the answer is about account "+name+", not "+ref.ID)
		return
	}
	if v.Get("protected").Bool() {
		r.fail(post.Protected, "the account is protected: its posts are for its followers")
		return
	}
	r.page.Next = append(r.page.Next, crawlers.Step{Ref: ref, Route: routeAPI, Role: crawlers.RolePage, State: state{User: number}.encode()})
}

// maxDepth bounds the walk through an answer.
const maxDepth = 200

// walk finds posts and users in an answer of GraphQL, wherever they stand.
// entry is the id of the timeline's entry around v.
func (r *reader) walk(v jsonx.Value, entry string, depth int) {
	if depth > maxDepth {
		return
	}
	if v.IsArray() {
		for _, x := range v.Array() {
			r.walk(x, entry, depth+1)
		}
		return
	}
	if !v.IsObject() {
		return
	}
	if e := first(v.Get("entryId"), v.Get("entry_id")); e != "" {
		entry, r.list = e, true
		if strings.HasPrefix(strings.ToLower(strings.ReplaceAll(e, "-", "")), "whotofollow") {
			return // accounts that X suggests
		}
	}
	switch kind := v.Get("__typename").String(); {
	case kind == "TweetWithVisibilityResults" || isTweet(v):
		if f, ok := tweet(v, 0); ok {
			r.put(f, marks(entry)...)
		}
		return
	case kind == "TweetTombstone" || kind == "TweetUnavailable":
		number := entryPost(entry)
		if entry == "" {
			number = r.single()
		}
		r.gone(v, number)
		return
	case kind == "UserUnavailable":
		if r.page.Outcome == "" {
			o := saying(first(v.Get("reason"), v.Get("message")))
			if o == "" {
				o = post.Unavailable
			}
			r.fail(o, strings.TrimSpace(v.Get("reason").String()+": "+v.Get("message").String()))
		}
		return
	case kind == "User" && v.Has("rest_id") && (v.Has("legacy") || v.Has("core")):
		r.profile(v)
		return
	case isFlat(v):
		r.flat(v)
		return
	}
	if n := id(v, "rest_id"); n != "" && v.Get("result", "__typename").String() == "UserUnavailable" {
		r.walk(v.Get("result"), entry, depth+1)
		r.add(post.Post{ID: "user:" + n, Kind: post.KindAccount, URL: web + "/i/user/" + n, Account: post.Account{Platform: platform, ID: n, URL: web + "/i/user/" + n}, Outcome: r.page.Outcome})
		return
	}
	if t := v.Get("promotedMetadata"); t.IsObject() {
		entry = "promoted-" + entry
	}
	if c := v.Get("cursorType").String(); c != "" && c != "Top" {
		r.list, r.cursor = true, true
	}
	if v.Get("type").String() == "TimelinePinEntry" {
		entry = "pinned-"
	}
	for _, k := range v.Keys() {
		if x := v.Get(k); x.IsObject() || x.IsArray() {
			if k == "entry" && entry == "pinned-" {
				r.pinned(x, depth+1)
				continue
			}
			r.walk(x, entry, depth+1)
		}
	}
}

// pinned reads the entry that stands at the top out of its time.
func (r *reader) pinned(v jsonx.Value, depth int) {
	before := len(r.page.Posts)
	oldest := r.page.Coverage.Oldest
	r.walk(v, "", depth)
	r.page.Coverage.Oldest = oldest
	if n := len(r.page.Posts); n > before {
		r.page.Posts[n-1].Tags = add(r.page.Posts[n-1].Tags, "pinned")
	}
}

func marks(entry string) []string {
	if strings.HasPrefix(entry, "promoted") {
		return []string{"promoted"}
	}
	return nil
}

// entryPost is the number of the post that an entry stands for: "tweet-123",
// "conversationthread-9-tweet-123".
func entryPost(entry string) string {
	i := strings.LastIndex(entry, "tweet-")
	if i < 0 {
		return ""
	}
	return entry[i+len("tweet-"):]
}
