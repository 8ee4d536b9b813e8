package instagram

import (
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

// isMedium reports whether o is a medium of the Graph API.
func isMedium(o jsontree.Value) bool {
	if !isNumber(o.Get("id").String()) {
		return false
	}
	switch o.Get("media_type").String() {
	case "IMAGE", "VIDEO", "CAROUSEL_ALBUM":
		return true
	}
	return strings.Contains(o.Get("permalink").String(), "instagram.com/")
}

// readMedium reads a medium of the Graph API. Its id is of the API's own: the
// post's number is in its permalink; without one, the API's id names it.
func readMedium(o jsontree.Value, fetched time.Time) (*draft, bool) {
	d := &draft{Post: post.Post{ID: o.Get("id").String(), Kind: post.KindPost}}
	pk := ""
	if u, err := url.Parse(o.Get("permalink").String()); err == nil && u.Host != "" {
		if ref, ok := match(u, 0); ok && ref.Kind == crawlers.RefPost {
			pk, d.URL = ref.ID, ref.URL
		}
	}
	if code := o.Get("shortcode").String(); pk == "" && PK(code) != "" {
		pk, d.URL = PK(code), postURL(code)
	}
	if pk != "" {
		d.identities = append(d.identities, crawlers.Identity{Kind: crawlers.RefPost, Alias: d.ID, ID: pk, URL: d.URL})
		d.ID = pk
	}
	d.Account.Handle = first(o.Get("username").String(), o.Get("owner", "username").String())
	d.Account.ID = o.Get("owner", "id").String()
	d.Account.URL = accountURL(d.Account.Handle)
	d.say(o.Get("caption").String())
	if d.Created = graphTime(o.Get("timestamp").String()); d.Created.IsZero() {
		d.Created = bound(pk, fetched)
	}
	d.count("likes", o.Get("like_count"))
	d.count("comments", o.Get("comments_count"))
	d.count("views", exists(o.Get("view_count"), o.Get("video_views")))
	children := o.Get("children", "data").Array()
	for _, c := range children {
		d.mediumPart(c)
	}
	if len(children) == 0 {
		d.mediumPart(o)
	}
	if o.Get("media_type").String() == "VIDEO" {
		d.Kind = post.KindVideo
	}
	if o.Has("is_comment_enabled") && !o.Get("is_comment_enabled").Bool() {
		d.tag("comments off")
	}
	return d, true
}

func (d *draft) mediumPart(o jsontree.Value) {
	m := post.Media{Kind: post.MediaImage, URL: o.Get("media_url").String(), Alt: o.Get("alt_text").String()}
	cover := o.Get("thumbnail_url").String()
	if o.Get("media_type").String() == "VIDEO" {
		m.Kind = post.MediaVideo
		if m.URL == "" { // held back for its music: the video is there, its file is not served
			d.Media = append(d.Media, m)
			if isWeb(cover) {
				d.assets = append(d.assets, crawlers.Asset{URL: cover, Kind: post.MediaImage, Post: d.ID})
			}
			return
		}
	}
	d.media(m, cover)
}

// graphTime reads "2021-07-09T19:09:52+0000": its zone has no colon.
func graphTime(raw string) post.Time {
	for _, layout := range []string{"2006-01-02T15:04:05-0700", time.RFC3339} {
		if t, err := time.Parse(layout, raw); err == nil && t.Year() > 2000 && t.Year() < 3000 {
			return post.Exact(t, "")
		}
	}
	return post.Time{}
}

// isGraphURL reports whether raw is an address of the Graph API.
func isGraphURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return strings.HasPrefix(raw, "https://graph.facebook.com") || strings.HasPrefix(raw, "https://graph.instagram.com")
	}
	host := u.Hostname()
	return host == "graph.facebook.com" || host == "graph.instagram.com"
}

// graphAsks reports whether an address of the Graph API asks for things of
// Instagram, by its words alone: graph.facebook.com answers for both sites.
func graphAsks(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return strings.Contains(raw, "business_discovery") || strings.Contains(raw, "instagram_oembed")
	}
	if u.Hostname() == "graph.instagram.com" {
		return true
	}
	if u.Hostname() != "graph.facebook.com" {
		return false
	}
	switch path.Base(u.Path) {
	case "instagram_oembed", "ig_hashtag_search", "recent_media", "top_media", "recently_searched_hashtags", "mentioned_media":
		return true
	}
	fields := u.Query().Get("fields")
	for _, word := range []string{"business_discovery", "instagram_business_account", "media_type", "followers_count,media_count", "ig_id", "mentioned_"} {
		if strings.Contains(fields, word) {
			return true
		}
	}
	return false
}

// readError reads an error of the Graph API.
func readError(e jsontree.Value) crawlers.Page {
	code, _ := e.Get("code").Int()
	sub, _ := e.Get("error_subcode").Int()
	page := crawlers.Page{Reason: first(e.Get("message").String(), e.Get("error_user_msg").String(), "error of the Graph API")}
	lower := strings.ToLower(page.Reason)
	switch {
	case code == 4, code == 17, code == 32, code == 613, code == 80001, code == 80002, sub == 2207051, sub == 2446079:
		page.Outcome = post.RateLimited
		page.Wait = time.Hour
	case code == 190, code == 102, code == 10, code >= 200 && code <= 299:
		page.Outcome = post.NeedsKey
	case code == 110, sub == 2207013, strings.Contains(lower, "cannot find user"), strings.Contains(lower, "invalid user id"):
		page.Outcome = post.NotFound
	case sub == 2207024, strings.Contains(lower, "hashtag") && strings.Contains(lower, "does not exist"):
		page.Outcome = post.NotFound
	case code == 24, code == 803, code == 100 && sub == 33, strings.Contains(lower, "does not exist"), strings.Contains(lower, "no media"):
		page.Outcome = post.NotFound
	case code == 368, code == 459, code == 464:
		page.Outcome = post.Challenge
	case code == 1, code == 2:
		page.Outcome = post.ServerError
	case code == 100:
		page.Outcome = post.NeedsKey
	default:
		page.Outcome = post.UnexpectedType
	}
	return page
}
