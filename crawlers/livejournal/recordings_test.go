package livejournal

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

func recording(t *testing.T, name, raw string) (crawlers.Page, string) {
	t.Helper()
	body := sharedtest.Read(t, "recordings/livejournal/"+name)
	ex := crawlers.Exchange{URL: raw, Body: body}
	ref, ok := New().Identify(ex)
	if !ok {
		t.Fatalf("Identify refuses %s", raw)
	}
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
	if err != nil {
		t.Fatal(err)
	}
	return page, string(body)
}

// addresses are what was asked for.
var addresses = map[string]string{
	"post_page_2018_lozga_170880.html": "https://lozga.livejournal.com/170880.html",
	"rss_2004_kyq.xml":                 "http://www.livejournal.com/users/kyq/data/rss",
}

func addressOf(name string) string {
	if raw := addresses[name]; raw != "" {
		return raw
	}
	return "https://example.livejournal.com/"
}

// TestRecordings: no recording may end without posts or a reason.
func TestRecordings(t *testing.T) {
	files, err := os.ReadDir(sharedtest.Path(t, "recordings/livejournal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() == "PROVENANCE.md" {
			continue
		}
		page, _ := recording(t, f.Name(), addressOf(f.Name()))
		if page.Outcome.Scope() == post.ScopeReader || page.Outcome.Scope() == post.ScopeServed && len(page.Posts) == 0 {
			t.Errorf("%s: outcome %s (%s) with %d posts", f.Name(), page.Outcome, page.Reason, len(page.Posts))
		}
	}
}

// TestRecordedRSS compares with what regular expressions cut out of the feed.
func TestRecordedRSS(t *testing.T) {
	page, text := recording(t, "rss_2004_kyq.xml", "http://www.livejournal.com/users/kyq/data/rss")
	items := strings.Split(text, "<item>")[1:]
	if len(page.Posts) != len(items) || len(items) == 0 {
		t.Fatalf("%d posts, the feed has %d items", len(page.Posts), len(items))
	}
	cut := func(re, s string) string {
		if m := regexp.MustCompile(re).FindStringSubmatch(s); m != nil {
			return html.UnescapeString(m[1])
		}
		return ""
	}
	for i, it := range items {
		p := page.Posts[i]
		at, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", cut(`<pubDate>([^<]*)<`, it))
		if err != nil {
			t.Fatal(err)
		}
		want := "kyq:" + cut(`/kyq/(\d+)\.html`, it)
		if p.ID != want || !p.Created.Time.Equal(at) || p.Title != cut(`<title>([^<]*)<`, it) || p.Account.Handle != "kyq" || p.Text == "" && len(p.Media) == 0 {
			t.Errorf("item %d: %s at %v titled %q by %s, want %s at %v", i, p.ID, p.Created.Time, p.Title, p.Account.Handle, want, at)
		}
		data, _ := json.Marshal(p)
		if strings.Contains(string(data), "@yahoo.com") {
			t.Errorf("item %d carries an e-mail address", i)
		}
	}
	if last := page.Posts[len(page.Posts)-1]; last.Title != "お前はなぜここに？！" || len(last.Media) != 1 { // read by eye
		t.Errorf("last item %q with %d media", last.Title, len(last.Media))
	}
}

// TestRecordedPage compares with the page's script, cut out and walked as plain
// maps, and with what was read by eye.
func TestRecordedPage(t *testing.T) {
	page, text := recording(t, "post_page_2018_lozga_170880.html", "https://lozga.livejournal.com/170880.html")
	p := page.Posts[0]
	// By eye: title, poster, local time "12 апреля 2018, 07:22" (Moscow, 04:22 UTC), 226 comments, one tag, journal id 3516068.
	if p.ID != "lozga:170880" || p.Title != "Концепция космического реализма" || p.Account.Handle != "lozga" || p.Account.ID != "3516068" {
		t.Errorf("entry %s %q by %s (%s)", p.ID, p.Title, p.Account.Handle, p.Account.ID)
	}
	truth := time.Date(2018, 4, 12, 4, 22, 0, 0, time.UTC)
	if p.Created.Raw != "12 апреля 2018, 07:22" || p.Created.From.After(truth) || p.Created.To.Before(truth) || !p.Created.Time.IsZero() {
		t.Errorf("created %+v", p.Created)
	}
	if len(p.Counts) != 1 || p.Counts[0].Value != 226 || len(p.Tags) != 1 || p.Tags[0] != "мысли о будущем космонавтики" {
		t.Errorf("counts %+v, tags %q", p.Counts, p.Tags)
	}
	if !strings.HasPrefix(p.Text, "В канун Дня космонавтики чаще начинают задумываться") || !strings.Contains(p.Text, "Границы экспансии") {
		t.Errorf("text begins %.80q", p.Text)
	}
	if page.Outcome != post.OKPartial {
		t.Errorf("outcome %s", page.Outcome)
	}
	start := strings.Index(text, "Site.page = {") + len("Site.page = ")
	var data struct {
		Comments []map[string]any `json:"comments"`
	}
	if err := json.NewDecoder(strings.NewReader(text[start:])).Decode(&data); err != nil {
		t.Fatal(err)
	}
	comments := page.Posts[1:]
	i, loaded := 0, 0
	for _, row := range data.Comments {
		id, ok := row["dtalkid"].(float64)
		if !ok {
			continue
		}
		if i >= len(comments) {
			t.Fatalf("only %d comments", len(comments))
		}
		c := comments[i]
		i++
		want := "lozga:170880:" + strconv.FormatInt(int64(id), 10)
		if c.ID != want || c.Account.Handle != row["uname"] || c.Created.Time.Unix() != int64(row["ctime_ts"].(float64)) || c.Thread != "lozga:170880" {
			t.Errorf("comment %d is %s by %s at %v, want %s by %v", i, c.ID, c.Account.Handle, c.Created.Time, want, row["uname"])
		}
		parent := ""
		for _, r := range c.Refs {
			if r.Role == post.RoleReplyTo {
				parent = r.ID
			}
		}
		if n := int64(row["parent"].(float64)); n == 0 && parent != "" || n != 0 && parent != "lozga:170880:"+strconv.FormatInt(n, 10) {
			t.Errorf("comment %s answers %q, want %d", c.ID, parent, n)
		}
		if row["loaded"].(float64) == 1 {
			loaded++
			if c.Outcome != post.OK || c.Text == "" && len(c.Media) == 0 {
				t.Errorf("comment %s is %s with text %q", c.ID, c.Outcome, c.Text)
			}
		} else if c.Outcome != post.OKMetaOnly {
			t.Errorf("comment %s has no text on the page and is %s", c.ID, c.Outcome)
		}
	}
	if i != len(comments) || i != 89 || loaded != 28 { // 91 rows, two of them "more" stubs: by eye
		t.Errorf("%d comments, %d rows, %d loaded", len(comments), i, loaded)
	}
	second := false
	for _, n := range page.Next {
		req, err := New().Request(n)
		if err != nil {
			t.Fatal(err)
		}
		second = second || req.URL == "https://lozga.livejournal.com/170880.html?page=2"
	}
	if !second {
		t.Error("the second page of comments is not a next step")
	}
	all, _ := json.Marshal(page)
	if strings.Contains(string(all), "94.19.") { // the saver's address stands in the page's script
		t.Error("an IP address was taken over")
	}
}
