package warc

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// zstdSource unpacks Zstandard frames. Frames that do not begin with a record go
// on with the record of the frame before, and count as one member with it.
type zstdSource struct {
	in    *input
	z     *zstd.Decoder
	dict  []byte
	frame frame
	start int64 // of the member
	err   error // of the member
	ended bool  // the member was read to its end

	// The frame after the end of the member was looked into, to see whether it
	// belongs to it.
	end       int64  // of the member
	nextStart int64  // of that frame
	nextErr   error  // it could not be opened
	head      []byte // its first bytes, not given yet
	headErr   error  // that came after them
}

const (
	zstdMagic     = 0xFD2FB528
	zstdDict      = 0xEC30A437
	skippableMask = 0xFFFFFFF0
	skippableBase = 0x184D2A50
	dictFrame     = 0x184D2A5D
	maxDict       = 32 << 20
	maxWindow     = 128 << 20
)

func isFrame(b []byte) bool { return binary.LittleEndian.Uint32(b) == zstdMagic }
func isSkippable(b []byte) bool {
	return binary.LittleEndian.Uint32(b)&skippableMask == skippableBase
}

// skip passes over skippable frames and keeps the dictionary among them.
func (s *zstdSource) skip() error {
	for {
		b, err := s.in.br.Peek(8)
		if len(b) < 4 || !isSkippable(b) {
			if len(b) == 0 {
				if err == nil {
					err = io.ErrNoProgress
				}
				return err
			}
			return nil
		}
		at := s.in.offset()
		if len(b) < 8 {
			return &Damage{Code: CodeCut, Offset: at, Detail: "the file ends within a skippable frame"}
		}
		magic, size := binary.LittleEndian.Uint32(b), int64(binary.LittleEndian.Uint32(b[4:]))
		s.in.br.Discard(8)
		if magic != dictFrame {
			if n, err := io.CopyN(io.Discard, s.in.br, size); n < size {
				if err == nil || err == io.EOF {
					return &Damage{Code: CodeCut, Offset: at, Detail: "the file ends within a skippable frame"}
				}
				return err
			}
			continue
		}
		if size > maxDict {
			return &Damage{Code: CodeZstd, Offset: at, Detail: fmt.Sprintf("the dictionary has %d bytes; %d is the limit", size, maxDict)}
		}
		var dict bytes.Buffer
		if n, err := io.CopyN(&dict, s.in.br, size); n < size {
			if err == nil || err == io.EOF {
				return &Damage{Code: CodeCut, Offset: at, Detail: "the file ends within the dictionary"}
			}
			return err
		}
		d := dict.Bytes()
		if len(d) >= 4 && isFrame(d) {
			z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDict))
			if err != nil {
				return err
			}
			d, err = z.DecodeAll(d, nil)
			z.Close()
			if err != nil {
				return &Damage{Code: CodeZstd, Offset: at, Detail: "the dictionary cannot be unpacked: " + err.Error()}
			}
		}
		if s.z != nil {
			s.z.Close()
		}
		s.dict, s.z = d, nil
	}
}

func (s *zstdSource) next() (int64, error) {
	if s.ended {
		s.ended = false
		s.start, s.err = s.nextStart, s.nextErr
		s.nextErr = nil
		return s.start, s.err
	}
	s.head, s.headErr = nil, nil
	s.start, s.err = s.open()
	return s.start, s.err
}

// open goes to the next frame and gives its offset.
func (s *zstdSource) open() (int64, error) {
	err := s.skip()
	start := s.in.offset()
	if err != nil {
		return start, err
	}
	b, _ := s.in.br.Peek(4)
	if len(b) < 4 || !isFrame(b) {
		return start, &Damage{Code: CodeJunk, Offset: start, Detail: fmt.Sprintf("%q stands where a Zstandard frame should begin", b)}
	}
	s.frame = frame{in: s.in.br}
	if s.z == nil {
		options := []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow)}
		switch {
		case len(s.dict) >= 4 && binary.LittleEndian.Uint32(s.dict) == zstdDict:
			options = append(options, zstd.WithDecoderDicts(s.dict))
		case len(s.dict) > 0:
			options = append(options, zstd.WithDecoderDictRaw(0, s.dict))
		}
		s.z, err = zstd.NewReader(&s.frame, options...)
	} else {
		err = s.z.Reset(&s.frame)
	}
	if err != nil {
		s.start = start
		return start, s.wrap(err)
	}
	return start, nil
}

func (s *zstdSource) Read(p []byte) (int, error) {
	for {
		if s.err == nil && len(s.head) > 0 {
			n := copy(p, s.head)
			s.head = s.head[n:]
			return n, nil
		}
		if s.err == nil && s.headErr != nil {
			s.err, s.headErr = s.headErr, nil
		} else if s.err == nil {
			var n int
			n, s.err = s.z.Read(p)
			if n > 0 {
				return n, nil
			}
			if s.err == nil {
				return 0, nil
			}
		} else {
			return 0, s.err
		}
		if s.err != io.EOF {
			s.err = s.wrap(s.err)
			return 0, s.err
		}
		if s.err = s.endFrame(); s.err != nil {
			return 0, s.err
		}
	}
}

// endFrame is called at the end of a frame. It gives io.EOF if the member ends
// with it.
func (s *zstdSource) endFrame() error {
	// The decoder may stop before it has read the end of the frame.
	if _, err := io.Copy(io.Discard, &s.frame); err != nil {
		return s.wrap(err)
	}
	s.end = s.in.offset()
	if s.nextStart, s.nextErr = s.open(); s.nextErr != nil {
		s.ended = true
		return io.EOF
	}
	var first [5]byte
	var n int
	s.headErr = nil
	for n < len(first) && s.headErr == nil {
		var m int
		m, s.headErr = s.z.Read(first[n:])
		n += m
	}
	s.head = append([]byte(nil), first[:n]...)
	if string(s.head) == "WARC/" || n == 0 && s.headErr != io.EOF {
		s.ended = true
		return io.EOF
	}
	return nil
}

func (s *zstdSource) wrap(err error) error {
	switch {
	case err == io.ErrUnexpectedEOF || err == io.EOF:
		return &Damage{Code: CodeCut, Offset: s.start, Detail: "the file ends within the Zstandard frame that begins here"}
	case errors.Is(err, zstd.ErrCRCMismatch):
		return &Damage{Code: CodeGzipSum, Offset: s.start, Detail: "the checksum of the Zstandard frame does not fit its content"}
	case s.frame.failed != nil:
		return fmt.Errorf("warc: read the Zstandard frame at %d: %w", s.start, s.frame.failed)
	}
	return &Damage{Code: CodeZstd, Offset: s.start, Detail: "the Zstandard frame cannot be unpacked: " + err.Error()}
}

func (s *zstdSource) offset() int64 {
	if s.ended {
		return s.end
	}
	return s.in.offset()
}

func (s *zstdSource) resync() error {
	s.err, s.ended, s.nextErr = io.EOF, false, nil
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
		if isFrame(b) {
			s.start = s.in.offset()
			return nil
		}
		s.in.br.Discard(1)
	}
}

// A frame reads the bytes of one Zstandard frame and no more, by walking its
// blocks (RFC 8878, section 3.1.1).
type frame struct {
	in     *bufio.Reader
	left   int64 // bytes of the present part
	state  int
	sum    bool // a checksum follows the last block
	failed error
}

const (
	frameHead = iota
	frameBlock
	frameSum
	frameEnd
)

func (f *frame) Read(p []byte) (int, error) {
	for f.left == 0 {
		if err := f.advance(); err != nil {
			return 0, err
		}
	}
	n, err := f.in.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	if err == io.EOF && f.left > 0 {
		err = io.ErrUnexpectedEOF
	} else if err == io.EOF {
		err = nil
	} else if err != nil {
		f.failed = err
	}
	return n, err
}

// advance looks at the next part without taking it.
func (f *frame) advance() error {
	need := func(n int) ([]byte, error) {
		b, err := f.in.Peek(n)
		if len(b) == n {
			return b, nil
		}
		if err == nil || err == io.EOF {
			return nil, io.ErrUnexpectedEOF
		}
		f.failed = err
		return nil, err
	}
	switch f.state {
	case frameHead:
		b, err := need(5)
		if err != nil {
			return err
		}
		d := b[4]
		size := int64(5)
		single := d>>5&1 == 1
		if !single {
			size++
		}
		size += []int64{0, 1, 2, 4}[d&3]
		switch d >> 6 {
		case 0:
			if single {
				size++
			}
		case 1:
			size += 2
		case 2:
			size += 4
		case 3:
			size += 8
		}
		f.sum = d>>2&1 == 1
		f.left, f.state = size, frameBlock
	case frameBlock:
		b, err := need(3)
		if err != nil {
			return err
		}
		h := int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
		size := h >> 3
		if h>>1&3 == 1 {
			size = 1
		}
		f.left = 3 + size
		if h&1 == 1 {
			f.state = frameSum
		}
	case frameSum:
		f.state = frameEnd
		if f.sum {
			f.left = 4
		}
	default:
		return io.EOF
	}
	return nil
}
