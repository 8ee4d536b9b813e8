package index

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// fan is how many keys a node of a keyTree has.
const fan = 16

// A keyTree finds, of the keys at which blocks begin, the last one that is not
// behind a text. Its lowest level has all of them, in nodes of fan keys; each
// level above has the first key of each node below. A key is the number of bytes
// that it shares with the one before it, the number of the others, and those; the
// first of a node shares none. So neighbours of a long common beginning take few
// bytes, a node lies in a few lines of the processor's cache, and the upper
// levels stay there.
type keyTree struct {
	levels []keyLevel // the lowest first
	count  int        // keys
}

type keyLevel struct {
	text []byte
	ends []uint32 // of the nodes in text
}

// appendKey appends key number i of a level, which comes after prev.
func appendKey(b []byte, i int, prev, key []byte) []byte {
	shared := 0
	if i%fan > 0 {
		shared = common(prev, key)
	}
	b = binary.AppendUvarint(b, uint64(shared))
	b = binary.AppendUvarint(b, uint64(len(key)-shared))
	return append(b, key[shared:]...)
}

// common gives the number of bytes with which a and b both begin.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// parseKeys reads the lowest level, of count keys, which it keeps, and makes the
// others.
func parseKeys(text []byte, count int64) (t keyTree, ok bool) {
	if count < 0 || count > int64(len(text)) || int64(len(text)) > math.MaxUint32 {
		return t, false
	}
	t.count = int(count)
	for n := t.count; ; n = len(t.levels[len(t.levels)-1].ends) {
		level := keyLevel{text: text, ends: make([]uint32, 0, (n+fan-1)/fan)}
		var above, prev []byte
		at, before := 0, uint64(0)
		for i := range n {
			first := i%fan == 0
			if first && i > 0 {
				level.ends = append(level.ends, uint32(at))
			}
			shared, size, width := keyHead(text[at:])
			if at += width; width == 0 || size > uint64(len(text)-at) || shared > before || first && shared > 0 {
				return t, false
			}
			if first {
				key := text[at : at+int(size)]
				above = appendKey(above, i/fan, prev, key)
				prev = key
			}
			at += int(size)
			before = shared + size
		}
		if at != len(text) {
			return t, false
		}
		if n > 0 {
			level.ends = append(level.ends, uint32(at))
		}
		t.levels = append(t.levels, level)
		if len(level.ends) <= 1 {
			return t, true
		}
		text = above
	}
}

// keyHead reads the two numbers before a key; width is the bytes that they take,
// 0 if they cannot be read.
func keyHead(b []byte) (shared, size uint64, width int) {
	shared, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, 0, 0
	}
	size, m := binary.Uvarint(b[n:])
	if m <= 0 {
		return 0, 0, 0
	}
	return shared, size, n + m
}

// find gives the number of the last key that is not behind target; 0 if there is
// none.
func (t *keyTree) find(target []byte) int {
	n := 0
	for i := len(t.levels) - 1; i >= 0; i-- {
		level := &t.levels[i]
		if n >= len(level.ends) {
			return 0
		}
		start := uint32(0)
		if n > 0 {
			start = level.ends[n-1]
		}
		n = n*fan + scanNode(level.text[start:level.ends[n]], target)
	}
	return n
}

// scanNode is find in one node.
func scanNode(node, target []byte) int {
	last := 0
	same := 0 // bytes that target shares with key number last
	for i := 0; len(node) > 0; i++ {
		var shared, size uint64
		width := 2
		if len(node) >= 2 && node[0]|node[1] < 0x80 {
			shared, size = uint64(node[0]), uint64(node[1])
		} else {
			shared, size, width = keyHead(node)
		}
		key := node[width : width+int(size)]
		node = node[width+int(size):]
		if int(shared) > same {
			last = i // it goes on as the one before it, which is before target
			continue
		}
		if int(shared) < same {
			return last // it is behind the one before it where target is not
		}
		rest := target[same:]
		n := common(rest, key)
		if n < len(key) && (n == len(rest) || key[n] > rest[n]) {
			return last
		}
		same += n
		last = i
	}
	return last
}

// size gives the bytes that t takes in memory.
func (t *keyTree) size() (n int) {
	for _, level := range t.levels {
		n += len(level.text) + 4*len(level.ends)
	}
	return n
}
