package engine

import (
	"context"
	"fmt"
	"strconv"
)

// The objects over which coordination is looked for, beside those that posts
// carry (URL, Hashtag, Media, File).
const (
	ByText      = "text"      // posts with the same text
	ByNarrative = "narrative" // posts of one narrative
)

// A Share is one post in which an account shared an object.
type Share struct {
	Object  string // KIND:KEY
	Account string
	Post    string
	Time    int64 // seconds since 1970 UTC
}

// Shares gives the shares of the objects of a kind, of posts whose time is known
// to the second and whose account is known; skipped counts the others. Reposts,
// as the platform marks them, are left out unless reposts is set.
func (b *Book) Shares(ctx context.Context, kind string, reposts bool) (list []Share, skipped int, err error) {
	seen := map[int64]bool{}
	add := func(object string, row int64) {
		p := b.briefs[row]
		if p == nil || p.Account == "" || p.Earliest.IsZero() || !p.Earliest.Equal(p.Latest) {
			if !seen[row] {
				seen[row] = true
				skipped++
			}
			return
		}
		list = append(list, Share{Object: object, Account: p.Account, Post: p.Key(), Time: p.Earliest.Unix()})
	}
	passedOn := map[int64]bool{}
	for _, d := range b.docs {
		if d.repost {
			passedOn[d.post] = true
		}
	}
	switch kind {
	case ByText:
		last := doc{post: -1}
		for _, d := range b.docs {
			if (reposts || !d.repost) && !(d.post == last.post && d.item == last.item) {
				add("text:"+strconv.Itoa(d.item), d.post)
			}
			last = d
		}
	case ByNarrative:
		for _, g := range b.sorted(2, 2) {
			for _, k := range b.groups[g] {
				if d := b.docs[k]; reposts || !d.repost {
					add("narrative:"+b.ids[g], d.post)
				}
			}
		}
	default:
		query := "SELECT o.key, c.post FROM object o JOIN carry c ON c.object = o.id WHERE o.kind = ? ORDER BY o.id, c.post"
		if shown, ok := shownBy[kind]; ok {
			query = "SELECT DISTINCT p.gang, c.post FROM " + shown.table + " p JOIN object o ON o.kind = 'media' AND o.key = p.media JOIN carry c ON c.object = o.id WHERE ? <> '' ORDER BY p.gang, c.post"
		}
		rows, err := b.s.db.QueryContext(ctx, query, kind)
		if err != nil {
			return nil, 0, fmt.Errorf("read what posts share: %w", err)
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		for rows.Next() {
			var key string
			var row int64
			if err := rows.Scan(&key, &row); err != nil {
				return nil, 0, fmt.Errorf("read what posts share: %w", err)
			}
			if reposts || !passedOn[row] {
				add(kind+":"+key, row)
			}
		}
		if err := rows.Err(); err != nil {
			return nil, 0, fmt.Errorf("read what posts share: %w", err)
		}
	}
	return list, skipped, nil
}
