package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/narrative/coord"
	"github.com/refrain-archive/refrain/narrative/engine"
)

type coordinationCmd struct {
	Object     []string      `default:"narrative" placeholder:"KIND" help:"What is shared: text, narrative, url, picture and clip (captured), media (its address), hashtag; several with commas, all counted together."`
	Window     time.Duration `default:"60s" help:"Two posts are together up to this long apart; whole seconds."`
	MinShared  int           `default:"2" help:"Only pairs of accounts that share at least so many different objects, in as many different posts of each."`
	MinPosts   int           `default:"2" help:"Leave out accounts with fewer posts that share anything."`
	P          float64       `name:"p" default:"0.01" help:"Only pairs that chance alone would bring about with at most this probability (1: all)."`
	Cross      bool          `help:"Only pairs of accounts on different platforms."`
	Narrative  string        `placeholder:"ID" help:"Only posts of that narrative."`
	Reposts    bool          `help:"Count posts that the platform marks as reposts too."`
	Definition string        `enum:"refrain,coortweet,qut" default:"refrain" help:"refrain: with a null model (the default). coortweet: CooRTweet's network exactly, its threshold marked. qut: the QUT toolkit's directed network of texts or links."`
	Quantile   float64       `default:"0.5" help:"CooRTweet's threshold: this quantile of the weights."`
	Limit      int           `short:"n" default:"50" help:"At most so many pairs; 0 is all."`
	CSV        bool          `name:"csv" help:"Write a table."`
	GraphML    string        `name:"graphml" placeholder:"FILE" help:"Write the network, for Gephi and others (- is standard output)."`
}

func (coordinationCmd) Help() string {
	return `Two accounts act together where they share the same objects within the window of each other, again and
again. One alert that two readers pass on at once is none: a pair needs at least two different objects. P is
how often two accounts with the volume and hours of these two would share so much by chance; among many
pairs, expect some below any P. Only posts whose time is known to the second are counted.

Examples:
  refrain coordination
  refrain coordination --object text,url --window 5m --cross
  refrain coordination --definition coortweet --object url --window 10s --csv > network.csv
  refrain coordination --graphml network.graphml -n 0
` + exitCodes
}

// An edge is one pair of accounts, as JSON.
type edge struct {
	A        string   `json:"a"`
	B        string   `json:"b"`
	Weight   int      `json:"weight"`  // pairs of posts; of qut the messages of a that have a partner
	Objects  int      `json:"objects"` // different ones
	Shared   int      `json:"co_shares,omitempty"`
	Expected *float64 `json:"expected,omitempty"` // co-shares by chance
	P        *float64 `json:"p,omitempty"`
	Seconds  float64  `json:"mean_seconds,omitempty"` // between the posts of a pair
	Above    bool     `json:"above_threshold,omitempty"`
	Symmetry float64  `json:"symmetry,omitempty"`
	Cross    bool     `json:"cross_platform"`
}

func (c coordinationCmd) Run(ctx context.Context, a *app) (err error) {
	kinds, err := c.kinds()
	if err != nil {
		return err
	}
	r, err := a.read(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, r)
	shares, skipped, err := c.shares(ctx, r, kinds)
	if err != nil {
		return err
	}
	if skipped > 0 {
		a.say("refrain: %s left out: no exact time, or no account", plural(int64(skipped), "post"))
	}
	edges, said, err := c.network(shares)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	all := len(edges)
	if c.Limit > 0 && len(edges) > c.Limit {
		edges = edges[:c.Limit]
	}
	if c.GraphML != "" {
		return a.writeGraph(c.GraphML, edgeGraph(edges, c.Definition == "qut"))
	}
	if c.CSV {
		return writeEdgesCSV(a, edges)
	}
	for _, e := range edges {
		if a.JSON {
			err = a.writeJSON(e)
		} else {
			err = a.printf("%s", edgeLine(e))
		}
		if err != nil {
			return err
		}
	}
	if a.JSON {
		return nil
	}
	shown := ""
	if len(edges) < all {
		shown = fmt.Sprintf(", %d shown (--limit)", len(edges))
	}
	return a.printf("%s%s; %s", plural(int64(all), "pair"), shown, said)
}

// kinds checks what is asked for.
func (c coordinationCmd) kinds() ([]string, error) {
	var list []string
	for _, kind := range c.Object {
		if !slices.Contains([]string{engine.ByText, engine.ByNarrative, engine.URL, engine.Media, engine.Picture, engine.Clip, engine.Hashtag}, kind) {
			return nil, usage("coordination: --object %s: there is text, narrative, url, media, picture, clip, hashtag", kind)
		}
		list = append(list, kind)
	}
	if c.Window%time.Second != 0 || c.Window < 0 {
		return nil, usage("coordination: --window %v: give whole seconds, as 10s or 5m", c.Window)
	}
	if !(c.P > 0 && c.P <= 1) {
		return nil, usage("coordination: --p %v: give a probability above 0 and up to 1", c.P)
	}
	if c.Definition == "qut" && (len(list) != 1 || list[0] != engine.ByText && list[0] != engine.URL) {
		return nil, usage("coordination: --definition qut knows --object text or --object url, one of them")
	}
	return list, nil
}

func (c coordinationCmd) shares(ctx context.Context, r *reading, kinds []string) (list []engine.Share, skipped int, err error) {
	var only map[string]bool
	if c.Narrative != "" {
		g, err := r.Find(c.Narrative)
		if err != nil {
			return nil, 0, err
		}
		only = map[string]bool{}
		for _, key := range r.PostsOf(g) {
			only[key] = true
		}
	}
	for _, kind := range kinds {
		more, passed, err := r.Shares(ctx, kind, c.Reposts)
		if err != nil {
			return nil, 0, err
		}
		skipped = max(skipped, passed)
		for _, s := range more {
			if only == nil || only[s.Post] {
				list = append(list, s)
			}
		}
	}
	return list, skipped, nil
}

// network finds the pairs, and says of what.
func (c coordinationCmd) network(shares []engine.Share) ([]edge, string, error) {
	if c.Definition == "qut" {
		return c.toolkit(shares)
	}
	window := c.Window
	if window == 0 {
		window = coord.SameSecond
	}
	n, err := coord.Detect(func(yield func(coord.Row) bool) {
		for _, s := range shares {
			if !yield(coord.Row{Object: s.Object, Account: s.Account, Content: s.Post, Time: s.Time}) {
				return
			}
		}
	}, coord.Options{Window: window, MinParticipation: c.MinPosts, Quantile: c.Quantile, NullModel: c.Definition == "refrain"})
	if err != nil {
		return nil, "", err
	}
	list := []edge{}
	for _, e := range n.Edges {
		if c.Cross && !e.CrossPlatform() {
			continue
		}
		out := edge{A: e.A, B: e.B, Weight: e.Weight, Objects: e.Objects, Shared: e.CoShares, Seconds: e.MeanDelta, Above: e.Above, Symmetry: e.Symmetry, Cross: e.CrossPlatform()}
		if c.Definition == "refrain" {
			if e.CoShares < c.MinShared || e.P > c.P {
				continue
			}
			out.Expected, out.P = &e.Expected, &e.P
		}
		list = append(list, out)
	}
	p := func(e edge) float64 {
		if e.P == nil {
			return 0
		}
		return *e.P
	}
	slices.SortFunc(list, func(x, y edge) int {
		return cmp.Or(cmp.Compare(p(x), p(y)), cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	said := fmt.Sprintf("%s of posts within %v in %s, %s before filters, threshold %g", plural(int64(n.Pairs), "pair"), c.Window, plural(int64(len(shares)), "share"), plural(int64(len(n.Edges)), "edge"), n.Threshold)
	return list, said, nil
}

// toolkit gives the QUT toolkit's network: its key is the text or link.
func (c coordinationCmd) toolkit(shares []engine.Share) ([]edge, string, error) {
	kind := coord.CoLink
	if c.Object[0] == engine.ByText {
		kind = coord.CoTweet
	}
	byPost := map[string]int{}
	var messages []coord.Message
	for _, s := range shares {
		at, known := byPost[s.Post]
		if !known {
			at = len(messages)
			byPost[s.Post] = at
			messages = append(messages, coord.Message{ID: s.Post, User: s.Account, Time: float64(s.Time)})
		}
		if kind == coord.CoLink {
			messages[at].Links = append(messages[at].Links, s.Object)
		} else {
			messages[at].Text = s.Object // the number of the text: our folding in place of theirs
		}
	}
	var given iter.Seq[coord.Message] = slices.Values(messages)
	list, err := coord.Toolkit(given, kind, coord.ToolkitOptions{Window: c.Window, MinWeight: c.MinShared})
	if err != nil {
		return nil, "", err
	}
	edges := []edge{}
	for _, d := range list {
		e := edge{A: d.From, B: d.To, Weight: d.Weight, Cross: coord.Platform(d.From) != coord.Platform(d.To)}
		if !c.Cross || e.Cross {
			edges = append(edges, e)
		}
	}
	slices.SortStableFunc(edges, func(x, y edge) int { return cmp.Compare(y.Weight, x.Weight) })
	return edges, fmt.Sprintf("%s within %v among %s, directed, at least %d messages", kind, c.Window, plural(int64(len(messages)), "message"), c.MinShared), nil
}

func edgeLine(e edge) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s – %s\n    %s", e.A, e.B, plural(int64(e.Weight), "time"))
	if e.Objects > 0 {
		fmt.Fprintf(&b, ", %s", plural(int64(e.Objects), "different object"))
	}
	if e.Seconds > 0 {
		fmt.Fprintf(&b, ", %.0f s apart on average", e.Seconds)
	}
	if e.P != nil {
		fmt.Fprintf(&b, "; by chance %.2g, p %s", *e.Expected, pWords(*e.P))
	}
	if e.Above {
		b.WriteString("; above the threshold")
	}
	if e.Cross {
		b.WriteString("; across platforms")
	}
	return b.String()
}

// pWords writes a probability; what is too small for a number is not 0.
func pWords(p float64) string {
	if p < 1e-300 {
		return "below 1e-300"
	}
	return fmt.Sprintf("%.2g", p)
}

func writeEdgesCSV(a *app, list []edge) error {
	w := csv.NewWriter(a.out)
	rows := [][]string{{"a", "b", "weight", "objects", "co_shares", "expected", "p", "mean_seconds", "above_threshold", "symmetry", "cross_platform"}}
	figure := func(f *float64) string {
		if f == nil {
			return ""
		}
		return number(*f)
	}
	for _, e := range list {
		rows = append(rows, []string{cell(e.A), cell(e.B), strconv.Itoa(e.Weight), strconv.Itoa(e.Objects), strconv.Itoa(e.Shared), figure(e.Expected), figure(e.P), number(e.Seconds), strconv.FormatBool(e.Above), number(e.Symmetry), strconv.FormatBool(e.Cross)})
	}
	return w.WriteAll(rows)
}

func edgeGraph(list []edge, directed bool) graph {
	g := graph{directed: directed, nodeFields: []graphField{{"platform", "string"}},
		edgeFields: []graphField{{"weight", "int"}, {"objects", "int"}, {"p", "double"}, {"mean_seconds", "double"}, {"above_threshold", "boolean"}, {"cross_platform", "boolean"}}}
	nodes := map[string]bool{}
	for _, e := range list {
		nodes[e.A], nodes[e.B] = true, true
		var p any
		if e.P != nil {
			p = *e.P
		}
		g.edges = append(g.edges, graphEdge{e.A, e.B, []any{e.Weight, e.Objects, p, e.Seconds, e.Above, e.Cross}})
	}
	for _, account := range sortedKeys(nodes) {
		g.nodes = append(g.nodes, graphNode{account, []any{coord.Platform(account)}})
	}
	return g
}
