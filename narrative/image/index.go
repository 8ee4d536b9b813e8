package image

import (
	"cmp"
	"slices"
	"sync"
)

// An Index keeps pictures under all their views and finds those that a picture
// shows, or shows a part of. The zero Index is empty and ready; its methods are
// safe for concurrent use. A picture takes 24 hashes of 32 bytes, twice that where
// it has borders, and about 90 bytes beside each for the description of the view.
type Index struct {
	mu    sync.RWMutex
	set   Set
	views []indexed // by index in set
	count int
}

type indexed struct {
	id      string
	picture int
	view    View
}

// A Match says that two pictures agree, and in which of their views.
type Match struct {
	ID       string `json:"id"`       // of the picture that was added
	Distance int    `json:"distance"` // 0 to WindowDistance; at most MatchDistance is a near certainty
	Query    View   `json:"query"`    // the part of the query
	Indexed  View   `json:"indexed"`  // the part of the picture that was added
}

// Add keeps g under id and gives the number of its views. With 0 the picture is
// too flat to be told from others, and no search will find it. Pictures that are
// added under the same id stay apart.
func (ix *Index) Add(id string, g Grey) int {
	list := g.IndexViews()
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for _, v := range list {
		ix.set.Add(v.Hash)
		ix.views = append(ix.views, indexed{id, ix.count, v})
	}
	if len(list) > 0 {
		ix.count++
	}
	return len(list)
}

// Len is the number of pictures that can be found.
func (ix *Index) Len() int {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.count
}

// Search gives the pictures of which a view is within WindowDistance of a view of
// g, each once with its nearest pair of views; nearest first, then in the order
// they were added. A picture too flat to have a view finds none.
func (ix *Index) Search(g Grey) []Match {
	queries := g.QueryViews()
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	best := map[int]Match{}
	for _, q := range queries {
		for _, hit := range ix.set.Search(q.Hash, WindowDistance) {
			v := &ix.views[hit.Index]
			if m, ok := best[v.picture]; !ok || hit.Distance < m.Distance {
				best[v.picture] = Match{v.id, hit.Distance, q, v.view}
			}
		}
	}
	order := make([]int, 0, len(best))
	for p := range best {
		order = append(order, p)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(best[a].Distance, best[b].Distance), cmp.Compare(a, b))
	})
	var list []Match
	for _, p := range order {
		list = append(list, best[p])
	}
	return list
}
