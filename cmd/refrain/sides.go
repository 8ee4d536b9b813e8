package main

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/width"

	"github.com/refrain-archive/refrain/narrative"
)

// A glyph is what takes one place of a line: a character with the marks upon it.
type glyph struct {
	text   string
	cells  int // columns of a terminal
	marked bool
	space  bool
	end    bool // of a line of the text
	wide   bool // a line may be broken before and after it
	mark   rune // an opening or closing bracket of ours; 0 for text
}

// sides lays two texts side by side in a width of columns, with the marked pieces
// in colour or between brackets. Where there is no room for two, they stand one
// below the other. Of long stretches without marks only the ends are shown.
func sides(a, b string, as, bs []narrative.Range, columns int, colour bool) string {
	const gap = " │ "
	half := (columns - 3) / 2
	stacked := half < 24
	if stacked {
		half = max(columns-2, 10)
	}
	left, right := wrap(glyphs(a, as, colour), half, colour), wrap(glyphs(b, bs, colour), half, colour)
	var out strings.Builder
	if stacked {
		for i, list := range [][]line{left, right} {
			for _, l := range list {
				out.WriteString([]string{"< ", "> "}[i] + l.text + "\n")
			}
		}
		return out.String()
	}
	for i := range max(len(left), len(right)) {
		var l, r line
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		out.WriteString(strings.TrimRight(l.text+strings.Repeat(" ", max(half-l.cells, 0))+gap+r.text, " ") + "\n")
	}
	return out.String()
}

// aroundMark is how many characters are shown beside a mark where more lie between,
// and unmarked how many of a text of which nothing is marked.
const (
	aroundMark = 90
	unmarked   = 400
)

// glyphs cuts a text into glyphs. What would do something to a terminal (control
// characters, changes of direction) is left out or shown as a dot.
func glyphs(s string, marks []narrative.Range, colour bool) []glyph {
	marks = slices.Clone(marks)
	slices.SortFunc(marks, func(x, y narrative.Range) int { return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(y.To, x.To)) })
	var list []glyph
	var before *glyph
	at := 0
	for i, r := range s {
		for at < len(marks) && i >= marks[at].To {
			at++
		}
		marked := at < len(marks) && i >= marks[at].From
		g := glyph{text: string(r), cells: 1, marked: marked}
		switch {
		case r == utf8.RuneError:
			g.text = "\ufffd"
		case r == '\n':
			g = glyph{end: true, space: true}
		case unicode.IsSpace(r):
			g.text, g.space = " ", true
		case r < ' ' || r >= 0x7f && r < 0xa0:
			g.text = "·"
		case unicode.Is(unicode.Cf, r) || unicode.In(r, unicode.Mn, unicode.Me):
			if unicode.In(r, unicode.Mn, unicode.Me) && before != nil && !before.space && len(before.text) < 32 {
				before.text += string(r)
			}
			continue
		default:
			switch width.LookupRune(r).Kind() {
			case width.EastAsianWide, width.EastAsianFullwidth:
				g.cells, g.wide = 2, true
			}
		}
		list = append(list, g)
		before = &list[len(list)-1]
	}
	list = shortened(list)
	if colour {
		return list
	}
	// Brackets around each run of marked glyphs.
	var out []glyph
	for i, g := range list {
		if g.marked && (i == 0 || !list[i-1].marked) {
			out = append(out, glyph{text: "[", cells: 1, mark: '['})
		}
		out = append(out, g)
		if g.marked && (i == len(list)-1 || !list[i+1].marked) {
			out = append(out, glyph{text: "]", cells: 1, mark: ']'})
		}
	}
	return out
}

// shortened leaves out the middle of long stretches without marks.
func shortened(list []glyph) []glyph {
	var out []glyph
	for i := 0; i < len(list); {
		j := i
		for j < len(list) && list[j].marked == list[i].marked {
			j++
		}
		piece := list[i:j]
		head, tail := aroundMark, aroundMark
		if i == 0 {
			head = 0
		}
		if j == len(list) {
			tail = 0
		}
		if i == 0 && j == len(list) {
			head = unmarked
		}
		if !piece[0].marked && len(piece) > head+tail+20 {
			out = append(append(out, piece[:head]...), glyph{text: " … ", cells: 3})
			piece = piece[len(piece)-tail:]
		} else if piece[0].marked && len(piece) > 20*aroundMark {
			out = append(append(out, piece[:10*aroundMark]...), glyph{text: " … ", cells: 3, marked: true})
			piece = piece[len(piece)-10*aroundMark:]
		}
		out = append(out, piece...)
		i = j
	}
	return out
}

type line struct {
	text  string
	cells int
}

// wrap breaks glyphs into lines: at spaces, before and after wide characters, and
// within a word only where it is longer than a line.
func wrap(list []glyph, columns int, colour bool) []line {
	var lines []line
	for len(list) > 0 {
		end, cells, breakAt := 0, 0, 0
		for end < len(list) && !list[end].end {
			g := list[end]
			if cells+g.cells > columns {
				break
			}
			cells += g.cells
			end++
			if g.space || (g.wide || end < len(list) && list[end].wide) && !(end < len(list) && list[end].mark == ']') && g.mark != '[' {
				breakAt = end
			}
		}
		switch {
		case end < len(list) && list[end].end:
			lines = append(lines, draw(list[:end], colour))
			list = list[end+1:]
			continue
		case end == len(list):
		case list[end].space:
			breakAt = end
		case breakAt == 0:
			breakAt = max(end, 1)
		}
		if end == len(list) {
			breakAt = end
		}
		lines = append(lines, draw(list[:breakAt], colour))
		list = list[breakAt:]
		for len(list) > 0 && list[0].space && !list[0].end {
			list = list[1:]
		}
	}
	return lines
}

const (
	colourOn  = "\x1b[1;33m"
	colourOff = "\x1b[0m"
)

// draw writes the glyphs of one line. A line with letters that are written from
// right to left is kept to itself, so that it does not turn its neighbour round.
func draw(list []glyph, colour bool) line {
	var l line
	var b strings.Builder
	on, turned := false, false
	for len(list) > 0 && list[len(list)-1].space {
		list = list[:len(list)-1]
	}
	for _, g := range list {
		if colour && g.marked != on {
			b.WriteString(map[bool]string{true: colourOn, false: colourOff}[g.marked])
			on = g.marked
		}
		b.WriteString(g.text)
		l.cells += g.cells
		if r, _ := utf8.DecodeRuneInString(g.text); r >= 0x590 {
			p, _ := bidi.LookupRune(r)
			turned = turned || p.Class() == bidi.R || p.Class() == bidi.AL
		}
	}
	if on {
		b.WriteString(colourOff)
	}
	l.text = b.String()
	if turned {
		l.text = "\u2068" + l.text + "\u2069" // first strong isolate, pop
	}
	return l
}
