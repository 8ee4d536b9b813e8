package tumblr

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/words"
	"github.com/refrain-archive/refrain/post"
)

// Read turns one exchange into posts and further steps.
func (c Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("the step belongs to platform %q", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	if page, ok := wall(ex); ok {
		return page, nil
	}
	if ex.Status >= 300 && ex.Status < 400 {
		return redirect(s, st, ex), nil
	}
	if outcome, reason := crawlers.Classify(ex); outcome != "" {
		return crawlers.Page{Outcome: outcome, Reason: reason, Wait: wait(ex)}, nil
	}
	if crawlers.LooksHTML(ex) {
		return readHTML(s, st, ex), nil
	}
	body := bytes.TrimLeft(bytes.TrimPrefix(ex.Body, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.HasPrefix(body, []byte("<")):
		return readXML(s, ex, body), nil
	case bytes.HasPrefix(body, []byte("var tumblr_api_read")):
		return readV1(s, st, ex, body), nil
	case len(body) > 0 && (body[0] == '{' || body[0] == '['):
	default:
		if i := bytes.IndexByte(body, '('); i > 0 && i < 100 { // &callback=NAME
			return readV1(s, st, ex, body), nil
		}
		return crawlers.Page{Outcome: post.UnexpectedType, Reason: "neither JSON, XML nor HTML: " + crawlers.FirstWords(ex)}, nil
	}
	v, err := jsonx.Parse(body)
	if err != nil {
		return broken(ex, err), nil
	}
	switch {
	case v.Has("posts-start"), v.Has("tumblelog"):
		return listV1(s, st, ex, v), nil
	case v.Has("provider_name"), v.Get("version").String() == "1.0" && v.Has("html"):
		return readOEmbed(s, v), nil
	case v.Has("meta"), v.Has("response"):
		return readV2(s, st, ex, v.Get("response")), nil
	case v.Has("posts"), v.Has("id_string"), v.Has("blog_name"), v.IsArray():
		return readV2(s, st, ex, v), nil
	}
	return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a JSON object without the keys of any of Tumblr's answers"}, nil
}

func broken(ex crawlers.Exchange, err error) crawlers.Page {
	if ex.Truncated {
		return crawlers.Page{Outcome: post.CutBody, Reason: err.Error()}
	}
	return crawlers.Page{Outcome: post.UnexpectedType, Reason: err.Error()}
}

// wait reads how long API v2 asks to wait.
func wait(ex crawlers.Exchange) time.Duration {
	if ex.Status != 429 {
		return 0
	}
	for _, name := range []string{"Retry-After", "X-Ratelimit-Perhour-Reset", "X-Ratelimit-Perday-Reset"} {
		remaining := ex.Header.Get(strings.Replace(name, "Reset", "Remaining", 1))
		if strings.HasPrefix(name, "X-") && remaining != "" && remaining != "0" {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(ex.Header.Get(name))); err == nil && n > 0 && n <= 100_000 {
			return time.Duration(n) * time.Second
		}
	}
	return 0
}

// wall tells Tumblr's own walls and tombstones.
func wall(ex crawlers.Exchange) (crawlers.Page, bool) {
	if ex.Status >= 300 && ex.Status < 400 {
		from, err := url.Parse(ex.URL)
		if err != nil {
			return crawlers.Page{}, false
		}
		to, err := from.Parse(ex.Header.Get("Location"))
		if err != nil {
			return crawlers.Page{}, false
		}
		page := crawlers.Page{Reason: "redirect to " + to.Redacted()}
		switch p := to.Path; {
		case strings.HasPrefix(p, "/login_required"), strings.HasPrefix(p, "/login") && strings.HasSuffix(to.Hostname(), "tumblr.com"):
			page.Outcome = post.LoginWall
		case strings.HasPrefix(p, "/safe-mode"):
			page.Outcome = post.AgeGated
		case strings.HasPrefix(p, "/privacy/consent"):
			page.Outcome = post.ConsentWall
		default:
			return crawlers.Page{}, false
		}
		return page, true
	}
	if crawlers.LooksHTML(ex) {
		return noticeWall(ex)
	}
	if ex.Status != 0 && ex.Status < 400 {
		return crawlers.Page{}, false
	}
	v, err := jsonx.Parse(ex.Body)
	if err != nil || !v.Has("meta") {
		return crawlers.Page{}, false
	}
	status := ex.Status
	if n, ok := v.Get("meta", "status").Int(); ok && status == 0 {
		status = int(n)
	}
	if status < 400 {
		return crawlers.Page{}, false
	}
	reason := v.Get("meta", "msg").String()
	for _, e := range v.Get("errors").Array() {
		if d := e.Get("detail").String(); d != "" {
			reason = d
			break
		}
	}
	page := crawlers.Page{Reason: reason, Wait: wait(ex)}
	switch lower := strings.ToLower(reason); {
	case strings.Contains(lower, "only viewable within the tumblr dashboard"):
		page.Outcome = post.LoginWall
	case strings.Contains(lower, "do not have permission to view this blog"):
		page.Outcome = post.Private
	case strings.Contains(lower, "password"):
		page.Outcome = post.Password
	case status == 401:
		page.Outcome = post.NeedsKey
	case status == 403:
		page.Outcome = post.Private
	case status == 404, status == 410:
		page.Outcome = post.NotFound
	case status == 429:
		page.Outcome = post.RateLimited
	case status >= 500:
		page.Outcome = post.ServerError
	default:
		page.Outcome = post.UnexpectedType
	}
	return page, true
}

// noticeWords are what noticeWall looks for.
var noticeWords = words.New("This Tumblr is password protected", "blog is password protected", "only viewable within the Tumblr dashboard", "do not have permission to view this blog",
	"There's nothing here", "There’s nothing here", "Whatever you were looking for doesn't currently exist", "has been terminated")

// noticeWall tells pages that stand in for a blog.
func noticeWall(ex crawlers.Exchange) (crawlers.Page, bool) {
	head := ex.Body[:min(len(ex.Body), 256<<10)]
	has := noticeWords.In(head).Has
	title := strings.ToLower(crawlers.Title(head))
	page := func(o post.Outcome, reason string) (crawlers.Page, bool) {
		return crawlers.Page{Outcome: o, Reason: reason}, true
	}
	switch {
	case has("This Tumblr is password protected"), has("blog is password protected"), strings.Contains(title, "password required"):
		return page(post.Password, "password protected")
	case has("only viewable within the Tumblr dashboard"):
		return page(post.LoginWall, "only viewable within the Tumblr dashboard")
	case has("do not have permission to view this blog"):
		return page(post.Private, "no permission to view this blog")
	case ex.Status == 404 || ex.Status == 0 && (title == "not found." || title == "not found"):
		if has("There's nothing here") || has("There’s nothing here") || has("Whatever you were looking for doesn't currently exist") || ex.Status == 404 {
			return page(post.NotFound, "There's nothing here.")
		}
	case has("has been terminated") && ex.Status >= 400:
		return page(post.Suspended, "this blog has been terminated")
	}
	return crawlers.Page{}, false
}

// redirect gives the step to where an address leads: a short link to its post,
// an address to the one with the post's words, a blog to its custom domain.
func redirect(s crawlers.Step, st state, ex crawlers.Exchange) crawlers.Page {
	from, err := url.Parse(ex.URL)
	location := ex.Header.Get("Location")
	if err != nil || location == "" {
		return crawlers.Page{Outcome: post.ServerError, Reason: "a redirect without Location"}
	}
	to, err := from.Parse(location)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return crawlers.Page{Outcome: post.ServerError, Reason: "a redirect to " + location}
	}
	page := crawlers.Page{Reason: "redirect to " + to.Redacted()}
	if to.String() == ex.URL || st.N >= 8 {
		page.Outcome = post.RedirectLoop
		return page
	}
	to.User, to.Fragment = nil, ""
	ref, ok := (Collector{}).Match(to)
	if !ok && s.Ref.Kind != crawlers.RefShort {
		ref, ok = customRef(to)
	}
	if !ok {
		page.Outcome = post.UnexpectedType
		return page
	}
	next := crawlers.Step{Ref: ref, Route: s.Route, Role: s.Role}
	if s.Ref.Kind == crawlers.RefShort {
		next.Role = ""
		if ref.Kind == crawlers.RefShort && ref.ID == s.Ref.ID {
			page.Outcome = post.NotFound
			return page
		}
		page.Identities = []crawlers.Identity{{Kind: ref.Kind, Alias: s.Ref.ID, ID: ref.ID, URL: ref.URL}}
		page.Next = []crawlers.Step{next}
		return page
	}
	// The same target at another address: keep what the step is about.
	if ref.Kind == s.Ref.Kind && ref.ID == s.Ref.ID || strings.EqualFold(to.Hostname(), from.Hostname()) || s.Ref.Kind != crawlers.RefAccount && ref.Kind != s.Ref.Kind {
		st.URL, st.N = to.String(), st.N+1
		next.Ref, next.State = s.Ref, st.encode()
		if !crawlers.HostAllowed((Collector{}).About(), s.Ref, to.Hostname()) {
			next.Ref.Of = strings.ToLower(to.Hostname())
		}
	}
	if ref.Kind == crawlers.RefAccount && ref.ID != s.Ref.ID && s.Ref.Kind == crawlers.RefAccount {
		page.Identities = []crawlers.Identity{{Kind: crawlers.RefAccount, Alias: s.Ref.ID, ID: ref.ID, URL: ref.URL}}
	}
	page.Next = []crawlers.Step{next}
	return page
}

// asked reports whether a post is the one that a step of a single post asked
// for, and says why not.
func asked(s crawlers.Step, posts []post.Post) (string, bool) {
	if s.Ref.Kind != crawlers.RefPost || s.Role == crawlers.RoleComments {
		return "", true
	}
	for i := range posts {
		if posts[i].ID == s.Ref.ID {
			return "", true
		}
	}
	if len(posts) == 0 {
		return "the answer holds no post", false
	}
	return fmt.Sprintf("the answer is about post %s, post %s was asked for", posts[0].ID, s.Ref.ID), false
}

// addIdentity notes a blog's uuid under its name, once.
func addIdentity(page *crawlers.Page, name, uuid string) {
	if name == "" || uuid == "" {
		return
	}
	for _, id := range page.Identities {
		if id.Alias == name {
			return
		}
	}
	page.Identities = append(page.Identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: name, ID: uuid, URL: blogURL(name)})
}

func oldest(posts []post.Post) time.Time {
	var at time.Time
	for i := range posts {
		if t := posts[i].Created.Earliest(); !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

// moment reads a moment with its zone, as feeds and ld+json have it.
func moment(raw string) post.Time {
	raw = strings.TrimSpace(raw)
	for _, layout := range []string{time.RFC3339Nano, time.RFC1123Z, time.RFC1123, "2006-01-02 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 -0700"} {
		if t, err := time.Parse(layout, raw); err == nil && t.Year() > 1970 && t.Year() < 9000 {
			return post.Exact(t, raw)
		}
	}
	return post.Time{}
}

func unix(v jsonx.Value) post.Time {
	n, ok := v.Int()
	if !ok || n <= 0 || n > 200_000_000_000 {
		return post.Time{}
	}
	return post.Exact(time.Unix(n, 0), "")
}
