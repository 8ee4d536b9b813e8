package video

import (
	"fmt"
	"strings"
	"time"
)

// A Match says that two videos show the same, and which seconds of them.
type Match struct {
	Clip   uint32 `json:"clip"` // the number of the indexed one
	Key    string `json:"key"`  // of its first use; Index.Uses gives all
	SHA256 Digest `json:"sha256"`
	// Same: both are byte for byte the same file. Nothing below is set then but
	// Score, which is 1.
	Same bool `json:"same,omitempty"`
	// Score is Share, or less where few frames tell it: at most Evidence/12. 1 is a
	// video that is in the other as a whole, as a dozen equal frames say.
	Score float64 `json:"score"`
	Share float64 `json:"share"` // of the shorter video that the longer shows too, 0 to 1
	// Frames is how many different frames of either, the fewer, are in both, in
	// the same order.
	Frames   int     `json:"frames"`
	Evidence float64 `json:"evidence"` // of these frames: 1 for each that is equal, less for one that is farther
	Distance int     `json:"distance"` // the mean of the frames'
	// Speed is how many seconds of the indexed video pass in one of the query.
	Speed    float64 `json:"speed"`
	Mirrored bool    `json:"mirrored,omitempty"`
	Pieces   []Piece `json:"pieces"`
	// QueryShare and IndexedShare are the parts of either that are in the other.
	QueryShare   float64 `json:"query_share"`
	IndexedShare float64 `json:"indexed_share"`
}

// match aligns two clips, of which frames look alike in pairs.
func match(q, c Clip, query []span, pairs []pair) Match {
	clip := spans(c.Frames)
	a := align(query, clip, pairs)
	m := Match{Frames: a.frames, Evidence: a.weight, Speed: a.speed, Mirrored: a.mirrored, Pieces: a.pieces(query, clip)}
	if len(a.pairs) == 0 {
		return m
	}
	for _, p := range a.pairs {
		m.Distance += p.distance
	}
	m.Distance /= len(a.pairs)
	length := func(list []span) (sum float64) {
		for _, s := range list {
			sum += s.to - s.from
		}
		return max(sum, 1./framesPerSecond)
	}
	m.QueryShare = min(a.seconds/length(query), 1)
	m.IndexedShare = min(a.seconds*a.speed/length(clip), 1)
	m.Share = max(m.QueryShare, m.IndexedShare)
	m.Score = min(m.Share, m.Evidence/fullEvidence)
	return m
}

// Why says for an analyst what the match rests on.
func (m Match) Why() string {
	if m.Same {
		return "the same file, byte for byte"
	}
	var b strings.Builder
	for i, p := range m.Pieces {
		if i == 3 {
			fmt.Fprintf(&b, ", and %d more", len(m.Pieces)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s–%s show %s–%s", clock(p.QueryFrom), clock(p.QueryTo), clock(p.IndexedFrom), clock(p.IndexedTo))
	}
	if m.Speed < .95 || m.Speed > 1.05 {
		fmt.Fprintf(&b, ", at %.2f times the speed", m.Speed)
	}
	if m.Mirrored {
		b.WriteString(", mirrored")
	}
	return fmt.Sprintf("%s: %d different frames in the same order, mean PDQ distance %d, %.0f %% of the shorter", b.String(), m.Frames, m.Distance, 100*m.Share)
}

// clock writes 83.5 s as 1:23.5.
func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%04.1f", int(d.Minutes()), (d % time.Minute).Seconds())
}

// Strength says what may be built on a match.
type Strength int

const (
	// Weak: not shown.
	Weak Strength = iota
	// Possible: shown to the analyst as possible, and never merged on.
	Possible
	// Linked: counts as the same material.
	Linked
)

// Strength reads a match by the thresholds of this package.
func (m Match) Strength() Strength {
	switch {
	case m.Score >= LinkThreshold:
		return Linked
	case m.Score >= PossibleThreshold:
		return Possible
	}
	return Weak
}

// frameDistance is the largest distance of two frames that count for an alignment.
// Of the 20 pairs of one scene among eleven sample videos of Meta, single frames
// within 31 bits join 13, within 60 all, and of 35 pairs of different scenes none.
const frameDistance = 60

// fullEvidence is the evidence at which a score is the share alone.
const fullEvidence = 12

// LinkThreshold is the score from which two videos count as showing the same: a tenth
// of the shorter one, told by an evidence of 1.2. One frame alone gives less than 1,
// so it never links. PossibleThreshold is that from which a match is shown as
// possible: one frame, or two that are far. Both were set on the sample videos and a
// few generated clips; the command narrative/quality prints what they reach, and
// docs/narratives.md what they cost.
const (
	LinkThreshold     = 0.10
	PossibleThreshold = 0.05
)
