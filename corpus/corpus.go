// Package corpus keeps what was read from the archive in a form that can be
// searched: posts and their observations, accounts with their names over time,
// and fetches with their outcomes. It is derived: everything in it can be made
// anew from the archive (`refrain rebuild`), and gives the same answers.
//
// The store is one SQLite file (modernc.org/sqlite, no C compiler needed) in
// the state folder, never in the archive.
//
// # What is a fact here
//
// A post is one row, however often it was seen. Each time it was seen is an
// observation, tied to the record it was read from and to the reader (collector
// and version) that read it: counts and edits are the history of observations.
// A newer reader's observation of the same record stands beside the older one
// and wins in views. That a post is not there any more is an observation too,
// with the outcome and record that say so; the post itself stays.
package corpus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// schemaVersion is the version of the tables below. The corpus is derived, so a
// file of another version is not migrated: Open says that it must be rebuilt.
//
//	1  first
//	2  traces; kinds of account names told apart; names compared without case
const schemaVersion = 2

const schema = `
CREATE TABLE post (
	id           INTEGER PRIMARY KEY,
	platform     TEXT NOT NULL,
	native       TEXT NOT NULL,
	kind         TEXT NOT NULL,
	url          TEXT NOT NULL,
	account      INTEGER,            -- account.id
	title        TEXT NOT NULL,
	text         TEXT NOT NULL,
	lang         TEXT NOT NULL,
	created_from INTEGER,            -- microseconds since 1970, UTC; NULL: open
	created_to   INTEGER,
	first_seen   INTEGER NOT NULL,   -- fetched_at of the first observation
	last_seen    INTEGER NOT NULL,   -- of the last one that showed the post
	latest       INTEGER NOT NULL,   -- observation.id that the columns above are from
	standing     TEXT NOT NULL,      -- outcome of the newest observation, be it a disappearance
	indexed      INTEGER NOT NULL DEFAULT 0,
	UNIQUE (platform, native)
);
CREATE INDEX post_url ON post (url);
CREATE INDEX post_account ON post (account, created_from);
CREATE INDEX post_created ON post (created_from);
CREATE INDEX post_unindexed ON post (id) WHERE indexed = 0;

CREATE TABLE observation (
	id       INTEGER PRIMARY KEY,
	post     INTEGER NOT NULL,
	fetched  INTEGER NOT NULL,
	record   TEXT NOT NULL,          -- WARC-Record-ID, or import digest and line
	reader   TEXT NOT NULL,          -- "reddit"
	version  INTEGER NOT NULL,       -- of the reader
	outcome  TEXT NOT NULL,
	route    TEXT NOT NULL,
	digest   TEXT NOT NULL,          -- of what an edit would change; '' for a disappearance
	counts   TEXT NOT NULL,          -- JSON
	body     TEXT NOT NULL,          -- JSON of the post; '' for a disappearance
	UNIQUE (post, record, reader, version)
);

CREATE TABLE account (
	id       INTEGER PRIMARY KEY,
	platform TEXT NOT NULL,
	key      TEXT NOT NULL,          -- native id; while none is known "@" and the handle, the address, or "name N at HOST"
	UNIQUE (platform, key)
);
CREATE TABLE account_fact (
	account    INTEGER NOT NULL,
	kind       TEXT NOT NULL,        -- id, handle, host, alias, name, url, avatar, created
	value      TEXT NOT NULL,
	first_seen INTEGER NOT NULL,
	last_seen  INTEGER NOT NULL,
	record     TEXT NOT NULL,        -- of the first observation
	PRIMARY KEY (account, kind, value)
) WITHOUT ROWID;
CREATE INDEX account_fact_value ON account_fact (value COLLATE NOCASE, kind);

CREATE TABLE identity (
	platform   TEXT NOT NULL,
	kind       TEXT NOT NULL,
	alias      TEXT NOT NULL,
	native     TEXT NOT NULL,
	url        TEXT NOT NULL,
	first_seen INTEGER NOT NULL,
	last_seen  INTEGER NOT NULL,
	record     TEXT NOT NULL,
	PRIMARY KEY (platform, kind, alias, native)
) WITHOUT ROWID;
CREATE INDEX identity_alias ON identity (alias);
CREATE INDEX identity_native ON identity (native);
CREATE INDEX identity_url ON identity (url);

-- What ties posts together: contacts, linked domains, ids of pages. Its account
-- is that of the post, which an id that becomes known later may change.
CREATE TABLE trace (
	post       INTEGER NOT NULL,
	kind       TEXT NOT NULL,        -- as internal/traces
	value      TEXT NOT NULL,        -- in its normal form
	first_seen INTEGER NOT NULL,
	last_seen  INTEGER NOT NULL,
	record     TEXT NOT NULL,        -- of the first observation
	PRIMARY KEY (post, kind, value)
) WITHOUT ROWID;
CREATE INDEX trace_value ON trace (value COLLATE NOCASE, kind, post);
CREATE INDEX trace_kind ON trace (kind, post);

CREATE TABLE fetch (
	id       INTEGER PRIMARY KEY,
	record   TEXT NOT NULL UNIQUE,   -- of the response; of the metadata record where no response came
	url      TEXT NOT NULL,
	method   TEXT NOT NULL,
	platform TEXT NOT NULL,
	ref      TEXT NOT NULL,          -- key of what was asked for
	ref_url  TEXT NOT NULL,
	route    TEXT NOT NULL,
	role     TEXT NOT NULL,
	outcome  TEXT NOT NULL,
	reason   TEXT NOT NULL,
	status   INTEGER NOT NULL,
	fetched  INTEGER NOT NULL,
	run      TEXT NOT NULL,
	body     TEXT NOT NULL           -- JSON of the whole line
);
CREATE INDEX fetch_ref ON fetch (ref, fetched);
CREATE INDEX fetch_url ON fetch (url, fetched);
CREATE INDEX fetch_outcome ON fetch (outcome, fetched);

CREATE TABLE segment (
	name  TEXT PRIMARY KEY,
	lines INTEGER NOT NULL,          -- lines of its posts file that were taken in
	done  INTEGER NOT NULL           -- 1: finished, nothing will follow
) WITHOUT ROWID;

CREATE VIRTUAL TABLE post_trigram USING fts5(title, text, content='', contentless_delete=1, tokenize='trigram');
CREATE VIRTUAL TABLE post_bigram  USING fts5(pairs, content='', contentless_delete=1, tokenize='unicode61');
`

// ErrVersion says that a corpus was written by another version of refrain.
var ErrVersion = errors.New("made by another version of refrain: run `refrain rebuild`")

// A Store is a corpus. It is safe for concurrent use; writes take turns.
type Store struct {
	db   *sql.DB
	path string
}

// Open opens the corpus at path and creates it where it is absent. The error
// is ErrVersion if another version of refrain made it.
func Open(ctx context.Context, path string) (*Store, error) {
	q := url.Values{"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-16000)", "temp_store(MEMORY)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open corpus %s: %w", path, err)
	}
	db.SetMaxOpenConns(2)
	s := &Store{db: db, path: path}
	if err := s.prepare(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open corpus %s: %w", path, err)
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	var version int
	if err := s.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch version {
	case schemaVersion:
		return nil
	case 0:
	default:
		return ErrVersion
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // a no-op after Commit
	// Another process may have made the tables while this one waited for the lock.
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version == schemaVersion {
		return nil
	}
	if _, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion)); err != nil {
		return err
	}
	return tx.Commit()
}

// Close closes the store. Nothing is lost if it is not called.
func (s *Store) Close() error { return s.db.Close() }

// Path is the file that the store lies in.
func (s *Store) Path() string { return s.path }

// Taken gives how many lines of a segment's posts file were taken in, and
// whether the segment was finished then.
func (s *Store) Taken(ctx context.Context, segment string) (lines int64, done bool, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT lines, done FROM segment WHERE name = ?", segment).Scan(&lines, &done)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read how much of segment %s is in the corpus: %w", segment, err)
	}
	return lines, done, nil
}

// Unfinished gives the segments whose end was not in the archive yet when they
// were taken in.
func (s *Store) Unfinished(ctx context.Context) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT name FROM segment WHERE NOT done ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("read which segments are in the corpus in part: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read which segments are in the corpus in part: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// Reset makes the corpus empty, in one transaction. It is for a corpus that
// holds what the archive has not: everything is to be taken in again.
func (s *Store) Reset(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("empty the corpus %s: %w", s.path, err)
	}
	defer func() { _ = tx.Rollback() }() // a no-op after Commit
	for _, table := range []string{"post_trigram", "post_bigram", "post", "observation", "account", "account_fact", "identity", "trace", "fetch", "segment"} {
		if _, err := tx.ExecContext(ctx, "DROP TABLE "+table); err != nil {
			return fmt.Errorf("empty the corpus %s: %w", s.path, err)
		}
	}
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("empty the corpus %s: %w", s.path, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("empty the corpus %s: %w", s.path, err)
	}
	return nil
}

func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func fromMicros(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}
