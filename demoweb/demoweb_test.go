package demoweb

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestWorldIsAFunctionOfItsSeed(t *testing.T) {
	a, b := NewWorld(7, Size{}), NewWorld(7, Size{})
	if len(a.Posts) < 500 || len(a.Accounts) < 40 {
		t.Errorf("%d posts of %d accounts", len(a.Posts), len(a.Accounts))
	}
	for i := range a.Posts {
		if a.Posts[i].URL() != b.Posts[i].URL() || a.Posts[i].Text != b.Posts[i].Text {
			t.Fatalf("post %d differs: %s %s", i, a.Posts[i].URL(), b.Posts[i].URL())
		}
	}
	if c := NewWorld(8, Size{}); reflect.DeepEqual(a.Posts[0].Text, c.Posts[0].Text) {
		t.Error("another seed gives the same world")
	}
	ids := map[string]bool{}
	told := map[string]int{}
	for _, p := range a.Posts {
		if ids[p.Account.Platform+p.ID] {
			t.Errorf("two posts have the id %s", p.ID)
		}
		ids[p.Account.Platform+p.ID] = true
		if p.Time.After(Day) {
			t.Errorf("%s is from the future", p.URL())
		}
		if p.Story != "" {
			if !p.Account.Operation {
				t.Errorf("an ordinary account tells a story: %s", p.URL())
			}
			told[p.Story]++
		}
	}
	if len(told) != len(stories) {
		t.Errorf("stories told: %v", told)
	}
}

func get(t *testing.T, s *Server, address string) (int, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Host = u.Host
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestEveryPostIsServed(t *testing.T) {
	w := NewWorld(1, Size{Ordinary: 2, Operation: 1, Posts: 4})
	s := &Server{world: w}
	for _, p := range w.Posts {
		address := p.URL()
		switch p.Account.Platform {
		case Reddit, Quora: // their pages are behind a block, as on the real sites
			continue
		case X:
			address = "https://cdn.syndication.twimg.com/tweet-result?id=" + p.ID
		case Vimeo:
			address = "https://vimeo.com/api/oembed.json?url=" + url.QueryEscape(address)
		case TikTok:
			address = "https://www.tiktok.com/oembed?url=" + url.QueryEscape(address)
		}
		code, body := get(t, s, address)
		if code != 200 || !strings.Contains(body, strings.Fields(p.Title)[0]) {
			t.Errorf("%s: %d", address, code)
		}
	}
	for _, address := range []string{
		w.byPlatform(Blogspot).URL() + "feeds/posts/default?alt=json&max-results=2", w.byPlatform(Blogspot).URL() + "feeds/posts/default",
		w.byPlatform(LiveJournal).URL() + "data/rss", w.byPlatform(LiveJournal).URL() + "data/atom",
		w.byPlatform(Tumblr).URL() + "api/read/json?num=50", w.byPlatform(Tumblr).URL() + "rss",
		"https://medium.com/feed/@" + w.byPlatform(Medium).Handle,
		"https://www.reddit.com/user/" + w.byPlatform(Reddit).Handle + "/submitted/.rss", "https://harbour-times.example/feed.xml", "https://64.media.tumblr.com/a/b.png",
	} {
		if code, body := get(t, s, address); code != 200 || len(body) < 200 {
			t.Errorf("%s: %d, %d bytes", address, code, len(body))
		}
	}
	if code, _ := get(t, s, "https://elsewhere.example/"); code != http.StatusMisdirectedRequest {
		t.Errorf("a host that is not ours: %d", code)
	}
}

func (w *World) byPlatform(platform string) *Account {
	for _, a := range w.Accounts {
		if a.Platform == platform && a.State == "" {
			return a
		}
	}
	return nil
}

func TestStart(t *testing.T) {
	s, err := Start(context.Background(), NewWorld(1, Size{Ordinary: 1, Operation: 1, Posts: 1}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if !strings.HasPrefix(s.Address(), "http://127.0.0.1:") {
		t.Errorf("address %s is not loopback", s.Address())
	}
	req, err := http.NewRequest(http.MethodGet, s.Address()+"/robots.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "medium.com"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), "User-agent") {
		t.Errorf("%q %v", body, err)
	}
	if err := resp.Body.Close(); err != nil || s.Requests() != 1 {
		t.Error(err, s.Requests())
	}
}
