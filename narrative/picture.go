package narrative

import (
	"fmt"

	"github.com/refrain-archive/refrain/narrative/image"
	"github.com/refrain-archive/refrain/narrative/video"
)

// FromImage makes a link of what narrative/image found for a picture of the post
// with a key. The score is the share of compared squares that agree.
func FromImage(key string, m image.Match) Link {
	l := Link{A: key, B: m.Key, Signal: Image, Kind: imageKind(m), Score: m.Score, Why: fmt.Sprintf("picture of %s beside that of %s: %s", key, m.Key, m.Why())}
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

// FromVideo makes a link of what narrative/video found for a video of the post with
// a key. What a score of 1 means is said at video.Match.
func FromVideo(key string, m video.Match) Link {
	l := Link{A: key, B: m.Key, Signal: Video, Kind: videoKind(m), Score: m.Score, Why: fmt.Sprintf("video of %s beside that of %s: %s", key, m.Key, m.Why())}
	if l.B < l.A {
		return l.Turned()
	}
	return l
}

// videoWhole is the share of a video from which it counts as all of it. Frames in
// motion are met to within half a second, and some are not met at all.
const videoWhole = 0.8

func videoKind(m video.Match) Kind {
	query, indexed := m.QueryShare >= videoWhole, m.IndexedShare >= videoWhole
	switch {
	case m.Same:
		return Copy
	case query && indexed && !m.Mirrored && m.Distance <= image.MatchDistance:
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

// FromStill makes a link of a picture of the post with a key to a video that shows
// it. It is told by the hash of one frame, and never more than possible.
func FromStill(key string, s video.Still) Link {
	l := Link{
		A: key, B: s.Key, Signal: Video, Kind: Excerpt, Score: video.PossibleThreshold,
		Why: fmt.Sprintf("picture of %s looks like the video of %s, %s from its start, PDQ distance %d", key, s.Key, s.At, s.Distance),
	}
	if l.B < l.A {
		return l.Turned()
	}
	return l
}
