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
	"github.com/refrain-archive/refrain/post"
)

// interstitial gives the words of a notice that stands in for a page.
func interstitial(body []byte) string {
	e, ok := pagescan.First(body, func(_ string, a pagescan.Attrs) bool { return a.HasClass("uiInterstitialContent") })
	if !ok {
		return ""
	}
	words := e.Text()
	return words[:min(len(words), 200)]
}

// ours reports whether a page is of Facebook, by what its pages load or name.
func ours(body []byte) bool {
	for _, sign := range []string{"fbcdn.net", "https://www.facebook.com/", "m.facebook.com", "fb://", "facebook.com/rsrc.php"} {
		if bytes.Contains(body, []byte(sign)) {
			return true
		}
	}
	return false
}

// readHTML reads a page of any vintage: Comet's JSON in scripts, the ld+json and
// markup of desktop pages and embeds until 2022, the markup of m. and mbasic.,
// and head metadata.
func readHTML(s crawlers.Step, ex crawlers.Exchange) crawlers.Page {
	if !ours(ex.Body) {
		return crawlers.Page{Outcome: post.UnexpectedType, Reason: "HTML that is not a page of Facebook: " + crawlers.FirstWords(ex)}
	}
	c := newCollection(s, ex)
	scripts(ex.Body, holdsComet, func(script []byte) {
		for _, v := range scriptData(script, holdsComet) {
			c.read(v)
		}
	})
	markup := uncomment(ex.Body)
	marks := markupWords.In(markup)
	if marks.Has(liveKey) {
		c.live(markup)
	}
	h := pagescan.ReadHead(headPart(markup))
	c.linked(markup, h)
	c.mobile(markup, marks)
	if marks.Has(timeMark) {
		c.legacy(markup)
	}
	if s.Ref.Kind == crawlers.RefPost && !c.hasPost() {
		c.photoPage(markup, h)
	}
	self, known := selfRef(h, ex.URL)
	if self.Kind == crawlers.RefAccount && (s.Ref.Kind == crawlers.RefAccount || s.Ref.Kind == "" || s.Ref.Kind == crawlers.RefSite) {
		c.account(h, self)
	}
	c.selfAlias(h, s.Ref)
	if why, ok := c.asked(); !ok {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
	}
	if s.Ref.Kind == crawlers.RefPost && !c.hasPost() {
		if d := c.metaPost(h, self, known); d != nil {
			c.add(d)
			page := c.htmlPage()
			page.Outcome, page.Reason = post.OKMetaOnly, "head metadata: text as far as the preview goes, no time, no counts"
			return page
		}
	}
	if len(c.posts) > 0 {
		return c.htmlPage()
	}
	title := first(h.Meta("og:title"), h.Title)
	switch {
	case s.Ref.Kind == crawlers.RefGroup, s.Ref.Kind == crawlers.RefTag, s.Ref.Kind == crawlers.RefBoard:
		return crawlers.Page{Outcome: post.LoginWall, Reason: "the page holds no posts for readers who are not logged in: " + title}
	case h.Meta("og:title") == "" && bytes.Contains(ex.Body, []byte(`"USER_ID":"0"`)):
		return crawlers.Page{Outcome: post.LoginWall, Reason: "the empty page that is served to readers who are not logged in: " + first(title, "without a title")}
	}
	return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a page of Facebook without a post or profile of any known shape: " + title}
}

// htmlPage says how a page of the site ended.
func (c *collection) htmlPage() crawlers.Page {
	page := c.page(state{}, jsontree.Value{})
	switch c.step.Ref.Kind {
	case crawlers.RefPost:
		page.Coverage.End = "one post"
	case crawlers.RefAccount:
		page.Coverage.Window = true
		page.Coverage.End = "without login the site serves one or two newest posts of a page"
	}
	return page
}

func (c *collection) hasPost() bool {
	for i := range c.posts {
		switch c.posts[i].Kind {
		case post.KindAccount, post.KindComment:
		default:
			return true
		}
	}
	return false
}

// uncomment opens the markup that pages until 2022 carry within comments, for
// their scripts to put in place: <code><!-- … --></code>.
func uncomment(body []byte) []byte {
	if !bytes.Contains(body, []byte("<code")) || !bytes.Contains(body, []byte("<!--")) {
		return body
	}
	out := make([]byte, 0, len(body))
	for rest := body; ; {
		i := bytes.Index(rest, []byte("<!--"))
		if i < 0 {
			return append(out, rest...)
		}
		before := bytes.TrimRight(rest[:i], " \n\t")
		tag := bytes.LastIndexByte(before, '<')
		end := bytes.Index(rest[i:], []byte("-->"))
		if end < 0 {
			return append(out, rest...)
		}
		if tag >= 0 && bytes.HasPrefix(before[tag:], []byte("<code")) && bytes.HasSuffix(before, []byte(">")) {
			out = append(out, rest[:i]...)
			// Comments within: what closes them is written as an entity.
			out = append(out, bytes.ReplaceAll(rest[i+4:i+end], []byte("--&gt;"), []byte("-->"))...)
		} else {
			out = append(out, rest[:i+end+3]...)
		}
		rest = rest[i+end+3:]
	}
}

// headPart is the part of a page that its head metadata and ld+json stand in.
// Some vintages put them into the body; data in scripts is left out.
func headPart(body []byte) []byte {
	if i := bytes.Index(body, []byte("</head>")); i >= 0 {
		return body[:i+len("</head>")]
	}
	return body
}

// selfRef tells what a page says it is.
func selfRef(h *pagescan.Head, asked string) (crawlers.Ref, bool) {
	var found crawlers.Ref
	for _, raw := range []string{h.Link("canonical"), h.Meta("og:url"), asked} {
		r, ok := refOf(raw)
		if !ok || r.Kind == crawlers.RefShort {
			continue
		}
		if found.Kind == "" || found.Alias && !r.Alias && found.Kind == r.Kind && r.Kind == crawlers.RefPost {
			found = r
		}
	}
	return found, found.Kind != ""
}

// selfAlias notes that the pfbid of a page's own address and its number, which
// another of its addresses has, are one post.
func (c *collection) selfAlias(h *pagescan.Head, asked crawlers.Ref) {
	number, alias := "", map[string]bool{}
	refs := []crawlers.Ref{asked}
	_, refresh, _ := strings.Cut(h.Meta("refresh"), "URL=")
	for _, raw := range []string{h.Link("canonical"), h.Meta("og:url"), refresh} {
		if r, ok := refOf(raw); ok {
			refs = append(refs, r)
		}
	}
	for _, r := range refs {
		switch {
		case r.Kind != crawlers.RefPost:
		case r.Alias:
			alias[r.ID] = true
		case number == "":
			number = r.ID
		}
	}
	if number == "" {
		items := 0
		for i := range c.posts {
			if p := &c.posts[i]; p.Kind != post.KindComment && p.Kind != post.KindAccount {
				number = p.ID
				items++
			}
		}
		if items != 1 {
			return
		}
	}
	for id := range alias {
		c.identities = append(c.identities, crawlers.Identity{Kind: crawlers.RefPost, Alias: id, ID: number})
	}
	c.identities = unique(c.identities)
}

var (
	likesForm = regexp.MustCompile(`(\d[\d.,\x{a0}]*\s?[KMB]?) (likes?|followers?|talking about this|were here|check-?ins?)\b`)
	appForm   = regexp.MustCompile(`^fb://(?:profile|page|group)/\??(?:id=)?(\d+)`)
)

// account reads a page's profile from its head.
func (c *collection) account(h *pagescan.Head, self crawlers.Ref) {
	name, desc := h.Meta("og:title"), h.Meta("og:description", "description")
	id := ""
	if !self.Alias {
		id = self.ID
	}
	for _, app := range []string{h.Meta("al:ios:url"), h.Meta("al:android:url")} {
		if m := appForm.FindStringSubmatch(app); m != nil {
			id = m[1]
		}
	}
	for _, i := range c.identities {
		if self.Alias && i.Kind == crawlers.RefAccount && i.Alias == self.ID && id == "" {
			id = i.ID
		}
	}
	if name == "" || desc == "" && id == "" {
		return
	}
	d := &draft{Post: post.Post{ID: first(id, self.ID), Kind: post.KindAccount}}
	d.by(id, name, first(namedBy(h), site+"/"+self.ID), h.Meta("og:image"))
	if d.Account.Handle == "" && self.Alias {
		d.Account.Handle, d.Account.URL = self.ID, self.URL
	}
	d.URL, d.Title = d.Account.URL, name
	last := 0
	for _, m := range likesForm.FindAllStringSubmatchIndex(desc, 6) {
		words := desc[m[4]:m[5]]
		key := strings.TrimSuffix(words, "s") + "s"
		switch {
		case strings.HasPrefix(words, "talking"):
			key = "talking_about"
		case strings.HasPrefix(words, "were"):
			key = "were_here"
		case strings.HasPrefix(words, "check"):
			key = "checkins"
		}
		d.words(key, desc[m[2]:m[3]])
		last = m[1]
	}
	words := strings.TrimSpace(strings.TrimLeft(desc[last:], ". ·"))
	if last == 0 {
		words = strings.TrimSpace(strings.TrimPrefix(desc, name+"."))
	}
	d.say(words)
	c.add(d)
}

// namedBy is the address by which a page's head calls its account by name.
func namedBy(h *pagescan.Head) string {
	for _, raw := range []string{h.Meta("og:url"), h.Link("canonical")} {
		if handleOf(raw) != "" && strings.Contains(raw, "://") {
			return raw
		}
	}
	return ""
}

// metaPost reads a post from its page's head, where nothing else holds it.
func (c *collection) metaPost(h *pagescan.Head, self crawlers.Ref, known bool) *draft {
	id := c.step.Ref.ID
	if c.step.Ref.Alias {
		if self.Kind == crawlers.RefPost && !self.Alias {
			id = self.ID
		}
		for _, i := range c.identities {
			if i.Kind == crawlers.RefPost && i.Alias == c.step.Ref.ID {
				id = i.ID
			}
		}
	}
	if known && self.Kind != crawlers.RefPost || h.Meta("og:title") == "" || h.Meta("og:description") == "" {
		return nil
	}
	if self.Kind == crawlers.RefPost && self.ID != id && !self.Alias {
		return nil
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindPost, URL: c.step.Ref.URL, Outcome: post.OKMetaOnly}}
	owner := self.Of
	if strings.Contains(owner, "/") {
		owner = ""
	}
	number := ""
	if isNumber(owner) {
		number = owner
	}
	d.by(number, h.Meta("og:title"), site+"/"+owner, "")
	d.say(h.Meta("og:description"))
	if to := h.Meta("og:video:secure_url", "og:video", "og:video:url"); to != "" {
		d.Kind = post.KindVideo
		d.media(post.Media{Kind: post.MediaVideo, URL: to}, h.Meta("og:image"))
	} else if to := h.Meta("og:image"); to != "" && !strings.Contains(to, "rsrc.php") {
		d.media(post.Media{Kind: post.MediaImage, URL: to, Alt: h.Meta("og:image:alt")}, "")
	}
	return d
}

// linked reads the ld+json of desktop pages until 2022.
func (c *collection) linked(markup []byte, h *pagescan.Head) {
	all := h.LD
	if len(all) == 0 && bytes.Contains(markup, []byte("ld+json")) {
		all = pagescan.ReadHead(markup).LD
	}
	for _, o := range all {
		text := func(keys ...string) string { return o.Get(keys...).String() }
		switch text("@type") {
		case "SocialMediaPosting", "DiscussionForumPosting", "VideoObject":
		default:
			continue
		}
		id, _, _ := strings.Cut(text("identifier"), ":")
		link := text("url")
		if ref, ok := refOf(link); ok && ref.Kind == crawlers.RefPost && !isNumber(id) && !ref.Alias {
			id = ref.ID
		}
		if !isNumber(id) {
			continue
		}
		d := &draft{Post: post.Post{ID: id, Kind: post.KindPost}}
		if text("@type") == "VideoObject" {
			d.Kind = post.KindVideo
		}
		author := o.Get("author")
		if !author.IsObject() {
			author = o.Get("creator")
		}
		d.by(author.Get("identifier").String(), author.Get("name").String(), first(author.Get("url").String(), text("isPartOf")), "")
		d.say(first(text("articleBody"), text("description")))
		d.Created = graphTime(first(text("dateCreated"), text("datePublished"), text("uploadDate")))
		for _, i := range o.Get("interactionStatistic").Array() {
			kind := i.Get("interactionType").String()
			if kind == "" {
				kind = i.Get("interactionType", "@type").String()
			}
			name := map[string]string{"CommentAction": "comments", "LikeAction": "reactions", "ShareAction": "shares", "WatchAction": "views"}[kind[strings.LastIndexByte(kind, '/')+1:]]
			if n, ok := i.Get("userInteractionCount").Int(); ok && name != "" && n >= 0 {
				d.add(post.ExactCount(name, n))
			}
		}
		for _, x := range append(o.Get("image").Array(), o.Get("image")) {
			if to := first(x.String(), x.Get("contentUrl").String(), x.Get("url").String()); to != "" {
				d.media(post.Media{Kind: post.MediaImage, URL: to}, "")
			}
		}
		if to := text("contentUrl"); to != "" {
			d.media(post.Media{Kind: post.MediaVideo, URL: to}, text("thumbnailUrl"))
		}
		d.address("")
		d.alias(link)
		c.add(d)
		for _, x := range o.Get("comment").Array() {
			c.linkedComment(x, id)
		}
	}
}

func (c *collection) linkedComment(x jsonx.Value, thread string) {
	id := x.Get("identifier").String()
	if _, after, ok := strings.Cut(id, "_"); ok {
		id = after
	}
	if !isNumber(id) {
		return
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindComment, Thread: thread, Refs: []post.Ref{{Role: post.RoleCommentOn, ID: thread}}}}
	a := x.Get("author")
	d.by(a.Get("identifier").String(), a.Get("name").String(), a.Get("url").String(), "")
	d.say(x.Get("text").String())
	d.Created = graphTime(x.Get("dateCreated").String())
	c.add(d)
}

var subtitleForm = regexp.MustCompile(`(?:feed_subtitle_|top_level_post_id&quot;:&quot;|ft_ent_identifier" value="|ft_ent_identifier=)(?:\d+[;_])?(\d{6,20})`)

// legacy reads posts as desktop pages and the official embeds mark them up.
func (c *collection) legacy(markup []byte) {
	found := pagescan.Find(markup, func(_ string, a pagescan.Attrs) bool {
		return a.HasClass("userContentWrapper") || a.HasClass("fbUserContent") || a.HasClass("_5pcr") || a.HasClass("fbUserPost")
	})
	if len(found) == 0 {
		found = []pagescan.Element{{Inner: markup, End: len(markup)}}
	}
	for _, e := range found {
		if d := c.legacyPost(e.Inner); d != nil {
			c.add(d)
		}
	}
}

// legacyPost reads one post. It is told by the number in its parts or, in an
// embed of one post, by what was asked for.
func (c *collection) legacyPost(src []byte) *draft {
	d := &draft{Post: post.Post{Kind: post.KindPost}}
	if m := subtitleForm.FindSubmatch(src); m != nil {
		d.ID = string(m[1])
	}
	var text []byte
	var author pagescan.Element
	type picture struct{ url, alt string }
	var pictures []picture
	link, large := "", ""
	name := func(a pagescan.Attrs) bool {
		return a.HasClass("fwb") || a.HasClass("profileLink") || a.HasClass("_2_79") || a.Get("data-ft") == `{"tn":"k"}`
	}
	pagescan.Find(src, func(tag string, a pagescan.Attrs) bool {
		switch {
		case tag == "abbr" && a.Has("data-utime"):
			if n, err := strconv.ParseInt(a.Get("data-utime"), 10, 64); err == nil && n > 0 && n < 1e11 && d.Created.IsZero() {
				d.Created = post.Exact(time.Unix(n, 0), "")
			}
		case tag == "a":
			if to := a.Get("data-ploi"); to != "" {
				large = to
			}
			if ref, ok := refOf(a.Get("href")); ok && ref.Kind == crawlers.RefPost && link == "" {
				link = a.Get("href")
			}
		case tag == "img" && !a.HasClass("_s0") && !a.HasClass("emoji") && isWeb(a.Get("src")) && (a.HasClass("scaledImageFitWidth") || a.HasClass("scaledImageFitHeight") || a.HasClass("_3chq") || strings.HasPrefix(a.Get("alt"), "Image may contain") || strings.HasPrefix(a.Get("alt"), "May be ")):
			pictures = append(pictures, picture{first(large, a.Get("src")), a.Get("alt")})
			large = ""
		}
		return false
	})
	if e, ok := pagescan.First(src, func(_ string, a pagescan.Attrs) bool { return name(a) }); ok {
		author = e
	}
	if e, ok := pagescan.First(src, func(_ string, a pagescan.Attrs) bool {
		return a.Get("data-testid") == "post_message" || a.HasClass("userContent") || a.HasClass("_5pbx")
	}); ok {
		text = e.Inner
	}
	if d.Created.IsZero() && text == nil {
		return nil
	}
	ref, ok := refOf(link)
	if d.ID == "" && ok && !ref.Alias {
		d.ID = ref.ID
	}
	if d.ID == "" && c.step.Ref.Kind == crawlers.RefPost {
		d.ID = c.step.Ref.ID // an embed of one post
	}
	if d.ID == "" {
		return nil
	}
	href := author.Attrs.Get("href")
	if e, ok := pagescan.First(author.Inner, func(tag string, _ pagescan.Attrs) bool { return tag == "a" }); ok {
		href = e.Attrs.Get("href")
		author = e
	}
	owner, _ := refOf(href)
	number := ""
	if owner.Kind == crawlers.RefAccount && !owner.Alias {
		number = owner.ID
	}
	d.by(number, author.Text(), href, "")
	base, _ := url.Parse(site)
	content := htmltext.Fragment(string(text), base)
	for _, l := range content.Links {
		if to := unwrap(l); to != l || !strings.Contains(l, "facebook.com") {
			d.link(to)
		}
	}
	d.say(content.Text)
	for _, p := range pictures {
		d.media(post.Media{Kind: post.MediaImage, URL: p.url, Alt: p.alt}, "")
	}
	if bytes.Contains(src, []byte("<video")) || ref.URL != "" && strings.Contains(ref.URL, "/watch/") {
		d.Kind = post.KindVideo
	}
	d.address(first(number, ref.Of))
	d.alias(link)
	return d
}
