package index

import (
	"encoding/binary"
	"fmt"
	"sort"
	"sync"
)

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
	page := r.page(bound)
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
