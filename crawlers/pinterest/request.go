package pinterest

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
	Bookmark string `json:"bookmark,omitempty"` // of the next page of a resource
	Section  string `json:"section,omitempty"`  // native id of a board's section
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
		return state{}, fmt.Errorf("pinterest: state of a step: %w", err)
	}
	return s, nil
}

// Request says what to ask for to do s.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	none := crawlers.Request{}
	r := s.Ref
	if r.Platform != platform {
		return none, fmt.Errorf("pinterest: request: a step of %q, not of pinterest", r.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return none, err
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleHydrate, crawlers.RoleResolve, crawlers.RoleRelated:
	default:
		return none, fmt.Errorf("pinterest: request %s: there is nothing to ask for role %q", r.URL, s.Role)
	}
	route := s.Route
	if route == "" {
		switch r.Kind {
		case crawlers.RefPost, crawlers.RefShort:
			route = routeHTML
		case crawlers.RefAccount, crawlers.RefBoard:
			route = routeWidget
		default:
			route = routeResource
		}
	}
	address := ""
	switch route {
	case routeHTML:
		address = r.URL
		if r.Kind == crawlers.RefShort {
			address = shortener + r.ID + "/redirect/"
		}
	case routeWidget:
		address = widgetURL(r)
	case routeFeed:
		address = feedURL(r)
	case routeOEmbed:
		if r.Kind == crawlers.RefPost {
			address = site + "/oembed.json?" + url.Values{"url": {r.URL}}.Encode()
		}
	case routeResource:
		return resourceRequest(r, st)
	default:
		return none, fmt.Errorf("pinterest: request %s: there is no route %q, only html, widget, feed, oembed and resource", r.URL, route)
	}
	if address == "" {
		return none, fmt.Errorf("pinterest: request %s: the route %s does not serve a %s; the route resource does", r.URL, route, r.Kind)
	}
	return crawlers.Request{URL: address}, nil
}

func escape(parts ...string) string {
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

func widgetURL(r crawlers.Ref) string {
	switch parts := boardParts(r); {
	case r.Kind == crawlers.RefPost:
		return widgets + "/pins/info/?pin_ids=" + url.QueryEscape(r.ID)
	case r.Kind == crawlers.RefAccount:
		return widgets + "/users/" + escape(userName(r)) + "/pins/"
	case r.Kind == crawlers.RefBoard && len(parts) >= 2:
		return widgets + "/boards/" + escape(parts[0], parts[1]) + "/pins/"
	}
	return ""
}

func feedURL(r crawlers.Ref) string {
	switch parts := boardParts(r); {
	case r.Kind == crawlers.RefAccount:
		return site + "/" + escape(userName(r)) + "/feed.rss"
	case r.Kind == crawlers.RefBoard && len(parts) >= 2:
		return site + "/" + escape(parts[0], parts[1]) + ".rss"
	}
	return ""
}

// userName is the name in an account's address, which the widget and feed ask
// by, also where the Ref carries the native id.
func userName(r crawlers.Ref) string {
	if u, err := url.Parse(r.URL); err == nil {
		if parts := segments(u.Path); len(parts) > 0 {
			return parts[0]
		}
	}
	return r.ID
}

// boardParts are user, board and, of a section, its slug.
func boardParts(r crawlers.Ref) []string {
	if u, err := url.Parse(r.URL); err == nil {
		return segments(u.Path)
	}
	return nil
}

// resourceRequest asks the private interface. An alias of a board or section is
// asked for its id first.
func resourceRequest(r crawlers.Ref, st state) (crawlers.Request, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return crawlers.Request{}, fmt.Errorf("pinterest: request %q: %w", r.URL, err)
	}
	parts := segments(u.Path)
	name, handler := "", ""
	options := map[string]any{}
	switch {
	case r.Kind == crawlers.RefPost:
		name, handler = "Pin", "www/pin/[id].js"
		options["id"], options["field_set_key"] = r.ID, "detailed"
	case r.Kind == crawlers.RefAccount && len(parts) > 0:
		name, handler = "UserActivityPins", "www/[username].js"
		options["username"], options["field_set_key"] = parts[0], "grid_item"
		options["exclude_add_pin_rep"], options["is_own_profile_pins"] = true, false
	case r.Kind == crawlers.RefTag && st.Section != "":
		name, handler = "BoardSectionPins", "www/[username]/[slug]/[section_slug].js"
		options["section_id"], options["page_size"] = st.Section, pageSize
	case r.Kind == crawlers.RefTag && len(parts) == 3:
		name, handler = "BoardSection", "www/[username]/[slug]/[section_slug].js"
		options["username"], options["slug"], options["section_slug"] = parts[0], parts[1], parts[2]
	case r.Kind == crawlers.RefBoard && r.Alias && len(parts) == 2:
		name, handler = "Board", "www/[username]/[slug].js"
		options["username"], options["slug"], options["field_set_key"] = parts[0], parts[1], "detailed"
	case r.Kind == crawlers.RefBoard && len(parts) == 2:
		name, handler = "BoardFeed", "www/[username]/[slug].js"
		options["board_id"], options["board_url"], options["page_size"] = r.ID, u.EscapedPath(), pageSize
	case r.Kind == crawlers.RefSearch:
		name, handler = "BaseSearch", "www/search/[scope].js"
		options["query"], options["scope"], options["page_size"] = r.ID, "pins", pageSize
	default:
		return crawlers.Request{}, fmt.Errorf("pinterest: request %s: the route resource does not serve a %s", r.URL, r.Kind)
	}
	if st.Bookmark != "" {
		options["bookmarks"] = []string{st.Bookmark}
	}
	data, err := json.Marshal(map[string]any{"options": options})
	if err != nil {
		return crawlers.Request{}, fmt.Errorf("pinterest: request %s: %w", r.URL, err)
	}
	source := u.EscapedPath()
	if u.RawQuery != "" {
		source += "?" + u.RawQuery
	}
	h := crawlers.Header{}
	h.Set("Accept", "application/json")
	h.Set("X-Requested-With", "XMLHttpRequest")
	h.Set("X-Pinterest-AppState", "active")
	h.Set("X-Pinterest-PWS-Handler", handler)
	return crawlers.Request{
		URL:    site + "/resource/" + name + "Resource/get/?" + url.Values{"source_url": {source}, "data": {string(data)}}.Encode(),
		Header: h,
	}, nil
}
