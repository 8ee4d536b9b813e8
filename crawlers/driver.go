package crawlers

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers/asset"
	"github.com/refrain-archive/refrain/post"
)

// What holds where Options is silent.
const (
	DefaultWorkers      = 16
	DefaultMaxBody      = 32 << 20 // bytes
	DefaultMaxAsset     = 2 << 30  // bytes
	DefaultMaxRedirects = 10
	DefaultMaxTries     = 3
	DefaultMaxPark      = 10 * time.Minute
	DefaultGrace        = 10 * time.Second
	DefaultBodyTime     = 30 * time.Minute
)

// Options is what a Driver is built from. Collectors, Transport, Frontier and
// Save are required.
type Options struct {
	Collectors []Collector // in order of asking: platforms first, then feed and web, which take anything
	Frontier   Frontier

	// Transport makes the exchanges: keys → robots and pace → recorder → site.
	// It must follow no redirect, and its recorder must leave the capture in
	// the request's fetchctx.Fetch.
	Transport http.RoundTripper

	// Mark tells the transport what a request is for, by its context. nil
	// marks nothing.
	Mark func(context.Context, Wire) context.Context

	// ErrorFacts tells what an error of Transport, or of a response's body,
	// means: its outcome, and when to ask again (zero if it does not say). ok is
	// false where it does not know; then, and where it is nil, ClassifyError
	// decides.
	ErrorFacts func(error) (outcome post.Outcome, until time.Time, ok bool)

	// Save stores what came of one fetch. It is called from many goroutines,
	// once for each exchange (also those that are tried again: a refusal is a
	// finding), and returns nil when the archive holds it durably. Only then is
	// the step marked as done. Its error ends the run; the step stays to do.
	Save func(context.Context, Fetched) error

	// SaveAsset is Save for assets. Required with Media.
	SaveAsset func(context.Context, FetchedAsset) error

	HasKey func(name string) bool // nil: no keys
	Routes map[string][]string    // by platform: the routes to use, in order, opt-in ones too; a platform without entry uses its own order

	// FirstState is the State of the first step of every seed, by platform: how
	// far a web page's links are followed, and the like. No entry is none.
	FirstState map[string][]byte

	Workers int // exchanges under way and saves waited for, together; 0 is DefaultWorkers
	PerHost int // exchanges under way to one host; 0 is 1

	MaxPosts int       // per target, comments not counted; 0 is all that is served
	MaxPages int       // listing pages per target; 0 is no limit
	Since    time.Time // stop paging at posts before it; zero is the beginning
	Until    time.Time // posts from it on are not counted and not followed; zero is now
	Comments bool      // follow steps of RoleComments
	Related  bool      // follow steps of RoleRelated
	Media    bool      // fetch assets

	MaxBody      int64         // bytes of a body, content coding removed; 0 is DefaultMaxBody
	MaxAsset     int64         // bytes of an asset; 0 is DefaultMaxAsset
	MaxRedirects int           // in a row; 0 is DefaultMaxRedirects
	MaxTries     int           // fetches of one step that fails by accident or is told to wait; 0 is DefaultMaxTries
	MaxPark      time.Duration // longest time that a run waits with nothing else to do; 0 is DefaultMaxPark, below 0 never waits
	Grace        time.Duration // for exchanges under way when the run is stopped; 0 is DefaultGrace, below 0 cuts them at once
	BodyTime     time.Duration // for one body, from the first byte of its header; 0 is DefaultBodyTime, below 0 is no limit

	Now      func() time.Time                           // nil is time.Now
	Sleep    func(context.Context, time.Duration) error // waits, or ends with ctx; nil does just that
	Progress func(Event)                                // called from one goroutine; must not block. nil is none

	// Each is given every target at the end of a run, in the order of the seeds,
	// instead of Summary.Targets, which stays empty: with a long list of seeds
	// they need not be in memory. An error of it is Run's. nil: Summary.Targets.
	Each func(TargetSummary) error
}

// Wire is what the layers of the transport must know of a request.
type Wire struct {
	Platform string // registry name
	Route    string // of About.Routes; empty for assets
	Key      string // that the request wants; empty is none
	Robots   bool   // robots.txt binds it
	URL      string // exact, as it must stand in the request line
}

// Fetched is what came of one fetch of a step.
type Fetched struct {
	Target   Ref // the seed's
	Seed     string
	Step     Step
	Request  Request
	Exchange Exchange  // Status 0: there was no response. Body must not be changed
	Page     Page      // as read; Outcome and Reason hold for the fetch as a whole
	Err      error     // why there was no response, or why the reader refused it; nil otherwise
	Try      int       // from 1
	Again    time.Time // when it will be tried again; zero if this is the end of it
}

// FetchedAsset is what came of one fetch of an asset. The bytes are with the
// recorder.
type FetchedAsset struct {
	Target   Ref
	Asset    Asset
	Exchange Exchange    // without Body
	Facts    asset.Facts // of the bytes, where Outcome is ok; of what came of them, where it is cut_body or too_large
	Outcome  post.Outcome
	Reason   string
	Err      error
	Try      int
	Again    time.Time
}

// A Driver runs collectors over a frontier. It may run once at a time.
type Driver struct {
	opt        Options
	byPlatform map[string]*known
	platforms  []*known

	// reading holds a place for each answer being read. Reading only computes:
	// more at a time than there are processors to do it would be no quicker, and
	// each holds a page's tree in memory.
	reading chan struct{}
}

// known is a collector with its data sheet, which is made once.
type known struct {
	Collector
	about About
}

// NewDriver checks o. Its error names the field.
func NewDriver(o Options) (*Driver, error) {
	switch {
	case len(o.Collectors) == 0:
		return nil, errors.New("crawlers: Options.Collectors is empty")
	case o.Transport == nil:
		return nil, errors.New("crawlers: Options.Transport is not set")
	case o.Frontier == nil:
		return nil, errors.New("crawlers: Options.Frontier is not set")
	case o.Save == nil:
		return nil, errors.New("crawlers: Options.Save is not set")
	case o.Media && o.SaveAsset == nil:
		return nil, errors.New("crawlers: Options.Media needs Options.SaveAsset")
	case !o.Since.IsZero() && !o.Until.IsZero() && !o.Since.Before(o.Until):
		return nil, fmt.Errorf("crawlers: Options.Since %s is not before Options.Until %s", o.Since.Format(time.RFC3339), o.Until.Format(time.RFC3339))
	}
	for name, n := range map[string]int64{
		"Workers": int64(o.Workers), "PerHost": int64(o.PerHost), "MaxPosts": int64(o.MaxPosts), "MaxPages": int64(o.MaxPages),
		"MaxBody": o.MaxBody, "MaxAsset": o.MaxAsset, "MaxRedirects": int64(o.MaxRedirects), "MaxTries": int64(o.MaxTries),
	} {
		if n < 0 {
			return nil, fmt.Errorf("crawlers: Options.%s is %d: must not be negative", name, n)
		}
	}
	set(&o.Workers, DefaultWorkers)
	set(&o.PerHost, 1)
	set(&o.MaxBody, DefaultMaxBody)
	set(&o.MaxAsset, DefaultMaxAsset)
	set(&o.MaxRedirects, DefaultMaxRedirects)
	set(&o.MaxTries, DefaultMaxTries)
	set(&o.MaxPark, DefaultMaxPark)
	set(&o.Grace, DefaultGrace)
	set(&o.BodyTime, DefaultBodyTime)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.HasKey == nil {
		o.HasKey = func(string) bool { return false }
	}
	d := &Driver{opt: o, byPlatform: map[string]*known{}, reading: make(chan struct{}, runtime.GOMAXPROCS(0))}
	for _, c := range o.Collectors {
		k := &known{c, c.About()}
		if d.byPlatform[k.about.Platform] != nil {
			return nil, fmt.Errorf("crawlers: Options.Collectors has %s twice", k.about.Platform)
		}
		d.byPlatform[k.about.Platform] = k
		d.platforms = append(d.platforms, k)
	}
	for platform, names := range o.Routes {
		k := d.byPlatform[platform]
		if k == nil {
			return nil, fmt.Errorf("crawlers: Options.Routes names platform %q, which is not known", platform)
		}
		for _, name := range names {
			if k.route(name) == nil {
				return nil, fmt.Errorf("crawlers: Options.Routes: %s has no route %q, only %s", platform, name, strings.Join(k.routeNames(), ", "))
			}
		}
	}
	return d, nil
}

func set[T int | int64 | time.Duration](v *T, standard T) {
	if *v == 0 {
		*v = standard
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Driver) now() time.Time { return d.opt.Now().UTC() }

func (k *known) route(name string) *Route {
	for i := range k.about.Routes {
		if k.about.Routes[i].Name == name {
			return &k.about.Routes[i]
		}
	}
	return nil
}

func (k *known) routeNames() []string {
	var names []string
	for _, r := range k.about.Routes {
		names = append(names, r.Name)
	}
	return names
}

// routesFor gives the routes that may be used for a kind of target, in order:
// those that the user named, else all that are not opt-in; without those whose
// key is not there.
func (d *Driver) routesFor(k *known, kind RefKind) []*Route {
	named := d.opt.Routes[k.about.Platform]
	var routes []*Route
	add := func(r *Route) {
		if Serves(*r, kind) && (r.Key == "" || d.opt.HasKey(r.Key)) {
			routes = append(routes, r)
		}
	}
	for _, name := range named {
		add(k.route(name))
	}
	if len(named) == 0 {
		for i := range k.about.Routes {
			if r := &k.about.Routes[i]; !r.OptIn {
				add(r)
			}
		}
	}
	return routes
}

// usable reports whether a step's route may be used: it needs no key, or the
// key is there; and the user named it, if it is used only then.
func (d *Driver) usable(k *known, s Step) bool {
	if s.Route == "" {
		return true
	}
	r := k.route(s.Route)
	return r != nil && (r.Key == "" || d.opt.HasKey(r.Key)) && (!r.OptIn || slices.Contains(d.opt.Routes[k.about.Platform], r.Name))
}

// match finds the collector of a seed. The last resort, a page of the web, is
// itself a collector.
func (d *Driver) match(u *url.URL) (*known, Ref, bool) {
	for _, k := range d.platforms {
		if ref, ok := k.Match(u); ok {
			return k, ref, true
		}
	}
	return nil, Ref{}, false
}

// first gives the first item of a target, or why there is none.
func (d *Driver) first(s Seed) (Target, []Item) {
	t := Target{Seed: s.Text}
	if s.URL == nil {
		t.Outcome, t.Reason = post.UnexpectedType, "the seed has no URL"
		return t, nil
	}
	if t.Seed == "" {
		t.Seed = s.URL.String()
	}
	k, ref, ok := d.match(s.URL)
	if !ok {
		t.Outcome, t.Reason = post.UnexpectedType, "no collector knows this address"
		return t, nil
	}
	t.Ref = ref
	for _, r := range d.routesFor(k, ref.Kind) {
		item, err := d.item(Step{Ref: ref, Route: r.Name, Role: RolePage, State: d.opt.FirstState[k.about.Platform]})
		if err != nil {
			t.Routes = append(t.Routes, RouteTried{r.Name, post.UnexpectedType, err.Error()})
			t.Outcome, t.Reason = post.UnexpectedType, err.Error()
			continue
		}
		t.Routes = append(t.Routes, RouteTried{Route: r.Name})
		t.Outcome, t.Reason = "", ""
		return t, []Item{item}
	}
	if t.Outcome == "" {
		t.Outcome, t.Reason = post.UnexpectedType, fmt.Sprintf("no route of %s starts from a %s", k.about.Title, ref.Kind)
		for _, r := range k.about.Routes {
			if Serves(r, ref.Kind) {
				t.Outcome, t.Reason = post.NeedsKey, "no route without a key"
			}
		}
	}
	return t, nil
}

// item makes an item of a step: its host and its place in the order.
func (d *Driver) item(s Step) (Item, error) {
	i := Item{Step: s, Order: order(s.Role)}
	k := d.byPlatform[s.Ref.Platform]
	if s.Role == RoleAsset {
		u, err := url.Parse(s.Ref.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return i, fmt.Errorf("asset %q is not a web address", s.Ref.URL)
		}
		i.Host = pool(k, u.Hostname())
		return i, nil
	}
	if k == nil {
		return i, fmt.Errorf("step of platform %q, which is not known", s.Ref.Platform)
	}
	to, err := address(k.Collector, s)
	if err != nil {
		return i, fmt.Errorf("%s: %w", k.about.Platform, err)
	}
	u, err := url.Parse(to)
	if err != nil {
		return i, fmt.Errorf("%s: request URL: %w", k.about.Platform, err)
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return i, fmt.Errorf("%s: request URL %q is not a web address", k.about.Platform, to)
	}
	i.Host = pool(k, u.Hostname())
	if m, ok := k.Collector.(Merger); ok {
		i.Same = m.Same(s)
	}
	return i, nil
}

// pool is the name under which requests to a host take turns. Names under one
// "*.example.com" of a data sheet are one: they are served by the same machines,
// and their pace is one.
func pool(k *known, host string) string {
	host = strings.ToLower(host)
	if k == nil {
		return host
	}
	for _, pattern := range k.about.Hosts {
		if strings.HasPrefix(pattern, "*.") && hostMatches(pattern, host) {
			return strings.ToLower(pattern)
		}
	}
	return host
}

// order says which steps of a host come first: what names things, then
// listings, then what completes them.
func order(r Role) int {
	switch r {
	case RoleResolve:
		return 0
	case RolePage, "":
		return 1
	case RoleHydrate:
		return 2
	case RoleRelated:
		return 3
	case RoleComments:
		return 4
	}
	return 5
}

// runKey names a run: the same seeds with the same wishes.
func (d *Driver) runKey(seeds []Seed) string {
	var refs []string
	seen := map[[16]byte]bool{}
	for _, s := range seeds {
		text, ref := s.Text, Ref{}
		if s.URL != nil {
			if text == "" {
				text = s.URL.String()
			}
			_, ref, _ = d.match(s.URL)
		}
		if key := targetKey(ref, text); !seen[key] {
			seen[key] = true
			refs = append(refs, ref.Key())
		}
	}
	slices.Sort(refs)
	o := &d.opt
	wishes, err := json.Marshal([]any{refs, o.Routes, o.MaxPosts, o.MaxPages, o.Since, o.Until, o.Comments, o.Related, o.Media, o.FirstState})
	if err != nil {
		panic(err) // strings and numbers
	}
	return fmt.Sprintf("%x", sha256.Sum256(wishes))
}

// A PlannedSeed is what a run would do for a seed, told without the network.
type PlannedSeed struct {
	Seed     string
	Platform string
	Ref      Ref
	Route    string       // empty: none can be used
	Requests []Request    // the first ones, without what keys add
	Outcome  post.Outcome // why nothing can be asked: needs_key, unexpected_type; empty otherwise
	Reason   string
	Advice   []string // what would open other routes

	Pages int           // requests for listing pages: least number for MaxPosts, at most MaxPages; 0 is unknown, as many as are served
	Time  time.Duration // for Pages (one if unknown) at the route's pace
	Units float64       // for Pages (one if unknown), of what Cost says
	Cost  string        // what one request costs; empty is nothing
}

// Plan says what Run would ask for. It makes no request and leaves the frontier
// alone. Hydrate, comment and asset steps depend on the answers and are not
// counted.
func (d *Driver) Plan(seeds []Seed) []PlannedSeed {
	var plan []PlannedSeed
	for _, s := range seeds {
		t, items := d.first(s)
		p := PlannedSeed{Seed: t.Seed, Platform: t.Ref.Platform, Ref: t.Ref, Outcome: t.Outcome, Reason: t.Reason, Advice: d.advice(t)}
		for _, i := range items {
			k := d.byPlatform[i.Step.Ref.Platform]
			req, err := k.Request(i.Step)
			if err != nil {
				continue // item made the same request before
			}
			p.Requests = append(p.Requests, req)
			r := k.route(i.Step.Route)
			p.Route, p.Cost = r.Name, r.Cost
			switch {
			case d.opt.MaxPosts > 0 && r.PageSize > 0:
				p.Pages = (d.opt.MaxPosts + r.PageSize - 1) / r.PageSize
				if d.opt.MaxPages > 0 {
					p.Pages = min(p.Pages, d.opt.MaxPages)
				}
			case d.opt.MaxPages > 0:
				p.Pages = d.opt.MaxPages
			}
			switch t.Ref.Kind {
			case RefPost, RefComment, RefPage, RefMedia, RefShort:
				p.Pages = 1
			}
			n := max(p.Pages, 1)
			p.Time = time.Duration(n) * r.Every
			p.Units = float64(n) * r.Units
		}
		plan = append(plan, p)
	}
	return plan
}

// advice says what would open more of a target: keys, opt-in routes, import.
func (d *Driver) advice(t Target) []string {
	k := d.byPlatform[t.Ref.Platform]
	if k == nil {
		return nil
	}
	var lines []string
	tried := map[string]bool{}
	for _, r := range t.Routes {
		tried[r.Route] = true
	}
	for _, r := range k.about.Routes {
		if !Serves(r, t.Ref.Kind) || tried[r.Name] {
			continue
		}
		if r.Key != "" && !d.opt.HasKey(r.Key) {
			line := fmt.Sprintf("route %s (%s) works with a key: set keys.%s", r.Name, r.Gives, r.Key)
			for _, key := range k.about.Keys {
				if key.Name == r.Key && key.Help != "" {
					line += "; " + key.Help
				}
			}
			lines = append(lines, line)
		} else if r.OptIn {
			lines = append(lines, fmt.Sprintf("route %s (%s) is used when it is named: --route %s:%s", r.Name, r.Gives, k.about.Platform, r.Name))
		}
	}
	switch t.Outcome.Scope() {
	case post.ScopeUs:
		lines = append(lines, "a file saved by another tool (browser, WARC, HAR, data export) can be read with refrain import")
	case post.ScopeReader:
		lines = append(lines, "the answer is in the archive: refrain extract reads it again when the reader is mended")
	}
	return lines
}

// recorded says whether the exchange may be believed: it is in the archive.
func (a *answer) recorded() error {
	if a.result.Err != nil {
		return fmt.Errorf("record %s: %w", a.ex.URL, a.result.Err)
	}
	if a.ex.Status != 0 && a.ex.Capture.RecordID == "" {
		return fmt.Errorf("record %s: the transport has no recorder: the exchange is not in the archive", a.ex.URL)
	}
	return nil
}
