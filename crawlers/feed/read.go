package feed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/urlform"
	"github.com/refrain-archive/refrain/post"
)

// Read reads a feed or one of its pages.
func (Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if err := check(s); err != nil {
		return crawlers.Page{}, err
	}
	st, err := stateOf(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	raw := firstOf(ex.URL, st.URL, s.Ref.URL)
	asked, err := url.Parse(raw)
	if err != nil {
		return crawlers.Page{}, fmt.Errorf("the exchange's address: %w", err)
	}
	id, ok := urlform.Canonical(asked)
	if !ok {
		return crawlers.Page{}, fmt.Errorf("the exchange's address %q is not of the web", raw)
	}
	r := reader{step: s, state: st, ex: ex, asked: asked, id: id}
	r.read()
	return r.page, nil
}

type reader struct {
	step  crawlers.Step
	state state
	ex    crawlers.Exchange
	asked *url.URL
	id    string // canonical address that answered
	page  crawlers.Page
}

func (r *reader) fail(outcome post.Outcome, format string, args ...any) {
	r.page.Outcome, r.page.Reason = outcome, fmt.Sprintf(format, args...)
}

func (r *reader) read() {
	if r.state.Page > 1 && r.ex.Status == 404 && len(bytes.TrimSpace(r.ex.Body)) > 0 {
		r.page.Coverage.End = fmt.Sprintf("end of list: page %d is not found", r.state.Page)
		return
	}
	if outcome, reason := crawlers.Classify(r.ex); outcome != "" {
		r.page.Outcome, r.page.Reason = outcome, reason
		if !r.ex.FetchedAt.IsZero() {
			r.page.Wait = crawlers.RetryAfter(r.ex.Header, r.ex.FetchedAt)
		}
		return
	}
	if r.ex.Status >= 300 && r.ex.Status < 400 {
		r.redirect(r.ex.Header.Get("Location"))
		return
	}
	f := formatOf(r.ex)
	if f == formatNone {
		r.notFeed()
		return
	}
	d, err := parse(r.ex.Body, r.ex.Header.Get("Content-Type"), f)
	if err != nil {
		if r.ex.Truncated {
			r.fail(post.CutBody, "the body was cut after %d bytes, before the first whole item: %v", len(r.ex.Body), err)
		} else {
			r.fail(post.LayoutChanged, "the feed cannot be read: %v", err)
		}
		return
	}
	c, items := d.read()
	for _, it := range items {
		r.page.Posts = append(r.page.Posts, c.post(it, r.asked))
	}
	r.cover(len(items))
	r.assets()
	if len(items) > 0 {
		r.page.Posts = append(r.page.Posts, c.profile(r.asked))
	}
	if d.broken != nil {
		r.fail(post.OKPartial, "%d items are whole, %d are not: %v", len(items), d.lost, d.broken)
	}
	r.identities(c)
	r.next(c, len(items))
}

// notFeed says what an answer is that is no feed.
func (r *reader) notFeed() {
	if said := crawlers.FirstWords(r.ex); crawlers.LooksHTML(r.ex) {
		r.fail(post.UnexpectedType, "a feed was due, the answer is a page: %q", said)
	} else if r.ex.Truncated {
		r.fail(post.CutBody, "the body was cut after %d bytes, before its root element", len(r.ex.Body))
	} else {
		r.fail(post.UnexpectedType, "a feed was due, the answer begins with %q", said)
	}
}

// redirect gives a step to where the answer points, within the site. One to
// another site is left to the driver: a platform may know that address.
func (r *reader) redirect(location string) {
	to, err := r.asked.Parse(strings.TrimSpace(location))
	if err != nil {
		r.fail(post.LayoutChanged, "redirect to an address that is none: %.200q", location)
		return
	}
	target, ok := urlform.Canonical(to)
	switch {
	case !ok:
		r.fail(post.LayoutChanged, "redirect away from the web, to %.200s", to.Redacted())
	case target == r.id:
		r.fail(post.RedirectLoop, "redirect to itself")
	case r.state.Hops >= maxHops:
		r.fail(post.RedirectLoop, "%d redirects in a row, the last to %s", maxHops, target)
	case r.state.Page > 1:
		next := state{URL: target, Page: r.state.Page, Hops: r.state.Hops + 1, Last: r.state.Last}
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: r.step.Ref, Route: r.step.Route, Role: r.step.Role, State: next.encode()})
	case !urlform.SameSite(to, r.asked):
		r.fail(post.OK, "redirect to %s", target)
	default:
		next := state{Hops: r.state.Hops + 1}
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: RefTo(target), Route: r.step.Route, Role: r.step.Role, State: next.encode()})
		r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefFeed, Alias: r.id, ID: target, URL: target})
	}
}

// identities says that an Atom feed's address and its own id are one. The site
// that other feeds name is not theirs alone: its comments have a feed too.
func (r *reader) identities(c channel) {
	if c.id != "" && worldwide(c.id) && c.id != r.step.Ref.ID {
		r.page.Identities = append(r.page.Identities, crawlers.Identity{Kind: crawlers.RefFeed, Alias: r.step.Ref.ID, ID: c.id, URL: r.step.Ref.URL})
	}
}

func (r *reader) cover(items int) {
	r.page.Coverage.Served = items
	for i := range r.page.Posts {
		at := r.page.Posts[i].Created.Earliest()
		if at.IsZero() {
			at = r.page.Posts[i].Created.Latest()
		}
		if !at.IsZero() && (r.page.Coverage.Oldest.IsZero() || at.Before(r.page.Coverage.Oldest)) {
			r.page.Coverage.Oldest = at
		}
	}
}

func (r *reader) assets() {
	for i := range r.page.Posts {
		for _, m := range r.page.Posts[i].Media {
			switch m.Kind {
			case post.MediaImage, post.MediaAudio:
				r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: r.page.Posts[i].ID})
			case post.MediaVideo:
				if mediaKind("", "", m.URL) == post.MediaVideo { // a file, not a player's page
					r.page.Assets = append(r.page.Assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: r.page.Posts[i].ID})
				}
			}
		}
	}
}

// next gives the step to the next page, or says why there is none.
func (r *reader) next(c channel, items int) {
	page := max(r.state.Page, 1)
	target := ""
	switch {
	case c.next != "":
		if to, err := r.asked.Parse(strings.TrimSpace(c.next)); err == nil {
			target, _ = urlform.Canonical(to)
		}
	case isWordPress(c.generator) && items > 0:
		target = r.wordPressPage(&page)
	}
	seen := digest(r.page.Posts)
	switch {
	case r.state.Page > 1 && seen == r.state.Last: // a server that does not mind the page number
		r.page.Coverage.End = fmt.Sprintf("page %d repeats the one before", r.state.Page)
	case target == "" || target == r.id || target == r.step.Ref.URL:
		r.page.Coverage.End = fmt.Sprintf("the feed serves %d items", items)
		r.page.Coverage.Window = r.state.Page < 2
		if r.state.Page > 1 {
			r.page.Coverage.End = "end of list"
		}
	case page >= maxPages:
		r.page.Coverage.End = fmt.Sprintf("stopped after %d pages", maxPages)
	default:
		s := state{URL: target, Page: page + 1, Last: seen}
		r.page.Next = append(r.page.Next, crawlers.Step{Ref: r.step.Ref, Route: r.step.Route, Role: crawlers.RolePage, State: s.encode()})
	}
}

// digest tells pages apart by the ids of their items.
func digest(posts []post.Post) string {
	h := sha256.New()
	for i := range posts {
		h.Write([]byte(posts[i].ID + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func isWordPress(generator string) bool {
	return strings.Contains(strings.ToLower(generator), "wordpress")
}

// wordPressPage gives the address of the page after the one that answered.
func (r *reader) wordPressPage(page *int) string {
	u := *r.asked
	query := u.Query()
	if n, err := strconv.Atoi(query.Get("paged")); err == nil && n > 0 {
		*page = n
	}
	var kept []string
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		if name, _, _ := strings.Cut(part, "="); part != "" && name != "paged" {
			kept = append(kept, part)
		}
	}
	u.RawQuery = strings.Join(append(kept, "paged="+strconv.Itoa(*page+1)), "&")
	target, _ := urlform.Canonical(&u)
	return target
}
