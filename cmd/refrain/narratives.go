package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/narrative/cluster"
	"github.com/refrain-archive/refrain/narrative/engine"
)

type narrativesCmd struct {
	ID string `arg:"" optional:"" help:"A narrative: its id or the beginning of it, its name, or a post that is in it. Without one: all."`

	MinPosts    int    `default:"2" help:"Only narratives with at least so many posts."`
	MinAccounts int    `default:"0" help:"Only narratives with at least so many accounts."`
	Platform    string `placeholder:"NAME" help:"Only narratives with posts on that platform."`
	Limit       int    `short:"n" default:"50" help:"At most so many narratives, or posts of one; 0 is all."`
	CSV         bool   `name:"csv" help:"Write a table."`
	GraphML     string `name:"graphml" placeholder:"FILE" help:"Write who posted what as a network of accounts and narratives (- is standard output)."`

	Name      *string  `placeholder:"NAME" help:"Name the narrative; an empty name takes it away."`
	Note      string   `placeholder:"TEXT" help:"Note something about the narrative."`
	Pin       []string `placeholder:"POST" sep:"none" help:"This post, and all with the same text, belong to the narrative whatever their links say; can be repeated."`
	Split     []string `placeholder:"POST" sep:"none" help:"Take posts out of the narrative into one of their own, with what joined through them; can be repeated."`
	Merge     string   `placeholder:"ID" help:"Merge another narrative into this one."`
	UndoMerge string   `placeholder:"ID" help:"Undo that another narrative was merged into this one."`
}

func (narrativesCmd) Help() string {
	return `Narratives are listed with those of the most accounts first. What you decide about one is kept in the archive
as an act of its own, with the time and the contact of your configuration; "refrain rebuild" applies it
again, and nothing that was found is lost by it. docs/narratives.md says how narratives are made.

Examples:
  refrain narratives --min-accounts 3
  refrain narratives q5xk3a
  refrain narratives q5xk3a --name "bridge closes" --note "first seen in a Telegram export"
  refrain narratives q5xk3a --split x:1850 --split x:1851
  refrain narratives q5xk3a --undo-merge m2bw6d
  refrain narratives --graphml who.graphml --min-accounts 2 -n 0
` + exitCodes
}

func (c narrativesCmd) Run(ctx context.Context, a *app) (err error) {
	acts := c.acts()
	switch {
	case len(acts) > 1:
		return usage("narratives: do one thing at a time: --name, --note, --pin, --split, --merge or --undo-merge")
	case len(acts) == 1 && c.ID == "":
		return usage("narratives: say which narrative: refrain narratives ID --%s …", acts[0])
	}
	r, err := a.read(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, r)
	if c.ID == "" {
		a.noteNoDictionaries()
		return c.list(ctx, a, r)
	}
	g, err := r.Find(c.ID)
	if err != nil {
		return err
	}
	if len(acts) == 1 {
		id := r.Summary(g).ID
		if err := c.decide(ctx, a, r, g, id); err != nil {
			return err
		}
		if g, err = r.Find(id); err != nil {
			return err
		}
	}
	return c.show(ctx, a, r, g)
}

// acts gives the names of the acts that are asked for.
func (c narrativesCmd) acts() (list []string) {
	for _, act := range []struct {
		name  string
		asked bool
	}{{"name", c.Name != nil}, {"note", c.Note != ""}, {"pin", len(c.Pin) > 0}, {"split", len(c.Split) > 0}, {"merge", c.Merge != ""}, {"undo-merge", c.UndoMerge != ""}} {
		if act.asked {
			list = append(list, act.name)
		}
	}
	return list
}

// decide writes an act, after it was looked at whether it means anything.
func (c narrativesCmd) decide(ctx context.Context, a *app, r *reading, g int, id string) error {
	act := engine.Act{Narrative: id}
	posts := func(names []string) error {
		for _, name := range names {
			key, err := r.key(ctx, name)
			if err != nil {
				return err
			}
			if len(r.NarrativesOf(key)) == 0 {
				return fmt.Errorf("%s has nothing by which it could be in a narrative: no words, picture or link", key)
			}
			act.Posts = append(act.Posts, key)
		}
		return nil
	}
	switch {
	case c.Name != nil:
		if act.Act, act.Text = engine.Name, strings.TrimSpace(*c.Name); len(act.Text) > 200 {
			return usage("narratives: a name has at most 200 bytes; --note takes more")
		}
	case c.Note != "":
		act.Act, act.Text = engine.Note, c.Note
	case len(c.Pin) > 0:
		act.Act = string(cluster.Pin)
		if err := posts(c.Pin); err != nil {
			return err
		}
	case len(c.Split) > 0:
		act.Act = string(cluster.Split)
		if err := posts(c.Split); err != nil {
			return err
		}
		for _, key := range act.Posts {
			if !slices.Contains(r.NarrativesOf(key), id) {
				return fmt.Errorf("%s is not in narrative %s", key, id)
			}
			if r.Founds(key) {
				return fmt.Errorf("%s founded a narrative that is shown here: split the other posts off, or undo a merger (--undo-merge)", key)
			}
		}
	default:
		act.Act, act.Other = string(cluster.Together), c.Merge
		if c.UndoMerge != "" {
			act.Act, act.Other = string(cluster.Apart), c.UndoMerge
		}
		other, own, err := r.Named(act.Other)
		if err != nil {
			return err
		}
		act.Other = own
		switch {
		case c.Merge != "" && other == g:
			return fmt.Errorf("%s is part of narrative %s already", act.Other, id)
		case c.UndoMerge != "" && (other != g || own == id):
			return fmt.Errorf("%s is not merged into %s", act.Other, id)
		}
	}
	return a.act(ctx, r, act)
}

// A listedNarrative is a summary with the words of the founding post.
type listedNarrative struct {
	engine.Summary
	Text string `json:"text"` // of the founding post, as it was indexed
}

func (c narrativesCmd) list(ctx context.Context, a *app, r *reading) error {
	all := r.Narratives(c.MinPosts, c.MinAccounts)
	if c.Platform != "" {
		all = slices.DeleteFunc(all, func(s engine.Summary) bool {
			return !slices.ContainsFunc(s.Platforms, func(p engine.Platform) bool { return strings.EqualFold(p.Name, c.Platform) })
		})
	}
	list := all
	if c.Limit > 0 && len(list) > c.Limit {
		list = list[:c.Limit]
	}
	if c.GraphML != "" {
		return a.writeGraph(c.GraphML, whoPosted(r, list))
	}
	if c.CSV {
		return c.writeCSV(ctx, a, r, list)
	}
	for _, s := range list {
		text, err := r.foundingText(ctx, s)
		if err != nil {
			return err
		}
		if a.JSON {
			err = a.writeJSON(listedNarrative{s, text})
		} else {
			err = a.printf("%s", narrativeLine(s, text))
		}
		if err != nil {
			return err
		}
	}
	if a.JSON {
		return nil
	}
	shown := ""
	if len(list) < len(all) {
		shown = fmt.Sprintf(", %d shown (--limit)", len(list))
	}
	return a.printf("%s%s", plural(int64(len(all)), "narrative"), shown)
}

// foundingText is the text of the post that founded a narrative.
func (r *reading) foundingText(ctx context.Context, s engine.Summary) (string, error) {
	g, err := r.Find(s.ID)
	if err != nil {
		return "", err
	}
	side, err := r.Founding(ctx, indexed{r.corpus}, g)
	return side.Text, err
}

func narrativeLine(s engine.Summary, text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s by %s", s.ID, plural(int64(s.Posts), "post"), plural(int64(s.Accounts), "account"))
	for i, p := range s.Platforms {
		fmt.Fprintf(&b, "%s%s %d", []string{" on ", ", "}[min(i, 1)], p.Name, p.Posts)
	}
	if s.Reposts > 0 {
		fmt.Fprintf(&b, "; %s", plural(int64(s.Reposts), "repost"))
	}
	if s.Name != "" {
		fmt.Fprintf(&b, "  «%s»", s.Name)
	}
	fmt.Fprintf(&b, "\n    first %s\n    %s", firstWords(s.First), shorten(printable(text), 110))
	return b.String()
}

// firstWords says which post was first, as far as the times tell.
func firstWords(m *engine.Moment) string {
	if m == nil {
		return "not known: no post has a time"
	}
	s := momentWords(m.Earliest, m.Latest) + " " + m.Post
	if m.Rivals > 0 {
		s += fmt.Sprintf("; %s may be as early", plural(int64(m.Rivals), "other post"))
	}
	return s
}

// momentWords writes a time as exactly as it is known.
func momentWords(earliest, latest time.Time) string {
	switch {
	case earliest.IsZero() && latest.IsZero():
		return "at a time not known"
	case earliest.Equal(latest):
		return earliest.Format("2006-01-02 15:04:05")
	case earliest.IsZero():
		return "before " + latest.Format("2006-01-02 15:04")
	case latest.IsZero():
		return "after " + earliest.Format("2006-01-02 15:04")
	}
	return earliest.Format("2006-01-02 15:04") + " … " + latest.Format("2006-01-02 15:04")
}

// printable takes what would do something to a terminal out of a text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return '·'
		}
		return r
	}, s)
}

func (c narrativesCmd) writeCSV(ctx context.Context, a *app, r *reading, list []engine.Summary) error {
	w := csv.NewWriter(a.out)
	rows := [][]string{{"id", "name", "posts", "reposts", "texts", "accounts", "platforms", "first_post", "first_earliest", "first_latest", "first_captured", "last", "text"}}
	for _, s := range list {
		text, err := r.foundingText(ctx, s)
		if err != nil {
			return err
		}
		var platforms []string
		for _, p := range s.Platforms {
			platforms = append(platforms, fmt.Sprintf("%s %d", p.Name, p.Posts))
		}
		var first engine.Moment
		if s.First != nil {
			first = *s.First
		}
		seen := ""
		if s.Captured != nil {
			seen = stamp(s.Captured.Latest)
		}
		rows = append(rows, []string{s.ID, cell(s.Name), strconv.Itoa(s.Posts), strconv.Itoa(s.Reposts), strconv.Itoa(s.Texts), strconv.Itoa(s.Accounts), strings.Join(platforms, ", "),
			first.Post, stamp(first.Earliest), stamp(first.Latest), seen, stamp(s.Last), cell(printable(text))})
	}
	return w.WriteAll(rows)
}

// stamp writes a time for a table; "" where it is not known.
func stamp(t time.Time) string {
	if t.Year() <= 1 {
		return ""
	}
	return t.Format(time.RFC3339)
}

// whoPosted is the network of accounts and narratives.
func whoPosted(r *reading, list []engine.Summary) graph {
	g := graph{nodeFields: []graphField{{"kind", "string"}, {"platform", "string"}, {"name", "string"}, {"posts", "int"}}, edgeFields: []graphField{{"posts", "int"}}}
	posts, total := map[[2]string]int{}, map[string]int{}
	for _, s := range list {
		g.nodes = append(g.nodes, graphNode{s.ID, []any{"narrative", nil, s.Name, s.Posts}})
		for account, n := range r.AccountsOf(s.ID) {
			posts[[2]string{account, s.ID}] = n
			total[account] += n
		}
	}
	for _, account := range sortedKeys(total) {
		platform, name, _ := strings.Cut(account, ":")
		g.nodes = append(g.nodes, graphNode{account, []any{"account", platform, name, total[account]}})
	}
	var edges [][2]string
	for e := range posts {
		edges = append(edges, e)
	}
	slices.SortFunc(edges, func(x, y [2]string) int { return strings.Compare(x[0]+"\x00"+x[1], y[0]+"\x00"+y[1]) })
	for _, e := range edges {
		g.edges = append(g.edges, graphEdge{e[0], e[1], []any{posts[e]}})
	}
	return g
}

func sortedKeys[V any](m map[string]V) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// A shownNarrative is one narrative, as JSON.
type shownNarrative struct {
	engine.Summary
	Text    string          `json:"text"`
	Events  []engine.Event  `json:"events"`
	Members []engine.Member `json:"members"`
}

func (c narrativesCmd) show(ctx context.Context, a *app, r *reading, g int) error {
	s := r.Summary(g)
	members, err := r.Members(ctx, g)
	if err != nil {
		return err
	}
	if c.GraphML != "" {
		return a.writeGraph(c.GraphML, memberGraph(s, members))
	}
	if c.CSV {
		return writeMembersCSV(a, s, members)
	}
	events, err := r.Events(ctx, g)
	if err != nil {
		return err
	}
	founding, err := r.Founding(ctx, indexed{r.corpus}, g)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.writeJSON(shownNarrative{s, founding.Text, events, members})
	}
	var b strings.Builder
	b.WriteString(narrativeHead(s, founding.Text, events))
	shown := members
	if c.Limit > 0 && len(shown) > c.Limit {
		shown = shown[:c.Limit]
	}
	fmt.Fprintf(&b, "\nposts, by their own times:\n")
	for _, m := range shown {
		b.WriteString(memberLine(m))
	}
	if len(shown) < len(members) {
		fmt.Fprintf(&b, "  … and %s (--limit)\n", plural(int64(len(members)-len(shown)), "more post"))
	}
	fmt.Fprintf(&b, "`refrain links POST POST` opens a link to both texts and records")
	return a.printf("%s", b.String())
}

// narrativeHead says what a narrative is, before its posts.
func narrativeHead(s engine.Summary, text string, events []engine.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "narrative %s", s.ID)
	if s.Name != "" {
		fmt.Fprintf(&b, "  «%s»", s.Name)
	}
	fmt.Fprintf(&b, "\n%s\n\n", shorten(printable(text), 300))
	fmt.Fprintf(&b, "%s (%s by the platform's word) with %s, by %s\n", plural(int64(s.Posts), "post"), plural(int64(s.Reposts), "repost"), plural(int64(s.Texts), "different text"), plural(int64(s.Accounts), "account"))
	fmt.Fprintf(&b, "first by the platforms' times: %s\n", firstWords(s.First))
	if s.Captured != nil {
		fmt.Fprintf(&b, "first captured:                %s %s\n", momentWords(s.Captured.Earliest, s.Captured.Latest), s.Captured.Post)
	}
	if !s.Last.IsZero() {
		fmt.Fprintf(&b, "last:                          %s\n", momentWords(s.Last, s.Last))
	}
	for _, p := range s.Platforms {
		fmt.Fprintf(&b, "  %-10s %s by %s, first %s%s\n", p.Name, plural(int64(p.Posts), "post"), plural(int64(p.Accounts), "account"), firstWords(p.First), lagWords(p))
	}
	list := func(title string, counts []engine.Count) {
		if len(counts) > 0 {
			var words []string
			for _, n := range counts {
				words = append(words, fmt.Sprintf("%s %d", n.Value, n.Posts))
			}
			fmt.Fprintf(&b, "%s: %s\n", title, strings.Join(words, ", "))
		}
	}
	list("languages", s.Languages)
	list("posts a day", s.Days)
	if s.Undated > 0 {
		fmt.Fprintf(&b, "%s without a time\n", plural(int64(s.Undated), "post"))
	}
	for _, e := range events {
		switch {
		case e.Kind == "merged" && e.Undone:
			fmt.Fprintf(&b, "narrative %s was merged into it when %s came; that was undone\n", e.Other, e.Post)
		case e.Kind == "merged":
			fmt.Fprintf(&b, "narrative %s was merged into it when %s came (--undo-merge %s)\n", e.Other, e.Post, e.Other)
		case e.Kind == "left":
			fmt.Fprintf(&b, "%s left another narrative and founded this one, as it had too little in common with it by then\n", e.Post)
		}
	}
	for _, n := range s.Notes {
		fmt.Fprintf(&b, "note %s %s: %s\n", n.At.Format("2006-01-02 15:04"), n.By, printable(n.Text))
	}
	return b.String()
}

// lagWords says how long after the first post a platform's first one was.
func lagWords(p engine.Platform) string {
	if p.LagFrom == nil || *p.LagTo == 0 {
		return ""
	}
	d := func(s float64) string { return time.Duration(s * float64(time.Second)).Round(time.Second).String() }
	if *p.LagFrom == *p.LagTo {
		return ", " + d(*p.LagTo) + " after the first"
	}
	return fmt.Sprintf(", %s to %s after the first", d(*p.LagFrom), d(*p.LagTo))
}

func memberLine(m engine.Member) string {
	var b strings.Builder
	repost := ""
	if m.Repost {
		repost = ", a repost"
	}
	by := m.Account
	if by == "" {
		by = "(no author)"
	}
	fmt.Fprintf(&b, "  %-19s %s by %s  %s%s\n", momentWords(m.Earliest, m.Latest), m.Post, shorten(by, 40), m.Role, repost)
	switch {
	case m.Through != "" && m.Kind != "":
		fmt.Fprintf(&b, "      %s of %s, score %.2f: %s\n", kindWords(m.Kind), m.Through, m.Score, m.Why)
	case m.Why != "":
		fmt.Fprintf(&b, "      %s\n", m.Why)
	}
	return b.String()
}

func writeMembersCSV(a *app, s engine.Summary, members []engine.Member) error {
	w := csv.NewWriter(a.out)
	rows := [][]string{{"narrative", "post", "account", "earliest", "latest", "captured", "role", "repost", "through", "signal", "kind", "score", "why"}}
	for _, m := range members {
		rows = append(rows, []string{s.ID, m.Post, cell(m.Account), stamp(m.Earliest), stamp(m.Latest), stamp(m.Captured), m.Role, strconv.FormatBool(m.Repost), m.Through, string(m.Signal), string(m.Kind), number(m.Score), cell(m.Why)})
	}
	return w.WriteAll(rows)
}

// memberGraph is the network of the posts of a narrative: who joined through
// whom.
func memberGraph(s engine.Summary, members []engine.Member) graph {
	g := graph{directed: true, nodeFields: []graphField{{"platform", "string"}, {"account", "string"}, {"time", "string"}, {"role", "string"}},
		edgeFields: []graphField{{"kind", "string"}, {"score", "double"}, {"why", "string"}}}
	there := map[string]bool{}
	for _, m := range members {
		there[m.Post] = true
		platform, _, _ := strings.Cut(m.Post, ":")
		g.nodes = append(g.nodes, graphNode{m.Post, []any{platform, m.Account, stamp(m.Latest), m.Role}})
	}
	for _, m := range members {
		if there[m.Through] {
			g.edges = append(g.edges, graphEdge{m.Post, m.Through, []any{string(m.Kind), m.Score, m.Why}})
		}
	}
	return g
}
