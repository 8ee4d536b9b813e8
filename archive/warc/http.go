package warc

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/refrain-archive/refrain/internal/inflate"
)

// An HTTPMessage is the block of a response or request record, being read.
type HTTPMessage struct {
	HTTPHead

	// Body is what follows the head, as it was on the wire. Read it, or a
	// Payload, or Decoded, but only one of them.
	Body io.Reader

	chunks *chunkReader
}

// ReadHTTP reads the head of the HTTP message that r begins with. The error is
// ErrNotHTTP or that of r.
func ReadHTTP(r io.Reader) (*HTTPMessage, error) {
	br := bufio.NewReaderSize(r, 8<<10)
	for size := 8 << 10; ; size *= 4 {
		size = min(size, MaxHTTPHead)
		if size > br.Size() {
			br = bufio.NewReaderSize(br, size)
		}
		b, err := br.Peek(size)
		if err != nil && err != io.EOF && len(b) == 0 {
			return nil, err
		}
		head, parseErr := parseHead(b, err != nil)
		if errors.Is(parseErr, errHeadGrows) && size < MaxHTTPHead {
			continue
		}
		switch {
		case errors.Is(parseErr, errHeadGrows):
			return nil, fmt.Errorf("%w: its head is longer than %d bytes", ErrNotHTTP, MaxHTTPHead)
		case parseErr != nil:
			return nil, parseErr
		}
		br.Discard(int(head.Size))
		return &HTTPMessage{HTTPHead: *head, Body: br}, nil
	}
}

// Payload gives the body without its transfer coding and with its content
// coding: what WARC-Payload-Digest is over. Framing that an archiver removed
// although it kept the header, a body that ends early and chunks that are
// broken do not make an error: what is there is given, and Framing says what
// was found.
func (m *HTTPMessage) Payload() io.Reader {
	if !m.Chunked() {
		return m.Body
	}
	if m.chunks == nil {
		m.chunks = newChunkReader(m.Body)
	}
	return m.chunks
}

// Framing says, after Payload or Decoded was read to its end, what was found of
// the chunked transfer coding.
func (m *HTTPMessage) Framing() Framing {
	if m.chunks == nil {
		return FramingNone
	}
	return m.chunks.found
}

// ErrTooLarge says that a body would unpack to more than the limit.
var ErrTooLarge = errors.New("warc: the body unpacks to more than the limit")

// Decoded gives the body without transfer and content coding: gzip, deflate
// (with or without its zlib wrapping), br and zstd. It gives at most limit
// bytes, then ErrTooLarge; 0 is no limit. A body that is not in the coding that
// the head names is given as it is. The reader need not be closed; Close frees
// what a zstd decoder holds.
func (m *HTTPMessage) Decoded(limit int64) (io.ReadCloser, error) {
	d := &decoded{r: m.Payload(), left: limit, limited: limit > 0}
	codings := m.ContentCodings()
	if len(codings) > 5 {
		return nil, fmt.Errorf("warc: the head names %d content codings; 5 is the limit", len(codings))
	}
	for i := len(codings) - 1; i >= 0; i-- {
		r, closer, err := decode(d.r, codings[i])
		if err != nil {
			return nil, err
		}
		d.r = r
		if closer != nil {
			d.close = append(d.close, closer)
		}
	}
	return d, nil
}

type decoded struct {
	r       io.Reader
	left    int64
	limited bool
	close   []func()
}

func (d *decoded) Read(p []byte) (int, error) {
	if !d.limited {
		return d.r.Read(p)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if d.left == 0 {
		var one [1]byte
		for {
			n, err := d.r.Read(one[:])
			if n > 0 {
				return 0, ErrTooLarge
			}
			if err != nil {
				return 0, err
			}
		}
	}
	n, err := d.r.Read(p[:min(int64(len(p)), d.left)])
	d.left -= int64(n)
	return n, err
}

func (d *decoded) Close() error {
	for _, c := range d.close {
		c()
	}
	d.close = nil
	return nil
}

// decode removes one content coding.
func decode(r io.Reader, coding string) (io.Reader, func(), error) {
	br := bufio.NewReaderSize(r, 16<<10)
	first, err := br.Peek(4)
	if len(first) == 0 {
		if err != nil && err != io.EOF {
			return nil, nil, err
		}
		return br, nil, nil
	}
	switch coding {
	case "gzip", "x-gzip":
		if len(first) < 2 || first[0] != 0x1f || first[1] != 0x8b {
			return br, nil, nil
		}
		whole, rest := unpackWhole(br)
		if whole != nil {
			return bytes.NewReader(whole), nil, nil
		}
		z, err := gzip.NewReader(rest)
		if err != nil {
			return nil, nil, fmt.Errorf("warc: unpack the gzip body: %w", err)
		}
		return z, nil, nil
	case "deflate":
		// zlib (RFC 1950) is meant; some servers send bare deflate.
		if len(first) >= 2 && first[0]&0x0f == 8 && (uint(first[0])<<8|uint(first[1]))%31 == 0 {
			z, err := zlib.NewReader(br)
			if err != nil {
				return nil, nil, fmt.Errorf("warc: unpack the deflate body: %w", err)
			}
			return z, nil, nil
		}
		return flate.NewReader(br), nil, nil
	case "br":
		return brotli.NewReader(br), nil, nil
	case "zstd":
		if len(first) < 4 || !isFrame(first) && !isSkippable(first) {
			return br, nil, nil
		}
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, nil, fmt.Errorf("warc: unpack the zstd body: %w", err)
		}
		return z, z.Close, nil
	}
	return nil, nil, fmt.Errorf("warc: content coding %q is unknown", clip(coding))
}

// Bodies of up to wholePacked bytes that unpack to at most wholeDecoded are
// unpacked in memory as a whole, which takes half the time.
const (
	wholePacked  = 256 << 10
	wholeDecoded = 2 << 20
)

// unpackWhole unpacks a gzip body that is one sound member within those bounds.
// It gives nil for any other, and a reader of all that it read.
func unpackWhole(r io.Reader) (whole []byte, all io.Reader) {
	packed, err := io.ReadAll(io.LimitReader(r, wholePacked+1))
	all = bytes.NewReader(packed)
	if err != nil || len(packed) > wholePacked {
		return nil, io.MultiReader(all, &unread{err, r})
	}
	size := 0 // as the last four bytes say, modulo 2^32
	if n := len(packed); n >= 18 {
		size = int(min(binary.LittleEndian.Uint32(packed[n-4:]), wholeDecoded))
	}
	out, rest, err := inflate.Gzip(make([]byte, 0, size+16), packed, wholeDecoded)
	if err != nil || len(rest) > 0 {
		return nil, all
	}
	return out, nil // never nil: it was made with room
}

// unread gives err, or where that is nil what r still has.
type unread struct {
	err error
	r   io.Reader
}

func (f *unread) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.r.Read(p)
}
