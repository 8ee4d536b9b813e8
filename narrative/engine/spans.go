package engine

import (
	"encoding/binary"
	"errors"

	"github.com/refrain-archive/refrain/narrative"
)

// Spans are stored as uvarints, five to a span: where it begins in a (from the
// end of the span before), its bytes there, where it begins in b, its bytes
// there, and its words.

func packSpans(list []narrative.Span) []byte {
	b := make([]byte, 0, 8*len(list))
	end := 0
	for _, s := range list {
		b = appendSpan(b, end, s)
		end = s.A.To
	}
	return b
}

// appendSpan appends a span; end is where the one before it ends in a.
func appendSpan(b []byte, end int, s narrative.Span) []byte {
	b = binary.AppendVarint(b, int64(s.A.From-end))
	b = binary.AppendUvarint(b, uint64(s.A.To-s.A.From))
	b = binary.AppendUvarint(b, uint64(s.B.From))
	b = binary.AppendUvarint(b, uint64(s.B.To-s.B.From))
	return binary.AppendUvarint(b, uint64(s.Words))
}

var errSpans = errors.New("the spans of a link are damaged: run `refrain rebuild`")

func unpackSpans(b []byte) ([]narrative.Span, error) {
	var list []narrative.Span
	end := 0
	for len(b) > 0 {
		var n [4]uint64
		skip, k := binary.Varint(b)
		if k <= 0 {
			return nil, errSpans
		}
		b = b[k:]
		for i := range n {
			if n[i], k = binary.Uvarint(b); k <= 0 || n[i] > 1<<31 {
				return nil, errSpans
			}
			b = b[k:]
		}
		s := narrative.Span{Words: int(n[3])}
		s.A.From = end + int(skip)
		s.A.To = s.A.From + int(n[0])
		s.B.From = int(n[1])
		s.B.To = s.B.From + int(n[2])
		if s.A.From < 0 {
			return nil, errSpans
		}
		end = s.A.To
		list = append(list, s)
	}
	return list, nil
}
