package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/cluster"
	"github.com/refrain-archive/refrain/narrative/text"
	"github.com/refrain-archive/refrain/post"
)

// OwnWords is the number of words from which a post speaks for itself: what it
// shares beside them then joins it to a narrative only where two different
// things lead there. It was set by reason, not by data: the channels of one
// operator end every post with the same link, and agencies' pictures stand
// beside any story.
const OwnWords = 8

// objectScore is the score of a link by a shared object: enough to join, and less
// than any link of texts.
const objectScore = cluster.Join

// batch takes observations in one transaction.
func (e *Engine) batch(ctx context.Context, list []Seen) (s Stats, err error) {
	e.changed, e.fresh = map[int]bool{}, map[int]newItem{}
	e.rows.begin()
	if _, err := e.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return s, fmt.Errorf("index posts: %w", err)
	}
	defer func() {
		if err != nil {
			_, undone := e.conn.ExecContext(ctx, "ROLLBACK")
			err = errors.Join(err, undone)
		}
	}()
	for i := range list {
		if err := e.take(ctx, &list[i], &s); err != nil {
			return s, fmt.Errorf("index post %s (record %s): %w", list[i].Post.Key(), list[i].Record, err)
		}
	}
	s.Observations = len(list)
	if err := e.save(ctx); err != nil {
		return s, fmt.Errorf("index posts: %w", err)
	}
	// The text index first: what it has beyond the store is cut off, what the
	// store has beyond it could not be made good.
	if err := e.ix.Sync(); err != nil {
		return s, err
	}
	mark, err := e.ix.Mark()
	if err != nil {
		return s, err
	}
	if err := e.syncTranslations(ctx); err != nil {
		return s, err
	}
	last := &list[len(list)-1]
	err = e.exec(ctx, `INSERT INTO progress (id, observation, record, key, mark) VALUES (0, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET observation = excluded.observation, record = excluded.record, key = excluded.key, mark = excluded.mark`, last.ID, last.Record, last.Post.Key(), mark)
	if err == nil {
		_, err = e.conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		return s, fmt.Errorf("index posts: %w", err)
	}
	e.at, e.record, e.key = last.ID, last.Record, last.Post.Key()
	return s, nil
}

func (e *Engine) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if st := e.st[query]; st != nil {
		return st, nil
	}
	st, err := e.conn.PrepareContext(ctx, query)
	if err == nil {
		e.st[query] = st
	}
	return st, err
}

func (e *Engine) exec(ctx context.Context, query string, args ...any) error {
	st, err := e.prepare(ctx, query)
	if err == nil {
		_, err = st.ExecContext(ctx, args...)
	}
	return err
}

// take takes one observation.
func (e *Engine) take(ctx context.Context, seen *Seen, s *Stats) error {
	p := &seen.Post
	if p.Kind == post.KindAccount {
		return nil // a description of an account is no post
	}
	objects := e.carry(seen)
	words := TextOf(p)
	var err error
	before := cluster.None // item of the version before
	var possible []text.Match
	if seen.Again {
		if before, err = e.versionBefore(ctx, seen); err != nil {
			return err
		}
		if before != cluster.None {
			// What is less than a link can still keep the post where it was.
			if possible, err = e.ix.Query(words); errors.Is(err, text.ErrTooLong) {
				err = nil
			}
			if err != nil {
				return err
			}
		}
	}
	r, err := e.ix.Add(ctx, text.Doc{Key: keyOf(p), Text: words})
	switch {
	case errors.Is(err, text.ErrTooLong):
		s.TooLong++
		return e.notice(ctx, seen, "too_long")
	case err != nil:
		return err
	}
	if r.Truncated {
		s.Cut++
		if err := e.notice(ctx, seen, "cut"); err != nil {
			return err
		}
	}
	item := cluster.None
	switch r.Outcome {
	case text.Known:
		return nil
	case text.Duplicate:
		s.Copies++
		item = int(e.itemOf[r.Text])
	case text.Empty:
		s.Wordless++
		if item, err = e.wordless(ctx, seen, objects, s); err != nil || item == cluster.None {
			return err
		}
	case text.New:
		s.Texts++
		if len(r.Matches) > 0 {
			s.Linked++
		}
		if item, err = e.newText(ctx, seen, r, possible, before, objects, words, s); err != nil {
			return err
		}
	}
	s.Posts++
	e.rows.addDoc(seen.Row, seen.ID, item, isRepost(p))
	return nil
}

// keyOf names a post in the text index, which takes keys of 1024 bytes.
func keyOf(p *post.Post) string {
	key := p.Key()
	return key[:min(len(key), 1000)]
}

func isRepost(p *post.Post) bool {
	return slices.ContainsFunc(p.Refs, func(r post.Ref) bool { return r.Role == post.RoleRepostOf })
}

func (e *Engine) notice(ctx context.Context, seen *Seen, what string) error {
	return e.exec(ctx, "INSERT OR REPLACE INTO notice (post, observation, what) VALUES (?, ?, ?)", seen.Row, seen.ID, what)
}

// versionBefore gives the item of the newest text of the post so far.
func (e *Engine) versionBefore(ctx context.Context, seen *Seen) (int, error) {
	if item, ok := e.rows.newest[seen.Row]; ok {
		return item, nil
	}
	st, err := e.prepare(ctx, "SELECT item FROM doc WHERE post = ? AND observation < ? ORDER BY observation DESC LIMIT 1")
	if err != nil {
		return 0, err
	}
	var item int
	if err := st.QueryRowContext(ctx, seen.Row, seen.ID).Scan(&item); errors.Is(err, sql.ErrNoRows) {
		return cluster.None, nil
	} else if err != nil {
		return 0, err
	}
	return item, nil
}

// newText places a text that no earlier post has.
func (e *Engine) newText(ctx context.Context, seen *Seen, r text.Result, possible []text.Match, before int, objects []*carried, words string, s *Stats) (int, error) {
	item := e.c.Len()
	var links []cluster.Link
	whole := false
	for _, m := range r.Matches {
		l := narrative.ClusterLink(int(e.itemOf[m.Text]), m)
		links = append(links, l)
		whole = whole || l.Form == cluster.Whole
		s.Links++
	}
	e.rows.addLinks(item, r.Matches, e.itemOf)
	for _, m := range possible {
		if m.Score < text.LinkThreshold {
			links = append(links, narrative.ClusterLink(int(e.itemOf[m.Text]), m))
		}
	}
	translations, err := e.translated(ctx, seen, r.Text, item, objects, words, s)
	if err != nil {
		return 0, err
	}
	links = append(links, translations...)
	var by sql.NullInt64
	if !whole && len(translations) == 0 {
		if l, object, ok := e.byObjects(objects, r.Words < OwnWords); ok {
			links = append(links, l)
			by = sql.NullInt64{Int64: object, Valid: true}
		}
	}
	n := newItem{text: sql.NullInt64{Int64: int64(r.Text), Valid: true}, post: seen.Row, observation: seen.ID}
	if slices.ContainsFunc(objects, func(o *carried) bool { return o.Joins() }) && r.Words < OwnWords {
		n.short = true
	}
	return item, e.place(ctx, n, links, before, objects, by, s)
}

// byObjects gives the link by what the post carries, and the object that it rests
// on; short says that its text says little of its own.
func (e *Engine) byObjects(objects []*carried, short bool) (cluster.Link, int64, bool) {
	var first *carried
	enough := false
	for i := range objects {
		o := objects[i]
		if !o.Joins() || !o.home.Valid {
			continue
		}
		if first == nil {
			first = o
		} else if e.c.State(int(o.home.Int64)).Narrative == e.c.State(int(first.home.Int64)).Narrative && o.Kind != first.Kind {
			enough = true
		}
	}
	if first == nil {
		return cluster.Link{}, 0, false
	}
	if !enough {
		enough = short
	}
	return cluster.Link{To: int(first.home.Int64), Score: objectScore, Form: cluster.Part, Share: 1}, first.id, enough
}

// wordless gives the item of a post without words: what it consists of, if that
// is anything.
func (e *Engine) wordless(ctx context.Context, seen *Seen, objects []*carried, s *Stats) (int, error) {
	at := slices.IndexFunc(objects, func(o *carried) bool { return o.Joins() })
	if at < 0 {
		return cluster.None, e.notice(ctx, seen, "no_words")
	}
	o := objects[at]
	if o.item.Valid {
		return int(o.item.Int64), nil
	}
	item := e.c.Len()
	var links []cluster.Link
	var by sql.NullInt64
	if l, object, ok := e.byObjects(objects, true); ok {
		links, by = append(links, l), sql.NullInt64{Int64: object, Valid: true}
	}
	n := newItem{object: sql.NullInt64{Int64: o.id, Valid: true}, post: seen.Row, observation: seen.ID, short: true}
	if err := e.place(ctx, n, links, cluster.None, objects, by, s); err != nil {
		return 0, err
	}
	o.item = sql.NullInt64{Int64: int64(item), Valid: true}
	e.objects.set(o)
	return item, nil
}

// place adds an item to the clusters.
func (e *Engine) place(ctx context.Context, n newItem, links []cluster.Link, before int, objects []*carried, by sql.NullInt64, s *Stats) error {
	p := e.c.Add(links, before)
	state := e.c.State(p.Item)
	switch {
	case state.Role == cluster.Founder:
		for _, o := range objects {
			if o.Joins() && !o.home.Valid {
				o.home = sql.NullInt64{Int64: int64(p.Item), Valid: true}
				e.objects.set(o)
			}
		}
	case by.Valid && links[len(links)-1].To == state.Via && state.Role == cluster.Attached && !slices.ContainsFunc(links[:len(links)-1], func(l cluster.Link) bool { return l.To == state.Via }):
		n.by = by
		for _, o := range objects {
			if o.id == by.Int64 {
				n.signal = o.Kind
			}
		}
	default:
		n.signal = string(narrative.Text)
		if e.tr.linked[state.Via] {
			n.signal = string(narrative.Translation)
		}
	}
	e.fresh[p.Item] = n
	e.note(p.Item, n.text)
	for _, i := range p.Changed {
		e.changed[i] = true
	}
	for _, i := range p.Promoted {
		e.event("promoted", i, e.c.State(i).Narrative, cluster.None)
	}
	for _, pair := range p.Nearer {
		e.rows.near[pair] = true
	}
	if m := p.Merged; m != nil {
		s.Mergers++
		e.event("merged", m.Item, m.From, m.Into)
	}
	if !e.c.Due() {
		return nil
	}
	return narrative.Review(e.c, e.ix, func(item int) uint32 { return e.textOf[item] }, func(item int) {
		e.changed[item] = true
		e.event("left", item, e.c.State(item).Narrative, cluster.None)
	})
}

func (e *Engine) event(kind string, item, a, b int) {
	e.rows.events.add(kind, int64(item), int64(a), int64(b))
}

// save writes what the batch brought: items that are new or changed, and all rows
// that are held back.
func (e *Engine) save(ctx context.Context) error {
	order := make([]int, 0, len(e.changed))
	for i := range e.changed {
		order = append(order, i)
	}
	slices.Sort(order)
	for _, i := range order {
		st := e.c.State(i)
		if n, ok := e.fresh[i]; ok {
			e.rows.items.add(int64(i), number(n.text), number(n.object), n.post, n.observation, int64(st.Narrative), int64(st.Via), int64(st.Role), int64(packState(st)), int64(st.Into), n.signal, number(n.by), flag(n.short))
			continue
		}
		if err := e.exec(ctx, "UPDATE item SET narrative = ?, via = ?, role = ?, state = ?, into_ = ?, by_signal = CASE WHEN ? THEN '' ELSE by_signal END WHERE id = ?",
			st.Narrative, st.Via, int(st.Role), packState(st), st.Into, st.Role == cluster.Founder, i); err != nil {
			return err
		}
	}
	return e.flush(ctx)
}
