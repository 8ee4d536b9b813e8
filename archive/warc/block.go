package warc

import (
	"bytes"
	"io"
	"sort"
)

// A Block is what a record carries: bytes that can be read more than once and
// whose number is known, so that a large body is streamed from its spool file
// and is never in memory. *bytes.Reader, *strings.Reader and *io.SectionReader
// are Blocks.
type Block interface {
	io.ReaderAt
	Size() int64 // bytes
}

// Bytes is a Block in memory.
func Bytes(b []byte) Block { return bytes.NewReader(b) }

// Join is the Block of all parts, one after the other. Nil parts count as
// empty.
func Join(parts ...Block) Block {
	var j joined
	for _, p := range parts {
		if p == nil || p.Size() == 0 {
			continue
		}
		j.parts = append(j.parts, p)
		j.starts = append(j.starts, j.size)
		j.size += p.Size()
	}
	if len(j.parts) == 1 {
		return j.parts[0]
	}
	return &j
}

type joined struct {
	parts  []Block
	starts []int64 // of parts, in the whole
	size   int64
}

func (j *joined) Size() int64 { return j.size }

func (j *joined) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= j.size {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	i := sort.Search(len(j.starts), func(i int) bool { return j.starts[i] > off }) - 1
	for ; n < len(p) && i < len(j.parts); i++ {
		inside := off + int64(n) - j.starts[i]
		want := min(int64(len(p)-n), j.parts[i].Size()-inside)
		got, err := j.parts[i].ReadAt(p[n:n+int(want)], inside)
		n += got
		if int64(got) < want {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readBlock reads len(p) bytes of b from off. A Block that is shorter than it
// says gives io.ErrUnexpectedEOF.
func readBlock(b Block, p []byte, off int64) error {
	n, err := b.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
