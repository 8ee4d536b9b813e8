package pinterest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// A fact is what the dumb extraction, or the eye, knows of a pin.
type fact struct {
	handle, userID, signature, aggregate, link, board string
	created                                           time.Time
	reactions, reposts                                int64 // -1: the file does not carry it
}

var recordings = map[string]struct {
	outcome post.Outcome
	address string
	facts   func(t *testing.T, data string) map[string]fact
	untaken string // fields of the file that are not taken
}{
	"pin_page_2024_106890191127977979.html": {post.OK, "https://www.pinterest.com/pin/106890191127977979/", pageFacts, "richMetadata and richSummary (words of the linked page), autoAltText, dominantColor, connectionType, annotation links, trackingParams"},
	"oembed_2024.json":                      {post.OKMetaOnly, "https://www.pinterest.com/oembed.json?url=https%3A%2F%2Fwww.pinterest.com%2Fpin%2F106890191127977979%2F", oembedFacts, "height and width of the frame"},
	"search_resource_2024.json":             {post.OK, "https://www.pinterest.com/resource/BaseSearchResource/get/", searchFacts, "rich_summary (words and rating of the linked page), link_domain.official_user, dominant_color, tracking_params, node ids"},
}

// pageFacts were read by eye in the relay scripts of the page; the head of the
// page names another pin and another person.
func pageFacts(t *testing.T, data string) map[string]fact {
	for _, s := range []string{`"imageSignature":"b53413787f3a42c8b9d5b08a6fbb2124"`, `"repinCount":9`, `"createdAt":"Sun, 30 Dec 2012 15:35:39 +0000"`, `"username":"thesearchguru"`, `"entityId":"4793433047020086802"`} {
		if !strings.Contains(data, s) {
			t.Fatalf("the page does not hold %s", s)
		}
	}
	return map[string]fact{"106890191127977979": {"thesearchguru", "106890328564304182", "b53413787f3a42c8b9d5b08a6fbb2124", "4793433047020086802", "http://pajaz.tumblr.com/post/26349943364", "thesearchguru/icons", time.Date(2012, 12, 30, 15, 35, 39, 0, time.UTC), 0, 9}}
}

func oembedFacts(*testing.T, string) map[string]fact {
	return map[string]fact{"106890191127977979": {"thesearchguru", "", "b53413787f3a42c8b9d5b08a6fbb2124", "", "", "", time.Time{}, -1, -1}}
}

// searchFacts cuts the file at the pins' node ids and looks for single members
// in each part.
func searchFacts(t *testing.T, data string) map[string]fact {
	one := func(part, expr string) string {
		if m := regexp.MustCompile(expr).FindStringSubmatch(part); m != nil {
			return m[1]
		}
		return ""
	}
	facts := map[string]fact{}
	starts := regexp.MustCompile(`"node_id":\s*"cGlu`).FindAllStringIndex(data, -1) // base64 of "pin"
	for i, at := range starts {
		end := len(data)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		part := data[at[0]:end]
		created, err := time.Parse(time.RFC1123Z, one(part, `"created_at":\s*"([^"]+)"`))
		if err != nil {
			t.Fatal(err)
		}
		_, agg := globalID(one(part, `"aggregated_pin_data":\s*\{\s*"node_id":\s*"([^"]+)"`))
		f := fact{handle: one(part, `"username":\s*"([^"]+)"`), signature: one(part, `"image_signature":\s*"([^"]+)"`), aggregate: agg, created: created, reposts: -1,
			link: one(part, `[^_]"link":\s*"([^"]+)"`), board: strings.Trim(one(part, `"board":\s*\{[^}]*"url":\s*"([^"]+)"`), "/")}
		for _, m := range regexp.MustCompile(`:\s*(\d+)`).FindAllStringSubmatch(one(part, `"reaction_counts":\s*(\{[^}]*\})`), -1) {
			var n int64
			fmt.Sscan(m[1], &n)
			f.reactions += n
		}
		facts[one(part, `"carousel_data":\s*null,\s*"id":\s*"(\d+)"`)] = f
	}
	return facts
}

func TestRecordings(t *testing.T) {
	dir := sharedtest.Path(t, "recordings/pinterest")
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%-40s %5s  %-13s %s", "file", "posts", "outcome", "not taken")
	for _, path := range files {
		name := filepath.Base(path)
		if name == "PROVENANCE.md" {
			continue
		}
		rec, ok := recordings[name]
		if !ok {
			t.Errorf("%s is not known here", name)
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		facts := rec.facts(t, string(data))
		for _, address := range []string{rec.address, ""} {
			ex := crawlers.Exchange{URL: address, Body: data}
			ref, ok := New().Identify(ex)
			if !ok {
				t.Errorf("%s at %q: Identify refuses it", name, address)
				continue
			}
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
			if err != nil {
				t.Fatal(err)
			}
			if page.Outcome != rec.outcome || len(page.Posts) != len(facts) {
				t.Errorf("%s: outcome %s (%s), %d posts, want %s, %d", name, page.Outcome, page.Reason, len(page.Posts), rec.outcome, len(facts))
			}
			for i := range page.Posts {
				compare(t, &page.Posts[i], facts)
			}
			if address != "" {
				t.Logf("%-40s %5d  %-13s %s", name, len(page.Posts), page.Outcome, rec.untaken)
			}
		}
	}
}

func compare(t *testing.T, p *post.Post, facts map[string]fact) {
	t.Helper()
	f, ok := facts[p.ID]
	if !ok {
		t.Errorf("%s is not in the file", p.ID)
		return
	}
	if !strings.EqualFold(p.Account.Handle, f.handle) || f.userID != "" && p.Account.ID != f.userID {
		t.Errorf("%s: account %+v, want %s %s", p.ID, p.Account, f.handle, f.userID)
	}
	if !p.Created.Time.Equal(f.created) {
		t.Errorf("%s: created %v, want %v", p.ID, p.Created, f.created)
	}
	tags := strings.Join(p.Tags, " ")
	for _, want := range []struct{ tag, id string }{{"image_signature:", f.signature}, {"aggregated_pin:", f.aggregate}, {"board:", strings.ToLower(f.board)}} {
		if want.id != "" && !strings.Contains(tags, want.tag+want.id) || want.id == "" && strings.Contains(tags, want.tag) {
			t.Errorf("%s: tags %s, want %s%s", p.ID, tags, want.tag, want.id)
		}
	}
	if link := strings.Join(p.Links, " "); link != f.link {
		t.Errorf("%s: link %s, want %s", p.ID, link, f.link)
	}
	counts := map[string]int64{"reactions": -1, "reposts": -1}
	for _, c := range p.Counts {
		counts[c.Name] = c.Value
	}
	if counts["reactions"] != f.reactions || counts["reposts"] != f.reposts {
		t.Errorf("%s: counts %v, want %+v", p.ID, p.Counts, f)
	}
	if len(p.Media) == 0 {
		t.Errorf("%s: no picture", p.ID)
	}
}

// TestTrap checks that nothing of the pin that the page's head describes comes
// into the post.
func TestTrap(t *testing.T) {
	ex := crawlers.Exchange{Body: sharedtest.Read(t, "recordings/pinterest/pin_page_2024_106890191127977979.html")}
	ref, _ := New().Identify(ex)
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
	if err != nil || len(page.Posts) != 1 {
		t.Fatal(page, err)
	}
	p := page.Posts[0]
	data, _ := json.Marshal(p)
	for _, foreign := range []string{"Jack !!!!", "Marines", "astateofbliss"} {
		if strings.Contains(string(data), foreign) {
			t.Errorf("the post holds %q of the other pin", foreign)
		}
	}
	if p.Title != "Pourparler" || p.Text != "Jack" || !contains(p.Tags, "same_image_pin:605804587389853572") {
		t.Errorf("title %q, text %q, tags %v", p.Title, p.Text, p.Tags)
	}
}

// TestVideo checks the one film of the search answer, read by eye.
func TestVideo(t *testing.T) {
	ex := crawlers.Exchange{Body: sharedtest.Read(t, "recordings/pinterest/search_resource_2024.json")}
	ref, _ := New().Identify(ex)
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range page.Posts {
		for _, m := range p.Media {
			if m.Kind == post.MediaVideo {
				n++
				if m.URL != "https://v1.pinimg.com/videos/mc/720p/ba/6f/d5/ba6fd5dade0c4c3b82b0c58fd4c2cd80.mp4" || m.Duration != 18.852 || m.Width != 1080 || m.Height != 1920 {
					t.Errorf("%+v", m)
				}
			}
		}
	}
	if n != 1 {
		t.Errorf("%d films, want 1", n)
	}
}
