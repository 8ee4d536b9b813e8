package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/all"
	"github.com/refrain-archive/refrain/post"
)

// The ids, contacts and links of a page go all the way: collected, kept, shown
// with the account and found by search, the same after a rebuild.
func TestTracesOfACollectedPage(t *testing.T) {
	t.Parallel()
	page := func(title, ids string) string {
		return `<!doctype html><html lang="en"><head><title>` + title + `</title><script>` + ids + `</script></head><body><article><h1>` + title + `</h1>
<p>The harbour bridge will close in March, says the council, and the ferry will run every hour until the works are done; the tickets of one are good for the other, also at night.</p>
<p>Write to desk@harbour-times.example or <a href="https://t.me/HarbourTimes">on Telegram</a>. More stands <a href="https://ferry.example/timetable">in the timetable</a>.</p></article></body></html>`
	}
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/b" {
			_, _ = w.Write([]byte(page("Ferry", `ga('create','UA-7654321-2')`)))
			return
		}
		_, _ = w.Write([]byte(page("Bridge", `ga('create','UA-7654321-1'); ym(45678901, "init")`)))
	}), func() {})
	d := newDesk(t, s, "")
	d.must(t, exitDone, "collect", "https://harbour-times.example/a", "https://harbour-times.example/b")

	look := func() string {
		out, _ := d.must(t, exitDone, "--json", "show", "web:harbour-times.example")
		var got shown
		if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Accounts) != 1 {
			t.Fatalf("%v\n%s", err, out)
		}
		posts := map[string]int{}
		for _, x := range got.Accounts[0].Traces {
			if x.Record == "" || x.FirstSeen.IsZero() {
				t.Errorf("%+v has no record or time", x)
			}
			posts[x.Kind+" "+x.Value] = x.Posts
		}
		for name, n := range map[string]int{"domain ferry.example": 2, "domain t.me": 2, "telegram harbourtimes": 2, "email desk@harbour-times.example": 2, "analytics UA-7654321-1": 1, "analytics UA-7654321-2": 1, "analytics yandex-metrica-45678901": 1} {
			if posts[name] != n {
				t.Errorf("%s is on %d posts, want %d", name, posts[name], n)
			}
		}
		if len(posts) != 7 {
			t.Errorf("%d traces: %v", len(posts), posts)
		}
		for query, n := range map[string]int{"trace:UA-7654321-1": 1, "trace:https://t.me/harbourtimes": 2, "has:analytics": 2, "has:wallet": 0, "tag:analytics:UA-7654321-2": 1} {
			if found, _ := d.must(t, exitDone, "--json", "search", query); strings.Count(found, "\n") != n {
				t.Errorf("search %s finds %d posts, want %d", query, strings.Count(found, "\n"), n)
			}
		}
		words, _ := d.must(t, exitDone, "show", "web:harbour-times.example")
		for _, w := range []string{"links to:", "ferry.example", "email:", "analytics ids of its pages:", "2 posts, first in urn:uuid:"} {
			if !strings.Contains(words, w) {
				t.Errorf("show does not say %q:\n%s", w, words)
			}
		}
		return out
	}
	before := look()
	d.must(t, exitDone, "rebuild")
	if after := look(); after != before {
		t.Errorf("after a rebuild\n%s\nbefore\n%s", after, before)
	}
	if code, _, errs := d.run(t, "search", "has:everything"); code != exitUsage || !strings.Contains(errs, "has:contact") {
		t.Errorf("has:everything: exit code %d, %s", code, errs)
	}
}

// An alias that the platform's own addresses have is followed to its post.
func TestShowByAlias(t *testing.T) {
	t.Parallel()
	store, err := corpus.Open(t.Context(), t.TempDir()+"/corpus.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // nothing is written any more
	for i, x := range []struct {
		p    post.Post
		kind string
		name string
	}{
		{post.Post{Platform: "blogspot", ID: "5001", URL: "https://mira.blogspot.com/2020/01/fog.html"}, "post", "mira.blogspot.com/2020/01/fog.html"},
		{post.Post{Platform: "blogspot", ID: "5002", URL: "https://fog.example/2020/01/fog.html"}, "post", "fog.example/2020/01/fog.html"},
		{post.Post{Platform: "quora", ID: "7001", URL: "https://www.quora.com/Why-does-fog-gather"}, "question", "Why-does-fog-gather-in-a-harbour"},
		{post.Post{Platform: "x", ID: "1763474251576246273", URL: "https://x.com/mira/status/1763474251576246273"}, "short", "AbCdEfGhIj"},
		{post.Post{Platform: "facebook", ID: "1001", URL: "https://www.facebook.com/harbour/posts/1001"}, "post", "pfbid02NZ7EFa3mUPxFVkV2Rk8iFVXvJBfBzxQ2mJ3kGhVxEHtX6m9JdQe1aB5cD7fG9hL"},
	} {
		x.p.Kind, x.p.Reader, x.p.Outcome, x.p.Capture.RecordID = post.KindPost, x.p.Platform+"/1", post.OK, "urn:uuid:"+x.p.ID
		f := corpus.Fetch{Record: x.p.Capture.RecordID, URL: "https://x.example/", Platform: x.p.Platform, Outcome: post.OK, Line: json.RawMessage("{}"), Posts: []post.Post{x.p},
			Identities: []corpus.Identity{{Kind: x.kind, Alias: x.name, ID: x.p.ID}, {Kind: "group", Alias: "seawall", ID: "t5_" + x.p.ID}}}
		if err := store.Ingest(t.Context(), corpus.Batch{Fetches: []corpus.Fetch{f}}); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	for text, want := range map[string]string{
		"http://mira.blogspot.com/2020/01/fog.html?m=1":                                   "blogspot:5001",
		"https://fog.example/2020/01/fog.html":                                            "blogspot:5002",
		"https://www.fog.example/2020/01/fog.html":                                        "",
		"https://www.quora.com/Why-does-fog-gather-in-a-harbour":                          "quora:7001",
		"https://t.co/AbCdEfGhIj":                                                         "x:1763474251576246273",
		"facebook:pfbid02NZ7EFa3mUPxFVkV2Rk8iFVXvJBfBzxQ2mJ3kGhVxEHtX6m9JdQe1aB5cD7fG9hL": "facebook:1001",
		"https://www.facebook.com/permalink.php?story_fbid=pfbid02NZ7EFa3mUPxFVkV2Rk8iFVXvJBfBzxQ2mJ3kGhVxEHtX6m9JdQe1aB5cD7fG9hL&id=100": "facebook:1001",
	} {
		s, err := look(t.Context(), store, showCmd{Name: text}.names(all.Collectors()))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, v := range s.Posts {
			got += v.Post.Key()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	s, err := look(t.Context(), store, showCmd{Name: "https://www.reddit.com/r/seawall/"}.names(all.Collectors()))
	if err != nil || len(s.Aliases) != 0 { // those of the made posts are of other platforms
		t.Errorf("%+v %v", s.Aliases, err)
	}
	if s, err = look(t.Context(), store, showCmd{Name: "quora:seawall"}.names(all.Collectors())); err != nil || len(s.Aliases) != 1 || s.Aliases[0].ID != "t5_7001" {
		t.Errorf("%+v %v", s.Aliases, err)
	}
}

// An identity may lead to another name of an account instead of its id.
func TestIsHandle(t *testing.T) {
	for _, x := range []struct {
		alias, id, url string
		want           bool
	}{
		{"mira_okafor", "1500000000000000001", "https://x.com/mira_okafor", false},
		{"mira", "9aab01cd23ef", "https://medium.com/@mira", false},
		{"harbour.blogspot.com", "8070105920543249955", "https://harbour.blogspot.com/", false},
		{"harbour.blogspot.com", "fog.example", "https://fog.example/", true},
		{"blog.ana.example", "ana", "https://www.tumblr.com/ana", true},
		{"ana", "t:Abc-123", "https://www.tumblr.com/ana", false},
		{"oldname", "newname", "https://newname.livejournal.com/", true},
		{"newname", "4711", "https://newname.livejournal.com/", false},
		{"mira@harbour.example", "109000000000000001@harbour.example", "https://harbour.example/@mira", false},
		{"MS4wLjABAAAAq1w2e3r4t5y6u7i8o9p0a-Quay", "6781206617314018309", "https://www.tiktok.com/@mira.quay", false},
		{"mira_okafor", "870000000000000011", "https://www.pinterest.com/mira_okafor/", false},
		{"Mira-Okafor-2", "41", "https://www.quora.com/profile/Mira-Okafor-2", false},
		{"anna_lind", "t2_2anna", "https://www.reddit.com/user/anna_lind/", false},
		{"6817008011190813702", "mira.quay", "https://www.tiktok.com/@mira.quay/video/7300000000000000001", true},
		{"@harbour", "UC0123456789abcdefghijkl", "https://www.youtube.com/channel/UC0123456789abcdefghijkl", false},
	} {
		if got := isHandle(all.Collectors(), crawlers.Identity{Kind: crawlers.RefAccount, Alias: x.alias, ID: x.id, URL: x.url}); got != x.want {
			t.Errorf("%s → %s at %s: %v, want %v", x.alias, x.id, x.url, got, x.want)
		}
	}
}

// Targets of one platform that need different second routes are asked in
// different runs, each by its own.
func TestSecondRounds(t *testing.T) {
	target := func(seed, platform string, kind crawlers.RefKind, outcome post.Outcome, tried ...string) crawlers.TargetSummary {
		s := crawlers.TargetSummary{Target: crawlers.Target{Seed: seed, Ref: crawlers.Ref{Platform: platform, Kind: kind}, Outcome: outcome}}
		for _, r := range tried {
			s.Routes = append(s.Routes, crawlers.RouteTried{Route: r})
		}
		return s
	}
	list := []crawlers.Collector{sheet{nil, "plaza", []string{"html", "feed", "embed"}}, sheet{nil, "quay", []string{"page", "json"}}}
	rounds := secondRounds(list, []crawlers.TargetSummary{
		target("https://plaza.example/1", "plaza", crawlers.RefPost, post.NotFound, "html"),
		target("https://plaza.example/2", "plaza", crawlers.RefPost, post.NotFound, "html", "feed"),
		target("https://plaza.example/3", "plaza", crawlers.RefPost, post.Deleted, "feed"),
		target("https://plaza.example/4", "plaza", crawlers.RefPost, post.NotFound, "html"),
		target("https://plaza.example/5", "plaza", crawlers.RefPost, post.LoginWall, "html"),
		target("https://plaza.example/6", "plaza", crawlers.RefPost, post.NotFound, "html", "feed", "embed"),
		target("https://quay.example/1", "quay", crawlers.RefPost, post.NotFound, "page"),
	}, func(string) bool { return false })
	asked := map[string]string{}
	for _, r := range rounds {
		for _, s := range r.seeds {
			platform, _, _ := strings.Cut(s.URL.Hostname(), ".")
			asked[s.Text] += strings.Join(r.routes[platform], ",")
		}
	}
	want := map[string]string{"https://plaza.example/1": "feed", "https://plaza.example/2": "embed", "https://plaza.example/3": "html", "https://plaza.example/4": "feed", "https://quay.example/1": "json"}
	compare(t, "second routes", asked, want)
	if len(rounds) != 3 {
		t.Errorf("%d runs, want 3", len(rounds))
	}
}

// A sheet is a collector of which only the data sheet is asked.
type sheet struct {
	crawlers.Collector
	platform string
	routes   []string
}

func (s sheet) About() crawlers.About {
	about := crawlers.About{Platform: s.platform}
	for _, r := range s.routes {
		about.Routes = append(about.Routes, crawlers.Route{Name: r})
	}
	return about
}
