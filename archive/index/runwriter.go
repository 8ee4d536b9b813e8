package index

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

const (
	runMagic   = "refrain index run 2\n"
	runEnd     = "\nend of run\n"
	trailerLen = 10*8 + 4 + len(runEnd)

	// blockSize is about how many bytes a block has: what one look-up reads. Of
	// ten million lines at random places, 4 KiB took a microsecond to come from
	// main memory, 1 KiB takes a quarter of that. The tables of blocks have 2.4
	// bytes of memory for each line of the benchmark.
	blockSize = 1 << 10

	pagePairs = 32 // pairs in a page of digests, of which 0.4 bytes of memory are for each
	pairSize  = 16

	// pairsInMemory is how many pairs are sorted in memory (16 MiB) before they
	// go to a temporary file.
	pairsInMemory = 1 << 20
)

// A pair says where the line of a payload digest stands.
type pair struct{ digest, place uint64 }

func comparePairs(a, b pair) int {
	if c := cmp.Compare(a.digest, b.digest); c != 0 {
		return c
	}
	return cmp.Compare(a.place, b.place)
}

const (
	placeBits = 24 // of a place: number of the line in its block
	maxBlocks = 1 << 40
)

// A runWriter writes a run from lines in their order.
type runWriter struct {
	f   *os.File
	w   *bufio.Writer
	at  int64
	err error

	block []byte
	n     uint64 // lines in block
	last  []byte // the line before
	sep   []byte // of block
	prev  []byte // of the block before
	seps  []byte // the table of them
	sizes []byte // the table of blocks' lengths
	count uint64 // blocks written
	lines uint64
	keys  bloom
	pairs pairSorter
}

// newRun begins a run in a temporary file of dir, for at most most lines.
func newRun(dir string, most int64) (*runWriter, error) {
	f, err := os.CreateTemp(dir, "run-*.tmp")
	if err != nil {
		return nil, err
	}
	w := &runWriter{f: f, w: bufio.NewWriterSize(f, 256<<10), keys: newBloom(most), pairs: pairSorter{dir: dir}}
	w.write([]byte(runMagic))
	return w, w.err
}

func (w *runWriter) write(b []byte) {
	if w.err != nil {
		return
	}
	_, w.err = w.w.Write(b)
	w.at += int64(len(b))
}

// summed writes b and its checksum, and gives the offset of b.
func (w *runWriter) summed(b []byte) uint64 {
	at := w.at
	w.write(b)
	w.write(binary.LittleEndian.AppendUint32(nil, checksum(b)))
	return uint64(at)
}

// add takes a line. One that was added before is left out.
func (w *runWriter) add(line []byte) error {
	if w.lines > 0 {
		switch c := bytes.Compare(line, w.last); {
		case c == 0:
			return nil
		case c < 0:
			return errors.New("lines are not in order")
		}
	}
	_, head, ok := fileOf(line)
	if !ok {
		return errLine
	}
	if len(w.block) > 0 && (len(w.block)+len(line) > blockSize || w.n == 1<<placeBits-1) {
		w.flush()
	}
	if len(w.block) == 0 && w.lines > 0 {
		// The shortest text that comes after all lines before and not after this one.
		w.sep = append(w.sep[:0], line[:common(w.last, line)+1]...)
	}
	if number, ok := lineDigest(line, head); ok {
		if err := w.pairs.add(pair{number, w.count<<placeBits | w.n}); err != nil {
			return err
		}
	}
	if key := line[:bytes.LastIndexByte(line[:head], ' ')+1]; len(key) > 0 {
		w.keys.add(keyHash(key[:len(key)-1]))
	}
	w.block = binary.AppendUvarint(w.block, uint64(len(line)))
	w.block = append(w.block, line...)
	w.n++
	w.lines++
	w.last = append(w.last[:0], line...)
	return w.err
}

func (w *runWriter) flush() {
	if len(w.block) == 0 {
		return
	}
	w.summed(w.block)
	w.seps = appendKey(w.seps, int(w.count), w.prev, w.sep)
	w.prev = append(w.prev[:0], w.sep...)
	w.sizes = binary.AppendUvarint(w.sizes, uint64(len(w.block)))
	w.count++
	w.block, w.n = w.block[:0], 0
	if w.count >= maxBlocks || uint64(len(w.seps)) > math.MaxUint32 {
		w.err = errors.New("the run has too many blocks")
	}
}

// finish writes the rest, syncs the file and gives it its name.
func (w *runWriter) finish(name string) (size int64, err error) {
	defer w.pairs.close()
	w.flush()
	pages := w.at
	var first []byte
	digests := newBloom(int64(w.pairs.total))
	page := make([]byte, 0, pagePairs*pairSize)
	count := uint64(0)
	if err := w.pairs.each(func(p pair) error {
		if len(page) == 0 {
			first = binary.LittleEndian.AppendUint64(first, p.digest)
		}
		digests.add(mix(p.digest))
		page = binary.BigEndian.AppendUint64(page, p.digest)
		page = binary.BigEndian.AppendUint64(page, p.place)
		if count++; len(page) == cap(page) {
			w.summed(page)
			page = page[:0]
		}
		return w.err
	}); err != nil {
		return 0, err
	}
	if len(page) > 0 {
		w.summed(page)
	}
	numbers := []uint64{w.lines, w.count, count, uint64(pages)}
	numbers = append(numbers, w.summed(w.sizes), w.summed(w.seps), w.summed(first), w.summed(w.keys.bytes()), w.summed(digests.bytes()), uint64(w.at))
	var trailer []byte
	for _, n := range numbers {
		trailer = binary.LittleEndian.AppendUint64(trailer, n)
	}
	trailer = binary.LittleEndian.AppendUint32(trailer, checksum(trailer))
	w.write(append(trailer, runEnd...))
	if w.err != nil {
		return 0, w.err
	}
	if err := w.w.Flush(); err != nil {
		return 0, err
	}
	if err := errors.Join(w.f.Sync(), w.f.Close()); err != nil {
		return 0, err
	}
	step("run written")
	return w.at, os.Rename(w.f.Name(), name)
}

// abort gives up the run.
func (w *runWriter) abort() {
	w.pairs.close()
	w.f.Close()           //nolint:errcheck // it is removed
	os.Remove(w.f.Name()) //nolint:errcheck // or left, and removed as what index.json does not name
}

// A pairSorter sorts pairs in bounded memory.
type pairSorter struct {
	dir    string
	memory []pair
	file   *os.File
	spills []int64 // ends in file, bytes
	total  int
}

func (s *pairSorter) add(p pair) error {
	s.total++
	s.memory = append(s.memory, p)
	if len(s.memory) < pairsInMemory {
		return nil
	}
	return s.spill()
}

func (s *pairSorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp(s.dir, "digests-*.tmp"); err != nil {
			return err
		}
	}
	slices.SortFunc(s.memory, comparePairs)
	w := bufio.NewWriterSize(s.file, 64<<10)
	var b [pairSize]byte
	for _, p := range s.memory {
		binary.LittleEndian.PutUint64(b[:], p.digest)
		binary.LittleEndian.PutUint64(b[8:], p.place)
		if _, err := w.Write(b[:]); err != nil {
			return err
		}
	}
	end := int64(len(s.memory)) * pairSize
	if n := len(s.spills); n > 0 {
		end += s.spills[n-1]
	}
	s.spills, s.memory = append(s.spills, end), s.memory[:0]
	return w.Flush()
}

// each gives all pairs in order.
func (s *pairSorter) each(yield func(pair) error) error {
	slices.SortFunc(s.memory, comparePairs)
	if s.file == nil {
		for _, p := range s.memory {
			if err := yield(p); err != nil {
				return err
			}
		}
		return nil
	}
	var h pairHeap
	start := int64(0)
	for _, end := range s.spills {
		h = append(h, &pairReader{r: bufio.NewReaderSize(io.NewSectionReader(s.file, start, end-start), 32<<10)})
		start = end
	}
	h = append(h, &pairReader{memory: s.memory})
	kept := h[:0]
	for _, r := range h {
		ok, err := r.next()
		if err != nil {
			return fmt.Errorf("read a temporary file: %w", err)
		}
		if ok {
			kept = append(kept, r)
		}
	}
	h = kept
	heap.Init(&h)
	for len(h) > 0 {
		if err := yield(h[0].pair); err != nil {
			return err
		}
		ok, err := h[0].next()
		if err != nil {
			return fmt.Errorf("read a temporary file: %w", err)
		}
		if ok {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return nil
}

func (s *pairSorter) close() {
	if s.file != nil {
		s.file.Close()           //nolint:errcheck // it is removed
		os.Remove(s.file.Name()) //nolint:errcheck // or left, and removed as what index.json does not name
		s.file = nil
	}
	s.memory = nil
}

type pairReader struct {
	r      *bufio.Reader
	memory []pair
	pair   pair
}

func (r *pairReader) next() (bool, error) {
	if r.r == nil {
		if len(r.memory) == 0 {
			return false, nil
		}
		r.pair, r.memory = r.memory[0], r.memory[1:]
		return true, nil
	}
	var b [pairSize]byte
	switch _, err := io.ReadFull(r.r, b[:]); err {
	case nil:
	case io.EOF:
		return false, nil
	default:
		return false, err
	}
	r.pair = pair{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}
	return true, nil
}

type pairHeap []*pairReader

func (h pairHeap) Len() int           { return len(h) }
func (h pairHeap) Less(i, j int) bool { return comparePairs(h[i].pair, h[j].pair) < 0 }
func (h pairHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *pairHeap) Push(x any)        { *h = append(*h, x.(*pairReader)) }
func (h *pairHeap) Pop() any {
	old := *h
	r := old[len(old)-1]
	*h = old[:len(old)-1]
	return r
}

// step is called at the places where a crash would hurt; tests end the process
// there.
var step = func(string) {}
