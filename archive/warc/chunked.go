package warc

import (
	"bufio"
	"bytes"
	"io"
)

// Framing says what was found where a head names the chunked transfer coding.
type Framing string

// The framings of a body.
const (
	FramingNone    Framing = ""                // the head names no chunked coding
	FramingWhole   Framing = "chunked"         // chunks to the last one, and its trailers
	FramingRemoved Framing = "framing removed" // the head names it, the body has none: another tool took it away
	FramingCut     Framing = "cut"             // the body ends before the last chunk
	FramingBad     Framing = "bad chunk"       // something in the middle is not a chunk: the payload is given up to there
	FramingExcess  Framing = "bytes after end" // bytes follow the last chunk
)

// chunks is the state of reading a chunked body (RFC 9112, section 7.1).
type chunks struct {
	state int
	left  int64 // bytes of the chunk to come
	digit int   // hex digits seen of its size
	line  int   // bytes of the line in hand, without its end
	first bool  // a first size line was read
	bad   bool
}

const (
	inSize = iota
	inExtension
	inData
	inDataEnd
	inTrailer
	afterEnd
)

const (
	maxChunkLine = 64 << 10
	maxChunkSize = 1 << 60
)

// next takes bytes off b and gives the payload bytes among them that lie next
// to each other. It takes at least one byte, unless b is empty or the body is
// bad.
func (c *chunks) next(b []byte) (data, rest []byte) {
	for len(b) > 0 && !c.bad {
		switch c.state {
		case inData:
			n := min(int64(len(b)), c.left)
			data, b = b[:n], b[n:]
			if c.left -= n; c.left == 0 {
				c.state, c.line = inDataEnd, 0
			}
			return data, b
		case inSize:
			ch := b[0]
			b = b[1:]
			switch d := unhex(ch); {
			case d >= 0:
				if c.left > maxChunkSize>>4 {
					c.bad = true
					return nil, b
				}
				c.left = c.left<<4 | int64(d)
				c.digit++
			case c.digit == 0 && (ch == ' ' || ch == '\t'):
			case c.digit == 0:
				c.bad = true
			case ch == '\n':
				c.sized()
			case ch == ';' || ch == ' ' || ch == '\t' || ch == '\r':
				c.state = inExtension
			default:
				c.bad = true
			}
			if c.line++; c.line > maxChunkLine {
				c.bad = true
			}
		case inExtension:
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				if c.line += len(b); c.line > maxChunkLine {
					c.bad = true
				}
				return nil, nil
			}
			b = b[i+1:]
			c.sized()
		case inDataEnd:
			switch ch := b[0]; {
			case ch == '\n':
				c.state, c.digit, c.left, c.line = inSize, 0, 0, 0
			case ch == '\r' && c.line == 0:
				c.line = 1
			default:
				c.bad = true
				return nil, b
			}
			b = b[1:]
		case inTrailer:
			if b[0] == '\n' {
				if c.line == 0 {
					c.state = afterEnd
				}
				c.line = 0
			} else if b[0] != '\r' {
				if c.line++; c.line > maxChunkLine {
					c.bad = true
				}
			}
			b = b[1:]
		default:
			return nil, b
		}
	}
	return nil, b
}

// sized ends a size line.
func (c *chunks) sized() {
	c.first, c.line = true, 0
	if c.left == 0 {
		c.state = inTrailer
	} else {
		c.state = inData
	}
}

// framing is what was found, once all bytes were given; excess says that some
// were left over.
func (c *chunks) framing(excess bool) Framing {
	switch {
	case !c.first:
		return FramingRemoved
	case c.bad:
		return FramingBad
	case c.state == afterEnd && excess:
		return FramingExcess
	case c.state == afterEnd, c.state == inTrailer && c.line == 0:
		return FramingWhole
	}
	return FramingCut
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// A dechunker passes the payload within the framed bytes written to it on.
type dechunker struct {
	to     io.Writer
	chunks chunks
	excess bool
	empty  bool
}

func newDechunker(to io.Writer) *dechunker { return &dechunker{to: to, empty: true} }

func (d *dechunker) Write(b []byte) (int, error) {
	n := len(b)
	if n > 0 {
		d.empty = false
	}
	for len(b) > 0 {
		data, rest := d.chunks.next(b)
		if len(data) > 0 {
			if _, err := d.to.Write(data); err != nil {
				return 0, err
			}
		}
		if len(rest) == len(b) {
			d.excess = true
			break
		}
		b = rest
	}
	return n, nil
}

// unframed reports, after the last Write, that there was no framing at all.
func (d *dechunker) unframed() bool {
	return !d.empty && d.chunks.framing(d.excess) == FramingRemoved
}

// A chunkReader reads the payload of a chunked body.
type chunkReader struct {
	br      *bufio.Reader
	chunks  chunks
	started bool
	raw     bool // there is no framing
	found   Framing
	err     error
}

func newChunkReader(r io.Reader) *chunkReader {
	return &chunkReader{br: bufio.NewReaderSize(r, 16<<10)}
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if !c.started {
		c.started = true
		if first, err := c.br.Peek(4 << 10); len(first) > 0 {
			var probe chunks
			for rest := first; len(rest) > 0 && !probe.first && !probe.bad; {
				_, rest = probe.next(rest)
			}
			if probe.bad && !probe.first || !probe.first && err != nil {
				c.raw, c.found = true, FramingRemoved
			}
		}
	}
	if c.raw {
		return c.br.Read(p)
	}
	for c.err == nil && len(p) > 0 {
		if c.chunks.state == inData && !c.chunks.bad {
			n, err := c.br.Read(p[:min(int64(len(p)), c.chunks.left)])
			c.chunks.next(p[:n])
			if n > 0 {
				return n, nil
			}
			if err != nil {
				c.end(err, false)
			}
			continue
		}
		b, err := c.br.ReadByte()
		if err != nil {
			c.end(err, false)
			break
		}
		before := c.chunks.state
		c.chunks.next([]byte{b})
		if c.chunks.bad || before == afterEnd {
			c.end(io.EOF, true)
		}
	}
	return 0, c.err
}

// end says how the body ended. A cut or bad body ends like any other: what was
// found is in found.
func (c *chunkReader) end(err error, excess bool) {
	c.err = err
	if err == io.EOF {
		c.found = c.chunks.framing(excess)
	}
}
