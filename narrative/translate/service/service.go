// Package service asks a translation or embedding service that the user runs: an
// address or a command of their own choice. Nothing is asked unless one is
// configured, and nothing but the configured address is ever reached: redirects
// are refused, and no proxy is used.
//
// # Over HTTP
//
// A translation is asked for by POST with JSON, up to MaxBatch texts at a time:
//
//	{"texts": ["…", "…"], "from": "zh", "to": "en"}  →  {"translations": ["…", "…"]}
//
// with as many translations as texts, in their order. With Format LibreTranslate
// the words are that program's:
//
//	{"q": ["…"], "source": "zh", "target": "en", "format": "text"}  →  {"translatedText": ["…"]}
//
// Embeddings: {"texts": ["…"]} → {"embeddings": [[0.1, …], …]}, all of one length.
//
// # By a command
//
// The command is started for each batch. It reads one JSON object a line,
// {"text": "…", "from": "zh", "to": "en"}, and writes one for each, in their order:
// {"translation": "…"} or {"embedding": [0.1, …]}. It must end when its input ends.
package service

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"time"
)

// Formats of a service over HTTP.
const (
	Plain          = ""
	LibreTranslate = "libretranslate"
)

// Options say which service is asked. Exactly one of URL and Command must be set.
type Options struct {
	URL     string        // http://127.0.0.1:5000/translate
	Format  string        // Plain or LibreTranslate
	Command []string      // program and arguments
	Timeout time.Duration // for one batch; 0 is 60 s
}

// Limits of one question.
const (
	MaxBatch    = 64
	MaxText     = 64 << 10 // bytes of one text; what is longer is cut between characters
	maxAnswer   = 32 << 20
	maxVector   = 1 << 14
	defaultWait = time.Minute
)

// ErrAnswer is the error for an answer that cannot be used.
var ErrAnswer = errors.New("the service gave an answer that cannot be used")

// A Client asks the service. It is safe for concurrent use.
type Client struct {
	o    Options
	http *http.Client
}

// New checks the options.
func New(o Options) (*Client, error) {
	switch {
	case (o.URL == "") == (len(o.Command) == 0):
		return nil, errors.New("translation service: set url or command, and not both")
	case o.Format != Plain && o.Format != LibreTranslate:
		return nil, fmt.Errorf("translation service: the format %q is not known: leave it empty, or write libretranslate", o.Format)
	case o.URL != "":
		u, err := url.Parse(o.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, errors.New("translation service: url: write http://HOST:PORT/PATH or https://HOST:PORT/PATH")
		}
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultWait
	}
	return &Client{o: o, http: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Translate gives the translations of texts from one language into another, as
// ISO 639-1 codes. An empty from leaves it to the service to tell.
func (c *Client) Translate(ctx context.Context, texts []string, from, to string) ([]string, error) {
	var all []string
	for len(texts) > 0 {
		n := min(len(texts), MaxBatch)
		some, err := c.translate(ctx, cut(texts[:n]), from, to)
		if err == nil && len(some) != n {
			err = fmt.Errorf("%w: %d translations of %d texts", ErrAnswer, len(some), n)
		}
		if err != nil {
			return nil, fmt.Errorf("asking for translations: %w", err)
		}
		all = append(all, some...)
		texts = texts[n:]
	}
	return all, nil
}

func (c *Client) translate(ctx context.Context, texts []string, from, to string) ([]string, error) {
	if len(c.o.Command) > 0 {
		return run(ctx, c, texts, from, to, func(l line) (string, bool) {
			if l.Translation == nil {
				return "", false
			}
			return *l.Translation, true
		})
	}
	if c.o.Format == LibreTranslate {
		if from == "" {
			from = "auto"
		}
		var answer struct {
			Texts []string `json:"translatedText"`
		}
		err := c.post(ctx, map[string]any{"q": texts, "source": from, "target": to, "format": "text"}, &answer)
		return answer.Texts, err
	}
	var answer struct {
		Texts []string `json:"translations"`
	}
	err := c.post(ctx, map[string]any{"texts": texts, "from": from, "to": to}, &answer)
	return answer.Texts, err
}

// Embed gives a vector for each text, all of one length.
func (c *Client) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	var all [][]float32
	for len(texts) > 0 {
		n := min(len(texts), MaxBatch)
		some, err := c.embed(ctx, cut(texts[:n]))
		if err == nil && len(some) != n {
			err = fmt.Errorf("%w: %d vectors of %d texts", ErrAnswer, len(some), n)
		}
		for _, v := range some {
			if err == nil {
				err = checkVector(v, append(all, some[0])[0])
			}
		}
		if err != nil {
			return nil, fmt.Errorf("asking for embeddings: %w", err)
		}
		all = append(all, some...)
		texts = texts[n:]
	}
	return all, nil
}

func (c *Client) embed(ctx context.Context, texts []string) ([][]float32, error) {
	if len(c.o.Command) > 0 {
		return run(ctx, c, texts, "", "", func(l line) ([]float32, bool) { return l.Embedding, len(l.Embedding) > 0 })
	}
	var answer struct {
		Vectors [][]float32 `json:"embeddings"`
	}
	err := c.post(ctx, map[string]any{"texts": texts}, &answer)
	return answer.Vectors, err
}

func checkVector(v, first []float32) error {
	if len(v) == 0 || len(v) > maxVector || len(v) != len(first) {
		return fmt.Errorf("%w: vectors of %d and %d numbers", ErrAnswer, len(first), len(v))
	}
	for _, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("%w: a vector with a number that is none", ErrAnswer)
		}
	}
	return nil
}

// Cosine is the likeness of two vectors, from -1 to 1; 0 where one has no length.
func Cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range min(len(a), len(b)) {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// cut shortens texts of more than MaxText bytes.
func cut(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		if len(t) > MaxText {
			t = strings.ToValidUTF8(t[:MaxText], "")
		}
		out[i] = t
	}
	return out
}

func (c *Client) post(ctx context.Context, question, answer any) error {
	ctx, stop := context.WithTimeout(ctx, c.o.Timeout)
	defer stop()
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading its answer: %w", err)
	case len(data) > maxAnswer:
		return fmt.Errorf("%w: more than %d MiB", ErrAnswer, maxAnswer>>20)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: status %d: %.200q", ErrAnswer, resp.StatusCode, data)
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("%w: %v", ErrAnswer, err)
	}
	return nil
}

// A line is what a command writes for one text.
type line struct {
	Translation *string   `json:"translation"`
	Embedding   []float32 `json:"embedding"`
}

func run[T any](ctx context.Context, c *Client, texts []string, from, to string, take func(line) (T, bool)) ([]T, error) {
	ctx, stop := context.WithTimeout(ctx, c.o.Timeout)
	defer stop()
	var in bytes.Buffer
	e := json.NewEncoder(&in)
	for _, t := range texts {
		if err := e.Encode(map[string]string{"text": t, "from": from, "to": to}); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, c.o.Command[0], c.o.Command[1:]...)
	cmd.WaitDelay = time.Second
	cmd.Stdin = &in
	out, said := &limited{most: maxAnswer}, &limited{most: 4 << 10}
	cmd.Stdout, cmd.Stderr = out, said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s: %w", c.o.Command[0], ctx.Err())
		}
		return nil, fmt.Errorf("%s: %w: %s", c.o.Command[0], err, strings.TrimSpace(said.String()))
	}
	if out.over {
		return nil, fmt.Errorf("%w: more than %d MiB", ErrAnswer, maxAnswer>>20)
	}
	var list []T
	sc := bufio.NewScanner(&out.Buffer)
	sc.Buffer(nil, maxAnswer)
	for sc.Scan() {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		var l line
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%w: line %d: %v", ErrAnswer, len(list)+1, err)
		}
		v, ok := take(l)
		if !ok {
			return nil, fmt.Errorf("%w: line %d has not what was asked for", ErrAnswer, len(list)+1)
		}
		list = append(list, v)
	}
	return list, sc.Err()
}

// limited keeps the first bytes that are written to it, and drops the rest.
type limited struct {
	bytes.Buffer
	most int
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	if room := l.most - l.Len(); len(p) > room {
		l.over = true
		l.Buffer.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return l.Buffer.Write(p)
}
