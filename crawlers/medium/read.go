package medium

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// A reader reads one exchange.
type reader struct {
	step  crawlers.Step
	state state
	ex    crawlers.Exchange
	url   *url.URL // of the exchange; never nil
	page  crawlers.Page
	posts map[string]bool
	names map[string]bool
	steps map[string]bool
}

// Read turns one exchange into posts and further steps.
func (Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("a step of %q, not of medium", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	r := newReader(s, ex)
	r.state = st
	r.read()
	return r.page, nil
}

func newReader(s crawlers.Step, ex crawlers.Exchange) *reader {
	r := &reader{step: s, ex: ex, posts: map[string]bool{}, names: map[string]bool{}, steps: map[string]bool{s.Key(): true}}
	var err error
	if r.url, err = url.Parse(ex.URL); err != nil {
		r.url = &url.URL{}
	}
	return r
}

func (r *reader) read() {
	if r.ex.Status >= 300 && r.ex.Status < 400 {
		r.redirect()
		return
	}
	if outcome, reason := tombstone(r.ex); outcome != "" {
		r.fail(outcome, reason)
		return
	}
	if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
		r.fail(outcome, reason)
		return
	}
	body := trim(r.ex.Body)
	switch form(body) {
	case formFeed:
		r.feed(body)
	case formJSON:
		r.json(body)
	case formHTML:
		r.html(body)
	default:
		r.fail(post.UnexpectedType, "neither a feed, JSON nor HTML: "+crawlers.FirstWords(r.ex))
	}
}

func (r *reader) fail(outcome post.Outcome, reason string) {
	r.page.Outcome, r.page.Reason = outcome, reason
}

const (
	formOther = iota
	formFeed
	formJSON
	formHTML
)

// prefix stands before JSON so that a script element cannot run it.
var prefix = []byte("])}while(1);</x>")

func trim(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// form tells what a body is from its first bytes.
func form(body []byte) int {
	head := body[:min(len(body), 1024)]
	lower := bytes.ToLower(head)
	switch {
	case len(head) == 0:
		return formOther
	case bytes.HasPrefix(head, prefix), head[0] == '{', head[0] == '[':
		return formJSON
	case bytes.Contains(lower, []byte("<rss")):
		return formFeed
	case bytes.Contains(lower, []byte("<html")), bytes.Contains(lower, []byte("<!doctype html")), bytes.Contains(lower, []byte("<head")), bytes.Contains(lower, []byte("<body")), bytes.Contains(lower, []byte("<meta")):
		return formHTML
	case head[0] == '<':
		if bytes.HasPrefix(lower, []byte("<?xml")) {
			return formFeed
		}
		return formHTML
	}
	return formOther
}

// tombstone tells Medium's own pages for what is not there any more. Their
// words count on a refusal, and on a page without a story.
func tombstone(ex crawlers.Exchange) (post.Outcome, string) {
	if ex.Status != 0 && ex.Status != 404 && ex.Status != 410 && ex.Status != 403 && (ex.Status < 200 || ex.Status > 299) {
		return "", ""
	}
	head := ex.Body[:min(len(ex.Body), 256<<10)]
	refused := ex.Status == 404 || ex.Status == 410
	if !refused {
		if !crawlers.LooksHTML(ex) {
			return "", ""
		}
		for _, data := range []string{"__APOLLO_STATE__", "obvInit", "<rss", "article:published_time", `"success":true`} {
			if bytes.Contains(head, []byte(data)) {
				return "", ""
			}
		}
		if len(ex.Body) > 128<<10 {
			return "", ""
		}
	}
	lower := bytes.ToLower(head)
	for _, w := range []struct {
		words   string
		outcome post.Outcome
	}{
		{"under investigation or was suspended", post.Suspended},
		{"under investigation", post.Suspended},
		{"account has been suspended", post.Suspended},
		{"account is suspended", post.Suspended},
		{"account was suspended", post.Suspended},
		{"author deleted this", post.Deleted},
		{"user deactivated or deleted", post.Deleted},
		{"deleted by the author", post.Deleted},
		{"story has been deleted", post.Deleted},
		{"story was deleted", post.Deleted},
		{"410 gone", post.Deleted},
		{"page not found", post.NotFound},
		{"out of nothing, something", post.NotFound},
	} {
		if bytes.Contains(lower, []byte(w.words)) {
			return w.outcome, w.words
		}
	}
	if ex.Status == 410 {
		return post.Deleted, "status 410 Gone"
	}
	return "", ""
}

// redirect reads where an answer points to: the full address of a story, what a
// short link names, the month of an empty day, or a wall.
func (r *reader) redirect() {
	location := strings.TrimSpace(r.ex.Header.Get("Location"))
	to, err := r.url.Parse(location)
	if location == "" || err != nil {
		r.fail(crawlers.Classify(r.ex))
		return
	}
	if outcome, reason := crawlers.ClassifyRedirect(r.ex.URL, location); outcome != "" {
		r.fail(outcome, reason)
		return
	}
	// A custom domain and medium.com share a login by way of this address.
	if strings.HasPrefix(to.Path, "/m/global-identity") {
		if back, err := url.Parse(to.Query().Get("redirectUrl")); err == nil && back.Host != "" && back.String() == r.ex.URL {
			r.fail(post.LoginWall, "redirect to "+to.Host+to.Path)
			return
		}
	}
	from := r.step.Ref
	clean, err := url.Parse(cleanURL(to.String()))
	if err != nil {
		clean = to
	}
	target, ok := Collector{}.Match(clean)
	if id := storyID(lastSegment(clean.Path)); !ok && id != "" && from.Kind != crawlers.RefGroup {
		target, ok = postRef(id), true // on a custom domain
		target.Of = strings.ToLower(clean.Hostname())
	}
	isDay := from.Kind == crawlers.RefTag && strings.Contains(from.ID, "/archive/")
	switch {
	case isDay && ok && target.Kind == crawlers.RefTag && strings.HasPrefix(from.ID, target.ID):
		r.page.Coverage.End = "no story on that day: the archive leads to " + target.URL
		return
	case ok && target.Key() != from.Key():
		r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: from.Kind, Alias: from.ID, ID: target.ID, URL: target.URL})
		r.next(crawlers.Step{Ref: target})
		return
	case from.Kind == crawlers.RefShort:
		if !ok && to.Host != "" && !strings.HasSuffix(strings.ToLower(to.Hostname()), "medium.com") {
			r.fail(post.NotFound, "the short link leads away from Medium, to "+to.Redacted())
			return
		}
		r.fail(post.NotFound, "the short link names no story: redirect to "+to.Redacted())
		return
	}
	if r.state.Hops >= maxHops {
		r.fail(post.RedirectLoop, fmt.Sprintf("%d redirects, the last to %s", r.state.Hops, to.Redacted()))
		return
	}
	to.Fragment, to.User = "", nil
	hop := crawlers.Step{Ref: from, Route: r.step.Route, Role: r.step.Role, State: state{At: to.String(), Hops: r.state.Hops + 1}.encode()}
	hop.Ref.Of = firstOf(target.Of, from.Of)
	if from.Kind == crawlers.RefGroup && !ok && !isOurs(from, strings.ToLower(to.Hostname())) { // a publication with its own domain
		custom := groupRef(strings.ToLower(to.Hostname()))
		if strings.Contains(custom.ID, ".") {
			r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefGroup, Alias: from.ID, ID: custom.ID, URL: custom.URL})
			r.next(crawlers.Step{Ref: custom, Route: r.step.Route, Role: r.step.Role})
			return
		}
	}
	if _, err := (Collector{}).Request(hop); err != nil {
		r.fail(post.UnexpectedType, "redirect to "+to.Redacted()+", which names nothing on Medium")
		return
	}
	r.next(hop)
}

func lastSegment(path string) string {
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

func (r *reader) next(s crawlers.Step) {
	if key := s.Key(); !r.steps[key] {
		r.steps[key] = true
		r.page.Next = append(r.page.Next, s)
	}
}

func (r *reader) identity(kind crawlers.RefKind, alias, id, address string) {
	alias = strings.ToLower(alias)
	if alias == "" || id == "" || alias == id || r.names[string(kind)+alias] {
		return
	}
	r.names[string(kind)+alias] = true
	r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: kind, Alias: alias, ID: id, URL: address})
}

// add keeps a post once, with its media as assets and its time in the coverage.
func (r *reader) add(p post.Post) {
	if p.ID == "" || r.posts[p.ID] {
		return
	}
	r.posts[p.ID] = true
	for _, m := range p.Media {
		if m.Kind == post.MediaImage {
			r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: p.ID})
		}
	}
	if at := p.Created.Earliest(); !at.IsZero() && p.Kind != post.KindAccount && (r.page.Coverage.Oldest.IsZero() || at.Before(r.page.Coverage.Oldest)) {
		r.page.Coverage.Oldest = at
	}
	r.page.Posts = append(r.page.Posts, p)
}

// hydrate asks for the story's own page.
func (r *reader) hydrate(id string) {
	if r.step.Ref.Kind != crawlers.RefPost {
		r.next(crawlers.Step{Ref: postRef(id), Route: routeHTML, Role: crawlers.RoleHydrate})
	}
}

// storyPage checks that a story's page is about what was asked for, and gives
// its state to the page.
func (r *reader) storyPage(id string) {
	if want := r.step.Ref; want.Kind == crawlers.RefPost && want.ID != id {
		r.page.Posts, r.page.Assets, r.page.Next = nil, nil, nil
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the answer is about "+id)
		return
	}
	r.page.Coverage.Served = len(r.page.Posts)
	r.page.Coverage.End = "one story"
	for i := range r.page.Posts {
		if p := &r.page.Posts[i]; p.ID == id && p.Outcome != "" && p.Outcome != post.OK {
			reason := map[post.Outcome]string{
				post.OKPartial:  "members-only: the page carries a preview",
				post.OKMetaOnly: "the page carries no text of the story",
				post.Suspended:  "isSuspended",
				post.Deleted:    "deletedAt",
			}[p.Outcome]
			r.fail(p.Outcome, reason)
		}
	}
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
