package importers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxValue bounds one line or JSON text of a file, in bytes: what is held in
// memory at once.
const maxValue = 64 << 20

// A broken is a place of a file that could not be read; reading goes on behind
// it.
type broken struct{ why string }

func (b *broken) Error() string { return b.why }

// values calls f for each JSON text of r, with its number: that of its line
// where texts stand one a line, else that of the text in its array or file. A
// line that is too long gives a *broken in its place. Whether a line is JSON is
// told by who reads it; a broken text in an array ends the file with an error.
func values(r io.Reader, l layout, skip int, f func(n int64, text []byte, bad *broken) error) error {
	b := bufio.NewReaderSize(r, 256<<10)
	if _, err := b.Discard(skip); err != nil {
		return err
	}
	if l == layoutLines {
		return jsonLines(b, f)
	}
	if head, _ := b.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		_, _ = b.Discard(3) // they were peeked at
	}
	limit := &limited{r: b}
	d := json.NewDecoder(limit)
	if l == layoutArray {
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			return errors.New("no array where one is due")
		}
	}
	for n := int64(1); ; n++ {
		if l == layoutArray && !d.More() {
			if _, err := d.Token(); err != nil {
				return fmt.Errorf("the array ends early, after element %d: %w", n-1, eof(err))
			}
			return nil
		}
		limit.n = 0
		var raw json.RawMessage
		err := d.Decode(&raw)
		if l == layoutTexts && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("element %d: %w", n, eof(err))
		}
		if err := f(n, raw, nil); err != nil {
			return err
		}
	}
}

func eof(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// limited ends with an error when more than maxValue bytes were read since n
// was set to 0.
type limited struct {
	r io.Reader
	n int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.n > maxValue {
		return 0, fmt.Errorf("it is larger than %d MiB", maxValue>>20)
	}
	n, err := l.r.Read(p)
	l.n += int64(n)
	return n, err
}

func jsonLines(b *bufio.Reader, f func(n int64, text []byte, bad *broken) error) error {
	return textLines(b, func(n int64, line []byte, bad *broken) error {
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
		if bad == nil && len(line) == 0 {
			return nil
		}
		return f(n, line, bad)
	})
}

// whyBroken says what is wrong with a text that is no JSON; "" if it is JSON.
func whyBroken(raw []byte) string {
	var v json.RawMessage
	if err := json.Unmarshal(raw, &v); err != nil {
		return err.Error()
	}
	return ""
}

// textLines calls f for each line of b, without its end. A line that is too
// long is passed over and gives a *broken.
func textLines(b *bufio.Reader, f func(n int64, line []byte, bad *broken) error) error {
	var long []byte
	for n := int64(1); ; n++ {
		line, err := b.ReadSlice('\n')
		var bad *broken
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = b.ReadSlice('\n')
				if len(long)+len(line) > maxValue {
					bad, long = &broken{fmt.Sprintf("the line is longer than %d MiB", maxValue>>20)}, long[:0]
					continue
				}
				if bad == nil {
					long = append(long, line...)
				}
			}
			line = long
			if bad != nil {
				line = nil
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if len(line) > 0 || bad != nil {
			if ferr := f(n, bytes.TrimRight(line, "\r\n"), bad); ferr != nil {
				return ferr
			}
		}
		if err != nil {
			return nil
		}
		if cap(long) > 4<<20 {
			long = nil
		}
	}
}
