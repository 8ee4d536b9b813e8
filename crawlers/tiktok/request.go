package tiktok

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

// A state is what Step.State holds.
type state struct {
	End    string `json:"end,omitempty"`    // last day of the window of the Research API, YYYYMMDD in UTC
	Cursor int64  `json:"cursor,omitempty"` // within the window, or among comments
	Search string `json:"search,omitempty"` // search_id of the page before
	Left   int64  `json:"left,omitempty"`   // posts that the profile counts and no page has shown yet, plus 1; 0 is unknown
}

const (
	dayForm  = "20060102"
	window   = 29 // days between the first and last day of a window; 30 days are allowed
	earliest = "20140401"
	probeDay = "20130102" // no video is so old
)

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
		return state{}, fmt.Errorf("tiktok: state of a step: %w", err)
	}
	if s.End != "" {
		if _, err := time.Parse(dayForm, s.End); err != nil {
			return state{}, fmt.Errorf("tiktok: state of a step: %q is no day", s.End)
		}
	}
	if s.Cursor < 0 || s.Left < 0 {
		return state{}, fmt.Errorf("tiktok: state of a step: it counts below zero")
	}
	return s, nil
}

// Request says what to ask for to do s.
func (c Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	none := crawlers.Request{}
	if s.Ref.Platform != platform {
		return none, fmt.Errorf("tiktok: request: a step of %q, not of tiktok", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return none, err
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleComments, crawlers.RoleHydrate, crawlers.RoleResolve:
	default:
		return none, fmt.Errorf("tiktok: request %s: there is no role %q", s.Ref.URL, s.Role)
	}
	if s.Role == crawlers.RoleComments && s.Route != routeAPI {
		return none, fmt.Errorf("tiktok: request %s: comments need route api and keys.tiktok", s.Ref.URL)
	}
	r := s.Ref
	path := ""
	switch s.Route {
	case "", routeEmbed:
		switch r.Kind {
		case crawlers.RefShort:
			return get(r.URL), nil
		case crawlers.RefPost:
			path = "/embed/v2/" + r.ID
		case crawlers.RefAccount:
			path = "/embed/@" + r.ID
		case crawlers.RefTag:
			path = "/embed/tag/" + url.PathEscape(r.ID)
		case crawlers.RefBoard:
			path = "/embed/music/" + strings.TrimPrefix(r.ID, "music/")
		}
	case routeHTML:
		switch r.Kind {
		case crawlers.RefPost:
			// Photo posts are served under /video/ too, and only there with their data.
			path = "/@" + r.Of + "/video/" + r.ID
		case crawlers.RefAccount:
			path = "/@" + r.ID
		}
	case routeOEmbed:
		if r.Kind == crawlers.RefPost {
			return get(web + "/oembed?" + url.Values{"url": {postURL(r.ID, r.Of, false)}}.Encode()), nil
		}
	case routeAPI:
		return apiRequest(s, st)
	default:
		return none, fmt.Errorf("tiktok: request %s: there is no route %q, only api, embed, oembed and html", r.URL, s.Route)
	}
	if path == "" {
		return none, fmt.Errorf("tiktok: request %s: route %q has nothing for a %s; searches need route api and keys.tiktok", r.URL, s.Route, r.Kind)
	}
	return get(web + path), nil
}

func get(address string) crawlers.Request {
	return crawlers.Request{URL: address, Header: crawlers.Header{"Accept-Language": {"en-US,en;q=0.9"}}}
}

// The fields that are asked of the Research API.
const (
	videoFields   = "id,video_description,create_time,region_code,share_count,view_count,like_count,comment_count,music_id,hashtag_names,username,effect_ids,playlist_id,voice_to_text,is_stem_verified,favorites_count,video_duration,hashtag_info_list,sticker_info_list,video_mention_list,video_label,video_tag"
	commentFields = "id,video_id,text,like_count,reply_count,parent_comment_id,create_time"
	userFields    = "display_name,bio_description,avatar_url,is_verified,follower_count,following_count,likes_count,video_count,bio_url"
)

func ask(path, fields string, body any) (crawlers.Request, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return crawlers.Request{}, fmt.Errorf("tiktok: request %s: %w", path, err)
	}
	return crawlers.Request{
		Method: "POST", URL: research + path + "?fields=" + fields, Key: keyName,
		Header: crawlers.Header{"Content-Type": {"application/json"}}, Body: data,
	}, nil
}

// A condition is one of the Research API's query.
type condition struct {
	Operation string   `json:"operation"`
	Field     string   `json:"field_name"`
	Values    []string `json:"field_values"`
}

// A query is the body of video/query/.
type query struct {
	Query struct {
		And []condition `json:"and"`
	} `json:"query"`
	Start    string `json:"start_date"`
	End      string `json:"end_date"`
	MaxCount int    `json:"max_count"`
	Cursor   int64  `json:"cursor,omitempty"`
	Search   string `json:"search_id,omitempty"`
}

func apiRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	r := s.Ref
	if s.Role == crawlers.RoleComments {
		if r.Kind != crawlers.RefPost || !isID(r.ID) {
			return crawlers.Request{}, fmt.Errorf("tiktok: request %s: comments belong to a video", r.URL)
		}
		return ask("/video/comment/list/", commentFields, struct {
			Video    json.Number `json:"video_id"`
			MaxCount int         `json:"max_count"`
			Cursor   int64       `json:"cursor,omitempty"`
		}{json.Number(r.ID), pageSize, st.Cursor})
	}
	var c condition
	switch r.Kind {
	case crawlers.RefPost:
		c = condition{"EQ", "video_id", []string{r.ID}}
		if st.End == "" {
			made, ok := idTime(r.ID)
			if !ok {
				return crawlers.Request{}, fmt.Errorf("tiktok: request %s: the id holds no day to look at; use route embed", r.URL)
			}
			st.End = made.AddDate(0, 0, window-1).Format(dayForm)
		}
	case crawlers.RefAccount:
		if st.End == "" {
			return ask("/user/info/", userFields, map[string]string{"username": r.ID})
		}
		c = condition{"EQ", "username", []string{r.ID}}
	case crawlers.RefTag:
		c = condition{"EQ", "hashtag_name", []string{r.ID}}
	case crawlers.RefBoard:
		c = condition{"EQ", "music_id", []string{strings.TrimPrefix(r.ID, "music/")}}
	case crawlers.RefSearch:
		c = condition{"EQ", "keyword", []string{r.ID}}
	default:
		return crawlers.Request{}, fmt.Errorf("tiktok: request %s: the Research API has nothing for a %s", r.URL, r.Kind)
	}
	q := query{MaxCount: pageSize, Cursor: st.Cursor, Search: st.Search}
	q.Query.And = []condition{c}
	q.Start, q.End = span(st.End)
	return ask("/video/query/", videoFields, q)
}

// span gives the days of the window that ends on a day; without one it is the
// two days of the probe.
func span(end string) (from, to string) {
	if end == "" {
		end = probeDay
	}
	t, _ := time.Parse(dayForm, end)
	days := window
	if end == probeDay {
		days = 1
	}
	return t.AddDate(0, 0, -days).Format(dayForm), end
}

// before gives the last day of the window before, "" where none can hold a video.
func before(end string) string {
	from, _ := span(end)
	t, err := time.Parse(dayForm, from)
	if err != nil {
		return ""
	}
	day := t.AddDate(0, 0, -1).Format(dayForm)
	if day < earliest {
		return ""
	}
	return day
}

// idTime is the moment that an id holds, if it is one that TikTok can have given.
func idTime(id string) (time.Time, bool) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	t := time.Unix(int64(n>>32), 0).UTC()
	return t, t.Year() >= 2014 && t.Year() < 2100
}
