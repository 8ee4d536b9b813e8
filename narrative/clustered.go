package narrative

import (
	"github.com/refrain-archive/refrain/narrative/cluster"
	"github.com/refrain-archive/refrain/narrative/text"
)

// ClusterLink is what package cluster takes of a match of texts; to is the item
// of the matched text. Most of either text must be in the other for a Whole
// link; in all else one is a piece of the other, or they share a passage.
func ClusterLink(to int, m text.Match) cluster.Link {
	l := cluster.Link{To: to, Score: m.Score, Form: cluster.Part, Share: max(m.QueryShare, m.TextShare)}
	if m.Kind == text.Copy || m.Kind == text.EditedCopy {
		l.Form = cluster.Whole
	}
	return l
}

// Review looks at the doubtful members of c again and lets those leave that share
// less than cluster.KeepShare with their core by now. textOf gives the text of an
// item, text.NoText for items without one; left is told of each that left.
func Review(c *cluster.Clusters, ix *text.Index, textOf func(item int) uint32, left func(item int)) error {
	for i, core := range c.Doubtful() {
		a, b := textOf(i), textOf(core)
		if a == text.NoText || b == text.NoText {
			continue
		}
		m, ok, err := ix.Compare(a, b)
		if err != nil {
			return err
		}
		if ok && max(m.QueryShare, m.TextShare) >= cluster.KeepShare {
			continue
		}
		c.Leave(i)
		left(i)
	}
	return nil
}
