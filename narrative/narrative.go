// Package narrative says which posts carry the same material, on whatever
// platform they stand, and why.
//
// A signal is one kind of likeness and has a package of its own below this one
// (narrative/text: the same words). Signals know nothing of each other and of
// this package; here their findings become links, in one vocabulary, each with
// its score and what it rests on. A score is comparable within its signal only.
package narrative

import (
	"github.com/refrain-archive/refrain/narrative/image"
	"github.com/refrain-archive/refrain/narrative/link"
	"github.com/refrain-archive/refrain/narrative/text"
	"github.com/refrain-archive/refrain/narrative/translate"
	"github.com/refrain-archive/refrain/narrative/video"
)

// A Signal is one kind of likeness between two posts.
type Signal string

const (
	Text        Signal = "text"        // the same words in the same order
	Translation Signal = "translation" // words that translate each other
	Image       Signal = "image"       // the same picture
	Video       Signal = "video"       // the same frames
	URL         Signal = "url"         // the same address linked
)

// A Kind says how the material of one post is in another, read from A to B of a
// Link.
type Kind string

const (
	Copy       Kind = "copy"        // the same, after folding
	EditedCopy Kind = "edited_copy" // most of either is in the other
	Excerpt    Kind = "excerpt"     // A is a piece of B
	ThreadPart Kind = "thread_part" // A is a piece of B and numbered as a part
	Contains   Kind = "contains"    // B is a piece of A
	PartOf     Kind = "part_of"     // B is a piece of A and numbered as a part
	Passage    Kind = "passage"     // both hold one passage among other material
	Translated Kind = "translation" // the same in another language
)

// inverse is the kind read from B to A.
func (k Kind) inverse() Kind {
	switch k {
	case Excerpt:
		return Contains
	case Contains:
		return Excerpt
	case ThreadPart:
		return PartOf
	case PartOf:
		return ThreadPart
	}
	return k
}

// A Link says that two posts carry the same material, and why.
type Link struct {
	A      string  `json:"a"` // post keys, A < B
	B      string  `json:"b"`
	Signal Signal  `json:"signal"`
	Kind   Kind    `json:"kind"`
	Score  float64 `json:"score"` // 0 to 1; what 1 means is said by the signal
	Why    string  `json:"why"`   // for the analyst, one sentence
	// Other is evidence of other kinds that both posts share: of a translation
	// numbers, names, media, url, hashtag, handle. Sorted.
	Other []string `json:"other,omitempty"`
	// Spans are the pieces of both texts that the link rests on, in the order of
	// A. Empty for signals that are not about text.
	Spans []Span `json:"spans,omitempty"`
}

// A Span is a piece that both posts of a link have: bytes of the text of each
// post as it was indexed.
type Span struct {
	A     Range `json:"a"`
	B     Range `json:"b"`
	Words int   `json:"words"`
	// Note says why a piece of A stands for the piece of B where they are not the
	// same words: the entry of a dictionary, "逮捕: to arrest (cc-cedict)".
	Note string `json:"note,omitempty"`
}

// A Range is the bytes from From up to but not including To.
type Range struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Strength says what may be built on a link.
type Strength string

const (
	// Linked: counts as the same material.
	Linked Strength = "linked"
	// Possible: shown to the analyst as possible, and never merged on.
	Possible Strength = "possible"
	// Weak: not shown.
	Weak Strength = "weak"
)

// Strength reads the score by the thresholds of the link's signal. What they
// cost in missed and false links is said where they are defined. Of a signal
// without thresholds every link is Possible.
func (l Link) Strength() Strength {
	switch l.Signal {
	case Text:
		return strength(l.Score, text.LinkThreshold, text.PossibleThreshold)
	case Image:
		return strength(l.Score, image.LinkThreshold, image.PossibleThreshold)
	case Video:
		return strength(l.Score, video.LinkThreshold, video.PossibleThreshold)
	case URL:
		return strength(l.Score, link.LinkThreshold, link.PossibleThreshold)
	case Translation:
		if len(l.Other) > 0 {
			return strength(l.Score, translate.LinkWithOther, translate.PossibleThreshold)
		}
		return strength(l.Score, translate.LinkThreshold, translate.PossibleThreshold)
	}
	return Possible
}

func strength(score, linked, possible float64) Strength {
	switch {
	case score >= linked:
		return Linked
	case score >= possible:
		return Possible
	}
	return Weak
}

// FromText makes a link of what narrative/text found for the post with a key.
func FromText(key string, m text.Match) Link {
	l := Between(m)
	l.A, l.B = key, m.Key
	if l.B < l.A {
		return l.Turned()
	}
	return l
}

// Between is the link of a match without the keys of its posts, read from the text
// that was asked about to the one that was found.
func Between(m text.Match) Link {
	l := Link{Signal: Text, Kind: kinds[m.Kind], Score: m.Score, Why: m.Why()}
	for _, s := range m.Spans {
		l.Spans = append(l.Spans, Span{A: Range(s.Query), B: Range(s.Text), Words: s.Words})
	}
	return l
}

// FromTranslation makes a link of what narrative/translate found for the post with
// a key. Each span is a word or phrase and its translation.
func FromTranslation(key string, m translate.Match) Link {
	l := Link{A: key, B: m.Key, Signal: Translation, Kind: Translated, Score: m.Score, Why: m.Why()}
	for _, k := range m.Other {
		l.Other = append(l.Other, string(k))
	}
	for _, p := range m.Pairs {
		s := Span{A: Range(p.Query), B: Range(p.Text), Words: 1}
		if p.Headword != "" {
			s.Note = p.Headword + ": " + p.Gloss + " (" + p.Dictionary + ")"
		}
		l.Spans = append(l.Spans, s)
	}
	if l.B < l.A {
		return l.Turned()
	}
	return l
}

var kinds = map[text.Kind]Kind{
	text.Copy: Copy, text.EditedCopy: EditedCopy, text.Excerpt: Excerpt,
	text.ThreadPart: ThreadPart, text.Contains: Contains, text.Passage: Passage,
}
