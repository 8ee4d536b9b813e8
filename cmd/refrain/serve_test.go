package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/demoweb"
	"github.com/refrain-archive/refrain/internal/browsertest"
)

// A served is `refrain serve` as a process.
type served struct {
	t    *testing.T
	cmd  *exec.Cmd
	urls []string // of the replay, and of the player
	log  *strings.Builder
	read chan struct{}
}

func (d desk) serve(t *testing.T, servers int, args ...string) *served {
	t.Helper()
	args = append([]string{"serve", "--addr", "127.0.0.1:0", "--player-addr", "127.0.0.1:0"}, args...)
	s := &served{t: t, cmd: d.command(t.Context(), args...), log: &strings.Builder{}, read: make(chan struct{})}
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for len(s.urls) < servers && lines.Scan() {
		_, url, _ := strings.Cut(lines.Text(), " is at ")
		url, _, _ = strings.Cut(url, " ")
		s.urls = append(s.urls, strings.TrimSuffix(url, "/"))
	}
	go func() {
		defer close(s.read)
		for lines.Scan() {
		}
	}()
	if len(s.urls) < servers {
		s.cmd.Wait()
		t.Fatalf("refrain %s did not begin to serve: %s", strings.Join(args, " "), s.log)
	}
	return s
}

// interrupt presses Ctrl-C, upon which the program ends cleanly.
func (s *served) interrupt() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		s.t.Fatal(err)
	}
	<-s.read
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("after Ctrl-C: %v\n%s", err, s.log)
	}
}

func ask(t *testing.T, url string, fields ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: time.Minute}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// journalPost is a page of the made-up web that shows its text without scripts.
var journalPost = regexp.MustCompile(`^https://[a-z0-9-]+\.livejournal\.com/[0-9]+\.html$`)

// collected is a desk with what a small made-up web has on LiveJournal.
func collected(t *testing.T) desk {
	t.Helper()
	world := tinyWorld()
	d := newDesk(t, serve(t, world), "")
	args := []string{"collect", "--media"}
	for _, a := range world.Accounts {
		if a.Platform == demoweb.LiveJournal && a.State == "" {
			args = append(args, a.URL())
		}
	}
	d.must(t, exitDone, args...)
	return d
}

// The lists of the configuration hold in the replay too, and their name is told.
func TestServeWithheld(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	list := filepath.Join(t.TempDir(), "known.txt")
	d := newDesk(t, serve(t, world), "blocklists: ["+list+"]\n")
	if err := os.WriteFile(list, []byte("# name: Hotline\nsha256:"+strings.Repeat("0", 64)+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	d.must(t, exitDone, collectArgs(world)...)
	digest, url := "", ""
	for ex, err := range d.open(t).Captures(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if ex.Response != nil && strings.HasPrefix(string(ex.Block), "HTTP/1.1 200") && ex.Capture.PayloadDigest != "" && strings.Contains(string(ex.Block), "Content-Type: image/") {
			digest, url = ex.Capture.PayloadDigest, ex.URL
		}
	}
	if url == "" {
		t.Fatal("no picture was captured")
	}
	s := d.serve(t, 1)
	if r, _ := ask(t, s.urls[0]+"/archive/2200im_/"+url); r.StatusCode != http.StatusOK {
		t.Errorf("%s, on no list: %d", url, r.StatusCode)
	}
	s.interrupt()
	if err := os.WriteFile(list, []byte("# name: Hotline\n"+digest+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	s = d.serve(t, 1)
	defer s.interrupt()
	r, body := ask(t, s.urls[0]+"/archive/2200/"+url)
	for range 5 {
		if to := r.Header.Get("Location"); to != "" {
			r, body = ask(t, s.urls[0]+to)
		}
	}
	if r.StatusCode != http.StatusUnavailableForLegalReasons || !strings.Contains(body, "Hotline") {
		t.Errorf("%s is on a list: %d %s", url, r.StatusCode, body)
	}
	if r, _ := ask(t, s.urls[0]+"/archive/2200im_/"+url); r.StatusCode != http.StatusUnavailableForLegalReasons {
		t.Errorf("%s is on a list, as a file: %d", url, r.StatusCode)
	}
}

func TestServe(t *testing.T) {
	d := collected(t)
	s := d.serve(t, 1)
	defer s.interrupt()
	base := s.urls[0]
	_, body := ask(t, base+"/cdx?url=livejournal.com&matchType=domain&output=json&filter=mime:text/html&limit=1000")
	var line struct {
		URL       string `json:"url"`
		Timestamp string `json:"timestamp"`
	}
	var rows []string
	for row := range strings.Lines(body) {
		if json.Unmarshal([]byte(row), &line) == nil && journalPost.MatchString(line.URL) {
			rows = append(rows, line.URL)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("the CDX server has no page: %s", body)
	}
	page := rows[0]
	if _, body := ask(t, base+"/?q="+page); !strings.Contains(body, page) {
		t.Errorf("the start page does not list %s:\n%s", page, body)
	}
	r, _ := ask(t, base+"/archive/"+page, "Accept-Datetime: Thu, 01 Jan 2026 00:00:00 GMT")
	memento := r.Header.Get("Location")
	if r.StatusCode != http.StatusFound || !strings.HasSuffix(memento, "mp_/"+page) {
		t.Fatalf("TimeGate: %d %q", r.StatusCode, memento)
	}
	r, body = ask(t, base+memento)
	if r.StatusCode != http.StatusOK || r.Header.Get("Memento-Datetime") == "" || strings.Contains(body, "<script") {
		t.Errorf("memento: %d %v", r.StatusCode, r.Header)
	}
	_, frame := ask(t, base+strings.Replace(memento, "mp_/", "/", 1))
	for _, want := range []string{"outcome: <b>ok</b>", "urn:uuid:", "offset ", page} {
		if !strings.Contains(frame, want) {
			t.Errorf("the banner has no %q:\n%s", want, frame)
		}
	}
	if _, body := ask(t, base+"/archive/timemap/link/"+page); !strings.Contains(body, base+memento) {
		t.Errorf("TimeMap: %s", body)
	}
	if r, _ := ask(t, base+"/", "Host: x"); r.StatusCode != http.StatusOK {
		t.Errorf("start page: %d", r.StatusCode)
	}
}

func TestServeSaysWhatIsWrong(t *testing.T) {
	d := collected(t)
	for _, test := range []struct {
		name string
		code int
		want string
		args []string
	}{
		{"files without a player", exitUsage, "--player DIR", []string{"serve", "x.wacz"}},
		{"no player there", exitFailed, "refrain player fetch", []string{"serve", "--player", t.TempDir()}},
		{"no such file", exitFailed, "gone.wacz", []string{"serve", "--player", t.TempDir(), "gone.wacz"}},
		{"an address that is none", exitFailed, "--addr", []string{"serve", "--addr", "nowhere"}},
		{"no archive", exitFailed, "refrain collect", []string{"--archive", filepath.Join(t.TempDir(), "none"), "serve"}},
		{"a package that is none", exitFailed, "no .tgz", []string{"player", "fetch", "--from", d.config, "--dir", t.TempDir()}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, errs := d.must(t, test.code, test.args...); !strings.Contains(errs, test.want) {
				t.Errorf("it says %q, not %q", errs, test.want)
			}
		})
	}
}

// Addresses of this machine alone need no warning; all others get one.
func TestIsLocal(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:7780": true, "localhost:0": true, "[::1]:80": true, "127.8.8.8:1": true,
		":7780": false, "0.0.0.0:7780": false, "[::]:80": false, "192.0.2.1:80": false, "example.com:80": false, "nowhere": false,
	} {
		if got := isLocal(addr); got != want {
			t.Errorf("isLocal(%q) is %v", addr, got)
		}
	}
}

// A WACZ of ours opens in ReplayWeb.page in a real browser, and the same page in
// our own replay. Nothing else than the two is asked for anything.
func TestPlayerInBrowser(t *testing.T) {
	tgz, err := filepath.Abs("../../tools/bin/replaywebpage-2.5.3.tgz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tgz); err != nil {
		t.Skip("skipped: tools/bin has no replaywebpage; run tools/setup.sh npm")
	}
	b := browsertest.Start(t)
	d := collected(t)
	player := filepath.Join(t.TempDir(), "player")
	if out, _ := d.must(t, exitDone, "player", "fetch", "--from", tgz, "--dir", player); !strings.Contains(out, "AGPL") {
		t.Errorf("the licence is not told: %s", out)
	}
	file, page := makeWACZ(t, d)
	heading, _, _ := strings.Cut(page.Title, ":")
	s := d.serve(t, 2, "--player", player, file)
	defer s.interrupt()

	tab := b.Open(s.urls[1] + "/")
	tab.UntilText("made.wacz")
	tab.Go(s.urls[1] + "/play/made.wacz")
	tab.UntilText(heading)
	if dir := os.Getenv("REFRAIN_SCREENSHOTS"); dir != "" {
		os.WriteFile(dir+"/player.png", tab.Screenshot(), 0o644)
	}
	ranges := 0
	for _, u := range b.Inside() {
		if strings.Contains(u, "/wacz/made.wacz") {
			ranges++
		}
	}
	if ranges == 0 {
		t.Error("the player did not read the WACZ from us")
	}

	tab.Go(s.urls[0] + "/archive/" + page.URL)
	own := tab.UntilText(heading)
	if dir := os.Getenv("REFRAIN_SCREENSHOTS"); dir != "" {
		os.WriteFile(dir+"/own.png", tab.Screenshot(), 0o644)
	}
	if !strings.Contains(own.Text, "Archived") {
		t.Errorf("our own replay shows: %s", own.Text)
	}
	if out := b.Outside(); len(out) > 0 {
		t.Errorf("other servers were asked for %q", out)
	}
	for _, u := range b.Inside() {
		if !strings.Contains(u, strings.TrimPrefix(s.urls[0], "http:")) && !strings.Contains(u, strings.TrimPrefix(s.urls[1], "http:")) {
			t.Errorf("another server of this machine was asked: %s", u)
		}
	}
}

var titleOf = regexp.MustCompile(`<title>([^<]+)</title>`)

// makeWACZ packs the segments of an archive, and gives one of its pages.
func makeWACZ(t *testing.T, d desk) (string, wacz.Page) {
	t.Helper()
	s := d.serve(t, 1)
	_, lines := ask(t, s.urls[0]+"/cdx?url=livejournal.com&matchType=domain&output=json&filter=mime:text/html&limit=1000")
	var page wacz.Page
	for row := range strings.Lines(lines) {
		var line struct{ URL, Timestamp string }
		if json.Unmarshal([]byte(row), &line) != nil || !journalPost.MatchString(line.URL) {
			continue
		}
		_, body := ask(t, s.urls[0]+"/archive/"+line.Timestamp+"mp_/"+line.URL)
		at, err := time.Parse("20060102150405", line.Timestamp)
		if m := titleOf.FindStringSubmatch(body); m != nil && err == nil {
			page = wacz.Page{URL: line.URL, TS: at.Format(time.RFC3339), Title: strings.TrimSpace(m[1])}
			break
		}
	}
	s.interrupt()
	if page.URL == "" {
		t.Fatalf("no page with a title: %s", lines)
	}
	name := filepath.Join(t.TempDir(), "made.wacz")
	w, err := wacz.Create(name, wacz.WriterOptions{Created: time.Now(), Software: "refrain test", Title: "Made", MainPageURL: page.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort() //nolint:errcheck // after Close it does nothing
	warcs, err := filepath.Glob(filepath.Join(d.archive, "segments", "*", "*", "*", "*.warc.gz"))
	if err != nil || len(warcs) == 0 {
		t.Fatalf("no segments: %v", err)
	}
	for _, path := range warcs {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := w.AddWARC(t.Context(), filepath.Base(path), f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.AddPage(page); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return name, page
}
