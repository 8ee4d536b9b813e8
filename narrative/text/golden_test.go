package text

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/ranked.golden anew")

func jsonLines[T any](t *testing.T, name string) []T {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []T
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var x T
		if err := json.Unmarshal(sc.Bytes(), &x); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, x)
	}
	return list
}

// TestRanked compares what each query finds, in which order and why, with a
// golden file. Any change of method shows up as a change of that file.
func TestRanked(t *testing.T) {
	ix := open(t, t.TempDir())
	raw := map[string]string{}
	for _, c := range jsonLines[struct{ ID, Text string }](t, "testdata/cases.jsonl") {
		raw[c.ID] = c.Text
		if _, err := ix.Add(context.Background(), Doc{c.ID, c.Text}); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	for _, q := range jsonLines[struct{ Name, Origin, Text string }](t, "testdata/queries.jsonl") {
		fmt.Fprintf(&b, "%s\n", q.Name)
		matches, err := ix.Query(q.Text)
		if err != nil {
			t.Fatal(err)
		}
		found := q.Origin == ""
		for _, m := range matches {
			verb := "possible"
			if m.Score >= LinkThreshold {
				verb = "link"
				found = found || m.Key == q.Origin
				if q.Origin == "" {
					t.Errorf("%s: linked to %s (%s)", q.Name, m.Key, m.Why())
				}
			}
			fmt.Fprintf(&b, "  %-8s %.2f %-12s %s: %s\n", verb, m.Score, m.Kind, m.Key, m.Why())
			for _, s := range m.Spans {
				fmt.Fprintf(&b, "             %q = %q\n", q.Text[s.Query.From:s.Query.To], raw[m.Key][s.Text.From:s.Text.To])
			}
		}
		if !found {
			t.Errorf("%s: %s was not linked", q.Name, q.Origin)
		}
	}
	if *update {
		if err := os.WriteFile("testdata/ranked.golden", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/ranked.golden")
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the ranked list differs from testdata/ranked.golden (go test -run TestRanked -update writes it):\n%s", b.String())
	}
}
