package replay

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive/warc"
)

// ask makes one request without following redirects.
func ask(t testing.TB, h http.Handler, path string, fields ...string) *http.Response {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func packed(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.String()
}

func site(t testing.TB) *maker {
	m := newMaker(t)
	m.page(day(1), "http://site.example/", "text/html; charset=utf-8", `<title>First</title><link rel=stylesheet href=s.css><img src=here.png><img src=gone.png><a href=/next>next</a>`)
	m.page(day(1), "http://site.example/s.css", "text/css", `body{background:url(bg.png)}`)
	m.page(day(1), "http://site.example/here.png", "image/png", "\x89PNG\r\n\x1a\n-----")
	m.page(day(5), "http://site.example/", "text/html", `<title>Second</title>`)
	m.answer(day(9), "http://site.example/", "404 Not Found", `<title>Third</title>`, "Content-Type: text/html", "Set-Cookie: a=b")
	m.answer(day(2), "http://site.example/old", "301 Moved Permanently", "", "Location: /new?a=1&b=2")
	m.page(day(2), "http://site.example/new?a=1&b=2", "text/html", "new page")
	m.answer(day(2), "http://site.example/away", "302 Found", "", "Location: http://nowhere.example/")
	m.answer(day(2), "http://secure.example/", "301 Moved Permanently", "", "Location: https://secure.example/")
	m.page(day(2).Add(time.Second), "https://secure.example/", "text/html", "secure page")
	m.answer(day(2), "http://site.example/gz", "200 OK", packed("<p>unpacked</p>"), "Content-Type: text/html", "Content-Encoding: gzip")
	m.answer(day(2), "http://site.example/chunked", "200 OK", "5\r\n<p>ab\r\n6\r\ncd</p>\r\n0\r\n\r\n", "Content-Type: text/html", "Transfer-Encoding: chunked")
	m.page(day(2), "http://site.example/koi", "text/html", "<meta charset=koi8-r><a href='?q=\xc4\xc1'>\xc4\xc1</a>")
	m.page(day(2), "http://site.example/app.js", "text/javascript", "alert('<b>')")
	m.page(day(2), "http://site.example/doc.pdf", "application/pdf", "%PDF-1.4")
	m.page(day(2), "http://site.example/v.mp4", "video/mp4", "0123456789")
	m.answer(day(2), "http://site.example/v.webm", "200 OK", packed("0123456789"), "Content-Type: video/webm", "Content-Encoding: gzip")
	return m
}

func TestMemento(t *testing.T) {
	s := site(t).server(Options{})
	for _, test := range []struct {
		name, path, field string
		status            int
		location, holds   string
	}{
		{"a TimeGate gives the nearest", "/archive/http://site.example/", "Accept-Datetime: Sun, 04 Jan 2026 00:00:00 GMT", 302, "/archive/20260105120000mp_/http://site.example/", ""},
		{"and the latest when no time is said", "/archive/http://site.example/", "", 302, "/archive/20260109120000mp_/http://site.example/", ""},
		{"a URL without scheme", "/archive/site.example/", "", 302, "/archive/20260109120000mp_/http://site.example/", ""},
		{"a date that is none", "/archive/http://site.example/", "Accept-Datetime: yesterday", 400, "", "not a date"},
		{"another time is redirected to the capture's own", "/archive/20260103mp_/http://site.example/", "", 302, "/archive/20260101120000mp_/http://site.example/", ""},
		{"the capture", "/archive/20260101120000mp_/http://site.example/", "", 200, "", "<title>First</title>"},
		{"what was not found then is not found now", "/archive/20260109120000mp_/http://site.example/", "", 404, "", "<title>Third</title>"},
		{"opened by itself it gets its banner", "/archive/20260101120000mp_/http://site.example/", "Sec-Fetch-Dest: document", 302, "/archive/20260101120000/http://site.example/", ""},
		{"the banner", "/archive/20260101120000/http://site.example/", "", 200, "", "1 of 3 files missing"},
		{"names what is missing", "/archive/20260101120000/http://site.example/", "", 200, "", "http://site.example/gone.png"},
		{"and other captures", "/archive/20260101120000/http://site.example/", "", 200, "", `href="/archive/20260105120000/http://site.example/"`},
		{"a file is given in place", "/archive/20260109120000im_/http://site.example/here.png", "", 200, "", "PNG"},
		{"a redirect", "/archive/20260102120000mp_/http://site.example/old", "", 301, "/archive/20260102120000mp_/http://site.example/new?a=1&b=2", ""},
		{"a page that redirected is followed", "/archive/20260102120000/http://site.example/old", "", 302, "/archive/20260102120000/http://site.example/new?a=1&b=2", ""},
		{"as far as the archive goes", "/archive/20260102120000/http://site.example/away", "", 200, "", "no capture is in the archive"},
		{"a redirect to https does not go round", "/archive/20260102120000mp_/http://secure.example/", "", 302, "/archive/20260102120001mp_/http://secure.example/", ""},
		{"and arrives", "/archive/20260102120001mp_/http://secure.example/", "", 200, "", "secure page"},
		{"content coding is undone", "/archive/20260102120000mp_/http://site.example/gz", "", 200, "", "<p>unpacked</p>"},
		{"and chunks", "/archive/20260102120000mp_/http://site.example/chunked", "", 200, "", "<p>abcd</p>"},
		{"and charsets, of queries too", "/archive/20260102120000mp_/http://site.example/koi", "", 200, "", `koi?q=%C4%C1" target="_top">да</a>`},
		{"a script is text", "/archive/20260102120000js_/http://site.example/app.js", "", 200, "", "alert('<b>')"},
		{"a stylesheet", "/archive/20260101120000cs_/http://site.example/s.css", "", 200, "", `url("/archive/20260101120000im_/http://site.example/bg.png")`},
		{"a file that no frame shows", "/archive/20260102120000mp_/http://site.example/doc.pdf", "", 200, "", "application/pdf"},
		{"what is not there", "/archive/2026mp_/http://other.example/", "", 404, "", "Not in the archive"},
		{"an image that is not there", "/archive/2026im_/http://other.example/i.png", "", 404, "", "<svg"},
		{"a stylesheet that is not there", "/archive/2026cs_/http://other.example/i.css", "", 404, "", "/* not in the archive */"},
		{"the list of captures", "/archive/*/http://site.example/", "", 200, "", "made.warc.gz at "},
		{"the start page", "/", "", 200, "", `href="/archive/20260109120000/http://site.example/"`},
		{"its search", "/?q=https://secure", "", 200, "", `https://secure.example/`},
		{"markup in a search", "/?q=%3Cscript%3E", "", 200, "", `&lt;script&gt;`},
		{"no such address", "/elsewhere", "", 404, "", "nothing at this address"},
		{"a time that is none", "/archive/99999999999999mp_/http://site.example/", "", 302, "/archive/20260109120000mp_/http://site.example/", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var fields []string
			if test.field != "" {
				fields = append(fields, test.field)
			}
			r := ask(t, s, test.path, fields...)
			body := text(t, r)
			if r.StatusCode != test.status || r.Header.Get("Location") != test.location || !strings.Contains(body, test.holds) {
				t.Errorf("status %d, location %q\n%s\nwant %d, %q, %q", r.StatusCode, r.Header.Get("Location"), body, test.status, test.location, test.holds)
			}
			policy := r.Header.Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "allow-scripts") || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Set-Cookie") != "" {
				t.Errorf("unsafe fields: %v", r.Header)
			}
			if archived := strings.Contains(test.path, "_/") && r.StatusCode == 200; archived && !strings.HasPrefix(policy, "sandbox") && !strings.Contains(test.path, ".pdf") {
				t.Errorf("no sandbox: %q", policy)
			}
		})
	}
}

func TestMementoFields(t *testing.T) {
	s := site(t).server(Options{})
	r := ask(t, s, "/archive/20260101120000mp_/http://site.example/")
	if got := r.Header.Get("Memento-Datetime"); got != "Thu, 01 Jan 2026 12:00:00 GMT" {
		t.Errorf("Memento-Datetime %q", got)
	}
	want := `<http://site.example/>; rel="original", </archive/http://site.example/>; rel="timegate", </archive/timemap/link/http://site.example/>; rel="timemap"; type="application/link-format", </archive/20260101120000mp_/http://site.example/>; rel="memento"; datetime="Thu, 01 Jan 2026 12:00:00 GMT"`
	if got := r.Header.Get("Link"); got != want {
		t.Errorf("Link\n%s\nwant\n%s", got, want)
	}
	r = ask(t, s, "/archive/http://site.example/", "Accept-Datetime: Thu, 01 Jan 2026 00:00:00 GMT")
	if got := r.Header.Get("Vary"); got != "accept-datetime" || r.Header.Get("Memento-Datetime") != "" {
		t.Errorf("TimeGate: Vary %q, Memento-Datetime %q", got, r.Header.Get("Memento-Datetime"))
	}
	r = ask(t, s, "/archive/20260109120000mp_/http://site.example/")
	if r.Header.Get("X-Archive-Orig-Set-Cookie") != "a=b" {
		t.Errorf("original fields: %v", r.Header)
	}
}

func TestTimemap(t *testing.T) {
	s := site(t).server(Options{})
	r := ask(t, s, "/archive/timemap/link/http://site.example/")
	body := text(t, r)
	if got := r.Header.Get("Content-Type"); got != "application/link-format" {
		t.Errorf("type %q", got)
	}
	lines := strings.Split(strings.TrimSpace(body), ",\n")
	if len(lines) != 6 || !strings.Contains(lines[3], `rel="first memento"; datetime="Thu, 01 Jan 2026 12:00:00 GMT"`) || !strings.Contains(lines[5], "20260109120000mp_/http://site.example/>") {
		t.Errorf("timemap:\n%s", body)
	}
	var m jsonTimemap
	if err := json.Unmarshal([]byte(text(t, ask(t, s, "/archive/timemap/json/http://site.example/"))), &m); err != nil || len(m.Mementos) != 3 || m.Mementos[2].Status != "404" {
		t.Errorf("JSON: %v, %+v", err, m)
	}
	if r := ask(t, s, "/archive/timemap/link/http://other.example/"); r.StatusCode != 404 {
		t.Errorf("of nothing: %d", r.StatusCode)
	}
}

// The raw payload is what its digest is over.
func TestRaw(t *testing.T) {
	m := site(t)
	s := m.server(Options{})
	for _, path := range []string{"/gz", "/chunked", "/", "/app.js"} {
		var c Capture
		for x := range m.source().Closest(t.Context(), "http://site.example"+path, day(2)) {
			c, _ = x, error(nil)
			break
		}
		r := ask(t, s, "/archive/"+c.Timestamp+"id_/http://site.example"+path)
		body := text(t, r)
		if got := warc.SHA256([]byte(body)); got != c.Digest {
			t.Errorf("%s: payload %s, the index says %s", path, got, c.Digest)
		}
		if path == "/gz" && r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: Content-Encoding %q", path, r.Header.Get("Content-Encoding"))
		}
		if policy := r.Header.Get("Content-Security-Policy"); policy != rawPolicy {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

func TestRanges(t *testing.T) {
	s := site(t).server(Options{})
	for _, name := range []string{"v.mp4", "v.webm"} {
		for _, test := range []struct {
			ask, got, part string
			status         int
		}{
			{"bytes=0-", "0123456789", "bytes 0-9/10", 206},
			{"bytes=2-4", "234", "bytes 2-4/10", 206},
			{"bytes=-3", "789", "bytes 7-9/10", 206},
			{"bytes=8-100", "89", "bytes 8-9/10", 206},
			{"bytes=10-", "", "bytes */10", 416},
			{"bytes=1-2,4-5", "0123456789", "", 200},
			{"pages=1-2", "0123456789", "", 200},
		} {
			r := ask(t, s, "/archive/20260102120000im_/http://site.example/"+name, "Range: "+test.ask)
			if body := text(t, r); body != test.got || r.Header.Get("Content-Range") != test.part || r.StatusCode != test.status {
				t.Errorf("%s %s: %d %q %q", name, test.ask, r.StatusCode, r.Header.Get("Content-Range"), body)
			}
		}
	}
}

func TestRevisits(t *testing.T) {
	m := newMaker(t)
	body := packed("<p>the same</p>")
	first := m.answer(day(1), "http://site.example/a", "200 OK", body, "Content-Type: text/html", "Content-Encoding: gzip")
	of := warc.Original{ID: first.ID(), URL: "http://site.example/a", Date: day(1), PayloadDigest: warc.SHA256([]byte(body))}
	m.write(warc.Capture{URL: "http://other.example/b", Date: day(2)}.Identical(warc.Bytes([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nX-Here: b\r\n\r\n")), of))
	m.write(warc.Capture{URL: "http://site.example/a", Date: day(3)}.NotModified(warc.Bytes([]byte("HTTP/1.1 304 Not Modified\r\n\r\n")), of))
	of.PayloadDigest = "sha256:" + strings.Repeat("0", 64)
	m.write(warc.Capture{URL: "http://lost.example/", Date: day(2)}.Identical(warc.Bytes([]byte("HTTP/1.1 200 OK\r\n\r\n")), of))
	s := m.server(Options{})
	for _, path := range []string{"/archive/20260102120000mp_/http://other.example/b", "/archive/20260103120000mp_/http://site.example/a"} {
		if r := ask(t, s, path); text(t, r) != "<p>the same</p>" || r.StatusCode != 200 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if r := ask(t, s, "/archive/20260102120000mp_/http://other.example/b"); r.Header.Get("X-Archive-Orig-X-Here") != "b" {
		t.Errorf("the fields are not the answer's own: %v", r.Header)
	}
	if body := text(t, ask(t, s, "/archive/20260102120000/http://other.example/b")); !strings.Contains(body, "same bytes as") || !strings.Contains(body, "http://site.example/a") {
		t.Errorf("the banner does not name the original:\n%s", body)
	}
	if r := ask(t, s, "/archive/20260102120000mp_/http://lost.example/"); r.StatusCode != 404 || !strings.Contains(text(t, r), "original is not in the archive") {
		t.Errorf("a revisit of nothing: %d", r.StatusCode)
	}
}

// blocklist holds digests, and the start of images.
type blocklist struct {
	digests map[string]string
	image   string
	asked   int
}

func (b *blocklist) Withhold(_ context.Context, sha256, mediaType string, body []byte) (string, error) {
	b.asked++
	switch {
	case sha256 == hash("fails"):
		return "", errors.New("the list cannot be read")
	case mediaType == "image/png" && b.image != "" && strings.HasPrefix(string(body), b.image):
		return "images", nil
	case mediaType != "image/png" && body != nil:
		return "", errors.New("a body that is no image was given")
	}
	return b.digests[sha256], nil
}

func hash(s string) string { return strings.TrimPrefix(warc.SHA256([]byte(s)), "sha256:") }

func TestBlocklist(t *testing.T) {
	m := site(t)
	m.page(day(2), "http://site.example/fails", "text/plain", "fails")
	of := warc.Original{URL: "http://site.example/gz", Date: day(2), PayloadDigest: warc.SHA256([]byte(packed("<p>unpacked</p>")))}
	m.write(warc.Capture{URL: "http://site.example/again", Date: day(2)}.Identical(warc.Bytes([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")), of))
	list := &blocklist{digests: map[string]string{hash("<p>unpacked</p>"): "pages"}, image: "\x89PNG"}
	s := m.server(Options{Blocklist: list})
	for _, path := range []string{"mp_/http://site.example/gz", "/http://site.example/gz", "id_/http://site.example/gz", "mp_/http://site.example/again", "im_/http://site.example/here.png"} {
		at := "20260102120000"
		if strings.HasSuffix(path, "png") {
			at = "20260101120000"
		}
		r := ask(t, s, "/archive/"+at+path)
		if body := text(t, r); r.StatusCode != 451 || strings.Contains(body, "unpacked</p>") || strings.Contains(body, "PNG") {
			t.Errorf("%s: %d %q", path, r.StatusCode, body)
		}
	}
	if r := ask(t, s, "/archive/20260101120000mp_/http://site.example/"); r.StatusCode != 200 {
		t.Errorf("another page: %d", r.StatusCode)
	}
	if r := ask(t, s, "/archive/20260102120000mp_/http://site.example/fails"); r.StatusCode != 500 || text(t, r) == "fails" {
		t.Errorf("a list that fails lets the payload pass: %d", r.StatusCode)
	}
	before := list.asked
	if ask(t, s, "/archive/20260102120000id_/http://site.example/gz"); list.asked != before {
		t.Error("a payload is judged again for each request")
	}
}

// What an act holds is not shown in any form, nor is what repeats it; the answer
// names the act. An act that is done while the server runs counts at once.
func TestHeld(t *testing.T) {
	m := newMaker(t)
	held := m.page(day(1), "http://site.example/", "text/html", "<p>held words")
	of := warc.Original{URL: "http://site.example/", Date: day(1), PayloadDigest: warc.SHA256([]byte("<p>held words"))}
	m.write(warc.Capture{URL: "http://site.example/again", Date: day(2)}.Identical(warc.Bytes([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")), of))
	m.page(day(2), "http://site.example/fails", "text/html", "<p>held words")
	gone := m.page(day(3), "http://site.example/other", "text/html", "<p>other words")
	act := ""
	s := m.server(Options{Held: func(_ context.Context, id string) (string, error) {
		switch id {
		case held.ID():
			return act, nil
		case gone.ID():
			return "", nil
		}
		return "", errors.New("the acts cannot be read")
	}})
	paths := []string{"/archive/20260101120000mp_/http://site.example/", "/archive/20260101120000/http://site.example/", "/archive/20260101120000id_/http://site.example/"}
	for _, path := range paths {
		if r := ask(t, s, path); r.StatusCode != 200 {
			t.Errorf("before the act: %s: %d", path, r.StatusCode)
		}
	}
	act = "urn:uuid:0000"
	for _, path := range paths {
		r := ask(t, s, path)
		if body := text(t, r); r.StatusCode != 451 || strings.Contains(body, "held words") || !strings.Contains(body, act) {
			t.Errorf("%s: %d %q", path, r.StatusCode, body)
		}
	}
	for _, path := range []string{"again", "fails"} {
		r := ask(t, s, "/archive/20260102120000mp_/http://site.example/"+path)
		if body := text(t, r); r.StatusCode != 500 || strings.Contains(body, "held words") {
			t.Errorf("%s, where acts cannot be read: %d %q", path, r.StatusCode, body)
		}
	}
	s = m.server(Options{Held: func(_ context.Context, id string) (string, error) {
		return map[string]string{held.ID(): act}[id], nil
	}})
	if r := ask(t, s, "/archive/20260102120000mp_/http://site.example/again"); r.StatusCode != 451 || !strings.Contains(text(t, r), act) {
		t.Errorf("a revisit of it: %d", r.StatusCode)
	}
	if r := ask(t, s, "/archive/20260103120000mp_/http://site.example/other"); r.StatusCode != 200 {
		t.Errorf("another page: %d", r.StatusCode)
	}
}

func TestDamagedRecord(t *testing.T) {
	m := newMaker(t)
	m.page(day(1), "http://site.example/", "text/html", strings.Repeat("<p>words and more words", 200))
	source := m.source()
	data := source.data["made.warc.gz"]
	for i := len(data) / 2; i < len(data)/2+40; i++ {
		data[i] ^= 0x55
	}
	s, err := New(Options{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/archive/20260101120000mp_/http://site.example/", "/archive/20260101120000/http://site.example/"} {
		r := ask(t, s, path)
		if body := text(t, r); r.StatusCode != 500 || !strings.Contains(body, "This record is damaged") || !strings.Contains(body, "made.warc.gz") {
			t.Errorf("%s: %d\n%s", path, r.StatusCode, body)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	s := site(t).server(Options{LocalOnly: true})
	if r := ask(t, s, "/archive/20260102120000js_/http://site.example/app.js", "Service-Worker: script"); r.StatusCode != 403 {
		t.Errorf("a service worker: %d", r.StatusCode)
	}
	for _, host := range []string{"evil.example", "127.0.0.1.evil.example:80", "10.0.0.1"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest {
			t.Errorf("host %s: %d", host, w.Code)
		}
	}
	for _, host := range []string{"localhost:8080", "127.0.0.1", "[::1]:80"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("host %s: %d", host, w.Code)
		}
	}
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, httptest.NewRequest("POST", "/archive/2026mp_/http://site.example/", nil)); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
	if _, err := New(Options{}); err == nil {
		t.Error("New without a source gives no error")
	}
	if _, err := New(Options{Source: &fileSource{}, Name: "a/b"}); err == nil {
		t.Error("New with a slash in the name gives no error")
	}
}
