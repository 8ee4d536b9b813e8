package web_test

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/web"
)

// No bytes make Read panic or give an unknown outcome.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"article.html", "front.html", "shell.html", "microdata.html", "pictures.html", "table.html"} {
		f.Add([]byte(page(f, name)), "text/html; charset=utf-8", 0, false)
	}
	f.Add([]byte("\xff\xfe<\x00p\x00>"), "text/html", 1, true)
	f.Add([]byte(`<script type="application/ld+json">[{"@type":["Article"],"author":[[{"@id":"x"}]],"image":{"@id":"x"}}]</script><img srcset=", a 1e9w,b 2x">`), "", 2, false)
	f.Add([]byte("{}"), "application/json", 0, true)
	f.Fuzz(func(t *testing.T, body []byte, contentType string, depth int, links bool) {
		ex := exchange("https://fuzz.example/a/b?c=d", contentType, string(body))
		state := web.Options{Depth: min(max(depth, 0), 3), Links: links, Feeds: true}.State()
		ref, ok := web.Collector{}.Identify(ex)
		if !ok {
			t.Fatal("Identify refuses its own address")
		}
		got, err := web.Collector{}.Read(crawlers.Step{Ref: ref, State: state}, ex)
		if err != nil {
			t.Fatal(err)
		}
		if got.Outcome != "" && got.Outcome.Scope() == "" {
			t.Errorf("outcome %q", got.Outcome)
		}
		for _, p := range got.Posts {
			if p.ID == "" || p.Kind == "" {
				t.Errorf("post without id or kind: %+v", p)
			}
		}
	})
}
