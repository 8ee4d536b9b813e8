package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/index"
	"github.com/refrain-archive/refrain/config"
)

// openIndex opens the index of an archive's captures in the state folder and
// brings it up to date. What could not be taken in is said.
func (a *app) openIndex(ctx context.Context, c config.Config, arch *archive.Archive, skipOpen bool) (*index.Index, error) {
	show := newTicker(a)
	defer show.end()
	x, err := index.Open(ctx, index.Options{
		Dir: filepath.Join(c.State, "index"), Archive: arch, SkipOpen: skipOpen,
		Progress: func(p index.Progress) {
			show.tick(func() string {
				return fmt.Sprintf("index of captures: %d of %d files, %d lines; %s", p.Done, p.Total, p.Lines, p.Source)
			})
		},
	})
	if err != nil {
		return nil, err
	}
	changes, err := x.Update(ctx)
	if err != nil {
		return nil, errors.Join(err, x.Close())
	}
	show.end()
	for _, p := range changes.Problems {
		a.say("refrain: index of captures: %s: %s", p.Source.Name, p.Detail)
	}
	return x, nil
}

// deduplicate lets the session store no payload again that an earlier run
// stored. Without an index everything is stored, which is said: a crawl does not
// stop for that.
func (s *session) deduplicate(ctx context.Context) error {
	if d := s.config.Crawl.Dedup; d != "" && d != config.DedupArchive {
		return nil
	}
	x, err := s.app.openIndex(ctx, s.config, s.archive, true)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var once sync.Once
	failed := func(err error) {
		once.Do(func() {
			s.app.log().Warn("what earlier runs stored cannot be looked up, so answers may be stored again: " + err.Error())
		})
	}
	if err != nil {
		failed(err)
		return nil
	}
	s.index = x
	s.archive.Deduplicate(func(ctx context.Context, payload [32]byte) (archive.Earlier, bool) {
		o, ok, err := x.Original(ctx, payload)
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		return o, ok && err == nil
	})
	return nil
}

// closeIndex closes the index, if there is one.
func (s *session) closeIndex() error {
	if s.index == nil {
		return nil
	}
	return s.index.Close()
}
