package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/narrative/engine"
	"github.com/refrain-archive/refrain/post"
)

type indexCmd struct{}

func (indexCmd) Help() string {
	return `The verbs that read the corpus and the narratives do this first; run it alone to have it done beforehand.
It takes what is new. Stopped or killed, it goes on where it was when it is run again.
` + exitCodes
}

func (indexCmd) Run(ctx context.Context, a *app) (err error) {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	store, err := a.freshCorpusOf(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	show := newTicker(a)
	err = store.Index(ctx, func(done, total int) {
		show.tick(func() string { return fmt.Sprintf("search: %d of %d posts", done, total) })
	})
	show.end()
	if err != nil {
		return err
	}
	return a.indexNarratives(ctx, cfg, store)
}

// indexNarratives brings the narratives up to date and prints what there is.
func (a *app) indexNarratives(ctx context.Context, cfg config.Config, store *corpus.Store) error {
	stats, err := a.freshNarratives(ctx, cfg, store)
	if err != nil {
		return err
	}
	a.noteNoDictionaries()
	t, err := store.Totals(ctx)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.writeJSON(struct {
			corpus.Totals
			Indexed engine.Stats `json:"narratives_indexed"`
		}{t, stats})
	}
	if err := a.printTotals(ctx, store); err != nil {
		return err
	}
	more := ""
	if stats.TooLong+stats.Cut > 0 {
		more = fmt.Sprintf("; %s too long to be compared, %d compared by their beginning", plural(int64(stats.TooLong), "post"), stats.Cut)
	}
	return a.printf("narratives: %s taken: %s that are new (%d linked to earlier ones), %s, %s without words, %s (%d by translation)%s", plural(int64(stats.Observations), "observation"),
		plural(int64(stats.Texts), "text"), stats.Linked, countCopies(stats.Copies), plural(int64(stats.Wordless), "post"), plural(int64(stats.Links+stats.Translations), "link"), stats.Translations, more)
}

func countCopies(n int) string {
	if n == 1 {
		return "1 copy"
	}
	return fmt.Sprintf("%d copies", n)
}

type rebuildCmd struct{}

func (rebuildCmd) Help() string {
	return `The corpus is made beside the old one and takes its place when it is whole; then the narratives are
made of it. What analysts decided about narratives is in the archive, and is applied again.
` + exitCodes
}

func (rebuildCmd) Run(ctx context.Context, a *app) (err error) {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	arch, err := a.openArchive(ctx, cfg, true)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	final := filepath.Join(cfg.State, "corpus.sqlite")
	fresh := filepath.Join(cfg.State, "corpus.new.sqlite")
	if err := os.MkdirAll(cfg.State, 0o755); err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	if err := removeDatabase(fresh); err != nil {
		return fmt.Errorf("rebuild: take away an unfinished corpus: %w", err)
	}
	store, err := corpus.Open(ctx, fresh)
	if err != nil {
		return err
	}
	err = a.takeIn(ctx, arch, store)
	if err == nil {
		err = store.Index(ctx, nil)
	}
	if err = errors.Join(err, store.Close()); err != nil {
		return err
	}
	if err := removeDatabase(final); err != nil {
		return fmt.Errorf("rebuild: take away the old corpus: %w", err)
	}
	if err := os.Rename(fresh, final); err != nil {
		return fmt.Errorf("rebuild: put the new corpus in place: %w", err)
	}
	if store, err = corpus.Open(ctx, final); err != nil {
		return err
	}
	defer closing(&err, store)
	// What was made of the old corpus is taken away by the engine itself where it
	// does not follow the new one; here it goes in any case.
	if err := engine.Remove(narrativeDir(cfg)); err != nil {
		return fmt.Errorf("rebuild: take away the old narratives: %w", err)
	}
	return a.indexNarratives(ctx, cfg, store)
}

// removeDatabase removes a SQLite file with what belongs to it.
func removeDatabase(path string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// freshCorpus opens the corpus and takes in what the archive has beyond it.
func (a *app) freshCorpus(ctx context.Context) (*corpus.Store, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	return a.freshCorpusOf(ctx, cfg)
}

func (a *app) freshCorpusOf(ctx context.Context, cfg config.Config) (*corpus.Store, error) {
	arch, err := a.openArchive(ctx, cfg, true)
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no archive at %s yet: `refrain collect` makes one, --archive names another", cfg.Archive)
	}
	if err != nil {
		return nil, err
	}
	store, err := openCorpus(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := a.takeIn(ctx, arch, store); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// takeInBatch is how many posts go into the corpus in one transaction.
const takeInBatch = 1000

// takeIn brings the corpus up to date with the archive's posts files. A corpus
// that holds more than the archive is made anew: lines that were taken in while
// their segment was open, and that a power cut took away before they were
// durable, stand for nothing any more.
func (a *app) takeIn(ctx context.Context, arch *archive.Archive, store *corpus.Store) error {
	show := newTicker(a)
	defer show.end()
	lost, err := a.takeInSegments(ctx, arch, store, show)
	if err != nil {
		return fmt.Errorf("bring the corpus up to date: %w", err)
	}
	if lost == "" {
		return forgetDeleted(ctx, store)
	}
	a.say("refrain: segment %s has less than the corpus had from it, as after a power cut: the corpus is made anew from the archive", lost)
	if err := store.Reset(ctx); err != nil {
		return fmt.Errorf("bring the corpus up to date: %w", err)
	}
	if lost, err = a.takeInSegments(ctx, arch, store, show); err == nil && lost != "" {
		err = fmt.Errorf("segment %s lost lines again while it was read: is its storage sound? See `refrain verify`", lost)
	}
	if err != nil {
		return fmt.Errorf("make the corpus anew: %w", err)
	}
	return forgetDeleted(ctx, store)
}

// takeInSegments takes in what is new. It stops at a segment that has lost what
// the corpus has from it, and names it.
func (a *app) takeInSegments(ctx context.Context, arch *archive.Archive, store *corpus.Store, show *ticker) (lost string, err error) {
	unfinished, err := store.Unfinished(ctx)
	if err != nil {
		return "", err
	}
	there := map[string]bool{}
	for s, err := range arch.Segments(ctx) {
		if err != nil {
			return "", err
		}
		there[string(s.Name)] = true
		if whole, err := a.takeInSegment(ctx, arch, store, s, show); err != nil {
			return "", fmt.Errorf("segment %s: %w", s.Name, err)
		} else if !whole {
			return string(s.Name), nil
		}
	}
	for _, name := range unfinished {
		if taken, _, err := store.Taken(ctx, name); err != nil {
			return "", err
		} else if taken > 0 && !there[name] { // nothing of it was durable
			return name, nil
		}
	}
	return "", nil
}

// takeInSegment takes in what is new in one segment. It gives false where the
// segment has fewer lines than were taken in from it, and takes nothing then.
func (a *app) takeInSegment(ctx context.Context, arch *archive.Archive, store *corpus.Store, s archive.Segment, show *ticker) (whole bool, err error) {
	taken, done, err := store.Taken(ctx, string(s.Name))
	if err != nil || done {
		return true, err
	}
	b := batcher{store: store, collectors: a.collectors(), segment: string(s.Name)}
	for line, err := range arch.Posts(ctx, s.Name) {
		if err != nil {
			return false, err
		}
		b.line++
		if b.line <= taken {
			continue
		}
		if line.Page != nil && b.posts+len(b.fetches) >= takeInBatch { // a fetch stays together with its posts
			if err := b.flush(ctx, b.line-1, false); err != nil {
				return false, err
			}
			show.tick(func() string { return fmt.Sprintf("corpus: segment %s, line %d", s.Name, b.line) })
		}
		if err := b.add(line); err != nil {
			return false, fmt.Errorf("line %d: %w", b.line, err)
		}
	}
	if b.line < taken {
		return false, nil
	}
	return true, b.flush(ctx, b.line, !s.Open)
}

// A batcher gathers the lines of a posts file into fetches with their posts.
type batcher struct {
	store      *corpus.Store
	collectors []crawlers.Collector
	segment    string
	line       int64 // lines read of the file
	fetches    []corpus.Fetch
	posts      int
}

func (b *batcher) add(line archive.PostLine) error {
	if line.Page != nil {
		fetch, err := fetchOf(line, b.collectors)
		if err != nil {
			return err
		}
		if fetch.Record != "" {
			b.fetches = append(b.fetches, fetch)
		}
		return nil
	}
	b.posts++
	p := line.Post
	record := p.Capture.RecordID
	if n := len(b.fetches); n > 0 && (b.fetches[n-1].Record == record || record == "" && importedFrom(b.fetches[n-1].Record, p.Capture.Import)) {
		b.fetches[n-1].Posts = append(b.fetches[n-1].Posts, p)
		return nil
	}
	// Posts whose page line was taken in before, or that were imported.
	if record == "" {
		record = fmt.Sprintf("%s:%d", p.Capture.Import, p.Capture.Line)
	}
	b.fetches = append(b.fetches, corpus.Fetch{Record: record, URL: p.URL, Platform: p.Platform, Outcome: p.Outcome, FetchedAt: p.FetchedAt, Line: json.RawMessage("{}"), Posts: []post.Post{p}})
	return nil
}

// importedFrom reports whether a record is a line of that imported file.
func importedFrom(record, file string) bool {
	return file != "" && strings.HasPrefix(record, file) && strings.HasPrefix(record[len(file):], ":")
}

// noteOf gives the fetch that keeps a note of an import, so that the next import
// of the same file finds it, an act of an analyst, or a file. Other lines give none.
func noteOf(line archive.PostLine) (corpus.Fetch, error) {
	if at, address, ok := actLine(line.Page); ok {
		return corpus.Fetch{Record: line.RecordID, URL: address, Outcome: post.OK, FetchedAt: at, Line: line.Page}, nil
	}
	if f, ok := assetFetch(line); ok {
		return f, nil
	}
	var n importNote
	if err := json.Unmarshal(line.Page, &n); err != nil || n.Type != noteImport {
		return corpus.Fetch{}, nil
	}
	return corpus.Fetch{Record: line.RecordID, URL: n.URL, Platform: n.Platform, Outcome: post.OK, FetchedAt: n.At, Line: line.Page}, nil
}

// assetFetch reads a page line that is of a file.
func assetFetch(line archive.PostLine) (corpus.Fetch, bool) {
	var l assetLine
	if json.Unmarshal(line.Page, &l) != nil || l.Type != noteAsset {
		return corpus.Fetch{}, false
	}
	record := l.Capture.RecordID
	if record == "" {
		record = line.RecordID
	}
	return corpus.Fetch{Record: record, URL: l.URL, Role: corpus.RoleAsset, Outcome: l.Outcome, Reason: l.Reason, FetchedAt: l.Fetched, Line: line.Page}, true
}

// flush takes in what was gathered: the segment's first lines are in the corpus
// then.
func (b *batcher) flush(ctx context.Context, lines int64, done bool) error {
	err := b.store.Ingest(ctx, corpus.Batch{Fetches: b.fetches, Segment: b.segment, Lines: lines, Done: done})
	b.fetches, b.posts = nil, 0
	return err
}

// fetchOf reads a page line. Lines of other kinds (assets) give a fetch without
// a record.
func fetchOf(line archive.PostLine, collectors []crawlers.Collector) (corpus.Fetch, error) {
	page, _, err := crawlers.ParseLine(line.Page)
	if err != nil {
		return corpus.Fetch{}, err
	}
	if page == nil {
		return noteOf(line)
	}
	f := corpus.Fetch{
		Record: page.Capture.RecordID, URL: page.URL, Method: page.Method, Platform: page.Platform, Route: page.Route, Role: string(page.Role),
		Outcome: page.Outcome, Reason: page.Reason, Status: page.Status, FetchedAt: page.FetchedAt, Line: line.Page,
	}
	if page.Capture.Import != "" && f.Record == "" {
		f.Record = fmt.Sprintf("%s:%d", page.Capture.Import, page.Capture.Line)
	}
	if f.Record == "" { // no exchange was made: the page line itself is the record of the finding
		f.Record = line.RecordID
	}
	if page.Ref != nil {
		f.Ref, f.RefURL = page.Ref.Key(), page.Ref.URL
		switch page.Ref.Kind {
		case crawlers.RefPost, crawlers.RefComment, crawlers.RefQuestion, crawlers.RefPage:
			f.RefPost = page.Ref.ID
		}
	}
	for _, i := range page.Identities {
		f.Identities = append(f.Identities, corpus.Identity{Kind: string(i.Kind), Alias: i.Alias, ID: i.ID, URL: i.URL, Named: isHandle(collectors, i)})
	}
	return f, nil
}

// isHandle reports whether what an alias of an account leads to is another name
// of it, not its native id: a new handle, or the host that took its place.
func isHandle(collectors []crawlers.Collector, i crawlers.Identity) bool {
	u, err := url.Parse(i.URL)
	if err != nil || u.Host == "" || i.Kind != crawlers.RefAccount {
		return false
	}
	if strings.EqualFold(u.Hostname(), i.ID) {
		return true
	}
	_, ref, ok := crawlers.Match(collectors, u)
	if !ok || strings.Trim(i.ID, "0123456789") == "" {
		return false
	}
	return ref.Alias && ref.Kind == crawlers.RefAccount && strings.EqualFold(ref.ID, i.ID) || ref.Kind == crawlers.RefPost && strings.EqualFold(ref.Of, i.ID)
}

func (a *app) printTotals(ctx context.Context, store *corpus.Store) error {
	t, err := store.Totals(ctx)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.writeJSON(t)
	}
	return a.printf("corpus: %s (%s), %s, %s", plural(t.Posts, "post"), plural(t.Observations, "observation"), plural(t.Accounts, "account"), plural(t.Fetches, "fetch"))
}

// A ticker shows slow work: a line now and then.
type ticker struct {
	app  *app
	next time.Time
	used bool
}

func newTicker(a *app) *ticker { return &ticker{app: a, next: time.Now().Add(time.Second)} }

func (t *ticker) tick(line func() string) {
	now := time.Now()
	if t.app.Quiet || now.Before(t.next) {
		return
	}
	if t.app.terminal {
		fmt.Fprintf(t.app.err, "\r\x1b[K%s", shorten(line(), 118)) //nolint:errcheck // a notice
		t.next, t.used = now.Add(200*time.Millisecond), true
		return
	}
	fmt.Fprintln(t.app.err, line()) //nolint:errcheck // a notice
	t.next = now.Add(10 * time.Second)
}

func (t *ticker) end() {
	if t.used {
		fmt.Fprint(t.app.err, "\r\x1b[K") //nolint:errcheck // a notice
	}
}
