package vimeo

import (
	"regexp"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

var (
	uriForm    = regexp.MustCompile(`^/(videos|users|channels|groups)/([^/?]+)$`)
	videoURI   = regexp.MustCompile(`^/videos/([0-9]{1,15})(?::([0-9a-f]+))?$`)
	userURI    = regexp.MustCompile(`/users/([0-9]{1,15})$`)
	commentURI = regexp.MustCompile(`^/videos/([0-9]{1,15})(?::[0-9a-f]+)?/comments/([0-9]{1,15})(?:/replies/([0-9]{1,15}))?$`)
)

// item reads one resource of the API by itself.
func (r *reader) item(v value) {
	uri := v.Get("uri").String()
	switch {
	case videoURI.MatchString(uri):
		p, _ := r.apiVideo(v)
		if !r.one(p) {
			return
		}
		if n, ok := v.Get("metadata", "connections", "comments", "total").Int(); ok && n > 0 && r.step.Ref.Kind == crawlers.RefPost {
			r.next(crawlers.Step{Ref: r.step.Ref, Route: routeAPI, Role: crawlers.RoleComments})
		}
	case userURI.MatchString(uri):
		p := r.profile(v)
		if want := r.step.Ref; want.Kind == crawlers.RefAccount && !want.Alias && want.ID != p.Account.ID {
			r.fail(post.LayoutChanged, "asked for user "+want.ID+", the answer is about "+p.Account.ID)
			return
		}
		if want := r.step.Ref; want.Kind == crawlers.RefAccount && want.Alias {
			r.identity(crawlers.RefAccount, want.ID, p.Account.ID, want.URL)
		}
		r.add(p)
		r.page.Coverage.Total, r.page.Coverage.Known = v.Get("metadata", "connections", "videos", "total").Int()
		if r.page.Coverage.Total < 0 {
			r.page.Coverage.Total, r.page.Coverage.Known = 0, false
		}
		if r.step.Ref.Kind == crawlers.RefAccount && r.step.Role != crawlers.RoleHydrate {
			r.next(crawlers.Step{Ref: r.step.Ref, Route: routeAPI, State: state{Path: "/users/" + p.Account.ID + "/videos?per_page=100"}.encode()})
		}
		r.single("the profile")
	case commentURI.MatchString(uri):
		r.comment(v)
		r.single("one comment")
	default:
		r.channel(v, uri)
		r.single("the profile")
	}
}

// list reads a page of a listing.
func (r *reader) list(v value) {
	known := 0
	for _, it := range v.Get("data").Array() {
		uri := it.Get("uri").String()
		if clip := it.Get("clip"); clip.IsObject() { // of feeds and albums on demand
			it, uri = clip, clip.Get("uri").String()
		}
		switch {
		case videoURI.MatchString(uri):
			p, _ := r.apiVideo(it)
			r.add(p)
		case commentURI.MatchString(uri):
			r.comment(it)
		case userURI.MatchString(uri):
			r.add(r.profile(it))
		case strings.HasPrefix(uri, "/texttracks/"), strings.Contains(uri, "/texttracks/"):
			r.textTrack(it)
		case uriForm.MatchString(uri):
			r.channel(it, uri)
		default:
			continue
		}
		known++
	}
	items := len(v.Get("data").Array())
	if items > 0 && known == 0 {
		r.fail(post.LayoutChanged, "a list without any item that is known")
		return
	}
	c := &r.page.Coverage
	c.Served = len(r.page.Posts)
	if n, ok := v.Get("total").Int(); ok && n >= 0 {
		c.Total, c.Known = n, true
	}
	role := r.step.Role
	if strings.Contains(r.url.Path, "/comments") || commentURI.MatchString(v.Get("data").At(0).Get("uri").String()) {
		role = crawlers.RoleComments
	}
	if next := v.Get("paging", "next").String(); apiPath(next) {
		r.next(crawlers.Step{Ref: r.step.Ref, Route: routeAPI, Role: role, State: state{Path: next}.encode()})
		if role == crawlers.RoleComments {
			c.End = "more by the next step"
		}
		return
	}
	c.End = "end of list"
	if items == 0 {
		c.End = "the list is empty"
	}
}

// apiVideo reads a video and gives its hash if it is unlisted.
func (r *reader) apiVideo(v value) (post.Post, string) {
	m := videoURI.FindStringSubmatch(v.Get("uri").String())
	if m == nil {
		return post.Post{}, ""
	}
	id, hash := digits(m[1]), m[2]
	if hash == "" && v.Get("privacy", "view").String() == "unlisted" {
		if u, err := base.Parse(v.Get("link").String()); err == nil {
			if ref, ok := (Collector{}).Match(u); ok && ref.ID == id {
				hash = ref.Of
			}
		}
	}
	p := post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id, hash), Outcome: post.OK}
	p.Title, p.Text = v.Get("name").String(), v.Get("description").String()
	p.Links = links(p.Text)
	p.Lang = v.Get("language").String()
	owner := firstOwner(v)
	p.Account = r.apiUser(owner)
	p.Created = stated(firstOf(v.Get("created_time").String(), v.Get("release_time").String()))
	if t := stated(v.Get("release_time").String()); !t.Time.IsZero() && !t.Time.Equal(p.Created.Time) {
		p.Tags = append(p.Tags, "released "+t.Time.Format(time.RFC3339))
	}
	if stats := v.Get("stats"); stats.Has("plays") {
		if c, ok := count("views", stats.Get("plays")); ok {
			p.Counts = append(p.Counts, c)
		} else if !stats.Get("plays").Exists() {
			p.Counts = append(p.Counts, post.HiddenCount("views"))
		}
	}
	connections := v.Get("metadata", "connections")
	for _, name := range []string{"likes", "comments"} {
		if c, ok := count(name, connections.Get(name, "total")); ok {
			p.Counts = append(p.Counts, c)
		}
	}
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Width: size(v.Get("width")), Height: size(v.Get("height")), Duration: seconds(v.Get("duration"))})
	if m, ok := picture(v.Get("pictures")); ok {
		p.Media = append(p.Media, m)
	}
	for _, t := range v.Get("tags").Array() {
		if s := firstOf(t.Get("name").String(), t.Get("tag").String(), t.Get("canonical").String()); s != "" && len(p.Tags) < 200 {
			p.Tags = append(p.Tags, s)
		}
	}
	for _, c := range v.Get("categories").Array() {
		if s := c.Get("name").String(); s != "" && len(p.Tags) < 300 {
			p.Tags = append(p.Tags, s)
		}
	}
	for _, c := range v.Get("content_rating").Array() {
		if s := c.String(); s != "" && s != "safe" && s != "unrated" && len(p.Tags) < 320 {
			p.Tags = append(p.Tags, "rated "+s)
		}
	}
	if s := v.Get("license").String(); s != "" {
		p.Tags = append(p.Tags, "license "+s)
	}
	switch view := v.Get("privacy", "view").String(); view {
	case "password":
		p.Outcome = post.Password
	case "nobody":
		p.Outcome = post.Private
	case "contacts", "users":
		p.Outcome = post.Protected
	case "unlisted", "disable":
		p.Tags = append(p.Tags, "unlisted")
	}
	switch v.Get("type").String() {
	case "live":
		p.Tags = append(p.Tags, "live content")
	}
	if v.Get("live", "status").String() == "streaming" || v.Get("embed", "badges", "live", "streaming").Bool() {
		p.Outcome = post.Live
	}
	return p, hash
}

func firstOwner(v value) value {
	for _, name := range []string{"user", "owner", "uploader"} {
		if u := v.Get(name); userURI.MatchString(u.Get("uri").String()) {
			return u
		}
	}
	return value{}
}

func (r *reader) apiUser(v value) post.Account {
	m := userURI.FindStringSubmatch(v.Get("uri").String())
	if m == nil {
		return post.Account{}
	}
	avatar, _ := picture(v.Get("pictures"))
	a := r.user(digits(m[1]), v.Get("name").String(), v.Get("link").String(), avatar.URL)
	a.Created = stated(v.Get("created_time").String())
	for _, row := range []struct{ key, name string }{{"followers", "followers"}, {"videos", "posts"}} {
		if c, ok := count(row.name, v.Get("metadata", "connections", row.key, "total")); ok {
			a.Counts = append(a.Counts, c)
		}
	}
	return a
}

// picture gives the largest of a resource's sizes.
func picture(v value) (post.Media, bool) {
	best := post.Media{Kind: post.MediaImage}
	sizes := v.Get("sizes")
	if !sizes.IsArray() {
		sizes = v // of before version 3.2
	}
	for _, s := range sizes.Array() {
		if raw := absolute(s.Get("link").String()); raw != "" && (best.URL == "" || size(s.Get("width")) > best.Width) {
			best.URL, best.Width, best.Height = raw, size(s.Get("width")), size(s.Get("height"))
		}
	}
	return best, best.URL != ""
}

// profile reads a user as a post of its own.
func (r *reader) profile(v value) post.Post {
	a := r.apiUser(v)
	p := post.Post{ID: "user:" + a.ID, Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Text: v.Get("bio").String(), Created: a.Created, Outcome: post.OK}
	p.Links = links(p.Text)
	for _, w := range v.Get("websites").Array() {
		if raw := w.Get("link").String(); absolute(raw) == raw && raw != "" && len(p.Links) < maxLinks {
			p.Links = append(p.Links, raw)
		}
	}
	if a.Avatar != "" {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: a.Avatar})
	}
	if s := v.Get("location").String(); s != "" {
		p.Tags = append(p.Tags, "location "+s)
	}
	if s := v.Get("account").String(); s != "" {
		p.Tags = append(p.Tags, "account "+s)
	}
	return p
}

// channel reads a channel or group as a post of its own.
func (r *reader) channel(v value, uri string) {
	id := strings.TrimPrefix(uri, "/")
	if id == "" || strings.HasPrefix(id, "videos/") || strings.HasPrefix(id, "users/") {
		return
	}
	owner := r.apiUser(firstOwner(v))
	p := post.Post{ID: id, Kind: post.KindAccount, URL: absolute(v.Get("link").String()), Title: v.Get("name").String(), Text: v.Get("description").String(), Created: stated(v.Get("created_time").String())}
	p.Account = post.Account{ID: id, Name: p.Title, URL: p.URL, Created: p.Created}
	for _, row := range []struct{ key, name string }{{"users", "followers"}, {"videos", "posts"}} {
		if c, ok := count(row.name, v.Get("metadata", "connections", row.key, "total")); ok {
			p.Account.Counts = append(p.Account.Counts, c)
		}
	}
	if owner.ID != "" {
		p.Tags = append(p.Tags, "by user "+owner.ID+" "+owner.Name)
	}
	p.Links = links(p.Text)
	r.add(p)
}

func (r *reader) comment(v value) {
	m := commentURI.FindStringSubmatch(v.Get("uri").String())
	if m == nil {
		return
	}
	video, id := digits(m[1]), digits(m[2])
	p := post.Post{ID: "comment:" + id, Kind: post.KindComment, URL: site + "/" + video + "#comment_" + id, Thread: video, Text: v.Get("text").String(), Outcome: post.OK}
	p.Refs = []post.Ref{{Role: post.RoleCommentOn, ID: video, URL: videoURL(video, "")}}
	if m[3] != "" {
		p.ID = "comment:" + digits(m[3])
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: "comment:" + id})
	}
	p.Account = r.apiUser(v.Get("user"))
	p.Created = stated(v.Get("created_on").String())
	p.Links = links(p.Text)
	if c, ok := count("replies", v.Get("metadata", "connections", "replies", "total")); ok {
		p.Counts = append(p.Counts, c)
		if c.Value > 0 && m[3] == "" && r.step.Ref.Kind == crawlers.RefPost {
			r.next(crawlers.Step{Ref: r.step.Ref, Route: routeAPI, Role: crawlers.RoleComments, State: state{Path: "/videos/" + video + "/comments/" + id + "/replies?per_page=100"}.encode()})
		}
	}
	r.add(p)
}

// textTrack notes a track of a video's texts as a part of its post.
func (r *reader) textTrack(v value) {
	if r.step.Ref.Kind != crawlers.RefPost {
		return
	}
	id := r.step.Ref.ID
	m := post.Media{Kind: post.MediaFile, URL: trackURL(v.Get("link").String()), Alt: strings.TrimSpace(firstOf(v.Get("type").String(), "text track") + " " + v.Get("language").String())}
	for i := range r.page.Posts {
		if r.page.Posts[i].ID == id {
			r.page.Posts[i].Media = append(r.page.Posts[i].Media, m)
			return
		}
	}
	r.add(post.Post{ID: id, Kind: post.KindVideo, URL: r.step.Ref.URL, Media: []post.Media{m}, Outcome: post.OKPartial})
}

// trackURL takes the signature off an address, which changes with each answer.
func trackURL(raw string) string {
	raw = absolute(raw)
	if i := strings.IndexByte(raw, '?'); i >= 0 {
		return raw[:i]
	}
	return raw
}

// ReadItem reads one video, user or comment of the API, or one video of the
// simple API, as importers find it. It gives false for what is none of them.
// fetched is when it was fetched, zero if that is not known.
func ReadItem(raw []byte, fetched time.Time) (post.Post, bool) {
	v, err := jsontree.Parse(raw)
	if err != nil || !v.IsObject() {
		return post.Post{}, false
	}
	r := newReader(crawlers.Step{Ref: newRef(crawlers.RefSearch, "import", site, false)}, crawlers.Exchange{FetchedAt: fetched})
	switch uri := v.Get("uri").String(); {
	case videoURI.MatchString(uri):
		p, _ := r.apiVideo(v)
		r.add(p)
	case userURI.MatchString(uri):
		r.add(r.profile(v))
	case commentURI.MatchString(uri):
		r.comment(v)
	case v.Has("upload_date") && v.Has("title"):
		r.simple(v)
	}
	if len(r.page.Posts) == 0 {
		return post.Post{}, false
	}
	p := r.page.Posts[0]
	p.Platform, p.FetchedAt = platform, fetched
	if p.Account.ID != "" || p.Account.Name != "" || p.Account.Handle != "" {
		p.Account.Platform = platform
	}
	return p, true
}
