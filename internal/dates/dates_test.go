package dates_test

import (
	"testing"
	"time"

	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/post"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func TestExact(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z"},
		{"2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00Z"},
		{"2024-05-01T10:00:00.250-0730", "2024-05-01T17:30:00.25Z"},
		{"2024-05-01 10:00:00 +02", "2024-05-01T08:00:00Z"},
		{"2024-05-01T10:00:00-00:00", "2024-05-01T10:00:00Z"},
		{"2024-05-01 10:00:00 UTC", "2024-05-01T10:00:00Z"},
		{"20240501T100000Z", "2024-05-01T10:00:00Z"},
		{"1714557600", "2024-05-01T10:00:00Z"},
		{"1714557600123", "2024-05-01T10:00:00.123Z"},
		{"Wed, 01 May 2024 10:00:00 GMT", "2024-05-01T10:00:00Z"},
		{"Wed, 1 May 24 10:00:00 -0500", "2024-05-01T15:00:00Z"},
		{"01 May 1999 10:00:00 EST", "1999-05-01T15:00:00Z"},
		{"Wed, 01 May 2024 10:00:00 PDT", "2024-05-01T17:00:00Z"},
		{"Wed, 01 May 2024 10:00:00 CEST", "2024-05-01T08:00:00Z"},
		{"Wed May 01 2024 10:00:00 GMT+0200 (Central European Summer Time)", "2024-05-01T08:00:00Z"},
		{"Wed, 01 May 2024 10:00:00 +0200 (CEST)", "2024-05-01T08:00:00Z"},
		{"Wed May  1 10:00:00 UTC 2024", "2024-05-01T10:00:00Z"},
		{"Wed May 01 10:00:00 +0200 2024", "2024-05-01T08:00:00Z"},
		{"mié, 01 may 2024 10:00:00 +0000", "2024-05-01T10:00:00Z"},
		{"Ср, 01 мая 2024 10:00:00 +0300", "2024-05-01T07:00:00Z"},
		{"mar, 05 mars 2024 10:00:00 +0100", "2024-03-05T09:00:00Z"},
		{"mar, 05 nov. 2024 10:00:00 +0100", "2024-11-05T09:00:00Z"},
		{"May 1, 2024 3:04:05 PM GMT", "2024-05-01T15:04:05Z"},
		{"2024-12-31T24:00:00Z", "2025-01-01T00:00:00Z"},
	} {
		got, ok := dates.Parse(test.in)
		if !ok || !got.Time.Equal(at(test.want)) || got.Source != post.SourceField {
			t.Errorf("Parse(%q) = %+v, %v, want %s", test.in, got, ok, test.want)
		}
	}
}

func TestInterval(t *testing.T) {
	for _, test := range []struct{ in, from, to string }{
		{"2024-05-01", "2024-04-30T10:00:00Z", "2024-05-02T12:00:00Z"},
		{"1 May 2024", "2024-04-30T10:00:00Z", "2024-05-02T12:00:00Z"},
		{"May 1st, 2024", "2024-04-30T10:00:00Z", "2024-05-02T12:00:00Z"},
		{"Mercredi 1 mai 2024", "2024-04-30T10:00:00Z", "2024-05-02T12:00:00Z"},
		{"1. Mai 2024", "2024-04-30T10:00:00Z", "2024-05-02T12:00:00Z"},
		{"1 de mayo de 2024", "2024-04-30T10:00:00Z", "2024-05-02T12:00:00Z"},
		{"1 мая 2024 г.", "2024-04-30T10:00:00Z", "2024-05-02T12:00:00Z"},
		{"2024年5月1日", "2024-04-30T10:00:00Z", "2024-05-02T12:00:00Z"},
		{"01.05.2024", "2024-04-30T10:00:00Z", "2024-05-02T12:00:00Z"},
		{"5/13/2024", "2024-05-12T10:00:00Z", "2024-05-14T12:00:00Z"},
		{"03/04/2024", "2024-03-03T10:00:00Z", "2024-04-04T12:00:00Z"}, // March 4 or April 3
		{"2024-05", "2024-04-30T10:00:00Z", "2024-06-01T12:00:00Z"},
		{"May 2024", "2024-04-30T10:00:00Z", "2024-06-01T12:00:00Z"},
		{"2024", "2023-12-31T10:00:00Z", "2025-01-01T12:00:00Z"},
		{"2024-05-01T10:00:00", "2024-04-30T20:00:00Z", "2024-05-01T22:00:00Z"},
		{"2024-05-01T10:00Z", "2024-05-01T10:00:00Z", "2024-05-01T10:01:00Z"},
		{"Wed, 01 May 2024 10:00 GMT", "2024-05-01T10:00:00Z", "2024-05-01T10:01:00Z"},
		{"Wed, 01 May 2024 10:00:00", "2024-04-30T20:00:00Z", "2024-05-01T22:00:00Z"},
		{"Wed, 01 May 2024 10:00:00 BST", "2024-04-30T20:00:00Z", "2024-05-01T22:00:00Z"}, // British or Bangladeshi
		{"Wed May 01 10:00:00 CST 2024", "2024-04-30T20:00:00Z", "2024-05-01T22:00:00Z"},  // Chicago or Shanghai
		{"01.05.2024, 10:00 Uhr", "2024-04-30T20:00:00Z", "2024-05-01T22:01:00Z"},
		{"10:00, 1 May 2024", "2024-04-30T20:00:00Z", "2024-05-01T22:01:00Z"},
	} {
		got, ok := dates.Parse(test.in)
		if !ok || !got.Time.IsZero() || !got.From.Equal(at(test.from)) || !got.To.Equal(at(test.to)) || got.Raw != test.in {
			t.Errorf("Parse(%q) = %v to %v raw %q time %v ok %v, want %s to %s", test.in, got.From, got.To, got.Raw, got.Time, ok, test.from, test.to)
		}
	}
}

func TestNotADate(t *testing.T) {
	for _, s := range []string{"", "yesterday", "17 hours ago", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00", "2024-13-01", "2024-02-30", "31.11.2023", "12345", "May", "Version 3 of the plan",
		"2024-05-01T25:00:00Z", "Wed, 01 May 2024 10:61:00 GMT", "May the 4th be with you in 2024 and 2025 for ever and ever", "99/99/9999"} {
		if got, ok := dates.Parse(s); ok {
			t.Errorf("Parse(%q) = %+v", s, got)
		}
	}
}

// Whatever comes in: no panic, and an interval is never the wrong way round.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"2024-05-01T10:00:00+02:00", "Wed, 01 May 2024 10:00:00 GMT", "03/04/2024 5 pm", "2024年5月1日 10:00", "1714557600"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := dates.Parse(s)
		if ok && got.Time.IsZero() && got.To.Before(got.From) {
			t.Errorf("%q: %v to %v", s, got.From, got.To)
		}
	})
}
