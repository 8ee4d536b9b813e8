package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

type platformsCmd struct {
	Name     string `arg:"" optional:"" help:"Show one platform whole."`
	Markdown bool   `help:"Write the table as it stands in the README."`
}

func (platformsCmd) Help() string {
	return `Example:
  refrain platforms reddit
` + exitCodes
}

// platformRow is one platform as --json shows it.
type platformRow struct {
	Platform string     `json:"platform"`
	Title    string     `json:"title"`
	Collects string     `json:"collects"`
	Seeds    []string   `json:"seeds"`
	Routes   []routeRow `json:"routes"`
	Limits   []string   `json:"limits"`
	Checked  string     `json:"checked"`
	Reader   int        `json:"reader"`
}

type routeRow struct {
	Name   string  `json:"name"`
	Key    string  `json:"key,omitempty"`
	Gives  string  `json:"gives"`
	EveryS float64 `json:"every_s"`
	Cost   string  `json:"cost,omitempty"`
	Robots bool    `json:"robots"`
	OptIn  bool    `json:"opt_in,omitempty"`
	Help   string  `json:"key_help,omitempty"`
}

func (c platformsCmd) Run(_ context.Context, a *app) error {
	var rows []platformRow
	for _, collector := range a.collectors() {
		about := collector.About()
		if c.Name == "" || strings.EqualFold(c.Name, about.Platform) {
			rows = append(rows, rowOf(about))
		}
	}
	switch {
	case len(rows) == 0:
		return usage("platforms: no platform is named %q: `refrain platforms` lists them", c.Name)
	case a.JSON:
		for _, row := range rows {
			if err := a.writeJSON(row); err != nil {
				return err
			}
		}
		return nil
	case c.Markdown:
		_, err := fmt.Fprint(a.out, platformTable(rows))
		return err
	}
	for i, row := range rows {
		if i > 0 {
			if err := a.printf(""); err != nil {
				return err
			}
		}
		if err := a.platform(row, c.Name != ""); err != nil {
			return err
		}
	}
	return nil
}

func rowOf(about crawlers.About) platformRow {
	row := platformRow{Platform: about.Platform, Title: about.Title, Collects: about.Collects, Seeds: about.Seeds, Limits: about.Limits, Checked: about.Checked, Reader: about.Reader}
	help := map[string]string{}
	for _, key := range about.Keys {
		help[key.Name] = key.Help
	}
	for _, r := range about.Routes {
		row.Routes = append(row.Routes, routeRow{Name: r.Name, Key: r.Key, Gives: r.Gives, EveryS: r.Every.Seconds(), Cost: r.Cost, Robots: r.Robots, OptIn: r.OptIn, Help: help[r.Key]})
	}
	return row
}

func (a *app) platform(row platformRow, whole bool) error {
	lines := []string{fmt.Sprintf("%s (%s): %s", row.Title, row.Platform, row.Collects)}
	for _, r := range row.Routes {
		key := "no key"
		if r.Key != "" {
			key = "key " + r.Key
		}
		if r.OptIn {
			key += ", only with --route " + r.Name
		}
		lines = append(lines, fmt.Sprintf("  %-6s %s, %s: %s", r.Name, key, pace(r.EveryS), r.Gives))
		if whole && r.Cost != "" {
			lines = append(lines, "         costs "+r.Cost)
		}
		if whole && r.Help != "" {
			lines = append(lines, "         key: "+r.Help)
		}
	}
	if whole {
		for _, s := range row.Seeds {
			lines = append(lines, "  seed   "+s)
		}
	}
	for _, l := range row.Limits {
		lines = append(lines, "  limit  "+l)
	}
	if whole {
		lines = append(lines, "  facts checked "+row.Checked)
	}
	return a.printf("%s", strings.Join(lines, "\n"))
}

func pace(seconds float64) string {
	if seconds == 0 {
		return "default pace"
	}
	if seconds < 1 {
		return fmt.Sprintf("%.3g requests/s", 1/seconds)
	}
	return "1 request per " + time.Duration(seconds*float64(time.Second)).String()
}

// platformTable is the table that stands in the README.
func platformTable(rows []platformRow) string {
	var b strings.Builder
	b.WriteString("| platform | collects | route | key | pace | known limits | checked |\n|---|---|---|---|---|---|---|\n")
	for _, row := range rows {
		for i, r := range row.Routes {
			title, collects, limits, checked := "", "", "", ""
			if i == 0 {
				title, collects, limits, checked = row.Title, row.Collects, strings.Join(row.Limits, "; "), row.Checked
			}
			key := "none"
			if r.Key != "" {
				key = r.Key
			}
			if r.OptIn {
				key += " (on request)"
			}
			cells := []string{title, collects, r.Name + ": " + r.Gives, key, pace(r.EveryS), limits, checked}
			for i := range cells {
				cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	return b.String()
}
