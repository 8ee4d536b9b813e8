package importers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/post"
)

// webAddressRaw reports whether s is an absolute web address.
func webAddressRaw(s string) bool {
	u, err := url.Parse(strings.TrimSpace(s))
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func momentOf(s string) post.Time {
	at, ok := dates.Parse(s)
	if !ok {
		return post.Time{}
	}
	return at
}

// addLink adds an address to links, once, unless it is own.
func addLink(links []string, link, own string) []string {
	link = strings.TrimSpace(link)
	if link == own || !webAddressRaw(link) || slices.Contains(links, link) {
		return links
	}
	return append(links, link)
}

// words splits a cell that holds several values: by white space, "|", ";" and
// ",", or as a JSON array of strings. mark is taken from the front of each.
func words(s, mark string) []string {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil
	}
	var list []string
	if s[0] == '[' && json.Unmarshal([]byte(s), &list) != nil {
		s = strings.NewReplacer("'", "", `"`, "").Replace(strings.Trim(s, "[]"))
		list = nil
	}
	if list == nil {
		list = strings.FieldsFunc(s, func(r rune) bool {
			return r == ' ' || r == '|' || r == ';' || r == ',' || r == '\n' || r == '\t' || r == '\r'
		})
	}
	var out []string
	for _, w := range list {
		if w = strings.TrimPrefix(strings.TrimSpace(w), mark); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// addresses splits a cell that holds several addresses.
func addresses(s string) []string {
	var list []string
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '|' || r == '\n' || r == '\t' || r == '\r' }) {
		list = addLink(list, strings.Trim(w, ",;"), "")
	}
	return list
}

// platforms are those that a post may name.
var platforms = []string{"youtube", "reddit", "medium", "tumblr", "blogspot", "livejournal", "vimeo", "pinterest", "quora", "x", "tiktok", "facebook", "instagram", "mastodon", "web", "feed"}

// complete fills in what the address of a plain post tells, and says what is
// missing or wrong.
func (r *reading) complete(p *post.Post) string {
	if p.Platform = strings.ToLower(strings.TrimSpace(p.Platform)); p.Platform == "twitter" {
		p.Platform = "x"
	}
	if p.Platform == "" && r.o.Platform != "" {
		p.Platform = r.o.Platform
	}
	if p.URL != "" && !webAddressRaw(p.URL) {
		return "url is not an absolute web address"
	}
	if p.URL != "" && (p.ID == "" || p.Platform == "") {
		ref, ok := r.itemAt(p.URL)
		if ok && (p.Platform == "" || p.Platform == ref.Platform) {
			p.Platform = ref.Platform
			if p.ID == "" {
				p.ID, p.URL = ref.ID, ref.URL
			}
		}
	}
	if p.Platform == "" {
		p.Platform = "web"
	}
	if p.ID == "" && p.Platform == "web" {
		p.ID = p.URL
	}
	switch {
	case !slices.Contains(platforms, p.Platform):
		return fmt.Sprintf("platform %q is not known", p.Platform)
	case p.ID == "":
		return "no id, and the address does not tell it"
	}
	if p.Kind == "" {
		p.Kind = post.KindPost
		if p.Platform == "web" {
			p.Kind = post.KindPage
		}
	}
	if !slices.Contains(post.Kinds(), p.Kind) {
		return fmt.Sprintf("kind %q is not known", p.Kind)
	}
	if p.Outcome != "" && p.Outcome.Scope() == "" {
		return fmt.Sprintf("outcome %q is not known", p.Outcome)
	}
	return ""
}

// ownRow reads a row of our own form.
func (r *reading) ownRow(t *table) (post.Post, string) {
	p := post.Post{
		Platform: t.get("platform"), ID: t.get("id"), Kind: post.Kind(strings.ToLower(t.get("kind"))), URL: t.get("url"),
		Account: post.Account{Handle: strings.TrimPrefix(t.get("author"), "@"), ID: t.get("author id"), Name: t.get("author name"), URL: t.get("author url"), Avatar: t.get("author avatar")},
		Title:   t.raw("title"), Text: t.raw("text"), Lang: t.get("lang"), Thread: t.get("thread"), Outcome: post.Outcome(t.get("outcome")),
		Created: t.moment("created"), Edited: t.moment("edited"), FetchedAt: t.moment("fetched at").Time,
		Links: addresses(t.get("links")), Hashtags: words(t.get("hashtags"), "#"), Mentions: words(t.get("mentions"), "@"),
	}
	if p.Account.URL != "" && !webAddressRaw(p.Account.URL) {
		return p, "author_url is not an absolute web address"
	}
	for tag := range strings.SplitSeq(t.get("tags"), "|") {
		if tag = strings.TrimSpace(tag); tag != "" {
			p.Tags = append(p.Tags, tag)
		}
	}
	for _, u := range addresses(t.get("media")) {
		p.Media = append(p.Media, post.Media{Kind: mediaKind(u), URL: u})
	}
	for i, name := range t.names {
		key := columnKey(name)
		if count, ok := strings.CutPrefix(key, "count "); ok && i < len(t.row) {
			if n, ok := t.number(key); ok {
				p.Counts = append(p.Counts, post.ExactCount(strings.ReplaceAll(count, " ", "_"), n))
			}
		}
	}
	p.Counts = t.counts(p.Counts, "likes", "likes", "comments", "comments", "reposts", "reposts", "quotes", "quotes", "shares", "shares", "views", "views", "score", "score")
	for _, ref := range []struct {
		role   post.Role
		column string
	}{{post.RoleReplyTo, "reply to"}, {post.RoleRepostOf, "repost of"}, {post.RoleQuoteOf, "quote of"}, {post.RoleCommentOn, "comment on"}} {
		if v := t.get(ref.column); v != "" {
			p.Refs = append(p.Refs, r.refTo(ref.role, v))
		}
	}
	return p, r.complete(&p)
}

// refTo reads a relation given as an id or an address.
func (r *reading) refTo(role post.Role, v string) post.Ref {
	if !webAddressRaw(v) {
		return post.Ref{Role: role, ID: v}
	}
	ref := post.Ref{Role: role, URL: v}
	if to, ok := r.itemAt(v); ok {
		ref.ID, ref.URL, ref.Platform = to.ID, to.URL, to.Platform
	}
	return ref
}

func mediaKind(address string) string {
	lower, _, _ := strings.Cut(strings.ToLower(address), "?")
	switch {
	case strings.HasSuffix(lower, ".mp4"), strings.HasSuffix(lower, ".webm"), strings.HasSuffix(lower, ".mov"), strings.HasSuffix(lower, ".m3u8"):
		return post.MediaVideo
	case strings.HasSuffix(lower, ".mp3"), strings.HasSuffix(lower, ".ogg"), strings.HasSuffix(lower, ".m4a"), strings.HasSuffix(lower, ".wav"):
		return post.MediaAudio
	}
	return post.MediaImage
}

// A flat is the form of a plain JSON line beside that of a Post: the columns of
// the CSV form.
type flat struct {
	Author       string `json:"author"`
	AuthorID     string `json:"author_id"`
	AuthorName   string `json:"author_name"`
	AuthorURL    string `json:"author_url"`
	AuthorAvatar string `json:"author_avatar"`
	ReplyTo      string `json:"reply_to"`
	RepostOf     string `json:"repost_of"`
	QuoteOf      string `json:"quote_of"`
	CommentOn    string `json:"comment_on"`
}

// ownJSON reads a line of our own form: a post as `refrain extract` writes it
// (docs/post.md), or an object with the columns of the CSV form as keys.
func (r *reading) ownJSON(n int64, raw []byte) error {
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &m); err != nil {
		r.report.problem(n, false, "broken JSON: %v", err)
		return nil
	}
	if kind := text(m["type"]); kind != "" && kind != crawlers.LinePost {
		return nil // page lines among the posts of `refrain extract`
	}
	p, err := plainPost(m)
	why := ""
	if err != nil {
		why = err.Error()
	} else {
		var f flat
		if err := json.Unmarshal(raw, &f); err == nil {
			r.flatten(&p, f)
		}
		why = r.complete(&p)
	}
	if why != "" {
		r.report.problem(n, false, "%s", why)
		return nil
	}
	return r.row(n, p)
}

// plainPost reads an object as a Post. Times may be plain strings, counts an
// object of numbers or numbers under their names, media a list of addresses.
func plainPost(m map[string]json.RawMessage) (post.Post, error) {
	out := map[string]any{}
	var times = map[string]post.Time{}
	var fetched time.Time
	var counts []post.Count
	var media []post.Media
	for key, value := range m {
		switch key {
		case "type", "capture", "reader":
			continue
		case "created", "edited":
			if s := text(value); s != "" {
				times[key] = momentOf(s)
				continue
			}
		case "fetched_at":
			fetched = momentOf(text(value)).Time
			continue
		case "counts":
			var named map[string]int64
			if json.Unmarshal(value, &named) == nil {
				for name, n := range named {
					counts = append(counts, post.ExactCount(name, n))
				}
				continue
			}
		case "likes", "comments", "reposts", "quotes", "shares", "views", "score":
			if n, err := strconv.ParseInt(text(value), 10, 64); err == nil {
				counts = append(counts, post.ExactCount(key, n))
			}
			continue
		case "media":
			var list []string
			if json.Unmarshal(value, &list) == nil {
				for _, u := range list {
					if webAddressRaw(u) {
						media = append(media, post.Media{Kind: mediaKind(u), URL: u})
					}
				}
				continue
			}
		case "id", "thread":
			out[key] = text(value) // numbers too
			continue
		}
		out[key] = value
	}
	slices.SortFunc(counts, func(a, b post.Count) int { return strings.Compare(a.Name, b.Name) })
	data, err := json.Marshal(out)
	if err != nil {
		return post.Post{}, err
	}
	var p post.Post
	if err := json.Unmarshal(data, &p); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return p, fmt.Errorf("%s is not what docs/importing.md says", wrong.Field)
		}
		return p, err
	}
	for key, at := range times {
		if key == "created" {
			p.Created = at
		} else {
			p.Edited = at
		}
	}
	p.Counts, p.Media, p.FetchedAt = append(p.Counts, counts...), append(p.Media, media...), fetched
	return p, nil
}

// flatten adds what stands under the names of the CSV form.
func (r *reading) flatten(p *post.Post, f flat) {
	for _, field := range []struct {
		to   *string
		from string
	}{{&p.Account.Handle, strings.TrimPrefix(f.Author, "@")}, {&p.Account.ID, f.AuthorID}, {&p.Account.Name, f.AuthorName}, {&p.Account.URL, f.AuthorURL}, {&p.Account.Avatar, f.AuthorAvatar}} {
		if *field.to == "" {
			*field.to = field.from
		}
	}
	for _, ref := range []struct {
		role post.Role
		to   string
	}{{post.RoleReplyTo, f.ReplyTo}, {post.RoleRepostOf, f.RepostOf}, {post.RoleQuoteOf, f.QuoteOf}, {post.RoleCommentOn, f.CommentOn}} {
		if ref.to != "" {
			p.Refs = append(p.Refs, r.refTo(ref.role, ref.to))
		}
	}
}
