package tumblr

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/html/charset"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

func dayUnix(y, m, d int) int64 { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix() }

var generatorName = regexp.MustCompile(`^Tumblr \([^;]*; @([^)]+)\)`)

type rssItem struct {
	Title    string   `xml:"title"`
	Body     string   `xml:"description"`
	Link     string   `xml:"link"`
	GUID     string   `xml:"guid"`
	Date     string   `xml:"pubDate"`
	Category []string `xml:"category"`
}

// readXML reads a blog's RSS, or API v1 as XML (/api/read).
func readXML(s crawlers.Step, ex crawlers.Exchange, body []byte) crawlers.Page {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = charset.NewReaderLabel
	root, name, title := "", "", ""
	var items []rssItem
	var posts []map[string]any
	info := map[string]any{}
	top := map[string]any{}
	var failed error
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
		if root == "" {
			root = el.Name.Local
			if root != "rss" && root != "tumblr" {
				return crawlers.Page{Outcome: post.UnexpectedType, Reason: "XML whose root is " + root}
			}
			continue
		}
		switch el.Name.Local {
		case "channel":
		case "posts":
			for _, a := range el.Attr {
				top[a.Name.Local] = a.Value
			}
		case "item":
			var it rssItem
			if failed = d.DecodeElement(&it, &el); failed == nil {
				items = append(items, it)
			}
		case "tumblelog":
			for _, a := range el.Attr {
				info[a.Name.Local] = a.Value
			}
		case "post":
			var p map[string]any
			if p, failed = postXML(d, el); failed == nil {
				posts = append(posts, p)
			}
		default:
			if root == "tumblr" {
				continue
			}
			var text string
			if d.DecodeElement(&text, &el) != nil {
				continue
			}
			switch el.Name.Local {
			case "generator":
				if m := generatorName.FindStringSubmatch(text); m != nil {
					name = strings.ToLower(m[1])
				}
			case "title":
				title = text
			}
		}
	}
	if root == "" {
		return crawlers.Page{Outcome: post.UnexpectedType, Reason: "XML without an element"}
	}
	if root == "tumblr" {
		list := make([]any, len(posts))
		for i, p := range posts {
			list[i] = p
		}
		v := map[string]any{"tumblelog": info, "posts": list, "posts-start": top["start"], "posts-total": top["total"]}
		page := listV1(s, state{}, ex, jsonx.Of(v))
		if failed != nil {
			page.Outcome, page.Reason = broken(ex, failed).Outcome, failed.Error()
		}
		return page
	}
	return readRSS(s, ex, items, name, title, failed)
}

// postXML reads a post of API v1's XML into the shape of its JSON.
func postXML(d *xml.Decoder, el xml.StartElement) (map[string]any, error) {
	p := map[string]any{}
	for _, a := range el.Attr {
		p[a.Name.Local] = a.Value
	}
	var tags, lines []any
	photos := map[string]any(p)
	var set []any
	depth := 0
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := tok.(type) {
		case xml.EndElement:
			if depth == 0 {
				if tags != nil {
					p["tags"] = tags
				}
				if lines != nil {
					p["conversation"] = lines
				}
				if set != nil {
					p["photos"] = set
				}
				return p, nil
			}
			depth--
			if t.Name.Local == "photo" {
				photos = p
			}
		case xml.StartElement:
			switch t.Name.Local {
			case "photoset", "conversation":
				depth++
				continue
			case "photo":
				depth++
				photos = map[string]any{}
				for _, a := range t.Attr {
					photos[a.Name.Local] = a.Value
				}
				set = append(set, photos)
				continue
			}
			var text string
			if err := d.DecodeElement(&text, &t); err != nil {
				return nil, err
			}
			switch t.Name.Local {
			case "tag":
				tags = append(tags, text)
			case "line":
				line := map[string]any{"phrase": text}
				for _, a := range t.Attr {
					line[a.Name.Local] = a.Value
				}
				lines = append(lines, line)
			case "photo-url":
				for _, a := range t.Attr {
					if a.Name.Local == "max-width" {
						photos["photo-url-"+a.Value] = text
					}
				}
			default:
				p[t.Name.Local] = text
			}
		}
	}
}

// readRSS reads a blog's feed: the newest posts, with neither notes nor
// reblog fields; the trail is in the quotations.
func readRSS(s crawlers.Step, ex crawlers.Exchange, items []rssItem, name, title string, failed error) crawlers.Page {
	var page crawlers.Page
	for _, it := range items {
		address := strings.TrimSpace(first(it.Link, it.GUID))
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		ref, ok := (Collector{}).Match(u)
		if !ok {
			ref, ok = customRef(u)
		}
		if !ok || ref.Kind != crawlers.RefPost {
			continue
		}
		d := newDraft(ref.ID, canonical(name, ref.ID, address))
		handle := name
		if handle == "" && !strings.Contains(ref.Of, ".") {
			handle = ref.Of
		}
		d.Account = post.Account{Handle: handle, Name: strings.TrimSpace(title), URL: blogURLOf(handle)}
		d.Title = strings.TrimSpace(it.Title)
		d.html(it.Body)
		d.quoted(it.Body)
		d.Created = moment(it.Date)
		for _, c := range it.Category {
			d.Tags = append(d.Tags, c)
			d.Hashtags = append(d.Hashtags, c)
		}
		page.Posts = append(page.Posts, d.done())
		page.Assets = append(page.Assets, d.assets...)
	}
	if failed != nil {
		page.Outcome, page.Reason = broken(ex, failed).Outcome, failed.Error()
	} else if len(items) > 0 && len(page.Posts) == 0 {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "RSS whose items are not posts of Tumblr"}
	}
	if s.Ref.Kind == crawlers.RefPost {
		if why, ok := asked(s, page.Posts); !ok {
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
		}
	}
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Oldest: oldest(page.Posts), Window: true, End: "the feed serves about 20 posts; API v1 has all"}
	return page
}

var embedForm = regexp.MustCompile(`embed\.tumblr\.com/embed/post/(t:[A-Za-z0-9_-]+)/(\d+)`)

// readOEmbed reads what a post's oEmbed says: whose it is, and its uuid.
func readOEmbed(s crawlers.Step, v jsonx.Value) crawlers.Page {
	address := v.Get("url").String()
	html := v.Get("html").String()
	m := embedForm.FindStringSubmatch(html)
	u, err := url.Parse(address)
	if err != nil || v.Get("provider_name").String() != "Tumblr" {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "oEmbed of another provider than Tumblr"}
	}
	ref, ok := (Collector{}).Match(u)
	if !ok || ref.Kind != crawlers.RefPost {
		if ref, ok = customRef(u); !ok || ref.Kind != crawlers.RefPost {
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: "oEmbed without the address of a post"}
		}
	}
	if m != nil && m[2] != ref.ID {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "oEmbed names two posts"}
	}
	d := newDraft(ref.ID, address)
	author, _ := url.Parse(v.Get("author_url").String())
	handle := ref.Of
	if author != nil {
		if a, ok := (Collector{}).Match(author); ok && a.Kind == crawlers.RefAccount {
			handle = a.ID
		}
	}
	d.Account = post.Account{Handle: handle, Name: v.Get("author_name").String(), URL: v.Get("author_url").String()}
	if strings.Contains(handle, ".") {
		d.Account.Handle = ""
	}
	d.Outcome = post.OKMetaOnly
	page := crawlers.Page{Outcome: post.OKMetaOnly, Reason: "oEmbed carries neither text nor time"}
	if m != nil {
		d.Account.ID = m[1]
		addIdentity(&page, handle, m[1])
	}
	if i := strings.Index(html, "<p"); i >= 0 { // older answers hold the words
		d.html(html[i:])
	}
	d.Title = v.Get("title").String()
	page.Posts = []post.Post{d.done()}
	if why, ok := asked(s, page.Posts); !ok {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
	}
	page.Coverage = crawlers.Coverage{Served: 1, End: "one post"}
	return page
}
