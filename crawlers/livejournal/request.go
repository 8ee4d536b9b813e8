package livejournal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

// state is what a step carries beyond its Ref. Its JSON is the Step.State.
type state struct {
	Skip   int    `json:"skip,omitempty"`   // entries to skip on the journal's page
	Page   int    `json:"page,omitempty"`   // page of comments, from 2
	Thread string `json:"thread,omitempty"` // comment whose thread is asked for
	URL    string `json:"url,omitempty"`    // where a redirect led
	N      int    `json:"n,omitempty"`      // redirects so far, a guard against circles
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
	if err := d.Decode(&s); err != nil || s.Skip < 0 || s.Page < 0 || s.Thread != "" && !numForm.MatchString(s.Thread) {
		return s, fmt.Errorf("livejournal: the step's state %.80q was not written by this collector", data)
	}
	return s, nil
}

// Request says what to ask for. An entry is asked for as a page, by the feed
// route too: ?itemid= of a repost would answer with another post.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	if s.Ref.Platform != platform {
		return crawlers.Request{}, fmt.Errorf("livejournal: request: the step belongs to platform %q", s.Ref.Platform)
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleComments, crawlers.RoleHydrate, crawlers.RoleResolve:
	default:
		return crawlers.Request{}, fmt.Errorf("livejournal: request %s: no steps of role %q", s.Ref.URL, s.Role)
	}
	switch s.Route {
	case "", routeFeed, routeHTML:
	default:
		return crawlers.Request{}, fmt.Errorf("livejournal: request %s: there is no route %q (routes: feed, html)", s.Ref.URL, s.Route)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Request{}, err
	}
	raw := s.Ref.URL
	if st.URL != "" {
		raw = st.URL
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return crawlers.Request{}, fmt.Errorf("livejournal: request: %q is not a web address", raw)
	}
	u.User, u.Fragment = nil, ""
	if st.URL != "" {
		return crawlers.Request{URL: u.String()}, nil
	}
	if s.Route != routeHTML {
		switch s.Ref.Kind {
		case crawlers.RefAccount:
			return crawlers.Request{URL: strings.TrimSuffix(raw, "/") + "/data/rss"}, nil
		case crawlers.RefTag:
			if name, ok := clean(s.Ref.Of); ok {
				return crawlers.Request{URL: journalURL(name) + "data/rss?" + url.Values{"tag": {s.Ref.ID}}.Encode()}, nil
			}
		}
	}
	q := u.Query()
	if st.Skip > 0 {
		q.Set("skip", strconv.Itoa(st.Skip))
	}
	if st.Page > 1 {
		q.Set("page", strconv.Itoa(st.Page))
	}
	if st.Thread != "" {
		q.Set("thread", st.Thread)
	}
	if s.Ref.Kind == crawlers.RefBoard && s.Ref.ID == "calendar" {
		u.Path = strings.TrimSuffix(u.Path, "/")
	}
	u.RawQuery = q.Encode()
	return crawlers.Request{URL: u.String()}, nil
}
