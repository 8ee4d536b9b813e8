package facebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

// state is what a step of the Graph API carries beyond its Ref. Its JSON is the
// Step.State. It never holds a token: the next request is built anew from the
// cursor, not from the answer's paging.next.
type state struct {
	Page  string `json:"page,omitempty"`  // number of the page that the post belongs to
	Info  bool   `json:"info,omitempty"`  // ask for the page itself, not for its posts
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

var cursorForm = regexp.MustCompile(`^[A-Za-z0-9_=.~+/%-]{1,800}$`)

func decodeState(data []byte) (state, error) {
	var s state
	if len(data) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if d.Decode(&s) != nil || s.N < 0 || s.Page != "" && !isNumber(s.Page) || s.After != "" && !cursorForm.MatchString(s.After) {
		return state{}, fmt.Errorf("facebook: the step's state %.80q was not written by this collector", data)
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
		return crawlers.Request{}, fmt.Errorf("facebook: request: the step belongs to platform %q", s.Ref.Platform)
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleHydrate, crawlers.RoleResolve, crawlers.RoleComments:
	default:
		return crawlers.Request{}, fmt.Errorf("facebook: request %s: no steps of role %q", s.Ref.URL, s.Role)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Request{}, err
	}
	u, err := url.Parse(s.Ref.URL)
	if err != nil || u.Scheme != "https" || !crawlers.HostAllowed((Collector{}).About(), crawlers.Ref{}, u.Hostname()) {
		return crawlers.Request{}, fmt.Errorf("facebook: request: %q is not an address of Facebook", s.Ref.URL)
	}
	u.Fragment = ""
	switch s.Route {
	case "", routeHTML:
		return crawlers.Request{URL: u.String(), Header: english()}, nil
	case routePlugin:
		q := url.Values{"href": {s.Ref.URL}}
		plugin := "post.php"
		switch {
		case s.Ref.Kind == crawlers.RefAccount:
			plugin = "page.php"
			q.Set("tabs", "timeline")
		case s.Ref.Kind != crawlers.RefPost:
			return crawlers.Request{}, fmt.Errorf("facebook: request %s: no plugin shows a %s", s.Ref.URL, s.Ref.Kind)
		case strings.HasPrefix(u.Path, "/watch"):
			plugin = "video.php"
			fallthrough
		default:
			q.Set("show_text", "true")
		}
		return crawlers.Request{URL: site + "/plugins/" + plugin + "?" + q.Encode(), Header: english()}, nil
	case routeAPI:
		return apiRequest(s, st)
	}
	return crawlers.Request{}, fmt.Errorf("facebook: request %s: there is no route %q (routes: api, html, plugin)", s.Ref.URL, s.Route)
}

// Fields asked of the Graph API.
const (
	postFields    = "id,message,story,created_time,permalink_url,from,parent_id,status_type,full_picture,place,message_tags,attachments{type,media_type,title,description,url,unshimmed_url,media,target,subattachments},shares,reactions.summary(true).limit(0),comments.summary(true).limit(0)"
	pageFields    = "id,name,username,about,description,category,fan_count,followers_count,link,website,picture,verification_status,talking_about_count,were_here_count"
	commentFields = "id,message,created_time,from,like_count,comment_count,permalink_url,parent,attachment"
)

func apiRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	q := url.Values{}
	p := ""
	switch s.Ref.Kind {
	case crawlers.RefAccount:
		p = "/" + url.PathEscape(s.Ref.ID)
		if st.Info {
			q.Set("fields", pageFields)
			break
		}
		p += "/posts"
		q.Set("fields", postFields)
		q.Set("limit", strconv.Itoa(pageSize))
	case crawlers.RefPost:
		owner := st.Page
		if owner == "" && isNumber(s.Ref.Of) {
			owner = s.Ref.Of
		}
		switch {
		case !isNumber(s.Ref.ID), s.Ref.Of == "", strings.Contains(s.Ref.Of, "/"), s.Ref.Of == "ads":
			// Not in the API under a number that we know: the embed code says the number.
			p = "/oembed_post"
			if strings.Contains(s.Ref.URL, "/watch/") {
				p = "/oembed_video"
			}
			q.Set("url", s.Ref.URL)
		case owner == "":
			p = "/" + url.PathEscape(s.Ref.Of)
			q.Set("fields", "id,name,username,link")
		case s.Role == crawlers.RoleComments:
			p = "/" + owner + "_" + s.Ref.ID + "/comments"
			q.Set("fields", commentFields)
			q.Set("filter", "stream")
			q.Set("order", "chronological")
			q.Set("summary", "1")
			q.Set("limit", strconv.Itoa(commentSize))
		default:
			p = "/" + owner + "_" + s.Ref.ID
			q.Set("fields", postFields)
		}
	default:
		return crawlers.Request{}, fmt.Errorf("facebook: request %s: the Graph API serves pages and posts, no %s", s.Ref.URL, s.Ref.Kind)
	}
	if st.After != "" {
		q.Set("after", st.After)
	}
	return crawlers.Request{URL: graph + p + "?" + q.Encode(), Key: keyName}, nil
}
