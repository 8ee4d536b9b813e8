package blogspot

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// wall tells Blogger's own walls and tombstones.
func wall(ex crawlers.Exchange) (crawlers.Page, bool) {
	if ex.Status >= 300 && ex.Status < 400 {
		return redirectWall(ex)
	}
	if ex.Status >= 400 && isAPI(ex) {
		if page, ok := apiError(ex); ok {
			return page, true
		}
	}
	if crawlers.LooksHTML(ex) {
		return noticeWall(ex)
	}
	return crawlers.Page{}, false
}

func redirectWall(ex crawlers.Exchange) (crawlers.Page, bool) {
	from, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Page{}, false
	}
	to, err := from.Parse(ex.Header.Get("Location"))
	if err != nil {
		return crawlers.Page{}, false
	}
	host, p := strings.ToLower(to.Hostname()), strings.ToLower(to.Path)
	page := crawlers.Page{Reason: "redirect to " + to.Redacted()}
	switch {
	case host == "accounts.google.com":
		page.Outcome = post.Private // only invited readers are asked who they are
	case strings.Contains(p, "/blogin.g"), strings.Contains(p, "age-verification"), strings.Contains(p, "interstitial"):
		page.Outcome = post.AgeGated
	case strings.HasPrefix(p, "/sorry"):
		page.Outcome = post.RateLimited
	default:
		return crawlers.Page{}, false
	}
	return page, true
}

// notices are the words of Blogger's own pages, with the title that they must
// stand under where a post might quote them.
func notices() []struct {
	words   string
	outcome post.Outcome
} {
	return []struct {
		words   string
		outcome post.Outcome
	}{
		{"open to invited readers only", post.Private},
		{"This blog is private", post.Private},
		{"You do not have permission to access this blog", post.Private},
		{"has been removed. This address is not available for new blogs", post.Removed},
		{"blog has been removed", post.Removed},
		{"This blog is under review due to possible Blogger Terms of Service violations", post.Unavailable},
		{"Some readers of this blog have contacted Google because they believe this blog's content is objectionable", post.AgeGated},
		{"This blog may contain content only suitable for adults", post.AgeGated},
		{"The blog that you are about to view may contain content only suitable for adults", post.AgeGated},
		{"the page you were looking for in this blog does not exist", post.NotFound},
	}
}

// noticeWall tells pages that Blogger shows instead of a blog. A page with a
// post on it is never one: a post may quote the words.
func noticeWall(ex crawlers.Exchange) (crawlers.Page, bool) {
	if bytes.Contains(ex.Body, []byte("post-body")) && ex.Status < 400 {
		return crawlers.Page{}, false
	}
	for _, n := range notices() {
		if bytes.Contains(ex.Body, []byte(n.words)) {
			return crawlers.Page{Outcome: n.outcome, Reason: n.words}, true
		}
	}
	return crawlers.Page{}, false
}

// isAPI reports whether an exchange is one of API v3, by its address or, for a
// saved file, by its words.
func isAPI(ex crawlers.Exchange) bool {
	u, err := url.Parse(ex.URL)
	if err == nil && strings.HasSuffix(u.Hostname(), ".googleapis.com") {
		return true
	}
	head := ex.Body[:min(len(ex.Body), 4096)]
	return bytes.Contains(head, []byte(`"blogger#`)) && !bytes.Contains(head, []byte(`"$t"`))
}

// apiError reads the error object of Google's APIs.
func apiError(ex crawlers.Exchange) (crawlers.Page, bool) {
	v, err := jsonx.Parse(ex.Body)
	if err != nil || !v.Get("error").IsObject() {
		return crawlers.Page{}, false
	}
	e := v.Get("error")
	reason := e.Get("errors").At(0).Get("reason").String()
	words := strings.TrimSpace(reason + ": " + e.Get("message").String())
	page := crawlers.Page{Reason: strings.TrimPrefix(words, ": ")}
	lower := strings.ToLower(words)
	switch {
	case strings.Contains(lower, "ratelimit"), strings.Contains(lower, "quota"), strings.Contains(lower, "dailylimit"), ex.Status == 429:
		page.Outcome = post.RateLimited
	case strings.Contains(lower, "keyinvalid"), strings.Contains(lower, "api key"), strings.Contains(lower, "accessnotconfigured"), strings.Contains(lower, "unregistered"), ex.Status == 401:
		page.Outcome = post.NeedsKey
	case ex.Status == 403:
		page.Outcome = post.Private
	case ex.Status == 404, ex.Status == 410:
		page.Outcome = post.NotFound
	case ex.Status >= 500:
		page.Outcome = post.ServerError
	default:
		page.Outcome = post.UnexpectedType
	}
	return page, true
}
