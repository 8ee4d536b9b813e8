package livejournal

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/internal/words"
	"github.com/refrain-archive/refrain/post"
)

// fill reads an entry's or comment's HTML: text, links, pictures, the journals
// it names, and the entry that it was taken from.
func fill(p *post.Post, src string, base *url.URL) {
	c := htmltext.Fragment(ljUser.ReplaceAllString(src, `<a href="https://$1.livejournal.com/">$1</a>`), base)
	p.Text = c.Text
	for _, l := range c.Links {
		if !strings.HasSuffix(l, ".livejournal.com/profile") {
			p.Links = append(p.Links, l)
		}
	}
	for _, m := range c.Media {
		if !strings.Contains(m.URL, "/userinfo") && !strings.Contains(m.URL, "l-stat.livejournal.net/img/") && !strings.Contains(m.URL, "stat.livejournal.com/img/") {
			p.Media = append(p.Media, m)
		}
	}
	for _, raw := range named(src) {
		if name, ok := clean(raw); ok && !has(p.Mentions, name) {
			p.Mentions = append(p.Mentions, name)
		}
	}
	if ref, ok := original(src, base); ok && ref.ID != p.ID {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleRepostOf, ID: ref.ID, URL: ref.URL, Account: ref.Of})
	}
}

var (
	quotedName = regexp.MustCompile(`^["']([A-Za-z0-9_-]{1,100})["']`)
	bareName   = regexp.MustCompile(`^["']?([A-Za-z0-9_-]{1,100})`)
	ljUser     = regexp.MustCompile(`<lj user=["']?([A-Za-z0-9_-]+)["']?[^<>]*>`) // the site's own tag, left as it is in feeds
	takenWords = regexp.MustCompile(`(?i)originally posted by|оригинал взят у|взято у|репост из|перепост из`)
	takenLower = words.New("originally posted by", "оригинал взят у", "взято у", "репост из") // "перепост из" holds the last
)

// named gives the journals that HTML names, by data-ljuser or lj:user, or by
// the site's own tag; 200 at most.
func named(src string) []string {
	const attribute, most = "user=", 200
	var names []string
	for len(names) < most {
		before, rest, ok := strings.Cut(src, attribute)
		if !ok {
			break
		}
		form := quotedName
		switch {
		case strings.HasSuffix(before, "<lj "):
			form = bareName
		case strings.HasSuffix(before, "data-lj"), strings.HasSuffix(before, "lj:"):
		default:
			form = nil
		}
		if form != nil {
			if m := form.FindStringSubmatch(rest[:min(len(rest), 110)]); m != nil {
				names = append(names, m[1])
			}
		}
		src = rest
	}
	return names
}

// original finds the entry that "Originally posted by NAME at LINK" names. The
// words stand where a repost begins; the link is the first one to an entry.
func original(src string, base *url.URL) (crawlers.Ref, bool) {
	if !takenLower.Any([]byte(strings.ToLower(src))) {
		return crawlers.Ref{}, false // most have none, and the expression is slow
	}
	m := takenWords.FindStringIndex(src)
	if m == nil {
		return crawlers.Ref{}, false
	}
	rest := src[m[1]:]
	if len(rest) > 2000 {
		rest = rest[:2000]
	}
	for _, a := range pagescan.Find([]byte(rest), func(tag string, a pagescan.Attrs) bool { return tag == "a" && a.Get("href") != "" }) {
		to, ok := htmltext.Resolve(a.Attrs.Get("href"), base)
		if !ok {
			continue
		}
		if ref, ok := refOf(to); ok && ref.Kind == crawlers.RefPost {
			return ref, true
		}
	}
	return crawlers.Ref{}, false
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// assets lists a post's files; players are not files.
func assets(p post.Post) []crawlers.Asset {
	var all []crawlers.Asset
	for _, m := range p.Media {
		if m.Kind != post.MediaVideo || strings.Contains(m.URL, ".mp4") {
			all = append(all, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: p.ID})
		}
	}
	return all
}
