package coord

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// redrawn moves each row to a random day of the data and a random second of its
// hour: the hours of an account stay, its bursts and its days go.
func redrawn(r *rand.Rand, rows []Row) []Row {
	rows = slices.Clone(rows)
	first, last := rows[0].Time, rows[0].Time
	for _, x := range rows {
		first, last = min(first, x.Time), max(last, x.Time)
	}
	days := max(1, int((last-first)/daySeconds))
	for i := range rows {
		hour := rows[i].Time % daySeconds / hourSeconds
		day := first/daySeconds + int64(r.IntN(days))
		rows[i].Time = day*daySeconds + hour*hourSeconds + int64(r.IntN(hourSeconds))
	}
	return rows
}

// The other reading of a shuffle that keeps the hours, at two windows.
func TestNullModelRandomDays(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 4))
	rows := append(ordinary(r, 200, 150, 200), planted(r, 20, 25, 30, 200)...)
	for _, window := range []time.Duration{time.Minute, 10 * time.Minute} {
		below, all := share(detect(t, redrawn(r, rows), Options{Window: window, NullModel: true}), nil)
		t.Logf("%v: %d of %d", window, below, all)
		if all < 500 || float64(below) > 0.01*float64(all) {
			t.Errorf("%v: %d of %d edges below 0.01", window, below, all)
		}
	}
}
