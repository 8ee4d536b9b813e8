package jsonsite_test

import (
	"net/url"
	"testing"

	"github.com/refrain-archive/refrain/bench/jsonsite"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

func TestReadsAPage(t *testing.T) {
	c := jsonsite.Collector{}
	u, _ := url.Parse("http://127.0.0.2:80/api/posts?after=25&to=75")
	ref, ok := c.Match(u)
	if !ok {
		t.Fatal("the seed is not taken")
	}
	step := crawlers.Step{Ref: ref, Route: "json"}
	request, err := c.Request(step)
	if err != nil || request.URL != "http://127.0.0.2:80/api/posts?after=25" {
		t.Fatalf("asks for %q, %v", request.URL, err)
	}
	answer := func(body string) crawlers.Page {
		page, err := crawlers.Read(c, step, crawlers.Exchange{URL: request.URL, Status: 200, Header: crawlers.Header{"Content-Type": {"application/json"}}, Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	page := answer(`{"posts":[{"id":25,"url":"http://127.0.0.2/p/25","title":"T","text":"<p>x</p>","published_at":"2019-01-01T07:07:00Z","image":"http://127.0.0.2/img/25.jpg"}]}`)
	if len(page.Posts) != 1 || page.Posts[0].ID != "25" || page.Posts[0].Text != "<p>x</p>" || len(page.Posts[0].Media) != 1 || page.Posts[0].Created.Time.Hour() != 7 {
		t.Errorf("posts %+v", page.Posts)
	}
	if len(page.Next) != 1 || string(page.Next[0].State) != "50" {
		t.Fatalf("next %+v", page.Next)
	}
	step = page.Next[0]
	if page := answer(`{"posts":null}`); page.Outcome != post.OK || len(page.Posts) != 0 || len(page.Next) != 0 {
		t.Errorf("the last page: %+v", page)
	}
	if page := answer(`{"posts":[{"id":7}]}`); page.Outcome != post.LayoutChanged {
		t.Errorf("posts that were not asked for: %s", page.Outcome)
	}
}
