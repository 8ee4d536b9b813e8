package capture

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
)

// chunkSize is the size of the pieces of memory that buffers are made of.
const chunkSize = 32 << 10

type chunk [chunkSize]byte

var chunkPool = sync.Pool{New: func() any { return new(chunk) }}

// A buffer holds bytes as they arrive: in pooled memory up to SpoolAbove, in a
// temporary file beyond it. Its zero value with dir set is empty. It is not
// safe for concurrent use.
type buffer struct {
	dir   string
	size  int64
	mem   []*chunk // bytes from filed on
	file  *os.File
	filed int64  // bytes in file
	path  string // to remove at the end; "" if the file has no name any more
}

// append adds p. After an error the buffer is good for free only.
func (b *buffer) append(p []byte) error {
	for len(p) > 0 {
		used := int(b.size - b.filed)
		i, at := used/chunkSize, used%chunkSize
		if i == len(b.mem) {
			if used > 0 && (b.file != nil || used >= SpoolAbove) {
				if err := b.spill(); err != nil {
					return err
				}
				continue
			}
			b.mem = append(b.mem, chunkPool.Get().(*chunk))
		}
		n := copy(b.mem[i][at:], p)
		b.size += int64(n)
		p = p[n:]
	}
	return nil
}

// spill moves what is in memory to the file and keeps one empty chunk.
func (b *buffer) spill() error {
	if b.file == nil {
		file, err := os.CreateTemp(b.dir, "refrain-spool-*")
		if err != nil {
			return fmt.Errorf("spool a body over %d bytes: %w", SpoolAbove, err)
		}
		b.file, b.path = file, file.Name()
		// Without a name the file vanishes with the process, however that ends.
		if runtime.GOOS != "windows" && os.Remove(b.path) == nil {
			b.path = ""
		}
	}
	for i, left := 0, b.size-b.filed; left > 0; i++ {
		n := min(left, chunkSize)
		if _, err := b.file.WriteAt(b.mem[i][:n], b.filed); err != nil {
			return fmt.Errorf("spool a body over %d bytes to %s: %w", SpoolAbove, b.dirName(), err)
		}
		b.filed += n
		left -= n
	}
	for _, c := range b.mem[1:] {
		chunkPool.Put(c)
	}
	clear(b.mem[1:])
	b.mem = b.mem[:1]
	return nil
}

func (b *buffer) dirName() string {
	if b.dir == "" {
		return os.TempDir()
	}
	return b.dir
}

// truncate drops all but the first size bytes.
func (b *buffer) truncate(size int64) {
	b.size = size
	b.filed = min(b.filed, size)
}

// ReadAt implements io.ReaderAt.
func (b *buffer) ReadAt(p []byte, off int64) (int, error) {
	return b.at(p, off, (*os.File).ReadAt, func(in, p []byte) int { return copy(p, in) })
}

// WriteAt replaces bytes that are there; it does not make the buffer longer.
func (b *buffer) WriteAt(p []byte, off int64) (int, error) {
	return b.at(p, off, (*os.File).WriteAt, func(in, p []byte) int { return copy(in, p) })
}

func (b *buffer) at(p []byte, off int64, file func(*os.File, []byte, int64) (int, error), mem func(in, p []byte) int) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("negative offset %d in a block", off)
	}
	for n < len(p) {
		at := off + int64(n)
		if at >= b.size {
			return n, io.EOF
		}
		var m int
		if at < b.filed {
			m, err = file(b.file, p[n:n+int(min(int64(len(p)-n), b.filed-at))], at)
			if err != nil && !(err == io.EOF && m > 0) {
				return n + m, fmt.Errorf("read a spooled block: %w", err)
			}
		} else {
			in := b.mem[(at-b.filed)/chunkSize][(at-b.filed)%chunkSize:]
			in = in[:min(int64(len(in)), b.size-at)]
			m = mem(in, p[n:])
		}
		n += m
	}
	return n, nil
}

// pieces calls f for all bytes from off to end in order, without copying
// those that are in memory.
func (b *buffer) pieces(off, end int64, f func([]byte)) error {
	for off < min(end, b.filed) {
		c := chunkPool.Get().(*chunk)
		n, err := b.ReadAt(c[:min(chunkSize, min(end, b.filed)-off)], off)
		f(c[:n])
		chunkPool.Put(c)
		if err != nil {
			return err
		}
		off += int64(n)
	}
	for off < end {
		in := b.mem[(off-b.filed)/chunkSize][(off-b.filed)%chunkSize:]
		in = in[:min(int64(len(in)), end-off)]
		f(in)
		off += int64(len(in))
	}
	return nil
}

// free gives back memory and removes the file. The buffer is empty afterwards.
func (b *buffer) free() {
	for _, c := range b.mem {
		chunkPool.Put(c)
	}
	if b.file != nil {
		b.file.Close()
		if b.path != "" {
			os.Remove(b.path)
		}
	}
	*b = buffer{dir: b.dir}
}
