package crawlers

import (
	"fmt"
	"slices"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// apply works a result into its target and says what the frontier must store.
// It decides which further steps are wanted.
func (r *runner) apply(res *result) Change {
	item := res.task.item
	change := Change{ID: item.ID, State: res.put, Outcome: res.page.Outcome, NotBefore: res.again, Tries: res.tries}
	if res.interrupted || res.fatal != nil || res.unasked {
		return change
	}
	t := r.targets[item.Target]
	t.Requests++
	r.stats.Requests++
	r.stats.Bytes += res.bytes
	change.Target = &t.Target
	if res.put == ItemTodo {
		// The first answer shows, until there is a better one.
		if t.Outcome == "" && item.Step.Role != RoleAsset {
			t.Outcome, t.Reason = res.page.Outcome, res.page.Reason
		}
		if len(res.page.Posts) == 0 {
			return r.frozen(change)
		}
	}
	if item.Step.Role == RoleAsset {
		if res.page.Outcome.Scope() == post.ScopeServed {
			r.stats.Assets++
		}
		if res.follow != nil {
			change.Add = append(change.Add, *res.follow)
		}
		return r.frozen(change)
	}

	d, page := r.d, &res.page
	listing := item.Step.Role == RolePage || item.Step.Role == ""
	leads := listing || item.Step.Role == RoleResolve // its outcome is the target's
	served := page.Outcome.Scope() == post.ScopeServed
	unwanted, counted, past := r.limits(t, page)
	if item.Step.Role == RoleComments {
		t.Comments += len(page.Posts)
		r.stats.Comments += len(page.Posts)
	} else if listing {
		t.Posts += counted
		r.stats.Posts += counted
	}
	if res.put == ItemTodo {
		return r.frozen(change) // cut, and tried again: what it holds is kept, where it leads is not followed
	}
	if res.follow != nil {
		if leads && t.Outcome == "" {
			t.Outcome, t.Reason = page.Outcome, page.Reason // until the next answer
		}
		change.Add = append(change.Add, *res.follow)
		return r.frozen(change)
	}

	if leads {
		r.outcome(t, item.Step, page, served)
	}
	stop := ""
	if listing && served {
		t.Pages++
		switch {
		case d.opt.MaxPosts > 0 && t.Posts >= d.opt.MaxPosts:
			stop = fmt.Sprintf("stopped at %d posts, the limit is %d", t.Posts, d.opt.MaxPosts)
		case d.opt.MaxPages > 0 && t.Pages >= d.opt.MaxPages:
			stop = fmt.Sprintf("stopped at %d pages, the limit", t.Pages)
		case past:
			stop = "stopped at posts before " + d.opt.Since.UTC().Format(time.RFC3339)
		}
		r.coverage(t, item.Step, page, stop)
	}
	change.Add = res.next[:0] // pages have hundreds of links: what is wanted stays where it is
	for _, n := range res.next {
		if !r.wanted(t, item.Step, n.Step, unwanted, stop != "") {
			continue
		}
		n.Target = item.Target
		change.Add = append(change.Add, n)
	}
	if d.opt.Media && served {
		for _, a := range page.Assets {
			if unwanted[a.Post] {
				continue
			}
			i, err := d.item(Step{Ref: Ref{Platform: item.Step.Ref.Platform, Kind: RefMedia, ID: a.URL, URL: a.URL}, Role: RoleAsset})
			if err != nil {
				continue // not a web address: data: and the like
			}
			i.Target, i.Asset = item.Target, a
			change.Add = append(change.Add, i)
		}
	}
	if next, ok := r.nextRoute(t, item.Step, page.Outcome); ok {
		next.Target = item.Target
		change.Add = append(change.Add, next)
		if leads {
			t.Routes = append(t.Routes, RouteTried{Route: next.Step.Route})
		}
	}
	return r.frozen(change)
}

// frozen gives change a copy of its target: later results of the same commit
// change the held one.
func (r *runner) frozen(change Change) Change {
	if change.Target != nil {
		t := *change.Target
		t.Routes = slices.Clone(t.Routes)
		change.Target = &t
	}
	return change
}

// limits counts the posts of a page that lie within Since and Until, names
// those that do not or are beyond MaxPosts, and reports whether the page has
// reached posts before Since.
func (r *runner) limits(t *heldTarget, page *Page) (unwanted map[string]bool, counted int, past bool) {
	o := &r.d.opt
	if o.MaxPosts == 0 && o.Since.IsZero() && o.Until.IsZero() {
		return nil, len(page.Posts), false
	}
	unwanted = map[string]bool{}
	for i := range page.Posts {
		p := &page.Posts[i]
		early := !o.Since.IsZero() && !p.Created.Latest().IsZero() && p.Created.Latest().Before(o.Since)
		late := !o.Until.IsZero() && !p.Created.Earliest().IsZero() && !p.Created.Earliest().Before(o.Until)
		if !p.Created.IsZero() {
			// Listings are newest first; a pinned old post stands at the top.
			past = early
		}
		if early || late || o.MaxPosts > 0 && t.Posts+counted >= o.MaxPosts {
			unwanted[p.ID] = true
		}
		if !early && !late {
			counted++
		}
	}
	return unwanted, counted, past
}

// outcome works the outcome of a leading step into its target.
func (r *runner) outcome(t *heldTarget, s Step, page *Page, served bool) {
	tried := RouteTried{Route: s.Route, Outcome: page.Outcome, Reason: page.Reason}
	at := slices.IndexFunc(t.Routes, func(x RouteTried) bool { return x.Route == s.Route })
	if at < 0 {
		t.Routes = append(t.Routes, tried)
		at = len(t.Routes) - 1
	}
	switch {
	case served || t.Pages == 0 || t.Posts == 0: // pages without a post, as redirects are, show nothing of the target
		if page.Outcome == post.OK && t.Routes[at].Outcome == post.OKPartial {
			break // part of it stays withheld, whatever comes behind
		}
		t.Outcome, t.Reason = page.Outcome, page.Reason
		t.Routes[at] = tried
	default:
		// Earlier pages were served: the target is there, in part.
		t.Outcome = post.OKPartial
		t.Reason = fmt.Sprintf("after %d pages: %s: %s", t.Pages, page.Outcome, page.Reason)
		t.Coverage.End = fmt.Sprintf("stopped by %s after %d pages", page.Outcome, t.Pages)
		t.Routes[at].Outcome, t.Routes[at].Reason = post.OKPartial, t.Reason
	}
}

// coverage merges what a page says of its listing. Another route's listing
// begins anew.
func (r *runner) coverage(t *heldTarget, s Step, page *Page, stop string) {
	c := page.Coverage
	m := &t.Coverage
	if len(s.State) == 0 {
		*m = Coverage{}
	}
	m.Served += c.Served
	if c.Known {
		m.Known, m.Total = true, c.Total
	}
	if !c.Oldest.IsZero() && (m.Oldest.IsZero() || c.Oldest.Before(m.Oldest)) {
		m.Oldest = c.Oldest
	}
	m.Window = m.Window || c.Window
	m.End = c.End
	if stop != "" && c.End == "" {
		m.End = stop
	}
}

// wanted reports whether a further step is to be done.
func (r *runner) wanted(t *heldTarget, from, n Step, unwanted map[string]bool, stop bool) bool {
	o := &r.d.opt
	switch n.Role {
	case RolePage, "":
		return !stop
	case RoleComments:
		return o.Comments && !unwanted[n.Ref.ID]
	case RoleHydrate:
		return !unwanted[n.Ref.ID]
	case RoleRelated:
		// Of a single item always; of every item of a listing only when asked
		// for; of what is related itself never, which would not end.
		if from.Role == RoleRelated && string(n.State) == "" {
			return false
		}
		single := t.Ref.Kind == RefPost || t.Ref.Kind == RefDiscussion || t.Ref.Kind == RefShort
		return (single || o.Related) && !unwanted[n.Ref.ID]
	case RoleAsset:
		return o.Media
	}
	return true
}

// nextRoute gives the step by the next usable route after a wall, or after an
// answer that our reader could not make sense of.
func (r *runner) nextRoute(t *heldTarget, s Step, o post.Outcome) (Item, bool) {
	if scope := o.Scope(); scope != post.ScopeUs && scope != post.ScopeReader {
		return Item{}, false
	}
	d := r.d
	k := d.byPlatform[s.Ref.Platform]
	if k == nil {
		return Item{}, false
	}
	routes := d.routesFor(k, s.Ref.Kind)
	from := slices.IndexFunc(routes, func(x *Route) bool { return x.Name == s.Route }) + 1
	leads := s.Role == RolePage || s.Role == "" || s.Role == RoleResolve
	for _, route := range routes[from:] {
		if leads && slices.ContainsFunc(t.Routes, func(x RouteTried) bool { return x.Route == route.Name }) {
			continue
		}
		next := Step{Ref: s.Ref, Route: route.Name, Role: s.Role}
		if leads {
			next.Role = RolePage
		}
		if item, err := d.item(next); err == nil {
			return item, true
		}
	}
	return Item{}, false
}
