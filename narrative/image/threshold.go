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
// an indexed picture count as the same. It was chosen on eight photographs of the
// PDQ project and scenes drawn by the tests, well below where unrelated pictures
// begin: in 28,056 ordered pairs of 168 different
// pictures the nearest views are 72 apart in one pair, 80 or less in six, and 63 or
// less in none. At it, of 1,760 crops of the photographs (1 to 20 % of a side, in
// steps of 1 %, at eleven places) 98.4 % are found, and of 224 captioned copies
// 99.1 %; 26 of the 28 lost crops are of three photographs. The photographs are
// few: unrelated pictures of one kind, such as screenshots or maps, were not tried.
const WindowDistance = 63
