package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// drawing is a small colour picture of quality 80 and more.
func drawing(w, h int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(x * 5), uint8(y * 7 % 256), uint8(x * y / 40), 255})
		}
	}
	return m
}

// greys gives m in 256 levels of grey, which GIF can hold without dithering.
func greys(m image.Image) image.Image {
	var p color.Palette
	for i := range 256 {
		p = append(p, color.Gray{uint8(i)})
	}
	out := image.NewPaletted(m.Bounds(), p)
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			out.SetColorIndex(x, y, color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y)
		}
	}
	return out
}

func encoded(t testing.TB, w, h int) map[string][]byte {
	t.Helper()
	m := drawing(w, h)
	files := map[string][]byte{}
	for name, encode := range map[string]func(*bytes.Buffer) error{
		"jpeg": func(b *bytes.Buffer) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: 90}) },
		"png":  func(b *bytes.Buffer) error { return png.Encode(b, m) },
		"gif":  func(b *bytes.Buffer) error { return gif.Encode(b, greys(m), nil) },
		"bmp":  func(b *bytes.Buffer) error { return bmp.Encode(b, m) },
		"tiff": func(b *bytes.Buffer) error { return tiff.Encode(b, m, &tiff.Options{Compression: tiff.Deflate}) },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files[name] = b.Bytes()
	}
	return files
}

func TestDecodeFormats(t *testing.T) {
	want, quality := NewGrey(drawing(160, 120)).PDQ()
	if quality < 80 {
		t.Fatalf("quality %d", quality)
	}
	for format, data := range encoded(t, 160, 120) {
		p, err := Decode(bytes.NewReader(data), Limits{})
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if p.Format != format || p.Width != 160 || p.Height != 120 {
			t.Errorf("%s: read as %s of %dx%d", format, p.Format, p.Width, p.Height)
		}
		if h, _ := p.PDQ(); h.Distance(want) > 10 {
			t.Errorf("%s: %d bits from the drawing", format, h.Distance(want))
		}
	}
}

// hugePNG is a PNG whose header declares w×h pixels, with none following.
func hugePNG(w, h uint32) []byte {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	head = append(binary.BigEndian.AppendUint32(head, h), 8, 2, 0, 0, 0)
	data := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(head))
}

// extendedWebP declares a canvas of one pixel around a frame of w×h.
func extendedWebP(w, h uint16) []byte {
	frame := []byte{0, 0, 0, 0x9d, 1, 0x2a}
	frame = binary.LittleEndian.AppendUint16(frame, w)
	frame = binary.LittleEndian.AppendUint16(frame, h)
	body := append([]byte("WEBPVP8X\x0a\x00\x00\x00"), make([]byte, 10)...)
	body = append(body, "VP8 \x0a\x00\x00\x00"...)
	body = append(body, frame...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func TestDecodeRefuses(t *testing.T) {
	files := encoded(t, 160, 120)
	jpg := files["jpeg"]
	for _, c := range []struct {
		name   string
		data   []byte
		limits Limits
		want   error
		text   string
	}{
		{"30,000×30,000", hugePNG(30_000, 30_000), Limits{}, ErrTooLarge, "30000x30000"},
		{"one row of 2³¹-1", hugePNG(1<<31-1, 1), Limits{}, ErrTooLarge, "2147483647x1"},
		{"WebP frame beyond its canvas", extendedWebP(16383, 16383), Limits{}, ErrTooLarge, "16383x16383"},
		{"over MaxPixels", files["gif"], Limits{MaxPixels: 160*120 - 1}, ErrTooLarge, "160x120"},
		{"over MaxBytes", jpg, Limits{MaxBytes: int64(len(jpg)) - 1}, ErrTooLarge, "bytes"},
		{"half a JPEG", jpg[:len(jpg)/2], Limits{}, ErrTruncated, "160x120"},
		{"a JPEG's header cut", jpg[:20], Limits{}, ErrTruncated, "header"},
		{"half a PNG", files["png"][:len(files["png"])/2], Limits{}, ErrTruncated, "png"},
		{"half a GIF", files["gif"][:len(files["gif"])/2], Limits{}, ErrTruncated, "gif"},
		{"half a BMP", files["bmp"][:len(files["bmp"])/2], Limits{}, ErrTruncated, "bmp"},
		{"text", []byte("<html>not found</html>"), Limits{}, ErrFormat, ""},
		{"nothing", nil, Limits{}, ErrFormat, ""},
	} {
		p, err := Decode(bytes.NewReader(c.data), c.limits)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if p.Pix != nil {
			t.Errorf("%s: %d pixels came with the error", c.name, len(p.Pix))
		}
	}
	if _, err := Decode(bytes.NewReader(jpg), Limits{MaxBytes: int64(len(jpg)), MaxPixels: 160 * 120}); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

// Whatever the bytes, a picture comes within its bounds or an error does.
func FuzzDecode(f *testing.F) {
	for _, data := range encoded(f, 24, 16) {
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Add(hugePNG(30_000, 30_000))
	f.Add(extendedWebP(16383, 16383))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(bytes.NewReader(data), Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 16})
		if err != nil {
			return
		}
		if p.W < 1 || p.H < 1 || p.W > maxSide || p.H > maxSide || len(p.Pix) != p.W*p.H {
			t.Fatalf("%dx%d with %d values", p.W, p.H, len(p.Pix))
		}
		if _, q := p.PDQ(); q < 0 || q > 100 {
			t.Fatalf("quality %d", q)
		}
	})
}
