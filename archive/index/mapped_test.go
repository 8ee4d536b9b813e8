//go:build unix

package index

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestCutWhileOpen cuts a run that is open, as a failing disk would: a look-up is
// an error, not the end of the process, and the index is made anew. Mapped into
// memory and read give the same.
func TestCutWhileOpen(t *testing.T) {
	for _, mapped := range []bool{true, false} {
		x := benchIndex(t, 3000)
		r := x.runs()[0]
		if r.mapped == nil {
			t.Fatal("the run is not mapped into memory")
		}
		if !mapped {
			unmapFile(r.mapped)
			r.mapped = nil
		}
		if e := one(t, x, Query{Digest: benchDigest(2999)}); e.URL != benchURL(2999) {
			t.Fatalf("found %s", e.URL)
		}
		name := filepath.Join(x.opts.Dir, r.name)
		if err := os.Truncate(name, 4096); err != nil {
			t.Fatal(err)
		}
		for _, q := range []Query{{URL: benchURL(2999)}, {Digest: benchDigest(2999)}, {Match: All}} {
			var last error
			for _, err := range x.Find(t.Context(), q) {
				last = err
			}
			if !errors.Is(last, errCorrupt) {
				t.Errorf("mapped %v: %+v: %v", mapped, q, last)
			}
		}
		x.mu.Lock()
		broken := x.broken
		x.mu.Unlock()
		if !broken {
			t.Errorf("mapped %v: the index is not made anew", mapped)
		}
	}
}
