package archive

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/post"
)

// A Segment is one segment of the archive, as it is listed.
type Segment struct {
	Name Name
	// Open: it is being written, or its process died, or it waits for its upload.
	Open  bool
	Size  int64 // of the WARC, bytes; of an open one, what is in the file by now
	Index int64 // size of the CDXJ; 0 of an open segment and where it is missing
	Posts int64 // size of the posts file; 0 of an open segment and where there are no posts
	Whole bool  // WARC and CDXJ are there
}

// Segments lists the segments in the order of time. Those that another machine
// is writing into a bucket are not there yet. An error is given once and is the
// last.
func (a *Archive) Segments(ctx context.Context) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		open, err := a.openSegments()
		if err != nil {
			yield(Segment{}, err)
			return
		}
		// give yields a listed segment after the open ones that come before it.
		give := func(s Segment) bool {
			for len(open) > 0 && (s.Name == "" || open[0].Name <= s.Name) {
				if open[0].Name != s.Name && !yield(open[0], nil) {
					return false
				}
				open = open[1:]
			}
			return s.Name == "" || yield(s, nil)
		}
		var current Segment
		for info, err := range a.store.List(ctx, "segments/", "") {
			if err != nil {
				yield(Segment{}, err)
				return
			}
			name, ending, ok := ParseName(info.Key)
			if !ok || info.Key != name.Key(ending) {
				continue
			}
			if name != current.Name {
				if current.Size > 0 && !give(current) {
					return
				}
				current = Segment{Name: name}
			}
			switch ending {
			case WARCEnding:
				current.Size = info.Size
			case IndexEnding:
				current.Index = info.Size
			case PostsEnding:
				current.Posts = info.Size
			}
			current.Whole = current.Size > 0 && current.Index > 0
		}
		if current.Size > 0 && !give(current) {
			return
		}
		give(Segment{})
	}
}

// openSegments are those in the workspace that have a lock file and are not
// objects of the store yet.
func (a *Archive) openSegments() ([]Segment, error) {
	if a.work.root == "" {
		return nil, nil
	}
	a.mu.Lock()
	if a.segment != nil {
		if err := a.segment.flush(); err != nil {
			a.fail(err)
		}
	}
	a.mu.Unlock()
	entries, err := a.work.fs.ReadDir(filepath.Join(a.work.root, workFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list open segments: %w", err)
	}
	var open []Segment
	for _, entry := range entries {
		stem, ok := strings.CutSuffix(entry.Name(), ".lock")
		if name := Name(stem); ok && name.valid() {
			info, err := a.work.fs.Stat(a.work.path(name.Key(WARCEnding) + openEnding))
			if err != nil && !a.inPlace {
				info, err = a.work.fs.Stat(a.work.path(name.Key(WARCEnding)))
			}
			if err == nil && info.Size() > 0 {
				open = append(open, Segment{Name: name, Open: true, Size: info.Size()})
			}
		}
	}
	slices.SortFunc(open, func(a, b Segment) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return open, nil
}

// An opened file of a segment.
type opened struct {
	io.ReaderAt
	size  int64
	close func() error
	local bool
	open  bool // it is being written, or its process died
}

// openFile opens a file of a segment, wherever it is by now.
func (a *Archive) openFile(ctx context.Context, name Name, ending string) (*opened, error) {
	key := name.Key(ending)
	if a.work.root != "" {
		a.mu.Lock()
		if s := a.segment; s != nil && s.name == name {
			if err := s.flush(); err != nil {
				a.fail(err)
			}
		}
		a.mu.Unlock()
		paths := []string{a.work.path(key + openEnding), a.work.path(key)}
		if ending != WARCEnding {
			paths = paths[1:] // open ones are not whole
		}
		for _, path := range slices.Concat(paths, paths) { // twice, as it may be renamed in between
			f, err := a.work.fs.Open(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			info, err := f.Stat()
			if err != nil {
				return nil, errors.Join(err, f.Close())
			}
			return &opened{f, info.Size(), f.Close, true, strings.HasSuffix(path, openEnding)}, nil
		}
	}
	info, err := a.store.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return &opened{blob.Window(ctx, a.store, key, info.Size), info.Size, func() error { return nil }, false, false}, nil
}

// A Record is one record of the archive. Read gives its block; Close must be
// called.
type Record struct {
	*warc.ReadRecord
	Capture post.Capture // where it lies
	close   func() error
}

// Close gives back what the record needed.
func (r *Record) Close() error { return r.close() }

// Original says where the payload lies that a revisit record does not repeat.
// It reports false for other records and for revisits that do not say.
func (r *Record) Original() (post.Capture, bool) {
	return original(r.Header)
}

// OriginalOf says where the payload lies that a record with that header, a
// revisit, does not repeat. It reports false for others.
func OriginalOf(h warc.Header) (post.Capture, bool) { return original(h) }

func original(h warc.Header) (post.Capture, bool) {
	offset, err := strconv.ParseInt(h.Get("WARC-Refers-To-File-Offset"), 10, 64)
	if h.Type() != warc.TypeRevisit || err != nil || h.Get("WARC-Refers-To-Filename") == "" {
		return post.Capture{}, false
	}
	return post.Capture{
		RecordID: warc.TrimID(h.Get("WARC-Refers-To")), File: h.Get("WARC-Refers-To-Filename"), Offset: offset,
		PayloadDigest: h.Get("WARC-Payload-Digest"),
	}, true
}

// ReadRecord opens the record that c names by file and offset, whether its
// segment is finished or still open. It is an error if another record lies there.
func (a *Archive) ReadRecord(ctx context.Context, c post.Capture) (*Record, error) {
	fail := func(err error) (*Record, error) {
		return nil, fmt.Errorf("read record %s at %d of %s: %w", c.RecordID, c.Offset, c.File, err)
	}
	name, ending, ok := ParseName(c.File)
	if !ok || ending != WARCEnding || c.File != string(name)+ending {
		return fail(errors.New("this is not the name of a segment's WARC"))
	}
	f, err := a.openFile(ctx, name, WARCEnding)
	if err != nil {
		return fail(err)
	}
	record, err := warc.ReadAt(f, f.size, c.Offset)
	if err != nil {
		return fail(errors.Join(err, f.close()))
	}
	if c.RecordID != "" && record.ID() != c.RecordID {
		return fail(errors.Join(fmt.Errorf("there lies record %s", record.ID()), f.close()))
	}
	return &Record{record, captureOf(record.Header, name, record.Offset), f.close}, nil
}

func captureOf(h warc.Header, name Name, offset int64) post.Capture {
	return post.Capture{RecordID: h.RecordID(), File: string(name) + WARCEnding, Offset: offset, PayloadDigest: h.Get("WARC-Payload-Digest")}
}

// Records reads all records of a segment in the order of the file. A record and
// its block are valid until the next one. Of an open segment it gives what is
// whole by now: a record at the end may be half written, and stay so if its
// process died. An error is given once and is the last.
func (a *Archive) Records(ctx context.Context, name Name) iter.Seq2[*Record, error] {
	return a.RecordsFrom(ctx, name, 0)
}

// RecordsFrom is Records from the record on that begins at an offset of the
// WARC; at the end of the file there are none.
func (a *Archive) RecordsFrom(ctx context.Context, name Name, offset int64) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		fail := func(err error) { yield(nil, fmt.Errorf("read segment %s: %w", name, err)) }
		f, err := a.openFile(ctx, name, WARCEnding)
		if err != nil {
			fail(err)
			return
		}
		defer f.close()
		if offset >= f.size && offset > 0 {
			return
		}
		r, err := warc.NewReaderAt(f, f.size, offset)
		if err != nil {
			fail(err)
			return
		}
		var ahead *warc.Reader // of an open segment: one record ahead
		if f.open {
			if ahead, err = warc.NewReaderAt(f, f.size, offset); err != nil {
				fail(err)
				return
			}
		}
		for {
			if ctx.Err() != nil {
				fail(context.Cause(ctx))
				return
			}
			if ahead != nil {
				var half *warc.Damage
				record, err := ahead.Next()
				if err == nil {
					_, err = record.Finish()
				}
				if err == io.EOF || errors.As(err, &half) || err == nil && len(record.Oddities()) > 0 {
					return
				}
				if err != nil {
					fail(err)
					return
				}
			}
			record, err := r.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				fail(err)
				return
			}
			if !yield(&Record{record, captureOf(record.Header, name, record.Offset), func() error { return nil }}, nil) {
				return
			}
		}
	}
}

// Posts reads the lines of a segment's posts file in the order in which they were
// written: from that file, or from the resource records where there is none yet.
func (a *Archive) Posts(ctx context.Context, name Name) iter.Seq2[PostLine, error] {
	return func(yield func(PostLine, error) bool) {
		f, err := a.openFile(ctx, name, PostsEnding)
		if errors.Is(err, fs.ErrNotExist) {
			a.postsOfRecords(ctx, name, yield)
			return
		}
		fail := func(err error) { yield(PostLine{}, fmt.Errorf("read the posts of segment %s: %w", name, err)) }
		if err != nil {
			fail(err)
			return
		}
		defer f.close()
		gz, err := gzip.NewReader(bufio.NewReaderSize(io.NewSectionReader(f, 0, f.size), 64<<10))
		if err != nil {
			fail(err)
			return
		}
		lines := bufio.NewScanner(gz)
		lines.Buffer(make([]byte, 64<<10), maxPost+4096)
		for n := 1; lines.Scan(); n++ {
			if ctx.Err() != nil {
				fail(context.Cause(ctx))
				return
			}
			var line PostLine
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				fail(fmt.Errorf("line %d: %w", n, err))
				return
			}
			if !yield(line, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			fail(err)
		}
	}
}

func (a *Archive) postsOfRecords(ctx context.Context, name Name, yield func(PostLine, error) bool) {
	for record, err := range a.Records(ctx, name) {
		if err != nil {
			yield(PostLine{}, err)
			return
		}
		member, ok := MemberOf(record.Header.TargetURI())
		if !ok {
			continue
		}
		line := PostLine{RecordID: record.ID(), Offset: record.Offset}
		data, err := io.ReadAll(io.LimitReader(record, maxPost))
		switch {
		case err != nil:
		case member == memberPage:
			line.Page = data
		default:
			err = json.Unmarshal(data, &line.Post)
		}
		if err != nil {
			yield(PostLine{}, fmt.Errorf("read the posts of segment %s: record %s: %w", name, line.RecordID, err))
			return
		}
		if !yield(line, nil) {
			return
		}
	}
}

// maxBlock is the size in bytes up to which Captures gives a block in memory.
const maxBlock = 8 << 20

// An Exchange is one capture with the records that belong to it.
type Exchange struct {
	Capture  post.Capture // of the response, or of the first record of a fetch that got none
	URL      string
	Date     time.Time   // when the capture began
	Response warc.Header // of the response or revisit record; nil of a fetch that got no answer
	// Block is the response's block: HTTP head and body as they were on the
	// wire. Of a revisit it is the head alone, see Original. It is nil above
	// 8 MiB: ReadRecord streams it.
	Block    []byte
	Size     int64       // of the response's block, bytes
	Request  []byte      // block of the request record, nil if there is none or above 8 MiB
	Metadata warc.Header // of the fetch: via, robots, outcome, …
}

// Original says where the payload of a revisit lies; false for other exchanges.
func (e *Exchange) Original() (post.Capture, bool) { return original(e.Response) }

// Captures reads all exchanges of the archive in the order of time, from the
// segment from on (empty: from the first). An error is given once and is the last.
func (a *Archive) Captures(ctx context.Context, from Name) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		for s, err := range a.Segments(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if s.Name < from {
				continue
			}
			if more := a.captures(ctx, s.Name, yield); !more {
				return
			}
		}
	}
}

func (a *Archive) captures(ctx context.Context, name Name, yield func(*Exchange, error) bool) bool {
	var current *Exchange
	for record, err := range a.Records(ctx, name) {
		if err == nil {
			kind := record.Header.Type()
			answer := kind == warc.TypeResponse || kind == warc.TypeRevisit
			joins := current != nil && warc.TrimID(record.Header.Get("WARC-Concurrent-To")) == current.Capture.RecordID
			if !answer && kind != warc.TypeRequest && kind != warc.TypeMetadata {
				continue
			}
			if !joins {
				if current != nil && !yield(current, nil) {
					return false
				}
				current = &Exchange{Capture: record.Capture, URL: record.Header.TargetURI()}
				current.Date, err = warc.ParseDate(record.Header.Get("WARC-Date"))
			}
			var block []byte
			size := record.Size()
			if err == nil && size <= maxBlock {
				block, err = io.ReadAll(record)
			}
			switch {
			case answer:
				current.Response, current.Block, current.Size = record.Header, block, size
			case kind == warc.TypeRequest:
				current.Request = block
			case kind == warc.TypeMetadata:
				current.Metadata = warc.ParseFields(block)
			}
		}
		if err != nil {
			yield(nil, fmt.Errorf("captures of segment %s: %w", name, err))
			return false
		}
	}
	return current == nil || yield(current, nil)
}
