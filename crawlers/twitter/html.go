package twitter

import (
	"bytes"
	"html"
	"net/url"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// isOEmbed reports whether v is an answer of oEmbed of X.
func isOEmbed(v jsonx.Value) bool {
	if !v.Get("html").IsString() || !v.Has("author_name") {
		return false
	}
	provider := strings.ToLower(v.Get("provider_name").String())
	return provider == "twitter" || provider == "x" || provider == "" && strings.Contains(v.Get("html").String(), `class="twitter-tweet"`)
}

// oembed reads the quotation that oEmbed gives. Its day is less than the id
// tells, so Created rests on the id wherever that holds a time.
func (r *reader) oembed(v jsonx.Value) {
	from, ok := Collector{}.matchRaw(v.Get("url").String())
	quote, found0 := pagescan.First([]byte(v.Get("html").String()), func(tag string, a pagescan.Attrs) bool { return tag == "blockquote" })
	if !ok || from.Kind != crawlers.RefPost {
		from = crawlers.Ref{}
		for _, a := range pagescan.Find(quote.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "a" }) {
			if x, ok := (Collector{}).matchRaw(a.Attrs.Get("href")); ok && x.Kind == crawlers.RefPost {
				from = x // the last one is the date's
			}
		}
	}
	if from.ID == "" || !found0 {
		return
	}
	f := found{post: post.Post{ID: from.ID, Kind: post.KindPost, URL: postURL(from.ID), Created: IDTime(from.ID), Outcome: post.OK}}
	p := &f.post
	if x, ok := (Collector{}).matchRaw(v.Get("author_url").String()); ok && x.Kind == crawlers.RefAccount {
		handle := strings.Trim(v.Get("author_url").String(), "/")
		handle = handle[strings.LastIndexByte(handle, '/')+1:]
		if isHandle(handle) {
			p.Account = post.Account{Platform: platform, Handle: handle, Name: v.Get("author_name").String(), URL: web + "/" + handle}
		}
	}
	body, ok := pagescan.First(quote.Inner, func(tag string, a pagescan.Attrs) bool { return tag == "p" })
	if ok {
		c := htmltext.Fragment(breaks(body.Inner), nil)
		p.Text = c.Text
		if lang := body.Attrs.Get("lang"); isLang(lang) {
			p.Lang = lang
		}
		for _, l := range c.Links {
			f.anchor(l)
		}
		// Newer answers write addresses without an element.
		for _, s := range bareLink.FindAllString(p.Text, -1) {
			p.Links = add(p.Links, s)
		}
	}
	if p.Created.Time.IsZero() {
		rest := quote.Inner
		if body.End > 0 && body.End <= len(rest) {
			rest = rest[body.End:]
		}
		for _, a := range pagescan.Find(rest, func(tag string, a pagescan.Attrs) bool { return tag == "a" }) {
			if day, ok := dates.Parse(html.UnescapeString(a.Text())); ok {
				p.Created = day
			}
		}
	}
	if strings.HasSuffix(strings.TrimSpace(bareLink.ReplaceAllString(p.Text, "")), "…") {
		f.cut()
	}
	r.put(f)
}

var bareLink = regexp.MustCompile(`https?://t\.co/[A-Za-z0-9]+`)

// breaks turns the line ends of oEmbed's text into elements: newer answers keep
// them as they are.
func breaks(src []byte) string { return strings.ReplaceAll(string(src), "\n", "<br>") }

// anchor sorts a link of a quotation: hashtag, mention or address.
func (f *found) anchor(address string) {
	p := &f.post
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	if isSite(strings.ToLower(u.Hostname())) {
		segs := segments(u.Path)
		switch {
		case len(segs) == 2 && strings.EqualFold(segs[0], "hashtag"):
			p.Hashtags = add(p.Hashtags, segs[1])
			return
		case len(segs) == 1 && isHandle(segs[0]) && !reserved[strings.ToLower(segs[0])]:
			p.Mentions = add(p.Mentions, segs[0])
			return
		}
	}
	if s, ok := link(address); ok {
		p.Links = add(p.Links, s)
	}
}

// html reads a page: the resolver's, the old embed's, a refusal.
func (r *reader) html() {
	host := strings.ToLower(r.url.Hostname())
	if host == "t.co" || r.step.Ref.Kind == crawlers.RefShort {
		if to := refresh(r.ex.Body); to != "" {
			r.resolved(to)
			return
		}
	}
	if o, reason := crawlers.Classify(r.ex); o != "" {
		if o == post.NotFound && r.step.Ref.Kind == crawlers.RefAccount && r.step.Route == routeAPI {
			o, reason = post.UnexpectedType, "HTML where JSON was due: "+reason
		}
		r.fail(o, reason)
		return
	}
	if data, ok := pagescan.First(r.ex.Body, func(tag string, a pagescan.Attrs) bool { return tag == "script" && a.Get("id") == "__NEXT_DATA__" }); ok {
		if v, err := jsonx.Parse(bytes.TrimSpace(data.Inner)); err == nil {
			r.nextData(v.Get("props", "pageProps"))
			return
		}
	}
	title := strings.ToLower(crawlers.Title(r.ex.Body[:min(len(r.ex.Body), 64<<10)]))
	switch {
	case bytes.Contains(r.ex.Body, []byte("Account suspended")):
		r.fail(post.Suspended, "Account suspended")
		r.stub(post.Suspended)
	case strings.Contains(title, "login on x"), strings.Contains(title, "log in to x"), strings.Contains(title, "login on twitter"):
		r.fail(post.LoginWall, title)
	case r.embedded():
	default:
		r.fail(post.UnexpectedType, "an HTML page of X, which shows nothing without its scripts; JSON was due")
	}
}

// nextData reads the pages of the old embed: a profile's timeline, a single post.
func (r *reader) nextData(v jsonx.Value) {
	r.walk(v, "", 0)
	if len(r.page.Posts) > 0 {
		r.ending()
		if r.list {
			r.page.Coverage.End, r.page.Coverage.Window = "the embedded timeline shows some 20 to 100 posts, not always the newest", true
		}
		r.assert()
		return
	}
	if r.page.Outcome != "" {
		return
	}
	if t := v.Get("timeline", "entries"); t.IsArray() && len(t.Array()) == 0 {
		r.page.Coverage.End, r.page.Coverage.Window = "the embedded timeline is empty", true
		return
	}
	r.fail(post.LayoutChanged, "the page's data holds no posts")
}

// embedded reads a post that stands in a page as its own script quotes it.
func (r *reader) embedded() bool {
	var description, title string
	h := pagescan.ReadHead(r.ex.Body[:min(len(r.ex.Body), 1<<20)])
	description = strings.ToValidUTF8(h.Meta("og:description"), "\uFFFD")
	title = strings.ToValidUTF8(h.Meta("og:title"), "\uFFFD")
	ref, ok := Collector{}.matchRaw(first(jsonx.Of(h.Meta("og:url")), jsonx.Of(h.Link("canonical")), jsonx.Of(r.ex.URL)))
	if !ok || ref.Kind != crawlers.RefPost || description == "" {
		return false
	}
	m := onX.FindStringSubmatch(title)
	if m == nil {
		return false
	}
	p := post.Post{ID: ref.ID, Kind: post.KindPost, URL: postURL(ref.ID), Created: IDTime(ref.ID), Outcome: post.OKMetaOnly}
	p.Text = strings.TrimSuffix(strings.TrimPrefix(description, "“"), "”")
	p.Account = post.Account{Platform: platform, Name: m[1]}
	if handle := firstNonEmpty(m[2], ref.Of); isHandle(handle) {
		p.Account.Handle, p.Account.URL = handle, web+"/"+handle
	}
	if img, ok := link(h.Meta("og:image")); ok && strings.Contains(img, "pbs.twimg.com/media/") {
		p.Media = []post.Media{{Kind: post.MediaImage, URL: img}}
	}
	r.put(found{post: p})
	r.assert()
	if r.page.Outcome == post.OKMetaOnly {
		r.page.Reason = "the page's head only"
	}
	return true
}

// onX is the og:title of a post's page: "Name (@handle) on X", "Name on Twitter".
var onX = regexp.MustCompile(`^(.{1,200}?)(?: \(@(\w{1,20})\))? (?:on X|on Twitter|auf Twitter|auf X)\b`)

func firstNonEmpty(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

var refreshTo = regexp.MustCompile(`(?i)http-equiv=["']?refresh["']?[^>]*?url=["']?([^"'>]+)|location\.replace\("((?:[^"\\]|\\.)+)"\)`)

// refresh is where t.co's own page leads.
func refresh(body []byte) string {
	m := refreshTo.FindSubmatch(body[:min(len(body), 64<<10)])
	if m == nil {
		return ""
	}
	if len(m[1]) > 0 {
		return html.UnescapeString(string(m[1]))
	}
	return strings.ReplaceAll(string(m[2]), `\/`, "/")
}

// redirect reads where an answer points to.
func (r *reader) redirect() {
	location := strings.TrimSpace(r.ex.Header.Get("Location"))
	if location == "" {
		r.fail(crawlers.Classify(r.ex))
		if r.page.Outcome == "" {
			r.fail(post.ServerError, "a redirect without a Location")
		}
		return
	}
	r.resolved(location)
}

// resolved reads an address that the answer leads to. One of another site is
// left to the driver, which knows whose it is.
func (r *reader) resolved(location string) {
	to, err := r.url.Parse(location)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" {
		r.fail(post.UnexpectedType, "a redirect to what is no web address")
		return
	}
	host, path := strings.ToLower(to.Hostname()), strings.ToLower(to.Path)
	if isSite(host) {
		switch {
		case strings.HasPrefix(path, "/i/flow/login"), strings.HasPrefix(path, "/login"), strings.HasPrefix(path, "/i/flow/signup"):
			r.fail(post.LoginWall, "redirect to "+to.Path)
			return
		case strings.HasPrefix(path, "/account/suspended"):
			r.fail(post.Suspended, "redirect to "+to.Path)
			r.stub(post.Suspended)
			return
		case strings.HasPrefix(path, "/account/access"):
			r.fail(post.Challenge, "redirect to "+to.Path)
			return
		}
	}
	if o, reason := crawlers.ClassifyRedirect(r.ex.URL, location); o != "" {
		r.fail(o, reason)
		return
	}
	from := r.step.Ref
	target, ok := Collector{}.Match(to)
	if !ok || target.Key() == from.Key() {
		r.fail(post.OK, "redirect to "+to.Redacted())
		return
	}
	r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: from.Kind, Alias: from.ID, ID: target.ID, URL: target.URL})
	step := crawlers.Step{Ref: target, Route: routeAPI}
	if target.Kind == crawlers.RefPost || target.Kind == crawlers.RefShort {
		step.Route = routeSyndication
	}
	if target.Kind == crawlers.RefShort {
		step.Role = crawlers.RoleResolve
	}
	r.page.Next = append(r.page.Next, step)
	r.fail(post.OK, "redirect to "+to.Redacted())
}
