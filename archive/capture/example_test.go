package capture_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/refrain-archive/refrain/archive/capture"
	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

// printer is a Recorder that keeps nothing.
type printer struct{}

func (printer) Record(_ context.Context, ex *capture.Exchange) (post.Capture, error) {
	fmt.Printf("%s %d, payload sha256:%.4x…\n", ex.Method, ex.Status, ex.Response.PayloadSHA256)
	body, err := io.ReadAll(io.NewSectionReader(ex.Response, ex.Response.Head, ex.Response.Size-ex.Response.Head))
	if err != nil {
		return post.Capture{}, err
	}
	fmt.Printf("on the wire: %q\n", body)
	return post.Capture{RecordID: "urn:uuid:…"}, nil
}

func Example() {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("hello"))
		w.(http.Flusher).Flush()
		w.Write([]byte("world"))
	}))
	defer site.Close()
	transport := capture.New(capture.Options{Recorder: printer{}})
	defer transport.CloseIdleConnections()

	ctx, fetch := fetchctx.New(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", site.URL, nil)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body) // the record is made here
	fmt.Printf("read %q, %v, as %s\n", body, err, fetch.Result().Capture.RecordID)
	// Output:
	// GET 200, payload sha256:936a185c…
	// on the wire: "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"
	// read "helloworld", <nil>, as urn:uuid:…
}
