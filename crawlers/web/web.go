package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/urlform"
)

// Platform is this collector's registry name.
const Platform = "web"

// routePage is the only route.
const routePage = "page"

// MaxDepth is the most clicks that Options.Depth may ask for.
const MaxDepth = 100

// maxHops is how many redirects in a row are followed; more are a loop.
const maxHops = 10

// Collector reads web pages. Its zero value is ready to use.
type Collector struct{}

var (
	_ crawlers.Collector = Collector{}
	_ crawlers.Merger    = Collector{}
	_ crawlers.Addresser = Collector{}
)

// Options say what to do beyond reading the page itself. They travel in
// Step.State; the zero Options are an empty State.
type Options struct {
	Depth int  `json:"depth,omitempty"` // follow links of the same site, and next pages, so many clicks deep; 0 is the page alone
	Links bool `json:"links,omitempty"` // look for links only: of the page itself no more than its title is read
	Feeds bool `json:"feeds,omitempty"` // also fetch the feeds that the page names
	Hops  int  `json:"hops,omitempty"`  // redirects that led here, counted by Read
}

// State is o as Step.State.
func (o Options) State() []byte {
	if o == (Options{}) {
		return nil
	}
	data, err := json.Marshal(o)
	if err != nil { // a struct of ints and bools
		panic(err)
	}
	return data
}

// WithDepth is the State of a step that follows links of the same site n clicks deep.
func WithDepth(n int) []byte { return Options{Depth: n}.State() }

var errState = errors.New(`State is not web options like {"depth":1}`)

func options(state []byte) (Options, error) {
	if len(state) == 0 {
		return Options{}, nil
	}
	o, ok := quickOptions(state)
	if !ok {
		o = Options{}
		d := json.NewDecoder(bytes.NewReader(state))
		d.DisallowUnknownFields()
		if err := d.Decode(&o); err != nil || d.More() {
			return Options{}, fmt.Errorf("%w: %.40q", errState, state)
		}
	}
	if o.Depth < 0 || o.Depth > MaxDepth || o.Hops < 0 || o.Hops > maxHops {
		return Options{}, fmt.Errorf("%w: depth reaches from 0 to %d: %.40q", errState, MaxDepth, state)
	}
	return o, nil
}

// quickOptions reads what State writes; it gives false for anything else. Each
// link of each page has a State, and encoding/json takes a kilobyte for one.
func quickOptions(state []byte) (o Options, ok bool) {
	s := string(state)
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
		return o, false
	}
	for member := range strings.SplitSeq(s[1:len(s)-1], ",") {
		name, value, _ := strings.Cut(member, ":")
		switch {
		case name == `"links"` && value == "true":
			o.Links = true
		case name == `"feeds"` && value == "true":
			o.Feeds = true
		case name == `"depth"` && plainNumber(value):
			o.Depth, _ = strconv.Atoi(value)
		case name == `"hops"` && plainNumber(value):
			o.Hops, _ = strconv.Atoi(value)
		default:
			return o, false
		}
	}
	return o, true
}

// plainNumber reports whether s is a number from 1 to 999, as JSON has it.
func plainNumber(s string) bool {
	return len(s) >= 1 && len(s) <= 3 && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

// About is the data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: Platform,
		Title:    "Web pages",
		Reader:   2, // 2: analytics and ad ids among the tags
		Collects: "any page: title, main text, author, times, pictures, links",
		Seeds:    []string{"https://example.org/news/article.html", "http://example.org"},
		Routes: []crawlers.Route{{
			Name: routePage, Kinds: []crawlers.RefKind{crawlers.RefPage}, Gives: "the page as its server sends it",
			Every: 2 * time.Second, PageSize: 1, Robots: true,
		}},
		Hosts: []string{"*"},
		Limits: []string{
			"what only scripts draw is not seen: such a page is ok_meta_only, with the words of its head",
			"comments under an article are not part of its text",
			"several authors of one page become one account with all their names",
		},
		Checked: "2026-11-23",
	}
}

// Match takes every http(s) address.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	canonical, ok := urlform.Canonical(u)
	if !ok {
		return crawlers.Ref{}, false
	}
	return refTo(canonical), true
}

func refTo(canonical string) crawlers.Ref {
	return crawlers.Ref{Platform: Platform, Kind: crawlers.RefPage, ID: canonical, URL: canonical}
}

// Identify takes every exchange with an http(s) address that is a GET or of
// unknown method. It stands last in the list of collectors.
func (Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	if ex.Method != "" && ex.Method != "GET" {
		return crawlers.Ref{}, false
	}
	canonical, ok := urlform.CanonicalString(ex.URL)
	if !ok {
		return crawlers.Ref{}, false
	}
	return refTo(canonical), true
}

// Request asks for the page.
func (c Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	canonical, err := c.Address(s)
	if err != nil {
		return crawlers.Request{}, err
	}
	return crawlers.Request{URL: canonical, Header: crawlers.Header{
		"Accept":          {"text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"},
		"Accept-Language": {"en,*;q=0.5"},
	}}, nil
}

// Address implements crawlers.Addresser.
func (Collector) Address(s crawlers.Step) (string, error) {
	if err := check(s); err != nil {
		return "", err
	}
	if _, err := options(s.State); err != nil {
		return "", err
	}
	canonical, ok := urlform.CanonicalString(s.Ref.URL)
	if !ok {
		return "", fmt.Errorf("web: ask for %q: not an http(s) address", s.Ref.URL)
	}
	return canonical, nil
}

// Same is equal for all steps to one page: however it was found, it is fetched once.
func (Collector) Same(s crawlers.Step) string {
	if s.Role == "" {
		s.Role = crawlers.RolePage
	}
	return s.Ref.Key() + "|" + string(s.Role)
}

func check(s crawlers.Step) error {
	if s.Ref.Platform != Platform {
		return fmt.Errorf("web: step of platform %q, not %q", s.Ref.Platform, Platform)
	}
	if s.Ref.Kind != crawlers.RefPage {
		return fmt.Errorf("web: step of kind %q: pages only", s.Ref.Kind)
	}
	if s.Route != "" && s.Route != routePage {
		return fmt.Errorf("web: no route %q, only %q", s.Route, routePage)
	}
	return nil
}
