package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of platforms into the README")

// TestReadmeTableIsWhatTheCollectorsSay keeps the README's table of platforms
// equal to `refrain platforms --markdown`.
func TestReadmeTableIsWhatTheCollectorsSay(t *testing.T) {
	const begin, end = "<!-- made by: refrain platforms --markdown -->\n", "<!-- end of table -->"
	path := filepath.Join("..", "..", "README.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the README has no place for the table")
	}
	want := refrain(t, exitDone, "platforms", "--markdown")
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Error("the table in the README is not what the collectors say: go test ./cmd/refrain -run Readme -update")
	}
}
