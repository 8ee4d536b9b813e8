package warc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxHeader is the most bytes that the header of a record may have.
const MaxHeader = 1 << 20

// A Reader reads the records of a file one after the other. It is not safe for
// concurrent use.
type Reader struct {
	in     *input
	src    source
	format Format
	br     *bufio.Reader // of the member, unpacked
	tally  tally         // behind br
	inside bool          // a member is open
	start  int64         // of the member in the file
	number int           // records begun in the member
	arc    bool          // the last record was of ARC
	cur    *ReadRecord
	lost   bool  // the next record must be looked for
	rescan int64 // plain files: where to look from; -1: from here
	err    error // of the io.Reader, or io.EOF
	line   []byte
	blanks int // line ends passed over before a record
	odd    []Oddity
}

// NewReader reads a WARC or ARC file, packed or not, from r, which stands at
// its start. The error is that of r.
func NewReader(r io.Reader) (*Reader, error) { return newReader(newInput(r)) }

// NewReaderAt is NewReader for a file of size bytes that can be read at random,
// beginning at offset, where a record or member must begin. Unlike NewReader it
// can go back after damage, and so finds records that a broken one before them
// would swallow.
func NewReaderAt(r io.ReaderAt, size, offset int64) (*Reader, error) {
	if offset < 0 || offset > size {
		return nil, fmt.Errorf("warc: offset %d is not within the file of %d bytes", offset, size)
	}
	return newReader(newInputAt(r, size, offset))
}

// ReadAt gives the record that begins at offset of a file of size bytes.
func ReadAt(r io.ReaderAt, size, offset int64) (*ReadRecord, error) {
	if offset == size {
		return nil, fmt.Errorf("warc: offset %d is the end of the file", offset)
	}
	rd, err := NewReaderAt(r, size, offset)
	if err != nil {
		return nil, err
	}
	rec, err := rd.Next()
	if err == io.EOF {
		return nil, &Damage{Code: CodeNotRecord, Offset: offset, Detail: "no record follows"}
	}
	return rec, err
}

func newReader(in *input) (*Reader, error) {
	src, format, err := openSource(in)
	if err != nil {
		return nil, err
	}
	r := &Reader{in: in, src: src, format: format, rescan: -1}
	r.tally.r = src
	if plain, ok := src.(*plainSource); ok {
		r.br = plain.in.br
	} else {
		r.br = bufio.NewReaderSize(&r.tally, 32<<10)
	}
	return r, nil
}

// Format is what the file is packed by.
func (r *Reader) Format() Format { return r.format }

// Next gives the next record, or io.EOF. What is left of the one before is
// passed over. After a *Damage, which may be about the record before, Next goes
// on with the next record that can be found; any other error stays.
func (r *Reader) Next() (*ReadRecord, error) {
	if r.cur != nil {
		cur := r.cur
		r.cur = nil
		if !cur.finished {
			if _, err := cur.Finish(); err != nil {
				return nil, err
			}
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	rec, err := r.next()
	if err != nil {
		var d *Damage
		if !errors.As(err, &d) {
			r.err = err
		}
		return nil, err
	}
	r.cur = rec
	return rec, nil
}

func (r *Reader) next() (*ReadRecord, error) {
	if r.lost {
		if err := r.find(); err != nil {
			return nil, err
		}
		r.lost = false
	}
	for {
		if !r.inside {
			if err := r.open(); err != nil {
				return nil, err
			}
		}
		err := r.skipBlanks()
		if err == nil {
			return r.begin()
		}
		if err != io.EOF {
			return nil, r.lose(err)
		}
		if r.number == 0 && r.format != FormatPlain {
			r.odd = append(r.odd, Oddity{Code: CodeEmptyMember, Offset: r.start, Detail: "the member holds no record"})
		}
		r.inside = false
	}
}

// open goes to the next member.
func (r *Reader) open() error {
	start, err := r.src.next()
	if err != nil {
		return r.lose(err)
	}
	r.start, r.inside, r.number = start, true, 0
	r.tally.n = 0
	if r.format != FormatPlain {
		r.br.Reset(&r.tally)
	}
	return nil
}

// lose notes that the next record must be looked for.
func (r *Reader) lose(err error) error {
	var d *Damage
	if errors.As(err, &d) {
		r.lost, r.rescan = true, -1
		if d.Code == CodeGzipSum {
			r.inside = false
			r.lost = !r.goesOn()
		}
	}
	return err
}

// goesOn reports whether, after a checksum that does not fit, the next member
// begins where this one seemed to end.
func (r *Reader) goesOn() bool {
	at := r.src.offset()
	if r.in.ra == nil || at >= r.in.size || r.format != FormatGzip {
		return true
	}
	return startsRecord(r.in.ra, r.in.size, at)
}

// find goes to where the next record may begin.
func (r *Reader) find() error {
	if r.inside {
		// The rest of a member that unpacks well, or of a plain file.
		if r.format == FormatPlain && r.rescan >= 0 {
			r.in.back(r.rescan)
		}
		err := r.findLine()
		if err == nil {
			return nil
		}
		r.inside = false
		var d *Damage
		if err == io.EOF && r.format != FormatPlain {
			return nil
		}
		if !errors.As(err, &d) {
			return err
		}
		if d.Code == CodeGzipSum && r.in.ra == nil {
			return nil
		}
	}
	return r.src.resync()
}

// findLine passes over lines until one begins a record.
func (r *Reader) findLine() error {
	for {
		b, err := r.br.Peek(5)
		if len(b) == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return err
		}
		if string(b) == "WARC/" {
			line, _ := r.br.Peek(64)
			line, _, _ = bytes.Cut(line, []byte("\n"))
			if isVersion(line) {
				return nil
			}
		} else if r.arc {
			line, _ := r.br.Peek(8 << 10)
			if line, _, found := bytes.Cut(line, []byte("\n")); found {
				if a, ok := parseARC(string(bytes.TrimRight(line, "\r"))); ok && a.length >= 0 {
					return nil
				}
			}
		}
		for {
			_, err := r.br.ReadSlice('\n')
			if err == nil {
				break
			}
			if err != bufio.ErrBufferFull {
				return err
			}
		}
	}
}

// skipBlanks passes over line ends before a record.
func (r *Reader) skipBlanks() error {
	r.blanks = 0
	for {
		b, err := r.br.Peek(1)
		if len(b) == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return err
		}
		if b[0] != '\r' && b[0] != '\n' {
			return nil
		}
		if b[0] == '\n' {
			r.blanks++
		}
		r.br.Discard(1)
	}
}

// position is that of the next byte within the member, unpacked.
func (r *Reader) position() int64 {
	if r.format == FormatPlain {
		return r.in.offset()
	}
	return r.tally.n - int64(r.br.Buffered())
}

// isVersion reports whether a line is WARC/ and a version.
func isVersion(line []byte) bool {
	v, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r \t"), []byte("WARC/"))
	if !ok || len(v) == 0 || len(v) > 8 {
		return false
	}
	for _, c := range v {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return true
}

// begin reads the header of the record that begins here.
func (r *Reader) begin() (*ReadRecord, error) {
	rec := &ReadRecord{r: r, Offset: r.start, Inner: r.position(), odd: r.odd}
	r.odd = nil
	if r.format == FormatPlain {
		rec.Offset, rec.Inner = rec.Inner, 0
	}
	if r.blanks > 0 {
		rec.oddity(CodeBlankLines, "%d line ends too many stand before the record", r.blanks)
	}
	if err := r.readLine(MaxHeader); err != nil {
		return nil, r.lose(rec.headerError(err))
	}
	first := r.line
	if !isVersion(first) {
		a, ok := parseARC(string(bytes.TrimRight(first, "\r")))
		if !ok {
			return nil, r.lose(rec.damage(CodeNotRecord, "no record begins here, but %q", clip(string(first))))
		}
		r.number++
		r.arc = true
		if a.length < 0 {
			return nil, r.lose(rec.damage(CodeHeader, "the ARC record says no length: %q", clip(string(first))))
		}
		rec.Version, rec.Header, rec.size, rec.left = "ARC/1", a.header(rec.Offset+rec.Inner), a.length, a.length
		return rec, nil
	}
	r.number++
	r.arc = false
	rec.Version = string(bytes.TrimRight(first, "\r \t"))
	if !bytes.HasSuffix(first, []byte("\r")) {
		rec.oddity(CodeLineEnd, "the version line ends without CR")
	}
	if rec.Version != "WARC/1.0" && rec.Version != "WARC/1.1" {
		rec.oddity(CodeVersion, "the version is %s", rec.Version)
	}
	if err := r.readFields(rec); err != nil {
		return nil, r.lose(rec.headerError(err))
	}
	length := strings.TrimSpace(rec.Header.Get("Content-Length"))
	n, err := strconv.ParseUint(length, 10, 63)
	if err != nil {
		d := rec.damage(CodeHeader, "Content-Length is %q: where the block ends is not known", clip(length))
		err := r.lose(d)
		r.rescan = r.position()
		return nil, err
	}
	rec.size, rec.left = int64(n), int64(n)
	return rec, nil
}

// headerError says that the header could not be read.
func (rec *ReadRecord) headerError(err error) error {
	var d *Damage
	switch {
	case err == io.EOF:
		return rec.damage(CodeCut, "the record ends within its header")
	case errors.As(err, &d):
		if d.RecordID == "" {
			d.RecordID = rec.ID()
		}
	}
	return err
}

// readLine reads a line into r.line, without its LF.
func (r *Reader) readLine(most int) error {
	r.line = r.line[:0]
	for {
		b, err := r.br.ReadSlice('\n')
		if len(r.line)+len(b) > most {
			return &Damage{Code: CodeHeader, Offset: r.start, Detail: fmt.Sprintf("the header is longer than %d bytes", MaxHeader)}
		}
		r.line = append(r.line, b...)
		if err == nil {
			r.line = r.line[:len(r.line)-1]
			return nil
		}
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}

// readFields reads the fields up to the empty line.
func (r *Reader) readFields(rec *ReadRecord) error {
	var buf []byte // all names and values, one after the other
	type span struct{ name, value, end int }
	spans := make([]span, 0, 16)
	bare, read := 0, 0
	for {
		if err := r.readLine(MaxHeader - read); err != nil {
			rec.Header = nil
			for _, s := range spans {
				rec.Header.Add(string(buf[s.name:s.value]), string(buf[s.value:s.end]))
			}
			return err
		}
		line := r.line
		read += len(line) + 1
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		} else {
			bare++
		}
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			rec.oddity(CodeFolded, "a field runs over several lines")
			if n := len(spans); n > 0 {
				if len(buf) > spans[n-1].value {
					buf = append(buf, ' ')
				}
				buf = append(buf, bytes.TrimSpace(line)...)
				spans[n-1].end = len(buf)
			}
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			rec.oddity(CodeNoColon, "a header line has no colon: %q", clip(string(line)))
			continue
		}
		s := span{name: len(buf)}
		buf = append(buf, bytes.TrimSpace(name)...)
		s.value = len(buf)
		buf = append(buf, bytes.TrimSpace(value)...)
		s.end = len(buf)
		spans = append(spans, s)
	}
	if bare > 0 {
		rec.oddity(CodeLineEnd, "%d header lines end without CR", bare)
	}
	text := string(buf)
	if !utf8.ValidString(text) {
		rec.oddity(CodeUTF8, "the header has bytes that are not UTF-8")
	}
	rec.Header = make(Header, len(spans))
	for i, s := range spans {
		rec.Header[i] = Field{text[s.name:s.value], text[s.value:s.end]}
	}
	if lengths := rec.Header.Values("Content-Length"); len(lengths) > 1 {
		rec.oddity(CodeDuplicateLen, "there are %d Content-Length fields", len(lengths))
	}
	return nil
}
