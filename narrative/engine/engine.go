package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/refrain-archive/refrain/narrative/cluster"
	"github.com/refrain-archive/refrain/narrative/image"
	"github.com/refrain-archive/refrain/narrative/text"
	"github.com/refrain-archive/refrain/narrative/video"
	"github.com/refrain-archive/refrain/post"
)

// A Seen is one observation that shows a post, as a Source gives it.
type Seen struct {
	ID     int64 // grows in the order of observations
	Row    int64 // number of the post
	Again  bool  // an earlier observation shows the post too
	Record string
	Post   post.Post
}

// A Source gives the posts that are to be indexed: the corpus.
type Source interface {
	// Since gives the next observations after one in their order, at most limit;
	// none at the end. Of a post it needs Platform, ID, Kind, Title, Text, the URLs
	// of Media, Links, Hashtags, Mentions, and Role and ID of Refs.
	Since(ctx context.Context, after int64, limit int) ([]Seen, error)
	// Seen gives one observation; false if there is none.
	Seen(ctx context.Context, id int64) (Seen, bool, error)
}

// batchSize is how many observations are taken in one transaction: less than a
// second of work is done again after a crash.
const batchSize = 2000

// An Engine indexes posts. One at a time has a folder open. It is not safe for
// concurrent use.
type Engine struct {
	*Store
	dir    string
	ix     *text.Index
	images *image.Index // nil until it is asked for
	videos *video.Index // as images
	tr     translator
	conn   *sql.Conn
	st     map[string]*sql.Stmt
	c      *cluster.Clusters
	itemOf []int32  // text → item
	textOf []uint32 // item → text, or text.NoText

	at      int64 // observation
	record  string
	key     string
	failed  error
	changed map[int]bool
	fresh   map[int]newItem
	objects objectSet
	rows    pending
}

// A newItem is what the row of an item holds beside its state.
type newItem struct {
	text, object      sql.NullInt64
	post, observation int64
	signal            string
	by                sql.NullInt64
	short             bool
}

// Open opens the engine in a folder, and makes it if there is none. It fails with
// an error that is fsys.ErrLocked when another process has it open. What another
// version made, or what is not whole, is taken away, to be made anew by Index.
func Open(ctx context.Context, dir string) (*Engine, error) {
	e, err := open(ctx, dir)
	if errors.Is(err, errVersion) || errors.Is(err, errBehind) {
		if err = Remove(dir); err == nil {
			e, err = open(ctx, dir)
		}
	}
	return e, err
}

// errBehind says that the text index holds less than the store says.
var errBehind = errors.New("the text index has less than the narratives were made of")

// removeAll takes away indexes that lie in the folder of an engine, and the store
// last: what is left by a crash is without a store, and then made anew.
func removeAll(dir string, indexes []string) error {
	for _, name := range indexes {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(filepath.Join(dir, "narratives.sqlite"+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Remove takes away what an engine keeps in a folder. No engine may be open in it.
func Remove(dir string) error {
	return removeAll(dir, []string{"text", "translations", "images", "videos"})
}

func open(ctx context.Context, dir string) (e *Engine, err error) {
	if err := os.MkdirAll(filepath.Join(dir, "text"), 0o755); err != nil {
		return nil, fmt.Errorf("open the narratives: %w", err)
	}
	e = &Engine{dir: dir, st: map[string]*sql.Stmt{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.release())
		}
	}()
	if e.Store, err = openStore(ctx, dir); err != nil {
		return e, err
	}
	var mark int64
	err = e.db.QueryRowContext(ctx, "SELECT observation, record, key, mark FROM progress").Scan(&e.at, &e.record, &e.key, &mark)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return e, fmt.Errorf("open %s: %w", e.path, err)
	}
	if err := e.readTranslator(ctx); err != nil {
		return e, fmt.Errorf("open %s: %w", e.path, err)
	}
	if e.ix, err = text.Open(filepath.Join(dir, "text"), text.Options{Through: max(mark, 1)}); err != nil {
		return e, err
	}
	if has, err := e.ix.Mark(); err != nil {
		return e, err
	} else if has < mark {
		return e, errBehind
	}
	e.c, err = e.clusters(ctx, func(id int, t, _ sql.NullInt64, _, _ int64, _ bool) {
		e.note(id, t)
	})
	if err != nil {
		return e, fmt.Errorf("open %s: %w", e.path, err)
	}
	if _, texts := e.ix.Size(); texts != len(e.itemOf) {
		return e, errBehind
	}
	if err := e.readObjects(ctx); err != nil {
		return e, fmt.Errorf("open %s: %w", e.path, err)
	}
	if e.conn, err = e.db.Conn(ctx); err != nil {
		return e, fmt.Errorf("open %s: %w", e.path, err)
	}
	return e, nil
}

// note keeps which text is which item.
func (e *Engine) note(id int, t sql.NullInt64) {
	number := uint32(text.NoText)
	if t.Valid {
		number = uint32(t.Int64)
		e.itemOf = append(e.itemOf, int32(id)) // texts come in their order
	}
	e.textOf = append(e.textOf, number)
}

func (e *Engine) release() error {
	var errs []error
	for _, st := range e.st {
		errs = append(errs, st.Close())
	}
	if e.conn != nil {
		errs = append(errs, e.conn.Close())
	}
	if e.ix != nil {
		errs = append(errs, e.ix.Close())
	}
	if e.images != nil {
		errs = append(errs, e.images.Close())
	}
	if e.videos != nil {
		errs = append(errs, e.videos.Close())
	}
	if e.tr.ix != nil {
		errs = append(errs, e.tr.ix.Close())
	}
	if e.Store != nil {
		errs = append(errs, e.Store.Close())
	}
	return errors.Join(errs...)
}

// Close closes the engine. Nothing that Index reported is lost if it is not
// called.
func (e *Engine) Close() error {
	if e.failed != nil && e.ix != nil {
		// What stands in the text index and not in the store is cut off when it is
		// opened again.
		e.c = nil
	}
	return e.release()
}

// At is the last observation that was taken.
func (e *Engine) At() int64 { return e.at }

// Texts gives the index of texts, to be asked.
func (e *Engine) Texts() *text.Index { return e.ix }

// Item gives the item of a text, and false for a number that no text has.
func (e *Engine) Item(t uint32) (int, bool) {
	if int64(t) >= int64(len(e.itemOf)) {
		return 0, false
	}
	return int(e.itemOf[t]), true
}

// Index takes what the source has beyond the last observation that was taken. It
// returns when all of it is durable; with the error of ctx after a batch that is
// durable too. progress, if not nil, is told of each batch that is. A source that
// does not go on from what was taken is taken anew from its start.
func (e *Engine) Index(ctx context.Context, src Source, progress func(taken int64)) (Stats, error) {
	if e.failed != nil {
		return Stats{}, fmt.Errorf("the narratives stopped after a failure; open them again: %w", e.failed)
	}
	if same, err := e.follows(ctx, src); err != nil {
		return Stats{}, err
	} else if !same {
		if err := e.restart(ctx, "text", "translations", "images", "videos"); err != nil {
			return Stats{}, err
		}
	}
	var sum Stats
	for {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		list, err := src.Since(ctx, e.at, batchSize)
		if err != nil || len(list) == 0 {
			return sum, err
		}
		// A batch is not stopped in its middle.
		s, err := e.batch(context.WithoutCancel(ctx), list)
		if err != nil {
			e.failed = err
			return sum, err
		}
		sum.add(s)
		if progress != nil {
			progress(int64(sum.Observations))
		}
	}
}

// follows reports whether the source has the observation that was taken last.
func (e *Engine) follows(ctx context.Context, src Source) (bool, error) {
	if e.at == 0 {
		return true, nil
	}
	s, ok, err := src.Seen(ctx, e.at)
	return ok && s.Record == e.record && s.Post.Key() == e.key, err
}

// restart takes away the store and indexes, to be made anew.
func (e *Engine) restart(ctx context.Context, indexes ...string) error {
	if err := e.release(); err != nil {
		return err
	}
	if err := removeAll(e.dir, indexes); err != nil {
		return err
	}
	fresh, err := open(ctx, e.dir)
	if err != nil {
		e.failed = err
		return err
	}
	fresh.tr.from, fresh.tr.fingerprint = e.tr.from, e.tr.fingerprint
	*e = *fresh
	return nil
}

// Stats counts what Index did.
type Stats struct {
	Observations int `json:"observations"` // that were taken
	Posts        int `json:"posts"`        // of them with a text or version of a text that is new of the post
	Texts        int `json:"texts"`        // distinct texts that are new
	Linked       int `json:"linked"`       // of them linked to earlier ones
	Copies       int `json:"copies"`       // posts with a text that was there
	Wordless     int `json:"wordless"`     // posts without words
	Links        int `json:"links"`
	Translations int `json:"translations"` // links with texts in another language, possible ones too
	Mergers      int `json:"mergers"`
	TooLong      int `json:"too_long"` // posts that were not compared
	Cut          int `json:"cut"`      // posts of which only the beginning was compared
}

func (s *Stats) add(o Stats) {
	s.Observations += o.Observations
	s.Posts += o.Posts
	s.Texts += o.Texts
	s.Linked += o.Linked
	s.Copies += o.Copies
	s.Wordless += o.Wordless
	s.Links += o.Links
	s.Translations += o.Translations
	s.Mergers += o.Mergers
	s.TooLong += o.TooLong
	s.Cut += o.Cut
}
