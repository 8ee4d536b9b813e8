//go:build unix

package coord

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// BenchmarkStream takes one and ten million rows in order of time: 40 rows a
// second, 200,000 accounts, 500,000 objects of which few are popular, so that a
// row has 0.5 partners in a minute and nearly every pair is an edge of its own.
// Ten million took 25 s of processor time, the making of the rows and Network
// included, for 5.1 million edges with at most 2,440 rows held (two cores of an
// AMD EPYC, busy).
//
//	go test -run '^$' -bench Stream/10M -benchtime 1x ./narrative/coord
func BenchmarkStream(b *testing.B) {
	b.Run("1M", func(b *testing.B) { benchmarkStream(b, 1_000_000) })
	b.Run("10M", func(b *testing.B) { benchmarkStream(b, 10_000_000) })
}

func benchmarkStream(b *testing.B, total int) {
	accounts := make([]string, 200_000)
	for i := range accounts {
		accounts[i] = AccountKey("plaza", fmt.Sprint(i))
	}
	objects := make([]string, 500_000)
	for i := range objects {
		objects[i] = fmt.Sprint("object ", i)
	}
	for b.Loop() {
		r := rand.New(rand.NewPCG(1, 1))
		s, err := NewStream(Options{Window: time.Minute})
		if err != nil {
			b.Fatal(err)
		}
		start, began := cpuTime(b), time.Now()
		held := 0
		for i := range total {
			u := r.Float64()
			row := Row{objects[int(u*u*u*float64(len(objects)))], accounts[r.IntN(len(accounts))], fmt.Sprint(i), int64(i / 40)}
			if err := s.Add(row); err != nil {
				b.Fatal(err)
			}
			held = max(held, s.Held())
		}
		b.ReportMetric(float64(len(s.edges)), "edges")
		n := s.Network()
		b.ReportMetric((cpuTime(b) - start).Seconds(), "cpu-s")
		b.ReportMetric(time.Since(began).Seconds(), "wall-s")
		b.ReportMetric(float64(held), "rows-held")
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
		runtime.KeepAlive(n)
		runtime.KeepAlive(s)
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
