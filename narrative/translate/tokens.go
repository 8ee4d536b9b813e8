package translate

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An englishWord is one word or number of an English text.
type englishWord struct {
	text     string // lower case; a number as "#2016"
	from, to int
}

// stem gives the stem that a word is compared by; empty for a stop word.
func (w englishWord) stem() string {
	if w.text[0] == '#' {
		return w.text
	}
	if stopWords[w.text] {
		return ""
	}
	if n, ok := numberWords[w.text]; ok {
		return n
	}
	return stemEnglish(w.text)
}

var numberWords = func() map[string]string {
	m := map[string]string{"dozen": "#12", "hundred": "#100", "thousand": "#1000", "million": "#1000000", "billion": "#1000000000", "twenty": "#20", "thirty": "#30", "forty": "#40", "fifty": "#50", "sixty": "#60", "seventy": "#70", "eighty": "#80", "ninety": "#90",
		"second": "#2", "third": "#3", "fourth": "#4", "fifth": "#5", "sixth": "#6", "seventh": "#7", "eighth": "#8", "ninth": "#9", "tenth": "#10", "twice": "#2"}
	for i, w := range strings.Fields("two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen") {
		m[w] = "#" + strconv.Itoa(i+2)
	}
	return m
}()

// maxWord is how many bytes of a word are compared.
const maxWord = 40

// eachEnglish calls yield for the words and numbers of an English text. Links
// and names with @ are left out, a hashtag is split where capitals begin. It ends
// when yield gives false.
func eachEnglish(s string, yield func(englishWord) bool) {
	tag := false // within a hashtag
	for i := 0; i < len(s); {
		if end := skipped(s, i); end > i {
			i = end
			continue
		}
		r, size := decode(s, i)
		switch {
		case r >= '0' && r <= '9':
			text, end := englishNumber(s, i)
			if text != "" && !yield(englishWord{text, i, end}) {
				return
			}
			i = end
		case unicode.IsLetter(r) && !isHan(r):
			text, end, next := englishLetters(s, i, tag)
			if text != "" && !yield(englishWord{text, i, end}) {
				return
			}
			i = next
		default:
			tag = r == '#'
			i += size
		}
	}
}

// englishLetters reads the word that starts at i: its folded form, its end, and
// where reading goes on, behind a possessive ending.
func englishLetters(s string, i int, tag bool) (text string, end, next int) {
	var buf [maxWord]byte
	b, j := buf[:0], i
	end = i
	lower := false // the letter before is a small one
	for j < len(s) {
		r, size := decode(s, j)
		if r == '\'' || ignorable(r) {
			if isPossessive(s, j+size) {
				return string(b), end, j + size + 1
			}
			j += size
			continue
		}
		if !unicode.IsLetter(r) && (r < '0' || r > '9') || isHan(r) {
			break
		}
		if tag && lower && unicode.IsUpper(r) {
			break
		}
		lower = unicode.IsLower(r)
		if len(b)+utf8.UTFMax <= maxWord {
			b = utf8.AppendRune(b, plainLetter(unicode.ToLower(r)))
		}
		j += size
		end = j
	}
	return string(b), end, j
}

// isPossessive tells whether an s stands at i, and no letter after it.
func isPossessive(s string, i int) bool {
	if i >= len(s) || s[i]|0x20 != 's' {
		return false
	}
	if i+1 == len(s) {
		return true
	}
	r, _ := decode(s, i+1)
	return !unicode.IsLetter(r)
}

// plainLetter drops the accent of a Latin letter.
func plainLetter(r rune) rune {
	if r < 0xc0 || r > 0x17f {
		return r
	}
	const plain = "aaaaaaaceeeeiiiidnooooo ouuuuyts" + "aaaaaaaceeeeiiiidnooooo ouuuuyty"
	if r <= 0xff {
		if c := plain[r-0xc0]; c != ' ' {
			return rune(c)
		}
		return r
	}
	const more = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
	if int(r-0x100) < len(more) {
		return rune(more[r-0x100])
	}
	return r
}

// englishNumber reads figures with their commas and decimals, and a following
// "million". A number of one figure after a dot and such are as they are.
func englishNumber(s string, i int) (string, int) {
	digits, j := figures(s, i)
	end := j
	if k := j; k < len(s) && (s[k] == ' ' || s[k] == '-') {
		k++
		e := k
		for e < len(s) && isASCIILetter(s[e]) {
			e++
		}
		if f := unitWords[strings.ToLower(s[k:min(e, k+10)])]; f != 0 {
			return numberStem(digits, f), e
		}
	}
	// 18th, 90s, 5pm
	e := j
	for e < len(s) && isASCIILetter(s[e]) {
		e++
	}
	switch suffix := strings.ToLower(s[j:min(e, j+4)]); suffix {
	case "":
	case "st", "nd", "rd", "th", "s", "am", "pm":
		end = e
	case "m", "mn":
		return numberStem(digits, 1e6), e
	case "bn", "b":
		return numberStem(digits, 1e9), e
	case "k":
		return numberStem(digits, 1e3), e
	}
	return numberStem(digits, 1), end
}

var unitWords = map[string]float64{"million": 1e6, "billion": 1e9, "trillion": 1e12, "thousand": 1e3, "hundred": 100}

// maxFigures is the longest number that is compared.
const maxFigures = 15

// figures reads the figures at i with thousands commas and one decimal point.
func figures(s string, i int) (string, int) {
	var b [maxFigures]byte
	n, j, dot := 0, i, false
	for j < len(s) {
		r, size := decode(s, j)
		switch {
		case r >= '0' && r <= '9':
			if n < maxFigures {
				b[n] = byte(r)
				n++
			}
		case (r == ',' || r == '.' && !dot) && j+1 < len(s) && j > i:
			next, _ := decode(s, j+size)
			if next < '0' || next > '9' {
				return string(b[:n]), j
			}
			if r == '.' {
				dot = true
				if n < maxFigures {
					b[n] = '.'
					n++
				}
			}
		default:
			return string(b[:n]), j
		}
		j += size
	}
	return string(b[:n]), j
}

// numberStem gives the stem of a number; empty for 0 and 1, which say nothing.
func numberStem(digits string, factor float64) string {
	v, err := strconv.ParseFloat(strings.TrimSuffix(digits, "."), 64)
	if err != nil || v*factor < 2 && v*factor == float64(int(v*factor)) {
		return ""
	}
	return "#" + strconv.FormatFloat(v*factor, 'f', -1, 64)
}

// eachWord calls yield for the folded words of a text in letters.
func eachWord(s string, yield func(w string, from, to int)) {
	var buf [maxWord]byte
	for i := 0; i < len(s); {
		r, size := decode(s, i)
		if !unicode.IsLetter(r) {
			i += size
			continue
		}
		b, j, last := buf[:0], i, i
		for j < len(s) {
			r, size := decode(s, j)
			if ignorable(r) || r == '\'' {
				j += size
				continue
			}
			if !unicode.IsLetter(r) {
				break
			}
			if len(b)+utf8.UTFMax <= maxWord {
				b = utf8.AppendRune(b, foldLetter(r))
			}
			j += size
			last = j
		}
		yield(string(b), i, last)
		i = j
	}
}

// foldLetter: lower case, and what writers leave out.
func foldLetter(r rune) rune {
	r = unicode.ToLower(r)
	switch r {
	case 'ё':
		return 'е'
	case 'أ', 'إ', 'آ', 'ٱ':
		return 'ا'
	case 'ى':
		return 'ي'
	case 'ة':
		return 'ه'
	}
	return r
}
