package medium

import (
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// A paragraph is one block of a story, from either data model: types are names
// (P, IMG, …) in Apollo and numbers (1, 4, …) in the older one.
type paragraph struct {
	Type     any             `json:"type"`
	Text     string          `json:"text"`
	Href     string          `json:"href"`
	Markups  []markup        `json:"markups"`
	Metadata json.RawMessage `json:"metadata"` // image, or a reference to it
	Iframe   *struct {
		MediaResource   json.RawMessage `json:"mediaResource"`
		MediaResourceID string          `json:"mediaResourceId"`
	} `json:"iframe"`
	Mixtape *struct {
		Href string `json:"href"`
	} `json:"mixtapeMetadata"`
}

type markup struct {
	Type       any    `json:"type"` // A, STRONG, … or 3, 1, …
	Start      int    `json:"start"`
	End        int    `json:"end"`
	Href       string `json:"href"`
	AnchorType any    `json:"anchorType"` // LINK, USER or 0, 1
	UserID     string `json:"userId"`
}

type image struct {
	ID     string `json:"id"`
	Width  int    `json:"originalWidth"`
	Height int    `json:"originalHeight"`
	Alt    string `json:"alt"`
}

type mediaResource struct {
	IframeSrc string `json:"iframeSrc"`
	Href      string `json:"href"`
	Title     string `json:"title"`
}

// blockType gives a paragraph's type as a name.
func blockType(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case float64:
		switch int(x) {
		case 1:
			return "P"
		case 2:
			return "H2"
		case 3:
			return "H3"
		case 4:
			return "IMG"
		case 6:
			return "BQ"
		case 7:
			return "PQ"
		case 8:
			return "PRE"
		case 9:
			return "ULI"
		case 10:
			return "OLI"
		case 11:
			return "IFRAME"
		case 12, 13:
			return "H4"
		case 14:
			return "MIXTAPE_EMBED"
		}
		return strconv.Itoa(int(x))
	}
	return ""
}

func markupIs(v any, name string, number float64) bool {
	switch x := v.(type) {
	case string:
		return x == name
	case float64:
		return x == number
	}
	return false
}

// A lookup resolves what paragraphs refer to.
type lookup struct {
	image func(json.RawMessage) (image, bool)
	media func(raw json.RawMessage, id string) (mediaResource, bool)
	user  func(id string) string // user name, "" if unknown
}

// body fills text, media, links and mentions of p from the story's paragraphs.
func body(p *post.Post, list []paragraph, l lookup) {
	var text strings.Builder
	seen := map[string]bool{}
	link := func(href string) {
		if href = absolute(href); href != "" && !seen[href] {
			seen[href] = true
			p.Links = append(p.Links, href)
		}
	}
	last, titled := "", false
	for i := range list {
		b := &list[i]
		kind := blockType(b.Type)
		// The title stands among the first paragraphs too, after a picture at most.
		isTitle := !titled && i < 4 && isHeading(kind) && sameText(b.Text, p.Title)
		titled = titled || isTitle
		if strings.TrimSpace(b.Text) != "" && !isTitle {
			if text.Len() > 0 {
				if last == kind && (kind == "ULI" || kind == "OLI" || kind == "PRE") {
					text.WriteByte('\n')
				} else {
					text.WriteString("\n\n")
				}
			}
			text.WriteString(b.Text)
			last = kind
		}
		switch kind {
		case "IMG":
			if m, ok := l.image(b.Metadata); ok && m.ID != "" {
				alt := m.Alt
				if alt == "" {
					alt = b.Text
				}
				addMedia(p, post.Media{Kind: post.MediaImage, URL: imageURL(m.ID), Alt: alt, Width: max(m.Width, 0), Height: max(m.Height, 0)})
			}
			link(b.Href)
		case "IFRAME":
			raw, id := json.RawMessage(nil), ""
			if b.Iframe != nil {
				raw, id = b.Iframe.MediaResource, b.Iframe.MediaResourceID
			}
			if m, ok := l.media(raw, id); ok {
				address := embedded(m)
				link(address)
				if isPlayer(address) {
					addMedia(p, post.Media{Kind: post.MediaVideo, URL: absolute(address), Alt: m.Title})
				}
			}
		}
		if b.Mixtape != nil {
			link(b.Mixtape.Href)
		}
		for _, m := range b.Markups {
			if !markupIs(m.Type, "A", 3) {
				continue
			}
			if m.UserID != "" && m.Href == "" || markupIs(m.AnchorType, "USER", 1) {
				if name := l.user(m.UserID); name != "" && !seen["@"+name] {
					seen["@"+name] = true
					p.Mentions = append(p.Mentions, name)
				}
				continue
			}
			if name, ok := mentioned(m.Href, marked(b.Text, m.Start, m.End)); ok && !seen["@"+name] {
				seen["@"+name] = true
				p.Mentions = append(p.Mentions, name)
			}
			link(m.Href)
		}
	}
	p.Text = text.String()
}

// marked gives the text under a markup; its ends count UTF-16 units.
func marked(text string, start, end int) string {
	units := utf16.Encode([]rune(text))
	if start < 0 || end > len(units) || start >= end {
		return ""
	}
	return string(utf16.Decode(units[start:end]))
}

// mentioned reports whether a link of the words "@name" or to a profile under
// such words names an account.
func mentioned(href, words string) (string, bool) {
	if !strings.HasPrefix(words, "@") {
		return "", false
	}
	u, err := url.Parse(href)
	if err != nil {
		return "", false
	}
	ref, ok := Collector{}.Match(u)
	return ref.ID, ok && ref.Kind == crawlers.RefAccount && ref.Alias
}

func isHeading(kind string) bool { return kind == "H2" || kind == "H3" || kind == "H1" }

func sameText(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}

func addMedia(p *post.Post, m post.Media) {
	if m.URL == "" {
		return
	}
	for i := range p.Media[:min(len(p.Media), 2000)] { // no story shows more; a hostile page may
		if p.Media[i].URL == m.URL {
			if p.Media[i].Width == 0 {
				p.Media[i].Width, p.Media[i].Height = m.Width, m.Height
			}
			return
		}
	}
	p.Media = append(p.Media, m)
}

// absolute makes a link of a story absolute; "" for what is no web address.
func absolute(href string) string {
	href = strings.TrimSpace(href)
	if strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//") {
		href = base + href
	}
	u, err := url.Parse(href)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return href
}

// embedded gives the address of what a frame shows: the embed service carries
// it in its parameters.
func embedded(m mediaResource) string {
	if m.Href != "" {
		return m.Href
	}
	u, err := url.Parse(m.IframeSrc)
	if err != nil {
		return ""
	}
	for _, k := range []string{"url", "src"} {
		if v := u.Query().Get(k); strings.HasPrefix(v, "http") {
			return v
		}
	}
	return m.IframeSrc
}

// isPlayer reports whether an address is a video page of the large hosts.
func isPlayer(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	for _, h := range []string{"youtube.com", "m.youtube.com", "youtu.be", "youtube-nocookie.com", "vimeo.com", "player.vimeo.com", "tiktok.com", "twitch.tv", "dailymotion.com"} {
		if host == h {
			return true
		}
	}
	return false
}

// imageID gives the stable id (1*NAME) of an image's address; "" for other
// addresses. The id is the last part of the path, at every size and host.
func imageID(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if !strings.HasSuffix(host, "medium.com") && !strings.HasSuffix(host, ".cloudfront.net") && !strings.HasSuffix(host, "medium.systems") {
		return ""
	}
	id := lastSegment(u.Path)
	if len(id) < 3 || id[0] < '0' || id[0] > '9' || id[1] != '*' {
		return ""
	}
	return id
}

func imageURL(id string) string {
	if id == "" {
		return ""
	}
	return imageBase + strings.NewReplacer("?", "%3F", "#", "%23", " ", "%20", "%", "%25").Replace(id)
}

// millis reads milliseconds since 1970, as a number or a string of one.
func millis(v any) post.Time {
	var ms float64
	switch x := v.(type) {
	case float64:
		ms = x
	case string:
		f, err := strconv.ParseFloat(x, 64)
		if err != nil {
			return post.Time{}
		}
		ms = f
	}
	if math.IsNaN(ms) || ms <= 0 || ms > 253402300799000 { // the end of year 9999
		return post.Time{}
	}
	return post.Exact(time.UnixMilli(int64(ms)), "")
}

// dates sets Created and Edited from the first and latest publication.
func dates(p *post.Post, first, latest any) {
	p.Created = millis(first)
	if edited := millis(latest); !edited.IsZero() && edited.Time.After(p.Created.Time) {
		if p.Created.IsZero() {
			return
		}
		p.Edited = edited
	}
}

// author makes the account of a story.
func author(id, username, name, imageID string) post.Account {
	name = strings.ToValidUTF8(name, "\uFFFD") // markup is read as bytes
	a := post.Account{ID: id, Handle: username, Name: name, Avatar: imageURL(imageID)}
	switch {
	case username != "":
		a.URL = base + "/@" + username
	case id != "":
		a.URL = base + "/u/" + id
	}
	return a
}

// origin notes that a story was first published at another address.
func origin(p *post.Post, addresses ...string) {
	for _, a := range addresses {
		a = absolute(a)
		if a == "" || storyID(lastSegment(pathOf(a))) == p.ID {
			continue
		}
		platformOf := "web"
		id := ""
		if u, err := url.Parse(a); err == nil {
			if ref, ok := (Collector{}).Match(u); ok && ref.Kind == crawlers.RefPost {
				platformOf, id = "", ref.ID
			}
		}
		known := false
		for _, r := range p.Refs {
			known = known || r.URL == a
		}
		if !known {
			p.Refs = append(p.Refs, post.Ref{Role: post.RoleRepostOf, Platform: platformOf, ID: id, URL: a})
		}
		known = false
		for _, l := range p.Links {
			known = known || l == a
		}
		if !known {
			p.Links = append(p.Links, a)
		}
	}
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}
