package tiktok

import (
	"maps"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// html reads a page of the site or an embed, of any time.
func (r *reader) html() {
	s := findSources(r.ex.Body)
	if s.none() {
		if o, reason := wall(r.ex); o != "" {
			r.fail(o, reason)
			return
		}
		if o, reason := crawlers.Classify(r.ex); o != "" {
			r.fail(o, reason)
			return
		}
		if r.embedMarkup() {
			r.finish("")
			return
		}
		if to := meta(r.ex.Body); to != "" && r.step.Ref.Kind == crawlers.RefShort {
			r.ex.Header = crawlers.Header{"Location": {to}}
			r.redirect()
			return
		}
		r.fail(post.LayoutChanged, "a page without data and without a sign of a wall")
		return
	}
	switch {
	case s.universal != nil:
		r.universal(s.universal)
	case s.sigi != nil:
		r.sigi(s.sigi)
	case s.next != nil:
		r.pageProps(parse(members(members(s.next)["props"])["pageProps"]))
	case s.initial != nil:
		if v, err := jsonx.Parse(s.initial); err == nil {
			for _, k := range v.Keys() {
				r.pageProps(v.Get(k))
			}
		}
	}
	if s.embed != nil && len(r.page.Posts) == 0 {
		if v, err := jsonx.Parse(s.embed); err == nil {
			r.known = r.embed(v) || r.known
		}
	}
	if len(r.page.Posts) == 0 && r.page.Outcome == "" {
		r.embedMarkup()
	}
	if len(r.page.Posts) == 0 && r.page.Outcome == "" {
		if o, reason := wall(r.ex); o != "" {
			r.fail(o, reason)
			return
		}
	}
	r.finish("the page's data holds no post and no account")
}

// meta is where a page sends its reader on.
func meta(page []byte) string {
	e, ok := pagescan.First(page[:min(len(page), 64<<10)], func(tag string, a pagescan.Attrs) bool {
		return tag == "link" && strings.EqualFold(a.Get("rel"), "canonical") || tag == "meta" && strings.EqualFold(a.Get("http-equiv"), "refresh")
	})
	if !ok {
		return ""
	}
	if href := e.Attrs.Get("href"); href != "" {
		return href
	}
	_, to, _ := strings.Cut(strings.ToLower(e.Attrs.Get("content")), "url=")
	return strings.Trim(to, `"' `)
}

// universal reads the data of pages since 2023.
func (r *reader) universal(data []byte) {
	scope := members(data)
	if inner := scope["__DEFAULT_SCOPE__"]; inner != nil {
		scope = members(inner)
	}
	for _, key := range []string{"webapp.video-detail", "webapp.reflow.video.detail", "webapp.photo-detail"} {
		detail := parse(scope[key])
		if !detail.IsObject() {
			continue
		}
		r.code(detail.Get("statusCode").String(), detail.Get("statusMsg").String())
		for _, keys := range [][]string{{"itemInfo", "itemStruct"}, {"videoDetail", "itemInfo", "itemStruct"}, {"itemStruct"}} {
			if x := detail.Get(keys...); isItem(x) {
				if f, ok := item(x); ok {
					r.shown(f)
				}
				r.comments(x.Get("comments"))
			}
		}
	}
	if detail := parse(scope["webapp.user-detail"]); detail.IsObject() {
		r.userDetail(detail)
	}
	if len(r.page.Posts) == 0 {
		for _, key := range []string{"webapp.reflow.user.detail", "webapp.challenge-detail", "webapp.music-detail"} {
			if v := parse(scope[key]); v.IsObject() {
				r.code(v.Get("statusCode").String(), v.Get("statusMsg").String())
				r.walk(v, 0)
			}
		}
	}
}

// shown keeps a post that a page shows. A code beside it is not about it: a
// private flag can be wrong.
func (r *reader) shown(f found) {
	if r.page.Outcome.Scope() == post.ScopeTarget && f.post.Outcome == post.OK && len(f.post.Media) > 0 {
		r.page.Outcome, r.page.Reason, r.page.Next = "", "", nil
	}
	r.put(f)
}

// userDetail reads a profile. Its counts stand there rounded and exact.
func (r *reader) userDetail(v jsonx.Value) {
	info := v.Get("userInfo")
	code, words := v.Get("statusCode").String(), v.Get("statusMsg").String()
	p, ok := profile(info.Get("user"), info.Get("statsV2"), info.Get("stats"))
	if !ok {
		r.code(code, words)
		return
	}
	r.list = true
	r.add(p)
	r.identity(p.Account, secUID(info.Get("user")))
	r.total(p.Counts, "posts")
	for _, x := range info.Get("itemList").Array() {
		if f, ok := read(unwrap(x)); ok {
			r.put(f)
		}
	}
	if info.Get("user", "privateAccount").Bool() {
		r.fail(post.Private, "the account is private")
	}
	if r.listed == 0 {
		r.page.Coverage.Window = true
		r.page.Coverage.End = "profile pages carry no posts; routes embed and api list them"
	}
}

// sigi reads the data of pages of 2021 to 2023.
func (r *reader) sigi(data []byte) {
	parts := members(data)
	items, users, lists := parse(parts["ItemModule"]), parse(parts["UserModule"]), parse(parts["ItemList"])
	for _, key := range []string{"VideoPage", "UserPage", "MobileUserPage", "MobileVideoPage", "ChallengePage", "MusicPage"} {
		v := parse(parts[key])
		r.code(v.Get("statusCode").String(), v.Get("statusMsg").String())
	}
	var accounts []post.Post
	for _, handle := range users.Get("users").Keys() {
		u := users.Get("users", handle)
		if p, ok := profile(u, users.Get("statsV2", handle), users.Get("stats", handle)); ok {
			accounts = append(accounts, p)
			r.identity(p.Account, secUID(u))
		}
	}
	order := r.sigiOrder(items, lists)
	r.list = len(order) > 1 || r.step.Ref.Kind != crawlers.RefPost
	for _, p := range accounts {
		// A page of one video carries the author's profile too.
		if r.step.Ref.Kind == crawlers.RefAccount && strings.EqualFold(p.Account.Handle, r.step.Ref.ID) {
			r.total(p.Counts, "posts")
		}
		r.add(p)
	}
	for _, id := range order {
		if f, ok := read(items.Get(id)); ok {
			r.shown(f)
		}
	}
	comments := parse(parts["CommentItem"])
	for _, id := range comments.Keys() {
		if f, ok := comment(comments.Get(id)); ok {
			r.put(f)
		}
	}
	for _, key := range lists.Keys() {
		r.more = r.more || lists.Get(key, "hasMore").Bool() && len(lists.Get(key, "list").Array()) > 0
	}
	if r.more {
		r.page.Coverage.Window = true
	}
}

// sigiOrder gives the posts of a page in the order of its lists; those that no
// list names come first.
func (r *reader) sigiOrder(items, lists jsonx.Value) []string {
	left := map[string]bool{}
	for _, id := range items.Keys() {
		left[id] = true
	}
	var listed []string
	keys := lists.Keys()
	slices.SortStableFunc(keys, func(a, b string) int { // the account's own posts before others
		return strings.Compare(map[bool]string{true: "0", false: "1"}[a == "user-post"], map[bool]string{true: "0", false: "1"}[b == "user-post"])
	})
	for _, key := range keys {
		for _, x := range lists.Get(key, "list").Array() {
			if id := x.String(); left[id] {
				delete(left, id)
				listed = append(listed, id)
			}
		}
	}
	return append(slices.Sorted(maps.Keys(left)), listed...)
}

// pageProps reads the data of pages of 2019 and 2020.
func (r *reader) pageProps(v jsonx.Value) {
	code := first(v.Get("statusCode"))
	r.code(code, v.Get("statusMsg").String())
	if info := v.Get("userInfo"); info.IsObject() {
		if p, ok := profile(info.Get("user"), info.Get("statsV2"), info.Get("stats")); ok {
			r.list = true
			r.add(p)
			r.identity(p.Account, secUID(info.Get("user")))
			r.total(p.Counts, "posts")
		}
	} else if user := v.Get("userData"); user.IsObject() { // 2019
		if p, ok := profile(user); ok {
			r.list = true
			r.add(p)
			r.identity(p.Account, secUID(user))
		}
	}
	for _, x := range []jsonx.Value{v.Get("itemInfo", "itemStruct"), v.Get("videoObject")} {
		if isItem(x) {
			if f, ok := item(x); ok {
				r.shown(f)
			}
		}
	}
	if x := v.Get("videoData"); isVideoData(x) {
		if f, ok := videoData(x); ok {
			r.shown(f)
		}
	}
	if items := v.Get("items"); items.IsArray() && len(items.Array()) > 0 {
		r.list, r.more = true, true
		for _, x := range items.Array() {
			if f, ok := read(unwrap(x)); ok {
				r.put(f)
			}
		}
	}
	for i := range r.page.Posts {
		suspectViews(&r.page.Posts[i])
	}
}

// suspectViews marks counts of views of 2020 that were served wrong: they repeat
// the number of comments, below the likes.
func suspectViews(p *post.Post) {
	by := map[string]*post.Count{}
	for i := range p.Counts {
		by[p.Counts[i].Name] = &p.Counts[i]
	}
	views, comments, likes := by["views"], by["comments"], by["likes"]
	if views != nil && comments != nil && likes != nil && views.Value == comments.Value && views.Value < likes.Value {
		views.Precision = post.PrecisionUnknown
	}
}

// comments reads comments that a page carries beside its post.
func (r *reader) comments(v jsonx.Value) {
	for _, x := range v.Array() {
		if f, ok := comment(x); ok {
			r.put(f)
		}
	}
}

const maxDepth = 100

// walk finds posts, comments and accounts in an answer of the site's own
// interfaces, wherever they stand.
func (r *reader) walk(v jsonx.Value, depth int) {
	if depth > maxDepth {
		return
	}
	if v.IsArray() {
		for _, x := range v.Array() {
			r.walk(x, depth+1)
		}
		return
	}
	if !v.IsObject() {
		return
	}
	for _, key := range []string{"itemList", "item_list", "aweme_list", "comments", "items"} {
		if v.Get(key).IsArray() {
			r.list, r.known = true, true
		}
	}
	if depth == 0 {
		r.more = v.Get("hasMore").Bool() || v.Get("has_more").Bool()
		if n, ok := v.Get("has_more").Int(); ok && n == 1 {
			r.more = true
		}
		if n, ok := v.Get("total").Int(); ok && n > 0 && v.Get("comments").IsArray() {
			r.page.Coverage.Known, r.page.Coverage.Total = true, n
		}
	}
	if f, ok := read(v); ok {
		r.put(f)
		if replies := v.Get("reply_comment"); replies.IsArray() {
			r.comments(replies)
		}
		return
	}
	if isVideoData(v) {
		if f, ok := videoData(v); ok {
			r.put(f)
		}
		return
	}
	if user := v.Get("user"); v.Has("stats") && user.IsObject() {
		if p, ok := profile(user, v.Get("statsV2"), v.Get("stats")); ok {
			r.add(p)
			r.identity(p.Account, secUID(user))
		}
	}
	for _, k := range v.Keys() {
		if x := v.Get(k); x.IsObject() || x.IsArray() {
			r.walk(x, depth+1)
		}
	}
}
