package warc

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// page is HTML of about size bytes: words of a small vocabulary within markup.
func page(size int) []byte {
	random := rand.New(rand.NewPCG(7, 7))
	words := make([]string, 3000)
	for i := range words {
		b := make([]byte, 3+random.IntN(8))
		for j := range b {
			b[j] = 'a' + byte(random.IntN(26))
		}
		words[i] = string(b)
	}
	var b strings.Builder
	b.WriteString("<!doctype html><html><head><title>page</title></head><body>\n")
	for b.Len() < size {
		fmt.Fprintf(&b, "<div class=\"post\" id=\"p%d\"><a href=\"/u/%s\">%s</a><p>", random.IntN(1e6), words[random.IntN(500)], words[random.IntN(500)])
		for range 40 {
			b.WriteString(words[int(random.ExpFloat64()*300)%len(words)])
			b.WriteByte(' ')
		}
		b.WriteString("</p></div>\n")
	}
	return []byte(b.String())
}

func noise(size int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func benchmarkWrite(b *testing.B, o WriterOptions, kind string, body []byte) {
	block := append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n", kind, len(body)), body...)
	w := NewWriter(io.Discard, o)
	c := Capture{URL: "http://plaza.example/photos/1234567.jpg", Date: testDate}
	b.SetBytes(int64(len(block)))
	b.ReportAllocs()
	var packed int64
	start := cpuTime()
	for b.Loop() {
		pos, err := w.Write(c.Response(Bytes(block)))
		if err != nil {
			b.Fatal(err)
		}
		packed = pos.Length
	}
	b.ReportMetric(float64(len(block))*float64(b.N)/1e6/(cpuTime()-start).Seconds(), "MB/cpu-s")
	b.ReportMetric(100*float64(packed)/float64(len(block)), "%size")
}

// BenchmarkWriteCoded writes bodies that are coded already, with both digests.
func BenchmarkWriteCoded(b *testing.B) {
	for _, size := range []int{8 << 10, 28 << 10, 200 << 10, 4 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			benchmarkWrite(b, WriterOptions{}, "image/jpeg", noise(size))
		})
		b.Run(fmt.Sprintf("%dKiB/head-stored", size>>10), func(b *testing.B) {
			benchmarkWrite(b, WriterOptions{Compression: Stored}, "image/jpeg", noise(size))
		})
	}
}

// BenchmarkWriteText writes HTML at each deflate level, with both digests.
func BenchmarkWriteText(b *testing.B) {
	for _, size := range []int{1 << 10, 8 << 10, 60 << 10} {
		body := page(size)
		for _, level := range []int{1, 2, 3, 4, 5, 6} {
			b.Run(fmt.Sprintf("%dKiB/level%d", size>>10, level), func(b *testing.B) {
				benchmarkWrite(b, WriterOptions{Level: level}, "text/html", body)
			})
		}
	}
}

// benchFile is a file of n exchanges, a third of them images, of 27 KB a page
// or image.
func benchFile(b *testing.B, n int) []byte {
	var out bytes.Buffer
	w := NewWriter(&out, WriterOptions{})
	text, image := page(27<<10), noise(27<<10)
	for i := range n {
		c := Capture{URL: fmt.Sprintf("http://plaza.example/u/%d/p/%d", i%100, i), Date: testDate}
		kind, body := "text/html; charset=utf-8", text
		if i%3 == 0 {
			kind, body = "image/jpeg", image
		}
		response := c.Response(Bytes(append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", kind, len(body)), body...)))
		if _, err := w.Write(response); err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write(c.Request(Bytes(fmt.Appendf(nil, "GET /u/%d/p/%d HTTP/1.1\r\nHost: plaza.example\r\nUser-Agent: test\r\n\r\n", i%100, i)), response)); err != nil {
			b.Fatal(err)
		}
	}
	return out.Bytes()
}

// BenchmarkRead goes through a file without looking at the blocks.
func BenchmarkRead(b *testing.B) {
	file := benchFile(b, 500)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	n := 0
	start := cpuTime()
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := r.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/(cpuTime()-start).Seconds(), "records/cpu-s")
}

// BenchmarkVerify checks a file whole.
func BenchmarkVerify(b *testing.B) {
	file := benchFile(b, 500)
	gz, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		b.Fatal(err)
	}
	decoded, err := io.Copy(io.Discard, gz)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	start := cpuTime()
	defer func() {
		took := (cpuTime() - start).Seconds()
		b.ReportMetric(1000*float64(b.N)/took, "records/cpu-s")
		b.ReportMetric(float64(decoded)*float64(b.N)/1e6/took, "decoded-MB/cpu-s")
	}()
	for b.Loop() {
		report, err := Verify(context.Background(), bytes.NewReader(file), int64(len(file)), "x", VerifyOptions{})
		if err != nil || report.Verdict == Damaged {
			b.Fatalf("%+v, %v", report, err)
		}
	}
}
