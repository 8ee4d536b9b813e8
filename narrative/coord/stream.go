package coord

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
)

// MaxStreamObjects is how many different objects of an edge a Stream tells
// apart; Objects of its edges stops there. Four words an edge are enough to
// answer whether the edge rests on two or more.
const MaxStreamObjects = 4

// A Stream counts edges over rows in order of time. It holds the rows of the
// last window and one record per edge and per account that has an edge; never
// the rest. It is not safe for concurrent use.
//
// Steps 2, 3, 5 and 6 of the package comment are followed exactly. Steps 1 and 4
// need all rows at once: a Stream leaves out step 1, and in place of step 4 it
// keeps an edge when either account has at least MinParticipation rows that are
// in some pair. With MinParticipation 1 the edges and weights are those of
// Detect. Options.Quantile applies; NullModel and MaxPairs do not: run Detect
// over the rows of the accounts that the edges name.
type Stream struct {
	options  Options
	window   int64
	now      int64
	rows     int
	objects  map[string]*ring
	queue    []*ring // one entry per held row, oldest first
	head     int
	free     []*ring
	accounts []streamAccount
	number   map[string]int32
	places   map[uint64]int32 // both account numbers, the smaller first → place in edges
	edges    []streamEdge
	seed     maphash.Seed
}

type streamAccount struct {
	name   string
	paired int // rows in some pair
}

type streamEdge struct {
	a, b    int32 // account numbers
	weight  int32
	n       int32                    // different objects
	objects [MaxStreamObjects]uint64 // their hashes
	delta   float64                  // seconds, summed
}

// ring holds the rows of one object that are inside the window.
type ring struct {
	object string
	hash   uint64
	rows   []held
	head   int
}

type held struct {
	account, content string
	time             int64
	number           int32 // of the account; -1 until it has an edge
	paired           bool
}

// NewStream checks the options and starts with no rows.
func NewStream(o Options) (*Stream, error) {
	o, window, err := o.filled()
	if err != nil {
		return nil, err
	}
	return &Stream{options: o, window: window, objects: map[string]*ring{}, number: map[string]int32{},
		places: map[uint64]int32{}, seed: maphash.MakeSeed()}, nil
}

// Add takes the next row. A row that is older than the one before, or lacks an
// id, is an error and changes nothing: sort the rows by time first.
func (s *Stream) Add(r Row) error {
	if err := checkRow(r); err != nil {
		return fmt.Errorf("coord: row %d of account %q: %w", s.rows, r.Account, err)
	}
	if s.rows > 0 && r.Time < s.now {
		return fmt.Errorf("coord: row %d of account %q is of %d, before %d: give a stream its rows in order of time",
			s.rows, r.Account, r.Time, s.now)
	}
	s.rows++
	s.now = r.Time
	s.evict()

	o := s.objects[r.Object]
	if o == nil {
		o = s.newRing(r.Object)
	}
	newer := held{account: r.Account, content: r.Content, time: r.Time, number: -1}
	for i := o.head; i < len(o.rows); i++ {
		older := &o.rows[i]
		if !s.options.KeepLoops && (older.account == r.Account || older.content == r.Content ||
			r.Object == older.content || r.Object == r.Content) {
			continue
		}
		s.touch(older)
		s.touch(&newer)
		a, b := min(older.number, newer.number), max(older.number, newer.number)
		key := uint64(a)<<32 | uint64(b)
		place, ok := s.places[key]
		if !ok {
			place = int32(len(s.edges))
			s.places[key] = place
			s.edges = append(s.edges, streamEdge{a: a, b: b})
		}
		e := &s.edges[place]
		e.weight++
		e.delta += float64(r.Time - older.time)
		if e.n < MaxStreamObjects && !slices.Contains(e.objects[:e.n], o.hash) {
			e.objects[e.n] = o.hash
			e.n++
		}
	}
	o.rows = append(o.rows, newer)
	s.queue = append(s.queue, o)
	return nil
}

// touch records that a row is in a pair.
func (s *Stream) touch(h *held) {
	if h.paired {
		return
	}
	n, ok := s.number[h.account]
	if !ok {
		n = int32(len(s.accounts))
		s.number[h.account] = n
		s.accounts = append(s.accounts, streamAccount{name: h.account})
	}
	h.number, h.paired = n, true
	s.accounts[n].paired++
}

func (s *Stream) newRing(object string) *ring {
	o := &ring{}
	if k := len(s.free); k > 0 {
		o, s.free = s.free[k-1], s.free[:k-1]
	}
	o.object, o.hash, o.rows, o.head = object, maphash.String(s.seed, object), o.rows[:0], 0
	s.objects[object] = o
	return o
}

// maxFreeRing is the capacity above which the space of an emptied object is
// given back, and maxFree the number of emptied ones that are kept for re-use.
const (
	maxFreeRing = 64
	maxFree     = 4096
)

// evict drops the rows that no later row can be paired with.
func (s *Stream) evict() {
	for s.head < len(s.queue) {
		o := s.queue[s.head]
		if s.now-o.rows[o.head].time <= s.window {
			break
		}
		s.queue[s.head] = nil
		s.head++
		o.rows[o.head] = held{}
		o.head++
		switch {
		case o.head == len(o.rows):
			delete(s.objects, o.object)
			if cap(o.rows) <= maxFreeRing && len(s.free) < maxFree {
				s.free = append(s.free, o)
			}
		case o.head > 32 && o.head*2 > len(o.rows):
			o.rows = slices.Delete(o.rows, 0, o.head)
			o.head = 0
		}
	}
	if s.head > 1024 && s.head*2 > len(s.queue) {
		s.queue = slices.Delete(s.queue, 0, s.head)
		s.head = 0
	}
}

// Held is the number of rows inside the window.
func (s *Stream) Held() int { return len(s.queue) - s.head }

// Network is the network of the rows so far. Its edges have A, B, Weight,
// MeanDelta, Above and Objects (up to MaxStreamObjects); the other counts are 0
// and P is 1. Network.Objects is 0: a stream does not remember objects.
func (s *Stream) Network() Network {
	var n Network
	names := map[string]struct{}{}
	for _, e := range s.edges {
		a, b := s.accounts[e.a], s.accounts[e.b]
		if max(a.paired, b.paired) < s.options.MinParticipation {
			continue
		}
		edge := Edge{A: min(a.name, b.name), B: max(a.name, b.name), Weight: int(e.weight), Objects: int(e.n),
			MeanDelta: e.delta / float64(e.weight), P: 1}
		n.Edges = append(n.Edges, edge)
		n.Pairs += int(e.weight)
		names[a.name], names[b.name] = struct{}{}, struct{}{}
	}
	slices.SortFunc(n.Edges, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B)) })
	for name := range names {
		n.Accounts = append(n.Accounts, name)
	}
	slices.Sort(n.Accounts)
	n.mark(s.options.Quantile)
	return n
}
