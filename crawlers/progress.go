package crawlers

import (
	"time"

	"github.com/refrain-archive/refrain/post"
)

// EventKind says what an Event tells.
type EventKind string

// The kinds of events.
const (
	EventStart EventKind = "start" // the run begins, or goes on
	EventFetch EventKind = "fetch" // one exchange was saved
	EventWait  EventKind = "wait"  // nothing can be asked before Until
	EventEnd   EventKind = "end"
)

// An Event tells how a run goes on.
type Event struct {
	Kind    EventKind
	Time    time.Time
	Host    string // as in the frontier: a host, or "*.example.com"
	URL     string
	Role    Role
	Outcome post.Outcome
	Reason  string
	Posts   int       // on this answer
	Bytes   int64     // of this answer's body
	Again   time.Time // when this step is tried again; zero if it is not
	Until   time.Time // EventWait

	Stats Stats
}

// Stats are the running totals of a run. Those of work done count from the
// start or resumption of this process's part of it.
type Stats struct {
	Todo      int // steps known and not done, those under way included
	Done      int // steps done in all parts of the run
	Failed    int // steps given up in all parts of the run
	UnderWay  int // exchanges and saves
	Requests  int
	Posts     int // comments not counted
	Comments  int
	Assets    int
	Bytes     int64 // of bodies, content coding removed
	Elapsed   time.Duration
	PerSecond float64 // requests
	Hosts     int     // with an exchange or save under way, or steps at hand
	Parked    int     // hosts that asked to wait
}

// A Summary is what a run came to.
type Summary struct {
	Targets []TargetSummary // in the order of the seeds, each target once; empty with Options.Each
	Total   int             // targets
	Short   int             // targets that were neither served nor are known not to be public
	Stats   Stats

	Started, Ended time.Time
	Resumed        bool      // it went on with an unfinished run
	Interrupted    bool      // it was stopped; run again to go on
	Left           int       // steps left in the frontier; 0 is a finished run
	Continue       time.Time // when the first of them is due; zero if Left is 0 or it is due now
}

// Complete reports whether the run is finished and every target was served, or
// is known not to be public.
func (s *Summary) Complete() bool {
	return s.Left == 0 && !s.Interrupted && s.Short == 0
}

// TargetSummary is what a run came to for one target.
type TargetSummary struct {
	Target
	Advice []string // what would get more; empty if there is nothing to say
}
