package instagram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"

	"github.com/refrain-archive/refrain/crawlers"
)

// state is what a step of the Graph API carries beyond its Ref. Its JSON is the
// Step.State. It never holds a token: the next request is built anew from the
// cursor, not from the answer's paging.next.
type state struct {
	Me    string `json:"me,omitempty"`    // the token's own Instagram account, through which others are asked for
	Tag   string `json:"tag,omitempty"`   // the API's number of the hashtag
	List  string `json:"list,omitempty"`  // recent_media or top_media
	After string `json:"after,omitempty"` // cursor
	N     int    `json:"n,omitempty"`     // pages so far
}

func (s state) encode() []byte {
	if s == (state{}) {
		return nil
	}
	data, _ := json.Marshal(s) // strings and numbers: cannot fail
	return data
}

var cursorForm = regexp.MustCompile(`^[A-Za-z0-9_=.~+/-]{1,600}$`)

func decodeState(data []byte) (state, error) {
	var s state
	if len(data) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	bad := d.Decode(&s) != nil || s.N < 0 ||
		s.Me != "" && !isNumber(s.Me) || s.Tag != "" && !isNumber(s.Tag) || s.After != "" && !cursorForm.MatchString(s.After)
	switch s.List {
	case "", "recent_media", "top_media":
	default:
		bad = true
	}
	if bad {
		return state{}, fmt.Errorf("instagram: the step's state %.80q was not written by this collector", data)
	}
	return s, nil
}

// english makes the site write counts and days in the words that we read.
func english() crawlers.Header {
	return crawlers.Header{"Accept-Language": {"en-US,en;q=0.9"}, "Accept": {"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}}
}

// Request says what to ask for.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	if s.Ref.Platform != platform {
		return crawlers.Request{}, fmt.Errorf("instagram: request: the step belongs to platform %q", s.Ref.Platform)
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleHydrate, crawlers.RoleResolve:
	default:
		return crawlers.Request{}, fmt.Errorf("instagram: request %s: no steps of role %q", s.Ref.URL, s.Role)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Request{}, err
	}
	switch s.Route {
	case "", routeHTML:
		u, err := url.Parse(s.Ref.URL)
		if err != nil || u.Scheme != "https" || u.Hostname() != "www.instagram.com" {
			return crawlers.Request{}, fmt.Errorf("instagram: request %s: the account or item is known by its number only, which no page is under; give its name or short code", s.Ref.URL)
		}
		u.Fragment = ""
		return crawlers.Request{URL: u.String(), Header: english()}, nil
	case routeEmbed:
		switch {
		case s.Ref.Kind == crawlers.RefPost && s.Ref.Of == "":
			return crawlers.Request{URL: s.Ref.URL + "embed/captioned/", Header: english()}, nil
		case s.Ref.Kind == crawlers.RefPost: // a story: no embed, its page says what it is
			return crawlers.Request{URL: s.Ref.URL, Header: english()}, nil
		case s.Ref.Kind == crawlers.RefAccount && s.Ref.Alias:
			return crawlers.Request{URL: s.Ref.URL + "embed/", Header: english()}, nil
		}
	case routeAPI:
		return apiRequest(s, st)
	}
	return crawlers.Request{}, fmt.Errorf("instagram: request %s: route %q does not serve a %s (routes: api, html, embed)", s.Ref.URL, s.Route, s.Ref.Kind)
}

// Fields asked of the Graph API. Those of a hashtag's media are fewer.
const (
	tagFields   = "id,caption,children{id,media_type,media_url,permalink},comments_count,like_count,media_type,media_url,permalink,timestamp"
	mediaFields = "id,caption,children{id,media_type,media_url,permalink},comments_count,like_count,media_product_type,media_type,media_url,permalink,timestamp,username"
	userFields  = "id,username,name,biography,website,profile_picture_url,followers_count,follows_count,media_count"
)

func apiRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	q := url.Values{}
	p := ""
	switch {
	case s.Ref.Kind != crawlers.RefAccount && s.Ref.Kind != crawlers.RefTag:
		return crawlers.Request{}, fmt.Errorf("instagram: request %s: the Graph API serves accounts and hashtags, no %s", s.Ref.URL, s.Ref.Kind)
	case s.Ref.Kind == crawlers.RefAccount && !s.Ref.Alias:
		return crawlers.Request{}, fmt.Errorf("instagram: request %s: the Graph API asks for accounts by name, this one is known by its number", s.Ref.URL)
	case st.Me == "":
		p = "/me/accounts"
		q.Set("fields", "instagram_business_account{id,username}")
	case s.Ref.Kind == crawlers.RefAccount:
		p = "/" + st.Me
		page := "media.limit(" + strconv.Itoa(pageSize) + ")"
		if st.After != "" {
			page += ".after(" + st.After + ")"
		}
		q.Set("fields", "business_discovery.username("+s.Ref.ID+"){"+userFields+","+page+"{"+mediaFields+"}}")
	case st.Tag == "":
		p = "/ig_hashtag_search"
		q.Set("user_id", st.Me)
		q.Set("q", s.Ref.ID)
	default:
		list := st.List
		if list == "" {
			list = "recent_media"
		}
		p = "/" + st.Tag + "/" + list
		q.Set("user_id", st.Me)
		q.Set("fields", tagFields)
		q.Set("limit", strconv.Itoa(pageSize))
		if st.After != "" {
			q.Set("after", st.After)
		}
	}
	return crawlers.Request{URL: graph + p + "?" + q.Encode(), Key: keyName}, nil
}
