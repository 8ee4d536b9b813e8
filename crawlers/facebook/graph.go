package facebook

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// isGraphPost reports whether o is a post or comment of the Graph API. What
// stands in a post as an attachment has no created_time.
func isGraphPost(o jsontree.Value) bool {
	if !o.Get("created_time").IsString() || o.Get("text").Exists() && o.Get("username").Exists() {
		return false
	}
	if id := o.Get("id").String(); pagePost.MatchString(id) || isNumber(id) {
		return true
	}
	_, ok := refOf(o.Get("permalink_url").String())
	return ok
}

func refOf(address string) (crawlers.Ref, bool) {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return crawlers.Ref{}, false
	}
	if u.Host == "" {
		return inner(address, 0)
	}
	return match(u, 0)
}

// graphPost reads a post or comment of the Graph API.
func (c *collection) graphPost(o jsontree.Value) {
	link := o.Get("permalink_url").String()
	if u, err := url.Parse(link); err == nil && u.Query().Get("comment_id") != "" || c.step.Role == crawlers.RoleComments || o.Has("comment_count") && !o.Has("shares") {
		c.graphComment(o, link)
		return
	}
	c.add(readGraphPost(o))
	for _, x := range o.Get("comments", "data").Array() {
		if isGraphPost(x) {
			c.graphComment(x, first(x.Get("permalink_url").String(), link))
		}
	}
}

func readGraphPost(o jsontree.Value) *draft {
	owner, id := "", o.Get("id").String()
	if m := pagePost.FindStringSubmatch(id); m != nil {
		owner, id = m[1], m[2]
	}
	link := o.Get("permalink_url").String()
	if ref, ok := refOf(link); ok && ref.Kind == crawlers.RefPost {
		if id == "" && !ref.Alias {
			id = ref.ID
		}
		if isNumber(ref.Of) {
			owner = first(owner, ref.Of)
		}
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindPost}}
	from := o.Get("from")
	d.by(first(from.Get("id").String(), owner), from.Get("name").String(), first(from.Get("link").String(), ownerAddress(from)), from.Get("picture", "data", "url").String())
	d.address(owner)
	d.alias(link)
	d.Title = o.Get("story").String()
	for _, t := range o.Get("message_tags").Array() {
		if name := t.Get("name").String(); !strings.HasPrefix(name, "#") {
			d.mention(name)
		}
	}
	d.say(o.Get("message").String())
	d.Created = graphTime(o.Get("created_time").String())
	d.count("reactions", o.Get("reactions", "summary", "total_count"))
	d.count("likes", o.Get("likes", "summary", "total_count"))
	d.count("comments", o.Get("comments", "summary", "total_count"))
	d.count("shares", o.Get("shares", "count"))
	for _, name := range []string{"like", "love", "care", "haha", "wow", "sad", "angry", "thankful", "pride"} {
		d.count("reactions_"+name, o.Get(name, "summary", "total_count"))
	}
	for _, a := range o.Get("attachments", "data").Array() {
		d.graphAttachment(a)
	}
	if full := o.Get("full_picture").String(); full != "" && len(d.Media) == 0 {
		d.media(post.Media{Kind: post.MediaImage, URL: full}, "")
	}
	d.link(o.Get("link").String())
	if name := o.Get("place", "name").String(); name != "" {
		d.tag("location:" + name)
	}
	if parent := o.Get("parent_id").String(); parent != "" {
		ref := post.Ref{Role: post.RoleRepostOf, ID: parent}
		if m := pagePost.FindStringSubmatch(parent); m != nil {
			ref.ID, ref.Account, ref.URL = m[2], m[1], postURL(m[1], m[2])
		}
		if d.Text != "" {
			ref.Role = post.RoleQuoteOf
		}
		d.Refs = append(d.Refs, ref)
	}
	if len(d.Media) == 1 && d.Media[0].Kind == post.MediaVideo {
		d.Kind = post.KindVideo
	}
	return d
}

func ownerAddress(from jsontree.Value) string {
	if name := from.Get("username").String(); name != "" {
		return accountURL(name)
	}
	return ""
}

// graphAttachment takes the pictures, videos and links of a post. The kind is
// told by type or media_type, whichever is there.
func (d *draft) graphAttachment(a jsontree.Value) {
	kind := first(a.Get("media_type").String(), a.Get("type").String())
	image := a.Get("media", "image")
	m := post.Media{Kind: post.MediaImage, URL: image.Get("src").String(), Width: integer(image.Get("width")), Height: integer(image.Get("height"))}
	subs := a.Get("subattachments", "data").Array()
	switch {
	case strings.HasPrefix(kind, "video") || a.Get("media", "source").Exists():
		cover := m.URL
		m.Kind, m.URL = post.MediaVideo, a.Get("media", "source").String()
		if file := fileName(m.URL); !strings.Contains(file, ".mp4") { // a player of another site
			m.URL = ""
		}
		d.media(m, cover)
	case len(subs) == 0:
		d.media(m, "")
	}
	for _, s := range subs {
		d.graphAttachment(s)
	}
	switch kind {
	case "photo", "album", "video", "cover_photo", "profile_media", "new_album", "video_inline", "video_autoplay", "animated_image_video", "animated_image_autoplay":
	default:
		d.link(first(a.Get("unshimmed_url").String(), a.Get("url").String()))
	}
}

// graphComment reads a comment. Where its id is not served, its permalink names
// it, its post and the comment that it answers.
func (c *collection) graphComment(o jsontree.Value, link string) {
	thread, id := "", o.Get("id").String()
	if t, n, ok := strings.Cut(id, "_"); ok {
		thread, id = t, n
	}
	parent := ""
	if u, err := url.Parse(link); err == nil {
		q := u.Query()
		if ref, ok := match(u, 0); ok && ref.Kind == crawlers.RefPost && !ref.Alias {
			thread = first(thread, ref.ID)
		}
		if reply := q.Get("reply_comment_id"); isNumber(reply) {
			id, parent = first(id, reply), q.Get("comment_id")
		} else if n := q.Get("comment_id"); isNumber(n) {
			id = first(id, n)
		}
	}
	if thread == "" && c.step.Ref.Kind == crawlers.RefPost && !c.step.Ref.Alias {
		thread = c.step.Ref.ID
	}
	d := &draft{Post: post.Post{ID: id, Kind: post.KindComment, Thread: thread, URL: absolute(link)}}
	from := o.Get("from")
	d.by(from.Get("id").String(), from.Get("name").String(), ownerAddress(from), "")
	d.say(o.Get("message").String())
	d.Created = graphTime(o.Get("created_time").String())
	d.count("reactions", o.Get("reactions", "summary", "total_count"))
	d.count("likes", o.Get("like_count"))
	d.count("replies", o.Get("comment_count"))
	if a := o.Get("attachment"); a.IsObject() {
		d.graphAttachment(a)
	}
	if p := o.Get("parent", "id").String(); p != "" {
		if _, n, ok := strings.Cut(p, "_"); ok {
			p = n
		}
		parent = first(p, parent)
	}
	if parent != "" && parent != id {
		d.Refs = append(d.Refs, post.Ref{Role: post.RoleReplyTo, ID: parent})
	}
	if thread != "" {
		d.Refs = append(d.Refs, post.Ref{Role: post.RoleCommentOn, ID: thread})
	}
	c.add(d)
}

// isGraphPage reports whether o is a page with its profile.
func isGraphPage(o jsontree.Value) bool {
	if !isNumber(o.Get("id").String()) || o.Has("created_time") || o.Has("followers_count") && o.Has("media_count") {
		return false
	}
	n := 0
	for _, key := range []string{"fan_count", "followers_count", "category_list", "talking_about_count", "were_here_count", "checkins", "about", "verification_status", "username", "link"} {
		if o.Has(key) {
			n++
		}
	}
	return o.Has("fan_count") || o.Has("category_list") || o.Get("name").IsString() && n >= 2
}

// graphPage reads a page's profile.
func (c *collection) graphPage(o jsontree.Value) {
	id := o.Get("id").String()
	d := &draft{Post: post.Post{ID: id, Kind: post.KindAccount}}
	link := o.Get("link").String()
	d.by(id, o.Get("name").String(), first(ownerAddress(o), link), exists(o.Get("picture", "data", "url"), o.Get("picture")).String())
	d.same(crawlers.RefAccount, handleOf(link), id, d.Account.URL)
	d.URL, d.Title = d.Account.URL, d.Account.Name
	var words []string
	for _, key := range []string{"about", "description", "general_info", "bio", "mission", "company_overview"} {
		if s := strings.TrimSpace(o.Get(key).String()); s != "" {
			words = append(words, s)
		}
	}
	d.say(strings.Join(words, "\n\n"))
	d.count("likes", o.Get("fan_count"))
	d.count("followers", o.Get("followers_count"))
	d.count("talking_about", o.Get("talking_about_count"))
	d.count("were_here", o.Get("were_here_count"))
	d.count("checkins", o.Get("checkins"))
	d.link(o.Get("website").String())
	if s := o.Get("verification_status").String(); s != "" && s != "not_verified" {
		d.tag("verified")
	}
	if s := o.Get("category").String(); s != "" {
		d.tag("category:" + s)
	}
	c.add(d)
}

// readJSON reads an answer in JSON of any of the interfaces.
func readJSON(s crawlers.Step, st state, ex crawlers.Exchange, v jsontree.Value) crawlers.Page {
	if v.Get("html").IsString() && (v.Has("provider_name") || v.Get("version").String() == "1.0") {
		return readOEmbed(s, v)
	}
	if v.Get("payload", "actions").IsArray() {
		return readActions(s, ex, v)
	}
	c := newCollection(s, ex)
	if n, ok := v.Get("summary", "total_count").Int(); ok && n >= 0 {
		c.total, c.known = n, true
	}
	if v.Get("data").IsArray() {
		c.lists++
	}
	if id := v.Get("id").String(); s.Ref.Kind == crawlers.RefPost && s.Route == routeAPI && isNumber(id) && !v.Has("created_time") && v.Has("name") {
		// The page of the post, asked for to learn its number.
		page := crawlers.Page{Identities: []crawlers.Identity{{Kind: crawlers.RefAccount, Alias: s.Ref.Of, ID: id, URL: accountURL(s.Ref.Of)}}}
		if st.Page == "" {
			page.Next = []crawlers.Step{{Ref: s.Ref, Route: routeAPI, Role: s.Role, State: state{Page: id}.encode()}}
		}
		return page
	}
	c.read(v)
	for i := range c.posts { // a list of one account's posts, by its name
		p := &c.posts[i]
		if s.Ref.Kind == crawlers.RefAccount && s.Ref.Alias && s.Route == routeAPI && p.Kind == post.KindPost && p.Account.Handle == "" && p.Account.ID != "" && strings.Contains(p.URL, "/"+p.Account.ID+"/") {
			c.identities = append(c.identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: s.Ref.ID, ID: p.Account.ID, URL: s.Ref.URL})
		}
	}
	return c.page(st, v)
}

// next adds the further pages of the Graph API, and what else it has of a
// target. The answer's own paging.next holds the token: only the cursor is taken.
func (c *collection) next(page *crawlers.Page, st state, v jsontree.Value) {
	s := c.step
	isGraph := v.Get("data").IsArray() || v.Get("id").Exists() || v.Get("created_time").Exists()
	if !isGraph || s.Route != routeAPI {
		if v.Get("paging", "next").Exists() {
			page.Coverage.End = "the list goes on with a key of the Graph API"
		}
		return
	}
	if s.Ref.Kind == crawlers.RefAccount && !st.Info && st.After == "" {
		page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: routeAPI, Role: crawlers.RoleHydrate, State: state{Info: true}.encode()})
	}
	if s.Ref.Kind == crawlers.RefPost && s.Role != crawlers.RoleComments && !s.Ref.Alias && (isNumber(s.Ref.Of) || st.Page != "") {
		page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: routeAPI, Role: crawlers.RoleComments, State: state{Page: st.Page}.encode()})
	}
	if s.Ref.Kind == crawlers.RefAccount && !st.Info {
		for i := range c.posts {
			p := &c.posts[i]
			if n, ok := countOf(p, "comments"); ok && n > 0 && isNumber(p.Account.ID) && p.Kind != post.KindAccount && p.Kind != post.KindComment {
				page.Next = append(page.Next, crawlers.Step{Ref: postRef(p.Account.ID, p.ID), Route: routeAPI, Role: crawlers.RoleComments})
			}
		}
	}
	after := v.Get("paging", "cursors", "after").String()
	if after == "" || !v.Get("paging", "next").Exists() {
		page.Coverage.End = "end of the list"
		return
	}
	if after == st.After || !cursorForm.MatchString(after) {
		page.Coverage.End = "the cursor leads back to this page"
		return
	}
	st.After = after
	st.N++
	page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: routeAPI, Role: s.Role, State: st.encode()})
	if s.Role == crawlers.RoleComments {
		page.Coverage.End = "the comments go on in the next step"
	}
}

func countOf(p *post.Post, name string) (int64, bool) {
	for _, c := range p.Counts {
		if c.Name == name && c.State == post.StatePresent {
			return c.Value, true
		}
	}
	return 0, false
}

// readError reads an error of the Graph API.
func readError(e jsontree.Value) crawlers.Page {
	code, _ := e.Get("code").Int()
	sub, _ := e.Get("error_subcode").Int()
	page := crawlers.Page{Reason: first(e.Get("message").String(), "error of the Graph API")}
	lower := strings.ToLower(page.Reason)
	switch {
	case code == 4, code == 17, code == 32, code == 613, code >= 80000 && code <= 80014:
		page.Outcome, page.Wait = post.RateLimited, time.Hour
	case code == 368:
		page.Outcome = post.RateLimited
	case code == 459, code == 464, sub == 459, sub == 464:
		page.Outcome = post.Challenge
	case code == 190, code == 102, code == 10, code >= 200 && code <= 299, code == 104:
		page.Outcome = post.NeedsKey
	case code == 24, code == 803, code == 100 && sub == 33, code == 1776:
		page.Outcome = post.NotFound
	case code == 100 && (strings.Contains(lower, "public content access") || strings.Contains(lower, "permission") || strings.Contains(lower, "app secret") || strings.Contains(lower, "app token")):
		page.Outcome = post.NeedsKey
	case code == 100 && (strings.Contains(lower, "does not exist") || strings.Contains(lower, "not found")):
		page.Outcome = post.NotFound
	case code == 1, code == 2:
		page.Outcome = post.ServerError
	default:
		page.Outcome = post.UnexpectedType
	}
	return page
}

var oembedDay = regexp.MustCompile(`([A-Z][a-z]+day), ([A-Z][a-z]+ \d{1,2}, \d{4})`)

// readOEmbed reads the embed code of a post or video: text, author and day.
func readOEmbed(s crawlers.Step, v jsontree.Value) crawlers.Page {
	src := []byte(v.Get("html").String())
	var quote pagescan.Element
	address := ""
	for _, e := range pagescan.Find(src, func(tag string, a pagescan.Attrs) bool {
		if to := a.Get("data-href"); to != "" && address == "" {
			address = to
		}
		return tag == "blockquote"
	}) {
		quote = e
	}
	cite := quote.Attrs.Get("cite")
	ref, ok := refOf(address)
	owner := ""
	for _, raw := range []string{cite, address} {
		r, good := refOf(strings.Replace(raw, "graph.facebook.com", "www.facebook.com", 1))
		if !good || r.Kind != crawlers.RefPost {
			continue
		}
		if isNumber(r.Of) {
			owner = first(owner, r.Of)
		}
		if !ok || ref.Kind != crawlers.RefPost || ref.Alias && !r.Alias {
			ref, ok = r, true
		}
	}
	if !ok || ref.Kind != crawlers.RefPost {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "oEmbed without the address of a post"}
	}
	d := &draft{Post: post.Post{ID: ref.ID, Kind: post.KindPost, URL: ref.URL, Outcome: post.OKMetaOnly}}
	author := v.Get("author_url").String()
	name := v.Get("author_name").String()
	var day string
	words := htmltext.Fragment(string(quote.Inner), nil).Text
	if body, after, ok := strings.Cut(string(quote.Inner), "Posted by "); ok {
		if e, ok := pagescan.First([]byte(after), func(tag string, _ pagescan.Attrs) bool { return tag == "a" }); ok {
			name = first(name, e.Text())
			author = first(author, e.Attrs.Get("href"))
		}
		day = pagescan.Text([]byte(after))
		if e, ok := pagescan.First([]byte(body), func(tag string, _ pagescan.Attrs) bool { return tag == "a" }); ok && strings.Contains(e.Attrs.Get("href"), "/videos/") && !strings.Contains(body[:e.Start], "<p") {
			d.Title = e.Text()
			body = body[:e.Start] + body[e.End:]
		}
		c := htmltext.Fragment(body, nil)
		words = c.Text
		for _, l := range c.Links {
			d.link(l)
		}
	}
	d.say(words)
	id := ""
	if r, ok := refOf(author); ok && r.Kind == crawlers.RefAccount && !r.Alias {
		id = r.ID
	}
	d.by(first(id, owner), name, author, "")
	for _, raw := range []string{cite, address} {
		if r, ok := refOf(raw); ok && r.Kind == crawlers.RefPost {
			if h := handleOf(site + "/" + r.Of); h != "" && d.Account.ID != "" {
				d.same(crawlers.RefAccount, h, d.Account.ID, accountURL(h))
			} else if u, err := url.Parse(raw); err == nil {
				if h := handleOf(site + "/" + strings.SplitN(strings.Trim(u.Path, "/"), "/", 2)[0]); h != "" && d.Account.ID != "" {
					d.same(crawlers.RefAccount, h, d.Account.ID, accountURL(h))
				}
			}
		}
	}
	if m := oembedDay.FindStringSubmatch(day); m != nil {
		if t, err := time.Parse("January 2, 2006", m[2]); err == nil { // the day is that of some zone
			d.Created = post.Between(t.Add(-14*time.Hour), t.Add(36*time.Hour), m[0], post.SourceField)
		}
	}
	if v.Get("type").String() == "video" || strings.Contains(address, "/videos/") {
		d.Kind = post.KindVideo
		d.Media = []post.Media{{Kind: post.MediaVideo, Width: integer(v.Get("width")), Height: integer(v.Get("height"))}}
	}
	d.media(post.Media{Kind: post.MediaImage, URL: v.Get("thumbnail_url").String()}, "")
	if d.Kind == post.KindPost && owner != "" {
		d.address(owner)
	}
	if s.Ref.Kind == crawlers.RefPost && s.Ref.ID != d.ID {
		if !s.Ref.Alias || !isNumber(d.ID) {
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: "the oEmbed is of post " + d.ID + ", post " + s.Ref.ID + " was asked for"}
		}
		d.same(crawlers.RefPost, s.Ref.ID, d.ID, d.URL)
	}
	page := crawlers.Page{Outcome: post.OKMetaOnly, Reason: "oEmbed: the embed code, without counts; the time is a day", Posts: []post.Post{d.Post}, Assets: d.assets, Identities: unique(d.identities)}
	page.Coverage = crawlers.Coverage{Served: 1, End: "one post"}
	return page
}
