package blogspot

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// readAPI reads an answer of API v3: a blog, a list, one item, or a bare array
// of items as exporting tools save it.
func readAPI(s crawlers.Step, st state, ex crawlers.Exchange) crawlers.Page {
	v, err := jsonx.Parse(ex.Body)
	if err != nil {
		outcome := post.UnexpectedType
		if ex.Truncated {
			outcome = post.CutBody
		}
		return crawlers.Page{Outcome: outcome, Reason: err.Error()}
	}
	var items []jsonx.Value
	single := false
	kind := v.Get("kind").String()
	switch {
	case v.IsArray():
		items = v.Array()
	case kind == "blogger#blog":
		return readBlog(s, st, ex, v)
	case strings.HasSuffix(kind, "List") && strings.HasPrefix(kind, "blogger#"):
		items = v.Get("items").Array()
	case kind == "blogger#post", kind == "blogger#page", kind == "blogger#comment":
		items, single = []jsonx.Value{v}, true
	default:
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("kind %q", kind)}
	}
	page := crawlers.Page{}
	blogID, home := "", ""
	comments, known := kind == "blogger#commentList", kind != ""
	for _, item := range items {
		var p post.Post
		switch item.Get("kind").String() {
		case "blogger#post", "blogger#page":
			p = apiPost(item)
		case "blogger#comment":
			comments = true
			p = apiComment(item)
		default:
			continue
		}
		if p.ID == "" {
			continue
		}
		known = true
		id := item.Get("blog", "id").String()
		if want := first(st.Blog, wantBlog(s.Ref)); want != "" && id != "" && id != want {
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("the item is of blog %s, blog %s was asked for", id, want)}
		}
		if blogID == "" {
			blogID = id
		}
		if u, err := url.Parse(p.URL); err == nil && home == "" && u.Host != "" {
			home = u.Scheme + "://" + u.Host + "/"
		}
		page.Posts = append(page.Posts, p)
		page.Assets = append(page.Assets, assets(p)...)
	}
	if !known {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "an array without items of Blogger"}
	}
	if single && s.Ref.Kind == crawlers.RefPost && !s.Ref.Alias && !comments && (len(page.Posts) != 1 || page.Posts[0].ID != s.Ref.ID) {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "the answer is not post " + s.Ref.ID}
	}
	if digits.MatchString(blogID) {
		page.Identities = identities(s.Ref, ex.URL, blogID, home)
	}
	page.Coverage = crawlers.Coverage{Served: len(page.Posts), Oldest: oldest(page.Posts), End: "end of list"}
	role := s.Role
	if comments {
		role = crawlers.RoleComments
	}
	if token := v.Get("nextPageToken").String(); token != "" && len(items) > 0 && token != st.Token {
		st.Token = token
		if !comments {
			page.Coverage.End = ""
			role = ""
		} else {
			page.Coverage.End = "the comments go on in the next step"
		}
		page.Next = append(page.Next, crawlers.Step{Ref: s.Ref, Route: routeAPI, Role: role, State: st.encode()})
	}
	if !comments {
		for i := range page.Posts {
			p := &page.Posts[i]
			if count(p) == 0 || !digits.MatchString(blogID) {
				continue
			}
			ref := newRef(crawlers.RefPost, p.ID, blogID, "https://www.blogger.com/feeds/"+blogID+"/posts/default/"+p.ID, false)
			page.Next = append(page.Next, crawlers.Step{Ref: ref, Route: routeAPI, Role: crawlers.RoleComments})
		}
	}
	return page
}

// readBlog reads what the API says of a blog and asks for what the step wants
// of it, now that its number is known.
func readBlog(s crawlers.Step, st state, ex crawlers.Exchange, v jsonx.Value) crawlers.Page {
	id := v.Get("id").String()
	if !digits.MatchString(id) {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a blog without id"}
	}
	if want := wantBlog(s.Ref); want != "" && want != id {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("the answer is blog %s, blog %s was asked for", id, want)}
	}
	p := post.Post{
		ID: "blog-" + id, Kind: post.KindAccount, URL: canonical(v.Get("url").String()), Title: v.Get("name").String(), Text: v.Get("description").String(),
		Lang: v.Get("locale", "language").String(), Outcome: post.OKMetaOnly,
	}
	p.Created, p.Edited = times(v.Get("published").String(), v.Get("updated").String())
	if n, ok := v.Get("posts", "totalItems").Int(); ok && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("posts", n))
	}
	if n, ok := v.Get("pages", "totalItems").Int(); ok && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("pages", n))
	}
	page := crawlers.Page{Posts: []post.Post{p}, Identities: identities(s.Ref, ex.URL, id, v.Get("url").String())}
	if st.Blog == "" && blogOf(s.Ref) != id {
		st.Blog = id
		page.Next = []crawlers.Step{{Ref: s.Ref, Route: routeAPI, Role: s.Role, State: st.encode()}}
	} else if s.Ref.Kind == crawlers.RefAccount && st.Blog == "" {
		st.Blog = id
		page.Next = []crawlers.Step{{Ref: s.Ref, Route: routeAPI, Role: s.Role, State: st.encode()}}
	}
	return page
}

func apiAccount(v jsonx.Value) post.Account {
	a := post.Account{ID: v.Get("id").String(), Name: v.Get("displayName").String(), URL: v.Get("url").String(), Avatar: avatar(v.Get("image", "url").String())}
	if m := profileOf.FindStringSubmatch(a.URL); m != nil {
		a.URL = "https://www.blogger.com/profile/" + m[1]
	}
	return a
}

func apiPost(v jsonx.Value) post.Post {
	p := post.Post{ID: v.Get("id").String(), Kind: post.KindPost, URL: canonical(v.Get("url").String()), Title: v.Get("title").String(), Account: apiAccount(v.Get("author"))}
	if v.Get("kind").String() == "blogger#page" {
		p.Kind = post.KindPage
	}
	base, _ := url.Parse(p.URL)
	if v.Has("content") {
		fill(&p, v.Get("content").String(), base)
	} else {
		p.Outcome = post.OKMetaOnly // asked without bodies
	}
	for _, img := range v.Get("images").Array() {
		if len(p.Media) == 0 {
			if to, ok := resolve(img.Get("url").String(), base); ok {
				addMedia(&p, post.Media{Kind: post.MediaImage, URL: to})
			}
		}
	}
	p.Created, p.Edited = times(v.Get("published").String(), v.Get("updated").String())
	for _, l := range v.Get("labels").Array() {
		p.Tags = append(p.Tags, l.String())
	}
	if loc := v.Get("location"); loc.Get("lat").String() != "" && loc.Get("lng").String() != "" {
		p.Tags = append(p.Tags, "geo:"+loc.Get("lat").String()+","+loc.Get("lng").String())
		if name := loc.Get("name").String(); name != "" {
			p.Tags = append(p.Tags, "place:"+name)
		}
	}
	if n, ok := v.Get("replies", "totalItems").Int(); ok && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("comments", n))
	}
	return p
}

func apiComment(v jsonx.Value) post.Post {
	p := post.Post{ID: v.Get("id").String(), Kind: post.KindComment, Thread: v.Get("post", "id").String(), Account: apiAccount(v.Get("author"))}
	fill(&p, v.Get("content").String(), nil)
	p.Created, p.Edited = times(v.Get("published").String(), v.Get("updated").String())
	if p.Thread != "" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleCommentOn, ID: p.Thread})
	}
	if parent := v.Get("inReplyTo", "id").String(); parent != "" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: parent})
	}
	switch v.Get("status").String() {
	case "emptied":
		p.Outcome = removal(p.Text)
	case "spam", "pending":
		p.Tags = append(p.Tags, v.Get("status").String())
	}
	return p
}
