package link

import "math"

// Weight says what it means that two posts link to one target, which with of posts
// posts link to: 1 if they are the only two, 0 if all do, and between these in
// proportion to the logarithm (the idf). So the home page of a platform, an image
// host or a petition that everyone shares tells of itself that it is no evidence,
// without a list. 0 where fewer than two posts link to it.
func Weight(posts, with int) float64 {
	if with < 2 || posts <= 2 || with >= posts {
		if with == 2 && posts == 2 {
			return 1
		}
		return 0
	}
	return math.Log(float64(posts)/float64(with)) / math.Log(float64(posts)/2)
}

// LinkThreshold is the weight from which a shared target counts as the same
// material, and PossibleThreshold that from which it is shown as possibly so. Of
// 153,000 posts of one operation in one month (ira-2017-08, addresses as they stand
// in the texts) 7,278 targets are linked by several posts, half of them by two and 99
// of 100 by at most 11. All but 7 are above the first, which there is 86 posts; all
// but the 2 that accounts put into every post are above the second, at 1,175 posts.
// What they cost: a page that very many share is possible evidence only, and a page
// that everyone shares is none.
const (
	LinkThreshold     = 0.665
	PossibleThreshold = 0.433
)
