package warc

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// A bodyCheck is what was computed of one block.
type bodyCheck struct {
	block, payload Digest // as declared; no Sum: none
	head           *HTTPHead
	notHTTP        bool
	blockSum       []byte
	payloadSum     []byte // of the payload: transfer coding removed
	framedSum      []byte // of the body as it stands; nil unless chunked
	wholeSum       []byte // of the block, by the algorithm of the payload digest; nil unless HTTP
	framing        Framing
	bodySize       int64  // of the body as it stands
	start          []byte // the whole block of a revisit that is not long
}

// block reads the block once and computes what the digests need.
func (v *verifier) block(ctx context.Context, rec *ReadRecord) (*bodyCheck, error) {
	b := &bodyCheck{}
	h := rec.Header
	b.block = v.declared(rec, "WARC-Block-Digest")
	b.payload = v.declared(rec, "WARC-Payload-Digest")
	http := strings.HasPrefix(mediaType(h.Get("Content-Type")), "application/http")
	kind := h.Type()
	http = http && (kind == TypeResponse || kind == TypeRequest || kind == TypeRevisit)

	var block, payload, framed, whole hash.Hash
	if !v.o.NoDigests {
		if b.block.Sum != nil {
			block = b.block.New()
		}
		if b.payload.Sum != nil && payloadDefined(kind) {
			payload = b.payload.New()
			if http {
				whole = b.payload.New()
			}
		}
	}
	var start []byte // of the block, until its HTTP head is read
	var chunked *dechunker
	seen := int64(0)
	feedBody := func(p []byte) {
		b.bodySize += int64(len(p))
		switch {
		case chunked != nil:
			chunked.Write(p)
			if framed != nil {
				framed.Write(p)
			}
		case payload != nil:
			payload.Write(p)
		}
	}
	begin := func(end bool) {
		head, err := parseHead(start, end)
		if errors.Is(err, errHeadGrows) && len(start) < MaxHTTPHead {
			return
		}
		http = false
		if err != nil {
			b.notHTTP = true
			feedBody(start)
			start = nil
			return
		}
		b.head = head
		if head.Chunked() {
			var to io.Writer = io.Discard
			if payload != nil {
				framed = b.payload.New()
				to = payload
			}
			chunked = newDechunker(to)
		}
		feedBody(start[head.Size:])
		start = nil
	}
	for {
		n, err := rec.Read(v.buf)
		p := v.buf[:n]
		seen += int64(n)
		if n > 0 {
			if block != nil {
				block.Write(p)
			}
			if whole != nil {
				whole.Write(p)
			}
			if kind == TypeRevisit && rec.Size() <= maxDoubtHead {
				b.start = append(b.start, p...)
			}
			if http {
				start = append(start, p...)
				begin(seen == rec.Size())
			} else {
				feedBody(p)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if seen%(64<<20) < int64(n) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	if seen == 0 && (http && kind != TypeRevisit || kind == TypeResponse) {
		b.notHTTP = true
	}
	if block != nil {
		b.blockSum = block.Sum(nil)
	}
	if payload != nil {
		b.payloadSum = payload.Sum(nil)
	}
	if whole != nil {
		b.wholeSum = whole.Sum(nil)
	}
	if chunked != nil {
		b.framing = FramingWhole
		if b.bodySize > 0 {
			b.framing = chunked.chunks.framing(chunked.excess)
		}
		if framed != nil {
			b.framedSum = framed.Sum(nil)
			if b.framing == FramingRemoved {
				b.payloadSum = b.framedSum
			}
		}
	}
	return b, nil
}

// payloadDefined reports whether the payload of a type lies in its own record
// and its kind is known. That of a revisit lies in another record, that of a
// continuation in several.
func payloadDefined(kind string) bool {
	switch kind {
	case TypeResponse, TypeRequest, TypeResource, TypeMetadata, TypeConversion, TypeWarcinfo:
		return true
	}
	return false
}

// declared reads a digest field and remarks on its spelling.
func (v *verifier) declared(rec *ReadRecord, name string) Digest {
	value := rec.Header.Get(name)
	if value == "" {
		return Digest{}
	}
	d, err := ParseDigest(value)
	if err != nil {
		v.find(rec.Offset, rec.ID(), CodeDigestUnknown, "%s is %q", name, clip(value))
		return Digest{}
	}
	if d.String() != value {
		v.find(rec.Offset, rec.ID(), CodeDigestSpelling, "%s is %s; the usual spelling is %s", name, clip(value), d)
	}
	return d
}

// body says what the computed digests and the HTTP message show.
func (v *verifier) body(rec *ReadRecord, b *bodyCheck) {
	id := rec.ID()
	remark := func(code Code, format string, args ...any) { v.find(rec.Offset, id, code, format, args...) }
	if b.notHTTP {
		remark(CodeNotHTTP, "the block of %d bytes does not begin with an HTTP message", rec.Size())
	}
	if rec.Version != "ARC/1" && rec.Size() > 0 && !rec.Header.Has("WARC-Block-Digest") && !rec.Header.Has("WARC-Payload-Digest") {
		remark(CodeNoDigest, "a %s record of %d bytes has no digest", orNone(rec.Header.Type()), rec.Size())
	}
	if b.blockSum != nil {
		if got := (Digest{b.block.Algorithm, b.blockSum}); got.Equal(b.block) {
			v.report.Digests++
		} else {
			f := Finding{Offset: rec.Offset, RecordID: id, Code: CodeBlockDigest, Severity: SeverityDamage,
				Detail: fmt.Sprintf("WARC-Block-Digest is %s, the block has %s", b.block, got)}
			if !v.doubtful(rec, b, f) {
				v.add(f)
			}
		}
	}
	truncated := rec.Header.Get("WARC-Truncated") != ""
	if b.payloadSum != nil && !rec.Header.Has("WARC-Segment-Number") {
		v.payload(rec, b, truncated)
	}
	if b.head == nil || rec.Header.Type() == TypeRevisit {
		return
	}
	if strings.HasPrefix(b.head.Proto, "HTTP/2") && b.head.Status > 0 {
		remark(CodeHTTPStatusLine, "the status line begins with %s", b.head.Proto)
	}
	switch b.framing {
	case FramingNone:
		want := httpLength(b.head)
		if b.head.Status == 304 || b.head.Status == 204 || want <= b.bodySize {
			break
		}
		if truncated {
			remark(CodeBodyTruncated, "%d of %d bytes of the body are here; WARC-Truncated: %s", b.bodySize, want, clip(rec.Header.Get("WARC-Truncated")))
		} else if b.bodySize > 0 || b.head.Status == 200 {
			remark(CodeBodyShort, "%d of %d bytes of the body are here", b.bodySize, want)
		}
	case FramingRemoved:
		remark(CodeFramingRemoved, "the head names chunked coding, the body has none")
	case FramingWhole:
	default:
		if truncated && b.framing == FramingCut {
			remark(CodeBodyTruncated, "the chunks end early; WARC-Truncated: %s", clip(rec.Header.Get("WARC-Truncated")))
		} else {
			remark(CodeFramingBroken, "chunked body: %s", b.framing)
		}
	}
}

// payload compares the payload digest with all that tools digest.
func (v *verifier) payload(rec *ReadRecord, b *bodyCheck, truncated bool) {
	remark := func(code Code, format string, args ...any) { v.find(rec.Offset, rec.ID(), code, format, args...) }
	is := func(sum []byte) bool {
		return sum != nil && Digest{b.payload.Algorithm, sum}.Equal(b.payload)
	}
	switch {
	case is(b.payloadSum):
		v.report.Digests++
	case b.notHTTP:
		remark(CodePayloadUndefined, "WARC-Payload-Digest is %s", b.payload)
	case is(b.framedSum):
		v.report.Digests++
		remark(CodePayloadFramed, "WARC-Payload-Digest %s is that of the chunked body", b.payload)
	case is(b.wholeSum):
		v.report.Digests++
		remark(CodePayloadBlock, "WARC-Payload-Digest %s is that of the whole block", b.payload)
	case v.decodedFits(rec, b):
		v.report.Digests++
		remark(CodePayloadDecoded, "WARC-Payload-Digest %s is that of the unpacked body", b.payload)
	case truncated:
		remark(CodePayloadTrunc, "WARC-Payload-Digest is %s, what is here has %s", b.payload, Digest{b.payload.Algorithm, b.payloadSum})
	default:
		remark(CodePayloadDigest, "WARC-Payload-Digest is %s, the payload has %s", b.payload, Digest{b.payload.Algorithm, b.payloadSum})
	}
}

// maxReread is how far into a shared gzip member a record may begin to be read
// a second time.
const maxReread = 64 << 20

// decodedFits reads the record again and digests its body unpacked.
func (v *verifier) decodedFits(rec *ReadRecord, b *bodyCheck) bool {
	if b.head == nil || len(b.head.ContentCodings()) == 0 || rec.Inner > maxReread {
		return false
	}
	rd, err := NewReaderAt(v.file, v.report.Size, rec.Offset)
	if err != nil {
		return false
	}
	again, err := rd.Next()
	for err == nil && again.Inner < rec.Inner && again.Offset == rec.Offset {
		again, err = rd.Next()
	}
	if err != nil || again.ID() != rec.ID() {
		return false
	}
	m, err := ReadHTTP(again)
	if err != nil {
		return false
	}
	// 1,000 bytes from one is about what deflate can do at most.
	body, err := m.Decoded(1100*rec.Size() + 1<<20)
	if err != nil {
		return false
	}
	defer body.Close()
	sum := b.payload.New()
	if _, err := io.Copy(sum, body); err != nil {
		return false
	}
	return Digest{b.payload.Algorithm, sum.Sum(nil)}.Equal(b.payload)
}
