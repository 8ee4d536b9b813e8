package instagram

import (
	"bytes"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// headPart is the part of a page that its meta tags stand in.
func headPart(body []byte) []byte {
	if i := bytes.Index(body, []byte("</head>")); i >= 0 {
		return body[:i+len("</head>")]
	}
	return body[:min(len(body), 1<<20)]
}

var (
	titleForm  = regexp.MustCompile(`(?s)^(.*?) (?:on|auf|sur|en|su|no|op|i|på|w|в|di) Instagram: ?(.*)$`)
	handleForm = regexp.MustCompile(`\(@([A-Za-z0-9_.]+)\)`)
	numberForm = regexp.MustCompile(`(?i)(\d[\d.,]*)\s?([KMB])?\s+(likes?|comments?|views?|plays?|followers?|following|posts?)\b`)
	dayForm    = regexp.MustCompile(`^\s*([A-Za-z0-9_.]+) on ([A-Z][a-z]{2,8} \d{1,2}, \d{4})`)
	idForm     = regexp.MustCompile(`"(?:profile_id|profilePage_|user_id|target_user_id)(?:"\s*:\s*")?(\d{1,20})"`)
	kindForm   = regexp.MustCompile(`"media_type"\s*:\s*(\d)`)
	sharedBy   = regexp.MustCompile(`(?s)A post shared by (.*?) \(@([A-Za-z0-9_.]+)\)`)
	embedTime  = regexp.MustCompile(`<time[^>]* datetime="([^"]+)"`)
)

// readMeta reads a post or profile from a page's meta tags, nil if they are of
// neither.
func readMeta(s crawlers.Step, ex crawlers.Exchange) (*draft, *pagescan.Head) {
	h := pagescan.ReadHead(headPart(ex.Body))
	ref, ok := metaRef(h)
	title, desc := h.Meta("og:title"), h.Meta("og:description", "description")
	if !ok && title == "" {
		// The page of an account with nothing but its title.
		if m := handleForm.FindStringSubmatch(h.Title); m != nil {
			d := &draft{}
			d.profile(m[1], strings.TrimSpace(strings.SplitN(h.Title, "(@", 2)[0]))
			return d, h
		}
		return nil, h
	}
	switch ref.Kind {
	case crawlers.RefPost:
		return metaPost(ref, h, title, desc, ex), h
	case crawlers.RefAccount:
		d := &draft{}
		name := ref.ID
		if m := handleForm.FindStringSubmatch(title + " " + desc); m != nil {
			name = m[1]
		}
		d.profile(name, strings.TrimSpace(strings.SplitN(title, "(@", 2)[0]))
		d.metaCounts(desc)
		if m := idForm.FindSubmatch(ex.Body); m != nil && isNumber(string(m[1])) {
			d.ID, d.Account.ID = string(m[1]), string(m[1])
			d.identity(name, d.ID)
		}
		if _, bio, ok := strings.Cut(desc, `on Instagram: "`); ok {
			d.say(strings.TrimSuffix(strings.TrimSpace(bio), `"`))
		}
		if to := h.Meta("og:image"); isWeb(to) {
			d.Account.Avatar = to
		}
		return d, h
	}
	return nil, h
}

// profile starts a draft of an account that is known by name.
func (d *draft) profile(name, shown string) {
	d.Kind, d.ID = post.KindAccount, strings.ToLower(name)
	d.Account = post.Account{Handle: name, Name: shown, URL: accountURL(name)}
	d.URL, d.Title = d.Account.URL, shown
	d.Outcome = post.OKMetaOnly
}

// metaRef tells whom a page's head names.
func metaRef(h *pagescan.Head) (crawlers.Ref, bool) {
	for _, raw := range []string{h.Meta("al:ios:url"), h.Meta("og:url"), h.Link("canonical"), h.Meta("al:android:url")} {
		if u, err := url.Parse(strings.TrimSpace(raw)); err == nil && raw != "" {
			if ref, ok := match(u, 0); ok {
				if ref.Kind == crawlers.RefPost && raw == h.Meta("al:ios:url") {
					// The address says by which code it is known.
					if u, err := url.Parse(h.Meta("og:url")); err == nil {
						if by, ok := match(u, 0); ok && by.ID == ref.ID {
							return by, true
						}
					}
				}
				return ref, true
			}
		}
	}
	return crawlers.Ref{}, false
}

func metaPost(ref crawlers.Ref, h *pagescan.Head, title, desc string, ex crawlers.Exchange) *draft {
	d := &draft{Post: post.Post{ID: ref.ID, Kind: post.KindPost, URL: ref.URL, Outcome: post.OKMetaOnly}}
	if id := h.Meta("instapp:owner_user_id"); isNumber(id) {
		d.Account.ID = id
	}
	before, after, dash := strings.Cut(desc, " - ")
	if dash && len(before) < 120 {
		d.metaCounts(before)
		if m := dayForm.FindStringSubmatch(after); m != nil {
			d.Account.Handle = m[1]
			if day, err := time.Parse("January 2, 2006", m[2]); err == nil {
				// The day is that of some zone.
				d.Created = post.Between(day.Add(-14*time.Hour), day.Add(36*time.Hour), m[2], post.SourceField)
			}
		}
	}
	if d.Created.IsZero() {
		d.Created = bound(ref.ID, ex.FetchedAt)
	}
	for _, from := range []string{h.Meta("twitter:title"), h.Title, desc} {
		if m := handleForm.FindStringSubmatch(from); m != nil && d.Account.Handle == "" {
			d.Account.Handle = m[1]
		}
	}
	if m := titleForm.FindStringSubmatch(title); m != nil {
		d.Account.Name = m[1]
		d.say(unquote(m[2]))
	} else if name, ok := strings.CutSuffix(title, " on Instagram"); ok {
		d.Account.Name = name
	} else if name, _, ok := strings.Cut(h.Meta("twitter:title"), " (@"); ok {
		d.Account.Name = name
	}
	if m := titleForm.FindStringSubmatch(desc); d.Text == "" && m != nil {
		d.say(unquote(m[2]))
	}
	if _, quoted, ok := strings.Cut(after, `: "`); d.Text == "" && ok && dash {
		d.say(unquote(`"` + quoted))
	}
	for _, o := range h.LD {
		d.linked(o)
	}
	d.Account.URL = accountURL(d.Account.Handle)
	d.identity(d.Account.Handle, d.Account.ID)
	kind := ""
	if m := kindForm.FindSubmatch(ex.Body); m != nil {
		kind = string(m[1])
	}
	m := post.Media{Kind: post.MediaImage, URL: h.Meta("og:image"), Alt: h.Meta("og:image:alt", "twitter:image:alt")}
	video := h.Meta("og:video:secure_url", "og:video", "og:video:url")
	if video != "" || kind == "2" || strings.HasPrefix(h.Meta("og:type"), "video") || h.Meta("medium") == "video" || h.Meta("og:type") == "instapp:video" {
		d.Kind, m.Kind, m.URL = post.KindVideo, post.MediaVideo, video
		m.Width, m.Height = number(h.Meta("og:video:width")), number(h.Meta("og:video:height"))
	}
	d.media(m, h.Meta("og:image"))
	if kind == "8" {
		d.tag("carousel: the page names its first picture only")
	}
	return d
}

// linked takes what the ld+json of pages until 2022 says exactly: the time, the
// whole caption, the author and the counts.
func (d *draft) linked(o jsonx.Value) {
	get := func(keys ...string) string { return o.Get(keys...).String() }
	switch get("@type") {
	case "SocialMediaPosting", "ImageObject", "VideoObject":
	default:
		return
	}
	code := get("identifier", "value")
	if u, err := url.Parse(first(get("mainEntityOfPage", "@id"), get("url"))); err == nil && code == "" {
		if r, ok := match(u, 0); ok && r.Kind == crawlers.RefPost && r.ID != d.ID {
			return
		}
	} else if code != "" && PK(code) != d.ID {
		return
	}
	if t := graphTime(first(get("dateCreated"), get("uploadDate"))); !t.IsZero() {
		d.Created = t
	}
	if words := first(get("articleBody"), get("caption")); words != "" {
		d.Hashtags, d.Mentions, d.Links = nil, nil, nil
		d.say(words)
	}
	author := o.Get("author")
	d.Account.Handle = first(d.Account.Handle, strings.TrimPrefix(author.Get("alternateName").String(), "@"), author.Get("identifier", "value").String())
	d.Account.Name = first(d.Account.Name, author.Get("name").String())
	for _, i := range append(o.Get("interactionStatistic").Array(), o.Get("interactionStatistic")) {
		kind := first(i.Get("interactionType").String(), i.Get("interactionType", "@type").String())
		name := map[string]string{"LikeAction": "likes", "CommentAction": "comments", "WatchAction": "views"}[kind[strings.LastIndexByte(kind, '/')+1:]]
		n, ok := i.Get("userInteractionCount").Int()
		if name == "" || !ok || n < 0 {
			continue
		}
		for j := range d.Counts { // exact in the place of rounded
			if d.Counts[j].Name == name {
				d.Counts = append(d.Counts[:j], d.Counts[j+1:]...)
				break
			}
		}
		d.Counts = append(d.Counts, post.ExactCount(name, n))
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1<<20 {
		return 0
	}
	return n
}

// unquote takes the caption out of its quotation marks.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	for _, q := range []struct{ open, close string }{{`"`, `"`}, {"“", "”"}, {"„", "“"}, {"«", "»"}} {
		if rest, ok := strings.CutPrefix(s, q.open); ok {
			if i := strings.LastIndex(rest, q.close); i >= 0 && strings.Trim(rest[i+len(q.close):], ". ") == "" {
				return rest[:i]
			}
			return rest
		}
	}
	return s
}

// metaCounts reads counts in words. 298K and 1.2M are rounded; 1,234 is not.
func (d *draft) metaCounts(words string) {
	for _, m := range numberForm.FindAllStringSubmatch(words, 6) {
		name := strings.ToLower(m[3])
		if name != "following" {
			name = strings.TrimSuffix(name, "s") + "s"
		}
		if name == "plays" {
			name = "views"
		}
		c, ok := wordCount(name, m[1], strings.ToUpper(m[2]))
		if !ok {
			continue
		}
		d.Counts = append(d.Counts, c)
	}
}

func wordCount(name, digits, unit string) (post.Count, bool) {
	if unit == "" {
		n, err := strconv.ParseInt(strings.NewReplacer(",", "", ".", "").Replace(digits), 10, 64)
		return post.ExactCount(name, n), err == nil
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(digits, ",", ""), 64)
	if err != nil || f > 1e6 {
		return post.Count{}, false
	}
	switch unit {
	case "K":
		f *= 1e3
	case "M":
		f *= 1e6
	case "B":
		f *= 1e9
	}
	return post.RoundedCount(name, int64(f+0.5)), true
}
