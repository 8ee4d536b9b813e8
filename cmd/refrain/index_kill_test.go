package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/narrative/engine"
)

// manyPosts writes a file of n posts in which few stories are told again and
// again, each time a little otherwise.
func manyPosts(t *testing.T, n int) string {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5))
	stories := make([][]string, 40)
	for i := range stories {
		for range 24 {
			stories[i] = append(stories[i], fmt.Sprint("word", r.IntN(3000)))
		}
	}
	var b strings.Builder
	for i := range n {
		words := append([]string(nil), stories[r.IntN(len(stories))]...)
		for range r.IntN(5) {
			words[r.IntN(len(words))] = fmt.Sprint("other", r.IntN(3000))
		}
		if r.IntN(4) == 0 {
			words = words[:12]
		}
		line, err := json.Marshal(map[string]any{"platform": []string{"x", "reddit", "tumblr"}[i%3], "id": fmt.Sprint(10000 + i), "author": fmt.Sprint("acc", r.IntN(60)),
			"text": strings.Join(words, " "), "hashtags": []string{fmt.Sprint("tag", r.IntN(50))}, "created": time.Unix(1790000000+int64(i)*61, 0).UTC().Format(time.RFC3339), "fetched_at": "2026-11-25T09:00:00Z"})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	name := filepath.Join(t.TempDir(), "posts.jsonl")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A process that indexes is killed at random moments, again and again. What was
// taken stays taken, and in the end everything is as if nobody had killed it.
func TestIndexKill9(t *testing.T) {
	t.Parallel()
	file := manyPosts(t, 3500)
	s := serve(t, tinyWorld())
	calm, d := newDesk(t, s, ""), newDesk(t, s, "")
	for _, desk := range []desk{calm, d} {
		desk.must(t, exitDone, "import", file)
	}
	started := time.Now()
	calm.must(t, exitDone, "index")
	whole := time.Since(started)
	want, _ := calm.must(t, exitDone, "--json", "narratives", "-n", "0")
	if strings.Count(want, "\n") < 20 {
		t.Fatalf("only few narratives:\n%s", want)
	}
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	killed, taken := 0, int64(0)
	for range 5 {
		cmd := d.command(context.Background(), "--quiet", "index")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(whole/8 + time.Duration(r.Int64N(int64(whole)/3))):
			_ = cmd.Process.Kill()
			<-ended
			killed++
		}
		e, err := engine.Open(t.Context(), filepath.Join(d.state, "narratives"))
		if err != nil {
			t.Fatalf("after %d kills: %v", killed, err)
		}
		if e.At() < taken {
			t.Errorf("observation %d was taken, and now it is %d", taken, e.At())
		}
		taken = e.At()
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if killed == 0 {
		t.Fatal("every process ended before it could be killed")
	}
	d.must(t, exitDone, "index")
	if got, _ := d.must(t, exitDone, "--json", "narratives", "-n", "0"); got != want {
		t.Errorf("after %d kills the narratives are others", killed)
	}
	links, _ := calm.must(t, exitDone, "--json", "links", "-n", "0")
	if got, _ := d.must(t, exitDone, "--json", "links", "-n", "0"); got != links {
		t.Errorf("after %d kills the links are others", killed)
	}
}

// What is hostile goes through import and index with a clear outcome.
func TestIndexHostile(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i, text := range []string{
		strings.Repeat("\u200b\u200d", 500),
		"caf\ufffd the ferry left the pier at nine \u202eand\u202c nobody שלום knew the way back", "\x1b[31mred\x1b[0m the ferry left the pier at nine and nobody knew the way back",
		strings.Repeat("the same words over and over ", 10<<20/29), strings.Repeat("word ", 1_000_000),
	} {
		line, err := json.Marshal(map[string]any{"platform": "x", "id": fmt.Sprint(100 + i), "author": "ana", "text": text, "created": "2026-11-20T10:00:00Z", "fetched_at": "2026-11-25T09:00:00Z"})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	b.WriteString("{\"platform\":\"x\",\"id\":\"200\",\"author\":\"bea\",\"text\":\"caf\xe9 \xff the ferry left the pier at nine and nobody knew the way back\",\"created\":\"2026-11-20T10:00:00Z\",\"fetched_at\":\"2026-11-25T09:00:00Z\"}\n")
	name := filepath.Join(t.TempDir(), "posts.jsonl")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, serve(t, tinyWorld()), "")
	d.must(t, exitDone, "import", name)
	out, _ := d.must(t, exitDone, "index")
	if !strings.Contains(out, "1 post without words") || !strings.Contains(out, "2 compared by their beginning") {
		t.Errorf("%s", out)
	}
	out, _ = d.must(t, exitDone, "links", "x:102", "x:101")
	if !strings.Contains(out, "[") || strings.ContainsAny(out, "\x1b\u202e") {
		t.Errorf("%q", out)
	}
	d.must(t, exitDone, "narratives", "x:200")
}
