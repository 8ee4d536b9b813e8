package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
)

type verifyCmd struct {
	Files []string `arg:"" optional:"" name:"file" help:"WARC, ARC, WACZ or CDXJ files; without any, every segment of the archive is checked."`
	WARC  string   `name:"warc" placeholder:"FILE" help:"The WARC that a CDXJ file is of (default: the file of its name beside it)."`

	Parallel int  `default:"2" help:"Files that are checked at a time."`
	Summary  bool `help:"Say at the end in plain sentences what was checked, how, with which result, and what it does not show."`
	Fresh    bool `help:"Begin anew, and not where a check of this archive was stopped."`
}

func (verifyCmd) Help() string {
	return `The verdict of a file is one of
  sound               everything checked fits
  sound with remarks  all of it can be read and believed; something is odd (another tool's habits)
  damaged             a part cannot be read, or is not what its digest says

A check of an archive that is stopped (Ctrl-C) goes on there when the command is given again. With --json the
last line is the summary. docs/verify.md says what each check proves.

Examples:
  refrain verify --summary > report.txt
  refrain verify                  (the whole archive: WARC, CDXJ, posts against their captures, imported files)
  refrain verify crawl.warc.gz
` + exitCodes
}

// verifyReport is what --json writes for one file.
type verifyReport struct {
	File     string            `json:"file"`
	Verdict  warc.Verdict      `json:"verdict"`
	WARC     *warc.Report      `json:"warc,omitempty"`
	CDXJ     *cdx.VerifyReport `json:"cdxj,omitempty"`
	WACZ     *wacz.Report      `json:"wacz,omitempty"`
	Posts    int64             `json:"posts,omitempty"`   // checked against their capture
	Deleted  int64             `json:"deleted,omitempty"` // records whose payload was deleted by a recorded act, or posts that were read from them
	Across   int64             `json:"across,omitempty"`  // records of all segments, compared with each other
	Findings []string          `json:"findings,omitempty"`
	More     int               `json:"more,omitempty"` // findings beyond those listed
}

func (c verifyCmd) Run(ctx context.Context, a *app) (err error) {
	v := &verification{app: a, parallel: c.Parallel, began: time.Now()}
	if v.parallel < 1 || v.parallel > 64 {
		return usage("verify: --parallel is a number from 1 to 64")
	}
	if len(c.Files) == 0 {
		cfg, err := a.config()
		if err != nil {
			return err
		}
		if err := v.archive(ctx, cfg.Archive, cfg.State, c.Fresh, func() (*archive.Archive, error) { return a.openArchive(ctx, cfg, true) }); err != nil {
			return err
		}
	}
	names := func(yield func(string, error) bool) {
		for _, name := range c.Files {
			if !yield(name, nil) {
				return
			}
		}
	}
	if err := inOrder(ctx, v.parallel, names, func(ctx context.Context, name string) (verifyReport, error) { return checkFile(ctx, name, c.WARC) }, v.report); err != nil {
		return wrapVerify(err)
	}
	if err := v.end(c.Summary); err != nil {
		return err
	}
	if v.damaged > 0 {
		return &exitError{exitVerify, errReported}
	}
	return nil
}

// A verification counts verdicts and writes reports.
type verification struct {
	app                     *app
	sound, remarks, damaged int
	imported                map[string]importedPosts // by the digest of the file
	parallel                int                      // files that are checked at a time
	began                   time.Time
	records                 int64 // of segments
	kept                    int   // segments that an earlier run has checked
	kinds                   kinds
}

func (v *verification) report(r verifyReport) error {
	v.kinds.add(r)
	switch r.Verdict {
	case warc.Sound:
		if r.Across == 0 { // that is no file
			v.sound++
		}
	case warc.Damaged:
		v.damaged++
	case warc.SoundWithRemarks:
		v.remarks++
	}
	if v.app.JSON {
		return v.app.writeJSON(r)
	}
	what := ""
	switch {
	case r.WARC != nil:
		what = fmt.Sprintf(" (%s, %d digests fit)", plural(r.WARC.Records, "record"), r.WARC.Digests)
	case r.CDXJ != nil:
		what = fmt.Sprintf(" (%s)", plural(r.CDXJ.Lines, "line"))
	case r.WACZ != nil:
		what = describeWACZ(r.WACZ)
	case r.Across > 0:
		what = fmt.Sprintf(" (%s compared with each other)", plural(r.Across, "record"))
	case r.Posts > 0:
		what = fmt.Sprintf(" (%s, each with its capture)", plural(r.Posts, "post"))
	}
	if err := v.app.printf("%s: %s%s", r.File, r.Verdict, what); err != nil {
		return err
	}
	if r.WARC != nil {
		for _, f := range r.WARC.Findings {
			where := ""
			if f.RecordID != "" {
				where = ", record " + f.RecordID
			}
			if err := v.app.printf("  %s at offset %d%s: %s\n    %s", f.Severity, f.Offset, where, f.Detail, f.Meaning); err != nil {
				return err
			}
		}
		listed := 0
		for _, n := range r.WARC.Counts {
			listed += n
		}
		if listed > len(r.WARC.Findings) {
			if err := v.app.printf("  and %d more", listed-len(r.WARC.Findings)); err != nil {
				return err
			}
		}
	}
	if r.CDXJ != nil {
		for _, p := range r.CDXJ.Problems {
			if err := v.app.printf("  %s", p); err != nil {
				return err
			}
		}
	}
	if r.WACZ != nil {
		if err := v.printWACZ(r.WACZ); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		if err := v.app.printf("  %s", f); err != nil {
			return err
		}
	}
	if r.More > 0 {
		return v.app.printf("  and %d more", r.More)
	}
	return nil
}

// end writes the totals, and the summary where it is wanted.
func (v *verification) end(summary bool) error {
	s := v.summary(time.Now())
	if v.app.JSON {
		return v.app.writeJSON(struct {
			Summary verifySummary `json:"summary"`
			Sound   int           `json:"sound"`
			Remarks int           `json:"sound_with_remarks"`
			Damaged int           `json:"damaged"`
		}{s, v.sound, v.remarks, v.damaged})
	}
	if err := v.app.printf("%s checked: %d sound, %d sound with remarks, %d damaged", plural(int64(v.sound+v.remarks+v.damaged), "file"), v.sound, v.remarks, v.damaged); err != nil {
		return err
	}
	if summary {
		return s.print(v.app)
	}
	return nil
}

// wrapVerify names the verb, and leaves wrong usage what it is.
func wrapVerify(err error) error {
	var exit *exitError
	if errors.As(err, &exit) {
		return err
	}
	return fmt.Errorf("verify: %w", err)
}

// checkFile checks a WARC, a WACZ or a CDXJ, told by its content.
func checkFile(ctx context.Context, name, ofWARC string) (r verifyReport, err error) {
	f, err := os.Open(name)
	if err != nil {
		return r, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return r, err
	}
	if info.IsDir() {
		return r, fmt.Errorf("%s is a folder: to check an archive, write `refrain --archive %s verify`", name, name)
	}
	if looksWACZ(f) {
		report, err := wacz.Verify(ctx, f, info.Size(), filepath.Base(name))
		if err != nil {
			return r, err
		}
		return verifyReport{File: name, Verdict: report.Verdict, WACZ: report}, nil
	}
	if looksCDXJ(f) {
		return checkCDXJ(ctx, name, ofWARC)
	}
	report, err := warc.Verify(ctx, f, info.Size(), filepath.Base(name), warc.VerifyOptions{})
	if err != nil {
		return r, err
	}
	return verifyReport{File: name, Verdict: report.Verdict, WARC: report}, nil
}

// looksCDXJ reports whether a file begins like a CDXJ: a key, 14 to 17 digits,
// an object.
func looksCDXJ(r io.ReaderAt) bool {
	head := make([]byte, 8192)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return false
	}
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	_, rest, ok := strings.Cut(line, " ")
	digits := strings.TrimLeft(rest, "0123456789")
	return ok && len(rest)-len(digits) >= 14 && strings.HasPrefix(strings.TrimSpace(digits), "{")
}

func checkCDXJ(ctx context.Context, name, ofWARC string) (r verifyReport, err error) {
	if ofWARC, err = warcOf(name, ofWARC); err != nil {
		return r, &exitError{exitUsage, err}
	}
	index, err := os.Open(name)
	if err != nil {
		return r, err
	}
	defer index.Close() //nolint:errcheck // only read
	file, err := os.Open(ofWARC)
	if err != nil {
		return r, err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return r, err
	}
	report, err := cdx.VerifyCDXJ(ctx, index, file, info.Size(), filepath.Base(ofWARC))
	if err != nil {
		return r, err
	}
	return verifyReport{File: name, Verdict: cdxVerdict(report), CDXJ: report}, nil
}

func cdxVerdict(r *cdx.VerifyReport) warc.Verdict {
	switch {
	case !r.Sound:
		return warc.Damaged
	case len(r.Problems) > 0:
		return warc.SoundWithRemarks
	}
	return warc.Sound
}
