package crawlertest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// large is the size in bytes from which a recording has a row of its own.
const large = 100_000

// Extract measures how fast a collector reads the recordings of its platform,
// the files of folder in recordings. exchanges gives the exchanges that a file
// holds, as the test of the recordings reads them; a file without any is left
// out. The rows are all pages in HTML, all else (JSON, XML), and each file of
// 100 kB or more.
//
// MB/cpu-s (10^6 bytes) and posts/cpu-s are per second of processor time of the
// whole process, which other work on the machine changes less than it does time
// by the clock. Where the system does not tell that time they are by the clock.
func Extract(b *testing.B, c crawlers.Collector, folder string, exchanges func(name string, body []byte) []crawlers.Exchange) {
	files, err := os.ReadDir(sharedtest.Path(b, "recordings/"+folder))
	if err != nil {
		b.Fatal(err)
	}
	var pages, data []work
	type row struct {
		name string
		work []work
	}
	var rows []row
	for _, f := range files {
		if filepath.Ext(f.Name()) == ".md" {
			continue
		}
		body := sharedtest.Read(b, "recordings/"+folder+"/"+f.Name())
		var list []work
		for _, ex := range exchanges(f.Name(), body) {
			ref, ok := c.Identify(ex)
			if !ok {
				continue // a request for a token, a wall: what its test has refused
			}
			list = append(list, work{crawlers.Step{Ref: ref}, ex})
		}
		if len(list) == 0 {
			continue
		}
		if crawlers.LooksHTML(list[0].ex) {
			pages = append(pages, list...)
		} else {
			data = append(data, list...)
		}
		if len(body) >= large {
			rows = append(rows, row{f.Name(), list})
		}
	}
	for _, r := range append([]row{{"html", pages}, {"data", data}}, rows...) {
		if len(r.work) > 0 {
			b.Run(r.name, func(b *testing.B) { extract(b, c, r.work) })
		}
	}
}

type work struct {
	step crawlers.Step
	ex   crawlers.Exchange
}

func extract(b *testing.B, c crawlers.Collector, list []work) {
	size := 0
	for _, w := range list {
		size += len(w.ex.Body)
	}
	b.ReportAllocs()
	posts, rounds := 0, 0
	began := cpuTime()
	for b.Loop() {
		for _, w := range list {
			page, err := crawlers.Read(c, w.step, w.ex)
			if err != nil {
				b.Fatal(err)
			}
			posts += len(page.Posts)
		}
		rounds++
	}
	used := (cpuTime() - began).Seconds()
	b.ReportMetric(float64(size)*float64(rounds)/1e6/used, "MB/cpu-s")
	b.ReportMetric(float64(posts)/used, "posts/cpu-s")
}

// Lines gives an exchange without address for each line that is not blank, as
// an import reads them.
func Lines(body []byte) []crawlers.Exchange {
	var list []crawlers.Exchange
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			list = append(list, crawlers.Exchange{Body: line})
		}
	}
	return list
}
