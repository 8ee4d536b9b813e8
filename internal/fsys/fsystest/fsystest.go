// Package fsystest has a file system in memory that can lose its power: what
// was not synced may then be gone, in whole, in part, or be replaced by zeros,
// and names that were not synced may be the old or the new ones. It can also be
// full. It is a test of those who say that something is saved.
package fsystest

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/refrain-archive/refrain/internal/fsys"
)

// ErrPowerCut is the error of everything that is done after the power was cut.
var ErrPowerCut = errors.New("the power is cut")

// ErrFull is the error of writing to a full disk.
var ErrFull error = syscall.ENOSPC

// FS is a file system in memory.
type FS struct {
	mu      sync.Mutex
	rng     *rand.Rand
	names   map[string]*inode // as programs see it
	durable map[string]*inode // as it is on the disk
	pending []change          // of names, not on the disk yet
	dirs    map[string]bool
	locked  map[*inode]bool
	left    int   // operations until the power is cut; below 0: never
	room    int64 // bytes that may still be written; below 0: no end
	cut     bool
	syncs   int
	onSync  func()
}

type inode struct {
	data   []byte // as programs see it
	synced []byte // as it is on the disk
	time   time.Time
}

// A change takes a name away, adds one, or both at once.
type change struct {
	folders []string
	from    string
	to      string
	file    *inode
}

// New gives an empty file system with no limits, whose accidents come from seed.
func New(seed uint64) *FS {
	return &FS{
		rng: rand.New(rand.NewPCG(seed, 1)), names: map[string]*inode{}, durable: map[string]*inode{},
		dirs: map[string]bool{string(filepath.Separator): true}, locked: map[*inode]bool{}, left: -1, room: -1,
	}
}

// CutAfter cuts the power in the n-th operation from now that changes or syncs
// something.
func (f *FS) CutAfter(n int) { f.mu.Lock(); f.left = n; f.mu.Unlock() }

// SetRoom makes the disk full after n more bytes; below 0 it is never.
func (f *FS) SetRoom(n int64) { f.mu.Lock(); f.room = n; f.mu.Unlock() }

// IsCut reports whether the power is cut.
func (f *FS) IsCut() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.cut }

// Syncs is how often File.Sync was called.
func (f *FS) Syncs() int { f.mu.Lock(); defer f.mu.Unlock(); return f.syncs }

// OnSync sets a function that is called in each File.Sync before it syncs.
func (f *FS) OnSync(call func()) { f.mu.Lock(); f.onSync = call; f.mu.Unlock() }

// Files lists the files as programs see them.
func (f *FS) Files() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.names))
}

// Restart cuts the power and gives the file system as it is found afterwards,
// with the power on and no limits.
func (f *FS) Restart() *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut = true
	g := New(f.rng.Uint64())
	g.dirs = maps.Clone(f.dirs)
	names := maps.Clone(f.durable)
	for _, c := range f.pending {
		if f.rng.IntN(2) == 0 {
			c.apply(names)
		}
	}
	for name, file := range names {
		data := f.survives(file)
		g.names[name] = &inode{data: data, synced: slices.Clone(data), time: file.time}
		g.durable[name] = g.names[name]
	}
	return g
}

// survives gives what is left of a file.
func (f *FS) survives(file *inode) []byte {
	kept := slices.Clone(file.synced)
	if len(file.data) <= len(kept) {
		if f.rng.IntN(2) == 0 && len(file.data) < len(kept) {
			return kept[:len(file.data)] // a truncation came to the disk
		}
		return kept
	}
	more := slices.Clone(file.data[len(kept):])
	switch f.rng.IntN(4) {
	case 0: // nothing of it
	case 1: // a part
		kept = append(kept, more[:f.rng.IntN(len(more)+1)]...)
	case 2: // all
		kept = append(kept, more...)
	case 3: // the length, but not all of the bytes
		from := f.rng.IntN(len(more))
		clear(more[from : from+f.rng.IntN(len(more)-from)+1])
		kept = append(kept, more...)
	}
	return kept
}

func (c change) apply(names map[string]*inode) {
	if c.from != "" {
		delete(names, c.from)
	}
	if c.to != "" {
		names[c.to] = c.file
	}
}

// op counts one operation. The lock is held.
func (f *FS) op() error {
	if f.cut {
		return ErrPowerCut
	}
	if f.left > 0 {
		if f.left--; f.left == 0 {
			f.cut = true
			return ErrPowerCut
		}
	}
	return nil
}

func fail(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// MkdirAll implements fsys.FS.
func (f *FS) MkdirAll(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut {
		return fail("mkdir", name, ErrPowerCut)
	}
	if !filepath.IsAbs(name) {
		return fail("mkdir", name, errors.New("the simulated disk knows absolute paths only"))
	}
	var missing []string
	for dir := filepath.Clean(name); !f.dirs[dir]; dir = filepath.Dir(dir) {
		if f.names[dir] != nil {
			return fail("mkdir", dir, fsys.ErrNotDir)
		}
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		if err := f.op(); err != nil {
			return fail("mkdir", dir, err)
		}
		f.dirs[dir] = true
	}
	return nil
}

// Create implements fsys.FS.
func (f *FS) Create(name string) (fsys.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.names[name] != nil {
		return nil, fail("create", name, fs.ErrExist)
	}
	file, err := f.create(name)
	if err != nil {
		return nil, fail("create", name, err)
	}
	return &handle{f, file, name, true}, nil
}

func (f *FS) create(name string) (*inode, error) {
	if err := f.op(); err != nil {
		return nil, err
	}
	folder := filepath.Dir(name)
	if !f.dirs[folder] {
		return nil, fs.ErrNotExist
	}
	file := &inode{time: time.Now()}
	c := change{folders: []string{folder}, to: name, file: file}
	c.apply(f.names)
	f.pending = append(f.pending, c)
	return file, nil
}

// Open implements fsys.FS.
func (f *FS) Open(name string) (fsys.File, error) { return f.open(name, false) }

// OpenWrite implements fsys.FS.
func (f *FS) OpenWrite(name string) (fsys.File, error) { return f.open(name, true) }

func (f *FS) open(name string, write bool) (fsys.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut {
		return nil, fail("open", name, ErrPowerCut)
	}
	file := f.names[name]
	if file == nil {
		return nil, fail("open", name, fs.ErrNotExist)
	}
	return &handle{f, file, name, write}, nil
}

// Rename implements fsys.FS.
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op(); err != nil {
		return fail("rename", from, err)
	}
	file := f.names[from]
	if file == nil || !f.dirs[filepath.Dir(to)] {
		return fail("rename", from, fs.ErrNotExist)
	}
	if f.names[to] != nil || f.dirs[to] {
		return fail("rename", to, fs.ErrExist)
	}
	c := change{folders: []string{filepath.Dir(from), filepath.Dir(to)}, from: from, to: to, file: file}
	c.apply(f.names)
	f.pending = append(f.pending, c)
	return nil
}

// Remove implements fsys.FS.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op(); err != nil {
		return fail("remove", name, err)
	}
	if f.names[name] == nil {
		return fail("remove", name, fs.ErrNotExist)
	}
	c := change{folders: []string{filepath.Dir(name)}, from: name}
	c.apply(f.names)
	f.pending = append(f.pending, c)
	return nil
}

// SyncDir implements fsys.FS.
func (f *FS) SyncDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op(); err != nil {
		return fail("sync", name, err)
	}
	if !f.dirs[name] {
		return fail("sync", name, fs.ErrNotExist)
	}
	rest := f.pending[:0]
	for _, c := range f.pending {
		if slices.Contains(c.folders, name) {
			c.apply(f.durable)
		} else {
			rest = append(rest, c)
		}
	}
	f.pending = rest
	return nil
}

// ReadDir implements fsys.FS.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut {
		return nil, fail("readdir", name, ErrPowerCut)
	}
	name = filepath.Clean(name)
	if !f.dirs[name] {
		return nil, fail("readdir", name, fs.ErrNotExist)
	}
	var entries []fs.DirEntry
	for path, file := range f.names {
		if filepath.Dir(path) == name {
			entries = append(entries, fs.FileInfoToDirEntry(info{filepath.Base(path), int64(len(file.data)), file.time, false}))
		}
	}
	for dir := range f.dirs {
		if filepath.Dir(dir) == name && dir != name {
			entries = append(entries, fs.FileInfoToDirEntry(info{filepath.Base(dir), 0, time.Time{}, true}))
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Stat implements fsys.FS.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut {
		return nil, fail("stat", name, ErrPowerCut)
	}
	name = filepath.Clean(name)
	if f.dirs[name] {
		return info{filepath.Base(name), 0, time.Time{}, true}, nil
	}
	file := f.names[name]
	if file == nil {
		return nil, fail("stat", name, fs.ErrNotExist)
	}
	return info{filepath.Base(name), int64(len(file.data)), file.time, false}, nil
}

// Lock implements fsys.FS.
func (f *FS) Lock(name string, create bool) (io.Closer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut {
		return nil, fail("lock", name, ErrPowerCut)
	}
	file := f.names[name]
	if file == nil {
		if !create {
			return nil, fail("lock", name, fs.ErrNotExist)
		}
		var err error
		if file, err = f.create(name); err != nil {
			return nil, fail("lock", name, err)
		}
	}
	if f.locked[file] {
		return nil, fail("lock", name, fsys.ErrLocked)
	}
	f.locked[file] = true
	return &unlocker{f, file}, nil
}

type unlocker struct {
	fs   *FS
	file *inode
}

func (u *unlocker) Close() error {
	u.fs.mu.Lock()
	defer u.fs.mu.Unlock()
	delete(u.fs.locked, u.file)
	return nil
}

type info struct {
	name string
	size int64
	time time.Time
	dir  bool
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return i.time }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

type handle struct {
	fs    *FS
	file  *inode
	name  string
	write bool
}

func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.cut {
		return 0, fail("read", h.name, ErrPowerCut)
	}
	if off < 0 {
		return 0, fail("read", h.name, fs.ErrInvalid)
	}
	if off >= int64(len(h.file.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.file.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) Write(p []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if !h.write {
		return 0, fail("write", h.name, fs.ErrPermission)
	}
	if h.fs.cut {
		return 0, fail("write", h.name, ErrPowerCut)
	}
	if err := h.fs.op(); err != nil {
		n := h.fs.rng.IntN(len(p) + 1)
		h.file.data = append(h.file.data, p[:n]...)
		return n, fail("write", h.name, err)
	}
	n := len(p)
	if h.fs.room >= 0 {
		n = int(min(int64(n), h.fs.room))
		h.fs.room -= int64(n)
	}
	h.file.data = append(h.file.data, p[:n]...)
	if n < len(p) {
		return n, fail("write", h.name, ErrFull)
	}
	return n, nil
}

func (h *handle) Sync() error {
	h.fs.mu.Lock()
	call := h.fs.onSync
	h.fs.mu.Unlock()
	if call != nil {
		call()
	}
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	h.fs.syncs++
	if err := h.fs.op(); err != nil {
		return fail("sync", h.name, err)
	}
	h.file.synced = slices.Clone(h.file.data)
	return nil
}

func (h *handle) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.op(); err != nil {
		return fail("truncate", h.name, err)
	}
	if size < 0 || size > int64(len(h.file.data)) || !h.write {
		return fail("truncate", h.name, fs.ErrInvalid)
	}
	h.file.data = slices.Clone(h.file.data[:size])
	return nil
}

func (h *handle) Stat() (fs.FileInfo, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.fs.cut {
		return nil, fail("stat", h.name, ErrPowerCut)
	}
	return info{filepath.Base(h.name), int64(len(h.file.data)), h.file.time, false}, nil
}

func (h *handle) Close() error { return nil }
