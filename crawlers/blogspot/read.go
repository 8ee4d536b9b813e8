package blogspot

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/post"
)

// Read turns one exchange into posts and further steps.
func (c Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("the step belongs to platform %q", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	if page, ok := wall(ex); ok {
		return page, nil
	}
	if ex.Status >= 300 && ex.Status < 400 {
		return redirect(s, st, ex), nil
	}
	if outcome, reason := crawlers.Classify(ex); outcome != "" {
		return crawlers.Page{Outcome: outcome, Reason: reason}, nil
	}
	if crawlers.LooksHTML(ex) {
		return readHTML(s, ex), nil
	}
	if isAPI(ex) {
		return readAPI(s, st, ex), nil
	}
	return readFeed(s, st, ex), nil
}

// redirect gives the step to where the blog's own redirect leads: another
// country's address, a custom domain, http to https.
func redirect(s crawlers.Step, st state, ex crawlers.Exchange) crawlers.Page {
	location := ex.Header.Get("Location")
	from, err := url.Parse(ex.URL)
	if err != nil || location == "" {
		return crawlers.Page{Outcome: post.ServerError, Reason: "a redirect without Location"}
	}
	to, err := from.Parse(location)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return crawlers.Page{Outcome: post.ServerError, Reason: "a redirect to " + location}
	}
	if to.String() == ex.URL {
		return crawlers.Page{Outcome: post.RedirectLoop, Reason: "a redirect to itself"}
	}
	page := crawlers.Page{Reason: "redirect to " + to.Redacted()}
	to.Fragment, to.User = "", nil
	next := s
	blog := s.Ref.Of
	if s.Ref.Kind == crawlers.RefAccount {
		blog = s.Ref.ID
	}
	host, ok := hostOf(to.Hostname())
	if ok && !strings.EqualFold(to.Hostname(), host) && !strings.EqualFold(to.Hostname(), "www."+host) {
		// Sent to the address of our country: /ncr/ asks for none.
		if strings.HasPrefix(from.Path, "/ncr/") {
			page.Outcome = post.RedirectLoop
			return page
		}
		to.Scheme, to.Host, to.Path, to.RawPath = "https", host, "/ncr"+path.Clean("/"+to.Path), ""
		if strings.HasSuffix(to.Path, "/ncr/") {
			to.Path = "/ncr/"
		}
	}
	if ok && host == blog || strings.EqualFold(to.Hostname(), from.Hostname()) {
		st.URL = to.String()
		next.State = st.encode()
		page.Next = []crawlers.Step{next}
		return page
	}
	if ref, ok := (Collector{}).Match(to); ok {
		next.Ref, next.State = ref, nil
		page.Next = []crawlers.Step{next}
		return page
	}
	ref, ok := customRef(to)
	if !ok || digits.MatchString(blog) || strings.HasSuffix(to.Hostname(), "feedburner.com") {
		page.Outcome = post.UnexpectedType
		return page
	}
	// A blog that moved to a custom domain: the same target under its new host.
	next.Ref, next.State = ref, nil
	if s.Ref.Kind == crawlers.RefAccount || ref.Kind != s.Ref.Kind {
		next.Ref = s.Ref
		next.Ref.URL = to.Scheme + "://" + to.Host + "/"
		if s.Ref.Kind == crawlers.RefAccount {
			next.Ref.ID = strings.ToLower(to.Hostname())
		} else {
			next.Ref.Of = strings.ToLower(to.Hostname())
		}
	}
	page.Identities = []crawlers.Identity{{Kind: crawlers.RefAccount, Alias: blog, ID: strings.ToLower(to.Hostname()), URL: to.Scheme + "://" + to.Host + "/"}}
	page.Next = []crawlers.Step{next}
	return page
}

func readFeed(s crawlers.Step, st state, ex crawlers.Exchange) crawlers.Page {
	f, err := parseFeed(ex.Body)
	var page crawlers.Page
	if err != nil {
		page.Reason = err.Error()
		switch {
		case ex.Truncated:
			page.Outcome = post.CutBody
		case f == nil:
			page.Outcome = post.UnexpectedType
		default:
			page.Outcome = post.LayoutChanged
		}
		if f == nil || f.BlogID == "" {
			return page
		}
	}
	if want := wantBlog(s.Ref); want != "" && want != f.BlogID {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("the feed is of blog %s, blog %s was asked for", f.BlogID, want)}
	}
	comments, partial := isComments(f, ex.URL), false
	for i := range f.Entries {
		e := &f.Entries[i]
		var p post.Post
		if comments || len(e.InReplyTo) > 0 {
			comments = true
			p = f.comment(e)
		} else {
			p = f.post(e)
		}
		if p.ID == "" {
			continue
		}
		partial = partial || p.Outcome == post.OKPartial
		page.Posts = append(page.Posts, p)
		page.Assets = append(page.Assets, assets(p)...)
	}
	if len(f.Entries) > 0 && len(page.Posts) == 0 {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "entries without ids"}
	}
	if s.Ref.Kind == crawlers.RefPost && !s.Ref.Alias && !comments {
		if len(page.Posts) != 1 || page.Posts[0].ID != s.Ref.ID {
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: "the answer is not post " + s.Ref.ID}
		}
	}
	page.Identities = identities(s.Ref, ex.URL, f.BlogID, f.Home)
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Total: f.Total, Known: f.Known, Oldest: oldest(page.Posts)}
	if next := f.nextStart(); next > 0 && page.Outcome == "" {
		step := listStep(s, comments)
		step.State = state{Start: next}.encode()
		page.Next = append(page.Next, step)
		if comments {
			page.Coverage.End = "the comments go on in the next step"
		}
	} else {
		page.Coverage.End = "end of list"
	}
	if !comments {
		page.Next = append(page.Next, further(s, st, page.Posts)...)
	}
	if partial && page.Outcome == "" {
		page.Outcome, page.Reason = post.OKPartial, "the owner limits the feed to summaries"
	}
	return page
}

// isComments reports whether a feed is one of comments, also where it is empty.
func isComments(f *feed, raw string) bool {
	u, err := url.Parse(raw)
	return f.PostID != "" || err == nil && strings.Contains(u.Path, "/comments/default")
}

// listStep is the step that the next page of a list is asked by.
func listStep(s crawlers.Step, comments bool) crawlers.Step {
	step := crawlers.Step{Ref: s.Ref, Route: routeFeed, Role: s.Role}
	if comments {
		step.Role = crawlers.RoleComments
	}
	return step
}

// further gives the steps that a page of posts leads to: pages for texts that
// the feed cuts, and comments.
func further(s crawlers.Step, st state, posts []post.Post) []crawlers.Step {
	var next []crawlers.Step
	commented := false
	for i := range posts {
		p := &posts[i]
		if p.Outcome == post.OKPartial && p.URL != "" {
			if ref, ok := refOf(p.URL); ok {
				next = append(next, crawlers.Step{Ref: ref, Route: routeHTML, Role: crawlers.RoleHydrate})
			}
		}
		if count(p) == 0 {
			continue
		}
		commented = true
		if s.Ref.Kind != crawlers.RefAccount {
			ref := newRef(crawlers.RefPost, p.ID, blogOf(s.Ref), p.URL, false)
			next = append(next, crawlers.Step{Ref: ref, Route: routeFeed, Role: crawlers.RoleComments})
		}
	}
	// One feed has the comments of the whole blog, 150 a request.
	if commented && s.Ref.Kind == crawlers.RefAccount && st.Start <= 1 {
		next = append(next, crawlers.Step{Ref: s.Ref, Route: routeFeed, Role: crawlers.RoleComments})
	}
	return next
}

// blogOf is the host or number of the blog that a Ref belongs to.
func blogOf(ref crawlers.Ref) string {
	if ref.Kind == crawlers.RefAccount {
		return ref.ID
	}
	return ref.Of
}

// wantBlog is the blog's number where the step asks for one by number.
func wantBlog(ref crawlers.Ref) string {
	if blog := blogOf(ref); digits.MatchString(blog) {
		return blog
	}
	return ""
}

// refOf is the Ref of an address that an answer of Blogger names.
func refOf(raw string) (crawlers.Ref, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return crawlers.Ref{}, false
	}
	if ref, ok := (Collector{}).Match(u); ok {
		return ref, true
	}
	return customRef(u)
}

// identities ties the blog's number to the hosts that an answer shows it under:
// the host that was asked, and its own address.
func identities(ref crawlers.Ref, asked, blogID, home string) []crawlers.Identity {
	if blogID == "" {
		return nil
	}
	var ids []crawlers.Identity
	add := func(host string) {
		if host == "" || digits.MatchString(host) || strings.HasSuffix(host, "blogger.com") || strings.HasSuffix(host, "googleapis.com") || strings.HasSuffix(host, "feedburner.com") || strings.HasPrefix(host, "profile/") {
			return
		}
		for _, id := range ids {
			if id.Alias == host {
				return
			}
		}
		ids = append(ids, crawlers.Identity{Kind: crawlers.RefAccount, Alias: host, ID: blogID, URL: "https://" + host + "/"})
	}
	for _, raw := range []string{asked, home} {
		u, err := url.Parse(raw)
		if err != nil || u.Hostname() == "" {
			continue
		}
		if host, ok := hostOf(u.Hostname()); ok {
			add(host)
		} else if raw == home || strings.EqualFold(u.Hostname(), blogOf(ref)) {
			add(strings.ToLower(u.Hostname()))
		}
	}
	return ids
}

// post makes a post or static page of a feed's entry.
func (f *feed) post(e *entry) post.Post {
	p := post.Post{ID: e.number(), Kind: post.KindPost, URL: canonical(e.address()), Title: strings.TrimSpace(e.Title)}
	if e.isPage() {
		p.Kind = post.KindPage
	}
	base, _ := url.Parse(first(p.URL, f.Home))
	if e.TitleHTML {
		p.Title = htmltext.Fragment(e.Title, base).Text
	}
	src := e.Content
	if !e.HasContent {
		src = e.Summary
		p.Outcome = post.OKPartial
	}
	fill(&p, src, base)
	for _, l := range e.Links {
		if l.Rel == "enclosure" && l.Href != "" {
			addMedia(&p, post.Media{Kind: mediaKind(l.Type), URL: l.Href})
		}
	}
	// Of a post that is cut, the thumbnail is the only trace of its pictures.
	if len(p.Media) == 0 && e.Thumbnail != "" {
		addMedia(&p, post.Media{Kind: post.MediaImage, URL: e.Thumbnail})
	}
	if len(e.Authors) > 0 {
		p.Account = e.Authors[0].account()
	}
	p.Created, p.Edited = times(e.Published, e.Updated)
	p.Tags = append(p.Tags, e.Labels...)
	if fields := strings.Fields(e.Point); len(fields) == 2 {
		p.Tags = append(p.Tags, "geo:"+fields[0]+","+fields[1])
		if e.Place != "" {
			p.Tags = append(p.Tags, "place:"+e.Place)
		}
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(e.CommentCount), 10, 64); err == nil && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("comments", n))
	}
	return p
}

var parentOf = regexp.MustCompile(`/comments/default/(\d+)`)

// comment makes a comment of an entry of a comment feed.
func (f *feed) comment(e *entry) post.Post {
	p := post.Post{ID: e.number(), Kind: post.KindComment, URL: canonical(e.address()), Thread: f.PostID}
	on := post.Ref{Role: post.RoleCommentOn, ID: f.PostID}
	parent := ""
	for _, r := range e.InReplyTo {
		m := itemIDOf.FindStringSubmatch(r.Ref)
		if strings.Contains(r.Source, "/comments/") {
			if m != nil {
				parent = m[1]
			}
			continue
		}
		if m != nil && on.ID == "" {
			on.ID = m[1]
		}
		if on.URL == "" {
			on.URL = canonical(r.Href)
		}
	}
	if m := parentOf.FindStringSubmatch(e.find("related", "")); m != nil {
		parent = m[1]
	}
	p.Thread = on.ID
	if on.ID != "" || on.URL != "" {
		p.Refs = append(p.Refs, on)
	}
	if parent != "" && parent != p.ID {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: parent})
	}
	base, _ := url.Parse(p.URL)
	src := e.Content
	if !e.HasContent {
		src = e.Summary
		p.Outcome = post.OKPartial
	}
	fill(&p, src, base)
	if len(e.Authors) > 0 {
		p.Account = e.Authors[0].account()
	}
	p.Created, p.Edited = times(e.Published, e.Updated)
	for _, x := range e.Properties {
		if x.Name == "blogger.contentRemoved" {
			p.Outcome = removal(p.Text)
		}
	}
	return p
}

// removal tells by whom a comment was taken away, by the words left in its
// place. The words follow the blog's language; only "by the author" in English
// is claimed as such.
func removal(words string) post.Outcome {
	if strings.Contains(strings.ToLower(words), "removed by the author") {
		return post.Deleted
	}
	return post.Removed
}

// fill reads a post's HTML.
func fill(p *post.Post, src string, base *url.URL) {
	c := htmltext.Fragment(src, base)
	p.Text, p.Links = c.Text, c.Links
	for _, m := range c.Media {
		addMedia(p, m)
	}
}

func addMedia(p *post.Post, m post.Media) {
	if !strings.HasPrefix(m.URL, "https://") && !strings.HasPrefix(m.URL, "http://") {
		return
	}
	if strings.Contains(m.URL, "//feeds.feedburner.com/") || strings.Contains(m.URL, ".feedburner.com/~") {
		return // a counting pixel and its kin
	}
	for _, have := range p.Media {
		if have.URL == m.URL {
			return
		}
	}
	p.Media = append(p.Media, m)
}

func mediaKind(mime string) string {
	switch kind, _, _ := strings.Cut(mime, "/"); kind {
	case "image", "video", "audio":
		return kind
	}
	return post.MediaFile
}

func (a author) account() post.Account {
	acc := post.Account{Name: strings.TrimSpace(a.Name), URL: a.URI}
	if m := profileOf.FindStringSubmatch(a.URI); m != nil {
		acc.ID = m[1]
		acc.URL = "https://www.blogger.com/profile/" + m[1]
	}
	acc.Avatar = avatar(a.Image)
	return acc
}

// avatar is the address of an author's picture, "" for Blogger's own stand-ins.
func avatar(src string) string {
	if strings.HasPrefix(src, "//") {
		src = "https:" + src
	}
	if !strings.HasPrefix(src, "http") || strings.Contains(src, "blogblog.com/") || strings.Contains(src, "blogger.com/img/") {
		return ""
	}
	return src
}

// times reads published and updated. A post whose updated is not later was
// never edited since it was published.
func times(published, updated string) (created, edited post.Time) {
	created = moment(published)
	if e := moment(updated); !e.IsZero() && e.Time.After(created.Time) {
		edited = e
	}
	return created, edited
}

// moment reads a time with its zone, or a date as the interval that it is
// anywhere on Earth.
func moment(raw string) post.Time {
	raw = strings.TrimSpace(raw)
	for _, layout := range []string{time.RFC3339Nano, time.RFC1123Z, time.RFC1123, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, raw); err == nil && sane(t) {
			return post.Exact(t, raw)
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		t, err := time.Parse(layout, raw)
		if err != nil || !sane(t) {
			continue
		}
		end := t
		if layout == "2006-01-02" {
			end = t.Add(24*time.Hour - time.Second)
		}
		return post.Between(t.Add(-14*time.Hour), end.Add(12*time.Hour), raw, post.SourceField)
	}
	return post.Time{}
}

// sane keeps out moments that JSON cannot carry.
func sane(t time.Time) bool { return t.Year() > 0 && t.Year() < 9000 }

func oldest(posts []post.Post) time.Time {
	var at time.Time
	for i := range posts {
		if t := posts[i].Created.Earliest(); !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

func count(p *post.Post) int64 {
	for _, c := range p.Counts {
		if c.Name == "comments" {
			return c.Value
		}
	}
	return 0
}

// canonical is the one address of a post for all country hosts, without the
// mobile view; other hosts stay as they are.
func canonical(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" {
		return ""
	}
	if host, ok := hostOf(u.Hostname()); ok {
		u.Scheme, u.Host = "https", host
	}
	if q := u.Query(); q.Has("m") {
		q.Del("m")
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// Sizes that Google's picture hosts put into addresses: a path segment of its
// own (/s320/, /w400-h300-no/) or a suffix (=s320, =w400-h300).
var (
	sizeSegment = regexp.MustCompile(`/(?:s\d+|w\d+|h\d+)(?:-[a-z0-9-]+)?/([^/]+)$`)
	sizeSuffix  = regexp.MustCompile(`=(?:s\d+|w\d+|h\d+)(?:-[a-z0-9-]+)?$`)
)

// original is the address of a picture in its full size. The part before the
// size is the picture's identity.
func original(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	host := u.Hostname()
	if !strings.HasSuffix(host, ".bp.blogspot.com") && !strings.HasSuffix(host, ".googleusercontent.com") && !strings.HasSuffix(host, ".ggpht.com") {
		return raw
	}
	if sizeSuffix.MatchString(raw) {
		return sizeSuffix.ReplaceAllString(raw, "=s0")
	}
	return sizeSegment.ReplaceAllString(raw, "/s0/$1")
}

// assets lists a post's files in their original size. Players are not files.
func assets(p post.Post) []crawlers.Asset {
	var all []crawlers.Asset
	for _, m := range p.Media {
		if m.Kind == post.MediaVideo && !strings.Contains(m.URL, "/video-play") && !strings.Contains(m.URL, ".mp4") && !strings.Contains(m.URL, ".webm") {
			continue
		}
		to := m.URL
		if m.Kind == post.MediaImage {
			to = original(to)
		}
		all = append(all, crawlers.Asset{URL: to, Kind: m.Kind, Post: p.ID})
	}
	return all
}
