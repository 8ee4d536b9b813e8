package corpus

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/traces"
	"github.com/refrain-archive/refrain/post"
)

// A Trace is something that posts of an account carry and that others may carry
// too: a linked domain, a contact, an id of a page. Package internal/traces has
// the kinds and their normal forms.
type Trace struct {
	Kind      string    `json:"kind"` // domain, email, phone, telegram, …, analytics, ads
	Value     string    `json:"value"`
	Posts     int       `json:"posts"` // that carry it
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Record    string    `json:"record_id"` // of the first observation
}

// pageID reports whether a tag of p is an analytics or ad id, as the reader of
// web pages writes them. On other platforms such a tag is the author's word.
func pageID(p *post.Post) func(tag string) bool {
	return func(tag string) bool {
		if p.Platform != "web" {
			return false
		}
		_, ok := traces.FromTag(tag)
		return ok
	}
}

// traces notes what one observation of a post carries.
func (in *ingest) traces(row, at int64, record string, p *post.Post) error {
	list := traces.InPost(traces.Site(p.URL), p.Title+"\n"+p.Text, p.Links)
	if p.Platform == "web" {
		for _, tag := range p.Tags {
			if t, ok := traces.FromTag(tag); ok {
				list = append(list, t)
			}
		}
	}
	for _, t := range list {
		if err := in.exec(`INSERT INTO trace (post, kind, value, first_seen, last_seen, record) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET `+seenAgain, row, string(t.Kind), t.Value, at, at, record); err != nil {
			return err
		}
	}
	return nil
}

// tracesOf gives the traces of the posts p that a condition finds, most carried
// first within each kind.
func (s *Store) tracesOf(ctx context.Context, where string, args ...any) ([]Trace, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT t.kind, t.value, count(*), min(t.first_seen), max(t.last_seen),
		substr(min(printf('%020d', t.first_seen) || t.record), 21)
		FROM post p JOIN trace t ON t.post = p.id WHERE `+where+` GROUP BY t.kind, t.value ORDER BY t.kind, count(*) DESC, t.value`, args...)
	if err != nil {
		return nil, fmt.Errorf("look up traces in the corpus: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	list := []Trace{}
	for rows.Next() {
		var t Trace
		var first, last sql.NullInt64
		if err := rows.Scan(&t.Kind, &t.Value, &t.Posts, &first, &last, &t.Record); err != nil {
			return nil, fmt.Errorf("look up traces in the corpus: %w", err)
		}
		t.FirstSeen, t.LastSeen = fromMicros(first), fromMicros(last)
		list = append(list, t)
	}
	return list, rows.Err()
}

// whereTraced is the condition that a post p carries what words name: a trace in
// its normal form, or anything that has one (an address of t.me, a number with
// spaces).
func whereTraced(words string) (string, []any) {
	cond := []string{"t.value = ? COLLATE NOCASE"}
	args := []any{words}
	for _, t := range traces.Named(words) {
		cond = append(cond, "t.value = ? COLLATE NOCASE AND t.kind = ?")
		args = append(args, t.Value, string(t.Kind))
	}
	return "p.id IN (SELECT t.post FROM trace t WHERE " + strings.Join(cond, " OR ") + ")", args
}

// traceKinds gives the kinds that a word of `has:` stands for; none for an
// unknown word.
func traceKinds(word string) []string {
	switch word = strings.ToLower(word); word {
	case "contact":
		return []string{string(traces.Email), string(traces.Phone), string(traces.Telegram), string(traces.WhatsApp), string(traces.Discord), string(traces.WeChat)}
	case "wallet":
		return []string{string(traces.Bitcoin), string(traces.Ethereum), string(traces.Tron)}
	case "link":
		return []string{string(traces.Domain)}
	}
	for _, k := range traces.Kinds() {
		if word == string(k) {
			return []string{word}
		}
	}
	return nil
}
