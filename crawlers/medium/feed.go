package medium

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html/charset"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/post"
)

// An item is one story of a feed.
type item struct {
	Titles      []string `xml:"title"`
	Links       []string `xml:"link"`
	GUID        string   `xml:"guid"`
	Categories  []string `xml:"category"`
	Creator     string   `xml:"http://purl.org/dc/elements/1.1/ creator"`
	PubDate     string   `xml:"pubDate"`
	Updated     string   `xml:"http://www.w3.org/2005/Atom updated"`
	Content     string   `xml:"http://purl.org/rss/1.0/modules/content/ encoded"`
	Description string   `xml:"description"`
}

// A feedHead is what stands before the stories.
type feedHead struct {
	link      string // of the channel
	self      string // atom:link rel=self
	generator string
}

// feed reads RSS 2.0.
func (r *reader) feed(raw []byte) {
	d := newXML(raw)
	head, served, unread := feedHead{}, 0, 0
	root := ""
	var broken error
	for {
		token, err := d.Token()
		if err != nil {
			if err != io.EOF {
				broken = err
			}
			break
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if root == "" {
			if root = start.Name.Local; root != "rss" {
				r.fail(post.UnexpectedType, "XML with the root <"+root+">, not RSS")
				return
			}
		}
		if start.Name.Local != "item" {
			head.read(d, start)
			continue
		}
		if served == 0 {
			r.feedHome(head)
		}
		var it item
		if err := d.DecodeElement(&it, &start); err != nil {
			continue // the next Token repeats the error
		}
		served++
		p, ok := r.item(&it, head)
		if !ok {
			unread++
			continue
		}
		r.add(p)
		r.hydrate(p.ID)
	}
	if served == 0 {
		r.feedHome(head)
	}
	cov := &r.page.Coverage
	cov.Served, cov.Window = served, true
	cov.End = fmt.Sprintf("the feed serves the %d newest stories", feedItems)
	switch {
	case broken != nil || r.ex.Truncated:
		r.fail(post.CutBody, fmt.Sprintf("the feed ends early, after %d stories", served))
	case root == "":
		r.fail(post.UnexpectedType, "XML without an element")
	case served == 0:
		cov.End, cov.Window = "the feed holds no story", false
	case unread == served:
		r.fail(post.LayoutChanged, "no item carries the id of a story")
	case unread > 0:
		r.fail(post.OKPartial, fmt.Sprintf("%d items carry no id of a story", unread))
	}
}

func newXML(raw []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = charset.NewReaderLabel
	return d
}

// read keeps an element of the channel. The channel's own image has a link too,
// which is the same.
func (h *feedHead) read(d *xml.Decoder, start xml.StartElement) {
	switch start.Name.Local {
	case "link":
		if start.Name.Space == "http://www.w3.org/2005/Atom" {
			rel, href := "", ""
			for _, a := range start.Attr {
				switch a.Name.Local {
				case "rel":
					rel = a.Value
				case "href":
					href = a.Value
				}
			}
			if rel == "self" && h.self == "" {
				h.self = href
			}
			return
		}
		var s string
		if d.DecodeElement(&s, &start) == nil && h.link == "" {
			h.link = strings.TrimSpace(s)
		}
	case "generator":
		var s string
		if d.DecodeElement(&s, &start) == nil {
			h.generator = strings.TrimSpace(s)
		}
	}
}

// sourceIDs reads ?source=rss-USER------2 and ?source=rss----COLLECTION---TAG,
// by which Medium marks the links of a feed.
func sourceIDs(link string) (user, collection string) {
	u, err := url.Parse(link)
	if err != nil {
		return "", ""
	}
	parts := strings.Split(u.Query().Get("source"), "-")
	if parts[0] != "rss" {
		return "", ""
	}
	if len(parts) > 1 && isHex(parts[1]) {
		user = parts[1]
	}
	if len(parts) > 4 && isHex(parts[4]) {
		collection = parts[4]
	}
	return user, collection
}

// feedHome notes the identity of the account or publication of the feed.
func (r *reader) feedHome(h feedHead) {
	user, collection := sourceIDs(h.link)
	home, ok := feedRef(h)
	if !ok {
		return
	}
	switch {
	case home.Kind == crawlers.RefAccount && home.Alias && user != "":
		r.identity(crawlers.RefAccount, home.ID, user, home.URL)
	case home.Kind == crawlers.RefGroup && collection != "":
		r.identity(crawlers.RefGroup, home.ID, collection, home.URL)
	case home.Kind == crawlers.RefTag && collection != "" && home.Of != "" && !strings.HasPrefix(home.Of, "@"):
		r.identity(crawlers.RefGroup, home.Of, collection, groupRef(home.Of).URL)
	}
}

// feedRef names what a feed is of, from its own addresses.
func feedRef(h feedHead) (crawlers.Ref, bool) {
	for _, address := range []string{h.self, h.link} {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			continue
		}
		if ref, ok := (Collector{}).Match(u); ok {
			return ref, true
		}
		if host := strings.ToLower(u.Hostname()); strings.Contains(host, ".") && !strings.HasSuffix(host, "medium.com") && h.generator == "Medium" {
			return groupRef(host), true
		}
	}
	return crawlers.Ref{}, false
}

func (r *reader) item(it *item, h feedHead) (post.Post, bool) {
	link := firstOf(it.Links...)
	id := storyID(lastSegment(pathOf(strings.TrimSpace(it.GUID))))
	if id == "" {
		id = storyID(lastSegment(pathOf(link)))
	}
	if id == "" {
		return post.Post{}, false
	}
	p := post.Post{ID: id, Kind: post.KindArticle, URL: storyURL(id), Title: strings.TrimSpace(html.UnescapeString(firstOf(it.Titles...))), Outcome: post.OK}
	p.Account = r.itemAuthor(strings.TrimSpace(it.Creator), link, h)
	for _, c := range it.Categories {
		if c = strings.TrimSpace(c); c != "" {
			p.Tags = append(p.Tags, c)
		}
	}
	if t, err := parseTime(it.PubDate); err == nil {
		p.Created = post.Exact(t, "")
	}
	if t, err := parseTime(it.Updated); err == nil && !p.Created.IsZero() && t.Truncate(time.Second).After(p.Created.Time) {
		p.Edited = post.Exact(t, "")
	}
	src := it.Content
	if strings.TrimSpace(src) == "" {
		src, p.Outcome = it.Description, post.OKPartial
	}
	src = cutOrigin(src)
	cut, continued := cutContinue(src)
	if continued {
		src, p.Outcome = cut, post.OKPartial
	}
	c := htmltext.Fragment(src, nil)
	p.Text = c.Text
	for _, l := range c.Links {
		if storyID(lastSegment(pathOf(l))) != p.ID { // a snippet links to its own story
			p.Links = append(p.Links, l)
		}
	}
	if p.Text == "" && p.Outcome == post.OKPartial {
		p.Outcome = post.OKMetaOnly
	}
	for _, m := range c.Media {
		if strings.Contains(m.URL, "medium.com/_/stat") {
			continue
		}
		if id := imageID(m.URL); id != "" {
			m.URL, m.Width, m.Height = imageURL(id), 0, 0 // the size in the feed is not the picture's
		}
		addMedia(&p, m)
	}
	return p, true
}

// itemAuthor names the author of a story. The feed gives a display name; the
// handle stands in the story's address where the account is its home, and the
// id in the links of an account's own feed.
func (r *reader) itemAuthor(name, link string, h feedHead) post.Account {
	handle, id := "", ""
	if u, err := url.Parse(link); err == nil {
		segs := segments(u.Path)
		host := strings.ToLower(u.Hostname())
		if len(segs) > 1 && strings.HasPrefix(segs[0], "@") && isUser(segs[0][1:]) {
			handle = segs[0][1:]
		} else if sub, ok := strings.CutSuffix(host, ".medium.com"); ok && sub != "www" && !isService(sub) && len(segs) > 0 && storyID(segs[0]) != "" {
			handle = sub
		}
	}
	if home, ok := feedRef(h); ok && home.Kind == crawlers.RefAccount && home.Alias && (handle == "" || strings.EqualFold(handle, home.ID)) {
		id, _ = sourceIDs(h.link)
		if handle == "" {
			handle = home.ID
		}
	}
	if name == "" && handle == "" {
		return post.Account{}
	}
	return author(id, handle, name, "")
}

// cutContinue cuts "Continue reading on …" off the end of a snippet.
func cutContinue(src string) (string, bool) {
	i := strings.LastIndex(src, "Continue reading on")
	if i < 0 || len(src)-i > 400 {
		return src, false
	}
	cut := src[:i]
	if p := strings.LastIndex(cut, "<p"); p >= 0 && i-p < 600 {
		cut = cut[:p]
	} else if a := strings.LastIndex(cut, "<a"); a >= 0 {
		cut = cut[:a]
	}
	return cut, true
}

// cutOrigin cuts off the sentence that Medium adds to stories of publications:
// "TITLE was originally published in PUB on Medium, where people are continuing
// the conversation by highlighting and responding to this story."
func cutOrigin(src string) string {
	i := strings.LastIndex(src, " was originally published in ")
	if i < 0 || len(src)-i > 2000 || !strings.Contains(src[i:], "where people are continuing the conversation") {
		return src
	}
	if p := strings.LastIndex(src[:i], "<p>"); p >= 0 {
		end := strings.Index(src[i:], "</p>")
		if end < 0 {
			return src[:p]
		}
		return src[:p] + src[i+end+len("</p>"):]
	}
	return src
}

func parseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	var first error
	for _, layout := range []string{time.RFC1123, time.RFC1123Z, time.RFC3339Nano} {
		t, err := time.Parse(layout, s)
		if err == nil {
			return t, nil
		}
		if first == nil {
			first = err
		}
	}
	return time.Time{}, fmt.Errorf("medium: time %q: %w", s, first)
}
