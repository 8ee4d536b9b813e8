package warc

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
)

// A Record is one record to be written. Writer.Write completes Header and says
// there what it wrote.
type Record struct {
	Header Header
	Block  Block // nil is empty

	// Digests that the caller computed while it received the bytes, as
	// WARC-Block-Digest and WARC-Payload-Digest carry them ("sha256:…"). Empty:
	// Write computes them. They are trusted: Verify is what finds a wrong one.
	BlockDigest   string
	PayloadDigest string

	// Packed is the block as Writer.Pack gives it, where the caller has another
	// use for that; nil: Write packs the block. A Writer that does not deflate the
	// record leaves it aside.
	Packed []byte

	// Verbatim keeps Header as it is: no field is added or moved, and no
	// digest computed. Content-Length must be there and be right. Version is
	// then the first line ("WARC/1.0"); empty is WARC/1.1.
	Verbatim bool
	Version  string
}

// NewID gives a new random record id, urn:uuid:…, without angle brackets.
func NewID() string { return "urn:uuid:" + uuid.NewString() }

// bracket puts a record id into the angle brackets that the ID fields want.
func bracket(id string) string { return "<" + TrimID(id) + ">" }

// newRecord is a record of that type with a new id.
func newRecord(kind string, date time.Time, block Block) *Record {
	r := &Record{Block: block}
	r.Header.Add("WARC-Type", kind)
	r.Header.Add("WARC-Record-ID", bracket(NewID()))
	r.Header.Add("WARC-Date", FormatDate(date))
	return r
}

// ID gives the record's id without angle brackets.
func (r *Record) ID() string { return r.Header.RecordID() }

// NewWarcinfo is the record that begins a file: filename is the file's base
// name, fields are software, format, operator, hostname, robots,
// http-header-user-agent, isPartOf, description and the like. Say the digest
// encoding there.
func NewWarcinfo(filename string, date time.Time, fields Header) *Record {
	r := newRecord(TypeWarcinfo, date, Fields(fields))
	if filename != "" {
		r.Header.Add("WARC-Filename", filename)
	}
	r.Header.Add("Content-Type", "application/warc-fields")
	return r
}

// Fields writes h as the block of a warcinfo or metadata record
// (application/warc-fields). Line breaks in values become blanks: the format
// has no way to carry them.
func Fields(h Header) Block {
	var b bytes.Buffer
	for _, f := range h {
		fmt.Fprintf(&b, "%s: %s\r\n", oneLine(f.Name), oneLine(f.Value))
	}
	return Bytes(b.Bytes())
}

// ParseFields reads the block of a warcinfo or metadata record.
func ParseFields(b []byte) Header {
	var h Header
	for len(b) > 0 {
		line, _ := cutLine(&b)
		if name, value, ok := bytes.Cut(line, []byte(":")); ok {
			h.Add(string(bytes.TrimSpace(name)), string(bytes.TrimSpace(value)))
		}
	}
	return h
}

// oneLine makes s fit into one header line.
func oneLine(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	return string(bytes.TrimSpace(b))
}

// A Capture is what the records of one capture (one exchange) share. Its
// methods make those records. They belong in one file, the response directly
// followed by its request: indexers join the two only if nothing stands
// between them.
type Capture struct {
	URL         string     // that was asked, as it was sent; required
	Date        time.Time  // when the capture began; the same in all of its records; required
	IP          netip.Addr // the server's address; zero if unknown or behind a proxy
	Protocols   []string   // WARC-Protocol, one field each: "http/1.1", "tls/1.3"
	CipherSuite string     // WARC-Cipher-Suite: "TLS_AES_128_GCM_SHA256"
	Truncated   string     // WARC-Truncated of the response: length, time, disconnect or unspecified; empty: it is whole
}

// record is a record of the capture.
func (c Capture) record(kind string, block Block) *Record {
	r := newRecord(kind, c.Date, block)
	r.Header.Add("WARC-Target-URI", c.URL)
	return r
}

// wire adds the fields that tell of the connection.
func (c Capture) wire(r *Record) {
	if c.IP.IsValid() {
		r.Header.Add("WARC-IP-Address", c.IP.Unmap().WithZone("").String())
	}
	for _, p := range c.Protocols {
		r.Header.Add("WARC-Protocol", p)
	}
	if c.CipherSuite != "" {
		r.Header.Add("WARC-Cipher-Suite", c.CipherSuite)
	}
}

// concurrent ties r to another record of the capture.
func concurrent(r, to *Record) *Record {
	if to != nil {
		r.Header.Add("WARC-Concurrent-To", bracket(to.ID()))
	}
	return r
}

// Response is the answer: block is the status line, headers and body as
// received, transfer coding included.
func (c Capture) Response(block Block) *Record {
	r := c.record(TypeResponse, block)
	c.wire(r)
	if c.Truncated != "" {
		r.Header.Add("WARC-Truncated", c.Truncated)
	}
	r.Header.Add("Content-Type", "application/http; msgtype=response")
	return r
}

// Request is the request as it was sent. It is tied to the response or revisit
// record of the capture; answer is nil if no answer came.
func (c Capture) Request(block Block, answer *Record) *Record {
	r := c.record(TypeRequest, block)
	c.wire(r)
	r.Header.Add("Content-Type", "application/http; msgtype=request")
	return concurrent(r, answer)
}

// Metadata tells about the capture in application/warc-fields: via,
// hopsFromSeed, fetchTimeMs and fields of our own. Indexers leave such a record
// out. JSON belongs in a Resource with a target of its own: as a metadata
// record it would compete with the page under the page's key.
func (c Capture) Metadata(fields Header, about *Record) *Record {
	r := c.record(TypeMetadata, Fields(fields))
	r.Header.Add("Content-Type", "application/warc-fields")
	return concurrent(r, about)
}

// Resource is a file without an HTTP exchange of its own, at the address
// target: the JSON of a post at urn:refrain:post:PLATFORM:ID. It is tied to the
// record of the capture that it was read from; from may be nil.
func (c Capture) Resource(target, contentType string, block Block, from *Record) *Record {
	c.URL = target
	r := c.record(TypeResource, block)
	r.Header.Add("Content-Type", contentType)
	return concurrent(r, from)
}

// Conversion is what another record's payload was turned into.
func (c Capture) Conversion(contentType string, block Block, of *Record) *Record {
	r := c.record(TypeConversion, block)
	if of != nil {
		r.Header.Add("WARC-Refers-To", bracket(of.ID()))
	}
	r.Header.Add("Content-Type", contentType)
	return r
}

// The profiles of revisit records, WARC/1.1 section 6.7.
const (
	ProfileIdentical      = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
	ProfileNotModified    = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
	ProfileIdentical10    = "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"
	ProfileNotModified10  = "http://netpreserve.org/warc/1.0/revisit/server-not-modified"
	ProfileURIAgnosticIDs = "http://netpreserve.org/warc/1.0/revisit/uri-agnostic-identical-payload-digest"
)

// An Original is the record whose payload a revisit does not repeat.
type Original struct {
	ID            string    // its WARC-Record-ID; empty if it lies in an archive that readers of this one may not have
	URL           string    // its WARC-Target-URI; required
	Date          time.Time // its WARC-Date, at the same precision; required
	PayloadDigest string    // "sha256:…"; required for Identical
}

func (c Capture) revisit(profile string, head Block, of Original) *Record {
	r := c.record(TypeRevisit, head)
	c.wire(r)
	r.Header.Add("WARC-Profile", profile)
	if of.ID != "" {
		r.Header.Add("WARC-Refers-To", bracket(of.ID))
	}
	r.Header.Add("WARC-Refers-To-Target-URI", of.URL)
	r.Header.Add("WARC-Refers-To-Date", FormatDate(of.Date))
	r.Header.Add("Content-Type", "application/http; msgtype=response")
	return r
}

// Identical is a revisit for an answer whose payload is, byte for byte, that of
// an earlier record. head is the status line and headers of this answer, up to
// and with the empty line. Do not use it for an empty payload.
func (c Capture) Identical(head Block, of Original) *Record {
	r := c.revisit(ProfileIdentical, head, of)
	r.PayloadDigest = of.PayloadDigest
	r.Header.Add("WARC-Truncated", "length")
	return r
}

// NotModified is a revisit for a 304 answer. block is that answer, whole.
func (c Capture) NotModified(block Block, of Original) *Record {
	return c.revisit(ProfileNotModified, block, of)
}
