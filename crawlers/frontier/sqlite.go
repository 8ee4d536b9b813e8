// Package frontier keeps what a run still has to fetch: on disk (Dir), so that a
// killed run goes on where it stopped, or in memory (Memory).
//
// # On disk
//
// Each unfinished run is one SQLite database, KEY.db in the frontier's folder,
// KEY being the first 32 hex digits of SHA-256 over the run's key. It is held
// under SQLite's exclusive lock while a process works on it, so a second
// process that is given the same seeds is refused, and the death of the first
// releases it. A finished run's file is removed: what was fetched stands in the
// archive.
//
//	meta     name, value           format, the run's whole key, the time it started
//	target   id, data              a crawlers.Target as JSON
//	step     id, key, target, host, ord, due, tries, state, outcome, data
//
// step.key is Item.Key and unique; step.data the Item as JSON, empty once it is
// done; due is in Unix microseconds, 0 for at once; state is an ItemState.
// Claiming reads the partial index step_todo (host, ord, id), which holds only
// what is still to do, and skips from host to host in it: neither the number of
// steps done nor the length of one host's queue slows it down.
//
// Journal mode is WAL with synchronous=NORMAL: a commit survives the death of
// the process; after a power cut the last ones may be undone, whose steps are
// then fetched once more.
package frontier

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"modernc.org/sqlite"
)

// Format is the version of the database.
//
//	1: the first
const Format = "1"

const schema = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS target (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS step (
	id INTEGER PRIMARY KEY,
	key BLOB NOT NULL,
	target INTEGER NOT NULL,
	host TEXT NOT NULL,
	ord INTEGER NOT NULL,
	due INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	state INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	data BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS step_key ON step (key);
CREATE INDEX IF NOT EXISTS step_todo ON step (host, ord, id) WHERE state = 0;
CREATE INDEX IF NOT EXISTS step_due ON step (due) WHERE state = 0 AND due > 0;
`

// Dir keeps runs in a folder. It is made when it is missing.
func Dir(path string) crawlers.Frontier { return dir(path) }

type dir string

func (d dir) Begin(ctx context.Context, key string) (crawlers.FrontierRun, error) {
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return nil, fmt.Errorf("open frontier: %w", err)
	}
	sum := sha256.Sum256([]byte(key))
	name := filepath.Join(string(d), fmt.Sprintf("%x.db", sum[:16]))
	r, err := open(ctx, name, key)
	if err != nil {
		var code *sqlite.Error
		if errors.As(err, &code) && code.Code()&0xff == 5 { // SQLITE_BUSY
			return nil, fmt.Errorf("open frontier %s: %w", name, crawlers.ErrBusy)
		}
		return nil, fmt.Errorf("open frontier %s: %w", name, err)
	}
	return r, nil
}

// Unfinished gives the keys of the runs in a folder that were started and not
// finished, and that nobody is at work on.
func Unfinished(ctx context.Context, folder string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.db"))
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, name := range names {
		db, err := connect(name)
		if err != nil {
			return nil, fmt.Errorf("open frontier %s: %w", name, err)
		}
		var key string
		err = db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'key' AND EXISTS (SELECT 1 FROM meta WHERE name = 'started')`).Scan(&key)
		db.Close()
		if err == nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

type run struct {
	db      *sql.DB
	conn    *sql.Conn
	name    string
	started bool
	cursor  string           // host that the last Claim ended with
	out     map[int64]string // items handed out: host by number
	perHost map[string]int   // items handed out

	// recent holds keys that the database has: the links that all pages of a site
	// share are not put to it again and again. It begins anew when it is full.
	recent map[[16]byte]struct{}

	begin, commit, rollback, claimHost, claimNext, finish, requeue, insert, setTarget, target *sql.Stmt
}

// recentKeys is how many keys recent holds, some 300 kB.
const recentKeys = 8192

func connect(name string) (*sql.DB, error) {
	// The name is a path, which may hold characters that mean something in a URI.
	q := url.Values{"_pragma": {"busy_timeout(200)", "locking_mode(EXCLUSIVE)", "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-4096)", "temp_store(MEMORY)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(name)}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func open(ctx context.Context, name, key string) (r *run, err error) {
	db, err := connect(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			if r != nil && r.conn != nil {
				r.conn.Close()
			}
			db.Close()
		}
	}()
	r = &run{db: db, name: name, out: map[int64]string{}, perHost: map[string]int{}, recent: map[[16]byte]struct{}{}}
	if r.conn, err = db.Conn(ctx); err != nil {
		return r, err
	}
	// A write takes the exclusive lock, which stays until the end.
	if _, err = r.conn.ExecContext(ctx, "BEGIN EXCLUSIVE;"+schema+"COMMIT;"); err != nil {
		return r, err
	}
	var format, have string
	switch err = r.conn.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'format'`).Scan(&format); {
	case errors.Is(err, sql.ErrNoRows):
		if _, err = r.conn.ExecContext(ctx, `INSERT INTO meta VALUES ('format', ?), ('key', ?)`, Format, key); err != nil {
			return r, err
		}
	case err != nil:
		return r, err
	case format != Format:
		return r, fmt.Errorf("has format %s, this program reads %s: finish the run with the program that began it, or remove the file to begin anew", format, Format)
	}
	var at string
	switch err = r.conn.QueryRowContext(ctx, `SELECT k.value, s.value FROM meta k, meta s WHERE k.name = 'key' AND s.name = 'started'`).Scan(&have, &at); {
	case err == nil:
		r.started = true
	case !errors.Is(err, sql.ErrNoRows):
		return r, err
	}
	if r.started && have != key {
		return r, fmt.Errorf("belongs to another run")
	}
	for _, s := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&r.claimNext, `SELECT host FROM step INDEXED BY step_todo WHERE state = 0 AND host > ? ORDER BY host LIMIT 1`},
		{&r.claimHost, `SELECT id, target, ord, due, tries, data FROM step INDEXED BY step_todo WHERE state = 0 AND host = ? AND due <= ? ORDER BY ord, id LIMIT ?`},
		{&r.begin, `BEGIN`},
		{&r.commit, `COMMIT`},
		{&r.rollback, `ROLLBACK`},
		{&r.finish, `UPDATE step SET state = ?, outcome = ?, tries = ?, data = CASE ? WHEN 2 THEN x'' ELSE data END WHERE id = ?`},
		{&r.requeue, `UPDATE step SET state = 0, outcome = ?, tries = ?, due = ? WHERE id = ?`},
		{&r.insert, `INSERT INTO step (key, target, host, ord, due, tries, state, outcome, data) VALUES (?, ?, ?, ?, ?, ?, 0, '', ?) ON CONFLICT (key) DO NOTHING`},
		{&r.setTarget, `INSERT INTO target (id, data) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data`},
		{&r.target, `SELECT data FROM target WHERE id = ?`},
	} {
		if *s.to, err = r.conn.PrepareContext(ctx, s.sql); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *run) Started() bool { return r.started }

// tx runs f between BEGIN and COMMIT. The statements are the connection's own,
// so they are not bound to a sql.Tx again and again.
func (r *run) tx(ctx context.Context, f func() error) error {
	if _, err := r.begin.ExecContext(ctx); err != nil {
		return err
	}
	err := f()
	if err == nil {
		_, err = r.commit.ExecContext(ctx)
	}
	if err != nil {
		clear(r.recent) // what was added is not there
		// The connection must not stay within a transaction, also after ctx ended.
		_, undo := r.rollback.ExecContext(context.WithoutCancel(ctx))
		if undo != nil && !strings.Contains(undo.Error(), "no transaction") {
			err = errors.Join(err, undo)
		}
	}
	return err
}

func (r *run) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("frontier %s: %s: %w", r.name, doing, err)
}

func (r *run) Start(ctx context.Context, started time.Time, targets iter.Seq2[crawlers.Target, []crawlers.Item]) error {
	if r.started {
		return r.fail("start", errors.New("the run was started before"))
	}
	err := r.tx(ctx, func() error {
		n := int64(0)
		for t, items := range targets {
			t.ID = n
			n++
			if err := r.putTarget(ctx, &t); err != nil {
				return err
			}
			for i := range items {
				items[i].Target = t.ID
				if _, _, err := r.add(ctx, &items[i]); err != nil {
					return err
				}
			}
		}
		_, err := r.conn.ExecContext(ctx, `INSERT INTO meta VALUES ('started', ?)`, started.UTC().Format(time.RFC3339Nano))
		return err
	})
	r.started = err == nil
	return r.fail("start", err)
}

func (r *run) putTarget(ctx context.Context, t *crawlers.Target) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = r.setTarget.ExecContext(ctx, t.ID, data)
	return err
}

// stored is the part of an Item that is not in columns.
type stored struct {
	Step  crawlers.Step  `json:"step"`
	Trail []string       `json:"trail,omitempty"`
	Asset crawlers.Asset `json:"asset,omitzero"`
}

// add stores an item and gives its number. It reports false for one whose key
// is there.
func (r *run) add(ctx context.Context, i *crawlers.Item) (int64, bool, error) {
	key := i.Key()
	if _, known := r.recent[key]; known {
		return 0, false, nil
	}
	data, err := json.Marshal(stored{i.Step, i.Trail, i.Asset})
	if err != nil {
		return 0, false, err
	}
	result, err := r.insert.ExecContext(ctx, key[:], i.Target, i.Host, i.Order, micros(i.NotBefore), i.Tries, data)
	if err != nil {
		return 0, false, err
	}
	if len(r.recent) >= recentKeys {
		clear(r.recent)
	}
	r.recent[key] = struct{}{}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return 0, false, err
	}
	id, err := result.LastInsertId()
	return id, true, err
}

func (r *run) handOut(i *crawlers.Item) {
	r.out[i.ID] = i.Host
	r.perHost[i.Host]++
}

func (r *run) takeBack(id int64) {
	host, ok := r.out[id]
	if !ok {
		return
	}
	delete(r.out, id)
	if r.perHost[host]--; r.perHost[host] == 0 {
		delete(r.perHost, host)
	}
}

func (r *run) Claim(ctx context.Context, q crawlers.Claim) ([]crawlers.Item, error) {
	var items []crawlers.Item
	perHost := q.PerHost
	if perHost <= 0 {
		perHost = q.Max
	}
	err := func() error {
		first, wrapped := "", false
		for len(items) < q.Max {
			var host string
			err := r.claimNext.QueryRowContext(ctx, r.cursor).Scan(&host)
			if errors.Is(err, sql.ErrNoRows) {
				if wrapped {
					return nil
				}
				r.cursor, wrapped = "", true
				continue
			}
			if err != nil {
				return err
			}
			if first == "" {
				first = host
			} else if wrapped && host >= first {
				return nil
			}
			r.cursor = host
			if q.Skip != nil && q.Skip(host) {
				continue
			}
			if err := r.claim(ctx, host, micros(q.Now), min(perHost, q.Max-len(items)), &items); err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil {
		return nil, r.fail("claim", err)
	}
	for i := range items {
		r.handOut(&items[i])
	}
	return items, nil
}

func (r *run) claim(ctx context.Context, host string, now int64, n int, items *[]crawlers.Item) error {
	// Those that are out lie among the first: ask for so many more.
	rows, err := r.claimHost.QueryContext(ctx, host, now, n+r.perHost[host])
	if err != nil {
		return err
	}
	for n > 0 && rows.Next() {
		i := crawlers.Item{Host: host}
		var due int64
		var data sql.RawBytes
		if err := rows.Scan(&i.ID, &i.Target, &i.Order, &due, &i.Tries, &data); err != nil {
			rows.Close()
			return err
		}
		if _, out := r.out[i.ID]; out {
			continue
		}
		n--
		var s stored
		if err := json.Unmarshal(data, &s); err != nil {
			rows.Close()
			return fmt.Errorf("step %d: %w", i.ID, err)
		}
		if due > 0 {
			i.NotBefore = time.UnixMicro(due).UTC()
		}
		i.Step, i.Trail, i.Asset = s.Step, s.Trail, s.Asset
		*items = append(*items, i)
	}
	return errors.Join(rows.Err(), rows.Close())
}

func (r *run) Commit(ctx context.Context, changes []crawlers.Change, take func(*crawlers.Item) bool) (added int, taken []crawlers.Item, err error) {
	if len(changes) == 0 {
		return 0, nil, nil
	}
	err = r.tx(ctx, func() error {
		targets := map[int64]*crawlers.Target{}
		for i := range changes {
			c := &changes[i]
			var err error
			if c.State == crawlers.ItemTodo {
				_, err = r.requeue.ExecContext(ctx, string(c.Outcome), c.Tries, micros(c.NotBefore), c.ID)
			} else {
				_, err = r.finish.ExecContext(ctx, int(c.State), string(c.Outcome), c.Tries, int(c.State), c.ID)
			}
			if err != nil {
				return err
			}
			for k := range c.Add {
				i := &c.Add[k]
				var isNew bool
				if i.ID, isNew, err = r.add(ctx, i); err != nil {
					return err
				}
				if isNew {
					added++
					if take != nil && take(i) {
						taken = append(taken, *i)
					}
				}
			}
			if c.Target != nil {
				targets[c.Target.ID] = c.Target // the last state is the one that counts
			}
		}
		for _, t := range targets {
			if err := r.putTarget(ctx, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, nil, r.fail("commit", err)
	}
	for i := range changes {
		r.takeBack(changes[i].ID)
	}
	for i := range taken {
		r.handOut(&taken[i])
	}
	return added, taken, nil
}

func (r *run) Target(ctx context.Context, id int64) (crawlers.Target, error) {
	var data []byte
	if err := r.target.QueryRowContext(ctx, id).Scan(&data); err != nil {
		return crawlers.Target{}, r.fail(fmt.Sprintf("target %d", id), err)
	}
	t := crawlers.Target{}
	err := json.Unmarshal(data, &t)
	t.ID = id
	return t, r.fail(fmt.Sprintf("target %d", id), err)
}

func (r *run) EachTarget(ctx context.Context, f func(crawlers.Target) error) error {
	rows, err := r.conn.QueryContext(ctx, `SELECT id, data FROM target ORDER BY id`)
	if err != nil {
		return r.fail("targets", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t crawlers.Target
		var id int64
		var data sql.RawBytes
		if err := rows.Scan(&id, &data); err != nil {
			return r.fail("targets", err)
		}
		if err := json.Unmarshal(data, &t); err != nil {
			return r.fail(fmt.Sprintf("target %d", id), err)
		}
		t.ID = id
		if err := f(t); err != nil {
			return err
		}
	}
	return r.fail("targets", rows.Err())
}

func (r *run) Waiting(ctx context.Context) (n int, due time.Time, err error) {
	var parked, all int
	if err := r.conn.QueryRowContext(ctx, `SELECT count(*) FROM step INDEXED BY step_todo WHERE state = 0`).Scan(&all); err != nil {
		return 0, time.Time{}, r.fail("count", err)
	}
	if n = all - len(r.out); n <= 0 {
		return 0, time.Time{}, nil
	}
	rows, err := r.conn.QueryContext(ctx, `SELECT id, due FROM step INDEXED BY step_due WHERE state = 0 AND due > 0 ORDER BY due`)
	if err != nil {
		return 0, time.Time{}, r.fail("count", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, micros int64
		if err := rows.Scan(&id, &micros); err != nil {
			return 0, time.Time{}, r.fail("count", err)
		}
		if _, out := r.out[id]; out {
			continue
		}
		if parked++; parked == 1 {
			due = time.UnixMicro(micros).UTC()
		}
	}
	if parked < n {
		due = time.UnixMicro(1).UTC()
	}
	return n, due, r.fail("count", rows.Err())
}

func (r *run) Tally(ctx context.Context) (t crawlers.Tally, err error) {
	rows, err := r.conn.QueryContext(ctx, `SELECT state, count(*) FROM step GROUP BY state`)
	if err != nil {
		return t, r.fail("count", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state, n int
		if err := rows.Scan(&state, &n); err != nil {
			return t, r.fail("count", err)
		}
		switch crawlers.ItemState(state) {
		case crawlers.ItemTodo:
			t.Todo += n
		case crawlers.ItemDone:
			t.Done += n
		case crawlers.ItemFailed:
			t.Failed += n
		}
	}
	return t, r.fail("count", rows.Err())
}

func (r *run) Finish(ctx context.Context) error {
	if err := r.Close(); err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(r.name + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return r.fail("remove the finished run", err)
		}
	}
	return nil
}

func (r *run) Close() error {
	// A connection with open statements would live on, and hold its lock.
	var err error
	for _, s := range []*sql.Stmt{r.begin, r.commit, r.rollback, r.claimHost, r.claimNext, r.finish, r.requeue, r.insert, r.setTarget, r.target} {
		err = errors.Join(err, s.Close())
	}
	return r.fail("close", errors.Join(err, r.conn.Close(), r.db.Close()))
}

// micros is a due time as it is stored: 0 for at once.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
