package mastodon

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

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exchange(address string, status int, body []byte, header ...string) crawlers.Exchange {
	h := crawlers.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return crawlers.Exchange{URL: address, Status: status, Header: h, Body: body, FetchedAt: fetched}
}

const (
	home   = "https://harbour.example"
	mira   = home + "/@mira"
	fog    = mira + "/113500000000000009"
	lookup = home + "/api/v1/accounts/lookup?acct=mira"
	list   = home + "/api/v1/accounts/109000000000000001/statuses?limit=40"
	single = home + "/api/v1/statuses/113500000000000009"
)

// native is the account as the look-up names it.
func native() crawlers.Ref {
	r := accountRef("mira", "harbour.example")
	r.ID, r.Alias = "109000000000000001@harbour.example", false
	return r
}

// cases are our own files, each of a real shape, with the outcome they stand
// for; those with a dot in their name have a golden file.
func cases(t testing.TB) []crawlertest.Case {
	page := func(title string) []byte {
		return []byte("<!DOCTYPE html><html><head><title>" + title + "</title></head><body><p>Hello</p></body></html>")
	}
	refused := func(words string) []byte { return fmt.Appendf(nil, `{"error":%q}`, words) }
	account := crawlers.Step{Ref: accountRef("mira", "harbour.example"), Route: routeAPI}
	status := crawlers.Step{Ref: postRef("mira", "113500000000000009", "harbour.example"), Route: routeAPI}
	comments := status
	comments.Role = crawlers.RoleComments
	return []crawlertest.Case{
		{Name: "lookup.json", Step: account, Exchange: exchange(lookup, 200, file(t, "lookup.json")), Outcome: post.OK, Posts: 1},
		{Name: "lookup_suspended.json", Step: crawlers.Step{Ref: accountRef("bad", "harbour.example")}, Exchange: exchange(home+"/api/v1/accounts/lookup?acct=bad", 200, file(t, "lookup_suspended.json")), Outcome: post.Suspended, Posts: 1},
		{Name: "statuses.json", Step: crawlers.Step{Ref: native(), Route: routeAPI}, Exchange: exchange(list, 200, file(t, "statuses.json"), "Link", `<https://harbour.example/api/v1/accounts/109000000000000001/statuses?max_id=113500000000000005>; rel="next", <https://harbour.example/x>; rel="prev"`), Outcome: post.OK, Posts: 6},
		{Name: "status.json", Step: status, Exchange: exchange(single, 200, file(t, "status.json")), Outcome: post.OK, Posts: 1},
		{Name: "status_remote.json", Step: crawlers.Step{Ref: match(t, home+"/@jon@quay.example/113400000000000100")}, Exchange: exchange(home+"/api/v1/statuses/113400000000000100", 200, file(t, "status_remote.json")), Outcome: post.OK, Posts: 1},
		{Name: "status_other.json", Exchange: exchange(home+"/api/v1/statuses/113500000000000004", 200, file(t, "status_other.json")), Outcome: post.OK, Posts: 1},
		{Name: "context.json", Step: comments, Exchange: exchange(single+"/context", 200, file(t, "context.json")), Outcome: post.OK, Posts: 2},
		{Name: "feed.xml", Step: crawlers.Step{Ref: accountRef("mira", "harbour.example"), Route: routeFeed}, Exchange: exchange(mira+".rss", 200, file(t, "feed.xml")), Outcome: post.OK, Posts: 1},
		{Name: "page.html", Exchange: exchange(fog, 200, file(t, "page.html")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "profile.html", Exchange: exchange(mira, 200, file(t, "profile.html")), Outcome: post.OKMetaOnly, Posts: 1},

		{Name: "end of list", Step: crawlers.Step{Ref: native(), Route: routeAPI, State: state{Before: "1"}.encode()}, Exchange: exchange(list+"&max_id=1", 200, []byte("[]")), Outcome: post.OK},
		{Name: "another account's list", Step: crawlers.Step{Ref: crawlers.Ref{Platform: platform, Kind: crawlers.RefAccount, ID: "5@harbour.example", URL: mira}}, Exchange: exchange(home+"/api/v1/accounts/5/statuses?limit=40", 200, file(t, "statuses.json")), Outcome: post.LayoutChanged},
		{Name: "another account", Step: crawlers.Step{Ref: accountRef("ana", "harbour.example")}, Exchange: exchange(home+"/api/v1/accounts/lookup?acct=ana", 200, file(t, "lookup.json")), Outcome: post.LayoutChanged},
		{Name: "another status", Step: crawlers.Step{Ref: postRef("mira", "7", "harbour.example")}, Exchange: exchange(home+"/api/v1/statuses/7", 200, file(t, "status.json")), Outcome: post.LayoutChanged},
		{Name: "another feed", Step: crawlers.Step{Ref: accountRef("ana", "harbour.example"), Route: routeFeed}, Exchange: exchange(home+"/@ana.rss", 200, file(t, "feed.xml")), Outcome: post.LayoutChanged},
		{Name: "not found", Step: status, Exchange: exchange(single, 404, refused("Record not found")), Outcome: post.NotFound},
		{Name: "closed to the public", Step: account, Exchange: exchange(lookup, 401, refused("This method requires an authenticated user")), Outcome: post.LoginWall},
		{Name: "gone", Step: status, Exchange: exchange(single, 410, refused("Gone")), Outcome: post.Unavailable},
		{Name: "forbidden", Step: status, Exchange: exchange(single, 403, refused("This action is not allowed")), Outcome: post.Blocked},
		{Name: "rate limited", Step: account, Exchange: exchange(lookup, 429, refused("Too many requests")), Outcome: post.RateLimited},
		{Name: "server error", Step: account, Exchange: exchange(lookup, 503, refused("Remote SSL certificate could not be verified")), Outcome: post.ServerError},
		{Name: "no Mastodon server", Step: account, Exchange: exchange(lookup, 200, page("A blog")), Outcome: post.UnexpectedType},
		{Name: "no Mastodon server, not found", Step: account, Exchange: exchange(lookup, 404, page("Not here")), Outcome: post.NotFound},
		{Name: "other JSON", Step: account, Exchange: exchange(lookup, 200, []byte(`{"user":"mira"}`)), Outcome: post.LayoutChanged},
		{Name: "redirect", Step: account, Exchange: exchange(lookup, 301, nil, "Location", "https://www.harbour.example/api/v1/accounts/lookup?acct=mira"), Outcome: post.OK},
		{Name: "login", Step: account, Exchange: exchange(lookup, 302, nil, "Location", "/auth/sign_in"), Outcome: post.LoginWall},
	}
}

func match(t testing.TB, raw string) crawlers.Ref {
	t.Helper()
	ref, ok := matchText(raw)
	if !ok {
		t.Fatalf("Match refuses %s", raw)
	}
	return ref
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{mira, home + "/@Mira/", "http://harbour.example/@mira.rss", home + "/users/mira", home + "/users/mira.atom", home + "/@mira/with_replies", home + "/@mira/media", home + "/web/@mira", "https://other.example/@mira@harbour.example", home + "/@mira/tagged/fog", home + "/users/mira/outbox?page=true"},
			{fog, home + "/users/mira/statuses/113500000000000009", home + "/users/Mira/statuses/113500000000000009/activity", fog + "/embed", home + "/web/@mira/113500000000000009", fog + "?x=1#y"},
			{home + "/@jon@quay.example/113400000000000100"},
			{"https://harbour.example:8443/@mira"},
			{"https://gts.example/@mira/statuses/01HZABCDEF"},
		},
		ForeignURLs: []string{home + "/", home + "/about", home + "/users/12345/mira", home + "/users/12345", home + "/@mira/an-article-0a1b2c3d4e5f", home + "/@", home + "/@mira@", "https://www.tiktok.com/@mira", "https://www.youtube.com/@mira", "https://medium.com/@mira", "https://ana.substack.com/@mira", "https://t.me/@mira", "https://localhost/@mira", home + "/tags/fog", "https://www.threads.net/@mira"},
		Exchanges:   cases(t),
		Foreign: []crawlers.Exchange{
			{URL: mira, Body: []byte(`<html><head><title>A blog</title></head><body>@mira</body></html>`)},
			{URL: "https://www.tiktok.com/@mira", Body: file(t, "profile.html")},
			{URL: home + "/@mira.rss", Body: []byte(`<rss><channel><link>https://harbour.example/@mira</link></channel></rss>`)},
			{URL: home + "/api/v1/accounts/1/statuses", Body: []byte(`[]`)}, {URL: home + "/api/v1/statuses/1", Body: []byte(`{"id":"1","content":"x"}`)},
			{Body: []byte(`{"error":"Record not found"}`)}, {Body: []byte(`{"id":"1","account":{"acct":"x"},"content":"y"}`)}, {Body: []byte(`{"ancestors":[],"descendants":[]}`)},
		},
	})
}

func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }

func TestGolden(t *testing.T) {
	for _, k := range cases(t) {
		if !strings.Contains(k.Name, ".") {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			step := k.Step
			if step.Ref == (crawlers.Ref{}) {
				step.Ref, _ = New().Identify(k.Exchange)
			}
			page, err := crawlers.Read(New(), step, k.Exchange)
			if err != nil {
				t.Fatal(err)
			}
			steps := []string{}
			for _, n := range page.Next {
				req, err := New().Request(n)
				if err != nil {
					t.Error(err)
				}
				steps = append(steps, n.Key()+" "+req.URL)
			}
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			if err := enc.Encode(map[string]any{"ref": step.Ref.Key(), "outcome": page.Outcome, "reason": page.Reason, "posts": page.Posts, "next": steps, "identities": page.Identities, "coverage": page.Coverage, "assets": page.Assets}); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", k.Name+".golden")
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s differs; run go test -update and look at the change\ngot:\n%s", path, b.Bytes())
			}
			// Content alone tells whose it is, also on a server never heard of.
			bare := k.Exchange
			bare.URL = ""
			ref, ok := New().Identify(bare)
			if !ok {
				t.Fatal("without an address it is not known as a Mastodon server's")
			}
			if p, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, bare); err != nil || len(p.Posts) != len(page.Posts) {
				t.Errorf("without an address (%s): %d posts, want %d (%v, %s)", ref.Key(), len(p.Posts), len(page.Posts), err, p.Reason)
			}
		})
	}
}

// TestSteps walks from a seed to its posts, pages and replies.
func TestSteps(t *testing.T) {
	request := func(s crawlers.Step) string {
		req, err := New().Request(s)
		if err != nil {
			t.Fatal(err)
		}
		return req.URL
	}
	seed := crawlers.Step{Ref: match(t, mira)}
	if got := request(seed); got != lookup {
		t.Errorf("first %s", got)
	}
	page, _ := crawlers.Read(New(), seed, exchange(lookup, 200, file(t, "lookup.json")))
	if len(page.Next) != 1 || request(page.Next[0]) != list {
		t.Fatalf("after the look-up %+v", page.Next)
	}
	page, _ = crawlers.Read(New(), page.Next[0], exchange(list, 200, file(t, "statuses.json"), "Link", `<x>; rel="next"`))
	var got []string
	for _, n := range page.Next {
		got = append(got, request(n))
	}
	if want := single + "/context " + list + "&max_id=113500000000000005"; strings.Join(got, " ") != want {
		t.Errorf("after the list %v, want %s", got, want)
	}
}

// TestHandOn checks that an address which is no Mastodon server's is not lost.
func TestHandOn(t *testing.T) {
	for _, k := range cases(t) {
		if !strings.HasPrefix(k.Name, "no Mastodon server") {
			continue
		}
		page, err := crawlers.Read(New(), k.Step, k.Exchange)
		if err != nil || len(page.Next) != 1 || page.Next[0].Ref.Platform != "web" || page.Next[0].Ref.URL != mira {
			t.Errorf("%s: next %+v (%v)", k.Name, page.Next, err)
		}
	}
}

func TestReadItem(t *testing.T) {
	p, ok := ReadItem(file(t, "status.json"), "harbour.example")
	if !ok || p.ID != "113500000000000009@harbour.example" || p.Account.Handle != "mira@harbour.example" {
		t.Errorf("%+v %v", p, ok)
	}
	if _, ok := ReadItem([]byte(`{"id":"1"}`), ""); ok {
		t.Error("an object with an id alone is taken for a status")
	}
}

func FuzzRead(f *testing.F) {
	for _, k := range cases(f) {
		f.Add(k.Exchange.URL, k.Exchange.Status, k.Exchange.Body)
	}
	f.Fuzz(func(t *testing.T, address string, status int, body []byte) {
		ex := crawlers.Exchange{URL: address, Status: status, Body: body}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = native()
		}
		page, err := New().Read(crawlers.Step{Ref: ref}, ex)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Next {
			if s.Ref.Platform != platform {
				continue
			}
			if _, err := New().Request(s); err != nil {
				t.Errorf("next step %s: %v", s.Key(), err)
			}
		}
		if _, err := json.Marshal(page); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkList reads a full page of posts.
func BenchmarkList(b *testing.B) {
	var one []json.RawMessage
	if err := json.Unmarshal(file(b, "statuses.json"), &one); err != nil {
		b.Fatal(err)
	}
	var all []json.RawMessage
	for i := range apiPage {
		all = append(all, bytes.ReplaceAll(one[0], []byte("113500000000000009"), fmt.Appendf(nil, "1135000000000010%02d", i)))
	}
	body, _ := json.Marshal(all)
	b.SetBytes(int64(len(body)))
	n := 0
	for b.Loop() {
		page, err := crawlers.Read(New(), crawlers.Step{Ref: native(), Route: routeAPI}, crawlers.Exchange{URL: list, Status: 200, Body: body})
		if err != nil || len(page.Posts) != apiPage {
			b.Fatal(err, len(page.Posts))
		}
		n += len(page.Posts)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "posts/s")
}
