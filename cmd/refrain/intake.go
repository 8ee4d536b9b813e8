package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/index"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/importers"
	"github.com/refrain-archive/refrain/post"
)

// An intake takes files of other tools into an archive.
type intake struct {
	app     *app
	config  config.Config
	archive *archive.Archive
}

func (a *app) openIntake(ctx context.Context, c config.Config) (*intake, error) {
	info := []archive.Field{{Name: "software", Value: "refrain/" + version}, {Name: "description", Value: "import of files of other tools"}}
	if c.Contact != "" {
		info = append(info, archive.Field{Name: "operator", Value: c.Contact})
	}
	arch, err := a.openArchive(ctx, c, false, info...)
	if err != nil {
		return nil, err
	}
	return &intake{app: a, config: c, archive: arch}, nil
}

func (in *intake) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	return in.archive.Close(ctx)
}

// maxInline is the size in bytes up to which an imported file also stands in
// the WARC, so that a WARC alone carries it. Of a larger one the WARC has a
// record that names the object and its digest.
const maxInline = 4 << 20

// How often the place of an import is noted. What follows the last note is read
// again after a crash, and recognised by the corpus.
const (
	noteEvery = 20000 // entries
	batchMax  = 500   // posts under one page line
)

// importURI is the target URI of an imported file's record.
func importURI(digest string) string { return "urn:refrain:import:sha256:" + digest }

// An importNote is the line in the archive that says how far an import came.
type importNote struct {
	Type     string           `json:"type"`           // "import"
	URL      string           `json:"url"`            // importURI
	File     string           `json:"file"`           // name that the user gave, without its folder
	Object   string           `json:"object"`         // key of the file in the archive; empty if it is linked
	Link     string           `json:"link,omitempty"` // path at which it lies, if it is linked
	SHA256   string           `json:"sha256"`
	Size     int64            `json:"size"`
	Platform string           `json:"platform,omitempty"` // that was asked for
	Through  int64            `json:"through"`            // number of the last entry that was taken in
	Done     bool             `json:"done"`
	Report   importers.Report `json:"report"` // of the run that wrote this line
	At       time.Time        `json:"at"`
	Capture  post.Capture     `json:"capture"` // the file's record
}

// noteImport is the type of an importNote.
const noteImport = "import"

// importedLine is a page line of an import: what the entries from Line to
// ToLine said beside their posts.
type importedLine struct {
	crawlers.Line
	Import importOrigin `json:"import"`
}

type importOrigin struct {
	Format   importers.Format `json:"format"`
	Exporter string           `json:"exporter,omitempty"`
	To       int64            `json:"to_line"`
}

// An importing is the import of one file.
type importing struct {
	in       *intake
	file     *importers.File
	digest   string
	platform string
	before   importNote // the newest note of an earlier run; zero if there was none
	object   string
	link     string // path, if the file stays where it lies
	started  bool   // something was written
	record   post.Capture
	failed   error // of writing

	batch   importedLine // pending
	posts   []post.Post
	names   map[crawlers.Identity]bool
	through int64
	noted   int64
}

// begin looks whether the file is in the archive already, and how far. link is
// the path at which it stays; empty: it is copied. What the archive has a copy
// of is not linked.
func (in *intake) begin(ctx context.Context, f *importers.File, digest, platform, link string) (*importing, error) {
	w := &importing{in: in, file: f, digest: digest, platform: platform}
	var err error
	if w.object, err = objectKey(ctx, in.archive, digest); err != nil || w.object == "" && link == "" {
		return w, err
	}
	if w.object == "" {
		w.link = link
	}
	store, err := in.app.freshCorpusOf(ctx, in.config)
	if err != nil {
		return w, err
	}
	notes, err := store.Fetches(ctx, importURI(digest))
	if err = errors.Join(err, store.Close()); err != nil {
		return w, err
	}
	last := "" // where it was linked last
	for _, raw := range notes {
		var n importNote
		if err := json.Unmarshal(raw, &n); err != nil {
			return w, fmt.Errorf("what is noted of %s cannot be read (run `refrain rebuild`): %w", f.Name, err)
		}
		if n.Type == noteImport && n.Link != "" {
			last = n.Link
		}
		if n.Type != noteImport || n.Platform != platform && n.Platform != "" || !current(n.Report.Readers, in.app.collectors()) {
			continue
		}
		if n.Done || n.Through > w.before.Through && !w.before.Done {
			if n.Done && slices.ContainsFunc(n.Report.Problems, func(p importers.Problem) bool { return p.Unread }) && !in.same(n) {
				continue
			}
			w.before = n
		}
	}
	w.before.Link = last
	w.through, w.noted = w.before.Through, w.before.Through
	return w, nil
}

// relink notes that a file whose posts are in the archive lies elsewhere now.
func (w *importing) relink(ctx context.Context) error {
	report := w.before.Report
	if err := w.start(ctx); err != nil {
		return err
	}
	return w.note(ctx, report, true)
}

// same reports whether reading the file of a note again would pass over the same
// entries, because no collector was added.
func (in *intake) same(n importNote) bool {
	return slices.Equal(n.Report.Known, known(in.app.collectors()))
}

func known(collectors []crawlers.Collector) []string {
	var names []string
	for _, c := range collectors {
		names = append(names, crawlers.Platform(c))
	}
	slices.Sort(names)
	return names
}

// start stores the file and its record, before the first post.
func (w *importing) start(ctx context.Context) error {
	key := "imports/" + w.digest + w.file.Extension()
	if w.object == "" && w.link == "" {
		if _, err := w.in.archive.Store().Put(ctx, key, w.file, w.file.Size, blob.PutOptions{SHA256: w.digest, ContentType: w.file.MediaType()}); err != nil {
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("keep %s in the archive: %w: the archive is damaged, see `refrain verify`", w.file.Name, err)
			}
			return fmt.Errorf("keep %s in the archive: %w", w.file.Name, err)
		}
		w.object = key
	}
	// A run that goes on writes a record too: its segment shall say by itself
	// where its posts are from.
	res := archive.Resource{URI: importURI(w.digest), ContentType: w.file.MediaType(), Block: fileBlock{w.file}}
	if w.file.Size > maxInline || w.before.Through > 0 {
		data, err := json.Marshal(importObject{Type: "import_object", Object: w.object, SHA256: w.digest, Size: w.file.Size, ContentType: w.file.MediaType()})
		if err != nil {
			return err
		}
		res.ContentType, res.Block = "application/json", warc.Bytes(data)
	}
	if w.link != "" {
		data, err := json.Marshal(index.Link{Type: index.TypeLink, Path: w.link, SHA256: w.digest, Size: w.file.Size, ContentType: w.file.MediaType()})
		if err != nil {
			return err
		}
		res.ContentType, res.Block = "application/json", warc.Bytes(data)
	}
	record, err := w.in.archive.WriteResource(ctx, res)
	if err != nil {
		return err
	}
	record.Import = "sha256:" + w.digest
	w.record = record
	w.started = true
	return w.note(ctx, importers.Report{Format: w.file.Form.Format}, false)
}

// An importObject is the record of an imported file that is too large for the
// WARC: it names the object that holds the bytes.
type importObject struct {
	Type        string `json:"type"` // "import_object"
	Object      string `json:"object"`
	SHA256      string `json:"sha256"`
	Size        int64  `json:"size"`
	ContentType string `json:"content_type"`
}

// fileBlock is a file as the block of a record.
type fileBlock struct{ *importers.File }

// Size is the file's size in bytes.
func (b fileBlock) Size() int64 { return b.File.Size }

// write takes an entry in. Entries of one platform and time that have posts
// share a page line.
func (w *importing) write(ctx context.Context, e importers.Entry) (err error) {
	defer func() {
		if err != nil {
			w.failed = err
		}
	}()
	if !w.started {
		if err := w.start(ctx); err != nil {
			return err
		}
	}
	line := crawlers.LineOf(e.Collector, e.Step, e.Exchange, e.Page)
	if line.Identities = newIdentities(line.Identities, e.Page.Posts); len(line.Identities) == 0 {
		line.Identities = []crawlers.Identity{}
	}
	if !w.joins(line, e) {
		if err := w.flush(ctx); err != nil {
			return err
		}
		w.batch = importedLine{line, importOrigin{Format: w.file.Form.Format, Exporter: e.Exporter}}
		w.names = map[crawlers.Identity]bool{}
		w.batch.Line.Identities, w.batch.Posts = []crawlers.Identity{}, 0
	}
	for _, i := range line.Identities {
		if !w.names[i] {
			w.names[i] = true
			w.batch.Identities = append(w.batch.Identities, i)
		}
	}
	w.posts = append(w.posts, e.Page.Posts...)
	w.batch.Posts = len(w.posts)
	w.batch.Import.To = e.Number
	w.through = e.Number
	if len(w.posts) >= batchMax {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	if w.through-w.noted >= noteEvery {
		if err := w.flush(ctx); err != nil {
			return err
		}
		return w.note(ctx, importers.Report{Format: w.file.Form.Format}, false)
	}
	return nil
}

// joins reports whether an entry can stand under the pending page line: nothing
// that the line says may be untrue of it.
func (w *importing) joins(line crawlers.Line, e importers.Entry) bool {
	b := &w.batch
	if len(w.posts) == 0 || len(e.Page.Posts) == 0 || line.Platform != b.Platform || line.Reader != b.Reader || line.Outcome != post.OK || b.Outcome != post.OK ||
		line.URL != b.URL || line.Ref != nil || b.Ref != nil || line.Total != nil || e.Exporter != b.Import.Exporter || e.Exchange.Capture.RecordID != "" {
		return false
	}
	if line.FetchedAt.Equal(b.FetchedAt) {
		return true
	}
	for _, i := range line.Identities {
		if !w.names[i] {
			return false // it would be dated by the line
		}
	}
	return true
}

// newIdentities leaves out the names of accounts that a post of the entry shows
// with their id: the corpus has them from there, with the post's own time.
func newIdentities(list []crawlers.Identity, posts []post.Post) []crawlers.Identity {
	return slices.DeleteFunc(slices.Clone(list), func(i crawlers.Identity) bool {
		return i.Kind == crawlers.RefAccount && slices.ContainsFunc(posts, func(p post.Post) bool {
			return p.Account.ID == i.ID && strings.EqualFold(p.Account.Handle, i.Alias)
		})
	})
}

// flush writes the pending page line and its posts.
func (w *importing) flush(ctx context.Context) error {
	if w.batch.Type == "" {
		return nil
	}
	_, err := w.in.archive.WritePage(ctx, w.batch, w.batch.FetchedAt, w.record, w.posts)
	w.batch, w.posts = importedLine{}, w.posts[:0]
	if err != nil {
		w.failed = err
	}
	return err
}

// note writes how far the import came, and waits until all of it is durable.
func (w *importing) note(ctx context.Context, report importers.Report, done bool) error {
	report.Known = known(w.in.app.collectors())
	n := importNote{
		Type: noteImport, URL: importURI(w.digest), File: w.file.Base(), Object: w.object, Link: w.link, SHA256: w.digest, Size: w.file.Size, Platform: w.platform,
		Through: w.through, Done: done, Report: report, At: time.Now().UTC(), Capture: w.record,
	}
	_, err := w.in.archive.WritePage(ctx, n, n.At, w.record, nil)
	if err == nil {
		err = w.in.archive.Sync(ctx)
	}
	if err != nil {
		w.failed = err
	}
	w.noted = w.through
	return err
}

// end writes what is pending and notes the end of the run.
func (w *importing) end(ctx context.Context, report importers.Report, done bool) error {
	if err := w.flush(ctx); err != nil {
		return err
	}
	return w.note(ctx, report, done)
}
