package youtube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

const maxHops = 6 // redirects of one step

// state is what a step carries beyond its Ref. Its JSON is the Step.State.
type state struct {
	Tab    string   `json:"tab,omitempty"`    // html, innertube: videos, shorts, streams, posts
	List   string   `json:"list,omitempty"`   // api: the channel's uploads playlist
	Token  string   `json:"token,omitempty"`  // api: pageToken; innertube: continuation
	IDs    []string `json:"ids,omitempty"`    // api: videos whose whole data are asked for
	Browse string   `json:"browse,omitempty"` // innertube: what an address was resolved to
	Params string   `json:"params,omitempty"` // innertube: goes with Browse
	Parent string   `json:"parent,omitempty"` // api: the comment whose replies are asked for
	Tracks string   `json:"tracks,omitempty"` // captions: signed address of a track, or "list"
	At     string   `json:"at,omitempty"`     // where a redirect led
	Hops   int      `json:"hops,omitempty"`   // redirects so far
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
		return state{}, fmt.Errorf("youtube: state of a step %.80q: %w", data, err)
	}
	for _, id := range s.IDs {
		if !videoForm.MatchString(id) {
			return state{}, fmt.Errorf("youtube: state of a step: %q is no video id", id)
		}
	}
	if len(s.IDs) > 50 || s.List != "" && !listForm.MatchString(s.List) || s.Parent != "" && !commentForm.MatchString(s.Parent) || s.Tab != "" && tabParams(s.Tab) == "" {
		return state{}, fmt.Errorf("youtube: state of a step %.80q was not written by this collector", data)
	}
	return s, nil
}

// Request says what to ask for to do s.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	none := crawlers.Request{}
	if s.Ref.Platform != platform {
		return none, fmt.Errorf("youtube: request: a step of %q, not of youtube", s.Ref.Platform)
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleComments, crawlers.RoleHydrate, crawlers.RoleResolve, crawlers.RoleRelated:
	default:
		return none, fmt.Errorf("youtube: request %s: there is no role %q", s.Ref.URL, s.Role)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return none, err
	}
	if st.At != "" {
		u, err := url.Parse(st.At)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || !isSite(strings.ToLower(u.Hostname())) || s.Route == routeAPI || s.Route == routeAPICaptions {
			return none, fmt.Errorf("youtube: request %s: state names %q, which is no address of route %q", s.Ref.URL, st.At, s.Route)
		}
		u.Scheme, u.Host = "https", "www.youtube.com"
		return page(u.String())
	}
	switch s.Route {
	case routeAPI, routeAPICaptions:
		return apiRequest(s, st)
	case "", routeHTML, routeResults:
		return htmlRequest(s, st)
	case routeCaptions:
		if st.Tracks != "" {
			return captionRequest(s, st)
		}
		return htmlRequest(s, st)
	case routeOEmbed:
		if s.Ref.Kind == crawlers.RefPost {
			return crawlers.Request{URL: site + "/oembed?" + url.Values{"format": {"json"}, "url": {s.Ref.URL}}.Encode(), Header: pageHeader()}, nil
		}
	case routeFeed:
		return feedRequest(s)
	case routeInnertube:
		return innertubeRequest(s, st)
	}
	return none, fmt.Errorf("youtube: request %s: route %q has nothing for a %s", s.Ref.URL, s.Route, s.Ref.Kind)
}

// pageHeader asks for English, and gives the consent form's own "reject all".
func pageHeader() crawlers.Header {
	return crawlers.Header{"Accept-Language": {"en-US,en;q=0.9"}, "Cookie": {"SOCS=CAE="}}
}

func page(raw string) (crawlers.Request, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return crawlers.Request{}, fmt.Errorf("youtube: request: %q is not a web address", raw)
	}
	u.Fragment, u.User = "", nil
	sep := "&"
	if u.RawQuery == "" {
		sep = ""
	}
	if !strings.Contains(u.RawQuery, "hl=en") {
		u.RawQuery += sep + "hl=en&gl=US"
	}
	return crawlers.Request{URL: u.String(), Header: pageHeader()}, nil
}

func htmlRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	switch s.Ref.Kind {
	case crawlers.RefAccount:
		tab := firstOf(st.Tab, "videos")
		return page(s.Ref.URL + "/" + tab)
	case crawlers.RefShort:
		if strings.HasPrefix(s.Ref.ID, "clip/") {
			return page(s.Ref.URL)
		}
		return page(s.Ref.URL + "/videos")
	case crawlers.RefComment:
		if s.Ref.Of == "" {
			return crawlers.Request{}, fmt.Errorf("youtube: request: comment %s without its video needs route api and keys.youtube", s.Ref.ID)
		}
		return page(s.Ref.URL)
	case crawlers.RefPost, crawlers.RefPage, crawlers.RefBoard, crawlers.RefTag, crawlers.RefSearch:
		return page(s.Ref.URL)
	}
	return crawlers.Request{}, fmt.Errorf("youtube: request %s: pages have nothing for a %s", s.Ref.URL, s.Ref.Kind)
}

func captionRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	u, err := baseURL.Parse(st.Tracks)
	if err != nil || u.Path != "/api/timedtext" || !isSite(strings.ToLower(u.Hostname())) {
		return crawlers.Request{}, fmt.Errorf("youtube: request captions of %s: %.80q is no address of captions", s.Ref.ID, st.Tracks)
	}
	u.Scheme, u.Host, u.Fragment, u.User = "https", "www.youtube.com", "", nil
	return crawlers.Request{URL: u.String(), Header: pageHeader()}, nil
}

// feedRequest asks for the feed, or for the page of a channel whose id is not
// known.
func feedRequest(s crawlers.Step) (crawlers.Request, error) {
	const feed = site + "/feeds/videos.xml?"
	switch {
	case s.Ref.Kind == crawlers.RefBoard:
		return crawlers.Request{URL: feed + "playlist_id=" + s.Ref.ID}, nil
	case s.Ref.Kind == crawlers.RefAccount && !s.Ref.Alias:
		return crawlers.Request{URL: feed + "channel_id=" + s.Ref.ID}, nil
	case s.Ref.Kind == crawlers.RefAccount && strings.HasPrefix(s.Ref.ID, "user/"):
		return crawlers.Request{URL: feed + "user=" + url.QueryEscape(strings.TrimPrefix(s.Ref.ID, "user/"))}, nil
	case s.Ref.Kind == crawlers.RefAccount:
		return page(s.Ref.URL)
	}
	return crawlers.Request{}, fmt.Errorf("youtube: request %s: there is no feed of a %s", s.Ref.URL, s.Ref.Kind)
}

const apiBase = "https://www.googleapis.com/youtube/v3/"

func apiRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	q := url.Values{}
	ask := func(method, part string, params ...string) (crawlers.Request, error) {
		q.Set("part", part)
		for i := 0; i+1 < len(params); i += 2 {
			q.Set(params[i], params[i+1])
		}
		if st.Token != "" {
			q.Set("pageToken", st.Token)
		}
		return crawlers.Request{URL: apiBase + method + "?" + q.Encode(), Key: keyName}, nil
	}
	const videoParts = "snippet,contentDetails,statistics,status,liveStreamingDetails,topicDetails,recordingDetails"
	const listParts = "snippet,contentDetails,status"
	switch {
	case len(st.IDs) > 0:
		return ask("videos", videoParts, "id", strings.Join(st.IDs, ","))
	case st.Parent != "":
		return ask("comments", "snippet", "parentId", st.Parent, "maxResults", "100", "textFormat", "plainText")
	case st.List != "":
		return ask("playlistItems", listParts, "playlistId", st.List, "maxResults", "50")
	case s.Route == routeAPICaptions && st.Tracks == "list" && s.Ref.Kind == crawlers.RefPost:
		return ask("captions", "snippet", "videoId", s.Ref.ID)
	case s.Role == crawlers.RoleComments && s.Ref.Kind == crawlers.RefPost:
		return ask("commentThreads", "snippet,replies", "videoId", s.Ref.ID, "maxResults", "100", "order", "time", "textFormat", "plainText")
	}
	switch s.Ref.Kind {
	case crawlers.RefPost:
		return ask("videos", videoParts, "id", s.Ref.ID)
	case crawlers.RefComment:
		if s.Role == crawlers.RoleComments {
			return ask("comments", "snippet", "parentId", s.Ref.ID, "maxResults", "100", "textFormat", "plainText")
		}
		return ask("comments", "snippet", "id", s.Ref.ID, "textFormat", "plainText")
	case crawlers.RefAccount:
		const parts = "snippet,statistics,contentDetails,status,topicDetails,brandingSettings"
		switch {
		case strings.HasPrefix(s.Ref.ID, "@"):
			return ask("channels", parts, "forHandle", s.Ref.ID)
		case strings.HasPrefix(s.Ref.ID, "user/"):
			return ask("channels", parts, "forUsername", strings.TrimPrefix(s.Ref.ID, "user/"))
		}
		return ask("channels", parts, "id", s.Ref.ID)
	case crawlers.RefBoard:
		return ask("playlistItems", listParts, "playlistId", s.Ref.ID, "maxResults", "50")
	case crawlers.RefSearch:
		return ask("search", "snippet", "q", s.Ref.ID, "type", "video", "order", "date", "maxResults", "50")
	}
	return crawlers.Request{}, fmt.Errorf("youtube: request %s: the Data API has nothing for a %s", s.Ref.URL, s.Ref.Kind)
}

// clientVersion is the version of the pages' own client that InnerTube is told,
// as recorded on 2026-05-19.
const clientVersion = "2.20260519.10.00"

// tabParams are what InnerTube calls a channel's tabs, taken from recordings;
// "" for a tab that there is not.
func tabParams(tab string) string {
	switch tab {
	case "videos":
		return "EgZ2aWRlb3PyBgQKAjoA"
	case "shorts":
		return "EgZzaG9ydHPyBgUKA5oBAA%3D%3D"
	case "streams":
		return "EgdzdHJlYW1z8gYECgJ6AA%3D%3D"
	case "posts", "community":
		return "Egljb21tdW5pdHnyBgQKAkoA"
	}
	return ""
}

func innertubeRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	body := map[string]any{"context": map[string]any{"client": map[string]any{"clientName": "WEB", "clientVersion": clientVersion, "hl": "en", "gl": "US"}}}
	method := "browse"
	switch s.Ref.Kind {
	case crawlers.RefPost, crawlers.RefComment:
		method = "next"
	case crawlers.RefSearch:
		method = "search"
	}
	switch {
	case st.Token != "":
		body["continuation"] = st.Token
	case st.Browse != "":
		body["browseId"] = st.Browse
		if st.Params != "" {
			body["params"] = st.Params
		}
	case s.Ref.Kind == crawlers.RefPost && s.Role != crawlers.RoleComments:
		method = "player"
		body["videoId"] = s.Ref.ID
	case s.Ref.Kind == crawlers.RefPost:
		body["videoId"] = s.Ref.ID
	case s.Ref.Kind == crawlers.RefComment && s.Ref.Of != "":
		body["videoId"] = s.Ref.Of
	case s.Ref.Kind == crawlers.RefAccount && s.Ref.Alias, s.Ref.Kind == crawlers.RefShort, s.Ref.Kind == crawlers.RefTag:
		method = "navigation/resolve_url"
		body["url"] = s.Ref.URL
	case s.Ref.Kind == crawlers.RefAccount:
		body["browseId"] = s.Ref.ID
		body["params"] = tabParams(firstOf(st.Tab, "videos"))
	case s.Ref.Kind == crawlers.RefBoard:
		body["browseId"] = "VL" + s.Ref.ID
	case s.Ref.Kind == crawlers.RefSearch:
		body["query"] = s.Ref.ID
		body["params"] = "EgIQAfABAQ%3D%3D" // videos
	default:
		return crawlers.Request{}, fmt.Errorf("youtube: request %s: InnerTube has nothing for a %s", s.Ref.URL, s.Ref.Kind)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return crawlers.Request{}, fmt.Errorf("youtube: request %s: %w", s.Ref.URL, err)
	}
	return crawlers.Request{
		Method: "POST", URL: site + "/youtubei/v1/" + method + "?prettyPrint=false", Body: data,
		Header: crawlers.Header{"Content-Type": {"application/json"}, "Accept-Language": {"en-US,en;q=0.9"}, "X-Youtube-Client-Name": {"1"}, "X-Youtube-Client-Version": {clientVersion}, "Origin": {site}, "Referer": {site}},
	}, nil
}
