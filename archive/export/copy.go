package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/warc"
)

// A source is a WARC that is copied from: of a segment, or of an imported file.
type source struct {
	*archive.File
	name archive.Name // empty: it is not a segment
	file string       // for reports

	r     *warc.Reader     // of the last place; nil at first
	next  int64            // where r stands, if its last record was read to the end
	ahead *warc.ReadRecord // that r has given and that was not wanted then
}

// copy copies the record at a place and, of a capture, those that belong to it
// and follow it.
func (e *exporter) copy(ctx context.Context, src *source, it item) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	if src.name != "" {
		if _, ok := e.infos[src.name]; !ok && it.offset > 0 {
			e.infos[src.name] = struct{}{}
			if err := e.copy(ctx, &source{File: src.File, name: src.name, file: src.file}, item{}); err != nil {
				return err
			}
		}
	}
	first := ""
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var rec *warc.ReadRecord
		var err error
		if first == "" {
			rec, err = src.at(it.offset)
		} else {
			rec, err = src.r.Next()
		}
		if err == io.EOF && first != "" {
			return nil
		}
		if err == io.EOF {
			e.problem(Problem{File: src.file, Offset: it.offset, Reason: "the file ends before that place"})
			return nil
		}
		if err != nil {
			if first != "" {
				return nil // the records that belong to first are copied, or were reported
			}
			return e.lacks(src.file, it.offset, "", err)
		}
		if first != "" && !follows(rec, first) {
			src.ahead = rec
			return nil
		}
		if first == "" {
			first = rec.ID()
		}
		if err := e.record(ctx, src, rec, it); err != nil {
			return err
		}
		if !it.group {
			return nil
		}
	}
}

// at gives the record at a place, and reads on where it is the next one.
func (s *source) at(offset int64) (*warc.ReadRecord, error) {
	ahead := s.ahead
	s.ahead = nil
	if ahead != nil && ahead.Offset == offset {
		return ahead, nil
	}
	if s.r == nil || s.next != offset || ahead != nil {
		r, err := warc.NewReaderAt(s, s.Size, offset)
		if err != nil {
			return nil, err
		}
		s.r = r
	}
	s.next = -1
	return s.r.Next()
}

// follows reports whether a record behind a capture's first one belongs to it.
func follows(rec *warc.ReadRecord, first string) bool {
	switch rec.Header.Type() {
	case warc.TypeRequest, warc.TypeMetadata:
	case warc.TypeResponse, warc.TypeRevisit:
		// Some tools write the request first.
	case warc.TypeResource:
		if !strings.HasPrefix(rec.Header.TargetURI(), "urn:refrain:interim:") {
			return false
		}
	default:
		return false
	}
	for _, id := range rec.Header.Values("WARC-Concurrent-To") {
		if warc.TrimID(id) == first {
			return true
		}
	}
	return false
}

// begin begins a WARC of the package where there is none, or the last is full.
func (e *exporter) begin(context.Context) error {
	if e.warcs > 0 && e.w.WARCSize() < e.o.MaxWARC {
		return nil
	}
	e.warcs++
	name := fmt.Sprintf("refrain-export-%s-%05d.warc.gz", e.o.Created.UTC().Format("20060102150405"), e.warcs)
	if err := e.w.NewWARC(name); err != nil {
		return err
	}
	var fields warc.Header
	fields.Add("software", e.o.Software)
	fields.Add("format", "WARC File Format 1.1")
	fields.Add("conformsTo", "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/")
	fields.Add("description", "export from the archive "+e.report.Archive+": records are copied as they are, with the warcinfo record of the file that they are from; "+ReportName+" says what was selected")
	fields.Add("isPartOf", e.report.Archive)
	if e.o.Operator != "" {
		fields.Add("operator", e.o.Operator)
	}
	return e.w.Record(warc.NewWarcinfo(name, e.o.Created, fields))
}

// checked reads a record to its end and says where it lies and whether its
// block fits its digest.
func checked(rec *warc.ReadRecord, also io.Writer) (warc.Position, error) {
	var h hash.Hash
	want, err := warc.ParseDigest(rec.Header.Get("WARC-Block-Digest"))
	if err == nil {
		h = want.New()
	}
	var out io.Writer = io.Discard
	switch {
	case h != nil && also != nil:
		out = io.MultiWriter(h, also)
	case h != nil:
		out = h
	case also != nil:
		out = also
	}
	if _, err := io.Copy(out, rec); err != nil {
		return warc.Position{}, err
	}
	pos, err := rec.Finish()
	if err != nil {
		return pos, err
	}
	if h != nil && !bytes.Equal(h.Sum(nil), want.Sum) && !unabridged(rec) {
		return pos, &warc.Damage{Code: warc.CodeBlockDigest, Offset: rec.Offset, RecordID: rec.ID(), Detail: "the block does not fit its WARC-Block-Digest"}
	}
	return pos, nil
}

// unabridged reports whether the block digest of a record may be that of the
// block before a body was left out, as some tools write revisits.
func unabridged(rec *warc.ReadRecord) bool {
	return rec.Header.Type() == warc.TypeRevisit || rec.Header.Get("WARC-Truncated") != ""
}

// record copies one record, unless it is there already.
func (e *exporter) record(ctx context.Context, src *source, rec *warc.ReadRecord, it item) error {
	id := rec.ID()
	if id != "" && (e.copied.has(id) || e.kept.has(id)) || it.facts && !e.copied.has(warc.TrimID(rec.Header.Get("WARC-Concurrent-To"))) {
		if _, err := rec.Finish(); err != nil {
			return e.lacks(src.file, rec.Offset, id, err)
		}
		return nil
	}
	if why, held := e.o.Held[id]; held {
		if _, err := rec.Finish(); err != nil {
			return e.lacks(src.file, rec.Offset, id, err)
		}
		e.kept.add(id)
		return e.tombstone(rec, why)
	}
	kind := rec.Header.Type()
	if kind == warc.TypeRevisit && !e.o.Everything {
		if err := e.original(ctx, src, rec); err != nil {
			return err
		}
	}
	var head *warc.HTTPHead
	if strings.HasPrefix(strings.ToLower(rec.Header.Get("Content-Type")), "application/http") {
		var err error
		if head, err = rec.HTTPHead(); err != nil && !errors.Is(err, warc.ErrNotHTTP) {
			return e.lacks(src.file, rec.Offset, id, err)
		}
	}
	look, err := e.look(rec, head, it)
	if err != nil {
		return err
	}
	pos, err := checked(rec, look.sink())
	if lerr := look.end(); err == nil && lerr != nil {
		err = lerr
	}
	if err != nil {
		return e.lacks(src.file, rec.Offset, id, err)
	}
	src.next = pos.End()
	if look.decoded {
		e.digests.add(look.sum())
	}
	if list, err := e.withhold(ctx, rec, look); err != nil {
		return err
	} else if list != "" {
		e.kept.add(id)
		return e.tombstone(rec, list)
	}
	if !e.o.Everything { // each is there once
		e.copied.add(id)
	}
	header, done := rec.Header, false
	if e.o.Redact != nil {
		var length int64
		var redacted warc.Header
		redacted, length, done, err = e.redacted(src, rec)
		var out *leftOut
		if errors.As(err, &out) {
			delete(e.copied, keyOf(id))
			return e.keptOut(rec, out)
		}
		if err != nil {
			return e.lacks(src.file, rec.Offset, id, err)
		}
		if done {
			header, pos.Length = redacted, length
		}
	}
	if done {
		// It was written anew.
	} else if pos.Length > 0 && src.gzip() {
		err = e.w.CopyRecord(ctx, io.NewSectionReader(src, pos.Offset, pos.Length), pos.Length, rec.Header, head)
	} else {
		pos.Length, err = e.repack(src, rec)
	}
	if err != nil {
		return err
	}
	e.report.Records++
	e.report.Bytes += pos.Length
	uri := rec.Header.TargetURI()
	switch {
	case kind == warc.TypeResource && strings.HasPrefix(uri, "urn:refrain:post:"):
		e.report.Observations++
	case it.media && kind != warc.TypeRequest && kind != warc.TypeMetadata:
		e.report.Media++
	}
	if err := e.pageOf.add(rec.Header, head, header.TargetURI(), it.group && !it.media); err != nil {
		return err
	}
	if e.o.Progress != nil {
		e.o.Progress(Progress{Segments: e.done.segments, OfSegments: e.done.of, Records: e.report.Records, Bytes: e.report.Bytes})
	}
	return nil
}

// gzip reports whether the source has gzip members that can be copied.
func (s *source) gzip() bool {
	var magic [2]byte
	n, _ := s.ReadAt(magic[:], 0) // what cannot be read is reported by the reader
	return n == 2 && magic == [2]byte{0x1f, 0x8b}
}

// repack copies a record that has no gzip member of its own, header and block as
// they are.
func (e *exporter) repack(src *source, rec *warc.ReadRecord) (int64, error) {
	r, err := e.again(src, rec)
	if err != nil {
		return 0, err
	}
	block, done, err := spool(r)
	if err != nil {
		return 0, fmt.Errorf("read record %s of %s again: %w", rec.ID(), src.file, err)
	}
	defer done()
	version, h := r.Version, r.Header.Clone()
	if !strings.HasPrefix(version, "WARC/") {
		version = "WARC/1.1" // of an ARC, whose header is made up from its line
	}
	h.Set("Content-Length", strconv.FormatInt(block.Size(), 10))
	before := e.w.WARCSize()
	if err := e.w.Record(&warc.Record{Header: h, Block: block, Verbatim: true, Version: version}); err != nil {
		return 0, err
	}
	return e.w.WARCSize() - before, nil
}

// again reads a record once more, from its beginning.
func (e *exporter) again(src *source, rec *warc.ReadRecord) (*warc.ReadRecord, error) {
	again, err := warc.NewReaderAt(src, src.Size, rec.Offset)
	if err != nil {
		return nil, err
	}
	for {
		r, err := again.Next()
		if err != nil {
			return nil, fmt.Errorf("read record %s of %s again: %w", rec.ID(), src.file, err)
		}
		if r.Inner == rec.Inner {
			return r, nil
		}
	}
}

// spoolMemory is how much of a block is held in memory before it goes to a file.
const spoolMemory = 1 << 20

// spool reads a block into memory or a temporary file.
func spool(r *warc.ReadRecord) (warc.Block, func(), error) {
	if r.Size() <= spoolMemory {
		data, err := io.ReadAll(r)
		return warc.Bytes(data), func() {}, err
	}
	f, err := os.CreateTemp("", "refrain-export-*")
	if err != nil {
		return nil, nil, err
	}
	done := func() {
		f.Close()           //nolint:errcheck // temporary
		os.Remove(f.Name()) //nolint:errcheck // temporary
	}
	n, err := io.Copy(f, r)
	if err != nil {
		done()
		return nil, nil, err
	}
	return io.NewSectionReader(f, 0, n), done, nil
}

// original copies the capture whose payload a revisit does not repeat.
func (e *exporter) original(ctx context.Context, src *source, rec *warc.ReadRecord) error {
	if strings.Contains(rec.Header.Get("WARC-Profile"), "server-not-modified") {
		return nil // it stands for itself: nothing new was served
	}
	missing := func(why string) error {
		e.problem(Problem{File: src.file, Offset: rec.Offset, RecordID: rec.ID(),
			Reason: fmt.Sprintf("the record is a revisit; its payload is that of %s of %s, which %s", rec.Header.Get("WARC-Refers-To-Target-URI"), rec.Header.Get("WARC-Refers-To-Date"), why)})
		return nil
	}
	id := warc.TrimID(rec.Header.Get("WARC-Refers-To"))
	if id != "" && e.copied.has(id) {
		return nil
	}
	of, ok := archive.OriginalOf(rec.Header)
	if !ok {
		return missing("says not where it lies")
	}
	name, _, _ := archive.ParseName(of.File)
	from := &source{File: src.File, name: src.name, file: src.file} // src goes on where it is
	if name != src.name || name == "" {
		f, err := e.o.Archive.OpenFile(ctx, name, archive.WARCEnding)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			return missing("cannot be read: " + err.Error())
		}
		defer f.Close() //nolint:errcheck // only read
		from = &source{File: f, name: name, file: of.File}
	}
	before := e.report.Records
	if err := e.copy(ctx, from, item{offset: of.Offset, group: true}); err != nil {
		return err
	}
	if !e.copied.has(id) {
		if e.kept.has(id) {
			return nil // which is reported
		}
		return missing("is not at its place")
	}
	if e.report.Records > before {
		e.report.Originals++
	}
	return nil
}
