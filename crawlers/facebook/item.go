package facebook

import (
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

// ReadItem reads one post or comment as it stands alone in an export or capture:
// a story of Comet (Zeeschuimer's data member, also as an edge with its node), a
// comment of Comet, a post or comment of the Graph API, or the flat object of
// scraping services (facebookUrl, postId, text, time). It gives false for
// anything else. Platform and Outcome are set; FetchedAt, Capture and Reader are
// the caller's. The story that a story shares is a ref of it.
func ReadItem(raw []byte) (post.Post, bool) {
	v, err := jsontree.Parse(raw)
	if err != nil {
		return post.Post{}, false
	}
	c := newCollection(crawlers.Step{}, crawlers.Exchange{})
	switch {
	case isStory(v), isComment(v), isGraphPost(v), isScraped(v):
	default:
		for _, key := range []string{"node", "story", "data"} {
			if n := v.Get(key); n.IsObject() && (isStory(n) || isComment(n)) {
				v = n
				break
			}
		}
	}
	c.read(v)
	c.settle()
	id := ""
	switch {
	case isScraped(v):
		id = v.Get("postId").String()
	case isComment(v):
		_, _, id = decodeID(v.Get("id").String())
		id = first(v.Get("legacy_fbid").String(), id)
	case isStory(v):
		_, id, _ = decodeID(v.Get("id").String())
		id = first(v.Get("post_id").String(), id)
	}
	for i := range c.posts {
		p := c.posts[i]
		if p.Kind == post.KindAccount || id != "" && p.ID != id {
			continue
		}
		p.Platform = platform
		if p.Account.ID != "" || p.Account.Handle != "" || p.Account.Name != "" {
			p.Account.Platform = platform
		}
		if p.Outcome == "" {
			p.Outcome = post.OK
		}
		return p, true
	}
	return post.Post{}, false
}

// isScraped reports whether o is the flat object that scraping services make of
// a post.
func isScraped(o jsontree.Value) bool {
	return isNumber(o.Get("postId").String()) && (o.Has("facebookUrl") || o.Has("pageName") || o.Has("feedbackId")) && (o.Has("text") || o.Has("time") || o.Has("timestamp"))
}

// readScraped reads the flat object of scraping services. Its ids are not always
// of one post: postId counts, and the others are taken where they agree.
func readScraped(o jsontree.Value) (*draft, bool) {
	id := o.Get("postId").String()
	d := &draft{Post: post.Post{ID: id, Kind: post.KindPost}}
	user := exists(o.Get("user"), o.Get("pageInfo"))
	d.by(user.Get("id").String(), user.Get("name").String(), user.Get("profileUrl").String(), user.Get("profilePic").String())
	if name := o.Get("pageName").String(); d.Account.Handle == "" && nameForm.MatchString(name) {
		d.Account.Handle, d.Account.URL = name, accountURL(name)
		d.same(crawlers.RefAccount, name, d.Account.ID, accountURL(name))
	}
	owner, storyID, _ := decodeID(o.Get("facebookId").String())
	if storyID != id {
		owner = ""
	}
	d.address(first(owner, d.Account.ID))
	d.alias(first(o.Get("url").String(), o.Get("topLevelUrl").String()))
	d.say(o.Get("text").String())
	if d.Created = unix(o.Get("timestamp")); d.Created.IsZero() {
		if t, err := time.Parse(time.RFC3339, o.Get("time").String()); err == nil {
			d.Created = post.Exact(t, "")
		}
	}
	d.count("reactions", exists(o.Get("likes"), o.Get("reactionsCount"), o.Get("topReactionsCount")))
	d.count("comments", o.Get("comments"))
	d.count("shares", o.Get("shares"))
	d.count("views", o.Get("viewsCount"))
	for _, name := range []string{"Like", "Love", "Care", "Haha", "Wow", "Sad", "Angry"} {
		d.count("reactions_"+strings.ToLower(name), o.Get("reaction"+name+"Count"))
	}
	for _, m := range o.Get("media").Array() {
		if m.Get("thumbnail").Exists() || m.Get("photo_image").Exists() || m.Get("__typename").Exists() {
			d.attachment(m)
		}
	}
	d.link(o.Get("link").String())
	if o.Get("isVideo").Bool() || len(d.Media) == 1 && d.Media[0].Kind == post.MediaVideo {
		d.Kind = post.KindVideo
	}
	return d, true
}
