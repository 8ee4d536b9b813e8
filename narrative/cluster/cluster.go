// Package cluster puts items that carry the same material into narratives, one
// after the other as they come, and never by chains.
//
// An item is a distinct text, or a picture, clip or address that a post without
// words consists of. What links two items is found by others (package
// narrative/text and its siblings); here the links of a new item to earlier ones
// decide where it belongs. The answer depends on the order of the items and on
// nothing else. Posts with equal texts are one item, so copies always stand
// together, however many they are.
//
// # Method
//
// Leader clustering with core points:
//
//  1. An item joins the narrative of the core that it is best linked to, from
//     Join on. Without such a link it founds a narrative and is its first core.
//  2. A member becomes a core when it is linked to the founder and to MinNear
//     further members, each by a Whole link.
//  3. Only cores let others in. An item that holds a piece of a core, or that a
//     core is a piece of, or that shares no more than a picture or an address
//     with it, is attached and never becomes a core: a digest that quotes ten
//     stories does not make them one.
//  4. A narrative is merged into another when MergeLinks of its cores are linked
//     to cores of the other from Strong on. A narrative that others were merged
//     into is not merged further, and a core that came by a merger merges no
//     third one: groups are stars of narratives, never chains of them.
//  5. A new version of a post stays where the old one was from Stay on.
//  6. What two texts have in common weighs less when more texts have it too. So
//     members are looked at again whenever the items have grown by a quarter
//     (Due), and those that share less than KeepShare with their core by then
//     leave and found a narrative of their own (Leave).
//
// So every member has a Whole or Part link with one core, and every core one
// with its founder; how far two members can differ does not grow with their
// number.
package cluster

import (
	"cmp"
	"iter"
	"math"
	"slices"
)

// Thresholds. Join is the threshold at which package text links; that and what
// the others cost in missed and false links was looked at on 45,000 posts of
// ira-2017-08 and on narratives planted into them (see docs/narratives.md).
const (
	// Join is the score from which an item joins a narrative.
	Join = 0.65
	// Stay is the score from which a new version of a post stays in the
	// narrative of the version before.
	Stay = 0.55
	// Strong is the score from which a link between two cores speaks for merging
	// their narratives. Of two versions of one story that were edited apart,
	// about one in three pairs scores so much.
	Strong = 0.8
	// MergeLinks is how many arriving cores must be linked to cores of another
	// narrative before the two are merged: one is what a template does.
	MergeLinks = 2
	// MinNear is how many members beside the founder a core is linked to.
	MinNear = 2
	// MinShare is the least share of the weight of the shorter of two texts that
	// a member has in common with a core. Links that rest on a passage can have
	// less; they are links, and make no members.
	MinShare = 0.5
	// KeepShare is the share below which a member that is looked at again leaves. It
	// is above MinShare, because shares fall until the next look.
	KeepShare = 0.55
	// Sure is the share from which a member is not looked at again.
	Sure = 0.75
)

// A Form says what a link shows of the two items.
type Form uint8

const (
	// Whole: most of either is in the other, as in copies, edited copies and
	// translations.
	Whole Form = iota
	// Part: one is a piece of the other, or they share something that is not all
	// of them, as a picture or an address.
	Part
)

// A Link leads from a new item to an earlier one.
type Link struct {
	To    int     // number of the earlier item
	Score float64 // 0 to 1
	Form  Form
	// Share is the share of the weight of the shorter text that both have. 1 for
	// links that are not about text.
	Share float64
}

// A Role says what an item is in its narrative.
type Role uint8

const (
	// Founder: the first item of the narrative, and its first core.
	Founder Role = iota
	// Core: as good as the founder for letting others in.
	Core
	// Member: linked to a core by a Whole link.
	Member
	// Attached: linked to a core by a Part link.
	Attached
)

// String gives the word that is shown.
func (r Role) String() string {
	switch r {
	case Founder:
		return "founder"
	case Core:
		return "core"
	case Member:
		return "member"
	}
	return "attached"
}

// A State is what is known of one item. Values are for storing; the fields that
// are not explained are the concern of this package.
type State struct {
	Narrative int // number of its founder
	Via       int // the core that it joined through; itself for a founder
	Role      Role
	Direct    bool // has a Whole link to the founder
	Near      int  // Whole links to members beside the founder, up to MinNear
	// Into is, for a founder, the narrative that this one was merged into, or
	// None. Has says that others were merged into this one.
	Into int
	Has  bool
	// Share is that of the link it joined by, in hundredths, rounded down.
	Share int
}

// None is the number of no item.
const None = -1

// A Pair is two narratives whose cores are linked, A the older.
type Pair struct{ A, B int }

// A Placed says what became of an item.
type Placed struct {
	Item int
	// Changed are the items whose State is another now, Item among them, in order.
	Changed []int
	// Promoted are the items that became cores, in order.
	Promoted []int
	// Merged is the merger that the item brought about: Merged.From into
	// Merged.Into; nil for none.
	Merged *Merger
	// Nearer are the pairs of narratives that the item brought nearer to each
	// other.
	Nearer []Pair
}

// A Merger says that narrative From was merged into Into, when Item came.
type Merger struct {
	From, Into int
	Item       int
}

// Clusters are the narratives of the items so far. The zero value is empty and
// ready. It is not safe for concurrent use. It takes 20 bytes an item.
type Clusters struct {
	items []item
	near  map[Pair]int
}

// item is a State in less room.
type item struct {
	narrative, via, into int32
	role                 Role
	near, share          uint8
	direct, has          bool
}

// Len is the number of items.
func (c *Clusters) Len() int { return len(c.items) }

// State gives the state of an item.
func (c *Clusters) State(i int) State {
	s := &c.items[i]
	return State{Narrative: int(s.narrative), Via: int(s.via), Role: s.role, Direct: s.direct, Near: int(s.near), Into: int(s.into), Has: s.has, Share: int(s.share)}
}

// Near gives how many arriving cores linked two narratives.
func (c *Clusters) Near(p Pair) int { return c.near[p] }

// Restore appends an item whose state was stored. The items must come in their
// order.
func (c *Clusters) Restore(s State) {
	c.items = append(c.items, item{narrative: int32(s.Narrative), via: int32(s.Via), into: int32(s.Into), role: s.Role, near: uint8(s.Near), direct: s.Direct, has: s.Has, share: uint8(s.Share)})
}

// RestoreNear sets what Near gave.
func (c *Clusters) RestoreNear(p Pair, n int) {
	if c.near == nil {
		c.near = map[Pair]int{}
	}
	c.near[p] = n
}

// Add takes the next item. links are those to earlier items, in any order; those
// below Stay, or with too little in common, are passed over. before is the item
// of the version of the post before this one, or None.
func (c *Clusters) Add(links []Link, before int) Placed {
	i := len(c.items)
	p := Placed{Item: i, Changed: []int{i}}
	home := None
	if before != None {
		home = int(c.items[before].narrative)
	}
	best := None
	for k, l := range links {
		if !c.core(l.To) || !(l.Share >= MinShare) {
			continue
		}
		stays := int(c.items[l.To].narrative) == home && l.Score >= Stay
		if !stays && !(l.Score >= Join) {
			continue
		}
		if best == None || c.compare(l, links[best], home) < 0 {
			best = k
		}
	}
	if best == None {
		c.items = append(c.items, item{narrative: int32(i), via: int32(i), into: None, role: Founder, share: 100})
		return p
	}
	l := links[best]
	it := item{narrative: c.items[l.To].narrative, via: int32(l.To), into: None, role: Member, share: uint8(100 * min(1, l.Share))}
	if l.Form == Part {
		it.role = Attached
	}
	c.items = append(c.items, it)
	c.knit(i, links, &p)
	if c.core(i) {
		c.weigh(i, links, &p)
	}
	slices.Sort(p.Changed)
	p.Changed = slices.Compact(p.Changed)
	return p
}

// compare orders the links by which an item may join: home first, then Whole,
// then the better, then the older narrative, then the older core.
func (c *Clusters) compare(x, y Link, home int) int {
	away := func(l Link) int {
		if int(c.items[l.To].narrative) == home {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(away(x), away(y)),
		cmp.Compare(x.Form, y.Form),
		cmp.Compare(y.Score, x.Score),
		cmp.Compare(c.items[x.To].narrative, c.items[y.To].narrative),
		cmp.Compare(x.To, y.To),
	)
}

func (c *Clusters) core(i int) bool { return c.items[i].role <= Core }

// knit counts the Whole links between item i and the others of its narrative,
// and promotes those that have enough of them.
func (c *Clusters) knit(i int, links []Link, p *Placed) {
	it := &c.items[i]
	for _, l := range links {
		if l.Form != Whole || !(l.Score >= Join) || !(l.Share >= MinShare) {
			continue
		}
		other := &c.items[l.To]
		if other.narrative != it.narrative {
			continue
		}
		if other.role == Founder {
			it.direct = true
			continue
		}
		it.near = more(it.near)
		if n := more(other.near); n != other.near {
			other.near = n
			p.Changed = append(p.Changed, l.To)
			c.promote(l.To, p)
		}
	}
	c.promote(i, p)
	slices.Sort(p.Promoted)
}

func more(n uint8) uint8 { return min(n+1, MinNear) }

func (c *Clusters) promote(i int, p *Placed) {
	if it := &c.items[i]; it.role == Member && it.direct && it.near >= MinNear {
		it.role = Core
		p.Promoted = append(p.Promoted, i)
	}
}

// weigh looks whether the new core i brings its narrative together with another.
func (c *Clusters) weigh(i int, links []Link, p *Placed) {
	own := int(c.items[i].narrative)
	if c.items[own].into != None {
		return // a core that came by a merger merges no third narrative
	}
	var others []int
	for _, l := range links {
		if l.Form == Whole && l.Score >= Strong && c.core(l.To) {
			n := int(c.items[l.To].narrative)
			if n != own && c.items[n].into == None && !slices.Contains(others, n) {
				others = append(others, n)
			}
		}
	}
	slices.Sort(others)
	for _, n := range others {
		pair := Pair{min(own, n), max(own, n)}
		if c.near == nil {
			c.near = map[Pair]int{}
		}
		c.near[pair]++
		p.Nearer = append(p.Nearer, pair)
		if p.Merged == nil && c.near[pair] >= MergeLinks {
			p.Merged = c.merge(pair, i)
			if p.Merged != nil {
				p.Changed = append(p.Changed, pair.A, pair.B)
			}
		}
	}
}

// merge joins two narratives: the younger into the older, unless others were
// merged into the younger.
func (c *Clusters) merge(pair Pair, i int) *Merger {
	from, into := pair.B, pair.A
	if c.items[from].has {
		from, into = into, from
	}
	if c.items[from].has || c.items[from].into != None || c.items[into].into != None {
		return nil
	}
	c.items[from].into = int32(into)
	c.items[into].has = true
	return &Merger{From: from, Into: into, Item: i}
}

// Due reports whether it is time to look at the doubtful members again, when the
// last item was added.
func (c *Clusters) Due() bool {
	n := len(c.items)
	for at := firstLook; at <= n; at += at / 4 {
		if at == n {
			return true
		}
	}
	return false
}

// firstLook is the number of items at which members are first looked at again.
const firstLook = 1000

// Doubtful gives the members that are to be looked at again, with the core that
// each joined through, in order. Cores are not among them: they are linked to
// several.
func (c *Clusters) Doubtful() iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for i := range c.items {
			if it := &c.items[i]; it.role >= Member && it.share < 100*Sure && !yield(i, int(it.via)) {
				return
			}
		}
	}
}

// Leave makes a member the founder of a narrative of its own. It does nothing to
// founders and cores.
func (c *Clusters) Leave(i int) {
	if it := &c.items[i]; it.role >= Member {
		*it = item{narrative: int32(i), via: int32(i), into: None, role: Founder, share: 100}
	}
}

// Max is how many items there can be.
const Max = math.MaxInt32
