package blogspot

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
)

func BenchmarkExtract(b *testing.B) {
	crawlertest.Extract(b, New(), "blogspot", func(name string, body []byte) []crawlers.Exchange {
		return []crawlers.Exchange{{URL: addressOf(name, body), Body: body}}
	})
}
