package blogspot

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

func resolve(href string, base *url.URL) (string, bool) {
	if href == "" {
		return "", false
	}
	return htmltext.Resolve(href, base)
}

// What a theme's page says of itself outside its posts.
var (
	contextBlog  = regexp.MustCompile(`^['"]blogId['"]\s*:\s*['"]?(\d+)`)
	contextPost  = regexp.MustCompile(`^['"]postId['"]\s*:\s*['"]?(\d+)`)
	contextPage  = regexp.MustCompile(`^['"]pageId['"]\s*:\s*['"]?(\d+)`)
	contextLang  = regexp.MustCompile(`^['"]locale['"]\s*:\s*'([a-zA-Z-]{2,10})'`)
	serviceBlog  = regexp.MustCompile(`blogger\.com/(?:feeds|atom)/(\d+)`)
	targetBlog   = regexp.MustCompile(`[?&](?:targetBlogID|blogID)(?:=|\\x3d|\\75)(\d+)`)
	commentsPost = regexp.MustCompile(`/feeds/(\d+)/comments/default`)
	bodyID       = regexp.MustCompile(`^post-body-(\d+)$`)
	shownComment = regexp.MustCompile(`[?&]showComment=(\d{12,14})`)
	isError      = regexp.MustCompile(`^['"]isError['"]\s*:\s*(true)`)
	number       = regexp.MustCompile(`\d[\d.,\x{a0}]*`)
)

// A themePage is what holds for all posts of a page.
type themePage struct {
	head   *pagescan.Head
	blogID string
	postID string // where the page is of one post
	lang   string
	base   *url.URL
	self   string // the page's own address as it states it
}

func submatch(re *regexp.Regexp, s []byte) string {
	if m := re.FindSubmatch(s); m != nil {
		return string(m[1])
	}
	return ""
}

// around gives what form finds in a piece of the page that begins back bytes
// before name: the first there is. An expression that begins with a choice is
// slow on a whole page, a name is found at once.
func around(name string, back int, form *regexp.Regexp, page []byte) string {
	const most = 200 // bytes of a member: name, white space, value
	for from := 0; ; {
		i := bytes.Index(page[from:], []byte(name))
		if i < 0 {
			return ""
		}
		i += from
		from = i + len(name)
		if found := submatch(form, page[max(i-back, 0):min(i+most, len(page))]); found != "" {
			return found
		}
	}
}

// readHTML reads a page of a theme: one post, a list of them, or a profile.
func readHTML(s crawlers.Step, ex crawlers.Exchange) crawlers.Page {
	if strings.HasPrefix(s.Ref.ID, "profile/") {
		return readProfile(s, ex)
	}
	h := pagescan.ReadHead(ex.Body)
	t := themePage{head: h, self: first(h.Link("canonical"), h.Meta("og:url"))}
	t.base, _ = url.Parse(first(t.self, ex.URL))
	if asked, err := url.Parse(ex.URL); err == nil && t.base != nil && t.base.Host == "" {
		t.base = asked.ResolveReference(t.base)
	}
	t.blogID = first(around("blogId", 1, contextBlog, ex.Body), h.Meta("blogid"), submatch(serviceBlog, ex.Body))
	if t.blogID == "" {
		t.blogID = around("logID", len("?targetB"), targetBlog, ex.Body) // of both its names
	}
	t.lang = first(h.Lang, around("locale", 1, contextLang, ex.Body))
	t.postID = first(around("postId", 1, contextPost, ex.Body), around("pageId", 1, contextPage, ex.Body))
	for _, l := range h.Links {
		if m := commentsPost.FindStringSubmatch(l.Href); m != nil && t.postID == "" {
			t.postID = m[1]
		}
	}
	if !isBloggerPage(h) && t.blogID == "" {
		return crawlers.Page{Outcome: post.UnexpectedType, Reason: "HTML that is not a page of Blogger: " + h.Title}
	}
	if s.Ref.Kind == crawlers.RefPost && s.Ref.Alias && t.self != "" && !samePath(s.Ref.URL, t.self) {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("the page is %s, %s was asked for", t.self, s.Ref.URL)}
	}
	if want := wantBlog(s.Ref); want != "" && t.blogID != "" && want != t.blogID {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("the page is of blog %s, blog %s was asked for", t.blogID, want)}
	}
	var page crawlers.Page
	single := s.Ref.Kind == crawlers.RefPost || t.base != nil && (datedPath.MatchString(t.base.Path) || pagePath.MatchString(t.base.Path))
	for _, part := range containers(ex.Body) {
		p, ok := t.post(part, single)
		if !ok {
			continue
		}
		if known(page.Posts, p.ID) {
			continue
		}
		page.Posts = append(page.Posts, p)
	}
	if single && t.postID != "" { // "popular posts" and the like are not what was asked for
		for i := range page.Posts {
			if page.Posts[i].ID == t.postID {
				page.Posts = page.Posts[i : i+1]
				break
			}
		}
	}
	if single && s.Ref.Kind == crawlers.RefPost && !s.Ref.Alias && (len(page.Posts) != 1 || page.Posts[0].ID != s.Ref.ID) {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "the page is not post " + s.Ref.ID}
	}
	if len(page.Posts) == 0 && single && t.postID != "" {
		if p, ok := t.fromHead(); ok {
			page.Posts = append(page.Posts, p)
			page.Outcome, page.Reason = post.OKMetaOnly, "the theme shows no post-body, only the page's metadata was read"
		}
	}
	home := ""
	if t.base != nil && t.base.Host != "" {
		home = t.base.Scheme + "://" + t.base.Host + "/"
	}
	page.Identities = identities(s.Ref, ex.URL, t.blogID, home)
	if len(page.Posts) == 0 {
		if around("isError", 1, isError, ex.Body) != "" {
			return crawlers.Page{Outcome: post.NotFound, Reason: "error page of the theme: " + h.Title}
		}
		if single || t.blogID == "" || h.Title == "" {
			page.Outcome, page.Reason = post.LayoutChanged, "a page of Blogger on which no post was found: "+h.Title
			return page
		}
		// Dynamic views and phone lists load their posts by script: the feed has them.
		page.Outcome, page.Reason = post.OKMetaOnly, "the theme's page holds no posts; the feed has them"
		page.Posts = []post.Post{{ID: "blog-" + t.blogID, Kind: post.KindAccount, URL: home, Title: h.Title, Text: h.Meta("og:description", "description"), Lang: t.lang, Outcome: post.OKMetaOnly}}
		page.Coverage = crawlers.Coverage{End: "the feed has the posts"}
		if s.Ref.Kind != crawlers.RefPost && s.Route == routeHTML {
			page.Coverage.End = ""
			page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: routeFeed})
		}
		return page
	}
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Oldest: oldest(page.Posts), End: "one post"}
	if !single {
		page.Coverage.Window, page.Coverage.End = true, "the page shows the newest posts; the feed has all"
	}
	if single {
		p := &page.Posts[0]
		if p.URL != "" && s.Ref.Kind == crawlers.RefPost && s.Ref.Alias && p.ID != "" {
			page.Identities = append(page.Identities, crawlers.Identity{Kind: crawlers.RefPost, Alias: s.Ref.ID, ID: p.ID, URL: p.URL})
		}
		comments := t.comments(ex.Body, p)
		blog := blogOf(s.Ref)
		if blog == "" {
			blog = t.blogID
		}
		feedRef := newRef(crawlers.RefPost, p.ID, blog, p.URL, false)
		// The feed has what pages lack: the moment of the last edit, the count of comments.
		if s.Role != crawlers.RoleHydrate {
			page.Next = append(page.Next, crawlers.Step{Ref: feedRef, Route: routeFeed, Role: crawlers.RoleHydrate})
		}
		if n := count(p); n > 0 || len(comments) > 0 || len(p.Counts) == 0 {
			page.Next = append(page.Next, crawlers.Step{Ref: feedRef, Route: routeFeed, Role: crawlers.RoleComments})
		}
		page.Posts = append(page.Posts, comments...)
	}
	for i := range page.Posts {
		page.Assets = append(page.Assets, assets(page.Posts[i])...)
	}
	return page
}

func known(posts []post.Post, id string) bool {
	for i := range posts {
		if posts[i].ID == id {
			return true
		}
	}
	return false
}

// samePath reports whether two addresses have the same path, whatever their
// host: a blog may have moved to its own domain.
func samePath(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	if errA != nil || errB != nil {
		return false
	}
	return strings.EqualFold(strings.TrimSuffix(ua.Path, "/"), strings.TrimSuffix(ub.Path, "/"))
}

// containers cuts a page into its posts. Themes put each into an article or a
// div of class hentry or post-outer, or mark it as a BlogPosting.
func containers(body []byte) []pagescan.Element {
	found := pagescan.Find(body, func(tag string, a pagescan.Attrs) bool {
		switch tag {
		case "div", "article", "li", "section":
			return a.HasClass("hentry") || a.HasClass("post") || a.HasClass("Post") || a.HasClass("post-outer") || a.HasClass("post-outer-container") || strings.HasSuffix(a.Get("itemtype"), "schema.org/BlogPosting")
		}
		return false
	})
	var whole []pagescan.Element
	for _, e := range found {
		if _, ok := bodyOf(e.Inner); ok {
			whole = append(whole, e)
		}
	}
	if len(whole) > 0 {
		return whole
	}
	// A theme of another make: the page as a whole is the post's.
	if _, ok := bodyOf(body); ok {
		whole = append(whole, pagescan.Element{Inner: body})
	}
	return whole
}

func isBody(tag string, a pagescan.Attrs) bool {
	switch tag {
	case "div", "article", "section", "span":
		return bodyID.MatchString(a.Get("id")) || a.HasClass("post-body") || strings.Contains(a.Get("itemprop"), "articleBody")
	}
	return false
}

func bodyOf(part []byte) (pagescan.Element, bool) {
	if e, ok := pagescan.First(part, isBody); ok {
		return e, true
	}
	return pagescan.First(part, func(tag string, a pagescan.Attrs) bool {
		return tag == "div" && (a.HasClass("entry-content") || a.HasClass("post-content"))
	})
}

// post reads one container.
func (t *themePage) post(part pagescan.Element, single bool) (post.Post, bool) {
	body, ok := bodyOf(part.Inner)
	if !ok {
		return post.Post{}, false
	}
	p := post.Post{Kind: post.KindPost, Lang: t.lang}
	inner := pagescan.ReadHead(part.Inner)
	if m := bodyID.FindStringSubmatch(body.Attrs.Get("id")); m != nil {
		p.ID = m[1]
	}
	p.ID = first(p.ID, inner.Meta("postid"))
	if p.ID == "" {
		if e, ok := pagescan.First(part.Inner, func(tag string, a pagescan.Attrs) bool {
			return tag == "a" && digits.MatchString(a.Get("name")) && len(a.Get("name")) > 5
		}); ok {
			p.ID = e.Attrs.Get("name")
		}
	}
	if p.ID == "" && single {
		p.ID = t.postID
	}
	if p.ID == "" {
		return post.Post{}, false
	}
	var posting jsonx.Value
	for _, o := range inner.LD {
		if strings.HasSuffix(o.Get("@type").String(), "BlogPosting") {
			posting = o
			break
		}
	}
	if e, ok := pagescan.First(part.Inner, func(tag string, a pagescan.Attrs) bool {
		return a.HasClass("post-title") || a.HasClass("entry-title")
	}); ok {
		p.Title = e.Text()
		if a, ok := pagescan.First(e.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "a" && a.Get("href") != "" }); ok {
			p.URL, _ = resolve(a.Attrs.Get("href"), t.base)
		}
	}
	p.Title = first(p.Title, posting.Get("headline").String())
	if e, ok := pagescan.First(part.Inner, func(tag string, a pagescan.Attrs) bool {
		return tag == "a" && (a.HasClass("timestamp-link") || a.Get("rel") == "bookmark")
	}); ok {
		if to, ok := resolve(e.Attrs.Get("href"), t.base); ok {
			p.URL = to
		}
	}
	if id := posting.Get("mainEntityOfPage", "@id").String(); id != "" {
		p.URL = id
	}
	if single {
		if p.Title == "" {
			p.Title = t.head.Meta("og:title")
		}
		p.URL = first(t.self, p.URL)
	}
	p.URL = canonical(p.URL)
	if u, err := url.Parse(p.URL); err == nil && pagePath.MatchString(u.Path) {
		p.Kind = post.KindPage
	}
	fill(&p, string(body.Inner), t.base)
	p.Account = accountIn(part.Inner, body)
	if p.Account.Name == "" {
		p.Account.Name = posting.Get("author", "name").String()
	}
	p.Created = dateIn(part.Inner)
	if ld := posting.Get("datePublished").String(); p.Created.IsZero() && ld != "" {
		p.Created = moment(ld)
	}
	if m := moment(posting.Get("dateModified").String()); !m.IsZero() && m.Time.After(p.Created.Time) {
		p.Edited = m
	}
	for _, a := range pagescan.Find(part.Inner, func(tag string, a pagescan.Attrs) bool {
		return tag == "a" && a.Get("rel") == "tag"
	}) {
		if label := a.Text(); label != "" && !contains(p.Tags, label) {
			p.Tags = append(p.Tags, label)
		}
	}
	if a, ok := pagescan.First(part.Inner, func(tag string, a pagescan.Attrs) bool {
		return a.HasClass("comment-link") && tag == "a"
	}); ok {
		addCommentCount(&p, a.Text())
	}
	return p, true
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// addCommentCount reads "12 comments" in whatever language. Words without a
// number ("No comments") are not counted.
func addCommentCount(p *post.Post, words string) {
	m := number.FindString(words)
	if m == "" || len(p.Counts) > 0 {
		return
	}
	n, err := strconv.ParseInt(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, m), 10, 64)
	if err == nil {
		p.Counts = append(p.Counts, post.ExactCount("comments", n))
	}
}

// accountIn finds the author that a theme names beside a post's body.
func accountIn(part []byte, body pagescan.Element) post.Account {
	var acc post.Account
	outside := part
	if i := body.Start; i > 0 && i < len(part) { // the body may quote profiles
		end := min(i+len(body.Inner), len(part))
		outside = append(append([]byte(nil), part[:i]...), part[end:]...)
	}
	box, ok := pagescan.First(outside, func(tag string, a pagescan.Attrs) bool {
		return a.Get("itemprop") == "author" || a.HasClass("post-author") || a.HasClass("author") || a.HasClass("byline")
	})
	if !ok {
		return acc
	}
	if e, ok := pagescan.First(box.Inner, func(tag string, a pagescan.Attrs) bool { return a.Get("itemprop") == "name" || a.HasClass("fn") }); ok {
		acc.Name = e.Text()
	}
	for _, e := range pagescan.Find(box.Inner, func(tag string, a pagescan.Attrs) bool {
		return tag == "meta" && a.Get("itemprop") == "url" || tag == "a"
	}) {
		to := first(e.Attrs.Get("content"), e.Attrs.Get("href"))
		if m := profileOf.FindStringSubmatch(to); m != nil {
			acc.ID, acc.URL = m[1], "https://www.blogger.com/profile/"+m[1]
			if acc.Name == "" {
				acc.Name = e.Text()
			}
		} else if acc.URL == "" && strings.HasPrefix(to, "http") {
			acc.URL = to
		}
	}
	if acc.Name == "" && box.Attrs.Get("itemprop") == "author" {
		acc.Name = box.Text()
	}
	return acc
}

// dateIn finds the moment that a theme shows with a post.
func dateIn(part []byte) post.Time {
	e, ok := pagescan.First(part, func(tag string, a pagescan.Attrs) bool {
		if tag != "abbr" && tag != "time" && tag != "meta" && tag != "span" {
			return false
		}
		return (a.Get("itemprop") == "datePublished" || a.HasClass("published")) && !moment(first(a.Get("title"), a.Get("datetime"), a.Get("content"))).IsZero()
	})
	if !ok {
		return post.Time{}
	}
	return moment(first(e.Attrs.Get("title"), e.Attrs.Get("datetime"), e.Attrs.Get("content")))
}

// fromHead makes what can be had of a post whose theme shows no body that we
// know.
func (t *themePage) fromHead() (post.Post, bool) {
	title := t.head.Meta("og:title")
	if title == "" { // "BLOG: POST"
		_, title, _ = strings.Cut(t.head.Title, ": ")
	}
	if title == "" {
		return post.Post{}, false
	}
	p := post.Post{ID: t.postID, Kind: post.KindPost, URL: canonical(t.self), Title: title, Text: t.head.Meta("og:description"), Lang: t.lang, Outcome: post.OKMetaOnly}
	if img, ok := resolve(t.head.Meta("og:image"), t.base); ok {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: img})
	}
	for _, o := range t.head.LD {
		if strings.HasSuffix(o.Get("@type").String(), "BlogPosting") {
			p.Created = moment(o.Get("datePublished").String())
			p.Account.Name = o.Get("author", "name").String()
			break
		}
	}
	return p, true
}

// comments reads the comments that stand on a post's page: as a list that the
// theme wrote, or as the data of its threaded view.
func (t *themePage) comments(body []byte, p *post.Post) []post.Post {
	area, ok := pagescan.First(body, func(tag string, a pagescan.Attrs) bool { return a.Get("id") == "comments" })
	if !ok {
		return nil
	}
	if h, ok := pagescan.First(area.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "h3" || tag == "h4" }); ok {
		addCommentCount(p, h.Text())
	}
	var all []post.Post
	add := func(c post.Post, parent string) {
		c.Kind, c.Thread = post.KindComment, p.ID
		c.Refs = []post.Ref{{Role: post.RoleCommentOn, ID: p.ID, URL: p.URL}}
		if parent != "" {
			c.Refs = append(c.Refs, post.Ref{Role: post.RoleReplyTo, ID: parent})
		}
		if c.URL == "" && p.URL != "" {
			c.URL = p.URL + "#c" + c.ID
		}
		if !known(all, c.ID) {
			all = append(all, c)
		}
	}
	if raw, ok := jsonx.After(area.Inner, "var items"); ok {
		if v, err := jsonx.Parse(raw); err == nil {
			for _, item := range v.Array() {
				id := item.Get("id").String()
				if id == "" {
					continue
				}
				c := post.Post{ID: id, Account: author{Name: item.Get("author", "name").String(), URI: item.Get("author", "profileUrl").String(), Image: item.Get("author", "avatarUrl").String()}.account()}
				fill(&c, item.Get("body").String(), t.base)
				c.Created = millis(item.Get("timestamp").String())
				if strings.Contains(item.Get("deleteclass").String(), "deleted") || strings.Contains(item.Get("body").String(), "deleted-comment") {
					c.Outcome = removal(c.Text)
				}
				add(c, item.Get("parentId").String())
			}
			return all
		}
	}
	// Flat: <dt id=cN>author</dt><dd class=comment-body>…</dd><dd class=comment-footer>…</dd>
	// Threaded: <li id=cN> or <div id=cN> … <p class=comment-content>
	for _, c := range commentParts(area.Inner) {
		q := post.Post{ID: c.id}
		if e, ok := pagescan.First(c.src, func(tag string, a pagescan.Attrs) bool {
			return a.HasClass("comment-body") || a.HasClass("comment-content") || a.HasClass("comment-body-author")
		}); ok {
			fill(&q, string(e.Inner), t.base)
			if strings.Contains(string(e.Inner), "deleted-comment") {
				q.Outcome = removal(q.Text)
			}
		}
		if e, ok := pagescan.First(c.src, func(tag string, a pagescan.Attrs) bool { return a.HasClass("user") || a.HasClass("comment-author") }); ok {
			q.Account.Name = e.Text()
		}
		for _, a := range pagescan.Find(c.src, func(tag string, a pagescan.Attrs) bool { return tag == "a" && a.Get("href") != "" }) {
			href := html.UnescapeString(a.Attrs.Get("href"))
			if m := profileOf.FindStringSubmatch(href); m != nil && q.Account.ID == "" {
				q.Account.ID, q.Account.URL = m[1], "https://www.blogger.com/profile/"+m[1]
				if text := a.Text(); text != "" {
					q.Account.Name = text
				}
			}
			if m := shownComment.FindStringSubmatch(href); m != nil && q.Created.IsZero() {
				q.Created = millis(m[1])
				q.Created.Raw = a.Text()
				if to, ok := resolve(href, t.base); ok {
					q.URL = canonical(to)
				}
			}
		}
		q.Account.Name = strings.TrimSpace(strings.TrimSuffix(q.Account.Name, " said..."))
		add(q, c.parent)
	}
	return all
}

type commentPart struct {
	id, parent string
	src        []byte
}

// commentParts cuts the comment area at the elements with ids cN. Replies lie
// inside the thread that follows the comment that they answer (id cN-rt).
func commentParts(area []byte) []commentPart {
	threads := pagescan.Find(area, func(tag string, a pagescan.Attrs) bool { return strings.HasSuffix(a.Get("id"), "-rt") })
	marks := starts(area)
	var parts []commentPart
	for i, m := range marks {
		end := len(area)
		if i+1 < len(marks) {
			end = marks[i+1].at
		}
		part := commentPart{id: m.id, src: area[m.at:end]}
		for _, th := range threads {
			if m.at > th.Start && m.at < th.End {
				parent := strings.TrimSuffix(strings.TrimPrefix(th.Attrs.Get("id"), "c"), "-rt")
				if parent != m.id && digits.MatchString(parent) {
					part.parent = parent
				}
			}
		}
		parts = append(parts, part)
	}
	return parts
}

type start struct {
	at int
	id string
}

var commentStart = regexp.MustCompile(`<[a-z]+\s[^<>]*?\bid=['"]?c(\d{6,25})['"\s>]`)

func starts(area []byte) []start {
	var all []start
	seen := map[string]bool{}
	for _, m := range commentStart.FindAllSubmatchIndex(area, -1) {
		id := string(area[m[2]:m[3]])
		if !seen[id] {
			seen[id] = true
			all = append(all, start{m[0], id})
		}
	}
	return all
}

// millis reads milliseconds since 1970.
func millis(raw string) post.Time {
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n <= 0 {
		return post.Time{}
	}
	if t := time.UnixMilli(n); sane(t) {
		return post.Exact(t, "")
	}
	return post.Time{}
}

// readProfile reads an author's profile: the person, and steps to the blogs.
func readProfile(s crawlers.Step, ex crawlers.Exchange) crawlers.Page {
	h := pagescan.ReadHead(ex.Body)
	id := strings.TrimPrefix(s.Ref.ID, "profile/")
	name := ""
	if e, ok := pagescan.First(ex.Body, func(tag string, a pagescan.Attrs) bool { return tag == "h1" }); ok {
		name = e.Text()
	}
	if name == "" {
		_, name, _ = strings.Cut(h.Title, ": ")
	}
	if name == "" || !strings.Contains(string(ex.Body), id) {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "not the profile of " + id + ": " + h.Title}
	}
	p := post.Post{ID: "profile-" + id, Kind: post.KindAccount, URL: "https://www.blogger.com/profile/" + id, Outcome: post.OKMetaOnly}
	p.Account = post.Account{ID: id, Name: name, URL: p.URL}
	p.Title = name
	page := crawlers.Page{Posts: []post.Post{p}}
	for _, a := range pagescan.Find(ex.Body, func(tag string, a pagescan.Attrs) bool {
		return tag == "a" && strings.Contains(a.Get("rel"), "contributor-to")
	}) {
		if ref, ok := refOf(a.Attrs.Get("href")); ok {
			page.Next = append(page.Next, crawlers.Step{Ref: ref, Route: routeFeed})
		}
	}
	page.Coverage.Served = 1
	if len(page.Next) == 0 {
		page.Coverage.End = "the profile names no blogs"
	}
	return page
}
