package post

import "time"

// Time is what a capture says about a moment: exact, or an interval with the
// words that it was read from. It is never invented. The zero Time says
// nothing.
type Time struct {
	Time   time.Time  `json:"time,omitzero"`    // UTC; zero unless exact to the second or better
	From   time.Time  `json:"from,omitzero"`    // not before; zero is open
	To     time.Time  `json:"to,omitzero"`      // not after; zero is open
	Raw    string     `json:"raw,omitempty"`    // as the platform wrote it, where that is not a plain timestamp
	Source TimeSource `json:"source,omitempty"` // what it was read from
}

// TimeSource says what a Time rests on.
type TimeSource string

// The sources of a Time.
const (
	SourceField    TimeSource = "field"    // a field of the platform that states the moment
	SourceRelative TimeSource = "relative" // words like "17 hours ago", taken from the fetch
	SourceID       TimeSource = "id"       // bits of the item's id
)

// Exact is a moment that a field states to the second or better.
func Exact(t time.Time, raw string) Time {
	return Time{Time: t.UTC(), Raw: raw, Source: SourceField}
}

// Between is a moment known only to lie from from to to, both included. Either
// end may be zero, which leaves it open.
func Between(from, to time.Time, raw string, source TimeSource) Time {
	t := Time{Raw: raw, Source: source}
	if !from.IsZero() {
		t.From = from.UTC()
	}
	if !to.IsZero() {
		t.To = to.UTC()
	}
	return t
}

// IsZero reports whether t says nothing at all.
func (t Time) IsZero() bool { return t == Time{} }

// Earliest is the exact moment, or the start of the interval. It is zero where
// neither is known.
func (t Time) Earliest() time.Time {
	if !t.Time.IsZero() {
		return t.Time
	}
	return t.From
}

// Latest is the exact moment, or the end of the interval. It is zero where
// neither is known.
func (t Time) Latest() time.Time {
	if !t.Time.IsZero() {
		return t.Time
	}
	return t.To
}
