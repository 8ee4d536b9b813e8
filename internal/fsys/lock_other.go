//go:build unix && !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package fsys

import (
	"errors"
	"os"
)

func lock(*os.File) error { return errors.ErrUnsupported }
