package archive

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/refrain-archive/refrain/archive/capture"
	"github.com/refrain-archive/refrain/archive/warc"
)

// An Earlier is a record of an earlier run that holds a payload.
type Earlier struct {
	warc.Original        // ID, URL, Date and PayloadDigest of the record
	File          string // base name of its WARC
	Offset        int64  // of the record in File
}

// Deduplicate lets answers whose payload an earlier run stored be revisits too.
// find gives the record that holds the payload with a SHA-256; it must lie in a
// finished segment that is stored, as nothing of such a segment is ever cut. It
// is called for payloads that this run does not know, by many at the same time;
// where it gives none, or a wrong one, the payload is stored. Call Deduplicate
// before anything is recorded.
func (a *Archive) Deduplicate(find func(ctx context.Context, payload [32]byte) (Earlier, bool)) {
	a.earlier = find
}

// findEarlier asks for the record of an earlier run that holds the payload of an
// exchange. The lock is not held: it may read from a bucket.
func (a *Archive) findEarlier(ctx context.Context, ex *capture.Exchange) *Earlier {
	if a.earlier == nil || !a.mayRevisit(ex) {
		return nil
	}
	a.mu.Lock()
	_, _, _, known := a.originals.find(ex.Response.PayloadSHA256)
	a.mu.Unlock()
	if known {
		return nil
	}
	e, ok := a.earlier(ctx, ex.Response.PayloadSHA256)
	if !ok || e.URL == "" || e.Date.IsZero() || e.PayloadDigest != digest(ex.Response.PayloadSHA256) {
		return nil
	}
	if _, ending, ok := ParseName(e.File); !ok || ending != WARCEnding {
		return nil
	}
	return &e
}

// maxOriginals bounds how many payloads of this run are known for revisits; the
// oldest are forgotten. It takes some 200 bytes each.
const maxOriginals = 1 << 14

// originals are the payloads stored in this run, and those that Deduplicate found
// for it. The archive's lock guards it. It begins empty with each run: a revisit
// never points into what a recovery may have cut.
type originals struct {
	places map[[32]byte]int32 // of digests, in ring
	ring   []known
	next   int
}

// known is a record whose payload is stored.
type known struct {
	payload [32]byte
	id      uuid.UUID
	url     string
	date    time.Time
	file    *string // one for all records of a segment
	offset  int64
}

func newOriginals() *originals { return &originals{places: map[[32]byte]int32{}} }

func (o *originals) find(payload [32]byte) (original warc.Original, file string, offset int64, ok bool) {
	i, ok := o.places[payload]
	if !ok {
		return warc.Original{}, "", 0, false
	}
	k := &o.ring[i]
	return warc.Original{ID: "urn:uuid:" + k.id.String(), URL: k.url, Date: k.date, PayloadDigest: digest(payload)}, *k.file, k.offset, true
}

// add keeps the record of a payload. One whose id is no UUID is not kept.
func (o *originals) add(payload [32]byte, id, url string, date time.Time, file string, offset int64) {
	number, err := uuid.Parse(id)
	if err != nil {
		return
	}
	k := known{payload, number, url, date, &file, offset}
	if len(o.ring) > 0 {
		if last := o.ring[(o.next+len(o.ring)-1)%len(o.ring)].file; *last == file {
			k.file = last
		}
	}
	at := o.next
	if len(o.ring) < maxOriginals {
		at = len(o.ring)
		o.ring = append(o.ring, k)
	} else {
		delete(o.places, o.ring[at].payload)
		o.ring[at] = k
		o.next = (at + 1) % maxOriginals
	}
	o.places[payload] = int32(at)
}
