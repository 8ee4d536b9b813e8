package asset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// tag is one entry of an image file directory.
type tag struct {
	id, kind uint16
	count    uint32
	value    []byte
}

func ascii(id uint16, s string) tag { return tag{id, 2, uint32(len(s) + 1), []byte(s + "\x00")} }

func rationals(id uint16, pairs ...uint32) tag {
	var b []byte
	for _, v := range pairs {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return tag{id, 5, uint32(len(pairs) / 2), b}
}

// directory lays tags out at offset at, values behind them.
func directory(at int, tags []tag) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, uint16(len(tags)))
	var values []byte
	behind := at + 2 + 12*len(tags) + 4
	for _, t := range tags {
		b = le.AppendUint16(le.AppendUint16(b, t.id), t.kind)
		b = le.AppendUint32(b, t.count)
		if len(t.value) <= 4 {
			b = append(b, append(bytes.Clone(t.value), 0, 0, 0, 0)[:4]...)
		} else {
			b = le.AppendUint32(b, uint32(behind+len(values)))
			values = append(values, t.value...)
		}
	}
	return append(le.AppendUint32(b, 0), values...)
}

// camera is the EXIF record of a made-up picture: 52°30'36" N, 13°24' W.
func camera() []byte {
	le := binary.LittleEndian
	pointer := func(id uint16, to int) tag { return tag{id, 4, 1, le.AppendUint32(nil, uint32(to))} }
	main := func(exif, gps int) []byte {
		return directory(8, []tag{
			ascii(0x010f, "Plaza Optics"), ascii(0x0110, "P-1"), {0x0112, 3, 1, []byte{6, 0}},
			ascii(0x0131, "Editor 2.0"), pointer(0x8769, exif), pointer(0x8825, gps),
		})
	}
	exifAt := 8 + len(main(0, 0))
	exif := directory(exifAt, []tag{ascii(0x9003, "2026:01:31 12:00:00")})
	gpsAt := exifAt + len(exif)
	gps := directory(gpsAt, []tag{
		ascii(1, "N"), rationals(2, 52, 1, 30, 1, 36, 1), ascii(3, "W"), rationals(4, 13, 1, 24, 1, 0, 1),
		rationals(7, 11, 1, 0, 1, 5, 1), ascii(29, "2026:01:31"),
	})
	b := append([]byte("II*\x00\x08\x00\x00\x00"), main(exifAt, gpsAt)...)
	return append(append(b, exif...), gps...)
}

// withAPP1 puts an EXIF record into a JPEG.
func withAPP1(picture, record []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), record...)
	b := append([]byte{0xff, 0xd8, 0xff, 0xe1}, byte((len(segment)+2)>>8), byte(len(segment)+2))
	return append(append(b, segment...), picture[2:]...)
}

func encoded(t testing.TB, format string, w, h int) []byte {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.Black, color.White})
	var b bytes.Buffer
	var err error
	switch format {
	case "jpeg":
		err = jpeg.Encode(&b, m, nil)
	case "png":
		err = png.Encode(&b, m)
	case "gif":
		err = gif.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFacts(t *testing.T) {
	for _, test := range []struct {
		name string
		data []byte
		want Facts
	}{
		{"a JPEG", encoded(t, "jpeg", 31, 17), Facts{Type: "image/jpeg", Width: 31, Height: 17}},
		{"a PNG", encoded(t, "png", 640, 1), Facts{Type: "image/png", Width: 640, Height: 1}},
		{"a GIF", encoded(t, "gif", 2, 3), Facts{Type: "image/gif", Width: 2, Height: 3}},
		{"an MP4", []byte("\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2"), Facts{Type: "video/mp4"}},
		{"an AVIF", []byte("\x00\x00\x00\x20ftypavif\x00\x00\x00\x00"), Facts{Type: "image/avif"}},
		{"a page instead of a picture", []byte("<!DOCTYPE html><html>"), Facts{Type: "text/html; charset=utf-8"}},
		{"a drawing", []byte(`<?xml version="1.0"?><svg xmlns="x"/>`), Facts{Type: "image/svg+xml"}},
		{"nothing", nil, Facts{Type: "text/plain; charset=utf-8"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Read(iotest.OneByteReader(bytes.NewReader(test.data)))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Size = int64(len(test.data))
			test.want.SHA256 = fmt.Sprintf("%x", sha256.Sum256(test.data))
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestEXIF(t *testing.T) {
	record := camera()
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(record)))
	chunk = append(append(chunk, "eXIf"...), record...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	picture := encoded(t, "png", 4, 4)
	const header = 8 + 25 // signature and IHDR
	inPNG := append(append(bytes.Clone(picture[:header]), chunk...), picture[header:]...)
	for name, data := range map[string][]byte{"JPEG": withAPP1(encoded(t, "jpeg", 4, 4), record), "PNG": inPNG} {
		f, err := Read(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		e := f.EXIF
		if e == nil {
			t.Fatalf("%s: no EXIF found", name)
		}
		if e.Make != "Plaza Optics" || e.Model != "P-1" || e.Software != "Editor 2.0" || e.Time != "2026:01:31 12:00:00" || e.Orientation != 6 {
			t.Errorf("%s: %+v", name, e)
		}
		if e.Lat == nil || math.Abs(*e.Lat-52.51) > 1e-9 || e.Long == nil || math.Abs(*e.Long+13.4) > 1e-9 {
			t.Errorf("%s: position %v %v", name, e.Lat, e.Long)
		}
		if want := time.Date(2026, 1, 31, 11, 0, 5, 0, time.UTC); !e.GPSTime.Equal(want) {
			t.Errorf("%s: satellite time %v, want %v", name, e.GPSTime, want)
		}
		if f.Width != 4 || f.Height != 4 {
			t.Errorf("%s: %dx%d", name, f.Width, f.Height)
		}
	}
}

// Records that would make the decoder run for ever or allocate gigabytes.
func TestHostileEXIF(t *testing.T) {
	le := binary.LittleEndian
	loop := append([]byte("II*\x00\x08\x00\x00\x00"), directory(8, nil)...)
	le.PutUint32(loop[10:], 14) // the first directory points at the second
	loop = append(loop, directory(14, nil)...)
	le.PutUint32(loop[16:], 8) // and the second at the first
	huge := append([]byte("II*\x00\x08\x00\x00\x00"), directory(8, []tag{{0x0100, 4, 0x40000001, []byte{1, 0, 0, 0}}})...)
	var many []tag
	for range 3000 {
		many = append(many, tag{0x0100, 1, 30000, le.AppendUint32(nil, 8)})
	}
	overlap := append([]byte("II*\x00\x08\x00\x00\x00"), directory(8, many)...)
	for name, record := range map[string][]byte{"directories in a loop": loop, "a count that overflows": huge, "values that overlap": overlap} {
		if e := readEXIF(record); e != nil {
			t.Errorf("%s: read as %+v", name, e)
		}
	}
}

func TestReadError(t *testing.T) {
	f, err := Read(io.MultiReader(strings.NewReader("GIF89a"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if err == nil || !strings.Contains(err.Error(), "after 6 bytes") {
		t.Errorf("error %v", err)
	}
	if f.Size != 6 || f.Type != "image/gif" {
		t.Errorf("facts of the bytes before the error: %+v", f)
	}
}

func TestBoundedMemory(t *testing.T) {
	r := NewReader(io.LimitReader(zeros{}, 64<<20))
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	if cap(r.head) > 2*headSize {
		t.Errorf("keeps %d bytes", cap(r.head))
	}
	if f := r.Facts(); f.Size != 64<<20 {
		t.Errorf("size %d", f.Size)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzInspect(f *testing.F) {
	f.Add([]byte{})
	f.Add(camera())
	f.Add(withAPP1(encoded(f, "jpeg", 2, 2), camera()))
	f.Add(encoded(f, "png", 2, 2))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPEXIF\x08\x00\x00\x00II*\x00\x08\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		facts := Inspect(data)
		if facts.Width < 0 || facts.Height < 0 || facts.Type == "" {
			t.Errorf("%+v", facts)
		}
	})
}

// A digest that is known is not computed again, but for files that are not held
// whole, and memory that was given back is used for the next file.
func TestFactsOf(t *testing.T) {
	const known = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	for _, size := range []int{0, 1, headSize - 1, headSize, headSize + 1, 3 * headSize} {
		data := bytes.Repeat([]byte{'x'}, size)
		want := fmt.Sprintf("%x", sha256.Sum256(data))
		r := NewReader(bytes.NewReader(data))
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
		if got := r.Facts(); got.SHA256 != want || got.Size != int64(size) {
			t.Errorf("%d bytes: sha256 %s, size %d; want %s", size, got.SHA256, got.Size, want)
		}
		if size <= headSize {
			want = known
		}
		if got := r.FactsOf(known).SHA256; got != want {
			t.Errorf("%d bytes, digest given: %s, want %s", size, got, want)
		}
		r.Release()
	}
}
