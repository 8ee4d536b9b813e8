package tiktok

import (
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// isVideoData reports whether v is a post as embeds, and pages of 2020, have it.
func isVideoData(v jsonx.Value) bool { return isID(v.Get("itemInfos", "id").String()) }

// videoData reads a post of an embed.
func videoData(v jsonx.Value) (found, bool) {
	info := v.Get("itemInfos")
	id := number(info.Get("id"))
	f := found{post: post.Post{ID: id, Kind: post.KindVideo, Text: info.Get("text").String(), Created: created(id, info.Get("createTime")), Outcome: post.OK}}
	p := &f.post
	author := v.Get("authorInfos")
	if a, ok := accountOf(author, v.Get("authorStats")); ok {
		p.Account, f.secUID = a, secUID(author)
	} else if n := number(info.Get("authorId")); n != "" {
		p.Account = post.Account{Platform: platform, ID: n}
	}
	for _, c := range []struct{ name, key string }{
		{"likes", "diggCount"}, {"comments", "commentCount"}, {"shares", "shareCount"}, {"views", "playCount"}, {"saves", "collectCount"},
	} {
		p.Counts = count(p.Counts, c.name, false, info.Get(c.key))
	}
	f.textExtra(v.Get("textExtra"), p.Text)
	if len(p.Hashtags) == 0 {
		for _, c := range v.Get("challengeInfoList").Array() {
			f.hashtag(c.Get("challengeName").String())
		}
	}
	if len(p.Hashtags) == 0 {
		f.captionTags()
	}
	f.images(v.Get("imagePostInfo"))
	if p.Kind == post.KindVideo {
		meta := info.Get("video", "videoMeta")
		m := post.Media{Kind: post.MediaVideo, Alt: onScreen(info), Width: size(meta.Get("width")), Height: size(meta.Get("height")), Duration: length(meta.Get("duration"))}
		m.URL, _ = link(info.Get("video", "urls").At(0).String())
		f.show(m)
		for _, list := range []jsonx.Value{info.Get("coversOrigin"), info.Get("covers")} {
			if s, ok := link(list.At(0).String()); ok {
				f.show(post.Media{Kind: post.MediaImage, URL: s, Alt: stillAlt(m, onScreen(info))})
				break
			}
		}
	}
	f.itemTags(info)
	music := v.Get("musicInfos")
	f.sound(music)
	if !music.IsObject() {
		f.sound(info)
	}
	p.URL = postURL(id, p.Account.Handle, p.Kind == post.KindImage)
	return f, true
}

// listItem reads a row of an embedded list: no time, one count.
func listItem(v jsonx.Value, owner post.Account) (found, bool) {
	id := number(v.Get("id"))
	if id == "" {
		return found{}, false
	}
	f := found{post: post.Post{ID: id, Kind: post.KindVideo, Text: v.Get("desc").String(), Created: created(id, v.Get("createTime")), Account: owner, Outcome: post.OK}}
	p := &f.post
	if handle := v.Get("authorUniqueId").String(); isHandle(handle) && !strings.EqualFold(handle, owner.Handle) {
		p.Account = post.Account{Platform: platform, Handle: handle, URL: web + "/@" + handle}
	}
	p.Counts = count(p.Counts, "views", false, v.Get("playCount"))
	f.captionTags()
	m := post.Media{Kind: post.MediaVideo, Width: size(v.Get("width")), Height: size(v.Get("height"))}
	m.URL, _ = link(v.Get("playAddr").String())
	f.show(m)
	for _, x := range []jsonx.Value{v.Get("originCoverUrl"), v.Get("coverUrl")} {
		if s, ok := link(x.String()); ok {
			f.show(post.Media{Kind: post.MediaImage, URL: s})
			break
		}
	}
	if v.Get("privateItem").Bool() {
		p.Tags = add(p.Tags, "private")
	}
	p.URL = postURL(id, p.Account.Handle, false)
	return f, true
}

// embed reads the data of an embed: of one post, an account, a hashtag, a sound.
// It is false where the data holds none of these.
func (r *reader) embed(v jsonx.Value) bool {
	known := false
	data := v.Get("source", "data")
	for _, key := range data.Keys() {
		x := data.Get(key)
		if !x.IsObject() {
			continue
		}
		switch {
		case x.Get("isError").Bool():
			known = true
			r.code(first(x.Get("errorCode"), x.Get("customErrorCode")), first(x.Get("errorMsg"), x.Get("statusMsg")))
		case isVideoData(x.Get("videoData")):
			known = true
			if f, ok := videoData(x.Get("videoData")); ok {
				r.put(f)
			}
		case x.Has("videoList") || x.Get("userInfo").IsObject() || x.Get("embedInfo").IsObject():
			known = true
			r.embedList(x)
		}
	}
	return known
}

// embedList reads an account, hashtag or sound with its newest videos.
func (r *reader) embedList(v jsonx.Value) {
	r.list = true
	var owner post.Account
	if user := v.Get("userInfo"); user.IsObject() {
		if c, ok := first0(user.Get("code"), user.Get("customErrorCode")); ok && c != 0 {
			r.code(first(user.Get("customErrorCode"), user.Get("code")), "")
		}
		if p, ok := profile(user); ok {
			owner = p.Account
			r.add(p)
			r.identity(p.Account, secUID(user))
			r.total(p.Counts, "posts")
			if user.Get("privateAccount").Bool() {
				r.fail(post.Private, "the account is private")
			}
		}
	}
	info := v.Get("embedInfo")
	if n, ok := info.Get("videoCount").Int(); ok && n > 0 {
		r.page.Coverage.Known, r.page.Coverage.Total = true, n
	}
	if c, ok := first0(info.Get("statusCode"), info.Get("code")); ok && c != 0 {
		r.code(first(info.Get("statusCode"), info.Get("code")), "")
	}
	for _, x := range v.Get("videoList").Array() {
		if f, ok := listItem(x, owner); ok {
			r.put(f)
			r.hydrate(f.post.ID, f.post.Account.Handle)
		}
	}
	r.page.Coverage.Window = true
	r.page.Coverage.End = "the embed shows the newest videos only"
	if r.listed == 0 {
		r.page.Coverage.End = "the embed shows no videos: the account is private, has none, or does not allow embeds"
	}
}

func first0(values ...jsonx.Value) (int64, bool) {
	for _, v := range values {
		if n, ok := v.Int(); ok && n != 0 {
			return n, true
		}
	}
	return 0, false
}

// embedMarkup reads the list of an embed from its elements, where its data is
// not there: ids only.
func (r *reader) embedMarkup() bool {
	boxes := pagescan.Find(r.ex.Body, func(tag string, a pagescan.Attrs) bool {
		return a.Get("data-e2e") == "common-videoList-VideoContainer"
	})
	for _, b := range boxes {
		a, ok := pagescan.First(b.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "a" && a.Get("href") != "" })
		if !ok {
			continue
		}
		target, ok := Collector{}.matchRaw(a.Attrs.Get("href"))
		if !ok || target.Kind != crawlers.RefPost {
			continue
		}
		r.list = true
		f := found{post: post.Post{ID: target.ID, Kind: post.KindVideo, Created: IDTime(target.ID), URL: postURL(target.ID, target.Of, false), Outcome: post.OKMetaOnly}}
		if isHandle(target.Of) {
			f.post.Account = post.Account{Platform: platform, Handle: target.Of, URL: web + "/@" + target.Of}
		}
		if n, ok := pagescan.First(b.Inner, func(tag string, a pagescan.Attrs) bool { return a.Get("data-e2e") == "common-Video-Count" }); ok {
			f.post.Counts = abbreviated(f.post.Counts, "views", n.Text())
		}
		r.put(f)
		r.hydrate(target.ID, target.Of)
	}
	if r.list {
		r.page.Coverage.Window, r.page.Coverage.End = true, "the embed shows the newest videos only"
	}
	return r.list
}

var shortNumber = regexp.MustCompile(`^([0-9]{1,6})(?:\.([0-9]))?([KMB]?)$`)

// abbreviated adds a count as TikTok shortens it: "1050", "25.5K", "3.9M".
func abbreviated(list []post.Count, name, s string) []post.Count {
	m := shortNumber.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return list
	}
	n := int64(0)
	for _, c := range m[1] {
		n = n*10 + int64(c-'0')
	}
	if m[3] == "" {
		if m[2] != "" {
			return list
		}
		return append(list, post.ExactCount(name, n))
	}
	unit := map[string]int64{"K": 1e3, "M": 1e6, "B": 1e9}[m[3]]
	n *= unit
	if m[2] != "" {
		n += int64(m[2][0]-'0') * unit / 10
	}
	return append(list, post.RoundedCount(name, n))
}

var (
	citedID  = regexp.MustCompile(`data-video-id="(\d{5,20})"`)
	soundID  = regexp.MustCompile(`/music/[^"?]*?-?(\d{5,20})[?"]`)
	soundHas = regexp.MustCompile(`title="♬ ([^"]*)"`)
)

// isOEmbed reports whether v is an answer of oEmbed of TikTok.
func isOEmbed(v jsonx.Value) bool {
	return v.Get("html").IsString() && strings.EqualFold(v.Get("provider_name").String(), platform)
}

// oembed reads caption, author and still. The time is what the id says.
func (r *reader) oembed(v jsonx.Value) {
	quote := v.Get("html").String()
	id := number(v.Get("embed_product_id"))
	if m := citedID.FindStringSubmatch(quote); id == "" && m != nil {
		id = m[1]
	}
	handle := v.Get("author_unique_id").String()
	if !isHandle(handle) {
		handle = v.Get("author_url").String()
		handle = strings.TrimPrefix(handle[strings.LastIndexByte(handle, '/')+1:], "@")
		handle, _, _ = strings.Cut(handle, "?")
	}
	a := post.Account{Platform: platform, Name: v.Get("author_name").String()}
	if isHandle(handle) {
		a.Handle, a.URL = handle, web+"/@"+handle
	}
	if id == "" {
		if a.Handle != "" { // of a profile
			r.add(post.Post{ID: accountID(a), Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Outcome: post.OKMetaOnly})
		}
		return
	}
	f := found{post: post.Post{ID: id, Kind: post.KindVideo, Text: v.Get("title").String(), Created: IDTime(id), Account: a, Outcome: post.OK}}
	p := &f.post
	photo := v.Get("embed_type").String() == "photo" || strings.Contains(quote, "/photo/"+id)
	if photo {
		p.Kind = post.KindImage
	}
	body, _ := pagescan.First([]byte(quote), func(tag string, a pagescan.Attrs) bool { return tag == "p" })
	for _, x := range pagescan.Find(body.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "a" }) {
		title := strings.ToValidUTF8(x.Attrs.Get("title"), "")
		if name, ok := strings.CutPrefix(title, "@"); ok {
			if isHandle(name) {
				p.Mentions = add(p.Mentions, name)
			}
		} else if strings.Contains(x.Attrs.Get("href"), "/tag/") {
			f.hashtag(title)
		}
	}
	if s, ok := link(v.Get("thumbnail_url").String()); ok {
		f.show(post.Media{Kind: post.MediaImage, URL: s, Width: size(v.Get("thumbnail_width")), Height: size(v.Get("thumbnail_height"))})
	}
	if m := soundID.FindStringSubmatch(quote); m != nil {
		p.Tags = add(p.Tags, "sound:"+m[1])
	}
	if m := soundHas.FindStringSubmatch(quote); m != nil {
		p.Tags = add(p.Tags, "sound_title:"+strings.ToValidUTF8(pagescan.Text([]byte(m[1])), ""))
	}
	p.URL = postURL(id, a.Handle, photo)
	r.put(f)
}
