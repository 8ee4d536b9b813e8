package cluster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// whole and part are links that are good enough for anything.
func whole(to int) Link { return Link{To: to, Score: .9, Share: .9} }
func part(to int) Link  { return Link{To: to, Score: .9, Share: .9, Form: Part} }
func scored(to int, score float64) Link {
	return Link{To: to, Score: score, Share: score}
}

// build adds items by their links.
func build(items ...[]Link) *Clusters {
	c := &Clusters{}
	for _, links := range items {
		c.Add(links, None)
	}
	return c
}

// narratives gives the narrative of each item.
func narratives(c *Clusters) []int {
	var list []int
	for i := range c.Len() {
		list = append(list, c.State(i).Narrative)
	}
	return list
}

func TestAdd(t *testing.T) {
	for _, test := range []struct {
		name  string
		items [][]Link
		want  []int
		roles []Role
	}{
		{"nothing in common", [][]Link{nil, nil}, []int{0, 1}, []Role{Founder, Founder}},
		{"an edited copy", [][]Link{nil, {whole(0)}}, []int{0, 0}, []Role{Founder, Member}},
		{"a member lets nobody in: no chain", [][]Link{nil, {whole(0)}, {whole(1)}}, []int{0, 0, 2}, []Role{Founder, Member, Founder}},
		{"a core does", [][]Link{nil, {whole(0)}, {whole(0)}, {whole(0), whole(1), whole(2)}, {whole(3)}},
			[]int{0, 0, 0, 0, 0}, []Role{Founder, Member, Member, Core, Member}},
		{"two links to members but none to the founder make no core", [][]Link{nil, {whole(0)}, {whole(0)}, {whole(0), whole(1), whole(2)}, {whole(3), whole(1), whole(2)}, {whole(4)}},
			[]int{0, 0, 0, 0, 0, 5}, []Role{Founder, Core, Core, Core, Member, Founder}},
		{"later members make a core too", [][]Link{nil, {whole(0)}, {whole(0), whole(1)}, {whole(0), whole(1)}, {whole(1)}},
			[]int{0, 0, 0, 0, 0}, []Role{Founder, Core, Member, Member, Member}},
		{"a digest attaches to one and joins none", [][]Link{nil, nil, {part(0), part(1)}, {whole(2)}}, []int{0, 1, 0, 3}, []Role{Founder, Founder, Attached, Founder}},
		{"attached items are never cores", [][]Link{nil, {part(0)}, {part(0), whole(1)}, {part(0), whole(1), whole(2)}}, []int{0, 0, 0, 0}, []Role{Founder, Attached, Attached, Attached}},
		{"whole before part, whatever the score", [][]Link{nil, nil, {part(0), scored(1, .7)}}, []int{0, 1, 1}, []Role{Founder, Founder, Member}},
		{"the better of two", [][]Link{nil, nil, {scored(0, .7), scored(1, .8)}}, []int{0, 1, 1}, []Role{Founder, Founder, Member}},
		{"below the threshold", [][]Link{nil, {scored(0, .64)}}, []int{0, 1}, []Role{Founder, Founder}},
		{"a passage that is little of both", [][]Link{nil, {{To: 0, Score: .9, Share: .49, Form: Part}}}, []int{0, 1}, []Role{Founder, Founder}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := build(test.items...)
			if got := narratives(c); !slices.Equal(got, test.want) {
				t.Errorf("narratives %v, want %v", got, test.want)
			}
			for i, role := range test.roles {
				if got := c.State(i).Role; got != role {
					t.Errorf("item %d is %s, want %s", i, got, role)
				}
			}
		})
	}
}

func TestStay(t *testing.T) {
	c := build(nil, nil, []Link{whole(0)})
	for _, test := range []struct {
		score float64
		want  int
	}{{.54, 1}, {.56, 0}} {
		// The new version of a post in narrative 0 is now better linked to 1.
		p := c.Add([]Link{scored(0, test.score), scored(1, .9)}, 2)
		if got := c.State(p.Item).Narrative; got != test.want {
			t.Errorf("at %v it is in %d, want %d", test.score, got, test.want)
		}
	}
	if p := c.Add([]Link{scored(0, .56)}, None); c.State(p.Item).Role != Founder {
		t.Error("a new post joined below the threshold")
	}
}

// twoStories are narratives 0 and 1, each with two members and then further
// cores of the first that are linked to the founder of the second.
func twoStories(cores int) (*Clusters, []*Merger) {
	c := build(nil, nil, []Link{whole(0)}, []Link{whole(0)}, []Link{whole(1)}, []Link{whole(1)})
	var merged []*Merger
	for range cores {
		p := c.Add([]Link{whole(0), whole(2), whole(3), {To: 1, Score: .85, Share: .85}}, None)
		if p.Merged != nil {
			merged = append(merged, p.Merged)
		}
	}
	return c, merged
}

func TestMerge(t *testing.T) {
	if _, merged := twoStories(1); merged != nil {
		t.Errorf("one link merged: %+v", merged)
	}
	c, merged := twoStories(3)
	if len(merged) != 1 || *merged[0] != (Merger{From: 1, Into: 0, Item: 7}) {
		t.Fatalf("mergers %+v", merged)
	}
	v := c.View(nil)
	if v.Group(5) != 0 || v.Group(1) != 0 || !slices.Equal(v.Parts(0), []int{0, 1}) {
		t.Error("the members of the merged narrative are not shown with the other")
	}
	// A third narrative whose cores are linked to the one that was merged is not
	// drawn in: that would be a chain.
	third := c.Add(nil, None).Item
	m1, m2 := c.Add([]Link{whole(third)}, None).Item, c.Add([]Link{whole(third)}, None).Item
	for range 3 {
		if p := c.Add([]Link{whole(third), whole(m1), whole(m2), {To: 1, Score: .85, Share: .85}}, None); p.Merged != nil {
			t.Fatalf("a chain of mergers: %+v", p.Merged)
		}
	}
	if v.Group(third) != third {
		t.Error("the third narrative is shown with the others")
	}
}

func TestView(t *testing.T) {
	c, _ := twoStories(3) // 0 2 3 6 7 8, 1 4 5; 1 merged into 0
	v := c.View([]Act{{Kind: Apart, Narrative: 0, Other: 1}})
	if v.Group(4) != 1 || v.Group(2) != 0 {
		t.Error("the merger is not undone")
	}
	v = c.View([]Act{{Kind: Apart, Narrative: 0, Other: 1}, {Kind: Together, Narrative: 0, Other: 1}})
	if v.Group(4) != 0 {
		t.Error("the narratives are not merged again")
	}
	v = c.View([]Act{{Kind: Apart, Narrative: 0, Other: 1}, {Kind: Pin, Items: []int{2}, Narrative: 1}})
	if v.Group(2) != 1 || v.Group(3) != 0 || !v.Moved(2) || v.Moved(3) {
		t.Error("the pin moved too much or too little")
	}
	late := c.Add([]Link{whole(6)}, None).Item
	v = c.View([]Act{{Kind: Split, Items: []int{6, 3}}})
	if v.Group(6) != 6 || v.Group(3) != 6 || v.Group(late) != 6 || v.Group(2) != 0 || !v.Narrative(6) {
		t.Errorf("split: %d %d %d %d", v.Group(6), v.Group(3), v.Group(late), v.Group(2))
	}
	v = c.View([]Act{{Kind: Split, Items: []int{6}}, {Kind: Together, Narrative: 0, Other: 6}, {Kind: Pin, Items: []int{3}, Narrative: 6}})
	if v.Group(late) != 0 || v.Group(3) != 0 {
		t.Error("what was split off is not back")
	}
	// Acts on what is not there, and those that make no sense, change nothing.
	v = c.View([]Act{{Kind: Pin, Items: []int{999}, Narrative: 0}, {Kind: Pin, Items: []int{2}, Narrative: 3}, {Kind: Split}, {Kind: Split, Items: []int{0}}, {Kind: Together, Narrative: 0, Other: 0}, {Kind: "sing"}})
	for i := range c.Len() {
		if v.Group(i) != c.View(nil).Group(i) {
			t.Errorf("item %d moved to %d", i, v.Group(i))
		}
	}
	// A merger against the sense of an earlier act: one narrative, not none.
	c2 := build(nil, nil, []Link{whole(0)}, []Link{whole(0)})
	v = c2.View([]Act{{Kind: Together, Narrative: 1, Other: 0}})
	for range 2 {
		c2.Add([]Link{whole(0), whole(2), whole(3), whole(1)}, None)
	}
	if v.Group(0) != v.Group(1) {
		t.Errorf("groups %d and %d", v.Group(0), v.Group(1))
	}
}

// random gives items with links at random, as a stream would.
func random(n int, seed uint64) ([][]Link, []int) {
	r := rand.New(rand.NewPCG(seed, 1))
	items, before := make([][]Link, n), make([]int, n)
	for i := range items {
		before[i] = None
		if i > 0 && r.IntN(20) == 0 {
			before[i] = r.IntN(i)
		}
		for range r.IntN(6) {
			if i > 0 {
				items[i] = append(items[i], Link{To: max(0, i-1-r.IntN(40)), Score: .5 + r.Float64()/2, Share: .4 + r.Float64()*.6, Form: Form(r.IntN(2))})
			}
		}
	}
	return items, before
}

// What the package promises, over many random streams: no chains, and a store
// that is loaded in the middle goes on in the same way.
func TestPromises(t *testing.T) {
	for seed := range uint64(40) {
		items, before := random(400, seed)
		c, half := &Clusters{}, &Clusters{}
		direct := map[[2]int]bool{}
		for i, links := range items {
			for _, l := range links {
				if l.Share >= MinShare && l.Score >= Stay {
					direct[[2]int{i, l.To}] = true
				}
			}
			if i == 200 {
				for k := range c.Len() {
					half.Restore(c.State(k))
				}
				for p, n := range c.near {
					half.RestoreNear(p, n)
				}
			}
			p := c.Add(links, before[i])
			if i >= 200 {
				if q := half.Add(links, before[i]); fmt.Sprint(p.Changed, p.Promoted, p.Nearer) != fmt.Sprint(q.Changed, q.Promoted, q.Nearer) || (p.Merged == nil) != (q.Merged == nil) {
					t.Fatalf("seed %d, item %d: %+v and after loading %+v", seed, i, p, q)
				}
			}
		}
		v := c.View(nil)
		for i := range c.Len() {
			s, core := c.State(i), c.State(c.State(i).Via)
			if s != half.State(i) {
				t.Fatalf("seed %d, item %d: %+v and after loading %+v", seed, i, s, half.State(i))
			}
			if s.Role == Founder {
				if s.Narrative != i || s.Via != i || s.Into != None && c.State(s.Into).Into != None {
					t.Fatalf("seed %d: founder %d: %+v", seed, i, s)
				}
				continue
			}
			if core.Role > Core || core.Narrative != s.Narrative || !direct[[2]int{i, s.Via}] {
				t.Fatalf("seed %d, item %d joined through %d, which is no core that it is linked to", seed, i, s.Via)
			}
			if s.Role == Core && !s.Direct {
				t.Fatalf("seed %d: core %d has no link to its founder", seed, i)
			}
			if v.Group(i) != v.Group(s.Narrative) {
				t.Fatalf("seed %d, item %d is shown apart from its narrative", seed, i)
			}
		}
	}
}

func TestLeave(t *testing.T) {
	c := build(nil, []Link{{To: 0, Score: .9, Share: .5}}, []Link{{To: 0, Score: .9, Share: .8}}, []Link{{To: 0, Score: .9, Share: .6, Form: Part}})
	var doubtful []int
	for i, core := range c.Doubtful() {
		if core != 0 {
			t.Errorf("item %d joined through %d", i, core)
		}
		doubtful = append(doubtful, i)
	}
	if !slices.Equal(doubtful, []int{1, 3}) {
		t.Errorf("doubtful are %v", doubtful)
	}
	c.Leave(0)
	c.Leave(3)
	if got := narratives(c); !slices.Equal(got, []int{0, 0, 0, 3}) || c.State(3).Role != Founder {
		t.Errorf("narratives %v", got)
	}
	due := 0
	for c := (&Clusters{}); c.Len() < 5000; {
		c.Add(nil, None)
		if c.Due() {
			due++
		}
	}
	if due != 8 { // at 1000, 1250, 1562, … 4763
		t.Errorf("looked at again %d times", due)
	}
}
