package polite

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Gate gives out the moments at which requests to a host may start. A Transport
// has a gate in memory; one on a database shares the pace among many workers. Its
// methods are called from many goroutines.
type Gate interface {
	// Reserve takes the next free slot of host and says when it is: not in the
	// past, at least every after the slot before it, and not before the time of
	// Delay. A slot later than latest is not taken: taken is false and at is
	// when it would have been. A slot that was taken is used up, even if its
	// request is never sent.
	Reserve(ctx context.Context, host string, every time.Duration, latest time.Time) (at time.Time, taken bool, err error)

	// Delay sees to it that no slot before until is given out. It never brings
	// a slot forward. Slots that were given out before stay; their holders ask
	// again if they are in the same process.
	Delay(ctx context.Context, host string, until time.Time) error
}

// MemGate is a Gate in memory: a token bucket of one token for each host.
type MemGate struct {
	now func() time.Time

	mu    sync.Mutex
	hosts map[string]*bucket
}

type bucket struct {
	limiter   *rate.Limiter
	every     time.Duration
	notBefore time.Time // of Delay; a moment that only grows
	last      time.Time // latest slot given out
}

// maxHosts is the number of hosts from which the state of idle ones is dropped.
const maxHosts = 4096

// NewMemGate makes a gate on a clock; nil is time.Now.
func NewMemGate(now func() time.Time) *MemGate {
	if now == nil {
		now = time.Now
	}
	return &MemGate{now: now, hosts: map[string]*bucket{}}
}

// Reserve implements Gate.
func (g *MemGate) Reserve(ctx context.Context, host string, every time.Duration, latest time.Time) (time.Time, bool, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, false, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	b := g.bucket(host, every, now)
	if b.notBefore.After(now) {
		now = b.notBefore
	}
	if b.every != every {
		b.limiter.SetLimitAt(now, limit(every))
		b.every = every
	}
	r := b.limiter.ReserveN(now, 1)
	at := now.Add(r.DelayFrom(now))
	if at.After(latest) {
		r.CancelAt(now)
		return at, false, nil
	}
	b.last = at
	return at, true, nil
}

// Delay implements Gate.
func (g *MemGate) Delay(ctx context.Context, host string, until time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.bucket(host, DefaultEvery, g.now())
	if until.After(b.notBefore) {
		b.notBefore = until
	}
	return nil
}

func (g *MemGate) bucket(host string, every time.Duration, now time.Time) *bucket {
	b := g.hosts[host]
	if b == nil {
		if len(g.hosts) >= maxHosts {
			for name, b := range g.hosts {
				if b.notBefore.Before(now) && b.last.Add(b.every).Before(now) {
					delete(g.hosts, name)
				}
			}
		}
		b = &bucket{limiter: rate.NewLimiter(limit(every), 1), every: every}
		g.hosts[host] = b
	}
	return b
}

// limit is the rate of one request each every.
func limit(every time.Duration) rate.Limit {
	if every <= 0 {
		return rate.Inf
	}
	return rate.Every(every)
}
