package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/demoweb"
)

// peakFile names a variable with the path of a file into which the program
// under test writes its greatest resident memory before it ends (Linux).
const peakFile = "REFRAIN_TEST_PEAK"

// TestMain lets the test program be refrain when it is called by that name:
// scripts and child processes run it as users do.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"refrain": func() {
		code := program()
		if path := os.Getenv(peakFile); path != "" {
			status, err := os.ReadFile("/proc/self/status")
			if err == nil {
				err = os.WriteFile(path, status, 0o666)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "write the peak of memory:", err)
			}
		}
		os.Exit(code)
	}})
}

// A site is the made-up web with a log of every request.
type site struct {
	web *httptest.Server

	mu   sync.Mutex
	hits []hit
	hook func(n int, address string) // called with the number of the request, before it is answered
}

// A hit is one request that arrived.
type hit struct {
	address, agent string
}

// tinyWorld is small enough that a collection of it takes a fraction of a second.
func tinyWorld() *demoweb.World {
	return demoweb.NewWorld(1, demoweb.Size{Ordinary: 1, Operation: 1, Posts: 3})
}

// serve puts a world on loopback, until the test ends.
func serve(t testing.TB, world *demoweb.World) *site {
	t.Helper()
	inner, err := demoweb.Start(t.Context(), world)
	if err != nil {
		t.Fatal(err)
	}
	return serveHandler(t, inner, func() { _ = inner.Close() })
}

func serveHandler(t testing.TB, inner http.Handler, ended func()) *site {
	s := &site{}
	s.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := "https://" + r.Host + r.RequestURI
		s.mu.Lock()
		s.hits = append(s.hits, hit{address, r.UserAgent()})
		n, hook := len(s.hits), s.hook
		s.mu.Unlock()
		if hook != nil {
			hook(n, address)
		}
		if r.URL.Path == "/robots.txt" {
			// As the made-up web's own, without its Crawl-delay of a second.
			_, _ = io.WriteString(w, "User-agent: *\nDisallow: /login\n")
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		s.web.CloseClientConnections()
		s.web.Close()
		ended()
	})
	return s
}

// requests is how many requests arrived so far.
func (s *site) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hits)
}

// log gives the addresses asked since the first from requests.
func (s *site) log(from int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, h := range s.hits[from:] {
		list = append(list, h.address)
	}
	return list
}

// logOf gives the addresses that a program with these words in its User-Agent
// asked for.
func (s *site) logOf(agent string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, h := range s.hits {
		if strings.Contains(h.agent, agent) {
			list = append(list, h.address)
		}
	}
	return list
}

// before sets what happens before a request is answered; nil is nothing.
func (s *site) before(hook func(n int, address string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// A desk is one user's configuration file, archive and state.
type desk struct {
	config, archive, state string
}

// newDesk writes a configuration that sends every host to the site. more is
// added to it.
func newDesk(t testing.TB, s *site, more string) desk {
	t.Helper()
	dir := t.TempDir()
	d := desk{filepath.Join(dir, "refrain.yaml"), filepath.Join(dir, "archive"), filepath.Join(dir, "state")}
	text := fmt.Sprintf("contact: desk@news.example\nstate: %q\n", d.state)
	if !strings.Contains(more, "archive:") {
		text += fmt.Sprintf("archive: %q\n", d.archive)
	}
	if !strings.Contains(more, "crawl:") {
		text += "crawl: {pace: {\"*\": 1ms}}\n"
	}
	text += more + "\norigins:\n"
	for _, host := range demoweb.Hosts() {
		text += fmt.Sprintf("  %q: %q\n", host, s.web.URL)
	}
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// run runs the program in this process and gives its exit code and output.
func (d desk) run(t testing.TB, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), append([]string{"--config", d.config}, args...), streams{in: strings.NewReader(""), out: &o, err: &e})
	return code, o.String(), e.String()
}

// must runs the program and fails the test unless it ends with code.
func (d desk) must(t testing.TB, code int, args ...string) (out, errs string) {
	t.Helper()
	got, out, errs := d.run(t, args...)
	if got != code {
		t.Fatalf("refrain %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, errs)
	}
	return out, errs
}

// command is the program as a process of its own.
func (d desk) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "refrain", append([]string{"--config", d.config}, args...)...)
}

// collectArgs asks for everything of a world that is there for a visitor, so
// that an undisturbed run ends with exit code 0.
func collectArgs(world *demoweb.World, more ...string) []string {
	args := append([]string{"--verbose", "collect", "--comments", "--media"}, more...)
	for _, a := range world.Accounts {
		switch a.Platform {
		case demoweb.Blogspot, demoweb.LiveJournal, demoweb.Medium, demoweb.Reddit, demoweb.Tumblr:
		default:
			continue // platforms with walls of their own are tested beside their collectors
		}
		if a.State == "" {
			args = append(args, a.URL())
		}
	}
	return append(args, "https://www.reddit.com/r/lanmouth/", "https://harbour-times.example/")
}

// posts gives every post that the search finds, with its words, by its key.
func (d desk) posts(t testing.TB) map[string]string {
	t.Helper()
	out, _ := d.must(t, exitDone, "--json", "search", "-n", "0")
	found := map[string]string{}
	for line := range strings.Lines(out) {
		var h corpus.Hit
		if err := json.Unmarshal([]byte(line), &h); err != nil {
			t.Fatal(err)
		}
		found[h.Post.Key()] = h.Post.Title + "\n" + h.Post.Text
	}
	if len(found) == 0 {
		t.Fatal("the search finds no post")
	}
	return found
}

// open opens the archive of a desk for reading.
func (d desk) open(t testing.TB) *archive.Archive {
	t.Helper()
	a := &app{streams: streams{err: os.Stderr}, globals: globals{Config: d.config}}
	cfg, err := a.config()
	if err != nil {
		t.Fatal(err)
	}
	arch, err := a.openArchive(t.Context(), cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	return arch
}

// captures gives "URL digest" of every payload that the archive has, with how
// often, robots.txt left out. A payload that came before may be a revisit: its
// digest is the same.
func (d desk) captures(t testing.TB) map[string]int {
	t.Helper()
	found := map[string]int{}
	for ex, err := range d.open(t).Captures(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(ex.URL, "/robots.txt") {
			found[ex.URL+" "+ex.Capture.PayloadDigest]++
		}
	}
	return found
}

// outcomes gives "URL outcome digest" of every fetch as the posts files tell it,
// with how often.
func (d desk) outcomes(t testing.TB) map[string]int {
	t.Helper()
	arch := d.open(t)
	found := map[string]int{}
	for s, err := range arch.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for line, err := range arch.Posts(t.Context(), s.Name) {
			if err != nil {
				t.Fatalf("segment %s: %v", s.Name, err)
			}
			if line.Page == nil {
				continue
			}
			page, _, err := crawlers.ParseLine(line.Page)
			if err != nil {
				t.Fatal(err)
			}
			if page != nil {
				found[fmt.Sprint(page.URL, " ", page.Outcome, " ", page.Capture.PayloadDigest)]++
			}
		}
	}
	return found
}

// sound runs verify over the archive, and gives its words.
func (d desk) sound(t testing.TB) string {
	t.Helper()
	out, _ := d.must(t, exitDone, "verify")
	if !strings.Contains(out, " 0 sound with remarks, 0 damaged") {
		t.Fatalf("our own files are not sound:\n%s", out)
	}
	return out
}

// compare fails the test where two maps of posts differ.
func compare(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	for key, text := range want {
		if other, ok := got[key]; !ok {
			t.Errorf("%s: post %s is missing", what, key)
		} else if other != text {
			t.Errorf("%s: post %s says\n%s\nwant\n%s", what, key, other, text)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: post %s should not be there", what, key)
		}
	}
}
