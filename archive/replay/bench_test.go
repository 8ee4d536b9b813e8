package replay

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// blogPage makes a page like those that the figures in docs are about: a post of
// 58 KB, mostly prose, with the head, menus and links of a blog.
func blogPage(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	words := bytes.Fields([]byte(`the of and to in is that for it was on are as with his they at be this from have or by one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only way find use may water long little very after words called just where most know get through back much before go good new write our used me man too any day same right look think also around another came come work three word must because does part even place well such here take why things help put years different away again off went old number`))
	var b bytes.Buffer
	fmt.Fprintf(&b, `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Post %d</title><link rel="stylesheet" href="/s.css"><link rel="preload" href="/f.woff2"><script src="/a.js"></script><style>body{margin:0;background:url(/bg.png)} .post p{color:#222;font:16px/1.5 serif}</style></head><body class="home blog"><header><nav>`, n)
	for i := range 40 {
		fmt.Fprintf(&b, `<li class="menu-item menu-item-%d"><a href="/tag/t%d?from=menu&amp;n=%d" title="Topic %d">Topic %d</a></li>`, i, i, n, i, i)
	}
	b.WriteString(`</nav></header><main class="post">`)
	for b.Len() < 56_000 {
		fmt.Fprintf(&b, "<p id=\"p%d\">", b.Len())
		for range 60 + r.IntN(60) {
			b.Write(words[r.IntN(len(words))])
			b.WriteByte(' ')
			if r.IntN(60) == 0 {
				fmt.Fprintf(&b, `<a href="http://blog.example/p/%d">a post</a> &mdash; `, r.IntN(1000))
			}
		}
		b.WriteString("</p>\n")
		if r.IntN(6) == 0 {
			fmt.Fprintf(&b, `<figure><img src="/img/%d.jpg" srcset="/img/%d-2x.jpg 2x" alt="A picture" style="width:100%%" onload="x()"></figure>`, r.IntN(1000), r.IntN(1000))
		}
	}
	b.WriteString(`</main><script>window.dataLayer=[];</script></body></html>`)
	return b.Bytes()
}

func perCPU(b *testing.B, what string) func() {
	before := cpuTime()
	return func() {
		if spent := cpuTime() - before; spent > 0 {
			b.ReportMetric(float64(b.N)/spent.Seconds(), what+"/cpu-s")
		}
	}
}

func BenchmarkAppendHTML(b *testing.B) {
	src := blogPage(1)
	target := Target{Prefix: "/archive/20260131120000", URL: "http://blog.example/p/1", Mod: Page}
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	var dst []byte
	defer perCPU(b, "pages")()
	for b.Loop() {
		dst = AppendHTML(dst[:0], src, "text/html; charset=utf-8", target)
	}
}

func BenchmarkAppendCSS(b *testing.B) {
	src := bytes.Repeat([]byte(".menu-item > a:hover, .post p{color:#222;background:#fff url('/i/a.png') no-repeat;margin:0 auto 10px;font:16px/1.5 \"Georgia\", serif}\n"), 500)
	target := Target{Prefix: "/archive/20260131120000", URL: "http://blog.example/s.css", Mod: Style}
	b.SetBytes(int64(len(src)))
	var dst []byte
	for b.Loop() {
		dst = AppendCSS(dst[:0], src, "text/css", target)
	}
}

// BenchmarkServe measures the whole of a request but the network: look-up, record,
// unpacking, rewriting, answer. The pages lie in a WARC as they came, gzip packed.
func BenchmarkServe(b *testing.B) {
	m := newMaker(b)
	const n = 200
	for i := range n {
		m.answer(day(1), fmt.Sprintf("http://blog.example/p/%d", i), "200 OK", packed(string(blogPage(i))), "Content-Type: text/html; charset=utf-8", "Content-Encoding: gzip")
	}
	s := m.server(Options{})
	for _, mod := range []string{"mp_", "id_"} {
		b.Run(mod, func(b *testing.B) {
			var took []time.Duration
			b.ReportAllocs()
			defer perCPU(b, "pages")()
			i := 0
			for b.Loop() {
				i++
				w := &discard{header: http.Header{}}
				r := httptest.NewRequest("GET", fmt.Sprintf("/archive/20260101120000%s/http://blog.example/p/%d", mod, i*7%n), nil)
				begun := time.Now()
				s.ServeHTTP(w, r)
				took = append(took, time.Since(begun))
				if w.status != 200 || w.n < 10_000 {
					b.Fatalf("status %d, %d bytes", w.status, w.n)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

// BenchmarkServeHTTP is BenchmarkServe through the network of this machine: the
// server's and the client's share of the processors together.
func BenchmarkServeHTTP(b *testing.B) {
	m := newMaker(b)
	const n = 200
	for i := range n {
		m.answer(day(1), fmt.Sprintf("http://blog.example/p/%d", i), "200 OK", packed(string(blogPage(i))), "Content-Type: text/html; charset=utf-8", "Content-Encoding: gzip")
	}
	server := httptest.NewServer(m.server(Options{}))
	defer server.Close()
	for _, mod := range []string{"mp_", "id_"} {
		b.Run(mod, func(b *testing.B) {
			client := http.Client{Transport: &http.Transport{DisableCompression: true}}
			defer client.CloseIdleConnections()
			defer perCPU(b, "pages")()
			i := 0
			for b.Loop() {
				i++
				r, err := client.Get(fmt.Sprintf("%s/archive/20260101120000%s/http://blog.example/p/%d", server.URL, mod, i*7%n))
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
		})
	}
}

// discard is a ResponseWriter that counts.
type discard struct {
	header http.Header
	status int
	n      int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { d.n += len(p); return len(p), nil }
