package cdx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/refrain-archive/refrain/archive/warc"
)

// IndexOptions says how Index works. The zero value gives the usual index of a
// sound file.
type IndexOptions struct {
	Options

	// NoDigest leaves the digest out of lines whose record declares none,
	// instead of computing it.
	NoDigest bool

	// RecordDigest, if not nil, is the file itself, from which the recordDigest
	// of each line is computed.
	RecordDigest io.ReaderAt

	// Damaged is told of what cannot be read or indexed, and Index goes on with
	// the next record. If it is nil, Index ends with the first such error.
	Damaged func(*warc.Damage)
}

// Stats says what Index went through.
type Stats struct {
	Records int64 // that were read whole
	Lines   int64
}

// Index reads a WARC from r and gives the line of each record that an index
// has, in the order of the file. filename is put into the lines; it is a base
// name. Where a record declares its payload digest, that is taken as it is:
// warc.Verify is what checks it. Records that share a gzip member have no
// offset and are *warc.Damage: warc.Repair makes a copy that can be indexed.
func Index(ctx context.Context, r io.Reader, filename string, o IndexOptions, yield func(*Line) error) (Stats, error) {
	var stats Stats
	rd, err := warc.NewReader(r)
	if err != nil {
		return stats, fmt.Errorf("cdx: index %s: %w", filename, err)
	}
	for {
		if stats.Records%256 == 0 {
			if err := ctx.Err(); err != nil {
				return stats, fmt.Errorf("cdx: index %s: %w", filename, err)
			}
		}
		rec, err := rd.Next()
		if err == io.EOF {
			return stats, nil
		}
		if err == nil {
			err = o.record(rec, filename, &stats, yield)
		}
		var d *warc.Damage
		if errors.As(err, &d) && o.Damaged != nil {
			o.Damaged(d)
			continue
		}
		if err != nil {
			return stats, fmt.Errorf("cdx: index %s: %w", filename, err)
		}
	}
}

// record gives the line of one record.
func (o *IndexOptions) record(rec *warc.ReadRecord, filename string, stats *Stats, yield func(*Line) error) error {
	l, ok, err := FromRead(rec, filename, *o)
	if err != nil {
		return err
	}
	stats.Records++
	if !ok {
		return nil
	}
	stats.Lines++
	return yield(&l)
}

// FromRead makes the line of a record of the file called filename, and reads the
// record to its end: call it before anything of the block was read. It reports
// false for a record that an index leaves out. The error is *warc.Damage for
// what cannot be read or indexed.
func FromRead(rec *warc.ReadRecord, filename string, o IndexOptions) (Line, bool, error) {
	indexed := Indexed(rec.Header)
	var l Line
	if indexed {
		var head *warc.HTTPHead
		if isHTTP(rec.Header) {
			var err error
			if head, err = rec.HTTPHead(); err != nil && !errors.Is(err, warc.ErrNotHTTP) {
				return l, false, err
			}
		}
		var err error
		if l, err = o.line(rec.Header, head); err != nil {
			return l, false, &warc.Damage{Code: warc.CodeDate, Offset: rec.Offset, RecordID: rec.ID(), Detail: err.Error()}
		}
		if l.Digest == "" && !o.NoDigest && rec.Header.Type() != warc.TypeRevisit {
			if l.Digest, err = payloadDigest(rec, head); err != nil {
				return l, false, err
			}
		}
	}
	pos, err := rec.Finish()
	if err != nil {
		return l, false, err
	}
	if !indexed {
		return l, false, nil
	}
	if rec.Shared() {
		return l, false, &warc.Damage{Code: warc.CodeShared, Offset: rec.Offset, RecordID: rec.ID(),
			Detail: "the record shares its gzip member with others, so that no offset leads to it; repair the file first"}
	}
	l.Offset, l.Length, l.Filename = pos.Offset, pos.Length, filename
	if o.RecordDigest != nil {
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(o.RecordDigest, pos.Offset, pos.Length)); err != nil {
			return l, false, fmt.Errorf("digest the record at %d: %w", pos.Offset, err)
		}
		l.RecordDigest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	}
	return l, true, nil
}

// payloadDigest reads the payload and digests it.
func payloadDigest(rec *warc.ReadRecord, head *warc.HTTPHead) (string, error) {
	var payload io.Reader = rec
	if head != nil {
		m, err := warc.ReadHTTP(rec)
		if err != nil {
			return "", err
		}
		payload = m.Payload()
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, payload); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}
