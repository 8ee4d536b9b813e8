package vimeo

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
)

func BenchmarkExtract(b *testing.B) {
	crawlertest.Extract(b, New(), "vimeo", func(name string, body []byte) []crawlers.Exchange {
		return []crawlers.Exchange{{URL: recordings[name].url, Status: recordings[name].status, Body: body, FetchedAt: fetched}}
	})
}
