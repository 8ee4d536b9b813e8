package archive

import (
	"bufio"
	"bytes"
	"container/heap"
	"io"
	"slices"

	"github.com/refrain-archive/refrain/internal/fsys"
)

// runSize is how many bytes of index lines are sorted in memory.
const runSize = 1 << 20

// An index gathers CDXJ lines in any order, in bounded memory: when there are
// runSize bytes of them they are sorted and go to the file as one run. merge
// then gives all lines sorted, without duplicates.
type index struct {
	file  fsys.File
	lines []byte // not yet in a run, each with its line end
	ends  []int  // of lines
	runs  []run
	size  int64 // of file
}

type run struct{ offset, size int64 }

func (x *index) add(line []byte) error {
	x.lines = append(append(x.lines, line...), '\n')
	x.ends = append(x.ends, len(x.lines))
	if len(x.lines) < runSize {
		return nil
	}
	return x.spill()
}

// sorted gives the lines in memory in order.
func (x *index) sorted() [][]byte {
	lines := make([][]byte, len(x.ends))
	start := 0
	for i, end := range x.ends {
		lines[i], start = x.lines[start:end], end
	}
	slices.SortFunc(lines, bytes.Compare)
	return lines
}

func (x *index) spill() error {
	if len(x.ends) == 0 {
		return nil
	}
	out := bufio.NewWriterSize(x.file, 64<<10)
	for _, line := range x.sorted() {
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	x.runs = append(x.runs, run{x.size, int64(len(x.lines))})
	x.size += int64(len(x.lines))
	x.lines, x.ends = x.lines[:0], x.ends[:0]
	return nil
}

// merge writes all lines in order to w.
func (x *index) merge(w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	var last []byte
	put := func(line []byte) error {
		if bytes.Equal(line, last) {
			return nil
		}
		last = append(last[:0], line...)
		_, err := out.Write(line)
		return err
	}
	if len(x.runs) == 0 {
		for _, line := range x.sorted() {
			if err := put(line); err != nil {
				return err
			}
		}
		return out.Flush()
	}
	if err := x.spill(); err != nil {
		return err
	}
	var h runHeap
	for _, r := range x.runs {
		s := &runReader{r: bufio.NewReaderSize(io.NewSectionReader(x.file, r.offset, r.size), 32<<10)}
		if err := s.next(); err != nil {
			return err
		}
		h = append(h, s)
	}
	heap.Init(&h)
	for len(h) > 0 {
		if err := put(h[0].line); err != nil {
			return err
		}
		switch err := h[0].next(); err {
		case nil:
			heap.Fix(&h, 0)
		case io.EOF:
			heap.Pop(&h)
		default:
			return err
		}
	}
	return out.Flush()
}

type runReader struct {
	r    *bufio.Reader
	line []byte
}

func (s *runReader) next() error {
	s.line = s.line[:0]
	for {
		part, err := s.r.ReadSlice('\n')
		s.line = append(s.line, part...)
		if err != bufio.ErrBufferFull {
			if err == io.EOF && len(s.line) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
}

type runHeap []*runReader

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return bytes.Compare(h[i].line, h[j].line) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)        { *h = append(*h, x.(*runReader)) }
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
