package pinterest

import (
	"bytes"
	"html"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// maxData bounds the script data of a page that is parsed.
const maxData = 16 << 20

// pageData is what the scripts of a page hold.
type pageData struct {
	relay []jsonx.Value // answers of the pin's queries
	state []jsonx.Value // the page's store, of pages before 2023 and of profiles
}

// scripts finds the page's data by the attributes and words of its script
// elements, without looking at the rest of the page.
func scripts(page []byte, relayOnly bool) pageData {
	var d pageData
	left := maxData
	for rest := page; ; {
		i := bytes.Index(rest, []byte("<script"))
		if i < 0 {
			return d
		}
		rest = rest[i+len("<script"):]
		open := bytes.IndexByte(rest, '>')
		if open < 0 {
			return d
		}
		attrs := rest[:open]
		rest = rest[open+1:]
		end := bytes.Index(rest, []byte("</script"))
		if end < 0 {
			end = len(rest)
		}
		body := bytes.TrimSpace(rest[:end])
		rest = rest[end:]
		if len(body) == 0 || len(body) > left {
			continue
		}
		kind, raw := dataOf(attrs, body)
		if raw == nil || relayOnly && kind == "state" {
			continue
		}
		v, err := jsonx.Parse(raw)
		if err != nil {
			continue
		}
		left -= len(raw)
		if kind == "relay" {
			d.relay = append(d.relay, v)
		} else {
			d.state = append(d.state, v)
		}
	}
}

const registered = "__PWS_RELAY_REGISTER_COMPLETED_REQUEST__("

func dataOf(attrs, body []byte) (kind string, raw []byte) {
	has := func(s string) bool { return bytes.Contains(attrs, []byte(s)) }
	switch {
	case has("data-relay-response"):
		return "relay", body
	case has("__PWS_ROUTES__"), has("ld+json"), has("src="):
		return "", nil
	case has("__PWS_INITIAL_PROPS__"), has("__PWS_DATA__"), has("initial-state"), has("jsInit1"):
		return "state", body
	}
	if i := bytes.Index(body, []byte(registered)); i >= 0 {
		call := body[i+len(registered):]
		if open := bytes.IndexByte(call, '{'); open >= 0 && open < 64<<10 {
			if raw, ok := jsonx.Balanced(call[open:]); ok {
				return "relay", raw
			}
		}
	}
	for _, marker := range []string{"P.start.start(", "P.main.start(", "Pc.startArgs = ", "P.startArgs = "} {
		if bytes.Contains(body, []byte(marker)) {
			if raw, ok := jsonx.After(body, marker); ok {
				return "state", raw
			}
		}
	}
	return "", nil
}

// html reads a page: a pin's, an account's, a board's, of any year.
func (r *reader) html(page []byte) {
	single := r.step.Ref.Kind == crawlers.RefPost
	d := scripts(page, single)
	pins := pinsIn(relayData(d.relay)...)
	if single && len(pins) == 0 {
		d.state = scripts(page, false).state
	}
	var s *store
	if len(pins) == 0 || !single {
		s = stores(d.state)
		more := pinsIn(d.state...)
		if len(pins) == 0 {
			pins = more
		} else {
			pins = merge(pins, more)
		}
	}
	asked := false
	for _, v := range d.relay {
		asked = asked || hasPinQuery(v)
	}
	switch {
	case len(pins) > 0 || s.has(r.step.Ref):
		if acc := s.account(r.step.Ref); acc != nil {
			r.account(acc)
		}
		r.pins(pins, s, asked)
	case asked:
		r.gone(d.relay)
		return
	default:
		for _, v := range d.state {
			if outcome, reason := stateError(v, r.step.Ref); outcome != "" {
				r.fail(outcome, reason)
				return
			}
		}
		if !r.metas(page) {
			outcome := post.LayoutChanged
			if r.ex.Truncated {
				outcome = post.CutBody
			}
			r.fail(outcome, "the page carries no data of a pin: "+crawlers.FirstWords(r.ex))
		}
		return
	}
	if single {
		if len(r.page.Posts) > 0 {
			r.canonical(page)
		}
		return
	}
	r.listing(len(pins), jsonx.Value{})
	r.page.Coverage.End, r.page.Coverage.Window = "a page carries the first pins only", true
}

// merge adds the pins of b that a lacks.
func merge(a, b []object) []object {
	seen := map[string]bool{}
	for _, o := range a {
		seen[itemID(o[0])] = true
	}
	for _, o := range b {
		if !seen[itemID(o[0])] {
			a = append(a, o)
		}
	}
	return a
}

// relayData leaves out what was asked, which may name ids too.
func relayData(list []jsonx.Value) []jsonx.Value {
	var data []jsonx.Value
	for _, v := range list {
		if in := v.Get("response"); in.Exists() {
			v = in
		}
		data = append(data, v)
	}
	return data
}

// gone tells why a query for one pin came back without it.
func (r *reader) gone(relay []jsonx.Value) {
	words := ""
	for _, v := range relay {
		v.Walk(func(o jsonx.Value) bool {
			for _, k := range []string{"message", "errorMessage", "messageDetail"} {
				words = firstOf(words, o.Get(k).String())
			}
			return words == ""
		})
	}
	outcome := said(words)
	if outcome == "" {
		outcome = post.NotFound
	}
	r.fail(outcome, firstOf(words, "the query for the pin came back empty"))
}

// stateError reads the refusal that a page's store keeps for the resource that
// the page is about.
func stateError(v jsonx.Value, ref crawlers.Ref) (post.Outcome, string) {
	var outcome post.Outcome
	reason := ""
	v.Walk(func(o jsonx.Value) bool {
		e := o.Get("error")
		if outcome == "" && e.IsObject() && e.Has("http_status") && e.Get("message").String() != "" {
			outcome, reason = failure(jsonx.Of(map[string]any{"status": "failure", "message": e.Get("message").String(), "http_status": e.Get("http_status").String()}), 0)
		}
		return outcome == ""
	})
	return outcome, reason
}

// stores finds the accounts and boards of a page's store.
func stores(list []jsonx.Value) *store {
	s := &store{}
	for _, v := range list {
		in := v.Find("initialReduxState")
		if !in.Exists() {
			in = v
		}
		if u := in.Get("users"); u.IsObject() && len(u.Keys()) > 0 && !s.users.Exists() {
			s.users = u
		}
		if b := in.Get("boards"); b.IsObject() && len(b.Keys()) > 0 && !s.boards.Exists() {
			s.boards = b
		}
	}
	return s
}

// account finds the account that ref names.
func (s *store) account(ref crawlers.Ref) object {
	if s == nil || ref.Kind != crawlers.RefAccount {
		return nil
	}
	for _, id := range s.users.Keys() {
		u := s.users.Get(id)
		if strings.EqualFold(u.Get("username").String(), ref.ID) || u.Get("id").String() == ref.ID {
			return object{u}
		}
	}
	return nil
}

func (s *store) has(ref crawlers.Ref) bool { return s.account(ref) != nil }

// canonical notes the pin that the page's head names in place of its own.
func (r *reader) canonical(page []byte) {
	head := page
	if end := bytes.Index(page, []byte("</head")); end > 0 {
		head = page[:end]
	}
	p := &r.page.Posts[0]
	for _, marker := range []string{`rel="canonical"`, `"og:url"`} {
		tag := tagAround(head, marker)
		for _, name := range []string{"href", "content"} {
			ref, ok := matchText(attr(tag, name))
			if tag := "same_image_pin:" + ref.ID; ok && ref.Kind == crawlers.RefPost && ref.ID != p.ID && !contains(p.Tags, tag) {
				p.Tags = append(p.Tags, tag)
			}
		}
	}
}

// tagAround gives the tag that marker stands in.
func tagAround(page []byte, marker string) []byte {
	i := bytes.Index(page, []byte(marker))
	if i < 0 {
		return nil
	}
	start := bytes.LastIndexByte(page[:i], '<')
	end := bytes.IndexByte(page[i:], '>')
	if start < 0 || end < 0 || i-start > 4096 || end > 4096 {
		return nil
	}
	return page[start : i+end+1]
}

// attr reads an attribute of one tag.
func attr(tag []byte, name string) string {
	i := bytes.Index(tag, []byte(" "+name+"="))
	if i < 0 {
		return ""
	}
	v := tag[i+len(name)+2:]
	if len(v) == 0 || v[0] != '"' && v[0] != '\'' {
		return ""
	}
	end := bytes.IndexByte(v[1:], v[0])
	if end < 0 {
		return ""
	}
	return html.UnescapeString(string(v[1 : end+1]))
}

// pagePin is the id of the pin that a page is about by the address for phone
// apps, which names the pin itself where the canonical address may not.
func pagePin(page []byte) string {
	for _, marker := range []string{"ios-app://", "android-app://", "al:ios:url", "al:android:url"} {
		tag := tagAround(page, marker)
		v := firstOf(attr(tag, "href"), attr(tag, "content"))
		if i := strings.Index(v, "pin/"); i >= 0 {
			if id := pinID(strings.Trim(v[i+len("pin/"):], "/")); id != "" {
				return id
			}
		}
	}
	return ""
}

// metas reads a page that was kept without its scripts. Only the metas that are
// about the pin itself count: those of Pinterest's own vocabulary, the picture
// and the time. It gives false where the page is no pin's.
func (r *reader) metas(page []byte) bool {
	if !bytes.Contains(page, []byte("pinterestapp:")) {
		return false
	}
	head := pagescan.ReadHead(page)
	id := pagePin(page)
	if id == "" && r.step.Ref.Kind == crawlers.RefPost {
		id = r.step.Ref.ID
	}
	if id == "" || head.Meta("og:type") != "pinterestapp:pin" && head.Meta("pinterestapp:pinner") == "" {
		return false
	}
	if want := r.step.Ref; want.Kind == crawlers.RefPost && want.ID != id {
		r.fail(post.LayoutChanged, "asked for pin "+want.ID+", the page is about "+id)
		return true
	}
	p := post.Post{ID: id, Kind: post.KindPin, URL: pinURL(id), Outcome: post.OKMetaOnly}
	for _, ld := range head.LD {
		if ld.Get("@type").String() == "SocialMediaPosting" {
			p.Title = plain(ld.Get("headline").String())
			p.Account.Name = plain(ld.Get("author", "name").String())
			p.Created = readTime(ld.Get("datePublished").String())
		}
	}
	if ref, ok := matchText(head.Meta("pinterestapp:pinner")); ok && ref.Kind == crawlers.RefAccount {
		p.Account.Handle, p.Account.URL = ref.ID, ref.URL
	}
	if p.Created.IsZero() {
		p.Created = readTime(head.Meta("og:updated_time"))
	}
	if same := ownHead(head, id); same {
		p.Title = firstOf(p.Title, plain(head.Meta("og:title")))
		p.Text = plain(head.Meta("og:description"))
	}
	if n, ok := jsonx.Of(head.Meta("pinterestapp:repins", "repins")).Int(); ok && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("reposts", n))
	}
	if link := address(head.Meta("pinterestapp:source", "og:see_also")); link != "" {
		p.Links = []string{link}
	}
	var pics images
	pics.add(jsonx.Of(map[string]any{"url": head.Meta("og:image"), "width": head.Meta("og:image:width"), "height": head.Meta("og:image:height")}), "")
	for _, key := range pics.order {
		p.Media = append(p.Media, pics.best[key])
	}
	addTags(&p, nil, &store{})
	if ref, ok := matchText(head.Meta("pinterestapp:pinboard")); ok && ref.Kind == crawlers.RefBoard {
		p.Tags = append(p.Tags, "board:"+ref.ID)
	}
	r.add(p)
	r.canonical(page)
	r.page.Coverage.Served, r.page.Coverage.End = 1, "one pin"
	r.fail(post.OKMetaOnly, "the page carries metas only")
	return true
}

// ownHead reports whether the head's title and description are this pin's: its
// canonical address is.
func ownHead(head *pagescan.Head, id string) bool {
	for _, raw := range []string{head.Meta("og:url"), head.Link("canonical")} {
		if ref, ok := matchText(raw); ok && ref.Kind == crawlers.RefPost {
			return ref.ID == id
		}
	}
	return false
}
