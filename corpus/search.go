package corpus

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/refrain-archive/refrain/post"
)

// A Hit is one post that a search found: its newest view, and what stands
// about it.
type Hit struct {
	Post      post.Post    `json:"post"`
	FirstSeen time.Time    `json:"first_seen"`
	LastSeen  time.Time    `json:"last_seen"` // the last time it was served
	Seen      int          `json:"seen"`      // observations, disappearances included
	Standing  post.Outcome `json:"standing"`  // outcome of the newest observation
}

// indexBatch posts are put into the full-text index in one transaction.
const indexBatch = 500

// Index brings the full-text index up to date. Search calls it; progress, if
// not nil, is told how many posts are done and to do.
func (s *Store) Index(ctx context.Context, progress func(done, total int)) error {
	var total int
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM post WHERE indexed = 0").Scan(&total); err != nil {
		return fmt.Errorf("index the corpus %s: %w", s.path, err)
	}
	for done := 0; done < total; {
		n, err := s.indexSome(ctx)
		if err != nil {
			return fmt.Errorf("index the corpus %s: %w", s.path, err)
		}
		if n == 0 {
			break
		}
		done += n
		if progress != nil {
			progress(done, total)
		}
	}
	return nil
}

func (s *Store) indexSome(ctx context.Context) (int, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // a no-op after Commit
	rows, err := tx.QueryContext(ctx, "SELECT id, title, text FROM post WHERE indexed = 0 LIMIT ?", indexBatch)
	if err != nil {
		return 0, err
	}
	type entry struct {
		id          int64
		title, text string
	}
	var batch []entry
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.id, &e.title, &e.text); err != nil {
			_ = rows.Close()
			return 0, err
		}
		batch = append(batch, e)
	}
	if err := rows.Close(); err != nil {
		return 0, err
	}
	for _, e := range batch {
		title, text := fold(e.title), fold(e.text)
		for _, w := range []struct {
			query string
			args  []any
		}{
			{"DELETE FROM post_trigram WHERE rowid = ?", []any{e.id}},
			{"DELETE FROM post_bigram WHERE rowid = ?", []any{e.id}},
			{"INSERT INTO post_trigram (rowid, title, text) VALUES (?, ?, ?)", []any{e.id, title, text}},
			{"INSERT INTO post_bigram (rowid, pairs) VALUES (?, ?)", []any{e.id, pairs(title + "\n" + text)}},
			{"UPDATE post SET indexed = 1 WHERE id = ?", []any{e.id}},
		} {
			if _, err := tx.ExecContext(ctx, w.query, w.args...); err != nil {
				return 0, fmt.Errorf("post row %d: %w", e.id, err)
			}
		}
	}
	return len(batch), tx.Commit()
}

// fold is the form in which words are compared: compatibility forms unified
// (full-width letters, ligatures), case folded by the index itself.
func fold(s string) string { return norm.NFKC.String(s) }

// pairs gives the pairs of neighbouring characters of each run of Han, kana or
// Hangul, which the word index can then find: most Chinese words have two
// characters, and the trigram index finds nothing shorter than three.
func pairs(s string) string {
	var b strings.Builder
	var before rune
	for _, r := range s {
		if !isCJK(r) {
			before = 0
			continue
		}
		if before != 0 {
			b.WriteRune(before)
			b.WriteRune(r)
			b.WriteByte(' ')
		}
		before = r
	}
	return b.String()
}

func isCJK(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

func isPair(s string) bool {
	n := 0
	for _, r := range s {
		if !isCJK(r) {
			return false
		}
		n++
	}
	return n == 2
}

// where translates a query. Words of three characters and more use the trigram
// index, two-character CJK words the pair index, shorter ones a scan.
func (q *Query) where() (string, []any) {
	cond := []string{"1"}
	var args []any
	add := func(c string, a ...any) { cond, args = append(cond, c), append(args, a...) }
	word := func(w string, not string) {
		w = fold(w)
		switch {
		case isPair(w):
			add("p.id "+not+"IN (SELECT rowid FROM post_bigram WHERE post_bigram MATCH ?)", quote(w))
		case utf8.RuneCountInString(w) >= 3:
			add("p.id "+not+"IN (SELECT rowid FROM post_trigram WHERE post_trigram MATCH ?)", quote(w))
		default:
			add(not+"(p.title LIKE ? ESCAPE '\\' OR p.text LIKE ? ESCAPE '\\')", like(w), like(w))
		}
	}
	for _, w := range q.Words {
		word(w, "")
	}
	for _, w := range q.Without {
		word(w, "NOT ")
	}
	in := func(column string, values []string) {
		if len(values) == 0 {
			return
		}
		marks := strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = strings.ToLower(v)
		}
		add("lower("+column+") IN ("+marks+")", list...)
	}
	in("p.platform", q.Platform)
	in("p.kind", q.Kind)
	in("p.standing", q.Outcome)
	in("p.lang", q.Lang)
	if len(q.Account) > 0 {
		var names []string
		var list []any
		for _, v := range q.Account {
			names = append(names, accountNamed)
			list = append(list, strings.ToLower(v), strings.ToLower(v))
		}
		// A blog is an account whose posts may name their writers: those count by
		// their address.
		named := "SELECT f.account FROM account_fact f WHERE " + strings.Join(names, " OR ")
		add("(p.account IN ("+named+") OR EXISTS (SELECT 1 FROM account_fact u WHERE u.kind = 'url' AND length(u.value) > 12 AND u.account IN ("+named+") AND substr(p.url, 1, length(u.value)) = u.value))", append(list, list...)...)
	}
	for _, t := range q.Tag {
		add("EXISTS (SELECT 1 FROM observation o, json_each(json_array(json_extract(o.body, '$.tags'), json_extract(o.body, '$.hashtags'))) list, json_each(list.value) tag WHERE o.id = p.latest AND list.value IS NOT NULL AND lower(tag.value) = ?)", strings.ToLower(t))
	}
	if len(q.Trace) > 0 {
		var either []string
		var list []any
		for _, words := range q.Trace {
			where, named := whereTraced(words)
			either, list = append(either, where), append(list, named...)
		}
		add("("+strings.Join(either, " OR ")+")", list...)
	}
	if len(q.Has) > 0 {
		var kinds []string
		for _, word := range q.Has {
			for _, kind := range traceKinds(word) {
				kinds = append(kinds, "'"+kind+"'") // our own words
			}
		}
		add("EXISTS (SELECT 1 FROM trace t WHERE t.post = p.id AND t.kind IN (" + strings.Join(kinds, ", ") + "))")
	}
	if q.URL != "" {
		add("p.url LIKE ? ESCAPE '\\'", like(q.URL))
	}
	if !q.From.IsZero() {
		add("coalesce(p.created_to, p.created_from) >= ?", q.From.UnixMicro())
	}
	if !q.Until.IsZero() {
		add("coalesce(p.created_from, p.created_to) < ?", q.Until.UnixMicro())
	}
	return strings.Join(cond, " AND "), args
}

// accountNamed is the condition that a fact f names an account: its id, handle,
// host, alias, name or address, or the first label of its host.
const accountNamed = "(f.kind IN ('id', 'handle', 'host', 'alias', 'name', 'url') AND (lower(f.value) = ? OR f.kind IN ('handle', 'host') AND instr(f.value, '.') > 1 AND lower(substr(f.value, 1, instr(f.value, '.') - 1)) = ?))"

func quote(w string) string { return `"` + strings.ReplaceAll(w, `"`, `""`) + `"` }

func like(w string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(w) + "%"
}

// Search finds posts, and says how many there are beyond the limit.
func (s *Store) Search(ctx context.Context, q Query) (hits []Hit, total int, err error) {
	if err := s.Index(ctx, nil); err != nil {
		return nil, 0, err
	}
	where, args := q.where()
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM post p WHERE "+where, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("search the corpus %s: %w", s.path, err)
	}
	limit, order := q.Limit, "DESC"
	if limit == 0 {
		limit = 50
	}
	if q.Oldest {
		order = "ASC"
	}
	by := "coalesce(p.created_from, p.created_to, p.first_seen)"
	if q.Longest {
		by, order = "p.last_seen", "ASC"
	}
	hits, err = s.hits(ctx, where+" ORDER BY "+by+" "+order+", p.id "+order+" LIMIT ? OFFSET ?", append(args, limit, q.Offset)...)
	if err != nil {
		return nil, 0, fmt.Errorf("search the corpus %s: %w", s.path, err)
	}
	return hits, total, nil
}

// Each calls f for every post that q finds, whatever its limit, in the order
// in which they were first taken in.
func (s *Store) Each(ctx context.Context, q Query, f func(Hit) error) error {
	if len(q.Words)+len(q.Without) > 0 {
		if err := s.Index(ctx, nil); err != nil {
			return err
		}
	}
	where, args := q.where()
	for after := int64(0); ; {
		ids, err := s.ids(ctx, where, args, after)
		if err != nil {
			return fmt.Errorf("read the corpus %s: %w", s.path, err)
		}
		for _, id := range ids {
			hits, err := s.hits(ctx, "p.id = ?", id)
			if err != nil {
				return fmt.Errorf("read the corpus %s: %w", s.path, err)
			}
			for _, h := range hits {
				if err := f(h); err != nil {
					return err
				}
			}
			after = id
		}
		if len(ids) == 0 {
			return nil
		}
	}
}

func (s *Store) ids(ctx context.Context, where string, args []any, after int64) ([]int64, error) {
	args = append(append([]any(nil), args...), after)
	rows, err := s.db.QueryContext(ctx, "SELECT p.id FROM post p WHERE "+where+" AND p.id > ? ORDER BY p.id LIMIT 1000", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (s *Store) hits(ctx context.Context, where string, args ...any) ([]Hit, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT o.body, p.first_seen, p.last_seen, (SELECT count(*) FROM observation n WHERE n.post = p.id), p.standing
		FROM post p JOIN observation o ON o.id = p.latest WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var hits []Hit
	for rows.Next() {
		var h Hit
		var body, standing string
		var first, last sql.NullInt64
		if err := rows.Scan(&body, &first, &last, &h.Seen, &standing); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(body), &h.Post); err != nil {
			return nil, fmt.Errorf("a stored post is not JSON (run `refrain rebuild`): %w", err)
		}
		h.FirstSeen, h.LastSeen, h.Standing = fromMicros(first), fromMicros(last), post.Outcome(standing)
		hits = append(hits, h)
	}
	return hits, rows.Err()
}
