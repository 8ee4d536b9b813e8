package pinterest

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
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
}

// Read turns one exchange into posts and further steps.
func (Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("a step of %q, not of pinterest", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	r := &reader{step: s, state: st, ex: ex, posts: map[string]bool{}, names: map[string]bool{}}
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
	if isJSON(body) && r.ex.Status != 429 && r.ex.Status < 500 {
		v, err := jsonx.Parse(unwrap(body))
		if err == nil {
			if outcome, reason := failure(v, r.ex.Status); outcome != "" {
				r.fail(outcome, reason)
				return
			}
			if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
				r.fail(outcome, reason)
				return
			}
			r.json(v)
			return
		}
		if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
			r.fail(outcome, reason)
			return
		}
		outcome := post.UnexpectedType
		if r.ex.Truncated || bytes.HasPrefix([]byte(err.Error()), []byte("unexpected EOF")) || strings.Contains(err.Error(), "unexpected EOF") {
			outcome = post.CutBody
		}
		r.fail(outcome, err.Error())
		return
	}
	if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
		r.fail(outcome, reason)
		return
	}
	switch {
	case isFeed(body):
		r.feed(body)
	case crawlers.LooksHTML(r.ex) || bytes.HasPrefix(body, []byte("<")):
		if strings.HasSuffix(r.url.Path, ".rss") {
			r.fail(post.LayoutChanged, "a page where a feed was due: "+crawlers.FirstWords(r.ex))
			return
		}
		r.html(body)
	default:
		r.fail(post.UnexpectedType, "neither JSON, a feed nor HTML: "+crawlers.FirstWords(r.ex))
	}
}

func (r *reader) fail(outcome post.Outcome, reason string) {
	r.page.Outcome, r.page.Reason = outcome, reason
}

func trim(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// unwrap takes the JSON out of CALLBACK(…), as the widget interface answers to
// ?callback=.
func unwrap(body []byte) []byte {
	if len(body) == 0 || body[0] == '{' || body[0] == '[' {
		return body
	}
	if i := bytes.IndexAny(body[:min(len(body), 200)], "{["); i > 0 {
		if in, ok := jsonx.Balanced(body[i:]); ok {
			return in
		}
	}
	return body
}

func isJSON(body []byte) bool {
	if len(body) == 0 {
		return false
	}
	if body[0] == '{' || body[0] == '[' {
		return true
	}
	head := body[:min(len(body), 200)]
	i := bytes.IndexByte(head, '(')
	return i > 0 && bytes.HasPrefix(bytes.TrimSpace(head[i+1:]), []byte("{")) && body[0] != '<'
}

func isFeed(body []byte) bool {
	head := body[:min(len(body), 1024)]
	return bytes.HasPrefix(head, []byte("<")) && bytes.Contains(head, []byte("<rss")) && !bytes.Contains(bytes.ToLower(head), []byte("<html"))
}

// said maps the words of Pinterest's own refusals.
func said(words string) post.Outcome {
	lower := strings.ToLower(words)
	has := func(list ...string) bool {
		for _, w := range list {
			if strings.Contains(lower, w) {
				return true
			}
		}
		return false
	}
	switch {
	case lower == "":
		return ""
	case has("invalid resource request", "invalid parameter", "bad request", "unknown resource"):
		return post.LayoutChanged
	case has("suspend"):
		return post.Suspended
	case has("too many requests", "rate limit", "request limit", "over the limit"):
		return post.RateLimited
	case has("removed because", "violat", "taken down", "was removed", "has been removed", "been blocked by"):
		return post.Removed
	case has("deleted by", "was deleted", "has been deleted", "have been deleted"):
		return post.Deleted
	case has("log in", "login", "not logged in", "authentication", "authenticate"):
		return post.LoginWall
	case has("private", "secret", "permission", "not authorized", "unauthorized", "not allowed", "protected"):
		return post.Private
	case has("not found", "couldn't find", "could not find", "can't find", "does not exist", "doesn't exist", "no such", "no longer"):
		return post.NotFound
	case has("deactivat"):
		return post.Unavailable
	}
	return ""
}

// failure reads the refusals that come as JSON: {"status":"failure",…}, alone or
// under resource_response.
func failure(v jsonx.Value, status int) (post.Outcome, string) {
	o := v
	if in := v.Get("resource_response"); in.IsObject() {
		o = in
	}
	failed := o.Get("status").String() == "failure" || o.Get("error").IsObject()
	words := firstOf(o.Get("error", "message").String(), o.Get("message").String(), o.Get("error", "message_detail").String(), o.Get("message_detail").String(), o.Get("error").String())
	if !failed && status < 400 {
		return "", ""
	}
	if !failed && words == "" {
		return "", ""
	}
	if outcome := said(words); outcome != "" {
		return outcome, words
	}
	code, ok := o.Get("http_status").Int()
	if !ok {
		if code, ok = o.Get("error", "http_status").Int(); !ok {
			code = int64(status)
		}
	}
	reason := firstOf(words, "status failure")
	switch {
	case code == 429:
		return post.RateLimited, reason
	case code == 401:
		return post.LoginWall, reason
	case code == 403:
		return post.Blocked, reason
	case code >= 500:
		return post.ServerError, reason
	case failed:
		return post.NotFound, reason
	}
	return "", ""
}

// redirect reads where an answer points to. A redirect to another address of the
// same target is left to the driver.
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
	if to.Query().Get("show_error") == "true" {
		r.fail(post.NotFound, "redirect to "+to.Redacted())
		return
	}
	target, ok := Collector{}.Match(to)
	switch {
	case from.Kind == crawlers.RefShort && ok && target.Kind != crawlers.RefShort:
		r.identity(crawlers.RefShort, from.ID, target.ID, target.URL)
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: target})
	case from.Kind == crawlers.RefShort && ok: // pin.it and its shortener
	case from.Kind == crawlers.RefShort:
		r.fail(post.NotFound, "the short link names no pin: redirect to "+to.Redacted())
	case ok && target.Kind == crawlers.RefPost && from.Kind == crawlers.RefPost && target.ID != from.ID:
		// Another pin of the same image is not the pin that was asked for.
		r.fail(post.Unavailable, "redirect to another pin, "+target.URL)
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: target, Role: crawlers.RoleRelated, Route: routeHTML})
	case ok && target.Kind == crawlers.RefAccount && from.Kind == crawlers.RefAccount && target.ID != from.ID:
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: target, Route: r.step.Route})
	case siteHost(hostOf(to)) && (strings.Trim(to.Path, "/") == "" || strings.HasPrefix(to.Path, "/ideas")) && from.Kind != "":
		r.fail(post.NotFound, "redirect to "+to.Redacted())
	}
}

// json reads an answer that is one JSON value.
func (r *reader) json(v jsonx.Value) {
	switch {
	case isOEmbed(v):
		r.oEmbed(v)
	case v.Get("resource_response").IsObject():
		r.resource(v)
	case isWidget(v):
		r.widget(v)
	default:
		pins := pinsIn(v)
		if len(pins) == 0 && !hasPinQuery(v) {
			r.fail(post.LayoutChanged, "the JSON holds no pin")
			return
		}
		r.pins(pins, nil, hasPinQuery(v))
	}
}

// isWidget reports whether v is an answer of the widget interface.
func isWidget(v jsonx.Value) bool {
	if v.Get("status").String() != "success" || !v.Has("data") {
		return false
	}
	d := v.Get("data")
	return d.IsArray() || d.Has("pins")
}

// pinsIn gives the pins of an answer, grouped by id, in order. Pins within pins
// are not looked at.
func pinsIn(values ...jsonx.Value) []object {
	index := map[string]int{}
	var list []object
	for _, v := range values {
		v.Walk(func(o jsonx.Value) bool {
			if !isPin(o) {
				return true
			}
			id := itemID(o)
			i, seen := index[id]
			if !seen {
				i = len(list)
				index[id] = i
				list = append(list, nil)
			}
			list[i] = append(list[i], o)
			return false
		})
	}
	return list
}

// hasPinQuery reports whether v answers a query for one pin.
func hasPinQuery(v jsonx.Value) bool {
	d := v.Get("data")
	if in := v.Get("response", "data"); in.IsObject() {
		d = in
	}
	for _, k := range d.Keys() {
		if strings.HasPrefix(k, "v3GetPinQuery") {
			return true
		}
	}
	return false
}

// pins reads the pins of an answer. Where one pin was asked for, only that one
// counts: a page shows others around it.
func (r *reader) pins(list []object, s *store, one bool) {
	want := r.step.Ref
	single := want.Kind == crawlers.RefPost
	asked := map[string]bool{want.ID: single}
	for id := range strings.SplitSeq(r.url.Query().Get("pin_ids"), ",") {
		if single && isID(strings.TrimSpace(id)) {
			asked[strings.TrimSpace(id)] = true
		}
	}
	found, other := false, ""
	for _, o := range list {
		id := ""
		for _, v := range o {
			if id = itemID(v); id != "" {
				break
			}
		}
		if single && !asked[id] {
			other = firstOf(other, id)
			continue
		}
		found = found || id == want.ID
		p := readPin(o, s)
		r.add(p)
		r.identities(p, o, s)
	}
	switch {
	case single && !found && len(r.page.Posts) == 0 && other != "":
		r.fail(post.LayoutChanged, "asked for pin "+want.ID+", the answer is about "+other)
	case single && !found && len(r.page.Posts) == 0 && one:
		r.fail(post.NotFound, "the answer holds no pin")
	case single:
		r.page.Coverage.Served, r.page.Coverage.End = len(r.page.Posts), "one pin"
	}
}

// widget reads {"status":"success","data":[PIN…]} and {"data":{"user","board","pins"}}.
func (r *reader) widget(v jsonx.Value) {
	d := v.Get("data")
	if d.IsArray() {
		list := pinsIn(d)
		if len(list) == 0 {
			words := ""
			for _, e := range d.Array() {
				words = firstOf(words, e.Get("error").String(), e.Get("error", "message").String())
			}
			outcome := said(words)
			if outcome == "" {
				outcome = post.NotFound
			}
			r.fail(outcome, firstOf(words, "the widget interface knows no such pin"))
			return
		}
		r.pins(list, nil, true)
		if r.step.Ref.Kind == crawlers.RefPost && len(r.page.Posts) > 0 && r.page.Posts[0].Created.IsZero() && r.step.Route == routeWidget && r.step.Role != crawlers.RoleHydrate {
			r.hydrate(r.step.Ref.ID)
		}
		return
	}
	user, board := object{d.Get("user")}, object{d.Get("board")}
	if d.Get("user").IsObject() {
		r.account(user)
	}
	r.board(board, nil)
	list := pinsIn(d.Get("pins"))
	r.pins(list, nil, false)
	if r.step.Ref.Kind == crawlers.RefPost {
		return
	}
	for _, p := range r.page.Posts {
		if p.Kind == post.KindPin {
			r.hydrate(p.ID)
		}
	}
	total := board.get("pin_count")
	if !d.Get("board").IsObject() {
		total = user.get("pin_count")
	}
	r.listing(len(list), total)
	r.page.Coverage.End = fmt.Sprintf("the widget interface serves the newest pins only (%d here)", len(list))
	r.page.Coverage.Window = true
	if len(list) == 0 {
		r.page.Coverage.End, r.page.Coverage.Window = "no pins", false
	}
	if n := len(d.Get("pins").Array()); len(list) == 0 && n > 0 {
		r.fail(post.LayoutChanged, fmt.Sprintf("none of %d items is a pin as we know it", n))
	}
}

// listing sets what the answer says of its own size.
func (r *reader) listing(served int, total jsonx.Value) {
	r.page.Coverage.Served = served
	if n, ok := total.Int(); ok && n >= 0 {
		r.page.Coverage.Total, r.page.Coverage.Known = n, true
	}
}

// resource reads {"resource_response":{"data":…},"resource":{"name","options"}}.
func (r *reader) resource(v jsonx.Value) {
	resp := v.Get("resource_response")
	d := resp.Get("data")
	name, options := v.Get("resource", "name").String(), v.Get("resource", "options")
	if len(r.url.Path) > 1 && name == "" {
		if parts := segments(r.url.Path); len(parts) > 1 && parts[0] == "resource" {
			name = parts[1]
		}
	}
	results := d
	if d.IsObject() && d.Has("results") {
		results = d.Get("results")
	}
	if !results.IsArray() {
		r.one(d, name)
		return
	}
	list := pinsIn(results)
	r.pins(list, nil, strings.HasPrefix(name, "Pin"))
	if r.step.Ref.Kind == crawlers.RefPost {
		return
	}
	r.listing(len(list), jsonx.Value{})
	if n := len(results.Array()); n > 0 && len(list) == 0 && !isOther(results) {
		r.fail(post.LayoutChanged, fmt.Sprintf("none of %d items is a pin as we know it", n))
	}
	mark := firstOf(resp.Get("bookmark").String(), options.Get("bookmarks").At(0).String())
	if mark == "" || mark == "-end-" || strings.HasPrefix(mark, "Y2JOb25lO") || mark == r.state.Bookmark {
		r.page.Coverage.End = "end of list"
		return
	}
	next := r.step
	next.Route, next.Role = routeResource, crawlers.RolePage
	next.State = state{Bookmark: mark, Section: r.state.Section}.encode()
	if _, err := (Collector{}).Request(next); err != nil || len(mark) > 16<<10 {
		r.page.Coverage.End = "there is a next page that cannot be asked for"
		return
	}
	r.page.Next = append(r.page.Next, next)
}

// isOther reports whether a list holds things of Pinterest that are no pins:
// boards, accounts, modules.
func isOther(list jsonx.Value) bool {
	for _, e := range list.Array() {
		if t := e.Get("type").String(); t == "" || t == "pin" {
			return false
		}
	}
	return true
}

// one reads a resource that is one thing: a pin, board, section or account.
func (r *reader) one(d jsonx.Value, name string) {
	o := object{d}
	kind := d.Get("type").String()
	switch {
	case isPin(d):
		r.pins([]object{o}, nil, true)
	case kind == "board" || strings.HasPrefix(name, "Board") && d.Has("id"):
		r.board(o, nil)
		r.page.Coverage.End = ""
		id, section := d.Get("id").String(), ""
		target := r.step.Ref
		if strings.HasPrefix(name, "BoardSection") || target.Kind == crawlers.RefTag {
			section = id
		} else if target.Kind != crawlers.RefBoard || !isID(id) {
			r.page.Coverage.End = "one board"
			return
		} else {
			target.ID, target.Alias = id, false
		}
		r.listing(0, d.Get("pin_count"))
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: target, Route: routeResource, State: state{Section: section}.encode()})
	case kind == "user" || d.Has("username"):
		r.account(o)
		r.page.Coverage.Served, r.page.Coverage.End = 1, "one account"
	case !d.Exists() || len(d.Keys()) == 0:
		r.fail(post.NotFound, "resource_response.data is empty")
	default:
		list := pinsIn(d)
		if len(list) == 0 {
			r.fail(post.LayoutChanged, "the resource "+name+" holds no pin")
			return
		}
		r.pins(list, nil, false)
		r.listing(len(list), jsonx.Value{})
		r.page.Coverage.End = "one answer"
	}
}

// isOEmbed reports whether v is Pinterest's oEmbed.
func isOEmbed(v jsonx.Value) bool {
	return v.Get("provider_name").String() == "Pinterest" && (v.Has("html") || v.Has("thumbnail_url"))
}

// embedID finds the pin in the frame that oEmbed gives.
func embedID(v jsonx.Value) string {
	code := v.Get("html").String()
	i := strings.Index(code, "embed.html?id=")
	if i < 0 {
		return ""
	}
	id := code[i+len("embed.html?id="):]
	if end := strings.IndexFunc(id, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
		id = id[:end]
	}
	if !isID(id) {
		return ""
	}
	return id
}

func (r *reader) oEmbed(v jsonx.Value) {
	id := embedID(v)
	if ref := r.step.Ref; id == "" && ref.Kind == crawlers.RefPost {
		id = ref.ID
	} else if ref.Kind == crawlers.RefPost && id != ref.ID {
		r.fail(post.LayoutChanged, "asked for pin "+ref.ID+", the answer is about "+id)
		return
	}
	if id == "" {
		r.fail(post.LayoutChanged, "oEmbed without the id of a pin")
		return
	}
	p := post.Post{ID: id, Kind: post.KindPin, URL: pinURL(id), Title: plain(v.Get("title").String()), Outcome: post.OKMetaOnly}
	p.Account.Name = plain(v.Get("author_name").String())
	if ref, ok := matchText(v.Get("author_url").String()); ok && ref.Kind == crawlers.RefAccount {
		p.Account.Handle, p.Account.URL = ref.ID, ref.URL
	}
	var pics images
	pics.add(jsonx.Of(map[string]any{"url": v.Get("thumbnail_url").String(), "width": v.Get("thumbnail_width").String(), "height": v.Get("thumbnail_height").String()}), "")
	for _, key := range pics.order {
		p.Media = append(p.Media, pics.best[key])
	}
	addTags(&p, nil, &store{})
	r.add(p)
	r.page.Coverage.Served, r.page.Coverage.End = 1, "one pin"
	r.fail(post.OKMetaOnly, "oEmbed carries title, author and thumbnail only")
}

// hydrate asks for the pin's own page.
func (r *reader) hydrate(id string) {
	r.page.Next = append(r.page.Next, crawlers.Step{Ref: pinRef(id), Route: routeHTML, Role: crawlers.RoleHydrate})
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
	if at := p.Created.Earliest(); !at.IsZero() && p.Kind == post.KindPin && (r.page.Coverage.Oldest.IsZero() || at.Before(r.page.Coverage.Oldest)) {
		r.page.Coverage.Oldest = at
	}
	r.page.Posts = append(r.page.Posts, p)
}

// account keeps an account's own profile.
func (r *reader) account(o object) {
	a := readAccount(o)
	if a.ID == "" {
		return
	}
	p := post.Post{ID: a.ID, Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Text: plain(o.text("about")), Outcome: post.OK}
	if l := address(o.text("website_url", "websiteUrl", "domain_url")); l != "" {
		p.Links = []string{l}
	}
	if l := plain(o.text("location")); l != "" {
		p.Tags = []string{"location:" + l}
	}
	r.add(p)
	r.identity(crawlers.RefAccount, strings.ToLower(a.Handle), a.ID, a.URL)
}

// identities notes the ids of a pin's account and board.
func (r *reader) identities(p post.Post, o object, s *store) {
	r.identity(crawlers.RefAccount, strings.ToLower(p.Account.Handle), p.Account.ID, p.Account.URL)
	if s == nil {
		s = &store{}
	}
	r.board(o.of(s.boards, "board"), s)
}

// board notes the id of a board.
func (r *reader) board(o object, _ *store) {
	ref, ok := matchPath(o.text("url"))
	if !ok || ref.Kind != crawlers.RefBoard {
		return
	}
	id := o.text("entityId")
	for _, key := range []string{"id", "node_id"} {
		raw := o.text(key)
		if id == "" && isID(raw) {
			id = raw
		}
		if kind, n := globalID(raw); id == "" && kind == "board" {
			id = n
		}
	}
	r.identity(crawlers.RefBoard, ref.ID, id, ref.URL)
}

func (r *reader) identity(kind crawlers.RefKind, alias, id, address string) {
	if alias == "" || id == "" || alias == id || r.names[string(kind)+alias] {
		return
	}
	r.names[string(kind)+alias] = true
	r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: kind, Alias: alias, ID: id, URL: address})
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
