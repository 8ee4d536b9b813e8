package crawlers

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// perHost is how many steps of one host are taken from the frontier at a time.
const perHost = 16

// Run collects seeds: it goes on with the unfinished run of the same seeds and
// wishes, if there is one, and begins a new one otherwise. It returns when
// nothing is left to do, when what is left is parked for longer than
// Options.MaxPark, or when ctx ends: then exchanges under way are finished
// (Options.Grace) and saved first, Summary.Interrupted is set, and the error is
// nil. The error is for a run that cannot go on: the frontier or the archive
// failed. What was saved before stays saved, and Run may be called again.
func (d *Driver) Run(ctx context.Context, seeds []Seed) (Summary, error) {
	sum := Summary{Started: d.now()}
	if len(seeds) == 0 {
		return sum, errors.New("crawlers: no seeds")
	}
	keep := context.WithoutCancel(ctx) // the frontier's work is finished in any case
	fr, err := d.opt.Frontier.Begin(keep, d.runKey(seeds))
	if err != nil {
		return sum, err
	}
	r := &runner{d: d, fr: fr, started: sum.Started, hosts: map[string]*hostQueue{}, parked: map[string]time.Time{},
		targets: map[int64]*heldTarget{}, work: make(chan *task), events: make(chan message)}
	if sum.Resumed = fr.Started(); !sum.Resumed {
		if err := fr.Start(keep, sum.Started, d.targets(seeds)); err != nil {
			return sum, errors.Join(err, fr.Close())
		}
	}
	tally, err := fr.Tally(keep)
	if err != nil {
		return sum, errors.Join(err, fr.Close())
	}
	r.stats.Todo, r.stats.Done, r.stats.Failed = tally.Todo, tally.Done, tally.Failed
	r.tell(Event{Kind: EventStart})
	err = r.loop(ctx, keep)
	sum.Interrupted = ctx.Err() != nil
	sum.Ended, sum.Stats = d.now(), r.snapshot()
	r.tell(Event{Kind: EventEnd})

	each := fr.EachTarget(keep, func(t Target) error {
		s := TargetSummary{Target: t, Advice: d.adviceNow(t)}
		sum.Total++
		switch t.Outcome.Scope() {
		case post.ScopeServed, post.ScopeTarget:
		default:
			sum.Short++
		}
		if d.opt.Each != nil {
			return d.opt.Each(s)
		}
		sum.Targets = append(sum.Targets, s)
		return nil
	})
	left, due, waiting := fr.Waiting(keep)
	err = errors.Join(err, each, waiting)
	sum.Left = left
	if due.After(sum.Ended) {
		sum.Continue = due
	}
	if err == nil && left == 0 {
		sum.Interrupted = false // it ended by itself in the same moment
		err = fr.Finish(keep)
	} else {
		err = errors.Join(err, fr.Close())
	}
	return sum, err
}

// adviceNow gives advice where a target could have more.
func (d *Driver) adviceNow(t Target) []string {
	switch t.Outcome.Scope() {
	case post.ScopeUs, post.ScopeReader:
		return d.advice(t)
	}
	if t.Outcome == post.OKPartial || t.Coverage.Window {
		return d.advice(t)
	}
	return nil
}

// targets makes the targets of seeds, each with its first items. Aliases of one
// target are one.
func (d *Driver) targets(seeds []Seed) iter.Seq2[Target, []Item] {
	return func(yield func(Target, []Item) bool) {
		seen := map[[16]byte]bool{}
		for i := range seeds {
			t, first := d.first(seeds[i])
			if key := targetKey(t.Ref, t.Seed); seen[key] {
				continue
			} else {
				seen[key] = true
			}
			if !yield(t, first) {
				return
			}
		}
	}
}

// targetKey tells targets apart: 128 bits of SHA-256 over what the seed names,
// or over the seed where no collector knows it.
func targetKey(ref Ref, seed string) [16]byte {
	key := ref.Key()
	if ref == (Ref{}) {
		key = "seed " + seed
	}
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:16])
}

// A runner is one Run. Its fields belong to the goroutine of loop; workers get
// tasks and send messages.
type runner struct {
	d       *Driver
	fr      FrontierRun
	started time.Time
	stats   Stats

	hosts   map[string]*hostQueue // those with steps at hand or exchanges under way
	ready   int                   // steps at hand
	parked  map[string]time.Time  // hosts that are not asked before
	targets map[int64]*heldTarget // those of steps at hand or under way, and the last ones before

	work    chan *task
	events  chan message
	workers int
	idle    int // workers without a task
	wg      sync.WaitGroup
}

type hostQueue struct {
	items  []*Item
	busy   int  // exchanges under way
	flying int  // tasks under way, saves included
	all    bool // no step of the host waits in the frontier: all are here or under way

	// What came of a host's tasks is taken in the order in which they were handed
	// out, whichever is saved first: what leads on then stands in the frontier in
	// the order of the site, and a page is found by its shortest way.
	order []*task
	held  map[*task]*result
}

// heldTarget is a target in memory while steps of it are at hand.
type heldTarget struct {
	Target
	holds int
}

// A task is one item on its way through a worker.
type task struct {
	item   *Item
	target Ref
	seed   string
}

// A message from a worker: that the exchange of a task is over, so its host may
// be asked again, or all that came of it.
type message struct {
	task   *task
	result *result // nil: only the exchange is over
}

func (r *runner) loop(outer, keep context.Context) (fatal error) {
	ctx, stop := context.WithCancel(outer)
	defer stop()
	defer func() {
		// Workers must not be left with a message that nobody takes.
		for r.workers > r.idle {
			if m := <-r.events; m.result != nil {
				r.idle++
			}
		}
		close(r.work)
		r.wg.Wait()
	}()
	done := ctx.Done()
	var batch []*result
	for {
		stopping := ctx.Err() != nil
		if stopping {
			done = nil
		} else {
			if err := r.fill(keep); err != nil {
				return errors.Join(fatal, err)
			}
			r.dispatch(ctx)
		}
		if r.workers == r.idle { // nothing is under way
			if stopping {
				return errors.Join(fatal, r.giveBack(keep))
			}
			again, err := r.wait(ctx, keep)
			if err != nil || !again {
				return errors.Join(fatal, err)
			}
			continue
		}
		select {
		case m := <-r.events:
			batch = r.take(batch[:0], m)
			for more := true; more; {
				select {
				case m := <-r.events:
					batch = r.take(batch, m)
				default:
					more = false
				}
			}
			failed, err := r.commit(keep, batch)
			if err != nil {
				stop()
				return errors.Join(fatal, failed, err)
			}
			if failed != nil {
				// What else is under way is finished and kept.
				fatal = errors.Join(fatal, failed)
				stop()
			}
		case <-done:
		}
	}
}

// giveBack returns steps at hand to the frontier.
func (r *runner) giveBack(ctx context.Context) error {
	var changes []Change
	for _, q := range r.hosts {
		for _, i := range q.items {
			changes = append(changes, Change{ID: i.ID, State: ItemTodo, NotBefore: i.NotBefore, Tries: i.Tries})
		}
		q.items = nil
	}
	r.ready = 0
	_, _, err := r.fr.Commit(ctx, changes, nil)
	return err
}

// take notes a message; results are gathered for one commit.
func (r *runner) take(batch []*result, m message) []*result {
	if m.result == nil {
		if q := r.hosts[m.task.item.Host]; q != nil {
			q.busy--
		}
		return batch
	}
	r.idle++
	q := r.hosts[m.task.item.Host]
	q.held[m.task] = m.result
	for len(q.order) > 0 && q.held[q.order[0]] != nil {
		batch = append(batch, q.held[q.order[0]])
		delete(q.held, q.order[0])
		q.order = q.order[1:]
	}
	return batch
}

func (r *runner) forget(host string, q *hostQueue) {
	if q.flying == 0 && len(q.items) == 0 {
		delete(r.hosts, host)
	}
}

// fill takes steps from the frontier while few are at hand.
func (r *runner) fill(ctx context.Context) error {
	most := 4*r.d.opt.Workers + perHost
	if r.ready > r.d.opt.Workers || r.idle == 0 && r.workers == r.d.opt.Workers {
		return nil
	}
	if r.stats.Todo <= r.ready+r.workers-r.idle {
		return nil // all that is to do is at hand or under way
	}
	now := r.d.now()
	for host, until := range r.parked {
		if !until.After(now) {
			delete(r.parked, host)
		}
	}
	items, err := r.fr.Claim(ctx, Claim{Now: now, Max: most - r.ready, PerHost: perHost, Skip: func(host string) bool {
		if _, parked := r.parked[host]; parked {
			return true
		}
		q := r.hosts[host]
		return q != nil && (len(q.items) > 0 || q.all)
	}})
	if err != nil {
		return err
	}
	whole := len(items) < most-r.ready
	for i := range items {
		if err := r.put(ctx, &items[i]); err != nil {
			return err
		}
	}
	for i := range items {
		q := r.hosts[items[i].Host]
		q.all = whole && len(q.items) < perHost
	}
	return nil
}

// put adds a step at hand.
func (r *runner) put(ctx context.Context, item *Item) error {
	if err := r.hold(ctx, item.Target); err != nil {
		return err
	}
	q := r.hosts[item.Host]
	if q == nil {
		q = &hostQueue{held: map[*task]*result{}}
		r.hosts[item.Host] = q
	}
	q.items = append(q.items, item)
	r.ready++
	return nil
}

func (r *runner) hold(ctx context.Context, id int64) error {
	t := r.targets[id]
	if t == nil {
		target, err := r.fr.Target(ctx, id)
		if err != nil {
			return err
		}
		t = &heldTarget{Target: target}
		r.targets[id] = t
	}
	t.holds++
	return nil
}

// heldTargets is how many targets stay in memory when no step of them is at hand.
const heldTargets = 512

func (r *runner) release(id int64) {
	if t := r.targets[id]; t != nil {
		t.holds--
	}
	if len(r.targets) <= heldTargets+4*r.d.opt.Workers+perHost {
		return
	}
	for id, t := range r.targets {
		if t.holds == 0 {
			delete(r.targets, id)
		}
	}
}

// dispatch hands steps to workers: one exchange per host (Options.PerHost) at a
// time.
func (r *runner) dispatch(ctx context.Context) {
	if r.ready == 0 {
		return
	}
	for host, q := range r.hosts {
		for len(q.items) > 0 && q.busy < r.d.opt.PerHost {
			if r.idle == 0 {
				if r.workers == r.d.opt.Workers {
					return
				}
				r.workers++
				r.idle++
				r.wg.Go(func() { r.d.serve(ctx, r.work, r.events) })
			}
			item := q.items[0]
			q.items[0] = nil
			q.items = q.items[1:]
			q.busy++
			q.flying++
			r.ready--
			r.idle--
			t := r.targets[item.Target]
			next := &task{item: item, target: t.Ref, seed: t.Seed}
			q.order = append(q.order, next)
			r.work <- next
		}
		r.forget(host, q)
	}
}

// wait is called when nothing is under way and nothing could be handed out. It
// waits until a parked step is due and reports whether the run goes on.
func (r *runner) wait(ctx, keep context.Context) (bool, error) {
	n, due, err := r.fr.Waiting(keep)
	if err != nil || n == 0 {
		return false, err
	}
	r.stats.Todo = n
	now := r.d.now()
	if !due.After(now) {
		// It is due, so its host is what waits; or a slip of the count kept it
		// from being claimed.
		due = time.Time{}
		for _, until := range r.parked {
			if due.IsZero() || until.Before(due) {
				due = until
			}
		}
		if !due.After(now) {
			return true, nil
		}
	}
	if due.Sub(now) > r.d.opt.MaxPark {
		return false, nil
	}
	r.tell(Event{Kind: EventWait, Until: due})
	if err := r.d.opt.Sleep(ctx, due.Sub(now)); err != nil && ctx.Err() == nil {
		return false, fmt.Errorf("wait until %s: %w", due.Format(time.RFC3339), err)
	}
	return true, nil
}

// commit stores what came of tasks in one transaction, and tells of it. fatal is
// what a task says the run must end with; err is of the frontier.
func (r *runner) commit(ctx context.Context, batch []*result) (fatal, err error) {
	if len(batch) == 0 {
		return nil, nil
	}
	var changes []Change
	for _, res := range batch {
		change := r.apply(res)
		changes = append(changes, change)
		fatal = errors.Join(fatal, res.fatal)
		if !res.park.IsZero() {
			changes = append(changes, r.parkHost(res.task.item.Host, res.park)...)
		}
	}
	// What leads on from a host's last step is taken at once: a chain of pages
	// needs no claim for each.
	room := perHost
	added, taken, err := r.fr.Commit(ctx, changes, func(i *Item) bool {
		q := r.hosts[i.Host]
		if q == nil || !q.all {
			return false
		}
		if room == 0 || len(q.items) >= perHost || !i.NotBefore.IsZero() {
			q.all = false
			return false
		}
		room--
		return true
	})
	if err != nil {
		return fatal, err
	}
	r.stats.Todo += added
	for i := range taken {
		if err := r.put(ctx, &taken[i]); err != nil {
			return fatal, err
		}
	}
	for _, res := range batch {
		switch {
		case res.put == ItemDone:
			r.stats.Done++
			r.stats.Todo--
		case res.put == ItemFailed:
			r.stats.Failed++
			r.stats.Todo--
		}
		if !res.interrupted {
			r.tell(res.event)
		}
		host := res.task.item.Host
		if q := r.hosts[host]; q != nil {
			q.flying--
			if res.put == ItemTodo {
				q.all = false // it is in the frontier again
			}
			r.forget(host, q)
		}
		r.release(res.task.item.Target)
	}
	return fatal, nil
}

// parkHost keeps a host from being asked before until, and gives the steps of
// it that are at hand back to the frontier.
func (r *runner) parkHost(host string, until time.Time) (changes []Change) {
	if r.parked[host].Before(until) {
		r.parked[host] = until
	}
	q := r.hosts[host]
	if q == nil {
		return nil
	}
	for _, i := range q.items {
		changes = append(changes, Change{ID: i.ID, State: ItemTodo, NotBefore: until, Tries: i.Tries})
		r.release(i.Target)
		r.ready--
	}
	q.items, q.all = nil, false
	r.forget(host, q)
	return changes
}

func (r *runner) snapshot() Stats {
	s := r.stats
	s.UnderWay = r.workers - r.idle
	s.Hosts, s.Parked = len(r.hosts), len(r.parked)
	s.Elapsed = r.d.now().Sub(r.started)
	if s.Elapsed > 0 {
		s.PerSecond = float64(s.Requests) / s.Elapsed.Seconds()
	}
	return s
}

func (r *runner) tell(e Event) {
	if r.d.opt.Progress == nil {
		return
	}
	e.Time = r.d.now()
	e.Stats = r.snapshot()
	r.d.opt.Progress(e)
}
