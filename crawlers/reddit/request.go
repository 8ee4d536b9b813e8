package reddit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

// A state is what Step.State holds.
type state struct {
	After    string   `json:"after,omitempty"`    // full name of the last item of the page before
	Count    int      `json:"count,omitempty"`    // items on the pages before
	Children []string `json:"children,omitempty"` // ids of comments still to ask, without "t1_"
	Comments bool     `json:"comments,omitempty"` // the comments of an account, by feed
	At       string   `json:"at,omitempty"`       // address that a redirect named
	Hops     int      `json:"hops,omitempty"`     // redirects so far
}

func (s state) encode() []byte {
	data, err := json.Marshal(s)
	if err != nil || string(data) == "{}" {
		return nil
	}
	return data
}

func decodeState(data []byte) (state, error) {
	var s state
	if len(data) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return state{}, fmt.Errorf("reddit: state of a step: %w", err)
	}
	for _, id := range s.Children {
		if !isID(id) {
			return state{}, fmt.Errorf("reddit: state of a step: %q is no comment id", id)
		}
	}
	return s, nil
}

// Request says what to ask for to do s.
func (c Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	none := crawlers.Request{}
	if s.Ref.Platform != platform {
		return none, fmt.Errorf("reddit: request: a step of %q, not of reddit", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return none, err
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleComments, crawlers.RoleHydrate, crawlers.RoleResolve, crawlers.RoleRelated:
	default:
		return none, fmt.Errorf("reddit: request %s: there is no role %q", s.Ref.URL, s.Role)
	}
	if st.At != "" {
		return c.follow(s, st)
	}
	switch s.Route {
	case routeAPI:
		return apiRequest(s, st)
	case "", routeFeed:
		return feedRequest(s, st)
	}
	return none, fmt.Errorf("reddit: request %s: there is no route %q, only api and feed", s.Ref.URL, s.Route)
}

// follow asks for the address that a redirect named.
func (c Collector) follow(s crawlers.Step, st state) (crawlers.Request, error) {
	u, err := url.Parse(st.At)
	if err == nil && (isSite(strings.ToLower(u.Hostname())) || strings.HasSuffix(strings.ToLower(u.Hostname()), ".redd.it")) {
		if strings.EqualFold(u.Hostname(), "oauth.reddit.com") == (s.Route == routeAPI) {
			req := crawlers.Request{URL: st.At}
			if s.Route == routeAPI {
				req.Key = platform
			}
			return req, nil
		}
	}
	return crawlers.Request{}, fmt.Errorf("reddit: request %s: state names %q, which is no address of route %q", s.Ref.URL, st.At, s.Route)
}

func apiRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	r := s.Ref
	if len(st.Children) > 0 {
		if r.Kind != crawlers.RefPost {
			return crawlers.Request{}, fmt.Errorf("reddit: request %s: comment ids belong to a post", r.URL)
		}
		form := url.Values{"api_type": {"json"}, "link_id": {r.ID}, "children": {strings.Join(st.Children, ",")}, "sort": {"confidence"}}
		return crawlers.Request{
			Method: "POST", URL: oauth + "/api/morechildren?raw_json=1", Key: platform,
			Header: crawlers.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			Body:   []byte(form.Encode()),
		}, nil
	}
	q := url.Values{"raw_json": {"1"}}
	path := ""
	listing := func(p string) {
		path = p
		q.Set("limit", strconv.Itoa(pageSize))
		if st.After != "" {
			q.Set("after", st.After)
			q.Set("count", strconv.Itoa(st.Count))
		}
	}
	thread := func(p string) {
		path = p
		q.Set("limit", "2048")
		q.Set("sort", "confidence")
	}
	switch r.Kind {
	case crawlers.RefPost:
		if s.Role == crawlers.RoleRelated {
			listing("/duplicates/" + bare(r.ID))
		} else {
			thread("/comments/" + bare(r.ID))
		}
	case crawlers.RefComment:
		if r.Of == "" {
			path = "/api/info"
			q.Set("id", r.ID)
			break
		}
		thread("/comments/" + bare(r.Of) + "/_/" + bare(r.ID))
		if s.Role != crawlers.RoleComments {
			q.Set("context", "8")
		}
	case crawlers.RefGroup:
		if s.Role == crawlers.RoleHydrate {
			path = "/r/" + r.ID + "/about"
		} else {
			listing("/r/" + r.ID + "/new")
		}
	case crawlers.RefAccount:
		if s.Role == crawlers.RoleHydrate {
			path = "/user/" + r.ID + "/about"
		} else {
			listing("/user/" + r.ID + "/overview")
			q.Set("sort", "new")
		}
	case crawlers.RefBoard:
		listing("/user/" + r.Of + "/m/" + r.ID + "/new")
	case crawlers.RefSite:
		listing("/new")
	case crawlers.RefDomain:
		listing("/domain/" + url.PathEscape(r.ID) + "/new")
	case crawlers.RefSearch:
		search, err := searchQuery(r)
		if err != nil {
			return crawlers.Request{}, err
		}
		listing(searchPath(r))
		for k, v := range search {
			q[k] = v
		}
	case crawlers.RefDiscussion:
		if strings.HasPrefix(r.ID, "t3_") {
			listing("/duplicates/" + bare(r.ID))
		} else {
			listing("/api/info")
			q.Set("url", r.ID)
		}
	case crawlers.RefMedia:
		listing("/api/info")
		q.Set("url", r.URL)
	default:
		return crawlers.Request{}, fmt.Errorf("reddit: request %s: the api route has nothing for a %s; use route feed", r.URL, r.Kind)
	}
	return crawlers.Request{URL: oauth + escapePath(path) + "?" + q.Encode(), Key: platform}, nil
}

func feedRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	r := s.Ref
	if len(st.Children) > 0 || s.Role == crawlers.RoleHydrate && (r.Kind == crawlers.RefGroup || r.Kind == crawlers.RefAccount) {
		return crawlers.Request{}, fmt.Errorf("reddit: request %s: this step needs route api and keys.reddit", r.URL)
	}
	q := url.Values{"limit": {strconv.Itoa(pageSize)}}
	if st.After != "" {
		q.Set("after", st.After)
	}
	path := ""
	switch r.Kind {
	case crawlers.RefShort:
		return crawlers.Request{URL: r.URL}, nil
	case crawlers.RefPost:
		path = "/comments/" + bare(r.ID) + "/.rss"
		if s.Role == crawlers.RoleRelated {
			path = "/duplicates/" + bare(r.ID) + "/.rss"
		}
	case crawlers.RefComment:
		if r.Of == "" {
			return crawlers.Request{}, fmt.Errorf("reddit: request %s: a comment without its post needs route api and keys.reddit", r.ID)
		}
		path = "/comments/" + bare(r.Of) + "/_/" + bare(r.ID) + "/.rss"
	case crawlers.RefGroup:
		path = "/r/" + r.ID + "/new/.rss"
	case crawlers.RefAccount:
		path = "/user/" + r.ID + "/submitted/.rss"
		if st.Comments {
			path = "/user/" + r.ID + "/comments/.rss"
		}
	case crawlers.RefBoard:
		path = "/user/" + r.Of + "/m/" + r.ID + "/new/.rss"
	case crawlers.RefSite:
		path = "/new/.rss"
	case crawlers.RefDomain:
		path = "/domain/" + url.PathEscape(r.ID) + "/new/.rss"
	case crawlers.RefSearch:
		search, err := searchQuery(r)
		if err != nil {
			return crawlers.Request{}, err
		}
		path = strings.TrimSuffix(searchPath(r), "/") + ".rss"
		for k, v := range search {
			q[k] = v
		}
	case crawlers.RefDiscussion:
		if strings.HasPrefix(r.ID, "t3_") {
			path = "/duplicates/" + bare(r.ID) + "/.rss"
			break
		}
		path = "/search.rss"
		q.Set("q", "url:"+r.ID)
		q.Set("sort", "new")
	case crawlers.RefMedia:
		if strings.HasPrefix(r.ID, "v/") {
			return crawlers.Request{URL: r.URL}, nil
		}
		path = "/search.rss"
		q.Set("q", "url:"+r.ID)
		q.Set("sort", "new")
	default:
		return crawlers.Request{}, fmt.Errorf("reddit: request %s: the feed route has nothing for a %s", r.URL, r.Kind)
	}
	return crawlers.Request{URL: web + escapePath(path) + "?" + q.Encode()}, nil
}

// searchQuery gives the parameters of a search, the newest first unless the
// seed asked for another order.
func searchQuery(r crawlers.Ref) (url.Values, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Query().Get("q") == "" {
		return nil, fmt.Errorf("reddit: request %q: a search without words", r.URL)
	}
	q := url.Values{"sort": {"new"}}
	for _, k := range []string{"q", "sort", "t", "type", "restrict_sr"} {
		if v := u.Query().Get(k); v != "" {
			q.Set(k, v)
		}
	}
	return q, nil
}

func searchPath(r crawlers.Ref) string {
	if r.Of != "" {
		return "/r/" + r.Of + "/search"
	}
	return "/search"
}

// escapePath keeps a name from ending the path.
func escapePath(p string) string {
	return strings.NewReplacer("?", "%3F", "#", "%23", " ", "%20").Replace(p)
}

// bare is a full name without its type: "abc" of "t3_abc".
func bare(name string) string {
	if len(name) > 3 && name[0] == 't' && name[2] == '_' {
		return name[3:]
	}
	return name
}
