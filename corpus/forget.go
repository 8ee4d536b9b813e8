package corpus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Forget takes posts (PLATFORM:ID) out of the corpus as they were observed up to a
// moment, because an act deleted them from the archive. What was observed of them
// later stays. It gives the number of posts of which nothing is left.
func (s *Store) Forget(ctx context.Context, keys []string, until time.Time) (gone int, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("take deleted posts out of the corpus: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // a no-op after Commit
	for _, key := range keys {
		was, err := forget(ctx, tx, key, until)
		if err != nil {
			return 0, fmt.Errorf("take the deleted post %s out of the corpus: %w", key, err)
		}
		if was {
			gone++
		}
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("take deleted posts out of the corpus: %w", err)
	}
	return gone, nil
}

func forget(ctx context.Context, tx *sql.Tx, key string, until time.Time) (gone bool, err error) {
	platform, native, _ := strings.Cut(key, ":")
	var row int64
	err = tx.QueryRowContext(ctx, "SELECT id FROM post WHERE platform = ? AND native = ?", platform, native).Scan(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	done, err := tx.ExecContext(ctx, "DELETE FROM observation WHERE post = ? AND fetched <= ?", row, until.UnixMicro())
	if err != nil {
		return false, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return false, err // it was forgotten before
	}
	var left int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM observation WHERE post = ? AND body <> ''", row).Scan(&left); err != nil {
		return false, err
	}
	queries := []string{"DELETE FROM trace WHERE post = ?1 AND first_seen <= ?2", "DELETE FROM post_trigram WHERE rowid = ?1 AND ?2 > 0", "DELETE FROM post_bigram WHERE rowid = ?1 AND ?2 > 0"}
	if left == 0 {
		queries = append(queries, "DELETE FROM observation WHERE post = ?1 AND ?2 > 0", "DELETE FROM post WHERE id = ?1 AND ?2 > 0")
	} else {
		queries = append(queries, `UPDATE post SET indexed = 0, first_seen = (SELECT min(fetched) FROM observation WHERE post = ?1),
			latest = (SELECT id FROM observation WHERE post = ?1 AND body <> '' AND fetched > ?2 ORDER BY fetched DESC, version DESC, id DESC LIMIT 1) WHERE id = ?1`,
			`UPDATE post SET title = coalesce((SELECT json_extract(body, '$.title') FROM observation WHERE id = post.latest), ''),
			text = coalesce((SELECT json_extract(body, '$.text') FROM observation WHERE id = post.latest), '') WHERE id = ?1 AND ?2 > 0`)
	}
	for _, q := range queries {
		if _, err := tx.ExecContext(ctx, q, row, until.UnixMicro()); err != nil {
			return false, err
		}
	}
	return left == 0, nil
}
