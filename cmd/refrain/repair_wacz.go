package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
)

// waczRepair says what a repair of a WACZ did.
type waczRepair struct {
	Copy    string               `json:"copy"`
	WARCs   []*warc.RepairReport `json:"warcs"`
	Pages   int64                `json:"pages"`
	Files   []string             `json:"files,omitempty"` // further ones that were taken over
	Lost    []lostEntry          `json:"lost,omitempty"`  // entries, or what of them
	Scanned bool                 `json:"scanned,omitempty"`
	// Signed: the damaged file was signed. The copy is not: a signature is over
	// the file as it was.
	Signed bool `json:"signed,omitempty"`
}

type lostEntry struct {
	Entry  string `json:"entry"`
	Reason string `json:"reason"`
}

// wacz makes a sound copy of a damaged WACZ: every whole record of its WARCs with
// a new index, every page that can be read, further files that fit their checksum.
// Where the directory of the ZIP is lost, records are looked for in the bytes.
func (c repairCmd) wacz(ctx context.Context, a *app, in *os.File, size int64) (err error) {
	name := c.Out
	if name == "" {
		name = strings.TrimSuffix(strings.TrimSuffix(c.File, ".open"), ".wacz") + ".repaired.wacz"
	}
	if _, err := os.Lstat(name); err == nil {
		return usage("repair: %s exists: give another name with --out", name)
	}
	report := waczRepair{Copy: name}
	f, openErr := wacz.Open(in, size)
	o := wacz.WriterOptions{Created: time.Now().UTC().Truncate(time.Second), Software: "refrain/" + version, TempDir: filepath.Dir(name),
		Description: "Repaired copy of " + filepath.Base(c.File) + ": what was whole in it."}
	if openErr == nil {
		if p, err := f.Package(); err == nil {
			o.Title, o.MainPageURL = p.Title, p.MainPageURL
			if at, err := time.Parse(time.RFC3339, p.MainPageDate); err == nil {
				o.MainPageDate = at
			}
		}
	}
	w, err := wacz.Create(name, o)
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	if openErr != nil || len(f.WARCs()) == 0 {
		report.Scanned = true
		reason := "nothing lies in archive/"
		if openErr != nil {
			reason = openErr.Error()
		}
		report.Lost = append(report.Lost, lostEntry{"", "the directory of the ZIP cannot be used (" + reason + "): records were looked for in the bytes of the file; the list of pages is lost"})
		if err := c.warcInto(ctx, w, &report, "recovered.warc.gz", in, size); err != nil {
			return fmt.Errorf("repair: %w", err)
		}
	} else if err := c.entries(ctx, w, f, &report); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	kept := int64(0)
	for _, r := range report.WARCs {
		kept += r.Kept
	}
	if kept == 0 {
		return fmt.Errorf("repair: %s holds no whole record: there is nothing to make a copy of", c.File)
	}
	if err := w.Close(ctx); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	if err := soundWACZ(ctx, name); err != nil {
		return err
	}
	return c.printWACZ(a, &report, kept)
}

// soundWACZ checks a copy; one that is not sound is taken away again.
func soundWACZ(ctx context.Context, name string) error {
	r, err := checkFile(ctx, name, "")
	if err == nil && r.Verdict == warc.Damaged {
		err = fmt.Errorf("repair: the copy %s is damaged too and was taken away: %s", name, firstDamage(r.WACZ))
	}
	if err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

func firstDamage(r *wacz.Report) string {
	for _, f := range r.Findings {
		if f.Severity == warc.SeverityDamage {
			return f.Entry + ": " + f.Detail
		}
	}
	return "no detail"
}

// entries takes over what is whole of each entry.
func (c repairCmd) entries(ctx context.Context, w *wacz.Writer, f *wacz.File, report *waczRepair) error {
	lost := func(entry string, err error) {
		report.Lost = append(report.Lost, lostEntry{entry, err.Error()})
	}
	names := map[string]bool{}
	for _, entry := range f.WARCs() {
		base := path.Base(entry)
		if !strings.HasSuffix(base, ".warc.gz") && !strings.HasSuffix(base, ".warc") || names[base] {
			lost(entry, errors.New("it has not the name of a WARC, or one that is there already"))
			continue
		}
		names[base] = true
		at, size, done, err := entryAtRandom(ctx, f, entry)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			lost(entry, err)
			continue
		}
		err = c.warcInto(ctx, w, report, base, at, size)
		done()
		if err != nil {
			return err
		}
	}
	for p, err := range f.Pages() {
		if err != nil {
			lost("pages/", err)
			if ctx.Err() != nil || len(report.Lost) > 10000 {
				break
			}
			continue
		}
		p.ID = "" // made anew, so that each is there once
		if err := w.AddPage(p); err != nil {
			lost("pages/", err)
			continue
		}
		report.Pages++
	}
	for _, name := range f.Names() {
		switch dir, _, _ := strings.Cut(name, "/"); {
		case dir == "archive", dir == "indexes", dir == "pages", name == "datapackage.json":
			continue // made anew
		case name == "datapackage-digest.json":
			var d struct {
				SignedData json.RawMessage `json:"signedData"`
			}
			if b, err := f.ReadFile(name, wacz.MaxManifest); err == nil && json.Unmarshal(b, &d) == nil && len(d.SignedData) > 0 {
				report.Signed = true
			}
			continue
		}
		if err := takeOver(ctx, w, f, name); err != nil {
			if ctx.Err() != nil {
				return err
			}
			lost(name, err)
			continue
		}
		report.Files = append(report.Files, name)
	}
	return nil
}

// maxTakenOver is the most bytes that a further file may have.
const maxTakenOver = 64 << 20

func takeOver(ctx context.Context, w *wacz.Writer, f *wacz.File, name string) error {
	data, err := f.ReadFile(name, maxTakenOver) // to its end, where the checksum stands
	if err != nil {
		return err
	}
	return w.AddFile(ctx, name, bytes.NewReader(data))
}

// maxUnpacked is the most bytes of a deflated WARC that are unpacked.
const maxUnpacked = 8 << 30

// entryAtRandom gives an entry for reading at random, unpacked to a temporary file
// if it must be; of one that ends early, what is there.
func entryAtRandom(ctx context.Context, f *wacz.File, name string) (io.ReaderAt, int64, func(), error) {
	if s, err := f.Section(name); err == nil {
		return s, s.Size(), func() {}, nil
	}
	rc, err := f.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	defer rc.Close() //nolint:errcheck // only read
	tmp, err := os.CreateTemp("", "refrain-repair-*")
	if err != nil {
		return nil, 0, nil, err
	}
	done := func() {
		tmp.Close()           //nolint:errcheck // temporary
		os.Remove(tmp.Name()) //nolint:errcheck // temporary
	}
	n, err := io.Copy(tmp, io.LimitReader(rc, maxUnpacked))
	if n == 0 && err != nil {
		done()
		return nil, 0, nil, err
	}
	return tmp, n, done, ctx.Err()
}

// warcInto repairs a WARC into the copy.
func (c repairCmd) warcInto(ctx context.Context, w *wacz.Writer, report *waczRepair, name string, in io.ReaderAt, size int64) error {
	tmp, err := os.CreateTemp("", "refrain-repair-*")
	if err != nil {
		return err
	}
	defer func() {
		tmp.Close()           //nolint:errcheck // temporary
		os.Remove(tmp.Name()) //nolint:errcheck // temporary
	}()
	out := bufio.NewWriterSize(tmp, 1<<18)
	r, err := warc.Repair(ctx, in, size, name, out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		report.Lost = append(report.Lost, lostEntry{"archive/" + name, err.Error()})
		return nil
	}
	report.WARCs = append(report.WARCs, r)
	if r.Kept == 0 {
		return nil
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if r.Before.Format == warc.FormatPlain {
		name = strings.TrimSuffix(name, ".gz")
	} else if !strings.HasSuffix(name, ".gz") {
		name += ".gz"
	}
	return w.AddWARC(ctx, name, bufio.NewReaderSize(tmp, 1<<18))
}

func (c repairCmd) printWACZ(a *app, report *waczRepair, kept int64) error {
	if a.JSON {
		return a.writeJSON(report)
	}
	places := int64(len(report.Lost))
	for _, l := range report.Lost {
		where := l.Entry
		if where == "" {
			where = c.File
		}
		if err := a.printf("lost: %s: %s", where, l.Reason); err != nil {
			return err
		}
	}
	for _, r := range report.WARCs {
		places += int64(len(r.Lost))
		for _, l := range r.Lost {
			id := ""
			if l.RecordID != "" {
				id = ", record " + l.RecordID
			}
			if err := a.printf("lost: %s, bytes %d to %d%s: %s", r.File, l.Offset, l.End, id, l.Reason); err != nil {
				return err
			}
		}
	}
	if report.Signed {
		if err := a.printf("the damaged file was signed; the copy is not, as the signature is over the file as it was: keep that file"); err != nil {
			return err
		}
	}
	return a.printf("%s: %s and %s kept, index made anew, %s lost; %s is as it was", report.Copy, plural(kept, "record"), plural(report.Pages, "page"), plural(places, "place"), c.File)
}
