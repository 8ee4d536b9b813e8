package engine

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/text"
	"github.com/refrain-archive/refrain/post"
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
	Signal string  // text, object
	Kind   string  // copy, edited_copy, …; of objects url, hashtag, media
	Min    float64 // least score
	Limit  int     // 0 is no limit
}

func (f Filter) takes(l *Link) bool {
	return (f.Signal == "" || f.Signal == string(l.Signal)) && (f.Kind == "" || f.Kind == string(l.Kind)) && l.Score >= f.Min
}

const linkColumns = "l.a, l.b, l.signal, l.kind, l.score, l.evidence, l.share_a, l.share_b, l.words, l.near, l.words_a, l.words_b, l.spans"

// scanLink reads a row of linkColumns; item a is the newer one.
func (b *Book) scanLink(rows *sql.Rows) (a, other int, l Link, err error) {
	var spans []byte
	var m text.Match
	if err = rows.Scan(&a, &other, &l.Signal, &l.Kind, &l.Score, &l.Evidence, &l.ShareA, &l.ShareB, &m.Words, &m.Near, &m.QueryWords, &m.TextWords, &spans); err != nil {
		return
	}
	if a >= b.c.Len() || other >= b.c.Len() { // indexed since the book was opened
		return a, other, l, errLater
	}
	l.Spans, err = unpackSpans(spans)
	m.Evidence, m.Spans = l.Evidence, make([]text.Span, len(l.Spans))
	l.Why = m.Why()
	l.A, l.B = b.keyOfItem(a), b.keyOfItem(other)
	l.a = place{b.first[a].observation, b.first[a].observation}
	l.b = place{b.first[other].observation, b.first[other].observation}
	l.Strength = l.Link.Strength()
	return
}

var errLater = errors.New("indexed later")

// All gives the links between texts in the order in which the newer ones came,
// newest first. Copies are one text; links by objects are not among them.
func (b *Book) All(ctx context.Context, f Filter) iter.Seq2[Link, error] {
	return func(yield func(Link, error) bool) {
		n := 0
		copies := b.copies()
		rows, err := b.s.db.QueryContext(ctx, "SELECT "+linkColumns+" FROM link l WHERE (? = '' OR l.kind = ?) AND l.score >= ? AND (? = '' OR l.signal = ?) ORDER BY l.a DESC, l.score DESC, l.b", f.Kind, f.Kind, f.Min, f.Signal, f.Signal)
		if err != nil {
			yield(Link{}, fmt.Errorf("read the links: %w", err))
			return
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		for rows.Next() {
			a, other, l, err := b.scanLink(rows)
			if errors.Is(err, errLater) {
				continue
			}
			if err != nil {
				yield(Link{}, fmt.Errorf("read the links: %w", err))
				return
			}
			l.CopiesA, l.CopiesB = copies[a]-1, copies[other]-1
			if !yield(l, nil) {
				return
			}
			if n++; f.Limit > 0 && n >= f.Limit {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Link{}, fmt.Errorf("read the links: %w", err))
		}
	}
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
		rows, err := b.s.db.QueryContext(ctx, "SELECT "+linkColumns+" FROM link l WHERE l.a = ?1 UNION ALL SELECT "+linkColumns+" FROM link l WHERE l.b = ?1 ORDER BY 5 DESC, 1, 2", d.item)
		if err != nil {
			return nil, fmt.Errorf("read the links of %s: %w", key, err)
		}
		for rows.Next() {
			a, other, l, err := b.scanLink(rows)
			if errors.Is(err, errLater) {
				continue
			}
			if err != nil {
				return nil, errors.Join(fmt.Errorf("read the links of %s: %w", key, err), rows.Close())
			}
			l.CopiesA, l.CopiesB = copies[a]-1, copies[other]-1
			if a != d.item {
				l = l.turned()
			}
			if b.first[l.other(d.item, a, other)].post == row {
				continue // another version of the same post
			}
			l.A, l.a.observation, l.CopiesA = key, d.observation, copies[d.item]-1
			add(l)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, fmt.Errorf("read the links of %s: %w", key, err)
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

// maxCarriers is how many posts are listed for one object, the first ones.
const maxCarriers = 20

// byObjects gives the links by what a post carries.
func (b *Book) byObjects(ctx context.Context, key string, row int64) ([]Link, error) {
	rows, err := b.s.db.QueryContext(ctx, `SELECT o.kind, o.key, (SELECT count(*) FROM carry n WHERE n.object = o.id), c.post FROM carry own JOIN object o ON o.id = own.object
		JOIN carry c ON c.object = o.id AND c.post <> own.post
		WHERE own.post = ?1 AND (SELECT count(*) FROM carry e WHERE e.object = o.id AND e.post < c.post) <= ?2 ORDER BY o.kind, o.key, c.post`, row, maxCarriers)
	if err != nil {
		return nil, fmt.Errorf("read what %s carries: %w", key, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []Link
	for rows.Next() {
		var o Object
		var n int
		var other int64
		if err := rows.Scan(&o.Kind, &o.Key, &n, &other); err != nil {
			return nil, fmt.Errorf("read what %s carries: %w", key, err)
		}
		l := Link{Link: narrative.Link{A: key, B: b.keyOfRow(other), Signal: ByObject, Kind: narrative.Kind(o.Kind), Score: 1, Why: fmt.Sprintf("both have %s, which %d posts have", o.Key, n)}, Object: &o, Strength: narrative.Possible}
		if !o.Joins() {
			l.Strength = narrative.Weak
		}
		list = append(list, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read what %s carries: %w", key, err)
	}
	shown, err := b.samePictures(ctx, key, row)
	return append(list, shown...), err
}

// samePictures gives the links to posts with a picture that shows the same.
func (b *Book) samePictures(ctx context.Context, key string, row int64) ([]Link, error) {
	rows, err := b.s.db.QueryContext(ctx, `SELECT DISTINCT p.gang, c2.post, p.sha256 = p2.sha256 FROM carry c JOIN object o ON o.id = c.object AND o.kind = 'media' JOIN picture p ON p.media = o.key
		JOIN picture p2 ON p2.gang = p.gang JOIN object o2 ON o2.kind = 'media' AND o2.key = p2.media JOIN carry c2 ON c2.object = o2.id
		WHERE c.post = ?1 AND c2.post <> ?1 ORDER BY p.gang, c2.post, 3 DESC`, row)
	if err != nil {
		return nil, fmt.Errorf("read the pictures of %s: %w", key, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []Link
	seen := map[[2]string]bool{}
	for rows.Next() {
		o := Object{Kind: Picture}
		var other int64
		var same bool
		if err := rows.Scan(&o.Key, &other, &same); err != nil {
			return nil, fmt.Errorf("read the pictures of %s: %w", key, err)
		}
		name := [2]string{o.Key, b.keyOfRow(other)}
		if seen[name] || len(list) >= maxCarriers {
			continue
		}
		seen[name] = true
		l := Link{Link: narrative.Link{A: key, B: name[1], Signal: ByObject, Kind: Picture, Score: 1, Why: "both show the same picture"}, Object: &o, Strength: narrative.Linked}
		if same {
			l.Why += ", byte for byte the same file"
		}
		list = append(list, l)
	}
	return list, rows.Err()
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
		case l.Signal == narrative.Text && l.Kind != narrative.Copy && slices.ContainsFunc(items, func(i int) bool { return b.first[i].observation == l.b.of }):
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
			m.Signal, m.Kind, m.Score, m.Why, m.Through = ByObject, narrative.Kind(o.Kind), objectScore, "both show the same picture", b.keyOfItem(g)
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
	rows, err := b.s.db.QueryContext(ctx, "SELECT "+linkColumns+" FROM link l WHERE l.a = ? AND l.b = ?", item, via)
	if err != nil {
		return Link{}, fmt.Errorf("read why item %d joined: %w", item, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	if rows.Next() {
		_, _, l, err := b.scanLink(rows)
		return l, err
	}
	if err := rows.Err(); err != nil {
		return Link{}, err
	}
	var o Object
	err = b.s.db.QueryRowContext(ctx, "SELECT o.kind, o.key FROM item i JOIN object o ON o.id = i.by_object WHERE i.id = ?", item).Scan(&o.Kind, &o.Key)
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

// Same gives the keys of the posts with a text, by its number in the text index,
// in the order in which they were taken in.
func (b *Book) Same(number uint32) []string {
	var list []string
	item, ok := b.itemOf[number]
	if !ok {
		return nil
	}
	for _, d := range b.docs {
		if key := b.keyOfRow(d.post); d.item == item && !slices.Contains(list, key) {
			list = append(list, key)
		}
	}
	return list
}

// FirstOf gives the first post with a text, without marks.
func (b *Book) FirstOf(ctx context.Context, src Source, number uint32) (s Side, err error) {
	item, ok := b.itemOf[number]
	if !ok {
		return s, fmt.Errorf("text %d was indexed while this was read: try again", number)
	}
	return side(ctx, src, place{b.first[item].observation, b.first[item].observation}, nil, false)
}

// Carriers gives the keys of the posts that carry an object, in the order in which
// they were taken in, at most limit unless that is 0, and how many there are.
func (b *Book) Carriers(ctx context.Context, o Object, limit int) (keys []string, total int, err error) {
	rows, err := b.s.db.QueryContext(ctx, "SELECT c.post FROM object o JOIN carry c ON c.object = o.id WHERE o.kind = ? AND o.key = ? ORDER BY c.post", o.Kind, o.Key)
	if err != nil {
		return nil, 0, fmt.Errorf("look for %s: %w", o.Key, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var row int64
		if err := rows.Scan(&row); err != nil {
			return nil, 0, fmt.Errorf("look for %s: %w", o.Key, err)
		}
		if total++; limit == 0 || total <= limit {
			keys = append(keys, b.keyOfRow(row))
		}
	}
	return keys, total, rows.Err()
}

// MarksOf gives the places of an object in a text; none where it does not stand
// there in so many letters.
func MarksOf(s string, o Object) []narrative.Range {
	var list []narrative.Range
	for at := 0; at < len(s) && len(list) < 20; {
		i := strings.IndexAny(s[at:], "h#＃")
		if i < 0 {
			break
		}
		at += i
		end := at + 1
		for end < len(s) && s[end] > ' ' && s[end] != '#' {
			end++
		}
		for _, found := range Objects(&post.Post{Text: s[at:end]}) {
			if found == o {
				list = append(list, narrative.Range{From: at, To: end})
				break
			}
		}
		at = end
	}
	return list
}

// Showing gives the keys of the posts with a media object, in the order in which
// they were taken in.
func (b *Book) Showing(ctx context.Context, media string) ([]string, error) {
	keys, _, err := b.Carriers(ctx, Object{Media, media}, 0)
	return keys, err
}
