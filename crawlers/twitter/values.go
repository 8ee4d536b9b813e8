package twitter

import (
	"encoding/base64"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// The clock of ids. Ids up to lastSequential were given in sequence and hold no
// time; the id behind it was made on 4 November 2010.
const (
	idEpoch        = 1288834974657 // milliseconds
	lastSequential = 29700859246
	maxSkew        = time.Minute // between an id and the time that a line states
)

var (
	firstPost     = time.Date(2006, 3, 21, 20, 50, 14, 0, time.UTC) // of post 20, the oldest that is left
	firstTimedID  = time.Date(2010, 11, 4, 22, 0, 0, 0, time.UTC)
	twitterQuotes = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
)

// IDTime is when a post was made, by its id: the exact millisecond, or, for ids
// of before 4 November 2010, an interval. It is zero for what is no id.
func IDTime(id string) post.Time {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 || !isID(id) {
		return post.Time{}
	}
	if n <= lastSequential {
		return post.Between(firstPost, firstTimedID, "", post.SourceID)
	}
	return post.Time{Time: time.UnixMilli(n>>22 + idEpoch).UTC(), Source: post.SourceID}
}

// moment reads a time as any of the APIs writes it.
func moment(v jsonx.Value) post.Time {
	s := v.String()
	if s == "" {
		return post.Time{}
	}
	layout := time.RFC3339
	if s[0] > '9' {
		layout = time.RubyDate
	}
	if t, err := time.Parse(layout, s); err == nil && t.Year() > 1900 {
		return post.Exact(t, "")
	}
	t, _ := dates.Parse(s)
	return t
}

// text decodes what X escapes in texts of posts, and nothing else.
func text(v jsonx.Value) string { return twitterQuotes.Replace(v.String()) }

// id gives the number of a post or user from the first of keys that holds one.
// A number that went through a floating point is not one: "id" is trusted only
// where the digits can be whole.
func id(v jsonx.Value, keys ...string) string {
	for _, k := range keys {
		x := v.Get(k)
		s := x.String()
		if !isID(s) {
			continue
		}
		if !x.IsString() && len(s) > 16 && strings.HasSuffix(s, "00") && v.Has(k+"_str") {
			continue
		}
		return s
	}
	return ""
}

// nodeID reads the opaque id of GraphQL: base64 of "User:783214".
func nodeID(s, kind string) string {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(raw) > 64 {
		return ""
	}
	if n, ok := strings.CutPrefix(string(raw), kind+":"); ok && isID(n) {
		return n
	}
	return ""
}

// count adds a count where v states one.
func count(list []post.Count, name string, v jsonx.Value) []post.Count {
	n, ok := v.Int()
	if !ok || n < 0 {
		return list
	}
	for _, c := range list {
		if c.Name == name {
			return list
		}
	}
	return append(list, post.ExactCount(name, n))
}

// notServed adds counts that a route never carries.
func notServed(list []post.Count, names ...string) []post.Count {
next:
	for _, n := range names {
		for _, c := range list {
			if c.Name == n {
				continue next
			}
		}
		list = append(list, post.Count{Name: n, Precision: post.PrecisionUnknown, State: post.StateNotServed})
	}
	return list
}

// link makes an address whole. It is false for what is not on the web.
func link(raw string) (string, bool) {
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > 8192 {
		return "", false
	}
	if strings.HasPrefix(raw, "//") {
		raw = "https:" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	return raw, true
}

// add appends s once.
func add(list []string, s string) []string {
	if s == "" {
		return list
	}
	for _, x := range list {
		if x == s {
			return list
		}
	}
	return append(list, s)
}

var sourceName = regexp.MustCompile(`^\s*<a [^>]*>([^<]*)</a>\s*$`)

// source is the name of the program that a post was written with.
func source(v jsonx.Value) string {
	s := v.String()
	if m := sourceName.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	s = strings.TrimSpace(html.UnescapeString(s))
	if s == "" || len(s) > 200 || strings.ContainsAny(s, "<>\n") {
		return ""
	}
	return "source:" + s
}
