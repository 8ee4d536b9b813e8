// Package crawlers holds what all platforms share: the Collector that knows one
// platform, the words it speaks (Ref, Step, Request, Exchange, Page), and the
// Driver that runs collectors over a durable Frontier.
//
// Collectors are pure. One method says what to ask for, another reads what came
// back; neither does I/O, keeps state or reads a clock. Pace, robots.txt,
// retries, keys and recording are layers of the client's transport (packages
// crawlers/polite and archive/capture), so no collector can forget them, and a
// collector reads an archive made years ago, by another tool, as it reads a
// fresh answer.
package crawlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// A Collector knows one platform. Its methods are pure and safe for concurrent
// use: the same input gives the same output, on any day and any machine.
// crawlertest.Run is the contract as a test.
type Collector interface {
	// About is the platform's data sheet: routes, keys, pace, limits.
	About() About

	// Match reports what u names on this platform, as far as the URL alone
	// tells. A handle, short link or custom domain gives a Ref with Alias set;
	// its native id comes with the first exchange that shows it
	// (Page.Identities). All aliases of one target that can be told from the
	// URL give the same Ref.Key and the same Ref.URL.
	Match(u *url.URL) (Ref, bool)

	// Identify reports whom an exchange is about, for archives that other
	// tools made, custom domains and POST bodies. It looks at the URL first
	// and at the content where the URL does not tell. It refuses exchanges of
	// other platforms.
	Identify(ex Exchange) (Ref, bool)

	// Request says what to ask for to do s. The key it wants, if any, is
	// named, not held. It gives an error for a step that is not this
	// collector's or whose State it did not write.
	Request(s Step) (Request, error)

	// Read turns one exchange into posts and further steps. An answer that is
	// a wall or a tombstone is not an error: it is a Page with that Outcome.
	// The error is for a step or exchange that is not this collector's. Read
	// never guesses a missing field, and asserts that the answer is about what
	// was asked for. Posts may overlap between pages. A Step with only a Ref
	// (from Identify) must do for every kind of exchange of the platform:
	// which route it was is told from the exchange.
	Read(s Step, ex Exchange) (Page, error)
}

// RefKind says what a Ref names.
type RefKind string

// The kinds of Refs.
const (
	RefAccount    RefKind = "account" // account, channel, blog, journal, user
	RefPost       RefKind = "post"    // any single item: post, video, pin, story
	RefComment    RefKind = "comment"
	RefGroup      RefKind = "group" // subreddit, community, publication, space
	RefBoard      RefKind = "board" // board, playlist, album, collection
	RefTag        RefKind = "tag"   // hashtag, label, topic; of the platform, or of the account in Ref.Of
	RefSearch     RefKind = "search"
	RefDomain     RefKind = "domain" // all posts that link to one host
	RefFeed       RefKind = "feed"
	RefPage       RefKind = "page" // a web page
	RefMedia      RefKind = "media"
	RefShort      RefKind = "short"      // short or share link: a resolve step says what it names
	RefQuestion   RefKind = "question"   // a question with its answers
	RefSite       RefKind = "site"       // the platform as a whole: front page
	RefDiscussion RefKind = "discussion" // other submissions of one link
)

// A Ref is what a URL names on a platform.
type Ref struct {
	Platform string  `json:"platform"`
	Kind     RefKind `json:"kind"`
	ID       string  `json:"id"`              // native id, or the alias that the URL shows, normalised (handles lower-cased where the platform ignores case)
	Alias    bool    `json:"alias,omitempty"` // ID is a handle, slug, short code or custom domain, not the native id
	Of       string  `json:"of,omitempty"`    // account, group or host that the item belongs to, where it is part of the address ("B" of a Tumblr post)
	URL      string  `json:"url"`             // canonical
}

// Key names a Ref within all platforms: equal for all aliases that the URL
// alone tells to be the same.
func (r Ref) Key() string {
	key := r.Platform + ":" + string(r.Kind) + ":" + r.ID
	if r.Of != "" && r.Kind != RefPost && r.Kind != RefComment {
		key += "@" + r.Of
	}
	return key
}

// Role says why a step is fetched.
type Role string

// The roles of steps.
const (
	RolePage     Role = "page"     // a page of the seed's own posts; also the first step of every seed
	RoleComments Role = "comments" // comments and replies; done with --comments
	RoleHydrate  Role = "hydrate"  // one item whole that a listing showed in part
	RoleResolve  Role = "resolve"  // a short link or alias: its answer is a redirect or an id
	RoleRelated  Role = "related"  // other submissions of the same thing: crossposts, duplicates
	RoleAsset    Role = "asset"    // picture, video, sound; done with --media, never given to Read
)

// A Step is one thing to fetch and why. It is a plain value: a crawl can be
// stopped, stored and resumed between any two steps.
type Step struct {
	Ref   Ref    `json:"ref"`
	Route string `json:"route,omitempty"` // name of one of About().Routes; empty is the collector's first route without a key
	Role  Role   `json:"role,omitempty"`  // empty is RolePage
	State []byte `json:"state,omitempty"` // the collector's own: offset, continuation, ids still to ask; deterministic, as it is part of Key
}

// Key is equal for steps that ask for the same thing by the same route.
func (s Step) Key() string {
	role := s.Role
	if role == "" {
		role = RolePage
	}
	return s.Ref.Key() + "|" + s.Route + "|" + string(role) + "|" + string(s.State)
}

// Header is a set of HTTP fields. Get is indifferent to case.
type Header = http.Header

// A Request is what to ask for: a plain value.
type Request struct {
	Method string // empty is GET
	URL    string
	Header Header // beyond User-Agent, Accept-Encoding and what the key adds
	Body   []byte
	Key    string // name of the key in About().Keys that must be added; empty is none
}

// An Exchange is one request and its response, decoded for reading. The bytes
// as they were on the wire are in the archive at Capture.
type Exchange struct {
	Method      string // empty is GET
	URL         string // that was asked; redirects are not followed inside an exchange
	RequestBody []byte

	Status    int    // 0 if unknown (a saved file)
	Header    Header // of the response; nil if unknown
	Body      []byte // transfer and content coding removed, charset as served
	Truncated bool   // Body is cut: by the peer, or by our limit

	FetchedAt time.Time    // UTC, when the last byte arrived; zero if unknown
	Capture   post.Capture // where the record is
}

// A Page is what an exchange says.
type Page struct {
	Outcome    post.Outcome // of the whole answer; empty is post.OK
	Reason     string       // the platform's own words that Outcome rests on, where it is not ok
	Posts      []post.Post
	Identities []Identity
	Coverage   Coverage
	Next       []Step // in order of use; a retry by another route is the driver's, not listed here
	Assets     []Asset
	Wait       time.Duration // the answer asks to wait this long before the next request to its host; 0 if it does not say
}

// An Identity says that two names are one target, as an exchange shows it.
type Identity struct {
	Kind  RefKind `json:"kind"`
	Alias string  `json:"alias"` // handle, slug, short code, custom domain, other id space
	ID    string  `json:"id"`    // native id
	URL   string  `json:"url,omitempty"`
}

// Coverage says how much of a listing was served.
type Coverage struct {
	Served int       `json:"served"`           // items on this page
	Total  int64     `json:"total,omitempty"`  // as the platform says; meaningful if Known
	Known  bool      `json:"known,omitempty"`  // the platform states a total
	Oldest time.Time `json:"oldest,omitzero"`  // time of the oldest item on this page
	End    string    `json:"end,omitempty"`    // why there is no next page: "end of list", "the feed serves 25 items", …; empty if there is one
	Window bool      `json:"window,omitempty"` // the route serves only the newest items, older ones may exist
}

// An Asset is a file that a post shows, to be fetched with --media.
type Asset struct {
	URL  string `json:"url"`
	Kind string `json:"kind"` // as post.Media.Kind
	Post string `json:"post,omitempty"`
}

// About is a platform's data sheet. `refrain platforms` and the table in the
// README are made from it.
type About struct {
	Platform string   // registry name
	Title    string   // as people write it: "LiveJournal"
	Reader   int      // version of Read: raised when it reads the same bytes differently
	Collects string   // one line: what is collected
	Seeds    []string // examples of seed URLs, one per form
	Routes   []Route  // in order of preference among those whose key is there
	Keys     []Key
	Hosts    []string // hosts that requests go to; "*.example.com" covers subdomains
	Limits   []string // known limits, for the user
	Checked  string   // day of the last check of these facts against documents, "2026-11-23"
}

// A Route is one way to ask a platform.
type Route struct {
	Name     string        // "feed", "html", "api"
	Key      string        // name of the key it needs; empty is none
	Kinds    []RefKind     // what it can start from; empty is everything
	Gives    string        // one line
	Hosts    []string      // hosts of this route, if its pace differs from the platform's other hosts; empty is About.Hosts
	Every    time.Duration // least time between two requests to a host of this route
	PageSize int           // items a full page carries; 0 is unknown
	Cost     string        // what a request costs: "1 unit of 10,000 a day"; empty is nothing
	Units    float64       // units a request uses, for --dry-run
	Robots   bool          // robots.txt binds it (everything fetched without a key)
	OptIn    bool          // used only when the user names it
}

// KeyScheme says how a key is added to a request.
type KeyScheme string

// The key schemes.
const (
	KeyBearer            KeyScheme = "bearer"             // Authorization: Bearer KEY
	KeyHeader            KeyScheme = "header"             // Param: KEY
	KeyQuery             KeyScheme = "query"              // ?Param=KEY, redacted in the record
	KeyClientCredentials KeyScheme = "client_credentials" // OAuth 2: ID and secret are exchanged at TokenURL for a bearer token
)

// A Key describes a credential that the user may have.
type Key struct {
	Name     string // in the configuration: keys.NAME
	Scheme   KeyScheme
	Param    string   // header or query parameter; for KeyClientCredentials the form parameter of the client's id, where the platform takes id and client_secret in the form instead of HTTP Basic
	TokenURL string   // for KeyClientCredentials
	Hosts    []string // the key is sent to these hosts only
	Help     string   // how to get one, one line
}

// Platform is the registry name of c.
func Platform(c Collector) string { return c.About().Platform }

// Read runs c.Read and completes its posts: Platform, FetchedAt, Capture,
// Reader and Outcome where c left them empty. Text that is not valid UTF-8 is
// mended with U+FFFD. Use it instead of calling c.Read.
func Read(c Collector, s Step, ex Exchange) (page Page, err error) {
	about := c.About()
	defer func() {
		if r := recover(); r != nil {
			page, err = Page{}, fmt.Errorf("%s: read %s: the reader failed: %v", about.Platform, ex.URL, r)
		}
	}()
	page, err = c.Read(s, ex)
	if err != nil {
		return Page{}, fmt.Errorf("%s: read %s: %w", about.Platform, ex.URL, err)
	}
	if page.Outcome == "" {
		page.Outcome = post.OK
	}
	reader := fmt.Sprintf("%s/%d", about.Platform, about.Reader)
	for i := range page.Posts {
		p := &page.Posts[i]
		if p.Platform == "" {
			p.Platform = about.Platform
		}
		if p.Account.Platform == "" && !accountEmpty(p.Account) {
			p.Account.Platform = p.Platform
		}
		if p.Outcome == "" {
			p.Outcome = post.OK
		}
		p.FetchedAt, p.Capture, p.Reader = ex.FetchedAt, ex.Capture, reader
		p.Title = strings.ToValidUTF8(p.Title, "\uFFFD")
		p.Text = strings.ToValidUTF8(p.Text, "\uFFFD")
	}
	return page, nil
}

func accountEmpty(a post.Account) bool {
	return a.ID == "" && a.Handle == "" && a.Name == "" && a.URL == ""
}

// An Addresser is a Collector that can tell the URL of a step's request without
// making the request: pages lead to hundreds of steps each, whose URL is all that
// is wanted of most. Address and Request give the same URL, or an error both.
type Addresser interface {
	Address(Step) (string, error)
}

// address gives the URL of the request of a step.
func address(c Collector, s Step) (string, error) {
	if a, ok := c.(Addresser); ok {
		return a.Address(s)
	}
	r, err := c.Request(s)
	return r.URL, err
}
