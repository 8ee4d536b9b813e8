package capture

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/post"
)

// reading is a Recorder that reads each block once, as a writer of WARC does.
type reading struct{ buf []byte }

func (r *reading) Record(_ context.Context, ex *Exchange) (post.Capture, error) {
	for _, b := range []*Block{&ex.Request, &ex.Response} {
		for off := int64(0); off < b.Size; off += int64(len(r.buf)) {
			if _, err := b.ReadAt(r.buf[:min(int64(len(r.buf)), b.Size-off)], off); err != nil {
				return post.Capture{}, err
			}
		}
	}
	return post.Capture{}, nil
}

// BenchmarkFetch compares http.Transport with the recording one over
// loopback. The server runs in the same process: its cost is in both.
func BenchmarkFetch(b *testing.B) {
	json := []byte(strings.Repeat(`{"id":"1","text":"a post of a few words"},`, 50))
	big := make([]byte, 64<<20)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			w.Header().Set("Content-Length", fmt.Sprint(len(big)))
			w.Write(big)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(json)
	})
	for _, secure := range []bool{false, true} {
		server := httptest.NewUnstartedServer(handler)
		scheme := "http"
		if secure {
			scheme = "https"
			server.StartTLS()
		} else {
			server.Start()
		}
		config := &tls.Config{InsecureSkipVerify: true}
		for _, path := range []string{"/json", "/big"} {
			size := len(json)
			if path == "/big" {
				size = len(big)
			}
			for _, recorded := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s %s recorded=%v", scheme, path[1:], recorded), func(b *testing.B) {
					var rt http.RoundTripper = &http.Transport{TLSClientConfig: config, DisableCompression: true}
					if recorded {
						rt = New(Options{Recorder: &reading{make([]byte, 64<<10)}, SpoolDir: b.TempDir(), TLS: config})
					}
					buf := make([]byte, 32<<10)
					b.SetBytes(int64(size))
					b.ReportAllocs()
					for b.Loop() {
						req, _ := http.NewRequest("GET", server.URL+path, nil)
						resp, err := rt.RoundTrip(req)
						if err != nil {
							b.Fatal(err)
						}
						n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buf)
						if err != nil || n != int64(size) {
							b.Fatal(n, err)
						}
						resp.Body.Close()
					}
					rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
				})
			}
		}
		server.Close()
	}
}
