package main

import "strings"

// maxDiffWords bounds the table of a word diff: beyond it, what lies between
// the common start and end is shown as one change.
const maxDiffWords = 2000

// diffWords shows how before became after: [-words-] that went, {+words+} that
// came, and only a few words around them.
func diffWords(before, after string) string {
	a, b := strings.Fields(before), strings.Fields(after)
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	var out []string
	out = append(out, around(a[:start], false)...)
	out = append(out, diffMiddle(a[start:len(a)-end], b[start:len(b)-end])...)
	out = append(out, around(a[len(a)-end:], true)...)
	return strings.Join(out, " ")
}

// around gives the few words beside a change.
func around(words []string, head bool) []string {
	const keep = 6
	switch {
	case len(words) <= keep:
		return words
	case head:
		return append(append([]string(nil), words[:keep]...), "…")
	}
	return append([]string{"…"}, words[len(words)-keep:]...)
}

// diffMiddle is the longest common subsequence by words.
func diffMiddle(a, b []string) []string {
	if len(a)*len(b) > maxDiffWords*maxDiffWords || len(a) == 0 || len(b) == 0 {
		return changed(a, b)
	}
	table := make([][]uint16, len(a)+1)
	for i := range table {
		table[i] = make([]uint16, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	var out, gone, came []string
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(append(out, changed(gone, came)...), a[i])
			gone, came = nil, nil
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && table[i+1][j] >= table[i][j+1]:
			gone = append(gone, a[i])
			i++
		default:
			came = append(came, b[j])
			j++
		}
	}
	return append(out, changed(gone, came)...)
}

func changed(gone, came []string) []string {
	var out []string
	if len(gone) > 0 {
		out = append(out, "[-"+strings.Join(gone, " ")+"-]")
	}
	if len(came) > 0 {
		out = append(out, "{+"+strings.Join(came, " ")+"+}")
	}
	return out
}
