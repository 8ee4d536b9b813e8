package coord

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func detect(t *testing.T, rows []Row, o Options) Network {
	t.Helper()
	n, err := Detect(slices.Values(rows), o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Three accounts on one link: ann at 0, bob at 10 (10 s later: inside), cas at
// 21 (11 s after bob: outside). ann and bob again on a second link, bob first.
var small = []Row{
	{"link", "plaza:cas", "c1", 21},
	{"link", "plaza:bob", "b1", 10},
	{"link", "plaza:ann", "a1", 0},
	{"tag", "plaza:ann", "a2", 104},
	{"tag", "plaza:bob", "b2", 100},
	{"tag", "plaza:bob", "b3", 102},
}

func TestDetectByHand(t *testing.T) {
	n := detect(t, small, Options{MinParticipation: 1})
	// Pairs: (a1,b1) 10 s; (b2,a2) 4 s; (b3,a2) 2 s; (b2,b3) is a loop.
	// Older contents a1, b2, b3; newer b1, a2: symmetry 2/3. Of ann a1, a2; of bob b1, b2, b3.
	want := Network{
		Accounts: []string{"plaza:ann", "plaza:bob"}, Pairs: 3, Objects: 2, Threshold: 3,
		Edges: []Edge{{A: "plaza:ann", B: "plaza:bob", Weight: 3, Objects: 2, OlderContents: 3, NewerContents: 2,
			Symmetry: 2.0 / 3, MeanDelta: 16.0 / 3, ContentsA: 2, ContentsB: 3, CoShares: 2, P: 1}},
	}
	if !reflect.DeepEqual(n, want) {
		t.Errorf("got  %+v\nwant %+v", n, want)
	}
	if n := detect(t, small, Options{MinParticipation: 1, Window: 9 * time.Second}); n.Pairs != 2 {
		t.Errorf("at 9 s: %d pairs, want the two of the tag", n.Pairs)
	}
	if n := detect(t, small, Options{MinParticipation: 1, Window: 11 * time.Second}); n.Pairs != 4 || len(n.Accounts) != 3 {
		t.Errorf("at 11 s: %d pairs, %v: want bob and cas too", n.Pairs, n.Accounts)
	}
	if n := detect(t, small, Options{MinParticipation: 1, Window: SameSecond}); n.Pairs != 0 || len(n.Edges) != 0 {
		t.Errorf("at 0 s: %+v", n)
	}
	if n := detect(t, small, Options{MinParticipation: 1, KeepLoops: true}); n.Pairs != 4 || n.Edges[1].A != n.Edges[1].B {
		t.Errorf("with loops: %+v", n)
	}
	// With 2, cas goes first; both others have at least two rows in pairs.
	if n := detect(t, small, Options{}); n.Pairs != 3 {
		t.Errorf("min participation 2: %d pairs", n.Pairs)
	}
	// With 3, ann has two rows and goes; nobody is left to pair with bob.
	if n := detect(t, small, Options{MinParticipation: 3}); n.Pairs != 0 {
		t.Errorf("min participation 3: %d pairs", n.Pairs)
	}
}

func TestLoops(t *testing.T) {
	rows := []Row{
		{"post1", "x", "post1", 0}, // the original of a repost
		{"post1", "y", "r1", 1},
		{"post1", "z", "r2", 2},
		{"o", "x", "same", 50}, // two accounts, one content
		{"o", "y", "same", 51},
	}
	n := detect(t, rows, Options{MinParticipation: 1})
	if n.Pairs != 1 || n.Edges[0].A != "y" || n.Edges[0].B != "z" {
		t.Errorf("without loops: %+v", n.Edges)
	}
	if n := detect(t, rows, Options{MinParticipation: 1, KeepLoops: true}); n.Pairs != 4 {
		t.Errorf("with loops: %d pairs, want 4", n.Pairs)
	}
}

// A pair is kept when either side is of an account with enough paired rows.
func TestEitherSideKeeps(t *testing.T) {
	rows := []Row{
		{"o1", "hub", "h1", 0}, {"o1", "a", "a1", 1}, {"o2", "a", "a2", 9999},
		{"o3", "hub", "h2", 100}, {"o3", "b", "b1", 101}, {"o4", "b", "b2", 8888},
		{"o5", "c", "c1", 200}, {"o5", "d", "d1", 201}, {"o6", "c", "c2", 1}, {"o7", "d", "d2", 1},
	}
	// a, b, c, d have two rows each but one in a pair; hub has two in pairs. a-hub
	// and b-hub stay for hub's sake, c-d goes.
	n := detect(t, rows, Options{})
	var names []string
	for _, e := range n.Edges {
		names = append(names, e.A+"-"+e.B)
	}
	if got := strings.Join(names, " "); got != "a-hub b-hub" {
		t.Errorf("edges %s", got)
	}
}

func TestQuantileAndComponents(t *testing.T) {
	var rows []Row
	at := int64(0)
	link := func(a, b string, times int) {
		for range times {
			at += 1000
			o := "o" + string(rune('a'+at/1000))
			rows = append(rows, Row{o, a, o + a, at}, Row{o, b, o + b, at + 1})
		}
	}
	link("e", "f", 1)
	link("a", "b", 4)
	link("b", "c", 2)
	link("g", "h", 7)
	o := Options{MinParticipation: 1}
	n := detect(t, rows, o)
	if n.Threshold != 3 { // of 1 2 4 7: half way between 2 and 4
		t.Errorf("median %v, want 3", n.Threshold)
	}
	o.Quantile = 0.9 // place 2.7: 4 + 0.7·3
	if n := detect(t, rows, o); n.Threshold < 6.0999 || n.Threshold > 6.1001 {
		t.Errorf("quantile 0.9 is %v, want 6.1", n.Threshold)
	}
	want := [][]string{{"a", "b", "c"}, {"e", "f"}, {"g", "h"}}
	if got := n.Components(); !reflect.DeepEqual(got, want) {
		t.Errorf("components %v", got)
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct {
		row  Row
		want string
	}{
		{Row{"", "a", "c", 1}, "no object id"},
		{Row{"o", "", "c", 1}, "no account id"},
		{Row{"o", "a", "", 1}, "no content id"},
		{Row{"o", "a", "c", 1 << 62}, "not in seconds"},
	} {
		if _, err := Detect(slices.Values([]Row{c.row}), Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v", c.row, err)
		}
	}
	for _, o := range []Options{{Window: -2}, {Window: time.Millisecond}, {MinParticipation: -1}, {Quantile: 1.1}, {MaxPairs: -1}} {
		if _, err := Detect(slices.Values(small), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	if _, err := Detect(slices.Values(small), Options{MaxPairs: 2, MinParticipation: 1}); err == nil {
		t.Error("three pairs with MaxPairs 2 are taken")
	}
	if n := detect(t, nil, Options{NullModel: true}); len(n.Edges) != 0 {
		t.Errorf("no rows: %+v", n)
	}
}
