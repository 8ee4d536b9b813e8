package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

type recheckCmd struct {
	Query []string      `arg:"" optional:"" help:"Which posts, as for refrain search; nothing is every post."`
	Limit int           `short:"n" default:"200" help:"At most so many posts, those not looked at for the longest time first; 0 is all."`
	Wait  time.Duration `placeholder:"SPAN" default:"10m" help:"Wait at most so long when every host asks to wait."`
}

func (recheckCmd) Help() string {
	return `Asks each post's own address again. What is found is an observation like any other: edits, counts, and
that a post is not served any more. A disappearance is asked by a second route of the platform where there is
one, and shown as confirmed when both say so. A wall says nothing about a post.

Examples:
  refrain recheck account:ana platform:tumblr
  refrain recheck from:2026-11-01
` + exitCodes
}

// recheckedRow is one post as --json shows it.
type recheckedRow struct {
	Post    string       `json:"post"` // PLATFORM:ID
	URL     string       `json:"url"`
	Before  post.Outcome `json:"before"`
	Now     post.Outcome `json:"now"`
	Changed bool         `json:"changed"`        // edited since it was served before
	Back    bool         `json:"back,omitempty"` // it was not served when it was looked at before
	Gone    int          `json:"gone,omitempty"` // routes that say it is not there
	Reason  string       `json:"reason,omitempty"`
}

func (c recheckCmd) Run(ctx context.Context, a *app) (err error) {
	q, err := corpus.ParseQuery(strings.Join(c.Query, " "))
	if err != nil {
		return &exitError{exitUsage, err}
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	before, err := c.posts(ctx, a, q)
	if err != nil {
		return err
	}
	if len(before) == 0 {
		return fmt.Errorf("recheck: no post is found by %q", strings.Join(c.Query, " "))
	}
	options := crawlers.Options{MaxPosts: 1, MaxPages: 1, MaxPark: c.Wait}
	var seeds []crawlers.Seed
	for _, h := range before {
		if u, err := url.Parse(h.Post.URL); err == nil && u.Host != "" {
			seeds = append(seeds, crawlers.Seed{Text: h.Post.URL, URL: u})
		}
	}
	sum, err := c.ask(ctx, a, cfg, options, seeds)
	if err != nil {
		return err
	}
	// What seems to be gone is asked by another route of its platform.
	for _, round := range secondRounds(a.collectors(), sum.Targets, func(name string) bool { return cfg.Keys[name].Secret != "" }) {
		if sum.Interrupted {
			break
		}
		options.Routes = round.routes
		other, err := c.ask(ctx, a, cfg, options, round.seeds)
		if err != nil {
			return err
		}
		sum.Interrupted = other.Interrupted
		// What another route serves stands.
		for _, t := range other.Targets {
			for i := range sum.Targets {
				if sum.Targets[i].Seed == t.Seed && t.Outcome.Scope() == post.ScopeServed {
					sum.Targets[i] = t
				}
			}
		}
	}
	return c.report(ctx, a, before, sum)
}

// A secondRound is what can be asked in one run: of each platform, one route.
type secondRound struct {
	routes map[string][]string
	seeds  []crawlers.Seed
}

// secondRounds gives what is to be asked again of targets that are not served.
// Targets of one platform may need different routes (posts one, comments
// another): those are in different rounds.
func secondRounds(list []crawlers.Collector, targets []crawlers.TargetSummary, hasKey func(string) bool) []secondRound {
	var rounds []secondRound
	for _, t := range targets {
		if t.Outcome.Scope() != post.ScopeTarget {
			continue
		}
		u, err := url.Parse(t.Seed)
		route := otherRoute(list, t.Target, hasKey)
		if err != nil || route == "" {
			continue
		}
		at := slices.IndexFunc(rounds, func(r secondRound) bool {
			set := r.routes[t.Ref.Platform]
			return len(set) == 0 || set[0] == route
		})
		if at < 0 {
			at, rounds = len(rounds), append(rounds, secondRound{routes: map[string][]string{}})
		}
		rounds[at].routes[t.Ref.Platform] = []string{route}
		rounds[at].seeds = append(rounds[at].seeds, crawlers.Seed{Text: t.Seed, URL: u})
	}
	return rounds
}

func (c recheckCmd) posts(ctx context.Context, a *app, q corpus.Query) (hits []corpus.Hit, err error) {
	store, err := a.freshCorpus(ctx)
	if err != nil {
		return nil, err
	}
	defer closing(&err, store)
	q.Limit, q.Longest = c.Limit, true
	if c.Limit == 0 {
		q.Limit = -1
	}
	hits, _, err = store.Search(ctx, q)
	return hits, err
}

func (c recheckCmd) ask(ctx context.Context, a *app, cfg config.Config, options crawlers.Options, seeds []crawlers.Seed) (crawlers.Summary, error) {
	s, err := a.openSession(ctx, cfg, sessionOptions{description: "recheck"})
	if err != nil {
		return crawlers.Summary{}, err
	}
	return s.collect(ctx, options, seeds)
}

// otherRoute gives a route that a target was not asked by yet, "" if there is
// none that can be used.
func otherRoute(list []crawlers.Collector, t crawlers.Target, hasKey func(string) bool) string {
	c := crawlers.ByPlatform(list, t.Ref.Platform)
	if c == nil {
		return ""
	}
	tried := map[string]bool{}
	for _, r := range t.Routes {
		tried[r.Route] = true
	}
	for _, r := range c.About().Routes {
		if !tried[r.Name] && !r.OptIn && crawlers.Serves(r, t.Ref.Kind) && (r.Key == "" || hasKey(r.Key)) {
			return r.Name
		}
	}
	return ""
}

func (c recheckCmd) report(ctx context.Context, a *app, before []corpus.Hit, sum crawlers.Summary) (err error) {
	store, err := a.freshCorpus(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	asked := map[string]crawlers.TargetSummary{}
	for _, t := range sum.Targets {
		asked[t.Seed] = t
	}
	stand, gone, unknown, edited := 0, 0, 0, 0
	for _, h := range before {
		row := recheckedRow{Post: h.Post.Key(), URL: h.Post.URL, Before: h.Standing}
		t, ok := asked[h.Post.URL]
		row.Now, row.Reason = t.Outcome, t.Reason
		if !ok || t.Outcome == "" {
			row.Now, row.Reason = "", "not asked"
		}
		views, err := store.Posts(ctx, h.Post.Key())
		if err != nil {
			return err
		}
		if len(views) == 1 {
			row.Gone = views[0].Gone
			if n := len(views[0].Observations); n > h.Seen {
				for _, o := range views[0].Observations[h.Seen:] {
					row.Changed = row.Changed || o.Changed && o.Post != nil
					row.Back = row.Back || o.Back
				}
			}
		}
		switch row.Now.Scope() {
		case post.ScopeServed:
			stand++
		case post.ScopeTarget:
			gone++
		default:
			unknown++
		}
		if row.Changed {
			edited++
		}
		if err := a.printRechecked(row); err != nil {
			return err
		}
	}
	if !a.JSON {
		if err := a.printf("%s: %d served (%d changed), %d not served, %d could not be told", plural(int64(len(before)), "post"), stand, edited, gone, unknown); err != nil {
			return err
		}
	}
	if unknown > 0 || sum.Interrupted {
		return &exitError{exitPartly, errReported}
	}
	return nil
}

func (a *app) printRechecked(row recheckedRow) error {
	if a.JSON {
		return a.writeJSON(row)
	}
	words := string(row.Now)
	switch {
	case words == "":
		words = "not asked"
	case row.Back && row.Changed:
		words += ", back, changed"
	case row.Back:
		words += ", back"
	case row.Changed:
		words += ", changed"
	case row.Gone > 1:
		words += fmt.Sprintf(", by %d routes", row.Gone)
	}
	return a.printf("%-24s %s  %s%s", words, row.Post, row.URL, reason(row.Reason))
}
