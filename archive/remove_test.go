package archive

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive/warc"
)

// What takes the place of a record has exactly its length, whatever that is, is
// one gzip member, and is the record that it should be; what is too short is
// refused.
func TestTombstoneLength(t *testing.T) {
	act := &Act{ID: warc.NewID(), At: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	var h warc.Header
	h.Add("WARC-Type", "response")
	h.Add("WARC-Record-ID", "<"+warc.NewID()+">")
	h.Add("WARC-Date", "2026-11-01T10:00:00.123456Z")
	h.Add("WARC-Target-URI", "https://plaza.example/1")
	h.Add("WARC-Block-Digest", "sha256:"+strings.Repeat("ab", 32))
	h.Add("WARC-Payload-Digest", "sha256:"+strings.Repeat("cd", 32))
	var lengths []int64
	for n := int64(480); n < 1000; n += 3 {
		lengths = append(lengths, n)
	}
	for _, near := range []int64{gapMost, gapMost + 500, storedMax, 2 * storedMax, 3*storedMax + 900, 1 << 20} {
		for d := int64(-40); d < 900; d += 37 {
			lengths = append(lengths, near+d)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		lengths = append(lengths, 1000+r.Int64N(3<<20))
	}
	fits := 0
	for _, n := range lengths {
		var b bytes.Buffer
		err := writeTombstone(&b, h, act, n)
		if err != nil {
			if n > 700 {
				t.Fatalf("length %d: %v", n, err)
			}
			continue
		}
		fits++
		if int64(b.Len()) != n {
			t.Fatalf("length %d: %d bytes", n, b.Len())
		}
		report, err := warc.Verify(t.Context(), bytes.NewReader(b.Bytes()), n, "tombstone", warc.VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			if f.Code != warc.CodeNoWarcinfo {
				t.Fatalf("length %d: %s %s", n, f.Code, f.Detail)
			}
		}
		rd, err := warc.NewReader(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		rec, err := rd.Next()
		if err != nil {
			t.Fatal(err)
		}
		block, err := io.ReadAll(rec)
		if err != nil {
			t.Fatal(err)
		}
		fields := warc.ParseFields(block)
		if rec.ID() != h.RecordID() || rec.Header.Get(DeletedField) != act.ID || fields.Get("deletedPayloadDigest") != h.Get("WARC-Payload-Digest") || fields.Get("deletedType") != "response" {
			t.Fatalf("length %d: %v %s", n, rec.Header, fmt.Sprintf("%.300s", block))
		}
		if _, err := rd.Next(); err != io.EOF {
			t.Fatalf("length %d: more follows: %v", n, err)
		}
	}
	if fits < len(lengths)-120 {
		t.Errorf("%d of %d lengths fit", fits, len(lengths))
	}
}
