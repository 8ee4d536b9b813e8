package text

import (
	"encoding/binary"
	"slices"
)

// Postings say which texts hold a feature. A feature is a 32-bit hash; the
// space of hashes is cut into cells by its leading bits (extendible hashing), so
// that a cell holds some hundred entries. An entry is a feature and a text.
//
// A cell is a record of cellWords numbers: two of its head, then its tail, which
// takes new entries as they come. A full tail is merged into the packed part,
// which lies in the slab and is three lists in the order of feature, then text:
//
//	n × uint16  bits 8 to 23 of the feature
//	n × uint8   its low 8 bits
//	n × text    in 3 bytes, or in 4 from text 1<<24 on
//
// The leading 8 bits are the cell's: there are 256 cells from the start. The
// hashes are spread evenly, so the place of a feature is nearly known before the
// list is looked at. Of one feature the first maxPostings texts are kept: the
// earliest.
type postings struct {
	mem   *memory
	dir   []uint32 // leading bits → cell
	depth uint     // leading bits that dir uses
	cells array[uint64]
	slab  slab

	places  []int
	touched uint64
}

const (
	cellWords   = 24 // three lines of cache
	tailLen     = cellWords - 2
	leadBits    = 8
	mostDepth   = 24
	splitLen    = 448
	maxPostings = 400

	// maxCell bounds what many frequent features in one cell can come to: its
	// packed part must fit a block of the slab. Beyond it the latest texts of
	// the cell are not found by its features any more.
	maxCell = 9000
	// sparse is how many directory entries a cell may have on average before the
	// directory no longer doubles for a few long cells.
	sparse = 4
)

// A cell is the record of one: see postings.
//
//	cell[0]  slabRef: 32 bits place, 16 bits units; 8 bits entries in the tail; 8 bits depth
//	cell[1]  32 bits entries in the packed part; 8 bits bytes of a text in it
//	cell[2:] the tail, feature<<32 | text each
type cell []uint64

func (c cell) ref() slabRef       { return slabRef{uint32(c[0]), uint16(c[0] >> 32)} }
func (c cell) tail() int          { return int(c[0] >> 48 & 0xff) }
func (c cell) depth() uint        { return uint(c[0] >> 56) }
func (c cell) packed() int        { return int(uint32(c[1])) }
func (c cell) width() int         { return int(c[1] >> 32) }
func (c cell) setTail(n int)      { c[0] = c[0]&^(0xff<<48) | uint64(n)<<48 }
func (c cell) setDepth(d uint)    { c[0] = c[0]&^(0xff<<56) | uint64(d)<<56 }
func (c cell) setRef(r slabRef)   { c[0] = c[0]>>48<<48 | uint64(r.units)<<32 | uint64(r.at) }
func (c cell) setPacked(n, w int) { c[1] = uint64(w)<<32 | uint64(n) }

func (p *postings) open(m *memory) {
	p.mem, p.cells.mem, p.slab.mem = m, m, m
	p.depth = leadBits
	for range 1 << leadBits {
		i := p.newCell()
		p.cell(i).setDepth(leadBits)
		p.dir = append(p.dir, i)
	}
}

func (p *postings) newCell() uint32 {
	at := p.cells.room(cellWords)
	k := perChunk[uint64]()
	return uint32(at/k*(k/cellWords) + at%k/cellWords)
}

// count is how many cells there are.
func (p *postings) count() int {
	k := perChunk[uint64]()
	return p.cells.n/k*(k/cellWords) + p.cells.n%k/cellWords
}

func (p *postings) cell(i uint32) cell {
	const k = chunkBytes / 8 / cellWords
	at := i % k * cellWords
	return cell(p.cells.chunks[i/k][at : at+cellWords : at+cellWords])
}

func (p *postings) cellOf(feature uint32) uint32 {
	return p.dir[feature>>(32-p.depth)]
}

// add adds an entry. Texts come in ascending order.
func (p *postings) add(feature, text uint32) {
	i := p.cellOf(feature)
	c := p.cell(i)
	if c.tail() == tailLen {
		p.merge(i)
		c = p.cell(p.cellOf(feature))
	}
	n := c.tail()
	c[2+n] = uint64(feature)<<32 | uint64(text)
	c.setTail(n + 1)
}

// touch has the processor fetch what texts will read for these features, all at
// once: one after the other, each would be waited for.
func (p *postings) touch(features []uint32) {
	sum := uint64(0)
	for _, f := range features {
		c := p.cell(p.cellOf(f))
		sum += c[0] + c[cellWords-1]
	}
	for _, f := range features {
		c := p.cell(p.cellOf(f))
		if n := c.packed(); n > 0 {
			b := p.slab.bytes(c.ref())
			g := guess(f, c.depth(), n)
			sum += uint64(b[2*g]) + uint64(b[3*n+c.width()*g])
		}
	}
	p.touched = sum // so that the loads are not left out
}

// guess is about where a feature is among n in a cell.
func guess(feature uint32, depth uint, n int) int {
	return int(uint64(feature<<depth) * uint64(n) >> 32)
}

// lists are the packed part of a cell.
type lists struct {
	keys  []uint16
	lows  []uint8
	texts []uint8
	width int
}

func (p *postings) lists(c cell) lists {
	n := c.packed()
	if n == 0 {
		return lists{width: 3}
	}
	return cut(p.slab.bytes(c.ref()), n, c.width())
}

func cut(b []byte, n, width int) lists {
	return lists{numbers[uint16](b[:2*n]), b[2*n : 3*n], b[3*n:], width}
}

// packedBytes is what n entries take: reading the last text of 3 bytes reads 4.
func packedBytes(n, width int) int { return n*(3+width) + 4 - width }

func (l *lists) text(i int) uint32 {
	t := binary.LittleEndian.Uint32(l.texts[i*l.width:])
	if l.width == 3 {
		t &= 0xffffff
	}
	return t
}

// find gives the first place whose feature is not below the given one.
func (l *lists) find(feature uint32, depth uint) int {
	key := uint16(feature >> 8)
	keys := l.keys
	n := len(keys)
	if n == 0 {
		return 0
	}
	lo, hi := 0, n
	if g := guess(feature, depth, n); keys[g] < key {
		lo = g + 1
		for step := 8; lo+step < n; step *= 2 {
			if keys[lo+step] >= key {
				hi = lo + step
				break
			}
			lo += step + 1
		}
	} else {
		hi = g
		for step := 8; hi-step >= 0; step *= 2 {
			if keys[hi-step] < key {
				lo = hi - step + 1
				break
			}
			hi -= step
		}
	}
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if keys[m] < key {
			lo = m + 1
		} else {
			hi = m
		}
	}
	low := uint8(feature)
	for lo < n && keys[lo] == key && l.lows[lo] < low {
		lo++
	}
	return lo
}

// texts appends the texts that hold a feature, earliest first, to list:
// maxPostings at most.
func (p *postings) texts(feature uint32, list []uint32) []uint32 {
	c := p.cell(p.cellOf(feature))
	start := len(list)
	if c.packed() > 0 {
		l := p.lists(c)
		key, low := uint16(feature>>8), uint8(feature)
		for i := l.find(feature, c.depth()); i < len(l.keys) && l.keys[i] == key && l.lows[i] == low; i++ {
			list = append(list, l.text(i))
		}
	}
	for _, e := range c[2 : 2+c.tail()] {
		if uint32(e>>32) == feature {
			list = append(list, uint32(e))
		}
	}
	if len(list)-start > maxPostings {
		list = list[:start+maxPostings]
	}
	return list
}

// merge moves the tail of a cell into its packed part, and splits a cell that
// has become too long.
func (p *postings) merge(i uint32) {
	c := p.cell(i)
	var buf [tailLen]uint64
	tail := buf[:copy(buf[:], c[2:2+c.tail()])]
	slices.Sort(tail)
	old := p.lists(c)
	depth := c.depth()
	// Where each goes: behind the same feature. Of one feature no more than the
	// first texts are kept.
	places := p.places[:0]
	kept := tail[:0]
	run, last := 0, uint64(1<<63)
	at := 0
	width := max(old.width, 3)
	for _, e := range tail {
		f := uint32(e >> 32)
		if e>>32 != last {
			last, run = e>>32, 0
			for at = old.find(f, depth); at < len(old.keys) && old.keys[at] == uint16(f>>8) && old.lows[at] == uint8(f); at++ {
				run++
			}
		}
		if run >= maxPostings {
			continue
		}
		run++
		if uint32(e) >= 1<<24 {
			width = 4
		}
		kept = append(kept, e)
		places = append(places, at)
	}
	p.places = places
	n := len(old.keys) + len(kept)
	if n > maxCell {
		kept = kept[:max(maxCell-len(old.keys), 0)]
		n = len(old.keys) + len(kept)
	}
	c.setTail(0)
	if len(kept) == 0 {
		return
	}
	was := c.ref()
	// Only the first cells are shorter than half of splitLen; nobody would ask
	// again for the small blocks that they leave.
	ref := p.slab.get(packedBytes(max(n, splitLen/2), width))
	to := cut(p.slab.bytes(ref), n, width)
	from, out := 0, 0
	move := func(until int) {
		copy(to.keys[out:], old.keys[from:until])
		copy(to.lows[out:], old.lows[from:until])
		if old.width == width {
			copy(to.texts[out*width:], old.texts[from*width:until*width])
		} else {
			for k := from; k < until; k++ {
				to.setText(out+k-from, old.text(k))
			}
		}
		out += until - from
		from = until
	}
	for k, e := range kept {
		move(places[k])
		to.keys[out], to.lows[out] = uint16(e>>40), uint8(e>>32)
		to.setText(out, uint32(e))
		out++
	}
	move(len(old.keys))
	p.slab.put(was)
	c.setRef(ref)
	c.setPacked(n, width)
	if n > longest(uint32(kept[0]>>32), depth) && depth < mostDepth && (depth < p.depth || len(p.dir) < sparse*p.count()) {
		p.split(i, uint32(kept[0]>>32))
	}
}

// longest is how many packed entries a cell may have: splitLen to twice that,
// by chance. If it were the same for all, then all cells would be of about one
// age and length, and the blocks of other lengths would lie idle in the slab.
func longest(feature uint32, depth uint) int {
	return splitLen + int(mix(uint64(feature>>(32-depth))<<5|uint64(depth))%splitLen)
}

func (l *lists) setText(i int, t uint32) {
	b := l.texts[i*l.width:]
	b[0], b[1], b[2] = byte(t), byte(t>>8), byte(t>>16)
	if l.width == 4 {
		b[3] = byte(t >> 24)
	}
}

// split cuts a cell whose tail is empty in two, by the next bit; feature is one
// of its own.
func (p *postings) split(i, feature uint32) {
	c := p.cell(i)
	depth := c.depth()
	first := feature >> (32 - depth) << (32 - depth)
	bit := uint32(1) << (31 - depth)
	l := p.lists(c)
	k := l.find(first|bit, depth)
	n := len(l.keys)
	if l.keys[0] == l.keys[n-1] && l.lows[0] == l.lows[n-1] {
		return // all of one feature
	}
	other := p.newCell()
	d := p.cell(other)
	c.setDepth(depth + 1)
	d.setDepth(depth + 1)
	if depth == p.depth {
		dir := make([]uint32, 2*len(p.dir))
		for j, x := range p.dir {
			dir[2*j], dir[2*j+1] = x, x
		}
		p.dir, p.depth = dir, p.depth+1
	}
	// The upper half of the directory entries of this cell go to the other.
	from := (first | bit) >> (32 - p.depth)
	for j := from; j < from+1<<(p.depth-depth-1); j++ {
		p.dir[j] = other
	}
	was := c.ref()
	low, high := p.part(l, 0, k), p.part(l, k, n)
	p.slab.put(was)
	c.setRef(low)
	c.setPacked(k, l.width)
	d.setRef(high)
	d.setPacked(n-k, l.width)
}

// part copies entries of a packed part into a block of their own.
func (p *postings) part(l lists, from, until int) slabRef {
	n := until - from
	if n == 0 {
		return slabRef{}
	}
	ref := p.slab.get(packedBytes(n, l.width))
	to := cut(p.slab.bytes(ref), n, l.width)
	copy(to.keys, l.keys[from:until])
	copy(to.lows, l.lows[from:until])
	copy(to.texts, l.texts[from*l.width:until*l.width])
	return ref
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
	slabClasses = 1024 // the largest block is below 64 KiB
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

// put takes a block back.
func (s *slab) put(r slabRef) {
	if r.units > 0 {
		s.free[r.units] = append(s.free[r.units], r.at)
	}
}

// get gives a block of at least n bytes.
func (s *slab) get(n int) slabRef {
	units := (n + slabUnit - 1) / slabUnit
	// A somewhat larger block that lies idle is better than new memory.
	for k := units; k <= min(units+units/3, slabClasses-1); k++ {
		if f := s.free[k]; len(f) > 0 {
			s.free[k] = f[:len(f)-1]
			return slabRef{f[len(f)-1], uint16(k)}
		}
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
