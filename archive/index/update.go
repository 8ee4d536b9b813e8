package index

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

// memorySize is how many bytes of lines are sorted in memory before they go to
// a run.
const memorySize = 32 << 20

// Changes says what an Update did.
type Changes struct {
	Sources int   `json:"sources"` // taken in
	Removed int   `json:"removed"` // sources that are no more
	Lines   int64 `json:"lines"`   // taken in
	// Problems are of sources that could not be taken in, or not whole. The others
	// were.
	Problems []Problem `json:"problems,omitempty"`
}

// A Problem is what was wrong with a source.
type Problem struct {
	Source Source `json:"source"`
	Detail string `json:"detail"`
}

// Update takes in what is new: finished segments, imported and linked files, and
// what was added to open segments, and forgets what is no more. When it is
// interrupted, what was taken in until then mostly stays. Another process that
// updates the same index is waited for.
func (x *Index) Update(ctx context.Context) (Changes, error) {
	x.updating.Lock()
	defer x.updating.Unlock()
	fail := func(err error) (Changes, error) {
		return Changes{}, fmt.Errorf("bring the index in %s up to date: %w", x.opts.Dir, err)
	}
	lock, err := x.hold(ctx)
	if err != nil {
		return fail(err)
	}
	c, err := x.update(ctx)
	if errors.Is(err, errCorrupt) {
		x.mu.Lock()
		x.broken = true
		x.mu.Unlock()
		c, err = x.update(ctx)
	}
	if err != nil && x.isOpen() {
		// What was taken in since the last commit is not there.
		x.read = nil
		err = errors.Join(err, x.load())
	}
	if err = errors.Join(err, lock.Close()); err != nil {
		return fail(err)
	}
	return c, nil
}

func (x *Index) update(ctx context.Context) (Changes, error) {
	x.mu.Lock()
	broken, closed := x.broken, x.view == nil
	x.broken = false
	x.mu.Unlock()
	if closed {
		return Changes{}, errClosed
	}
	if broken {
		if err := x.reset(); err != nil {
			return Changes{}, err
		}
	}
	if err := x.load(); err != nil {
		return Changes{}, err
	}
	if err := x.collect(); err != nil {
		return Changes{}, err
	}
	u := &update{x: x, ctx: ctx, dead: map[uint32]bool{}, first: x.state.NextFile, live: map[uint32]bool{}}
	err := u.all()
	return u.changes, err
}

// reset forgets everything.
func (x *Index) reset() error {
	if err := os.Remove(filepath.Join(x.opts.Dir, stateName)); err != nil && !os.IsNotExist(err) {
		return err
	}
	for name, s := range x.open {
		s.drop()
		delete(x.open, name)
	}
	x.read, x.state = nil, x.empty()
	x.show(nil)
	return nil
}

// An update is one Update under way.
type update struct {
	x       *Index
	ctx     context.Context // of that one Update
	changes Changes
	changed bool // index.json is to be written

	data  []byte // lines that are not in a run yet
	spans []span

	first uint32          // numbers from there on are of this update
	dead  map[uint32]bool // of them, those that are of no use
	live  map[uint32]bool // of those before, those that are in use; made when needed

	total, done int
	lines       int64
}

func (u *update) all() error {
	var open []archive.Segment
	var fresh []archive.Segment
	known := map[string]int{}
	for i, s := range u.x.state.Sources {
		known[string(s.Kind)+" "+s.Name] = i
	}
	there := map[archive.Name]bool{}
	for s, err := range u.x.opts.Archive.Segments(u.ctx) {
		if err != nil {
			return err
		}
		there[s.Name] = true
		if s.Open {
			open = append(open, s)
		} else if _, ok := known[string(KindSegment)+" "+string(s.Name)]; !ok {
			fresh = append(fresh, s)
		}
	}
	imports, objects, err := u.imports(known)
	if err != nil {
		return err
	}
	u.forget(there, objects)
	u.total = len(fresh) + len(imports)
	for _, s := range fresh {
		if err := u.segment(s); err != nil {
			return fmt.Errorf("segment %s: %w", s.Name, err)
		}
	}
	for _, info := range imports {
		if err := u.imported(info); err != nil {
			return fmt.Errorf("%s: %w", info.Key, err)
		}
	}
	if err := u.openSegments(open); err != nil {
		return err
	}
	if err := u.links(); err != nil {
		return err
	}
	if err := u.flush(); err != nil {
		return err
	}
	if err := u.compact(); err != nil {
		return err
	}
	if err := u.commit(); err != nil {
		return err
	}
	u.x.show(u.x.runs())
	return nil
}

// forget drops the sources that are no more.
func (u *update) forget(segments map[archive.Name]bool, objects map[string]bool) {
	s := &u.x.state
	before := len(s.Sources)
	s.Sources = slices.DeleteFunc(s.Sources, func(src source) bool {
		switch src.Kind {
		case KindSegment:
			return !segments[archive.Name(src.Name)]
		case KindImport:
			return !objects[src.Name]
		}
		return false
	})
	for i := range s.Sources {
		src := &s.Sources[i]
		src.Links = slices.DeleteFunc(src.Links, func(l linkRef) bool { return !segments[l.Segment] })
	}
	copies := map[string]bool{} // digests of imported files: links to the same are not needed
	for key := range objects {
		sum, _, _ := strings.Cut(key[strings.LastIndexByte(key, '/')+1:], ".")
		copies[sum] = true
	}
	s.Sources = slices.DeleteFunc(s.Sources, func(src source) bool {
		return src.Kind == KindLink && (len(src.Links) == 0 || copies[src.SHA256])
	})
	if n := before - len(s.Sources); n > 0 {
		u.changes.Removed += n
		u.changed = true
	}
}

// numbers gives the first of n new file numbers.
func (u *update) numbers(n int) uint32 {
	first := u.x.state.NextFile
	u.x.state.NextFile += uint32(n)
	u.changed = true
	return first
}

// add takes a line in. Its key is made anew from its URL.
func (u *update) add(l *cdx.Line, file uint32) error {
	if err := checkLine(l); err != nil {
		return err
	}
	l.Key = cdx.SURT(l.URL)
	start := len(u.data)
	u.data = appendLine(u.data, l, file)
	u.spans = append(u.spans, span{uint32(start), uint32(len(u.data))})
	u.lines++
	if u.lines%8192 == 0 {
		if err := u.ctx.Err(); err != nil {
			return context.Cause(u.ctx)
		}
		u.progress("")
	}
	if len(u.data) >= u.x.opts.memory {
		return u.flush()
	}
	return nil
}

func (u *update) progress(name string) {
	if u.x.opts.Progress != nil {
		u.x.opts.Progress(Progress{Source: name, Done: u.done, Total: u.total, Lines: u.lines})
	}
}

// took notes that a source was taken in.
func (u *update) took(s source) {
	u.x.state.Sources = append(u.x.state.Sources, s)
	u.changed = true
	u.changes.Sources++
	u.changes.Lines += s.Lines
	u.done++
	if s.Note != "" {
		u.changes.Problems = append(u.changes.Problems, Problem{Source{Kind: s.Kind, Name: s.Name, SHA256: s.SHA256}, s.Note})
	}
	u.progress(s.Name)
}

// segment takes in a finished segment: its CDXJ or, where that is missing or
// damaged, its WARC.
func (u *update) segment(s archive.Segment) error {
	src := source{Kind: KindSegment, Name: string(s.Name), File: u.numbers(1), Size: s.Size}
	u.progress(src.Name)
	notes, err := u.cdxj(s, &src)
	var bad *badIndex
	if errors.As(err, &bad) {
		u.dead[src.File] = true
		src.File, src.Lines = u.numbers(1), 0
		notes, err = u.records(s, &src)
		src.Note = strings.TrimSuffix(fmt.Sprintf("its CDXJ cannot be used (%v); its WARC was read instead; %s", bad, src.Note), "; ")
	}
	if err != nil {
		return err
	}
	u.took(src)
	return u.notes(s.Name, notes)
}

// badIndex says that a CDXJ cannot be used.
type badIndex struct{ err error }

func (b *badIndex) Error() string { return b.err.Error() }

func (u *update) cdxj(s archive.Segment, src *source) (notes []cdx.Line, err error) {
	if s.Index == 0 {
		return nil, &badIndex{errors.New("it is missing")}
	}
	r, err := u.x.opts.Archive.Store().Get(u.ctx, s.Name.Key(archive.IndexEnding), 0, -1)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, &badIndex{errors.New("it is missing")}
	}
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // only read
	in := &failing{r: r}
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 64<<10), cdx.MaxLine+2)
	for n := 1; sc.Scan(); n++ {
		l, err := cdx.ParseLine(sc.Bytes())
		if err == nil {
			err = checkLine(&l)
		}
		if err == nil && l.Offset+max(l.Length, 1) > s.Size {
			err = fmt.Errorf("offset %d and length %d lead behind the end of the WARC, %d bytes", l.Offset, l.Length, s.Size)
		}
		if err != nil {
			return nil, &badIndex{fmt.Errorf("line %d: %w", n, err)}
		}
		if strings.HasPrefix(l.URL, importPrefix) {
			notes = append(notes, l)
		}
		if err := u.add(&l, src.File); err != nil {
			return nil, err
		}
		src.Lines++
	}
	if in.err != nil {
		return nil, in.err
	}
	if err := sc.Err(); err != nil {
		return nil, &badIndex{err}
	}
	return notes, nil
}

// failing keeps the error of reading apart from those of a Scanner.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// records takes in a finished segment from its WARC.
func (u *update) records(s archive.Segment, src *source) (notes []cdx.Line, err error) {
	r, err := u.x.opts.Archive.Store().Get(u.ctx, s.Name.Key(archive.WARCEnding), 0, -1)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // only read
	damage := &damages{}
	_, err = cdx.Index(u.ctx, bufio.NewReaderSize(r, 1<<20), src.Name+archive.WARCEnding, cdx.IndexOptions{Damaged: damage.add}, func(l *cdx.Line) error {
		if strings.HasPrefix(l.URL, importPrefix) {
			notes = append(notes, *l)
		}
		src.Lines++
		return u.add(l, src.File)
	})
	src.Note = damage.String()
	return notes, err
}

// damages counts what could not be read of a file.
type damages struct {
	n     int
	first error
}

func (d *damages) add(damage *warc.Damage) { d.other(damage) }

func (d *damages) other(err error) {
	if d.n++; d.n == 1 {
		d.first = err
	}
}

func (d *damages) String() string {
	switch d.n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("a part of it cannot be found by the index: %v", d.first)
	}
	return fmt.Sprintf("%d parts of it cannot be found by the index; the first: %v", d.n, d.first)
}

// Stats says what the index holds.
type Stats struct {
	Sources int   `json:"sources"`
	Lines   int64 `json:"lines"` // of open segments too
	Runs    int   `json:"runs"`
	Bytes   int64 `json:"bytes"` // on disk
}

// Stats gives what the index holds, as of the last Update.
func (x *Index) Stats() Stats {
	v := x.acquire()
	if v == nil {
		return Stats{}
	}
	defer v.release()
	s := Stats{Runs: len(v.runs)}
	sources := map[*source]bool{}
	for _, f := range v.files {
		if f != nil {
			sources[f.of] = true
		}
	}
	s.Sources = len(sources)
	for _, r := range v.runs {
		s.Lines += r.lines
		s.Bytes += r.size
	}
	return s
}
