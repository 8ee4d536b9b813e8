package narrative

import (
	"cmp"
	"slices"
)

// Turned is the same link with A and B exchanged, so that it reads from B to A.
func (l Link) Turned() Link {
	l.A, l.B, l.Kind = l.B, l.A, l.Kind.inverse()
	spans := make([]Span, 0, len(l.Spans))
	for _, s := range l.Spans {
		spans = append(spans, Span{A: s.B, B: s.A, Words: s.Words, Note: s.Note})
	}
	slices.SortStableFunc(spans, func(x, y Span) int { return cmp.Compare(x.A.From, y.A.From) })
	if l.Spans != nil {
		l.Spans = spans
	}
	return l
}
