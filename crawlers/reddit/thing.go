package reddit

import (
	"html"
	"math"
	"net/url"
	"path"
	"sort"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// fullName gives the id with its type.
func fullName(t *thing) string {
	d := &t.Data
	if t.Kind != "t2" && strings.HasPrefix(d.Name, t.Kind+"_") {
		return d.Name
	}
	if d.ID == "" {
		return ""
	}
	return t.Kind + "_" + strings.TrimPrefix(d.ID, t.Kind+"_")
}

// thing turns a post, comment, account or subreddit into a Post, and notes the
// identities that it shows. It gives false for other kinds and for a thing
// without an id.
func (r *reader) thing(t *thing) (post.Post, bool) {
	id := fullName(t)
	if id == "" {
		return post.Post{}, false
	}
	switch t.Kind {
	case "t3":
		r.shown(&t.Data)
		return r.submission(&t.Data, id), true
	case "t1":
		r.shown(&t.Data)
		return r.comment(&t.Data, id), true
	case "t2", "t5":
		return r.profile(t, id), true
	}
	return post.Post{}, false
}

// parents adds the posts that a crosspost carries with it.
func (r *reader) parents(t *thing) {
	for i := range t.Data.CrosspostParentList {
		parent := thing{Kind: "t3", Data: t.Data.CrosspostParentList[i]}
		if p, ok := r.thing(&parent); ok {
			r.add(p)
		}
	}
}

func (r *reader) shown(d *item) {
	if d.Subreddit != "" && isWord(d.Subreddit) {
		r.identity(crawlers.RefGroup, d.Subreddit, d.SubredditID, web+"/r/"+strings.ToLower(d.Subreddit)+"/")
	}
	if name := author(d.Author); name != "" {
		r.identity(crawlers.RefAccount, name, authorID(d), userURL(strings.ToLower(name)))
	}
}

// author is "" for the placeholder of a deleted account.
func author(name string) string {
	if name == "[deleted]" || name == "[removed]" {
		return ""
	}
	return name
}

func authorID(d *item) string {
	if d.AuthorFullname != "" {
		return d.AuthorFullname
	}
	if strings.HasPrefix(d.AuthorID, "t2_") {
		return d.AuthorID
	}
	return ""
}

func account(name, id string) post.Account {
	name = author(name)
	if name == "" && id == "" {
		return post.Account{}
	}
	a := post.Account{ID: id, Handle: name}
	if name != "" {
		a.URL = userURL(name)
	}
	return a
}

// str undoes the escaping of an answer without raw_json=1.
func (r *reader) str(s string) string {
	if r.escaped {
		return unescape(s)
	}
	return s
}

func (r *reader) submission(d *item, id string) post.Post {
	p := post.Post{
		ID: id, Kind: post.KindPost, URL: postURL(id),
		Account: account(d.Author, authorID(d)),
		Title:   r.str(d.Title), Text: r.str(d.Selftext),
		Created: moment(d.CreatedUTC), Edited: moment(d.Edited),
	}
	p.Outcome = state3(d)
	if isPlaceholder(p.Text) {
		p.Text = ""
	}
	if isPlaceholder(p.Title) {
		p.Title = ""
	}
	p.Counts = scoreCount(p.Counts, d)
	if d.UpvoteRatio != nil {
		p.Counts = append(p.Counts, post.RoundedCount("upvote_ratio_permille", int64(math.Round(*d.UpvoteRatio*1000))))
	}
	p.Counts = exact(p.Counts, "comments", d.NumComments)
	p.Counts = exact(p.Counts, "crossposts", d.NumCrossposts)
	p.Counts = exact(p.Counts, "duplicates", d.NumDuplicates)
	p.Counts = exact(p.Counts, "awards", d.Awards)
	if d.Poll != nil {
		p.Counts = exact(p.Counts, "poll_votes", d.Poll.Total)
		for _, o := range d.Poll.Options {
			name := "poll_option:" + r.str(o.Text)
			if o.VoteCount == nil {
				p.Counts = append(p.Counts, post.HiddenCount(name))
			} else {
				p.Counts = append(p.Counts, post.ExactCount(name, int64(*o.VoteCount)))
			}
		}
	}
	p.Tags = r.tags(d)
	r.addMedia(&p, d)
	r.addLinks(&p, d.SelftextHTML, p.Text)
	if d.CrosspostParent != "" {
		to := post.Ref{Role: post.RoleCrosspostOf, ID: d.CrosspostParent, URL: postURL(d.CrosspostParent)}
		for i := range d.CrosspostParentList {
			if d.CrosspostParentList[i].Name == d.CrosspostParent {
				to.Account = author(d.CrosspostParentList[i].Author)
			}
		}
		p.Refs = append(p.Refs, to)
	}
	return p
}

func (r *reader) comment(d *item, id string) post.Post {
	p := post.Post{
		ID: id, Kind: post.KindComment, Thread: d.LinkID,
		Account: account(d.Author, authorID(d)),
		Text:    r.str(d.Body),
		Created: moment(d.CreatedUTC), Edited: moment(d.Edited),
		Outcome: state1(d),
	}
	if d.LinkID != "" {
		p.URL = commentURL(id, d.LinkID)
	}
	if isPlaceholder(p.Text) {
		p.Text = ""
	}
	p.Counts = exact(scoreCount(nil, d), "awards", d.Awards)
	p.Tags = r.tags(d)
	r.addMedia(&p, d)
	r.addLinks(&p, d.BodyHTML, p.Text)
	if d.LinkID != "" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleCommentOn, ID: d.LinkID, URL: postURL(d.LinkID), Account: author(d.LinkAuthor)})
	}
	if strings.HasPrefix(d.ParentID, "t1_") {
		to := post.Ref{Role: post.RoleReplyTo, ID: d.ParentID}
		if d.LinkID != "" {
			to.URL = commentURL(d.ParentID, d.LinkID)
		}
		p.Refs = append(p.Refs, to)
	}
	return p
}

func (r *reader) profile(t *thing, id string) post.Post {
	d := &t.Data
	p := post.Post{ID: id, Kind: post.KindAccount, Title: r.str(d.Title), Text: r.str(d.PublicDescription), Lang: d.Lang, Created: moment(d.CreatedUTC)}
	a := post.Account{ID: id, Name: p.Title, Created: p.Created}
	if t.Kind == "t2" {
		a.Handle, a.URL = d.Name, userURL(d.Name)
		a.Counts = exact(a.Counts, "post_karma", d.LinkKarma)
		a.Counts = exact(a.Counts, "comment_karma", d.CommentKarma)
		a.Counts = exact(a.Counts, "karma", d.TotalKarma)
		r.identity(crawlers.RefAccount, d.Name, id, userURL(strings.ToLower(d.Name)))
	} else {
		a.Handle, a.URL = d.DisplayName, web+"/r/"+d.DisplayName+"/"
		a.Counts = exact(a.Counts, "followers", d.Subscribers)
		a.Counts = exact(a.Counts, "active", d.ActiveUsers)
		if d.DisplayName != "" {
			p.Tags = append(p.Tags, "r/"+d.DisplayName)
			r.identity(crawlers.RefGroup, d.DisplayName, id, web+"/r/"+strings.ToLower(d.DisplayName)+"/")
		}
		switch d.SubredditType {
		case "", "public", "user":
		case "private":
			p.Outcome = post.Private
		default:
			p.Tags = append(p.Tags, d.SubredditType)
		}
		if d.Over18Sub {
			p.Tags = append(p.Tags, "nsfw")
		}
		if d.Quarantine {
			p.Tags = append(p.Tags, "quarantined")
		}
	}
	for _, image := range []string{d.SnoovatarImg, d.CommunityIcon, d.IconImg} {
		if strings.HasPrefix(image, "http") {
			a.Avatar = unescape(image) // escaped in some answers with raw_json=1 too; "&amp;" is in no real address
			break
		}
	}
	if d.IsSuspended {
		p.Outcome = post.Suspended
	}
	p.Account, p.Counts, p.URL = a, a.Counts, a.URL
	return p
}

// state3 is the outcome of a post as a listing shows it.
func state3(d *item) post.Outcome {
	switch d.RemovedByCategory {
	case "":
	case "deleted", "author":
		return post.Deleted
	default: // moderator, automod_filtered, reddit, copyright_takedown, content_takedown, …
		return post.Removed
	}
	switch {
	case d.Selftext == "[deleted]", d.Title == "[deleted by user]":
		return post.Deleted
	case isPlaceholder(d.Selftext), isPlaceholder(d.Title):
		return post.Removed
	}
	return post.OK
}

// state1 is the outcome of a comment.
func state1(d *item) post.Outcome {
	switch d.RemovedByCategory {
	case "":
	case "deleted", "author":
		return post.Deleted
	default:
		return post.Removed
	}
	switch {
	case d.Body == "[deleted]":
		return post.Deleted
	case d.Body == "[unavailable]" && author(d.Author) == "":
		return post.Unavailable
	case isPlaceholder(d.Body):
		return post.Removed
	}
	return post.OK
}

// isPlaceholder reports whether s is what Reddit shows in place of a text.
func isPlaceholder(s string) bool {
	if len(s) < 9 || len(s) > 40 || s[0] != '[' {
		return false
	}
	switch strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(s), "[ ", "["), " ]", "]")) {
	case "[deleted]", "[removed]", "[deleted by user]", "[removed by reddit]", "[removed by moderator]":
		return true
	}
	return false
}

func scoreCount(counts []post.Count, d *item) []post.Count {
	if d.ScoreHidden || d.HideScore {
		return append(counts, post.HiddenCount("score"))
	}
	return exact(counts, "score", d.Score)
}

func exact(counts []post.Count, name string, n *number) []post.Count {
	if n == nil {
		return counts
	}
	return append(counts, post.ExactCount(name, int64(*n)))
}

// tags gives the subreddit, the flair and the marks of a post or comment.
func (r *reader) tags(d *item) []string {
	tags := make([]string, 0, 4)
	if d.Subreddit != "" {
		tags = append(tags, "r/"+d.Subreddit)
	}
	if flair := strings.TrimSpace(r.str(d.Flair)); flair != "" {
		tags = append(tags, flair)
	}
	edited, _ := d.Edited.(bool)
	for _, mark := range []struct {
		set  bool
		name string
	}{
		{d.Over18, "nsfw"}, {d.Spoiler, "spoiler"}, {d.Quarantine, "quarantined"}, {d.Locked, "locked"}, {d.Archived, "archived"},
		{d.Stickied, "stickied"}, {d.CrosspostParent != "", "crosspost"}, {d.Poll != nil, "poll"}, {d.IsGallery, "gallery"},
		{d.IsGallery && d.GalleryData == nil, "gallery_deleted"}, {edited, "edited"}, {d.IsSubmitter, "submitter"},
	} {
		if mark.set {
			tags = append(tags, mark.name)
		}
	}
	if d.Distinguished != "" {
		tags = append(tags, "distinguished:"+d.Distinguished)
	}
	if d.RemovedByCategory != "" {
		tags = append(tags, "removed_by:"+d.RemovedByCategory)
	}
	if len(tags) == 0 {
		return nil
	}
	return tags
}

// addMedia lists what the post shows: its gallery in order, its video, its
// image, the pictures inside its text, and the picture of a linked page.
func (r *reader) addMedia(p *post.Post, d *item) {
	have := map[string]bool{}
	add := func(m post.Media) {
		key := m.URL
		if name := hostedName(m.URL); name != "" {
			key = name
		}
		if m.URL != "" && !have[key] {
			have[key] = true
			m.Width, m.Height = max(m.Width, 0), max(m.Height, 0)
			if m.Duration < 0 {
				m.Duration = 0
			}
			p.Media = append(p.Media, m)
		}
	}
	failed := false
	if d.GalleryData != nil {
		for _, item := range d.GalleryData.Items {
			m, ok := r.hosted(item.MediaID, d.MediaMetadata)
			failed = failed || !ok
			if ok {
				m.Alt = r.str(item.Caption)
				add(m)
			}
			if out := r.str(item.OutboundURL); isWeb(out) {
				p.Links = append(p.Links, out)
			}
		}
	} else if len(d.MediaMetadata) > 0 {
		for _, id := range inText(d.MediaMetadata, p.Text) {
			m, ok := r.hosted(id, d.MediaMetadata)
			failed = failed || !ok
			if ok {
				add(m)
			}
		}
	}
	if failed {
		p.Tags = append(p.Tags, "media_failed")
	}
	for _, e := range []*embedded{d.Media, d.SecureMedia} {
		if e != nil && e.RedditVideo != nil {
			v := e.RedditVideo
			address := v.FallbackURL
			if address == "" {
				address = v.DashURL
			}
			if address == "" {
				address = v.HLSURL
			}
			if !have["video"] {
				have["video"] = true
				add(post.Media{Kind: post.MediaVideo, URL: r.str(address), Width: v.Width, Height: v.Height, Duration: v.Duration})
			}
		}
	}
	var picture post.Media
	if d.Preview != nil && len(d.Preview.Images) > 0 {
		s := d.Preview.Images[0].Source
		picture = post.Media{Kind: post.MediaImage, URL: r.str(s.URL), Width: s.Width, Height: s.Height}
	}
	if out := r.outgoing(d); out != "" {
		kind, hosted := linkedMedia(out)
		switch {
		case kind == post.MediaVideo && have["video"]:
		case kind != "":
			m := post.Media{Kind: kind, URL: out}
			if kind == post.MediaImage {
				m.Width, m.Height, picture = picture.Width, picture.Height, post.Media{}
			}
			add(m)
		}
		if !hosted {
			p.Links = append(p.Links, out)
		}
	}
	if picture.URL != "" {
		add(picture)
	}
	if len(p.Media) == 0 && strings.HasPrefix(d.Thumbnail, "http") {
		add(post.Media{Kind: post.MediaImage, URL: r.str(d.Thumbnail)})
	}
}

// outgoing is the address that a link post is about; "" for a text post, a
// gallery and a crosspost of another post's page.
func (r *reader) outgoing(d *item) string {
	out := d.URLOverriddenByDest
	if out == "" {
		out = d.URL
	}
	out = r.str(out)
	if d.IsSelf || !isWeb(out) {
		return ""
	}
	if d.Title == "" && d.Selftext == "" && d.Body != "" {
		return "" // a comment
	}
	u, err := url.Parse(out)
	if err != nil {
		return ""
	}
	if d.Permalink != "" && u.Path == d.Permalink {
		return ""
	}
	if ref, ok := (Collector{}).Match(u); ok && (ref.Kind == crawlers.RefPost) && (ref.ID == d.Name || ref.ID == d.CrosspostParent || ref.ID == "t3_"+d.ID) {
		return ""
	}
	return out
}

// linkedMedia tells whether an address is a picture or video by itself, and
// whether it lies on Reddit's own hosts.
func linkedMedia(address string) (kind string, hosted bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	host := strings.ToLower(u.Hostname())
	switch host {
	case "v.redd.it":
		return post.MediaVideo, true
	case "i.redd.it", "preview.redd.it", "i.reddituploads.com":
		hosted = true
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp":
		return post.MediaImage, hosted
	case ".mp4", ".webm":
		return post.MediaVideo, hosted
	}
	if hosted {
		return post.MediaImage, true
	}
	return "", false
}

// hostedName is the name under which i.redd.it and preview.redd.it keep the
// same picture; "" for other hosts.
func hostedName(address string) string {
	for _, prefix := range []string{"https://i.redd.it/", "https://preview.redd.it/"} {
		if rest, ok := strings.CutPrefix(address, prefix); ok {
			name, query, _ := strings.Cut(rest, "?")
			if strings.Contains(query, "format=mp4") {
				return ""
			}
			return mediaName(name)
		}
	}
	return ""
}

// hosted gives one item of media_metadata: a picture in its original form on
// i.redd.it, or the video of an item that has only that.
func (r *reader) hosted(id string, all map[string]mediaItem) (post.Media, bool) {
	m, ok := all[id]
	if !ok || m.Status != "" && m.Status != "valid" {
		return post.Media{}, false
	}
	out := post.Media{Kind: post.MediaImage, Width: m.Source.Width, Height: m.Source.Height}
	switch {
	case m.Source.GIF != "":
		out.URL = r.str(m.Source.GIF)
	case m.Source.URL != "":
		out.URL = r.str(m.Source.URL)
		if name := hostedName(out.URL); name != "" {
			out.URL = "https://i.redd.it/" + name
		}
	case m.Source.MP4 != "":
		out.Kind, out.URL = post.MediaVideo, r.str(m.Source.MP4)
	case m.DashURL != "" || m.HLSURL != "":
		out.Kind, out.URL, out.Width, out.Height = post.MediaVideo, r.str(m.DashURL), m.Width, m.Height
		if out.URL == "" {
			out.URL = r.str(m.HLSURL)
		}
	}
	return out, isWeb(out.URL)
}

// inText gives the ids of media in the order in which the text names them, and
// by id where it does not (or where both are so large that looking would take
// seconds).
func inText(all map[string]mediaItem, text string) []string {
	ids := make([]string, 0, len(all))
	at := make(map[string]int, len(all))
	look := len(all)*len(text) < 1<<27
	for id := range all {
		ids = append(ids, id)
		at[id] = len(text)
		if look {
			if i := strings.Index(text, id); i >= 0 {
				at[id] = i
			}
		}
	}
	sort.Slice(ids, func(i, j int) bool {
		if a, b := at[ids[i]], at[ids[j]]; a != b {
			return a < b
		}
		return ids[i] < ids[j]
	})
	return ids
}

// addLinks lists the links of a text and the accounts that it names. The HTML
// tells both; where an answer lacks it, addresses are found in the Markdown.
func (r *reader) addLinks(p *post.Post, htmlText, text string) {
	seen := map[string]bool{}
	for _, l := range p.Links {
		seen[l] = true
	}
	add := func(address string) {
		if isWeb(address) && !seen[address] && !strings.HasPrefix(address, "https://preview.redd.it/") {
			seen[address] = true
			p.Links = append(p.Links, address)
		}
	}
	if htmlText == "" {
		for _, address := range bareLinks(text) {
			add(address)
		}
		return
	}
	rest := htmlText
	if r.escaped {
		rest = unescape(rest)
	}
	for {
		_, after, ok := strings.Cut(rest, `href="`)
		if !ok {
			return
		}
		href, tail, ok := strings.Cut(after, `"`)
		if !ok {
			return
		}
		rest = tail
		href = html.UnescapeString(href)
		if name := mentioned(href); name != "" {
			if !seen["u/"+name] {
				seen["u/"+name] = true
				p.Mentions = append(p.Mentions, name)
			}
			continue
		}
		add(href)
	}
}

// mentioned gives the account that a relative link like "/u/name" names.
func mentioned(href string) string {
	for _, prefix := range []string{"/u/", "/user/"} {
		if name, ok := strings.CutPrefix(href, prefix); ok {
			name = strings.TrimSuffix(name, "/")
			if isWord(name) {
				return name
			}
		}
	}
	return ""
}

// bareLinks finds web addresses in Markdown.
func bareLinks(text string) []string {
	var links []string
	for {
		i := strings.Index(text, "http")
		if i < 0 {
			return links
		}
		text = text[i:]
		end := strings.IndexAny(text, " \t\r\n<>\"]|)")
		if end < 0 {
			end = len(text)
		}
		if link := strings.TrimRight(text[:end], ".,;:!?*_'"); isWeb(link) && len(link) > len("https://") {
			links = append(links, link)
		}
		text = text[end:]
		if end == 0 {
			return links
		}
	}
}

func isWeb(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	if !ok || rest == "" || rest[0] == '/' {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != ""
}
