package account

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A Clock is what the times at which one account posts, or several together, say
// of their day. Posts come in bursts, so what is counted is the half hour in
// which an account posted at all, once on each day.
type Clock struct {
	Posts    int     `json:"posts"`    // with an exact time
	Days     int     `json:"days"`     // UTC days with a post
	Active   int     `json:"active"`   // half hours with a post, over all days
	Hours    [24]int `json:"hours"`    // posts in each hour of the day, UTC
	Weekdays [7]int  `json:"weekdays"` // posts on each day of the week, UTC, Monday first
	// Quiet is the stretch of the day with the least activity, where there is a
	// clear one; nil where the day is even (as of a program that never sleeps) or
	// there are too few posts to tell.
	Quiet *Stretch `json:"quiet,omitempty"`
	// Breaks are shorter stretches inside the active part of the day, of half an
	// hour to two hours, that are quieter than what lies around them: meals.
	Breaks []Stretch `json:"breaks,omitempty"`
	// Office says that the days are working days: Monday to Friday clearly more
	// than Saturday and Sunday.
	Office *Office `json:"office,omitempty"`
	// Zones are time zones that the clock suggests, each on its own grounds.
	Zones []Zone `json:"zones,omitempty"`
}

// A Stretch is a part of the day.
type Stretch struct {
	From int `json:"from_minute"` // UTC, minutes after midnight
	To   int `json:"to_minute"`   // may be below From: over midnight
	// Active is the number of half hours with a post in it, Expected what they
	// would be at the rate of the rest (of a break: of the hour before and after).
	Active   int     `json:"active"`
	Expected float64 `json:"expected"`
	P        float64 `json:"p"`
}

// String gives "15:30–23:00 UTC".
func (s Stretch) String() string {
	return fmt.Sprintf("%02d:%02d–%02d:%02d UTC", s.From/60, s.From%60, s.To/60, s.To%60)
}

// An Office is a working week.
type Office struct {
	WorkDays     int     `json:"work_days"` // Mondays to Fridays with a post
	WorkDaysOf   int     `json:"work_days_of"`
	WeekendDays  int     `json:"weekend_days"`
	WeekendOf    int     `json:"weekend_days_of"`
	WeekendShare float64 `json:"weekend_share"` // of the activity; 2/7 would be even
	P            float64 `json:"p"`
}

// A Zone is a suggestion, never a location: whoever works in shifts for a far
// country has that country's clock.
type Zone struct {
	Basis  string  `json:"basis"`        // "night": the quiet stretch is taken for the night; "work": the active part for a working day
	Offset float64 `json:"offset_hours"` // east of UTC, the middle of the range
	From   float64 `json:"from_hours"`   // 9 of 10 such clocks lie within
	To     float64 `json:"to_hours"`
}

// String gives "UTC+8 (UTC+5:30 to UTC+10:30)".
func (z Zone) String() string {
	return fmt.Sprintf("%s (%s to %s)", offset(z.Offset), offset(z.From), offset(z.To))
}

func offset(h float64) string {
	minutes := int(math.Round(math.Abs(h) * 60))
	sign := "+"
	if h < 0 {
		sign = "−"
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("UTC%s%d", sign, minutes/60)
	}
	return fmt.Sprintf("UTC%s%d:%02d", sign, minutes/60, minutes%60)
}

const (
	slots = 48 // half hours of a day

	// What a clock needs before anything is read from it.
	leastDays   = 7
	leastActive = 40

	// A quiet stretch of 4 to 14 hours whose rate is at most a quarter of the
	// rest's counts as a rest. On ira-2017-08 (see clock_test.go) 61 of 218
	// accounts have one; of 200 made-up ones without any rhythm none.
	quietLeast, quietMost = 8, 28 // slots
	quietRate             = 0.25

	// People who may sleep when they like sleep around 4:15 local time (standard
	// deviation about an hour), on working days around 3:00 (Roenneberg, Wirz-
	// Justice and Merrow 2003, Journal of Biological Rhythms 18:80, for Germany and
	// Switzerland). Other countries keep other hours, and nobody posts up to the
	// moment of sleep, so the middle of the quiet stretch is taken as 3:30. How
	// far single accounts are from it was measured on half of 289 accounts of a
	// German election campaign (UTC+2): 2.8 hours of standard deviation, and half
	// an hour early on the whole. On the other half, 9 of 10 lie in the range.
	nightMiddle = 3.5 // hours, local
	nightSpread = 2.7

	// A working day is taken to begin at 9, with an hour of standard deviation.
	workBegin  = 9.0
	workSpread = 1.0
	workLeast  = 6  // hours between the first and the last half hour
	workMost   = 14 // of activity; longer is shifts, whose begin says nothing

	tenth     = 1.645 // standard deviations that 9 of 10 lie within
	resamples = 100
)

// ClockOf reads the clock of one account from its times, in any order, or that
// of several accounts together from those of each. It gives the counts for any
// number of them; the findings need 7 days and 40 active half hours. Of several
// accounts each counts with its own half hours and days, so that the busiest do
// not drown the others.
//
// The quiet stretch is the maximum-likelihood fit of a day with two rates, its P
// the likelihood ratio's against one rate (chi-squared, one degree of freedom,
// times the number of stretches tried). The uncertainty of a zone is that of the
// fit, by drawing the days anew 100 times, and that of people's habits.
func ClockOf(accounts ...[]time.Time) Clock {
	var c Clock
	type accountDay struct {
		day     int64
		account int
	}
	byDay := map[accountDay]uint64{} // half hours with a post
	for i, times := range accounts {
		for _, t := range times {
			t = t.UTC()
			c.Posts++
			c.Hours[t.Hour()]++
			c.Weekdays[(int(t.Weekday())+6)%7]++
			byDay[accountDay{floorDay(t), i}] |= 1 << (t.Hour()*2 + t.Minute()/30)
		}
	}
	keys := make([]accountDay, 0, len(byDay))
	calendar := map[int64]int{} // half hours of each day
	for key, slots := range byDay {
		keys = append(keys, key)
		calendar[key.day] += bits.OnesCount64(slots)
		c.Active += bits.OnesCount64(slots)
	}
	c.Days = len(calendar)
	if c.Days < leastDays || c.Active < leastActive {
		return c
	}
	slices.SortFunc(keys, func(a, b accountDay) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.account, b.account)) })
	days := make([]uint64, len(keys))
	for i, k := range keys {
		days[i] = byDay[k]
	}
	c.Office = office(keys[0].day, keys[len(keys)-1].day, calendar)
	counts := count(days)
	quiet := quietest(counts)
	if quiet.p > SignificantP || quiet.rate > quietRate {
		return c
	}
	c.Quiet = quiet.stretch()
	c.Breaks = breaks(counts, quiet)
	c.Zones = zones(c, days, quiet)
	return c
}

func floorDay(t time.Time) int64 {
	s := t.Unix()
	day := s / 86400
	if s%86400 < 0 {
		day--
	}
	return day
}

func count(days []uint64) (counts [slots]int) {
	for _, d := range days {
		for d != 0 {
			counts[bits.TrailingZeros64(d)]++
			d &= d - 1
		}
	}
	return counts
}

// A fit is a quiet stretch that was found.
type fit struct {
	from, length int // slots
	in, all      int
	rate         float64 // inside over outside
	p            float64
}

func (f fit) middle() float64 { return math.Mod(float64(f.from)+float64(f.length)/2, slots) / 2 } // hours UTC

func (f fit) stretch() *Stretch {
	outside := float64(f.all-f.in) / float64(slots-f.length)
	return &Stretch{From: f.from * 30, To: (f.from + f.length) % slots * 30, Active: f.in, Expected: outside * float64(f.length), P: f.p}
}

// quietest fits a day with two rates.
func quietest(counts [slots]int) fit {
	all := 0
	for _, n := range counts {
		all += n
	}
	best, ratio := fit{all: all, rate: 1, p: 1}, 0.0
	for length := quietLeast; length <= quietMost; length++ {
		in := 0
		for i := range length {
			in += counts[i]
		}
		for from := range slots {
			out := all - in
			share := float64(length) / slots
			if float64(in) < share*float64(all) {
				r := xlogx(in, share*float64(all)) + xlogx(out, (1-share)*float64(all))
				if r > ratio {
					ratio = r
					best.from, best.length, best.in = from, length, in
				}
			}
			in += counts[(from+length)%slots] - counts[from]
		}
	}
	if ratio > 0 {
		best.rate = (float64(best.in) / float64(best.length)) / (float64(all-best.in) / float64(slots-best.length))
		tried := float64(slots * (quietMost - quietLeast + 1))
		best.p = math.Min(1, tried*math.Erfc(math.Sqrt(ratio))/2)
	}
	return best
}

// xlogx is n·ln(n/expected), 0 for n = 0.
func xlogx(n int, expected float64) float64 {
	if n == 0 {
		return 0
	}
	return float64(n) * math.Log(float64(n)/expected)
}

// breaks finds stretches of one to four half hours in the active part of the day
// that have clearly less than the hour before and the hour after them.
func breaks(counts [slots]int, quiet fit) []Stretch {
	const beside, longest = 2, 4 // slots
	begin, active := quiet.from+quiet.length, slots-quiet.length
	at := func(i int) int { return counts[(begin+i)%slots] }
	var found []Stretch
	tests := float64(longest * active)
	for length := 1; length <= longest; length++ {
		for i := beside; i+length+beside <= active; i++ {
			in, before, after := 0, 0, 0
			for k := range length {
				in += at(i + k)
			}
			for k := range beside {
				before += at(i - 1 - k)
				after += at(i + length + k)
			}
			// Both sides must be busier: the slope at the ends of a day is no break.
			expected := math.Min(float64(before), float64(after)) / beside * float64(length)
			if p := tests * poissonLower(expected, in); p <= SignificantP {
				found = append(found, Stretch{From: (begin + i) % slots * 30, To: (begin + i + length) % slots * 30, Active: in, Expected: expected, P: p})
			}
		}
	}
	slices.SortFunc(found, func(a, b Stretch) int { return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(a.From, b.From)) })
	var taken uint64
	found = slices.DeleteFunc(found, func(s Stretch) bool {
		var mask uint64
		for i := s.From / 30; i != s.To/30; i = (i + 1) % slots {
			mask |= 1 << i
		}
		if taken&mask != 0 {
			return true
		}
		// What touches a break already found belongs to it.
		taken |= mask | bits.RotateLeft64(mask, 1) | bits.RotateLeft64(mask, -1)
		return false
	})
	slices.SortFunc(found, func(a, b Stretch) int { return cmp.Compare(a.From, b.From) })
	return found
}

// office compares the days of the week. Null model: each day of the time between
// the first and the last is active on its own, whatever its place in the week
// (Fisher's exact test, one-sided, on days with a post).
func office(first, last int64, calendar map[int64]int) *Office {
	var o Office
	var weekend, all int
	for day := first; day <= last; day++ {
		n, active := calendar[day]
		all += n
		if (day%7+7+3)%7 >= 5 { // 1970-01-01 was a Thursday; 0 is Monday
			o.WeekendOf++
			weekend += n
			if active {
				o.WeekendDays++
			}
			continue
		}
		o.WorkDaysOf++
		if active {
			o.WorkDays++
		}
	}
	if o.WeekendOf == 0 {
		return nil
	}
	o.WeekendShare = float64(weekend) / float64(all)
	o.P = fisher(o.WorkDays, o.WorkDaysOf, o.WeekendDays, o.WeekendOf)
	if o.P > SignificantP {
		return nil
	}
	return &o
}

func zones(c Clock, days []uint64, quiet fit) []Zone {
	middle, begin := quiet.middle(), math.Mod(float64(quiet.from+quiet.length), slots)/2
	var middleSpread, beginSpread float64
	random := rand.New(rand.NewPCG(0x5eed, uint64(len(days)))) // the same answer each time
	drawn := make([]uint64, len(days))
	for range resamples {
		for i := range drawn {
			drawn[i] = days[random.IntN(len(days))]
		}
		f := quietest(count(drawn))
		middleSpread += sq(circular(f.middle() - middle))
		beginSpread += sq(circular(math.Mod(float64(f.from+f.length), slots)/2 - begin))
	}
	// A half hour is as fine as the clock is: a twelfth of its square.
	middleSpread = math.Sqrt(middleSpread/resamples + 0.25/12 + sq(nightSpread))
	list := []Zone{zone("night", nightMiddle-middle, middleSpread)}
	if active := float64(slots-quiet.length) / 2; c.Office != nil && active >= workLeast && active <= workMost {
		beginSpread = math.Sqrt(beginSpread/resamples + 0.25/12 + sq(workSpread))
		list = append(list, zone("work", workBegin-begin, beginSpread))
	}
	return list
}

func sq(x float64) float64 { return x * x }

// circular brings a difference of hours of the day into (−12, 12].
func circular(h float64) float64 {
	h = math.Mod(h, 24)
	if h > 12 {
		h -= 24
	}
	if h <= -12 {
		h += 24
	}
	return h
}

// zone makes a suggestion. Offsets lie in UTC−12 to UTC+14, those that are there
// twice (UTC+13 is UTC−11) at the western one.
func zone(basis string, at, spread float64) Zone {
	at = circular(at)
	half := func(h float64) float64 { return math.Round(h*2) / 2 }
	return Zone{Basis: basis, Offset: half(at), From: half(at - tenth*spread), To: half(at + tenth*spread)}
}

// Why says in one or two sentences what the clock shows.
func (c Clock) Why() string {
	if c.Days < leastDays || c.Active < leastActive {
		return fmt.Sprintf("%d posts with an exact time on %d days: too few to read a clock from (%d days and %d half hours with a post are needed)", c.Posts, c.Days, leastDays, leastActive)
	}
	var parts []string
	if c.Quiet == nil {
		parts = append(parts, fmt.Sprintf("%d posts on %d days, with no clear rest: posted around the clock, by shifts or by a program", c.Posts, c.Days))
	} else {
		parts = append(parts, fmt.Sprintf("%d posts on %d days, quiet %s (%d active half hours, %.0f at the rate of the rest)", c.Posts, c.Days, c.Quiet, c.Quiet.Active, c.Quiet.Expected))
	}
	for _, b := range c.Breaks {
		parts = append(parts, fmt.Sprintf("a break %s (%d, %.0f around it)", b, b.Active, b.Expected))
	}
	if o := c.Office; o != nil {
		parts = append(parts, fmt.Sprintf("posts on %d of %d working days and %d of %d days of weekends", o.WorkDays, o.WorkDaysOf, o.WeekendDays, o.WeekendOf))
	}
	for _, z := range c.Zones {
		if z.Basis == "night" {
			parts = append(parts, "if that is the night, "+z.String())
		} else {
			parts = append(parts, "if the rest is a working day, "+z.String())
		}
	}
	return strings.Join(parts, "; ")
}
