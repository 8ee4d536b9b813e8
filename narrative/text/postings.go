package text

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Postings say which texts hold a feature. A feature is a 32-bit hash; the
// space of hashes is cut into cells by its leading bits (extendible hashing), so
// that a cell holds some hundred entries. An entry is a feature and a text.
//
// A cell has a packed part and a tail. The tail takes new entries as they come,
// tailLen at most; a full tail is merged into the packed part. The packed part
// is sorted by feature, then text:
//
//	run of blockLen entries, each
//	    uvarint  feature − feature of the entry before (of the cell's first
//	             possible feature at the start of a block: the block's own, so 0)
//	    uvarint  text, or text − text before where the feature is the same
//
// and the blocks' first features and places are listed in front of it:
//
//	blocks × (uint32 first feature, uint16 offset in the packed part)
//
// Of one feature the first maxPostings texts are kept: the earliest.
type postings struct {
	mem   *memory
	dir   []uint32 // leading bits → cell
	depth uint     // leading bits that dir uses
	cells []cell
	tails array[uint64] // tailLen for each cell: feature<<32 | text
	slab  slab

	scratch []uint64
	packed  []byte
}

const (
	tailLen     = 24
	blockLen    = 16
	splitLen    = 640
	maxPostings = 400

	// maxCell bounds what many frequent features in one cell can come to: the
	// offsets in the list of blocks have 16 bits. Beyond it the latest texts of
	// the cell are not found by its features any more.
	maxCell = 10000
	// sparse is how many directory entries a cell may have on average before the
	// directory no longer doubles for a few long cells.
	sparse = 4
)

type cell struct {
	at    slabRef
	n     uint32 // packed entries
	bytes uint32 // of the packed part with its list of blocks
	tail  uint8
	depth uint8
}

func (p *postings) open(m *memory) {
	p.mem, p.tails.mem, p.slab.mem = m, m, m
	p.dir = []uint32{0}
	p.cells = []cell{{}}
	p.tails.room(tailLen)
}

func (p *postings) cellOf(feature uint32) uint32 {
	return p.dir[uint64(feature)<<p.depth>>32]
}

func (p *postings) tail(c uint32) []uint64 {
	k := perChunk[uint64]() / tailLen
	chunk := p.tails.chunks[int(c)/k]
	at := int(c) % k * tailLen
	return chunk[at : at+tailLen : at+tailLen]
}

func (p *postings) add(feature, text uint32) {
	i := p.cellOf(feature)
	c := &p.cells[i]
	if int(c.tail) == tailLen {
		p.merge(i)
		i = p.cellOf(feature)
		c = &p.cells[i]
	}
	p.tail(i)[c.tail] = uint64(feature)<<32 | uint64(text)
	c.tail++
}

// texts appends the texts that hold a feature, earliest first, to list:
// maxPostings at most.
func (p *postings) texts(feature uint32, list []uint32) []uint32 {
	i := p.cellOf(feature)
	c := &p.cells[i]
	start := len(list)
	if c.n > 0 {
		list = unpack(p.slab.bytes(c.at)[:c.bytes], int(c.n), feature, list)
	}
	for _, e := range p.tail(i)[:c.tail] {
		if uint32(e>>32) == feature {
			list = append(list, uint32(e))
		}
	}
	if len(list)-start > maxPostings {
		list = list[:start+maxPostings]
	}
	return list
}

func unpack(b []byte, n int, feature uint32, list []uint32) []uint32 {
	blocks := (n + blockLen - 1) / blockLen
	// The last block that starts before feature, for its end may hold it.
	lo, hi := 0, blocks
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if binary.LittleEndian.Uint32(b[m*6:]) < feature {
			lo = m + 1
		} else {
			hi = m
		}
	}
	data := b[blocks*6:]
	for k := max(lo-1, 0); k < blocks; k++ {
		f := binary.LittleEndian.Uint32(b[k*6:])
		if f > feature {
			break
		}
		at := int(binary.LittleEndian.Uint16(b[k*6+4:]))
		text := uint32(0)
		for range min(blockLen, n-k*blockLen) {
			gap, x := uint32(data[at]), uint32(0)
			at++
			if gap >= 0x80 {
				gap, at = uvarint(data, at-1)
			}
			if x = uint32(data[at]); x < 0x80 {
				at++
			} else if y := uint32(data[at+1]); y < 0x80 {
				x, at = x&0x7f|y<<7, at+2
			} else {
				x, at = uvarint(data, at)
			}
			if gap == 0 {
				text += x // the first of a block has text 0 before it
			} else {
				if f += gap; f > feature {
					return list
				}
				text = x
			}
			if f == feature {
				list = append(list, text)
			}
		}
	}
	return list
}

func uvarint(b []byte, at int) (uint32, int) {
	var x uint32
	for s := uint(0); ; s += 7 {
		c := b[at]
		at++
		x |= uint32(c&0x7f) << s
		if c < 0x80 {
			return x, at
		}
	}
}

func (p *postings) decode(c *cell, list []uint64) []uint64 {
	if c.n == 0 {
		return list
	}
	b := p.slab.bytes(c.at)[:c.bytes]
	blocks := (int(c.n) + blockLen - 1) / blockLen
	data := b[blocks*6:]
	at := 0
	var f, text, gap, x uint32
	for i := range int(c.n) {
		gap, at = uvarint(data, at)
		x, at = uvarint(data, at)
		switch {
		case i%blockLen == 0:
			f, text = binary.LittleEndian.Uint32(b[i/blockLen*6:]), x
		case gap == 0:
			text += x
		default:
			f, text = f+gap, x
		}
		list = append(list, uint64(f)<<32|uint64(text))
	}
	return list
}

// merge moves the tail of a cell into its packed part, and splits a cell that
// has become too long.
func (p *postings) merge(i uint32) {
	c := &p.cells[i]
	all := p.decode(c, p.scratch[:0])
	old := len(all)
	all = append(all, p.tail(i)[:c.tail]...)
	tail := all[old:]
	slices.Sort(tail)
	// Merge from the back, in place.
	var buf [tailLen]uint64
	n := copy(buf[:], tail)
	for to := len(all) - 1; n > 0; to-- {
		if old > 0 && all[old-1] > buf[n-1] {
			old--
			all[to] = all[old]
		} else {
			n--
			all[to] = buf[n]
		}
	}
	p.scratch = all
	c.tail = 0
	// Of one feature, no more than the first texts.
	kept := all[:0]
	run := 0
	for k, e := range all {
		if k > 0 && e>>32 == all[k-1]>>32 {
			run++
		} else {
			run = 0
		}
		if run < maxPostings {
			kept = append(kept, e)
		}
	}
	all = kept

	depth := uint(c.depth)
	if len(all) > splitLen && all[0]>>32 != all[len(all)-1]>>32 && depth < 32 &&
		(depth < p.depth || len(p.dir) < sparse*len(p.cells)) {
		bit := uint64(1) << (63 - depth)
		k, _ := slices.BinarySearchFunc(all, bit, func(e, bit uint64) int {
			if e&bit != 0 {
				return 1
			}
			return -1
		})
		other := uint32(len(p.cells))
		p.cells = append(p.cells, cell{})
		c = &p.cells[i]
		p.tails.room(tailLen)
		c.depth++
		p.cells[other].depth = c.depth
		if depth == p.depth {
			dir := make([]uint32, 2*len(p.dir))
			for j, d := range p.dir {
				dir[2*j], dir[2*j+1] = d, d
			}
			p.dir, p.depth = dir, p.depth+1
		}
		// The upper half of the directory entries of this cell go to the other.
		first := all[0] >> 32 >> (32 - depth) << (p.depth - depth)
		if depth == 0 {
			first = 0
		}
		half := uint64(1) << (p.depth - depth - 1)
		for j := first + half; j < first+2*half; j++ {
			p.dir[j] = other
		}
		p.store(&p.cells[other], all[k:])
		p.store(&p.cells[i], all[:k])
		return
	}
	if len(all) > maxCell {
		slices.SortStableFunc(all, func(x, y uint64) int { return cmp.Compare(uint32(x), uint32(y)) })
		all = all[:maxCell]
		slices.Sort(all)
	}
	p.store(c, all)
}

func (p *postings) store(c *cell, all []uint64) {
	blocks := (len(all) + blockLen - 1) / blockLen
	b := slices.Grow(p.packed[:0], blocks*6+len(all)*10)[:blocks*6]
	var f, text uint32
	for i, e := range all {
		ef, et := uint32(e>>32), uint32(e)
		switch {
		case i%blockLen == 0:
			binary.LittleEndian.PutUint32(b[i/blockLen*6:], ef)
			binary.LittleEndian.PutUint16(b[i/blockLen*6+4:], uint16(len(b)-blocks*6))
			b = append(b, 0)
			b = binary.AppendUvarint(b, uint64(et))
		case ef == f:
			b = append(b, 0)
			b = binary.AppendUvarint(b, uint64(et-text))
		default:
			b = binary.AppendUvarint(b, uint64(ef-f))
			b = binary.AppendUvarint(b, uint64(et))
		}
		f, text = ef, et
	}
	p.packed = b
	c.n, c.bytes = uint32(len(all)), uint32(len(b))
	c.at = p.slab.fit(c.at, len(b))
	copy(p.slab.bytes(c.at), b)
}

// A slab hands out blocks of bytes in sizes of slabUnit steps, and keeps those
// that come back for the next who asks for that size.
type slab struct {
	mem    *memory
	chunks [][]byte
	used   int // units handed out of the last chunk
	free   [slabClasses][]uint32
}

const (
	slabUnit    = 64
	slabClasses = 1024 // the largest block is 64 KiB
	slabPer     = chunkBytes / slabUnit
)

// A slabRef is where a block starts, in units over all chunks, and how many
// units it has. Zero is no block.
type slabRef struct {
	at    uint32
	units uint16
}

func (s *slab) bytes(r slabRef) []byte {
	at := int(r.at) % slabPer * slabUnit
	end := at + int(r.units)*slabUnit
	return s.chunks[int(r.at)/slabPer][at:end:end]
}

// fit gives a block of at least n bytes and takes back r, which is the answer
// itself where it has the right size.
func (s *slab) fit(r slabRef, n int) slabRef {
	units := (n + slabUnit - 1) / slabUnit
	if units == int(r.units) {
		return r
	}
	if r.units > 0 {
		s.free[r.units] = append(s.free[r.units], r.at)
	}
	if units == 0 {
		return slabRef{}
	}
	if f := s.free[units]; len(f) > 0 {
		s.free[units] = f[:len(f)-1]
		return slabRef{f[len(f)-1], uint16(units)}
	}
	if len(s.chunks) == 0 || s.used+units > slabPer {
		if left := slabPer - s.used; len(s.chunks) > 0 && left > 0 && left < slabClasses {
			s.free[left] = append(s.free[left], uint32(len(s.chunks)-1)*slabPer+uint32(s.used))
		}
		s.chunks = append(s.chunks, s.mem.get(chunkBytes))
		s.used = 0
	}
	at := uint32(len(s.chunks)-1)*slabPer + uint32(s.used)
	s.used += units
	return slabRef{at, uint16(units)}
}
