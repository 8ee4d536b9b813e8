package web

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	readability "codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/textenc"
	"github.com/refrain-archive/refrain/internal/traces"
	"github.com/refrain-archive/refrain/internal/urlform"
	"github.com/refrain-archive/refrain/post"
)

// What one page may cost.
const (
	maxHTML   = 16 << 20 // bytes of a page that are read; the rest is left out
	maxMarkup = 300_000  // tags of a page that are read: each costs some 200 bytes of memory
	maxText   = 4 << 20  // bytes of text kept
)

// fewLetters is a text that says nothing: a page with less is looked at for
// being a shell or an error. fallbackLetters is where Readability is asked too.
const (
	fewLetters      = 120
	fallbackLetters = 250
)

// linksOnly is the reason for a post without text where Options.Links was set.
const linksOnly = "only its links were looked for, as asked"

// Read reads a page. The exchange may be of another address than the step's:
// of one that it redirects to.
func (Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if err := check(s); err != nil {
		return crawlers.Page{}, err
	}
	o, err := options(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	r := reader{options: o, ex: ex, role: s.Role}
	raw := firstOf(ex.URL, s.Ref.URL)
	if r.asked, err = url.Parse(raw); err != nil {
		return crawlers.Page{}, fmt.Errorf("the exchange's address: %w", err)
	}
	canonical, ok := urlform.Canonical(r.asked)
	if !ok {
		return crawlers.Page{}, fmt.Errorf("the exchange's address %q is not of the web", raw)
	}
	r.id = canonical
	if s.Ref.ID != "" && s.Ref.ID != r.id {
		r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefPage, Alias: s.Ref.ID, ID: r.id, URL: r.id})
	}
	r.read()
	return r.page, nil
}

// A reader reads one exchange.
type reader struct {
	options Options
	ex      crawlers.Exchange
	role    crawlers.Role
	asked   *url.URL
	id      string // canonical address
	page    crawlers.Page
}

func (r *reader) read() {
	if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
		r.page.Outcome, r.page.Reason = outcome, reason
		if !r.ex.FetchedAt.IsZero() {
			r.page.Wait = crawlers.RetryAfter(r.ex.Header, r.ex.FetchedAt)
		}
		return
	}
	if r.ex.Status >= 300 && r.ex.Status < 400 {
		r.redirect(r.ex.Header.Get("Location"), "redirect")
		return
	}
	media := mediaType(r.ex)
	switch {
	case media == "text/html" || media == "application/xhtml+xml":
		r.html()
	case isText(media):
		r.text(media)
	default:
		r.other(media)
	}
	if len(r.page.Next) == 0 {
		r.page.Coverage.End = "a single page"
	}
}

// redirect gives a step to where the answer points, within the site. A redirect
// to another site may be to a platform that has a collector of its own, which
// only the driver can tell: it is left to the driver, with the address as reason.
func (r *reader) redirect(location, how string) {
	to, err := r.asked.Parse(strings.TrimSpace(location))
	if err != nil {
		r.page.Outcome, r.page.Reason = post.LayoutChanged, fmt.Sprintf("%s to an address that is none: %.200q", how, location)
		return
	}
	target, ok := urlform.Canonical(to)
	switch {
	case !ok:
		r.page.Outcome, r.page.Reason = post.LayoutChanged, fmt.Sprintf("%s away from the web, to %.200s", how, to.Redacted())
	case target == r.id:
		r.page.Outcome, r.page.Reason = post.RedirectLoop, how+" to itself"
	case r.options.Hops >= maxHops:
		r.page.Outcome, r.page.Reason = post.RedirectLoop, fmt.Sprintf("%d redirects in a row, the last to %s", maxHops, target)
	case !urlform.SameSite(to, r.asked) && how == "redirect":
		r.page.Outcome, r.page.Reason = post.OK, "redirect to "+target
	default:
		next := r.options
		next.Hops++
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: refTo(target), Role: r.role, State: next.State()})
		r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefPage, Alias: r.id, ID: target, URL: target})
	}
}

func (r *reader) html() {
	body, cutShort := bounded(r.ex.Body)
	if r.options.Links {
		d := newDocument(r.asked)
		text, _ := textenc.HTML(body, r.ex.Header.Get("Content-Type"))
		d.scan(text, false)
		r.page.Outcome, r.page.Reason = post.OKMetaOnly, linksOnly
		r.serve(post.Post{ID: r.id, Kind: post.KindPage, URL: r.id, Title: d.title, Outcome: post.OKMetaOnly})
		r.follow(d)
		return
	}
	p := parse(r.asked, r.id, body, r.ex.Header.Get("Content-Type"))
	f := p.facts
	if target, ok := refreshTarget(p.doc.refresh); ok && p.letters < 4*fewLetters {
		r.redirect(target, "meta refresh")
		if r.page.Outcome != "" || len(r.page.Next) > 0 {
			return
		}
	}
	if outcome, reason := p.refusal(f); outcome != "" {
		r.page.Outcome, r.page.Reason = outcome, reason
		if outcome.Scope() != post.ScopeServed {
			return
		}
	}
	it, summary := p.post(r.id, f)
	if it.Title == "" && it.Text == "" && len(it.Media) == 0 {
		r.page.Outcome, r.page.Reason = post.LayoutChanged, "the page shows no title, no text and no picture"
		return
	}
	it.Outcome = r.page.Outcome
	switch {
	case r.page.Outcome != "":
	case summary:
		it.Outcome, r.page.Outcome, r.page.Reason = post.OKMetaOnly, post.OKMetaOnly, "the page shows no text of its own; its head's summary stands for it"
	case r.ex.Truncated:
		it.Outcome, r.page.Outcome, r.page.Reason = post.OKPartial, post.OKPartial, fmt.Sprintf("the body was cut after %d bytes", len(r.ex.Body))
	case cutShort:
		it.Outcome, r.page.Outcome, r.page.Reason = post.OKPartial, post.OKPartial, fmt.Sprintf("the page is too large: %d of %d bytes were read", len(body), len(r.ex.Body))
	case len(it.Text) > maxText:
		it.Outcome, r.page.Outcome, r.page.Reason = post.OKPartial, post.OKPartial, fmt.Sprintf("only the first %d bytes of %d of the text are kept", maxText, len(it.Text))
	}
	it.Text = cut(it.Text, maxText)
	r.serve(it)
	if f.url != r.id {
		r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefPage, Alias: f.url, ID: r.id, URL: r.id})
	}
	r.follow(p.doc)
}

// serve puts the page's post, and the pictures that belong to it, on the page.
func (r *reader) serve(it post.Post) {
	r.page.Posts = append(r.page.Posts, it)
	r.page.Coverage.Served = 1
	r.page.Coverage.Oldest = it.Created.Earliest()
	for _, m := range it.Media {
		if m.Kind == post.MediaImage && m.URL != it.URL && m.URL != r.id {
			r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: it.ID})
		}
	}
}

// follow gives the further steps that the options ask for: feeds, the next page
// and then links of the same site.
func (r *reader) follow(d *document) {
	if r.options.Feeds {
		for _, f := range d.feeds {
			if to, ok := urlform.CanonicalString(f.URL); ok {
				r.page.Next = append(r.page.Next, crawlers.Step{Ref: crawlers.Ref{Platform: "feed", Kind: crawlers.RefFeed, ID: to, URL: to}, Role: crawlers.RolePage})
			}
		}
	}
	if r.options.Depth == 0 {
		return
	}
	next := Options{Depth: r.options.Depth - 1, Links: r.options.Links, Feeds: r.options.Feeds}
	state := next.State()
	seen := make(map[string]bool, len(d.links)+2)
	seen[r.id] = true
	r.page.Next = slices.Grow(r.page.Next, len(d.links)+1)
	add := func(link string) {
		u, err := url.Parse(link)
		if err != nil || !urlform.SameSite(u, r.asked) || isFile(u.Path) {
			return
		}
		to, ok := urlform.Canonical(u)
		if !ok || seen[to] {
			return
		}
		seen[to] = true
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: refTo(to), Role: crawlers.RolePage, State: state})
	}
	if d.next != "" {
		add(d.next)
	}
	for _, link := range d.links {
		add(link)
	}
}

// isFile reports whether a path names a file that is no page, by its ending.
func isFile(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".ico", ".bmp", ".css", ".js", ".mjs", ".woff", ".woff2", ".ttf",
		".mp3", ".mp4", ".m4a", ".m4v", ".webm", ".ogg", ".mov", ".avi", ".wav", ".zip", ".gz", ".tgz", ".rar", ".7z", ".exe", ".dmg", ".apk", ".iso":
		return true
	}
	return false
}

// A parsed page: what its markup states, and its main text.
type parsed struct {
	doc     *document
	facts   facts
	ids     []traces.Trace // analytics and ad ids
	nodes   []*html.Node   // the main text
	content htmltext.Content
	letters int // of the main text
	whole   int // of the page, without those in links
	all     int // of the page
}

func parse(asked *url.URL, id string, body []byte, contentType string) *parsed {
	text, _ := textenc.HTML(body, contentType)
	p := &parsed{doc: newDocument(asked), ids: traces.InPage(text)}
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil { // nested deeper than the parser goes: all text of the page
		p.content.Text = p.doc.scan(text, true)
		p.letters = len(p.content.Text)
		p.whole, p.all = p.letters, p.letters
		p.facts = p.doc.facts(id)
		return p
	}
	p.doc.gather(root)
	p.facts = p.doc.facts(id)
	found := mainText(p.doc.body, p.facts.title)
	p.nodes, p.letters, p.whole, p.all = found.nodes, found.letters, found.whole, found.all
	if whole := found.whole; found.letters < fallbackLetters && whole > 4*fallbackLetters && whole < 1<<20 {
		parser := readability.NewParser()
		parser.DisableJSONLD = true
		if article, err := parser.ParseDocument(root, asked); err == nil && article.Node != nil {
			if content := htmltext.Nodes([]*html.Node{article.Node}, p.doc.base); len(content.Text) > 2*found.letters {
				p.nodes, p.content, p.letters = []*html.Node{article.Node}, content, len(content.Text)
				return p
			}
		}
	}
	for _, n := range found.drop {
		if n.Parent != nil {
			n.Parent.RemoveChild(n)
		}
	}
	p.content = htmltext.Nodes(found.nodes, p.doc.base)
	return p
}

// post makes the page's post. summary says that its text is only the head's
// description.
func (p *parsed) post(id string, f facts) (it post.Post, summary bool) {
	it = post.Post{
		ID: id, Kind: f.kind, URL: f.url, Account: f.account, Title: f.title, Text: p.content.Text, Lang: f.lang,
		Created: f.created, Edited: f.edited, Links: p.content.Links, Tags: f.tags,
	}
	for _, trace := range p.ids {
		it.Tags = append(it.Tags, trace.Tag())
	}
	if body := strings.TrimSpace(f.ld.body); p.letters < fallbackLetters && len(body) > 2*p.letters {
		it.Text = body // the page shows no text of its own
		if strings.Contains(body, "<p") || strings.Contains(body, "<br") || strings.Contains(body, "&nbsp;") {
			it.Text = htmltext.Fragment(body, p.doc.base).Text
		}
	}
	if p.letters < fewLetters && p.all >= 4*fewLetters && f.kind == post.KindPage && !p.shell() && p.doc.body != nil {
		it.Text = htmltext.Nodes([]*html.Node{p.doc.body}, p.doc.base).Text // a list of links, as front pages are: these are its text
	}
	if it.Text == "" {
		it.Text, summary = f.description, f.description != ""
	}
	if len(it.Links) == 0 || p.letters < fewLetters {
		it.Links = p.doc.links
	}
	g := newGallery(p.doc.base)
	g.head(p.doc.meta, f.ld)
	for _, n := range p.nodes {
		g.content(n)
	}
	if p.letters < fewLetters && p.doc.body != nil && len(g.media) == 0 { // a page of pictures
		g.content(p.doc.body)
	}
	it.Media = g.media
	it.Hashtags = hashtags.In(it.Text)
	return it, summary
}

// refusal tells pages with status 200 that serve nothing: an error that says so
// in its title, or a shell that only scripts would fill.
func (p *parsed) refusal(f facts) (post.Outcome, string) {
	if p.letters >= 4*fewLetters || f.ld.body != "" {
		return "", ""
	}
	if said := firstOf(notFoundWords(p.doc.title), notFoundWords(p.doc.h1)); said != "" && f.created.IsZero() && f.kind == post.KindPage {
		return post.NotFound, fmt.Sprintf("status 200, but the page says %q", said)
	}
	if !p.shell() {
		return "", ""
	}
	if f.title != "" && f.description != "" || f.kind == post.KindArticle || len(f.ld.types) > 0 {
		return post.OKMetaOnly, "only scripts would draw the text; the head says what the page is about"
	}
	return post.LayoutChanged, "only scripts would draw the text, and the head says nothing about it"
}

// shell reports whether a page is one that scripts are to fill.
func (p *parsed) shell() bool {
	if p.letters >= fewLetters || p.whole >= 2*fewLetters {
		return false
	}
	return p.doc.shell || p.doc.scripts > 500 && (len(p.doc.links) < 3 || mentionsScript(p.doc.noscript))
}

func mentionsScript(noscript string) bool {
	return strings.Contains(strings.ToLower(noscript), "javascript")
}

// notFoundWords gives s if it is what error pages are titled, else "".
func notFoundWords(s string) string {
	l := strings.ToLower(squeeze(s))
	if l == "" || len(l) > 120 {
		return ""
	}
	if l == "404" || strings.HasPrefix(l, "404 ") || strings.HasPrefix(l, "404:") || strings.HasPrefix(l, "404-") || strings.HasPrefix(l, "error 404") || strings.HasSuffix(l, " 404") || strings.HasPrefix(l, "http 404") {
		return s
	}
	for _, words := range []string{
		"page not found", "not found", "page doesn't exist", "page does not exist", "page no longer exists", "no longer available", "page isn't available", "page cannot be found", "page can't be found",
		"seite nicht gefunden", "page introuvable", "page non trouvée", "página no encontrada", "página não encontrada", "pagina non trovata", "pagina niet gevonden", "nie znaleziono strony",
		"страница не найдена", "сторінку не знайдено", "页面不存在", "找不到页面", "找不到網頁", "ページが見つかりません", "페이지를 찾을 수 없습니다", "sayfa bulunamadı", "الصفحة غير موجودة",
	} {
		if at := strings.Index(l, words); at >= 0 && (at == 0 || len(l) < len(words)+50) {
			return s
		}
	}
	return ""
}

// refreshTarget gives where a meta refresh goes, if it goes elsewhere within
// half a minute. Pages that reload themselves name no address.
func refreshTarget(content string) (string, bool) {
	delay, target, ok := strings.Cut(content, ";")
	if !ok {
		delay, target, ok = strings.Cut(content, ",")
	}
	if !ok {
		return "", false
	}
	if seconds, err := strconv.ParseFloat(strings.TrimSpace(delay), 64); err != nil || seconds > 30 {
		return "", false
	}
	target = strings.TrimSpace(target)
	if len(target) > 4 && strings.EqualFold(target[:3], "url") {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(target[3:]), "="); ok {
			target = strings.TrimSpace(rest)
		}
	}
	target = strings.Trim(target, `"'`)
	return target, target != ""
}

// bounded cuts a page to what may be read of it.
func bounded(body []byte) ([]byte, bool) {
	cutShort := false
	if len(body) > maxHTML {
		body, cutShort = body[:maxHTML], true
	}
	if bytes.Count(body, []byte("<")) <= maxMarkup {
		return body, cutShort
	}
	n := 0
	for i, c := range body {
		if c == '<' {
			if n++; n > maxMarkup {
				return body[:i], true
			}
		}
	}
	return body, cutShort
}
