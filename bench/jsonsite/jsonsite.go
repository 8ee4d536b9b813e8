// Package jsonsite reads the JSON interface of the benchmark's site. It is a
// collector like any other, and only bench/ uses it.
//
//	GET /api/posts?after=N   25 posts from number N on: {"posts": [{"id", "url", "title", "text", "published_at", "image"}], "next"}
//
// A seed is http://HOST/api/posts?after=N&to=M: the posts from N up to M, M not
// included. Beyond the last post the site answers without posts. The text is kept
// as the field has it: what turning HTML into text costs is measured with the web
// pages.
package jsonsite

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// Platform is the registry name.
const Platform = "benchjson"

// perPage is how many posts a full answer carries.
const perPage = 25

// Collector implements crawlers.Collector.
type Collector struct {
	// Pictures are shown as the assets of an answer without posts, so that what an
	// asset costs can be measured without pages.
	Pictures []string
}

// About is the data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: Platform, Title: "Benchmark JSON", Reader: 1, Collects: "posts of the benchmark's site", Checked: "2026-11-23",
		Seeds:  []string{"http://127.0.0.2/api/posts?after=0&to=2500"},
		Routes: []crawlers.Route{{Name: "json", Kinds: []crawlers.RefKind{crawlers.RefAccount}, PageSize: perPage, Robots: true}},
		Hosts:  []string{"127.0.0.2"},
	}
}

// Match takes the seeds of the package comment.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	q := u.Query()
	after, to, err := span(q.Get("after") + "-" + q.Get("to"))
	if u.Path != "/api/posts" || err != nil {
		return crawlers.Ref{}, false
	}
	return crawlers.Ref{
		Platform: Platform, Kind: crawlers.RefAccount, ID: fmt.Sprintf("%d-%d", after, to), Of: u.Host,
		URL: fmt.Sprintf("%s://%s/api/posts?after=%d&to=%d", u.Scheme, u.Host, after, to),
	}, true
}

// span reads "N-M".
func span(s string) (from, to int, err error) {
	if _, err = fmt.Sscanf(s, "%d-%d", &from, &to); err == nil && (from < 0 || to < from) {
		err = fmt.Errorf("jsonsite: %q is no span of posts", s)
	}
	return from, to, err
}

// Identify knows no exchange of its own accord.
func (Collector) Identify(crawlers.Exchange) (crawlers.Ref, bool) { return crawlers.Ref{}, false }

func at(s crawlers.Step) (after, to int, err error) {
	after, to, err = span(s.Ref.ID)
	if err == nil && len(s.State) > 0 {
		after, err = strconv.Atoi(string(s.State))
	}
	return after, to, err
}

// Request asks for one page.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	after, _, err := at(s)
	if err != nil {
		return crawlers.Request{}, err
	}
	u, err := url.Parse(s.Ref.URL)
	if err != nil {
		return crawlers.Request{}, err
	}
	return crawlers.Request{
		URL:    fmt.Sprintf("%s://%s/api/posts?after=%d", u.Scheme, u.Host, after),
		Header: crawlers.Header{"Accept": {"application/json"}},
	}, nil
}

// Read reads one page.
func (c Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	after, to, err := at(s)
	if err != nil {
		return crawlers.Page{}, err
	}
	if outcome, reason := crawlers.ClassifyJSON(ex); outcome != "" {
		return crawlers.Page{Outcome: outcome, Reason: reason}, nil
	}
	answer, err := jsonx.Parse(ex.Body)
	if err != nil {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: err.Error()}, nil
	}
	var page crawlers.Page
	for _, p := range answer.Get("posts").Array() {
		id, ok := p.Get("id").Int()
		if !ok || id < int64(after) || id >= int64(after+perPage) {
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("asked for posts from %d on, got %q", after, p.Get("id").String())}, nil
		}
		created, err := time.Parse(time.RFC3339, p.Get("published_at").String())
		if err != nil {
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("post %d: %v", id, err)}, nil
		}
		it := post.Post{
			Kind: post.KindPost, ID: strconv.FormatInt(id, 10), URL: p.Get("url").String(), Title: p.Get("title").String(), Text: p.Get("text").String(),
			Created: post.Time{Time: created.UTC(), Source: post.SourceField},
		}
		if image := p.Get("image").String(); image != "" {
			it.Media = []post.Media{{Kind: post.MediaImage, URL: image}}
		}
		page.Posts = append(page.Posts, it)
	}
	if len(page.Posts) == 0 {
		for _, u := range c.Pictures {
			page.Assets = append(page.Assets, crawlers.Asset{URL: u, Kind: post.MediaImage})
		}
	}
	page.Coverage = crawlers.Coverage{Served: len(page.Posts)}
	if after+perPage < to {
		page.Next = []crawlers.Step{{Ref: s.Ref, Route: "json", Role: crawlers.RolePage, State: strconv.AppendInt(nil, int64(after+perPage), 10)}}
	} else {
		page.Coverage.End = "as far as was asked for"
	}
	return page, nil
}
