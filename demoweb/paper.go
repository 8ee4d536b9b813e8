package demoweb

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"
)

// paper is the newspaper of the made-up world: web pages with a feed. It prints
// what the operation's posts link to, and some ordinary news.
func (s *Server) paper(w http.ResponseWriter, r *http.Request) {
	slug := strings.Trim(r.URL.Path, "/")
	switch slug {
	case "":
		var b strings.Builder
		for _, st := range stories {
			fmt.Fprintf(&b, `<li><a href="/%s">%s</a></li>`, Slug(st.title), html.EscapeString(st.title))
		}
		reply(w, "text/html; charset=utf-8", `<!DOCTYPE html><html lang="en"><head><title>Harbour Times</title><link rel="alternate" type="application/rss+xml" title="Harbour Times" href="/feed.xml"><meta property="og:site_name" content="Harbour Times"><meta property="og:type" content="website"></head><body><h1>Harbour Times</h1><p>News of Lanmouth and its coast, every day but Sunday, printed behind the fish market since the year of the great frost.</p><ul>`+b.String()+`</ul></body></html>`)
		return
	case "feed.xml":
		var b strings.Builder
		b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Harbour Times</title><link>https://harbour-times.example/</link><description>News of the coast</description><language>en</language>`)
		for i, st := range stories {
			fmt.Fprintf(&b, `<item><title>%s</title><link>https://harbour-times.example/%s</link><guid isPermaLink="false">ht-%d</guid><dc:creator>Desk</dc:creator><pubDate>%s</pubDate><description>%s</description></item>`,
				escapeXML(st.title), Slug(st.title), 1000+i, paperTime(i).Format(time.RFC1123Z), escapeXML("<p>"+html.EscapeString(firstParagraph(st.text))+"</p>"))
		}
		b.WriteString("</channel></rss>")
		reply(w, "application/rss+xml; charset=utf-8", b.String())
		return
	}
	for i, st := range stories {
		if Slug(st.title) != slug {
			continue
		}
		var body strings.Builder
		for para := range strings.SplitSeq(st.text, "\n\n") {
			body.WriteString("<p>" + html.EscapeString(para) + "</p>\n")
		}
		reply(w, "text/html; charset=utf-8", fmt.Sprintf(`<!DOCTYPE html><html lang="en"><head><title>%s - Harbour Times</title><link rel="canonical" href="https://harbour-times.example/%s"><meta property="og:type" content="article"><meta property="og:title" content="%s"><meta property="og:image" content="https://harbour-times.example/img/%s.png"><script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle","headline":%q,"datePublished":"%s","author":{"@type":"Person","name":"Desk"}}</script></head><body><nav><a href="/">Harbour Times</a></nav><article><h1>%s</h1>%s<p>A reader sent us this text. We could not confirm any of it, and the council says that the bridge, the water and the grain are where they were.</p></article><footer>Printed in Lanmouth</footer></body></html>`,
			html.EscapeString(st.title), slug, html.EscapeString(st.title), st.name, st.title, paperTime(i).Format(time.RFC3339), html.EscapeString(st.title), body.String()))
		return
	}
	notFound(w, "Page not found")
}

func paperTime(i int) time.Time { return time.Date(2026, 10, 9+3*i, 6, 30, 0, 0, time.UTC) }

func firstParagraph(s string) string {
	first, _, _ := strings.Cut(s, "\n\n")
	return first
}
