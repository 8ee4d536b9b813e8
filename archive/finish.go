package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/internal/fsys"
)

// A Finished segment has its final name and will never change.
type Finished struct {
	Name  Name
	Files []FinishedFile // the WARC, its index and, if there are posts, its posts
	// Recovered is set for a segment that a process before this one left behind.
	Recovered *Recovery
}

// A FinishedFile is one file of a finished segment.
type FinishedFile struct {
	Key    string // in the archive
	Size   int64  // bytes
	SHA256 string // lower-case hex
}

// contentTypes are what a server of the files says of them.
var contentTypes = map[string]string{
	WARCEnding:  "application/warc",
	IndexEnding: "text/x-cdxj",
	PostsEnding: "application/gzip",
}

// seal writes what is missing of the segment's files, makes all of it durable
// and gives the files their final names. A final name that is there already was
// written by a process that died right behind it, and stays.
func (s *segment) seal() error {
	w := s.work
	if err := s.flush(); err != nil {
		return err
	}
	if err := s.sync(s.warc.Offset()); err != nil {
		return err
	}
	index, err := w.fs.Create(w.path(s.name.Key(IndexEnding) + tmpEnding))
	if err != nil {
		return err
	}
	if err := errors.Join(s.index.merge(index), index.Sync(), index.Close()); err != nil {
		return err
	}
	folder := w.path(s.name.Folder())
	if s.posts.file != nil {
		if err := errors.Join(s.posts.end(), s.posts.file.Sync(), s.posts.file.Close()); err != nil {
			return err
		}
		if err := w.rename(s.name, PostsEnding, openEnding); err != nil {
			return err
		}
	}
	if err := errors.Join(s.index.file.Close(), s.file.Close()); err != nil {
		return err
	}
	if err := w.rename(s.name, IndexEnding, tmpEnding); err != nil {
		return err
	}
	// The WARC comes last: one without .open has its companions beside it.
	if err := w.fs.SyncDir(folder); err != nil {
		return err
	}
	if err := w.rename(s.name, WARCEnding, openEnding); err != nil {
		return err
	}
	if err := w.fs.Remove(w.path(s.name.Key(IndexEnding) + openEnding)); err != nil {
		return err
	}
	return w.fs.SyncDir(folder)
}

// rename gives one of a segment's files its final name.
func (w workspace) rename(name Name, ending, from string) error {
	key := name.Key(ending)
	err := w.fs.Rename(w.path(key+from), w.path(key))
	if errors.Is(err, fs.ErrExist) {
		return w.fs.Remove(w.path(key + from))
	}
	return err
}

// files describes the files of a finished segment in the workspace.
func (w workspace) files(name Name) ([]FinishedFile, error) {
	var files []FinishedFile
	for _, ending := range endings {
		key := name.Key(ending)
		sum, size, err := hashFile(w.fs, w.path(key))
		if errors.Is(err, fs.ErrNotExist) && ending == PostsEnding {
			continue // no page of the segment had posts
		}
		if err != nil {
			return nil, err
		}
		files = append(files, FinishedFile{Key: key, Size: size, SHA256: sum})
	}
	return files, nil
}

func hashFile(files fsys.FS, name string) (string, int64, error) {
	f, err := files.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, io.NewSectionReader(f, 0, info.Size()), make([]byte, 256<<10)); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(sum.Sum(nil)), info.Size(), nil
}

// deliver does what is left to do for a segment whose files have their final
// names: tell of it, upload it, and take away the lock file, which says until
// then that something is left to do.
func (a *Archive) deliver(ctx context.Context, name Name, lock io.Closer, recovered *Recovery) error {
	w := a.work
	if a.opts.Finished == nil && a.inPlace {
		return w.unlock(name, lock) // nobody asks for the digests of the files, which cost a pass over them
	}
	files, err := w.files(name)
	if err != nil {
		return err
	}
	if a.opts.Finished != nil {
		if err := a.opts.Finished(ctx, Finished{Name: name, Files: files, Recovered: recovered}); err != nil {
			return fmt.Errorf("tell of the finished segment: %w", err)
		}
	}
	if !a.inPlace {
		for _, file := range files {
			if err := a.upload(ctx, file); err != nil {
				return err
			}
		}
		if err := w.clear(name); err != nil {
			return fmt.Errorf("remove the local copies of uploaded files: %w", err)
		}
	}
	return w.unlock(name, lock)
}

// clear removes the files of a segment, for good. The WARC goes first: where it
// is missing, nothing else is of use.
func (w workspace) clear(name Name) error {
	folder := w.path(name.Folder())
	if _, err := w.fs.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, ending := range endings {
		for _, state := range []string{"", openEnding, tmpEnding} {
			if err := w.fs.Remove(w.path(name.Key(ending) + state)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err := w.fs.SyncDir(folder); err != nil {
			return err
		}
	}
	return nil
}

// unlock says that nothing is left to do for a segment.
func (w workspace) unlock(name Name, lock io.Closer) error {
	err := w.fs.Remove(w.lockPath(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		// Windows removes no open file.
		if cerr := lock.Close(); cerr != nil {
			return cerr
		}
		return w.fs.Remove(w.lockPath(name))
	}
	return errors.Join(lock.Close(), w.fs.SyncDir(filepath.Join(w.root, workFolder)))
}

func (a *Archive) upload(ctx context.Context, file FinishedFile) error {
	f, err := a.work.fs.Open(a.work.path(file.Key))
	if err != nil {
		return err
	}
	defer f.Close()
	_, ending, _ := ParseName(file.Key)
	_, err = a.store.Put(ctx, file.Key, f, file.Size, blob.PutOptions{SHA256: file.SHA256, ContentType: contentTypes[ending]})
	return err
}
