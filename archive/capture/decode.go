package capture

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/refrain-archive/refrain/internal/inflate"
)

// A decodeError says that a body is not what its Content-Encoding says.
type decodeError struct {
	coding string
	err    error
}

func (e *decodeError) Error() string { return "decode " + e.coding + ": " + e.err.Error() }
func (e *decodeError) Unwrap() error { return e.err }

// maxCodings bounds how many content codings lie over each other.
const maxCodings = 3

// codings gives the content codings of header lines in the order in which they
// are undone, and whether all of them are known. identity is left out.
func codings(lines []string) (list []string, known bool) {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case "", "identity":
			case "gzip", "x-gzip":
				list = append([]string{"gzip"}, list...)
			case "deflate":
				list = append([]string{"deflate"}, list...)
			default:
				return nil, false
			}
		}
	}
	return list, len(list) <= maxCodings
}

// decoded undoes codings over r. It reads nothing before it is read.
func decoded(r io.Reader, list []string) io.Reader {
	for _, coding := range list {
		if coding == "gzip" {
			r = &gzipReader{src: r}
		} else {
			r = &deflateReader{in: bufio.NewReaderSize(r, 4<<10)}
		}
	}
	return r
}

// A coded body of up to wholeCoded bytes that holds up to wholeDecoded is
// unpacked as a whole, in memory that is used again: pages and answers of
// interfaces are smaller, and that takes half the time. Both are bounds of
// memory for each exchange under way.
const (
	wholeCoded   = 256 << 10
	wholeDecoded = 2 << 20
)

var (
	gzipPool  sync.Pool // of *gzip.Reader
	codedPool = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}
	plainPool = sync.Pool{New: func() any { return new([]byte) }}
)

// A gzipReader reads gzip members one after the other (RFC 1952 §2.2). What
// follows the last one and is not a member is skipped, as browsers do.
type gzipReader struct {
	src   io.Reader
	coded *[]byte // the start of src, of codedPool
	plain *[]byte // what is unpacked as a whole, of plainPool
	at    int     // bytes of plain that were read

	in  *bufio.Reader // all of src, where it is not unpacked as a whole
	z   *gzip.Reader
	err error
}

func (g *gzipReader) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	if g.in == nil && g.plain == nil {
		g.start()
	}
	if g.plain != nil {
		n := copy(p, (*g.plain)[g.at:])
		if g.at += n; g.at == len(*g.plain) {
			return n, g.fail(io.EOF)
		}
		return n, nil
	}
	return g.stream(p)
}

// rest gives how many bytes are left to read, where it is unpacked as a whole.
func (g *gzipReader) rest() (n int, known bool) {
	if g.err == nil && g.in == nil && g.plain == nil {
		g.start()
	}
	if g.plain == nil {
		return 0, false
	}
	return len(*g.plain) - g.at, true
}

// start reads src to its end, if that is not far, and unpacks it. What is
// larger, cut, damaged or of several members is left to stream, with all that
// was read: it gives what comes before the damage, and says what is wrong.
func (g *gzipReader) start() {
	g.coded = codedPool.Get().(*[]byte)
	b := *g.coded
	n := 0
	var err error
	for err == nil && n < wholeCoded {
		if n == len(b) {
			b = append(b, make([]byte, len(b))...)
		}
		var m int
		m, err = g.src.Read(b[n:min(len(b), wholeCoded)])
		n += m
	}
	*g.coded = b
	if err == io.EOF && n > 0 {
		g.plain = plainPool.Get().(*[]byte)
		out, rest, failed := inflate.Gzip((*g.plain)[:0], b[:n], wholeDecoded)
		if failed == nil && len(rest) == 0 {
			*g.plain = out
			return
		}
		plainPool.Put(g.plain)
		g.plain = nil
	}
	src := g.src
	if err != nil {
		src = endReader{err}
	}
	g.in = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(b[:n]), src), 4<<10)
}

// An endReader has ended.
type endReader struct{ err error }

func (r endReader) Read([]byte) (int, error) { return 0, r.err }

func (g *gzipReader) stream(p []byte) (int, error) {
	if g.z == nil {
		if _, err := g.in.Peek(1); err != nil {
			return 0, g.fail(err) // io.EOF: no body at all
		}
		z, _ := gzipPool.Get().(*gzip.Reader)
		var err error
		if z == nil {
			z, err = gzip.NewReader(g.in)
		} else {
			err = z.Reset(g.in)
		}
		if err != nil {
			return 0, g.fail(coded("gzip", err))
		}
		g.z = z
		g.z.Multistream(false)
	}
	for {
		n, err := g.z.Read(p)
		switch {
		case err == nil:
			return n, nil
		case err != io.EOF:
			return n, g.fail(coded("gzip", err))
		}
		magic, err := g.in.Peek(2)
		switch {
		case len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b:
			if err := g.z.Reset(g.in); err != nil {
				return n, g.fail(coded("gzip", err))
			}
			g.z.Multistream(false)
		case err != nil && err != io.EOF:
			return n, g.fail(err)
		default:
			return n, g.fail(io.EOF)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// fail ends the reader, and gives its memory back.
func (g *gzipReader) fail(err error) error {
	g.err = err
	if g.z != nil {
		gzipPool.Put(g.z)
		g.z = nil
	}
	if g.coded != nil {
		codedPool.Put(g.coded)
		g.coded = nil
	}
	if g.plain != nil {
		plainPool.Put(g.plain)
		g.plain = nil
	}
	return err
}

// A deflateReader reads "deflate", which is zlib (RFC 1950) by the standard
// and bare deflate (RFC 1951) from some servers.
type deflateReader struct {
	in  *bufio.Reader
	z   io.Reader
	err error
}

func (d *deflateReader) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	if d.z == nil {
		head, err := d.in.Peek(2)
		switch {
		case len(head) == 0:
			d.err = err
			return 0, err
		case len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0:
			if d.z, err = zlib.NewReader(d.in); err != nil {
				d.err = coded("deflate", err)
				return 0, d.err
			}
		default:
			d.z = flate.NewReader(d.in)
		}
	}
	n, err := d.z.Read(p)
	if err != nil && err != io.EOF {
		err = coded("deflate", err)
	}
	d.err = err
	return n, err
}

func coded(coding string, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return &decodeError{coding, err}
}

// A capReader gives an error once more than left bytes were read.
type capReader struct {
	r    io.Reader
	max  int64
	left int64
}

func (c *capReader) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, c.tooLarge()
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n - 1, c.tooLarge()
	}
	return n, err
}

func (c *capReader) tooLarge() error {
	return fmt.Errorf("%w: over %d bytes when decoded", ErrTooLarge, c.max)
}
