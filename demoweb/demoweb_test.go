package demoweb

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
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
			if !p.Account.Operation && p.How != HowQuoted && !strings.HasPrefix(p.Story, "meme-") {
				t.Errorf("an ordinary account tells a story: %s", p.URL())
			}
			told[p.Story]++
		}
	}
	if len(told) != 5+len(memes) {
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

// The operation is what the linker is measured by, so the truth about it must be
// true.
func TestOperation(t *testing.T) {
	w := NewWorld(1, Size{})
	team, hours, platforms := 0, map[int]int{}, map[string]bool{}
	how := map[string]int{}
	for _, a := range w.Accounts {
		if !a.Operation {
			continue
		}
		team++
		platforms[a.Platform] = true
		for _, p := range a.Posts() {
			local := p.Time.Add(8 * time.Hour)
			hours[local.Hour()]++
			if d := local.Weekday(); d == time.Saturday || d == time.Sunday {
				t.Errorf("%s posts at the weekend", a.URL())
			}
		}
	}
	if team < 24 || len(w.Accounts)-team < 200 || len(platforms) != 13 {
		t.Errorf("%d accounts of the operation on %d platforms among %d others", team, len(platforms), len(w.Accounts)-team)
	}
	for hour, n := range hours {
		if hour < 9 || hour >= 22 {
			t.Errorf("%d posts at %d o'clock there", n, hour)
		}
	}
	for _, p := range w.Posts {
		for part := range strings.SplitSeq(p.How, ", ") {
			how[part]++
		}
		if p.Story == "" && p.How != "" || p.Story != "" && p.How == "" {
			t.Errorf("%s: story %q, told %q", p.URL(), p.Story, p.How)
		}
		if (p.How == HowCopy || p.How == HowPadded) && p.Account.Operation && !strings.Contains(p.Text, firstStory(p.Story)) {
			t.Errorf("%s: %s, but the story is not in it", p.URL(), p.How)
		}
	}
	for _, h := range []string{HowCopy, HowCut, HowPadded, HowReordered, HowLookalike, HowInvisible, HowTypos, HowReworded, HowPart, HowQuoted, HowTranslated} {
		if how[h] == 0 {
			t.Errorf("nothing is told in the way %q: %v", h, how)
		}
	}
}

func firstStory(name string) string {
	for _, st := range append(slices.Clone(stories), memes...) {
		if st.name == name {
			return st.text
		}
	}
	return "?"
}

func TestClipsAndPicturesAreServed(t *testing.T) {
	w := NewWorld(1, Size{Ordinary: 1, Operation: 4, Posts: 1})
	s := &Server{world: w}
	clips := 0
	for _, p := range w.Posts {
		if p.Clip != "" {
			clips++
			if code, body := get(t, s, "https://video.twimg.com/vid/"+p.Clip); code != 200 || !strings.Contains(body[:64], "ftyp") || !strings.Contains(body, "moov") {
				t.Errorf("%s: %d, %d bytes", p.Clip, code, len(body))
			}
			if clips == 3 {
				break
			}
		}
	}
	if clips == 0 {
		t.Error("no post has a clip")
	}
	for _, p := range w.Posts {
		if p.Image == "" || p.Account.Platform != Pinterest {
			continue
		}
		code, body := get(t, s, p.pinImage("originals"))
		if code != 200 || !strings.HasPrefix(http.DetectContentType([]byte(body)), "image/") {
			t.Errorf("%s: %d", p.pinImage("originals"), code)
		}
		_, direct := get(t, s, "https://pbs.twimg.com/media/"+p.Image)
		if body != direct {
			t.Error("a pin's picture is another than was uploaded")
		}
		break
	}
}
