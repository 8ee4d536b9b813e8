package engine

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// tweets are the posts of ira-2017-08 as a corpus has them, in its order; beyond
// those, posts with two words in five exchanged for words of other posts.
func tweets(t testing.TB, most int) list {
	f, err := os.Open(sharedtest.Path(t, "datasets/ira-2017-08/posts.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows = rows[1:]
	var l list
	add := func(account, at, language, words string) {
		made, err := time.Parse(time.DateTime, at)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(len(l) + 1)
		l = append(l, Seen{ID: n, Row: n, Record: fmt.Sprintf("urn:uuid:%032d", n), Post: post.Post{Platform: "x", ID: fmt.Sprintf("%018d", n), Kind: post.KindPost,
			Account: post.Account{Platform: "x", Handle: account}, Lang: language, Text: words, Created: post.Exact(made, "")}})
	}
	for _, r := range rows[:min(most, len(rows))] {
		add(r[0], r[1], r[2], r[3])
	}
	random := rand.New(rand.NewPCG(1, 2))
	for len(l) < most {
		r := rows[random.IntN(len(rows))]
		words, other := strings.Fields(r[3]), strings.Fields(rows[random.IntN(len(rows))][3])
		for i := range words {
			if len(other) > 0 && random.IntN(5) < 2 {
				words[i] = other[random.IntN(len(other))]
			}
		}
		add(r[0], r[1], r[2], strings.Join(words, " "))
	}
	return l
}

// BenchmarkIndex takes the month of ira-2017-08 (153,000 posts), or with
// REFRAIN_LONG=1 a million and a half posts, in a new folder: rates are posts per
// CPU-second of the process, and bytes on disk by post. GOMAXPROCS=1 makes the
// rate that of one core.
func BenchmarkIndex(b *testing.B) {
	most := 153_000
	if os.Getenv("REFRAIN_LONG") != "" {
		most = 1_500_000
	}
	l := tweets(b, most)
	for b.Loop() {
		dir := b.TempDir()
		e, err := Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		began, step := cpuTime(b), 50_000
		s, err := e.Index(b.Context(), l, func(taken int64) {
			if taken >= int64(step) {
				_, texts := e.Texts().Size()
				b.Logf("%d posts, %d texts: %.0f posts per CPU-second", taken, texts, float64(taken)/(cpuTime(b)-began).Seconds())
				step *= 2
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		spent := (cpuTime(b) - began).Seconds()
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
		var size int64
		for _, name := range []string{"narratives.sqlite", "narratives.sqlite-wal"} {
			if info, err := os.Stat(dir + "/" + name); err == nil {
				size += info.Size()
			}
		}
		b.ReportMetric(float64(s.Observations)/spent, "posts/cpu-s")
		b.ReportMetric(float64(size)/float64(s.Observations), "store-B/post")
		b.Logf("%+v", s)
	}
}
