package image

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// slowSearch compares the written forms digit by digit.
func slowSearch(hashes []Hash, q Hash, maxDistance int) (hits []Hit) {
	const digits = "0123456789abcdef"
	a := q.String()
	for i, h := range hashes {
		d := 0
		for j, c := range h.String() {
			for x := strings.IndexRune(digits, c) ^ strings.IndexByte(digits, a[j]); x > 0; x >>= 1 {
				d += x & 1
			}
		}
		if d <= maxDistance {
			hits = append(hits, Hit{i, d})
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(a.Distance, b.Distance) })
	return hits
}

func randomHash(r *rand.Rand) Hash {
	return Hash{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()}
}

func flip(r *rand.Rand, h Hash, n int) Hash {
	for _, b := range r.Perm(256)[:n] {
		h[b>>6] ^= 1 << (b & 63)
	}
	return h
}

// Scan, tables and tables with a tail that is scanned give what a slow search gives,
// whatever the distance, for hashes planted at all distances to 70.
func TestSearchAgrees(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		var hashes []Hash
		q := randomHash(r)
		for range 300 {
			hashes = append(hashes, randomHash(r))
			hashes = append(hashes, flip(r, q, r.IntN(71)))
		}
		var set Set
		for i, h := range hashes {
			if got := set.Add(h); got != i {
				t.Fatalf("Add gave %d, want %d", got, i)
			}
		}
		tabled := Set{hashes: hashes, tables: newTables(hashes)}
		tailed := Set{hashes: hashes, tables: newTables(hashes[:400])}
		all := slowSearch(hashes, q, 72)
		for d := -1; d <= 72; d++ {
			var want []Hit
			for _, hit := range all {
				if hit.Distance <= d {
					want = append(want, hit)
				}
			}
			for name, s := range map[string]*Set{"scan": &set, "tables": &tabled, "tail": &tailed} {
				if got := s.Search(q, d); !slices.Equal(got, want) {
					t.Fatalf("seed %d, %s at distance %d: %v, want %v", seed, name, d, got, want)
				}
			}
		}
	}
}

// Past a million a Set builds its tables by itself, and its answers stay the same.
func TestSearchBeyondMillion(t *testing.T) {
	s, q := benchmarkSet(scanMax)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 200 {
		s.hashes[i*5000] = flip(r, q, i%64)
	}
	if s.tables != nil {
		t.Fatal("tables before they are needed")
	}
	for i := range 50 {
		s.Add(flip(r, q, i))
	}
	if s.tables == nil || s.tables.n != scanMax+1 {
		t.Fatal("no tables, or built more than once")
	}
	for _, d := range []int{0, 31, 63} {
		got := s.Search(q, d)
		want := (&Set{hashes: s.hashes}).Search(q, d)
		if len(want) < 4 || !slices.Equal(got, want) {
			t.Errorf("at distance %d: %d hits, want %d", d, len(got), len(want))
		}
	}
}

func TestHashText(t *testing.T) {
	const text = "f162eb9daab170c0567fe3632d9a5548c5612982dd5e374a7424ebbc8a835c95"
	h, err := ParseHash(text)
	if err != nil || h.String() != text {
		t.Fatalf("%v, %v", h, err)
	}
	if h[0] != 0xf162eb9daab170c0 || h.slot(0) != 0x5c95 || h.slot(15) != 0xf162 {
		t.Errorf("%x, slots %x, %x", h, h.slot(0), h.slot(15))
	}
	var bit Hash
	bit.set(255)
	bit.set(0)
	if bit != (Hash{1 << 63, 0, 0, 1}) {
		t.Errorf("bits 255 and 0 give %v", bit)
	}
	for _, bad := range []string{"", text[1:], text + "0", "g" + text[1:]} {
		if err := h.UnmarshalText([]byte(bad)); err == nil || h.String() != text {
			t.Errorf("%q: error %v, hash %v", bad, err, h)
		}
	}
}

func benchmarkSet(n int) (*Set, Hash) {
	r := rand.New(rand.NewPCG(1, 2))
	s := &Set{hashes: make([]Hash, n)}
	for i := range s.hashes {
		s.hashes[i] = randomHash(r)
	}
	return s, randomHash(r)
}

func BenchmarkScanMillion(b *testing.B) {
	s, q := benchmarkSet(1_000_000)
	for b.Loop() {
		s.Search(q, MatchDistance)
	}
}

// Tables against the scan at the distances where the probes of a slot grow.
func BenchmarkFourMillion(b *testing.B) {
	tabled, q := benchmarkSet(4_000_000)
	tabled.tables = newTables(tabled.hashes)
	plain := &Set{hashes: tabled.hashes}
	for _, d := range []int{MatchDistance, 47, 63} {
		for name, s := range map[string]*Set{"tables": tabled, "scan": plain} {
			b.Run(fmt.Sprintf("%s/%d", name, d), func(b *testing.B) {
				for b.Loop() {
					s.Search(q, d)
				}
			})
		}
	}
}

// What an index asks of its tables: all of what is near, most of what is not.
func TestNear(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	s := Set{least: 1 << 10}
	const each = 60
	var queries []Hash
	for range each {
		q := randomHash(r)
		queries = append(queries, q)
		for d := range SearchDistance + 1 {
			s.Add(flip(r, q, d))
		}
	}
	if s.tables == nil || s.tables.n == s.Len() {
		t.Fatal("no tables, or no tail that is scanned")
	}
	var found [SearchDistance + 1]int
	for _, q := range queries {
		for _, hit := range s.Near(q, SearchDistance) {
			if got := s.At(hit.Index).Distance(q); got != hit.Distance {
				t.Fatalf("distance %d is given as %d", got, hit.Distance)
			}
			found[hit.Distance]++
		}
	}
	for d, n := range found {
		least := each
		switch {
		case d > 63:
			least = each / 10
		case d > 47:
			least = each / 2
		case d > MatchDistance:
			least = each * 85 / 100
		}
		if n < least {
			t.Errorf("at distance %d: %d of %d", d, n, each)
		}
	}
}
