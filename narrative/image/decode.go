package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // formats are read through the image package's registry
	_ "image/jpeg"
	_ "image/png"
	"io"
	"strings"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// Limits bound what Decode spends on one file. A zero field means its default.
type Limits struct {
	// MaxBytes is the size of the file: 64 MiB by default.
	MaxBytes int64
	// MaxPixels is width times height as the header gives them: 40 million by
	// default. A progressive JPEG is the dearest, near 20 bytes a pixel.
	MaxPixels int64
}

const (
	defaultMaxBytes  = 64 << 20
	defaultMaxPixels = 40_000_000
)

// The kinds of failure of Decode, for errors.Is.
var (
	// ErrTooLarge: the file or the picture is over a limit; no pixel was decoded.
	ErrTooLarge = errors.New("over the limit")
	// ErrFormat: not JPEG, PNG, GIF, WebP, BMP or TIFF.
	ErrFormat = errors.New("not a JPEG, PNG, GIF, WebP, BMP or TIFF picture")
	// ErrTruncated: the file ends before the picture does.
	ErrTruncated = errors.New("the file ends before the picture does")
)

// A Picture is a decoded file, reduced to grey.
type Picture struct {
	Grey
	Format        string // "jpeg", "png", "gif", "webp", "bmp", "tiff"
	Width, Height int    // of the file, in pixels
}

// Decode reads one picture from r; of an animated GIF, the first frame. The
// header is read first, and a picture over limits is refused before memory for
// its pixels is taken. A file that is cut short is an error, even where part of
// it could be shown: the hash of half a picture would mislead.
func Decode(r io.Reader, limits Limits) (Picture, error) {
	limits = limits.filled()
	data, err := io.ReadAll(io.LimitReader(r, limits.MaxBytes+1))
	if err != nil {
		return Picture{}, fmt.Errorf("image: reading the file: %w", err)
	}
	return decodeWithin(data, limits)
}

func (l Limits) filled() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = defaultMaxBytes
	}
	if l.MaxPixels <= 0 {
		l.MaxPixels = defaultMaxPixels
	}
	return l
}

func decodeWithin(data []byte, limits Limits) (Picture, error) {
	limits = limits.filled()
	if int64(len(data)) > limits.MaxBytes {
		return Picture{}, fmt.Errorf("image: the file has more than %d bytes: %w; raise MaxBytes or hash a smaller copy", limits.MaxBytes, ErrTooLarge)
	}
	return decode(data, limits.MaxPixels)
}

func decode(data []byte, maxPixels int64) (p Picture, err error) {
	// The decoders are not ours and meet hostile bytes; one bad file must not
	// end an indexing run.
	defer func() {
		if v := recover(); v != nil {
			p, err = Picture{}, fmt.Errorf("image: decoding %s of %d bytes: the decoder failed: %v", p.Format, len(data), v)
		}
	}()
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case errors.Is(err, image.ErrFormat):
		return p, fmt.Errorf("image: file of %d bytes: %w", len(data), ErrFormat)
	case err != nil:
		return p, decodeError("reading the header of", format, len(data), err)
	}
	p.Format, p.Width, p.Height = format, config.Width, config.Height
	w, h := int64(config.Width), int64(config.Height)
	if format == "webp" {
		// The canvas of an extended WebP is declared apart from the frame in it,
		// and the decoder takes memory for the frame.
		fw, fh := webpFrame(data)
		w, h = max(w, fw), max(h, fh)
	}
	if w <= 0 || h <= 0 {
		return p, fmt.Errorf("image: %s of %dx%d pixels: there is nothing to hash", format, w, h)
	}
	if w > maxPixels/h {
		return p, fmt.Errorf("image: %s of %dx%d pixels: %w of %d pixels; raise MaxPixels or hash a smaller copy", format, w, h, ErrTooLarge, maxPixels)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return p, decodeError(fmt.Sprintf("decoding %dx%d pixels of", w, h), format, len(data), err)
	}
	p.Grey = NewGrey(img)
	if p.W == 0 {
		return p, fmt.Errorf("image: %s of %dx%d pixels: its first frame is empty", format, w, h)
	}
	return p, nil
}

// earlyEnd holds what the decoders say, without a value to compare with, where the
// data stops before the last pixel.
var earlyEnd = []string{"unexpected EOF", "short Huffman data", "not enough pixel data", "not enough image data"}

func decodeError(doing, format string, size int, err error) error {
	if format == "" {
		format = "picture"
	}
	early := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
	for _, text := range earlyEnd {
		early = early || strings.Contains(err.Error(), text)
	}
	if early {
		return fmt.Errorf("image: %s a %s of %d bytes: %w (%v); fetch it again", doing, format, size, ErrTruncated, err)
	}
	return fmt.Errorf("image: %s a %s of %d bytes: %w; the file is damaged or uses a feature that is not read", doing, format, size, err)
}

// webpFrame gives the largest width and height of the frames in a WebP file: a
// RIFF file whose chunks have a four-letter name, a 32-bit little-endian size
// and a body padded to even length. A "VP8 " body has 14-bit width and height at
// bytes 6 and 8 (RFC 6386, 9.1); a "VP8L" body has them less one in the 28 bits
// after its first byte (RFC 9649, 3.4).
func webpFrame(data []byte) (w, h int64) {
	if len(data) < 12 {
		return 0, 0
	}
	for data = data[12:]; len(data) >= 8; {
		name, size := string(data[:4]), uint64(binary.LittleEndian.Uint32(data[4:]))
		body := data[8:]
		switch {
		case name == "VP8 " && len(body) >= 10:
			w = max(w, int64(binary.LittleEndian.Uint16(body[6:])&0x3fff))
			h = max(h, int64(binary.LittleEndian.Uint16(body[8:])&0x3fff))
		case name == "VP8L" && len(body) >= 5:
			v := binary.LittleEndian.Uint32(body[1:])
			w, h = max(w, int64(v&0x3fff)+1), max(h, int64(v>>14&0x3fff)+1)
		}
		size += size & 1
		if size >= uint64(len(body)) {
			break
		}
		data = body[size:]
	}
	return w, h
}
