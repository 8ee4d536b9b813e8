package text

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/internal/fsys/fsystest"
)

func open(t *testing.T, dir string) *Index {
	t.Helper()
	ix, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ix.Close() })
	return ix
}

// invented gives a text of n made-up words.
func invented(random *rand.Rand, n int) string {
	syllables := []string{"ba", "ko", "lin", "mer", "tos", "ra", "vi", "den", "pu", "sha", "gor", "ne"}
	var words []string
	for range n {
		w := ""
		for range 2 + random.IntN(3) {
			w += syllables[random.IntN(len(syllables))]
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func add(t *testing.T, ix *Index, key, text string) Result {
	t.Helper()
	r, err := ix.Add(context.Background(), Doc{key, text})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAddOutcomes(t *testing.T) {
	ix := open(t, t.TempDir())
	const s = "the quick harbour master counts seven boats before breakfast"
	first := add(t, ix, "a", s)
	if first.Outcome != New || len(first.Matches) != 0 {
		t.Errorf("first: %+v", first)
	}
	if r := add(t, ix, "b", strings.ToUpper(s)+"!"); r.Outcome != Duplicate || r.Text != first.Text || len(r.Matches) != 1 || r.Matches[0].Key != "a" || r.Matches[0].Kind != Copy {
		t.Errorf("copy: %+v", r)
	}
	if r := add(t, ix, "a", s); r.Outcome != Known {
		t.Errorf("the same again: %+v", r)
	}
	if r := add(t, ix, "c", "🔥 https://example.org/ @you"); r.Outcome != Empty || r.Text != NoText {
		t.Errorf("no words: %+v", r)
	}
	if r := add(t, ix, "a", s+" every day of the long week"); r.Outcome != New || len(r.Matches) != 1 || r.Matches[0].Kind != Contains && r.Matches[0].Kind != EditedCopy {
		t.Errorf("the same key with another text: %+v", r)
	}
	if keys, err := ix.Copies(first.Text); err != nil || !reflect.DeepEqual(keys, []string{"a", "b"}) {
		t.Errorf("copies: %v, %v", keys, err)
	}
	if keys, err := ix.Copies(77); err != nil || keys != nil {
		t.Errorf("copies of no text: %v, %v", keys, err)
	}
	for _, d := range []Doc{{"", "x"}, {strings.Repeat("k", maxKey+1), "x"}} {
		if _, err := ix.Add(context.Background(), d); err == nil {
			t.Errorf("a key of %d bytes was taken", len(d.Key))
		}
	}
	if _, err := ix.Add(context.Background(), Doc{"long", strings.Repeat("x", MaxBytes+1)}); !errors.Is(err, ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ix.Add(canceled, Doc{"d", "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if posts, texts := ix.Size(); posts != 4 || texts != 2 {
		t.Errorf("%d posts, %d texts", posts, texts)
	}
}

// Of the most copied text no post is left out, and edits of it are found although
// all its features are far more frequent than what postings keep.
func TestNoCapOnCopies(t *testing.T) {
	ix := open(t, t.TempDir())
	const s = "they will never tell you what the lake commission signed in march"
	first := add(t, ix, "0", s)
	for i := 1; i < 3000; i++ {
		add(t, ix, fmt.Sprint(i), s)
	}
	for i := range maxPostings + 100 {
		if r := add(t, ix, fmt.Sprint("edit", i), s+fmt.Sprintf(" variant%d", i)); len(r.Matches) == 0 || r.Matches[0].Score < LinkThreshold {
			t.Fatalf("edit %d is not linked: %+v", i, r)
		}
	}
	if keys, _ := ix.Copies(first.Text); len(keys) != 3000 || keys[2999] != "2999" {
		t.Errorf("%d copies", len(keys))
	}
	m, err := ix.Query("look: " + s + " at all")
	if err != nil || len(m) == 0 {
		t.Fatalf("%v, %v", m, err)
	}
}

func fillIndex(t *testing.T, ix *Index, n int) []string {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 7))
	var texts []string
	for i := range n {
		s := invented(random, 4+random.IntN(30))
		if i > 10 && random.IntN(4) == 0 { // a piece of an earlier one, with more
			words := strings.Fields(texts[random.IntN(len(texts))])
			s = strings.Join(words[:len(words)*3/4], " ") + " " + invented(random, 3)
		}
		texts = append(texts, s)
		add(t, ix, fmt.Sprint("k", i), s)
	}
	return texts
}

func answers(t *testing.T, ix *Index, texts []string) (all [][]Match) {
	t.Helper()
	for _, s := range texts {
		words := strings.Fields(s)
		m, err := ix.Query(strings.Join(words[len(words)/4:], " "))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	ix := open(t, dir)
	texts := fillIndex(t, ix, 3000)
	want := answers(t, ix, texts[:300])
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ix.Query("x"); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	same := func(name string) *Index {
		t.Helper()
		ix := open(t, dir)
		if got := answers(t, ix, texts[:300]); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other answers than before", name)
		}
		return ix
	}
	ix = same("from the snapshot")
	if ix.saved != ix.log.end() {
		t.Errorf("the snapshot was not used: %d of %d bytes", ix.saved, ix.log.end())
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, fsys.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	ix.Close()
	snapshots, _ := filepath.Glob(filepath.Join(dir, "snapshot-*"))
	if len(snapshots) != 1 {
		t.Fatalf("snapshots: %v", snapshots)
	}
	data, err := os.ReadFile(snapshots[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []struct {
		name string
		data []byte
	}{
		{"none", nil}, {"empty", []byte{}}, {"cut", data[:len(data)/2]}, {"header only", data[:12]},
		{"a bit", func() []byte { d := append([]byte(nil), data...); d[len(d)*2/3] ^= 1; return d }()},
	} {
		os.Remove(snapshots[0])
		if damage.data != nil {
			if err := os.WriteFile(snapshots[0], damage.data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		same("snapshot damaged: " + damage.name).Close()
	}
}

// The same posts give the same answers whether they were added in one life of the
// index or in several.
func TestSeveralLives(t *testing.T) {
	dir := t.TempDir()
	ix := open(t, dir)
	texts := fillIndex(t, ix, 1500)
	want := answers(t, ix, texts)
	ix.Close()

	dir = t.TempDir()
	for i, s := range texts {
		if i%400 == 0 {
			if i > 0 {
				ix.Close()
			}
			ix = open(t, dir)
		}
		add(t, ix, fmt.Sprint("k", i), s)
	}
	if got := answers(t, ix, texts); !reflect.DeepEqual(got, want) {
		t.Error("other answers after several lives")
	}
}

// What Sync reported is there after a power cut at any operation, and nothing
// half.
func TestPowerCut(t *testing.T) {
	for cut := 5; cut < 120; cut += 6 {
		disk := fsystest.New(uint64(cut))
		disk.CutAfter(cut)
		random := rand.New(rand.NewPCG(1, 1))
		synced, n := 0, 0
		var texts []string
		if ix, err := Open("/index", Options{FS: disk}); err == nil {
			for {
				s := invented(random, 12)
				if _, err := ix.Add(context.Background(), Doc{fmt.Sprint(n), s}); err != nil {
					break
				}
				texts = append(texts, s)
				n++
				if n%5 == 0 {
					if ix.Sync() != nil {
						break
					}
					synced = n
				}
				if n%20 == 0 {
					if ix.Close() != nil {
						break
					}
					if ix, err = Open("/index", Options{FS: disk}); err != nil {
						break
					}
				}
			}
			ix.Close()
		}
		ix, err := Open("/index", Options{FS: disk.Restart()})
		if err != nil {
			t.Fatalf("cut after %d operations: %v", cut, err)
		}
		posts, _ := ix.Size()
		if posts < synced || posts > n+1 {
			t.Errorf("cut after %d operations: %d posts, %d were synced, %d added", cut, posts, synced, n)
		}
		for i := range synced {
			if m, err := ix.Query(texts[i]); err != nil || len(m) == 0 || m[0].Key != fmt.Sprint(i) {
				t.Errorf("cut after %d operations: post %d: %v, %v", cut, i, m, err)
			}
		}
		ix.Close()
	}
}

func TestDamagedLog(t *testing.T) {
	dir := t.TempDir()
	ix := open(t, dir)
	fillIndex(t, ix, 40)
	if err := ix.Sync(); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		add(t, ix, fmt.Sprint("later", i), invented(rand.New(rand.NewPCG(9, uint64(i))), 12))
	}
	ix.Close()
	name := filepath.Join(dir, "texts.log")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	reopen := func(data []byte) (int, error) {
		for _, s := range []string{"snapshot-*"} {
			list, _ := filepath.Glob(filepath.Join(dir, s))
			for _, n := range list {
				os.Remove(n)
			}
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		ix, err := Open(dir, Options{})
		if err != nil {
			return 0, err
		}
		n, _ := ix.Size()
		return n, ix.Close()
	}
	for cut := len(data); cut > len(data)-400; cut -= 7 {
		if n, err := reopen(data[:cut]); err != nil || n > 50 || n < 40 {
			t.Errorf("cut at %d of %d: %d posts, %v", cut, len(data), n, err)
		}
	}
	broken := append([]byte(nil), data...)
	broken[len(data)/2] ^= 0x40
	if _, err := reopen(broken); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("damage in the middle: %v", err)
	}
	if _, err := reopen([]byte("something else entirely")); err == nil {
		t.Error("another file was taken for a log")
	}
}

func TestHostileTexts(t *testing.T) {
	ix := open(t, t.TempDir())
	fillIndex(t, ix, 200)
	random := rand.New(rand.NewPCG(3, 3))
	long := invented(random, 40000)
	for name, s := range map[string]string{
		"10 MB of words":       strings.Repeat(long+" ", 10<<20/len(long)),
		"one word often":       strings.Repeat("word ", 1_000_000),
		"two words often":      strings.Repeat("tick tock ", 500_000),
		"all zero width":       strings.Repeat("\u200b\u200d", 1_000_000),
		"one long word":        strings.Repeat("x", 5_000_000),
		"right to left mixed":  strings.Repeat("\u202eabc\u202c שלום \u2067عالم\u2069 x ", 50_000),
		"invalid UTF-8":        strings.Repeat("\xff\xc3\xe2\x82 a\x80", 200_000),
		"one character":        strings.Repeat("中", 1_000_000),
		"marks on one letter":  "a" + strings.Repeat("\u0301", 1_000_000),
		"NUL":                  strings.Repeat("\x00a", 100_000),
		"ligature of 18 words": strings.Repeat("ﷺ", 100_000),
	} {
		start := time.Now()
		r := add(t, ix, name, s)
		again, err := ix.Query(s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		switch r.Outcome {
		case Empty:
			if len(again) != 0 {
				t.Errorf("%s: empty, and found", name)
			}
		default:
			if len(again) == 0 || again[0].Kind != Copy || again[0].Text != r.Text {
				t.Errorf("%s: %s, and not found again", name, r.Outcome)
			}
		}
		// Bounds are far from what is usual, so that a busy machine passes.
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s took %v", name, d)
		}
	}
}

func TestPostings(t *testing.T) {
	var m memory
	defer m.close()
	var p postings
	p.open(&m)
	want := map[uint32][]uint32{}
	random := rand.New(rand.NewPCG(5, 5))
	var frequent []uint32
	for range 20 {
		frequent = append(frequent, random.Uint32())
	}
	frequent = append(frequent, 0, 1, 1<<32-1, 1<<31, frequent[0]+1)
	for text := range uint32(10000) {
		var f []uint32
		for range 8 {
			f = append(f, random.Uint32())
		}
		f = append(f, frequent[random.IntN(len(frequent))], random.Uint32N(3000)*2654435761)
		for _, f := range distinct(f) {
			p.add(f, text)
			if len(want[f]) < maxPostings {
				want[f] = append(want[f], text)
			}
		}
	}
	for f, texts := range want {
		if got := p.texts(f, nil); !reflect.DeepEqual(got, texts) {
			t.Fatalf("feature %#x: %d texts, want %d", f, len(got), len(texts))
		}
	}
	for range 1000 {
		f := random.Uint32()
		if _, ok := want[f]; !ok && len(p.texts(f, nil)) > 0 {
			t.Fatalf("feature %#x was never added", f)
		}
	}
	if len(p.dir) > 2*sparse*p.count() {
		t.Errorf("directory of %d for %d cells", len(p.dir), p.count())
	}
}

func TestNearWords(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"bridge", "brigde", true}, {"bridge", "bridg", true}, {"bridge", "bridge", true}, {"bridge", "fridge", true},
		{"engineers", "enginers", true}, {"engineering", "enginerin", true}, {"engineers", "pioneers", false},
		{"cat", "cut", false}, {"four", "for", true}, {"2017", "2018", false}, {"жители", "жителии", true}, {"word", "wordsmith", false},
	} {
		if got := nearWords([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
		if got := nearWords([]byte(c.b), []byte(c.a)); got != c.want {
			t.Errorf("%s and %s: %v", c.b, c.a, got)
		}
	}
}

func meetAll(al *aligner, a, b []uint32) {
	al.points, al.dense = al.points[:0], false
	var own ownSet
	own.fill(a)
	for j, id := range b {
		if i, ok := own.find(id); ok {
			al.meet(i, j, own.again)
		}
	}
}

// TestChain: the alignment by points is worth what that of the whole grid is.
func TestChain(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	worth := func(pairs []pair) (sum int) {
		for k, p := range pairs {
			sum += matchScore
			if k > 0 {
				sum += missScore * int(max(pairs[k-1].i-p.i, pairs[k-1].j-p.j)-1)
			}
		}
		return sum
	}
	var al aligner
	several := 0
	for range 3000 {
		some := func() []uint32 {
			list := make([]uint32, 1+random.IntN(25))
			for i := range list {
				list[i] = random.Uint32N(12)
			}
			return list
		}
		a, b := some(), some()
		al.prepare(a)
		al.usedB = resize(al.usedB, len(b))
		for i := range al.usedA {
			al.usedA[i] = random.IntN(8) == 0
		}
		for j := range al.usedB {
			al.usedB[j] = random.IntN(8) == 0
		}
		meetAll(&al, a, b)
		if al.dense {
			continue
		}
		grid := worth(al.band(a, b, 0, len(a), -len(a)+1, len(b)-1))
		chain := al.chain()
		if worth(chain) != grid {
			t.Fatalf("%v and %v: %v is worth %d, the grid's %d", a, b, chain, worth(chain), grid)
		}
		if len(chain) > 1 {
			several++
		}
	}
	if several < 1000 {
		t.Errorf("only %d alignments of more than one word", several)
	}
}

func FuzzAlign(f *testing.F) {
	f.Add([]byte("abcdefgh"), []byte("xxabcdyyefgh"), 1)
	f.Add([]byte("aaaaaaaa"), []byte("aaaa"), 20)
	f.Add([]byte{}, []byte("a"), 1)
	f.Fuzz(func(t *testing.T, x, y []byte, times int) {
		if times < 1 || times > 40 || len(x)*times > 4000 || len(y)*times > 4000 {
			return
		}
		number := func(b []byte) (list []uint32) {
			for range times {
				for _, c := range b {
					list = append(list, uint32(c))
				}
			}
			return list
		}
		a, b := number(x), number(y)
		al := aligner{near: func(i, j int) bool { return a[i]^b[j] == 1 }}
		al.prepare(a)
		meetAll(&al, a, b)
		pairs, pieces := al.align(a, b, min(len(a), len(b)), nil)
		usedA, usedB, at := map[int32]bool{}, map[int32]bool{}, 0
		for _, n := range pieces {
			for k, p := range pairs[at : at+n] {
				if usedA[p.i] || usedB[p.j] {
					t.Fatalf("word %d or %d is in two pairs", p.i, p.j)
				}
				usedA[p.i], usedB[p.j] = true, true
				if p.near != (a[p.i] != b[p.j]) {
					t.Fatalf("pair %v of words %d and %d", p, a[p.i], b[p.j])
				}
				if k > 0 && (p.i <= pairs[at+k-1].i || p.j <= pairs[at+k-1].j) {
					t.Fatalf("piece does not ascend: %v", pairs[at:at+n])
				}
			}
			at += n
		}
		if at != len(pairs) {
			t.Fatalf("pieces have %d of %d pairs", at, len(pairs))
		}
	})
}

func TestTags(t *testing.T) {
	for s, want := range map[string]uint8{
		"no tags here":                     0,
		"#one two three":                   0x10,
		"#a #b two three #c":               0x21,
		"＃话题 内容 here":                      0x20,
		"two #three four":                  0,
		"#only #tags":                      0x20,
		"https://t.co/x #tag text #中文 ":    0x12,
		"":                                 0,
		"🔥#tag and more words # not a tag": 0x10,
	} {
		if got := tags(Normalise(s).Words, s); got != want {
			t.Errorf("%q: %#x, want %#x", s, got, want)
		}
	}
}

// A headline that many accounts post, each with tags of its own, is one message
// however many there are.
func TestMessageWithTags(t *testing.T) {
	ix := open(t, t.TempDir())
	fillIndex(t, ix, 300)
	const headline = "Ferry company denies that the harbour pilot was asleep"
	for i := range 40 {
		r := add(t, ix, fmt.Sprint("tagged", i), fmt.Sprintf("#tag%c%c %s #own%c", 'a'+i%26, 'a'+i/26, headline, 'a'+i%26))
		if i > 0 && (len(r.Matches) == 0 || r.Matches[0].Score < 0.9 || r.Matches[0].Kind != EditedCopy) {
			t.Fatalf("post %d: %+v", i, r.Matches)
		}
	}
	if r := add(t, ix, "other", "#tagaa Ferry company opens #ownb"); len(r.Matches) > 0 {
		t.Errorf("another headline with the same tags: %+v", r.Matches[0])
	}
}
