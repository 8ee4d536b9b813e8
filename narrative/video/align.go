package video

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A pair is a frame of the query that looks like a frame of an indexed clip.
type pair struct {
	q, c     int // numbers of the frames
	distance int
	mirrored bool
	qw, cw   uint8 // codes of the parts that agree
}

// A Piece is a stretch of the query and what it shows of the indexed clip.
type Piece struct {
	QueryFrom   time.Duration `json:"query_from"`
	QueryTo     time.Duration `json:"query_to"`
	IndexedFrom time.Duration `json:"indexed_from"`
	IndexedTo   time.Duration `json:"indexed_to"`
	Frames      int           `json:"frames"`   // of the query, different ones
	Distance    int           `json:"distance"` // the mean of theirs
}

const (
	// tolerance is how far, in seconds, a frame may be from where the alignment
	// expects it: frames are up to half a second apart in both videos.
	tolerance = 0.8
	// minSpeed and maxSpeed bound how much faster or slower a copy may run.
	minSpeed, maxSpeed = 0.45, 2.2
	// hypothesisPairs is how many of the nearest pairs suggest an alignment, and
	// alignPairs how many are judged by it.
	hypothesisPairs, alignPairs = 48, 400
	// pieceGap is how many seconds may lack between two frames of one piece.
	pieceGap = 3
)

// An alignment says that second t of the query is second speed·t + offset of the clip.
type alignment struct {
	speed, offset float64
	mirrored      bool
	pairs         []pair  // one per frame of the query, in its order
	weight        float64 // sum of the evidence of the pairs
	frames        int     // different frames, the fewer of both sides
	seconds       float64 // of the query that show the clip
}

// evidence is what a pair says for an alignment: a near one counts for more.
func evidence(distance int) float64 {
	return float64(frameDistance+16-distance) / (frameDistance + 16)
}

type span struct{ from, to float64 } // seconds

func spans(frames []Frame) []span {
	list := make([]span, len(frames))
	for i, f := range frames {
		list[i] = span{f.From.Seconds(), f.To.Seconds()}
	}
	return list
}

// align finds the alignment that most evidence agrees with.
func align(query, clip []span, pairs []pair) alignment {
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.q, b.q), cmp.Compare(a.c, b.c), cmp.Compare(a.qw, b.qw), cmp.Compare(a.cw, b.cw))
	})
	pairs = pairs[:min(len(pairs), alignPairs)]
	var best alignment
	scratch := make([]pair, len(query))
	try := func(speed, offset float64, mirrored bool) {
		if a := judge(query, clip, pairs, speed, offset, mirrored, scratch); a.weight > best.weight {
			a.pairs = slices.Clone(a.pairs)
			best = a
		}
	}
	middle := func(s span) float64 { return (s.from + s.to) / 2 }
	suggest := pairs[:min(len(pairs), hypothesisPairs)]
	for i, p := range suggest {
		try(1, clip[p.c].from-query[p.q].from, p.mirrored)
		if query[p.q].to-query[p.q].from > 1 || clip[p.c].to-clip[p.c].from > 1 {
			try(1, clip[p.c].to-query[p.q].to, p.mirrored)
		}
		for _, o := range suggest[:i] {
			if o.mirrored != p.mirrored || o.q == p.q || o.c == p.c {
				continue
			}
			dq, dc := middle(query[p.q])-middle(query[o.q]), middle(clip[p.c])-middle(clip[o.c])
			if math.Abs(dq) < 1 {
				continue
			}
			if speed := dc / dq; speed >= minSpeed && speed <= maxSpeed {
				try(speed, middle(clip[p.c])-speed*middle(query[p.q]), p.mirrored)
			}
		}
	}
	return best
}

// judge gathers the pairs that lie on the line of an alignment: of each frame of the
// query the nearest.
func judge(query, clip []span, pairs []pair, speed, offset float64, mirrored bool, of []pair) alignment {
	for i := range of {
		of[i].distance = -1
	}
	for _, p := range pairs { // nearest first
		if p.mirrored != mirrored || of[p.q].distance >= 0 {
			continue
		}
		q, c := query[p.q], clip[p.c]
		if speed*q.to+offset >= c.from-tolerance && speed*q.from+offset <= c.to+tolerance {
			of[p.q] = p
		}
	}
	a := alignment{speed: speed, offset: offset, mirrored: mirrored}
	seen := map[int]bool{}
	kept := of[:0:0]
	for _, p := range of {
		if p.distance < 0 {
			continue
		}
		kept = append(kept, p)
		seen[p.c] = true
		a.weight += evidence(p.distance)
		a.seconds += overlap(query[p.q], clip[p.c], speed, offset)
	}
	a.frames = min(len(kept), len(seen))
	a.pairs = kept
	// Many frames of the query that look like one of the clip are one piece of
	// evidence, and so are many of the clip.
	if len(kept) > a.frames {
		a.weight *= float64(a.frames) / float64(len(kept))
	}
	return a
}

// overlap is how many seconds of the frame q lie on those of c.
func overlap(q, c span, speed, offset float64) float64 {
	from := max(q.from, (c.from-tolerance-offset)/speed)
	to := min(q.to, (c.to+tolerance-offset)/speed)
	return max(to-from, 0)
}

// pieces joins the frames of an alignment to stretches without long gaps.
func (a alignment) pieces(query, clip []span) (list []Piece) {
	seconds := func(s float64) time.Duration {
		return time.Duration(s*10+.5) * time.Second / 10
	}
	sum := 0
	end := -math.MaxFloat64
	for _, p := range a.pairs {
		q, c := query[p.q], clip[p.c]
		if q.from > end+pieceGap || len(list) == 0 {
			list = append(list, Piece{QueryFrom: seconds(q.from), IndexedFrom: seconds(max(c.from, a.speed*q.from+a.offset, 0))})
			sum = 0
		}
		end = q.to
		k := &list[len(list)-1]
		k.QueryTo, k.IndexedTo = seconds(q.to), seconds(max(min(c.to, a.speed*q.to+a.offset), 0))
		if k.IndexedTo < k.IndexedFrom {
			k.IndexedTo = seconds(c.to)
		}
		k.Frames++
		sum += p.distance
		k.Distance = sum / k.Frames
	}
	return list
}
