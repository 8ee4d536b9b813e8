package cdx

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
)

// warcioJS gives the command line of npm's warcio, or skips the test.
func warcioJS(t *testing.T) []string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: node is not installed")
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		cli := filepath.Join(dir, "tools", "node_modules", "warcio", "dist", "cli.js")
		if _, err := os.Stat(cli); err == nil {
			return []string{node, cli}
		}
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || filepath.Dir(dir) == dir {
			t.Skip("skipped: tools/node_modules/warcio is not installed")
		}
		dir = filepath.Dir(dir)
	}
}

// output gives the standard output of a command, line by line.
func output(t *testing.T, command []string, args ...string) []string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := exec.Command(command[0], append(command[1:], args...)...)
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(c.Args, " "), err, &stderr)
	}
	return strings.Split(strings.TrimSpace(stdout.String()), "\n")
}

// variety writes a file with bodies of many kinds.
func variety(t *testing.T, compression warc.Compression) []byte {
	t.Helper()
	var out bytes.Buffer
	w := warc.NewWriter(&out, warc.WriterOptions{Compression: compression})
	add := func(r *warc.Record) *warc.Record {
		if _, err := w.Write(r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	add(warc.NewWarcinfo("variety.warc.gz", testDate, warc.Header{{Name: "software", Value: "test/1"}}))
	random := rand.New(rand.NewPCG(9, 9))
	for i := range 120 {
		c := warc.Capture{URL: fmt.Sprintf("https://www.plaza.example/Posts/%d/?b=%d&a=x", i, i%5), Date: testDate, Protocols: []string{"http/1.1", "tls/1.3"}}
		body := make([]byte, random.IntN(3000))
		for j := range body {
			body[j] = byte(random.Uint32())
		}
		if i == 60 {
			body = make([]byte, 900<<10)
		}
		kind := "image/png"
		if i%2 == 0 {
			kind, body = "text/html; charset=utf-8", []byte(strings.Repeat("<p>page</p>\n", len(body)/12))
		}
		head := "HTTP/1.1 200 OK\r\nContent-Type: " + kind + "\r\n"
		switch i % 4 {
		case 1:
			head += "Transfer-Encoding: chunked\r\n"
			half := len(body) / 2
			framed := fmt.Appendf(nil, "%x\r\n%s\r\n", half, body[:half])
			if half == 0 {
				framed = nil
			}
			framed = fmt.Appendf(framed, "%x;ext=1\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n", len(body)-half, body[half:])
			if len(body) == 0 {
				framed = []byte("0\r\n\r\n")
			}
			body = framed
		case 2:
			var z bytes.Buffer
			g := gzip.NewWriter(&z)
			g.Write(body)
			g.Close()
			body = z.Bytes()
			head += fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n", len(body))
		default:
			head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
		}
		response := add(c.Response(warc.Bytes(append([]byte(head+"\r\n"), body...))))
		add(c.Request(warc.Bytes(fmt.Appendf(nil, "GET /Posts/%d/ HTTP/1.1\r\nHost: www.plaza.example\r\n\r\n", i)), response))
		add(c.Metadata(warc.Header{{Name: "fetchTimeMs", Value: fmt.Sprint(i)}}, response))
		add(c.Resource(fmt.Sprintf("urn:refrain:post:plaza:%d", i), "application/json", warc.Bytes(fmt.Appendf(nil, `{"id":"%d"}`, i)), response))
		if i%10 == 9 {
			c.URL += "&again=1"
			add(c.Identical(warc.Bytes([]byte(head+"\r\n")), warc.Original{ID: response.ID(), URL: c.URL, Date: c.Date, PayloadDigest: response.PayloadDigest}))
		}
	}
	return out.Bytes()
}

// TestWarcioJSReadsOurs lets npm's warcio index what we write: the same lines,
// with the same offsets, lengths and digests.
func TestWarcioJSReadsOurs(t *testing.T) {
	command := warcioJS(t)
	for name, compression := range map[string]warc.Compression{"variety.warc.gz": warc.Auto, "stored.warc.gz": warc.Stored, "plain.warc": warc.Plain} {
		path := filepath.Join(t.TempDir(), name)
		file := variety(t, compression)
		if err := os.WriteFile(path, file, 0o666); err != nil {
			t.Fatal(err)
		}
		theirs := map[int64]Line{}
		for _, text := range output(t, command, "cdx-index", path) {
			l, err := ParseLine([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			theirs[l.Offset] = l
		}
		n := 0
		_, err := Index(context.Background(), bytes.NewReader(file), name, IndexOptions{Options: Options{Key: WebrecorderKey}}, func(l *Line) error {
			n++
			other, ok := theirs[l.Offset]
			if !ok {
				t.Errorf("%s: warcio.js has no line for %s at %d", name, l.URL, l.Offset)
				return nil
			}
			_, digest, _ := strings.Cut(l.Digest, ":")
			length := l.Length
			if compression == warc.Plain {
				length -= 4 // it leaves the closing line ends out
			}
			if other.Key != l.Key || other.Timestamp != l.Timestamp || other.URL != l.URL || other.MIME != l.MIME || other.Status != l.Status || other.Digest != digest || other.Length != length || other.Filename != name {
				t.Errorf("%s: warcio.js %s\nours      %s", name, &other, l)
			}
			return nil
		})
		if err != nil || n != len(theirs) || n != 252 {
			t.Errorf("%s: %d lines, warcio.js has %d, want 252; %v", name, n, len(theirs), err)
		}
		// All records, also those that are not indexed.
		type record struct {
			Offset int64  `json:"offset"`
			Type   string `json:"warc-type"`
			ID     string `json:"warc-record-id"`
			Block  string `json:"warc-block-digest"`
		}
		rd, err := warc.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range output(t, command, "index", path, "-f", "offset", "warc-type", "warc-record-id", "warc-block-digest") {
			var r record
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			rec, err := rd.Next()
			if err != nil {
				t.Fatal(err)
			}
			if r.Offset != rec.Offset || r.Type != rec.Header.Type() || r.ID != rec.Header.Get("WARC-Record-ID") || r.Block != rec.Header.Get("WARC-Block-Digest") {
				t.Errorf("%s: warcio.js %+v, ours %d %v", name, r, rec.Offset, rec.Header)
			}
		}
		if _, err := rd.Next(); err != io.EOF {
			t.Errorf("%s: warcio.js ends early: %v", name, err)
		}
	}
}

// TestReadWget lets wget archive a small site on loopback, and reads that.
func TestReadWget(t *testing.T) {
	wget, err := exec.LookPath("wget")
	if err != nil {
		t.Skip("skipped: wget is not installed")
	}
	page := strings.Repeat("<p>page</p>\n", 3000)
	mux := http.NewServeMux()
	mux.HandleFunc("/length", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Length", fmt.Sprint(len(page)))
		io.WriteString(w, page)
	})
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		for _, part := range []string{page[:10000], page[10000:]} {
			io.WriteString(w, part)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/length", http.StatusFound) })
	mux.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "gone", http.StatusGone) })
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, packed := range []bool{true, false} {
		dir := t.TempDir()
		args := []string{"--no-verbose", "--no-proxy", "--tries=1", "--timeout=20", "--warc-file=site", "--warc-cdx", "--output-document=/dev/null"}
		name := "site.warc.gz"
		if !packed {
			args, name = append(args, "--no-warc-compression"), "site.warc"
		}
		c := exec.Command(wget, append(args, server.URL+"/length", server.URL+"/chunked", server.URL+"/moved", server.URL+"/gone")...)
		c.Dir = dir
		c.Env = append(os.Environ(), "http_proxy=", "HTTP_PROXY=")
		if out, err := c.CombinedOutput(); err != nil && c.ProcessState.ExitCode() != 8 { // 8: an error status was served
			t.Fatalf("wget: %v\n%s", err, out)
		}
		file, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		report, err := warc.Verify(context.Background(), bytes.NewReader(file), int64(len(file)), name, warc.VerifyOptions{})
		if err != nil || report.Verdict != warc.SoundWithRemarks || report.Counts[warc.CodePayloadFramed] != 1 {
			t.Errorf("%s: %+v, %v; want remarks, one of them about the digest of the chunked body", name, report, err)
		}
		// wget's own index: " CDX a b a m s k r M V g u", V is the offset.
		own, err := os.ReadFile(filepath.Join(dir, "site.cdx"))
		if err != nil {
			t.Fatal(err)
		}
		offsets := map[string]string{}
		for _, line := range strings.Split(strings.TrimSpace(string(own)), "\n")[1:] {
			if f := strings.Fields(line); len(f) == 11 {
				offsets[f[8]] = f[0] + " " + f[4]
			}
		}
		want := map[string]string{"/length": page, "/chunked": page, "/moved": "", "/gone": "gone\n"}
		responses := 0
		_, err = Index(context.Background(), bytes.NewReader(file), name, IndexOptions{}, func(l *Line) error {
			path, ok := strings.CutPrefix(l.URL, server.URL)
			if !ok {
				return nil
			}
			responses++
			if got := offsets[fmt.Sprint(l.Offset)]; got != l.URL+" "+l.Status {
				t.Errorf("%s: at %d we have %s %s, wget's own index %q", name, l.Offset, l.URL, l.Status, got)
			}
			rec, err := warc.ReadAt(bytes.NewReader(file), int64(len(file)), l.Offset)
			if err != nil {
				return err
			}
			m, err := warc.ReadHTTP(rec)
			if err != nil {
				return err
			}
			body, err := io.ReadAll(m.Payload())
			if err != nil || path != "/moved" && string(body) != want[path] {
				t.Errorf("%s: %s has a payload of %d bytes, %v", name, path, len(body), err)
			}
			return nil
		})
		if err != nil || responses < 5 {
			t.Errorf("%s: %d responses, want 5 (one page twice, after the redirect); %v", name, responses, err)
		}
	}
}
