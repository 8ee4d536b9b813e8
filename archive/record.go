package archive

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive/capture"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/post"
)

var _ capture.Recorder = (*Archive)(nil)

// Record implements capture.Recorder: it appends the exchange and says where
// it lies. It is durable after Sync.
func (a *Archive) Record(ctx context.Context, ex *capture.Exchange) (post.Capture, error) {
	earlier := a.findEarlier(ctx, ex)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begin(); err != nil {
		return post.Capture{}, err
	}
	c, err := a.record(ex, earlier)
	if err = a.end(err); err != nil {
		return post.Capture{}, fmt.Errorf("record the exchange with %s: %w", ex.URL, err)
	}
	return c, nil
}

// begin makes sure that there is a segment. The lock is held.
func (a *Archive) begin() error {
	switch {
	case a.opts.ReadOnly:
		return ErrReadOnly
	case a.failed != nil:
		return a.failed
	case a.closed:
		return ErrClosed
	case a.segment != nil:
		return nil
	}
	now := a.opts.Now().UTC()
	s, err := openSegment(a.work, now, &a.serial, a.opts.Worker)
	if err != nil {
		return fmt.Errorf("begin a segment: %w", err)
	}
	a.segment = s
	if _, err := s.write(a.warcinfo(s.name, now)); err != nil {
		a.fail(err)
		return a.failed
	}
	if a.opts.MaxAge > 0 {
		a.timer = time.AfterFunc(a.opts.MaxAge, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			if a.segment == s {
				a.rotate()
			}
		})
	}
	return nil
}

// end ends what begin began: err is that of the records in between.
func (a *Archive) end(err error) error {
	a.appended++
	s := a.segment
	if err != nil {
		if s.sinkErr != nil {
			a.fail(s.sinkErr)
			return a.failed
		}
		// A block could not be read: the record is taken back, the segment goes on.
		if cerr := s.takeBack(); cerr != nil {
			a.fail(cerr)
			return a.failed
		}
		return err
	}
	if s.warc.Offset() >= a.opts.MaxSize {
		a.rotate()
		return a.failed
	}
	return nil
}

func (a *Archive) warcinfo(name Name, date time.Time) *warc.Record {
	fields := warc.Header{}
	for _, f := range a.opts.Info {
		fields.Add(f.Name, f.Value)
	}
	host, err := os.Hostname()
	if err == nil && host != "" && !fields.Has("hostname") {
		fields.Add("hostname", host)
	}
	fields.Add("format", "WARC File Format 1.1")
	fields.Add("conformsTo", "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/")
	fields.Add("digest-encoding", "sha256, lower-case hexadecimal; payload digests are of the body without transfer coding and with content coding")
	fields.Add("archive", a.manifest.Archive)
	return warc.NewWarcinfo(string(name)+WARCEnding, date, fields)
}

func digest(sum [32]byte) string { return "sha256:" + hex.EncodeToString(sum[:]) }

// block is a part of a captured message as the block of a record.
func block(b *capture.Block, from, to int64) warc.Block {
	return io.NewSectionReader(b.ReaderAt, from, to-from)
}

// record writes the records of one exchange, adjacent and in the order
// response, request, metadata, and what else came on the wire behind them.
// earlier, if not nil, is the record of an earlier run with the payload.
func (a *Archive) record(ex *capture.Exchange, earlier *Earlier) (post.Capture, error) {
	s := a.segment
	c := warc.Capture{URL: ex.URL, Date: ex.Started, Protocols: ex.Protocols, CipherSuite: ex.CipherSuite}
	if ex.RemoteIP != "" {
		ip, err := netip.ParseAddr(ex.RemoteIP)
		if err != nil {
			return post.Capture{}, fmt.Errorf("the server's address: %w", err)
		}
		c.IP = ip
	}
	fields := warc.Header{}
	for _, f := range ex.Fields {
		fields.Add(f.Name, oneLine(f.Value))
	}

	var answer *warc.Record // what the others are concurrent to
	var at post.Capture
	put := func(r *warc.Record) error {
		pos, err := s.write(r)
		if err == nil && answer == nil {
			answer = r
			at = post.Capture{RecordID: r.ID(), File: string(s.name) + WARCEnding, Offset: pos.Offset, PayloadDigest: r.PayloadDigest}
		}
		return err
	}

	if res := &ex.Response; res.Size > res.Interim {
		payload := ""
		if ex.Status > 0 {
			payload = digest(res.PayloadSHA256)
		}
		original, file, offset, found := a.originals.find(res.PayloadSHA256)
		if !found && earlier != nil {
			original, file, offset, found = earlier.Original, earlier.File, earlier.Offset, true
			a.originals.add(res.PayloadSHA256, original.ID, original.URL, original.Date, file, offset)
		}
		revisit := found && a.mayRevisit(ex)
		var r *warc.Record
		if revisit {
			r = c.Identical(block(res, res.Interim, res.Head), original)
			r.Header.Add("WARC-Refers-To-Filename", file)
			r.Header.Add("WARC-Refers-To-File-Offset", fmt.Sprint(offset))
		} else {
			c.Truncated = ex.Truncated
			r = c.Response(block(res, res.Interim, res.Size))
			r.BlockDigest, r.PayloadDigest = digest(res.FinalSHA256), payload
		}
		if err := put(r); err != nil {
			return at, err
		}
		if !found && a.mayRevisit(ex) {
			a.originals.add(res.PayloadSHA256, r.ID(), ex.URL, ex.Started, at.File, at.Offset)
		}
		if res.Interim > 0 {
			fields.Add("interimBytes", fmt.Sprint(res.Interim))
		}
		if revisit {
			fields.Add("revisitOf", original.ID)
		}
	}
	if req := &ex.Request; req.Size > 0 {
		r := c.Request(block(req, 0, req.Size), answer)
		r.BlockDigest = digest(req.SHA256)
		if req.PayloadSize > 0 {
			r.PayloadDigest = digest(req.PayloadSHA256)
		}
		if ex.RequestTruncated != "" {
			r.Header.Add("WARC-Truncated", ex.RequestTruncated)
		}
		if err := put(r); err != nil {
			return at, err
		}
	}
	if ex.Outcome != "" {
		fields.Add("outcome", string(ex.Outcome))
	}
	if ex.Error != "" {
		fields.Add("error", oneLine(ex.Error))
	}
	for _, r := range ex.Redactions {
		fields.Add("redacted", oneLine(r.String()))
	}
	if err := put(c.Metadata(fields, answer)); err != nil {
		return at, err
	}
	if n := ex.Response.Interim; n > 0 {
		// Interim answers have a record of their own: most readers take the
		// first status line of a response record for the answer.
		r := c.Resource("urn:refrain:interim:"+strings.TrimPrefix(answer.ID(), "urn:uuid:"), "application/http; msgtype=response", block(&ex.Response, 0, n), answer)
		if err := put(r); err != nil {
			return at, err
		}
	}
	return at, nil
}

// mayRevisit reports whether an answer may be replaced by, and be the original
// of, a revisit.
func (a *Archive) mayRevisit(ex *capture.Exchange) bool {
	return a.opts.MinRevisit >= 0 && ex.Status > 0 && ex.Truncated == "" && ex.Outcome == "" && len(ex.Redactions) == 0 &&
		ex.Response.Excess == 0 && ex.Response.PayloadSize > 0 && ex.Response.PayloadSize >= a.opts.MinRevisit
}

func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// WritePosts appends a resource record for each post, concurrent to the record
// of its Capture, and a line in the posts file. They are durable after Sync.
func (a *Archive) WritePosts(ctx context.Context, posts []post.Post) error {
	if err := checkPosts(posts); err != nil || len(posts) == 0 {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.writePosts(posts, post.Capture{})
}

func checkPosts(posts []post.Post) error {
	for i := range posts {
		p := &posts[i]
		if p.Platform == "" || p.ID == "" {
			return fmt.Errorf("write post %q: it has no platform or no id", p.Key())
		}
		if p.Capture.RecordID == "" && p.Capture.Import == "" {
			return fmt.Errorf("write post %s: it has no capture, and a post without its capture cannot exist", p.Key())
		}
	}
	return nil
}

// writePosts is WritePosts with the lock held. Posts of an imported file are
// concurrent to the file's record, imported: the record that their capture may
// name is inside that file.
func (a *Archive) writePosts(posts []post.Post, imported post.Capture) error {
	for i := range posts {
		p := &posts[i]
		of := p.Capture.RecordID
		if p.Capture.Import != "" {
			var err error
			if of, err = a.importRecord(imported); err != nil {
				return err
			}
		}
		if _, err := a.writeLine(PostURI(p), memberPost, p, p.FetchedAt, of); err != nil {
			return fmt.Errorf("write post %s: %w", p.Key(), err)
		}
	}
	return nil
}

// PostURI is the target URI of a post's resource records.
func PostURI(p *post.Post) string { return escapeURI(p.URN()) }

// importRecord is the id of an imported file's record, where that lies in the
// segment that is being written; "" elsewhere: what is read from the file names
// it by its digest. The lock is held.
func (a *Archive) importRecord(imported post.Capture) (string, error) {
	if err := a.begin(); err != nil {
		return "", err
	}
	if imported.File != string(a.segment.name)+WARCEnding {
		return "", nil
	}
	return imported.RecordID, nil
}

// pageURI begins the target URI of what an exchange said.
const pageURI = "urn:refrain:page:"

// WritePage appends what an exchange said beside its posts (outcome, coverage,
// identities), as JSON, and then its posts, with nothing of others in between.
// of is the capture of the exchange, or of the record of an imported file, with
// Import set; it is zero where none was made (robots.txt forbade it): then the page's record is the
// record of that. They are durable after Sync.
func (a *Archive) WritePage(ctx context.Context, page any, date time.Time, of post.Capture, posts []post.Post) (post.Capture, error) {
	if err := checkPosts(posts); err != nil {
		return post.Capture{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	record := of.RecordID
	if of.Import != "" {
		var err error
		if record, err = a.importRecord(of); err != nil {
			return post.Capture{}, fmt.Errorf("write what an imported file said: %w", err)
		}
	}
	c, err := a.writeLine(pageURI+strings.TrimPrefix(warc.NewID(), "urn:uuid:"), memberPage, page, date, record)
	if err != nil {
		return post.Capture{}, fmt.Errorf("write what an exchange said: %w", err)
	}
	return c, a.writePosts(posts, of)
}

// writeLine appends a resource record of JSON and its line in the posts file.
// The lock is held.
func (a *Archive) writeLine(uri, member string, v any, date time.Time, concurrentTo string) (post.Capture, error) {
	data, err := oneLineJSON(v)
	if err != nil {
		return post.Capture{}, err
	}
	if err := a.begin(); err != nil {
		return post.Capture{}, err
	}
	s := a.segment
	r := a.resource(Resource{URI: uri, ContentType: "application/json", Block: warc.Bytes(data), Date: date, ConcurrentTo: concurrentTo})
	if len(data) >= packedFrom {
		if r.Packed, err = s.warc.Pack(data); err != nil {
			return post.Capture{}, err
		}
	}
	pos, err := s.write(r)
	if err == nil {
		if err = s.addPost(r.ID(), pos.Offset, member, data, r.Packed); err != nil {
			s.sinkErr = err
		}
	}
	if err = a.end(err); err != nil {
		return post.Capture{}, err
	}
	return post.Capture{RecordID: r.ID(), File: string(s.name) + WARCEnding, Offset: pos.Offset, PayloadDigest: r.PayloadDigest}, nil
}

// A Resource is something that is neither an exchange nor a post: what was
// computed from a picture (urn:refrain:asset:sha256:HEX), a note.
type Resource struct {
	URI          string // target URI, unique to what it describes
	ContentType  string
	Block        warc.Block
	Date         time.Time // zero: now
	ConcurrentTo string    // id of the record that it was made from; empty: none
}

// WriteResource appends a resource record. It is durable after Sync.
func (a *Archive) WriteResource(ctx context.Context, res Resource) (post.Capture, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begin(); err != nil {
		return post.Capture{}, fmt.Errorf("write %s: %w", res.URI, err)
	}
	s := a.segment
	r := a.resource(res)
	pos, err := s.write(r)
	if err = a.end(err); err != nil {
		return post.Capture{}, fmt.Errorf("write %s: %w", res.URI, err)
	}
	return post.Capture{RecordID: r.ID(), File: string(s.name) + WARCEnding, Offset: pos.Offset, PayloadDigest: r.PayloadDigest}, nil
}

// WriteAssetFacts appends what was computed from the file with that SHA-256
// (lower-case hex), as JSON, under urn:refrain:asset:sha256:HEX.
func (a *Archive) WriteAssetFacts(ctx context.Context, sha256 string, facts any, of post.Capture) (post.Capture, error) {
	data, err := oneLineJSON(facts)
	if err != nil {
		return post.Capture{}, fmt.Errorf("write the facts of asset %s: %w", sha256, err)
	}
	return a.WriteResource(ctx, Resource{URI: "urn:refrain:asset:sha256:" + sha256, ContentType: "application/json", Block: warc.Bytes(data), ConcurrentTo: of.RecordID})
}

func (a *Archive) resource(res Resource) *warc.Record {
	if res.Date.IsZero() {
		res.Date = a.opts.Now()
	}
	var from *warc.Record
	if res.ConcurrentTo != "" {
		from = &warc.Record{Header: warc.Header{{Name: "WARC-Record-ID", Value: "<" + warc.TrimID(res.ConcurrentTo) + ">"}}}
	}
	return warc.Capture{Date: res.Date.UTC()}.Resource(res.URI, res.ContentType, res.Block, from)
}

// oneLineJSON is v as JSON without a line end, <, > and & as they are.
func oneLineJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// escapeURI percent-encodes what may not stand in a URI (RFC 3986), and nothing
// that may.
func escapeURI(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("<>\"{}|\\^`", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
