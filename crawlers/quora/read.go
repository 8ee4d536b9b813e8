package quora

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/words"
	"github.com/refrain-archive/refrain/post"
)

// A reader reads one exchange.
type reader struct {
	step  crawlers.Step
	ex    crawlers.Exchange
	url   *url.URL // of the exchange; never nil
	page  crawlers.Page
	posts map[string]bool
	names map[string]bool
}

// Read turns one exchange into posts.
func (Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("a step of %q, not of quora", s.Ref.Platform)
	}
	if len(s.State) > 0 {
		return crawlers.Page{}, fmt.Errorf("steps of quora have no state")
	}
	r := &reader{step: s, ex: ex, posts: map[string]bool{}, names: map[string]bool{}}
	var err error
	if r.url, err = url.Parse(ex.URL); err != nil {
		r.url = &url.URL{}
	}
	r.read()
	return r.page, nil
}

func (r *reader) read() {
	if r.ex.Status >= 300 && r.ex.Status < 400 {
		r.redirect()
		return
	}
	body := trim(r.ex.Body)
	if outcome, reason := tombstone(r.ex, body); outcome != "" {
		r.fail(outcome, reason)
		return
	}
	if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
		r.fail(outcome, reason)
		return
	}
	if isJSON(body) {
		values, err := parseJSON(body)
		if err != nil {
			r.fail(post.UnexpectedType, err.Error())
			return
		}
		r.data(values, 0)
		return
	}
	if !bytes.HasPrefix(body, []byte("<")) {
		r.fail(post.UnexpectedType, "neither HTML nor JSON: "+crawlers.FirstWords(r.ex))
		return
	}
	values, broken := pushes(body)
	switch {
	case len(values) > 0:
		r.data(values, broken)
	case r.qaPage(body), r.page2015(body), r.rendered(body):
		if r.ex.Truncated {
			r.fail(post.CutBody, "the page ends early")
		}
	case broken > 0 || r.ex.Truncated:
		r.fail(post.CutBody, "the page ends within its data")
	case bytes.Contains(body, []byte("ansFrontendGlobals")):
		r.fail(post.LayoutChanged, "inlineQueryResults holds nothing that has an id")
	default:
		r.fail(post.LayoutChanged, "a page without ansFrontendGlobals: "+crawlers.FirstWords(r.ex))
	}
}

func (r *reader) fail(outcome post.Outcome, reason string) {
	r.page.Outcome, r.page.Reason = outcome, reason
}

func trim(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}

func isJSON(body []byte) bool { return len(body) > 0 && (body[0] == '{' || body[0] == '[') }

// parseJSON reads one value, or one on each line, as deferred answers come.
func parseJSON(body []byte) ([]jsonx.Value, error) {
	v, err := jsonx.Parse(body)
	if err == nil {
		return []jsonx.Value{v}, nil
	}
	var list []jsonx.Value
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); !isJSON(line) {
			continue
		}
		v, err := jsonx.Parse(line)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if len(list) < 2 {
		return nil, err
	}
	return list, nil
}

// tombstone tells Quora's own pages for what is not there any more. Their words
// count on a refusal, and on a page without data.
func tombstone(ex crawlers.Exchange, body []byte) (post.Outcome, string) {
	refused := ex.Status == 404 || ex.Status == 410
	if !refused && (ex.Status != 0 && (ex.Status < 200 || ex.Status > 299) || isJSON(body) || len(body) > 512<<10) {
		return "", ""
	}
	head := body[:min(len(body), 512<<10)]
	if !refused && (bytes.Contains(head, []byte(`creationTime`)) || bytes.Contains(head, []byte("AnswerPagedList"))) {
		return "", ""
	}
	found := goneWords.In(bytes.ToLower(head))
	for _, w := range gone {
		if found.Has(w.words) {
			return w.outcome, w.words
		}
	}
	return "", ""
}

// gone are Quora's words for what is not there any more, in lower case.
var gone = []struct {
	words   string
	outcome post.Outcome
}{
	{"this question was deleted", post.Removed},
	{"this question has been deleted", post.Removed},
	{"this answer was deleted", post.Removed},
	{"this answer has been deleted", post.Removed},
	{"deleted by its author", post.Deleted},
	{"this account is banned", post.Suspended},
	{"account has been banned", post.Suspended},
	{"account is banned", post.Suspended},
	{"this user has been banned", post.Suspended},
	{"account has been deactivated", post.Unavailable},
	{"this account has been deleted", post.Deleted},
	{"this space has been removed", post.Removed},
	{"this space is private", post.Private},
	{"page not found", post.NotFound},
	{"we searched everywhere but couldn", post.NotFound},
}

var goneWords = func() *words.Set {
	var list []string
	for _, w := range gone {
		list = append(list, w.words)
	}
	return words.New(list...)
}()

// redirect reads where an answer points to: a renamed question, what a short
// link names, or a wall. Another address of the same target is left to the
// driver.
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
	from := r.step.Ref
	target, ok := Collector{}.Match(to)
	switch {
	case ok && target.Key() != from.Key():
		if from.Kind == target.Kind || from.Kind == crawlers.RefShort {
			r.identity(from.Kind, from.ID, target.ID, target.URL)
		}
		next := crawlers.Step{Ref: target}
		if target.Kind == from.Kind {
			next.Role, next.Route = r.step.Role, r.step.Route
		}
		r.page.Next = append(r.page.Next, next)
	case from.Kind == crawlers.RefShort && !ok:
		r.fail(post.NotFound, "the short link names nothing on Quora: redirect to "+to.Redacted())
	case !ok && strings.Trim(to.Path, "/") == "" && hostOf(to) != "":
		if _, own := ownHost(hostOf(to)); own {
			r.fail(post.NotFound, "redirect to the front page")
		}
	}
}

func (r *reader) identity(kind crawlers.RefKind, alias, id, address string) {
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
		r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: p.ID})
	}
	if at := p.Created.Earliest(); !at.IsZero() && (r.page.Coverage.Oldest.IsZero() || at.Before(r.page.Coverage.Oldest)) {
		r.page.Coverage.Oldest = at
	}
	r.page.Posts = append(r.page.Posts, p)
	r.identity(crawlers.RefAccount, p.Account.Handle, p.Account.ID, p.Account.URL)
	if ref, ok := matchText(p.URL); ok && ref.Alias {
		switch {
		case p.Kind == post.KindQuestion && ref.Kind == crawlers.RefQuestion:
			r.identity(ref.Kind, ref.ID, strings.TrimPrefix(p.ID, "question:"), ref.URL)
		case (p.Kind == post.KindAnswer || p.Kind == post.KindPost) && ref.Kind == crawlers.RefPost:
			r.identity(ref.Kind, ref.ID, strings.TrimPrefix(p.ID, "post:"), ref.URL)
		}
	}
}

func matchText(raw string) (crawlers.Ref, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return crawlers.Ref{}, false
	}
	return Collector{}.Match(u)
}

// data reads the objects of a page or answer.
func (r *reader) data(values []jsonx.Value, broken int) {
	s := gather(values)
	main := s.root("question", "qid")
	single := s.root("answer", "aid")
	if !r.isAsked(s, main, single) {
		return
	}
	if main != "" {
		if p, ok := item(s, "qid", main); ok {
			r.add(p)
		}
	}
	if uid := s.root("user", "uid"); uid != "" {
		if p, ok := item(s, "uid", uid); ok {
			r.add(p)
		}
	}
	answers := 0
	for _, kind := range []string{"aid", "pid", "cid"} {
		for _, id := range s.ids(kind) {
			p, ok := item(s, kind, id)
			if !ok || kind == "aid" && single != "" && id != single && r.step.Ref.Kind == crawlers.RefPost {
				continue
			}
			if main != "" && kind == "aid" && p.Thread != "" && p.Thread != "question:"+main {
				p.Tags = appendNew(p.Tags, "merged_into:question:"+main)
			}
			if kind == "aid" {
				answers++
			}
			r.add(p)
		}
	}
	if ids := s.ids("qid"); len(r.page.Posts) == 0 && len(ids) > 0 && !bytes.Contains(trim(r.ex.Body)[:1], []byte("<")) {
		for _, id := range ids {
			if p, ok := item(s, "qid", id); ok {
				r.add(p)
			}
		}
	}
	r.topics(s)
	r.outcome(s, main, single, answers, broken)
}

// topics notes the id of the topic or Space that the page is about.
func (r *reader) topics(s *store) {
	for _, root := range s.roots {
		if t := root.Get("topic"); isNumber(t.Get("tid").String()) {
			if ref, ok := matchText(link(t.Get("url").String())); ok && ref.Kind == crawlers.RefTag {
				r.identity(ref.Kind, ref.ID, t.Get("tid").String(), ref.URL)
			}
		}
		if t := root.Get("tribe"); t.IsObject() {
			if ref, ok := matchText(link(t.Get("url").String())); ok && ref.Kind == crawlers.RefGroup && isNumber(t.Get("tribeId").String()) {
				r.identity(ref.Kind, ref.ID, t.Get("tribeId").String(), ref.URL)
			}
		}
	}
}

// outcome sums up what the page served.
func (r *reader) outcome(s *store, main, single string, answers, broken int) {
	cov := &r.page.Coverage
	cov.Served = len(r.page.Posts)
	switch {
	case broken > 0 || r.ex.Truncated:
		cov.End = "the page ends within its data"
		r.fail(post.CutBody, cov.End)
	case len(r.page.Posts) == 0:
		for _, root := range s.roots {
			if root.Get("topic").IsObject() || root.Get("tribe").IsObject() {
				cov.End = "the page lists nothing without the private interface"
				r.fail(post.OKMetaOnly, cov.End)
				return
			}
			if root.Has("question") && !root.Get("question").Exists() || root.Has("answer") && !root.Get("answer").Exists() || root.Has("user") && !root.Get("user").Exists() {
				r.fail(post.NotFound, "the page's own query came back empty")
				return
			}
		}
		r.fail(post.LayoutChanged, "inlineQueryResults holds no question, answer, post or profile")
	case main != "":
		total, known := s.thing("qid", main).get("answerCount").Int()
		cov.Served, cov.Total, cov.Known = answers, total, known && total >= 0
		cov.End = "the page carries the first answers only"
		if deleted := r.page.Posts[0]; deleted.Kind == post.KindQuestion && deleted.Outcome == post.Deleted {
			cov.End = "the question is deleted"
			r.fail(post.Deleted, "isDeleted")
			return
		}
		if !known || total > int64(answers) {
			r.fail(post.OKPartial, fmt.Sprintf("%d of %d answers", answers, total))
			if !known {
				r.page.Reason = fmt.Sprintf("%d answers, of how many is not stated", answers)
			}
			return
		}
		cov.End = "all answers"
	default:
		cov.End = "one page"
		if p := r.page.Posts[0]; len(r.page.Posts) == 1 && p.Outcome != post.OK && p.Outcome != "" {
			r.fail(p.Outcome, map[post.Outcome]string{
				post.Deleted: "isDeleted", post.Suspended: "isBanned", post.Unavailable: "deactivated",
				post.LoginWall: "viewerHasAccess: false", post.MembersOnly: "viewerHasAccess: false",
			}[p.Outcome])
		}
	}
}

// isAsked checks that a page is about what was asked for.
func (r *reader) isAsked(s *store, main, single string) bool {
	want := r.step.Ref
	about := ""
	switch want.Kind {
	case crawlers.RefQuestion:
		if main == "" {
			return true
		}
		q := s.thing("qid", main)
		ref, ok := matchText(link(q.text("url")))
		if !ok || main == want.ID || sameSlug(ref.ID, want.ID) {
			return true
		}
		about = ref.ID
	case crawlers.RefPost:
		if single == "" {
			return true
		}
		if single == want.ID {
			return true
		}
		a := s.thing("aid", single)
		for _, raw := range []string{a.text("permaUrl"), a.text("permaUrlOnOriginalQuestion"), a.text("url")} {
			ref, ok := matchText(link(raw))
			if ok && (ref.ID == want.ID || sameAnswer(ref.ID, want.ID)) {
				return true
			}
			about = firstOf(about, ref.ID)
		}
		if about == "" {
			return true
		}
	case crawlers.RefAccount:
		uid := s.root("user", "uid")
		ref, ok := matchText(link(s.thing("uid", uid).text("profileUrl")))
		if uid == "" || uid == want.ID || !ok || sameSlug(ref.ID, want.ID) {
			return true
		}
		about = ref.ID
	default:
		return true
	}
	r.fail(post.LayoutChanged, "asked for "+want.ID+", the page is about "+about)
	return false
}

func sameSlug(a, b string) bool { return strings.EqualFold(a, b) }

// sameAnswer compares the addresses of two answers by their authors: an answer
// is shown under each question that it was merged into.
func sameAnswer(a, b string) bool {
	_, x, ok := strings.Cut(a, "/answer/")
	_, y, ok2 := strings.Cut(b, "/answer/")
	return ok && ok2 && strings.EqualFold(x, y)
}
