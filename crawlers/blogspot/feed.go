package blogspot

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html/charset"
)

// A feed is what Blogger's feeds say in any of their three notations.
type feed struct {
	BlogID   string
	PostID   string // of a comment feed: the post that it is about
	Title    string
	Home     string // the blog's own address
	Total    int64
	Known    bool // Total was stated
	Start    int  // start-index of the first entry, 1 if not stated
	NextLink string
	Entries  []entry
}

// An entry is a post, page or comment.
type entry struct {
	ID, Published, Updated string
	Title                  string
	TitleHTML              bool
	Content, Summary       string
	HasContent             bool
	Links                  []link
	Authors                []author
	Labels                 []string
	CommentCount           string // thr:total, "" if not stated
	InReplyTo              []reply
	Thumbnail              string
	OrigLink               string // feedburner:origLink
	Point, Place           string // georss
	Properties             []property
}

type link struct {
	Rel   string `xml:"rel,attr" json:"rel"`
	Type  string `xml:"type,attr" json:"type"`
	Href  string `xml:"href,attr" json:"href"`
	Title string `xml:"title,attr" json:"title"`
}

type author struct{ Name, URI, Image string }

type reply struct {
	Ref    string `xml:"ref,attr" json:"ref"`
	Href   string `xml:"href,attr" json:"href"`
	Source string `xml:"source,attr" json:"source"`
}

type property struct {
	Name  string `xml:"name,attr" json:"name"`
	Value string `xml:"value,attr" json:"value"`
}

var (
	blogIDOf  = regexp.MustCompile(`blog-(\d+)`)
	itemIDOf  = regexp.MustCompile(`(?:post|page)-(\d+)$`)
	threadOf  = regexp.MustCompile(`post-?(\d+)\.?\.comments`)
	startOf   = regexp.MustCompile(`[?&]start-index=(\d+)`)
	profileOf = regexp.MustCompile(`^https?://(?:www|draft)\.blogger\.com/profile/(\d+)`)
)

// parseFeed reads a feed in JSON, Atom or RSS. After an error in the middle of
// a feed, the entries before it are given along with the error.
func parseFeed(body []byte) (*feed, error) {
	text := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(text) > 0 && text[0] == '<' {
		return parseXML(text)
	}
	// alt=json-in-script wraps the object in a call.
	i := bytes.IndexByte(text, '{')
	if i < 0 || i > 512 {
		return nil, errors.New("neither a JSON object nor XML")
	}
	end := bytes.LastIndexByte(text, '}')
	if end < i {
		return nil, errors.New("the JSON object does not end")
	}
	return parseJSON(text[i : end+1])
}

// value is {"$t": …}; old and odd feeds have the bare value.
type value string

func (v *value) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(v))
	case '{':
		var o struct {
			T value `json:"$t"`
		}
		if err := json.Unmarshal(data, &o); err != nil {
			return err
		}
		*v = o.T
	case 'n', '[':
	default:
		*v = value(data)
	}
	return nil
}

// list is an array, or one element standing alone.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(l))
	}
	if data[0] != '{' && data[0] != '"' {
		return nil
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = list[T]{one}
	return nil
}

type typed struct {
	Type string `json:"type"`
	T    value  `json:"$t"`
}

type jsonEntry struct {
	ID        value              `json:"id"`
	Published value              `json:"published"`
	Updated   value              `json:"updated"`
	Title     *typed             `json:"title"`
	Content   *typed             `json:"content"`
	Summary   *typed             `json:"summary"`
	Links     list[link]         `json:"link"`
	Authors   list[jsonAuthor]   `json:"author"`
	Category  list[jsonCategory] `json:"category"`
	Total     value              `json:"thr$total"`
	Reply     list[reply]        `json:"thr$in-reply-to"`
	Thumb     *struct {
		URL string `json:"url"`
	} `json:"media$thumbnail"`
	Orig     value          `json:"feedburner$origLink"`
	Point    value          `json:"georss$point"`
	Place    value          `json:"georss$featurename"`
	Property list[property] `json:"gd$extendedProperty"`
}

type jsonAuthor struct {
	Name  value `json:"name"`
	URI   value `json:"uri"`
	Image *struct {
		Src string `json:"src"`
	} `json:"gd$image"`
}

type jsonCategory struct {
	Term string `json:"term"`
}

func (j *jsonEntry) entry() entry {
	e := entry{
		ID: string(j.ID), Published: string(j.Published), Updated: string(j.Updated),
		Links: j.Links, CommentCount: string(j.Total), InReplyTo: j.Reply,
		OrigLink: string(j.Orig), Point: string(j.Point), Place: string(j.Place), Properties: j.Property,
	}
	if j.Title != nil {
		e.Title, e.TitleHTML = string(j.Title.T), j.Title.Type == "html" || j.Title.Type == "xhtml"
	}
	if j.Content != nil {
		e.Content, e.HasContent = string(j.Content.T), true
	}
	if j.Summary != nil {
		e.Summary = string(j.Summary.T)
	}
	if j.Thumb != nil {
		e.Thumbnail = j.Thumb.URL
	}
	for _, c := range j.Category {
		e.Labels = append(e.Labels, c.Term)
	}
	for _, a := range j.Authors {
		au := author{Name: string(a.Name), URI: string(a.URI)}
		if a.Image != nil {
			au.Image = a.Image.Src
		}
		e.Authors = append(e.Authors, au)
	}
	return e
}

func parseJSON(data []byte) (*feed, error) {
	var doc struct {
		Feed *struct {
			ID      value           `json:"id"`
			Title   value           `json:"title"`
			Links   list[link]      `json:"link"`
			Total   value           `json:"openSearch$totalResults"`
			Start   value           `json:"openSearch$startIndex"`
			Entries list[jsonEntry] `json:"entry"`
		} `json:"feed"`
		Entry *jsonEntry `json:"entry"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("parse JSON feed: %w", err)
	}
	switch {
	case doc.Feed != nil:
		f := &feed{Start: 1}
		f.setID(string(doc.Feed.ID))
		f.Title = string(doc.Feed.Title)
		f.setTotal(string(doc.Feed.Total), string(doc.Feed.Start))
		for _, l := range doc.Feed.Links {
			f.setLink(l)
		}
		f.Entries = make([]entry, 0, len(doc.Feed.Entries))
		for i := range doc.Feed.Entries {
			f.Entries = append(f.Entries, doc.Feed.Entries[i].entry())
		}
		return f.done()
	case doc.Entry != nil:
		f := &feed{Start: 1, Entries: []entry{doc.Entry.entry()}}
		return f.done()
	}
	return nil, errors.New("a JSON object with neither feed nor entry")
}

type xmlText struct {
	Type  string `xml:"type,attr"`
	Text  string `xml:",chardata"`
	Inner string `xml:",innerxml"`
}

// markup is the element's HTML: escaped text, or elements (type xhtml).
func (x *xmlText) markup() string {
	if x.Type == "xhtml" {
		return x.Inner
	}
	return x.Text
}

type xmlEntry struct {
	ID        string   `xml:"id"`
	GUID      string   `xml:"guid"`
	Published string   `xml:"published"`
	PubDate   string   `xml:"pubDate"`
	Updated   string   `xml:"updated"`
	Title     *xmlText `xml:"title"`
	Content   *xmlText `xml:"http://www.w3.org/2005/Atom content"`
	Summary   *xmlText `xml:"summary"`
	Descr     *xmlText `xml:"description"`
	Links     []struct {
		link
		Text string `xml:",chardata"`
	} `xml:"link"`
	Authors []struct {
		Name  string `xml:"name"`
		URI   string `xml:"uri"`
		Text  string `xml:",chardata"`
		Image struct {
			Src string `xml:"src,attr"`
		} `xml:"http://schemas.google.com/g/2005 image"`
	} `xml:"author"`
	Category []struct {
		Term string `xml:"term,attr"`
		Text string `xml:",chardata"`
	} `xml:"category"`
	Total string  `xml:"http://purl.org/syndication/thread/1.0 total"`
	Reply []reply `xml:"http://purl.org/syndication/thread/1.0 in-reply-to"`
	Thumb *struct {
		URL string `xml:"url,attr"`
	} `xml:"http://search.yahoo.com/mrss/ thumbnail"`
	Orig      string `xml:"origLink"`
	Point     string `xml:"http://www.georss.org/georss point"`
	Place     string `xml:"http://www.georss.org/georss featurename"`
	Enclosure []struct {
		URL  string `xml:"url,attr"`
		Type string `xml:"type,attr"`
	} `xml:"enclosure"`
	Property []property `xml:"http://schemas.google.com/g/2005 extendedProperty"`
}

func (x *xmlEntry) entry() entry {
	e := entry{
		ID: first(x.ID, x.GUID), Published: first(x.Published, x.PubDate), Updated: x.Updated,
		CommentCount: x.Total, InReplyTo: x.Reply, OrigLink: strings.TrimSpace(x.Orig),
		Point: x.Point, Place: x.Place, Properties: x.Property,
	}
	if x.Title != nil {
		e.Title, e.TitleHTML = x.Title.markup(), x.Title.Type == "html" || x.Title.Type == "xhtml"
	}
	switch {
	case x.Content != nil:
		e.Content, e.HasContent = x.Content.markup(), true
	case x.Descr != nil:
		e.Content, e.HasContent = x.Descr.markup(), true
	}
	if x.Summary != nil {
		e.Summary = x.Summary.markup()
	}
	if x.Thumb != nil {
		e.Thumbnail = x.Thumb.URL
	}
	for _, l := range x.Links {
		if l.Href == "" && strings.HasPrefix(strings.TrimSpace(l.Text), "http") {
			l.Rel, l.Href = "alternate", strings.TrimSpace(l.Text)
		}
		e.Links = append(e.Links, l.link)
	}
	for _, en := range x.Enclosure {
		e.Links = append(e.Links, link{Rel: "enclosure", Type: en.Type, Href: en.URL})
	}
	for _, c := range x.Category {
		e.Labels = append(e.Labels, first(c.Term, strings.TrimSpace(c.Text)))
	}
	for _, a := range x.Authors {
		au := author{Name: a.Name, URI: a.URI, Image: a.Image.Src}
		if au.Name == "" { // RSS: noreply@blogger.com (Name)
			_, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(a.Text), ")"), "(")
			au.Name = name
		}
		e.Authors = append(e.Authors, au)
	}
	return e
}

func parseXML(data []byte) (*feed, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = charset.NewReaderLabel
	f := &feed{Start: 1}
	root, total, start := "", "", ""
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			if root == "" {
				return nil, fmt.Errorf("parse XML feed: %w", err)
			}
			f.setTotal(total, start)
			f, _ = f.done()
			return f, fmt.Errorf("parse XML feed: %w", err)
		}
		el, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		name := el.Name.Local
		if root == "" {
			switch name {
			case "feed", "rss", "entry":
				root = name
			default:
				return nil, fmt.Errorf("the root element is %s, not a feed", name)
			}
			if name != "entry" {
				continue
			}
		}
		switch name {
		case "channel":
		case "entry", "item":
			var x xmlEntry
			if err := d.DecodeElement(&x, &el); err != nil {
				f.setTotal(total, start)
				f, _ = f.done()
				return f, fmt.Errorf("parse XML feed: %w", err)
			}
			f.Entries = append(f.Entries, x.entry())
		case "link":
			var x struct {
				link
				Text string `xml:",chardata"`
			}
			if d.DecodeElement(&x, &el) == nil {
				if x.Href == "" {
					x.Rel, x.Type, x.Href = "alternate", "text/html", strings.TrimSpace(x.Text)
				}
				f.setLink(x.link)
			}
		default:
			var text string
			if d.DecodeElement(&text, &el) != nil {
				continue
			}
			switch name {
			case "id":
				f.setID(text)
			case "title":
				f.Title = text
			case "totalResults":
				total = text
			case "startIndex":
				start = text
			}
		}
	}
	if root == "" {
		return nil, errors.New("parse XML feed: there is no element")
	}
	f.setTotal(total, start)
	return f.done()
}

func (f *feed) setID(id string) {
	if m := blogIDOf.FindStringSubmatch(id); m != nil {
		f.BlogID = m[1]
	}
	if m := threadOf.FindStringSubmatch(id); m != nil {
		f.PostID = m[1]
	}
}

func (f *feed) setTotal(total, start string) {
	if n, err := strconv.ParseInt(strings.TrimSpace(total), 10, 64); err == nil && n >= 0 {
		f.Total, f.Known = n, true
	}
	if n, err := strconv.Atoi(strings.TrimSpace(start)); err == nil && n > 0 {
		f.Start = n
	}
}

func (f *feed) setLink(l link) {
	switch {
	case l.Rel == "next":
		f.NextLink = l.Href
	case l.Rel == "alternate" && f.Home == "" && (l.Type == "" || l.Type == "text/html"):
		f.Home = l.Href
	}
}

// done checks that the feed is one of Blogger's and completes its blog's
// number from the entries.
func (f *feed) done() (*feed, error) {
	for i := range f.Entries {
		if f.BlogID != "" {
			break
		}
		f.setID(f.Entries[i].ID)
	}
	if f.BlogID == "" {
		return f, errors.New("the feed is not Blogger's: it has no id of the form tag:blogger.com,1999:blog-N")
	}
	return f, nil
}

// nextStart is the start-index of the page after f, 0 if f is the last.
func (f *feed) nextStart() int {
	if len(f.Entries) == 0 {
		return 0
	}
	next := f.Start + len(f.Entries)
	if m := startOf.FindStringSubmatch(f.NextLink); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > f.Start {
			return n
		}
	}
	if f.Known && int64(next) <= f.Total {
		return next
	}
	return 0
}

// find is the target of the entry's first link with rel, of a type that starts
// with kind.
func (e *entry) find(rel, kind string) string {
	for _, l := range e.Links {
		if l.Rel == rel && strings.HasPrefix(l.Type, kind) {
			return l.Href
		}
	}
	return ""
}

// address is where readers find the entry.
func (e *entry) address() string {
	to := e.OrigLink
	if to == "" {
		to = e.find("alternate", "text/html")
	}
	if to == "" {
		to = e.find("alternate", "")
	}
	return to
}

func (e *entry) number() string {
	if m := itemIDOf.FindStringSubmatch(e.ID); m != nil {
		return m[1]
	}
	return ""
}

// isPage reports whether the entry is a static page.
func (e *entry) isPage() bool {
	u, err := url.Parse(e.address())
	return strings.Contains(e.ID, ".page-") || err == nil && pagePath.MatchString(u.Path)
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
