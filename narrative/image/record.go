package image

import (
	"encoding/binary"
	"fmt"
	"image"

	"github.com/refrain-archive/refrain/internal/filelog"
)

const logMagic = "RFIMG01\n"

// A Digest is the SHA-256 of a file.
type Digest = filelog.Digest

// ParseDigest reads 64 hexadecimal digits, with or without "sha256:" before them.
func ParseDigest(s string) (Digest, error) { return filelog.ParseDigest(s) }

// A record is what is kept of one file.
type record struct {
	leader  uint32 // the picture that founded its group, itself if it did
	format  string
	width   int // of the file
	height  int
	w, h    int             // of the Grey
	trimmed image.Rectangle // empty: nothing to trim
	views   []packed
	hashes  []Hash
	detail  []byte // JPEG
	refused string // why it could not be read as a picture
}

// viewBytes is what a view takes in a record: code, quality, hash.
const viewBytes = 2 + 32

func (r *record) encode() []byte {
	var b []byte
	for _, n := range []int{int(r.leader), r.width, r.height, r.w, r.h, r.trimmed.Min.X, r.trimmed.Min.Y, r.trimmed.Max.X, r.trimmed.Max.Y, len(r.format)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = append(b, r.format...)
	b = binary.AppendUvarint(b, uint64(len(r.refused)))
	b = append(b, r.refused...)
	b = binary.AppendUvarint(b, uint64(len(r.views)))
	for i, v := range r.views {
		b = append(b, v.code, v.quality)
		for _, w := range r.hashes[i] {
			b = binary.BigEndian.AppendUint64(b, w)
		}
	}
	return append(b, r.detail...)
}

func decodeRecord(b []byte) (r record, err error) {
	bad := false
	number := func() int {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > 1<<32-1 {
			bad = true
			return 0
		}
		b = b[k:]
		return int(n)
	}
	text := func() string {
		n := number()
		if bad || n > len(b) {
			bad = true
			return ""
		}
		s := string(b[:n])
		b = b[n:]
		return s
	}
	r.leader, r.width, r.height, r.w, r.h = uint32(number()), number(), number(), number(), number()
	r.trimmed.Min.X, r.trimmed.Min.Y, r.trimmed.Max.X, r.trimmed.Max.Y = number(), number(), number(), number()
	r.format = text()
	r.refused = text()
	n := number()
	if bad || r.w > maxSide || r.h > maxSide || !r.trimmed.In(image.Rect(0, 0, r.w, r.h)) || n > 2*codeBase || n*viewBytes > len(b) {
		return record{}, filelog.ErrRecord
	}
	for range n {
		r.views = append(r.views, packed{b[0], b[1]})
		var h Hash
		for i := range h {
			h[i] = binary.BigEndian.Uint64(b[2+8*i:])
		}
		r.hashes = append(r.hashes, h)
		b = b[viewBytes:]
	}
	r.detail = b
	return r, nil
}

// A Kind says as what a picture was shown.
type Kind uint8

const (
	// Shown: a picture of a post.
	Shown Kind = iota
	// Avatar: the portrait or banner of an account.
	Avatar
	// Thumbnail: the still that stands for a video.
	Thumbnail
)

var kindNames = []string{"picture", "avatar", "thumbnail"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// MarshalText gives the form of String.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Use is one place where a picture was shown.
type Use struct {
	Key  string `json:"key"`
	Kind Kind   `json:"kind"`
}
