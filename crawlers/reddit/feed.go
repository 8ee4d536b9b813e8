package reddit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html/charset"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/post"
)

// An entry is one entry of Atom or item of RSS 2.0.
type entry struct {
	ID     string   `xml:"id"`
	GUID   string   `xml:"guid"`
	Titles []string `xml:"title"` // RSS 2.0 repeats it as media:title
	Author struct {
		Name string `xml:"name"`
		URI  string `xml:"uri"`
	} `xml:"author"`
	Category struct {
		Term  string `xml:"term,attr"`
		Label string `xml:"label,attr"`
		Text  string `xml:",chardata"`
	} `xml:"category"`
	Content struct {
		Type  string `xml:"type,attr"`
		Text  string `xml:",chardata"`
		Inner string `xml:",innerxml"`
	} `xml:"content"`
	Description string `xml:"description"`
	Links       []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
		Text string `xml:",chardata"`
	} `xml:"link"`
	Thumbnail struct {
		URL string `xml:"url,attr"`
	} `xml:"http://search.yahoo.com/mrss/ thumbnail"`
	Published string `xml:"published"`
	Updated   string `xml:"updated"`
	PubDate   string `xml:"pubDate"`
}

// feed reads Atom, or the RSS 2.0 of 2015.
func (r *reader) feed(body []byte) {
	if r.step.Route == "" {
		r.route = routeFeed
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = charset.NewReaderLabel
	root, served, unread, last := "", 0, 0, ""
	for {
		token, err := d.Token()
		if err != nil {
			if err != io.EOF || r.ex.Truncated {
				r.page.Outcome, r.page.Reason = post.CutBody, fmt.Sprintf("the feed ends early, after %d entries", served)
				var syntax *xml.SyntaxError
				if errors.As(err, &syntax) && !strings.Contains(syntax.Msg, "unexpected EOF") && !r.ex.Truncated {
					r.page.Outcome, r.page.Reason = post.UnexpectedType, "broken XML: "+err.Error()
				}
			}
			break
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		name := start.Name.Local
		if root == "" {
			root = name
			if root != "feed" && root != "rss" && root != "RDF" {
				r.fail(post.UnexpectedType, "XML with the root <"+root+">, not a feed")
				return
			}
			continue
		}
		if name != "entry" && name != "item" {
			continue
		}
		var e entry
		if err := d.DecodeElement(&e, &start); err != nil {
			continue // the next Token repeats the error
		}
		served++
		p, ok := r.entry(&e)
		if !ok {
			unread++
			continue
		}
		if r.add(p) {
			last = p.ID
		}
		if p.Kind == post.KindPost && r.isListing() {
			r.next(crawlers.Step{Ref: postRef(p.ID), Route: r.route, Role: crawlers.RoleComments})
		}
	}
	if root == "" {
		if r.page.Outcome == "" {
			r.fail(post.UnexpectedType, "XML without an element")
		}
		return
	}
	cov := &r.page.Coverage
	cov.Served = served
	if r.page.Outcome != "" {
		cov.End = "the feed is cut"
		return
	}
	if served > 0 && unread == served {
		r.fail(post.LayoutChanged, "no entry carries the id of a post")
		return
	}
	if unread > 0 {
		r.page.Outcome, r.page.Reason = post.OKPartial, fmt.Sprintf("%d entries carry no id of a post", unread)
	}
	r.feedPaging(served, last)
}

// feedPaging says how far a feed reached, and asks for what follows.
func (r *reader) feedPaging(served int, last string) {
	cov := &r.page.Coverage
	ref := r.step.Ref
	if !r.isListing() {
		cov.End, cov.Window = "the feed of a thread serves its first entries only", true
		if served < 25 {
			cov.End, cov.Window = "end of the thread", false
		}
		if ref.Kind == crawlers.RefComment {
			r.asked(ref.ID)
		} else if served == 0 {
			r.fail(post.NotFound, "the feed of the thread is empty")
		} else if p := &r.page.Posts[0]; p.Kind == post.KindPost && p.ID != ref.ID && r.step.Role != crawlers.RoleRelated {
			r.page.Posts, r.page.Assets = nil, nil
			r.fail(post.LayoutChanged, "asked for "+ref.ID+", the feed is about "+p.ID)
		}
		return
	}
	cov.Window = true
	if ref.Kind == crawlers.RefAccount && !r.state.Comments && r.state.After == "" {
		r.next(crawlers.Step{Ref: ref, Route: r.route, Role: crawlers.RoleComments, State: state{Comments: true}.encode()})
	}
	switch {
	case served < 25:
		cov.End, cov.Window = "end of list", false
	case r.state.After != "" && r.posts[r.state.After]:
		cov.End = "the feed repeats its first page: it serves the newest items only"
	case r.state.Count+served >= listingCap:
		cov.End = fmt.Sprintf("Reddit serves at most %d items of a listing", listingCap)
	default:
		role := crawlers.RolePage
		if r.state.Comments {
			role = crawlers.RoleComments
			cov.End = "the next page is a further step"
		}
		r.next(crawlers.Step{Ref: ref, Route: r.route, Role: role, State: state{After: last, Count: r.state.Count + served, Comments: r.state.Comments}.encode()})
	}
}

// entry turns one entry into a post or comment. It gives false where the entry
// names neither.
func (r *reader) entry(e *entry) (post.Post, bool) {
	link := e.GUID
	for _, l := range e.Links {
		if address := strings.TrimSpace(l.Href + l.Text); isWeb(address) && (l.Rel == "" || l.Rel == "alternate") {
			link = address
			break
		}
	}
	target, known := Collector{}.matchRaw(link)
	id := strings.TrimSpace(e.ID)
	if !isID(bare(id)) || bare(id) == id {
		id = ""
		if known && (target.Kind == crawlers.RefPost || target.Kind == crawlers.RefComment) {
			id = target.ID
		}
	}
	p := post.Post{ID: id, Outcome: post.OK, Title: firstOf(e.Titles)}
	switch {
	case strings.HasPrefix(id, "t3_"):
		p.Kind, p.URL = post.KindPost, postURL(id)
	case strings.HasPrefix(id, "t1_"):
		p.Kind, p.Title = post.KindComment, "" // "/u/NAME on TITLE" is the title of its post
		if target.Kind == crawlers.RefComment && target.Of != "" {
			p.Thread, p.URL = target.Of, commentURL(id, target.Of)
			p.Refs = []post.Ref{{Role: post.RoleCommentOn, ID: target.Of, URL: postURL(target.Of)}}
		}
	case strings.HasPrefix(id, "t5_"), strings.HasPrefix(id, "t2_"):
		p.Kind, p.URL = post.KindAccount, target.URL
		p.Account = post.Account{ID: id, Name: p.Title, URL: target.URL}
		if known {
			p.Account.Handle = target.ID
			r.identity(target.Kind, target.ID, id, target.URL)
		}
	default:
		return post.Post{}, false
	}
	if name := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(e.Author.Name), "/"), "u/"); name != "" && p.Kind != post.KindAccount {
		p.Account = account(name, "")
	}
	sub := e.Category.Term
	if sub == "" {
		sub = e.Category.Text
	}
	if sub = strings.TrimSpace(sub); sub != "" && p.Kind != post.KindAccount {
		p.Tags = []string{"r/" + sub}
	}
	r.entryTimes(&p, e)
	src := e.Content.Text
	if e.Content.Type == "xhtml" {
		src = e.Content.Inner
	}
	if strings.TrimSpace(src) == "" {
		src = e.Description
	}
	r.entryBody(&p, src)
	if e.Thumbnail.URL != "" && isWeb(e.Thumbnail.URL) && len(p.Media) == 0 {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: e.Thumbnail.URL})
	}
	return p, true
}

func firstOf(list []string) string {
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			return s
		}
	}
	return ""
}

func onlyIf(yes bool, s string) string {
	if yes {
		return s
	}
	return ""
}

func (r *reader) entryTimes(p *post.Post, e *entry) {
	published, ok := feedTime(e.Published + onlyIf(e.Published == "", e.PubDate))
	updated, known := feedTime(e.Updated)
	switch {
	case ok:
		p.Created = post.Exact(published, "")
		if known && updated.After(published) {
			p.Edited = post.Exact(updated, "")
		}
	case known: // the entry was there by then; feeds of this kind give no other time
		p.Created = post.Between(time.Time{}, updated, strings.TrimSpace(e.Updated), post.SourceField)
	}
	if p.Kind == post.KindAccount {
		p.Account.Created = p.Created
	}
}

func feedTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339, time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 -0700"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1970 && t.Year() < 9999 {
			return t, true
		}
	}
	return time.Time{}, false
}

// entryBody reads the HTML of an entry: the text between the markers, and the
// outgoing link, pictures and number of comments around it. The words
// "submitted by … [link] [comments]" are not the author's.
func (r *reader) entryBody(p *post.Post, src string) {
	body, frame := "", src
	if before, rest, ok := strings.Cut(src, "<!-- SC_OFF -->"); ok {
		inner, after, _ := strings.Cut(rest, "<!-- SC_ON -->")
		body, frame = inner, before+after
	}
	base, _ := url.Parse(web)
	if p.Kind == post.KindComment && body == "" {
		body, frame = src, ""
	}
	if body != "" {
		c := htmltext.Fragment(body, nil)
		p.Text = c.Text
		if isPlaceholder(p.Text) {
			p.Outcome = post.Removed
			if strings.HasPrefix(p.Text, "[deleted") {
				p.Outcome = post.Deleted
			}
			p.Text = ""
		}
		p.Media = append(p.Media, c.Media...)
		for _, m := range hrefs(body) {
			if name := mentioned(m.href); name != "" {
				p.Mentions = append(p.Mentions, name)
			}
		}
		p.Links = append(p.Links, c.Links...)
	}
	for _, a := range hrefs(frame) {
		text := strings.TrimSpace(htmltext.Fragment(a.text, nil).Text)
		to, err := base.Parse(a.href)
		if err != nil {
			continue
		}
		switch {
		case text == "[link]":
			r.entryLink(p, to)
		case strings.HasSuffix(text, "comments]") || strings.HasSuffix(text, "comment]"):
			if n, ok := bracketCount(text); ok {
				p.Counts = append(p.Counts, post.ExactCount("comments", n))
			}
		}
		if name := mentioned(to.Path); name != "" && p.Account.Handle == "" && p.Kind != post.KindAccount && strings.Contains(strings.ToLower(a.text), strings.ToLower(name)) {
			p.Account = account(name, "") // RSS 2.0 names the author here only
		}
	}
	for _, m := range htmltext.Fragment(frame, base).Media {
		if m.Kind == post.MediaImage && (len(p.Media) == 0 || hostedName(m.URL) != "" && hostedName(m.URL) != hostedName(p.Media[0].URL)) {
			m.Alt = "" // the title again
			p.Media = append(p.Media, m)
		}
	}
}

// entryLink keeps what the post links to.
func (r *reader) entryLink(p *post.Post, to *url.URL) {
	if ref, ok := (Collector{}).Match(to); ok && ref.ID == p.ID {
		if strings.Contains(to.Path, "/gallery/") {
			p.Tags = append(p.Tags, "gallery")
		}
		return
	}
	kind, hosted := linkedMedia(to.String())
	if kind != "" {
		p.Media = append(p.Media, post.Media{Kind: kind, URL: to.String()})
	}
	if !hosted {
		p.Links = append([]string{to.String()}, p.Links...)
	}
}

type anchor struct{ href, text string }

// hrefs lists the anchors of a piece of HTML, with their inner HTML.
func hrefs(src string) []anchor {
	var list []anchor
	for {
		_, rest, ok := strings.Cut(src, "<a ")
		if !ok {
			return list
		}
		tag, after, ok := strings.Cut(rest, ">")
		if !ok {
			return list
		}
		text, tail, _ := strings.Cut(after, "</a>")
		src = tail
		if _, value, ok := strings.Cut(tag, `href="`); ok {
			value, _, _ = strings.Cut(value, `"`)
			list = append(list, anchor{href: unescapeHTML(value), text: text})
		}
	}
}

// bracketCount reads the number of "[1143 comments]".
func bracketCount(s string) (int64, bool) {
	var n int64
	digits := 0
	for _, c := range []byte(strings.TrimPrefix(s, "[")) {
		if c < '0' || c > '9' || digits > 15 {
			break
		}
		n, digits = n*10+int64(c-'0'), digits+1
	}
	return n, digits > 0
}
