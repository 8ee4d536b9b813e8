package translate

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
)

// Words that carry no material of their own: neither side is asked for their
// translation.
var stopWords = wordSet(`a an the and or but if nor so yet of in on at by for from to into onto upon with without within about above over under
after before between through during against among around off out up down as than then that this these those there here it its he him his she her
hers they them their theirs we us our ours you your yours i me my mine one ones who whom whose which what when where why how is am are was were be
been being do does did done doing have has had having will would shall should can could may might must not no nt dont doesnt didnt isnt arent wasnt
werent wont wouldnt cant cannot couldnt shouldnt hasnt havent hadnt im ive id youre youve hes shes its were weve theyre theyve thats theres whats lets
also too very just only even still such some any all both each every either neither other another own same more most much many few less least lot
oneself someone somebody something sth sb smth smb smb's sths itself himself herself themselves myself yourself ourselves yes oh ah eh etc eg ie vs via per
rt amp get got let make made`)

// Forms that the stemmer does not bring to their word.
var irregular = func() map[string]string {
	m := map[string]string{}
	for _, list := range strings.Split(`say said|go went gone goes|come came|take took taken|give gave given|see saw seen|know knew known|think thought|
find found|tell told|leave left|feel felt|keep kept|begin began begun|show shown|hear heard|run ran|write wrote written|stand stood|hold held|bring brought|
meet met|pay paid|sit sat|speak spoke spoken|lead led|grow grew grown|lose lost|fall fell fallen|send sent|build built|understand understood|draw drew drawn|
break broke broken|spend spent|rise rose risen|drive drove driven|buy bought|wear wore worn|choose chose chosen|eat ate eaten|teach taught|catch caught|
fight fought|sell sold|win won|shoot shot|steal stole stolen|seek sought|sing sang sung|swim swam swum|sink sank sunk|fly flew flown|forget forgot forgotten|
forgive forgave forgiven|hide hid hidden|bear bore born borne|beat beaten|blow blew blown|strike struck|swear swore sworn|throw threw thrown|wake woke woken|
ride rode ridden|ring rang rung|drink drank drunk|bind bound|bend bent|sleep slept|sweep swept|lend lent|mean meant|shake shook shaken|feed fed|bleed bled|
breed bred|child children|man men|woman women|person people persons|foot feet|tooth teeth|mouse mice|wife wives|life lives|knife knives|leaf leaves|half halves|
die died dying dies|lie lying|good better best|bad worse worst|president presidential|china chinese|russia russian|america american|japan japanese|
britain british|france french|germany german|europe european|korea korean|spain spanish|italy italian|india indian|africa african|asia asian|
australia australian|canada canadian|ukraine ukrainian|syria syrian|iran iranian|iraq iraqi|israel israeli|turkey turkish|mexico mexican|england english`, "|") {
		w := strings.Fields(list)
		for _, form := range w[1:] {
			m[form] = w[0]
		}
	}
	return m
}()

func wordSet(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// stemEnglish brings a lower-case word to its stem; American spelling.
func stemEnglish(w string) string {
	if base, ok := irregular[w]; ok {
		w = base
	}
	n := len(w)
	if n <= 3 {
		return w
	}
	if n >= 5 {
		switch {
		case strings.Contains(w, "isation"):
			w = strings.Replace(w, "isation", "ization", 1)
		case strings.HasSuffix(w, "ise"), strings.HasSuffix(w, "ised"), strings.HasSuffix(w, "ises"), strings.HasSuffix(w, "ising"):
			if i := strings.LastIndex(w, "is"); i > 2 && w[i-1] != 'm' && w[i-1] != 'v' && w[i-1] != 'c' {
				w = w[:i] + "iz" + w[i+2:]
			}
		case n >= 6 && strings.Contains(w[2:], "our") && !strings.Contains(w, "hour") && !strings.Contains(w, "cour") && !strings.Contains(w, "sour") && !strings.Contains(w, "tour") && !strings.Contains(w, "jour") && !strings.Contains(w, "your"):
			i := 2 + strings.Index(w[2:], "our")
			w = w[:i] + "or" + w[i+3:]
		case strings.HasSuffix(w, "tre") && n >= 6:
			w = w[:n-2] + "er"
		}
	}
	env := snowballstem.NewEnv(w)
	english.Stem(env)
	return env.Current()
}

func isASCIILetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool       { return c >= '0' && c <= '9' }

// decode gives the character at s[i] and its size; invalid bytes are spaces.
func decode(s string, i int) (rune, int) {
	if c := s[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	if r == utf8.RuneError && size <= 1 {
		return ' ', 1
	}
	if r >= 0xff01 && r <= 0xff5e { // full width forms of ASCII
		return r - 0xfee0, size
	}
	return r, size
}

// skipped gives the end of a link, or of a name with its @, that starts at i; i
// where none does.
func skipped(s string, i int) int {
	switch s[i] {
	case '@':
		j := i + 1
		for j < len(s) && (isASCIILetter(s[j]) || isDigit(s[j]) || s[j] == '_') {
			j++
		}
		if j > i+1 {
			return j
		}
	case 'h', 'H', 'w', 'W':
		if i > 0 && (isASCIILetter(s[i-1]) || isDigit(s[i-1])) {
			return i
		}
		n := 0
		for _, p := range []string{"http://", "https://", "www."} {
			if len(s)-i >= len(p) && strings.EqualFold(s[i:i+len(p)], p) {
				n = len(p)
			}
		}
		if n == 0 {
			return i
		}
		j := i + n
		for j < len(s) && s[j] > ' ' && s[j] < utf8.RuneSelf && s[j] != '"' && s[j] != '<' && s[j] != '>' {
			j++
		}
		return j
	}
	return i
}

// ignorable: characters that stand inside words and are not compared.
func ignorable(r rune) bool {
	switch {
	case r < 0x80:
		return false
	case r == '’' || r == '‘' || r == 'ʼ' || r == 'ـ' || r == 0xad:
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Cf)
}
