package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/narrative/text"
)

// paraphrase scores pairs of sentences graded by people: F1 of those graded 4 and
// more against those graded 2 and less. Each pair is a query against an index
// that holds all second sentences of its file.
func paraphrase(dir string, o options) ([]Table, error) {
	files, err := filepath.Glob(filepath.Join(dir, "paraphrase", "*.tsv.gz"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "paraphrase", "*.tsv.gz"), fs.ErrNotExist)
	}
	table := Table{Part: "paraphrase", Title: "graded pairs: F1 of grade 4 and more against 2 and less",
		Columns: []string{"set", "pairs", "same", fmt.Sprintf("F1 at %.2f", text.LinkThreshold), "best F1", "at"},
		Notes:   []string{fmt.Sprintf("scores under %.2f count as 0; the best threshold is fitted on the set itself and is used nowhere", text.PossibleThreshold)}}
	for _, file := range files {
		row, err := gradedPairs(file)
		if err != nil {
			return nil, err
		}
		table.Rows = append(table.Rows, row)
	}
	return []Table{table}, nil
}

func gradedPairs(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
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
	type graded struct {
		a, b  string
		text  uint32
		same  bool
		score float64
	}
	var pairs []graded
	for sc := bufio.NewScanner(z); sc.Scan(); {
		c := strings.Split(sc.Text(), "\t")
		if len(c) < 3 {
			return nil, fmt.Errorf("%s: a line has %d columns, not 3", file, len(c))
		}
		grade, err := strconv.ParseFloat(c[0], 64)
		if err != nil {
			continue // a pair nobody graded
		}
		r, err := ix.Add(context.Background(), text.Doc{Key: fmt.Sprint(len(pairs)), Text: c[2]})
		if err != nil {
			return nil, err
		}
		if grade >= 4 || grade <= 2 {
			pairs = append(pairs, graded{a: c[1], b: c[2], text: r.Text, same: grade >= 4})
		}
	}
	same := 0
	for i := range pairs {
		p := &pairs[i]
		matches, err := ix.Query(p.a)
		if err != nil {
			return nil, err
		}
		for _, m := range matches {
			if m.Text == p.text {
				p.score = m.Score
			}
		}
		if p.same {
			same++
		}
	}
	f1 := func(threshold float64) float64 {
		tp, fp := 0, 0
		for _, p := range pairs {
			if p.score >= threshold {
				if p.same {
					tp++
				} else {
					fp++
				}
			}
		}
		return 2 * float64(tp) / float64(tp+fp+same)
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i].score > pairs[j].score })
	best, at := 0.0, 0.0
	for _, p := range pairs {
		if v := f1(p.score); p.score > 0 && v > best {
			best, at = v, p.score
		}
	}
	name := strings.TrimSuffix(filepath.Base(file), ".tsv.gz")
	return []string{name, fmt.Sprint(len(pairs)), fmt.Sprint(same), f3(f1(text.LinkThreshold)), f3(best), fmt.Sprintf("%.2f", at)}, nil
}
