// Package crawlertest holds what every collector is tested with: the contract
// of crawlers.Collector as a test (Run), the check that a collector is pure
// (Imports), and a platform that misbehaves in every known way (Server).
package crawlertest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// Cases is what Run needs to know of a platform.
type Cases struct {
	Aliases     [][]string          // each row: URLs that name one target; rows name different targets
	ForeignURLs []string            // URLs that Match must refuse
	Exchanges   []Case              // at least one per route and kind of answer
	Foreign     []crawlers.Exchange // exchanges of other platforms, which Identify must refuse
}

// A Case is one exchange and, where the test cares, what it must give.
type Case struct {
	Name     string
	Step     crawlers.Step // a zero Ref is told from the exchange by Identify
	Exchange crawlers.Exchange
	Outcome  post.Outcome // of the page; empty is not checked
	Posts    int          // least number of posts
}

// Run checks that c keeps the contract of crawlers.Collector on the given
// cases: it is pure and safe for concurrent use, all aliases of a target are
// one, every step it gives can be asked and stored, posts are complete, and no
// bytes make it panic or hang.
func Run(t *testing.T, c crawlers.Collector, cases Cases) {
	t.Helper()
	about := c.About()
	t.Run("About", func(t *testing.T) { checkAbout(t, c) })
	t.Run("Aliases", func(t *testing.T) { checkAliases(t, c, cases) })
	t.Run("Requests", func(t *testing.T) { checkRequests(t, c, cases) })
	t.Run("Foreign", func(t *testing.T) { checkForeign(t, c, cases) })
	for i, k := range cases.Exchanges {
		name := k.Name
		if name == "" {
			name = fmt.Sprintf("%d %s", i, k.Exchange.URL)
		}
		t.Run("Read/"+name, func(t *testing.T) {
			step, ok := stepOf(t, c, k)
			if !ok {
				return
			}
			checkRead(t, c, about, step, k)
		})
		t.Run("Hostile/"+name, func(t *testing.T) {
			step, ok := stepOf(t, c, k)
			if !ok {
				return
			}
			checkHostile(t, c, about, step, k.Exchange)
		})
	}
}

func checkAbout(t *testing.T, c crawlers.Collector) {
	about := c.About()
	if !reflect.DeepEqual(about, c.About()) {
		t.Error("About differs between two calls")
	}
	if about.Platform == "" || about.Platform != strings.ToLower(about.Platform) {
		t.Errorf("About.Platform %q is not a lower-case name", about.Platform)
	}
	if about.Title == "" || about.Collects == "" {
		t.Error("About.Title and About.Collects must be set")
	}
	if about.Reader < 1 {
		t.Error("About.Reader starts at 1")
	}
	if _, err := time.Parse(time.DateOnly, about.Checked); err != nil {
		t.Errorf("About.Checked %q is not a day like 2026-01-31", about.Checked)
	}
	if len(about.Hosts) == 0 {
		t.Error("About.Hosts is empty")
	}
	keys := map[string]bool{}
	for _, k := range about.Keys {
		if k.Name == "" || keys[k.Name] {
			t.Errorf("key %q: names must be set and different", k.Name)
		}
		keys[k.Name] = true
		if k.Help == "" || len(k.Hosts) == 0 {
			t.Errorf("key %q: Help and Hosts must be set", k.Name)
		}
		switch k.Scheme {
		case crawlers.KeyBearer:
		case crawlers.KeyHeader, crawlers.KeyQuery:
			if k.Param == "" {
				t.Errorf("key %q: scheme %s needs Param", k.Name, k.Scheme)
			}
		case crawlers.KeyClientCredentials:
			if k.TokenURL == "" {
				t.Errorf("key %q: scheme %s needs TokenURL", k.Name, k.Scheme)
			}
		default:
			t.Errorf("key %q: unknown scheme %q", k.Name, k.Scheme)
		}
	}
	if len(about.Routes) == 0 {
		t.Error("About.Routes is empty")
	}
	routes := map[string]bool{}
	for _, r := range about.Routes {
		if r.Name == "" || routes[r.Name] {
			t.Errorf("route %q: names must be set and different", r.Name)
		}
		routes[r.Name] = true
		if r.Gives == "" {
			t.Errorf("route %q: Gives must be set", r.Name)
		}
		if r.Key != "" && !keys[r.Key] {
			t.Errorf("route %q wants key %q, which About.Keys lacks", r.Name, r.Key)
		}
		if r.Key == "" && !r.Robots {
			t.Errorf("route %q needs no key: robots.txt binds it", r.Name)
		}
	}
	if len(about.Seeds) == 0 {
		t.Error("About.Seeds is empty")
	}
	for _, s := range about.Seeds {
		if _, ok := match(t, c, s); !ok {
			t.Errorf("example seed %s: Match refuses it", s)
		}
	}
}

// match runs Match twice and checks what it gives.
func match(t *testing.T, c crawlers.Collector, raw string) (crawlers.Ref, bool) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Errorf("%s: %v", raw, err)
		return crawlers.Ref{}, false
	}
	before := *u
	ref, ok := c.Match(u)
	if !reflect.DeepEqual(*u, before) {
		t.Errorf("%s: Match changed the URL", raw)
	}
	again, okAgain := c.Match(u)
	if ref != again || ok != okAgain {
		t.Errorf("%s: Match gives %+v, then %+v", raw, ref, again)
	}
	if ok {
		checkRef(t, c, ref, "Match "+raw)
	}
	return ref, ok
}

func checkRef(t *testing.T, c crawlers.Collector, ref crawlers.Ref, from string) {
	t.Helper()
	if ref.Platform != crawlers.Platform(c) {
		t.Errorf("%s: Ref.Platform is %q", from, ref.Platform)
	}
	if ref.Kind == "" || ref.ID == "" {
		t.Errorf("%s: Ref without kind or id: %+v", from, ref)
	}
	if u, err := url.Parse(ref.URL); err != nil || !u.IsAbs() || u.Host == "" {
		t.Errorf("%s: Ref.URL %q is not absolute", from, ref.URL)
	}
}

func checkAliases(t *testing.T, c crawlers.Collector, cases Cases) {
	rows := map[string]string{}
	for _, row := range cases.Aliases {
		if len(row) == 0 {
			continue
		}
		first, ok := match(t, c, row[0])
		if !ok {
			t.Errorf("%s: Match refuses it", row[0])
			continue
		}
		if other, seen := rows[first.Key()]; seen {
			t.Errorf("%s and %s are told to be different targets, both give %s", other, row[0], first.Key())
		}
		rows[first.Key()] = row[0]
		for _, raw := range append(row[1:len(row):len(row)], first.URL) {
			ref, ok := match(t, c, raw)
			switch {
			case !ok:
				t.Errorf("%s: Match refuses it, but not %s", raw, row[0])
			case ref.Key() != first.Key():
				t.Errorf("%s gives key %s, %s gives %s", raw, ref.Key(), row[0], first.Key())
			case ref.URL != first.URL:
				t.Errorf("%s gives URL %s, %s gives %s", raw, ref.URL, row[0], first.URL)
			}
		}
	}
	for _, raw := range cases.ForeignURLs {
		if ref, ok := match(t, c, raw); ok {
			t.Errorf("%s: Match takes it for %+v", raw, ref)
		}
	}
	// Addresses that no platform owns, and that must not upset any.
	for _, raw := range []string{"https:///", "https://", "", "/", "mailto:a@b.example", "https://[::1]/", "https://a.example/%zz%"} {
		if u, err := url.Parse(raw); err == nil {
			guard(t, "Match "+raw, func() { c.Match(u) })
		}
	}
	guard(t, "Match of an empty URL", func() { c.Match(&url.URL{}) })
}

// stepOf gives the step of a case, from Identify where the case names none.
func stepOf(t *testing.T, c crawlers.Collector, k Case) (crawlers.Step, bool) {
	t.Helper()
	if k.Step.Ref != (crawlers.Ref{}) {
		return k.Step, true
	}
	ref, ok := c.Identify(k.Exchange)
	if !ok {
		t.Errorf("%s: Identify refuses it", k.Exchange.URL)
		return crawlers.Step{}, false
	}
	return crawlers.Step{Ref: ref, Route: k.Step.Route, Role: k.Step.Role, State: k.Step.State}, true
}

func checkRequests(t *testing.T, c crawlers.Collector, cases Cases) {
	about := c.About()
	var refs []crawlers.Ref
	seen := map[string]bool{}
	add := func(raw string) {
		if u, err := url.Parse(raw); err == nil {
			if ref, ok := c.Match(u); ok && !seen[ref.Key()] {
				seen[ref.Key()] = true
				refs = append(refs, ref)
			}
		}
	}
	for _, s := range about.Seeds {
		add(s)
	}
	for _, row := range cases.Aliases {
		for _, raw := range row {
			add(raw)
		}
	}
	for _, ref := range refs {
		served := false
		for _, r := range about.Routes {
			if !crawlers.Serves(r, ref.Kind) {
				continue
			}
			served = true
			checkStep(t, c, about, crawlers.Step{Ref: ref, Route: r.Name})
		}
		if !served {
			t.Errorf("%s: no route in About serves kind %s", ref.URL, ref.Kind)
			continue
		}
		for what, s := range map[string]crawlers.Step{
			"another platform's step":  {Ref: crawlers.Ref{Platform: "no such platform", Kind: ref.Kind, ID: ref.ID, URL: ref.URL}},
			"a route that it lacks":    {Ref: ref, Route: "no such route"},
			"a State it did not write": {Ref: ref, State: []byte("\x00\xff{")},
		} {
			guard(t, what, func() {
				if req, err := c.Request(s); err == nil {
					t.Errorf("%s: Request of %s gives no error, but %s", ref.URL, what, req.URL)
				}
			})
		}
	}
}

// checkStep checks that a step can be stored and asked for.
func checkStep(t *testing.T, c crawlers.Collector, about crawlers.About, s crawlers.Step) {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Errorf("step %s: %v", s.Key(), err)
		return
	}
	var back crawlers.Step
	if err := json.Unmarshal(data, &back); err != nil || back.Key() != s.Key() || back.Ref != s.Ref {
		t.Errorf("step %s comes back from JSON as %s (%v)", s.Key(), back.Key(), err)
	}
	if s.Ref.Platform != about.Platform || s.Role == crawlers.RoleAsset {
		return
	}
	checkRef(t, c, s.Ref, "step "+s.Key())
	state := string(s.State)
	req, err := c.Request(s)
	if err != nil {
		t.Errorf("step %s: Request: %v", s.Key(), err)
		return
	}
	again, err := c.Request(back)
	if err != nil || !reflect.DeepEqual(req, again) {
		t.Errorf("step %s: Request gives %+v, then %+v (%v)", s.Key(), req, again, err)
	}
	if string(s.State) != state {
		t.Errorf("step %s: Request changed State", s.Key())
	}
	u, err := url.Parse(req.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		t.Errorf("step %s: request URL %q is not an absolute web address", s.Key(), req.URL)
		return
	}
	if u.Fragment != "" || u.User != nil {
		t.Errorf("step %s: request URL %s has a fragment or credentials", s.Key(), req.URL)
	}
	if !crawlers.HostAllowed(about, s.Ref, u.Hostname()) {
		t.Errorf("step %s: request to %s, which is neither in About.Hosts nor the target's own host", s.Key(), u.Host)
	}
	switch req.Method {
	case "", "GET", "HEAD":
		if len(req.Body) > 0 {
			t.Errorf("step %s: GET with a body", s.Key())
		}
	case "POST":
	default:
		t.Errorf("step %s: method %q", s.Key(), req.Method)
	}
	for name := range req.Header {
		switch strings.ToLower(name) {
		case "user-agent", "accept-encoding", "authorization", "host", "connection", "content-length", "transfer-encoding", "proxy-authorization":
			t.Errorf("step %s: header %s is not the collector's to set", s.Key(), name)
		}
	}
	known := req.Key == ""
	for _, k := range about.Keys {
		known = known || k.Name == req.Key
	}
	if !known {
		t.Errorf("step %s: wants key %q, which About.Keys lacks", s.Key(), req.Key)
	}
	for _, r := range about.Routes {
		if r.Name == s.Route && r.Key != req.Key {
			t.Errorf("step %s: route %s is documented with key %q, the request wants %q", s.Key(), r.Name, r.Key, req.Key)
		}
	}
}

func checkForeign(t *testing.T, c crawlers.Collector, cases Cases) {
	foreign := append([]crawlers.Exchange(nil), cases.Foreign...)
	for _, ex := range foreign {
		guard(t, "Identify "+ex.URL, func() {
			if ref, ok := c.Identify(ex); ok {
				t.Errorf("Identify takes another platform's %s for %+v", ex.URL, ref)
			}
		})
	}
	for _, ex := range []crawlers.Exchange{{}, {URL: "::"}, {URL: "https://"}, {URL: "/"}, {Status: 200, Body: []byte("null")}} {
		guard(t, fmt.Sprintf("Identify of %q", ex.URL), func() {
			if ref, ok := c.Identify(ex); ok {
				t.Errorf("Identify takes an exchange with URL %q for %+v", ex.URL, ref)
			}
		})
	}
}

// guard runs f and turns a panic into a failure that names what was done.
func guard(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: panic: %v", what, r)
		}
	}()
	f()
}

func checkRead(t *testing.T, c crawlers.Collector, about crawlers.About, s crawlers.Step, k Case) {
	ex := k.Exchange
	before := fingerprint(s, ex)
	page, err := crawlers.Read(c, s, ex)
	if err != nil {
		t.Fatal(err)
	}
	if k.Outcome != "" && page.Outcome != k.Outcome {
		t.Errorf("outcome %s (%s), want %s", page.Outcome, page.Reason, k.Outcome)
	}
	if len(page.Posts) < k.Posts {
		t.Errorf("%d posts, want at least %d", len(page.Posts), k.Posts)
	}
	checkPage(t, about, page)
	for _, n := range page.Next {
		if n.Key() == s.Key() {
			t.Errorf("the step gives itself as a next step: %s", n.Key())
		}
		checkStep(t, c, about, n)
	}
	checkCoverage(t, page)
	want := encode(t, page)

	ref, ok := c.Identify(ex)
	if ok {
		checkRef(t, c, ref, "Identify "+ex.URL)
		if again, _ := c.Identify(ex); again != ref {
			t.Errorf("Identify gives %+v, then %+v", ref, again)
		}
		// A step with only a Ref must do: which route it was is told from the exchange.
		if bare, err := crawlers.Read(c, crawlers.Step{Ref: ref}, ex); err != nil {
			t.Errorf("Read with the bare Ref of Identify: %v", err)
		} else {
			checkPage(t, about, bare)
			if a, b := ids(bare.Posts), ids(page.Posts); a != b {
				t.Errorf("Read with the bare Ref of Identify gives posts %s, with the step %s", a, b)
			}
		}
	}
	foreign := s
	foreign.Ref.Platform = "no such platform"
	if _, err := c.Read(foreign, ex); err == nil {
		t.Error("Read of another platform's step gives no error")
	}
	var wg sync.WaitGroup
	got := make([]string, 4)
	for i := range got {
		wg.Go(func() {
			if page, err := crawlers.Read(c, s, ex); err == nil {
				got[i] = encode(t, page)
			}
			c.Identify(ex)
		})
	}
	wg.Wait()
	for _, g := range got {
		if g != want {
			t.Errorf("Read gives something else on the same input:\n%s\n%s", want, g)
			break
		}
	}
	if fingerprint(s, ex) != before {
		t.Error("Read or Identify changed its input")
	}
}

// fingerprint is the whole of an input, to see whether it was changed.
func fingerprint(s crawlers.Step, ex crawlers.Exchange) string {
	return fmt.Sprintf("%#v\n%q %q %q %q %d %v %q", s, ex.Method, ex.URL, ex.RequestBody, ex.Body, ex.Status, ex.Truncated, fmt.Sprint(ex.Header))
}

func encode(t *testing.T, page crawlers.Page) string {
	t.Helper()
	data, err := json.Marshal(page)
	if err != nil {
		t.Errorf("page does not encode: %v", err)
	}
	return string(data)
}

func ids(posts []post.Post) string {
	var b strings.Builder
	for i := range posts {
		b.WriteString(posts[i].ID + " ")
	}
	return b.String()
}

func checkCoverage(t *testing.T, page crawlers.Page) {
	cov := page.Coverage
	if cov == (crawlers.Coverage{}) || page.Outcome.Scope() != post.ScopeServed {
		return
	}
	pages := 0
	for _, n := range page.Next {
		if n.Role == crawlers.RolePage || n.Role == "" {
			pages++
		}
	}
	if cov.Served < 0 || cov.Total < 0 {
		t.Errorf("coverage %+v counts below zero", cov)
	}
	if pages == 0 && cov.End == "" {
		t.Errorf("coverage says %d served, there is no next page, and End does not say why", cov.Served)
	}
	if pages > 0 && cov.End != "" {
		t.Errorf("coverage says the list ends (%q), and there is a next page", cov.End)
	}
}

// checkPage checks that what Read gave is complete and well-formed.
func checkPage(t *testing.T, about crawlers.About, page crawlers.Page) {
	t.Helper()
	if page.Outcome.Scope() == "" {
		t.Errorf("unknown outcome %q", page.Outcome)
	}
	if page.Wait < 0 {
		t.Errorf("Wait is %v", page.Wait)
	}
	for i := range page.Posts {
		checkPost(t, about, &page.Posts[i])
	}
	for _, id := range page.Identities {
		if id.Kind == "" || id.Alias == "" || id.ID == "" {
			t.Errorf("identity %+v lacks kind, alias or id", id)
		}
	}
	for _, a := range page.Assets {
		if u, err := url.Parse(a.URL); err != nil || !u.IsAbs() {
			t.Errorf("asset %q is not an absolute URL", a.URL)
		}
	}
	for _, n := range page.Next {
		if n.Ref.Platform == "" || n.Ref.Kind == "" {
			t.Errorf("next step without platform or kind: %+v", n)
		}
	}
}

func checkPost(t *testing.T, about crawlers.About, p *post.Post) {
	t.Helper()
	bad := func(format string, args ...any) {
		t.Helper()
		t.Errorf("post %q: %s", p.ID, fmt.Sprintf(format, args...))
	}
	if p.ID == "" || p.Platform == "" {
		bad("without id or platform")
	}
	known := false
	for _, k := range post.Kinds() {
		known = known || p.Kind == k
	}
	if !known {
		bad("kind %q", p.Kind)
	}
	if p.Outcome.Scope() == "" {
		bad("outcome %q", p.Outcome)
	}
	if p.Reader == "" {
		bad("without reader")
	}
	if p.URL != "" {
		if u, err := url.Parse(p.URL); err != nil || !u.IsAbs() {
			bad("URL %q is not absolute", p.URL)
		}
	}
	for _, s := range []string{p.ID, p.Title, p.Text, p.URL, p.Account.Name, p.Account.Handle} {
		if !utf8.ValidString(s) {
			bad("%.80q is not UTF-8", s)
		}
	}
	for _, c := range p.Counts {
		if c.Name == "" || c.State == "" || c.Precision == "" {
			bad("count %+v lacks name, precision or state", c)
		}
	}
	for _, m := range p.Media {
		switch m.Kind {
		case post.MediaImage, post.MediaVideo, post.MediaAudio, post.MediaFile:
		default:
			bad("media kind %q", m.Kind)
		}
		if m.Width < 0 || m.Height < 0 || m.Duration < 0 {
			bad("media with negative size: %+v", m)
		}
	}
	for _, r := range p.Refs {
		if r.Role == "" || r.ID == "" && r.URL == "" && r.Account == "" {
			bad("relation %+v names nothing", r)
		}
	}
	for name, at := range map[string]post.Time{"created": p.Created, "edited": p.Edited} {
		if at.IsZero() {
			continue
		}
		if at.Source == "" {
			bad("%s does not say its source", name)
		}
		for _, moment := range []time.Time{at.Time, at.From, at.To} {
			if !moment.IsZero() && moment.Location() != time.UTC {
				bad("%s is not in UTC: %v", name, moment)
			}
			if _, err := moment.MarshalJSON(); err != nil {
				bad("%s: %v", name, err)
			}
		}
	}
	if _, err := json.Marshal(p); err != nil {
		bad("does not encode: %v", err)
	}
	if p.Reader != fmt.Sprintf("%s/%d", about.Platform, about.Reader) {
		bad("reader %q", p.Reader)
	}
}
