package tiktok

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// A reader reads one exchange.
type reader struct {
	step   crawlers.Step
	state  state
	ex     crawlers.Exchange
	url    *url.URL // of the exchange; never nil
	page   crawlers.Page
	posts  map[string]int // index on the page by id
	names  map[string]bool
	listed int  // posts of a listing
	list   bool // the answer is a listing
	more   bool // the answer says that the listing goes on
	known  bool // the answer has the shape of an answer, be it empty
}

func newReader() *reader {
	return &reader{url: &url.URL{}, posts: map[string]int{}, names: map[string]bool{}}
}

// Read turns one exchange into posts and further steps.
func (c Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("a step of %q, not of tiktok", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	r := newReader()
	r.step, r.state, r.ex = s, st, ex
	if u, err := url.Parse(ex.URL); err == nil {
		r.url = u
	}
	r.read()
	if r.page.Outcome == post.RateLimited && !ex.FetchedAt.IsZero() {
		r.page.Wait = crawlers.RetryAfter(ex.Header, ex.FetchedAt)
		if r.page.Wait == 0 && strings.Contains(r.page.Reason, "quota") {
			// The day's requests are used up; the day ends at midnight UTC.
			r.page.Wait = ex.FetchedAt.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(ex.FetchedAt)
		}
	}
	return r.page, nil
}

func (r *reader) fail(o post.Outcome, reason string) { r.page.Outcome, r.page.Reason = o, reason }

func (r *reader) read() {
	if r.ex.Status >= 300 && r.ex.Status < 400 {
		r.redirect()
		return
	}
	body := trim(r.ex.Body)
	if crawlers.LooksHTML(r.ex) || bytes.HasPrefix(body, []byte("<")) {
		r.html()
		return
	}
	if o, reason := wall(r.ex); o != "" {
		r.fail(o, reason)
		return
	}
	v, err := jsonx.Parse(body)
	if err != nil {
		switch o, reason := crawlers.ClassifyJSON(r.ex); {
		case r.ex.Truncated && (o == "" || o.Scope() == post.ScopeReader):
			r.fail(post.CutBody, fmt.Sprintf("the JSON ends after %d bytes", len(r.ex.Body)))
		case o != "":
			r.fail(o, reason)
		default:
			r.fail(post.LayoutChanged, "the JSON is broken")
		}
		return
	}
	r.json(v)
}

func trim(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// json reads an answer in JSON: of the Research API, of oEmbed, of the site's
// own interfaces, a single item.
func (r *reader) json(v jsonx.Value) {
	if r.isProbe(v) {
		return
	}
	if o, reason := answerOutcome(r.ex, v); o != "" {
		r.fail(o, reason)
		if o == post.Unavailable && r.step.Route != routeOEmbed && !strings.Contains(r.url.Path, "/oembed") {
			r.confirm()
		}
		r.stub()
		return
	}
	switch x := unwrap(v); {
	case isOEmbed(v):
		r.oembed(v)
	case r.research(v):
		return
	default:
		if f, ok := read(x); ok {
			r.put(f)
		} else {
			r.walk(v, 0)
		}
	}
	r.finish("the JSON holds nothing of TikTok that this reader knows")
}

// finish decides what the answer as a whole says.
func (r *reader) finish(otherwise string) {
	if len(r.page.Posts) == 0 && !r.known {
		if r.page.Outcome != "" {
			r.stub()
			return
		}
		if o, reason := crawlers.Classify(r.ex); o != "" {
			r.fail(o, reason)
			return
		}
		r.fail(post.LayoutChanged, otherwise)
		return
	}
	if r.list {
		r.page.Coverage.Served = r.listed
		if r.page.Coverage.End == "" && !r.leadsOn() {
			r.page.Coverage.End = "end of list"
			if r.more {
				r.page.Coverage.End, r.page.Coverage.Window = "the answer says that there is more, which needs a signature to ask for; route api has it", true
			}
		}
	}
	r.assert()
}

func (r *reader) leadsOn() bool {
	for _, n := range r.page.Next {
		if n.Role == crawlers.RolePage || n.Role == "" {
			return true
		}
	}
	return false
}

// assert checks that what was asked for is on the page.
func (r *reader) assert() {
	s := r.step.Ref
	switch {
	case r.page.Outcome != "":
		if r.page.Outcome.Scope() == post.ScopeTarget {
			r.stub()
		}
	case s.Kind == crawlers.RefPost && isID(s.ID) && r.step.Role != crawlers.RoleComments:
		i, there := r.posts[s.ID]
		switch {
		case there:
			if o := r.page.Posts[i].Outcome; o == post.AgeGated {
				r.fail(o, "classified content, without its video")
			} else if o != post.OK {
				r.fail(o, "")
			}
		case r.onlyComments(s.ID):
		case len(r.page.Posts) == 0:
			r.fail(post.NotFound, "the answer is empty")
		default:
			r.fail(post.LayoutChanged, "the answer is not about post "+s.ID)
			r.page.Next = nil
		}
	case s.Kind == crawlers.RefAccount && s.Alias && !isSecUID(s.ID) && r.step.Route != "":
		for i := range r.page.Posts {
			p := &r.page.Posts[i]
			if p.Kind == post.KindAccount && p.Account.Handle != "" && !strings.EqualFold(p.Account.Handle, s.ID) {
				r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: s.ID, ID: strings.ToLower(p.Account.Handle), URL: p.URL})
			}
		}
	}
}

// onlyComments reports whether the page holds comments of a post, as an answer
// of comments does.
func (r *reader) onlyComments(on string) bool {
	for i := range r.page.Posts {
		if r.page.Posts[i].Kind != post.KindComment || r.page.Posts[i].Thread != on {
			return false
		}
	}
	return len(r.page.Posts) > 0
}

// stub makes a post without content of a single post that is there, but not
// shown. What was not found may never have been one.
func (r *reader) stub() {
	s, o := r.step.Ref, r.page.Outcome
	if o.Scope() != post.ScopeTarget || o == post.NotFound || s.Kind != crawlers.RefPost || !isID(s.ID) || r.step.Role == crawlers.RoleComments {
		return
	}
	if _, there := r.posts[s.ID]; !there {
		r.add(post.Post{ID: s.ID, Kind: post.KindVideo, URL: postURL(s.ID, s.Of, false), Created: IDTime(s.ID), Outcome: o})
	}
}

// confirm asks oEmbed about a post that a page does not show for a reason that
// may lie with us.
func (r *reader) confirm() {
	s := r.step
	if s.Ref.Kind != crawlers.RefPost || !isID(s.Ref.ID) || s.Route == routeOEmbed || s.Role == crawlers.RoleComments || len(r.page.Next) > 0 {
		return
	}
	r.page.Next = append(r.page.Next, crawlers.Step{Ref: s.Ref, Route: routeOEmbed, Role: s.Role})
}

// hydrate asks for a post whole that a list shows in part.
func (r *reader) hydrate(id, handle string) {
	r.page.Next = append(r.page.Next, crawlers.Step{Ref: postRef(id, handle), Route: routeEmbed, Role: crawlers.RoleHydrate})
}

func (r *reader) put(f found) {
	r.add(f.post)
	r.listed++
	r.identity(f.post.Account, f.secUID)
}

// add keeps a post once. The richer of two readings of one post stays.
func (r *reader) add(p post.Post) {
	if i, there := r.posts[p.ID]; there {
		if weight(&p) > weight(&r.page.Posts[i]) {
			r.page.Posts[i] = p
		}
		return
	}
	r.posts[p.ID] = len(r.page.Posts)
	r.page.Posts = append(r.page.Posts, p)
	for _, m := range p.Media {
		if m.URL != "" {
			r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: p.ID})
		}
	}
	if at := p.Created.Earliest(); p.Kind != post.KindAccount && !at.IsZero() && (r.page.Coverage.Oldest.IsZero() || at.Before(r.page.Coverage.Oldest)) && r.list {
		r.page.Coverage.Oldest = at
	}
}

func weight(p *post.Post) int {
	w := len(p.Text) + 50*len(p.Counts) + 50*len(p.Media) + 10*len(p.Tags)
	if !p.Created.Time.IsZero() {
		w += 100
	}
	return w
}

func (r *reader) identity(a post.Account, secUID string) {
	for _, alias := range []string{strings.ToLower(a.Handle), secUID} {
		if a.ID == "" || alias == "" || r.names[a.ID+" "+alias] {
			continue
		}
		r.names[a.ID+" "+alias] = true
		r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: alias, ID: a.ID, URL: a.URL})
	}
}

// total takes the size of a listing from its owner's counts.
func (r *reader) total(counts []post.Count, name string) {
	for _, c := range counts {
		if c.Name == name && c.State == post.StatePresent {
			r.page.Coverage.Known, r.page.Coverage.Total = true, c.Value
		}
	}
}

// redirect reads where an answer points to. One to another site is left to the
// driver.
func (r *reader) redirect() {
	location := strings.TrimSpace(r.ex.Header.Get("Location"))
	to, err := r.url.Parse(location)
	if location == "" || err != nil {
		r.fail(crawlers.Classify(r.ex))
		if r.page.Outcome == "" {
			r.fail(post.ServerError, "a redirect without a Location")
		}
		return
	}
	path := strings.ToLower(to.Path)
	own := isSite(strings.ToLower(to.Hostname())) || to.Host == ""
	switch {
	case own && (strings.HasPrefix(path, "/login") || strings.HasPrefix(path, "/signup")):
		r.fail(post.LoginWall, "redirect to "+to.Path)
		return
	case own && strings.HasSuffix(path, "/notfound"):
		// /hk/notfound: TikTok does not serve that place at all.
		if path == "/notfound" {
			r.fail(post.NotFound, "redirect to "+to.Path)
		} else {
			r.fail(post.GeoBlocked, "redirect to "+to.Path)
		}
		return
	case own && (path == "" || path == "/") && r.step.Ref.Kind == crawlers.RefShort:
		if id, ok := (Collector{}).Match(to); !ok || id.Kind != crawlers.RefPost {
			r.fail(post.NotFound, "the short link leads to the front page")
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
	step := crawlers.Step{Ref: target, Route: routeEmbed}
	if target.Kind == crawlers.RefSearch {
		step.Route = routeAPI
	}
	if target.Kind == crawlers.RefShort {
		step.Role = crawlers.RoleResolve
	}
	r.page.Next = append(r.page.Next, step)
	r.fail(post.OK, "redirect to "+to.Redacted())
}
