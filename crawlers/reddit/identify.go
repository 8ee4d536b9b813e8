package reddit

import (
	"bytes"
	"html"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

func unescapeHTML(s string) string { return html.UnescapeString(s) }

// Identify reports whom an exchange is about: by its address and request body,
// and, where there is no address at all, by what the JSON or feed shows.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Ref{}, false
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case isSite(host):
		return c.identifySite(u, ex)
	case host == "redd.it" || strings.HasSuffix(host, ".redd.it"):
		return c.Match(u)
	case host == "" && u.Path == "" && u.Opaque == "":
		return c.identifyBody(ex)
	}
	return crawlers.Ref{}, false
}

func (c Collector) identifySite(u *url.URL, ex crawlers.Exchange) (crawlers.Ref, bool) {
	segs := segments(u.Path)
	if len(segs) > 0 {
		switch strings.ToLower(segs[0]) {
		case "oembed":
			if ref, ok := c.matchRaw(u.Query().Get("url")); ok {
				return ref, true
			}
			return c.identifyBody(ex)
		case "api":
			return c.identifyAPI(u, segs, ex)
		case "by_id":
			if len(segs) > 1 {
				return matchInfo(url.Values{"id": {strings.Split(segs[1], ",")[0]}})
			}
		}
	}
	if ref, ok := c.Match(u); ok {
		return ref, true
	}
	if ref, ok := c.identifyBody(ex); ok {
		return ref, true
	}
	if isRefusal(ex.Body) { // a page of Reddit whose kind we do not know, refused
		return ref(crawlers.RefPage, u.Path, web+u.EscapedPath()), true
	}
	return crawlers.Ref{}, false
}

func isRefusal(body []byte) bool {
	var a answer
	body = bytes.TrimSpace(body)
	return len(body) > 0 && len(body) < 4096 && body[0] == '{' && decode(body, &a) == nil && (a.Error != nil || a.Reason != "")
}

// identifyAPI reads addresses below /api/.
func (c Collector) identifyAPI(u *url.URL, segs []string, ex crawlers.Exchange) (crawlers.Ref, bool) {
	form := u.Query()
	if body, err := url.ParseQuery(string(ex.RequestBody)); err == nil && len(ex.RequestBody) < 1<<20 {
		for k, v := range body {
			form[k] = v
		}
	}
	if len(segs) > 1 {
		switch segs[1] {
		case "morechildren":
			if id := strings.ToLower(form.Get("link_id")); strings.HasPrefix(id, "t3_") && isID(bare(id)) {
				return postRef(id), true
			}
			return c.identifyBody(ex)
		case "info":
			if first, _, several := strings.Cut(form.Get("id"), ","); several {
				form.Set("id", first)
				if ref, ok := c.identifyBody(ex); ok {
					return ref, true
				}
			}
			return matchInfo(form)
		case "v1":
			if len(segs) > 3 && segs[2] == "user" {
				return matchUser(segs[3], nil)
			}
		}
	}
	return ref(crawlers.RefPage, u.Path, web+u.EscapedPath()), true
}

// identifyBody tells from the content alone.
func (c Collector) identifyBody(ex crawlers.Exchange) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	body := bytes.TrimLeft(bytes.TrimPrefix(ex.Body, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(body) == 0 {
		return none, false
	}
	if isFeed(body) {
		return c.identifyFeed(body)
	}
	var answers []answer
	switch body[0] {
	case '[':
		if decode(body, &answers) != nil {
			return none, false
		}
	case '{':
		answers = make([]answer, 1)
		if decode(body, &answers[0]) != nil {
			return none, false
		}
	}
	if len(answers) == 0 {
		return none, false
	}
	a := answers[0]
	switch {
	case a.JSON != nil:
		for i := range a.JSON.Data.Things {
			if t := &a.JSON.Data.Things[i]; (t.Kind == "t1" || t.Kind == "more") && strings.HasPrefix(t.Data.LinkID, "t3_") && isID(bare(t.Data.LinkID)) {
				return postRef(t.Data.LinkID), true
			}
		}
	case a.Kind == "t2" || a.Kind == "t5" || a.Kind == "t3" || a.Kind == "t1":
		var t thing
		if decode(body, &t) == nil {
			return refOf(&t)
		}
	case a.Kind == "Listing" && body[0] == '[':
		if len(a.Data.Children) > 0 {
			return refOf(&a.Data.Children[0])
		}
	case a.Kind == "Listing":
		return listingRef(a.Data.Children)
	case strings.EqualFold(a.ProviderName, "reddit"):
		r := &reader{url: &url.URL{}, posts: map[string]bool{}, step: crawlers.Step{Ref: crawlers.Ref{Platform: platform}}}
		r.oembed(a)
		if len(r.page.Posts) == 1 {
			return c.matchRaw(r.page.Posts[0].URL)
		}
	}
	return none, false
}

func refOf(t *thing) (crawlers.Ref, bool) {
	id := fullName(t)
	if !isID(bare(id)) {
		return crawlers.Ref{}, false
	}
	switch t.Kind {
	case "t3":
		return postRef(id), true
	case "t1":
		return commentRef(id, t.Data.LinkID), true
	case "t2":
		if isWord(t.Data.Name) {
			return accountRef(t.Data.Name), true
		}
	case "t5":
		if isWord(t.Data.DisplayName) {
			return groupRef(t.Data.DisplayName), true
		}
	}
	return crawlers.Ref{}, false
}

// listingRef names what all items of a listing have in common: one thing, one
// author, one subreddit, or nothing but the site.
func listingRef(things []thing) (crawlers.Ref, bool) {
	sub, user, n := "", "", 0
	for i := range things {
		d := &things[i].Data
		if things[i].Kind != "t1" && things[i].Kind != "t3" {
			continue
		}
		if n == 0 {
			sub, user = d.Subreddit, author(d.Author)
		}
		if !strings.EqualFold(sub, d.Subreddit) {
			sub = ""
		}
		if !strings.EqualFold(user, author(d.Author)) {
			user = ""
		}
		n++
	}
	switch {
	case n == 0:
		return crawlers.Ref{}, false
	case n == 1 && len(things) == 1:
		return refOf(&things[0])
	case isWord(user):
		return accountRef(user), true
	case isWord(sub):
		return groupRef(sub), true
	}
	return ref(crawlers.RefSite, "front", web+"/"), true
}

// identifyFeed reads the feed's own address.
func (c Collector) identifyFeed(body []byte) (crawlers.Ref, bool) {
	head := string(body[:min(len(body), 8192)])
	if !strings.Contains(head, "reddit.com") {
		return crawlers.Ref{}, false
	}
	if i := strings.Index(head, "<entry"); i > 0 {
		head = head[:i]
	}
	if i := strings.Index(head, "<item"); i > 0 {
		head = head[:i]
	}
	for rest := head; ; {
		_, after, ok := strings.Cut(rest, `href="`)
		if !ok {
			return crawlers.Ref{}, false
		}
		href, tail, _ := strings.Cut(after, `"`)
		if ref, ok := c.matchRaw(unescapeHTML(href)); ok {
			return ref, true
		}
		rest = tail
	}
}
