//go:build unix && !aix && !solaris

package index

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a file into memory, to be read; nil: that cannot be done. A
// look-up then costs no system call.
func mapFile(f *os.File, size int64) []byte {
	if size <= 0 || size != int64(int(size)) {
		return nil
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	// From a cold disk, only the page that is looked at shall be read.
	unix.Madvise(b, unix.MADV_RANDOM) //nolint:errcheck // it is advice
	return b
}

func unmapFile(b []byte) {
	unix.Munmap(b) //nolint:errcheck // nothing can be done about it
}
