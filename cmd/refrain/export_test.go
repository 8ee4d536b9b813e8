package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/archive/capture"
	"github.com/refrain-archive/refrain/archive/export"
	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/s3test"
	"github.com/refrain-archive/refrain/post"
)

// extracted gives the words of the posts that extract reads from a file, by
// their key.
func (d desk) extracted(t testing.TB, file string) map[string]string {
	t.Helper()
	out, _ := d.must(t, exitDone, "extract", file)
	found := map[string]string{}
	for line := range strings.Lines(out) {
		_, p, err := crawlers.ParseLine([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if p != nil {
			found[p.Key()] = p.Title + "\n" + p.Text
		}
	}
	return found
}

func openWACZ(t testing.TB, name string) *wacz.File {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	w, err := wacz.Open(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func exportReport(t testing.TB, out string) *export.Report {
	t.Helper()
	var done exported
	if err := json.Unmarshal([]byte(out), &done); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return done.WACZ
}

// All of an archive as a package: it verifies, gives the same posts when it is
// extracted and when it is imported elsewhere, holds each payload that the
// archive holds, and its pages are listed by readers of others.
func TestExportAll(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "segment: {max_size: 60KB}\n")
	d.must(t, exitDone, collectArgs(world)...)
	// Once more, so that what did not change is there a second time.
	d.must(t, exitDone, collectArgs(world)...)
	name := filepath.Join(t.TempDir(), "all.wacz")
	out, _ := d.must(t, exitDone, "--json", "export", "--wacz", name, "--all")
	r := exportReport(t, out)
	want := d.posts(t)
	if r.Posts != int64(len(want)) || r.Pages != r.Posts || r.Media == 0 || len(r.Problems) > 0 {
		t.Errorf("of %d posts: %s", len(want), out)
	}
	verified, _ := d.must(t, exitDone, "--json", "verify", name)
	if !strings.Contains(verified, `"verdict":"sound"`) {
		t.Errorf("the package is not sound: %s", verified)
	}
	// What a page shows of a post may be less than another shows: compare keys.
	have := d.extracted(t, name)
	for key := range want {
		if _, ok := have[key]; !ok {
			t.Errorf("extract does not find %s", key)
		}
	}
	other := newDesk(t, s, "")
	other.must(t, exitDone, "import", name)
	compare(t, "imported elsewhere", other.posts(t), want)

	titles := map[string]bool{}
	for p, err := range openWACZ(t, name).Pages() {
		if err != nil {
			t.Fatal(err)
		}
		titles[p.Post] = true
	}
	for key := range want {
		if !titles[key] {
			t.Errorf("no page is listed for %s", key)
		}
	}
}

// A selection holds what was selected, and nothing of other accounts' own pages.
func TestExportSelection(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "")
	d.must(t, exitDone, collectArgs(world)...)
	dir := t.TempDir()

	// By query.
	byQuery := filepath.Join(dir, "query.wacz")
	out, _ := d.must(t, exitDone, "--json", "export", "--wacz", byQuery, "platform:tumblr")
	r := exportReport(t, out)
	want := map[string]bool{}
	for key := range d.posts(t) {
		if strings.HasPrefix(key, "tumblr:") {
			want[key] = true
		}
	}
	if int(r.Posts) != len(want) || len(want) == 0 {
		t.Fatalf("%d posts, want %d", r.Posts, len(want))
	}
	w := openWACZ(t, byQuery)
	for p, err := range w.Pages() {
		if err != nil {
			t.Fatal(err)
		}
		if p.Post != "" && !want[p.Post] {
			t.Errorf("a page for %s, which was not selected", p.Post)
		}
		if strings.Contains(p.URL, "reddit.com") {
			t.Errorf("a page of another platform: %s", p.URL)
		}
	}
	d.must(t, exitDone, "verify", byQuery)

	// By a list of one post and one account, and the same as arguments.
	var key string
	for key = range want {
		break
	}
	list := filepath.Join(dir, "posts.txt")
	if err := os.WriteFile(list, []byte("# the case\n"+key+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	byList := filepath.Join(dir, "list.wacz")
	if r := exportReport(t, first(d.must(t, exitDone, "--json", "export", "--wacz", byList, "--list", list))); r.Posts != 1 || r.Observations == 0 {
		t.Errorf("a list of one post gives %d posts, %d observations", r.Posts, r.Observations)
	}
	d.must(t, exitDone, "verify", byList)
	if _, ok := d.extracted(t, byList)[key]; !ok {
		t.Errorf("the package of %s does not hold it", key)
	}
	d.must(t, exitUsage, "export", "--wacz", filepath.Join(dir, "none.wacz"), "tumblr:nobody-knows-it")
	d.must(t, exitUsage, "export", "--wacz", byList, key)  // is there
	d.must(t, exitUsage, "export", key)                    // writes nothing
	d.must(t, exitUsage, "export", "--wacz", list+".wacz") // selects nothing
	d.must(t, exitFailed, "export", "--wacz", list+".wacz", "no-post-says-this")
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 3 {
		t.Errorf("files %v, %v", left, err)
	}
}

func first(s, _ string) string { return s }

// Tables hold each post once, with its words.
func TestExportTables(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "")
	d.must(t, exitDone, collectArgs(world)...)
	dir := t.TempDir()
	want := d.posts(t)
	d.must(t, exitDone, "export", "--jsonl", filepath.Join(dir, "a.jsonl"), "--csv", filepath.Join(dir, "a.csv"), "--bom", "--all")
	data, err := os.ReadFile(filepath.Join(dir, "a.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for line := range bytes.Lines(data) {
		var h corpus.Hit
		var p export.Post
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		h.Post = p.Post
		if p.FirstSeen.IsZero() || p.Standing == "" {
			t.Errorf("%s: %s", p.Key(), line)
		}
		have[p.Key()] = h.Post.Title + "\n" + h.Post.Text
	}
	compare(t, "the JSON lines", have, want)
	if data, err = os.ReadFile(filepath.Join(dir, "a.csv")); err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(string(data), "\ufeff")
	if !ok {
		t.Error("no byte order mark")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	have = map[string]string{}
	for _, row := range rows[1:] {
		have[row[column["key"]]] = strings.TrimPrefix(row[column["title"]], "'") + "\n" + strings.TrimPrefix(row[column["text"]], "'")
	}
	compare(t, "the table", have, want)
	out, _ := d.must(t, exitDone, "-q", "export", "--csv", "-", "platform:tumblr")
	if !strings.HasPrefix(out, "key,platform,") {
		t.Errorf("to standard output: %.100s", out)
	}
}

// From a bucket comes the same package as from a folder, but for the names of
// segments.
func TestExportFromBucket(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, s3Config(server, "s3://"+server.Bucket+"/export", server.SecretKey, 0)+"segment: {max_size: 60KB}\n")
	d.must(t, exitDone, collectArgs(world)...)
	name := filepath.Join(t.TempDir(), "bucket.wacz")
	r := exportReport(t, first(d.must(t, exitDone, "--json", "export", "--wacz", name, "--all")))
	if want := d.posts(t); int(r.Posts) != len(want) || int(r.Pages) != len(want) {
		t.Errorf("%d posts and %d pages, want %d", r.Posts, r.Pages, len(want))
	}
	d.must(t, exitDone, "verify", name)
}

// A damaged record is left out and named; the rest is a package all the same.
func TestExportDamaged(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "")
	d.must(t, exitDone, collectArgs(world)...)
	d.posts(t)
	var at int64
	var file, id string
	for ex, err := range d.open(t).Captures(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(ex.URL, "tumblr.com") && !strings.HasSuffix(ex.URL, "robots.txt") {
			at, file, id = ex.Capture.Offset, ex.Capture.File, ex.Capture.RecordID
		}
	}
	found, err := filepath.Glob(filepath.Join(d.archive, "segments/*/*/*", file))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	data[at+200] ^= 1
	if err := os.Chmod(found[0], 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(found[0], data, 0o666); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "rest.wacz")
	out, _ := d.must(t, exitPartly, "export", "--wacz", name, "--all")
	if !strings.Contains(out, fmt.Sprintf("missing: %s at offset %d", file, at)) {
		t.Errorf("the damaged record %s at %d of %s is not named:\n%s", id, at, file, out)
	}
	report, err := openWACZ(t, name).ReadFile(export.ReportName, 1<<20)
	if err != nil || !strings.Contains(string(report), `"reason"`) {
		t.Errorf("the package does not say what it lacks: %v, %s", err, report)
	}
	// What belonged to the lost record stays, and says so.
	out, _ = d.must(t, exitDone, "verify", name)
	if !strings.Contains(out, "sound with remarks") {
		t.Errorf("%s", out)
	}
}

// What stands on a list of hashes is not in the package, and the package says so.
func TestExportWithheld(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	dir := t.TempDir()
	list := filepath.Join(dir, "known.txt")
	d := newDesk(t, s, "blocklists: ["+list+"]\n")
	if err := os.WriteFile(list, []byte("# name: Hotline\nsha256:"+strings.Repeat("0", 64)+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	d.must(t, exitDone, collectArgs(world)...)
	digest, url := "", ""
	for ex, err := range d.open(t).Captures(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if ex.Response != nil && bytes.Contains(ex.Block, []byte("Content-Type: image/")) && !bytes.Contains(ex.Block, []byte("Content-Encoding")) {
			digest, url = ex.Capture.PayloadDigest, ex.URL
		}
	}
	if digest == "" {
		t.Fatal("no picture was captured")
	}
	if err := os.WriteFile(list, []byte("# name: Hotline\n"+digest+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for i, what := range [][]string{{"--all"}, {"platform:blogspot,livejournal,medium,reddit,tumblr,web"}} {
		name := filepath.Join(dir, fmt.Sprintf("%d.wacz", i))
		out, _ := d.must(t, exitDone, append([]string{"--json", "export", "--wacz", name}, what...)...)
		r := exportReport(t, out)
		if len(r.Withheld) == 0 || r.Withheld[0].List != "Hotline" || r.Withheld[0].PayloadDigest != digest {
			t.Fatalf("%v: %s is not withheld: %s", what, url, out)
		}
		f := openWACZ(t, name)
		for _, w := range f.WARCs() {
			section, err := f.Section(w)
			if err != nil {
				t.Fatal(err)
			}
			records, err := warc.NewReader(section)
			if err != nil {
				t.Fatal(err)
			}
			tombs := 0
			for {
				rec, err := records.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if rec.Header.Type() == "response" && rec.Header.Get("WARC-Payload-Digest") == digest {
					t.Errorf("%v: record %s has the payload", what, rec.ID())
				}
				if rec.Header.Type() == "metadata" && rec.Header.Get("WARC-Concurrent-To") == "" {
					tombs++
				}
			}
			if tombs < len(r.Withheld) {
				t.Errorf("%v: %d records stand for %d that were withheld", what, tombs, len(r.Withheld))
			}
		}
		d.must(t, exitDone, "verify", name)
	}
	if err := os.WriteFile(list, []byte("sha256:12\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	d.must(t, exitUsage, "export", "--wacz", filepath.Join(dir, "none.wacz"), "--all")
	d.must(t, exitUsage, "export", "--csv", filepath.Join(dir, "none.csv"), "--all")
}

// message is the block of an HTTP message without interim answers.
func message(head string, body []byte) capture.Block {
	whole := append([]byte(head), body...)
	sum := sha256.Sum256(whole)
	return capture.Block{ReaderAt: bytes.NewReader(whole), Size: int64(len(whole)), Head: int64(len(head)), SHA256: sum, FinalSHA256: sum, PayloadSHA256: sha256.Sum256(body), PayloadSize: int64(len(body))}
}

// largeArchive makes an archive of so many bytes: pages of 20 kB with three posts
// each, and a picture of 200 kB beside every fourth, some of them over again.
func largeArchive(t testing.TB, d desk, size int64) {
	t.Helper()
	store, err := dir.New(d.archive)
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(t.Context(), store, archive.Options{MaxSize: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	noise := rand.NewChaCha8([32]byte{1})
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	record := func(n int, url, kind string, body []byte) post.Capture {
		at := start.Add(time.Duration(n) * time.Second)
		c, err := a.Record(t.Context(), &capture.Exchange{URL: url, Method: "GET", Status: 200, ContentType: kind, Started: at, Ended: at,
			Request:  message("GET / HTTP/1.1\r\nHost: large.example\r\n\r\n", nil),
			Response: message(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", kind, len(body)), body)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	written := int64(0)
	picture := make([]byte, 200<<10)
	for n := 0; written < size; n++ {
		var html bytes.Buffer
		fmt.Fprintf(&html, "<!DOCTYPE html><title>Page %d</title>", n)
		text := make([]byte, 15<<10)
		noise.Read(text)
		fmt.Fprintf(&html, "<p>%x", text)
		url := fmt.Sprintf("https://large.example/%d", n)
		c := record(n, url, "text/html", html.Bytes())
		written += 20 << 10
		var posts []post.Post
		for i := range 3 {
			p := post.Post{Platform: "web", ID: fmt.Sprintf("large.example/%d#%d", n, i), Kind: post.KindPage, URL: fmt.Sprintf("%s#%d", url, i), Text: fmt.Sprintf("Post %d of page %d. %x", i, n, text[:400]), FetchedAt: start.Add(time.Duration(n) * time.Second), Outcome: post.OK, Capture: c, Reader: "web/1",
				Account: post.Account{Platform: "web", Handle: fmt.Sprintf("author-%d", n%50)}}
			if n%4 == 0 {
				p.Media = []post.Media{{Kind: post.MediaImage, URL: fmt.Sprintf("https://large.example/%d.jpg", n)}}
			}
			posts = append(posts, p)
		}
		line := crawlers.Line{Type: crawlers.LinePage, URL: url, Status: 200, Platform: "web", Outcome: post.OK, Posts: 3, Next: []crawlers.NextLine{}, Identities: []crawlers.Identity{}, Assets: []crawlers.Asset{}, FetchedAt: posts[0].FetchedAt, Capture: c, Reader: "web/1"}
		if _, err := a.WritePage(t.Context(), line, line.FetchedAt, c, posts); err != nil {
			t.Fatal(err)
		}
		if n%4 == 0 {
			if n%16 != 12 { // else the same bytes again: a revisit
				noise.Read(picture)
				written += int64(len(picture))
			}
			record(n, fmt.Sprintf("https://large.example/%d.jpg", n), "image/jpeg", picture)
		}
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// An export takes no more memory for a large archive than for a small one. It
// runs, on 1 GB with REFRAIN_LONG=1, in a process of its own whose peak of memory
// is looked at.
func TestExportMemory(t *testing.T) {
	t.Parallel()
	// Small archives are told apart from large ones less sharply: a machine that is
	// busy collects garbage late.
	size, limit := int64(30<<20), 80<<10
	if os.Getenv("REFRAIN_LONG") != "" {
		size, limit = 1<<30, 64<<10
	}
	d := newDesk(t, serveHandler(t, http.NotFoundHandler(), func() {}), "")
	largeArchive(t, d, size)
	d.must(t, exitDone, "index")
	for _, what := range [][]string{{"--all"}, {"platform:web"}} {
		name := filepath.Join(t.TempDir(), "large.wacz")
		peak := filepath.Join(t.TempDir(), "status")
		cmd := d.command(t.Context(), append([]string{"export", "--wacz", name}, what...)...)
		cmd.Env = append(os.Environ(), peakFile+"="+peak)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		info, err := os.Stat(name)
		if err != nil || info.Size() < size*9/10 {
			t.Fatalf("the package has %d bytes of %d, %v", info.Size(), size, err)
		}
		status, err := os.ReadFile(peak)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, ok := strings.Cut(string(status), "VmHWM:")
		if !ok {
			t.Skip("this system does not tell the peak of memory")
		}
		kib, err := strconv.Atoi(strings.TrimSpace(strings.Split(rest, "kB")[0]))
		if err != nil {
			t.Fatal(err)
		}
		usage := cmd.ProcessState
		t.Logf("%v: %d MB, peak %d MiB, %s of CPU time\n%s", what, info.Size()>>20, kib>>10, usage.UserTime()+usage.SystemTime(), out)
		if kib > limit {
			t.Errorf("%v: the export of %d MB took %d MiB of memory, the limit is %d", what, info.Size()>>20, kib>>10, limit>>10)
		}
	}
}

// A narrative is exported by its id, its name, or a post that is in it; with its
// posts and no others.
func TestExportNarrative(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	d := newDesk(t, serve(t, world), "")
	d.must(t, exitDone, collectArgs(world)...)
	out, _ := d.must(t, exitDone, "--json", "narratives", "-n", "1")
	var n struct {
		ID    string `json:"id"`
		Posts int    `json:"posts"`
	}
	if err := json.Unmarshal([]byte(out), &n); err != nil || n.Posts < 2 {
		t.Fatalf("%v: %s", err, out)
	}
	d.must(t, exitDone, "narratives", n.ID, "--name", "the refrain")
	dir := t.TempDir()
	var want []string
	for i, words := range []string{n.ID, "the refrain", ""} {
		if words == "" {
			words = want[len(want)-1]
		}
		name := filepath.Join(dir, fmt.Sprint(i))
		out, _ := d.must(t, exitDone, "--json", "export", "--wacz", name+".wacz", "--jsonl", name+".jsonl", "--csv", name+".csv", "--narrative", words)
		var done exported
		if err := json.Unmarshal([]byte(out), &done); err != nil {
			t.Fatal(err)
		}
		if done.WACZ.Posts != int64(n.Posts) || done.JSONL.Posts != int64(n.Posts) || done.CSV.Posts != int64(n.Posts) || !strings.Contains(done.WACZ.Selection, n.ID) || !strings.Contains(done.WACZ.Selection, "the refrain") {
			t.Errorf("%s: %s, want %d posts", words, out, n.Posts)
		}
		lines, err := os.ReadFile(name + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for line := range strings.Lines(string(lines)) {
			var p post.Post
			if err := json.Unmarshal([]byte(line), &p); err != nil {
				t.Fatal(err)
			}
			keys = append(keys, p.Key())
		}
		if i > 0 && strings.Join(keys, " ") != strings.Join(want, " ") {
			t.Errorf("%s gives %v, the id %v", words, keys, want)
		}
		want = keys
	}
	extracted := d.extracted(t, filepath.Join(dir, "0.wacz"))
	for _, key := range want {
		if _, ok := extracted[key]; !ok {
			t.Errorf("%s is not in the package", key)
		}
	}
	d.must(t, exitUsage, "export", "--jsonl", filepath.Join(dir, "no.jsonl"), "--narrative", "zzzzzz")
	d.must(t, exitUsage, "export", "--jsonl", filepath.Join(dir, "no.jsonl"), "--narrative", n.ID, "--since", "2026-01-01")
}
