package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/urlform"
)

// Platform is this collector's registry name.
const Platform = "feed"

const routeFeed = "feed"

// Bounds of a State.
const (
	maxPages = 10_000
	maxHops  = 10 // redirects in a row
)

// Collector reads feeds. Its zero value is ready to use.
type Collector struct{}

var _ crawlers.Collector = Collector{}

// state is what a step beyond the feed's own address carries.
type state struct {
	URL  string `json:"url,omitempty"`  // of the page to ask instead of Ref.URL
	Page int    `json:"page,omitempty"` // its number, from 2
	Hops int    `json:"hops,omitempty"` // redirects that led here
	Last string `json:"last,omitempty"` // digest of the items of the page before: one that repeats them ends the list
}

func (s state) encode() []byte {
	if s == (state{}) {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil { // strings and ints
		panic(err)
	}
	return data
}

var errState = errors.New("the step's state is not one of a feed's pages")

func stateOf(data []byte) (state, error) {
	var s state
	if len(data) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil || d.More() {
		return state{}, fmt.Errorf("%w: %.40q", errState, data)
	}
	if s.Page < 0 || s.Page > maxPages || s.Hops < 0 || s.Hops > maxHops {
		return state{}, fmt.Errorf("%w: %.40q", errState, data)
	}
	if s.URL != "" {
		if canonical, ok := urlform.CanonicalString(s.URL); !ok || canonical != s.URL {
			return state{}, fmt.Errorf("%w: no web address: %.40q", errState, s.URL)
		}
	}
	return s, nil
}

// About is the data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: Platform,
		Title:    "RSS, Atom and JSON feeds",
		Reader:   1,
		Collects: "items of any feed: title, text, author, times, media, tags, comment counts",
		Seeds:    []string{"https://example.org/feed/", "https://example.org/atom.xml", "https://example.org/?feed=rss2", "https://example.org/feed.json"},
		Routes: []crawlers.Route{{
			Name: routeFeed, Kinds: []crawlers.RefKind{crawlers.RefFeed}, Gives: "the items that the feed serves, and further pages where it names them",
			Every: 2 * time.Second, Robots: true,
		}},
		Hosts: []string{"*"},
		Limits: []string{
			"most feeds serve only their newest items; older pages are reached where the feed names them, and on WordPress",
			"a summary feed carries no full text: the item's page does",
		},
		Checked: "2026-11-23",
	}
}

// Match takes addresses that look like a feed's.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	canonical, ok := urlform.Canonical(u)
	if !ok || !looksLikeFeed(u) {
		return crawlers.Ref{}, false
	}
	return RefTo(canonical), true
}

// RefTo is the Ref of a feed at a canonical address.
func RefTo(canonical string) crawlers.Ref {
	return crawlers.Ref{Platform: Platform, Kind: crawlers.RefFeed, ID: canonical, URL: canonical}
}

// looksLikeFeed knows the addresses that feeds usually have.
func looksLikeFeed(u *url.URL) bool {
	query := u.Query()
	for _, name := range []string{"feed", "format", "alt", "type", "output"} {
		switch strings.ToLower(query.Get(name)) {
		case "rss", "rss2", "atom", "rdf", "rss_200", "rss_100", "jsonfeed":
			return true
		case "feed", "comments-rss2", "comments-atom":
			return name != "type"
		}
	}
	p := strings.ToLower(strings.TrimRight(u.Path, "/"))
	segments := strings.Split(p, "/")
	last := segments[len(segments)-1]
	switch last {
	case "feed", "rss", "rss2", "atom", "rdf", "feed.json", "rss.php", "feed.php", "rss.aspx", "feeds":
		return true
	}
	switch path.Ext(last) {
	case ".rss", ".atom", ".rdf":
		return true
	case ".xml":
		return !strings.Contains(last, "sitemap") && last != "opensearch.xml" && last != "browserconfig.xml" && last != "crossdomain.xml" && last != "opml.xml"
	}
	if len(segments) >= 2 {
		switch segments[len(segments)-2] { // /feed/atom, /rss/news, /feeds/all
		case "feed", "rss", "atom", "feeds":
			return path.Ext(last) == "" || path.Ext(last) == ".json"
		}
	}
	return strings.Contains(p, "/feeds/posts/") || strings.Contains(p, "/feeds/comments/") // Blogger on a domain of its own
}

// Identify takes exchanges whose body is a feed, and others at an address that
// looks like one, unless that served a page.
func (Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	if ex.Method != "" && ex.Method != "GET" {
		return crawlers.Ref{}, false
	}
	u, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Ref{}, false
	}
	canonical, ok := urlform.Canonical(u)
	if !ok {
		return crawlers.Ref{}, false
	}
	if formatOf(ex) != formatNone || looksLikeFeed(u) && (ex.Status >= 300 || !crawlers.LooksHTML(ex)) {
		return RefTo(canonical), true
	}
	return crawlers.Ref{}, false
}

// Request asks for the feed, or for one of its further pages.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	if err := check(s); err != nil {
		return crawlers.Request{}, err
	}
	st, err := stateOf(s.State)
	if err != nil {
		return crawlers.Request{}, err
	}
	address := st.URL
	if address == "" {
		canonical, ok := urlform.CanonicalString(s.Ref.URL)
		if !ok {
			return crawlers.Request{}, fmt.Errorf("feed: ask for %q: not an http(s) address", s.Ref.URL)
		}
		address = canonical
	}
	return crawlers.Request{URL: address, Header: crawlers.Header{
		"Accept": {"application/rss+xml,application/atom+xml,application/feed+json,application/rdf+xml;q=0.9,application/xml;q=0.8,text/xml;q=0.8,*/*;q=0.5"},
	}}, nil
}

func check(s crawlers.Step) error {
	if s.Ref.Platform != Platform {
		return fmt.Errorf("feed: step of platform %q, not %q", s.Ref.Platform, Platform)
	}
	if s.Ref.Kind != crawlers.RefFeed {
		return fmt.Errorf("feed: step of kind %q: feeds only", s.Ref.Kind)
	}
	if s.Route != "" && s.Route != routeFeed {
		return fmt.Errorf("feed: no route %q, only %q", s.Route, routeFeed)
	}
	return nil
}
