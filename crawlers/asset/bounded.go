package asset

import "encoding/binary"

// maxValues bounds the bytes of all tag values of an EXIF record. Honest ones,
// maker's notes included, stay under 64 kB; the decoder takes up to eight times
// as much memory for its own form.
const maxValues = 512 << 10

// bounded reports whether decoding a TIFF structure ends, and in bounded memory.
// The decoder multiplies a tag's count with its size in 32 bits and allocates by
// the count, lets values overlap, and follows directories that point at each
// other for ever.
func bounded(block []byte) bool {
	var order binary.ByteOrder
	switch string(block[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return false
	}
	sizes := [...]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
	seen := map[uint32]bool{}
	todo := []uint32{order.Uint32(block[4:])}
	total := uint64(0)
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		if at == 0 {
			continue
		}
		if seen[at] || len(seen) == 32 || uint64(at)+2 > uint64(len(block)) {
			return false
		}
		seen[at] = true
		n := uint64(order.Uint16(block[at:]))
		end := uint64(at) + 2 + 12*n
		if end > uint64(len(block)) {
			return false
		}
		for i := range n {
			tag := block[uint64(at)+2+12*i:]
			id, kind, count := order.Uint16(tag), order.Uint16(tag[2:]), uint64(order.Uint32(tag[4:]))
			if int(kind) < len(sizes) {
				total += sizes[kind] * count
			}
			if total > maxValues {
				return false
			}
			switch id {
			case 0x8769, 0x8825, 0xa005: // EXIF, GPS, interoperability
				todo = append(todo, order.Uint32(tag[8:]))
			}
		}
		if end+4 <= uint64(len(block)) {
			todo = append(todo, order.Uint32(block[end:]))
		}
	}
	return true
}
