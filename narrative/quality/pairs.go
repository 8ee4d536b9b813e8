package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/narrative/text"
)

// Labels of pairs of posts of ira-2017-08; the file says how they were made.
//
//go:embed testdata/ira-pairs.tsv
var iraPairs string

// A labelled pair names two posts by their place in posts.csv.gz, 1 the first.
type labelled struct {
	a, b  int
	label string
}

func readLabels(file string) ([]labelled, error) {
	var list []labelled
	for n, line := range strings.Split(strings.TrimRight(file, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		c := strings.Split(line, "\t")
		if len(c) != 3 {
			return nil, fmt.Errorf("labels, line %d: %d columns, not 3", n+1, len(c))
		}
		a, err := strconv.Atoi(c[0])
		if err != nil {
			return nil, fmt.Errorf("labels, line %d: %w", n+1, err)
		}
		b, err := strconv.Atoi(c[1])
		if err != nil {
			return nil, fmt.Errorf("labels, line %d: %w", n+1, err)
		}
		switch c[2] {
		case "same", "edited", "excerpt", "topic", "unrelated":
		default:
			return nil, fmt.Errorf("labels, line %d: no such label: %q", n+1, c[2])
		}
		list = append(list, labelled{a, b, c[2]})
	}
	return list, nil
}

// iraLabels scores the hand-labelled pairs: the later post of each is asked for in
// an index of all posts.
func iraLabels(dir string, o options) ([]Table, error) {
	list, err := tweets(dir)
	if err != nil {
		return nil, err
	}
	pairs, err := readLabels(iraPairs)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "quality-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	ix, err := text.Open(tmp, text.Options{})
	if err != nil {
		return nil, err
	}
	defer ix.Close()
	// As posts arrive: the later one is added when the earlier is there and what
	// came between, and no later one yet.
	asked := map[int][]int{}
	for i, p := range pairs {
		if p.a > len(list) || p.b >= p.a || p.b < 1 {
			return nil, fmt.Errorf("labels: the posts %d and %d are not among the %d in their order", p.a, p.b, len(list))
		}
		asked[p.a] = append(asked[p.a], i)
	}
	scores := make([]float64, len(pairs))
	texts := make([]uint32, len(list)+1)
	for n, t := range list {
		r, err := ix.Add(context.Background(), text.Doc{Key: strconv.Itoa(n + 1), Text: t.text})
		if err != nil {
			return nil, err
		}
		texts[n+1] = r.Text
		for _, i := range asked[n+1] {
			for _, m := range r.Matches {
				if m.Text == texts[pairs[i].b] {
					scores[i] = m.Score
				}
			}
		}
	}
	table := Table{Part: "ira-pairs", Title: fmt.Sprintf("%d pairs labelled by hand: linked at %.2f, each asked as it was posted", len(pairs), text.LinkThreshold),
		Columns: []string{"label", "pairs", "linked", "share"}}
	same := map[string]bool{"same": true, "edited": true, "excerpt": true}
	tp, links, positives := 0, 0, 0
	for _, label := range []string{"same", "edited", "excerpt", "topic", "unrelated"} {
		n, linked := 0, 0
		for i, p := range pairs {
			if p.label != label {
				continue
			}
			n++
			if scores[i] >= text.LinkThreshold {
				linked++
			}
		}
		links += linked
		if same[label] {
			positives += n
			tp += linked
		}
		table.Rows = append(table.Rows, []string{label, fmt.Sprint(n), fmt.Sprint(linked), f3(float64(linked) / float64(max(n, 1)))})
	}
	p, r := float64(tp)/float64(max(links, 1)), float64(tp)/float64(max(positives, 1))
	table.Notes = []string{
		fmt.Sprintf("same, edited and excerpt are to be linked: precision %.3f, recall %.3f, F1 %.3f", p, r, 2*p*r/max(p+r, 1e-9)),
		"the pairs were drawn evenly over the scores from 0.2 to 1, so borderline cases weigh far more here than among posts as they come",
	}
	if o.show > 0 {
		for i, p := range pairs {
			if linked := scores[i] >= text.LinkThreshold; linked != same[p.label] {
				table.Notes = append(table.Notes, fmt.Sprintf("%.2f %s\n      %s\n      %s", scores[i], p.label, brief(list[p.a-1].text), brief(list[p.b-1].text)))
			}
		}
	}
	return []Table{table}, nil
}
