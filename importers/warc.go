package importers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

// Bodies of exchanges are held in memory for their reader: these bound them.
// What is longer is cut and says so.
const (
	maxResponseBody = 64 << 20
	maxRequestBody  = 1 << 20
)

// maxOriginals bounds how many payloads of a file are remembered so that a
// revisit record can be read with its original's body.
const maxOriginals = 1 << 20

// An input is an archive file: a stream, and random access where there is some.
type input struct {
	io.Reader
	at   io.ReaderAt // nil: revisit records cannot be resolved
	size int64
	name string                // base name, for captures
	made func(software string) // told of the software in warcinfo records; nil: nobody is
}

// readWARC reads the exchanges of a WARC or ARC file.
func readWARC(in input, f func(crawlers.Exchange) error, damaged func(error) error) error {
	r, err := warc.NewReader(in)
	if err != nil {
		return err
	}
	w := &warcReader{in: in, emit: f, originals: map[string]int64{}}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return w.flush()
		}
		if err == nil {
			err = w.record(rec)
		}
		var damage *warc.Damage
		if errors.As(err, &damage) {
			err = damaged(damage)
		}
		if err != nil {
			return err
		}
	}
}

// warcReader joins requests with their responses: an exchange is given when its
// request was seen, or when the next response comes.
type warcReader struct {
	in        input
	emit      func(crawlers.Exchange) error
	pending   *crawlers.Exchange // a response whose request may follow
	pendingTo []string           // ids that it is concurrent to
	request   *request           // the last request, whose response may follow
	originals map[string]int64   // payload digest → offset of its response record
}

type request struct {
	id, target   string
	concurrentTo []string
	method       string
	body         []byte
}

func (w *warcReader) flush() error {
	if w.pending == nil {
		return nil
	}
	ex := *w.pending
	w.pending = nil
	return w.emit(ex)
}

func (w *warcReader) record(rec *warc.ReadRecord) error {
	switch rec.Header.Type() {
	case "response", "revisit":
		return w.response(rec)
	case "request":
		return w.addRequest(rec)
	case "resource":
		return w.resource(rec)
	case "warcinfo":
		if w.in.made != nil {
			fields, err := io.ReadAll(io.LimitReader(rec, 64<<10))
			if err != nil {
				return err
			}
			if software := warc.ParseFields(fields).Get("software"); software != "" {
				w.in.made(software)
			}
		}
	}
	return nil
}

func isHTTP(uri string) bool {
	l := strings.ToLower(uri)
	return strings.HasPrefix(l, "http://") || strings.HasPrefix(l, "https://")
}

func (w *warcReader) capture(rec *warc.ReadRecord) post.Capture {
	return post.Capture{RecordID: rec.ID(), File: w.in.name, Offset: rec.Offset, PayloadDigest: rec.Header.Get("WARC-Payload-Digest")}
}

func (w *warcReader) response(rec *warc.ReadRecord) error {
	if err := w.flush(); err != nil {
		return err
	}
	target := rec.Header.TargetURI()
	if !isHTTP(target) {
		return nil
	}
	ex := crawlers.Exchange{Method: http.MethodGet, URL: target, Header: http.Header{}, Capture: w.capture(rec)}
	if at, err := warc.ParseDate(rec.Header.Get("WARC-Date")); err == nil {
		ex.FetchedAt = at.UTC()
	}
	digest := ex.Capture.PayloadDigest
	var err error
	if rec.Header.Type() == "revisit" {
		err = w.revisit(rec, &ex)
	} else {
		err = readResponse(rec, &ex)
		if digest != "" && len(w.originals) < maxOriginals {
			if _, known := w.originals[digest]; !known {
				w.originals[digest] = rec.Offset
			}
		}
	}
	if errors.Is(err, warc.ErrNotHTTP) {
		return nil // a response record of another protocol (dns:, ftp:)
	}
	if err != nil {
		return err
	}
	ids := concurrent(rec)
	if w.request != nil && w.request.belongs(rec.ID(), ids, target) {
		ex.Method, ex.RequestBody = w.request.method, w.request.body
		w.request = nil
		return w.emit(ex)
	}
	w.request = nil
	w.pending, w.pendingTo = &ex, ids
	return nil
}

func concurrent(rec *warc.ReadRecord) []string {
	var ids []string
	for _, v := range rec.Header.Values("WARC-Concurrent-To") {
		ids = append(ids, warc.TrimID(v))
	}
	return ids
}

// belongs reports whether a request is that of a response.
func (q *request) belongs(id string, concurrentTo []string, target string) bool {
	if q.target != "" && q.target != target {
		return false
	}
	for _, v := range q.concurrentTo {
		if v == id {
			return true
		}
	}
	for _, v := range concurrentTo {
		if v == q.id {
			return true
		}
	}
	return false
}

func (w *warcReader) addRequest(rec *warc.ReadRecord) error {
	q := &request{id: rec.ID(), target: rec.Header.TargetURI(), concurrentTo: concurrent(rec)}
	m, err := warc.ReadHTTP(rec)
	if errors.Is(err, warc.ErrNotHTTP) {
		return nil
	}
	if err != nil {
		return err
	}
	q.method = m.Method
	body, _, err := decodedBody(m, maxRequestBody)
	if err != nil {
		return err
	}
	q.body = body
	if w.pending != nil && q.belongs(w.pending.Capture.RecordID, w.pendingTo, w.pending.URL) {
		w.pending.Method, w.pending.RequestBody = q.method, q.body
		return w.flush()
	}
	w.request = q
	return nil
}

// readResponse fills ex from the HTTP message in rec.
func readResponse(rec *warc.ReadRecord, ex *crawlers.Exchange) error {
	m, err := warc.ReadHTTP(rec)
	if err != nil {
		return err
	}
	fillHead(m, ex)
	var cut bool
	if ex.Body, cut, err = decodedBody(m, maxResponseBody); err != nil {
		return err
	}
	ex.Truncated = cut || rec.Header.Get("WARC-Truncated") != ""
	return nil
}

func fillHead(m *warc.HTTPMessage, ex *crawlers.Exchange) {
	ex.Status = m.Status
	for _, h := range m.Header {
		ex.Header.Add(h.Name, h.Value)
	}
	ex.Header.Del("Content-Encoding") // Body is decoded
	ex.Header.Del("Transfer-Encoding")
}

// decodedBody reads a body without its codings, as far as it can be decoded.
func decodedBody(m *warc.HTTPMessage, limit int64) (body []byte, cut bool, err error) {
	d, err := m.Decoded(limit)
	if err != nil {
		return nil, false, err
	}
	body, err = io.ReadAll(d)
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	var damage *warc.Damage
	switch {
	case err == nil:
	case errors.As(err, &damage):
		return nil, false, err
	default: // the coding is cut or broken, or the body is too large: what was read of it counts
		cut = true
	}
	if len(body) == 0 {
		body = nil
	}
	return body, cut, nil
}

// revisit reads a revisit record: its own head, and the body of the original,
// where that is in the same file. Where it is not, the exchange is cut.
func (w *warcReader) revisit(rec *warc.ReadRecord, ex *crawlers.Exchange) error {
	if strings.Contains(rec.Header.Get("WARC-Profile"), "server-not-modified") {
		ex.Status, ex.Truncated = http.StatusNotModified, true
		return nil
	}
	var own *warc.HTTPMessage
	if rec.Size() > 0 {
		m, err := warc.ReadHTTP(rec)
		if err != nil {
			return err
		}
		own = m
	}
	offset, known := w.originals[ex.Capture.PayloadDigest]
	if !known || w.in.at == nil {
		if own != nil {
			fillHead(own, ex)
		}
		ex.Truncated = true
		return nil
	}
	original, err := warc.ReadAt(w.in.at, w.in.size, offset)
	if err != nil {
		return fmt.Errorf("read the original of revisit %s: %w", rec.ID(), err)
	}
	if err := readResponse(original, ex); err != nil {
		return fmt.Errorf("read the original of revisit %s: %w", rec.ID(), err)
	}
	if own != nil {
		ex.Header = http.Header{}
		fillHead(own, ex)
	}
	return nil
}

// resource reads a file that a tool saved without HTTP headers.
func (w *warcReader) resource(rec *warc.ReadRecord) error {
	if err := w.flush(); err != nil {
		return err
	}
	target := rec.Header.TargetURI()
	if !isHTTP(target) {
		return nil
	}
	ex := crawlers.Exchange{Method: http.MethodGet, URL: target, Status: http.StatusOK, Header: http.Header{}, Capture: w.capture(rec)}
	if kind := rec.Header.Get("Content-Type"); kind != "" {
		ex.Header.Set("Content-Type", kind)
	}
	if at, err := warc.ParseDate(rec.Header.Get("WARC-Date")); err == nil {
		ex.FetchedAt = at.UTC()
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(rec, maxResponseBody+1))
	if err != nil {
		return err
	}
	ex.Body = b.Bytes()
	if n > maxResponseBody {
		ex.Body, ex.Truncated = ex.Body[:maxResponseBody], true
	}
	return w.emit(ex)
}
