package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/post"
)

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
	for _, kind := range []string{Picture, Clip} {
		shown, err := b.sameShown(ctx, kind, key, row)
		if err != nil {
			return nil, err
		}
		list = append(list, shown...)
	}
	return list, nil
}

// sameShown gives the links to posts with a picture or clip that shows the same.
func (b *Book) sameShown(ctx context.Context, kind, key string, row int64) ([]Link, error) {
	rows, err := b.s.db.QueryContext(ctx, `SELECT DISTINCT p.gang, c2.post, p.sha256 = p2.sha256 FROM carry c JOIN object o ON o.id = c.object AND o.kind = 'media' JOIN `+shownBy[kind].table+` p ON p.media = o.key
		JOIN `+shownBy[kind].table+` p2 ON p2.gang = p.gang JOIN object o2 ON o2.kind = 'media' AND o2.key = p2.media JOIN carry c2 ON c2.object = o2.id
		WHERE c.post = ?1 AND c2.post <> ?1 ORDER BY p.gang, c2.post, 3 DESC`, row)
	if err != nil {
		return nil, fmt.Errorf("read the pictures of %s: %w", key, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []Link
	seen := map[[2]string]bool{}
	for rows.Next() {
		o := Object{Kind: kind}
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
		l := Link{Link: narrative.Link{A: key, B: name[1], Signal: ByObject, Kind: narrative.Kind(kind), Score: 1, Why: shownBy[kind].why}, Object: &o, Strength: narrative.Linked}
		if same {
			l.Why += ", byte for byte the same file"
		}
		list = append(list, l)
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
	kind := "o.kind = ?1"
	if o.Kind == Media {
		kind = "o.kind = 'media' AND ?1 <> ''" // so that object_media is used
	}
	rows, err := b.s.db.QueryContext(ctx, "SELECT c.post FROM object o JOIN carry c ON c.object = o.id WHERE "+kind+" AND o.key = ?2 ORDER BY c.post", o.Kind, o.Key)
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
