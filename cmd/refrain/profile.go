package main

import (
	"fmt"
	"io"
	"os"
	"runtime/pprof"
)

// startProfile writes a CPU profile of the whole process to the file that
// REFRAIN_CPUPROFILE names, for bench/; without the variable it does nothing.
// The function it gives ends the profile.
func startProfile(notices io.Writer) (stop func()) {
	name := os.Getenv("REFRAIN_CPUPROFILE")
	if name == "" {
		return func() {}
	}
	f, err := os.Create(name)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		fmt.Fprintln(notices, "refrain: REFRAIN_CPUPROFILE:", err) //nolint:errcheck // a notice
		return func() {}
	}
	return func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			fmt.Fprintln(notices, "refrain: REFRAIN_CPUPROFILE:", err) //nolint:errcheck // a notice
		}
	}
}
