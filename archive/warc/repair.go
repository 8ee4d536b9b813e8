package warc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// A Loss is a part of a damaged file that is not in its repaired copy. The
// damaged file still has it.
type Loss struct {
	Offset   int64  `json:"offset"` // in the damaged file
	End      int64  `json:"end"`    // up to there; of a record that shares its member, the end of the member is not known: 0
	RecordID string `json:"record_id,omitempty"`
	Code     Code   `json:"code"`
	Reason   string `json:"reason"`
}

// A RepairReport says what Repair did.
type RepairReport struct {
	File     string  `json:"file"`
	Kept     int64   `json:"kept"`     // records in the copy
	Repacked int64   `json:"repacked"` // of those, records that were packed anew; the others are the same bytes
	Bytes    int64   `json:"bytes"`    // of the copy
	Lost     []Loss  `json:"lost,omitempty"`
	Before   *Report `json:"before"` // what Verify says about the damaged file
}

// maxBad is the number of damaged records up to which a file is repaired.
const maxBad = 4 << 20

// Repair writes a sound copy of a file of size bytes to out: every record that
// is whole, in order, byte for byte, one gzip member each if the file was
// packed. It leaves out, and reports, what is cut, cannot be unpacked, does not
// fit its digests, lacks a field without which it is no evidence, or repeats a
// record id; it invents nothing. Records that share a gzip member, or are packed
// by Zstandard, are packed anew with their header and block as they are.
//
// The file itself is only read. The error is for a file that cannot be read, an
// out that cannot be written, an ARC file, and ctx; out is then of no use.
func Repair(ctx context.Context, in io.ReaderAt, size int64, name string, out io.Writer) (*RepairReport, error) {
	report, err := repair(ctx, in, size, name, out)
	if err != nil {
		return nil, fmt.Errorf("warc: repair %s: %w", name, err)
	}
	return report, nil
}

func repair(ctx context.Context, in io.ReaderAt, size int64, name string, out io.Writer) (*RepairReport, error) {
	bad := map[int64]Finding{}
	before, err := verify(ctx, in, size, name, VerifyOptions{}, bad)
	if err != nil {
		return nil, err
	}
	if before.Counts[CodeARC] > 0 {
		return nil, errors.New("the file is an ARC; only WARC files can be repaired")
	}
	report := &RepairReport{File: name, Before: before}
	rd, err := NewReaderAt(in, size, 0)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewWriterSize(out, 256<<10)
	o := WriterOptions{}
	if rd.Format() == FormatPlain {
		o.Compression = Plain
	}
	c := &copier{in: in, rd: rd, w: NewWriter(buffered, o), out: buffered, report: report}
	for number := int64(1); ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rec, err := rd.Next()
		if err == io.EOF {
			break
		}
		var d *Damage
		if errors.As(err, &d) {
			c.lose(d.Offset, d.RecordID, d.Code, d.Detail)
			continue
		}
		if err != nil {
			return nil, err
		}
		c.reached(rec)
		f, isBad := bad[number]
		number++
		if isBad {
			c.lose(f.Offset, f.RecordID, f.Code, f.Detail)
			if _, err := rec.Finish(); err != nil && !errors.As(err, &d) {
				return nil, err
			}
			continue
		}
		if err := c.copy(rec); err != nil {
			return nil, err
		}
	}
	c.reachedEnd(size)
	if err := buffered.Flush(); err != nil {
		return nil, err
	}
	report.Bytes = c.w.Offset()
	return report, nil
}

// A copier copies whole records.
type copier struct {
	in     io.ReaderAt
	rd     *Reader
	w      *Writer
	out    io.Writer
	report *RepairReport
	open   int // losses whose end is not known yet begin here
}

func (c *copier) lose(offset int64, id string, code Code, reason string) {
	if n := len(c.report.Lost); n > 0 {
		// A record that was left out, and then its end, are one loss.
		if last := &c.report.Lost[n-1]; last.Offset == offset && last.RecordID == id && id != "" {
			return
		}
	}
	c.report.Lost = append(c.report.Lost, Loss{Offset: offset, RecordID: id, Code: code, Reason: reason})
}

// reached closes the losses before a record.
func (c *copier) reached(rec *ReadRecord) { c.reachedEnd(rec.Offset) }

func (c *copier) reachedEnd(offset int64) {
	for ; c.open < len(c.report.Lost); c.open++ {
		if l := &c.report.Lost[c.open]; l.Offset < offset {
			l.End = offset
		}
	}
}

// copy copies a record: the bytes as they lie there, if they are a member of
// their own and end as they should.
func (c *copier) copy(rec *ReadRecord) error {
	probe, err := ReadAt(c.in, c.report.Before.Size, rec.Offset)
	if err == nil && rec.Inner == 0 && c.rd.Format() != FormatZstd {
		pos, err := probe.Finish()
		if err == nil && pos.Length > 0 && !probe.spans && exact(probe) {
			if _, err := rec.Finish(); err != nil {
				return err
			}
			if _, err := io.Copy(c.out, io.NewSectionReader(c.in, pos.Offset, pos.Length)); err != nil {
				return err
			}
			c.w.offset += pos.Length
			c.report.Kept++
			return nil
		}
	}
	header := rec.Header
	again := &Record{Version: rec.Version, Header: header, Verbatim: true, Block: &sequence{r: rec, size: rec.Size()}}
	if _, err := c.w.Write(again); err != nil {
		return err
	}
	if _, err := rec.Finish(); err != nil {
		return err
	}
	c.report.Kept++
	c.report.Repacked++
	return nil
}

// exact reports whether the record ends with two line ends and nothing more,
// and has a header that can be copied as it is.
func exact(rec *ReadRecord) bool {
	for _, o := range rec.Oddities() {
		switch o.Code {
		case CodeRecordEnd, CodeBlankLines, CodeCut, CodeShared, CodeSpans:
			return false
		}
	}
	return true
}

// A sequence is a Block over a stream that is read once, from its start to its
// end, as Writer reads the block of a Verbatim record.
type sequence struct {
	r    io.Reader
	size int64
	at   int64
}

func (s *sequence) Size() int64 { return s.size }

func (s *sequence) ReadAt(p []byte, off int64) (int, error) {
	if off != s.at {
		return 0, fmt.Errorf("warc: a block that can be read once is read at %d, after %d", off, s.at)
	}
	n, err := io.ReadFull(s.r, p)
	s.at += int64(n)
	return n, err
}

// Whole gives the length of the part of a file that is whole records from its
// start on, and their number: where to cut a file that a crash left torn. It
// checks the checksums of gzip members, but no digests.
func Whole(ctx context.Context, r io.ReaderAt, size int64) (length, records int64, err error) {
	rd, err := NewReaderAt(r, size, 0)
	if err != nil {
		return 0, 0, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return length, records, err
		}
		rec, err := rd.Next()
		if err == nil {
			var pos Position
			if pos, err = rec.Finish(); err == nil {
				if pos.Length == 0 || !exact(rec) {
					return length, records, nil
				}
				length = pos.End()
				records++
				continue
			}
		}
		var d *Damage
		if err == io.EOF || errors.As(err, &d) {
			return length, records, nil
		}
		return length, records, fmt.Errorf("warc: look for the last whole record: %w", err)
	}
}
