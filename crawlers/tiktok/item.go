package tiktok

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// ReadItem reads one post or comment as it stands alone in an export or capture:
// the site's itemStruct (also as item of an item list, and in a Zeeschuimer
// line), an item of SIGI_STATE, the application's aweme, a video or comment of
// the Research API, a comment of the site. It gives false for anything else.
// Platform and Outcome are set; FetchedAt, Capture and Reader are the caller's.
func ReadItem(raw []byte) (post.Post, bool) {
	v, err := jsonx.Parse(raw)
	if err != nil {
		return post.Post{}, false
	}
	return ReadValue(v)
}

// ReadValue is ReadItem of JSON that is parsed already.
func ReadValue(v jsonx.Value) (post.Post, bool) {
	v = unwrap(v)
	f, ok := read(v)
	f.post.Platform = platform
	return f.post, ok
}

// unwrap takes an item out of what tools and interfaces put around it.
func unwrap(v jsonx.Value) jsonx.Value {
	if v.Has("item_id") && v.Get("data").IsObject() && v.Get("source_platform").IsString() {
		v = v.Get("data") // Zeeschuimer
	}
	for _, keys := range [][]string{{"itemInfo", "itemStruct"}, {"itemStruct"}, {"item"}, {"aweme_detail"}, {"aweme_info"}} {
		if x := v.Get(keys...); isItem(x) || isAweme(x) {
			return x
		}
	}
	return v
}

// A found post, with its account's second id.
type found struct {
	post   post.Post
	secUID string
}

// read reads a post or comment in any shape.
func read(v jsonx.Value) (found, bool) {
	switch {
	case isComment(v):
		return comment(v)
	case isItem(v):
		return item(v)
	case isAweme(v):
		return aweme(v)
	case isResearchVideo(v):
		return researchVideo(v)
	case isResearchComment(v):
		return researchComment(v)
	}
	return found{}, false
}

// isItem reports whether v is a post as the site has it.
func isItem(v jsonx.Value) bool {
	return isID(v.Get("id").String()) && v.Has("desc") && (v.Has("author") || v.Has("stats") || v.Has("statsV2")) && (v.Has("createTime") || v.Has("video") || v.Has("imagePost"))
}

// item reads a post as the site has it.
func item(v jsonx.Value) (found, bool) {
	id := number(v.Get("id"))
	f := found{post: post.Post{ID: id, Kind: post.KindVideo, Text: v.Get("desc").String(), Created: created(id, v.Get("createTime")), Outcome: post.OK}}
	p := &f.post
	if p.Text == "" {
		var parts []string
		for _, c := range v.Get("contents").Array() {
			if s := c.Get("desc").String(); s != "" {
				parts = append(parts, s)
			}
		}
		p.Text = strings.Join(parts, "\n")
	}
	f.author(v)
	stats, exact := v.Get("stats"), v.Get("statsV2")
	for _, c := range []struct{ name, key string }{
		{"likes", "diggCount"}, {"comments", "commentCount"}, {"shares", "shareCount"}, {"views", "playCount"}, {"saves", "collectCount"}, {"reposts", "repostCount"},
	} {
		p.Counts = count(p.Counts, c.name, false, exact.Get(c.key), stats.Get(c.key))
	}
	f.textExtra(v.Get("textExtra"), v.Get("desc").String())
	for _, c := range v.Get("contents").Array() {
		f.textExtra(c.Get("textExtra"), c.Get("desc").String())
	}
	if len(p.Hashtags) == 0 {
		for _, c := range v.Get("challenges").Array() {
			f.hashtag(c.Get("title").String())
		}
	}
	f.images(v.Get("imagePost"))
	f.video(v.Get("video"), onScreen(v))
	if s := v.Get("textLanguage").String(); isLang(s) {
		p.Lang = s
	}
	f.itemTags(v)
	f.sound(v.Get("music"))
	if n := v.Get("duetInfo", "duetFromId").String(); isID(n) {
		f.refer(post.RoleQuoteOf, n, "")
	}
	p.URL = postURL(p.ID, p.Account.Handle, p.Kind == post.KindImage)
	if len(p.Media) == 0 && v.Get("isContentClassified").Bool() {
		p.Outcome = post.AgeGated
	}
	return f, true
}

// author reads the account of a post: an object, or a bare handle with the rest
// beside it.
func (f *found) author(v jsonx.Value) {
	p := &f.post
	author := v.Get("author")
	if author.IsObject() {
		if a, ok := accountOf(author, v.Get("authorStatsV2"), v.Get("authorStats")); ok {
			p.Account, f.secUID = a, secUID(author)
		}
		return
	}
	beside := jsonx.Of(map[string]any{
		"uniqueId": author.String(), "id": v.Get("authorId").String(), "nickname": first(v.Get("nickname"), v.Get("authorName")), "secUid": v.Get("authorSecId").String(), "avatarThumb": v.Get("avatarThumb").String(),
	})
	if a, ok := accountOf(beside, v.Get("authorStatsV2"), v.Get("authorStats")); ok {
		p.Account, f.secUID = a, secUID(beside)
	}
}

func (f *found) hashtag(s string) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "#")
	if strings.HasPrefix(s, "@") {
		return // a mention of an account that was renamed
	}
	for _, h := range f.post.Hashtags {
		if strings.EqualFold(h, s) {
			return
		}
	}
	f.post.Hashtags = add(f.post.Hashtags, s)
}

// textExtra reads hashtags, mentions, and the source of a stitch. It names
// hashtags in lower case, with their place in the text, in UTF-16 units.
func (f *found) textExtra(v jsonx.Value, text string) {
	p := &f.post
	var units []uint16
	for _, x := range v.Array() {
		if tag := first(x.Get("hashtagName"), x.Get("HashtagName"), x.Get("hashtag_name")); tag != "" {
			if units == nil {
				units = utf16.Encode([]rune(text))
			}
			f.hashtag(spelled(units, x, tag))
		}
		handle := first(x.Get("userUniqueId"), x.Get("UserUniqueId"), x.Get("user_unique_id"))
		if isHandle(handle) {
			p.Mentions = add(p.Mentions, handle)
		} else {
			handle = ""
		}
		if n := first(x.Get("awemeId"), x.Get("AwemeId"), x.Get("aweme_id")); isID(n) && n != p.ID {
			f.refer(post.RoleQuoteOf, n, handle)
		}
	}
}

// spelled gives a hashtag as the text spells it.
func spelled(text []uint16, x jsonx.Value, tag string) string {
	start, err := strconv.Atoi(first(x.Get("start"), x.Get("Start")))
	end, err2 := strconv.Atoi(first(x.Get("end"), x.Get("End")))
	if err != nil || err2 != nil || start < 0 || end > len(text) || end-start < 2 || end-start > 200 {
		return tag
	}
	s, ok := strings.CutPrefix(string(utf16.Decode(text[start:end])), "#")
	if !ok || strings.ContainsAny(s, "# \n\t\uFFFD") {
		return tag
	}
	return s
}

func (f *found) refer(role post.Role, id, handle string) {
	for i := range f.post.Refs {
		if r := &f.post.Refs[i]; r.Role == role && r.ID == id {
			if r.Account == "" {
				r.Account, r.URL = handle, postURL(id, handle, false)
			}
			return
		}
	}
	f.post.Refs = append(f.post.Refs, post.Ref{Role: role, ID: id, URL: postURL(id, handle, false), Account: handle})
}

// onScreen is the text that stands on the picture of a video.
func onScreen(v jsonx.Value) string {
	var lines []string
	for _, s := range v.Get("stickersOnItem").Array() {
		for _, t := range s.Get("stickerText").Array() {
			lines = add(lines, strings.TrimSpace(t.String()))
		}
	}
	return strings.Join(lines, "\n")
}

func (f *found) show(m post.Media) {
	if m.URL == "" {
		return
	}
	for _, x := range f.post.Media {
		if x.URL == m.URL {
			return
		}
	}
	f.post.Media = append(f.post.Media, m)
}

// images reads the pictures of a photo post.
func (f *found) images(v jsonx.Value) {
	for _, x := range v.Get("images").Array() {
		for _, list := range []jsonx.Value{x.Get("imageURL", "urlList"), x.Get("display_image", "url_list"), x.Get("imageURL", "url_list")} {
			if s, ok := link(list.At(0).String()); ok {
				f.show(post.Media{
					Kind: post.MediaImage, URL: s,
					Width: max(size(x.Get("imageWidth")), size(x.Get("display_image", "width"))), Height: max(size(x.Get("imageHeight")), size(x.Get("display_image", "height"))),
				})
				break
			}
		}
	}
	if len(v.Get("images").Array()) > 0 {
		f.post.Kind = post.KindImage
		f.post.Title = v.Get("title").String()
	}
}

// video reads the film of a post, its still, and its captions.
func (f *found) video(v jsonx.Value, alt string) {
	if f.post.Kind == post.KindImage {
		if len(f.post.Media) > 0 && alt != "" {
			f.post.Media[0].Alt = alt
		}
		return
	}
	m := post.Media{Kind: post.MediaVideo, Alt: alt, Width: size(v.Get("width")), Height: size(v.Get("height")), Duration: length(v.Get("duration"))}
	addresses := []jsonx.Value{v.Get("playAddr"), v.Get("PlayAddrStruct", "UrlList").At(0), v.Get("downloadAddr")}
	for _, b := range v.Get("bitrateInfo").Array() {
		addresses = append(addresses, b.Get("PlayAddr", "UrlList").At(0))
	}
	for _, x := range addresses {
		if s, ok := link(x.String()); ok {
			m.URL = s
			break
		}
	}
	f.show(m)
	for _, x := range []jsonx.Value{v.Get("originCover"), v.Get("cover"), v.Get("dynamicCover")} {
		if s, ok := link(x.String()); ok {
			f.show(post.Media{Kind: post.MediaImage, URL: s, Alt: stillAlt(m, alt)})
			break
		}
	}
	for _, x := range v.Get("subtitleInfos").Array() {
		if s, ok := link(x.Get("Url").String()); ok {
			f.show(post.Media{Kind: post.MediaFile, URL: s, Alt: captionAlt(x.Get("LanguageCodeName"), x.Get("Source"), x.Get("Format"))})
		}
	}
	if len(v.Get("subtitleInfos").Array()) == 0 {
		for _, x := range v.Get("claInfo", "captionInfos").Array() {
			if s, ok := link(x.Get("url").String()); ok {
				f.show(post.Media{Kind: post.MediaFile, URL: s, Alt: captionAlt(x.Get("language"), jsonx.Value{}, x.Get("captionFormat"))})
			}
		}
	}
}

// stillAlt gives the on-screen text to the still where there is no film.
func stillAlt(film post.Media, alt string) string {
	if film.URL == "" {
		return alt
	}
	return ""
}

func captionAlt(lang, source, format jsonx.Value) string {
	return strings.Join(strings.Fields("captions "+lang.String()+" "+source.String()+" "+format.String()), " ")
}

// sound names the sound of a post: what copies of one template share.
func (f *found) sound(v jsonx.Value) {
	if n := number(v.Get("id"), v.Get("musicId"), v.Get("mid")); n != "" {
		f.post.Tags = add(f.post.Tags, "sound:"+n)
	}
	if s := first(v.Get("title"), v.Get("musicName")); s != "" {
		f.post.Tags = add(f.post.Tags, "sound_title:"+s)
	}
}

func (f *found) itemTags(v jsonx.Value) {
	p := &f.post
	flag := func(on bool, tag string) {
		if on {
			p.Tags = add(p.Tags, tag)
		}
	}
	flag(v.Get("isAd").Bool(), "ad")
	flag(v.Get("IsAigc").Bool() || v.Get("AIGCDescription").String() != "", "aigc")
	if n, ok := v.Get("aigcLabelType").Int(); ok && n > 0 {
		p.Tags = add(p.Tags, "aigc")
	}
	flag(v.Get("privateItem").Bool() || v.Get("secret").Bool(), "private")
	flag(v.Get("isReviewing").Bool(), "reviewing")
	if n, ok := v.Get("takeDown").Int(); ok && n > 0 {
		p.Tags = add(p.Tags, "removed_from_feeds")
	}
	p.Tags = add(p.Tags, region(v.Get("locationCreated")))
	if s := v.Get("poi", "name").String(); s != "" {
		p.Tags = add(p.Tags, "place:"+s)
	}
	for _, l := range v.Get("diversificationLabels").Array() {
		if s := l.String(); s != "" {
			p.Tags = add(p.Tags, "label:"+s)
		}
	}
	for _, w := range v.Get("warnInfo").Array() {
		if s := first(w.Get("text"), w.Get("title"), w.Get("content")); s != "" {
			p.Tags = add(p.Tags, "warning:"+s)
		}
	}
	for _, e := range v.Get("effectStickers").Array() {
		if s := e.Get("name").String(); s != "" {
			p.Tags = add(p.Tags, "effect:"+s)
		}
	}
	if n := number(v.Get("playlistId")); n != "" {
		p.Tags = add(p.Tags, "playlist:"+n)
	}
}

// isAweme reports whether v is a post as the application has it.
func isAweme(v jsonx.Value) bool {
	return isID(v.Get("aweme_id").String()) && v.Has("desc") && (v.Has("statistics") || v.Get("author").IsObject()) && !v.Has("cid")
}

// aweme reads a post as the application has it. Its counts are not rounded.
func aweme(v jsonx.Value) (found, bool) {
	id := number(v.Get("aweme_id"))
	f := found{post: post.Post{ID: id, Kind: post.KindVideo, Text: v.Get("desc").String(), Created: created(id, v.Get("create_time")), Outcome: post.OK}}
	p := &f.post
	if a, ok := accountOf(v.Get("author")); ok {
		p.Account, f.secUID = a, secUID(v.Get("author"))
	}
	stats := v.Get("statistics")
	for _, c := range []struct{ name, key string }{
		{"likes", "digg_count"}, {"comments", "comment_count"}, {"shares", "share_count"}, {"views", "play_count"}, {"saves", "collect_count"}, {"reposts", "repost_count"},
	} {
		p.Counts = count(p.Counts, c.name, true, stats.Get(c.key))
	}
	f.textExtra(v.Get("text_extra"), p.Text)
	for _, c := range v.Get("cha_list").Array() {
		f.hashtag(c.Get("cha_name").String())
	}
	f.images(v.Get("image_post_info"))
	if p.Kind == post.KindVideo {
		film := v.Get("video")
		m := post.Media{Kind: post.MediaVideo, Width: size(film.Get("width")), Height: size(film.Get("height")), Duration: length(film.Get("duration")) / 1000}
		m.URL, _ = link(film.Get("play_addr", "url_list").At(0).String())
		f.show(m)
		if s, ok := link(film.Get("origin_cover", "url_list").At(0).String()); ok {
			f.show(post.Media{Kind: post.MediaImage, URL: s})
		}
	}
	if s := v.Get("desc_language").String(); isLang(s) {
		p.Lang = s
	}
	p.Tags = add(p.Tags, region(v.Get("region")))
	if v.Get("is_ads").Bool() {
		p.Tags = add(p.Tags, "ad")
	}
	f.sound(v.Get("music"))
	p.URL = postURL(p.ID, p.Account.Handle, p.Kind == post.KindImage)
	return f, true
}

// isComment reports whether v is a comment as the site and the application have
// it.
func isComment(v jsonx.Value) bool {
	return isID(v.Get("cid").String()) && v.Has("text") && (v.Has("aweme_id") || v.Has("create_time"))
}

func comment(v jsonx.Value) (found, bool) {
	id, on := number(v.Get("cid")), number(v.Get("aweme_id"))
	if id == "" {
		return found{}, false
	}
	f := found{post: post.Post{ID: id, Kind: post.KindComment, Text: v.Get("text").String(), Created: created(id, v.Get("create_time")), Thread: on, Outcome: post.OK}}
	p := &f.post
	user := v.Get("user")
	if user.IsString() {
		user = jsonx.Of(map[string]any{"unique_id": user.String()}) // SIGI_STATE names it only
	}
	if a, ok := accountOf(user); ok {
		p.Account, f.secUID = a, secUID(user)
	}
	p.Counts = count(p.Counts, "likes", false, v.Get("digg_count"))
	p.Counts = count(p.Counts, "comments", false, v.Get("reply_comment_total"))
	f.textExtra(v.Get("text_extra"), p.Text)
	if s := v.Get("comment_language").String(); isLang(s) {
		p.Lang = s
	}
	if n := number(v.Get("reply_to_reply_id"), v.Get("reply_id")); n != "" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: n})
	}
	if on != "" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleCommentOn, ID: on, URL: postURL(on, "", false)})
		p.URL = postURL(on, "", false) + "?comment_id=" + id
	}
	for _, x := range v.Get("image_list").Array() {
		if s, ok := link(x.Get("origin_url", "url_list").At(0).String()); ok {
			f.show(post.Media{Kind: post.MediaImage, URL: s})
		}
	}
	if v.Get("is_author_digged").Bool() {
		p.Tags = add(p.Tags, "liked_by_author")
	}
	if s := v.Get("label_text").String(); s != "" {
		p.Tags = add(p.Tags, "label:"+s)
	}
	return f, true
}

// captionTags finds hashtags of captions that come without positions.
func (f *found) captionTags() {
	for _, h := range hashtags.In(f.post.Text) {
		f.hashtag(h)
	}
}
