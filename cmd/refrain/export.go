package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive/export"
	"github.com/refrain-archive/refrain/sensitive"
)

type exportCmd struct {
	What      []string `arg:"" optional:"" name:"what" help:"Posts by URL or PLATFORM:ID, accounts by URL or PLATFORM:NAME, and words and fields as for search."`
	WACZ      string   `name:"wacz" placeholder:"FILE" help:"Write a WACZ: the captures that the posts were read from, for ReplayWeb.page and every other reader of web archives."`
	JSONL     string   `name:"jsonl" placeholder:"FILE" help:"Write the posts as lines of JSON (- is standard output)."`
	CSV       string   `name:"csv" placeholder:"FILE" help:"Write the posts as a table, one row a post (- is standard output)."`
	BOM       bool     `name:"bom" help:"Begin the table with a byte order mark, so that Excel reads it as UTF-8."`
	List      []string `placeholder:"FILE" help:"File of posts and accounts, one URL, PLATFORM:ID or PLATFORM:NAME a line (- is standard input); can be repeated."`
	Narrative []string `placeholder:"ID" sep:"none" help:"Posts of that narrative, by its id or the beginning of it, its name, or a post that is in it; can be repeated."`
	Account   []string `placeholder:"NAME" help:"Posts of that account, by id, handle or name; can be repeated."`
	Since     string   `placeholder:"DAY" help:"Of what a query or account finds, only posts made from that day on."`
	Until     string   `placeholder:"DAY" help:"Of what a query or account finds, only posts made until the end of that day."`
	All       bool     `help:"Everything: every post, and in a WACZ all that was captured."`
	Blocklist []string `placeholder:"FILE" help:"List of hashes of payloads that must not be handed on, beside those of the configuration; can be repeated."`
	Redact    []string `placeholder:"WHAT" sep:"none" help:"Take personal data out of what is written: email, phone, or a file with one string or /regexp/ a line; can be repeated."`
	KeepBin   bool     `name:"keep-binary" help:"With --redact: keep pictures, videos and whatever else is not text, which cannot be redacted."`
	Title     string   `placeholder:"TEXT" help:"Title of the WACZ (default: what was selected)."`
}

func (exportCmd) Help() string {
	return `A WACZ stands alone: where a capture was not stored twice because the same bytes came before, those bytes
are in it too. Every record is compared with its digest on the way, and the file has its name only when it
was read back. It is written beside its place first: the disk needs room for it there. docs/export.md says
what is in it.

Examples:
  refrain export --wacz bridge.wacz '"the bridge will close"' platform:tumblr,reddit
  refrain export --wacz ana.wacz --csv ana.csv https://www.tumblr.com/ana
  refrain export --wacz case.wacz --list posts.txt
  refrain export --wacz closes.wacz --narrative q5xk3a
  refrain export --jsonl all.jsonl --all
` + exitCodes
}

// exportBudget is the heap of an export, in bytes (see limitMemory). The program's
// own file and SQLite take some 40 MiB beside it; docs/export.md has what was
// measured.
const exportBudget = 16 << 20

// exported is what --json writes.
type exported struct {
	WACZ  *export.Report `json:"wacz,omitempty"`
	JSONL *table         `json:"jsonl,omitempty"`
	CSV   *table         `json:"csv,omitempty"`

	// Redacted counts what was redacted in JSONL and CSV, by kind; WACZ has its own.
	Redacted map[string]int64 `json:"redacted,omitempty"`
}

// A table is a list of posts that was written.
type table struct {
	File  string `json:"file"`
	Posts int64  `json:"posts"`
}

func (c exportCmd) Run(ctx context.Context, a *app) (err error) {
	limitMemoryTo(exportBudget)
	if c.WACZ == "" && c.JSONL == "" && c.CSV == "" {
		return usage("export: say what to write: --wacz FILE, --jsonl FILE, --csv FILE")
	}
	if c.WACZ == "-" {
		return usage("export: a WACZ cannot go to standard output: give a file name")
	}
	if c.All && (len(c.What)+len(c.List)+len(c.Account)+len(c.Narrative) > 0 || c.Since+c.Until != "") {
		return usage("export: --all is everything: it goes with no query, post, account, narrative, list or time")
	}
	if len(c.Narrative) > 0 && len(c.What)+len(c.List)+len(c.Account) == 0 && c.Since+c.Until != "" {
		return usage("export: --since and --until narrow a query or an account, not a narrative: a part of it would pass for the whole")
	}
	for _, name := range []string{c.WACZ, c.JSONL, c.CSV} {
		if name == "" || name == "-" {
			continue
		}
		if _, err := os.Lstat(name); err == nil {
			return usage("export: %s is there already: choose another name", name)
		}
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	lists, err := sensitive.Open(append(cfg.Blocklists, c.Blocklist...)...)
	if err != nil {
		return usage("export: %w", err)
	}
	var guard export.Guard
	if lists.Len() > 0 {
		guard = lists
	}
	redactor, err := c.redactor()
	if err != nil {
		return err
	}
	store, err := a.freshCorpusOf(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	if err := store.LimitMemory(ctx, 4<<20); err != nil {
		return err
	}
	selected, err := c.selection(ctx, a, store)
	if err != nil {
		return err
	}
	var done exported
	posts := export.Selection(selected.posts)
	var redact export.Redactor
	if redactor != nil {
		redact = redactor
		done.Redacted = map[string]int64{}
		posts = posts.Redacted(redact, done.Redacted)
	}
	// Each file is whole or not there; what was written stays when a later one fails.
	if c.JSONL != "" {
		done.JSONL, err = c.table(ctx, a, c.JSONL, func(w io.Writer) (int64, error) { return export.JSONL(ctx, w, posts) })
	}
	if err == nil && c.CSV != "" {
		done.CSV, err = c.table(ctx, a, c.CSV, func(w io.Writer) (int64, error) { return export.CSV(ctx, w, posts, c.BOM) })
	}
	if err == nil && c.WACZ != "" {
		arch, oerr := a.openArchive(ctx, cfg, true)
		if oerr != nil {
			return fmt.Errorf("export: %w", oerr)
		}
		held, herr := heldRecords(ctx, store)
		if herr != nil {
			return fmt.Errorf("export: %w", herr)
		}
		show := newTicker(a)
		title := c.Title
		if title == "" {
			title = selected.words
		}
		done.WACZ, err = export.WACZ(ctx, c.WACZ, export.Options{
			Archive: arch, Posts: selected.posts, Everything: c.All, Guard: guard, Held: held, Redact: redact, KeepBinary: c.KeepBin, Title: title, Selection: selected.words, Operator: cfg.Contact,
			Software: "refrain/" + version, Created: time.Now().UTC().Truncate(time.Second),
			Progress: func(p export.Progress) {
				show.tick(func() string {
					return fmt.Sprintf("export: %s, %d MB copied, segment %d", plural(p.Records, "record"), p.Bytes>>20, p.Segments+1)
				})
			},
		})
		show.end()
	}
	if errors.Is(err, export.ErrEmpty) {
		return fmt.Errorf("export: nothing found: %s (`refrain search` shows what a query finds)", selected.words)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return a.printExported(done)
}

// redactor reads what --redact names; nil where it names nothing.
func (c exportCmd) redactor() (*sensitive.Redactor, error) {
	if len(c.Redact) == 0 {
		if c.KeepBin {
			return nil, usage("export: --keep-binary goes with --redact")
		}
		return nil, nil
	}
	r := &sensitive.Redactor{}
	for _, what := range c.Redact {
		if what == sensitive.RedactEmail || what == sensitive.RedactPhone {
			if err := r.Kind(what); err != nil {
				return nil, usage("export: --redact: %w", err)
			}
			continue
		}
		f, err := os.Open(what)
		if err != nil {
			return nil, usage("export: --redact takes email, phone or a file: %w", err)
		}
		err = r.Read(f)
		f.Close() //nolint:errcheck // only read
		if err != nil {
			return nil, usage("export: --redact %s: %w", what, err)
		}
	}
	return r, nil
}

// table writes a list of posts. A file has its name when it is whole.
func (c exportCmd) table(ctx context.Context, a *app, name string, write func(io.Writer) (int64, error)) (*table, error) {
	if name == "-" {
		out := bufio.NewWriterSize(a.out, 1<<16)
		n, err := write(out)
		return &table{name, n}, errors.Join(err, out.Flush())
	}
	t := &table{File: name}
	err := writeNew(name, func(w io.Writer) (err error) {
		t.Posts, err = write(w)
		if err == nil && t.Posts == 0 {
			err = export.ErrEmpty
		}
		return err
	})
	return t, err
}

// writeNew lets f write a file that bears its name only when it is whole, and
// that replaces nothing.
func writeNew(name string, f func(io.Writer) error) (err error) {
	out, err := os.CreateTemp(filepath.Dir(name), ".refrain-*")
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(out, 1<<20)
	err = errors.Join(f(buffer), buffer.Flush(), out.Chmod(0o644), out.Sync(), out.Close())
	if err == nil {
		err = os.Link(out.Name(), name) // does not replace
	}
	return errors.Join(err, os.Remove(out.Name()))
}

func (a *app) printExported(done exported) error {
	if a.JSON {
		if err := a.writeJSON(done); err != nil {
			return err
		}
	}
	for _, t := range []*table{done.JSONL, done.CSV} {
		if t == nil || a.JSON {
			continue
		}
		if t.File == "-" {
			a.say("%s written", plural(t.Posts, "post"))
		} else if err := a.printf("%s: %s", t.File, plural(t.Posts, "post")); err != nil {
			return err
		}
	}
	r := done.WACZ
	if r == nil {
		return nil
	}
	if !a.JSON {
		if err := a.printf("%s", strings.TrimRight(describeExport(r), "\n")); err != nil {
			return err
		}
	}
	if n := len(r.Problems) + r.More; n > 0 {
		return &exitError{exitPartly, errReported}
	}
	return nil
}

// describeExport says what is in a package, and what is not.
func describeExport(r *export.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s (%s of posts, %s of media), %s\n", r.File, plural(r.Posts, "post"), plural(r.Records, "record"), plural(r.Observations, "observation"), plural(r.Media, "capture"), plural(r.Pages+r.ExtraPages, "page"))
	fmt.Fprintf(&b, "  %d bytes, sha256 %s; read back and compared\n", r.Size, r.SHA256)
	if r.Originals > 0 {
		fmt.Fprintf(&b, "  %s beside the selection, because the same bytes were stored only once\n", plural(r.Originals, "capture"))
	}
	for _, in := range r.Imports {
		switch {
		case in.Object == "", in.Whole:
		case in.Records > 0:
			fmt.Fprintf(&b, "  of the imported file %s (%d bytes): %s\n", in.Object, in.Size, plural(in.Records, "record"))
		default:
			fmt.Fprintf(&b, "  not in it: the imported file %s (%d bytes), which %s were read from: hand it on beside the package\n", in.Object, in.Size, plural(in.Posts, "post"))
		}
	}
	if red := r.Redaction; red != nil {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(red.Kinds)) {
			kinds = append(kinds, fmt.Sprintf("%s %d", kind, red.Kinds[kind]))
		}
		if kinds == nil {
			kinds = []string{"nothing was found"}
		}
		fmt.Fprintf(&b, "  redacted: %s, in %s; %s left out\n", strings.Join(kinds, ", "), plural(red.Records, "record"), plural(red.LeftOut, "record"))
	}
	for _, w := range r.Withheld {
		if strings.HasPrefix(w.List, "redaction: ") {
			continue // counted above; export.json and --json list them
		}
		fmt.Fprintf(&b, "  withheld by the list %s: %s (record %s)\n", w.List, w.URL, w.RecordID)
	}
	for _, p := range r.Problems {
		where := ""
		if p.File != "" {
			where = fmt.Sprintf("%s at offset %d: ", p.File, p.Offset)
		}
		fmt.Fprintf(&b, "  missing: %s%s\n", where, p.Reason)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "  and %d more\n", r.More)
	}
	return b.String()
}
