package warc

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

func TestDumpVerdicts(t *testing.T) {
	root := sharedtest.Path(t, "conformance/warc")
	gold := map[string]string{}
	for _, l := range strings.Split(string(sharedtest.Read(t, "conformance/warc/golden/verdicts.tsv")), "\n") {
		f := strings.SplitN(l, "\t", 2)
		if len(f) == 2 {
			gold[f[0]] = f[1]
		}
	}
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if !isWARCName(name) || strings.HasPrefix(name, "golden") {
			return nil
		}
		b, _ := os.ReadFile(path)
		rep, err := Verify(context.Background(), bytes.NewReader(b), int64(len(b)), name, VerifyOptions{})
		if err != nil {
			fmt.Println(name, err)
			return nil
		}
		accept := 0
		for _, g := range strings.Split(gold[name], "\t") {
			if g == "0" || g == "0/0" || g == "true" {
				accept++
			}
		}
		bad := ""
		if accept >= 2 && rep.Verdict == Damaged && !strings.Contains(name, "/N") && !strings.Contains(name, "corrupted") {
			bad = "!!!!!"
		}
		if (strings.Contains(name, "/N") || strings.Contains(name, "corrupted")) && rep.Verdict != Damaged {
			bad = "!!!!!"
		}
		fmt.Println("==", name, rep.Verdict, rep.Records, "|", gold[name], bad)
		for _, f := range rep.Findings {
			fmt.Println("      ", f.Offset, f.Severity, f.Code, f.Detail)
		}
		return nil
	})
}
