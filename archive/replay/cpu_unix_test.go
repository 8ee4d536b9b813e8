//go:build unix

package replay

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used of the processors so far: what counts
// on a machine that does other things too.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
