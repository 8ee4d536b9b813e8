package engine

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/narrative/cluster"
	"github.com/refrain-archive/refrain/narrative/text"
)

// A table is rows that are held back, to be inserted many with one statement.
type table struct {
	into    string // INSERT INTO …, up to VALUES
	then    string // what follows the values
	columns int
	args    []any
}

func (t *table) add(args ...any) { t.args = append(t.args, args...) }

// rowsAtOnce are the sizes of the statements: with each a hundredth of the work
// of a row is that of the statement, and few are compiled.
var rowsAtOnce = []int{64, 8, 1}

// flush inserts the rows.
func (t *table) flush(ctx context.Context, e *Engine) error {
	left := t.args
	for _, n := range rowsAtOnce {
		if len(left) < n*t.columns {
			continue
		}
		row := "(?" + strings.Repeat(",?", t.columns-1) + ")"
		query := t.into + " VALUES " + row + strings.Repeat(","+row, n-1) + t.then
		for ; len(left) >= n*t.columns; left = left[n*t.columns:] {
			if err := e.exec(ctx, query, left[:n*t.columns]...); err != nil {
				return err
			}
		}
	}
	clear(t.args)
	t.args = t.args[:0]
	return nil
}

// pending is the rows of a batch that are not in the store yet.
type pending struct {
	items, docs, links, events table
	carries                    [][2]int64 // object, post
	near                       map[cluster.Pair]bool
	newest                     map[int64]int // post → item of its newest text, of this batch
}

func (p *pending) begin() {
	*p = pending{
		items:  table{into: "INSERT INTO item (id, text, object, post, observation, narrative, via, role, state, into_, by_signal, by_object, short)", columns: 13},
		docs:   table{into: "INSERT OR IGNORE INTO doc (post, observation, item, repost)", columns: 4},
		links:  table{into: "INSERT INTO link (a, links)", columns: 2},
		events: table{into: "INSERT INTO event (kind, item, a, b)", columns: 4},
		near:   map[cluster.Pair]bool{},
		newest: map[int64]int{},
	}
}

func (p *pending) addDoc(row, observation int64, item int, repost bool) {
	p.docs.add(row, observation, int64(item), flag(repost))
	p.newest[row] = item
}

// addLinks holds back the links of a new item to the texts that it matches.
func (p *pending) addLinks(item int, matches []text.Match, itemOf []int32) {
	if len(matches) == 0 {
		return
	}
	b := make([]byte, 0, 64*len(matches))
	for i := range matches {
		b = appendLink(b, int(itemOf[matches[i].Text]), &matches[i])
	}
	p.links.add(int64(item), b)
}

// flush writes all rows that are held back, so that the transaction of the batch
// sees them. Items are written by save.
func (e *Engine) flush(ctx context.Context) error {
	p := &e.rows
	if err := e.flushObjects(ctx); err != nil {
		return err
	}
	// In the order of the table: neighbours are found without a search.
	slices.SortFunc(p.carries, func(x, y [2]int64) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) })
	carries := table{into: "INSERT OR IGNORE INTO carry (object, post)", columns: 2}
	for _, c := range p.carries {
		carries.add(c[0], c[1])
	}
	pairs := make([]cluster.Pair, 0, len(p.near))
	for pair := range p.near {
		pairs = append(pairs, pair)
	}
	slices.SortFunc(pairs, func(x, y cluster.Pair) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	near := table{into: "INSERT INTO near (a, b, n)", then: " ON CONFLICT DO UPDATE SET n = excluded.n", columns: 3}
	for _, pair := range pairs {
		near.add(int64(pair.A), int64(pair.B), int64(e.c.Near(pair)))
	}
	p.carries = p.carries[:0]
	clear(p.near)
	for _, t := range []*table{&p.items, &p.docs, &p.links, &p.events, &carries, &near} {
		if err := t.flush(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// number and flag are values as the driver has them.
func number(n sql.NullInt64) any {
	if !n.Valid {
		return nil
	}
	return n.Int64
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
