package replay

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

// A Capture is one line of the index, as a Source gives it.
type Capture struct {
	cdx.Line
	File string // where the record lies, as a reader is told: the name of a segment, or the path of a file
	Ref  any    // the Source's own
}

// Revisit reports whether the record repeats the payload of an earlier one.
func (c *Capture) Revisit() bool { return c.MIME == "warc/revisit" }

// A Record is a record that is open for reading.
type Record struct {
	Header    warc.Header
	io.Reader // of its block
	io.Closer // must be closed
}

// ErrNoOriginal says that the record whose payload a revisit repeats is not in
// the archive.
var ErrNoOriginal = errors.New("the record with the payload that this revisit repeats is not in the archive")

// A Source is the archive that is replayed. It is safe for concurrent use.
type Source interface {
	// Closest gives the captures of a URL, those nearest to at first; a zero at
	// is the end of time. The URL has any scheme. Captures whose URL has the
	// same key are given too. An error is the last.
	Closest(ctx context.Context, url string, at time.Time) iter.Seq2[Capture, error]

	// Captures gives the captures of a URL in the order of time.
	Captures(ctx context.Context, url string) iter.Seq2[Capture, error]

	// List gives the captures whose URL begins with prefix, or that are of a
	// host where it is one, in the order of the index; all where it is empty.
	List(ctx context.Context, prefix string) iter.Seq2[Capture, error]

	// Open opens the record of a capture. A *warc.Damage says that it cannot be
	// read.
	Open(ctx context.Context, c Capture) (*Record, error)

	// Original opens the record whose payload a revisit repeats, and gives its
	// capture. h is the revisit's header. The error matches ErrNoOriginal if
	// there is none.
	Original(ctx context.Context, c Capture, h warc.Header) (Capture, *Record, error)
}

// A Blocklist knows payloads that must not be shown. It is safe for concurrent
// use.
type Blocklist interface {
	// Withhold names the list by which a payload must be kept back, or gives
	// "". sha256 is the digest, in lower-case hex, of the payload without its
	// codings; body is that payload, given only of images and nil above 64 MiB.
	// A payload is not shown either where there is an error.
	Withhold(ctx context.Context, sha256, mediaType string, body []byte) (list string, err error)
}
