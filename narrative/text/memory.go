package text

import (
	"fmt"
	"unsafe"
)

// chunkBytes is the piece in which growing arrays are obtained. Memory is used
// page by page as it fills, so the last chunk costs what is in it.
const chunkBytes = 1 << 20

// A memory hands out memory outside the Go heap and takes it all back at once.
type memory struct {
	all map[*byte][]byte
}

// get gives n zeroed bytes. It panics with an outOfMemory, which the methods of
// Index turn into an error.
func (m *memory) get(n int) []byte {
	b, err := obtain(n)
	if err != nil {
		panic(outOfMemory{fmt.Errorf("obtaining %d bytes of memory: %w", n, err)})
	}
	if m.all == nil {
		m.all = map[*byte][]byte{}
	}
	m.all[&b[0]] = b
	return b
}

func (m *memory) put(b []byte) {
	delete(m.all, &b[0])
	giveBack(b)
}

func (m *memory) close() {
	for _, b := range m.all {
		giveBack(b)
	}
	m.all = nil
}

type outOfMemory struct{ error }

type number interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64
}

// An array is a growing list that never moves: element i stays where it is.
type array[T number] struct {
	mem    *memory
	chunks [][]T
	n      int
}

func perChunk[T number]() int {
	var x T
	return chunkBytes / int(unsafe.Sizeof(x))
}

func (a *array[T]) len() int { return a.n }

func (a *array[T]) at(i uint32) T {
	k := perChunk[T]()
	return a.chunks[int(i)/k][int(i)%k]
}

func (a *array[T]) ref(i uint32) *T {
	k := perChunk[T]()
	return &a.chunks[int(i)/k][int(i)%k]
}

func (a *array[T]) push(x T) {
	k := perChunk[T]()
	if a.n == len(a.chunks)*k {
		a.chunks = append(a.chunks, numbers[T](a.mem.get(chunkBytes)))
	}
	a.chunks[a.n/k][a.n%k] = x
	a.n++
}

// span gives n elements from i on; they must lie in one chunk.
func (a *array[T]) span(i, n int) []T {
	k := perChunk[T]()
	return a.chunks[i/k][i%k : i%k+n : i%k+n]
}

// room grows the array by n elements that lie in one chunk, and says where they
// start. What would be cut by the end of a chunk starts in the next.
func (a *array[T]) room(n int) int {
	k := perChunk[T]()
	if a.n%k+n > k || a.n == len(a.chunks)*k {
		a.n = len(a.chunks) * k
		a.chunks = append(a.chunks, numbers[T](a.mem.get(chunkBytes)))
	}
	at := a.n
	a.n += n
	return at
}

// numbers sees the bytes of b as a list of T.
func numbers[T number](b []byte) []T {
	var x T
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/int(unsafe.Sizeof(x)))
}

// bytesOf sees a list as its bytes.
func bytesOf[T number](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	var x T
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(x)))
}

// A table finds numbers by hash: an open-addressing set of entry+1 with linear
// probing, at most 4/5 full. Whoever owns it keeps the hashes and compares.
type table struct {
	mem   *memory
	slots []uint32
	used  int
}

const smallTable = 1 << 12

// find calls same for each entry whose slot may be that of hash until same says
// yes, and gives that entry.
func (t *table) find(hash uint32, same func(entry uint32) bool) (uint32, bool) {
	if t.slots == nil {
		return 0, false
	}
	mask := uint32(len(t.slots) - 1)
	for i := spread(hash) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		if same(t.slots[i] - 1) {
			return t.slots[i] - 1, true
		}
	}
	return 0, false
}

func spread(h uint32) uint32 { return (h ^ h>>15) * 2654435769 >> 3 }

// insert adds an entry that find did not find. hashOf gives the hashes of the
// entries already in, should the table grow.
func (t *table) insert(hash, entry uint32, hashOf func(uint32) uint32) {
	if (t.used+1)*5 > len(t.slots)*4 {
		old := t.slots
		n := smallTable
		if len(old) > 0 {
			n = 2 * len(old)
		}
		t.slots = numbers[uint32](t.mem.get(n * 4))
		for _, s := range old {
			if s != 0 {
				t.place(hashOf(s-1), s)
			}
		}
		if old != nil {
			t.mem.put(bytesOf(old))
		}
	}
	t.place(hash, entry+1)
	t.used++
}

func (t *table) place(hash, slot uint32) {
	mask := uint32(len(t.slots) - 1)
	i := spread(hash) & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = slot
}
