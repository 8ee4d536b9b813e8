package inflate

import (
	"math/bits"
	"sync"
)

// An entry says what a code stands for.
//
//	bits 0 to 5    length of the code in bits
//	bits 8 to 11   number of extra bits of a length or distance
//	bits 12 to 15  what it is: see below; none is a length or distance
//	bits 16 to 31  the literal, the base of the length or distance, or where a second table begins
type entry uint32

const (
	isLiteral entry = 1 << 12
	isOther   entry = 1 << 13 // not in this table, end of block, or no code at all
	isSub     entry = 1 << 14 // with isOther: a second table holds what is longer than the first one's bits
	isEnd     entry = 1 << 15 // with isOther: end of block
)

const (
	maxLit   = 286 // literals, end of block and lengths that a block may name
	maxDist  = 30  // distances that a block may name
	maxCode  = 15  // bits of a code
	litBits  = 11  // of the first table
	distBits = 8

	// A second table holds two codes or more, since codes are complete: half
	// the symbols bound their number.
	litSize  = 1<<litBits + (maxLit+2)/2<<(maxCode-litBits)
	distSize = 1<<distBits + (maxDist+2)/2<<(maxCode-distBits)
)

// litEntries and distEntries are the entries by symbol, without length.
var (
	litEntries  [maxLit + 2]entry
	distEntries [maxDist + 2]entry
)

func init() {
	for i := range 256 {
		litEntries[i] = entry(i)<<16 | isLiteral
	}
	litEntries[256] = isOther | isEnd
	base := entry(3)
	for i := range 28 {
		extra := max(0, entry(i)/4-1)
		if i < 4 {
			extra = 0
		}
		litEntries[257+i] = base<<16 | extra<<8
		base += 1 << extra
	}
	litEntries[285] = 258 << 16
	litEntries[286], litEntries[287] = isOther, isOther // only the fixed codes have them
	base = 1
	for i := range maxDist {
		extra := entry(0)
		if i >= 4 {
			extra = entry(i)/2 - 1
		}
		distEntries[i] = base<<16 | extra<<8
		base += 1 << extra
	}
	distEntries[30], distEntries[31] = isOther, isOther
}

// build makes the table for codes of these lengths. It reports whether they are a
// complete code, or what compress/flate takes as well: none, or one of one bit.
// order has room for all symbols.
func build(table []entry, primary uint, lengths []uint8, entries []entry, order []uint16) bool {
	var count [maxCode + 1]int
	for _, l := range lengths {
		count[l]++
	}
	count[0] = 0
	left, longest, total := 1, 0, 0
	for l := 1; l <= maxCode; l++ {
		if left = left<<1 - count[l]; left < 0 {
			return false
		}
		if total += count[l]; count[l] > 0 {
			longest = l
		}
	}
	if left > 0 {
		if longest > 1 {
			return false
		}
		for i := range table[:1<<primary] {
			table[i] = isOther | 1 // no code; it takes a bit, so that a stream that ends is told from a wrong one
		}
		if total == 0 {
			return true
		}
	}
	var at [maxCode + 2]int
	for l := 1; l <= maxCode; l++ {
		at[l+1] = at[l] + count[l]
	}
	for s, l := range lengths {
		if l > 0 {
			order[at[l]] = uint16(s)
			at[l]++
		}
	}
	code, next := uint16(0), 1<<primary
	i := 0
	for l := uint(1); l <= uint(longest); l++ {
		for range count[l] {
			e := entries[order[i]] | entry(l)
			reversed := int(bits.Reverse16(code) >> (16 - l))
			if l <= primary {
				for j := reversed; j < 1<<primary; j += 1 << l {
					table[j] = e
				}
			} else {
				first := reversed & (1<<primary - 1)
				if code&(1<<(l-primary)-1) == 0 { // the first code with this beginning
					table[first] = entry(next)<<16 | isOther | isSub
					next += 1 << (maxCode - primary)
				}
				sub := int(table[first] >> 16)
				for j := reversed >> primary; j < 1<<(maxCode-primary); j += 1 << (l - primary) {
					table[sub+j] = e
				}
			}
			code++
			i++
		}
		code <<= 1
	}
	return true
}

// codeOrder is the order in which a block gives the lengths of the codes for
// lengths of codes (RFC 1951, section 3.2.7).
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// codeEntries are the entries of those codes: plain numbers.
var codeEntries = func() (list [19]entry) {
	for i := range list {
		list[i] = entry(i) << 16
	}
	return list
}()

// tables reads the codes of a block.
func (s *state) tables() error {
	head, err := s.take(14)
	if err != nil {
		return err
	}
	lits, dists, n := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	if lits > maxLit || dists > maxDist {
		return ErrCorrupt
	}
	var meta [19]uint8
	for _, symbol := range codeOrder[:n] {
		l, err := s.take(3)
		if err != nil {
			return err
		}
		meta[symbol] = uint8(l)
	}
	if !build(s.codes[:], 7, meta[:], codeEntries[:], s.order[:]) {
		return ErrCorrupt
	}
	lengths := s.lengths[:lits+dists]
	for i := 0; i < len(lengths); {
		e, err := s.symbol(s.codes[:], 7)
		if err != nil {
			return err
		}
		symbol := uint8(e >> 16)
		if symbol < 16 {
			lengths[i] = symbol
			i++
			continue
		}
		value, least, extra := uint8(0), 3, uint(3)
		switch symbol {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			value, extra = lengths[i-1], 2
		case 18:
			least, extra = 11, 7
		}
		more, err := s.take(extra)
		if err != nil {
			return err
		}
		repeat := least + int(more)
		if repeat > len(lengths)-i {
			return ErrCorrupt
		}
		for range repeat {
			lengths[i] = value
			i++
		}
	}
	if !build(s.lit[:], litBits, lengths[:lits], litEntries[:], s.order[:]) ||
		!build(s.dist[:], distBits, lengths[lits:], distEntries[:], s.order[:]) {
		return ErrCorrupt
	}
	return nil
}

// fixed gives the tables of the codes that are the same for all (section 3.2.6).
var fixed = sync.OnceValue(func() *state {
	s := new(state)
	var lengths [maxLit + 2]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	var dists [maxDist + 2]uint8
	for i := range dists {
		dists[i] = 5
	}
	build(s.lit[:], litBits, lengths[:], litEntries[:], s.order[:])
	build(s.dist[:], distBits, dists[:], distEntries[:], s.order[:])
	return s
})
