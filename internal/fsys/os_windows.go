package fsys

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// ErrNotDir is the error of a path that has a file where a folder should be.
var ErrNotDir error = windows.ERROR_DIRECTORY

// syncDir has nothing to do: NTFS keeps changes of names in its journal, and
// Windows has no call to wait for a folder.
func syncDir(string) error { return nil }

// renameNoReplace moves without MOVEFILE_REPLACE_EXISTING, and waits until the
// move is on the disk.
func renameNoReplace(from, to string) error {
	from16, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	to16, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	if err := windows.MoveFileEx(from16, to16, windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// lock takes a byte far behind the end, so that the file itself stays readable.
func lock(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}
