package index

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/post"
)

// A Record is one record, wherever it lies. Read gives its block; Close must be
// called.
type Record struct {
	*warc.ReadRecord
	Entry Entry // of the record; from Capture, with Source, Offset and what the header says

	close func() error
}

// Close gives back what the record needed.
func (r *Record) Close() error { return r.close() }

// Capture says where the record lies, as a post's capture does.
func (r *Record) Capture() post.Capture {
	c := post.Capture{RecordID: r.ID(), File: r.Entry.Filename, Offset: r.Offset, PayloadDigest: r.Header.Get("WARC-Payload-Digest")}
	if sum := r.Entry.Source.SHA256; sum != "" {
		c.Import = "sha256:" + sum
	}
	return c
}

// Record opens the record of an entry: in its segment, by ranges of the store;
// in an imported or linked WARC; or in its WARC within a WACZ, in place. A
// linked file that is not there any more, or that was changed, is a *LinkError:
// other bytes than those that were linked are never given.
func (x *Index) Record(ctx context.Context, e Entry) (*Record, error) {
	r, err := x.record(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("read the record of %s at %s: %w", e.URL, e.Timestamp, err)
	}
	if e.URL != "" && r.Header.TargetURI() != e.URL {
		err := fmt.Errorf("read the record of %s at %s: at %d of %s lies one of %s: the index does not fit the file (`refrain verify` checks both)", e.URL, e.Timestamp, e.Offset, e.Filename, r.Header.TargetURI())
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (x *Index) record(ctx context.Context, e Entry) (*Record, error) {
	if e.Source.Kind == KindSegment {
		rec, err := x.opts.Archive.ReadRecord(ctx, post.Capture{File: e.Source.Name + archive.WARCEnding, Offset: e.Offset})
		if err != nil {
			return nil, err
		}
		return &Record{ReadRecord: rec.ReadRecord, Entry: e, close: rec.Close}, nil
	}
	src := x.sourceOf(&e)
	if src == nil {
		return nil, fmt.Errorf("%s is not in the index", e.Source.Name)
	}
	at, size, done, err := x.openSource(ctx, src)
	if err != nil {
		return nil, err
	}
	rec, err := readFrom(at, size, &e)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", e.Source.Name, err), done())
	}
	rec.Entry = e
	also := rec.close
	rec.close = func() error { return errors.Join(also(), done()) }
	return rec, nil
}

// sourceOf gives the source of an entry; nil: there is none.
func (x *Index) sourceOf(e *Entry) *source {
	if e.file != nil {
		return e.file.of
	}
	v := x.acquire()
	if v == nil {
		return nil
	}
	defer v.release()
	for _, f := range v.files {
		if f != nil && f.source == e.Source {
			return f.of
		}
	}
	return nil
}

// openSource opens an imported or linked file.
func (x *Index) openSource(ctx context.Context, src *source) (r io.ReaderAt, size int64, done func() error, err error) {
	if src.Kind == KindImport {
		return blob.Window(ctx, x.opts.Archive.Store(), src.Name, src.Size), src.Size, func() error { return nil }, nil
	}
	f, stamp, err := openLinked(ctx, src, func(s stampOf) bool {
		if s == src.Stamp {
			return true
		}
		had, ok := x.checked.Load(s.Path)
		return ok && had == s
	})
	if err != nil {
		return nil, 0, nil, err
	}
	x.checked.Store(stamp.Path, stamp)
	return f, src.Size, f.Close, nil
}

// readFrom opens the record of an entry in a WARC or WACZ.
func readFrom(r io.ReaderAt, size int64, e *Entry) (*Record, error) {
	none := func() error { return nil }
	if e.Source.Member != "" {
		z, err := wacz.Open(r, size)
		if err != nil {
			return nil, err
		}
		stream, at, err := openMember(z, e.Source.Member)
		if err != nil {
			return nil, err
		}
		if at == nil {
			return readStream(stream.(io.ReadCloser), e.Offset)
		}
		section := at.(*io.SectionReader)
		r, size = section, section.Size()
	}
	if e.RecordDigest != "" && e.Length > 0 {
		d, err := warc.ParseDigest(e.RecordDigest)
		if err != nil {
			return nil, err
		}
		h := d.New()
		if _, err := io.Copy(h, io.NewSectionReader(r, e.Offset, e.Length)); err != nil {
			return nil, err
		}
		if string(h.Sum(nil)) != string(d.Sum) {
			return nil, fmt.Errorf("the %d bytes at %d are not those that were indexed: the file was changed; put the file with the SHA-256 %s back", e.Length, e.Offset, e.Source.SHA256)
		}
	}
	rec, err := warc.ReadAt(r, size, e.Offset)
	if err != nil {
		return nil, err
	}
	return &Record{ReadRecord: rec, close: none}, nil
}

// readStream opens a record of a WARC that is deflated in its WACZ: all before
// it is read too.
func readStream(r io.ReadCloser, offset int64) (*Record, error) {
	if _, err := io.CopyN(io.Discard, r, offset); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	reader, err := warc.NewReader(r)
	if err == nil {
		var rec *warc.ReadRecord
		if rec, err = reader.Next(); err == nil {
			rec.Offset += offset
			return &Record{ReadRecord: rec, close: r.Close}, nil
		}
	}
	return nil, errors.Join(err, r.Close())
}

// Capture opens the record that c names: of a segment or, where c has Import, of
// an imported or linked file. It is an error if another record lies there.
func (x *Index) Capture(ctx context.Context, c post.Capture) (*Record, error) {
	e, err := x.entryOf(c)
	var r *Record
	if err == nil {
		r, err = x.record(ctx, e)
	}
	if err != nil {
		return nil, fmt.Errorf("read record %s at %d of %s: %w", c.RecordID, c.Offset, c.File, err)
	}
	if c.RecordID != "" && r.ID() != c.RecordID {
		return nil, errors.Join(fmt.Errorf("read record %s at %d of %s: there lies record %s", c.RecordID, c.Offset, c.File, r.ID()), r.Close())
	}
	r.Entry.URL = r.Header.TargetURI()
	if t, err := warc.ParseDate(r.Header.Get("WARC-Date")); err == nil {
		r.Entry.Timestamp = t.UTC().Format("20060102150405")
	}
	r.Entry.Digest = r.Header.Get("WARC-Payload-Digest")
	return r, nil
}

func (x *Index) entryOf(c post.Capture) (e Entry, err error) {
	e.Offset, e.Filename = c.Offset, c.File
	if c.Import == "" {
		name, ending, ok := archive.ParseName(c.File)
		if !ok || ending != archive.WARCEnding {
			return e, errors.New("this is not the name of a segment's WARC")
		}
		e.Source = Source{Kind: KindSegment, Name: string(name)}
		return e, nil
	}
	if c.File == "" {
		return e, fmt.Errorf("it is line %d of the imported file %s, no record", c.Line, c.Import)
	}
	v := x.acquire()
	if v == nil {
		return e, errClosed
	}
	defer v.release()
	sum := strings.TrimPrefix(c.Import, "sha256:")
	var found []*file
	for _, f := range v.files {
		if f != nil && f.source.SHA256 == sum {
			found = append(found, f)
		}
	}
	for _, f := range found {
		if len(found) == 1 || f.source.Member != "" && path.Base(f.source.Member) == path.Base(c.File) {
			e.Source, e.file, e.Filename = f.source, f, f.base
			return e, nil
		}
	}
	if len(found) > 0 {
		e.Source, e.file, e.Filename = found[0].source, found[0], found[0].base
		return e, nil
	}
	if err := x.missing(sum); err != nil {
		return e, err
	}
	return e, fmt.Errorf("no file with the digest %s is in the archive, nor linked to it", c.Import)
}

// missing says why a linked file is not in the index.
func (x *Index) missing(sum string) error {
	x.updating.Lock()
	defer x.updating.Unlock()
	for _, s := range x.state.Sources {
		if s.Kind == KindLink && s.SHA256 == sum && s.Note != "" {
			return errors.New(s.Note)
		}
	}
	return nil
}

// Resolve opens the record that holds the payload of an entry: the entry's own
// or, where that is a revisit, the one that it stands for, which Entry of the
// result then names. That one is found by WARC-Refers-To-Filename and -Offset,
// else by WARC-Refers-To-Target-URI and -Date, else by the payload digest, else,
// of an answer that nothing was changed, as the last whole answer of that URL
// before. The status and header that the site sent with the revisit are in the
// record of the entry itself: see Record.
func (x *Index) Resolve(ctx context.Context, e Entry) (*Record, error) {
	r, err := x.Record(ctx, e)
	if err != nil || r.Header.Type() != warc.TypeRevisit {
		return r, err
	}
	h := r.Header
	if err := r.Close(); err != nil {
		return nil, err
	}
	o, err := x.original(ctx, h, e)
	if err != nil {
		return nil, fmt.Errorf("find the payload of %s at %s, which record %s does not repeat: %w", e.URL, e.Timestamp, h.RecordID(), err)
	}
	return o, nil
}

// ErrNoOriginal says that the record whose payload a revisit does not repeat is
// neither in the archive nor in what is linked to it.
var ErrNoOriginal = errors.New("no record that holds it is in the archive")

func (x *Index) original(ctx context.Context, h warc.Header, e Entry) (*Record, error) {
	digest := h.Get("WARC-Payload-Digest")
	unchanged := strings.Contains(h.Get("WARC-Profile"), "server-not-modified")
	if unchanged {
		digest = "" // of the empty body of that answer, where a tool wrote one
	}
	fits := func(r *Record) bool {
		if t := r.Header.Type(); t != warc.TypeResponse && t != warc.TypeResource {
			return false
		}
		return digest == "" || sameDigest(digest, r.Header.Get("WARC-Payload-Digest")) || sameDigest(digest, r.Entry.Digest)
	}
	var last error
	try := func(r *Record, err error) (*Record, bool) {
		if err != nil {
			last = err
			return nil, false
		}
		if fits(r) {
			return r, true
		}
		r.Close() //nolint:errcheck // only read
		return nil, false
	}
	if offset, err := strconv.ParseInt(h.Get("WARC-Refers-To-File-Offset"), 10, 64); err == nil {
		if name, ending, ok := archive.ParseName(h.Get("WARC-Refers-To-Filename")); ok && ending == archive.WARCEnding {
			if r, ok := try(x.Capture(ctx, post.Capture{RecordID: warc.TrimID(h.Get("WARC-Refers-To")), File: string(name) + ending, Offset: offset})); ok {
				return r, nil
			}
		}
	}
	find := func(q Query) (*Record, error) {
		for o, err := range x.Find(ctx, q) {
			if err != nil {
				return nil, err
			}
			if o.Revisit() {
				continue
			}
			if r, ok := try(x.Record(ctx, o)); ok {
				return r, nil
			}
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
		}
		return nil, nil
	}
	if uri := warc.TrimID(h.Get("WARC-Refers-To-Target-URI")); uri != "" {
		if at, err := warc.ParseDate(h.Get("WARC-Refers-To-Date")); err == nil {
			if r, err := find(Query{URL: uri, From: at, To: at, Limit: maxOriginals}); r != nil || err != nil {
				return r, err
			}
		}
	}
	if digest != "" {
		if r, err := find(Query{Digest: digest, Limit: maxOriginals}); r != nil || err != nil {
			return r, err
		}
	} else if unchanged {
		ok := []Filter{{field: "status", exact: true, text: strconv.Itoa(http.StatusOK)}}
		if r, err := find(Query{URL: e.URL, To: e.Time().Add(time.Second), Sort: Reverse, Filters: ok, Limit: maxOriginals}); r != nil || err != nil {
			return r, err
		}
	}
	if last != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNoOriginal, last)
	}
	return nil, ErrNoOriginal
}

// maxOriginals bounds how many records are looked at for the payload of one.
const maxOriginals = 100

// Original gives the record of a finished segment that holds the payload with a
// SHA-256, for archive.Archive.Deduplicate; false: there is none, as of the last
// Update. The record is opened: it is there, is a whole answer and says that
// digest. What does not is passed over.
func (x *Index) Original(ctx context.Context, payload [32]byte) (archive.Earlier, bool, error) {
	digest := "sha256:" + hex.EncodeToString(payload[:])
	looked := 0
	for e, err := range x.Find(ctx, Query{Digest: digest}) {
		if err != nil {
			return archive.Earlier{}, false, err
		}
		if e.Source.Kind != KindSegment || e.Source.Open || e.Revisit() || e.Status == "" {
			continue
		}
		if looked++; looked > maxTries {
			break
		}
		o, ok := x.whole(ctx, e, digest)
		if ctx.Err() != nil {
			return archive.Earlier{}, false, context.Cause(ctx)
		}
		if ok {
			return o, true, nil
		}
	}
	return archive.Earlier{}, false, nil
}

// maxTries bounds how many records are opened for one payload that is to be
// stored: it can always be stored again.
const maxTries = 3

// whole reports whether the record of an entry holds a whole payload.
func (x *Index) whole(ctx context.Context, e Entry, digest string) (archive.Earlier, bool) {
	r, err := x.Record(ctx, e)
	if err != nil {
		return archive.Earlier{}, false
	}
	defer r.Close() //nolint:errcheck // only read
	h := r.Header
	at, err := warc.ParseDate(h.Get("WARC-Date"))
	if err != nil || h.Type() != warc.TypeResponse || h.Get("WARC-Payload-Digest") != digest || h.Has("WARC-Truncated") || r.ID() == "" {
		return archive.Earlier{}, false
	}
	return archive.Earlier{
		Original: warc.Original{ID: r.ID(), URL: h.TargetURI(), Date: at, PayloadDigest: digest},
		File:     e.Source.Name + archive.WARCEnding, Offset: e.Offset,
	}, true
}
