package instagram

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// htmlWall tells pages that stand in for a post or account. Their words come
// with any status, 200 too.
func htmlWall(ex crawlers.Exchange) (crawlers.Page, bool) {
	head := ex.Body[:min(len(ex.Body), 256<<10)]
	title := strings.ToLower(crawlers.Title(head))
	has := func(words string) bool { return bytes.Contains(ex.Body, []byte(words)) }
	page := func(o post.Outcome, reason string) (crawlers.Page, bool) {
		return crawlers.Page{Outcome: o, Reason: reason}, true
	}
	if ex.Status == 429 {
		return page(post.RateLimited, "status 429")
	}
	if !ours(ex.Body) {
		return crawlers.Page{}, false
	}
	switch {
	case strings.HasPrefix(title, "restricted video"), strings.HasPrefix(title, "restricted profile"), strings.HasPrefix(title, "restricted photo"):
		return page(post.AgeGated, crawlers.Title(head))
	case strings.HasPrefix(title, "login • instagram"), strings.HasPrefix(title, "log in • instagram"), strings.HasPrefix(title, "login &bull; instagram"), strings.HasPrefix(title, "login &#x2022; instagram"), has(`"canonicalRouteName":"comet.igweb.PolarisLoginRoute"`):
		return page(post.LoginWall, first(crawlers.Title(head), "login page"))
	case has("EmbedIsBroken"):
		return page(post.Unavailable, first(broken(ex.Body), "the embed says that the link may be broken or the post removed"))
	case strings.HasPrefix(title, "page not found"), strings.HasPrefix(title, "content unavailable"), has("PolarisErrorRoute"), has(`"httpErrorPage"`):
		return page(post.NotFound, first(crawlers.Title(head), "the site's page for what it does not find"))
	case has(`"challengeType"`) && has("PolarisChallenge"), strings.HasPrefix(title, "challenge"):
		return page(post.Challenge, first(crawlers.Title(head), "challenge"))
	}
	return crawlers.Page{}, false
}

// broken gives what an embed says instead of its post.
func broken(body []byte) string {
	e, ok := pagescan.First(body, func(tag string, a pagescan.Attrs) bool { return a.HasClass("ebmMessage") })
	if !ok {
		return ""
	}
	return e.Text()
}

// ours reports whether a page is of Instagram, by what its pages load.
func ours(body []byte) bool {
	return bytes.Contains(body, []byte("cdninstagram.com")) || bytes.Contains(body, []byte("instagram://")) || bytes.Contains(body, []byte(`content="Instagram"`)) ||
		bytes.Contains(body, []byte("• Instagram")) || bytes.Contains(body, []byte("PolarisErrorRoute")) || bytes.Contains(body, []byte("Restricted Video")) || bytes.Contains(body, []byte("EmbedIsBroken")) || bytes.Contains(body, []byte("<title>Instagram</title>")) || bytes.Contains(body, []byte("&#x2022; Instagram"))
}

// readHTML reads a page: data in its scripts, an embed, or meta tags.
func readHTML(s crawlers.Step, ex crawlers.Exchange) crawlers.Page {
	if !ours(ex.Body) {
		return crawlers.Page{Outcome: post.UnexpectedType, Reason: "HTML that is not a page of Instagram: " + crawlers.FirstWords(ex)}
	}
	c := newCollection(s, ex)
	for _, v := range pageData(ex.Body) {
		c.read(v)
	}
	meta, head := readMeta(s, ex)
	if len(c.posts) > 0 {
		if _, ok := c.asked(); ok && c.holds(s.Ref) {
			if meta != nil && meta.Outcome == post.OKMetaOnly {
				c.identities = append(c.identities, meta.identities...)
			}
			return c.page(state{}, jsontree.Value{})
		}
		// What the scripts hold is about others: what the page shows beside the post.
	}
	if d := readEmbed(s, ex); d != nil {
		return metaPage(s, d, "the embed's caption and picture, without time and counts")
	}
	if meta != nil {
		if c.gated {
			meta.tag("withheld from readers who are not logged in")
		}
		return metaPage(s, meta, "meta tags: counts are rounded, the time is a day")
	}
	if c.gated {
		return crawlers.Page{Outcome: post.LoginWall, Reason: "the post is withheld from readers who are not logged in (gating ruling)"}
	}
	switch s.Ref.Kind {
	case crawlers.RefTag, crawlers.RefBoard, crawlers.RefSearch:
		return crawlers.Page{Outcome: post.LoginWall, Reason: "the page holds no posts for readers who are not logged in: " + head.Title}
	}
	if head.Meta("og:title") == "" {
		return crawlers.Page{Outcome: post.LoginWall, Reason: "the empty page that is served to readers who are not logged in: " + first(head.Title, "without a title")}
	}
	return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a page of Instagram without data, embed or the meta tags of a post: " + head.Title}
}

// holds reports whether the thing itself is among the posts.
func (c *collection) holds(ref crawlers.Ref) bool {
	for i := range c.posts {
		p := &c.posts[i]
		switch ref.Kind {
		case crawlers.RefPost:
			if p.ID == ref.ID || p.Thread == ref.ID {
				return true
			}
		case crawlers.RefAccount:
			if p.Account.ID == ref.ID || strings.EqualFold(p.Account.Handle, ref.ID) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// metaPage is the page of one draft that was read from meta tags or an embed.
func metaPage(s crawlers.Step, d *draft, reason string) crawlers.Page {
	d.Outcome = post.OKMetaOnly
	page := crawlers.Page{Outcome: post.OKMetaOnly, Reason: reason, Posts: []post.Post{d.Post}, Assets: d.assets, Identities: unique(d.identities)}
	page.Coverage = crawlers.Coverage{Served: 1, End: "one post"}
	if d.Kind == post.KindAccount {
		page.Coverage = crawlers.Coverage{End: "the page holds the profile; posts need the Graph API or an import"}
		page.Coverage.Total, page.Coverage.Known = countOf(&d.Post, "posts")
		if len(d.Counts) == 0 {
			page.Reason = "the account's name alone: its counts and posts are for logged-in readers"
		}
	}
	ref := s.Ref
	switch {
	case ref.Kind == crawlers.RefPost && d.Kind == post.KindAccount:
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "the answer is the page of the account " + d.Account.Handle + ", a post was asked for"}
	case ref.Kind == crawlers.RefPost && d.ID != ref.ID:
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "the answer is about post " + d.ID + ", post " + ref.ID + " was asked for"}
	case ref.Kind == crawlers.RefAccount && ref.Alias && d.Kind == post.KindAccount && d.Account.Handle != "" && !strings.EqualFold(d.Account.Handle, ref.ID):
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "the answer is about the account " + d.Account.Handle + ", " + ref.ID + " was asked for"}
	}
	return page
}

// dataKeys are keys that only data of posts and profiles holds.
var dataKeys = [][]byte{
	[]byte("if_not_gated_logged_out"), []byte("xdt_api__v1__"), []byte("xdt_shortcode_media"), []byte("shortcode_media"),
	[]byte("taken_at"), []byte("edge_owner_to_timeline_media"), []byte("follower_count"), []byte("graphql_media"), []byte("image_versions2"),
}

func holdsData(script []byte) bool {
	for _, key := range dataKeys {
		if bytes.Contains(script, key) {
			return true
		}
	}
	return false
}

// pageData gives the JSON of scripts that hold posts or profiles.
func pageData(body []byte) []jsontree.Value {
	if !holdsData(body) {
		return nil
	}
	var found []jsontree.Value
	for rest := body; ; {
		i := bytes.Index(rest, []byte("<script"))
		if i < 0 {
			return found
		}
		rest = rest[i+len("<script"):]
		open := bytes.IndexByte(rest, '>')
		if open < 0 {
			return found
		}
		script := rest[open+1:]
		if end := bytes.Index(script, []byte("</script")); end >= 0 {
			script, rest = script[:end], script[end:]
		} else {
			rest = nil
		}
		if !holdsData(script) {
			continue
		}
		found = append(found, scriptData(script)...)
	}
}

// scriptData gives the JSON values in a script that hold data: all of it, what
// is assigned or handed to a function in it, or the string contextJSON of an embed.
func scriptData(script []byte) []jsontree.Value {
	var found []jsontree.Value
	if raw, ok := contextJSON(script); ok {
		if v, err := jsontree.Parse(raw); err == nil {
			found = append(found, v)
			return found
		}
	}
	const tries = 60 // braces of functions around the data that are not JSON
	rest := script
	for range tries {
		i := bytes.IndexAny(rest, "{[")
		if i < 0 {
			return found
		}
		rest = rest[i:]
		raw, ok := jsonx.Balanced(rest)
		if !ok || !holdsData(raw) {
			if ok {
				rest = rest[len(raw):]
			} else {
				rest = rest[1:]
			}
			continue
		}
		if v, err := jsontree.Parse(raw); err == nil {
			found = append(found, v)
			rest = rest[len(raw):]
			continue
		}
		rest = rest[1:]
	}
	return found
}

// contextJSON gives the JSON that stands as a string under contextJSON.
func contextJSON(script []byte) ([]byte, bool) {
	for _, key := range []string{`"contextJSON":`, `\"contextJSON\":`} {
		i := bytes.Index(script, []byte(key))
		if i < 0 {
			continue
		}
		rest := bytes.TrimLeft(script[i+len(key):], " ")
		if key[0] == '\\' { // the string stands in a string
			end := bytes.Index(rest, []byte(`"}`))
			if end < 0 {
				continue
			}
			var once string
			if json.Unmarshal([]byte(`"`+strings.Trim(string(rest[:end]), `"`)+`"`), &once) != nil {
				continue
			}
			rest = []byte(once)
		}
		if len(rest) == 0 || rest[0] != '"' {
			continue
		}
		end := stringEnd(rest)
		var inner string
		if end < 0 || json.Unmarshal(rest[:end], &inner) != nil || inner == "" {
			continue
		}
		return []byte(inner), true
	}
	return nil, false
}

// stringEnd gives the offset behind the JSON string that text starts with.
func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// readEmbed reads the official embed as markup, for answers without its data.
func readEmbed(s crawlers.Step, ex crawlers.Exchange) *draft {
	if !bytes.Contains(ex.Body, []byte("EmbeddedMedia")) && !bytes.Contains(ex.Body, []byte(`class="Caption"`)) {
		return nil
	}
	link, media := "", post.Media{Kind: post.MediaImage}
	d := &draft{Post: post.Post{Kind: post.KindPost}}
	for _, e := range pagescan.Find(ex.Body, func(tag string, a pagescan.Attrs) bool {
		switch {
		case tag == "img" && a.HasClass("EmbeddedMediaImage") && media.URL == "":
			media.URL, media.Alt = a.Get("src"), a.Get("alt")
		case tag == "video" && (a.HasClass("EmbeddedMediaVideo") || a.Get("src") != ""):
			media.Kind, media.URL, media.Alt = post.MediaVideo, a.Get("src"), a.Get("alt")
		case tag == "a" && strings.Contains(a.Get("href"), "/p/") && link == "", tag == "a" && strings.Contains(a.Get("href"), "/reel/") && link == "":
			link = a.Get("href")
		case a.Get("data-media-type") == "GraphVideo":
			d.Kind = post.KindVideo
		}
		return a.HasClass("Caption") || a.HasClass("UsernameText") || a.HasClass("SocialProof")
	}) {
		switch {
		case e.Attrs.HasClass("UsernameText"):
			d.Account.Handle = first(d.Account.Handle, e.Text())
		case e.Attrs.HasClass("SocialProof"):
			d.metaCounts(e.Text())
		default:
			d.embedText(e.Inner)
		}
	}
	base, err := url.Parse(ex.URL)
	if err != nil {
		return nil
	}
	ref, ok := match(base, 0)
	if to, err := base.Parse(link); err == nil && link != "" {
		if by, isPost := match(to, 0); isPost && by.Kind == crawlers.RefPost {
			ref, ok = by, true
		}
	}
	if !ok || ref.Kind != crawlers.RefPost {
		return nil
	}
	d.ID, d.URL = ref.ID, ref.URL
	d.Account.URL = accountURL(d.Account.Handle)
	d.Created = bound(d.ID, ex.FetchedAt)
	d.media(media, "")
	if d.Kind == post.KindVideo && media.Kind == post.MediaImage { // a video's still picture
		d.Media = []post.Media{{Kind: post.MediaVideo, Alt: media.Alt}}
	}
	return d
}

// embedText reads the caption of an embed: the author's name, then the words,
// then a link to the comments.
func (d *draft) embedText(src []byte) {
	if i := bytes.Index(src, []byte("CaptionComments")); i >= 0 {
		src = src[:bytes.LastIndexByte(src[:i], '<')]
	}
	if e, ok := pagescan.First(src, func(_ string, a pagescan.Attrs) bool { return a.HasClass("CaptionUsername") }); ok {
		d.Account.Handle = first(d.Account.Handle, e.Text())
		src = src[e.End:]
	}
	d.say(htmltext.Fragment(string(src), nil).Text)
}

// embedWords is the text of an embed code, embedCaption the caption in it, if
// it holds one.
func embedWords(src string) string { return htmltext.Fragment(src, nil).Text }

func embedCaption(src string) string {
	words := embedWords(src)
	if i := strings.Index(words, "View this post on Instagram"); i >= 0 {
		words = words[i+len("View this post on Instagram"):]
	}
	words, _, _ = strings.Cut(words, "A post shared by")
	return strings.TrimSpace(words)
}
