package youtube

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/textenc"
	"github.com/refrain-archive/refrain/post"
)

// oembed reads what oEmbed tells: that the video stands, its title and channel.
func (r *reader) oembed(v value) {
	if s := v.Get("provider_name").String(); s != "" && s != "YouTube" {
		r.fail(post.UnexpectedType, "an oEmbed answer of "+strconv.Quote(s))
		return
	}
	code := v.Get("html").String()
	id := ""
	for _, marker := range []string{"/embed/", "/v/"} {
		if _, rest, ok := strings.Cut(code, marker); ok && id == "" {
			id, _ = videoID(rest)
		}
	}
	for _, raw := range []string{v.Get("url").String(), v.Get("thumbnail_url").String()} {
		if _, rest, ok := strings.Cut(raw, "/vi/"); ok && id == "" {
			id, _ = videoID(rest)
		}
	}
	if id == "" {
		id = r.step.Ref.ID
	}
	p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id), Title: v.Get("title").String(), Outcome: post.OKMetaOnly}
	p.Account = r.account("", v.Get("author_name").String(), v.Get("author_url").String())
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo})
	if raw := absolute(v.Get("thumbnail_url").String()); raw != "" {
		w, _ := v.Get("thumbnail_width").Int()
		h, _ := v.Get("thumbnail_height").Int()
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: raw, Width: int(min(max(w, 0), 1<<20)), Height: int(min(max(h, 0), 1<<20))})
	}
	p.Hashtags = hashtags.In(p.Title)
	if p.Title == "" && p.Account.Name == "" {
		r.fail(post.LayoutChanged, "an oEmbed answer without title and author")
		return
	}
	if r.one(p) {
		r.page.Reason = "oEmbed gives title, channel and thumbnail only"
	}
}

// oembedRefused reads the bare words with which oEmbed refuses.
func (r *reader) oembedRefused() {
	words := crawlers.FirstWords(r.ex)
	switch lower := strings.ToLower(words); {
	case strings.HasPrefix(lower, "forbidden"):
		r.fail(post.EmbedRestricted, words+": the video is private, or its owner does not let it be embedded")
	case strings.HasPrefix(lower, "unauthorized"):
		r.fail(post.EmbedRestricted, words+": the video is private, or its owner does not let it be embedded")
	case strings.HasPrefix(lower, "not found"):
		r.fail(post.NotFound, words)
	case strings.HasPrefix(lower, "bad request"):
		r.fail(post.NotFound, words+": there is no such id")
	default:
		if o, reason := crawlers.Classify(r.ex); o != "" {
			r.fail(o, reason)
			return
		}
		r.fail(post.UnexpectedType, "JSON was due: "+words)
	}
}

// Names of XML that feeds and captions use.
const (
	nsYT    = "http://www.youtube.com/xml/schemas/2015"
	nsMedia = "http://search.yahoo.com/mrss/"
)

// An xmlNode is an element with its text and children.
type xmlNode struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Nodes   []xmlNode  `xml:",any"`
}

func (n *xmlNode) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// child is the first child of a name, a missing one if there is none.
func (n *xmlNode) child(space, local string) *xmlNode {
	for i := range n.Nodes {
		c := &n.Nodes[i]
		if c.XMLName.Local == local && (space == "" || c.XMLName.Space == space) {
			return c
		}
	}
	return &xmlNode{}
}

func (n *xmlNode) text(space, local string) string {
	return strings.TrimSpace(n.child(space, local).Text)
}

// xml reads a feed or captions.
func (r *reader) xml(body []byte) {
	text, _ := textenc.XML(body, r.ex.Header.Get("Content-Type"))
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	f := feed{reader: r}
	depth := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			f.err = err
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			switch {
			case depth == 1 && (t.Name.Local == "transcript" || t.Name.Local == "timedtext"):
				r.timedText(d, t)
				return
			case depth == 1 && t.Name.Local != "feed":
				r.fail(post.UnexpectedType, "XML of root "+strconv.Quote(t.Name.Local)+", which is no feed of YouTube")
				return
			case depth == 2:
				if err := tooDeep(text[d.InputOffset():]); err != nil {
					f.err = err
					break
				}
				var n xmlNode
				if err := d.DecodeElement(&n, &t); err != nil {
					f.err = err
					break
				}
				depth--
				f.element(&n)
			}
		case xml.EndElement:
			depth--
		}
		if f.err != nil || len(r.page.Posts) > 5000 {
			break
		}
	}
	f.end()
}

// tooDeep guards the decoder of elements, which recurses: an entry of a feed is
// six deep.
func tooDeep(rest []byte) error {
	depth := 0
	for i := 0; i < len(rest) && depth >= 0 && i < 1<<20; i++ {
		if rest[i] != '<' || i+1 >= len(rest) {
			continue
		}
		switch rest[i+1] {
		case '/':
			depth--
		case '!', '?':
		default:
			if end := bytes.IndexByte(rest[i:], '>'); end > 0 && rest[i+end-1] == '/' {
				continue
			}
			if depth++; depth > 64 {
				return fmt.Errorf("elements nested deeper than %d", depth)
			}
		}
	}
	return nil
}

// A feed is what an Atom feed has said so far.
type feed struct {
	*reader
	channel, list, title string
	entries              int
	err                  error
}

func (f *feed) element(n *xmlNode) {
	switch n.XMLName.Local {
	case "channelId":
		f.channel = strings.TrimSpace(n.Text)
		if len(f.channel) == 22 { // the feed element leaves out "UC", its entries do not
			f.channel = "UC" + f.channel
		}
	case "playlistId":
		f.list = strings.TrimSpace(n.Text)
	case "title":
		f.title = strings.TrimSpace(n.Text)
	case "entry":
		f.entry(n)
	}
}

func (f *feed) entry(n *xmlNode) {
	id := firstOf(n.text(nsYT, "videoId"), strings.TrimPrefix(n.text("", "id"), "yt:video:"))
	if !videoForm.MatchString(id) {
		return
	}
	f.entries++
	group := n.child(nsMedia, "group")
	p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id), Outcome: post.OK}
	p.Title = firstOf(n.text("", "title"), group.text(nsMedia, "title"))
	p.Text = strings.TrimSpace(group.child(nsMedia, "description").Text)
	channel := n.text(nsYT, "channelId")
	if len(channel) == 22 && !strings.HasPrefix(channel, "UC") {
		channel = "UC" + channel
	}
	author := n.child("", "author")
	p.Account = f.account(channel, author.text("", "name"), author.text("", "uri"))
	p.Created = moment(n.text("", "published"))
	// updated changes with counts too: it is no sign of an edit.
	community := group.child(nsMedia, "community")
	for _, row := range []struct{ node, attr, name string }{{"statistics", "views", "views"}, {"starRating", "count", "likes"}} {
		if v, err := strconv.ParseInt(community.child(nsMedia, row.node).attr(row.attr), 10, 64); err == nil && v >= 0 {
			p.Counts = append(p.Counts, post.ExactCount(row.name, v))
		}
	}
	content := group.child(nsMedia, "content")
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo})
	if t := group.child(nsMedia, "thumbnail"); absolute(t.attr("url")) != "" {
		w, _ := strconv.Atoi(t.attr("width"))
		h, _ := strconv.Atoi(t.attr("height"))
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: absolute(t.attr("url")), Width: max(w, 0), Height: max(h, 0)})
	}
	_ = content
	for i := range n.Nodes {
		if l := &n.Nodes[i]; l.XMLName.Local == "link" && strings.Contains(l.attr("href"), "/shorts/") {
			p.Tags = append(p.Tags, "short")
		}
	}
	p.Hashtags = hashtags.In(p.Title + "\n" + p.Text)
	p.Mentions, p.Links = mentions(p.Text), links(p.Text)
	f.add(p)
}

func (f *feed) end() {
	r := f.reader
	want := r.step.Ref
	switch {
	case f.channel == "" && f.list == "" && f.entries == 0:
		if f.err != nil {
			r.broken(fmt.Errorf("read the feed: %w", f.err))
			return
		}
		r.fail(post.LayoutChanged, "a feed without channel, playlist and entries")
		return
	case want.Kind == crawlers.RefAccount && !want.Alias && f.channel != "" && want.ID != f.channel,
		want.Kind == crawlers.RefBoard && f.list != "" && want.ID != f.list:
		r.page = crawlers.Page{}
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the feed is of "+firstOf(f.list, f.channel))
		return
	}
	if channelForm.MatchString(f.channel) {
		r.alias(f.channel)
	}
	r.page.Coverage.Served = f.entries
	r.page.Coverage.Window = f.entries >= 15
	r.page.Coverage.End = "the feed serves the newest 15"
	if f.entries == 0 {
		r.page.Reason = "the feed is empty"
	}
	if f.err != nil {
		r.page.Outcome, r.page.Reason = post.OKPartial, "the feed breaks off: "+f.err.Error()
		if r.ex.Truncated {
			r.page.Outcome = post.CutBody
		}
	}
}

const maxCaption = 4 << 20 // bytes of text that captions may have

// transcript makes a post of the text of captions. It is an item of its own:
// the words are spoken in the video, not written by its author.
func (r *reader) transcript(lines []string) {
	q := r.url.Query()
	id := firstOf(q.Get("v"), r.step.Ref.ID)
	lang := q.Get("lang")
	if t := q.Get("tlang"); t != "" {
		lang = t
	}
	if !videoForm.MatchString(id) || r.step.Ref.Kind == crawlers.RefPost && id != r.step.Ref.ID {
		r.fail(post.LayoutChanged, "captions of "+strconv.Quote(id)+", asked for "+r.step.Ref.ID)
		return
	}
	kept := lines[:0]
	size := 0
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if l == "" || len(kept) > 0 && kept[len(kept)-1] == l {
			continue
		}
		if size += len(l); size > maxCaption {
			break
		}
		kept = append(kept, l)
	}
	if len(kept) == 0 {
		r.fail(post.Unavailable, "the captions are empty")
		return
	}
	name := id + ".captions"
	if lang != "" {
		name += "." + lang
	}
	p := post.Post{ID: name, Kind: post.KindPage, URL: site + "/api/timedtext?v=" + id, Lang: lang, Thread: id, Text: strings.Join(kept, "\n"), Tags: []string{"captions"}, Outcome: post.OK}
	if lang != "" {
		p.URL += "&lang=" + url.QueryEscape(lang)
	}
	if q.Get("kind") == "asr" {
		p.ID += ".asr"
		p.URL += "&kind=asr"
		p.Tags = append(p.Tags, "automatic")
	}
	if q.Get("tlang") != "" {
		p.Tags = append(p.Tags, "translated from "+q.Get("lang"))
	}
	p.Refs = []post.Ref{{Role: post.RoleQuoteOf, ID: id, URL: videoURL(id)}}
	r.add(p)
	r.page.Coverage.Served, r.page.Coverage.End = 1, "one track"
}

// timedText reads <transcript><text start dur>…</text> and the newer
// <timedtext><body><p t d>…<s>…</s></p>.
func (r *reader) timedText(d *xml.Decoder, root xml.StartElement) {
	var lines []string
	var line strings.Builder
	in := 0
	flush := func() {
		lines = append(lines, strings.Join(strings.Fields(html.UnescapeString(line.String())), " "))
		line.Reset()
	}
	for size := 0; size < maxCaption; {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "text", "p":
				in++
			case "br":
				line.WriteByte(' ')
			}
		case xml.CharData:
			if in > 0 {
				size += len(t)
				line.Write(t)
			}
		case xml.EndElement:
			if t.Name.Local == "text" || t.Name.Local == "p" {
				in--
				flush()
			}
		}
	}
	r.transcript(lines)
}

// vtt reads captions as WebVTT: blocks of a time line and text.
func (r *reader) vtt(body []byte) {
	var lines []string
	text := false
	for l := range strings.Lines(string(body[:min(len(body), maxCaption)])) {
		l = strings.TrimSpace(l)
		switch {
		case strings.Contains(l, "-->"):
			text = true
		case l == "":
			text = false
		case text:
			lines = append(lines, html.UnescapeString(stripTags(l)))
		}
	}
	r.transcript(lines)
}

// stripTags takes the marks of time and voice out of a line.
func stripTags(l string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(l, '<')
		if i < 0 {
			b.WriteString(l)
			return b.String()
		}
		b.WriteString(l[:i])
		end := strings.IndexByte(l[i:], '>')
		if end < 0 {
			return b.String()
		}
		l = l[i+end+1:]
	}
}

// json3 reads captions as fmt=json3: events of segments.
func (r *reader) json3(v value) {
	var lines []string
	for _, e := range v.Get("events").Array() {
		var b strings.Builder
		for _, s := range e.Get("segs").Array() {
			b.WriteString(s.Get("utf8").String())
		}
		for l := range strings.Lines(b.String()) {
			lines = append(lines, l)
		}
	}
	r.transcript(lines)
}
