package coord

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// ordinary makes accounts that share popular objects at hours of their own over
// 30 days, cubes of a uniform number giving few objects most shares.
func ordinary(r *rand.Rand, accounts, shares, objects int) []Row {
	var rows []Row
	for a := range accounts {
		wake := r.IntN(24)
		for s := range shares {
			hour := (wake + int(math.Abs(r.NormFloat64()*4))) % 24
			u := r.Float64()
			rows = append(rows, Row{fmt.Sprintf("o%d", int(u*u*u*float64(objects))), AccountKey("plaza", fmt.Sprint(a)),
				fmt.Sprintf("c%d-%d", a, s), int64(1_700_006_400 + r.IntN(30)*daySeconds + hour*hourSeconds + r.IntN(hourSeconds))})
		}
	}
	return rows
}

// planted makes an operation of members on two platforms: each action shares one
// object from most of the members within 40 s; each member has noise of its own.
func planted(r *rand.Rand, members, actions, noise, objects int) []Row {
	var rows []Row
	key := func(m int) string { return AccountKey([]string{"agora", "forum"}[m%2], fmt.Sprintf("op%d", m)) }
	for act := range actions {
		at := int64(1_700_006_400 + r.IntN(30)*daySeconds + (9+r.IntN(8))*hourSeconds + r.IntN(hourSeconds))
		object := fmt.Sprintf("o%d", r.IntN(objects))
		for m := range members {
			if r.Float64() < 0.8 {
				rows = append(rows, Row{object, key(m), fmt.Sprintf("op%d-%d", m, act), at + int64(r.IntN(40))})
			}
		}
	}
	for m := range members {
		for k := range noise {
			rows = append(rows, Row{fmt.Sprintf("o%d", r.IntN(objects)), key(m), fmt.Sprintf("n%d-%d", m, k),
				int64(1_700_006_400 + r.IntN(30)*daySeconds + (8+r.IntN(12))*hourSeconds + r.IntN(hourSeconds))})
		}
	}
	return rows
}

// shuffled permutes the times of each account among its rows.
func shuffled(r *rand.Rand, rows []Row) []Row {
	rows = slices.Clone(rows)
	byAccount := map[string][]int{}
	var names []string
	for i, x := range rows {
		if byAccount[x.Account] == nil {
			names = append(names, x.Account)
		}
		byAccount[x.Account] = append(byAccount[x.Account], i)
	}
	for _, name := range names {
		at := byAccount[name]
		r.Shuffle(len(at), func(i, j int) { rows[at[i]].Time, rows[at[j]].Time = rows[at[j]].Time, rows[at[i]].Time })
	}
	return rows
}

// share counts the edges whose P is below 0.01, all and those that keep picks.
func share(n Network, keep func(Edge) bool) (below, all int) {
	for _, e := range n.Edges {
		if keep == nil || keep(e) {
			all++
			if e.P < 0.01 {
				below++
			}
		}
	}
	return below, all
}

func TestNullModel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	op := planted(r, 20, 25, 30, 400)
	rows := append(ordinary(r, 300, 150, 400), op...)
	o := Options{Window: time.Minute, NullModel: true}
	inside := func(e Edge) bool { return Platform(e.A) != "plaza" && Platform(e.B) != "plaza" }

	n := detect(t, rows, o)
	below, all := share(n, inside)
	t.Logf("planted: %d of %d edges inside the operation below 0.01", below, all)
	if all != 20*19/2 || float64(below) < 0.9*float64(all) {
		t.Errorf("planted: %d of %d edges below 0.01, want 90 %% of 190", below, all)
	}
	crossed := 0
	for _, e := range n.Edges {
		if inside(e) && e.CrossPlatform() && e.Coordinated(0.01) {
			crossed++
		}
	}
	if crossed < 90 { // of 10·10
		t.Errorf("%d coordinated edges across platforms, want at least 90 of 100", crossed)
	}
	below, all = share(n, func(e Edge) bool { return !inside(e) })
	t.Logf("outside the operation: %d of %d", below, all)
	if all < 500 || float64(below) > 0.01*float64(all) {
		t.Errorf("outside the operation: %d of %d edges below 0.01", below, all)
	}
	for round := range 3 {
		below, all = share(detect(t, shuffled(r, rows), o), nil)
		t.Logf("shuffled: %d of %d", below, all)
		if all < 500 || float64(below) > 0.01*float64(all) {
			t.Errorf("shuffled, round %d: %d of %d edges below 0.01", round, below, all)
		}
	}
}

func TestNullModelByHand(t *testing.T) {
	// ann and bob have two rows each, both within a second of each other's: of the
	// 4 pairs of times 2 are near, q = 1/2; two objects once each: mean 1.
	rows := []Row{{"o1", "ann", "a1", 0}, {"o1", "bob", "b1", 1}, {"o2", "ann", "a2", 5000}, {"o2", "bob", "b2", 5001}}
	e := detect(t, rows, Options{NullModel: true}).Edges[0]
	// P(X>=2 | X>=1) at mean 1 = (1-2/e)/(1-1/e).
	want := (1 - 2/math.E) / (1 - 1/math.E)
	if math.Abs(e.Expected-1) > 1e-12 || math.Abs(e.P-want) > 1e-12 || e.CoShares != 2 {
		t.Errorf("expected %v, P %v (want %v), co-shares %d", e.Expected, e.P, want, e.CoShares)
	}
	// Ten tags in one post are one occasion.
	rows = nil
	for i := range 10 {
		tag := fmt.Sprint("tag", i)
		rows = append(rows, Row{tag, "ann", "a1", 0}, Row{tag, "bob", "b1", 1})
	}
	e = detect(t, rows, Options{NullModel: true}).Edges[0]
	if e.Objects != 10 || e.CoShares != 1 || e.P != 1 || e.Coordinated(0.01) {
		t.Errorf("ten tags in one post: %+v", e)
	}
}

func TestPoissonTail(t *testing.T) {
	for _, c := range []struct {
		mean float64
		k    int
		want float64
	}{
		{0.01, 1, 1},
		{0, 3, 1},
		{2, 2, (1 - 3*math.Exp(-2)) / (1 - math.Exp(-2))},
		{1e-6, 2, 5e-7}, // mean/2 to first order
		{1000, 2, 1},
	} {
		if got := poissonTail(c.mean, c.k); math.Abs(got-c.want) > 1e-6*c.want {
			t.Errorf("tail(%v, %d) = %v, want %v", c.mean, c.k, got, c.want)
		}
	}
}

// The same on data that nobody here made.
func TestNullModelShared(t *testing.T) {
	cache := csvCache{}
	for _, data := range []string{"russian", "german url_id", "german hashtag_id"} {
		rows := sharedRows(t, cache, data)
		r := rand.New(rand.NewPCG(7, 2))
		o := Options{Window: time.Minute, NullModel: true}
		below, all := share(detect(t, rows, o), nil)
		t.Logf("%s as it is: %d of %d edges below 0.01", data, below, all)
		below, all = share(detect(t, shuffled(r, rows), o), nil)
		t.Logf("%s shuffled: %d of %d", data, below, all)
		if float64(below) > 0.01*float64(all) {
			t.Errorf("%s shuffled: %d of %d edges below 0.01", data, below, all)
		}
	}
}
