package blob

import (
	"context"
	"io"
)

// The pieces that a Window reads, in bytes.
const (
	windowMin = 64 << 10
	windowMax = 4 << 20
)

// Window reads an object of size bytes by ranges, in larger pieces than it is
// asked for: at first small ones, growing as long as the reading goes on. It is
// for one reader, and ctx is of that reading.
func Window(ctx context.Context, s Store, key string, size int64) io.ReaderAt {
	return &window{r: ReaderAt(ctx, s, key), size: size}
}

type window struct {
	r     io.ReaderAt
	size  int64
	at    int64
	data  []byte
	grown int64
}

func (w *window) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		if off+int64(n) >= w.size {
			return n, io.EOF
		}
		if in := off + int64(n) - w.at; in >= 0 && in < int64(len(w.data)) {
			n += copy(p[n:], w.data[in:])
			continue
		}
		if off+int64(n) == w.at+int64(len(w.data)) && w.grown > 0 {
			w.grown = min(2*w.grown, windowMax)
		} else {
			w.grown = windowMin
		}
		w.at = off + int64(n)
		size := min(w.grown, w.size-w.at)
		if int64(cap(w.data)) < size {
			w.data = make([]byte, size)
		}
		w.data = w.data[:size]
		if m, err := w.r.ReadAt(w.data, w.at); err != nil && !(err == io.EOF && int64(m) == size) {
			w.data = w.data[:0]
			return n, err
		}
	}
	return n, nil
}
