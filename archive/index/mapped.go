package index

import (
	"fmt"
	"runtime/debug"
)

// copyMapped copies from a file that is mapped into memory. Where the file
// became shorter, or its disk fails, that is an error as it is with a read, and
// not the end of the process.
func copyMapped(dst, src []byte) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = fmt.Errorf("%w: it cannot be read to its end, or its disk fails", errCorrupt)
		default:
			panic(p)
		}
	}()
	copy(dst, src)
	return nil
}
