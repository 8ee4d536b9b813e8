package blogspot

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
	Start int    `json:"start,omitempty"` // start-index of a feed page, from 1
	Token string `json:"token,omitempty"` // pageToken of the API
	Blog  string `json:"blog,omitempty"`  // BLOGID, once the API has told it
	URL   string `json:"url,omitempty"`   // where a redirect led, on the target's host
}

func (s state) encode() []byte {
	if s == (state{}) {
		return nil
	}
	data, _ := json.Marshal(s) // strings and a number: cannot fail
	return data
}

func decodeState(data []byte) (state, error) {
	var s state
	if len(data) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil || s.Start < 0 || s.Blog != "" && !digits.MatchString(s.Blog) {
		return s, fmt.Errorf("blogspot: the step's state %.80q was not written by this collector", data)
	}
	return s, nil
}

// Request says what to ask for. A post that is known by its address only is
// asked for as a page, by the feed route too: feeds know numbers, not paths.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	if s.Ref.Platform != platform {
		return crawlers.Request{}, fmt.Errorf("blogspot: request: the step belongs to platform %q", s.Ref.Platform)
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleComments, crawlers.RoleHydrate, crawlers.RoleResolve:
	default:
		return crawlers.Request{}, fmt.Errorf("blogspot: request %s: no steps of role %q", s.Ref.URL, s.Role)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Request{}, err
	}
	base, err := feedBase(s.Ref)
	if err != nil {
		return crawlers.Request{}, err
	}
	switch s.Route {
	case "", routeFeed, routeHTML:
		if st.URL != "" {
			return page(st.URL)
		}
	}
	switch s.Route {
	case "", routeFeed:
		return feedRequest(s, st, base)
	case routeHTML:
		return page(s.Ref.URL)
	case routeAPI:
		return apiRequest(s, st)
	}
	return crawlers.Request{}, fmt.Errorf("blogspot: request %s: there is no route %q (routes: feed, html, api)", s.Ref.URL, s.Route)
}

func page(raw string) (crawlers.Request, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return crawlers.Request{}, fmt.Errorf("blogspot: request: %q is not the address of a blog", raw)
	}
	u.Fragment, u.User = "", nil
	return crawlers.Request{URL: u.String()}, nil
}

// feedBase is the address that a Ref's feeds start with, without a slash.
func feedBase(ref crawlers.Ref) (string, error) {
	blog := ref.Of
	if ref.Kind == crawlers.RefAccount {
		blog = ref.ID
	}
	if digits.MatchString(blog) {
		return "https://www.blogger.com/feeds/" + blog, nil
	}
	u, err := url.Parse(ref.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("blogspot: request: %q is not the address of a blog", ref.URL)
	}
	return u.Scheme + "://" + u.Host + "/feeds", nil
}

func feedRequest(s crawlers.Step, st state, base string) (crawlers.Request, error) {
	q := url.Values{"alt": {"json"}, "redirect": {"false"}}
	list := func(p string) (crawlers.Request, error) {
		q.Set("start-index", strconv.Itoa(max(st.Start, 1)))
		q.Set("max-results", strconv.Itoa(feedPage))
		q.Set("orderby", "published")
		return crawlers.Request{URL: base + p + "?" + q.Encode()}, nil
	}
	comments := s.Role == crawlers.RoleComments
	switch s.Ref.Kind {
	case crawlers.RefAccount:
		if strings.HasPrefix(s.Ref.ID, "profile/") {
			return page(s.Ref.URL)
		}
		if comments {
			return list("/comments/default")
		}
		return list("/posts/default")
	case crawlers.RefTag:
		return list("/posts/default/-/" + url.PathEscape(s.Ref.ID))
	case crawlers.RefSearch:
		q.Set("q", s.Ref.ID)
		return list("/posts/default")
	case crawlers.RefBoard:
		from, to, err := window(s.Ref.ID)
		if err != nil {
			return crawlers.Request{}, err
		}
		q.Set("published-min", from)
		q.Set("published-max", to)
		return list("/posts/default")
	case crawlers.RefPost:
		if s.Ref.Alias {
			return page(s.Ref.URL)
		}
		if comments {
			return list("/" + s.Ref.ID + "/comments/default")
		}
		return crawlers.Request{URL: base + "/posts/default/" + s.Ref.ID + "?" + q.Encode()}, nil
	}
	return crawlers.Request{}, fmt.Errorf("blogspot: request %s: nothing to ask for a %s", s.Ref.URL, s.Ref.Kind)
}

// window gives the first moment of an archive ("2024" or "2024/05") and the
// first one after it.
func window(id string) (from, to string, err error) {
	const layout = "2006-01-02T15:04:05"
	if t, err := time.Parse("2006/01", id); err == nil {
		return t.Format(layout), t.AddDate(0, 1, 0).Format(layout), nil
	}
	t, err := time.Parse("2006", id)
	if err != nil {
		return "", "", fmt.Errorf("blogspot: request: archive %q is not a year or a month", id)
	}
	return t.Format(layout), t.AddDate(1, 0, 0).Format(layout), nil
}

// apiRequest asks API v3. A blog that is known by its address only is asked for
// by address first; its answer gives the next step.
func apiRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	const base = "https://www.googleapis.com/blogger/v3/blogs/"
	get := func(p string, q url.Values) (crawlers.Request, error) {
		if st.Token != "" {
			q.Set("pageToken", st.Token)
		}
		to := base + p
		if len(q) > 0 {
			to += "?" + q.Encode()
		}
		return crawlers.Request{URL: to, Key: "blogger"}, nil
	}
	blog := st.Blog
	if blog == "" {
		blog = s.Ref.Of
		if s.Ref.Kind == crawlers.RefAccount {
			blog = s.Ref.ID
		}
	}
	if !digits.MatchString(blog) {
		u, err := url.Parse(s.Ref.URL)
		if err != nil || u.Host == "" {
			return crawlers.Request{}, fmt.Errorf("blogspot: request: %q is not the address of a blog", s.Ref.URL)
		}
		return get("byurl", url.Values{"url": {u.Scheme + "://" + u.Host + "/"}})
	}
	list := url.Values{"maxResults": {strconv.Itoa(apiPage)}, "fetchBodies": {"true"}, "fetchImages": {"true"}}
	comments := s.Role == crawlers.RoleComments
	if comments {
		list = url.Values{"maxResults": {strconv.Itoa(apiPage)}}
	}
	switch s.Ref.Kind {
	case crawlers.RefAccount:
		if comments {
			return get(blog+"/comments", list)
		}
	case crawlers.RefTag:
		list.Set("labels", s.Ref.ID)
	case crawlers.RefSearch:
		return get(blog+"/posts/search", url.Values{"q": {s.Ref.ID}, "fetchBodies": {"true"}})
	case crawlers.RefBoard:
		from, to, err := window(s.Ref.ID)
		if err != nil {
			return crawlers.Request{}, err
		}
		list.Set("startDate", from+"Z")
		list.Set("endDate", to+"Z")
	case crawlers.RefPost:
		if s.Ref.Alias {
			u, err := url.Parse(s.Ref.URL)
			if err != nil {
				return crawlers.Request{}, fmt.Errorf("blogspot: request: %w", err)
			}
			return get(blog+"/posts/bypath", url.Values{"path": {u.Path}})
		}
		if comments {
			return get(blog+"/posts/"+s.Ref.ID+"/comments", list)
		}
		return get(blog+"/posts/"+s.Ref.ID, url.Values{})
	default:
		return crawlers.Request{}, fmt.Errorf("blogspot: request %s: nothing to ask for a %s", s.Ref.URL, s.Ref.Kind)
	}
	return get(blog+"/posts", list)
}
