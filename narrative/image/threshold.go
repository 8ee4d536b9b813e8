package image

// MatchDistance is the largest distance at which two whole pictures count as
// the same by their hashes alone. It is the value that the PDQ project recommends;
// on its twelve edits of one photograph (blur, contrast, sharpening, scaling to
// 128×128) the largest distance is 14. It misses crops of more than about 3 %,
// which the views are for.
const MatchDistance = 31

// MinQuality is the least quality of a view that is kept or looked for. It is the
// value that the PDQ project recommends: hashes of flatter pictures collide.
const MinQuality = 50

// SearchDistance is the largest distance of two views at which their pictures are
// compared in detail. The views of unrelated photographs are farther apart; of the
// kinds of picture that are laid out alike, one pair in ten to thirty comes nearer.
const SearchDistance = 79

// LinkThreshold is the share of squares from which two pictures count as showing
// the same, and PossibleThreshold that from which they are shown as possibly so. Of
// 58,996 pairs of 344 different pictures (eight photographs of the PDQ project; 48
// each of scenes, post cards, pages of text, chats, slides, maps and charts, drawn by
// package imagetest; 7,924 pairs are of one kind) none is linked or possible but one
// of two charts, with 11 squares of 23, for which leastSquares was raised from 10
// afterwards. Of crops, captions, mirrored and turned copies of the photographs all
// of 456 are linked, of the drawn pictures 778 of 784. What the thresholds cost: a
// copy of which more than about half is covered or blurred beyond its detail is
// missed.
const (
	LinkThreshold     = 0.40
	PossibleThreshold = 0.28
)

// leastSquares is how many squares must agree. Pictures that show little, such as a
// chart of a few bars, agree in a few by chance.
const leastSquares = 16
