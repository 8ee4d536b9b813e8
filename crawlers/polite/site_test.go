package polite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A site is a whole web behind a Transport: it answers by URL, keeps a log, and
// does to a fetch what the recorder does. It lives in the fake time of a
// synctest bubble. robots.txt is 404 unless it has an answer.
type site struct {
	mu      sync.Mutex
	answers map[string][]answer // by URL; the last one stays
	hits    []hit
	active  map[string]int // by host, bodies not closed yet
	crowd   map[string]int // most of them at once
}

type answer struct {
	status  int // 0 is 200
	header  string
	body    string
	took    time.Duration // before the answer
	err     error         // instead of it
	bodyErr error         // at the end of the body
	lost    error         // the recorder could not keep it
}

type hit struct {
	at         time.Time
	method     string
	url        string
	header     http.Header
	body       string
	unrecorded bool
	answered   time.Time // zero if it was not
}

func newSite() *site {
	return &site{answers: map[string][]answer{}, active: map[string]int{}, crowd: map[string]int{}}
}

func (s *site) on(url string, answers ...answer) *site {
	s.answers[url] = answers
	return s
}

func (s *site) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		req.Body.Close()
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	address := req.URL.String()
	if exact := fetchctx.URL(req.Context()); exact != "" {
		address = exact
	}
	host := req.URL.Host
	s.mu.Lock()
	s.hits = append(s.hits, hit{at: time.Now(), method: req.Method, url: address, header: req.Header.Clone(), body: body, unrecorded: fetchctx.IsUnrecorded(req.Context())})
	n := len(s.hits) - 1
	id := fmt.Sprintf("urn:uuid:%d", len(s.hits))
	a := answer{}
	if list := s.answers[address]; len(list) > 0 {
		a = list[0]
		if len(list) > 1 {
			s.answers[address] = list[1:]
		}
	} else if req.URL.Path == "/robots.txt" {
		a.status = 404
	}
	s.active[host]++
	s.crowd[host] = max(s.crowd[host], s.active[host])
	s.mu.Unlock()

	if err := sleep(req.Context(), a.took); err != nil {
		a.err = err
	}
	if a.err != nil {
		s.left(host)
		return nil, a.err
	}
	s.mu.Lock()
	s.hits[n].answered = time.Now()
	s.mu.Unlock()
	if a.status == 0 {
		a.status = 200
	}
	resp := &http.Response{StatusCode: a.status, Header: http.Header{}, Request: req}
	for line := range strings.SplitSeq(a.header, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			resp.Header.Set(name, value)
		}
	}
	resp.Body = &siteBody{Reader: strings.NewReader(a.body), end: a.bodyErr, close: func() {
		s.left(host)
		fetchctx.From(req.Context()).SetResult(fetchctx.Result{Capture: post.Capture{RecordID: id}, Err: a.lost})
	}}
	return resp, nil
}

func (s *site) left(host string) {
	s.mu.Lock()
	s.active[host]--
	s.mu.Unlock()
}

type siteBody struct {
	io.Reader
	end   error
	once  sync.Once
	close func()
}

func (b *siteBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		b.once.Do(b.close)
		if b.end != nil {
			err = b.end
		}
	}
	return n, err
}

func (b *siteBody) Close() error { b.once.Do(b.close); return nil }

// urls are the addresses asked for, in order.
func (s *site) urls() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, h := range s.hits {
		list = append(list, h.url)
	}
	return strings.Join(list, " ")
}

// times are when an address was asked for, since start.
func (s *site) times(url string, start time.Time) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []time.Duration
	for _, h := range s.hits {
		if h.url == url {
			list = append(list, h.at.Sub(start))
		}
	}
	return list
}

// options is the least that New takes, without jitter.
func options(s http.RoundTripper) Options {
	return Options{Next: s, Contact: "desk@newsroom.example", Rand: func() float64 { return 0 }}
}

func build(t *testing.T, o Options) *Transport {
	t.Helper()
	tr, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// A got is what came of one request.
type got struct {
	status int
	body   string
	err    error
	fields map[string]string
	fetch  *fetchctx.Fetch
	resp   *http.Response
}

func ask(tr http.RoundTripper, m Meta, url string) got {
	return askWith(context.Background(), tr, m, http.MethodGet, url, "")
}

func askWith(ctx context.Context, tr http.RoundTripper, m Meta, method, url, body string) got {
	ctx, fetch := fetchctx.New(WithRequest(ctx, m))
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return got{err: err}
	}
	g := got{fetch: fetch}
	g.resp, g.err = tr.RoundTrip(req)
	if g.err == nil {
		g.status = g.resp.StatusCode
		b, err := io.ReadAll(g.resp.Body)
		g.body, g.err = string(b), err
		g.resp.Body.Close()
	}
	g.fields = map[string]string{}
	for _, f := range fetch.Fields() {
		g.fields[f.Name] = f.Value
	}
	return g
}

func wantWait(t *testing.T, err error) *Wait {
	t.Helper()
	var w *Wait
	if !errors.As(err, &w) {
		t.Fatalf("error %v, want *Wait", err)
	}
	if w.Outcome() != post.RateLimited {
		t.Errorf("outcome %s", w.Outcome())
	}
	return w
}

func wantDenied(t *testing.T, err error) *Denied {
	t.Helper()
	var d *Denied
	if !errors.As(err, &d) {
		t.Fatalf("error %v, want *Denied", err)
	}
	if d.Outcome() != post.RobotsDenied {
		t.Errorf("outcome %s", d.Outcome())
	}
	return d
}
