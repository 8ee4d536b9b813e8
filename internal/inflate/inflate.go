// Package inflate unpacks gzip members (RFC 1952) and raw deflate (RFC 1951) that
// lie in memory as a whole. The output is its own window and the input is read
// eight bytes at a time, which makes it about twice as fast as a reader that may
// be given any number of bytes at a time.
//
// It is for bodies whose size is bounded. It refuses what compress/flate and
// compress/gzip refuse; what it gives is compared with them by a fuzz test.
package inflate

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync"
)

// What may be wrong with the input. One that ends too early is
// io.ErrUnexpectedEOF.
var (
	ErrCorrupt  = errors.New("inflate: the input is corrupt")
	ErrTooLarge = errors.New("inflate: the output is larger than the limit")
)

// MaxRatio is the most output bytes that one input byte of deflate can stand
// for: a match of 258 bytes takes two bits at least.
const MaxRatio = 1032

// Gzip appends what the gzip member at the start of src holds to dst, and gives
// what follows the member in src. The checksum and the length in the member's
// trailer are compared. At most limit bytes are appended: more is ErrTooLarge.
// With an error dst is given back as it came.
func Gzip(dst, src []byte, limit int) (out, rest []byte, err error) {
	n, err := gzipHead(src)
	if err != nil {
		return dst, src, err
	}
	// The last four bytes say the length, if nothing follows the member. They
	// may lie: then the output grows.
	size := 0
	if len(src) >= n+8 {
		size = int(min(uint64(binary.LittleEndian.Uint32(src[len(src)-4:])), uint64(limit), uint64(len(src))*MaxRatio))
	}
	out, rest, err = raw(dst, src[n:], limit, size)
	if err != nil {
		return dst, src, err
	}
	if len(rest) < 8 {
		return dst, src, io.ErrUnexpectedEOF
	}
	member := out[len(dst):]
	if binary.LittleEndian.Uint32(rest) != crc32.ChecksumIEEE(member) || binary.LittleEndian.Uint32(rest[4:]) != uint32(len(member)) {
		return dst, src, ErrCorrupt
	}
	return out, rest[8:], nil
}

// gzipHead gives the length of a member's header.
func gzipHead(b []byte) (int, error) {
	const (
		hasSum = 1 << (iota + 1)
		hasExtra
		hasName
		hasComment
	)
	if len(b) < 10 {
		return 0, io.ErrUnexpectedEOF
	}
	if b[0] != 0x1f || b[1] != 0x8b || b[2] != 8 {
		return 0, ErrCorrupt
	}
	flags, n := b[3], 10
	if flags&hasExtra != 0 {
		if len(b) < n+2 {
			return 0, io.ErrUnexpectedEOF
		}
		n += 2 + int(binary.LittleEndian.Uint16(b[n:]))
	}
	for _, flag := range []byte{hasName, hasComment} {
		if flags&flag == 0 {
			continue
		}
		for n < len(b) && b[n] != 0 {
			n++
		}
		n++
	}
	if flags&hasSum != 0 {
		if len(b) < n+2 {
			return 0, io.ErrUnexpectedEOF
		}
		if binary.LittleEndian.Uint16(b[n:]) != uint16(crc32.ChecksumIEEE(b[:n])) {
			return 0, ErrCorrupt
		}
		n += 2
	}
	if len(b) < n {
		return 0, io.ErrUnexpectedEOF
	}
	return n, nil
}

// Raw appends what the deflate stream at the start of src holds to dst, and gives
// what follows the byte in which the stream ends. At most limit bytes are
// appended: more is ErrTooLarge. With an error dst is given back as it came.
func Raw(dst, src []byte, limit int) (out, rest []byte, err error) {
	return raw(dst, src, limit, min(limit, 4*len(src)))
}

// slack is how many bytes the output must have room for in the fast loop: three
// literals, and a match, which is written eight bytes at a time.
const slack = 3 + 258 + 8

func raw(dst, src []byte, limit, size int) (out, rest []byte, err error) {
	s := states.Get().(*state)
	defer states.Put(s)
	buf := dst[:cap(dst)]
	if len(buf)-len(dst) < size+slack {
		buf = make([]byte, len(dst)+size+slack)
		copy(buf, dst)
	}
	s.src, s.out, s.start, s.q, s.limit = src, buf, len(dst), len(dst), limit
	s.p, s.bits, s.n = 0, 0, 0
	err = s.run()
	out, p, q := s.out, s.p-int(s.n>>3), s.q
	s.src, s.out = nil, nil
	if err != nil {
		return dst, src, err
	}
	return out[:q], src[p:], nil
}

var states = sync.Pool{New: func() any { return new(state) }}

// A state is one stream being unpacked.
type state struct {
	src  []byte
	p    int    // of the next byte of src that is not in bits
	bits uint64 // the next n bits of the stream, lowest first; 0 above them
	n    uint

	out   []byte // its length is the room
	start int    // of this stream's output
	q     int    // of the next byte of the output
	limit int

	lengths [maxLit + maxDist]uint8
	order   [maxLit + 2]uint16 // symbols by code, while a table is made
	codes   [1 << 7]entry
	lit     [litSize]entry
	dist    [distSize]entry
}

func (s *state) run() error {
	for {
		head, err := s.take(3)
		if err != nil {
			return err
		}
		switch head >> 1 {
		case 0:
			err = s.stored()
		case 1:
			err = s.block(&fixed().lit, &fixed().dist)
		case 2:
			if err = s.tables(); err == nil {
				err = s.block(&s.lit, &s.dist)
			}
		default:
			err = ErrCorrupt
		}
		if err != nil || head&1 == 1 {
			return err
		}
	}
}

// refill takes bytes into bits while there is room for one.
func (s *state) refill() {
	for s.n <= 56 && s.p < len(s.src) {
		s.bits |= uint64(s.src[s.p]) << s.n
		s.p++
		s.n += 8
	}
}

// take takes up to 16 bits.
func (s *state) take(n uint) (uint, error) {
	if s.n < n {
		if s.refill(); s.n < n {
			return 0, io.ErrUnexpectedEOF
		}
	}
	v := uint(s.bits) & (1<<n - 1)
	s.bits >>= n
	s.n -= n
	return v, nil
}

// grow makes room for n more bytes, as far as the limit goes.
func (s *state) grow(n int) error {
	if s.q-s.start+n > s.limit {
		return ErrTooLarge
	}
	if len(s.out)-s.q >= n+slack {
		return nil
	}
	size := min(max(2*(s.q-s.start), s.q-s.start+n, 4<<10), s.limit)
	out := make([]byte, s.start+size+slack)
	copy(out, s.out[:s.q])
	s.out = out
	return nil
}

func (s *state) stored() error {
	s.bits >>= s.n & 7
	s.n &^= 7
	size, err := s.take(16)
	if err != nil {
		return err
	}
	check, err := s.take(16)
	if err != nil {
		return err
	}
	if size^check != 0xffff {
		return ErrCorrupt
	}
	s.p -= int(s.n >> 3)
	s.bits, s.n = 0, 0
	n := int(size)
	if len(s.src)-s.p < n {
		return io.ErrUnexpectedEOF
	}
	if err := s.grow(n); err != nil {
		return err
	}
	s.q += copy(s.out[s.q:], s.src[s.p:s.p+n])
	s.p += n
	return nil
}

// block unpacks one block.
func (s *state) block(lit *[litSize]entry, dist *[distSize]entry) error {
	for {
		end, err := s.fast(lit, dist)
		if err == nil && s.q-s.start > s.limit {
			err = ErrTooLarge
		}
		if end || err != nil {
			return err
		}
		if end, err = s.slow(lit, dist); end || err != nil {
			return err
		}
	}
}

// fast unpacks symbols while there are eight bytes of input and room for the
// longest output of a round. It reports whether the block ended.
func (s *state) fast(lit *[litSize]entry, dist *[distSize]entry) (end bool, err error) {
	src, out := s.src, s.out
	p, q, bits, n := s.p, s.q, s.bits, s.n
	lastP, lastQ := len(src)-16, min(len(out), s.start+s.limit+slack)-slack
	for p <= lastP && q <= lastQ {
		// There are 56 bits or more after each refill.
		bits |= binary.LittleEndian.Uint64(src[p:]) << (n & 63)
		p += int((63 - n) >> 3)
		n |= 56
		e := lit[bits&(1<<litBits-1)]
		if e&isLiteral != 0 {
			bits >>= e & 63
			n -= uint(e & 63)
			out[q] = byte(e >> 16)
			q++
			e = lit[bits&(1<<litBits-1)]
			if e&isLiteral != 0 {
				bits >>= e & 63
				n -= uint(e & 63)
				out[q] = byte(e >> 16)
				q++
				e = lit[bits&(1<<litBits-1)]
				if e&isLiteral != 0 {
					bits >>= e & 63
					n -= uint(e & 63)
					out[q] = byte(e >> 16)
					q++
					continue
				}
			}
		}
		if e&isOther != 0 {
			if e&isSub != 0 {
				e = lit[int(e>>16)+int(bits>>litBits)&(1<<(maxCode-litBits)-1)]
			}
			if e&isLiteral != 0 {
				bits >>= e & 63
				n -= uint(e & 63)
				out[q] = byte(e >> 16)
				q++
				continue
			}
			if e&isOther != 0 {
				bits >>= e & 63
				n -= uint(e & 63)
				if e&isEnd != 0 {
					end = true
				} else {
					err = ErrCorrupt
				}
				break
			}
		}
		bits >>= e & 63
		extra := uint(e>>8) & 15
		length := int(e>>16) + int(bits&(1<<extra-1))
		bits >>= extra
		n -= uint(e&63) + extra

		bits |= binary.LittleEndian.Uint64(src[p:]) << (n & 63)
		p += int((63 - n) >> 3)
		n |= 56
		e = dist[bits&(1<<distBits-1)]
		if e&isOther != 0 {
			if e&isSub != 0 {
				e = dist[int(e>>16)+int(bits>>distBits)&(1<<(maxCode-distBits)-1)]
			}
			if e&isOther != 0 {
				err = ErrCorrupt
				break
			}
		}
		bits >>= e & 63
		extra = uint(e>>8) & 15
		distance := int(e>>16) + int(bits&(1<<extra-1))
		bits >>= extra
		n -= uint(e&63) + extra
		from := q - distance
		if from < s.start {
			err = ErrCorrupt
			break
		}
		to := q + length
		if distance >= 8 {
			for {
				binary.LittleEndian.PutUint64(out[q:], binary.LittleEndian.Uint64(out[from:]))
				if q += 8; q >= to {
					break
				}
				from += 8
			}
			q = to
		} else {
			for q < to {
				out[q] = out[from]
				q++
				from++
			}
		}
	}
	s.p, s.q, s.bits, s.n = p, q, bits&(1<<n-1), n
	return end, err
}

// slow unpacks one symbol, or one match, and looks at each bound.
func (s *state) slow(lit *[litSize]entry, dist *[distSize]entry) (end bool, err error) {
	e, err := s.symbol(lit[:], litBits)
	switch {
	case err != nil:
		return false, err
	case e&isLiteral != 0:
		if err := s.grow(1); err != nil {
			return false, err
		}
		s.out[s.q] = byte(e >> 16)
		s.q++
		return false, nil
	case e&isEnd != 0:
		return true, nil
	}
	more, err := s.take(uint(e>>8) & 15)
	if err != nil {
		return false, err
	}
	length := int(e>>16) + int(more)
	if e, err = s.symbol(dist[:], distBits); err != nil {
		return false, err
	}
	if more, err = s.take(uint(e>>8) & 15); err != nil {
		return false, err
	}
	from := s.q - int(e>>16) - int(more)
	if from < s.start {
		return false, ErrCorrupt
	}
	if err := s.grow(length); err != nil {
		return false, err
	}
	for range length {
		s.out[s.q] = s.out[from]
		s.q++
		from++
	}
	return false, nil
}

// symbol takes the next code.
func (s *state) symbol(table []entry, primary uint) (entry, error) {
	s.refill()
	e := table[s.bits&(1<<primary-1)]
	if e&isSub != 0 {
		e = table[uint64(e>>16)+s.bits>>primary&(1<<(maxCode-primary)-1)]
	}
	if uint(e&63) > s.n {
		return 0, io.ErrUnexpectedEOF
	}
	if e&(isOther|isEnd) == isOther {
		return 0, ErrCorrupt
	}
	s.bits >>= e & 63
	s.n -= uint(e & 63)
	return e, nil
}
