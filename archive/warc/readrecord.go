package warc

import (
	"errors"
	"fmt"
	"io"
)

// A ReadRecord is a record being read. It is an io.Reader of its block, to
// io.EOF, and is valid until the next call of Reader.Next.
type ReadRecord struct {
	Version string // "WARC/1.1"; "ARC/1" for records of an ARC, whose Header is made up from its line
	Header  Header
	Offset  int64 // of the record in the file: of its gzip member, or of itself in a plain file
	Inner   int64 // of the record within its unpacked member: 0 but for members that several records share

	r        *Reader
	odd      []Oddity
	size     int64
	left     int64
	spans    bool
	shared   bool
	finished bool
	pos      Position
	err      error
	unread   []byte // read by HTTPHead, given by Read first
}

// Size is the number of bytes of the block, as Content-Length says.
func (rec *ReadRecord) Size() int64 { return rec.size }

// ID is the record's id without angle brackets.
func (rec *ReadRecord) ID() string { return rec.Header.RecordID() }

// Oddities is what was found odd so far: all of it after Finish.
func (rec *ReadRecord) Oddities() []Oddity { return rec.odd }

// Shared reports, after Finish, whether the record shares its gzip member with
// others, so that it cannot be read by an offset of its own.
func (rec *ReadRecord) Shared() bool { return rec.shared }

func (rec *ReadRecord) oddity(code Code, format string, args ...any) {
	if len(rec.odd) < 100 {
		rec.odd = append(rec.odd, Oddity{Code: code, Offset: rec.Offset, Detail: fmt.Sprintf(format, args...)})
	}
}

func (rec *ReadRecord) damage(code Code, format string, args ...any) *Damage {
	return &Damage{Code: code, Offset: rec.Offset, RecordID: rec.ID(), Detail: fmt.Sprintf(format, args...)}
}

// Read reads the block.
func (rec *ReadRecord) Read(p []byte) (int, error) {
	if len(rec.unread) > 0 {
		n := copy(p, rec.unread)
		rec.unread = rec.unread[n:]
		return n, nil
	}
	if rec.err != nil {
		return 0, rec.err
	}
	if rec.left == 0 || rec.finished {
		return 0, io.EOF
	}
	for {
		n, err := rec.r.br.Read(p[:min(int64(len(p)), rec.left)])
		rec.left -= int64(n)
		if n > 0 {
			return n, nil
		}
		if len(p) == 0 {
			return 0, nil
		}
		if err != nil {
			if err = rec.more(err); err != nil {
				rec.err, rec.finished = err, true
				return 0, err
			}
		}
	}
}

// more is called where the member ends before the block. A block that goes on
// in the next member is odd in gzip and ordinary in Zstandard.
func (rec *ReadRecord) more(err error) error {
	r := rec.r
	if err == io.EOF && r.format != FormatPlain && !r.arc {
		at := r.src.offset()
		if err := r.open(); err == nil {
			b, _ := r.br.Peek(5)
			if string(b) != "WARC/" {
				r.number = 1
				if !rec.spans && r.format == FormatGzip {
					rec.oddity(CodeSpans, "the record goes on in the gzip member at %d: it cannot be read by its offset alone", at)
				}
				rec.spans = true
				return nil
			}
			// The next record: this one is short. What was opened stays open.
			return rec.short()
		}
	}
	if err == io.EOF {
		return rec.short()
	}
	var d *Damage
	if errors.As(err, &d) {
		e := *d
		e.RecordID = rec.ID()
		if d.Offset != rec.Offset {
			e.Detail += fmt.Sprintf(" (offset %d)", d.Offset)
		}
		e.Offset = rec.Offset
		return r.lose(&e)
	}
	r.err = err
	return err
}

// short says that the block has fewer bytes than it should.
func (rec *ReadRecord) short() *Damage {
	r := rec.r
	if r.format == FormatPlain || rec.left == rec.size && rec.size > 0 {
		d := rec.damage(CodeCut, "%d of %d bytes of the block are missing", rec.left, rec.size)
		if r.format == FormatPlain {
			// The length may be wrong rather than the file cut.
			r.lost, r.rescan = true, rec.blockStart()
		}
		return d
	}
	return rec.damage(CodeLength, "Content-Length is %d, but %d bytes are there", rec.size, rec.size-rec.left)
}

// blockStart is where in a plain file the block may begin, from which a record
// that it swallowed is looked for.
func (rec *ReadRecord) blockStart() int64 { return rec.Offset + int64(len(rec.Version)) }

// Finish reads what is left of the record and says where it lies in the file:
// its gzip member, or itself in a plain file, its closing line ends included.
// The Length of a record that shares its member is 0: it has no place of its
// own.
func (rec *ReadRecord) Finish() (Position, error) {
	if rec.finished {
		return rec.pos, rec.err
	}
	for rec.left > 0 && rec.err == nil {
		n, err := rec.r.br.Discard(int(min(rec.left, 1<<20)))
		rec.left -= int64(n)
		if err != nil && rec.left > 0 {
			rec.err = rec.more(err)
		}
	}
	rec.finished = true
	if rec.err != nil {
		return Position{}, rec.err
	}
	rec.pos, rec.err = rec.end()
	return rec.pos, rec.err
}

// end reads the line ends after the block and looks whether the member ends.
func (rec *ReadRecord) end() (Position, error) {
	r := rec.r
	want := 4
	if rec.Version == "ARC/1" {
		want = 1
	}
	b, err := r.br.Peek(want)
	n := 0
	for n < len(b) && n < want && (b[n] == '\r' || b[n] == '\n') {
		n++
	}
	exact := want == 4 && string(b) == "\r\n\r\n" || want == 1 && string(b) == "\n"
	r.br.Discard(n)
	end := r.position()
	if !exact && want == 4 {
		next, _ := r.br.Peek(5)
		switch {
		case len(next) == 0 && r.format == FormatPlain:
			rec.oddity(CodeCut, "the file ends within the line ends after the block")
		case len(next) == 0, string(next) == "WARC/":
			rec.oddity(CodeRecordEnd, "%q stands after the block, not two line ends", b[:n])
		default:
			at := rec.blockStart()
			d := rec.damage(CodeLength, "Content-Length is %d, but the block does not end there: %q follows", rec.size, clip(string(b)))
			err := r.lose(d)
			r.lost, r.rescan = true, at
			return Position{}, err
		}
	}
	if r.format == FormatPlain {
		return Position{Offset: rec.Offset, Length: end - rec.Offset}, nil
	}
	if err == nil || err == io.EOF {
		// Line ends beyond those that belong here are no other record.
		extra := 0
		for {
			if b, err = r.br.Peek(1); len(b) == 0 || b[0] != '\r' && b[0] != '\n' {
				break
			}
			r.br.Discard(1)
			extra++
		}
		if extra > 0 {
			rec.oddity(CodeBlankLines, "%d bytes of line ends too many stand after the record", extra)
		}
	}
	if len(b) > 0 || r.number > 1 {
		rec.shared = true
		rec.oddity(CodeShared, "the record shares the gzip member with others: it cannot be read by an offset of its own")
		if len(b) > 0 {
			return Position{Offset: rec.Offset}, nil
		}
	}
	if err != io.EOF {
		var d *Damage
		if errors.As(err, &d) {
			e := *d
			e.RecordID = rec.ID()
			return Position{}, r.lose(&e)
		}
		r.err = err
		return Position{}, err
	}
	r.inside = false
	pos := Position{Offset: rec.Offset, Length: r.src.offset() - rec.Offset}
	if rec.shared {
		pos.Length = 0
	}
	return pos, nil
}

// HTTPHead reads the HTTP head that the block begins with and leaves the block
// unread: Read still begins at its start. It must be called before Read. The
// error is ErrNotHTTP, *Damage, or that of the file.
func (rec *ReadRecord) HTTPHead() (*HTTPHead, error) {
	if rec.err != nil {
		return nil, rec.err
	}
	for _, size := range []int{4 << 10, rec.r.br.Size()} {
		size = int(min(int64(size), rec.left))
		b, _ := rec.r.br.Peek(size)
		if len(b) < size {
			break // the member ends: the block may go on in the next
		}
		head, err := parseHead(b, int64(size) == rec.size)
		if !errors.Is(err, errHeadGrows) {
			return head, err
		}
	}
	// A head that is longer than the buffer, or lies in several members.
	start := make([]byte, 0, 64<<10)
	for {
		n, err := io.ReadFull(rec, start[len(start):cap(start)])
		start = start[:len(start)+n]
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return nil, err
		}
		head, parseErr := parseHead(start, err != nil)
		if errors.Is(parseErr, errHeadGrows) && len(start) < MaxHTTPHead {
			start = append(make([]byte, 0, 4*cap(start)), start...)
			continue
		}
		rec.unread = start
		if errors.Is(parseErr, errHeadGrows) {
			return nil, fmt.Errorf("%w: its head is longer than %d bytes", ErrNotHTTP, MaxHTTPHead)
		}
		return head, parseErr
	}
}
