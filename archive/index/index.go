package index

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/internal/fsys"
)

// Options is what an Index is opened with.
type Options struct {
	// Dir is the folder of the index, which is made where there is none. It is
	// derived and belongs into the state folder. Required; one for each archive.
	Dir string
	// Archive is whose captures the index has. Required. It may be open for
	// reading only.
	Archive *archive.Archive
	// SkipOpen leaves out segments that are not finished.
	SkipOpen bool
	// Progress is told now and then how far Update is; nil: nobody is.
	Progress func(Progress)

	memory int // bytes of lines that are sorted in memory; 0 is memorySize
}

// Progress says what Update is doing.
type Progress struct {
	Source string // name of the segment or file that is being taken in
	Done   int    // sources that were taken in
	Total  int    // sources that are to be taken in
	Lines  int64  // taken in so far
}

// An Index finds captures. Its methods are safe for concurrent use, by many
// processes with one folder too.
type Index struct {
	opts Options
	lock fsys.FS

	mu     sync.RWMutex
	view   *view // nil: closed
	broken bool  // a run is damaged: the index is to be made anew

	updating sync.Mutex
	state    state
	read     fs.FileInfo // of index.json as it was read or written last; nil: there was none
	open     map[archive.Name]*openSegment
	opened   uint32   // open segments so far, for their numbers
	checked  sync.Map // path of a linked file → stamp at which it had its digest
}

var errClosed = errors.New("the index is closed")

const (
	stateName = "index.json"
	lockName  = "index.lock"
	runEnding = ".run"
)

// Open opens the index in opts.Dir as it was left; Update brings it up to date.
// A damaged index is opened as an empty one. Close must be called.
func Open(ctx context.Context, opts Options) (*Index, error) {
	if opts.Dir == "" || opts.Archive == nil {
		return nil, errors.New("open the index: Dir and Archive are required")
	}
	if opts.memory == 0 {
		opts.memory = memorySize
	}
	x := &Index{opts: opts, lock: fsys.OS, open: map[archive.Name]*openSegment{}}
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("open the index: %w", err)
	}
	x.view = newView(nil, nil, nil)
	if err := x.load(); err != nil {
		return nil, fmt.Errorf("open the index in %s: %w", opts.Dir, err)
	}
	return x, nil
}

// Close frees what the index holds. What is being found is found to its end.
func (x *Index) Close() error {
	x.updating.Lock()
	defer x.updating.Unlock()
	for name, s := range x.open {
		s.drop()
		delete(x.open, name)
	}
	x.swap(nil)
	return nil
}

// A view is the index at one moment: runs, and the files that their lines are
// of. It stays as it is until the last user has released it.
type view struct {
	runs  []*run
	files []*file          // by number; nil: no more
	open  map[uint32]*file // of open segments, whose numbers begin at firstOpen
	refs  atomic.Int32
}

// firstOpen is the first number of a file that is an open segment: those are
// numbered by each process for itself.
const firstOpen = 1 << 31

// A file is one file of records.
type file struct {
	source Source
	base   string // for the line
	of     *source
}

func newView(runs []*run, files []*file, open map[uint32]*file) *view {
	v := &view{runs: runs, files: files, open: open}
	v.refs.Store(1)
	for _, r := range runs {
		r.refs.Add(1)
	}
	return v
}

func (v *view) file(number uint32) *file {
	if int64(number) < int64(len(v.files)) {
		return v.files[number]
	}
	return v.open[number]
}

func (v *view) release() {
	if v.refs.Add(-1) > 0 {
		return
	}
	for _, r := range v.runs {
		if r.refs.Add(-1) == 0 {
			r.close()
		}
	}
}

// acquire gives the view of this moment; nil if the index is closed.
func (x *Index) acquire() *view {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.view != nil {
		x.view.refs.Add(1)
	}
	return x.view
}

// isOpen reports whether the index is not closed.
func (x *Index) isOpen() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.view != nil
}

// swap puts a view in the place of the one before.
func (x *Index) swap(v *view) {
	x.mu.Lock()
	old := x.view
	x.view = v
	x.mu.Unlock()
	if old != nil {
		old.release()
	}
}

// damaged notes that the index is to be made anew, if err says so.
func (x *Index) damaged(err error) error {
	if !errors.Is(err, errCorrupt) {
		return err
	}
	x.mu.Lock()
	x.broken = true
	x.mu.Unlock()
	// Other processes shall see it too.
	os.Remove(filepath.Join(x.opts.Dir, stateName)) //nolint:errcheck // then they find out by themselves
	return fmt.Errorf("the index of the archive is damaged and will be made anew by the next command that reads it: %w", err)
}

// lockPatience is how often a lock that another process has is tried.
const lockPatience = 50 * time.Millisecond

// hold takes the lock of the folder, waiting for it.
func (x *Index) hold(ctx context.Context) (io.Closer, error) {
	for {
		lock, err := x.lock.Lock(filepath.Join(x.opts.Dir, lockName), true)
		if !errors.Is(err, fsys.ErrLocked) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(lockPatience):
		}
	}
}

// load reads index.json, if it is another one than was read before, and opens
// its runs. What is damaged is taken for an empty index. The updating lock is
// held, or x is new.
func (x *Index) load() error {
	path := filepath.Join(x.opts.Dir, stateName)
	for try := 0; ; try++ {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			x.read, x.state = nil, x.empty()
			x.show(nil)
			return nil
		}
		if err != nil {
			return err
		}
		if x.read != nil && os.SameFile(info, x.read) && info.ModTime().Equal(x.read.ModTime()) && info.Size() == x.read.Size() {
			return nil
		}
		state, err := readState(path)
		if err == nil && (state.Version != Version || state.Archive != x.opts.Archive.Manifest().Archive) {
			err = errCorrupt
		}
		var runs []*run
		if err == nil {
			runs, err = x.openRuns(state)
		}
		if errors.Is(err, fs.ErrNotExist) && try < 10 {
			continue // another process has merged them meanwhile
		}
		if errors.Is(err, errCorrupt) || errors.Is(err, fs.ErrNotExist) {
			x.state, x.read = x.empty(), info
			x.show(nil)
			return nil
		}
		if err != nil {
			return err
		}
		x.state, x.read = state, info
		x.show(runs)
		return nil
	}
}

// openRuns opens the runs of a state: those that are open already stay so.
func (x *Index) openRuns(s state) (runs []*run, err error) {
	have := map[string]*run{}
	if v := x.acquire(); v != nil {
		defer v.release()
		for _, r := range v.runs {
			have[r.name] = r
		}
	}
	var opened []*run
	for _, info := range s.Runs {
		r := have[info.Name]
		if r == nil || r.size != info.Size {
			if r, err = openRun(filepath.Join(x.opts.Dir, info.Name), info.Name); err != nil {
				break
			}
			opened = append(opened, r)
		}
		if r.size != info.Size || r.lines != info.Lines {
			err = errCorrupt
			break
		}
		runs = append(runs, r)
	}
	if err != nil {
		for _, r := range opened {
			r.close()
		}
	}
	return runs, err
}

// show makes the view of the state, its runs, and those of the open segments.
func (x *Index) show(runs []*run) {
	files := make([]*file, x.state.NextFile)
	for i := range x.state.Sources {
		x.state.Sources[i].list(files)
	}
	open := map[uint32]*file{}
	runs = slices.Clip(runs)
	for _, s := range x.open {
		open[s.number] = &file{source: Source{Kind: KindSegment, Name: string(s.name), Open: true}, base: string(s.name) + archive.WARCEnding, of: &source{}}
		runs = append(runs, s.runs...)
	}
	x.swap(newView(runs, files, open))
}

// collect removes what a process that died left in the folder. The lock of the
// folder is held.
func (x *Index) collect() error {
	entries, err := os.ReadDir(x.opts.Dir)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, r := range x.state.Runs {
		named[r.Name] = true
	}
	v := x.acquire()
	if v == nil {
		return errClosed
	}
	defer v.release()
	for _, r := range v.runs {
		named[r.name] = true
	}
	for _, e := range entries {
		name := e.Name()
		if (strings.HasSuffix(name, runEnding) || strings.HasSuffix(name, ".tmp")) && !named[name] {
			os.Remove(filepath.Join(x.opts.Dir, name)) //nolint:errcheck // open elsewhere: the next one removes it
		}
	}
	return nil
}
