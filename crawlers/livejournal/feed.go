package livejournal

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html/charset"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/post"
)

const atomNS = "http://www.w3.org/2005/Atom"

type xmlLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
	Text string `xml:",chardata"`
}

type xmlText struct {
	XMLName xml.Name
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
	Inner   string `xml:",innerxml"`
}

// markup is the element's HTML: escaped text, or elements (type xhtml).
func (x *xmlText) markup() string {
	if x.Type == "xhtml" {
		return x.Inner
	}
	return x.Text
}

// item is an entry of RSS or Atom. Names without a space match in any.
type item struct {
	GUID      string    `xml:"guid"`
	ID        string    `xml:"id"`
	PubDate   string    `xml:"pubDate"`
	Published string    `xml:"published"`
	Issued    string    `xml:"issued"` // Atom 0.3
	Updated   string    `xml:"updated"`
	Titles    []xmlText `xml:"title"`
	Links     []xmlLink `xml:"link"`
	Descr     []xmlText `xml:"description"`
	Content   []xmlText `xml:"content"`
	Encoded   *xmlText  `xml:"encoded"`
	Summary   *xmlText  `xml:"summary"`
	Category  []struct {
		Term string `xml:"term,attr"`
		Text string `xml:",chardata"`
	} `xml:"category"`
	Author struct {
		Name string `xml:"name"`
		URI  string `xml:"uri"`
	} `xml:"author"`
	Replies string `xml:"reply-count"`
	Mood    string `xml:"mood"`
	Music   string `xml:"music"`
	Poster  []struct {
		Text   string `xml:",chardata"`
		User   string `xml:"user,attr"`
		UserID string `xml:"userid,attr"`
	} `xml:"poster"`
}

// channel is what holds for all items.
type channel struct {
	name, id, kind, title, home, lang string
	noindex                           bool
}

var (
	atomID   = regexp.MustCompile(`atom1:([a-z0-9_]+):(\d+)$`)
	madeUp   = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?$`)
	readMore = regexp.MustCompile(`(?i)\(\s*(?:&nbsp;|\x{a0})*\s*<a\s[^>]*livejournal\.com[^>]*>\s*(?:<b>)?(?:read more|читать дальше)`)
)

func readFeed(s crawlers.Step, ex crawlers.Exchange, body []byte) crawlers.Page {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = charset.NewReaderLabel
	var ch channel
	var items []item
	var failed error
	root := ""
	for failed == nil {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			failed = err
			break
		}
		el, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		attr := func(name string) string {
			for _, a := range el.Attr {
				if a.Name.Local == name {
					return a.Value
				}
			}
			return ""
		}
		if root == "" {
			root = el.Name.Local
			if root != "rss" && root != "feed" && root != "RDF" {
				return crawlers.Page{Outcome: post.UnexpectedType, Reason: "XML whose root is " + root}
			}
			ch.noindex = ch.noindex || attr("index") == "no"
			continue
		}
		switch el.Name.Local {
		case "channel":
		case "item", "entry":
			var it item
			if failed = d.DecodeElement(&it, &el); failed == nil {
				items = append(items, it)
			}
		case "journal":
			ch.name, ch.id, ch.kind = first(ch.name, attr("username")), first(ch.id, attr("userid")), first(ch.kind, attr("type"))
			var text string
			if d.DecodeElement(&text, &el) == nil && strings.TrimSpace(text) != "" {
				ch.name = first(attr("username"), strings.TrimSpace(text))
			}
		default:
			var x xmlText
			href, rel := attr("href"), attr("rel")
			if d.DecodeElement(&x, &el) != nil {
				continue
			}
			text := strings.TrimSpace(x.Text)
			switch el.Name.Local {
			case "journalid":
				ch.id = text
			case "journaltype":
				ch.kind = text
			case "title":
				ch.title = first(ch.title, text)
			case "link":
				if href == "" {
					ch.home = first(ch.home, text)
				} else if rel == "" || rel == "alternate" {
					ch.home = first(ch.home, href)
				}
			case "copyright", "rights":
				ch.noindex = ch.noindex || strings.Contains(text, "NOINDEX")
			case "language":
				ch.lang = text
			}
		}
	}
	if root == "" {
		return crawlers.Page{Outcome: post.UnexpectedType, Reason: "XML without an element"}
	}
	if ch.name == "" {
		if u, err := url.Parse(ch.home); err == nil {
			if ref, ok := (Collector{}).Match(u); ok {
				ch.name = nameOf(ref)
			}
		}
	}
	if name, ok := clean(ch.name); ok {
		ch.name = name
	} else {
		ch.name = nameOf(s.Ref)
	}
	return listFeed(s, ex, ch, items, failed)
}

func listFeed(s crawlers.Step, ex crawlers.Exchange, ch channel, items []item, failed error) crawlers.Page {
	var page crawlers.Page
	cut := 0
	for i := range items {
		p, ok := items[i].post(ch)
		if !ok {
			continue
		}
		if p.Outcome == post.OKPartial || p.Outcome == post.OKMetaOnly {
			cut++
			if ref, ok := refOf(p.URL); ok {
				page.Next = append(page.Next, crawlers.Step{Ref: ref, Route: routeHTML, Role: crawlers.RoleHydrate})
			}
		}
		page.Posts = append(page.Posts, p)
		page.Assets = append(page.Assets, assets(p)...)
	}
	if failed != nil {
		page.Outcome, page.Reason = post.UnexpectedType, failed.Error()
		if ex.Truncated {
			page.Outcome = post.CutBody
		}
	} else if len(items) > 0 && len(page.Posts) == 0 {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a feed whose items are not entries of a journal"}
	}
	name := nameOf(s.Ref)
	if s.Ref.Kind == crawlers.RefPost {
		found := false
		for i := range page.Posts {
			found = found || page.Posts[i].ID == s.Ref.ID
		}
		switch {
		case found:
		case len(page.Posts) == 1 && !strings.HasPrefix(page.Posts[0].ID, name+":"):
			// ?itemid= of a repost answers with the original.
			page.Posts = append([]post.Post{repostStub(s.Ref, page.Posts[0])}, page.Posts...)
		default:
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: "the feed does not hold entry " + s.Ref.ID}
		}
	}
	if ch.id != "" && ch.name != "" {
		page.Identities = append(page.Identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: ch.name, ID: ch.id, URL: journalURL(ch.name)})
	}
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Oldest: oldest(page.Posts)}
	switch s.Ref.Kind {
	case crawlers.RefAccount:
		// Pages go on where the feed ends, and show the reposts that it leaves out.
		page.Coverage.Window = true
		if page.Outcome == "" {
			page.Next = append(page.Next, crawlers.Step{Ref: journalRef(name), Route: routeHTML})
		} else {
			page.Coverage.End = "the feed is broken off"
		}
	case crawlers.RefTag:
		page.Coverage.Window = true
		if page.Outcome == "" {
			page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: routeHTML})
		} else {
			page.Coverage.End = "the feed is broken off"
		}
	default:
		page.Coverage.End = "one entry"
	}
	for i := range page.Posts {
		if n := replies(&page.Posts[i]); n > 0 {
			if ref, ok := refOf(page.Posts[i].URL); ok {
				page.Next = append(page.Next, crawlers.Step{Ref: ref, Route: routeHTML, Role: crawlers.RoleComments})
			}
		}
	}
	if cut > 0 && page.Outcome == "" {
		page.Outcome, page.Reason = post.OKPartial, fmt.Sprintf("the feed cuts %d of %d entries", cut, len(page.Posts))
	}
	return page
}

// repostStub is the entry of a journal that only points to another's: the
// answer shows nothing else of it.
func repostStub(ref crawlers.Ref, of post.Post) post.Post {
	return post.Post{
		ID: ref.ID, Kind: post.KindPost, URL: ref.URL, Account: account(ref.Of, ""), Outcome: post.OKMetaOnly, Tags: []string{"repost"},
		Refs: []post.Ref{{Role: post.RoleRepostOf, ID: of.ID, URL: of.URL, Account: of.Account.Handle}},
	}
}

func replies(p *post.Post) int64 {
	for _, c := range p.Counts {
		if c.Name == "comments" {
			return c.Value
		}
	}
	return 0
}

func account(name, id string) post.Account {
	if name == "" {
		return post.Account{}
	}
	return post.Account{ID: id, Handle: name, URL: journalURL(name)}
}

func refOf(raw string) (crawlers.Ref, bool) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return crawlers.Ref{}, false
	}
	return (Collector{}).Match(u)
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// plainTitle is the title that no media or other extension names.
func plainTitle(titles []xmlText) *xmlText {
	for i := range titles {
		if sp := titles[i].XMLName.Space; sp == "" || sp == atomNS || strings.Contains(sp, "purl.org/atom") || strings.Contains(sp, "purl.org/rss") {
			return &titles[i]
		}
	}
	return nil
}

// post makes a post of an entry.
func (it *item) post(ch channel) (post.Post, bool) {
	name, number := ch.name, ""
	address := ""
	for _, l := range it.Links {
		to := first(l.Href, strings.TrimSpace(l.Text))
		if l.Rel == "" || l.Rel == "alternate" {
			address = first(address, to)
		}
	}
	for _, raw := range []string{it.GUID, address} {
		if ref, ok := refOf(raw); ok && (ref.Kind == crawlers.RefPost || ref.Kind == crawlers.RefComment) {
			name, number = ref.Of, strings.Split(ref.ID, ":")[1]
			break
		}
	}
	if m := atomID.FindStringSubmatch(strings.TrimSpace(it.ID)); m != nil {
		name, number = m[1], m[2]
		if ref, ok := refOf(address); ok && ref.Kind == crawlers.RefPost {
			name, number = ref.Of, strings.Split(ref.ID, ":")[1] // the address has the ditemid
		}
	}
	if name == "" || number == "" {
		return post.Post{}, false
	}
	ref := postRef(name, number)
	p := post.Post{ID: ref.ID, Kind: post.KindPost, URL: ref.URL, Lang: ch.lang}
	if t := plainTitle(it.Titles); t != nil {
		p.Title = strings.TrimSpace(t.Text)
		if t.Type == "html" || t.Type == "xhtml" || strings.Contains(p.Title, "<") || strings.Contains(p.Title, "&") {
			p.Title = htmltext.Fragment(t.markup(), nil).Text
		}
		// Atom wants a title: that of an untitled entry is made up of name and local time.
		if rest, ok := strings.CutPrefix(p.Title, name+" @ "); ok && madeUp.MatchString(rest) {
			p.Title = ""
		}
	}
	base, _ := url.Parse(p.URL)
	src, whole := "", false
	for _, list := range [][]xmlText{it.Content, it.Descr} {
		for i := range list {
			if sp := list[i].XMLName.Space; strings.Contains(sp, "mrss") || whole {
				continue
			}
			src, whole = list[i].markup(), true
		}
	}
	if it.Encoded != nil {
		src, whole = it.Encoded.markup(), true
	}
	switch {
	case whole && readMore.MatchString(src):
		p.Outcome = post.OKPartial
	case !whole && it.Summary != nil:
		src, p.Outcome = it.Summary.markup(), post.OKPartial
	case !whole:
		p.Outcome = post.OKMetaOnly
	}
	fill(&p, src, base)
	p.Account = account(name, "")
	if name == ch.name {
		p.Account.ID = ch.id
	}
	for _, w := range it.Poster {
		if who, ok := clean(first(w.User, strings.TrimSpace(w.Text))); ok && (who != name || w.UserID != "") {
			p.Account = account(who, w.UserID)
		}
	}
	if ch.kind == "C" && p.Account.Handle == ch.name { // a community writes nothing itself
		if ref, ok := refOf(it.Author.URI); ok && nameOf(ref) != ch.name {
			p.Account = account(nameOf(ref), "")
		}
	}
	if p.Account.Handle == ch.name && ch.kind != "C" && it.Author.Name != "" && it.Author.Name != ch.name {
		p.Account.Name = it.Author.Name
	}
	p.Created = exact(first(it.PubDate, it.Published, it.Issued))
	if e := exact(it.Updated); !e.IsZero() && e.Time.After(p.Created.Time) {
		p.Edited = e
	}
	for _, c := range it.Category {
		if t := first(c.Term, strings.TrimSpace(c.Text)); t != "" {
			p.Tags = append(p.Tags, t)
		}
	}
	if it.Mood != "" {
		p.Tags = append(p.Tags, "mood:"+strings.TrimSpace(it.Mood))
	}
	if it.Music != "" {
		p.Tags = append(p.Tags, "music:"+strings.TrimSpace(it.Music))
	}
	if ch.noindex {
		p.Tags = append(p.Tags, "noindex")
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(it.Replies), 10, 64); err == nil && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("comments", n))
	}
	return p, true
}
