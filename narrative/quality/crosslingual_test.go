package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// The promised figures, on the half of WMT22 on which nothing was fitted: segments
// of 20 and more characters beside 20,000 English posts. A sample of every fifth
// is asked; with REFRAIN_LONG=1 all are. The limit of false links leaves room for
// what a sample varies.
func TestCrosslingual(t *testing.T) {
	folder := sharedtest.Path(t, "datasets/crosslingual")
	dicts, _, err := findDictionaries()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	each, falseLimit := 5, 10.0
	if os.Getenv("REFRAIN_LONG") != "" {
		each, falseLimit = 1, 5
	} else if testing.Short() {
		t.Skip("skipped: -short")
	}
	posts, err := englishPosts(sharedtest.Path(t, "datasets/ira-2017-08/posts.csv.gz"))
	if err != nil || len(posts) != manyPosts {
		t.Fatalf("%d posts, %v", len(posts), err)
	}
	sets, err := parallels(folder)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, s := range sets {
		if !strings.HasSuffix(s.name, "human translation, >=20 characters, +20,000") {
			continue
		}
		found, open, err := s.measure(dicts, posts, options{each: each})
		if err != nil || len(found) != 2 || len(open) != 2 {
			t.Fatalf("%v, %v, %v", found, open, err)
		}
		asked++
		number := func(row []string, i int) float64 {
			t.Helper()
			v, err := strconv.ParseFloat(row[i], 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if p1, recall := number(found[1], 2), number(found[1], 5); p1 < 0.92 || recall < 0.80 {
			t.Errorf("P@1 %.3f (at least 0.92), recall at P>=0.95 %.3f (at least 0.80)", p1, recall)
		}
		if linked, precision := number(found[1], 6), number(found[1], 7); linked < 0.70 || precision < 0.98 {
			t.Errorf("at the product's threshold %.3f are linked with their translation (at least 0.70), %.3f of the links are right (at least 0.98)", linked, precision)
		}
		if words := number(open[0], 3); words > falseLimit {
			t.Errorf("%.1f false links per 1,000 texts whose translation is absent (at most %.0f)", words, falseLimit)
		}
	}
	if asked != 1 {
		t.Errorf("%d sets were asked", asked)
	}
	if _, err := textLines(filepath.Join(folder, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestRetrievalFigures(t *testing.T) {
	row := figures("x", []answered{{score: 0.9, right: true, five: true, linked: true}, {score: 0.8, right: true, five: true}, {score: 0.7, five: true, linked: true}, {score: 0.1}})
	if got, want := strings.Join(row, " "), "x 4 0.500 0.750 0.667 0.500 0.250 0.500"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
