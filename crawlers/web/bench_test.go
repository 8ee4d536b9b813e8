//go:build unix

package web_test

import (
	"bytes"
	"fmt"
	"html"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	readability "codeberg.org/readeck/go-readability/v2"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/web"
	"github.com/refrain-archive/refrain/post"
)

// benchPages makes n pages of some 57 kB of prose in the manner of a blog
// platform: a menu of 40 entries, a style sheet and a script, paragraphs with
// subheadings, quotes and comments between them, and a list of links at the end.
// They are the same on every run.
func benchPages(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	syllables := strings.Fields("ka lo mi ren ta su vor el an dir pol ni ge sta tur ble com pre est ous ing ter ver con per de in ro sha fu")
	vocabulary := make([]string, 4000)
	for i := range vocabulary {
		for range 1 + r.IntN(4) {
			vocabulary[i] += syllables[r.IntN(len(syllables))]
		}
	}
	sentence := func(words int) string {
		var b strings.Builder
		for i := range words {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(vocabulary[int(float64(len(vocabulary))*r.Float64()*r.Float64())])
			if i%9 == 8 {
				b.WriteByte(',')
			}
		}
		b.WriteByte('.')
		return b.String()
	}
	pages := make([][]byte, n)
	for k := range pages {
		title := html.EscapeString(sentence(7))
		var b bytes.Buffer
		fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>\n<link rel=\"canonical\" href=\"/p/%d\"><link rel=\"stylesheet\" href=\"/static/site.css\"><script src=\"/static/site.js\"></script>\n<link rel=\"alternate\" type=\"application/atom+xml\" href=\"/feed\">\n<meta property=\"og:title\" content=\"%s\"><meta property=\"article:published_time\" content=\"2024-05-01T08:%02d:00Z\">\n", title, k, title, k%60)
		fmt.Fprintf(&b, "<script type=\"application/ld+json\">{\"@context\":\"https://schema.org\",\"@type\":\"BlogPosting\",\"headline\":%q,\"datePublished\":\"2024-05-01T08:%02d:00Z\",\"author\":{\"name\":\"author%d\"}}</script></head><body>\n<nav class=\"site-nav\"><ul>\n", title, k%60, k%50)
		for i := range 40 {
			fmt.Fprintf(&b, "<li class=\"menu-item menu-item-%d\"><a class=\"menu-link\" href=\"/tag/t%d\"><span>Topic %d</span></a></li>\n", i, i, i)
		}
		b.WriteString("</ul></nav>\n<style>")
		for i := range 60 {
			fmt.Fprintf(&b, ".c%d{margin:%dpx;color:#%06x}\n", i, i, i*4099)
		}
		b.WriteString("</style>\n<script>var cfg={")
		for i := range 50 {
			fmt.Fprintf(&b, "\"flag_%d\":%d,", i, i)
		}
		fmt.Fprintf(&b, "};</script>\n<main>\n<article id=\"post-%d\"><h1>%s</h1>\n<figure><img src=\"/img/%d.jpg\" alt=\"figure %d\"></figure>\n", k, title, k, k)
		for size := 24_000 + r.IntN(60_000); b.Len() < size; {
			switch r.IntN(12) {
			case 0:
				fmt.Fprintf(&b, "<h3 class=\"section-title\">%s</h3>\n", sentence(6))
			case 1:
				fmt.Fprintf(&b, "<blockquote class=\"quote indent\"><p>%s</p></blockquote>\n", sentence(60))
			case 2:
				fmt.Fprintf(&b, "<div class=\"comment\" data-role=\"comment\"><span class=\"comment-author\">user%d</span> <time datetime=\"2023-01-10T01:00:00Z\"></time><div class=\"comment-body\">%s</div></div>\n", r.IntN(1000), sentence(60))
			default:
				fmt.Fprintf(&b, "<p class=\"body-text\">%s</p>\n", sentence(40+r.IntN(90)))
			}
		}
		b.WriteString("</article><aside class=\"links\">\n")
		for range 9 {
			fmt.Fprintf(&b, "<a href=\"/p/%d\">related</a>\n", r.IntN(10_000))
		}
		b.WriteString("</aside>\n</main>\n<footer class=\"site-footer\"><p>A test site. Nothing here is real.</p></footer></body></html>\n")
		pages[k] = b.Bytes()
	}
	return pages
}

// cpu is the processor time of this process so far: unlike the clock it does not
// count what other processes of the machine take.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchRead(b *testing.B, state []byte, want func(crawlers.Page) bool) {
	pages := benchPages(100)
	size := 0
	for _, p := range pages {
		size += len(p)
	}
	b.SetBytes(int64(size / len(pages)))
	b.ReportAllocs()
	c := web.Collector{}
	start := cpu(b)
	for i := 0; b.Loop(); i++ {
		ex := exchange(fmt.Sprintf("https://bench.example/p/%d", i%len(pages)), "text/html; charset=utf-8", "")
		ex.Body = pages[i%len(pages)]
		ref, _ := c.Identify(ex)
		page, err := crawlers.Read(c, crawlers.Step{Ref: ref, State: state}, ex)
		if err != nil || !want(page) {
			b.Fatalf("page %d: outcome %s, %d posts, %d steps, %v", i%len(pages), page.Outcome, len(page.Posts), len(page.Next), err)
		}
	}
	b.ReportMetric(float64(b.N)/(cpu(b)-start).Seconds(), "pages/cpu-s")
}

// BenchmarkRead reads pages whole: the rate that an archive's pages are
// extracted at.
func BenchmarkRead(b *testing.B) {
	benchRead(b, nil, func(p crawlers.Page) bool {
		return p.Outcome == post.OK && len(p.Posts) == 1 && len(p.Posts[0].Text) > 10_000 && !p.Posts[0].Created.Time.IsZero()
	})
}

// BenchmarkLinks looks for links only.
func BenchmarkLinks(b *testing.B) {
	benchRead(b, web.Options{Depth: 3, Links: true}.State(), func(p crawlers.Page) bool { return len(p.Next) >= 40 })
}

// BenchmarkReadability is the port of Readability alone, as its documentation
// calls it, for comparison.
func BenchmarkReadability(b *testing.B) {
	pages := benchPages(100)
	start := cpu(b)
	for i := 0; b.Loop(); i++ {
		article, err := readability.FromReader(bytes.NewReader(pages[i%len(pages)]), nil)
		if err != nil {
			b.Fatal(err)
		}
		var text strings.Builder
		if err := article.RenderText(&text); err != nil || text.Len() < 10_000 {
			b.Fatalf("%d bytes of text, %v", text.Len(), err)
		}
	}
	b.ReportMetric(float64(b.N)/(cpu(b)-start).Seconds(), "pages/cpu-s")
}

// On the pages of the benchmark the main text is the one that Readability finds.
func TestBenchPages(t *testing.T) {
	for k, body := range benchPages(20) {
		ex := exchange("https://bench.example/p", "text/html", "")
		ex.Body = body
		got := read(t, ex, nil)
		precision, recall := overlap(got.Posts[0].Text, readable(t, body))
		if precision < 0.99 || recall < 0.99 {
			t.Errorf("page %d: precision %.3f recall %.3f", k, precision, recall)
		}
	}
}
