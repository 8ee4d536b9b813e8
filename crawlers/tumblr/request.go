package tumblr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

// state is what a step carries beyond its Ref. Its JSON is the Step.State.
type state struct {
	Start  int    `json:"start,omitempty"`  // API v1: posts to skip
	Before int64  `json:"before,omitempty"` // API v2: posts older than this, Unix seconds
	Query  string `json:"query,omitempty"`  // API v2: the parameters of _links.next, without the key
	URL    string `json:"url,omitempty"`    // where a redirect led, on one of Tumblr's hosts or the blog's
	N      int    `json:"n,omitempty"`      // pages so far, a guard against circles
}

func (s state) encode() []byte {
	if s == (state{}) {
		return nil
	}
	data, _ := json.Marshal(s) // strings and numbers: cannot fail
	return data
}

func decodeState(data []byte) (state, error) {
	var s state
	if len(data) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil || s.Start < 0 || s.Before < 0 {
		return s, fmt.Errorf("tumblr: the step's state %.80q was not written by this collector", data)
	}
	return s, nil
}

// Request says what to ask for.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	if s.Ref.Platform != platform {
		return crawlers.Request{}, fmt.Errorf("tumblr: request: the step belongs to platform %q", s.Ref.Platform)
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleComments, crawlers.RoleHydrate, crawlers.RoleResolve:
	default:
		return crawlers.Request{}, fmt.Errorf("tumblr: request %s: no steps of role %q", s.Ref.URL, s.Role)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Request{}, err
	}
	switch s.Route {
	case "", routeJSON, routeFeed, routeHTML:
		if st.URL != "" {
			return page(st.URL)
		}
		if s.Ref.Kind == crawlers.RefShort {
			return page(s.Ref.URL)
		}
	}
	switch s.Route {
	case "", routeJSON:
		return jsonRequest(s, st)
	case routeFeed:
		return page(host(s.Ref.ID) + "/rss")
	case routeOEmbed:
		return crawlers.Request{URL: site + "/oembed/1.0?" + url.Values{"url": {s.Ref.URL}}.Encode()}, nil
	case routeHTML:
		return page(s.Ref.URL)
	case routeAPI:
		return apiRequest(s, st)
	}
	return crawlers.Request{}, fmt.Errorf("tumblr: request %s: there is no route %q (routes: json, feed, oembed, html, api)", s.Ref.URL, s.Route)
}

func page(raw string) (crawlers.Request, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return crawlers.Request{}, fmt.Errorf("tumblr: request: %q is not a web address", raw)
	}
	u.Fragment, u.User = "", nil
	return crawlers.Request{URL: u.String()}, nil
}

// jsonRequest asks API v1. What it does not list (days, searches, tags of all
// blogs, blogs known by uuid) is asked for as a page.
func jsonRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	blog := s.Ref.Of
	if s.Ref.Kind == crawlers.RefAccount {
		blog = s.Ref.ID
	}
	if blog == "" || strings.HasPrefix(blog, "t:") {
		return page(s.Ref.URL)
	}
	q := url.Values{}
	switch s.Ref.Kind {
	case crawlers.RefPost:
		q.Set("id", s.Ref.ID)
	case crawlers.RefTag:
		q.Set("tagged", s.Ref.ID)
		fallthrough
	case crawlers.RefAccount:
		q.Set("start", strconv.Itoa(st.Start))
		q.Set("num", strconv.Itoa(pageSize))
	default:
		return page(s.Ref.URL)
	}
	return crawlers.Request{URL: host(blog) + "/api/read/json?" + q.Encode()}, nil
}

func apiRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	const base = "https://api.tumblr.com/v2/"
	q := url.Values{"npf": {"true"}, "reblog_info": {"true"}, "notes_info": {"true"}, "limit": {strconv.Itoa(pageSize)}}
	blog := s.Ref.Of
	if s.Ref.Kind == crawlers.RefAccount {
		blog = s.Ref.ID
	}
	p := "blog/" + url.PathEscape(blog) + "/posts"
	switch s.Ref.Kind {
	case crawlers.RefAccount:
	case crawlers.RefPost:
		q.Set("id", s.Ref.ID)
		q.Del("limit")
		if s.Role == crawlers.RoleComments {
			p = "blog/" + url.PathEscape(blog) + "/notes"
			q = url.Values{"id": {s.Ref.ID}, "mode": {"conversation"}}
			if st.Before > 0 {
				q.Set("before_timestamp", strconv.FormatInt(st.Before, 10))
			}
			return crawlers.Request{URL: base + p + "?" + q.Encode(), Key: "tumblr"}, nil
		}
	case crawlers.RefTag:
		q.Set("tag", s.Ref.ID)
		if blog == "" {
			p = "tagged"
			q.Set("limit", "20")
		}
	case crawlers.RefBoard:
		day, err := time.Parse("2006/1/2", s.Ref.ID)
		if err != nil {
			return crawlers.Request{}, fmt.Errorf("tumblr: request: %q is not a day", s.Ref.ID)
		}
		if st.Before == 0 { // the day of the blog's own zone, which may be 12 hours behind
			st.Before = day.Add(36 * time.Hour).Unix()
		}
	default:
		return crawlers.Request{}, fmt.Errorf("tumblr: request %s: nothing to ask for a %s", s.Ref.URL, s.Ref.Kind)
	}
	if st.Query != "" {
		next, err := url.ParseQuery(st.Query)
		if err != nil {
			return crawlers.Request{}, fmt.Errorf("tumblr: request: %w", err)
		}
		for k, v := range next {
			q[k] = v
		}
	} else if st.Before > 0 {
		q.Set("before", strconv.FormatInt(st.Before, 10))
	}
	q.Del("api_key")
	return crawlers.Request{URL: base + p + "?" + q.Encode(), Key: "tumblr"}, nil
}
