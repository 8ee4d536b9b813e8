package frontier_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/frontier"
	"github.com/refrain-archive/refrain/post"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func item(host string, n, order int) crawlers.Item {
	ref := crawlers.Ref{Platform: "plaza", Kind: crawlers.RefPost, ID: fmt.Sprint(n), URL: fmt.Sprintf("https://%s/p/%d", host, n)}
	return crawlers.Item{Host: host, Order: order, Step: crawlers.Step{Ref: ref, Route: "json", Role: crawlers.RolePage, State: []byte{0, 255, byte(n)}}}
}

func names(items []crawlers.Item) string {
	var all []string
	for _, i := range items {
		all = append(all, i.Host+"/"+i.Step.Ref.ID)
	}
	return strings.Join(all, " ")
}

// The contract of a frontier, for each kind of it.
func TestFrontier(t *testing.T) {
	for name, make := range map[string]func(*testing.T) crawlers.Frontier{
		"Dir":    func(t *testing.T) crawlers.Frontier { return frontier.Dir(filepath.Join(t.TempDir(), "a b?%#é")) },
		"Memory": func(*testing.T) crawlers.Frontier { return frontier.Memory() },
	} {
		t.Run(name, func(t *testing.T) {
			f := make(t)
			begin := func() crawlers.FrontierRun {
				t.Helper()
				r, err := f.Begin(t.Context(), "key")
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			claim := func(r crawlers.FrontierRun, q crawlers.Claim, want string) []crawlers.Item {
				t.Helper()
				if q.Now.IsZero() {
					q.Now = noon
				}
				items, err := r.Claim(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if got := names(items); got != want {
					t.Errorf("claimed %q, want %q", got, want)
				}
				return items
			}
			commit := func(r crawlers.FrontierRun, want int, changes ...crawlers.Change) {
				t.Helper()
				added, _, err := r.Commit(t.Context(), changes, nil)
				if err != nil {
					t.Fatal(err)
				}
				if added != want {
					t.Errorf("added %d, want %d", added, want)
				}
			}

			r := begin()
			if r.Started() {
				t.Fatal("a new run is started")
			}
			if _, err := f.Begin(t.Context(), "key"); !errors.Is(err, crawlers.ErrBusy) {
				t.Errorf("a run that is held is given out again: %v", err)
			}
			targets := []crawlers.Target{{Seed: "one", Ref: item("a", 1, 0).Step.Ref}, {Seed: "two"}}
			first := []crawlers.Item{item("a", 1, 1), item("a", 2, 0), item("b", 3, 1), item("a", 1, 1)}
			first[2].Target = 1
			if err := r.Start(t.Context(), noon, with(targets, first)); err != nil {
				t.Fatal(err)
			}
			if err := r.Start(t.Context(), noon, with(targets, first)); err == nil {
				t.Error("a run is started twice")
			}
			got := claim(r, crawlers.Claim{Max: 10, PerHost: 1, Skip: func(h string) bool { return h == "b" }}, "a/2") // smaller order first
			if string(got[0].Step.State) != string([]byte{0, 255, 2}) || got[0].Step.Ref != first[1].Step.Ref {
				t.Errorf("the step came back as %+v", got[0].Step)
			}
			rest := claim(r, crawlers.Claim{Max: 10, Skip: func(h string) bool { return h == "a" }}, "b/3")
			if rest[0].Target != 1 {
				t.Errorf("target %d", rest[0].Target)
			}
			one := claim(r, crawlers.Claim{Max: 10}, "a/1") // the duplicate was left out
			claim(r, crawlers.Claim{Max: 10}, "")

			// Done, with a new item, a known one, and one that follows a redirect.
			redirect := item("a", 2, 0)
			redirect.Trail = []string{"https://a/x"}
			target := crawlers.Target{ID: 1, Seed: "two", Posts: 5, Outcome: post.OK}
			commit(r, 2, crawlers.Change{ID: got[0].ID, State: crawlers.ItemDone, Outcome: post.OK, Tries: 1, Target: &target,
				Add: []crawlers.Item{item("a", 4, 0), item("a", 1, 0), redirect}})
			if back, err := r.Target(t.Context(), 1); err != nil || back.Posts != 5 || back.ID != 1 {
				t.Errorf("target %+v, %v", back, err)
			}
			// Parked until later.
			commit(r, 0, crawlers.Change{ID: one[0].ID, State: crawlers.ItemTodo, Outcome: post.RateLimited, Tries: 1, NotBefore: noon.Add(time.Hour)})
			if n, due, err := r.Waiting(t.Context()); err != nil || n != 3 || due.After(noon) {
				t.Errorf("%d waiting, due %v, %v", n, due, err)
			}
			both := claim(r, crawlers.Claim{Max: 10}, "a/4 a/2")
			if len(both[1].Trail) != 1 {
				t.Errorf("the redirect is gone: %+v", both[1])
			}
			if n, due, err := r.Waiting(t.Context()); err != nil || n != 1 || !due.Equal(noon.Add(time.Hour)) {
				t.Errorf("%d waiting, due %v, %v", n, due, err)
			}
			claim(r, crawlers.Claim{Max: 10, Now: noon.Add(59 * time.Minute)}, "")
			commit(r, 0, crawlers.Change{ID: both[0].ID, State: crawlers.ItemFailed, Outcome: post.Blocked, Tries: 1})
			if tally, err := r.Tally(t.Context()); err != nil || tally != (crawlers.Tally{Todo: 3, Done: 1, Failed: 1}) {
				t.Errorf("tally %+v, %v", tally, err)
			}

			// A new item that is taken at once is not claimed again.
			_, taken, err := r.Commit(t.Context(), []crawlers.Change{{ID: rest[0].ID, State: crawlers.ItemDone, Add: []crawlers.Item{item("c", 5, 0), item("c", 6, 0), item("c", 5, 0)}}},
				func(i *crawlers.Item) bool { return i.Step.Ref.ID == "5" })
			if err != nil || names(taken) != "c/5" {
				t.Errorf("taken %q, %v", names(taken), err)
			}
			six := claim(r, crawlers.Claim{Max: 10}, "c/6")
			commit(r, 0, crawlers.Change{ID: taken[0].ID, State: crawlers.ItemDone}, crawlers.Change{ID: six[0].ID, State: crawlers.ItemDone})

			// Left as it is: what was handed out is handed out again.
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			r = begin()
			if !r.Started() {
				t.Fatal("the run was started")
			}
			late := claim(r, crawlers.Claim{Max: 10, Now: noon.Add(2 * time.Hour)}, "a/2 a/1")
			if late[1].Tries != 1 {
				t.Errorf("tries %d", late[1].Tries)
			}
			seen := ""
			if err := r.EachTarget(t.Context(), func(t crawlers.Target) error { seen += t.Seed + " "; return nil }); err != nil || seen != "one two " {
				t.Errorf("targets %q, %v", seen, err)
			}
			if err := r.Finish(t.Context()); err != nil {
				t.Fatal(err)
			}
			r = begin()
			if r.Started() {
				t.Error("a finished run is resumed")
			}
			r.Close()
		})
	}
}

// with gives targets, each with its items.
func with(targets []crawlers.Target, items []crawlers.Item) iter.Seq2[crawlers.Target, []crawlers.Item] {
	return func(yield func(crawlers.Target, []crawlers.Item) bool) {
		for i, t := range targets {
			var own []crawlers.Item
			for _, item := range items {
				if item.Target == int64(i) {
					own = append(own, item)
				}
			}
			if !yield(t, own) {
				return
			}
		}
	}
}

func TestUnfinished(t *testing.T) {
	dir := t.TempDir()
	f := frontier.Dir(dir)
	for _, key := range []string{"finished", "left", "never started"} {
		r, err := f.Begin(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if key != "never started" {
			if err := r.Start(t.Context(), noon, with(nil, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if key == "finished" {
			err = r.Finish(t.Context())
		} else {
			err = r.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	keys, err := frontier.Unfinished(t.Context(), dir)
	if err != nil || len(keys) != 1 || keys[0] != "left" {
		t.Errorf("unfinished %q, %v", keys, err)
	}
}

func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	r, err := frontier.Dir(dir).Begin(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	names, _ := filepath.Glob(filepath.Join(dir, "*.db"))
	if err := os.WriteFile(names[0], []byte(strings.Repeat("not a database\n", 500)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := frontier.Dir(dir).Begin(t.Context(), "key"); err == nil || !strings.Contains(err.Error(), names[0]) {
		t.Errorf("error %v does not name the file", err)
	}
	file := filepath.Join(dir, "file")
	os.WriteFile(file, nil, 0o644)
	if _, err := frontier.Dir(filepath.Join(file, "sub")).Begin(t.Context(), "key"); err == nil {
		t.Error("a folder below a file was made")
	}
}

// A child process does step after step, and is killed with SIGKILL. What it said
// was committed is there, and at most one more step was done.
func TestKill(t *testing.T) {
	const total = 5000
	if dir := os.Getenv("FRONTIER_CHILD"); dir != "" {
		child(dir, total)
		return
	}
	dir := t.TempDir()
	done := 0
	for round := 0; done < total && round < 4; round++ {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "FRONTIER_CHILD="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		said := 0
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "done ") {
				if said++; said == 150+round*70 {
					cmd.Process.Kill()
				}
			} else if strings.HasPrefix(lines.Text(), "failed") {
				t.Fatal(lines.Text())
			}
		}
		cmd.Wait()
		r, err := frontier.Dir(dir).Begin(t.Context(), "key")
		if err != nil {
			t.Fatalf("round %d: after the kill: %v", round, err)
		}
		tally, err := r.Tally(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		if now := tally.Done; now < done+said || now > done+said+1 {
			t.Errorf("round %d: %d done before, %d said to be done, %d found", round, done, said, now)
		}
		done = tally.Done
		if tally.Todo+tally.Done != total {
			t.Errorf("round %d: %d steps in all, want %d", round, tally.Todo+tally.Done, total)
		}
	}
}

func child(dir string, total int) {
	ctx := context.Background()
	fail := func(err error) {
		if err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
	}
	r, err := frontier.Dir(dir).Begin(ctx, "key")
	fail(err)
	if !r.Started() {
		var items []crawlers.Item
		for i := range total {
			items = append(items, item("a", i, 0))
		}
		fail(r.Start(ctx, noon, with([]crawlers.Target{{Seed: "x"}}, items)))
	}
	for {
		items, err := r.Claim(ctx, crawlers.Claim{Now: noon, Max: 16})
		fail(err)
		for _, i := range items {
			_, _, err := r.Commit(ctx, []crawlers.Change{{ID: i.ID, State: crawlers.ItemDone, Outcome: post.OK, Tries: 1}}, nil)
			fail(err)
			fmt.Println("done", i.Step.Ref.ID)
		}
	}
}

// One step's whole way through the frontier: claimed, done, with one new step,
// in batches as a driver makes them.
func BenchmarkStep(b *testing.B) {
	for _, batch := range []int{1, 16} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			r, err := frontier.Dir(b.TempDir()).Begin(b.Context(), "key")
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			n := 0
			next := func() crawlers.Item { n++; return item("a", n, 1) }
			var items []crawlers.Item
			for range batch {
				items = append(items, next())
			}
			if err := r.Start(b.Context(), noon, with([]crawlers.Target{{Seed: "x"}}, items)); err != nil {
				b.Fatal(err)
			}
			target := crawlers.Target{Seed: "x", Ref: items[0].Step.Ref, Outcome: post.OK}
			b.ResetTimer()
			for done := 0; done < b.N; done += batch {
				items, err := r.Claim(b.Context(), crawlers.Claim{Now: noon, Max: batch})
				if err != nil {
					b.Fatal(err)
				}
				var changes []crawlers.Change
				for _, i := range items {
					changes = append(changes, crawlers.Change{ID: i.ID, State: crawlers.ItemDone, Outcome: post.OK, Tries: 1, Add: []crawlers.Item{next()}, Target: &target})
				}
				if _, _, err := r.Commit(b.Context(), changes, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkResume opens a run of a million steps, half of them done, and claims
// its first batch. Ten thousand hosts have steps to do.
func BenchmarkResume(b *testing.B) {
	const total = 1_000_000
	dir := b.TempDir()
	f := frontier.Dir(dir)
	r, err := f.Begin(b.Context(), "key")
	if err != nil {
		b.Fatal(err)
	}
	items := make([]crawlers.Item, total/2)
	for i := range items {
		items[i] = item(fmt.Sprintf("h%d.example", i%10_000), i, 1)
	}
	if err := r.Start(b.Context(), noon, with([]crawlers.Target{{Seed: "x"}}, items)); err != nil {
		b.Fatal(err)
	}
	n := total / 2
	for n < total { // each done step adds one
		items, err := r.Claim(b.Context(), crawlers.Claim{Now: noon, Max: 1000})
		if err != nil {
			b.Fatal(err)
		}
		var changes []crawlers.Change
		for _, i := range items {
			n++
			changes = append(changes, crawlers.Change{ID: i.ID, State: crawlers.ItemDone, Outcome: post.OK, Tries: 1,
				Add: []crawlers.Item{item(fmt.Sprintf("h%d.example", n%10_000), n, 1)}})
		}
		if _, _, err := r.Commit(b.Context(), changes, nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		r, err := f.Begin(b.Context(), "key")
		if err != nil {
			b.Fatal(err)
		}
		items, err := r.Claim(b.Context(), crawlers.Claim{Now: noon, Max: 80, PerHost: 16})
		if err != nil || len(items) != 80 {
			b.Fatal(len(items), err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
