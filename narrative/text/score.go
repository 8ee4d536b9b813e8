package text

import (
	"fmt"
	"strings"
)

// LinkThreshold is the score from which two texts are linked.
const LinkThreshold = 0.65

// PossibleThreshold is the score from which a match is shown as possible, and
// never merged on.
const PossibleThreshold = 0.5

// Constants of the score.
const (
	// evidenceFloor is the mass of shared words below which the score falls.
	evidenceFloor = 5.0
	// With little evidence, most of the shorter text must be shared; with much,
	// about half.
	littleEvidence, shareOfLittle = 4.0, 0.80
	muchEvidence, shareOfMuch     = 12.0, 0.55
	// passageWords is how many shared words in a row make a passage of full
	// score; two characters of a script without spaces count as a word.
	passageWords = 24
	// passageMass is the evidence of a passage of full score.
	passageMass = 16
	// passagePiece is the least length of a piece of a passage.
	passagePiece = 6
	// passageDensity is the share of the words from the first to the last of a
	// piece that must be shared for the piece to be a passage.
	passageDensity = 0.6
	// chanceFactor times the logarithm of the number of places at which a piece
	// could stand in both texts is the least evidence that a piece must have.
	chanceFactor = 1.0
	passageScore = 0.9
	// minGiven is the least weight of a word in a known phrase.
	minGiven = 0.05
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
	// Spans are the shared pieces, in the order of the queried text. Empty when
	// the Score is under LinkThreshold and the match came of Add.
	Spans []Span
	// Truncated says that one of the texts is longer than what is compared.
	Truncated bool
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
