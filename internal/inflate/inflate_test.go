package inflate

import (
	"bytes"
	stdflate "compress/flate"
	stdgzip "compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// texts are inputs of different kinds: none, short, text, runs, random, mixed.
func texts() map[string][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 100_000)
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	var page strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&page, "<p class=\"c%d\">Post %d of %d: a\u00e4\u4e2d %x</p>\n", i%7, i, rng.IntN(1000), rng.Uint64())
	}
	// Letters whose numbers fall by half need long codes.
	var skew []byte
	for c, n := byte(0), 1<<16; n > 0; c, n = c+1, n/2 {
		skew = append(skew, bytes.Repeat([]byte{c}, n)...)
	}
	rng.Shuffle(len(skew), func(i, j int) { skew[i], skew[j] = skew[j], skew[i] })
	return map[string][]byte{
		"none": nil, "one": []byte("a"), "run": bytes.Repeat([]byte("a"), 70_000), "three": bytes.Repeat([]byte("abc"), 30_000),
		"random": random, "page": []byte(page.String()), "skew": skew, "mixed": append(random[:5000:5000], page.String()...),
	}
}

// packed is b as gzip members by two packers at their levels.
func packed(t testing.TB, b []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for level := -2; level <= 9; level++ {
		var x, y bytes.Buffer
		std, err := stdgzip.NewWriterLevel(&x, level)
		if err != nil {
			t.Fatal(err)
		}
		std.Name, std.Comment, std.Extra = "name", "comment", []byte("extra")
		fast, err := gzip.NewWriterLevel(&y, level)
		if err != nil {
			t.Fatal(err)
		}
		for name, w := range map[string]io.WriteCloser{"std": std, "klauspost": fast} {
			if _, err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprintf("%s/%d", name, level)] = map[string][]byte{"std": x.Bytes(), "klauspost": y.Bytes()}[name]
		}
	}
	return out
}

func TestGivesBackWhatWasPacked(t *testing.T) {
	for kind, b := range texts() {
		for by, z := range packed(t, b) {
			out, rest, err := Gzip([]byte("before"), append(z[:len(z):len(z)], "behind"...), len(b))
			if err != nil || string(out) != "before"+string(b) || string(rest) != "behind" {
				t.Errorf("%s by %s: %d bytes, %d left, %v; want %d and 6", kind, by, len(out)-6, len(rest), err, len(b))
			}
			if _, _, err := Gzip(nil, z, len(b)-1); len(b) > 0 && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s by %s with a limit of one byte less: %v", kind, by, err)
			}
		}
	}
}

// A changed bit is found by the checksum, but for those that stand for nothing:
// the padding before a stored block.
func TestEveryCutIsAnErrorAndNoFlippedBitChangesTheOutput(t *testing.T) {
	b := texts()["page"][:700]
	for by, z := range packed(t, b) {
		for n := range z {
			if out, _, err := Gzip(nil, z[:n], 1<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s cut to %d of %d: %d bytes, %v", by, n, len(z), len(out), err)
			}
		}
		for i := len(z) - 200; i < len(z); i++ {
			wrong := bytes.Clone(z)
			wrong[i] ^= 1 << (i % 8)
			if out, _, err := Gzip(nil, wrong, 1<<20); err == nil && !bytes.Equal(out, b) {
				t.Fatalf("%s with byte %d of %d changed gives %d other bytes", by, i, len(z), len(out))
			}
		}
	}
}

func TestABombStopsAtTheLimit(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	for range 64 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	allocated := testing.AllocsPerRun(1, func() {
		if out, _, err := Gzip(nil, z.Bytes(), 1<<20); !errors.Is(err, ErrTooLarge) || len(out) != 0 {
			t.Fatalf("%d bytes, %v", len(out), err)
		}
	})
	if allocated > 4 {
		t.Errorf("%v allocations", allocated)
	}
}

// same compares Raw with compress/flate.
func same(t *testing.T, b []byte) {
	const limit = 1 << 20
	out, rest, err := Raw(nil, b, limit)
	from := bytes.NewReader(b) // an io.ByteReader: nothing is read ahead
	want, wantErr := io.ReadAll(io.LimitReader(stdflate.NewReader(from), limit+1))
	switch {
	case len(want) > limit:
		if !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d bytes, %v; the output is larger than the limit", len(out), err)
		}
	case wantErr != nil:
		if err == nil {
			t.Fatalf("%d bytes; compress/flate says %v", len(out), wantErr)
		}
	case err != nil || !bytes.Equal(out, want) || len(rest) != from.Len():
		t.Fatalf("%d bytes, %d left, %v; want %d and %d", len(out), len(rest), err, len(want), from.Len())
	}
}

func TestDamageIsJudgedAsByCompressFlate(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, b := range texts() {
		for _, level := range []int{-2, 1, 5, 9} {
			var z bytes.Buffer
			w, err := flate.NewWriter(&z, level)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(b[:min(len(b), 4000)]); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for range 300 {
				wrong := bytes.Clone(z.Bytes())
				for range 1 + rng.IntN(3) {
					wrong[rng.IntN(min(len(wrong), 1+rng.IntN(200)))] ^= 1 << rng.IntN(8)
				}
				same(t, wrong)
			}
		}
	}
}

func FuzzRaw(f *testing.F) {
	for _, b := range texts() {
		for _, level := range []int{-2, 0, 1, 6} {
			var z bytes.Buffer
			w, err := stdflate.NewWriter(&z, level)
			if err != nil {
				f.Fatal(err)
			}
			if _, err := w.Write(b[:min(len(b), 600)]); err != nil {
				f.Fatal(err)
			}
			if err := w.Close(); err != nil {
				f.Fatal(err)
			}
			f.Add(z.Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { same(t, b) })
}

// FuzzPacked packs the input and unpacks it again.
func FuzzPacked(f *testing.F) {
	for _, b := range texts() {
		f.Add(b[:min(len(b), 2000)], 5)
	}
	f.Fuzz(func(t *testing.T, b []byte, level int) {
		var z bytes.Buffer
		w, err := flate.NewWriter(&z, ((level%12)+12)%12-2)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if out, rest, err := Raw(nil, z.Bytes(), len(b)); err != nil || !bytes.Equal(out, b) || len(rest) != 0 {
			t.Fatalf("%d of %d bytes, %d left, %v", len(out), len(b), len(rest), err)
		}
	})
}

// BenchmarkGzip compares with the readers that take any number of bytes at a time.
func BenchmarkGzip(b *testing.B) {
	page := texts()["page"][:57_000]
	z := packed(b, page)["std/6"]
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		var out []byte
		for b.Loop() {
			var err error
			if out, _, err = Gzip(out[:0], z, 1<<20); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("klauspost", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		r := new(gzip.Reader)
		for b.Loop() {
			if err := r.Reset(bytes.NewReader(z)); err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
