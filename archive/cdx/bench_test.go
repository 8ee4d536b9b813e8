package cdx

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
)

// benchWARC is n exchanges of about 26 KB, as a crawl of a site that serves
// gzip has them: coded bodies, and, if text is true, a page of text in each
// third.
func benchWARC(b testing.TB, n int, text bool) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	body := make([]byte, 26<<10)
	for i := range body {
		body[i] = byte(random.Uint32())
	}
	page := []byte(strings.Repeat("<p>some words of a page that are not all the same "+fmt.Sprint(random.Uint64())+"</p>\n", 400))
	var out bytes.Buffer
	w := warc.NewWriter(&out, warc.WriterOptions{})
	for i := range n {
		c := warc.Capture{URL: fmt.Sprintf("http://plaza.example/u/%d/p/%d?page=%d&order=new", i%100, i, i%7), Date: testDate}
		head := "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n\r\n"
		block := append([]byte(head), body...)
		if text && i%3 == 0 {
			block = append([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"), page...)
		}
		response := c.Response(warc.Bytes(block))
		if _, err := w.Write(response); err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write(c.Request(warc.Bytes(fmt.Appendf(nil, "GET /u/%d/p/%d HTTP/1.1\r\nHost: plaza.example\r\nUser-Agent: test\r\n\r\n", i%100, i)), response)); err != nil {
			b.Fatal(err)
		}
	}
	return out.Bytes()
}

// BenchmarkIndex indexes a file and sorts its lines.
func BenchmarkIndex(b *testing.B) {
	for name, text := range map[string]bool{"coded": false, "third-text": true} {
		b.Run(name, func(b *testing.B) {
			file := benchWARC(b, 1000, text)
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			records := int64(0)
			start := cpuTime()
			for b.Loop() {
				s := NewSorter(SortOptions{})
				stats, err := Index(context.Background(), bytes.NewReader(file), "x.warc.gz", IndexOptions{}, s.Add)
				if err != nil {
					b.Fatal(err)
				}
				var out bytes.Buffer
				if _, err := s.WriteTo(&out); err != nil {
					b.Fatal(err)
				}
				s.Close()
				records += stats.Records
			}
			b.ReportMetric(float64(records)/(cpuTime()-start).Seconds(), "records/cpu-s")
		})
	}
}

// BenchmarkFind looks random keys up in an index of 17,000 and of 1,000,000
// lines.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{17_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var out bytes.Buffer
			for i := range n {
				l := Line{Key: fmt.Sprintf("com,example)/%08d", i), Timestamp: "20260131101112", URL: fmt.Sprintf("http://example.com/%08d", i), MIME: "text/html",
					Status: "200", Digest: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Length: 1234, Offset: int64(i) * 1234, Filename: "refrain-20260131101112345-00001-HOST.warc.gz"}
				out.Write(l.Append(nil))
				out.WriteByte('\n')
			}
			f := NewFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
			random := rand.New(rand.NewPCG(1, 2))
			start := cpuTime()
			for b.Loop() {
				key := fmt.Sprintf("com,example)/%08d", random.IntN(n))
				found := 0
				for l, err := range f.Find(key) {
					if err != nil || l.Key != key {
						b.Fatal(l, err)
					}
					found++
				}
				if found != 1 {
					b.Fatalf("%d lines of %s", found, key)
				}
			}
			b.ReportMetric(float64(b.N)/(cpuTime()-start).Seconds(), "lookups/cpu-s")
		})
	}
}

func BenchmarkSURT(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		SURT("https://www.plaza.example/u/Someone/posts/123456?page=2&order=new#top")
	}
}

func BenchmarkAppend(b *testing.B) {
	l := Line{Key: "com,example)/", Timestamp: "20260131101112", URL: "http://example.com/", MIME: "text/html", Status: "200",
		Digest: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Length: 1234, Offset: 1234, Filename: "x.warc.gz"}
	var buf []byte
	for b.Loop() {
		buf = l.Append(buf[:0])
	}
}
