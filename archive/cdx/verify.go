package cdx

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/refrain-archive/refrain/archive/warc"
)

// A Problem is one thing that VerifyCDXJ found.
type Problem struct {
	Line   int64  `json:"line"` // from 1; 0: it concerns no line
	Offset int64  `json:"offset"`
	Key    string `json:"key,omitempty"`
	What   string `json:"what"`
	Remark bool   `json:"remark,omitempty"` // odd, but the record is found all the same
}

func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("record at offset %d: %s", p.Offset, p.What)
	}
	return fmt.Sprintf("line %d (%s, offset %d): %s", p.Line, p.Key, p.Offset, p.What)
}

// A VerifyReport is what VerifyCDXJ says.
type VerifyReport struct {
	Lines    int64     `json:"lines"`
	Records  int64     `json:"records"` // of the WARC that an index has
	Problems []Problem `json:"problems,omitempty"`
	Dropped  int       `json:"dropped,omitempty"` // problems beyond the 1,000 that are listed
	Sound    bool      `json:"sound"`             // no problem that is not a Remark
}

// VerifyCDXJ checks an index against the WARC of size bytes that it is of: the
// lines are in order and none is there twice; each points at a record that has
// its URL, time, type, status and digest and its length in the file; each record
// that an index has is pointed at. Lines of other files are passed over, as an
// index may be of several; filename is the base name of this one.
func VerifyCDXJ(ctx context.Context, index io.Reader, file io.ReaderAt, size int64, filename string) (*VerifyReport, error) {
	report := &VerifyReport{Sound: true}
	problem := func(p Problem) {
		if !p.Remark {
			report.Sound = false
		}
		if len(report.Problems) < 1000 {
			report.Problems = append(report.Problems, p)
		} else {
			report.Dropped++
		}
	}
	var offsets []int64 // that lines point at
	var last []byte
	sc := bufio.NewScanner(index)
	sc.Buffer(make([]byte, 64<<10), MaxLine+2)
	for n := int64(1); sc.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("cdx: verify the index of %s: %w", filename, err)
		}
		raw := sc.Bytes()
		l, err := ParseLine(raw)
		if err != nil {
			problem(Problem{Line: n, What: err.Error()})
			continue
		}
		switch c := bytes.Compare(last, raw); {
		case c == 0:
			problem(Problem{Line: n, Key: l.Key, Offset: l.Offset, What: "the line is there twice"})
		case c > 0:
			problem(Problem{Line: n, Key: l.Key, Offset: l.Offset, What: "the line stands after one that must come later: the index is not sorted by bytes"})
		}
		last = append(last[:0], raw...)
		if l.Filename != filename {
			continue
		}
		report.Lines++
		if l.Offset < 0 || l.Offset >= size {
			problem(Problem{Line: n, Key: l.Key, Offset: l.Offset, What: fmt.Sprintf("the offset is not within the file of %d bytes", size)})
			continue
		}
		offsets = append(offsets, l.Offset)
		if err := checkLine(&l, file, size, func(remark bool, what string) {
			problem(Problem{Line: n, Key: l.Key, Offset: l.Offset, What: what, Remark: remark})
		}); err != nil {
			return nil, fmt.Errorf("cdx: verify the index of %s: line %d: %w", filename, n, err)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("cdx: verify the index of %s: %w", filename, err)
	}
	slices.Sort(offsets)
	o := IndexOptions{NoDigest: true, Damaged: func(d *warc.Damage) {
		problem(Problem{Offset: d.Offset, What: d.Detail})
	}}
	_, err := Index(ctx, io.NewSectionReader(file, 0, size), filename, o, func(l *Line) error {
		report.Records++
		if _, ok := slices.BinarySearch(offsets, l.Offset); !ok {
			problem(Problem{Offset: l.Offset, Key: l.Key, What: "no line points at the record of " + clip([]byte(l.URL))})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

// checkLine reads the record that a line points at.
func checkLine(l *Line, file io.ReaderAt, size int64, problem func(remark bool, what string)) error {
	rec, err := warc.ReadAt(file, size, l.Offset)
	var d *warc.Damage
	if errors.As(err, &d) {
		problem(false, "no record can be read there: "+d.Detail)
		return nil
	}
	if err != nil {
		return err
	}
	o := IndexOptions{}
	var want Line
	found := false
	err = o.record(rec, l.Filename, &Stats{}, func(w *Line) error {
		want, found = *w, true
		return nil
	})
	if errors.As(err, &d) {
		problem(false, "the record there cannot be read: "+d.Detail)
		return nil
	}
	if err != nil {
		return err
	}
	if !found {
		problem(false, fmt.Sprintf("the record there is a %s, which an index leaves out", rec.Header.Type()))
		return nil
	}
	differ := func(name, have, is string) {
		if have != is {
			problem(false, fmt.Sprintf("%s is %q, the record has %q", name, have, is))
		}
	}
	differ("url", l.URL, want.URL)
	differ("timestamp", l.Timestamp[:min(len(l.Timestamp), 14)], want.Timestamp)
	differ("mime", l.MIME, want.MIME)
	differ("status", l.Status, want.Status)
	if l.Digest != "" && want.Digest != "" {
		have, err := warc.ParseDigest(l.Digest)
		is, err2 := warc.ParseDigest(want.Digest)
		switch {
		case err != nil:
			problem(false, err.Error())
		case err2 == nil && have.Algorithm == is.Algorithm && !have.Equal(is):
			problem(false, fmt.Sprintf("digest is %s, the record has %s", have, is))
		}
	}
	// Some indexers leave the line ends after the block of a plain record out.
	if l.Length > 0 && l.Length != want.Length && l.Length != want.Length-4 {
		problem(false, fmt.Sprintf("length is %d, the record has %d", l.Length, want.Length))
	}
	if l.Key != SURT(want.URL) && l.Key != WebrecorderKey(want.URL) {
		problem(true, fmt.Sprintf("the key is not that of the URL, %s", SURT(want.URL)))
	}
	return nil
}
