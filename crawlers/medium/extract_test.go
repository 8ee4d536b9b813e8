package medium

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
)

func BenchmarkExtract(b *testing.B) {
	crawlertest.Extract(b, New(), "medium", func(name string, body []byte) []crawlers.Exchange {
		for _, rec := range recordings {
			if rec.name == name {
				return []crawlers.Exchange{{URL: rec.url, Body: body}}
			}
		}
		return nil
	})
}
