package facebook

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// Identify reports whom an exchange is about.
func (Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil {
		u = &url.URL{}
	}
	host := strings.ToLower(u.Hostname())
	if ref, ok := match(u, 0); ok && host != "" {
		return ref, true
	}
	here := ourHost(host)
	if crawlers.LooksHTML(ex) {
		if !here && !bytes.Contains(ex.Body, []byte("fbcdn.net")) {
			return crawlers.Ref{}, false
		}
		h := pagescan.ReadHead(headPart(ex.Body))
		self, ok := selfRef(h, "")
		if ok && (here || strings.HasPrefix(h.Meta("al:ios:url"), "fb://") || bytes.Contains(ex.Body, []byte("static.xx.fbcdn.net/rsrc.php"))) {
			return self, true
		}
		if here && ours(ex.Body) {
			return siteRef(), true
		}
		return crawlers.Ref{}, false
	}
	isGraph := strings.HasPrefix(ex.URL, "https://graph.facebook.com") || host == "graph.facebook.com"
	v, err := jsontree.Parse(jsonBody(ex.Body))
	if err != nil {
		if here && (strings.HasPrefix(u.Path, "/api/graphql") || strings.HasPrefix(u.Path, "/ajax/")) {
			return fromRequest(ex)
		}
		return crawlers.Ref{}, false
	}
	if isScraped(v.At(0)) || isScraped(v) {
		return content(v)
	}
	switch {
	case here:
	case isGraph:
		if asksInstagram(u) || saysInstagram(v) {
			return crawlers.Ref{}, false
		}
	default:
		return crawlers.Ref{}, false
	}
	if v.Get("html").IsString() && v.Has("version") {
		if page := readOEmbed(crawlers.Step{}, v); len(page.Posts) == 1 {
			return refOf(page.Posts[0].URL)
		}
	}
	if ref, ok := content(v); ok && ref.Kind != crawlers.RefSite {
		return ref, true
	}
	if here {
		return fromRequest(ex)
	}
	if parts := strings.Split(strings.Trim(u.Path, "/"), "/"); len(parts) > 0 && isNumber(parts[len(parts)-1]) {
		return accountRef(parts[len(parts)-1]), true
	}
	return siteRef(), true
}

// siteRef is the platform as a whole, for answers that name nobody.
func siteRef() crawlers.Ref {
	return newRef(crawlers.RefSite, platform, "", site+"/", false)
}

// saysInstagram reports whether an answer of the Graph API is about Instagram.
func saysInstagram(v jsontree.Value) bool {
	if v.Has("business_discovery") || v.Get("provider_name").String() == "Instagram" || v.Has("username") && v.Has("media_count") && !v.Has("fan_count") {
		return true
	}
	said := false
	objects(v, func(o jsontree.Value) bool {
		if said {
			return false
		}
		switch o.Get("media_type").String() {
		case "IMAGE", "VIDEO", "CAROUSEL_ALBUM":
			said = true
		}
		if strings.Contains(o.Get("permalink").String(), "instagram.com/") || o.Has("instagram_business_account") {
			said = true
		}
		return !said
	})
	return said
}

// requestForm finds what a GraphQL request asks for, in its body.
var requestForm = regexp.MustCompile(`"(storyID|story_id|feedbackID|feedback_id|id|pageID|userID|groupID|videoID|UFI2CommentsProvider_commentsKey)"\s*:\s*"([^"]{5,120})"`)

// fromRequest tells whom a GraphQL request is about.
func fromRequest(ex crawlers.Exchange) (crawlers.Ref, bool) {
	text := ""
	if form, err := url.ParseQuery(string(ex.RequestBody)); err == nil {
		text = form.Get("variables")
	}
	for _, m := range requestForm.FindAllStringSubmatch(text, 20) {
		if owner, id, _ := decodeID(m[2]); id != "" {
			if owner != "" {
				return postRef(owner, id), true
			}
			return photoRef(id), true
		}
		if isNumber(m[2]) {
			if m[1] == "videoID" {
				return videoRef(m[2]), true
			}
			if m[1] == "groupID" {
				return newRef(crawlers.RefGroup, m[2], "", site+"/groups/"+m[2], false), true
			}
			return accountRef(m[2]), true
		}
	}
	return siteRef(), true
}

// content tells whom an answer is about by what is in it.
func content(v jsontree.Value) (crawlers.Ref, bool) {
	c := newCollection(crawlers.Step{}, crawlers.Exchange{})
	if v.Get("payload", "actions").IsArray() {
		page := readActions(crawlers.Step{}, crawlers.Exchange{}, v)
		c.posts = page.Posts
	} else {
		c.read(v)
	}
	var items, comments []*post.Post
	for i := range c.posts {
		switch p := &c.posts[i]; p.Kind {
		case post.KindAccount:
			return accountRef(p.ID), true
		case post.KindComment:
			comments = append(comments, p)
		default:
			items = append(items, p)
		}
	}
	switch {
	case len(items) == 1:
		return refOf(items[0].URL)
	case len(items) > 1:
		a := items[0].Account
		for _, p := range items {
			if p.Account.ID != a.ID || p.Account.Handle != a.Handle {
				return siteRef(), true
			}
		}
		if a.ID != "" {
			return accountRef(a.ID), true
		}
		if a.Handle != "" {
			return accountRef(a.Handle), true
		}
	case len(comments) > 0 && isNumber(comments[0].Thread):
		if ref, ok := refOf(comments[0].URL); ok && ref.ID == comments[0].Thread {
			return ref, true
		}
		return photoRef(comments[0].Thread), true
	}
	return siteRef(), true
}
