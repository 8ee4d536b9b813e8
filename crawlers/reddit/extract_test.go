package reddit

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
)

func BenchmarkExtract(b *testing.B) {
	crawlertest.Extract(b, New(), "reddit", func(name string, body []byte) []crawlers.Exchange {
		if list := unwrap(body); list != nil {
			return list
		}
		return []crawlers.Exchange{{URL: plainURLs[name], Body: body}}
	})
}
