package text

import (
	"unicode/utf8"
)

// A Range is a piece of a text: bytes From up to but not including To.
type Range struct {
	From, To int
}

// Limits of what is read of one text.
const (
	// MaxBytes is the longest text that Add and Query take, in bytes.
	MaxBytes = 16 << 20
	// MaxWords is how many words of one text are compared. What comes after is
	// kept in the log, and not compared; a Result and a Match say so.
	MaxWords = 1 << 15
	// maxWord is how many bytes of one word are kept; a longer one is told from
	// others by its whole hash.
	maxWord = 64
)

// A Word is one word of a normalised text, or one character of a script that is
// written without spaces.
type Word struct {
	Range         // in the raw text, from its first to behind its last character
	Single bool   // a character of a script without spaces
	hash   uint32 // of the folded word
	at     uint32 // in Normal.folded
	len    uint16
}

// Normal is a text as the index compares it: folded words with the place of
// each in the raw text, links and names aside. The zero value is empty; a Normal
// can be used again by Normalise, which keeps its memory.
type Normal struct {
	Words []Word
	Links []Range // http://, https://, www.
	Names []Range // @name, and RT @name:
	// Truncated says that the text has more than MaxWords words.
	Truncated bool

	folded []byte
}

// Folded gives word i as it is compared.
func (n *Normal) Folded(i int) string {
	w := n.Words[i]
	return string(n.folded[w.at : w.at+uint32(w.len)])
}

// Normalise folds a text. Invalid UTF-8 separates words as a space does. The
// words are in the order of the text and do not overlap, and the bounds of each
// lie between characters.
//
// Folded are: compatibility forms (NFKC), case, combining marks, invisible
// characters, letters that look like Latin ones (to those), traditional Chinese
// characters (to simplified). Emoji and punctuation separate words; an
// apostrophe does not.
func Normalise(s string) *Normal {
	n := new(Normal)
	n.Normalise(s)
	return n
}

// Normalise is the function of that name, into n.
func (n *Normal) Normalise(s string) {
	n.Words, n.Links, n.Names, n.folded, n.Truncated = n.Words[:0], n.Links[:0], n.Names[:0], n.folded[:0], false
	p := parser{n: n, s: s, open: -1}
	p.run()
}

type parser struct {
	n    *Normal
	s    string
	open int    // where the open word starts, or -1
	end  int    // behind its last character that shows
	at   int    // of its folded bytes
	hash uint64 // of its folded bytes
	size int    // bytes hashed
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

func (p *parser) run() {
	s := p.s
	for i := 0; i < len(s); {
		if len(p.n.Words) >= MaxWords {
			p.n.Truncated = p.restHasWord(i)
			return
		}
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
				if p.open < 0 && (c == 'h' || c == 'w') {
					if end := linkEnd(s, i); end > 0 {
						p.n.Links = append(p.n.Links, Range{i, end})
						i = end
						continue
					}
				}
				p.add(c, i, i+1)
			case c >= 'A' && c <= 'Z':
				if p.open < 0 && (c == 'H' || c == 'W') {
					if end := linkEnd(s, i); end > 0 {
						p.n.Links = append(p.n.Links, Range{i, end})
						i = end
						continue
					}
				}
				if p.open < 0 && c == 'R' {
					if end := repostEnd(s, i); end > 0 {
						p.n.Names = append(p.n.Names, Range{i, end})
						i = end
						continue
					}
				}
				p.add(c+'a'-'A', i, i+1)
			case c == '@' && p.open < 0:
				if end := nameEnd(s, i+1); end > i+1 {
					p.n.Names = append(p.n.Names, Range{i, end})
					i = end
					continue
				}
			case c == '\'' || c == '`':
			default:
				p.flush()
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r >= leadBase && r < leadBase+leadCount {
			if whole, n := composeHangul(s[i:]); n > 0 {
				r, size = whole, n
			}
		}
		f := foldings.of(r)
		if r == utf8.RuneError && size == 1 {
			f = folding(separator) << 24
		}
		if f.class() == several {
			for _, r := range foldings.expansion(f) {
				p.char(folding(classify(r))<<24|folding(r), i, i+size)
			}
		} else {
			p.char(f, i, i+size)
		}
		i += size
	}
	p.flush()
}

// char takes one folded character that stands at s[from:to].
func (p *parser) char(f folding, from, to int) {
	switch f.class() {
	case letter:
		if r := f.char(); r < utf8.RuneSelf {
			p.add(byte(r), from, to)
		} else {
			p.addRune(r, from, to)
		}
	case single:
		p.flush()
		p.addRune(f.char(), from, to)
		p.flush()
		if k := len(p.n.Words) - 1; k >= 0 {
			p.n.Words[k].Single = true
		}
	case separator:
		p.flush()
	}
}

func (p *parser) addRune(r rune, from, to int) {
	var b [utf8.UTFMax]byte
	for _, c := range b[:utf8.EncodeRune(b[:], r)] {
		p.add(c, from, to)
	}
}

func (p *parser) add(c byte, from, to int) {
	if p.open < 0 {
		// Several words can come of one character (½): the second starts where
		// the first does not.
		p.open, p.at, p.hash, p.size = from, len(p.n.folded), fnvOffset, 0
	}
	if p.size < maxWord {
		p.n.folded = append(p.n.folded, c)
	}
	p.hash = (p.hash ^ uint64(c)) * fnvPrime
	p.size++
	p.end = to
}

func (p *parser) flush() {
	if p.open < 0 {
		return
	}
	h := mix(p.hash)
	if p.size > maxWord {
		// The kept bytes must differ where the words do.
		copy(p.n.folded[p.at+maxWord-8:], []byte{byte(h), byte(h >> 8), byte(h >> 16), byte(h >> 24), byte(h >> 32), byte(h >> 40), byte(h >> 48), byte(h >> 56)})
	}
	from := p.open
	p.open = -1
	if k := len(p.n.Words); k > 0 && p.n.Words[k-1].To > from {
		// A second word out of one character stands for nothing of its own.
		p.n.folded = p.n.folded[:p.at]
		return
	}
	if len(p.n.Words) >= MaxWords {
		p.n.Truncated = true
		return
	}
	p.n.Words = append(p.n.Words, Word{Range: Range{from, p.end}, hash: uint32(h), at: uint32(p.at), len: uint16(len(p.n.folded) - p.at)})
}

// restHasWord tells whether a letter stands in the rest of the text.
func (p *parser) restHasWord(i int) bool {
	for _, r := range p.s[i:] {
		if c := foldings.of(r).class(); c == letter || c == single || c == several {
			return true
		}
	}
	return false
}

// linkEnd gives the end of a link that starts at i, or 0. A link ends at white
// space, at a quotation mark or bracket that cannot be part of one, and at the
// first character outside ASCII: shorteners are often followed by Chinese text
// without a space.
func linkEnd(s string, i int) int {
	rest := s[i:]
	var n int
	switch {
	case hasPrefixFold(rest, "http://"):
		n = 7
	case hasPrefixFold(rest, "https://"):
		n = 8
	case hasPrefixFold(rest, "www."):
		n = 4
	default:
		return 0
	}
	j := i + n
	for j < len(s) && s[j] > ' ' && s[j] < utf8.RuneSelf && s[j] != '"' && s[j] != '<' && s[j] != '>' {
		j++
	}
	if n == 4 && j == i+n {
		return 0
	}
	return j
}

func hasPrefixFold(s, lower string) bool {
	if len(s) < len(lower) {
		return false
	}
	for i := range len(lower) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// nameEnd gives the end of a user name that starts at i; i where there is none.
func nameEnd(s string, i int) int {
	for i < len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_') {
			break
		}
		i++
	}
	return i
}

// repostEnd gives the end of the head of a manual retweet, "RT @name:" or
// "RT name:" (some exports drop the sign), that starts at i; or 0.
func repostEnd(s string, i int) int {
	if len(s) < i+4 || s[i+1] != 'T' || s[i+2] != ' ' {
		return 0
	}
	j := i + 3
	if s[j] == '@' {
		j++
	}
	end := nameEnd(s, j)
	if end == j || end == len(s) || s[end] != ':' {
		return 0
	}
	return end + 1
}
