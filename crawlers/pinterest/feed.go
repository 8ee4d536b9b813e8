package pinterest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html/charset"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// An item is one pin of a feed.
type item struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	GUID        string `xml:"guid"`
	PubDate     string `xml:"pubDate"`
	Description string `xml:"description"`
}

// feedRef reads what a feed is of from the link of its channel.
func feedRef(body []byte) (crawlers.Ref, bool) {
	d := newXML(body)
	for n := 0; n < 200; n++ {
		token, err := d.Token()
		if err != nil {
			return crawlers.Ref{}, false
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "item":
			return crawlers.Ref{}, false
		case "link":
			var s string
			if start.Name.Space == "" && d.DecodeElement(&s, &start) == nil {
				if ref, ok := matchText(s); ok && (ref.Kind == crawlers.RefAccount || ref.Kind == crawlers.RefBoard) {
					return ref, true
				}
			}
		}
	}
	return crawlers.Ref{}, false
}

func newXML(raw []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = charset.NewReaderLabel
	return d
}

// feed reads RSS 2.0 of an account or board.
func (r *reader) feed(body []byte) {
	home, known := feedRef(body)
	if !known {
		home = r.step.Ref
	}
	d := newXML(body)
	served, unread := 0, 0
	name := ""
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
		switch {
		case start.Name.Local == "title" && served == 0 && name == "":
			var s string
			if d.DecodeElement(&s, &start) == nil {
				name = strings.TrimSpace(s)
			}
		case start.Name.Local == "item":
			var it item
			if err := d.DecodeElement(&it, &start); err != nil {
				continue // the next Token repeats the error
			}
			served++
			p, ok := readItem(&it, home, name)
			if !ok {
				unread++
				continue
			}
			r.add(p)
			r.hydrate(p.ID)
		}
	}
	cov := &r.page.Coverage
	cov.Served, cov.Window, cov.End = served, true, fmt.Sprintf("the feed serves the newest %d pins", feedPins)
	if served == 0 {
		cov.Window, cov.End = false, "the feed holds no pin"
	}
	switch {
	case broken != nil || r.ex.Truncated:
		r.fail(post.CutBody, fmt.Sprintf("the feed ends early, after %d pins", served))
	case served > 0 && unread == served:
		r.fail(post.LayoutChanged, "no item carries the id of a pin")
	case unread > 0:
		r.fail(post.OKPartial, fmt.Sprintf("%d items carry no id of a pin", unread))
	}
}

// readItem reads one item. Only an account's own feed says who saved a pin.
func readItem(it *item, home crawlers.Ref, name string) (post.Post, bool) {
	id := ""
	for _, raw := range []string{it.GUID, it.Link} {
		if ref, ok := matchText(raw); ok && ref.Kind == crawlers.RefPost {
			id = ref.ID
			break
		}
	}
	if id == "" {
		return post.Post{}, false
	}
	p := post.Post{ID: id, Kind: post.KindPin, URL: pinURL(id), Title: plain(it.Title), Created: readTime(it.PubDate), Outcome: post.OKPartial}
	c := htmltext.Fragment(it.Description, nil)
	p.Text = c.Text
	if p.Text == p.Title {
		p.Title = "" // the feed repeats the description as its title
	}
	var pics images
	for _, m := range c.Media {
		pics.add(jsonx.Of(m.URL), m.Alt)
	}
	for _, key := range pics.order {
		p.Media = append(p.Media, pics.best[key])
	}
	for _, l := range c.Links {
		if ref, ok := matchText(l); !ok || ref.Kind != crawlers.RefPost {
			p.Links = append(p.Links, l)
		}
	}
	switch home.Kind {
	case crawlers.RefAccount:
		p.Account = post.Account{Handle: home.ID, Name: strings.TrimSpace(name), URL: home.URL}
		if !home.Alias {
			p.Account.Handle, p.Account.ID = userName(home), home.ID
		}
	case crawlers.RefBoard:
		p.Tags = append(p.Tags, "board:"+strings.Join(boardParts(home), "/"))
	}
	addTags(&p, nil, &store{})
	p.Hashtags = hashtags.In(p.Title + "\n" + p.Text)
	p.Outcome = post.OK
	return p, true
}
