package instagram

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

// page says how the answer ended, and where it goes on.
func (c *collection) page(st state, v jsontree.Value) crawlers.Page {
	page := crawlers.Page{Posts: c.posts, Assets: c.assets, Identities: unique(c.identities)}
	if why, ok := c.asked(); !ok {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
	}
	items := 0
	for i := range c.posts {
		if c.posts[i].Kind != post.KindAccount {
			items++
		}
	}
	page.Coverage = crawlers.Coverage{Served: items, Total: c.total, Known: c.known, Oldest: oldest(c.posts)}
	c.next(&page, st, v)
	if c.step.Ref.Kind == crawlers.RefPost && !c.known {
		page.Coverage.End = "one post"
	}
	switch {
	case items > 0:
		if page.Coverage.End == "" && len(page.Next) == 0 {
			page.Coverage.End = "end of the list"
			if c.more {
				page.Coverage.End, page.Coverage.Window = "the site's own interface has more, for logged-in readers", true
			}
		}
		return page
	case len(c.posts) > 0: // a profile without posts
		page.Coverage.End = "the answer holds the profile"
		p := &c.posts[0]
		n, known := countOf(p, "posts")
		switch {
		case p.Outcome == post.Private:
			page.Outcome, page.Reason = post.Private, "is_private: the profile is shown, its posts are not"
		case known && n > 0 && c.withheld:
			page.Outcome, page.Reason = post.OKPartial, fmt.Sprintf("the profile has %d posts, the answer holds none of them", n)
		}
		return page
	case c.gated:
		return crawlers.Page{Outcome: post.LoginWall, Reason: "the post is withheld from readers who are not logged in (gating ruling)"}
	case nothing(v):
		return crawlers.Page{Outcome: post.NotFound, Reason: "the answer is null where the " + string(c.step.Ref.Kind) + " was due"}
	case c.broken > 0:
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("%d items whose number and short code differ", c.broken)}
	case c.containers > 0 && c.step.Ref.Kind == crawlers.RefPost && len(page.Next) == 0 && c.step.Role != crawlers.RoleComments && !c.more && v.Get("items").IsArray():
		return crawlers.Page{Outcome: post.NotFound, Reason: "the list of items is empty where the post was due"}
	case c.containers > 0:
		if page.Coverage.End == "" && len(page.Next) == 0 {
			page.Coverage.End = "the list is empty"
		}
		return page
	}
	return crawlers.Page{Outcome: post.LayoutChanged, Reason: "JSON without a post, comment or profile of any known shape"}
}

// nothing reports whether the answer has null where its one thing was due.
func nothing(v jsontree.Value) bool {
	for _, at := range []jsontree.Value{v, v.Get("data"), v.Get("graphql")} {
		for _, key := range []string{"user", "shortcode_media", "xdt_shortcode_media", "hashtag", "location", "xig_polaris_media"} {
			if at.Has(key) && !at.Get(key).Exists() {
				return true
			}
		}
	}
	return false
}

// asked checks that the answer is about what was asked for.
func (c *collection) asked() (string, bool) {
	ref := c.step.Ref
	switch ref.Kind {
	case crawlers.RefPost:
		if c.step.Role == crawlers.RoleComments {
			return "", true
		}
		other := ""
		for i := range c.posts {
			p := &c.posts[i]
			if p.ID == ref.ID || p.Thread == ref.ID {
				return "", true
			}
			if p.Kind != post.KindComment && p.Kind != post.KindAccount {
				other = p.ID
			}
		}
		if other != "" {
			return fmt.Sprintf("the answer is about post %s, post %s was asked for", other, ref.ID), false
		}
	case crawlers.RefAccount:
		var other *post.Post
		for i := range c.posts {
			p := &c.posts[i]
			if p.Kind != post.KindAccount {
				continue
			}
			if p.ID == ref.ID || strings.EqualFold(p.Account.Handle, ref.ID) {
				return "", true
			}
			other = p
		}
		if other != nil && (c.step.Route != "" || ref.Alias) {
			return fmt.Sprintf("the answer is about the account %s (%s), %s was asked for", other.Account.Handle, other.ID, ref.ID), false
		}
	}
	return "", true
}

// next adds the further pages of the Graph API. The answer's own paging.next
// holds the token: only the cursor is taken.
func (c *collection) next(page *crawlers.Page, st state, v jsontree.Value) {
	paging := exists(v.Get("business_discovery", "media", "paging"), v.Get("paging"))
	if !paging.Exists() {
		return
	}
	after := paging.Get("cursors", "after").String()
	discovery := v.Get("business_discovery").IsObject() // has no next, the cursor alone says that there is more
	switch {
	case after == "" || !discovery && !paging.Get("next").Exists():
		page.Coverage.End = "end of the list"
	case st.Me == "" || after == st.After || !cursorForm.MatchString(after):
		page.Coverage.End = "the next page is asked with the account of the token, which this exchange does not name"
	case len(c.posts) == 0 || discovery && len(v.Get("business_discovery", "media", "data").Array()) < 1:
		page.Coverage.End = "end of the list"
	default:
		st.After = after
		st.N++
		page.Next = []crawlers.Step{{Ref: c.step.Ref, Route: routeAPI, State: st.encode()}}
	}
	if st.List == "recent_media" && page.Coverage.End != "" {
		page.Coverage.Window = true
		page.Coverage.End += " (the API serves the last 24 hours of a hashtag)"
	}
}

// readOEmbed reads what the Graph API's oEmbed says of a post.
func readOEmbed(s crawlers.Step, v jsontree.Value) crawlers.Page {
	html := v.Get("html").String()
	link := ""
	if _, rest, ok := strings.Cut(html, `data-instgrm-permalink="`); ok {
		link, _, _ = strings.Cut(rest, `"`)
	}
	u, err := url.Parse(strings.ReplaceAll(link, "&amp;", "&"))
	if err != nil || link == "" {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "oEmbed without the address of a post"}
	}
	ref, ok := match(u, 0)
	if !ok || ref.Kind != crawlers.RefPost {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "oEmbed of " + link + ", which is no post"}
	}
	d := &draft{Post: post.Post{ID: ref.ID, Kind: post.KindPost, URL: ref.URL, Outcome: post.OKMetaOnly}}
	d.Account.Handle = v.Get("author_name").String()
	words := embedWords(html)
	if m := sharedBy.FindStringSubmatch(words); m != nil {
		d.Account.Name = strings.TrimSpace(m[1])
		d.Account.Handle = first(d.Account.Handle, m[2])
	}
	if id := v.Get("author_id").String(); isNumber(id) {
		d.Account.ID = id
		d.identity(d.Account.Handle, id)
	}
	d.Account.URL = accountURL(d.Account.Handle)
	d.say(first(v.Get("title").String(), embedCaption(html)))
	if m := embedTime.FindStringSubmatch(html); m != nil {
		d.Created = graphTime(m[1])
	}
	if d.Created.IsZero() {
		d.Created = bound(ref.ID, time.Time{})
	}
	if to := v.Get("thumbnail_url").String(); to != "" {
		d.media(post.Media{Kind: post.MediaImage, URL: to, Width: integer(v.Get("thumbnail_width")), Height: integer(v.Get("thumbnail_height"))}, "")
	}
	page := crawlers.Page{Outcome: post.OKMetaOnly, Reason: "oEmbed: the embed code, without counts", Posts: []post.Post{d.Post}, Assets: d.assets, Identities: d.identities}
	page.Coverage = crawlers.Coverage{Served: 1, End: "one post"}
	if s.Ref.Kind == crawlers.RefPost && s.Ref.ID != ref.ID {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("the oEmbed is of post %s, post %s was asked for", ref.ID, s.Ref.ID)}
	}
	return page
}

func countOf(p *post.Post, name string) (int64, bool) {
	for _, c := range p.Counts {
		if c.Name == name && c.State == post.StatePresent {
			return c.Value, true
		}
	}
	return 0, false
}

func oldest(posts []post.Post) time.Time {
	var at time.Time
	for i := range posts {
		if posts[i].Kind == post.KindAccount {
			continue
		}
		if t := posts[i].Created.Earliest(); !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}
