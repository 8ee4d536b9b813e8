package polite

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/internal/fetchctx"
)

const (
	robotsLife  = 24 * time.Hour   // a robots.txt is kept no longer (RFC 9309 section 2.4)
	robotsRetry = 10 * time.Minute // one that could not be read is asked again after
	robotsHops  = 5                // redirects that are followed (RFC 9309 section 2.3.1.2)
	robotsDrain = 2 << 20          // bytes of the body that are read for the record
)

// robotsCache holds what the origins' robots.txt say.
type robotsCache struct {
	mu      sync.Mutex
	entries map[string]*robotsEntry // by origin
}

// A robotsEntry is one origin's robots.txt. Who holds lock may use file.
type robotsEntry struct {
	lock chan struct{}
	file robotsFile
	kept time.Time // when file ends; guarded by robotsCache.mu for pruning
}

// A robotsFile is what came of one fetch of a robots.txt.
type robotsFile struct {
	url         string // that was asked first
	rules       rules
	record      string    // id of the record of the answer
	unreachable string    // why it forbids everything: "status 503"
	err         error     // why no connection could be made
	until       time.Time // when it is asked again
}

// obey asks robots.txt about req and writes the verdict into fetch. Its error is
// *Denied, or why robots.txt could not be asked.
func (t *Transport) obey(ctx context.Context, req *http.Request, meta Meta, fetch *fetchctx.Fetch) error {
	u := req.URL
	if exact := fetchctx.URL(ctx); exact != "" {
		if parsed, err := url.Parse(exact); err == nil && parsed.Host != "" {
			u = parsed
		}
	}
	path := robotsPath(u)
	if path == "/robots.txt" {
		fetch.Set("robots", "allowed (robots.txt itself)")
		return nil
	}
	file, err := t.robotsFile(ctx, u, meta)
	if err != nil {
		return err
	}
	if file.err != nil && t.override == "" {
		fetch.Set("robots", "unreachable")
		return fmt.Errorf("polite: %s could not be asked, so nothing else of the site is: %w", file.url, file.err)
	}
	if file.record != "" {
		fetch.Set("robots-record", file.record)
	}
	if file.rules.delay > 0 {
		t.slower(t.pool(u), file.rules.delay, "Crawl-delay of "+file.url)
	}
	denied := &Denied{URL: cleanURL(u), Robots: file.url, Record: file.record, RetryAt: file.until}
	verdict := "allowed"
	if file.err != nil {
		denied.Unreachable = "no connection"
	}
	if file.unreachable != "" {
		denied.Unreachable = file.unreachable
	}
	if denied.Unreachable != "" {
		verdict = "unreachable"
		fetch.Set("robots-rule", "none: "+denied.Unreachable)
	} else if r := file.rules.find(path); r != nil {
		fetch.Set("robots-rule", fmt.Sprintf("%s (line %d, group %s)", r.text, r.line, r.group))
		if !r.allow {
			verdict = "denied"
			denied.Rule, denied.Line, denied.Group = r.text, r.line, r.group
		}
	}
	if t.override != "" {
		fetch.Set("robots", "override ("+verdict+"): "+t.override)
		return nil
	}
	fetch.Set("robots", verdict)
	if verdict == "allowed" {
		return nil
	}
	denied.URL = redactText(denied.URL, fetch)
	return denied
}

// redactText hides the secrets of a fetch in s.
func redactText(s string, fetch *fetchctx.Fetch) string {
	for _, secret := range fetch.Secrets() {
		s = strings.ReplaceAll(s, secret, "REDACTED")
	}
	return s
}

// robotsFile gives the robots.txt of u's origin, asking for it if need be. Its
// error is *Wait or that of ctx: nothing is known then.
func (t *Transport) robotsFile(ctx context.Context, u *url.URL, meta Meta) (robotsFile, error) {
	origin := originOf(u)
	now := t.now()
	c := &t.robots
	c.mu.Lock()
	e := c.entries[origin]
	if e == nil {
		if len(c.entries) >= maxHosts {
			c.prune(now)
		}
		e = &robotsEntry{lock: make(chan struct{}, 1), kept: now.Add(robotsLife)}
		c.entries[origin] = e
	}
	c.mu.Unlock()

	select {
	case e.lock <- struct{}{}:
	case <-ctx.Done():
		return robotsFile{}, ctx.Err()
	}
	defer func() { <-e.lock }()
	if t.now().Before(e.file.until) {
		return e.file, nil
	}
	file, err := t.askRobots(ctx, origin, meta)
	if err != nil {
		return robotsFile{}, err
	}
	e.file = file
	c.mu.Lock()
	e.kept = file.until
	c.mu.Unlock()
	return file, nil
}

// prune drops entries that are past, or else those that end first.
func (c *robotsCache) prune(now time.Time) {
	for _, horizon := range []time.Duration{0, robotsLife / 4, robotsLife / 2, 2 * robotsLife} {
		for origin, e := range c.entries {
			if e.kept.Before(now.Add(horizon)) && len(e.lock) == 0 {
				delete(c.entries, origin)
			}
		}
		if len(c.entries) < maxHosts*3/4 {
			return
		}
	}
}

// originOf is scheme, host and port of u, normalised.
func originOf(u *url.URL) string {
	host := hostname(u)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && port != defaultPort(u.Scheme) {
		host += ":" + port
	}
	return u.Scheme + "://" + host
}

// askRobots fetches the robots.txt of an origin.
func (t *Transport) askRobots(ctx context.Context, origin string, meta Meta) (robotsFile, error) {
	file := robotsFile{url: origin + "/robots.txt"}
	target := file.url
	for hop := 0; ; hop++ {
		status, location, body, record, err := t.getRobots(ctx, target, meta)
		file.record = record
		var wait *Wait
		switch {
		case errors.As(err, &wait) || ctx.Err() != nil:
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return robotsFile{}, err
		case err != nil:
			file.err, file.until = err, t.now().Add(robotsRetry)
			return file, nil
		case status >= 200 && status < 300:
			file.rules, file.until = parseRobots(body, Token), t.now().Add(robotsLife)
			return file, nil
		case status >= 500:
			file.unreachable = fmt.Sprintf("status %d", status)
			file.until = t.now().Add(robotsRetry)
			return file, nil
		case status >= 300 && status < 400 && hop < robotsHops && location != "":
			target = location
			continue
		}
		// 4xx, no end of redirects, and what is no answer to GET at all:
		// there is no robots.txt.
		file.until = t.now().Add(robotsLife)
		return file, nil
	}
}

// getRobots does one hop. location is where a redirect to http or https leads.
func (t *Transport) getRobots(ctx context.Context, target string, meta Meta) (status int, location string, body []byte, record string, err error) {
	ctx, fetch := fetchctx.New(fetchctx.WithURL(bare{ctx}, target))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return 0, "", nil, "", fmt.Errorf("polite: %s: %w", target, err)
	}
	t.dress(req.Header)
	req.Header.Set("Accept", "text/plain, */*;q=0.5")
	fetch.Set("robots", "allowed (robots.txt itself)")
	p := t.pool(req.URL)
	resp, err := t.exchange(req, Meta{Platform: meta.Platform}, p, fetch)
	if err != nil {
		return 0, "", nil, "", err
	}
	defer resp.Body.Close()
	body, err = readRobots(resp)
	if closeErr := resp.Body.Close(); err == nil && fetch.Result().Err != nil {
		err = errors.Join(fetch.Result().Err, closeErr)
	}
	if err != nil {
		return 0, "", nil, "", err
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return 0, "", nil, "", &Wait{Host: req.URL.Hostname(), Until: t.opening(p), Reason: "robots.txt: status 429"}
	}
	if to, err := req.URL.Parse(resp.Header.Get("Location")); err == nil && to.Host != "" && (to.Scheme == "http" || to.Scheme == "https") {
		to.Fragment, to.User = "", nil
		location = to.String()
	}
	if resp.Header.Get("Location") == "" {
		location = ""
	}
	return resp.StatusCode, location, body, fetch.Result().Capture.RecordID, nil
}

// readRobots reads the body to its end, for the record, and gives as much of it
// as is parsed. A gzip coding that Next left on is taken off.
func readRobots(resp *http.Response) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, robotsDrain))
	if err != nil || resp.StatusCode >= 300 {
		return nil, err
	}
	if !resp.Uncompressed && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") && bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, err
		}
		raw, err = io.ReadAll(io.LimitReader(z, maxRobots+1))
		if err != nil && len(raw) <= maxRobots {
			return nil, err
		}
	}
	return raw, nil
}
