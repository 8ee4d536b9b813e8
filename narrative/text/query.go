package text

import (
	"cmp"
	"slices"
)

// Candidates.
const (
	// minCandidate is the summed idf of shared features, in nats, from which a
	// text is compared word by word: about one pair that nobody else has.
	minCandidate = 12
	// maxCandidates is how many texts are compared word by word.
	maxCandidates = 25
	// candidateShare: texts with less than this share of the best sum are not
	// compared.
	candidateShare = 0.12
	// fewShared is the share of the shorter text's mass, in any order, below
	// which a candidate is not aligned. Misspelt words are not counted in it, so
	// it is well below what a link needs.
	fewShared = 0.25
)

// A searcher holds the working memory of queries.
type searcher struct {
	normal   Normal
	tags     uint8 // of the query, see tags
	written  uint8 // the same, before respell
	ids      []uint32
	weights  []float32
	features []uint32
	counts   []uint32  // by feature: how many texts hold it
	starts   []uint32  // by word: the feature that starts with it, or 0
	given    []float32 // by word: its weight where the words around it are shared too
	list     []uint32
	sums     []float32 // by text
	touched  []uint32
	common   []uint32 // features that too many texts hold
	cands    []candidate
	al       aligner
	other    []uint32 // words of the candidate
	otherW   []float32
	otherTag uint8
	pieces   []int
	packed   []byte
	kept     []pair // of the matches that will be explained
	own      ownSet // the words of the query
	second   Normal // of the matched raw text
	read     Normal // the query as it is read, or as it was written: see respell
}

type candidate struct {
	text uint32
	sum  float32
}

// number gives the words of the normalised text their numbers and weights.
func (ix *Index) number(s *searcher) {
	n := logOf(ix.distinctTexts() + priorTexts)
	s.ids, s.weights = s.ids[:0], s.weights[:0]
	for i := range s.normal.Words {
		w := &s.normal.Words[i]
		id, ok := ix.words.find(w.hash, s.normal.folded[w.at:w.at+uint32(w.len)])
		df := 0
		if ok {
			df = int(ix.words.texts.at(id))
		} else {
			// Equal words have equal numbers, known or not.
			id = unknown | w.hash
		}
		s.ids = append(s.ids, id)
		s.weights = append(s.weights, weight(df, n))
	}
}

// candidates fills s.cands with the texts that share features, best first.
func (ix *Index) candidates(s *searcher) {
	n := ix.distinctTexts()
	for len(s.sums) < n {
		s.sums = append(s.sums, make([]float32, n-len(s.sums)+n/8+1024)...)
	}
	s.features = distinct(pairs(s.normal.Words, s.features[:0]))
	if len(s.features) > maxFeatures {
		s.features = s.features[:maxFeatures]
	}
	for i, w := range s.normal.Words {
		if s.ids[i] < unknown && !w.Single && int(ix.words.texts.at(s.ids[i])) <= rareTexts {
			s.features = append(s.features, rareFeature(w.hash))
		}
		if len(s.features) > 2*maxFeatures {
			break
		}
	}
	s.features = distinct(s.features)
	s.touched, s.common = s.touched[:0], s.common[:0]
	logN := logOf(n + priorTexts)
	best := float32(0)
	add := func(list []uint32, idf float32) {
		for _, t := range list {
			sum := s.sums[t]
			if sum == 0 {
				s.touched = append(s.touched, t)
			}
			sum += idf
			s.sums[t] = sum
			best = max(best, sum)
		}
	}
	s.counts = s.counts[:0]
	ix.posts.touch(s.features)
	for _, f := range s.features {
		s.list = ix.posts.texts(f, s.list[:0])
		s.counts = append(s.counts, uint32(len(s.list)))
		switch k := len(s.list); {
		case k == 0:
		case k >= maxPostings:
			s.common = append(s.common, f)
		default:
			add(s.list, logN-logOf(k))
		}
	}
	// A text all of whose features are common is a much repeated one: then the
	// common features count, for they lead to its first texts.
	if best < 2*minCandidate {
		for _, f := range s.common {
			s.list = ix.posts.texts(f, s.list[:0])
			add(s.list, logN-logOf(maxPostings))
		}
	}
	s.cands = s.cands[:0]
	least := max(minCandidate, candidateShare*best)
	for _, t := range s.touched {
		if s.sums[t] >= least {
			s.cands = append(s.cands, candidate{t, s.sums[t]})
		}
		s.sums[t] = 0
	}
	slices.SortFunc(s.cands, func(x, y candidate) int {
		if x.sum != y.sum {
			return cmp.Compare(y.sum, x.sum)
		}
		return cmp.Compare(x.text, y.text)
	})
	if len(s.cands) > maxCandidates {
		s.cands = s.cands[:maxCandidates]
	}
}

// condition fills s.given: what a word says where the words before it are shared
// as well. Of a phrase that many texts hold the first word weighs most and the
// others little, so that a stock phrase is little evidence however rare its
// words are.
func (ix *Index) condition(s *searcher) {
	words := s.normal.Words
	logN := logOf(ix.distinctTexts() + priorTexts)
	s.given = append(s.given[:0], s.weights...)
	s.starts = starts(words, s.starts[:0])
	for i, f := range s.starts {
		if f == 0 {
			continue
		}
		at, ok := slices.BinarySearch(s.features, f)
		if !ok || at >= len(s.counts) {
			continue // a long text, not all of whose features were asked for
		}
		k := max(s.counts[at], 1)
		if k >= maxPostings && i+1 < len(words) && s.ids[i] < unknown && s.ids[i+1] < unknown {
			// Not counted further: between what was counted and the most
			// there can be.
			most := min(ix.words.texts.at(s.ids[i]), ix.words.texts.at(s.ids[i+1]))
			k = max(k, most/4)
		}
		mass := (logN - logOf(int(k))) / 4
		if words[i].Single {
			for j := i; j < min(i+4, len(words)) && words[j].Single; j++ {
				s.given[j] = min(s.given[j], max(mass/4, minGiven*s.weights[j]))
			}
		} else {
			s.given[i+1] = min(s.given[i+1], max(mass-s.weights[i], minGiven*s.weights[i+1]))
		}
	}
}

// compare aligns the query with the candidates and gives the matches with at
// least the given score, best first.
func (ix *Index) compare(s *searcher, least float64) []Match {
	if len(s.cands) == 0 {
		return nil
	}
	var matches []Match
	ix.condition(s)
	s.al.prepare(s.ids)
	s.al.near = s.near(ix)
	s.own.fill(s.ids)
	own := float32(0)
	for _, w := range s.weights {
		own += w
	}
	s.kept = s.kept[:0]
	n := logOf(ix.distinctTexts() + priorTexts)
	for _, c := range s.cands {
		s.other, s.otherTag = ix.wordsOf(c.text, s.other[:0])
		common, mass := 0, float32(0)
		s.al.points, s.al.dense = s.al.points[:0], false
		for j, id := range s.other {
			if i, ok := s.own.find(id); ok {
				common++
				mass += s.weights[i]
				s.al.meet(i, j, s.own.again)
			}
		}
		if common < 2 {
			continue
		}
		s.otherW = s.otherW[:0]
		all := float32(0)
		for _, id := range s.other {
			w := weight(int(ix.words.texts.at(id)), n)
			s.otherW = append(s.otherW, w)
			all += w
		}
		if mass < fewShared*min(own, all) && common < passagePiece {
			continue
		}
		if m, ok := ix.score(s, common, least); ok {
			m.Text = c.text
			matches = append(matches, m)
		}
	}
	slices.SortStableFunc(matches, func(x, y Match) int {
		if x.Score != y.Score {
			return cmp.Compare(y.Score, x.Score)
		}
		return cmp.Compare(x.Text, y.Text)
	})
	return matches
}

// likeness is the score of a shared part of the shorter text. LinkThreshold is
// where the share is what the evidence asks for.
func likeness(share, evidence float32) float32 {
	much := min(max((evidence-littleEvidence)/(muchEvidence-littleEvidence), 0), 1)
	need := shareOfLittle + (shareOfMuch-shareOfLittle)*much
	score := float32(LinkThreshold) * share / need
	if share > need {
		score = LinkThreshold + (1-LinkThreshold)*(share-need)/(1-need)
	}
	return score * min(1, evidence/evidenceFloor)
}

// score aligns the query with the words in s.other. The pairs stay in s.al.
func (ix *Index) score(s *searcher, common int, least float64) (Match, bool) {
	var pairs []pair
	pairs, s.pieces = s.al.align(s.ids, s.other, common, s.pieces)
	if len(pairs) == 0 {
		return Match{}, false
	}
	var massA, massB, shared float32
	for _, w := range s.weights {
		massA += w
	}
	for _, w := range s.otherW {
		massB += w
	}
	near, words, runs := 0, 0, 0
	passage, evidence := float32(0), float32(0)
	chance := (logOf(len(s.ids)) + logOf(len(s.other))) / 4 * chanceFactor
	at := 0
	for _, k := range s.pieces {
		piece := pairs[at : at+k]
		at += k
		var mass, known, fixA, fixB, long float32
		misspelt, apart := 0, 1
		for n, p := range piece {
			w := s.weights[p.i]
			if p.near {
				misspelt++
				// The error makes a rare word of a common one: it weighs as the
				// word that it is an error of.
				wa, wb := w, s.otherW[p.j]
				w = min(wa, wb)
				fixA += wa - w
				fixB += wb - w
				w *= nearFactor
			}
			mass += w
			if n > 0 && piece[n-1].i == p.i-1 && piece[n-1].j == p.j-1 {
				known += min(w, s.given[p.i])
			} else {
				known += w
				if n > 0 {
					apart++
				}
			}
			long += float32(s.normal.Words[p.i].size()) / 2
		}
		if known < chance {
			continue // among so many words, such a piece is found by chance
		}
		near += misspelt
		words += k
		runs += apart
		shared += mass
		evidence += known
		massA -= fixA
		massB -= fixB
		if span := piece[k-1].i - piece[0].i + 1; float32(k) >= passageDensity*float32(span) && long >= passagePiece {
			passage += min(long, known*passageWords/passageMass)
		}
	}
	// Where each further run starts is a choice among many, which takes from what
	// its words say.
	evidence = max(evidence-gapCost*float32(runs-1), 0)
	shareA, shareB := shared/massA, shared/massB
	score := likeness(min(1, max(shareA, shareB)), evidence)
	score = max(score, passageScore*min(1, passage/passageWords))
	whole := s.message(pairs)
	if whole > 0 {
		score = max(score, likeness(1, whole))
		evidence = max(evidence, whole)
	}
	if float64(score) < least {
		return Match{}, false
	}
	m := Match{
		Score: float64(score), Evidence: float64(evidence) * 4, QueryShare: float64(shareA), TextShare: float64(shareB),
		Words: words, Near: near, QueryWords: len(s.ids), TextWords: len(s.other),
		Truncated: s.normal.Truncated || len(s.other) == MaxWords,
	}
	m.from = len(s.kept)
	s.kept = append(s.kept, pairs...)
	m.to = len(s.kept)
	const most = 0.6
	switch {
	case shareA >= most && shareB >= most || whole > 0:
		m.Kind = EditedCopy
	case shareA >= most:
		m.Kind = Excerpt
	case shareB >= most:
		m.Kind = Contains
	default:
		m.Kind = Passage
	}
	return m, true
}

// message gives the mass of the shared words, whatever phrases they are, where
// they are the whole message of both texts: all but the hashtags at either end.
// Else 0. A message is no stock phrase because many post it.
func (s *searcher) message(pairs []pair) float32 {
	bounds := func(n int, tags uint8) (int32, int32) { return int32(tags >> 4), int32(n) - int32(tags&15) }
	fromA, toA := bounds(len(s.ids), s.tags)
	fromB, toB := bounds(len(s.other), s.otherTag)
	if toA-fromA < leastMessage || toB-fromB < leastMessage {
		return 0
	}
	var a, b, shared float32
	for _, w := range s.weights[fromA:toA] {
		a += w
	}
	for _, w := range s.otherW[fromB:toB] {
		b += w
	}
	if min(a, b) < wholeMessage*max(a, b) {
		return 0
	}
	for _, p := range pairs {
		if p.i < fromA || p.i >= toA || p.j < fromB || p.j >= toB {
			continue
		}
		w := s.weights[p.i]
		if p.near {
			w = nearFactor * min(w, s.otherW[p.j])
		}
		shared += w
	}
	if shared < wholeMessage*max(a, b) {
		return 0
	}
	return shared
}

// near tells of word i of the query and word j of s.other whether one is the
// other misspelt.
func (s *searcher) near(ix *Index) func(i, j int) bool {
	return func(i, j int) bool {
		w := &s.normal.Words[i]
		if w.len < 3 || w.Single {
			return false
		}
		return nearWords(s.normal.folded[w.at:w.at+uint32(w.len)], ix.words.word(s.other[j]))
	}
}

// spans joins pairs that follow each other on both sides, in the order of the
// query.
func spans(pairs []pair, a, b []Word) []Span {
	var list []Span
	for k, p := range pairs {
		if k > 0 && p.i == pairs[k-1].i+1 && p.j == pairs[k-1].j+1 {
			last := &list[len(list)-1]
			last.Query.To, last.Text.To = a[p.i].To, b[p.j].To
			last.Words++
			continue
		}
		list = append(list, Span{a[p.i].Range, b[p.j].Range, 1})
	}
	slices.SortFunc(list, func(x, y Span) int { return cmp.Compare(x.Query.From, y.Query.From) })
	return list
}

// An ownSet finds the place of a word among the words of the query.
type ownSet struct {
	slots []int32 // first place + 1
	again []int32 // place → next place of the same word + 1
	ids   []uint32
	shift uint
}

func (o *ownSet) fill(ids []uint32) {
	bits := uint(4)
	for 1<<bits < 2*len(ids) {
		bits++
	}
	o.slots, o.ids, o.shift = resize(o.slots, 1<<bits), ids, 32-bits
	clear(o.slots)
	o.again = resize(o.again, len(ids))
	for i := len(ids) - 1; i >= 0; i-- {
		h := o.slot(ids[i])
		for o.slots[h] != 0 && ids[o.slots[h]-1] != ids[i] {
			h = (h + 1) & uint32(len(o.slots)-1)
		}
		o.again[i] = o.slots[h]
		o.slots[h] = int32(i) + 1
	}
}

func (o *ownSet) slot(id uint32) uint32 { return id * 0x9e3779b1 >> o.shift }

func (o *ownSet) find(id uint32) (int, bool) {
	for h := o.slot(id); o.slots[h] != 0; h = (h + 1) & uint32(len(o.slots)-1) {
		if i := o.slots[h] - 1; o.ids[i] == id {
			return int(i), true
		}
	}
	return 0, false
}
