package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"sync/atomic"
)

// errCorrupt says that a run is not as it was written: the index is made anew.
var errCorrupt = errors.New("the file is damaged")

// A run is a sorted file of lines, open for reading. It is safe for concurrent
// use.
type run struct {
	name  string // base name
	f     *os.File
	size  int64
	lines int64
	temp  bool // the file goes with the last user: lines of an open segment

	seps    []byte   // of all blocks
	sepEnds []uint32 // in seps
	tops    []byte   // of each topStep-th block, once more
	topEnds []uint32 // in tops
	starts  []int64  // of blocks; the last one is the end
	pages   int64    // offset of the digest pages
	pairs   int64
	first   []uint64 // digest of the first pair of each page
	keys    bloom
	digests bloom

	refs atomic.Int32 // views that have it
}

func openRun(path, name string) (r *run, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close() //nolint:errcheck // only read
			err = fmt.Errorf("open %s: %w", path, err)
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	r = &run{name: name, f: f, size: info.Size()}
	return r, r.open()
}

func (r *run) open() error {
	trailer, err := r.read(r.size-int64(trailerLen), int64(trailerLen))
	if err != nil {
		return err
	}
	body, rest := trailer[:80], trailer[80:]
	if string(rest[4:]) != runEnd || checksum(body) != binary.LittleEndian.Uint32(rest) {
		return fmt.Errorf("%w: it does not end as it should", errCorrupt)
	}
	var n [10]int64
	for i := range n {
		n[i] = int64(binary.LittleEndian.Uint64(body[i*8:]))
		if n[i] < 0 || i != 0 && i != 1 && i != 3 && n[i] > r.size {
			return errCorrupt
		}
	}
	lines, blocks, tableLen, pairs, pages, table, first, keys, digests, end := n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9]
	if end != r.size-int64(trailerLen) || !(pages <= table && table+tableLen+4 == first && first < keys && keys < digests && digests < end) {
		return errCorrupt
	}
	r.lines, r.pages, r.pairs = lines, pages, pairs
	b, err := r.summed(table, tableLen)
	if err != nil {
		return err
	}
	if err := r.parseTable(b, blocks); err != nil {
		return err
	}
	if b, err = r.summed(first, keys-first-4); err != nil {
		return err
	}
	if int64(len(b)) != (pairs+pagePairs-1)/pagePairs*8 {
		return errCorrupt
	}
	r.first = make([]uint64, len(b)/8)
	for i := range r.first {
		r.first[i] = binary.LittleEndian.Uint64(b[i*8:])
	}
	for _, filter := range []struct {
		at, end int64
		to      *bloom
	}{{keys, digests, &r.keys}, {digests, end, &r.digests}} {
		if b, err = r.summed(filter.at, filter.end-filter.at-4); err != nil {
			return err
		}
		ok := false
		if *filter.to, ok = parseBloom(b); !ok {
			return errCorrupt
		}
	}
	return nil
}

func (r *run) parseTable(b []byte, blocks int64) error {
	if blocks > int64(len(b)) {
		return errCorrupt
	}
	r.sepEnds, r.starts = make([]uint32, 0, blocks), make([]int64, 0, blocks+1)
	r.seps = make([]byte, 0, max(0, int64(len(b))-3*blocks))
	at := int64(len(runMagic))
	for range blocks {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return errCorrupt
		}
		r.seps = append(r.seps, b[n:n+int(size)]...)
		b = b[n+int(size):]
		if len(r.sepEnds)%topStep == 0 {
			r.tops = append(r.tops, r.seps[len(r.seps)-int(size):]...)
			r.topEnds = append(r.topEnds, uint32(len(r.tops)))
		}
		r.sepEnds = append(r.sepEnds, uint32(len(r.seps)))
		r.starts = append(r.starts, at)
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(r.size) {
			return errCorrupt
		}
		b = b[n:]
		at += int64(length) + 4
	}
	r.starts = append(r.starts, at)
	if len(b) > 0 || at != r.pages {
		return errCorrupt
	}
	return nil
}

// read gives a part of the file.
func (r *run) read(at, size int64) ([]byte, error) {
	if at < 0 || size < 0 || at > r.size-size {
		return nil, fmt.Errorf("%w: it is too short", errCorrupt)
	}
	b := make([]byte, size)
	if _, err := r.f.ReadAt(b, at); err != nil {
		return nil, err
	}
	return b, nil
}

// summed gives a part of the file that a checksum follows.
func (r *run) summed(at, size int64) ([]byte, error) { return r.summedIn(nil, at, size) }

// summedIn is summed into a buffer that is used again, if it is large enough.
func (r *run) summedIn(buf []byte, at, size int64) ([]byte, error) {
	if at < 0 || size < 0 || at > r.size-size-4 {
		return nil, fmt.Errorf("%w: it is too short", errCorrupt)
	}
	if int64(cap(buf)) < size+4 {
		buf = make([]byte, size+4)
	}
	b := buf[:size+4]
	if _, err := r.f.ReadAt(b, at); err != nil {
		return nil, err
	}
	if checksum(b[:size]) != binary.LittleEndian.Uint32(b[size:]) {
		return nil, fmt.Errorf("%w: a checksum does not fit at offset %d", errCorrupt, at)
	}
	return b[:size], nil
}

// close closes the file, and removes it if it is of an open segment.
func (r *run) close() {
	r.f.Close() //nolint:errcheck // only read
	if r.temp {
		os.Remove(r.f.Name()) //nolint:errcheck // or left, and removed as what index.json does not name
	}
}

// topStep is how many blocks there are to one entry of the upper table: that
// table fits into the cache of a processor when the lower one does not, and what
// is left to search of the lower one lies together.
const topStep = 64

func (r *run) sep(i int) []byte { return part(r.seps, r.sepEnds, i) }

// part gives the part of a text with that number.
func part(text []byte, ends []uint32, i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = ends[i-1]
	}
	return text[start:ends[i]]
}

// find gives the last block that begins with or before target; 0 if there is
// none.
func (r *run) find(target []byte) int {
	top := sort.Search(len(r.topEnds), func(i int) bool { return bytes.Compare(part(r.tops, r.topEnds, i), target) > 0 }) - 1
	if top < 0 {
		return 0
	}
	from := top * topStep
	n := min(topStep, len(r.sepEnds)-from)
	return from + sort.Search(n, func(i int) bool { return bytes.Compare(r.sep(from+i), target) > 0 }) - 1
}

// A cursor goes through the lines of a run, in both directions.
type cursor struct {
	r     *run
	block int
	buf   []byte
	ends  []span // of the lines in buf
	i     int    // of the line at hand
	line  []byte // at hand; nil: none, at either end
	err   error
}

type span struct{ start, end uint32 }

var cursors = sync.Pool{New: func() any { return &cursor{} }}

func newCursor(r *run) *cursor {
	c := cursors.Get().(*cursor)
	c.r, c.line, c.err, c.block = r, nil, nil, -1
	return c
}

func (c *cursor) free() {
	c.r, c.line, c.err = nil, nil, nil
	if cap(c.buf) <= 64<<10 {
		cursors.Put(c)
	}
}

// load reads a block. It reports false where there is none, or with an error.
func (c *cursor) load(block int) bool {
	c.line = nil
	if block < 0 || block >= len(c.r.sepEnds) {
		c.block = block
		return false
	}
	if block == c.block {
		return true
	}
	c.block = -1
	start, size := c.r.starts[block], int(c.r.starts[block+1]-c.r.starts[block])
	if cap(c.buf) < size {
		c.buf = make([]byte, size)
	}
	c.buf = c.buf[:size]
	if _, err := c.r.f.ReadAt(c.buf, start); err != nil {
		if err == io.EOF {
			err = errCorrupt
		}
		c.err = fmt.Errorf("read %s at offset %d: %w", c.r.name, start, err)
		return false
	}
	body := c.buf[:size-4]
	if checksum(body) != binary.LittleEndian.Uint32(c.buf[size-4:]) {
		c.err = fmt.Errorf("%s: %w: the checksum of the block at offset %d does not fit", c.r.name, errCorrupt, start)
		return false
	}
	c.ends = c.ends[:0]
	for at := 0; at < len(body); {
		n, width := uint64(body[at]), 1
		if n >= 0x80 {
			if n, width = binary.Uvarint(body[at:]); width <= 0 {
				n = uint64(len(body))
			}
		}
		if at += width; n > uint64(len(body)-at) {
			c.err = fmt.Errorf("%s: %w: the block at offset %d", c.r.name, errCorrupt, start)
			return false
		}
		c.ends = append(c.ends, span{uint32(at), uint32(at) + uint32(n)})
		at += int(n)
	}
	c.block = block
	return len(c.ends) > 0
}

// number gives a line of the block at hand.
func (c *cursor) number(i int) []byte { return c.buf[c.ends[i].start:c.ends[i].end] }

// seek goes to the first line that is not before target.
func (c *cursor) seek(target []byte) {
	if !c.load(c.r.find(target)) {
		return
	}
	c.i = sort.Search(len(c.ends), func(i int) bool { return bytes.Compare(c.number(i), target) >= 0 })
	if c.i < len(c.ends) {
		c.line = c.number(c.i)
		return
	}
	c.i--
	c.line = c.number(c.i)
	c.next()
}

// seekBefore goes to the last line that is before target.
func (c *cursor) seekBefore(target []byte) {
	c.seek(target)
	switch {
	case c.err != nil:
	case c.line != nil:
		c.prev()
	default:
		c.last()
	}
}

// last goes to the last line.
func (c *cursor) last() {
	if c.load(len(c.r.sepEnds) - 1) {
		c.i = len(c.ends) - 1
		c.line = c.number(c.i)
	}
}

func (c *cursor) next() {
	if c.line == nil {
		return
	}
	if c.i+1 < len(c.ends) {
		c.i++
		c.line = c.number(c.i)
		return
	}
	if c.load(c.block + 1) {
		c.i = 0
		c.line = c.number(0)
	}
}

func (c *cursor) prev() {
	if c.line == nil {
		return
	}
	if c.i > 0 {
		c.i--
		c.line = c.number(c.i)
		return
	}
	if c.load(c.block - 1) {
		c.i = len(c.ends) - 1
		c.line = c.number(c.i)
	}
}

// lines goes through lines in both directions.
type lines interface {
	at() []byte // the line at hand, valid until the cursor moves; nil: none, at either end or after an error
	next()
	prev()
	failed() error
	free()
}

func (c *cursor) at() []byte    { return c.line }
func (c *cursor) failed() error { return c.err }

// A digestCursor goes through the lines of a run whose payload digest may be the
// one of a number.
type digestCursor struct {
	c      *cursor // nil: there are none
	number uint64
	i      int64 // of the pair at hand
	page   int   // that was read; -1: none
	pairs  []byte
	buf    []byte
}

var digestCursors = sync.Pool{New: func() any { return &digestCursor{} }}

func newDigestCursor(r *run, number uint64, last bool) *digestCursor {
	d := digestCursors.Get().(*digestCursor)
	d.c, d.number, d.page, d.pairs = nil, number, -1, nil
	if len(r.first) == 0 || !r.digests.has(mix(number)) {
		return d
	}
	d.c = newCursor(r)
	// The first page that begins behind the wanted pairs, and the one before it.
	bound := number
	if last && number < 1<<64-1 {
		bound++
	}
	page := sort.Search(len(r.first), func(i int) bool { return r.first[i] >= bound })
	d.i = int64(page) * pagePairs
	if page > 0 && d.read(page-1) {
		n := len(d.pairs) / pairSize
		d.i = int64(page-1)*pagePairs + int64(sort.Search(n, func(i int) bool { return binary.BigEndian.Uint64(d.pairs[i*pairSize:]) >= bound }))
	}
	if last {
		d.i--
	}
	d.load()
	return d
}

// read reads a page of pairs.
func (d *digestCursor) read(page int) bool {
	if d.page == page {
		return true
	}
	r := d.c.r
	n := min(pagePairs, r.pairs-int64(page)*pagePairs)
	d.pairs, d.c.err = r.summedIn(d.buf, r.pages+int64(page)*(pagePairs*pairSize+4), n*pairSize)
	if d.c.err == nil {
		d.buf = d.pairs
	} else {
		d.c.err = fmt.Errorf("%s: %w", r.name, d.c.err)
		d.c.line = nil
		return false
	}
	d.page = page
	return true
}

// load goes to the line of the pair at hand.
func (d *digestCursor) load() {
	c := d.c
	c.line = nil
	if c.err != nil || d.i < 0 || d.i >= c.r.pairs || !d.read(int(d.i/pagePairs)) {
		return
	}
	p := d.pairs[d.i%pagePairs*pairSize:]
	if binary.BigEndian.Uint64(p) != d.number {
		return
	}
	place := binary.BigEndian.Uint64(p[8:])
	line := int(place & (1<<placeBits - 1))
	if !c.load(int(place>>placeBits)) || line >= len(c.ends) {
		if c.err == nil {
			c.err = fmt.Errorf("%s: %w: a digest leads nowhere", c.r.name, errCorrupt)
		}
		return
	}
	c.line = c.number(line)
}

func (d *digestCursor) at() []byte {
	if d.c == nil {
		return nil
	}
	return d.c.line
}

func (d *digestCursor) move(by int64) {
	if d.at() != nil {
		d.i += by
		d.load()
	}
}

func (d *digestCursor) next() { d.move(1) }
func (d *digestCursor) prev() { d.move(-1) }

func (d *digestCursor) failed() error {
	if d.c == nil {
		return nil
	}
	return d.c.err
}

func (d *digestCursor) free() {
	if d.c != nil {
		d.c.free()
		d.c = nil
	}
	digestCursors.Put(d)
}
