package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/demoweb"
	"github.com/refrain-archive/refrain/post"
)

type demoCmd struct {
	Once  bool   `help:"Print a summary and end; otherwise the made-up web keeps running until Ctrl-C, to be tried by hand."`
	Dir   string `placeholder:"DIR" help:"Keep archive and state here (default: a temporary folder, kept when the demo ends)."`
	Small bool   `help:"A smaller world: half a minute instead of two to three."`
	Seed  uint64 `default:"1" help:"Another number is another made-up world."`
}

func (demoCmd) Help() string {
	return `No real site is touched: every host leads to this machine, and every record of the demo's archive says so.

Example:
  refrain demo --once
` + exitCodes
}

func (c demoCmd) Run(ctx context.Context, a *app) (err error) {
	var size demoweb.Size
	if c.Small {
		size = demoweb.Size{Ordinary: 4, Operation: 2, Posts: 4}
	}
	world := demoweb.NewWorld(c.Seed, size)
	server, err := demoweb.Start(ctx, world)
	if err != nil {
		return err
	}
	defer closing(&err, server)
	cfg, err := demoConfig(c.Dir, server)
	if err != nil {
		return err
	}
	a.say("the made-up social web is at %s: %d accounts, %d posts", server.Address(), len(world.Accounts), len(world.Posts))
	s, err := a.openSession(ctx, cfg, sessionOptions{demo: true, description: "demonstration: a made-up web on loopback, nothing in it is real"})
	if err != nil {
		return err
	}
	var seeds []crawlers.Seed
	for _, text := range world.Seeds() {
		seed, err := crawlers.ParseSeed(text)
		if err != nil {
			return err
		}
		seeds = append(seeds, seed)
	}
	sum, err := s.collect(ctx, crawlers.Options{Comments: true, Media: true, MaxPark: -1}, seeds)
	if err != nil {
		return err
	}
	if sum.Interrupted {
		return partly("stopped: run the demo again")
	}
	store, err := a.freshCorpusOf(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	if err := a.printDemo(ctx, store, world, sum, cfg); err != nil {
		return err
	}
	if c.Once {
		return nil
	}
	if err := a.printf("\nThe made-up web runs until Ctrl-C. In another window:\n  refrain --config %s search bridge", configFile(cfg)); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func configFile(cfg config.Config) string {
	return filepath.Join(filepath.Dir(cfg.Archive), "refrain.yaml")
}

// demoConfig makes the configuration of a demo, and writes it beside the archive
// for whoever wants to go on by hand.
func demoConfig(dir string, server *demoweb.Server) (cfg config.Config, err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "refrain-demo-"); err != nil {
			return cfg, err
		}
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return cfg, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return cfg, err
	}
	cfg = config.Config{
		Contact: "demo@refrain.example", Archive: filepath.Join(dir, "archive"), State: filepath.Join(dir, "state"), Origins: server.Origins(),
		// The pace of real sites would make a demo of an hour; this one is ours.
		Crawl: config.Crawl{Pace: map[string]config.Duration{"*": config.Duration(time.Millisecond)}, MaxWait: config.Duration(2 * time.Second)},
	}
	text := fmt.Sprintf("contact: %s\narchive: %q\nstate: %q\ncrawl:\n  pace: {\"*\": 1ms}\n  max_wait: 2s\norigins:\n", cfg.Contact, cfg.Archive, cfg.State)
	var hosts []string
	for host := range cfg.Origins {
		hosts = append(hosts, host)
	}
	sort.Strings(hosts)
	for _, host := range hosts {
		text += fmt.Sprintf("  %q: %q\n", host, cfg.Origins[host])
	}
	return cfg, os.WriteFile(configFile(cfg), []byte(text), 0o644)
}

// demoReport is what --json writes.
type demoReport struct {
	Archive   string                 `json:"archive"`
	Config    string                 `json:"config"`
	World     int                    `json:"posts_in_world"`
	Found     int                    `json:"posts_found"` // of them
	Wrong     int                    `json:"posts_with_other_text"`
	Posts     int64                  `json:"posts"` // in the corpus, comments and pages included
	Platforms map[string]int64       `json:"platforms"`
	Outcomes  map[post.Outcome]int64 `json:"outcomes"`
	Requests  int                    `json:"requests"`
	Seconds   float64                `json:"seconds"`
	Truth     demoTruth              `json:"truth"`
}

// printDemo compares what was collected with what the world holds: the made-up
// web knows the truth.
func (a *app) printDemo(ctx context.Context, store *corpus.Store, world *demoweb.World, sum crawlers.Summary, cfg config.Config) error {
	totals, err := store.Totals(ctx)
	if err != nil {
		return err
	}
	r := demoReport{Archive: cfg.Archive, Config: configFile(cfg), World: len(world.Posts), Posts: totals.Posts, Platforms: totals.Platforms, Outcomes: totals.Outcomes,
		Requests: sum.Stats.Requests, Seconds: sum.Ended.Sub(sum.Started).Seconds()}
	for _, p := range world.Posts {
		view, err := demoView(ctx, store, p)
		if err != nil {
			return err
		}
		if view != nil {
			r.Found++
			if !sameWords(view.Post.Text, p) {
				r.Wrong++
			}
		}
	}
	if r.Truth, err = a.judge(ctx, cfg, store, world); err != nil {
		return err
	}
	if a.JSON {
		return a.writeJSON(r)
	}
	if err := a.printf("\ncollected in %.1f s with %s: %s in the corpus", r.Seconds, plural(int64(r.Requests), "request"), plural(r.Posts, "post")); err != nil {
		return err
	}
	for _, name := range sortedByCount(r.Platforms) {
		if err := a.printf("  %6d %s", r.Platforms[name], name); err != nil {
			return err
		}
	}
	if err := a.printf("how the fetches ended:"); err != nil {
		return err
	}
	for _, name := range sortedByCount(outcomeWords(r.Outcomes)) {
		if err := a.printf("  %6d %s", r.Outcomes[post.Outcome(name)], name); err != nil {
			return err
		}
	}
	if err := a.printf("of the world's %d posts %d were found, %d with other words than were written\n(Reddit's and Medium's feeds serve the newest only; the rest is not there to be had without a key)", r.World, r.Found, r.Wrong); err != nil {
		return err
	}
	if err := a.printTruth(r.Truth); err != nil {
		return err
	}
	return a.printf("archive: %s\nlook around: refrain --config %s narratives", r.Archive, r.Config)
}

// sameWords reports whether a collected text holds what was written, whatever
// its white space: a reblog carries the words of the post it passes on too, and
// a link its label.
func sameWords(collected string, p *demoweb.Post) bool {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	return strings.Contains(squeeze(collected), squeeze(p.Text))
}
