// Command colly is a peer of the benchmark: a plain program on colly as its
// documentation shows one. It follows every link of a site, or fetches a list,
// parses each page with goquery, and archives nothing.
//
//	colly http://127.0.0.2:PORT/
//	colly -list FILE
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"sync/atomic"

	"github.com/gocolly/colly/v2"
)

func main() {
	log.SetFlags(0)
	list := flag.String("list", "", "file with one URL a line; links are not followed then")
	parallel := flag.Int("parallel", 8, "requests at a time")
	flag.Parse()
	c := colly.NewCollector(colly.Async(true))
	if err := c.Limit(&colly.LimitRule{DomainGlob: "*", Parallelism: *parallel}); err != nil {
		log.Fatal(err)
	}
	var pages, links, failed atomic.Int64
	c.OnResponse(func(*colly.Response) { pages.Add(1) })
	c.OnError(func(*colly.Response, error) { failed.Add(1) })
	visit := func(e *colly.HTMLElement, attr string) {
		links.Add(1)
		if *list == "" {
			_ = e.Request.Visit(e.Attr(attr)) // an address seen before is refused, which is meant
		}
	}
	c.OnHTML("a[href]", func(e *colly.HTMLElement) { visit(e, "href") })
	c.OnHTML("img[src], script[src]", func(e *colly.HTMLElement) { visit(e, "src") })
	c.OnHTML("link[rel=stylesheet]", func(e *colly.HTMLElement) { visit(e, "href") })
	if *list == "" {
		start, err := url.Parse(flag.Arg(0))
		if err != nil || start.Host == "" {
			log.Fatal("colly: give the address to begin at, or -list FILE")
		}
		c.AllowedDomains = []string{start.Hostname()}
		if err := c.Visit(start.String()); err != nil {
			log.Fatal(err)
		}
	} else {
		f, err := os.Open(*list)
		if err != nil {
			log.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if err := c.Visit(lines.Text()); err != nil {
				log.Fatalf("%s: %v", lines.Text(), err)
			}
		}
	}
	c.Wait()
	fmt.Println(pages.Load(), "answers,", links.Load(), "links,", failed.Load(), "errors (404s are among them)")
}
