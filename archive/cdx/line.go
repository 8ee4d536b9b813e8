package cdx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Line is one line of a CDXJ: where to find one record.
type Line struct {
	Key       string // SURT of the URL: what the file is sorted by
	Timestamp string // of WARC-Date: 14 digits, UTC; 17 (milliseconds) are read too

	URL          string // WARC-Target-URI as it stands in the record
	MIME         string // media type without parameters; warc/revisit for revisits
	Status       string // HTTP status; empty where there is none
	Digest       string // payload digest, labelled
	Length       int64  // bytes of the record in its file, compressed; 0 is unknown
	Offset       int64  // of the record in its file; -1 is unknown
	Filename     string // base name of the file
	RecordDigest string // sha256:HEX of those Length bytes; optional

	Extra []Extra // other fields, in the order of the line
}

// An Extra is a field that Line has no name for.
type Extra struct {
	Name  string
	Value json.RawMessage
}

// MaxLine is the most bytes that a line may have.
const MaxLine = 1 << 20

// Timestamp writes t as the 14 digits that CDXJ wants.
func Timestamp(t time.Time) string { return t.UTC().Format("20060102150405") }

// Time is the moment that l.Timestamp stands for. It is zero if the timestamp
// is not one.
func (l *Line) Time() time.Time {
	for _, layout := range []string{"20060102150405", "20060102150405.000"} {
		s := l.Timestamp
		if len(s) == 17 {
			s = s[:14] + "." + s[14:]
		}
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// String writes the line without its line end.
func (l *Line) String() string { return string(l.Append(nil)) }

// Append appends the line, without its line end, to b. Values are JSON strings,
// numbers too, as other tools write them.
func (l *Line) Append(b []byte) []byte {
	b = append(b, l.Key...)
	b = append(b, ' ')
	b = append(b, l.Timestamp...)
	b = append(b, " {"...)
	start := len(b)
	field := func(name string) {
		if len(b) > start {
			b = append(b, ", "...)
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, `": `...)
	}
	text := func(name, value string) {
		if value != "" {
			field(name)
			b = appendString(b, value)
		}
	}
	number := func(name string, value int64) {
		field(name)
		b = append(b, '"')
		b = strconv.AppendInt(b, value, 10)
		b = append(b, '"')
	}
	text("url", l.URL)
	text("mime", l.MIME)
	text("status", l.Status)
	text("digest", l.Digest)
	if l.Length > 0 {
		number("length", l.Length)
	}
	if l.Offset >= 0 {
		number("offset", l.Offset)
	}
	text("filename", l.Filename)
	text("recordDigest", l.RecordDigest)
	for _, x := range l.Extra {
		if len(b) > start {
			b = append(b, ", "...)
		}
		b = appendString(b, x.Name)
		b = append(b, ": "...)
		b = append(b, x.Value...)
	}
	return append(b, '}')
}

// appendString appends s as a JSON string. What is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < ' ' || c == 0x7f:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			default:
				b = append(b, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, "\uFFFD"...)
		} else {
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return append(b, '"')
}

// ErrNotLine says that a line is not of the form KEY TIMESTAMP {JSON}.
var ErrNotLine = errors.New("cdx: not a CDXJ line")

// ParseLine reads a line, with or without its line end. Values may be strings,
// numbers or null. Header lines ("!meta …", " CDX …") are ErrNotLine.
func ParseLine(b []byte) (Line, error) {
	b = bytes.TrimRight(b, "\r\n")
	if len(b) > MaxLine {
		return Line{}, fmt.Errorf("%w: it is longer than %d bytes", ErrNotLine, MaxLine)
	}
	key, rest, ok := bytes.Cut(b, []byte(" "))
	stamp, rest, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok || !ok2 || len(key) == 0 || len(stamp) == 0 || !digits(stamp) {
		return Line{}, fmt.Errorf("%w: %q does not begin with a key and a timestamp", ErrNotLine, clip(b))
	}
	l := Line{Key: string(key), Timestamp: string(stamp), Offset: -1}
	if l.parseFlat(rest) {
		return l, nil
	}
	// Whatever is not the usual: the JSON library decides.
	l = Line{Key: string(key), Timestamp: string(stamp), Offset: -1}
	d := json.NewDecoder(bytes.NewReader(rest))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return Line{}, fmt.Errorf("%w: %q has no JSON object after the timestamp", ErrNotLine, clip(b))
	}
	for d.More() {
		t, err := d.Token()
		name, isName := t.(string)
		if err != nil || !isName {
			return Line{}, fmt.Errorf("%w: %q: the JSON is broken", ErrNotLine, clip(b))
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return Line{}, fmt.Errorf("%w: field %s of %q: %v", ErrNotLine, name, clip(b), err)
		}
		if err := l.set(name, raw); err != nil {
			return Line{}, fmt.Errorf("%w: %q: %v", ErrNotLine, clip(b), err)
		}
	}
	if _, err := d.Token(); err != nil {
		return Line{}, fmt.Errorf("%w: %q: the JSON is broken", ErrNotLine, clip(b))
	}
	if d.InputOffset() != int64(len(bytes.TrimRight(rest, " \t"))) {
		return Line{}, fmt.Errorf("%w: %q has something after the JSON", ErrNotLine, clip(b))
	}
	return l, nil
}

// parseFlat reads an object whose names and values are strings of printable
// ASCII without escapes, or plain whole numbers, as nearly all lines are. It
// reports false, having set some fields or none, for anything else.
func (l *Line) parseFlat(b []byte) bool {
	at := 0
	blanks := func() {
		for at < len(b) && b[at] == ' ' {
			at++
		}
	}
	take := func(c byte) bool {
		blanks()
		if at < len(b) && b[at] == c {
			at++
			return true
		}
		return false
	}
	text := func() ([]byte, bool) {
		start := at
		for ; at < len(b); at++ {
			switch c := b[at]; {
			case c == '"':
				at++
				return b[start : at-1], true
			case c < ' ' || c >= utf8.RuneSelf || c == '\\':
				return nil, false
			}
		}
		return nil, false
	}
	if !take('{') {
		return false
	}
	if take('}') {
		return at == len(b)
	}
	for {
		if !take('"') {
			return false
		}
		name, ok := text()
		if !ok || !take(':') {
			return false
		}
		blanks()
		start := at
		var value []byte
		if take('"') {
			if value, ok = text(); !ok {
				return false
			}
		} else {
			for at < len(b) && b[at] >= '0' && b[at] <= '9' {
				at++
			}
			if value = b[start:at]; len(value) == 0 || value[0] == '0' && len(value) > 1 {
				return false
			}
		}
		switch string(name) {
		case "url":
			l.URL = string(value)
		case "mime":
			l.MIME = string(value)
		case "status":
			l.Status = string(value)
		case "digest":
			l.Digest = string(value)
		case "filename":
			l.Filename = string(value)
		case "recordDigest":
			l.RecordDigest = string(value)
		case "length", "offset":
			n, err := strconv.ParseUint(string(value), 10, 63)
			if err != nil {
				return false
			}
			if string(name) == "length" {
				l.Length = int64(n)
			} else {
				l.Offset = int64(n)
			}
		default:
			l.Extra = append(l.Extra, Extra{string(name), bytes.Clone(b[start:at])})
		}
		if take('}') {
			return at == len(b)
		}
		if !take(',') {
			return false
		}
	}
}

// set takes one field over.
func (l *Line) set(name string, raw json.RawMessage) error {
	var text *string
	switch name {
	case "url":
		text = &l.URL
	case "mime":
		text = &l.MIME
	case "status":
		text = &l.Status
	case "digest":
		text = &l.Digest
	case "filename":
		text = &l.Filename
	case "recordDigest":
		text = &l.RecordDigest
	case "length", "offset":
		s, err := scalar(raw)
		if err != nil || s == "" || s == "-" {
			return err
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("%s is %q, not a number of bytes", name, s)
		}
		if name == "length" {
			l.Length = n
		} else {
			l.Offset = n
		}
		return nil
	default:
		l.Extra = append(l.Extra, Extra{name, raw})
		return nil
	}
	s, err := scalar(raw)
	if err != nil {
		return fmt.Errorf("%s: %v", name, err)
	}
	*text = s
	return nil
}

// scalar gives a string as it is and a number in its spelling.
func scalar(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", nil
	case raw[0] == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		return string(raw), nil
	}
	return "", errors.New("neither a string nor a number")
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) <= 17
}

func clip(b []byte) string {
	if len(b) > 80 {
		return strings.ToValidUTF8(string(b[:80]), "") + "…"
	}
	return string(b)
}
