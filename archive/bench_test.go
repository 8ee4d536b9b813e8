package archive_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/capture"
)

// codedExchange is an exchange with a body of size random bytes, as a picture is.
func codedExchange(size int) *capture.Exchange {
	body := make([]byte, size)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(body) // never fails
	return exchange("https://plaza.example/p.jpg", "image/jpeg", string(body))
}

// BenchmarkRecord appends exchanges whose bodies are coded already, digests
// computed by the recorder as in a crawl; MB/s of bodies.
func BenchmarkRecord(b *testing.B) {
	for _, size := range []int{4 << 10, 32 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			a := mustOpen(b, folder(b), archive.Options{MinRevisit: -1})
			ex := codedExchange(size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			start, n := cpuTime(), 0
			for b.Loop() {
				n++
				// What the recorder does once for each body.
				ex.Response.PayloadSHA256 = sha256.Sum256(block(b, &ex.Response)[ex.Response.Head:])
				if _, err := a.Record(context.Background(), ex); err != nil {
					b.Fatal(err)
				}
			}
			if cpu := (cpuTime() - start).Seconds(); cpu > 0 {
				b.ReportMetric(float64(size)*float64(n)/1e6/cpu, "MB/cpu-s")
			}
		})
	}
}

// BenchmarkSync appends small exchanges from some goroutines, each of which
// waits for its own to be durable before the next; without is the same without
// waiting.
func BenchmarkSync(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		for _, wait := range []bool{false, true} {
			name := fmt.Sprintf("writers=%d/without", writers)
			if wait {
				name = fmt.Sprintf("writers=%d/with", writers)
			}
			b.Run(name, func(b *testing.B) {
				a := mustOpen(b, folder(b), archive.Options{MinRevisit: -1})
				ex := codedExchange(8 << 10)
				var wg sync.WaitGroup
				b.ResetTimer()
				for w := range writers {
					wg.Go(func() {
						own := *ex // the records' digests are written once
						for i := w; i < b.N; i += writers {
							if _, err := a.Record(context.Background(), &own); err != nil {
								b.Error(err)
								return
							}
							if wait {
								if err := a.Sync(context.Background()); err != nil {
									b.Error(err)
									return
								}
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}
