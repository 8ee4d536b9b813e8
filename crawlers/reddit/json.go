package reddit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// json reads an answer of the API, of the JSON views, or of oEmbed.
func (r *reader) json(body []byte) {
	var answers []answer
	var err error
	if body[0] == '[' {
		err = decode(body, &answers)
	} else {
		answers = make([]answer, 1)
		err = decode(body, &answers[0])
	}
	if err != nil {
		var syntax *json.SyntaxError
		if r.ex.Truncated || errors.As(err, &syntax) && syntax.Offset >= int64(len(body)) {
			r.fail(post.CutBody, "the JSON ends early")
			return
		}
		r.fail(post.UnexpectedType, "broken JSON: "+err.Error())
		return
	}
	r.escaped = isEscaped(body, r.url)
	if isWrite(r.ex, r.url) && (r.ex.Status == 0 || r.ex.Status/100 == 2) && (len(answers) == 0 || answers[0].JSON == nil || len(answers[0].JSON.Errors) == 0) {
		r.page.Coverage.End = "an answer to a token or write request: it carries no posts"
		return
	}
	if len(answers) == 0 {
		r.fail(post.LayoutChanged, "an empty array")
		return
	}
	first := answers[0]
	switch {
	case first.JSON != nil:
		r.more(first)
	case body[0] == '[' && first.Kind == "Listing":
		r.thread(answers)
	case first.Kind == "Listing":
		r.listing(first)
	case first.Kind == "t1" || first.Kind == "t2" || first.Kind == "t3" || first.Kind == "t5":
		r.single(body)
	case body[0] == '{' && strings.EqualFold(first.ProviderName, "reddit"):
		r.oembed(first)
	default:
		r.refusal(first)
	}
}

// isEscaped reports whether the strings of an answer carry "&amp;", "&lt;" and
// "&gt;" for "&", "<" and ">": every answer that was not asked for with
// raw_json=1. The first HTML field tells it; where there is none, the address
// or a media address does.
func isEscaped(body []byte, u *url.URL) bool {
	rest := body
	for range 1000 {
		i := bytes.Index(rest, []byte(`_html":`))
		if i < 0 {
			break
		}
		rest = bytes.TrimLeft(rest[i+len(`_html":`):], " \t\r\n")
		switch {
		case bytes.HasPrefix(rest, []byte(`"&lt;`)):
			return true
		case bytes.HasPrefix(rest, []byte(`"<`)), bytes.HasPrefix(rest, []byte(`"\u003C`)), bytes.HasPrefix(rest, []byte(`"\u003c`)):
			return false
		}
	}
	if u.Query().Get("raw_json") == "1" {
		return false
	}
	return bytes.Contains(body, []byte("&amp;s=")) || !bytes.Contains(body, []byte("&s="))
}

// isWrite reports whether an exchange asked Reddit to do something, or for a
// token, rather than to show something.
func isWrite(ex crawlers.Exchange, u *url.URL) bool {
	path := strings.TrimSuffix(u.Path, "/")
	if strings.HasSuffix(path, "/api/v1/access_token") {
		return true
	}
	method := strings.ToUpper(ex.Method)
	return method != "" && method != "GET" && method != "HEAD" && strings.HasPrefix(path, "/api/") &&
		!strings.HasPrefix(path, "/api/morechildren") && !strings.HasPrefix(path, "/api/info")
}

// refusal reads {"message":…, "error":…, "reason":…}.
func (r *reader) refusal(a answer) {
	code := r.ex.Status
	if f, ok := a.Error.(float64); ok && f >= 100 && f < 600 {
		code = int(f)
	}
	reason := strings.TrimSpace(strings.Join(strings.Fields(a.Reason+" "+a.Explanation+" "+a.Message), " "))
	if reason == "" {
		reason = fmt.Sprintf("status %d", code)
	}
	switch strings.ToLower(a.Reason) {
	case "private", "employees_only", "archived_private":
		r.fail(post.Private, reason)
		return
	case "gold_only", "gold_restricted", "premium_only":
		r.fail(post.MembersOnly, reason)
		return
	case "quarantined", "gated":
		r.fail(post.AgeGated, reason)
		return
	case "banned":
		r.fail(post.Suspended, reason)
		return
	case "user_doesnt_exist", "subreddit_noexist":
		r.fail(post.NotFound, reason)
		return
	case "ratelimit":
		r.fail(post.RateLimited, reason)
		return
	}
	switch {
	case code == 401:
		r.fail(post.NeedsKey, reason)
	case code == 403:
		switch r.step.Ref.Kind {
		case crawlers.RefGroup, crawlers.RefPost, crawlers.RefComment:
			r.fail(post.Private, reason)
		default:
			r.fail(post.Unavailable, reason)
		}
	case code == 404:
		r.fail(post.NotFound, reason)
	case code == 429:
		r.fail(post.RateLimited, reason)
	case code == 451:
		r.fail(post.Withheld, reason)
	case code >= 500:
		r.fail(post.ServerError, reason)
	default:
		if outcome, why := crawlers.Classify(r.ex); outcome != "" {
			r.fail(outcome, why)
			return
		}
		r.fail(post.LayoutChanged, "JSON without a listing, a thing or a reason: "+crawlers.FirstWords(r.ex))
	}
}

// listing reads one page of a listing, or the answer of /api/info.
func (r *reader) listing(a answer) {
	children := a.Data.Children
	r.route = routeAPI
	if !strings.EqualFold(r.url.Hostname(), "oauth.reddit.com") && r.step.Route == "" && r.url.Hostname() != "" {
		r.route = routeFeed // a saved JSON view: there is no such route any more
	}
	skipped := map[string]int{}
	for i := range children {
		t := &children[i]
		p, ok := r.thing(t)
		if !ok {
			skipped[t.Kind]++
			continue
		}
		r.add(p)
		r.parents(t)
		if t.Kind == "t3" && r.isListing() && t.Data.NumComments != nil && *t.Data.NumComments > 0 {
			r.next(crawlers.Step{Ref: postRef(p.ID), Route: r.route, Role: crawlers.RoleComments})
		}
	}
	cov := &r.page.Coverage
	cov.Served = len(children)
	r.paging(a.Data.After, len(children))
	if len(skipped) > 0 {
		r.page.Outcome, r.page.Reason = post.OKPartial, fmt.Sprintf("things of other kinds were skipped: %v", skipped)
	}
	switch r.step.Ref.Kind {
	case crawlers.RefPost, crawlers.RefComment:
		r.asked(r.step.Ref.ID)
	case crawlers.RefGroup, crawlers.RefAccount:
		if r.state.After == "" && r.step.Role != crawlers.RoleHydrate && r.route == routeAPI {
			if id := r.step.Ref.ID; id != "all" && id != "popular" && !strings.Contains(id, "+") {
				r.next(crawlers.Step{Ref: r.step.Ref, Route: routeAPI, Role: crawlers.RoleHydrate})
			}
		}
	}
}

// isListing reports whether the step asks for many posts.
func (r *reader) isListing() bool {
	return r.step.Ref.Kind != crawlers.RefPost && r.step.Ref.Kind != crawlers.RefComment
}

// paging adds the next page of a listing, or says why there is none.
func (r *reader) paging(after string, served int) {
	cov := &r.page.Coverage
	count := r.state.Count + served
	if after == "" || !r.isListing() && r.step.Role != crawlers.RoleRelated {
		cov.End = "end of list"
		if count >= listingCap-pageSize/4 {
			cov.End, cov.Window = fmt.Sprintf("Reddit serves at most %d items of a listing", listingCap), true
		}
		return
	}
	if after == r.state.After {
		cov.End = "the answer repeats its page"
		return
	}
	st := state{After: after, Count: count, Comments: r.state.Comments}
	role := r.step.Role
	if role != crawlers.RoleRelated && role != crawlers.RoleComments {
		role = crawlers.RolePage
	}
	r.next(crawlers.Step{Ref: r.step.Ref, Route: r.route, Role: role, State: st.encode()})
	if role != crawlers.RolePage {
		cov.End = "the next page is a further step"
	}
}

// asked checks that the answer holds the post or comment that was asked for,
// and makes its state the outcome of the page.
func (r *reader) asked(id string) {
	for i := range r.page.Posts {
		if p := &r.page.Posts[i]; p.ID == id {
			if p.Outcome.Scope() == post.ScopeTarget {
				r.page.Outcome = p.Outcome
				r.page.Reason = "the platform shows " + string(p.Outcome) + " in place of its text"
			}
			return
		}
	}
	r.fail(post.NotFound, "the answer does not list "+id)
}

// thread reads [post, comments], or [post, other submissions of its link].
func (r *reader) thread(answers []answer) {
	r.route = routeAPI
	if !strings.EqualFold(r.url.Hostname(), "oauth.reddit.com") && r.step.Route == "" && r.url.Hostname() != "" {
		r.route = routeFeed
	}
	if len(answers[0].Data.Children) == 0 {
		r.fail(post.NotFound, "the answer holds no post")
		return
	}
	head := &answers[0].Data.Children[0]
	want := r.step.Ref.ID
	if r.step.Ref.Kind == crawlers.RefComment {
		want = r.step.Ref.Of
	}
	if strings.HasPrefix(want, "t3_") && head.Kind == "t3" && fullName(head) != want {
		r.fail(post.LayoutChanged, "asked for "+want+", the answer is about "+fullName(head))
		return
	}
	for i := range answers[0].Data.Children {
		t := &answers[0].Data.Children[i]
		if p, ok := r.thing(t); ok {
			r.add(p)
			r.parents(t)
		}
	}
	cov := &r.page.Coverage
	before := len(r.page.Posts)
	related := false
	after := ""
	for i := 1; i < len(answers); i++ {
		for j := range answers[i].Data.Children {
			related = related || answers[i].Data.Children[j].Kind == "t3"
		}
		after = answers[i].Data.After
		r.comments(answers[i].Data.Children, fullName(head))
	}
	cov.Served = len(r.page.Posts) - before
	if related || r.step.Role == crawlers.RoleRelated || r.step.Ref.Kind == crawlers.RefDiscussion || strings.Contains(r.url.Path, "/duplicates/") {
		if n := head.Data.NumDuplicates; n != nil && *n >= 0 {
			cov.Total, cov.Known = int64(*n), true
		}
		r.paging(after, cov.Served)
		return
	}
	if n := head.Data.NumComments; n != nil && *n >= 0 && r.step.Ref.Kind == crawlers.RefPost {
		cov.Total, cov.Known = int64(*n), true
	}
	cov.End = "end of the thread"
	if r.folded > 0 {
		cov.End = fmt.Sprintf("%d folded comments need route api and keys.reddit", r.folded)
	}
	for _, s := range r.page.Next {
		if s.Role == crawlers.RoleComments {
			cov.End = "the comments that the thread folds away are further steps"
			break
		}
	}
	if r.step.Role != crawlers.RoleComments {
		r.relatedStep(head)
	}
	r.asked(r.step.Ref.ID)
}

// relatedStep asks for other submissions of the same link, where there may be
// any, and for the parent of a crosspost that did not come along.
func (r *reader) relatedStep(t *thing) {
	if r.step.Ref.Kind != crawlers.RefPost || t.Kind != "t3" {
		return
	}
	d := &t.Data
	some := d.NumCrossposts != nil && *d.NumCrossposts > 0 || d.NumDuplicates != nil && *d.NumDuplicates > 0 || d.NumDuplicates == nil && !d.IsSelf
	if some {
		r.next(crawlers.Step{Ref: r.step.Ref, Route: r.route, Role: crawlers.RoleRelated})
	}
	if parent := d.CrosspostParent; strings.HasPrefix(parent, "t3_") && isID(bare(parent)) && !r.posts[parent] {
		r.next(crawlers.Step{Ref: postRef(parent), Route: r.route, Role: crawlers.RoleRelated})
	}
}

// comments adds a tree of comments, parents before children, in the order of
// the page, and steps for those that it only names.
func (r *reader) comments(things []thing, link string) {
	for i := range things {
		t := &things[i]
		if t.Kind == "more" {
			r.moreSteps(&t.Data, link)
			continue
		}
		if p, ok := r.thing(t); ok {
			r.add(p)
			r.parents(t)
		}
		if t.Data.Replies != nil {
			r.comments(t.Data.Replies.Data.Children, link)
		}
	}
}

// moreSteps turns a "more" object into steps: its ids a hundred at a time, or,
// where the tree is too deep to be listed at all, the thread of its parent.
func (r *reader) moreSteps(d *item, link string) {
	if !strings.HasPrefix(link, "t3_") || !isID(bare(link)) {
		return
	}
	var ids []string
	for _, id := range d.Children {
		if id = strings.ToLower(bare(id)); isID(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		if parent := strings.ToLower(d.ParentID); strings.HasPrefix(parent, "t1_") && isID(bare(parent)) {
			r.next(crawlers.Step{Ref: commentRef(parent, link), Route: r.route, Role: crawlers.RoleComments})
		}
		return
	}
	if r.route != routeAPI { // only the API answers for single comments
		r.folded += len(ids)
		return
	}
	for len(ids) > 0 {
		n := min(len(ids), moreChildren)
		st := state{Children: ids[:n:n]}
		r.next(crawlers.Step{Ref: postRef(link), Route: routeAPI, Role: crawlers.RoleComments, State: st.encode()})
		ids = ids[n:]
	}
}

// more reads the answer of /api/morechildren.
func (r *reader) more(a answer) {
	if len(a.JSON.Errors) > 0 { // the first tells
		e, name := a.JSON.Errors[0], ""
		if len(e) > 0 {
			name, _ = e[0].(string)
		}
		reason := strings.TrimSpace(fmt.Sprint(e...))
		switch strings.ToUpper(name) {
		case "RATELIMIT":
			r.fail(post.RateLimited, reason)
		case "USER_REQUIRED":
			r.fail(post.NeedsKey, reason)
		case "SUBREDDIT_NOEXIST", "USER_DOESNT_EXIST", "BAD_ID", "NO_THING_ID", "DELETED_LINK", "DELETED_COMMENT":
			r.fail(post.NotFound, reason)
		default:
			r.fail(post.Unavailable, reason)
		}
		return
	}
	r.route = routeAPI
	link := ""
	if form, err := url.ParseQuery(string(r.ex.RequestBody)); err == nil {
		link = strings.ToLower(form.Get("link_id"))
	}
	things := a.JSON.Data.Things
	for i := range things {
		if l := things[i].Data.LinkID; l != "" {
			if r.step.Ref.Kind == crawlers.RefPost && l != r.step.Ref.ID {
				r.fail(post.LayoutChanged, "asked for comments of "+r.step.Ref.ID+", the answer is about "+l)
				return
			}
			if link == "" {
				link = l
			}
		}
	}
	if link == "" && r.step.Ref.Kind == crawlers.RefPost {
		link = r.step.Ref.ID
	}
	r.comments(things, link)
	r.page.Coverage.Served = len(r.page.Posts)
	r.page.Coverage.End = "these are the comments that were asked for by id"
}

// single reads one thing: the about page of an account or subreddit.
func (r *reader) single(body []byte) {
	var t struct {
		thing
		Data struct {
			item
			Subreddit struct { // t2: the profile's own subreddit
				Title             string `json:"title"`
				PublicDescription string `json:"public_description"`
			} `json:"subreddit"`
		} `json:"data"`
	}
	var plain thing
	if err := decode(body, &plain); err != nil {
		r.fail(post.UnexpectedType, "broken JSON: "+err.Error())
		return
	}
	if plain.Kind == "t2" {
		if decode(body, &t) == nil {
			plain.Data.PublicDescription = t.Data.Subreddit.PublicDescription
			plain.Data.Title = t.Data.Subreddit.Title
		}
	}
	p, ok := r.thing(&plain)
	if !ok {
		r.fail(post.LayoutChanged, "a "+plain.Kind+" without id")
		return
	}
	if want := r.step.Ref; (want.Kind == crawlers.RefAccount || want.Kind == crawlers.RefGroup) && want.ID != p.ID && want.ID != strings.ToLower(p.Account.Handle) {
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the answer is about "+p.Account.Handle)
		return
	}
	r.add(p)
	r.page.Coverage = crawlers.Coverage{Served: 1, End: "a single thing"}
	if p.Outcome.Scope() == post.ScopeTarget {
		r.page.Outcome, r.page.Reason = p.Outcome, "the answer says so"
	}
}

// oembed reads title and author of a post. The id stands in the address that
// was asked for, or in the card's links.
func (r *reader) oembed(a answer) {
	target, ok := Collector{}.matchRaw(r.url.Query().Get("url"))
	for rest := a.HTML; !ok && rest != ""; {
		_, after, found := strings.Cut(rest, `href="`)
		if !found {
			break
		}
		href, tail, _ := strings.Cut(after, `"`)
		rest = tail
		if m, matched := (Collector{}).matchRaw(unescape(href)); matched && (m.Kind == crawlers.RefPost || m.Kind == crawlers.RefComment) {
			target, ok = m, true
		}
	}
	if !ok || target.Kind != crawlers.RefPost && target.Kind != crawlers.RefComment {
		r.fail(post.LayoutChanged, "an oEmbed answer that names no post")
		return
	}
	if want := r.step.Ref; (want.Kind == crawlers.RefPost || want.Kind == crawlers.RefComment) && want.ID != target.ID {
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the answer is about "+target.ID)
		return
	}
	p := post.Post{ID: target.ID, Kind: post.KindPost, URL: target.URL, Title: a.Title, Account: account(a.AuthorName, ""), Outcome: post.OKMetaOnly}
	if target.Kind == crawlers.RefComment {
		p.Kind, p.Thread = post.KindComment, target.Of
	}
	if _, sub, found := strings.Cut(a.HTML, `reddit.com/r/`); found {
		if name := sub[:wordEnd(sub)]; name != "" {
			p.Tags = []string{"r/" + name}
		}
	}
	if strings.HasPrefix(a.ThumbnailURL, "http") {
		p.Media = []post.Media{{Kind: post.MediaImage, URL: a.ThumbnailURL}}
	}
	r.add(p)
	r.page.Outcome, r.page.Reason = post.OKMetaOnly, "oEmbed carries title and author only"
	r.page.Coverage = crawlers.Coverage{Served: 1, End: "a single thing"}
}

func (c Collector) matchRaw(raw string) (crawlers.Ref, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return crawlers.Ref{}, false
	}
	return c.Match(u)
}

func wordEnd(s string) int {
	for i, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' {
			return i
		}
	}
	return len(s)
}

var unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// unescape undoes what the API does to strings without raw_json=1, once.
func unescape(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	return unescaper.Replace(s)
}
