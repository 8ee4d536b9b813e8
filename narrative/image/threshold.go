package image

// MatchDistance is the largest distance at which two whole pictures count as
// the same. It is the value that the PDQ project recommends; on its twelve edits
// of one photograph (blur, contrast, sharpening, scaling to 128×128) the largest
// distance is 14. It misses crops of more than about 3 %, which the views are for.
const MatchDistance = 31

// MinQuality is the least quality of a view that is kept or looked for. It is the
// value that the PDQ project recommends: hashes of flatter pictures collide.
const MinQuality = 50

// WindowDistance is the largest distance at which a view of a query and a view of
// an indexed picture count as the same. It was chosen on 60 scenes drawn by the
// tests and eight photographs of the PDQ project: of 4,556 ordered pairs of
// different pictures none came within 78 and one within 81, by the nearest of all
// their views. It is the largest distance that multi-index hashing serves, and
// costs some crops: those halfway between two windows lie at 62 to 72.
const WindowDistance = 63
