// Package translate links a text to texts in another language by dictionaries,
// without a model: which word in one is translated by which in the other, with
// their places in both raw texts. One side is English, the other Chinese or a
// language for which a dictionary is loaded (Load); without dictionaries it links
// nothing.
//
// # Method
//
// A text in another language is cut into the longest words that its dictionary
// has; a word stands for its glosses, each a set of English stems. Numbers, words
// in Latin letters and the sounds of names stand for themselves. An English text
// is its stems. Candidates share rare stems (index.go); score.go pairs the words
// of both texts and says how much of either is translated by the other, and how
// improbable that is by chance.
package translate

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"sync"

	"github.com/refrain-archive/refrain/internal/fsys"
)

// Options of an index. The zero value links nothing, as it has no dictionaries.
type Options struct {
	// Dictionaries decide which languages are linked. They are not changed.
	Dictionaries *Dictionaries
	// Translated: texts may come with Doc.English, so that English texts are kept
	// also where there are no dictionaries.
	Translated bool
	// Through, if not 0, is a Mark of the index: texts that were added after it are
	// cut off, for a caller that lost its own notes of them. Open fails with
	// ErrBehind where the index has less.
	Through int64
	// FS is the file system; nil is the machine's own.
	FS fsys.FS
}

// Limits of what is read of one text.
const (
	// MaxBytes is the longest text that Add and Query take, in bytes.
	MaxBytes = 16 << 20
	maxKey   = 1024
	maxLang  = 16
)

// Errors of an Index.
var (
	ErrClosed  = errors.New("the translation index is closed")
	ErrBehind  = errors.New("the translation index has less than was durable")
	ErrTooLong = fmt.Errorf("the text has more than %d MiB: split it, or leave it out", MaxBytes>>20)
)

// A Doc is one text to be indexed or asked about.
type Doc struct {
	Key  string // names the post for the caller; 1 to 1024 bytes. Not needed by Query
	Text string
	// Lang is the language as ISO 639-1 where the caller knows it; empty: Language
	// tells it.
	Lang string
	// English is a translation of the text into English that the caller has, as a
	// service of the user's made it (see narrative/translate/service). It is
	// compared where no dictionary of Lang is loaded; a Pair then has the whole
	// text on that side.
	English string
}

// An Outcome says what Add did with a text.
type Outcome string

const (
	// Added: the text is in the index.
	Added Outcome = "added"
	// Duplicate: a text with the same words in the same language is; it counts as
	// that.
	Duplicate Outcome = "copy"
	// Skipped: its language is not English and has no dictionary, or it has no
	// words. It is not in the index.
	Skipped Outcome = "skipped"
)

// A Result is what Add did.
type Result struct {
	Outcome Outcome
	Text    uint32 // number of the text: equal for copies. NoText for a skipped one
}

// NoText is the number of the text of a post that is not in the index.
const NoText = 1<<32 - 1

// An Index finds the texts that say the same in another language. Its methods are
// safe for concurrent use and take turns. Answers depend on the dictionaries and
// on the order in which texts were added, and on nothing else.
type Index struct {
	dicts      *Dictionaries
	translated bool
	langs      []*dictionary // by textRef.lang - 1
	log        *textLog      // nil: in memory only

	mu     sync.Mutex
	closed bool
	failed error

	vocab   vocabulary
	df      []uint32 // stem → English texts with it
	english int      // English texts
	texts   []textRef
	posts   [2]postings // by side: English, others
	arena   arena
	exact   map[uint64]uint32 // hash of the tokens → text
	keys    []uint32          // post → key in the arena
	next    []uint32          // post → next post of the same text; of the last: the first
	textOf  []uint32          // post → text
	byKey   map[uint64]uint32 // hash of key → last post with it
	seed    maphash.Seed

	rd  reader
	s   scorer
	buf []byte
}

// A textRef is one distinct text.
type textRef struct {
	at   uint32 // of its tokens in the arena
	last uint32 // its last post
	lang uint8  // index into Index.langs + 1; 0 is English
}

// postings: stem → texts that have it.
type postings struct{ lists [][]uint32 }

func (p *postings) of(id uint32) []uint32 {
	if int(id) < len(p.lists) {
		return p.lists[id]
	}
	return nil
}

func (p *postings) add(id, text uint32) {
	if int(id) >= len(p.lists) {
		p.lists = append(p.lists, make([][]uint32, int(id)+1-len(p.lists)+int(id)/4)...)
	}
	l := p.lists[id]
	if n := len(l); n > 0 && l[n-1] == text {
		return
	}
	p.lists[id] = append(l, text)
}

// Open opens the index in a folder, and makes it if there is none: the texts lie
// in a log there, and all else is made of them when it is opened. With an empty
// dir it is in memory only.
func Open(dir string, opts Options) (*Index, error) {
	ix := &Index{dicts: opts.Dictionaries, translated: opts.Translated, exact: map[uint64]uint32{}, byKey: map[uint64]uint32{}, seed: maphash.MakeSeed()}
	if ix.dicts == nil {
		ix.dicts = new(Dictionaries)
	}
	for _, lang := range ix.dicts.Languages() {
		ix.langs = append(ix.langs, ix.dicts.langs[lang])
	}
	ix.vocab = vocabulary{ids: map[string]uint32{}, base: &ix.dicts.vocab, from: uint32(ix.dicts.vocab.len())}
	ix.rd = reader{dicts: ix.dicts, stems: map[string]string{}}
	ix.s.ix = ix
	if dir != "" {
		var err error
		if ix.log, err = openLog(opts.FS, dir); err == nil {
			if err = ix.log.through(opts.Through); err == nil {
				err = ix.log.replay(func(d Doc) error {
					_, err := ix.insert(d)
					return err
				})
			}
			if err != nil {
				err = errors.Join(err, ix.log.close())
			}
		}
		if err != nil {
			return nil, fmt.Errorf("opening the translation index %s: %w", dir, err)
		}
	}
	return ix, nil
}

// Ready reports whether anything can be linked: a dictionary is loaded, or texts
// may come with their translation.
func (ix *Index) Ready() bool { return len(ix.dicts.langs) > 0 || ix.translated }

func (ix *Index) usable(d Doc) error {
	switch {
	case ix.closed:
		return ErrClosed
	case ix.failed != nil:
		return fmt.Errorf("the translation index stopped after a failure; open it again: %w", ix.failed)
	case len(d.Text) > MaxBytes, len(d.English) > MaxBytes:
		return ErrTooLong
	case len(d.Lang) > maxLang:
		return fmt.Errorf("%.20q is no code of a language: write en, zh, ru", d.Lang)
	}
	return nil
}

// Add adds a text. It is durable after the next Sync. A key may come again with
// another text: both stay.
func (ix *Index) Add(ctx context.Context, d Doc) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if d.Key == "" || len(d.Key) > maxKey {
		return Result{}, fmt.Errorf("adding a text: its key has %d bytes, and must have 1 to %d", len(d.Key), maxKey)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(d); err != nil {
		return Result{}, fmt.Errorf("adding the text of %s: %w", d.Key, err)
	}
	out, err := ix.insert(d)
	if err == nil && out.Outcome != Skipped && ix.log != nil {
		err = ix.log.append(d)
	}
	if err != nil {
		ix.failed = fmt.Errorf("adding the text of %s: %w", d.Key, err)
		return Result{}, ix.failed
	}
	return out, nil
}

// tokens reads a text. dict is nil for English; ok is false for a language that
// cannot be linked.
func (ix *Index) tokens(d Doc, grow bool) (toks []token, dict *dictionary, ok bool) {
	lang := d.Lang
	if lang == "" {
		lang = Language(d.Text)
	}
	ix.rd.number = ix.vocab.find
	if grow {
		ix.rd.number = ix.vocab.number
	}
	if lang == English {
		return ix.rd.english(d.Text), nil, true
	}
	if dict = ix.dicts.langs[lang]; dict != nil {
		return ix.rd.foreign(dict, d.Text), dict, true
	}
	if !ix.translated || d.English == "" || lang == "" {
		return nil, nil, false
	}
	return ix.rd.translated(d.English, len(d.Text)), ix.without(lang), true
}

// without gives the dictionary, without entries, of a language whose texts come
// translated.
func (ix *Index) without(lang string) *dictionary {
	for _, d := range ix.langs {
		if d.lang == lang {
			return d
		}
	}
	d := &dictionary{lang: lang}
	if len(ix.langs) < maxLangs {
		ix.langs = append(ix.langs, d)
	}
	return d
}

// maxLangs is how many languages an index tells apart.
const maxLangs = 250

func (ix *Index) insert(d Doc) (Result, error) {
	if !ix.Ready() {
		return Result{Skipped, NoText}, nil
	}
	toks, dict, ok := ix.tokens(d, true)
	if !ok || len(toks) == 0 {
		return Result{Skipped, NoText}, nil
	}
	b := packTokens(ix.buf[:0], toks)
	ix.buf = b
	hash := ix.hash(toks, dict)
	post := uint32(len(ix.keys))
	ix.byKey[ix.keyHash(d.Key)] = post
	ix.keys = append(ix.keys, ix.arena.add(binary.AppendUvarint(nil, uint64(len(d.Key))), []byte(d.Key)))
	if t, ok := ix.exact[hash]; ok {
		last := ix.texts[t].last
		ix.next = append(ix.next, ix.next[last])
		ix.next[last] = post
		ix.texts[t].last = post
		ix.textOf = append(ix.textOf, t)
		return Result{Duplicate, t}, nil
	}
	t := uint32(len(ix.texts))
	ix.exact[hash] = t
	ix.next = append(ix.next, post)
	ix.textOf = append(ix.textOf, t)
	side := 0
	if dict != nil {
		side = 1
	}
	ix.texts = append(ix.texts, textRef{at: ix.arena.add(nil, b), last: post, lang: ix.langNumber(dict)})
	for len(ix.df) < ix.vocab.len() {
		ix.df = append(ix.df, make([]uint32, ix.vocab.len()-len(ix.df)+ix.vocab.len()/8)...)
	}
	if side == 0 {
		ix.english++
		for _, tok := range toks {
			l := ix.posts[0].of(tok.stem)
			if n := len(l); n == 0 || l[n-1] != t {
				ix.posts[0].add(tok.stem, t)
				ix.df[tok.stem]++
			}
		}
		return Result{Added, t}, nil
	}
	for i := range toks {
		ix.s.lead(dict, &toks[i], storedStems)
		for _, l := range ix.s.leads {
			ix.posts[1].add(l.stem, t)
		}
	}
	return Result{Added, t}, nil
}

func (ix *Index) keyHash(key string) uint64 { return maphash.String(ix.seed, key) }

// langNumber gives the number by which a text keeps its language.
func (ix *Index) langNumber(d *dictionary) uint8 {
	if d == nil {
		return 0
	}
	for i, x := range ix.langs {
		if x.lang == d.lang {
			return uint8(i + 1)
		}
	}
	return maxLangs + 1
}

func (ix *Index) dictOf(t uint32) *dictionary {
	switch n := int(ix.texts[t].lang); {
	case n == 0:
		return nil
	case n <= len(ix.langs):
		return ix.langs[n-1]
	}
	return &dictionary{}
}

// hash tells texts of one language with the same words in the same order.
func (ix *Index) hash(toks []token, d *dictionary) uint64 {
	var h maphash.Hash
	h.SetSeed(ix.seed)
	h.WriteByte(ix.langNumber(d)) //nolint:errcheck // cannot fail
	var b [8]byte
	for i := range toks {
		binary.LittleEndian.PutUint32(b[:], toks[i].stem)
		binary.LittleEndian.PutUint32(b[4:], uint32(toks[i].entry))
		h.Write(b[:]) //nolint:errcheck // cannot fail
		for _, a := range toks[i].alts {
			binary.LittleEndian.PutUint32(b[:], a)
			h.Write(b[:4]) //nolint:errcheck // cannot fail
		}
		if toks[i].entry < 0 && len(toks[i].alts) == 0 && toks[i].stem == noWord {
			h.WriteByte(1) //nolint:errcheck // cannot fail
		}
	}
	return h.Sum64()
}

// Size gives the number of posts and of distinct texts in the index.
func (ix *Index) Size() (posts, texts int) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return len(ix.keys), len(ix.texts)
}

// Foreign gives the number of distinct texts that are not English.
func (ix *Index) Foreign() int {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return len(ix.texts) - ix.english
}

// Copies gives the keys of all posts with a text, in the order of Add.
func (ix *Index) Copies(text uint32) []string {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if int64(text) >= int64(len(ix.texts)) {
		return nil
	}
	var keys []string
	last := ix.texts[text].last
	for p := ix.next[last]; ; p = ix.next[p] {
		keys = append(keys, ix.key(p))
		if p == last {
			return keys
		}
	}
}

// Sync returns when all texts added so far survive a power cut. An index in
// memory has nothing to do.
func (ix *Index) Sync() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(Doc{}); err != nil || ix.log == nil {
		return err
	}
	if err := ix.log.sync(); err != nil {
		ix.failed = err
		return err
	}
	return nil
}

// Mark syncs and says how much is in the index: see Options.Through. It is 1 for an
// index in memory.
func (ix *Index) Mark() (int64, error) {
	if err := ix.Sync(); err != nil || ix.log == nil {
		return 1, err
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.log.written, nil
}

// Close syncs and frees the index. Later calls fail with ErrClosed.
func (ix *Index) Close() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if ix.closed {
		return ErrClosed
	}
	ix.closed = true
	var err error
	if ix.log != nil {
		if ix.failed == nil {
			err = ix.log.sync()
		}
		err = errors.Join(err, ix.log.close())
	}
	ix.texts, ix.exact, ix.posts, ix.arena, ix.df = nil, nil, [2]postings{}, arena{}, nil
	return err
}

// Candidates.
const (
	// storedStems is how many stems of each word of a foreign text are indexed:
	// the rarest of its first glosses.
	storedStems = 4
	// askedStems is how many are asked for.
	askedStems = 10
	// maxVisited bounds the postings that a query reads; the rarest stems come
	// first.
	maxVisited = 20000
	// maxCandidates is how many texts are compared word by word.
	maxCandidates = 30
	// candidateShare: texts with less than this share of the best sum are not.
	candidateShare = 0.35
)

type askStem struct {
	stem uint32
	tok  uint32
	gain float32
}

// candidates fills s.cands with the texts of the other side that share most, best
// first.
func (ix *Index) candidates(toks []token, dict *dictionary) {
	s := &ix.s
	side := 0
	s.asks = s.asks[:0]
	if dict == nil {
		side = 1
		for i := range toks {
			if toks[i].stem != noWord {
				s.asks = append(s.asks, askStem{toks[i].stem, uint32(i), ix.idf(toks[i].stem)})
			}
		}
	} else {
		for i := range toks {
			s.lead(dict, &toks[i], askedStems)
			for _, l := range s.leads {
				s.asks = append(s.asks, askStem{l.stem, uint32(i), l.gain})
			}
		}
	}
	p := &ix.posts[side]
	slices.SortFunc(s.asks, func(x, y askStem) int {
		if a, b := len(p.of(x.stem)), len(p.of(y.stem)); a != b {
			return cmp.Compare(a, b)
		}
		if x.stem != y.stem {
			return cmp.Compare(x.stem, y.stem)
		}
		return cmp.Compare(y.gain, x.gain)
	})
	if n := len(ix.texts); len(s.sums) < n {
		s.sums = append(s.sums, make([]float32, n-len(s.sums)+n/8+1024)...)
	}
	s.touched = s.touched[:0]
	visited := 0
	best := float32(0)
	for i, a := range s.asks {
		if i > 0 && a.stem == s.asks[i-1].stem {
			continue
		}
		list := p.of(a.stem)
		if visited += len(list); visited > maxVisited {
			break
		}
		for _, t := range list {
			sum := s.sums[t]
			if sum == 0 {
				s.touched = append(s.touched, t)
			}
			sum += a.gain
			s.sums[t] = sum
			best = max(best, sum)
		}
	}
	least := candidateShare * best
	s.cands = s.cands[:0]
	for _, t := range s.touched {
		if sum := s.sums[t]; sum >= least {
			s.keep(candidate{t, sum})
			if len(s.cands) == maxCandidates {
				least = max(least, s.cands[0].sum)
			}
		}
		s.sums[t] = 0
	}
	slices.SortFunc(s.cands, func(x, y candidate) int {
		if x.sum != y.sum {
			return cmp.Compare(y.sum, x.sum)
		}
		return cmp.Compare(x.text, y.text)
	})
}

// keep puts a candidate into s.cands, a heap of the best with the worst on top.
func (s *scorer) keep(c candidate) {
	h := s.cands
	if len(h) < maxCandidates {
		h = append(h, c)
		for i := len(h) - 1; i > 0 && h[i].worse(h[(i-1)/2]); i = (i - 1) / 2 {
			h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
		}
		s.cands = h
		return
	}
	if !h[0].worse(c) {
		return
	}
	h[0] = c
	for i := 0; ; {
		k := 2*i + 1
		if k+1 < len(h) && h[k+1].worse(h[k]) {
			k++
		}
		if k >= len(h) || !h[k].worse(h[i]) {
			return
		}
		h[i], h[k] = h[k], h[i]
		i = k
	}
}

func (c candidate) worse(than candidate) bool {
	if c.sum != than.sum {
		return c.sum < than.sum
	}
	return c.text > than.text
}

type candidate struct {
	text uint32
	sum  float32
}

// idf is how improbable a stem is in an English text, in nats. The entries of the
// dictionaries count as texts of their own kind, so that an index that holds
// little knows common words.
func (ix *Index) idf(stem uint32) float32 { return -ln(ix.chance(stem)) }

// priorTexts is how many texts the dictionaries count for.
const priorTexts = 2000

// ln is the natural logarithm to four places, fast: log2 of the mantissa by a
// polynomial of the fifth degree.
func ln(x float32) float32 {
	b := math.Float32bits(x)
	e := float32(int32(b>>23) - 127)
	m := math.Float32frombits(b&0x7fffff|0x3f800000) - 1.5
	// log2(1.5+m) for m in [-0.5, 0.5).
	p := 0.5849625 + m*(0.9617967+m*(-0.3205989+m*(0.1424884+m*(-0.0712442+m*0.0379969))))
	return (e + p) * math.Ln2
}

func (ix *Index) chance(stem uint32) float32 {
	n, inDict := 0, float32(0.5)
	if int(stem) < len(ix.df) {
		n = int(ix.df[stem])
	}
	if int(stem) < len(ix.dicts.counts) {
		inDict += float32(ix.dicts.counts[stem])
	}
	p := (float32(n) + 0.5 + priorTexts*inDict/float32(ix.dicts.total+1)) / (float32(ix.english) + priorTexts)
	return min(p, 1)
}
