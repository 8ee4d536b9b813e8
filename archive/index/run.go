package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
	"sort"
	"sync/atomic"
)

// errCorrupt says that a run is not as it was written: the index is made anew.
var errCorrupt = errors.New("the file is damaged")

// A run is a sorted file of lines, open for reading. It is safe for concurrent
// use.
type run struct {
	name  string // base name
	f     *os.File
	size  int64
	lines int64
	temp  bool // the file goes with the last user: lines of an open segment

	mapped []byte // the file; nil: it is read

	seps    keyTree  // where blocks begin
	bases   []int64  // offset of each baseStep-th block
	starts  []uint32 // of blocks, from there on; the last one is the end
	pages   int64    // offset of the digest pages
	pairs   int64
	first   []uint64 // digest of the first pair of each page
	buckets []uint32 // number of pages that begin before each value of the upper bits of a digest
	shift   int      // the other bits
	keys    bloom
	digests bloom

	refs atomic.Int32 // views that have it
}

func openRun(path, name string) (r *run, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close() //nolint:errcheck // only read
			err = fmt.Errorf("open %s: %w", path, err)
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	r = &run{name: name, f: f, size: info.Size()}
	if err := r.open(); err != nil {
		return nil, err
	}
	r.mapped = mapFile(f, r.size)
	return r, nil
}

func (r *run) open() error {
	trailer, err := r.read(r.size-int64(trailerLen), int64(trailerLen))
	if err != nil {
		return err
	}
	body, rest := trailer[:80], trailer[80:]
	if string(rest[4:]) != runEnd || checksum(body) != binary.LittleEndian.Uint32(rest) {
		return fmt.Errorf("%w: it does not end as it should", errCorrupt)
	}
	var n [10]int64
	for i := range n {
		n[i] = int64(binary.LittleEndian.Uint64(body[i*8:]))
		if n[i] < 0 || i != 0 && i != 1 && i != 3 && n[i] > r.size {
			return errCorrupt
		}
	}
	lines, blocks, pairs, pages, lengths, keys, first, keyFilter, digestFilter, end := n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9]
	if end != r.size-int64(trailerLen) || !(pages <= lengths && lengths < keys && keys < first && first < keyFilter && keyFilter < digestFilter && digestFilter < end) {
		return errCorrupt
	}
	r.lines, r.pages, r.pairs = lines, pages, pairs
	b, err := r.summed(lengths, keys-lengths-4)
	if err != nil {
		return err
	}
	if !r.parseLengths(b, blocks) {
		return errCorrupt
	}
	if b, err = r.summed(keys, first-keys-4); err != nil {
		return err
	}
	ok := false
	if r.seps, ok = parseKeys(b, blocks); !ok {
		return errCorrupt
	}
	if b, err = r.summed(first, keyFilter-first-4); err != nil {
		return err
	}
	if int64(len(b)) != (pairs+pagePairs-1)/pagePairs*8 {
		return errCorrupt
	}
	r.parseFirst(b)
	for _, filter := range []struct {
		at, end int64
		to      *bloom
	}{{keyFilter, digestFilter, &r.keys}, {digestFilter, end, &r.digests}} {
		if b, err = r.summed(filter.at, filter.end-filter.at-4); err != nil {
			return err
		}
		if *filter.to, ok = parseBloom(b); !ok {
			return errCorrupt
		}
	}
	return nil
}

// baseStep is how many blocks there are to one offset of 8 bytes; the others
// have 4.
const baseStep = 64

func (r *run) parseLengths(b []byte, blocks int64) bool {
	if blocks > int64(len(b)) {
		return false
	}
	r.starts = make([]uint32, 0, blocks+1)
	at := int64(len(runMagic))
	for i := range blocks + 1 {
		if i%baseStep == 0 {
			r.bases = append(r.bases, at)
		}
		rel := at - r.bases[len(r.bases)-1]
		if rel > math.MaxUint32 {
			return false
		}
		r.starts = append(r.starts, uint32(rel))
		if i == blocks {
			break
		}
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(r.size) {
			return false
		}
		b = b[n:]
		at += int64(length) + 4
	}
	return len(b) == 0 && at == r.pages
}

// blocks gives the number of blocks.
func (r *run) blocks() int { return len(r.starts) - 1 }

// start gives the offset of a block; of the one behind the last, their end.
func (r *run) start(block int) int64 { return r.bases[block/baseStep] + int64(r.starts[block]) }

// parseFirst reads the digests with which pages begin. Those are spread evenly,
// as digests are: by their upper bits, a page is found among a few.
func (r *run) parseFirst(b []byte) {
	r.first = make([]uint64, len(b)/8)
	for i := range r.first {
		r.first[i] = binary.LittleEndian.Uint64(b[i*8:])
	}
	width := max(0, bits.Len(uint(len(r.first)))-1)
	r.shift = 64 - width
	r.buckets = make([]uint32, 0, 1<<width+1)
	for i, f := range r.first {
		for len(r.buckets) <= int(f>>r.shift) {
			r.buckets = append(r.buckets, uint32(i))
		}
	}
	for len(r.buckets) < cap(r.buckets) {
		r.buckets = append(r.buckets, uint32(len(r.first)))
	}
}

// page gives the first page that begins with digest or behind it.
func (r *run) page(digest uint64) int {
	at := int(digest >> r.shift)
	from, to := int(r.buckets[at]), int(r.buckets[at+1])
	return from + sort.Search(to-from, func(i int) bool { return r.first[from+i] >= digest })
}

// read gives a part of the file.
func (r *run) read(at, size int64) ([]byte, error) {
	if at < 0 || size < 0 || at > r.size-size {
		return nil, fmt.Errorf("%w: it is too short", errCorrupt)
	}
	b := make([]byte, size)
	if _, err := r.f.ReadAt(b, at); err != nil {
		return nil, err
	}
	return b, nil
}

// summed gives a part of the file that a checksum follows.
func (r *run) summed(at, size int64) ([]byte, error) { return r.summedIn(nil, at, size) }

// summedIn is summed into a buffer that is used again, if it is large enough.
func (r *run) summedIn(buf []byte, at, size int64) ([]byte, error) {
	if at < 0 || size < 0 || at > r.size-size-4 {
		return nil, fmt.Errorf("%w: it is too short", errCorrupt)
	}
	if int64(cap(buf)) < size+4 {
		buf = make([]byte, size+4)
	}
	b := buf[:size+4]
	if err := r.fill(b, at); err != nil {
		return nil, err
	}
	if checksum(b[:size]) != binary.LittleEndian.Uint32(b[size:]) {
		return nil, fmt.Errorf("%w: a checksum does not fit at offset %d", errCorrupt, at)
	}
	return b[:size], nil
}

// fill reads a part of the file that is looked up.
func (r *run) fill(b []byte, at int64) error {
	if r.mapped != nil {
		return copyMapped(b, r.mapped[at:at+int64(len(b))])
	}
	_, err := r.f.ReadAt(b, at)
	if err == io.EOF {
		err = errCorrupt
	}
	return err
}

// close closes the file, and removes it if it is of an open segment.
func (r *run) close() {
	if r.mapped != nil {
		unmapFile(r.mapped)
		r.mapped = nil
	}
	r.f.Close() //nolint:errcheck // only read
	if r.temp {
		os.Remove(r.f.Name()) //nolint:errcheck // or left, and removed as what index.json does not name
	}
}
