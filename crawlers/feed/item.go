package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	ext "github.com/mmcdole/gofeed/extensions"

	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/urlform"
	"github.com/refrain-archive/refrain/post"
)

// A channel is the feed's own fields, the same for all formats.
type channel struct {
	id, title, about, link, lang, generator, image string
	authors                                        []person
	updated                                        string
	tags                                           []string
	next                                           string // address of the next page, as it stands
}

type person struct{ name, address string }

// An item is one item's fields, the same for all formats, as they stand in the
// feed but for character references.
type item struct {
	id, link, title       string
	content               string
	markup                bool // content is HTML
	lang                  string
	authors               []person
	published, updated    string
	tags                  []string
	media                 []post.Media
	links                 []string
	counts                []post.Count
	replyTo, replyAddress string
}

// base is what relative addresses of the feed are resolved against.
func (c channel) base(asked *url.URL) *url.URL {
	if u, err := url.Parse(c.link); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		return u
	}
	return asked
}

// account is the feed as an account: what its items fall back to.
func (c channel) account(asked *url.URL) post.Account {
	a := post.Account{ID: c.key(asked), Name: c.title}
	if to, ok := htmltext.Resolve(c.link, asked); ok && c.link != "" {
		a.URL = to
		if u, err := url.Parse(to); err == nil {
			a.Handle = urlform.Host(u)
		}
	} else {
		a.Handle = urlform.Host(asked)
	}
	if to, ok := htmltext.Resolve(c.image, asked); ok && c.image != "" {
		a.Avatar = to
	}
	return a
}

// key names the feed, the same on all its pages: its own id, its site, or its
// address without the page number.
func (c channel) key(asked *url.URL) string {
	if c.id != "" {
		if worldwide(c.id) {
			return c.id
		}
		return urlform.Host(asked) + "#" + c.id
	}
	if to, ok := urlform.CanonicalString(c.link); ok {
		return to
	}
	u := *asked
	query := u.Query()
	if query.Has("paged") {
		query.Del("paged")
		u.RawQuery = query.Encode()
	}
	canonical, _ := urlform.Canonical(&u)
	return canonical
}

// profile is the feed itself as a post.
func (c channel) profile(asked *url.URL) post.Post {
	p := post.Post{ID: c.key(asked), Kind: post.KindAccount, Account: c.account(asked), Title: c.title, Lang: language(c.lang)}
	p.Text = richText(c.about, c.base(asked))
	p.URL = p.Account.URL
	p.Tags = c.tags[:min(len(c.tags), 100):min(len(c.tags), 100)]
	if c.generator != "" {
		p.Tags = append(p.Tags, "generator: "+squeeze(c.generator))
	}
	if t, ok := dates.Parse(c.updated); ok {
		p.Edited = t
	}
	return p
}

// post makes the post of an item.
func (c channel) post(it item, asked *url.URL) post.Post {
	base := c.base(asked)
	p := post.Post{Kind: post.KindArticle, Title: title(it.title), Lang: language(firstOf(it.lang, c.lang)), Counts: it.counts}
	if to, ok := htmltext.Resolve(it.link, base); ok && it.link != "" {
		p.URL = to
		if u, err := url.Parse(to); err == nil {
			base = u
			if canonical, ok := urlform.Canonical(u); ok && u.Fragment == "" {
				p.URL = canonical
			}
		}
	}
	if p.Title == "" {
		p.Kind = post.KindPost
	}
	var shown htmltext.Content
	if it.markup || hasMarkup(it.content) {
		shown = htmltext.Fragment(it.content, base)
	} else {
		shown.Text = strings.TrimSpace(html.UnescapeString(it.content))
	}
	p.Text = shown.Text
	p.ID = itemID(it, p, asked)
	p.Account = c.author(it, asked, base)
	p.Created, p.Edited = times(it.published, it.updated)
	p.Media = mergeMedia(base, it.media, shown.Media)
	p.Links = mergeLinks(base, shown.Links, it.links)
	p.Tags = unique(it.tags)
	p.Hashtags = hashtags.In(p.Text)
	if it.replyTo != "" || it.replyAddress != "" {
		p.Kind = post.KindComment
		ref := post.Ref{Role: post.RoleReplyTo, ID: it.replyTo}
		if to, ok := htmltext.Resolve(it.replyAddress, base); ok && it.replyAddress != "" {
			ref.URL = to
		}
		if ref.ID != "" || ref.URL != "" {
			p.Refs = append(p.Refs, ref)
		}
	}
	return p
}

// itemID is the item's own id. One that is not unique in the world gets the
// feed's host in front.
func itemID(it item, p post.Post, asked *url.URL) string {
	id := strings.TrimSpace(it.id)
	switch {
	case id != "" && worldwide(id):
		return id
	case id != "":
		return urlform.Host(asked) + "#" + id
	case p.URL != "":
		return p.URL
	}
	sum := sha256.Sum256([]byte(it.title + "\x00" + it.published + "\x00" + it.content))
	return "urn:sha256:" + hex.EncodeToString(sum[:])
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// worldwide reports whether an id is a URI or a UUID.
func worldwide(id string) bool { return scheme.MatchString(id) || uuid.MatchString(id) }

var uuid = regexp.MustCompile(`^(?i)\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$`)

func (c channel) author(it item, asked, base *url.URL) post.Account {
	authors := it.authors
	if len(authors) == 0 {
		authors = c.authors
	}
	switch len(authors) {
	case 0:
		return c.account(asked)
	case 1:
		a := post.Account{Name: authors[0].name}
		if to, ok := htmltext.Resolve(authors[0].address, base); ok && authors[0].address != "" {
			a.ID, a.URL = to, to
		}
		return a
	}
	var names []string
	for _, a := range authors {
		names = append(names, a.name)
	}
	return post.Account{Name: strings.Join(unique(names), ", ")}
}

// times reads an item's dates. With only the time of its last change, it was
// created no later than that.
func times(published, updated string) (created, edited post.Time) {
	created, hasCreated := dates.Parse(published)
	edited, hasEdited := dates.Parse(updated)
	switch {
	case hasCreated && hasEdited:
		if !edited.Latest().After(created.Earliest()) || edited.Earliest().Equal(created.Earliest()) && edited.Latest().Equal(created.Latest()) {
			edited = post.Time{}
		}
	case hasEdited:
		created = post.Between(post.Time{}.Time, edited.Latest(), updated, post.SourceField)
	}
	return created, edited
}

var (
	markup = regexp.MustCompile(`(?i)</?(p|br|div|a|img|b|i|em|strong|ul|ol|li|blockquote|span|h[1-6]|table|pre|code|figure|iframe|hr|font|center|small|sub|sup|u|s)\b[^<>]*>`)
	inline = regexp.MustCompile(`(?i)</?(b|i|em|strong|a|span|br|sub|sup|code|u|s|img|font|small|p|div)\b[^<>]*>`)
)

func hasMarkup(s string) bool { return strings.IndexByte(s, '<') >= 0 && markup.MatchString(s) }

// title is a title as text: RSS titles may hold HTML, once or twice escaped.
func title(s string) string {
	if strings.IndexByte(s, '<') >= 0 && inline.MatchString(s) {
		s = htmltext.Fragment(s, nil).Text
	}
	return squeeze(html.UnescapeString(s))
}

func richText(s string, base *url.URL) string {
	if hasMarkup(s) {
		return htmltext.Fragment(s, base).Text
	}
	return strings.TrimSpace(html.UnescapeString(s))
}

// named reads the ways in which RSS writes a person: "Name", "mail (Name)",
// "Name <mail>", "mail".
func named(s string) (person, bool) {
	s = squeeze(html.UnescapeString(s))
	if open := strings.LastIndexByte(s, '('); open > 0 && strings.HasSuffix(s, ")") && strings.Contains(s[:open], "@") {
		s = strings.TrimSpace(s[open+1 : len(s)-1])
	} else if open := strings.LastIndexByte(s, '<'); open > 0 && strings.HasSuffix(s, ">") && strings.Contains(s[open:], "@") {
		s = strings.TrimSpace(s[:open])
	}
	s = strings.Trim(s, `"`)
	return person{name: s}, s != ""
}

func people(names ...string) []person {
	var all []person
	seen := map[string]bool{}
	for _, n := range names {
		if p, ok := named(n); ok && !seen[p.name] {
			seen[p.name] = true
			all = append(all, p)
		}
	}
	return all
}

// addCount adds a count where text is a number.
func addCount(counts []post.Count, name, text string) []post.Count {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return counts
	}
	for _, c := range counts {
		if c.Name == name {
			return counts
		}
	}
	return append(counts, post.ExactCount(name, n))
}

// extended reads what both RSS and Atom say by elements of other namespaces.
func (it *item) extended(x ext.Extensions) {
	value := func(prefix, name string) string {
		if e := x[prefix][name]; len(e) > 0 {
			return e[0].Value
		}
		return ""
	}
	it.counts = addCount(it.counts, "comments", value("slash", "comments"))
	it.counts = addCount(it.counts, "comments", value("thr", "total"))
	for _, e := range x["thr"]["in-reply-to"] {
		it.replyTo, it.replyAddress = strings.TrimSpace(e.Attrs["ref"]), strings.TrimSpace(e.Attrs["href"])
	}
	it.published = firstOf(it.published, value("dc", "date"), value("dcterms", "issued"), value("dcterms", "created"), value("prism", "publicationDate"))
	it.updated = firstOf(it.updated, value("atom", "updated"), value("dcterms", "modified"))
	for _, e := range x["dc"]["subject"] {
		it.tags = append(it.tags, html.UnescapeString(e.Value))
	}
	for _, tags := range []string{value("itunes", "keywords"), value("media", "keywords")} {
		for t := range strings.SplitSeq(tags, ",") {
			it.tags = append(it.tags, html.UnescapeString(t))
		}
	}
	it.lang = firstOf(it.lang, value("dc", "language"))
	if len(it.authors) == 0 {
		var names []string
		for _, e := range x["dc"]["creator"] {
			names = append(names, e.Value)
		}
		for _, e := range x["media"]["credit"] {
			if r := strings.ToLower(e.Attrs["role"]); r == "author" {
				names = append(names, e.Value)
			}
		}
		if len(names) == 0 {
			names = append(names, value("itunes", "author"))
		}
		it.authors = people(names...)
	}
	it.mediaRSS(x["media"], 0)
	for _, e := range x["itunes"]["image"] {
		it.media = append(it.media, post.Media{Kind: post.MediaImage, URL: e.Attrs["href"]})
	}
	if seconds := clock(value("itunes", "duration")); seconds > 0 {
		for i := range it.media {
			if m := &it.media[i]; (m.Kind == post.MediaAudio || m.Kind == post.MediaVideo) && m.Duration == 0 {
				m.Duration = seconds
				break
			}
		}
	}
}

// mediaRSS reads Media RSS (https://www.rssboard.org/media-rss).
func (it *item) mediaRSS(x map[string][]ext.Extension, depth int) {
	if depth > 3 {
		return
	}
	first := func(m map[string][]ext.Extension, name string) string {
		if e := m[name]; len(e) > 0 {
			return e[0].Value
		}
		return ""
	}
	alt := firstOf(first(x, "description"), first(x, "title"))
	for _, e := range x["content"] {
		m := post.Media{Kind: mediaKind(e.Attrs["medium"], e.Attrs["type"], e.Attrs["url"]), URL: e.Attrs["url"], Alt: squeeze(html.UnescapeString(firstOf(first(e.Children, "description"), first(e.Children, "title")))),
			Width: pixels(e.Attrs["width"]), Height: pixels(e.Attrs["height"])}
		if d, err := strconv.ParseFloat(strings.TrimSpace(e.Attrs["duration"]), 64); err == nil && d > 0 && d < 1e8 {
			m.Duration = d
		}
		if m.Alt == "" && m.Kind == post.MediaImage && depth > 0 {
			m.Alt = squeeze(html.UnescapeString(alt))
		}
		it.media = append(it.media, m)
		it.mediaRSS(e.Children, depth+1)
	}
	for _, e := range x["thumbnail"] {
		it.media = append(it.media, post.Media{Kind: post.MediaImage, URL: e.Attrs["url"], Width: pixels(e.Attrs["width"]), Height: pixels(e.Attrs["height"])})
	}
	for _, e := range x["group"] {
		it.mediaRSS(e.Children, depth+1)
		if it.content == "" {
			it.content = first(e.Children, "description")
		}
	}
	for _, e := range x["community"] {
		for _, s := range e.Children["statistics"] {
			it.counts = addCount(it.counts, "views", s.Attrs["views"])
			it.counts = addCount(it.counts, "favorites", s.Attrs["favorites"])
		}
	}
}

// clock reads itunes:duration: seconds, mm:ss or hh:mm:ss.
func clock(s string) float64 {
	total := 0.0
	parts := strings.Split(strings.TrimSpace(s), ":")
	if len(parts) > 3 {
		return 0
	}
	for _, p := range parts {
		n, err := strconv.ParseFloat(p, 64)
		if err != nil || n < 0 || n > 1e8 {
			return 0
		}
		total = total*60 + n
	}
	return total
}

// mediaKind tells the kind of a file by what the feed says, else by its ending.
func mediaKind(medium, mime, address string) string {
	switch medium = strings.ToLower(strings.TrimSpace(medium)); medium {
	case post.MediaImage, post.MediaVideo, post.MediaAudio:
		return medium
	}
	family, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(mime)), "/")
	switch family {
	case post.MediaImage, post.MediaVideo, post.MediaAudio:
		return family
	}
	address, _, _ = strings.Cut(strings.ToLower(address), "?")
	switch {
	case endsIn(address, ".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"):
		return post.MediaImage
	case endsIn(address, ".mp4", ".m4v", ".webm", ".mov", ".mpg"):
		return post.MediaVideo
	case endsIn(address, ".mp3", ".m4a", ".ogg", ".opus", ".wav", ".flac"):
		return post.MediaAudio
	}
	return post.MediaFile
}

func endsIn(s string, endings ...string) bool {
	for _, e := range endings {
		if strings.HasSuffix(s, e) {
			return true
		}
	}
	return false
}

// mergeMedia lists media by address, each once, with all that was said of it.
func mergeMedia(base *url.URL, lists ...[]post.Media) []post.Media {
	var all []post.Media
	at := map[string]int{}
	for _, list := range lists {
		for _, m := range list {
			to, ok := htmltext.Resolve(m.URL, base)
			if m.URL == "" || !ok || len(all) >= 500 {
				continue
			}
			m.URL = to
			if i, ok := at[to]; ok {
				known := &all[i]
				known.Alt = firstOf(known.Alt, m.Alt)
				if known.Width == 0 {
					known.Width, known.Height = m.Width, m.Height
				}
				if known.Duration == 0 {
					known.Duration = m.Duration
				}
				continue
			}
			at[to] = len(all)
			all = append(all, m)
		}
	}
	return all
}

func mergeLinks(base *url.URL, shown, others []string) []string {
	all := shown
	for _, l := range others {
		if to, ok := htmltext.Resolve(l, base); ok && l != "" {
			all = append(all, to)
		}
	}
	return unique(all)
}

// unique drops empty and repeated values, white space squeezed.
func unique(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range list {
		if s = squeeze(s); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// language gives s if it has the form of a language tag.
func language(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "_", "-")
	if tag.MatchString(s) {
		return s
	}
	return ""
}

var tag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)

func pixels(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > 1<<20 {
		return 0
	}
	return n
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func firstOf(values ...string) string {
	for _, v := range values {
		if strings.TrimSpace(v) != "" {
			return v
		}
	}
	return ""
}
