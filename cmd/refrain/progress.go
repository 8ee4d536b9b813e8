package main

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// A progress shows how a run goes on: a line that is redrawn on a terminal, a
// plain line now and then elsewhere. The driver calls event from one goroutine.
type progress struct {
	app    *app
	redraw bool
	every  time.Duration
	last   time.Time
	drawn  bool
	hosts  map[string]hostLine
	now    func() time.Time
}

type hostLine struct {
	outcome post.Outcome
	until   time.Time
	at      time.Time
}

func newProgress(a *app) *progress {
	p := &progress{app: a, redraw: a.terminal && !a.JSON, every: 10 * time.Second, hosts: map[string]hostLine{}, now: time.Now}
	if p.redraw {
		p.every = 200 * time.Millisecond
	}
	return p
}

func (p *progress) event(e crawlers.Event) {
	if p.app.Quiet {
		return
	}
	switch e.Kind {
	case crawlers.EventFetch:
		p.note(e)
	case crawlers.EventWait:
		p.clear()
		fmt.Fprintf(p.app.err, "waiting until %s: every host with something to do asked to wait\n", e.Until.Local().Format("15:04:05")) //nolint:errcheck // a notice
		return
	}
	now := p.now()
	if e.Kind != crawlers.EventEnd && now.Sub(p.last) < p.every {
		return
	}
	p.last = now
	line := p.line(e.Stats)
	if p.redraw {
		fmt.Fprintf(p.app.err, "\r\x1b[K%s", shorten(line, 118)) //nolint:errcheck // a notice
		if p.drawn = true; e.Kind == crawlers.EventEnd {
			p.clear() // what follows is the targets
		}
	} else if e.Kind != crawlers.EventStart || e.Stats.Done > 0 {
		fmt.Fprintln(p.app.err, line) //nolint:errcheck // a notice
	}
}

// note keeps what is worth a word of a host, and says at once what went wrong.
func (p *progress) note(e crawlers.Event) {
	p.hosts[e.Host] = hostLine{e.Outcome, e.Again, e.Time}
	if len(p.hosts) > 1000 {
		p.forget()
	}
	if e.Outcome.Scope() == post.ScopeServed && !p.app.Verbose {
		return
	}
	p.clear()
	again := ""
	if !e.Again.IsZero() {
		again = ", again at " + e.Again.Local().Format("15:04:05")
	}
	fmt.Fprintf(p.app.err, "%-14s %s%s%s\n", e.Outcome, e.URL, reason(e.Reason), again) //nolint:errcheck // a notice
}

func reason(s string) string {
	if s == "" {
		return ""
	}
	return " (" + shorten(s, 120) + ")"
}

func (p *progress) forget() {
	for host, l := range p.hosts {
		if p.now().Sub(l.at) > time.Minute {
			delete(p.hosts, host)
		}
	}
}

func (p *progress) line(s crawlers.Stats) string {
	line := plural(int64(s.Posts), "post")
	if s.Comments > 0 {
		line += ", " + plural(int64(s.Comments), "comment")
	}
	if s.Assets > 0 {
		line += ", " + plural(int64(s.Assets), "file")
	}
	line += fmt.Sprintf(" · %s, %.1f/s · %d to do", plural(int64(s.Requests), "request"), s.PerSecond, s.Todo)
	if s.PerSecond > 0 && s.Todo > 0 {
		line += ", " + time.Duration(float64(s.Todo)/s.PerSecond*float64(time.Second)).Round(time.Second).String() + " at this rate"
	}
	var waiting []string
	for host, l := range p.hosts {
		if l.until.After(p.now()) {
			waiting = append(waiting, host+" "+l.until.Sub(p.now()).Round(time.Second).String())
		}
	}
	if len(waiting) > 0 {
		sort.Strings(waiting)
		line += " · waiting: " + strings.Join(waiting, ", ")
	}
	if s.Hosts > 0 {
		line += fmt.Sprintf(" · %d hosts", s.Hosts)
	}
	return line
}

func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.app.err, "\r\x1b[K") //nolint:errcheck // a notice
		p.drawn = false
	}
}

func (p *progress) end() { p.clear() }
