package account

import (
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// shift posts for weeks from a zone: on working days only, from 9 to 21 by the
// clock there, with no post from 12 to 13 and from 18 to 19.
func shift(offset, weeks, each int, random *rand.Rand) []time.Time {
	var times []time.Time
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // a Monday
	for day := range weeks * 7 {
		if day%7 >= 5 {
			continue
		}
		for range each {
			minute := 9*60 + random.IntN(12*60)
			if h := minute / 60; h == 12 || h == 18 {
				continue
			}
			times = append(times, start.AddDate(0, 0, day).Add(time.Duration(minute-offset*60)*time.Minute))
		}
	}
	return times
}

func TestClockOfAShift(t *testing.T) {
	for _, offset := range []int{-8, 0, 3, 8} {
		c := ClockOf(shift(offset, 6, 25, rand.New(rand.NewPCG(1, 2))))
		if c.Quiet == nil {
			t.Fatalf("UTC%+d: no quiet stretch: %s", offset, c.Why())
		}
		wantFrom, wantTo := ((21-offset+24)%24)*60, ((9-offset+24)%24)*60
		if c.Quiet.From != wantFrom || c.Quiet.To != wantTo {
			t.Errorf("UTC%+d: quiet %s, want from minute %d to %d", offset, c.Quiet, wantFrom, wantTo)
		}
		lunch, dinner := ((12-offset+24)%24)*60, ((18-offset+24)%24)*60
		seen := map[int]int{}
		for _, b := range c.Breaks {
			seen[b.From] = b.To
		}
		if len(seen) != 2 || seen[lunch] != (lunch+60)%1440 || seen[dinner] != (dinner+60)%1440 {
			t.Errorf("UTC%+d: breaks %v, want %d and %d, an hour each", offset, c.Breaks, lunch, dinner)
		}
		if c.Office == nil || offset >= 0 && c.Office.WeekendDays != 0 { // in the west Friday evening is Saturday UTC
			t.Errorf("UTC%+d: the working week is not seen: %+v", offset, c.Office)
		}
		if len(c.Zones) != 2 {
			t.Fatalf("UTC%+d: zones %v, want one by the night and one by the work", offset, c.Zones)
		}
		for _, z := range c.Zones {
			if d := circular(float64(offset) - z.Offset); d < z.From-z.Offset || d > z.To-z.Offset {
				t.Errorf("UTC%+d lies outside of what %s suggests: %s", offset, z.Basis, z)
			}
			if z.To-z.From < 3 {
				t.Errorf("UTC%+d: %s claims to be exact: %s", offset, z.Basis, z)
			}
		}
	}
}

func TestClockSaysNothingOfEvenDays(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	quiet, breaks, offices := 0, 0, 0
	for range 200 {
		var times []time.Time
		for range 400 {
			times = append(times, time.Unix(1772409600+random.Int64N(42*86400), 0))
		}
		c := ClockOf(times)
		if c.Quiet != nil || c.Zones != nil {
			quiet++
		}
		breaks += len(c.Breaks)
		if c.Office != nil {
			offices++
		}
	}
	if quiet > 2 || breaks > 2 || offices > 4 {
		t.Errorf("of 200 clocks without any rhythm %d have a quiet stretch, %d breaks, %d a working week", quiet, breaks, offices)
	}
}

// A burst is one act: a hundred posts in one minute do not make a clock.
func TestClockIsNotMovedByBursts(t *testing.T) {
	times := shift(8, 6, 25, rand.New(rand.NewPCG(5, 6)))
	want := ClockOf(times)
	night := time.Date(2026, 3, 4, 20, 3, 0, 0, time.UTC) // 4 in the morning there
	for i := range 500 {
		times = append(times, night.Add(time.Duration(i)*time.Second))
	}
	got := ClockOf(times)
	if got.Quiet == nil || got.Quiet.From != want.Quiet.From || got.Quiet.To != want.Quiet.To {
		t.Errorf("quiet %v, want %v as without the burst", got.Quiet, want.Quiet)
	}
	if got.Posts != want.Posts+500 {
		t.Errorf("%d posts are counted, want %d", got.Posts, want.Posts+500)
	}
}

func TestClockNeedsEnough(t *testing.T) {
	for name, times := range map[string][]time.Time{"nothing": nil, "six days": shift(8, 1, 100, rand.New(rand.NewPCG(1, 1)))} {
		if c := ClockOf(times); c.Quiet != nil || c.Zones != nil || c.Office != nil || c.Why() == "" {
			t.Errorf("%s: %s", name, c.Why())
		}
	}
}

// Accounts of a German election campaign keep a clock of UTC+2, as they are
// chosen for writing of it. nightSpread was chosen on every other of them.
func TestZoneOfGermanAccounts(t *testing.T) {
	times := map[string][]time.Time{}
	eachRow(t, "datasets/coordination/german_elections.csv.gz", [2]string{"account_id", "timestamp"}, func(account, at string) {
		s, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		times[account] = append(times[account], time.Unix(s, 0))
	})
	var told, right [2]int
	var sum, square [2]float64
	for account, list := range times {
		if len(list) < leastActive {
			continue
		}
		half := int(account[len(account)-1]) & 1
		for _, z := range ClockOf(list).Zones {
			if z.Basis != "night" {
				continue
			}
			told[half]++
			sum[half] += z.Offset - 2
			square[half] += sq(z.Offset - 2)
			if z.From <= 2 && 2 <= z.To {
				right[half]++
			}
		}
	}
	for half, name := range []string{"chosen on", "not chosen on"} {
		n := float64(told[half])
		t.Logf("%s: %d accounts with a zone, UTC+2 within the range of %d (%.1f %%); mean of the error %.2f h, standard deviation %.2f h", name, told[half], right[half], 100*float64(right[half])/n, sum[half]/n, math.Sqrt(square[half]/n-sq(sum[half]/n)))
	}
	if told[1] < 50 || float64(right[1]) < 0.85*float64(told[1]) {
		t.Errorf("UTC+2 lies within the range of %d of %d accounts, want about 9 of 10", right[1], told[1])
	}
}

// The operation of 2017 worked from UTC+3, in shifts around the clock, and for
// the clocks of other countries. Told is what comes out; no account's truth is
// known, so only what must hold of each clock is asserted.
func TestClocksOfIRA(t *testing.T) {
	times := map[string][]time.Time{}
	eachRow(t, "datasets/ira-2017-08/posts.csv.gz", [2]string{"account", "time"}, func(account, at string) {
		when, err := time.Parse(time.DateTime, at)
		if err != nil {
			t.Fatal(err)
		}
		times[account] = append(times[account], when)
	})
	quiet, posts := 0, 0
	var all [][]time.Time
	for account, list := range times {
		c := ClockOf(list)
		if c.Quiet != nil {
			quiet++
			if c.Quiet.P > SignificantP || float64(c.Quiet.Active) > quietRate*c.Quiet.Expected {
				t.Errorf("%s: a rest that is none: %s", account, c.Why())
			}
		}
		sum := 0
		for _, n := range c.Hours {
			sum += n
		}
		posts += sum
		all = append(all, list)
	}
	t.Logf("%d accounts, %d with a quiet stretch; together: %s", len(times), quiet, ClockOf(all...).Why())
	if posts != 153000 {
		t.Errorf("%d posts counted, want 153000", posts)
	}
}

// eachRow reads a packed CSV and gives the columns that were asked for.
func eachRow(t *testing.T, name string, columns [2]string, f func(a, b string)) {
	t.Helper()
	file, err := os.Open(sharedtest.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // read only
	gz, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(gz)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	header = slices.Clone(header)
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f(fields[slices.Index(header, columns[0])], fields[slices.Index(header, columns[1])])
	}
}
