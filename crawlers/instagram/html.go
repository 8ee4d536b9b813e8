package instagram

import (
	"bytes"
	"encoding/json"
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

// headPart is the part of a page that its meta tags stand in.
func headPart(body []byte) []byte {
	if i := bytes.Index(body, []byte("</head>")); i >= 0 {
		return body[:i+len("</head>")]
	}
	return body[:min(len(body), 1<<20)]
}

var (
	titleForm  = regexp.MustCompile(`(?s)^(.*?) (?:on|auf|sur|en|su|no|op|i|på|w|в|di) Instagram: ?(.*)$`)
	handleForm = regexp.MustCompile(`\(@([A-Za-z0-9_.]+)\)`)
	numberForm = regexp.MustCompile(`(?i)(\d[\d.,]*)\s?([KMB])?\s+(likes?|comments?|views?|plays?|followers?|following|posts?)\b`)
	dayForm    = regexp.MustCompile(`^\s*([A-Za-z0-9_.]+) on ([A-Z][a-z]{2,8} \d{1,2}, \d{4})`)
	idForm     = regexp.MustCompile(`"(?:profile_id|profilePage_|user_id|target_user_id)(?:"\s*:\s*")?(\d{1,20})"`)
	kindForm   = regexp.MustCompile(`"media_type"\s*:\s*(\d)`)
	sharedBy   = regexp.MustCompile(`(?s)A post shared by (.*?) \(@([A-Za-z0-9_.]+)\)`)
	embedTime  = regexp.MustCompile(`<time[^>]* datetime="([^"]+)"`)
)

// readMeta reads a post or profile from a page's meta tags, nil if they are of
// neither.
func readMeta(s crawlers.Step, ex crawlers.Exchange) (*draft, *pagescan.Head) {
	h := pagescan.ReadHead(headPart(ex.Body))
	ref, ok := metaRef(h)
	title, desc := h.Meta("og:title"), h.Meta("og:description", "description")
	if !ok && title == "" {
		// The page of an account with nothing but its title.
		if m := handleForm.FindStringSubmatch(h.Title); m != nil {
			d := &draft{}
			d.profile(m[1], strings.TrimSpace(strings.SplitN(h.Title, "(@", 2)[0]))
			return d, h
		}
		return nil, h
	}
	switch ref.Kind {
	case crawlers.RefPost:
		return metaPost(ref, h, title, desc, ex), h
	case crawlers.RefAccount:
		d := &draft{}
		name := ref.ID
		if m := handleForm.FindStringSubmatch(title + " " + desc); m != nil {
			name = m[1]
		}
		d.profile(name, strings.TrimSpace(strings.SplitN(title, "(@", 2)[0]))
		d.metaCounts(desc)
		if m := idForm.FindSubmatch(ex.Body); m != nil && isNumber(string(m[1])) {
			d.ID, d.Account.ID = string(m[1]), string(m[1])
			d.identity(name, d.ID)
		}
		if _, bio, ok := strings.Cut(desc, `on Instagram: "`); ok {
			d.say(strings.TrimSuffix(strings.TrimSpace(bio), `"`))
		}
		if to := h.Meta("og:image"); isWeb(to) {
			d.Account.Avatar = to
		}
		return d, h
	}
	return nil, h
}

// profile starts a draft of an account that is known by name.
func (d *draft) profile(name, shown string) {
	d.Kind, d.ID = post.KindAccount, strings.ToLower(name)
	d.Account = post.Account{Handle: name, Name: shown, URL: accountURL(name)}
	d.URL, d.Title = d.Account.URL, shown
	d.Outcome = post.OKMetaOnly
}

// metaRef tells whom a page's head names.
func metaRef(h *pagescan.Head) (crawlers.Ref, bool) {
	for _, raw := range []string{h.Meta("al:ios:url"), h.Meta("og:url"), h.Link("canonical"), h.Meta("al:android:url")} {
		if u, err := url.Parse(strings.TrimSpace(raw)); err == nil && raw != "" {
			if ref, ok := match(u, 0); ok {
				if ref.Kind == crawlers.RefPost && raw == h.Meta("al:ios:url") {
					// The address says by which code it is known.
					if u, err := url.Parse(h.Meta("og:url")); err == nil {
						if by, ok := match(u, 0); ok && by.ID == ref.ID {
							return by, true
						}
					}
				}
				return ref, true
			}
		}
	}
	return crawlers.Ref{}, false
}

func metaPost(ref crawlers.Ref, h *pagescan.Head, title, desc string, ex crawlers.Exchange) *draft {
	d := &draft{Post: post.Post{ID: ref.ID, Kind: post.KindPost, URL: ref.URL, Outcome: post.OKMetaOnly}}
	if id := h.Meta("instapp:owner_user_id"); isNumber(id) {
		d.Account.ID = id
	}
	before, after, dash := strings.Cut(desc, " - ")
	if dash && len(before) < 120 {
		d.metaCounts(before)
		if m := dayForm.FindStringSubmatch(after); m != nil {
			d.Account.Handle = m[1]
			if day, err := time.Parse("January 2, 2006", m[2]); err == nil {
				// The day is that of some zone.
				d.Created = post.Between(day.Add(-14*time.Hour), day.Add(36*time.Hour), m[2], post.SourceField)
			}
		}
	}
	if d.Created.IsZero() {
		d.Created = bound(ref.ID, ex.FetchedAt)
	}
	for _, from := range []string{h.Meta("twitter:title"), h.Title, desc} {
		if m := handleForm.FindStringSubmatch(from); m != nil && d.Account.Handle == "" {
			d.Account.Handle = m[1]
		}
	}
	if m := titleForm.FindStringSubmatch(title); m != nil {
		d.Account.Name = m[1]
		d.say(unquote(m[2]))
	} else if name, ok := strings.CutSuffix(title, " on Instagram"); ok {
		d.Account.Name = name
	} else if name, _, ok := strings.Cut(h.Meta("twitter:title"), " (@"); ok {
		d.Account.Name = name
	}
	if m := titleForm.FindStringSubmatch(desc); d.Text == "" && m != nil {
		d.say(unquote(m[2]))
	}
	if _, quoted, ok := strings.Cut(after, `: "`); d.Text == "" && ok && dash {
		d.say(unquote(`"` + quoted))
	}
	for _, o := range h.LD {
		d.linked(o)
	}
	d.Account.URL = accountURL(d.Account.Handle)
	d.identity(d.Account.Handle, d.Account.ID)
	kind := ""
	if m := kindForm.FindSubmatch(ex.Body); m != nil {
		kind = string(m[1])
	}
	m := post.Media{Kind: post.MediaImage, URL: h.Meta("og:image"), Alt: h.Meta("og:image:alt", "twitter:image:alt")}
	video := h.Meta("og:video:secure_url", "og:video", "og:video:url")
	if video != "" || kind == "2" || strings.HasPrefix(h.Meta("og:type"), "video") || h.Meta("medium") == "video" || h.Meta("og:type") == "instapp:video" {
		d.Kind, m.Kind, m.URL = post.KindVideo, post.MediaVideo, video
		m.Width, m.Height = number(h.Meta("og:video:width")), number(h.Meta("og:video:height"))
	}
	d.media(m, h.Meta("og:image"))
	if kind == "8" {
		d.tag("carousel: the page names its first picture only")
	}
	return d
}

// linked takes what the ld+json of pages until 2022 says exactly: the time, the
// whole caption, the author and the counts.
func (d *draft) linked(o jsonx.Value) {
	get := func(keys ...string) string { return o.Get(keys...).String() }
	switch get("@type") {
	case "SocialMediaPosting", "ImageObject", "VideoObject":
	default:
		return
	}
	code := get("identifier", "value")
	if u, err := url.Parse(first(get("mainEntityOfPage", "@id"), get("url"))); err == nil && code == "" {
		if r, ok := match(u, 0); ok && r.Kind == crawlers.RefPost && r.ID != d.ID {
			return
		}
	} else if code != "" && PK(code) != d.ID {
		return
	}
	if t := graphTime(first(get("dateCreated"), get("uploadDate"))); !t.IsZero() {
		d.Created = t
	}
	if words := first(get("articleBody"), get("caption")); words != "" {
		d.Hashtags, d.Mentions, d.Links = nil, nil, nil
		d.say(words)
	}
	author := o.Get("author")
	d.Account.Handle = first(d.Account.Handle, strings.TrimPrefix(author.Get("alternateName").String(), "@"), author.Get("identifier", "value").String())
	d.Account.Name = first(d.Account.Name, author.Get("name").String())
	for _, i := range append(o.Get("interactionStatistic").Array(), o.Get("interactionStatistic")) {
		kind := first(i.Get("interactionType").String(), i.Get("interactionType", "@type").String())
		name := map[string]string{"LikeAction": "likes", "CommentAction": "comments", "WatchAction": "views"}[kind[strings.LastIndexByte(kind, '/')+1:]]
		n, ok := i.Get("userInteractionCount").Int()
		if name == "" || !ok || n < 0 {
			continue
		}
		for j := range d.Counts { // exact in the place of rounded
			if d.Counts[j].Name == name {
				d.Counts = append(d.Counts[:j], d.Counts[j+1:]...)
				break
			}
		}
		d.Counts = append(d.Counts, post.ExactCount(name, n))
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1<<20 {
		return 0
	}
	return n
}

// unquote takes the caption out of its quotation marks.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	for _, q := range []struct{ open, close string }{{`"`, `"`}, {"“", "”"}, {"„", "“"}, {"«", "»"}} {
		if rest, ok := strings.CutPrefix(s, q.open); ok {
			if i := strings.LastIndex(rest, q.close); i >= 0 && strings.Trim(rest[i+len(q.close):], ". ") == "" {
				return rest[:i]
			}
			return rest
		}
	}
	return s
}

// metaCounts reads counts in words. 298K and 1.2M are rounded; 1,234 is not.
func (d *draft) metaCounts(words string) {
	for _, m := range numberForm.FindAllStringSubmatch(words, 6) {
		name := strings.ToLower(m[3])
		if name != "following" {
			name = strings.TrimSuffix(name, "s") + "s"
		}
		if name == "plays" {
			name = "views"
		}
		c, ok := wordCount(name, m[1], strings.ToUpper(m[2]))
		if !ok {
			continue
		}
		d.Counts = append(d.Counts, c)
	}
}

func wordCount(name, digits, unit string) (post.Count, bool) {
	if unit == "" {
		n, err := strconv.ParseInt(strings.NewReplacer(",", "", ".", "").Replace(digits), 10, 64)
		return post.ExactCount(name, n), err == nil
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(digits, ",", ""), 64)
	if err != nil || f > 1e6 {
		return post.Count{}, false
	}
	switch unit {
	case "K":
		f *= 1e3
	case "M":
		f *= 1e6
	case "B":
		f *= 1e9
	}
	return post.RoundedCount(name, int64(f+0.5)), true
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
