package quora

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
)

func BenchmarkExtract(b *testing.B) {
	crawlertest.Extract(b, New(), "quora", func(name string, body []byte) []crawlers.Exchange {
		return []crawlers.Exchange{{URL: recordings[name].address, Status: recordings[name].status, Body: body}}
	})
}
