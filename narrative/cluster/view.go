package cluster

import "slices"

// A Kind of act is what an analyst decides about narratives.
type Kind string

const (
	// Pin: an item belongs to a narrative, whatever its links say. Its copies go
	// with it, what joined through it does not.
	Pin Kind = "pin"
	// Split: items leave their narrative and are one of their own, founded by the
	// first; what joined through them goes with them.
	Split Kind = "split"
	// Apart: a merger is undone, and two narratives stay two.
	Apart Kind = "undo_merge"
	// Together: a narrative is merged into another.
	Together Kind = "merge"
)

// An Act is one decision. Narratives are named by their founding items.
type Act struct {
	Kind      Kind
	Items     []int // of Pin and Split
	Narrative int   // the target of Pin and Together; of Apart the one into which the other was merged
	Other     int   // of Apart and Together: the narrative that goes
}

// A View is the narratives as analysts left them: what the links say, and the
// acts over it. Acts change what is shown and never how later items are placed,
// so it does not matter when they were done: the same posts and the same acts in
// the same order give the same View.
type View struct {
	c       *Clusters
	moved   map[int]move
	into    map[int]int // narrative → the one that it is part of, or itself
	founded map[int]bool
}

type move struct {
	to    int
	split bool
}

// View gives the narratives with acts applied in their order. An act that names
// items that are not there is passed over. The View follows later additions to
// c.
func (c *Clusters) View(acts []Act) *View {
	v := &View{c: c, moved: map[int]move{}, into: map[int]int{}, founded: map[int]bool{}}
	there := func(i int) bool { return i >= 0 && i < c.Len() }
	for _, a := range acts {
		switch a.Kind {
		case Pin:
			for _, i := range a.Items {
				if there(i) && v.Narrative(a.Narrative) {
					v.moved[i] = move{to: a.Narrative}
				}
			}
		case Split:
			if len(a.Items) == 0 || !there(a.Items[0]) || v.Narrative(a.Items[0]) {
				continue
			}
			first := a.Items[0]
			v.founded[first] = true
			for _, i := range a.Items {
				if there(i) && !(v.Narrative(i) && i != first) {
					v.moved[i] = move{to: first, split: true}
				}
			}
		case Apart:
			if there(a.Other) && v.root(a.Other) == v.root(a.Narrative) {
				v.into[a.Other] = a.Other
			}
		case Together:
			if v.Narrative(a.Other) && v.Narrative(a.Narrative) && v.root(a.Narrative) != v.root(a.Other) {
				v.into[v.root(a.Other)] = v.root(a.Narrative)
			}
		}
	}
	return v
}

// Narrative reports whether i founded a narrative, by its links or by a Split.
func (v *View) Narrative(i int) bool {
	return i >= 0 && i < v.c.Len() && (v.c.items[i].role == Founder || v.founded[i])
}

// root gives the narrative that a narrative is shown as. Where a merger of two
// narratives was followed by an act that merges them the other way round, the
// older stands for both.
func (v *View) root(n int) int {
	var seen []int
	for {
		next, decided := v.into[n]
		if !decided {
			next = n
			if it := &v.c.items[n]; it.role == Founder && it.into != None {
				next = int(it.into)
			}
		}
		if next == n {
			return n
		}
		if at := slices.Index(seen, next); at >= 0 {
			return min(n, slices.Min(seen[at:]))
		}
		seen = append(seen, n)
		n = next
	}
}

// Group gives the founding item of the narrative under which item i is shown.
func (v *View) Group(i int) int {
	if m, ok := v.moved[i]; ok {
		return v.root(m.to)
	}
	if len(v.moved) == 0 {
		return v.root(int(v.c.items[i].narrative))
	}
	for {
		via := int(v.c.items[i].via)
		if via == i {
			return v.root(i)
		}
		if m, ok := v.moved[via]; ok && m.split {
			return v.root(m.to)
		}
		i = via
	}
}

// Moved reports whether an act decides where item i stands.
func (v *View) Moved(i int) bool { _, ok := v.moved[i]; return ok }

// Parts gives the narratives that are shown as narrative n: n and what was
// merged into it, in their order. It looks through all items.
func (v *View) Parts(n int) []int {
	var list []int
	for i := range v.c.items {
		if v.Narrative(i) && v.root(i) == n {
			list = append(list, i)
		}
	}
	slices.Sort(list)
	return list
}
