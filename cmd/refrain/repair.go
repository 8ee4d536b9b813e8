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

	"github.com/klauspost/compress/gzip"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

type repairCmd struct {
	File string `arg:"" help:"Damaged WARC, WACZ or CDXJ file. It is only read."`
	Out  string `short:"o" placeholder:"FILE" help:"The sound copy (default: NAME.repaired.warc.gz, .wacz or .cdxj beside it). It must not exist."`
	WARC string `name:"warc" placeholder:"FILE" help:"The WARC that a CDXJ file is of (default: the file of its name beside it)."`
}

func (repairCmd) Help() string {
	return `Of a WARC: writes a copy with every record that is whole, byte for byte, and says what was lost; of the
WARC of a segment of ours, index and posts file are made anew beside the copy. Of a WACZ: a copy with every
whole record, a new index and the pages that can be read; where the directory of the ZIP is lost, records
are looked for in its bytes. Of a CDXJ: makes the index anew from its WARC. The original is never changed.

Examples:
  refrain repair crawl.warc.gz
  refrain repair case.wacz
` + exitCodes
}

func (c repairCmd) Run(ctx context.Context, a *app) error {
	in, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	defer in.Close() //nolint:errcheck // only read
	if looksCDXJ(in) || strings.EqualFold(filepath.Ext(c.File), ".cdxj") {
		return c.index(ctx, a)
	}
	info, err := in.Stat()
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	if looksWACZ(in) || strings.EqualFold(filepath.Ext(c.File), ".wacz") {
		return c.wacz(ctx, a, in, info.Size())
	}
	ending := ".warc"
	if isGzip(in) {
		ending = ".warc.gz"
	}
	name := c.name(ending)
	var report *warc.RepairReport
	err = c.write(name, func(w io.Writer) (err error) {
		report, err = warc.Repair(ctx, in, info.Size(), filepath.Base(c.File), w)
		if err == nil && report.Kept == 0 {
			err = fmt.Errorf("%s holds no whole record: there is nothing to make a copy of", c.File)
		}
		return err
	})
	if err != nil {
		return err
	}
	var made []string
	if _, _, isSegment := archive.ParseName(strings.TrimSuffix(c.File, ".open")); isSegment && strings.HasSuffix(name, archive.WARCEnding) {
		if made, err = c.rest(ctx, name); err != nil {
			return err
		}
	}
	if a.JSON {
		return a.writeJSON(struct {
			Copy string   `json:"copy"`
			Made []string `json:"made,omitempty"` // index and posts file of a segment
			*warc.RepairReport
		}{name, made, report})
	}
	for _, file := range made {
		if err := a.printf("%s: made anew from the copy", file); err != nil {
			return err
		}
	}
	for _, l := range report.Lost {
		where := fmt.Sprintf("bytes %d to %d", l.Offset, l.End)
		if l.End == 0 {
			where = fmt.Sprintf("from byte %d", l.Offset)
		}
		id := ""
		if l.RecordID != "" {
			id = ", record " + l.RecordID
		}
		if err := a.printf("lost: %s%s: %s", where, id, l.Reason); err != nil {
			return err
		}
	}
	return a.printf("%s: %s kept (%d packed anew), %s lost; %s is as it was", name, plural(report.Kept, "record"), report.Repacked, plural(int64(len(report.Lost)), "place"), c.File)
}

// index makes a CDXJ anew from its WARC.
func (c repairCmd) index(ctx context.Context, a *app) (err error) {
	of, err := warcOf(c.File, c.WARC)
	if err != nil {
		return usage("repair: %w", err)
	}
	file, err := os.Open(of)
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	name := c.name(".cdxj")
	var stats cdx.Stats
	lost := 0
	err = c.write(name, func(w io.Writer) error {
		sorter := cdx.NewSorter(cdx.SortOptions{})
		options := cdx.IndexOptions{Damaged: func(d *warc.Damage) {
			lost++
			a.say("refrain: repair: %v", d)
		}}
		var err error
		stats, err = cdx.Index(ctx, bufio.NewReaderSize(file, 1<<20), filepath.Base(of), options, sorter.Add)
		if err == nil {
			_, err = sorter.WriteTo(w)
		}
		return errors.Join(err, sorter.Close())
	})
	if err != nil {
		return err
	}
	if a.JSON {
		err = a.writeJSON(map[string]any{"copy": name, "warc": of, "lines": stats.Lines, "records": stats.Records, "damaged": lost})
	} else {
		err = a.printf("%s: %s of %s of %s; %s is as it was", name, plural(stats.Lines, "line"), plural(stats.Records, "record"), of, c.File)
	}
	if err == nil && lost > 0 {
		return partly("repair: %s of %s could not be indexed: repair the WARC first", plural(int64(lost), "place"), of)
	}
	return err
}

// name is the name of the copy.
func (c repairCmd) name(ending string) string {
	if c.Out != "" {
		return c.Out
	}
	stem := c.File
	for _, suffix := range []string{".open", ".gz", ".warc", ".cdxj"} {
		stem = strings.TrimSuffix(stem, suffix)
	}
	return stem + ".repaired" + ending
}

// write lets f write a file that bears its name only when it is whole, and that
// replaces nothing.
func (c repairCmd) write(name string, f func(io.Writer) error) (err error) {
	if _, err := os.Lstat(name); err == nil {
		return usage("repair: %s exists: give another name with --out", name)
	}
	out, err := os.CreateTemp(filepath.Dir(name), ".refrain-repair-*")
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	buffer := bufio.NewWriterSize(out, 1<<20)
	err = errors.Join(f(buffer), buffer.Flush(), out.Chmod(0o644), out.Sync(), out.Close())
	if err == nil {
		err = os.Link(out.Name(), name) // does not replace
	}
	if err = errors.Join(err, os.Remove(out.Name())); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	return nil
}

// warcOf finds the WARC that an index is of: given, or of the same name beside it.
func warcOf(index, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	stem := strings.TrimSuffix(index, filepath.Ext(index))
	for _, candidate := range []string{stem + ".warc.gz", stem + ".warc", stem} {
		if _, err := os.Stat(candidate); err == nil && candidate != index {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("%s is an index: which WARC is it of? (--warc FILE)", index)
}

func isGzip(r io.ReaderAt) bool {
	_, err := gzip.NewReader(io.NewSectionReader(r, 0, 1<<20))
	return err == nil
}
