package demoweb

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"
)

// redditToken is what the made-up token endpoint gives to anyone who asks with
// any id and secret.
const redditToken = "demo-token-of-the-made-up-web"

func (s *Server) reddit(w http.ResponseWriter, r *http.Request, host string) {
	path := strings.TrimSuffix(strings.TrimSuffix(r.URL.Path, "/"), ".rss")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if host == "oauth.reddit.com" {
		if r.Header.Get("Authorization") != "Bearer "+redditToken && r.Header.Get("Authorization") != "bearer "+redditToken {
			w.Header().Set("Content-Type", "application/json; charset=UTF-8")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"message": "Unauthorized", "error": 401}`))
			return
		}
		s.redditAPI(w, r, parts)
		return
	}
	if r.URL.Path == "/api/v1/access_token" {
		if _, _, ok := r.BasicAuth(); !ok {
			http.Error(w, `{"error": 401}`, http.StatusUnauthorized)
			return
		}
		replyJSON(w, tdoc{"access_token": redditToken, "token_type": "bearer", "expires_in": 3600, "scope": "*"})
		return
	}
	if !strings.HasSuffix(r.URL.Path, ".rss") {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<html><head><title>Blocked</title></head><body><h1>whoa there, pardner!</h1><p>Your request has been blocked due to a network policy.</p></body></html>"))
		return
	}
	posts, comments, ok := s.redditList(w, parts)
	if !ok {
		return
	}
	if len(parts) >= 2 && parts[0] == "comments" || len(parts) >= 4 && parts[2] == "comments" {
		redditAtom(w, posts, comments)
		return
	}
	redditAtom(w, page(after(posts, r.FormValue("after")), 0, min(number(r, "limit", 25), 100)), nil)
}

// redditList finds what a path names; it answers itself where there is nothing.
func (s *Server) redditList(w http.ResponseWriter, parts []string) (posts []*Post, comments []*Comment, ok bool) {
	gone := func() ([]*Post, []*Comment, bool) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message": "Not Found", "error": 404}`))
		return nil, nil, false
	}
	at := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch {
	case at(0) == "user" || at(0) == "u":
		a := s.world.byHandle(Reddit, at(1))
		if a == nil || a.State != "" {
			return gone()
		}
		return a.posts, nil, true
	case at(0) == "comments" || at(2) == "comments":
		id := at(1)
		if at(2) == "comments" {
			id = at(3)
		}
		p := s.world.postByID(Reddit, id)
		if p == nil {
			return gone()
		}
		return []*Post{p}, p.Comments, true
	case at(0) == "r":
		for i := len(s.world.Posts) - 1; i >= 0; i-- {
			if p := s.world.Posts[i]; p.Account.Platform == Reddit && strings.EqualFold(p.Group, at(1)) {
				posts = append(posts, p)
			}
		}
		if posts == nil {
			return gone()
		}
		return posts, nil, true
	}
	return gone()
}

// after gives what follows the post that a listing's after parameter names.
func after(list []*Post, name string) []*Post {
	for i, p := range list {
		if "t3_"+p.ID == name {
			return list[i+1:]
		}
	}
	return list
}

func redditAtom(w http.ResponseWriter, posts []*Post, comments []*Comment) {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"><updated>` + Day.Format(time.RFC3339) + `</updated><id>/demo/.rss</id><title>demo</title>`)
	for _, p := range posts {
		out := p.URL()
		if p.Link != "" {
			out = p.Link
		}
		body := fmt.Sprintf(`<!-- SC_OFF --><div class="md">%s</div><!-- SC_ON --> &#32; submitted by &#32; <a href="https://www.reddit.com/user/%s"> /u/%s </a> &#32; to &#32; <a href="https://www.reddit.com/r/%s/"> r/%s </a> <br/> <span><a href="%s">[link]</a></span> &#32; <span><a href="%s">[comments]</a></span>`,
			p.redditHTML(), p.Account.Handle, p.Account.Handle, p.Group, p.Group, html.EscapeString(out), p.URL())
		fmt.Fprintf(&b, `<entry><author><name>/u/%s</name><uri>https://www.reddit.com/user/%s</uri></author><category term="%s" label="r/%s"/><content type="html">%s</content><id>t3_%s</id><link href="%s" /><updated>%s</updated><published>%s</published><title>%s</title></entry>`,
			p.Account.Handle, p.Account.Handle, p.Group, p.Group, escapeXML(body), p.ID, p.URL(), p.Time.Format("2006-01-02T15:04:05+00:00"), p.Time.Format("2006-01-02T15:04:05+00:00"), escapeXML(p.Title))
	}
	for _, c := range comments {
		p := posts[0]
		fmt.Fprintf(&b, `<entry><author><name>/u/%s</name><uri>https://www.reddit.com/user/%s</uri></author><category term="%s" label="r/%s" /><content type="html">%s</content><id>t1_%s</id><link href="%s%s/"/><updated>%s</updated><title>/u/%s on %s</title></entry>`,
			c.Author, c.Author, p.Group, p.Group, escapeXML("<!-- SC_OFF --><div class=\"md\"><p>"+html.EscapeString(c.Text)+"</p></div><!-- SC_ON -->"), c.ID, p.URL(), c.ID, c.Time.Format("2006-01-02T15:04:05+00:00"), c.Author, escapeXML(p.Title))
	}
	b.WriteString("</feed>")
	reply(w, "application/atom+xml; charset=UTF-8", b.String())
}

func (p *Post) redditHTML() string {
	var b strings.Builder
	for para := range strings.SplitSeq(p.Text, "\n\n") {
		b.WriteString("<p>" + html.EscapeString(para) + "</p>\n\n")
	}
	return b.String()
}

func (s *Server) redditAPI(w http.ResponseWriter, r *http.Request, parts []string) {
	w.Header().Set("X-Ratelimit-Used", "3")
	w.Header().Set("X-Ratelimit-Remaining", "997.0")
	w.Header().Set("X-Ratelimit-Reset", "331")
	posts, _, ok := s.redditList(w, parts)
	if !ok {
		return
	}
	if parts[0] == "comments" || len(parts) > 2 && parts[2] == "comments" {
		p := posts[0]
		replyJSON(w, []any{listing([]any{p.reddit()}, ""), listing(p.redditComments(nil), "")})
		return
	}
	n := min(number(r, "limit", 25), 100)
	rest := after(posts, r.FormValue("after"))
	var children []any
	next := ""
	for i, p := range rest {
		if i == n {
			next = "t3_" + rest[i-1].ID
			break
		}
		children = append(children, p.reddit())
	}
	replyJSON(w, listing(children, next))
}

func listing(children []any, after string) tdoc {
	if children == nil {
		children = []any{}
	}
	doc := tdoc{"after": nil, "before": nil, "dist": len(children), "modhash": nil, "geo_filter": "", "children": children}
	if after != "" {
		doc["after"] = after
	}
	return tdoc{"kind": "Listing", "data": doc}
}

func (p *Post) reddit() tdoc {
	a := p.Account
	doc := tdoc{
		"id": p.ID, "name": "t3_" + p.ID, "subreddit": p.Group, "subreddit_name_prefixed": "r/" + p.Group, "subreddit_id": "t5_" + base36(int64(len(p.Group))*99991),
		"author": a.Handle, "author_fullname": "t2_" + base36(number64(a.ID)), "title": p.Title, "selftext": p.Text, "is_self": p.Link == "",
		"url": p.URL(), "permalink": strings.TrimPrefix(p.URL(), "https://www.reddit.com"), "domain": "self." + p.Group,
		"created_utc": float64(p.Time.Unix()), "created": float64(p.Time.Unix() + 28800), "edited": false, "score": p.Likes, "ups": p.Likes, "upvote_ratio": 0.93,
		"num_comments": len(p.Comments), "num_crossposts": 0, "over_18": false, "locked": false, "archived": false, "spoiler": false, "stickied": false, "distinguished": nil, "removed_by_category": nil, "link_flair_text": nil,
	}
	if p.Link != "" {
		doc["url"], doc["url_overridden_by_dest"], doc["domain"] = p.Link, p.Link, "harbour-times.example"
	}
	if !p.Edited.IsZero() {
		doc["edited"] = float64(p.Edited.Unix())
	}
	if p.Of != nil {
		doc["crosspost_parent"], doc["crosspost_parent_list"] = "t3_"+p.Of.ID, []any{p.Of.reddit()}
	}
	return tdoc{"kind": "t3", "data": doc}
}

func (p *Post) redditComments(parent *Comment) []any {
	var list []any
	for _, c := range p.Comments {
		if c.Parent != parent {
			continue
		}
		up := "t3_" + p.ID
		if parent != nil {
			up = "t1_" + parent.ID
		}
		var replies any = ""
		if below := p.redditComments(c); below != nil {
			replies = listing(below, "")
		}
		list = append(list, tdoc{"kind": "t1", "data": tdoc{
			"id": c.ID, "name": "t1_" + c.ID, "author": c.Author, "author_fullname": "t2_" + Slug(c.Author), "body": c.Text, "body_html": "", "parent_id": up, "link_id": "t3_" + p.ID, "subreddit": p.Group,
			"created_utc": float64(c.Time.Unix()), "edited": false, "score": len(c.Text) % 17, "permalink": strings.TrimPrefix(p.URL(), "https://www.reddit.com") + c.ID + "/", "replies": replies, "depth": 0,
		}})
	}
	return list
}
