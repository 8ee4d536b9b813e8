package corpus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/post"
)

var day = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "corpus.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func onePost(platform, id, handle, text string, at time.Time) post.Post {
	return post.Post{
		Platform: platform, ID: id, Kind: post.KindPost, URL: "https://" + platform + ".example/" + id, Text: text,
		Account: post.Account{Platform: platform, Handle: handle}, Created: post.Exact(day.Add(-time.Hour), ""), FetchedAt: at,
		Outcome: post.OK, Reader: platform + "/1", Capture: post.Capture{RecordID: "urn:uuid:" + id + at.Format("150405")},
	}
}

func fetchOf(posts ...post.Post) Fetch {
	p := posts[0]
	return Fetch{Record: p.Capture.RecordID, URL: p.URL, Method: "GET", Platform: p.Platform, Ref: p.Platform + ":post:" + p.ID, RefPost: p.ID, RefURL: p.URL,
		Route: "html", Outcome: post.OK, Status: 200, FetchedAt: p.FetchedAt, Line: json.RawMessage(`{"type":"page"}`), Posts: posts}
}

func ingestAll(t testing.TB, s *Store, fetches ...Fetch) {
	t.Helper()
	if err := s.Ingest(context.Background(), Batch{Fetches: fetches}); err != nil {
		t.Fatal(err)
	}
}

func found(t testing.TB, s *Store, query string) []string {
	t.Helper()
	q, err := ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	hits, total, err := s.Search(context.Background(), q)
	if err != nil {
		t.Fatalf("search %s: %v", query, err)
	}
	if total != len(hits) {
		t.Errorf("search %s: total %d, %d hits", query, total, len(hits))
	}
	ids := []string{}
	for _, h := range hits {
		ids = append(ids, h.Post.ID)
	}
	return ids
}

func TestSearchFindsWords(t *testing.T) {
	s := open(t)
	texts := map[string]string{
		"a": "The harbour bridge will close in March",
		"b": "大桥将于三月关闭，香港居民",
		"c": "Ｆｕｌｌ width and ﬁgures",
		"d": "it is 50% off_now",
		"e": "Мост закроют в марте",
	}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		ingestAll(t, s, fetchOf(onePost("plaza", id, "ana", texts[id], day)))
	}
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"bridge", []string{"a"}},
		{"BRIDGE march", []string{"a"}},
		{"bridge april", []string{}},
		{`"bridge will"`, []string{"a"}},
		{`"will bridge"`, []string{}},
		{"香港", []string{"b"}}, // two characters: the trigram index alone finds nothing
		{"关闭", []string{"b"}},
		{"港香", []string{}},
		{"三月关", []string{"b"}},
		{"桥", []string{"b"}},
		{"full", []string{"c"}}, // full-width letters
		{"figures", []string{"c"}},
		{"0%", []string{"d"}}, // no wildcard
		{"мост", []string{"e"}},
		{"-bridge platform:plaza kind:post", []string{"e", "d", "c", "b"}},
		{"account:@ANA bridge", []string{"a"}},
		{"account:bob", []string{}},
		{"from:2026-11-20 until:2026-11-20 bridge", []string{"a"}},
		{"before:2026-11-20 bridge", []string{}},
		{"outcome:deleted", []string{}},
		{`"; DROP TABLE post; --`, []string{}},
		{`AND`, []string{"c"}}, // a word like any other: "width and"
	} {
		if got := found(t, s, test.query); !reflect.DeepEqual(got, test.want) {
			t.Errorf("search %s: %v, want %v", test.query, got, test.want)
		}
	}
	if _, err := ParseQuery("from:yesterday"); err == nil || !strings.Contains(err.Error(), "2026-11-23") {
		t.Errorf("a wrong day: %v", err)
	}
}

func TestHistory(t *testing.T) {
	s, ctx := open(t), context.Background()
	first := onePost("plaza", "7", "ana", "The bridge closes", day)
	first.Counts = []post.Count{post.ExactCount("likes", 3)}
	again := onePost("plaza", "7", "ana", "The bridge closes", day.Add(time.Hour))
	again.Counts = []post.Count{post.ExactCount("likes", 9)}
	edited := onePost("plaza", "7", "ana", "The bridge stays", day.Add(2*time.Hour))
	ingestAll(t, s, fetchOf(first), fetchOf(again), fetchOf(edited))
	ingestAll(t, s, fetchOf(first)) // seen before: nothing changes

	gone := Fetch{Record: "urn:uuid:gone", URL: first.URL, Platform: "plaza", Ref: "plaza:post:7", RefPost: "7", RefURL: first.URL, Route: "html", Outcome: post.NotFound, Status: 404, FetchedAt: day.Add(3 * time.Hour), Line: json.RawMessage(`{"type":"page"}`)}
	wall := gone
	wall.Record, wall.Outcome, wall.FetchedAt = "urn:uuid:wall", post.LoginWall, day.Add(4*time.Hour)
	ingestAll(t, s, gone, wall)

	views, err := s.Posts(ctx, "plaza:7")
	if err != nil || len(views) != 1 {
		t.Fatalf("%d views, %v", len(views), err)
	}
	v := views[0]
	if v.Post.Text != "The bridge stays" || v.Standing != post.NotFound || v.Seen != 4 || v.Gone != 1 {
		t.Errorf("view: text %q standing %s seen %d gone %d", v.Post.Text, v.Standing, v.Seen, v.Gone)
	}
	var changed []bool
	for _, o := range v.Observations {
		changed = append(changed, o.Changed)
	}
	if want := []bool{false, false, true, true}; !reflect.DeepEqual(changed, want) {
		t.Errorf("changed %v, want %v (a wall is no observation of the post)", changed, want)
	}
	if v.Observations[1].Counts[0].Value != 9 {
		t.Errorf("counts of the second observation: %+v", v.Observations[1].Counts)
	}
	if !reflect.DeepEqual(found(t, s, "stays"), []string{"7"}) || len(found(t, s, "closes")) != 0 {
		t.Error("search does not follow the edit")
	}
	second := gone
	second.Record, second.Route = "urn:uuid:gone2", "api"
	ingestAll(t, s, second)
	if views, err = s.Posts(ctx, first.URL); err != nil || views[0].Gone != 2 {
		t.Errorf("a second route does not confirm: %v %v", views[0].Gone, err)
	}
	back := onePost("plaza", "7", "ana", "The bridge stays", day.Add(5*time.Hour))
	ingestAll(t, s, fetchOf(back))
	if views, err = s.Posts(ctx, "7"); err != nil || views[0].Gone != 0 || views[0].Standing != post.OK {
		t.Errorf("a post that is back: gone %d standing %s %v", views[0].Gone, views[0].Standing, err)
	}
}

func TestOrderOfIngestDoesNotMatter(t *testing.T) {
	build := func(reverse bool) []View {
		s := open(t)
		var fetches []Fetch
		for i := range 6 {
			p := onePost("plaza", "7", "ana", fmt.Sprintf("version %d", i/2), day.Add(time.Duration(i)*time.Hour))
			p.Account.Name = fmt.Sprintf("Ana %d", i%2)
			if i > 2 {
				p.Account.ID = "u1"
			}
			fetches = append(fetches, fetchOf(p))
		}
		for i := range fetches {
			if reverse {
				i = len(fetches) - 1 - i
			}
			ingestAll(t, s, fetches[i])
		}
		views, err := s.Posts(context.Background(), "plaza:7")
		if err != nil {
			t.Fatal(err)
		}
		accounts, err := s.Accounts(context.Background(), "plaza:ana")
		if err != nil || len(accounts) != 1 || accounts[0].Key != "u1" || accounts[0].Posts != 1 {
			t.Fatalf("accounts %+v, %v", accounts, err)
		}
		return views
	}
	if a, b := build(false), build(true); !reflect.DeepEqual(a, b) {
		t.Errorf("forwards %+v\nbackwards %+v", a, b)
	}
}

func TestNewerReaderWins(t *testing.T) {
	s := open(t)
	old := onePost("plaza", "7", "ana", "bridge&amp;", day)
	better := old
	better.Text, better.Reader = "bridge&", "plaza/2"
	ingestAll(t, s, fetchOf(better))
	ingestAll(t, s, fetchOf(old))
	views, err := s.Posts(context.Background(), "plaza:7")
	if err != nil || views[0].Post.Text != "bridge&" || len(views[0].Observations) != 2 {
		t.Errorf("%+v %v", views, err)
	}
}

func TestPartialViewDoesNotReplaceWholeOne(t *testing.T) {
	s := open(t)
	whole := onePost("plaza", "7", "ana", "the whole text", day)
	part := onePost("plaza", "7", "ana", "the …", day.Add(time.Hour))
	part.Outcome = post.OKPartial
	ingestAll(t, s, fetchOf(whole), fetchOf(part))
	views, err := s.Posts(context.Background(), "plaza:7")
	if err != nil || views[0].Post.Text != "the whole text" || views[0].Seen != 2 {
		t.Errorf("%+v %v", views, err)
	}
}

func TestHandleOverTime(t *testing.T) {
	s, ctx := open(t), context.Background()
	a := onePost("plaza", "1", "ana", "one", day)
	a.Account.ID = "u1"
	b := onePost("plaza", "2", "anna", "two", day.Add(time.Hour))
	b.Account.ID = "u1"
	ingestAll(t, s, fetchOf(a), fetchOf(b))
	list, err := s.Accounts(ctx, "ana")
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	var handles []string
	for _, f := range list[0].Facts {
		if f.Kind == "handle" {
			handles = append(handles, f.Value+" "+f.FirstSeen.Format("15:04"))
		}
	}
	if want := []string{"ana 12:00", "anna 13:00"}; !reflect.DeepEqual(handles, want) || list[0].Posts != 2 {
		t.Errorf("handles %v, posts %d", handles, list[0].Posts)
	}
}

func TestBlogOfSeveralWriters(t *testing.T) {
	s, ctx := open(t), context.Background()
	p := onePost("plaza", "1", "", "one", day)
	p.Account = post.Account{Platform: "plaza", ID: "writer1", Name: "Ana"}
	p.URL = "https://harbour.plaza.example/1.html"
	f := fetchOf(p)
	f.Identities = []Identity{{Kind: "account", Alias: "harbour.plaza.example", ID: "blog9", URL: "https://harbour.plaza.example/"}}
	ingestAll(t, s, f)
	for _, query := range []string{"account:harbour", "account:harbour.plaza.example", "account:blog9", "account:Ana"} {
		if got := found(t, s, query); !reflect.DeepEqual(got, []string{"1"}) {
			t.Errorf("search %s: %v", query, got)
		}
	}
	if got := found(t, s, "account:plaza"); len(got) != 0 {
		t.Errorf("search account:plaza: %v", got)
	}
	list, err := s.Accounts(ctx, "plaza:harbour")
	if err != nil || len(list) != 1 || list[0].Key != "blog9" || list[0].Posts != 1 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestRefusesWhatHasNoRecord(t *testing.T) {
	err := open(t).Ingest(context.Background(), Batch{Fetches: []Fetch{{URL: "https://x.example/"}}})
	if err == nil || !strings.Contains(err.Error(), "archive") {
		t.Errorf("a fetch without record: %v", err)
	}
}

func TestSegmentPosition(t *testing.T) {
	s, ctx := open(t), context.Background()
	if n, done, err := s.Taken(ctx, "a"); n != 0 || done || err != nil {
		t.Error(n, done, err)
	}
	if err := s.Ingest(ctx, Batch{Segment: "a", Lines: 12}); err != nil {
		t.Fatal(err)
	}
	if err := s.Ingest(ctx, Batch{Segment: "a", Lines: 20, Done: true}); err != nil {
		t.Fatal(err)
	}
	if n, done, err := s.Taken(ctx, "a"); n != 20 || !done || err != nil {
		t.Error(n, done, err)
	}
}

func TestOtherVersion(t *testing.T) {
	s := open(t)
	if _, err := s.db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), s.Path()); !errors.Is(err, ErrVersion) {
		t.Errorf("a corpus of another version: %v", err)
	}
}

func BenchmarkIngest(b *testing.B) {
	s := open(b)
	text := strings.Repeat("the harbour bridge will close in march ", 10)
	for i := 0; b.Loop(); i++ {
		var fetches []Fetch
		for k := range 25 {
			fetches = append(fetches, fetchOf(onePost("plaza", fmt.Sprint(i*25+k), fmt.Sprintf("u%d", k%7), text, day)))
		}
		ingestAll(b, s, fetches...)
	}
	b.ReportMetric(float64(b.N*25)/b.Elapsed().Seconds(), "posts/s")
}
