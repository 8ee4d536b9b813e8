package reddit

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// ReadItem reads one post or comment as dumps keep it, one object a line: the
// data of a t3 or t1 thing, without its envelope. Ids may stand without their
// type prefix (id, link_id, parent_id of old dumps), numbers as strings, and
// times as numbers or strings. Which of the two an object is follows from its
// fields: a comment has a body and hangs under a post, a post has a title.
//
// The error says why raw is neither. The page has one post, and those that a
// crosspost carries with it.
func ReadItem(raw []byte) (crawlers.Page, error) {
	raw = bytes.TrimSpace(raw)
	var t thing
	if bytes.HasPrefix(raw, []byte(`{"kind"`)) {
		if err := decode(raw, &t); err != nil {
			return crawlers.Page{}, fmt.Errorf("a Reddit item: %w", err)
		}
	}
	if t.Data.ID == "" {
		t = thing{}
		if err := decode(raw, &t.Data); err != nil {
			return crawlers.Page{}, fmt.Errorf("a Reddit item: %w", err)
		}
	}
	d := &t.Data
	if d.ID == "" && d.Name == "" {
		return crawlers.Page{}, errors.New("a Reddit item without an id")
	}
	switch {
	case t.Kind == "t1" || t.Kind == "t3":
	case strings.HasPrefix(d.Name, "t1_"), strings.HasPrefix(d.ID, "t1_"), d.LinkID != "" && d.Title == "":
		t.Kind = "t1"
	case strings.HasPrefix(d.Name, "t3_"), strings.HasPrefix(d.ID, "t3_"), d.Title != "":
		t.Kind = "t3"
	default:
		return crawlers.Page{}, fmt.Errorf("item %s of Reddit is neither a post (title) nor a comment (link_id)", d.ID)
	}
	if !isID(strings.ToLower(bare(fullName(&t)))) {
		return crawlers.Page{}, fmt.Errorf("a Reddit item with the id %.40q, which is none", d.ID)
	}
	if t.Kind == "t1" {
		d.LinkID = typed(d.LinkID, "t3_")
		if p := d.ParentID; p != "" && !strings.HasPrefix(p, "t1_") && !strings.HasPrefix(p, "t3_") {
			// A bare parent is a comment unless it is the post itself.
			if d.ParentID = "t1_" + p; typed(p, "t3_") == d.LinkID {
				d.ParentID = d.LinkID
			}
		}
	}
	d.SubredditID = typed(d.SubredditID, "t5_")
	d.AuthorFullname = typed(d.AuthorFullname, "t2_")
	r := &reader{escaped: isEscaped(raw, &url.URL{}), posts: map[string]bool{}, names: map[string]bool{}, steps: map[string]bool{}}
	p, ok := r.thing(&t)
	if !ok {
		return crawlers.Page{}, errors.New("a Reddit item without an id")
	}
	if p.Outcome.Scope() == post.ScopeTarget {
		r.page.Reason = "the dump shows it so"
	}
	r.add(p)
	r.parents(&t)
	r.page.Coverage = crawlers.Coverage{Served: len(r.page.Posts)}
	return r.page, nil
}

// typed gives an id its type prefix, where it has none. "" stays.
func typed(id, prefix string) string {
	if id == "" || strings.HasPrefix(id, prefix) {
		return id
	}
	return prefix + id
}
