package corpus

import (
	"context"
	"encoding/json"
	"fmt"
)

// RoleAsset is the Role of the fetch of a file (picture, video, sound).
const RoleAsset = "asset"

// An AssetLine is what the archive says of one captured file.
type AssetLine struct {
	ID   int64 // of the fetch: grows in the order in which they were taken in
	URL  string
	Line json.RawMessage
}

// AssetsSince gives the next files that were captured whole after one, at most
// limit, in the order in which they were taken in.
func (s *Store) AssetsSince(ctx context.Context, after int64, limit int) ([]AssetLine, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, url, body FROM fetch WHERE id > ? AND role = '"+RoleAsset+"' AND outcome = 'ok' ORDER BY id LIMIT ?", after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the files of the corpus %s: %w", s.path, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []AssetLine
	for rows.Next() {
		var l AssetLine
		var body string
		if err := rows.Scan(&l.ID, &l.URL, &body); err != nil {
			return nil, fmt.Errorf("read the files of the corpus %s: %w", s.path, err)
		}
		l.Line = json.RawMessage(body)
		list = append(list, l)
	}
	return list, rows.Err()
}
