package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/frontier"
	"github.com/refrain-archive/refrain/crawlers/web"
	"github.com/refrain-archive/refrain/post"
)

type collectCmd struct {
	Seeds    []string `arg:"" optional:"" name:"seed" help:"Addresses of accounts, blogs, tags, posts, pages or feeds."`
	SeedFile []string `name:"seeds" placeholder:"FILE" help:"List of seeds: text with one a line (# starts a comment), CSV or XLSX; - is standard input. refrain seeds FILE shows what is in it."`

	MaxPosts  int           `placeholder:"N" help:"At most so many posts of each seed."`
	MaxPages  int           `placeholder:"N" help:"At most so many listing pages of each seed."`
	Since     string        `placeholder:"DAY" help:"Stop at posts older than this day (2026-11-23, or RFC 3339)."`
	Until     string        `placeholder:"DAY" help:"Leave out posts from this day on."`
	Comments  bool          `help:"Comments and replies too."`
	Follow    int           `placeholder:"N" help:"Of web pages: follow links within the site too, N clicks deep (at most 100)."`
	LinksOnly bool          `name:"links-only" help:"Of web pages: look for links only and read no text; every page is archived all the same, and read later by refrain extract."`
	Related   bool          `help:"Other submissions of the same thing too: crossposts, duplicates."`
	Media     bool          `help:"Pictures, videos and sounds too."`
	Route     []string      `placeholder:"PLATFORM:ROUTE" help:"Use this route of a platform (see refrain platforms); can be repeated."`
	Robots    string        `enum:"obey,override" default:"obey" help:"obey robots.txt (the default), or override it; needs --reason, and stands in every record."`
	Reason    string        `placeholder:"TEXT" help:"Why robots.txt is overridden."`
	Wait      time.Duration `placeholder:"SPAN" default:"10m" help:"Wait at most so long when every host asks to wait; then end, to go on later."`
	DryRun    bool          `help:"Say what would be asked, how long that takes at the current pace and what it costs; ask nothing."`
}

func (collectCmd) Help() string {
	return `An interrupted run goes on where it stopped when the same command is given again; a finished one
observes anew. Everything read is in the archive before it is counted.

Examples:
  refrain collect https://ana.tumblr.com/ https://medium.com/@bela
  refrain collect --seeds accounts.csv --comments --media --since 2026-06-01
  refrain collect --follow 3 --media https://news.example/section/
  refrain collect --dry-run --max-posts 500 --seeds accounts.csv
` + exitCodes
}

func (c collectCmd) Run(ctx context.Context, a *app) (err error) {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	seeds, err := c.seeds(a)
	if err != nil {
		return err
	}
	options, err := c.options()
	if err != nil {
		return err
	}
	if err := checkRoutes(a.collectors(), options.Routes); err != nil {
		return err
	}
	if c.DryRun {
		return c.dryRun(a, options, seeds, func(name string) bool { return cfg.Keys[name].Secret != "" })
	}
	if c.Robots == "override" && strings.TrimSpace(c.Reason) == "" {
		return usage(`collect: robots.txt can be overridden only with a reason: --robots=override --reason "…"`)
	}
	o := sessionOptions{}
	if c.Robots == "override" {
		o.robotsReason = c.Reason
	}
	s, err := a.openSession(ctx, cfg, o)
	if err != nil {
		return err
	}
	options.Each = a.printTarget
	sum, err := s.collect(ctx, options, seeds)
	if err != nil {
		return err
	}
	return a.printSummary(sum)
}

// collect runs the driver, shows its progress and closes the session.
func (s *session) collect(ctx context.Context, options crawlers.Options, seeds []crawlers.Seed) (sum crawlers.Summary, err error) {
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	show := newProgress(s.app)
	options.Progress = show.event
	driver, err := s.driver(options)
	if err != nil {
		return sum, &exitError{exitUsage, err}
	}
	sum, err = driver.Run(ctx, seeds) // its last event ends the line of progress
	show.end()
	if errors.Is(err, crawlers.ErrBusy) {
		return sum, fmt.Errorf("collect: %w: let it finish, or stop it, then run this again", err)
	}
	return sum, err
}

func (c collectCmd) options() (crawlers.Options, error) {
	o := crawlers.Options{MaxPosts: c.MaxPosts, MaxPages: c.MaxPages, Comments: c.Comments, Related: c.Related, Media: c.Media, MaxPark: c.Wait}
	if c.Follow < 0 || c.Follow > web.MaxDepth {
		return o, usage("collect: --follow %d: links can be followed 0 to %d clicks deep", c.Follow, web.MaxDepth)
	}
	if state := (web.Options{Depth: c.Follow, Links: c.LinksOnly}).State(); state != nil {
		o.FirstState = map[string][]byte{web.Platform: state}
	}
	if c.Wait == 0 {
		o.MaxPark = -1
	}
	for _, day := range []struct {
		flag, text string
		to         *time.Time
	}{{"--since", c.Since, &o.Since}, {"--until", c.Until, &o.Until}} {
		if day.text == "" {
			continue
		}
		at, err := time.Parse("2006-01-02", day.text)
		if err != nil {
			at, err = time.Parse(time.RFC3339, day.text)
		}
		if err != nil {
			return o, usage("collect: %s %q is not a day: write 2026-11-23 or 2026-11-23T10:00:00Z", day.flag, day.text)
		}
		*day.to = at.UTC()
	}
	for _, r := range c.Route {
		platform, route, ok := strings.Cut(r, ":")
		if !ok {
			return o, usage("collect: --route %q: write PLATFORM:ROUTE, as `refrain platforms` shows them", r)
		}
		if o.Routes == nil {
			o.Routes = map[string][]string{}
		}
		o.Routes[platform] = append(o.Routes[platform], route)
	}
	return o, nil
}

// checkRoutes looks whether routes that were asked for exist, before anything is
// made on disk.
func checkRoutes(list []crawlers.Collector, routes map[string][]string) error {
	for platform, names := range routes {
		c := crawlers.ByPlatform(list, platform)
		if c == nil {
			return usage("collect: --route: no platform is named %q: `refrain platforms` lists them", platform)
		}
		about := c.About()
		for _, name := range names {
			if !slices.ContainsFunc(about.Routes, func(r crawlers.Route) bool { return r.Name == name }) {
				return usage("collect: --route: %s has no route %q: see `refrain platforms %s`", about.Title, name, platform)
			}
		}
	}
	return nil
}

// seeds reads the seeds of the command line and the seed files. One that cannot
// be read ends the command before anything is fetched.
func (c collectCmd) seeds(a *app) ([]crawlers.Seed, error) {
	var seeds []crawlers.Seed
	var wrong []error
	add := func(text, where string) {
		seed, err := crawlers.ParseSeed(text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", where, err))
			return
		}
		seeds = append(seeds, seed)
	}
	for _, text := range c.Seeds {
		add(text, "collect")
	}
	for _, name := range c.SeedFile {
		list, err := a.fileSeeds(name)
		if list == nil && err != nil {
			return nil, usage("collect: read the seeds: %w", err)
		}
		if err != nil {
			wrong = append(wrong, err)
		}
		seeds = append(seeds, list...)
	}
	if len(wrong) > 0 {
		return nil, &exitError{exitUsage, fmt.Errorf("%w\nnothing was fetched: mend the seeds and run this again", errors.Join(wrong...))}
	}
	if len(seeds) == 0 {
		return nil, usage("collect: no seeds: give addresses, or --seeds FILE")
	}
	return seeds, nil
}

// plannedRow is one seed as --dry-run --json shows it.
type plannedRow struct {
	Seed     string       `json:"seed"`
	Platform string       `json:"platform"`
	Ref      crawlers.Ref `json:"ref"`
	Route    string       `json:"route,omitempty"`
	First    []string     `json:"first_requests"`
	Requests int          `json:"requests"` // 0: as many as are served
	TimeS    float64      `json:"time_s"`
	Units    float64      `json:"units,omitempty"`
	Cost     string       `json:"cost,omitempty"`
	Outcome  post.Outcome `json:"outcome,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Advice   []string     `json:"advice,omitempty"`
}

func (c collectCmd) dryRun(a *app, o crawlers.Options, seeds []crawlers.Seed, hasKey func(string) bool) error {
	o.Collectors, o.HasKey = a.collectors(), hasKey
	o.Transport, o.Frontier = noTransport{}, frontier.Memory()
	o.Save = func(context.Context, crawlers.Fetched) error { return nil }
	o.SaveAsset = func(context.Context, crawlers.FetchedAsset) error { return nil }
	driver, err := crawlers.NewDriver(o)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	var total time.Duration
	requests, open, units, stuck := 0, 0, map[string]float64{}, 0
	for _, p := range driver.Plan(seeds) {
		row := plannedRow{Seed: p.Seed, Platform: p.Platform, Ref: p.Ref, Route: p.Route, First: []string{}, Requests: p.Pages, TimeS: p.Time.Seconds(), Units: p.Units, Cost: p.Cost, Outcome: p.Outcome, Reason: p.Reason, Advice: p.Advice}
		for _, r := range p.Requests {
			method := r.Method
			if method == "" {
				method = "GET"
			}
			row.First = append(row.First, method+" "+r.URL)
		}
		total += p.Time
		requests += max(p.Pages, min(1, len(p.Requests)))
		if p.Pages == 0 && p.Outcome == "" {
			open++
		}
		if p.Outcome != "" {
			stuck++
		}
		if p.Cost != "" {
			units[p.Cost] += p.Units
		}
		if a.JSON {
			if err := a.writeJSON(row); err != nil {
				return err
			}
			continue
		}
		if err := a.printPlanned(row); err != nil {
			return err
		}
	}
	if !a.JSON {
		more := ""
		if open > 0 {
			more = fmt.Sprintf(" at least (for %s it is not known how many pages are served: limit with --max-posts or --max-pages)", plural(int64(open), "seed"))
		}
		if err := a.printf("%s, %s at the current pace if one host follows the other%s", plural(int64(requests), "request"), total.Round(time.Second), more); err != nil {
			return err
		}
		for cost, n := range units {
			if err := a.printf("%.0f units (%s)", n, cost); err != nil {
				return err
			}
		}
	}
	if stuck > 0 {
		return &exitError{exitPartly, errReported}
	}
	return nil
}

func (a *app) printPlanned(row plannedRow) error {
	if row.Outcome != "" {
		if err := a.printf("%s\n  cannot be asked: %s (%s)", row.Seed, row.Outcome, row.Reason); err != nil {
			return err
		}
	} else {
		pages := "as many pages as are served"
		if row.Requests > 0 {
			pages = plural(int64(row.Requests), "request")
		}
		if err := a.printf("%s\n  %s %s, route %s: %s, %s", row.Seed, row.Platform, row.Ref.Kind, row.Route, pages, time.Duration(row.TimeS*float64(time.Second)).Round(time.Second)); err != nil {
			return err
		}
	}
	for _, first := range row.First {
		if err := a.printf("  first  %s", first); err != nil {
			return err
		}
	}
	for _, advice := range row.Advice {
		if err := a.printf("  more   %s", advice); err != nil {
			return err
		}
	}
	return nil
}

// printSummary writes what a run came to, its targets left out, and gives the
// error that its exit code follows from.
func (a *app) printSummary(sum crawlers.Summary) error {
	s := sum.Stats
	if !a.JSON {
		if err := a.printf("%s, %s, %s; %s in %s, all in the archive", plural(int64(s.Posts), "post"), plural(int64(s.Comments), "comment"), plural(int64(s.Assets), "file"), plural(int64(s.Requests), "request"), sum.Ended.Sub(sum.Started).Round(100*time.Millisecond)); err != nil {
			return err
		}
	}
	switch {
	case sum.Interrupted:
		return partly("stopped: %s left; run the same command again to go on", plural(int64(sum.Left), "step"))
	case sum.Left > 0:
		at := "now"
		if !sum.Continue.IsZero() {
			at = "after " + sum.Continue.Local().Format("2006-01-02 15:04")
		}
		return partly("%s left, because hosts asked to wait; run the same command again %s to go on", plural(int64(sum.Left), "step"), at)
	case sum.Short > 0:
		return partly("%s of %d could not be collected; see above for what would work", plural(int64(sum.Short), "seed"), sum.Total)
	}
	return nil
}

func (a *app) printTarget(t crawlers.TargetSummary) error {
	if a.JSON {
		return a.writeJSON(t)
	}
	outcome := string(t.Outcome)
	if outcome == "" {
		outcome = "not asked yet"
	}
	coverage := ""
	switch {
	case t.Coverage.Known:
		coverage = fmt.Sprintf(" of %d", t.Coverage.Total)
	case t.Coverage.Window:
		coverage = " (the newest only)"
	}
	line := fmt.Sprintf("%-14s %5d posts%s  %s", outcome, t.Posts, coverage, t.Seed)
	if t.Comments > 0 {
		line += fmt.Sprintf("  %s", plural(int64(t.Comments), "comment"))
	}
	if t.Coverage.End != "" && (a.Verbose || t.Outcome != post.OK) {
		line += "\n    ended: " + t.Coverage.End
	}
	if t.Reason != "" && t.Outcome != post.OK {
		line += "\n    " + shorten(t.Reason, 200)
	}
	for _, advice := range t.Advice {
		line += "\n    " + advice
	}
	return a.printf("%s", line)
}
