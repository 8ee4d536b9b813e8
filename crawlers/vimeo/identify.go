package vimeo

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/pagescan"
)

// Identify reports whom an exchange is about: by its address, or, where that
// tells nothing (a saved file), by the marks of Vimeo in the answer.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Ref{}, false
	}
	if ref, ok := c.Match(u); ok {
		return ref, true
	}
	host := strings.ToLower(u.Hostname())
	ours := host == "vimeo.com" || strings.HasSuffix(host, ".vimeo.com")
	saved := host == "" && (u.Scheme == "" || u.Scheme == "file")
	body := trim(ex.Body)
	if !ours && !saved || len(body) == 0 {
		return crawlers.Ref{}, false
	}
	switch {
	case body[0] == '{' || body[0] == '[':
		if !bytes.Contains(body[:min(len(body), 1<<20)], []byte("vimeo")) && !bytes.Contains(body[:min(len(body), 1<<20)], []byte(`"uri":"/videos/`)) {
			return crawlers.Ref{}, false
		}
		v, err := jsontree.Parse(body)
		if err != nil {
			return crawlers.Ref{}, false
		}
		return identifyJSON(v)
	case bytes.HasPrefix(body, []byte("<?xml")) && !crawlers.LooksHTML(ex):
		_, rest, ok := bytes.Cut(body[:min(len(body), 8192)], []byte("vimeo.com/"))
		if !ok || !bytes.Contains(body[:min(len(body), 8192)], []byte("<rss")) {
			return crawlers.Ref{}, false
		}
		end := bytes.IndexAny(rest, "<\" \n?")
		if end < 0 {
			return crawlers.Ref{}, false
		}
		to, err := base.Parse("/" + string(rest[:end]))
		if err != nil {
			return crawlers.Ref{}, false
		}
		return c.Match(to)
	case body[0] == '<':
		return c.identifyPage(body)
	}
	return crawlers.Ref{}, false
}

func (c Collector) identifyPage(body []byte) (crawlers.Ref, bool) {
	head := body[:min(len(body), headBytes)]
	if !bytes.Contains(head, []byte("vimeo")) && !bytes.Contains(head, []byte("Vimeo")) {
		return crawlers.Ref{}, false
	}
	h := pagescan.ReadHead(head)
	named := h.Meta("og:site_name") == "Vimeo" || h.Meta("twitter:site") == "@vimeo" || strings.HasSuffix(h.Title, " on Vimeo") || h.Title == "VimeUhOh"
	for _, raw := range []string{h.Link("canonical"), h.Meta("og:url")} {
		u, err := base.Parse(raw)
		if err != nil || raw == "" || !named {
			continue
		}
		if ref, ok := c.Match(u); ok {
			return ref, true
		}
	}
	for _, marker := range []string{"playerConfig =", "clip_page_config ="} {
		v, ok := script(body, marker)
		if !ok {
			continue
		}
		for _, part := range []string{"video", "clip"} {
			if id := v.Get(part, "id").String(); number.MatchString(id) {
				return videoRef(id, ""), true
			}
		}
	}
	return crawlers.Ref{}, false
}

// identifyJSON tells whom an answer is about. Lists are about what their first
// item belongs to, as far as that can be told.
func identifyJSON(v value) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	video := func(uri string) (crawlers.Ref, bool) {
		if m := videoURI.FindStringSubmatch(uri); m != nil {
			return videoRef(m[1], m[2]), true
		}
		return none, false
	}
	if ref, ok := video(v.Get("uri").String()); ok {
		return ref, true
	}
	if m := userURI.FindStringSubmatch(v.Get("uri").String()); m != nil {
		return userID(m[1]), true
	}
	if first := v.Get("paging", "first").String(); first != "" {
		if u, err := url.Parse("https://api.vimeo.com" + first); err == nil {
			if ref, ok := (Collector{}).Match(u); ok {
				return ref, true
			}
		}
	}
	if id := v.Get("video_id").String(); number.MatchString(id) && (v.Get("provider_name").String() == "Vimeo" || v.Has("uri")) {
		return videoRef(id, ""), true
	}
	if id := v.Get("video", "id").String(); number.MatchString(id) && v.Has("request") {
		return videoRef(id, ""), true
	}
	for _, raw := range []string{v.Get("profile_url").String(), v.Get("url").String(), v.Get("link").String()} {
		if u, err := url.Parse(raw); err == nil && raw != "" && (v.Has("profile_url") || v.Has("creator_id") || v.Has("upload_date") || v.Has("uri")) {
			if ref, ok := (Collector{}).Match(u); ok {
				return ref, true
			}
		}
	}
	list := v.Array()
	switch len(list) {
	case 0:
	case 1:
		if list[0].Has("upload_date") && number.MatchString(list[0].Get("id").String()) {
			return videoRef(list[0].Get("id").String(), ""), true
		}
	default:
		if list[0].Has("upload_date") {
			if u, err := url.Parse(list[0].Get("user_url").String()); err == nil {
				return (Collector{}).Match(u)
			}
		}
	}
	if v.Get("videos", "video").Exists() && v.Has("stat") {
		return newRef(crawlers.RefSearch, "(saved list)", site+"/search?q=", false), true
	}
	return none, false
}
