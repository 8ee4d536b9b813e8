//go:build !unix

package engine

import (
	"testing"
	"time"
)

var began = time.Now()

// cpuTime is the time by the clock, where a process is not told its CPU time.
func cpuTime(testing.TB) time.Duration { return time.Since(began) }
