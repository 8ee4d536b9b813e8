// Package sensitive keeps known illegal or harmful material from being shown or
// handed on: lists of hashes that payloads are compared with, pictures that are
// shown without their detail, and texts without personal data (Redactor).
//
// # A list
//
// is a UTF-8 text file with one entry a line; blank lines and lines that begin
// with # are passed over, but for a line "# name: NAME", which names the list.
//
//	sha256:HEX [note]          a payload, content coding removed; 64 hex digits alone are that too
//	pdq:HEX[:DISTANCE] [note]  a picture whose PDQ hash differs in at most DISTANCE bits
//
// Notes are separated by a blank, tab, comma or semicolon and are not kept.
//
// # What it does not find
//
// A SHA-256 finds the very same bytes and nothing else. A PDQ hash finds a
// picture that was scaled, recoded or lightly changed, not one that was cropped,
// turned or mirrored, no frames of videos, and no picture that cannot be decoded
// (JPEG, PNG, GIF, WebP, BMP, TIFF up to 40 million pixels).
package sensitive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/narrative/image"
)

// DefaultDistance is the distance in bits up to which two PDQ hashes are of one
// picture, where a list says none: what the authors of PDQ recommend for matching
// (31 of 256). Fewer bits miss recoded copies; more bring false ones.
const DefaultDistance = 31

// MaxEntries is how many entries the lists together may have; each takes 50 bytes.
const MaxEntries = 20_000_000

// Lists are one or more lists. They are safe for concurrent use once read. The
// zero Lists hold nothing.
type Lists struct {
	names  []string
	sha256 map[[32]byte]int // index in names
	pdq    image.Set
	of     []pdqEntry // by number in pdq
	most   int        // greatest distance
}

type pdqEntry struct{ list, distance int }

// Open reads list files.
func Open(files ...string) (*Lists, error) {
	l := &Lists{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the list: %w", err)
		}
		err = l.Read(f, filepath.Base(name))
		f.Close() //nolint:errcheck // only read
		if err != nil {
			return nil, fmt.Errorf("read the list %s: %w", name, err)
		}
	}
	return l, nil
}

// Read adds a list. name is what it is called unless it says so itself. A line
// that cannot be understood is an error: a list that is read in part would let
// pass what it was made to keep back.
func (l *Lists) Read(r io.Reader, name string) error {
	if l.sha256 == nil {
		l.sha256 = map[[32]byte]int{}
	}
	at := len(l.names)
	l.names = append(l.names, name)
	lines := bufio.NewScanner(r)
	n, entries := 0, 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if title, ok := strings.CutPrefix(line, "# name:"); ok && strings.TrimSpace(title) != "" {
			l.names[at] = strings.TrimSpace(title)
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if i := strings.IndexAny(line, " \t,;"); i >= 0 {
			line = line[:i]
		}
		if err := l.add(line, at); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		entries++
		if len(l.sha256)+l.pdq.Len() > MaxEntries {
			return fmt.Errorf("line %d: more than %d entries", n, MaxEntries)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	if entries == 0 {
		return fmt.Errorf("it has no entry")
	}
	return nil
}

func (l *Lists) add(entry string, list int) error {
	lower := strings.ToLower(entry)
	if text, ok := strings.CutPrefix(lower, "pdq:"); ok {
		digits, distance, given := strings.Cut(text, ":")
		h, err := image.ParseHash(digits)
		if err != nil {
			return fmt.Errorf("%.80q is no PDQ hash: %w", entry, err)
		}
		e := pdqEntry{list, DefaultDistance}
		if given {
			if e.distance, err = strconv.Atoi(distance); err != nil || e.distance < 0 || e.distance > 64 {
				return fmt.Errorf("%.80q: the distance is a number from 0 to 64", entry)
			}
		}
		l.pdq.Add(h)
		l.of = append(l.of, e)
		l.most = max(l.most, e.distance)
		return nil
	}
	sum, err := hex.DecodeString(strings.TrimPrefix(lower, "sha256:"))
	if err != nil || len(sum) != 32 {
		return fmt.Errorf("%.80q is neither sha256: nor pdq: with 64 hex digits", entry)
	}
	if _, known := l.sha256[[32]byte(sum)]; !known {
		l.sha256[[32]byte(sum)] = list
	}
	return nil
}

// Len is the number of entries.
func (l *Lists) Len() int { return len(l.sha256) + l.pdq.Len() }

// Withhold names the list by which a payload must be kept back, or gives "".
// sha256 is the digest, in hex, of the payload without its content coding; body is
// that payload, nil where it is too large to be looked at, and is read only for
// pictures.
func (l *Lists) Withhold(ctx context.Context, sha256, mediaType string, body []byte) (string, error) {
	if l == nil || l.Len() == 0 {
		return "", nil
	}
	sum, err := hex.DecodeString(sha256)
	if err != nil || len(sum) != 32 {
		return "", fmt.Errorf("compare with the lists: %.80q is no SHA-256", sha256)
	}
	if i, ok := l.sha256[[32]byte(sum)]; ok {
		return l.names[i], nil
	}
	if l.pdq.Len() == 0 || len(body) == 0 || !strings.HasPrefix(mediaType, "image/") && !looksPicture(body) {
		return "", nil
	}
	picture, err := image.Decode(bytes.NewReader(body), image.Limits{})
	if err != nil {
		return "", nil // no picture: a hash of it cannot stand on a list
	}
	h, quality := picture.PDQ()
	if quality < image.MinQuality {
		return "", nil // the hash of a flat picture is noise
	}
	for _, hit := range l.pdq.Search(h, l.most) {
		if e := l.of[hit.Index]; hit.Distance <= e.distance {
			return l.names[e.list], nil
		}
	}
	return "", ctx.Err()
}

// looksPicture reports whether bytes begin like a picture, whatever type they
// were served as.
func looksPicture(b []byte) bool {
	for _, magic := range []string{"\xff\xd8\xff", "\x89PNG", "GIF8", "BM", "II*\x00", "MM\x00*"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return true
		}
	}
	return len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
}
