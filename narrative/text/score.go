package text

import (
	"fmt"
	"strings"
)

// LinkThreshold is the score from which two texts are linked.
//
// It and the constants below were chosen on half of the repost benchmark (split
// by a hash of the origin; 40,000 posts of the Internet Research Agency, 369
// documents) and 8,000 unlinked posts of August 2017 of half of the accounts. On
// the other half it misses 0.7 % of reposts (5 % of those with 30 % of the words
// changed, 7 % of other translations) and gives 4.4 false links per 1,000 unlinked
// posts; the figures are
// printed by go run ./narrative/quality.
const LinkThreshold = 0.65

// PossibleThreshold is the score from which a match is shown as possible, and
// never merged on. At it, about 2 % of the posts that LinkThreshold misses
// remain missed, and false links are some five times as many.
const PossibleThreshold = 0.5

// Constants of the score, all chosen on the data named at LinkThreshold. Mass
// and evidence are in units of 4 nats.
const (
	// evidenceFloor is the evidence below which the score falls in proportion:
	// 17 nats are the least with which a text is linked that is shared whole.
	// Without it, slogans of three or four words link whatever holds them (twice
	// the false links); it costs no repost of the benchmark.
	evidenceFloor = 6.5
	// With little evidence, most of the shorter text must be shared; with much,
	// about half. One share for all (0.65) finds 91 instead of 95 % of posts with
	// 30 % of their words changed.
	littleEvidence, shareOfLittle = 4.0, 0.80
	muchEvidence, shareOfMuch     = 10.0, 0.55
	// gapCost is taken from the evidence for every run of shared words after the
	// first. It separates lists of the same names in any order from edited text
	// (a quarter of the false links), for half a percent of heavily edited posts.
	gapCost = 0.5
	// A passage that stands in two texts is of full score when it has
	// passageWords words in a row (two characters of a script without spaces
	// count as one) and passageMass of evidence.
	passageWords = 24
	passageMass  = 16
	passageScore = 0.9
	// passagePiece is the least length of a piece of a passage, in words, and
	// passageDensity the share of the words from its first to its last that must
	// be shared. Without them, chance pieces of long articles add up.
	passagePiece   = 6
	passageDensity = 0.6
	// chanceFactor times the logarithm of the number of places at which a piece
	// could stand in both texts is the least evidence that a piece must have.
	chanceFactor = 1.0
	// minGiven is the least that a word in a known phrase counts of itself: a
	// long text that was posted in hundreds of variants is a known phrase too,
	// and must still be linked. It costs 0.4 % of precision on the benchmark,
	// which has no such text, against 0.05.
	minGiven = 0.35
	// A message of leastMessage words or more is shared as a whole when wholeMessage
	// of its weight is. The rule was made for what the hand-labelled pairs of
	// ira-2017-08 showed: of headlines that dozens of accounts post with tags of
	// their own, 62 % were linked; with it 95 %. It adds no false link on
	// the repost benchmark; messages of four words would add 0.8 per 1,000
	// unlinked posts, all of which are the same headline.
	leastMessage = 5
	wholeMessage = 0.85
	// nearFactor is what a misspelt word counts of the word itself.
	nearFactor = 0.8
)

// A Kind says how one text is in another.
type Kind string

const (
	// Copy: the same words in the same order.
	Copy Kind = "copy"
	// EditedCopy: most of either text is in the other.
	EditedCopy Kind = "edited_copy"
	// Excerpt: the queried text is a piece of the matched one.
	Excerpt Kind = "excerpt"
	// ThreadPart: an excerpt that is numbered as a part ("2/5").
	ThreadPart Kind = "thread_part"
	// Contains: the matched text is a piece of the queried one.
	Contains Kind = "contains"
	// Passage: both hold the same passage, among other words on both sides.
	Passage Kind = "passage"
)

// A Match is one earlier text that carries the same material as the text that
// was asked about.
type Match struct {
	Key  string // of the first post with the matched text
	Text uint32 // number of the matched text; equal texts have one number
	Kind Kind
	// Score is from 0 to 1: the share of the weight of the shorter text's words
	// that both have in the same order, less where that is little evidence; or
	// for a passage, its length against passageWords. 1 is a copy.
	Score float64
	// Evidence is the weight of the shared words in nats: how much less often
	// than by chance texts share them. Rare words, also misspelt ones, weigh more.
	Evidence float64
	// QueryShare and TextShare are the share of the weight of all words of the
	// queried and of the matched text that both have in the same order.
	QueryShare, TextShare float64
	// Words is how many words both have in the same order, Near how many of
	// those differ by a typing error, and QueryWords and TextWords how many the
	// two texts have.
	Words, Near, QueryWords, TextWords int
	// Spans are the shared pieces, in the order of the queried text.
	Spans []Span
	// Truncated says that one of the texts is longer than what is compared.
	Truncated bool

	from, to int // of its pairs in searcher.kept
}

// A Span is a piece of text that both have: where it stands in the queried and
// in the matched raw text, and how many words it has.
type Span struct {
	Query, Text Range
	Words       int
}

// Why says in one sentence on what a match rests.
func (m Match) Why() string {
	var b strings.Builder
	switch m.Kind {
	case Copy:
		fmt.Fprintf(&b, "the same %s", count(m.Words, "word"))
	default:
		fmt.Fprintf(&b, "%d of %s", m.Words, count(min(m.QueryWords, m.TextWords), "word"))
		fmt.Fprintf(&b, " of the shorter text, in the same order in %s", count(max(len(m.Spans), 1), "piece"))
		if m.Near > 0 {
			fmt.Fprintf(&b, ", %d of them misspelt", m.Near)
		}
	}
	fmt.Fprintf(&b, ", %.0f nats", m.Evidence)
	return b.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// partMark tells whether a text is numbered as a part: "2/5" or "(2/5)" at its
// start or end.
func partMark(s string) bool {
	s = strings.TrimSpace(s)
	head, _, _ := strings.Cut(s, " ")
	tail := s[strings.LastIndexByte(s, ' ')+1:]
	return isPart(head) || isPart(tail)
}

func isPart(s string) bool {
	s = strings.Trim(s, "()[]{}.:")
	a, b, ok := strings.Cut(s, "/")
	return ok && isSmallNumber(a) && (isSmallNumber(b) || b == "" || b == "n" || b == "x")
}

func isSmallNumber(s string) bool {
	if len(s) == 0 || len(s) > 3 {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
