package corpus

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// A Seen is one observation that shows a post, for those who read the corpus in
// the order in which it was taken in.
type Seen struct {
	ID     int64 // of the observation: grows in that order
	Row    int64 // of the post
	Again  bool  // an earlier observation shows the post too
	Record string
	Post   post.Post
}

// Since gives the next observations after one, at most limit, in the order in
// which they were taken in. Disappearances are left out. Of a Post it reads what
// says which posts belong together, and leaves the rest zero: Platform, ID, Kind,
// Title, Text, Lang, Kind and URL of each of Media, Links, Hashtags, Mentions, and Role
// and ID of each of Refs. Seen gives it whole.
func (s *Store) Since(ctx context.Context, after int64, limit int) ([]Seen, error) {
	return s.seen(ctx, readPart, "o.id > ? AND o.body <> '' ORDER BY o.id LIMIT ?", after, limit)
}

func readWhole(body []byte, p *post.Post) error { return json.Unmarshal(body, p) }

// readPart reads what Since says, several times as fast as the whole.
func readPart(body []byte, p *post.Post) error {
	v, err := jsonx.Parse(body)
	if err != nil {
		return err
	}
	if !v.IsObject() {
		return errors.New("it is no object")
	}
	p.Platform, p.ID, p.Kind = v.Get("platform").String(), v.Get("id").String(), post.Kind(v.Get("kind").String())
	p.Title, p.Text, p.Lang = v.Get("title").String(), v.Get("text").String(), v.Get("lang").String()
	for _, m := range v.Get("media").Array() {
		p.Media = append(p.Media, post.Media{Kind: m.Get("kind").String(), URL: m.Get("url").String()})
	}
	for _, r := range v.Get("refs").Array() {
		p.Refs = append(p.Refs, post.Ref{Role: post.Role(r.Get("role").String()), ID: r.Get("id").String()})
	}
	p.Links, p.Hashtags, p.Mentions = words(v.Get("links")), words(v.Get("hashtags")), words(v.Get("mentions"))
	return nil
}

func words(v jsonx.Value) []string {
	var list []string
	for _, w := range v.Array() {
		list = append(list, w.String())
	}
	return list
}

// Seen gives one observation; false if there is none of that number.
func (s *Store) Seen(ctx context.Context, id int64) (Seen, bool, error) {
	list, err := s.seen(ctx, readWhole, "o.id = ? AND o.body <> ''", id)
	if err != nil || len(list) == 0 {
		return Seen{}, false, err
	}
	return list[0], true, nil
}

func (s *Store) seen(ctx context.Context, read func([]byte, *post.Post) error, where string, args ...any) ([]Seen, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT o.id, o.post, o.record, o.body,
		EXISTS (SELECT 1 FROM observation e WHERE e.post = o.post AND e.id < o.id AND e.body <> '') FROM observation o WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the observations of the corpus %s: %w", s.path, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []Seen
	var body sql.RawBytes
	for rows.Next() {
		var v Seen
		if err := rows.Scan(&v.ID, &v.Row, &v.Record, &body, &v.Again); err != nil {
			return nil, fmt.Errorf("read the observations of the corpus %s: %w", s.path, err)
		}
		if err := read(body, &v.Post); err != nil {
			return nil, fmt.Errorf("a stored post is not JSON (run `refrain rebuild`): %w", err)
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// Newest gives the number of the newest observation that shows a post, and how
// many there are after one; 0 for an empty corpus.
func (s *Store) Newest(ctx context.Context, after int64) (newest, more int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(max(id), 0), count(*) FROM observation WHERE id > ? AND body <> ''", after).Scan(&newest, &more)
	if err != nil {
		return 0, 0, fmt.Errorf("count the observations of the corpus %s: %w", s.path, err)
	}
	return newest, more, nil
}

// A Brief is what is asked of very many posts at once.
type Brief struct {
	Row       int64
	Platform  string
	ID        string
	Account   string // PLATFORM:KEY as of an Account; "" where the platform names none
	Lang      string
	Earliest  time.Time // of its creation, as the platform says; zero is open
	Latest    time.Time
	FirstSeen time.Time
}

// Key is the post's PLATFORM:ID.
func (b Brief) Key() string { return b.Platform + ":" + b.ID }

// Exact reports whether the time of the post is known to the second.
func (b Brief) Exact() bool { return !b.Earliest.IsZero() && b.Earliest.Equal(b.Latest) }

// Briefs calls f for the posts of these rows, or for all with nil, in the order
// in which they were first taken in.
func (s *Store) Briefs(ctx context.Context, rows []int64, f func(Brief) error) error {
	where, args := "1", []any{}
	if rows != nil {
		list, err := json.Marshal(rows)
		if err != nil {
			return err
		}
		where, args = "p.id IN (SELECT value FROM json_each(?))", []any{string(list)}
	}
	found, err := s.db.QueryContext(ctx, `SELECT p.id, p.platform, p.native, coalesce(a.platform || ':' || a.key, ''), p.lang, p.created_from, p.created_to, p.first_seen
		FROM post p LEFT JOIN account a ON a.id = p.account WHERE `+where+" ORDER BY p.id", args...)
	if err != nil {
		return fmt.Errorf("read the posts of the corpus %s: %w", s.path, err)
	}
	defer found.Close() //nolint:errcheck // Err tells
	for found.Next() {
		var b Brief
		var from, to, first sql.NullInt64
		if err := found.Scan(&b.Row, &b.Platform, &b.ID, &b.Account, &b.Lang, &from, &to, &first); err != nil {
			return fmt.Errorf("read the posts of the corpus %s: %w", s.path, err)
		}
		b.Earliest, b.Latest, b.FirstSeen = fromMicros(from), fromMicros(to), fromMicros(first)
		if err := f(b); err != nil {
			return err
		}
	}
	return found.Err()
}

// Row gives the row of a post by its platform and id; false if there is none.
func (s *Store) Row(ctx context.Context, platform, id string) (int64, bool, error) {
	var row int64
	err := s.db.QueryRowContext(ctx, "SELECT id FROM post WHERE platform = ? AND native = ?", platform, id).Scan(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look up %s:%s in the corpus: %w", platform, id, err)
	}
	return row, true, nil
}
