package instagram

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// variableForm finds what a GraphQL request asks for, in its address or body.
var variableForm = regexp.MustCompile(`"(shortcode|media_id|user_id|id|username|tag_name|query)"\s*:\s*"([^"]{1,80})"`)

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
	if ref, ok := variables(u, ex); ok {
		return ref, true
	}
	if crawlers.LooksHTML(ex) {
		if !ourHost(host) && !ours(ex.Body) {
			return crawlers.Ref{}, false
		}
		h := pagescan.ReadHead(headPart(ex.Body))
		if h.Meta("og:site_name") != "Instagram" && !strings.HasPrefix(h.Meta("al:ios:url"), "instagram://") && !ourHost(host) {
			return crawlers.Ref{}, false
		}
		if ref, ok := metaRef(h); ok {
			return ref, true
		}
		if ourHost(host) && ours(ex.Body) {
			return siteRef(), true
		}
		return crawlers.Ref{}, false
	}
	isGraph := isGraphURL(ex.URL)
	if !ourHost(host) && !isGraph {
		return crawlers.Ref{}, false
	}
	v, err := jsontree.Parse(jsonBody(ex.Body))
	if err != nil {
		if ourHost(host) && (strings.HasPrefix(u.Path, "/api/") || strings.HasPrefix(u.Path, "/graphql")) {
			return siteRef(), true
		}
		return crawlers.Ref{}, false
	}
	if isGraph && !graphAsks(ex.URL) && !graphSays(v) {
		return crawlers.Ref{}, false // the answer is Facebook's
	}
	return content(v)
}

// siteRef is the platform as a whole, for answers that name nobody.
func siteRef() crawlers.Ref {
	return newRef(crawlers.RefSite, platform, "", site+"/", false)
}

// graphSays reports whether an answer of the Graph API is about Instagram, by
// its content.
func graphSays(v jsontree.Value) bool {
	if v.Has("business_discovery") || v.Get("data").At(0).Has("instagram_business_account") || v.Get("provider_name").String() == "Instagram" {
		return true
	}
	if v.Has("username") && (v.Has("followers_count") || v.Has("media_count") || v.Has("profile_picture_url")) && !v.Has("fan_count") {
		return true
	}
	said := false
	objects(v, func(o jsontree.Value) bool {
		if said {
			return false
		}
		// Facebook's attachments have media_type too, in small letters.
		said = isMedium(o)
		return !said
	})
	return said
}

// variables reads what a GraphQL request names.
func variables(u *url.URL, ex crawlers.Exchange) (crawlers.Ref, bool) {
	if !ourHost(strings.ToLower(u.Hostname())) || !strings.Contains(u.Path, "graphql") && !strings.Contains(u.Path, "/api/") {
		return crawlers.Ref{}, false
	}
	q := u.Query()
	text := q.Get("variables")
	if body, err := url.ParseQuery(string(ex.RequestBody)); err == nil && text == "" {
		text = body.Get("variables")
	}
	found := map[string]string{}
	for _, m := range variableForm.FindAllStringSubmatch(text, 20) {
		found[m[1]] = m[2]
	}
	switch {
	case codeForm.MatchString(found["shortcode"]):
		return postRef(found["shortcode"])
	case isNumber(found["media_id"]) && Code(found["media_id"]) != "":
		return postByPK(found["media_id"])
	case nameForm.MatchString(found["username"]):
		return accountRef(found["username"]), true
	case found["tag_name"] != "":
		return tagRef(found["tag_name"]), true
	case isNumber(found["user_id"]):
		return accountByID(found["user_id"]), true
	case isNumber(found["id"]) && len(found["id"]) < shortestPost:
		return accountByID(found["id"]), true
	}
	return crawlers.Ref{}, false
}

// content tells whom an answer is about by what is in it.
func content(v jsontree.Value) (crawlers.Ref, bool) {
	if name := v.Get("data", "hashtag", "name").String(); name != "" {
		return tagRef(name), true
	}
	if name := v.Get("graphql", "hashtag", "name").String(); name != "" {
		return tagRef(name), true
	}
	if d := v.Get("business_discovery"); d.IsObject() {
		if name := d.Get("username").String(); nameForm.MatchString(name) {
			return accountRef(name), true
		}
		if id := d.Get("id").String(); isNumber(id) {
			return accountByID(id), true
		}
	}
	if v.Get("provider_name").String() == "Instagram" {
		c := readOEmbed(crawlers.Step{}, v)
		if len(c.Posts) == 1 {
			return postByPK(c.Posts[0].ID)
		}
	}
	c := newCollection(crawlers.Step{}, crawlers.Exchange{})
	c.read(v)
	var items, comments []*post.Post
	for i := range c.posts {
		switch p := &c.posts[i]; p.Kind {
		case post.KindAccount:
			if name := p.Account.Handle; name != "" {
				return accountRef(name), true
			}
		case post.KindComment:
			comments = append(comments, p)
		default:
			items = append(items, p)
		}
	}
	if len(items) == 1 && Code(items[0].ID) != "" {
		if ref, ok := postByPK(items[0].ID); ok {
			return ref, true
		}
	}
	if name, ok := oneAuthor(items); ok {
		return name, true
	}
	if len(items) == 0 && len(comments) > 0 && isNumber(comments[0].Thread) {
		return postByPK(comments[0].Thread)
	}
	return siteRef(), true
}

// oneAuthor gives the account whose list it is, where all posts are by one.
func oneAuthor(posts []*post.Post) (crawlers.Ref, bool) {
	if len(posts) == 0 {
		return crawlers.Ref{}, false
	}
	a := posts[0].Account
	for _, p := range posts {
		if p.Account.ID != a.ID || !strings.EqualFold(p.Account.Handle, a.Handle) {
			return crawlers.Ref{}, false
		}
	}
	switch {
	case a.Handle != "":
		return accountRef(a.Handle), true
	case a.ID != "":
		return accountByID(a.ID), true
	}
	return crawlers.Ref{}, false
}
