package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/demoweb"
	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/engine"
)

// demoWindow is the time within which accounts of the demonstration are looked
// at as acting together: a shift of the made-up operation takes some twenty
// minutes for a story.
const demoWindow = 30 * time.Minute

// A demoTruth compares what the linker found with what the made-up world knows.
type demoTruth struct {
	Told     int         `json:"story_posts"` // collected posts that carry a story or what people pass on
	Together int         `json:"story_posts_together"`
	Stories  []demoStory `json:"stories"`
	Ways     []demoWay   `json:"ways"`
	Ordinary int         `json:"ordinary_posts"`
	// FalsePosts are ordinary posts with a link to a post of other material, False
	// all links between posts of different material.
	FalsePosts int `json:"ordinary_posts_with_false_links"`
	False      int `json:"false_links"`
	Links      int `json:"links"`

	Team       int `json:"operation_accounts"` // of which posts were collected
	TeamFound  int `json:"operation_accounts_in_pairs"`
	Pairs      int `json:"pairs"`
	WrongPairs int `json:"pairs_with_ordinary_accounts"`
}

// A demoStory is one story and the narrative that holds most of it.
type demoStory struct {
	Story     string         `json:"story"`
	Posts     int            `json:"posts"`
	Together  int            `json:"together"` // of them in the narrative of most posts of their language
	Platforms int            `json:"platforms"`
	Languages map[string]int `json:"languages"`
	Narrative []string       `json:"narratives"` // one, or one for each language that was not linked to the others
}

// A demoWay is one way in which stories are passed on.
type demoWay struct {
	Way      string `json:"way"`
	Posts    int    `json:"posts"`
	Together int    `json:"together"`
}

// demoPost is a post of the world in the corpus.
type demoPost struct {
	*demoweb.Post
	narratives []string
}

// judge links what was collected and compares it with the truth.
func (a *app) judge(ctx context.Context, cfg config.Config, store *corpus.Store, world *demoweb.World) (t demoTruth, err error) {
	if _, err := a.freshNarratives(ctx, cfg, store); err != nil {
		return t, err
	}
	r := &reading{cfg: cfg, corpus: store}
	if err := r.open(ctx); err != nil {
		return t, err
	}
	defer closing(&err, r.store)
	posts := map[string]demoPost{}
	for _, p := range world.Posts {
		view, err := demoView(ctx, store, p)
		if err != nil {
			return t, err
		}
		if view != nil {
			posts[view.Post.Key()] = demoPost{p, r.NarrativesOf(view.Post.Key())}
		}
	}
	t.stories(posts)
	if err := t.links(ctx, r, posts); err != nil {
		return t, err
	}
	return t, t.pairs(ctx, r, posts)
}

// material names what a post carries, for telling links that are right from
// those that are not: a post that is passed on openly is the material of those
// who pass it on.
func material(p *demoweb.Post) string {
	for p.Of != nil {
		p = p.Of
	}
	if p.Story != "" {
		return p.Story
	}
	return p.Account.Platform + " " + p.ID
}

func (t *demoTruth) stories(posts map[string]demoPost) {
	type version struct{ story, lang string }
	sizes := map[version]map[string]int{}
	for _, p := range posts {
		if p.Story == "" {
			if p.Of == nil {
				t.Ordinary++
			}
			continue
		}
		v := version{p.Story, p.Lang}
		if sizes[v] == nil {
			sizes[v] = map[string]int{}
		}
		for _, id := range p.narratives {
			sizes[v][id]++
		}
	}
	most := map[version]string{}
	for v, of := range sizes {
		for _, id := range slices.Sorted(maps.Keys(of)) {
			if of[id] > of[most[v]] {
				most[v] = id
			}
		}
	}
	stories, ways, platforms := map[string]*demoStory{}, map[string]*demoWay{}, map[string]map[string]bool{}
	for _, p := range posts {
		if p.Story == "" {
			continue
		}
		s := stories[p.Story]
		if s == nil {
			s = &demoStory{Story: p.Story, Languages: map[string]int{}}
			stories[p.Story], platforms[p.Story] = s, map[string]bool{}
		}
		id := most[version{p.Story, p.Lang}]
		together := id != "" && slices.Contains(p.narratives, id)
		t.Told++
		s.Posts++
		s.Languages[p.Lang]++
		platforms[p.Story][p.Account.Platform] = true
		if id != "" && !slices.Contains(s.Narrative, id) {
			s.Narrative = append(s.Narrative, id)
		}
		if together {
			t.Together++
			s.Together++
		}
		for way := range strings.SplitSeq(p.How, ", ") {
			if ways[way] == nil {
				ways[way] = &demoWay{Way: way}
			}
			ways[way].Posts++
			if together {
				ways[way].Together++
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		s := stories[name]
		s.Platforms = len(platforms[name])
		slices.Sort(s.Narrative)
		t.Stories = append(t.Stories, *s)
	}
	for _, name := range slices.Sorted(maps.Keys(ways)) {
		t.Ways = append(t.Ways, *ways[name])
	}
}

func (t *demoTruth) links(ctx context.Context, r *reading, posts map[string]demoPost) error {
	wrong := map[string]bool{}
	for l, err := range r.All(ctx, engine.Filter{}) {
		if err != nil {
			return err
		}
		a, okA := posts[l.A]
		b, okB := posts[l.B]
		if !okA || !okB || l.Strength != narrative.Linked {
			continue // the newspaper, comments; or shown as possible only
		}
		t.Links++
		if material(a.Post) == material(b.Post) {
			continue
		}
		t.False++
		for key, p := range map[string]demoPost{l.A: a, l.B: b} {
			if p.Story == "" && p.Of == nil {
				wrong[key] = true
			}
		}
	}
	t.FalsePosts = len(wrong)
	return nil
}

func (t *demoTruth) pairs(ctx context.Context, r *reading, posts map[string]demoPost) error {
	c := coordinationCmd{Object: []string{engine.ByNarrative}, Window: demoWindow, MinShared: 2, MinPosts: 2, P: 0.01, Definition: "refrain", Quantile: 0.5}
	shares, _, err := c.shares(ctx, r, c.Object)
	if err != nil {
		return err
	}
	operation, found := map[string]bool{}, map[string]bool{}
	for _, s := range shares {
		if p, ok := posts[s.Post]; ok && p.Account.Operation {
			operation[s.Account] = true
		}
	}
	edges, _, err := c.network(shares)
	if err != nil {
		return err
	}
	for _, e := range edges {
		t.Pairs++
		if !operation[e.A] || !operation[e.B] {
			t.WrongPairs++
		}
		for _, account := range []string{e.A, e.B} {
			if operation[account] {
				found[account] = true
			}
		}
	}
	t.Team, t.TeamFound = len(operation), len(found)
	return nil
}

// demoView finds a post of the world in the corpus; nil where it is not there.
func demoView(ctx context.Context, store *corpus.Store, p *demoweb.Post) (*corpus.View, error) {
	for _, id := range []string{p.ID, "t3_" + p.ID, p.Account.Handle + ":" + p.ID} {
		views, err := store.Posts(ctx, p.Account.Platform+":"+id)
		if err != nil {
			return nil, err
		}
		if len(views) > 0 {
			return &views[0], nil
		}
	}
	return nil, nil
}

// printTruth says what the linker found of what is there.
func (a *app) printTruth(t demoTruth) error {
	lines := []string{fmt.Sprintf("\nthe refrain: %d of %d posts that carry a story stand together in its narrative (%.1f %%)", t.Together, t.Told, percent(t.Together, t.Told))}
	for _, s := range t.Stories {
		var languages []string
		for _, l := range slices.SortedFunc(maps.Keys(s.Languages), func(x, y string) int { return cmp.Compare(s.Languages[y], s.Languages[x]) }) {
			languages = append(languages, fmt.Sprintf("%d %s", s.Languages[l], l))
		}
		lines = append(lines, fmt.Sprintf("  %-15s %3d of %3d posts on %2d platforms (%s): narrative %s", s.Story, s.Together, s.Posts, s.Platforms, strings.Join(languages, ", "), strings.Join(s.Narrative, " and ")))
	}
	lines = append(lines, "by the way in which they were passed on:")
	for _, w := range t.Ways {
		lines = append(lines, fmt.Sprintf("  %-22s %3d of %3d", w.Way, w.Together, w.Posts))
	}
	lines = append(lines,
		fmt.Sprintf("links between posts of different material: %d of %d; %d of %d ordinary posts have one (%.1f of 1,000)", t.False, t.Links, t.FalsePosts, t.Ordinary, 1000*float64(t.FalsePosts)/max(1, float64(t.Ordinary))),
		fmt.Sprintf("accounts that act together within %s (p up to 0.01): %s, %d with an ordinary account; %d of the operation's %d accounts are in one", demoWindow, plural(int64(t.Pairs), "pair"), t.WrongPairs, t.TeamFound, t.Team))
	return a.printf("%s", strings.Join(lines, "\n"))
}

func percent(n, of int) float64 { return 100 * float64(n) / max(1, float64(of)) }
