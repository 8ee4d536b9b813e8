package wacz

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/refrain-archive/refrain/archive/warc"
)

// A blockWriter takes sorted index lines and writes them in gzip members of a
// number of lines each, noting for each member its line of index.idx.
type blockWriter struct {
	out    io.Writer
	lines  int
	part   []byte // of a line that is not whole yet
	block  bytes.Buffer
	n      int
	offset int64
	idx    bytes.Buffer
}

func (b *blockWriter) Write(p []byte) (int, error) {
	for rest := p; ; {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			b.part = append(b.part, line...)
			return len(p), nil
		}
		b.block.Write(b.part)
		b.block.Write(line)
		b.block.WriteByte('\n')
		b.part, rest = b.part[:0], after
		if b.n++; b.n == b.lines {
			if err := b.flush(); err != nil {
				return 0, err
			}
		}
	}
}

// flush writes the lines at hand as one member.
func (b *blockWriter) flush() error {
	if b.n == 0 {
		return nil
	}
	// KEY SP TIMESTAMP of the first line.
	key := b.block.Bytes()
	if i := bytes.IndexByte(key, ' '); i >= 0 {
		if j := bytes.IndexByte(key[i+1:], ' '); j >= 0 {
			key = key[:i+1+j]
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(b.block.Bytes()); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if _, err := b.out.Write(packed.Bytes()); err != nil {
		return err
	}
	fmt.Fprintf(&b.idx, "%s {\"offset\": %d, \"length\": %d, \"digest\": %q, \"filename\": \"index.cdx.gz\"}\n", key, b.offset, packed.Len(), warc.SHA256(packed.Bytes()))
	b.offset += int64(packed.Len())
	b.block.Reset()
	b.n = 0
	return nil
}
