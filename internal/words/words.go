// Package words looks for several words in a text in one pass.
//
// It is the algorithm of Wu and Manber (A Fast Algorithm for Multi-Pattern
// Searching, 1994) with blocks of three bytes: at most places the three bytes at
// hand stand in none of the words, and the search leaps by the length of the
// shortest word less two. The page of the benchmark is searched for eight words
// of ten bytes and more in less time than bytes.Contains takes for one of them.
package words

import (
	"bytes"
	"fmt"
	"math/bits"
)

// A Set is words to look for. It does not change, and is safe for concurrent
// use.
type Set struct {
	words []string
	least int           // length of the shortest
	shift [blocks]uint8 // how far the window may leap when it ends with a block
	which [blocks]uint8 // where shift is 0: the member of ends
	ends  []uint64      // words whose first least bytes end with one block, a bit each
}

const (
	blocks  = 1 << 13
	longest = 255 // bytes that a leap is reckoned with
)

func block(a, b, c byte) uint { return (uint(a)<<8 ^ uint(b)<<4 ^ uint(c)) & (blocks - 1) }

// New makes a set of words, at most 64 of three bytes or more, none twice. Long
// words make it fast: the shortest sets the pace. It panics where these rules
// are broken, as it is meant for package variables.
func New(words ...string) *Set {
	if len(words) == 0 || len(words) > 64 {
		panic(fmt.Sprintf("words: %d words, 1 to 64 are possible", len(words)))
	}
	s := &Set{words: words, least: longest}
	seen := map[string]bool{}
	for _, w := range words {
		if len(w) < 3 || seen[w] {
			panic(fmt.Sprintf("words: %q is too short or there twice", w))
		}
		seen[w] = true
		s.least = min(s.least, len(w))
	}
	for i := range s.shift {
		s.shift[i] = uint8(s.least - 2)
	}
	for i, w := range words {
		for j := 2; j < s.least; j++ {
			at := block(w[j-2], w[j-1], w[j])
			if leap := s.least - 1 - j; leap > 0 {
				s.shift[at] = min(s.shift[at], uint8(leap))
				continue
			}
			if s.shift[at] > 0 {
				s.shift[at], s.which[at] = 0, uint8(len(s.ends))
				s.ends = append(s.ends, 0)
			}
			s.ends[s.which[at]] |= 1 << i
		}
	}
	return s
}

// Found says which words of a set a text holds.
type Found struct {
	set  *Set
	text []byte
	mask uint64
}

// Has reports whether the text holds word, byte for byte. A word that is not of
// the set is looked for now.
func (f Found) Has(word string) bool {
	for i, w := range f.set.words {
		if w == word {
			return f.mask&(1<<i) != 0
		}
	}
	return bytes.Contains(f.text, []byte(word))
}

// In gives the words that stand in text.
func (s *Set) In(text []byte) Found {
	all := ^uint64(0) >> (64 - len(s.words))
	f := Found{set: s, text: text}
	s.search(text, func(mask uint64) bool {
		f.mask |= mask
		return f.mask != all
	})
	return f
}

// Any reports whether one of the words stands in text.
func (s *Set) Any(text []byte) bool {
	found := false
	s.search(text, func(uint64) bool {
		found = true
		return false
	})
	return found
}

// search calls f with the words at each place that has any, until it gives
// false.
func (s *Set) search(text []byte, f func(uint64) bool) {
	for i := s.least - 1; i < len(text); {
		at := block(text[i-2], text[i-1], text[i])
		if leap := s.shift[at]; leap > 0 {
			i += int(leap)
			continue
		}
		from, hit := i-s.least+1, uint64(0)
		for m := s.ends[s.which[at]]; m != 0; m &= m - 1 {
			n := bits.TrailingZeros64(m)
			if w := s.words[n]; len(text)-from >= len(w) && string(text[from:from+len(w)]) == w {
				hit |= 1 << n
			}
		}
		if hit != 0 && !f(hit) {
			return
		}
		i++
	}
}
