package image

// MatchDistance is the largest distance at which two whole pictures count as
// the same. It is the value that the PDQ project recommends; on its twelve edits
// of one photograph (blur, contrast, sharpening, scaling to 128×128) the largest
// distance is 14. It misses crops of more than about 3 %.
const MatchDistance = 31

// MinQuality is the least quality of a view that is kept or looked for. It is the
// value that the PDQ project recommends: hashes of flatter pictures collide.
const MinQuality = 50
