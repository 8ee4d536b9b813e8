package corpus

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/refrain-archive/refrain/post"
)

// Captured is a post with the captures of everything that was observed of it,
// disappearances included, oldest first.
type Captured struct {
	Hit
	Captures []post.Capture
}

// EachCaptured is Each with the captures of each post.
func (s *Store) EachCaptured(ctx context.Context, q Query, f func(*Captured) error) error {
	if len(q.Words)+len(q.Without) > 0 {
		if err := s.Index(ctx, nil); err != nil {
			return err
		}
	}
	where, args := q.where()
	for after := int64(0); ; {
		ids, err := s.ids(ctx, where, args, after)
		if err != nil {
			return fmt.Errorf("read the corpus %s: %w", s.path, err)
		}
		if len(ids) == 0 {
			return nil
		}
		after = ids[len(ids)-1]
		if err := s.captured(ctx, ids, f); err != nil {
			return err
		}
	}
}

// CapturedOf calls f for each post of keys (PLATFORM:ID) that the corpus has.
func (s *Store) CapturedOf(ctx context.Context, keys []string, f func(*Captured) error) error {
	var ids []int64
	for _, key := range keys {
		platform, native, _ := strings.Cut(key, ":")
		var id int64
		err := s.db.QueryRowContext(ctx, "SELECT id FROM post WHERE platform = ? AND native = ?", platform, native).Scan(&id)
		if err == sql.ErrNoRows {
			continue
		}
		if err != nil {
			return fmt.Errorf("look up %s in the corpus: %w", key, err)
		}
		ids = append(ids, id)
	}
	return s.captured(ctx, ids, f)
}

// capturedBatch is how many posts are read at a time.
const capturedBatch = 100

func (s *Store) captured(ctx context.Context, ids []int64, f func(*Captured) error) error {
	for len(ids) > 0 {
		n := min(len(ids), capturedBatch)
		list, err := s.capturedBatch(ctx, ids[:n])
		if err != nil {
			return fmt.Errorf("read the corpus %s: %w", s.path, err)
		}
		for i := range list {
			if err := f(&list[i]); err != nil {
				return err
			}
		}
		ids = ids[n:]
	}
	return nil
}

func (s *Store) capturedBatch(ctx context.Context, ids []int64) ([]Captured, error) {
	wanted, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	at := map[int64]int{}
	rows, err := s.db.QueryContext(ctx, `SELECT p.id, o.body, p.first_seen, p.last_seen, (SELECT count(*) FROM observation n WHERE n.post = p.id), p.standing
		FROM json_each(?) w JOIN post p ON p.id = w.value JOIN observation o ON o.id = p.latest ORDER BY w.key`, string(wanted))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []Captured
	for rows.Next() {
		var c Captured
		var id int64
		var body, standing string
		var first, last sql.NullInt64
		if err := rows.Scan(&id, &body, &first, &last, &c.Seen, &standing); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(body), &c.Post); err != nil {
			return nil, fmt.Errorf("a stored post is not JSON (run `refrain rebuild`): %w", err)
		}
		c.FirstSeen, c.LastSeen, c.Standing = fromMicros(first), fromMicros(last), post.Outcome(standing)
		at[id] = len(list)
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	// Of a disappearance, the line of its fetch says where the answer lies.
	rows, err = s.db.QueryContext(ctx, `SELECT o.post, CASE WHEN o.body <> '' THEN json_extract(o.body, '$.capture') ELSE (SELECT json_extract(f.body, '$.capture') FROM fetch f WHERE f.record = o.record) END
		FROM json_each(?) w JOIN observation o ON o.post = w.value ORDER BY o.post, o.fetched, o.version, o.id`, string(wanted))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var id int64
		var capture sql.NullString
		if err := rows.Scan(&id, &capture); err != nil {
			return nil, err
		}
		i, ok := at[id]
		if !ok || !capture.Valid {
			continue
		}
		var c post.Capture
		if err := json.Unmarshal([]byte(capture.String), &c); err != nil {
			return nil, fmt.Errorf("a stored capture is not JSON (run `refrain rebuild`): %w", err)
		}
		if c != (post.Capture{}) {
			list[i].Captures = append(list[i].Captures, c)
		}
	}
	return list, rows.Err()
}

// LimitMemory makes the store use one connection with a cache of so many bytes,
// for work that reads much once and shall take little memory.
func (s *Store) LimitMemory(ctx context.Context, cache int64) error {
	s.db.SetMaxOpenConns(1)
	if _, err := s.db.ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size = -%d", cache>>10)); err != nil {
		return fmt.Errorf("limit the memory of the corpus %s: %w", s.path, err)
	}
	return nil
}
