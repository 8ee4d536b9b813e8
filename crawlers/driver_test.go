package crawlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/crawlers/frontier"
	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

// plaza is a collector of a made-up platform. Its listing answers
// {"posts":[{"id","text","t"}],"next":"ID","media":[URL]}.
type plaza struct{}

func (plaza) About() crawlers.About {
	return crawlers.About{
		Platform: "plaza", Title: "Plaza", Reader: 1, Collects: "posts of accounts", Checked: "2026-01-31",
		Seeds: []string{"https://plaza.example/u/ana", "https://plaza.example/p/7"},
		Routes: []crawlers.Route{
			{Name: "json", Gives: "all posts", Every: time.Second, PageSize: 2, Robots: true, Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefPost, crawlers.RefComment}},
			{Name: "feed", Gives: "newest posts", Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefShort}, Robots: true},
			{Name: "api", Key: "plaza", Gives: "all posts and counts", Units: 2, Cost: "2 units of 100 a day"},
			{Name: "deep", Gives: "the archive", OptIn: true, Robots: true},
		},
		Keys:  []crawlers.Key{{Name: "plaza", Scheme: crawlers.KeyBearer, Hosts: []string{"plaza.example"}, Help: "make one at https://plaza.example/keys"}},
		Hosts: []string{"plaza.example", "*.plaza.example"},
	}
}

func (plaza) Match(u *url.URL) (crawlers.Ref, bool) {
	if u.Hostname() != "plaza.example" && u.Hostname() != "www.plaza.example" {
		return crawlers.Ref{}, false
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) != 2 || parts[1] == "" {
		return crawlers.Ref{}, false
	}
	switch parts[0] {
	case "u":
		return account(strings.ToLower(parts[1])), true
	case "p":
		return item(parts[1]), true
	case "s": // a short link; only the feed knows what it names
		return crawlers.Ref{Platform: "plaza", Kind: crawlers.RefShort, ID: parts[1], Alias: true, URL: "https://plaza.example/s/" + url.PathEscape(parts[1])}, true
	}
	return crawlers.Ref{}, false
}

func account(name string) crawlers.Ref {
	return crawlers.Ref{Platform: "plaza", Kind: crawlers.RefAccount, ID: name, Alias: true, URL: "https://plaza.example/u/" + url.PathEscape(name)}
}

func item(id string) crawlers.Ref {
	return crawlers.Ref{Platform: "plaza", Kind: crawlers.RefPost, ID: id, URL: "https://plaza.example/p/" + url.PathEscape(id)}
}

func (p plaza) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Ref{}, false
	}
	if name, ok := strings.CutPrefix(u.Path, "/api/u/"); ok && u.Hostname() == "plaza.example" && name != "" {
		return account(name), true
	}
	return p.Match(u)
}

func (plaza) Request(s crawlers.Step) (crawlers.Request, error) {
	if s.Ref.Platform != "plaza" {
		return crawlers.Request{}, errors.New("not a step of plaza")
	}
	for _, c := range s.State {
		if c < '0' || c > '9' {
			return crawlers.Request{}, fmt.Errorf("state %q", s.State)
		}
	}
	if s.Role == crawlers.RoleHydrate || s.Role == crawlers.RoleComments {
		return crawlers.Request{URL: "http://plaza.example/api/" + string(s.Role) + "/" + s.Ref.ID}, nil
	}
	path := "/api/u/" + url.PathEscape(s.Ref.ID)
	if s.Ref.Kind == crawlers.RefPost {
		path = "/api/p/" + url.PathEscape(s.Ref.ID)
	}
	if len(s.State) > 0 {
		path += "?before=" + string(s.State)
	}
	switch s.Route {
	case "json", "":
	case "feed":
		path = "/feed/" + url.PathEscape(s.Ref.ID)
		if s.Ref.Kind == crawlers.RefShort {
			path = "/s/" + url.PathEscape(s.Ref.ID)
		}
	case "api":
		return crawlers.Request{URL: "http://plaza.example/v2" + path, Key: "plaza"}, nil
	case "deep":
		path = "/deep" + path
	default:
		return crawlers.Request{}, fmt.Errorf("no route %q", s.Route)
	}
	return crawlers.Request{URL: "http://plaza.example" + path}, nil
}

type listing struct {
	Posts []struct {
		ID   string `json:"id"`
		Text string `json:"text"`
		T    int64  `json:"t"`
	} `json:"posts"`
	Next    string   `json:"next"`
	Media   []string `json:"media"`
	Hydrate []string `json:"hydrate"`
	Error   string   `json:"error"`
}

func (plaza) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != "plaza" {
		return crawlers.Page{}, errors.New("not a step of plaza")
	}
	if o, reason := crawlers.ClassifyJSON(ex); o != "" {
		return crawlers.Page{Outcome: o, Reason: reason}, nil
	}
	if name, ok := strings.CutPrefix(ex.Header.Get("Location"), "https://plaza.example/u/"); ok && ex.Status == http.StatusMovedPermanently && s.Ref.Kind == crawlers.RefShort {
		return crawlers.Page{Next: []crawlers.Step{{Ref: account(name), Route: s.Route}}}, nil
	}
	var l listing
	if err := json.Unmarshal(ex.Body, &l); err != nil || l.Posts == nil {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "no posts"}, nil
	}
	page := crawlers.Page{}
	page.Coverage.Served = len(l.Posts)
	for _, x := range l.Posts {
		if x.ID == "" {
			continue
		}
		if x.ID == "deep-step" {
			page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: "deep", Role: crawlers.RoleHydrate})
		}
		p := post.Post{ID: x.ID, Kind: post.KindPost, Text: x.Text}
		if x.T > 0 && x.T < 1<<40 {
			p.Created = post.Exact(time.Unix(x.T, 0), "")
		}
		page.Posts = append(page.Posts, p)
	}
	digits := l.Next != "" && strings.Trim(l.Next, "0123456789") == ""
	if digits && string(s.State) != l.Next {
		page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: s.Route, Role: crawlers.RolePage, State: []byte(l.Next)})
	} else {
		page.Coverage.End = "end of list"
	}
	for _, id := range l.Hydrate {
		if id != "" {
			page.Next = append(page.Next, crawlers.Step{Ref: item(id), Role: crawlers.RoleHydrate}, crawlers.Step{Ref: item(id), Role: crawlers.RoleComments})
		}
	}
	for _, m := range l.Media {
		if strings.HasPrefix(m, "http") {
			if _, err := url.Parse(m); err == nil {
				page.Assets = append(page.Assets, crawlers.Asset{URL: m, Kind: post.MediaImage})
			}
		}
	}
	return page, nil
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, plaza{}, crawlertest.Cases{
		Aliases:     [][]string{{"https://plaza.example/u/ana", "https://www.plaza.example/u/Ana/", "http://plaza.example/u/ANA?x=1"}, {"https://plaza.example/p/7"}},
		ForeignURLs: []string{"https://other.example/u/ana"},
		Exchanges: []crawlertest.Case{
			{Name: "a page", Exchange: exchange("http://plaza.example/api/u/ana", 200, `{"posts":[{"id":"1","text":"a","t":1700000000}],"next":"5"}`), Outcome: post.OK, Posts: 1},
			{Name: "not found", Exchange: exchange("http://plaza.example/api/u/nobody", 404, `{"error":"not found"}`), Outcome: post.NotFound},
		},
		Foreign: []crawlers.Exchange{exchange("https://other.example/api/u/ana", 200, `{"posts":[]}`)},
	})
}

func exchange(address string, status int, body string) crawlers.Exchange {
	return crawlers.Exchange{URL: address, Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

// page is one answer of plaza's API.
func page(next string, ids ...string) string {
	var posts []string
	for _, id := range ids {
		posts = append(posts, fmt.Sprintf(`{"id":%q,"text":"post %s"}`, id, id))
	}
	return fmt.Sprintf(`{"posts":[%s],"next":%q}`, strings.Join(posts, ","), next)
}

// recorder stands in for the archive's: it numbers exchanges, and sends the
// exact URL.
type recorder struct {
	next http.RoundTripper
	n    atomic.Int64
	fail func(*http.Request) error
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	fetch := fetchctx.From(req.Context())
	exact := fetchctx.URL(req.Context())
	out := req.Clone(req.Context())
	if u, err := url.Parse(exact); err == nil && exact != "" {
		_, rest, _ := strings.Cut(exact, "://")
		u.Opaque, u.RawQuery = rest[strings.Index(rest, "/"):], ""
		out.URL = u
		out.Host = u.Host
	}
	resp, err := r.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	result := fetchctx.Result{Capture: post.Capture{RecordID: fmt.Sprintf("urn:uuid:%d", r.n.Add(1))}}
	if r.fail != nil {
		if err := r.fail(req); err != nil {
			result = fetchctx.Result{Err: err}
		}
	}
	resp.Body = &recorded{resp.Body, func() { fetch.SetResult(result) }}
	return resp, nil
}

type recorded struct {
	io.ReadCloser
	done func()
}

func (r *recorded) Close() error { r.done(); return r.ReadCloser.Close() }

// rig is a driver on a misbehaving platform, with a clock that only Sleep moves.
type rig struct {
	t      testing.TB
	server *crawlertest.Server
	opt    crawlers.Options
	rec    *recorder

	mu     sync.Mutex
	now    time.Time
	slept  []time.Duration
	saved  []crawlers.Fetched
	assets []crawlers.FetchedAsset
}

func newRig(t testing.TB, handlers map[string]http.Handler) *rig {
	g := &rig{t: t, server: crawlertest.NewServer(t, handlers), now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	transport := g.server.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	g.rec = &recorder{next: transport}
	g.opt = crawlers.Options{
		Collectors: []crawlers.Collector{plaza{}}, Frontier: frontier.Memory(), Transport: g.rec,
		Save: func(_ context.Context, f crawlers.Fetched) error {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.saved = append(g.saved, f)
			return nil
		},
		SaveAsset: func(_ context.Context, f crawlers.FetchedAsset) error {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.assets = append(g.assets, f)
			return nil
		},
		Now: func() time.Time { g.mu.Lock(); defer g.mu.Unlock(); return g.now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.now = g.now.Add(d)
			g.slept = append(g.slept, d)
			return ctx.Err()
		},
	}
	return g
}

func (g *rig) run(ctx context.Context, seeds ...string) crawlers.Summary {
	g.t.Helper()
	sum, err := g.tryRun(ctx, seeds...)
	if err != nil {
		g.t.Fatal(err)
	}
	return sum
}

func (g *rig) tryRun(ctx context.Context, seeds ...string) (crawlers.Summary, error) {
	g.t.Helper()
	d, err := crawlers.NewDriver(g.opt)
	if err != nil {
		g.t.Fatal(err)
	}
	var list []crawlers.Seed
	for _, text := range seeds {
		s, err := crawlers.ParseSeed(text)
		if err != nil {
			g.t.Fatal(err)
		}
		list = append(list, s)
	}
	return d.Run(ctx, list)
}

// targets gives what was asked of the server, in order.
func (g *rig) asked() []string {
	var all []string
	for _, h := range g.server.Hits() {
		all = append(all, h.Target)
	}
	return all
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func TestPaging(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Query().Get("before") {
		case "":
			io.WriteString(w, page("5", "7", "6"))
		case "5":
			io.WriteString(w, page("3", "5", "4"))
		case "3":
			io.WriteString(w, page("", "3"))
		}
	})
	for _, test := range []struct {
		name  string
		set   func(*crawlers.Options)
		asked int
		posts int
		end   string
	}{
		{"all of it", func(*crawlers.Options) {}, 3, 5, "end of list"},
		{"three posts are two pages", func(o *crawlers.Options) { o.MaxPosts = 3 }, 2, 4, "stopped at 4 posts, the limit is 3"},
		{"one page", func(o *crawlers.Options) { o.MaxPages = 1 }, 1, 2, "stopped at 1 pages, the limit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newRig(t, map[string]http.Handler{"/api/u/ana": pages})
			test.set(&g.opt)
			sum := g.run(t.Context(), "plaza.example/u/ana", "https://www.plaza.example/u/ANA")
			equal(t, "targets", len(sum.Targets), 1)
			got := sum.Targets[0]
			equal(t, "requests", len(g.asked()), test.asked)
			equal(t, "outcome", got.Outcome, post.OK)
			equal(t, "posts", got.Posts, test.posts)
			equal(t, "end", got.Coverage.End, test.end)
			equal(t, "served", got.Coverage.Served, test.posts)
			equal(t, "saved", len(g.saved), test.asked)
			if g.saved[0].Page.Posts[0].Capture.RecordID == "" || g.saved[0].Page.Posts[0].Platform != "plaza" {
				t.Errorf("the post is not joined to its capture: %+v", g.saved[0].Page.Posts[0])
			}
			if !sum.Complete() {
				t.Error("the run is not complete")
			}
			// A finished run, run again, observes anew.
			again := g.run(t.Context(), "plaza.example/u/ana")
			if again.Resumed || len(g.asked()) != 2*test.asked {
				t.Errorf("run again: resumed %v, %d requests", again.Resumed, len(g.asked()))
			}
		})
	}
}

func TestSinceUntil(t *testing.T) {
	day := func(n int) int64 { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC).Unix() }
	body := func(next string, days ...int) string {
		var posts []string
		for _, n := range days {
			posts = append(posts, fmt.Sprintf(`{"id":"%d","text":"x","t":%d}`, n, day(n)))
		}
		return fmt.Sprintf(`{"posts":[%s],"next":%q,"hydrate":["%d"]}`, strings.Join(posts, ","), next, days[0])
	}
	g := newRig(t, map[string]http.Handler{
		"/api/u/ana": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next := map[string]string{"": body("1", 2, 28, 27), "1": body("2", 20, 19), "2": body("3", 10, 9), "3": body("", 1)}
			io.WriteString(w, next[r.URL.Query().Get("before")])
		}),
	})
	g.opt.Since = time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	g.opt.Until = time.Date(2026, 1, 28, 0, 0, 0, 0, time.UTC)
	sum := g.run(t.Context(), "plaza.example/u/ana")
	// The pinned old post (day 2) does not end the listing; 28 is too new.
	equal(t, "posts in range", sum.Targets[0].Posts, 4)
	equal(t, "end", sum.Targets[0].Coverage.End, "stopped at posts before 2026-01-10T00:00:00Z")
	equal(t, "asked", g.asked(), []string{"/api/u/ana", "/api/u/ana?before=1", "/api/u/ana?before=2", "/api/hydrate/20", "/api/hydrate/10"})
}

func TestOutcomes(t *testing.T) {
	fine := crawlertest.JSON(page("", "1"))
	release := make(chan struct{})
	for _, test := range []struct {
		name    string
		handler http.Handler
		outcome post.Outcome
		asked   int // of the JSON route
		set     func(*crawlers.Options)
	}{
		{name: "429 with Retry-After, then fine", handler: crawlertest.RateLimited(1, 7*time.Second, fine), outcome: post.OK, asked: 2},
		{name: "429 without end", handler: crawlertest.RateLimited(99, 7*time.Second, fine), outcome: post.RateLimited, asked: 3},
		{name: "503, then fine", handler: crawlertest.Unavailable(2, fine), outcome: post.OK, asked: 3},
		{name: "503 without end", handler: crawlertest.Unavailable(99, fine), outcome: post.ServerError, asked: 3},
		{name: "a block page", handler: crawlertest.BlockPage(), outcome: post.Blocked, asked: 1},
		{name: "a challenge", handler: crawlertest.Challenge(), outcome: post.Challenge, asked: 1},
		{name: "a login form", handler: crawlertest.LoginRedirect(), outcome: post.LoginWall, asked: 1},
		{name: "a consent page", handler: crawlertest.ConsentRedirect(), outcome: post.ConsentWall, asked: 1},
		{name: "a redirect without end", handler: crawlertest.EndlessRedirect(), outcome: post.RedirectLoop, asked: 4, set: func(o *crawlers.Options) { o.MaxRedirects = 3 }},
		{name: "a redirect to itself", handler: crawlertest.Redirect(301, "/api/u/ana"), outcome: post.RedirectLoop, asked: 1},
		{name: "a Location that does not parse", handler: crawlertest.Redirect(302, "http://[::1]:x/%zz"), outcome: post.UnexpectedType, asked: 1},
		{name: "a Location to a file", handler: crawlertest.Redirect(302, "file:///etc/passwd"), outcome: post.UnexpectedType, asked: 1},
		{name: "a cut body", handler: crawlertest.CutBody("application/json", page("", "1")), outcome: post.CutBody, asked: 3},
		{name: "no answer, then fine", handler: crawlertest.NoAnswer(1, fine), outcome: post.OK, asked: 2},
		{name: "a slow body", handler: crawlertest.SlowBody(page("", "1"), release), outcome: post.Timeout, asked: 3, set: func(o *crawlers.Options) { o.BodyTime = 20 * time.Millisecond }},
		{name: "a gzip bomb", handler: crawlertest.GzipBomb(1 << 30), outcome: post.TooLarge, asked: 1},
		{name: "a body of 10 GB", handler: crawlertest.HugeBody(10 << 30), outcome: post.TooLarge, asked: 1},
		{name: "HTML instead of JSON", handler: crawlertest.HTMLInstead(), outcome: post.UnexpectedType, asked: 1},
		{name: "invalid UTF-8", handler: crawlertest.InvalidUTF8(), outcome: post.OK, asked: 1},
		{name: "an empty answer", handler: crawlertest.Empty(), outcome: post.LayoutChanged, asked: 1},
		{name: "404", handler: nil, outcome: post.NotFound, asked: 1},
		{name: "gzip that is none", handler: crawlertest.Status(200, http.Header{"Content-Encoding": {"gzip"}}, "plain text, whatever the header says"), outcome: post.UnexpectedType, asked: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			handlers := map[string]http.Handler{}
			if test.handler != nil {
				handlers["/api/u/ana"] = test.handler
			}
			g := newRig(t, handlers)
			g.opt.Routes = map[string][]string{"plaza": {"json"}}
			g.opt.MaxBody = 1 << 20
			g.opt.MaxPark = 24 * time.Hour
			if test.set != nil {
				test.set(&g.opt)
			}
			sum := g.run(t.Context(), "plaza.example/u/ana")
			got := sum.Targets[0]
			if got.Outcome != test.outcome {
				t.Errorf("outcome %s (%s), want %s", got.Outcome, got.Reason, test.outcome)
			}
			if got.Outcome != post.OK && got.Reason == "" {
				t.Error("without reason")
			}
			equal(t, "requests", len(g.asked()), test.asked)
			equal(t, "saved", len(g.saved), test.asked)
			equal(t, "left", sum.Left, 0)
			for _, f := range g.saved {
				if len(f.Exchange.Body) > 1<<20 {
					t.Errorf("body of %d bytes is over the limit", len(f.Exchange.Body))
				}
			}
			if test.name == "429 with Retry-After, then fine" {
				equal(t, "waits", g.slept, []time.Duration{7 * time.Second})
			}
		})
	}
	close(release)
}

func TestRoutes(t *testing.T) {
	fine := crawlertest.JSON(page("", "1"))
	t.Run("after a wall the next one", func(t *testing.T) {
		g := newRig(t, map[string]http.Handler{"/api/u/ana": crawlertest.Challenge(), "/feed/ana": fine})
		sum := g.run(t.Context(), "plaza.example/u/ana")
		got := sum.Targets[0]
		equal(t, "outcome", got.Outcome, post.OK)
		equal(t, "asked", g.asked(), []string{"/api/u/ana", "/feed/ana"})
		equal(t, "tried", got.Routes[0].Outcome+" "+got.Routes[1].Outcome, "challenge ok")
	})
	t.Run("nothing left says what would work", func(t *testing.T) {
		g := newRig(t, map[string]http.Handler{"/api/u/ana": crawlertest.Challenge(), "/feed/ana": crawlertest.BlockPage()})
		sum := g.run(t.Context(), "plaza.example/u/ana")
		got := sum.Targets[0]
		equal(t, "outcome", got.Outcome, post.Blocked)
		advice := strings.Join(got.Advice, "\n")
		for _, want := range []string{"keys.plaza; make one at https://plaza.example/keys", "--route plaza:deep", "refrain import"} {
			if !strings.Contains(advice, want) {
				t.Errorf("advice lacks %q:\n%s", want, advice)
			}
		}
		if sum.Complete() {
			t.Error("a wall is not a complete run")
		}
	})
	t.Run("a key that is there is used after the others", func(t *testing.T) {
		g := newRig(t, map[string]http.Handler{"/api/u/ana": crawlertest.Challenge(), "/feed/ana": crawlertest.Challenge(), "/v2/api/u/ana": fine})
		g.opt.HasKey = func(name string) bool { return name == "plaza" }
		var keys []string
		g.opt.Mark = func(ctx context.Context, w crawlers.Wire) context.Context {
			keys = append(keys, fmt.Sprintf("%s %s %v", w.Route, w.Key, w.Robots))
			return ctx
		}
		g.opt.Workers = 1
		sum := g.run(t.Context(), "plaza.example/u/ana")
		equal(t, "outcome", sum.Targets[0].Outcome, post.OK)
		equal(t, "marks", keys, []string{"json  true", "feed  true", "api plaza false"})
	})
	t.Run("no usable route needs a key", func(t *testing.T) {
		g := newRig(t, nil)
		g.opt.Routes = map[string][]string{"plaza": {"api"}}
		sum := g.run(t.Context(), "plaza.example/u/ana")
		equal(t, "outcome", sum.Targets[0].Outcome, post.NeedsKey)
		equal(t, "asked", len(g.asked()), 0)
	})
	t.Run("what a short link names is asked by the best route", func(t *testing.T) {
		g := newRig(t, map[string]http.Handler{"/s/x1": http.RedirectHandler("https://plaza.example/u/ana", http.StatusMovedPermanently), "/api/u/ana": fine, "/feed/ana": fine})
		sum := g.run(t.Context(), "plaza.example/s/x1")
		equal(t, "outcome", sum.Targets[0].Outcome, post.OK)
		equal(t, "asked", g.asked(), []string{"/s/x1", "/api/u/ana"})
	})
	t.Run("a step by an opt-in route that nobody named is left out", func(t *testing.T) {
		g := newRig(t, map[string]http.Handler{"/api/u/ana": crawlertest.JSON(page("", "deep-step")), "/deep/api/u/ana": fine})
		sum := g.run(t.Context(), "plaza.example/u/ana")
		equal(t, "outcome", sum.Targets[0].Outcome, post.OK)
		equal(t, "asked", g.asked(), []string{"/api/u/ana"})
	})
	t.Run("opt-in when named", func(t *testing.T) {
		g := newRig(t, map[string]http.Handler{"/deep/api/u/ana": fine})
		g.opt.Routes = map[string][]string{"plaza": {"deep"}}
		equal(t, "outcome", g.run(t.Context(), "plaza.example/u/ana").Targets[0].Outcome, post.OK)
	})
}

// denied is an error of the layers below, with the outcome they know.
type denied struct{}

func (denied) Error() string         { return "robots.txt forbids it" }
func (denied) Outcome() post.Outcome { return post.RobotsDenied }

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestTransportErrors(t *testing.T) {
	g := newRig(t, nil)
	g.opt.Transport = failing{denied{}}
	sum := g.run(t.Context(), "plaza.example/u/ana")
	equal(t, "outcome", sum.Targets[0].Outcome, post.RobotsDenied)
	equal(t, "routes", len(sum.Targets[0].Routes), 2)
	equal(t, "saved", len(g.saved), 2)

	g = newRig(t, nil)
	g.opt.Transport = failing{errors.New("wait")}
	g.opt.ErrorFacts = func(error) (post.Outcome, time.Time, bool) { return post.RateLimited, g.now.Add(3 * time.Hour), true }
	sum = g.run(t.Context(), "plaza.example/u/ana")
	equal(t, "left", sum.Left, 1)
	equal(t, "continue", sum.Continue, g.now.Add(3*time.Hour))
	equal(t, "saved", len(g.saved), 0) // nothing was asked

	g = newRig(t, map[string]http.Handler{"/api/u/ana": crawlertest.JSON(page("", "1"))})
	g.rec.fail = func(*http.Request) error { return errors.New("disk full") }
	sum, err := g.tryRun(t.Context(), "plaza.example/u/ana")
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("an exchange that was not recorded ends the run with %v", err)
	}
	equal(t, "saved", len(g.saved), 0)
	equal(t, "left", sum.Left, 1)

	g = newRig(t, map[string]http.Handler{"/api/u/ana": crawlertest.JSON(page("", "1"))})
	save := g.opt.Save
	g.opt.Save = func(context.Context, crawlers.Fetched) error { return errors.New("bucket is gone") }
	sum, err = g.tryRun(t.Context(), "plaza.example/u/ana")
	if err == nil || !strings.Contains(err.Error(), "save http://plaza.example/api/u/ana: bucket is gone") {
		t.Errorf("an exchange that was not saved ends the run with %v", err)
	}
	g.opt.Save = save
	sum = g.run(t.Context(), "plaza.example/u/ana")
	if !sum.Resumed || sum.Targets[0].Outcome != post.OK {
		t.Errorf("the run does not go on: %+v", sum)
	}
}

// The URL goes out byte for byte, though colly rewrites it.
func TestExactURL(t *testing.T) {
	g := newRig(t, map[string]http.Handler{"/media/a/../it's|^.jpg": crawlertest.Content("image/gif", "GIF89a\x03\x00\x04\x00\x00\x00\x00"),
		"/api/u/it's": crawlertest.JSON(`{"posts":[],"media":["http://plaza.example/media/a/../it's|^.jpg?sig=%7e+a'{"]}`)})
	g.opt.Media = true
	g.run(t.Context(), "https://plaza.example/u/it's")
	// The path collector's own request, as it wrote it.
	equal(t, "asked", g.asked(), []string{"/api/u/it%27s", "/media/a/../it's|^.jpg?sig=%7e+a'{"})
	equal(t, "pixels", fmt.Sprint(g.assets[0].Facts.Width, g.assets[0].Facts.Height), "3 4")
	for _, h := range g.server.Hits() {
		if strings.Contains(h.Header.Get("User-Agent"), "colly") || h.Header.Get("Cookie") != "" {
			t.Errorf("header %v", h.Header)
		}
	}
}

func TestAssetsCommentsHydrate(t *testing.T) {
	handlers := map[string]http.Handler{
		"/api/u/ana":      crawlertest.JSON(`{"posts":[{"id":"1","text":"a"}],"hydrate":["1"],"media":["http://img.plaza.example/a.gif","http://img.plaza.example/a.gif","http://img.plaza.example/gone.gif","http://img.plaza.example/moved.gif","data:image/gif,x"]}`),
		"/api/hydrate/1":  crawlertest.JSON(page("", "1")),
		"/api/comments/1": crawlertest.JSON(page("", "c1", "c2")),
		"/a.gif":          crawlertest.Content("image/gif", "GIF89a\x01\x00\x02\x00\x00\x00\x00"),
		"/moved.gif":      crawlertest.Redirect(302, "/a.gif"),
	}
	g := newRig(t, handlers)
	sum := g.run(t.Context(), "plaza.example/u/ana")
	equal(t, "without comments and media", sum.Stats.Requests, 2)

	g = newRig(t, handlers)
	g.opt.Comments, g.opt.Media = true, true
	sum = g.run(t.Context(), "plaza.example/u/ana")
	equal(t, "comments", sum.Targets[0].Comments, 2)
	outcomes := map[string]post.Outcome{}
	for _, a := range g.assets {
		outcomes[a.Exchange.URL+" "+a.Asset.URL[len("http://img.plaza.example"):]] = a.Outcome
	}
	equal(t, "assets", outcomes, map[string]post.Outcome{
		"http://img.plaza.example/a.gif /a.gif": post.OK, "http://img.plaza.example/gone.gif /gone.gif": post.NotFound,
		"http://img.plaza.example/moved.gif /moved.gif": post.OK, "http://img.plaza.example/a.gif /moved.gif": post.OK})
	equal(t, "the target's outcome", sum.Targets[0].Outcome, post.OK)
}

// Ctrl-C: what is on the wire is finished and saved, the rest waits in the
// frontier, and the same command goes on.
func TestInterruptAndResume(t *testing.T) {
	for name, front := range map[string]crawlers.Frontier{"memory": frontier.Memory(), "disk": frontier.Dir(t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			handlers := map[string]http.Handler{}
			var seeds []string
			for i := range 40 {
				name := fmt.Sprintf("a%d", i)
				seeds = append(seeds, "https://plaza.example/u/"+name)
				body := crawlertest.JSON(page("", name))
				handlers["/api/u/"+name] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if i == 13 {
						cancel()
					}
					body.ServeHTTP(w, r)
				})
			}
			g := newRig(t, handlers)
			g.opt.Frontier = front
			sum := g.run(ctx, seeds...)
			if !sum.Interrupted || sum.Left == 0 || sum.Left == 40 {
				t.Fatalf("interrupted %v, %d left", sum.Interrupted, sum.Left)
			}
			equal(t, "saved and left", len(g.saved)+sum.Left, 40)
			sum = g.run(t.Context(), seeds...)
			if !sum.Resumed || sum.Left != 0 {
				t.Errorf("resumed %v, %d left", sum.Resumed, sum.Left)
			}
			equal(t, "asked in all", len(g.asked()), 40)
			equal(t, "done in all", sum.Stats.Done, 40)
			for _, s := range sum.Targets {
				if s.Outcome != post.OK || s.Posts != 1 {
					t.Errorf("%s: %s, %d posts", s.Seed, s.Outcome, s.Posts)
				}
			}
		})
	}
}

// A body that does not end is cut after the grace, recorded as cut, and asked
// again when the run goes on.
func TestInterruptCutsAfterGrace(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	arrived := make(chan struct{})
	slow := crawlertest.SlowBody(page("", "1"), release)
	g := newRig(t, map[string]http.Handler{"/api/u/ana": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		slow.ServeHTTP(w, r)
	})})
	g.opt.Grace = 20 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	sum := g.run(ctx, "plaza.example/u/ana")
	if !sum.Interrupted || sum.Left != 1 {
		t.Errorf("interrupted %v, %d left", sum.Interrupted, sum.Left)
	}
	for _, f := range g.saved {
		if f.Page.Outcome != post.CutBody || !f.Exchange.Truncated {
			t.Errorf("saved %s, truncated %v", f.Page.Outcome, f.Exchange.Truncated)
		}
	}
}

func TestPlan(t *testing.T) {
	g := newRig(t, nil)
	g.opt.MaxPosts = 5
	d, err := crawlers.NewDriver(g.opt)
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := crawlers.ParseSeed("plaza.example/u/ana")
	other, _ := crawlers.ParseSeed("other.example")
	plan := d.Plan([]crawlers.Seed{seed, other})
	p := plan[0]
	equal(t, "plan", fmt.Sprint(p.Platform, p.Route, p.Requests[0].URL, p.Pages, p.Time), "plazajsonhttp://plaza.example/api/u/ana3 3s")
	equal(t, "unknown", plan[1].Outcome, post.UnexpectedType)
	equal(t, "network", len(g.asked()), 0)
}

func TestNewDriver(t *testing.T) {
	g := newRig(t, nil)
	for field, spoil := range map[string]func(*crawlers.Options){
		"Options.Collectors": func(o *crawlers.Options) { o.Collectors = nil },
		"Options.Transport":  func(o *crawlers.Options) { o.Transport = nil },
		"Options.Frontier":   func(o *crawlers.Options) { o.Frontier = nil },
		"Options.Save":       func(o *crawlers.Options) { o.Save = nil },
		"Options.SaveAsset":  func(o *crawlers.Options) { o.Media, o.SaveAsset = true, nil },
		"Options.Workers":    func(o *crawlers.Options) { o.Workers = -1 },
		`no route "x"`:       func(o *crawlers.Options) { o.Routes = map[string][]string{"plaza": {"x"}} },
		`"nowhere"`:          func(o *crawlers.Options) { o.Routes = map[string][]string{"nowhere": nil} },
		"plaza twice":        func(o *crawlers.Options) { o.Collectors = []crawlers.Collector{plaza{}, plaza{}} },
	} {
		o := g.opt
		spoil(&o)
		if _, err := crawlers.NewDriver(o); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error %v does not name %s", err, field)
		}
	}
}
