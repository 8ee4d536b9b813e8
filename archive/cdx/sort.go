package cdx

import (
	"bufio"
	"bytes"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// SortOptions says how much memory a Sorter takes. The zero value takes about
// 64 MiB.
type SortOptions struct {
	Memory int    // bytes of lines that are sorted in memory before they go to a temporary file; 0 is 48 MiB
	Dir    string // for temporary files; empty is the system's
}

// A Sorter puts lines into the order of a CDXJ: by their bytes, each once. It
// keeps a bounded number of lines in memory and the rest in temporary files.
// Close it in any case.
type Sorter struct {
	o     SortOptions
	data  []byte
	spans []span // of lines in data
	runs  []*os.File
	err   error
}

type span struct{ start, end int }

// spanCost is what a span takes beside its bytes.
const spanCost = 16

// maxRuns is the number of temporary files that are merged at a time.
const maxRuns = 64

// NewSorter gives an empty Sorter.
func NewSorter(o SortOptions) *Sorter {
	if o.Memory <= 0 {
		o.Memory = 48 << 20
	}
	return &Sorter{o: o}
}

// Add takes a line.
func (s *Sorter) Add(l *Line) error {
	start := len(s.data)
	s.data = l.Append(s.data)
	return s.added(start)
}

// AddBytes takes a line as it is, with or without its line end.
func (s *Sorter) AddBytes(line []byte) error {
	start := len(s.data)
	s.data = append(s.data, bytes.TrimRight(line, "\r\n")...)
	return s.added(start)
}

func (s *Sorter) added(start int) error {
	if s.err != nil {
		return s.err
	}
	if len(s.data) == start {
		return nil
	}
	s.spans = append(s.spans, span{start, len(s.data)})
	if len(s.data)+spanCost*len(s.spans) >= s.o.Memory {
		s.err = s.spill()
	}
	return s.err
}

// sort puts the lines in memory into order.
func (s *Sorter) sort() {
	slices.SortFunc(s.spans, func(a, b span) int {
		return bytes.Compare(s.data[a.start:a.end], s.data[b.start:b.end])
	})
}

// spill writes the lines in memory to a temporary file.
func (s *Sorter) spill() error {
	if len(s.runs) >= maxRuns {
		if err := s.mergeRuns(); err != nil {
			return err
		}
	}
	s.sort()
	f, err := s.temp()
	if err != nil {
		return err
	}
	w := &unique{w: bufio.NewWriterSize(f, 64<<10)}
	for _, p := range s.spans {
		if err := w.line(s.data[p.start:p.end]); err != nil {
			return fmt.Errorf("cdx: sort: %w", err)
		}
	}
	if err := w.w.Flush(); err != nil {
		return fmt.Errorf("cdx: sort: %w", err)
	}
	s.data, s.spans = s.data[:0], s.spans[:0]
	return nil
}

// temp opens a temporary file as a further run.
func (s *Sorter) temp() (*os.File, error) {
	f, err := os.CreateTemp(s.o.Dir, "cdxj-sort-*")
	if err != nil {
		return nil, fmt.Errorf("cdx: sort: %w", err)
	}
	s.runs = append(s.runs, f)
	return f, nil
}

// mergeRuns makes one run of all.
func (s *Sorter) mergeRuns() error {
	old := s.runs
	s.runs = nil
	defer closeRuns(old)
	f, err := s.temp()
	if err != nil {
		return err
	}
	w := &unique{w: bufio.NewWriterSize(f, 64<<10)}
	if err := merge(context.Background(), old, nil, w); err != nil {
		return err
	}
	return w.w.Flush()
}

// WriteTo writes all lines in order and gives the number of bytes written. The
// Sorter is then empty.
func (s *Sorter) WriteTo(w io.Writer) (int64, error) { return s.write(context.Background(), w) }

func (s *Sorter) write(ctx context.Context, w io.Writer) (int64, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.sort()
	u := &unique{w: bufio.NewWriterSize(w, 64<<10)}
	memory := make([][]byte, len(s.spans))
	for i, p := range s.spans {
		memory[i] = s.data[p.start:p.end]
	}
	err := merge(ctx, s.runs, memory, u)
	if err == nil {
		err = u.w.Flush()
	}
	closeRuns(s.runs)
	s.data, s.spans, s.runs = nil, nil, nil
	return u.n, err
}

// Close removes temporary files.
func (s *Sorter) Close() error {
	closeRuns(s.runs)
	s.runs = nil
	if s.err == nil {
		s.err = errors.New("cdx: the sorter is closed")
	}
	return nil
}

func closeRuns(runs []*os.File) {
	for _, f := range runs {
		f.Close()
		os.Remove(f.Name())
	}
}

// unique writes lines and leaves out one that equals the line before.
type unique struct {
	w    *bufio.Writer
	last []byte
	any  bool
	n    int64
}

func (u *unique) line(b []byte) error {
	if u.any && bytes.Equal(u.last, b) {
		return nil
	}
	u.last, u.any = append(u.last[:0], b...), true
	u.n += int64(len(b)) + 1
	if _, err := u.w.Write(b); err != nil {
		return err
	}
	return u.w.WriteByte('\n')
}

// A run is a sorted list of lines being merged.
type run struct {
	file   *bufio.Scanner
	memory [][]byte
	line   []byte
}

// next goes to the next line, and reports false at the end.
func (r *run) next() (bool, error) {
	if r.file == nil {
		if len(r.memory) == 0 {
			return false, nil
		}
		r.line, r.memory = r.memory[0], r.memory[1:]
		return true, nil
	}
	if !r.file.Scan() {
		return false, r.file.Err()
	}
	r.line = r.file.Bytes()
	return true, nil
}

type runHeap []*run

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return bytes.Compare(h[i].line, h[j].line) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)        { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	old := *h
	r := old[len(old)-1]
	*h = old[:len(old)-1]
	return r
}

// merge writes the lines of all runs in order.
func merge(ctx context.Context, files []*os.File, memory [][]byte, w *unique) error {
	var h runHeap
	add := func(r *run) error {
		ok, err := r.next()
		if ok {
			h = append(h, r)
		}
		return err
	}
	for _, f := range files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("cdx: sort: %w", err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(make([]byte, 32<<10), MaxLine+2)
		if err := add(&run{file: sc}); err != nil {
			return fmt.Errorf("cdx: sort: read a temporary file: %w", err)
		}
	}
	if err := add(&run{memory: memory}); err != nil {
		return err
	}
	heap.Init(&h)
	for n := 0; len(h) > 0; n++ {
		if n%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("cdx: sort: %w", err)
			}
		}
		if err := w.line(h[0].line); err != nil {
			return fmt.Errorf("cdx: sort: %w", err)
		}
		ok, err := h[0].next()
		if err != nil {
			return fmt.Errorf("cdx: sort: read a temporary file: %w", err)
		}
		if ok {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return nil
}

// Sort reads lines from in and writes them to out in the order of a CDXJ, each
// once, empty ones left out. A line longer than MaxLine is an error.
func Sort(ctx context.Context, in io.Reader, out io.Writer, o SortOptions) error {
	s := NewSorter(o)
	defer s.Close()
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 64<<10), MaxLine+2)
	for n := 0; sc.Scan(); n++ {
		if n%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("cdx: sort: %w", err)
			}
		}
		if err := s.AddBytes(sc.Bytes()); err != nil {
			return err
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("cdx: sort: %w", err)
	}
	_, err := s.write(ctx, out)
	return err
}
