package twitter

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// ReadItem reads one item of an export: a post of GraphQL (tweet_results, its
// result, or a TweetWithVisibilityResults), of API v1.1, of API v2 (with
// "includes" or flattened), of the embed, of an account's own archive, a line
// of a compliance job, a user of any of them, or a Zeeschuimer line that wraps
// one. The item stands first, what it carries (original, quoted post, parent)
// behind it. The posts have no FetchedAt, Capture or Reader: these are the
// importer's. It is false for what is none of these, or no JSON.
//
// A page of API v2 gives all its posts, see ReadPage.
func ReadItem(raw []byte) ([]post.Post, bool) {
	v, err := parse(raw)
	if err != nil {
		return nil, false
	}
	return ReadValue(v)
}

// ReadValue is ReadItem of JSON that is parsed already.
func ReadValue(v jsonx.Value) ([]post.Post, bool) {
	v = unwrap(v)
	if f, ok := item(v); ok {
		list := append([]post.Post{f.post}, f.inside...)
		for i := range list {
			list[i].Platform = platform
		}
		return list, true
	}
	return ReadPage(v)
}

// ReadPage reads the posts and profiles of a whole answer, in the order in which
// it lists them, each carried post before the one that carries it.
func ReadPage(v jsonx.Value) ([]post.Post, bool) {
	r := newReader()
	r.value(v)
	for i := range r.page.Posts {
		r.page.Posts[i].Platform = platform
	}
	return r.page.Posts, len(r.page.Posts) > 0
}

// unwrap takes an item out of what tools put around it.
func unwrap(v jsonx.Value) jsonx.Value {
	if v.Has("item_id") && v.Get("data").IsObject() && v.Get("source_platform").IsString() {
		v = v.Get("data") // Zeeschuimer
	}
	if t := v.Get("tweet_results", "result"); t.IsObject() {
		v = t
	}
	if t := v.Get("tweet"); t.IsObject() && len(v.Keys()) == 1 {
		v = t // an account's own archive
	}
	return v
}

// item reads a single post in any shape.
func item(v jsonx.Value) (found, bool) {
	kind := v.Get("__typename").String()
	switch {
	case kind == "TweetWithVisibilityResults" || isTweet(v):
		return tweet(v, 0)
	case isFlat(v):
		return flat(v, 0)
	case isV2(v):
		return shelve(v.Get("includes")).v2(v, 0)
	case kind == "User" || isV2User(v):
		p, ok := profile(v)
		return found{post: p}, ok
	}
	if p, ok := ReadCompliance(v, ""); ok {
		return found{post: p}, true
	}
	return found{}, false
}

// ReadCompliance reads a line of a compliance job: {id, action, created_at,
// reason}. It gives a post, or profile, without content, whose Outcome says why
// it is not public any more. The lines do not say whether they speak of posts or
// users: kind ("tweet" or "user") does, as the caller knows it of the job. Where
// it is "", the line's own time and reason must tell, or the answer is false.
func ReadCompliance(v jsonx.Value, kind string) (post.Post, bool) {
	number, action := id(v, "id"), v.Get("action").String()
	if number == "" || action == "" || !v.Get("reason").IsString() || v.Has("text") {
		return post.Post{}, false
	}
	reason := strings.ToLower(v.Get("reason").String())
	p := post.Post{ID: number, Kind: post.KindPost, URL: postURL(number), Created: moment(v.Get("created_at")), Tags: []string{"compliance:" + reason}}
	switch reason {
	case "deleted", "deactivated", "account_deleted":
		p.Outcome = post.Deleted
	case "protected":
		p.Outcome = post.Protected
	case "suspended":
		p.Outcome = post.Suspended
	case "scrub_geo":
		p.Outcome = post.OKMetaOnly // its place must go, the post stays
	default:
		p.Outcome = post.Unavailable
	}
	if kind == "" {
		switch byID := IDTime(number); {
		case reason == "deleted" || reason == "scrub_geo" || v.Has("redacted_at"):
			kind = "tweet"
		case byID.Time.IsZero() && p.Created.Time.After(firstTimedID):
			kind = "user" // posts of that time have longer numbers
		case !byID.Time.IsZero() && !p.Created.Time.IsZero() && byID.Time.Sub(p.Created.Time).Abs() > maxSkew:
			kind = "user"
		}
	}
	switch kind {
	case "tweet":
		return p, true
	case "user":
		p.ID, p.Kind, p.URL = "user:"+number, post.KindAccount, web+"/i/user/"+number
		p.Account = post.Account{Platform: platform, ID: number, URL: p.URL, Created: p.Created}
		return p, true
	}
	return post.Post{}, false
}

// parse reads one JSON document, also behind the assignment with which an
// account's own archive starts ("window.YTD.tweets.part0 = ", "Grailbird.data…").
func parse(body []byte) (jsonx.Value, error) {
	body = trim(body)
	if bytes.HasPrefix(body, []byte("window.YTD.")) || bytes.HasPrefix(body, []byte("Grailbird.data.")) {
		if i := bytes.IndexByte(body, '='); i > 0 && i < 200 {
			body = bytes.TrimRight(trim(body[i+1:]), "; \r\n")
		}
	}
	return jsonx.Parse(body)
}

func trim(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}

// maxLines bounds the lines of one body that are read one by one.
const maxLines = 1 << 20

// documents gives the JSON documents of a body: one, or one a line. broken
// counts lines that are no JSON.
func documents(body []byte) (list []jsonx.Value, broken int) {
	if v, err := parse(body); err == nil {
		return []jsonx.Value{v}, 0
	}
	rest := trim(body)
	if !bytes.HasPrefix(rest, []byte("{")) || !bytes.ContainsRune(rest, '\n') {
		return nil, 1
	}
	head, _, _ := bytes.Cut(rest, []byte("\n"))
	if !json.Valid(head) {
		// Pretty-printed JSON that is broken, or a first line that is.
		second, _, _ := bytes.Cut(rest[min(len(head)+1, len(rest)):], []byte("\n"))
		if !bytes.HasPrefix(trim(second), []byte("{")) {
			return nil, 1
		}
	}
	for len(rest) > 0 && len(list)+broken < maxLines {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		v, err := jsonx.Parse(line)
		if err != nil {
			broken++
			continue
		}
		list = append(list, v)
	}
	return list, broken
}
