package engine

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/text"
)

// The links of an item to older items are stored as one blob, one after the other:
// the older item, the kind (its place in kindCodes), the words that both have,
// those of them misspelt, the words of the newer and of the older text, and the
// bytes of the spans, as uvarints; score, evidence and the shares of the newer and
// of the older text as they are, little-endian; the spans (spans.go).

// kindCodes are the kinds of a match by their number in a blob. Other numbers are
// another schemaVersion.
var kindCodes = []text.Kind{text.Copy, text.EditedCopy, text.Excerpt, text.ThreadPart, text.Contains, text.Passage}

// appendLink appends the link to an older item.
func appendLink(b []byte, to int, m *text.Match) []byte {
	var room [256]byte
	spans := room[:0]
	end := 0
	for _, s := range m.Spans {
		spans = appendSpan(spans, end, narrative.Span{A: narrative.Range(s.Query), B: narrative.Range(s.Text), Words: s.Words})
		end = s.Query.To
	}
	for _, n := range [...]int{to, slices.Index(kindCodes, m.Kind), m.Words, m.Near, m.QueryWords, m.TextWords, len(spans)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, x := range [...]float64{m.Score, m.Evidence, m.QueryShare, m.TextShare} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	return append(b, spans...)
}

var errLinks = errors.New("the links of a text are damaged: run `refrain rebuild`")

// A packedLink is one link of a blob.
type packedLink struct {
	to    int
	m     text.Match // without its spans
	spans []byte     // of the blob
}

// cutLink takes the first link off a blob.
func cutLink(b []byte) (l packedLink, rest []byte, err error) {
	var n [7]uint64
	for i := range n {
		v, k := binary.Uvarint(b)
		if k <= 0 || v > math.MaxInt32 {
			return l, nil, errLinks
		}
		n[i], b = v, b[k:]
	}
	if n[1] >= uint64(len(kindCodes)) || uint64(len(b)) < 32+n[6] {
		return l, nil, errLinks
	}
	float := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])) }
	l.to = int(n[0])
	l.m = text.Match{Kind: kindCodes[n[1]], Words: int(n[2]), Near: int(n[3]), QueryWords: int(n[4]), TextWords: int(n[5]),
		Score: float(0), Evidence: float(1), QueryShare: float(2), TextShare: float(3)}
	l.spans = b[32 : 32+n[6]]
	return l, b[32+n[6]:], nil
}

// link gives the link as package narrative has it, without the keys of its posts,
// read from the newer to the older.
func (l packedLink) link() (narrative.Link, error) {
	spans, err := unpackSpans(l.spans)
	if err != nil {
		return narrative.Link{}, err
	}
	m := l.m
	for _, s := range spans {
		m.Spans = append(m.Spans, text.Span{Query: text.Range(s.A), Text: text.Range(s.B), Words: s.Words})
	}
	return narrative.Between(m), nil
}
