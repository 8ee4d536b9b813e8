package warc

import (
	"context"
	"errors"
	"io"
	"strings"
)

// A doubt is a revisit record whose block digest does not fit its block. Older
// versions of warcio made that digest before they left the body out: it is then
// over the headers of the revisit and the body of the original. Which it is can
// be told where the original is in the same file.
type doubt struct {
	finding Finding
	block   Digest // as declared
	payload string // WARC-Payload-Digest: the same in the original
	head    []byte // the block of the revisit
}

const (
	maxDoubts    = 1000
	maxDoubtHead = 64 << 10
)

// doubtful notes a revisit record for settle, and reports whether it did.
func (v *verifier) doubtful(rec *ReadRecord, b *bodyCheck, f Finding) bool {
	if rec.Header.Type() != TypeRevisit || b.start == nil || len(v.doubts) >= maxDoubts {
		return false
	}
	payload := rec.Header.Get("WARC-Payload-Digest")
	if payload == "" {
		return false
	}
	f.number = v.begun
	v.doubts = append(v.doubts, doubt{f, b.block, payload, b.start})
	return true
}

// settle reads the file a second time, for the originals of doubtful revisits.
func (v *verifier) settle(ctx context.Context) error {
	if len(v.doubts) == 0 {
		return nil
	}
	rd, err := NewReaderAt(v.file, v.report.Size, 0)
	if err != nil {
		return err
	}
	for open := len(v.doubts); open > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := rd.Next()
		if err == io.EOF {
			break
		}
		var d *Damage
		if errors.As(err, &d) {
			continue
		}
		if err != nil {
			return err
		}
		if rec.Header.Type() != TypeResponse {
			continue
		}
		for i := range v.doubts {
			q := &v.doubts[i]
			if q.finding.Code != CodeBlockDigest || !strings.EqualFold(q.payload, rec.Header.Get("WARC-Payload-Digest")) {
				continue
			}
			fits, err := q.fits(rec)
			if err != nil && !errors.As(err, &d) {
				return err
			}
			if fits {
				q.finding.Code = CodeBlockUnabridged
				q.finding.Severity = CodeBlockUnabridged.Severity()
				q.finding.Detail = "WARC-Block-Digest is over these headers and the body of record " + rec.ID()
				v.report.Digests++
				open--
			}
			break // the block of rec is used up
		}
	}
	for _, q := range v.doubts {
		v.add(q.finding)
	}
	return nil
}

// fits digests the headers of the revisit and the body of rec.
func (q *doubt) fits(rec *ReadRecord) (bool, error) {
	m, err := ReadHTTP(rec)
	if err != nil {
		return false, nil
	}
	sum := q.block.New()
	sum.Write(q.head)
	if _, err := io.Copy(sum, m.Body); err != nil {
		return false, err
	}
	return Digest{q.block.Algorithm, sum.Sum(nil)}.Equal(q.block), nil
}
