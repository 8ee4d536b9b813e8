package youtube

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
)

func BenchmarkExtract(b *testing.B) {
	crawlertest.Extract(b, New(), "youtube", func(name string, body []byte) []crawlers.Exchange {
		return []crawlers.Exchange{recorded(b, name, body)}
	})
}
