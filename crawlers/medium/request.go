package medium

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

// A state is what Step.State holds.
type state struct {
	At   string `json:"at,omitempty"`   // address that a redirect named
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
		return state{}, fmt.Errorf("medium: state of a step: %w", err)
	}
	return s, nil
}

// Request says what to ask for to do s.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	none := crawlers.Request{}
	r := s.Ref
	if r.Platform != platform {
		return none, fmt.Errorf("medium: request: a step of %q, not of medium", r.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return none, err
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleHydrate, crawlers.RoleResolve:
	default:
		return none, fmt.Errorf("medium: request %s: there is nothing to ask for role %q", r.URL, s.Role)
	}
	switch s.Route {
	case "", routeFeed, routeHTML:
	default:
		return none, fmt.Errorf("medium: request %s: there is no route %q, only feed and html", r.URL, s.Route)
	}
	if st.At != "" {
		u, err := url.Parse(st.At)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !isOurs(r, strings.ToLower(u.Hostname())) {
			return none, fmt.Errorf("medium: request %s: state names %q, which is no address of this target", r.URL, st.At)
		}
		return crawlers.Request{URL: st.At}, nil
	}
	feed := s.Route != routeHTML
	address := r.URL
	switch r.Kind {
	case crawlers.RefPost, crawlers.RefShort:
	case crawlers.RefAccount:
		if feed && r.Alias {
			address = base + "/feed/@" + r.ID
		}
	case crawlers.RefGroup:
		switch {
		case feed && strings.Contains(r.ID, "."):
			address = "https://" + r.ID + "/feed"
		case feed:
			address = base + "/feed/" + url.PathEscape(r.ID)
		}
	case crawlers.RefTag:
		switch {
		case strings.Contains(r.ID, "/archive/"): // only pages list a day
		case feed && r.Of != "":
			address = base + "/feed/" + r.Of + "/tagged/" + url.PathEscape(r.ID)
		case feed:
			address = base + "/feed/tag/" + url.PathEscape(r.ID)
		}
	default:
		return none, fmt.Errorf("medium: request %s: nothing is known of a %s", r.URL, r.Kind)
	}
	return crawlers.Request{URL: address}, nil
}

// isOurs reports whether a redirect of r's step may lead to host.
func isOurs(r crawlers.Ref, host string) bool {
	return host == "medium.com" || strings.HasSuffix(host, ".medium.com") || strings.EqualFold(r.Of, host) || strings.EqualFold(r.ID, host)
}
