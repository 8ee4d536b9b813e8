package index

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// merged goes through the lines of several cursors as one, in order. There are
// few of them, so that the next one is found by looking at all.
type merged struct {
	list    []lines
	reverse bool
	best    int // in list; -1: at the end
}

func (m *merged) pick() {
	m.best = -1
	var line []byte
	for i, c := range m.list {
		l := c.at()
		if l == nil {
			continue
		}
		if m.best < 0 {
			m.best, line = i, l
			continue
		}
		if c := bytes.Compare(l, line); c < 0 != m.reverse && c != 0 {
			m.best, line = i, l
		}
	}
}

func (m *merged) at() []byte {
	if m.best < 0 {
		return nil
	}
	return m.list[m.best].at()
}

func (m *merged) next() {
	if m.best < 0 {
		return
	}
	if m.reverse {
		m.list[m.best].prev()
	} else {
		m.list[m.best].next()
	}
	m.pick()
}

func (m *merged) failed() error {
	for _, c := range m.list {
		if err := c.failed(); err != nil {
			return err
		}
	}
	return nil
}

func (m *merged) free() {
	for _, c := range m.list {
		c.free()
	}
	m.list = nil
}

const (
	// runRatio bounds the number of runs: one is merged with all smaller ones
	// when it is at most so many times as large as they are together. There are
	// then at most log4 of the number of lines, and each line is written anew
	// that often.
	runRatio = 3
	// maxRuns is how many runs may come together before they are merged, while
	// much is taken in.
	maxRuns = 16
)

// toMerge gives the runs that are to become one; nil: none.
func toMerge(runs []*run) []*run {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b *run) int { return cmp.Compare(a.size, b.size) })
	total, upTo := int64(0), 0
	for i, r := range sorted {
		if i > 0 && r.size <= runRatio*total {
			upTo = i + 1
		}
		total += r.size
	}
	return sorted[:upTo]
}

// mergeRuns makes one run of several, without the lines that live does not
// report true for. It gives nil where no line is left.
func mergeRuns(ctx context.Context, dir, name string, runs []*run, live func(file uint32) bool) (_ *run, err error) {
	most := int64(0)
	m := &merged{}
	defer m.free()
	for _, r := range runs {
		most += r.lines
		c := newCursor(r)
		c.seek(nil)
		m.list = append(m.list, c)
	}
	w, err := newRun(dir, most)
	if err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done {
			w.abort()
		}
	}()
	m.pick()
	for n := 0; m.at() != nil; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		line := m.at()
		file, _, ok := fileOf(line)
		if !ok {
			return nil, errCorrupt
		}
		if live(file) {
			if err := w.add(line); err != nil {
				return nil, err
			}
		}
		m.next()
	}
	if err := m.failed(); err != nil {
		return nil, err
	}
	if w.lines == 0 {
		return nil, nil
	}
	step("merge")
	path := filepath.Join(dir, name)
	if _, err := w.finish(path); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	done = true
	r, err := openRun(path, name)
	if err != nil {
		os.Remove(path) //nolint:errcheck // or left, and removed as what index.json does not name
	}
	return r, err
}
