package vimeo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

const maxHops = 6 // redirects of one step

// state is what a step carries beyond its Ref. Its JSON is the Step.State.
type state struct {
	Path string `json:"path,omitempty"` // api: path and query of the page, as paging.next gives it
	Page int    `json:"page,omitempty"` // simple API: page, from 2
	At   string `json:"at,omitempty"`   // where a redirect led
	Hops int    `json:"hops,omitempty"` // redirects so far
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
		return state{}, fmt.Errorf("vimeo: state of a step %.80q: %w", data, err)
	}
	if s.Path != "" && !apiPath(s.Path) || s.Page < 0 || s.Page > 3 {
		return state{}, fmt.Errorf("vimeo: state of a step %.80q was not written by this collector", data)
	}
	return s, nil
}

// apiPath reports whether p is a path of the API that lists something.
func apiPath(p string) bool {
	u, err := url.Parse(p)
	if err != nil || u.IsAbs() || u.Host != "" || u.Fragment != "" {
		return false
	}
	for _, start := range []string{"/videos", "/users/", "/channels/", "/groups/", "/albums/", "/categories/", "/tags/", "/ondemand/", "/live_events/"} {
		if strings.HasPrefix(u.Path, start) {
			return u.Query().Get("access_token") == ""
		}
	}
	return false
}

// Request says what to ask for to do s.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	none := crawlers.Request{}
	if s.Ref.Platform != platform {
		return none, fmt.Errorf("vimeo: request: a step of %q, not of vimeo", s.Ref.Platform)
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleComments, crawlers.RoleHydrate, crawlers.RoleResolve, crawlers.RoleRelated:
	default:
		return none, fmt.Errorf("vimeo: request %s: there is no role %q", s.Ref.URL, s.Role)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return none, err
	}
	route := s.Route
	if route == "" {
		route = routeHTML
		if s.Ref.Kind == crawlers.RefPost {
			route = routeOEmbed
		}
	}
	if st.At != "" {
		u, err := url.Parse(st.At)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || route == routeAPI || !isPage(u) {
			return none, fmt.Errorf("vimeo: request %s: state names %q, which is no address of route %q", s.Ref.URL, st.At, route)
		}
		u.Fragment, u.User = "", nil
		return crawlers.Request{URL: u.String(), Header: pageHeader()}, nil
	}
	switch route {
	case routeAPI:
		return apiRequest(s, st)
	case routeOEmbed:
		if s.Ref.Kind == crawlers.RefPost {
			return crawlers.Request{URL: site + "/api/oembed.json?" + url.Values{"url": {s.Ref.URL}}.Encode()}, nil
		}
	case routeHTML:
		return crawlers.Request{URL: s.Ref.URL, Header: pageHeader()}, nil
	case routePlayer:
		if s.Ref.Kind == crawlers.RefPost {
			raw := "https://player.vimeo.com/video/" + s.Ref.ID
			if s.Ref.Of != "" {
				raw += "?h=" + s.Ref.Of
			}
			return crawlers.Request{URL: raw, Header: pageHeader()}, nil
		}
	case routeSimple:
		return simpleRequest(s, st)
	case routeFeed:
		switch s.Ref.Kind {
		case crawlers.RefAccount, crawlers.RefGroup, crawlers.RefBoard:
			return crawlers.Request{URL: s.Ref.URL + "/videos/rss"}, nil
		}
	}
	return none, fmt.Errorf("vimeo: request %s: route %q has nothing for a %s", s.Ref.URL, s.Route, s.Ref.Kind)
}

func isPage(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return host == "vimeo.com" || host == "player.vimeo.com"
}

func pageHeader() crawlers.Header {
	return crawlers.Header{"Accept-Language": {"en-US,en;q=0.9"}}
}

const apiBase = "https://api.vimeo.com"

// apiRequest asks the API, in the version that this collector reads.
func apiRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	ask := func(path string) (crawlers.Request, error) {
		return crawlers.Request{URL: apiBase + path, Key: keyName, Header: crawlers.Header{"Accept": {"application/vnd.vimeo.*+json;version=3.4"}}}, nil
	}
	if st.Path != "" {
		return ask(st.Path)
	}
	paged := "?per_page=" + strconv.Itoa(pageSize)
	class, name, _ := strings.Cut(s.Ref.ID, "/")
	switch s.Ref.Kind {
	case crawlers.RefPost:
		id := s.Ref.ID
		if s.Ref.Of != "" {
			id += ":" + s.Ref.Of
		}
		if s.Role == crawlers.RoleComments {
			return ask("/videos/" + id + "/comments" + paged)
		}
		return ask("/videos/" + id)
	case crawlers.RefAccount:
		return ask("/users/" + url.PathEscape(s.Ref.ID))
	case crawlers.RefGroup:
		return ask("/groups/" + url.PathEscape(name) + "/videos" + paged)
	case crawlers.RefBoard:
		switch class {
		case "channels":
			return ask("/channels/" + url.PathEscape(name) + "/videos" + paged)
		case "showcase":
			return ask("/albums/" + url.PathEscape(name) + "/videos" + paged)
		case "ondemand":
			return ask("/ondemand/pages/" + url.PathEscape(name) + "/videos" + paged)
		case "event":
			return ask("/live_events/" + url.PathEscape(name) + "/videos" + paged)
		}
	case crawlers.RefTag:
		if word, ok := strings.CutPrefix(s.Ref.ID, "tag:"); ok {
			return ask("/tags/" + url.PathEscape(word) + "/videos" + paged)
		}
		return ask("/categories/" + url.PathEscape(name) + "/videos" + paged)
	case crawlers.RefSearch:
		return ask("/videos" + paged + "&sort=date&query=" + url.QueryEscape(s.Ref.ID))
	}
	return crawlers.Request{}, fmt.Errorf("vimeo: request %s: the API has nothing for a %s", s.Ref.URL, s.Ref.Kind)
}

func simpleRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	const base = site + "/api/v2/"
	page := ""
	if st.Page > 1 {
		page = "?page=" + strconv.Itoa(st.Page)
	}
	class, name, _ := strings.Cut(s.Ref.ID, "/")
	switch s.Ref.Kind {
	case crawlers.RefPost:
		return crawlers.Request{URL: base + "video/" + s.Ref.ID + ".json"}, nil
	case crawlers.RefAccount:
		name := s.Ref.ID
		if !s.Ref.Alias {
			name = "user" + name
		}
		return crawlers.Request{URL: base + name + "/videos.json" + page}, nil
	case crawlers.RefGroup:
		return crawlers.Request{URL: base + "group/" + name + "/videos.json" + page}, nil
	case crawlers.RefBoard:
		switch class {
		case "channels":
			return crawlers.Request{URL: base + "channel/" + name + "/videos.json" + page}, nil
		case "showcase":
			return crawlers.Request{URL: base + "album/" + name + "/videos.json" + page}, nil
		}
		return crawlers.Request{URL: s.Ref.URL, Header: pageHeader()}, nil // which the simple API never had
	}
	return crawlers.Request{}, fmt.Errorf("vimeo: request %s: the simple API has nothing for a %s", s.Ref.URL, s.Ref.Kind)
}
