package cdx

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"sort"
	"strings"
	"sync"
)

// A File is a sorted CDXJ that is looked up without being read whole. It is
// safe for concurrent use if its io.ReaderAt is.
type File struct {
	r    io.ReaderAt
	size int64
}

// NewFile gives the File of size bytes in r.
func NewFile(r io.ReaderAt, size int64) *File { return &File{r: r, size: size} }

// pageSize is what is read at a time: more than most lines.
const pageSize = 4 << 10

// Find gives the lines of a key, in the order of their timestamps. An error
// ends them.
func (f *File) Find(key string) iter.Seq2[Line, error] {
	return f.from(key+" ", func(line []byte) bool { return strings.HasPrefix(string(line), key+" ") })
}

// FindPrefix gives the lines whose key begins with prefix: "com,example," is
// all hosts below example.com.
func (f *File) FindPrefix(prefix string) iter.Seq2[Line, error] {
	return f.from(prefix, func(line []byte) bool { return bytes.HasPrefix(line, []byte(prefix)) })
}

// All gives all lines.
func (f *File) All() iter.Seq2[Line, error] {
	return f.from("", func([]byte) bool { return true })
}

// from gives the lines from the first one that is not before target, as long as
// they are wanted.
func (f *File) from(target string, wanted func([]byte) bool) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		p, err := f.seek([]byte(target))
		if err != nil {
			yield(Line{}, err)
			return
		}
		defer func() {
			p.f = nil
			pagers.Put(p)
		}()
		for {
			line, err := p.line()
			if err == io.EOF || err == nil && !wanted(line) {
				return
			}
			var l Line
			if err == nil {
				l, err = ParseLine(line)
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// seek gives a pager at the first line that is not before target.
func (f *File) seek(target []byte) (*pager, error) {
	p := pagers.Get().(*pager)
	p.f, p.at, p.buf = f, 0, p.buf[:0]
	if len(target) == 0 {
		return p, nil
	}
	// A page's first whole line decides on which side of the page to go on.
	pages := (f.size + pageSize - 1) / pageSize
	var failed error
	n := sort.Search(int(pages), func(i int) bool {
		if failed != nil {
			return true
		}
		p.at = int64(i) * pageSize
		if i > 0 {
			p.at--
			if _, err := p.line(); err != nil {
				failed = ignoreEOF(err)
				return true
			}
		}
		line, err := p.line()
		if err != nil {
			failed = ignoreEOF(err)
			return true
		}
		return bytes.Compare(line, target) >= 0
	})
	if failed != nil {
		return nil, failed
	}
	if p.at = max(0, int64(n-1)*pageSize); p.at > 0 {
		p.at--
		if _, err := p.line(); err != nil {
			return p, ignoreEOF(err)
		}
	}
	for {
		at := p.at
		line, err := p.line()
		if err != nil {
			return p, ignoreEOF(err)
		}
		if bytes.Compare(line, target) >= 0 {
			p.at = at
			return p, nil
		}
	}
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// pagers keeps the buffers of look-ups that have ended.
var pagers = sync.Pool{New: func() any { return &pager{buf: make([]byte, 0, pageSize)} }}

// A pager reads lines from an offset on.
type pager struct {
	f     *File
	at    int64 // of the next line
	buf   []byte
	start int64 // of buf
}

// line gives the next line without its line end. It is valid until the next
// call.
func (p *pager) line() ([]byte, error) {
	if p.at >= p.f.size {
		return nil, io.EOF
	}
	for size := int64(pageSize); ; size *= 4 {
		if in := p.at - p.start; in >= 0 && in < int64(len(p.buf)) {
			rest := p.buf[in:]
			if i := bytes.IndexByte(rest, '\n'); i >= 0 {
				p.at += int64(i) + 1
				return rest[:i], nil
			}
			if p.start+int64(len(p.buf)) >= p.f.size {
				p.at = p.f.size
				return rest, nil
			}
			if len(rest) > MaxLine {
				return nil, fmt.Errorf("cdx: the line at offset %d is longer than %d bytes", p.at, MaxLine)
			}
		}
		size = min(size, p.f.size-p.at)
		if int64(cap(p.buf)) < size {
			p.buf = make([]byte, size)
		}
		p.buf, p.start = p.buf[:size], p.at
		n, err := p.f.r.ReadAt(p.buf, p.at)
		p.buf = p.buf[:n]
		if int64(n) < size {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("cdx: read at offset %d: %w", p.at, err)
		}
	}
}
