package reddit

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// A reader reads one exchange.
type reader struct {
	step    crawlers.Step
	state   state
	ex      crawlers.Exchange
	url     *url.URL // of the exchange; never nil
	route   string   // that further steps take
	escaped bool     // "&", "<" and ">" stand as character references
	folded  int      // comments that the answer names but the route cannot ask for
	page    crawlers.Page
	posts   map[string]bool // ids on the page
	names   map[string]bool // identities on the page
	steps   map[string]bool // keys of the next steps
}

// Read turns one exchange into posts and further steps.
func (c Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("a step of %q, not of reddit", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	r := &reader{step: s, state: st, ex: ex, posts: map[string]bool{}, names: map[string]bool{}, steps: map[string]bool{s.Key(): true}}
	if r.url, err = url.Parse(ex.URL); err != nil {
		r.url = &url.URL{}
	}
	r.route = s.Route
	if r.route == "" {
		r.route = routeFeed
		if strings.EqualFold(r.url.Hostname(), "oauth.reddit.com") {
			r.route = routeAPI
		}
	}
	r.read()
	r.page.Wait = wait(ex, r.page.Outcome)
	return r.page, nil
}

func (r *reader) read() {
	if r.ex.Status >= 300 && r.ex.Status < 400 {
		r.redirect()
		return
	}
	body := bytes.TrimLeft(bytes.TrimPrefix(r.ex.Body, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(body) == 0:
		if r.ex.Status == 200 && strings.EqualFold(r.url.Hostname(), "oauth.reddit.com") {
			r.fail(post.RateLimited, "empty answer from oauth.reddit.com")
			return
		}
		r.fail(crawlers.Classify(r.ex))
	case body[0] == '{' || body[0] == '[':
		r.json(body)
	case isFeed(body):
		r.feed(body)
	default:
		r.fail(wall(r.ex, body))
	}
}

// fail ends the page with an outcome.
func (r *reader) fail(outcome post.Outcome, reason string) {
	if outcome == "" {
		outcome, reason = post.UnexpectedType, "neither JSON nor a feed: "+crawlers.FirstWords(r.ex)
	}
	r.page.Outcome, r.page.Reason = outcome, reason
}

// isFeed reports whether body starts as Atom or RSS, looking past an XML
// declaration, comments and style sheets.
func isFeed(body []byte) bool {
	head := body[:min(len(body), 4096)]
	if isHTML(head) {
		return false
	}
	return bytes.HasPrefix(head, []byte("<?xml")) || bytes.HasPrefix(head, []byte("<feed")) || bytes.HasPrefix(head, []byte("<rss"))
}

func isHTML(head []byte) bool {
	lower := bytes.ToLower(head[:min(len(head), 512)])
	return bytes.Contains(lower, []byte("<html")) || bytes.Contains(lower, []byte("<!doctype html")) || bytes.HasPrefix(lower, []byte("<body"))
}

// wall tells a page that stands where JSON or a feed was due.
func wall(ex crawlers.Exchange, body []byte) (post.Outcome, string) {
	head := body[:min(len(body), 256<<10)]
	lower := bytes.ToLower(head)
	for _, w := range []struct {
		words   string
		outcome post.Outcome
	}{
		{"whoa there, pardner", post.Blocked},
		{"blocked due to a network policy", post.Blocked},
		{"blocked by network security", post.Blocked},
		{"too many requests", post.RateLimited},
		{"our servers are getting hammered", post.ServerError},
		{"our cdn was unable to reach our servers", post.ServerError},
		{"you broke reddit", post.ServerError},
	} {
		if bytes.Contains(lower, []byte(w.words)) {
			return w.outcome, w.words
		}
	}
	// The refusal of 2026 is a page without <html> and <head> whose body starts
	// with its style sheet; the words come after 150 kB.
	if bytes.HasPrefix(lower, []byte("<body class=theme-beta><div><style>")) {
		return post.Blocked, "refusal page (body class theme-beta)"
	}
	if outcome, reason := crawlers.Classify(ex); outcome != "" {
		return outcome, reason
	}
	title := strings.ToLower(crawlers.Title(head))
	switch {
	case strings.Contains(title, "log in") || strings.Contains(title, "login"):
		return post.LoginWall, title
	case strings.Contains(title, "page not found") || strings.Contains(title, "community not found"):
		return post.NotFound, title
	case strings.Contains(title, "over 18"):
		return post.AgeGated, title
	}
	if isHTML(body) {
		return post.UnexpectedType, "an HTML page, which this collector does not read; JSON or a feed was due"
	}
	return "", ""
}

// redirect reads where an answer points to. It is the whole answer for share
// links and v.redd.it, and a wall or another address for everything else.
func (r *reader) redirect() {
	location := r.ex.Header.Get("Location")
	to, err := r.url.Parse(strings.TrimSpace(location))
	if location == "" || err != nil {
		r.fail(crawlers.Classify(r.ex))
		return
	}
	path := strings.ToLower(to.Path)
	switch {
	case strings.HasPrefix(path, "/login") || strings.HasPrefix(path, "/account/login") || strings.HasPrefix(path, "/register") || strings.HasPrefix(path, "/account/register"):
		r.fail(post.LoginWall, "redirect to "+to.Path)
		return
	case strings.HasPrefix(path, "/over18"):
		r.fail(post.AgeGated, "redirect to "+to.Path)
		return
	case strings.HasPrefix(path, "/quarantine"):
		r.fail(post.AgeGated, "quarantined: redirect to "+to.Path)
		return
	case strings.HasPrefix(path, "/subreddits/search"):
		r.fail(post.NotFound, "redirect to "+to.Path)
		return
	case strings.HasPrefix(path, "/banned"):
		r.fail(post.Suspended, "redirect to "+to.Path)
		return
	}
	if outcome, reason := crawlers.ClassifyRedirect(r.ex.URL, location); outcome != "" {
		r.fail(outcome, reason)
		return
	}
	if isWrite(r.ex, r.url) {
		r.page.Coverage.End = "an answer to a token or write request: it carries no posts"
		return
	}
	target, ok := Collector{}.Match(to)
	from := r.step.Ref
	if !ok {
		if from.Kind == crawlers.RefMedia || from.Kind == crawlers.RefShort {
			r.fail(post.NotFound, "redirect to "+to.Redacted()+", which names no post")
			return
		}
		r.fail(post.UnexpectedType, "redirect to "+to.Redacted()+", which names nothing on Reddit")
		return
	}
	if target.Key() != from.Key() {
		if target.Kind == crawlers.RefSite && from.Kind != crawlers.RefSite {
			r.fail(post.NotFound, "redirect to the front page")
			return
		}
		r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: from.Kind, Alias: from.ID, ID: target.ID, URL: target.URL})
		r.next(crawlers.Step{Ref: target, Route: r.feedRoute(target)})
		return
	}
	if from.Kind == crawlers.RefShort || from.Kind == crawlers.RefMedia {
		r.fail(post.NotFound, "the link redirects to itself")
		return
	}
	if r.state.Hops >= maxHops {
		r.fail(post.RedirectLoop, fmt.Sprintf("%d redirects, the last to %s", r.state.Hops, to.Redacted()))
		return
	}
	st := r.state
	to.Fragment, to.User = "", nil
	st.At, st.Hops = to.String(), st.Hops+1
	hop := crawlers.Step{Ref: from, Route: r.route, Role: r.step.Role, State: st.encode()}
	if _, err := (Collector{}).Request(hop); err != nil {
		r.fail(post.UnexpectedType, "redirect to "+to.Redacted()+", which the route does not serve")
		return
	}
	r.next(hop)
}

// feedRoute is the route of a step that follows a redirect: the route in use
// where it can start from the target.
func (r *reader) feedRoute(target crawlers.Ref) string {
	if r.route == routeAPI && target.Kind != crawlers.RefShort {
		return routeAPI
	}
	return routeFeed
}

// next adds a step, each once and never the step itself.
func (r *reader) next(s crawlers.Step) {
	if key := s.Key(); !r.steps[key] {
		r.steps[key] = true
		r.page.Next = append(r.page.Next, s)
	}
}

func (r *reader) identity(kind crawlers.RefKind, alias, id, address string) {
	alias = strings.ToLower(alias)
	if alias == "" || id == "" || r.names[id+" "+alias] {
		return
	}
	r.names[id+" "+alias] = true
	r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: kind, Alias: alias, ID: id, URL: address})
}

// add keeps a post, its media as assets and its time in the coverage. A post
// that stands on the page twice is kept once, unless the second says more.
func (r *reader) add(p post.Post) bool {
	if r.posts[p.ID] {
		return false
	}
	r.posts[p.ID] = true
	for _, m := range p.Media {
		if m.URL != "" {
			r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: p.ID})
		}
	}
	if at := p.Created.Time; !at.IsZero() && p.Kind != post.KindAccount && (r.page.Coverage.Oldest.IsZero() || at.Before(r.page.Coverage.Oldest)) {
		r.page.Coverage.Oldest = at
	}
	r.page.Posts = append(r.page.Posts, p)
	return true
}

// wait gives how long the answer asks to stay away.
func wait(ex crawlers.Exchange, outcome post.Outcome) time.Duration {
	seconds := func(name string) (float64, bool) {
		f, err := strconv.ParseFloat(strings.TrimSpace(ex.Header.Get(name)), 64)
		return f, err == nil && f >= 0 && f < 86400*7
	}
	if outcome == post.RateLimited {
		if s, ok := seconds("Retry-After"); ok && s > 0 {
			return time.Duration(s * float64(time.Second))
		}
	}
	left, ok := seconds("X-Ratelimit-Remaining")
	if reset, known := seconds("X-Ratelimit-Reset"); known && (ok && left < 1 || outcome == post.RateLimited) {
		return time.Duration(reset * float64(time.Second))
	}
	if outcome == post.Blocked {
		return time.Hour // the wall of a network policy lasts
	}
	return 0
}
