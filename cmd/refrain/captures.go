package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
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

// indexCaptures brings the index of captures up to date, and says how many it has.
func (a *app) indexCaptures(ctx context.Context, c config.Config) (err error) {
	arch, err := a.openArchive(ctx, c, true)
	if err != nil {
		return err
	}
	x, err := a.openIndex(ctx, c, arch, false)
	if err != nil {
		return err
	}
	defer closing(&err, x)
	a.say("refrain: index of captures: %s", plural(x.Stats().Lines, "capture"))
	return nil
}

// maxShown is how many captures of a URL are shown, the latest ones.
const maxShown = 100

// A capturedRow is one capture of a URL as it is shown.
type capturedRow struct {
	URL    string `json:"url"`
	At     string `json:"timestamp"` // 14 digits, UTC
	Status string `json:"status,omitempty"`
	MIME   string `json:"mime,omitempty"`
	Digest string `json:"digest,omitempty"`
	File   string `json:"file"` // segment's WARC, imported object or path of the linked file
	Member string `json:"member,omitempty"`
	Offset int64  `json:"offset"`
	Kind   string `json:"kind"` // segment, import, link
}

// captured gives the captures of a URL, the latest first. An archive whose index
// cannot be made has none, which is said.
func (a *app) captured(ctx context.Context, name string) (rows []capturedRow, err error) {
	if u, err := url.Parse(name); err != nil || u.Scheme == "" || u.Host == "" && u.Scheme != "urn" {
		return nil, nil
	}
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	arch, err := a.openArchive(ctx, cfg, true)
	if err != nil {
		return nil, err
	}
	x, err := a.openIndex(ctx, cfg, arch, false)
	if err != nil && ctx.Err() == nil {
		a.say("refrain: captures cannot be looked up: %v", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closing(&err, x)
	for e, err := range x.Find(ctx, index.Query{URL: name, Sort: index.Reverse, Limit: maxShown}) {
		if err != nil {
			return nil, err
		}
		row := capturedRow{URL: e.URL, At: e.Timestamp, Status: e.Status, MIME: e.MIME, Digest: e.Digest, File: e.Filename, Member: e.Source.Member, Offset: e.Offset, Kind: string(e.Source.Kind)}
		if e.Source.Kind != index.KindSegment {
			row.File = e.Source.Name
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// writeCaptured lists captures for people.
func writeCaptured(b *strings.Builder, rows []capturedRow) {
	for _, r := range rows {
		where := r.File
		if r.Member != "" {
			where += ", " + r.Member
		}
		fmt.Fprintf(b, "capture %s  %-3s %-14s %s\n  %s at %d\n", r.At, r.Status, r.MIME, r.URL, where, r.Offset)
	}
}
