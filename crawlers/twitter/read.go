package twitter

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
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
	listed int    // posts of a listing, without those that they carry
	list   bool   // the answer is a listing
	cursor bool   // the listing goes on, by a cursor that no route can use
	next   string // pagination token of API v2
	faults []fault
	asked  map[string]bool // ids that the request names, where it names several
	users  bool            // profiles were read
}

func newReader() *reader {
	return &reader{url: &url.URL{}, posts: map[string]int{}, names: map[string]bool{}, asked: map[string]bool{}}
}

// Read turns one exchange into posts and further steps.
func (c Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("a step of %q, not of x", s.Ref.Platform)
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
	r.page.Wait = r.wait()
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
	docs, broken := documents(r.ex.Body)
	if len(docs) == 0 {
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
	for _, v := range docs {
		r.document(v)
	}
	r.finish(docs)
	if broken > 0 && r.page.Outcome.Scope() != post.ScopeReader {
		r.page.Reason = strings.TrimSpace(fmt.Sprintf("%d of %d lines are no JSON. %s", broken, broken+len(docs), r.page.Reason))
		if r.page.Outcome == "" || r.page.Outcome == post.OK {
			r.page.Outcome = post.OKPartial
		}
	}
}

// document reads one JSON document of the answer.
func (r *reader) document(v jsonx.Value) {
	r.faults = append(r.faults, faults(v)...)
	r.value(v)
}

// finish decides what the answer as a whole says.
func (r *reader) finish(docs []jsonx.Value) {
	v := docs[0]
	if len(r.page.Posts) > 0 || r.listIsEmpty(v) {
		r.missing()
		r.ending()
		r.assert()
		return
	}
	if r.page.Outcome != "" {
		return // a tombstone
	}
	for _, f := range r.faults {
		if r.page.Outcome == "" || f.outcome.Scope() == post.ScopeTarget && r.page.Outcome.Scope() != post.ScopeTarget {
			r.fail(f.outcome, f.reason)
		}
	}
	if r.page.Outcome != "" {
		if r.page.Outcome.Scope() == post.ScopeTarget {
			r.stub(r.page.Outcome)
		}
		if s := r.ex.Status; (s == 429 || s >= 500) && r.page.Outcome.Scope() == post.ScopeTarget {
			r.fail(crawlers.Classify(r.ex))
			r.page.Posts = nil
		}
		return
	}
	if o, reason := crawlers.ClassifyJSON(r.ex); o != "" && o != post.LayoutChanged {
		r.fail(o, reason)
		return
	}
	switch data := v.Get("data"); {
	case v.IsObject() && len(v.Keys()) == 0 && r.isSyndication():
		r.badToken()
	case r.emptyResult(data):
		r.fail(post.NotFound, "the answer holds nothing for what was asked")
	default:
		r.fail(post.LayoutChanged, "the JSON holds nothing of X that this reader knows")
	}
}

func (r *reader) isSyndication() bool {
	return strings.EqualFold(r.url.Hostname(), "cdn.syndication.twimg.com") ||
		r.url.Host == "" && (r.step.Route == routeSyndication || r.step.Route == "") && r.step.Ref.Kind == crawlers.RefPost
}

// badToken handles {}: our token was not accepted. It says nothing of the post.
func (r *reader) badToken() {
	r.fail(post.UnexpectedType, "{}: X did not accept the token of our request; it says nothing about the post")
	if r.step.Ref.Kind == crawlers.RefPost && r.state.Retry == 0 && isID(r.step.Ref.ID) {
		st := r.state
		st.Retry = 1
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: r.step.Ref, Route: routeSyndication, Role: r.step.Role, State: st.encode()})
	}
}

// emptyResult reports whether GraphQL answers that there is no such thing.
func (r *reader) emptyResult(data jsonx.Value) bool {
	for _, key := range []string{"tweetResult", "tweet_result", "user", "user_result", "user_result_by_screen_name", "user_result_by_rest_id"} {
		if x := data.Get(key); x.IsObject() && len(x.Keys()) == 0 {
			return true
		}
	}
	return false
}

// listIsEmpty reports whether the answer is a listing without items.
func (r *reader) listIsEmpty(v jsonx.Value) bool {
	if r.page.Outcome != "" {
		return false
	}
	if n, ok := v.Get("meta", "result_count").Int(); ok && n == 0 && len(r.faults) == 0 {
		r.list = true
	}
	return r.list && len(r.faults) == 0
}

// missing makes posts without content of those that the answer says are not
// there any more: what another post refers to, or what was asked for. They stand
// first, out of the listing's order.
func (r *reader) missing() {
	listed := r.page.Posts
	r.page.Posts = nil
	defer func() {
		r.page.Posts = append(r.page.Posts, listed...)
		for i := range r.page.Posts {
			r.posts[r.page.Posts[i].ID] = i
		}
	}()
	for _, f := range r.faults {
		if f.outcome.Scope() != post.ScopeTarget || f.id == "" || f.kind != "tweet" || f.id == r.step.Ref.ID && f.outcome == post.NotFound {
			continue
		}
		if _, there := r.posts[f.id]; !there {
			r.add(post.Post{ID: f.id, Kind: post.KindPost, URL: postURL(f.id), Created: IDTime(f.id), Outcome: f.outcome})
		}
	}
}

// stub makes a post without content of a single post that is not shown. An id
// that was not found may never have been one.
func (r *reader) stub(o post.Outcome) {
	if s := r.step.Ref; s.Kind == crawlers.RefPost && isID(s.ID) && o != post.NotFound && r.step.Role != crawlers.RoleComments {
		if _, there := r.posts[s.ID]; !there {
			r.add(post.Post{ID: s.ID, Kind: post.KindPost, URL: postURL(s.ID), Created: IDTime(s.ID), Outcome: o})
		}
	}
}

// assert checks that a single post that was asked for is on the page.
func (r *reader) assert() {
	s := r.step.Ref
	if s.Kind != crawlers.RefPost || r.step.Role == crawlers.RoleComments || !isID(s.ID) {
		return
	}
	i, there := r.posts[s.ID]
	switch {
	case there:
		if o := r.page.Posts[i].Outcome; r.page.Outcome == "" && o != post.OK {
			r.fail(o, "")
			if o == post.OKPartial {
				r.page.Reason = "the text ends early"
			}
		}
	case r.list && len(r.page.Posts) == 0:
		r.fail(post.NotFound, "the answer does not hold the post")
	default:
		for _, f := range r.faults {
			if f.id == s.ID {
				r.fail(f.outcome, f.reason)
				return
			}
		}
		r.fail(post.LayoutChanged, "the answer is not about post "+s.ID)
		r.page.Next = nil
	}
}

// ending fills the coverage of a listing, and leads on.
func (r *reader) ending() {
	if !r.list {
		return
	}
	cov := &r.page.Coverage
	cov.Served = r.listed
	steps := len(r.page.Next)
	if r.next != "" {
		r.follow()
	}
	switch kind := r.step.Ref.Kind; {
	case len(r.page.Next) > steps:
	case r.next != "" || r.cursor:
		cov.End, cov.Window = "the answer names a further page, which no route can ask for", true
	case strings.Contains(r.url.Path, "/search/recent"):
		cov.End, cov.Window = "the search reaches back seven days", true
	case kind == crawlers.RefAccount && r.state.Count+r.listed >= timeline-pageSize:
		cov.End, cov.Window = fmt.Sprintf("X serves an account's last %d posts", timeline), true
	default:
		cov.End = "end of list"
	}
}

// follow gives the step to the next page of API v2.
func (r *reader) follow() {
	s := r.step
	st := state{User: r.state.User, Next: r.next, Count: r.state.Count + r.listed}
	segs := segments(r.url.Path)
	if st.User == "" && len(segs) > 3 && segs[1] == "users" && segs[3] == "tweets" && isID(segs[2]) {
		st.User = segs[2]
	}
	step := crawlers.Step{Ref: s.Ref, Route: routeAPI, Role: s.Role, State: st.encode()}
	if s.Ref.Kind == crawlers.RefAccount && st.User == "" || len(r.next) > 1024 || r.next == r.state.Next {
		return
	}
	if s.Ref.Kind == crawlers.RefPost && s.Role != crawlers.RoleComments {
		return
	}
	if _, err := (Collector{}).Request(step); err == nil {
		r.page.Next = append(r.page.Next, step)
	}
}

// put keeps what was found. In a listing those that a post carries stand before
// it, so that the last post of a page is the oldest of its listing; a single
// post stands first.
func (r *reader) put(f found, marks ...string) {
	for _, m := range marks {
		f.post.Tags = add(f.post.Tags, m)
	}
	if !r.list {
		r.add(f.post)
	}
	for _, p := range f.inside {
		r.add(p)
	}
	r.add(f.post)
	r.listed++
	if f.post.Kind != post.KindAccount {
		if at := f.post.Created.Earliest(); r.list && !at.IsZero() && (r.page.Coverage.Oldest.IsZero() || at.Before(r.page.Coverage.Oldest)) {
			r.page.Coverage.Oldest = at
		}
	}
	for _, a := range f.users {
		r.identity(a)
	}
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
	if p.Kind == post.KindAccount {
		r.users = true
		r.identity(p.Account)
	}
	for _, m := range p.Media {
		if m.URL != "" {
			r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: p.ID})
		}
	}
}

func weight(p *post.Post) int {
	w := len(p.Text) + 50*len(p.Counts) + 50*len(p.Media) + 20*len(p.Refs) + 10*len(p.Tags)
	if p.Account.Handle != "" {
		w += 100
	}
	if p.Outcome == post.OKPartial {
		w -= 100
	}
	return w
}

func (r *reader) identity(a post.Account) {
	if a.ID == "" || a.Handle == "" || r.names[a.ID+" "+a.Handle] {
		return
	}
	r.names[a.ID+" "+a.Handle] = true
	r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: strings.ToLower(a.Handle), ID: a.ID, URL: a.URL})
}

// wait gives how long the answer asks to stay away.
func (r *reader) wait() time.Duration {
	if r.page.Outcome != post.RateLimited && r.ex.Header.Get("X-Rate-Limit-Remaining") != "0" || r.ex.FetchedAt.IsZero() {
		return 0
	}
	if w := crawlers.RetryAfter(r.ex.Header, r.ex.FetchedAt); w > 0 {
		return w
	}
	reset, err := strconv.ParseInt(strings.TrimSpace(r.ex.Header.Get("X-Rate-Limit-Reset")), 10, 64)
	if err != nil || reset <= 0 {
		return 0
	}
	w := time.Unix(reset, 0).Sub(r.ex.FetchedAt)
	return max(0, min(w, 24*time.Hour))
}
