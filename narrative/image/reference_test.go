package image

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

func decodeFile(t testing.TB, path string) Picture {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := Decode(f, Limits{})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return p
}

// Pictures of quality 80 and more must be within 10 bits of the hash that at
// least one reference implementation gives; those below are only logged.
func TestReferenceHashes(t *testing.T) {
	dir := sharedtest.Path(t, "datasets/images")
	var want struct {
		PDQ  map[string]string `json:"pdq"`
		Java map[string]string `json:"java_reference"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "expected_pdq.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	judged := 0
	for name, python := range want.PDQ {
		h, quality := decodeFile(t, filepath.Join(dir, name)).PDQ()
		best := 256
		for _, text := range []string{python, want.Java[name]} {
			if text == "" {
				continue
			}
			ref, err := ParseHash(text)
			if err != nil {
				t.Logf("%s: reference hash left out: %v", name, err)
				continue
			}
			t.Logf("%s: quality %d, distance %d", name, quality, h.Distance(ref))
			best = min(best, h.Distance(ref))
		}
		if quality >= 80 {
			judged++
			if best > 10 {
				t.Errorf("%s: quality %d, %d bits from the nearest reference", name, quality, best)
			}
		}
	}
	if judged < 12 {
		t.Errorf("%d pictures judged: at least 12 have quality 80", judged)
	}
}

func TestReferenceEdits(t *testing.T) {
	dir := sharedtest.Path(t, "datasets/images/bridge-mods")
	original, _ := decodeFile(t, filepath.Join(dir, "aaa-orig.jpg")).PDQ()
	names, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(names) != 12 {
		t.Fatalf("%d pictures, %v", len(names), err)
	}
	for _, name := range names {
		h, _ := decodeFile(t, name).PDQ()
		if d := h.Distance(original); d > MatchDistance {
			t.Errorf("%s: %d bits from the original", filepath.Base(name), d)
		}
	}
}

// The haystack and needles that the reference implementations are tested with:
// each needle's hits are those of a comparison digit by digit.
func TestReferenceSearch(t *testing.T) {
	read := func(name string) (list []Hash) {
		for line := range strings.Lines(string(sharedtest.Read(t, "datasets/images/"+name))) {
			h, err := ParseHash(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, h)
		}
		return list
	}
	haystack, needles := read("pdq_haystack.txt"), read("pdq_needles.txt")
	if len(haystack) != 1350 || len(needles) != 100 {
		t.Fatalf("%d hashes, %d needles", len(haystack), len(needles))
	}
	var set Set
	for _, h := range haystack {
		set.Add(h)
	}
	tabled := Set{hashes: haystack, tables: newTables(haystack)}
	found := 0
	for _, q := range needles {
		all := slowSearch(haystack, q, 63)
		for _, d := range []int{0, 15, 16, 31, 47, 63} {
			var want []Hit
			for _, hit := range all {
				if hit.Distance <= d {
					want = append(want, hit)
				}
			}
			if got := set.Search(q, d); !slices.Equal(got, want) {
				t.Errorf("scan for %v at %d: %v, want %v", q, d, got, want)
			}
			if got := tabled.Search(q, d); !slices.Equal(got, want) {
				t.Errorf("tables for %v at %d: %v, want %v", q, d, got, want)
			}
			if d == 31 {
				found += len(want)
			}
		}
	}
	t.Logf("%d hits at distance 31", found)
	if found == 0 {
		t.Error("no needle has a hit")
	}
}
