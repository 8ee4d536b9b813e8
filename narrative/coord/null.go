package coord

import (
	"cmp"
	"math"
	"slices"
)

// The null model says how often two accounts would share the same objects within
// the window if each kept its own objects, its own volume and its own times, and
// only which object it shared at which of its times were left to chance.
//
// For accounts A and B with times T(A) and T(B), the chance that one share of A
// and one of B fall within the window w of each other is the larger of
//
//	co-post:  #{(s, t) in T(A)×T(B): |s-t| <= w} / (|T(A)|·|T(B)|)
//	hours:    sum over hours h of the day of f(A,h)·f(B,h) · (2w+1) / (3600·D)
//
// The first is exact when the times of each account are permuted among its rows;
// its numerator is the QUT toolkit's co-post idea, and it holds every burst and
// every day that the accounts have in common. The second is for accounts that
// keep their hours on days of their own: f is the share of the account's rows in
// that hour (UTC), D the days from the first row of the data to its last. Taking
// the larger errs towards chance.
//
// With q that chance, an object that A shared a times and B b times is co-shared
// with probability 1-(1-q)^(ab). The number of co-shared objects is a sum over
// the objects that both shared at any time: Poisson-binomial, approximated by a
// Poisson of the same mean, whose upper tail is the heavier one beyond the mean
// (Anderson and Samuels 1967; Hodges and Le Cam 1960 for the distance).
//
// Only pairs of accounts with at least one co-share are edges, so the tail is
// conditional on that: P = Pr(X >= CoShares) / Pr(X >= 1). One co-share has
// P = 1, whatever its mean; without the condition nearly every edge of chance
// between quiet accounts would look rare. P is per edge: among m edges, expect
// up to m·p below p by chance.
//
// What it cannot see: two accounts whose every row is a co-share of the other
// look the same after a permutation, so their mean is 1 and P falls below 0.01
// from 5 co-shares on. An invented operation of 20 accounts, of which 80 % take
// part in each of 12 actions and do nothing else, has all 190 edges below 0.01;
// with 8 actions 169; with 3 none. 30 ordinary posts of each account bring 4
// actions to 162 of 188 edges, because chance then has other times to choose.
type null struct {
	window  int64
	days    float64
	byNum   map[string]uint32
	profile []profile
}

type profile struct {
	times   []int64       // in order
	objects []objectCount // in order of object
	hours   [24]float64   // shares, sum 1
}

type objectCount struct {
	object uint32
	count  int
}

const (
	hourSeconds = 3600
	daySeconds  = 24 * hourSeconds
)

func newNull(t *table, window int64) *null {
	n := &null{window: window, byNum: t.number, profile: make([]profile, len(t.accounts)), days: 1}
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, r := range t.rows { // in order of object
		p := &n.profile[r.account]
		first, last = min(first, r.time), max(last, r.time)
		p.times = append(p.times, r.time)
		p.hours[((r.time%daySeconds)+daySeconds)%daySeconds/hourSeconds]++
		if k := len(p.objects); k > 0 && p.objects[k-1].object == r.object {
			p.objects[k-1].count++
		} else {
			p.objects = append(p.objects, objectCount{r.object, 1})
		}
	}
	if last > first {
		n.days = max(1, float64(last-first)/daySeconds)
	}
	for i := range n.profile {
		p := &n.profile[i]
		slices.Sort(p.times)
		for h := range p.hours {
			p.hours[h] /= float64(max(1, len(p.times)))
		}
	}
	return n
}

func (n *null) fill(edges []Edge) {
	for i := range edges {
		e := &edges[i]
		if e.A == e.B {
			continue
		}
		a, b := &n.profile[n.byNum[e.A]], &n.profile[n.byNum[e.B]]
		q := n.chance(a, b)
		e.Expected = expected(a.objects, b.objects, q)
		e.P = poissonTail(e.Expected, e.CoShares)
	}
}

// chance is the probability that one share of a and one of b are within the window.
func (n *null) chance(a, b *profile) float64 {
	var near float64
	lo, hi := 0, 0
	for _, s := range a.times {
		for lo < len(b.times) && b.times[lo] < s-n.window {
			lo++
		}
		for hi < len(b.times) && b.times[hi] <= s+n.window {
			hi++
		}
		near += float64(hi - lo)
	}
	coPost := near / (float64(len(a.times)) * float64(len(b.times)))
	var same float64
	for h := range a.hours {
		same += a.hours[h] * b.hours[h]
	}
	hours := same * float64(2*n.window+1) / (hourSeconds * n.days)
	return min(1, max(coPost, hours))
}

func expected(a, b []objectCount, q float64) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	var sum float64
	log := math.Log1p(-q) // -Inf for q = 1
	for _, x := range a {
		i, found := slices.BinarySearchFunc(b, x.object, func(y objectCount, o uint32) int { return cmp.Compare(y.object, o) })
		if !found {
			continue
		}
		sum += -math.Expm1(float64(x.count) * float64(b[i].count) * log)
		b = b[i+1:]
	}
	return sum
}

// poissonTail is Pr(X >= k | X >= 1) of a Poisson X with the given mean. It sums
// from k upwards, so small tails keep their digits.
func poissonTail(mean float64, k int) float64 {
	if k <= 1 || !(mean > 0) {
		return 1
	}
	if float64(k) <= mean {
		below := 0.0
		for i := range k {
			below += poisson(mean, i)
		}
		return min(1, max(0, 1-below)/-math.Expm1(-mean))
	}
	term := poisson(mean, k)
	sum := term
	for i := k + 1; term > sum*1e-17; i++ {
		term *= mean / float64(i)
		sum += term
	}
	return min(1, sum/-math.Expm1(-mean))
}

func poisson(mean float64, k int) float64 {
	lg, _ := math.Lgamma(float64(k) + 1)
	return math.Exp(float64(k)*math.Log(mean) - mean - lg)
}
