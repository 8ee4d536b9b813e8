package tiktok

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/internal/sharedtest"
)

func BenchmarkExtract(b *testing.B) {
	crawlertest.Extract(b, New(), "tiktok", func(name string, body []byte) []crawlers.Exchange {
		return exchanges(b, sharedtest.Path(b, "recordings/tiktok/"+name))
	})
}
