package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// memoryBudget is the memory, in bytes, that Go's heap may take before it is
// collected more often than otherwise. The program's own file and the pages of
// the frontier's database come on top.
const memoryBudget = 28 << 20

// gcPercent is how much the heap may grow beyond what is in use, within the
// budget, before it is collected.
const gcPercent = 300

// ownProcess says that the process is this program's and nobody else's heap is
// limited with ours: tests run many verbs in one process.
var ownProcess bool

// limitMemory keeps the heap within the budget: rarely collected while little is
// in use, and no larger in a long run than in a short one. Where more is in use
// than the budget allows for, the limit follows it at half as much again, so
// that collecting never takes most of the time. GOMEMLIMIT or GOGC in the
// environment stand instead of all this.
func limitMemory() { limitMemoryTo(memoryBudget) }

// limitMemoryTo is limitMemory with another budget, for work that holds little.
func limitMemoryTo(budget int64) {
	if !ownProcess || os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(gcPercent)
	follow := &memoryFollower{budget: budget, limit: budget}
	debug.SetMemoryLimit(follow.limit)
	follow.next()
}

// A memoryFollower looks at the heap after each collection.
type memoryFollower struct {
	budget, limit int64
}

// afterCollection is garbage as soon as it is made: its finalizer runs once
// after the next collection.
type afterCollection struct{ of *memoryFollower }

func (f *memoryFollower) next() {
	runtime.SetFinalizer(&afterCollection{f}, func(a *afterCollection) {
		a.of.follow()
		a.of.next()
	})
}

func (f *memoryFollower) follow() {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	if want := limitFor(int64(s[0].Value.Uint64()), f.budget); want > f.limit+f.limit/16 || want < f.limit-f.limit/16 || want == f.budget && f.limit != want {
		f.limit = want
		debug.SetMemoryLimit(want)
	}
}

// limitFor is the limit while live bytes are in use: the budget, or half as much
// again as is in use and 6 MiB for what is not the heap (stacks, tables of the
// runtime).
func limitFor(live, budget int64) int64 {
	return max(budget, live+live/2+6<<20)
}
