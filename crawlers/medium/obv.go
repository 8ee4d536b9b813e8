package medium

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// An obvPost is a story in the data model before Apollo: of ?format=json, of
// obvInit in pages, and of GLOBALS.embedded in pages of 2015.
type obvPost struct {
	ID                 string      `json:"id"`
	CreatorID          string      `json:"creatorId"`
	Creator            *obvUser    `json:"creator"`
	HomeCollectionID   string      `json:"homeCollectionId"`
	Title              string      `json:"title"`
	Language           string      `json:"detectedLanguage"`
	FirstPublishedAt   any         `json:"firstPublishedAt"`
	LatestPublishedAt  any         `json:"latestPublishedAt"`
	DeletedAt          any         `json:"deletedAt"`
	IsSuspended        bool        `json:"isSuspended"`
	IsLocked           bool        `json:"isSubscriptionLocked"`
	IsSeries           bool        `json:"isSeries"`
	Visibility         any         `json:"visibility"`
	InResponseToPostID string      `json:"inResponseToPostId"`
	CanonicalURL       string      `json:"canonicalUrl"`
	ImportedURL        string      `json:"importedUrl"`
	UniqueSlug         string      `json:"uniqueSlug"`
	Content            *obvContent `json:"content"`
	PreviewContent     *obvContent `json:"previewContent"`
	Virtuals           struct {
		Claps         *int64 `json:"totalClapCount"`
		Recommends    *int64 `json:"recommends"`
		Responses     *int64 `json:"responsesCreatedCount"`
		LockedPreview bool   `json:"isLockedPreviewOnly"`
		Subtitle      string `json:"subtitle"`
		PreviewImage  struct {
			ImageID string `json:"imageId"`
			Width   int    `json:"originalWidth"`
			Height  int    `json:"originalHeight"`
		} `json:"previewImage"`
		Tags []struct {
			Slug string `json:"slug"`
		} `json:"tags"`
		Links struct {
			Entries []struct {
				URL string `json:"url"`
			} `json:"entries"`
		} `json:"links"`
	} `json:"virtuals"`
}

type obvContent struct {
	Subtitle string `json:"subtitle"`
	Locked   bool   `json:"isLockedPreviewOnly"`
	Full     bool   `json:"isFullContent"`
	Body     struct {
		Paragraphs []paragraph `json:"paragraphs"`
	} `json:"bodyModel"`
}

type obvUser struct {
	UserID    string `json:"userId"`
	Name      string `json:"name"`
	Username  string `json:"username"`
	CreatedAt any    `json:"createdAt"`
	ImageID   string `json:"imageId"`
	Bio       string `json:"bio"`
}

type obvCollection struct {
	ID     string `json:"id"`
	Slug   string `json:"slug"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// An obvPayload is a page of the old data model.
type obvPayload struct {
	User        *obvUser       `json:"user"`
	Value       *obvPost       `json:"value"` // the story of a story page
	Collection  *obvCollection `json:"collection"`
	StreamItems []struct {
		PostPreview struct {
			PostID string `json:"postId"`
		} `json:"postPreview"`
	} `json:"streamItems"`
	Posts      []obvPost `json:"posts"`
	References struct {
		User        map[string]obvUser       `json:"User"`
		Post        map[string]obvPost       `json:"Post"`
		Collection  map[string]obvCollection `json:"Collection"`
		SocialStats map[string]struct {
			Followers *int64 `json:"usersFollowedByCount"`
			Following *int64 `json:"usersFollowedCount"`
		} `json:"SocialStats"`
	} `json:"references"`
	Paging struct {
		Next *struct {
			To    any `json:"to"`
			Page  any `json:"page"`
			Limit any `json:"limit"`
		} `json:"next"`
	} `json:"paging"`
}

// json reads ?format=json, and what GraphQL answered.
func (r *reader) json(raw []byte) {
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, prefix))
	var a struct {
		Success *bool           `json:"success"`
		Error   string          `json:"error"`
		Payload json.RawMessage `json:"payload"`
		Data    json.RawMessage `json:"data"`
	}
	doc := raw
	if len(raw) > 0 && raw[0] == '[' { // a batch of GraphQL answers
		var list []json.RawMessage
		if decode(raw, &list) == nil && len(list) > 0 {
			doc = list[0]
		}
	}
	if err := decode(doc, &a); err != nil {
		if r.ex.Truncated || strings.Contains(err.Error(), "unexpected end") {
			r.fail(post.CutBody, "the JSON ends early")
			return
		}
		r.fail(post.UnexpectedType, "broken JSON: "+err.Error())
		return
	}
	switch {
	case a.Success != nil && !*a.Success:
		outcome, reason := post.Unavailable, firstOf(a.Error, "success is false")
		switch lower := strings.ToLower(a.Error); {
		case strings.Contains(lower, "not found"):
			outcome = post.NotFound
		case strings.Contains(lower, "suspended"), strings.Contains(lower, "investigation"):
			outcome = post.Suspended
		case strings.Contains(lower, "deleted"), strings.Contains(lower, "gone"):
			outcome = post.Deleted
		}
		r.fail(outcome, reason)
	case len(a.Payload) > 0:
		var p obvPayload
		if decode(a.Payload, &p) != nil {
			r.fail(post.LayoutChanged, "a payload that is no object")
			return
		}
		r.obv(&p)
	case len(a.Data) > 0:
		r.graphql(a.Data)
	default:
		r.fail(post.LayoutChanged, "JSON without a payload: "+crawlers.FirstWords(r.ex))
	}
}

// graphql reads a story that stands whole inside an answer.
func (r *reader) graphql(data []byte) {
	var d object
	if decode(data, &d) != nil {
		r.fail(post.LayoutChanged, "an answer of GraphQL without data")
		return
	}
	for _, name := range []string{"postResult", "post"} {
		var o object
		if !d.get(name, &o) {
			continue
		}
		if p, ok := r.apolloPost(nil, o); ok {
			r.add(p)
			r.storyPage(p.ID)
			return
		}
	}
	r.fail(post.LayoutChanged, "an answer of GraphQL without a story")
}

// obvPost turns one story of the old data model into a post.
func (r *reader) obvPost(o *obvPost, p *obvPayload) (post.Post, bool) {
	if !isHex(o.ID) {
		return post.Post{}, false
	}
	out := post.Post{ID: o.ID, Kind: post.KindArticle, URL: storyURL(o.ID), Title: o.Title, Lang: o.Language, Outcome: post.OK}
	u, known := obvUser{}, false
	if o.Creator != nil && o.Creator.UserID != "" {
		u, known = *o.Creator, true
	} else if v, ok := p.References.User[o.CreatorID]; ok {
		u, known = v, true
	}
	if known {
		out.Account = r.obvUser(u, p)
	} else {
		out.Account = author(o.CreatorID, "", "", "")
	}
	dates(&out, o.FirstPublishedAt, o.LatestPublishedAt)
	v := &o.Virtuals
	for _, c := range []struct {
		name string
		n    *int64
	}{{"claps", v.Claps}, {"voters", v.Recommends}, {"comments", v.Responses}} {
		if c.n != nil {
			out.Counts = append(out.Counts, post.ExactCount(c.name, *c.n))
		}
	}
	for _, t := range v.Tags {
		if t.Slug != "" {
			out.Tags = append(out.Tags, t.Slug)
		}
	}
	if c, ok := p.References.Collection[o.HomeCollectionID]; ok && c.Slug != "" {
		out.Tags = append(out.Tags, "publication:"+c.Slug)
	}
	if o.IsLocked {
		out.Tags = append(out.Tags, "member-only")
	}
	if n, ok := o.Visibility.(float64); ok && n == 1 {
		out.Tags = append(out.Tags, "unlisted")
	}
	if o.IsSeries {
		out.Tags = append(out.Tags, "series")
	}
	r.obvBody(o, &out)
	for _, l := range v.Links.Entries { // the links of a story whose text is not here
		if a := absolute(l.URL); a != "" && out.Outcome == post.OKMetaOnly {
			out.Links = append(out.Links, a)
		}
	}
	if img := v.PreviewImage; img.ImageID != "" {
		addMedia(&out, post.Media{Kind: post.MediaImage, URL: imageURL(img.ImageID), Width: max(img.Width, 0), Height: max(img.Height, 0)})
	}
	if id := o.InResponseToPostID; isHex(id) {
		out.Kind, out.Thread = post.KindComment, id
		to := post.Ref{Role: post.RoleReplyTo, ID: id, URL: storyURL(id)}
		if parent, ok := p.References.Post[id]; ok {
			to.Account = p.References.User[parent.CreatorID].Username
			if isHex(parent.InResponseToPostID) {
				out.Thread = parent.InResponseToPostID
			}
		}
		out.Refs = append(out.Refs, to)
	}
	origin(&out, o.CanonicalURL, o.ImportedURL)
	if !millis(o.DeletedAt).IsZero() {
		out.Outcome = post.Deleted
	}
	if o.IsSuspended {
		out.Outcome = post.Suspended
	}
	return out, true
}

// obvBody fills the text from the whole content where the answer has it, else
// from the preview.
func (r *reader) obvBody(o *obvPost, out *post.Post) {
	look := lookup{
		image: func(raw json.RawMessage) (image, bool) {
			var m image
			ok := len(raw) > 0 && decode(raw, &m) == nil
			return m, ok && m.ID != ""
		},
		media: func(json.RawMessage, string) (mediaResource, bool) { return mediaResource{}, false },
		user:  func(string) string { return "" },
	}
	if o.Content != nil && len(o.Content.Body.Paragraphs) > 0 {
		body(out, o.Content.Body.Paragraphs, look)
		if o.Content.Locked || o.Virtuals.LockedPreview {
			out.Outcome = post.OKPartial
		}
		return
	}
	out.Outcome = post.OKMetaOnly
	if c := o.PreviewContent; c != nil {
		body(out, c.Body.Paragraphs, look)
		if c.Full && out.Text != "" {
			out.Outcome = post.OK
		}
	}
	if out.Text == "" {
		out.Text = o.Virtuals.Subtitle
	}
}

func (r *reader) obvUser(u obvUser, p *obvPayload) post.Account {
	acc := author(u.UserID, u.Username, u.Name, u.ImageID)
	acc.Created = millis(u.CreatedAt)
	if s, ok := p.References.SocialStats[u.UserID]; ok {
		if s.Followers != nil {
			acc.Counts = append(acc.Counts, post.ExactCount("followers", *s.Followers))
		}
		if s.Following != nil {
			acc.Counts = append(acc.Counts, post.ExactCount("following", *s.Following))
		}
	}
	if u.Username != "" {
		r.identity(crawlers.RefAccount, u.Username, u.UserID, base+"/@"+strings.ToLower(u.Username))
	}
	return acc
}

// obv reads a page of the old data model: one story, or a list.
func (r *reader) obv(p *obvPayload) {
	collections := make([]string, 0, len(p.References.Collection))
	for id := range p.References.Collection {
		collections = append(collections, id)
	}
	sort.Strings(collections)
	for _, id := range collections {
		c := p.References.Collection[id]
		r.collection(apolloCollection{ID: firstOf(c.ID, id), Slug: c.Slug, Name: c.Name, Domain: c.Domain})
	}
	if p.Value != nil && p.Value.ID != "" {
		if out, ok := r.obvPost(p.Value, p); ok {
			r.add(out)
			r.storyPage(out.ID)
			return
		}
	}
	if p.User != nil && p.User.UserID != "" {
		acc := r.obvUser(*p.User, p)
		r.add(post.Post{ID: p.User.UserID, Kind: post.KindAccount, URL: acc.URL, Account: acc, Title: p.User.Name, Text: p.User.Bio, Created: acc.Created, Counts: acc.Counts})
	}
	served := 0
	one := func(o obvPost, id string) {
		if o.ID == "" {
			o.ID = id
		}
		if r.posts[o.ID] {
			return
		}
		if out, ok := r.obvPost(&o, p); ok {
			served++
			r.add(out)
			r.hydrate(out.ID)
		}
	}
	for _, s := range p.StreamItems { // the order of the stream first
		if o, ok := p.References.Post[s.PostPreview.PostID]; ok {
			one(o, s.PostPreview.PostID)
		}
	}
	for _, o := range p.Posts {
		one(o, o.ID)
	}
	ids := make([]string, 0, len(p.References.Post))
	for id := range p.References.Post {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		one(p.References.Post[id], id)
	}
	cov := &r.page.Coverage
	cov.Served = served
	cov.End = "end of list"
	if n := p.Paging.Next; n != nil {
		cov.Window = true
		cov.End = fmt.Sprintf("more stories follow (paging.next to %v, page %v): this view is read, not asked for", n.To, n.Page)
	}
	if len(r.page.Posts) == 0 && p.User == nil && p.Collection == nil && len(p.StreamItems) == 0 {
		r.fail(post.LayoutChanged, "a payload without stories")
	}
}

// findObv finds the data of pages before Apollo: obvInit({…}), and GLOBALS with
// "embedded" on story pages of 2015.
func findObv(page []byte) (*obvPayload, bool) {
	for _, marker := range []string{`obvInit"]`, "obvInit"} {
		raw, ok := after(page, marker)
		if !ok {
			continue
		}
		var p obvPayload
		if decode(plainJSON(raw), &p) == nil && (p.Value != nil || len(p.References.Post) > 0 || p.User != nil || len(p.Posts) > 0) {
			return &p, true
		}
	}
	raw, ok := after(page, "GLOBALS")
	if !ok {
		return nil, false
	}
	var g struct {
		Embedded *obvPayload `json:"embedded"`
	}
	if decode(plainJSON(raw), &g) == nil && g.Embedded != nil {
		return g.Embedded, true
	}
	return nil, false
}

// plainJSON turns the escapes of a script that JSON does not know (\x3c) into
// those that it does.
func plainJSON(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(`\x`)) {
		return raw
	}
	out := make([]byte, 0, len(raw)+64)
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) {
			if raw[i+1] == 'x' && i+3 < len(raw) {
				out = append(out, `\u00`...)
				i++
				continue
			}
			out = append(out, raw[i], raw[i+1])
			i++
			continue
		}
		out = append(out, raw[i])
	}
	return out
}
