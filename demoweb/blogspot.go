package demoweb

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const bloggerTime = "2006-01-02T15:04:05.000-07:00"

type tdoc map[string]any

func text(s string) tdoc { return tdoc{"$t": s} }

func (s *Server) blogspot(w http.ResponseWriter, r *http.Request, sub string) {
	a := s.world.byHandle(Blogspot, sub)
	if a == nil {
		notFound(w, "Blog not found")
		return
	}
	if a.State == "removed" {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("<!DOCTYPE html><html><head><title>Blog has been removed</title></head><body><p>Sorry, the blog at " + sub + ".blogspot.com has been removed. This address is not available for new blogs.</p></body></html>"))
		return
	}
	switch parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/"); {
	case r.URL.Path == "/feeds/posts/default":
		s.bloggerFeed(w, r, a)
	case len(parts) == 4 && parts[0] == "feeds" && parts[2] == "comments":
		s.bloggerComments(w, r, a, parts[1])
	case r.URL.Path == "/feeds/comments/default":
		s.bloggerComments(w, r, a, "")
	default:
		for _, p := range a.posts {
			if strings.HasSuffix(p.URL(), ".blogspot.com"+r.URL.Path) {
				s.bloggerPage(w, a, p)
				return
			}
		}
		if r.URL.Path == "/" {
			s.bloggerPage(w, a, nil)
			return
		}
		notFound(w, "Page not found")
	}
}

func number(r *http.Request, name string, otherwise int) int {
	n, err := strconv.Atoi(r.FormValue(name))
	if err != nil {
		return otherwise
	}
	return n
}

func (a *Account) tag() string { return "tag:blogger.com,1999:blog-" + a.ID }

func (s *Server) bloggerFeed(w http.ResponseWriter, r *http.Request, a *Account) {
	start, n := number(r, "start-index", 1), min(number(r, "max-results", 25), 150)
	list := page(a.posts, start-1, n)
	self := a.URL() + "feeds/posts/default"
	if r.FormValue("alt") != "json" {
		s.bloggerAtom(w, a, list, self, start, n)
		return
	}
	links := []tdoc{{"rel": "self", "type": "application/atom+xml", "href": self}, {"rel": "alternate", "type": "text/html", "href": a.URL()}}
	if start-1+n < len(a.posts) {
		links = append(links, tdoc{"rel": "next", "type": "application/atom+xml", "href": fmt.Sprintf("%s?start-index=%d&max-results=%d&alt=json", self, start+n, n)})
	}
	var entries []tdoc
	for _, p := range list {
		entries = append(entries, p.blogger())
	}
	replyJSON(w, tdoc{"version": "1.0", "encoding": "UTF-8", "feed": tdoc{
		"xmlns": "http://www.w3.org/2005/Atom", "id": text(a.tag()), "updated": text(Day.Format(bloggerTime)),
		"title": tdoc{"type": "text", "$t": a.Name + "'s blog"}, "link": links,
		"author":                  []tdoc{{"name": text(a.Name), "uri": text("http://www.blogger.com/profile/1" + a.ID), "email": text("noreply@blogger.com")}},
		"generator":               tdoc{"version": "7.00", "uri": "http://www.blogger.com", "$t": "Blogger"},
		"openSearch$totalResults": text(strconv.Itoa(len(a.posts))), "openSearch$startIndex": text(strconv.Itoa(start)), "openSearch$itemsPerPage": text(strconv.Itoa(n)),
		"entry": entries,
	}})
}

func (p *Post) bloggerImage() string {
	return "https://blogger.googleusercontent.com/img/b/demo/s320/" + p.Image
}

func (p *Post) updated() time.Time {
	if p.Edited.IsZero() {
		return p.Time
	}
	return p.Edited
}

func (p *Post) blogger() tdoc {
	a := p.Account
	entry := tdoc{
		"id": text(a.tag() + ".post-" + p.ID), "published": text(p.Time.Format(bloggerTime)), "updated": text(p.updated().Format(bloggerTime)),
		"title": tdoc{"type": "text", "$t": p.Title}, "content": tdoc{"type": "html", "$t": p.html(p.bloggerImage())},
		"link": []tdoc{
			{"rel": "replies", "type": "application/atom+xml", "href": a.URL() + "feeds/" + p.ID + "/comments/default", "title": "Post Comments"},
			{"rel": "alternate", "type": "text/html", "href": p.URL(), "title": p.Title},
		},
		"author":    []tdoc{{"name": text(a.Name), "uri": text("http://www.blogger.com/profile/1" + a.ID), "email": text("noreply@blogger.com")}},
		"thr$total": text(strconv.Itoa(len(p.Comments))),
	}
	var labels []tdoc
	for _, t := range p.Tags {
		labels = append(labels, tdoc{"scheme": "http://www.blogger.com/atom/ns#", "term": t})
	}
	if labels != nil {
		entry["category"] = labels
	}
	return entry
}

func (s *Server) bloggerAtom(w http.ResponseWriter, a *Account, list []*Post, self string, start, n int) {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom' xmlns:openSearch='http://a9.com/-/spec/opensearchrss/1.0/' xmlns:thr='http://purl.org/syndication/thread/1.0'><id>%s</id><updated>%s</updated><title type='text'>%s&#39;s blog</title><link rel='alternate' type='text/html' href='%s'/><generator version='7.00' uri='http://www.blogger.com'>Blogger</generator><openSearch:totalResults>%d</openSearch:totalResults><openSearch:startIndex>%d</openSearch:startIndex><openSearch:itemsPerPage>%d</openSearch:itemsPerPage>`,
		a.tag(), Day.Format(bloggerTime), escapeXML(a.Name), a.URL(), len(a.posts), start, n)
	if start-1+n < len(a.posts) {
		fmt.Fprintf(&b, `<link rel='next' type='application/atom+xml' href='%s?start-index=%d&amp;max-results=%d'/>`, self, start+n, n)
	}
	for _, p := range list {
		fmt.Fprintf(&b, `<entry><id>%s.post-%s</id><published>%s</published><updated>%s</updated>`, a.tag(), p.ID, p.Time.Format(bloggerTime), p.updated().Format(bloggerTime))
		for _, t := range p.Tags {
			fmt.Fprintf(&b, `<category scheme='http://www.blogger.com/atom/ns#' term='%s'/>`, escapeXML(t))
		}
		fmt.Fprintf(&b, `<title type='text'>%s</title><content type='html'>%s</content><link rel='alternate' type='text/html' href='%s'/><author><name>%s</name><uri>http://www.blogger.com/profile/1%s</uri><email>noreply@blogger.com</email></author><thr:total>%d</thr:total></entry>`,
			escapeXML(p.Title), escapeXML(p.html(p.bloggerImage())), p.URL(), escapeXML(a.Name), a.ID, len(p.Comments))
	}
	b.WriteString("</feed>")
	reply(w, "application/atom+xml; charset=UTF-8", b.String())
}

func (s *Server) bloggerComments(w http.ResponseWriter, r *http.Request, a *Account, id string) {
	type item struct {
		p *Post
		c *Comment
	}
	var all []item
	for _, p := range a.posts {
		if id == "" || p.ID == id {
			for _, c := range p.Comments {
				all = append(all, item{p, c})
			}
		}
	}
	start, n := number(r, "start-index", 1), min(number(r, "max-results", 25), 150)
	var entries []tdoc
	for _, i := range page(all, start-1, n) {
		href := i.p.URL()
		to := a.tag() + ".post-" + i.p.ID
		links := []tdoc{{"rel": "alternate", "type": "text/html", "href": href + "?showComment=" + strconv.FormatInt(i.c.Time.UnixMilli(), 10) + "#c" + i.c.ID}}
		if i.c.Parent != nil {
			links = append(links, tdoc{"rel": "related", "type": "application/atom+xml", "href": a.URL() + "feeds/" + i.p.ID + "/comments/default/" + i.c.Parent.ID})
		}
		entries = append(entries, tdoc{
			"id": text(a.tag() + ".post-" + i.c.ID), "published": text(i.c.Time.Format(bloggerTime)), "updated": text(i.c.Time.Format(bloggerTime)),
			"title": tdoc{"type": "text", "$t": i.c.Text}, "content": tdoc{"type": "html", "$t": html.EscapeString(i.c.Text)}, "link": links,
			"author":          []tdoc{{"name": text(i.c.Author), "email": text("noreply@blogger.com")}},
			"thr$in-reply-to": tdoc{"xmlns$thr": "http://purl.org/syndication/thread/1.0", "href": href, "ref": to, "source": a.URL() + "feeds/posts/default/" + i.p.ID, "type": "text/html"},
		})
	}
	replyJSON(w, tdoc{"version": "1.0", "encoding": "UTF-8", "feed": tdoc{
		"id": text(a.tag() + ".comments"), "updated": text(Day.Format(bloggerTime)), "title": tdoc{"type": "text", "$t": "Comments"},
		"link": []tdoc{{"rel": "alternate", "type": "text/html", "href": a.URL()}}, "generator": tdoc{"version": "7.00", "uri": "http://www.blogger.com", "$t": "Blogger"},
		"openSearch$totalResults": text(strconv.Itoa(len(all))), "openSearch$startIndex": text(strconv.Itoa(start)), "openSearch$itemsPerPage": text(strconv.Itoa(n)), "entry": entries,
	}})
}

func (s *Server) bloggerPage(w http.ResponseWriter, a *Account, p *Post) {
	title, body := a.Name+"'s blog", ""
	list := a.posts[:min(len(a.posts), 7)]
	canonical := a.URL()
	if p != nil {
		title, canonical, list = p.Title, p.URL(), []*Post{p}
	}
	for _, p := range list {
		body += fmt.Sprintf(`<div class='post hentry' itemscope='itemscope' itemtype='http://schema.org/BlogPosting'><meta content='%s' itemprop='blogId'/><meta content='%s' itemprop='postId'/><a name='%s'></a><h3 class='post-title entry-title' itemprop='name'><a href='%s'>%s</a></h3><div class='post-body entry-content' id='post-body-%s' itemprop='description articleBody'>%s</div><div class='post-footer'><span class='post-author vcard'><span class='fn' itemprop='author'>%s</span></span> <abbr class='published' itemprop='datePublished' title='%s'>%s</abbr></div></div>`,
			a.ID, p.ID, p.ID, p.URL(), html.EscapeString(p.Title), p.ID, p.html(p.bloggerImage()), html.EscapeString(a.Name), p.Time.Format(bloggerTime), p.Time.Format("15:04"))
	}
	reply(w, "text/html; charset=UTF-8", fmt.Sprintf(`<!DOCTYPE html><html dir='ltr'><head><meta content='blogger' name='generator'/><title>%s</title><link href='%s' rel='canonical'/><meta content='%s' property='og:title'/><meta content='%s' property='og:url'/><link rel="alternate" type="application/atom+xml" title="Atom" href="%sfeeds/posts/default" /><link rel="service.post" type="application/atom+xml" href="https://www.blogger.com/feeds/%s/posts/default" /></head><body>%s</body></html>`,
		html.EscapeString(title), canonical, html.EscapeString(title), canonical, a.URL(), a.ID, body))
}
