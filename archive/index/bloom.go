package index

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// A bloom is a Bloom filter of blocks of 64 bytes: it says of a key that a run
// does not have it, so that only the runs are read that do. It has 10 bits for
// each line, of which 6 are looked at; some 2 % of the keys that are not there
// seem to be.
type bloom []uint64

const (
	bloomBits   = 10 // for each line
	bloomProbes = 6
)

func newBloom(lines int64) bloom {
	blocks := max(1, (lines*bloomBits+511)/512)
	return make(bloom, blocks*8)
}

func (b bloom) block(h uint64) bloom {
	at, _ := bits.Mul64(h, uint64(len(b)/8))
	return b[at*8 : at*8+8]
}

func (b bloom) add(h uint64) {
	part := b.block(h)
	for i, g := 0, h*0x9e3779b97f4a7c15; i < bloomProbes; i++ {
		part[g>>61] |= 1 << (g >> 55 & 63)
		g = bits.RotateLeft64(g, 9)
	}
}

func (b bloom) has(h uint64) bool {
	part := b.block(h)
	for i, g := 0, h*0x9e3779b97f4a7c15; i < bloomProbes; i++ {
		if part[g>>61]&(1<<(g>>55&63)) == 0 {
			return false
		}
		g = bits.RotateLeft64(g, 9)
	}
	return true
}

// keyHash is the hash of a key: FNV-1a, mixed so that all of its bits count.
func keyHash[T string | []byte](key T) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(key); i++ {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return mix(h)
}

func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func (b bloom) bytes() []byte {
	out := make([]byte, 0, len(b)*8)
	for _, w := range b {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}

func parseBloom(b []byte) (bloom, bool) {
	if len(b) == 0 || len(b)%64 != 0 {
		return nil, false
	}
	out := make(bloom, len(b)/8)
	for i := range out {
		out[i] = binary.LittleEndian.Uint64(b[i*8:])
	}
	return out, true
}
