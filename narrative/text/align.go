package text

import "slices"

// An aligner finds the words that two texts share in the same order. Its memory
// is used again from text to text.
type aligner struct {
	near func(i, j int) bool // word i of a and word j of b differ by a typing error

	usedA, usedB []bool
	seeds        []seed
	heads        []int32 // hash of a pair of words of a → last place + 1
	prev         []int32 // place of a → earlier place with the same hash, + 1
	shift        uint

	moves []uint8
	rows  []int32
	pairs []pair
	found []pair

	points []point // all equal words of a and b, in the order of b; see chain
	dense  bool    // there are too many of them
}

// A point is a word of a that is a word of b.
type point struct {
	i, j  int32
	score int32 // of the best alignment that ends here
	from  int32 // the point before in it, or −1
}

// A pair says that word i of one text is word j of the other.
type pair struct {
	i, j int32
	near bool // not the same word, but one typing error apart
}

type seed struct{ i, d int32 }

const (
	matchScore = 3
	missScore  = -2

	// maxRuns is how many pieces of one text may stand in another order in the
	// other.
	maxRuns = 8
	// smallGrid is the product of lengths up to which the whole grid is aligned;
	// larger texts are aligned in a band around their densest diagonal.
	smallGrid = 4096
	// maxPoints is how many equal words are aligned point by point; with more,
	// in small grids too each cell of the grid is visited.
	maxPoints = 192
	// bandSlack is how far words may be shifted within one piece.
	bandSlack = 14
	bandEdge  = 4
	// maxSeedsOf bounds how often one pair of words is looked for in a.
	maxSeedsOf = 6
	// maxSeeds bounds the seeds of two texts.
	maxSeeds = 1 << 16
)

// prepare makes a the text to which others are aligned.
func (al *aligner) prepare(a []uint32) {
	al.usedA = resize(al.usedA, len(a))
	bits := uint(4)
	for 1<<bits < 2*len(a) {
		bits++
	}
	al.shift = 32 - bits
	al.heads = resize(al.heads, 1<<bits)
	clear(al.heads)
	al.prev = resize(al.prev, len(a))
	for i := 0; i+1 < len(a); i++ {
		h := al.slot(a, i)
		al.prev[i] = al.heads[h]
		al.heads[h] = int32(i) + 1
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2+16)
	}
	return s[:n]
}

func (al *aligner) slot(t []uint32, i int) uint32 {
	return (t[i]*0x9e3779b1 ^ t[i+1]*0x85ebca77) * 0xc2b2ae35 >> al.shift
}

// align gives the pairs of words of a, which was prepared, and b, piece by
// piece: each piece ascends on both sides, and no word is in two pairs. pieces
// says how many pairs each piece has. common is at least how many words of b
// stand in a. Both answers are good until the next call.
func (al *aligner) align(a, b []uint32, common int, pieces []int) ([]pair, []int) {
	al.usedB = resize(al.usedB, len(b))
	clear(al.usedA)
	clear(al.usedB)
	al.pairs = al.pairs[:0]
	pieces = pieces[:0]
	left := min(len(a), len(b))
	common = min(common, left)
	for range maxRuns {
		var piece []pair
		if len(a)*len(b) <= smallGrid && !al.dense {
			piece = al.chain()
		} else if len(a)*len(b) <= smallGrid {
			piece = al.band(a, b, 0, len(a), -len(a)+1, len(b)-1)
		} else {
			piece = al.densest(a, b)
		}
		if len(piece) < 2 {
			break
		}
		slices.Reverse(piece)
		for _, p := range piece {
			al.usedA[p.i], al.usedB[p.j] = true, true
		}
		before := len(al.pairs)
		al.join(a, b, piece)
		pieces = append(pieces, len(al.pairs)-before)
		left -= len(al.pairs) - before
		common -= len(piece)
		if left < 2 || common < 2 {
			break
		}
	}
	return al.pairs, pieces
}

// join adds a piece to the pairs, with the misspelt words in its gaps and next
// to its ends.
func (al *aligner) join(a, b []uint32, piece []pair) {
	step := func(i, j int32) bool {
		if i < 0 || j < 0 || int(i) >= len(a) || int(j) >= len(b) || al.usedA[i] || al.usedB[j] {
			return false
		}
		same := a[i] == b[j]
		if !same && (al.near == nil || !al.near(int(i), int(j))) {
			return false
		}
		al.usedA[i], al.usedB[j] = true, true
		al.pairs = append(al.pairs, pair{i, j, !same})
		return true
	}
	start := len(al.pairs)
	first := piece[0]
	for k := int32(1); k <= 2 && step(first.i-k, first.j-k) || k == 1 && step(first.i-2, first.j-2); k++ {
	}
	slices.Reverse(al.pairs[start:])
	for k, p := range piece {
		if k > 0 {
			last := piece[k-1]
			gi, gj := p.i-last.i-1, p.j-last.j-1
			switch {
			case gi == gj:
				for x := int32(1); x <= gi; x++ {
					step(last.i+x, last.j+x)
				}
			case gi > 0 && gj > 0 && gi <= 3 && gj <= 3:
				j := last.j + 1
				for i := last.i + 1; i < p.i; i++ {
					for y := j; y < p.j; y++ {
						if step(i, y) {
							j = y + 1
							break
						}
					}
				}
			}
		}
		al.pairs = append(al.pairs, p)
	}
	last := piece[len(piece)-1]
	for k := int32(1); k <= 2 && step(last.i+k, last.j+k) || k == 1 && step(last.i+2, last.j+2); k++ {
	}
}

// meet notes that word j of b stands in a at i, and where again says that the
// same word stands there again. It is called for each word of b that stands in a,
// in their order, before align.
func (al *aligner) meet(i, j int, again []int32) {
	for ; i >= 0 && !al.dense; i = int(again[i]) - 1 {
		if len(al.points) == maxPoints {
			al.dense = true
			return
		}
		al.points = append(al.points, point{i: int32(i), j: int32(j)})
	}
}

// chain is the local alignment of the whole grid. It looks only at the points
// where both texts have the same word: between two of them lie as many steps as
// the longer of their distances. Used words match nothing. It gives the pairs of
// equal words, last first.
func (al *aligner) chain() []pair {
	free := al.points[:0]
	best, most := -1, int32(0)
	for _, p := range al.points {
		if al.usedA[p.i] || al.usedB[p.j] {
			continue
		}
		p.score, p.from = matchScore, -1
		for k := len(free) - 1; k >= 0; k-- {
			q := &free[k]
			dj := p.j - q.j - 1
			if most+missScore*dj <= 0 {
				break // nor is any point before q worth the way
			}
			di := p.i - q.i - 1
			if di < 0 || dj < 0 {
				continue
			}
			if s := q.score + matchScore + missScore*max(di, dj); s > p.score {
				p.score, p.from = s, int32(k)
			}
		}
		if p.score > most || p.score == most && p.i < free[best].i {
			best, most = len(free), p.score
		}
		free = append(free, p)
	}
	al.points = free
	al.found = al.found[:0]
	for k := int32(best); k >= 0; k = free[k].from {
		al.found = append(al.found, pair{i: free[k].i, j: free[k].j})
	}
	return al.found
}

// densest aligns a and b in the band that holds most pairs of words which stand
// in both and are not used yet.
func (al *aligner) densest(a, b []uint32) []pair {
	al.seeds = al.seeds[:0]
	for j := 0; j+1 < len(b) && len(al.seeds) < maxSeeds; j++ {
		if al.usedB[j] {
			continue
		}
		n := 0
		for x := al.heads[al.slot(b, j)]; x != 0 && n < maxSeedsOf; x = al.prev[x-1] {
			i := x - 1
			if a[i] == b[j] && a[i+1] == b[j+1] {
				n++
				if !al.usedA[i] {
					al.seeds = append(al.seeds, seed{i, int32(j) - i})
				}
			}
		}
	}
	if len(al.seeds) == 0 {
		return nil
	}
	slices.SortFunc(al.seeds, func(x, y seed) int {
		if x.d != y.d {
			return int(x.d - y.d)
		}
		return int(x.i - y.i)
	})
	lo, hi, l := 0, 0, 0
	for h := range al.seeds {
		for al.seeds[h].d-al.seeds[l].d > bandSlack {
			l++
		}
		if h-l > hi-lo {
			lo, hi = l, h
		}
	}
	from, to := len(a), 0
	for _, s := range al.seeds[lo : hi+1] {
		from, to = min(from, int(s.i)), max(to, int(s.i)+2)
	}
	from, to = max(0, from-6), min(len(a), to+6)
	return al.band(a, b, from, to, int(al.seeds[lo].d)-bandEdge, int(al.seeds[hi].d)+bandEdge)
}

const (
	stop = iota
	match
	miss
	skipA
	skipB
)

// band is a local alignment of a[from:to] with b on the diagonals j−i from lo to
// hi. Used words match nothing. It gives the pairs of equal words, last first.
func (al *aligner) band(a, b []uint32, from, to, lo, hi int) []pair {
	width := hi - lo + 3
	n := to - from
	al.moves = resize(al.moves, (n+1)*width)
	al.rows = resize(al.rows, 2*width)
	clear(al.rows)
	above, row := al.rows[:width], al.rows[width:2*width]
	clear(al.moves[:width])
	var best int32
	bestR, bestK := 0, 0
	for r := 1; r <= n; r++ {
		i := from + r - 1
		ai, used := a[i], al.usedA[i]
		moves := al.moves[r*width : (r+1)*width]
		// Column k is diagonal lo+k−1.
		k0, k1 := max(1, 1-i-lo), min(width-1, len(b)-i-lo+1)
		if k0 >= k1 {
			clear(row)
			clear(moves)
			above, row = row, above
			continue
		}
		clear(row[:k0])
		clear(moves[:k0])
		clear(row[k1:])
		clear(moves[k1:])
		bs := b[i+lo+k0-1:]
		ub := al.usedB[i+lo+k0-1:]
		var left int32
		for k := k0; k < k1; k++ {
			s, move := above[k]+missScore, uint8(miss)
			if bs[k-k0] == ai && !used && !ub[k-k0] {
				s, move = above[k]+matchScore, match
			}
			if v := above[k+1] + missScore; v > s {
				s, move = v, skipA
			}
			if v := left + missScore; v > s {
				s, move = v, skipB
			}
			if s <= 0 {
				s, move = 0, stop
			}
			row[k], moves[k], left = s, move, s
			if s > best {
				best, bestR, bestK = s, r, k
			}
		}
		above, row = row, above
	}
	al.found = al.found[:0]
	for r, k := bestR, bestK; r > 0 && k > 0 && k < width-1; {
		switch al.moves[r*width+k] {
		case match:
			al.found = append(al.found, pair{i: int32(from + r - 1), j: int32(from + r - 1 + lo + k - 1)})
			r--
		case miss:
			r--
		case skipA:
			r--
			k++
		case skipB:
			k--
		default:
			return al.found
		}
	}
	return al.found
}

// nearWords tells whether two folded words are one word with a typing error: a
// letter more, less, other or swapped with its neighbour; two such errors in
// words of eight letters and more. Words of fewer than four letters and words
// with digits have no errors that could be told from another word.
func nearWords(a, b []byte) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 3 || len(b) < 4 || len(b)-len(a) > 4 || len(b) >= maxWord {
		return false
	}
	var ra, rb [maxWord]rune
	na, nb := decode(a, &ra), decode(b, &rb)
	if na < 0 || nb < 0 {
		return false
	}
	if na > nb {
		ra, rb, na, nb = rb, ra, nb, na
	}
	limit := 1
	if na >= 8 {
		limit = 2
	}
	if nb < 4 || nb-na > limit {
		return false
	}
	x, y := ra[:na], rb[:nb]
	for len(x) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return within(x, y, limit)
}

// decode gives the letters of a folded word; -1 for one with a digit.
func decode(b []byte, to *[maxWord]rune) int {
	n := 0
	for _, r := range string(b) {
		if r >= '0' && r <= '9' {
			return -1
		}
		to[n] = r
		n++
	}
	return n
}

// within tells whether x becomes y by at most limit changes of one letter or
// swaps of neighbours.
func within(x, y []rune, limit int) bool {
	if len(x) == 0 {
		return len(y) <= limit
	}
	if len(y) == 0 {
		return len(x) <= limit
	}
	if x[0] == y[0] {
		return within(x[1:], y[1:], limit)
	}
	if limit == 0 {
		return false
	}
	if len(x) > 1 && len(y) > 1 && x[0] == y[1] && x[1] == y[0] && within(x[2:], y[2:], limit-1) {
		return true
	}
	return within(x[1:], y[1:], limit-1) || within(x, y[1:], limit-1) || within(x[1:], y, limit-1)
}
