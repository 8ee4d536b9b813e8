package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/archive/blob/s3"
	"github.com/refrain-archive/refrain/archive/capture"
	"github.com/refrain-archive/refrain/archive/index"
	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/frontier"
	"github.com/refrain-archive/refrain/crawlers/polite"
	"github.com/refrain-archive/refrain/post"
)

// openStore opens the folder or bucket that an archive lies in.
func openStore(ctx context.Context, c config.Config) (blob.Store, error) {
	path, isS3 := strings.CutPrefix(c.Archive, "s3://")
	if !isS3 {
		return dir.New(c.Archive)
	}
	bucket, prefix, _ := strings.Cut(path, "/")
	if bucket == "" {
		return nil, usage("archive %s: no bucket is named: write s3://BUCKET/PREFIX", c.Archive)
	}
	store, err := s3.New(ctx, s3.Options{
		Bucket: bucket, Prefix: strings.Trim(prefix, "/"), Endpoint: c.S3.Endpoint, Region: c.S3.Region, PathStyle: c.S3.PathStyle,
		AccessKey: c.S3.AccessKey, SecretKey: c.S3.SecretKey, Retain: time.Duration(c.S3.LockDays) * 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	if err := store.Check(ctx); err != nil {
		return nil, err
	}
	return store, nil
}

// openArchive opens the archive of the configuration; a folder is made where
// there is none, unless readOnly.
func (a *app) openArchive(ctx context.Context, c config.Config, readOnly bool, info ...archive.Field) (*archive.Archive, error) {
	store, err := openStore(ctx, c)
	if err != nil {
		return nil, err
	}
	opts := archive.Options{
		ReadOnly: readOnly, MaxSize: int64(c.Segment.MaxSize), MaxAge: time.Duration(c.Segment.MaxAge), Info: info,
		MinRevisit: int64(c.Crawl.DedupMin),
		Report:     func(err error) { a.log().Warn(err.Error()) },
	}
	if c.Crawl.Dedup == config.DedupOff {
		opts.MinRevisit = -1
	}
	if strings.HasPrefix(c.Archive, "s3://") {
		opts.WorkDir = filepath.Join(c.State, "work")
		if err := os.MkdirAll(opts.WorkDir, 0o755); err != nil {
			return nil, fmt.Errorf("make the folder in which segments are written: %w", err)
		}
	}
	arch, err := archive.Open(ctx, store, opts)
	if err != nil {
		return nil, err
	}
	for _, r := range arch.Recovered() {
		a.say("refrain: %s", r)
	}
	return arch, nil
}

// A session is an archive that is open for collecting, and the transport that
// records into it.
type session struct {
	app     *app
	config  config.Config
	archive *archive.Archive
	index   *index.Index // of what earlier runs stored; nil: not asked
	capture *capture.Transport
	polite  *polite.Transport

	byPlatform map[string]crawlers.Collector
}

// sessionOptions are the wishes of one run.
type sessionOptions struct {
	robotsReason string // robots.txt is overridden, for this reason; empty: obeyed
	demo         bool   // every host leads to this machine
	description  string
}

func (a *app) openSession(ctx context.Context, c config.Config, o sessionOptions) (_ *session, err error) {
	limitMemory()
	if clock := checkClock(time.Now()); clock.State == "wrong" {
		return nil, fmt.Errorf("the clock of this machine: %s: %s", clock.Detail, clock.Do)
	}
	s := &session{app: a, config: c, byPlatform: map[string]crawlers.Collector{}}
	guard, origin := origins(c.Origins)
	captureOptions := capture.Options{
		SpoolDir: filepath.Join(c.State, "spool"), Guard: guard, Origin: origin,
		MaxWire: orDefault(int64(c.Crawl.MaxAsset), crawlers.DefaultMaxAsset), MaxDecoded: orDefault(int64(c.Crawl.MaxAsset), crawlers.DefaultMaxAsset),
		HeaderTimeout: time.Duration(c.Crawl.Timeout), MaxIdlePerHost: max(4, c.Crawl.PerHost),
	}
	if c.Crawl.Proxy != "" {
		if captureOptions.Proxy, err = url.Parse(c.Crawl.Proxy); err != nil {
			return nil, usage("crawl.proxy: it is no URL")
		}
	}
	if c.Crawl.SourceAddr != "" {
		if captureOptions.LocalAddr = net.ParseIP(c.Crawl.SourceAddr); captureOptions.LocalAddr == nil {
			return nil, usage("crawl.source_addr: %q is not an IP address", c.Crawl.SourceAddr)
		}
	}
	politeOptions := polite.Options{
		Contact: c.Contact, Version: version, Language: c.Crawl.Language, Loopback: o.demo, MaxWait: time.Duration(c.Crawl.MaxWait), PerHost: c.Crawl.PerHost,
		Every: map[string]time.Duration{}, Keys: map[string]polite.Credential{},
	}
	for host, every := range c.Crawl.Pace {
		politeOptions.Every[host] = time.Duration(every)
	}
	for name, key := range c.Keys {
		politeOptions.Keys[name] = polite.Credential{ID: key.ID, Secret: key.Secret}
	}
	if o.robotsReason != "" {
		politeOptions.RobotsOverride = &polite.Override{Reason: o.robotsReason}
	}
	for _, collector := range a.collectors() {
		about := collector.About()
		politeOptions.Platforms = append(politeOptions.Platforms, about)
		s.byPlatform[about.Platform] = collector
	}
	// The transport is checked before anything is made on disk.
	probe := politeOptions
	probe.Next = noTransport{}
	agent, err := polite.New(probe)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if err := os.MkdirAll(captureOptions.SpoolDir, 0o755); err != nil {
		return nil, fmt.Errorf("make the state folder (set `state` in refrain.yaml to a folder that can be written): %w", err)
	}
	robots := "obey (RFC 9309)"
	if o.robotsReason != "" {
		robots = "override: " + o.robotsReason
	}
	info := []archive.Field{{Name: "software", Value: "refrain/" + version}, {Name: "http-header-user-agent", Value: agent.UserAgent()}, {Name: "robots", Value: robots}}
	if c.Contact != "" {
		info = append(info, archive.Field{Name: "operator", Value: c.Contact})
	}
	if o.description != "" {
		info = append(info, archive.Field{Name: "description", Value: o.description})
	}
	for host, to := range c.Origins {
		info = append(info, archive.Field{Name: "origin", Value: host + " -> " + to})
	}
	if s.archive, err = a.openArchive(ctx, c, false, info...); err != nil {
		return nil, err
	}
	if err := s.deduplicate(ctx); err != nil {
		return nil, errors.Join(err, s.archive.Close(ctx))
	}
	captureOptions.Recorder = s.archive
	s.capture = capture.New(captureOptions)
	politeOptions.Next = s.capture
	if s.polite, err = polite.New(politeOptions); err != nil {
		return nil, errors.Join(err, s.closeIndex(), s.archive.Close(ctx))
	}
	return s, nil
}

// closeTime is how long the end of a run may take to store what is left after
// it was stopped; what is not stored then is stored at the next start.
const closeTime = 2 * time.Minute

// close ends the session: the open segment is finished and stored.
func (s *session) close(ctx context.Context) error {
	s.capture.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	err := s.archive.Close(ctx)
	if ierr := s.closeIndex(); ierr != nil {
		s.app.log().Warn(ierr.Error())
	}
	switch {
	case err == nil:
	case !strings.HasPrefix(s.config.Archive, "s3://"):
		err = fmt.Errorf("%w\nwhat was reported saved is safe, and found by search and show; the next `refrain collect` into this archive finishes the segment", err)
	default:
		err = fmt.Errorf("%w\nnothing is lost: what is not stored yet lies in %s, is found by search and show on this machine, and is stored by the next `refrain collect` into this archive",
			err, filepath.Join(s.config.State, "work"))
	}
	return err
}

// driver makes the driver of a run over the frontier in the state folder.
func (s *session) driver(o crawlers.Options) (*crawlers.Driver, error) {
	o.Collectors = s.app.collectors()
	o.Transport = s.polite
	o.Frontier = frontier.Dir(filepath.Join(s.config.State, "frontier"))
	o.Mark = func(ctx context.Context, w crawlers.Wire) context.Context {
		return polite.WithRequest(ctx, polite.Meta{Platform: w.Platform, Route: w.Route, Key: w.Key, Robots: w.Robots})
	}
	o.ErrorFacts = errorFacts
	o.HasKey = func(name string) bool { return s.config.Keys[name].Secret != "" }
	o.Save, o.SaveAsset = s.save, s.saveAsset
	o.Workers, o.PerHost = s.config.Crawl.Workers, s.config.Crawl.PerHost
	o.MaxBody, o.MaxAsset = int64(s.config.Crawl.MaxBody), int64(s.config.Crawl.MaxAsset)
	return crawlers.NewDriver(o)
}

// errorFacts tells the driver what the errors of the layers below it mean.
func errorFacts(err error) (outcome post.Outcome, until time.Time, ok bool) {
	var wait *polite.Wait
	if errors.As(err, &wait) {
		return wait.Outcome(), wait.Until, true
	}
	var denied *polite.Denied
	if errors.As(err, &denied) {
		if denied.Unreachable != "" {
			return denied.Outcome(), denied.RetryAt, true
		}
		return denied.Outcome(), time.Time{}, true
	}
	var told interface{ Outcome() post.Outcome }
	if errors.As(err, &told) {
		return told.Outcome(), time.Time{}, true
	}
	outcome, ok = capture.OutcomeOf(err)
	return outcome, time.Time{}, ok
}

// save keeps what came of one fetch, and returns when it is durable.
func (s *session) save(ctx context.Context, f crawlers.Fetched) error {
	c := s.byPlatform[f.Step.Ref.Platform]
	line := crawlers.LineOf(c, f.Step, f.Exchange, f.Page)
	if line.FetchedAt.IsZero() {
		line.FetchedAt = time.Now().UTC()
	}
	if f.Exchange.URL == "" {
		line.URL = f.Request.URL
	}
	line.Target, line.Seed = f.Target.Key(), f.Seed
	if _, err := s.archive.WritePage(ctx, line, line.FetchedAt, f.Exchange.Capture, f.Page.Posts); err != nil {
		return err
	}
	if err := s.rest(ctx, f); err != nil {
		return err
	}
	return s.archive.Sync(ctx)
}

// rests are how long a host is left alone that refused us as a visitor, not the
// page: asking on would be rude, and of no use.
var rests = map[post.Outcome]time.Duration{post.Blocked: time.Hour, post.BotCheck: time.Hour, post.Challenge: 30 * time.Minute}

func (s *session) rest(ctx context.Context, f crawlers.Fetched) error {
	span, ok := rests[f.Page.Outcome]
	if !ok || f.Exchange.Status == 0 {
		return nil
	}
	u, err := url.Parse(f.Exchange.URL)
	if err != nil {
		return nil // it was fetched, so it is one
	}
	return s.polite.Rest(ctx, u, time.Now().Add(span), string(f.Page.Outcome)+": "+f.Page.Reason)
}

// noteAsset is the type of an assetLine.
const noteAsset = "asset"

// An assetLine is what is kept of an asset beside its bytes.
type assetLine struct {
	Type    string       `json:"type"` // "asset"
	URL     string       `json:"url"`
	Post    string       `json:"post,omitempty"` // PLATFORM:ID
	Outcome post.Outcome `json:"outcome"`
	Reason  string       `json:"reason,omitempty"`
	Facts   any          `json:"facts,omitempty"`
	Fetched time.Time    `json:"fetched_at"`
	Capture post.Capture `json:"capture,omitzero"`
}

func (s *session) saveAsset(ctx context.Context, f crawlers.FetchedAsset) error {
	line := assetLine{Type: noteAsset, URL: f.Asset.URL, Post: f.Asset.Post, Outcome: f.Outcome, Reason: f.Reason, Facts: f.Facts, Fetched: time.Now().UTC(), Capture: f.Exchange.Capture}
	if f.Outcome == post.OK && f.Facts.SHA256 != "" {
		if _, err := s.archive.WriteAssetFacts(ctx, f.Facts.SHA256, line, f.Exchange.Capture); err != nil {
			return err
		}
	}
	// The line stands among the pages too, from which the corpus is made.
	if _, err := s.archive.WritePage(ctx, line, line.Fetched, f.Exchange.Capture, nil); err != nil {
		return err
	}
	return s.archive.Sync(ctx)
}

// noTransport stands in for the recorder while options are checked.
type noTransport struct{}

// origins turns the setting of that name into what the dialer asks: where a
// host is sent, and which addresses it may reach otherwise.
func origins(list map[string]string) (guard func(network, address string) error, origin func(host string) (addr string, plain, ok bool)) {
	type target struct {
		addr  string
		plain bool
	}
	exact, below := map[string]target{}, map[string]target{}
	for host, to := range list {
		u, err := url.Parse(to)
		if err != nil {
			continue // config.Load refused it
		}
		t := target{u.Host, u.Scheme == "http"}
		if u.Port() == "" {
			t.addr = net.JoinHostPort(u.Hostname(), map[bool]string{true: "80", false: "443"}[t.plain])
		}
		if domain, ok := strings.CutPrefix(strings.ToLower(host), "*."); ok {
			below[domain] = t
		} else {
			exact[strings.ToLower(host)] = t
		}
	}
	origin = func(host string) (string, bool, bool) {
		host = strings.ToLower(host)
		t, ok := exact[host]
		for domain := host; !ok; {
			_, rest, more := strings.Cut(domain, ".")
			if !more {
				break
			}
			domain = rest
			t, ok = below[domain]
		}
		if !ok {
			t, ok = exact["*"]
		}
		return t.addr, t.plain, ok
	}
	return polite.Guard(nil), origin
}

func orDefault(n, standard int64) int64 {
	if n == 0 {
		return standard
	}
	return n
}

func (noTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no recorder")
}
