package medium

import (
	"encoding/json"
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

// A fact is what the dumb extraction, or the eye, knows of a story. Counts that
// the file does not carry are -1.
type fact struct {
	author                  string // name
	created                 time.Time
	claps, voters, comments int64
}

// recordings are the files with their addresses, as their provenance or their
// own metas give them. facts is the second extraction.
var recordings = []struct {
	name, url string
	outcome   post.Outcome
	facts     func(t *testing.T, data string) map[string]fact
}{
	{"feed_publication_tag_2018.xml", "https://medium.com/feed/invironment/tagged/food", post.OK, feedFacts},
	{"profile_format_json_2019.txt", "https://medium.com/@mikecronin92?format=json", post.OK, profileFacts},
	{"post_apollo.html", "https://medium.com/webpack/webpack-3-official-release-15fd2dd8f07b", post.OK, apolloFacts},
	{"post_2015_obv.html", "https://medium.com/@ckirchoff/on-behalf-of-literally-429fab868ca8", post.OK, metaFacts},
	{"post_noscript.html", "https://medium.com/@JakobUlbrich/flag-attributes-in-android-how-to-use-them-ac4ec8aee7d1", post.OK, noscriptFacts},
}

var (
	reItem    = regexp.MustCompile(`(?s)<item>.*?</item>`)
	reGUID    = regexp.MustCompile(`<guid[^>]*>https://medium.com/p/(\w+)<`)
	reCreator = regexp.MustCompile(`<dc:creator><!\[CDATA\[(.*?)\]\]>`)
	rePubDate = regexp.MustCompile(`<pubDate>(.*?)<`)
)

func feedFacts(t *testing.T, data string) map[string]fact {
	facts := map[string]fact{}
	for _, item := range reItem.FindAllString(data, -1) {
		at, err := time.Parse(time.RFC1123, rePubDate.FindStringSubmatch(item)[1])
		if err != nil {
			t.Fatal(err)
		}
		facts[reGUID.FindStringSubmatch(item)[1]] = fact{reCreator.FindStringSubmatch(item)[1], at, -1, -1, -1}
	}
	return facts
}

// profileFacts walks the JSON without the reader's types. The profile itself is
// one of the posts.
func profileFacts(t *testing.T, data string) map[string]fact {
	var v map[string]any
	if err := json.Unmarshal([]byte(data[strings.Index(data, "{"):]), &v); err != nil {
		t.Fatal(err)
	}
	payload := v["payload"].(map[string]any)
	facts := map[string]fact{"fabe5f8ed616": {"Mike Cronin", time.UnixMilli(1524922715546), -1, -1, -1}}
	for id, p := range payload["references"].(map[string]any)["Post"].(map[string]any) {
		m := p.(map[string]any)
		virtuals := m["virtuals"].(map[string]any)
		n := func(k string) int64 { return int64(virtuals[k].(float64)) }
		facts[id] = fact{"Mike Cronin", time.UnixMilli(int64(m["firstPublishedAt"].(float64))), n("totalClapCount"), n("recommends"), n("responsesCreatedCount")}
	}
	return facts
}

func number(t *testing.T, data, key string) int64 {
	m := regexp.MustCompile(`"` + key + `"\s*:\s*(\d+)`).FindStringSubmatch(data)
	if m == nil {
		t.Fatalf("no %s", key)
	}
	var n int64
	if err := json.Unmarshal([]byte(m[1]), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// apolloFacts looks into the text from where the story's own entry begins.
func apolloFacts(t *testing.T, data string) map[string]fact {
	i := strings.Index(data, `"Post:15fd2dd8f07b": {`)
	if i < 0 {
		t.Fatal("no entry of the story")
	}
	tail := data[i:]
	responses := tail[strings.Index(tail, `"postResponses"`):]
	return map[string]fact{"15fd2dd8f07b": {"Sean T. Larkin", time.UnixMilli(number(t, tail, "firstPublishedAt")), number(t, tail, "clapCount"), number(t, tail, "voterCount"), number(t, responses, "count")}}
}

func metaFacts(t *testing.T, data string) map[string]fact {
	m := regexp.MustCompile(`article:published_time" content="([^"]+)"`).FindStringSubmatch(data)
	at, err := time.Parse(time.RFC3339Nano, m[1])
	if err != nil {
		t.Fatal(err)
	}
	return map[string]fact{"429fab868ca8": {"Courtney Kirchoff", at, -1, 0, -1}} // "recommends":0 by eye
}

// noscriptFacts were read by eye: the dateline says "Aug 8, 2016", the meta
// article:published_time is of 2018 and names the latest publication, as the
// page with data shows (its meta is its latestPublishedAt).
func noscriptFacts(*testing.T, string) map[string]fact {
	return map[string]fact{"ac4ec8aee7d1": {"Jakob Ulbrich", time.Time{}, -1, -1, -1}}
}

func TestRecordings(t *testing.T) {
	dir := sharedtest.Path(t, "recordings/medium")
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil || len(files) != len(recordings)+1 {
		t.Errorf("%d files in %s, %d are known and PROVENANCE.md (%v)", len(files), dir, len(recordings), err)
	}
	for _, rec := range recordings {
		data, err := os.ReadFile(filepath.Join(dir, rec.name))
		if err != nil {
			t.Fatal(err)
		}
		facts := rec.facts(t, string(data))
		for _, address := range []string{rec.url, ""} {
			t.Run(rec.name+" "+address, func(t *testing.T) {
				ex := crawlers.Exchange{URL: address, Body: data}
				ref, ok := New().Identify(ex)
				if !ok {
					t.Fatal("Identify refuses it")
				}
				page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
				if err != nil {
					t.Fatal(err)
				}
				if page.Outcome != rec.outcome || len(page.Posts) != len(facts) {
					t.Errorf("outcome %s (%s), %d posts, want %s, %d", page.Outcome, page.Reason, len(page.Posts), rec.outcome, len(facts))
				}
				for i := range page.Posts {
					compare(t, &page.Posts[i], facts)
				}
			})
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
	if p.Account.Name != f.author {
		t.Errorf("%s: author %q, want %q", p.ID, p.Account.Name, f.author)
	}
	if !p.Created.Time.Equal(f.created) {
		t.Errorf("%s: created %v, want %v", p.ID, p.Created, f.created)
	}
	counts := map[string]int64{"claps": -1, "voters": -1, "comments": -1}
	for _, c := range p.Counts {
		counts[c.Name] = c.Value
	}
	if counts["claps"] != f.claps || counts["voters"] != f.voters || counts["comments"] != f.comments {
		t.Errorf("%s: counts %v, want %+v", p.ID, p.Counts, f)
	}
	if p.Kind != post.KindAccount && (p.Text == "" || p.Title == "") {
		t.Errorf("%s: no text or no title", p.ID)
	}
	if strings.Contains(p.Text, "continuing the conversation") {
		t.Errorf("%s: the feed's own sentence is in the text", p.ID)
	}
	for _, m := range p.Media {
		if strings.Contains(m.URL, "/_/stat") {
			t.Errorf("%s: the counting pixel is taken for a picture", p.ID)
		}
	}
}

// TestRecordedDetails checks what was read by eye in the recordings.
func TestRecordedDetails(t *testing.T) {
	read := func(name string) post.Post {
		t.Helper()
		ex := crawlers.Exchange{Body: sharedtest.Read(t, "recordings/medium/"+name)}
		ref, _ := New().Identify(ex)
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
		if err != nil || len(page.Posts) == 0 {
			t.Fatal(name, err)
		}
		return page.Posts[0]
	}
	p := read("post_noscript.html")
	if from, to := p.Created.From.Format(time.DateOnly), p.Created.To.Format(time.DateOnly); p.Created.Raw != "Aug 8, 2016" || from != "2016-08-07" || to != "2016-08-09" || p.Edited.Time.Format(time.RFC3339Nano) != "2018-01-19T17:06:07.358Z" {
		t.Errorf("times %+v, edited %+v", p.Created, p.Edited)
	}
	if !strings.HasPrefix(p.Text, "I’m sure you have seen") || !strings.Contains(p.Text, "attribute=\"option1|option2\"") {
		t.Errorf("text %.200q", p.Text)
	}
	p = read("post_2015_obv.html")
	if len(p.Refs) != 1 || p.Refs[0].Role != post.RoleRepostOf || p.Refs[0].URL != "http://www.courtneykirchoff.com/2011/11/on-behalf-of-literally/" {
		t.Errorf("first published elsewhere: %+v", p.Refs)
	}
	p = read("post_apollo.html")
	if p.Edited.Time.UnixMilli() != 1498064228802 || len(p.Media) != 1 || p.Media[0].URL != "https://miro.medium.com/1*Ac4K68j43uSbvHnKZKfXPw.jpeg" || strings.Join(p.Tags, " ") != "javascript webpack tech technology web-development publication:webpack" {
		t.Errorf("%+v %+v %v", p.Edited, p.Media, p.Tags)
	}
}
