package engine

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/text"
)

// ByObject is the signal of a link by something that both posts carry; Kind of the
// link is then that object's.
const ByObject = narrative.Signal("object")

// A Link is a link between two posts as it is listed.
type Link struct {
	narrative.Link
	Evidence float64 `json:"evidence_nats,omitempty"`
	ShareA   float64 `json:"share_a,omitempty"` // of the weight of the words of A that both have
	ShareB   float64 `json:"share_b,omitempty"`
	// Object is what both carry, of links that rest on one.
	Object *Object `json:"object,omitempty"`
	// CopiesA and CopiesB are how many further posts have the text of A and of B.
	CopiesA int `json:"copies_a,omitempty"`
	CopiesB int `json:"copies_b,omitempty"`
	// Strength says whether the link makes members of narratives or is only shown.
	Strength narrative.Strength `json:"strength"`

	a, b place
}

// place is where the text of one side stands, and where the text that the spans
// are of stands.
type place struct{ observation, of int64 }

// A Filter says which links are asked for. The zero value asks for all.
type Filter struct {
	Signal string  // text, translation, object
	Kind   string  // copy, edited_copy, …; of objects url, hashtag, media
	Min    float64 // least score
	Limit  int     // 0 is no limit
}

func (f Filter) takes(l *Link) bool {
	return (f.Signal == "" || f.Signal == string(l.Signal)) && (f.Kind == "" || f.Kind == string(l.Kind)) && l.Score >= f.Min
}

// linkOf gives a packed link of item a, the newer one.
func (b *Book) linkOf(a int, p packedLink) (l itemLink, err error) {
	l.from, l.to = a, p.to
	if a >= b.c.Len() || p.to >= b.c.Len() { // indexed since the book was opened
		return l, errLater
	}
	if l.Link.Link, err = p.link(); err != nil {
		return l, err
	}
	l.Evidence, l.ShareA, l.ShareB = p.m.Evidence, p.m.QueryShare, p.m.TextShare
	l.A, l.B = b.keyOfItem(a), b.keyOfItem(p.to)
	l.a = place{b.first[a].observation, b.first[a].observation}
	l.b = place{b.first[p.to].observation, b.first[p.to].observation}
	l.Strength = l.Link.Link.Strength()
	return l, nil
}

// linksOf gives the packed links of one row after the other of those that a
// condition takes, each row the best first; take says which are wanted.
func (b *Book) linksOf(ctx context.Context, take func(a int, l *packedLink) bool, where string, args ...any) iter.Seq2[itemLink, error] {
	return func(yield func(itemLink, error) bool) {
		rows, err := b.s.db.QueryContext(ctx, "SELECT a, links FROM link "+where, args...)
		if err != nil {
			yield(itemLink{}, err)
			return
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		var blob sql.RawBytes
		var list []packedLink
		for rows.Next() {
			var a int
			if err := rows.Scan(&a, &blob); err != nil {
				yield(itemLink{}, err)
				return
			}
			list = list[:0]
			for rest := []byte(blob); len(rest) > 0; {
				var l packedLink
				if l, rest, err = cutLink(rest); err != nil {
					yield(itemLink{}, err)
					return
				}
				if take == nil || take(a, &l) {
					list = append(list, l)
				}
			}
			slices.SortFunc(list, func(x, y packedLink) int { return cmp.Or(cmp.Compare(y.m.Score, x.m.Score), cmp.Compare(x.to, y.to)) })
			for _, p := range list {
				l, err := b.linkOf(a, p)
				if errors.Is(err, errLater) {
					continue
				}
				if !yield(l, err) || err != nil {
					return
				}
			}
		}
		if err := rows.Err(); err != nil {
			yield(itemLink{}, err)
		}
	}
}

// newer gives the items with a link to an older one, in their order.
func (b *Book) newer(ctx context.Context, item int) ([]int32, error) {
	b.linked.Lock()
	defer b.linked.Unlock()
	if b.newerAt == nil {
		if err := b.readNewer(ctx); err != nil {
			return nil, err
		}
	}
	return b.newerOf[b.newerAt[item]:b.newerAt[item+1]], nil
}

// readNewer turns all links about, once for a book: a tenth of a second for a
// hundred thousand texts, which an index on disk would cost at each of them.
func (b *Book) readNewer(ctx context.Context) error {
	rows, err := b.s.db.QueryContext(ctx, "SELECT a, links FROM link WHERE a < ? ORDER BY a", b.c.Len())
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var blob sql.RawBytes
	var pairs [][2]int32 // older, newer
	at := make([]int32, b.c.Len()+1)
	for rows.Next() {
		var a int32
		if err := rows.Scan(&a, &blob); err != nil {
			return err
		}
		for rest := []byte(blob); len(rest) > 0; {
			var l packedLink
			if l, rest, err = cutLink(rest); err != nil {
				return err
			}
			if l.to >= b.c.Len() {
				return errLinks
			}
			pairs = append(pairs, [2]int32{int32(l.to), a})
			at[l.to+1]++
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for i := range b.c.Len() {
		at[i+1] += at[i]
	}
	of, next := make([]int32, len(pairs)), slices.Clone(at)
	for _, p := range pairs {
		of[next[p[0]]] = p[1]
		next[p[0]]++
	}
	b.newerAt, b.newerOf = at, of
	return nil
}

var errLater = errors.New("indexed later")

// All gives the links between texts in the order in which the newer ones came,
// newest first. Copies are one text; links by objects are not among them.
func (b *Book) All(ctx context.Context, f Filter) iter.Seq2[Link, error] {
	return func(yield func(Link, error) bool) {
		n := 0
		copies := b.copies()
		for l, err := range merged(b.texts(ctx, f), b.translations(ctx, "WHERE score >= ? ORDER BY a DESC, score DESC, b", f.Min)) {
			if err != nil {
				yield(Link{}, fmt.Errorf("read the links: %w", err))
				return
			}
			if !f.takes(&l.Link) {
				continue
			}
			l.CopiesA, l.CopiesB = copies[l.from]-1, copies[l.to]-1
			if !yield(l.Link, nil) {
				return
			}
			if n++; f.Limit > 0 && n >= f.Limit {
				return
			}
		}
	}
}

// texts gives the links between texts of one language, newest first.
func (b *Book) texts(ctx context.Context, f Filter) iter.Seq2[itemLink, error] {
	if f.Signal != "" && f.Signal != string(narrative.Text) {
		return func(func(itemLink, error) bool) {}
	}
	return b.linksOf(ctx, func(_ int, l *packedLink) bool { return l.m.Score >= f.Min }, "ORDER BY a DESC")
}

// copies counts the posts of each item.
func (b *Book) copies() []int {
	n := make([]int, b.c.Len())
	for _, d := range b.docs {
		n[d.item]++
	}
	return n
}

// Of gives the links of one post, read from it: first to posts with the same
// text, then to other texts, the best first, then by what it carries. Where a
// text has many posts, the first of them stands for all.
func (b *Book) Of(ctx context.Context, key string, f Filter) ([]Link, error) {
	row, ok := b.rowOf[key]
	if !ok {
		return nil, fmt.Errorf("there is no post %s in the corpus", key)
	}
	var list []Link
	add := func(l Link) {
		if f.takes(&l) {
			list = append(list, l)
		}
	}
	copies := b.copies()
	byItem := map[int][]doc{}
	own := b.docsOf(row)
	for _, d := range own {
		byItem[d.item] = nil
	}
	for _, d := range b.docs {
		if _, ok := byItem[d.item]; ok && d.post != row {
			byItem[d.item] = append(byItem[d.item], d)
		}
	}
	for _, d := range own {
		for _, other := range byItem[d.item] {
			add(b.copyLink(key, d, other))
		}
		found, err := b.linksWith(ctx, d.item)
		if err != nil {
			return nil, fmt.Errorf("read the links of %s: %w", key, err)
		}
		for _, found := range found {
			l := found.Link
			l.CopiesA, l.CopiesB = copies[found.from]-1, copies[found.to]-1
			if found.from != d.item {
				l = l.turned()
			}
			if b.first[l.other(d.item, found.from, found.to)].post == row {
				continue // another version of the same post
			}
			l.A, l.a.observation, l.CopiesA = key, d.observation, copies[d.item]-1
			add(l)
		}
		for l, err := range b.translations(ctx, "WHERE a = ?1 OR b = ?1 ORDER BY score DESC, a, b", d.item) {
			if err != nil {
				return nil, fmt.Errorf("read the translations of %s: %w", key, err)
			}
			l.CopiesA, l.CopiesB = copies[l.from]-1, copies[l.to]-1
			if l.from != d.item {
				l.Link = l.turned()
			}
			if b.first[l.other(d.item, l.from, l.to)].post == row {
				continue // another version of the same post
			}
			l.A, l.a.observation, l.CopiesA = key, d.observation, copies[d.item]-1
			add(l.Link)
		}
	}
	shared, err := b.byObjects(ctx, key, row)
	if err != nil {
		return nil, err
	}
	for _, l := range shared {
		add(l)
	}
	if f.Limit > 0 && len(list) > f.Limit {
		list = list[:f.Limit]
	}
	return list, nil
}

// linksWith gives the links of an item to older and newer ones, the best first.
func (b *Book) linksWith(ctx context.Context, item int) ([]itemLink, error) {
	newer, err := b.newer(ctx, item)
	if err != nil {
		return nil, err
	}
	rows, err := json.Marshal(append(slices.Clone(newer), int32(item)))
	if err != nil {
		return nil, err
	}
	var list []itemLink
	take := func(a int, l *packedLink) bool { return a == item || l.to == item }
	for l, err := range b.linksOf(ctx, take, "WHERE a IN (SELECT value FROM json_each(?))", string(rows)) {
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	slices.SortFunc(list, func(x, y itemLink) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to))
	})
	return list, nil
}

func (l Link) other(item, a, b int) int {
	if a == item {
		return b
	}
	return a
}

// turned is the same link read from B to A.
func (l Link) turned() Link {
	l.Link = l.Link.Turned()
	l.ShareA, l.ShareB, l.CopiesA, l.CopiesB, l.a, l.b = l.ShareB, l.ShareA, l.CopiesB, l.CopiesA, l.b, l.a
	return l
}

// copyLink is the link between two posts of one item.
func (b *Book) copyLink(key string, d, other doc) Link {
	l := Link{Link: narrative.Link{A: key, B: b.keyOfRow(other.post), Signal: narrative.Text, Kind: narrative.Copy, Score: 1, Why: "the same words in the same order"}, ShareA: 1, ShareB: 1, Strength: narrative.Linked}
	if b.first[d.item].object.Valid {
		l.Signal, l.Why = ByObject, "posts without words that consist of the same"
	}
	l.a, l.b = place{d.observation, d.observation}, place{other.observation, d.observation}
	return l
}

// Between gives all links between two posts.
func (b *Book) Between(ctx context.Context, key, other string) ([]Link, error) {
	if _, ok := b.rowOf[other]; !ok {
		return nil, fmt.Errorf("there is no post %s in the corpus", other)
	}
	all, err := b.Of(ctx, key, Filter{})
	if err != nil {
		return nil, err
	}
	var list []Link
	items := b.itemsOfKey(other)
	for _, l := range all {
		switch {
		case l.B == other:
		case (l.Signal == narrative.Text || l.Signal == narrative.Translation) && l.Kind != narrative.Copy && slices.ContainsFunc(items, func(i int) bool { return b.first[i].observation == l.b.of }):
			// The text of other is that of the post which stands for it.
			for _, d := range b.docsOf(b.rowOf[other]) {
				if b.first[d.item].observation == l.b.of {
					l.B, l.b.observation = other, d.observation
				}
			}
		default:
			continue
		}
		list = append(list, l)
	}
	return list, nil
}

// A Side is one post of an opened link: the observation whose text it is of, and
// the marked pieces of that text.
type Side struct {
	Seen  Seen
	Text  string
	Marks []narrative.Range
}

// OpenLink gives both sides of a link with the marked pieces of both texts. The spans
// of a link are of the first posts that had the texts; copies have the same
// words, and the marks are moved to where those stand in the given posts.

func OpenLink(ctx context.Context, src Source, l Link) (a, b Side, err error) {
	var as, bs []narrative.Range
	for _, s := range l.Spans {
		as, bs = append(as, s.A), append(bs, s.B)
	}
	if a, err = side(ctx, src, l.a, as, l.Kind == narrative.Copy); err == nil {
		b, err = side(ctx, src, l.b, bs, l.Kind == narrative.Copy)
	}
	return a, b, err
}

func side(ctx context.Context, src Source, p place, marks []narrative.Range, whole bool) (s Side, err error) {
	seen, ok, err := src.Seen(ctx, p.observation)
	if err != nil || !ok {
		return s, errors.Join(err, missing(ok, p.observation))
	}
	s.Seen, s.Text = seen, TextOf(&seen.Post)
	to := text.Normalise(s.Text).Words
	if whole && len(to) > 0 {
		s.Marks = []narrative.Range{{From: to[0].From, To: to[len(to)-1].To}}
		return s, nil
	}
	if p.of == p.observation || len(marks) == 0 {
		s.Marks = marks
		return s, nil
	}
	first, ok, err := src.Seen(ctx, p.of)
	if err != nil || !ok {
		return s, errors.Join(err, missing(ok, p.of))
	}
	from := text.Normalise(TextOf(&first.Post)).Words
	if len(from) != len(to) {
		return s, fmt.Errorf("the texts of %s and %s are no copies: run `refrain rebuild`", first.Post.Key(), seen.Post.Key())
	}
	for _, m := range marks {
		i, _ := slices.BinarySearchFunc(from, m.From, func(w text.Word, at int) int { return cmp.Compare(w.From, at) })
		j, _ := slices.BinarySearchFunc(from, m.To, func(w text.Word, at int) int { return cmp.Compare(w.From, at) })
		if i < len(to) && j > i {
			s.Marks = append(s.Marks, narrative.Range{From: to[i].From, To: to[j-1].To})
		}
	}
	return s, nil
}

func missing(ok bool, observation int64) error {
	if ok {
		return nil
	}
	return fmt.Errorf("observation %d is not in the corpus: run `refrain rebuild`", observation)
}
