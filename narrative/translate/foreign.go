package translate

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A token is one word of a text as it is compared.
type token struct {
	from, to int32    // bytes of the raw text
	stem     uint32   // English texts: number of the stem
	entry    int32    // other texts: entry of the dictionary, or -1
	alts     []uint32 // other texts: stems that it stands for without a dictionary
	kind     tokenKind
}

type tokenKind uint8

const (
	plainWord tokenKind = iota
	numberWord
	nameWord  // a name in another script, by its sound
	latinWord // a word in Latin letters within another script
)

// A reader makes tokens of texts.
type reader struct {
	dicts  *Dictionaries
	number func(stem string) uint32 // noWord where it is not to be numbered
	stems  map[string]string        // cache: word → stem
	ids    []uint32                 // memory of alts
	run    []rune                   // of Chinese characters, simplified
	offs   []int32                  // where each starts; one more for the end
	buf    []byte
	toks   []token
}

// maxTokens is how many words of a text are compared; what comes after is not.
const maxTokens = 4096

// maxStemCache is how many words keep their stem at hand.
const maxStemCache = 1 << 17

// english makes the tokens of an English text.
func (rd *reader) english(s string) []token {
	rd.toks = rd.toks[:0]
	eachEnglish(s, func(w englishWord) bool {
		if id := rd.stem(w); id != skipWord {
			kind := plainWord
			if w.text[0] == '#' {
				kind = numberWord
			}
			rd.toks = append(rd.toks, token{from: int32(w.from), to: int32(w.to), stem: id, entry: -1, kind: kind})
		}
		return len(rd.toks) < maxTokens
	})
	return rd.toks
}

// translated makes the tokens of a text that comes with its translation: each word
// of that stands for itself, and for the whole text.
func (rd *reader) translated(english string, size int) []token {
	rd.english(english)
	rd.ids = rd.ids[:0]
	for i := range rd.toks {
		t := &rd.toks[i]
		t.from, t.to = 0, int32(size)
		if t.stem != noWord {
			rd.ids = append(rd.ids, t.stem)
			t.alts = rd.ids[len(rd.ids)-1 : len(rd.ids) : len(rd.ids)]
		}
		t.stem = noWord
	}
	return rd.toks
}

// skipWord is the number of a stop word.
const skipWord = noWord - 1

func (rd *reader) stem(w englishWord) uint32 {
	if w.text[0] == '#' {
		return rd.number(w.text)
	}
	stem, ok := rd.stems[w.text]
	if !ok {
		if stem = w.stem(); len(rd.stems) >= maxStemCache {
			clear(rd.stems)
		}
		rd.stems[w.text] = stem
	}
	if stem == "" {
		return skipWord
	}
	return rd.number(stem)
}

// alt keeps the number of a stem as one of the open token's alternatives.
func (rd *reader) alt(t *token, stem string) {
	if stem == "" {
		return
	}
	id := rd.number(stem)
	if id == noWord || id == skipWord {
		return
	}
	n := len(rd.ids)
	rd.ids = append(rd.ids, id)
	if len(t.alts) > 0 && n >= len(t.alts) && &rd.ids[n-len(t.alts)] == &t.alts[0] {
		t.alts = rd.ids[n-len(t.alts) : n+1 : n+1]
		return
	}
	t.alts = append(t.alts[:len(t.alts):len(t.alts)], id)
}

// foreign makes the tokens of a text in the language of a dictionary.
func (rd *reader) foreign(d *dictionary, s string) []token {
	rd.toks, rd.ids = rd.toks[:0], rd.ids[:0]
	for i := 0; i < len(s) && len(rd.toks) < maxTokens; {
		if end := skipped(s, i); end > i {
			i = end
			continue
		}
		r, size := decode(s, i)
		switch {
		case r >= '0' && r <= '9' || d.lang == Chinese && hanDigit(r) > 0 && numeralAhead(s, i):
			i = rd.foreignNumber(d, s, i)
		case isHan(r):
			if d.lang == Chinese {
				i = rd.chinese(d, s, i)
			} else {
				i += size
			}
		case d.lang == Chinese && unicode.IsLetter(r) && r < 0x250:
			i = rd.latin(s, i)
		case d.lang != Chinese && unicode.IsLetter(r):
			i = rd.words(d, s, i)
		default:
			i += size
		}
	}
	return rd.toks
}

func (rd *reader) push(t token) { rd.toks = append(rd.toks, t) }

// latin takes a word in Latin letters as it is.
func (rd *reader) latin(s string, i int) int {
	text, end, next := englishLetters(s, i, i > 0 && s[i-1] == '#')
	if text != "" {
		t := token{from: int32(i), to: int32(end), stem: noWord, entry: -1, kind: latinWord}
		if !stopWords[text] {
			rd.alt(&t, stemEnglish(text))
			rd.push(t)
		}
	}
	return max(next, i+1)
}

// words takes a run of words of an alphabetic language: the longest phrases that
// the dictionary has.
func (rd *reader) words(d *dictionary, s string, i int) int {
	type word struct {
		key      string
		from, to int
		raw      string
	}
	var run [64]word
	n, end := 0, i
	// A run ends at what is neither a letter nor a space.
	j := i
	for j < len(s) && n < len(run) {
		r, size := decode(s, j)
		if r == ' ' || r == '-' || r == '\u00a0' {
			j += size
			continue
		}
		if !unicode.IsLetter(r) || skipped(s, j) > j {
			break
		}
		b, from, last := rd.buf[:0], j, j
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
		rd.buf = b
		key, ok := rd.stems[d.lang+string(b)]
		if !ok {
			if key = stemWord(d.lang, string(b)); len(rd.stems) >= maxStemCache {
				clear(rd.stems)
			}
			rd.stems[d.lang+string(b)] = key
		}
		run[n] = word{key, from, last, string(b)}
		n++
		end = j
	}
	for k := 0; k < n; {
		took := 0
		if longest := int(d.wordsOf[run[k].key]); longest > 0 {
			for m := min(longest, n-k); m > 0; m-- {
				key := run[k].key
				for _, w := range run[k+1 : k+m] {
					key += " " + w.key
				}
				if e, ok := d.keys[key]; ok {
					rd.push(token{from: int32(run[k].from), to: int32(run[k+m-1].to), stem: noWord, entry: int32(e)})
					took = m
					break
				}
			}
		}
		if took == 0 {
			// Not in the dictionary: a name, perhaps.
			w := run[k]
			t := token{from: int32(w.from), to: int32(w.to), stem: noWord, entry: -1, kind: nameWord}
			for _, spelling := range romanise(d.lang, w.raw) {
				rd.alt(&t, stemEnglish(spelling))
			}
			rd.push(t)
			took = 1
		}
		k += took
	}
	return max(end, i+1)
}

// chinese takes a run of Chinese characters: the longest words that the
// dictionary has, from the left.
func (rd *reader) chinese(d *dictionary, s string, i int) int {
	rd.run, rd.offs = rd.run[:0], rd.offs[:0]
	for i < len(s) && len(rd.run) < maxTokens {
		r, size := decode(s, i)
		if ignorable(r) {
			i += size
			continue
		}
		if !isHan(r) || len(rd.run) > 0 && hanDigit(r) > 0 && numeralAhead(s, i) {
			break
		}
		rd.run = append(rd.run, simplified(r))
		rd.offs = append(rd.offs, int32(i))
		i += size
	}
	rd.offs = append(rd.offs, int32(i))
	first := len(rd.toks)
	for k := 0; k < len(rd.run); {
		took := 1
		entry := int32(-1)
		for m := min(int(d.longest[rd.run[k]]), len(rd.run)-k); m > 0; m-- {
			b := rd.buf[:0]
			for _, r := range rd.run[k : k+m] {
				b = utf8.AppendRune(b, r)
			}
			rd.buf = b
			if e, ok := d.keys[string(b)]; ok {
				entry, took = int32(e), m
				break
			}
		}
		rd.push(token{from: rd.offs[k], to: rd.offs[k+took], stem: noWord, entry: entry})
		k += took
	}
	rd.names(d, first)
	return i
}

// names adds the sounds of what may be a name: single characters that follow each
// other, and what follows a surname.
func (rd *reader) names(d *dictionary, first int) {
	toks := rd.toks[first:]
	k := 0 // index into run
	length := func(t *token) int {
		n := 0
		for k+n < len(rd.run) && rd.offs[k+n] < t.to {
			n++
		}
		return n
	}
	type part struct{ sound string }
	sounds := make([]part, len(toks))
	sizes := make([]int, len(toks))
	for i := range toks {
		n := length(&toks[i])
		sizes[i] = n
		if n <= 2 {
			for _, r := range rd.run[k : k+n] {
				sounds[i].sound += d.read[r]
			}
		}
		k += n
	}
	for i := range toks {
		t := &toks[i]
		if t.entry >= 0 && d.entries[t.entry].surname && sizes[i] == 1 && i+1 < len(toks) && sounds[i+1].sound != "" {
			rd.name(t, sounds[i].sound)
			if sizes[i+1] == 2 {
				rd.name(&toks[i+1], sounds[i+1].sound)
			}
		}
		if sizes[i] == 1 && i+1 < len(toks) && sizes[i+1] == 1 && sounds[i].sound != "" && sounds[i+1].sound != "" {
			joined := sounds[i].sound + sounds[i+1].sound
			rd.name(t, joined)
			rd.name(&toks[i+1], joined)
		}
	}
}

func (rd *reader) name(t *token, sound string) {
	if len(sound) > 2 && !stopWords[sound] {
		rd.alt(t, stemEnglish(sound))
	}
}

// hanDigit gives the value of a Chinese numeral character, 10 and more for the
// units, and 0 for others.
func hanDigit(r rune) float64 {
	switch r {
	case '一':
		return 1
	case '二', '两', '兩':
		return 2
	case '三':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	case '十':
		return 10
	case '百':
		return 100
	case '千':
		return 1000
	case '万', '萬':
		return 1e4
	case '亿', '億':
		return 1e8
	}
	return 0
}

// numeralAhead tells whether a Chinese numeral of several characters starts at i:
// single ones are parts of words too often.
func numeralAhead(s string, i int) bool {
	n, units := 0, 0
	for i < len(s) && n < 12 {
		r, size := decode(s, i)
		v := hanDigit(r)
		if v == 0 && r != '〇' && r != '零' {
			break
		}
		if v >= 10 {
			units++
		}
		n++
		i += size
	}
	return n >= 2 && units >= 1 && units <= n
}

// hanNumeral reads a numeral such as 三百二十 at i.
func hanNumeral(s string, i int) (float64, int) {
	total, section, digit := 0.0, 0.0, 0.0
	for i < len(s) {
		r, size := decode(s, i)
		v := hanDigit(r)
		switch {
		case r == '〇' || r == '零':
		case v == 0:
			return total + section + digit, i
		case v >= 1e4:
			total = (total + section + digit) * v
			section, digit = 0, 0
		case v >= 10:
			section += max(digit, 1) * v
			digit = 0
		default:
			digit = v
		}
		i += size
	}
	return total + section + digit, i
}

// foreignNumber takes a number with the unit behind it.
func (rd *reader) foreignNumber(d *dictionary, s string, i int) int {
	from := i
	var value float64
	if r, _ := decode(s, i); r >= '0' && r <= '9' {
		var text string
		text, i = figures(s, i)
		value, _ = strconv.ParseFloat(strings.TrimSuffix(text, "."), 64)
		if d.lang == Chinese {
			for i < len(s) {
				r, size := decode(s, i)
				if v := hanDigit(r); v >= 1000 || v == 100 {
					value *= v
					i += size
					continue
				}
				break
			}
		} else if value == float64(int(value)) && i < len(s) {
			if f, end := scaleWord(s, i); f > 1 {
				value *= f
				i = end
			}
		}
	} else {
		value, i = hanNumeral(s, i)
	}
	t := token{from: int32(from), to: int32(i), stem: noWord, entry: -1, kind: numberWord}
	rd.alt(&t, numberStem(strconv.FormatFloat(value, 'f', -1, 64), 1))
	if d.lang == Chinese && i < len(s) {
		if r, size := decode(s, i); r == '月' && value >= 1 && value <= 12 && value == float64(int(value)) {
			t.to = int32(i + size)
			rd.alt(&t, stemEnglish(months[int(value)-1]))
			i += size
		}
	}
	if len(t.alts) > 0 {
		rd.push(t)
	}
	return max(i, from+1)
}

var months = strings.Fields("january february march april may june july august september october november december")

// scaleWord reads "million" in the languages with alphabets.
func scaleWord(s string, i int) (float64, int) {
	if r, size := decode(s, i); r == ' ' || r == '\u00a0' {
		i += size
	}
	var b strings.Builder
	j := i
	for j < len(s) && j < i+30 {
		r, size := decode(s, j)
		if !unicode.IsLetter(r) {
			break
		}
		b.WriteRune(unicode.ToLower(r))
		j += size
	}
	w := b.String()
	switch {
	case strings.HasPrefix(w, "тыс"), w == "mil", w == "mille", w == "tausend", w == "ألف", w == "آلاف":
		return 1e3, j
	case strings.HasPrefix(w, "миллион"), w == "млн", strings.HasPrefix(w, "millón"), strings.HasPrefix(w, "millon"), strings.HasPrefix(w, "million"), w == "مليون", w == "ملايين":
		return 1e6, j
	case strings.HasPrefix(w, "миллиард"), w == "млрд", strings.HasPrefix(w, "milliard"), w == "مليار":
		return 1e9, j
	}
	return 1, i
}
