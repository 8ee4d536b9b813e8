package warc

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"
)

// Compression says how Writer packs records.
type Compression int

const (
	Auto   Compression = iota // one gzip member per record: text deflated, bodies that are coded already stored
	Stored                    // one gzip member per record, nothing deflated
	Plain                     // no gzip: a .warc file
)

// DefaultLevel is the deflate level for text. On 16 MB of HTML, JSON and feeds
// as platforms serve them, one member each, level 5 packs 160 MB per CPU-second
// to 18.4 %, level 3 213 MB to 19.7 %, level 6 135 MB to 18.2 %, and the
// standard library's level 6 43 MB to 17.6 %.
const DefaultLevel = 5

// WriterOptions is what a Writer is built from. The zero value writes .warc.gz.
type WriterOptions struct {
	Compression Compression
	Level       int   // deflate level for text, 1 to 9; 0 is DefaultLevel
	Offset      int64 // where in the file the first record will stand: when appending

	// WarcinfoID is put as WARC-Warcinfo-ID on every record that has none.
	// Empty: the id of the last warcinfo record that this Writer wrote.
	WarcinfoID string
}

// A Position says where a record lies in its file: the gzip member that is the
// record, or the record itself in a plain file.
type Position struct {
	Offset int64 // of the first byte
	Length int64 // bytes
}

// End is the offset after the record.
func (p Position) End() int64 { return p.Offset + p.Length }

// A Writer writes records to a WARC/1.1 file. It buffers nothing: when Write
// returns, all bytes of the record are with the io.Writer. It is not safe for
// concurrent use.
type Writer struct {
	w       io.Writer
	o       WriterOptions
	offset  int64 // of the next record
	info    string
	deflate *flate.Writer
	out     bytes.Buffer // a record on its way out, flushed when it is large
	buf     []byte       // a piece of a block
	small   []byte       // a small record, packed
	packed  bytes.Buffer // what Pack gave last
	err     error        // of an earlier Write that left a torn record
}

const (
	pieceSize = 256 << 10 // bytes of a block that are in memory at a time
	flushSize = 512 << 10 // bytes that are gathered before they go out
	largeSize = 32 << 10  // pieces from this size on go out as they are; less than a stored block of deflate holds
)

// NewWriter gives a Writer that writes to w, which stands at o.Offset of its
// file. It gets whole records but for pieces of large blocks, as few calls of
// Write as that takes.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	if o.Level == 0 {
		o.Level = DefaultLevel
	}
	return &Writer{w: w, o: o, offset: o.Offset, info: o.WarcinfoID}
}

// Offset is where the next record will stand.
func (w *Writer) Offset() int64 { return w.offset }

// Write writes one record and says where it lies. It first completes r.Header:
// WARC-Record-ID where it is missing, WARC-Warcinfo-ID, both digests (the
// payload digest of response and resource records, and of requests with a
// body), Content-Length, and puts the fields in a fixed order.
//
// An error before the first byte went out (a field missing, a Block that cannot
// be read) leaves the file as it was. After an error of the io.Writer the file
// ends in a torn record; Write then refuses to go on, and the caller cuts the
// file to Offset or runs Repair.
func (w *Writer) Write(r *Record) (Position, error) {
	if w.err != nil {
		return Position{}, w.err
	}
	plan, err := w.prepare(r)
	if err != nil {
		return Position{}, fmt.Errorf("warc: write %s record of %s: %w", orNone(r.Header.Type()), orNone(clip(r.Header.TargetURI())), err)
	}
	pos := Position{Offset: w.offset}
	n, err := w.emit(r, plan)
	if err != nil {
		w.err = fmt.Errorf("warc: write record %s at offset %d: %w; the file is torn there: cut it to that length or repair it", r.ID(), pos.Offset, err)
		return Position{}, w.err
	}
	pos.Length = n
	w.offset += n
	if r.Header.Type() == TypeWarcinfo && w.o.WarcinfoID == "" {
		w.info = r.ID()
	}
	return pos, nil
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// A plan is what prepare found out about a record.
type plan struct {
	head   []byte // version line, fields, empty line
	size   int64  // of the block
	first  []byte // the first bytes of the block, in w.buf
	stored bool   // the block is not worth deflating
	text   int64  // bytes of the block that are deflated even so: its HTTP head
}

// prepare completes the header and decides how to pack. It reads the block
// once, if a digest is missing.
func (w *Writer) prepare(r *Record) (*plan, error) {
	if w.buf == nil {
		w.buf = make([]byte, pieceSize)
	}
	p := &plan{}
	if r.Block != nil {
		p.size = r.Block.Size()
	}
	p.first = w.buf[:min(p.size, int64(len(w.buf)))]
	if p.size > 0 {
		if err := readBlock(r.Block, p.first, 0); err != nil {
			return nil, fmt.Errorf("read the block: %w", err)
		}
	}
	var head *HTTPHead
	kind := r.Header.Type()
	if strings.HasPrefix(mediaType(r.Header.Get("Content-Type")), "application/http") && p.size > 0 {
		h, err := parseHead(p.first, int64(len(p.first)) == p.size)
		if errors.Is(err, errHeadGrows) && !r.Verbatim {
			h, err = HeadOf(r.Block)
		}
		if err == nil {
			head, p.text = h, min(h.Size, int64(len(p.first)))
		} else if !errors.Is(err, ErrNotHTTP) && !errors.Is(err, errHeadGrows) {
			return nil, err
		}
	}
	if r.Verbatim {
		if got := r.Header.Get("Content-Length"); got != strconv.FormatInt(p.size, 10) {
			return nil, fmt.Errorf("Content-Length is %q, the block has %d bytes", clip(got), p.size)
		}
	} else {
		if err := checkRequired(r.Header, p.size); err != nil {
			return nil, err
		}
		if err := w.complete(r, kind, head, p); err != nil {
			return nil, err
		}
	}
	p.stored = w.o.Compression == Stored || w.o.Compression == Auto && coded(r.Header, head, p.first)
	p.head = formatHead(r)
	return p, nil
}

// checkRequired looks for what only the caller can know.
func checkRequired(h Header, size int64) error {
	kind := h.Type()
	switch {
	case kind == "":
		return errors.New("WARC-Type is missing")
	case !ValidDate(h.Get("WARC-Date")):
		return fmt.Errorf("WARC-Date is %q: it must be of the form YYYY-MM-DDThh:mm:ssZ", clip(h.Get("WARC-Date")))
	case needsTarget(kind) && h.Get("WARC-Target-URI") == "":
		return errors.New("WARC-Target-URI is missing")
	case kind == TypeRevisit && h.Get("WARC-Profile") == "":
		return errors.New("WARC-Profile is missing")
	case size > 0 && kind != TypeContinuation && h.Get("Content-Type") == "":
		return errors.New("Content-Type is missing")
	}
	for _, f := range h {
		if !isToken(f.Name) {
			return fmt.Errorf("%q is not a field name", clip(f.Name))
		}
		if strings.ContainsAny(f.Value, "\r\n\x00") {
			return fmt.Errorf("%s has a line break or NUL in its value", f.Name)
		}
	}
	return nil
}

func needsTarget(kind string) bool {
	switch kind {
	case TypeResponse, TypeResource, TypeRequest, TypeRevisit, TypeConversion, TypeContinuation:
		return true
	}
	return false
}

// complete adds what the caller left out.
func (w *Writer) complete(r *Record, kind string, head *HTTPHead, p *plan) error {
	if r.Header.Get("WARC-Record-ID") == "" {
		r.Header.Set("WARC-Record-ID", bracket(NewID()))
	}
	if kind != TypeWarcinfo && w.info != "" && !r.Header.Has("WARC-Warcinfo-ID") {
		r.Header.Add("WARC-Warcinfo-ID", bracket(w.info))
	}
	block, payload := r.BlockDigest, r.PayloadDigest
	if block == "" {
		block = r.Header.Get("WARC-Block-Digest")
	}
	if payload == "" {
		payload = r.Header.Get("WARC-Payload-Digest")
	}
	if kind == TypeRevisit && payload == "" && strings.Contains(r.Header.Get("WARC-Profile"), "identical-payload-digest") {
		return errors.New("WARC-Payload-Digest is missing: a revisit of an identical payload is found by it")
	}
	wantPayload := payload == "" && hasPayload(kind, head, p.size)
	if block == "" || wantPayload {
		sums, err := digestBlock(r.Block, p, kind, head, block == "", wantPayload, w.buf)
		if err != nil {
			return err
		}
		if block == "" {
			block = sums.block
		}
		if wantPayload {
			payload = sums.payload
		}
	}
	r.Header.Set("WARC-Block-Digest", block)
	if payload != "" {
		r.Header.Set("WARC-Payload-Digest", payload)
	}
	r.BlockDigest, r.PayloadDigest = block, payload
	r.Header.Set("Content-Length", strconv.FormatInt(p.size, 10))
	r.Header = r.Header.ordered()
	return nil
}

// hasPayload reports whether Writer gives such a record a payload digest.
func hasPayload(kind string, head *HTTPHead, size int64) bool {
	switch kind {
	case TypeResponse:
		return head != nil && !head.Cut
	case TypeRequest:
		return head != nil && !head.Cut && size > head.Size
	case TypeResource, TypeConversion:
		return true
	}
	return false
}

// formatHead writes the version line and the fields.
func formatHead(r *Record) []byte {
	var b bytes.Buffer
	b.Grow(1024)
	if r.Version != "" {
		b.WriteString(r.Version)
	} else {
		b.WriteString("WARC/1.1")
	}
	b.WriteString("\r\n")
	for _, f := range r.Header {
		b.WriteString(f.Name)
		b.WriteString(": ")
		b.WriteString(f.Value)
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// blocks gives the pieces of r's block one after the other; the first is
// already in memory.
func (w *Writer) blocks(r *Record, p *plan, yield func([]byte) error) error {
	if len(p.first) > 0 {
		if err := yield(p.first); err != nil {
			return err
		}
	}
	for off := int64(len(p.first)); off < p.size; {
		piece := w.buf[:min(p.size-off, int64(len(w.buf)))]
		if err := readBlock(r.Block, piece, off); err != nil {
			return fmt.Errorf("read the block at %d: %w", off, err)
		}
		if err := yield(piece); err != nil {
			return err
		}
		off += int64(len(piece))
	}
	return nil
}

var recordEnd = []byte("\r\n\r\n")

// emit writes the record and gives the number of bytes that it takes.
func (w *Writer) emit(r *Record, p *plan) (int64, error) {
	w.out.Reset()
	c := &counter{w: w.w, out: &w.out}
	if w.o.Compression == Plain {
		c.Write(p.head)
		if err := w.blocks(r, p, func(b []byte) error { c.Write(b); return c.err }); err != nil {
			return 0, err
		}
		c.Write(recordEnd)
		return c.finish()
	}
	c.Write(memberHead)
	m := &member{c: c}
	var err error
	if p.stored {
		err = w.emitStored(m, r, p)
	} else {
		err = w.emitDeflated(m, r, p)
	}
	if err != nil {
		return 0, err
	}
	m.trailer()
	return c.finish()
}

// storeHeadFrom is the size of a block, in bytes, from which on the heads of a
// stored record are stored too. Deflate would make the record smaller by 1.2 %
// at that size, and less above, and writing it slower by a quarter.
const storeHeadFrom = 16 << 10

// emitStored stores the body, and the heads or their deflate.
func (w *Writer) emitStored(m *member, r *Record, p *plan) error {
	text := append(p.head, p.first[:p.text]...)
	if w.o.Compression == Stored || p.size >= storeHeadFrom {
		m.sum(text)
		m.store(text, false)
	} else if err := w.packHead(m, text); err != nil {
		return err
	}
	skip := int(p.text)
	err := w.blocks(r, p, func(b []byte) error {
		b, skip = b[skip:], 0
		m.sum(b)
		m.store(b, false)
		return m.c.err
	})
	m.sum(recordEnd)
	m.store(recordEnd, true)
	return err
}

// emitDeflated packs everything by deflate.
func (w *Writer) emitDeflated(m *member, r *Record, p *plan) error {
	if n := int64(len(p.head)) + p.size + int64(len(recordEnd)); n <= smallRecord && isSmall(p.head) && isSmall(p.first) {
		text := append(append(p.head, p.first...), recordEnd...)
		m.sum(text)
		w.small = appendSmall(w.small[:0], text, true)
		m.c.Write(w.small)
		return nil
	}
	if r.Packed != nil {
		return w.emitPacked(m, r, p)
	}
	if err := w.deflateTo(m.c); err != nil {
		return err
	}
	put := func(b []byte) error {
		m.sum(b)
		if _, err := w.deflate.Write(b); err != nil {
			return err
		}
		return m.c.err
	}
	if err := put(p.head); err != nil {
		return err
	}
	if err := w.blocks(r, p, put); err != nil {
		return err
	}
	if err := put(recordEnd); err != nil {
		return err
	}
	return w.deflate.Close()
}

// deflateTo makes w.deflate write to out.
func (w *Writer) deflateTo(out io.Writer) (err error) {
	if w.deflate == nil {
		w.deflate, err = flate.NewWriter(out, w.o.Level)
	} else {
		w.deflate.Reset(out)
	}
	return err
}

// Pack gives b as blocks of deflate that end at a byte boundary, none of which is
// the last of a stream, and that refer to nothing before b: they can stand in any
// stream of deflate at a byte boundary, and stand for b there. It is valid until
// the next call.
func (w *Writer) Pack(b []byte) ([]byte, error) {
	w.packed.Reset()
	if err := w.deflateTo(&w.packed); err != nil {
		return nil, err
	}
	if _, err := w.deflate.Write(b); err != nil {
		return nil, err
	}
	if err := w.deflate.Flush(); err != nil {
		return nil, err
	}
	return w.packed.Bytes(), nil
}

// emitPacked writes a record whose block is deflated already.
func (w *Writer) emitPacked(m *member, r *Record, p *plan) error {
	if err := w.packHead(m, p.head); err != nil {
		return err
	}
	err := w.blocks(r, p, func(b []byte) error { m.sum(b); return nil })
	m.c.Write(r.Packed)
	m.sum(recordEnd)
	m.store(recordEnd, true)
	return err
}

// packHead deflates text, which something else follows at a byte boundary.
func (w *Writer) packHead(m *member, text []byte) error {
	m.sum(text)
	if !isSmall(text) {
		return flate.StatelessDeflate(m.c, text, false, nil)
	}
	w.small = appendSmall(w.small[:0], text, false)
	m.c.Write(w.small)
	return nil
}

// memberHead is the same for every member, so that equal records give equal
// bytes: deflate, no name, no time, unknown system.
var memberHead = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// A member is a gzip member being written.
type member struct {
	c    *counter
	crc  uint32
	size uint32
}

// sum takes uncompressed bytes into the trailer.
func (m *member) sum(b []byte) {
	m.crc = crc32.Update(m.crc, crc32.IEEETable, b)
	m.size += uint32(len(b))
}

// store writes b as stored deflate blocks (RFC 1951, section 3.2.4), which must
// begin at a byte boundary.
func (m *member) store(b []byte, final bool) {
	for {
		n := min(len(b), 0xffff)
		head := [5]byte{0, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)}
		if final && n == len(b) {
			head[0] = 1
		}
		if n > 0 || final {
			m.c.Write(head[:])
			m.c.Write(b[:n])
		}
		if b = b[n:]; len(b) == 0 {
			return
		}
	}
}

// trailer ends the member.
func (m *member) trailer() {
	m.c.Write([]byte{
		byte(m.crc), byte(m.crc >> 8), byte(m.crc >> 16), byte(m.crc >> 24),
		byte(m.size), byte(m.size >> 8), byte(m.size >> 16), byte(m.size >> 24),
	})
}

// A counter gathers bytes, writes them out in large pieces and counts them. It
// keeps the first error.
type counter struct {
	w   io.Writer
	out *bytes.Buffer
	n   int64
	err error
}

func (c *counter) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	c.n += int64(len(b))
	if len(b) >= largeSize {
		// Large pieces go out as they are.
		if c.flush(); c.err == nil {
			c.write(b)
		}
		return len(b), c.err
	}
	c.out.Write(b)
	if c.out.Len() >= flushSize {
		c.flush()
	}
	return len(b), c.err
}

func (c *counter) flush() {
	if c.err == nil && c.out.Len() > 0 {
		c.write(c.out.Bytes())
		c.out.Reset()
	}
}

func (c *counter) write(b []byte) {
	n, err := c.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	c.err = err
}

func (c *counter) finish() (int64, error) {
	c.flush()
	return c.n, c.err
}
