// Package text links posts that carry the same words: copies, edited copies,
// excerpts, parts of threads, and texts that hold one another, in any script,
// also where letters were swapped for look-alikes, words misspelt or pieces put
// in another order. Each link comes with the places of the shared words in both
// raw texts.
//
// # Method
//
// A text is normalised (Normalise). Posts with the same words share one text,
// found by hash; no limit applies to copies. A new text stores its features
// (pairs of words, rare words; see features.go) as postings. A query
// sums the idf of shared features, and the best candidates are aligned with it
// word by word; score.go says how the alignment becomes a score. Answers depend
// on the order in which posts were added and on nothing else.
//
// # Files
//
// An index is a folder. texts.log holds every post, in the order of Add:
//
//	"RFTEXT1\n"
//	records, each at a multiple of 8 bytes, filled up with zeros:
//	    uint32   length of the payload
//	    uint32   CRC-32C of the payload
//	    payload  uvarint length of the key, key, text as it was given
//
// A record with an empty key is a sync mark: its text is a uint64, the size of
// the log up to which everything was durable when the mark was written.
//
// Numbers are little-endian. snapshot-N is what was in memory when the log had N
// bytes; it is derived, may be deleted, and is made anew when it is missing, was
// made by another version of the folding rules, or is damaged:
//
//	"RFSNAP1\n"
//	uint32   length of the header
//	header   JSON: see snapshotHeader
//	the arrays in the header's order, as they lie in memory
//	uint32   CRC-32C of all before
//
// The arrays are in the byte order of the machine that wrote them, which the
// header names; a machine of the other order makes its snapshot anew.
//
// lock is locked while the index is open.
package text

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"sync"

	"github.com/refrain-archive/refrain/internal/fsys"
)

// Options of an index. The zero value is usable.
type Options struct {
	// FS is the file system; nil is the machine's own.
	FS fsys.FS
	// Through is a Mark: what was added after it is cut off for good. 0 keeps
	// everything.
	Through int64
}

// ErrClosed is the error of a closed Index.
var ErrClosed = errors.New("the text index is closed")

// ErrTooLong is the error for a text of more than MaxBytes bytes.
var ErrTooLong = fmt.Errorf("the text has more than %d MiB: split it, or leave it out", MaxBytes>>20)

// An Index finds the posts that carry the same words. Its methods are safe for
// concurrent use and take turns.
type Index struct {
	fs   fsys.FS
	dir  string
	lock interface{ Close() error }

	mu     sync.Mutex
	log    *postLog
	failed error // of the log: nothing more is added after it
	closed bool
	saved  int64 // bytes of the log that the snapshot covers

	mem    memory
	words  vocabulary
	posts  postings
	tokens array[uint8]  // of each text: uvarint number of words, tags, the words' numbers
	textAt array[uint32] // text → tokens
	hashes array[uint32] // text → hash of its words
	last   array[uint32] // text → its last post
	exact  table         // hash of words → text
	postAt array[uint32] // post → log
	keys   array[uint32] // post → hash of its key
	next   array[uint32] // post → next post of the same text; of the last: the first
	byKey  table         // hash of key → first post with that key

	s searcher
}

// A Doc is one post to be indexed.
type Doc struct {
	Key  string // names the post for the caller; 1 to 1024 bytes
	Text string
}

// An Outcome says what Add did with a post.
type Outcome string

const (
	// New: the words of the post were in no earlier post.
	New Outcome = "new"
	// Duplicate: an earlier post has the same words in the same order.
	Duplicate Outcome = "copy"
	// Known: this key was added before with this text; nothing was done.
	Known Outcome = "known"
	// Empty: the text has no words (links, names and emoji are none). The post
	// is kept, and matches nothing.
	Empty Outcome = "empty"
)

// A Result is what Add found out about a post.
type Result struct {
	Outcome Outcome
	// Text is the number of the post's text: equal for copies. NoText for an
	// empty one.
	Text uint32
	// Matches are the earlier texts that score at least LinkThreshold, best
	// first. Those of a Duplicate were given when its text was New; it has one
	// Match, the Copy. A Known has none.
	Matches []Match
	// Words is how many words the text has, at most MaxWords; 0 for a Known.
	Words int
	// Truncated says that the text has more than MaxWords words, of which only
	// the first are compared.
	Truncated bool
}

// NoText is the number of the text of a post that has no words.
const NoText = 1<<32 - 1

// Open opens the index in a folder, and makes it if there is none. It fails with
// an error that is fsys.ErrLocked when another process has it open.
func Open(dir string, opts Options) (*Index, error) {
	ix := &Index{fs: opts.FS, dir: dir}
	if ix.fs == nil {
		ix.fs = fsys.OS
	}
	if err := ix.open(opts.Through); err != nil {
		return nil, fmt.Errorf("opening the text index %s: %w", dir, err)
	}
	return ix, nil
}

func (ix *Index) open(through int64) (err error) {
	if err := ix.fs.MkdirAll(ix.dir); err != nil {
		return err
	}
	lock, err := ix.fs.Lock(filepath.Join(ix.dir, "lock"), true)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			ix.mem.close()
			if ix.log != nil {
				ix.log.file.Close()
			}
			lock.Close()
		}
	}()
	defer caught(&err)
	ix.lock = lock
	if ix.log, err = openLog(ix.fs, filepath.Join(ix.dir, "texts.log"), ix.dir); err != nil {
		return err
	}
	if through > 0 {
		if err := ix.log.rewind(through); err != nil {
			return err
		}
	}
	if ix.saved, err = ix.load(); err != nil {
		return err
	}
	return ix.log.replay(max(ix.saved, int64(logHeader)), func(at uint32, key, text []byte) error {
		ix.s.normal.Normalise(string(text))
		ix.s.tags = tags(ix.s.normal.Words, string(text))
		ix.number(&ix.s)
		same, ok := ix.sameText(&ix.s)
		ix.insert(at, keyHash(string(key)), same, ok)
		return nil
	})
}

// reset makes the index empty in memory.
func (ix *Index) reset() {
	ix.mem.close()
	m := &ix.mem
	ix.words, ix.posts = vocabulary{}, postings{}
	ix.words.open(m)
	ix.posts.open(m)
	ix.tokens = array[uint8]{mem: m}
	for _, a := range []*array[uint32]{&ix.textAt, &ix.hashes, &ix.last, &ix.postAt, &ix.keys, &ix.next} {
		*a = array[uint32]{mem: m}
	}
	ix.exact, ix.byKey = table{mem: m}, table{mem: m}
}

// caught turns a failure to obtain memory into an error.
func caught(err *error) {
	if r := recover(); r != nil {
		o, ok := r.(outOfMemory)
		if !ok {
			panic(r)
		}
		*err = o
	}
}

func (ix *Index) distinctTexts() int { return ix.textAt.len() }

// usable must hold before any call that reads or changes the index.
func (ix *Index) usable() error {
	if ix.closed {
		return ErrClosed
	}
	if ix.failed != nil {
		return fmt.Errorf("the text index %s stopped after a failure; open it again: %w", ix.dir, ix.failed)
	}
	return nil
}

// Add looks for earlier posts that carry the words of a post, and adds it. The
// post is durable after the next Sync. A key may come again with another text:
// both stay. An error leaves the index as it was, except for one of the disk,
// after which it must be opened again.
func (ix *Index) Add(ctx context.Context, d Doc) (r Result, err error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	switch {
	case d.Key == "" || len(d.Key) > maxKey:
		return Result{}, fmt.Errorf("adding a text: its key has %d bytes, and must have 1 to %d", len(d.Key), maxKey)
	case len(d.Text) > MaxBytes:
		return Result{}, fmt.Errorf("adding the text of %s: %w", d.Key, ErrTooLong)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(); err != nil {
		return Result{}, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("adding the text of %s: %w", d.Key, err)
			ix.failed = err
		}
	}()
	defer caught(&err)
	kh := keyHash(d.Key)
	if known, err := ix.known(kh, d); err != nil || known {
		return Result{Outcome: Known, Text: NoText}, err
	}
	s := &ix.s
	s.normal.Normalise(d.Text)
	s.tags = tags(s.normal.Words, d.Text)
	r = Result{Outcome: New, Text: NoText, Words: len(s.normal.Words), Truncated: s.normal.Truncated}
	ix.number(s)
	same, ok := ix.sameText(s)
	if len(s.normal.Words) == 0 {
		r.Outcome = Empty
	} else {
		if ok {
			m, err := ix.copyOf(s, same)
			if err != nil {
				return Result{}, err
			}
			r.Outcome, r.Text, r.Matches = Duplicate, same, []Match{m}
		} else {
			read := ix.respell(s, d.Text, 0)
			ix.candidates(s)
			r.Matches = ix.compare(s, LinkThreshold)
			if err := ix.explain(s, r.Matches, d.Text); err != nil {
				return Result{}, err
			}
			if read {
				ix.unspell(s)
			}
		}
	}
	at, err := ix.log.append(d.Key, d.Text)
	if err != nil {
		return Result{}, err
	}
	if t := ix.insert(at, kh, same, ok); r.Outcome == New {
		r.Text = t
	}
	return r, nil
}

// Query gives the texts that carry the words of a text and score at least
// PossibleThreshold, best first: first the copy, if there is one. The index does
// not change.
func (ix *Index) Query(text string) (matches []Match, err error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("looking for a text: %w", ErrTooLong)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(); err != nil {
		return nil, err
	}
	defer caught(&err)
	s := &ix.s
	s.normal.Normalise(text)
	s.tags = tags(s.normal.Words, text)
	if len(s.normal.Words) == 0 {
		return nil, nil
	}
	ix.number(s)
	same, ok := ix.sameText(s)
	if ok {
		m, err := ix.copyOf(s, same)
		if err != nil {
			return nil, err
		}
		matches = append(matches, m)
	}
	ix.respell(s, text, 0)
	ix.candidates(s)
	rest := ix.compare(s, PossibleThreshold)
	if err := ix.explain(s, rest, text); err != nil {
		return nil, err
	}
	for _, m := range rest {
		if !ok || m.Text != same {
			matches = append(matches, m)
		}
	}
	return matches, nil
}

// Copies gives the keys of all posts with a text, in the order of Add. An
// unknown number has none.
func (ix *Index) Copies(text uint32) ([]string, error) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(); err != nil {
		return nil, err
	}
	if int64(text) >= int64(ix.last.len()) {
		return nil, nil
	}
	var keys []string
	last := ix.last.at(text)
	for p := ix.next.at(last); ; p = ix.next.at(p) {
		key, _, err := ix.log.record(ix.postAt.at(p))
		if err != nil {
			return nil, err
		}
		keys = append(keys, string(key))
		if p == last {
			return keys, nil
		}
	}
}

// Size gives the number of posts and of distinct texts.
func (ix *Index) Size() (posts, texts int) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.postAt.len(), ix.distinctTexts()
}

// Sync returns when all posts added so far survive the end of the process and a
// power cut. What is added and not synced may be lost then, and nothing else.
func (ix *Index) Sync() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(); err != nil {
		return err
	}
	return ix.sync()
}

func (ix *Index) sync() error {
	if err := ix.log.sync(); err != nil {
		ix.failed = err
		return err
	}
	// A snapshot when the log has grown by half since the last: over the life of
	// an index, each byte is written some three times.
	if grown := ix.log.end() - ix.saved; grown > snapshotEvery && grown > ix.saved/2 {
		return ix.save()
	}
	return nil
}

// snapshotEvery is how much log is replayed at most without a thought of a
// snapshot, in bytes: about a second of work.
const snapshotEvery = 8 << 20

// Close syncs, writes a snapshot and frees all memory. Later calls fail with
// ErrClosed.
func (ix *Index) Close() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if ix.closed {
		return ErrClosed
	}
	var err error
	if ix.failed == nil {
		if err = ix.sync(); err == nil && ix.log.end() > ix.saved && ix.log.end() > int64(logHeader) {
			err = ix.save()
		}
	}
	ix.closed = true
	ix.mem.close()
	err = errors.Join(err, ix.log.file.Close(), ix.lock.Close())
	ix.words, ix.posts, ix.s = vocabulary{}, postings{}, searcher{}
	if err != nil {
		return fmt.Errorf("closing the text index %s: %w", ix.dir, err)
	}
	return nil
}

func keyHash(key string) uint32 {
	h := uint64(fnvOffset)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * fnvPrime
	}
	return uint32(mix(h))
}

// known tells whether a post was added before with this text.
func (ix *Index) known(kh uint32, d Doc) (bool, error) {
	var failed error
	_, ok := ix.byKey.find(kh, func(p uint32) bool {
		if failed != nil || ix.keys.at(p) != kh {
			return false
		}
		key, text, err := ix.log.record(ix.postAt.at(p))
		failed = err
		return err == nil && string(key) == d.Key && string(text) == d.Text
	})
	return ok, failed
}

// wordsHash is the hash of the words of a text in their order.
func wordsHash(words []Word) uint32 {
	h := uint64(fnvOffset)
	for _, w := range words {
		h = mix(h ^ uint64(w.hash)<<17)
	}
	return uint32(h)
}

// sameText finds the text with the same words as the normalised one.
func (ix *Index) sameText(s *searcher) (uint32, bool) {
	if len(s.ids) == 0 {
		return 0, false
	}
	h := wordsHash(s.normal.Words)
	return ix.exact.find(h, func(t uint32) bool {
		if ix.hashes.at(t) != h {
			return false
		}
		s.other, _ = ix.wordsOf(t, s.other[:0])
		if len(s.other) != len(s.ids) {
			return false
		}
		for i, id := range s.other {
			if id != s.ids[i] {
				return false
			}
		}
		return true
	})
}

// wordsOf appends the numbers of the words of a text, and gives its tags.
func (ix *Index) wordsOf(t uint32, list []uint32) ([]uint32, uint8) {
	at := int(ix.textAt.at(t)) * tokenAlign
	b := ix.tokens.chunks[at/chunkBytes][at%chunkBytes:]
	n, k := uvarint(b, 0)
	tags := b[k]
	k++
	for range n {
		id := uint32(b[k])
		if k++; id >= 0x80 {
			id, k = uvarint(b, k-1)
		}
		list = append(list, id)
	}
	return list, tags
}

// tokenAlign is the unit in which textAt counts.
const tokenAlign = 4

// insert adds the normalised and numbered text of a post that lies in the log;
// same is the text with the same words, if there is one.
func (ix *Index) insert(at, kh, same uint32, copied bool) uint32 {
	post := uint32(ix.postAt.len())
	ix.postAt.push(at)
	ix.keys.push(kh)
	ix.byKey.insert(kh, post, func(p uint32) uint32 { return ix.keys.at(p) })
	s := &ix.s
	if len(s.normal.Words) == 0 {
		ix.next.push(post)
		return NoText
	}
	if copied {
		last := ix.last.ref(same)
		ix.next.push(ix.next.at(*last))
		*ix.next.ref(*last) = post
		*last = post
		return same
	}
	ix.next.push(post)
	return ix.insertText(s, post)
}

func (ix *Index) insertText(s *searcher, post uint32) uint32 {
	t := uint32(ix.textAt.len())
	words := s.normal.Words
	for i := range words {
		if s.ids[i] < unknown {
			continue
		}
		w := &words[i]
		word := s.normal.folded[w.at : w.at+uint32(w.len)]
		id, ok := ix.words.find(w.hash, word) // it may have come earlier in this text
		if !ok {
			id = ix.words.add(w.hash, word)
		}
		s.ids[i] = id
	}
	// Features are chosen by the counts before this text.
	f := pairs(words, s.features[:0])
	if len(f) > denseFeatures {
		f = sample(f)
	}
	f = ix.rarest(s, f)
	s.features = distinct(f)
	for _, f := range s.features {
		ix.posts.add(f, t)
	}

	size := binary.MaxVarintLen32*(len(words)+1) + 1
	b := resize(s.packed, size+tokenAlign)[:0]
	b = binary.AppendUvarint(b, uint64(len(words)))
	b = append(b, s.tags)
	for _, id := range s.ids {
		b = binary.AppendUvarint(b, uint64(id))
	}
	s.packed = b
	for len(b)%tokenAlign != 0 {
		b = append(b, 0)
	}
	at := ix.tokens.room(len(b))
	copy(ix.tokens.span(at, len(b)), b)
	ix.textAt.push(uint32(at / tokenAlign))

	h := wordsHash(words)
	ix.hashes.push(h)
	ix.last.push(post)
	ix.exact.insert(h, t, func(t uint32) uint32 { return ix.hashes.at(t) })

	s.other = append(s.other[:0], s.ids...)
	for _, id := range distinct(s.other) {
		*ix.words.texts.ref(id)++
	}
	return t
}

// rarest appends the features of the rarest words of the text in s.
func (ix *Index) rarest(s *searcher, f []uint32) []uint32 {
	words := s.normal.Words
	want := min(rareWords+len(words)/rareEvery, rareMost)
	type rare struct{ df, hash uint32 }
	var best [rareMost]rare
	n := 0
	for i, w := range words {
		if w.Single {
			continue
		}
		r := rare{ix.words.texts.at(s.ids[i]), w.hash}
		if r.df > rareTexts || n == want && r.df >= best[n-1].df {
			continue
		}
		k, twice := n, false
		for j := range n {
			twice = twice || best[j].hash == r.hash
		}
		if twice {
			continue
		}
		if n < want {
			n++
		} else {
			k = n - 1
		}
		for k > 0 && best[k-1].df > r.df {
			best[k] = best[k-1]
			k--
		}
		best[k] = r
	}
	for _, r := range best[:n] {
		f = append(f, rareFeature(r.hash))
	}
	return f
}

// copyOf is the match of a text with its copy.
func (ix *Index) copyOf(s *searcher, t uint32) (Match, error) {
	m := Match{Text: t, Kind: Copy, Score: 1, Words: len(s.ids), QueryWords: len(s.ids), TextWords: len(s.ids), Truncated: s.normal.Truncated}
	for _, w := range s.weights {
		m.Evidence += float64(w) * 4
	}
	key, text, err := ix.log.record(ix.postAt.at(ix.next.at(ix.last.at(t))))
	if err != nil {
		return Match{}, err
	}
	m.Key = string(key)
	s.second.Normalise(string(text))
	if a, b := s.normal.Words, s.second.Words; len(a) == len(b) && len(a) > 0 {
		m.Spans = []Span{{
			Query: Range{a[0].From, a[len(a)-1].To},
			Text:  Range{b[0].From, b[len(b)-1].To},
			Words: len(a),
		}}
	}
	return m, nil
}

// explain gives the matches their keys and spans.
func (ix *Index) explain(s *searcher, matches []Match, raw string) error {
	for i := range matches {
		m := &matches[i]
		key, text, err := ix.log.record(ix.postAt.at(ix.next.at(ix.last.at(m.Text))))
		if err != nil {
			return err
		}
		m.Key = string(key)
		s.second.Normalise(string(text))
		if len(s.second.Words) != m.TextWords {
			return fmt.Errorf("the text of %s has %d words in the log and %d in the index: delete the snapshot in %s", m.Key, len(s.second.Words), m.TextWords, ix.dir)
		}
		m.Spans = spans(s.kept[m.from:m.to], s.normal.Words, s.second.Words)
		if m.Kind == Excerpt && partMark(raw) {
			m.Kind = ThreadPart
		}
	}
	return nil
}

// version names all that a snapshot depends on.
func version() string {
	return fmt.Sprintf("%s; %d", foldingVersion, crc32.ChecksumIEEE([]byte(moreLookalikes+lookalikes+simplified)))
}
