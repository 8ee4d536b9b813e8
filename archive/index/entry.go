package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"unsafe"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

// maxKey is the length in bytes from which on a key is cut: the table of blocks
// is held in memory, and a hostile file may have keys of a megabyte.
const maxKey = 1000

// cutKey gives the key as it stands in the index.
func cutKey(key string) string {
	if strings.IndexByte(key, 0) >= 0 {
		key = strings.ReplaceAll(key, "\x00", "%00")
	}
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return key[:maxKey] + "~" + hex.EncodeToString(sum[:])
}

// maxTimestamp is the number of digits that a timestamp may have.
const maxTimestamp = 17

// appendLine appends a line as a run holds it, without its length.
func appendLine(b []byte, l *cdx.Line, file uint32) []byte {
	b = append(b, cutKey(l.Key)...)
	b = append(b, ' ')
	b = append(b, l.Timestamp...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint32(b, file)
	b = binary.BigEndian.AppendUint64(b, uint64(l.Offset))
	b = binary.AppendUvarint(b, uint64(l.Length))
	b = appendDigest(b, l.Digest)
	b = appendDigest(b, l.RecordDigest)
	b = appendText(b, l.Status)
	b = appendText(b, l.MIME)
	b = appendText(b, l.URL)
	b = binary.AppendUvarint(b, uint64(len(l.Extra)))
	for _, x := range l.Extra {
		b = appendText(b, x.Name)
		b = appendText(b, string(x.Value))
	}
	return b
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// The forms of a digest in a line.
const (
	digestNone = iota
	digestSHA256
	digestSHA1
	digestText
)

func appendDigest(b []byte, s string) []byte {
	switch {
	case s == "":
		return append(b, digestNone)
	case len(s) == 7+64 && strings.HasPrefix(s, "sha256:"):
		at := len(b)
		b = append(b, digestSHA256)
		b, err := hex.AppendDecode(b, []byte(s[7:]))
		if err == nil && strings.ToLower(s[7:]) == s[7:] {
			return b
		}
		b = append(b[:at], digestText)
		return appendText(b, s)
	case len(s) == 5+32 && strings.HasPrefix(s, "sha1:"):
		sum, err := base32.StdEncoding.DecodeString(s[5:])
		if err == nil && len(sum) == 20 {
			return append(append(b, digestSHA1), sum...)
		}
	}
	return appendText(append(b, digestText), s)
}

// fileOf gives the number of the file that a line is of, and where its head
// (key and timestamp) ends.
func fileOf(line []byte) (file uint32, head int, ok bool) {
	head = bytes.IndexByte(line, 0)
	if head < 0 || len(line) < head+13 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(line[head+1:]), head, true
}

var errLine = errors.New("a line cannot be understood")

// A cutter takes values off the front of a line.
type cutter struct {
	s   string
	bad bool
}

func (c *cutter) number() uint64 {
	// binary.Uvarint takes bytes only.
	var x uint64
	for i := 0; i < len(c.s) && i < binary.MaxVarintLen64; i++ {
		b := c.s[i]
		if b < 0x80 {
			c.s = c.s[i+1:]
			return x | uint64(b)<<(7*i)
		}
		x |= uint64(b&0x7f) << (7 * i)
	}
	c.bad = true
	return 0
}

func (c *cutter) take(n uint64) string {
	if c.bad || n > uint64(len(c.s)) {
		c.bad = true
		return ""
	}
	part := c.s[:n]
	c.s = c.s[n:]
	return part
}

func (c *cutter) text() string { return c.take(c.number()) }

func (c *cutter) digest() string {
	switch kind := c.take(1); {
	case c.bad || kind[0] == digestNone:
		return ""
	case kind[0] == digestSHA256:
		sum := c.take(32)
		b := make([]byte, 7, 7+64)
		copy(b, "sha256:")
		b = hex.AppendEncode(b, unsafe.Slice(unsafe.StringData(sum), len(sum)))
		return unsafe.String(unsafe.SliceData(b), len(b))
	case kind[0] == digestSHA1:
		return "sha1:" + base32.StdEncoding.EncodeToString([]byte(c.take(20)))
	case kind[0] == digestText:
		return c.text()
	}
	c.bad = true
	return ""
}

// parseLine reads a line of a run. The strings of l share one copy of it.
func parseLine(line []byte, l *cdx.Line) (file uint32, err error) {
	file, head, ok := fileOf(line)
	if !ok {
		return 0, errLine
	}
	s := string(line)
	space := strings.LastIndexByte(s[:head], ' ')
	if space < 0 {
		return 0, errLine
	}
	l.Key, l.Timestamp = s[:space], s[space+1:head]
	l.Offset = int64(binary.BigEndian.Uint64(line[head+5:]))
	c := cutter{s: s[head+13:]}
	l.Length = int64(c.number())
	l.Digest = c.digest()
	l.RecordDigest = c.digest()
	l.Status, l.MIME, l.URL = c.text(), c.text(), c.text()
	l.Extra = nil
	for n := c.number(); n > 0 && !c.bad; n-- {
		l.Extra = append(l.Extra, cdx.Extra{Name: c.text(), Value: []byte(c.text())})
	}
	if c.bad || c.s != "" {
		return 0, errLine
	}
	return file, nil
}

// lineDigest gives the number under which the payload digest of a line stands in
// the digest pages; false if it has none.
func lineDigest(line []byte, head int) (uint64, bool) {
	rest := line[head+13:]
	_, n := binary.Uvarint(rest)
	if n <= 0 || n >= len(rest) {
		return 0, false
	}
	rest = rest[n:]
	switch {
	case rest[0] == digestSHA256 && len(rest) >= 33, rest[0] == digestSHA1 && len(rest) >= 21:
		return binary.BigEndian.Uint64(rest[1:]), true
	case rest[0] == digestText:
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return 0, false
		}
		number, _ := digestNumber(string(rest[1+n : 1+n+int(size)]))
		return number, true
	}
	return 0, false
}

// digestNumber gives the number of a digest as text, and the digest in one
// spelling.
func digestNumber(s string) (uint64, string) {
	d, err := warc.ParseDigest(s)
	if err != nil {
		h := fnv.New64a()
		h.Write([]byte(s))
		return h.Sum64(), s
	}
	return binary.BigEndian.Uint64(d.Sum), d.String()
}

// sameDigest reports whether two digests are the same, however they are spelled.
func sameDigest(a, b string) bool {
	if a == b {
		return a != ""
	}
	x, errA := warc.ParseDigest(a)
	y, errB := warc.ParseDigest(b)
	return errA == nil && errB == nil && x.Equal(y)
}

// checkLine says why a line of a CDXJ cannot be taken in.
func checkLine(l *cdx.Line) error {
	switch {
	case l.Offset < 0:
		return fmt.Errorf("it has no offset: %.200s", l.URL)
	case l.URL == "":
		return errors.New("it has no url")
	case len(l.Timestamp) > maxTimestamp:
		return fmt.Errorf("its timestamp has %d digits", len(l.Timestamp))
	}
	return nil
}
