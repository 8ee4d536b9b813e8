package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// importDesk is a desk without a site: imports ask nobody.
func importDesk(t testing.TB) desk {
	t.Helper()
	dir := t.TempDir()
	d := desk{filepath.Join(dir, "refrain.yaml"), filepath.Join(dir, "archive"), filepath.Join(dir, "state")}
	if err := os.WriteFile(d.config, fmt.Appendf(nil, "contact: desk@news.example\nstate: %q\narchive: %q\n", d.state, d.archive), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// imports runs import and gives its report of one file.
func (d desk) imports(t testing.TB, code int, args ...string) importedFile {
	t.Helper()
	out, _ := d.must(t, code, append([]string{"--json", "import"}, args...)...)
	var f importedFile
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return f
}

// views gives what the program shows of every post, as JSON.
func (d desk) views(t testing.TB) map[string]string {
	t.Helper()
	views := map[string]string{}
	for key := range d.posts(t) {
		views[key], _ = d.must(t, exitDone, "--json", "show", key)
	}
	return views
}

func size(t testing.TB, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestImport takes in a small dump: the file is kept as it is, posts point at
// their lines, the same file again changes nothing, and a corpus made anew from
// the archive alone is the same.
func TestImport(t *testing.T) {
	d := importDesk(t)
	file := filepath.Join(t.TempDir(), "dump.txt")
	var dump strings.Builder
	writeDump(&dump, 30<<10)
	dump.WriteString("{broken\n")
	if err := os.WriteFile(file, []byte(dump.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	dry := d.imports(t, exitPartly, "--dry-run", file)
	if _, err := os.Stat(d.archive); err == nil || dry.State != "dry_run" || dry.Report.Posts < 40 {
		t.Fatalf("a dry run: %+v, archive made: %v", dry, err == nil)
	}
	first := d.imports(t, exitPartly, file)
	if first.State != "imported" || first.Report.Posts != dry.Report.Posts || first.Report.Unread() != 1 {
		t.Fatalf("%+v", first)
	}
	kept, err := os.ReadFile(filepath.Join(d.archive, filepath.FromSlash(first.Object)))
	if err != nil || string(kept) != dump.String() || first.Object != "imports/"+first.SHA256+".ndjson" {
		t.Errorf("%s is not the file: %v", first.Object, err)
	}
	before, views := size(t, d.archive), d.views(t)
	if int64(len(views)) != first.Report.Posts {
		t.Errorf("%d posts are found, %d were imported", len(views), first.Report.Posts)
	}
	if again := d.imports(t, exitPartly, file); again.State != "known" || size(t, d.archive) != before {
		t.Errorf("the same file again: %s, the archive grew by %d bytes", again.State, size(t, d.archive)-before)
	}
	d.sound(t)
	d.must(t, exitDone, "rebuild")
	for key, view := range d.views(t) {
		if views[key] != view {
			t.Errorf("%s after rebuild:\n%s\nbefore:\n%s", key, view, views[key])
		}
		if !strings.Contains(view, `"import":"sha256:`+first.SHA256) {
			t.Errorf("%s does not point at the file: %s", key, view)
		}
	}
}

// TestVerifyFindsAChangedImport changes one byte of a kept file, and then takes
// the file away.
func TestVerifyFindsAChangedImport(t *testing.T) {
	d := importDesk(t)
	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, []byte("url,text\nhttps://a.example/1,hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(d.archive, filepath.FromSlash(d.imports(t, exitDone, file).Object))
	d.sound(t)
	if err := os.Chmod(kept, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, []byte("url,text\nhttps://a.example/1,hallo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := d.must(t, exitVerify, "verify"); !strings.Contains(out, "changed after its import") {
		t.Errorf("verify says\n%s", out)
	}
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	if out, _ := d.must(t, exitVerify, "verify"); !strings.Contains(out, "the file is missing; what was read from it: 1 post") || !strings.Contains(out, "a.example/1") {
		t.Errorf("verify says of a file that is not there\n%s", out)
	}
}

// TestInterruptedImportGoesOn ends an import in the middle; the second one takes
// in the rest, and each post once.
func TestInterruptedImportGoesOn(t *testing.T) {
	d := importDesk(t)
	file := filepath.Join(t.TempDir(), "dump")
	var dump strings.Builder
	writeDump(&dump, 2<<20)
	if err := os.WriteFile(file, []byte(dump.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	a := &app{streams: streams{out: io.Discard, err: io.Discard}, globals: globals{Config: d.config}}
	cfg, err := a.config()
	if err != nil {
		t.Fatal(err)
	}
	in, err := a.openIntake(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	// The context ends while the file is read: some entries behind the checksum.
	cut := &cutContext{Context: ctx, after: 30, stop: stop}
	done, err := importCmd{}.file(cut, a, in, file)
	if err := in.close(ctx); err != nil {
		t.Fatal(err)
	}
	if done.State != "interrupted" || !errors.Is(err, context.Canceled) {
		t.Fatalf("%+v, %v", done, err)
	}
	second := d.imports(t, exitDone, file)
	total := int64(strings.Count(dump.String(), "\n"))
	if second.State != "imported" || second.Report.Posts+done.Report.Posts != total || done.Report.Posts == 0 || second.Report.Posts == 0 {
		t.Errorf("%d and %d posts of %d", done.Report.Posts, second.Report.Posts, total)
	}
	if n := len(d.posts(t)); int64(n) != total {
		t.Errorf("%d posts are found of %d", n, total)
	}
	d.sound(t)
}

// A cutContext ends after it was asked that often.
type cutContext struct {
	context.Context
	after int
	stop  func()
}

func (c *cutContext) Err() error {
	if c.after--; c.after == 0 {
		c.stop()
	}
	return c.Context.Err()
}

// TestImportFilesOfOthers takes in the recorded files: each is kept, its posts
// are found, and a rebuild gives the same.
func TestImportFilesOfOthers(t *testing.T) {
	d := importDesk(t)
	for _, test := range []struct {
		file  string
		posts int64 // ids in the file, counted with grep; 0: more than none
	}{
		{"recordings/x/zeeschuimer_search_2023.ndjson", 0}, {"recordings/instagram/zeeschuimer_feed_2026.ndjson", 14}, {"recordings/tiktok/zeeschuimer_search_2023.ndjson", 96},
		{"conformance/warc/matrix/ok-cdxj.wacz", 0}, {"conformance/warc/py-wacz/valid_example_1.wacz", 0}, {"recordings/x/v2_academic_hk_tweets.json", 134},
	} {
		path := sharedtest.Path(t, test.file)
		f := d.imports(t, exitDone, path)
		if f.State != "imported" || f.Report.Posts == 0 || test.posts > 0 && f.Report.Posts < test.posts || f.Report.Unread() > 0 {
			t.Errorf("%s: %+v", test.file, f)
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(filepath.Join(d.archive, filepath.FromSlash(f.Object)))
		if err != nil || string(kept) != string(want) {
			t.Errorf("%s is not kept as it is: %v", test.file, err)
		}
	}
	d.sound(t)
	views := d.views(t)
	d.must(t, exitDone, "rebuild")
	for key, view := range d.views(t) {
		if views[key] != view {
			t.Errorf("%s differs after rebuild", key)
		}
	}
}

// TestImportRefuses says what a file is not, keeps nothing of it and goes on with
// the next.
func TestImportRefuses(t *testing.T) {
	d := importDesk(t)
	dir := t.TempDir()
	odd := filepath.Join(dir, "odd")
	if err := os.WriteFile(odd, []byte("name,age\nana,3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(dir, "good")
	if err := os.WriteFile(good, []byte("url,text\nhttps://a.example/1,hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := d.must(t, exitPartly, "import", odd, good, filepath.Join(dir, "absent"))
	for _, words := range []string{"not imported: " + odd + ": a table whose columns (name, age)", "kept as imports/", "no such file"} {
		if !strings.Contains(out, words) {
			t.Errorf("%q is missing in\n%s", words, out)
		}
	}
	d.must(t, exitFailed, "import", odd)
	d.must(t, exitUsage, "import", "--platform", "plaza", good)
}

// writeDump writes a Reddit dump of at least so many bytes.
func writeDump(w io.Writer, bytes int64) {
	b := bufio.NewWriter(w)
	defer b.Flush() //nolint:errcheck // into memory, or told by the file's Close
	for i, n := int64(0), int64(0); n < bytes; i++ {
		line := fmt.Sprintf(`{"author":"user_%d","author_fullname":"t2_%x","id":"%x","subreddit":"bridges","subreddit_id":"t5_2qh1i","created_utc":%d,"retrieved_on":%d,"score":%d,"gilded":0,"controversiality":0,"link_id":"t3_b00k","parent_id":"t1_%x","body":%q}`+"\n",
			i%5000, i%5000, i+1e9, 1546300800+i, 1556300800+i, i%100, i+1e9-1, strings.Repeat(fmt.Sprintf("The bridge number %d is old, and nobody knows who built it. ", i), int(1+i%9)))
		n += int64(len(line))
		_, _ = b.WriteString(line)
	}
}

// TestBigDumpInBoundedMemory imports a dump of 5 MB, or of 1 GB with
// REFRAIN_LONG=1, in a process of its own and looks at its peak of memory.
func TestBigDumpInBoundedMemory(t *testing.T) {
	bytes, limit := int64(5<<20), int64(100<<10)
	if os.Getenv("REFRAIN_LONG") != "" {
		bytes = 1 << 30
	}
	d := importDesk(t)
	file := filepath.Join(t.TempDir(), "RC_2019-05")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	writeDump(f, bytes)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	peak := filepath.Join(t.TempDir(), "status")
	cmd := d.command(t.Context(), "--json", "-q", "import", file)
	cmd.Env = append(os.Environ(), peakFile+"="+peak)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	var done importedFile
	if err := json.Unmarshal(out, &done); err != nil || done.State != "imported" || done.Report.Unread() != 0 {
		t.Fatalf("%s, %v", out, err)
	}
	status, err := os.ReadFile(peak)
	if err != nil {
		t.Skipf("no /proc/self/status here: %v", err)
	}
	m := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Skip("this system does not tell the peak of memory")
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil || kb > limit {
		t.Errorf("peak of memory %d kB, the limit is %d kB", kb, limit)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t.Logf("%d posts of %d MB in %s of CPU time (%.0f a second), peak of memory %d kB", done.Report.Posts, bytes>>20, cpu, float64(done.Report.Posts)/cpu.Seconds(), kb)
}
