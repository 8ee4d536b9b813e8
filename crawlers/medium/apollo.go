package medium

import (
	"bytes"
	"encoding/json"
	"errors"
	"sort"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// An apollo is the cache of a page: flat objects under keys like "Post:ID" that
// refer to each other by {"__ref": KEY}, or by {"type": "id", "id": KEY} before
// 2020. Keys of fields with arguments carry them: content({…}).
type apollo map[string]json.RawMessage

// object is one entry, its fields undecoded.
type object map[string]json.RawMessage

// decode reads JSON; a field of an unexpected type is left zero.
func decode(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return nil
	}
	return err
}

// findApollo finds the cache in a page, by balanced JSON.
func findApollo(page []byte) (apollo, bool) {
	raw, ok := after(page, "window.__APOLLO_STATE__")
	if !ok {
		return nil, false
	}
	var a apollo
	if json.Unmarshal(raw, &a) != nil {
		return nil, false
	}
	return a, true
}

// after gives the balanced JSON object or array behind marker. It tries the
// first eight occurrences: each costs a walk to the end of the page at worst.
func after(page []byte, marker string) ([]byte, bool) {
	for range 8 {
		i := bytes.Index(page, []byte(marker))
		if i < 0 {
			return nil, false
		}
		page = page[i+len(marker):]
		if raw, ok := jsonx.Balanced(bytes.TrimLeft(page, " \t\r\n=:(")); ok {
			return raw, true
		}
	}
	return nil, false
}

// deref follows a reference, and gives anything else back as it is.
func (a apollo) deref(raw json.RawMessage) (string, json.RawMessage) {
	if len(raw) == 0 || raw[0] != '{' || len(raw) > 400 {
		return "", raw
	}
	var r struct {
		Ref  string `json:"__ref"`
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	if decode(raw, &r) != nil {
		return "", raw
	}
	key := r.Ref
	if key == "" && r.Type == "id" {
		key = r.ID
	}
	if to, ok := a[key]; ok && key != "" {
		return key, to
	}
	return key, raw
}

func (a apollo) into(raw json.RawMessage, v any) bool {
	_, raw = a.deref(raw)
	return len(raw) > 0 && raw[0] == '{' && decode(raw, v) == nil
}

// field gives a field by its name, with or without arguments. Of several
// argument sets the first in the order of keys that holds something counts.
func (o object) field(name string) json.RawMessage {
	if raw, ok := o[name]; ok && !isNull(raw) {
		return raw
	}
	var keys []string
	for k := range o {
		if strings.HasPrefix(k, name+"(") || strings.HasPrefix(k, name+":") {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		if !isNull(o[k]) {
			return o[k]
		}
	}
	return nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func (o object) get(name string, v any) bool {
	raw := o.field(name)
	return raw != nil && decode(raw, v) == nil
}

func (o object) str(name string) string {
	var s string
	o.get(name, &s)
	return s
}

func (o object) bool(name string) bool {
	var b bool
	o.get(name, &b)
	return b
}

func (o object) count(counts []post.Count, name, as string) []post.Count {
	var n *int64
	if o.get(name, &n) && n != nil {
		counts = append(counts, post.ExactCount(as, *n))
	}
	return counts
}

type apolloUser struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Username    string `json:"username"`
	Bio         string `json:"bio"`
	ImageID     string `json:"imageId"`
	CreatedAt   any    `json:"createdAt"`
	IsSuspended bool   `json:"isSuspended"`
	SocialStats *struct {
		Followers *int64 `json:"followerCount"`
		Following *int64 `json:"followingCount"`
	} `json:"socialStats"`
}

type apolloCollection struct {
	ID     string `json:"id"`
	Slug   string `json:"slug"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// user makes an account, and notes its identity.
func (r *reader) user(u apolloUser) post.Account {
	acc := author(u.ID, u.Username, u.Name, u.ImageID)
	acc.Created = millis(u.CreatedAt)
	if s := u.SocialStats; s != nil {
		if s.Followers != nil {
			acc.Counts = append(acc.Counts, post.ExactCount("followers", *s.Followers))
		}
		if s.Following != nil {
			acc.Counts = append(acc.Counts, post.ExactCount("following", *s.Following))
		}
	}
	if u.Username != "" {
		r.identity(crawlers.RefAccount, u.Username, u.ID, base+"/@"+strings.ToLower(u.Username))
	}
	return acc
}

func (r *reader) collection(c apolloCollection) {
	if c.Slug != "" {
		r.identity(crawlers.RefGroup, c.Slug, c.ID, base+"/"+strings.ToLower(c.Slug))
	}
	if strings.Contains(c.Domain, ".") {
		r.identity(crawlers.RefGroup, c.Domain, c.ID, "https://"+strings.ToLower(c.Domain)+"/")
	}
}

// apolloPost turns one Post of the cache into a post. It gives false for an
// entry that is only a reference's stub.
func (r *reader) apolloPost(a apollo, o object) (post.Post, bool) {
	p := post.Post{ID: o.str("id"), Kind: post.KindArticle, Title: o.str("title"), Lang: o.str("detectedLanguage"), Outcome: post.OK}
	if !isHex(p.ID) || p.Title == "" && o.field("content") == nil && o.field("firstPublishedAt") == nil {
		return post.Post{}, false
	}
	p.URL = storyURL(p.ID)
	var u apolloUser
	if a.into(o.field("creator"), &u) {
		p.Account = r.user(u)
	}
	var c apolloCollection
	if a.into(o.field("collection"), &c) {
		r.collection(c)
	}
	var first, latest any
	o.get("firstPublishedAt", &first)
	o.get("latestPublishedAt", &latest)
	dates(&p, first, latest)

	p.Counts = o.count(nil, "clapCount", "claps")
	p.Counts = o.count(p.Counts, "voterCount", "voters")
	var responses object
	if a.into(o.field("postResponses"), &responses) {
		p.Counts = responses.count(p.Counts, "count", "comments")
	} else {
		p.Counts = o.count(p.Counts, "responsesCount", "comments")
	}
	r.apolloTags(a, o, &p, c.Slug)
	full := r.apolloContent(a, o, &p)
	r.apolloReply(a, o, &p)
	origin(&p, o.str("canonicalUrl"))
	switch {
	case o.bool("isSuspended"):
		p.Outcome = post.Suspended
	case full == post.OKMetaOnly && p.Text == "":
		var preview struct {
			Subtitle string `json:"subtitle"`
		}
		if a.into(o.field("previewContent"), &preview) || a.into(o.field("extendedPreviewContent"), &preview) {
			p.Text = preview.Subtitle
		}
		p.Outcome = post.OKMetaOnly
	default:
		p.Outcome = full
	}
	var img image
	if len(p.Media) == 0 && a.into(o.field("previewImage"), &img) && img.ID != "" {
		addMedia(&p, post.Media{Kind: post.MediaImage, URL: imageURL(img.ID), Alt: img.Alt, Width: max(img.Width, 0), Height: max(img.Height, 0)})
	}
	return p, true
}

// apolloContent reads the story's paragraphs, from the argument set that holds
// most of them.
func (r *reader) apolloContent(a apollo, o object, p *post.Post) post.Outcome {
	var keys []string
	for k := range o {
		if k == "content" || strings.HasPrefix(k, "content(") {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	var best []json.RawMessage
	locked := false
	for _, k := range keys {
		var content struct {
			Locked bool            `json:"isLockedPreviewOnly"`
			Body   json.RawMessage `json:"bodyModel"`
		}
		if !a.into(o[k], &content) {
			continue
		}
		var model struct {
			Paragraphs []json.RawMessage `json:"paragraphs"`
		}
		if a.into(content.Body, &model) && len(model.Paragraphs) > len(best) {
			best, locked = model.Paragraphs, content.Locked
		}
	}
	if len(best) == 0 {
		return post.OKMetaOnly
	}
	list := make([]paragraph, 0, len(best))
	for _, raw := range best {
		var b paragraph
		if a.into(raw, &b) {
			list = append(list, b)
		}
	}
	body(p, list, lookup{
		image: func(raw json.RawMessage) (image, bool) {
			var m image
			ok := a.into(raw, &m)
			return m, ok
		},
		media: func(raw json.RawMessage, id string) (mediaResource, bool) {
			var m mediaResource
			if len(raw) == 0 && id != "" {
				raw = a["MediaResource:"+id]
			}
			ok := a.into(raw, &m)
			return m, ok
		},
		user: func(id string) string {
			var u apolloUser
			if raw, ok := a["User:"+id]; ok && decode(raw, &u) == nil {
				return u.Username
			}
			return ""
		},
	})
	if locked {
		return post.OKPartial
	}
	return post.OK
}

func (r *reader) apolloTags(a apollo, o object, p *post.Post, slug string) {
	var tags []json.RawMessage
	o.get("tags", &tags)
	for _, raw := range tags {
		var t struct {
			ID   string `json:"id"`
			Slug string `json:"normalizedTagSlug"`
		}
		key, _ := a.deref(raw)
		a.into(raw, &t)
		if tag := firstOf(t.ID, t.Slug, strings.TrimPrefix(key, "Tag:")); tag != "" {
			p.Tags = append(p.Tags, tag)
		}
	}
	if slug != "" {
		p.Tags = append(p.Tags, "publication:"+slug)
	}
	if o.bool("isLocked") {
		p.Tags = append(p.Tags, "member-only")
	}
	switch o.str("visibility") {
	case "UNLISTED":
		p.Tags = append(p.Tags, "unlisted")
	case "LOCKED":
		if !o.bool("isLocked") {
			p.Tags = append(p.Tags, "member-only")
		}
	}
	if o.bool("isSeries") {
		p.Tags = append(p.Tags, "series")
	}
}

// apolloReply follows the story that a response answers, up to the root as far
// as the page holds it.
func (r *reader) apolloReply(a apollo, o object, p *post.Post) {
	parent := func(o object) (string, object) {
		raw := o.field("inResponseToPostResult")
		if raw == nil {
			return "", nil
		}
		key, to := a.deref(raw)
		var next object
		if decode(to, &next) != nil {
			next = nil
		}
		id := next.str("id")
		if id == "" {
			id = strings.TrimPrefix(key, "Post:")
		}
		if !isHex(id) {
			return "", nil
		}
		return id, next
	}
	id, next := parent(o)
	if id == "" || id == p.ID {
		return
	}
	p.Kind = post.KindComment
	to := post.Ref{Role: post.RoleReplyTo, ID: id, URL: storyURL(id)}
	var u apolloUser
	if next != nil && a.into(next.field("creator"), &u) {
		to.Account = u.Username
	}
	p.Refs = append(p.Refs, to)
	p.Thread = id
	for range 20 {
		up, above := parent(next)
		if up == "" || up == p.ID {
			break
		}
		p.Thread, next = up, above
	}
}

// story reads a page's cache. It gives false where the cache holds no post.
func (r *reader) apollo(a apollo, page []byte) bool {
	main := r.mainStory(a, page)
	if main != "" {
		var o object
		if decode(a["Post:"+main], &o) == nil {
			if p, ok := r.apolloPost(a, o); ok {
				r.add(p)
				r.responses(a, main)
				r.storyPage(main)
				return true
			}
		}
	}
	if r.step.Ref.Kind == crawlers.RefPost {
		return false
	}
	r.apolloList(a)
	return len(r.page.Posts) > 0
}

// postKeys gives the keys of all stories, sorted.
func (a apollo) postKeys() []string {
	var keys []string
	for k := range a {
		if id, ok := strings.CutPrefix(k, "Post:"); ok && isHex(id) {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

// mainStory is the id of the story that the page is about: the one its root
// query asked for, or that its address names. It is "" on a list.
func (r *reader) mainStory(a apollo, page []byte) string {
	var root object
	if decode(a["ROOT_QUERY"], &root) == nil {
		var keys []string
		for k := range root {
			if strings.HasPrefix(k, "postResult(") || strings.HasPrefix(k, "post(") {
				keys = append(keys, k)
			}
		}
		sort.Strings(keys)
		for _, k := range keys {
			key, raw := a.deref(root[k])
			id := strings.TrimPrefix(key, "Post:")
			if !isHex(id) {
				var o object
				if decode(raw, &o) == nil {
					id = o.str("id")
				}
			}
			if _, ok := a["Post:"+id]; ok {
				return id
			}
		}
	}
	for _, id := range []string{idOf(r.step.Ref), storyID(lastSegment(r.url.Path)), headStory(page)} {
		if _, ok := a["Post:"+id]; ok && id != "" {
			return id
		}
	}
	return ""
}

func idOf(ref crawlers.Ref) string {
	if ref.Kind == crawlers.RefPost {
		return ref.ID
	}
	return ""
}

// responses adds the stories of the page that answer the main one.
func (r *reader) responses(a apollo, main string) {
	for _, k := range a.postKeys() {
		var o object
		if k == "Post:"+main || decode(a[k], &o) != nil || o.field("inResponseToPostResult") == nil {
			continue
		}
		if p, ok := r.apolloPost(a, o); ok && p.Kind == post.KindComment && p.Thread == main {
			r.add(p)
		}
	}
}

// apolloList adds all stories of a profile, publication or tag page, the newest
// first, and the profile itself.
func (r *reader) apolloList(a apollo) {
	var list []post.Post
	for _, k := range a.postKeys() {
		var o object
		if decode(a[k], &o) != nil {
			continue
		}
		if p, ok := r.apolloPost(a, o); ok {
			list = append(list, p)
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Created.Time.After(list[j].Created.Time) })
	r.apolloProfile(a)
	for _, p := range list {
		r.add(p)
		r.hydrate(p.ID)
	}
	r.page.Coverage.Served = len(list)
	r.page.Coverage.Window = true
	r.page.Coverage.End = "the page carries its first stories only"
}

// apolloProfile adds the account that the page is about.
func (r *reader) apolloProfile(a apollo) {
	ref := r.step.Ref
	if ref.Kind != crawlers.RefAccount {
		return
	}
	var keys []string
	for k := range a {
		if strings.HasPrefix(k, "User:") {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		var u apolloUser
		if decode(a[k], &u) != nil || u.ID == "" || u.ID != ref.ID && !strings.EqualFold(u.Username, ref.ID) {
			continue
		}
		p := post.Post{ID: u.ID, Kind: post.KindAccount, Account: r.user(u), Title: u.Name, Text: u.Bio, Outcome: post.OK}
		p.URL, p.Created, p.Counts = p.Account.URL, p.Account.Created, p.Account.Counts
		if u.IsSuspended {
			p.Outcome = post.Suspended
			r.fail(post.Suspended, "isSuspended")
		}
		r.add(p)
		return
	}
}
