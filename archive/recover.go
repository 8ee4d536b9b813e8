package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/fsys"
)

// A Recovery tells what Open did with a segment that a process left behind.
type Recovery struct {
	Name    Name
	Records int    // whole records in it, the warcinfo included; 0 if only its upload was left to do
	Posts   int    // lines of its posts file, made again from the WARC
	Cut     int64  // bytes behind the last whole record, which were kept aside
	Why     string // what was wrong with those bytes; empty if there were none
	Aside   string // file in the workspace with those bytes; empty if there were none
	Empty   bool   // there was no record beyond the warcinfo, so the segment is gone
	Err     error  // it could not be recovered now: it stays, and the next start tries again
}

func (r Recovery) String() string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("segment %s cannot be recovered now: %v", r.Name, r.Err)
	case r.Empty:
		return fmt.Sprintf("segment %s had no record and was removed", r.Name)
	case r.Records == 0:
		return fmt.Sprintf("segment %s was whole; what was left to do for it is done", r.Name)
	case r.Cut > 0:
		return fmt.Sprintf("segment %s was finished with %d records; %d bytes of a torn record (%s) lie in %s", r.Name, r.Records, r.Cut, r.Why, r.Aside)
	}
	return fmt.Sprintf("segment %s was finished with %d records", r.Name, r.Records)
}

// recover finds segments of dead processes by their lock files, repairs them
// and hands them to the finisher. A segment that cannot be recovered does not
// keep the others, nor new ones, from their work.
func (a *Archive) recover(ctx context.Context) error {
	entries, err := a.work.fs.ReadDir(filepath.Join(a.work.root, workFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		stem, ok := strings.CutSuffix(entry.Name(), ".lock")
		name := Name(stem)
		if !ok || !name.valid() {
			continue
		}
		lock, err := a.work.fs.Lock(a.work.lockPath(name), false)
		if errors.Is(err, fsys.ErrLocked) || errors.Is(err, fs.ErrNotExist) {
			continue // its process lives, or has just ended its work
		}
		rec := Recovery{Name: name, Err: err}
		if err == nil {
			rec.Err = a.recoverSegment(name, lock, &rec)
			if rec.Err != nil {
				_ = lock.Close()
			}
		}
		a.recovered = append(a.recovered, rec)
	}
	return nil
}

func (a *Archive) recoverSegment(name Name, lock io.Closer, rec *Recovery) error {
	w := a.work
	has := func(key string) (bool, error) {
		_, err := w.fs.Stat(w.path(key))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	open, err := has(name.Key(WARCEnding) + openEnding)
	if err != nil {
		return err
	}
	final, err := has(name.Key(WARCEnding))
	if err != nil {
		return err
	}
	if !open && !final {
		// Never begun, or uploaded and removed.
		rec.Empty = true
		return errors.Join(w.clear(name), w.unlock(name, lock))
	}
	if final && !open {
		if index, err := has(name.Key(IndexEnding)); err != nil {
			return err
		} else if index {
			// seal came to its end, but for what it would have removed.
			for _, left := range []string{name.Key(IndexEnding) + openEnding, name.Key(IndexEnding) + tmpEnding, name.Key(PostsEnding) + openEnding} {
				if err := w.fs.Remove(w.path(left)); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
			if err := w.fs.SyncDir(w.path(name.Folder())); err != nil {
				return err
			}
			a.finisher.add(job{name: name, lock: lock, recovered: rec.copy()})
			return nil
		}
		// The names came to the disk in another order than they were given.
		if err := w.fs.Rename(w.path(name.Key(WARCEnding)), w.path(name.Key(WARCEnding)+openEnding)); err != nil {
			return err
		}
	}
	s, err := reopenSegment(w, name, rec)
	if err != nil {
		return err
	}
	if rec.Records <= 1 {
		rec.Empty = true
		s.closeFiles()
		return errors.Join(w.clear(name), w.unlock(name, lock))
	}
	s.lock = lock
	if err := s.seal(); err != nil {
		s.closeFiles()
		return err
	}
	a.finisher.add(job{name: name, lock: lock, recovered: rec.copy()})
	return nil
}

func (r *Recovery) copy() *Recovery { c := *r; return &c }

// reopenSegment cuts the WARC to whole records and makes index and posts again
// from it, up to where seal begins.
func reopenSegment(w workspace, name Name, rec *Recovery) (_ *segment, err error) {
	for _, left := range []string{name.Key(IndexEnding) + openEnding, name.Key(IndexEnding) + tmpEnding, name.Key(PostsEnding) + openEnding} {
		if err := w.fs.Remove(w.path(left)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	s := &segment{name: name, work: w}
	defer func() {
		if err != nil {
			s.closeFiles()
		}
	}()
	if s.file, err = w.fs.OpenWrite(w.path(name.Key(WARCEnding) + openEnding)); err != nil {
		return nil, err
	}
	info, err := s.file.Stat()
	if err != nil {
		return nil, err
	}
	if s.index.file, err = w.fs.Create(w.path(name.Key(IndexEnding) + openEnding)); err != nil {
		return nil, err
	}
	end, err := s.replay(info.Size(), rec)
	if err != nil {
		return nil, err
	}
	if rec.Cut = info.Size() - end; rec.Cut > 0 {
		if err := w.keepAside(s, end, info.Size(), rec); err != nil {
			return nil, err
		}
		if err := s.file.Truncate(end); err != nil {
			return nil, err
		}
	}
	s.written = end
	s.warc = warc.NewWriter(warcSink{s}, warc.WriterOptions{Offset: end, WarcinfoID: s.info})
	return s, nil
}

// maxPost bounds the JSON of a post that is read back, in bytes.
const maxPost = 64 << 20

// replay reads the records of the WARC up to the first that is not as it was
// written, and makes their index lines and post lines. It gives the end of the
// last good one.
func (s *segment) replay(size int64, rec *Recovery) (end int64, err error) {
	r, err := warc.NewReaderAt(s.file, size, 0)
	if err != nil {
		return 0, err
	}
	for {
		record, err := r.Next()
		if err == io.EOF {
			return end, nil
		}
		if err == nil && record.Offset != end {
			err = &warc.Damage{Code: warc.CodeJunk, Offset: end, Detail: "bytes that are no record"}
		}
		var block []byte
		var pos warc.Position
		member, hasLine := "", false
		if err == nil {
			member, hasLine = MemberOf(record.Header.TargetURI())
			limit := int64(warc.MaxHTTPHead)
			if hasLine {
				limit = maxPost
			}
			if block, err = io.ReadAll(io.LimitReader(record, limit)); err == nil {
				pos, err = record.Finish()
			}
			if err == nil && len(record.Oddities()) > 0 {
				odd := record.Oddities()[0]
				err = &warc.Damage{Code: odd.Code, Offset: odd.Offset, Detail: odd.Detail}
			}
		}
		var damage *warc.Damage
		if errors.As(err, &damage) {
			rec.Why = damage.Detail
			return end, nil
		}
		if err != nil {
			return end, err
		}
		if record.Header.Type() == warc.TypeWarcinfo {
			s.info = record.ID()
		}
		end = pos.End()
		rec.Records++
		if err := s.addLine(&warc.Record{Header: record.Header, Block: warc.Bytes(block)}, pos); err != nil {
			return end, err
		}
		if hasLine && json.Valid(block) && !bytes.ContainsRune(block, '\n') {
			if member == memberPost {
				rec.Posts++
			}
			if err := s.addPost(record.ID(), pos.Offset, member, block, nil); err != nil {
				return end, err
			}
		}
	}
}

// keepAside copies the bytes that will be cut to a file beside the lock files:
// nobody was told that they are saved, but they may be of use to someone.
func (w workspace) keepAside(s *segment, from, to int64, rec *Recovery) error {
	for n := 0; ; n++ {
		rec.Aside = filepath.Join(w.root, workFolder, fmt.Sprintf("%s.torn-%d", s.name, n))
		f, err := w.fs.Create(rec.Aside)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = io.Copy(struct{ io.Writer }{f}, io.NewSectionReader(s.file, from, to-from))
		return errors.Join(err, f.Sync(), f.Close())
	}
}

// closeFiles closes what is open of a segment, but not its lock.
func (s *segment) closeFiles() {
	for _, f := range []fsys.File{s.file, s.index.file, s.posts.file} {
		if f != nil {
			_ = f.Close() // what mattered was synced
		}
	}
}
