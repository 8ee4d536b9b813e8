// Package dir keeps objects as files of a folder: the object with key a/b/c is
// the file a/b/c below it, with nothing added, so that any tool can read them.
//
// An object is written to ROOT/.tmp/NAME.tmp, synced, given its own name without
// replacing what may stand there, and then the folder is synced. What a crash
// leaves in .tmp is not an object and is removed a day later, by the next Put of
// a new process. Files and folders whose names cannot be keys are left alone and
// not listed. As a folder can hold no file of its own name, a key cannot lie
// below another one (a and a/b).
//
// Symbolic links are followed, so a part of an archive may lie on another disk;
// .tmp must be in the same file system as the objects.
package dir

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/internal/fsys"
)

const (
	tmpFolder   = ".tmp"
	tmpLifetime = 24 * time.Hour // no Put takes longer
	chunk       = 256 << 10      // bytes read at once
)

// Store is a folder of objects.
type Store struct {
	root  string
	fs    fsys.FS
	clean sync.Once
}

var _ blob.Store = (*Store)(nil)

// New gives the store in the folder root, which is made by the first Put if it
// does not exist.
func New(root string) (*Store, error) { return NewFS(fsys.OS, root) }

// NewFS is New over another file layer.
func NewFS(files fsys.FS, root string) (*Store, error) {
	if root == "" {
		return nil, errors.New("archive folder: the path is empty")
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("archive folder %s: %w", root, err)
	}
	if info, err := files.Stat(abs); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("archive folder %s: is a file, not a folder", abs)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("archive folder %s: %w", abs, err)
	}
	return &Store{root: abs, fs: files}, nil
}

// Root is the folder.
func (s *Store) Root() string { return s.root }

// FS is the file layer that the store uses.
func (s *Store) FS() fsys.FS { return s.fs }

func (s *Store) String() string { return s.root }

// Path is the file of a key.
func (s *Store) Path(key string) string { return filepath.Join(s.root, filepath.FromSlash(key)) }

func (s *Store) fail(op, key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, blob.ErrNotFound) && op != "put" {
		err = blob.ErrNotFound
	}
	return &blob.Error{Op: op, Store: s.root, Key: key, Err: err}
}

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, body io.ReaderAt, size int64, opts blob.PutOptions) (blob.Info, error) {
	info, err := s.put(ctx, key, body, size, opts)
	if err != nil {
		return blob.Info{}, s.fail("put", key, err)
	}
	return info, nil
}

func (s *Store) put(ctx context.Context, key string, body io.ReaderAt, size int64, opts blob.PutOptions) (info blob.Info, err error) {
	if err := blob.CheckKey(key); err != nil {
		return info, err
	}
	if size < 0 {
		return info, fmt.Errorf("a size of %d bytes", size)
	}
	if err := ctx.Err(); err != nil {
		return info, context.Cause(ctx)
	}
	name := s.Path(key)
	tmp := filepath.Join(s.root, tmpFolder)
	if err := errors.Join(s.fs.MkdirAll(tmp), s.fs.MkdirAll(filepath.Dir(name))); err != nil {
		return info, fmt.Errorf("make its folder: %w", err)
	}
	s.clean.Do(func() { s.removeOld(tmp) })

	if stored, err := s.fs.Stat(name); err == nil && !stored.IsDir() && stored.Size() == size {
		// Most likely the same bytes again, which need not be written to see it.
		sum, err := hashOf(ctx, io.Discard, body, size)
		if err != nil {
			return info, err
		}
		return s.same(ctx, key, sum, size, opts)
	}

	tmpName := filepath.Join(tmp, rand.Text()+".tmp")
	f, err := s.fs.Create(tmpName)
	if err != nil {
		return info, err
	}
	sum, err := hashOf(ctx, f, body, size)
	if err == nil && opts.SHA256 != "" && opts.SHA256 != sum {
		err = fmt.Errorf("%w: %s, not %s", blob.ErrDigest, sum, opts.SHA256)
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = s.fs.Rename(tmpName, name)
	}
	if err != nil {
		rerr := s.fs.Remove(tmpName)
		if errors.Is(err, fs.ErrExist) {
			return s.same(ctx, key, sum, size, opts)
		}
		return info, errors.Join(err, rerr)
	}
	if err := errors.Join(s.fs.SyncDir(filepath.Dir(name)), s.fs.SyncDir(tmp)); err != nil {
		return info, err
	}
	return s.stat(key, sum)
}

// same ends a Put whose key is taken: by the same bytes or by others.
func (s *Store) same(ctx context.Context, key, sum string, size int64, opts blob.PutOptions) (blob.Info, error) {
	if opts.SHA256 != "" && opts.SHA256 != sum {
		return blob.Info{}, fmt.Errorf("%w: %s, not %s", blob.ErrDigest, sum, opts.SHA256)
	}
	name := s.Path(key)
	f, err := s.fs.Open(name)
	if err != nil {
		return blob.Info{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return blob.Info{}, err
	}
	if info.IsDir() {
		return blob.Info{}, fmt.Errorf("%w: it is a folder of other keys", blob.ErrKey)
	}
	if info.Size() != size {
		return blob.Info{}, blob.ErrExists
	}
	stored, err := hashOf(ctx, io.Discard, f, size)
	if err != nil {
		return blob.Info{}, err
	}
	if stored != sum {
		return blob.Info{}, blob.ErrExists
	}
	// Its writer may not have come to syncing the folder yet.
	if err := s.fs.SyncDir(filepath.Dir(name)); err != nil {
		return blob.Info{}, err
	}
	return s.stat(key, sum)
}

// hashOf copies size bytes of body to w and gives their SHA-256.
func hashOf(ctx context.Context, w io.Writer, body io.ReaderAt, size int64) (string, error) {
	hash := sha256.New()
	buf := make([]byte, min(chunk, max(size, 1)))
	for off := int64(0); off < size; {
		if err := ctx.Err(); err != nil {
			return "", context.Cause(ctx)
		}
		n, err := body.ReadAt(buf[:min(int64(len(buf)), size-off)], off)
		if n == 0 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return "", fmt.Errorf("read the body at %d of %d bytes: %w", off, size, err)
		}
		hash.Write(buf[:n])
		if _, err := w.Write(buf[:n]); err != nil {
			return "", err
		}
		off += int64(n)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// removeOld takes away what writers that died left behind. It is a matter of
// tidiness, so a failure does not stop a Put.
func (s *Store) removeOld(tmp string) {
	entries, err := s.fs.ReadDir(tmp)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && strings.HasSuffix(entry.Name(), ".tmp") && time.Since(info.ModTime()) > tmpLifetime {
			_ = s.fs.Remove(filepath.Join(tmp, entry.Name()))
		}
	}
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, s.fail("get", key, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, s.fail("get", key, context.Cause(ctx))
	}
	f, err := s.fs.Open(s.Path(key))
	if err != nil {
		return nil, s.fail("get", key, notDirIsMissing(err))
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = blob.ErrNotFound
	}
	if err != nil {
		return nil, s.fail("get", key, errors.Join(err, f.Close()))
	}
	size := info.Size()
	if offset < 0 {
		offset = max(0, size+offset)
	}
	if offset > size {
		return nil, s.fail("get", key, errors.Join(fmt.Errorf("%w: at %d of %d bytes", blob.ErrRange, offset, size), f.Close()))
	}
	if length < 0 || length > size-offset {
		length = size - offset
	}
	return &reader{io.NewSectionReader(f, offset, length), f}, nil
}

type reader struct {
	*io.SectionReader
	io.Closer
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	if err := blob.CheckKey(key); err != nil {
		return blob.Info{}, s.fail("stat", key, err)
	}
	if err := ctx.Err(); err != nil {
		return blob.Info{}, s.fail("stat", key, context.Cause(ctx))
	}
	info, err := s.stat(key, "")
	if err != nil {
		return blob.Info{}, s.fail("stat", key, err)
	}
	return info, nil
}

func (s *Store) stat(key, sum string) (blob.Info, error) {
	info, err := s.fs.Stat(s.Path(key))
	if err != nil {
		return blob.Info{}, notDirIsMissing(err)
	}
	if info.IsDir() {
		return blob.Info{}, blob.ErrNotFound
	}
	return blob.Info{Key: key, Size: info.Size(), SHA256: sum, Modified: info.ModTime().UTC()}, nil
}

// notDirIsMissing: below a file there is no object, whatever the system calls it.
func notDirIsMissing(err error) error {
	if errors.Is(err, fsys.ErrNotDir) {
		return blob.ErrNotFound
	}
	return err
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if err := blob.CheckPrefix(prefix); err != nil {
			yield(blob.Info{}, s.fail("list", prefix, err))
			return
		}
		folder := prefix[:strings.LastIndexByte(prefix, '/')+1]
		if _, err := s.walk(ctx, folder, prefix, after, yield); err != nil {
			yield(blob.Info{}, s.fail("list", prefix, err))
		}
	}
}

// walk lists the folder whose keys begin with folder ("" or ending in a slash).
// It gives false when yield asked to stop.
func (s *Store) walk(ctx context.Context, folder, prefix, after string, yield func(blob.Info, error) bool) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, context.Cause(ctx)
	}
	entries, err := s.fs.ReadDir(s.Path(folder))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fsys.ErrNotDir) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	// The order of keys is that of names where a folder's name ends in a slash.
	names := make([]string, 0, len(entries))
	byName := make(map[string]fs.DirEntry, len(entries))
	for _, entry := range entries {
		name := entry.Name()
		if s.isDir(folder, entry) {
			name += "/"
		}
		names = append(names, name)
		byName[name] = entry
	}
	slices.Sort(names)
	for _, name := range names {
		key := folder + name
		if dir, ok := strings.CutSuffix(key, "/"); ok {
			mayHold := strings.HasPrefix(key, prefix) || strings.HasPrefix(prefix, key)
			isPast := key < after && !strings.HasPrefix(after, key)
			if !mayHold || isPast || blob.CheckKey(dir) != nil {
				continue
			}
			if more, err := s.walk(ctx, key, prefix, after, yield); err != nil || !more {
				return more, err
			}
			continue
		}
		if key <= after || !strings.HasPrefix(key, prefix) || blob.CheckKey(key) != nil {
			continue
		}
		info, err := s.stat(key, "")
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken away by hand since
		}
		if err != nil {
			return false, err
		}
		if !yield(info, nil) {
			return false, nil
		}
	}
	return true, nil
}

func (s *Store) isDir(folder string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.IsDir()
	}
	info, err := s.fs.Stat(s.Path(folder + entry.Name()))
	return err == nil && info.IsDir()
}
