package engine

import (
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/text"
)

// What is packed is read again, and no bytes make reading fail but with an error.
func FuzzLinks(f *testing.F) {
	m := text.Match{Kind: text.Excerpt, Score: 0.71, Evidence: 88.25, QueryShare: 1, TextShare: 0.5, Words: 11, Near: 1, QueryWords: 12, TextWords: 30,
		Spans: []text.Span{{Query: text.Range{From: 4, To: 9}, Text: text.Range{From: 70, To: 75}, Words: 1}, {Query: text.Range{From: 10, To: 44}, Text: text.Range{From: 2, To: 36}, Words: 10}}}
	b := appendLink(appendLink(nil, 7, &m), 300, &text.Match{Kind: text.Passage})
	one, rest, err := cutLink(b)
	if err != nil || one.to != 7 {
		f.Fatalf("%+v, %v", one, err)
	}
	got, err := one.link()
	if want := narrative.Between(m); err != nil || !reflect.DeepEqual(got, want) {
		f.Fatalf("%+v, %v, want %+v", got, err, want)
	}
	if one.m.Evidence != m.Evidence || one.m.QueryShare != m.QueryShare || one.m.TextShare != m.TextShare {
		f.Errorf("%+v", one.m)
	}
	if two, rest, err := cutLink(rest); err != nil || two.to != 300 || len(rest) != 0 {
		f.Fatalf("%+v, %v, %v", two, rest, err)
	}
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Add(append(binary.AppendUvarint(nil, 1<<40), b...))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			l, rest, err := cutLink(b)
			if err != nil {
				return
			}
			if len(rest) >= len(b) {
				t.Fatal("nothing was taken off")
			}
			if link, err := l.link(); err == nil && link.Kind == "" {
				t.Errorf("%+v has no kind", l)
			}
			b = rest
		}
	})
}
