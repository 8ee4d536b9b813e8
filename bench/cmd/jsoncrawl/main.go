// Command jsoncrawl collects the JSON interface of the benchmark's site through
// the parts that refrain collect joins: robots.txt and pace, recorder, archive
// with its fsync before anything counts, durable frontier, driver. It differs
// only in the collector, as no platform's real one can be sent to the site.
//
//	jsoncrawl -base http://127.0.0.2:PORT -out DIR -posts 10000 [-chains 8] [-from 0]
//	jsoncrawl -base http://127.0.0.2:PORT -out DIR -pictures LIST
//
// -from beyond the site's last post asks for answers without posts: what is left
// then is the cost of the path itself.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/archive/capture"
	"github.com/refrain-archive/refrain/bench/jsonsite"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/frontier"
	"github.com/refrain-archive/refrain/crawlers/polite"
	"github.com/refrain-archive/refrain/post"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("jsoncrawl: ")
	base := flag.String("base", "", "address of the site, http://127.0.0.2:PORT")
	out := flag.String("out", "", "folder for archive and state")
	posts := flag.Int("posts", 10_000, "posts to ask for, 25 a request")
	from := flag.Int("from", 0, "number of the first of them")
	chains := flag.Int("chains", 8, "listings read side by side")
	list := flag.String("pictures", "", "file of addresses, one a line: fetch the pictures among them")
	flag.Parse()
	if name := os.Getenv("REFRAIN_CPUPROFILE"); name != "" {
		f, err := os.Create(name)
		if err != nil {
			log.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			log.Fatal(err)
		}
		defer f.Close()
		defer pprof.StopCPUProfile()
	}
	var collector jsonsite.Collector
	if *list != "" {
		data, err := os.ReadFile(*list)
		if err != nil {
			log.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if strings.Contains(line, "/img/") {
				collector.Pictures = append(collector.Pictures, strings.TrimSpace(line))
			}
		}
		*from, *posts = 1_000_000_000, 25
	}
	if err := run(context.Background(), collector, strings.TrimSuffix(*base, "/"), *out, *from, *posts, *chains); err != nil {
		pprof.StopCPUProfile()
		log.Fatal(err)
	}
}

// An asset is what refrain collect keeps of an asset beside its bytes.
type asset struct {
	Type    string       `json:"type"`
	URL     string       `json:"url"`
	Outcome post.Outcome `json:"outcome"`
	Facts   any          `json:"facts,omitempty"`
	Capture post.Capture `json:"capture,omitzero"`
}

func run(ctx context.Context, collector jsonsite.Collector, base, out string, from, posts, chains int) (err error) {
	site, err := url.Parse(base)
	if err != nil || site.Host == "" || out == "" || chains < 1 || posts < 1 {
		return errors.New("needs -base http://127.0.0.2:PORT and -out DIR")
	}
	spool := filepath.Join(out, "spool")
	if err := os.MkdirAll(spool, 0o755); err != nil {
		return err
	}
	store, err := dir.New(filepath.Join(out, "archive"))
	if err != nil {
		return err
	}
	arch, err := archive.Open(ctx, store, archive.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, arch.Close(ctx)) }()
	recorder := capture.New(capture.Options{
		Recorder: arch, SpoolDir: spool, Guard: polite.LoopbackOnly,
		MaxWire: crawlers.DefaultMaxAsset, MaxDecoded: crawlers.DefaultMaxAsset, MaxIdlePerHost: chains,
	})
	defer recorder.CloseIdleConnections()
	transport, err := polite.New(polite.Options{
		Next: recorder, Loopback: true, Platforms: []crawlers.About{collector.About()},
		Every: map[string]time.Duration{"*": 0}, PerHost: chains,
	})
	if err != nil {
		return err
	}
	driver, err := crawlers.NewDriver(crawlers.Options{
		Collectors: []crawlers.Collector{collector},
		Transport:  transport,
		Frontier:   frontier.Dir(filepath.Join(out, "frontier")),
		Mark: func(ctx context.Context, w crawlers.Wire) context.Context {
			return polite.WithRequest(ctx, polite.Meta{Platform: w.Platform, Route: w.Route, Key: w.Key, Robots: w.Robots})
		},
		Save: func(ctx context.Context, f crawlers.Fetched) error {
			line := crawlers.LineOf(collector, f.Step, f.Exchange, f.Page)
			line.Target, line.Seed = f.Target.Key(), f.Seed
			if _, err := arch.WritePage(ctx, line, line.FetchedAt, f.Exchange.Capture, f.Page.Posts); err != nil {
				return err
			}
			return arch.Sync(ctx)
		},
		SaveAsset: func(ctx context.Context, f crawlers.FetchedAsset) error {
			if f.Outcome != post.OK {
				return fmt.Errorf("%s: %s: %s", f.Asset.URL, f.Outcome, f.Reason)
			}
			if _, err := arch.WriteAssetFacts(ctx, f.Facts.SHA256, asset{"asset", f.Asset.URL, f.Outcome, f.Facts, f.Exchange.Capture}, f.Exchange.Capture); err != nil {
				return err
			}
			return arch.Sync(ctx)
		},
		Media:   len(collector.Pictures) > 0,
		Workers: 2 * chains, PerHost: chains,
	})
	if err != nil {
		return err
	}
	var seeds []crawlers.Seed
	each := (posts/chains + 24) / 25 * 25
	for at := 0; at < posts; at += each {
		seed, err := crawlers.ParseSeed(fmt.Sprintf("%s/api/posts?after=%d&to=%d", base, from+at, from+min(at+each, posts)))
		if err != nil {
			return err
		}
		seeds = append(seeds, seed)
	}
	sum, err := driver.Run(ctx, seeds)
	if err != nil {
		return err
	}
	fmt.Printf("%d requests, %d posts, %d pictures, %.1f MB decoded, %d steps failed, %d left\n", sum.Stats.Requests, sum.Stats.Posts, sum.Stats.Assets, float64(sum.Stats.Bytes)/1e6, sum.Stats.Failed, sum.Left)
	if sum.Left > 0 || sum.Stats.Failed > 0 {
		return errors.New("not everything was collected")
	}
	return nil
}
