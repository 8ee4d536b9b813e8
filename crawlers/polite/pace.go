package polite

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

// jitter is the part of a host's pace by which slots lie further apart than the
// pace, and up to which a request starts after its slot at random: so two
// requests never start closer than the pace, whichever workers send them.
const jitter = 0.1

// A host is the state of one host, or of the hosts of one pattern. It is guarded
// by Transport.mu.
type host struct {
	name  string
	every time.Duration
	why   string        // what every rests on
	slots chan struct{} // holds one element for each request under way

	waiting  int       // requests that wait for their turn
	last     time.Time // when the last request started
	status   int       // of the last answer; 0 if there was none
	refusals int       // answers 429 in a row
	rest     time.Time // closed until then
	reason   string    // for rest
}

// HostState is what the progress display shows of a host.
type HostState struct {
	Host       string        // its name, or the pattern that it is paced by: "*.tumblr.com"
	Every      time.Duration // least time between two requests
	Next       time.Time     // when the next request may start at the earliest; may be past
	Waiting    int           // requests that wait for their turn
	Active     int           // requests under way
	LastStatus int           // of the last answer; 0 if there was none
	RestUntil  time.Time     // closed until then; zero or past if it is not
	Reason     string        // why it is, or was last
}

// Hosts gives the state of all hosts that were asked lately, by name.
func (t *Transport) Hosts() []HostState {
	t.mu.Lock()
	defer t.mu.Unlock()
	states := make([]HostState, 0, len(t.hosts))
	for _, h := range t.hosts {
		states = append(states, HostState{
			Host: h.name, Every: h.every, Next: h.next(), Waiting: h.waiting, Active: len(h.slots),
			LastStatus: h.status, RestUntil: h.rest, Reason: h.reason,
		})
	}
	slices.SortFunc(states, func(a, b HostState) int { return strings.Compare(a.Host, b.Host) })
	return states
}

// Next is when a request to the host of u may start at the earliest, if nobody
// else waits. It may be past; it is zero for a host that was not asked yet.
func (t *Transport) Next(u *url.URL) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := t.hosts[t.pool(u).name]; h != nil {
		return h.next()
	}
	return time.Time{}
}

// Rest closes the host of u until a moment, for everyone: its answers said that
// it has enough of us. It never brings an opening forward. reason is shown to
// the user.
func (t *Transport) Rest(ctx context.Context, u *url.URL, until time.Time, reason string) error {
	return t.restPool(ctx, t.pool(u), until, oneLine(reason))
}

func (t *Transport) restPool(ctx context.Context, p pool, until time.Time, reason string) error {
	t.mu.Lock()
	h := t.host(p)
	if until.After(h.rest) {
		h.rest, h.reason = until, reason
	}
	t.mu.Unlock()
	if err := t.gate.Delay(context.WithoutCancel(ctx), p.name, until); err != nil {
		return fmt.Errorf("polite: delay %s until %s: %w", p.name, until.UTC().Format(time.RFC3339), err)
	}
	return nil
}

func (h *host) next() time.Time {
	if h.last.IsZero() {
		return h.rest
	}
	if next := h.last.Add(h.every); next.After(h.rest) {
		return next
	}
	return h.rest
}

// A pool names the hosts that share a pace.
type pool struct {
	name  string
	every time.Duration
	why   string
}

// pool gives the pace of a URL's host.
func (t *Transport) pool(u *url.URL) pool {
	key := u.Scheme + "://" + u.Host
	t.poolsMu.Lock()
	defer t.poolsMu.Unlock()
	p, ok := t.pools[key]
	if !ok {
		if len(t.pools) >= maxHosts {
			clear(t.pools)
		}
		p = t.findPool(u)
		t.pools[key] = p
	}
	return p
}

func (t *Transport) findPool(u *url.URL) pool {
	name := hostname(u)
	p := pool{name: name, every: DefaultEvery, why: "default"}
	if port := u.Port(); port != "" && port != defaultPort(u.Scheme) {
		p.name += ":" + port
	}
	best := ""
	for _, about := range t.platforms {
		for pattern := range sheetHosts(about) {
			if matchHost(pattern, name) && (best == "" || better(pattern, best)) {
				best = pattern
			}
		}
	}
	if best != "" {
		p.name = strings.ToLower(best)
		p.every, p.why = t.sheetEvery(best)
	}
	if d, ok := t.configured(name); ok {
		p.every, p.why = d, "configured"
	}
	return p
}

// better reports whether pattern a says more than b: a name before a wildcard,
// then the longer.
func better(a, b string) bool {
	if wa, wb := strings.HasPrefix(a, "*"), strings.HasPrefix(b, "*"); wa != wb {
		return wb
	}
	return len(a) > len(b)
}

// sheetHosts are all patterns of a data sheet.
func sheetHosts(about crawlers.About) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, r := range about.Routes {
			for _, h := range r.Hosts {
				if !yield(h) {
					return
				}
			}
		}
		for _, h := range about.Hosts {
			if !yield(h) {
				return
			}
		}
	}
}

// sheetEvery is the longest pace of the routes that use the hosts of a pattern,
// those that only the user can choose left out.
func (t *Transport) sheetEvery(pattern string) (time.Duration, string) {
	var every time.Duration
	why := ""
	for _, about := range t.platforms {
		for _, r := range about.Routes {
			if !r.OptIn && r.Every > every && slices.Contains(routeHosts(about, r), pattern) {
				every, why = r.Every, about.Platform+" "+r.Name
			}
		}
	}
	if why == "" {
		return DefaultEvery, "default"
	}
	return every, why
}

func routeHosts(about crawlers.About, r crawlers.Route) []string {
	if len(r.Hosts) > 0 {
		return r.Hosts
	}
	return about.Hosts
}

// configured looks the host up in Options.Every.
func (t *Transport) configured(name string) (time.Duration, bool) {
	best := ""
	for pattern := range t.every {
		if (pattern == "*" || matchHost(pattern, name)) && (best == "" || better(pattern, best)) {
			best = pattern
		}
	}
	d, ok := t.every[best]
	return d, ok
}

// matchHost reports whether a pattern of a data sheet covers a host name.
func matchHost(pattern, name string) bool {
	pattern = strings.ToLower(pattern)
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasPrefix(suffix, ".") && len(name) > len(suffix) && strings.HasSuffix(name, suffix)
	}
	return pattern == name
}

// hostname is the host of u in the spelling that it is compared in.
func hostname(u *url.URL) string {
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// host gives the state of a pool. t.mu is held.
func (t *Transport) host(p pool) *host {
	h := t.hosts[p.name]
	if h == nil {
		if len(t.hosts) >= maxHosts {
			now := t.now()
			for name, h := range t.hosts {
				if h.waiting == 0 && len(h.slots) == 0 && h.refusals == 0 && h.next().Before(now) {
					delete(t.hosts, name)
				}
			}
		}
		h = &host{name: p.name, every: p.every, why: p.why, slots: make(chan struct{}, t.perHost)}
		t.hosts[p.name] = h
	}
	return h
}

// slower raises the time between requests of a pool.
func (t *Transport) slower(p pool, every time.Duration, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := t.host(p); every > h.every {
		h.every, h.why = every, why
	}
}

// slowerRoute raises it for a route that only the user can choose, from its
// first request on.
func (t *Transport) slowerRoute(p pool, m Meta) {
	if p.why == "configured" {
		return
	}
	for _, about := range t.platforms {
		if about.Platform != m.Platform {
			continue
		}
		for _, r := range about.Routes {
			if r.Name == m.Route && r.OptIn {
				t.slower(p, r.Every, about.Platform+" "+r.Name)
			}
		}
	}
}

// A turn is the right to have one request under way.
type turn struct {
	host   *host
	every  time.Duration
	why    string
	waited time.Duration
}

func (tn turn) done() { <-tn.host.slots }

// take waits for the turn of a request to p. Its error is a *Wait if that lies
// too far away, or the error of ctx.
func (t *Transport) take(ctx context.Context, p pool, name string) (turn, error) {
	asked := t.now()
	latest := asked.Add(t.maxWait)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(latest) {
		latest = deadline
	}
	t.mu.Lock()
	h := t.host(p)
	h.waiting++
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		h.waiting--
		t.mu.Unlock()
	}()

	// The slot comes first, so that everyone knows at once how long it takes.
	// One that was given out before the host was closed is void.
	for {
		t.mu.Lock()
		every := h.every
		t.mu.Unlock()
		spread := time.Duration(jitter * float64(every))
		at, taken, err := t.gate.Reserve(ctx, p.name, every+spread, latest)
		if err != nil {
			return turn{}, fmt.Errorf("polite: wait for the turn of %s: %w", p.name, err)
		}
		if !taken {
			return turn{}, t.tooLong(h, name, at)
		}
		at = at.Add(time.Duration(t.rand() * float64(spread)))
		t.mu.Lock()
		if h.rest.After(at) {
			at = h.rest
		}
		t.mu.Unlock()
		if at.After(latest.Add(spread)) {
			return turn{}, t.tooLong(h, name, at)
		}
		if err := t.sleep(ctx, at.Sub(t.now())); err != nil {
			return turn{}, err
		}
		t.mu.Lock()
		open := !h.rest.After(t.now())
		t.mu.Unlock()
		if open {
			break
		}
	}

	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return turn{}, ctx.Err()
	}
	// The request before may have taken longer than the pace, started late, or
	// closed the host.
	for {
		t.mu.Lock()
		now, next := t.now(), h.next()
		if !next.After(now) {
			h.last = now
			tn := turn{host: h, every: h.every, why: h.why, waited: now.Sub(asked)}
			t.mu.Unlock()
			return tn, nil
		}
		t.mu.Unlock()
		err := error(nil)
		if next.After(latest) {
			err = t.tooLong(h, name, next)
		} else {
			err = t.sleep(ctx, next.Sub(now))
		}
		if err != nil {
			<-h.slots
			return turn{}, err
		}
	}
}

// tooLong is the error of a request to name whose turn would come at until.
func (t *Transport) tooLong(h *host, name string, until time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	reason := fmt.Sprintf("pace: 1 request per %v (%s), %d waiting", h.every, h.why, h.waiting)
	if h.rest.After(t.now()) {
		reason = h.reason
	}
	return &Wait{Host: name, Until: until, Reason: reason}
}
