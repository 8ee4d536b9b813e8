package index

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob/dir"
)

// TestMain ends the process at a step where TestCrash says so.
func TestMain(m *testing.M) {
	if at := os.Getenv("REFRAIN_INDEX_CRASH"); at != "" {
		name, number, _ := strings.Cut(at, "/")
		left, _ := strconv.Atoi(number)
		step = func(s string) {
			if s != name {
				return
			}
			if left--; left == 0 {
				p, err := os.FindProcess(os.Getpid())
				if err == nil {
					p.Kill() //nolint:errcheck // the test sees that nothing happened
				}
				time.Sleep(time.Minute)
			}
		}
	}
	os.Exit(m.Run())
}

// TestCrashChild is the process that TestCrash kills.
func TestCrashChild(t *testing.T) {
	if os.Getenv("REFRAIN_INDEX_CRASH") == "" {
		t.Skip("skipped: it is run by TestCrash")
	}
	store, err := dir.New(os.Getenv("REFRAIN_INDEX_ARCHIVE"))
	if err != nil {
		t.Fatal(err)
	}
	a := openArchive(t, store, archive.Options{ReadOnly: true})
	x, err := Open(t.Context(), Options{Dir: os.Getenv("REFRAIN_INDEX_DIR"), Archive: a, memory: 3000})
	if err != nil {
		t.Fatal(err)
	}
	refresh(t, x)
}

// TestCrash kills a process at each place where a crash would hurt, several times
// in a row over one folder. Whatever is left, nothing wrong is found, the next
// Update finds everything, and no file is left over.
func TestCrash(t *testing.T) {
	root := t.TempDir()
	store, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	a := openArchive(t, store, archive.Options{})
	folder := t.TempDir()
	n, crashed := 0, 0
	more := func() {
		for range 25 {
			record(t, a, fmt.Sprintf("http://example.com/%d", n), fmt.Sprint("page ", n), noon)
			n++
		}
		rotate(t, a)
	}
	random := rand.New(rand.NewPCG(5, 6))
	for round, at := range []string{"run written/1", "run written/3", "merge/1", "state written/1", "state written/4", "state renamed/2", "merge/2", "run written/8", "state renamed/5", "state written/6"} {
		for range 1 + random.IntN(4) {
			more()
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
		cmd.Env = append(os.Environ(), "REFRAIN_INDEX_CRASH="+at, "REFRAIN_INDEX_ARCHIVE="+root, "REFRAIN_INDEX_DIR="+folder)
		if out, err := cmd.CombinedOutput(); err != nil {
			crashed++
		} else if strings.Contains(string(out), "FAIL") {
			t.Fatalf("%s: %s", at, out)
		}
		x, err := Open(t.Context(), Options{Dir: folder, Archive: a, memory: 3000})
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		before := found(t, x, Query{Match: All})
		if sorted := slices.Compact(slices.Sorted(slices.Values(before))); len(sorted) != len(before) {
			t.Errorf("%s: lines are there twice", at)
		}
		if round%2 == 1 {
			refresh(t, x)
			if got := found(t, x, Query{Match: All}); len(got) != n {
				t.Errorf("%s: %d lines after the update, want %d", at, len(got), n)
			}
			names, err := filepath.Glob(filepath.Join(folder, "*"))
			if err != nil {
				t.Fatal(err)
			}
			if want := len(x.state.Runs) + 2; len(names) != want {
				t.Errorf("%s: %d files, want %d: %v", at, len(names), want, names)
			}
		}
		x.Close()
	}
	if crashed < 5 {
		t.Errorf("the process was killed %d times only", crashed)
	}
}
