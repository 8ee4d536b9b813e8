package index

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
)

// TestKeyTree compares find with a search in all keys: of keys with long common
// beginnings, of keys that begin others, and of keys longer than a byte counts.
func TestKeyTree(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	word := func() string {
		b := make([]byte, random.IntN(4))
		for i := range b {
			b[i] = "ab\xff/"[random.IntN(4)]
		}
		return string(b)
	}
	for _, n := range []int{0, 1, 2, fan - 1, fan, fan + 1, fan * fan, fan*fan + 1, 5000} {
		keys := []string{""}
		for len(keys) < n {
			k := word() + word()
			switch random.IntN(3) {
			case 0:
				k = "com,example)/" + k
			case 1:
				k = strings.Repeat("x", random.IntN(300)) + k
			}
			keys = append(keys, fmt.Sprint(k, random.IntN(9)))
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		keys = keys[:min(n, len(keys))]
		var text, prev []byte
		for i, k := range keys {
			text = appendKey(text, i, prev, []byte(k))
			prev = []byte(k)
		}
		tree, ok := parseKeys(text, int64(len(keys)))
		if !ok {
			t.Fatalf("%d keys cannot be read", len(keys))
		}
		targets := [][]byte{nil, {0}, {0xff, 0xff, 0xff, 0xff, 0xff}}
		for _, k := range keys {
			targets = append(targets, []byte(k), []byte(k+"\x00"), []byte(k+"b"), bytes.TrimSuffix([]byte(k), []byte(k[len(k)-min(1, len(k)):])))
		}
		for _, target := range targets {
			want := max(0, sort.Search(len(keys), func(i int) bool { return keys[i] > string(target) })-1)
			if got := tree.find(target); got != want {
				t.Fatalf("of %d keys, %q is found at %d, want %d (%q)", len(keys), target, got, want, keys[want])
			}
		}
		if _, ok := parseKeys(text, int64(len(keys))+1); ok {
			t.Errorf("%d keys are read as %d", len(keys), len(keys)+1)
		}
		if len(text) > 0 {
			if _, ok := parseKeys(text[:len(text)-1], int64(len(keys))); ok && len(keys) > 1 {
				t.Errorf("%d keys of which the last is cut are read", len(keys))
			}
		}
	}
}

// FuzzKeys reads any bytes as keys and looks any text up in them.
func FuzzKeys(f *testing.F) {
	var text, prev []byte
	n := 3 * fan
	for i := range n {
		key := fmt.Appendf(nil, "com,example)/%03d", i)
		text = appendKey(text, i, prev, key)
		prev = key
	}
	f.Add(text, int64(n), []byte("com,example)/010"))
	f.Add([]byte("\x00\x80\x01"+strings.Repeat("x", 128)), int64(1), []byte("x"))
	f.Fuzz(func(t *testing.T, text []byte, count int64, target []byte) {
		tree, ok := parseKeys(text, count)
		if !ok {
			return
		}
		if n := tree.find(target); n < 0 || n >= max(1, tree.count) {
			t.Fatalf("key %d of %d", n, tree.count)
		}
	})
}
