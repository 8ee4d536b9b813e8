package pinterest

import (
	"bytes"
	"net/url"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
)

// identifyLimit bounds the JSON that is parsed to learn whose it is.
const identifyLimit = 64 << 20

// Identify reports whom an exchange is about: by its address on Pinterest's
// hosts, by the content where there is no address.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	u, err := url.Parse(ex.URL)
	if err != nil {
		return none, false
	}
	host := hostOf(u)
	own := siteHost(host) || host == "pin.it" || host == "api.pinterest.com" || host == "widgets.pinterest.com" || host == "assets.pinterest.com"
	if own {
		if ref, ok := c.Match(u); ok {
			return ref, true
		}
	}
	if !own && (host != "" || u.Path != "" || u.Opaque != "") {
		return none, false
	}
	body := trim(ex.Body)
	switch {
	case isFeed(body):
		return feedRef(body)
	case isJSON(body) && len(body) <= identifyLimit:
		v, err := jsonx.Parse(unwrap(body))
		if err != nil {
			return none, false
		}
		return identifyJSON(v)
	case bytes.HasPrefix(body, []byte("<")):
		return identifyPage(body)
	}
	return none, false
}

func identifyJSON(v jsonx.Value) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if isOEmbed(v) {
		if id := embedID(v); id != "" {
			return pinRef(id), true
		}
		return none, false
	}
	if v.Get("resource_response").IsObject() {
		if ref, ok := resourceRef(v.Get("resource", "name").String(), v.Get("resource", "options")); ok {
			return ref, true
		}
		if path := v.Get("client_context", "visible_url").String(); path != "" {
			if ref, ok := matchPath(path); ok && path[0] == '/' {
				return ref, true
			}
		}
		return firstPin(v.Get("resource_response", "data"), v.Get("resource_response", "endpoint_name").String() == "v3_search_pins")
	}
	if isWidget(v) {
		d := v.Get("data")
		if ref, ok := matchPath(d.Get("board", "url").String()); ok && ref.Kind == crawlers.RefBoard {
			return ref, true
		}
		if a := readAccount(object{d.Get("user")}); a.Handle != "" {
			return accountRef(a.Handle), true
		}
		return firstPin(d, false)
	}
	if hasPinQuery(v) || v.Get("data").IsObject() && v.Get("data").Has("node") || isPin(v) && onPinimg(firstImage(v)) {
		return firstPin(v, false)
	}
	return none, false
}

func firstImage(v jsonx.Value) string {
	p := readPin(object{v}, nil)
	if len(p.Media) == 0 {
		return ""
	}
	return p.Media[0].URL
}

// firstPin names an answer by its only pin, or by the one that stands first. A
// list of search results without its words is named by what can be told of it.
func firstPin(v jsonx.Value, search bool) (crawlers.Ref, bool) {
	pins := pinsIn(v)
	switch {
	case len(pins) == 0:
		return crawlers.Ref{}, false
	case search || len(pins) > 1:
		r := newRef(crawlers.RefSite, "results", site+"/")
		return alias(r), true
	}
	ref := pinRef(itemID(pins[0][0]))
	if !onPinimg(firstImage(pins[0][0])) {
		return crawlers.Ref{}, false
	}
	return ref, true
}

// identifyPage tells a page of Pinterest by its scripts and metas.
func identifyPage(page []byte) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	own := false
	for _, sign := range []string{"data-relay-response", registered, "__PWS_DATA__", "__PWS_INITIAL_PROPS__", "pinterestapp:", `property="og:site_name" content="Pinterest"`, "i.pinimg.com"} {
		own = own || bytes.Contains(page, []byte(sign))
	}
	if !own || !bytes.Contains(page, []byte("pinterest")) {
		return none, false
	}
	d := scripts(page, true)
	for _, v := range d.relay {
		id := v.Get("variables", "pinId").String()
		if hasPinQuery(v) && isID(id) {
			return pinRef(id), true
		}
	}
	if pins := pinsIn(relayData(d.relay)...); len(pins) == 1 {
		return pinRef(itemID(pins[0][0])), true
	}
	if bytes.Contains(page, []byte("pinterestapp:")) {
		if id := pagePin(page); id != "" {
			return pinRef(id), true
		}
	}
	for _, v := range scripts(page, false).state {
		for _, key := range []string{"visible_url", "full_path", "current_url"} {
			if ref, ok := matchPath(v.Find(key).String()); ok {
				return ref, true
			}
		}
	}
	for _, marker := range []string{`rel="canonical"`, `"og:url"`} {
		tag := tagAround(page, marker)
		if ref, ok := matchText(firstOf(attr(tag, "href"), attr(tag, "content"))); ok {
			return ref, true
		}
	}
	return none, false
}
