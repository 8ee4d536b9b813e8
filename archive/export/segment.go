package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

const (
	importURN = "urn:refrain:import:sha256:"
	assetURN  = "urn:refrain:asset:sha256:"
)

// afterCapture is in how many segments behind the one of a capture what was read
// from it is looked for: a segment can end between them, and that many processes
// may write into one archive at the same time.
const afterCapture = 8

// An item is one place of a segment from which to copy.
type item struct {
	offset int64
	group  bool // a capture: request and metadata follow
	media  bool
	facts  bool // what was computed from a medium; only with its capture
}

// segments copies what is wanted of each segment, in the order of time.
func (e *exporter) segments(ctx context.Context) error {
	near := 0 // segments to look into for posts
	for s, err := range e.o.Archive.Segments(ctx) {
		if err != nil {
			return err
		}
		e.done.of++
		if len(e.places[s.Name]) > 0 {
			near = afterCapture + 1
		}
		near--
		if err := e.segment(ctx, s, near >= 0 || len(e.files) > 0); err != nil {
			return fmt.Errorf("export from segment %s: %w", s.Name, err)
		}
		e.done.segments++
		delete(e.places, s.Name)
	}
	for name, offsets := range e.places {
		for _, at := range offsets {
			e.problem(Problem{File: string(name) + archive.WARCEnding, Offset: at, Reason: "the segment is not in the archive"})
		}
	}
	return nil
}

func (e *exporter) segment(ctx context.Context, s archive.Segment, posts bool) error {
	if e.o.Everything {
		return e.whole(ctx, s.Name)
	}
	var items []item
	for _, at := range e.places[s.Name] {
		items = append(items, item{offset: at, group: true})
	}
	if posts {
		said, err := e.said(ctx, s.Name)
		if err != nil {
			return err
		}
		items = append(items, said...)
	}
	facts := map[string]int64{} // of assets, by their sha256
	if len(e.media) > 0 || len(e.files) > 0 {
		more, err := e.indexed(ctx, s, facts)
		if err != nil {
			return err
		}
		items = append(items, more...)
	}
	if len(items) == 0 {
		return nil
	}
	src, err := e.open(ctx, s.Name)
	if err != nil || src == nil {
		return err
	}
	defer src.Close() //nolint:errcheck // only read
	slices.SortFunc(items, func(a, b item) int { return int(min(1, max(-1, a.offset-b.offset))) })
	items = slices.CompactFunc(items, func(a, b item) bool { return a.offset == b.offset })
	for _, it := range items {
		if err := e.copy(ctx, src, it); err != nil {
			return err
		}
	}
	// What was computed from the media, which lies behind them.
	var at []int64
	for sum, offset := range facts {
		if e.digests.has(sum) {
			at = append(at, offset)
		}
	}
	slices.Sort(at)
	for _, offset := range at {
		if err := e.copy(ctx, src, item{offset: offset, facts: true}); err != nil {
			return err
		}
	}
	return nil
}

// open opens the WARC of a segment; nil where it is not there, which is noted.
func (e *exporter) open(ctx context.Context, name archive.Name) (*source, error) {
	f, err := e.o.Archive.OpenFile(ctx, name, archive.WARCEnding)
	if errors.Is(err, fs.ErrNotExist) {
		e.problem(Problem{File: string(name) + archive.WARCEnding, Reason: "the segment is not in the archive"})
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &source{File: f, name: name, file: string(name) + archive.WARCEnding}, nil
}

// whole copies all records of a segment.
func (e *exporter) whole(ctx context.Context, name archive.Name) error {
	src, err := e.open(ctx, name)
	if err != nil || src == nil {
		return err
	}
	defer src.Close() //nolint:errcheck // only read
	e.infos[name] = struct{}{}
	r, err := warc.NewReaderAt(src, src.Size, 0)
	if err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			kind := rec.Header.Type()
			answer := kind == warc.TypeResponse || kind == warc.TypeRevisit
			if answer || kind == warc.TypeWarcinfo {
				if err := e.begin(ctx); err != nil {
					return err
				}
			}
			err = e.record(ctx, src, rec, item{group: answer && e.records.has(rec.ID()), media: answer && e.media.has(rec.Header.TargetURI())})
		}
		var d *warc.Damage
		if src.Open && errors.As(err, &d) {
			return nil // the last record is being written
		}
		if err != nil {
			if err := e.lacks(src.file, 0, "", err); err != nil {
				return err
			}
		}
	}
}

// said finds what wanted exchanges said, and the selected posts.
func (e *exporter) said(ctx context.Context, name archive.Name) ([]item, error) {
	var items []item
	page := int64(-1) // the last page line, if it is not wanted for itself
	for line, err := range e.o.Archive.Posts(ctx, name) {
		if errors.Is(err, fs.ErrNotExist) {
			return items, nil
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			// The rest of the posts file cannot be read: said, and gone on with what
			// there is.
			e.problem(Problem{File: string(name) + archive.PostsEnding, Reason: err.Error() + ": posts behind that place are left out (`refrain repair` makes the file anew)"})
			return items, nil
		}
		if line.Page != nil {
			var p struct {
				Capture struct {
					RecordID string `json:"record_id"`
				} `json:"capture"`
				Assets []struct{ URL, Post string } `json:"assets"`
			}
			if err := json.Unmarshal(line.Page, &p); err != nil {
				return nil, fmt.Errorf("posts file: record %s: %w", line.RecordID, err)
			}
			for _, a := range p.Assets {
				if a.Post != "" && e.posts.has(a.Post) {
					e.media.add(a.URL)
				}
			}
			page = line.Offset
			if p.Capture.RecordID != "" && e.records.has(p.Capture.RecordID) || e.records.has(line.RecordID) {
				items = append(items, item{offset: line.Offset})
				page = -1
			}
			continue
		}
		if !e.posts.has(line.Post.Key()) {
			continue
		}
		if page >= 0 {
			items = append(items, item{offset: page})
			page = -1
		}
		items = append(items, item{offset: line.Offset})
	}
	return items, nil
}

// indexed finds the captures of media and the records of imported files, by the
// segment's index. Redirects lead on.
func (e *exporter) indexed(ctx context.Context, s archive.Segment, facts map[string]int64) ([]item, error) {
	var items []item
	seen := map[int64]bool{}
	for range maxRedirects {
		added := false
		err := e.lines(ctx, s, func(l *cdx.Line) error {
			switch {
			case strings.HasPrefix(l.URL, assetURN):
				facts[l.URL[len(assetURN):]] = l.Offset
			case strings.HasPrefix(l.URL, importURN):
				if e.files[l.URL[len(importURN):]] != nil && !seen[l.Offset] {
					seen[l.Offset] = true
					items = append(items, item{offset: l.Offset})
				}
			case !seen[l.Offset] && e.media.has(l.URL) && !strings.HasPrefix(l.URL, "urn:"):
				seen[l.Offset] = true
				items = append(items, item{offset: l.Offset, group: true, media: true})
				e.digests.add(strings.TrimPrefix(l.Digest, "sha256:"))
				if strings.HasPrefix(l.Status, "3") {
					to, err := e.location(ctx, s.Name, l)
					if err != nil {
						return err
					}
					if to != "" && !e.media.has(to) {
						e.media.add(to)
						added = true
					}
				}
			}
			return nil
		})
		if err != nil || !added {
			return items, err
		}
	}
	return items, nil
}

const maxRedirects = 10

// lines gives the lines of a segment's index, and makes them where it has none yet.
func (e *exporter) lines(ctx context.Context, s archive.Segment, yield func(*cdx.Line) error) error {
	f, err := e.o.Archive.OpenFile(ctx, s.Name, archive.IndexEnding)
	if errors.Is(err, fs.ErrNotExist) {
		return e.unindexed(ctx, s, yield)
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	for l, err := range cdx.NewFile(f, f.Size).All() {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = yield(&l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) unindexed(ctx context.Context, s archive.Segment, yield func(*cdx.Line) error) error {
	for rec, err := range e.o.Archive.Records(ctx, s.Name) {
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			e.problem(Problem{File: string(s.Name) + archive.WARCEnding, Reason: err.Error()})
			return nil
		}
		var head *warc.HTTPHead
		if strings.HasPrefix(rec.Header.Get("Content-Type"), "application/http") {
			if head, err = rec.HTTPHead(); err != nil && !errors.Is(err, warc.ErrNotHTTP) {
				return e.lacks(rec.Capture.File, rec.Offset, rec.ID(), err)
			}
		}
		l, ok, err := cdx.FromHead(rec.Header, head, warc.Position{Offset: rec.Offset}, rec.Capture.File, cdx.Options{})
		if err != nil || !ok {
			continue
		}
		if err := yield(&l); err != nil {
			return err
		}
	}
	return nil
}

// location reads where a redirect leads.
func (e *exporter) location(ctx context.Context, name archive.Name, l *cdx.Line) (string, error) {
	f, err := e.o.Archive.OpenFile(ctx, name, archive.WARCEnding)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read
	rec, err := warc.ReadAt(f, f.Size, l.Offset)
	var head *warc.HTTPHead
	if err == nil {
		head, err = rec.HTTPHead()
	}
	if err != nil {
		return "", e.lacks(string(name)+archive.WARCEnding, l.Offset, "", err)
	}
	base, err := url.Parse(l.URL)
	if err != nil {
		return "", nil
	}
	to, err := base.Parse(head.Header.Get("Location"))
	if err != nil || head.Header.Get("Location") == "" {
		return "", nil
	}
	to.Fragment = ""
	return to.String(), nil
}
