package text

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestRespell(t *testing.T) {
	ix := open(t, t.TempDir())
	const origin = "council closes the harbour bridge after engineers find cracks in northern bearings"
	add(t, ix, "origin", origin)
	for i := range 200 { // so that the short words are known ones
		add(t, ix, fmt.Sprint("filler", i), fmt.Sprintf("the bridge council was after cracks in harbour %d and engineers closes northern find bearings", 1000+i))
	}
	for _, c := range []struct {
		word  string
		parts int
		want  []int
	}{
		{"harbourbridge", 2, []int{7, 13}},
		{"thecouncil", 2, []int{3, 10}},
		{"councilclosesharbour", 6, []int{7, 13, 20}},
		{"councilclosesharbour", 2, nil},
		{"harbour", 6, nil},
		{"harbourxyz", 6, nil},
		{"inin", 6, nil}, // too short to be told from a word
	} {
		if got := ix.cutWord([]byte(c.word), c.parts); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s in %d: %v, want %v", c.word, c.parts, got, c.want)
		}
	}
	for word, want := range map[string]string{"7h3": "the", "br1dg3": "bridge", "mh17": "mhit", "2017": "", "plain": "", "g20": "", "b2b": ""} {
		if got := string(unleet([]byte(word))); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
	for _, s := range []string{
		"c0unc1l cl0s3s the h4rb0ur bridge 4fter engineers f1nd cr4cks in n0rthern b3arings",
		"#CouncilClosesTheHarbour bridge #afterengineers findcracks in #NorthernBearings",
	} {
		matches, err := ix.Query(s)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, m := range matches {
			if m.Key != "origin" {
				continue
			}
			found = true
			if m.Score < LinkThreshold || m.Words != 12 {
				t.Errorf("%s: %.2f, %s", s, m.Score, m.Why())
			}
			for _, sp := range m.Spans {
				q, r := s[sp.Query.From:sp.Query.To], origin[sp.Text.From:sp.Text.To]
				if q == "" || !strings.Contains(origin, r) {
					t.Errorf("%s: span %q = %q", s, q, r)
				}
			}
		}
		if !found {
			t.Errorf("%s: not found: %+v", s, matches)
		}
		// Stored is what was written: the same again is a copy.
		first := add(t, ix, s, s)
		if m, ok, err := ix.Compare(first.Text, 0); err != nil || !ok || m.Score < LinkThreshold || m.Words != 12 {
			t.Errorf("%s: compared: %v, %v, %+v", s, ok, err, m)
		}
		if again := add(t, ix, s+"2", s); first.Outcome != New || again.Outcome != Duplicate || again.Text != first.Text {
			t.Errorf("%s: %s, then %s", s, first.Outcome, again.Outcome)
		}
	}
}
