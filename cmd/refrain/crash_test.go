package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/demoweb"
)

// crashes is how often a process is killed: 10, or REFRAIN_CRASHES.
func crashes(t *testing.T) int {
	t.Helper()
	text := os.Getenv("REFRAIN_CRASHES")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("REFRAIN_CRASHES=%q is not a number of crashes", text)
	}
	return n
}

// A life is one process that collects.
type life struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	first int    // requests at the site before it began
	agent string // what its User-Agent says and no other's
	read  chan struct{}

	mu    sync.Mutex
	lines []string // of standard error
	seen  chan struct{}
}

// lives counts the processes that were started.
var lives atomic.Int64

// start starts the program.
func start(t *testing.T, d desk, s *site, args ...string) *life {
	t.Helper()
	agent := fmt.Sprintf("life%d@news.example", lives.Add(1))
	l := &life{cmd: d.command(context.Background(), args...), first: s.requests(), agent: agent, read: make(chan struct{}), seen: make(chan struct{}, 1)}
	l.cmd.Stdout = &l.out
	l.cmd.Env = append(os.Environ(), "REFRAIN_CONTACT="+agent)
	pipe, err := l.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(l.read)
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			l.mu.Lock()
			l.lines = append(l.lines, lines.Text())
			l.mu.Unlock()
			select {
			case l.seen <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() { _ = l.cmd.Process.Kill() }) // has ended, unless the test failed
	return l
}

// end waits for the program and gives its exit code, -1 if a signal ended it.
func (l *life) end(t *testing.T) int {
	t.Helper()
	<-l.read
	err := l.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return l.cmd.ProcessState.ExitCode()
}

// says waits until the program has written a line with words.
func (l *life) says(t *testing.T, words string) {
	t.Helper()
	for {
		if strings.Contains(l.errors(), words) {
			return
		}
		select {
		case <-l.seen:
		case <-l.read:
			if !strings.Contains(l.errors(), words) {
				t.Fatalf("the program ended without saying %q:\n%s", words, l.errors())
			}
		case <-t.Context().Done():
			t.Fatalf("the program does not say %q:\n%s", words, l.errors())
		}
	}
}

func (l *life) errors() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// saved gives the addresses that the program reported as saved, one for each
// fetch: with --verbose it says "OUTCOME ADDRESS" when a fetch is in the archive
// and the frontier knows it.
func (l *life) saved() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []string
	for _, line := range l.lines {
		if f := strings.Fields(line); len(f) >= 2 && strings.HasPrefix(f[1], "https://") {
			list = append(list, f[1])
		}
	}
	return list
}

func isRobots(address string) bool { return strings.HasSuffix(address, "/robots.txt") }

// A collecting process is killed at random moments, again and again, and started
// with the same command until it ends.
func TestKill9(t *testing.T) {
	t.Parallel()
	size := demoweb.Size{Ordinary: 1, Operation: 1, Posts: 3}
	n := crashes(t)
	if n > 10 {
		size = demoweb.Size{Ordinary: 3, Operation: 2, Posts: 10}
	}
	world := demoweb.NewWorld(1, size)
	s := serve(t, world)
	calm := newDesk(t, s, "")
	calm.must(t, exitDone, collectArgs(world)...)
	want, planned := calm.posts(t), count(s.log(0))
	requests := s.requests()

	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("REFRAIN_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("REFRAIN_SEED: %v", err)
		}
	}
	t.Logf("REFRAIN_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 9))
	const perArchive = 20
	for left := n; left > 0; {
		kills := min(left, perArchive)
		got := killAgainAndAgain(t, s, world, rng, kills, 2*requests/kills, planned, want)
		if got == 0 {
			t.Fatal("every process ended before it could be killed")
		}
		left -= got
	}
}

// killAgainAndAgain collects a world into a new archive with so many kills, one
// within each so many requests, checks after each, and gives how many there were.
func killAgainAndAgain(t *testing.T, s *site, world *demoweb.World, rng *rand.Rand, kills, stride int, planned map[string]int, want map[string]string) int {
	d := newDesk(t, s, "")
	begin := s.requests()
	var saved []string
	var dead []*life
	killed, finished := 0, false
	for killed < kills {
		l := start(t, d, s, collectArgs(world)...)
		// The moment: at a random request of this life, and a little after it.
		due := make(chan struct{})
		at, later := l.first+rng.IntN(stride+1), time.Duration(rng.Int64N(int64(8*time.Millisecond)))
		var once sync.Once
		s.before(func(n int, _ string) {
			if n >= at {
				once.Do(func() { close(due) })
			}
		})
		if at == l.first { // while it starts, before its first request
			once.Do(func() { close(due) })
			later = time.Duration(rng.Int64N(int64(60 * time.Millisecond)))
		}
		select {
		case <-due:
			time.Sleep(later) // a random moment is what is tested
			_ = l.cmd.Process.Kill()
		case <-l.read: // it had less to do
		}
		s.before(nil)
		code := l.end(t)
		finished = code == exitDone
		if code != -1 && !finished {
			t.Fatalf("exit code %d\n%s\n%s", code, l.errors(), l.out.String())
		}
		mine := l.saved()
		saved = append(saved, mine...)
		if finished {
			break
		}
		killed++
		dead = append(dead, l)
		d.check(t, saved, killed)
		if t.Failed() {
			t.Fatalf("after kill %d\n%s", killed, l.errors())
		}
	}
	if !finished {
		l := start(t, d, s, collectArgs(world)...)
		if code := l.end(t); code != exitDone {
			t.Fatalf("the last run: exit code %d\n%s\n%s", code, l.errors(), l.out.String())
		}
		saved = append(saved, l.saved()...)
	}
	d.check(t, saved, killed)
	d.sound(t)
	compare(t, "after kills", d.posts(t), want)
	// By the site's log now: what a process had sent when it was killed may have
	// been read by the site a little later.
	open := map[string]int{} // asked for, and not reported saved when the process was killed
	repeats, allowed, worst := 0, 0, 0
	for _, l := range dead {
		under := count(s.logOf(l.agent))
		for address, n := range count(l.saved()) {
			if under[address] -= n; under[address] < 0 {
				t.Errorf("%s was reported saved more often than it was asked for", address)
			}
		}
		flying := 0
		for address, n := range under {
			if !isRobots(address) {
				flying += n
				open[address] += n
			}
		}
		allowed += flying
		worst = max(worst, flying)
	}
	// Each worker has one request or save under way.
	if worst > crawlers.DefaultWorkers {
		t.Errorf("%d requests were under way at one kill", worst)
	}
	for address, n := range count(s.log(begin)) {
		// robots.txt is asked by every process anew: its rules are kept for a day at
		// most, in memory, and no one is to be asked by rules that were not read.
		if isRobots(address) {
			continue
		}
		more := n - planned[address]
		if more > open[address] {
			t.Errorf("%s was asked for %d times: planned %d, under way at kills %d", address, n, planned[address], open[address])
		}
		repeats += max(more, 0)
	}
	t.Logf("%d kills: %d requests repeated, %d were under way, at most %d at one kill", killed, repeats, allowed, worst)
	return killed
}

// check looks into the archive of a killed process as it lies there: finished
// files are sound, and all that was reported saved can be read.
func (d desk) check(t *testing.T, saved []string, killed int) {
	t.Helper()
	if _, err := os.Stat(d.archive); err != nil && len(saved) == 0 {
		return // killed before it made anything
	}
	code, out, errs := d.run(t, "verify")
	if code != exitDone || strings.Contains(out, "remarks (") {
		if len(saved) > 0 || !strings.Contains(errs, "refrain.json") {
			t.Errorf("verify after kill %d: exit code %d\n%s%s", killed, code, out, errs)
		}
		return
	}
	have := map[string]int{}
	for line, n := range d.captures(t) {
		address, _, _ := strings.Cut(line, " ")
		have[address] += n
	}
	for address, n := range count(saved) {
		if have[address] < n {
			t.Errorf("%s was reported saved %d times, the archive has it %d times", address, n, have[address])
		}
	}
}

func count(list []string) map[string]int {
	m := map[string]int{}
	for _, v := range list {
		m[v]++
	}
	return m
}

// Ctrl-C ends a run when what is under way is saved; the same command goes on.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	calm := newDesk(t, s, "")
	calm.must(t, exitDone, collectArgs(world)...)
	want, planned := calm.posts(t), count(s.log(0))
	begin := s.requests()

	d := newDesk(t, s, "")
	held, release := make(chan string, 1), make(chan struct{})
	s.before(func(n int, address string) {
		if n == begin+40 {
			held <- address
			<-release
		}
	})
	l := start(t, d, s, collectArgs(world)...)
	address := <-held
	signalTo(t, l, os.Interrupt)
	l.says(t, "Ctrl-C again ends at once")
	close(release)
	if code := l.end(t); code != exitPartly {
		t.Fatalf("exit code %d, want %d\n%s", code, exitPartly, l.errors())
	}
	s.before(nil)
	if !strings.Contains(l.errors(), "run the same command again to go on") {
		t.Errorf("it does not say how to go on:\n%s", l.errors())
	}
	if !isRobots(address) && !slices.Contains(l.saved(), address) {
		t.Errorf("%s was under way and is not saved:\n%s", address, l.errors())
	}
	d.sound(t)
	l = start(t, d, s, collectArgs(world)...)
	if code := l.end(t); code != exitDone {
		t.Fatalf("going on: exit code %d\n%s", code, l.errors())
	}
	d.sound(t)
	compare(t, "after Ctrl-C", d.posts(t), want)
	again := count(s.log(begin))
	maps.DeleteFunc(again, func(address string, _ int) bool { return isRobots(address) })
	maps.DeleteFunc(planned, func(address string, _ int) bool { return isRobots(address) })
	if !maps.Equal(again, planned) {
		t.Errorf("requests in two parts\n%v\nin one\n%v", again, planned)
	}
}

// A second Ctrl-C does not wait for a site that does not answer.
func TestInterruptTwice(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "")
	held, release := make(chan struct{}, 1), make(chan struct{})
	s.before(func(n int, _ string) {
		if n == 30 {
			held <- struct{}{}
			<-release
		}
	})
	defer close(release)
	l := start(t, d, s, collectArgs(world)...)
	<-held
	signalTo(t, l, os.Interrupt)
	l.says(t, "Ctrl-C again ends at once")
	signalTo(t, l, os.Interrupt)
	if code := l.end(t); code != -1 {
		t.Errorf("exit code %d, want an end by the signal", code)
	}
	if status, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signal() != syscall.SIGINT {
		t.Errorf("ended by %v", status.Signal())
	}
	d.check(t, l.saved(), 1)
}

func signalTo(t *testing.T, l *life, sig os.Signal) {
	t.Helper()
	if err := l.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}
