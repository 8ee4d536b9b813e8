package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/narrative/cluster"
)

// A Brief is what is asked of very many posts at once.
type Brief struct {
	Row       int64
	Platform  string
	ID        string
	Account   string // PLATFORM:KEY; "" where the platform names none
	Lang      string // as the platform states it
	Earliest  time.Time
	Latest    time.Time // of its creation, as the platform says; zero is open
	FirstSeen time.Time // of its first capture
}

// Key is the post's PLATFORM:ID.
func (b Brief) Key() string { return b.Platform + ":" + b.ID }

// Posts gives Briefs of the posts of these rows, or of all with nil.
type Posts interface {
	Briefs(ctx context.Context, rows []int64, f func(Brief) error) error
}

// A Book is all narratives at one moment, with what analysts did. It is not
// changed by later indexing.
type Book struct {
	s    *Store
	c    *cluster.Clusters
	view *cluster.View
	acts []Act

	first   []founding     // by item
	itemOf  map[uint32]int // by text
	docs    []doc          // in the order of posts, then observations
	briefs  map[int64]*Brief
	rowOf   map[string]int64
	ids     map[int]string // by founding item
	founder map[string]int // by id
	names   map[int]string
	notes   map[int][]Noted
	groups  map[int][]int // founding item → docs, one of each post
	// pictured are the items that are shown with another narrative because of a
	// picture.
	pictured map[int]Object

	// The links turned about, read when they are first asked for: of each item the
	// newer ones that have a link to it.
	linked  sync.Mutex
	newerAt []int32 // where those of an item begin in newerOf; nil before
	newerOf []int32
}

type founding struct {
	post, observation int64
	object            sql.NullInt64
	short             bool // says little of its own, or is of a post without words
}

type doc struct {
	post, observation int64
	item              int
	repost            bool
}

// A Noted is one note of an analyst.
type Noted struct {
	Text string    `json:"text"`
	By   string    `json:"by,omitempty"`
	At   time.Time `json:"at"`
}

// Book reads all narratives. acts are those of the archive, in their order.
func (s *Store) Book(ctx context.Context, posts Posts, acts []Act) (*Book, error) {
	b := &Book{s: s, acts: acts, itemOf: map[uint32]int{}, briefs: map[int64]*Brief{}, rowOf: map[string]int64{}, ids: map[int]string{}, founder: map[string]int{},
		names: map[int]string{}, notes: map[int][]Noted{}, groups: map[int][]int{}, pictured: map[int]Object{}}
	var err error
	b.c, err = s.clusters(ctx, func(id int, text, object sql.NullInt64, post, observation int64, short bool) {
		if text.Valid {
			b.itemOf[uint32(text.Int64)] = id
		}
		b.first = append(b.first, founding{post, observation, object, short})
	})
	if err == nil {
		err = b.readDocs(ctx)
	}
	if err == nil {
		err = posts.Briefs(ctx, nil, func(p Brief) error {
			b.briefs[p.Row] = &p
			b.rowOf[p.Key()] = p.Row
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read the narratives: %w", err)
	}
	founded := map[int64]int{} // items that a post was the first of
	for i := range b.first {
		n := founded[b.first[i].post]
		founded[b.first[i].post]++
		if b.c.State(i).Role == cluster.Founder {
			b.setID(i, idOf(b.keyOfItem(i), n))
		}
	}
	before, err := b.byShown(ctx, Picture)
	if err != nil {
		return nil, err
	}
	clips, err := b.byShown(ctx, Clip)
	if err != nil {
		return nil, err
	}
	before = append(before, clips...)
	b.apply(before)
	for k := range b.docs {
		g := b.view.Group(b.docs[k].item)
		// The versions of a post that stand in one narrative are one member.
		if list := b.groups[g]; len(list) == 0 || b.docs[list[len(list)-1]].post != b.docs[k].post {
			b.groups[g] = append(list, k)
		}
	}
	return b, nil
}

func (b *Book) readDocs(ctx context.Context) error {
	rows, err := b.s.db.QueryContext(ctx, "SELECT post, observation, item, repost FROM doc WHERE item < ? ORDER BY post, observation", b.c.Len())
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var d doc
		if err := rows.Scan(&d.post, &d.observation, &d.item, &d.repost); err != nil {
			return err
		}
		b.docs = append(b.docs, d)
	}
	return rows.Err()
}

// docsOf gives the texts of a post, oldest first.
func (b *Book) docsOf(row int64) []doc {
	at := sort.Search(len(b.docs), func(i int) bool { return b.docs[i].post >= row })
	end := at
	for end < len(b.docs) && b.docs[end].post == row {
		end++
	}
	return b.docs[at:end]
}

func (b *Book) keyOfItem(i int) string { return b.keyOfRow(b.first[i].post) }

func (b *Book) keyOfRow(row int64) string {
	if p := b.briefs[row]; p != nil {
		return p.Key()
	}
	return "?:" + strconv.FormatInt(row, 10) // indexed, and not in the corpus
}

// idOf names the narrative that a post founded with its n-th text (from 0).
func idOf(key string, n int) string {
	if n > 0 {
		key += "#" + strconv.Itoa(n)
	}
	sum := sha256.Sum256([]byte(key))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))
}

// idLength is how many of its characters an id is shown with: 50 bits. Where two
// narratives agree in them, the younger has more.
const idLength = 10

func (b *Book) setID(item int, long string) {
	for n := idLength; n <= len(long); n++ {
		if _, taken := b.founder[long[:n]]; !taken {
			b.founder[long[:n]] = item
			b.ids[item] = long[:n]
			return
		}
	}
}

// Sizes gives the founding items of all narratives with at least so many posts,
// by number of accounts, then of posts, then by id.
func (b *Book) sorted(minPosts, minAccounts int) []int {
	accounts := map[int]int{}
	var list []int
	for g, docs := range b.groups {
		if len(docs) < minPosts {
			continue
		}
		seen := map[string]bool{}
		for _, k := range docs {
			if p := b.briefs[b.docs[k].post]; p != nil && p.Account != "" {
				seen[p.Account] = true
			}
		}
		if len(seen) >= minAccounts {
			accounts[g] = len(seen)
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(x, y int) int {
		return cmp.Or(cmp.Compare(accounts[y], accounts[x]), cmp.Compare(len(b.groups[y]), len(b.groups[x])), cmp.Compare(b.ids[x], b.ids[y]))
	})
	return list
}

// Founding gives the text of the post that founded a narrative.
func (b *Book) Founding(ctx context.Context, src Source, g int) (Side, error) {
	return side(ctx, src, place{b.first[g].observation, b.first[g].observation}, nil, false)
}

// Founds reports whether the newest text of a post founded a narrative.
func (b *Book) Founds(key string) bool {
	items := b.itemsOfKey(key)
	return len(items) > 0 && b.view.Narrative(items[0])
}

// Named finds a narrative by its own id or name, and also one that was merged into
// another: it gives the narrative under which that is shown, and its own id.
func (b *Book) Named(words string) (g int, id string, err error) {
	if n, ok := b.founder[words]; ok {
		return b.view.Group(n), words, nil
	}
	var found []string
	for id := range b.founder {
		if len(words) >= 3 && strings.HasPrefix(id, strings.ToLower(words)) {
			found = append(found, id)
		}
	}
	if len(found) == 1 {
		return b.view.Group(b.founder[found[0]]), found[0], nil
	}
	if g, err = b.Find(words); err != nil {
		return 0, "", err
	}
	return g, b.ids[g], nil
}

// AccountsOf counts the posts of each account in a narrative.
func (b *Book) AccountsOf(id string) map[string]int {
	n := map[string]int{}
	for _, k := range b.groups[b.view.Group(b.founder[id])] {
		if p := b.briefs[b.docs[k].post]; p != nil && p.Account != "" {
			n[p.Account]++
		}
	}
	return n
}
