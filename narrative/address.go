package narrative

import (
	"fmt"

	"github.com/refrain-archive/refrain/narrative/link"
)

// FromURL makes a link of two posts that link to one target, which with of all posts
// link to. The score is link.Weight: what everyone links to joins nobody. A target
// that names a whole site scores nothing, and a short link of which it is not known
// where it leads counts like any other: only who has it can have copied it.
func FromURL(a, b string, t link.Target, posts, with int) Link {
	l := Link{A: a, B: b, Signal: URL, Kind: Copy}
	if l.B < l.A {
		l.A, l.B = l.B, l.A
	}
	where := t.URL
	if len(t.Via) > 0 {
		where += " (by way of " + t.Via[0] + ")"
	}
	switch {
	case t.Home:
		l.Why = fmt.Sprintf("both link to the site %s", where)
	default:
		l.Score = link.Weight(posts, with)
		l.Why = fmt.Sprintf("both link to %s, as %d of %d posts do", where, with, posts)
	}
	if t.Short {
		l.Why += "; where the short link leads is not known"
	}
	return l
}
