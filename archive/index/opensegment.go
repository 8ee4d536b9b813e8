package index

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
)

// An openSegment is a segment that is not finished, as far as it was read.
type openSegment struct {
	name   archive.Name
	number uint32
	end    int64 // of what was read
	lines  int64
	runs   []*run
}

// drop gives up the runs: those that a view has are closed with it.
func (s *openSegment) drop() {
	for _, r := range s.runs {
		if r.refs.Load() == 0 {
			r.close()
		}
	}
	s.runs = nil
}

// openSegments reads on in the open segments. Their lines go to runs that
// index.json does not name.
func (u *update) openSegments(list []archive.Segment) error {
	still := map[archive.Name]bool{}
	if !u.x.opts.SkipOpen {
		for _, s := range list {
			still[s.Name] = true
		}
	}
	for name, s := range u.x.open {
		if !still[name] {
			s.drop()
			delete(u.x.open, name)
		}
	}
	if len(still) == 0 {
		return nil
	}
	if err := u.flush(); err != nil { // what is in memory is not theirs
		return err
	}
	for _, s := range list {
		if err := u.openSegment(s); err != nil {
			return fmt.Errorf("open segment %s: %w", s.Name, err)
		}
	}
	return nil
}

func (u *update) openSegment(seg archive.Segment) error {
	s := u.x.open[seg.Name]
	if s != nil && seg.Size < s.end { // cut by a recovery
		delete(u.x.open, seg.Name)
		s = nil
	}
	if s == nil {
		s = &openSegment{name: seg.Name, number: firstOpen + u.x.opened}
		u.x.opened++
		u.x.open[seg.Name] = s
	}
	if seg.Size == s.end {
		return nil
	}
	var notes []cdx.Line
	for rec, err := range u.x.opts.Archive.RecordsFrom(u.ctx, seg.Name, s.end) {
		if err != nil {
			return err
		}
		l, ok, err := cdx.FromRead(rec.ReadRecord, string(seg.Name)+archive.WARCEnding, cdx.IndexOptions{NoDigest: true})
		if err != nil {
			return err
		}
		pos, err := rec.Finish()
		if err != nil {
			return err
		}
		if ok {
			if strings.HasPrefix(l.URL, importPrefix) {
				notes = append(notes, l)
			}
			start := len(u.data)
			l.Key = cdx.SURT(l.URL)
			u.data = appendLine(u.data, &l, s.number)
			u.spans = append(u.spans, span{uint32(start), uint32(len(u.data))})
			s.lines++
		}
		s.end = pos.End()
		if len(u.data) >= u.x.opts.memory {
			if err := u.openRun(s); err != nil {
				return err
			}
		}
	}
	if err := u.openRun(s); err != nil {
		return err
	}
	return u.notes(seg.Name, notes)
}

// openRun makes a run of the lines in memory, which are of an open segment. When
// there are several they are merged.
func (u *update) openRun(s *openSegment) error {
	if len(u.spans) == 0 {
		return nil
	}
	name := func() (string, error) {
		f, err := os.CreateTemp(u.x.opts.Dir, "open-*"+runEnding)
		if err != nil {
			return "", err
		}
		return filepath.Base(f.Name()), f.Close()
	}
	base, err := name()
	if err != nil {
		return err
	}
	r, err := u.write(base)
	if err != nil {
		return err
	}
	r.temp = true
	s.runs = append(s.runs, r)
	if list := toMerge(s.runs); len(list) > 1 {
		if base, err = name(); err != nil {
			return err
		}
		one, err := mergeRuns(u.ctx, u.x.opts.Dir, base, list, func(uint32) bool { return true })
		if err != nil {
			return err
		}
		one.temp = true
		s.runs = append(slices.DeleteFunc(s.runs, func(r *run) bool { return slices.Contains(list, r) }), one)
		for _, r := range list {
			if r.refs.Load() == 0 {
				r.close()
			}
		}
	}
	return nil
}
