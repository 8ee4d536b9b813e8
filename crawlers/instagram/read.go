package instagram

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
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
	if crawlers.LooksHTML(ex) {
		if !utf8.Valid(ex.Body) {
			ex.Body = bytes.ToValidUTF8(ex.Body, []byte("\uFFFD"))
		}
		if page, ok := htmlWall(ex); ok {
			return page, nil
		}
		if outcome, reason := crawlers.Classify(ex); outcome != "" {
			return crawlers.Page{Outcome: outcome, Reason: reason}, nil
		}
		return readHTML(s, ex), nil
	}
	body := jsonBody(ex.Body)
	v, err := jsontree.Parse(body)
	if err == nil {
		if page, ok := jsonWall(ex, v); ok {
			return page, nil
		}
	}
	if outcome, reason := crawlers.ClassifyJSON(crawlers.Exchange{URL: ex.URL, Status: ex.Status, Header: ex.Header, Body: body, Truncated: ex.Truncated}); outcome != "" {
		return crawlers.Page{Outcome: outcome, Reason: reason}, nil
	}
	if err != nil {
		if ex.Truncated {
			return crawlers.Page{Outcome: post.CutBody, Reason: err.Error()}, nil
		}
		return crawlers.Page{Outcome: post.UnexpectedType, Reason: err.Error()}, nil
	}
	return readJSON(s, st, ex, v), nil
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
	p := strings.ToLower(to.Path)
	switch {
	case strings.HasPrefix(p, "/accounts/login"), strings.HasPrefix(p, "/login"), strings.HasPrefix(p, "/accounts/signup"), strings.HasPrefix(p, "/accounts/onetap"):
		page.Outcome = post.LoginWall
	case strings.HasPrefix(p, "/challenge"), strings.HasPrefix(p, "/checkpoint"), strings.HasPrefix(p, "/accounts/suspended"):
		page.Outcome = post.Challenge
	case strings.HasPrefix(p, "/consent"):
		page.Outcome = post.ConsentWall
	case (p == "" || p == "/") && from.Path != "/" && from.Path != "" && ourHost(strings.ToLower(to.Hostname())):
		page.Outcome = post.LoginWall
	}
	if page.Outcome != "" {
		return page
	}
	if outcome, reason := crawlers.ClassifyRedirect(ex.URL, location); outcome != "" {
		return crawlers.Page{Outcome: outcome, Reason: reason}
	}
	ref, ok := match(to, 0)
	if !ok || ref.Key() == s.Ref.Key() {
		return page
	}
	if s.Ref.Kind == crawlers.RefShort {
		page.Identities = []crawlers.Identity{{Kind: ref.Kind, Alias: s.Ref.ID, ID: ref.ID, URL: ref.URL}}
		page.Next = []crawlers.Step{{Ref: ref, Route: s.Route}}
	}
	return page
}

// jsonWall tells refusals in JSON.
func jsonWall(ex crawlers.Exchange, v jsontree.Value) (crawlers.Page, bool) {
	if e := v.Get("error"); e.IsObject() && (e.Has("code") || e.Has("message")) {
		return readError(e), true
	}
	message := first(v.Get("message").String(), v.Get("error_type").String(), v.Get("errors").At(0).Get("message").String())
	if message == "" {
		message = v.Get("message", "errors").At(0).String()
	}
	lower := strings.ToLower(message)
	page := crawlers.Page{Reason: message}
	failed := v.Get("status").String() == "fail" || ex.Status >= 400
	switch {
	case strings.EqualFold(v.Get("title").String(), "Restricted Video"), strings.EqualFold(v.Get("title").String(), "Restricted profile"):
		page.Outcome, page.Reason = post.AgeGated, v.Get("title").String()
	case strings.Contains(lower, "checkpoint_required"), strings.Contains(lower, "challenge_required"), strings.Contains(lower, "feedback_required"), v.Has("checkpoint_url") && failed, v.Get("challenge").IsObject() && failed:
		page.Outcome, page.Reason = post.Challenge, first(message, "checkpoint")
	case strings.Contains(lower, "consent_required"):
		page.Outcome = post.ConsentWall
	case strings.Contains(lower, "wait a few minutes"), strings.Contains(lower, "rate limit"), strings.Contains(lower, "too many requests"), v.Get("spam").Bool() && failed:
		page.Outcome, page.Reason = post.RateLimited, first(message, "spam: true")
	case v.Get("require_login").Bool(), strings.Contains(lower, "login_required"), lower == "login required", v.Has("logout_reason") && failed:
		page.Outcome, page.Reason = post.LoginWall, first(message, "require_login")
	case !failed:
		return crawlers.Page{}, false
	case strings.Contains(lower, "not authorized to view user"), strings.Contains(lower, "private"):
		page.Outcome = post.Private
	case strings.Contains(lower, "not found"), strings.Contains(lower, "media_not_found"), strings.Contains(lower, "unavailable"), strings.Contains(lower, "user_not_found"), strings.Contains(lower, "has been deleted"):
		page.Outcome = post.NotFound
	case strings.Contains(lower, "useragent mismatch"):
		page.Outcome = post.Blocked
	default:
		return crawlers.Page{}, false
	}
	return page, true
}

// readJSON reads an answer in JSON of any of the interfaces.
func readJSON(s crawlers.Step, st state, ex crawlers.Exchange, v jsontree.Value) crawlers.Page {
	if v.Has("provider_name") || v.Has("html") && v.Get("version").String() == "1.0" {
		return readOEmbed(s, v)
	}
	if mine := v.Get("data").At(0).Get("instagram_business_account"); mine.Exists() || isMe(ex.URL) {
		return readMine(s, st, v)
	}
	if page, ok := readTagSearch(s, st, ex, v); ok {
		return page
	}
	c := newCollection(s, ex)
	if found := v.Get("business_discovery"); found.IsObject() {
		c.discovery(found)
	} else {
		c.read(v)
	}
	return c.page(st, v)
}

func isMe(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && strings.HasSuffix(u.Path, "/me/accounts") && u.Hostname() == "graph.facebook.com"
}

// readMine reads which Instagram account the token is of: the step that comes
// before all others of the Graph API.
func readMine(s crawlers.Step, st state, v jsontree.Value) crawlers.Page {
	for _, p := range v.Get("data").Array() {
		if id := p.Get("instagram_business_account", "id").String(); isNumber(id) && st.Me == "" {
			page := crawlers.Page{Reason: "the token's own Instagram account is " + id}
			if s.Ref.Kind == crawlers.RefAccount && s.Ref.Alias || s.Ref.Kind == crawlers.RefTag {
				page.Next = []crawlers.Step{{Ref: s.Ref, Route: routeAPI, State: state{Me: id}.encode()}}
			}
			return page
		}
	}
	return crawlers.Page{Outcome: post.NeedsKey, Reason: "no Instagram business account belongs to the pages of this token: link one to a page, or use the token of somebody who has"}
}

// readTagSearch reads the answer to ig_hashtag_search: a number.
func readTagSearch(s crawlers.Step, st state, ex crawlers.Exchange, v jsontree.Value) (crawlers.Page, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil || path.Base(u.Path) != "ig_hashtag_search" {
		return crawlers.Page{}, false
	}
	id := v.Get("data").At(0).Get("id").String()
	if !isNumber(id) {
		return crawlers.Page{Outcome: post.NotFound, Reason: "the Graph API knows no such hashtag"}, true
	}
	page := crawlers.Page{Identities: []crawlers.Identity{{Kind: crawlers.RefTag, Alias: id, ID: s.Ref.ID, URL: s.Ref.URL}}}
	if s.Ref.Kind == crawlers.RefTag && st.Me != "" && st.Tag == "" {
		for _, list := range []string{"recent_media", "top_media"} {
			page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: routeAPI, State: state{Me: st.Me, Tag: id, List: list}.encode()})
		}
	}
	return page, true
}

// A collection is what is found in one answer, each post once.
type collection struct {
	step       crawlers.Step
	fetched    time.Time
	posts      []post.Post
	seen       map[string]int
	assets     []crawlers.Asset
	identities []crawlers.Identity
	thread     string // post that comments hang under
	total      int64
	known      bool
	more       bool // the list goes on behind the site's own interface
	containers int  // lists and places for an item that were there, full or empty
	gated      bool
	broken     int  // items that contradict themselves
	withheld   bool // a profile's list of posts is there and empty, its count is not 0
}

func newCollection(s crawlers.Step, ex crawlers.Exchange) *collection {
	c := &collection{step: s, fetched: ex.FetchedAt, seen: map[string]int{}}
	if s.Ref.Kind == crawlers.RefPost {
		c.thread = s.Ref.ID
	}
	return c
}

// add takes a draft. Of a post that stands twice the fuller one is kept.
func (c *collection) add(d *draft) {
	if d.ID == "" {
		return
	}
	c.identities = append(c.identities, d.identities...)
	key := string(d.Kind) + " " + d.ID
	if d.Kind != post.KindAccount && d.Kind != post.KindComment {
		key = "post " + d.ID
	}
	if i, ok := c.seen[key]; ok {
		if weight(&d.Post) > weight(&c.posts[i]) {
			c.posts[i] = d.Post
			c.assets = append(c.assets, d.assets...)
		}
		return
	}
	c.seen[key] = len(c.posts)
	c.posts = append(c.posts, d.Post)
	c.assets = append(c.assets, d.assets...)
}

func weight(p *post.Post) int {
	n := len(p.Media) + len(p.Counts) + len(p.Tags)
	for _, s := range []string{p.Text, p.Account.ID, p.Account.Handle, p.Account.Name} {
		if s != "" {
			n += 2
		}
	}
	if p.Created.Source == post.SourceField {
		n += 2
	}
	return n
}

// read finds everything in v.
func (c *collection) read(v jsontree.Value) {
	objects(v, func(o jsontree.Value) bool {
		if isUser(o) {
			c.add(readUser(o))
		}
		c.list(o)
		if isItem(o) || isNode(o) || isMedium(o) {
			c.containers++
			d, ok := readObject(o, c.fetched)
			if !ok {
				c.broken++
				return false
			}
			c.add(d)
			c.comments(o, d.ID)
			return false
		}
		if isComment(o) {
			c.comment(o, c.thread, "")
			return false
		}
		if gate := o.Get("if_not_gated_logged_out"); o.Has("if_not_gated_logged_out") && !gate.Exists() {
			c.gated = true
		}
		return true
	})
}

// list notes what an object says about a list in it.
func (c *collection) list(o jsontree.Value) {
	for _, key := range []string{"edges", "items", "data", "comments", "medias", "feed_items", "graphql_media", "reels_media"} {
		if o.Get(key).IsArray() {
			c.containers++
		}
	}
	if n, ok := o.Get("count").Int(); ok && o.Get("edges").IsArray() && n >= 0 && (!c.known || n > c.total) && o.Has("page_info") {
		c.total, c.known = n, true
	}
	if t := o.Get("edge_owner_to_timeline_media"); t.Get("edges").IsArray() && len(t.Get("edges").Array()) == 0 {
		n, _ := t.Get("count").Int()
		c.withheld = c.withheld || n > 0
	}
	if o.Get("page_info", "has_next_page").Bool() || o.Get("more_available").Bool() || o.Get("next_max_id").Exists() && o.Has("items") {
		c.more = true
	}
}

// comments reads those that stand in a post.
func (c *collection) comments(o jsontree.Value, thread string) {
	for _, key := range []string{"edge_media_to_comment", "edge_media_to_parent_comment", "edge_media_preview_comment", "edge_media_to_hoisted_comment", "preview_comments", "comments", "comments_connection"} {
		objects(o.Get(key), func(x jsontree.Value) bool {
			if isComment(x) {
				c.comment(x, thread, "")
				return false
			}
			return true
		})
	}
}

func (c *collection) comment(o jsontree.Value, thread, parent string) {
	d := readComment(o, thread, parent)
	c.add(d)
	for _, key := range []string{"edge_threaded_comments", "preview_child_comments", "child_comments", "replies", "other_preview_users"} {
		objects(o.Get(key), func(x jsontree.Value) bool {
			if isComment(x) {
				c.comment(x, d.Thread, d.ID)
				return false
			}
			return true
		})
	}
}

// discovery reads another account's profile and posts, as business_discovery
// gives them.
func (c *collection) discovery(found jsontree.Value) {
	c.containers++
	var who post.Account
	if found.Get("username").Exists() {
		u := readUser(found)
		if u.ID != "" {
			c.add(u)
			who = u.Account
			who.Counts = nil
		}
	}
	who.ID = first(nativeID(found), found.Get("id").String())
	if !isNumber(who.ID) {
		who.ID = ""
	}
	if who.Handle == "" && c.step.Ref.Kind == crawlers.RefAccount && c.step.Ref.Alias && !isNumber(c.step.Ref.ID) {
		who.Handle, who.URL = c.step.Ref.ID, c.step.Ref.URL // the API was asked for this name
		if i, ok := accountIdentity(who.Handle, who.ID); ok {
			c.identities = append(c.identities, i)
		}
	}
	for _, m := range found.Get("media", "data").Array() {
		if !isMedium(m) {
			continue
		}
		d, ok := readMedium(m, c.fetched)
		if !ok {
			c.broken++
			continue
		}
		if d.Account.Handle == "" || strings.EqualFold(d.Account.Handle, who.Handle) {
			d.Account = who
		} else if d.Account.ID == "" && who.Handle == "" {
			d.Account.ID = who.ID
		}
		c.add(d)
	}
	if n, ok := found.Get("media_count").Int(); ok && n >= 0 {
		c.total, c.known = n, true
	}
}
