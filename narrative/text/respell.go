package text

// What a query has and no text holds may be a known word in disguise: letters
// written as digits (p0licy), or several words run together, mostly after a #.
// Only the words of the query are read so, while it is compared: a text is stored
// as it was written. So a disguised copy finds the plain text, and where the
// disguised one came first, the plain text finds it by what is left of it.

const (
	// longWord and more letters are a word where wordTexts texts have them; each
	// letter less needs four times as many, for the shorter the more likely by
	// chance: 128 for two letters.
	longWord  = 5
	wordTexts = 2
	// maxParts is how many words a hashtag is cut into at most, and maxTag how
	// many bytes it may have; other words are cut in two.
	maxParts = 6
	maxTag   = 40
	// leastJoined is the least length of a word that is cut.
	leastJoined = 5
)

// known gives the number of a word that enough texts hold.
func (ix *Index) knownWord(word []byte, hash uint32) (id uint32, df int, ok bool) {
	if len(word) < 2 {
		return 0, 0, false
	}
	if id, ok = ix.words.find(hash, word); !ok {
		return 0, 0, false
	}
	df = int(ix.words.texts.at(id))
	need := wordTexts
	for n := len(word); n < longWord; n++ {
		need *= 4
	}
	return id, df, df >= need
}

// hashOf is the hash of a folded word.
func hashOf(word []byte) uint32 {
	h := uint64(fnvOffset)
	for _, c := range word {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return uint32(mix(h))
}

// A respelling is one word of the query and what it is read as.
type respelling struct {
	word  int   // of s.normal
	cuts  []int // where its words end, in bytes
	plain []byte
}

// respell reads the words of the query, which was numbered, that no more than most
// texts have as known ones, if there are any such. Then s.normal, s.ids and s.weights are the words as
// read, and unspell sets back what was written.
func (ix *Index) respell(s *searcher, raw string, most uint32) bool {
	var list []respelling
	more := 0
	for i := range s.normal.Words {
		w := &s.normal.Words[i]
		if s.ids[i] < unknown && (most == 0 || ix.words.texts.at(s.ids[i]) > most) || w.Single || w.len < 2 || int(w.len) > maxTag {
			continue
		}
		word := s.normal.folded[w.at : w.at+uint32(w.len)]
		if plain := unleet(word); plain != nil {
			if _, _, ok := ix.knownWord(plain, hashOf(plain)); ok {
				list = append(list, respelling{word: i, plain: plain})
			}
			continue
		}
		parts := 2
		if w.From > 0 && raw[w.From-1] == '#' {
			parts = maxParts
		}
		if cuts := ix.cutWord(word, parts); cuts != nil && len(s.normal.Words)+more+len(cuts) <= MaxWords {
			list = append(list, respelling{word: i, cuts: cuts})
			more += len(cuts) - 1
		}
	}
	if len(list) == 0 {
		return false
	}
	n := &s.read
	n.Words, n.Truncated = n.Words[:0], s.normal.Truncated
	n.folded = append(n.folded[:0], s.normal.folded...)
	for i, w := range s.normal.Words {
		if len(list) == 0 || list[0].word != i {
			n.Words = append(n.Words, w)
			continue
		}
		r := list[0]
		list = list[1:]
		if r.plain != nil {
			w.at, w.len, w.hash = uint32(len(n.folded)), uint16(len(r.plain)), hashOf(r.plain)
			n.folded = append(n.folded, r.plain...)
			n.Words = append(n.Words, w)
			continue
		}
		exact := w.To-w.From == int(w.len) // each byte is one of the raw text
		from := 0
		for _, to := range r.cuts {
			part := w
			part.at, part.len = w.at+uint32(from), uint16(to-from)
			part.hash = hashOf(n.folded[part.at : part.at+uint32(part.len)])
			switch {
			case exact:
				part.From, part.To = w.From+from, w.From+to
			case from > 0: // the first stands for all
				part.From = w.To
			}
			n.Words = append(n.Words, part)
			from = to
		}
	}
	s.normal, s.read = s.read, s.normal
	s.tags, s.written = tags(s.normal.Words, raw), s.tags
	ix.number(s)
	return true
}

func (ix *Index) unspell(s *searcher) {
	s.normal, s.read = s.read, s.normal
	s.tags = s.written
	ix.number(s)
}

// unleet gives a word of letters and digits with the digits as the letters that
// they look like; nil for one without digits or letters, or with digits that look
// like none.
func unleet(word []byte) []byte {
	digits, letters := 0, 0
	for _, c := range word {
		switch {
		case c < '0' || c > '9':
			letters++
		case leet[c-'0'] == 0:
			return nil
		default:
			digits++
		}
	}
	if digits == 0 || letters == 0 {
		return nil
	}
	plain := make([]byte, len(word))
	for i, c := range word {
		if c >= '0' && c <= '9' {
			c = leet[c-'0']
		}
		plain[i] = c
	}
	return plain
}

// leet: 0 o, 1 i, 3 e, 4 a, 5 s, 7 t, 8 b.
var leet = [10]byte{'o', 'i', 0, 'e', 'a', 's', 0, 't', 'b', 0}

// cutWord gives where a word that is several known ones run together is to be
// cut: into as few as can be, and of those the most frequent. nil where it is
// none.
func (ix *Index) cutWord(word []byte, parts int) []int {
	if len(word) < leastJoined {
		return nil
	}
	for _, c := range word {
		if c >= '0' && c <= '9' {
			return nil
		}
	}
	type state struct {
		parts, from int
		worth       float32
	}
	var best [maxTag + 1]state
	n := len(word)
	for i := 0; i < n-1; i++ {
		if i > 0 && (best[i].parts == 0 || best[i].parts == parts) {
			continue
		}
		h := uint64(fnvOffset)
		for j := i; j < n; j++ {
			h = (h ^ uint64(word[j])) * fnvPrime
			if j-i < 1 || i == 0 && j == n-1 || best[i].parts == parts-1 && j < n-1 {
				continue
			}
			_, df, ok := ix.knownWord(word[i:j+1], uint32(mix(h)))
			if !ok {
				continue
			}
			next := state{best[i].parts + 1, i, best[i].worth + logOf(df)}
			if b := &best[j+1]; b.parts == 0 || next.parts < b.parts || next.parts == b.parts && next.worth > b.worth {
				*b = next
			}
		}
	}
	if best[n].parts < 2 {
		return nil
	}
	cuts := make([]int, best[n].parts)
	for k, at := len(cuts)-1, n; k >= 0; k-- {
		cuts[k] = at
		at = best[at].from
	}
	return cuts
}
