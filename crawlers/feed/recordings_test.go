package feed_test

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// Feeds of real platforms, against a second extraction that knows nothing of
// XML: patterns over the bytes for items, ids, dates and titles.
func TestRecordings(t *testing.T) {
	for _, test := range []struct {
		file          string
		item, id      string // patterns; the first group of id is the id
		date          string // pattern of the date of publication
		first, author string // title and author of the first item, read by eye
		created       string // of the first item, read by eye
		next          bool
	}{
		{file: "blogspot/atom_2014_4fsod.xml", item: `(?s)<entry>.*?</entry>`, id: `<id>(.*?)</id>`, date: `<published>(.*?)</published>`, first: "4FSOD Documentary: Bloopers and Stuff", author: "Anthony", created: "2007-12-15T07:15:00Z", next: true},
		{file: "blogspot/atom_2016_googleadsdeveloper_label.xml", item: `(?s)<entry.*?</entry>`, id: `<id>(.*?)</id>`, date: `<published>(.*?)</published>`, first: "AdWords and DFP Java client library will soon require Java 7+", author: "Google Ads Developer Advisor", created: "2016-06-03T14:38:00Z", next: true},
		{file: "livejournal/rss_2004_kyq.xml", item: `(?s)<item>.*?</item>`, id: `<guid[^>]*>(.*?)</guid>`, date: `<pubDate>(.*?)</pubDate>`, author: "ore_wa@yahoo.com", created: "2004-11-01T10:27:18Z"},
		{file: "medium/feed_publication_tag_2018.xml", item: `(?s)<item>.*?</item>`, id: `<guid[^>]*>(.*?)</guid>`, date: `<pubDate>(.*?)</pubDate>`, first: "THE CREATIVE FORAGER", author: "Jeremy Puma", created: "2018-04-09T18:55:38Z"},
		{file: "reddit/rss_home_atom_2016.xml", item: `(?s)<entry>.*?</entry>`, id: `<id>(.*?)</id>`, date: `<published>(.*?)</published>|<updated>(.*?)</updated>`, first: "How the British as seen by Americans and Europeans", author: "/u/AngryRedditorsBelow", created: "2016-01-26T20:31:34Z"},
		{file: "reddit/rss_home_rss2_2015.xml", item: `(?s)<item>.*?</item>`, id: `<guid[^>]*>(.*?)</guid>`, date: `<pubDate>(.*?)</pubDate>`, first: "The water is too deep, so he improvises", author: "reddit: the front page of the internet", created: "2015-11-12T21:16:39Z"},
		{file: "reddit/rss_r_homelab_atom_2023.xml", item: `(?s)<entry>.*?</entry>`, id: `<id>(.*?)</id>`, date: `<published>(.*?)</published>`, first: "Any reason to keep 1G connections to my servers?", author: "/u/Remarkable_Housing61", created: "2023-07-23T17:38:30Z"},
		{file: "youtube/feed_google_channel.xml", item: `(?s)<entry>.*?</entry>`, id: `<id>(.*?)</id>`, date: `<published>(.*?)</published>`, first: "The Google app: Questions Title", author: "Google", created: "2015-05-04T00:01:27Z"},
	} {
		t.Run(test.file, func(t *testing.T) {
			body := sharedtest.Read(t, "recordings/"+test.file)
			got := read(t, crawlers.Exchange{URL: "https://feeds.example/feed", Status: 200, Body: body}, "")
			raw := regexp.MustCompile(test.item).FindAllString(string(body), -1)
			posts := items(got)
			if got.Outcome != post.OK || len(posts) != len(raw) || len(raw) == 0 {
				t.Fatalf("outcome %s (%s), %d items, %d in the bytes", got.Outcome, got.Reason, len(posts), len(raw))
			}
			if got.Coverage.Served != len(raw) || (len(got.Next) == 1) != test.next || got.Coverage.Window == test.next {
				t.Errorf("coverage %+v, %d steps", got.Coverage, len(got.Next))
			}
			for i, r := range raw {
				id := html.UnescapeString(regexp.MustCompile(test.id).FindStringSubmatch(r)[1])
				if posts[i].ID != id && posts[i].ID != "feeds.example#"+id {
					t.Errorf("item %d: id %q, in the bytes %q", i, posts[i].ID, id)
				}
				if m := regexp.MustCompile(test.date).FindStringSubmatch(r); (m != nil) == posts[i].Created.IsZero() {
					t.Errorf("item %d: created %+v, in the bytes %q", i, posts[i].Created, m)
				}
				if m := regexp.MustCompile(`(?s)<title[^>]*>\s*(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</title>`).FindStringSubmatch(r); m != nil {
					want := strings.Join(strings.Fields(html.UnescapeString(html.UnescapeString(m[1]))), " ")
					if posts[i].Title != want {
						t.Errorf("item %d: title %q, in the bytes %q", i, posts[i].Title, want)
					}
				}
			}
			p := posts[0]
			created := p.Created.Time.Format("2006-01-02T15:04:05Z07:00")
			if p.Title != test.first || p.Account.Name != test.author || created != test.created {
				t.Errorf("first item: title %q, author %q, created %s", p.Title, p.Account.Name, created)
			}
			if p.Text == "" || strings.Contains(p.Text, "<p>") || strings.Contains(p.Text, "&amp;") {
				t.Errorf("first item: text %.200q", p.Text)
			}
		})
	}
}

// Recordings that are no feeds are told so.
func TestNoFeeds(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "recordings"), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, ".xml") {
			continue
		}
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, crawlers.Exchange{URL: "https://feeds.example/feed", Status: 200, Body: body}, ""); got.Outcome.Scope() == post.ScopeServed || len(got.Posts) != 0 || got.Reason == "" {
			t.Errorf("%s: outcome %s (%s), %d posts", name, got.Outcome, got.Reason, len(got.Posts))
		}
	}
}
