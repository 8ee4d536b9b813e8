package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers/polite"
)

type doctorCmd struct{}

func (doctorCmd) Help() string {
	return `Checks what a crawl needs, and says what to do about each thing that is missing. It asks no platform.
` + exitCodes
}

// A check is one thing that doctor looked at.
type check struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok, note, wrong
	Detail string `json:"detail"`
	Do     string `json:"do,omitempty"` // what to do next
}

func (doctorCmd) Run(ctx context.Context, a *app) error {
	var list []check
	cfg, err := a.config()
	if err != nil {
		list = append(list, check{"configuration", "wrong", err.Error(), "mend the configuration file or variable that it names"})
	} else {
		list = a.examine(ctx, cfg)
	}
	wrong := 0
	for _, c := range list {
		if c.State == "wrong" {
			wrong++
		}
		if a.JSON {
			err = a.writeJSON(c)
		} else {
			line := fmt.Sprintf("%-6s %-14s %s", c.State, c.Name, c.Detail)
			if c.Do != "" {
				line += "\n       → " + c.Do
			}
			err = a.printf("%s", line)
		}
		if err != nil {
			return err
		}
	}
	if wrong > 0 {
		return &exitError{exitFailed, errReported}
	}
	return nil
}

func (a *app) examine(ctx context.Context, cfg config.Config) []check {
	list := []check{a.checkConfig()}
	if _, err := polite.New(polite.Options{Next: noTransport{}, Contact: cfg.Contact, Version: version}); err != nil {
		list = append(list, check{"contact", "wrong", strings.TrimPrefix(err.Error(), "polite: "), "write `contact: you@example.org` into refrain.yaml, or set REFRAIN_CONTACT"})
	} else {
		list = append(list, check{"contact", "ok", cfg.Contact, ""})
	}
	list = append(list, a.checkArchive(ctx, cfg), checkState(cfg), checkCorpus(ctx, cfg), checkDictionaries(), checkClock(time.Now()))
	return append(list, a.checkKeys(cfg)...)
}

func (a *app) checkConfig() check {
	_, path, err := config.Load(a.Config, config.Environment{})
	switch {
	case err != nil:
		return check{"configuration", "wrong", err.Error(), ""}
	case path == "":
		return check{"configuration", "note", "no file: the built-in settings and REFRAIN_ variables hold", ""}
	}
	return check{"configuration", "ok", path, ""}
}

// checkArchive looks whether the archive is there, or could be made.
func (a *app) checkArchive(ctx context.Context, cfg config.Config) check {
	if strings.HasPrefix(cfg.Archive, "s3://") {
		if _, err := openStore(ctx, cfg); err != nil {
			return check{"archive", "wrong", err.Error(), "check s3.endpoint, s3.region and the keys, and that the bucket exists"}
		}
		return check{"archive", "ok", cfg.Archive, ""}
	}
	if err := writable(cfg.Archive); err != nil {
		return check{"archive", "wrong", err.Error(), "give a folder that you may write to: `archive:` in refrain.yaml, or --archive DIR"}
	}
	detail := cfg.Archive
	if free, ok := freeBytes(cfg.Archive); ok {
		detail += ", " + bytesText(free) + " free"
		if free < 2<<30 {
			return check{"archive", "wrong", detail, "make room: segments grow to 1 GB, and a full disk ends a crawl"}
		}
	}
	return check{"archive", "ok", detail, ""}
}

func checkState(cfg config.Config) check {
	if err := writable(cfg.State); err != nil {
		return check{"state", "wrong", err.Error(), "set `state:` in refrain.yaml to a folder that you may write to"}
	}
	return check{"state", "ok", cfg.State, ""}
}

// writable reports whether a folder is there and can be written to, or could be
// made. It leaves nothing behind.
func writable(dir string) error {
	for {
		info, err := os.Stat(dir)
		if err == nil {
			if !info.IsDir() {
				return fmt.Errorf("%s is a file, not a folder", dir)
			}
			f, err := os.CreateTemp(dir, ".refrain-doctor-*")
			if err != nil {
				return err
			}
			return errors.Join(f.Close(), os.Remove(f.Name()))
		}
		if !os.IsNotExist(err) {
			return err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return err
		}
		dir = parent
	}
}

func checkCorpus(ctx context.Context, cfg config.Config) check {
	path := filepath.Join(cfg.State, "corpus.sqlite")
	if _, err := os.Stat(path); err != nil {
		return check{"corpus", "note", "none yet: it is made at the first search", ""}
	}
	store, err := corpus.Open(ctx, path)
	if err != nil {
		return check{"corpus", "wrong", err.Error(), "`refrain rebuild` makes it anew from the archive"}
	}
	totals, err := store.Totals(ctx)
	if err = errors.Join(err, store.Close()); err != nil {
		return check{"corpus", "wrong", err.Error(), "`refrain rebuild` makes it anew from the archive"}
	}
	return check{"corpus", "ok", fmt.Sprintf("%s, %s", path, plural(totals.Posts, "post")), ""}
}

// built is a day before which no clock can be right: this program was not there.
var built = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func checkClock(now time.Time) check {
	now = now.UTC()
	if now.Before(built) {
		return check{"clock", "wrong", "it says " + now.Format(time.RFC3339) + ", which is before this program was made", "set the clock: every capture bears its time"}
	}
	return check{"clock", "ok", now.Format(time.RFC3339), ""}
}

func (a *app) checkKeys(cfg config.Config) []check {
	var list []check
	known := map[string]bool{}
	for _, c := range a.collectors() {
		about := c.About()
		for _, key := range about.Keys {
			known[key.Name] = true
			switch have := cfg.Keys[key.Name]; {
			case have.Secret == "":
				list = append(list, check{"key " + key.Name, "note", "not set: " + about.Title + " is read without it", key.Help})
			case key.Scheme == "client_credentials" && have.ID == "":
				list = append(list, check{"key " + key.Name, "wrong", "the secret is set, the id is not", "set keys." + key.Name + ".id"})
			default:
				list = append(list, check{"key " + key.Name, "ok", "set (not tried: doctor asks no platform)", ""})
			}
		}
	}
	for name := range cfg.Keys {
		if !known[name] {
			list = append(list, check{"key " + name, "wrong", "no platform has a key of this name", "see `refrain platforms`"})
		}
	}
	return list
}
