package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"

	"github.com/refrain-archive/refrain/crawlers/frontier"
	"github.com/refrain-archive/refrain/post"
)

type statusCmd struct{}

func (statusCmd) Help() string { return exitCodes }

// statusReport is what --json writes.
type statusReport struct {
	Archive    string                 `json:"archive"`
	ID         string                 `json:"id"`
	Segments   int                    `json:"segments"`
	Open       int                    `json:"open"` // segments being written, or left by a process that died
	Bytes      int64                  `json:"bytes"`
	Posts      int64                  `json:"posts"`
	Accounts   int64                  `json:"accounts"`
	Fetches    int64                  `json:"fetches"`
	Outcomes   map[post.Outcome]int64 `json:"outcomes"`
	Platforms  map[string]int64       `json:"platforms"`
	Unfinished int                    `json:"unfinished_runs"`
}

func (statusCmd) Run(ctx context.Context, a *app) (err error) {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	store, err := a.freshCorpusOf(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	arch, err := a.openArchive(ctx, cfg, true)
	if err != nil {
		return err
	}
	r := statusReport{Archive: cfg.Archive, ID: arch.Manifest().Archive}
	for s, err := range arch.Segments(ctx) {
		if err != nil {
			return err
		}
		r.Segments++
		r.Bytes += s.Size + s.Index + s.Posts
		if s.Open {
			r.Open++
		}
	}
	totals, err := store.Totals(ctx)
	if err != nil {
		return err
	}
	r.Posts, r.Accounts, r.Fetches, r.Outcomes, r.Platforms = totals.Posts, totals.Accounts, totals.Fetches, totals.Outcomes, totals.Platforms
	unfinished, err := frontier.Unfinished(ctx, filepath.Join(cfg.State, "frontier"))
	if err != nil {
		return err
	}
	r.Unfinished = len(unfinished)
	if a.JSON {
		return a.writeJSON(r)
	}
	if err := a.printf("archive %s (%s)\n  %s, %d open, %s\n  %s of %s, %s", r.Archive, r.ID, plural(int64(r.Segments), "segment"), r.Open, bytesText(r.Bytes),
		plural(r.Posts, "post"), plural(r.Accounts, "account"), plural(r.Fetches, "fetch")); err != nil {
		return err
	}
	for _, list := range []struct {
		title  string
		counts map[string]int64
	}{{"posts", r.Platforms}, {"fetches", outcomeWords(r.Outcomes)}} {
		if err := a.printf("%s", list.title); err != nil {
			return err
		}
		for _, name := range sortedByCount(list.counts) {
			if err := a.printf("  %8d %s", list.counts[name], name); err != nil {
				return err
			}
		}
	}
	if r.Unfinished > 0 {
		return a.printf("%s: the same `refrain collect` again goes on with it", plural(int64(r.Unfinished), "unfinished run"))
	}
	return nil
}

func outcomeWords(m map[post.Outcome]int64) map[string]int64 {
	words := map[string]int64{}
	for o, n := range m {
		words[string(o)] = n
	}
	return words
}

func sortedByCount(m map[string]int64) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if m[names[i]] != m[names[j]] {
			return m[names[i]] > m[names[j]]
		}
		return names[i] < names[j]
	})
	return names
}

func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(n)/1e3)
}
