package text

import (
	_ "embed"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

//go:generate go run gen_lookalikes.go -confusables confusables.json -opencc TSCharacters.txt

// Unicode's confusables data, reduced to letters that look like one ASCII
// letter; see gen_lookalikes.go. One pair a line: character, letter.
//
//go:embed lookalikes.txt
var lookalikes string

// Traditional → simplified Chinese characters of OpenCC (Apache-2.0).
//
//go:embed simplified.txt
var simplified string

// What the confusables data leaves out and fancy-letter generators use: small
// capitals, strokes, and Latin letters without a decomposition.
const moreLookalikes = "ᴀa ʙb ᴅd ᴇe ꜰf ɢg ʜh ᴊj ᴋk ʟl ᴍm ɴn ᴘp ǫq ᴛt ʏy øo łl đd ħh ŧt ɨi ʉu ƀb ɇe ɍr ɏy ƙk ɗd ɓb ɠg ƈc ƒf ƭt ƴy ŋn"

// foldingVersion names the rules of this file and normalise.go. A change of
// what a text is folded to must change it: an index made by another version is
// made anew from its log.
const foldingVersion = "1 " + unicode.Version + " " + norm.Version

// A class says what a character is to normalisation.
type class uint32

const (
	separator class = iota // ends a word: space, punctuation, emoji
	letter                 // belongs to a word: letter, digit
	single                 // a word of its own: scripts written without spaces
	ignored                // invisible: format characters, combining marks
	several                // folds to more than one character, see expansions
)

// A folding is a class in the high 8 bits and in the low 24 the character that
// stands for it, or for several the index of the expansion.
type folding uint32

func (f folding) class() class { return class(f >> 24) }
func (f folding) char() rune   { return rune(f & 0xffffff) }

const pageSize = 256

type foldPage [pageSize]folding

// folder holds the foldings of all characters. A page is made when its first
// character is met, so that a process pays for the scripts it sees.
type folder struct {
	pages [(unicode.MaxRune + 1) / pageSize]atomic.Pointer[foldPage]
	once  sync.Once
	alike map[rune]rune

	mu         sync.Mutex
	expansions atomic.Pointer[[][]rune]
}

// foldings is written by its own methods alone, and gives the same answers
// however it was filled.
var foldings folder

func (f *folder) of(r rune) folding {
	page := f.pages[r/pageSize].Load()
	if page == nil {
		page = f.fill(r / pageSize)
	}
	return page[r%pageSize]
}

func (f *folder) expansion(x folding) []rune { return (*f.expansions.Load())[x.char()] }

func (f *folder) load() {
	f.alike = make(map[rune]rune, 4600)
	for _, table := range []string{moreLookalikes, lookalikes, simplified} {
		for _, pair := range strings.Fields(table) {
			from, n := utf8.DecodeRuneInString(pair)
			to, _ := utf8.DecodeRuneInString(pair[n:])
			f.alike[from] = to
		}
	}
	// A look-alike of a look-alike, and a variant of a variant.
	for from, to := range f.alike {
		if next, ok := f.alike[to]; ok && next != from {
			f.alike[from] = next
		}
	}
}

func (f *folder) fill(n rune) *foldPage {
	f.once.Do(f.load)
	f.mu.Lock()
	defer f.mu.Unlock()
	if page := f.pages[n].Load(); page != nil {
		return page
	}
	var page foldPage
	for i := range page {
		page[i] = f.fold(n*pageSize + rune(i))
	}
	f.pages[n].Store(&page)
	return &page
}

func (f *folder) fold(r rune) folding {
	plain := f.plain(r)
	switch len(plain) {
	case 0:
		return folding(ignored) << 24
	case 1:
		return folding(classify(plain[0]))<<24 | folding(plain[0])
	}
	var list [][]rune
	if p := f.expansions.Load(); p != nil {
		list = *p
	}
	list = append(list[:len(list):len(list)], plain)
	f.expansions.Store(&list)
	return folding(several)<<24 | folding(len(list)-1)
}

// plain gives what stands for one character: its compatibility decomposition
// without marks, in lower case, with look-alikes and variants replaced. Empty
// for a character that is ignored.
func (f *folder) plain(r rune) []rune {
	if r < 0x20 || r == utf8.RuneError || unicode.IsSpace(r) {
		return []rune{' '}
	}
	if isHangul(r) {
		return []rune{r} // its decomposition into letters would be made again by compose
	}
	var plain []rune
	for _, d := range norm.NFKD.String(string(r)) {
		if isIgnored(d) {
			continue
		}
		// Upper case first folds characters such as ſ and ς to their plain form.
		d = unicode.ToLower(unicode.ToUpper(d))
		if to, ok := f.alike[d]; ok {
			d = to
		}
		plain = append(plain, d)
	}
	if len(plain) > 1 {
		for i, d := range plain {
			if d == '⁄' { // of a fraction such as ½
				plain[i] = ' '
			}
		}
	}
	return plain
}

// isIgnored: what is invisible or sits on another character. The marks of
// scripts that write vowels with them are kept: without those, words fall
// together.
func isIgnored(r rune) bool {
	switch {
	case r == '\'' || r == '’' || r == '‘' || r == 'ʼ' || r == '`' || r == '´': // don't, don’t → dont
		return true
	case r == 'ـ': // tatweel, stretches Arabic words
		return true
	case unicode.Is(unicode.Cf, r), r == 0x034f, r >= 0x115f && r <= 0x1160, r == 0x17b4, r == 0x17b5, r == 0x3164, r == 0xffa0:
		return true // joiners, direction marks, soft hyphen, tags, and the fillers that show nothing
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef, r >= 0x180b && r <= 0x180f:
		return true // variation selectors
	case unicode.In(r, unicode.Mn, unicode.Me):
		return unicode.In(r, unicode.Inherited, unicode.Arabic, unicode.Hebrew, unicode.Cyrillic, unicode.Syriac) ||
			r >= 0x3099 && r <= 0x309a
	}
	return false
}

func classify(r rune) class {
	switch {
	case r == ' ':
		return separator
	case isSingle(r):
		return single
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), unicode.IsNumber(r):
		return letter
	}
	return separator
}

// isSingle: scripts that put no space between words. Hangul does, but joins so
// many endings to a word that syllables match better.
func isSingle(r rune) bool {
	return r >= 0x0e00 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Yi) ||
		isHangul(r) ||
		unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan) && !unicode.IsPunct(r))
}

func isHangul(r rune) bool { return r >= 0xac00 && r <= 0xd7a3 }

// Conjoining letters of Hangul, as decomposed text has them.
const (
	hangulBase = 0xac00
	leadBase   = 0x1100
	vowelBase  = 0x1161
	tailBase   = 0x11a7
	leadCount  = 19
	vowelCount = 21
	tailCount  = 28
)

// composeHangul joins the conjoining letters at the start of s to one syllable
// and says how many bytes they take. Zero: s does not start with a lead and a
// vowel.
func composeHangul(s string) (rune, int) {
	l, n := utf8.DecodeRuneInString(s)
	if l < leadBase || l >= leadBase+leadCount {
		return 0, 0
	}
	v, m := utf8.DecodeRuneInString(s[n:])
	if v < vowelBase || v >= vowelBase+vowelCount {
		return 0, 0
	}
	r := hangulBase + ((l-leadBase)*vowelCount+v-vowelBase)*tailCount
	n += m
	if t, m := utf8.DecodeRuneInString(s[n:]); t > tailBase && t < tailBase+tailCount {
		r += t - tailBase
		n += m
	}
	return r, n
}
