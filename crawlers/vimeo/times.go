package vimeo

import (
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/post"
)

// The offsets of New York.
const (
	standard = -5 * time.Hour
	daylight = -4 * time.Hour
)

// newYork reads a moment that Vimeo wrote without a zone, "2015-08-21 17:37:43",
// which is New York time. Daylight saving time is reckoned by the rule of the
// United States (since 2007 from the second Sunday of March to the first of
// November, before from the first Sunday of April to the last of October, each
// at 2:00), so that the answer does not hang on a zone database. In the hour
// that is repeated in autumn, and in the one that is left out in spring, both
// readings count.
func newYork(raw string) post.Time {
	raw = strings.TrimSpace(raw)
	wall, err := time.Parse("2006-01-02 15:04:05", raw)
	if err != nil || wall.Year() < 2000 || wall.Year() > 2200 {
		return stated(raw)
	}
	from, to := daylightSaving(wall.Year())
	hour := time.Hour
	switch {
	case !wall.Before(from) && wall.Before(from.Add(hour)), !wall.Before(to.Add(-hour)) && wall.Before(to):
		return post.Between(wall.Add(-daylight), wall.Add(-standard), raw, post.SourceField)
	case !wall.Before(from) && wall.Before(to):
		return post.Exact(wall.Add(-daylight), raw)
	}
	return post.Exact(wall.Add(-standard), raw)
}

// daylightSaving gives the clock times between which it holds in a year.
func daylightSaving(year int) (from, to time.Time) {
	sunday := func(month time.Month, day int) time.Time { // the first from that day on
		t := time.Date(year, month, day, 2, 0, 0, 0, time.UTC)
		return t.AddDate(0, 0, (7-int(t.Weekday()))%7)
	}
	if year >= 2007 {
		return sunday(time.March, 8), sunday(time.November, 1)
	}
	return sunday(time.April, 1), sunday(time.October, 25)
}

// stated reads a moment as a field states it, with its offset.
func stated(raw string) post.Time {
	t, ok := dates.Parse(raw)
	if !ok {
		return post.Time{}
	}
	if !t.Time.IsZero() {
		t.Raw = ""
	}
	return t
}

// isoDuration reads "PT00H03M20S" as seconds.
func isoDuration(s string) (float64, bool) {
	rest, ok := strings.CutPrefix(s, "PT")
	if !ok || rest == "" {
		return 0, false
	}
	total, n, any := 0, 0, false
	for _, c := range rest {
		switch {
		case c >= '0' && c <= '9' && n < 1_000_000:
			n, any = n*10+int(c-'0'), true
			continue
		case c == 'H' && any:
			total += n * 3600
		case c == 'M' && any:
			total += n * 60
		case c == 'S' && any:
			total += n
		default:
			return 0, false
		}
		n, any = 0, false
	}
	return float64(total), n == 0
}
