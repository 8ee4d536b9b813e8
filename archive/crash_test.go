package archive_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/internal/fsys/fsystest"
	"github.com/refrain-archive/refrain/post"
)

// crashes is how many power cuts and kills are tried: REFRAIN_CRASHES, 10 without it.
func crashes(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("REFRAIN_CRASHES"))
	if err != nil {
		if os.Getenv("REFRAIN_CRASHES") != "" {
			t.Fatalf("REFRAIN_CRASHES: %v", err)
		}
		return 10
	}
	return n
}

// The power is cut at random moments of an archive's life, also while it
// recovers from the cut before. After each of them every file is valid and
// nothing that Sync acknowledged is missing.
func TestPowerCut(t *testing.T) {
	total := crashes(t)
	seeds := rand.New(rand.NewPCG(20261123, 0))
	for done := 0; done < total; {
		seed := seeds.Uint64()
		rng := rand.New(rand.NewPCG(seed, 2))
		files := fsystest.New(seed)
		var acks []ack
		// Up to five cuts of one archive, then a look at what is there.
		for range min(1+rng.IntN(5), total-done) {
			files.CutAfter(1 + rng.IntN(200))
			acks = append(acks, liveUntilCut(t, files, rng, done)...)
			files = files.Restart()
			done++
		}
		store, err := dir.NewFS(files, "/archive")
		if err != nil {
			t.Fatal(err)
		}
		a, err := archive.Open(t.Context(), store, archive.Options{Worker: "w"})
		if err != nil {
			t.Fatalf("seed %d: open after the power cut: %v", seed, err)
		}
		err = a.Rotate(t.Context())
		for _, r := range a.Recovered() {
			err = errors.Join(err, r.Err)
		}
		err = errors.Join(err, checkAcks(t.Context(), a, acks), checkArchive(t.Context(), a), a.Close(t.Context()))
		if err != nil {
			t.Fatalf("seed %d: after the power cut, with %d acknowledged: %v\nfiles %s", seed, len(acks), err, strings.Join(files.Files(), "\n"))
		}
		for _, name := range files.Files() {
			if strings.HasSuffix(name, ".open") || strings.HasSuffix(name, ".lock") || strings.HasSuffix(name, ".cdxj.tmp") {
				t.Fatalf("seed %d: %s is left over", seed, name)
			}
		}
	}
}

// liveUntilCut writes with three goroutines until the power is cut, and gives
// what was acknowledged.
func liveUntilCut(t *testing.T, files *fsystest.FS, rng *rand.Rand, run int) []ack {
	store, err := dir.NewFS(files, "/archive")
	if err != nil {
		return nil // cut before it began
	}
	a, err := archive.Open(t.Context(), store, archive.Options{Worker: "w", MaxSize: 1 << (12 + rng.IntN(6)), MinRevisit: 1})
	if err != nil {
		if !files.IsCut() {
			t.Fatalf("open: %v", err)
		}
		return nil
	}
	var mu sync.Mutex
	var acks []ack
	var wg sync.WaitGroup
	for i := range 3 {
		own := rand.New(rand.NewPCG(rng.Uint64(), 3))
		wg.Go(func() {
			err := writeRandom(t.Context(), a, own, fmt.Sprintf("r%d-%d", run, i), func(k ack) {
				mu.Lock()
				defer mu.Unlock()
				acks = append(acks, k)
			})
			if !files.IsCut() {
				t.Errorf("an error before the power was cut: %v", err)
				files.CutAfter(1)
			}
		})
	}
	wg.Wait()
	_ = a.Close(t.Context()) // nothing can be done without power
	return acks
}

// The disk fills up: a clear error, nothing that was acknowledged is lost, and
// with room again the next start finishes the segment.
func TestDiskFull(t *testing.T) {
	for room := int64(0); room < 40_000; room += 1777 {
		files := fsystest.New(uint64(room))
		store, err := dir.NewFS(files, "/archive")
		if err != nil {
			t.Fatal(err)
		}
		a, err := archive.Open(t.Context(), store, archive.Options{Worker: "w"})
		if err != nil {
			t.Fatal(err)
		}
		files.SetRoom(room)
		var acks []ack
		err = writeRandom(t.Context(), a, rand.New(rand.NewPCG(uint64(room), 4)), "full", func(k ack) { acks = append(acks, k) })
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "what was reported saved is safe") {
			t.Fatalf("room for %d bytes: %v, want no space left and what to do", room, err)
		}
		if err := a.Sync(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Sync after the disk was full: %v", err)
		}
		if _, err := a.Record(t.Context(), exchange("https://plaza.example/x", "text/html", "x")); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Record after the disk was full: %v", err)
		}
		if err := a.Close(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Close after the disk was full: %v", err)
		}
		// Still full: the archive opens, says what it cannot do, and is read.
		a, err = archive.Open(t.Context(), store, archive.Options{Worker: "w"})
		if err != nil {
			t.Fatal(err)
		}
		if err := checkAcks(t.Context(), a, acks); err != nil {
			t.Errorf("room for %d bytes, still full: %v", room, err)
		}
		_ = a.Close(t.Context())
		files.SetRoom(-1)
		a, err = archive.Open(t.Context(), store, archive.Options{Worker: "w"})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(a.Rotate(t.Context()), checkAcks(t.Context(), a, acks), checkArchive(t.Context(), a), a.Close(t.Context())); err != nil {
			t.Fatalf("room for %d bytes, then enough: %v", room, err)
		}
	}
}

// childDir makes the test program a process that writes until it is killed.
const childDir = "REFRAIN_TEST_CHILD"

func TestMain(m *testing.M) {
	if root := os.Getenv(childDir); root != "" {
		child(root)
	}
	os.Exit(m.Run())
}

// child writes random records into the archive at root and prints a line for
// each that is saved.
func child(root string) {
	store, err := dir.New(root)
	if err != nil {
		panic(err)
	}
	a, err := archive.Open(context.Background(), store, archive.Options{MaxSize: 64 << 10})
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			err := writeRandom(context.Background(), a, rand.New(rand.NewPCG(rand.Uint64(), 5)), fmt.Sprintf("%d-%d", os.Getpid(), i), func(k ack) {
				mu.Lock()
				defer mu.Unlock()
				if err := out.Encode(k); err != nil {
					panic(err)
				}
			})
			panic(err)
		})
	}
	wg.Wait()
}

// A process is killed with kill -9 at random moments, again and again on the
// same archive. After each start nothing that it reported saved is missing.
func TestKill9(t *testing.T) {
	root := filepath.Join(t.TempDir(), "archive")
	rng := rand.New(rand.NewPCG(20261123, 6))
	var all []ack
	for n := range crashes(t) {
		all = append(all, runAndKill(t, root, rng)...)
		store, err := dir.New(root)
		if err != nil {
			t.Fatal(err)
		}
		a, err := archive.Open(t.Context(), store, archive.Options{})
		if err != nil {
			t.Fatalf("kill %d: %v", n, err)
		}
		err = a.Rotate(t.Context())
		for _, r := range a.Recovered() {
			err = errors.Join(err, r.Err)
		}
		if err = errors.Join(err, checkArchive(t.Context(), a), checkAcks(t.Context(), a, all), a.Close(t.Context())); err != nil {
			t.Fatalf("kill %d: %v", n, err)
		}
		if n%20 == 19 { // what was checked twenty times need not be checked forever
			root, all = filepath.Join(t.TempDir(), "archive"), nil
		}
	}
}

func runAndKill(t *testing.T, root string, rng *rand.Rand) []ack {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(program)
	process.Env = append(os.Environ(), childDir+"="+root)
	process.Stderr = os.Stderr
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	var acks []ack
	stop := rng.IntN(60) // acknowledgements, and then a moment
	moment := time.Duration(rng.IntN(3000)) * time.Microsecond
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var k ack
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			break // cut by the kill
		}
		acks = append(acks, k)
		if len(acks) == stop+1 {
			time.AfterFunc(moment, func() { _ = process.Process.Kill() })
		}
	}
	_ = process.Wait() // says that it was killed
	if len(acks) <= stop {
		t.Fatalf("the process ended by itself after %d records", len(acks))
	}
	return acks
}

// A torn end of an open segment is cut and kept aside; the report says so.
func TestTornEnd(t *testing.T) {
	store := folder(t)
	a := mustOpen(t, store, archive.Options{})
	c := record(t, a, exchange("https://plaza.example/a", "text/html", "x"))
	if err := a.WritePosts(t.Context(), []post.Post{samplePost("1", c)}); err != nil {
		t.Fatal(err)
	}
	if err := a.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What a killed process leaves: the same files under another archive's root.
	dead := folder(t)
	name, _, _ := archive.ParseName(c.File)
	for key, from := range map[string]string{
		"refrain.json":                                 store.Path("refrain.json"),
		name.Key(archive.WARCEnding) + ".open":         store.Path(name.Key(archive.WARCEnding)) + ".open",
		name.Key(archive.PostsEnding) + ".open":        "",
		".work/" + string(name) + ".lock":              "",
		".work/refrain-20200101000000000-00001-w.lock": "", // begun, and nothing written
	} {
		var data []byte
		if from != "" {
			var err error
			if data, err = os.ReadFile(from); err != nil {
				t.Fatal(err)
			}
		}
		if strings.HasSuffix(key, ".warc.gz.open") {
			data = append(data, data[:100]...) // half of a record
		}
		path := filepath.Join(dead.Root(), filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var told []archive.Finished
	b := mustOpen(t, dead, archive.Options{Finished: func(_ context.Context, f archive.Finished) error { told = append(told, f); return nil }})
	if err := b.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := b.Recovered()
	if len(r) != 2 || !r[0].Empty || r[1].Name != name || r[1].Records != 5 || r[1].Posts != 1 || r[1].Cut != 100 || r[1].Why == "" || r[1].Err != nil {
		t.Errorf("recovered: %+v", r)
	}
	if aside, err := os.ReadFile(r[1].Aside); err != nil || len(aside) != 100 {
		t.Errorf("kept aside: %d bytes, %v", len(aside), err)
	}
	if s := r[1].String(); !strings.Contains(s, "finished with 5 records; 100 bytes of a torn record") {
		t.Errorf("the report says %q", s)
	}
	if len(told) != 1 || told[0].Recovered == nil || told[0].Recovered.Cut != 100 {
		t.Errorf("told of %+v", told)
	}
	if err := checkArchive(t.Context(), b); err != nil {
		t.Error(err)
	}
	if again := mustOpen(t, dead, archive.Options{}).Recovered(); len(again) != 0 {
		t.Errorf("recovered a second time: %v", again)
	}
}
