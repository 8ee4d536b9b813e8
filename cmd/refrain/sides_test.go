package main

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/refrain-archive/refrain/narrative"
)

// cellsOf counts the columns of a line, apart from our own marks of direction and
// colour.
func cellsOf(s string) int {
	for _, cut := range []string{"\u2068", "\u2069", colourOn, colourOff} {
		s = strings.ReplaceAll(s, cut, "")
	}
	n := 0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			if !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
				n++
			}
		}
	}
	return n
}

func ranges(s string, words ...string) (list []narrative.Range) {
	at := 0
	for _, w := range words {
		i := strings.Index(s[at:], w) + at
		list = append(list, narrative.Range{From: i, To: i + len(w)})
		at = i + len(w)
	}
	return list
}

func TestSides(t *testing.T) {
	for _, test := range []struct {
		name, a, b string
		as, bs     []string
		columns    int
		want       string
	}{
		{"words", "The ferry sank on Sunday night", "On Sunday the old ferry sank", []string{"ferry sank"}, []string{"ferry sank"}, 60,
			"The [ferry sank] on Sunday   │ On Sunday the old [ferry\nnight                        │ sank]\n"},
		{"wide", "北京的桥今天关闭了没有人知道为什么", "the bridge", []string{"桥今天关闭"}, nil, 55,
			"北京的[桥今天关闭]了没有人 │ the bridge\n知道为什么                 │\n"},
		{"no room", "one two", "two", []string{"two"}, []string{"two"}, 30, "< one [two]\n> [two]\n"},
		{"a word longer than the line", strings.Repeat("x", 30), "y", nil, nil, 53, strings.Repeat("x", 25) + " │ y\nxxxxx" + strings.Repeat(" ", 20) + " │\n"},
		{"lines of the text", "a\nb\n\nc", "d", nil, nil, 53, "a                         │ d\nb                         │\n                          │\nc                         │\n"},
		{"escapes", "a\x1b[31mb\u202ec\u009bd", "\u200b", nil, nil, 53, "a·[31mbc·d                │\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := sides(test.a, test.b, ranges(test.a, test.as...), ranges(test.b, test.bs...), test.columns, false)
			if got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
	long := strings.Repeat("many words that nobody marked ", 100) + "HERE" + strings.Repeat(" and further ones", 100)
	if got := sides(long, "x", ranges(long, "HERE"), nil, 80, false); !strings.Contains(got, "…") || strings.Count(got, "\n") > 12 || !strings.Contains(got, "[HERE]") {
		t.Errorf("a long text:\n%s", got)
	}
	if got := sides("the ferry", "ferry", ranges("the ferry", "ferry"), ranges("ferry", "ferry"), 80, true); !strings.Contains(got, colourOn+"ferry"+colourOff) || strings.Contains(got, "[ferry") {
		t.Errorf("in colour: %q", got)
	}
	rtl := "שלום עולם the ferry"
	if got := sides(rtl, "x", nil, nil, 80, false); !strings.HasPrefix(got, "\u2068") || !strings.Contains(got, "\u2069") {
		t.Errorf("from right to left: %q", got)
	}
}

func FuzzSides(f *testing.F) {
	for _, s := range []string{"The ferry sank", "北京的桥今天关闭了", "e\u0301\u200bx\nשלום\x1b[2J\xff", strings.Repeat("字x ", 300)} {
		f.Add(s, 3, 9, 60)
	}
	f.Fuzz(func(t *testing.T, s string, from, to, columns int) {
		columns = 20 + abs(columns)%200
		from, to = abs(from)%(len(s)+1), abs(to)%(len(s)+1)
		marks := []narrative.Range{{From: min(from, to), To: max(from, to)}}
		for _, colour := range []bool{false, true} {
			got := sides(s, s, marks, marks, columns, colour)
			if !utf8.ValidString(got) || strings.ContainsAny(strings.NewReplacer(colourOn, "", colourOff, "").Replace(got), "\x1b\u009b\r\b") {
				t.Errorf("%q", got)
			}
			for l := range strings.Lines(got) {
				if n := cellsOf(strings.TrimSuffix(l, "\n")); n > columns {
					t.Errorf("%d columns of %d: %q", n, columns, l)
				}
			}
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

func Example_sides() {
	a, b := "The ferry to Lindholm sank on Sunday", "Ferry to Lindholm sank last Sunday"
	fmt.Print(sides(a, b, ranges(a, "ferry to Lindholm sank", "Sunday"), ranges(b, "Ferry to Lindholm sank", "Sunday"), 70, false))
	// Output:
	// The [ferry to Lindholm sank] on   │ [Ferry to Lindholm sank] last
	// [Sunday]                          │ [Sunday]
}
