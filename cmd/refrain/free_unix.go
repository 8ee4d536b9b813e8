//go:build unix

package main

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// freeBytes is the room on the disk of a folder that may not exist yet.
func freeBytes(dir string) (int64, bool) {
	for {
		var fs unix.Statfs_t
		if err := unix.Statfs(dir, &fs); err == nil {
			return int64(fs.Bavail) * int64(fs.Bsize), true //nolint:unconvert // the types differ between systems
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return 0, false
		}
		dir = parent
	}
}
