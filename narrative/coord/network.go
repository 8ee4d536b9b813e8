package coord

import (
	"cmp"
	"math"
	"slices"
)

func (t *table) network(pairs []pair, quantile float64) Network {
	var n Network
	n.Pairs = len(pairs)
	if len(pairs) == 0 {
		return n
	}
	// rank orders account numbers by name.
	byName := make([]uint32, len(t.accounts))
	for i := range byName {
		byName[i] = uint32(i)
	}
	slices.SortFunc(byName, func(a, b uint32) int { return cmp.Compare(t.accounts[a], t.accounts[b]) })
	rank := make([]uint32, len(byName))
	for i, a := range byName {
		rank[a] = uint32(i)
	}
	key := func(p pair) (lo, hi uint32) {
		lo, hi = rank[t.rows[p.older].account], rank[t.rows[p.newer].account]
		return min(lo, hi), max(lo, hi)
	}
	slices.SortFunc(pairs, func(p, q pair) int {
		pl, ph := key(p)
		ql, qh := key(q)
		return cmp.Or(cmp.Compare(pl, ql), cmp.Compare(ph, qh), cmp.Compare(p.newer, q.newer), cmp.Compare(p.older, q.older))
	})

	seen := map[uint32]struct{}{}
	objects := map[uint32]struct{}{}
	var own, older, newer, contentsA, contentsB []uint32
	for start := 0; start < len(pairs); {
		lo, hi := key(pairs[start])
		own, older, newer, contentsA, contentsB = own[:0], older[:0], newer[:0], contentsA[:0], contentsB[:0]
		var delta float64
		end := start
		for ; end < len(pairs); end++ {
			if l, h := key(pairs[end]); l != lo || h != hi {
				break
			}
			x, y := t.rows[pairs[end].older], t.rows[pairs[end].newer]
			own = append(own, x.object)
			objects[x.object] = struct{}{}
			older, newer = append(older, x.content), append(newer, y.content)
			delta += float64(y.time - x.time)
			if rank[x.account] != lo {
				x, y = y, x
			}
			contentsA, contentsB = append(contentsA, x.content), append(contentsB, y.content)
		}
		e := Edge{
			A: t.accounts[byName[lo]], B: t.accounts[byName[hi]], Weight: end - start,
			Objects: distinct(own), OlderContents: distinct(older), NewerContents: distinct(newer),
			ContentsA: distinct(contentsA), ContentsB: distinct(contentsB),
			MeanDelta: delta / float64(end-start), P: 1,
		}
		e.Symmetry = float64(min(e.OlderContents, e.NewerContents)) / float64(max(e.OlderContents, e.NewerContents))
		e.CoShares = min(e.Objects, e.ContentsA, e.ContentsB)
		n.Edges = append(n.Edges, e)
		seen[lo], seen[hi] = struct{}{}, struct{}{}
		start = end
	}
	n.Objects = len(objects)
	for i, a := range byName {
		if _, ok := seen[uint32(i)]; ok {
			n.Accounts = append(n.Accounts, t.accounts[a])
		}
	}
	n.mark(quantile)
	return n
}

// distinct counts the different numbers of list, which it sorts.
func distinct(list []uint32) int {
	slices.Sort(list)
	return len(slices.Compact(list))
}

// mark sets Threshold and the Above of each edge.
func (n *Network) mark(quantile float64) {
	if len(n.Edges) == 0 {
		return
	}
	weights := make([]int, len(n.Edges))
	for i, e := range n.Edges {
		weights[i] = e.Weight
	}
	slices.Sort(weights)
	// R's type 7: linear between the order statistics around (n-1)q.
	at := float64(len(weights)-1) * quantile
	lower := int(math.Floor(at))
	upper := min(lower+1, len(weights)-1)
	n.Threshold = float64(weights[lower]) + (at-float64(lower))*float64(weights[upper]-weights[lower])
	for i := range n.Edges {
		n.Edges[i].Above = float64(n.Edges[i].Weight) > n.Threshold
	}
}

// Components are the connected components over all edges, the largest first and
// those of one size in the order of their first account; accounts in byte order.
func (n Network) Components() [][]string {
	place := make(map[string]int, len(n.Accounts))
	parent := make([]int, len(n.Accounts))
	for i, a := range n.Accounts {
		place[a], parent[i] = i, i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for _, e := range n.Edges {
		a, b := root(place[e.A]), root(place[e.B])
		parent[max(a, b)] = min(a, b)
	}
	members := make([][]string, len(n.Accounts))
	for i, a := range n.Accounts {
		r := root(i)
		members[r] = append(members[r], a)
	}
	members = slices.DeleteFunc(members, func(m []string) bool { return len(m) == 0 })
	slices.SortStableFunc(members, func(a, b []string) int { return cmp.Compare(len(b), len(a)) })
	return members
}
