package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/narrative/cluster"
)

// ActURL is the address under which acts on narratives stand in the archive.
const ActURL = "urn:refrain:act:narrative"

// The acts of analysts beside those of package cluster.
const (
	Name = "name" // Text is the name that the narrative bears; empty takes it away
	Note = "note" // Text is added to what is noted
)

// An Act is one decision of an analyst, as its line in the archive says it. It
// names narratives by their ids and posts by their keys, so that it means the
// same when everything is made anew.
type Act struct {
	Type      string    `json:"type"` // "act"
	URL       string    `json:"url"`  // ActURL
	Act       string    `json:"act"`  // name, note, pin, split, merge, undo_merge
	Narrative string    `json:"narrative"`
	Other     string    `json:"other,omitempty"` // of merge and undo_merge: the narrative that is or was merged into Narrative
	Posts     []string  `json:"posts,omitempty"` // of pin and split: PLATFORM:ID
	Text      string    `json:"text,omitempty"`
	By        string    `json:"by,omitempty"`
	At        time.Time `json:"at"`
}

// ParseActs reads the lines of the archive that are acts on narratives, in their
// order.
func ParseActs(lines []json.RawMessage) ([]Act, error) {
	var list []Act
	for _, line := range lines {
		var a Act
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, fmt.Errorf("an act on narratives cannot be read (run `refrain rebuild`): %w", err)
		}
		if a.Type == "act" && a.URL == ActURL {
			list = append(list, a)
		}
	}
	return list, nil
}

// apply gives the view that the acts leave, after acts that the pictures brought
// about. An act on what is not there (any
// more) changes nothing.
func (b *Book) apply(acts []cluster.Act) {
	for _, a := range b.acts {
		n, known := b.founder[a.Narrative]
		act := cluster.Act{Kind: cluster.Kind(a.Act), Narrative: n}
		switch act.Kind {
		case cluster.Pin, cluster.Split:
			for _, key := range a.Posts {
				act.Items = append(act.Items, b.itemsOfKey(key)...)
			}
			known = (known || act.Kind == cluster.Split) && len(act.Items) > 0
			if act.Kind == cluster.Split && known {
				first := act.Items[0]
				act.Narrative = first
				if _, founder := b.ids[first]; !founder {
					b.setID(first, idOf(b.keyOfItem(first), 0))
				}
			}
		case cluster.Apart, cluster.Together:
			var other bool
			act.Other, other = b.founder[a.Other]
			known = known && other
		case Name:
			if known {
				b.names[n] = a.Text
			}
			continue
		case Note:
			if known {
				b.notes[n] = append(b.notes[n], Noted{Text: a.Text, By: a.By, At: a.At})
			}
			continue
		default:
			continue
		}
		if known {
			acts = append(acts, act)
		}
	}
	b.view = b.c.View(acts)
}

// itemsOfKey gives the items of the texts of a post, the newest first.
func (b *Book) itemsOfKey(key string) []int {
	row, ok := b.rowOf[key]
	if !ok {
		return nil
	}
	var items []int
	for _, d := range b.docsOf(row) {
		if !slices.Contains(items, d.item) {
			items = append(items, d.item)
		}
	}
	slices.Reverse(items)
	return items
}

// Find resolves what a user calls a narrative: its id or the beginning of it, its
// name, or the key of a post that is in it.
func (b *Book) Find(words string) (int, error) {
	if n, ok := b.founder[words]; ok {
		return b.view.Group(n), nil
	}
	named := cluster.None // the oldest of those with that name
	for n, name := range b.names {
		if name != "" && strings.EqualFold(name, words) && (named == cluster.None || n < named) {
			named = n
		}
	}
	if named != cluster.None {
		return b.view.Group(named), nil
	}
	if items := b.itemsOfKey(words); len(items) > 0 {
		return b.view.Group(items[0]), nil
	}
	if len(words) >= 3 {
		var found []string
		for id := range b.founder {
			if strings.HasPrefix(id, strings.ToLower(words)) {
				found = append(found, id)
			}
		}
		slices.Sort(found)
		switch {
		case len(found) == 1:
			return b.view.Group(b.founder[found[0]]), nil
		case len(found) > 1:
			return 0, fmt.Errorf("%d narratives begin with %q: %s", len(found), words, strings.Join(found[:min(5, len(found))], ", "))
		}
	}
	return 0, fmt.Errorf("there is no narrative %q: give its id or its name (`refrain narratives` lists them), or a post that is in it (PLATFORM:ID)", words)
}
