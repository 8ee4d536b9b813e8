package index

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// flush makes a run of the lines in memory.
func (u *update) flush() error {
	if len(u.spans) == 0 {
		return nil
	}
	r, err := u.write(u.runName())
	if err != nil {
		return err
	}
	return u.replace(nil, r)
}

// runName gives the name of a new run. Chance is in it so that an index that was
// made anew has no run of a name that another process may have open.
func (u *update) runName() string {
	u.x.state.NextRun++
	return fmt.Sprintf("%08d-%08x%s", u.x.state.NextRun, rand.Uint32(), runEnding)
}

// write writes the lines in memory into a run of that name.
func (u *update) write(name string) (*run, error) {
	slices.SortFunc(u.spans, func(a, b span) int {
		return bytes.Compare(u.data[a.start:a.end], u.data[b.start:b.end])
	})
	w, err := newRun(u.x.opts.Dir, int64(len(u.spans)))
	if err != nil {
		return nil, err
	}
	for _, s := range u.spans {
		if err := w.add(u.data[s.start:s.end]); err != nil {
			w.abort()
			return nil, err
		}
	}
	path := filepath.Join(u.x.opts.Dir, name)
	if _, err := w.finish(path); err != nil {
		w.abort()
		return nil, err
	}
	u.data, u.spans = u.data[:0], u.spans[:0]
	return openRun(path, name)
}

// runs are the runs that index.json names, open.
func (x *Index) runs() []*run {
	v := x.acquire()
	if v == nil {
		return nil
	}
	defer v.release()
	var list []*run
	for _, r := range v.runs {
		if !r.temp {
			list = append(list, r)
		}
	}
	return list
}

// replace puts a run in the place of others, and commits.
func (u *update) replace(old []*run, r *run) error {
	runs := slices.DeleteFunc(u.x.runs(), func(r *run) bool { return slices.Contains(old, r) })
	if r != nil {
		runs = append(runs, r)
	}
	s := &u.x.state
	s.Runs = s.Runs[:0:0]
	for _, r := range runs {
		s.Runs = append(s.Runs, runInfo{r.name, r.size, r.lines})
	}
	u.changed = true
	if err := u.commit(); err != nil {
		if r != nil {
			r.close()
		}
		return err
	}
	u.x.show(runs)
	for _, r := range old {
		os.Remove(filepath.Join(u.x.opts.Dir, r.name)) //nolint:errcheck // open elsewhere: the next update removes it
	}
	if len(runs) > maxRuns {
		return u.compact()
	}
	return nil
}

// commit writes index.json, if there is something to write.
func (u *update) commit() error {
	if !u.changed {
		return nil
	}
	if err := u.x.save(); err != nil {
		return err
	}
	u.changed = false
	return nil
}

// compact merges runs as long as there are some to be merged.
func (u *update) compact() error {
	u.live = map[uint32]bool{}
	for _, s := range u.x.state.Sources {
		if s.Kind == KindLink && !s.Taken {
			continue
		}
		for i := range max(1, len(s.Members)) {
			u.live[s.File+uint32(i)] = true
		}
	}
	for {
		list := toMerge(u.x.runs())
		if len(list) < 2 {
			return nil
		}
		r, err := mergeRuns(u.ctx, u.x.opts.Dir, u.runName(), list, func(file uint32) bool {
			return u.live[file] || file >= u.first && !u.dead[file]
		})
		if err != nil {
			return err
		}
		if err := u.replace(list, r); err != nil {
			return err
		}
	}
}
