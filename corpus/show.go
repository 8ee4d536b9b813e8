package corpus

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// An Observation is a post seen once more, or found gone.
type Observation struct {
	FetchedAt time.Time    `json:"fetched_at"`
	Record    string       `json:"record_id"`
	Reader    string       `json:"reader"`
	Route     string       `json:"route,omitempty"`
	Outcome   post.Outcome `json:"outcome"`
	Counts    []post.Count `json:"counts,omitempty"`
	Changed   bool         `json:"changed"`        // title, text, media, links, tags or state differ from when it was served before; or it is gone now and was not
	Back      bool         `json:"back,omitempty"` // it is served, and was not at the observation before
	Post      *post.Post   `json:"post,omitempty"` // nil for a disappearance
}

// A View is everything the corpus holds of one post.
type View struct {
	Hit
	Observations []Observation `json:"observations"` // oldest first
	// Gone says how well a disappearance is founded: the number of distinct
	// routes whose newest answer says that the post is not there. 0 while it is
	// served.
	Gone int `json:"gone"`
	// Aliases are the other names that the post was found under.
	Aliases []Alias `json:"aliases,omitempty"`
}

// Posts finds posts by URL, by key (PLATFORM:ID) or by bare id.
func (s *Store) Posts(ctx context.Context, name string) ([]View, error) {
	where, args := "(p.url = ? OR p.native = ?)", []any{name, name}
	if platform, id, ok := strings.Cut(name, ":"); ok && !strings.HasPrefix(id, "//") {
		where, args = "(p.platform = ? AND p.native = ?)", []any{platform, id}
	}
	hits, err := s.hits(ctx, where+" ORDER BY p.id", args...)
	if err != nil {
		return nil, fmt.Errorf("look up %s in the corpus: %w", name, err)
	}
	views := make([]View, len(hits))
	for i, h := range hits {
		views[i].Hit = h
		if views[i].Observations, err = s.observations(ctx, h.Post.Platform, h.Post.ID); err != nil {
			return nil, fmt.Errorf("look up %s in the corpus: %w", name, err)
		}
		views[i].Gone = goneRoutes(views[i].Observations)
		if views[i].Aliases, err = s.Aliases(ctx, h.Post.Platform, h.Post.ID); err != nil {
			return nil, err
		}
	}
	return views, nil
}

func (s *Store) observations(ctx context.Context, platform, id string) ([]Observation, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT o.fetched, o.record, o.reader, o.version, o.route, o.outcome, o.digest, o.counts, o.body
		FROM observation o JOIN post p ON p.id = o.post WHERE p.platform = ? AND p.native = ? ORDER BY o.fetched, o.version, o.id`, platform, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []Observation
	before, gone := "", false // the digest of the last time it was served; whether it is gone since
	for rows.Next() {
		var o Observation
		var fetched sql.NullInt64
		var version int
		var outcome, digest, counts, body string
		if err := rows.Scan(&fetched, &o.Record, &o.Reader, &version, &o.Route, &outcome, &digest, &counts, &body); err != nil {
			return nil, err
		}
		o.FetchedAt, o.Outcome = fromMicros(fetched), post.Outcome(outcome)
		o.Reader = fmt.Sprintf("%s/%d", o.Reader, version)
		if err := json.Unmarshal([]byte(counts), &o.Counts); err != nil {
			return nil, err
		}
		if body != "" {
			o.Post = new(post.Post)
			if err := json.Unmarshal([]byte(body), o.Post); err != nil {
				return nil, err
			}
		}
		if digest == "" {
			o.Changed, gone = before != "" && !gone, true
		} else {
			o.Changed, o.Back = before != "" && digest != before, gone
			before, gone = digest, false
		}
		list = append(list, o)
	}
	return list, rows.Err()
}

// goneRoutes counts the routes whose newest answer says that the post is not
// there, since it was last served.
func goneRoutes(list []Observation) int {
	routes := map[string]bool{}
	for _, o := range list {
		if o.Outcome.Scope() == post.ScopeTarget && o.Post == nil {
			routes[o.Route] = true
		} else if o.Post != nil {
			clear(routes)
		}
	}
	return len(routes)
}

// A Fact is one dated observation of an account: a name it bore, a picture it
// showed.
type Fact struct {
	Kind      string    `json:"kind"` // id, handle, host, alias (another id space), name, url, avatar, created
	Value     string    `json:"value"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Record    string    `json:"record_id"` // of the first observation
}

// An Account is what the corpus holds of one account.
type Account struct {
	Platform string    `json:"platform"`
	Key      string    `json:"key"` // native id, or "@" and the handle while no id is known
	Facts    []Fact    `json:"facts"`
	Posts    int       `json:"posts"`
	Oldest   time.Time `json:"oldest,omitzero"` // creation of its oldest and newest post here
	Newest   time.Time `json:"newest,omitzero"`
	Traces   []Trace   `json:"traces,omitempty"` // of its posts; only where accounts were asked for by a name
}

// Accounts finds accounts by id, handle, name or URL, optionally with a
// platform before a colon; "" gives all.
func (s *Store) Accounts(ctx context.Context, name string) ([]Account, error) {
	where, args := "1", []any{}
	if name != "" {
		platform, value, ok := strings.Cut(name, ":")
		if !ok || strings.HasPrefix(value, "//") {
			platform, value = "", name
		}
		value = strings.ToLower(strings.TrimPrefix(value, "@"))
		where = "a.key = ? OR (? = '' OR a.platform = ?) AND (lower(a.key) IN (?, '@' || ?) OR EXISTS (SELECT 1 FROM account_fact f WHERE f.account = a.id AND " + accountNamed + "))"
		args = append(args, name, platform, platform, value, value, value, value)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT a.id, a.platform, a.key, (SELECT count(*) FROM post p WHERE p.account = a.id),
		(SELECT min(created_from) FROM post p WHERE p.account = a.id), (SELECT max(created_to) FROM post p WHERE p.account = a.id) FROM account a WHERE `+where+` ORDER BY a.platform, a.key`, args...)
	if err != nil {
		return nil, fmt.Errorf("look up account %s in the corpus: %w", name, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []Account
	var ids []int64
	for rows.Next() {
		var a Account
		var id int64
		var oldest, newest sql.NullInt64
		if err := rows.Scan(&id, &a.Platform, &a.Key, &a.Posts, &oldest, &newest); err != nil {
			return nil, err
		}
		a.Oldest, a.Newest = fromMicros(oldest), fromMicros(newest)
		list, ids = append(list, a), append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i, id := range ids {
		if list[i].Facts, err = s.facts(ctx, id); err != nil {
			return nil, err
		}
		if name == "" {
			continue
		}
		where, args := "p.account = ?", []any{id}
		// A blog whose posts name their writers.
		for _, f := range list[i].Facts {
			if list[i].Posts == 0 && f.Kind == "url" && len(f.Value) > len("https://x.example/") {
				where, args = "p.platform = ? AND substr(p.url, 1, length(?2)) = ?2", []any{list[i].Platform, f.Value}
				var oldest, newest sql.NullInt64
				err := s.db.QueryRowContext(ctx, "SELECT count(*), min(created_from), max(created_to) FROM post p WHERE "+where, args...).Scan(&list[i].Posts, &oldest, &newest)
				if err != nil {
					return nil, fmt.Errorf("count the posts of %s: %w", f.Value, err)
				}
				list[i].Oldest, list[i].Newest = fromMicros(oldest), fromMicros(newest)
			}
		}
		if list[i].Posts > 0 {
			if list[i].Traces, err = s.tracesOf(ctx, where, args...); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func (s *Store) facts(ctx context.Context, account int64) ([]Fact, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT kind, value, first_seen, last_seen, record FROM account_fact WHERE account = ? ORDER BY kind, first_seen, value", account)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []Fact
	for rows.Next() {
		var f Fact
		var first, last sql.NullInt64
		if err := rows.Scan(&f.Kind, &f.Value, &first, &last, &f.Record); err != nil {
			return nil, err
		}
		f.FirstSeen, f.LastSeen = fromMicros(first), fromMicros(last)
		list = append(list, f)
	}
	return oneName(list), rows.Err()
}

// names are the kinds of facts by which an account is found, the most telling
// first.
var names = []string{"id", "host", "handle", "alias"}

// oneName joins the facts that are one name: a handle that was also seen as an
// alias is a handle, seen at the times of both.
func oneName(list []Fact) []Fact {
	best := map[string]Fact{}
	for _, f := range list {
		rank := slices.Index(names, f.Kind)
		if rank < 0 {
			continue
		}
		name := strings.ToLower(f.Value)
		b, known := best[name]
		switch {
		case !known:
			b = f
		case rank < slices.Index(names, b.Kind):
			b.Kind, b.Value = f.Kind, f.Value
		}
		if f.FirstSeen.Before(b.FirstSeen) {
			b.FirstSeen, b.Record = f.FirstSeen, f.Record
		}
		if f.LastSeen.After(b.LastSeen) {
			b.LastSeen = f.LastSeen
		}
		best[name] = b
	}
	var kept []Fact
	for _, f := range list {
		if slices.Contains(names, f.Kind) {
			b := best[strings.ToLower(f.Value)]
			if b.Kind != f.Kind || b.Value != f.Value {
				continue
			}
			f = b
		}
		kept = append(kept, f)
	}
	return kept
}

// Fetches gives the fetches of a URL or of what a Ref key names, oldest first,
// as the lines that stand in the archive.
func (s *Store) Fetches(ctx context.Context, name string) ([]json.RawMessage, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT body FROM fetch WHERE url = ?1 OR ref = ?1 OR ref_url = ?1 OR record = ?1 ORDER BY fetched, id", name)
	if err != nil {
		return nil, fmt.Errorf("look up the fetches of %s in the corpus: %w", name, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []json.RawMessage
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		list = append(list, json.RawMessage(body))
	}
	return list, rows.Err()
}

// Totals are the sizes of a corpus.
type Totals struct {
	Posts        int64                  `json:"posts"`
	Observations int64                  `json:"observations"`
	Accounts     int64                  `json:"accounts"`
	Fetches      int64                  `json:"fetches"`
	Outcomes     map[post.Outcome]int64 `json:"outcomes"`  // of fetches
	Platforms    map[string]int64       `json:"platforms"` // posts of each
}

// ofPages leaves out the fetches of files, and the acts of analysts, which are
// kept beside them.
const ofPages = "role <> '" + RoleAsset + "' AND url NOT LIKE 'urn:refrain:act:%'"

// Totals counts.
func (s *Store) Totals(ctx context.Context) (Totals, error) {
	t := Totals{Outcomes: map[post.Outcome]int64{}, Platforms: map[string]int64{}}
	for query, n := range map[string]*int64{"post": &t.Posts, "observation": &t.Observations, "account": &t.Accounts, "fetch WHERE " + ofPages: &t.Fetches} {
		if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM "+query).Scan(n); err != nil {
			return Totals{}, fmt.Errorf("count the corpus: %w", err)
		}
	}
	group := func(query string, put func(name string, n int64)) error {
		rows, err := s.db.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		for rows.Next() {
			var name string
			var n int64
			if err := rows.Scan(&name, &n); err != nil {
				return err
			}
			put(name, n)
		}
		return rows.Err()
	}
	if err := group("SELECT outcome, count(*) FROM fetch WHERE "+ofPages+" GROUP BY outcome", func(name string, n int64) { t.Outcomes[post.Outcome(name)] = n }); err != nil {
		return Totals{}, fmt.Errorf("count the corpus: %w", err)
	}
	if err := group("SELECT platform, count(*) FROM post GROUP BY platform", func(name string, n int64) { t.Platforms[name] = n }); err != nil {
		return Totals{}, fmt.Errorf("count the corpus: %w", err)
	}
	return t, nil
}
