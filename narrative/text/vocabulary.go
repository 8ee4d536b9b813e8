package text

import (
	"math"
	"math/bits"
)

// A vocabulary numbers the words of all texts in the order in which they first
// came, so that frequent words have small numbers, and counts the texts that
// hold each.
type vocabulary struct {
	table  table
	hash   array[uint32]
	texts  array[uint32] // how many distinct texts hold the word
	at     array[uint32] // of the folded bytes: length byte, then the word
	folded array[uint8]
}

// unknown is the first of the numbers that stand for words of a query that no
// text holds.
const unknown = 1 << 31

func (v *vocabulary) open(m *memory) {
	v.table.mem, v.hash.mem, v.texts.mem, v.at.mem, v.folded.mem = m, m, m, m, m
}

func (v *vocabulary) word(id uint32) []byte {
	at := int(v.at.at(id))
	n := int(v.folded.at(uint32(at)))
	return v.folded.span(at, n+1)[1:]
}

func (v *vocabulary) find(hash uint32, word []byte) (uint32, bool) {
	return v.table.find(hash, func(id uint32) bool {
		return v.hash.at(id) == hash && string(v.word(id)) == string(word)
	})
}

func (v *vocabulary) add(hash uint32, word []byte) uint32 {
	id := uint32(v.hash.len())
	at := v.folded.room(len(word) + 1)
	b := v.folded.span(at, len(word)+1)
	b[0] = byte(len(word))
	copy(b[1:], word)
	v.at.push(uint32(at))
	v.hash.push(hash)
	v.texts.push(0)
	v.table.insert(hash, id, func(id uint32) uint32 { return v.hash.at(id) })
	return id
}

// Weights of words. The scale is that of narrative scores: one unit is 4 nats.
const (
	minWeight = 0.2
	maxWeight = 2.0

	// priorTexts is added to the number of texts: in an empty index a word that
	// was never seen is not yet rare. It is about the size at which the
	// frequencies of everyday words settle.
	priorTexts = 20000
)

// weight gives the weight of a word that df of n texts hold; logN is the
// logarithm of n + priorTexts.
func weight(df int, logN float32) float32 {
	w := (logN - logOf(df+1)) / 4
	return min(max(w, minWeight), maxWeight)
}

// logTable holds natural logarithms of the small numbers that idf asks for.
var logTable = func() (t [4096]float32) {
	for i := range t {
		t[i] = float32(math.Log(float64(i)))
	}
	return
}()

func logOf(n int) float32 {
	if n < len(logTable) {
		return logTable[n]
	}
	k := bits.Len(uint(n)) - 12
	return logTable[n>>k] + float32(k)*math.Ln2 // less than 0.0003 below
}
