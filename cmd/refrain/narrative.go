package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/narrative/engine"
	"github.com/refrain-archive/refrain/post"
)

// narrativeDir is the folder of the narratives' engine.
func narrativeDir(cfg config.Config) string { return filepath.Join(cfg.State, "narratives") }

// indexed is the corpus as the engine reads it.
type indexed struct{ *corpus.Store }

// Since implements engine.Source.
func (s indexed) Since(ctx context.Context, after int64, limit int) ([]engine.Seen, error) {
	list, err := s.Store.Since(ctx, after, limit)
	seen := make([]engine.Seen, len(list))
	for i, v := range list {
		seen[i] = engine.Seen(v)
	}
	return seen, err
}

// Seen implements engine.Source.
func (s indexed) Seen(ctx context.Context, id int64) (engine.Seen, bool, error) {
	v, ok, err := s.Store.Seen(ctx, id)
	return engine.Seen(v), ok, err
}

// Briefs implements engine.Posts.
func (s indexed) Briefs(ctx context.Context, rows []int64, f func(engine.Brief) error) error {
	return s.Store.Briefs(ctx, rows, func(b corpus.Brief) error { return f(engine.Brief(b)) })
}

// openEngine opens the engine and brings it up to date with the corpus.
func (a *app) openEngine(ctx context.Context, cfg config.Config, store *corpus.Store) (*engine.Engine, engine.Stats, error) {
	e, err := engine.Open(ctx, narrativeDir(cfg))
	if err != nil {
		return nil, engine.Stats{}, err
	}
	if err := a.withDictionaries(ctx, e); err != nil {
		return nil, engine.Stats{}, errors.Join(err, e.Close())
	}
	_, more, err := store.Newest(ctx, e.At())
	if err != nil {
		return nil, engine.Stats{}, errors.Join(err, e.Close())
	}
	show := newTicker(a)
	started := time.Now()
	stats, err := e.Index(ctx, indexed{store}, func(taken int64) {
		show.tick(func() string {
			return fmt.Sprintf("narratives: %d of %d posts, %.0f a second", taken, max(more, taken), float64(taken)/time.Since(started).Seconds())
		})
	})
	show.end()
	if err == nil {
		err = a.indexPictures(ctx, cfg, store, e)
	}
	if err == nil {
		err = a.indexClips(ctx, cfg, store, e)
	}
	if err != nil {
		return nil, stats, errors.Join(err, e.Close())
	}
	return e, stats, nil
}

// indexPictures takes the captured pictures that are new.
func (a *app) indexPictures(ctx context.Context, cfg config.Config, store *corpus.Store, e *engine.Engine) error {
	arch, err := a.openArchive(ctx, cfg, true)
	if err != nil {
		return err
	}
	show := newTicker(a)
	defer show.end()
	_, err = e.Pictures(ctx, files{store, arch}, func(s engine.PictureStats) {
		show.tick(func() string {
			return fmt.Sprintf("narratives: %s, %d of them pictures that are new", plural(int64(s.Files), "captured file"), s.Pictures)
		})
	})
	return err
}

// freshNarratives brings the narratives up to date. Another process that is at it
// does that instead.
func (a *app) freshNarratives(ctx context.Context, cfg config.Config, store *corpus.Store) (engine.Stats, error) {
	e, stats, err := a.openEngine(ctx, cfg, store)
	if errors.Is(err, fsys.ErrLocked) {
		a.say("refrain: another process is indexing narratives; this shows what it has done so far")
		return stats, nil
	}
	if err != nil {
		return stats, err
	}
	return stats, e.Close()
}

// A reading is everything that the verbs about narratives read.
type reading struct {
	cfg    config.Config
	corpus *corpus.Store
	store  *engine.Store
	*engine.Book
}

// read opens what is known of narratives, up to date.
func (a *app) read(ctx context.Context) (r *reading, err error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	r = &reading{cfg: cfg}
	if r.corpus, err = a.freshCorpusOf(ctx, cfg); err != nil {
		return nil, err
	}
	if _, err = a.freshNarratives(ctx, cfg, r.corpus); err == nil {
		err = r.open(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// open reads the narratives as they are.
func (r *reading) open(ctx context.Context) (err error) {
	if r.store == nil {
		if r.store, err = engine.OpenStore(ctx, narrativeDir(r.cfg)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there are no narratives yet: `refrain index` makes them")
		} else if err != nil {
			return err
		}
	}
	lines, err := r.corpus.Fetches(ctx, engine.ActURL)
	if err != nil {
		return err
	}
	acts, err := engine.ParseActs(lines)
	if err != nil {
		return err
	}
	r.Book, err = r.store.Book(ctx, indexed{r.corpus}, acts)
	return err
}

// Close closes what read opened.
func (r *reading) Close() error {
	var errs []error
	if r.store != nil {
		errs = append(errs, r.store.Close())
	}
	if r.corpus != nil {
		errs = append(errs, r.corpus.Close())
	}
	return errors.Join(errs...)
}

// key gives the key of the post that a user names by URL, key or id.
func (r *reading) key(ctx context.Context, name string) (string, error) {
	views, err := r.corpus.Posts(ctx, name)
	if err != nil {
		return "", err
	}
	switch len(views) {
	case 0:
		return "", fmt.Errorf("there is no post %s in the corpus: give its URL or PLATFORM:ID (`refrain search` finds posts)", name)
	case 1:
		return views[0].Post.Key(), nil
	}
	var keys []string
	for _, v := range views {
		keys = append(keys, v.Post.Key())
	}
	return "", usage("%s is the name of %d posts: give one of %s", name, len(views), strings.Join(keys[:min(len(keys), 5)], ", "))
}

// newest gives the newest observation that shows a post, as its view has it.
func (r *reading) newest(ctx context.Context, key string) (post.Post, error) {
	views, err := r.corpus.Posts(ctx, key)
	if err != nil || len(views) == 0 {
		return post.Post{}, errors.Join(err, fmt.Errorf("%s is not in the corpus", key))
	}
	return views[0].Post, nil
}

// recordOf says where the bytes lie that a post was read from.
func recordOf(p *post.Post) string {
	c := p.Capture
	switch {
	case c.Import != "" && c.RecordID != "":
		return fmt.Sprintf("imported, %s record %s", c.Import, c.RecordID)
	case c.Import != "":
		return fmt.Sprintf("imported, %s line %d", c.Import, c.Line)
	case c.File != "":
		return fmt.Sprintf("record %s in %s at %d", c.RecordID, c.File, c.Offset)
	}
	return "record " + c.RecordID
}

// noteAct is the type of an act of an analyst.
const noteAct = "act"

// act writes what an analyst decided into the archive, and reads the narratives
// anew.
func (a *app) act(ctx context.Context, r *reading, act engine.Act) error {
	act.Type, act.URL, act.By, act.At = noteAct, engine.ActURL, r.cfg.Contact, time.Now().UTC().Truncate(time.Microsecond)
	arch, err := a.openArchive(ctx, r.cfg, false)
	if err != nil {
		return err
	}
	_, err = arch.WritePage(ctx, act, act.At, post.Capture{}, nil)
	if err == nil {
		err = arch.Sync(ctx)
	}
	closed, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if err = errors.Join(err, arch.Close(closed)); err != nil {
		return fmt.Errorf("keep the act in the archive: %w", err)
	}
	if err := a.takeInNew(ctx, r); err != nil {
		return err
	}
	return r.open(ctx)
}

// takeInNew takes in what was written since.
func (a *app) takeInNew(ctx context.Context, r *reading) error {
	arch, err := a.openArchive(ctx, r.cfg, true)
	if err != nil {
		return err
	}
	return a.takeIn(ctx, arch, r.corpus)
}

// actLine reads a page line that is an act.
func actLine(line json.RawMessage) (at time.Time, url string, ok bool) {
	var act struct {
		Type, URL string
		At        time.Time
	}
	if json.Unmarshal(line, &act) != nil || act.Type != noteAct || act.URL == "" {
		return time.Time{}, "", false
	}
	return act.At, act.URL, true
}
