package medium

import (
	"bytes"
	"encoding/json"
	"html"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/post"
)

// html reads a page: the Apollo cache, the data of older pages, and where a
// page was kept without its scripts, its head and markup.
func (r *reader) html(page []byte) {
	if a, ok := findApollo(page); ok && r.apollo(a, page) {
		return
	}
	if p, ok := findObv(page); ok {
		before := r.page
		r.obv(p)
		if len(r.page.Posts) > 0 {
			return
		}
		r.page = before
	}
	if r.markup(page) {
		return
	}
	if r.ex.Truncated {
		r.fail(post.CutBody, "the page ends before its story")
		return
	}
	if !isMedium(page) {
		r.fail(post.UnexpectedType, "a page that is not Medium's")
		return
	}
	r.fail(post.LayoutChanged, "a page of Medium without data, head or story: "+crawlers.FirstWords(r.ex))
}

// isMedium reports whether a page is served by Medium, on whatever domain.
func isMedium(page []byte) bool {
	head := page[:min(len(page), 512<<10)]
	signs := 0
	for _, s := range []string{"com.medium.reader", "miro.medium.com", "cdn-images-1.medium.com", "cdn-client.medium.com", "glyph.medium.com", "medium://p/", "medium:/p/", `content="Medium"`, "542599432471018"} {
		if bytes.Contains(head, []byte(s)) {
			signs++
		}
	}
	return signs >= 2
}

// metas gives the metas of a head by name or property, the first of each. Some
// archives keep the content under "value".
func metas(head []byte) map[string]string {
	found := map[string]string{}
	for rest := head; ; {
		i := bytes.Index(rest, []byte("<meta "))
		if i < 0 {
			return found
		}
		rest = rest[i+len("<meta "):]
		end := tagEnd(rest)
		attrs := attributes(string(rest[:end]))
		rest = rest[end:]
		name := strings.ToLower(firstOf(attrs["property"], attrs["name"]))
		value := firstOf(attrs["content"], attrs["value"])
		if _, have := found[name]; name != "" && value != "" && !have {
			found[name] = value
		}
	}
}

// tagEnd gives the length of a tag up to its ">", which may stand in quotes.
func tagEnd(b []byte) int {
	var quote byte
	for i, c := range b[:min(len(b), 16<<10)] {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return min(len(b), 16<<10)
}

// attributes reads the attributes of one tag.
func attributes(tag string) map[string]string {
	attrs := map[string]string{}
	for {
		tag = strings.TrimLeft(tag, " \t\r\n/")
		eq := strings.IndexAny(tag, "= \t\r\n")
		if eq < 0 {
			return attrs
		}
		name := strings.ToLower(tag[:eq])
		tag = strings.TrimLeft(tag[eq:], " \t\r\n")
		if !strings.HasPrefix(tag, "=") {
			continue
		}
		tag = strings.TrimLeft(tag[1:], " \t\r\n")
		if tag == "" {
			return attrs
		}
		var value string
		if q := tag[0]; q == '"' || q == '\'' {
			end := strings.IndexByte(tag[1:], q)
			if end < 0 {
				return attrs
			}
			value, tag = tag[1:1+end], tag[2+end:]
		} else {
			end := strings.IndexAny(tag, " \t\r\n")
			if end < 0 {
				end = len(tag)
			}
			value, tag = tag[:end], tag[end:]
		}
		if _, have := attrs[name]; !have {
			attrs[name] = html.UnescapeString(value)
		}
	}
}

// headOf gives the part of a page that holds its metas.
func headOf(page []byte) []byte {
	head := page[:min(len(page), 256<<10)]
	if i := bytes.Index(head, []byte("</head>")); i >= 0 {
		head = head[:i]
	}
	return head
}

// headStory is the id that the metas of a page name, "" if none.
func headStory(page []byte) string {
	m := metas(headOf(page))
	for _, name := range []string{"parsely-post-id", "al:ios:url", "al:android:url", "twitter:app:url:iphone", "og:url", "al:web:url"} {
		if v := m[name]; v != "" {
			if id := storyID(lastSegment(strings.SplitN(v, "?", 2)[0])); id != "" && (name != "og:url" && name != "al:web:url" || strings.Contains(v, "-")) {
				return id
			}
		}
	}
	return ""
}

// ldArticle is what a page says of its story for search engines.
type ldArticle struct {
	Published  string          `json:"datePublished"`
	Headline   string          `json:"headline"`
	Identifier string          `json:"identifier"`
	Author     json.RawMessage `json:"author"`
	Keywords   []string        `json:"keywords"`
	Free       *bool           `json:"isAccessibleForFree"`
}

func findLD(page []byte) (ldArticle, bool) {
	var a ldArticle
	head := page[:min(len(page), 512<<10)]
	i := bytes.Index(head, []byte("application/ld+json"))
	if i < 0 {
		return a, false
	}
	open := bytes.IndexByte(head[i:], '>')
	if open < 0 {
		return a, false
	}
	rest := head[i+open+1:]
	end := bytes.Index(rest, []byte("</script"))
	if end < 0 {
		return a, false
	}
	return a, decode(bytes.TrimSpace(rest[:end]), &a) == nil
}

// markup reads a story from the head and the markup of its page. It gives false
// where the head names no story.
func (r *reader) markup(page []byte) bool {
	head := metas(headOf(page))
	ld, hasLD := findLD(page)
	id := headStory(page)
	if id == "" && hasLD && isHex(ld.Identifier) {
		id = ld.Identifier
	}
	if id == "" || head["og:type"] != "article" && head["article:published_time"] == "" && !hasLD {
		return false
	}
	p := post.Post{ID: strings.ToLower(id), Kind: post.KindArticle, URL: storyURL(strings.ToLower(id)), Outcome: post.OKMetaOnly}
	p.Title = firstOf(head["og:title"], head["twitter:title"], head["title"])
	p.Account = headAuthor(head, ld)
	r.markupDates(&p, page, head, ld)
	for _, k := range ld.Keywords {
		if tag, ok := strings.CutPrefix(k, "Tag:"); ok {
			p.Tags = append(p.Tags, tag)
		}
		if k == "LockedPostSource:LOCKED_POST_SOURCE_UGC" || k == "LockedPostSource:1" {
			p.Tags = append(p.Tags, "member-only")
		}
	}
	if c, ok := markupBody(page, p.Title); ok {
		p.Text, p.Outcome = c.Text, post.OK
		for _, l := range c.Links {
			if !strings.Contains(l, "/m/signin") {
				p.Links = append(p.Links, l)
			}
		}
		for _, m := range c.Media {
			if id := imageID(m.URL); id != "" {
				m.URL = imageURL(id)
				m.Width, m.Height = 0, 0 // the size on this page, not the picture's
			}
			addMedia(&p, m)
		}
		if ld.Free != nil && !*ld.Free && bytes.Contains(page, []byte("Member-only story")) {
			p.Outcome = post.OKPartial
		}
	} else {
		p.Text = firstOf(head["og:description"], head["description"])
	}
	if id := imageID(firstOf(head["og:image"], head["twitter:image:src"])); id != "" {
		addMedia(&p, post.Media{Kind: post.MediaImage, URL: imageURL(id)})
	}
	r.add(p)
	r.storyPage(p.ID)
	return true
}

func headAuthor(head map[string]string, ld ldArticle) post.Account {
	handle := ""
	if ref, ok := matchRaw(head["article:author"]); ok && ref.Kind == crawlers.RefAccount && ref.Alias {
		handle = strings.TrimPrefix(lastSegment(pathOf(head["article:author"])), "@")
		if handle == "" {
			handle = ref.ID
		}
	}
	name := head["author"]
	var person struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	if len(ld.Author) > 0 && decode(ld.Author, &person) == nil {
		name = firstOf(name, person.Name)
		if ref, ok := matchRaw(person.URL); handle == "" && ok && ref.Kind == crawlers.RefAccount && ref.Alias {
			handle = ref.ID
		}
	}
	if name == "" && handle == "" {
		return post.Account{}
	}
	return author("", handle, name, "")
}

// markupDates sets the times of a page without data. article:published_time is
// the latest publication on pages since 2017: it is exact for Created only
// where nothing on the page says that the first one was another day.
func (r *reader) markupDates(p *post.Post, page []byte, head map[string]string, ld ldArticle) {
	meta, metaErr := parseTime(head["article:published_time"])
	if t, err := parseTime(ld.Published); err == nil {
		p.Created = post.Exact(t, "")
		if metaErr == nil && meta.After(t) {
			p.Edited = post.Exact(meta, "")
		}
		return
	}
	if day, raw, ok := dateline(page); ok {
		// The reader's zone is not known: the day may begin 14 hours before and
		// end 12 hours after that of UTC.
		from, to := day.Add(-14*time.Hour), day.Add(36*time.Hour-time.Second)
		if metaErr == nil && !meta.Before(from) && !meta.After(to) {
			p.Created = post.Exact(meta, "")
			return
		}
		p.Created = post.Between(from, to, raw, post.SourceField)
		if metaErr == nil && meta.After(to) {
			p.Edited = post.Exact(meta, "")
		}
		return
	}
	if metaErr != nil {
		return
	}
	if bytes.Contains(page, []byte("com.medium.reader")) && !bytes.Contains(page, []byte("graf")) {
		p.Created = post.Between(time.Time{}, meta, head["article:published_time"], post.SourceField)
		return
	}
	p.Created = post.Exact(meta, "")
}

// dateline reads the day beside the author's name: "Aug 8, 2016".
func dateline(page []byte) (time.Time, string, bool) {
	for _, marker := range []string{"pw-published-date", `data-testid="storyPublishDate"`} {
		i := bytes.Index(page, []byte(marker))
		if i < 0 {
			continue
		}
		text := string(page[i:min(len(page), i+600)])
		for {
			_, after, ok := strings.Cut(text, ">")
			if !ok {
				break
			}
			word, _, _ := strings.Cut(after, "<")
			text = after
			word = strings.TrimSpace(html.UnescapeString(word))
			for _, layout := range []string{"Jan 2, 2006", "January 2, 2006", "2 Jan 2006"} {
				if t, err := time.Parse(layout, word); err == nil {
					return t, word, true
				}
			}
		}
	}
	return time.Time{}, "", false
}

// markupBody reads the paragraphs: inside the outermost <section> elements of
// the article, without what stands between title and text (byline, buttons).
func markupBody(page []byte, title string) (htmltext.Content, bool) {
	start := bytes.Index(page, []byte("postField--body"))
	if start < 0 {
		start = bytes.Index(page, []byte("<article"))
	}
	if start < 0 {
		return htmltext.Content{}, false
	}
	rest := page[start:]
	if end := bytes.Index(rest, []byte("</article>")); end >= 0 {
		rest = rest[:end]
	}
	open := bytes.Index(rest, []byte("<section"))
	closing := bytes.LastIndex(rest, []byte("</section>"))
	if open < 0 || closing < open {
		return htmltext.Content{}, false
	}
	c := htmltext.Fragment(string(rest[open:closing]), nil)
	blocks := strings.Split(c.Text, "\n\n")
	for i := range blocks[:min(len(blocks), 3)] { // the title, after a picture's caption at most
		if sameText(blocks[i], title) {
			c.Text = strings.Join(append(blocks[:i:i], blocks[i+1:]...), "\n\n")
			break
		}
	}
	if c.Text == "" {
		return htmltext.Content{}, false
	}
	return c, true
}
