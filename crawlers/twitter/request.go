package twitter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

// A state is what Step.State holds.
type state struct {
	User  string `json:"user,omitempty"`  // number of the account whose posts are listed
	Next  string `json:"next,omitempty"`  // pagination token of API v2
	Count int    `json:"count,omitempty"` // posts on the pages before
	Retry int    `json:"retry,omitempty"` // 1: the token of the request before was not accepted
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
		return state{}, fmt.Errorf("x: state of a step: %w", err)
	}
	if s.User != "" && !isID(s.User) {
		return state{}, fmt.Errorf("x: state of a step: %q is no number of a user", s.User)
	}
	return s, nil
}

// Request says what to ask for to do s.
func (c Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	none := crawlers.Request{}
	if s.Ref.Platform != platform {
		return none, fmt.Errorf("x: request: a step of %q, not of x", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return none, err
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleComments, crawlers.RoleHydrate, crawlers.RoleResolve:
	default:
		return none, fmt.Errorf("x: request %s: there is no role %q", s.Ref.URL, s.Role)
	}
	switch s.Route {
	case "", routeSyndication:
		return syndicationRequest(s, st)
	case routeOEmbed:
		if s.Ref.Kind != crawlers.RefPost || s.Role == crawlers.RoleComments {
			return none, fmt.Errorf("x: request %s: oEmbed gives single posts only; accounts, searches and replies need route api and keys.x", s.Ref.URL)
		}
		q := url.Values{"url": {"https://x.com/i/status/" + s.Ref.ID}, "omit_script": {"true"}, "dnt": {"true"}, "lang": {"en"}}
		return crawlers.Request{URL: publish + "/oembed?" + q.Encode()}, nil
	case routeAPI:
		return apiRequest(s, st)
	}
	return none, fmt.Errorf("x: request %s: there is no route %q, only api, syndication and oembed", s.Ref.URL, s.Route)
}

func syndicationRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	switch {
	case s.Ref.Kind == crawlers.RefShort:
		return crawlers.Request{URL: s.Ref.URL}, nil
	case s.Ref.Kind != crawlers.RefPost || s.Role == crawlers.RoleComments:
		return crawlers.Request{}, fmt.Errorf("x: request %s: without a key there are single posts only; set keys.x, or import the posts", s.Ref.URL)
	}
	token := Token(s.Ref.ID)
	if token == "" {
		return crawlers.Request{}, fmt.Errorf("x: request %s: %q is no number of a post", s.Ref.URL, s.Ref.ID)
	}
	if st.Retry > 0 {
		// Fewer digits: as a client with another rounding would write it.
		token = token[:max(1, len(token)-2)]
	}
	q := url.Values{"id": {s.Ref.ID}, "lang": {"en"}, "token": {token}}
	return crawlers.Request{URL: embed + "/tweet-result?" + q.Encode()}, nil
}

// The fields that are asked of API v2.
const (
	tweetFields = "article,attachments,author_id,community_id,conversation_id,created_at,display_text_range,edit_controls,edit_history_tweet_ids,entities,geo,id,in_reply_to_user_id,lang,note_tweet,possibly_sensitive,public_metrics,referenced_tweets,reply_settings,source,text,withheld"
	userFields  = "created_at,description,entities,id,location,name,pinned_tweet_id,profile_banner_url,profile_image_url,protected,public_metrics,url,username,verified,verified_type,withheld"
	mediaFields = "alt_text,duration_ms,height,media_key,preview_image_url,public_metrics,type,url,variants,width"
	expansions  = "article.cover_media,attachments.media_keys,attachments.poll_ids,author_id,edit_history_tweet_ids,geo.place_id,in_reply_to_user_id,referenced_tweets.id,referenced_tweets.id.author_id,referenced_tweets.id.attachments.media_keys"
)

func tweetQuery() url.Values {
	return url.Values{
		"tweet.fields": {tweetFields}, "user.fields": {userFields}, "media.fields": {mediaFields}, "expansions": {expansions},
		"poll.fields": {"duration_minutes,end_datetime,id,options,voting_status"}, "place.fields": {"country_code,full_name,id"},
	}
}

func apiRequest(s crawlers.Step, st state) (crawlers.Request, error) {
	r := s.Ref
	q := tweetQuery()
	listing := func() {
		q.Set("max_results", strconv.Itoa(pageSize))
	}
	path := ""
	switch r.Kind {
	case crawlers.RefPost:
		if !isID(r.ID) {
			return crawlers.Request{}, fmt.Errorf("x: request %s: %q is no number of a post", r.URL, r.ID)
		}
		if s.Role == crawlers.RoleComments {
			path = "/2/tweets/search/recent"
			listing()
			q.Set("query", "conversation_id:"+r.ID)
			if st.Next != "" {
				q.Set("next_token", st.Next)
			}
			break
		}
		path = "/2/tweets"
		q.Set("ids", r.ID)
	case crawlers.RefAccount:
		if st.User != "" {
			path = "/2/users/" + st.User + "/tweets"
			listing()
			if st.Next != "" {
				q.Set("pagination_token", st.Next)
			}
			break
		}
		q = url.Values{"user.fields": {userFields}}
		path = "/2/users/by/username/" + url.PathEscape(strings.TrimPrefix(r.ID, "@"))
		if isID(r.ID) {
			path = "/2/users/" + r.ID
		}
	case crawlers.RefTag, crawlers.RefSearch:
		path = "/2/tweets/search/recent"
		listing()
		query := r.ID
		if r.Kind == crawlers.RefTag {
			query = "#" + r.ID
		}
		q.Set("query", query)
		if st.Next != "" {
			q.Set("next_token", st.Next)
		}
	case crawlers.RefBoard:
		path = "/2/lists/" + url.PathEscape(r.ID) + "/tweets"
		listing()
		if st.Next != "" {
			q.Set("pagination_token", st.Next)
		}
	case crawlers.RefGroup:
		path = "/2/communities/" + url.PathEscape(r.ID)
		q = url.Values{"community.fields": {"access,created_at,description,id,join_policy,member_count,name"}}
	case crawlers.RefMedia:
		path = "/2/spaces/" + url.PathEscape(strings.TrimPrefix(r.ID, "space/"))
		q = url.Values{
			"space.fields": {"created_at,creator_id,ended_at,id,lang,participant_count,scheduled_start,started_at,state,subscriber_count,title,updated_at"},
			"expansions":   {"creator_id"}, "user.fields": {userFields},
		}
	default:
		return crawlers.Request{}, fmt.Errorf("x: request %s: the API has nothing for a %s", r.URL, r.Kind)
	}
	return crawlers.Request{URL: api + path + "?" + q.Encode(), Key: keyName}, nil
}
