package facebook

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
)

func BenchmarkExtract(b *testing.B) {
	crawlertest.Extract(b, New(), "facebook", func(name string, body []byte) []crawlers.Exchange {
		raw, _, _, _ := wants(b, name, body)
		return []crawlers.Exchange{{URL: first(raw, "https://www.facebook.com/"), Body: body, FetchedAt: fetched}}
	})
}
