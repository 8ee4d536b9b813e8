package archive

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/refrain-archive/refrain/archive/warc"
)

// DeletedField is the header field of a record that stands for one whose payload
// was deleted: its value is the id of the act.
const DeletedField = "Refrain-Deleted"

// tombstone is the record that takes the place of a deleted one: a metadata record
// of the same id, date and target that says what was there. pad is how many bytes
// of blanks its block has beyond that.
func tombstone(h warc.Header, act *Act, pad int64) *warc.Record {
	var fields warc.Header
	fields.Add("deleted", act.At.UTC().Format("2006-01-02T15:04:05Z"))
	fields.Add("act", act.ID)
	fields.Add("deletedType", h.Type())
	if d := h.Get("WARC-Block-Digest"); d != "" {
		fields.Add("deletedBlockDigest", d)
	}
	if d := h.Get("WARC-Payload-Digest"); d != "" && d != h.Get("WARC-Block-Digest") {
		fields.Add("deletedPayloadDigest", d)
	}
	var r warc.Record
	add := func(name, value string) {
		if value != "" {
			r.Header.Add(name, value)
		}
	}
	add("WARC-Type", warc.TypeMetadata)
	add("WARC-Record-ID", h.Get("WARC-Record-ID"))
	add("WARC-Date", h.Get("WARC-Date"))
	add("WARC-Target-URI", h.TargetURI())
	for _, to := range h.Values("WARC-Concurrent-To") {
		add("WARC-Concurrent-To", to)
	}
	add("WARC-Warcinfo-ID", h.Get("WARC-Warcinfo-ID"))
	add("Content-Type", "application/warc-fields")
	add(DeletedField, act.ID)
	r.Block = warc.Fields(fields)
	if pad > 0 {
		r.Block = warc.Join(r.Block, blanks(pad))
	}
	return &r
}

// blanks is a block of that many blanks.
type blanks int64

func (b blanks) Size() int64 { return int64(b) }

func (b blanks) ReadAt(p []byte, off int64) (int, error) {
	n := max(0, min(int64(len(p)), int64(b)-off))
	for i := range p[:n] {
		p[i] = ' '
	}
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

const (
	gzipFixed  = 18        // bytes of a gzip member beside its name, extra field and data
	extraFixed = 6         // of an extra field with one subfield
	extraMax   = 65535 - 4 // bytes of a subfield
	storedMax  = 65535     // of a stored block
	gapMost    = extraFixed + extraMax
)

// writeTombstone writes a gzip member of exactly length bytes that holds the
// tombstone of the record with header h. So the records behind it stay where they
// are, and everything that names their offset stays right.
func writeTombstone(w io.Writer, h warc.Header, act *Act, length int64) error {
	var plain bytes.Buffer
	if _, err := warc.NewWriter(&plain, warc.WriterOptions{Compression: warc.Plain}).Write(tombstone(h, act, 0)); err != nil {
		return err
	}
	var packed bytes.Buffer
	d, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return err
	}
	d.Write(plain.Bytes()) //nolint:errcheck // into memory
	d.Close()              //nolint:errcheck // into memory
	gap := length - gzipFixed - int64(packed.Len())
	switch {
	case gap < 0:
		return fmt.Errorf("the record has %d bytes, what must stand in its place %d: it cannot be replaced without moving the others", length, length-gap)
	case gap <= gapMost:
		if err := gzipHead(w, gap); err != nil {
			return err
		}
		if _, err := w.Write(packed.Bytes()); err != nil {
			return err
		}
		return gzipTail(w, crc32.ChecksumIEEE(plain.Bytes()), int64(plain.Len()))
	}
	// More than an extra field takes: blanks in the block, nothing deflated.
	pad := length - int64(plain.Len()) - 5*(length/storedMax+2) - 1000
	counted := &counter{}
	if _, err := warc.NewWriter(counted, warc.WriterOptions{Compression: warc.Plain}).Write(tombstone(h, act, pad)); err != nil {
		return err
	}
	blocks := (counted.n + storedMax - 1) / storedMax
	if gap = length - gzipFixed - counted.n - 5*blocks; gap < extraFixed || gap > gapMost {
		return fmt.Errorf("a record of %d bytes cannot be filled up: %d are left", length, gap)
	}
	if err := gzipHead(w, gap); err != nil {
		return err
	}
	s := &storedWriter{w: w, left: counted.n}
	if _, err := warc.NewWriter(s, warc.WriterOptions{Compression: warc.Plain}).Write(tombstone(h, act, pad)); err != nil {
		return err
	}
	return gzipTail(w, s.sum, counted.n)
}

// gzipHead writes the head of a gzip member with gap bytes beyond the least: an
// extra field or, where that is too long, a name.
func gzipHead(w io.Writer, gap int64) error {
	head := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}
	switch {
	case gap >= extraFixed:
		head[3] = 4
		n := gap - extraFixed
		head = binary.LittleEndian.AppendUint16(head, uint16(4+n))
		head = append(head, 'r', 'f')
		head = binary.LittleEndian.AppendUint16(head, uint16(n))
		head = append(head, make([]byte, n)...)
	case gap > 0:
		head[3] = 8
		head = append(head, bytes.Repeat([]byte{'-'}, int(gap-1))...)
		head = append(head, 0)
	}
	_, err := w.Write(head)
	return err
}

func gzipTail(w io.Writer, sum uint32, size int64) error {
	tail := binary.LittleEndian.AppendUint32(nil, sum)
	tail = binary.LittleEndian.AppendUint32(tail, uint32(size))
	_, err := w.Write(tail)
	return err
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

// storedWriter writes left bytes as stored blocks of deflate, all but the last of
// storedMax bytes.
type storedWriter struct {
	w    io.Writer
	left int64 // to come
	room int64 // in the block at hand
	sum  uint32
}

func (s *storedWriter) Write(p []byte) (int, error) {
	n := len(p)
	s.sum = crc32.Update(s.sum, crc32.IEEETable, p)
	for len(p) > 0 {
		if s.room == 0 {
			s.room = min(s.left, storedMax)
			last := byte(0)
			if s.room == s.left {
				last = 1
			}
			head := binary.LittleEndian.AppendUint16([]byte{last}, uint16(s.room))
			head = binary.LittleEndian.AppendUint16(head, ^uint16(s.room))
			if _, err := s.w.Write(head); err != nil {
				return 0, err
			}
		}
		part := p[:min(int64(len(p)), s.room)]
		if _, err := s.w.Write(part); err != nil {
			return 0, err
		}
		s.room -= int64(len(part))
		s.left -= int64(len(part))
		p = p[len(part):]
	}
	return n, nil
}
