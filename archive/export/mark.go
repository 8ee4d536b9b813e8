package export

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/post"
)

// A key stands for a text in a set: the first 10 bytes of its SHA-256. That two of
// ten million texts have the same key has a chance of 4 in 10^11. The sets are what
// grows with an export, so 6 bytes more for each entry would be felt.
type key [10]byte

func keyOf(s string) key {
	sum := sha256.Sum256([]byte(s))
	return key(sum[:10])
}

type set map[key]struct{}

func (s set) add(text string) {
	if text != "" {
		s[keyOf(text)] = struct{}{}
	}
}

func (s set) has(text string) bool {
	_, ok := s[keyOf(text)]
	return ok
}

// An exporter is one export.
type exporter struct {
	o      Options
	report Report
	w      *wacz.Writer
	warcs  int // begun

	posts   set                       // keys of selected posts
	places  map[archive.Name][]int64  // of captures, by segment
	records set                       // ids of those captures
	media   set                       // addresses of pictures, videos and sounds, redirects followed
	digests set                       // of media, "sha256:…", decoded where they are coded
	files   map[string]*imports       // imported files, by their SHA-256
	copied  set                       // ids of records that are in the package
	kept    set                       // ids of records that were kept back
	infos   map[archive.Name]struct{} // segments whose warcinfo is in the package
	pageOf  captures                  // copied captures, for the lists of pages
	odd     map[post.Capture]struct{} // captures without a place, that were reported
	bodies  map[key]string            // of redacted bodies: the new digest by the old one
	done    struct{ segments, of int }
}

// imports is what is wanted of an imported file.
type imports struct {
	posts  int64
	places map[string][]int64 // offsets of records by the name of the WARC
	index  int                // in Report.Imports
}

func newExporter(o Options) *exporter {
	return &exporter{
		o: o,
		report: Report{
			Redaction: newRedaction(&o),
			Format:    1, Archive: o.Archive.Manifest().Archive, Selection: o.Selection, Created: o.Created.UTC(), Software: o.Software, Operator: o.Operator,
		},
		posts: set{}, places: map[archive.Name][]int64{}, records: set{}, media: set{}, digests: set{}, files: map[string]*imports{},
		copied: set{}, kept: set{}, infos: map[archive.Name]struct{}{}, bodies: map[key]string{}, odd: map[post.Capture]struct{}{},
	}
}

// mark reads the selection and notes what is wanted of which file.
func (e *exporter) mark(ctx context.Context) error {
	for p, err := range e.o.Posts(ctx) {
		if err != nil {
			return err
		}
		if e.posts.has(p.Key()) {
			continue // selected in two ways
		}
		e.posts.add(p.Key())
		e.report.Posts++
		for _, m := range p.Media {
			e.media.add(m.URL)
		}
		e.media.add(p.Account.Avatar)
		counted := false
		for _, c := range p.Captures {
			e.capture(p, c, &counted)
		}
	}
	for name, list := range e.places {
		slices.Sort(list)
		e.places[name] = slices.Compact(list)
	}
	for i, digest := range slices.Sorted(maps.Keys(e.files)) {
		f := e.files[digest]
		f.index = i
		e.report.Imports = append(e.report.Imports, Import{SHA256: digest, Posts: f.posts})
	}
	return nil
}

func (e *exporter) capture(p *Post, c post.Capture, counted *bool) {
	if c.Import != "" {
		digest := strings.TrimPrefix(c.Import, "sha256:")
		f := e.files[digest]
		if f == nil {
			f = &imports{places: map[string][]int64{}}
			e.files[digest] = f
		}
		if !*counted {
			f.posts++
			*counted = true
		}
		if c.RecordID != "" && c.File != "" {
			f.places[c.File] = append(f.places[c.File], c.Offset)
			e.records.add(c.RecordID)
		}
		return
	}
	if c.RecordID == "" {
		return
	}
	e.records.add(c.RecordID)
	name, ending, ok := archive.ParseName(c.File)
	if !ok || ending != archive.WARCEnding {
		if _, said := e.odd[c]; !said && len(e.odd) < maxListed {
			e.odd[c] = struct{}{}
			e.problem(Problem{File: c.File, Offset: c.Offset, RecordID: c.RecordID, Reason: "the capture of " + p.Key() + " does not say in which segment it lies"})
		}
		return
	}
	e.places[name] = append(e.places[name], c.Offset)
}
