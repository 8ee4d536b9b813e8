package translate

import (
	"cmp"
	"math"
	"slices"
)

// A scorer holds the working memory of queries.
type scorer struct {
	ix      *Index
	leads   []lead
	asks    []askStem
	sums    []float32 // by text
	touched []uint32
	cands   []candidate

	aw    []float32 // weight of each foreign word
	bw    []float32 // weight of each English word
	table []int32   // stem → its first English word + 1
	mask  uint32
	same  []int32 // English word → the next of the same stem + 1
	bloom [64]uint64
	used  []bool // English words that are translated already
	hits  []hit
	pos   []int32 // of hits
	order []int32

	other     []token
	otherAlts []uint32
}

// A lead is a stem by which a foreign word is looked for, with what finding it is
// worth.
type lead struct {
	stem uint32
	gain float32
}

// lead fills s.leads with the stems of a word, at most n, the worthiest first.
func (s *scorer) lead(d *dictionary, t *token, n int) {
	s.leads = s.leads[:0]
	w := s.weight(d, t)
	add := func(stem uint32, gain float32) {
		for i := range s.leads {
			if s.leads[i].stem == stem {
				s.leads[i].gain = max(s.leads[i].gain, gain)
				return
			}
		}
		s.leads = append(s.leads, lead{stem, gain})
	}
	for _, a := range t.alts {
		add(a, s.ix.idf(a))
	}
	if t.entry >= 0 {
		first := int(d.entries[t.entry].glosses)
		for i := range d.glossesOf(t.entry) {
			terms := d.termsOf(first + i)
			sum := float32(0)
			for _, x := range terms {
				sum += s.ix.idf(x)
			}
			later := 1 / (1 + 0.05*float32(i))
			for _, x := range terms {
				add(x, w*later*s.ix.idf(x)/sum)
			}
		}
	}
	slices.SortFunc(s.leads, func(x, y lead) int {
		if x.gain != y.gain {
			return cmp.Compare(y.gain, x.gain)
		}
		return cmp.Compare(x.stem, y.stem)
	})
	if len(s.leads) > n {
		s.leads = s.leads[:n]
	}
}

// weight is how improbable it is, in nats, that a text without relation has a
// translation of the word: less for a word with many glosses or common ones. A
// word that the dictionary has not, and that stands for nothing, weighs nothing.
func (s *scorer) weight(d *dictionary, t *token) float32 {
	p := float32(0)
	for _, a := range t.alts {
		p += s.ix.chance(a)
	}
	if t.entry >= 0 {
		first := int(d.entries[t.entry].glosses)
		for i := range d.glossesOf(t.entry) {
			least := float32(1)
			for _, x := range d.termsOf(first + i) {
				least = min(least, s.ix.chance(x))
			}
			p += least
		}
	}
	if p == 0 {
		return 0
	}
	return -ln(min(p, 1))
}

func (s *scorer) prepareA(d *dictionary, toks []token) {
	s.aw = s.aw[:0]
	for i := range toks {
		w := s.weight(d, &toks[i])
		if toks[i].kind == nameWord && toks[i].entry < 0 {
			w *= 0.5
		}
		s.aw = append(s.aw, w)
	}
}

func (s *scorer) prepareB(toks []token) {
	size := 16
	for size < 2*len(toks) {
		size *= 2
	}
	if len(s.table) < size {
		s.table = make([]int32, size)
	}
	t := s.table[:size]
	clear(t)
	s.mask = uint32(size - 1)
	s.bloom = [64]uint64{}
	s.bw, s.same = s.bw[:0], s.same[:0]
	for i := range toks {
		s.bw = append(s.bw, s.ix.idf(toks[i].stem))
		s.same = append(s.same, 0)
	}
	for i := len(toks) - 1; i >= 0; i-- {
		x := toks[i].stem
		if x == noWord {
			continue
		}
		h := scatter(x)
		s.bloom[h>>6&63] |= 1 << (h & 63)
		k := h & s.mask
		for t[k] != 0 && toks[t[k]-1].stem != x {
			k = (k + 1) & s.mask
		}
		s.same[i], t[k] = t[k], int32(i)+1
	}
}

func scatter(x uint32) uint32 { return (x ^ x>>15) * 2654435769 >> 4 }

// find gives the first English word with a stem, or -1.
func (s *scorer) find(toks []token, x uint32) int32 {
	h := scatter(x)
	if s.bloom[h>>6&63]>>(h&63)&1 == 0 {
		return -1
	}
	for k := h & s.mask; s.table[k] != 0; k = (k + 1) & s.mask {
		if toks[s.table[k]-1].stem == x {
			return s.table[k] - 1
		}
	}
	return -1
}

// A hit is a foreign word with the English words that translate it.
type hit struct {
	a     int32
	gloss int32 // index of the dictionary's glosses, or -1 for an alternative
	share float32
	pos   int32 // of the first of its English words in scorer.pos
	n     int32
}

// likeness is what two texts have in common.
type likeness struct {
	shareA, shareB float32 // of the weight of either side's words
	evidence       float32 // nats
	words          int     // foreign words that are translated
	foreign        int     // foreign words that weigh anything
	english        int
	adjacent       int     // of words, next to each other on both sides
	numbers, names float32 // evidence of those
	missing        float32 // weight of numbers of either side that the other lacks
}

// minShare is the share of a gloss that must be found.
const minShare = 0.5

// pair compares a foreign text with an English one; both are prepared. The hits
// stay in s.hits.
func (s *scorer) pair(d *dictionary, a, b []token) likeness {
	s.hits, s.pos = s.hits[:0], s.pos[:0]
	var l likeness
	l.english = len(b)
	// In a long text more is found by chance.
	lessA, lessB := longer(len(b)), longer(len(a))
	var allA, allB float32
	for _, w := range s.bw {
		allB += max(w-lessB, 0)
	}
	for i := range a {
		t := &a[i]
		if s.aw[i] > 0.7 {
			l.foreign++
		}
		allA += max(s.aw[i]-lessA, 0)
		best := hit{a: int32(i), gloss: -1}
		bestMass := float32(0)
		start := len(s.pos)
		for _, x := range t.alts {
			if p := s.find(b, x); p >= 0 && (best.share < 1 || s.bw[p] > bestMass) {
				best.share, bestMass = 1, s.bw[p]
				s.pos = append(s.pos[:start], p)
				best.n = 1
			}
		}
		if t.entry >= 0 {
			first := int(d.entries[t.entry].glosses)
			for g := range d.glossesOf(t.entry) {
				terms := d.termsOf(first + g)
				var found, all float32
				var at [maxGlossTerms]int32
				n := 0
				for _, x := range terms {
					w := float32(0)
					if p := s.find(b, x); p >= 0 {
						w = s.bw[p]
						found += w
						at[n] = p
						n++
					} else {
						w = s.ix.idf(x)
					}
					all += w
				}
				if n == 0 {
					continue
				}
				share := found / all
				if share >= minShare && (share > best.share+0.01 || share > best.share-0.01 && found > bestMass) {
					best.share, best.gloss, best.n, bestMass = share, int32(first+g), int32(n), found
					s.pos = append(s.pos[:start], at[:n]...)
				}
			}
		}
		if best.share > 0 {
			best.pos = int32(start)
			s.hits = append(s.hits, best)
		}
	}
	// The strongest take their English words first; what is taken counts once.
	s.order = s.order[:0]
	for i := range s.hits {
		s.order = append(s.order, int32(i))
	}
	slices.SortFunc(s.order, func(x, y int32) int {
		hx, hy := &s.hits[x], &s.hits[y]
		if wx, wy := hx.share*s.aw[hx.a], hy.share*s.aw[hy.a]; wx != wy {
			return cmp.Compare(wy, wx)
		}
		return cmp.Compare(x, y)
	})
	if cap(s.used) < len(b) {
		s.used = make([]bool, len(b)+64)
	}
	used := s.used[:len(b)]
	clear(used)
	var massA, massB float32
	for _, k := range s.order {
		h := &s.hits[k]
		var fresh, all float32
		for n := h.pos; n < h.pos+h.n; n++ {
			p := s.pos[n]
			all += s.bw[p]
			// The one that nobody took, nearest to where the foreign word stands.
			want := int32(float32(h.a) / float32(len(a)) * float32(len(b)))
			free := int32(-1)
			for q, tries := p, 0; q >= 0 && tries < maxSame; q, tries = s.same[q]-1, tries+1 {
				if !used[q] && (free < 0 || abs(q-want) < abs(free-want)) {
					free = q
				}
			}
			if free >= 0 {
				s.pos[n] = free
				used[free] = true
				fresh += s.bw[free]
				massB += max(s.bw[free]-lessB, 0) * h.share
			}
		}
		if all > 0 {
			h.share *= taken + (1-taken)*fresh/all
		}
		w := max(s.aw[h.a]-lessA, 0) * h.share
		massA += w
		l.words++
		switch a[h.a].kind {
		case numberWord:
			l.numbers += w
		case nameWord, latinWord:
			l.names += w
		}
	}
	for i := 1; i < len(s.hits); i++ {
		x, y := &s.hits[i-1], &s.hits[i]
		if y.a-x.a <= 2 && x.n > 0 && y.n > 0 {
			if gap := abs(s.pos[x.pos] - s.pos[y.pos]); gap > 0 && gap <= 3 {
				l.adjacent++
			}
		}
	}
	l.evidence = massA
	if allA > 0 {
		l.shareA = massA / allA
	}
	if allB > 0 {
		l.shareB = massB / allB
	}
	hit := 0
	for i := range a {
		if a[i].kind == numberWord {
			for hit < len(s.hits) && s.hits[hit].a < int32(i) {
				hit++
			}
			if hit == len(s.hits) || s.hits[hit].a != int32(i) {
				l.missing += s.aw[i]
			}
		}
	}
	for i := range b {
		if b[i].kind == numberWord && !used[i] {
			l.missing += s.bw[i]
		}
	}
	return l
}

// maxSame is how many places of one English word are tried for a foreign one.
const maxSame = 32

// taken is what a word counts whose English words translate others already.
const taken = 0.3

// usualLength is the length, in words that count, of the texts for which chances
// are told: about that of a post.
const usualLength = 12

// longer is how many nats less a word says where the other text has n words.
func longer(n int) float32 {
	if n <= usualLength {
		return 0
	}
	return float32(math.Log(float64(n) / usualLength))
}

func abs(x int32) int32 {
	if x < 0 {
		return -x
	}
	return x
}
