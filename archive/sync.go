package archive

import "context"

// Sync returns nil when everything that was appended before the call survives a
// power cut. Report a capture or post as saved after it only.
//
// One fsync serves all who wait: the first of them starts it, those who come
// while it runs share the next one. Only the WARC is synced; the index and the
// posts file are made from it again when a crash cuts them.
func (a *Archive) Sync(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	target := a.appended
	for a.durable < target {
		if a.failed != nil {
			return a.failed
		}
		if !a.syncing {
			a.syncAll()
			continue
		}
		wake := a.wake
		a.mu.Unlock()
		select {
		case <-wake:
			a.mu.Lock()
		case <-ctx.Done():
			a.mu.Lock()
			return context.Cause(ctx)
		}
	}
	return nil
}

// syncAll makes durable what was appended so far. The lock is held, but not
// while the disk works.
func (a *Archive) syncAll() {
	target := a.appended
	var todo []*endedSegment
	todo = append(todo, a.ended...)
	if s := a.segment; s != nil {
		if err := s.flush(); err != nil {
			a.fail(err)
			return
		}
		todo = append(todo, &endedSegment{s, s.warc.Offset()})
	}
	a.syncing = true
	a.mu.Unlock()
	var err error
	for _, s := range todo { // in order: what is durable is a prefix of what was appended
		if err = s.sync(s.size); err != nil {
			break
		}
	}
	a.mu.Lock()
	a.syncing = false
	close(a.wake)
	a.wake = make(chan struct{})
	if err != nil {
		a.fail(err)
		return
	}
	if a.failed == nil {
		a.durable = target
	}
}
