package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/all"
)

// globals are the flags that every verb takes.
type globals struct {
	Archive string `placeholder:"DIR|s3://BUCKET/PREFIX" help:"Where the archive is (default: in your data folder)."`
	Config  string `placeholder:"FILE" help:"Configuration file (default: refrain.yaml here, then in your configuration folder)."`
	Proxy   string `placeholder:"URL" help:"Proxy for all requests: http://, https:// or socks5://."`
	JSON    bool   `name:"json" help:"Write JSON, one object a line."`
	Quiet   bool   `short:"q" help:"No progress."`
	Verbose bool   `short:"v" help:"Say more."`
}

// An app is one run of the program: its streams, flags and configuration.
type app struct {
	streams
	globals
}

// columns is the width of the terminal that the result goes to, and 80 where that
// is none.
func (a *app) columns() int {
	if a.width > 0 {
		return a.width
	}
	return 80
}

// log gives the logger for notices that are no result.
func (a *app) log() *slog.Logger {
	level := slog.LevelInfo
	switch {
	case a.Quiet:
		level = slog.LevelError
	case a.Verbose:
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
		if attr.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return attr
	}}))
}

// config reads the configuration and puts the flags over it.
func (a *app) config() (config.Config, error) {
	c, _, err := config.Load(a.Config, config.Environment{})
	if err != nil {
		return config.Config{}, &exitError{exitUsage, err}
	}
	if a.Archive != "" && a.Archive != c.Archive {
		c.Archive = a.Archive
		if os.Getenv("REFRAIN_STATE") == "" {
			// A configured state folder belongs to the configured archive.
			if c.State, err = config.StateFor(a.Archive, config.Environment{}); err != nil {
				return config.Config{}, err
			}
		}
	}
	if a.Proxy != "" {
		c.Crawl.Proxy = a.Proxy
	}
	return c, nil
}

// collectors gives the collectors of this run.
func (a *app) collectors() []crawlers.Collector { return all.Collectors() }

// openCorpus opens the corpus in the state folder and creates both where they
// are absent.
func openCorpus(ctx context.Context, c config.Config) (*corpus.Store, error) {
	if err := os.MkdirAll(c.State, 0o755); err != nil {
		return nil, fmt.Errorf("make the state folder (set `state` in refrain.yaml to a folder that can be written): %w", err)
	}
	return corpus.Open(ctx, filepath.Join(c.State, "corpus.sqlite"))
}

// writeJSON writes v as one line.
func (a *app) writeJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printf writes a line of the result.
func (a *app) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(a.out, format+"\n", args...)
	return err
}

// say writes a notice that is no result, unless --quiet.
func (a *app) say(format string, args ...any) {
	if !a.Quiet {
		fmt.Fprintf(a.err, format+"\n", args...) //nolint:errcheck // nothing could be said of it
	}
}

// closing joins the error of closing c to err.
func closing(err *error, c interface{ Close() error }) {
	*err = errors.Join(*err, c.Close())
}

// plural gives "1 post", "2 posts".
func plural(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if strings.HasSuffix(one, "y") && !strings.HasSuffix(one, "ey") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(one, "y"))
	}
	if strings.HasSuffix(one, "ch") {
		one += "e"
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// shorten cuts s to n characters for a line of a list.
func shorten(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
