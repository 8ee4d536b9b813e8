package youtube

import (
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

// api reads an answer of the Data API v3: a list, or one item by itself.
func (r *reader) api(v value) {
	kind, items := v.Get("kind").String(), v.Get("items")
	if !strings.HasSuffix(kind, "ListResponse") {
		if r.apiItem(v) {
			r.page.Coverage.Served, r.page.Coverage.End = len(r.page.Posts), "one item"
			return
		}
		r.fail(post.LayoutChanged, "an item of kind "+kind+", which is not known")
		return
	}
	total, known := v.Get("pageInfo", "totalResults").Int()
	if known && total == 0 && len(items.Array()) == 0 || !items.Exists() || len(items.Array()) == 0 {
		r.apiEmpty(kind)
		return
	}
	var ids, replies []string
	for _, it := range items.Array() {
		if !r.apiItem(it) {
			continue
		}
		switch it.Get("kind").String() {
		case "youtube#playlistItem":
			ids = append(ids, itemVideo(it))
		case "youtube#searchResult", "youtube#activity":
			ids = append(ids, r.resultVideo(it))
		case "youtube#commentThread":
			n, _ := it.Get("snippet", "totalReplyCount").Int()
			if id := it.Get("id").String(); n > int64(len(it.Get("replies", "comments").Array())) && commentForm.MatchString(id) {
				replies = append(replies, id)
			}
		}
	}
	if !r.askedFor(kind) {
		return
	}
	c := &r.page.Coverage
	c.Served = r.items()
	if kind == "youtube#channelListResponse" {
		r.uploads(items)
		c.Served = len(r.page.Posts)
	}
	if known && total >= 0 && kind != "youtube#searchListResponse" && kind != "youtube#commentThreadListResponse" && kind != "youtube#commentListResponse" {
		c.Total, c.Known = total, true // elsewhere it is an estimate, or the page's own size
	}
	route := r.apiRoute()
	var batch []string
	flush := func() {
		if len(batch) > 0 {
			r.next(crawlers.Step{Ref: r.step.Ref, Route: routeAPI, Role: crawlers.RoleHydrate, State: state{IDs: batch}.encode()})
		}
		batch = nil
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if id == "" || seen[id] || !videoForm.MatchString(id) || r.gone(id) {
			continue
		}
		seen[id] = true
		if batch = append(batch, id); len(batch) == 50 {
			flush()
		}
	}
	flush()
	r.missing(kind)
	if kind == "youtube#videoListResponse" && r.step.Ref.Kind == crawlers.RefPost && len(r.askedIDs()) == 0 && len(r.page.Posts) == 1 {
		r.next(crawlers.Step{Ref: r.step.Ref, Route: routeAPI, Role: crawlers.RoleComments})
		if r.step.Route == routeAPICaptions {
			r.next(crawlers.Step{Ref: r.step.Ref, Route: routeAPICaptions, Role: crawlers.RoleHydrate, State: state{Tracks: "list"}.encode()})
		}
		r.page.Outcome = r.page.Posts[0].Outcome
	}
	for _, id := range replies {
		r.next(crawlers.Step{Ref: r.step.Ref, Route: routeAPI, Role: crawlers.RoleComments, State: state{Parent: id}.encode()})
	}
	if token := v.Get("nextPageToken").String(); token != "" {
		r.nextPage(kind, token, items, route)
	}
	for _, n := range r.page.Next {
		if n.Role == crawlers.RolePage || n.Role == "" {
			return
		}
	}
	c.End = "end of list"
	if v.Get("nextPageToken").Exists() {
		c.End = "more by the next step"
	}
}

// nextPage gives the step for the page behind token. What the step asked for is
// told from the answer, so that an archived answer goes on as well.
func (r *reader) nextPage(kind, token string, items value, route string) {
	s := crawlers.Step{Ref: r.step.Ref, Route: route, Role: r.step.Role}
	st := state{Token: token, List: r.state.List, Parent: r.state.Parent}
	first := items.At(0).Get("snippet")
	switch kind {
	case "youtube#playlistItemListResponse":
		if list := first.Get("playlistId").String(); st.List == "" && s.Ref.Kind != crawlers.RefBoard && listForm.MatchString(list) {
			st.List = list
		}
		if st.List == "" && s.Ref.Kind != crawlers.RefBoard {
			return
		}
	case "youtube#commentThreadListResponse":
		s.Role = crawlers.RoleComments
		if s.Ref.Kind != crawlers.RefPost {
			return
		}
	case "youtube#commentListResponse":
		s.Role = crawlers.RoleComments
		if parent := first.Get("parentId").String(); st.Parent == "" && s.Ref.Kind != crawlers.RefComment && commentForm.MatchString(parent) {
			st.Parent = parent
		}
		if st.Parent == "" && s.Ref.Kind != crawlers.RefComment {
			return
		}
	case "youtube#searchListResponse":
		if s.Ref.Kind != crawlers.RefSearch {
			return
		}
	default:
		return // activities and the like, which we do not ask for
	}
	s.State = st.encode()
	r.next(s)
}

// apiRoute is the route of further pages: the step's own, where it is one of
// the API's.
func (r *reader) apiRoute() string {
	if r.step.Route == routeAPICaptions {
		return routeAPICaptions
	}
	return routeAPI
}

// gone reports whether a listing itself said that a video is not public.
func (r *reader) gone(id string) bool {
	for i := range r.page.Posts {
		if r.page.Posts[i].ID == id {
			return r.page.Posts[i].Outcome.Scope() == post.ScopeTarget
		}
	}
	return false
}

// missing adds what was asked for by id and not answered: the API leaves out
// videos that are not public, without a word.
func (r *reader) missing(kind string) {
	if kind != "youtube#videoListResponse" {
		return
	}
	for _, id := range r.askedIDs() {
		r.add(post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id), Outcome: post.Unavailable})
	}
}

// askedIDs are the videos that were asked for together, none where one was.
func (r *reader) askedIDs() []string {
	if len(r.state.IDs) > 0 {
		return r.state.IDs
	}
	if !strings.HasSuffix(r.url.Path, "/videos") {
		return nil
	}
	var ids []string
	for _, id := range strings.Split(r.url.Query().Get("id"), ",") {
		if videoForm.MatchString(id) && len(ids) < 50 {
			ids = append(ids, id)
		}
	}
	if len(ids) < 2 {
		return nil
	}
	return ids
}

// apiEmpty reads a list without items, which means another thing for each kind.
func (r *reader) apiEmpty(kind string) {
	switch kind {
	case "youtube#videoListResponse":
		if len(r.askedIDs()) > 0 {
			r.missing(kind)
			r.page.Coverage.End = "none of the videos is public"
			return
		}
		r.fail(post.Unavailable, "the Data API has no such public video")
	case "youtube#channelListResponse":
		r.fail(post.NotFound, "the Data API has no such channel")
	case "youtube#commentListResponse":
		if r.step.Ref.Kind == crawlers.RefComment && r.step.Role != crawlers.RoleComments {
			r.fail(post.Unavailable, "the Data API has no such public comment")
			return
		}
		fallthrough
	default:
		r.page.Coverage = crawlers.Coverage{Known: true, End: "the list is empty"}
		r.page.Reason = "the list is empty"
	}
}

// askedFor asserts that the answer is about the step's target.
func (r *reader) askedFor(kind string) bool {
	want := r.step.Ref
	var got string
	switch {
	case kind == "youtube#videoListResponse" && want.Kind == crawlers.RefPost && len(r.askedIDs()) == 0:
		for i := range r.page.Posts {
			if got = r.page.Posts[i].ID; got == want.ID {
				return true
			}
		}
	case kind == "youtube#channelListResponse" && want.Kind == crawlers.RefAccount && !want.Alias:
		for i := range r.page.Posts {
			if got = r.page.Posts[i].ID; got == want.ID {
				return true
			}
		}
	case kind == "youtube#commentListResponse" && want.Kind == crawlers.RefComment && r.step.Role != crawlers.RoleComments:
		for i := range r.page.Posts {
			got = r.page.Posts[i].ID
			if got == want.ID || strings.HasPrefix(got, want.ID+".") {
				return true
			}
		}
	default:
		return true
	}
	r.page = crawlers.Page{}
	r.fail(post.LayoutChanged, "asked for "+want.ID+", the answer is about "+got)
	return false
}

// uploads goes on from a channel to the list of its uploads.
func (r *reader) uploads(items value) {
	if r.step.Ref.Kind != crawlers.RefAccount || r.step.Role == crawlers.RoleHydrate {
		return
	}
	for _, it := range items.Array() {
		id := it.Get("id").String()
		if !channelForm.MatchString(id) {
			continue
		}
		list := it.Get("contentDetails", "relatedPlaylists", "uploads").String()
		if !listForm.MatchString(list) {
			list = "UU" + id[2:] // the list of uploads carries the channel's id
		}
		r.alias(id)
		if n, ok := it.Get("statistics", "videoCount").Int(); ok {
			r.page.Coverage.Total, r.page.Coverage.Known = n, true
		}
		r.next(crawlers.Step{Ref: channelRef(id), Route: routeAPI, State: state{List: list}.encode()})
		return
	}
}

// apiItem reads one resource and reports whether it knew it.
func (r *reader) apiItem(it value) bool {
	switch it.Get("kind").String() {
	case "youtube#video":
		r.apiVideo(it)
	case "youtube#playlistItem":
		r.playlistItem(it)
	case "youtube#searchResult", "youtube#activity":
		r.searchResult(it)
	case "youtube#channel":
		r.apiChannel(it)
	case "youtube#commentThread":
		s := it.Get("snippet")
		r.apiComment(s.Get("topLevelComment"), s.Get("videoId").String(), s.Get("totalReplyCount"))
		for _, c := range it.Get("replies", "comments").Array() {
			r.apiComment(c, s.Get("videoId").String(), value{})
		}
	case "youtube#comment":
		r.apiComment(it, "", value{})
	case "youtube#caption":
		r.apiCaption(it)
	case "youtube#playlist":
		return it.Get("id").String() != ""
	default:
		return false
	}
	return true
}

// snippet reads what snippets of videos, playlist items and results share.
func (r *reader) snippet(s value) post.Post {
	p := post.Post{Kind: post.KindVideo, Title: s.Get("title").String(), Text: s.Get("description").String()}
	p.Account = r.account(s.Get("channelId").String(), s.Get("channelTitle").String(), "")
	p.Created = moment(s.Get("publishedAt").String())
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo})
	best := post.Media{}
	s.Get("thumbnails").Members(func(_ string, t value) bool {
		if m, ok := largest1(t); ok && (best.URL == "" || m.Width > best.Width) {
			best = m
		}
		return true
	})
	if best.URL != "" {
		p.Media = append(p.Media, best)
	}
	p.Hashtags = hashtags.In(p.Title + "\n" + p.Text)
	p.Mentions = mentions(p.Text)
	p.Links = links(p.Text)
	switch s.Get("liveBroadcastContent").String() {
	case "live":
		p.Outcome = post.Live
	case "upcoming":
		p.Outcome = post.Upcoming
	}
	return p
}

// largest1 reads {url, width, height}.
func largest1(t value) (post.Media, bool) {
	raw := absolute(t.Get("url").String())
	w, _ := t.Get("width").Int()
	h, _ := t.Get("height").Int()
	if w < 0 || h < 0 || w > 1<<20 || h > 1<<20 {
		w, h = 0, 0
	}
	return post.Media{Kind: post.MediaImage, URL: raw, Width: int(w), Height: int(h)}, raw != ""
}

func (r *reader) apiVideo(it value) {
	s := it.Get("snippet")
	p := r.snippet(s)
	p.ID = it.Get("id").String()
	if !videoForm.MatchString(p.ID) {
		return
	}
	p.URL = videoURL(p.ID)
	if p.Outcome == "" {
		p.Outcome = post.OK
	}
	if !s.IsObject() {
		p.Outcome = post.OKPartial // asked for without part=snippet
	}
	p.Lang = firstOf(s.Get("defaultAudioLanguage").String(), s.Get("defaultLanguage").String())
	for _, t := range s.Get("tags").Array() {
		if t.String() != "" {
			p.Tags = append(p.Tags, t.String())
		}
	}
	if c := s.Get("categoryId").String(); c != "" {
		p.Tags = append(p.Tags, "category "+c)
	}
	if stats := it.Get("statistics"); stats.IsObject() {
		for _, row := range []struct{ key, name string }{{"viewCount", "views"}, {"likeCount", "likes"}, {"dislikeCount", "dislikes"}, {"commentCount", "comments"}} {
			c, ok := exact(row.name, stats.Get(row.key))
			if !ok && row.name != "dislikes" { // which nobody but the owner is given
				c, ok = post.HiddenCount(row.name), true
			}
			if ok {
				p.Counts = append(p.Counts, c)
			}
		}
	}
	details := it.Get("contentDetails")
	if d, ok := isoDuration(details.Get("duration").String()); ok {
		p.Media[0].Duration = d
	}
	mark := func(on bool, tag string) {
		if on {
			p.Tags = append(p.Tags, tag)
		}
	}
	mark(details.Get("caption").String() == "true", "captions")
	mark(details.Get("contentRating", "ytRating").String() == "ytAgeRestricted", "age restricted")
	status := it.Get("status")
	mark(status.Get("privacyStatus").String() == "unlisted", "unlisted")
	mark(status.Get("madeForKids").Bool(), "made for kids")
	mark(status.Get("containsSyntheticMedia").Bool(), "contains synthetic media")
	mark(status.Get("license").String() == "creativeCommon", "license creativeCommon")
	if status.Get("privacyStatus").String() == "private" {
		p.Outcome = post.Private
	}
	for _, row := range []struct{ name, words string }{{"allowed", "available in "}, {"blocked", "blocked in "}} {
		var list []string
		for _, c := range details.Get("regionRestriction", row.name).Array() {
			list = append(list, c.String())
		}
		mark(len(list) > 0, row.words+strings.Join(list, " "))
	}
	live := it.Get("liveStreamingDetails")
	for _, row := range []struct{ key, words string }{{"scheduledStartTime", "scheduled for "}, {"actualStartTime", "live start "}, {"actualEndTime", "live end "}} {
		if t := moment(live.Get(row.key).String()); !t.Time.IsZero() {
			mark(true, row.words+t.Time.Format(time.RFC3339))
		}
	}
	if c, ok := exact("viewers", live.Get("concurrentViewers")); ok {
		p.Counts = append(p.Counts, c)
	}
	r.add(p)
}

func itemVideo(it value) string {
	return firstOf(it.Get("contentDetails", "videoId").String(), it.Get("snippet", "resourceId", "videoId").String())
}

// playlistItem reads an entry of a playlist. Its publishedAt and channel are of
// the entry: the video's own stand beside them in newer answers.
func (r *reader) playlistItem(it value) {
	s := it.Get("snippet")
	p := r.snippet(s)
	p.ID = itemVideo(it)
	if !videoForm.MatchString(p.ID) {
		return
	}
	p.URL = videoURL(p.ID)
	added := p.Created
	p.Created = moment(it.Get("contentDetails", "videoPublishedAt").String())
	if p.Created.IsZero() && !added.Time.IsZero() {
		// In a list of uploads the entry is as old as the video is public; in
		// any other, the video is not younger than its entry.
		p.Created = post.Between(time.Time{}, added.Time, s.Get("publishedAt").String(), post.SourceField)
	}
	if id, name := s.Get("videoOwnerChannelId").String(), s.Get("videoOwnerChannelTitle").String(); id != "" || name != "" {
		p.Account = r.account(id, name, "")
	} else if !strings.HasPrefix(s.Get("playlistId").String(), "UU") && !r.ownList(s) {
		p.Account = post.Account{} // the channel is the list's, the video's is not named
	}
	p.Outcome = firstOutcome(p.Outcome, post.OKPartial) // without counts, tags and length
	switch status := it.Get("status", "privacyStatus").String(); {
	case p.Title == "Private video" && p.Text == "This video is private.", status == "private":
		p.Outcome, p.Title, p.Text = post.Private, "", ""
	case p.Title == "Deleted video" && p.Text == "This video is unavailable.", status == "privacyStatusUnspecified":
		p.Outcome, p.Title, p.Text = post.Unavailable, "", ""
	case status == "unlisted":
		p.Tags = append(p.Tags, "unlisted")
	}
	r.add(p)
}

// ownList reports whether an entry's list belongs to the channel that the step
// is about: then its videos are that channel's uploads.
func (r *reader) ownList(s value) bool {
	return r.step.Ref.Kind == crawlers.RefAccount && s.Get("channelId").String() == r.step.Ref.ID && strings.HasPrefix(r.state.List, "UU")
}

func firstOutcome(list ...post.Outcome) post.Outcome {
	for _, o := range list {
		if o != "" {
			return o
		}
	}
	return ""
}

func (r *reader) resultVideo(it value) string {
	d := it.Get("contentDetails")
	return firstOf(it.Get("id", "videoId").String(), d.Get("upload", "videoId").String(), d.Get("playlistItem", "resourceId", "videoId").String(), thumbnailID(it.Get("snippet")))
}

// thumbnailID takes a video's id out of the address of its thumbnail, which is
// all that an activity without contentDetails tells of an upload.
func thumbnailID(s value) string {
	raw := s.Get("thumbnails", "default", "url").String()
	if t := s.Get("type").String(); t != "upload" && t != "playlistItem" {
		return ""
	}
	_, rest, ok := strings.Cut(raw, "ytimg.com/vi/")
	if id, _, cut := strings.Cut(rest, "/"); ok && cut && videoForm.MatchString(id) {
		return id
	}
	return ""
}

// searchResult reads a result of a search, which may be a channel or playlist,
// or an entry of a channel's activities.
func (r *reader) searchResult(it value) {
	s := it.Get("snippet")
	if id := it.Get("id", "channelId").String(); channelForm.MatchString(id) && it.Get("id", "videoId").String() == "" {
		p := post.Post{ID: id, Kind: post.KindAccount, URL: channelURL(id), Title: s.Get("title").String(), Text: s.Get("description").String(), Outcome: post.OKPartial}
		p.Account = r.account(id, s.Get("title").String(), "")
		p.Account.Created = moment(s.Get("publishedAt").String())
		r.add(p)
		return
	}
	p := r.snippet(s)
	p.ID = r.resultVideo(it)
	if !videoForm.MatchString(p.ID) {
		return // a playlist
	}
	p.URL = videoURL(p.ID)
	p.Outcome = firstOutcome(p.Outcome, post.OKPartial) // the description is cut
	if it.Get("kind").String() == "youtube#searchResult" {
		// Titles of results carry character references, those of videos do not.
		p.Title = html.UnescapeString(p.Title)
	} else if s.Get("type").String() == "playlistItem" {
		p.Account = post.Account{} // the activity is the channel's, the video may be another's
	}
	r.add(p)
}

func (r *reader) apiChannel(it value) {
	id := it.Get("id").String()
	if !channelForm.MatchString(id) {
		return
	}
	s := it.Get("snippet")
	custom := s.Get("customUrl").String()
	a := r.account(id, s.Get("title").String(), "")
	if handle, ok := strings.CutPrefix(custom, "@"); ok {
		a.Handle = handle
		r.identity("@"+strings.ToLower(handle), id, "")
	} else if custom != "" {
		r.identity("c/"+strings.ToLower(custom), id, "")
	}
	a.Created = moment(s.Get("publishedAt").String())
	best := post.Media{}
	s.Get("thumbnails").Members(func(_ string, t value) bool {
		if m, ok := largest1(t); ok && (best.URL == "" || m.Width > best.Width) {
			best = m
		}
		return true
	})
	a.Avatar = best.URL
	if stats := it.Get("statistics"); stats.IsObject() {
		switch c, ok := exact("followers", stats.Get("subscriberCount")); {
		case stats.Get("hiddenSubscriberCount").Bool():
			a.Counts = append(a.Counts, post.HiddenCount("followers"))
		case ok:
			if c.Value >= 1000 {
				c.Precision = post.PrecisionRounded // to three figures, by the API's documentation
			}
			a.Counts = append(a.Counts, c)
		}
		for _, row := range []struct{ key, name string }{{"videoCount", "posts"}, {"viewCount", "views"}} {
			if c, ok := exact(row.name, stats.Get(row.key)); ok {
				a.Counts = append(a.Counts, c)
			}
		}
	}
	p := post.Post{ID: id, Kind: post.KindAccount, URL: channelURL(id), Account: a, Title: a.Name, Text: s.Get("description").String(), Created: a.Created, Outcome: post.OK}
	if best.URL != "" {
		p.Media = append(p.Media, best)
	}
	p.Links, p.Mentions, p.Hashtags = links(p.Text), mentions(p.Text), hashtags.In(p.Text)
	if c := s.Get("country").String(); c != "" {
		p.Tags = append(p.Tags, "country "+c)
	}
	p.Lang = s.Get("defaultLanguage").String()
	p.Tags = append(p.Tags, splitKeywords(it.Get("brandingSettings", "channel", "keywords").String())...)
	r.add(p)
}

func (r *reader) apiComment(it value, video string, replies value) {
	s := it.Get("snippet")
	video = firstOf(s.Get("videoId").String(), video)
	if video == "" {
		switch r.step.Ref.Kind {
		case crawlers.RefPost:
			video = r.step.Ref.ID
		case crawlers.RefComment:
			video = r.step.Ref.Of
		}
	}
	p := newComment(it.Get("id").String(), video)
	if p.ID == "" {
		return
	}
	if parent := s.Get("parentId").String(); parent != "" && !strings.Contains(p.ID, ".") {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: parent})
	}
	p.Account = r.account(s.Get("authorChannelId", "value").String(), "", s.Get("authorChannelUrl").String())
	r.named(&p.Account, s.Get("authorDisplayName").String())
	p.Account.Avatar = absolute(s.Get("authorProfileImageUrl").String())
	// textOriginal is given to the author, and to all where textFormat is
	// plainText; textDisplay may be HTML.
	if p.Text = s.Get("textOriginal").String(); p.Text == "" {
		p.Text = s.Get("textDisplay").String()
		if strings.ContainsAny(p.Text, "<&") {
			c := htmltext.Fragment(p.Text, baseURL)
			p.Text, p.Links = c.Text, c.Links
		}
	}
	if len(p.Links) == 0 {
		if display := s.Get("textDisplay").String(); strings.Contains(display, "<a ") {
			p.Links = htmltext.Fragment(display, baseURL).Links
		} else {
			p.Links = links(p.Text)
		}
	}
	p.Hashtags, p.Mentions = hashtags.In(p.Text), mentions(p.Text)
	p.Created = moment(s.Get("publishedAt").String())
	if e := moment(s.Get("updatedAt").String()); !e.Time.IsZero() && !e.Time.Equal(p.Created.Time) {
		p.Edited = e
	}
	if c, ok := exact("likes", s.Get("likeCount")); ok {
		p.Counts = append(p.Counts, c)
	}
	if c, ok := exact("replies", replies); ok {
		p.Counts = append(p.Counts, c)
	}
	if m := s.Get("moderationStatus").String(); m != "" && m != "published" {
		p.Tags = append(p.Tags, m)
	}
	r.add(p)
}

// apiCaption reads a track of the list of captions: a part of its video's post.
func (r *reader) apiCaption(it value) {
	s := it.Get("snippet")
	id := s.Get("videoId").String()
	if !videoForm.MatchString(id) || s.Get("language").String() == "" {
		return
	}
	c := caption{lang: s.Get("language").String(), name: s.Get("name").String(), kind: strings.ToLower(s.Get("trackKind").String())}
	for i := range r.page.Posts {
		if r.page.Posts[i].ID == id {
			r.page.Posts[i].Media = append(r.page.Posts[i].Media, c.media(id))
			return
		}
	}
	r.add(post.Post{ID: id, Kind: post.KindVideo, URL: videoURL(id), Media: []post.Media{c.media(id)}, Outcome: post.OKPartial})
}

// apiError reads the error of the Data API, or of InnerTube, which share a form.
func (r *reader) apiError(e value) {
	code, _ := e.Get("code").Int()
	status := r.ex.Status
	if status == 0 || status == 200 {
		status = int(code)
	}
	var reasons []string
	for _, x := range e.Get("errors").Array() {
		if s := x.Get("reason").String(); s != "" {
			reasons = append(reasons, s)
		}
	}
	for _, x := range e.Get("details").Array() {
		if s := x.Get("reason").String(); s != "" {
			reasons = append(reasons, s)
		}
	}
	words := strings.TrimSpace(fmt.Sprintf("status %d %s", status, strings.Join(append(reasons, e.Get("message").String()), ": ")))
	is := func(list ...string) bool {
		for _, want := range list {
			for _, got := range reasons {
				if got == want {
					return true
				}
			}
		}
		return false
	}
	switch {
	case is("quotaExceeded", "dailyLimitExceeded"):
		r.fail(post.RateLimited, words+" (the quota is given anew at midnight, Pacific time)")
	case is("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"), status == 429:
		r.fail(post.RateLimited, words)
	case is("commentsDisabled"):
		r.fail(post.Unavailable, words+": the video takes no comments")
	case is("videoNotFound", "channelNotFound", "playlistNotFound", "commentNotFound", "commentThreadNotFound", "notFound"):
		r.fail(post.NotFound, words)
	case is("playlistItemsNotAccessible", "playlistForbidden", "channelForbidden"):
		r.fail(post.Private, words)
	case is("channelClosed"):
		r.fail(post.Deleted, words)
	case is("channelSuspended"):
		r.fail(post.Suspended, words)
	case is("keyInvalid", "keyExpired", "API_KEY_INVALID", "accessNotConfigured", "SERVICE_DISABLED", "API_KEY_SERVICE_BLOCKED", "required", "authError", "ipRefererBlocked", "API_KEY_IP_ADDRESS_BLOCKED", "API_KEY_HTTP_REFERRER_BLOCKED", "forbidden", "insufficientPermissions", "SERVICE_UNAVAILABLE"), status == 401, status == 403:
		r.fail(post.NeedsKey, words)
	case status == 404:
		r.fail(post.NotFound, words)
	case status == 400 && r.onYoutubei():
		r.fail(post.NotFound, words+": there is no such id")
	case status >= 500:
		r.fail(post.ServerError, words)
	default:
		r.fail(post.UnexpectedType, words)
	}
}

func (r *reader) onYoutubei() bool {
	return strings.HasPrefix(r.url.Path, "/youtubei/") || r.url.Path == ""
}

// ReadItem reads one resource of the Data API v3 (a video, channel, playlist
// item, search result, comment or comment thread) as importers find it, a
// line at a time. A thread gives its top comment; ReadItems gives all.
func ReadItem(raw []byte, fetched time.Time) (post.Post, bool) {
	all := ReadItems(raw, fetched)
	if len(all) == 0 {
		return post.Post{}, false
	}
	return all[0], true
}

// ReadItems is ReadItem for a resource that holds several posts. It gives none
// for what is no resource of the API. fetched is when the resource was fetched,
// zero if that is not known.
func ReadItems(raw []byte, fetched time.Time) []post.Post {
	v, err := jsontree.Parse(raw)
	if err != nil {
		return nil
	}
	r := newReader(crawlers.Step{Ref: newRef(crawlers.RefSearch, "import", site, false)}, crawlers.Exchange{FetchedAt: fetched})
	if !r.apiItem(v) {
		return nil
	}
	for i := range r.page.Posts {
		r.page.Posts[i].Platform, r.page.Posts[i].FetchedAt = platform, fetched
		if a := &r.page.Posts[i].Account; a.ID != "" || a.Handle != "" || a.Name != "" {
			a.Platform = platform
		}
	}
	return r.page.Posts
}
