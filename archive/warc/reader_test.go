package warc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

func TestDump(t *testing.T) {
	root := sharedtest.Path(t, "conformance/warc")
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if !isWARCName(name) {
			return nil
		}
		b, _ := os.ReadFile(path)
		fmt.Println("=====", name, len(b))
		r, err := NewReaderAt(bytes.NewReader(b), int64(len(b)), 0)
		if err != nil {
			fmt.Println(err)
			return nil
		}
		for i := 0; i < 60; i++ {
			rec, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				fmt.Println("  ERR", err)
				var dm *Damage
				if !errors.As(err, &dm) {
					break
				}
				continue
			}
			pos, err := rec.Finish()
			fmt.Println("  ", rec.Version, rec.Header.Type(), rec.Header.TargetURI(), rec.Offset, rec.Inner, pos.Length, rec.Size(), err)
			for _, o := range rec.Oddities() {
				fmt.Println("       ", o.Code, o.Detail)
			}
		}
		return nil
	})
}

func isWARCName(name string) bool {
	base := filepath.Base(name)
	return strings.Contains(base, ".warc") && !strings.HasSuffix(base, ".cdx") && !strings.HasSuffix(base, ".cdxj") || strings.Contains(base, ".arc")
}
