//go:build unix

package fsys

import (
	"errors"
	"os"
	"syscall"
)

// ErrNotDir is the error of a path that has a file where a folder should be.
var ErrNotDir error = syscall.ENOTDIR

func syncDir(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // this file system keeps folders without being asked
	}
	return errors.Join(err, f.Close())
}
