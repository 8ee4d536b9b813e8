package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/refrain-archive/refrain/narrative/cluster"
)

// schemaVersion is the version of the tables and of the rules by which they are
// filled. What an older version made is made anew from the corpus.
//
//	1  first
//	2  captured pictures; texts that say little of their own are marked; text
//	   links where words are written as digits or run together
//	3  links by translation
//	4  the links of an item in one row, objects told by a hash
//	5  captured clips
const schemaVersion = 5

const schema = `
-- Posts by their rows in the corpus, texts by their numbers in the text index.
CREATE TABLE item (
	id          INTEGER PRIMARY KEY,  -- from 0, in order; see package cluster
	text        INTEGER,              -- NULL for the item of an object
	object      INTEGER,              -- of a post without words: what it consists of
	post        INTEGER NOT NULL,     -- the first that has it
	observation INTEGER NOT NULL,
	narrative   INTEGER NOT NULL,     -- item.id of its founder
	via         INTEGER NOT NULL,     -- core that it joined through
	role        INTEGER NOT NULL,
	state       INTEGER NOT NULL,     -- direct, near, share, has
	into_       INTEGER NOT NULL,     -- of a founder: the narrative that it was merged into, or -1
	by_signal   TEXT NOT NULL,        -- what it joined by: text, url, …; '' for a founder
	by_object   INTEGER,              -- where that is an object
	short       INTEGER NOT NULL      -- 1: the text says little of its own (OwnWords), and posts with it carry something
);

CREATE TABLE doc (
	post        INTEGER NOT NULL,
	observation INTEGER NOT NULL,     -- that the text stands in; a post that was edited has several
	item        INTEGER NOT NULL,
	repost      INTEGER NOT NULL,     -- 1: the platform says that it passes another post on
	PRIMARY KEY (post, observation)
) WITHOUT ROWID;

-- Between items: a is the newer. Copies are one item and have none.
CREATE TABLE link (
	a     INTEGER PRIMARY KEY,
	links BLOB NOT NULL               -- all links to older items, see packed.go
);

CREATE TABLE object (
	id   INTEGER PRIMARY KEY,         -- from 0, in order
	hash INTEGER NOT NULL,            -- see objectset.go
	kind TEXT NOT NULL,
	key  TEXT NOT NULL,
	home INTEGER,                     -- item that founded the narrative to which it leads
	item INTEGER                      -- item of the posts that have it and no words
);
CREATE INDEX object_media ON object (key) WHERE kind = 'media';
CREATE TABLE hash_salt (
	id   INTEGER PRIMARY KEY CHECK (id = 0),
	salt BLOB NOT NULL
);
CREATE TABLE carry (
	object INTEGER NOT NULL,
	post   INTEGER NOT NULL,
	PRIMARY KEY (object, post)
) WITHOUT ROWID;
CREATE INDEX carry_post ON carry (post, object);

-- The captured pictures by the media object that they are of.
CREATE TABLE picture (
	media  TEXT NOT NULL,             -- object.key
	gang   TEXT NOT NULL,             -- digest of the first picture that shows the same
	sha256 TEXT NOT NULL,
	record TEXT NOT NULL,             -- of the capture
	PRIMARY KEY (media, gang, sha256)
) WITHOUT ROWID;
CREATE INDEX picture_gang ON picture (gang, media);
-- The captured clips, in the same way.
CREATE TABLE video (
	media  TEXT NOT NULL,
	gang   TEXT NOT NULL,             -- digest of the first clip that shows the same
	sha256 TEXT NOT NULL,
	record TEXT NOT NULL,
	PRIMARY KEY (media, gang, sha256)
) WITHOUT ROWID;
CREATE INDEX video_gang ON video (gang, media);
CREATE TABLE videos_taken (
	id     INTEGER PRIMARY KEY CHECK (id = 0),
	asset  INTEGER NOT NULL,          -- the last that was taken
	unread INTEGER NOT NULL           -- 1: some were not read, as there was no ffmpeg
);
CREATE TABLE pictures_taken (
	id    INTEGER PRIMARY KEY CHECK (id = 0),
	asset INTEGER NOT NULL            -- the last that was taken
);

-- Links between texts in different languages: a is the newer.
CREATE TABLE translation (
	a        INTEGER NOT NULL,
	b        INTEGER NOT NULL,
	score    REAL NOT NULL,
	evidence REAL NOT NULL,
	share_a  REAL NOT NULL,
	share_b  REAL NOT NULL,
	body     TEXT NOT NULL,           -- a narrative.Link without its keys, as JSON, read from a to b
	PRIMARY KEY (a, b)
) WITHOUT ROWID;
CREATE INDEX translation_b ON translation (b, a);
CREATE TABLE translated (
	id           INTEGER PRIMARY KEY CHECK (id = 0),
	dictionaries TEXT NOT NULL,       -- what all was made with; '' for none
	mark         INTEGER NOT NULL     -- of the index of translations
);
-- The handles that texts name, where there are dictionaries.
CREATE TABLE handle (
	name TEXT NOT NULL,
	item INTEGER NOT NULL,
	PRIMARY KEY (name, item)
) WITHOUT ROWID;

CREATE TABLE near (
	a INTEGER NOT NULL,
	b INTEGER NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (a, b)
) WITHOUT ROWID;

CREATE TABLE event (
	id    INTEGER PRIMARY KEY,
	kind  TEXT NOT NULL,              -- merged, promoted, left
	item  INTEGER NOT NULL,           -- that came, was promoted or left
	a     INTEGER NOT NULL,           -- narrative
	b     INTEGER NOT NULL            -- merged: the one that a was merged into
);

CREATE TABLE notice (
	post        INTEGER NOT NULL,
	observation INTEGER NOT NULL,
	what        TEXT NOT NULL,        -- too_long, cut, no_words, key
	PRIMARY KEY (post, observation)
) WITHOUT ROWID;

CREATE TABLE progress (
	id          INTEGER PRIMARY KEY CHECK (id = 0),
	observation INTEGER NOT NULL,     -- the last that was taken
	record      TEXT NOT NULL,        -- its record and post: to know the corpus again
	key         TEXT NOT NULL,
	mark        INTEGER NOT NULL      -- of the text index
);
`

// A Store reads what an Engine keeps. It is safe for concurrent use.
type Store struct {
	db   *sql.DB
	path string
}

// errVersion says that the store is of another version.
var errVersion = errors.New("made by another version")

func openStore(ctx context.Context, dir string) (*Store, error) {
	path := filepath.Join(dir, "narratives.sqlite")
	q := url.Values{"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-32000)", "temp_store(MEMORY)", "wal_autocheckpoint(4000)"}}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(4)
	s := &Store{db: db, path: path}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
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
		return errVersion
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // a no-op after Commit
	if _, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d; INSERT INTO hash_salt (id, salt) VALUES (0, randomblob(16));", schemaVersion)); err != nil {
		return err
	}
	return tx.Commit()
}

// Close closes the store.
func (s *Store) Close() error { return s.db.Close() }

// OpenStore opens what an Engine in the folder keeps, for reading. An Engine may
// be at work in it. The error is fs.ErrNotExist where there is none.
func OpenStore(ctx context.Context, dir string) (*Store, error) {
	if _, err := os.Stat(filepath.Join(dir, "narratives.sqlite")); err != nil {
		return nil, fmt.Errorf("open the narratives: %w", err)
	}
	return openStore(ctx, dir)
}

// clusters loads the states of all items.
func (s *Store) clusters(ctx context.Context, each func(id int, text, object sql.NullInt64, post, observation int64, short bool)) (*cluster.Clusters, error) {
	c := &cluster.Clusters{}
	rows, err := s.db.QueryContext(ctx, "SELECT id, text, object, post, observation, narrative, via, role, state, into_, short FROM item ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var id, narrative, via, role, state, into int
		var text, object sql.NullInt64
		var post, observation int64
		var short bool
		if err := rows.Scan(&id, &text, &object, &post, &observation, &narrative, &via, &role, &state, &into, &short); err != nil {
			return nil, err
		}
		if id != c.Len() {
			return nil, fmt.Errorf("item %d is missing in %s: run `refrain rebuild`", c.Len(), s.path)
		}
		c.Restore(unpackState(narrative, via, role, state, into))
		if each != nil {
			each(id, text, object, post, observation, short)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	near, err := s.db.QueryContext(ctx, "SELECT a, b, n FROM near")
	if err != nil {
		return nil, err
	}
	defer near.Close() //nolint:errcheck // Err tells
	for near.Next() {
		var p cluster.Pair
		var n int
		if err := near.Scan(&p.A, &p.B, &n); err != nil {
			return nil, err
		}
		c.RestoreNear(p, n)
	}
	return c, near.Err()
}

// packState puts the small fields of a state into one number.
func packState(s cluster.State) int {
	n := s.Share<<8 | s.Near<<2
	if s.Direct {
		n |= 1
	}
	if s.Has {
		n |= 2
	}
	return n
}

func unpackState(narrative, via, role, n, into int) cluster.State {
	return cluster.State{Narrative: narrative, Via: via, Role: cluster.Role(role), Direct: n&1 != 0, Has: n&2 != 0, Near: n >> 2 & 63, Share: n >> 8, Into: into}
}
