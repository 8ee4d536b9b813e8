package vimeo

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

type value = jsontree.Value

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
		return crawlers.Page{}, fmt.Errorf("a step of %q, not of vimeo", s.Ref.Platform)
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

func trim(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}

func (r *reader) read() {
	if r.ex.Status >= 300 && r.ex.Status < 400 {
		r.redirect()
		return
	}
	body := trim(r.ex.Body)
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		r.json(body)
		return
	}
	if head := body[:min(len(body), 64)]; len(head) > 0 && head[0] != '<' && bytes.IndexByte(head, '(') > 0 && bytes.HasSuffix(bytes.TrimRight(body, "; \r\n"), []byte(")")) {
		if i := bytes.IndexByte(body, '('); json1(body[i+1:]) { // ?callback=NAME
			r.json(bytes.TrimRight(body[i+1:], "); \r\n"))
			return
		}
	}
	if crawlers.LooksHTML(r.ex) {
		if outcome, reason := tombstone(r.ex); outcome != "" {
			r.fail(outcome, reason)
			return
		}
	}
	if strings.HasPrefix(r.url.Path, "/api/oembed") && !crawlers.LooksHTML(r.ex) {
		switch words := strings.ToLower(crawlers.FirstWords(r.ex)); {
		case strings.HasPrefix(words, "404"), strings.HasPrefix(words, "not found"):
			r.fail(post.NotFound, crawlers.FirstWords(r.ex))
			return
		case strings.HasPrefix(words, "403"), strings.HasPrefix(words, "forbidden"):
			r.fail(post.Private, crawlers.FirstWords(r.ex)+": the video is private")
			return
		}
	}
	if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
		if strings.HasPrefix(r.url.Path, "/api/v2/") && (outcome == post.NotFound || outcome == post.Blocked) {
			outcome, reason = post.ServerError, reason+": the simple API may be gone, nothing is said about the target"
		}
		r.fail(outcome, reason)
		r.page.Wait = r.wait()
		return
	}
	switch {
	case bytes.HasPrefix(body, []byte("<?xml")), bytes.HasPrefix(body, []byte("<rss")):
		if !crawlers.LooksHTML(r.ex) {
			r.rss(body)
			return
		}
	}
	if len(body) > 0 && body[0] == '<' {
		r.html(body)
		return
	}
	r.fail(post.UnexpectedType, "neither JSON, XML nor HTML: "+crawlers.FirstWords(r.ex))
}

func json1(rest []byte) bool { return len(rest) > 0 && (rest[0] == '{' || rest[0] == '[') }

// wait reads how long the API asks to wait.
func (r *reader) wait() time.Duration {
	if r.ex.Status != 429 || r.ex.Header == nil {
		return 0
	}
	reset, err := time.Parse(time.RFC3339, strings.TrimSpace(r.ex.Header.Get("X-Ratelimit-Reset")))
	if err != nil || r.ex.FetchedAt.IsZero() {
		return 0
	}
	d := reset.Sub(r.ex.FetchedAt)
	if d <= 0 || d > 24*time.Hour {
		return 0
	}
	return d
}

// tombstone tells Vimeo's own pages for what it does not show.
func tombstone(ex crawlers.Exchange) (post.Outcome, string) {
	head := ex.Body[:min(len(ex.Body), 1<<20)]
	title := crawlers.Title(head)
	has := func(words string) bool { return bytes.Contains(head, []byte(words)) }
	switch {
	case has(`id="pw_form"`) || has(`/password" method="post"`) && strings.HasPrefix(title, "Private"):
		return post.Password, firstOf(title, "a password form")
	case strings.HasPrefix(title, "VimeUhOh"):
		switch ex.Status {
		case 451:
			return post.Removed, "VimeUhOh, status 451: unavailable for legal reasons"
		case 404, 410:
			return post.NotFound, "VimeUhOh, status " + fmt.Sprint(ex.Status)
		case 403:
			return post.Private, "VimeUhOh, status 403"
		}
		return post.Unavailable, "VimeUhOh"
	case strings.HasPrefix(title, "Private Video") || strings.HasPrefix(title, "Private video"):
		return post.Private, title
	case has("Because of its privacy settings, this video cannot be played here"):
		return post.EmbedRestricted, "Because of its privacy settings, this video cannot be played here."
	}
	return "", ""
}

// json reads an answer in JSON, whichever it is.
func (r *reader) json(body []byte) {
	v, err := jsontree.Parse(body)
	if err != nil {
		if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
			r.fail(outcome, reason)
			return
		}
		if r.ex.Truncated {
			r.fail(post.CutBody, err.Error())
			return
		}
		r.fail(post.UnexpectedType, err.Error())
		return
	}
	if r.refused(v) {
		return
	}
	switch {
	case v.IsArray():
		r.simpleList(v)
	case v.Get("videos").IsObject() && v.Has("stat"), v.Has("generated_in"):
		r.advanced(v)
	case v.Get("video").IsObject() && (v.Has("request") || v.Has("cdn_url") || v.Has("embed")):
		r.player(v)
	case v.Get("data").IsArray():
		r.list(v)
	case uriForm.MatchString(v.Get("uri").String()) && v.Has("name"), commentURI.MatchString(v.Get("uri").String()):
		r.item(v)
	case v.Has("provider_name"), v.Has("video_id"), v.Has("html") && v.Has("uri"):
		r.oembed(v)
	case v.Has("upload_date"), v.Has("display_name"), v.Has("total_videos"), v.Has("user_url"):
		r.simple(v)
		r.single("one item")
	default:
		r.fail(post.LayoutChanged, "a JSON object without the keys of any of Vimeo's answers")
	}
}

// refused reads errors in JSON: of the API, of the player, of the advanced API.
func (r *reader) refused(v value) bool {
	words := firstOf(v.Get("error").String(), v.Get("err", "expl").String(), v.Get("err", "msg").String(), v.Get("title").String())
	if more := v.Get("developer_message").String(); more != "" && more != words {
		words = strings.TrimSpace(words + " " + more)
	}
	isError := v.Has("error") && !v.Get("error").IsObject() || v.Get("stat").String() == "fail" || r.ex.Status >= 400 || v.Get("view").String() == "4" && v.Has("message")
	if m := v.Get("message").String(); isError && m != "" {
		words = strings.TrimSpace(words + " " + m)
	}
	if !isError || v.Has("video_id") && r.ex.Status < 400 {
		return false
	}
	code, _ := v.Get("error_code").Int()
	lower := strings.ToLower(words)
	has := func(list ...string) bool {
		for _, w := range list {
			if strings.Contains(lower, w) {
				return true
			}
		}
		return false
	}
	reason := words
	if r.ex.Status != 0 {
		reason = strings.TrimSpace(fmt.Sprintf("status %d: %s", r.ex.Status, words))
	}
	if o, why := crawlers.Classify(headOf(r.ex)); o != "" {
		r.fail(o, why)
		return true
	}
	switch {
	case code == 2222 || code == 2223 || has("password"):
		r.fail(post.Password, reason)
	case has("privacy settings", "cannot be played here", "embed"):
		r.fail(post.EmbedRestricted, reason)
	case r.ex.Status == 429, has("too many", "rate limit"):
		r.fail(post.RateLimited, reason)
		r.page.Wait = r.wait()
	case r.ex.Status == 401, code == 8003, has("access token", "authenticated", "scope", "invalid signature", "api key", "consumer key"):
		r.fail(post.NeedsKey, reason)
	case r.ex.Status == 404, r.ex.Status == 410, code == 5000, code == 5460, has("couldn't be found", "could not be found", "not found", "does not exist"):
		r.fail(post.NotFound, reason)
	case r.ex.Status == 451:
		r.fail(post.Removed, reason)
	case r.ex.Status == 403, r.ex.Status == 400, has("private", "permission"):
		r.fail(post.Private, reason)
	case r.ex.Status >= 500:
		r.fail(post.ServerError, reason)
	default:
		r.fail(post.Unavailable, reason)
	}
	return true
}

// headOf is an exchange for telling walls by header alone.
func headOf(ex crawlers.Exchange) crawlers.Exchange {
	if ex.Status >= 400 {
		ex.Status = 200
	}
	ex.Body = []byte("{}")
	return ex
}

// redirect reads where an answer leads.
func (r *reader) redirect() {
	location := strings.TrimSpace(r.ex.Header.Get("Location"))
	outcome, reason := crawlers.ClassifyRedirect(r.ex.URL, location)
	if outcome == "" && location == "" {
		outcome, reason = crawlers.Classify(r.ex)
	}
	if outcome != "" {
		r.fail(outcome, reason)
		return
	}
	to, err := r.url.Parse(location)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		r.fail(post.UnexpectedType, fmt.Sprintf("redirect to %q, which is not a web address", location))
		return
	}
	to.Fragment, to.User = "", nil
	if strings.EqualFold(to.Hostname(), "www.vimeo.com") {
		to.Host = "vimeo.com"
	}
	reason = "redirect to " + to.Redacted()
	if strings.HasPrefix(to.Path, "/log_in") || strings.HasPrefix(to.Path, "/login") {
		r.fail(post.LoginWall, reason)
		return
	}
	if to.String() == r.ex.URL || r.state.Hops >= maxHops {
		r.fail(post.RedirectLoop, reason)
		return
	}
	r.page.Reason = reason
	from := r.step.Ref
	target, ok := Collector{}.Match(to)
	switch {
	case ok && target.Kind == crawlers.RefAccount && from.Kind == crawlers.RefAccount && target.Key() != from.Key():
		// A name that changed, or a number that has a name: which is the
		// identity is told by an answer that shows both.
		if target.Alias && !from.Alias {
			r.identity(crawlers.RefAccount, target.ID, from.ID, target.URL)
		} else if from.Alias && !target.Alias {
			r.identity(crawlers.RefAccount, from.ID, target.ID, target.URL)
		}
		r.next(crawlers.Step{Ref: target, Route: r.step.Route, Role: r.step.Role})
	case ok && target.Key() != from.Key() && from.Kind == crawlers.RefPost && target.Kind == crawlers.RefPost:
		r.fail(post.LayoutChanged, "asked for "+from.ID+", "+reason)
	case ok && target.Key() != from.Key():
		r.next(crawlers.Step{Ref: target})
	case !isPage(to):
		r.fail(post.UnexpectedType, reason+", which is not Vimeo")
	default:
		hop := r.step
		hop.State = state{At: to.String(), Hops: r.state.Hops + 1}.encode()
		if ok && target.Of != "" {
			hop.Ref = target
		}
		if _, err := (Collector{}).Request(hop); err != nil {
			r.fail(post.UnexpectedType, reason)
			return
		}
		r.next(hop)
	}
}

func (r *reader) next(s crawlers.Step) {
	if key := s.Key(); !r.steps[key] && len(r.page.Next) < 500 {
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

// add keeps a post once, with its pictures as assets and its time in the coverage.
func (r *reader) add(p post.Post) {
	if p.ID == "" || r.posts[p.ID] {
		return
	}
	r.posts[p.ID] = true
	if p.Outcome == "" {
		p.Outcome = post.OK
	}
	p.Hashtags = hashtags.In(p.Title + "\n" + p.Text)
	for _, m := range p.Media {
		if m.Kind == post.MediaImage && m.URL != "" {
			r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: p.ID})
		}
	}
	if at := p.Created.Earliest(); p.Kind != post.KindAccount && !at.IsZero() && (r.page.Coverage.Oldest.IsZero() || at.Before(r.page.Coverage.Oldest)) {
		r.page.Coverage.Oldest = at
	}
	r.page.Posts = append(r.page.Posts, p)
}

// one asserts that an answer about one video is about the one asked for, and
// lets the video's state be the page's.
func (r *reader) one(p post.Post) bool {
	if want := r.step.Ref; want.Kind == crawlers.RefPost && want.ID != p.ID {
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the answer is about "+p.ID)
		return false
	}
	if !number.MatchString(p.ID) {
		r.fail(post.LayoutChanged, "the answer does not name its video")
		return false
	}
	r.add(p)
	r.page.Outcome = p.Outcome
	r.single("one video")
	return true
}

func (r *reader) single(end string) {
	r.page.Coverage.Served = len(r.page.Posts)
	for _, n := range r.page.Next {
		if n.Role == crawlers.RolePage || n.Role == "" {
			return
		}
	}
	r.page.Coverage.End = end
}

// user makes an account of what an answer shows of it; any part may be empty.
func (r *reader) user(id, name, page, avatar string) post.Account {
	a := post.Account{Name: strings.TrimSpace(name), Avatar: avatar}
	if u, err := base.Parse(page); err == nil && page != "" {
		if ref, ok := (Collector{}).Match(u); ok && ref.Kind == crawlers.RefAccount {
			if ref.Alias {
				a.Handle = strings.Trim(u.Path, "/")
				if i := strings.IndexByte(a.Handle, '/'); i >= 0 {
					a.Handle = a.Handle[:i]
				}
			} else {
				id = firstOf(id, ref.ID)
			}
			a.URL = ref.URL
		}
	}
	if number.MatchString(id) && id != "0" {
		a.ID = id
		if a.Handle != "" {
			r.identity(crawlers.RefAccount, a.Handle, id, a.URL)
		} else if a.URL == "" {
			a.URL = userID(id).URL
		}
	}
	return a
}

var base = &url.URL{Scheme: "https", Host: "vimeo.com", Path: "/"}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// count is a count that a field states, in digits or as a number.
func count(name string, v value) (post.Count, bool) {
	n, ok := v.Int()
	if !ok || n < 0 {
		return post.Count{}, false
	}
	return post.ExactCount(name, n), true
}

// size reads a length or size, 0 where there is none.
func size(v value) int {
	n, ok := v.Int()
	if !ok || n < 0 || n > 1<<30 {
		return 0
	}
	return int(n)
}

func seconds(v value) float64 {
	n, ok := v.Float()
	if !ok || !(n > 0 && n < 1e9) {
		return 0
	}
	return n
}

func absolute(raw string) string {
	u, err := base.Parse(raw)
	if err != nil || raw == "" || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}

const maxLinks = 300

// links lists the web addresses that stand in a plain text.
func links(s string) []string {
	var out []string
	seen := map[string]bool{}
	for len(out) < maxLinks {
		i := strings.Index(s, "http")
		if i < 0 {
			break
		}
		rest := s[i:]
		if !strings.HasPrefix(rest, "http://") && !strings.HasPrefix(rest, "https://") {
			s = rest[4:]
			continue
		}
		end := strings.IndexFunc(rest, func(c rune) bool { return c <= ' ' || c == '<' || c == '>' || c == '"' || c == '\u00a0' })
		if end < 0 {
			end = len(rest)
		}
		raw := strings.TrimRight(rest[:end], ".,;:!?)]}'’”»")
		if u, err := url.Parse(raw); err == nil && u.Host != "" && !seen[raw] {
			seen[raw] = true
			out = append(out, raw)
		}
		s = rest[max(end, 4):]
	}
	return out
}
