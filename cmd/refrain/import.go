package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/importers"
)

type importCmd struct {
	Files    []string `arg:"" name:"file" help:"Files of other tools; their form is told from their content."`
	Platform string   `placeholder:"NAME" help:"Take only items of this platform; needed where the file does not say whose they are."`
	DryRun   bool     `help:"Say what would be taken in and what not; change nothing."`
	Link     bool     `help:"Of WARC, ARC and WACZ: leave the file where it lies, and note its path, size and SHA-256 in the archive."`
}

func (importCmd) Help() string {
	titles := make([]string, 0, 20)
	for _, f := range importers.Formats() {
		titles = append(titles, f.Title())
	}
	return `The file goes into the archive byte for byte, then each post that is in it, pointing at its line. The same
file again changes nothing; an interrupted import goes on where it stopped when it is given again.
Forms: ` + strings.Join(titles, ", ") + `;
text may be packed with gzip or Zstandard. docs/importing.md describes them.

With --link a WARC, ARC or WACZ stays where it lies and is not copied: its posts are taken in, its captures are
found by all verbs, and its path, size and SHA-256 stand in the archive. A file that was moved is linked again
at its new place; one that was changed is never read for the one that was linked.

Examples:
  refrain import --dry-run zeeschuimer-export-tiktok.ndjson
  refrain import RS_2019-04.zst crawl.wacz page.html
  refrain import --link /mnt/disk/crawl-2024.warc.gz
` + exitCodes
}

// importedFile is what became of one file, as --json shows it.
type importedFile struct {
	File    string           `json:"file"`
	SHA256  string           `json:"sha256,omitempty"`
	Size    int64            `json:"size,omitempty"`
	State   string           `json:"state"` // imported, linked, known (nothing to do), dry_run, not_read, interrupted, failed
	Object  string           `json:"object,omitempty"`
	Link    string           `json:"link,omitempty"` // path at which it was linked
	Error   string           `json:"error,omitempty"`
	Report  importers.Report `json:"report,omitzero"`
	Seconds float64          `json:"seconds"`
}

func (c importCmd) Run(ctx context.Context, a *app) (err error) {
	if c.Platform == "twitter" {
		c.Platform = "x"
	}
	if c.Platform != "" && crawlers.ByPlatform(a.collectors(), c.Platform) == nil {
		return usage("import: no platform is named %q: see `refrain platforms`", c.Platform)
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	into := func() (*intake, error) { return a.openIntake(ctx, cfg) }
	if c.DryRun {
		into = func() (*intake, error) { return nil, nil }
	}
	in, err := into()
	if err != nil {
		return err
	}
	if in != nil {
		defer func() {
			if err = errors.Join(err, in.close(ctx)); c.Link && ctx.Err() == nil {
				err = errors.Join(err, a.indexCaptures(ctx, cfg))
			}
		}()
	}
	failed, partial := 0, 0
	for _, name := range c.Files {
		done, err := c.file(ctx, a, in, name)
		if err != nil {
			done.Error = err.Error()
		}
		if perr := a.printImported(done); perr != nil {
			return perr
		}
		switch {
		case ctx.Err() != nil:
			return partly("import: stopped: run the same command again to go on")
		case err != nil && !isFileError(err):
			return fmt.Errorf("import: %w", err)
		case err != nil:
			failed++
		case done.Report.Unread() > 0:
			partial++
		}
	}
	switch {
	case failed == len(c.Files):
		return &exitError{exitFailed, errReported}
	case failed+partial > 0:
		return &exitError{exitPartly, errReported}
	}
	return nil
}

// A fileError is about one file: the next ones can be imported all the same.
type fileError struct{ error }

func (e fileError) Unwrap() error { return e.error }

func isFileError(err error) bool {
	var f fileError
	return errors.As(err, &f)
}

// file imports one file, or only looks at it where in is nil.
func (c importCmd) file(ctx context.Context, a *app, in *intake, name string) (done importedFile, err error) {
	start := time.Now()
	done = importedFile{File: name, State: "failed"}
	defer func() { done.Seconds = time.Since(start).Round(time.Millisecond).Seconds() }()
	f, err := importers.Open(name)
	if err != nil {
		done.State = "not_read"
		return done, fileError{err}
	}
	defer closing(&err, f)
	done.Size = f.Size
	done.Report.Format = f.Form.Format
	show := newTicker(a)
	defer show.end()
	percent := func(n int64) int64 { return 100 * n / max(f.Size, 1) }
	digest, err := f.Digest(ctx, func(n int64) {
		show.tick(func() string { return fmt.Sprintf("%s: checksum, %d %%", name, percent(n)) })
	})
	if err != nil {
		return done, fileError{err}
	}
	done.SHA256 = digest
	o := importers.Options{Collectors: a.collectors(), Digest: digest, Platform: c.Platform}
	posts := int64(0)
	o.Progress = func(n int64) {
		show.tick(func() string { return fmt.Sprintf("%s: %d posts, %d %%", name, posts, percent(n)) })
	}
	count := func(e importers.Entry) { posts += int64(len(e.Page.Posts)) }
	if in == nil {
		done.Report, err = f.Read(ctx, o, func(e importers.Entry) error { count(e); return nil })
		done.State = "dry_run"
		if err != nil {
			return done, fileError{err}
		}
		return done, nil
	}
	link := ""
	if c.Link {
		if link, err = linkPath(f); err != nil {
			done.State = "not_read"
			return done, fileError{err}
		}
	}
	w, err := in.begin(ctx, f, digest, c.Platform, link)
	if err != nil {
		return done, err
	}
	done.Link = w.link
	if w.before.Done {
		done.State, done.Object, done.Report = "known", w.before.Object, w.before.Report
		if w.link == "" || w.before.Link == w.link {
			return done, nil
		}
		done.State = "linked"
		return done, w.relink(ctx)
	}
	o.After = w.before.Through
	if w.link != "" { // a file without posts has captures all the same
		if err := w.start(ctx); err != nil {
			return done, err
		}
	}
	done.Report, err = f.Read(ctx, o, func(e importers.Entry) error {
		count(e)
		return w.write(ctx, e)
	})
	done.Object = w.object
	interrupted := ctx.Err() != nil
	ended := err == nil && (w.link != "" || len(done.Report.Readers)+len(done.Report.Findings) > 0)
	if w.started && (err == nil || interrupted || isReading(err, w)) {
		if serr := w.end(context.WithoutCancel(ctx), done.Report, ended); serr != nil {
			return done, serr
		}
	}
	switch {
	case interrupted:
		done.State = "interrupted"
		return done, err
	case err != nil && w.failed != nil:
		return done, err
	case err != nil:
		if !w.started {
			done.State = "not_read"
		}
		return done, fileError{err}
	case !w.started && w.before.Through == 0:
		done.State = "not_read"
		return done, fileError{fmt.Errorf("%s: nothing in it could be read, so it was not kept", name)}
	}
	if done.State = "imported"; w.link != "" {
		done.State = "linked"
	}
	return done, nil
}

// linkPath gives the absolute path of a file that can be linked.
func linkPath(f *importers.File) (string, error) {
	if f.Form.Format != importers.FormatWARC && f.Form.Format != importers.FormatWACZ {
		return "", fmt.Errorf("%s: a file of the form %s cannot be linked, only WARC, ARC and WACZ: import it without --link, which keeps a copy", f.Name, f.Form.Format.Title())
	}
	path, err := filepath.Abs(f.Name)
	if err != nil {
		return "", fmt.Errorf("%s: where does it lie? %w", f.Name, err)
	}
	return path, nil
}

// isReading reports whether err is one of reading the file, not of writing.
func isReading(err error, w *importing) bool { return err != nil && w.failed == nil }

func (a *app) printImported(f importedFile) error {
	if a.JSON {
		return a.writeJSON(f)
	}
	var b strings.Builder
	r := f.Report
	fmt.Fprintf(&b, "%s\n", f.File)
	if r.Format != "" {
		fmt.Fprintf(&b, "  %s", r.Format.Title())
		if len(r.Exporters) > 0 {
			fmt.Fprintf(&b, ", exported by %s", strings.Join(r.Exporters, "; "))
		}
		b.WriteByte('\n')
	}
	if f.SHA256 != "" {
		fmt.Fprintf(&b, "  sha256 %s, %d bytes\n", f.SHA256, f.Size)
	}
	if r.Entries > 0 {
		fmt.Fprintf(&b, "  %s, %s%s%s\n", plural(r.Entries, "entry"), plural(r.Posts, "post"), counted(" (", r.Kinds, ")"), counted("; ", r.Platforms, ""))
	}
	for outcome, n := range r.Findings {
		fmt.Fprintf(&b, "  %d not there: %s\n", n, outcome)
	}
	for _, p := range r.Problems {
		where := ""
		if p.First > 0 {
			where = fmt.Sprintf(", the first at %d", p.First)
		}
		fmt.Fprintf(&b, "  not read: %d%s: %s\n", p.Count, where, shorten(p.Reason, 300))
	}
	switch f.State {
	case "known":
		b.WriteString("  in the archive already: nothing to do")
	case "imported":
		fmt.Fprintf(&b, "  kept as %s", f.Object)
	case "linked":
		fmt.Fprintf(&b, "  linked where it lies: %s", f.Link)
	case "dry_run":
		b.WriteString("  dry run: nothing was changed")
	case "interrupted":
		b.WriteString("  interrupted: what was read is kept; give the file again to go on")
	default:
		fmt.Fprintf(&b, "  not imported: %s", f.Error)
		f.Error = ""
	}
	if f.Error != "" && f.State != "interrupted" {
		fmt.Fprintf(&b, "\n  ended early: %s", f.Error)
	}
	return a.printf("%s", b.String())
}

// counted lists numbers by name, the largest first: " (video 12, comment 3)".
func counted(before string, numbers map[string]int64, after string) string {
	if len(numbers) == 0 {
		return ""
	}
	names := make([]string, 0, len(numbers))
	for name := range numbers {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if numbers[names[i]] != numbers[names[j]] {
			return numbers[names[i]] > numbers[names[j]]
		}
		return names[i] < names[j]
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, numbers[name])
	}
	return before + strings.Join(names, ", ") + after
}

// objectKey finds the object of an imported file, whatever its ending; "" if
// there is none.
func objectKey(ctx context.Context, arch *archive.Archive, digest string) (string, error) {
	for info, err := range arch.Store().List(ctx, "imports/"+digest, "") {
		if err != nil {
			return "", fmt.Errorf("look for the file in the archive: %w", err)
		}
		if name := path.Base(info.Key); name == digest || strings.HasPrefix(name, digest+".") {
			return info.Key, nil
		}
	}
	return "", nil
}

// current reports whether the readers that an import was made with are those of
// this program: if not, reading the file again may give more.
func current(readers []string, collectors []crawlers.Collector) bool {
	var now []string
	for _, c := range collectors {
		about := c.About()
		now = append(now, fmt.Sprintf("%s/%d", about.Platform, about.Reader))
	}
	now = append(now, fmt.Sprintf("import/%d", importers.Version))
	for _, reader := range readers {
		if !slices.Contains(now, reader) {
			return false
		}
	}
	return true
}
