package blogspot

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// expected is what a second extraction finds, that shares no code with Read:
// regular expressions over the bytes, or encoding/json into a map.
type expected struct{ id, author, authorID, created, title, comments string }

func group(re string, s string) string {
	if m := regexp.MustCompile(re).FindStringSubmatch(s); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}

// atomEntries cuts an Atom feed at "<entry>".
func atomEntries(s string) []expected {
	var all []expected
	for _, e := range strings.Split(s, "<entry>")[1:] {
		all = append(all, expected{
			id:       group(`<id>tag:blogger\.com,1999:blog-\d+\.post-(\d+)</id>`, e),
			author:   group(`<author><name>([^<]*)</name>`, e),
			authorID: group(`<uri>https?://www\.blogger\.com/profile/(\d+)</uri>`, e),
			created:  group(`<published>([^<]*)</published>`, e),
			title:    group(`<title[^>]*>([^<]*)</title>`, e),
			comments: group(`<thr:total>(\d+)</thr:total>`, e),
		})
	}
	return all
}

// TestRecordings reads every recording of the platform. A file that this test
// does not know must still end in posts or in an outcome about the target or us.
// addresses are what was asked for; pages name themselves.
var addresses = map[string]string{
	"atom_2014_4fsod.xml":                    "http://4fsodonline.blogspot.com/feeds/posts/default",
	"atom_2016_googleadsdeveloper_label.xml": "http://feeds.feedburner.com/blogspot/lQlzL",
	"api_v3_posts.json":                      "https://www.googleapis.com/blogger/v3/blogs/12345678/posts",
}

func addressOf(name string, body []byte) string {
	if raw := addresses[name]; raw != "" {
		return raw
	}
	if raw := group(`<link href='([^']*)' rel='canonical'`, string(body)); raw != "" {
		return raw
	}
	return "https://example.blogspot.com/"
}

func TestRecordings(t *testing.T) {
	// What was read by eye says so.
	pages := map[string]expected{
		"post_page_2016_siliconexposed.html": {id: "932306423056216142", author: "Andrew Zonenberg", authorID: "16821509563933020441", created: "2016-05-08T00:55:00-07:00", title: "Open Verilog flow for Silego GreenPak4 programmable logic devices"}, // by eye
		"post_page_emacspeak.html":           {id: "4544335809639638846", author: "T. V. Raman", authorID: "03589687652590194428", created: "2019-10-16T14:33:00-07:00", title: "Meta-Programming In Emacs Using Defadvice"},                             // by eye
		"post_page_sibenlab.html":            {id: "1294758272192359323", author: "Unknown", authorID: "15785453578337366424", created: "2018-06-05T08:00:00-07:00", title: "SibenLab privacy policy"},                                                   // by eye; "Unknown" is what the page says
	}
	dir := sharedtest.Path(t, "recordings/blogspot")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := f.Name()
		if name == "PROVENANCE.md" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			body := sharedtest.Read(t, "recordings/blogspot/"+name)
			text := string(body)
			raw := addressOf(name, body)
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
			switch {
			case strings.HasPrefix(text, "<?xml"):
				want = atomEntries(text)
			case strings.HasSuffix(name, ".json"):
				var items []map[string]any
				if err := json.Unmarshal(body, &items); err != nil {
					t.Fatal(err)
				}
				for _, m := range items {
					a := m["author"].(map[string]any)
					want = append(want, expected{id: m["id"].(string), author: a["displayName"].(string), authorID: a["id"].(string), created: m["published"].(string), title: m["title"].(string)})
				}
			default:
				e, ok := pages[name]
				if !ok {
					t.Logf("not known to this test: outcome %s, %d posts", page.Outcome, len(page.Posts))
					return
				}
				want = []expected{e}
			}
			if len(page.Posts) != len(want) {
				t.Fatalf("%d posts, want %d", len(page.Posts), len(want))
			}
			for i, w := range want {
				p := page.Posts[i]
				created, err := time.Parse(time.RFC3339Nano, w.created)
				if err != nil {
					t.Fatal(err)
				}
				if p.ID != w.id || p.Account.Name != w.author || p.Account.ID != w.authorID || !p.Created.Time.Equal(created) || p.Title != strings.TrimSpace(w.title) {
					t.Errorf("post %d: %s by %s (%s) at %v titled %q, want %+v", i, p.ID, p.Account.Name, p.Account.ID, p.Created.Time, p.Title, w)
				}
				got := ""
				if len(p.Counts) > 0 {
					data, _ := json.Marshal(p.Counts[0].Value)
					got = string(data)
				}
				if got != w.comments {
					t.Errorf("post %s: %q comments, want %q", p.ID, got, w.comments)
				}
				if p.Text == "" && len(p.Media) == 0 {
					t.Errorf("post %s has neither text nor media", p.ID)
				}
			}
			if total := group(`<openSearch:totalResults>(\d+)<`, text); total != "" {
				if data, _ := json.Marshal(page.Coverage.Total); string(data) != total || !page.Coverage.Known {
					t.Errorf("coverage %+v, want total %s", page.Coverage, total)
				}
			}
		})
	}
}
