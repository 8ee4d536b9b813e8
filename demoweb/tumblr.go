package demoweb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
)

func (s *Server) tumblr(w http.ResponseWriter, r *http.Request, sub string) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if sub == "www" { // www.tumblr.com/BLOG[/ID] is the same blog
		if sub = parts[0]; sub == "login_required" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		parts[0] = "post"
	}
	a := s.world.byHandle(Tumblr, sub)
	switch {
	case a == nil:
		notFound(w, "There's nothing here.")
	case a.State == "login":
		http.Redirect(w, r, "https://www.tumblr.com/login_required/"+sub, http.StatusFound)
	case r.URL.Path == "/api/read/json":
		s.tumblrRead(w, r, a)
	case r.URL.Path == "/rss":
		s.tumblrRSS(w, a)
	default:
		if len(parts) >= 2 && parts[0] == "post" {
			if p := s.world.postByID(Tumblr, parts[1]); p != nil && p.Account == a {
				s.tumblrPage(w, p)
				return
			}
		}
		notFound(w, "There's nothing here.")
	}
}

func (p *Post) tumblrImage() string {
	return "https://64.media.tumblr.com/demo" + strings.TrimSuffix(strings.TrimSuffix(p.Image, ".png"), ".jpg") + "/upload-1/s1280x1920/" + p.Image
}

func (s *Server) tumblrRead(w http.ResponseWriter, r *http.Request, a *Account) {
	start, n := number(r, "start", 0), min(number(r, "num", 20), 50)
	list := a.posts
	if id := r.FormValue("id"); id != "" {
		list = nil
		if p := s.world.postByID(Tumblr, id); p != nil && p.Account == a {
			list = []*Post{p}
		}
		if list == nil {
			notFound(w, "There's nothing here.")
			return
		}
	}
	posts := []tdoc{}
	for _, p := range page(list, start, n) {
		posts = append(posts, p.tumblr())
	}
	body := tdoc{
		"tumblelog":   tdoc{"title": a.Name, "description": "", "name": a.Handle, "timezone": "Europe/Lisbon", "cname": false, "feeds": []any{}, "uuid": "t:" + a.ID},
		"posts-start": start, "posts-total": strconv.Itoa(len(list)), "posts-type": false, "posts": posts,
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, "text/javascript; charset=utf-8", "var tumblr_api_read = "+strings.TrimSpace(b.String())+";\n")
}

func (p *Post) tumblrBody() string {
	body := p.html(p.tumblrImage())
	if p.Clip != "" {
		body += `<figure class="tmblr-full"><video controls><source src="https://va.media.tumblr.com/` + p.Clip + `" type="video/mp4"></video></figure>`
	}
	if p.Of != nil {
		body = fmt.Sprintf(`<p><a class="tumblr_blog" href="%s">%s</a>:</p><blockquote>%s</blockquote>%s`, p.Of.URL(), p.Of.Account.Handle, p.Of.html(p.Of.tumblrImage()), body)
	}
	return body
}

func (p *Post) tumblr() tdoc {
	a := p.Account
	doc := tdoc{
		"id": p.ID, "url": p.URL(), "url-with-slug": p.URL() + "/" + Slug(p.Title), "type": "regular",
		"date-gmt": p.Time.Format("2006-01-02 15:04:05") + " GMT", "date": p.Time.Format("Mon, 02 Jan 2006 15:04:05"),
		"bookmarklet": 0, "mobile": 0, "feed-item": "", "from-feed-id": 0, "unix-timestamp": p.Time.Unix(), "format": "html",
		"reblog-key": "k" + p.ID[len(p.ID)-6:], "slug": Slug(p.Title), "is-submission": false, "like-button": "", "reblog-button": "",
		"note-count": strconv.Itoa(p.Likes), "tumblelog": tdoc{"title": a.Name, "name": a.Handle, "cname": false, "url": a.URL(), "timezone": "Europe/Lisbon"},
		"regular-title": p.Title, "regular-body": p.tumblrBody(),
	}
	if len(p.Tags) > 0 {
		doc["tags"] = p.Tags
	}
	if p.Of != nil {
		doc["reblogged-from-url"], doc["reblogged-from-name"] = p.Of.URL(), p.Of.Account.Handle
		doc["reblogged-root-url"], doc["reblogged-root-name"] = p.Of.URL(), p.Of.Account.Handle
	}
	return doc
}

func (s *Server) tumblrRSS(w http.ResponseWriter, a *Account) {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?><rss xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel><description></description><title>%s</title><generator>Tumblr (3.0; @%s)</generator><link>%s</link>`, escapeXML(a.Name), a.Handle, a.URL())
	for _, p := range page(a.posts, 0, 20) {
		fmt.Fprintf(&b, `<item><title>%s</title><description>%s</description><link>%s</link><guid>%s</guid><pubDate>%s</pubDate>`, escapeXML(p.Title), escapeXML(p.tumblrBody()), p.URL(), p.URL(), p.Time.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
		for _, t := range p.Tags {
			fmt.Fprintf(&b, "<category>%s</category>", escapeXML(t))
		}
		b.WriteString("</item>")
	}
	b.WriteString("</channel></rss>")
	reply(w, "application/rss+xml; charset=utf-8", b.String())
}

func (s *Server) tumblrPage(w http.ResponseWriter, p *Post) {
	reply(w, "text/html; charset=utf-8", fmt.Sprintf(`<!DOCTYPE html><html><head><title>%s</title><link rel="canonical" href="https://www.tumblr.com/%s/%s"><meta property="og:site_name" content="Tumblr" /><meta property="og:title" content="%s" /><meta property="og:url" content="https://www.tumblr.com/%s/%s" /><meta property="og:description" content="%s" /><meta property="og:type" content="tumblr-feed:tumblelog" /></head><body><article>%s</article></body></html>`,
		html.EscapeString(p.Title), p.Account.Handle, p.ID, html.EscapeString(p.Title), p.Account.Handle, p.ID, html.EscapeString(p.Text), p.tumblrBody()))
}
