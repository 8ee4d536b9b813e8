package tiktok

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// code reads the number by which a page says that it does not show what was
// asked for, with the words beside it.
func (r *reader) code(number, words string) {
	if number == "" || number == "0" {
		return
	}
	o, reason := codeOutcome(number, words)
	if r.page.Outcome == "" || r.page.Outcome == post.Unavailable {
		r.fail(o, reason)
	}
	if o == post.Unavailable {
		r.confirm()
	}
}

// codeOutcome maps the site's codes. 10204 is read in two ways by those who know
// them ("not available", "your address is blocked"), so it is unavailable.
func codeOutcome(number, words string) (post.Outcome, string) {
	reason := strings.TrimSpace(fmt.Sprintf("code %s %s", number, words))
	lower := strings.ToLower(words)
	for _, w := range []struct {
		word    string
		outcome post.Outcome
	}{
		{"status_deleted", post.Deleted}, {"self_see", post.Private}, {"friend_see", post.Private}, {"author_secret", post.Private},
		{"cross_border", post.GeoBlocked}, {"audit_not_pass", post.Removed}, {"not_pass", post.Removed}, {"doesn't exist", post.NotFound}, {"not exist", post.NotFound}, {"private", post.Private},
		{"verify", post.BotCheck}, {"captcha", post.BotCheck},
	} {
		if strings.Contains(lower, w.word) {
			return w.outcome, reason
		}
	}
	switch number {
	case "10216", "10222":
		return post.Private, reason
	case "10202", "10221":
		return post.NotFound, reason
	case "10231":
		return post.GeoBlocked, reason
	case "10000", "10001":
		return post.BotCheck, reason
	case "10101", "10102", "500":
		return post.ServerError, reason
	case "404":
		return post.NotFound, reason
	}
	return post.Unavailable, reason
}

// wall tells the pages of TikTok that are not an answer.
func wall(ex crawlers.Exchange) (post.Outcome, string) {
	head := ex.Body[:min(len(ex.Body), 256<<10)]
	title := crawlers.Title(head)
	lower := strings.ToLower(title)
	switch {
	case bytes.Contains(head, []byte(`id="wci"`)) || bytes.Contains(head, []byte("_wafchallengeid")) || strings.HasPrefix(lower, "please wait"):
		return post.Challenge, "Please wait… (a proof of work for browsers)"
	case strings.Contains(lower, "security check") || bytes.Contains(head, []byte("captcha_container")) && len(ex.Body) < 64<<10 || lower == "verify to continue":
		return post.BotCheck, title
	case bytes.HasPrefix(bytes.TrimSpace(head), []byte("overload-protect")):
		return post.RateLimited, "overload-protect triggered"
	case strings.HasPrefix(lower, "log in | tiktok") || strings.HasPrefix(lower, "login | tiktok"):
		return post.LoginWall, title
	}
	return "", ""
}

// answer reads the words of an error of the Research API, of oEmbed, and of the
// site's own interfaces.
func answerOutcome(ex crawlers.Exchange, v jsonx.Value) (post.Outcome, string) {
	if e := v.Get("error"); e.IsObject() {
		kind, words := e.Get("code").String(), e.Get("message").String()
		reason := strings.TrimSpace(kind + ": " + words)
		lower := strings.ToLower(words)
		switch kind {
		case "ok", "":
			return "", ""
		case "access_token_invalid", "scope_not_authorized", "scope_permission_missed", "unauthorized", "invalid_client":
			return post.NeedsKey, reason
		case "rate_limit_exceeded", "daily_quota_limit_exceeded", "quota_limit_exceeded":
			return post.RateLimited, reason
		case "internal_error", "timeout":
			return post.ServerError, reason
		case "not_found":
			return post.NotFound, reason
		}
		switch {
		case strings.Contains(lower, "private"):
			return post.Private, reason
		case strings.Contains(lower, "not found"), strings.Contains(lower, "cannot find"), strings.Contains(lower, "can not be found"), strings.Contains(lower, "does not exist"), strings.Contains(lower, "doesn't exist"), strings.Contains(lower, "cannot be found"):
			return post.NotFound, reason
		case ex.Status == 401 || ex.Status == 403:
			return post.NeedsKey, reason
		case ex.Status >= 500:
			return post.ServerError, reason
		}
		return post.UnexpectedType, reason
	}
	if s := v.Get("error"); s.IsString() { // of the token request
		return post.NeedsKey, strings.TrimSpace(s.String() + ": " + v.Get("error_description").String())
	}
	words := first(v.Get("status_msg"), v.Get("statusMsg"), v.Get("message"))
	for _, c := range []jsonx.Value{v.Get("statusCode"), v.Get("status_code")} {
		if s := c.String(); s != "" && s != "0" {
			return codeOutcome(s, words)
		}
	}
	switch {
	case ex.Status == 404:
		return post.NotFound, "status 404: " + words
	case ex.Status == 400 && (v.Has("code") || words != ""):
		return post.Unavailable, "status 400: " + words // oEmbed, of what is gone, private or never was
	case ex.Status == 0 && v.Has("code") && v.Get("message").IsString() && !v.Has("data"):
		return post.Unavailable, words
	}
	return "", ""
}
