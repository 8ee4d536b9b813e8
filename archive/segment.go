package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/post"
)

// bufferSize is how many bytes of small records are gathered before they are
// written to the file; they are written at the latest by Sync.
const bufferSize = 256 << 10

// workspace is the folder in which segments are written: the archive's own, or
// a local one from which they go to a bucket.
type workspace struct {
	fs   fsys.FS
	root string
}

func (w workspace) path(key string) string { return filepath.Join(w.root, filepath.FromSlash(key)) }
func (w workspace) lockPath(name Name) string {
	return filepath.Join(w.root, workFolder, string(name)+".lock")
}

// A segment is three files being written. Its methods are called with the
// archive's lock held, but for sync and finish.
type segment struct {
	name  Name
	work  workspace
	lock  io.Closer
	file  fsys.File // the WARC
	buf   []byte    // of the WARC, not yet in file
	warc  *warc.Writer
	info  string // id of the warcinfo record
	index index
	posts postsWriter

	records int
	written int64 // bytes that went to the sink; more than warc.Offset() after a torn record
	sinkErr error // of the disk

	syncing sync.Mutex
	durable int64 // bytes of the WARC that survive a power cut; guarded by syncing
	named   bool  // the folder was synced since the files were made; guarded by syncing
}

// openSegment makes the files of a segment whose first record has that time.
// The lock file comes first and is durable before the others exist, so that
// whatever a crash leaves is found by it.
func openSegment(w workspace, first time.Time, serial *int, worker string) (s *segment, err error) {
	s = &segment{work: w}
	if err := w.fs.MkdirAll(filepath.Join(w.root, workFolder)); err != nil {
		return nil, err
	}
	for {
		*serial++
		s.name = newName(first, *serial, worker)
		s.lock, err = w.fs.Lock(w.lockPath(s.name), true)
		if errors.Is(err, fsys.ErrLocked) {
			continue // another process of the same name, in the same millisecond
		}
		if err != nil {
			return nil, err
		}
		if !s.taken() {
			break
		}
		if err := s.lock.Close(); err != nil {
			return nil, err
		}
	}
	fail := func(err error) (*segment, error) {
		// Nothing is in it: take away what was made, as far as that goes.
		if s.file != nil {
			err = errors.Join(err, s.file.Close())
		}
		if s.index.file != nil {
			err = errors.Join(err, s.index.file.Close())
		}
		if w.clear(s.name) == nil {
			return nil, errors.Join(err, w.unlock(s.name, s.lock))
		}
		return nil, errors.Join(err, s.lock.Close()) // the next start tries again
	}
	if err := w.fs.SyncDir(filepath.Join(w.root, workFolder)); err != nil {
		return fail(err)
	}
	if err := w.fs.MkdirAll(w.path(s.name.Folder())); err != nil {
		return fail(err)
	}
	// A process that died may have made the folders without syncing them.
	for dir := w.path(s.name.Folder()); dir != w.root && dir != filepath.Dir(dir); {
		dir = filepath.Dir(dir)
		if err := w.fs.SyncDir(dir); err != nil {
			return fail(err)
		}
	}
	if s.file, err = w.fs.Create(w.path(s.name.Key(WARCEnding) + openEnding)); err != nil {
		return fail(err)
	}
	if s.index.file, err = w.fs.Create(w.path(s.name.Key(IndexEnding) + openEnding)); err != nil {
		return fail(err)
	}
	s.buf = make([]byte, 0, bufferSize)
	s.warc = warc.NewWriter(warcSink{s}, warc.WriterOptions{})
	return s, nil
}

// taken reports whether there are files of that name already.
func (s *segment) taken() bool {
	for _, ending := range endings {
		for _, state := range []string{"", openEnding, tmpEnding} {
			if _, err := s.work.fs.Stat(s.work.path(s.name.Key(ending) + state)); !errors.Is(err, fs.ErrNotExist) {
				return true
			}
		}
	}
	return false
}

// warcSink gathers small writes.
type warcSink struct{ s *segment }

func (w warcSink) Write(p []byte) (int, error) {
	s := w.s
	if len(s.buf)+len(p) > bufferSize {
		if err := s.flush(); err != nil {
			return 0, err
		}
	}
	if len(p) >= bufferSize {
		if err := s.writeFile(p); err != nil {
			return 0, err
		}
	} else {
		s.buf = append(s.buf, p...)
	}
	s.written += int64(len(p))
	return len(p), nil
}

func (s *segment) writeFile(p []byte) error {
	n, err := s.file.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		s.sinkErr = err
	}
	return err
}

// takeBack takes away what a record that could not be written whole left, if
// anything: its block could not be read.
func (s *segment) takeBack() error {
	end := s.warc.Offset()
	s.warc = warc.NewWriter(warcSink{s}, warc.WriterOptions{Offset: end, WarcinfoID: s.info}) // the old one may refuse to go on
	if s.written == end {
		return nil
	}
	inFile := s.written - int64(len(s.buf))
	if end >= inFile {
		s.buf = s.buf[:end-inFile]
	} else {
		s.buf = s.buf[:0]
		if err := s.file.Truncate(end); err != nil {
			return err
		}
	}
	s.written = end
	return nil
}

// flush hands everything to the operating system, which keeps it when the
// process is killed, but not when the power goes.
func (s *segment) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	err := s.writeFile(s.buf)
	s.buf = s.buf[:0]
	return err
}

// write appends one record and its index line.
func (s *segment) write(r *warc.Record) (warc.Position, error) {
	pos, err := s.warc.Write(r)
	if err != nil {
		return pos, err
	}
	if r.Header.Type() == warc.TypeWarcinfo {
		s.info = r.ID()
	}
	s.records++
	if err := s.addLine(r, pos); err != nil {
		s.sinkErr = err
		return pos, err
	}
	return pos, nil
}

func (s *segment) addLine(r *warc.Record, pos warc.Position) error {
	line, ok, err := cdx.FromRecord(r, pos, string(s.name)+WARCEnding, cdx.Options{})
	if err != nil {
		return fmt.Errorf("index record %s: %w", r.ID(), err)
	}
	if !ok {
		return nil
	}
	return s.index.add(line.Append(nil))
}

// A PostLine is one line of a posts file: a post, or what an exchange said
// beside its posts.
type PostLine struct {
	RecordID string          `json:"record_id"`      // of the line's resource record, urn:uuid:…
	Offset   int64           `json:"offset"`         // of that record in the WARC of the same segment
	Post     post.Post       `json:"post,omitzero"`  // of a post's line
	Page     json.RawMessage `json:"page,omitempty"` // of a page's line: outcome, coverage, identities; the posts of the exchange follow
}

// The members of a line that hold what its resource record holds.
const (
	memberPost = "post"
	memberPage = "page"
)

// MemberOf tells by its target URI whether a resource record has a line in the
// posts file, and under which member: "post" or "page".
func MemberOf(uri string) (member string, ok bool) {
	switch {
	case strings.HasPrefix(uri, "urn:refrain:post:"):
		return memberPost, true
	case strings.HasPrefix(uri, pageURI):
		return memberPage, true
	}
	return "", false
}

// addPost appends a line to the posts file, given the JSON of its member and, if
// there is that, the same packed.
func (s *segment) addPost(id string, offset int64, member string, data, packed []byte) error {
	if s.posts.file == nil {
		file, err := s.work.fs.Create(s.work.path(s.name.Key(PostsEnding) + openEnding))
		if err != nil {
			return err
		}
		if err := s.posts.begin(file); err != nil {
			return err
		}
	}
	return s.posts.add(id, offset, member, data, packed)
}

// sync makes the first size bytes of the WARC durable, which the caller flushed.
// It runs without the archive's lock.
func (s *segment) sync(size int64) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	if s.durable >= size {
		return nil
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	if !s.named {
		if err := s.work.fs.SyncDir(s.work.path(s.name.Folder())); err != nil {
			return err
		}
		s.named = true
	}
	s.durable = size
	return nil
}

// abandon gives up a segment that cannot be written on: it is cut to what is
// durable, which is whole records, and left to the next start. Its errors do
// not matter: what it fails to do the next start does.
func (s *segment) abandon() {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	_ = s.file.Truncate(s.durable)
	s.close()
}

// close closes all files and gives up the lock.
func (s *segment) close() {
	s.closeFiles()
	_ = s.lock.Close()
}
