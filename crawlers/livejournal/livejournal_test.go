package livejournal

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/post"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var fetched = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exchange(url string, status int, body []byte, header ...string) crawlers.Exchange {
	h := crawlers.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return crawlers.Exchange{URL: url, Status: status, Header: h, Body: body, FetchedAt: fetched}
}

const rssURL = "https://old-lock.livejournal.com/data/rss"

// cases are our own files, each of a real shape, with the outcome they stand for.
func cases(t testing.TB) []crawlertest.Case {
	const entryURL = "https://old-lock.livejournal.com/51200.html"
	notice := func(s string) []byte {
		return []byte("<!DOCTYPE html><html><head><title>Error</title></head><body><p>" + s + "</p></body></html>")
	}
	board := func(id string) crawlers.Step {
		return crawlers.Step{Ref: boardRef("old_lock", id), Route: routeHTML}
	}
	return []crawlertest.Case{
		{Name: "rss.xml", Exchange: exchange(rssURL, 200, read(t, "rss.xml")), Outcome: post.OKPartial, Posts: 4},
		{Name: "atom.xml", Exchange: exchange("https://lock-keepers.livejournal.com/data/atom", 200, read(t, "atom.xml")), Outcome: post.OKPartial, Posts: 2},
		{Name: "page_new.html", Exchange: exchange(entryURL, 200, read(t, "page_new.html")), Outcome: post.OKPartial, Posts: 5},
		{Name: "page_old.html", Exchange: exchange("http://old-lock.livejournal.com/4096.html", 200, read(t, "page_old.html")), Outcome: post.OK, Posts: 1},
		{Name: "page_list.html", Exchange: exchange("https://old-lock.livejournal.com/", 200, read(t, "page_list.html")), Outcome: post.OKMetaOnly, Posts: 2},
		{Name: "page_year.html", Step: board("2024"), Exchange: exchange("https://old-lock.livejournal.com/2024/", 200, read(t, "page_year.html")), Outcome: post.OKMetaOnly},

		{Name: "page of another entry than asked", Step: crawlers.Step{Ref: postRef("old_lock", "9")}, Exchange: exchange("https://old-lock.livejournal.com/9.html", 200, read(t, "page_new.html")), Outcome: post.LayoutChanged},
		{Name: "page of a repost", Step: crawlers.Step{Ref: postRef("gate_fan", "9")}, Exchange: exchange("https://gate-fan.livejournal.com/9.html", 200, read(t, "page_new.html")), Outcome: post.OKPartial, Posts: 6},
		{Name: "feed without entries", Exchange: exchange(rssURL, 200, []byte(`<?xml version="1.0"?><rss version="2.0"><channel><title>x</title><link>https://old-lock.livejournal.com/</link></channel></rss>`)), Outcome: post.OK},
		{Name: "suspended", Exchange: exchange("https://old-lock.livejournal.com/", 403, notice("This journal has been suspended.")), Outcome: post.Suspended},
		{Name: "suspended by flag", Exchange: exchange(entryURL, 404, []byte(`<html><script>Site.journal = {"id":1,"username":"old_lock","is_suspended":true};</script></html>`)), Outcome: post.Suspended},
		{Name: "purged", Exchange: exchange("https://old-lock.livejournal.com/", 410, notice("This journal has been deleted and purged.")), Outcome: post.Deleted},
		{Name: "friends only", Exchange: exchange(entryURL, 403, notice("You do not have permission to view this entry.")), Outcome: post.Private},
		{Name: "adult notice", Exchange: exchange(entryURL, 302, nil, "Location", "https://www.livejournal.com/misc/adult_concepts.bml?ret=https://old-lock.livejournal.com/51200.html"), Outcome: post.AgeGated},
		{Name: "login", Exchange: exchange(entryURL, 302, nil, "Location", "https://www.livejournal.com/login.bml?returnto=x"), Outcome: post.LoginWall},
		{Name: "bots", Exchange: exchange(entryURL, 403, notice("If you are running a bot please visit http://www.livejournal.com/bots/")), Outcome: post.Blocked},
		{Name: "not found", Exchange: exchange(entryURL, 404, notice("404")), Outcome: post.NotFound},
		{Name: "renamed", Exchange: exchange("https://old-lock.livejournal.com/", 301, nil, "Location", "https://new-lock.livejournal.com/"), Outcome: post.OK},
		{Name: "syndicated", Step: crawlers.Step{Ref: journalRef("rss_news")}, Exchange: exchange("https://rss-news.livejournal.com/data/rss", 302, nil, "Location", "https://news.example/rss"), Outcome: post.OK},
		{Name: "to https", Exchange: exchange("http://old-lock.livejournal.com/51200.html", 301, nil, "Location", entryURL), Outcome: post.OK},
		{Name: "too many requests", Exchange: exchange(rssURL, 429, []byte("slow down")), Outcome: post.RateLimited},
		{Name: "HTML where a feed was due", Exchange: exchange(rssURL, 200, notice("Welcome to the hotel")), Outcome: post.LayoutChanged},
		{Name: "thread", Step: crawlers.Step{Ref: postRef("old_lock", "51200"), Route: routeHTML, Role: crawlers.RoleComments}, Exchange: exchange("https://old-lock.livejournal.com/__rpc_get_thread?journal=old_lock&itemid=51200&thread=2900", 200, []byte(`{"comments":[{"dtalkid":3156,"parent":2900,"uname":"old_lock","loaded":1,"article":"Да","ctime_ts":1714629600}]}`)), Outcome: post.OK, Posts: 1},
	}
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{"https://old-lock.livejournal.com/", "http://OLD-LOCK.livejournal.com", "http://www.livejournal.com/users/old_lock/", "https://www.livejournal.com/~old_lock", "https://users.livejournal.com/old_lock/", "https://old-lock.livejournal.com/profile", "https://old-lock.livejournal.com/data/rss", "https://old-lock.livejournal.com/data/atom", "https://old-lock.livejournal.com/?skip=20", "https://m.livejournal.com/read/user/old_lock", "https://www.livejournal.com/userinfo.bml?user=old_lock", "https://old-lock.livejournal.com/?style=mine"},
			{"https://users.livejournal.com/_odd_name_/", "https://www.livejournal.com/users/_odd_name_"},
			{"https://ext-123.livejournal.com/", "https://users.livejournal.com/ext_123/"},
			{"https://lock-keepers.livejournal.com/", "https://community.livejournal.com/lock_keepers/", "https://www.livejournal.com/community/lock_keepers/"},
			{"https://old-lock.livejournal.com/51200.html", "http://www.livejournal.com/users/old_lock/51200.html", "https://old-lock.livejournal.com/51200.html?style=light&format=light", "https://old-lock.livejournal.com/51200.html?nojs=1&page=2#comments", "https://old-lock.livejournal.com/51200.html?view=comments", "https://m.livejournal.com/read/user/old-lock/51200", "https://old-lock.livejournal.com/data/rss?itemid=51200", "https://users.livejournal.com/old_lock/51200.html"},
			{"https://old-lock.livejournal.com/51200.html?thread=2900", "https://old-lock.livejournal.com/51200.html?thread=2900#t2900", "http://www.livejournal.com/users/old_lock/51200.html?thread=2900&style=mine"},
			{"https://users.livejournal.com/_odd_name_/7.html", "https://www.livejournal.com/users/_odd_name_/7.html"},
			{"https://old-lock.livejournal.com/tag/%D1%80%D0%B5%D0%BA%D0%B8", "https://old-lock.livejournal.com/tag/реки/", "https://old-lock.livejournal.com/data/rss?tag=реки", "https://old-lock.livejournal.com/tag/реки?skip=20"},
			{"https://old-lock.livejournal.com/2024/05/02/", "https://old-lock.livejournal.com/2024/5/2"},
			{"https://old-lock.livejournal.com/2024/05/", "https://old-lock.livejournal.com/2024/05"},
			{"https://old-lock.livejournal.com/2024/", "https://old-lock.livejournal.com/calendar/2024/"},
			{"https://old-lock.livejournal.com/calendar"},
		},
		ForeignURLs: []string{"https://www.livejournal.com/", "https://www.livejournal.com/login.bml", "https://www.livejournal.com/media/nauka", "https://l-userpic.livejournal.com/1/2", "https://ic.pics.livejournal.com/x/1/1/1_original.jpg", "https://old-lock.dreamwidth.org/1.html", "https://livejournal.example/1.html"},
		Exchanges:   cases(t),
		Foreign: []crawlers.Exchange{
			exchange("https://ana.example/51200.html", 200, []byte(`<html><link rel="canonical" href="https://old-lock.livejournal.com/51200.html"></html>`)),
			exchange("https://ana.example/rss", 200, read(t, "rss.xml")),
		},
	})
}

func TestLocalTimes(t *testing.T) {
	for words, from := range map[string]string{ // the start of the interval: the clock in UTC, less 14 hours
		"12 апреля 2018, 07:22":                  "2018-04-11T17:22:00Z",
		"April 12 2018, 07:22":                   "2018-04-11T17:22:00Z",
		"March 3rd, 2013, 09:44 pm":              "2013-03-03T07:44:00Z",
		"Mar. 3rd, 2013 at 9:44 AM":              "2013-03-02T19:44:00Z",
		"2018-04-12 07:22:05":                    "2018-04-11T17:22:05Z",
		"2 травня 2024":                          "2024-05-01T10:00:00Z",
		"12th May, 2009. 12:05 am":               "2009-05-11T10:05:00Z",
		"yesterday":                              "",
		"Posted on the 99th of May 2009 at noon": "",
	} {
		got := ""
		if at := local(words); !at.IsZero() {
			got = at.From.Format(time.RFC3339)
			if at.Raw != words || at.To.Before(at.From.Add(26*time.Hour)) || !at.Time.IsZero() {
				t.Errorf("%q: %+v", words, at)
			}
		}
		if got != from {
			t.Errorf("%q is from %s, want %s", words, got, from)
		}
	}
}

func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }

func TestGolden(t *testing.T) {
	for _, k := range cases(t) {
		if !strings.Contains(k.Name, ".") {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			step := k.Step
			if step.Ref.ID == "" {
				step.Ref, _ = New().Identify(k.Exchange)
			}
			page, err := crawlers.Read(New(), step, k.Exchange)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			fmt.Fprintf(&b, "ref %s\noutcome %s %s\ncoverage %+v\n", step.Ref.Key(), page.Outcome, page.Reason, page.Coverage)
			for _, id := range page.Identities {
				fmt.Fprintf(&b, "identity %s %s = %s\n", id.Kind, id.Alias, id.ID)
			}
			for _, n := range page.Next {
				req, err := New().Request(n)
				fmt.Fprintf(&b, "next %s\n     %s %v\n", n.Key(), req.URL, err)
			}
			for _, a := range page.Assets {
				fmt.Fprintf(&b, "asset %s %s of %s\n", a.Kind, a.URL, a.Post)
			}
			for _, p := range page.Posts {
				data, err := json.MarshalIndent(p, "", " ")
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "%s\n", data)
			}
			name := filepath.Join("testdata", k.Name+".golden")
			if *update {
				if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, b.Bytes()) {
				t.Errorf("differs from %s (go test -update rewrites it):\n%s", name, b.Bytes())
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, k := range cases(f) {
		f.Add(k.Exchange.URL, k.Exchange.Body)
	}
	f.Fuzz(func(t *testing.T, raw string, body []byte) {
		ex := crawlers.Exchange{URL: raw, Status: 200, Body: body}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = journalRef("old_lock")
		}
		page, err := New().Read(crawlers.Step{Ref: ref}, ex)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Posts {
			if _, err := json.Marshal(p); err != nil || p.ID == "" {
				t.Fatalf("post %q: %v", p.ID, err)
			}
		}
		for _, n := range page.Next {
			if _, err := New().Request(n); err != nil {
				t.Fatal(err)
			}
		}
	})
}
