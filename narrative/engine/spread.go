package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/refrain-archive/refrain/narrative/cluster"
)

// A Summary is one narrative as it is listed.
type Summary struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"`
	Notes    []Noted  `json:"notes,omitempty"`
	Posts    int      `json:"posts"`
	Reposts  int      `json:"reposts"` // of them: those that the platform itself marks as passing another post on
	Texts    int      `json:"texts"`   // distinct ones; pictures and addresses of posts without words count as one
	Accounts int      `json:"accounts"`
	Founder  string   `json:"founder"` // key of the post that is first in the order of indexing
	Merged   []string `json:"merged,omitempty"`

	// First is the post that was made first, as the platforms say; Captured the
	// one that was captured first. Neither need be where the material is from.
	First    *Moment `json:"first,omitempty"`
	Captured *Moment `json:"captured,omitempty"`
	// Last is the latest time of a post that is known to the second.
	Last      time.Time  `json:"last,omitzero"`
	Undated   int        `json:"undated"` // posts whose time is not known at all
	Platforms []Platform `json:"platforms"`
	Languages []Count    `json:"languages"` // as platforms state them
	Days      []Count    `json:"days"`      // posts of each day, UTC; of those whose day is known
}

// A Moment is when one post was made or captured.
type Moment struct {
	Post     string    `json:"post"`
	Earliest time.Time `json:"earliest,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`
	Exact    bool      `json:"exact"`
	// Rivals is how many other posts may have been made as early or earlier, as
	// far as their times are known.
	Rivals int `json:"rivals"`
}

// A Platform is the part of a narrative that stands on one platform.
type Platform struct {
	Name     string  `json:"name"`
	Posts    int     `json:"posts"`
	Accounts int     `json:"accounts"`
	First    *Moment `json:"first,omitempty"`
	// LagFrom and LagTo bound how long after First of the narrative that was, in
	// seconds. Both are absent where the times do not say.
	LagFrom *float64 `json:"lag_from_s,omitempty"`
	LagTo   *float64 `json:"lag_to_s,omitempty"`
}

// A Count is how many posts have a word or day.
type Count struct {
	Value string `json:"value"`
	Posts int    `json:"posts"`
}

// Narratives gives the narratives with at least so many posts and accounts, those
// of the most accounts first.
func (b *Book) Narratives(minPosts, minAccounts int) []Summary {
	var list []Summary
	for _, g := range b.sorted(minPosts, minAccounts) {
		list = append(list, b.Summary(g))
	}
	return list
}

// Summary sums up the narrative of a founding item.
func (b *Book) Summary(g int) Summary {
	s := Summary{ID: b.ids[g], Name: b.names[g], Notes: b.notes[g], Founder: b.keyOfItem(g), Platforms: []Platform{}, Languages: []Count{}, Days: []Count{}}
	items, accounts := map[int]bool{}, map[string]bool{}
	var all []*Brief
	byPlatform := map[string][]*Brief{}
	languages, days := map[string]int{}, map[string]int{}
	for _, k := range b.groups[g] {
		d := b.docs[k]
		items[d.item] = true
		s.Posts++
		if d.repost {
			s.Reposts++
		}
		p := b.briefs[d.post]
		if p == nil {
			continue
		}
		all = append(all, p)
		byPlatform[p.Platform] = append(byPlatform[p.Platform], p)
		if p.Account != "" {
			accounts[p.Account] = true
		}
		if p.Lang != "" {
			languages[p.Lang]++
		}
		if p.Earliest.IsZero() && p.Latest.IsZero() {
			s.Undated++
		}
		if day := p.Earliest.Format(time.DateOnly); !p.Earliest.IsZero() && day == p.Latest.Format(time.DateOnly) {
			days[day]++
		}
		if p.Earliest.Equal(p.Latest) && p.Latest.After(s.Last) {
			s.Last = p.Latest
		}
	}
	s.Texts, s.Accounts = len(items), len(accounts)
	for i := range items {
		if _, pictured := b.pictured[i]; pictured {
			continue
		}
		if n := b.c.State(i).Narrative; n != g && i == n && b.ids[n] != "" {
			s.Merged = append(s.Merged, b.ids[n])
		}
	}
	slices.Sort(s.Merged)
	s.First, s.Captured = first(all), captured(all)
	for name, posts := range byPlatform {
		own := map[string]bool{}
		for _, p := range posts {
			if p.Account != "" {
				own[p.Account] = true
			}
		}
		pl := Platform{Name: name, Posts: len(posts), Accounts: len(own), First: first(posts)}
		pl.LagFrom, pl.LagTo = lag(s.First, pl.First)
		s.Platforms = append(s.Platforms, pl)
	}
	slices.SortFunc(s.Platforms, func(x, y Platform) int {
		return cmp.Or(compareFirst(x.First, y.First), cmp.Compare(y.Posts, x.Posts), cmp.Compare(x.Name, y.Name))
	})
	s.Languages, s.Days = counts(languages), counts(days)
	slices.SortStableFunc(s.Languages, func(x, y Count) int { return cmp.Compare(y.Posts, x.Posts) })
	return s
}

// counts lists a map in the order of its words.
func counts(m map[string]int) []Count {
	list := []Count{}
	for value, n := range m {
		list = append(list, Count{value, n})
	}
	slices.SortFunc(list, func(x, y Count) int { return cmp.Compare(x.Value, y.Value) })
	return list
}

func compareFirst(x, y *Moment) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	}
	return x.Latest.Compare(y.Latest)
}

// first gives the post that was made before all others: the one whose latest
// possible time is the earliest.
func first(posts []*Brief) *Moment {
	var best *Brief
	for _, p := range posts {
		if p.Latest.IsZero() {
			continue
		}
		if best == nil || p.Latest.Before(best.Latest) || p.Latest.Equal(best.Latest) && (p.Earliest.Before(best.Earliest) || p.Earliest.Equal(best.Earliest) && p.Key() < best.Key()) {
			best = p
		}
	}
	if best == nil {
		return nil
	}
	m := &Moment{Post: best.Key(), Earliest: best.Earliest, Latest: best.Latest, Exact: best.Earliest.Equal(best.Latest)}
	for _, p := range posts {
		if p != best && !(p.Earliest.IsZero() && p.Latest.IsZero()) && !p.Earliest.After(best.Latest) {
			m.Rivals++
		}
	}
	return m
}

// captured gives the post that was captured first.
func captured(posts []*Brief) *Moment {
	var best *Brief
	for _, p := range posts {
		if p.FirstSeen.Year() <= 1 {
			continue // imported from a file that does not say
		}
		if best == nil || p.FirstSeen.Before(best.FirstSeen) || p.FirstSeen.Equal(best.FirstSeen) && p.Key() < best.Key() {
			best = p
		}
	}
	if best == nil {
		return nil
	}
	return &Moment{Post: best.Key(), Earliest: best.FirstSeen, Latest: best.FirstSeen, Exact: true}
}

func lag(from, to *Moment) (least, most *float64) {
	if from == nil || to == nil || from.Earliest.IsZero() || to.Earliest.IsZero() {
		return nil, nil
	}
	lo, hi := max(0, to.Earliest.Sub(from.Latest).Seconds()), max(0, to.Latest.Sub(from.Earliest).Seconds())
	return &lo, &hi
}

// roleOf is the role in the narrative that an item is shown under.
func (b *Book) roleOf(g, item int) string {
	_, pictured := b.pictured[item]
	switch st := b.c.State(item); {
	case item != g && pictured:
		return cluster.Attached.String()
	case item == g:
		return cluster.Founder.String()
	case b.view.Moved(item):
		return "pinned"
	case st.Role == cluster.Founder: // of a narrative that was merged
		return cluster.Core.String()
	default:
		return st.Role.String()
	}
}
