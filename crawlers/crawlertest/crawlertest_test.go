package crawlertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImpure(t *testing.T) {
	for _, test := range []struct {
		name, source string
		want         []string
	}{
		{"a pure collector", `import ("net/url"; "regexp"; "time"; "github.com/refrain-archive/refrain/post")
var id = regexp.MustCompile("x")
var table = map[string]int{"a": 1}
func f(u *url.URL) time.Time { t := table["a"]; t++; table := map[string]int{}; table["b"] = t; _ = post.OK; return time.Unix(0, 0) }`, nil},
		{"the network", `import "net/http"
var _ = http.StatusOK`, []string{"imports net/http"}},
		{"a clock", `import "time"
func f() time.Time { return time.Now() }`, []string{"time.Now"}},
		{"a clock under another name", `import clock "time"
func f() clock.Time { return clock.Now() }`, []string{"time.Now"}},
		{"a cache", `var seen = map[string]bool{}
func f(s string) { seen[s] = true }`, []string{"changes package variable seen"}},
		{"a counter", `var n int
func f() { n++ }`, []string{"changes package variable n"}},
		{"a pointer that escapes", `var n struct{ x int }
func f() *int { return &n.x }`, []string{"changes package variable n"}},
		{"a lock", `import "sync"
var mu sync.Mutex`, []string{"package variable mu is made to change (sync.Mutex)"}},
		{"the archive", `import _ "github.com/refrain-archive/refrain/archive/warc"`, []string{"imports github.com/refrain-archive/refrain/archive/warc"}},
		{"a goroutine", `func f() { go f() }`, []string{"starts a goroutine"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a\n"+test.source), 0o644); err != nil {
				t.Fatal(err)
			}
			faults, err := Impure(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(faults) != len(test.want) {
				t.Fatalf("found %q, want %q", faults, test.want)
			}
			for i, f := range faults {
				if !strings.HasSuffix(f, ": "+test.want[i]) {
					t.Errorf("found %q, want %q", f, test.want[i])
				}
			}
		})
	}
}
