package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// A finisher finishes segments one after the other, in the background.
type finisher struct {
	a      *Archive
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex
	queue  []job
	failed []job // to be tried again
	errs   []error
	busy   bool
	closed bool
	change chan struct{} // closed and replaced when anything above changes
}

// A job is a segment to be finished.
type job struct {
	segment   *segment // nil: its files have their final names
	name      Name
	lock      io.Closer
	recovered *Recovery
}

func (f *finisher) start(a *Archive) {
	f.a, f.done, f.change = a, make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go f.run(ctx)
}

// changed wakes whoever waits. The lock is held.
func (f *finisher) changed() {
	close(f.change)
	f.change = make(chan struct{})
}

func (f *finisher) add(j job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = append(f.queue, j)
	f.changed()
}

func (f *finisher) run(ctx context.Context) {
	defer close(f.done)
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		if len(f.queue) == 0 {
			if f.closed {
				return
			}
			change := f.change
			f.mu.Unlock()
			<-change
			f.mu.Lock()
			continue
		}
		j := f.queue[0]
		f.queue = f.queue[1:]
		f.busy = true
		f.mu.Unlock()
		again, err := f.do(ctx, &j)
		f.mu.Lock()
		f.busy = false
		if err != nil {
			err = fmt.Errorf("finish segment %s: %w", j.name, err)
			if again {
				f.failed = append(f.failed, j)
			}
			f.errs = append(f.errs, err)
			if f.a.opts.Report != nil {
				f.mu.Unlock()
				f.a.opts.Report(err)
				f.mu.Lock()
			}
		} else if len(f.failed) > 0 {
			// What failed before may go now.
			f.queue = append(f.queue, f.failed...)
			f.failed, f.errs = nil, nil
		}
		f.changed()
	}
}

// do finishes one segment. It reports whether another try may help.
func (f *finisher) do(ctx context.Context, j *job) (again bool, err error) {
	if j.segment != nil {
		if err := j.segment.seal(); err != nil {
			j.segment.close()
			f.a.mu.Lock()
			f.a.fail(err)
			f.a.mu.Unlock()
			return false, err
		}
		f.a.sealed(j.segment)
		j.segment = nil
	}
	return true, f.a.deliver(ctx, j.name, j.lock, j.recovered)
}

// sealed takes a segment from the list of those that may not be durable.
func (a *Archive) sealed(s *segment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, e := range a.ended {
		if e.segment == s {
			a.ended = append(a.ended[:i:i], a.ended[i+1:]...)
			return
		}
	}
}

// wait waits until there is nothing left to do, trying once more what failed.
func (f *finisher) wait(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.failed) > 0 {
		f.queue = append(f.queue, f.failed...)
		f.failed, f.errs = nil, nil
		f.changed()
	}
	for f.busy || len(f.queue) > 0 {
		change := f.change
		f.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
			f.mu.Lock()
			return context.Cause(ctx)
		}
		f.mu.Lock()
	}
	return errors.Join(f.errs...)
}

// close does what is left to do until ctx ends, and ends the goroutine.
func (f *finisher) close(ctx context.Context) error {
	err := f.wait(ctx)
	if err != nil {
		f.cancel() // ends an upload that is under way
	}
	f.mu.Lock()
	if err != nil {
		// Left to the next start.
		f.failed = append(f.failed, f.queue...)
		f.queue = nil
	}
	f.closed = true
	f.changed()
	f.mu.Unlock()
	<-f.done
	f.cancel()
	for _, j := range f.failed {
		if j.segment != nil {
			j.segment.close() // all of it is in the file; the next start finishes it
		} else {
			_ = j.lock.Close() // the file stays and says that something is left to do
		}
	}
	return err
}
