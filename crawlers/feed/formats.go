package feed

import (
	"html"
	"strings"

	"github.com/mmcdole/gofeed/atom"
	jsonfeed "github.com/mmcdole/gofeed/json"
	"github.com/mmcdole/gofeed/rss"

	"github.com/refrain-archive/refrain/post"
)

// read gives the feed's fields and items, whatever its format.
func (d document) read() (channel, []item) {
	switch {
	case d.rss != nil:
		return readRSS(d.rss)
	case d.atom != nil:
		return readAtom(d.atom)
	case d.json != nil:
		return readJSON(d.json)
	}
	return channel{}, nil
}

func readRSS(f *rss.Feed) (channel, []item) {
	c := channel{
		title: title(f.Title), about: f.Description, link: strings.TrimSpace(f.Link), lang: f.Language, generator: f.Generator,
		updated: firstOf(f.LastBuildDate, f.PubDate),
	}
	if f.Image != nil {
		c.image = strings.TrimSpace(f.Image.URL)
	}
	if c.image == "" && f.ITunesExt != nil {
		c.image = f.ITunesExt.Image
	}
	if c.lang == "" && f.DublinCoreExt != nil && len(f.DublinCoreExt.Language) > 0 {
		c.lang = f.DublinCoreExt.Language[0]
	}
	if c.updated == "" && f.DublinCoreExt != nil && len(f.DublinCoreExt.Date) > 0 {
		c.updated = f.DublinCoreExt.Date[0]
	}
	if c.generator == "" {
		for _, e := range f.Extensions["admin"]["generatorAgent"] {
			c.generator = e.Attrs["resource"]
		}
	}
	for _, k := range f.Categories {
		c.tags = append(c.tags, html.UnescapeString(k.Value))
	}
	c.tags = unique(c.tags)
	for _, prefix := range []string{"atom", "atom10", "atom03"} {
		for _, l := range f.Extensions[prefix]["link"] {
			if isNext(l.Attrs["rel"]) && c.next == "" {
				c.next = l.Attrs["href"]
			}
			if l.Attrs["rel"] == "alternate" && c.link == "" {
				c.link = l.Attrs["href"]
			}
		}
	}
	items := make([]item, 0, len(f.Items))
	for _, x := range f.Items[:min(len(f.Items), maxItems)] {
		items = append(items, rssItem(x))
	}
	return c, items
}

// isNext knows the relations that lead on to older items: a page of the same
// feed, or an archive of it (RFC 5005 sections 3 and 4).
func isNext(rel string) bool { return rel == "next" || rel == "prev-archive" }

func rssItem(x *rss.Item) item {
	it := item{title: x.Title, link: strings.TrimSpace(x.Link), published: x.PubDate, content: x.Content, markup: x.Content != ""}
	if x.GUID != nil {
		it.id = strings.TrimSpace(x.GUID.Value)
		if it.link == "" && x.GUID.IsPermalink != "false" && (strings.HasPrefix(it.id, "http://") || strings.HasPrefix(it.id, "https://")) {
			it.link = it.id
		}
	}
	for _, e := range x.Extensions["feedburner"]["origLink"] { // the item's own address behind a counting one
		it.link = firstOf(strings.TrimSpace(e.Value), it.link)
	}
	if strings.TrimSpace(it.content) == "" {
		it.content, it.markup = firstOf(x.Custom["encoded"], x.Custom["fulltext"], x.Description), false
	}
	if strings.TrimSpace(it.content) == "" && x.ITunesExt != nil {
		it.content = firstOf(x.ITunesExt.Summary, x.ITunesExt.Subtitle)
	}
	if p, ok := named(x.Author); ok {
		it.authors = []person{p}
	}
	if x.DublinCoreExt != nil && len(x.DublinCoreExt.Creator) > 0 { // a name, where author is a mail address
		it.authors = people(x.DublinCoreExt.Creator...)
	}
	for _, k := range x.Categories {
		it.tags = append(it.tags, html.UnescapeString(k.Value))
	}
	for _, e := range x.Enclosures {
		it.media = append(it.media, post.Media{Kind: mediaKind("", e.Type, e.URL), URL: e.URL})
	}
	it.extended(x.Extensions)
	return it
}

func readAtom(f *atom.Feed) (channel, []item) {
	c := channel{
		id: strings.TrimSpace(f.ID), title: title(f.Title), about: f.Subtitle, lang: f.Language, updated: f.Updated,
		image: firstOf(f.Logo, f.Icon), authors: atomPeople(f.Authors),
	}
	if f.Generator != nil {
		c.generator = strings.TrimSpace(f.Generator.Value + " " + f.Generator.Version)
		if strings.Contains(strings.ToLower(f.Generator.URI), "wordpress.org") && !strings.Contains(strings.ToLower(c.generator), "wordpress") {
			c.generator += " " + f.Generator.URI
		}
	}
	for _, l := range f.Links {
		switch {
		case l.Rel == "alternate" && (c.link == "" || strings.Contains(l.Type, "html")):
			c.link = strings.TrimSpace(l.Href)
		case isNext(l.Rel) && c.next == "":
			c.next = strings.TrimSpace(l.Href)
		}
	}
	for _, k := range f.Categories {
		c.tags = append(c.tags, html.UnescapeString(firstOf(k.Label, k.Term)))
	}
	c.tags = unique(c.tags)
	items := make([]item, 0, len(f.Entries))
	for _, x := range f.Entries[:min(len(f.Entries), maxItems)] {
		items = append(items, atomItem(x))
	}
	return c, items
}

func atomItem(x *atom.Entry) item {
	it := item{id: strings.TrimSpace(x.ID), title: x.Title, published: x.Published, updated: x.Updated, content: x.Summary, authors: atomPeople(x.Authors)}
	if c := x.Content; c != nil {
		kind := strings.ToLower(c.Type)
		if strings.TrimSpace(c.Value) != "" {
			it.content, it.markup = c.Value, kind == "html" || strings.Contains(kind, "xhtml") || kind == "text/html"
		}
		if c.Src != "" {
			it.links = append(it.links, c.Src)
		}
	}
	if len(it.authors) == 0 && x.Source != nil {
		it.authors = atomPeople(x.Source.Authors)
	}
	for _, l := range x.Links {
		href := strings.TrimSpace(l.Href)
		switch l.Rel {
		case "alternate":
			if it.link == "" || strings.Contains(l.Type, "html") && !strings.HasPrefix(it.link, "http") {
				it.link = href
			}
		case "enclosure":
			it.media = append(it.media, post.Media{Kind: mediaKind("", l.Type, href), URL: href, Alt: squeeze(l.Title)})
		case "related", "via":
			it.links = append(it.links, href)
		}
	}
	for _, e := range x.Extensions["feedburner"]["origLink"] {
		it.link = firstOf(strings.TrimSpace(e.Value), it.link)
	}
	if it.link == "" && (strings.HasPrefix(it.id, "http://") || strings.HasPrefix(it.id, "https://")) {
		it.link = it.id
	}
	for _, k := range x.Categories {
		it.tags = append(it.tags, html.UnescapeString(firstOf(k.Label, k.Term)))
	}
	it.extended(x.Extensions)
	return it
}

func atomPeople(list []*atom.Person) []person {
	var all []person
	for _, a := range list {
		if p, ok := named(firstOf(a.Name, a.Email)); ok {
			p.address = strings.TrimSpace(a.URI)
			all = append(all, p)
		}
	}
	return all
}

func readJSON(f *jsonfeed.Feed) (channel, []item) {
	c := channel{
		title: title(f.Title), about: f.Description, link: firstOf(f.HomePageURL), lang: f.Language, image: firstOf(f.Icon, f.Favicon),
		next: strings.TrimSpace(f.NextURL), authors: jsonPeople(f.Author, f.Authors),
	}
	items := make([]item, 0, len(f.Items))
	for _, x := range f.Items[:min(len(f.Items), maxItems)] {
		if x != nil {
			items = append(items, jsonItem(x))
		}
	}
	return c, items
}

func jsonItem(x *jsonfeed.Item) item {
	it := item{
		id: x.ID, link: strings.TrimSpace(x.URL), title: html.EscapeString(x.Title), lang: x.Language, published: x.DatePublished, updated: x.DateModified,
		tags: x.Tags, authors: jsonPeople(x.Author, x.Authors), links: []string{x.ExternalURL},
	}
	switch {
	case strings.TrimSpace(x.ContentHTML) != "":
		it.content, it.markup = x.ContentHTML, true
	default:
		it.content, it.markup = plainAsHTML(firstOf(x.ContentText, x.Summary)), true
	}
	for _, address := range []string{x.Image, x.BannerImage} {
		it.media = append(it.media, post.Media{Kind: post.MediaImage, URL: address})
	}
	if x.Attachments != nil {
		for _, a := range *x.Attachments {
			it.media = append(it.media, post.Media{Kind: mediaKind("", a.MimeType, a.URL), URL: a.URL, Alt: squeeze(a.Title), Duration: max(0, float64(a.DurationInSeconds))})
		}
	}
	return it
}

// plainAsHTML keeps plain text as it is on its way through HTML.
func plainAsHTML(s string) string {
	if s == "" {
		return ""
	}
	return "<pre>\n" + html.EscapeString(s) + "</pre>"
}

func jsonPeople(one *jsonfeed.Author, more []*jsonfeed.Author) []person {
	if len(more) == 0 && one != nil {
		more = []*jsonfeed.Author{one}
	}
	var all []person
	for _, a := range more {
		if a == nil {
			continue
		}
		if name := squeeze(firstOf(a.Name, a.URL)); name != "" {
			all = append(all, person{name: name, address: strings.TrimSpace(a.URL)})
		}
	}
	return all
}
