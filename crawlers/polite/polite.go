// Package polite is the transport under a crawl that keeps its manners. It adds
// API keys, asks robots.txt, gives each host its pace, does as Retry-After and
// the platforms' rate fields say, and tries again what failed by accident. Seen
// from the driver:
//
//	keys → robots.txt → pace, Retry-After, backoff → Options.Next (the recorder) → site
//
// Everything that polite asks itself (robots.txt) goes through Next too and so
// is recorded; only requests for tokens are not, they bear the mark of
// fetchctx.Unrecorded. What was decided about a request stands in its
// fetchctx.Fetch:
//
//	robots: allowed | override (VERDICT): REASON | not-applicable (key NAME, documented API)
//	robots-rule: Disallow: /private (line 7, group *)
//	robots-record: id of the record of the robots.txt that was read
//	key: NAME
//	pace: 1 request per 2s (default)
//	waited: 1.25s
//	attempt: 2 (status 503 before)
//
// # Robots
//
// RFC 9309. robots.txt is fetched for each origin (scheme, host, port) before the
// first request and kept for 24 hours. Its rules bind every request without a
// key, feeds too. A documented API that is asked with the user's own key is under
// that API's terms instead, and the record says so. Status 4xx allows everything,
// except 429, which is a wait; 5xx forbids everything until robots.txt is asked
// again ten minutes later. Where no connection can be made the request fails with
// that error, and nothing is asked for the same ten minutes. Up to five redirects
// are followed; more allow everything. Crawl-delay, which is not in the RFC, is
// kept as a lower bound of the pace.
//
// # Pace
//
// Each host has a token bucket of one token (golang.org/x/time/rate), so requests
// start at least Every apart, with up to a fifth of it added at random, and one
// is under way at a time (Options.PerHost). Every comes from Options.Every, else from the data
// sheets of the platforms (Route.Every of the routes that use the host: the
// longest of those used without being asked for; a route that is OptIn counts
// from its first request on), else it is DefaultEvery. A pattern "*.example.com"
// in a data sheet is one host: its names are served by the same machines, and the
// limits that platforms publish are for an address, not for a name. robots.txt is
// asked in the same pace; tokens have one of their own.
//
// # Waiting
//
// Retry-After on 429 and 503, and a used-up budget in the rate fields of an
// answer, close the host to everyone until then. 429 without either closes it for
// a minute; from the third 429 in a row on for at least one, two, four … minutes,
// up to an hour. A request that would have to wait longer than Options.MaxWait,
// or beyond the deadline of its context, is not sent: it fails with *Wait.
//
// Status 429 that says how long to wait, and 500, 502, 503, 504, 520 to 524 and
// connection errors of idempotent methods, are tried again, up to
// Options.MaxTries, after a wait that doubles. Each attempt is an exchange of its
// own in the archive. If the last attempt gives an answer, that is returned as it
// is: content decides what it means.
//
// Redirects are not followed here.
package polite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/fetchctx"
)

// Token is the product token that robots.txt files name us by.
const Token = "refrain"

// homepage stands in the User-Agent, for whoever reads a site's log.
const homepage = "https://github.com/refrain-archive/refrain"

// What holds where Options is silent.
const (
	DefaultEvery    = 2 * time.Second  // least time between two requests to a host that no data sheet knows
	DefaultMaxWait  = 15 * time.Minute // longest wait that is slept
	DefaultMaxTries = 3                // attempts at one request
	DefaultLanguage = "en-US,en;q=0.9" // Accept-Language
)

// Options is what a Transport is built from. Next and Contact are required.
type Options struct {
	Next http.RoundTripper // the recorder

	Contact  string // e-mail address or URL of the person who answers for this crawl; stands in the User-Agent
	Version  string // of refrain, in the User-Agent; empty is "dev"
	Language string // Accept-Language of requests that have none; empty is DefaultLanguage

	// Loopback says that every host leads to this machine (a demo, a test):
	// Contact may be empty then. The caller's dialer must keep to it (LoopbackOnly).
	Loopback bool

	Platforms []crawlers.About      // data sheets: pace, and where keys may go
	Keys      map[string]Credential // by name

	// Every is the user's own choice of pace: the least time between two
	// requests to a host, by host name, "*.example.com" or "*" for all. It
	// holds in place of the data sheets and may be shorter; a Crawl-delay
	// still counts. 0 is no pace.
	Every map[string]time.Duration

	PerHost  int           // requests under way at a time to a host; 0 is 1
	MaxWait  time.Duration // longest wait that is slept; longer ones are a *Wait. 0 is DefaultMaxWait
	MaxTries int           // attempts at one request; 0 is DefaultMaxTries, 1 is no second try

	RobotsOverride *Override // nil: robots.txt is obeyed

	Gate Gate // shares the pace among workers; nil is a MemGate

	Now   func() time.Time                                 // nil is time.Now
	Sleep func(ctx context.Context, d time.Duration) error // sleeps d or until ctx ends, then with its error; nil does just that
	Rand  func() float64                                   // in [0,1), for jitter; nil is math/rand/v2
}

// An Override says that robots.txt does not bind this crawl. The verdict is
// found and recorded all the same.
type Override struct {
	Reason string // stands in the record of every fetch. Required.
}

// Transport is an http.RoundTripper. It is safe for concurrent use. The body of
// every response must be closed: until then its host answers nobody else.
type Transport struct {
	next      http.RoundTripper
	agent     string
	language  string
	platforms []crawlers.About
	every     map[string]time.Duration
	perHost   int
	maxWait   time.Duration
	maxTries  int
	override  string // reason; "" is none
	gate      Gate
	now       func() time.Time
	sleep     func(context.Context, time.Duration) error
	rand      func() float64

	keys   map[string]*keyring
	robots robotsCache

	poolsMu sync.Mutex
	pools   map[string]pool // by scheme and host as in URLs: what findPool found

	mu    sync.Mutex
	hosts map[string]*host // by pool
}

// New checks o and builds a Transport.
func New(o Options) (*Transport, error) {
	if o.Next == nil {
		return nil, errors.New("polite: Options.Next is not set: there is nothing to send requests with")
	}
	if err := checkContact(o.Contact, o.Loopback); err != nil {
		return nil, err
	}
	if o.RobotsOverride != nil && oneLine(o.RobotsOverride.Reason) == "" {
		return nil, errors.New(`polite: robots.txt can be overridden only with a reason: --robots=override --reason "…"`)
	}
	for name, d := range o.Every {
		if d < 0 {
			return nil, fmt.Errorf("polite: pace of %s is %v: must not be negative", name, d)
		}
	}
	if o.PerHost < 0 || o.MaxWait < 0 || o.MaxTries < 0 {
		return nil, errors.New("polite: Options.PerHost, MaxWait and MaxTries must not be negative")
	}
	t := &Transport{
		next:      o.Next,
		agent:     userAgent(o.Version, o.Contact),
		language:  o.Language,
		platforms: o.Platforms,
		every:     make(map[string]time.Duration, len(o.Every)),
		perHost:   max(o.PerHost, 1),
		maxWait:   o.MaxWait,
		maxTries:  o.MaxTries,
		gate:      o.Gate,
		now:       o.Now,
		sleep:     o.Sleep,
		rand:      o.Rand,
		hosts:     map[string]*host{},
		pools:     map[string]pool{},
	}
	for name, d := range o.Every {
		t.every[strings.ToLower(name)] = d
	}
	if o.RobotsOverride != nil {
		t.override = oneLine(o.RobotsOverride.Reason)
	}
	if t.language == "" {
		t.language = DefaultLanguage
	}
	if t.maxWait == 0 {
		t.maxWait = DefaultMaxWait
	}
	if t.maxTries == 0 {
		t.maxTries = DefaultMaxTries
	}
	if t.now == nil {
		t.now = time.Now
	}
	if t.sleep == nil {
		t.sleep = sleep
	}
	if t.rand == nil {
		t.rand = rand.Float64
	}
	if t.gate == nil {
		t.gate = NewMemGate(t.now)
	}
	t.robots.entries = map[string]*robotsEntry{}
	keys, err := newKeyrings(o.Platforms, o.Keys)
	if err != nil {
		return nil, err
	}
	t.keys = keys
	return t, nil
}

// checkContact refuses a contact by which a site's operator could reach nobody.
func checkContact(contact string, loopback bool) error {
	if contact == "" {
		if loopback {
			return nil
		}
		return errors.New("polite: no contact is configured: sites must be able to reach whoever crawls them; set contact: (an e-mail address or the URL of a page about you) in refrain.yaml, or REFRAIN_CONTACT")
	}
	for i := range len(contact) {
		if c := contact[i]; c < ' ' || c > '~' || c == '(' || c == ')' {
			return fmt.Errorf("polite: contact %q cannot stand in a User-Agent: only printable ASCII without parentheses can", contact)
		}
	}
	if !strings.Contains(contact, "@") && !strings.Contains(contact, "://") {
		return fmt.Errorf("polite: contact %q is neither an e-mail address nor a URL: set contact: in refrain.yaml, or REFRAIN_CONTACT", contact)
	}
	return nil
}

func userAgent(version, contact string) string {
	if version == "" {
		version = "dev"
	}
	if contact == "" {
		return fmt.Sprintf("%s/%s (+%s)", Token, version, homepage)
	}
	return fmt.Sprintf("%s/%s (+%s; contact: %s)", Token, version, homepage, contact)
}

// UserAgent is what every request says of itself.
func (t *Transport) UserAgent() string { return t.agent }

// RoundTrip sends req when its turn comes. Beside the errors of Next it fails
// with *Denied, *Wait, *KeyError, or the error of the context; the text of no
// error holds a key.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.roundTrip(req)
	if err != nil {
		if req.Body != nil {
			req.Body.Close() // Next closed it already if it was sent; twice does no harm
		}
		return nil, err
	}
	resp.Request = req // without the key
	return resp, nil
}

func (t *Transport) roundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, fmt.Errorf("polite: %s: only http and https addresses with a host can be asked", displayURL(req))
	}
	ctx := req.Context()
	fetch := fetchctx.From(ctx)
	if fetch == nil {
		ctx, fetch = fetchctx.New(ctx) // the recorder must learn of secrets
	}
	meta := metaOf(ctx)
	out := req.Clone(ctx)
	t.dress(out.Header)

	key, err := t.addKey(out, meta, fetch)
	if err != nil {
		return nil, err
	}
	if key != nil && !meta.Robots {
		fetch.Set("robots", "not-applicable (key "+key.name+", documented API)")
	} else if err := t.obey(ctx, req, meta, fetch); err != nil {
		return nil, redact(err, fetch)
	}

	resp, err := t.exchange(out, meta, t.pool(req.URL), fetch)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && key != nil && key.token != nil && replayable(req) {
		resp, err = t.refresh(out, resp, key, meta, fetch)
	}
	if err != nil {
		return nil, redact(err, fetch)
	}
	return resp, nil
}

// dress sets the fields that every request has. The User-Agent is ours whatever
// a library below the driver put there.
func (t *Transport) dress(h http.Header) {
	h.Set("User-Agent", t.agent)
	if h.Get("Accept-Language") == "" {
		h.Set("Accept-Language", t.language)
	}
}

// sleep waits d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// oneLine makes s fit for a line of a record: valid UTF-8, control characters
// and runs of white space turned into single blanks.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }), " ")
}
