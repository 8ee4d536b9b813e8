package crawlertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// hostileBytes bounds how much text one case is read as, all variants together,
// so that large recordings get fewer variants and a test stays within seconds.
const hostileBytes = 12 << 20

// readLimit is how long one Read of a hostile body may take before the test
// calls it a hang. It is far above any honest read.
const readLimit = 20 * time.Second

// checkHostile reads mutations of ex. Each must end in an outcome or an error,
// in bounded time, without a panic, and with whole posts.
func checkHostile(t *testing.T, c crawlers.Collector, about crawlers.About, s crawlers.Step, ex crawlers.Exchange) {
	n := len(ex.Body)
	times := 48
	if n > 0 {
		times = min(max(hostileBytes/n/4, 4), 48)
	}
	try := func(what string, mutate func(*crawlers.Exchange)) (page crawlers.Page, ok bool) {
		m := ex
		m.Header = ex.Header.Clone()
		mutate(&m)
		return read(t, c, about, s, m, what)
	}
	body := func(b []byte) func(*crawlers.Exchange) {
		return func(m *crawlers.Exchange) { m.Body = b }
	}

	if page, ok := try("an empty body", func(m *crawlers.Exchange) { m.Body, m.Status = nil, 200 }); ok && page.Outcome.Scope() == post.ScopeServed {
		t.Errorf("an empty body with status 200 is told to be %s", page.Outcome)
	}
	for i := range times {
		at := n * i / times
		try(fmt.Sprintf("cut at byte %d of %d", at, n), func(m *crawlers.Exchange) { m.Body, m.Truncated = ex.Body[:at:at], true })
	}
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for range times {
		if n == 0 {
			break
		}
		b := bytes.Clone(ex.Body)
		var at []int
		for range 1 + r.IntN(4) {
			i := r.IntN(n)
			b[i] ^= byte(1 << r.IntN(8))
			at = append(at, i)
		}
		try(fmt.Sprintf("bits turned at bytes %v", at), body(b))
	}
	deep := 100_000
	for what, b := range map[string]string{
		"JSON null":              "null",
		"JSON true":              "true",
		"an empty object":        "{}",
		"an empty array":         "[]",
		"a JSON string":          `"text"`,
		"HTML":                   "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Hello</p></body></html>",
		"plain text":             "Internal error\n",
		"zeros":                  strings.Repeat("\x00", 4096),
		"invalid UTF-8":          "\xff\xfe\xfd{\"a\":\"\xc3\x28\"}",
		"deep arrays":            strings.Repeat("[", deep) + strings.Repeat("]", deep),
		"deep objects":           strings.Repeat(`{"data":`, deep) + "1" + strings.Repeat("}", deep),
		"deep elements":          "<html><body>" + strings.Repeat("<div>", deep/10) + "x",
		"deep XML":               `<?xml version="1.0"?><feed>` + strings.Repeat("<entry>", deep/10),
		"an XML entity bomb":     `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><rss><channel><item><title>&c;</title></item></channel></rss>`,
		"an open string":         `{"data":"` + strings.Repeat("a", 1<<16),
		"one long line":          strings.Repeat("<a href=x>", 20_000),
		"a prefix and no answer": `])}while(1);</x>`,
	} {
		try(what, body([]byte(b)))
	}
	for _, number := range []string{"99999999999999999999999999", "-1", "1e400", "0"} {
		try("all numbers turned into "+number, body(digits(number, ex.Body)))
	}
	for what, b := range nodes(ex.Body, times*2) {
		try(what, body(b))
	}
	for _, status := range []int{0, 100, 204, 301, 304, 400, 401, 403, 404, 410, 429, 451, 500, 503, 999} {
		page, ok := try(fmt.Sprintf("an empty body with status %d", status), func(m *crawlers.Exchange) {
			m.Status, m.Body, m.Header = status, nil, http.Header{}
		})
		if ok && status >= 300 && page.Outcome == post.OK {
			t.Errorf("an empty answer with status %d is told to be ok", status)
		}
		if ok && (status == 429 || status >= 500 && status < 600) && page.Outcome.Scope() == post.ScopeTarget {
			t.Errorf("an empty answer with status %d is told to be %s, as if it spoke about the target", status, page.Outcome)
		}
	}
	if page, ok := try("a Cloudflare challenge", challenge); ok && page.Outcome != post.Challenge {
		t.Errorf("a Cloudflare challenge is told to be %s", page.Outcome)
	}
	if page, ok := try("a redirect to a login form", func(m *crawlers.Exchange) {
		m.Status, m.Body, m.Header = 302, nil, http.Header{"Location": {"/login?next=%2F"}}
	}); ok && page.Outcome.Scope() == post.ScopeServed && len(page.Next) == 0 {
		t.Errorf("a redirect to a login form is told to be %s", page.Outcome)
	}
	try("no header", func(m *crawlers.Exchange) { m.Header = nil })
	try("no URL", func(m *crawlers.Exchange) { m.URL = "" })
	try("an odd URL", func(m *crawlers.Exchange) { m.URL = "http://[::1]:namedport/%zz" })
	try("another type", func(m *crawlers.Exchange) { m.Header = http.Header{"Content-Type": {"image/png; charset=\xff"}} })
	bad := s
	bad.State = []byte("\x00\xff{")
	read(t, c, about, bad, ex, "a State that the collector did not write")
}

func challenge(m *crawlers.Exchange) {
	m.Status, m.Body = 403, []byte(ChallengePage)
	m.Header = http.Header{"Content-Type": {"text/html; charset=UTF-8"}, "Cf-Mitigated": {"challenge"}}
}

// read runs Read and Identify on what may be anything.
func read(t *testing.T, c crawlers.Collector, about crawlers.About, s crawlers.Step, ex crawlers.Exchange, what string) (page crawlers.Page, ok bool) {
	t.Helper()
	start := time.Now()
	guard(t, what+": Identify", func() { c.Identify(ex) })
	guard(t, what+": Read", func() {
		// First as it is, as crawlers.Read would hide a panic.
		if _, err := c.Read(s, ex); err != nil {
			return
		}
		var err error
		page, err = crawlers.Read(c, s, ex)
		ok = err == nil
	})
	if took := time.Since(start); took > readLimit {
		t.Errorf("%s: took %v", what, took)
	}
	if ok {
		failed := t.Failed()
		checkPage(t, about, page)
		if !failed && t.Failed() {
			t.Logf("that was on %s", what)
		}
	}
	return page, ok
}

// digits turns every number of at least one digit within JSON or attributes
// into number.
func digits(number string, body []byte) []byte {
	return regexp.MustCompile(`[0-9]+(\.[0-9]+)?`).ReplaceAll(body, []byte(number))
}

// nodes gives up to n variants of a JSON body in which one value, anywhere, has
// another type. A body that is not JSON has none.
func nodes(body []byte, n int) map[string][]byte {
	variants := map[string][]byte{}
	root, err := decode(body)
	if err != nil {
		return variants
	}
	total := count(root)
	others := []any{nil, json.Number("7"), "text", []any{}, map[string]any{}, true, []any{nil}, map[string]any{"": nil}}
	for i := range min(n, total) {
		at := total * i / min(n, total)
		other := others[i%len(others)]
		root, err := decode(body) // anew: replace changes it
		if err != nil {
			return variants
		}
		path := ""
		k := at
		root = replace(root, &k, other, "", &path)
		if b, err := json.Marshal(root); err == nil {
			variants[fmt.Sprintf("%s turned into %v", path, other)] = b
		}
	}
	return variants
}

func decode(body []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func count(v any) int {
	n := 1
	switch x := v.(type) {
	case map[string]any:
		for _, e := range x {
			n += count(e)
		}
	case []any:
		for _, e := range x {
			n += count(e)
		}
	}
	return n
}

// replace puts other in the place of node k, counted in the order of sorted
// keys, parents first.
func replace(v any, k *int, other any, at string, path *string) any {
	if *k == 0 {
		*k--
		*path = "value " + at
		return other
	}
	*k--
	switch x := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(x) {
			if *k < 0 {
				break
			}
			x[key] = replace(x[key], k, other, at+"."+key, path)
		}
	case []any:
		for i := range x {
			if *k < 0 {
				break
			}
			x[i] = replace(x[i], k, other, fmt.Sprintf("%s[%d]", at, i), path)
		}
	}
	return v
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
