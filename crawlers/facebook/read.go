package facebook

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/words"
	"github.com/refrain-archive/refrain/post"
)

// Read turns one exchange into posts and further steps.
func (Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("the step belongs to platform %q", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	if ex.Status >= 300 && ex.Status < 400 {
		return redirect(s, ex), nil
	}
	if !utf8.Valid(ex.Body) {
		ex.Body = bytes.ToValidUTF8(ex.Body, []byte("\uFFFD"))
	}
	if crawlers.LooksHTML(ex) {
		if page, ok := htmlWall(ex); ok {
			return page, nil
		}
		if outcome, reason := crawlers.Classify(ex); outcome != "" && outcome != post.LoginWall {
			return crawlers.Page{Outcome: outcome, Reason: reason}, nil
		}
		return readHTML(s, ex), nil
	}
	body := jsonBody(ex.Body)
	v, err := jsontree.Parse(body)
	if err == nil {
		if e := v.Get("error"); e.IsObject() {
			return readError(e), nil
		}
		if page, ok := siteError(v); ok {
			return page, nil
		}
	}
	if outcome, reason := crawlers.ClassifyJSON(crawlers.Exchange{URL: ex.URL, Status: ex.Status, Header: ex.Header, Body: body, Truncated: ex.Truncated}); outcome != "" {
		return crawlers.Page{Outcome: outcome, Reason: reason}, nil
	}
	if err != nil {
		return readLines(s, st, ex, body, err), nil
	}
	return readJSON(s, st, ex, v), nil
}

// readLines reads an answer of /api/graphql, which is one JSON value a line.
func readLines(s crawlers.Step, st state, ex crawlers.Exchange, body []byte, failed error) crawlers.Page {
	c := newCollection(s, ex)
	n := 0
	for line := range bytes.Lines(body) {
		if v, err := jsontree.Parse(line); err == nil && (v.IsObject() || v.IsArray()) {
			c.read(v)
			n++
		}
	}
	if n > 1 && len(c.posts) > 0 {
		return c.page(st, jsontree.Value{})
	}
	if ex.Truncated {
		return crawlers.Page{Outcome: post.CutBody, Reason: failed.Error()}
	}
	return crawlers.Page{Outcome: post.UnexpectedType, Reason: failed.Error()}
}

// jsonBody cuts off what stands before JSON: a byte order mark, blanks, and the
// loop that keeps an answer from being included as a script.
func jsonBody(body []byte) []byte {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("for (;;);")), " \t\r\n")
}

// redirect tells walls from short links. What it does not know it leaves to the
// driver, which follows.
func redirect(s crawlers.Step, ex crawlers.Exchange) crawlers.Page {
	location := ex.Header.Get("Location")
	from, err := url.Parse(ex.URL)
	if err != nil || location == "" {
		return crawlers.Page{Outcome: post.ServerError, Reason: fmt.Sprintf("status %d without a Location", ex.Status)}
	}
	to, err := from.Parse(strings.TrimSpace(location))
	if err != nil || to.Host == "" {
		return crawlers.Page{Outcome: post.ServerError, Reason: "a redirect to " + location}
	}
	page := crawlers.Page{Reason: "redirect to " + to.Redacted()}
	switch p := strings.ToLower(to.Path); {
	case strings.HasPrefix(p, "/login"), strings.HasPrefix(p, "/recover"), strings.HasPrefix(p, "/r.php"), strings.HasPrefix(p, "/reg/"):
		page.Outcome = post.LoginWall
	case strings.HasPrefix(p, "/checkpoint"):
		page.Outcome = post.Challenge
	case strings.HasPrefix(p, "/consent"), strings.HasPrefix(p, "/cookie/consent"), strings.HasPrefix(p, "/privacy/consent"):
		page.Outcome = post.ConsentWall
	case (p == "" || p == "/") && strings.Trim(from.Path, "/") != "" && ourHost(strings.ToLower(to.Hostname())):
		page.Outcome = post.LoginWall
	}
	if page.Outcome != "" {
		if s.Ref.Kind == crawlers.RefShort { // the wall names what the link leads to
			if ref, ok := match(to, 0); ok && ref.Kind != crawlers.RefShort {
				page.Identities = []crawlers.Identity{{Kind: ref.Kind, Alias: s.Ref.ID, ID: ref.ID, URL: ref.URL}}
			}
		}
		return page
	}
	if outcome, reason := crawlers.ClassifyRedirect(ex.URL, location); outcome != "" {
		return crawlers.Page{Outcome: outcome, Reason: reason}
	}
	ref, ok := match(to, 0)
	if !ok || ref.Key() == s.Ref.Key() {
		return page
	}
	switch {
	case s.Ref.Kind == crawlers.RefShort:
		page.Identities = []crawlers.Identity{{Kind: ref.Kind, Alias: s.Ref.ID, ID: ref.ID, URL: ref.URL}}
		page.Next = []crawlers.Step{{Ref: ref, Route: s.Route}}
	case ref.Kind == s.Ref.Kind && s.Ref.Alias && !ref.Alias, ref.Kind == crawlers.RefAccount && s.Ref.Kind == crawlers.RefAccount && ref.Alias && !s.Ref.Alias:
		alias, id := s.Ref.ID, ref.ID
		if !s.Ref.Alias {
			alias, id = id, alias
		}
		page.Identities = []crawlers.Identity{{Kind: ref.Kind, Alias: alias, ID: id, URL: ref.URL}}
	}
	return page
}

// siteError tells the refusals of /api/graphql and of the pagination answers.
func siteError(v jsontree.Value) (crawlers.Page, bool) {
	e := v
	if first := v.Get("errors").At(0); first.IsObject() && !v.Get("data").Exists() {
		e = first
	}
	code, ok := exists(e.Get("error"), e.Get("code")).Int()
	if !ok || v.Get("data").Exists() || v.Has("payload") && v.Get("payload").Exists() {
		return crawlers.Page{}, false
	}
	words := first(e.Get("errorSummary").String(), e.Get("summary").String(), e.Get("message").String())
	if d := first(e.Get("errorDescription").String(), e.Get("description").String()); d != "" && d != words {
		words += ": " + d
	}
	page := crawlers.Page{Reason: first(words, fmt.Sprintf("error %d", code))}
	lower := strings.ToLower(words)
	switch {
	case code == 1357001, code == 1357031, strings.Contains(lower, "log in"), strings.Contains(lower, "not logged in"):
		page.Outcome = post.LoginWall
	case code == 1675004, code == 1357005, strings.Contains(lower, "rate limit"), strings.Contains(lower, "temporarily blocked"):
		page.Outcome = post.RateLimited
	case code == 1404102, code == 1404078:
		page.Outcome = post.Challenge
	case strings.Contains(lower, "isn't available"), strings.Contains(lower, "not available"):
		page.Outcome = post.Unavailable
	default:
		page.Outcome = post.UnexpectedType
	}
	return page, true
}

// noticeWords are what htmlWall looks for.
var noticeWords = words.New(
	`property="og:title"`, "available right now", "uiInterstitialContent", `action="/checkpoint/`, "You must log in to continue", "Sorry, something went wrong",
	"You’re Temporarily Blocked", "You're Temporarily Blocked", "You&#039;re Temporarily Blocked", "You&#x2019;re Temporarily Blocked",
	`"props":{"title":"This content isn't available right now"`, `"title":"This content isn't available right now"`, `"title":"This content isn\u2019t available right now"`, `"title":"This content isn\u0027t available right now"`,
	"This Facebook post is no longer available", "This video is no longer available", "The link you followed may have expired, or the page may only be visible to an audience",
	"This content isn&#039;t available right now", "This content isn't available at the moment",
	">Page Not Found</title>", "The page you requested was not found", "The page you requested cannot be displayed right now",
)

// htmlWall tells pages that stand in for a post or page. A login form alone is
// no wall.
func htmlWall(ex crawlers.Exchange) (crawlers.Page, bool) {
	head := ex.Body[:min(len(ex.Body), 256<<10)]
	raw := crawlers.Title(head)
	title := strings.ToLower(raw)
	has := noticeWords.In(ex.Body).Has
	page := func(o post.Outcome, reason string) (crawlers.Page, bool) {
		return crawlers.Page{Outcome: o, Reason: reason}, true
	}
	ogTitle := has(`property="og:title"`)
	if ogTitle && ex.Status != 429 && !has("available right now") {
		// None of the notices has an og:title: a large page need not be searched for each of them.
		switch {
		case strings.HasPrefix(title, "page not found"):
			return page(post.NotFound, raw)
		case strings.HasPrefix(title, "content not found"), title == "content unavailable":
			return page(post.Unavailable, raw)
		}
		return crawlers.Page{}, false
	}
	switch {
	case ex.Status == 429, has("You’re Temporarily Blocked"), has("You're Temporarily Blocked"), has("You&#039;re Temporarily Blocked"), has("You&#x2019;re Temporarily Blocked"):
		return page(post.RateLimited, first(raw, "temporarily blocked"))
	case has(`"props":{"title":"This content isn't available right now"`), has(`"title":"This content isn't available right now"`), has(`"title":"This content isn\u2019t available right now"`), has(`"title":"This content isn\u0027t available right now"`), strings.HasPrefix(title, "content not found"), title == "content unavailable":
		return page(post.Unavailable, "This content isn't available right now")
	case has("This Facebook post is no longer available"), has("This video is no longer available"), has("The link you followed may have expired, or the page may only be visible to an audience"), has("This content isn&#039;t available right now") && !ogTitle, has("This content isn't available at the moment") && !ogTitle:
		return page(post.Unavailable, "the post is no longer available, or its privacy settings have changed")
	case strings.HasPrefix(title, "page not found"), has(">Page Not Found</title>"), has("The page you requested was not found"), has("The page you requested cannot be displayed right now") && !ogTitle:
		return page(post.NotFound, first(raw, "Page Not Found"))
	case has("uiInterstitialContent"):
		return page(post.Unavailable, first(interstitial(ex.Body), raw))
	case strings.HasPrefix(title, "security check"), strings.Contains(title, "checkpoint"), has(`action="/checkpoint/`) && !ogTitle:
		return page(post.Challenge, first(raw, "checkpoint"))
	case !ogTitle && (strings.HasPrefix(title, "log into facebook") || strings.HasPrefix(title, "log in to facebook") || strings.HasPrefix(title, "facebook – log in") || strings.HasPrefix(title, "facebook - log in") || strings.HasPrefix(title, "log in or sign up") || has("You must log in to continue")):
		return page(post.LoginWall, first(raw, "You must log in to continue."))
	case title == "cookies" || strings.HasPrefix(title, "allow the use of cookies"):
		return page(post.ConsentWall, raw)
	case title == "error" && has("Sorry, something went wrong"):
		return page(post.ServerError, "Sorry, something went wrong.")
	}
	return crawlers.Page{}, false
}

// A collection is what is found in one answer, each post once.
type collection struct {
	step       crawlers.Step
	fetched    time.Time
	posts      []post.Post
	seen       map[string]int
	assets     []crawlers.Asset
	identities []crawlers.Identity
	counts     map[string][]post.Count // of feedback objects, by POST or POST_COMMENT
	owners     map[string]string       // of posts, as feedback objects name them
	shared     []*draft                // stories that the story at hand shares
	total      int64
	known      bool
	lists      int // lists that were there, full or empty
	more       bool
}

func newCollection(s crawlers.Step, ex crawlers.Exchange) *collection {
	return &collection{step: s, fetched: ex.FetchedAt, seen: map[string]int{}, counts: map[string][]post.Count{}, owners: map[string]string{}}
}

// add takes a draft. Of a post that stands twice, what the one lacks is taken
// from the other.
func (c *collection) add(d *draft) {
	c.identities = append(c.identities, d.identities...)
	if d.ID == "" {
		return
	}
	key := "post " + d.ID
	switch d.Kind {
	case post.KindAccount, post.KindComment:
		key = string(d.Kind) + " " + d.ID
	}
	i, ok := c.seen[key]
	if !ok {
		c.seen[key] = len(c.posts)
		c.posts = append(c.posts, d.Post)
		c.assets = append(c.assets, d.assets...)
		return
	}
	p := &c.posts[i]
	if p.Text == "" {
		p.Text, p.Hashtags, p.Links, p.Mentions = d.Text, d.Hashtags, d.Links, d.Mentions
	}
	if p.Title == "" {
		p.Title = d.Title
	}
	if p.Created.IsZero() || p.Created.Time.IsZero() && !d.Created.Time.IsZero() {
		p.Created = d.Created
	}
	if p.Account.ID == "" && p.Account.Handle == "" && p.Account.Name == "" {
		p.Account = d.Account
	}
	if p.Account.Avatar == "" && (p.Account.ID == "" || p.Account.ID == d.Account.ID) {
		p.Account.Avatar = d.Account.Avatar
	}
	if p.Account.ID == "" && strings.EqualFold(p.Account.Handle, d.Account.Handle) {
		p.Account.ID = d.Account.ID
	}
	if len(p.Media) == 0 {
		p.Media = d.Media
		c.assets = append(c.assets, d.assets...)
	}
	if len(p.Refs) == 0 {
		p.Refs = d.Refs
	}
	p.Counts = merge(p.Counts, d.Counts)
}

// merge adds what have lacks. An exact count takes the place of a rounded one.
func merge(have, more []post.Count) []post.Count {
next:
	for _, m := range more {
		for i, h := range have {
			if h.Name == m.Name {
				if h.Precision != post.PrecisionExact && m.Precision == post.PrecisionExact {
					have[i] = m
				}
				continue next
			}
		}
		have = append(have, m)
	}
	return have
}

// settle gives posts the counts that stand elsewhere in the answer.
func (c *collection) settle() {
	for i := range c.posts {
		p := &c.posts[i]
		key := p.ID
		if p.Kind == post.KindComment {
			key = p.Thread + "_" + p.ID
		}
		p.Counts = merge(p.Counts, c.counts[key])
		owner := c.owners[key]
		switch {
		case owner == "" || p.Kind == post.KindComment || p.Kind == post.KindAccount:
		case p.Account.ID == "":
			p.Account.ID = owner
			if p.Account.Handle != "" {
				c.identities = append(c.identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: strings.ToLower(p.Account.Handle), ID: owner, URL: p.Account.URL})
			}
		case p.Account.ID != owner: // the page's number, and its profile's
			c.identities = append(c.identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: owner, ID: p.Account.ID, URL: p.Account.URL})
			if p.URL == postURL(p.Account.ID, p.ID) {
				p.URL = postURL(owner, p.ID)
			}
		}
	}
}

// page says how the answer ended, and where it goes on.
func (c *collection) page(st state, v jsontree.Value) crawlers.Page {
	c.settle()
	page := crawlers.Page{Posts: c.posts, Assets: c.assets, Identities: unique(c.identities)}
	if why, ok := c.asked(); !ok {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
	}
	items := 0
	for i := range c.posts {
		if c.posts[i].Kind != post.KindAccount {
			items++
		}
	}
	page.Coverage = crawlers.Coverage{Served: items, Total: c.total, Known: c.known, Oldest: oldest(c.posts)}
	c.next(&page, st, v)
	pages := 0
	for _, n := range page.Next {
		if n.Role == "" || n.Role == crawlers.RolePage {
			pages++
		}
	}
	switch {
	case pages > 0:
		page.Coverage.End = ""
	case page.Coverage.End != "":
	case c.step.Ref.Kind == crawlers.RefPost && c.step.Role != crawlers.RoleComments:
		page.Coverage.End = "one post"
	case c.more:
		page.Coverage.End, page.Coverage.Window = "the site's own interface has more, for its own code", true
	case items == 0 && len(c.posts) > 0:
		page.Coverage.End = "the answer holds the profile"
	default:
		page.Coverage.End = "end of the list"
	}
	if len(c.posts) == 0 && len(page.Next) == 0 {
		if c.lists > 0 {
			page.Coverage.End = "the list is empty"
			return page
		}
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "JSON without a post, comment or page of any known shape"}
	}
	return page
}

// asked checks that the answer is about what was asked for, and makes the
// number of a post that was asked for by a pfbid its identity.
func (c *collection) asked() (string, bool) {
	ref := c.step.Ref
	if ref.Kind != crawlers.RefPost || strings.HasPrefix(ref.ID, "ad:") {
		return "", true
	}
	var items []*post.Post
	for i := range c.posts {
		p := &c.posts[i]
		if p.ID == ref.ID || p.Thread == ref.ID {
			return "", true
		}
		for _, m := range p.Media { // a photo or video of the post
			if ref.Of == "" && strings.Contains(m.URL, ref.ID) {
				return "", true
			}
		}
		if p.Kind != post.KindComment && p.Kind != post.KindAccount {
			items = append(items, p)
		}
	}
	for _, i := range c.identities {
		if i.Alias == ref.ID {
			return "", true
		}
	}
	if len(items) == 0 {
		return "", true
	}
	// What another of the posts shares is not what was asked for.
	own := items[:0:0]
	for _, p := range items {
		inside := false
		for _, q := range items {
			for _, r := range q.Refs {
				inside = inside || r.ID == p.ID
			}
		}
		if !inside {
			own = append(own, p)
		}
	}
	items = own
	if ref.Alias && len(items) == 1 {
		c.identities = append(c.identities, crawlers.Identity{Kind: crawlers.RefPost, Alias: ref.ID, ID: items[0].ID, URL: items[0].URL})
		return "", true
	}
	if len(items) == 0 {
		return "posts that share each other, none of them " + ref.ID, false
	}
	return fmt.Sprintf("the answer is about post %s, post %s was asked for", items[0].ID, ref.ID), false
}

func oldest(posts []post.Post) time.Time {
	var at time.Time
	for i := range posts {
		if posts[i].Kind == post.KindAccount {
			continue
		}
		if t := posts[i].Created.Earliest(); !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}
