package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

// benchURL is the URL of line i: of a few hundred hosts with ten captures each.
func benchURL(i int) string {
	return fmt.Sprintf("https://h%d.plaza.example/u/someone/posts/%d?page=%d", i%300, i/10*7919%100_000_007, i/10%7)
}

func benchDigest(i int) string { return warc.SHA256(fmt.Append(nil, "payload ", i)) }

// benchIndex makes an index of n lines as Update does, but for the archive.
func benchIndex(b testing.TB, n int) *Index {
	b.Helper()
	a := folder(b, archive.Options{})
	x, err := Open(b.Context(), Options{Dir: b.TempDir(), Archive: a})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { x.Close() })
	u := &update{x: x, ctx: context.Background(), dead: map[uint32]bool{}, live: map[uint32]bool{}}
	number := u.numbers(1)
	for i := range n {
		l := cdx.Line{Timestamp: fmt.Sprintf("202601%02d%06d", 1+i%10, i%1000), URL: benchURL(i), MIME: "text/html", Status: "200", Digest: benchDigest(i), Length: 12345, Offset: int64(i) * 12345}
		if err := u.add(&l, number); err != nil {
			b.Fatal(err)
		}
	}
	u.took(source{Kind: KindSegment, Name: "refrain-20260131101112345-00001-host", File: number})
	if err := u.flush(); err != nil {
		b.Fatal(err)
	}
	if err := u.compact(); err != nil {
		b.Fatal(err)
	}
	x.show(x.runs())
	return x
}

// benchSizes are the numbers of lines: with REFRAIN_LONG ten million, which takes
// some 2 GB of disk and a minute to make.
func benchSizes() []int {
	if os.Getenv("REFRAIN_LONG") != "" {
		return []int{17_000, 10_000_000}
	}
	return []int{17_000, 1_000_000}
}

// sample makes what is looked up, at random places.
func sample(n int, f func(int) string) []string {
	random := rand.New(rand.NewPCG(1, 2))
	list := make([]string, 200_000)
	for i := range list {
		list[i] = f(random.IntN(n))
	}
	return list
}

// BenchmarkFind looks one URL up at a random place: the ten captures of it are
// there, the first is read.
func BenchmarkFind(b *testing.B) {
	for _, n := range benchSizes() {
		x := benchIndex(b, n)
		b.Logf("%+v", x.Stats())
		b.Run(fmt.Sprintf("url/%d", n), func(b *testing.B) {
			urls := sample(n, benchURL)
			start := cpuTime()
			for i := 0; b.Loop(); i++ {
				url := urls[i%len(urls)]
				ok := false
				for e, err := range x.Find(context.Background(), Query{URL: url, Limit: 1}) {
					ok = err == nil && e.URL == url
				}
				if !ok {
					b.Fatal(url)
				}
			}
			b.ReportMetric(float64(b.N)/(cpuTime()-start).Seconds(), "lookups/cpu-s")
		})
		b.Run(fmt.Sprintf("digest/%d", n), func(b *testing.B) {
			digests := sample(n, benchDigest)
			start := cpuTime()
			for i := 0; b.Loop(); i++ {
				digest := digests[i%len(digests)]
				ok := false
				for e, err := range x.Find(context.Background(), Query{Digest: digest, Limit: 1}) {
					ok = err == nil && e.Digest == digest
				}
				if !ok {
					b.Fatal(digest)
				}
			}
			b.ReportMetric(float64(b.N)/(cpuTime()-start).Seconds(), "lookups/cpu-s")
		})
		b.Run(fmt.Sprintf("unknown-digest/%d", n), func(b *testing.B) {
			digests := sample(n, func(i int) string { return benchDigest(n + i) })
			start := cpuTime()
			for i := 0; b.Loop(); i++ {
				for e, err := range x.Find(context.Background(), Query{Digest: digests[i%len(digests)], Limit: 1}) {
					b.Fatal(e, err)
				}
			}
			b.ReportMetric(float64(b.N)/(cpuTime()-start).Seconds(), "lookups/cpu-s")
		})
	}
}

// BenchmarkTakeIn measures how fast lines are taken in, merges included.
func BenchmarkTakeIn(b *testing.B) {
	const n = 300_000
	start := cpuTime()
	for b.Loop() {
		benchIndex(b, n)
	}
	b.ReportMetric(float64(b.N)*n/(cpuTime()-start).Seconds(), "lines/cpu-s")
}
