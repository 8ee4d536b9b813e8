package quora

import (
	"bytes"
	"net/url"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
)

// identifyLimit bounds the JSON that is parsed to learn whose it is.
const identifyLimit = 64 << 20

// Identify reports whom an exchange is about: by its address on Quora's hosts,
// by the content where there is no address.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	u, err := url.Parse(ex.URL)
	if err != nil {
		return none, false
	}
	if ref, ok := c.Match(u); ok {
		return ref, true
	}
	_, own := ownHost(hostOf(u))
	if !own && (u.Host != "" || u.Path != "" || u.Opaque != "") {
		return none, false
	}
	body := trim(ex.Body)
	switch {
	case isJSON(body) && len(body) <= identifyLimit:
		values, err := parseJSON(body)
		if err != nil {
			return none, false
		}
		return identifyData(values)
	case bytes.HasPrefix(body, []byte("<")):
		return identifyPage(body)
	}
	return none, false
}

// identifyData names data by the thing that its query is about, or by the first
// answer in it.
func identifyData(values []jsonx.Value) (crawlers.Ref, bool) {
	s := gather(values)
	if len(s.order) == 0 {
		return crawlers.Ref{}, false
	}
	address := ""
	if id := s.root("answer", "aid"); id != "" {
		address = s.thing("aid", id).text("permaUrl", "url")
	}
	if id := s.root("question", "qid"); id != "" && address == "" {
		address = s.thing("qid", id).text("url")
	}
	if id := s.root("user", "uid"); id != "" && address == "" {
		address = s.thing("uid", id).text("profileUrl")
	}
	for _, id := range s.ids("aid") {
		if o := s.thing("aid", id); address == "" && o.get("content").Exists() {
			address = o.text("permaUrl")
		}
	}
	return matchText(link(address))
}

// identifyPage tells a page of Quora by its own words and its canonical address.
func identifyPage(page []byte) (crawlers.Ref, bool) {
	own := false
	for _, sign := range []string{"ansFrontendGlobals", "quoracdn.net"} {
		own = own || bytes.Contains(page, []byte(sign))
	}
	if !own {
		return crawlers.Ref{}, false
	}
	if ref, ok := canonical(page); ok {
		return ref, true
	}
	values, _ := pushes(page)
	return identifyData(values)
}

// canonical reads the page's own address.
func canonical(page []byte) (crawlers.Ref, bool) {
	for _, marker := range []string{`rel="canonical"`, `rel='canonical'`, `rel=canonical`, `og:url`} {
		for rest := page; ; {
			i := bytes.Index(rest, []byte(marker))
			if i < 0 {
				break
			}
			tag := tagAround(rest, i)
			for _, name := range []string{"href", "content"} {
				if ref, ok := matchText(attr(tag, name)); ok {
					return ref, true
				}
			}
			rest = rest[i+len(marker):]
		}
	}
	return crawlers.Ref{}, false
}
