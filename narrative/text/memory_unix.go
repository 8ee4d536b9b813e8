//go:build unix

package text

import "syscall"

// obtain gives n zeroed bytes outside the Go heap: the collector neither walks
// them nor keeps as much again free for them.
func obtain(n int) ([]byte, error) {
	return syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

func giveBack(b []byte) { syscall.Munmap(b) }
