package main

import (
	"os"
	"strings"
	"testing"
)

// A second run stores no page again that the first one stored, whether its index
// is there or not, unless the user wants that; and the archive is sound.
func TestDedupAcrossRuns(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	for _, test := range []struct {
		more    string
		revisit bool // of the second run into the first
	}{
		{"", true},
		{"crawl: {pace: {\"*\": 1ms}, dedup: run}\n", false},
		{"crawl: {pace: {\"*\": 1ms}, dedup_min: 1GB}\n", false},
	} {
		d := newDesk(t, s, test.more)
		seed := []string{"collect", "https://harbour-times.example/"}
		d.must(t, exitDone, seed...)
		before := map[string]bool{}
		for segment, err := range d.open(t).Segments(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			before[string(segment.Name)+".warc.gz"] = true
		}
		if err := os.RemoveAll(d.state); err != nil { // what is derived may go
			t.Fatal(err)
		}
		posts := d.posts(t)
		d.must(t, exitDone, seed...)
		into := 0
		arch := d.open(t)
		for ex, err := range arch.Captures(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			original, ok := ex.Original()
			if !ok || before[ex.Capture.File] || !before[original.File] {
				continue
			}
			into++
			r, err := arch.ReadRecord(t.Context(), original)
			if err != nil {
				t.Fatalf("%s refers to a record that cannot be read: %v", ex.URL, err)
			}
			if got := r.Header.Get("WARC-Payload-Digest"); got != ex.Capture.PayloadDigest {
				t.Errorf("%s refers to a record with the payload %s, want %s", ex.URL, got, ex.Capture.PayloadDigest)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if into > 0 != test.revisit {
			t.Errorf("%s: %d revisits of the first run", strings.TrimSpace(test.more), into)
		}
		compare(t, "after the second run", d.posts(t), posts)
		d.sound(t)
	}
}
