package image

// MatchDistance is the largest distance at which two whole pictures count as
// the same. It is the value that the PDQ project recommends; on its twelve edits
// of one photograph (blur, contrast, sharpening, scaling to 128×128) the largest
// distance is 14. It misses crops of more than about 3 %, which the views are for.
const MatchDistance = 31
