package archive

import "github.com/refrain-archive/refrain/archive/warc"

// maxOriginals bounds how many payloads of this run are known for revisits; the
// oldest are forgotten. It takes about 400 bytes each.
const maxOriginals = 1 << 14

// originals are the payloads stored in this run. The archive's lock guards it.
// It begins empty with each run: a revisit never points into what a recovery
// may have cut.
type originals struct {
	byDigest map[[32]byte]known
	order    [][32]byte // ring
	next     int
}

// known is a record whose payload is stored.
type known struct {
	warc.Original
	file   string
	offset int64
}

func newOriginals() *originals { return &originals{byDigest: map[[32]byte]known{}} }

func (o *originals) find(payload [32]byte) (known, bool) {
	k, ok := o.byDigest[payload]
	return k, ok
}

func (o *originals) add(payload [32]byte, k known) {
	if len(o.order) < maxOriginals {
		o.order = append(o.order, payload)
	} else {
		delete(o.byDigest, o.order[o.next])
		o.order[o.next] = payload
		o.next = (o.next + 1) % maxOriginals
	}
	o.byDigest[payload] = k
}
