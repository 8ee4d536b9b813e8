package crawlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/crawlers/asset"
	"github.com/refrain-archive/refrain/post"
)

// A result is what came of one task, saved.
type result struct {
	task        *task
	page        Page
	put         ItemState
	again       time.Time // for ItemTodo
	park        time.Time // the host asks for no request before; zero if it does not
	tries       int
	next        []Item
	follow      *Item // the redirect to follow instead
	bytes       int64
	interrupted bool  // nothing came of it: the run is stopped
	unasked     bool  // no request was sent: its host must wait
	fatal       error // the run cannot go on
	event       Event
}

// serve is one worker.
func (d *Driver) serve(ctx context.Context, work <-chan *task, events chan<- message) {
	v := d.newVisitor()
	for t := range work {
		free := func() { events <- message{task: t} }
		var res *result
		if t.item.Step.Role == RoleAsset {
			res = d.fetchAsset(ctx, t, free)
		} else {
			res = d.fetchStep(ctx, v, t, free)
		}
		events <- message{task: t, result: res}
	}
}

// back puts an item back as it was: nothing came of it.
func back(t *task) *result {
	return &result{task: t, put: ItemTodo, again: t.item.NotBefore, tries: t.item.Tries, interrupted: true}
}

// fetchStep does a step: request, exchange, reading, saving. free is called when
// the exchange is over.
func (d *Driver) fetchStep(ctx context.Context, v *visitor, t *task, free func()) *result {
	item := t.item
	k := d.byPlatform[item.Step.Ref.Platform]
	if k == nil {
		free()
		return d.dead(t, post.UnexpectedType, fmt.Sprintf("no collector for platform %q", item.Step.Ref.Platform))
	}
	req, err := k.Request(item.Step)
	if err != nil {
		free()
		return d.dead(t, post.UnexpectedType, err.Error())
	}
	if n := len(item.Trail); n > 0 {
		req.URL = item.Trail[n-1]
	}
	req.URL = wireURL(req.URL)
	r := k.route(item.Step.Route)
	wire := Wire{Platform: k.about.Platform, Route: item.Step.Route, Key: req.Key, Robots: req.Key == "", URL: req.URL}
	if r != nil && r.Robots {
		wire.Robots = true
	}
	if d.opt.Mark != nil {
		got := v.visit(d.opt.Mark(ctx, wire), req)
		free()
		return d.finishStep(ctx, k, t, req, got)
	}
	got := v.visit(ctx, req)
	free()
	return d.finishStep(ctx, k, t, req, got)
}

// dead ends an item that cannot be asked at all. Collectors' errors are the
// program's, so the archive has nothing to keep of it.
func (d *Driver) dead(t *task, o post.Outcome, reason string) *result {
	res := &result{task: t, put: ItemFailed, tries: t.item.Tries + 1, page: Page{Outcome: o, Reason: reason}}
	res.event = Event{Kind: EventFetch, Host: t.item.Host, URL: t.item.Step.Ref.URL, Role: t.item.Step.Role, Outcome: o, Reason: reason}
	return res
}

func (d *Driver) finishStep(ctx context.Context, k *known, t *task, req Request, got answer) *result {
	item := t.item
	if errors.Is(got.err, errOurs) {
		return back(t)
	}
	res := &result{task: t, tries: item.Tries + 1, bytes: int64(len(got.ex.Body))}
	stopped := errors.Is(got.cut, errOurs)
	if err := got.recorded(); err != nil {
		if stopped {
			return back(t)
		}
		return d.unrecorded(res, err)
	}
	f := Fetched{Target: t.target, Seed: t.seed, Step: item.Step, Request: req, Exchange: got.ex, Try: res.tries, Err: got.err}
	location := ""
	if got.err != nil {
		var until time.Time
		f.Page.Outcome, f.Page.Reason, until = d.failed(got.err)
		d.decide(res, &f.Page, got.ex, until)
	} else {
		d.reading <- struct{}{}
		f.Page, location, f.Err = d.read(k, item.Step, got)
		<-d.reading
		d.decide(res, &f.Page, got.ex, time.Time{})
	}
	if stopped {
		res.put, res.again, res.tries = ItemTodo, time.Time{}, item.Tries // cut by us: it counts for nothing
	}
	if location != "" {
		d.follow(res, k, item, req.URL, location, &f.Page)
	}
	res.page, f.Again = f.Page, res.again
	res.event = Event{Kind: EventFetch, Host: item.Host, URL: req.URL, Role: item.Step.Role, Outcome: f.Page.Outcome, Reason: f.Page.Reason,
		Posts: len(f.Page.Posts), Bytes: res.bytes, Again: res.again}
	if res.unasked {
		return res // nothing went out, there is nothing to keep
	}
	if err := d.opt.Save(context.WithoutCancel(ctx), f); err != nil {
		return d.unsaved(t, req.URL, err)
	}
	res.next = d.nextItems(k, item.Step, f.Page.Next)
	return res
}

// unrecorded handles an exchange that the recorder lost: nothing of it is
// believed. It is asked again; when that does not help, the run ends.
func (d *Driver) unrecorded(res *result, err error) *result {
	res.put, res.again = ItemTodo, d.now().Add(d.backoff(res.tries))
	res.page = Page{}
	if res.tries >= d.opt.MaxTries {
		res.fatal, res.tries, res.again = err, 0, time.Time{}
	}
	res.interrupted = true
	return res
}

// unsaved ends the run: the archive does not take what was fetched.
func (d *Driver) unsaved(t *task, what string, err error) *result {
	res := back(t)
	res.fatal = fmt.Errorf("save %s: %w", what, err)
	return res
}

// failed tells what an error of the transport means.
func (d *Driver) failed(err error) (post.Outcome, string, time.Time) {
	if d.opt.ErrorFacts != nil {
		if o, until, ok := d.opt.ErrorFacts(err); ok && o != "" {
			return o, err.Error(), until
		}
	}
	o, reason := ClassifyError(err)
	var until time.Time
	var wait Waiter
	if errors.As(err, &wait) && wait.RetryAfter() > 0 {
		until = d.now().Add(wait.RetryAfter())
	}
	return o, reason, until
}

// read lets the collector read an answer, and fills in what is the same on all
// platforms. location is a redirect that nobody made sense of.
func (d *Driver) read(k *known, s Step, got answer) (page Page, location string, err error) {
	ex := got.ex
	page, err = Read(k, s, ex)
	if err != nil {
		page = Page{Outcome: post.LayoutChanged, Reason: err.Error()}
	}
	bare := len(page.Posts) == 0 && len(page.Next) == 0 && len(page.Identities) == 0
	scope := page.Outcome.Scope()
	if scope == post.ScopeReader || scope == post.ScopeServed && bare {
		o, reason := Classify(ex)
		switch {
		case o != "" && o.Scope() != post.ScopeReader:
			page.Outcome, page.Reason = o, reason
		case o == "" && ex.Status >= 300 && ex.Status < 400:
			if to := ex.Header.Get("Location"); to != "" {
				location = to
			}
		}
	}
	if got.cutAs != "" && page.Outcome.Scope() != post.ScopeTarget && page.Outcome.Scope() != post.ScopeUs {
		page.Outcome, page.Reason = got.cutAs, got.reason
		for i := range page.Posts {
			if page.Posts[i].Outcome == post.OK {
				page.Posts[i].Outcome = post.OKPartial
			}
		}
	}
	return page, location, err
}

// decide says what becomes of the step: done, given up, or tried again.
func (d *Driver) decide(res *result, page *Page, ex Exchange, until time.Time) {
	now := d.now()
	wait := page.Wait
	if wait == 0 && (page.Outcome.Scope() == post.ScopeUs || page.Outcome.Scope() == post.ScopeFetch) {
		wait = RetryAfter(ex.Header, now)
	}
	if until.IsZero() && wait > 0 {
		until = now.Add(wait)
	}
	res.put = ItemDone
	switch page.Outcome {
	case post.RateLimited:
		if until.IsZero() {
			until = now.Add(time.Minute << min(res.tries-1, 6))
		}
		res.park = until
		if ex.Status == 0 {
			// It was not even asked: that is no try.
			if soon := now.Add(time.Second); until.Before(soon) {
				until = soon
			}
			res.tries--
			res.unasked = true
			res.put, res.again, res.park = ItemTodo, until, until
			return
		}
		res.put, res.again = ItemTodo, until
	case post.ServerError, post.Timeout, post.ConnectError, post.DNSError, post.CutBody:
		if until.IsZero() {
			until = now.Add(d.backoff(res.tries))
		} else {
			res.park = until
		}
		res.put, res.again = ItemTodo, until
	default:
		if page.Wait > 0 {
			res.park = until
		}
		switch page.Outcome.Scope() {
		case post.ScopeServed, post.ScopeTarget:
		default:
			res.put = ItemFailed
		}
		return
	}
	if res.tries >= d.opt.MaxTries {
		res.put, res.again = ItemFailed, time.Time{}
	}
}

// backoff is the wait before try n+1 of what failed by accident: 15 s, 1 min,
// 4 min, at most an hour, and up to a fifth more. The layers below have tried
// again at short intervals before.
func (d *Driver) backoff(n int) time.Duration {
	wait := 15 * time.Second
	for ; n > 1 && wait < time.Hour; n-- {
		wait *= 4
	}
	wait = min(wait, time.Hour)
	return wait + time.Duration(rand.Int64N(int64(wait/5)))
}

// follow decides what to do about a redirect: to follow it as a step of the
// same target, to hand it to the collector that knows its address, or to end.
func (d *Driver) follow(res *result, k *known, item *Item, from, location string, page *Page) {
	base, err := url.Parse(from)
	if err != nil {
		return
	}
	to, err := base.Parse(strings.TrimSpace(location))
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		page.Outcome, page.Reason = post.UnexpectedType, fmt.Sprintf("redirect to %q, which is not a web address", location)
		res.put, res.again = ItemFailed, time.Time{}
		return
	}
	to.Fragment, to.RawFragment, to.User = "", "", nil
	next := to.String()
	chain := append(slices.Clip(item.Trail), next)
	if next == from || slices.Contains(item.Trail, next) || len(item.Trail) > 0 && d.isStart(k, item, next) || len(chain) > d.opt.MaxRedirects {
		page.Outcome, page.Reason = post.RedirectLoop, fmt.Sprintf("%d redirects in a row, the last to %s", len(chain), next)
		res.put, res.again = ItemFailed, time.Time{}
		return
	}
	page.Outcome, page.Reason = post.OK, "redirect to "+next
	res.put, res.again = ItemDone, time.Time{}
	if item.Step.Role == RoleAsset || HostAllowed(k.about, item.Step.Ref, to.Hostname()) && !d.otherPlatform(k, to) {
		host := pool(k, to.Hostname())
		res.follow = &Item{Target: item.Target, Host: host, Order: item.Order, Step: item.Step, Trail: chain, Asset: item.Asset}
		return
	}
	// Another platform's address: it is asked as that platform is.
	if other, ref, ok := d.match(to); ok {
		for _, r := range d.routesFor(other, ref.Kind) {
			if i, err := d.item(Step{Ref: ref, Route: r.Name, Role: RolePage}); err == nil {
				i.Target = item.Target
				res.follow = &i
				return
			}
		}
		page.Outcome, page.Reason = post.NeedsKey, fmt.Sprintf("redirect to %s: no route of %s can be used", next, other.about.Title)
	} else {
		page.Outcome, page.Reason = post.LayoutChanged, "redirect to "+next+", which no collector knows"
	}
	res.put = ItemFailed
}

// isStart reports whether a redirect leads back to where the step began.
func (d *Driver) isStart(k *known, item *Item, next string) bool {
	if item.Step.Role == RoleAsset {
		return item.Step.Ref.URL == next
	}
	req, err := k.Request(item.Step)
	return err == nil && req.URL == next
}

// otherPlatform reports whether a platform that stands before k knows the
// address: a page of the web that turns out to be a post.
func (d *Driver) otherPlatform(k *known, to *url.URL) bool {
	for _, other := range d.platforms {
		if other == k {
			return false
		}
		if _, ok := other.Match(to); ok {
			return true
		}
	}
	return false
}

// nextItems makes items of a page's next steps. A step that cannot be asked (its
// key is not there, its platform is not known) is left out.
//
// What a short link turned out to name is asked by the best route there is, not
// by the one that resolved the link.
func (d *Driver) nextItems(k *known, from Step, next []Step) []Item {
	if len(next) == 0 {
		return nil
	}
	items := make([]Item, 0, len(next))
	for _, s := range next {
		if s.Role == "" {
			s.Role = RolePage
		}
		resolved := (from.Role == RoleResolve || from.Ref.Kind == RefShort) && s.Role == RolePage && len(s.State) == 0 && s.Ref.Kind != from.Ref.Kind
		other := d.byPlatform[s.Ref.Platform]
		if other == nil {
			continue
		}
		if s.Route == "" && other != k || resolved {
			if routes := d.routesFor(other, s.Ref.Kind); len(routes) > 0 {
				s.Route = routes[0].Name
			}
		}
		if !d.usable(other, s) {
			continue
		}
		if i, err := d.item(s); err == nil {
			items = append(items, i)
		}
	}
	return items
}

// fetchAsset streams a file past: the recorder keeps the bytes, we keep its
// facts.
func (d *Driver) fetchAsset(ctx context.Context, t *task, free func()) *result {
	item := t.item
	address := item.Step.Ref.URL
	if n := len(item.Trail); n > 0 {
		address = item.Trail[n-1]
	}
	address = wireURL(address)
	wire := Wire{Platform: item.Step.Ref.Platform, Robots: true, URL: address}
	marked := ctx
	if d.opt.Mark != nil {
		marked = d.opt.Mark(ctx, wire)
	}
	resp, fetch, done, got := d.open(marked, Request{URL: address})
	var facts asset.Facts
	if got.err == nil {
		file, plain, cut := d.readAsset(resp)
		got.cut = cut
		resp.Body.Close()
		d.close(&got, fetch)
		if file != nil {
			facts = file.FactsOf(recordedSum(got, plain))
			got.ex.Body = file.Head() // for classification only
			defer file.Release()
		}
	}
	done()
	free()
	if errors.Is(got.err, errOurs) {
		return back(t)
	}
	res := &result{task: t, tries: item.Tries + 1, bytes: facts.Size}
	stopped := errors.Is(got.cut, errOurs)
	if err := got.recorded(); err != nil {
		if stopped {
			return back(t)
		}
		return d.unrecorded(res, err)
	}
	page := Page{Outcome: post.OK}
	location := ""
	var until time.Time
	switch {
	case got.err != nil:
		page.Outcome, page.Reason, until = d.failed(got.err)
	case got.ex.Status >= 300 || LooksHTML(got.ex) || facts.Size == 0:
		if o, reason := Classify(got.ex); o != "" {
			page.Outcome, page.Reason = o, reason
		} else if got.ex.Status >= 300 && got.ex.Status < 400 {
			location = got.ex.Header.Get("Location")
		} else if item.Asset.Kind != post.MediaFile && LooksHTML(got.ex) {
			page.Outcome, page.Reason = post.UnexpectedType, "a page where a file was due: "+FirstWords(got.ex)
		}
	}
	if got.cutAs != "" {
		page.Outcome, page.Reason = got.cutAs, got.reason
	}
	d.decide(res, &page, got.ex, until)
	if stopped {
		res.put, res.again, res.tries = ItemTodo, time.Time{}, item.Tries
	}
	if location != "" {
		k := d.byPlatform[item.Step.Ref.Platform]
		d.follow(res, k, item, address, location, &page)
	}
	if res.unasked {
		res.page = page
		return res
	}
	got.ex.Body = nil
	a := item.Asset
	a.URL = item.Step.Ref.URL
	err := d.opt.SaveAsset(context.WithoutCancel(ctx), FetchedAsset{Target: t.target, Asset: a, Exchange: got.ex, Facts: facts,
		Outcome: page.Outcome, Reason: page.Reason, Err: got.err, Try: res.tries, Again: res.again})
	if err != nil {
		return d.unsaved(t, address, err)
	}
	res.page = page
	res.event = Event{Kind: EventFetch, Host: item.Host, URL: address, Role: RoleAsset, Outcome: page.Outcome, Reason: page.Reason, Bytes: facts.Size, Again: res.again}
	return res
}

// readAsset reads a body, content coding removed, for its facts. plain is that
// it had no content coding. r is nil where the coding is not known.
func (d *Driver) readAsset(resp *http.Response) (r *asset.Reader, plain bool, err error) {
	body, err := decoded(resp)
	if err != nil {
		return nil, false, err
	}
	c, coded := body.(*codedReader)
	if coded {
		defer c.Close()
	}
	r = asset.NewReader(body)
	return r, !coded && !resp.Uncompressed, copyLimited(r, d.opt.MaxAsset)
}

// recordedSum is the SHA-256 of a file as the recorder computed it, "" where
// that is not of the same bytes: of a coded body, or one that was cut.
func recordedSum(got answer, plain bool) string {
	sum, ok := strings.CutPrefix(got.ex.Capture.PayloadDigest, "sha256:")
	if !ok || !plain || len(sum) != 64 || got.cut != nil || got.ex.Truncated {
		return ""
	}
	return sum
}

var copyPool = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// copyLimited reads r to its end, and no more than limit bytes.
func copyLimited(r *asset.Reader, limit int64) error {
	piece := copyPool.Get().(*[64 << 10]byte)
	defer copyPool.Put(piece)
	buf := piece[:]
	for total := int64(0); ; {
		n, err := r.Read(buf)
		if total += int64(n); total > limit {
			return &tooLargeError{limit}
		}
		switch {
		case err == nil:
		case err == io.EOF:
			return nil
		default:
			return err
		}
	}
}
