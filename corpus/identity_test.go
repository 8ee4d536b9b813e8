package corpus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// facts writes an account's facts of some kinds with the hours of their sighting.
func facts(a Account, kinds ...string) []string {
	var list []string
	for _, f := range a.Facts {
		if slices.Contains(kinds, f.Kind) {
			list = append(list, fmt.Sprintf("%s %s %s-%s", f.Kind, f.Value, f.FirstSeen.Format("15"), f.LastSeen.Format("15")))
		}
	}
	slices.Sort(list)
	return list
}

func said(platform string, at time.Time, list ...Identity) Fetch {
	return Fetch{Record: "urn:uuid:said" + at.Format("150405"), URL: "https://x.example/", Platform: platform, Outcome: post.OK, FetchedAt: at, Line: []byte(`{"type":"page"}`), Identities: list}
}

// A host that passes to another blog is a fact of both, each with its time. What
// was seen without any id belongs to the one that bore the host then.
func TestHostThatChangesHands(t *testing.T) {
	const blog = "harbour.blogspot.example"
	owns := func(id string, hour int) Fetch {
		return said("blogspot", day.Add(time.Duration(hour)*time.Hour), Identity{Kind: "account", Alias: blog, ID: id, URL: "https://" + blog + "/"})
	}
	loose := func(id string, hour int) Fetch {
		return fetchOf(onePost("blogspot", id, blog, "text", day.Add(time.Duration(hour)*time.Hour)))
	}
	s := open(t)
	ingestAll(t, s, loose("early", 0), owns("111", 1), loose("mine", 2), owns("222", 4), loose("yours", 5), owns("111", 6), loose("late", 3), loose("after", 7))
	list := accounts(t, s, "blogspot:"+blog)
	if len(list) != 2 || list[0].Key != "111" || list[1].Key != "222" {
		t.Fatalf("%+v", list)
	}
	if got, want := facts(list[0], "id", "host", "handle"), []string{"host " + blog + " 12-18", "id 111 13-18"}; !slices.Equal(got, want) {
		t.Errorf("first owner: %q, want %q", got, want)
	}
	if got, want := facts(list[1], "id", "host", "handle"), []string{"host " + blog + " 16-19", "id 222 16-16"}; !slices.Equal(got, want) {
		t.Errorf("second owner: %q, want %q", got, want)
	}
	if list[0].Posts != 3 || list[1].Posts != 2 {
		t.Errorf("posts %d and %d, want 3 (early, mine, late) and 2 (yours, after)", list[0].Posts, list[1].Posts)
	}
}

// Accounts of the same name are not one account; nor are two that bore one
// handle, whatever its case.
func TestNamesDoNotMerge(t *testing.T) {
	s := open(t)
	named := func(id, account, site string) post.Post {
		p := onePost("web", id, "", "x", day)
		p.URL, p.Account = "https://"+site+"/"+id, post.Account{Platform: "web", ID: account, Name: "Editor"}
		return p
	}
	ingestAll(t, s, fetchOf(named("1", "", "a.example")), fetchOf(named("2", "", "b.example")), fetchOf(named("3", "", "b.example")), fetchOf(named("4", "e1", "b.example")))
	var got []string
	for _, a := range accounts(t, s, "") {
		got = append(got, fmt.Sprint(a.Key, " ", a.Posts))
	}
	if want := []string{"e1 1", "name Editor at a.example 1", "name Editor at b.example 2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	x := onePost("plaza", "5", "Ana", "x", day)
	x.Account.ID = "u1"
	y := onePost("plaza", "6", "ana", "y", day.Add(time.Hour))
	y.Account.ID = "u2"
	ingestAll(t, s, fetchOf(x), fetchOf(y), fetchOf(onePost("plaza", "7", "ANA", "z", day.Add(2*time.Hour))))
	list := accounts(t, s, "plaza:@aNa")
	if len(list) != 2 || list[0].Posts != 1 || list[1].Posts != 2 || list[1].Key != "u2" {
		t.Errorf("%+v", list)
	}
}

// Names in the shapes that the collectors give them.
func TestAliasKinds(t *testing.T) {
	for _, test := range []struct{ alias, id, url, want string }{
		{"mira_okafor", "1500000000000000001", "https://x.com/mira_okafor", "handle"},
		{"mira.okafor", "9aab01cd23ef", "https://medium.com/@mira.okafor", "handle"},
		{"Mira-Okafor-2", "41", "https://www.quora.com/profile/Mira-Okafor-2", "handle"},
		{"ana_lima", "77", "https://ana-lima.livejournal.com/", "handle"},
		{"mira@harbour.example", "109000000000000001@harbour.example", "https://harbour.example/@mira", "handle"},
		{"jon.reyes", "6817008011190813701", "https://www.tiktok.com/@jon.reyes", "handle"},
		{"harbour.blogspot.com", "111", "https://harbour.blogspot.com/", "host"},
		{"blog.ana.example", "ana", "https://www.tumblr.com/ana", "host"},
		{"quay-notes.example", "d12c403d4976", "https://quay-notes.example/", "host"},
		{"@harbour", "UCabcdefghijklmnopqrstuv", "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv", "alias"},
		{"MS4wLjABAAAAxyz", "6801234567890123456", "https://www.tiktok.com/@harbour", "alias"},
		{"17841400000000000", "40123", "", "alias"},
	} {
		if got := aliasKind(Identity{"account", test.alias, test.id, test.url, false}); got != test.want {
			t.Errorf("%s of %s: %s, want %s", test.alias, test.url, got, test.want)
		}
	}
}

// All names of one account stand in one row, with their times: handles, a
// custom domain, an id of another space, an old name that leads to a new one.
func TestAllNamesOfAnAccount(t *testing.T) {
	h := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
	a := onePost("tumblr", "1", "ana", "one", h(0))
	b := onePost("tumblr", "2", "anna", "two", h(3))
	b.Account.ID, b.Account.Name, b.Account.Avatar = "t:uuid", "Anna", "https://a.example/1.png"
	fetches := []Fetch{
		fetchOf(a),
		said("tumblr", h(1), Identity{"account", "ana", "t:uuid", "https://www.tumblr.com/ana", false}),
		said("tumblr", h(2), Identity{"account", "blog.ana.example", "ana", "https://www.tumblr.com/ana", true}),
		fetchOf(b),
		said("tumblr", h(4), Identity{"account", "ana", "anna", "https://www.tumblr.com/anna", true}),
		said("tumblr", h(5), Identity{"account", "4711", "t:uuid", "", false}),
	}
	s := open(t)
	ingestAll(t, s, fetches...)
	list := accounts(t, s, "tumblr:blog.ana.example")
	if len(list) != 1 || list[0].Key != "t:uuid" || list[0].Posts != 2 {
		t.Fatalf("%+v", list)
	}
	want := []string{"alias 4711 17-17", "avatar https://a.example/1.png 15-15", "handle ana 12-16", "handle anna 15-16", "host blog.ana.example 14-14", "id t:uuid 13-17", "name Anna 15-15"}
	if got := facts(list[0], "id", "handle", "host", "alias", "name", "avatar"); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	for _, f := range list[0].Facts {
		if f.Record == "" {
			t.Errorf("%s %s has no record", f.Kind, f.Value)
		}
	}
	for _, name := range []string{"ana", "anna", "t:uuid", "tumblr:t:uuid", "tumblr:4711", "tumblr:blog.ana.example"} {
		if got := accounts(t, s, name); len(got) != 1 {
			t.Errorf("%s: %d accounts", name, len(got))
		}
	}
}

func TestAliases(t *testing.T) {
	s, ctx := open(t), context.Background()
	p := onePost("facebook", "1001", "harbour", "text", day)
	ingestAll(t, s, fetchOf(p),
		said("facebook", day.Add(time.Hour), Identity{"short", "share/p/AbC", "pfbid02x", "https://www.facebook.com/permalink/pfbid02x", false}, Identity{"post", "pfbid02x", "1001", "", false}),
		said("facebook", day.Add(2*time.Hour), Identity{"post", "pfbid09y", "1001", "https://www.facebook.com/harbour/posts/1001", false}, Identity{"group", "seawall", "g5", "", false}),
		said("facebook", day.Add(3*time.Hour), Identity{"group", "seawall", "g6", "", false}))
	for _, test := range []struct{ name, want string }{
		{"pfbid02x", "pfbid02x=1001 pfbid09y=1001 share/p/AbC=pfbid02x"},
		{"1001", "pfbid02x=1001 pfbid09y=1001"},
		{"https://www.facebook.com/harbour/posts/1001", "pfbid02x=1001 pfbid09y=1001"},
		{"seawall", "seawall=g5 seawall=g6"}, // a name that changed hands leads to both
		{"nothing", ""},
	} {
		list, err := s.Aliases(ctx, "facebook", test.name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range list {
			got = append(got, a.Alias+"="+a.ID)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", test.name, got, test.want)
		}
	}
	if list, err := s.Aliases(ctx, "reddit", "pfbid02x"); err != nil || len(list) != 0 {
		t.Errorf("of another platform: %v %v", list, err)
	}
	views, err := s.Posts(ctx, "facebook:1001")
	if err != nil || len(views) != 1 || len(views[0].Aliases) != 2 {
		t.Errorf("%+v %v", views, err)
	}
}
