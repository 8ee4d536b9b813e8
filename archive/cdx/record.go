package cdx

import (
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/archive/warc"
)

// Options says how lines are made. The zero value gives the usual index.
type Options struct {
	Key func(url string) string // nil is SURT
}

func (o Options) key(url string) string {
	if o.Key != nil {
		return o.Key(url)
	}
	return SURT(url)
}

// FromRecord makes the line of a record that warc.Writer has just written at
// pos of the file called filename (its base name). It reads the HTTP head of
// the block and nothing more: the digest is the one that Write put into the
// header. It reports false for a record that an index leaves out.
func FromRecord(r *warc.Record, pos warc.Position, filename string, o Options) (Line, bool, error) {
	var head *warc.HTTPHead
	if r.Block != nil && Indexed(r.Header) && isHTTP(r.Header) {
		// A block that is no HTTP message has no status; that is all.
		head, _ = warc.HeadOf(r.Block)
	}
	return FromHead(r.Header, head, pos, filename, o)
}

// FromHead is FromRecord for a record that was read and copied to pos: of its
// block, head is the HTTP head, nil where it has none. The digest is the one
// that the header declares.
func FromHead(h warc.Header, head *warc.HTTPHead, pos warc.Position, filename string, o Options) (Line, bool, error) {
	if !Indexed(h) {
		return Line{}, false, nil
	}
	l, err := o.line(h, head)
	if err != nil {
		return Line{}, false, err
	}
	l.Offset, l.Length, l.Filename = pos.Offset, pos.Length, filename
	return l, true, nil
}

// Indexed reports whether an index has a line for a record with that header:
// response, revisit, resource, and metadata other than application/warc-fields.
// Warcinfo, request, conversion and unknown records have none, nor have records
// without a target.
func Indexed(h warc.Header) bool {
	switch h.Type() {
	case warc.TypeResponse, warc.TypeRevisit, warc.TypeResource:
	case warc.TypeMetadata:
		if mediaType(h.Get("Content-Type")) == "application/warc-fields" {
			return false
		}
	default:
		return false
	}
	return h.TargetURI() != "" && mediaType(h.Get("Content-Type")) != "application/warc-fields"
}

func isHTTP(h warc.Header) bool {
	return strings.HasPrefix(mediaType(h.Get("Content-Type")), "application/http")
}

// line makes a line but for its place.
func (o Options) line(h warc.Header, head *warc.HTTPHead) (Line, error) {
	date, err := warc.ParseDate(h.Get("WARC-Date"))
	if err != nil {
		return Line{}, err
	}
	l := Line{
		URL:       h.TargetURI(),
		Timestamp: Timestamp(date),
		Digest:    h.Get("WARC-Payload-Digest"),
	}
	l.Key = o.key(l.URL)
	switch kind := h.Type(); {
	case kind == warc.TypeRevisit:
		l.MIME = "warc/revisit"
	case head != nil:
		l.MIME = head.MediaType()
	case !isHTTP(h):
		l.MIME = mediaType(h.Get("Content-Type"))
	}
	if l.Digest == "" && (h.Type() == warc.TypeResource || h.Type() == warc.TypeMetadata) {
		// The payload of these is the block.
		l.Digest = h.Get("WARC-Block-Digest")
	}
	if head != nil && head.Status > 0 {
		l.Status = strconv.Itoa(head.Status)
	}
	return l, nil
}

func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}
