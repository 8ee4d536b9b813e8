package instagram

import (
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
)

func BenchmarkExtract(b *testing.B) {
	crawlertest.Extract(b, New(), "instagram", func(name string, body []byte) []crawlers.Exchange {
		if strings.HasSuffix(name, ".ndjson") {
			return crawlertest.Lines(body)
		}
		raw, _, _ := wants(b, name, body)
		if raw == "" {
			raw = "https://www.instagram.com/graphql/query/"
		}
		return []crawlers.Exchange{{URL: raw, Body: body}}
	})
}
