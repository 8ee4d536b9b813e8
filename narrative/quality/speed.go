package main

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/narrative/text"
)

// A tweet is a row of ira-2017-08.
type tweet struct{ account, time, language, text string }

func tweets(dir string) ([]tweet, error) {
	f, err := os.Open(filepath.Join(dir, "ira-2017-08", "posts.csv.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var list []tweet
	r := csv.NewReader(z)
	for n := 0; ; n++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if len(row) != 4 {
			return nil, fmt.Errorf("%s: line %d has %d columns, not 4", f.Name(), n+1, len(row))
		}
		if n > 0 {
			list = append(list, tweet{row[0], row[1], row[2], row[3]})
		}
	}
}

// speed adds posts of ira-2017-08 through Add with the log on, each queried and
// then inserted; after the last, copies of earlier posts with about 40 % of their
// words exchanged for words of other posts. It ends at 100,000 distinct texts, or
// with REFRAIN_LONG=1 at a million.
func speed(dir string, o options) ([]Table, error) {
	list, err := tweets(dir)
	if err != nil {
		return nil, err
	}
	steps := []int{10_000, 50_000, 100_000}
	if os.Getenv("REFRAIN_LONG") != "" {
		steps = append(steps, 300_000, 600_000, 1_000_000)
	}
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = t.text
	}
	list = nil
	tmp, err := os.MkdirTemp("", "quality-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	took, tookCPU := make([]float32, 1<<20), make([]float32, 1<<20) // touched before, so that they are no memory of the index
	for i := range took {
		took[i], tookCPU[i] = 1, 1
	}
	took, tookCPU = took[:0], tookCPU[:0]
	debug.FreeOSMemory()
	empty := resident()
	ix, err := text.Open(tmp, text.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { ix.Close() }()
	table := Table{Part: "speed", Title: fmt.Sprintf("query + insert of each post with the log on, %d core(s), load average %s", runtime.GOMAXPROCS(0), load()),
		Columns: []string{"distinct texts", "posts", "posts/s", "since last", "p50 µs", "p99 µs", "max ms", "p99 µs of CPU", "linked", "bytes/text resident", "disk bytes/text"}}
	ctx := context.Background()
	var spent, before time.Duration
	posts, last, linked := 0, 0, 0
	random := rand.New(rand.NewPCG(1, 2))
	for _, step := range steps {
		for {
			s := ""
			if posts < len(texts) {
				s = texts[posts]
			} else {
				s = edited(texts, random)
			}
			c, t := cpuTime(), time.Now()
			r, err := ix.Add(ctx, text.Doc{Key: fmt.Sprintf("x:%018d", posts), Text: s})
			if err != nil {
				return nil, err
			}
			took = append(took, float32(time.Since(t))/1e3)
			used := cpuTime() - c
			spent += used
			tookCPU = append(tookCPU, float32(used)/1e3)
			posts++
			if len(r.Matches) > 0 && r.Matches[0].Score >= text.LinkThreshold {
				linked++
			}
			if posts%1000 == 0 {
				c := cpuTime()
				if err := ix.Sync(); err != nil {
					return nil, err
				}
				spent += cpuTime() - c
				if _, n := ix.Size(); n >= step {
					break
				}
			}
		}
		slices.Sort(took)
		slices.Sort(tookCPU)
		_, n := ix.Size()
		debug.FreeOSMemory() // what the matches of this program took
		rss := resident()
		disk := int64(0)
		entries, _ := os.ReadDir(tmp)
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				disk += info.Size()
			}
		}
		table.Rows = append(table.Rows, []string{fmt.Sprint(n), fmt.Sprint(posts),
			fmt.Sprintf("%.0f", float64(posts)/spent.Seconds()), fmt.Sprintf("%.0f", float64(posts-last)/(spent-before).Seconds()),
			fmt.Sprintf("%.0f", took[len(took)/2]), fmt.Sprintf("%.0f", took[len(took)*99/100]), fmt.Sprintf("%.0f", took[len(took)-1]/1e3), fmt.Sprintf("%.0f", tookCPU[len(tookCPU)*99/100]),
			f3(float64(linked) / float64(posts)),
			fmt.Sprintf("%d", (rss-empty)/int64(n)), fmt.Sprint(disk / int64(n))})
		took, tookCPU, last, before = took[:0], tookCPU[:0], posts, spent
	}
	t := time.Now()
	if err := ix.Close(); err != nil {
		return nil, err
	}
	table.Notes = append(table.Notes, fmt.Sprintf("close with snapshot %.1f s", time.Since(t).Seconds()))
	c := cpuTime()
	t = time.Now()
	if ix, err = text.Open(tmp, text.Options{}); err != nil {
		return nil, err
	}
	_, n := ix.Size()
	table.Notes = append(table.Notes,
		fmt.Sprintf("reopen of %d texts %.2f s (%.2f s CPU)", n, time.Since(t).Seconds(), (cpuTime()-c).Seconds()),
		"rates are posts per second of CPU time; latencies are by the clock and suffer from other load; resident is VmRSS less VmRSS before the index was opened")
	return []Table{table}, nil
}

// edited gives a post with about 40 % of its words exchanged.
func edited(texts []string, random *rand.Rand) string {
	words := strings.Fields(texts[random.IntN(len(texts))])
	for i := range words {
		if random.IntN(10) < 4 {
			if other := strings.Fields(texts[random.IntN(len(texts))]); len(other) > 0 {
				words[i] = other[random.IntN(len(other))]
			}
		}
	}
	return strings.Join(words, " ")
}

func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}

// resident is the memory of this process that is in RAM, in bytes; 0 where the
// system does not tell.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kb int64
			fmt.Sscan(rest, &kb)
			return kb << 10
		}
	}
	return 0
}
