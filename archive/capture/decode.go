package capture

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
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
		in := bufio.NewReaderSize(r, 4<<10)
		if coding == "gzip" {
			r = &gzipReader{in: in}
		} else {
			r = &deflateReader{in: in}
		}
	}
	return r
}

var gzipPool sync.Pool // of *gzip.Reader

// A gzipReader reads gzip members one after the other (RFC 1952 §2.2). What
// follows the last one and is not a member is skipped, as browsers do.
type gzipReader struct {
	in  *bufio.Reader
	z   *gzip.Reader
	err error
}

func (g *gzipReader) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
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

func (g *gzipReader) fail(err error) error {
	g.err = err
	if g.z != nil {
		gzipPool.Put(g.z)
		g.z = nil
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
