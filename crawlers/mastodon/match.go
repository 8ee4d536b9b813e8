package mastodon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/urlform"
)

func segments(path string) []string {
	var list []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "" {
			list = append(list, s)
		}
	}
	return list
}

// otherSite reports whether host belongs to a platform whose addresses look like
// Mastodon's and are not.
func otherSite(host string) bool {
	for _, site := range []string{"tiktok.com", "youtube.com", "medium.com", "threads.net", "threads.com", "instagram.com", "facebook.com", "twitter.com", "x.com", "tumblr.com", "substack.com", "vimeo.com", "pinterest.com",
		"odysee.com", "rumble.com", "flipboard.com", "bsky.app", "t.me", "vk.com", "reddit.com", "github.com", "npmjs.com", "jsr.io", "stackoverflow.com", "stackexchange.com", "livejournal.com", "quora.com", "linktr.ee", "matters.town", "mirror.xyz", "dev.to", "producthunt.com", "kakao.com", "observablehq.com", "codepen.io", "replit.com", "vlive.tv", "likee.video"} {
		if host == site || strings.HasSuffix(host, "."+site) {
			return true
		}
	}
	return false
}

// Match knows an account or post by the shape of its address.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return none, false
	}
	host := urlform.Host(u)
	if !strings.Contains(host, ".") || otherSite(strings.ToLower(u.Hostname())) {
		return none, false
	}
	parts := segments(u.Path)
	if len(parts) > 1 && parts[0] == "web" {
		parts = parts[1:]
	}
	if len(parts) == 0 {
		return none, false
	}
	if name, ok := strings.CutPrefix(parts[0], "@"); ok {
		return matchUser(host, name, parts[1:])
	}
	if parts[0] != "users" || len(parts) < 2 {
		return none, false
	}
	name, rest := trimForm(parts[1]), parts[2:]
	if !isUser(name) || isNumber(name) { // /users/12345 is another program's
		return none, false
	}
	switch {
	case len(rest) == 0, rest[0] == "outbox", rest[0] == "followers", rest[0] == "following", rest[0] == "collections":
		return accountRef(name, host), true
	case rest[0] == "statuses" && len(rest) > 1 && isID(rest[1]):
		return postRef(name, rest[1], host), true
	}
	return none, false
}

// matchUser reads what follows the @ of an account.
func matchUser(host, name string, rest []string) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	home := host
	if len(rest) == 0 {
		name = trimForm(name)
	}
	if user, at, ok := strings.Cut(name, "@"); ok {
		hu, err := url.Parse("https://" + at)
		if err != nil || hu.Path != "" || hu.User != nil {
			return none, false
		}
		if name, home = user, urlform.Host(hu); !strings.Contains(home, ".") || otherSite(home) {
			return none, false
		}
	}
	if !isUser(name) {
		return none, false
	}
	if len(rest) == 0 {
		return accountRef(name, home), true
	}
	switch {
	case rest[0] == "with_replies", rest[0] == "media", rest[0] == "followers", rest[0] == "following", rest[0] == "featured", rest[0] == "tagged":
		return accountRef(name, home), true
	case rest[0] == "statuses" && len(rest) > 1 && isID(rest[1]):
		rest = rest[1:]
	case !isNumber(trimForm(rest[0])):
		return none, false
	}
	id := trimForm(rest[0])
	if home != host { // the number is this server's, its page too
		r := postRef(name, id, host)
		r.URL = "https://" + host + "/@" + name + "@" + home + "/" + id
		return r, true
	}
	return postRef(name, id, host), true
}

// trimForm cuts the ending by which a form is asked for.
func trimForm(s string) string {
	for _, ending := range []string{".rss", ".atom", ".json"} {
		if t, ok := strings.CutSuffix(s, ending); ok {
			return t
		}
	}
	return s
}

func accountRef(name, host string) crawlers.Ref {
	name = strings.ToLower(name)
	return crawlers.Ref{Platform: platform, Kind: crawlers.RefAccount, ID: name + "@" + host, Alias: true, URL: "https://" + host + "/@" + name}
}

func postRef(name, id, host string) crawlers.Ref {
	path := "/@" + strings.ToLower(name) + "/"
	if !isNumber(id) {
		path += "statuses/" // as Mastodon's kin with other ids write it
	}
	return crawlers.Ref{Platform: platform, Kind: crawlers.RefPost, ID: id + "@" + host, URL: "https://" + host + path + id}
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// isID accepts the numbers of Mastodon and the letters of its kin.
func isID(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// isUser accepts the names that Mastodon and its kin allow.
func isUser(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_.-") == "" && s[0] != '.' && s[len(s)-1] != '.'
}

// A state is what Step.State holds.
type state struct {
	Before string `json:"before,omitempty"` // id of the oldest post of the page before
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
	if err := d.Decode(&s); err != nil || s.Before != "" && !isID(s.Before) {
		return state{}, fmt.Errorf("mastodon: state %q of a step is not one of ours", data)
	}
	return s, nil
}

// split parts NUMBER@HOST and USER@HOST.
func split(id string) (local, host string) {
	local, host, _ = strings.Cut(id, "@")
	return local, host
}

// Request says what to ask for to do s.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	none := crawlers.Request{}
	r := s.Ref
	if r.Platform != platform {
		return none, fmt.Errorf("mastodon: request: a step of %q, not of mastodon", r.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return none, err
	}
	u, err := url.Parse(r.URL)
	if err != nil || urlform.Host(u) == "" {
		return none, fmt.Errorf("mastodon: request: %q names no server", r.URL)
	}
	base := "https://" + urlform.Host(u)
	local, _ := split(r.ID)
	feed := s.Route == routeFeed
	switch {
	case s.Route != "" && !feed && s.Route != routeAPI:
		return none, fmt.Errorf("mastodon: request %s: there is no route %q, only api and feed", r.URL, s.Route)
	case s.Role == crawlers.RoleComments && r.Kind == crawlers.RefPost && !feed:
		return crawlers.Request{URL: base + "/api/v1/statuses/" + url.PathEscape(local) + "/context"}, nil
	case s.Role != "" && s.Role != crawlers.RolePage && s.Role != crawlers.RoleHydrate:
		return none, fmt.Errorf("mastodon: request %s: there is nothing to ask for role %q", r.URL, s.Role)
	case r.Kind == crawlers.RefPost && !feed:
		return crawlers.Request{URL: base + "/api/v1/statuses/" + url.PathEscape(local)}, nil
	case r.Kind == crawlers.RefAccount && feed:
		return crawlers.Request{URL: strings.TrimSuffix(r.URL, "/") + ".rss"}, nil
	case r.Kind == crawlers.RefAccount && r.Alias:
		return crawlers.Request{URL: base + "/api/v1/accounts/lookup?" + url.Values{"acct": {local}}.Encode()}, nil
	case r.Kind == crawlers.RefAccount:
		q := fmt.Sprintf("?limit=%d", apiPage)
		if st.Before != "" {
			q += "&max_id=" + url.QueryEscape(st.Before)
		}
		return crawlers.Request{URL: base + "/api/v1/accounts/" + url.PathEscape(local) + "/statuses" + q}, nil
	}
	return none, fmt.Errorf("mastodon: request %s: the route %s does not serve a %s", r.URL, s.Route, r.Kind)
}
