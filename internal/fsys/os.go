package fsys

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// OS is the file system of the machine.
var OS FS = osFS{}

type osFS struct{}

func (osFS) MkdirAll(name string) error {
	missing := []string{}
	for dir := filepath.Clean(name); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() {
			break
		}
		if err == nil {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: ErrNotDir}
		}
		missing = append(missing, dir)
		if dir == filepath.Dir(dir) {
			break
		}
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := os.Mkdir(missing[i], 0o777); err != nil && !os.IsExist(err) {
			return err
		}
		if err := syncDir(filepath.Dir(missing[i])); err != nil {
			return err
		}
	}
	return nil
}

func (osFS) Create(name string) (File, error) {
	return file(os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o666))
}

func (osFS) Open(name string) (File, error) { return file(os.Open(name)) }

func (osFS) OpenWrite(name string) (File, error) {
	return file(os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0))
}

// file keeps a nil *os.File from becoming a File that is not nil.
func file(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return appendFile{f}, nil
}

// appendFile is an *os.File opened with O_APPEND, whose ReadAt is of use.
type appendFile struct{ *os.File }

func (osFS) Rename(from, to string) error { return renameNoReplace(from, to) }
func (osFS) Remove(name string) error     { return os.Remove(name) }
func (osFS) SyncDir(name string) error    { return syncDir(name) }

func (osFS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }
func (osFS) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }

func (osFS) Lock(name string, create bool) (io.Closer, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	for {
		f, err := os.OpenFile(name, flags, 0o666)
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
		}
		// Its last holder may have removed it between the two.
		held, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		if there, err := os.Stat(name); err == nil && os.SameFile(held, there) {
			return f, nil
		}
		f.Close()
	}
}

// linkNoReplace is renameNoReplace where the system has no call for it: a
// second name, then the first one taken away. A power cut between the two
// leaves both, which a caller sees as a temporary file left over.
func linkNoReplace(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	return os.Remove(from)
}
