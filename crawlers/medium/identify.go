package medium

import (
	"bytes"
	"encoding/xml"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

func matchRaw(raw string) (crawlers.Ref, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return crawlers.Ref{}, false
	}
	return Collector{}.Match(u)
}

// Identify reports whom an exchange is about: by its address on Medium's own
// hosts, and by the content on custom domains and where there is no address.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Ref{}, false
	}
	host := strings.ToLower(u.Hostname())
	own := host == "medium.com" || strings.HasSuffix(host, ".medium.com")
	if own {
		if ref, ok := c.Match(u); ok {
			return ref, true
		}
	}
	if host == "" && (u.Path != "" || u.Opaque != "") {
		return crawlers.Ref{}, false
	}
	body := trim(ex.Body)
	switch form(body) {
	case formFeed:
		return identifyFeed(body, host)
	case formJSON:
		if own || host == "" {
			return identifyJSON(ex)
		}
	case formHTML:
		if own || isMedium(body) {
			return identifyPage(body, u)
		}
	}
	return crawlers.Ref{}, false
}

// identifyFeed takes feeds that name Medium as their generator.
func identifyFeed(body []byte, host string) (crawlers.Ref, bool) {
	head := body[:min(len(body), 16<<10)]
	if i := bytes.Index(head, []byte("<item")); i >= 0 {
		head = head[:i]
	}
	if !bytes.Contains(head, []byte("<generator>Medium</generator>")) {
		return crawlers.Ref{}, false
	}
	var h feedHead
	d := newXML(head)
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if start, ok := token.(xml.StartElement); ok {
			h.read(d, start)
		}
	}
	if ref, ok := feedRef(h); ok {
		return ref, true
	}
	if strings.Contains(host, ".") {
		return groupRef(host), true
	}
	return crawlers.Ref{}, false
}

func identifyJSON(ex crawlers.Exchange) (crawlers.Ref, bool) {
	if !bytes.HasPrefix(trim(ex.Body), prefix) && !bytes.Contains(ex.Body, []byte(`"payload"`)) && !bytes.Contains(ex.Body, []byte(`"postResult"`)) && !bytes.Contains(ex.Body, []byte(`"post"`)) {
		return crawlers.Ref{}, false
	}
	r := newReader(crawlers.Step{Ref: crawlers.Ref{Platform: platform}}, ex)
	r.json(trim(ex.Body))
	if len(r.page.Posts) == 0 {
		return crawlers.Ref{}, false
	}
	first := r.page.Posts[0]
	switch {
	case first.Kind == "account" && first.Account.Handle != "":
		return accountRef(first.Account.Handle), true
	case first.Kind == "account":
		return ref(crawlers.RefAccount, first.ID, base+"/u/"+first.ID), true
	case len(r.page.Posts) == 1:
		return postRef(first.ID), true
	}
	return crawlers.Ref{}, false
}

// identifyPage tells a story, or the home page of a publication on its own
// domain.
func identifyPage(page []byte, u *url.URL) (crawlers.Ref, bool) {
	head := metas(headOf(page))
	host := strings.ToLower(u.Hostname())
	id := storyID(lastSegment(u.Path))
	if id == "" && (head["og:type"] == "article" || head["article:published_time"] != "") {
		id = headStory(page)
	}
	if id != "" {
		r := postRef(id)
		if host != "" && host != "medium.com" && !strings.HasSuffix(host, ".medium.com") {
			r.Of = host
		}
		return r, true
	}
	if ref, ok := matchRaw(head["og:url"]); ok && (host == "" || strings.HasSuffix(host, "medium.com")) {
		return ref, true
	}
	if strings.Contains(host, ".") && !strings.HasSuffix(host, "medium.com") {
		return groupRef(host), true
	}
	return crawlers.Ref{}, false
}
