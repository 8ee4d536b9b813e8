package image

import (
	"cmp"
	"math/bits"
	"slices"
)

// scanMax is the number of hashes up to which a Set is searched from end to end:
// a scan reads 32 MB in order there, and needs no tables.
const scanMax = 1 << 20

// maxRadius is the largest distance per slot for which the tables are used. In 4
// million hashes on one core a search to distance 31 takes 0.3 ms by the tables, to
// 47 it takes 6 ms, and to 63, with a radius of 3, 33 ms; a scan takes 13 ms.
const maxRadius = 2

// A Hit is one hash of a Set near a query.
type Hit struct {
	Index    int // the value Add gave
	Distance int // 0 to 256
}

// A Set holds hashes in the order they were added and finds those near another,
// exactly: up to a million by a scan, beyond by multi-index hashing to distance 47
// and by a scan for more. The zero Set
// is empty and ready. It is not safe for use while Add runs.
//
// Multi-index hashing cuts a hash into 16 slots of 16 bits and keeps a table of
// each. Two hashes at distance d agree to within ⌊d/16⌋ bits in at least one
// slot, so probing each table for the values within that radius finds them all:
// 17 probes a table to distance 31, 137 to 47. Tables take 64 bytes a
// hash and cover the first hashes; the newest are scanned until the tables are
// built again, when they have grown by a quarter.
type Set struct {
	hashes []Hash
	tables *tables
	least  int // hashes from which there are tables; 0: scanMax
}

// Add appends h and gives its index.
func (s *Set) Add(h Hash) int {
	s.hashes = append(s.hashes, h)
	s.build()
	return len(s.hashes) - 1
}

// build makes the tables where they are due.
func (s *Set) build() {
	least, grown := s.least, 16
	if least == 0 {
		least, grown = scanMax, 4
	}
	if n := len(s.hashes); n > least && (s.tables == nil || n-s.tables.n > s.tables.n/grown) {
		s.tables = newTables(s.hashes)
	}
}

// NewSet gives an empty Set that makes its tables early, for callers of Near.
func NewSet() *Set { return &Set{least: indexTables} }

// Near gives hashes within maxDistance of q, in no order. Where there are tables
// it gives all to distance 31, and beyond those that agree with q in one slot to
// within a bit: of random pairs nearly all at distance 47, about 75 % at 63, 30 % at 79. It is
// for callers that ask with many views of one picture.
func (s *Set) Near(q Hash, maxDistance int) []Hit {
	if s.tables == nil {
		return scan(nil, s.hashes, 0, q, maxDistance)
	}
	hits := s.tables.probe(nil, s.hashes, q, maxDistance, 1)
	return scan(hits, s.hashes, s.tables.n, q, maxDistance)
}

// Len is the number of hashes.
func (s *Set) Len() int { return len(s.hashes) }

// At gives the hash of an index that Add gave.
func (s *Set) At(i int) Hash { return s.hashes[i] }

// Search gives all hashes within maxDistance of q, nearest first and then in the
// order they were added. A negative maxDistance finds none.
func (s *Set) Search(q Hash, maxDistance int) []Hit {
	var hits []Hit
	if s.tables != nil && maxDistance >= 0 && maxDistance/slots <= maxRadius {
		hits = s.tables.search(hits, s.hashes, q, maxDistance)
		hits = scan(hits, s.hashes, s.tables.n, q, maxDistance)
	} else {
		hits = scan(hits, s.hashes, 0, q, maxDistance)
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Index, b.Index))
	})
	return hits
}

func scan(hits []Hit, hashes []Hash, from int, q Hash, maxDistance int) []Hit {
	for i := range hashes[from:] {
		if d := q.Distance(hashes[from+i]); d <= maxDistance {
			hits = append(hits, Hit{from + i, d})
		}
	}
	return hits
}

const slots = 16

// tables hold, for each slot, the indexes of the first n hashes sorted by the
// slot's value v: ids[start[v]:start[v+1]].
type tables struct {
	n     int
	slots [slots]struct {
		start []uint32 // 65537 values
		ids   []uint32
	}
}

func newTables(hashes []Hash) *tables {
	t := &tables{n: len(hashes)}
	for k := range t.slots {
		start, ids := make([]uint32, 1<<16+1), make([]uint32, len(hashes))
		for _, h := range hashes {
			start[int(h.slot(k))+1]++
		}
		for v := range 1 << 16 {
			start[v+1] += start[v]
		}
		next := slices.Clone(start)
		for i, h := range hashes {
			v := h.slot(k)
			ids[next[v]] = uint32(i)
			next[v]++
		}
		t.slots[k].start, t.slots[k].ids = start, ids
	}
	return t
}

// masks holds the 16-bit values of at most maxRadius bits, fewest bits first;
// ring[r] is how many have at most r.
var masks, ring = func() (m []uint16, ring [maxRadius + 1]int) {
	for r := range ring {
		for v := range 1 << 16 {
			if bits.OnesCount16(uint16(v)) == r {
				m = append(m, uint16(v))
			}
		}
		ring[r] = len(m)
	}
	return m, ring
}()

func (t *tables) search(hits []Hit, hashes []Hash, q Hash, maxDistance int) []Hit {
	return t.probe(hits, hashes, q, maxDistance, maxDistance/slots)
}

// probe gives the hashes within maxDistance that agree with q to within radius
// bits in at least one slot.
func (t *tables) probe(hits []Hit, hashes []Hash, q Hash, maxDistance, radius int) []Hit {
	for k := range t.slots {
		slot, v := &t.slots[k], q.slot(k)
		for _, m := range masks[:ring[radius]] {
			for _, id := range slot.ids[slot.start[v^m]:slot.start[int(v^m)+1]] {
				h := hashes[id]
				if d := q.Distance(h); d <= maxDistance && !near(q, h, k, radius) {
					hits = append(hits, Hit{int(id), d})
				}
			}
		}
	}
	return hits
}

// near reports whether a slot before k already found h.
func near(q, h Hash, k, radius int) bool {
	for i := range k {
		if bits.OnesCount16(q.slot(i)^h.slot(i)) <= radius {
			return true
		}
	}
	return false
}
