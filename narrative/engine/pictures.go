package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/refrain-archive/refrain/internal/urlform"
	"github.com/refrain-archive/refrain/narrative/cluster"
	"github.com/refrain-archive/refrain/narrative/image"
	"github.com/refrain-archive/refrain/post"
)

// Picture is the kind of an object that is a group of pictures which show the
// same: its key is sha256: and the digest of the first of them. It is told by the
// captured files, not by their addresses.
const Picture = "picture"

// An Asset is one captured file of a post.
type Asset struct {
	ID      int64 // grows in the order in which they were taken in
	URL     string
	SHA256  string // lower-case hex
	Type    string // media type
	Capture post.Capture
}

// Assets gives the captured files.
type Assets interface {
	// AssetsSince gives the next files after one in their order, at most limit;
	// none at the end.
	AssetsSince(ctx context.Context, after int64, limit int) ([]Asset, error)
	// Bytes gives the whole file.
	Bytes(ctx context.Context, a Asset) ([]byte, error)
}

// PictureStats counts what Pictures did.
type PictureStats struct {
	Files      int `json:"files"`
	Pictures   int `json:"pictures"`   // of them new, by their bytes
	Linked     int `json:"linked"`     // of those: that show what an earlier one shows
	Unreadable int `json:"unreadable"` // that are pictures by their type and cannot be read
}

// Images gives the index of pictures, to be asked.
func (e *Engine) Images() (*image.Index, error) {
	if e.images == nil {
		ix, err := image.Open(filepath.Join(e.dir, "images"), image.Options{})
		if err != nil {
			return nil, err
		}
		e.images = ix
	}
	return e.images, nil
}

// pictureBatch is how many files are made durable together.
const pictureBatch = 200

// Pictures takes the captured pictures that are new. It returns when all of it is
// durable, or with the error of ctx after a batch that is. A file whose bytes
// cannot be had is an error; one that is no picture that can be read is counted.
func (e *Engine) Pictures(ctx context.Context, src Assets, progress func(PictureStats)) (s PictureStats, err error) {
	if e.failed != nil {
		return s, fmt.Errorf("the narratives stopped after a failure; open them again: %w", e.failed)
	}
	var at int64
	if err := e.db.QueryRowContext(ctx, "SELECT coalesce(max(asset), 0) FROM pictures_taken").Scan(&at); err != nil {
		return s, fmt.Errorf("index pictures: %w", err)
	}
	for {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		list, err := src.AssetsSince(ctx, at, pictureBatch)
		if err != nil || len(list) == 0 {
			return s, err
		}
		ix, err := e.Images()
		if err != nil {
			return s, err
		}
		if err := e.pictures(context.WithoutCancel(ctx), ix, src, list, &s); err != nil {
			return s, err
		}
		if at = list[len(list)-1].ID; progress != nil {
			progress(s)
		}
	}
}

func (e *Engine) pictures(ctx context.Context, ix *image.Index, src Assets, list []Asset, s *PictureStats) (err error) {
	if _, err := e.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("index pictures: %w", err)
	}
	defer func() {
		if err != nil {
			_, undone := e.conn.ExecContext(ctx, "ROLLBACK")
			err = errors.Join(err, undone)
		}
	}()
	for _, a := range list {
		if err := e.picture(ctx, ix, src, a, s); err != nil {
			return fmt.Errorf("index the picture %s (record %s): %w", a.URL, a.Capture.RecordID, err)
		}
	}
	if err := ix.Sync(); err != nil {
		return err
	}
	if err := e.exec(ctx, "INSERT INTO pictures_taken (id, asset) VALUES (0, ?) ON CONFLICT DO UPDATE SET asset = excluded.asset", list[len(list)-1].ID); err != nil {
		return err
	}
	_, err = e.conn.ExecContext(ctx, "COMMIT")
	return err
}

// picture takes one file. What was taken before a crash and not committed is
// known to the index, which gives the same group again.
func (e *Engine) picture(ctx context.Context, ix *image.Index, src Assets, a Asset, s *PictureStats) error {
	s.Files++
	key := mediaKey(a.URL)
	if key == "" || !strings.HasPrefix(a.Type, "image/") || len(key) > 1000 {
		return nil
	}
	sum, err := image.ParseDigest(a.SHA256)
	if err != nil {
		return err
	}
	r, known, err := ix.AddKnown(ctx, image.Use{Key: key}, sum)
	if err == nil && !known {
		var data []byte
		if data, err = src.Bytes(ctx, a); err == nil {
			r, err = ix.Add(ctx, image.Doc{Key: key, Data: data})
		}
	}
	if err != nil {
		return err
	}
	if !known {
		s.Pictures++
		if len(r.Matches) > 0 {
			s.Linked++
		}
		if r.Reason != "" {
			s.Unreadable++
		}
	}
	return e.exec(ctx, "INSERT OR IGNORE INTO picture (media, gang, sha256, record) VALUES (?, ?, ?, ?)", key, r.Group.String(), a.SHA256, a.Capture.RecordID)
}

// mediaKey is the key of the Media object of an address: without its query, as the
// signatures in it differ at each fetch; "" for none.
func mediaKey(raw string) string {
	u, ok := urlform.CanonicalString(raw)
	if !ok {
		return ""
	}
	u, _, _ = strings.Cut(u, "?")
	return u
}

// byShown gives the acts that the pictures or clips of posts bring about: a narrative of
// one text of fewer than OwnWords words, or of none, is part of the one that the
// first post with the same picture or clip founded.
func (b *Book) byShown(ctx context.Context, kind string) ([]cluster.Act, error) {
	rows, err := b.s.db.QueryContext(ctx, `SELECT DISTINCT p.gang, c.post FROM `+shownBy[kind].table+` p JOIN object o ON o.kind = 'media' AND o.key = p.media JOIN carry c ON c.object = o.id ORDER BY p.gang, c.post`)
	if err != nil {
		return nil, fmt.Errorf("read the pictures of posts: %w", err)
	}
	defer rows.Close()       //nolint:errcheck // rows.Err tells
	members := map[int]int{} // of each narrative, in items
	for i := range b.c.Len() {
		members[b.c.State(i).Narrative]++
	}
	var acts []cluster.Act
	gang, home := "", cluster.None
	for rows.Next() {
		var name string
		var row int64
		if err := rows.Scan(&name, &row); err != nil {
			return nil, fmt.Errorf("read the pictures of posts: %w", err)
		}
		docs := b.docsOf(row)
		if len(docs) == 0 {
			continue
		}
		item := docs[0].item
		n := b.c.State(item).Narrative
		switch {
		case name != gang:
			gang, home = name, cluster.None
			fallthrough
		case home == cluster.None:
			if n == item && b.pictured[item] == (Object{}) { // it founded one
				home = item
			}
		case n == item && n != home && members[n] == 1 && b.first[item].short && b.pictured[item] == (Object{}):
			acts = append(acts, cluster.Act{Kind: cluster.Together, Narrative: home, Other: n})
			b.pictured[item] = Object{kind, name}
		}
	}
	return acts, rows.Err()
}
