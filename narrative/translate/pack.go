package translate

import "encoding/binary"

// An arena keeps byte strings for the life of the index. Places count in units of
// arenaAlign bytes.
type arena struct {
	chunks [][]byte
}

const (
	arenaChunk = 1 << 20
	arenaAlign = 4
)

// add keeps head and body behind each other and says where. What is longer than a
// chunk gets one of its own.
func (a *arena) add(head, body []byte) uint32 {
	n := len(head) + len(body)
	k := len(a.chunks) - 1
	if k < 0 || len(a.chunks[k])+n > cap(a.chunks[k]) {
		a.chunks = append(a.chunks, make([]byte, 0, max(arenaChunk, n)))
		k++
	}
	at := len(a.chunks[k])
	c := append(append(a.chunks[k], head...), body...)
	for len(c)%arenaAlign != 0 && len(c) < cap(c) {
		c = append(c, 0)
	}
	if len(c)%arenaAlign != 0 { // full: nothing more fits
		a.chunks[k] = c[:len(c):len(c)]
	} else {
		a.chunks[k] = c
	}
	return uint32(k)<<18 | uint32(at/arenaAlign)
}

func (a *arena) at(place uint32) []byte {
	return a.chunks[place>>18][int(place&(1<<18-1))*arenaAlign:]
}

// packTokens appends the tokens of a text: their number, and for each the stem or
// entry with its kind, the gap to the one before, its length, and its
// alternatives.
func packTokens(b []byte, toks []token) []byte {
	b = binary.AppendUvarint(b, uint64(len(toks)))
	end := int32(0)
	for i := range toks {
		t := &toks[i]
		v := uint64(t.stem+1) & 0xffffffff
		if t.stem == noWord {
			v = uint64(t.entry + 1)
		}
		flags := uint64(t.kind) << 2
		if t.stem == noWord {
			flags |= 1
		}
		if len(t.alts) > 0 {
			flags |= 2
		}
		b = binary.AppendUvarint(b, v<<4|flags)
		b = binary.AppendVarint(b, int64(t.from-end))
		b = binary.AppendUvarint(b, uint64(t.to-t.from))
		end = t.to
		if len(t.alts) > 0 {
			b = binary.AppendUvarint(b, uint64(len(t.alts)))
			for _, a := range t.alts {
				b = binary.AppendUvarint(b, uint64(a))
			}
		}
	}
	return b
}

// unpackTokens reads what packTokens wrote. alts is memory for the alternatives.
func unpackTokens(b []byte, toks []token, alts []uint32) ([]token, []uint32) {
	at := 0
	next := func() uint64 {
		v, n := binary.Uvarint(b[at:])
		at += n
		return v
	}
	n := int(next())
	toks, alts = toks[:0], alts[:0]
	end := int32(0)
	for range n {
		v := next()
		t := token{stem: noWord, entry: -1, kind: tokenKind(v >> 2 & 3)}
		if v&1 != 0 {
			t.entry = int32(v>>4) - 1
		} else {
			t.stem = uint32(v>>4) - 1
		}
		gap, k := binary.Varint(b[at:])
		at += k
		t.from = end + int32(gap)
		t.to = t.from + int32(next())
		end = t.to
		if v&2 != 0 {
			k := int(next())
			first := len(alts)
			for range k {
				alts = append(alts, uint32(next()))
			}
			t.alts = alts[first:len(alts):len(alts)]
		}
		toks = append(toks, t)
	}
	return toks, alts
}
