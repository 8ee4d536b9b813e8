package youtube

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
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
		return crawlers.Page{}, fmt.Errorf("a step of %q, not of youtube", s.Ref.Platform)
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

func (r *reader) fail(outcome post.Outcome, reason string) {
	r.page.Outcome, r.page.Reason = outcome, reason
}

// broken says why data could not be read.
func (r *reader) broken(err error) {
	if r.ex.Truncated {
		r.fail(post.CutBody, err.Error())
		return
	}
	r.fail(post.UnexpectedType, err.Error())
}

// The kinds of bodies.
type form int

const (
	formOther form = iota
	formJSON
	formXML
	formHTML
	formVTT
)

func trim(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// formOf tells what a body is from its first bytes.
func formOf(body []byte) form {
	head := bytes.ToLower(body[:min(len(body), 1024)])
	switch {
	case len(head) == 0:
		return formOther
	case head[0] == '{', head[0] == '[', bytes.HasPrefix(head, []byte(")]}'")):
		return formJSON
	case bytes.HasPrefix(head, []byte("webvtt")):
		return formVTT
	case head[0] != '<':
		return formOther
	}
	for _, root := range []string{"<feed", "<transcript", "<timedtext"} {
		if bytes.Contains(head, []byte(root)) {
			return formXML
		}
	}
	if bytes.HasPrefix(head, []byte("<?xml")) && !bytes.Contains(head, []byte("<html")) {
		return formXML
	}
	return formHTML
}

func (r *reader) read() {
	if r.ex.Status >= 300 && r.ex.Status < 400 {
		r.redirect()
		return
	}
	body := trim(r.ex.Body)
	kind := formOf(body)
	path := r.url.Path
	switch {
	case kind == formJSON:
		if outcome, reason := headerWall(r.ex); outcome != "" {
			r.fail(outcome, reason)
			return
		}
		r.json(bytes.TrimLeft(bytes.TrimPrefix(body, []byte(")]}'")), " \r\n"))
		return
	case strings.HasPrefix(path, "/oembed"):
		r.oembedRefused()
		return
	case strings.HasPrefix(path, "/feeds/") && (r.ex.Status == 404 || r.ex.Status == 500):
		r.fail(post.ServerError, fmt.Sprintf("the feed answers %d, which it does on some days for every channel: nothing is said about this one", r.ex.Status))
		return
	case strings.HasPrefix(path, "/feeds/") && kind == formHTML && bytes.Contains(body[:min(len(body), 512)], []byte("Error 404")):
		r.fail(post.ServerError, "the feed answers 404, which it does on some days for every channel: nothing is said about this one")
		return
	}
	if kind == formHTML {
		if outcome, reason := alertOf(body); outcome != "" {
			// The page's own data say more, where it has any.
			if r.ex.Status >= 400 || !bytes.Contains(body, []byte("ytInitialData")) {
				r.fail(outcome, reason)
				return
			}
		}
	}
	if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
		if strings.HasPrefix(path, "/api/timedtext") && len(body) == 0 && (r.ex.Status == 0 || r.ex.Status == 200) {
			r.fail(post.Blocked, "the captions are served to players with a proof of origin only: the answer is empty")
			return
		}
		r.fail(outcome, reason)
		return
	}
	switch kind {
	case formXML:
		r.xml(body)
	case formVTT:
		r.vtt(body)
	case formHTML:
		r.html(body)
	default:
		r.fail(post.UnexpectedType, "neither JSON, XML nor HTML: "+crawlers.FirstWords(r.ex))
	}
}

// headerWall tells the walls that stand in the header of an answer in JSON.
func headerWall(ex crawlers.Exchange) (post.Outcome, string) {
	if ex.Status == 429 {
		return "", "" // told by the error's own words
	}
	head := ex
	head.Body = []byte("{}")
	if ex.Status >= 400 {
		head.Status = 200
	}
	return crawlers.Classify(head)
}

// json reads an answer in JSON, whichever it is.
func (r *reader) json(body []byte) {
	v, err := jsontree.Parse(body)
	if err != nil {
		if outcome, reason := crawlers.Classify(r.ex); outcome != "" && r.ex.Status >= 400 {
			r.fail(outcome, reason)
			return
		}
		r.broken(err)
		return
	}
	if v.IsArray() { // pages of old answered [{…},{response:…}]; a saved player and next together
		r.array(v)
		return
	}
	switch kind := v.Get("kind").String(); {
	case v.Get("error").IsObject():
		r.apiError(v.Get("error"))
	case r.ex.Status >= 400:
		r.fail(crawlers.Classify(r.ex))
	case strings.HasPrefix(kind, "youtube#"):
		r.api(v)
	case v.Has("provider_name") || v.Has("author_name") && v.Has("html"):
		r.oembed(v)
	case v.Has("wireMagic"):
		r.json3(v)
	case v.Get("response").IsObject():
		r.innertube(v.Get("response"))
	default:
		r.innertube(v)
	}
}

func (r *reader) array(v value) {
	for _, e := range v.Array() {
		for _, k := range []string{"playerResponse", "response"} {
			if e.Get(k).IsObject() {
				r.innertube(e.Get(k))
			}
		}
	}
	if len(r.page.Posts) == 0 && r.page.Outcome == "" {
		r.fail(post.LayoutChanged, "a JSON array without an answer of YouTube")
	}
}

// redirect reads where an answer leads.
func (r *reader) redirect() {
	location := strings.TrimSpace(r.ex.Header.Get("Location"))
	if outcome, reason := crawlers.ClassifyRedirect(r.ex.URL, location); outcome != "" || location == "" {
		if outcome == "" {
			outcome, reason = crawlers.Classify(r.ex)
		}
		r.fail(outcome, reason)
		return
	}
	to, err := r.url.Parse(location)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		r.fail(post.UnexpectedType, fmt.Sprintf("redirect to %q, which is not a web address", location))
		return
	}
	to.Fragment, to.User = "", nil
	reason := "redirect to " + to.Redacted()
	if to.String() == r.ex.URL || r.state.Hops >= maxHops {
		r.fail(post.RedirectLoop, reason)
		return
	}
	host := strings.ToLower(to.Hostname())
	if from := r.step.Ref; isSite(host) && (strings.Trim(to.Path, "/") == "" || strings.HasPrefix(to.Path, "/error") || strings.HasPrefix(to.Path, "/oops")) && strings.Trim(r.url.Path, "/") != "" {
		r.fail(post.NotFound, reason+", away from "+from.ID)
		return
	}
	r.page.Reason = reason
	target, ok := match(to, maxUnwrap)
	from := r.step.Ref
	switch {
	case ok && target.Kind == crawlers.RefAccount && (from.Kind == crawlers.RefAccount || from.Kind == crawlers.RefShort) && target.ID != from.ID && !target.Alias:
		r.identity(from.ID, target.ID, target.URL)
		r.next(crawlers.Step{Ref: target, Route: r.step.Route})
		return
	case ok && target.Key() != from.Key() && from.Kind != crawlers.RefComment:
		if from.Kind == crawlers.RefPost && target.Kind == crawlers.RefPost {
			r.fail(post.LayoutChanged, "asked for "+from.ID+", "+reason)
			return
		}
		r.next(crawlers.Step{Ref: target, Route: r.step.Route})
		return
	}
	if !isSite(host) {
		r.fail(post.UnexpectedType, reason+", which is not YouTube")
		return
	}
	hop := r.step
	hop.State = state{At: to.String(), Hops: r.state.Hops + 1}.encode()
	if _, err := (Collector{}).Request(hop); err != nil {
		r.fail(post.UnexpectedType, reason)
		return
	}
	r.next(hop)
}

func (r *reader) next(s crawlers.Step) {
	if key := s.Key(); !r.steps[key] && len(r.page.Next) < 500 {
		r.steps[key] = true
		r.page.Next = append(r.page.Next, s)
	}
}

// identity notes that alias ("@handle", "user/name", "c/name") is channel id.
func (r *reader) identity(alias, id, address string) {
	if alias == "" || !channelForm.MatchString(id) || alias == id || r.names[alias+" "+id] {
		return
	}
	r.names[alias+" "+id] = true
	r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: alias, ID: id, URL: channelURL(id)})
	_ = address
}

// add keeps a post once, with its media as assets and its time in the coverage.
func (r *reader) add(p post.Post) {
	if p.ID == "" || r.posts[p.ID] {
		return
	}
	r.posts[p.ID] = true
	for _, m := range p.Media {
		if m.Kind == post.MediaImage && m.URL != "" {
			r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: p.ID})
		}
	}
	if p.Kind != post.KindAccount {
		if at := p.Created.Earliest(); !at.IsZero() && (r.page.Coverage.Oldest.IsZero() || at.Before(r.page.Coverage.Oldest)) {
			r.page.Coverage.Oldest = at
		}
		if p.Account.Handle != "" {
			r.identity("@"+strings.ToLower(p.Account.Handle), p.Account.ID, "")
		}
	}
	r.page.Posts = append(r.page.Posts, p)
}

// items counts the posts of a listing: all but accounts that stand above it.
func (r *reader) items() int {
	n := 0
	for i := range r.page.Posts {
		if r.page.Posts[i].Kind != post.KindAccount || r.step.Ref.Kind == crawlers.RefSearch {
			n++
		}
	}
	return n
}

// one checks that an answer about a single video is about the one that was
// asked for, and lets the video's state be the page's.
func (r *reader) one(p post.Post) bool {
	want := ""
	switch r.step.Ref.Kind {
	case crawlers.RefPost, crawlers.RefPage:
		want = r.step.Ref.ID
	case crawlers.RefComment:
		want = r.step.Ref.Of
	}
	if p.ID == "" {
		p.ID = want
		p.URL = videoURL(want)
		for i := range p.Media {
			if strings.Contains(p.Media[i].URL, "/timedtext?v=&") {
				p.Media[i].URL = strings.Replace(p.Media[i].URL, "?v=&", "?v="+want+"&", 1)
			}
		}
	}
	if want != "" && want != p.ID {
		r.fail(post.LayoutChanged, "asked for "+want+", the answer is about "+p.ID)
		return false
	}
	r.page.Outcome = p.Outcome
	switch p.Outcome.Scope() {
	case post.ScopeUs:
		return false // it says nothing about the video
	case post.ScopeTarget:
		if p.Title == "" && p.Account.ID == "" {
			return false
		}
	}
	if !videoForm.MatchString(p.ID) && !postForm.MatchString(p.ID) {
		r.fail(post.LayoutChanged, "the answer does not name its video")
		return false
	}
	r.add(p)
	r.page.Coverage.Served = 1
	r.page.Coverage.End = "one video"
	return true
}
