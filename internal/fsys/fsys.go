// Package fsys is the small layer of files under everything that promises
// durability: create, write, sync, rename without replacing, sync of a folder,
// lock. OS is the machine's own; package fsystest has one in memory that loses
// what was not synced, for tests of a power cut.
//
// Names are paths in the spelling of the operating system.
package fsys

import (
	"errors"
	"io"
	"io/fs"
)

// ErrLocked is the error of Lock for a file that a living process has locked.
var ErrLocked = errors.New("locked by another process")

// An FS is a file system that says what survives a power cut. Its methods are
// safe for concurrent use. Errors are *fs.PathError or *os.LinkError and answer
// to errors.Is with fs.ErrNotExist and fs.ErrExist.
type FS interface {
	// MkdirAll makes a folder and its parents. When it returns nil, the folder
	// survives a power cut.
	MkdirAll(name string) error
	// Create makes a new file for reading and writing. A file that exists is an
	// fs.ErrExist. The name survives a power cut after SyncDir only.
	Create(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (File, error)
	// OpenWrite opens an existing file for reading, appending and truncating.
	OpenWrite(name string) (File, error)
	// Rename gives a file another name in the same file system. It never
	// replaces: a new name that is taken is an fs.ErrExist. The change survives
	// a power cut after SyncDir of the folder(s) only; until then either name,
	// and only one of them, may be found.
	Rename(from, to string) error
	// Remove deletes a file.
	Remove(name string) error
	// SyncDir makes names created, renamed or removed in a folder durable.
	SyncDir(name string) error
	// ReadDir lists a folder in order of name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat describes a file or folder.
	Stat(name string) (fs.FileInfo, error)
	// Lock locks a file for this caller, until the lock is closed or the process
	// ends in whatever way. It does not wait: a file that is locked is an
	// ErrLocked, also within one process. With create it makes the file if it is
	// missing; without, that is an fs.ErrNotExist. When it returns nil, name is
	// the file that was locked.
	Lock(name string, create bool) (io.Closer, error)
}

// A File is one open file. Write appends at the end.
type File interface {
	io.ReaderAt
	io.Writer
	io.Closer
	// Sync returns when all that was written survives a power cut.
	Sync() error
	Truncate(size int64) error
	Stat() (fs.FileInfo, error)
}
