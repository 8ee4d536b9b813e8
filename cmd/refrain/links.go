package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/engine"
	"github.com/refrain-archive/refrain/post"
)

type linksCmd struct {
	Posts   []string `arg:"" optional:"" name:"post" help:"A post, by URL or PLATFORM:ID: its links. Two posts: what links them, opened."`
	Signal  string   `placeholder:"NAME" help:"Only links of this signal: text, translation, object."`
	Kind    string   `placeholder:"NAME" help:"Only links of this kind: copy, edited_copy, excerpt, thread_part, contains, passage, translation; picture, clip, media, url, hashtag."`
	Min     float64  `default:"0" help:"Only links with at least this score, 0 to 1."`
	Limit   int      `short:"n" default:"50" help:"At most so many; 0 is all."`
	Open    bool     `short:"o" help:"Show both texts of each link side by side."`
	CSV     bool     `name:"csv" help:"Write a table."`
	GraphML string   `name:"graphml" placeholder:"FILE" help:"Write the links as a network of posts, for Gephi and others (- is standard output)."`
}

func (linksCmd) Help() string {
	return `Without a post: the links between different texts, the newest first. Posts with the same words share one
text; a link names the first post of each and how many copies both have.

Examples:
  refrain links x:1850
  refrain links x:1850 reddit:t3_b00k       (both texts, what they share marked, and both records)
  refrain links --kind excerpt --min 0.8 --open
  refrain links --graphml links.graphml -n 0
` + exitCodes
}

func (c linksCmd) Run(ctx context.Context, a *app) (err error) {
	if len(c.Posts) > 2 {
		return usage("links: one post, or two")
	}
	r, err := a.read(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, r)
	f := engine.Filter{Signal: c.Signal, Kind: c.Kind, Min: c.Min, Limit: c.Limit}
	var list []engine.Link
	switch len(c.Posts) {
	case 0:
		for l, err := range r.All(ctx, f) {
			if err != nil {
				return err
			}
			list = append(list, l)
		}
	default:
		var keys []string
		for _, name := range c.Posts {
			key, err := r.key(ctx, name)
			if err != nil {
				return err
			}
			keys = append(keys, key)
		}
		if len(keys) == 1 {
			list, err = r.Of(ctx, keys[0], f)
		} else {
			list, err = r.Between(ctx, keys[0], keys[1])
			c.Open = true
		}
		if err != nil {
			return err
		}
	}
	if c.GraphML != "" {
		return a.writeGraph(c.GraphML, linkGraph(list))
	}
	if c.CSV {
		return a.writeLinksCSV(list)
	}
	for _, l := range list {
		if err := a.printLink(ctx, r, l, c.Open); err != nil {
			return err
		}
	}
	if a.JSON {
		return nil
	}
	if len(list) == 0 && len(c.Posts) == 2 {
		return a.printf("nothing links them")
	}
	more := ""
	if c.Limit > 0 && len(list) == c.Limit && len(c.Posts) < 2 {
		more = " (--limit shows more)"
	}
	return a.printf("%s%s", plural(int64(len(list)), "link"), more)
}

// opened is a link with both texts and records, as JSON.
type opened struct {
	engine.Link
	SideA openedSide `json:"side_a"`
	SideB openedSide `json:"side_b"`
}

type openedSide struct {
	Post    string            `json:"post"`
	URL     string            `json:"url,omitempty"`
	Account string            `json:"account"`
	Created string            `json:"created"`
	Record  string            `json:"record"`
	Text    string            `json:"text"` // as it was indexed: title, empty line, text
	Marks   []narrative.Range `json:"marks"`
}

func sideOf(s engine.Side) openedSide {
	p := &s.Seen.Post
	if s.Marks == nil {
		s.Marks = []narrative.Range{}
	}
	return openedSide{Post: p.Key(), URL: p.URL, Account: author(p.Account), Created: strings.TrimSpace(when(p.Created)), Record: recordOf(p), Text: s.Text, Marks: s.Marks}
}

func (a *app) printLink(ctx context.Context, r *reading, l engine.Link, open bool) error {
	if !open {
		if a.JSON {
			return a.writeJSON(l)
		}
		return a.printf("%s", linkLine(l))
	}
	one, two, err := r.sidesOf(ctx, l)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.writeJSON(opened{l, sideOf(one), sideOf(two)})
	}
	return a.printf("%s\n%s%s", linkLine(l), a.sideBySide(one, two), pairLines(l.Link, one.Text, two.Text))
}

// sidesOf opens a link. One by an object has no texts of its own: those of the
// posts are shown, with what they carry marked where it stands in them.
func (r *reading) sidesOf(ctx context.Context, l engine.Link) (one, two engine.Side, err error) {
	if l.Object == nil {
		return engine.OpenLink(ctx, indexed{r.corpus}, l)
	}
	for i, key := range []string{l.A, l.B} {
		p, err := r.newest(ctx, key)
		if err != nil {
			return one, two, err
		}
		s := engine.Side{Seen: engine.Seen{Post: p}, Text: engine.TextOf(&p)}
		s.Marks = engine.MarksOf(s.Text, *l.Object)
		if i == 0 {
			one = s
		} else {
			two = s
		}
	}
	return one, two, nil
}

// linkLine says what a link is, in two lines.
func linkLine(l engine.Link) string {
	name := func(key string, copies int) string {
		if copies > 0 {
			return fmt.Sprintf("%s (and %s)", key, plural(int64(copies), "more post"))
		}
		return key
	}
	return fmt.Sprintf("%s → %s\n    %s, %s, score %.2f: %s", name(l.A, l.CopiesA), name(l.B, l.CopiesB), kindWords(l.Kind), l.Strength, l.Score, l.Why)
}

// kindWords says how A is related to B.
func kindWords(k narrative.Kind) string {
	switch k {
	case narrative.EditedCopy:
		return "edited copy"
	case narrative.Excerpt:
		return "excerpt: the first is a piece of the second"
	case narrative.ThreadPart:
		return "part of a thread: the first is a numbered piece of the second"
	case narrative.Contains:
		return "contains: the second is a piece of the first"
	case narrative.PartOf:
		return "contains: the second is a numbered piece of the first"
	case narrative.Translated:
		return "translation: the same in another language"
	case narrative.Passage:
		return "the same passage in both"
	case engine.URL:
		return "same link"
	case engine.Hashtag:
		return "same hashtag"
	case engine.Picture:
		return "same picture"
	case engine.Clip:
		return "same clip"
	case engine.Media:
		return "same picture or clip by its address"
	}
	return string(k)
}

// sideBySide shows both texts of a link with what they share marked, and where
// each was read.
func (a *app) sideBySide(one, two engine.Side) string {
	var b strings.Builder
	for i, s := range []engine.Side{one, two} {
		p := &s.Seen.Post
		fmt.Fprintf(&b, "  %s %s  %s by %s\n", []string{"left: ", "right:"}[i], p.Key(), strings.TrimSpace(when(p.Created)), author(p.Account))
		b.WriteString(whereFrom(p))
	}
	b.WriteByte('\n')
	b.WriteString(sides(one.Text, two.Text, one.Marks, two.Marks, a.columns(), a.colour))
	return b.String()
}

// whereFrom gives the address of a post, if it has one, and the record that it
// was read from, each in a line.
func whereFrom(p *post.Post) string {
	if p.URL == "" {
		return "    " + recordOf(p) + "\n"
	}
	return "    " + p.URL + "\n    " + recordOf(p) + "\n"
}

func (a *app) writeLinksCSV(list []engine.Link) error {
	w := csv.NewWriter(a.out)
	rows := [][]string{{"a", "b", "signal", "kind", "strength", "score", "evidence_nats", "share_a", "share_b", "copies_a", "copies_b", "why"}}
	for _, l := range list {
		rows = append(rows, []string{l.A, l.B, string(l.Signal), string(l.Kind), string(l.Strength), number(l.Score), number(l.Evidence), number(l.ShareA), number(l.ShareB), strconv.Itoa(l.CopiesA), strconv.Itoa(l.CopiesB), cell(l.Why)})
	}
	return w.WriteAll(rows)
}

// number writes a figure with four digits.
func number(f float64) string { return strconv.FormatFloat(f, 'g', 4, 64) }

// cell is text that no program of tables takes for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// linkGraph is the network of the linked posts, each edge from A to B.
func linkGraph(list []engine.Link) graph {
	g := graph{directed: true, nodeFields: []graphField{{"platform", "string"}},
		edgeFields: []graphField{{"signal", "string"}, {"kind", "string"}, {"score", "double"}, {"strength", "string"}, {"why", "string"}}}
	seen := map[string]bool{}
	for _, l := range list {
		for _, key := range []string{l.A, l.B} {
			if !seen[key] {
				seen[key] = true
				platform, _, _ := strings.Cut(key, ":")
				g.nodes = append(g.nodes, graphNode{key, []any{platform}})
			}
		}
		g.edges = append(g.edges, graphEdge{l.A, l.B, []any{string(l.Signal), string(l.Kind), l.Score, string(l.Strength), l.Why}})
	}
	return g
}
