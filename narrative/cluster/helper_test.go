package cluster_test

import (
	"math"
	"strings"
	"unicode/utf8"
)

// idf is how rare a word is among n texts, in nats.
func idf(df, n int) float64 { return math.Log(float64(n+1) / float64(df+1)) }

// common gives the words that two lists have in common, in whatever order, each
// as often as both have it, and then those of the shorter that are one letter
// away from a word of the longer, or stand in the longer run together with
// another of its words ("#pleasevote").
func common(a, b []string) []string {
	if len(a) < len(b) {
		a, b = b, a
	}
	left := map[string]int{}
	for _, w := range a {
		left[w]++
	}
	var list, rest []string
	for _, w := range b {
		if left[w] > 0 {
			left[w]--
			list = append(list, w)
		} else if utf8.RuneCountInString(w) >= 4 {
			rest = append(rest, w)
		}
	}
	own := map[string]bool{}
	for _, w := range b {
		own[w] = true
	}
	joined := func(w, x string) bool {
		before, ok := strings.CutSuffix(x, w)
		after, also := strings.CutPrefix(x, w)
		return ok && own[before] || also && own[after]
	}
	for _, w := range rest {
		for _, x := range a {
			if left[x] > 0 && (nearly(w, x) || joined(w, x)) {
				if nearly(w, x) {
					left[x]--
				}
				list = append(list, w)
				break
			}
		}
	}
	return list
}

// nearly reports whether two words differ by one letter that is missing, added,
// another, or exchanged with its neighbour.
func nearly(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	for len(x) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return len(y) <= 1 || len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
}
