package facebook

import (
	"bytes"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/internal/words"
	"github.com/refrain-archive/refrain/post"
)

// What markup is searched for once, to know which readers it is for.
const (
	liveKey     = "ft_ent_identifier"
	timeMark    = "data-utime" // desktop pages and embeds
	commentMark = `data-sigil="comment`
	postMark    = "top_level_post_id"
	storyMark   = "mf_story_key"
)

var markupWords = words.New(liveKey, timeMark, commentMark, postMark, storyMark)

// live notes the exact counts that the scripts of m. pages hold: like_count,
// comment_count and share_count beside ft_ent_identifier.
func (c *collection) live(text []byte) {
	key := []byte(liveKey)
	for from := 0; ; {
		i := bytes.Index(text[from:], key)
		if i < 0 {
			return
		}
		i += from
		from = i + len(key)
		if rest := bytes.TrimLeft(text[from:min(from+3, len(text))], `"`); len(rest) == 0 || rest[0] != ':' {
			continue
		}
		open := bytes.LastIndexByte(text[max(i-200, 0):i], '{')
		if open < 0 {
			continue
		}
		raw, ok := jsonx.Balanced(text[max(i-200, 0)+open:])
		if !ok || len(raw) > 64<<10 {
			continue
		}
		v, err := jsontree.Parse(raw)
		if err != nil {
			if v, err = jsontree.Parse(relax(raw)); err != nil {
				continue
			}
		}
		id := v.Get("ft_ent_identifier").String()
		if !isNumber(id) {
			continue
		}
		d := &draft{}
		d.count("reactions", exists(v.Get("reaction_count"), v.Get("like_count")))
		d.count("comments", v.Get("comment_count"))
		d.count("shares", v.Get("share_count"))
		c.counts[id] = merge(c.counts[id], d.Counts)
	}
}

// mobile reads posts and comments as m. and mbasic. mark them up: the post's
// numbers and time stand as JSON in data-ft of the element around it.
func (c *collection) mobile(markup []byte, marks words.Found) {
	comments := marks.Has(commentMark)
	if !comments && !marks.Has(postMark) && !marks.Has(storyMark) {
		return
	}
	for _, e := range pagescan.Find(markup, func(_ string, a pagescan.Attrs) bool { return isMobilePost(a) || isMobileComment(a) }) {
		if isMobileComment(e.Attrs) {
			c.mobileComment(e, "")
			continue
		}
		if d := c.mobilePost(e); d != nil {
			c.add(d)
		}
		if comments && bytes.Contains(e.Inner, []byte(commentMark)) {
			for _, x := range pagescan.Find(e.Inner, func(_ string, a pagescan.Attrs) bool { return isMobileComment(a) }) {
				c.mobileComment(x, "")
			}
		}
	}
}

func isMobilePost(a pagescan.Attrs) bool {
	ft := a.Get("data-ft")
	return len(ft) > 20 && (strings.Contains(ft, postMark) || strings.Contains(ft, storyMark))
}

func (c *collection) mobilePost(e pagescan.Element) *draft {
	ft, err := jsontree.Parse([]byte(e.Attrs.Get("data-ft")))
	if err != nil {
		return nil
	}
	id := first(ft.Get("top_level_post_id").String(), ft.Get("mf_story_key").String(), ft.Get("tl_objid").String())
	if !isNumber(id) {
		return nil
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindPost}}
	owner := first(ft.Get("content_owner_id_new").String(), ft.Get("page_id").String())
	story := ft.Get("mf_story_key").String()
	d.Created = unix(ft.Find("publish_time"))
	abbr, link, avatar := "", "", ""
	var heading, header, text, attached pagescan.Element
	// One pass: the parts of a post do not stand within each other.
	for _, x := range pagescan.Find(e.Inner, func(tag string, a pagescan.Attrs) bool {
		switch tag {
		case "a":
			if ref, ok := refOf(a.Get("href")); ok && ref.Kind == crawlers.RefPost && link == "" {
				link = a.Get("href")
			}
		case "img":
			if avatar == "" && (a.HasClass("profpic") || strings.Contains(a.Get("alt"), "profile picture")) {
				avatar = a.Get("src")
			}
		case "h3", "h1", "abbr":
			return true
		case "header", "strong":
			return false
		}
		p := part(a)
		return p == "*s" || p == "H" || a.HasClass("like_def") || a.Get("data-sigil") == "feed-ufi-sharers"
	}) {
		switch {
		case x.Tag == "h3" || x.Tag == "h1":
			if heading.Tag == "" {
				heading = x
			}
		case x.Tag == "abbr":
			if abbr == "" {
				abbr = x.Text()
				if d.Created.IsZero() {
					d.Created = storeTime(x)
				}
			}
		case x.Attrs.HasClass("like_def"):
			d.words("reactions", x.Text())
		case x.Attrs.Get("data-sigil") == "feed-ufi-sharers":
			d.words("shares", x.Text())
		case part(x.Attrs) == "H":
			attached = x
		case text.Tag == "":
			text = x
		}
	}
	if heading.Tag == "" {
		header, _ = pagescan.First(e.Inner, func(tag string, _ pagescan.Attrs) bool { return tag == "header" || tag == "strong" })
		heading = header
	}
	if d.Created.IsZero() && abbr != "" {
		d.Created = relative(abbr, c.fetched)
	}
	var author pagescan.Element
	for _, a := range pagescan.Find(heading.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "a" && a.Get("href") != "" }) {
		if a.Text() != "" { // the picture of the account is a link too
			author = a
			break
		}
	}
	d.by(owner, author.Text(), mobileLink(author.Attrs.Get("href")), avatar)
	if title := heading.Text(); title != "" && title != d.Account.Name {
		d.Title = title
	}
	base, _ := url.Parse("https://m.facebook.com/")
	content := htmltext.Fragment(string(text.Inner), base)
	for _, l := range content.Links {
		if to := unwrap(l); to != l {
			d.link(to)
		}
	}
	d.say(content.Text)
	d.pictures(attached.Inner, base)
	if strings.HasPrefix(ft.Get("story_attachment_style").String(), "video") {
		d.Kind = post.KindVideo
		if len(d.Media) == 0 || d.Media[0].Kind != post.MediaVideo {
			d.Media = append([]post.Media{{Kind: post.MediaVideo}}, d.Media...)
		}
	}
	if root := ft.Get("original_content_id").String(); isNumber(root) && root != id {
		by := ft.Get("original_content_owner_id").String()
		ref := post.Ref{Role: post.RoleRepostOf, ID: root, Account: by}
		if by != "" {
			ref.URL = postURL(by, root)
		}
		if d.Text != "" {
			ref.Role = post.RoleQuoteOf
		}
		d.Refs = append(d.Refs, ref)
	}
	d.address(owner)
	d.alias(link)
	if story != id && isNumber(story) {
		d.same(crawlers.RefPost, story, id, d.URL)
	}
	return d
}

// part is the letter by which an element says which part of a post it is.
func part(a pagescan.Attrs) string {
	ft := first(a.Get("data-ft"), a.Get("data-gt"))
	if !strings.Contains(ft, `"tn"`) || len(ft) > 64 {
		return ""
	}
	v, err := jsontree.Parse([]byte(ft))
	if err != nil {
		return ""
	}
	return v.Get("tn").String()
}

func mobileLink(href string) string {
	if strings.HasPrefix(href, "/") {
		return site + href
	}
	return href
}

// storeTime reads the Unix seconds that an abbr carries in data-store.
func storeTime(e pagescan.Element) post.Time {
	v, err := jsontree.Parse([]byte(e.Attrs.Get("data-store")))
	if err != nil {
		return post.Time{}
	}
	return unix(v.Get("time"))
}

var (
	cssURL    = regexp.MustCompile(`url\((?:'|"|&#039;|&quot;)?([^)'"]+)`)
	cssEscape = regexp.MustCompile(`\\([0-9a-fA-F]{1,6}) `)
)

// pictures takes the pictures, videos and links of an attachment.
func (d *draft) pictures(src []byte, base *url.URL) {
	for _, e := range pagescan.Find(src, func(tag string, a pagescan.Attrs) bool {
		return tag == "img" || tag == "i" && strings.Contains(a.Get("style"), "url(") || strings.Contains(a.Get("data-store"), `"videoID"`) || strings.Contains(a.Get("data-store"), `"src":`)
	}) {
		a := e.Attrs
		if store := a.Get("data-store"); strings.Contains(store, `"src":`) {
			v, err := jsontree.Parse([]byte(store))
			if to := v.Get("src").String(); err == nil && strings.Contains(fileName(to), ".mp4") {
				cover := ""
				if x, ok := pagescan.First(e.Inner, func(_ string, a pagescan.Attrs) bool { return strings.Contains(a.Get("style"), "url(") }); ok {
					cover = styleURL(x.Attrs.Get("style"))
				}
				d.media(post.Media{Kind: post.MediaVideo, URL: to, Width: integer(v.Get("width")), Height: integer(v.Get("height"))}, cover)
				continue
			}
		}
		to := a.Get("src")
		if e.Tag == "i" {
			to = styleURL(a.Get("style"))
		}
		if !strings.Contains(to, "fbcdn.net") || strings.Contains(to, "rsrc.php") || a.HasClass("profpic") {
			continue
		}
		w, _ := strconv.Atoi(a.Get("width"))
		h, _ := strconv.Atoi(a.Get("height"))
		d.media(post.Media{Kind: post.MediaImage, URL: to, Alt: first(a.Get("alt"), a.Get("aria-label")), Width: max(w, 0), Height: max(h, 0)}, "")
	}
	for _, l := range htmltext.Fragment(string(src), base).Links {
		if to := unwrap(l); to != l {
			d.link(to)
		}
	}
}

// styleURL takes an address out of a style, where it stands with CSS escapes.
func styleURL(style string) string {
	m := cssURL.FindStringSubmatch(style)
	if m == nil {
		return ""
	}
	return cssEscape.ReplaceAllStringFunc(m[1], func(s string) string {
		n, err := strconv.ParseInt(strings.TrimSpace(s[1:]), 16, 32)
		if err != nil {
			return s
		}
		return string(rune(n))
	})
}

func isMobileComment(a pagescan.Attrs) bool {
	sigil := a.Get("data-sigil")
	return (sigil == "comment" || strings.HasPrefix(sigil, "comment ")) && isNumber(a.Get("id"))
}

var ringForm = regexp.MustCompile(`feed_story_ring(\d{3,20})`)

// mobileComment reads a comment and the replies within it.
func (c *collection) mobileComment(e pagescan.Element, parent string) {
	d := &draft{Post: post.Post{ID: e.Attrs.Get("id"), Kind: post.KindComment}}
	if v, err := jsontree.Parse([]byte(e.Attrs.Get("data-store"))); err == nil {
		d.Thread, _, _ = strings.Cut(v.Get("token").String(), "_")
	}
	id, avatar, alt := "", "", ""
	var name, body, age pagescan.Element
	var replies []pagescan.Element
	for _, x := range pagescan.Find(e.Inner, func(tag string, a pagescan.Attrs) bool {
		switch {
		case isMobileComment(a):
			return true
		case len(replies) > 0:
			return false
		case tag == "img" && a.HasClass("profpic"):
			if avatar == "" {
				avatar, alt = a.Get("src"), a.Get("alt")
			}
			return false
		case tag == "abbr", a.HasClass("_2b05"), a.Has("data-commentid"), a.Get("data-sigil") == "comment-body":
			return true
		}
		if m := ringForm.FindStringSubmatch(a.Get("data-sigil")); m != nil && id == "" {
			id = m[1]
		}
		return false
	}) {
		switch {
		case isMobileComment(x.Attrs):
			replies = append(replies, x)
		case len(replies) > 0:
		case x.Tag == "abbr":
			if age.Tag == "" {
				age = x
			}
		case x.Attrs.HasClass("_2b05"):
			if name.Tag == "" {
				name = x
			}
		case body.Tag == "":
			body = x
		}
	}
	href := ""
	if x, ok := pagescan.First(name.Inner, func(tag string, _ pagescan.Attrs) bool { return tag == "a" }); ok {
		href = mobileLink(x.Attrs.Get("href"))
	}
	d.by(id, first(name.Text(), strings.TrimSuffix(alt, ", profile picture")), href, avatar)
	base, _ := url.Parse("https://m.facebook.com/")
	content := htmltext.Fragment(string(body.Inner), base)
	for _, l := range content.Links {
		if to := unwrap(l); to != l {
			d.link(to)
		}
	}
	d.say(content.Text)
	if age.Tag != "" {
		if d.Created = storeTime(age); d.Created.IsZero() {
			d.Created = relative(age.Text(), c.fetched)
		}
	}
	if parent != "" {
		d.Refs = append(d.Refs, post.Ref{Role: post.RoleReplyTo, ID: parent})
	}
	if d.Thread != "" {
		d.Refs = append(d.Refs, post.Ref{Role: post.RoleCommentOn, ID: d.Thread})
	}
	c.add(d)
	for _, r := range replies {
		c.mobileComment(r, d.ID)
	}
}

var ageForm = regexp.MustCompile(`^(\d{1,3}) ?(mins?|minutes?|hrs?|hours?|h|m|d|days?|w|wks?|weeks?|mths?|months?|y|yrs?|years?)$`)

// relative reads a time in words. Its interval is counted back from the fetch;
// without that, the words are all there is.
func relative(words string, fetched time.Time) post.Time {
	t := post.Time{Raw: words, Source: post.SourceRelative}
	m := ageForm.FindStringSubmatch(strings.ToLower(strings.TrimSpace(words)))
	if m == nil || fetched.IsZero() {
		return t
	}
	n, _ := strconv.Atoi(m[1])
	var unit time.Duration
	switch u := m[2]; {
	case strings.HasPrefix(u, "mth"), strings.HasPrefix(u, "month"):
		unit = 31 * 24 * time.Hour
	case strings.HasPrefix(u, "m"):
		unit = time.Minute
	case strings.HasPrefix(u, "h"):
		unit = time.Hour
	case strings.HasPrefix(u, "d"):
		unit = 24 * time.Hour
	case strings.HasPrefix(u, "w"):
		unit = 7 * 24 * time.Hour
	default:
		unit = 366 * 24 * time.Hour
	}
	// Rounded either way: one unit more, and half a one less.
	from := fetched.Add(-time.Duration(n+1) * unit)
	to := fetched.Add(-time.Duration(max(n-1, 0)) * unit)
	return post.Between(from, to, words, post.SourceRelative)
}

// photoPage reads the page of one photo or video on m., whose markup names no
// post: author, time and picture.
func (c *collection) photoPage(markup []byte, h *pagescan.Head) {
	id := ""
	for _, raw := range []string{h.Meta("og:url"), h.Link("canonical")} {
		if ref, ok := refOf(raw); ok && ref.Kind == crawlers.RefPost && !ref.Alias {
			id = ref.ID
			break
		}
	}
	if id == "" && isNumber(c.step.Ref.ID) {
		id = c.step.Ref.ID
	}
	actor, ok := pagescan.First(markup, func(tag string, a pagescan.Attrs) bool {
		return tag == "a" && (a.HasClass("actor-link") || a.Get("data-sigil") == "actor-link")
	})
	abbr, dated := pagescan.First(markup, func(tag string, a pagescan.Attrs) bool {
		return tag == "abbr" && strings.Contains(a.Get("data-store"), `"time"`)
	})
	if id == "" || !ok || !dated {
		return
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindPost}}
	owner, _ := refOf(mobileLink(actor.Attrs.Get("href")))
	number := ""
	if owner.Kind == crawlers.RefAccount && !owner.Alias {
		number = owner.ID
	}
	avatar, _ := pagescan.First(markup, func(tag string, a pagescan.Attrs) bool { return tag == "img" && a.HasClass("profpic") })
	d.by(number, actor.Text(), mobileLink(actor.Attrs.Get("href")), avatar.Attrs.Get("src"))
	d.Created = storeTime(abbr)
	if said := h.Meta("og:description"); said != "" {
		if strings.HasPrefix(said, d.Account.Name+" ") && strings.HasSuffix(said, ".") {
			d.Title = said // the site's own words: "NAME updated their cover photo."
		} else {
			d.say(said)
		}
	}
	if x, ok := pagescan.First(markup, func(_ string, a pagescan.Attrs) bool { return strings.Contains(a.Get("data-sigil"), "photo-stage") }); ok {
		d.pictures(x.Inner, nil)
	}
	if len(d.Media) == 0 {
		d.media(post.Media{Kind: post.MediaImage, URL: h.Meta("og:image")}, "")
	}
	d.address("")
	c.add(d)
}

// readActions reads a pagination answer of m.: HTML in a list of what its scripts
// shall do, and the counts in code.
func readActions(s crawlers.Step, ex crawlers.Exchange, v jsontree.Value) crawlers.Page {
	c := newCollection(s, ex)
	for _, a := range v.Get("payload", "actions").Array() {
		code := a.Get("code").String()
		c.live([]byte(code))
		if strings.Contains(code, "page_content_list_view") || strings.Contains(code, "MMoreItem") || strings.Contains(code, "timeline_cursor") {
			c.more = true
		}
	}
	c.lists++
	for _, a := range v.Get("payload", "actions").Array() {
		if html := a.Get("html").String(); html != "" {
			markup := uncomment([]byte(html))
			c.mobile(markup, markupWords.In(markup))
		}
	}
	return c.page(state{}, jsontree.Value{})
}
