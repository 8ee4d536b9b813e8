package main

import (
	"strings"
	"testing"
	"time"
)

// A clock in the past would date every capture wrongly: doctor says so, and
// sessions do not begin.
func TestClockInThePast(t *testing.T) {
	for at, want := range map[string]string{"1970-01-01T00:00:07Z": "wrong", "2020-05-01T00:00:00Z": "wrong", "2027-01-01T00:00:00Z": "ok"} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		c := checkClock(now)
		if c.State != want || !strings.Contains(c.Detail, at) || want == "wrong" && !strings.Contains(c.Do, "set the clock") {
			t.Errorf("at %s doctor says %+v, want %s", at, c, want)
		}
	}
}
