package text

import (
	"slices"
	"strings"
)

// Features of a text are 32-bit hashes of what its copies share with it:
//
//	pair    two words in a row, or a run of four characters of a script
//	        without spaces, or a mixture of the same weight
//	rare    a single word that few texts hold
//
// A text of one word has that word as its feature. Pairs of words with another
// between them were tried as well: on the repost benchmark they found nothing
// more, at 1.5 times the memory and time.
const (
	// A text of more than denseFeatures pairs stores a sample of
	// them: the smallest hash of each winnow in a row, so that a shared run of
	// that length shares at least one. Queries are never sampled so.
	denseFeatures = 60
	winnow        = 4

	// rareTexts is how many texts may hold a word that counts as rare.
	rareTexts = 250
	// rareWords is how many of its rarest words a short text stores; longer
	// ones store one more for each rareEvery words, up to rareMost. A third finds
	// nothing more on the repost benchmark, and takes 6 bytes.
	rareWords = 2
	rareEvery = 16
	rareMost  = 24

	// maxFeatures bounds the work of one query; of a longer text the features
	// with the smallest hashes are asked for.
	maxFeatures = 4096
)

const (
	pairSalt = 0x9e3779b97f4a7c15
	rareSalt = 0x165667b19e3779f9
)

// pairs appends the pair features of a text.
func pairs(words []Word, list []uint32) []uint32 {
	list = starts(words, list)
	list = slices.DeleteFunc(list, func(f uint32) bool { return f == 0 })
	if len(list) == 0 {
		h := uint64(0)
		for _, w := range words {
			h = mix((h<<32 ^ uint64(w.hash)) + pairSalt)
		}
		if len(words) > 0 {
			list = append(list, uint32(h))
		}
	}
	return list
}

// starts appends for each word the pair feature that starts with it; 0 where
// none does.
func starts(words []Word, list []uint32) []uint32 {
	for i := range words {
		h, size := uint64(words[i].hash), words[i].size()
		for j := i + 1; j < len(words) && size < 4; j++ {
			h = mix((h<<32 ^ uint64(words[j].hash)) + pairSalt)
			size += words[j].size()
		}
		if size < 4 {
			h = 0
		}
		list = append(list, uint32(h))
	}
	return list
}

// size is the weight of a word among features: four make a pair.
func (w Word) size() int {
	if w.Single {
		return 1
	}
	return 2
}

func rareFeature(hash uint32) uint32 { return uint32(mix(uint64(hash) + rareSalt)) }

// sample keeps the smallest feature of each winnow in a row, in place.
func sample(f []uint32) []uint32 {
	kept := f[:0]
	last := -1
	for i := 0; i+winnow <= len(f); i++ {
		m := i
		for j := i + 1; j < i+winnow; j++ {
			if f[j] <= f[m] {
				m = j
			}
		}
		if m != last {
			// kept never overtakes i: at most one is kept for each step.
			x := f[m]
			kept = append(kept, x)
			last = m
		}
	}
	return kept
}

// distinct sorts and drops what is there twice.
func distinct(f []uint32) []uint32 {
	slices.Sort(f)
	return slices.Compact(f)
}

// tags says how many words at the start and at the end of a text are hashtags:
// they sort a post, or tell an operator's posts apart, and are not its message.
// The first number is in the high 4 bits, the second in the low; each is 15 at
// most.
func tags(words []Word, raw string) uint8 {
	is := func(i int) bool {
		from := words[i].From
		return from > 0 && raw[from-1] == '#' || strings.HasSuffix(raw[:from], "＃")
	}
	lead, trail := 0, 0
	for lead < len(words) && lead < 15 && (is(lead) || lead > 0 && words[lead].From == words[lead-1].To) {
		lead++
	}
	for trail < len(words)-lead && trail < 15 {
		// A tag may be several words: it starts before the first of them.
		k := len(words) - 1 - trail
		for k > lead && words[k].From == words[k-1].To {
			k--
		}
		if !is(k) || len(words)-k > 15 {
			break
		}
		trail = len(words) - k
	}
	return uint8(lead<<4 | trail)
}
