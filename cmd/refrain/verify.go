package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
)

type verifyCmd struct {
	Files []string `arg:"" optional:"" name:"file" help:"WARC, ARC, WACZ or CDXJ files; without any, every segment of the archive is checked."`
	WARC  string   `name:"warc" placeholder:"FILE" help:"The WARC that a CDXJ file is of (default: the file of its name beside it)."`
}

func (verifyCmd) Help() string {
	return `The verdict of a file is one of
  sound               everything checked fits
  sound with remarks  all of it can be read and believed; something is odd (another tool's habits)
  damaged             a part cannot be read, or is not what its digest says

Examples:
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
	Posts    int64             `json:"posts,omitempty"` // checked against their capture
	Findings []string          `json:"findings,omitempty"`
}

func (c verifyCmd) Run(ctx context.Context, a *app) (err error) {
	v := &verification{app: a}
	if len(c.Files) == 0 {
		cfg, err := a.config()
		if err != nil {
			return err
		}
		if err := v.archive(ctx, cfg.Archive, func() (*archive.Archive, error) { return a.openArchive(ctx, cfg, true) }); err != nil {
			return err
		}
	}
	for _, name := range c.Files {
		if err := v.file(ctx, name, c.WARC); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
	}
	if !a.JSON {
		if err := a.printf("%s checked: %d sound, %d sound with remarks, %d damaged", plural(int64(v.sound+v.remarks+v.damaged), "file"), v.sound, v.remarks, v.damaged); err != nil {
			return err
		}
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
	before                  []earlier                // segments of the archive before the one at hand, the last ones
	imported                map[string]importedPosts // by the digest of the file
}

// earlier is a segment in which the records that later ones belong to may lie: a
// segment can end between a response and the posts that are read from it.
type earlier struct {
	name archive.Name
	ids  map[string]bool // of its responses and what stands for them; nil: not read yet
}

// maxEarlier is in how many segments before a record's response is looked for:
// that many processes may write into one archive at the same time.
const maxEarlier = 8

// holds reports whether a segment before the one at hand holds a record.
func (v *verification) holds(ctx context.Context, arch *archive.Archive, id string) bool {
	for i := len(v.before) - 1; i >= 0; i-- {
		e := &v.before[i]
		if e.ids == nil {
			e.ids = map[string]bool{}
			for rec, err := range arch.Records(ctx, e.name) {
				if err != nil {
					break // the report on that segment says what is damaged
				}
				if rec.Header.Type() != warc.TypeResource {
					e.ids[rec.ID()] = true
				}
			}
		}
		if e.ids[id] {
			return true
		}
	}
	return false
}

func (v *verification) report(r verifyReport) error {
	switch r.Verdict {
	case warc.Damaged:
		v.damaged++
	case warc.SoundWithRemarks:
		v.remarks++
	default:
		v.sound++
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
	return nil
}

// file checks a WARC, a WACZ or a CDXJ, told by its content.
func (v *verification) file(ctx context.Context, name, ofWARC string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a folder: to check an archive, write `refrain --archive %s verify`", name, name)
	}
	if looksWACZ(f) {
		report, err := wacz.Verify(ctx, f, info.Size(), filepath.Base(name))
		if err != nil {
			return err
		}
		return v.report(verifyReport{File: name, Verdict: report.Verdict, WACZ: report})
	}
	if looksCDXJ(f) {
		return v.cdxj(ctx, name, ofWARC)
	}
	report, err := warc.Verify(ctx, f, info.Size(), filepath.Base(name), warc.VerifyOptions{})
	if err != nil {
		return err
	}
	return v.report(verifyReport{File: name, Verdict: report.Verdict, WARC: report})
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

func (v *verification) cdxj(ctx context.Context, name, ofWARC string) (err error) {
	if ofWARC, err = warcOf(name, ofWARC); err != nil {
		return &exitError{exitUsage, err}
	}
	index, err := os.Open(name)
	if err != nil {
		return err
	}
	defer index.Close() //nolint:errcheck // only read
	file, err := os.Open(ofWARC)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	report, err := cdx.VerifyCDXJ(ctx, index, file, info.Size(), filepath.Base(ofWARC))
	if err != nil {
		return err
	}
	return v.report(verifyReport{File: name, Verdict: cdxVerdict(report), CDXJ: report})
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

// archive checks every segment: the WARC, its index, and that each post's
// capture is a record that is there.
func (v *verification) archive(ctx context.Context, name string, open func() (*archive.Archive, error)) (err error) {
	arch, err := open()
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	n := 0
	for s, err := range arch.Segments(ctx) {
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		n++
		if err := v.segment(ctx, arch, s); err != nil {
			return fmt.Errorf("verify: segment %s: %w", s.Name, err)
		}
		if v.before = append(v.before, earlier{name: s.Name}); len(v.before) > maxEarlier {
			v.before = v.before[1:]
		}
	}
	if n == 0 {
		v.app.say("refrain: verify: the archive %s has no segment yet", name)
	}
	return v.imports(ctx, arch)
}

func (v *verification) segment(ctx context.Context, arch *archive.Archive, s archive.Segment) error {
	if s.Open {
		v.app.say("%s is still open: it is checked when it is finished", s.Name)
		return nil
	}
	at := blob.ReaderAt(ctx, arch.Store(), s.Name.Key(archive.WARCEnding))
	report, err := warc.Verify(ctx, at, s.Size, string(s.Name)+archive.WARCEnding, warc.VerifyOptions{
		Elsewhere: func(id string) bool { return v.holds(ctx, arch, id) },
	})
	if err != nil {
		return err
	}
	if err := v.report(verifyReport{File: string(s.Name) + archive.WARCEnding, Verdict: report.Verdict, WARC: report}); err != nil {
		return err
	}
	file := string(s.Name) + archive.IndexEnding
	index, err := arch.Store().Get(ctx, s.Name.Key(archive.IndexEnding), 0, -1)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		if err := v.report(verifyReport{File: file, Verdict: warc.Damaged, Findings: []string{"the index is missing"}}); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		checked, err := cdx.VerifyCDXJ(ctx, bufio.NewReaderSize(index, 1<<20), at, s.Size, string(s.Name)+archive.WARCEnding)
		err = errors.Join(err, index.Close())
		if err != nil {
			return err
		}
		if err := v.report(verifyReport{File: file, Verdict: cdxVerdict(checked), CDXJ: checked}); err != nil {
			return err
		}
	}
	if s.Posts == 0 {
		return nil
	}
	return v.posts(ctx, arch, s)
}

// posts checks that each post of a segment names a capture that lies where it
// says, with the payload digest that it says, and that the resource record of
// the post is there with the same words.
func (v *verification) posts(ctx context.Context, arch *archive.Archive, s archive.Segment) error {
	r := verifyReport{File: string(s.Name) + archive.PostsEnding, Verdict: warc.Sound}
	find := func(format string, args ...any) {
		r.Verdict = warc.Damaged
		if len(r.Findings) < 1000 {
			r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
		}
	}
	digests := map[string]string{} // record id → payload digest, of this segment
	for rec, err := range arch.Records(ctx, s.Name) {
		if err != nil {
			break // the report on the WARC says what is damaged
		}
		digests[rec.ID()] = rec.Header.Get("WARC-Payload-Digest")
	}
	for line, err := range arch.Posts(ctx, s.Name) {
		if err != nil {
			find("%v", err)
			break
		}
		if line.Page != nil {
			continue
		}
		r.Posts++
		c := line.Post.Capture
		if _, ok := digests[line.RecordID]; !ok {
			find("post %s: its own record %s is not in the WARC", line.Post.Key(), line.RecordID)
		}
		if c.Import != "" {
			v.count(c.Import, line.Post.Key())
			continue
		}
		digest, ok := digests[c.RecordID]
		if !ok {
			// Its response may lie in the segment before: a segment can end between them.
			rec, err := arch.ReadRecord(ctx, c)
			if err != nil {
				find("post %s: its capture cannot be read: %v", line.Post.Key(), err)
				continue
			}
			digest = rec.Header.Get("WARC-Payload-Digest")
			if err := rec.Close(); err != nil {
				return err
			}
		}
		if c.PayloadDigest != "" && digest != c.PayloadDigest {
			find("post %s was read from a payload with digest %s, but record %s has %s", line.Post.Key(), c.PayloadDigest, c.RecordID, digest)
		}
	}
	return v.report(r)
}
