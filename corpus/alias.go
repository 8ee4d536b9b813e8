package corpus

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// An Alias is a name under which something was known, as an exchange showed it:
// a short code, another id space, a custom domain, a handle.
type Alias struct {
	Platform  string    `json:"platform"`
	Kind      string    `json:"kind"`  // of what is named: account, post, group, …
	Alias     string    `json:"alias"` // the name
	ID        string    `json:"id"`    // what it names: the native id, or the name that took its place
	URL       string    `json:"url,omitempty"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Record    string    `json:"record_id"` // of the first observation
}

// maxAliases bounds what one name leads to.
const maxAliases = 1000

// Aliases follows a name through everything that the corpus learned: what it is
// an alias of, what that is an alias of, and the other aliases of these, oldest
// first. name is an alias, a native id or an address; platform "" is any.
// A name that passed from one thing to another leads to both.
func (s *Store) Aliases(ctx context.Context, platform, name string) ([]Alias, error) {
	type node struct{ platform, kind, name string }
	var list []Alias
	found := map[[4]string]bool{}
	take := func(where string, args ...any) ([]node, error) {
		rows, err := s.db.QueryContext(ctx, "SELECT platform, kind, alias, native, url, first_seen, last_seen, record FROM identity WHERE "+where+" ORDER BY first_seen, platform, kind, alias, native LIMIT ?", append(args, maxAliases)...)
		if err != nil {
			return nil, err
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		var next []node
		for rows.Next() {
			var a Alias
			var first, last sql.NullInt64
			if err := rows.Scan(&a.Platform, &a.Kind, &a.Alias, &a.ID, &a.URL, &first, &last, &a.Record); err != nil {
				return nil, err
			}
			a.FirstSeen, a.LastSeen = fromMicros(first), fromMicros(last)
			if key := [4]string{a.Platform, a.Kind, a.Alias, a.ID}; !found[key] && len(list) < maxAliases {
				found[key] = true
				list = append(list, a)
				next = append(next, node{a.Platform, a.Kind, a.ID})
			}
		}
		return next, rows.Err()
	}
	next, err := take("(?1 = '' OR platform = ?1) AND (alias IN (?2, ?3) OR native = ?2 OR url = ?2 AND url <> '')", platform, name, strings.ToLower(name))
	for len(next) > 0 && err == nil {
		n := next[0]
		next = next[1:]
		var more []node
		// What n is an alias of, and the other aliases of n. What else an alias
		// of n named at another time is not followed: it may be another thing.
		if more, err = take("platform = ? AND kind = ? AND (alias = ?3 OR native = ?3)", n.platform, n.kind, n.name); err == nil {
			next = append(next, more...)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("look up the aliases of %s in the corpus: %w", name, err)
	}
	return list, nil
}
