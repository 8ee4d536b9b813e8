package main

import (
	"os"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// What pictures and videos must reach. The drawn pictures and changes are thinned,
// and it takes a minute all the same.
func TestMedia(t *testing.T) {
	if os.Getenv("REFRAIN_LONG") == "" {
		t.Skip("skipped: set REFRAIN_LONG=1")
	}
	dir := strings.TrimSuffix(sharedtest.Path(t, "datasets/images"), "images")
	tables, absent, err := measure(dir, "images,video", options{each: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("left out: %v", absent)
	for _, table := range tables {
		for _, row := range table.Rows {
			switch {
			case strings.HasPrefix(table.Title, "edits that are found"):
				if found, all, _ := strings.Cut(row[1], " of "); found != all || row[3] != "0" {
					t.Errorf("%s: %s of the photographs, %s others", row[0], row[1], row[3])
				}
			case strings.HasPrefix(table.Title, "different pictures"):
				if row[3] != "0" {
					t.Errorf("%s: %s links", row[0], row[3])
				}
			case strings.HasPrefix(table.Title, "pairs of the data's videos"):
				if row[0] == "of one scene" && row[1] != row[2] || row[0] != "of one scene" && row[2] != "0" {
					t.Errorf("pairs %v", row)
				}
			case strings.HasPrefix(table.Title, "changes of"):
				if row[1] != row[2] || row[5] != "0" {
					t.Errorf("%v; %v", row, table.Notes)
				}
			case strings.HasPrefix(table.Title, "clips that show different"):
				if row[2] != "0" {
					t.Errorf("%v; %v", row, table.Notes)
				}
			}
		}
		if strings.HasPrefix(table.Title, "PDQ") && !strings.HasPrefix(table.Notes[0], "13 of 13 ") {
			t.Error(table.Notes)
		}
	}
}
