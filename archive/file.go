package archive

import (
	"context"
	"fmt"
	"io"

	"github.com/refrain-archive/refrain/archive/blob"
)

// A File is a file of a segment, open for reading at random. It is for one
// reader at a time. Of an object in a bucket it reads whole ranges ahead and
// keeps the last 4 MiB, so that small steps back cost nothing.
type File struct {
	io.ReaderAt
	Size  int64 // bytes
	Open  bool  // it is being written, or its process died: it may end in a part of a record
	close func() error
}

// Close gives back what the file needed.
func (f *File) Close() error { return f.close() }

// OpenFile opens a file of a segment, wherever it is by now: ending is
// WARCEnding, IndexEnding or PostsEnding. The error matches fs.ErrNotExist
// where the segment has no such file.
func (a *Archive) OpenFile(ctx context.Context, name Name, ending string) (*File, error) {
	f, err := a.openFile(ctx, name, ending)
	if err != nil {
		return nil, fmt.Errorf("open %s%s: %w", name, ending, err)
	}
	out := &File{ReaderAt: f.ReaderAt, Size: f.size, Open: f.open, close: f.close}
	if !f.local {
		out.ReaderAt = newPaged(blob.ReaderAt(ctx, a.store, name.Key(ending)), f.size)
	}
	return out, nil
}

// OpenObject opens any object of the archive for reading at random, such as an
// imported file, in the way of OpenFile.
func (a *Archive) OpenObject(ctx context.Context, key string) (*File, error) {
	info, err := a.store.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return &File{ReaderAt: newPaged(blob.ReaderAt(ctx, a.store, key), info.Size), Size: info.Size, close: func() error { return nil }}, nil
}

// Pages of a paged reader.
const (
	pageSize = 64 << 10
	pagesMax = 64 // that are kept
	runMax   = 16 // that are asked for at once
)

// paged reads an object in pages: one at first, more as long as the reading
// goes on, and keeps the last ones.
type paged struct {
	r     io.ReaderAt
	size  int64
	pages map[int64][]byte
	order []int64 // of pages, the oldest first
	next  int64   // page that reading on would ask for
	run   int64
}

func newPaged(r io.ReaderAt, size int64) *paged {
	return &paged{r: r, size: size, pages: map[int64][]byte{}, next: -1}
}

func (p *paged) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) {
		at := off + int64(n)
		if at >= p.size {
			return n, io.EOF
		}
		page, err := p.page(at / pageSize)
		if err != nil {
			return n, err
		}
		n += copy(b[n:], page[at%pageSize:])
	}
	return n, nil
}

func (p *paged) page(i int64) ([]byte, error) {
	if page, ok := p.pages[i]; ok {
		return page, nil
	}
	if i == p.next {
		p.run = min(2*p.run, runMax)
	} else {
		p.run = 1
	}
	from := i * pageSize
	data := make([]byte, min(p.run*pageSize, p.size-from))
	if n, err := p.r.ReadAt(data, from); n < len(data) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	for j := i; len(data) > 0; j++ {
		n := min(pageSize, len(data))
		if _, ok := p.pages[j]; !ok {
			p.order = append(p.order, j)
		}
		p.pages[j] = data[:n:n]
		data = data[n:]
		p.next = j + 1
	}
	for len(p.order) > pagesMax {
		delete(p.pages, p.order[0])
		p.order = p.order[1:]
	}
	return p.pages[i], nil
}
