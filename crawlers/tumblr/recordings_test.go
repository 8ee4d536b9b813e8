package tumblr

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// expected is what a second extraction finds: a walk over encoding/json maps
// for API answers, eyes for pages.
type expected struct {
	id, handle, uuid string
	created          time.Time
	notes            int64 // -1: the answer has none
	media            int
	words            string // must stand in the text
}

// walkV2 reads an answer of API v2 without the collector.
func walkV2(t *testing.T, body []byte) []expected {
	var doc struct {
		Response struct {
			Posts []map[string]any `json:"posts"`
		} `json:"response"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	img := regexp.MustCompile(`<img `)
	var all []expected
	for _, p := range doc.Response.Posts {
		blog := p["blog"].(map[string]any)
		e := expected{id: p["id_string"].(string), handle: p["blog_name"].(string), uuid: blog["uuid"].(string), notes: int64(p["note_count"].(float64)), created: time.Unix(int64(p["timestamp"].(float64)), 0).UTC()}
		if photos, ok := p["photos"].([]any); ok {
			e.media = len(photos)
		} else if b, ok := p["body"].(string); ok {
			e.media = len(img.FindAllString(b, -1))
		}
		all = append(all, e)
	}
	return all
}

// TestRecordings reads every recording of the platform. A file that this test
// does not know must still end in posts or in an outcome about the target or us.
// addresses are what was asked for.
var addresses = map[string]string{
	"oembed_2024.json":             "https://www.tumblr.com/oembed/1.0?url=https://he-who-photographs-rather-ok.tumblr.com/post/165326273724",
	"post_page_2024.html":          "https://he-who-photographs-rather-ok.tumblr.com/post/165326273724",
	"post_page_2014_mcupdate.html": "http://mcupdate.tumblr.com/post/96439224994/minecraft-18-the-bountiful-update",
}

func addressOf(name string) string {
	switch raw := addresses[name]; {
	case raw != "":
		return raw
	case strings.HasPrefix(name, "v2_"):
		return "https://api.tumblr.com/v2/blog/mooserific.tumblr.com/posts?limit=2"
	}
	return "https://example.tumblr.com/"
}

func TestRecordings(t *testing.T) {
	eye := map[string]expected{ // all read by eye
		"oembed_2024.json":             {id: "165326273724", handle: "he-who-photographs-rather-ok", uuid: "t:BO6uqE2CY7O6bfroQfSY6Q", notes: -1},
		"post_page_2024.html":          {id: "165326273724", handle: "he-who-photographs-rather-ok", created: time.Date(2017, 9, 14, 10, 20, 35, 0, time.UTC), notes: 1027, media: 1},
		"post_page_2014_mcupdate.html": {id: "96439224994", handle: "mcupdate", created: time.Date(2014, 9, 2, 12, 35, 27, 0, time.UTC), notes: -1, words: "Added Rabbits, with item drops\n+ Added Mutton"},
	}
	files, err := os.ReadDir(sharedtest.Path(t, "recordings/tumblr"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := f.Name()
		if name == "PROVENANCE.md" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			body := sharedtest.Read(t, "recordings/tumblr/"+name)
			raw := addressOf(name)
			ex := crawlers.Exchange{URL: raw, Body: body}
			ref, ok := New().Identify(ex)
			if !ok {
				t.Fatalf("Identify refuses %s", raw)
			}
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
			if err != nil {
				t.Fatal(err)
			}
			if page.Outcome.Scope() == post.ScopeReader || page.Outcome.Scope() == post.ScopeServed && len(page.Posts) == 0 {
				t.Fatalf("outcome %s (%s) with %d posts", page.Outcome, page.Reason, len(page.Posts))
			}
			var want []expected
			if e, ok := eye[name]; ok {
				want = []expected{e}
			} else if strings.HasPrefix(name, "v2_") {
				want = walkV2(t, body)
			} else {
				t.Logf("not known to this test: outcome %s, %d posts", page.Outcome, len(page.Posts))
				return
			}
			if len(page.Posts) != len(want) {
				t.Fatalf("%d posts, want %d", len(page.Posts), len(want))
			}
			for i, w := range want {
				p := page.Posts[i]
				notes := int64(-1)
				for _, c := range p.Counts {
					if c.Name == "notes" {
						notes = c.Value
					}
				}
				if p.ID != w.id || p.Account.Handle != w.handle || p.Account.ID != w.uuid || !p.Created.Time.Equal(w.created) || notes != w.notes || len(p.Media) != w.media || !strings.Contains(p.Text, w.words) {
					t.Errorf("post %d: %s by %s (%s) at %v, %d notes, %d media, want %+v\n%s", i, p.ID, p.Account.Handle, p.Account.ID, p.Created.Time, notes, len(p.Media), w, p.Text)
				}
				if len(p.Refs) > 0 {
					t.Errorf("post %s is an original, it has relations %+v", p.ID, p.Refs)
				}
				if p.Text == "" && len(p.Media) == 0 && p.Outcome == post.OK {
					t.Errorf("post %s has neither text nor media", p.ID)
				}
				if p.URL != "https://www.tumblr.com/"+w.handle+"/"+w.id {
					t.Errorf("post %s has address %s", p.ID, p.URL)
				}
			}
		})
	}
}

// TestPagingOfRecording: the answer names its next page by a number of its own.
func TestPagingOfRecording(t *testing.T) {
	body := sharedtest.Read(t, "recordings/tumblr/v2_posts_neweditor_text_2025.json")
	ex := crawlers.Exchange{URL: "https://api.tumblr.com/v2/blog/mooserific.tumblr.com/posts?limit=2", Body: body}
	ref, _ := New().Identify(ex)
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
	if err != nil || len(page.Next) == 0 {
		t.Fatalf("%v, %d next steps", err, len(page.Next))
	}
	req, err := New().Request(page.Next[0])
	m := regexp.MustCompile(`"page_number":\s*"([^"]*)"`).FindSubmatch(body)
	if err != nil || m == nil || !strings.Contains(req.URL, "page_number="+string(m[1])) || !strings.Contains(req.URL, "limit=50") {
		t.Errorf("next page is %s (%v)", req.URL, err)
	}
	if page.Coverage.Total != 1282 || !page.Coverage.Known { // by eye: total_posts
		t.Errorf("coverage %+v", page.Coverage)
	}
}
