//go:build unix

package translate

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// real loads the dictionaries that tools/setup.sh fetched, or skips.
func real(t testing.TB) *Dictionaries {
	t.Helper()
	dir := os.Getenv("REFRAIN_DICTIONARIES")
	if dir == "" {
		dir = filepath.Join("..", "..", "tools", "dictionaries")
	}
	d, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d.langs[Chinese] == nil {
		t.Skip("skipped: no Chinese dictionary in tools/dictionaries: run tools/setup.sh")
	}
	return d
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

func gzLines(t testing.TB, name string) []string {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "datasets/crosslingual/"+name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	sc := bufio.NewScanner(z)
	for sc.Scan() {
		lines = append(lines, sc.Text())
	}
	return lines
}

func posts(t testing.TB, most int) []string {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "datasets/ira-2017-08/posts.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	c := csv.NewReader(z)
	var list []string
	for len(list) < most {
		row, err := c.Read()
		if err != nil {
			break
		}
		if row[2] == "English" {
			list = append(list, row[3])
		}
	}
	return list
}

// BenchmarkQuery asks for the translations of the Chinese segments of WMT22 in an
// index of 20,000 and of 145,000 English posts. Figures are per second of CPU.
func BenchmarkQuery(b *testing.B) {
	d := real(b)
	src := gzLines(b, "wmt22.zh-en.src.zh.gz")
	back := gzLines(b, "wmt22.zh-en.refA.en.gz")
	for _, n := range []int{20000, 145000} {
		ix, err := Open("", Options{Dictionaries: d})
		if err != nil {
			b.Fatal(err)
		}
		list := posts(b, n)
		start := cpuSeconds()
		for i, text := range list {
			if _, err := ix.Add(context.Background(), Doc{Key: fmt.Sprint("post:", i), Text: text, Lang: English}); err != nil {
				b.Fatal(err)
			}
		}
		added := float64(len(list)) / (cpuSeconds() - start)
		b.Run(fmt.Sprintf("zh/%d", n), func(b *testing.B) {
			b.ReportMetric(added, "added/cpu-s")
			ask(b, ix, src, Chinese)
		})
	}
	ix, err := Open("", Options{Dictionaries: d})
	if err != nil {
		b.Fatal(err)
	}
	for i, text := range src {
		if _, err := ix.Add(context.Background(), Doc{Key: fmt.Sprint("zh:", i), Text: text, Lang: Chinese}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("en/1875", func(b *testing.B) { ask(b, ix, back, English) })
}

func ask(b *testing.B, ix *Index, texts []string, lang string) {
	b.Helper()
	start := cpuSeconds()
	for i := range b.N {
		if _, err := ix.Query(Doc{Text: texts[i%len(texts)], Lang: lang}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/(cpuSeconds()-start), "queries/cpu-s")
}

// BenchmarkMillion fills an index on disk with a million different posts, and
// opens it again: that reads every post anew. Bytes a post are what the heap holds
// more than when it was empty.
func BenchmarkMillion(b *testing.B) {
	d := real(b)
	list := posts(b, 145000)
	dir := b.TempDir()
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	for range b.N {
		ix, err := Open(dir, Options{Dictionaries: d})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 1_000_000 {
			text := list[i%len(list)] + fmt.Sprint(" edition", i/len(list), " no", i%9973)
			if _, err := ix.Add(context.Background(), Doc{Key: fmt.Sprint("post:", i), Text: text, Lang: English}); err != nil {
				b.Fatal(err)
			}
		}
		if err := ix.Close(); err != nil {
			b.Fatal(err)
		}
		empty, start := heap(), cpuSeconds()
		if ix, err = Open(dir, Options{Dictionaries: d}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(cpuSeconds()-start, "reopen-cpu-s")
		_, texts := ix.Size()
		b.ReportMetric((heap()-empty)/float64(texts), "B/text")
		b.ReportMetric(float64(texts), "texts")
		if err := ix.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
