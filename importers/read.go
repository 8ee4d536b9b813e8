package importers

import (
	"context"
	"fmt"
	"slices"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// Version is that of the readers in this package: raised when they read the
// same bytes differently. Readers of native items have their own versions.
//
//	1  first
const Version = 1

// An Entry is what one line, element, row or exchange of a file said.
type Entry struct {
	Number    int64              // of the line in a text file, else of the element or exchange; from 1
	Collector crawlers.Collector // of its platform; nil if none knows it
	Step      crawlers.Step      // with the Ref that the entry is about, where it says
	Exchange  crawlers.Exchange  // the request that it came from, as far as the file says; URL without session tokens
	Page      crawlers.Page      // posts complete, with their captures
	Exporter  string             // who exported it, as the file says
}

// Options is what a File is read with.
type Options struct {
	// Collectors read the items. Required.
	Collectors []crawlers.Collector
	// Digest is the SHA-256 of the file in lower-case hex. Required.
	Digest string
	// Platform is what the user says that the items are from; empty: the file
	// says it.
	Platform string
	// After passes over the entries up to that number.
	After int64
	// Progress, if not nil, is called often with the bytes read so far.
	Progress func(done int64)
}

// A Problem is something of a file that was not read, and why.
type Problem struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
	First  int64  `json:"first"` // number of the first such entry; 0 where entries have none
	// Unread: the entry is whole, but there is nothing that reads it.
	Unread bool `json:"unread,omitempty"`
}

// A Report says what became of a file.
type Report struct {
	Format    Format                 `json:"format"`
	Entries   int64                  `json:"entries"`             // lines, elements, rows or exchanges
	Posts     int64                  `json:"posts"`               // all kinds
	Kinds     map[string]int64       `json:"kinds,omitempty"`     // of posts
	Platforms map[string]int64       `json:"platforms,omitempty"` // of posts
	Findings  map[post.Outcome]int64 `json:"findings,omitempty"`  // entries that say that something is not there, by outcome
	Problems  []Problem              `json:"problems,omitempty"`
	Exporters []string               `json:"exporters,omitempty"` // the first ones
	Readers   []string               `json:"readers,omitempty"`   // NAME/VERSION
	Known     []string               `json:"known,omitempty"`     // platforms that had a collector; the caller's to fill in
}

// Unread is how many entries gave nothing although they should have.
func (r *Report) Unread() (n int64) {
	for _, p := range r.Problems {
		n += p.Count
	}
	return n
}

// maxProblems bounds how many kinds of problems are told apart.
const maxProblems = 50

func (r *Report) problem(number int64, unread bool, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	for i := range r.Problems {
		if p := &r.Problems[i]; p.Reason == reason {
			p.Count++
			return
		}
	}
	if len(r.Problems) >= maxProblems {
		last := &r.Problems[maxProblems-1]
		last.Reason = "other reasons"
		last.Count++
		return
	}
	r.Problems = append(r.Problems, Problem{Reason: reason, Count: 1, First: number, Unread: unread})
}

func (r *Report) count(e *Entry) {
	r.Posts += int64(len(e.Page.Posts))
	for i := range e.Page.Posts {
		p := &e.Page.Posts[i]
		r.Kinds[string(p.Kind)]++
		r.Platforms[p.Platform]++
		if !slices.Contains(r.Readers, p.Reader) && len(r.Readers) < 100 {
			r.Readers = append(r.Readers, p.Reader)
		}
	}
	if len(e.Page.Posts) == 0 && e.Page.Outcome.Scope() != post.ScopeServed {
		r.Findings[e.Page.Outcome]++
	}
	if e.Exporter != "" && len(r.Exporters) < 20 && !slices.Contains(r.Exporters, e.Exporter) {
		r.Exporters = append(r.Exporters, e.Exporter)
	}
}

// A reading is one pass over a file.
type reading struct {
	ctx    context.Context
	file   *File
	o      Options
	emit   func(Entry) error
	report Report
	made   string    // by which an archive file says that it was made
	shown  [2]string // the last address, and what is shown of it
	known  map[string]known
}

// known is the collector of a platform with its data sheet, which is made once.
type known struct {
	crawlers.Collector
	about crawlers.About
}

func (k known) About() crawlers.About { return k.about }

// Read reads the entries of the file in their order and calls emit for each
// that says something. What cannot be read is in the report, and reading goes
// on behind it; the error is for a file that ends early or cannot be read at
// all, for an error of emit, and for the end of ctx. The report holds what was
// read until then. An Entry is valid until emit returns.
func (f *File) Read(ctx context.Context, o Options, emit func(Entry) error) (Report, error) {
	r := &reading{ctx: ctx, file: f, o: o, emit: emit, report: Report{Format: f.Form.Format, Kinds: map[string]int64{}, Platforms: map[string]int64{}, Findings: map[post.Outcome]int64{}}}
	err := r.run()
	slices.Sort(r.report.Readers)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", f.Name, err)
	}
	return r.report, err
}

func (r *reading) run() error {
	form := r.file.Form
	switch form.Format {
	case FormatWARC, FormatWACZ, FormatHAR:
		return r.exchanges()
	}
	text, err := r.file.open()
	if err != nil {
		return err
	}
	defer text.Close() //nolint:errcheck // only read
	switch form.Format {
	case FormatPage:
		return r.page(text)
	case FormatAnswer:
		return r.answer(text)
	case FormatCrowdTangle, FormatMCL, FormatYTDT, FormatOwnCSV:
		return r.table(text)
	}
	read := r.item(form.Format)
	return values(text, form.layout, form.skip, func(n int64, value []byte, bad *broken) error {
		if err := r.begin(n, text.raw.n); err != nil {
			return err
		}
		if bad != nil {
			r.report.problem(n, false, "%s", bad.why)
			return nil
		}
		if n <= r.o.After {
			return nil
		}
		return read(n, value)
	})
}

// begin counts an entry.
func (r *reading) begin(n, done int64) error {
	r.report.Entries++
	if n%256 == 0 || n < 16 {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if r.o.Progress != nil {
			r.o.Progress(done)
		}
	}
	return nil
}

func (r *reading) capture(n int64) post.Capture {
	return post.Capture{Import: "sha256:" + r.o.Digest, Line: n}
}

// give emits an entry and counts it.
func (r *reading) give(e Entry) error {
	if err := r.emit(e); err != nil {
		return err
	}
	r.report.count(&e)
	return nil
}

// collector is the collector of a platform, nil if there is none.
func (r *reading) collector(platform string) crawlers.Collector {
	k, ok := r.known[platform]
	if !ok {
		if k.Collector = crawlers.ByPlatform(r.o.Collectors, platform); k.Collector != nil {
			k.about = k.Collector.About()
		}
		if r.known == nil || len(r.known) > 100 { // a file may name any number of platforms
			r.known = map[string]known{}
		}
		r.known[platform] = k
	}
	if k.Collector == nil {
		return nil
	}
	return k
}

// wrong reports whether the user said that the file is of another platform.
func (r *reading) wrong(platform string) bool {
	return r.o.Platform != "" && r.o.Platform != platform
}

// pageOf is a collector whose Read gives what read gives: so that crawlers.Read
// completes its posts.
type pageOf struct {
	crawlers.Collector
	read func() (crawlers.Page, error)
}

func (p pageOf) Read(crawlers.Step, crawlers.Exchange) (crawlers.Page, error) { return p.read() }

// exchanges reads an archive file: each exchange by the collector that knows it.
func (r *reading) exchanges() error {
	n := int64(0)
	return exchanges(r.file.file, r.file.Base(), r.file.Form.Format, "sha256:"+r.o.Digest, func(software string) { r.made = software }, func(ex crawlers.Exchange) error {
		n++
		if err := r.begin(n, min(r.file.Size, ex.Capture.Offset)); err != nil {
			return err
		}
		if n <= r.o.After {
			return nil
		}
		return r.exchange(n, ex)
	}, func(err error) error {
		r.report.problem(n, false, "damaged: %v", err)
		return nil
	})
}

// exchange reads one exchange. Pictures, styles and scripts are passed over:
// they are in the file for replay.
func (r *reading) exchange(n int64, ex crawlers.Exchange) error {
	if crawlers.IsAsset(ex) {
		return nil
	}
	c, ref, ok := crawlers.Identify(r.o.Collectors, ex)
	if !ok {
		page := crawlers.Page{}
		if page.Outcome, page.Reason = crawlers.Classify(ex); page.Outcome == "" {
			r.report.problem(n, true, "exchanges that no collector knows (other kinds of content, redirects)")
			return nil
		}
		return r.give(Entry{Number: n, Exchange: ex, Page: page, Exporter: r.made})
	}
	if r.wrong(crawlers.Platform(c)) {
		return nil
	}
	step := crawlers.Step{Ref: ref}
	page, err := crawlers.Read(c, step, ex)
	if err != nil {
		page = crawlers.Page{Outcome: post.LayoutChanged, Reason: err.Error()}
	}
	if ex.Truncated && page.Outcome == post.OK {
		page.Outcome, page.Reason = post.CutBody, "the body is cut: what was whole of it was read"
	}
	page.Next, page.Assets = nil, nil
	return r.give(Entry{Number: n, Collector: c, Step: step, Exchange: ex, Page: page, Exporter: r.made})
}
