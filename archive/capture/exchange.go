package capture

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

// A Recorder keeps exchanges.
type Recorder interface {
	// Record keeps ex and says where. It is called once per exchange, inside
	// the Read that gives io.EOF to the caller or inside Close, so that a
	// caller who saw the end of a body knows that its capture is recorded. An
	// error reaches the caller in place of io.EOF: what was not archived is
	// not believed.
	//
	// ex and everything in it is valid until Record returns. ctx carries the
	// values of the request's context, but not its end: a cancelled fetch is
	// recorded with what is there. Calls come from many goroutines at once.
	//
	// A fetch that failed before the first byte of a response is an Exchange
	// too, with Response.Size 0 and Outcome set (and Request.Size 0 if nothing
	// was sent): there is no response record to write for it, only a metadata
	// record. A fetch that its caller cancelled before anything was sent is
	// not recorded.
	Record(ctx context.Context, ex *Exchange) (post.Capture, error)
}

// An Exchange is one request and its response as they were on the wire, above
// TLS. One call of RoundTrip makes one Exchange; it makes more where net/http
// sent the request again, on a new connection, after the first attempt got bytes.
type Exchange struct {
	URL    string // as asked, byte for byte, without fragment and user information; secrets replaced
	Method string

	Request  Block
	Response Block

	Status          int    // of the final response; 0 if none could be read
	ContentType     string // of the final response, as it stands in the header; "" if absent
	ContentEncoding string // the same; "" if absent

	Started time.Time // UTC, microseconds: when RoundTrip was called, or the attempt began
	Ended   time.Time // UTC, microseconds: when the last byte arrived, or the fetch failed

	RemoteIP    string   // numeric, RFC 5952; "" over a proxy and if no connection was made
	Protocols   []string // for WARC-Protocol: "http/1.1" and, over TLS, "tls/1.3"; nil if no connection was made
	CipherSuite string   // for WARC-Cipher-Suite, IANA name; "" without TLS

	Truncated        string // WARC-Truncated of the response: "", length, time or disconnect
	RequestTruncated string // WARC-Truncated of the request: disconnect if the response ended, or the connection broke, before all of it was sent

	// Outcome is how the fetch failed, and Error the same in words, without
	// secrets. Both are "" if the response arrived whole and could be decoded.
	// Outcome alone is "" if the caller ended the fetch: it cancelled, or
	// closed the body early.
	Outcome post.Outcome
	Error   string

	Fields     []fetchctx.Field // for the metadata record: what the layers said, then fetchTimeMs, proxy, source-address, origin, …
	Redactions []Redaction      // what was replaced in URL, Request and Response; nil for almost all
}

// A Block is the block of a request or response record.
type Block struct {
	io.ReaderAt // valid until Record returns; not nil, even if Size is 0

	Size int64 // bytes

	// Interim is the number of bytes of interim answers (1xx) at the start.
	// The final response begins there. 0 for nearly all, and for requests.
	Interim int64

	// Head is the offset of the body: Interim, the final start line, the
	// header and the empty line after it. It is Size if the head is not whole.
	Head int64

	// Excess is the number of bytes at the end that came after the end of the
	// message: a body on a 204, a 304 or an answer to HEAD, or bytes beyond
	// Content-Length. They are in the block and in SHA256, not in the payload.
	Excess int64

	SHA256 [32]byte // of the block

	// FinalSHA256 is the digest of the block without its interim answers; it
	// is SHA256 if there are none.
	FinalSHA256 [32]byte

	// PayloadSHA256 is the digest of the body with its transfer coding (chunk
	// sizes, trailers) removed and its content coding (gzip) kept.
	PayloadSHA256 [32]byte
	PayloadSize   int64 // bytes
}

// Reader gives the bytes of b from the first to the last.
func (b *Block) Reader() *io.SectionReader { return io.NewSectionReader(b.ReaderAt, 0, b.Size) }

// Redaction says that the stored bytes differ from those on the wire, because
// those held a secret (an API key).
type Redaction struct {
	Part   string   // request-block, response-block or url
	Before [32]byte // SHA-256 of Part as it was on the wire
	After  [32]byte // SHA-256 of Part as it is stored
	Count  int      // places replaced
	Reason string   // "key NAME"

	// Rewritten says what else had to change: "" if only bytes were replaced
	// by as many others, which is nearly always so.
	Rewritten string
}

// String is the value of the field "redacted" in a metadata record:
//
//	request-block sha256:… -> sha256:…, reason key NAME
func (r Redaction) String() string {
	s := fmt.Sprintf("%s sha256:%x -> sha256:%x, reason %s", r.Part, r.Before, r.After, r.Reason)
	if r.Rewritten != "" {
		s += ", " + r.Rewritten
	}
	return s
}
