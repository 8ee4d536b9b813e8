package importers

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) (list []crawlers.Exchange, damages []error, err error) {
	t.Helper()
	err = Exchanges(context.Background(), path, func(ex crawlers.Exchange) error {
		list = append(list, ex)
		return nil
	}, func(err error) { damages = append(damages, err) })
	return list, damages, err
}

const har = `{"log": {"version": "1.2", "creator": {"name": "browser"}, "pages": [{"a": 1}], "entries": [
 {"startedDateTime": "2026-11-20T10:00:00.000Z", "time": 250, "request": {"method": "GET", "url": "https://a.example/", "headers": []},
  "response": {"status": 200, "headers": [{"name": "Content-Type", "value": "text/html; charset=big5"}, {"name": "content-encoding", "value": "gzip"}], "content": {"mimeType": "text/html", "text": "<p>桥</p>"}}},
 {"startedDateTime": "2026-11-20T10:00:01+02:00", "request": {"method": "POST", "url": "https://a.example/api", "postData": {"text": "{\"a\":1}"}},
  "response": {"status": 200, "headers": [], "content": {"mimeType": "application/json", "text": "eyJvayI6MX0=", "encoding": "base64"}}},
 {"startedDateTime": "x", "request": {"method": "GET", "url": "https://a.example/lost"}, "response": {"status": 200, "headers": [], "content": {"mimeType": ""}}}
]}}`

func TestHAR(t *testing.T) {
	list, _, err := read(t, write(t, "x.txt", har))
	if err != nil || len(list) != 3 {
		t.Fatalf("%d exchanges, %v", len(list), err)
	}
	if ex := list[0]; string(ex.Body) != "<p>桥</p>" || ex.Header.Get("Content-Type") != "text/html; charset=utf-8" || ex.FetchedAt.Format("15:04:05.000") != "10:00:00.250" || !strings.HasPrefix(ex.Capture.Import, "sha256:") || ex.Capture.Line != 1 {
		t.Errorf("first: %+v", ex)
	}
	if ex := list[1]; ex.Method != "POST" || string(ex.RequestBody) != `{"a":1}` || string(ex.Body) != `{"ok":1}` {
		t.Errorf("second: %+v", ex)
	}
	if ex := list[2]; !ex.Truncated || !ex.FetchedAt.IsZero() {
		t.Errorf("third: %+v", ex)
	}
	for _, cut := range []int{200, 600, len(har) - 5} {
		if _, _, err := read(t, write(t, "cut.har", har[:cut])); err == nil {
			t.Errorf("a HAR cut at %d is read without a word", cut)
		}
	}
}

const record = "WARC/1.1\r\nWARC-Type: %TYPE%\r\nWARC-Record-ID: <urn:uuid:%ID%>\r\nWARC-Date: 2026-11-20T10:00:00.5Z\r\n%MORE%Content-Length: %LEN%\r\n\r\n%BLOCK%\r\n\r\n"

func rec(kind, id, more, block string) string {
	return strings.NewReplacer("%TYPE%", kind, "%ID%", id, "%MORE%", more, "%LEN%", itoa(len(block)), "%BLOCK%", block).Replace(record)
}

func itoa(n int) string {
	var b []byte
	for ; n > 0 || b == nil; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

func gz(t *testing.T, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, m := range members {
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(m)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestWARC(t *testing.T) {
	const target = "WARC-Target-URI: https://a.example/x\r\n"
	const digest = "WARC-Payload-Digest: sha256:00\r\n"
	members := []string{
		rec("warcinfo", "0", "", "software: x\r\n"),
		rec("response", "1", target+digest, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<p>\r\n0\r\n\r\n"),
		rec("request", "2", target+"WARC-Concurrent-To: <urn:uuid:1>\r\n", "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\na=1"),
		rec("request", "3", target+"WARC-Concurrent-To: <urn:uuid:4>\r\n", "HEAD /x HTTP/1.1\r\n\r\n"),
		rec("response", "4", target, "HTTP/1.1 404 Not Found\r\n\r\n"),
		rec("resource", "5", "WARC-Target-URI: urn:refrain:post:x:1\r\nContent-Type: application/json\r\n", "{}"),
		rec("resource", "6", "WARC-Target-URI: https://a.example/saved\r\nContent-Type: text/html\r\n", "<p>saved"),
		rec("revisit", "7", target+digest+"WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nAge: 3\r\n\r\n"),
		rec("response", "8", "WARC-Target-URI: dns:a.example\r\n", "20261120 a.example. 1 IN A 192.0.2.1"),
	}
	list, damages, err := read(t, write(t, "x", gz(t, members...)))
	if err != nil || len(damages) != 0 {
		t.Fatal(err, damages)
	}
	var got []string
	for _, ex := range list {
		got = append(got, strings.Join([]string{ex.Method, ex.URL, itoa(ex.Status), string(ex.RequestBody), string(ex.Body), ex.Header.Get("Age"), ex.Capture.RecordID}, "|"))
	}
	want := []string{
		"POST|https://a.example/x|200|a=1|<p>||urn:uuid:1",
		"HEAD|https://a.example/x|404||||urn:uuid:4",
		"GET|https://a.example/saved|200||<p>saved||urn:uuid:6",
		"GET|https://a.example/x|200||<p>|3|urn:uuid:7",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	whole := gz(t, members...)
	list, damages, err = read(t, write(t, "cut", whole[:len(whole)-len(gz(t, members[8]))-60]))
	if err != nil || len(damages) == 0 || len(list) < 3 {
		t.Errorf("a cut file: %d exchanges, %v, %v", len(list), damages, err)
	}
}

func TestOtherFiles(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "page": "<html>", "json": `{"a":1}`, "gzip": gz(t, "hello")} {
		if _, _, err := read(t, write(t, name, content)); !errors.Is(err, ErrBody) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := read(t, write(t, "zip", "PK\x03\x04 and no more")); err == nil || errors.Is(err, ErrBody) {
		t.Errorf("a broken ZIP: %v", err)
	}
}

func TestConformanceFilesAreRead(t *testing.T) {
	root := sharedtest.Path(t, "conformance/warc")
	for _, test := range []struct {
		file      string
		exchanges int // responses and resources of http(s) targets, counted with zcat | grep
	}{
		{"matrix/ok-cdxj.wacz", 4},
		{"py-wacz/valid_signed_example_1.wacz", -1},
		{"warcio/example.warc.gz", -1},
		{"warcio/example.arc.gz", -1},
	} {
		list, damages, err := read(t, filepath.Join(root, test.file))
		if err != nil || len(damages) != 0 || len(list) == 0 || test.exchanges > 0 && len(list) != test.exchanges {
			t.Errorf("%s: %d exchanges, %v, %v", test.file, len(list), damages, err)
		}
	}
}
