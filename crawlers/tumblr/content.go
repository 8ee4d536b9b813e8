package tumblr

import (
	"bytes"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// A draft is a post in the making: its text comes in pieces, its pictures with
// the largest size that the answer names.
type draft struct {
	post.Post
	text   []string
	assets []crawlers.Asset
	base   *url.URL
}

func newDraft(id, address string) *draft {
	d := &draft{Post: post.Post{Platform: platform, ID: id, Kind: post.KindPost}}
	d.URL = address
	d.base, _ = url.Parse(address)
	return d
}

// say adds a piece of plain text.
func (d *draft) say(s string) {
	if s = strings.TrimSpace(s); s != "" {
		d.text = append(d.text, s)
	}
}

// html adds a piece of HTML: text, links, pictures.
func (d *draft) html(src string) {
	if src == "" {
		return
	}
	c := htmltext.Fragment(src, d.base)
	d.say(c.Text)
	for _, l := range c.Links {
		d.link(l)
	}
	large := largest(src)
	for _, m := range c.Media {
		to := m.URL
		if m.Kind == post.MediaImage {
			if l, ok := large[m.URL]; ok {
				to = l
			}
		}
		d.media(m, to)
	}
}

// link adds an outgoing link. Tumblr wraps them in t.umblr.com/redirect and
// href.li, with tokens that change; the target is what was published.
func (d *draft) link(to string) {
	if u, err := url.Parse(to); err == nil {
		switch u.Hostname() {
		case "t.umblr.com":
			if z := u.Query().Get("z"); strings.HasPrefix(z, "http") {
				to = z
			}
		case "href.li":
			if strings.HasPrefix(u.RawQuery, "http") {
				to = u.RawQuery
			}
		}
	}
	if !strings.HasPrefix(to, "http://") && !strings.HasPrefix(to, "https://") {
		return
	}
	for _, l := range d.Links {
		if l == to {
			return
		}
	}
	d.Links = append(d.Links, to)
}

// media adds a picture, video or sound, and its file in full size.
func (d *draft) media(m post.Media, file string) {
	if m.URL == "" || !strings.HasPrefix(m.URL, "http://") && !strings.HasPrefix(m.URL, "https://") {
		return
	}
	name := upload(m.URL)
	for _, have := range d.Media {
		if have.URL == m.URL || name != "" && strings.Contains(have.URL, name) && upload(have.URL) == name {
			return
		}
	}
	d.Media = append(d.Media, m)
	if m.Kind == post.MediaVideo && !strings.Contains(file, ".mp4") && !strings.Contains(file, ".mov") && !strings.Contains(file, ".webm") {
		return // a player, not a file
	}
	if strings.HasPrefix(file, "http") {
		d.assets = append(d.assets, crawlers.Asset{URL: file, Kind: m.Kind, Post: d.ID})
	}
}

var uploadForm = regexp.MustCompile(`^https?://(?:\d+\.)?(?:media|assets)\.tumblr\.com/([0-9a-f]{32}/[^/]+)/`)

// upload is what names a picture of Tumblr in all its sizes, "" of others. In
// old addresses the file's name has the number of the picture in its set, and
// is part of it.
func upload(raw string) string {
	m := uploadForm.FindStringSubmatch(raw)
	if m == nil {
		return ""
	}
	if strings.HasPrefix(m[1][33:], "tumblr_") {
		return ""
	}
	return m[1]
}

// largest gives, for each img of src with a srcset, its widest candidate.
func largest(src string) map[string]string {
	if !strings.Contains(src, "srcset") {
		return nil
	}
	all := map[string]string{}
	for _, e := range pagescan.Find([]byte(src), func(tag string, a pagescan.Attrs) bool { return tag == "img" && a.Get("srcset") != "" }) {
		best := 0
		for c := range strings.SplitSeq(e.Attrs.Get("srcset"), ",") {
			f := strings.Fields(c)
			if len(f) != 2 {
				continue
			}
			if n, err := strconv.Atoi(strings.TrimSuffix(f[1], "w")); err == nil && n > best && strings.HasPrefix(f[0], "http") {
				best = n
				all[e.Attrs.Get("src")] = f[0]
			}
		}
	}
	return all
}

// done gives the finished post.
func (d *draft) done() post.Post {
	d.Text = strings.Join(d.text, "\n\n")
	return d.Post
}

// tags takes a post's tags, which the site shows with "#".
func (d *draft) tags(v jsonx.Value) {
	for _, t := range v.Array() {
		if t.String() != "" {
			d.Tags = append(d.Tags, t.String())
			d.Hashtags = append(d.Hashtags, t.String())
		}
	}
}

func (d *draft) count(name string, v jsonx.Value) {
	if n, ok := v.Int(); ok && n >= 0 {
		d.Counts = append(d.Counts, post.ExactCount(name, n))
	}
}

// relation adds a relation to another post, told by id or by address.
func (d *draft) relation(role post.Role, id, address, account string, order int) {
	r := post.Ref{Role: role, ID: id, Account: account, Order: order}
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		r.URL = address
		if ref, ok := (Collector{}).Match(u); ok && ref.Kind == crawlers.RefPost {
			r.ID = first(r.ID, ref.ID)
			r.Account = first(r.Account, ref.Of)
		} else if m := pathID.FindStringSubmatch(u.Path); m != nil { // a custom domain
			r.ID = first(r.ID, m[1])
		}
	}
	if r.ID != "" && r.URL == "" && r.Account != "" && !strings.Contains(r.Account, ".") {
		r.URL = blogURL(r.Account) + "/" + r.ID
	}
	if r.ID == "" && r.URL == "" && r.Account == "" {
		return
	}
	d.Refs = append(d.Refs, r)
}

var pathID = regexp.MustCompile(`^/post/(\d+)`)

// quoted reads the trail of a reblog from its HTML: nested quotations, each
// after <a class="tumblr_blog" href=POST>NAME</a>, the newest outermost.
func (d *draft) quoted(src string) {
	if !strings.Contains(src, "tumblr_blog") {
		return
	}
	found := pagescan.Find([]byte(src), func(tag string, a pagescan.Attrs) bool { return tag == "a" && a.HasClass("tumblr_blog") })
	for i := len(found) - 1; i >= 0; i-- {
		e := found[i]
		d.relation(post.RoleTrail, "", e.Attrs.Get("href"), strings.TrimSuffix(e.Text(), ":"), len(found)-i)
	}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// canonical is the site's own address of a post, where the blog's name is known.
func canonical(name, id, fallback string) string {
	if name != "" && id != "" {
		return blogURL(name) + "/" + id
	}
	return fallback
}

// unwrapV1 gives the object in "var tumblr_api_read = {…};" or NAME({…});
func unwrapV1(body []byte) ([]byte, bool) {
	i := bytes.IndexByte(body, '{')
	if i < 0 || i > 200 {
		return nil, false
	}
	return jsonx.Balanced(body[i:])
}
