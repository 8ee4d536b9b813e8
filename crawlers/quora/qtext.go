package quora

import (
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// maxParts bounds what is taken of one text: sections, links, pictures.
const maxParts = 5000

// A qtext is what a document of sections and spans shows.
type qtext struct {
	text     string
	links    []string
	media    []post.Media
	mentions []string
}

// readQText reads a title or content: a JSON document within a string, or the
// document itself. Anything else is plain text.
func readQText(v jsonx.Value) qtext {
	if v.IsString() {
		s := v.String()
		if !strings.HasPrefix(strings.TrimSpace(s), "{") {
			return qtext{text: strings.TrimSpace(s)}
		}
		doc, err := jsonx.Parse([]byte(s))
		if err != nil || !doc.Get("sections").IsArray() {
			return qtext{text: strings.TrimSpace(s)}
		}
		v = doc
	}
	if inner := v.Get("legacyJson"); inner.IsString() {
		return readQText(inner)
	}
	var q qtext
	var b strings.Builder
	last := ""
	for i, section := range v.Get("sections").Array() {
		if i >= maxParts {
			break
		}
		var line strings.Builder
		for _, span := range section.Get("spans").Array() {
			line.WriteString(span.Get("text").String())
			q.modifiers(span.Get("modifiers"))
		}
		kind := section.Get("type").String()
		s := line.String()
		if kind != "code" {
			s = strings.TrimSpace(s)
		} else {
			s = strings.TrimRight(s, " \r\n")
		}
		if s == "" && kind != "code" {
			continue
		}
		switch {
		case b.Len() == 0:
		case kind == last && (strings.HasSuffix(kind, "list") || kind == "code"):
			b.WriteByte('\n')
		default:
			b.WriteString("\n\n")
		}
		b.WriteString(s)
		last = kind
	}
	q.text = strings.TrimSpace(b.String())
	return q
}

// modifiers reads what hangs on a span: a picture, a link, a mention, a frame.
func (q *qtext) modifiers(m jsonx.Value) {
	for _, k := range m.Keys() {
		v := m.Get(k)
		switch k {
		case "image":
			q.picture(v, m)
		case "master_url", "dominant_color", "desktop_crop", "mobile_crop", "bold", "italic", "width", "height":
		default:
			q.target(k, v)
		}
	}
}

func (q *qtext) picture(v, m jsonx.Value) {
	if v.IsObject() {
		m, v = v, v.Get("url")
	}
	raw := m.Get("master_url").String()
	if raw == "" {
		raw = v.String()
	}
	if raw = address(raw); raw == "" || m.Get("is_deleted").Bool() || len(q.media) >= maxParts {
		return
	}
	p := post.Media{Kind: post.MediaImage, URL: raw, Alt: strings.TrimSpace(m.Get("alt_text").String())}
	if w, ok := m.Get("width").Int(); ok && w > 0 && w < 1<<20 {
		p.Width = int(w)
	}
	if h, ok := m.Get("height").Int(); ok && h > 0 && h < 1<<20 {
		p.Height = int(h)
	}
	for _, old := range q.media {
		if old.URL == p.URL {
			return
		}
	}
	q.media = append(q.media, p)
}

// target takes the addresses under a link, embed or mention.
func (q *qtext) target(key string, v jsonx.Value) {
	raw := []string{}
	if v.IsString() && (key == "link" || key == "url" || key == "embed") {
		raw = append(raw, v.String())
	}
	v.Walk(func(o jsonx.Value) bool {
		if s := o.Get("url").String(); s != "" {
			raw = append(raw, s)
		}
		return len(raw) < 20
	})
	for _, r := range raw {
		link := unwrap(r)
		if u, err := url.Parse(link); err == nil {
			parts := segments(u.Path)
			if _, own := ownHost(hostOf(u)); (own || u.Host == "") && len(parts) == 2 && parts[0] == "profile" {
				q.mentions = appendNew(q.mentions, parts[1])
				continue
			}
			if u.Host == "" && strings.HasPrefix(link, "/") {
				link = site + link
			}
		}
		if link = address(link); link != "" {
			q.links = appendNew(q.links, link)
		}
	}
}

// unwrap takes the target out of Quora's own redirects.
func unwrap(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return raw
	}
	if _, own := ownHost(hostOf(u)); (own || u.Host == "") && strings.HasPrefix(u.Path, "/_/redirect") {
		if to := u.Query().Get("url"); address(to) != "" {
			return to
		}
	}
	return raw
}

// address gives an absolute web address, "" for anything else.
func address(raw string) string {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return raw
}

func appendNew(list []string, s string) []string {
	for _, e := range list {
		if e == s {
			return list
		}
	}
	if len(list) >= maxParts {
		return list
	}
	return append(list, s)
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
