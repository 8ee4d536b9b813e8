package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/internal/fsys"
)

// FormatVersion is the version of the archive on disk, in refrain.json. A
// reader takes its own version and all before it.
//
//	1  2026: segments of .warc.gz, .cdxj and .posts.jsonl.gz; imports/
const FormatVersion = 1

// What stands where Options gives nothing.
const (
	DefaultMaxSize    = 1 << 30          // bytes of a segment's WARC
	DefaultMaxAge     = 15 * time.Minute // from a segment's first record to its end
	DefaultMinRevisit = 512              // bytes of a payload from which a repeated one is not stored again
)

const (
	manifestKey = "refrain.json"
	workFolder  = ".work" // of lock files, in the workspace
)

// Options is what an Archive is opened with. The zero value is for an archive
// in a folder.
type Options struct {
	// WorkDir is a local folder in which segments are written before they go to
	// a bucket. Required unless the store is a folder, whose own it then is.
	// Give each archive its own.
	WorkDir string
	// ReadOnly opens an existing archive for reading: nothing is made, repaired
	// or recorded.
	ReadOnly bool

	// MaxSize ends a segment when its WARC has that many bytes. 0 is DefaultMaxSize.
	MaxSize int64
	// MaxAge ends a segment that long after its first record. 0 is
	// DefaultMaxAge, below 0 is never.
	MaxAge time.Duration
	// MinRevisit is the size in bytes from which a payload that was stored
	// already is not stored again: a revisit record takes its place. 0 is
	// DefaultMinRevisit, below 0 stores everything again. The empty payload is
	// always stored. What counts as stored is what this run stored and, see
	// Archive.Deduplicate, what earlier ones did.
	MinRevisit int64

	// Worker is the last part of the segments' names. Empty is the host's name.
	Worker string
	// Info are further fields of each warcinfo record: software, operator,
	// http-header-user-agent, robots, isPartOf, description.
	Info []Field
	// LogKey is put into refrain.json when the archive is made: the public key
	// of its custody log. Empty: none.
	LogKey string

	// Finished is called once for each segment when its files have their final
	// names and before they are uploaded, again at a later start if the process
	// died in between. Its error keeps the segment on the list of what is to be
	// done. nil: nobody wants to know.
	Finished func(context.Context, Finished) error
	// Report is told of what goes wrong in the background and will be tried
	// again: an upload. The error that remains is that of Close. nil: nobody is.
	Report func(error)

	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Field is one line of a warcinfo or metadata record.
type Field struct{ Name, Value string }

// A Manifest is refrain.json.
type Manifest struct {
	Format  int       `json:"format"`            // FormatVersion of the program that made it
	Archive string    `json:"archive"`           // id of the archive: urn:uuid:…
	Created time.Time `json:"created"`           // UTC, seconds
	LogKey  string    `json:"log_key,omitempty"` // public key of the custody log
}

// An Archive is an archive that is open. Its methods are safe for concurrent use.
type Archive struct {
	store     blob.Store
	opts      Options
	work      workspace
	inPlace   bool // the workspace is the store's own folder
	manifest  Manifest
	recovered []Recovery
	originals *originals
	earlier   func(context.Context, [32]byte) (Earlier, bool) // see Deduplicate; nil: this run only

	mu       sync.Mutex
	closed   bool
	segment  *segment // being written; nil before the first record
	timer    *time.Timer
	serial   int
	appended uint64 // records so far
	durable  uint64 // of them, those that survive a power cut
	ended    []*endedSegment
	failed   error // records were lost, or may be: nothing more is taken
	syncing  bool
	wake     chan struct{} // closed when a sync has ended

	finisher finisher
}

// endedSegment is a segment whose last record was written but which may not be
// durable yet.
type endedSegment struct {
	*segment
	size int64
}

// ErrReadOnly is the error of writing to an archive opened with Options.ReadOnly.
var ErrReadOnly = errors.New("the archive is open for reading only")

// ErrClosed is the error of writing to an archive after Close.
var ErrClosed = errors.New("the archive is closed")

// Open opens the archive in store, and makes it if there is none. It then
// repairs and finishes what processes that died left behind (see Recovered).
// Close must be called; ctx is of Open only.
func Open(ctx context.Context, store blob.Store, opts Options) (*Archive, error) {
	if opts.MaxSize == 0 {
		opts.MaxSize = DefaultMaxSize
	}
	if opts.MaxAge == 0 {
		opts.MaxAge = DefaultMaxAge
	}
	if opts.MinRevisit == 0 {
		opts.MinRevisit = DefaultMinRevisit
	}
	if opts.MaxSize < 0 {
		return nil, fmt.Errorf("open archive %s: MaxSize is %d bytes", store, opts.MaxSize)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Worker == "" {
		opts.Worker, _ = os.Hostname() // a host without a name is "worker"
	}
	opts.Worker = workerName(opts.Worker)
	a := &Archive{store: store, opts: opts, wake: make(chan struct{}), originals: newOriginals()}
	if folder, ok := store.(*dir.Store); ok && opts.WorkDir == "" {
		a.work, a.inPlace = workspace{folder.FS(), folder.Root()}, true
	} else if opts.WorkDir != "" {
		work, err := filepath.Abs(opts.WorkDir)
		if err != nil {
			return nil, fmt.Errorf("open archive %s: work folder %s: %w", store, opts.WorkDir, err)
		}
		a.work = workspace{fsys.OS, work}
	} else if !opts.ReadOnly {
		return nil, fmt.Errorf("open archive %s: a work folder is needed in which segments are written", store)
	}
	if err := a.readManifest(ctx); err != nil {
		return nil, fmt.Errorf("open archive %s: %w", store, err)
	}
	if opts.ReadOnly {
		return a, nil
	}
	a.finisher.start(a)
	if err := a.recover(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open archive %s: %w", store, err), a.Close(ctx))
	}
	return a, nil
}

func (a *Archive) readManifest(ctx context.Context) error {
	for {
		data, err := blob.ReadAll(ctx, a.store, manifestKey, 1<<20)
		if errors.Is(err, blob.ErrNotFound) && !a.opts.ReadOnly {
			m := Manifest{Format: FormatVersion, Archive: "urn:uuid:" + uuid.NewString(), Created: a.opts.Now().UTC().Truncate(time.Second), LogKey: a.opts.LogKey}
			data, err := json.MarshalIndent(m, "", "\t")
			if err != nil {
				return err
			}
			_, err = blob.PutBytes(ctx, a.store, manifestKey, append(data, '\n'), blob.PutOptions{ContentType: "application/json"})
			if errors.Is(err, blob.ErrExists) {
				continue // another process was faster
			}
			a.manifest = m
			return err
		}
		if errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("there is no archive here (%s is missing): %w", manifestKey, err)
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &a.manifest); err != nil {
			return fmt.Errorf("%s is not what refrain writes: %w", manifestKey, err)
		}
		switch v := a.manifest.Format; {
		case v < 1:
			return fmt.Errorf("%s names no format version", manifestKey)
		case v > FormatVersion:
			return fmt.Errorf("the archive has format %d, this program reads up to %d: use a newer one", v, FormatVersion)
		}
		return nil
	}
}

// Manifest is what refrain.json says.
func (a *Archive) Manifest() Manifest { return a.manifest }

// Store is where the archive lies.
func (a *Archive) Store() blob.Store { return a.store }

// Recovered tells of the segments that Open found unfinished.
func (a *Archive) Recovered() []Recovery { return a.recovered }

// Rotate ends the open segment, if there is one, and waits until all segments
// that have ended are finished and stored. An upload that fails is its error,
// and stays to be done.
func (a *Archive) Rotate(ctx context.Context) error {
	if a.opts.ReadOnly {
		return nil
	}
	a.mu.Lock()
	a.rotate()
	err := a.failed
	a.mu.Unlock()
	return errors.Join(err, a.finisher.wait(ctx))
}

// Close ends the open segment, finishes and stores what is left to do, and
// waits for it. When ctx ends before that, what is left is done at the next
// start. After an error the archive is closed all the same.
func (a *Archive) Close(ctx context.Context) error {
	if a.opts.ReadOnly {
		return nil
	}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	a.rotate()
	err := a.failed
	a.mu.Unlock()
	err = errors.Join(err, a.finisher.close(ctx))
	if err != nil {
		return fmt.Errorf("close archive %s: %w", a.store, err)
	}
	return nil
}

// rotate ends the open segment and hands it to the finisher. The lock is held.
func (a *Archive) rotate() {
	s := a.segment
	if s == nil || a.failed != nil {
		return
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	if err := s.flush(); err != nil {
		a.fail(err)
		return
	}
	a.segment = nil
	a.ended = append(a.ended, &endedSegment{s, s.warc.Offset()})
	a.finisher.add(job{segment: s, name: s.name, lock: s.lock})
}

// fail gives up writing after an error of the disk. The lock is held. What was
// durable before stays valid; nothing after it was reported saved.
func (a *Archive) fail(err error) {
	if a.failed == nil {
		a.failed = fmt.Errorf("archive %s: cannot write: %w; what was reported saved is safe, the rest is not kept: make room or mend the disk, then start again", a.store, err)
	}
	if s := a.segment; s != nil {
		a.segment = nil
		if a.timer != nil {
			a.timer.Stop()
		}
		s.abandon()
	}
}
