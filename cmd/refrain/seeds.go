package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/seeds"
)

type seedsCmd struct {
	Files []string `arg:"" name:"file" help:"Lists of seeds: text, CSV or XLSX; - is standard input."`
}

func (seedsCmd) Help() string {
	return `Reads lists of seeds as "refrain collect --seeds" does and says what was recognised, what not and why, and
which lines name the same target. Nothing is fetched. Columns are found by what stands in them.

Example:
  refrain seeds accounts.xlsx
` + exitCodes
}

// seedRow is one target of a list, as --json shows it.
type seedRow struct {
	Type     string       `json:"type"` // "seed"
	File     string       `json:"file"`
	Place    string       `json:"place"`
	Also     []string     `json:"also,omitempty"`
	Seed     string       `json:"seed"`
	Platform string       `json:"platform"`
	Ref      crawlers.Ref `json:"ref"`
}

// faultRow is a place of a list that holds no seed.
type faultRow struct {
	Type string `json:"type"` // "fault"
	File string `json:"file"`
	seeds.Fault
}

func (c seedsCmd) Run(_ context.Context, a *app) error {
	faults := 0
	for _, name := range c.Files {
		list, err := a.readSeeds(name)
		if err != nil {
			return usage("seeds: %w", err)
		}
		faults += len(list.Faults)
		if a.JSON {
			err = a.writeSeedRows(name, list)
		} else {
			err = a.printSeedList(name, list)
		}
		if err != nil {
			return err
		}
	}
	if faults > 0 {
		return &exitError{exitPartly, errReported}
	}
	return nil
}

// readSeeds reads one list.
func (a *app) readSeeds(name string) (*seeds.List, error) {
	data, err := readFile(name, a.in)
	if err != nil {
		return nil, err
	}
	list, err := seeds.Read(data, a.collectors())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

func (a *app) writeSeedRows(name string, list *seeds.List) error {
	for _, f := range list.Found {
		if err := a.writeJSON(seedRow{"seed", name, f.Place, f.Also, f.Seed.Text, f.Ref.Platform, f.Ref}); err != nil {
			return err
		}
	}
	for _, f := range list.Faults {
		if err := a.writeJSON(faultRow{"fault", name, f}); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printSeedList(name string, list *seeds.List) error {
	platforms := map[string]int64{}
	for _, f := range list.Found {
		platforms[f.Ref.Platform]++
		also := ""
		if len(f.Also) > 0 {
			also = "  (also " + strings.Join(f.Also, ", ") + ")"
		}
		if err := a.printf("%-20s %-11s %-8s %s%s", f.Place, f.Ref.Platform, f.Ref.Kind, f.Ref.URL, also); err != nil {
			return err
		}
	}
	for _, f := range list.Faults {
		if err := a.printf("%-20s not a seed: %s", f.Place, f.Why); err != nil {
			return err
		}
	}
	columns := ""
	if len(list.Columns) > 0 {
		columns = ", from " + strings.Join(list.Columns, ", ")
	}
	return a.printf("%s (%s%s): %s%s, %d merged, %d not recognised", name, list.Form, columns, plural(int64(len(list.Found)), "target"), counted(" (", platforms, ")"), list.Merged(), len(list.Faults))
}

// fileSeeds gives the seeds of a list for a collection, and an error for each
// place that holds none.
func (a *app) fileSeeds(name string) ([]crawlers.Seed, error) {
	list, err := a.readSeeds(name)
	if err != nil {
		return nil, err
	}
	var wrong []error
	for _, f := range list.Faults {
		wrong = append(wrong, fmt.Errorf("%s %s: %s", name, f.Place, f.Why))
	}
	if n := list.Merged(); n > 0 {
		a.say("refrain: %s: %s of targets named before", name, plural(int64(n), "mention"))
	}
	found := make([]crawlers.Seed, len(list.Found))
	for i, f := range list.Found {
		found[i] = f.Seed
	}
	return found, errors.Join(wrong...)
}
