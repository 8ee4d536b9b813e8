package index

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapFile maps a file into memory, to be read; nil: that cannot be done. A
// look-up then costs no system call.
func mapFile(f *os.File, size int64) []byte {
	if size <= 0 || size != int64(int(size)) {
		return nil
	}
	h, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, windows.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return nil
	}
	defer windows.CloseHandle(h) //nolint:errcheck // the view keeps what it needs
	at, err := windows.MapViewOfFile(h, windows.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		return nil
	}
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&at))), int(size))
}

func unmapFile(b []byte) {
	windows.UnmapViewOfFile(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) //nolint:errcheck // nothing can be done about it
}
