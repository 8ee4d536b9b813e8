package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/narrative/text"
)

// The limits are under the figures of the whole data (F1 0.984, lowest recall
// 0.953, 3.8 false links per 1,000) by what a sample of it varies. With
// REFRAIN_LONG=1 the whole data is asked and the limits are the promised ones.
func TestRepostBench(t *testing.T) {
	dir := strings.TrimSuffix(sharedtest.Path(t, "datasets/repost-bench"), "repost-bench")
	every, f1, low, neg := 24, 0.97, 0.80, 15.0
	if os.Getenv("REFRAIN_LONG") != "" {
		every, f1, low, neg = 1, 0.975, 0.92, 5
	} else if testing.Short() {
		t.Skip("skipped: -short")
	}
	b, err := openBench(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	var queries []query
	for i, q := range b.queries {
		if i%every == 0 {
			queries = append(queries, q)
		}
	}
	answers, err := b.ask(queries)
	if err != nil {
		t.Fatal(err)
	}
	_, _, gotF1, lowest, worst, unlinked := count(answers, text.LinkThreshold).figures()
	if gotF1 < f1 || lowest < low || unlinked > neg {
		t.Errorf("F1 %.3f (at least %.3f), lowest recall %.3f of %s (at least %.2f), %.1f false links per 1,000 unlinked (at most %.0f)", gotF1, f1, lowest, worst, low, unlinked, neg)
	}
}

func TestParaphrase(t *testing.T) {
	dir := strings.TrimSuffix(sharedtest.Path(t, "datasets/paraphrase"), "paraphrase")
	tables, _, err := measure(dir, "paraphrase", options{each: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) != 1 || len(tables[0].Rows) != 3 || tables[0].Rows[0][1] != "211" {
		t.Errorf("%+v", tables)
	}
}

func TestAbsentPartsAreNamed(t *testing.T) {
	tables, absent, err := measure(t.TempDir(), "", options{each: 1})
	if err != nil || len(tables) != 0 || len(absent) != len(parts) {
		t.Fatalf("%v, %v, %v", tables, absent, err)
	}
	var b bytes.Buffer
	if err := write(&b, tables, absent, true); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("%v: %s", err, b.String())
	}
	if _, _, err := measure(t.TempDir(), "nothing", options{each: 1}); err == nil {
		t.Error("a part that does not exist was measured")
	}
}

func TestFigures(t *testing.T) {
	origin := "x"
	answers := []answer{
		{query: query{Transform: "t", Origin: &origin}, origin: 0.9},
		{query: query{Transform: "t", Origin: &origin}, origin: 0.5, false_: []text.Match{{Score: 0.7}}},
		{query: query{Transform: "u", Origin: &origin}, origin: 0.8},
		{query: query{Transform: "neg"}, false_: []text.Match{{Score: 0.7}, {Score: 0.2}}},
	}
	p, r, f1, low, worst, neg := count(answers, 0.65).figures()
	if p != 0.5 || r != 2.0/3 || f1 < 0.571 || f1 > 0.572 || low != 0.5 || worst != "t" || neg != 1000 {
		t.Errorf("%v %v %v %v %s %v", p, r, f1, low, worst, neg)
	}
	if n := commonSubsequence(strings.Fields("a b c d e"), strings.Fields("x a c b e")); n != 3 {
		t.Errorf("common subsequence of %d", n)
	}
}

func TestChanges(t *testing.T) {
	if got := spelledNumbers("42 men, 1000 dogs, 617 cats", "", nil); got != "forty two men, one thousand dogs, six hundred seventeen cats" {
		t.Errorf("numbers: %q", got)
	}
	if got := synonyms("Police say big fire", "", nil); got != "cops say large blaze" {
		t.Errorf("synonyms: %q", got)
	}
	const post = "The mayor wanted seven lights painted in green before winter"
	for name, c := range map[string]struct {
		make func(s, other string, r *rand.Rand) string
		want string
	}{
		"stopless": {withoutStopWords, "mayor wanted seven lights painted green before winter"},
		"middle":   {middle, "… wanted seven lights painted in green …"},
		"chat":     {chatSpelling, "da mayor wanted seven lights painted in green b4 winter"},
		"endings":  {otherEndings, "The mayor wanting seven light painting in green before winter"},
		"third":    {thirdDropped, "The mayor seven lights in green winter"},
		"bullets":  {bullets, "1) before winter\n2) lights painted in green\n3) The mayor wanted seven"},
		"camel":    {camelChunks, "The mayor wanted SevenLightsPainted in green before Winter"},
	} {
		if got := c.make(post, "", nil); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestLabels(t *testing.T) {
	pairs, err := readLabels(iraPairs)
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, p := range pairs {
		n[p.label]++
		if p.b < 1 || p.b >= p.a || p.a > 153_000 {
			t.Errorf("pair %d, %d", p.a, p.b)
		}
	}
	if len(pairs) != 300 || n["same"] < 100 || n["topic"]+n["unrelated"] < 100 {
		t.Errorf("%d pairs: %v", len(pairs), n)
	}
	for _, bad := range []string{"1\t2", "x\t2\tsame", "2\tx\tsame", "2\t1\tmaybe"} {
		if _, err := readLabels(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestCoordination(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	dir := strings.TrimSuffix(sharedtest.Path(t, "datasets/coordination"), "coordination")
	tables, _, err := measure(dir, "coordination", options{each: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) != 3 || len(tables[0].Notes) != 1 || tables[0].Notes[0] != "17 of 17 cases equal in every figure" {
		t.Fatalf("%+v", tables)
	}
	for _, row := range tables[1].Rows {
		if row[3] != row[4] {
			t.Errorf("QUT: %v", row)
		}
	}
	for _, row := range tables[2].Rows {
		share, err := strconv.ParseFloat(row[3], 64)
		if err != nil || strings.HasSuffix(row[0], "shuffled") && share > 0.01 || strings.HasSuffix(row[0], "planted") && share < 0.9 {
			t.Errorf("null model: %v", row)
		}
	}
}

var update = flag.Bool("update", false, "write testdata/metrics.golden anew")

// TestMetrics sends the labelled cases of narrative/text through the whole
// command, laid out as the benchmark is, and compares its tables with a golden
// file. Ranked lists of the same cases are golden in narrative/text.
func TestMetrics(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "repost-bench"), 0o755); err != nil {
		t.Fatal(err)
	}
	pack := func(name string, records []any) {
		f, err := os.Create(filepath.Join(dir, "repost-bench", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z := gzip.NewWriter(f)
		e := json.NewEncoder(z)
		for _, r := range records {
			if err := e.Encode(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string, yield func(c struct{ ID, Name, Origin, Text string }) any) (list []any) {
		b, err := os.ReadFile(filepath.Join("..", "text", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			var c struct{ ID, Name, Origin, Text string }
			if err := json.Unmarshal(line, &c); err != nil {
				t.Fatal(err)
			}
			list = append(list, yield(c))
		}
		return list
	}
	pack("index.jsonl.gz", read("cases.jsonl", func(c struct{ ID, Name, Origin, Text string }) any { return document{c.ID, c.Text} }))
	pack("queries.jsonl.gz", read("queries.jsonl", func(c struct{ ID, Name, Origin, Text string }) any {
		if c.Origin == "" {
			return query{Transform: "neg", Text: c.Text}
		}
		return query{Transform: c.Name, Origin: &c.Origin, Text: c.Text}
	}))
	tables, absent, err := measure(dir, "repost-bench", options{each: 1})
	if err != nil || len(absent) > 0 {
		t.Fatal(absent, err)
	}
	var b bytes.Buffer
	if err := write(&b, tables, nil, false); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/metrics.golden"
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the tables differ from %s (go test -run TestMetrics -update writes it):\n%s", golden, b.String())
	}
}

func TestMonth(t *testing.T) {
	posts := []storied{
		{account: "a", text: "The harbour bridge at Lindholm will close for nine weeks in spring", time: "1"},
		{account: "b", text: "the harbour bridge at Lindholm will close for nine weeks in SPRING https://t.co/x", time: "2"},
		{account: "c", text: "Bakers in Oststadt say that flour costs twice what it did before", time: "3"},
		{account: "c", text: "RT someone: https://t.co/y", time: "4"},
		{account: "d", text: "The harbour bridge at Lindholm will close for ten weeks in spring", time: "5", story: "s"},
	}
	s, err := clusterStream(posts)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.copies().Rows; got[0][2] != "1" || got[0][3] != "2" || got[0][4] != "1" || got[0][1] != "5" || got[1][1] != "4" || got[1][2] != "1" {
		t.Errorf("copies: %v", got)
	}
	if got := s.halves(1).Rows[0]; got[0] != "3" || got[1] != "2" || got[2] != "1" || got[4] != "0" {
		t.Errorf("halves: %v", got)
	}
	if got := s.largest(10, 0).Rows; len(got) != 2 || got[0][1] != "3" || got[0][3] != "3" || got[0][5] != "5" {
		t.Errorf("largest: %v", got)
	}
	if got := s.planted().Rows; got[0][3] != "1.000" || got[1][3] != "0.333" || got[0][4] != "1.000" {
		t.Errorf("planted: %v", got)
	}
}
