package warc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// input is the file as it lies there, with a known offset. It can go back only
// when it is over an io.ReaderAt.
type input struct {
	br   *bufio.Reader
	tail tally
	ra   io.ReaderAt
	size int64
	gone int64 // bytes gone back in all
}

// tally counts what is read through it.
type tally struct {
	r io.Reader
	n int64
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.n += int64(n)
	return n, err
}

func newInput(r io.Reader) *input {
	in := &input{}
	in.tail.r = r
	in.br = bufio.NewReaderSize(&in.tail, 64<<10)
	return in
}

func newInputAt(ra io.ReaderAt, size, offset int64) *input {
	in := &input{ra: ra, size: size}
	in.br = bufio.NewReaderSize(nil, 64<<10)
	in.seek(offset)
	return in
}

// offset is that of the next byte.
func (in *input) offset() int64 { return in.tail.n - int64(in.br.Buffered()) }

// seek goes to an offset. It needs an io.ReaderAt.
func (in *input) seek(offset int64) {
	in.tail = tally{r: io.NewSectionReader(in.ra, offset, max(0, in.size-offset)), n: offset}
	in.br.Reset(&in.tail)
}

// back goes back to an offset where that can be done, or on to it. A file made so that every
// record sends the reader back again is read on from where it is after a while:
// the time for a file is bounded by a multiple of its size.
func (in *input) back(offset int64) {
	if d := offset - in.offset(); d > 0 {
		in.br.Discard(int(d))
		return
	}
	distance := in.offset() - offset
	if in.ra == nil || distance <= 0 || in.gone+distance > 16*in.size+1<<20 {
		return
	}
	in.gone += distance
	in.seek(offset)
}

// A source gives the members of a file one after the other: gzip members,
// Zstandard frames, or a plain file as one.
type source interface {
	// next goes to the next member and gives its offset. At the end of the
	// file it gives io.EOF. What is no member is *Damage.
	next() (int64, error)
	// Read reads the member unpacked, to io.EOF. What cannot be unpacked is
	// *Damage.
	io.Reader
	// offset is, after io.EOF, the end of the member in the file.
	offset() int64
	// resync goes to the next place after a member that could not be unpacked
	// where a member may begin, or gives io.EOF.
	resync() error
}

// Format is what a file is packed by.
type Format string

// The formats.
const (
	FormatPlain Format = "plain"
	FormatGzip  Format = "gzip"
	FormatZstd  Format = "zstd"
)

// openSource tells the format from the first bytes.
func openSource(in *input) (source, Format, error) {
	first, err := in.br.Peek(4)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return nil, "", fmt.Errorf("warc: read the first bytes: %w", err)
	}
	switch {
	case len(first) >= 2 && first[0] == 0x1f && first[1] == 0x8b:
		return &gzipSource{in: in}, FormatGzip, nil
	case len(first) == 4 && (isFrame(first) || isSkippable(first)):
		s := &zstdSource{in: in}
		if in.ra != nil && in.offset() > 0 {
			// The dictionary is at the start of the file.
			at := in.offset()
			in.seek(0)
			if err := s.skip(); err != nil && err != io.EOF {
				return nil, "", err
			}
			in.seek(at)
		}
		return s, FormatZstd, nil
	}
	if beginsInGzip(in) {
		return &gzipSource{in: in}, FormatGzip, nil
	}
	return &plainSource{in: in}, FormatPlain, nil
}

// beginsInGzip reports whether a file that begins with neither a record nor a
// member goes on with gzip members: its start is lost or overwritten.
func beginsInGzip(in *input) bool {
	b, _ := in.br.Peek(in.br.Size())
	line, _, _ := bytes.Cut(bytes.TrimLeft(b, "\r\n"), []byte("\n"))
	if isVersion(line) {
		return false
	}
	if _, ok := parseARC(string(bytes.TrimRight(line[:min(len(line), 8<<10)], "\r"))); ok {
		return false
	}
	for tried := 0; tried < 64; tried++ {
		i := bytes.Index(b, memberHead[:3])
		if i < 0 {
			return false
		}
		if startsRecord(bytes.NewReader(b), int64(len(b)), int64(i)) {
			return true
		}
		b = b[i+1:]
	}
	return false
}

// plainSource is a file that is not packed.
type plainSource struct {
	in   *input
	done bool
}

func (s *plainSource) next() (int64, error) {
	if s.done {
		return 0, io.EOF
	}
	s.done = true
	return s.in.offset(), nil
}

func (s *plainSource) Read(p []byte) (int, error) { return s.in.br.Read(p) }
func (s *plainSource) offset() int64              { return s.in.offset() }
func (s *plainSource) resync() error              { return io.EOF }

// gzipSource unpacks gzip members.
type gzipSource struct {
	in    *input
	z     *gzip.Reader
	start int64
	err   error
}

func (s *gzipSource) next() (int64, error) {
	s.start = s.in.offset()
	first, err := s.in.br.Peek(2)
	if len(first) == 0 {
		if err == nil {
			err = io.ErrNoProgress
		}
		return s.start, err
	}
	if len(first) == 2 && (first[0] != 0x1f || first[1] != 0x8b) {
		b, _ := s.in.br.Peek(16)
		return s.start, &Damage{Code: CodeJunk, Offset: s.start, Detail: fmt.Sprintf("%q stands where a gzip member should begin", b)}
	}
	if s.z == nil {
		s.z, s.err = gzip.NewReader(s.in.br)
	} else {
		s.err = s.z.Reset(s.in.br)
	}
	if s.err != nil {
		if s.z != nil && s.err == io.EOF {
			s.err = io.ErrUnexpectedEOF
		}
		return s.start, s.wrap(s.err)
	}
	s.z.Multistream(false)
	return s.start, nil
}

func (s *gzipSource) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.z.Read(p)
	if err != nil && err != io.EOF {
		err = s.wrap(err)
	}
	s.err = err
	return n, err
}

// wrap tells damage from a file that cannot be read.
func (s *gzipSource) wrap(err error) error {
	var corrupt interface{ Error() string }
	switch {
	case err == io.ErrUnexpectedEOF || err == io.EOF:
		return &Damage{Code: CodeCut, Offset: s.start, Detail: "the file ends within the gzip member that begins here"}
	case errors.Is(err, gzip.ErrChecksum):
		return &Damage{Code: CodeGzipSum, Offset: s.start, Detail: "the checksum of the gzip member does not fit its content"}
	case errors.Is(err, gzip.ErrHeader):
		return &Damage{Code: CodeGzip, Offset: s.start, Detail: "the header of the gzip member is broken"}
	case isFlateError(err) && errors.As(err, &corrupt):
		return &Damage{Code: CodeGzip, Offset: s.start, Detail: "the gzip member cannot be unpacked: " + corrupt.Error()}
	}
	return fmt.Errorf("warc: read the gzip member at %d: %w", s.start, err)
}

func (s *gzipSource) offset() int64 { return s.in.offset() }

// resync looks for the next gzip header. Over an io.ReaderAt it begins right
// after the start of the broken member, as its unpacking may have run into the
// next one, and takes only a member that unpacks to the start of a record.
func (s *gzipSource) resync() error {
	s.err = io.EOF
	s.in.back(s.start + 1)
	for {
		b, err := s.in.br.Peek(4)
		if len(b) < 4 {
			s.in.br.Discard(len(b))
			if err == nil || err == io.EOF {
				return io.EOF
			}
			return err
		}
		if b[0] == 0x1f && b[1] == 0x8b && b[2] == 8 && b[3]&0xe0 == 0 {
			at := s.in.offset()
			if s.in.ra == nil || startsRecord(s.in.ra, s.in.size, at) {
				s.start = at
				return nil
			}
		}
		// Go to the next candidate within what is buffered.
		b, _ = s.in.br.Peek(s.in.br.Buffered())
		i := bytes.IndexByte(b[1:], 0x1f)
		if i < 0 {
			s.in.br.Discard(len(b))
		} else {
			s.in.br.Discard(i + 1)
		}
	}
}

// startsRecord reports whether a gzip member at that offset unpacks to the
// start of a record.
func startsRecord(ra io.ReaderAt, size, offset int64) bool {
	z, err := gzip.NewReader(bufio.NewReader(io.NewSectionReader(ra, offset, size-offset)))
	if err != nil {
		return false
	}
	var b [256]byte
	n, _ := io.ReadFull(z, b[:])
	line, _, _ := bytes.Cut(bytes.TrimLeft(b[:n], "\r\n"), []byte("\n"))
	if isVersion(line) {
		return true
	}
	_, ok := parseARC(string(bytes.TrimRight(line, "\r")))
	return ok
}
