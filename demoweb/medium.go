package demoweb

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"
)

func (s *Server) medium(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	last := parts[len(parts)-1]
	switch {
	case len(parts) == 2 && parts[0] == "feed" && strings.HasPrefix(parts[1], "@"):
		a := s.world.byHandle(Medium, strings.TrimPrefix(parts[1], "@"))
		if a == nil {
			notFound(w, "404")
			return
		}
		if a.State == "suspended" {
			mediumSuspended(w)
			return
		}
		s.mediumFeed(w, a)
	case len(parts) == 1 && strings.HasPrefix(parts[0], "@"):
		a := s.world.byHandle(Medium, strings.TrimPrefix(parts[0], "@"))
		switch {
		case a == nil:
			notFound(w, "404")
		case a.State == "suspended":
			mediumSuspended(w)
		default:
			reply(w, "text/html; charset=utf-8", fmt.Sprintf(`<!DOCTYPE html><html><head><title>%s – Medium</title><link rel="alternate" type="application/rss+xml" href="https://medium.com/feed/@%s"/></head><body><div id="root"></div></body></html>`, html.EscapeString(a.Name), a.Handle))
		}
	default:
		id := last[strings.LastIndexByte(last, '-')+1:]
		p := s.world.postByID(Medium, id)
		if p == nil {
			notFound(w, "404 — Out of nothing, something.")
			return
		}
		s.mediumPage(w, p)
	}
}

func mediumSuspended(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusGone)
	_, _ = w.Write([]byte(`<!DOCTYPE html><html><head><title>Medium</title></head><body><h2>410</h2><p>This account is under investigation or was found in violation of the Medium Rules.</p><p>User account suspended.</p></body></html>`))
}

func (p *Post) mediumImage() string {
	return "https://miro.medium.com/v2/resize:fit:1024/1*" + p.Image
}

func (s *Server) mediumFeed(w http.ResponseWriter, a *Account) {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?><rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom" version="2.0"><channel><title><![CDATA[Stories by %s on Medium]]></title><description><![CDATA[Stories by %s on Medium]]></description><link>https://medium.com/@%s?source=rss-%s------2</link><generator>Medium</generator><lastBuildDate>%s</lastBuildDate>`,
		a.Name, a.Name, a.Handle, a.hex(), Day.Format(time.RFC1123))
	for _, p := range page(a.posts, 0, 10) {
		fmt.Fprintf(&b, `<item><title><![CDATA[%s]]></title><link>%s?source=rss-%s------2</link><guid isPermaLink="false">https://medium.com/p/%s</guid>`, p.Title, p.URL(), a.hex(), p.ID)
		for _, t := range p.Tags {
			fmt.Fprintf(&b, "<category><![CDATA[%s]]></category>", Slug(t))
		}
		fmt.Fprintf(&b, `<dc:creator><![CDATA[%s]]></dc:creator><pubDate>%s</pubDate><atom:updated>%s</atom:updated><content:encoded><![CDATA[%s<img src="https://medium.com/_/stat?event=post.clientViewed&referrerSource=full_rss&postId=%s" width="1" height="1" alt="">]]></content:encoded></item>`,
			a.Name, strings.Replace(p.Time.Format(time.RFC1123), "UTC", "GMT", 1), p.updated().Format("2006-01-02T15:04:05.000Z"), p.html(p.mediumImage()), p.ID)
	}
	b.WriteString("</channel></rss>")
	reply(w, "text/xml; charset=UTF-8", b.String())
}

func (a *Account) hex() string { return fmt.Sprintf("%012x", number64(a.ID)*7) }

func (s *Server) mediumPage(w http.ResponseWriter, p *Post) {
	a := p.Account
	user, key := "User:"+a.hex(), "Post:"+p.ID
	state := map[string]any{
		"ROOT_QUERY": map[string]any{"__typename": "Query", fmt.Sprintf(`postResult({"id":"%s"})`, p.ID): map[string]any{"__ref": key}},
		user:         map[string]any{"__typename": "User", "id": a.hex(), "username": a.Handle, "name": a.Name, "imageId": ""},
	}
	var refs []any
	add := func(kind, text string, more map[string]any) {
		id := fmt.Sprintf("Paragraph:%s_%d", p.ID, len(refs))
		para := map[string]any{"__typename": "Paragraph", "id": id[10:], "name": fmt.Sprintf("n%d", len(refs)), "type": kind, "text": text, "markups": []any{}, "metadata": nil, "iframe": nil, "href": nil}
		for k, v := range more {
			para[k] = v
		}
		state[id] = para
		refs = append(refs, map[string]any{"__ref": id})
	}
	add("H3", p.Title, nil)
	for text := range strings.SplitSeq(p.Text, "\n\n") {
		add("P", text, nil)
	}
	if p.Image != "" {
		image := "ImageMetadata:1*" + p.Image
		state[image] = map[string]any{"__typename": "ImageMetadata", "id": "1*" + p.Image, "originalWidth": 240, "originalHeight": 180, "alt": p.Title}
		add("IMG", "", map[string]any{"metadata": map[string]any{"__ref": image}})
	}
	if p.Link != "" {
		add("P", "Read more", map[string]any{"markups": []any{map[string]any{"__typename": "Markup", "type": "A", "start": 0, "end": 9, "href": p.Link, "anchorType": "LINK"}}})
	}
	var tags []any
	for _, t := range p.Tags {
		state["Tag:"+Slug(t)] = map[string]any{"__typename": "Tag", "id": Slug(t), "displayTitle": t, "normalizedTagSlug": Slug(t)}
		tags = append(tags, map[string]any{"__ref": "Tag:" + Slug(t)})
	}
	state[key] = map[string]any{
		"__typename": "Post", "id": p.ID, "title": p.Title, "creator": map[string]any{"__ref": user}, "mediumUrl": p.URL(), "canonicalUrl": "", "uniqueSlug": Slug(p.Title) + "-" + p.ID,
		"firstPublishedAt": p.Time.UnixMilli(), "latestPublishedAt": p.updated().UnixMilli(), "updatedAt": p.updated().UnixMilli(),
		"clapCount": p.Likes * 3, "voterCount": p.Likes, "postResponses": map[string]any{"__typename": "PostResponses", "count": len(p.Comments)},
		"tags": tags, "isLocked": false, "visibility": "PUBLIC", "isPublished": true, "isSuspended": false, "isLockedPreviewOnly": false, "inResponseToPostResult": nil, "detectedLanguage": "en",
		`content({"postMeteringOptions":{}})`: map[string]any{"__typename": "PostContent", "isLockedPreviewOnly": false, "bodyModel": map[string]any{"__typename": "RichText", "paragraphs": refs}},
	}
	data, err := json.Marshal(state)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, "text/html; charset=utf-8", fmt.Sprintf(`<!DOCTYPE html><html><head><title>%s | by %s | Medium</title><link rel="canonical" href="%s"/><meta property="og:site_name" content="Medium"/><meta property="og:title" content="%s"/><meta property="article:published_time" content="%s"/></head><body><article>%s</article><script>window.__APOLLO_STATE__ = %s</script></body></html>`,
		html.EscapeString(p.Title), html.EscapeString(a.Name), p.URL(), html.EscapeString(p.Title), p.Time.Format("2006-01-02T15:04:05.000Z"), p.html(p.mediumImage()), data))
}
