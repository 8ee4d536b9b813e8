package archive

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"strconv"

	"github.com/klauspost/compress/flate"

	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/fsys"
)

// packedFrom is the size of a line's JSON, in bytes, from which on it is deflated
// once for both files, the WARC and the posts file. That is half the work of
// writing posts. It costs what the posts file saves by what a post repeats of
// those before it, and some 100 bytes a line, which are not worth it for short
// posts.
const packedFrom = 4 << 10

// A postsWriter is the posts file, which is made with the first line: one gzip
// member. Lines are deflated one behind the other, but for what is packed.
type postsWriter struct {
	file    fsys.File
	out     *bufio.Writer // deflate writes pieces of 250 bytes
	deflate *flate.Writer
	open    bool // deflate has a history that the file ends with
	crc     uint32
	size    uint32
	line    []byte // the start of a line
}

// postsMember begins the file: deflate, no name, no time, unknown system.
var postsMember = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

var lineEnd = []byte("}\n")

func (p *postsWriter) begin(file fsys.File) error {
	var err error
	p.file, p.out = file, bufio.NewWriterSize(file, 32<<10)
	if p.deflate, err = flate.NewWriter(p.out, warc.DefaultLevel); err != nil {
		return err
	}
	_, err = p.out.Write(postsMember)
	return err
}

// add appends a line. packed is data as Writer.Pack gives it, or nil.
func (p *postsWriter) add(id string, offset int64, member string, data, packed []byte) error {
	quoted, err := json.Marshal(id)
	if err != nil {
		return err
	}
	p.line = append(append(p.line[:0], `{"record_id":`...), quoted...)
	p.line = append(p.line, `,"offset":`...)
	p.line = strconv.AppendInt(p.line, offset, 10)
	p.line = append(p.line, `,"`...)
	p.line = append(p.line, member...)
	p.line = append(p.line, `":`...)
	if packed == nil {
		for _, b := range [][]byte{p.line, data, lineEnd} {
			if err := p.write(b); err != nil {
				return err
			}
		}
		return nil
	}
	if err := p.pause(); err != nil {
		return err
	}
	if err := p.store(p.line); err != nil {
		return err
	}
	p.sum(data)
	if _, err := p.out.Write(packed); err != nil {
		return err
	}
	return p.store(lineEnd)
}

func (p *postsWriter) sum(b []byte) {
	p.crc = crc32.Update(p.crc, crc32.IEEETable, b)
	p.size += uint32(len(b))
}

// write deflates b.
func (p *postsWriter) write(b []byte) error {
	if !p.open {
		p.deflate.Reset(p.out) // what it remembers is not what stands before b
		p.open = true
	}
	p.sum(b)
	_, err := p.deflate.Write(b)
	return err
}

// pause ends what deflate has begun, at a byte boundary.
func (p *postsWriter) pause() error {
	if !p.open {
		return nil
	}
	p.open = false
	return p.deflate.Flush()
}

// store writes b, of less than 64 kB, as a stored block of deflate.
func (p *postsWriter) store(b []byte) error {
	p.sum(b)
	n := uint16(len(b))
	head := [5]byte{0, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)}
	if _, err := p.out.Write(head[:]); err != nil {
		return err
	}
	_, err := p.out.Write(b)
	return err
}

// end writes what is missing of the member; the file stays open.
func (p *postsWriter) end() error {
	if err := p.pause(); err != nil {
		return err
	}
	b := []byte{1, 0, 0, 0xff, 0xff} // the last block, of no bytes
	b = binary.LittleEndian.AppendUint32(b, p.crc)
	b = binary.LittleEndian.AppendUint32(b, p.size)
	if _, err := p.out.Write(b); err != nil {
		return err
	}
	return p.out.Flush()
}
