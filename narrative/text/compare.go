package text

import "fmt"

// Compare compares two indexed texts as they would score now: the weights of
// words change as posts are added. It reports false for texts that have too
// little in common to be aligned, and for numbers that no text has. The index
// does not change.
func (ix *Index) Compare(a, b uint32) (m Match, ok bool, err error) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(); err != nil {
		return Match{}, false, err
	}
	if n := int64(ix.last.len()); int64(a) >= n || int64(b) >= n {
		return Match{}, false, nil
	}
	defer caught(&err)
	_, stored, err := ix.log.record(ix.postAt.at(ix.next.at(ix.last.at(a))))
	if err != nil {
		return Match{}, false, fmt.Errorf("comparing texts %d and %d: %w", a, b, err)
	}
	raw := string(stored)
	s := &ix.s
	s.normal.Normalise(raw)
	s.tags = tags(s.normal.Words, raw)
	ix.number(s)
	if a == b {
		m, err := ix.copyOf(s, a)
		return m, err == nil, err
	}
	ix.respell(s, raw, 1) // words that no other text has
	ix.candidates(s)      // for how common the phrases are
	s.cands = append(s.cands[:0], candidate{text: b})
	matches := ix.compare(s, 0)
	if len(matches) == 0 {
		return Match{}, false, nil
	}
	if err := ix.explain(s, matches, raw); err != nil {
		return Match{}, false, err
	}
	return matches[0], true, nil
}
