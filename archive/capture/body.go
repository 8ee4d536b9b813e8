package capture

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// A body is the response's body as the caller reads it. Its end makes the record.
type body struct {
	f     *fetch
	src   io.ReadCloser // net/http's: transfer coding removed
	wire  errKeeper     // over src
	r     io.Reader     // content coding removed
	zip   *gzipReader   // below r, where gzip is the only coding; nil otherwise
	mu    sync.Mutex    // held while reading
	err   error         // sticky; set once the record is made
	ended bool          // the record is made
}

// errKeeper remembers how its source ended.
type errKeeper struct {
	r   io.Reader
	err error
}

func (k *errKeeper) Read(p []byte) (int, error) {
	if k.err != nil {
		return 0, k.err
	}
	n, err := k.r.Read(p)
	k.err = err
	return n, err
}

func (f *fetch) wrapBody(resp *http.Response) {
	b := &body{f: f, src: resp.Body}
	b.wire.r = resp.Body
	b.r = &b.wire
	coded := f.req.Method != http.MethodHead && resp.Body != http.NoBody && resp.StatusCode != http.StatusPartialContent
	if list, known := codings(resp.Header["Content-Encoding"]); coded && known && len(list) > 0 {
		b.r = decoded(b.r, list)
		b.zip, _ = b.r.(*gzipReader)
		if limit := f.t.opt.MaxDecoded; limit > 0 {
			b.r = &capReader{r: b.r, max: limit, left: limit}
		}
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength = -1
		resp.Uncompressed = true
	}
	resp.Body = b
}

// Read implements io.Reader. When it gives io.EOF, the exchange is recorded.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	if err == nil {
		return n, nil
	}
	switch {
	case b.wire.err == nil:
		// The decoder is through, or gives up: the rest still is part of the
		// exchange. A limit of the wire or of time may end it before its end.
		io.Copy(io.Discard, &b.wire)
		if err == io.EOF {
			err = b.wire.err
		}
	case b.wire.err != io.EOF:
		err = b.wire.err
	}
	if err == nil {
		err = io.EOF
	}
	b.end(err)
	return n, b.err
}

// Rest implements fetchctx.Rester.
func (b *body) Rest() (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended || b.zip == nil {
		return 0, false
	}
	n, known := b.zip.rest()
	limit := b.f.t.opt.MaxDecoded
	return n, known && (limit <= 0 || int64(n) <= limit)
}

// Close ends the exchange. Where the caller did not read to the end, the
// record has WARC-Truncated, unless all bytes had arrived; the error, if any,
// is that it could not be recorded.
func (b *body) Close() error {
	if !b.mu.TryLock() {
		b.src.Close() // ends the Read under way
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	if !b.ended {
		if b.f.cur.arrived() {
			// All is here: net/http can have its end, and the connection be used again.
			io.Copy(io.Discard, &b.wire)
		}
		err := b.wire.err
		if err == nil {
			err = errLocalClose
		}
		b.end(err)
		if errors.Is(b.err, ErrNotRecorded) {
			err := b.err
			b.err = http.ErrBodyReadAfterClose
			return err
		}
		b.err = http.ErrBodyReadAfterClose
	}
	return nil
}

// arrived reports whether the last byte of the response was received.
func (a *attempt) arrived() bool {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return a.split.ended()
}

// end makes the record and sets b.err to what the reader gets.
func (b *body) end(err error) {
	f, a := b.f, b.f.cur
	b.ended = true
	b.src.Close()
	a.c.end(a)
	defer f.cancel()
	if b.wire.err != io.EOF {
		a.wireErr = b.wire.err
	}
	if err == io.EOF {
		err = nil
	}
	err = f.reason(a, err)
	shown, keepErr := f.record(a, err)
	switch {
	case keepErr == nil && f.keepErr != nil:
		keepErr = f.keepErr
	case keepErr == nil && err == nil:
		b.err = io.EOF
		return
	}
	if keepErr != nil {
		b.err = keepErr
		return
	}
	b.err = shown
}

// fail makes the record of a fetch for which net/http gave err instead of a
// response, and gives the error for the caller.
func (f *fetch) fail(err error) error {
	a := f.cur
	if a != nil {
		a.c.kill()
		a.c.end(a)
	}
	err = f.reason(a, err)
	shown, keepErr := f.record(a, err)
	if keepErr == nil {
		keepErr = f.keepErr
	}
	if keepErr != nil {
		return &Error{URL: f.shown, text: fmt.Sprintf("%v; and %v", shown.text, keepErr.text), err: keepErr.err}
	}
	return shown
}

// kill closes the connection.
func (c *conn) kill() {
	c.mu.Lock()
	if c.dead == nil {
		c.dead = errAfterEnd
	}
	c.mu.Unlock()
	c.Conn.Close()
}
