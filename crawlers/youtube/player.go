package youtube

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/post"
)

// A video is a post in the making, with what only steps need.
type video struct {
	post     post.Post
	captions []caption
}

// A caption is a track of captions as the player lists it.
type caption struct {
	lang, name, kind string // kind is "asr" for one made by a machine
	url              string // signed
}

// player reads the answer of a player: videoDetails, microformat, captions and
// playabilityStatus. It reports whether the answer holds any of them.
func (r *reader) player(v value) (video, bool) {
	if p := v.Get("playerResponse"); p.IsObject() {
		v = p
	}
	details, micro, status := v.Get("videoDetails"), v.Get("microformat", "playerMicroformatRenderer"), v.Get("playabilityStatus")
	if !details.IsObject() && !micro.IsObject() && !status.IsObject() {
		return video{}, false
	}
	p := post.Post{Kind: post.KindVideo, Outcome: post.OK}
	p.ID = firstOf(details.Get("videoId").String(), micro.Get("externalVideoId").String(), embedID(micro.Get("embed", "iframeUrl").String()))
	if !videoForm.MatchString(p.ID) {
		p.ID = ""
	}
	p.URL = videoURL(p.ID)
	// The microformat's title and description are translated into the page's
	// language, those of videoDetails are the author's.
	p.Title = firstOf(details.Get("title").String(), text(micro.Get("title")))
	p.Text = details.Get("shortDescription").String()
	if !details.Has("shortDescription") {
		p.Text = strings.TrimSpace(text(micro.Get("description")))
	}
	p.Account = r.account(firstOf(details.Get("channelId").String(), micro.Get("externalChannelId").String()), firstOf(details.Get("author").String(), micro.Get("ownerChannelName").String()), micro.Get("ownerProfileUrl").String())
	p.Created = moment(firstOf(micro.Get("publishDate").String(), micro.Get("uploadDate").String()))
	broadcast := micro.Get("liveBroadcastDetails")
	live := broadcast.Get("isLiveNow").Bool() || details.Get("isLive").Bool()
	if live {
		p.Outcome = post.Live
	}
	if c, ok := exact("views", firstValue(details.Get("viewCount"), micro.Get("viewCount"))); ok {
		p.Counts = append(p.Counts, c)
	}
	switch c, ok := exact("likes", micro.Get("likeCount")); {
	case ok:
		p.Counts = append(p.Counts, c)
	case details.Has("allowRatings") && !details.Get("allowRatings").Bool(),
		micro.Has("canonicalUrl") && p.ID != "": // the form of 2026, which has likeCount unless likes are hidden
		p.Counts = append(p.Counts, post.HiddenCount("likes"))
	}
	p.Media = append(p.Media, post.Media{Kind: post.MediaVideo, Duration: length(firstValue(details.Get("lengthSeconds"), micro.Get("lengthSeconds")))})
	r.thumbnail(&p, firstValue(micro.Get("thumbnail"), details.Get("thumbnail")))
	mark := func(on bool, tag string) {
		if on {
			p.Tags = append(p.Tags, tag)
		}
	}
	mark(micro.Get("category").String() != "", micro.Get("category").String())
	for _, k := range details.Get("keywords").Array() {
		if s := strings.TrimSpace(k.String()); s != "" && len(p.Tags) < 600 {
			p.Tags = append(p.Tags, s)
		}
	}
	mark(micro.Get("isUnlisted").Bool(), "unlisted")
	mark(strings.Contains(micro.Get("canonicalUrl").String(), "/shorts/"), "short")
	mark(micro.Get("isFamilySafe").Exists() && !micro.Get("isFamilySafe").Bool(), "not family safe")
	mark(details.Get("isLiveContent").Bool() || broadcast.IsObject(), "live content")
	if t := moment(broadcast.Get("startTimestamp").String()); !t.Time.IsZero() {
		mark(true, "live start "+t.Time.Format(time.RFC3339))
	}
	if t := moment(broadcast.Get("endTimestamp").String()); !t.Time.IsZero() {
		mark(true, "live end "+t.Time.Format(time.RFC3339))
	}
	out := video{}
	for _, track := range v.Get("captions", "playerCaptionsTracklistRenderer", "captionTracks").Array() {
		lang := track.Get("languageCode").String()
		if lang == "" || len(out.captions) >= 200 {
			continue
		}
		c := caption{lang: lang, name: firstOf(track.Get("name", "simpleText").String(), text(track.Get("name"))), kind: track.Get("kind").String(), url: track.Get("baseUrl").String()}
		out.captions = append(out.captions, c)
		p.Media = append(p.Media, c.media(p.ID))
	}
	p.Hashtags = hashtags.In(p.Title + "\n" + p.Text)
	p.Mentions = mentions(p.Text)
	p.Links = links(p.Text)
	outcome, reason := playability(status, p.ID != "" && p.Title != "")
	if outcome == post.Upcoming {
		slate := status.Find("scheduledStartTime")
		if n, ok := slate.Int(); ok && n > 0 && n < 1<<36 {
			mark(true, "scheduled for "+time.Unix(n, 0).UTC().Format(time.RFC3339))
		}
	}
	if outcome != "" && !(outcome == post.OK && live) {
		p.Outcome = outcome
		r.page.Reason = reason
	}
	out.post = p
	return out, true
}

// length reads a field of seconds, 0 where it holds none.
func length(v value) float64 {
	n, ok := v.Float()
	if !ok || !(n > 0 && n < 1e9) {
		return 0
	}
	return n
}

// media names a caption track by an address that does not change with each
// answer; what the answer gives is signed for hours.
func (c caption) media(video string) post.Media {
	q := "?v=" + video + "&lang=" + url.QueryEscape(c.lang)
	alt := "captions " + c.lang
	if c.kind == "asr" {
		q += "&kind=asr"
		alt += " (automatic)"
	}
	return post.Media{Kind: post.MediaFile, URL: site + "/api/timedtext" + q, Alt: alt}
}

func embedID(raw string) string {
	if u, err := url.Parse(raw); err == nil && strings.HasPrefix(u.Path, "/embed/") {
		if id, ok := videoID(strings.TrimPrefix(u.Path, "/embed/")); ok {
			return id
		}
	}
	return ""
}

// playability tells what a player says about a video that it does not play. It
// is "" for one that plays, and for an answer without a status. named tells
// whether the answer names the video.
func playability(status value, named bool) (post.Outcome, string) {
	word := status.Get("status").String()
	if word == "" || word == "OK" || word == "CONTENT_CHECK_REQUIRED" && !status.Has("reason") {
		return "", ""
	}
	words := []string{status.Get("reason").String(), status.Get("reasonTitle").String()}
	for _, m := range status.Get("messages").Array() {
		words = append(words, m.String())
	}
	screen := status.Get("errorScreen")
	words = append(words, text(screen.Find("subreason")))
	if legacy := screen.Get("playerLegacyDesktopYpcOfferRenderer"); legacy.IsObject() {
		words = append(words, "requires payment")
	}
	reason := ""
	for _, w := range words {
		if w = strings.Join(strings.Fields(w), " "); w != "" && !strings.Contains(reason, w) {
			if reason != "" {
				reason += " "
			}
			reason += w
		}
	}
	if reason == "" {
		reason = "playability status " + word
	}
	if o := stateOf(reason); o != "" {
		if o == post.Upcoming && word != "LIVE_STREAM_OFFLINE" && word != "UNPLAYABLE" {
			return post.Unavailable, reason
		}
		return o, reason
	}
	switch word {
	case "LIVE_STREAM_OFFLINE":
		if status.Find("scheduledStartTime").Exists() {
			return post.Upcoming, reason
		}
		return post.OK, reason // a stream that is over or paused; its page stands
	case "AGE_CHECK_REQUIRED", "AGE_VERIFICATION_REQUIRED", "CONTENT_CHECK_REQUIRED":
		return post.AgeGated, reason
	case "LOGIN_REQUIRED":
		if named {
			return post.AgeGated, reason
		}
		return post.LoginWall, reason
	}
	return post.Unavailable, reason
}

// states are the words by which YouTube names the state of a video, playlist or
// channel, most telling first.
var states = []struct {
	words   string
	outcome post.Outcome
}{
	{"not a bot", post.BotCheck},
	{"you're not a robot", post.BotCheck},
	{"unusual traffic", post.RateLimited},
	{"isn't available anymore. try again later", post.RateLimited},
	{"this video is private", post.Private},
	{"this is a private video", post.Private},
	{"private video", post.Private},
	{"playlist is private", post.Private},
	{"this channel is private", post.Private},
	{"removed by the uploader", post.Deleted},
	{"removed by the user", post.Deleted},
	{"uploader has closed their youtube account", post.Deleted},
	{"deleted by its owner", post.Deleted},
	{"deleted by the owner", post.Deleted},
	{"removed by the owner", post.Deleted},
	{"has been terminated", post.Suspended},
	{"was terminated", post.Suspended},
	{"account terminated", post.Suspended},
	{"has been suspended", post.Suspended},
	{"been closed", post.Deleted},
	{"violat", post.Removed},
	{"copyright", post.Removed},
	{"has been removed", post.Removed},
	{"was removed", post.Removed},
	{"court order", post.Withheld},
	{"government", post.Withheld},
	{"legal complaint", post.Withheld},
	{"on this country domain", post.Withheld},
	{"in your country", post.GeoBlocked},
	{"in your location", post.GeoBlocked},
	{"channel's members", post.MembersOnly},
	{"members-only", post.MembersOnly},
	{"members only", post.MembersOnly},
	{"join this channel", post.MembersOnly},
	{"premium member", post.MembersOnly},
	{"requires payment", post.MembersOnly},
	{"to watch this video, buy", post.MembersOnly},
	{"purchase", post.MembersOnly},
	{"confirm your age", post.AgeGated},
	{"age-restricted", post.AgeGated},
	{"age restricted", post.AgeGated},
	{"inappropriate", post.AgeGated},
	{"playback on other websites", post.EmbedRestricted},
	{"embedding", post.EmbedRestricted},
	{"will begin in", post.Upcoming},
	{"premieres in", post.Upcoming},
	{"premiere will begin", post.Upcoming},
	{"live in ", post.Upcoming},
	{"does not exist", post.NotFound},
	{"doesn't exist", post.NotFound},
	{"isn't available", post.Unavailable},
	{"unavailable", post.Unavailable},
	{"not available", post.Unavailable},
}

// stateOf tells what a sentence of YouTube says about a target, "" if nothing
// that is known. The curly apostrophe counts as the plain one.
func stateOf(sentence string) post.Outcome {
	s := strings.ToLower(strings.ReplaceAll(sentence, "’", "'"))
	if strings.Contains(s, "in your country") && strings.Contains(s, "copyright") {
		return post.GeoBlocked
	}
	if strings.Contains(s, "terminated") {
		return post.Suspended
	}
	for _, row := range states {
		if strings.Contains(s, row.words) {
			return row.outcome
		}
	}
	return ""
}

// account makes an Account of what an answer shows; any part may be empty. page
// is the address of the channel as the answer names it.
func (r *reader) account(id, name, page string) post.Account {
	a := post.Account{Name: strings.TrimSpace(name)}
	if page != "" {
		if u, err := baseURL.Parse(page); err == nil {
			switch ref, ok := match(u, maxUnwrap); {
			case !ok:
			case ref.Kind == crawlers.RefAccount && !ref.Alias:
				id = firstOf(id, ref.ID)
			case ref.Kind == crawlers.RefAccount && strings.HasPrefix(ref.ID, "@"):
				a.Handle = handleOf(u)
				r.identity(ref.ID, id, ref.URL)
			case ref.Alias:
				a.URL = ref.URL
				r.identity(ref.ID, id, ref.URL)
			}
		}
	}
	if channelForm.MatchString(id) {
		a.ID = id
		a.URL = channelURL(id)
	} else if a.Handle != "" && a.URL == "" {
		a.URL = handleRef(a.Handle).URL
	}
	return a
}

var baseURL = &url.URL{Scheme: "https", Host: "www.youtube.com", Path: "/"}

// handleOf is the handle of an address in its own spelling, without "@".
func handleOf(u *url.URL) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	handle, ok := strings.CutPrefix(first, "@")
	if !ok {
		return ""
	}
	return handle
}

// thumbnail adds the largest of {thumbnails[]} or {image{sources[]}}.
func (r *reader) thumbnail(p *post.Post, v value) {
	m, ok := largest(v)
	if !ok {
		return
	}
	p.Media = append(p.Media, m)
}

func largest(v value) (post.Media, bool) {
	list := v.Get("thumbnails")
	if !list.IsArray() {
		list = v.Find("sources")
	}
	if !list.IsArray() {
		list = v
	}
	best := post.Media{}
	for _, t := range list.Array() {
		raw := absolute(t.Get("url").String())
		if raw == "" {
			continue
		}
		w, _ := t.Get("width").Int()
		h, _ := t.Get("height").Int()
		if w < 0 || h < 0 || w > 1<<20 || h > 1<<20 {
			w, h = 0, 0
		}
		if best.URL == "" || int(w) > best.Width {
			best = post.Media{Kind: post.MediaImage, URL: raw, Width: int(w), Height: int(h)}
		}
	}
	return best, best.URL != ""
}

// absolute completes an address and gives "" for what is no web address.
func absolute(raw string) string {
	if raw == "" {
		return ""
	}
	u, err := baseURL.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func firstValue(list ...value) value {
	for _, v := range list {
		if v.Exists() {
			return v
		}
	}
	return value{}
}

const maxLinks = 300

// links lists the web addresses that stand in a plain text.
func links(s string) []string {
	var out []string
	seen := map[string]bool{}
	for len(out) < maxLinks {
		i := strings.Index(s, "http")
		if i < 0 {
			break
		}
		rest := s[i:]
		if !strings.HasPrefix(rest, "http://") && !strings.HasPrefix(rest, "https://") {
			s = rest[4:]
			continue
		}
		end := strings.IndexFunc(rest, func(c rune) bool {
			return c <= ' ' || c == '<' || c == '>' || c == '"' || c == '\u00a0' || c == '\u200b' || c == '\u3000'
		})
		if end < 0 {
			end = len(rest)
		}
		raw := strings.TrimRight(rest[:end], ".,;:!?)]}'’”»")
		if strings.Contains(raw, "(") && strings.HasPrefix(rest[len(raw):], ")") {
			raw += ")"
		}
		if u, err := url.Parse(raw); err == nil && u.Host != "" && !seen[raw] {
			seen[raw] = true
			out = append(out, raw)
		}
		s = rest[max(end, 4):]
	}
	return out
}

// mentions lists the @handles of a plain text, without "@".
func mentions(s string) []string {
	var out []string
	seen := map[string]bool{}
	for i := 0; len(out) < 100; {
		at := strings.IndexByte(s[i:], '@')
		if at < 0 {
			break
		}
		at += i
		before, _ := utf8.DecodeLastRuneInString(s[:at])
		end := at + 1
		for end < len(s) {
			c, size := utf8.DecodeRuneInString(s[end:])
			if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) && c != '_' && c != '-' && c != '.' && c != '·' {
				break
			}
			end += size
		}
		i = end
		name := strings.TrimRight(s[at+1:end], ".-·")
		if at > 0 && (unicode.IsLetter(before) || unicode.IsDigit(before) || before == '/' || before == '.' || before == '_') {
			continue // within an address
		}
		if len(name) >= 3 && len(name) <= 90 && !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}
