package tumblr

import (
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// readV2 reads the response object of API v2, or a list of its posts.
func readV2(s crawlers.Step, st state, ex crawlers.Exchange, v jsonx.Value) crawlers.Page {
	if v.Has("notes") && !v.Has("posts") {
		return readNotes(s, st, v)
	}
	var items []jsonx.Value
	switch {
	case v.IsArray():
		items = v.Array()
	case v.Get("posts").IsArray():
		items = v.Get("posts").Array()
	case v.Has("id_string") || v.Has("blog_name") && v.Has("id"):
		items = []jsonx.Value{v}
	case v.Get("blog").IsObject():
		return readInfo(v.Get("blog"))
	default:
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "API v2: a response without posts, notes or blog"}
	}
	var page crawlers.Page
	blog := v.Get("blog")
	addIdentity(&page, blog.Get("name").String(), blog.Get("uuid").String())
	var last int64
	for _, p := range items {
		d := postV2(p, blog)
		if d == nil {
			continue
		}
		addIdentity(&page, d.Account.Handle, d.Account.ID)
		if n, ok := p.Get("timestamp").Int(); ok {
			last = n
		}
		page.Posts = append(page.Posts, d.done())
		page.Assets = append(page.Assets, d.assets...)
		if n := noteCount(d); n > 0 && d.Account.Handle != "" {
			page.Next = append(page.Next, crawlers.Step{Ref: postRef(d.Account.Handle, d.ID), Route: routeAPI, Role: crawlers.RoleComments})
		}
	}
	if len(items) > 0 && len(page.Posts) == 0 {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "API v2: posts without id"}
	}
	if why, ok := asked(s, page.Posts); !ok {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: why}
	}
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Oldest: oldest(page.Posts)}
	if n, ok := v.Get("total_posts").Int(); ok && n >= 0 {
		page.Coverage.Total, page.Coverage.Known = n, true
	}
	next := state{}
	if q := nextQuery(v.Get("_links", "next")); q != "" {
		next.Query = q
	} else if s.Ref.Kind != crawlers.RefPost && last > 0 && last != st.Before && (v.IsArray() || v.Get("posts").IsArray() && int64(len(items)) < page.Coverage.Total) {
		next.Before = last
	}
	if s.Ref.Kind == crawlers.RefBoard && dayPassed(s.Ref.ID, last) {
		next = state{}
	}
	if next != (state{}) && len(items) > 0 && next.Query != st.Query || next.Before > 0 && len(items) > 0 {
		page.Next = append([]crawlers.Step{{Ref: s.Ref, Route: routeAPI, Role: s.Role, State: next.encode()}}, page.Next...)
	} else {
		page.Coverage.End = "end of list"
	}
	return page
}

func noteCount(d *draft) int64 {
	for _, c := range d.Counts {
		if c.Name == "notes" {
			return c.Value
		}
	}
	return 0
}

// nextQuery gives the parameters of a _links entry that page through a list.
func nextQuery(v jsonx.Value) string {
	q := url.Values{}
	if params := v.Get("query_params"); params.IsObject() {
		for _, k := range params.Keys() {
			q.Set(k, params.Get(k).String())
		}
	} else if _, raw, ok := strings.Cut(v.Get("href").String(), "?"); ok {
		q, _ = url.ParseQuery(raw)
	}
	for k := range q {
		switch k {
		case "page_number", "before", "offset", "before_timestamp", "cursor", "tumblelog":
		default:
			q.Del(k)
		}
	}
	q.Del("tumblelog")
	return q.Encode()
}

// dayPassed reports whether a listing has come to posts before a day in every
// zone.
func dayPassed(id string, last int64) bool {
	y, m, d := 0, 0, 0
	parts := strings.Split(id, "/")
	if len(parts) != 3 || last == 0 {
		return true
	}
	y, _ = strconv.Atoi(parts[0])
	m, _ = strconv.Atoi(parts[1])
	d, _ = strconv.Atoi(parts[2])
	day := dayUnix(y, m, d)
	return last < day-14*3600
}

// postV2 reads one post of API v2, in the legacy format or as NPF blocks. blog
// is the answer's blog, for posts that do not carry their own.
func postV2(v, blog jsonx.Value) *draft {
	id := first(v.Get("id_string").String(), v.Get("id").String())
	if !postID.MatchString(id) {
		return nil
	}
	if own := v.Get("blog"); own.IsObject() {
		blog = own
	}
	name := strings.ToLower(first(v.Get("blog_name").String(), blog.Get("name").String()))
	address := v.Get("post_url").String()
	d := newDraft(id, canonical(name, id, address))
	d.Account = post.Account{ID: blog.Get("uuid").String(), Handle: name, Name: blog.Get("title").String(), URL: blogURLOf(name), Avatar: avatarOf(blog.Get("avatar"))}
	if d.Created = unix(v.Get("timestamp")); d.Created.IsZero() {
		d.Created = moment(v.Get("date").String())
	}
	get := func(key string) string { return v.Get(key).String() }
	reblog := first(get("reblogged_from_id"), get("reblogged_from_url"), get("reblogged_from_name"), get("parent_post_id"), get("parent_post_url")) != ""
	trail := v.Get("trail").Array()
	if v.Get("content").IsArray() && (get("type") == "blocks" || v.Has("layout") || !v.Has("body")) {
		for _, t := range trail {
			d.blocks(t.Get("content").Array())
		}
		content := v.Get("content").Array()
		if d.Title = headline(v.Get("content")); d.Title != "" {
			content = content[1:]
		}
		d.blocks(content)
	} else {
		d.legacy(v)
	}
	d.tags(v.Get("tags"))
	for _, c := range []struct{ name, key string }{{"notes", "note_count"}, {"likes", "like_count"}, {"reposts", "reblog_count"}, {"comments", "reply_count"}} {
		d.count(c.name, v.Get(c.key))
	}
	if !reblog {
		return d
	}
	d.relation(post.RoleRepostOf, first(get("reblogged_from_id"), get("parent_post_id")), first(get("reblogged_from_url"), get("parent_post_url")), first(get("reblogged_from_name"), get("parent_blog_name")), 0)
	if first(get("reblogged_root_id"), get("reblogged_root_url"), get("reblogged_root_name")) != "" {
		d.relation(post.RoleReblogRoot, get("reblogged_root_id"), get("reblogged_root_url"), get("reblogged_root_name"), 0)
	} else if len(trail) > 0 {
		d.relation(post.RoleReblogRoot, trail[0].Get("post", "id").String(), "", trailName(trail[0]), 0)
	}
	order := 0
	for _, t := range trail {
		tid := t.Get("post", "id").String()
		if tid == id { // the post's own comment closes the legacy trail
			continue
		}
		order++
		d.relation(post.RoleTrail, tid, "", trailName(t), order)
	}
	if len(trail) == 0 {
		d.quoted(first(get("body"), get("caption"), get("description"), get("answer")))
	}
	return d
}

func trailName(t jsonx.Value) string {
	return first(t.Get("blog", "name").String(), t.Get("broken_blog_name").String(), t.Get("broken_blog", "name").String())
}

// avatarOf is the largest picture of a list of sizes, or the one address.
func avatarOf(v jsonx.Value) string {
	best, at := int64(-1), ""
	for _, a := range v.Array() {
		if w, _ := a.Get("width").Int(); w > best && a.Get("url").String() != "" {
			best, at = w, a.Get("url").String()
		}
	}
	return first(at, v.String())
}

// headline is the first block, where it is a heading.
func headline(blocks jsonx.Value) string {
	b := blocks.At(0)
	if b.Get("type").String() == "text" && b.Get("subtype").String() == "heading1" {
		return b.Get("text").String()
	}
	return ""
}

// legacy reads the fields of a post's type.
func (d *draft) legacy(v jsonx.Value) {
	get := func(key string) string { return v.Get(key).String() }
	switch get("type") {
	case "quote":
		d.html(get("text"))
		d.html(get("source"))
		d.linkOut(get("source_url"))
	case "link":
		d.Title = htmltext1(get("title"))
		d.linkOut(get("url"))
		d.html(first(get("description"), get("excerpt")))
		d.photos(v)
	case "chat":
		d.Title = htmltext1(get("title"))
		var said []string
		for _, l := range v.Get("dialogue").Array() {
			said = append(said, strings.TrimSpace(first(l.Get("label").String(), l.Get("name").String())+" "+l.Get("phrase").String()))
		}
		if len(said) > 0 {
			d.say(strings.Join(said, "\n"))
		} else {
			d.html(get("body"))
		}
	case "answer":
		d.html(get("question"))
		d.html(get("answer"))
	default: // text, photo, video, audio
		d.Title = htmltext1(get("title"))
		d.photos(v)
		if to := get("video_url"); to != "" {
			w, _ := v.Get("thumbnail_width").Int()
			h, _ := v.Get("thumbnail_height").Int()
			sec, _ := v.Get("duration").Float()
			d.media(post.Media{Kind: post.MediaVideo, URL: to, Width: bounded(w), Height: bounded(h), Duration: max(sec, 0)}, to)
		} else if to := get("permalink_url"); to != "" {
			d.link(to)
			d.media(post.Media{Kind: post.MediaVideo, URL: to}, "")
		} else if players := v.Get("player").Array(); len(players) > 0 {
			text := d.text
			d.html(players[len(players)-1].Get("embed_code").String())
			d.text = text
		}
		if get("type") == "audio" {
			d.audio(first(get("audio_url"), get("audio_source_url")))
			d.say(strings.Join(nonEmpty(get("artist"), get("album"), get("track_name")), " – "))
		}
		d.html(get("body"))
		d.html(get("caption"))
	}
}

// photos takes each picture of a set in its original size.
func (d *draft) photos(v jsonx.Value) {
	for _, p := range v.Get("photos").Array() {
		o := p.Get("original_size")
		w, _ := o.Get("width").Int()
		h, _ := o.Get("height").Int()
		to := o.Get("url").String()
		if to == "" {
			to = p.Get("alt_sizes").At(0).Get("url").String()
		}
		d.media(post.Media{Kind: post.MediaImage, URL: to, Alt: p.Get("caption").String(), Width: bounded(w), Height: bounded(h)}, to)
	}
}

// blocks reads NPF content blocks.
func (d *draft) blocks(list []jsonx.Value) {
	for _, b := range list {
		get := func(key string) string { return b.Get(key).String() }
		switch get("type") {
		case "text":
			d.say(get("text"))
			for _, f := range b.Get("formatting").Array() {
				switch f.Get("type").String() {
				case "link":
					d.link(f.Get("url").String())
				case "mention":
					if name := f.Get("blog", "name").String(); name != "" {
						d.Mentions = append(d.Mentions, name)
					}
				}
			}
		case "image":
			best := widest(b.Get("media"))
			w, _ := best.Get("width").Int()
			h, _ := best.Get("height").Int()
			d.media(post.Media{Kind: post.MediaImage, URL: best.Get("url").String(), Alt: first(get("alt_text"), get("caption")), Width: bounded(w), Height: bounded(h)}, best.Get("url").String())
			d.linkOut(b.Get("attribution", "url").String())
		case "video":
			m := b.Get("media")
			if m.IsArray() {
				m = widest(m)
			}
			to := first(m.Get("url").String(), get("url"))
			w, _ := m.Get("width").Int()
			h, _ := m.Get("height").Int()
			file := m.Get("url").String()
			d.media(post.Media{Kind: post.MediaVideo, URL: to, Alt: get("alt_text"), Width: bounded(w), Height: bounded(h)}, file)
			if file == "" {
				d.linkOut(get("url"))
			}
		case "audio":
			m := b.Get("media")
			if m.IsArray() {
				m = m.At(0)
			}
			d.say(strings.Join(nonEmpty(get("artist"), get("album"), get("title")), " – "))
			to := m.Get("url").String()
			if to != "" {
				d.audio(to)
			} else {
				d.linkOut(get("url"))
			}
		case "link":
			d.link(get("url"))
			d.say(get("title"))
			d.say(get("description"))
		case "poll":
			d.say(get("question"))
			var options []string
			for _, o := range b.Get("answers").Array() {
				options = append(options, first(o.Get("answer_text").String(), o.Get("answerText").String()))
			}
			d.say(strings.Join(options, "\n"))
		}
	}
}

// widest is the largest of a block's media sizes.
func widest(v jsonx.Value) jsonx.Value {
	if v.IsObject() {
		return v
	}
	var best jsonx.Value
	top := int64(-1)
	for _, m := range v.Array() {
		w, _ := m.Get("width").Int()
		if w > top && m.Get("url").String() != "" {
			best, top = m, w
		}
	}
	return best
}

// readInfo reads an answer about a blog itself.
func readInfo(blog jsonx.Value) crawlers.Page {
	name, uuid := strings.ToLower(blog.Get("name").String()), blog.Get("uuid").String()
	if name == "" {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "API v2: a blog without a name"}
	}
	p := post.Post{ID: first(uuid, name), Kind: post.KindAccount, URL: blogURL(name), Title: blog.Get("title").String(), Outcome: post.OKMetaOnly}
	d := newDraft(p.ID, p.URL)
	d.html(blog.Get("description").String())
	p.Text = strings.Join(d.text, "\n\n")
	p.Account = post.Account{ID: uuid, Handle: name, Name: p.Title, URL: p.URL, Avatar: avatarOf(blog.Get("avatar"))}
	if n, ok := blog.Get("posts").Int(); ok && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("posts", n))
	}
	page := crawlers.Page{Posts: []post.Post{p}}
	addIdentity(&page, name, uuid)
	return page
}

// readNotes reads the replies and reblogs of a post. Likes are counted, not
// listed. A reply has no id of its own in older answers: it is then named by
// the post, the blog and the second.
func readNotes(s crawlers.Step, st state, v jsonx.Value) crawlers.Page {
	thread := s.Ref.ID
	var page crawlers.Page
	for _, n := range v.Get("notes").Array() {
		get := func(key string) string { return n.Get(key).String() }
		acc := post.Account{ID: get("blog_uuid"), Handle: get("blog_name"), Name: get("blog_title"), URL: blogURLOf(get("blog_name"))}
		addIdentity(&page, acc.Handle, acc.ID)
		switch get("type") {
		case "reply":
			id := first(get("reply_id"), get("id"))
			if id == "" {
				id = thread + "/" + first(acc.ID, acc.Handle) + "/" + get("timestamp")
			}
			d := newDraft(id, "")
			d.Kind, d.Account, d.Thread, d.Created = post.KindComment, acc, thread, unix(n.Get("timestamp"))
			d.say(get("reply_text"))
			if d.text == nil {
				d.blocks(n.Get("content").Array())
			}
			d.Refs = []post.Ref{{Role: post.RoleCommentOn, ID: thread, Account: s.Ref.Of}}
			page.Posts = append(page.Posts, d.done())
		case "reblog", "posted":
			id := get("post_id")
			if !postID.MatchString(id) {
				continue
			}
			d := newDraft(id, canonical(acc.Handle, id, ""))
			d.Account, d.Created = acc, unix(n.Get("timestamp"))
			d.say(first(get("added_text"), get("reply_text")))
			d.tags(n.Get("tags"))
			d.Outcome = post.OKMetaOnly
			if get("type") == "reblog" {
				d.relation(post.RoleRepostOf, get("reblog_parent_post_id"), "", get("reblog_parent_blog_name"), 0)
				d.relation(post.RoleReblogRoot, thread, "", s.Ref.Of, 0)
			}
			page.Posts = append(page.Posts, d.done())
		}
	}
	sort.SliceStable(page.Identities, func(i, j int) bool { return page.Identities[i].Alias < page.Identities[j].Alias })
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Oldest: oldest(page.Posts), End: "end of the notes"}
	if n, ok := v.Get("total_notes").Int(); ok && n >= 0 {
		page.Coverage.Total, page.Coverage.Known = n, true
	}
	before, ok := v.Get("_links", "next", "query_params", "before_timestamp").Int()
	if ok && before > 0 && before != st.Before && len(v.Get("notes").Array()) > 0 {
		page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: routeAPI, Role: crawlers.RoleComments, State: state{Before: before}.encode()})
		page.Coverage.End = "the notes go on in the next step"
	}
	return page
}
