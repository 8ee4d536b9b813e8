package corpus

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/post"
)

func accounts(t *testing.T, s *Store, name string) []Account {
	t.Helper()
	list, err := s.Accounts(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTracesOfAnAccount(t *testing.T) {
	build := func(order []int) *Store {
		s := open(t)
		one := onePost("plaza", "1", "ana", "Write to desk@news.example or t.me/HarbourNews", day)
		one.Links = []string{"https://harbour.example/a", "https://www.harbour.example/b", "https://sub.plaza.example/own"}
		again := onePost("plaza", "1", "ana", "Write to desk@news.example", day.Add(2*time.Hour))
		two := onePost("plaza", "2", "ana", "https://harbour.example/c 0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", day.Add(time.Hour))
		two.Account.ID = "u1" // posts that were seen by handle only are the account's too
		other := onePost("plaza", "3", "bob", "desk@news.example", day.Add(time.Hour))
		web := onePost("web", "https://harbour.example/c", "", "Text", day)
		web.URL, web.Account = web.ID, post.Account{Handle: "harbour.example", URL: "https://harbour.example/", Platform: "web"}
		web.Tags = []string{"bridges", "analytics:UA-7654321-1", "ads:ca-pub-1029384756102938"}
		forged := onePost("plaza", "4", "bob", "x", day)
		forged.Tags = []string{"analytics:UA-7654321-1"} // an author's tag
		all := []post.Post{one, again, two, other, web, forged}
		for _, i := range order {
			ingestAll(t, s, fetchOf(all[i]))
		}
		return s
	}
	s := build([]int{0, 1, 2, 3, 4, 5})
	list := accounts(t, s, "plaza:ana")
	if len(list) != 1 || list[0].Key != "u1" || list[0].Posts != 2 {
		t.Fatalf("%+v", list)
	}
	var got []string
	for _, x := range list[0].Traces {
		got = append(got, strings.Join([]string{x.Kind, x.Value, x.FirstSeen.Format("15:04"), x.LastSeen.Format("15:04"), x.Record}, " ")+strings.Repeat("*", x.Posts))
	}
	want := []string{
		"domain harbour.example 12:00 13:00 urn:uuid:1120000**",
		"email desk@news.example 12:00 14:00 urn:uuid:1120000*",
		"ethereum 0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359 13:00 13:00 urn:uuid:2130000*",
		"telegram harbournews 12:00 12:00 urn:uuid:1120000*",
	}
	if !slices.Equal(got, want) {
		t.Errorf("traces\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for query, want := range map[string][]string{
		"trace:desk@news.example":           {"1", "3"},
		"trace:harbour.example":             {"1", "2"},
		"trace:www.harbour.example":         {"1", "2"},
		"trace:https://t.me/harbournews":    {"1"},
		"trace:ua-7654321-1":                {"https://harbour.example/c"},
		"trace:analytics:UA-7654321-1":      {"https://harbour.example/c"},
		"trace:email:desk@news.example":     {"1", "3"},
		"has:analytics":                     {"https://harbour.example/c"},
		"has:contact":                       {"1", "3"},
		"has:wallet account:ana":            {"2"},
		"has:link,ads":                      {"1", "2", "https://harbour.example/c"},
		"trace:nobody.example has:discord":  {},
		"trace:harbour.example,t.me/nobody": {"1", "2"},
	} {
		got := found(t, s, query)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("search %s: %v, want %v", query, got, want)
		}
	}
	if _, err := ParseQuery("has:everything"); err == nil || !strings.Contains(err.Error(), "has:contact") {
		t.Errorf("has:everything: %v", err)
	}
	backwards := accounts(t, build([]int{5, 4, 3, 2, 1, 0}), "plaza:ana")
	if !reflect.DeepEqual(backwards, list) {
		t.Errorf("backwards %+v\nforwards %+v", backwards, list)
	}
}

// Another analytics id is no edit of the page.
func TestPageIDsAreNoEdit(t *testing.T) {
	s := open(t)
	a := onePost("web", "p", "", "Text", day)
	a.Tags = []string{"bridges", "analytics:UA-7654321-1"}
	b := onePost("web", "p", "", "Text", day.Add(time.Hour))
	b.Tags = []string{"bridges"}
	c := onePost("web", "p", "", "Text", day.Add(2*time.Hour))
	ingestAll(t, s, fetchOf(a), fetchOf(b), fetchOf(c))
	views, err := s.Posts(context.Background(), "web:p")
	if err != nil || views[0].Observations[1].Changed || !views[0].Observations[2].Changed {
		t.Errorf("%+v %v", views, err)
	}
}

// A post that comes back as it was is back, not changed; one that is gone by two
// routes went once.
func TestBack(t *testing.T) {
	s := open(t)
	first := onePost("plaza", "7", "ana", "The bridge closes", day)
	gone := fetchOf(first)
	gone.Posts, gone.Outcome = nil, post.NotFound
	gone.Record, gone.FetchedAt = "urn:uuid:gone", day.Add(time.Hour)
	again := gone
	again.Record, again.Route, again.FetchedAt = "urn:uuid:gone2", "api", day.Add(2*time.Hour)
	same := onePost("plaza", "7", "ana", "The bridge closes", day.Add(3*time.Hour))
	away := gone
	away.Record, away.FetchedAt = "urn:uuid:gone3", day.Add(4*time.Hour)
	edited := onePost("plaza", "7", "ana", "The bridge stays", day.Add(5*time.Hour))
	ingestAll(t, s, fetchOf(first), gone, again, fetchOf(same), away, fetchOf(edited))
	views, err := s.Posts(context.Background(), "plaza:7")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range views[0].Observations {
		word := string(o.Outcome)
		if o.Changed {
			word += " changed"
		}
		if o.Back {
			word += " back"
		}
		got = append(got, word)
	}
	if want := []string{"ok", "not_found changed", "not_found", "ok back", "not_found changed", "ok changed back"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestReset(t *testing.T) {
	s, ctx := open(t), context.Background()
	p := onePost("plaza", "1", "ana", "desk@news.example", day)
	if err := s.Ingest(ctx, Batch{Fetches: []Fetch{fetchOf(p)}, Segment: "a", Lines: 2}); err != nil {
		t.Fatal(err)
	}
	if names, err := s.Unfinished(ctx); err != nil || !slices.Equal(names, []string{"a"}) {
		t.Errorf("unfinished %v %v", names, err)
	}
	found(t, s, "desk")
	if err := s.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	totals, err := s.Totals(ctx)
	if err != nil || totals.Posts+totals.Observations+totals.Accounts+totals.Fetches != 0 || len(found(t, s, "has:email")) != 0 || len(found(t, s, "desk")) != 0 {
		t.Errorf("%+v %v", totals, err)
	}
	if n, _, err := s.Taken(ctx, "a"); n != 0 || err != nil {
		t.Error(n, err)
	}
	ingestAll(t, s, fetchOf(p))
	if got := found(t, s, "desk"); !slices.Equal(got, []string{"1"}) {
		t.Error(got)
	}
}
