package web_test

import (
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/crawlers/web"
	"github.com/refrain-archive/refrain/post"
)

func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }

func TestContract(t *testing.T) {
	crawlertest.Run(t, web.Collector{}, crawlertest.Cases{
		Aliases: [][]string{
			{"https://example.org", "https://Example.org/", "https://example.org:443/#top", "https://example.org/?utm_source=mail&fbclid=1"},
			{"https://example.org/a?b=1&c=2", "https://example.org/a?b=1&gclid=x&c=2"},
			{"https://example.org/a?c=2&b=1"}, // the order may matter to the server
			{"http://example.org/"},
			{"https://xn--bcher-kva.example/", "https://bücher.example/", "https://BÜCHER.example"},
		},
		ForeignURLs: []string{"mailto:ana@example.org", "ftp://example.org/a", "javascript:alert(1)", "data:text/html,x", "https://"},
		Exchanges: []crawlertest.Case{
			{Name: "article", Exchange: exchange("https://news.example/2024/05/bridge", "text/html; charset=utf-8", page(t, "article.html")), Outcome: post.OK, Posts: 1},
			{Name: "depth", Step: crawlers.Step{State: web.WithDepth(2)}, Exchange: exchange("https://news.example/2024/05/bridge", "text/html; charset=utf-8", page(t, "article.html")), Outcome: post.OK, Posts: 1},
			{Name: "links", Step: crawlers.Step{State: web.Options{Depth: 1, Links: true}.State()}, Exchange: exchange("https://news.example/", "text/html", page(t, "front.html"))},
			{Name: "front", Exchange: exchange("https://news.example/", "text/html", page(t, "front.html")), Outcome: post.OKMetaOnly, Posts: 1},
			{Name: "shell", Exchange: exchange("https://app.example/", "text/html", page(t, "shell.html")), Outcome: post.OKMetaOnly, Posts: 1},
			{Name: "plain", Exchange: exchange("https://example.org/robots-essay.txt", "text/plain", "All is well.\r\nGood night.\n"), Outcome: post.OK, Posts: 1},
			{Name: "json", Exchange: exchange("https://example.org/data.json", "application/json", `{"a": [1, 2]}`), Outcome: post.OK, Posts: 1},
			{Name: "pdf", Exchange: exchange("https://example.org/report.pdf", "application/pdf", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), Outcome: post.OKMetaOnly, Posts: 1},
			{Name: "deep", Exchange: exchange("https://example.org/deep", "text/html", "<html><title>Deep</title><body>"+strings.Repeat("<div>", 2000)+"Far down.</body>"), Outcome: post.OK, Posts: 1},
		},
		Foreign: []crawlers.Exchange{
			{Method: "POST", URL: "https://example.org/api", Status: 200, Body: []byte("{}")},
			{URL: "urn:example:1", Status: 200, Body: []byte("x")},
		},
	})
}
