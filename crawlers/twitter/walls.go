package twitter

import (
	"fmt"
	"strings"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// saying maps what X says in place of a post or account to an outcome. The
// words are those of tombstones, of errors of all APIs, and of GraphQL's
// "reason"; "" for what is not known.
func saying(words string) post.Outcome {
	s := strings.ToLower(words)
	for _, w := range []struct {
		all     []string
		outcome post.Outcome
	}{
		{[]string{"age-restricted"}, post.AgeGated},
		{[]string{"age restricted"}, post.AgeGated},
		{[]string{"nsfw"}, post.AgeGated},
		{[]string{"adult content"}, post.AgeGated},
		{[]string{"under the age"}, post.AgeGated},
		{[]string{"withheld"}, post.Withheld},
		{[]string{"no longer exists", "account"}, post.Deleted},
		{[]string{"deleted by"}, post.Deleted},
		{[]string{"suspend"}, post.Suspended},
		{[]string{"violated the"}, post.Removed},
		{[]string{"copyright"}, post.Removed},
		{[]string{"limits who can view"}, post.Protected},
		{[]string{"protected"}, post.Protected},
		{[]string{"not authorized to see"}, post.Protected},
		{[]string{"not authorized to view"}, post.Protected},
		{[]string{"deactivated"}, post.Deleted},
		{[]string{"could not find"}, post.NotFound},
		{[]string{"not found"}, post.NotFound},
		{[]string{"no status found"}, post.NotFound},
		{[]string{"no user matches"}, post.NotFound},
		{[]string{"does not exist"}, post.NotFound},
		{[]string{"doesn’t exist"}, post.NotFound},
		{[]string{"doesn't exist"}, post.NotFound},
		{[]string{"unavailable"}, post.Unavailable},
		{[]string{"you’re unable to view"}, post.Unavailable},
		{[]string{"you're unable to view"}, post.Unavailable},
		{[]string{"is from an account"}, post.Unavailable},
	} {
		hit := true
		for _, part := range w.all {
			hit = hit && strings.Contains(s, part)
		}
		if hit {
			return w.outcome
		}
	}
	return ""
}

// tombstone reads what stands in place of a post. Words that are not known, and
// none at all, are unavailable: X has put an empty tombstone before live posts.
func tombstone(v jsonx.Value) (post.Outcome, string) {
	words := strings.TrimSpace(first(v.Get("tombstone", "text", "text"), v.Get("tombstone", "text"), v.Get("tombstone", "richText", "text"), v.Get("text", "text"), v.Get("reason"), v.Get("message")))
	words = strings.TrimSpace(strings.TrimSuffix(words, "Learn more"))
	if words == "" {
		return post.Unavailable, "a tombstone without a reason"
	}
	if o := saying(words); o != "" {
		return o, words
	}
	return post.Unavailable, words
}

// A fault is one entry of an answer's errors.
type fault struct {
	outcome post.Outcome
	reason  string
	kind    string // "tweet" or "user", where it says
	id      string // of what it speaks about
	param   string // of the request
}

// faultOf reads an error of any of the APIs: GraphQL and v1.1 with codes, v2
// with problem types.
func faultOf(v jsonx.Value) fault {
	words := first(v.Get("detail"), v.Get("message"), v.Get("title"), v.Get("reason"))
	f := fault{reason: words, kind: v.Get("resource_type").String(), param: v.Get("parameter").String(), id: id(v, "resource_id", "value")}
	problem := v.Get("type").String()
	if i := strings.LastIndexByte(problem, '/'); i >= 0 {
		problem = problem[i+1:]
	}
	if problem != "" && problem != "about:blank" {
		f.reason = strings.TrimSpace(problem + ": " + words)
	}
	status, _ := v.Get("status").Int()
	code, _ := v.Get("code").Int()
	if code != 0 {
		f.reason = fmt.Sprintf("error %d: %s", code, words)
	}
	switch problem {
	case "resource-not-found", "not-authorized-for-resource", "disallowed-resource", "resource-unavailable":
		if f.outcome = saying(words); f.outcome == "" || f.outcome == post.Unavailable {
			f.outcome = map[string]post.Outcome{"resource-not-found": post.NotFound, "not-authorized-for-resource": post.Protected}[problem]
		}
		if f.outcome == "" {
			f.outcome = post.Unavailable
		}
		return f
	case "usage-capped", "streaming-connection", "rule-cap":
		f.outcome = post.RateLimited
		return f
	case "client-forbidden", "unsupported-authentication", "not-authorized-for-field", "oauth1-permissions", "invalid-oauth-token", "credits-depleted", "credits":
		f.outcome = post.NeedsKey
		return f
	case "invalid-request", "invalid-rules", "duplicate-rules", "operational-disconnect", "client-disconnected":
		f.outcome = post.UnexpectedType
		return f
	}
	switch code {
	case 17, 34, 50, 144, 8:
		f.outcome = post.NotFound
	case 63:
		f.outcome = post.Suspended
	case 179:
		f.outcome = post.Protected
	case 88, 429, 185:
		f.outcome = post.RateLimited
	case 32, 89, 99, 135, 200, 215, 220, 239, 348, 353, 64, 326, 37:
		f.outcome = post.NeedsKey
		if o := saying(words); o == post.Suspended || o == post.Protected {
			f.outcome = o
		}
	case 29, 130, 131, 503, 130131:
		f.outcome = post.ServerError
	case 214, 356, 25, 47, 195:
		f.outcome = post.UnexpectedType
	case 422, 421:
		f.outcome = post.Removed
	}
	if f.outcome != "" {
		return f
	}
	lower := strings.ToLower(v.Get("name").String() + " " + words + " " + v.Get("title").String())
	switch {
	case strings.Contains(lower, "deadlineexceeded"), strings.Contains(lower, "timeout"), strings.Contains(lower, "over capacity"), strings.Contains(lower, "internal"), strings.Contains(lower, "dependency"):
		f.outcome = post.ServerError
	case status == 402, strings.Contains(lower, "credits"):
		f.outcome = post.NeedsKey
	case strings.Contains(lower, "rate limit"), strings.Contains(lower, "too many requests"), status == 429:
		f.outcome = post.RateLimited
	case strings.Contains(lower, "unauthorized"), strings.Contains(lower, "could not authenticate"), strings.Contains(lower, "forbidden"), status == 401, status == 403:
		f.outcome = post.NeedsKey
		if o := saying(words); o != "" {
			f.outcome = o
		}
	case status >= 500:
		f.outcome = post.ServerError
	default:
		f.outcome = saying(words)
	}
	if f.outcome == "" {
		f.outcome = post.UnexpectedType
	}
	return f
}

// faults reads all errors of an answer.
func faults(v jsonx.Value) []fault {
	var list []fault
	for _, e := range v.Get("errors").Array() {
		if e.IsObject() {
			list = append(list, faultOf(e))
		}
	}
	if len(list) == 0 && v.Get("title").IsString() && (v.Get("detail").IsString() || v.Get("type").IsString()) && !v.Has("data") && !v.Has("html") {
		list = append(list, faultOf(v)) // a problem document
	}
	if len(list) == 0 && v.Get("error").IsString() && !v.Has("data") {
		list = append(list, faultOf(jsonx.Of(map[string]any{"message": v.Get("error").String(), "code": nil})))
	}
	return list
}
