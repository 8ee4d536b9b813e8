package warc

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// The standard library reads back what appendSmall writes.
func checkSmall(t *testing.T, b []byte) {
	t.Helper()
	for _, last := range []bool{true, false} {
		packed := appendSmall([]byte("before"), b, last)
		if !last {
			packed = append(packed, 1, 0, 0, 0xff, 0xff) // a last block of no bytes, at a byte boundary
		}
		got, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed[len("before"):])))
		if err != nil || !bytes.Equal(got, b) {
			t.Fatalf("last %v: %d bytes come back as %d, %v", last, len(b), len(got), err)
		}
	}
}

func TestSmall(t *testing.T) {
	checkSmall(t, nil)
	for n := 1; n < 600; n++ {
		checkSmall(t, bytes.Repeat([]byte{'a'}, n)) // every length of a match
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := make([]byte, r.IntN(smallRecord+1))
		letters := 1 + r.IntN(95)
		for i := range b {
			b[i] = ' ' + byte(r.IntN(letters))
		}
		checkSmall(t, b)
	}
	checkSmall(t, []byte(smallSample))
	far := append([]byte("0123456789"), bytes.Repeat([]byte{'\t'}, smallRecord-20)...)
	checkSmall(t, append(far, "0123456789"...)) // a far match
}

// A record of other words than the sample's is packed about as well as by the
// general deflater.
func TestSmallPacks(t *testing.T) {
	record := strings.NewReplacer("e9d14b81-a24b", "77aa01f3-cc09", "example.com", "kaffee-haus.example", "620cb86201d598f0", "0192837465abcdef").Replace(smallSample[:700])
	var general bytes.Buffer
	w, _ := flate.NewWriter(&general, 6)
	w.Write([]byte(record))
	w.Close()
	if got := len(appendSmall(nil, []byte(record), true)); got > general.Len()*11/10 {
		t.Errorf("%d bytes, the general deflater makes %d of %d", got, general.Len(), len(record))
	}
}

func FuzzSmall(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("WARC/1.1\r\n\r\n"))
	f.Add(bytes.Repeat([]byte("abcde"), 400))
	f.Fuzz(func(t *testing.T, b []byte) {
		if isSmall(b) {
			checkSmall(t, b)
		}
	})
}

func BenchmarkSmall(b *testing.B) {
	record := []byte(smallSample[:800])
	var out []byte
	b.SetBytes(int64(len(record)))
	for b.Loop() {
		out = appendSmall(out[:0], record, true)
	}
	b.ReportMetric(float64(len(out)), "bytes")
}
