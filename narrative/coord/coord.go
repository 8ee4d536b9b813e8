// Package coord finds accounts that share the same objects at nearly the same
// time: a text, a narrative, a link, an image, a hashtag.
//
// # Definition after CooRTweet
//
// [Detect] follows CooRTweet 2.1.3 (R/detect_groups.R, calc_group_combinations.R
// and generate_coordinated_network.R of nicolarighetti/CooRTweet):
//
//  1. accounts with fewer than MinParticipation rows are dropped;
//  2. within one object, every two rows whose times differ by at most Window,
//     the bound included, form a pair;
//  3. unless KeepLoops is set, a pair is dropped when both rows have one
//     account, when both have one content id, and when the object id equals
//     either content id (a repost beside its original);
//  4. the rows whose content id occurs in some pair are counted per account; a
//     content id is kept when an account with at least MinParticipation such
//     rows has it; a pair is kept when either of its content ids is kept;
//  5. the older row comes first. Rows of one second stand in the order in which
//     their accounts first appear in the input, then in the order of the input;
//  6. an edge is an unordered pair of accounts, its weight the number of pairs.
//     The threshold is a quantile of all weights (R's type 7); an edge is Above
//     when its weight is strictly greater.
//
// CooRTweet puts the two accounts of an edge in alphabetical order and leaves
// the content ids in the order of step 5. Its n_content_id therefore counts
// distinct older contents and n_content_id_y distinct newer ones, whoever posted
// them, and edge_symmetry_score is the quotient of the smaller and the larger.
// [Edge] has these figures as OlderContents, NewerContents and Symmetry, and the
// contents of each account apart, as ContentsA and ContentsB.
//
// # Definition after the QUT toolkit
//
// [Toolkit] gives the directed networks of QUT-Digital-Observatory's
// coordination-network-toolkit; see there.
//
// # Null model
//
// Neither of the two asks whether a weight is surprising. [Edge.P] does; see
// [Options.NullModel] and null.go.
//
// # Streams
//
// [Stream] counts edges over rows in time order with memory for the edges and
// the rows of one window only.
package coord

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// A Row says that an account shared an object in a content.
type Row struct {
	Object  string // what was shared: a narrative, link, hashtag, image or reposted post; empty is an error
	Account string // who shared it: AccountKey(platform, id) where platforms mix; empty is an error
	Content string // the post that shared it; empty is an error
	Time    int64  // when, in seconds since 1970 UTC
}

// AccountKey is the key of an account among several platforms: PLATFORM:ID.
func AccountKey(platform, id string) string { return platform + ":" + id }

// Platform is the part of an account key before its first colon, or "" where
// the key has none.
func Platform(account string) string {
	platform, _, found := strings.Cut(account, ":")
	if !found {
		return ""
	}
	return platform
}

// The values that stand for a zero field of Options. The first three are the
// defaults of CooRTweet 2.1.3.
const (
	DefaultWindow           = 10 * time.Second
	DefaultMinParticipation = 2
	DefaultQuantile         = 0.5
	// DefaultMaxPairs bounds memory to about 600 MB of pairs. The largest case
	// of CooRTweet's Russian sample (35,125 rows, one hour) has 183,379.
	DefaultMaxPairs = 20_000_000
)

// SameSecond is the Window that pairs rows of the same second only.
const SameSecond time.Duration = -1

// Options are the settings of Detect. The zero value is CooRTweet's defaults
// without the null model.
type Options struct {
	Window           time.Duration // whole seconds, inclusive; 0 is 10 s; SameSecond is 0 s
	MinParticipation int           // 0 is 2; 1 keeps everyone
	KeepLoops        bool          // keep pairs of one account and of one content
	Quantile         float64       // of the weights, for Above, in (0, 1]; 0 is 0.5
	MaxPairs         int           // more pairs than this are an error; 0 is DefaultMaxPairs

	// DropRepeats takes rows that are equal in all four fields once, before
	// anything is counted. CooRTweet pairs each of them with the rows of others,
	// which counts a post twice where a table lists it twice. Stream ignores it.
	DropRepeats bool

	// NullModel computes Expected and P of each edge between two accounts. It
	// adds time in the number of rows of both accounts per edge.
	NullModel bool
}

func (o Options) filled() (Options, int64, error) {
	switch {
	case o.Window == 0:
		o.Window = DefaultWindow
	case o.Window == SameSecond:
		o.Window = 0
	}
	if o.Window < 0 || o.Window%time.Second != 0 {
		return o, 0, fmt.Errorf("coord: Options.Window is %v: give whole seconds, or SameSecond", o.Window)
	}
	if o.MinParticipation == 0 {
		o.MinParticipation = DefaultMinParticipation
	}
	if o.MinParticipation < 0 {
		return o, 0, fmt.Errorf("coord: Options.MinParticipation is %d: give 1 or more", o.MinParticipation)
	}
	if o.Quantile == 0 {
		o.Quantile = DefaultQuantile
	}
	if !(o.Quantile > 0 && o.Quantile <= 1) {
		return o, 0, fmt.Errorf("coord: Options.Quantile is %v: give a number above 0 and up to 1", o.Quantile)
	}
	if o.MaxPairs == 0 {
		o.MaxPairs = DefaultMaxPairs
	}
	if o.MaxPairs < 0 {
		return o, 0, fmt.Errorf("coord: Options.MaxPairs is %d: give 1 or more", o.MaxPairs)
	}
	return o, int64(o.Window / time.Second), nil
}

// An Edge joins two accounts that shared objects within the window of each other.
type Edge struct {
	A, B    string // A < B in byte order; A == B is a loop
	Weight  int    // pairs of rows
	Objects int    // different objects among them

	OlderContents int     // CooRTweet's n_content_id
	NewerContents int     // CooRTweet's n_content_id_y
	Symmetry      float64 // CooRTweet's edge_symmetry_score, in (0, 1]
	MeanDelta     float64 // mean time between the rows of a pair, in seconds
	Above         bool    // Weight is greater than Network.Threshold

	ContentsA, ContentsB int // different contents of A and of B

	// CoShares is the smallest of Objects, ContentsA and ContentsB: how many
	// occasions the edge rests on, where ten hashtags in one post are one.
	CoShares int
	Expected float64 // co-shared objects that the null model expects; 0 without it
	P        float64 // tail probability, see null.go; 1 without the null model and for loops
}

// CrossPlatform reports whether the accounts are of different platforms.
func (e Edge) CrossPlatform() bool { return Platform(e.A) != Platform(e.B) }

// MinCoShares is the smallest number of occasions of a coordinated edge: one
// shared object at one moment is what a news alert does to any two readers.
const MinCoShares = 2

// Coordinated reports whether the edge rests on at least two different objects
// in different contents and its tail probability is below p.
func (e Edge) Coordinated(p float64) bool { return e.CoShares >= MinCoShares && e.P < p }

// A Network is the result of Detect. Edges are in the order of A, then B;
// Accounts in byte order.
type Network struct {
	Accounts  []string
	Edges     []Edge
	Pairs     int     // the sum of the weights
	Objects   int     // different objects among all pairs
	Threshold float64 // quantile of the weights; 0 for a network without edges
}

// Detect finds the pairs among rows, which may be in any order, and sums them
// up as a network. It holds all rows. An error names the first bad row, counted
// from 0, or says that there are more than MaxPairs pairs.
func Detect(rows iter.Seq[Row], o Options) (Network, error) {
	o, window, err := o.filled()
	if err != nil {
		return Network{}, err
	}
	t, err := readRows(rows, o)
	if err != nil {
		return Network{}, err
	}
	pairs, err := t.pairs(window, o)
	if err != nil {
		return Network{}, err
	}
	n := t.network(pairs, o.Quantile)
	if o.NullModel {
		newNull(t, window).fill(n.Edges)
	}
	return n, nil
}
