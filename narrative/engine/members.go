package engine

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/refrain-archive/refrain/narrative"
)

// A Member is one post of a narrative, and why it is in it.
type Member struct {
	Post     string    `json:"post"`
	Account  string    `json:"account,omitempty"`
	Earliest time.Time `json:"earliest,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`
	Captured time.Time `json:"captured,omitzero"`
	Role     string    `json:"role"` // founder, core, member, attached, pinned
	Repost   bool      `json:"repost,omitempty"`
	// Through is the post whose text it is linked to; Signal, Kind, Score and Why
	// are that link's, read from Post to Through. Empty for the founder.
	Through string           `json:"through,omitempty"`
	Signal  narrative.Signal `json:"signal,omitempty"`
	Kind    narrative.Kind   `json:"kind,omitempty"`
	Score   float64          `json:"score,omitempty"`
	Why     string           `json:"why,omitempty"`

	observation int64
}

// Observation is where the text of the member stands.
func (m Member) Observation() int64 { return m.observation }

// Members gives the posts of a narrative in the order of their times; those whose
// time is not known last.
func (b *Book) Members(ctx context.Context, g int) ([]Member, error) {
	var list []Member
	links := map[int]Link{}
	for _, k := range b.groups[g] {
		d := b.docs[k]
		m := Member{Post: b.keyOfRow(d.post), Repost: d.repost, Role: b.roleOf(g, d.item), observation: d.observation}
		if p := b.briefs[d.post]; p != nil {
			m.Account, m.Earliest, m.Latest, m.Captured = p.Account, p.Earliest, p.Latest, p.FirstSeen
		}
		st := b.c.State(d.item)
		switch {
		case m.Role == "pinned":
			m.Why = "put here by an analyst"
		case b.first[d.item].post != d.post:
			m.Role = "copy"
			l := b.copyLink(m.Post, d, doc{post: b.first[d.item].post})
			m.Through, m.Signal, m.Kind, m.Score, m.Why = l.B, l.Signal, l.Kind, 1, l.Why
		case st.Via != d.item:
			l, ok := links[d.item]
			if !ok {
				var err error
				if l, err = b.joining(ctx, d.item, st.Via); err != nil {
					return nil, err
				}
				links[d.item] = l
			}
			m.Through, m.Signal, m.Kind, m.Score, m.Why = b.keyOfItem(st.Via), l.Signal, l.Kind, l.Score, l.Why
		case d.item != g && b.pictured[d.item] != (Object{}):
			o := b.pictured[d.item]
			m.Signal, m.Kind, m.Score, m.Why, m.Through = ByObject, narrative.Kind(o.Kind), objectScore, shownBy[o.Kind].why, b.keyOfItem(g)
		case d.item != g:
			m.Why = "founder of " + b.ids[d.item] + ", which was merged into this narrative"
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(x, y Member) int {
		if x.Latest.IsZero() != y.Latest.IsZero() {
			if x.Latest.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(x.Latest.Compare(y.Latest), x.Earliest.Compare(y.Earliest), cmp.Compare(x.Post, y.Post))
	})
	return list, nil
}

// joining gives the link by which an item joined.
func (b *Book) joining(ctx context.Context, item, via int) (Link, error) {
	take := func(_ int, l *packedLink) bool { return l.to == via }
	for l, err := range b.linksOf(ctx, take, "WHERE a = ?", item) {
		if err != nil {
			return Link{}, fmt.Errorf("read why item %d joined: %w", item, err)
		}
		return l.Link, nil
	}
	for l, err := range b.translations(ctx, "WHERE a = ? AND b = ?", item, via) {
		return l.Link, err
	}
	var o Object
	err := b.s.db.QueryRowContext(ctx, "SELECT o.kind, o.key FROM item i JOIN object o ON o.id = i.by_object WHERE i.id = ?", item).Scan(&o.Kind, &o.Key)
	if errors.Is(err, sql.ErrNoRows) {
		return Link{Link: narrative.Link{Signal: narrative.Text, Why: "a new version of a post that is in the narrative"}}, nil
	}
	if err != nil {
		return Link{}, fmt.Errorf("read why item %d joined: %w", item, err)
	}
	return Link{Link: narrative.Link{Signal: ByObject, Kind: narrative.Kind(o.Kind), Score: objectScore, Why: "both have " + o.Key}, Object: &o}, nil
}

// PostsOf gives the keys of the posts of a narrative, in the order in which they
// were first taken in.
func (b *Book) PostsOf(g int) []string {
	var list []string
	for _, k := range b.groups[g] {
		list = append(list, b.keyOfRow(b.docs[k].post))
	}
	return list
}

// NarrativesOf gives the ids of the narratives that a post is in: one, or one for
// each version of its text.
func (b *Book) NarrativesOf(key string) []string {
	var list []string
	for _, item := range b.itemsOfKey(key) {
		if id := b.ids[b.view.Group(item)]; !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// An Event is something that happened to a narrative while posts came in.
type Event struct {
	Kind  string `json:"kind"`            // merged, promoted, left
	Post  string `json:"post"`            // that came, was promoted or left
	Other string `json:"other,omitempty"` // merged: the narrative that was merged into this one
	// Undone says that an analyst undid the merger.
	Undone bool `json:"undone,omitempty"`
}

// Events gives what happened to a narrative, in order.
func (b *Book) Events(ctx context.Context, g int) ([]Event, error) {
	rows, err := b.s.db.QueryContext(ctx, "SELECT kind, item, a, b FROM event ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("read the events of the narratives: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	list := []Event{}
	for rows.Next() {
		var e Event
		var item, a, into int
		if err := rows.Scan(&e.Kind, &item, &a, &into); err != nil {
			return nil, fmt.Errorf("read the events of the narratives: %w", err)
		}
		if max(item, a, into) >= b.c.Len() {
			break
		}
		e.Post = b.keyOfItem(item)
		switch {
		case e.Kind == "merged" && b.view.Group(into) == g:
			e.Other, e.Undone = b.ids[a], b.view.Group(a) != g
		case e.Kind != "merged" && b.view.Group(item) == g:
		default:
			continue
		}
		list = append(list, e)
	}
	return list, rows.Err()
}
