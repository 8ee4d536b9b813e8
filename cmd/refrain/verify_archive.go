package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/post"
)

// idKey stands for a record id: the first 16 bytes of its SHA-256.
type idKey [16]byte

func keyOfID(id string) idKey {
	sum := sha256.Sum256([]byte(id))
	return idKey(sum[:16])
}

// A segmentCheck is what was found out about one segment. It is kept until the
// whole archive is checked, so that a check that was stopped goes on.
type segmentCheck struct {
	Name     archive.Name             `json:"name"`
	Sizes    [3]int64                 `json:"sizes"` // of WARC, CDXJ and posts file, by which it is known again
	At       time.Time                `json:"at"`    // when the check ended
	Open     bool                     `json:"open,omitempty"`
	Reports  []verifyReport           `json:"reports"`
	Imported map[string]importedPosts `json:"imported,omitempty"`
	Records  int64                    `json:"records"`
}

// An archiveCheck is the check of one archive.
type archiveCheck struct {
	app  *app
	arch *archive.Archive
	dir  string // of what is kept between runs
}

// archive checks every segment: the WARC, its index, and that each post's capture
// is a record that is there; then that no record id is there twice in all of them
// and that what records refer to is somewhere; then imported files. Several
// segments are checked at a time.
func (v *verification) archive(ctx context.Context, name, state string, fresh bool, open func() (*archive.Archive, error)) (err error) {
	arch, err := open()
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	c := &archiveCheck{app: v.app, arch: arch, dir: filepath.Join(state, "verify")}
	if fresh {
		if err := os.RemoveAll(c.dir); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return fmt.Errorf("verify: make a folder for what was checked: %w", err)
	}
	show := newTicker(v.app)
	defer show.end()
	jobs := func(yield func(archive.Segment, error) bool) {
		for s, err := range arch.Segments(ctx) {
			if !yield(s, err) {
				return
			}
		}
	}
	n, kept := 0, 0
	var ids []string
	err = inOrder(ctx, v.parallel, jobs, c.segment, func(done *segmentCheck) error {
		n++
		if done.Open {
			v.app.say("%s is still open: it is checked when it is finished", done.Name)
			return nil
		}
		if done.At.Before(v.began) {
			kept++
		}
		ids = append(ids, c.idsFile(done.Name))
		v.records += done.Records
		for digest, of := range done.Imported {
			v.countAll(digest, of)
		}
		show.tick(func() string { return fmt.Sprintf("verify: %d segments, %d records", n, v.records) })
		for _, r := range done.Reports {
			if err := v.report(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("verify: stopped after %s; the same command goes on there: %w", plural(int64(n), "segment"), err)
		}
		return fmt.Errorf("verify: %w", err)
	}
	v.kept = kept
	if n == 0 {
		v.app.say("refrain: verify: the archive %s has no segment yet", name)
	}
	if len(ids) > 0 {
		if err := v.across(ctx, c.dir, ids); err != nil {
			return fmt.Errorf("verify: compare the segments: %w", err)
		}
	}
	if err := v.imports(ctx, arch); err != nil {
		return err
	}
	return os.RemoveAll(c.dir) // all is checked: the next run begins anew
}

func (c *archiveCheck) idsFile(name archive.Name) string {
	return filepath.Join(c.dir, string(name)+".ids")
}
func (c *archiveCheck) doneFile(name archive.Name) string {
	return filepath.Join(c.dir, string(name)+".json")
}

// segment checks one segment, or takes what an earlier run found out about the
// same files.
func (c *archiveCheck) segment(ctx context.Context, s archive.Segment) (*segmentCheck, error) {
	out := &segmentCheck{Name: s.Name, Sizes: [3]int64{s.Size, s.Index, s.Posts}, Open: s.Open}
	if s.Open {
		return out, nil
	}
	if data, err := os.ReadFile(c.doneFile(s.Name)); err == nil {
		var before segmentCheck
		_, ierr := os.Stat(c.idsFile(s.Name))
		if json.Unmarshal(data, &before) == nil && before.Name == s.Name && before.Sizes == out.Sizes && ierr == nil {
			return &before, nil
		}
	}
	if err := c.check(ctx, s, out); err != nil {
		return nil, fmt.Errorf("segment %s: %w", s.Name, err)
	}
	out.At = time.Now().UTC()
	data, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return out, replaceFile(c.doneFile(s.Name), data)
}

// replaceFile writes a file that is whole or not there.
func replaceFile(name string, data []byte) error {
	tmp := name + ".tmp"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

// seenRecords is what is remembered of the records of a segment.
type seenRecords struct {
	digests map[idKey][32]byte // payload digests; zero where the record has none
	deleted map[idKey]struct{} // records whose payload an act has deleted
	lines   map[idKey]struct{} // records that must have a line in the posts file
	wanted  map[idKey]string   // named by WARC-Concurrent-To and not met yet → offset and id of who names it
	ids     *bufio.Writer
	file    string
	err     error
}

func (s *seenRecords) record(rec *warc.ReadRecord) {
	id := rec.ID()
	k := keyOfID(id)
	var sum [32]byte
	if d, err := warc.ParseDigest(rec.Header.Get("WARC-Payload-Digest")); err == nil && len(d.Sum) == 32 {
		sum = [32]byte(d.Sum)
	}
	s.digests[k] = sum
	if rec.Header.Has(archive.DeletedField) {
		s.deleted[k] = struct{}{}
	}
	delete(s.wanted, k)
	if uri := rec.Header.TargetURI(); rec.Header.Type() == warc.TypeResource && (strings.HasPrefix(uri, "urn:refrain:post:") || strings.HasPrefix(uri, "urn:refrain:page:")) {
		s.lines[k] = struct{}{}
	}
	for _, to := range rec.Header.Values("WARC-Concurrent-To") {
		to = warc.TrimID(to)
		if _, ok := s.digests[keyOfID(to)]; !ok {
			s.wanted[keyOfID(to)] = fmt.Sprintf("%d %s %s", rec.Offset, id, to)
		}
	}
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.ids, "%x D %s %d %s\n", k, s.file, rec.Offset, id)
	}
}

func (c *archiveCheck) check(ctx context.Context, s archive.Segment, out *segmentCheck) (err error) {
	file := string(s.Name) + archive.WARCEnding
	if s.Size == 0 {
		out.Reports = append(out.Reports, verifyReport{File: file, Verdict: warc.Damaged, Findings: []string{"the WARC is missing"}})
		return replaceFile(c.idsFile(s.Name), nil)
	}
	tmp, err := os.Create(c.idsFile(s.Name) + ".tmp")
	if err != nil {
		return err
	}
	defer tmp.Close() //nolint:errcheck // closed below where it counts
	seen := &seenRecords{digests: map[idKey][32]byte{}, deleted: map[idKey]struct{}{}, lines: map[idKey]struct{}{}, wanted: map[idKey]string{}, ids: bufio.NewWriter(tmp), file: file}
	f, err := c.arch.OpenFile(ctx, s.Name, archive.WARCEnding)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	report, err := warc.Verify(ctx, f, f.Size, file, warc.VerifyOptions{Seen: seen.record, Elsewhere: func(string) bool { return true }})
	if err != nil {
		return err
	}
	out.Records = report.Records
	out.Reports = append(out.Reports, verifyReport{File: file, Verdict: report.Verdict, WARC: report})
	for k, who := range seen.wanted {
		if _, err := fmt.Fprintf(seen.ids, "%x R %s %s\n", k, file, who); err != nil {
			return err
		}
	}
	if err := errors.Join(seen.err, seen.ids.Flush(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), c.idsFile(s.Name)); err != nil {
		return err
	}
	if n := int64(len(seen.deleted)); n > 0 {
		r := &out.Reports[len(out.Reports)-1]
		if r.Verdict == warc.Sound {
			r.Verdict = warc.SoundWithRemarks
		}
		r.Deleted = n
		r.Findings = append(r.Findings, fmt.Sprintf("the payload of %s was deleted by a recorded act: a record that says so, with id, date and digests, stands in its place", plural(n, "record")))
	}
	if err := c.index(ctx, s, f, out); err != nil {
		return err
	}
	return c.posts(ctx, s, seen, out)
}

func (c *archiveCheck) index(ctx context.Context, s archive.Segment, warcFile *archive.File, out *segmentCheck) error {
	name := string(s.Name) + archive.IndexEnding
	index, err := c.arch.OpenFile(ctx, s.Name, archive.IndexEnding)
	if errors.Is(err, fs.ErrNotExist) {
		out.Reports = append(out.Reports, verifyReport{File: name, Verdict: warc.Damaged, Findings: []string{"the index is missing (`refrain repair` of the WARC makes it anew)"}})
		return nil
	}
	if err != nil {
		return err
	}
	defer index.Close() //nolint:errcheck // only read
	checked, err := cdx.VerifyCDXJ(ctx, bufio.NewReaderSize(io.NewSectionReader(index, 0, index.Size), 1<<18), warcFile, warcFile.Size, string(s.Name)+archive.WARCEnding)
	if err != nil {
		return err
	}
	out.Reports = append(out.Reports, verifyReport{File: name, Verdict: cdxVerdict(checked), CDXJ: checked})
	return nil
}

// A rawLine is a line of a posts file with its members as they stand.
type rawLine struct {
	RecordID string          `json:"record_id"`
	Post     json.RawMessage `json:"post"`
	Page     json.RawMessage `json:"page"`
}

// posts checks that each line of a segment's posts file is, byte for byte, the
// block of the record that it names, that each such record has its line, and that
// the capture which a post names lies where it says, with the payload digest that
// it says.
func (c *archiveCheck) posts(ctx context.Context, s archive.Segment, seen *seenRecords, out *segmentCheck) error {
	if s.Posts == 0 && len(seen.lines) == 0 {
		return nil
	}
	r := verifyReport{File: string(s.Name) + archive.PostsEnding, Verdict: warc.Sound}
	find := func(format string, args ...any) {
		r.Verdict = warc.Damaged
		if len(r.Findings) < 1000 {
			r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
		} else {
			r.More++
		}
	}
	remark := func(format string, args ...any) {
		if r.Verdict == warc.Sound {
			r.Verdict = warc.SoundWithRemarks
		}
		r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
	}
	done := func() error {
		out.Reports = append(out.Reports, r)
		return nil
	}
	f, err := c.arch.OpenFile(ctx, s.Name, archive.PostsEnding)
	if errors.Is(err, fs.ErrNotExist) {
		find("the posts file is missing; the WARC has %s for it (`refrain repair` of the WARC makes it anew)", plural(int64(len(seen.lines)), "line"))
		return done()
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	gz, err := gzip.NewReader(bufio.NewReaderSize(io.NewSectionReader(f, 0, f.Size), 64<<10))
	if err != nil {
		find("it cannot be unpacked: %v", err)
		return done()
	}
	lines := bufio.NewScanner(gz)
	lines.Buffer(make([]byte, 64<<10), maxPostsLine)
	for n := 1; lines.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var line rawLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			find("line %d cannot be understood: %v", n, err)
			continue
		}
		if err := c.line(ctx, n, &line, seen, out, &r, find); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		find("it cannot be read to its end: %v", err)
		return done()
	}
	if r.Deleted > 0 {
		remark("of %s the capture was deleted by a recorded act; what was read from it stays", plural(r.Deleted, "post"))
	}
	if n := len(seen.lines); n > 0 {
		find("%s of the WARC for posts and pages have no line in the posts file", plural(int64(n), "record"))
	}
	return done()
}

// maxPostsLine is the most bytes that a line of a posts file may have.
const maxPostsLine = 65 << 20

func (c *archiveCheck) line(ctx context.Context, n int, line *rawLine, seen *seenRecords, out *segmentCheck, r *verifyReport, find func(string, ...any)) error {
	k := keyOfID(line.RecordID)
	digest, ok := seen.digests[k]
	delete(seen.lines, k)
	said := line.Post
	if said == nil {
		said = line.Page
	}
	switch {
	case !ok:
		find("line %d: its record %s is not in the WARC", n, line.RecordID)
	case sha256.Sum256(said) != digest:
		find("line %d says something else than its record %s", n, line.RecordID)
	}
	if line.Post == nil {
		return nil
	}
	r.Posts++
	var p post.Post
	if err := json.Unmarshal(line.Post, &p); err != nil {
		find("line %d is no post: %v", n, err)
		return nil
	}
	at := p.Capture
	if at.Import != "" {
		if out.Imported == nil {
			out.Imported = map[string]importedPosts{}
		}
		of := out.Imported[at.Import]
		if of.N++; of.N == 1 {
			of.First = p.Key()
		}
		out.Imported[at.Import] = of
		return nil
	}
	if _, gone := seen.deleted[keyOfID(at.RecordID)]; gone {
		r.Deleted++
		return nil
	}
	var have string
	if sum, here := seen.digests[keyOfID(at.RecordID)]; here {
		if sum != [32]byte{} {
			have = "sha256:" + hex.EncodeToString(sum[:])
		}
	} else {
		// Its response may lie in another segment: a segment can end between them.
		rec, err := c.arch.ReadRecord(ctx, at)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			find("post %s: its capture cannot be read: %v", p.Key(), err)
			return nil
		}
		have = rec.Header.Get("WARC-Payload-Digest")
		if rec.Header.Has(archive.DeletedField) {
			have = at.PayloadDigest
			r.Deleted++
		}
		if err := rec.Close(); err != nil {
			return err
		}
	}
	if at.PayloadDigest != "" && have != at.PayloadDigest {
		find("post %s was read from a payload with digest %s, but record %s has %s", p.Key(), at.PayloadDigest, at.RecordID, have)
	}
	return nil
}

// across compares the records of all segments: no id may be there twice, and what
// a record names as belonging to it must be somewhere.
func (v *verification) across(ctx context.Context, dir string, files []string) (err error) {
	sorter := cdx.NewSorter(cdx.SortOptions{Memory: 16 << 20, Dir: dir})
	defer func() { err = errors.Join(err, sorter.Close()) }()
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() && err == nil {
			if err = ctx.Err(); err == nil {
				err = sorter.AddBytes(lines.Bytes())
			}
		}
		if err = errors.Join(err, lines.Err(), f.Close()); err != nil {
			return err
		}
	}
	r := verifyReport{File: "all segments together", Verdict: warc.Sound}
	find := func(verdict warc.Verdict, format string, args ...any) {
		if r.Verdict != warc.Damaged {
			r.Verdict = verdict
		}
		if len(r.Findings) < 1000 {
			r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
		} else {
			r.More++
		}
	}
	var key, defined string // of the id at hand; where it is
	out := &lineWriter{line: func(line string) {
		f := strings.Fields(line)
		if len(f) < 5 {
			return
		}
		if f[0] != key {
			key, defined = f[0], ""
		}
		switch {
		case f[1] == "D" && defined == "":
			defined = f[2] + " at offset " + f[3]
		case f[1] == "D":
			find(warc.Damaged, "the record id %s is there twice: %s, and %s at offset %s: which of the two is meant cannot be told", f[4], defined, f[2], f[3])
		case defined == "" && len(f) > 5:
			find(warc.SoundWithRemarks, "record %s (%s at offset %s) belongs to record %s, which is in no segment", f[4], f[2], f[3], f[5])
		}
	}}
	if _, err := sorter.WriteTo(out); err != nil {
		return err
	}
	r.Across = v.records
	return v.report(r)
}

// lineWriter gives each line that is written to it.
type lineWriter struct {
	line func(string)
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			w.rest = append(w.rest, p...)
			return n, nil
		}
		w.rest = append(w.rest, p[:i]...)
		w.line(string(w.rest))
		w.rest, p = w.rest[:0], p[i+1:]
	}
}

func (v *verification) countAll(digest string, more importedPosts) {
	of := v.imported[digest]
	if of.N == 0 {
		of.First = more.First
	}
	of.N += more.N
	if v.imported == nil {
		v.imported = map[string]importedPosts{}
	}
	v.imported[digest] = of
}
