package crawlers

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// ErrBusy is what Frontier.Begin gives while another process holds the same run.
var ErrBusy = errors.New("another process is at work on these seeds")

// A Frontier keeps what is still to fetch, so that an interrupted run goes on
// where it stopped. Package crawlers/frontier has one on SQLite and one in
// memory, and the test that both pass.
type Frontier interface {
	// Begin opens the unfinished run with this key, or a new one if there is
	// none. While it is open nobody else can: they get ErrBusy.
	Begin(ctx context.Context, key string) (FrontierRun, error)
}

// A FrontierRun is one run's targets and steps. Only one goroutine uses it at a
// time. What a call has stored when it returns nil survives the death of the
// process at any later moment.
type FrontierRun interface {
	// Started reports whether Start was done before: the run is resumed.
	Started() bool

	// Start stores the targets of a new run, each with its first items, all or
	// nothing. It numbers targets from 0 in their order. It holds one at a time:
	// a list of seeds may be long.
	Start(ctx context.Context, started time.Time, targets iter.Seq2[Target, []Item]) error

	// Claim hands out items that are due at q.Now, in order, and no item
	// twice until it is given back by Commit. Items that were handed out when
	// a process died are handed out again.
	Claim(ctx context.Context, q Claim) ([]Item, error)

	// Commit stores what came of items, all or nothing, and says how many of
	// the added items were new: an item whose Key the run has had is left out.
	// New items for which take gives true are handed out at once, as if Claim
	// had, and come back with their numbers; a nil take gives false.
	Commit(ctx context.Context, changes []Change, take func(*Item) bool) (added int, taken []Item, err error)

	// Target gives a target by its number.
	Target(ctx context.Context, id int64) (Target, error)

	// EachTarget gives all targets in the order of Start.
	EachTarget(ctx context.Context, f func(Target) error) error

	// Waiting says how many items are to do (those handed out left out) and
	// when the first of them is due. The time is zero when n is 0.
	Waiting(ctx context.Context) (n int, due time.Time, err error)

	// Tally says how many items are to do (handed out ones included), done
	// and failed.
	Tally(ctx context.Context) (Tally, error)

	// Finish ends the run: the next Begin with its key starts anew. The run is
	// closed.
	Finish(ctx context.Context) error

	// Close leaves the run as it is, to be resumed.
	Close() error
}

// Tally counts the items of a run.
type Tally struct {
	Todo   int `json:"todo"`
	Done   int `json:"done"`
	Failed int `json:"failed"`
}

// Claim says which items are wanted.
type Claim struct {
	Now     time.Time
	Max     int               // items in all
	PerHost int               // items of one host; 0 is Max
	Skip    func(string) bool // hosts to leave out; nil leaves out none
}

// An Item is a step in the frontier.
type Item struct {
	ID     int64 // given by the frontier
	Target int64 // number of the target that it serves
	Host   string
	Order  int // smaller is earlier, within one host; then the order of adding

	NotBefore time.Time // zero is at once
	Tries     int       // fetches so far

	Step  Step     `json:"step"`
	Trail []string `json:"trail,omitempty"` // redirects followed so far: the last is asked instead of what the collector says
	Asset Asset    `json:"asset,omitzero"`  // for RoleAsset
	Same  string   `json:"-"`               // stands for the step in Key where its collector is a Merger; not stored
}

// A Merger is a Collector whose steps may differ in State and ask for the same
// thing all the same: a page that is found anew with fewer clicks left to follow.
// Of steps with equal Same the first is done in a run, the others are left out.
type Merger interface {
	Same(Step) string // "" is Step.Key
}

// Key is unique within a run: 128 bits of SHA-256 over the step's Key (or Same)
// and the redirects.
func (i Item) Key() [16]byte {
	key := i.Same
	if key == "" {
		key = i.Step.Key()
	}
	if len(i.Trail) > 0 {
		key += "|" + strings.Join(i.Trail, "|")
	}
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:16])
}

// ItemState says what became of an item.
type ItemState int

// The states of an item. Their numbers are stored.
const (
	ItemTodo   ItemState = 0 // handed out or not: that is known only to the process that works on the run
	ItemDone   ItemState = 2
	ItemFailed ItemState = 3 // no more tries: Outcome says why
)

// A Change is what came of one item.
type Change struct {
	ID        int64
	State     ItemState // ItemTodo puts it back
	Outcome   post.Outcome
	NotBefore time.Time // for ItemTodo
	Tries     int
	Add       []Item
	Target    *Target // the target's new state; nil if it did not change
}

// A Target is what a seed names, and how far the run has come with it.
type Target struct {
	ID       int64        `json:"-"`
	Seed     string       `json:"seed"` // as given
	Ref      Ref          `json:"ref"`
	Outcome  post.Outcome `json:"outcome,omitempty"` // empty until the first answer
	Reason   string       `json:"reason,omitempty"`
	Posts    int          `json:"posts,omitempty"`    // within Since and Until, as pages showed them; a post on two pages counts twice
	Comments int          `json:"comments,omitempty"` // the same for comment steps
	Pages    int          `json:"pages,omitempty"`
	Requests int          `json:"requests,omitempty"`
	Coverage Coverage     `json:"coverage,omitzero"` // of the last route that served
	Routes   []RouteTried `json:"routes,omitempty"`
}

// RouteTried is a route that a target was asked by, and how that ended.
type RouteTried struct {
	Route   string       `json:"route"`
	Outcome post.Outcome `json:"outcome,omitempty"`
	Reason  string       `json:"reason,omitempty"`
}
