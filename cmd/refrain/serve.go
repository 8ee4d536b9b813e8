package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/index"
	"github.com/refrain-archive/refrain/archive/replay"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/sensitive"
)

type serveCmd struct {
	Addr        string   `default:"127.0.0.1:7780" placeholder:"HOST:PORT" help:"Where the replay listens."`
	Player      string   `placeholder:"DIR" help:"Serve ReplayWeb.page from this folder too (see refrain player fetch), for the WACZ files that are named."`
	PlayerAddr  string   `default:"127.0.0.1:7781" placeholder:"HOST:PORT" help:"Where the player listens; archived scripts run in it, so it never shares the replay's address."`
	AllowOrigin string   `placeholder:"ORIGIN" help:"Let pages of this origin read the WACZ files (CORS), \"*\" for all."`
	Files       []string `arg:"" optional:"" name:"file" help:"WACZ files, or folders with WACZ files, for the player."`
}

func (serveCmd) Help() string {
	return `Shows what was captured, as it was, without its scripts, until Ctrl-C. Beside it: the CDX server (/cdx) and
Memento (TimeGate and TimeMap). docs/replay.md tells about addresses, safety and the player.

Examples:
  refrain serve
  refrain player fetch && refrain serve --player player case.wacz
` + exitCodes
}

// refreshEvery is how often serve looks for what was captured since.
const refreshEvery = 20 * time.Second

func (c serveCmd) Run(ctx context.Context, a *app) (err error) {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	lists, err := sensitive.Open(cfg.Blocklists...)
	if err != nil {
		return usage("serve: %w", err)
	}
	var player *replay.Player
	switch {
	case c.Player != "":
		files, err := waczFiles(c.Files)
		if err != nil {
			return err
		}
		if player, err = replay.NewPlayer(replay.PlayerOptions{Dir: c.Player, WACZ: files, LocalOnly: isLocal(c.PlayerAddr), AllowOrigin: c.AllowOrigin}); err != nil {
			return err
		}
	case len(c.Files) > 0:
		return usage("serve: files are for the player: name its folder with --player DIR. The replay shows what is in the archive, and what is linked to it")
	}
	arch, err := a.openArchive(ctx, cfg, true)
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no archive at %s yet: `refrain collect` makes one, --archive names another", cfg.Archive)
	}
	if err != nil {
		return err
	}
	x, err := a.openIndex(ctx, cfg, arch, false)
	if err != nil {
		return err
	}
	defer closing(&err, x)
	store, err := a.freshCorpusOf(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	o := replay.Options{
		Source: indexSource{x}, CDX: x.CDXServer(), Outcome: outcomes(store), Held: (&holds{store: store}).act, LocalOnly: isLocal(c.Addr), Title: "refrain: " + cfg.Archive, Log: a.log(),
	}
	if lists.Len() > 0 {
		o.Blocklist = lists
	}
	handler, err := replay.New(o)
	if err != nil {
		return err
	}
	var servers servers
	if err := servers.add(ctx, a, "the archive", c.Addr, handler); err != nil {
		return err
	}
	if player != nil {
		if err := servers.add(ctx, a, "ReplayWeb.page", c.PlayerAddr, player); err != nil {
			return errors.Join(err, servers.close())
		}
	}
	var refreshing sync.WaitGroup
	refreshing.Go(func() { a.refresh(ctx, x) })
	err = servers.wait(ctx)
	refreshing.Wait()
	return err
}

// refresh takes in what is captured while the server runs.
func (a *app) refresh(ctx context.Context, x *index.Index) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := x.Update(ctx); err != nil && ctx.Err() == nil {
			a.log().Warn("what was captured since the start is not shown", "err", err)
		}
	}
}

// waczFiles gives the WACZ files that are named, and those in folders that are.
func waczFiles(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		found, err := filepath.Glob(filepath.Join(name, "*.wacz"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, usage("serve: there is no .wacz file in %s", name)
		}
		files = append(files, found...)
	}
	return files, nil
}

// isLocal reports whether an address can be reached from this machine only.
func isLocal(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// servers are HTTP servers that run together and end together.
type servers struct {
	list   []*http.Server
	failed chan error
	done   sync.WaitGroup
}

// add begins to serve h.
func (s *servers) add(ctx context.Context, a *app, what, addr string, h http.Handler) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("serve %s: %w (another address is given with --addr or --player-addr)", what, err)
	}
	if !isLocal(addr) {
		a.log().Warn("everyone who can reach this address can read all of the archive: there is no login, and no encryption", "address", l.Addr())
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: log.New(errorLog{a}, "", 0)}
	if s.failed == nil {
		s.failed = make(chan error, 4)
	}
	s.list = append(s.list, server)
	s.done.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve %s: %w", what, err)
		}
	})
	return a.printf("%s is at http://%s/ until Ctrl-C", what, l.Addr())
}

// errorLog takes what net/http says.
type errorLog struct{ a *app }

func (e errorLog) Write(p []byte) (int, error) {
	e.a.log().Debug(strings.TrimSpace(string(p)))
	return len(p), nil
}

// wait waits for ctx, lets what is under way come to its end, and stops.
func (s *servers) wait(ctx context.Context) error {
	var err error
	select {
	case <-ctx.Done():
	case err = <-s.failed:
	}
	return errors.Join(err, s.close())
}

func (s *servers) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	for _, server := range s.list {
		if server.Shutdown(ctx) != nil {
			server.Close() //nolint:errcheck // it is broken off
		}
	}
	s.done.Wait()
	return nil
}

// outcomes tells the outcome of a capture from the corpus.
func outcomes(store *corpus.Store) func(ctx context.Context, recordID string) string {
	return func(ctx context.Context, recordID string) string {
		fetches, err := store.Fetches(ctx, recordID)
		if err != nil || len(fetches) == 0 {
			return ""
		}
		var f struct {
			Outcome string `json:"outcome"`
		}
		if json.Unmarshal(fetches[len(fetches)-1], &f) != nil {
			return ""
		}
		return f.Outcome
	}
}

// holds knows the records that acts have deleted but that lie where nothing can
// be removed. It reads the acts again every refreshEvery, as another process may
// delete while this one serves.
type holds struct {
	store *corpus.Store

	mu   sync.Mutex
	read time.Time
	held map[string]string
}

// act names the act that holds a record, or gives "".
func (h *holds) act(ctx context.Context, recordID string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); now.Sub(h.read) >= refreshEvery {
		held, err := heldRecords(ctx, h.store)
		if err != nil {
			return "", err
		}
		h.held, h.read = held, now
	}
	return h.held[recordID], nil
}

// An indexSource is the index as the replay reads it.
type indexSource struct{ x *index.Index }

func (s indexSource) Closest(ctx context.Context, url string, at time.Time) iter.Seq2[replay.Capture, error] {
	q := index.Query{URL: url, Sort: index.Closest, Closest: at}
	if at.IsZero() {
		q.Sort = index.Reverse
	}
	return s.find(ctx, q)
}

func (s indexSource) Captures(ctx context.Context, url string) iter.Seq2[replay.Capture, error] {
	return s.find(ctx, index.Query{URL: url})
}

func (s indexSource) List(ctx context.Context, prefix string) iter.Seq2[replay.Capture, error] {
	q := index.Query{URL: prefix, Match: index.Prefix}
	host, hasPath := strings.CutSuffix(prefix, "/*")
	switch {
	case prefix == "":
		q.Match = index.All
	case hasPath, !strings.Contains(strings.TrimPrefix(strings.TrimPrefix(prefix, "http://"), "https://"), "/"):
		// A host alone means it and those below it.
		q.URL, q.Match = host, index.Domain
	}
	return s.find(ctx, q)
}

func (s indexSource) find(ctx context.Context, q index.Query) iter.Seq2[replay.Capture, error] {
	return func(yield func(replay.Capture, error) bool) {
		for e, err := range s.x.Find(ctx, q) {
			if !yield(captureOf(e), err) || err != nil {
				return
			}
		}
	}
}

func captureOf(e index.Entry) replay.Capture {
	file := e.Source.Name
	switch {
	case e.Source.Member != "":
		file += ": " + e.Source.Member
	case e.Source.Kind == index.KindSegment && e.Source.Open:
		file += " (open segment)"
	}
	return replay.Capture{Line: e.Line, File: file, Ref: e}
}

func (s indexSource) Open(ctx context.Context, c replay.Capture) (*replay.Record, error) {
	r, err := s.x.Record(ctx, c.Ref.(index.Entry))
	if err != nil {
		return nil, err
	}
	return &replay.Record{Header: r.Header, Reader: r, Closer: r}, nil
}

func (s indexSource) Original(ctx context.Context, c replay.Capture, _ warc.Header) (replay.Capture, *replay.Record, error) {
	r, err := s.x.Resolve(ctx, c.Ref.(index.Entry))
	if errors.Is(err, index.ErrNoOriginal) {
		err = fmt.Errorf("%w (%w)", replay.ErrNoOriginal, err)
	}
	if err != nil {
		return replay.Capture{}, nil, err
	}
	return captureOf(r.Entry), &replay.Record{Header: r.Header, Reader: r, Closer: r}, nil
}
