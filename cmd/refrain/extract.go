package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/importers"
	"github.com/refrain-archive/refrain/post"
)

type extractCmd struct {
	Files       []string  `arg:"" name:"file" help:"WARC, WACZ or HAR files, told by their content; with --url, one saved body (- is standard input)."`
	URL         string    `name:"url" placeholder:"URL" help:"The file is the body that this URL answered."`
	Method      string    `default:"GET" help:"With --url: the method it was asked with."`
	Status      int       `default:"200" help:"With --url: the status of the answer."`
	Header      []string  `placeholder:"NAME: VALUE" sep:"none" help:"With --url: a header of the answer; can be repeated."`
	RequestBody string    `placeholder:"FILE" help:"With --url: the body of the request."`
	FetchedAt   time.Time `placeholder:"TIME" format:"2006-01-02T15:04:05Z07:00" help:"With --url: when the answer came (RFC 3339); relative times in it are taken from there."`
	Platform    string    `placeholder:"NAME" help:"Only exchanges of this platform."`
}

func (extractCmd) Help() string {
	return `Writes nothing but standard output: for each exchange one line {"type":"page",…} with its
outcome, total, next steps, identities and assets, then one line {"type":"post",…} for each post on it.
docs/post.md describes the fields.

Examples:
  refrain extract crawl.warc.gz > posts.jsonl
  refrain extract --url https://ana.blogspot.com/feeds/posts/default saved.xml
` + exitCodes
}

func (c extractCmd) Run(ctx context.Context, a *app) (err error) {
	e := &extraction{collectors: a.collectors(), only: c.Platform, out: bufio.NewWriterSize(a.out, 1<<16)}
	defer func() { err = errors.Join(err, e.out.Flush()) }()
	if c.Platform != "" && crawlers.ByPlatform(e.collectors, c.Platform) == nil {
		return usage("extract: no platform is named %q: see `refrain platforms`", c.Platform)
	}
	if c.URL != "" {
		return c.body(e, a)
	}
	var damage int
	for _, name := range c.Files {
		before := e.exchanges
		err := importers.Exchanges(ctx, name, e.exchange, func(err error) {
			damage++
			fmt.Fprintln(a.err, "refrain: extract:", err)
		})
		if errors.Is(err, importers.ErrBody) {
			return usage("extract: %w: if it is a saved body, say whose with --url URL", err)
		}
		if err != nil {
			return fmt.Errorf("extract: %w", err)
		}
		if e.exchanges == before {
			a.say("refrain: extract: %s holds no HTTP exchange", name)
		}
	}
	if damage > 0 {
		return partly("extract: %s in the input; everything around them was read (`refrain verify FILE` says more)", plural(int64(damage), "damaged place"))
	}
	return nil
}

// body reads one saved body.
func (c extractCmd) body(e *extraction, a *app) error {
	if len(c.Files) != 1 {
		return usage("extract: --url goes with one file, not %d", len(c.Files))
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return usage("extract: --url %s is not an absolute URL", c.URL)
	}
	ex := crawlers.Exchange{Method: strings.ToUpper(c.Method), URL: c.URL, Status: c.Status, Header: http.Header{}, FetchedAt: c.FetchedAt.UTC()}
	for _, h := range c.Header {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return usage("extract: --header %q is not NAME: VALUE", h)
		}
		ex.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if ex.Body, err = readFile(c.Files[0], a.in); err != nil {
		return fmt.Errorf("extract: %w", err)
	}
	if c.RequestBody != "" {
		if ex.RequestBody, err = readFile(c.RequestBody, a.in); err != nil {
			return fmt.Errorf("extract: the request's body: %w", err)
		}
	}
	return e.exchange(ex)
}

// maxBody bounds a saved body that is read into memory.
const maxBody = 256 << 20

func readFile(name string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // only read
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxBody {
		return nil, fmt.Errorf("%s is larger than %d MiB: a saved page is not; is it an archive?", name, maxBody>>20)
	}
	return data, nil
}

// An extraction reads exchanges with whatever collector knows them and writes
// lines.
type extraction struct {
	collectors       []crawlers.Collector
	only             string // platform; empty is all
	out              *bufio.Writer
	exchanges, posts int
}

func (e *extraction) exchange(ex crawlers.Exchange) error {
	e.exchanges++
	line, posts := readExchange(e.collectors, ex)
	if e.only != "" && line.Platform != e.only {
		return nil
	}
	if err := e.write(line); err != nil {
		return err
	}
	for i := range posts {
		e.posts++
		if err := e.write(crawlers.PostLine{Type: crawlers.LinePost, Post: posts[i]}); err != nil {
			return err
		}
	}
	return nil
}

func (e *extraction) write(v any) error {
	encoder := json.NewEncoder(e.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// readExchange reads an exchange with the collector that knows it. An exchange
// that none knows, or that its collector cannot read, gives a line that says so.
func readExchange(collectors []crawlers.Collector, ex crawlers.Exchange) (crawlers.Line, []post.Post) {
	c, ref, ok := crawlers.Identify(collectors, ex)
	if !ok {
		page := crawlers.Page{Outcome: post.OK}
		if crawlers.IsAsset(ex) {
			page.Reason = "not a page that posts are read from"
		} else if outcome, reason := crawlers.Classify(ex); outcome != "" {
			page.Outcome, page.Reason = outcome, reason
		} else {
			page.Outcome, page.Reason = post.UnexpectedType, "no collector knows this answer"
		}
		return crawlers.LineOf(nil, crawlers.Step{}, ex, page), nil
	}
	step := crawlers.Step{Ref: ref}
	page, err := crawlers.Read(c, step, ex)
	if err != nil {
		page = crawlers.Page{Outcome: post.LayoutChanged, Reason: err.Error()}
	}
	if ex.Truncated && page.Outcome == post.OK {
		page.Outcome, page.Reason = post.CutBody, "the body is cut: what was whole of it was read"
	}
	return crawlers.LineOf(c, step, ex, page), page.Posts
}
