package frontier

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

// Memory keeps runs in memory: for tests, and for a run that nobody will
// resume. An unfinished run stays until the Memory itself is gone.
func Memory() crawlers.Frontier { return &memory{runs: map[string]*memoryRun{}} }

type memory struct {
	mu   sync.Mutex
	runs map[string]*memoryRun
}

type memoryRun struct {
	home    *memory
	key     string
	open    bool
	started bool
	targets []crawlers.Target
	items   map[int64]*memoryItem
	keys    map[[16]byte]bool
	last    int64
}

type memoryItem struct {
	crawlers.Item
	state crawlers.ItemState
	out   bool // handed out
}

func (m *memory) Begin(_ context.Context, key string) (crawlers.FrontierRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runs[key]
	if r == nil {
		r = &memoryRun{home: m, key: key, items: map[int64]*memoryItem{}, keys: map[[16]byte]bool{}}
		m.runs[key] = r
	}
	if r.open {
		return nil, fmt.Errorf("frontier in memory: %w", crawlers.ErrBusy)
	}
	r.open = true
	for _, i := range r.items {
		i.out = false
	}
	return r, nil
}

func (r *memoryRun) Started() bool { return r.started }

func (r *memoryRun) Start(_ context.Context, _ time.Time, targets iter.Seq2[crawlers.Target, []crawlers.Item]) error {
	if r.started {
		return fmt.Errorf("frontier in memory: start: the run was started before")
	}
	for t, items := range targets {
		t.ID = int64(len(r.targets))
		r.targets = append(r.targets, t)
		for _, i := range items {
			i.Target = t.ID
			r.add(i)
		}
	}
	r.started = true
	return nil
}

// add stores an item, nil if its key is there.
func (r *memoryRun) add(i crawlers.Item) *memoryItem {
	key := i.Key()
	if r.keys[key] {
		return nil
	}
	r.keys[key] = true
	r.last++
	i.ID = r.last
	m := &memoryItem{Item: i}
	r.items[i.ID] = m
	return m
}

func (r *memoryRun) Claim(_ context.Context, q crawlers.Claim) ([]crawlers.Item, error) {
	var due []*memoryItem
	for _, id := range slices.Sorted(maps.Keys(r.items)) {
		if i := r.items[id]; i.state == crawlers.ItemTodo && !i.out && !i.NotBefore.After(q.Now) {
			due = append(due, i)
		}
	}
	sort.SliceStable(due, func(a, b int) bool { return due[a].Order < due[b].Order })
	perHost := q.PerHost
	if perHost <= 0 {
		perHost = q.Max
	}
	hosts := map[string]int{}
	var items []crawlers.Item
	for _, i := range due {
		if len(items) == q.Max || q.Skip != nil && q.Skip(i.Host) || hosts[i.Host] == perHost {
			continue
		}
		hosts[i.Host]++
		i.out = true
		items = append(items, i.Item)
	}
	return items, nil
}

func (r *memoryRun) Commit(_ context.Context, changes []crawlers.Change, take func(*crawlers.Item) bool) (added int, taken []crawlers.Item, err error) {
	for _, c := range changes {
		i := r.items[c.ID]
		if i == nil {
			return 0, nil, fmt.Errorf("frontier in memory: commit: no step %d", c.ID)
		}
		i.out = false
		i.state, i.Tries, i.NotBefore = c.State, c.Tries, c.NotBefore
		for _, a := range c.Add {
			if m := r.add(a); m != nil {
				added++
				if take != nil && take(&m.Item) {
					m.out = true
					taken = append(taken, m.Item)
				}
			}
		}
		if c.Target != nil {
			r.targets[c.Target.ID] = *c.Target
		}
	}
	return added, taken, nil
}

func (r *memoryRun) Target(_ context.Context, id int64) (crawlers.Target, error) {
	if id < 0 || id >= int64(len(r.targets)) {
		return crawlers.Target{}, fmt.Errorf("frontier in memory: no target %d", id)
	}
	return r.targets[id], nil
}

func (r *memoryRun) EachTarget(_ context.Context, f func(crawlers.Target) error) error {
	for _, t := range r.targets {
		if err := f(t); err != nil {
			return err
		}
	}
	return nil
}

func (r *memoryRun) Waiting(context.Context) (n int, due time.Time, err error) {
	for _, i := range r.items {
		if i.state != crawlers.ItemTodo || i.out {
			continue
		}
		at := i.NotBefore
		if at.IsZero() {
			at = time.UnixMicro(1).UTC()
		}
		if n == 0 || at.Before(due) {
			due = at
		}
		n++
	}
	return n, due, nil
}

func (r *memoryRun) Tally(context.Context) (t crawlers.Tally, err error) {
	for _, i := range r.items {
		switch i.state {
		case crawlers.ItemTodo:
			t.Todo++
		case crawlers.ItemDone:
			t.Done++
		case crawlers.ItemFailed:
			t.Failed++
		}
	}
	return t, nil
}

func (r *memoryRun) Finish(context.Context) error {
	r.home.mu.Lock()
	defer r.home.mu.Unlock()
	r.open = false
	delete(r.home.runs, r.key)
	return nil
}

func (r *memoryRun) Close() error {
	r.home.mu.Lock()
	defer r.home.mu.Unlock()
	r.open = false
	return nil
}
