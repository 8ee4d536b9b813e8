package archive

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
)

// What a paged reader gives is what lies there, wherever it is read, and it keeps
// a bounded number of pages.
func TestPaged(t *testing.T) {
	data := make([]byte, 9<<20+77)
	rand.NewChaCha8([32]byte{}).Read(data)
	p := newPaged(bytes.NewReader(data), int64(len(data)))
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		off := r.Int64N(int64(len(data)))
		if r.IntN(3) == 0 {
			off = p.next * pageSize // read on
		}
		b := make([]byte, 1+r.IntN(3*pageSize))
		n, err := p.ReadAt(b, off)
		want := data[min(off, int64(len(data))):min(off+int64(len(b)), int64(len(data)))]
		if !bytes.Equal(b[:n], want) || (err == io.EOF) != (len(want) < len(b)) {
			t.Fatalf("%d bytes at %d: %d, %v", len(b), off, n, err)
		}
		if len(p.pages) > pagesMax || len(p.order) != len(p.pages) {
			t.Fatalf("%d pages, %d in order", len(p.pages), len(p.order))
		}
	}
	if _, err := newPaged(bytes.NewReader(nil), 10).ReadAt(make([]byte, 4), 0); err != io.ErrUnexpectedEOF {
		t.Errorf("an object that ends early: %v", err)
	}
}
