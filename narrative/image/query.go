package image

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"image"
	"slices"
)

// A Match says that two pictures show the same, and where.
type Match struct {
	Picture uint32 `json:"picture"` // the number of the indexed one
	Key     string `json:"key"`     // of its first use; Index.Uses gives all
	Kind    Kind   `json:"kind"`    // of its first use
	SHA256  Digest `json:"sha256"`

	// Same: both are byte for byte the same file. Nothing below is set then but
	// Score, which is 1.
	Same bool `json:"same,omitempty"`
	// Score is the share of the compared squares that agree, 0 to 1.
	Score float64 `json:"score"`
	// Told is how many squares, of 1/16 of the longer side, were compared: those
	// in the common part in which either picture shows something.
	Told     int  `json:"told"`
	Distance int  `json:"distance"` // of the hashes of both views, 0 to SearchDistance
	Turn     Turn `json:"turn"`     // what was done to the query
	Query    View `json:"query"`    // the part of the query
	Indexed  View `json:"indexed"`  // the part of the picture that was added
	// QueryShare and IndexedShare are the parts of either picture that lie in
	// what both show, 0 to 1.
	QueryShare   float64 `json:"query_share"`
	IndexedShare float64 `json:"indexed_share"`
}

// Why says for an analyst what the match rests on.
func (m Match) Why() string {
	if m.Same {
		return "the same file, byte for byte"
	}
	turned := ""
	if m.Turn != 0 {
		turned = ", " + m.Turn.String()
	}
	what := "the whole picture"
	switch {
	case m.QueryShare >= WholeShare && m.IndexedShare < WholeShare:
		what = fmt.Sprintf("a crop of it (%.0f %% of its area)", 100*m.IndexedShare)
	case m.IndexedShare >= WholeShare && m.QueryShare < WholeShare:
		what = fmt.Sprintf("it with something added around it (it takes %.0f %% of the area)", 100*m.QueryShare)
	case m.QueryShare < WholeShare:
		what = "a part that both have"
	}
	return fmt.Sprintf("%s%s: %.0f %% of %d compared squares agree, PDQ distance %d", what, turned, 100*m.Score, m.Told, m.Distance)
}

// WholeShare is the part of a picture's area from which it counts as all of it: the
// windows are found to within about 3 % of a side.
const WholeShare = 0.93

// A query is a picture with its views in all the turns in which they are looked for.
type query struct {
	grey  Grey
	bases bases
	views []queryView
}

type queryView struct {
	packed
	turn Turn
	hash Hash
}

// newQuery hashes the views of g: whole and trimmed in all eight turns, windows as
// they are and mirrored.
func newQuery(g Grey) query {
	q := query{grey: g, bases: g.bases()}
	g.views(q.bases, queryWindows, func(p packed, c *coefficients) {
		last := Turn(Turns - 1)
		if p.code%codeBase != 0 {
			last = Mirrored
		}
		for t := range last + 1 {
			b := c.turned(t)
			q.views = append(q.views, queryView{p, t, b.hash()})
		}
	})
	return q
}

// Query gives the pictures that show what a file shows and score at least
// PossibleThreshold, best first: first the same bytes, if they are there. The index
// does not change. A file that cannot be read is an error, unless its bytes are in
// the index.
func (ix *Index) Query(data []byte) ([]Match, error) {
	sum := Digest(sha256.Sum256(data))
	p, refused := decodeWithin(data, ix.limits)
	var q query
	if refused == nil {
		q = newQuery(p.Grey)
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if err := ix.reading(); err != nil {
		return nil, err
	}
	list, err := ix.search(&q, PossibleThreshold)
	if err != nil {
		return nil, err
	}
	if ix.log == nil {
		return nil, refused
	}
	if same, ok := ix.log.Find(sum); ok {
		m := Match{Picture: same, Same: true, Score: 1}
		if err := ix.describe(&m); err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(m Match) bool { return m.Picture == same })
		return slices.Insert(list, 0, m), nil
	}
	return list, refused
}

// Search is Query of a picture that was read already.
func (ix *Index) Search(g Grey) ([]Match, error) {
	q := newQuery(g)
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if err := ix.reading(); err != nil {
		return nil, err
	}
	return ix.search(&q, PossibleThreshold)
}

// A candidate is a pair of views that are near each other.
type candidate struct {
	picture  uint32
	view     int // in the query
	index    int // in the set
	distance int
}

const (
	// maxCandidates is how many pictures are compared in detail with one query.
	// Each takes some 5 ms, and those with the nearest hashes come first.
	maxCandidates = 64
	// pairsOfViews is how many pairs of views of one picture are compared until
	// one agrees.
	pairsOfViews = 3
)

func (ix *Index) search(q *query, least float64) ([]Match, error) {
	near := map[uint32][]candidate{}
	for i, v := range q.views {
		for _, hit := range ix.set.Near(v.hash, SearchDistance) {
			c := candidate{ix.pictureOf(hit.Index), i, hit.Index, hit.Distance}
			list := near[c.picture]
			at, _ := slices.BinarySearchFunc(list, c, byDistance)
			if at < pairsOfViews {
				list = slices.Insert(list, at, c)
				near[c.picture] = list[:min(len(list), pairsOfViews)]
			}
		}
	}
	order := make([]uint32, 0, len(near))
	for p := range near {
		order = append(order, p)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(near[a][0].distance, near[b][0].distance), cmp.Compare(a, b))
	})
	var list []Match
	var turned [Turns]comparer
	for _, p := range order[:min(len(order), maxCandidates)] {
		m, err := ix.compare(q, &turned, near[p])
		if err != nil {
			return nil, err
		}
		if m.Score >= least {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Picture, b.Picture))
	})
	return list, nil
}

func byDistance(a, b candidate) int {
	return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.view, b.view), cmp.Compare(a.index, b.index))
}

// compare lays the query over one indexed picture as the pairs of views say, and
// gives the best of what came out.
func (ix *Index) compare(q *query, turned *[Turns]comparer, pairs []candidate) (Match, error) {
	p := pairs[0].picture
	_, rec, err := ix.recordOf(p)
	if err != nil {
		return Match{}, err
	}
	detail, err := readDetail(rec.detail)
	if err != nil {
		return Match{}, fmt.Errorf("%s: %w", ix.dir, err)
	}
	whole := Grey{W: rec.w, H: rec.h}
	var best Match
	for _, c := range pairs {
		v := q.views[c.view]
		m := Match{
			Picture: p, Distance: c.distance, Turn: v.turn,
			Query:   v.packed.view(q.bases, queryWindows, v.hash),
			Indexed: ix.packed[c.index].view(bases{baseWhole: image.Rect(0, 0, rec.w, rec.h), baseTrimmed: rec.trimmed}, indexWindows, ix.set.At(c.index)),
		}
		with := &turned[v.turn]
		if with.query.W == 0 {
			with.query = q.grey.turned(v.turn)
		}
		da := partOf(m.Indexed.Area, whole)
		a := with.compare(partOf(m.Query.Area, q.grey).turned(v.turn), detail, da)
		m.Told, m.Score = a.told, a.share
		if float64(a.told)*a.share < leastSquares {
			m.Score = 0
		}
		m.QueryShare, m.IndexedShare = common(a.query, da)
		if m.Score > best.Score {
			best = m
		}
		if best.Score >= LinkThreshold {
			break
		}
	}
	if best.Score == 0 {
		return best, nil
	}
	return best, ix.describe(&best)
}

// common gives the shares of both pictures that both show, where the part q of one
// lies over the part d of the other: the overlap of the two, of which the views
// are only the place from which it was found.
func common(q, d part) (queryShare, indexedShare float64) {
	overlap := func(q0, q1, d0, d1 float64) (inQuery, inIndexed float64) {
		f := (d1 - d0) / (q1 - q0) // from the query's coordinates to the other's
		lo, hi := d0-q0*f, d0+(1-q0)*f
		n := max(min(hi, 1)-max(lo, 0), 0)
		return n / f, n
	}
	qx, dx := overlap(q.x0, q.x1, d.x0, d.x1)
	qy, dy := overlap(q.y0, q.y1, d.y0, d.y1)
	return qx * qy, dx * dy
}

// describe gives a match the key, kind and digest of its picture.
func (ix *Index) describe(m *Match) error {
	sum, _, err := ix.log.File(m.Picture)
	if err != nil {
		return err
	}
	u, err := ix.log.First(m.Picture)
	m.SHA256, m.Key, m.Kind = sum, u.Key, Kind(u.Kind)
	return err
}

// turned is where the part lies in the turned picture.
func (p part) turned(t Turn) part {
	if t&turnAxes != 0 {
		p = part{p.y0, p.x0, p.y1, p.x1}
	}
	if t&turnX != 0 {
		p.x0, p.x1 = 1-p.x1, 1-p.x0
	}
	if t&turnY != 0 {
		p.y0, p.y1 = 1-p.y1, 1-p.y0
	}
	return p
}
