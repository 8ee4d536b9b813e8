package mastodon

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html/charset"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/internal/urlform"
	"github.com/refrain-archive/refrain/post"
)

// A reader reads one exchange.
type reader struct {
	step  crawlers.Step
	ex    crawlers.Exchange
	url   *url.URL // of the exchange; never nil
	host  string   // of the server, "" where it is not known
	page  crawlers.Page
	posts map[string]bool
}

// Read turns one exchange into posts and further steps.
func (Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("a step of %q, not of mastodon", s.Ref.Platform)
	}
	if _, err := decodeState(s.State); err != nil {
		return crawlers.Page{}, err
	}
	r := &reader{step: s, ex: ex, posts: map[string]bool{}}
	var err error
	if r.url, err = url.Parse(ex.URL); err != nil {
		r.url = &url.URL{}
	}
	if r.host = urlform.Host(r.url); r.host == "" {
		_, r.host = split(s.Ref.ID)
	}
	r.read()
	return r.page, nil
}

func (r *reader) fail(outcome post.Outcome, reason string) {
	r.page.Outcome, r.page.Reason = outcome, reason
}

func trim(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}

func (r *reader) read() {
	if r.ex.Status >= 300 && r.ex.Status < 400 {
		if outcome, reason := crawlers.ClassifyRedirect(r.ex.URL, r.ex.Header.Get("Location")); outcome != "" || r.ex.Header.Get("Location") == "" {
			if outcome == "" {
				outcome, reason = crawlers.Classify(r.ex)
			}
			r.fail(outcome, reason)
		}
		return // the driver follows
	}
	body := trim(r.ex.Body)
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		v, err := jsonx.Parse(body)
		if err == nil {
			if outcome, reason := refusal(v, r.ex.Status); outcome != "" {
				r.fail(outcome, reason)
				return
			}
		}
		if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
			r.fail(outcome, reason)
			return
		}
		if err != nil {
			outcome := post.UnexpectedType
			if r.ex.Truncated || strings.Contains(err.Error(), "unexpected EOF") {
				outcome = post.CutBody
			}
			r.fail(outcome, err.Error())
			return
		}
		r.json(v)
		return
	}
	outcome, reason := crawlers.Classify(r.ex)
	switch {
	case outcome == post.NotFound && r.isFirst() && crawlers.LooksHTML(r.ex) && !isMastodonPage(body):
		r.fail(outcome, reason)
		r.handOn()
	case outcome != "":
		r.fail(outcome, reason)
	case bytes.Contains(body[:min(len(body), 1024)], []byte("<rss")):
		r.feed(body)
	case isMastodonPage(body):
		r.html(body)
	default:
		r.fail(post.UnexpectedType, "no Mastodon server's answer: "+crawlers.FirstWords(r.ex))
		r.handOn()
	}
}

// isFirst reports whether this is the first thing that is asked of a target.
func (r *reader) isFirst() bool {
	return r.step.Ref.Kind == crawlers.RefAccount && r.step.Ref.Alias || r.step.Ref.Kind == crawlers.RefPost && r.step.Role != crawlers.RoleComments
}

// handOn gives an address that is no Mastodon server's to the collector of web
// pages.
func (r *reader) handOn() {
	if u, err := url.Parse(r.step.Ref.URL); err == nil && r.isFirst() {
		if canonical, ok := urlform.Canonical(u); ok {
			r.page.Next = append(r.page.Next, crawlers.Step{Ref: crawlers.Ref{Platform: "web", Kind: crawlers.RefPage, ID: canonical, URL: canonical}})
		}
	}
}

// refusal reads {"error":"…"}.
func refusal(v jsonx.Value, status int) (post.Outcome, string) {
	words := v.Get("error").String()
	if words == "" || isStatus(v) {
		return "", ""
	}
	reason := firstOf(v.Get("error_description").String(), words)
	lower := strings.ToLower(words)
	switch {
	case status == 429 || strings.Contains(lower, "too many requests"):
		return post.RateLimited, reason
	case status >= 500:
		return post.ServerError, reason
	case strings.Contains(lower, "authenticated user"), strings.Contains(lower, "authorization"), strings.Contains(lower, "access token"), strings.Contains(lower, "not authorized"), strings.Contains(lower, "login required"), status == 401:
		return post.LoginWall, reason
	case strings.Contains(lower, "suspended"):
		return post.Suspended, reason
	case status == 410, strings.Contains(lower, "gone"):
		return post.Unavailable, reason
	case strings.Contains(lower, "not found"), status == 404:
		return post.NotFound, reason
	case status == 403, strings.Contains(lower, "not allowed"):
		return post.Blocked, reason
	}
	return post.UnexpectedType, reason
}

func (r *reader) json(v jsonx.Value) {
	switch {
	case isStatus(v):
		r.status(v)
	case isAccount(v):
		r.account(v)
	case v.Get("ancestors").IsArray() && v.Get("descendants").IsArray():
		r.context(v)
	case v.IsArray():
		r.list(v)
	default:
		r.fail(post.LayoutChanged, "JSON that is no status, account, context or list")
	}
}

// add keeps a post once, with the posts that it carries.
func (r *reader) add(v jsonx.Value, thread string) string {
	if r.host == "" {
		r.host = hostOf(v.Get("account"))
	}
	p := readStatus(v, r.host)
	if p.ID == "" || r.posts[p.ID] {
		return p.ID
	}
	p.Thread = thread
	r.posts[p.ID] = true
	for _, m := range p.Media {
		r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: p.ID})
	}
	r.page.Posts = append(r.page.Posts, p)
	for _, in := range []jsonx.Value{v.Get("reblog"), v.Get("quote", "quoted_status"), v.Get("quote")} {
		if isStatus(in) {
			r.add(in, "")
		}
	}
	return p.ID
}

// comments asks for the replies to a post of the asked server.
func (r *reader) comments(v jsonx.Value, ref crawlers.Ref) {
	if n, ok := v.Get("replies_count").Int(); ok && n > 0 && !v.Get("reblog").Exists() {
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: ref, Route: routeAPI, Role: crawlers.RoleComments})
	}
}

// localRef is a status as the asked server numbers it.
func (r *reader) localRef(v jsonx.Value) (crawlers.Ref, bool) {
	id, name := v.Get("id").String(), v.Get("account", "username").String()
	if r.host == "" || !isID(id) || !isUser(name) {
		return crawlers.Ref{}, false
	}
	ref := postRef(name, id, r.host)
	if !isLocal(v.Get("account")) {
		ref.URL = "https://" + r.host + "/@" + v.Get("account", "acct").String() + "/" + id
		if _, ok := matchText(ref.URL); !ok {
			return crawlers.Ref{}, false
		}
	}
	return ref, true
}

func matchText(raw string) (crawlers.Ref, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return crawlers.Ref{}, false
	}
	return Collector{}.Match(u)
}

func (r *reader) status(v jsonx.Value) {
	want, _ := split(r.step.Ref.ID)
	if r.step.Ref.Kind == crawlers.RefPost && v.Get("id").String() != want && statusID(v) != r.step.Ref.ID {
		r.fail(post.LayoutChanged, "asked for "+r.step.Ref.ID+", the answer is about "+statusID(v))
		return
	}
	id := r.add(v, "")
	if ref, ok := r.localRef(v); ok {
		if ref.ID != id {
			r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefPost, Alias: ref.ID, ID: id, URL: address(v.Get("url").String())})
		}
		r.comments(v, ref)
	}
	r.page.Coverage.Served, r.page.Coverage.End = 1, "one post"
	r.oldest(v)
}

func (r *reader) oldest(v jsonx.Value) {
	if t := readTime(v.Get("created_at")).Time; !t.IsZero() && (r.page.Coverage.Oldest.IsZero() || t.Before(r.page.Coverage.Oldest)) {
		r.page.Coverage.Oldest = t
	}
}

// account reads a profile; its posts are the next step.
func (r *reader) account(v jsonx.Value) {
	if r.host == "" {
		r.host = hostOf(v)
	}
	want := r.step.Ref
	name, _ := split(want.ID)
	if want.Kind == crawlers.RefAccount && want.Alias && !strings.EqualFold(name, v.Get("username").String()) || want.Kind == crawlers.RefAccount && !want.Alias && name != v.Get("id").String() {
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the answer is about "+v.Get("acct").String())
		return
	}
	p := readProfile(v, r.host)
	r.posts[p.ID] = true
	r.page.Posts = append(r.page.Posts, p)
	if a := address(p.Account.Avatar); a != "" {
		r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: a, Kind: post.MediaImage, Post: p.ID})
	}
	if p.Outcome == post.Suspended {
		r.page.Coverage.End = "the account is suspended"
		r.fail(post.Suspended, "suspended: true")
		return
	}
	ref := accountRef(v.Get("username").String(), r.host)
	if !isLocal(v) || p.Account.ID == "" || !isUser(v.Get("username").String()) || !isID(v.Get("id").String()) {
		r.page.Coverage.Served, r.page.Coverage.End = 1, "an account of another server"
		return
	}
	r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: ref.ID, ID: p.Account.ID, URL: ref.URL})
	ref.ID, ref.Alias = p.Account.ID, false
	if n, ok := v.Get("statuses_count").Int(); ok && n >= 0 {
		r.page.Coverage.Total, r.page.Coverage.Known = n, true
	}
	r.page.Next = append(r.page.Next, crawlers.Step{Ref: ref, Route: routeAPI, Role: crawlers.RolePage})
}

// list reads a page of an account's posts.
func (r *reader) list(v jsonx.Value) {
	items := v.Array()
	unread, last := 0, ""
	for _, s := range items {
		if !isStatus(s) {
			unread++
			continue
		}
		if want, _ := split(r.step.Ref.ID); r.step.Ref.Kind == crawlers.RefAccount && !r.step.Ref.Alias && s.Get("account", "id").String() != want {
			r.page.Posts, r.page.Assets, r.page.Next = nil, nil, nil
			r.fail(post.LayoutChanged, "asked for account "+want+", the list holds posts of "+s.Get("account", "id").String())
			return
		}
		r.add(s, "")
		r.oldest(s)
		last = s.Get("id").String()
		if ref, ok := r.localRef(s); ok {
			r.comments(s, ref)
		}
	}
	cov := &r.page.Coverage
	cov.Served = len(items) - unread
	if len(items) > 0 && unread == len(items) {
		r.fail(post.LayoutChanged, fmt.Sprintf("none of %d items is a status", unread))
		return
	}
	if unread > 0 {
		r.fail(post.OKPartial, fmt.Sprintf("%d items are no statuses", unread))
	}
	link := r.ex.Header.Get("Link")
	more := strings.Contains(link, `rel="next"`) || link == "" && len(items) >= apiPage
	next := r.step
	next.Route, next.Role, next.State = routeAPI, crawlers.RolePage, state{Before: last}.encode()
	if !more || !isID(last) || next.Ref.Kind != crawlers.RefAccount || next.Ref.Alias || next.Key() == r.step.Key() {
		cov.End = "end of list"
		return
	}
	r.page.Next = append(r.page.Next, next)
}

// context reads what a post answers to, and its replies.
func (r *reader) context(v jsonx.Value) {
	ids := map[string]string{} // number on the asked server → ID
	thread := ""
	for i, s := range v.Get("ancestors").Array() {
		if isStatus(s) {
			id := r.add(s, thread)
			ids[s.Get("id").String()] = id
			if i == 0 {
				thread = id
			}
		}
	}
	if thread == "" && r.step.Ref.Kind == crawlers.RefPost {
		thread = r.step.Ref.ID
	}
	n := 0
	for _, s := range v.Get("descendants").Array() {
		if isStatus(s) {
			ids[s.Get("id").String()] = r.add(s, thread)
			n++
		}
	}
	if asked, _ := split(r.step.Ref.ID); r.step.Ref.Kind == crawlers.RefPost {
		ids[asked] = r.step.Ref.ID
	}
	// A reply names the answered post by the asked server's number: put its own
	// ID in place where it is on the page.
	for i := range r.page.Posts {
		for j, ref := range r.page.Posts[i].Refs {
			if number, ok := strings.CutPrefix(ref.URL, "https://"+r.host+"/web/statuses/"); ok && ref.ID == "" && ids[number] != "" {
				r.page.Posts[i].Refs[j].ID = ids[number]
			}
		}
	}
	r.page.Coverage.Served, r.page.Coverage.End = n, "the replies that this server knows"
}

// An item is one post of a feed.
type item struct {
	Title   string   `xml:"title"`
	Link    string   `xml:"link"`
	GUID    string   `xml:"guid"`
	Date    string   `xml:"pubDate"`
	Body    string   `xml:"description"`
	Tags    []string `xml:"category"`
	Content []media  `xml:"http://search.yahoo.com/mrss/ content"`
}

type media struct {
	URL         string `xml:"url,attr"`
	Medium      string `xml:"medium,attr"`
	Description string `xml:"http://search.yahoo.com/mrss/ description"`
	Rating      string `xml:"http://search.yahoo.com/mrss/ rating"`
}

func newXML(raw []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = charset.NewReaderLabel
	return d
}

// feed reads the RSS of an account.
func (r *reader) feed(body []byte) {
	home, ok := feedRef(body)
	if !ok {
		r.fail(post.UnexpectedType, "a feed that is no Mastodon account's")
		r.handOn()
		return
	}
	if want := r.step.Ref; want.Kind == crawlers.RefAccount && want.Alias && want.ID != home.ID {
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the feed is "+home.ID+"'s")
		return
	}
	d := newXML(body)
	served, unread, name := 0, 0, ""
	var broken error
	for {
		token, err := d.Token()
		if err != nil {
			if err != io.EOF {
				broken = err
			}
			break
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case start.Name.Local == "title" && name == "" && served == 0:
			var s string
			if d.DecodeElement(&s, &start) == nil {
				name, _, _ = strings.Cut(strings.TrimSpace(s), " (@")
			}
		case start.Name.Local == "item":
			var it item
			if d.DecodeElement(&it, &start) != nil {
				continue // the next Token repeats the error
			}
			served++
			if !r.item(&it, home, name) {
				unread++
			}
		}
	}
	cov := &r.page.Coverage
	cov.Served, cov.Window, cov.End = served, true, fmt.Sprintf("the feed serves the newest %d posts", feedItems)
	switch {
	case broken != nil || r.ex.Truncated:
		r.fail(post.CutBody, fmt.Sprintf("the feed ends early, after %d posts", served))
	case served > 0 && unread == served:
		r.fail(post.LayoutChanged, "no item carries the address of a post")
	case unread > 0:
		r.fail(post.OKPartial, fmt.Sprintf("%d items carry no address of a post", unread))
	}
}

func (r *reader) item(it *item, home crawlers.Ref, name string) bool {
	ref, ok := matchText(strings.TrimSpace(firstOf(it.GUID, it.Link)))
	if !ok || ref.Kind != crawlers.RefPost || r.posts[ref.ID] {
		return ok
	}
	p := post.Post{ID: ref.ID, Kind: post.KindPost, URL: ref.URL, Title: strings.TrimSpace(it.Title), Outcome: post.OK}
	p.Account = post.Account{Handle: home.ID, Name: strings.TrimSpace(name), URL: home.URL}
	if t, err := time.Parse(time.RFC1123Z, strings.TrimSpace(it.Date)); err == nil {
		p.Created = post.Exact(t, strings.TrimSpace(it.Date))
		if r.page.Coverage.Oldest.IsZero() || t.Before(r.page.Coverage.Oldest) {
			r.page.Coverage.Oldest = t.UTC()
		}
	}
	base, _ := url.Parse(ref.URL)
	c := htmltext.Fragment(it.Body, base)
	p.Text = c.Text
	for _, t := range it.Tags {
		if t = strings.TrimSpace(t); t != "" {
			p.Hashtags = appendNew(p.Hashtags, t)
		}
	}
	for _, l := range c.Links {
		if at, ok := matchText(l); ok && at.Kind == crawlers.RefAccount {
			p.Mentions = appendNew(p.Mentions, at.ID)
		} else if !isTagLink(l) {
			p.Links = appendNew(p.Links, l)
		}
	}
	for _, m := range it.Content {
		kind := map[string]string{"image": post.MediaImage, "video": post.MediaVideo, "audio": post.MediaAudio}[m.Medium]
		if a := address(m.URL); a != "" {
			p.Media = append(p.Media, post.Media{Kind: firstOf(kind, post.MediaFile), URL: a, Alt: strings.TrimSpace(m.Description)})
			r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: a, Kind: firstOf(kind, post.MediaFile), Post: p.ID})
		}
		if m.Rating == "adult" && len(p.Tags) == 0 {
			p.Tags = []string{"sensitive"}
		}
	}
	r.posts[p.ID] = true
	r.page.Posts = append(r.page.Posts, p)
	return true
}

// html reads the head of a post's or profile's page.
func (r *reader) html(page []byte) {
	head := pagescan.ReadHead(page)
	ref, ok := matchText(head.Meta("og:url"))
	if !ok {
		ref, ok = r.step.Ref, r.step.Ref.Kind != ""
	}
	who := strings.ToValidUTF8(strings.TrimPrefix(head.Meta("profile:username"), "@"), "\uFFFD")
	if !ok || who == "" {
		r.fail(post.LayoutChanged, "the page's head names no account")
		return
	}
	if want := r.step.Ref; want.Kind != ref.Kind || want.Alias == ref.Alias && want.ID != ref.ID {
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the page is about "+ref.ID)
		return
	}
	name, _, _ := strings.Cut(strings.ToValidUTF8(head.Meta("og:title"), "\uFFFD"), " (@")
	a := post.Account{Handle: who, Name: strings.TrimSpace(name)}
	local, host := split(who)
	if isUser(local) && strings.Contains(host, ".") {
		a.URL = accountRef(local, strings.ToLower(host)).URL
	}
	p := post.Post{ID: ref.ID, Kind: post.KindPost, URL: ref.URL, Account: a, Text: strings.TrimSpace(head.Meta("og:description")), Outcome: post.OKMetaOnly}
	if ref.Kind == crawlers.RefAccount {
		p.Kind, p.Title = post.KindAccount, a.Name
		if pic := address(head.Meta("og:image")); pic != "" {
			p.Account.Avatar = pic
		}
	} else {
		if t, err := time.Parse(time.RFC3339Nano, head.Meta("og:published_time")); err == nil {
			p.Created = post.Exact(t, "")
		}
		for _, raw := range head.All("og:image") {
			if u := address(raw); u != "" && strings.Contains(u, "media_attachments") {
				p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: u})
				r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: u, Kind: post.MediaImage, Post: p.ID})
			}
		}
	}
	r.page.Posts = []post.Post{p}
	r.page.Coverage.Served, r.page.Coverage.End = 1, "one page"
	r.fail(post.OKMetaOnly, "the page carries its head's metadata only")
}
