//go:build !unix

package crawlertest

import "time"

var started = time.Now()

// cpuTime is time by the clock where the system does not tell.
func cpuTime() time.Duration { return time.Since(started) }
