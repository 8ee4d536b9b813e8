package demoweb

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func (s *Server) livejournal(w http.ResponseWriter, r *http.Request, sub string) {
	a := s.world.byHandle(LiveJournal, sub)
	if a == nil {
		notFound(w, "Unknown Journal")
		return
	}
	if a.State == "suspended" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><html><head><title>Suspended Journal</title></head><body><h1>Error</h1><p>This journal has been suspended.</p><script>Site.journal = {"username":%q,"is_suspended":true};</script></body></html>`, sub)
		return
	}
	switch {
	case r.URL.Path == "/data/rss":
		s.journalRSS(w, r, a)
	case r.URL.Path == "/data/atom":
		s.journalAtom(w, r, a)
	case r.URL.Path == "/":
		s.journalPage(w, a, page(a.posts, number(r, "skip", 0), 20), number(r, "skip", 0))
	case strings.HasSuffix(r.URL.Path, ".html"):
		id := strings.TrimSuffix(strings.Trim(r.URL.Path, "/"), ".html")
		if p := s.world.postByID(LiveJournal, id); p != nil && p.Account == a {
			s.entryPage(w, p)
			return
		}
		notFound(w, "Page not found")
	default:
		notFound(w, "Page not found")
	}
}

// feedPosts are the 25 newest entries, or the one that itemid names.
func (a *Account) feedPosts(r *http.Request) []*Post {
	id := r.FormValue("itemid")
	if id == "" {
		return page(a.posts, 0, 25)
	}
	for _, p := range a.posts {
		if p.ID == id {
			return []*Post{p}
		}
	}
	return nil
}

func (p *Post) journalImage() string {
	return p.Account.URL() + "img/" + p.Image
}

func (s *Server) journalRSS(w http.ResponseWriter, r *http.Request, a *Account) {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version='1.0' encoding='utf-8' ?><rss version='2.0' xmlns:lj='http://www.livejournal.org/rss/lj/1.0/' xmlns:media='http://search.yahoo.com/mrss/' xmlns:atom10='http://www.w3.org/2005/Atom'><channel><title>%s</title><link>%s</link><description>%s - LiveJournal.com</description><lastBuildDate>%s</lastBuildDate><generator>LiveJournal / LiveJournal.com</generator><lj:journal>%s</lj:journal><lj:journalid>%s</lj:journalid><lj:journaltype>personal</lj:journaltype>`,
		escapeXML(a.Name), a.URL(), escapeXML(a.Name), Day.Format(time.RFC1123), a.Handle, a.ID)
	for _, p := range a.feedPosts(r) {
		fmt.Fprintf(&b, `<item><guid isPermaLink='true'>%s</guid><pubDate>%s</pubDate><title>%s</title><author>nobody@livejournal.com</author><link>%s</link><description>%s</description><comments>%s?view=comments#comments</comments>`,
			p.URL(), p.Time.Format(time.RFC1123), escapeXML(p.Title), p.URL(), escapeXML(p.html(p.journalImage())), p.URL())
		for _, t := range p.Tags {
			fmt.Fprintf(&b, "<category>%s</category>", escapeXML(t))
		}
		fmt.Fprintf(&b, "<lj:security>public</lj:security><lj:reply-count>%d</lj:reply-count></item>", len(p.Comments))
	}
	b.WriteString("</channel></rss>")
	reply(w, "text/xml; charset=utf-8", b.String())
}

func (s *Server) journalAtom(w http.ResponseWriter, r *http.Request, a *Account) {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version='1.0' encoding='utf-8' ?><feed xmlns='http://www.w3.org/2005/Atom' xmlns:lj='http://www.livejournal.com'><id>urn:lj:livejournal.com:atom1:%s</id><title>%s</title><link rel='alternate' type='text/html' href='%s' /><lj:journal userid='%s' username='%s' type='personal'/><updated>%s</updated>`,
		a.Handle, escapeXML(a.Name), a.URL(), a.ID, a.Handle, Day.Format(time.RFC3339))
	for _, p := range a.feedPosts(r) {
		fmt.Fprintf(&b, `<entry><id>urn:lj:livejournal.com:atom1:%s:%s</id><link rel='alternate' type='text/html' href='%s' /><title>%s</title><published>%s</published><updated>%s</updated><author><name>%s</name></author><lj:poster user='%s' userid='%s'/>`,
			a.Handle, p.ID, p.URL(), escapeXML(p.Title), p.Time.Format(time.RFC3339), p.updated().Format(time.RFC3339), a.Handle, a.Handle, a.ID)
		for _, t := range p.Tags {
			fmt.Fprintf(&b, "<category term='%s' />", escapeXML(t))
		}
		fmt.Fprintf(&b, "<content type='html'>%s</content><lj:reply-count>%d</lj:reply-count></entry>", escapeXML(p.html(p.journalImage())), len(p.Comments))
	}
	b.WriteString("</feed>")
	reply(w, "text/xml; charset=utf-8", b.String())
}

func (s *Server) journalPage(w http.ResponseWriter, a *Account, list []*Post, skip int) {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, `<article class="b-lenta-item entry hentry"><h3 class="entry-title"><a class="subj-link" href="%s">%s</a></h3><div class="entry-content">%s</div></article>`, p.URL(), html.EscapeString(p.Title), p.html(p.journalImage()))
	}
	if skip+20 < len(a.posts) {
		fmt.Fprintf(&b, `<a class="j-page-nav-item-prev" rel="prev" href="%s?skip=%d">Previous 20</a>`, a.URL(), skip+20)
	}
	s.journalHTML(w, a, a.Name, a.URL(), b.String(), map[string]any{})
}

func (s *Server) journalHTML(w http.ResponseWriter, a *Account, title, canonical, body string, vars map[string]any) {
	vars["journal"] = map[string]any{"id": number64(a.ID), "username": a.Handle, "display_username": a.Handle, "display_name": a.Name, "journal_url": a.URL(), "is_personal": true, "is_suspended": false, "journaltype": "P"}
	var script strings.Builder
	for _, name := range []string{"journal", "entry", "page"} {
		if v, ok := vars[name]; ok {
			data, err := json.Marshal(v)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprintf(&script, "Site.%s = %s;\n", name, data)
		}
	}
	reply(w, "text/html; charset=utf-8", fmt.Sprintf(`<!DOCTYPE html><html lang="en"><head><title>%s: %s — LiveJournal</title><link rel="canonical" href="%s" /><link rel="alternate" type="application/rss+xml" title="RSS" href="%sdata/rss" /><meta property="og:title" content="%s" /><meta property="og:url" content="%s" /></head><body>%s<script type="text/javascript">window.Site = window.Site || {};
%s</script></body></html>`, html.EscapeString(title), a.Handle, canonical, a.URL(), html.EscapeString(title), canonical, body, script.String()))
}

func number64(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (s *Server) entryPage(w http.ResponseWriter, p *Post) {
	comments := []map[string]any{}
	for _, c := range p.Comments {
		parent, level := int64(0), 1
		for up := c.Parent; up != nil; up = up.Parent {
			level++
		}
		if c.Parent != nil {
			parent = number64(c.Parent.ID)
		}
		id := number64(c.ID)
		comments = append(comments, map[string]any{
			"dtalkid": id, "talkid": id / 256, "parent": parent, "above": parent, "level": level, "uname": c.Author, "dname": c.Author,
			"username": []any{map[string]any{"username": c.Author, "journal": "https://" + c.Author + ".livejournal.com", "journaltype": "P", "is_identity": 0}},
			"ctime_ts": c.Time.Unix(), "ctime": c.Time.Format("January 2 2006, 15:04:05 UTC"), "article": html.EscapeString(c.Text), "subject": "",
			"deleted": 0, "suspended": 0, "loaded": 1, "shown": 1, "collapsed": 0, "thread_url": fmt.Sprintf("%s?thread=%d#t%d", p.URL(), id, id),
		})
	}
	body := fmt.Sprintf(`<article class="aentry aentry--post"><h1 class="aentry-post__title"><span class="aentry-post__title-text">%s</span></h1><header><time class="aentry-head__date" datetime="%s">%s</time></header><div class="aentry-post__text aentry-post__text--view">%s</div></article>`,
		html.EscapeString(p.Title), p.Time.Format("2006-01-02T15:04:05"), p.Time.Format("January 2 2006, 15:04"), p.html(p.journalImage()))
	poster := map[string]any{"username": p.Account.Handle, "id": number64(p.Account.ID)}
	s.journalHTML(w, p.Account, p.Title, p.URL(), body, map[string]any{
		"entry": map[string]any{"ditemid": number64(p.ID), "title": p.Title, "poster": p.Account.Handle, "journal": p.Account.Handle, "poster_info": poster, "eventtime": p.Time.Format("2006-01-02 15:04:05")},
		"page":  map[string]any{"replycount": len(p.Comments), "comments": comments, "ditemid": number64(p.ID)},
	})
}
