package narrative

import (
	"github.com/refrain-archive/refrain/narrative/image"
)

// FromImage makes a link of what narrative/image found for a picture of the post
// with a key. The score is the share of compared squares that agree.
func FromImage(key string, m image.Match) Link {
	l := Link{A: key, B: m.Key, Signal: Image, Kind: imageKind(m), Score: m.Score, Why: "picture: " + m.Why()}
	if l.B < l.A {
		return l.Turned()
	}
	return l
}

// imageCopy is the score from which two whole pictures count as copies and not as
// edited copies. On the edits of one photograph of the PDQ project all but blurring
// and scaling to 128 pixels are above it; captions over 10 % of the height are below.
const imageCopy = 0.9

func imageKind(m image.Match) Kind {
	query, indexed := m.QueryShare >= image.WholeShare, m.IndexedShare >= image.WholeShare
	switch {
	case m.Same:
		return Copy
	case query && indexed && m.Turn == 0 && m.Score >= imageCopy:
		return Copy
	case query && indexed:
		return EditedCopy
	case query:
		return Excerpt
	case indexed:
		return Contains
	}
	return Passage
}
