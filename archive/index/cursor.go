package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sort"
	"sync"
)

// A cursor goes through the lines of a run, in both directions.
type cursor struct {
	r     *run
	block int
	win   []byte // of the file, from winAt on
	winAt int64
	steps int    // blocks so far that were beside the one before
	buf   []byte // the block, in win
	ends  []span // of the lines in buf
	i     int    // of the line at hand
	line  []byte // at hand; nil: none, at either end
	err   error
}

type span struct{ start, end uint32 }

var cursors = sync.Pool{New: func() any { return &cursor{} }}

func newCursor(r *run) *cursor {
	c := cursors.Get().(*cursor)
	c.r, c.line, c.err, c.block, c.steps = r, nil, nil, -1, 0
	c.win = c.win[:0]
	return c
}

func (c *cursor) free() {
	c.r, c.line, c.err, c.buf = nil, nil, nil, nil
	if cap(c.win) <= 64<<10 {
		cursors.Put(c)
	}
}

// aheadAfter and aheadSize say how a cursor reads that goes on from block to
// block: after so many, it reads so many bytes at once.
const (
	aheadAfter = 4
	aheadSize  = 32 << 10
)

// load reads a block. It reports false where there is none, or with an error.
func (c *cursor) load(block int) bool {
	c.line = nil
	if block < 0 || block >= c.r.blocks() {
		c.block = block
		return false
	}
	if block == c.block {
		return true
	}
	step := 0
	if c.block >= 0 && (block == c.block+1 || block == c.block-1) {
		step = block - c.block
		c.steps++
	} else {
		c.steps = 0
	}
	c.block = -1
	start, end := c.r.start(block), c.r.start(block+1)
	if err := c.window(start, end, step); err != nil {
		c.err = fmt.Errorf("read %s at offset %d: %w", c.r.name, start, err)
		return false
	}
	c.buf = c.win[start-c.winAt : end-c.winAt]
	body := c.buf[:len(c.buf)-4]
	if checksum(body) != binary.LittleEndian.Uint32(c.buf[len(body):]) {
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

// window has the bytes from start to end in win, and more of them in the
// direction of step where the cursor goes on and on.
func (c *cursor) window(start, end int64, step int) error {
	if start >= c.winAt && end <= c.winAt+int64(len(c.win)) {
		return nil
	}
	ahead := step != 0 && c.steps >= aheadAfter
	if ahead && step > 0 {
		end = max(end, min(start+aheadSize, c.r.pages))
	} else if ahead {
		start = min(start, max(end-aheadSize, int64(len(runMagic))))
	}
	size := int(end - start)
	if cap(c.win) < size {
		c.win = make([]byte, size)
	}
	c.win, c.winAt = c.win[:size], start
	var err error
	if ahead {
		if _, err = c.r.f.ReadAt(c.win, start); err == io.EOF {
			err = errCorrupt
		}
	} else {
		err = c.r.fill(c.win, start)
	}
	if err != nil {
		c.win = c.win[:0]
	}
	return err
}

// number gives a line of the block at hand.
func (c *cursor) number(i int) []byte { return c.buf[c.ends[i].start:c.ends[i].end] }

// seek goes to the first line that is not before target.
func (c *cursor) seek(target []byte) {
	if !c.load(c.r.seps.find(target)) {
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
	if c.load(c.r.blocks() - 1) {
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
