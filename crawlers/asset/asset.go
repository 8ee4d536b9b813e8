// Package asset tells the facts of a media file (picture, video, sound,
// document) from one pass over its bytes: digest, size, type, pixel size and the
// EXIF record of the camera. It keeps no more than the file's first 256 kB in
// memory, whatever the file's size.
package asset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"image"
	_ "image/gif"  // pixel size
	_ "image/jpeg" // pixel size
	_ "image/png"  // pixel size
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rwcarlsen/goexif/exif"
	"github.com/rwcarlsen/goexif/tiff"
	_ "golang.org/x/image/bmp"  // pixel size
	_ "golang.org/x/image/tiff" // pixel size
	_ "golang.org/x/image/webp" // pixel size
)

// headSize is how much of a file's start is kept to be looked at. An EXIF record
// is at most 64 kB and stands before the picture.
const headSize = 256 << 10

// Facts is what a file's bytes say. Zero fields are not told by them.
type Facts struct {
	SHA256 string `json:"sha256"`           // lower-case hex
	Size   int64  `json:"size"`             // bytes
	Type   string `json:"type"`             // media type, told from the first bytes and not from a header
	Width  int    `json:"width,omitempty"`  // pixels, as stored, before EXIF orientation
	Height int    `json:"height,omitempty"` // pixels
	EXIF   *EXIF  `json:"exif,omitempty"`   // nil if the file carries none
}

// EXIF is what a camera or program wrote into a picture. It is a claim of the
// file: anyone can write it.
type EXIF struct {
	Time        string            `json:"time,omitempty"` // DateTimeOriginal, or DateTime, as written: local time of the camera, no zone
	Offset      string            `json:"offset,omitempty"`
	Make        string            `json:"make,omitempty"`
	Model       string            `json:"model,omitempty"`
	Software    string            `json:"software,omitempty"`
	Artist      string            `json:"artist,omitempty"`
	Copyright   string            `json:"copyright,omitempty"`
	Orientation int               `json:"orientation,omitempty"` // 1 to 8
	Lat         *float64          `json:"lat,omitempty"`         // degrees, WGS 84
	Long        *float64          `json:"long,omitempty"`
	GPSTime     time.Time         `json:"gps_time,omitzero"` // UTC, from the satellites
	Tags        map[string]string `json:"tags,omitempty"`    // all tags by their EXIF name, values as text of at most 256 bytes
}

// A Reader passes bytes through and tells their facts at the end.
type Reader struct {
	r    io.Reader
	hash hash.Hash // nil while head holds all
	head []byte
	size int64
}

var headPool sync.Pool // of *[]byte

// NewReader reads from r.
func NewReader(r io.Reader) *Reader {
	a := &Reader{r: r}
	if head, ok := headPool.Get().(*[]byte); ok {
		a.head = (*head)[:0]
	}
	return a
}

// Release gives the memory of the first bytes back: what Head gave is not valid
// any more. It need not be called.
func (r *Reader) Release() {
	if head := r.head; cap(head) > 0 {
		r.head = nil
		headPool.Put(&head)
	}
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if n > 0 {
		r.size += int64(n)
		if r.hash == nil && r.size > headSize {
			r.hash = sha256.New()
			r.hash.Write(r.head)
		}
		if r.hash != nil {
			r.hash.Write(p[:n])
		}
		if room := headSize - len(r.head); room > 0 {
			r.head = append(r.head, p[:min(n, room)]...)
		}
	}
	return n, err
}

// Head gives the first bytes that were read, at most 256 kB.
func (r *Reader) Head() []byte { return r.head }

// Facts gives the facts of what was read so far.
func (r *Reader) Facts() Facts { return r.FactsOf("") }

// FactsOf is Facts where the SHA-256 of all bytes is known already, as 64
// lower-case hex digits; empty where it is not. That saves a pass over a file
// of up to 256 kB; a larger one is hashed as it is read.
func (r *Reader) FactsOf(sum string) Facts {
	f := Inspect(r.head)
	f.SHA256, f.Size = sum, r.size
	if r.hash != nil {
		f.SHA256 = hex.EncodeToString(r.hash.Sum(nil))
	} else if sum == "" {
		all := sha256.Sum256(r.head)
		f.SHA256 = hex.EncodeToString(all[:])
	}
	return f
}

// Read reads r to its end and gives its facts. With an error they hold for the
// bytes before it.
func Read(r io.Reader) (Facts, error) {
	from := NewReader(r)
	_, err := io.Copy(io.Discard, from)
	if err != nil {
		err = fmt.Errorf("read asset after %d bytes: %w", from.size, err)
	}
	return from.Facts(), err
}

// Inspect gives what the first bytes of a file tell: type, pixel size, EXIF.
// Whatever the bytes, it does not panic.
func Inspect(head []byte) (f Facts) {
	f.Type = sniff(head)
	if strings.HasPrefix(f.Type, "image/") {
		f.Width, f.Height = pixels(head)
		f.EXIF = readEXIF(head)
	}
	return f
}

// sniff is http.DetectContentType, with the types added that it leaves out.
func sniff(head []byte) string {
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		switch brand := string(head[8:12]); brand {
		case "avif", "avis":
			return "image/avif"
		case "heic", "heix", "heim", "heis", "hevc", "mif1", "msf1":
			return "image/heic"
		case "M4A ", "M4B ":
			return "audio/mp4"
		case "qt  ":
			return "video/quicktime"
		}
		return "video/mp4"
	}
	switch {
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		return "image/tiff"
	case len(head) > 188 && head[0] == 0x47 && head[188] == 0x47:
		return "video/mp2t"
	case bytes.HasPrefix(head, []byte("FLV\x01")):
		return "video/x-flv"
	case bytes.HasPrefix(head, []byte("fLaC")):
		return "audio/flac"
	case bytes.HasPrefix(head, []byte("#EXTM3U")):
		return "application/vnd.apple.mpegurl"
	case len(head) >= 2 && head[0] == 0xff && head[1]&0xf6 == 0xf0:
		return "audio/aac"
	case len(head) >= 2 && head[0] == 0xff && head[1]&0xe6 == 0xe2:
		return "audio/mpeg"
	}
	start := bytes.TrimLeft(head[:min(len(head), 1024)], "\xef\xbb\xbf \t\r\n")
	if bytes.HasPrefix(start, []byte("<svg")) || bytes.HasPrefix(start, []byte("<?xml")) && bytes.Contains(start, []byte("<svg")) {
		return "image/svg+xml"
	}
	return http.DetectContentType(head)
}

func pixels(head []byte) (w, h int) {
	defer func() {
		if recover() != nil {
			w, h = 0, 0
		}
	}()
	c, _, err := image.DecodeConfig(bytes.NewReader(head))
	if err != nil || c.Width < 0 || c.Height < 0 {
		return 0, 0
	}
	return c.Width, c.Height
}

// exifBlock finds the TIFF structure that holds EXIF: in an APP1 segment of a
// JPEG, an eXIf chunk of a PNG, an EXIF chunk of a WebP, or the file itself
// where it is a TIFF.
func exifBlock(head []byte) []byte {
	switch {
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		return head
	case bytes.HasPrefix(head, []byte("\xff\xd8")):
		for at := 2; at+4 <= len(head) && head[at] == 0xff; {
			marker, n := head[at+1], int(head[at+2])<<8|int(head[at+3])
			if marker == 0xff { // fill byte
				at++
				continue
			}
			if marker == 0xda || marker == 0xd9 || n < 2 {
				return nil
			}
			segment := head[at+4 : min(at+2+n, len(head))]
			if block, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && marker == 0xe1 {
				return block
			}
			at += 2 + n
		}
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		for at := 8; at+8 <= len(head); {
			n := int(head[at])<<24 | int(head[at+1])<<16 | int(head[at+2])<<8 | int(head[at+3])
			if string(head[at+4:at+8]) == "eXIf" {
				return head[at+8 : min(at+8+n, len(head))]
			}
			if n > len(head) {
				return nil
			}
			at += 12 + n
		}
	case len(head) > 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		for at := 12; at+8 <= len(head); {
			n := int(head[at+4]) | int(head[at+5])<<8 | int(head[at+6])<<16 | int(head[at+7])<<24
			if string(head[at:at+4]) == "EXIF" {
				block := head[at+8 : min(at+8+n, len(head))]
				return bytes.TrimPrefix(block, []byte("Exif\x00\x00"))
			}
			if n > len(head) {
				return nil
			}
			at += 8 + n + n&1
		}
	}
	return nil
}

// readEXIF reads the EXIF record, nil if there is none that can be read.
func readEXIF(head []byte) (e *EXIF) {
	defer func() {
		// The decoder panics on some malformed records.
		if recover() != nil {
			e = nil
		}
	}()
	block := exifBlock(head)
	if len(block) < 8 || !bounded(block) {
		return nil
	}
	x, err := exif.Decode(bytes.NewReader(block))
	if x == nil || err != nil && exif.IsCriticalError(err) {
		return nil
	}
	e = &EXIF{Tags: map[string]string{}}
	x.Walk(walker(func(name exif.FieldName, tag *tiff.Tag) error {
		if name == exif.MakerNote || name == exif.ThumbJPEGInterchangeFormat || name == exif.ThumbJPEGInterchangeFormatLength {
			return nil
		}
		if v := text(tag); v != "" {
			e.Tags[string(name)] = v
		}
		return nil
	}))
	e.Time = e.Tags["DateTimeOriginal"]
	if e.Time == "" {
		e.Time = e.Tags["DateTime"]
	}
	e.Make, e.Model, e.Software = e.Tags["Make"], e.Tags["Model"], e.Tags["Software"]
	e.Artist, e.Copyright = e.Tags["Artist"], e.Tags["Copyright"]
	if tag, err := x.Get(exif.Orientation); err == nil {
		if n, err := tag.Int(0); err == nil && n >= 1 && n <= 8 {
			e.Orientation = n
		}
	}
	if lat, long, err := x.LatLong(); err == nil && math.Abs(lat) <= 90 && math.Abs(long) <= 180 {
		e.Lat, e.Long = &lat, &long
	}
	e.GPSTime = gpsTime(x)
	if len(e.Tags) == 0 {
		return nil
	}
	return e
}

type walker func(exif.FieldName, *tiff.Tag) error

func (w walker) Walk(name exif.FieldName, tag *tiff.Tag) error { return w(name, tag) }

// text gives a tag's value as plain text.
func text(tag *tiff.Tag) string {
	s := ""
	if v, err := tag.StringVal(); err == nil {
		s = strings.TrimRight(v, "\x00 ")
	} else if tag.Format() == tiff.OtherVal {
		return ""
	} else {
		s = strings.Trim(tag.String(), `"`)
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, s)
	if len(s) > 256 {
		s = strings.ToValidUTF8(s[:256], "")
	}
	return s
}

// gpsTime is GPSDateStamp and GPSTimeStamp, which are in UTC.
func gpsTime(x *exif.Exif) time.Time {
	day, err := x.Get(exif.GPSDateStamp)
	if err != nil {
		return time.Time{}
	}
	clock, err := x.Get(exif.GPSTimeStamp)
	if err != nil || clock.Count < 3 {
		return time.Time{}
	}
	s, err := day.StringVal()
	if err != nil {
		return time.Time{}
	}
	t, err := time.Parse("2006:01:02", strings.TrimRight(s, "\x00 "))
	if err != nil {
		return time.Time{}
	}
	var parts [3]float64
	for i := range parts {
		num, den, err := clock.Rat2(i)
		if err != nil || den == 0 {
			return time.Time{}
		}
		parts[i] = float64(num) / float64(den)
	}
	if parts[0] < 0 || parts[0] >= 24 || parts[1] < 0 || parts[1] >= 60 || parts[2] < 0 || parts[2] > 60 {
		return time.Time{}
	}
	return t.Add(time.Duration((parts[0]*3600 + parts[1]*60 + parts[2]) * float64(time.Second))).UTC()
}
