package text

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/internal/fsys"
)

const (
	snapshotMagic  = "RFSNAP1\n"
	snapshotPrefix = "snapshot-"
	// snapshotFormat is the version of what lies in a snapshot: of the arrays,
	// and of which features a text has.
	snapshotFormat = 3
)

// A snapshotHeader says how long the arrays are that follow it, in elements.
type snapshotHeader struct {
	Format int    `json:"format"`
	Rules  string `json:"rules"` // version of the folding rules
	Order  string `json:"order"` // of bytes: little or big
	Log    int64  `json:"log"`   // bytes of the log that are in it
	// LogCRC is the checksum of the last bytes of the log before Log: a snapshot
	// of another log is not used.
	LogCRC uint32 `json:"log_crc"`

	Depth  uint   `json:"depth"`
	Used   int    `json:"used"` // slab units of the last chunk
	Counts [3]int `json:"tables"`
	Arrays []int  `json:"arrays"`
}

// lists gives the arrays of the index in the order of a snapshot: those of
// uint32, of bytes, and of uint64.
func (ix *Index) lists() (words []*array[uint32], bytes []*array[uint8], cells *array[uint64]) {
	return []*array[uint32]{&ix.words.hash, &ix.words.texts, &ix.words.at, &ix.textAt, &ix.hashes, &ix.last, &ix.postAt, &ix.keys, &ix.next},
		[]*array[uint8]{&ix.words.folded, &ix.tokens}, &ix.posts.cells
}

func (ix *Index) tables() [3]*table { return [3]*table{&ix.words.table, &ix.exact, &ix.byKey} }

// save writes a snapshot of what is in memory; the log must be synced.
func (ix *Index) save() (err error) {
	name := filepath.Join(ix.dir, snapshotPrefix+strconv.FormatInt(ix.log.end(), 10))
	tmp := name + ".open"
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing the snapshot %s: %w", name, err)
		}
	}()
	if _, err := ix.fs.Stat(name); err == nil {
		return nil // of the same log
	}
	crc, err := ix.log.checksum(ix.log.end())
	if err != nil {
		return err
	}
	if err := ix.fs.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := ix.fs.Create(tmp)
	if err != nil {
		return err
	}
	w := &sumWriter{w: f, sum: crc32.New(castagnoli)}
	h := snapshotHeader{Format: snapshotFormat, Rules: version(), Order: byteOrder(), Log: ix.log.end(), LogCRC: crc, Depth: ix.posts.depth, Used: ix.posts.slab.used}
	words, bytes, cells := ix.lists()
	for i, t := range ix.tables() {
		h.Counts[i] = t.used
		h.Arrays = append(h.Arrays, len(t.slots))
	}
	for _, a := range words {
		h.Arrays = append(h.Arrays, a.n)
	}
	for _, a := range bytes {
		h.Arrays = append(h.Arrays, a.n)
	}
	var free []uint32 // units, how many blocks, the blocks
	for units, list := range ix.posts.slab.free {
		if len(list) > 0 {
			free = append(append(free, uint32(units), uint32(len(list))), list...)
		}
	}
	h.Arrays = append(h.Arrays, cells.n, len(ix.posts.dir), len(free), len(ix.posts.slab.chunks))
	head, err := json.Marshal(h)
	if err != nil {
		return err
	}
	w.write([]byte(snapshotMagic))
	w.write(binary.LittleEndian.AppendUint32(nil, uint32(len(head))))
	w.write(head)
	for _, t := range ix.tables() {
		w.numbers(t.slots)
	}
	for _, a := range words {
		for i, c := range a.chunks {
			w.numbers(c[:used(a, i)])
		}
	}
	for _, a := range bytes {
		for i, c := range a.chunks {
			w.write(c[:used(a, i)])
		}
	}
	for i, c := range cells.chunks {
		w.longs(c[:used(cells, i)])
	}
	w.numbers(ix.posts.dir)
	w.numbers(free)
	for _, c := range ix.posts.slab.chunks {
		w.write(c)
	}
	sum := w.sum.Sum32()
	w.write(binary.LittleEndian.AppendUint32(nil, sum))
	w.flush()
	if w.err == nil {
		w.err = f.Sync()
	}
	if err := errors.Join(w.err, f.Close()); err != nil {
		return err
	}
	if err := ix.fs.Rename(tmp, name); err != nil {
		return err
	}
	if err := ix.fs.SyncDir(ix.dir); err != nil {
		return err
	}
	ix.saved = ix.log.end()
	return ix.dropSnapshots(filepath.Base(name))
}

func byteOrder() string {
	if bytesOf([]uint32{1})[0] == 1 {
		return "little"
	}
	return "big"
}

// used is how many elements of chunk i are in use.
func used[T number](a *array[T], i int) int {
	k := perChunk[T]()
	return min(a.n-i*k, k)
}

func (ix *Index) dropSnapshots(but string) error {
	names, err := ix.snapshots()
	for _, name := range names {
		if name != but {
			err = errors.Join(err, ix.fs.Remove(filepath.Join(ix.dir, name)))
		}
	}
	return err
}

// snapshots lists the snapshots in the folder, newest first, unfinished ones
// last.
func (ix *Index) snapshots() ([]string, error) {
	entries, err := ix.fs.ReadDir(ix.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), snapshotPrefix) {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(x, y string) int {
		nx, _ := strconv.ParseInt(x[len(snapshotPrefix):], 10, 64)
		ny, _ := strconv.ParseInt(y[len(snapshotPrefix):], 10, 64)
		switch {
		case nx > ny:
			return -1
		case nx < ny:
			return 1
		}
		return strings.Compare(x, y)
	})
	return names, nil
}

// load fills the index from the newest snapshot that is whole and belongs to the
// log, and gives how much of the log it holds. Without one the index is empty.
func (ix *Index) load() (int64, error) {
	names, err := ix.snapshots()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		n, err := ix.loadFrom(filepath.Join(ix.dir, name))
		if err == nil {
			return n, nil
		}
		if errors.As(err, new(outOfMemory)) {
			return 0, err
		}
	}
	ix.reset()
	return 0, ix.dropSnapshots("")
}

var errSnapshot = errors.New("damaged, or of another version or log")

func (ix *Index) loadFrom(name string) (n int64, err error) {
	if strings.HasSuffix(name, ".open") {
		return 0, errSnapshot
	}
	f, err := ix.fs.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	defer caught(&err)
	r := &sumReader{r: f, size: info.Size(), sum: crc32.New(castagnoli)}
	var start [12]byte
	r.read(start[:])
	if r.err != nil || string(start[:8]) != snapshotMagic {
		return 0, errSnapshot
	}
	head := make([]byte, min(binary.LittleEndian.Uint32(start[8:]), 1<<16))
	r.read(head)
	var h snapshotHeader
	if r.err != nil || json.Unmarshal(head, &h) != nil || h.Format != snapshotFormat || h.Rules != version() || h.Order != byteOrder() || h.Log > ix.log.written || h.Log < int64(logHeader) {
		return 0, errSnapshot
	}
	if crc, err := ix.log.checksum(h.Log); err != nil || crc != h.LogCRC {
		return 0, errSnapshot
	}
	words, bytes, cells := ix.lists()
	if len(h.Arrays) != 3+len(words)+len(bytes)+4 {
		return 0, errSnapshot
	}
	for _, n := range h.Arrays {
		if n < 0 || int64(n) > r.size {
			return 0, errSnapshot
		}
	}
	ix.reset()
	lengths := h.Arrays
	next := func() int { n := lengths[0]; lengths = lengths[1:]; return n }
	for i, t := range ix.tables() {
		t.used = h.Counts[i]
		if n := next(); n > 0 {
			if n&(n-1) != 0 || t.used >= n {
				return 0, errSnapshot
			}
			t.slots = numbers[uint32](ix.mem.get(n * 4))
			r.read(bytesOf(t.slots))
		}
	}
	for _, a := range words {
		fill(r, a, next())
	}
	for _, a := range bytes {
		fill(r, a, next())
	}
	cells.chunks, cells.n = nil, 0
	fill(r, cells, next())
	ix.posts.depth = h.Depth
	ix.posts.dir = make([]uint32, next())
	r.read(bytesOf(ix.posts.dir))
	free := make([]uint32, next())
	r.read(bytesOf(free))
	s := &ix.posts.slab
	for range next() {
		s.chunks = append(s.chunks, ix.mem.get(chunkBytes))
		r.read(s.chunks[len(s.chunks)-1])
	}
	s.used = h.Used
	sum := r.sum.Sum32()
	var tail [4]byte
	r.read(tail[:])
	if r.err != nil || binary.LittleEndian.Uint32(tail[:]) != sum {
		return 0, errSnapshot
	}
	for len(free) > 0 {
		units, n := free[0], free[1]
		s.free[units] = append(s.free[units], free[2:2+n]...)
		free = free[2+n:]
	}
	return h.Log, nil
}

// fill reads n elements into an empty array.
func fill[T number](r *sumReader, a *array[T], n int) {
	k := perChunk[T]()
	for a.n < n && r.err == nil {
		c := numbers[T](a.mem.get(chunkBytes))
		a.chunks = append(a.chunks, c)
		take := min(k, n-a.n)
		r.read(bytesOf(c[:take]))
		a.n += take
	}
}

// checksum is that of the last bytes before end; end must not be in the buffer.
func (l *postLog) checksum(end int64) (uint32, error) {
	b := make([]byte, min(end, 4096))
	if _, err := l.file.ReadAt(b, end-int64(len(b))); err != nil && err != io.EOF {
		return 0, fmt.Errorf("reading %s: %w", l.name, err)
	}
	return crc32.Checksum(b, castagnoli), nil
}

type sumWriter struct {
	w   fsys.File
	sum hash.Hash32
	buf []byte
	err error
}

func (w *sumWriter) write(b []byte) {
	w.sum.Write(b)
	w.buf = append(w.buf, b...)
	if len(w.buf) >= 4<<20 {
		w.flush()
	}
}

func (w *sumWriter) flush() {
	if w.err == nil {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// numbers and longs write in pieces, so that no table is copied as a whole.
func (w *sumWriter) numbers(s []uint32) {
	for c := range slices.Chunk(s, 1<<18) {
		w.write(bytesOf(c))
	}
}

func (w *sumWriter) longs(s []uint64) {
	for c := range slices.Chunk(s, 1<<17) {
		w.write(bytesOf(c))
	}
}

type sumReader struct {
	r    io.ReaderAt
	at   int64
	size int64
	sum  hash.Hash32
	err  error
}

func (r *sumReader) read(b []byte) {
	if r.err != nil || len(b) == 0 {
		return
	}
	var n int
	n, r.err = r.r.ReadAt(b, r.at)
	if n == len(b) {
		r.err = nil
	}
	r.at += int64(n)
	r.sum.Write(b[:n])
}
