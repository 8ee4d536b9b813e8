package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/post"
)

// A Post is one selected post: its newest view, and all captures that tell of
// it.
type Post struct {
	post.Post
	FirstSeen time.Time    `json:"first_seen,omitzero"`
	LastSeen  time.Time    `json:"last_seen,omitzero"` // the last time it was served
	Seen      int          `json:"seen,omitempty"`     // observations, disappearances included
	Standing  post.Outcome `json:"standing,omitempty"` // outcome of the newest observation

	// Captures are those of every observation, disappearances included; zero
	// ones are passed over.
	Captures []post.Capture `json:"-"`
}

// A Selection gives the selected posts. It is read twice and must give the same
// posts each time. An error is given once and is the last.
type Selection func(ctx context.Context) iter.Seq2[*Post, error]

// DefaultMaxWARC is the size in bytes from which a package begins a further WARC.
const DefaultMaxWARC = 1 << 30

// Options says what is exported. Archive, Posts, Created and Software are
// required.
type Options struct {
	Archive     *archive.Archive
	Posts       Selection
	Title       string
	Description string // Markdown
	Selection   string // in words, for export.json: the query, the list
	Software    string // "refrain/1.0"
	Operator    string // who exports: a name or address; empty is not said
	Created     time.Time
	MaxWARC     int64 // 0 is DefaultMaxWARC

	// Everything takes in all records of the archive, also those that no post was
	// read from; Posts are then for the list of pages.
	Everything bool

	// Guard says what must not leave the archive; nil is nothing.
	Guard Guard

	// Held are records, by their ids, that an act has deleted but that lie where
	// nothing can be removed: the values say what holds them. They are treated as
	// what a Guard keeps back.
	Held map[string]string

	// Redact takes personal data out of what is written; the archive stays as it
	// is. nil: nothing is redacted. Records in which it finds something are
	// written anew, with fields that say so; their codings are undone. What is not
	// text is left out, unless KeepBinary says otherwise and nothing is found in
	// its bytes. Title, Description, Selection and Operator are redacted too.
	Redact     Redactor
	KeepBinary bool

	// Progress is told now and then; nil: nobody is.
	Progress func(Progress)
}

// Progress is how far an export is.
type Progress struct {
	Segments, OfSegments int
	Records              int64
	Bytes                int64 // copied
}

// A Guard keeps material from being shown or exported.
type Guard interface {
	// Withhold names the list by which a payload must be kept back, or gives
	// "". sha256 is the digest, in lower-case hex, of the payload without its
	// codings; body is that payload, nil above 64 MiB. It is safe for concurrent
	// use.
	Withhold(ctx context.Context, sha256, mediaType string, body []byte) (list string, err error)
}

// A Withheld is a record whose payload was kept back.
type Withheld struct {
	RecordID      string `json:"record_id"`
	URL           string `json:"url"`
	PayloadDigest string `json:"payload_digest,omitempty"` // as the record declares it
	List          string `json:"list"`                     // that names it
}

// A Problem is a record that should be in the package and is not.
type Problem struct {
	File     string `json:"file"`
	Offset   int64  `json:"offset"`
	RecordID string `json:"record_id,omitempty"`
	Reason   string `json:"reason"`
}

// maxListed is how many problems and withheld records are listed one by one.
const maxListed = 10000

// An Import is an imported file that selected posts were read from.
type Import struct {
	SHA256 string `json:"sha256"`
	Object string `json:"object,omitempty"` // of the archive; empty: it is not there
	Size   int64  `json:"size,omitempty"`   // bytes
	Posts  int64  `json:"posts"`            // selected ones
	// Whole: all of the file is in the package, as the block of its record.
	Whole bool `json:"whole"`
	// Records of it, if it is a WARC or WACZ, that were copied.
	Records int64 `json:"records,omitempty"`
}

// A Report says what an export holds. It is in the package as
// export/export.json, without File, Size and SHA256.
type Report struct {
	File   string `json:"file,omitempty"`
	Size   int64  `json:"size,omitempty"`   // bytes
	SHA256 string `json:"sha256,omitempty"` // of the file

	Format    int       `json:"format"` // 1
	Archive   string    `json:"archive"`
	Selection string    `json:"selection"`
	Created   time.Time `json:"created"`
	Software  string    `json:"software"`
	Operator  string    `json:"operator,omitempty"`

	Posts        int64      `json:"posts"`
	Observations int64      `json:"observations"` // of posts, as resource records
	Records      int64      `json:"records"`
	Bytes        int64      `json:"bytes"`     // of them, as they lie in their WARC
	Media        int64      `json:"media"`     // captures of pictures, videos and sounds
	Originals    int64      `json:"originals"` // captures that are there because a revisit needs their payload
	Pages        int64      `json:"pages"`
	ExtraPages   int64      `json:"extra_pages"`
	Imports      []Import   `json:"imports,omitempty"`
	Redaction    *Redaction `json:"redaction,omitempty"`
	Withheld     []Withheld `json:"withheld,omitempty"`
	Problems     []Problem  `json:"problems,omitempty"`
	More         int        `json:"more,omitempty"` // problems and withheld records beyond those listed
}

// ReportName is the entry of a package that says how it was made.
const ReportName = "export/export.json"

// ErrEmpty says that nothing was selected.
var ErrEmpty = errors.New("no post is selected")

// WACZ writes the package to the file called name, which must not exist and has
// its name only when it was written, read back and compared. Memory does not grow
// with the bytes copied, but by some 100 bytes for each selected post and medium
// and each record copied; of everything, for each post. What cannot be taken in
// is in Report.Problems and is no error; ErrEmpty is one.
func WACZ(ctx context.Context, name string, o Options) (_ *Report, err error) {
	switch {
	case o.Archive == nil || o.Posts == nil:
		return nil, errors.New("export: Options.Archive and Posts are required")
	case o.Created.IsZero() || o.Software == "":
		return nil, errors.New("export: Options.Created and Software are required")
	}
	if o.MaxWARC == 0 {
		o.MaxWARC = DefaultMaxWARC
	}
	e := newExporter(o)
	e.pageOf.dir = filepath.Dir(name)
	defer e.pageOf.close() //nolint:errcheck // temporary
	if err := e.mark(ctx); err != nil {
		return nil, err
	}
	if e.report.Posts == 0 {
		return nil, ErrEmpty
	}
	for _, s := range []*string{&o.Title, &o.Description, &e.o.Operator} {
		if *s, err = e.redactString(*s); err != nil {
			return nil, fmt.Errorf("export: redact what is said of the package: %w", err)
		}
	}
	w, err := wacz.Create(name, wacz.WriterOptions{Title: o.Title, Description: o.Description, Created: o.Created, Software: o.Software, TempDir: filepath.Dir(name)})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	e.w = w
	for _, step := range []func(context.Context) error{e.segments, e.imported, e.pages, e.describe, w.Close} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	e.report.File = name
	if e.report.Size, e.report.SHA256, err = digestOf(ctx, name); err != nil {
		return nil, fmt.Errorf("the package %s is whole, but could not be read again for its digest: %w", name, err)
	}
	return &e.report, nil
}

func digestOf(ctx context.Context, name string) (int64, string, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, "", err
	}
	defer f.Close() //nolint:errcheck // only read
	h := sha256.New()
	n, err := io.Copy(h, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return f.Read(p)
	}))
	return n, hex.EncodeToString(h.Sum(nil)), err
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// describe adds export.json.
func (e *exporter) describe(ctx context.Context) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "\t")
	if err := enc.Encode(e.report); err != nil {
		return err
	}
	text, err := e.redactReport(&b)
	if err != nil {
		return fmt.Errorf("redact %s: %w", ReportName, err)
	}
	return e.w.AddFile(ctx, ReportName, text)
}

// problem notes what is missing in the package.
func (e *exporter) problem(p Problem) {
	if len(e.report.Problems) < maxListed {
		e.report.Problems = append(e.report.Problems, p)
	} else {
		e.report.More++
	}
}

// lacks notes a damaged record, and passes other errors on.
func (e *exporter) lacks(file string, offset int64, id string, err error) error {
	var d *warc.Damage
	if !errors.As(err, &d) {
		return err
	}
	if d.RecordID != "" {
		id = d.RecordID
	}
	e.problem(Problem{File: file, Offset: offset, RecordID: id, Reason: err.Error() + ": it is left out (`refrain verify` says more)"})
	return nil
}
