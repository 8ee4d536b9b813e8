// Package dates reads moments as sites and feeds write them: ISO 8601 and
// RFC 3339, RFC 822 and its many misspellings, the output of date(1) and of
// JavaScript, Unix seconds, and dates in words.
//
// What is written decides how exact the answer is. A moment to the second with
// a zone is exact. Everything less is an interval that surely holds the moment:
//
//	2024-05-01T10:00Z          the minute 10:00 to 10:01
//	2024-05-01T10:00:00        14 hours before to 12 hours after, as no zone is named
//	2024-05-01                 that day in any zone: April 30, 10:00 to May 2, 12:00 UTC
//	2024-05, 2024              that month or year, likewise
//	03/04/2024                 both readings: April 3 or March 4
//
// Zones reach from UTC-12 to UTC+14, which gives the hours. Zone names are read
// where they mean one thing only: GMT, UTC, the North American names of RFC 822
// in dates of its form, and a few that nobody else uses. CST in the output of
// date(1), BST, IST and the like are an unknown zone.
package dates

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// The reach of zones around UTC.
const (
	east = 14 * time.Hour // a local clock is at most so far ahead of UTC
	west = 12 * time.Hour // and so far behind
)

// maxLen bounds what is looked at as a date at all.
const maxLen = 80

// Parse reads s. It gives false for what is not a date, and for the placeholders
// that programs write in place of none (year 0 or 1).
func Parse(s string) (post.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxLen {
		return post.Time{}, false
	}
	if m, ok := iso(s); ok {
		return m.time(s)
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case len(s) == 10:
			return post.Exact(time.Unix(n, 0), s), true
		case len(s) == 13:
			return post.Exact(time.UnixMilli(n), s), true
		}
		return post.Time{}, false
	}
	if m, ok := words(s); ok {
		return m.time(s)
	}
	return post.Time{}, false
}

// A unit is how finely a moment is stated.
type unit int

const (
	second unit = iota
	minute
	hour
	day
	month
	year
)

// A moment is what was read, before it becomes a Time.
type moment struct {
	year, month, day, hour, min, sec, nano int
	unit                                   unit
	zone                                   bool // offset is known
	offset                                 int  // seconds east of UTC
	swap                                   bool // day and month may be the other way round
	plain                                  bool // the text is RFC 3339 itself: not worth keeping
}

func (m moment) time(raw string) (post.Time, bool) {
	if m.year < 1000 || m.year > 2200 || !valid(m) {
		return post.Time{}, false
	}
	from := time.Date(m.year, time.Month(m.month), m.day, m.hour, m.min, m.sec, m.nano, time.UTC)
	var to time.Time
	switch m.unit {
	case second:
		to = from
	case minute:
		to = from.Add(time.Minute)
	case hour:
		to = from.Add(time.Hour)
	case day:
		to = from.AddDate(0, 0, 1)
	case month:
		to = from.AddDate(0, 1, 0)
	case year:
		to = from.AddDate(1, 0, 0)
	}
	if m.swap {
		other := m
		other.swap, other.day, other.month = false, m.month, m.day
		if valid(other) && other.day != other.month {
			if t, ok := other.time(raw); ok {
				m.swap = false
				mine, _ := m.time(raw)
				return post.Between(earlier(t.Earliest(), mine.Earliest()), later(t.Latest(), mine.Latest()), raw, post.SourceField), true
			}
		}
	}
	if m.zone {
		shift := -time.Duration(m.offset) * time.Second
		from, to = from.Add(shift), to.Add(shift)
		if m.unit == second {
			if m.plain {
				raw = ""
			}
			return post.Exact(from, raw), true
		}
		return post.Between(from, to, raw, post.SourceField), true
	}
	return post.Between(from.Add(-east), to.Add(west), raw, post.SourceField), true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func valid(m moment) bool {
	if m.month < 1 || m.month > 12 || m.day < 1 || m.hour > 24 || m.min > 59 || m.sec > 60 || m.hour == 24 && m.min+m.sec > 0 {
		return false
	}
	last := time.Date(m.year, time.Month(m.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return m.day <= last
}

// iso reads YYYY[-MM[-DD[Thh:mm[:ss[.f]][zone]]]], with "/" or "." for "-", a
// blank for "T", and the form without separators.
var isoForm = regexp.MustCompile(`^(\d{4})(?:([-/.])(\d{1,2})(?:[-/.](\d{1,2})(?:(?:[Tt]|[Tt ,]\s*)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?\s*(.*))?)?)?$`)

var isoCompact = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})(?:[Tt ]?(\d{2})(\d{2})(\d{2})?(.*))?$`)

func iso(s string) (moment, bool) {
	if len(s) < 4 || s[0] < '0' || s[0] > '9' {
		return moment{}, false
	}
	var g []string
	if f := isoForm.FindStringSubmatch(s); f != nil {
		g = []string{f[1], f[3], f[4], f[5], f[6], f[7], f[8], f[9]}
	} else if f := isoCompact.FindStringSubmatch(s); f != nil && (len(s) == 8 || len(s) >= 14) {
		g = []string{f[1], f[2], f[3], f[4], f[5], f[6], "", f[7]}
	} else {
		return moment{}, false
	}
	m := moment{year: atoi(g[0]), month: 1, day: 1, unit: year}
	if g[1] != "" {
		m.month, m.unit = atoi(g[1]), month
	}
	if g[2] != "" {
		m.day, m.unit = atoi(g[2]), day
	}
	if g[3] != "" {
		m.hour, m.min, m.unit = atoi(g[3]), atoi(g[4]), minute
	}
	if g[5] != "" {
		m.sec, m.unit = atoi(g[5]), second
		m.nano = nanos(g[6])
	}
	if m.unit <= minute {
		var ok bool
		if m.zone, m.offset, ok = zone(g[7], false); !ok {
			return moment{}, false
		}
		if _, err := time.Parse(time.RFC3339, s); err == nil {
			m.plain = true
		}
	}
	return m, valid(m)
}

var (
	clock     = regexp.MustCompile(`(?:^|[^\d:])(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?(?:\s*([AaPp])\.?[Mm]\b\.?)?`)
	clockHour = regexp.MustCompile(`(?:^|\s)(\d{1,2})\s*([AaPp])\.?[Mm]\b\.?`)
	cjk       = regexp.MustCompile(`(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일號号]?`)
	numeric   = regexp.MustCompile(`(?:^|[^\d])(\d{1,2})\s?([./-])\s?(\d{1,2})\s?[./-]\s?(\d{4})(?:$|[^\d])`)
	isoDay    = regexp.MustCompile(`(?:^|[^\d])(\d{4})[-/.]\s?(\d{1,2})[-/.]\s?(\d{1,2})(?:$|[^\d])`)
	letters   = regexp.MustCompile(`\pL+`)
	digits    = regexp.MustCompile(`\d+`)
	rfc822    = regexp.MustCompile(`^(?:\pL+\.?,?\s+)?\d{1,2}[\s-]+\pL+\.?[\s-]+(?:\d{4}|\d{2})[\s,]+\d{1,2}:\d{2}`)
)

// words reads dates that hold letters or stand the other way round.
func words(s string) (moment, bool) {
	var m moment
	m.month, m.day, m.unit = 1, 1, day
	date, after := s, ""
	if f := clock.FindStringSubmatchIndex(s); f != nil {
		g := group(s, f)
		m.hour, m.min, m.unit = atoi(g(1)), atoi(g(2)), minute
		if g(3) != "" {
			m.sec, m.unit, m.nano = atoi(g(3)), second, nanos(g(4))
		}
		if !halfDay(&m, g(5)) {
			return moment{}, false
		}
		date, after = s[:f[2]], s[f[1]:]
	} else if f := clockHour.FindStringSubmatchIndex(s); f != nil {
		g := group(s, f)
		m.hour, m.unit = atoi(g(1)), hour
		if !halfDay(&m, g(2)) {
			return moment{}, false
		}
		date, after = s[:f[2]], s[f[1]:]
	}
	if m.hour > 24 || m.min > 59 || m.sec > 60 {
		return moment{}, false
	}
	// date(1) writes the year after the zone: take it from there.
	if f := digits.FindAllString(date, -1); len(f) == 1 && len(f[0]) <= 2 {
		if i := strings.LastIndexByte(strings.TrimSpace(after), ' '); len(strings.TrimSpace(after)) >= 4 {
			tail := strings.TrimSpace(after)[i+1:]
			if len(tail) == 4 && atoi(tail) > 0 && digits.FindString(tail) == tail {
				date += " " + tail
				after = strings.TrimSpace(after)[:max(i, 0)]
			}
		}
	}
	if m.unit < day {
		known, offset, ok := zone(after, rfc822.MatchString(s))
		if !ok && len(digits.FindAllString(date, -1)) == 0 { // "15:04, 2 January 2006"
			date, known, offset, ok = after, false, 0, true
		}
		if !ok {
			return moment{}, false
		}
		m.zone, m.offset = known, offset
	}
	return m, readDate(&m, date)
}

func group(s string, at []int) func(int) string {
	return func(i int) string {
		if at[2*i] < 0 {
			return ""
		}
		return s[at[2*i]:at[2*i+1]]
	}
}

func halfDay(m *moment, mark string) bool {
	switch strings.ToLower(mark) {
	case "":
		return true
	case "a":
		if m.hour == 12 {
			m.hour = 0
		}
	case "p":
		if m.hour < 12 {
			m.hour += 12
		}
	}
	return m.hour < 24
}

// readDate reads the day out of the part of a date without its clock.
func readDate(m *moment, date string) bool {
	if f := cjk.FindStringSubmatch(date); f != nil {
		m.year, m.month, m.day = atoi(f[1]), atoi(f[2]), atoi(f[3])
		return valid(*m)
	}
	if f := isoDay.FindStringSubmatch(date); f != nil {
		m.year, m.month, m.day = atoi(f[1]), atoi(f[2]), atoi(f[3])
		return valid(*m)
	}
	if f := numeric.FindStringSubmatch(date); f != nil {
		m.day, m.month, m.year = atoi(f[1]), atoi(f[3]), atoi(f[4])
		m.swap = f[2] != "." // with dots the day stands first everywhere
		if m.month > 12 && m.swap {
			m.day, m.month, m.swap = m.month, m.day, false
		}
		return valid(*m)
	}
	found, others := 0, 0
	for _, w := range letters.FindAllString(date, -1) {
		if n := monthOf(w); n > 0 {
			found = n // the last one: "mar, 05 nov" is a Tuesday in November
		} else {
			others++
		}
	}
	if found == 0 || others > 4 {
		return false
	}
	m.month = found
	numbers := digits.FindAllString(date, -1)
	switch {
	case len(numbers) == 1 && len(numbers[0]) == 4 && m.unit == day:
		m.year, m.unit = atoi(numbers[0]), month
	case len(numbers) != 2:
		return false
	case len(numbers[0]) == 4 && len(numbers[1]) <= 2:
		m.year, m.day = atoi(numbers[0]), atoi(numbers[1])
	case len(numbers[0]) <= 2 && len(numbers[1]) == 4:
		m.day, m.year = atoi(numbers[0]), atoi(numbers[1])
	case len(numbers[0]) <= 2 && len(numbers[1]) == 2: // RFC 5322 section 4.3
		m.day, m.year = atoi(numbers[0]), 2000+atoi(numbers[1])
		if m.year >= 2050 {
			m.year -= 100
		}
	default:
		return false
	}
	return valid(*m)
}

var offsetForm = regexp.MustCompile(`^(?:GMT|UTC|UT|Z)?\s*([+\-−])-?(\d{1,2}):?(\d{2})?(?::?00)?(?:\s+[A-Za-z]{2,5})?$`)

// zone reads what follows a clock. known is false for none and for names that
// mean several zones; ok is false for what is no zone at all.
func zone(s string, mail bool) (known bool, offset int, ok bool) {
	s = strings.TrimSpace(s)
	if i := strings.IndexByte(s, '('); i >= 0 { // a comment: (CEST)
		s = strings.TrimSpace(s[:i])
	}
	s = strings.Trim(s, ".,; ")
	if s == "" {
		return false, 0, true
	}
	if f := offsetForm.FindStringSubmatch(strings.ToUpper(s)); f != nil {
		h, m := atoi(f[2]), atoi(f[3])
		if h > 15 || m > 59 {
			return false, 0, false
		}
		offset = h*3600 + m*60
		if f[1] != "+" {
			offset = -offset
		}
		return true, offset, true
	}
	if hours, ok := zoneHours(strings.ToUpper(s), mail); ok {
		return true, int(hours * 3600), true
	}
	for _, c := range s { // a name, perhaps with its place: Europe/Berlin
		if c >= '0' && c <= '9' || c == ':' {
			return false, 0, false
		}
	}
	return false, 0, len(s) <= 40
}

// zoneHours gives the hours east of UTC of names that mean one zone only. mail
// says that the date has the form of RFC 822, which defines some more.
func zoneHours(name string, mail bool) (float64, bool) {
	switch name {
	case "Z", "UT", "UTC", "GMT", "GMT0", "00":
		return 0, true
	case "WET":
		return 0, true
	case "CET", "WEST", "MEZ":
		return 1, true
	case "CEST", "EET", "MESZ":
		return 2, true
	case "EEST", "MSK":
		return 3, true
	case "JST", "KST":
		return 9, true
	case "HKT":
		return 8, true
	case "AEST":
		return 10, true
	case "AEDT":
		return 11, true
	case "NZST":
		return 12, true
	case "NZDT":
		return 13, true
	case "EDT":
		return -4, true
	case "PDT":
		return -7, true
	}
	if !mail {
		return 0, false
	}
	switch name {
	case "EST", "CDT":
		return -5, true
	case "CST", "MDT":
		return -6, true
	case "MST":
		return -7, true
	case "PST":
		return -8, true
	}
	return 0, false
}

// monthOf gives the number of a month by its name, 0 of another word.
func monthOf(word string) int {
	w := strings.ToLower(word)
	for i, names := range months {
		for _, n := range names {
			if w == n {
				return i + 1
			}
			// The written-out forms, declined as they may be, start with the short one.
			if len([]rune(n)) >= 3 && strings.HasPrefix(w, n) && longMonth(w) {
				return i + 1
			}
		}
	}
	return 0
}

// longMonth keeps weekdays apart from months that start like them: French mar.
// (mardi) and Spanish mar (martes) are Tuesday.
func longMonth(w string) bool {
	return w != "mardi" && w != "martes" && w != "martedì" && w != "marți" && w != "mart" && w != "maj" && w != "сред" && len(w) > 3
}

// months are the short and irregular names in English, German, French, Spanish,
// Portuguese, Italian, Dutch, Polish, Russian and Ukrainian.
var months = [12][]string{
	{"jan", "january", "janv", "ene", "gen", "sty", "янв", "січ", "jän"},
	{"feb", "february", "fév", "fev", "févr", "lut", "фев", "лют"},
	{"mar", "march", "mär", "mrz", "mars", "maart", "mrt", "marz", "марта", "март", "мар", "бер"},
	{"apr", "april", "avr", "avril", "abr", "kwi", "апр", "кві"},
	{"may", "mai", "mei", "mayo", "maio", "mag", "maj", "мая", "май", "тра"},
	{"jun", "june", "juin", "giu", "cze", "июн", "чер"},
	{"jul", "july", "juil", "juillet", "lug", "lip", "июл", "лип"},
	{"aug", "august", "août", "aout", "ago", "sie", "авг", "сер"},
	{"sep", "sept", "september", "set", "wrz", "сен", "вер"},
	{"oct", "okt", "october", "out", "ott", "paź", "окт", "жов"},
	{"nov", "november", "lis", "ноя", "лис"},
	{"dec", "dez", "déc", "december", "dic", "gru", "дек", "гру"},
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func nanos(fraction string) int {
	if fraction == "" {
		return 0
	}
	fraction += strings.Repeat("0", 9)
	return atoi(fraction[:9])
}
